"""A refreshed index in, the bytes of a calendar's events out, day by day.

The bytes of an event are made once and kept in the index until its client changes, so after one save the calendar is
a join, and so is each owner's.  What is of today alone (what is moved to it, the digest of the overdue) is not of the
index's days.  This module knows neither headers nor files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from notesync.followup.agenda import BEHIND, CONFLICT, CONTACT, WAITS, Judged
from notesync.followup.card import Card, from_text
from notesync.followup.follow_up import FollowUp
from notesync.publish import calendar
from notesync.publish.text import ONLY_COPY
from notesync.store.index import IndexFailure
from notesync.sync.answers import Selection, by_client, client_filter
from notesync.sync.standing import (
    Pressing,
    Standing,
    build_standing,
    count_clients,
    find_first,
    find_likely,
    is_pressing,
    sort_by_client,
)

if TYPE_CHECKING:
    from notesync.sync.pipeline import Workspace

BATCH = 500  # events rendered at once
STORED = 5000  # events kept at once: they go to many places of the index, so the more the faster
MADE = 20_000  # events made in one transaction: others wait for its end, and not for ever
TRIES = 20  # to find all events made: another process may keep asking about another day
PIECE = 400  # events read and handed on at once
HEAD = 50  # octets of an event, up to and with its UID's hash
# Of a cadence behind an agreed contact, and of what waits, none is shown while the note stays as it is.
_SHOWN = f"not flags & {BEHIND | WAITS}"


class Kept(NamedTuple):
    """What the vault's own calendar takes from the index, as of one moment.

    ``left_out`` are follow-ups whose own event is not shown: what stands on today instead, the cadences held back
    and what is missed.  ``missing`` have no event yet.
    """

    standing: Standing
    left_out: set[int]
    missing: list[int]


def find_kept(workspace: Workspace, first: int, last: int, standing: Standing | None = None) -> Kept:
    """What is kept as of now; ``standing`` is that of now, where it is known already."""
    standing = standing or workspace.find_standing()
    missed = workspace.index.missed(workspace.moment.day.toordinal())
    left_out = set(standing.hidden).union(standing.moved, missed)
    return Kept(standing, left_out, workspace.index.without_event(first, last, _SHOWN))


def find_made(workspace: Workspace, first: int, last: int) -> Kept:
    """The same when all events are made, at a moment at which the index stays."""
    for _ in range(TRIES):
        workspace.hold()
        if not (kept := find_kept(workspace, first, last)).missing:
            return kept
        while _make_some_events(workspace, first, last):
            pass
    raise IndexFailure("other programs keep changing it")


def _make_some_events(workspace: Workspace, first: int, last: int) -> bool:
    """Make many events; whether more are missing."""
    with workspace.index.change():
        workspace.derive_again()
        missing = find_kept(workspace, first, last).missing
        _make_events(workspace, missing[:MADE])
    return len(missing) > MADE


def make_ahead(workspace: Workspace, first: int, last: int) -> None:
    """Make events in several changes, until those that are missing fit into one."""
    while workspace.index.count_unmade() > MADE and _make_some_events(workspace, first, last):
        pass


def make_missing(workspace: Workspace, kept: Kept, first: int, last: int) -> None:
    """Make, within a change, what a calendar of these days still lacks."""
    _make_events(workspace, kept.missing)
    if kept.missing:
        workspace.index.have_all_events(first, last, _SHOWN)
    if kept.standing.moved:
        _make_moved(workspace, kept.standing.moved)


def find_stretches(workspace: Workspace, first: int, last: int) -> list[tuple[int, int]]:
    """The days between two, in order, today apart."""
    today = workspace.moment.day.toordinal()
    return [(first, min(last, today - 1)), (today, today), (max(first, today + 1), last)]


def read_days(
    workspace: Workspace, kept: Kept, owners: tuple[str, ...], stretches: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, list[bytes]]]:
    """The days' events of the vault's own calendar, or its owners', in order and in pieces.

    ``stretches`` are first and last days, today one of its own: its events are those that the index keeps, and
    what is of today alone.
    """
    day = workspace.moment.day
    standing, left_out, _ = kept
    where, values = client_filter(Selection(owners=owners))
    if where:
        standing = standing.of(set(workspace.index.select_clients(where, values)))
    detail = workspace.settings.calendar_detail
    for first, last in stretches:
        rows = workspace.index.events(first, last, where, values)
        if first == day.toordinal() == last:
            own = [body for _, key, body in rows if key not in left_out]
            own += _find_moved(workspace, standing.moved)
            apart = chain.from_iterable(make_unique([sorted(own)]))
            yield first, [*_digest(workspace, standing.pressing, detail), *apart]
            continue
        for shown, group in groupby(rows, key=itemgetter(0)):
            for piece in make_unique(_read_events(group, left_out)):
                yield shown, piece


def _read_events(rows: Iterator[tuple[int, int, bytes]], left_out: set[int]) -> Iterator[list[bytes]]:
    while piece := list(islice(rows, PIECE)):
        yield [body for _, key, body in piece if key not in left_out]


def _find_moved(workspace: Workspace, moved: dict[int, int]) -> list[bytes]:
    """The events of follow-ups that stand on today: most are kept, those that are not are made."""
    if not moved:
        return []
    known = workspace.index.moved_events(workspace.moment.day.toordinal())
    made = _move(workspace, [key for key in sort_by_client(moved) if key not in known])
    return [body for key, body in known.items() if key in moved] + [event.body for event in made]


def _move(workspace: Workspace, keys: Sequence[int]) -> Iterator[calendar.Event]:
    return _render(workspace, keys, calendar.EVENT, workspace.settings.calendar_detail, workspace.moment.day)


def _make_events(workspace: Workspace, missing: Sequence[int]) -> None:
    """Render events and keep them, within a change: later the keys may be other follow-ups'."""
    detail = workspace.settings.calendar_detail
    made = zip(missing, _render(workspace, missing, calendar.EVENT, detail, None), strict=True)
    while some := [
        (event.day.toordinal(), event.uid, key, event.body) for key, event in islice(made, STORED)
    ]:
        workspace.index.store_events(some)


def _make_moved(workspace: Workspace, moved: dict[int, int]) -> None:
    """The same with events that stand on today."""
    today = workspace.moment.day.toordinal()
    known = workspace.index.moved_events(today)
    missing = [key for key in sort_by_client(moved) if key not in known]
    made = zip(missing, _move(workspace, missing), strict=True)
    workspace.index.store_moved_events(today, ((key, event.body) for key, event in made))


def render_exported(
    workspace: Workspace, owners: tuple[str, ...], component: str, detail: str, first: int, last: int
) -> Iterator[list[bytes]]:
    """A calendar that is not the vault's own: nothing of it is kept."""
    verdict = workspace.judge(Selection(owners=owners, everything=True))
    standing = build_standing(verdict.shown, {}, workspace.move_to)
    left_out, moved = set(standing.moved), sort_by_client(standing.moved)
    shown = sort_by_client({item.follow_up: item.client for item in verdict.shown if not item.flags & WAITS})
    day = workspace.moment.day
    found: list[calendar.Event] = []
    for kind in (calendar.EVENT, calendar.TODO) if component == "both" else (component,):
        stay = shown if kind == calendar.TODO else [key for key in shown if key not in left_out]
        go = [] if kind == calendar.TODO else moved
        found += (
            event
            for event in chain(
                _render(workspace, stay, kind, detail, None), _render(workspace, go, kind, detail, day)
            )
            if first <= event.day.toordinal() <= last
        )
    found += (calendar.Event(day, "", body) for body in _digest(workspace, standing.pressing, detail))
    found.sort()
    for at in range(0, len(found), BATCH):
        yield [event.body for event in found[at : at + BATCH]]


def _render(
    workspace: Workspace, keys: Sequence[int], component: str, detail: str, day: date | None
) -> Iterator[calendar.Event]:
    """The events of follow-ups named by client, those without a date left out."""
    for at in range(0, len(keys), BATCH):
        yield from calendar.build_events(
            _find_work(workspace, keys[at : at + BATCH]),
            workspace.settings,
            vault_name=os.path.basename(workspace.root),
            component=component,
            detail=detail,
            day=day,
        )


def _find_work(workspace: Workspace, keys: Sequence[int]) -> Iterator[tuple[Card, list[FollowUp]]]:
    """Follow-ups by their client."""
    rows = workspace.index.follow_ups(keys)
    clients = dict.fromkeys(row[1] for row in rows)
    cards = {key: (path, ident, card) for key, path, _, ident, card in workspace.index.cards(clients)}
    for key, own in by_client(rows):
        yield from_text(*cards[key]), [_follow_up(row) for row in own]


def _follow_up(row: tuple[Any, ...]) -> FollowUp:
    _, _, opens, due, minute, flags, *words = row[:-3]
    attempts, ask, waits = row[-3:]
    days = (None if day is None else date.fromordinal(day) for day in (opens, due))
    found = FollowUp._make((*days, minute, bool(flags & CONTACT), *words, None, 0, None, (), waits))
    if flags & CONFLICT:
        found = found._replace(reason=f"{found.reason}; {ONLY_COPY}")
    return (
        found._replace(attempts=attempts, ask=tuple(ask.split("\n")) if ask else ())
        if attempts or ask
        else found
    )


# the digest -----------------------------------------------------------------------------------------


def _digest(workspace: Workspace, pressing: Sequence[Pressing], detail: str) -> list[bytes]:
    """Today's event that names the overdue clients, most pressing first; nothing where nobody is."""
    settings = workspace.settings
    if settings.calendar_overdue != "digest":
        return []
    named = _find_named(workspace, pressing)
    details = workspace.index.details([item.follow_up for item in named])
    clients = workspace.known_clients({item.client for item in named})
    entries = []
    for item in named:
        words, client = details[item.follow_up], clients[item.client][0]
        due = None if item.due is None else date.fromordinal(item.due)
        entries.append(calendar.Pressing(client.key, client.name, words[4], words[1], due))
    today = workspace.moment.day
    ahead = settings.work_calendar().after(today, 1)
    late, undated = count_clients(pressing)
    body = calendar.build_digest(
        settings, today, entries, ahead, overdue=late, undated=undated, detail=detail
    )
    return [body] if body else []


def _find_named(workspace: Workspace, pressing: Sequence[Pressing]) -> list[Judged]:
    """All that presses of the clients who come first, with their names, which decide among what presses alike."""
    likely = find_likely(pressing, calendar.DIGEST_CLIENTS)
    clients = tuple(likely) if len(likely) <= BATCH else ()
    judged = workspace.judge(Selection(clients=clients)).shown
    named = [item for item in judged if item.client in likely and is_pressing(item)]
    first = find_first(named, calendar.DIGEST_CLIENTS)
    return [item for item in named if item.client in first]


# bytes ----------------------------------------------------------------------------------------------


def make_unique(pieces: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
    """The events with every UID once: of several alike (one id in two notes) all but one get one of their own.

    Equal UIDs share their day, because the day is part of the hash, so they come one after the other; their
    bytes decide who is first, so that every machine decides alike.
    """
    held: list[bytes] = []  # the last events, alike so far: the next piece may begin with another
    for piece in pieces:
        if not piece:
            continue
        events = held + piece
        heads = [event[:HEAD] for event in events]
        begin = heads.index(heads[-1])
        held = events[begin:]
        if len(set(heads)) == len(heads):
            yield events[:begin]
        else:
            yield [event for _, alike in groupby(events[:begin], _head) for event in _tell_apart(alike)]
    if held:
        yield list(_tell_apart(held))


def _head(event: bytes) -> bytes:
    return event[:HEAD]


def _tell_apart(alike: Iterable[bytes]) -> Iterator[bytes]:
    for times, event in enumerate(sorted(alike)):
        if times:
            uid = event.split(b"\r\n", 2)[1].removeprefix(b"UID:")
            yield event.replace(uid, calendar.build_uid("", uid.decode(), "again", str(times), "").encode())
        else:
            yield event
