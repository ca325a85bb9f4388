"""A rule as people write it behind a 🔁, then the days that come of it: as Obsidian Tasks has them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notesync.followup.intervals import Interval
from notesync.followup.recurrence import Recurrence, next_occurrence, parse_recurrence

if TYPE_CHECKING:
    from collections.abc import Iterator


def read(text: str) -> Recurrence:
    """The recurrence of a rule that has nothing wrong."""
    recurrence, reason = parse_recurrence(text)
    assert reason == ""
    assert recurrence is not None
    return recurrence


def follow(text: str, start: str, count: int) -> list[str]:
    """The next dates of a task that is always done on its day."""
    days = [date.fromisoformat(start)]
    for _ in range(count):
        following = next_occurrence(read(text), days[-1], days[-1])
        assert following is not None
        days.append(following)
    return [day.isoformat() for day in days[1:]]


WEEK, MONTH, YEAR = Interval(1, "week"), Interval(1, "month"), Interval(1, "year")
MONDAY_TO_FRIDAY = ((0, 0), (1, 0), (2, 0), (3, 0), (4, 0))


# --- Reading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("every day", Recurrence(Interval(1, "day"))),
        ("every 3 days", Recurrence(Interval(3, "day"))),
        ("every week", Recurrence(WEEK)),
        ("every 1 week", Recurrence(WEEK)),
        ("every 2 week", Recurrence(Interval(2, "week"))),
        ("every 2 weeks", Recurrence(Interval(2, "week"))),
        ("every month", Recurrence(MONTH)),
        ("every 6 months", Recurrence(Interval(6, "month"))),
        ("every year", Recurrence(YEAR)),
        ("every weekday", Recurrence(WEEK, MONDAY_TO_FRIDAY)),
        ("every week on weekdays", Recurrence(WEEK, MONDAY_TO_FRIDAY)),
        ("every 2 weeks on weekdays", Recurrence(Interval(2, "week"), MONDAY_TO_FRIDAY)),
        ("every Sunday", Recurrence(WEEK, ((6, 0),))),
        ("every week on Sunday", Recurrence(WEEK, ((6, 0),))),
        ("every Sundays", Recurrence(WEEK, ((6, 0),))),
        ("every 2 Sundays", Recurrence(Interval(2, "week"), ((6, 0),))),
        ("every mo, tu, We, THU, fri and saturday", Recurrence(WEEK, tuple((day, 0) for day in range(6)))),
        ("every week on Tuesday, Friday", Recurrence(WEEK, ((1, 0), (4, 0)))),
        ("every week on Tuesday or Friday", Recurrence(WEEK, ((1, 0), (4, 0)))),
        ("every week on Tuesday on Friday", Recurrence(WEEK, ((1, 0), (4, 0)))),
        ("every Friday on the 13th", Recurrence(WEEK, ((4, 0),), (13,))),
        ("every week in May", Recurrence(WEEK, months=(5,))),
        ("every day at 9", Recurrence(Interval(1, "day"))),
        ("every month on the 31st", Recurrence(MONTH, month_days=(31,))),
        ("every month the 31st", Recurrence(MONTH, month_days=(31,))),
        ("every month on the first", Recurrence(MONTH, month_days=(1,))),
        ("every month on the 2nd day", Recurrence(MONTH, month_days=(2,))),
        ("every month on the 1st and 15th", Recurrence(MONTH, month_days=(1, 15))),
        ("every month on the last", Recurrence(MONTH, month_days=(-1,))),
        ("every month on the last day", Recurrence(MONTH, month_days=(-1,))),
        ("every month on the 2nd last", Recurrence(MONTH, month_days=(-2,))),
        ("every month on the 2nd Wednesday", Recurrence(MONTH, ((2, 2),))),
        ("every month on the second Wednesday", Recurrence(MONTH, ((2, 2),))),
        ("every month on the last Friday", Recurrence(MONTH, ((4, -1),))),
        ("every month on the 2nd last Friday", Recurrence(MONTH, ((4, -2),))),
        ("every month on Monday", Recurrence(MONTH, ((0, 0),))),
        ("every January", Recurrence(YEAR, months=(1,))),
        ("every 2 January", Recurrence(Interval(2, "year"), months=(1,))),
        ("every year in January", Recurrence(YEAR, months=(1,))),
        ("every January and jul on the 15th", Recurrence(YEAR, month_days=(15,), months=(1, 7))),
        ("every sept on the first Monday", Recurrence(YEAR, ((0, 1),), months=(9,))),
        ("every year on the 20th Monday", Recurrence(YEAR, ((0, 20),))),
        ("every year on Monday in week 10", Recurrence(YEAR, ((0, 0),), weeks=(10,))),
        ("everyday", Recurrence(Interval(1, "day"))),
        ("EVERY 2 WEEKS WHEN DONE", Recurrence(Interval(2, "week"), when_done=True)),
        (" every month on the last when done ", Recurrence(MONTH, month_days=(-1,), when_done=True)),
    ],
)
def test_a_rule_that_is_read_whole(text: str, expected: Recurrence) -> None:
    assert parse_recurrence(text) == (expected, "")


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("every other week", "every 2 weeks"),
        ("every two weeks", "every 2 weeks"),
        ("every two weeks when done", "every 2 weeks when done"),
        ("every quarter", "every 3 months"),
        ("every fortnight", "every 2 weeks"),
        ("weekly", "every week"),
        ("every working day", "every weekday"),
        ("every 10 business days", ""),
        ("every 2nd Friday", ""),
        ("every 3", ""),
        ("every 0 days", ""),
        ("every", ""),
        ("", ""),
        ("jede Woche", ""),
        ("每周", ""),
        ("every 3 hours", ""),
        ("every day at 25", ""),
        ("every week when done on Monday", "every week on Monday when done"),
        ("every\N{NO-BREAK SPACE}week", "every week"),
        ("every Monday,", ""),
        ("every January,", ""),
        ("every year on Monday in week", ""),
    ],
)
def test_what_the_plugin_cannot_read_is_refused(text: str, mend: str) -> None:
    recurrence, reason = parse_recurrence(text)
    assert recurrence is None
    assert _find_mend(reason) == mend


@pytest.mark.parametrize(
    ("text", "words", "mend"),
    [
        ("every weekend", "weekend", "every Saturday, Sunday"),
        ("every week on Funday", "Funday", ""),
        ("every 2 weeks whendone", "whendone", "every 2 weeks when done"),
        ("every 2 weeks when finished", "when finished", "every 2 weeks when done"),
        ("every 2 weeks after completion", "after completion", "every 2 weeks when done"),
        ("every month on the 1", "1", "every month on the 1st"),
        ("every month on the 12", "12", "every month on the 12th"),
        ("every month on the 15", "15", "every month on the 15th"),
        ("every month on 22 when done", "22", "every month on the 22nd when done"),
        ("every month on 3", "3", "every month on the 3rd"),
        ("every year on March 1st", "1st", "every March on the 1st"),
        ("every week Tuesday", "Tuesday", "every week on Tuesday"),
        ("every week on tue thu", "thu", "every week on tue, thu"),
        ("every weekday in May", "in May", ""),
        ("every Monday in March", "March", ""),
        ("every Monday and Friday in March", "March", ""),
        ("every 14 days except holidays", "except holidays", ""),
        ("every mondays and fridays", "mondays and fridays", ""),
        ("every month on the 1st and the 15th", "the 15th", "every month on the 1st and 15th"),
        ("every month on the 2nd weekday", "weekday", ""),
        ("every week on Saturday and weekdays", "weekdays", ""),
        ("every Friday on the 13th, 15th", ", 15th", ""),
    ],
)
def test_what_the_plugin_would_leave_out_is_refused(text: str, words: str, mend: str) -> None:
    recurrence, reason = parse_recurrence(text)
    assert recurrence is None
    assert f"does not read `{words}`" in reason
    assert _find_mend(reason) == mend


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("every 5 weekdays", "Obsidian Tasks takes this for every 5 weeks, from Monday to Friday"),
        ("every 2 weekdays", "Obsidian Tasks takes this for every 2 weeks, from Monday to Friday"),
        ("every year on the last", "Obsidian Tasks takes this for that day of every month"),
        ("every year on the 15th", "Obsidian Tasks takes this for that day of every month"),
        ("every year in week 10", "Obsidian Tasks takes this for each day of that week"),
        ("every 2 months in January", "Obsidian Tasks loses the date of this rule"),
        ("every day for 3 times", "Obsidian Tasks keeps neither counts nor end dates of a rule"),
        ("every week until January 1", "Obsidian Tasks keeps neither counts nor end dates of a rule"),
        ("every week on", "the rule ends too soon"),
        ("every Monday on the", "the rule ends too soon"),
        ("every month on the 32nd", "there is no such day"),
        ("every February on the 30th", "there is no such day"),
        ("every month on the 6th Monday", "a month has no such weekday"),
        ("every year on the 53rd Monday", "a year has no such weekday"),
        ("every January on the 6th Monday", "a year has no such weekday"),
        ("every week on the 2nd Monday", "a week has no such weekday"),
        ("every week on the 15th", "a week has no such day"),
        ("every year on Monday in week 60", "a year has no such week"),
        ("every year on Saturday in week 52", "Obsidian Tasks misses some years' first and last weeks"),
        ("every year on Monday in week 1", "Obsidian Tasks misses some years' first and last weeks"),
        ("every 99999999999999999999 days", "this is too far ahead"),
        ("every 3 minutes", "a task has days and no hours"),
    ],
)
def test_what_would_fall_on_other_days_than_it_says_is_refused(text: str, reason: str) -> None:
    assert parse_recurrence(text) == (None, reason)


def _find_mend(reason: str) -> str:
    assert reason
    match = re.search("; write `(.*)`$", reason)
    if match is None:
        return ""
    assert parse_recurrence(match[1])[0] is not None
    return match[1]


@given(
    st.text() | st.from_regex("every ([a-z0-9, ]| on | the | week| month){0,20}( when done)?", fullmatch=True)
)
def test_any_words_are_a_rule_or_refused_with_a_reason(text: str) -> None:
    recurrence, reason = parse_recurrence(text)
    assert (recurrence is None) == bool(reason)
    assert not reason.endswith(".")


# --- Days ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "start", "days"),
    [
        # "every month" goes back to the last day and stays there; "on the 31st" skips, "on the last" is safe.
        ("every month", "2026-10-31", ["2026-11-30", "2026-12-30", "2027-01-30", "2027-02-28", "2027-03-28"]),
        ("every month", "2028-01-31", ["2028-02-29", "2028-03-29"]),
        ("every 3 months", "2026-11-30", ["2027-02-28", "2027-05-28"]),
        ("every month on the 31st", "2026-10-31", ["2026-12-31", "2027-01-31", "2027-03-31"]),
        ("every month on the last", "2026-10-31", ["2026-11-30", "2026-12-31", "2027-01-31", "2027-02-28"]),
        ("every month on the 2nd last", "2026-10-01", ["2026-10-30", "2026-11-29"]),
        ("every year", "2028-02-29", ["2029-02-28", "2030-02-28"]),
        ("every 4 years", "2028-02-29", ["2032-02-29", "2036-02-29"]),
        ("every February", "2028-02-29", ["2032-02-29"]),
        ("every 2 years in February", "2028-02-29", ["2030-02-28", "2032-02-28"]),
        ("every day", "2028-02-28", ["2028-02-29", "2028-03-01"]),
        ("every 10 days", "2026-12-25", ["2027-01-04", "2027-01-14"]),
        ("every week", "2026-11-22", ["2026-11-29", "2026-12-06"]),
        ("every weekday", "2026-11-19", ["2026-11-20", "2026-11-23"]),
        ("every 2 weeks on weekdays", "2026-11-19", ["2026-11-20", "2026-11-30"]),
        ("every Sunday", "2026-11-20", ["2026-11-22", "2026-11-29"]),
        ("every week on Tuesday, Friday", "2026-11-22", ["2026-11-24", "2026-11-27", "2026-12-01"]),
        ("every 2 weeks on Monday", "2026-11-18", ["2026-11-30", "2026-12-14"]),
        ("every month on the 2nd Wednesday", "2026-11-22", ["2026-12-09", "2027-01-13"]),
        ("every month on the 5th Friday", "2026-10-30", ["2027-01-29", "2027-04-30"]),
        ("every month on the last Friday", "2026-11-22", ["2026-11-27", "2026-12-25"]),
        ("every month on the 1st and 15th", "2026-11-15", ["2026-12-01", "2026-12-15"]),
        ("every January on the 15th", "2026-11-22", ["2027-01-15", "2028-01-15"]),
        ("every March", "2026-01-10", ["2026-03-10", "2027-03-10"]),
        ("every January and July on the first Monday", "2026-11-22", ["2027-01-04", "2027-07-05"]),
        ("every Friday on the 13th", "2026-02-13", ["2026-03-13", "2026-11-13", "2027-08-13"]),
        ("every year on Monday in week 10", "2026-11-22", ["2027-03-08", "2028-03-06"]),
    ],
)
def test_the_next_dates(text: str, start: str, days: list[str]) -> None:
    assert follow(text, start, len(days)) == days


@pytest.mark.parametrize(
    ("text", "reference", "done", "expected"),
    [
        # Without "when done" from the old date, even where that leaves the next one in the past.
        ("every week", "2026-01-01", "2026-11-22", "2026-01-08"),
        ("every month", "2026-01-31", "2026-11-22", "2026-02-28"),
        ("every week when done", "2026-01-01", "2026-11-22", "2026-11-29"),
        ("every month when done", "2026-01-15", "2026-10-31", "2026-11-30"),
        ("every month on the 2nd Wednesday when done", "2026-01-01", "2026-11-11", "2026-12-09"),
        ("every month on the 2nd Wednesday when done", "2026-01-01", "2026-11-10", "2026-11-11"),
        ("every Sunday when done", "2026-11-29", "2026-11-22", "2026-11-29"),
        ("every 2 weeks on Monday when done", "2026-01-01", "2026-11-18", "2026-11-30"),
        # Done early: the next date still follows the old one.
        ("every week", "2026-11-29", "2026-11-22", "2026-12-06"),
    ],
)
def test_what_the_next_date_counts_from(text: str, reference: str, done: str, expected: str) -> None:
    found = next_occurrence(read(text), date.fromisoformat(reference), date.fromisoformat(done))
    assert found == date.fromisoformat(expected)


def test_a_day_that_never_comes() -> None:
    assert next_occurrence(read("every April"), date(2026, 3, 31), date.min) is None
    assert next_occurrence(read("every week"), date(9999, 12, 30), date.min) is None
    assert next_occurrence(read("every month"), date(9999, 12, 31), date.min) is None
    assert next_occurrence(read("every 9999 years"), date(9990, 1, 1), date.min) is None


# --- Against brute force ---------------------------------------------------------------------------------

WEEKDAY = st.sampled_from(["Monday", "tue", "wednesday", "Thu", "friday", "sat", "Sunday"])
MONTH_NAME = st.sampled_from(["January", "feb", "April", "june", "September", "dec"])
ORDINAL = st.sampled_from(["1st", "2nd", "third", "4th", "last", "2nd last"])
DAY_OF_MONTH = ORDINAL | st.sampled_from(["15th", "28th", "29th", "30th", "31st", "3rd last"])


def _join(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(items, min_size=1, max_size=3).map(", ".join)


def _words(*parts: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map(" ".join)


COUNT = st.sampled_from(["", "2", "3", "5"])
NUMBERED = _join(_words(ORDINAL, WEEKDAY))
RULES = st.one_of(
    _words("every", COUNT, "days"),
    _words("every", COUNT, "weeks"),
    _words("every", COUNT, "weeks on", _join(WEEKDAY)),
    _words("every", COUNT, "weeks on weekdays"),
    _words("every", COUNT, _join(WEEKDAY)),
    _words("every weekday"),
    _words("every", COUNT, WEEKDAY, "on the", DAY_OF_MONTH),
    _words("every week in", _join(MONTH_NAME)),
    _words("every", COUNT, "months on the", _join(DAY_OF_MONTH)),
    _words("every", COUNT, "months on the", NUMBERED),
    _words("every", COUNT, "months on", WEEKDAY),
    _words("every month in", _join(MONTH_NAME)),
    _words("every", _join(MONTH_NAME)),
    _words("every", COUNT, _join(MONTH_NAME), "on the", _join(_words(ORDINAL, WEEKDAY))),
    _words("every", COUNT, "years on the", NUMBERED),
    _words("every year on", WEEKDAY, "in week", st.sampled_from(["2", "10", "51"])),
)
STARTS = st.dates(date(2019, 1, 1), date(2032, 12, 31))


def _falls_on(rule: Recurrence, start: date, day: date) -> bool:
    """Whether a day is one of the rule's, by what its words say and nothing else."""
    count, unit = rule.interval
    apart = {
        "day": (day - start).days,
        "week": ((day - timedelta(day.weekday())) - (start - timedelta(start.weekday()))).days // 7,
        "month": (day.year - start.year) * 12 + day.month - start.month,
        "year": day.year - start.year,
    }[unit]
    if apart % count or (rule.months and day.month not in rule.months):
        return False
    if rule.month_days and not {day.day, day.day - _length(day) - 1} & set(rule.month_days):
        return False
    if rule.weeks and day.isocalendar().week not in rule.weeks:
        return False
    if rule.weekdays:
        by_month = unit == "month" or bool(rule.months)
        return any(
            day.weekday() == weekday and number in (0, *_numbers(day, by_month))
            for weekday, number in rule.weekdays
        )
    if rule.month_days or unit == "day":
        return True
    if unit == "week":
        return day.weekday() == start.weekday()
    return day.day == start.day


def _length(day: date) -> int:
    return ((day.replace(day=1) + timedelta(32)).replace(day=1) - timedelta(1)).day


def _numbers(day: date, by_month: bool) -> tuple[int, int]:
    """Which of its weekdays a day is in its month or year, from the start and from the end."""
    place, length = day.day, _length(day)
    if not by_month:
        place, length = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
    return (place - 1) // 7 + 1, -((length - place) // 7 + 1)


def _find_by_force(rule: Recurrence, start: date) -> Iterator[date]:
    for days in range(1, 366 * 12):
        if _falls_on(rule, start, start + timedelta(days)):
            yield start + timedelta(days)


@given(RULES, STARTS)
@example("every 2 months on the 31st", date(2026, 8, 31))
@example("every month on the last", date(2028, 1, 31))
@example("every year on Monday in week 2", date(2024, 12, 30))
def test_no_date_is_skipped_or_doubled(text: str, start: date) -> None:
    rule, _ = parse_recurrence(text)
    if rule is None:  # such as the 31st of June
        return
    by_force = list(islice(_find_by_force(rule, start), 5))
    day = start
    for expected in by_force:
        following = next_occurrence(rule, day, day)
        assert following == expected, text
        day = following


@given(st.sampled_from(["months", "years"]), st.integers(1, 40), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_plain_months_and_years_leave_none_out(unit: str, count: int, start: date) -> None:
    following = next_occurrence(read(f"every {count} {unit}"), start, start)
    assert following is not None
    months = count * (12 if unit == "years" else 1)
    assert (following.year - start.year) * 12 + following.month - start.month == months
    assert following.day == min(start.day, _length(following))


@given(RULES, st.dates(), st.dates(), st.sampled_from(["", " when done"]))
@example("every year on Monday in week 2", date(1, 1, 1), date(1, 1, 1), "")
@example("every year on Monday in week 51", date(9999, 12, 31), date(1, 1, 1), "")
@example("every 2 days", date(9999, 12, 30), date(1, 1, 1), "")
def test_the_next_date_is_later_or_none(text: str, reference: date, done: date, tail: str) -> None:
    rule, _ = parse_recurrence(text + tail)
    if rule is not None:
        following = next_occurrence(rule, reference, done)
        assert following is None or following > (done if tail else reference)
