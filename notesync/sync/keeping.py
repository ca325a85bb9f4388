"""Texts of notes as they are now -> the history, which merges conflict copies by them.

In: the index, which tells what notes there are and what they hold, the vault, the history.  Out: texts stored.  Must
not know: what a conflict copy is, what a note means, the calendar.

A merge needs the text that both versions come from, and that is the one from before the first change: when a note
changes, it is too late to read it.  So every note is kept once, as it is found, and again at each change.  How many
at once is for the caller to say: reading and packing ten thousand notes takes as long as deriving their follow-ups.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from notesync.store.history import History
from notesync.store.index import Index
from notesync.store.vault import Unreadable, Vault

BATCH = 100  # notes in one transaction: a few milliseconds, which nobody feels who saves just then


def find_unkept(vault: Vault, index: Index, history: History) -> list[str]:
    """The notes whose text the history does not have as their newest, those saved last first.  Raises HistoryError."""
    newest = history.newest()
    unkept = [path for path, digest in index.telling_notes() if newest.get(path) != digest]
    return sorted(unkept, key=lambda path: -_find_time(vault, path))


def _find_time(vault: Vault, path: str) -> int:
    found = vault.stat(path)
    return 0 if found is None else found.st_mtime_ns


def keep_texts(vault: Vault, index: Index, history: History, paths: Sequence[str]) -> None:
    """Have the history know what these notes hold now, if they say something of clients.  Raises HistoryError."""
    wanted = [path for path, _ in index.telling_notes(paths)]
    for at in range(0, len(wanted), BATCH):
        found = [(path, data) for path in wanted[at : at + BATCH] if (data := _read(vault, path)) is not None]
        history.store(found, time.time())


def _read(vault: Vault, path: str) -> bytes | None:
    """A note's bytes; None while it cannot be read, or is gone."""
    if not os.path.exists(vault.absolute(path)):
        return None
    try:
        return vault.read(path, 0).data
    except Unreadable:
        return None
