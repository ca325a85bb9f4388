"""Recurrence as the Obsidian Tasks plugin has it: the words behind a 🔁, and the day of the next occurrence.

In: the rule as written, and calendar days.  Out: a :class:`Recurrence`, or why it is not one; and dates.
This module knows no task, no vault and no clock.

The plugin reads rules with rrule.js, leniently: what it cannot read it drops without a word (`every week
Tuesday` is every week).  Here a rule counts only when every word of it was read and means what it says; the
others are refused with a reason, for completing such a task would put its next date where nobody wanted it.
The days themselves come from python-dateutil's port of the same rules, except where the plugin has its own:
plain months and years fall back to the month's last day.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dates import DAY_NAMES
from notesync.followup.intervals import Interval, add_interval, parse_interval
from notesync.followup.work_calendar import WorkCalendar
from notesync.notes.spelled import MONTH_NAMES

if TYPE_CHECKING:
    from typing import Literal

    from dateutil.rrule import rrule


_MAX_LENGTH = 200


class Recurrence(NamedTuple):
    """A rule that was read whole.

    ``interval`` is how often, in days, weeks, months or years; the rest says on which days, and is empty
    where the reference date says that.  ``weekdays`` are pairs of a weekday (Monday is 0) and its number in
    the month or year (-1: the last; 0: every).  ``month_days`` may count from the end, ``months`` and
    ``weeks`` (of the year, as ISO counts them) from 1.  ``when_done``: the next occurrence counts from the
    day of completion.
    """

    interval: Interval
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    when_done: bool = False


def parse_recurrence(text: str) -> tuple[Recurrence | None, str]:
    """Read a rule: the recurrence, or None and the reason (one clause, without a full stop).

    Refused is what the plugin drops (``every other week``) and what it takes for something else than the
    words say (``every 2 weeks whendone``).
    """
    try:
        match = re.fullmatch("([A-Za-z0-9, !]+?)( when done)?", text.strip(), re.IGNORECASE)
        if len(text) > _MAX_LENGTH:
            raise _Refused("this is too long for a rule")
        if match is None:
            raise _Refused("a rule has letters, digits, commas and blanks only")
        rule = _Reader(match[1].strip()).read_rule()
        _check(rule)
        return rule._replace(when_done=match[2] is not None), ""
    except _Refused as refused:
        mend = _suggest(text[:_MAX_LENGTH])
        return None, f"{refused}; write `{mend}`" if mend else str(refused)


def next_occurrence(recurrence: Recurrence, reference: date, done: date) -> date | None:
    """The day of the next occurrence.

    ``reference`` is the task's due date, else scheduled, else start; ``done`` the day of its completion,
    which only a rule with `when done` asks for.  The result is strictly later than the day it counts from,
    be it in the past; None when no such day comes (`every April` from the 31st of March) up to the year 9999.
    """
    start = done if recurrence.when_done else reference
    count, unit = recurrence.interval
    if unit not in ("month", "year") or recurrence.weekdays or recurrence.month_days or recurrence.weeks:
        return _find_next(recurrence, start)
    if not recurrence.months:
        return _find_clamped(recurrence.interval, start)
    found = _find_next(recurrence, start)
    # The plugin steps back where a turn would be left out: `every 2 years in February` from the 29th.
    while found is not None and unit == "year" and 1 < count < found.year - start.year:
        start -= timedelta(1)
        found = _find_next(recurrence, start)
    return found


def _find_clamped(interval: Interval, start: date) -> date | None:
    """The plugin's own rule for plain months and years: it falls back to the last day of a month that is too
    short, and goes on from there, where RFC 5545 leaves such months out.
    """
    found = add_interval(start, interval, WorkCalendar())
    months = interval.count * (12 if interval.unit == "year" else 1)
    reached = (found.year - start.year) * 12 + found.month - start.month == months
    return found if reached else None  # else it is beyond the year 9999


def _find_next(recurrence: Recurrence, start: date) -> date | None:
    moment = datetime(start.year, start.month, start.day)
    try:
        found = _build_rule(recurrence, moment).after(moment)
    except (ValueError, OverflowError):  # it counts weeks of the year before 1 and after 9999
        return None
    return found.date() if found is not None else None


def _build_rule(recurrence: Recurrence, start: datetime) -> rrule:
    from dateutil.rrule import DAILY, MO, MONTHLY, WEEKLY, YEARLY, rrule, weekday

    units: dict[str, Literal[0, 1, 2, 3]] = {"day": DAILY, "week": WEEKLY, "month": MONTHLY, "year": YEARLY}
    return rrule(
        units[recurrence.interval.unit],
        dtstart=start,
        interval=recurrence.interval.count,
        wkst=MO,
        byweekday=[weekday(day, number or None) for day, number in recurrence.weekdays] or None,
        bymonthday=recurrence.month_days or None,
        bymonth=recurrence.months or None,
        byweekno=recurrence.weeks or None,
    )


# --- Reading ---------------------------------------------------------------------------------------------


class _Refused(Exception):  # noqa: N818  # never leaves this module
    """A rule that is not taken, with the reason."""


_UNREADABLE = "Obsidian Tasks cannot read this rule, and drops it when the task is done"
_WORKDAYS = tuple((day, 0) for day in range(5))
_ORDINALS = {"first": 1, "second": 2, "third": 3}

# The words that rrule.js 2.8.1 knows (its English tokens): the longest that fits is taken, and no blank is
# needed behind it.  Counts and end dates are not read below; they are here so as to be named.
_TOKENS = {
    "number": "[1-9][0-9]*",
    "every": "every",
    "day": "days?",
    "weekday": "weekdays?",
    "week": "weeks?",
    "hour": "hours?",
    "minute": "minutes?",
    "month": "months?",
    "year": "years?",
    "on": "on|in",
    "at": "at",
    "the": "the",
    "first": "first",
    "second": "second",
    "third": "third",
    "nth": "[1-9][0-9]*(?:th|nd|rd|st)",
    "last": "last",
    "for": "for",
    "until": "(?:un)?til",
    "comma": "(?:, *|(?:and|or) *)+",
    "monday": "mo(?:n(?:day)?)?",
    "tuesday": "tu(?:e(?:s(?:day)?)?)?",
    "wednesday": "we(?:d(?:n(?:esday)?)?)?",
    "thursday": "th(?:u(?:r(?:sday)?)?)?",
    "friday": "fr(?:i(?:day)?)?",
    "saturday": "sa(?:t(?:urday)?)?",
    "sunday": "su(?:n(?:day)?)?",
    **{name: f"{name[:3]}(?:{name[3:]})?" for name in MONTH_NAMES},
    "june": "june?",
    "july": "july?",
    "september": "sep(?:t(?:ember)?)?",
}


@lru_cache(maxsize=1)
def _compile_tokens() -> list[tuple[str, re.Pattern[str]]]:
    return [(symbol, re.compile(pattern, re.IGNORECASE | re.ASCII)) for symbol, pattern in _TOKENS.items()]


class _Reader:
    """The words of one rule, read from the left as rrule.js does; ``symbol`` is the one to be read next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.symbol = self.value = ""
        self.start = self.end = 0
        self.weekdays: list[tuple[int, int]] = []
        self.month_days: list[int] = []
        self.months: list[int] = []
        self.weeks: list[int] = []
        self.advance()

    def advance(self) -> None:
        """Go to the next symbol: empty at the end of the rule, `?` for words that are none."""
        rest = self.text[self.end :]
        self.start = self.end + len(rest) - len(rest.lstrip(" "))
        self.symbol, self.value = ("?", "") if rest.strip(" ") else ("", "")
        for symbol, pattern in _compile_tokens():
            match = pattern.match(self.text, self.start)
            if match and len(match[0]) > len(self.value):
                self.symbol, self.value = symbol, match[0]
        self.end = self.start + len(self.value)

    def accept(self, *symbols: str) -> str:
        """The value of the next symbol if it is one of these, which is thereby read; else empty."""
        value = self.value if self.symbol in symbols else ""
        if value:
            self.advance()
        return value

    def read_rule(self) -> Recurrence:
        if not self.accept("every"):
            raise _Refused(_UNREADABLE)
        count = int((self.accept("number") or "1")[:5])
        unit = self.read_unit(count)
        if self.symbol and not self.is_plural():
            raise self.refuse_rest()
        return Recurrence(
            Interval(count, unit),
            tuple(self.weekdays),
            tuple(self.month_days),
            tuple(self.months),
            tuple(self.weeks),
        )

    def read_unit(self, count: int) -> str:
        symbol = self.symbol
        if symbol in DAY_NAMES:
            self.read_weekdays()
            return "week"
        if symbol in MONTH_NAMES:
            self.read_months()
            return "year"
        if symbol in ("hour", "minute"):
            raise _Refused("a task has days and no hours")
        if symbol not in ("day", "weekday", "week", "month", "year"):
            raise _Refused(_UNREADABLE)
        self.advance()
        if symbol == "weekday":
            if count > 1:
                raise _Refused(f"Obsidian Tasks takes this for every {count} weeks, from Monday to Friday")
            self.weekdays += _WORKDAYS
        elif symbol != "day":
            self.read_on()
        if symbol in ("day", "weekday", "week"):
            self.read_hours()
        return "week" if symbol == "weekday" else symbol

    def read_weekdays(self) -> None:
        """`Monday`, `Monday and Friday`, `Friday on the 13th`."""
        while self.symbol in DAY_NAMES:
            self.weekdays.append((DAY_NAMES.index(self.symbol), 0))
            self.advance()
            if not self.accept("comma"):
                break
        else:
            raise _Refused(_UNREADABLE)
        self.read_hours()
        if self.accept("on", "the"):
            self.accept("the")
            number = self.read_ordinal()
            if not number:
                raise self.refuse_rest()
            self.month_days.append(number)
            self.accept("day")

    def read_months(self) -> None:
        """`January`, `January and July on the 1st`."""
        while self.symbol in MONTH_NAMES:
            self.months.append(MONTH_NAMES.index(self.symbol) + 1)
            self.advance()
            if not self.accept("comma"):
                break
        else:
            raise _Refused(_UNREADABLE)
        self.read_on()

    def read_on(self) -> None:
        """`on the 2nd Wednesday`, `in May`, `on Monday, Friday`, `on the 1st and 15th`."""
        opened = self.accept("on"), self.accept("the")
        more = any(opened)
        while more:
            self.read_item()
            more = bool(self.accept("comma", "the", "on"))

    def read_item(self) -> None:
        number = self.read_ordinal()
        symbol = self.symbol
        if symbol in DAY_NAMES:
            self.weekdays.append((DAY_NAMES.index(symbol), number))
            self.advance()
        elif number:
            self.month_days.append(number)
            self.accept("day")
        elif symbol in MONTH_NAMES:
            self.months.append(MONTH_NAMES.index(symbol) + 1)
            self.advance()
        elif symbol == "weekday" and not self.weekdays:
            self.weekdays += _WORKDAYS
            self.advance()
        elif self.accept("week"):
            self.read_weeks()
        else:
            raise self.refuse_rest()

    def read_weeks(self) -> None:
        number = self.accept("number")
        if not number:
            raise _Refused(_UNREADABLE)
        self.weeks.append(int(number[:5]))

    def read_ordinal(self) -> int:
        """`1st` is 1, `last` -1, `2nd last` -2; 0 where there is none."""
        if self.accept("last"):
            return -1
        word = self.symbol
        value = self.accept("nth", *_ORDINALS)
        if not value:
            return 0
        number = _ORDINALS[word] if word in _ORDINALS else int(value[:-2][:5])
        return -number if word != "first" and self.accept("last") else number

    def read_hours(self) -> None:
        """`at 9`: read and left aside, a task has days only."""
        if not self.accept("at"):
            return
        number = self.accept("number")
        if not number or int(number[:5]) > 23:
            raise _Refused(_UNREADABLE)

    def is_plural(self) -> bool:
        """Whether all that is left is the `s` of `every 2 Sundays`, without which it means the same."""
        before = self.text[: self.start]
        return self.text[self.start :] == "s" and before[-1:].isalpha()

    def refuse_rest(self) -> _Refused:
        if self.symbol in ("for", "until"):
            return _Refused("Obsidian Tasks keeps neither counts nor end dates of a rule")
        if not self.symbol:
            return _Refused("the rule ends too soon")
        cut = self.symbol == "?" and self.text[self.start - 1].isalpha()  # `week` was read of `weekend`
        begin = self.text.rfind(" ", 0, self.start) + 1 if cut else self.start
        return _Refused(f"Obsidian Tasks does not read `{self.text[begin:]}` here, and leaves it out")


# --- What the words would not mean -----------------------------------------------------------------------

_MONTH_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _check(rule: Recurrence) -> None:
    """Refuse a rule that was read whole and yet would fall on other days than it says, or on none."""
    count, unit = rule.interval
    numbered = [number for _, number in rule.weekdays if number]
    most = {"month": 5, "year": 5 if rule.months else 52}.get(unit, 0)
    if count > 9999:
        raise _Refused("this is too far ahead")
    if any(abs(number) > most for number in numbered):
        raise _Refused(f"a {unit} has no such weekday")
    if unit == "week" and rule.month_days and not rule.weekdays:
        raise _Refused("a week has no such day")
    if any(abs(day) > 31 for day in rule.month_days) or not _is_possible(rule):
        raise _Refused("there is no such day")
    if unit == "year" and rule.month_days and not rule.months:
        raise _Refused("Obsidian Tasks takes this for that day of every month")
    if unit == "month" and rule.months and count > 1:
        raise _Refused("Obsidian Tasks loses the date of this rule")
    if rule.weeks and (unit != "year" or not rule.weekdays or numbered or rule.months or rule.month_days):
        raise _Refused("Obsidian Tasks takes this for each day of that week")
    if any(not 1 <= week <= 53 for week in rule.weeks):
        raise _Refused("a year has no such week")
    if not all(2 <= week <= 51 for week in rule.weeks):
        # rrule.js and its Python twin look for these in one calendar year, and find some days in none.
        raise _Refused("Obsidian Tasks misses some years' first and last weeks")


def _is_possible(rule: Recurrence) -> bool:
    """Whether any of the months has any of the days."""
    lengths = [_MONTH_LENGTHS[month - 1] for month in rule.months] or [31]
    return not rule.month_days or min(map(abs, rule.month_days)) <= max(lengths)


# --- What to write instead -------------------------------------------------------------------------------

_MENDS: tuple[tuple[str, str], ...] = (
    (
        r"(.*?) ?(?:whendone|(?:when|after|on|upon) (?:it is |it's )?(?:done|finished|complet(?:e|ed|ion)))",
        r"\1 when done",
    ),
    (r"(.*) when done (.*)", r"\1 \2 when done"),
    (r"(every.* on )(?:the )?(\d*1[1-3]|\d*[04-9])", r"\1the \2th"),
    (r"(every.* on )(?:the )?(\d*1)", r"\1the \2st"),
    (r"(every.* on )(?:the )?(\d*2)", r"\1the \2nd"),
    (r"(every.* on )(?:the )?(\d*3)", r"\1the \2rd"),
    (r"every (?:year )?(?:on |in )?([a-z]{3,}) (?:the )?(\d+(?:st|nd|rd|th))", r"every \1 on the \2"),
    (r"every weekend(.*)", r"every Saturday, Sunday\1"),
    (r"(every(?: \d+)? weeks?) (?:on )?((?:mo|tu|we|th|fr|sa|su)[a-z]*)((?: [a-z]+)?)", r"\1 on \2\3"),
    (r"(every(?: \d+)? weeks?) (?:on )?([a-z]+) ([a-z]+)", r"\1 on \2, \3"),
    (r"(.* )the (\d+[a-z]+),? (?:and|or) the (\d+[a-z]+)", r"\1the \2 and \3"),
)


def _suggest(text: str) -> str:
    """A rule like this one that can be read whole; empty where none comes to mind."""
    words = " ".join(text.split())
    plain = re.sub(" when done$", "", words, flags=re.IGNORECASE)
    tail = words[len(plain) :].lower()
    interval = parse_interval(plain)
    if interval:
        weekday = interval == Interval(1, "workday")
        candidates = ["every weekday" + tail if weekday else f"every {interval}{tail}"]
    else:
        candidates = [
            re.sub(f"^{wrong}$", right, plain, flags=re.IGNORECASE) + tail for wrong, right in _MENDS
        ]
    return next((words for words in candidates if words != text and _is_readable(words)), "")


def _is_readable(text: str) -> bool:
    try:
        _check(_Reader(re.sub(" when done$", "", text, flags=re.IGNORECASE)).read_rule())
    except _Refused:
        return False
    return True
