"""How far along the plans a client is in, and the same with what each offered log line would really settle out.

A tag closes the oldest that is open, so the line offered with a newer one may close another first: each line is
tried on the client's own log, by the rules that will judge it once it is written.

This module knows no disk and no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.follow_up import name_day
from notesync.followup.promises import COMPLAINT, find_cases, is_newest_last, is_on_its_own, order_tagged
from notesync.followup.steps import find_progress
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.follow_up import Context, Past
    from notesync.followup.promises import Case
    from notesync.followup.steps import Progress
    from notesync.notes.body import Entry

_Name = tuple[str, str, str, int]


class _Settled(NamedTuple):
    """What a line settles: steps by their names, and in words what it settles by its tag."""

    names: frozenset[_Name]
    words: tuple[str, ...]


def rehearse(
    client: Client, context: Context, past: Past, alive: date, progress: Sequence[Progress]
) -> Iterator[Progress]:
    """The steps, each with a log line only if that settles it; else with what the line would settle first."""
    open_names = {each.name for each in progress if each.log_line}
    tried: dict[str, _Settled] = {}
    for each in progress:
        line = each.log_line
        if line and line not in tried:
            after = client._replace(log=_add_line(client, line))
            found = [
                other
                for other in find_progress(after, context, past, alive)
                if other.settled is not None and other.name in open_names
            ]
            words = [other.reason for other in found if other.step.tag == each.step.tag]
            closed = _find_closed(client, after, context, past.as_of)
            tried[line] = _Settled(frozenset(other.name for other in found), (*closed, *words))
        if not line or each.name in tried[line].names:
            yield each
        else:
            yield each._replace(log_line="", settles_first=", ".join(tried[line].words))


def _add_line(client: Client, line: str) -> tuple[Entry, ...]:
    """The log with a line on its newest side, as a person would write it down."""
    (entry,) = parse_body(parse_note(f"## Log\n{line}\n".encode(), ""), ("Log",)).entries
    own = [each for each in client.log if not each.path]
    return (*client.log, entry) if is_newest_last(own) else (entry, *client.log)


def _find_closed(before: Client, after: Client, context: Context, today: date) -> list[str]:
    """The complaints that no plan takes care of, and that are open before and not after."""
    open_after = {(case.entry, case.number) for case in _find_own(after, context, today)}
    return [
        f"complaint of {name_day(case.entry.day)}"
        for case in _find_own(before, context, today)
        if (case.entry, case.number) not in open_after
    ]


def _find_own(client: Client, context: Context, today: date) -> list[Case]:
    log = order_tagged(client)
    cases = find_cases(client, log, COMPLAINT, today) if log else []
    return [case for case in cases if case.closed is None and is_on_its_own(case, context)]
