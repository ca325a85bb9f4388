"""Which days are worked: a week's days, less days off and public holidays, of which the holidays package knows.

That package is imported only for a calendar that names a country.  Results stop at `date.min` and `date.max`.  This
module knows no clock and no client.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

_ONE_DAY = timedelta(1)


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
