"""Follow-ups and their clients, then the calendar that people subscribe to."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from events import build_description, build_event, build_summary, make_card
from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from notesync.followup.card import Card
from notesync.followup.follow_up import FollowUp
from notesync.followup.settings import Settings
from notesync.publish.calendar import (
    FULL,
    INITIALS,
    NAMES,
    TODO,
    Pressing,
    build_digest,
    build_link,
    build_uid,
    build_uid_of,
    clean_text,
    find_day_shown,
    fold,
    render_calendar,
)

TUESDAY = date(2026, 11, 24)
STAMP = date(2026, 11, 20)
JOHANNESBURG = Settings(vault_id="5b1f", timezone="Africa/Johannesburg", obsidian_vault="Clients")


def make_client(**facts: Any) -> Card:
    known = {
        "path": "Clients/Thandi Mokoena.md", "key": "thandi-1", "name": "Thandi Mokoena", "stage": "customer",
    }  # fmt: skip
    return make_card(**{**known, **facts})


def make_follow_up(opens: date | None = TUESDAY, due: date | None = None, **facts: Any) -> FollowUp:
    known = {
        "rule": "next-contact", "kind": "contact", "step": None, "occasion": "2026-11-24", "title": "the quote",
        "reason": "agreed", "minute": None, "path": "Clients/Thandi Mokoena.md", "line": 4, "channel": "",
        "minutes": 15, "contact": True, "wanted": 0,
    }  # fmt: skip
    return FollowUp(opens=opens, due=due or opens, **{**known, **facts})


def make_feed(*events: bytes) -> bytes:
    return b"".join(render_calendar(JOHANNESBURG, "Clients", events))


def parse_event(event: bytes) -> Any:
    calendar = Calendar.from_ical(make_feed(event))
    (component,) = calendar.subcomponents
    assert calendar.errors == component.errors == []
    return component


def lines_of(event: bytes) -> list[str]:
    return event.replace(b"\r\n ", b"").decode().splitlines()


# golden bytes ---------------------------------------------------------------------------------------

WINDOW = """\
BEGIN:VEVENT
UID:8e7b490b77ccba0af413690bb56cdbee@notesync.invalid
DTSTAMP:20261120T000000Z
LAST-MODIFIED:20261120T000000Z
SEQUENCE:1054
DTSTART;VALUE=DATE:20261124
DTEND;VALUE=DATE:20261125
SUMMARY:Zoë van der Merwe: satisfaction call (until Mon 30 Nov)
DESCRIPTION:Best time: 09:00-11:00\\nBy: call\\, message (not by: visit)\\nPho
 ne: 071 234 5670\\, +27 11 555 0100\\nE-mail: zoe@acme.example\\nCompany: Acm
 e\\, Cape Town\\ndelivered on Tuesday 17 Nov\\; ask: what works?\\nobsidian://
 open?vault=Clients&file=Clients%2FZo%C3%AB%20%26%20S%C3%B8n
CATEGORIES:feedback
URL:obsidian://open?vault=Clients&file=Clients%2FZo%C3%AB%20%26%20S%C3%B8n
STATUS:CONFIRMED
TRANSP:TRANSPARENT
X-MICROSOFT-CDO-BUSYSTATUS:FREE
X-MICROSOFT-CDO-ALLDAYEVENT:TRUE
END:VEVENT
"""

TIMED = """\
BEGIN:VEVENT
UID:1f4b7ef72d18bd3b7cf336b36cccf1d2@notesync.invalid
DTSTAMP:20261120T000000Z
LAST-MODIFIED:20261120T000000Z
SEQUENCE:1054
DTSTART:20261124T123000Z
DTEND:20261124T130000Z
SUMMARY:Thandi Mokoena: call about the delivery
DESCRIPTION:agreed\\nobsidian://open?vault=Clients&file=Clients%2FThandi%20M
 okoena
CATEGORIES:promise
URL:obsidian://open?vault=Clients&file=Clients%2FThandi%20Mokoena
STATUS:CONFIRMED
TRANSP:TRANSPARENT
X-MICROSOFT-CDO-BUSYSTATUS:FREE
END:VEVENT
"""

TODO_WINDOW = """\
BEGIN:VTODO
UID:2ac5287fc7423f2020231555097b09a6@notesync.invalid
DTSTAMP:20240101T000000Z
LAST-MODIFIED:20240101T000000Z
SEQUENCE:0
DTSTART;VALUE=DATE:20261124
DUE;VALUE=DATE:20261130
SUMMARY:Thandi Mokoena: send C:\\\\New (until Mon 30 Nov)
DESCRIPTION:agreed\\nobsidian://open?vault=Clients&file=Clients%2FThandi%20M
 okoena
CATEGORIES:task
URL:obsidian://open?vault=Clients&file=Clients%2FThandi%20Mokoena
STATUS:NEEDS-ACTION
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:Thandi Mokoena: send C:\\\\New (until Mon 30 Nov)
TRIGGER:PT8H30M
END:VALARM
END:VTODO
"""

EMPTY = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//notesync//notesync//EN
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:Follow-ups: Clients
NAME:Follow-ups: Clients
REFRESH-INTERVAL;VALUE=DURATION:PT1H
X-PUBLISHED-TTL:PT1H
BEGIN:VEVENT
UID:bc88c5b93bb70f76927915eadcfb3544@notesync.invalid
DTSTAMP:20240101T000000Z
LAST-MODIFIED:20240101T000000Z
SEQUENCE:0
DTSTART;VALUE=DATE:20000101
DTEND;VALUE=DATE:20000102
SUMMARY:No follow-ups due
STATUS:CONFIRMED
TRANSP:TRANSPARENT
X-MICROSOFT-CDO-BUSYSTATUS:FREE
X-MICROSOFT-CDO-ALLDAYEVENT:TRUE
END:VEVENT
END:VCALENDAR
"""

DIGEST = """\
BEGIN:VEVENT
UID:708884e85bb7c91e9088735c35805ff1@notesync.invalid
DTSTAMP:20261127T000000Z
LAST-MODIFIED:20261127T000000Z
SEQUENCE:1061
DTSTART;VALUE=DATE:20261127
DTEND;VALUE=DATE:20261130
SUMMARY:2 overdue\\, 1 without a date: Thandi Mokoena\\, Acme\\, Zoë\\, Søn &
  Co
DESCRIPTION:Thandi Mokoena: the delivery (was due Fri 20 Nov)\\; keep in tou
 ch (was due Tue 24 Nov)\\nAcme: the quote (was due Tue 30 Dec 2025)\\nZoë\\,
  Søn & Co: bring the samples (no date)
STATUS:CONFIRMED
TRANSP:TRANSPARENT
X-MICROSOFT-CDO-BUSYSTATUS:FREE
X-MICROSOFT-CDO-ALLDAYEVENT:TRUE
END:VEVENT
"""


def golden(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def test_a_window_stands_on_the_day_it_opens_and_says_until_when() -> None:
    client = make_client(
        path="Clients/Zoë & Søn.md", key="zoe-1", name="Zoë van der Merwe", company="Acme, Cape Town",
        phones=("071 234 5670", "+27 11 555 0100"), emails=("zoe@acme.example",), best_time="09:00-11:00",
        contact_by=("call", "message"), not_by=("visit",),
    )  # fmt: skip
    found = make_follow_up(
        TUESDAY, date(2026, 11, 30), rule="step", kind="feedback", step="satisfaction", title="satisfaction call",
        occasion="after-sale/satisfaction/2026-11-17", reason="delivered on Tuesday 17 Nov; ask: what works?",
        channel="call",
    )  # fmt: skip
    assert build_event(found, client, JOHANNESBURG, STAMP) == golden(WINDOW)


def test_a_time_becomes_instants_in_utc_half_an_hour_long() -> None:
    found = make_follow_up(minute=14 * 60 + 30, kind="promise", title="call about the delivery")
    assert build_event(found, make_client(stage="prospect"), JOHANNESBURG, STAMP) == golden(TIMED)


def test_a_to_do_opens_and_closes_and_rings() -> None:
    found = make_follow_up(
        TUESDAY, date(2026, 11, 30), kind="task", rule="task", occasion="9f31", title="send C:\\New"
    )
    with_alarm = JOHANNESBURG.replace(calendar_alarm=8 * 60 + 30)
    assert build_event(found, make_client(), with_alarm, None, component=TODO) == golden(TODO_WINDOW)


def test_a_calendar_of_nothing_has_a_placeholder_long_ago() -> None:
    assert make_feed() == make_feed(b"") == golden(EMPTY)


def test_the_digest_names_who_is_overdue_up_to_the_next_working_day() -> None:
    entries = [
        Pressing("a", "Thandi Mokoena", "the delivery", "promise", date(2026, 11, 20)),
        Pressing("b", "Acme", "the quote", "contact", date(2025, 12, 30)),
        Pressing("a", "Thandi Mokoena", "keep in touch", "keep-in-touch", date(2026, 11, 24)),
        Pressing("c", "Zoë, Søn & Co", "bring the samples", "promise", None),
    ]
    friday, monday = date(2026, 11, 27), date(2026, 11, 30)
    assert build_digest(JOHANNESBURG, friday, entries, monday, overdue=2, undated=1) == golden(DIGEST)


# the day, the hour ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "minute", "start"),
    [
        ("Africa/Johannesburg", TUESDAY, 0, "20261123T220000Z"),
        ("Pacific/Auckland", TUESDAY, 9 * 60, "20261123T200000Z"),
        ("America/Los_Angeles", TUESDAY, 23 * 60 + 59, "20261125T075900Z"),
        ("Europe/Berlin", date(2026, 7, 1), 12 * 60, "20260701T100000Z"),
        ("Europe/Berlin", date(2026, 12, 1), 12 * 60, "20261201T110000Z"),
        ("Europe/Berlin", date(2026, 3, 29), 2 * 60 + 30, "20260329T013000Z"),  # skipped: an hour later
        ("Europe/Berlin", date(2026, 10, 25), 2 * 60 + 30, "20261025T003000Z"),  # twice: the first
        ("Asia/Kathmandu", TUESDAY, 10 * 60, "20261124T041500Z"),
    ],
)
def test_local_time_becomes_utc(zone: str, day: date, minute: int, start: str) -> None:
    found = make_follow_up(day, minute=minute)
    event = build_event(found, make_client(), Settings(timezone=zone), STAMP)
    assert f"DTSTART:{start}" in lines_of(event)
    assert "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE" not in lines_of(event)


def test_without_a_zone_the_machines_own_counts() -> None:
    found = make_follow_up(minute=9 * 60)
    start = parse_event(build_event(found, make_client(), Settings(), STAMP)).start
    assert start == datetime(2026, 11, 24, 9).astimezone()


@pytest.mark.parametrize(
    ("follow_up", "client", "by_stage", "length"),
    [
        ({"minutes": 15}, {}, {}, 30),
        ({"minutes": 45}, {"minutes": 45}, {}, 45),
        ({"minutes": 20}, {}, {"customer": 20}, 20),
        ({"minutes": 10, "step": "delivery-check"}, {}, {}, 10),
        ({"minutes": 15}, {"minutes": 15}, {}, 15),
        ({"minutes": 0, "step": "x"}, {}, {}, 1),
    ],
)
def test_how_long_a_timed_follow_up_takes(
    follow_up: dict[str, Any], client: dict[str, Any], by_stage: dict[str, int], length: int
) -> None:
    found = make_follow_up(minute=9 * 60, **follow_up)
    event = parse_event(
        build_event(found, make_client(**client), JOHANNESBURG.replace(minutes=by_stage), STAMP)
    )
    assert event.end - event.start == timedelta(minutes=length)


@pytest.mark.parametrize("day", [date.min, date(1, 1, 2), date.max - timedelta(days=1), date.max])
@pytest.mark.parametrize("minute", [None, 0, 23 * 60 + 59])
@pytest.mark.parametrize("component", ["event", "todo"])
def test_the_first_and_last_days_of_all_time_are_events_too(
    day: date, minute: int | None, component: str
) -> None:
    for zone in ("Africa/Johannesburg", "America/Los_Angeles"):
        found = make_follow_up(day, minute=minute)
        event = parse_event(
            build_event(found, make_client(), Settings(timezone=zone), day, component=component)
        )
        assert event.get("SEQUENCE") >= 0
        if component == "event":
            assert event.start < event.end


@pytest.mark.parametrize(
    ("stamp", "written", "sequence"),
    [
        (None, "20240101T000000Z", "0"),
        (date(2019, 5, 1), "20190501T000000Z", "0"),
        (date(2024, 1, 2), "20240102T000000Z", "1"),
        (date(2026, 11, 20), "20261120T000000Z", "1054"),
    ],
)
def test_the_newest_thing_done_is_when_it_changed(stamp: date | None, written: str, sequence: str) -> None:
    lines = lines_of(build_event(make_follow_up(), make_client(), JOHANNESBURG, stamp))
    assert lines[2:5] == [f"DTSTAMP:{written}", f"LAST-MODIFIED:{written}", f"SEQUENCE:{sequence}"]


def test_without_a_date_there_is_no_event() -> None:
    found = make_follow_up(None, kind="promise")
    assert find_day_shown(found) is None
    assert build_event(found, make_client(), JOHANNESBURG, STAMP) == b""


@pytest.mark.parametrize(
    ("opens", "due", "minute", "day"),
    [
        (date(2026, 11, 20), TUESDAY, None, date(2026, 11, 20)),
        (None, TUESDAY, None, TUESDAY),
        (TUESDAY, None, None, TUESDAY),
        (date(2026, 11, 20), TUESDAY, 600, TUESDAY),
    ],
)
def test_the_day_shown(opens: date | None, due: date | None, minute: int | None, day: date) -> None:
    found = make_follow_up(opens, minute=minute)._replace(due=due)
    assert find_day_shown(found) == day
    assert parse_event(build_event(found, make_client(), Settings(timezone="UTC"), STAMP)).DTSTART is not None


def test_an_overdue_event_moved_to_today_says_since_when_and_is_another_event() -> None:
    found = make_follow_up(date(2026, 11, 16), date(2026, 11, 20), minute=None)
    own = build_event(found, make_client(), JOHANNESBURG, STAMP)
    moved = build_event(found, make_client(), JOHANNESBURG, STAMP, day=TUESDAY)
    assert "SUMMARY:Thandi Mokoena: the quote (until Fri 20 Nov)" in lines_of(own)
    assert "SUMMARY:Thandi Mokoena: the quote (was due Fri 20 Nov)" in lines_of(moved)
    assert "DTSTART;VALUE=DATE:20261124" in lines_of(moved)
    assert lines_of(own)[1] != lines_of(moved)[1]
    assert build_event(found, make_client(), JOHANNESBURG, STAMP, day=date(2026, 11, 16)) == own


def test_a_timed_event_moved_to_another_day_takes_all_of_it() -> None:
    found = make_follow_up(date(2026, 11, 20), minute=600)
    moved = lines_of(build_event(found, make_client(), JOHANNESBURG, STAMP, day=TUESDAY))
    assert "DTSTART;VALUE=DATE:20261124" in moved


def test_a_to_do_is_not_moved() -> None:
    found = make_follow_up(date(2026, 11, 20))
    own = build_event(found, make_client(), JOHANNESBURG, STAMP, component=TODO)
    assert build_event(found, make_client(), JOHANNESBURG, STAMP, component=TODO, day=TUESDAY) == own
    assert "DUE;VALUE=DATE:20261120" in lines_of(own)
    assert not [line for line in lines_of(own) if line.startswith(("DTSTART", "TRANSP", "X-MICROSOFT"))]


@pytest.mark.parametrize(
    ("component", "opens", "minute", "trigger"),
    [
        ("event", TUESDAY, None, "TRIGGER:PT8H30M"),
        ("event", TUESDAY, 600, "TRIGGER:-PT15M"),
        ("todo", TUESDAY, None, "TRIGGER;RELATED=END:PT8H30M"),
        ("todo", TUESDAY, 600, "TRIGGER;RELATED=END:-PT15M"),
        ("todo", date(2026, 11, 23), None, "TRIGGER:PT8H30M"),
    ],
)
def test_alarms_ring_in_the_morning_or_before_the_hour(
    component: str, opens: date, minute: int | None, trigger: str
) -> None:
    found = make_follow_up(opens, TUESDAY, minute=minute)
    event = build_event(
        found, make_client(), JOHANNESBURG.replace(calendar_alarm=510), STAMP, component=component
    )
    assert trigger in lines_of(event)
    assert b"VALARM" not in build_event(found, make_client(), JOHANNESBURG, STAMP, component=component)


# identity -------------------------------------------------------------------------------------------


def test_a_uid_is_the_same_for_ever() -> None:
    """Changing this would make every subscribed event another one."""
    assert build_uid("5b1f", "thandi-1", "cadence", "2026-10-01", "2026-11-24") == (
        "89030021dac082b654f08320c660b386@notesync.invalid"
    )


def test_what_changes_a_uid() -> None:
    found = make_follow_up()
    timed = make_follow_up(minute=600)
    uids = [
        build_uid_of("5b1f", "thandi-1", found),
        build_uid_of("5b1f", "thandi-1", found, component=TODO),
        build_uid_of("5b1f", "thandi-1", found, TUESDAY + timedelta(days=1)),
        build_uid_of("5b1f", "thandi-1", timed),
        build_uid_of("5b1f", "thandi-1", make_follow_up(minute=601)),
        build_uid_of("5b1f", "thandi-1", make_follow_up(TUESDAY + timedelta(days=2))),
        build_uid_of("5b1f", "thandi-1", make_follow_up(occasion="2026-11-25")),
        build_uid_of("5b1f", "thandi-1", make_follow_up(rule="cadence")),
        build_uid_of("5b1f", "thandi-2", found),
        build_uid_of("5b20", "thandi-1", found),
        build_uid_of("5b1f", "thandi-1", make_follow_up(None)),
    ]
    assert len(set(uids)) == len(uids)
    assert build_uid_of("5b1f", "thandi-1", found, TUESDAY) == uids[0]
    assert build_uid_of("5b1f", "thandi-1", make_follow_up(title="x", reason="y", line=9)) == uids[0]
    assert uids[0] == build_uid("5b1f", "thandi-1", found.rule, found.occasion, "2026-11-24")


# words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("detail", "name", "summary"),
    [
        (FULL, "Thandi Mokoena", "Thandi Mokoena: the quote (until Mon 30 Nov)"),
        (NAMES, "Thandi Mokoena", "Thandi Mokoena: keep in touch (until Mon 30 Nov)"),
        (INITIALS, "Thandi Mokoena", "TM: keep in touch (until Mon 30 Nov)"),
        (INITIALS, "zoë d'Arcy-Öztürk (Cape)", "ZDC: keep in touch (until Mon 30 Nov)"),
        (INITIALS, "007 & Sons", "0S: keep in touch (until Mon 30 Nov)"),
        (INITIALS, "🎉", "?: keep in touch (until Mon 30 Nov)"),
        (INITIALS, "山田 太郎", "山太: keep in touch (until Mon 30 Nov)"),
        (NAMES, " \u202e\n ", "?: keep in touch (until Mon 30 Nov)"),
        (FULL, "Two\nlines \u2028 and\ttab", "Two lines and tab: the quote (until Mon 30 Nov)"),
    ],
)
def test_the_one_line(detail: str, name: str, summary: str) -> None:
    found = make_follow_up(TUESDAY, date(2026, 11, 30), kind="keep-in-touch")
    client = make_client(name=name)
    assert build_summary(found, client, detail, TUESDAY) == summary
    event = parse_event(build_event(found, client, JOHANNESBURG, STAMP, detail=detail))
    assert event.get("SUMMARY") == summary


def test_a_title_of_nothing_is_its_kind() -> None:
    assert (
        build_summary(make_follow_up(title=" \x00"), make_client(), FULL, TUESDAY)
        == "Thandi Mokoena: contact"
    )


def test_a_window_into_another_year_names_it() -> None:
    found = make_follow_up(date(2026, 12, 30), date(2027, 1, 5))
    assert build_summary(found, make_client(), FULL, date(2026, 12, 30)).endswith("(until Tue 5 Jan 2027)")


@pytest.mark.parametrize("detail", [NAMES, INITIALS])
@pytest.mark.parametrize("component", ["event", "todo"])
def test_hidden_details_are_nowhere_in_the_event(detail: str, component: str) -> None:
    secrets = {
        "path": "Secret/Path.md", "company": "SecretCompany", "phones": ("SecretPhone",), "role": "SecretRole",
        "emails": ("secret@mail.example",), "best_time": "SecretTime", "contact_by": ("SecretWay",),
        "not_by": ("SecretNot",), "address": "SecretAddress",
    }  # fmt: skip
    found = make_follow_up(
        title="SecretTitle", reason="SecretReason", channel="SecretChannel", path="Secret/a.md"
    )
    event = build_event(
        found, make_client(**secrets), JOHANNESBURG.replace(calendar_alarm=540), STAMP, detail=detail,
        component=component,
    )  # fmt: skip
    assert b"secret" not in event.replace(b"\r\n ", b"").lower()
    assert b"obsidian" not in event
    assert (b"Thandi" in event) == (detail == NAMES)
    header = b"".join(render_calendar(JOHANNESBURG, "SecretVault", [event], detail=detail))
    assert b"secret" not in header.lower()
    digest = build_digest(
        JOHANNESBURG, TUESDAY, [Pressing("k", "Thandi Mokoena", "SecretTitle", "promise", None)], TUESDAY,
        overdue=0, undated=1, detail=detail,
    )  # fmt: skip
    assert b"secret" not in digest.lower()
    assert (b"Thandi" in digest) == (detail == NAMES)


def test_the_settings_say_how_much_is_shown() -> None:
    event = build_event(
        make_follow_up(), make_client(), JOHANNESBURG.replace(calendar_detail=INITIALS), STAMP
    )
    assert event == build_event(make_follow_up(), make_client(), JOHANNESBURG, STAMP, detail=INITIALS)


@pytest.mark.parametrize(
    ("client", "channel", "lines"),
    [
        ({}, "", ["agreed"]),
        ({"best_time": "after lunch"}, "", ["Best time: after lunch", "agreed"]),
        ({"contact_by": ("call", "message")}, "", ["By: call, message", "agreed"]),
        ({"contact_by": ("call", "message")}, "message", ["By: message, call", "agreed"]),
        ({"not_by": ("visit",)}, "", ["Not by: visit", "agreed"]),
        ({"not_by": ("visit",)}, "visit", ["Not by: visit", "agreed"]),
        ({"contact_by": ("call",), "not_by": ("visit",)}, "", ["By: call (not by: visit)", "agreed"]),
        ({"phones": ("071 234 5670", ""), "emails": ("a@b.example",)}, "",
         ["Phone: 071 234 5670", "E-mail: a@b.example", "agreed"]),
        ({"company": "Acme\r\nLtd"}, "", ["Company: Acme Ltd", "agreed"]),
    ],
)  # fmt: skip
def test_how_to_reach_the_client(client: dict[str, Any], channel: str, lines: list[str]) -> None:
    found = make_follow_up(channel=channel)
    assert build_description(found, make_client(**client), "obsidian://x") == "\n".join(
        [*lines, "obsidian://x"]
    )


def test_nothing_to_say_is_no_description() -> None:
    event = build_event(make_follow_up(reason=""), make_client(), Settings(timezone="UTC"), STAMP)
    assert b"DESCRIPTION" not in event
    assert b"URL" not in event


def test_a_long_description_is_cut_before_the_link() -> None:
    text = build_description(
        make_follow_up(reason="word " * 2000), make_client(best_time="early"), "obsidian://x"
    )
    assert len(text) <= 2000
    assert text.startswith("Best time: early\nword word")
    assert text.endswith("word…\nobsidian://x")


def test_a_link_too_long_to_read_stands_in_the_url_alone() -> None:
    client = make_client(path="ä" * 500 + ".md")
    event = parse_event(build_event(make_follow_up(), client, JOHANNESBURG, STAMP))
    assert event.get("DESCRIPTION") == "agreed"
    assert event.get("URL") == build_link("Clients", client.path)


@pytest.mark.parametrize(
    ("vault", "path", "link"),
    [
        ("Clients", "Acme.md", "obsidian://open?vault=Clients&file=Acme"),
        ("My Clients", "A/B c.MD", "obsidian://open?vault=My%20Clients&file=A%2FB%20c"),
        ("V", "50% off & more #1?.md", "obsidian://open?vault=V&file=50%25%20off%20%26%20more%20%231%3F"),
        ("V", "Zoë.md", "obsidian://open?vault=V&file=Zo%C3%AB"),
        ("V", "100%20.md", "obsidian://open?vault=V&file=100%2520"),
        ("V", "a\udcff.md", "obsidian://open?vault=V&file=a%ED%B3%BF"),
    ],
)
def test_links_are_encoded_once(vault: str, path: str, link: str) -> None:
    assert build_link(vault, path) == link
    event = build_event(
        make_follow_up(), make_client(path=path), JOHANNESBURG.replace(obsidian_vault=vault), STAMP
    )
    assert f"URL:{link}" in lines_of(event)
    assert link in parse_event(event).get("DESCRIPTION")


def test_the_folders_name_serves_where_the_settings_name_no_vault() -> None:
    unnamed = JOHANNESBURG.replace(obsidian_vault="")
    named = build_event(make_follow_up(), make_client(), unnamed, STAMP, vault_name="Clients")
    assert named == build_event(make_follow_up(), make_client(), JOHANNESBURG, STAMP, vault_name="Other")


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("plain", "plain"),
        ("a\r\nb\rc\vd\fe\x85f\u2028g\u2029h\ni", "a\nb\nc\nd\ne\nf\ng\nh\ni"),
        ("a\tb", "a b"),
        ("bell\x07 nul\x00 escape\x1b[31m del\x7f c1\x9b", "bell nul escape[31m del c1"),
        ("fs\x1cgs\x1drs\x1eus\x1f", "fsgsrsus"),
        ("\ufeffbom", "bom"),
        ("lone \ud800\udcff", "lone "),
        ("non\ufdd0\ufffe\U0001ffff", "non"),
        ("\u202egnp.exe \u2066x\u2069", "gnp.exe x"),
        ("עברית \u200f", "עברית \u200f"),
        ("e\u0301", "é"),
        ("e\u202e\u0301", "é"),
        ("👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("back\\Nslash \\n", "back\\Nslash \\n"),
    ],
)
def test_cleaning(raw: str, cleaned: str) -> None:
    assert clean_text(raw) == cleaned
    assert clean_text(cleaned) == cleaned


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        (b"x" * 75, [75]),
        (b"x" * 76, [75, 1]),
        (b"x" * 150, [75, 74, 1]),
        (b"x" * 74 + "é".encode(), [74, 2]),
        (b"x" * 72 + "🎉".encode(), [72, 4]),
        (b"x" * 73 + "🎉".encode(), [73, 4]),
        (b"x" * 74 + b"\\,y", [74, 3]),
        (b"x" * 74 + b"\\\\y", [74, 3]),
        (b"x" * 73 + b"\\\\y", [75, 1]),
        (b"\\" * 200, [74, 74, 52]),
        (b"x" + b"\\" * 200, [75, 74, 52]),
    ],
)
def test_folding(line: bytes, pieces: list[int]) -> None:
    folded = fold(line).split(b"\r\n ")
    assert [len(piece) for piece in folded] == pieces
    assert b"".join(folded) == line


# the calendar around them ---------------------------------------------------------------------------


def test_the_header_holds_nothing_that_changes() -> None:
    header = make_feed(b"BEGIN:VEVENT\r\nEND:VEVENT\r\n").decode().splitlines()[:9]
    assert header == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//notesync//notesync//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "X-WR-CALNAME:Follow-ups: Clients",
        "NAME:Follow-ups: Clients",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]


def render_header(settings: Settings, detail: str = FULL) -> list[str]:
    feed = b"".join(render_calendar(settings, "", [], detail=detail)).replace(b"\r\n ", b"").decode()
    return feed.partition("BEGIN:VEVENT")[0].split("\r\n")[5:-1]


def test_the_header_says_what_the_settings_wish() -> None:
    wished = Settings(
        calendar_color="darkslategray",
        calendar_refresh=90,
        calendar_description="Who; \u2028 and when\x07" + "é" * 70,
    )
    always = ["X-WR-CALNAME:Follow-ups", "NAME:Follow-ups"]
    looks = ["REFRESH-INTERVAL;VALUE=DURATION:PT1H30M", "X-PUBLISHED-TTL:PT1H30M"]
    looks += ["COLOR:darkslategray", "X-APPLE-CALENDAR-COLOR:#2F4F4F"]
    assert render_header(wished) == [*always, "X-WR-CALDESC:Who\\; and when" + "é" * 70, *looks]
    assert render_header(wished, NAMES) == [*always, *looks]
    nameless = render_header(Settings(calendar_color="#0F8080"))
    assert nameless[-1] == "X-APPLE-CALENDAR-COLOR:#0F8080"
    assert not any(line.startswith("COLOR") for line in nameless)


def test_events_come_as_they_are_given() -> None:
    events = [
        build_event(make_follow_up(occasion=str(i)), make_client(), JOHANNESBURG, STAMP) for i in range(5)
    ]
    feed = make_feed(*events)
    assert b"".join(events) in feed
    assert b"20000101" not in feed


def make_pressing(number: int) -> list[Pressing]:
    return [Pressing(f"c{i}", f"Client {i}", "call", "contact", date(2026, 11, 20)) for i in range(number)]


@pytest.mark.parametrize(
    ("overdue", "undated", "summary", "last"),
    [
        (1, 0, "1 overdue: Client 0", "Client 0: call (was due Fri 20 Nov)"),
        (3, 0, "3 overdue: Client 0, Client 1, Client 2", "Client 2: call (was due Fri 20 Nov)"),
        (4, 0, "4 overdue: Client 0, Client 1, Client 2, …", "Client 3: call (was due Fri 20 Nov)"),
        (20, 0, "20 overdue: Client 0, Client 1, Client 2, …", "Client 19: call (was due Fri 20 Nov)"),
        (21, 4, "21 overdue, 4 without a date: Client 0, Client 1, Client 2, …", "and 5 more clients"),
        (20, 1, "20 overdue, 1 without a date: Client 0, Client 1, Client 2, …", "and 1 more client"),
        (0, 2, "2 without a date: Client 0, Client 1", "Client 1: call (was due Fri 20 Nov)"),
    ],
)
def test_the_digest_counts_what_it_does_not_name(overdue: int, undated: int, summary: str, last: str) -> None:
    digest = parse_event(
        build_digest(
            JOHANNESBURG, TUESDAY, make_pressing(overdue + undated), TUESDAY, overdue=overdue, undated=undated
        )
    )
    assert digest.get("SUMMARY") == summary
    assert digest.get("DESCRIPTION").split("\n")[-1] == last
    assert digest.end - digest.start == timedelta(days=1)


def test_nobody_to_call_is_no_digest() -> None:
    assert build_digest(JOHANNESBURG, TUESDAY, [], TUESDAY, overdue=0) == b""


def test_the_digest_is_another_event_with_every_day_and_text() -> None:
    def uid(day: date, number: int) -> str:
        return lines_of(build_digest(JOHANNESBURG, day, make_pressing(number), day, overdue=number))[1]

    assert len({uid(TUESDAY, 1), uid(TUESDAY, 2), uid(STAMP, 1)}) == 3
    assert uid(TUESDAY, 1) == uid(TUESDAY, 1)


def test_a_very_long_digest_keeps_its_count() -> None:
    entries = [Pressing(str(i), "Name " * 50, "title " * 50, "contact", None) for i in range(30)]
    digest = parse_event(build_digest(JOHANNESBURG, TUESDAY, entries, TUESDAY, overdue=0, undated=30))
    assert len(digest.get("DESCRIPTION")) <= 2000
    assert digest.get("DESCRIPTION").endswith("…\nand 10 more clients")


# any text in any field ------------------------------------------------------------------------------

AWKWARD = st.sampled_from(
    [
        *"\\Nn,;:\"'^\r\n\t\v\f\x00\x1c\x85\u2028\u2029\ufeff\ud800\udcff\ufffe\u202e\u200d é👩🏽 x",
        "\\N",
        "\\\\n",
        "e\u0301",
    ]
)
TEXT = st.text() | st.lists(AWKWARD, max_size=120).map("".join)
DAYS = st.dates()
CLIENTS = st.builds(
    make_client,
    path=TEXT, key=TEXT, name=TEXT, company=TEXT, best_time=TEXT, stage=TEXT,
    phones=st.lists(TEXT, max_size=2).map(tuple), emails=st.lists(TEXT, max_size=2).map(tuple),
    contact_by=st.lists(TEXT, max_size=2).map(tuple), not_by=st.lists(TEXT, max_size=2).map(tuple),
    minutes=st.none() | st.integers(min_value=-1),
)  # fmt: skip
FOLLOW_UPS = st.builds(
    make_follow_up,
    DAYS, DAYS, rule=TEXT, kind=TEXT, occasion=TEXT, title=TEXT, reason=TEXT, channel=TEXT,
    minute=st.none() | st.integers(0, 1439), minutes=st.integers(),
    step=st.none() | TEXT,
)  # fmt: skip
SETTINGS = st.builds(
    Settings,
    vault_id=TEXT, obsidian_vault=TEXT, timezone=st.sampled_from(["Africa/Johannesburg", "America/Los_Angeles"]),
    calendar_detail=st.sampled_from([FULL, NAMES, INITIALS]), calendar_alarm=st.none() | st.integers(0, 1439),
)  # fmt: skip


def assert_well_formed(feed: bytes) -> None:
    assert feed.endswith(b"END:VCALENDAR\r\n")
    assert b"\r" not in feed.replace(b"\r\n", b"")
    assert b"\n" not in feed.replace(b"\r\n", b"")
    for line in feed.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
        assert (len(line) - len(line.rstrip(b"\\"))) % 2 == 0
    assert not [c for c in feed.decode() if c < " " and c not in "\r\n"]


@given(FOLLOW_UPS, CLIENTS, SETTINGS, st.none() | DAYS, st.sampled_from(["event", "todo"]), TEXT)
@settings(max_examples=200)
def test_any_text_in_any_field_reads_back_the_same(
    found: FollowUp, client: Card, chosen: Settings, stamp: date | None, component: str, name: str
) -> None:
    event = build_event(found, client, chosen, stamp, component=component)
    feed = b"".join(render_calendar(chosen, name, [event]))
    assert_well_formed(feed)
    calendar = Calendar.from_ical(feed)
    (read,) = calendar.subcomponents
    assert calendar.errors == read.errors == []
    detail, day = chosen.calendar_detail, find_day_shown(found)
    assert day is not None
    assert read.get("SUMMARY") == build_summary(found, client, detail, day)
    assert read.get("SUMMARY").strip()
    link = build_link(chosen.obsidian_vault, client.path) if chosen.obsidian_vault and detail == FULL else ""
    description = build_description(found, client, link) if detail == FULL else ""
    assert read.get("DESCRIPTION", "") == description
    assert len(description) <= 2000
    assert read.get("URL", "") == link
    assert read.get("UID") == build_uid_of(chosen.vault_id, client.key, found, None, component)
    assert event == build_event(found, client, chosen, stamp, component=component)


@given(st.lists(st.tuples(FOLLOW_UPS, CLIENTS), max_size=8))
@settings(max_examples=50)
def test_different_follow_ups_have_different_uids(pairs: list[tuple[FollowUp, Card]]) -> None:
    identities = {
        (client.key, found.rule, found.occasion, find_day_shown(found), found.minute): (found, client)
        for found, client in pairs
        if "\0" not in client.key + found.rule + found.occasion
    }
    feed = make_feed(
        *(build_event(found, client, JOHANNESBURG, STAMP) for found, client in identities.values())
    )
    assert_well_formed(feed)
    uids = [event.get("UID") for event in Calendar.from_ical(feed).walk("VEVENT")]
    assert len(set(uids)) == max(len(identities), 1)


@given(
    st.lists(st.builds(Pressing, TEXT, TEXT, TEXT, TEXT, st.none() | DAYS), max_size=30), DAYS, DAYS, SETTINGS
)
@example([], date.max, date.min, JOHANNESBURG)
def test_any_digest_is_one_good_event(
    entries: list[Pressing], today: date, ahead: date, chosen: Settings
) -> None:
    clients = len({entry.client_key for entry in entries})
    digest = build_digest(chosen, today, entries, ahead, overdue=clients)
    assert_well_formed(make_feed(digest))
    if clients:
        read = parse_event(digest)
        assert read.start < read.end
        assert read.get("SUMMARY").startswith(f"{clients} overdue: ")
        assert len(read.get("DESCRIPTION")) <= 2000


@given(
    st.binary().map(lambda data: "SUMMARY:" + data.decode("utf-8", "ignore").replace("\n", "\\n"))
    | TEXT.map(clean_text)
)
def test_any_line_folds_into_itself(text: str) -> None:
    line = text.encode()
    folded = fold(line)
    assert folded.replace(b"\r\n ", b"") == line
    for piece in folded.split(b"\r\n "):
        piece.decode()
        assert len(piece) <= 75


def test_a_uid_needs_no_icalendar() -> None:
    program = (
        "import sys; from notesync.publish.calendar import build_uid; build_uid('', '', '', '', '');"
        "sys.exit('icalendar' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
