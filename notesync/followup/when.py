"""The command line's WHEN: words and today in, a day and perhaps a time out.

This module knows no clock: today is a parameter.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dates import build_day, parse_clock, parse_date, parse_weekday
from notesync.followup.intervals import add_days, add_interval, parse_offset

if TYPE_CHECKING:
    from notesync.followup.work_calendar import WorkCalendar


class When(NamedTuple):
    """A day that a command names, and its minutes after midnight where it has a time."""

    day: date
    minute: int | None

    def isoformat(self, between: str = "T") -> str:
        """As the front matter has it, with a sign ``between`` the day and a time."""
        clock = "" if self.minute is None else f"{between}{self.minute // 60:02}:{self.minute % 60:02}"
        return f"{self.day.isoformat()}{clock}"


def parse_when(text: str, today: date, calendar: WorkCalendar, past: bool = False) -> When | None:
    """Read the command line's WHEN: an ISO date or date-time, ``today``, ``tomorrow``, a weekday, an offset.

    A weekday is the next such day strictly after today; an offset (``3d``, ``2w``, ``5 workdays``, ``in a
    month``) counts from today.  Words and offsets may have a time behind them (``fri 14:30``).  ``past`` is for
    what has happened: a weekday is then the last such day before today, ``yesterday`` is known, and a time alone
    is today's.  None when it is none of these, and for a date-time with an offset from UTC, whose day depends
    on a zone.
    """
    written = parse_date(text)
    if written:
        return When(written.day, written.minute) if written.offset is None else None
    words = " ".join(text.casefold().split())
    head, _, tail = words.rpartition(" ")
    minute = parse_clock(tail) if head or past else None
    if minute is not None:
        words = head or "today"
    day = _find_past_day(words, today) if past else None
    day = day or _find_day(words, today, calendar)
    return When(day, minute) if day else None


def _find_past_day(words: str, today: date) -> date | None:
    if words == "yesterday":
        return add_days(today, -1)
    weekday = parse_weekday(words)
    return None if weekday is None else add_days(today, -((today.weekday() - weekday - 1) % 7) - 1)


def _find_day(words: str, today: date, calendar: WorkCalendar) -> date | None:
    if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", words):  # with a time like 9:30 behind it
        return build_day(words)
    if words in ("today", "tomorrow"):
        return add_days(today, words == "tomorrow")
    weekday = parse_weekday(words)
    if weekday is not None:
        return add_days(today, (weekday - today.weekday() - 1) % 7 + 1)
    offset = parse_offset(words.removeprefix("in "))
    if offset is None or offset.count < 0:
        return None
    return add_interval(today, offset, calendar)
