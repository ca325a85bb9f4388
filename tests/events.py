"""Cards and events for the tests of the calendar: one follow-up of one client at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

from notesync.followup.card import Card
from notesync.followup.follow_up import FollowUp
from notesync.followup.settings import Settings
from notesync.publish import calendar
from notesync.publish.calendar import build_events

_NOTHING = Card(
    "", "", "", "", "", "", (), None, (), (), (), "", None, None, 0, "", "", "", (), (), None, None, False, False
)  # fmt: skip


def make_card(**facts: Any) -> Card:
    return _NOTHING._replace(**facts)


def build_event(
    found: FollowUp, client: Card, settings: Settings, stamp: date | None, **options: Any
) -> bytes:
    """The only event of a client's only follow-up; b'' for one without a date."""
    events = build_events([(client._replace(done=stamp), (found,))], settings, **options)
    return events[0].body if events else b""


def build_summary(found: FollowUp, client: Card, detail: str, shown: date) -> str:
    """The one line of a follow-up that a calendar shows on a day, before it is escaped and folded."""
    return calendar._summarise(calendar._find_name(client.name, detail), found, detail, shown)


def build_description(found: FollowUp, client: Card, link: str) -> str:
    """What an event says below that line, likewise."""
    reach = calendar._find_reach(client)
    return calendar._describe(found, client, calendar._find_best(client), reach, link)
