"""A lock between processes that dies with the process which holds it.

In: an open file, or the path of one.  Out: whether it is ours now.  The file's name stays when the lock is
given back: a third process could otherwise lock a name that is about to go.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from notesync.problems import RefusedError

PATIENCE = 10.0  # seconds; a change of a note takes some milliseconds
_PAUSE = 0.005

if sys.platform == "win32":
    import msvcrt

    def take_lock(file: int) -> bool:
        """Lock one byte far behind the text: on Windows nobody could read a locked one."""
        os.lseek(file, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def take_lock(file: int) -> bool:
        """Lock the file for as long as it stays open; a file system without locks grants it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return not isinstance(error, BlockingIOError)
        return True


class Turn:
    """Held by the one process whose turn it is; entering waits for the others.

    Raises RefusedError with the words of ``refusal`` when they take longer than :data:`PATIENCE`, OSError
    where there can be no such file.
    """

    def __init__(self, path: str, refusal: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._path = path
        self._refusal = refusal
        self._pause = pause
        self._file = -1

    def __enter__(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._wait()
        except BaseException:
            os.close(self._file)
            raise

    def _wait(self) -> None:
        for _ in range(int(PATIENCE / _PAUSE)):
            if take_lock(self._file):
                return
            self._pause(_PAUSE)
        raise RefusedError(self._refusal)

    def __exit__(self, *_: object) -> None:
        os.close(self._file)
