"""What a header says, piece by piece: a :class:`Property` with its :class:`Scalar` values, and their places.

In: nothing; these are the values that the header's readers make and everybody else reads.  Must not
know: how a header is read, what a key means, types.

Offsets are in characters of ``Note.text``, lines and columns count from 1.  Lines end at LF, CR and
CRLF only; ``str.splitlines`` also splits at U+2028, U+0085, VT and FF, which no editor does.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

MAX_HEADER = 64 * 1024
MAX_PROBLEMS = 20
NOTHING = ("null", "~")
"""Plain words that mean an empty value."""
LINK = r"\[\[[^\[\]\r\n\"']+\]\]"
"""The pattern of a link, which YAML takes for a list in a list."""


# Scalar, Property (and Entry, Task) are NamedTuples, not frozen dataclasses: some twenty are made for
# every note, and a tuple takes a quarter of the time of a frozen dataclass.  The hot loops call
# tuple.__new__ directly, which halves that again.
class Scalar(NamedTuple):
    """One value as the person wrote it.

    ``text`` is free of quotes and escapes, never typed; ``start`` and ``end`` are offsets into
    ``Note.text`` and include quotes; ``plain`` tells that there were none.
    """

    text: str
    line: int
    column: int
    start: int
    end: int
    plain: bool


class Property(NamedTuple):
    """One ``key: value`` of the header.

    ``name`` is the key in lower case, blanks and hyphens as underscores.  ``values`` holds the texts
    that are not empty: none for an empty key.  ``is_list`` tells how it was written; ``flat`` is False
    for a map or a list in a list, whose inner texts are left out.  ``start`` to ``end`` are its whole
    lines, the last one's end included (of JSON, from the key to the value's end).
    """

    key: str
    name: str
    values: tuple[Scalar, ...]
    is_list: bool
    flat: bool
    line: int
    column: int
    start: int
    end: int

    def complete(self) -> Property:
        """Itself: it says all that there is."""
        return self


class _Plain(NamedTuple):
    text: str
    name: str
    line: int
    column: int
    start: int
    end: int
    key: str


class Plain(_Plain):
    """A property that is one plain text on one line, as most are, at a third of the cost.

    It stands for its own one value, so ``line`` and ``column`` are the text's.  What nearly nobody asks is
    left to :meth:`complete`.
    """

    __slots__ = ()
    is_list = False
    flat = True

    @property
    def values(self) -> tuple[Plain]:
        """The text and its place."""
        return (self,)

    def complete(self) -> Property:
        """The same as any other property."""
        text, name, line, column, start, end, key = self
        begin = start + column - 1
        value = Scalar(text, line, column, begin, begin + len(text), True)
        return Property(key, name, (value,), False, True, line, 1, start, end)


@lru_cache(maxsize=4096)
def normalise_key(key: str) -> str:
    """A key as it is compared: any case, blanks and hyphens as underscores."""
    return key.strip().casefold().replace(" ", "_").replace("-", "_")


def find_place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of ``offset`` in ``text``; CR, LF and CRLF end a line."""
    if offset > 0 and text[offset - 1 : offset + 1] == "\r\n":
        # Inside a CRLF: still on the line that it ends.
        line, column = find_place(text, offset - 1)
        return line, column + 1
    line = 1 + text.count("\n", 0, offset)
    line_start = text.rfind("\n", 0, offset) + 1
    if "\r" in text:
        line += text.count("\r", 0, offset) - text.count("\r\n", 0, offset)
        line_start = max(line_start, text.rfind("\r", 0, offset) + 1)
    return line, offset - line_start + 1


def find_line_end(text: str, offset: int) -> int:
    """The offset behind the line end at or after ``offset``."""
    end = text.find("\n", offset) + 1 or len(text)
    lone = text.find("\r", offset, end) + 1
    return lone if lone and text[lone : lone + 1] != "\n" else end
