"""Words in, days out: intervals, working days, dates as people write them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notesync.followup.dates import format_day, parse_clock, parse_date, parse_weekday, suggest_date
from notesync.followup.intervals import Interval, add_interval, interval_days, parse_interval, parse_offset
from notesync.followup.when import parse_when
from notesync.followup.work_calendar import WorkCalendar, parse_region, suggest_region

WEEK = WorkCalendar()
FRIDAY_OFF = WorkCalendar(frozenset({6, 0, 1, 2, 3}))  # Sunday to Thursday
CHRISTMAS = WorkCalendar(days_off=((date(2026, 12, 15), date(2027, 1, 5)),))
SOUTH_AFRICA = WorkCalendar(holidays="ZA")

DAYS = st.dates()
INTERVALS = st.builds(
    Interval, st.integers(-9999, 9999), st.sampled_from(["day", "workday", "week", "month", "year"])
)
SHORT_INTERVALS = st.builds(
    Interval, st.integers(0, 60), st.sampled_from(["day", "workday", "week", "month", "year"])
)
CALENDARS = st.builds(
    WorkCalendar,
    st.frozensets(st.integers(0, 6), min_size=1),
    st.lists(
        st.tuples(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 40)).map(
            lambda pair: (pair[0], pair[0] + timedelta(pair[1]))
        ),
        max_size=3,
    ).map(tuple),
)


# --- Intervals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("2 weeks", 2, "week"),
        ("month", 1, "month"),
        ("twice a month", 15, "day"),
        ("10 days", 10, "day"),
        ("5 workdays", 5, "workday"),
        ("quarter", 3, "month"),
        ("2w", 2, "week"),
        ("1m", 1, "month"),
        ("90d", 90, "day"),
        ("1y", 1, "year"),
        ("2q", 6, "month"),
        ("daily", 1, "day"),
        ("weekly", 1, "week"),
        ("fortnightly", 2, "week"),
        ("monthly", 1, "month"),
        ("Quarterly", 3, "month"),
        ("yearly", 1, "year"),
        ("annually", 1, "year"),
        ("half-yearly", 6, "month"),
        ("every 2 weeks", 2, "week"),
        ("every two weeks", 2, "week"),
        ("every other week", 2, "week"),
        ("every second month", 2, "month"),
        ("Every  Month ", 1, "month"),
        ("each quarter", 3, "month"),
        ("fortnight", 2, "week"),
        ("a fortnight", 2, "week"),
        ("once a month", 1, "month"),
        ("once every 3 months", 3, "month"),
        ("once in 6 weeks", 6, "week"),
        ("once per quarter", 3, "month"),
        ("3 times a year", 4, "month"),
        ("4 times per year", 3, "month"),
        ("5 times a year", 73, "day"),
        ("twice a year", 6, "month"),
        ("twice yearly", 6, "month"),
        ("twice a week", 3, "day"),
        ("twice weekly", 3, "day"),
        ("three times a month", 10, "day"),
        ("2x a month", 15, "day"),
        ("2x/month", 15, "day"),
        ("3 working days", 3, "workday"),
        ("2 business days", 2, "workday"),
        ("half a year", 6, "month"),
        ("half year", 6, "month"),
        ("6\N{NO-BREAK SPACE}weeks", 6, "week"),
        # Not a cadence, or one with two meanings.
        ("", None, None),
        ("30", None, None),
        ("m", None, None),
        ("0 days", None, None),
        ("-2 weeks", None, None),
        ("biweekly", None, None),
        ("bimonthly", None, None),
        ("twice a day", None, None),
        ("10 times a week", None, None),
        ("sometimes", None, None),
        ("2 weeks or so", None, None),
        ("every Monday", None, None),
        ("٢ weeks", None, None),
        ("99999999999999999999 weeks", None, None),
        ("2026-11-25", None, None),
    ],
)
def test_a_cadence_as_people_write_it(text: str, count: int | None, unit: str | None) -> None:
    expected = None if count is None or unit is None else Interval(count, unit)
    assert parse_interval(text) == expected


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("0d", 0, "day"),
        ("2d", 2, "day"),
        ("-1 workday", -1, "workday"),
        ("−5 workdays", -5, "workday"),
        ("+3d", 3, "day"),
        ("6 weeks", 6, "week"),
        ("monthly", None, None),
        ("twice a month", None, None),
    ],
)
def test_a_distance_may_be_none_or_backwards(text: str, count: int | None, unit: str | None) -> None:
    expected = None if count is None or unit is None else Interval(count, unit)
    assert parse_offset(text) == expected


@given(st.text() | st.from_regex(r"(every |once |-)?[0-9]{0,6} ?[a-z]{0,9}( a)? ?[a-z]{0,9}", fullmatch=True))
def test_no_words_break_the_reading_of_an_interval(text: str) -> None:
    interval = parse_interval(text)
    assert interval is None or interval.count > 0
    offset = parse_offset(text)
    assert offset is None or isinstance(str(offset), str)


@given(
    st.builds(Interval, st.integers(1, 9999), st.sampled_from(["day", "workday", "week", "month", "year"]))
)
def test_an_interval_in_words_is_read_as_itself(interval: Interval) -> None:
    assert parse_interval(str(interval)) == interval


@pytest.mark.parametrize(
    ("interval", "words", "days"),
    [
        (Interval(1, "month"), "month", 30),
        (Interval(2, "week"), "2 weeks", 14),
        (Interval(1, "workday"), "workday", 1),
        (Interval(2, "workday"), "2 workdays", 3),
        (Interval(5, "workday"), "5 workdays", 7),
        (Interval(10, "workday"), "10 workdays", 14),
        (Interval(1, "year"), "year", 365),
        (Interval(0, "day"), "0 days", 0),
        (Interval(-1, "workday"), "-1 workday", -1),
    ],
)
def test_an_interval_in_words_and_days(interval: Interval, words: str, days: int) -> None:
    assert str(interval) == words
    assert f"{interval}" == words
    assert interval_days(interval) == days


# --- Working days ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calendar", "day", "worked"),
    [
        (WEEK, "2026-11-20", True),  # Friday
        (WEEK, "2026-11-21", False),
        (FRIDAY_OFF, "2026-11-20", False),
        (FRIDAY_OFF, "2026-11-21", False),
        (FRIDAY_OFF, "2026-11-22", True),
        (CHRISTMAS, "2026-12-14", True),
        (CHRISTMAS, "2026-12-15", False),
        (CHRISTMAS, "2027-01-05", False),
        (CHRISTMAS, "2027-01-06", True),
        (SOUTH_AFRICA, "2026-12-16", False),  # Day of Reconciliation, a Wednesday
        (SOUTH_AFRICA, "2026-08-10", False),  # Women's Day fell on a Sunday
        (WorkCalendar(holidays="DE-BY"), "2026-11-01", False),
        (WorkCalendar(holidays="DE-BY"), "2026-06-04", False),  # Corpus Christi
        (WorkCalendar(holidays="DE-BE"), "2026-06-04", True),
        (WorkCalendar(holidays="XX"), "2026-12-25", True),  # a region that is gone has no holidays
    ],
)
def test_which_days_are_worked(calendar: WorkCalendar, day: str, worked: bool) -> None:
    assert calendar.is_workday(date.fromisoformat(day)) is worked


@pytest.mark.parametrize(
    ("calendar", "day", "count", "after", "before"),
    [
        (WEEK, "2026-11-20", 1, "2026-11-23", "2026-11-19"),
        (WEEK, "2026-11-21", 1, "2026-11-23", "2026-11-20"),
        (WEEK, "2026-11-22", 2, "2026-11-24", "2026-11-19"),
        (WEEK, "2026-11-22", 0, "2026-11-22", "2026-11-22"),
        (FRIDAY_OFF, "2026-11-19", 1, "2026-11-22", "2026-11-18"),
        (FRIDAY_OFF, "2026-11-20", 5, "2026-11-26", "2026-11-15"),
        (CHRISTMAS, "2026-12-14", 1, "2027-01-06", "2026-12-11"),
        (CHRISTMAS, "2026-12-20", 2, "2027-01-07", "2026-12-11"),
        (SOUTH_AFRICA, "2026-12-24", 1, "2026-12-28", "2026-12-23"),
    ],
)
def test_the_nth_working_day(calendar: WorkCalendar, day: str, count: int, after: str, before: str) -> None:
    start = date.fromisoformat(day)
    assert calendar.after(start, count).isoformat() == after
    assert calendar.before(start, count).isoformat() == before
    assert count_between(calendar, start, calendar.after(start, count)) == count


def test_a_day_off_moves_to_the_next_or_the_last_working_day() -> None:
    saturday, friday = date(2026, 11, 21), date(2026, 11, 20)
    assert WEEK.on_or_after(saturday) == date(2026, 11, 23)
    assert WEEK.on_or_before(saturday) == friday
    assert WEEK.on_or_after(friday) == WEEK.on_or_before(friday) == friday
    assert count_between(WEEK, saturday, friday) == 0


def test_at_the_ends_of_the_calendar_working_days_stop() -> None:
    never = WorkCalendar(days_off=((date(1, 1, 1), date(1, 1, 31)), (date(9999, 12, 1), date.max)))
    assert never.on_or_after(date(9999, 12, 24)) == date.max
    assert never.on_or_before(date(1, 1, 20)) == date.min
    assert WEEK.after(date(9999, 12, 30), 50) == date.max
    assert WEEK.before(date(1, 1, 3), 50) == date.min


def count_between(calendar: WorkCalendar, start: date, end: date) -> int:
    """How many working days lie after one day and not after another, counted one by one."""
    return sum(calendar.is_workday(start + timedelta(day)) for day in range(1, (end - start).days + 1))


@given(CALENDARS, st.dates(date(2019, 6, 1), date(2031, 1, 1)), st.integers(1, 40))
def test_the_nth_working_day_is_one_and_strictly_later(calendar: WorkCalendar, day: date, count: int) -> None:
    found = calendar.after(day, count)
    assert found > day
    assert calendar.is_workday(found)
    assert count_between(calendar, day, found) == count
    found = calendar.before(day, count)
    assert found < day
    assert calendar.is_workday(found)
    assert count_between(calendar, found - timedelta(1), day - timedelta(1)) == count


@given(CALENDARS, DAYS)
def test_moving_to_a_working_day_moves_past_days_off_only(calendar: WorkCalendar, day: date) -> None:
    later, earlier = calendar.on_or_after(day), calendar.on_or_before(day)
    assert earlier <= day <= later
    assert later == date.max or calendar.is_workday(later)
    assert not any(calendar.is_workday(day + timedelta(n)) for n in range((later - day).days))
    assert not any(calendar.is_workday(day - timedelta(n)) for n in range((day - earlier).days))


# --- Regions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "region", "near"),
    [
        ("ZA", "ZA", None),
        ("za", "ZA", None),
        (" DE-by ", "DE-BY", None),
        ("US-CA", "US-CA", None),
        ("ZZ", None, ""),
        ("DE-XQ", None, "DE"),
        ("", None, ""),
        ("ECB", None, None),  # a market of the package, not a country
        ("HolidayBase", None, None),
        ("South Africa", None, None),
    ],
)
def test_a_region_of_the_holidays_package(text: str, region: str | None, near: str | None) -> None:
    assert parse_region(text) == region
    if near is not None:
        assert suggest_region(text) == near


def test_every_country_that_the_package_knows_has_a_calendar() -> None:
    from holidays import list_supported_countries

    countries = [code for code in list_supported_countries(include_aliases=False) if len(code) == 2]
    assert len(countries) > 200
    for code in countries:
        assert parse_region(code) == code
        calendar = WorkCalendar(holidays=code)
        for year in (1, 1899, 1900, 2026, 2200, 2201, 9999):
            assert calendar.after(date(year, 6, 15), 5) > date(year, 6, 15), (code, year)


def test_a_calendar_without_a_region_does_not_import_holidays() -> None:
    code = (
        "import sys; from datetime import date; from notesync.followup.work_calendar import WorkCalendar\n"
        "WorkCalendar().after(date(2026, 11, 22), 2)\n"
        "sys.exit(any(name in sys.modules for name in ('holidays', 'dateutil', 'calendar', 'zoneinfo')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- Adding ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "interval", "result"),
    [
        ("2026-01-31", Interval(1, "month"), "2026-02-28"),
        ("2028-01-31", Interval(1, "month"), "2028-02-29"),
        ("2026-10-31", Interval(1, "month"), "2026-11-30"),
        ("2026-11-30", Interval(3, "month"), "2027-02-28"),
        ("2026-12-31", Interval(1, "month"), "2027-01-31"),
        ("2026-03-31", Interval(-1, "month"), "2026-02-28"),
        ("2026-01-15", Interval(-1, "month"), "2025-12-15"),
        ("2028-02-29", Interval(1, "year"), "2029-02-28"),
        ("2028-02-29", Interval(4, "year"), "2032-02-29"),
        ("2096-02-29", Interval(4, "year"), "2100-02-28"),
        ("2028-02-28", Interval(1, "day"), "2028-02-29"),
        ("2026-11-22", Interval(2, "week"), "2026-12-06"),
        ("2026-11-22", Interval(0, "day"), "2026-11-22"),
        ("2026-11-22", Interval(0, "workday"), "2026-11-22"),
        ("2026-11-20", Interval(5, "workday"), "2026-11-27"),
        ("2026-11-22", Interval(-1, "workday"), "2026-11-20"),
        ("9999-12-01", Interval(1, "month"), "9999-12-31"),
        ("9999-12-01", Interval(9999, "year"), "9999-12-31"),
        ("9999-12-01", Interval(9999, "day"), "9999-12-31"),
        ("0001-02-01", Interval(-2, "month"), "0001-01-01"),
        ("0001-02-01", Interval(-9999, "week"), "0001-01-01"),
    ],
)
def test_a_day_and_an_interval(day: str, interval: Interval, result: str) -> None:
    assert add_interval(date.fromisoformat(day), interval, WEEK).isoformat() == result


@given(DAYS, INTERVALS.filter(lambda interval: interval.unit != "workday"))
def test_adding_never_raises(day: date, interval: Interval) -> None:
    result = add_interval(day, interval, WEEK)
    assert (result >= day) if interval.count >= 0 else (result <= day)


@given(DAYS, DAYS, SHORT_INTERVALS, CALENDARS)
def test_adding_keeps_the_order_of_days(
    first: date, second: date, interval: Interval, calendar: WorkCalendar
) -> None:
    first, second = sorted((first, second))
    assert add_interval(first, interval, calendar) <= add_interval(second, interval, calendar)


@given(DAYS, SHORT_INTERVALS)
def test_a_longer_interval_does_not_end_sooner(day: date, interval: Interval) -> None:
    longer = interval._replace(count=interval.count + 1)
    assert day <= add_interval(day, interval, WEEK) <= add_interval(day, longer, WEEK)


# --- Dates -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-25", ("2026-11-25", None, None)),
        (" 2026-11-25 ", ("2026-11-25", None, None)),
        ("2028-02-29", ("2028-02-29", None, None)),
        ("0001-01-01", ("0001-01-01", None, None)),
        ("2026-11-25T14:30", ("2026-11-25", 870, None)),
        ("2026-11-25 14:30", ("2026-11-25", 870, None)),
        ("2026-11-25t14:30", ("2026-11-25", 870, None)),
        ("2026-11-25  14:30", ("2026-11-25", 870, None)),
        ("2026-11-25T00:00", ("2026-11-25", 0, None)),
        ("2026-11-25T14:30:59", ("2026-11-25", 870, None)),
        ("2026-11-25T14:30:59.123", ("2026-11-25", 870, None)),
        ("2026-11-25T14:30Z", ("2026-11-25", 870, 0)),
        ("2026-11-25T14:30:00+02:00", ("2026-11-25", 870, 120)),
        ("2026-11-25 14:30:00 +0200", ("2026-11-25", 870, 120)),
        ("2026-11-25T14:30-05", ("2026-11-25", 870, -300)),
        ("2026-11-25T14:30+05:45", ("2026-11-25", 870, 345)),
        ("[[2026-11-25]]", ("2026-11-25", None, None)),
        ("[[Daily/2026-11-25]]", ("2026-11-25", None, None)),
        ("[[2026-11-25|Wednesday]]", ("2026-11-25", None, None)),
        ("[[2026-11-25#Calls]]", ("2026-11-25", None, None)),
        ("[[2026-11-25]] 14:30", ("2026-11-25", 870, None)),
        ("2026-02-30", None),
        ("2026-02-29", None),
        ("0000-00-00", None),
        ("2026-13-01", None),
        ("2026-2-3", None),
        ("2026-11", None),
        ("2026", None),
        ("20261125", None),
        ("2026-W48-3", None),
        ("2026-W48", None),
        ("2026-330", None),
        ("25/11/2026", None),
        ("Nov 25 2026", None),
        ("tomorrow", None),
        ("", None),
        ("2026-11-25T", None),
        ("2026-11-25T14", None),
        ("2026-11-25 9:30", None),
        ("2026-11-25T24:00", None),
        ("2026-11-25T14:60", None),
        ("2026-11-25T14:30+25:00", None),
        ("2026-11-25T14:30+02:75", None),
        ("2026-11-25 (late)", None),
        ("2026-11-25, 2026-11-26", None),
        ("２０２６-11-25", None),
        ("٢٠٢٦-١١-٢٥", None),
        ("2026-11-2٥", None),
        ("[[2026-11-25", None),
        ("[[2026-11]]", None),
        ("{{date}}", None),
        ("2026\N{NON-BREAKING HYPHEN}11\N{NON-BREAKING HYPHEN}25", None),
    ],
)
def test_a_date_is_iso_or_nothing(text: str, expected: tuple[str, int | None, int | None] | None) -> None:
    written = parse_date(text)
    assert (written and (written.day.isoformat(), written.minute, written.offset)) == expected


@given(st.dates(), st.none() | st.times())
def test_every_iso_date_is_read(day: date, time: object) -> None:
    text = day.isoformat() if time is None else f"{day.isoformat()}T{time}"
    written = parse_date(text)
    assert written is not None
    assert written.day == day
    assert (written.minute is None) == (time is None)


@given(st.text() | st.from_regex(r"\[?\[?[0-9]{1,4}[-/.][0-9]{1,2}[-/.T ][0-9]{1,4}.{0,12}"))
def test_any_text_is_a_date_or_not(text: str) -> None:
    parse_date(text)
    parse_clock(text)
    parse_weekday(text)
    parse_when(text, date(2026, 11, 22), WEEK)
    parse_when(text, date(2026, 11, 22), WEEK, past=True)
    for reading in filter(None, suggest_date(text).split(" or ")):
        assert parse_date(reading) is not None


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("25/11/2026", "2026-11-25"),
        ("11/25/2026", "2026-11-25"),
        ("25.11.2026", "2026-11-25"),
        ("25. 11. 2026", "2026-11-25"),
        ("25-11-2026", "2026-11-25"),
        ("25/11/26", "2026-11-25"),
        ("01/01/1980", "1980-01-01"),
        ("12/11/2026", "2026-11-12 or 2026-12-11"),
        ("12/11/2026 9:30", "2026-11-12 09:30 or 2026-12-11 09:30"),
        ("2026/11/25", "2026-11-25"),
        ("2026.11.25", "2026-11-25"),
        ("2026-2-3", "2026-02-03"),
        ("[[2026-2-3]]", "2026-02-03"),
        ("20261125", "2026-11-25"),
        ("Nov 25 2026", "2026-11-25"),
        ("25 November 2026", "2026-11-25"),
        ("25th of November, 2026", "2026-11-25"),
        ("Sept 1, 2026", "2026-09-01"),
        ("Friday, December 9th 2022, 1:36:16 am", "2022-12-09 01:36"),
        ("Friday, December 9th 2022, 12:05 am", "2022-12-09 00:05"),
        ("Friday, December 9th 2022, 1:05 pm", "2022-12-09 13:05"),
        ("2022年6月9日15:47", "2022-06-09 15:47"),
        ("1700000000000", "2023-11-14"),
        ("２０２６-11-25", "2026-11-25"),
        ("٢٠٢٦-١١-٢٥", "2026-11-25"),
        ("2026-02-30", "2026-02-28"),
        ("2026-11-25 9:30", "2026-11-25 09:30"),
        ("2026-11-25 (late)", "2026-11-25"),
        ("2015-03-17 14:00:00 -4", "2015-03-17 14:00"),
        ("99/99/2026", ""),
        ("2026-11", ""),
        ("25 Nov", ""),
        ("tomorrow", ""),
        ("0000-00-00", ""),
        ("", ""),
    ],
)
def test_what_was_probably_meant(text: str, suggestion: str) -> None:
    assert suggest_date(text) == suggestion


def test_a_suggestion_for_a_whole_page_takes_no_time() -> None:
    assert suggest_date("9 " * 100_000) == ""


# --- WHEN ------------------------------------------------------------------------------------------------

SUNDAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("text", "day", "minute"),
    [
        ("2026-11-25", "2026-11-25", None),
        ("2026-11-25T14:30", "2026-11-25", 870),
        ("2026-11-25 9:30", "2026-11-25", 570),
        ("today", "2026-11-22", None),
        ("Today", "2026-11-22", None),
        ("tomorrow", "2026-11-23", None),
        ("tomorrow 9:00", "2026-11-23", 540),
        ("monday", "2026-11-23", None),
        ("mon", "2026-11-23", None),
        ("Sat", "2026-11-28", None),
        ("sunday", "2026-11-29", None),  # strictly after today
        ("thurs", "2026-11-26", None),
        ("fri 14:30", "2026-11-27", 870),
        ("3d", "2026-11-25", None),
        ("0d", "2026-11-22", None),
        ("2w", "2026-12-06", None),
        ("5 workdays", "2026-11-27", None),
        ("1m", "2026-12-22", None),
        ("in 3 days", "2026-11-25", None),
        ("in a month", "2026-12-22", None),
        ("quarter", "2027-02-22", None),
        ("9999 years", "9999-12-31", None),
    ],
)
def test_when(text: str, day: str, minute: int | None) -> None:
    assert parse_when(text, SUNDAY, WEEK) == (date.fromisoformat(day), minute)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "next friday",
        "mo",
        "-3d",
        "3",
        "14:30",
        "2026-02-30",
        "25/11/2026",
        "2026-11-25T14:30Z",
        "weekly",
        "fri 25:00",
    ],
)
def test_not_a_when(text: str) -> None:
    assert parse_when(text, SUNDAY, WEEK) is None


def test_when_at_the_end_of_time() -> None:
    assert parse_when("tomorrow", date.max, WEEK) == (date.max, None)
    assert parse_when("fri", date.max, WEEK) == (date.max, None)


@given(DAYS, st.integers(0, 6))
def test_a_weekday_is_the_next_one_strictly_after_today(today: date, number: int) -> None:
    names = ["mon", "tuesday", "wed", "thu", "friday", "saturday", "sun"]
    found = parse_when(names[number], today, WEEK)
    assert found is not None
    if today < date(9999, 12, 20):
        assert found[0].weekday() == number == parse_weekday(names[number])
        assert 1 <= (found[0] - today).days <= 7


@pytest.mark.parametrize(
    ("text", "day", "minute"),
    [
        ("yesterday", "2026-11-21", None),
        ("yesterday 9:30", "2026-11-21", 570),
        ("today", "2026-11-22", None),
        ("14:30", "2026-11-22", 870),
        ("fri", "2026-11-20", None),
        ("sunday", "2026-11-15", None),  # strictly before today
        ("monday 8:00", "2026-11-16", 480),
        ("2026-11-20 14:30", "2026-11-20", 870),
        ("tomorrow", "2026-11-23", None),
        ("3d", "2026-11-25", None),
    ],
)
def test_when_something_happened(text: str, day: str, minute: int | None) -> None:
    assert parse_when(text, SUNDAY, WEEK, past=True) == (date.fromisoformat(day), minute)


def test_when_something_happened_at_the_beginning_of_time() -> None:
    assert parse_when("yesterday", date.min, WEEK, past=True) == (date.min, None)
    assert parse_when("25:00", SUNDAY, WEEK, past=True) is None


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("9:30", 570),
        ("09:30", 570),
        ("0:00", 0),
        ("23:59", 1439),
        ("24:00", None),
        ("9:5", None),
        ("9h", None),
        ("", None),
    ],
)
def test_a_time_of_day(text: str, minute: int | None) -> None:
    assert parse_clock(text) == minute


def test_a_day_in_words() -> None:
    assert format_day(date(2026, 11, 24)) == "Tue 24 Nov"
    assert format_day(date(2026, 11, 24), 2026) == "Tue 24 Nov"
    assert format_day(date(2027, 1, 5), 2026) == "Tue 5 Jan 2027"
