"""Calendar days: intervals, working days, and the ways people write a date.

In: words of a note, of the settings or of the command line, and `datetime.date`.  Out: dates, intervals,
minutes after midnight.  This module knows no client, no zone and no clock: today is a parameter.  Nothing
here raises for what a person wrote, nor near the years 1 and 9999, where results stop at `date.min` and
`date.max`.  It is on the way of `check`, so patterns are compiled when first used and `holidays` is
imported only for a calendar that names a country.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from notesync.notes.spelled import MONTH_NAMES

DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

YEARS = range(1900, 2200)
"""Notes tell of people: a day outside these years is a slip of the hand, and arithmetic on it is meaningless."""

_ONE_DAY = timedelta(1)
_pattern = lru_cache(maxsize=None)(re.compile)


# --- Intervals -------------------------------------------------------------------------------------------


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


# --- Working days ----------------------------------------------------------------------------------------


class WorkCalendar:
    """Which days are worked: a week's days (Monday is 0), less days off and a region's public holidays.

    ``days_off`` are inclusive ranges.  ``holidays`` is a region that :func:`parse_region` accepts, or empty;
    one that the installed holidays package does not know has no holidays.
    """

    __slots__ = ("_steps", "_years", "days_off", "holidays", "workdays")

    def __init__(
        self,
        workdays: frozenset[int] = frozenset(range(5)),
        days_off: tuple[tuple[date, date], ...] = (),
        holidays: str = "",
    ) -> None:
        self.workdays = workdays
        self.days_off = days_off
        self.holidays = holidays
        self._years: dict[int, frozenset[date]] = {}
        # Workdays counted before: one vault's notes ask for the same few hundred days again and again.
        self._steps: dict[tuple[date, int], date] = {}

    def is_workday(self, day: date) -> bool:
        """Whether that day is worked."""
        if day.weekday() not in self.workdays:
            return False
        off = self._years.get(day.year)
        if off is None:
            off = self._years[day.year] = self._find_off(day.year)
        return day not in off

    def on_or_after(self, day: date) -> date:
        """The day itself if worked, else the next one that is; `date.max` where there is none."""
        while day < date.max and not self.is_workday(day):
            day += _ONE_DAY
        return day

    def on_or_before(self, day: date) -> date:
        """The day itself if worked, else the last one before that is; `date.min` where there is none."""
        while day > date.min and not self.is_workday(day):
            day -= _ONE_DAY
        return day

    def after(self, day: date, count: int) -> date:
        """The ``count``-th working day strictly after ``day`` (``day`` itself for 0)."""
        found = self._steps.get((day, count))
        if found is None:
            found = day
            for _ in range(count):
                if found == date.max:
                    break
                found = self.on_or_after(found + _ONE_DAY)
            self._steps[day, count] = found
        return found

    def before(self, day: date, count: int) -> date:
        """The ``count``-th working day strictly before ``day`` (``day`` itself for 0)."""
        found = self._steps.get((day, -count))
        if found is None:
            found = day
            for _ in range(count):
                if found == date.min:
                    break
                found = self.on_or_before(found - _ONE_DAY)
            self._steps[day, -count] = found
        return found

    def _find_off(self, year: int) -> frozenset[date]:
        off = set(_find_holidays(self.holidays, year)) if self.holidays else set()
        for first, last in self.days_off:
            first, last = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
            off.update(first + timedelta(days) for days in range((last - first).days + 1))
        return frozenset(off)


def parse_region(text: str) -> str | None:
    """Read a country or country-subdivision (``za``, ``DE-BY``) into the holidays package's spelling.

    None when the package knows no such region.  Imports `holidays`.
    """
    country, _, part = text.strip().partition("-")
    regions = _find_regions()
    known = regions.get(country.upper())
    if known is None:
        return None
    if not part:
        return country.upper()
    for name in known:
        if name.casefold() == part.casefold():
            return f"{country.upper()}-{name}"
    return None


def suggest_region(text: str) -> str:
    """The known region nearest to ``text``; empty when nothing is near."""
    from difflib import get_close_matches

    country, _, part = text.strip().upper().partition("-")
    regions = _find_regions()
    if country in regions and part:
        near = get_close_matches(part, regions[country], 1, 0.5)
        return f"{country}-{near[0]}" if near else country
    near = get_close_matches(country, regions, 1, 0.6)
    return near[0] if near else ""


@lru_cache(maxsize=1)
def _find_regions() -> dict[str, list[str]]:
    from holidays import list_supported_countries

    return dict(list_supported_countries(include_aliases=False))


def _find_holidays(region: str, year: int) -> list[date]:
    """A region's public holidays in one year, those kept on another day because of a weekend included."""
    # The package's rules are written for our times: none of them means anything in the year 800.
    if not 1900 <= year <= 2200:
        return []
    from holidays import country_holidays

    country, _, part = region.partition("-")
    try:
        return list(country_holidays(country, subdiv=part or None, years=year))
    except NotImplementedError:  # settings checked by a newer holidays package, on another machine
        return []


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
    return _add_days(day, count * (7 if unit == "week" else 1))


def _add_days(day: date, days: int) -> date:
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year < 1:
        return date.min
    if year > 9999:
        return date.max
    return date(year, month + 1, min(day.day, _month_length(year, month + 1)))


def _month_length(year: int, month: int) -> int:
    # `calendar` would say, and cost a millisecond of import for its locales.
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 28 + leap if month == 2 else 30 + (month in (1, 3, 5, 7, 8, 10, 12))


# --- Dates as people write them --------------------------------------------------------------------------


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
    day = _build_day(match[1] or match[2]) if match else None
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
    day = _build_day(text) if text.isascii() and text[4] == text[7] == "-" else None
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


def _build_day(text: str) -> date | None:
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
    return date(year, month, min(day, _month_length(year, month)))


def _find_clock(words: str) -> str:
    match = _pattern("(?<![0-9:])([0-9]{1,2}):([0-9]{2})(?::[0-9.]+)? ?([ap]m)?").search(words)
    if not match or _build_minute(match[1], match[2]) is None:
        return ""
    hour = int(match[1]) % 12 + 12 * (match[3] == "pm") if match[3] else int(match[1])
    return f" {hour:02}:{match[2]}"


# --- WHEN, and days in words -----------------------------------------------------------------------------


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
        return _add_days(today, -1)
    weekday = parse_weekday(words)
    return None if weekday is None else _add_days(today, -((today.weekday() - weekday - 1) % 7) - 1)


def _find_day(words: str, today: date, calendar: WorkCalendar) -> date | None:
    if _pattern("[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch(words):  # with a time like 9:30 behind it
        return _build_day(words)
    if words in ("today", "tomorrow"):
        return _add_days(today, words == "tomorrow")
    weekday = parse_weekday(words)
    if weekday is not None:
        return _add_days(today, (weekday - today.weekday() - 1) % 7 + 1)
    offset = parse_offset(words.removeprefix("in "))
    if offset is None or offset.count < 0:
        return None
    return add_interval(today, offset, calendar)


def format_day(day: date, year: int | None = None) -> str:
    """``Tue 24 Nov``; with its year when that differs from ``year``.  The same in every locale."""
    words = f"{DAY_NAMES[day.weekday()][:3].title()} {day.day} {MONTH_NAMES[day.month - 1][:3].title()}"
    return words if year is None or year == day.year else f"{words} {day.year}"
