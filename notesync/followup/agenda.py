"""Follow-ups and a moment in, what is overdue, due and upcoming out: status, lateness, order, totals.

Nothing that is stored depends on today; what does is judged here.  Pure: no disk, no clock, no SQL.
This module is on the way of every ``check``, so it imports next to nothing, and the rows that it
judges by the thousand are plain tuples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

OVERDUE = "overdue"
DUE = "due"
UPCOMING = "upcoming"
MISSED = "missed"
STATUSES = (OVERDUE, DUE, UPCOMING, MISSED)

CONTACT = 1  # a contact, not a mere task: while it is open, the cadence says nothing
CADENCE = 2
BEHIND = 4  # a cadence of a client with an agreed contact: while that stands, it says nothing
WAITS = 8  # for something else, whatever its days
CONFLICT = 16  # only a conflict copy of the note holds it


class Moment(NamedTuple):
    """Now, or the day asked about, in the settings' zone: a day and the minutes since midnight."""

    day: date
    minute: int = 0


class Judged(NamedTuple):
    """A follow-up with what a moment makes of it.  Such tuples sort in the order of lists everywhere.

    The order is status, kind, days late, value, name; the day and minute it closes and its place in the notes
    decide the rest.  ``order`` is the place in STATUSES, ``rank`` that of the kind; ``early`` is minus the days
    late, ``modesty`` minus the value.  ``place`` and ``label`` are the two halves of its line of text, around the
    status.  ``follow_up`` and ``client`` are the index's keys; days are ordinals, None without a date.
    """

    order: int
    rank: int
    early: int
    modesty: float
    name: str
    closes: int
    place: str
    label: str
    follow_up: int
    client: int
    flags: int
    opens: int | None
    due: int | None
    minute: int | None
    retry_on: int | None

    @property
    def status(self) -> str:
        """overdue, due, upcoming or missed."""
        return STATUSES[self.order]


class Verdict(NamedTuple):
    """What a moment makes of all rows: those to show and those missed, in order, and what stands behind what.

    ``hidden`` are the cadences (keys) held back behind something else, each with its client, ``busy`` the clients
    (keys) with an open contact, ``waiting`` those whose cadence would be due if it were not held back.
    """

    shown: list[Judged]
    hidden: dict[int, int]
    busy: set[int]
    waiting: set[int]
    missed: list[Judged]


class Totals(NamedTuple):
    """Counts of items by status, of clients with something overdue or due, and the value at risk.

    What is ``missed`` stands apart: it belongs to none of the others.
    """

    overdue: int
    due: int
    upcoming: int
    clients: int
    value_at_risk: float
    currency: str
    missed: int = 0


def judge(rows: Iterable[tuple[Any, ...]], moment: Moment) -> Verdict:
    """Status and lateness of every row of the index, in the order of lists.

    A row is key, client, rank, flags, opens, due, minute, value, name, place, label, expires, retry_on.  A
    follow-up without a date is due; a timed one is overdue once its minute has passed.  After its day to expire
    it is missed; what waits, or is to be tried again only later, is upcoming whatever its days.  A cadence is held
    back while an agreed next contact stands or another contact of that client is open.
    """
    today, minute = moment.day.toordinal(), moment.minute
    make = tuple.__new__  # there are thousands: a third of the time of calling the class
    judged: list[Judged] = []
    cadences: list[Judged] = []
    missed: list[Judged] = []
    busy: set[int] = set()
    for key, client, rank, flags, opens, due, at, value, name, place, label, expires, retry_on in rows:
        order, early, closes = _DUE, 0, 0
        if due is not None:
            closes = due * 1440 + (at or 0)
            if due < today:
                order, early = _OVERDUE, due - today
            elif opens > today:
                order = _UPCOMING
            elif at is not None and at < minute and due == today:
                order = _OVERDUE
        if expires is not None and expires < today:
            order, early = _MISSED, 0
        elif flags & WAITS or (retry_on is not None and retry_on > today):
            order, early = _UPCOMING, 0
        entry = make(
            Judged,
            (
                order,
                rank,
                early,
                -(value or 0.0),
                name,
                closes,
                place,
                label,
                key,
                client,
                flags,
                opens,
                due,
                at,
                retry_on,
            ),
        )
        if order == _MISSED:
            missed.append(entry)
        elif flags & CADENCE:
            cadences.append(entry)
        else:
            judged.append(entry)
            if flags & CONTACT and order != _UPCOMING:
                busy.add(client)
    held = [entry for entry in cadences if entry.flags & BEHIND or entry.client in busy]
    hidden = {entry.follow_up: entry.client for entry in held}
    judged += [entry for entry in cadences if entry.follow_up not in hidden] if held else cadences
    judged.sort()
    missed.sort()
    waiting = {entry.client for entry in held if entry.order != _UPCOMING}
    return Verdict(judged, hidden, busy, waiting, missed)


_OVERDUE, _DUE, _UPCOMING, _MISSED = range(4)  # the places of STATUSES

SORTS: dict[str, Callable[[Judged], tuple[object, ...]]] = {
    "urgency": tuple,
    "due": lambda item: (item.due is None, item.closes, item),
    "value": lambda item: (item.modesty, item),
    "client": lambda item: (item.name, item),
}


def count(judged: Sequence[Judged], currency: str, missed: int = 0) -> Totals:
    """The totals of what is shown: items by status, clients with work now, and the value at risk.

    Value at risk is the sum of the values of the clients with something overdue, each client once.  ``missed``
    is how many are missed; they are not among those judged.
    """
    counts = [0, 0, 0]
    at_risk: dict[int, float] = {}
    clients: set[int] = set()
    for item in judged:
        order = item.order
        counts[order] += 1
        if order != _UPCOMING:
            clients.add(item.client)
            if order == _OVERDUE and item.modesty:
                at_risk[item.client] = -item.modesty
    overdue, due, upcoming = counts
    return Totals(overdue, due, upcoming, len(clients), sum(at_risk.values()), currency, missed)
