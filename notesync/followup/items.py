"""What people and programs see of follow-ups and clients, and the plan of the days ahead.

Values that are filled once judging has said what is shown; pure, and loaded only when they are needed: a
plain list of lines does without.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from notesync.followup.agenda import DUE, OVERDUE, Totals
from notesync.problems import Problem


class Item(NamedTuple):
    """One follow-up as people and programs see it; the fields are those of ``check --format json``.

    ``opens`` and ``due`` are ISO texts, with a time where there is one; ``value`` is in the settings'
    currency; ``minutes`` is the time to plan for it.
    """

    path: str
    line: int
    client_path: str
    client_id: str
    client: str
    company: str
    owner: tuple[str, ...]
    kind: str
    step: str | None
    title: str
    reason: str
    channel: str
    opens: str | None
    due: str | None
    status: str
    days_late: int
    value: float | None
    phone: tuple[str, ...]
    email: tuple[str, ...]
    best_time: str
    minutes: int
    attempts: int
    retry_on: str | None
    stale: bool
    conflict: bool
    uid: str
    stage: str
    rule: str
    contact_by: tuple[str, ...]
    not_by: tuple[str, ...]
    ask: tuple[str, ...] = ()
    waits: str = ""
    address: str = ""


ITEM_FIELDS = Item._fields[: Item._fields.index("uid") + 1]
"""What the command line promises of an item, in its order; the fields after ``uid`` are for our own tables."""


class Agenda(NamedTuple):
    """What ``check`` answers: the day asked about (ISO), the items in order, totals, and the problems."""

    today: str
    items: list[Item]
    totals: Totals
    problems: tuple[Problem, ...]


NO_END = "9999-12-31"  # of a pause until further notice


class ClientCard(NamedTuple):
    """A client as ``clients`` and ``show`` present it; ``wanted`` is days between contacts, 0 for none.

    ``paused_until`` is the day on which a pause ends that lasts today, :data:`NO_END` for one without an end.
    """

    path: str
    client_id: str
    name: str
    company: str
    role: str
    stage: str
    owner: tuple[str, ...]
    value: float | None
    phone: tuple[str, ...]
    email: tuple[str, ...]
    contact_by: tuple[str, ...]
    not_by: tuple[str, ...]
    best_time: str
    address: str
    website: str
    aliases: tuple[str, ...]
    last_contact: str | None
    next_contact: str | None
    wanted: int
    drift: float | None
    do_not_contact: bool
    paused_until: str | None
    stale: bool


class DayPlan(NamedTuple):
    """One day of the agenda: what falls due, overdue work taken on, the minutes of both.

    ``capacity`` is how many of them may be overdue work's; 0 on a day off.
    """

    day: date
    items: list[Item]
    overdue: list[Item]
    minutes: int
    capacity: int

    @property
    def late_minutes(self) -> int:
        """The minutes of the overdue work."""
        return sum(item.minutes for item in self.overdue)


def plan_days(
    items: Sequence[Item], days: Sequence[date], working: Sequence[bool], capacity: int
) -> tuple[list[DayPlan], list[Item]]:
    """The days ahead with what falls due on each, and overdue work spread by rank up to the capacity.

    ``items`` are in the order of lists; ``capacity`` is minutes a working day for overdue work, which what falls
    due leaves alone: a broken promise must not wait behind what has weeks to go.  What is due now stands on the
    first working day, or today where that would be too late; overdue work goes, most pressing first, to the
    earliest working day with room, and what fits nowhere is returned.  A day always takes one overdue item, however
    long, if it has no other: an hour's visit must not fall through a half-hour's capacity.
    """
    plans = [
        DayPlan(day, [], [], 0, capacity if free else 0) for day, free in zip(days, working, strict=True)
    ]
    first = next((i for i, free in enumerate(working) if free), 0)
    minutes = [0] * len(plans)
    for item in items:
        if item.status == OVERDUE or not plans:
            continue
        at = _day_of_due(item, days, first) if item.status == DUE else _day_index(item, days)
        if at is not None:
            plans[at].items.append(item)
            minutes[at] += item.minutes
    late = [0] * len(plans)
    left: list[Item] = []
    for item in items:
        if item.status != OVERDUE:
            continue
        for at, free in enumerate(working):
            if free and (late[at] + item.minutes <= capacity or late[at] == 0):
                plans[at].overdue.append(item)
                late[at] += item.minutes
                break
        else:
            left.append(item)
    totals = zip(plans, minutes, late, strict=True)
    return [plan._replace(minutes=due + overdue) for plan, due, overdue in totals], left


def _day_of_due(item: Item, days: Sequence[date], first: int) -> int:
    """The first working day for what is due, but today for what closes before: what was agreed for a Sunday is then."""
    return 0 if item.due is not None and item.due[:10] < days[first].isoformat() else first


def _day_index(item: Item, days: Sequence[date]) -> int | None:
    opens = item.opens or item.due
    if opens is None or item.waits:
        return None
    opens = max(opens, item.retry_on or opens)
    shift = (date.fromisoformat(opens[:10]) - days[0]).days
    return shift if 0 <= shift < len(days) else None
