"""Bytes of one Markdown file -> :class:`Note`: its front matter with every value's text and place.

In: a file's bytes and its vault-relative path.  Out: a :class:`Note`, whose parts join to the text and
encode to the bytes again, with its problems as values.  Must not know: what a client is, what a key
means, the disk, the clock, types (every value stays the text that the person wrote: YAML would make
``0712345670`` an octal number and ``NO`` a boolean).

The usual note is read here: UTF-8, front matter between two ``---`` lines, of lines that are sure
(``sure.py``).  Everything else goes through ``header.py``, which is imported only then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from notesync.notes.property import (
    MAX_HEADER,
    Plain,
    Property,
    Scalar,
    find_place,
    normalise_key,
)
from notesync.notes.sure import find_sure
from notesync.problems import Problem

__all__ = [
    "MAX_HEADER",
    "MERGE_MARKER",
    "Note",
    "Plain",
    "Property",
    "Scalar",
    "find_place",
    "normalise_key",
    "parse_note",
]

MERGE_MARKER = "merge-marker"
"""The code of the problem that a note holds two versions, with a merge's marks between them."""

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_ERRORS = {"utf-8": "surrogateescape", "utf-16-le": "surrogatepass", "utf-16-be": "surrogatepass"}
_LESS, _BRACE, _PERCENT = b"<{%"
_NO_HEADER = (-1, -1, 0)


class Note:
    """A note's text and where its parts are; made by :func:`parse_note`.

    ``header_start`` is -1 when there is no front matter; else the header is
    ``text[header_start:header_end]`` without its fences, and the body begins at ``body_start``.
    ``bom`` holds the byte-order mark's bytes, which are not part of ``text``.  ``broken`` tells that
    the header could not be read as a whole; ``template`` that it holds ``{{`` or ``<%``.  ``found`` are
    the properties as they were found, most of them not yet worked out; ``by_name`` has the first of each
    (normalised) name.
    """

    __slots__ = (
        "body_start",
        "bom",
        "broken",
        "by_name",
        "data",
        "encoding",
        "found",
        "header_end",
        "header_start",
        "path",
        "problems",
        "template",
        "text",
    )

    def __init__(
        self,
        path: str,
        data: bytes,
        text: str,
        encoding: str,
        bom: bytes,
        bounds: tuple[int, int, int],
        found: Sequence[Plain | Property],
        by_name: Mapping[str, Plain | Property],
        problems: tuple[Problem, ...] = (),
        broken: bool = False,
        template: bool = False,
    ) -> None:
        self.path = path
        self.data = data
        self.text = text
        self.encoding = encoding
        self.bom = bom
        self.header_start, self.header_end, self.body_start = bounds
        self.found = found
        self.by_name = by_name
        self.problems = problems
        self.broken = broken
        self.template = template

    @property
    def properties(self) -> tuple[Property, ...]:
        """All that the header says, in its order."""
        return tuple([item.complete() for item in self.found])

    def get(self, name: str) -> Property | None:
        """The first property of that (normalised) name, or None."""
        item = self.by_name.get(name)
        return None if item is None else item.complete()

    def parts(self) -> tuple[str, ...]:
        """Opening fence and what stands before it, header, closing fence, body: together the text."""
        text = self.text
        if self.header_start < 0:
            return ("", "", "", text)
        start, end, body = self.header_start, self.header_end, self.body_start
        return (text[:start], text[start:end], text[end:body], text[body:])

    def encode(self, text: str | None = None) -> bytes:
        """``text`` (default: the note's own) as bytes in this note's encoding and byte-order mark."""
        return self.bom + (self.text if text is None else text).encode(self.encoding, _ERRORS[self.encoding])

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of an offset into the text."""
        return find_place(self.text, offset)


def parse_note(data: bytes, path: str, known: frozenset[str] | None = None) -> Note:
    """Read a file's bytes; never raises.

    ``known`` are the normalised keys whose lost values are worth a warning (None: all of them).
    Any bytes give a note: undecodable ones stay as lone surrogates in the text, with a problem.
    """
    bom = _UTF8_BOM if data.startswith(_UTF8_BOM) else b""
    try:
        text = (data[3:] if bom else data).decode()
    except UnicodeDecodeError:
        return _parse_undecodable(data, path, known, bom)
    # One byte, given as a number, is looked for in the bytes ten times as fast as anything in the text.
    if 0 in data or (_LESS in data and b"<<<<<<< " in data):
        return _parse_with_care(data, path, known, text, "utf-8", bom, True)
    if text.startswith("---\n"):
        end = text.find("\n---", 3) + 1
        if text.startswith("\n", end + 3) and 0 < end <= MAX_HEADER:
            found = find_sure(text, 4, end, 2)
            if found is not None:
                by_name = {item[1]: item for item in found}
                if len(by_name) == len(found) and not (
                    (_BRACE in data and text.find("{{", 4, end) >= 0)
                    or (_PERCENT in data and text.find("<%", 4, end) >= 0)
                ):
                    return Note(path, data, text, "utf-8", bom, (4, end, end + 4), found, by_name)
    elif text[:1] not in ("-", "<", " ", "\t", "\r", "\n"):
        return Note(path, data, text, "utf-8", bom, _NO_HEADER, (), {})
    return _parse_with_care(data, path, known, text, "utf-8", bom, True)


def _parse_undecodable(data: bytes, path: str, known: frozenset[str] | None, bom: bytes) -> Note:
    """Bytes that are no UTF-8: UTF-16 if encoding the text gives them again, else with surrogates."""
    encoding = _UTF16_BOMS.get(data[:2])
    if encoding:
        try:
            text = data[2:].decode(encoding, "surrogatepass")
            if text.encode(encoding, "surrogatepass") == data[2:]:
                return _parse_with_care(data, path, known, text, encoding, data[:2], False)
        except UnicodeDecodeError:  # an odd number of bytes: cut off, or no UTF-16 at all
            pass
    text = data[len(bom) :].decode("utf-8", "surrogateescape")
    return _parse_with_care(data, path, known, text, "utf-8", bom, False)


def _parse_with_care(
    data: bytes, path: str, known: frozenset[str] | None, text: str, encoding: str, bom: bytes, sound: bool
) -> Note:
    """A note with anything unusual about it."""
    from notesync.notes.header import read_front_matter

    read = read_front_matter(text, path, known, encoding, sound)
    return Note(
        path,
        data,
        text,
        encoding,
        bom,
        read.bounds,
        read.properties,
        read.by_name,
        tuple(read.problems),
        read.broken,
        read.template,
    )
