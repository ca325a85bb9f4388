"""A calendar of ours, then what other people's programs make of it, item by item.

The readers are those that people have: libical (GNOME, KDE), ical.js (Thunderbird, Nextcloud), the Python
libraries under khal, Radicale and Home Assistant, and vdirsyncer with khal and todoman as whole programs
over HTTP.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from events import build_description, build_event, build_summary, make_card
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from readers import KEYS, READERS, Desk, Item, in_order, make_item, make_todos, read, serving

from notesync.followup.card import Card
from notesync.followup.follow_up import FollowUp
from notesync.followup.settings import Settings
from notesync.publish.calendar import (
    EVENT,
    FULL,
    TODO,
    Pressing,
    build_digest,
    build_link,
    build_uid,
    build_uid_of,
    render_calendar,
)

pytestmark = pytest.mark.readers

SETTINGS = Settings(vault_id="5b1f", timezone="Africa/Johannesburg", obsidian_vault="Our Clients")
TODAY = date(2026, 11, 24)


class Feed(NamedTuple):
    """A calendar's bytes and the items that a reader should find in them."""

    data: bytes
    items: list[Item]


def make_client(name: str, **facts: Any) -> Card:
    known = {"path": f"Clients/{name}.md", "key": f"id of {name}", "stage": "prospect"}
    return make_card(**{"name": name, **known, **facts})


def make_follow_up(opens: date, due: date | None = None, **facts: Any) -> FollowUp:
    known = {
        "rule": "next-contact", "kind": "contact", "step": None, "occasion": opens.isoformat(), "title": "the quote",
        "reason": "agreed", "minute": None, "path": "Clients/a.md", "line": 4, "channel": "", "minutes": 15,
        "contact": True, "wanted": 0,
    }  # fmt: skip
    return FollowUp(opens=opens, due=due or opens, **{**known, **facts})


def make_feed(pairs: list[tuple[FollowUp, Card]], component: str = EVENT) -> Feed:
    """The calendar of some follow-ups, and its items as their words and days say."""
    events, items = [], []
    for found, client in pairs:
        events.append(build_event(found, client, SETTINGS, date(2026, 11, 20), component=component))
        assert found.opens is not None
        assert found.due is not None
        start, end = (
            str(found.opens),
            str(found.due if component == TODO else found.opens + timedelta(days=1)),
        )
        if found.minute is not None:
            hour = datetime(found.due.year, found.due.month, found.due.day) + timedelta(
                minutes=found.minute - 120
            )
            start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (hour, hour + timedelta(minutes=30)))
            end = start if component == TODO else end
        items.append(
            make_item(
                "VTODO" if component == TODO else "VEVENT",
                build_uid_of(SETTINGS.vault_id, client.key, found, None, component),
                None if component == TODO and start == end else start,
                end,
                build_summary(found, client, FULL, found.opens),
                build_description(found, client, build_link(SETTINGS.obsidian_vault, client.path)),
            )
        )
    return Feed(b"".join(render_calendar(SETTINGS, "Our Clients", events)), items)


# the calendars --------------------------------------------------------------------------------------

TYPICAL = [
    (make_follow_up(TODAY, minute=14 * 60 + 30, kind="promise", title="call about the delivery"),
     make_client("Thandi Mokoena", company="Acme", phones=("071 234 5670",), best_time="09:00-11:00")),
    (make_follow_up(date(2026, 11, 19), date(2026, 11, 27), rule="cadence", kind="keep-in-touch",
                    title="keep in touch", reason="last contact Fri 2 Oct, wanted every month"),
     make_client("Zoë van der Merwe", emails=("zoe@acme.example", "zoe@home.example"), contact_by=("message",))),
    (make_follow_up(date(2026, 12, 31), rule="task", kind="task", title="send brochure; 2 copies, signed"),
     make_client("Søn & Co, Cape Town", not_by=("visit",))),
    (make_follow_up(date(2028, 2, 29), rule="step", kind="thanks", title="thank them 🎉", reason="sold a year ago"),
     make_client("山田 太郎")),
]  # fmt: skip

AWKWARD_TEXTS = [
    "C:\\Notes\\next\\New folder, and; more",
    "ends with a backslash\\",
    "\\\\n\\\\N\\n\\N\\;\\,",
    "bell\x07 nul\x00 vt\v ff\f fs\x1c del\x7f c1\x9b escape\x1b[31m",
    "one\u2028two\u2029three\u0085four\rfive\r\nsix\nseven",
    "lone \ud800 surrogate \udcff",
    "עברית عربي \u202eoverride\u202c \u200fmark",
    "👩‍👩‍👧 family, flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿, tone 👋🏽 " * 8,
    "e\u0301 composed, \ufeff mark, \ufffe none",
    "long " * 2000,
    "x" * 10_000,
    'BEGIN:VEVENT\r\nSUMMARY:injected\r\nEND:VEVENT "quoted" ^n ^^ %41 &amp; <b>',
    "  blanks   around\t\ttabs  ",
    ":;,=\"'",
] + ["x" * length + "\\;🎉\\N,\n" * 4 for length in range(50, 66)]
AWKWARD_ALPHABET = [
    *"\\Nn,;:\"'^\r\n\t\v\x00\x1c\x85\u2028\ufeff\ud800\ufffe\u202e\u200d é👩🏽ab ",
    "\\N",
    "e\u0301",
]


def make_awkward() -> list[tuple[FollowUp, Card]]:
    """Named awkward texts, then many of chance (always the same), each in every field that takes words."""
    chance = random.Random(20261122)
    texts = AWKWARD_TEXTS + [
        "".join(chance.choices(AWKWARD_ALPHABET, k=chance.randrange(1, 200))) for _ in range(200)
    ]
    return [
        (
            make_follow_up(TODAY + timedelta(days=place), occasion=str(place), title=text, reason=text),
            make_client(
                f"{place} {text}", path=f"{text[:60]}{place}.md", key=str(place), company=text[:300],
                best_time=text[:90],
                phones=(text[:40],), emails=(text[:40],), contact_by=(text[:20],), not_by=("visit",),
            ),
        )
        for place, text in enumerate(texts)
    ]  # fmt: skip


def make_empty() -> Feed:
    uid = build_uid("5b1f", "", "placeholder", "", "2000-01-01")
    feed = b"".join(render_calendar(SETTINGS, "", []))
    return Feed(feed, [make_item("VEVENT", uid, "2000-01-01", "2000-01-02", "No follow-ups due", "")])


def make_digest() -> Feed:
    entries = [
        Pressing("a", "Thandi Mokoena", "call, as promised", "promise", date(2026, 11, 20)),
        Pressing("b", "Zoë", "quote", "contact", None),
    ]
    event = build_digest(SETTINGS, date(2026, 11, 27), entries, date(2026, 11, 30), overdue=1, undated=1)
    uid = event.split(b"\r\n")[1].removeprefix(b"UID:").decode()
    description = "Thandi Mokoena: call, as promised (was due Fri 20 Nov)\nZoë: quote (no date)"
    item = make_item(
        "VEVENT",
        uid,
        "2026-11-27",
        "2026-11-30",
        "1 overdue, 1 without a date: Thandi Mokoena, Zoë",
        description,
    )
    return Feed(b"".join(render_calendar(SETTINGS, "", [event])), [item])


FEEDS = {
    "typical": make_feed(TYPICAL),
    "to-dos": make_feed(TYPICAL, TODO),
    "awkward": make_feed(make_awkward()),
    "awkward to-dos": make_feed(make_awkward(), TODO),
    "digest": make_digest(),
    "empty": make_empty(),
}


def test_the_typical_items_are_these() -> None:
    """So that the suite compares with what a person expects, not only with what we compute."""
    items = FEEDS["typical"].items
    assert [(item["start"], item["end"], item["summary"]) for item in items] == [
        ("2026-11-24T12:30:00Z", "2026-11-24T13:00:00Z", "Thandi Mokoena: call about the delivery"),
        ("2026-11-19", "2026-11-20", "Zoë van der Merwe: keep in touch (until Fri 27 Nov)"),
        ("2026-12-31", "2027-01-01", "Søn & Co, Cape Town: send brochure; 2 copies, signed"),
        ("2028-02-29", "2028-03-01", "山田 太郎: thank them 🎉"),
    ]
    assert items[0]["description"] == (
        "Best time: 09:00-11:00\nPhone: 071 234 5670\nCompany: Acme\nagreed\n"
        "obsidian://open?vault=Our%20Clients&file=Clients%2FThandi%20Mokoena"
    )
    todos = FEEDS["to-dos"].items
    assert [(item["start"], item["end"]) for item in todos[:2]] == [
        (None, "2026-11-24T12:30:00Z"),
        ("2026-11-19", "2026-11-27"),
    ]


# the readers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("reader", READERS)
def test_libraries_read_what_was_written(reader: str, feed: str, tmp_path: Path) -> None:
    data, items = FEEDS[feed]
    assert in_order(read(reader, data, tmp_path), *KEYS) == in_order(items, *KEYS)


ANY_TEXT = st.text(st.sampled_from("".join(AWKWARD_ALPHABET)) | st.characters(), max_size=60)


@pytest.mark.parametrize("reader", READERS)
def test_any_text_in_any_field_is_read_alike(reader: str, tmp_path: Path) -> None:
    """Many texts to a feed: what takes time is to start the reader."""

    @given(st.lists(st.lists(ANY_TEXT, min_size=8, max_size=8), min_size=1, max_size=30))
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    def check(rows: list[list[str]]) -> None:
        feed = make_feed([make_pair(place, row) for place, row in enumerate(rows)])
        assert in_order(read(reader, feed.data, tmp_path), *KEYS) == in_order(feed.items, *KEYS)

    check()


def make_pair(place: int, row: list[str]) -> tuple[FollowUp, Card]:
    name, title, reason, channel, company, best_time, phone, path = row
    return (
        make_follow_up(
            TODAY + timedelta(days=place), title=title, reason=reason, channel=channel, ask=(company, path, name)
        ),
        make_client(
            name, path=f"{path}.md", key=f"{place} {path}", company=company, best_time=best_time, phones=(phone, title),
            emails=(reason,), contact_by=(channel, phone), not_by=(best_time,),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("feed", ["typical", "awkward", "digest", "empty"])
def test_vdirsyncer_and_khal_show_every_event(feed: str, tmp_path: Path) -> None:
    data, items = FEEDS[feed]
    with serving([data]) as address:
        desk = Desk(tmp_path, address)
        desk.sync()
    keys = ("start", "end", "summary", "description")
    assert in_order(desk.events(), *keys) == in_order(items, *keys)
    assert len(list(desk.items.iterdir())) == len(items)


@pytest.mark.parametrize("feed", ["to-dos", "awkward to-dos"])
def test_todoman_lists_every_to_do(feed: str, tmp_path: Path) -> None:
    data, items = FEEDS[feed]
    with serving([data]) as address:
        desk = Desk(tmp_path, address)
        desk.sync()
    keys = ("due", "summary", "description")
    assert in_order(desk.todos(), *keys) == in_order(make_todos(items), *keys)


def test_follow_ups_that_move_vanish_and_come_back_do_so_in_khal(tmp_path: Path) -> None:
    first, second, *others = TYPICAL
    moved = (second[0]._replace(opens=date(2026, 12, 1), due=date(2026, 12, 4)), second[1])
    keys = ("start", "end", "summary", "description")
    feeds: list[bytes] = []
    with serving(feeds) as address:
        desk = Desk(tmp_path, address)
        for now in (TYPICAL, [first, moved, *others], [moved], [], [first], TYPICAL):
            feed = make_feed(now) if now else make_empty()
            feeds.append(feed.data)
            desk.sync()
            assert in_order(desk.events(), *keys) == in_order(feed.items, *keys)
