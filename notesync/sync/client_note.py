"""A client's note read again, for what the index does not keep: all of the client, the log, how far along the plans.

In: a refreshed workspace and the client's key.  Out: the client as the notes tell of them now.  Nothing is written,
here or in the index.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from notesync.followup.client import find_known_keys, read_client
from notesync.followup.follow_up import find_past
from notesync.followup.rules import find_alive, find_missed
from notesync.followup.steps import MISSED, find_progress
from notesync.followup.wording import tell_reason
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note
from notesync.problems import RefusedError
from notesync.store.vault import Unreadable
from notesync.sync.ties import Ties, add_ties, find_ties

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.follow_up import Context
    from notesync.followup.settings import Settings
    from notesync.followup.steps import Progress
    from notesync.notes.body import Entry
    from notesync.notes.note import Note
    from notesync.store.rows import FollowUpRow
    from notesync.sync.pipeline import Workspace


def find_client(workspace: Workspace, key: int) -> Client:
    """A client as the notes tell of them now.  Raises RefusedError where theirs cannot be read."""
    key = workspace.known_key(key)
    client = _read_client(workspace, key)
    if client is None:
        ((_, path, _),) = workspace.index.notes([key])
        try:
            workspace.vault.read(path, time.time_ns())
        except Unreadable as reason:
            raise RefusedError(f"{path}: {reason} {reason.hint} Nothing was changed.") from reason
        raise RefusedError(f"{path} could not be read a moment ago. Nothing was changed: try again.")
    return client


def read_history(workspace: Workspace, key: int) -> tuple[tuple[Entry, ...], list[Progress]]:
    """A client's log, and how far along the plans they are; nothing of a note that cannot be read.

    Of a client who is not to be contacted only what is over.
    """
    client = _read_client(workspace, workspace.known_key(key))
    if client is None:
        return (), []
    today, context = workspace.moment.day, workspace.context()
    past = find_past(client, today)
    progress = [
        each._replace(reason=tell_reason(each.reason, each.closes, today))
        for each in find_progress(client, context, past, find_alive(client, context, past))
        if not client.do_not_contact or each.settled or each.ended or each.status == MISSED
    ]
    return client.log, progress


def find_missed_rows(workspace: Workspace, clients: Sequence[int]) -> Iterator[tuple[int, FollowUpRow]]:
    """What these clients' notes tell of steps that are missed, each with its client."""
    from notesync.sync.deriving import build_follow_up_rows

    for key in clients:
        client = _read_client(workspace, key)
        if client is not None:
            past = find_past(client, workspace.moment.day)
            found = find_missed(client, workspace.context(), past)
            for row in build_follow_up_rows(found, client):
                yield key, row


def _read_client(workspace: Workspace, key: int) -> Client | None:
    (found,) = workspace.index.notes([key])
    try:
        content = workspace.vault.read(found[1], time.time_ns())
    except Unreadable:
        return None
    return parse_client(content.data, found[1], workspace.context(), find_ties(workspace.index, [key])[key])


def read_as_client(note: Note, settings: Settings) -> Client:
    """The client that a note tells of, as far as the note itself goes."""
    return read_client(note, parse_body(note, settings.log_headings), settings)[0]


def parse_client(data: bytes, path: str, context: Context, ties: Ties) -> Client:
    """The client of a note, with what other notes say of them."""
    settings = context.settings
    note = parse_note(data, path, find_known_keys(settings))
    body = parse_body(note, settings.log_headings, context.tasks_filter)
    return add_ties(read_client(note, body, settings)[0], ties)
