"""Dates that are spelled otherwise than ISO -> the ISO forms that they may mean.

In: a text.  Out: suggestions for a problem's hint, never a date to count on (FORMAT 2: never guessed).
Must not know: where the text stands.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

MONTH_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" if len(month) > 3 else month for month in MONTH_NAMES)


@lru_cache(maxsize=1)
def _compile_other_date() -> re.Pattern[str]:
    # Costs a millisecond that only a note with such a date need pay.
    return re.compile(
        rf"""(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?[ ]+)?(?:
          (?P<a>\d{{1,4}})(?P<sep>[./-])(?P<b>\d{{1,2}})(?P=sep)(?P<c>\d{{1,4}})
        | (?P<compact>\d{{8}})
        | (?P<ja>\d{{4}})年(?P<jb>\d{{1,2}})月(?P<jc>\d{{1,2}})日
        | (?P<d1>\d{{1,2}})(?:st|nd|rd|th)?[ ]+(?:of[ ]+)?(?P<m1>{_MONTH}|sept)\.?,?(?:[ ]+(?P<y1>\d{{4}}))?
        | (?P<m2>{_MONTH}|sept)\.?[ ]+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?:,?[ ]+(?P<y2>\d{{4}}))?
        | (?P<short>\d{{1,2}}[./]\d{{1,2}}\.?)(?![\w./-])
        )(?:(?<=日)|(?!\w))""",
        re.VERBOSE | re.IGNORECASE,
    )


def match_spelled(text: str) -> re.Match[str] | None:
    """The date, spelled otherwise than ISO, that a text begins with, whether there is such a day or not."""
    return _compile_other_date().match(text)


def suggest_dates(text: str) -> tuple[str, ...]:
    """ISO readings of a text that begins with a date spelled otherwise: one, two if undecidable, none."""
    found = match_spelled(text)
    if found is None:
        return ()
    group = found.groupdict()
    triples: list[tuple[str | None, int | str | None, str | None]] = []
    if group["a"]:
        first, second, third = group["a"], group["b"], group["c"]
        by_day = [(third, second, first), (third, first, second)]
        triples = [(first, second, third)] if len(first) == 4 else by_day
    elif compact := group["compact"]:
        triples = [(compact[:4], compact[4:6], compact[6:])]
    elif group["ja"]:
        triples = [(group["ja"], group["jb"], group["jc"])]
    elif group["m1"]:
        triples = [(group["y1"], _month_number(group["m1"]), group["d1"])]
    elif group["m2"]:
        triples = [(group["y2"], _month_number(group["m2"]), group["d2"])]
    return tuple(dict.fromkeys(iso for triple in triples if (iso := _to_iso(*triple))))


def _month_number(name: str) -> int:
    return next(n for n, month in enumerate(MONTH_NAMES, 1) if month.startswith(name[:3].casefold()))


def _to_iso(year: str | None, month: int | str | None, day: str | None) -> str:
    """The ISO form of a date's parts; '' if one is missing or there is no such day."""
    if not year or not month or not day or len(year) not in (2, 4):
        return ""
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def hint_date(text: str) -> str:
    """What to write instead of a text that should have been a date."""
    readings = suggest_dates(text)
    if not readings:
        return "Write the day as year-month-day, for example 2026-11-25."
    return (
        f"Write {' or '.join(readings)}, whichever is meant."
        if len(readings) > 1
        else f"Write {readings[0]}."
    )
