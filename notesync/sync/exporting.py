"""The clients of a vault as their notes have them -> contacts to hand on.

In: a refreshed workspace and whose clients are wanted.  Out: a :class:`Contact` each, or the problem of a note that
cannot be read.  Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from notesync.followup.client import find_key, find_known_keys
from notesync.followup.client_fields import KEYS
from notesync.notes.note import parse_note
from notesync.problems import ERROR, Problem
from notesync.publish.contacts import Contact
from notesync.store.vault import Unreadable
from notesync.sync.answers import Selection

if TYPE_CHECKING:
    from notesync.followup.settings import Settings
    from notesync.notes.note import Note
    from notesync.sync.pipeline import Workspace


def list_contacts(workspace: Workspace, owners: Sequence[str]) -> Iterator[Contact | Problem]:
    """The clients of some owners, or all, by name."""
    settings = workspace.settings
    for card in workspace.cards(Selection(owners=tuple(owners))):
        try:
            data = workspace.vault.read(card.path, 0).data
        except Unreadable as reason:
            message = f"{reason} The client is not in what was exported."
            yield Problem(card.path, 1, 1, reason.code, ERROR, message, reason.hint)
            continue
        note = parse_note(data, card.path, find_known_keys(settings))
        yield Contact(
            card.path, card.name, read_fields(note, settings), note.text[note.body_start :].strip("\r\n")
        )


def read_fields(note: Note, settings: Settings) -> dict[str, tuple[str, ...]]:
    """The texts of each key that says something, as they stand there."""
    found = {key: note.get(find_key(note, key, settings)) for key in KEYS if key not in ("type", "name")}
    texts = {
        key: tuple(value.text for value in item.values if value.text.strip())
        for key, item in found.items()
        if item is not None
    }
    return {key: values for key, values in texts.items() if values}
