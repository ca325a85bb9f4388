"""What notes hold goes into the history, for merges to come, where ``sync`` and ``watch`` have time for it.

In: a refreshed workspace whose calendar is written.  Out: texts kept.  Nobody waits for it: some at a time, and that
it cannot be done is no failure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from notesync.cli.session import Session
from notesync.problems import NotesyncError
from notesync.sync.pipeline import Workspace

_KEPT_AT_ONCE = 500  # notes; the next sync keeps as many more, and 'watch' all of them, while nothing happens
_KEPT_BETWEEN = 50


class Keeping:
    """What notes hold goes into the history, after the calendar; that this cannot be done is told once, and no more."""

    def __init__(self, session: Session, workspace: Workspace) -> None:
        self._session, self._workspace = session, workspace
        self._unkept: list[str] = []
        self._told = ""

    def keep_some(self) -> None:
        """Find what is not kept yet, and keep as much of it as nobody has to wait for."""
        self._try(self._find)
        self._keep_next(_KEPT_AT_ONCE)

    def keep(self, paths: Sequence[str]) -> None:
        """Keep what these notes hold now."""
        self._try(lambda: self._workspace.keep_texts(paths))

    @property
    def has_more(self) -> bool:
        """Whether something that was found is still to be kept."""
        return bool(self._unkept)

    def go_on(self) -> None:
        """Keep some more of what was found."""
        self._keep_next(_KEPT_BETWEEN)

    def _keep_next(self, most: int) -> None:
        some, self._unkept = self._unkept[:most], self._unkept[most:]
        self.keep(some)

    def _find(self) -> None:
        self._unkept = self._workspace.find_unkept()

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (NotesyncError, OSError) as error:
            self._unkept = []
            if str(error) != self._told:
                self._told = str(error)
                self._session.tell(f"Conflict copies may be harder to merge: {error}")
