"""A refreshed index in, the bytes of whole calendars out: everybody's, some owners', of less detail, of any length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from notesync.followup.intervals import Interval, interval_days
from notesync.publish import calendar
from notesync.publish.calendar import AnyPiece
from notesync.sync.kept_events import (
    Kept,
    find_made,
    find_stretches,
    make_unique,
    read_days,
    render_exported,
)
from notesync.sync.owners import spell_owner

if TYPE_CHECKING:
    from notesync.sync.pipeline import Workspace


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
    first, last = find_period(workspace, horizon)
    detail = detail or settings.calendar_detail
    if component == calendar.EVENT and detail == settings.calendar_detail:
        events = _kept_events(workspace, find_made(workspace, first, last), owners, first, last)
    else:
        found = render_exported(workspace, owners, component, detail, first, last)
        events = (b"".join(piece) for piece in make_unique(found))
    marks = calendar.UNMARKED if exported or owners else calendar.build_marks(settings.vault_id)
    return render_feed(workspace, events, detail, owners, marks)


def build_feeds(workspace: Workspace, owners: Iterable[tuple[str, ...]]) -> Iterator[Iterator[bytes]]:
    """Several calendars as :func:`build_feed` makes them, () the whole one, all of one moment."""
    workspace.index.require_health()
    vault_id = workspace.settings.vault_id
    first, last = find_period(workspace, None)
    kept = find_made(workspace, first, last)
    for each in owners:
        events = _kept_events(workspace, kept, each, first, last)
        marks = calendar.UNMARKED if each else calendar.build_marks(vault_id)
        yield render_feed(workspace, events, "", each, marks)


def _kept_events(
    workspace: Workspace, kept: Kept, owners: tuple[str, ...], first: int, last: int
) -> Iterator[bytes]:
    days = read_days(workspace, kept, owners, find_stretches(workspace, first, last))
    return (b"".join(events) for _, events in days)


def render_feed(
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


def find_period(workspace: Workspace, horizon: int | None) -> tuple[int, int]:
    """The first and the last day that the calendar shows."""
    settings, today = workspace.settings, workspace.moment.day.toordinal()
    ahead = interval_days(Interval(*settings.calendar_horizon)) if horizon is None else horizon
    return today - interval_days(Interval(*settings.calendar_past)), today + ahead
