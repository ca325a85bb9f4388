"""A log that never outgrows its place, for systems that keep none for their services.

In: what is written to it as to any stream.  Out: a file whose lines begin with the moment, and beside it the one
before, each of half a megabyte at most.  What cannot be written is dropped: a full disk must not end a watcher.
"""

from __future__ import annotations

import contextlib
import io
import os
import time

LIMIT = 1 << 19


class LogFile(io.TextIOBase):
    """Appends whole lines to ``path``.  Raises OSError where it cannot be made at all."""

    def __init__(self, path: str, limit: int = LIMIT) -> None:
        super().__init__()
        self._path, self._limit, self._rest = path, limit, ""
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(path, "ab"):
            pass

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        """Keep the text until its line ends, then write it with the moment before it."""
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            moment = time.strftime("%Y-%m-%d %H:%M:%S ")
            data = "".join(f"{moment}{line}\n" for line in lines).encode(errors="backslashreplace")
            with contextlib.suppress(OSError):
                self._append(data)
        return len(text)

    def _append(self, data: bytes) -> None:
        # Opened anew each time: on Windows an open file can be neither renamed nor removed.
        if os.path.exists(self._path) and os.path.getsize(self._path) + len(data) > self._limit:
            os.replace(self._path, f"{self._path}.1")
        with open(self._path, "ab") as file:
            file.write(data)


def read_last_lines(path: str, count: int) -> list[str]:
    """The last lines of a log; none where there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - (1 << 14)))
            return file.read().decode(errors="replace").split("\n")[:-1][-count:]
    except OSError:
        return []
