"""A refreshed workspace and a period in, the review of it out; every client's note is read again for that.

The index knows what is open, a review asks what was: so the notes themselves tell, as the rules of today read them.
What is overdue now is the index's own answer.  Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.agenda import OVERDUE
from notesync.followup.evidence import gather
from notesync.followup.period import Period
from notesync.followup.review import AtRisk, Review, build_review
from notesync.store.vault import Unreadable
from notesync.sync.answers import Selection
from notesync.sync.client_note import parse_client
from notesync.sync.owners import fold_owner
from notesync.sync.ties import find_ties

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.sync.pipeline import Workspace

AT_ONCE = 500

Progress = Callable[[int, int], None]


class _Apart(NamedTuple):
    """Paths of what is not counted: notes that cannot be read now, and conflict copies beside the notes they are of."""

    unread: list[str]
    copies: list[str]


def review_period(
    workspace: Workspace, period: Period, owners: Sequence[str] = (), progress: Progress | None = None
) -> Review:
    """The review of a period for these owners' clients, or all, as today began."""
    apart = _Apart([], [])
    clients = list(_read_clients(workspace, apart, progress))
    wanted = {fold_owner(owner) for owner in owners}
    today, context = workspace.moment.day, workspace.context()

    def is_ours(client: Client) -> bool:
        return not wanted or not wanted.isdisjoint(map(fold_owner, client.owners))

    evidence = gather(clients, is_ours, context, today)
    with workspace.at_midnight():
        at_risk = list(_list_at_risk(workspace, owners)) if period.last >= today else []
    review = build_review(evidence, context, period, today, tuple(owners), at_risk)
    return review._replace(remarks=(*_tell_apart(apart), *review.remarks))


def _tell_apart(apart: _Apart) -> Iterator[str]:
    if apart.unread:
        what = "1 note" if len(apart.unread) == 1 else f"{len(apart.unread)} notes"
        yield f"{what} could not be read, so nothing of that is counted: {_list_some(apart.unread)}."
    if apart.copies:
        what = "1 conflict copy is" if len(apart.copies) == 1 else f"{len(apart.copies)} conflict copies are"
        yield (
            f"{what} not merged, so what only such a copy holds is not counted: {_list_some(apart.copies)}. "
            "'notesync conflicts' shows what differs."
        )


def _list_some(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (" and others" if len(paths) > 3 else "")


def _read_clients(workspace: Workspace, apart: _Apart, progress: Progress | None) -> Iterator[Client]:
    """Every client as the notes tell of them now, by path; what is left out comes ``apart``.

    A stale note says nothing now, or half of what it said: it can be read, but not believed.
    """
    context, index = workspace.context(), workspace.index
    names = sorted((name.path, name.key) for name in workspace.names())
    for at in range(0, len(names), AT_ONCE):
        batch = names[at : at + AT_ONCE]
        keys = [key for _, key in batch]
        ties = find_ties(index, keys)
        stale = {key for key, _, known in index.notes(keys) if known.stale}
        apart.copies.extend(sorted(path for _, path, _, _ in index.copies_of(keys)))
        for path, key in batch:
            if key in stale:
                apart.unread.append(path)
                continue
            try:
                data = workspace.vault.read(path, 0).data
            except Unreadable:
                apart.unread.append(path)
                continue
            yield parse_client(data, path, context, ties[key])
        if progress is not None:
            progress(min(at + AT_ONCE, len(names)), len(names))


def _list_at_risk(workspace: Workspace, owners: Sequence[str]) -> Iterator[AtRisk]:
    """The clients with something overdue and a value, each with what presses most."""
    seen: set[str] = set()
    for item in workspace.agenda(Selection(owners=tuple(owners))).items:
        if item.status == OVERDUE and item.value and item.client_path not in seen:
            seen.add(item.client_path)
            yield AtRisk(item.client, item.path, item.line, item.value, item.title)
