"""The notes of a vault in, those that are conflict copies out, and of what.

A name that proves a copy counts by itself.  One that any note may have counts only where a note has the right
name beside it, both are clients', and they are of one client: by the same ``id`` in both and no other name, which every
computer sees alike; else by what this computer remembers of the note beside it, which only :func:`find_copies` asks
for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from notesync.followup.client import find_key, find_known_keys, is_client, read_client
from notesync.followup.settings import Settings
from notesync.notes.body import parse_body
from notesync.notes.note import Note, normalise_key, parse_note
from notesync.problems import NotesyncError
from notesync.store import conflicts
from notesync.store.conflicts import Copy, Facts, is_same_client, shares_past
from notesync.store.history import History
from notesync.store.vault import Unreadable, Vault
from notesync.store.writing import fold
from notesync.sync.counting import is_generated


def find_copies(vault: Vault, paths: Iterable[str], settings: Settings, state: str) -> list[Copy]:
    """The conflict copies among the notes of these paths, by path.

    ``state`` is the folder of this vault's history, which need not be there.  What cannot be read proves nothing.
    """
    witness = _Witness(vault, settings, state)
    try:
        found = conflicts.find_copies(paths, witness.judge)
        return [copy for copy in found if not is_generated(copy.original, settings)]
    finally:
        witness.close()


class _Seen(NamedTuple):
    """What a note says of whose it is, and its text."""

    facts: Facts
    text: str


class _Witness:
    """Looks into two notes, and into what is remembered of one, to say whether both are one client's."""

    def __init__(self, vault: Vault, settings: Settings, state: str) -> None:
        self._vault = vault
        self._settings = settings
        self._known = find_known_keys(settings)
        self._history = History(state) if os.path.isdir(state) else None
        self._seen: dict[str, _Seen | None] = {}

    def close(self) -> None:
        """Close the history."""
        if self._history is not None:
            self._history.close()

    def judge(self, copy: str, beside: str) -> bool:
        """Whether both notes are of one client, and the first goes back to the second."""
        one, other = self._look(copy), self._look(beside)
        if one is None or other is None or not is_same_client(one.facts, other.facts):
            return False
        if one.facts.id and one.facts.id == other.facts.id:
            return len({fold(each.facts.name) for each in (one, other)} - {""}) < 2
        return shares_past(one.text, self._remember(beside))

    def _look(self, path: str) -> _Seen | None:
        if path not in self._seen:
            self._seen[path] = self._read(path)
        return self._seen[path]

    def _read(self, path: str) -> _Seen | None:
        try:
            data = self._vault.read(path, time.time_ns()).data
        except Unreadable:
            return None
        note = parse_note(data, path, self._known)
        return _Seen(find_facts(note, self._settings), note.text)

    def _remember(self, path: str) -> Iterator[str]:
        """The texts that a note is known to have had, newest first; none where they cannot be read."""
        if self._history is None:
            return
        try:
            for known in self._history.texts(path):
                data = self._history.read(known.digest)
                if data is not None:
                    yield parse_note(data, path, self._known).text
        except NotesyncError:
            return


def find_facts(note: Note, settings: Settings) -> Facts:
    """What a note says of whose it is."""
    if not is_client(note, settings):
        return Facts(False)
    client = read_client(note, parse_body(note, settings.log_headings), settings)[0]
    named = note.get(normalise_key(find_key(note, "name", settings)))
    return Facts(True, client.id, client.name if named is not None and named.values else "")
