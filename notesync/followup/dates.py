"""Days as people write them: words in, dates, minutes after midnight and hints out, and days in words.

Nothing here raises for what a person wrote.  This module knows no client, no zone and no clock.  Most patterns are for
what few notes hold, so they are compiled when first used.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from notesync.followup.intervals import month_length
from notesync.notes.spelled import MONTH_NAMES

DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

YEARS = range(1900, 2200)
"""Notes tell of people: a day outside these years is a slip of the hand, and arithmetic on it is meaningless."""

_pattern = lru_cache(maxsize=None)(re.compile)


class Written(NamedTuple):
    """A date as written: minutes after midnight and minutes east of UTC where the text has them."""

    day: date
    minute: int | None
    offset: int | None


_DATE = (
    r"(?:\[\[(?:[^\[\]|#]*/)?([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.md)?(?:[|#][^\[\]]*)?\]\]"
    r"|([0-9]{4}-[0-9]{2}-[0-9]{2}))"
    r"(?:(?:[Tt]| +)([0-9]{2}):([0-9]{2})(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r"(?: ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)
_DAY_LENGTH = len("2026-11-25")


def parse_date(text: str) -> Written | None:
    """Read an ISO date or date-time: ``2026-11-25``, ``2026-11-25T14:30``, ``2026-11-25 14:30:00+02:00``.

    The day may be a link (``[[2026-11-25]]``, with a folder or other words shown too).  ASCII digits only;
    None for anything else and for days that do not exist: nothing is guessed, see :func:`suggest_date`.
    """
    if len(text) != _DAY_LENGTH:
        text = text.strip()
    if len(text) == _DAY_LENGTH:
        return _parse_day(text)
    match = _pattern(_DATE).fullmatch(text)
    day = build_day(match[1] or match[2]) if match else None
    if match is None or day is None:
        return None
    if match[3] is None:
        return Written(day, None, None)
    minute, offset = _build_minute(match[3], match[4]), _build_offset(match[5])
    if minute is None or (match[5] and offset is None):
        return None
    return Written(day, minute, offset)


@lru_cache(maxsize=4096)
def _parse_day(text: str) -> Written | None:
    """A day of ten characters and no time; notes name the same few years' days again and again."""
    day = build_day(text) if text.isascii() and text[4] == text[7] == "-" else None
    return Written(day, None, None) if day else None


def parse_clock(text: str) -> int | None:
    """Read a time of day, ``9:30`` or ``09:30``, as minutes after midnight."""
    match = _pattern("([0-9]{1,2}):([0-9]{2})").fullmatch(text.strip())
    return _build_minute(match[1], match[2]) if match else None


def parse_weekday(text: str) -> int | None:
    """Read a weekday's name, or its first letters from three on, as Python's number (Monday is 0)."""
    word = text.strip().casefold()
    if len(word) >= 3:
        for number, name in enumerate(DAY_NAMES):
            if name.startswith(word):
                return number
    return None


def build_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _build_minute(hour: str, minute: str) -> int | None:
    return int(hour) * 60 + int(minute) if int(hour) < 24 and int(minute) < 60 else None


def _build_offset(text: str | None) -> int | None:
    if not text or text in "Zz":
        return 0 if text else None
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    # No zone was ever further than 16 hours from UTC (Manila and Alaska, before their date line moved).
    if minutes > 16 * 60 or int(digits[2:]) > 59:
        return None
    return -minutes if text[0] == "-" else minutes


# --- What was probably meant -----------------------------------------------------------------------------


def suggest_date(text: str) -> str:
    """The ISO form of a date written another way, for a hint; never used as the date itself.

    ``25/11/2026`` and ``Nov 25 2026`` give ``2026-11-25``; where day and month could be either way round,
    both readings (``2026-11-12 or 2026-12-11``); for a day past the month's end the last day of it; empty
    when there is nothing to suggest.
    """
    if not any(map(str.isdecimal, text)):  # such as another program's word under a key of ours
        return ""
    words = " ".join(_ascii_digits(text[:80]).casefold().strip("[]\"' ").split())
    days = [day for day in _find_readings(words) if day]
    clock = _find_clock(words)
    return " or ".join(dict.fromkeys(day.isoformat() + clock for day in days))


def _ascii_digits(text: str) -> str:
    return "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text)


def _find_readings(words: str) -> list[date | None]:
    """Every day that the words could mean, the likelier first."""
    if match := _pattern("([0-9]{4})([0-9]{2})([0-9]{2})(?![0-9]).*").fullmatch(words):
        return [_clamped(*map(int, match.groups()))]
    if _pattern("1[0-9]{12}|1[0-9]{9}").fullmatch(words):  # seconds or milliseconds since 1970
        return [date(1970, 1, 1) + timedelta(seconds=int(words[:10]))]
    if match := _pattern(
        r"(?:.*[^0-9])?([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})(?![0-9]).*"
    ).fullmatch(words):
        return [_clamped(*map(int, match.groups()))]
    if match := _pattern(
        r"(?:.*[^0-9])?([0-9]{1,2})[-/. ]+([0-9]{1,2})[-/. ]+([0-9]{4}|[0-9]{2})(?![0-9:]).*"
    ).fullmatch(words):
        first, second, year = map(int, match.groups())
        return _either_way(first, second, year + 2000 * (year < 100))
    return [_find_named(words)]


def _either_way(first: int, second: int, year: int) -> list[date | None]:
    if second > 12:
        return [_clamped(year, first, second)]
    if first > 12 or first == second:
        return [_clamped(year, second, first)]
    return [_clamped(year, second, first), _clamped(year, first, second)]


def _find_named(words: str) -> date | None:
    """A date with its month in words, and exactly one day and one year beside it."""
    months = [number for word in _pattern("[a-z]{3,}").findall(words) if (number := _find_month(word))]
    numbers = _pattern("(?<![0-9:])[0-9]+(?![0-9:])").findall(words)
    days = [int(number) for number in numbers if len(number) <= 2]
    years = [int(number) for number in numbers if len(number) == 4]
    if len(months) != 1 or len(days) != 1 or len(years) != 1:
        return None
    return _clamped(years[0], months[0], days[0])


def _find_month(word: str) -> int:
    """A month's number by its name or the first letters of it (``sept``); 0 for other words."""
    return next((number for number, name in enumerate(MONTH_NAMES, 1) if name.startswith(word)), 0)


def _clamped(year: int, month: int, day: int) -> date | None:
    if not (1 <= year <= 9999 and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    return date(year, month, min(day, month_length(year, month)))


def _find_clock(words: str) -> str:
    match = _pattern("(?<![0-9:])([0-9]{1,2}):([0-9]{2})(?::[0-9.]+)? ?([ap]m)?").search(words)
    if not match or _build_minute(match[1], match[2]) is None:
        return ""
    hour = int(match[1]) % 12 + 12 * (match[3] == "pm") if match[3] else int(match[1])
    return f" {hour:02}:{match[2]}"


def format_day(day: date, year: int | None = None) -> str:
    """``Tue 24 Nov``; with its year when that differs from ``year``.  The same in every locale."""
    words = f"{DAY_NAMES[day.weekday()][:3].title()} {day.day} {MONTH_NAMES[day.month - 1][:3].title()}"
    return words if year is None or year == day.year else f"{words} {day.year}"
