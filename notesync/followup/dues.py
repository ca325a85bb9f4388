"""A client in, all that has fallen due out: each with its window, and what had become of it by a day.

A follow-up is gone once it is settled, so a look back asks the rules again: the plans' steps with every turn they
had, the cadence between one contact and the next, promises and complaints, tasks, the contact agreed, the first call
to somebody referred.  Windows and settling are the rules' own, so that this can contradict no list of today.  What
the notes do not keep is not here: an agreed contact that was kept and then replaced, a pause that is over.

This module knows no period, no note, no disk and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.follow_up import is_contact, kind_of, name_day
from notesync.followup.promises import (
    COMPLAINT,
    PROMISE,
    find_about,
    find_cases,
    find_day,
    is_on_its_own,
    order_tagged,
)
from notesync.followup.referrals import find_first_window, find_referral
from notesync.followup.rules import (
    find_agreed_contact,
    find_alive,
    find_cadence,
    find_cadence_windows,
    find_earliest,
    find_task_window,
)
from notesync.followup.steps import ENDED, MISSED, SETTLED, WAITS, Turned, find_turns
from notesync.notes.links import show_link

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.follow_up import Context, FollowUp, Past
    from notesync.notes.body import Entry

IN_WINDOW, LATE, LEFT_OUT, OPEN = STATES = ("in window", "late", "missed", "open")

NO_STEPS = frozenset(("cadence", "task", "agreed contact", "promise", "complaint", "referral"))
"""What stands for a step in what no plan asks for."""


class Due(NamedTuple):
    """Something that fell due: its window, and its ``state``, one of STATES; ``settled`` is the day it was.

    ``step`` is the plan's step, else what stands for it (``cadence``, ``task``).  ``taken``: an untagged contact
    was taken to settle it.  ``sold`` is the day of the sale that it belongs to.  ``path`` and ``line`` are where it
    was settled, else what causes it.
    """

    kind: str
    step: str
    title: str
    opens: date
    closes: date
    state: str
    settled: date | None
    taken: bool
    sold: date | None
    path: str
    line: int

    def count_late(self, today: date) -> int:
        """How many days after its window it was settled, or has not been by today."""
        return max(0, ((self.settled or today) - self.closes).days)


def find_dues(client: Client, context: Context, past: Past, contacts: Sequence[date]) -> list[Due]:
    """All that was due before the day of the past, or is done on it, in no order.

    ``contacts`` are the days of all contacts that the client's cadence counts from, in order.  Of a client who is
    not to be contacted any more only what was settled.
    """
    found = [
        *_find_of_steps(client, context, past),
        *_find_of_cases(client, context, past),
        *_find_of_tasks(client, context, past),
        *_find_of_agreed(client, context, past),
        *_find_of_cadence(client, context, past, contacts),
        *_find_of_referral(client, context, past),
    ]
    if client.do_not_contact:
        found = [due for due in found if due.settled is not None]
    # A window that closes today has not closed yet: what is still to do in it is not late.
    return [due for due in found if due.closes < past.as_of or (due.closes == past.as_of and due.settled)]


def _judge(closes: date, settled: date | None) -> str:
    if settled is None:
        return OPEN
    return IN_WINDOW if settled <= closes else LATE


# --- Steps -----------------------------------------------------------------------------------------------


def _find_of_steps(client: Client, context: Context, past: Past) -> Iterator[Due]:
    settling: dict[tuple[date, str], Entry] = {}  # the first of a day with a tag, with '' of all
    for entry in client.log:
        if not entry.attempt:
            for tag in ("", *entry.tags):
                settling.setdefault((entry.day, tag), entry)
    for turn in find_turns(client, context, past, find_alive(client, context, past)):
        if turn.opens is None or turn.closes is None or turn.status in (ENDED, WAITS):
            continue
        settled = turn.settled
        state = LEFT_OUT if turn.status == MISSED else _judge(turn.closes, settled and settled.day)
        by = _find_settling(settling, turn) if turn.status == SETTLED else None
        path, line = (by.path or client.path, by.line) if by else (turn.path, turn.line)
        step = turn.step
        yield Due(
            step.kind, step.name, step.title, turn.opens, turn.closes, state, settled and settled.day,
            settled is not None and settled.taken, turn.sold, path, line,
        )  # fmt: skip


def _find_settling(settling: Mapping[tuple[date, str], Entry], turn: Turned) -> Entry | None:
    """The entry that settled a turn: of its day, with its tag, else without any."""
    if turn.settled is None:
        return None
    day = turn.settled.day
    return settling.get((day, turn.step.tag)) or settling.get((day, ""))


# --- Promises, complaints, tasks -------------------------------------------------------------------------


def _find_of_cases(client: Client, context: Context, past: Past) -> Iterator[Due]:
    log = order_tagged(client)
    for kind in (PROMISE, COMPLAINT) if log else ():
        for case in find_cases(client, log, kind, past.as_of):
            if kind == COMPLAINT and not is_on_its_own(case, context):
                continue  # its plan's steps tell of it
            day, _ = find_day(case, context)
            title = find_about(case) or f"a {kind}"
            place = case.entry.path or client.path, case.entry.line
            yield Due(kind, kind, title, day, day, _judge(day, case.closed), case.closed, False, None, *place)


def _find_of_tasks(client: Client, context: Context, past: Past) -> Iterator[Due]:
    """Tasks with a day; of those ticked off only where the day of that is told, none that were given up."""
    for task in client.tasks:
        kind = kind_of(task)
        dated = task.due or task.scheduled
        if (
            task.cancelled is not None
            or task.mark == "-"
            or (dated is None and kind not in (PROMISE, COMPLAINT))
        ):
            continue
        if not task.open and (task.done is None or task.done > past.as_of):
            continue
        opens, due, _ = find_task_window(task, kind, context.calendar)
        if opens is None or due is None:
            continue
        place = task.path or client.path, task.line
        title = show_link(task.text) or "Task"
        yield Due(kind, "task", title, opens, due, _judge(due, task.done), task.done, False, None, *place)


# --- Contacts --------------------------------------------------------------------------------------------


def list_contacts(client: Client, as_of: date) -> list[date]:
    """The days of all contacts up to a day, in order, each once; a last contact that is only noted is one."""
    days = {entry.day for entry in client.log if not entry.attempt}
    days |= {task.done for task in client.tasks if task.done is not None and is_contact(task)}
    if client.last_contact is not None:
        days.add(client.last_contact.day)
    return sorted(day for day in days if day <= as_of)


def _find_of_agreed(client: Client, context: Context, past: Past) -> Iterator[Due]:
    """The contact agreed that the note still names."""
    agreed = client.next_contact
    if agreed is None:
        return
    kind = "contact" if agreed.minute is None else PROMISE
    settled = None
    if not list(find_agreed_contact(client, context, past)):
        earliest = find_earliest(agreed, context.calendar)
        settled = next((day for day in list_contacts(client, past.as_of) if day >= earliest), None)
        if settled is None:
            return
    title = client.next_action or "Contact as agreed"
    yield Due(
        kind, "agreed contact", title, agreed.day, agreed.day, _judge(agreed.day, settled), settled, False, None,
        client.path, agreed.line,
    )  # fmt: skip


def _find_of_cadence(client: Client, context: Context, past: Past, contacts: Sequence[date]) -> Iterator[Due]:
    days = sorted({*contacts, *_find_restarts(client, past.as_of)})
    place = client.path, client.every_line
    for opens, closes, contact in find_cadence_windows(client, context, days):
        state = _judge(closes, contact)
        yield Due(*_CADENCE, opens, closes, state, contact, False, None, *place)
    for found in _find_open(find_cadence(client, context, past)):
        yield Due(*_CADENCE, *found, OPEN, None, False, None, *place)


_CADENCE = ("keep-in-touch", "cadence", "Keep in touch")


def _find_restarts(client: Client, as_of: date) -> Iterator[date]:
    for key in ("sold", "lost"):
        anchor = client.anchors.get(key)
        if anchor is not None and anchor.day <= as_of:
            yield anchor.day


def _find_open(found: Iterable[FollowUp]) -> Iterator[tuple[date, date]]:
    for each in found:
        if each.opens is not None and each.due is not None:
            yield each.opens, each.due


def _find_of_referral(client: Client, context: Context, past: Past) -> Iterator[Due]:
    if not client.referred_by:
        return
    own = list_contacts(client, past.as_of)
    opens, closes = find_first_window(client, context, past.as_of)
    is_open = any(find_referral(client, context, past))
    if opens is None or closes is None or not (own or is_open):
        return
    settled = own[0] if own else None
    title = f"Call {client.name}, referred by {client.referred_by}"
    state = _judge(closes, settled)
    yield Due("referral", "referral", title, opens, closes, state, settled, False, None, client.path, 1)


def describe(due: Due, today: date) -> str:
    """``Ask whether they are satisfied: closed Mon 9 Nov 2026, settled 2 days late``."""
    late = due.count_late(today)
    days = f"{late} day{'' if late == 1 else 's'}"
    how = {
        IN_WINDOW: f"settled {name_day(due.settled)}" if due.settled else "",
        LATE: f"settled {days} late",
        LEFT_OUT: "missed",
        OPEN: f"open, {days} late",
    }[due.state]
    taken = " (taken as settled by an untagged contact)" if due.taken else ""
    return f"{due.title}: closed {name_day(due.closes)}, {how}{taken}"
