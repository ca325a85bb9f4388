"""A refreshed index in, the calendar's bytes out, and into the vault when they differ.

The bytes of an event are made once and kept in the index until its client changes, so after one save the
calendar is a join.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from heapq import merge
from typing import TYPE_CHECKING, Any

from notesync.followup.agenda import OVERDUE, UPCOMING, Judged, Verdict
from notesync.followup.client import Client, from_facts
from notesync.followup.dates import Interval, interval_days
from notesync.followup.rules import FollowUp, done_date
from notesync.problems import RefusedError, UsageError
from notesync.publish import calendar
from notesync.store.index import IndexFailure
from notesync.store.vault import Vault
from notesync.sync.answers import Selection, by_client

if TYPE_CHECKING:
    from notesync.sync.pipeline import Published, Workspace

BATCH = 500  # events rendered between two transactions
CHUNK = 1 << 18  # bytes handed on at once
_Event = tuple[int, str, bytes]  # the day shown (an ordinal), the UID, the finished bytes


def publish(workspace: Workspace, vault: Vault) -> Published:
    """Write the vault's calendar if its bytes differ.

    Raises UsageError for a calendar path that leads out of the vault, OSError when it cannot be written.
    """
    from notesync.sync.pipeline import Published

    settings = workspace.settings
    path = _inside(workspace.root, settings.calendar_path)
    if settings.calendar_machine not in ("any", "") and not _is_this_machine(settings.calendar_machine):
        return Published(settings.calendar_path, False, 0)
    counter = [0]
    changed = vault.replace_generated(path, in_chunks(_counted(build_feed(workspace), counter)))
    return Published(settings.calendar_path, changed, counter[0])


def build_feed(
    workspace: Workspace,
    owners: tuple[str, ...] = (),
    component: str = calendar.EVENT,
    detail: str = "",
    horizon: int | None = None,
) -> Iterator[bytes]:
    """The calendar piece by piece; ``component`` is event, todo or both, ``horizon`` is in days."""
    settings = workspace.settings
    today = workspace.moment.day.toordinal()
    first = today - interval_days(Interval(*settings.calendar_past))
    last = today + (interval_days(Interval(*settings.calendar_horizon)) if horizon is None else horizon)
    detail = detail or settings.calendar_detail
    events: Iterator[_Event]
    if component == calendar.EVENT and detail == settings.calendar_detail and not owners:
        verdict, held_back = workspace.held_back()
        events = _cached_events(workspace, verdict, held_back, first, last)
    else:
        verdict = workspace.judge(Selection(owners=owners, everything=True))
        events = iter(_rendered_events(workspace, verdict, component, detail, first, last))
    pieces = (event[2] for event in _unique(merge(events, _digest(workspace, verdict, detail))))
    return calendar.render_calendar(settings, settings.obsidian_vault, pieces, detail=detail)


def _inside(root: str, path: str) -> str:
    target = os.path.normpath(os.path.join(root, path))
    folder = os.path.realpath(os.path.dirname(target))
    if os.path.isabs(path) or os.path.commonpath([folder, os.path.realpath(root)]) != os.path.realpath(root):
        raise UsageError(f"calendar.path is {path!r}: give a path inside the vault, such as followups.ics")
    if not target.lower().endswith(".ics"):
        raise UsageError(f"calendar.path is {path!r}: the calendar's name must end in .ics")
    if os.path.islink(target):
        raise RefusedError(f"{path} is a link to another file; nothing outside the vault is written")
    return target


def _is_this_machine(name: str) -> bool:
    import platform

    here = platform.node()
    return name.casefold() in (here.casefold(), here.partition(".")[0].casefold())


# events ---------------------------------------------------------------------------------------------


def _cached_events(
    workspace: Workspace, verdict: Verdict, held_back: set[int], first: int, last: int
) -> Iterator[_Event]:
    _make_events(workspace)
    moved = _moved(workspace, verdict)
    left_out = held_back | moved
    own = (
        (day, uid, body) for key, day, uid, body in workspace.index.events(first, last) if key not in left_out
    )
    if not moved:
        return own
    rows = [row for row in workspace.index.all_follow_ups() if row[0] in moved]
    detail = workspace.settings.calendar_detail
    return merge(own, sorted(_render(workspace, rows, calendar.EVENT, detail, workspace.moment.day)))


def _moved(workspace: Workspace, verdict: Verdict) -> frozenset[int]:
    """The overdue follow-ups whose events stand on today (``calendar.overdue: each``)."""
    if workspace.settings.calendar_overdue != "each":
        return frozenset()
    return frozenset(item.follow_up for item in verdict.shown if item.status == OVERDUE)


def _make_events(workspace: Workspace) -> None:
    """Render the events that have not been, and keep them."""
    index = workspace.index
    try:
        while rows := index.without_event(BATCH):
            detail = workspace.settings.calendar_detail
            made = [
                (day, uid, row[0], body)
                for row, (day, uid, body) in zip(
                    rows, _render(workspace, rows, calendar.EVENT, detail, None), strict=True
                )
            ]
            with index.change():
                index.store_events(made)
    except IndexFailure as error:
        index.fall_back(error)
        workspace.refresh()
        _make_events(workspace)


def _rendered_events(
    workspace: Workspace, verdict: Verdict, component: str, detail: str, first: int, last: int
) -> list[_Event]:
    wanted = {item.follow_up for item in verdict.shown}
    moved = _moved(workspace, verdict)
    rows = [row for row in workspace.index.all_follow_ups() if row[0] in wanted]
    kinds = (calendar.EVENT, calendar.TODO) if component == "both" else (component,)
    found: list[_Event] = []
    for kind in kinds:
        stay = rows if kind == calendar.TODO else [row for row in rows if row[0] not in moved]
        go = [] if kind == calendar.TODO else [row for row in rows if row[0] in moved]
        found += _render(workspace, stay, kind, detail, None)
        found += _render(workspace, go, kind, detail, workspace.moment.day)
    return sorted(event for event in found if first <= event[0] <= last)


def _render(
    workspace: Workspace, rows: list[tuple[Any, ...]], component: str, detail: str, day: date | None
) -> Iterator[_Event]:
    settings = workspace.settings
    vault_name = os.path.basename(workspace.root)
    today = workspace.moment.day
    for client, own in _with_clients(workspace, rows):
        stamp = done_date(client, today)
        for row in own:
            found = _follow_up(row)
            body = calendar.build_event(
                found, client, settings, stamp,
                vault_name=vault_name, component=component, detail=detail, day=day,
            )  # fmt: skip
            uid = calendar.build_uid_of(settings.vault_id, client.key, found, day, component)
            shown = day or calendar.find_day_shown(found)
            yield (shown.toordinal() if shown else 0, uid, body)


def _with_clients(
    workspace: Workspace, rows: list[tuple[Any, ...]]
) -> Iterator[tuple[Client, list[tuple[Any, ...]]]]:
    for key, own in by_client(rows):
        for _, _, _, facts in workspace.index.facts([key]):
            yield from_facts(facts), own


def _follow_up(row: tuple[Any, ...]) -> FollowUp:
    (
        _,
        _,
        opens,
        due,
        minute,
        flags,
        rule,
        kind,
        step,
        occasion,
        title,
        reason,
        path,
        line,
        channel,
        minutes,
        wanted,
    ) = row
    return FollowUp(
        rule=rule, kind=kind, step=step, occasion=occasion, title=title, reason=reason,
        opens=None if opens is None else date.fromordinal(opens),
        due=None if due is None else date.fromordinal(due),
        minute=minute, path=path, line=line, channel=channel, minutes=minutes,
        contact=bool(flags & 1), wanted=wanted,
    )  # fmt: skip


# the digest -----------------------------------------------------------------------------------------


def _digest(workspace: Workspace, verdict: Verdict, detail: str) -> list[_Event]:
    """Today's event that names the overdue clients, most pressing first."""
    settings = workspace.settings
    if settings.calendar_overdue != "digest":
        return []
    pressing = [item for item in verdict.shown if item.status == OVERDUE or _is_undated(item)]
    late = {item.client for item in pressing if item.status == OVERDUE}
    undated = {item.client for item in pressing} - late
    named = _first_clients(pressing, calendar.DIGEST_CLIENTS)
    details = workspace.index.details([item.follow_up for item in named])
    clients = workspace.known_clients({item.client for item in named})
    entries = []
    for item in named:
        words, client = details[item.follow_up], clients[item.client][0]
        due = None if item.due is None else date.fromordinal(item.due)
        entries.append(calendar.Pressing(client.key, client.name, words[4], words[1], due))
    today = workspace.moment.day
    ahead = settings.work_calendar().after(today, 1)
    body = calendar.build_digest(
        settings, today, entries, ahead, overdue=len(late), undated=len(undated), detail=detail
    )
    return [(today.toordinal(), "", body)] if body else []


def _is_undated(item: Judged) -> bool:
    return item.due is None and item.status != UPCOMING


def _first_clients(items: list[Judged], most: int) -> list[Judged]:
    seen: set[int] = set()
    found = []
    for item in items:
        if item.client not in seen and len(seen) == most:
            continue
        seen.add(item.client)
        found.append(item)
    return found


# bytes ----------------------------------------------------------------------------------------------


def _unique(events: Iterator[_Event]) -> Iterator[_Event]:
    """The events with every UID once: of several alike (one id in two notes) all but one get one of their own.

    Equal UIDs share their day, because the day is part of the hash, so they come one after the other; their
    bytes decide who is first, so that every machine decides alike.
    """
    alike: list[_Event] = []
    for event in events:
        if alike and event[1] != alike[0][1]:
            yield from alike if len(alike) == 1 else _tell_apart(alike)
            alike = []
        alike.append(event)
    yield from _tell_apart(alike)


def _tell_apart(alike: list[_Event]) -> Iterator[_Event]:
    for times, (day, uid, body) in enumerate(sorted(alike)):
        if times and uid:
            other = calendar.build_uid("", uid, "again", str(times), "")
            yield day, other, body.replace(uid.encode(), other.encode())
        else:
            yield day, uid, body


def _counted(pieces: Iterator[bytes], counter: list[int]) -> Iterator[bytes]:
    for piece in pieces:
        counter[0] += piece.startswith(b"BEGIN:VEVENT")
        yield piece


def in_chunks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer, larger pieces."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)
