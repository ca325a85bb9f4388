"""When the calendar was last known to be current: a file in the cache whose time says so.

In: the file's path.  Out: a moment by the wall clock, and whether a watcher promised to look again.
"""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple


class Mark(NamedTuple):
    """``when`` the calendar was current, and the seconds ``again`` after which a watcher would look; 0 of none."""

    when: float
    again: float


def store_mark(path: str, again: float) -> None:
    """Say that the calendar is current now.  Where that cannot be written nobody is worse off but doctor."""
    with contextlib.suppress(OSError), open(path, "w", encoding="ascii") as file:
        file.write(f"{again:g}\n")


def find_mark(path: str) -> Mark | None:
    """The last such word; None where there is none."""
    try:
        with open(path, encoding="ascii") as file:
            return Mark(os.fstat(file.fileno()).st_mtime, float(file.read()))
    except (OSError, ValueError):
        return None
