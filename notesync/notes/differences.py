"""Two versions of a note -> what differs: field by field, log entry by log entry, task by task, then the rest.

In: notes' bytes.  Out: :class:`Differences`, for people to read.  Must not know: files, clients, what a merge makes
of it, the clock.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from notesync.notes.merge_body import BLANK, ENTRY, ITEM, cut_body
from notesync.notes.merge_header import is_sound, split_header
from notesync.notes.note import Note, parse_note
from notesync.notes.versions import NOTHING, show_value

TASK, TEXT = "task", "text"

_NEWLINE = re.compile(r"\r\n|\r|\n")
_TASK = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\[[^\]]\]")


class Field(NamedTuple):
    """A key with different values: in the base ('' where no base is known), in one version and in the other."""

    key: str
    base: str
    one: str
    two: str


class Said(NamedTuple):
    """What only one version has: an entry of the log, a task, other text.

    ``side`` is 1 or 2; ``known`` tells that the base has it too, so that the other version took it out or changed it.
    """

    kind: str
    side: int
    text: str
    known: bool


class Differences(NamedTuple):
    """What two versions of a note do not share; ``fields`` and ``said`` are empty where both say the same."""

    fields: tuple[Field, ...]
    said: tuple[Said, ...]

    def tally(self) -> dict[str, int]:
        """How many there are of each kind, in this order: field, entry, task, text."""
        counts = Counter(each.kind for each in self.said)
        return {"field": len(self.fields), **{kind: counts[kind] for kind in (ENTRY, TASK, TEXT)}}


def compare(
    base: bytes | None, one: bytes, two: bytes, path: str, log_headings: tuple[str, ...]
) -> Differences:
    """What differs between two versions of the note at ``path``; line ends and blank lines are no difference."""
    notes = [_level(data, path) for data in (one, two)]
    before = None if base is None else _level(base, path)
    sound = all(is_sound(note) for note in notes)
    fields = _compare_fields(before, *notes) if sound else ()
    known = (
        Counter(_list_said(before, sound, log_headings)) if before is not None else Counter[tuple[str, str]]()
    )
    first, second = (_list_said(note, sound, log_headings) for note in notes)
    return Differences(fields, (*_list_own(1, first, second, known), *_list_own(2, second, first, known)))


def find_left_out(
    versions: Iterable[bytes], merged: bytes, path: str, log_headings: tuple[str, ...]
) -> list[str]:
    """What some version says and the merged note does not: keys with their values, then first lines, each once."""
    text = _level(merged, path).text
    fields: dict[str, None] = {}
    said: dict[str, None] = {}
    for data in versions:
        found = compare(None, data, merged, path, log_headings)
        for field in found.fields:
            if field.one != NOTHING and not set(field.one.split(", ")) <= set(field.two.split(", ")):
                fields[f"{field.key}: {field.one}"] = None
        for each in found.said:
            if each.side == 1 and each.text not in text:
                said[each.text.partition("\n")[0]] = None
    return [*fields, *said]


def _level(data: bytes, path: str) -> Note:
    note = parse_note(data, path)
    return parse_note(note.encode(_NEWLINE.sub("\n", note.text)), path)


def _compare_fields(base: Note | None, one: Note, two: Note) -> tuple[Field, ...]:
    values = [_read_fields(note) for note in (one, two)]
    before = _read_fields(base) if base is not None and is_sound(base) else None
    found = []
    for name in {**values[0], **values[1]}:
        key = next(side[name][0] for side in values if name in side)
        shown = [side[name][1] if name in side else NOTHING for side in values]
        if shown[0] != shown[1]:
            was = "" if before is None else before[name][1] if name in before else NOTHING
            found.append(Field(key, was, *shown))
    return tuple(found)


def _read_fields(note: Note) -> dict[str, tuple[str, str]]:
    """Each key as it is written, and its value."""
    chunks = split_header(note).chunks
    return {
        item.name: (item.key, show_value(chunk.raw, chunk.values, chunk.flat))
        for item in note.properties
        if (chunk := chunks.get(item.name)) is not None
    }


def _list_said(note: Note, sound: bool, log_headings: tuple[str, ...]) -> list[tuple[str, str]]:
    """What a note says below its front matter, or in all of it where that cannot be read: kinds and texts."""
    units = cut_body(note, note.body_start if sound else 0, log_headings).units
    found = []
    for unit in units:
        if unit.kind == BLANK:
            continue
        kind = ENTRY if unit.kind == ENTRY else TASK if unit.kind == ITEM and _TASK.match(unit.text) else TEXT
        found.append((kind, unit.text.rstrip()))
    return found


def _list_own(
    side: int, mine: list[tuple[str, str]], theirs: list[tuple[str, str]], known: Counter[tuple[str, str]]
) -> list[Said]:
    """What a side has that the other lacks, in its order."""
    lacking = Counter(mine) - Counter(theirs)
    own = []
    for each in reversed(mine):  # of equal ones the last are those that are too many
        if lacking[each] > 0:
            lacking[each] -= 1
            own.append(Said(each[0], side, each[1], each in known))
    return own[::-1]
