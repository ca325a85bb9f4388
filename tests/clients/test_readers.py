"""A calendar of ours, then what other people's programs make of it, item by item.

The readers are those that people have: libical (GNOME, KDE), ical.js (Thunderbird, Nextcloud), the Python
libraries under khal, Radicale and Home Assistant, and vdirsyncer with khal and todoman as whole programs
over HTTP.  ``NOTESYNC_READERS_PYTHON`` names the Python that has them (else this one), ``NODE_PATH`` the
folder that has ical.js; with ``NOTESYNC_REQUIRE_CLIENTS=1`` a missing reader is a failure.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest
from events import build_description, build_event, build_summary, make_card

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

HERE = Path(__file__).parent
PYTHON = os.environ.get("NOTESYNC_READERS_PYTHON") or sys.executable
SETTINGS = Settings(vault_id="5b1f", timezone="Africa/Johannesburg", obsidian_vault="Our Clients")
TODAY = date(2026, 11, 24)
MISSING = 77  # what the reading scripts end with when their reader is not there
Item = dict[str, Any]


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


def make_item(component: str, uid: str, start: str | None, end: str, summary: str, description: str) -> Item:
    return {
        "component": component, "uid": uid, "start": start, "end": end, "summary": summary,
        "description": description,
    }  # fmt: skip


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
                f"{place} {text}", path=f"{text[:60]}{place}.md", key=str(place), company=text[:300], best_time=text[:90],
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


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where all readers are required, as in CI."""
    if os.environ.get("NOTESYNC_REQUIRE_CLIENTS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def run(command: list[str], **options: Any) -> str:
    """A reader's stdout; a test without the reader is skipped, one whose reader fails fails."""
    ended = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, timeout=120, **options
    )
    if ended.returncode == MISSING:
        missing(ended.stderr.strip())
    assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return str(ended.stdout)


def in_order(items: list[Item], *keys: str) -> list[tuple[str, ...]]:
    return sorted(tuple(str(item[key]) for key in keys) for item in items)


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("reader", ["icalendar", "ical", "vobject", "libical", "ical.js"])
def test_libraries_read_what_was_written(reader: str, feed: str, tmp_path: Path) -> None:
    data, items = FEEDS[feed]
    path = tmp_path / "followups.ics"
    path.write_bytes(data)
    if reader != "ical.js":
        command = [PYTHON, str(HERE / "read_calendar.py"), reader, str(path)]
    elif node := shutil.which("node"):
        command = [node, str(HERE / "read_calendar.mjs"), str(path)]
    else:
        missing("node is not installed")
    keys = ("component", "uid", "start", "end", "summary", "description")
    assert in_order(json.loads(run(command)), *keys) == in_order(items, *keys)


class Desk:
    """A home of its own with vdirsyncer, khal and todoman set up for one calendar on this machine."""

    def __init__(self, home: Path, address: str) -> None:
        self.items = home / "items"
        self.items.mkdir()
        self.scripts = Path(PYTHON).parent
        for program in ("vdirsyncer", "khal", "todo"):
            if not (self.scripts / program).exists():
                missing(f"{program} is not installed beside {PYTHON}")
        self.environment = {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "PATH": os.environ["PATH"],
            "TZ": "UTC",
        }
        self.environment |= {"LC_ALL": "C.UTF-8", "XDG_CACHE_HOME": str(home), "XDG_DATA_HOME": str(home)}
        self.configure(home, address)

    def configure(self, home: Path, address: str) -> None:
        formats = "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        formats += "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
        self.write(home / "vdirsyncer/config", f"""\
[general]
status_path = "{home}/status"
[pair feed]
a = "theirs"
b = "ours"
collections = null
[storage theirs]
type = "http"
url = "{address}"
[storage ours]
type = "filesystem"
path = "{self.items}"
fileext = ".ics"
""")  # fmt: skip
        self.write(home / "khal/config", f"""\
[calendars]
[[feed]]
path = {self.items}
[locale]
{formats}local_timezone = UTC
default_timezone = UTC
[sqlite]
path = {home}/khal.db
""")  # fmt: skip
        self.write(
            home / "todoman/config.py",
            f'path = "{self.items}"\ndate_format = "%Y-%m-%d"\ndefault_list = "items"\n',
        )

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")

    def run(self, program: str, *arguments: str) -> str:
        return run([str(self.scripts / program), *arguments], env=self.environment)

    def sync(self) -> None:
        if not (self.items.parent / "status").exists():
            self.run("vdirsyncer", "discover")
        self.run("vdirsyncer", "sync")

    def events(self) -> list[Item]:
        fields = ("title", "start-date", "start-time", "end-date", "end-time", "description", "all-day")
        wanted = [part for field in fields for part in ("--json", field)]
        printed = self.run("khal", "list", "--once", *wanted, "1999-12-01", "2030-01-01")
        return [
            make_item("VEVENT", "", *self.times(event), event["title"], event["description"])
            for day in printed.splitlines()
            for event in json.loads(day)
        ]

    def times(self, event: Item) -> tuple[str, str]:
        if event["all-day"] == "True":  # khal tells the last day, not the one after it
            return event["start-date"], str(date.fromisoformat(event["end-date"]) + timedelta(days=1))
        start, end = (f"{event[f'{edge}-date']}T{event[f'{edge}-time']}:00Z" for edge in ("start", "end"))
        return start, end

    def todos(self) -> list[Item]:
        return [
            {"summary": todo["summary"], "description": todo["description"], "due": todo["due"]}
            for todo in json.loads(self.run("todo", "--porcelain", "list", "--status", "ANY"))
        ]


@contextmanager
def serving(feeds: list[bytes]) -> Iterator[str]:
    """The address of the last calendar of a list, while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/calendar; charset=utf-8")
            self.send_header("Content-Length", str(len(feeds[-1])))
            self.end_headers()
            self.wfile.write(feeds[-1])

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/followups.ics"
        finally:
            server.shutdown()
            thread.join()


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
    due = [
        {**item, "due": int(datetime.fromisoformat(item["end"]).replace(tzinfo=UTC).timestamp())}
        for item in items
    ]
    keys = ("due", "summary", "description")
    assert in_order(desk.todos(), *keys) == in_order(due, *keys)


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
