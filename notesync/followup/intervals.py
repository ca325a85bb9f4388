"""Lengths of time in calendar terms: a person's words in, an interval out, and a day plus an interval.

Nothing here raises, nor near the years 1 and 9999, where results stop at `date.min` and `date.max`.  This module
knows no clock and no client.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from notesync.followup.work_calendar import WorkCalendar

_pattern = lru_cache(maxsize=None)(re.compile)


class Interval(NamedTuple):
    """A length of time in calendar terms: ``unit`` is day, workday, week, month or year."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks of an interval
    unit: str

    def __str__(self) -> str:
        """As a person writes it: ``2 weeks``, and ``month`` for one."""
        if self.count == 1:
            return self.unit
        return f"{self.count} {self.unit}{'' if self.count == -1 else 's'}"


_UNITS = {
    "day": Interval(1, "day"),
    "workday": Interval(1, "workday"),
    "working day": Interval(1, "workday"),
    "work day": Interval(1, "workday"),
    "business day": Interval(1, "workday"),
    "weekday": Interval(1, "workday"),
    "week": Interval(1, "week"),
    "fortnight": Interval(2, "week"),
    "month": Interval(1, "month"),
    "quarter": Interval(3, "month"),
    "half year": Interval(6, "month"),
    "half a year": Interval(6, "month"),
    "year": Interval(1, "year"),
}
# Only behind digits: a lone `m` is more likely half a word than a month.
_SHORT_UNITS = {
    "d": _UNITS["day"],
    "wd": _UNITS["workday"],
    "bd": _UNITS["workday"],
    "w": _UNITS["week"],
    "wk": _UNITS["week"],
    "wks": _UNITS["week"],
    "m": _UNITS["month"],
    "mo": _UNITS["month"],
    "mos": _UNITS["month"],
    "mth": _UNITS["month"],
    "mths": _UNITS["month"],
    "q": _UNITS["quarter"],
    "y": _UNITS["year"],
    "yr": _UNITS["year"],
    "yrs": _UNITS["year"],
}
# `biweekly` and `bimonthly` mean two things each and are left out on purpose.
_ADVERBS = {
    "daily": "day",
    "weekly": "week",
    "fortnightly": "fortnight",
    "monthly": "month",
    "quarterly": "quarter",
    "half yearly": "half year",
    "yearly": "year",
    "annually": "year",
    "annual": "year",
}
_COUNTS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "other": 2,
    "second": 2,
    "two": 2,
    "third": 3,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "twelve": 12,
}
_TIMES = {"once": 1, "twice": 2, "thrice": 3}


@lru_cache(maxsize=512)
def parse_interval(text: str) -> Interval | None:
    """Read a cadence: ``2 weeks``, ``month``, ``twice a month``, ``2w``, ``quarterly``, ``every 10 days``.

    None when it is not one, or not a positive length.  ``N times a month`` is rounded down to whole days
    (a month being 30 days, a year 365), so that the wished number is reached; where whole months divide
    evenly it is months.
    """
    words = re.sub("^(?:(?:once )?every|each|once in|once per|once) ", "", _squeeze(text))
    if words in _ADVERBS:
        return _UNITS[_ADVERBS[words]]
    interval = _parse_rate(_squeeze(text)) or _parse_quantity(words)
    return interval if interval and interval.count > 0 else None


def parse_offset(text: str) -> Interval | None:
    """Read a signed distance, as plans and WHEN have it: ``0d``, ``2w``, ``-1 workday``, ``6 weeks``."""
    return _parse_quantity(_squeeze(text))


def interval_days(interval: Interval) -> int:
    """About how many calendar days: a month counts 30, a year 365, five workdays 7."""
    count, unit = interval
    return round(count * 7 / 5) if unit == "workday" else count * _UNIT_DAYS[unit]


_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


def _squeeze(text: str) -> str:
    """Lower case, single blanks, and a blank for a hyphen inside words (``half-yearly``)."""
    words = " ".join(text.casefold().replace("\N{MINUS SIGN}", "-").split())
    return re.sub("(?<=[a-z0-9])-(?=[a-z])", " ", words)


def _parse_quantity(words: str) -> Interval | None:
    match = _pattern("([+-]?) ?(?:([0-9]{1,4}) ?|([a-z]+) )?([a-z]+(?: [a-z]+)?)").fullmatch(words)
    if not match:
        return None
    sign, digits, word, name = match.groups()
    if word and word not in _COUNTS:  # `working days`, `half year`: the word belongs to the unit
        word, name = None, f"{word} {name}"
    unit = _find_unit(name) or (_SHORT_UNITS.get(name) if digits else None)
    if unit is None:
        return None
    count = int(digits) if digits else _COUNTS[word] if word else 1
    return Interval((-count if sign == "-" else count) * unit.count, unit.unit)


def _find_unit(name: str) -> Interval | None:
    return _UNITS.get(name) or (_UNITS.get(name[:-1]) if name.endswith("s") else None)


def _parse_rate(words: str) -> Interval | None:
    """``twice a month``, ``3 times a year``, ``2x per week``, ``once a quarter``, ``twice monthly``."""
    match = _pattern(
        "(?:([0-9]{1,3})(?: ?x| times)?|(once|twice|thrice)|([a-z]+) times)"
        "(?: ?/ ?| (?:a|an|per|each|every|in a) | (?=[a-z ]+ly$))([a-z ]+)"
    ).fullmatch(words)
    if not match:
        return None
    digits, adverb, word, name = match.groups()
    times = int(digits) if digits else _TIMES[adverb] if adverb else _COUNTS.get(word, 0)
    unit = _find_unit(_ADVERBS.get(name, name))
    if not times or unit is None:
        return None
    if times == 1:
        return unit
    months = unit.count * {"month": 1, "year": 12}.get(unit.unit, 0)
    if months and months % times == 0:
        return Interval(months // times, "month")
    return Interval(interval_days(unit) // times, "day")


def add_interval(day: date, interval: Interval, calendar: WorkCalendar) -> date:
    """``day`` plus the interval, backwards when its count is negative.

    Months and years clamp to the month's last day; N workdays is the Nth working day strictly after (0: the
    day itself).  Results stop at `date.min` and `date.max`.
    """
    count, unit = interval
    if unit == "workday":
        return calendar.after(day, count) if count >= 0 else calendar.before(day, -count)
    if unit in ("month", "year"):
        return _add_months(day, count * (12 if unit == "year" else 1))
    return add_days(day, count * (7 if unit == "week" else 1))


def add_days(day: date, days: int) -> date:
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year < 1:
        return date.min
    if year > 9999:
        return date.max
    return date(year, month + 1, min(day.day, month_length(year, month + 1)))


def month_length(year: int, month: int) -> int:
    # `calendar` would say, and cost a millisecond of import for its locales.
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 28 + leap if month == 2 else 30 + (month in (1, 3, 5, 7, 8, 10, 12))
