"""A note and its conflict copies as values: what differs, and what a merge would do; for those who show them.

Must not know: the disk, how a merge is made, terminals.
"""

from __future__ import annotations

from typing import NamedTuple

from notesync.notes.differences import Differences
from notesync.notes.versions import Asked
from notesync.store.conflicts import Copy

# What a merge would do: change the note, find nothing new, ask, or refuse; or there is nothing left to do.
MERGES, NOTHING_NEW, ASKS, REFUSED, DONE = "merges", "nothing-new", "asks", "refused", "done"


class Sheet(NamedTuple):
    """A conflict copy, how answers name it, its bytes, and what differs between the note (1) and it (2).

    ``done`` tells that it was merged before and had to stay.
    """

    copy: Copy
    label: str
    data: bytes
    differences: Differences
    done: bool = False


class Case(NamedTuple):
    """A note and all its conflict copies, as they are now.

    ``data`` is None where the note is gone.  ``marked`` is what differs between the two sides of the marks that an
    unfinished merge left in it, None where there are none.  ``result`` is what a merge makes of it, None where
    there is none; ``based`` whether it is known what the versions come from; ``unmeant`` are answers that fit none.
    """

    path: str
    data: bytes | None
    sheets: tuple[Sheet, ...]
    marked: Differences | None
    state: str
    result: bytes | None = None
    based: bool = False
    asked: tuple[Asked, ...] = ()
    refusal: str = ""
    unused: tuple[str, ...] = ()
    unmeant: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether something is left to merge."""
        return self.state != DONE

    @property
    def sure(self) -> bool:
        """Whether the names of all copies prove that they are copies."""
        return all(sheet.copy.sure for sheet in self.sheets)

    @property
    def files(self) -> list[str]:
        """The files that a merge reads, and may change."""
        return [*([] if self.data is None else [self.path]), *(sheet.copy.path for sheet in self.sheets)]
