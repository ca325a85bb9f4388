"""Each client's state and a period in, lines of what was true of them then out: in touch, drifting, kept informed.

A state is of a span, or of its last day; what happened on a day is evidence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from notesync.followup.evidence import Lines, State
from notesync.followup.figures import Line
from notesync.followup.follow_up import name_day
from notesync.followup.period import Period
from notesync.followup.rules import find_drift

_MONTH = timedelta(31)
_YEAR = timedelta(365)


def find_states(states: Iterable[State], period: Period, until: date) -> Lines:
    """The lines of what is true of clients in a period, or on its last day."""
    lines: Lines = defaultdict(list)
    for state in states:
        client = state.client
        pause = client.paused_until
        if client.do_not_contact or client.paused or (pause is not None and pause.day > until):
            continue  # nobody is to be kept in touch with who asked for quiet
        if state.wanted:
            last = max((day for day in state.shared if day <= until), default=None)
            lines["in-touch"].append(_judge_touch(state, period, until, last))
            drift = find_drift(last, state.wanted, until)
            if drift and last is not None:
                days = (until - last).days
                words = f"{_tell_last(state, last)}, {days} days ago, wanted every {state.wanted}"
                lines["drift"].append(
                    Line(until, client.name, client.path, client.every_line, "", words, amount=drift)
                )
        if client.stage == "customer":
            lines["informed"].append(_judge_update(state, until))
            if client.company:
                lines["business"].append(_judge_business(state, period, until))
    lines["drift"].sort(key=lambda line: (-(line.amount or 0), line.client, line.path))
    return lines


def _judge_touch(state: State, period: Period, until: date, last: date | None) -> Line:
    """Whether no day of the period found the client's cadence overdue."""
    client = state.client
    base = Line(until, client.name, client.path, client.every_line, "kept", "")
    if last is None:
        return base._replace(part="no contact known", words="no contact known up to then")
    gaps = [
        due
        for due in state.dues
        if due.step == "cadence"
        and due.closes < until
        and (due.settled is None or due.settled > max(due.closes, period.first))
    ]
    if not gaps:
        return base._replace(words=f"{_tell_last(state, last)}, wanted every {state.wanted} days")
    worst = min(gaps, key=lambda due: due.closes)
    return base._replace(
        part="not kept", words=f"wanted by {name_day(worst.closes)}, every {state.wanted} days"
    )


def _tell_last(state: State, last: date) -> str:
    """The last contact, and with whom where it was with somebody else of the company."""
    others = "" if last in state.own else f" with {state.client.company}"
    return f"last contact{others} {name_day(last)}"


def _judge_update(state: State, until: date) -> Line:
    client = state.client
    newest = max((each for each in state.updates if until - _YEAR <= each[0] <= until), default=None)
    if newest is None:
        return Line(until, client.name, client.path, 1, "not told", "no update in the 12 months")
    day, path, line, words = newest
    return Line(until, client.name, path, line, "told", f"{name_day(day)} {words}")


def _judge_business(state: State, period: Period, until: date) -> Line:
    """Whether each 31 days, counted back from the end, had a contact; the last 31 count of a short period, too."""
    client = state.client
    blocks = max(1, ((until - period.first).days + 1) // _MONTH.days)
    ends = [until - _MONTH * at for at in range(blocks)]
    kept = [any(end - _MONTH < day <= end for day in state.own) for end in ends]
    words = f"a contact in {sum(kept)} of {blocks} times 31 days" if blocks > 1 else "the last 31 days"
    part = "every month" if all(kept) else "not every month"
    return Line(until, client.name, client.path, 1, part, words)
