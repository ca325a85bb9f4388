"""A stored reason and a day in, the reason as people say it on that day out.

What is stored of a follow-up does not depend on today, so it names days.  Seen from a day, a window closes today or
has closed, and a complaint has an age.  Pure: no disk, no clock, no index.
"""

from __future__ import annotations

import re
from datetime import date

from notesync.notes.spelled import MONTH_NAMES

_DAY = r"[A-Z][a-z]{2} [0-9]{1,2} [A-Z][a-z]{2}"  # as format_day has it, without its year
_CLOSES = re.compile(rf"; window closes ({_DAY}(?: [0-9]{{4}})?)")
_DELIVERED = re.compile(r"^delivered on(?= [A-Z][a-z]{2} ([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4}))")
_RAISED = re.compile(r"^raised [A-Z][a-z]{2} ([0-9]{1,2}) ([A-Z][a-z]{2}) ([0-9]{4})")
_MONTHS = {name[:3].title(): number for number, name in enumerate(MONTH_NAMES, 1)}


def tell_reason(reason: str, closes: date | None, today: date) -> str:
    """``delivered on Tue 17 Nov 2026; window closes today``; ``raised Thu 19 Nov 2026, 3 days ago, …``."""
    if closes is not None:
        reason = _CLOSES.sub(lambda found: f"; window {_tell_closing(found[1], closes, today)}", reason, 1)
    reason = _DELIVERED.sub(lambda found: f"{_tell_delivery(found, today)} on", reason, 1)
    return _RAISED.sub(lambda found: f"{found[0]}, {_tell_age(found, today)}", reason, 1)


def _tell_closing(day: str, closes: date, today: date) -> str:
    near = {-1: "closed yesterday", 0: "closes today", 1: "closes tomorrow"}.get((closes - today).days)
    return near or f"{'closed' if closes < today else 'closes'} {day}"


def _tell_delivery(delivered: re.Match[str], today: date) -> str:
    return "delivery" if _read_day(delivered) > today else "delivered"


def _read_day(found: re.Match[str]) -> date:
    return date(int(found[3]), _MONTHS[found[2]], int(found[1]))


def _tell_age(raised: re.Match[str], today: date) -> str:
    days = (today - _read_day(raised)).days
    return {0: "today", 1: "yesterday"}.get(days) or f"{days} days ago"
