"""What is kept in the vault for others: the calendar, each owner's, and the agenda as a note.

In: a refreshed workspace.  Out: these files, each written when its bytes differ.  Of a calendar that we wrote last
only the days that may differ are made anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from notesync.problems import RefusedError, UsageError
from notesync.publish import calendar
from notesync.store.vault import UNTRUSTED, MovedBaseError, Signature, Vault
from notesync.sync.agenda_note import publish_note
from notesync.sync.feed import find_period, render_feed
from notesync.sync.kept_events import (
    Kept,
    find_kept,
    find_stretches,
    make_ahead,
    make_missing,
    read_days,
)
from notesync.sync.owners import find_owners
from notesync.sync.standing import Standing
from notesync.sync.written import Piece, Span, Written, join_bytes, join_chunks, join_days, lay_out

if TYPE_CHECKING:
    from notesync.sync.pipeline import Workspace

RENEWED = 500  # clients judged again at once; where more have changed, all are
PATCH = 1 << 22  # octets: where more than that may differ, all is made anew


class Published(NamedTuple):
    """The calendar that was brought up to date: its path, whether it was written, its events.

    ``also`` are the other files that were written, ``paths`` all that we keep current.
    """

    path: str
    changed: bool
    events: int
    also: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def publish(workspace: Workspace, vault: Vault) -> Published:
    """Write the vault's calendar, its owners' and the agenda as a note, each if its bytes differ.

    Raises UsageError for a path that leads out of the vault, RefusedError where another's file is in the way,
    OSError when one cannot be written.
    """
    settings = workspace.settings
    path = _inside(workspace.root, settings.calendar_path)
    if settings.calendar_machine not in ("any", "") and not _is_this_machine(settings.calendar_machine):
        return Published(settings.calendar_path, False, 0, (), (settings.calendar_path,))
    if not workspace.tidied:
        workspace.tidied = True
        vault.forget_temporaries(path)
    first, last = find_period(workspace, None)
    make_ahead(workspace, first, last)
    # While others wait, or one that looked at the notes earlier could write its calendar later.
    with workspace.index.change():
        workspace.derive_again()
        desk = _open_desk(workspace, vault, first, last)
        changed, events = _publish_calendar(desk, path, (), calendar.build_marks(settings.vault_id))
        others = dict(_publish_owners(desk))
        workspace.published = desk.done
    if settings.agenda_note:
        target = _find_place(workspace.root, settings.agenda_note, "agenda_note", "Follow-ups.md")
        others[settings.agenda_note] = publish_note(workspace, vault, target)
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
    kept: Kept
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
    if before is not None and touched is not None and len(touched.clients) <= RENEWED:
        standing = before.standing
        if touched.clients:
            standing = standing.renew(touched.clients, workspace.find_standing(tuple(touched.clients)))
    kept = find_kept(workspace, first, last, standing)
    make_missing(workspace, kept, first, last)
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
        fresh = read_days(desk.workspace, desk.kept, owners, [(day, day) for day in days])
        try:
            return _replace(desk, path, owners, marks, before.renew(days, fresh), before.signature)
        except MovedBaseError:
            pass  # another program has been there
    stretches = find_stretches(desk.workspace, desk.first, desk.last)
    events = read_days(desk.workspace, desk.kept, owners, stretches)
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
    chunks = render_feed(desk.workspace, lay_out(pieces, spans), "", owners, marks)
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
