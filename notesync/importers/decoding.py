"""Bytes in, lines of text out, in whichever encoding they were written; in bounded memory.

Address books come as UTF-8, as UTF-16 with and without its mark, and in the code page of a Windows that is long
gone; some mix them line by line.  So lines are taken apart as Latin-1, which keeps every byte, and each gets its
encoding by itself.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from notesync.importers.record import LONGEST_LINE

_LOOK = 512


@contextmanager
def open_text(
    stream: BinaryIO, keep_line_ends: bool
) -> Iterator[tuple[io.TextIOWrapper, Callable[[str], str]]]:
    """The stream as text to take apart, and what makes its pieces readable; the stream stays open."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(_Raw(stream))
    wide = _find_wide(buffered.peek(_LOOK)[:_LOOK])
    newline = "" if keep_line_ends else None
    text = io.TextIOWrapper(buffered, wide or "latin-1", "replace", newline)
    try:
        yield text, (_drop_mark if wide else decode_line)
    finally:
        with suppress(ValueError):  # closed already, by whom it belongs to
            text.detach()


def decode_line(line: str) -> str:
    """A line that was read as Latin-1, as the text that its bytes mean."""
    return line.removeprefix("ï»¿") if line.isascii() else decode(line.encode("latin-1"))


def decode(data: bytes, charset: str = "") -> str:
    """Bytes as text: by their charset, else UTF-8, else the code page of western Windows."""
    for name in (charset, "utf-8-sig"):
        try:
            if name:
                return data.decode(name)
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", "replace")


def read_lines(text: io.TextIOWrapper) -> Iterator[str | None]:
    """The lines with their ends; None in place of one that is too long."""
    while line := text.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(("\n", "\r")):
            yield line
            continue
        while (more := text.readline(LONGEST_LINE)) and not more.endswith(("\n", "\r")):
            pass
        yield None


def _find_wide(head: bytes) -> str:
    """UTF-16 by its mark, or by the zeros beside its letters; '' where it is none."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 > len(head) > 1:
        return "utf-16-be" if even > odd else "utf-16-le"
    return ""


def _drop_mark(text: str) -> str:
    return text.removeprefix("\ufeff")


class _Raw(io.RawIOBase):
    """Any binary stream as one that can be buffered."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
