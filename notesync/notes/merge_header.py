"""The front matter of three versions of a note -> one, key by key, on the lines as they stand.

In: notes whose headers can be taken apart (:func:`is_sound`).  Out: the header's text, and questions about the
keys that both sides changed to something else.  Must not know: bodies, clients, the clock, the disk.

Of each key the lines of the side that changed it are kept as they are, comments above them included.  Where
both changed it: lists get what either added and lose what either took out, of two days of ``last_contact`` the
later counts, an edit outlives a deletion.  Anything else is for a person to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from notesync.notes.edit_header import UNSOUND, set_properties
from notesync.notes.lines import DATE
from notesync.notes.note import Note, Property, parse_note
from notesync.notes.three_way import choose, count_wanted, unite
from notesync.problems import RefusedError


class Question(NamedTuple):
    """What only a person can say: the texts that stand in the base and in both sides; '' where nothing does.

    ``key`` is the property's name, or ``text-1``, ``text-2`` … for places in the body.
    """

    key: str
    base: str
    one: str
    two: str


class _Chunk(NamedTuple):
    """A key's lines, and the comments and blank lines above them."""

    lead: str
    raw: str
    values: tuple[str, ...]
    is_list: bool
    flat: bool


class Header(NamedTuple):
    """A header in pieces: its fences, its keys in order, what stands below the last."""

    opening: str
    chunks: dict[str, _Chunk]
    tail: str
    closing: str


_NOTHING = _Chunk("", "", (), False, True)
_DAY = re.compile(rf"{DATE}(?:[T ][0-9:]+)?")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_COMMENT = re.compile(r"(?<![^\s])#")
_PROMISED = "next_contact"


def is_sound(note: Note) -> bool:
    """Whether a note's front matter can be taken apart without doing other than it looks."""
    if note.header_start < 0 or note.broken or any(problem.code in UNSOUND for problem in note.problems):
        return False
    properties = note.properties
    starts = [note.text[item.start - 1 : item.start] in ("\n", "\r") for item in properties]
    return all(starts) and len(note.by_name) == len(properties) and not _is_json(note)


def _is_json(note: Note) -> bool:
    return note.text[note.header_start : note.header_end].lstrip()[:1] == "{"


def split_header(note: Note | None) -> Header:
    """A note's header in pieces; nothing for no note."""
    if note is None:
        return Header("", {}, "", "")
    opening, _, closing, _ = note.parts()
    chunks = {}
    at = note.header_start
    for item in note.properties:
        chunks[item.name] = _build_chunk(note.text, at, item)
        at = item.end
    return Header(opening, chunks, note.text[at : note.header_end], closing)


def _build_chunk(text: str, at: int, item: Property) -> _Chunk:
    values = tuple(value.text for value in item.values)
    return _Chunk(text[at : item.start], text[item.start : item.end], values, item.is_list, item.flat)


class HeaderMerge:
    """The merge of three headers: ``questions`` are those without an answer.

    ``take`` says which side's lines to take for a key: 1 or 2.
    """

    def __init__(self, base: Note | None, one: Note, two: Note, take: Mapping[str, int]) -> None:
        self.base, self.one, self.two = (split_header(note) for note in (base, one, two))
        self.take = take
        self.has_base = base is not None
        self.questions: list[Question] = []

    def build(self) -> str:
        """The header with its fences; of no use while there are questions."""
        merged = {name: found for name in self._list_names() if (found := self._merge_key(name)) is not None}
        one, two = ([name for name in side.chunks if name in merged] for side in (self.one, self.two))
        pieces = [merged[name] for name in unite([], one, two)]
        pieces.append((_join_comments(self.base.tail, self.one.tail, self.two.tail), ""))
        opening = _join_texts(self.base.opening, self.one.opening, self.two.opening)
        closing = _join_texts(self.base.closing, self.one.closing, self.two.closing)
        return "".join([opening, *self._drop_repeated(pieces), closing])

    def _drop_repeated(self, pieces: Iterable[tuple[str, str]]) -> Iterator[str]:
        """Comments and keys, without comments that both sides have above different keys."""
        wanted = count_wanted(*(_list_comments(side) for side in (self.base, self.one, self.two)))
        for lead, raw in pieces:
            for line in _LINE.findall(lead):
                wanted[line] -= 1
                if wanted[line] >= 0:
                    yield line
            yield raw

    def _list_names(self) -> list[str]:
        return unite([], list(self.one.chunks), list(self.two.chunks))

    def _merge_key(self, name: str) -> tuple[str, str] | None:
        """What stands above one key, and its lines; None where it goes with all that stood above it."""
        base, one, two = (side.chunks.get(name, _NOTHING) for side in (self.base, self.one, self.two))
        chosen = choose(base.raw, one.raw, two.raw)
        raw = chosen[0] if chosen else self._merge_both(name, base, one, two)
        if one.raw and two.raw:
            return _join_comments(base.lead, one.lead, two.lead), raw
        lead = (one if one.raw else two).lead
        if not raw:
            known = _LINE.findall(base.lead)
            lead = "".join([line for line in _LINE.findall(lead) if line not in known])
        return (lead, raw) if lead or raw else None

    def _merge_both(self, name: str, base: _Chunk, one: _Chunk, two: _Chunk) -> str:
        """The lines of a key that both sides changed, differently."""
        if name in self.take:
            return (one, two)[self.take[name] - 1].raw
        found = self._find_certain(name, base, one, two)
        if found is None:
            self.questions.append(Question(name, base.raw, one.raw, two.raw))
            return ""
        return found

    def _find_certain(self, name: str, base: _Chunk, one: _Chunk, two: _Chunk) -> str | None:
        if not (one.flat and two.flat and base.flat):
            return None
        if one.values == two.values and one.raw and two.raw:
            return min(one.raw, two.raw)
        if not one.values or not two.values:
            return None if name == _PROMISED else max((side.values, side.raw) for side in (one, two))[1]
        if one.is_list or two.is_list:
            return self._unite_lists(name, base, one, two)
        if name == "last_contact" and all(_DAY.fullmatch(side.values[0]) for side in (one, two)):
            return max((one, two), key=lambda side: (side.values, side.raw)).raw
        return None

    def _unite_lists(self, name: str, base: _Chunk, one: _Chunk, two: _Chunk) -> str | None:
        """A list with what either side added; None where a comment among its items would be lost."""
        if name == _PROMISED or any(_COMMENT.search(side.raw) for side in (one, two)):
            return None
        wanted = tuple(unite(base.values, one.values, two.values))
        for side in sorted((one, two), key=lambda side: side.raw):
            if side.values == wanted:
                return side.raw
        if not self.has_base:
            return None
        return _write_list(name, min(one.raw, two.raw, key=lambda raw: (-len(raw), raw)), wanted)


def _write_list(name: str, raw: str, wanted: tuple[str, ...]) -> str | None:
    """A list's lines with other items, written as they are."""
    note = parse_note(f"---\n{raw}---\n".encode("utf-8", "surrogateescape"), "")
    try:
        new = set_properties(note, {name: wanted}, ())
    except RefusedError:
        return None
    return new.text[new.header_start : new.header_end]


def _join_texts(base: str, one: str, two: str) -> str:
    chosen = choose(base, one, two)
    return chosen[0] if chosen else min(one, two)


def _join_comments(base: str, one: str, two: str) -> str:
    """What stands above a key: what either side wrote there."""
    chosen = choose(base, one, two)
    if chosen:
        return chosen[0]
    return "".join(unite(*(_LINE.findall(text) for text in (base, one, two))))


def _list_comments(header: Header) -> list[str]:
    return [
        line
        for text in (*(chunk.lead for chunk in header.chunks.values()), header.tail)
        for line in _LINE.findall(text)
    ]
