"""What our two SQLite files, index and history, have in common: how several processes share them.

In: a connection, a path, an error.  Out: whether the file is to blame.  It knows no table.
"""

from __future__ import annotations

import os
import sqlite3
import time

PATIENCE = 10.0  # seconds to wait for other processes that write
# What SQLite and Python's module say of a damaged file by the class that they also have for a locked or full one.
_DAMAGE = ("malformed", "disk image", "no such table", "could not decode", "unsupported file format")


def use_log(db: sqlite3.Connection) -> None:
    """Have readers not wait for a writer; SQLite itself does not wait for the lock that this switch needs."""
    patient_until = time.monotonic() + PATIENCE
    while True:
        try:
            db.execute("pragma journal_mode = wal")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > patient_until:
                raise
            time.sleep(0.01)
        else:
            return


def find_file(path: str) -> int | None:
    """Which file has this name now: another one after somebody replaced it, None while there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def is_damage(error: Exception) -> bool:
    """Whether the file itself is at fault, so that it is worth nothing: not who else uses it, or the disk."""
    if isinstance(error, sqlite3.OperationalError):
        words = str(error).casefold()
        return any(sign in words for sign in _DAMAGE)
    return isinstance(error, sqlite3.DatabaseError)
