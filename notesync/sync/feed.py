"""A refreshed index in, the calendars' bytes out, and into the vault when they differ.

The bytes of an event are made once and kept in the index until its client changes, so after one save the
calendar is a join, and so is each owner's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple
from unicodedata import normalize

from notesync.followup.agenda import BEHIND, CONFLICT, CONTACT, WAITS, Judged
from notesync.followup.card import Card, from_text
from notesync.followup.follow_up import FollowUp
from notesync.followup.intervals import Interval, interval_days
from notesync.problems import RefusedError, UsageError
from notesync.publish import calendar
from notesync.publish.calendar import AnyPiece
from notesync.publish.text import ONLY_COPY
from notesync.store.index import IndexFailure
from notesync.store.vault import UNTRUSTED, MovedBaseError, Signature, Vault
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
from notesync.sync.written import Piece, Span, Written, join_bytes, join_chunks, join_days, lay_out

if TYPE_CHECKING:
    from notesync.sync.pipeline import Published, Workspace

BATCH = 500  # events rendered at once
STORED = 5000  # events kept at once: they go to many places of the index, so the more the faster
MADE = 20_000  # events made in one transaction: others wait for its end, and not for ever
TRIES = 20  # to find all events made: another process may keep asking about another day
PIECE = 400  # events read and handed on at once
PATCH = 1 << 22  # octets: where more than that may differ, all is made anew
HEAD = 50  # octets of an event, up to and with its UID's hash
NOTE_DAYS = 7  # of the agenda as a note


def publish(workspace: Workspace, vault: Vault) -> Published:
    """Write the vault's calendar, its owners' and the agenda as a note, each if its bytes differ.

    Raises UsageError for a path that leads out of the vault, RefusedError where another's file is in the way,
    OSError when one cannot be written.
    """
    from notesync.sync.pipeline import Published

    settings = workspace.settings
    path = _inside(workspace.root, settings.calendar_path)
    if settings.calendar_machine not in ("any", "") and not _is_this_machine(settings.calendar_machine):
        return Published(settings.calendar_path, False, 0, (), (settings.calendar_path,))
    if not workspace.tidied:
        workspace.tidied = True
        vault.forget_temporaries(path)
    first, last = _find_period(workspace, None)
    while workspace.index.count_unmade() > MADE and _make_some_events(workspace, first, last):
        pass
    # While others wait, or one that looked at the notes earlier could write its calendar later.
    with workspace.index.change():
        workspace.derive_again()
        desk = _open_desk(workspace, vault, first, last)
        changed, events = _publish_calendar(desk, path, (), calendar.build_marks(settings.vault_id))
        others = dict(_publish_owners(desk))
        workspace.published = desk.done
    others |= _publish_note(workspace, vault)
    return Published(
        settings.calendar_path,
        changed,
        max(events, 1),  # an empty one has a placeholder
        tuple(path for path, written in others.items() if written),
        (settings.calendar_path, *others),
    )


class Done(NamedTuple):
    """What the watcher keeps of one publishing for the next: of a day and settings, as of one state of the index.

    ``source`` is what the calendars are made from beside the index's rows, ``age`` that of the index.
    """

    source: object
    age: int
    standing: Standing
    written: dict[str, Written]


class _Desk(NamedTuple):
    """What the calendars of one publishing have in common; ``first`` and ``last`` are the days shown.

    ``touched`` are the days that may differ from those of ``before``, None: any.
    """

    workspace: Workspace
    vault: Vault
    kept: _Kept
    first: int
    last: int
    touched: set[int] | None
    before: dict[str, Written]
    done: Done


def _open_desk(workspace: Workspace, vault: Vault, first: int, last: int) -> _Desk:
    """What to write, within the change in which the index is published, all events made.

    What was found before holds for the clients whose rows are the same, unless it is another day, there are other
    settings, or another process has changed the index.
    """
    before, workspace.published = workspace.published, None  # whatever fails now, the next begins anew
    source, age = (workspace.moment.day, first, last, workspace.settings), workspace.index.age()
    touched = workspace.index.touched
    if before is None or touched is None or (before.source, before.age) != (source, age):
        before = None
    standing = None
    if before is not None and touched is not None and len(touched.clients) <= BATCH:
        standing = before.standing
        if touched.clients:
            standing = standing.renew(touched.clients, workspace.find_standing(tuple(touched.clients)))
    kept = _find_kept(workspace, first, last, standing)
    _make_events(workspace, kept.missing)
    if kept.missing:
        workspace.index.have_all_events(first, last, _SHOWN)
    if kept.standing.moved:
        _make_moved(workspace, kept.standing.moved)
    workspace.index.touch_anew()
    days = touched.days if standing is not None and touched is not None else None
    written = before.written if before is not None else {}
    done = Done(source, age, kept.standing, {})
    return _Desk(workspace, vault, kept, first, last, days, written, done)


def _publish_calendar(
    desk: _Desk, path: str, owners: tuple[str, ...], marks: calendar.Marks
) -> tuple[bool, int]:
    """Write one calendar if its bytes differ; whether they did, and its events.

    Of the file that we wrote last only the days that may differ are made anew.
    """
    before = desk.before.get(path)
    if before is not None and (days := _find_touched(desk, before)):
        fresh = _kept_days(desk.workspace, desk.kept, owners, [(day, day) for day in days])
        try:
            return _replace(desk, path, owners, marks, before.renew(days, fresh), before.signature)
        except MovedBaseError:
            pass  # another program has been there
    stretches = _find_stretches(desk.workspace, desk.first, desk.last)
    events = _kept_days(desk.workspace, desk.kept, owners, stretches)
    return _replace(desk, path, owners, marks, join_days(events), UNTRUSTED)


def _replace(
    desk: _Desk,
    path: str,
    owners: tuple[str, ...],
    marks: calendar.Marks,
    pieces: Iterable[Piece],
    base: Signature,
) -> tuple[bool, int]:
    spans: dict[int, Span] = {}
    chunks = _render_feed(desk.workspace, lay_out(pieces, spans), "", owners, marks)
    header = len(first := next(chunks))
    whole = join_chunks(chain((first,), chunks))
    changed, signature = desk.vault.replace_generated(path, whole, base)
    if signature != UNTRUSTED:
        desk.done.written[path] = Written(signature, header, spans)
    return changed, sum(span.events for span in spans.values())


def _find_touched(desk: _Desk, before: Written) -> list[int]:
    """The days to make anew, today among them; none where it is better to make all."""
    if desk.touched is None:
        return []
    today = desk.workspace.moment.day.toordinal()
    days = sorted(day for day in desk.touched | {today} if desk.first <= day <= desk.last)
    return days if before.count_octets(days) <= PATCH else []


def _publish_owners(desk: _Desk) -> Iterator[tuple[str, bool]]:
    """Write each owner's calendar; each path with whether it was written.

    The calendar of an owner who is gone, or is to have none, is emptied and not removed: whoever subscribed to
    it would otherwise keep looking at the last state for ever.
    """
    workspace, vault = desk.workspace, desk.vault
    settings = workspace.settings
    paths: set[str] = set()
    if settings.calendar_per_owner:
        for owner in find_owners(workspace):
            path = calendar.build_owner_path(settings.calendar_path, owner)
            paths.add(path)
            target, marks = _inside(workspace.root, path), calendar.build_marks(settings.vault_id, owner)
            yield path, _publish_calendar(desk, target, (owner,), marks)[0]
    for path, marks in _find_left_over(workspace, vault, paths):
        empty = calendar.render_calendar(settings, "", [], marks=marks)
        yield path, vault.replace_generated(path, join_bytes(empty)).changed


def _find_left_over(
    workspace: Workspace, vault: Vault, paths: set[str]
) -> Iterator[tuple[str, calendar.Marks]]:
    """The owners' calendars that are none of these, each with its marks; conflict copies are no such thing."""
    vault_mark = calendar.build_marks(workspace.settings.vault_id).vault
    folder, _, name = workspace.settings.calendar_path.rpartition("/")
    start, current = f"{name[:-4]}-", {normalize("NFC", path) for path in paths}
    for found in sorted(vault.names(folder)):
        path = f"{folder}/{found}" if folder else found
        if not (found.startswith(start) and found.lower().endswith(".ics")):
            continue
        if normalize("NFC", path) in current:
            continue
        marks = calendar.find_marks(vault.read_start(path, calendar.HEADER_OCTETS))
        if calendar.is_owner_path(workspace.settings.calendar_path, path, marks.owner):
            yield path, marks._replace(vault=vault_mark)


def find_owners(workspace: Workspace) -> list[str]:
    """The owners in notes and settings, in small letters."""
    named = (normalize("NFC", name).casefold() for name in workspace.settings.owners)
    return sorted(filter(None, workspace.index.owners().union(named)))


def _publish_note(workspace: Workspace, vault: Vault) -> dict[str, bool]:
    """Write the agenda as a note where one is wanted; its path with whether it was written."""
    path = workspace.settings.agenda_note
    if not path:
        return {}
    target = _find_place(workspace.root, path, "agenda_note", "Follow-ups.md")
    _require_ours(target, path)
    lines = render_note(workspace)
    written = vault.replace_generated(target, join_bytes(line.encode("utf-8") for line in lines))
    return {path: written.changed}


def render_note(workspace: Workspace) -> Iterator[str]:
    """The agenda of this day as a note: as of its midnight, or each of two machines would write another one."""
    from notesync.publish.text import render_agenda_note

    with workspace.at_midnight():
        days, left, found = workspace.week(NOTE_DAYS, Selection())
    return render_agenda_note(days, left, found, workspace.settings.vault_id)


def _require_ours(target: str, path: str) -> None:
    """Raise RefusedError where the note in the way is a person's."""
    from notesync.publish.text import NOTE_START

    try:
        with open(target, "rb") as file:
            start = file.read(len(NOTE_START))
    except FileNotFoundError:
        return
    if start and start != NOTE_START.encode():
        raise RefusedError(
            f"{path} is not a note that notesync wrote, so it was left alone. Name another in agenda_note, or "
            "remove it."
        )


def build_feed(
    workspace: Workspace,
    owners: tuple[str, ...] = (),
    component: str = calendar.EVENT,
    detail: str = "",
    horizon: int | None = None,
    exported: bool = False,
) -> Iterator[bytes]:
    """The calendar piece by piece; ``component`` is event, todo or both, ``horizon`` is in days.

    The whole one has the marks of the file in the vault, byte for byte, unless it is ``exported``: what a person
    puts beside that file must not pass for a copy of it.
    Whoever takes the pieces may take their time: they are of one moment, and nobody waits for them.
    """
    workspace.index.require_health()
    settings = workspace.settings
    first, last = _find_period(workspace, horizon)
    detail = detail or settings.calendar_detail
    if component == calendar.EVENT and detail == settings.calendar_detail:
        events = _kept_events(workspace, _find_made(workspace, first, last), owners, first, last)
    else:
        exported_events = _exported_events(workspace, owners, component, detail, first, last)
        events = (b"".join(piece) for piece in _unique(exported_events))
    marks = calendar.UNMARKED if exported or owners else calendar.build_marks(settings.vault_id)
    return _render_feed(workspace, events, detail, owners, marks)


def build_feeds(workspace: Workspace, owners: Iterable[tuple[str, ...]]) -> Iterator[Iterator[bytes]]:
    """Several calendars as :func:`build_feed` makes them, () the whole one, all of one moment."""
    workspace.index.require_health()
    vault_id = workspace.settings.vault_id
    first, last = _find_period(workspace, None)
    kept = _find_made(workspace, first, last)
    for each in owners:
        events = _kept_events(workspace, kept, each, first, last)
        marks = calendar.UNMARKED if each else calendar.build_marks(vault_id)
        yield _render_feed(workspace, events, "", each, marks)


def _kept_events(
    workspace: Workspace, kept: _Kept, owners: tuple[str, ...], first: int, last: int
) -> Iterator[bytes]:
    days = _kept_days(workspace, kept, owners, _find_stretches(workspace, first, last))
    return (b"".join(events) for _, events in days)


def _render_feed(
    workspace: Workspace,
    events: Iterable[AnyPiece],
    detail: str,
    owners: tuple[str, ...],
    marks: calendar.Marks,
) -> Iterator[bytes | AnyPiece]:
    """The calendar of these events' bytes."""
    settings = workspace.settings
    detail = detail or settings.calendar_detail
    owner = " and ".join(spell_owner(workspace, name) for name in owners)
    return calendar.render_calendar(
        settings, settings.obsidian_vault, events, detail=detail, owner=owner, marks=marks
    )


def spell_owner(workspace: Workspace, owner: str) -> str:
    """An owner's name for people: as the settings spell it, else with capitals."""
    folded = normalize("NFC", owner).casefold()
    named = (name for name in workspace.settings.owners if normalize("NFC", name).casefold() == folded)
    return next(named, folded.title())


def _find_period(workspace: Workspace, horizon: int | None) -> tuple[int, int]:
    """The first and the last day that the calendar shows."""
    settings, today = workspace.settings, workspace.moment.day.toordinal()
    ahead = interval_days(Interval(*settings.calendar_horizon)) if horizon is None else horizon
    return today - interval_days(Interval(*settings.calendar_past)), today + ahead


def _inside(root: str, path: str) -> str:
    target = _find_place(root, path, "calendar.path", "followups.ics")
    if not target.lower().endswith(".ics"):
        raise UsageError(f"calendar.path is {path!r}: the calendar's name must end in .ics")
    return target


def _find_place(root: str, path: str, setting: str, example: str) -> str:
    """Where a generated file stands.  Raises UsageError for one outside of the vault, RefusedError for a link."""
    target = os.path.normpath(os.path.join(root, path))
    folder = os.path.realpath(os.path.dirname(target))
    if os.path.isabs(path) or os.path.commonpath([folder, os.path.realpath(root)]) != os.path.realpath(root):
        raise UsageError(f"{setting} is {path!r}: give a path inside the vault, such as {example}")
    if os.path.islink(target):
        raise RefusedError(f"{path} is a link to another file; nothing outside the vault is written")
    return target


def _is_this_machine(name: str) -> bool:
    import platform

    here = platform.node()
    return name.casefold() in (here.casefold(), here.partition(".")[0].casefold())


# events ---------------------------------------------------------------------------------------------


class _Kept(NamedTuple):
    """What the vault's own calendar takes from the index, as of one moment.

    ``left_out`` are follow-ups whose own event is not shown: what stands on today instead, the cadences held back
    and what is missed.  ``missing`` have no event yet.
    """

    standing: Standing
    left_out: set[int]
    missing: list[int]


def _find_kept(workspace: Workspace, first: int, last: int, standing: Standing | None = None) -> _Kept:
    standing = standing or workspace.find_standing()
    missed = workspace.index.missed(workspace.moment.day.toordinal())
    left_out = set(standing.hidden).union(standing.moved, missed)
    return _Kept(standing, left_out, workspace.index.without_event(first, last, _SHOWN))


# Of a cadence behind an agreed contact, and of what waits, none is shown while the note stays as it is.
_SHOWN = f"not flags & {BEHIND | WAITS}"


def _find_made(workspace: Workspace, first: int, last: int) -> _Kept:
    """The same when all events are made, at a moment at which the index stays."""
    for _ in range(TRIES):
        workspace.hold()
        if not (kept := _find_kept(workspace, first, last)).missing:
            return kept
        while _make_some_events(workspace, first, last):
            pass
    raise IndexFailure("other programs keep changing it")


def _make_some_events(workspace: Workspace, first: int, last: int) -> bool:
    """Make many events; whether more are missing."""
    with workspace.index.change():
        workspace.derive_again()
        missing = _find_kept(workspace, first, last).missing
        _make_events(workspace, missing[:MADE])
    return len(missing) > MADE


def _find_stretches(workspace: Workspace, first: int, last: int) -> list[tuple[int, int]]:
    """The days between two, in order, today apart."""
    today = workspace.moment.day.toordinal()
    return [(first, min(last, today - 1)), (today, today), (max(first, today + 1), last)]


def _kept_days(
    workspace: Workspace, kept: _Kept, owners: tuple[str, ...], stretches: Iterable[tuple[int, int]]
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
            unique = chain.from_iterable(_unique([sorted(own)]))
            yield first, [*_digest(workspace, standing.pressing, detail), *unique]
            continue
        for shown, group in groupby(rows, key=itemgetter(0)):
            for piece in _unique(_read_events(group, left_out)):
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


def _exported_events(
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
    yield [event.body for event in sorted(found)]


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


def _unique(pieces: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
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
