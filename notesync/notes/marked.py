"""A note with the marks of a merge that nobody finished -> the versions that it was made of.

In: a file's bytes.  Out: what either side had, and the base where the marks tell it.  Must not know: git (which
leaves such marks, as other programs do), what a note holds, how versions are merged.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_MARK = re.compile(rb"(<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|\Z)")
# The mark that a place has reached, the mark that comes, and which versions have the lines behind it.
_BOTH, _ONE, _BASE, _TWO = (0, 1, 2), (1,), (0,), (2,)
_NEXT = {
    (b"", b"<"): _ONE,
    (b"<", b"|"): _BASE,
    (b"<", b"="): _TWO,
    (b"|", b"="): _TWO,
    (b"=", b">"): _BOTH,
}


class Versions(NamedTuple):
    """What stood in a file before it was merged; ``base`` is None where a place does not show it."""

    base: bytes | None
    one: bytes
    two: bytes


def split_marked(data: bytes) -> Versions | None:
    """The versions in a file with marks of a merge; None if it has none, or not in the right order."""
    lines = _assign_lines(data)
    if lines is None:
        return None
    base, one, two = (b"".join(line for line, into in lines if version in into) for version in _BOTH)
    places = sum(line[:7] == b"<<<<<<<" for line, into in lines if not into)
    bases = sum(line[:7] == b"|||||||" for line, into in lines if not into)
    return Versions(base if bases == places else None, one, two)


def blank_sides(data: bytes) -> tuple[bytes, bytes] | None:
    """Both versions in such a file with every line in its place: what is not the version's is blank."""
    lines = _assign_lines(data)
    if lines is None:
        return None
    one, two = (
        b"".join(line if version in into else line[len(line.rstrip(b"\r\n")) :] for line, into in lines)
        for version in (1, 2)
    )
    return one, two


def _assign_lines(data: bytes) -> list[tuple[bytes, tuple[int, ...]]] | None:
    """Each line with the versions that have it, none of a mark; None where marks are not in the right order."""
    found: list[tuple[bytes, tuple[int, ...]]] = []
    reached = b""
    into: tuple[int, ...] = _BOTH
    places = 0
    for line in _LINE.findall(data):
        mark = _MARK.match(line)
        if mark is None or (reached == b"" and line[:1] != b"<"):
            found.append((line, into))
            continue
        sign = line[:1]
        if (reached, sign) not in _NEXT:
            return None
        into = _NEXT[reached, sign]
        places += sign == b"<"
        reached = b"" if sign == b">" else sign
        found.append((line, ()))
    return found if places and not reached else None
