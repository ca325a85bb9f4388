"""Words for a stretch of days in, its first and last day out: a week, month, quarter, year, or any range.

The word alone (``month``) is the one that today lies in, so far as it has gone; ``last month`` is the newest that is
complete.  What a period is compared with is the one before it, and of one that has not ended as many of its first
days as have gone.  Pure: today is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from notesync.followup.dates import YEARS, format_day
from notesync.followup.intervals import Interval, add_interval
from notesync.followup.work_calendar import WorkCalendar
from notesync.notes.spelled import MONTH_NAMES

WEEK, MONTH, QUARTER, YEAR, RANGE = KINDS = ("week", "month", "quarter", "year", "range")
_MONTHS = {MONTH: 1, QUARTER: 3, YEAR: 12}
_DAY = timedelta(1)
_ANY_DAY = WorkCalendar()


class Period(NamedTuple):
    """A stretch of days, both ends included; ``name`` is its short name, which sorts and can be a file's."""

    kind: str
    first: date
    last: date
    name: str

    @property
    def label(self) -> str:
        """The period as people say it."""
        if self.kind == WEEK:
            return f"week {self.name[-2:]} of {self.name[:4]}"
        if self.kind == MONTH:
            return f"{MONTH_NAMES[self.first.month - 1].title()} {self.first.year}"
        if self.kind == QUARTER:
            return f"quarter {self.name[-1]} of {self.first.year}"
        return self.name if self.kind == YEAR else describe_days(self.first, self.last)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1


def describe_days(first: date, last: date) -> str:
    """``1 Oct to 22 Oct 2026``."""
    start = format_day(first, first.year if first.year == last.year else 0)
    return f"{start.partition(' ')[2]} to {format_day(last, 0).partition(' ')[2]}"


def parse_period(text: str, today: date) -> Period | None:
    """``month``, ``last quarter``, ``2026-W47``, ``2026-11``, ``2026-Q4``, ``2026``; None for anything else."""
    words = (
        text.strip().casefold().replace("-", " ", 1)
        if text.strip()[:4].casefold() == "last"
        else text.strip()
    )
    last, _, kind = words.rpartition(" ")
    kind = kind.casefold()
    if kind in KINDS[:-1] and last in ("", "last"):
        found = _find_around(kind, today)
        return _find_around(kind, found.first - _DAY) if last else found
    return _parse_named(words)


_NAMED = re.compile(r"([0-9]{4})(?:-?(?:(W)([0-9]{2})|(Q)([1-4])|([0-9]{2})))?", re.IGNORECASE)


def _parse_named(words: str) -> Period | None:
    found = _NAMED.fullmatch(words)
    if found is None or int(found[1]) not in YEARS:
        return None
    year = int(found[1])
    try:
        if found[2]:
            return _find_around(WEEK, date.fromisocalendar(year, int(found[3]), 1))
        if found[4]:
            return _find_around(QUARTER, date(year, 3 * int(found[5]), 1))
        return _find_around(MONTH if found[6] else YEAR, date(year, int(found[6] or 1), 1))
    except ValueError:
        return None


def build_range(first: date, last: date) -> Period:
    """Any days, from one to another."""
    return Period(RANGE, first, last, f"{first} to {last}")


def _find_around(kind: str, day: date) -> Period:
    """The week, month, quarter or year that a day lies in."""
    if kind == WEEK:
        year, week, weekday = day.isocalendar()
        first = day - timedelta(weekday - 1)
        return Period(kind, first, first + timedelta(6), f"{year:04}-W{week:02}")
    months = _MONTHS[kind]
    first = date(day.year, (day.month - 1) // months * months + 1, 1)
    quarter = (first.month + 2) // 3
    names = {MONTH: f"{first}"[:7], QUARTER: f"{first}"[:5] + f"Q{quarter}", YEAR: f"{first}"[:4]}
    return Period(kind, first, _add_months(first, months) - _DAY, names[kind])


def _add_months(day: date, months: int) -> date:
    return add_interval(day, Interval(months, "month"), _ANY_DAY)


def find_before(period: Period, until: date) -> Period:
    """The period before, and of one that has gone only ``until`` a day as many of its days."""
    if period.kind == RANGE:
        return build_range(period.first - timedelta((until - period.first).days + 1), period.first - _DAY)
    before = _find_around(period.kind, period.first - _DAY)
    if until >= period.last:
        return before
    return before._replace(last=min(before.last, before.first + (until - period.first)))


def part(period: Period) -> Iterator[Period]:
    """The period in parts to draw: days of a week, weeks of a month or quarter, months of more."""
    days = period.days
    first = period.first
    while first <= period.last:
        if days <= 14:
            last = first
        elif days <= 100:
            last = first + timedelta(6 - first.weekday())
        else:
            last = _add_months(first.replace(day=1), 1) - _DAY
        last = min(last, period.last)
        yield build_range(first, last)
        first = last + _DAY


def count_units(period: Period, unit: str, calendar: WorkCalendar) -> float:
    """How many days to work, weeks, months, quarters or years a period is long: a quarter is three months exactly."""
    if unit == "day":
        return sum(calendar.is_workday(period.first + timedelta(at)) for at in range(period.days))
    if unit == WEEK:
        return period.days / 7
    if period.kind in _MONTHS:
        return _MONTHS[period.kind] / _MONTHS[unit]
    return period.days / (365.25 / 12 * _MONTHS[unit])
