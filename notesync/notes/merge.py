"""A base and two versions of a note -> one, or questions that only a person can answer.

In: notes' bytes as they were read.  Out: bytes that hold every line that either side added, or what has to be
asked first.  The answer is the same whichever side comes first, on whichever machine, and merging it again
with either side changes nothing.  Must not know: clients, files, the history, the clock.

Front matter is merged key by key (``merge_header.py``), the rest as units (``merge_body.py``).  A base that is
no ancestor of both sides would make their lines look deleted: :func:`choose_base` finds the right one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from notesync.notes.body import Entry, parse_body
from notesync.notes.edit import refuse, refuse_damaged
from notesync.notes.merge_body import BOTH, BodyMerge, Cut, cut_body
from notesync.notes.merge_header import HeaderMerge, Question, is_sound
from notesync.notes.note import Note, parse_note
from notesync.notes.three_way import choose

__all__ = ["BOTH", "Merged", "Question", "choose_base", "is_unfinished", "merge_notes"]

Style = TypeVar("Style", bytes, str, bool)

_NO_ANSWERS: Mapping[str, int] = MappingProxyType({})
_NEWLINE = re.compile(r"\r\n|\r|\n")
_MARK = b"<<<<<<<"


class Merged(NamedTuple):
    """The merged note's bytes; None while there are questions."""

    data: bytes | None
    questions: tuple[Question, ...] = ()


def merge_notes(
    base: bytes | None,
    one: bytes,
    two: bytes,
    path: str,
    take: Mapping[str, int] = _NO_ANSWERS,
    log_headings: tuple[str, ...] = ("Log",),
) -> Merged:
    """Merge two versions of the note at ``path``.

    ``base`` is what both come from, None where that is not known; ``take`` answers questions by their keys: 1
    takes what the first side has there, 2 the second, BOTH, for a place in the body, either.  Raises RefusedError
    for versions that are damaged, or that would hide each other's entries.
    """
    chosen = _choose_whole(base, one, two)
    if chosen is not None:
        return Merged(chosen)
    return _Merge(base, one, two, path, take, log_headings).build()


def _choose_whole(base: bytes | None, one: bytes, two: bytes) -> bytes | None:
    """The version that counts as it is, if one does: the other has nothing, or nothing new.

    A version that is empty, or ends in the middle of a line of the base, was not finished: that is no deletion.
    """
    broken = [side for side in (one, two) if is_unfinished(base, side)]
    if broken or one == two:
        return max(one, two) if len(broken) != 1 else two if broken == [one] else one
    chosen = None if base is None else choose(base, one, two)
    return chosen[0] if chosen else None


def is_unfinished(base: bytes | None, side: bytes) -> bool:
    """Whether a version is one that somebody had not finished writing."""
    if not side.strip(b"\0 \t\r\n"):
        return True
    if base is None or not base.startswith(side) or len(side) == len(base):
        return False
    return base[len(side)] not in b"\r\n" and side[-1] not in b"\r\n"


def choose_base(
    texts: Iterable[bytes], one: bytes, two: bytes, unproved: Collection[bytes] = ()
) -> bytes | None:
    """Of the texts that a note had, newest first, the one that both sides most likely come from.

    A later text of one side is no ancestor of the other, in which its additions would look deleted, and what it
    took out would look added.  It is told by lines that one version has and the other lacks: its own, and those
    of older texts that it no longer has.  Of equally good ones the nearest, then the oldest counts.  A text that
    has nothing in common with either version is none.

    Texts that still are a version are ``unproved``: each may be older than the others, or written beside them.
    Where one of them fits best, every other text fits less, so the base is not known.  A text with marks of a
    merge is none either: it holds what each side has and the other lacks.
    """
    sides = [_count(data) for data in (one, two)]
    found = []
    older: Counter[bytes] = Counter()
    for age, text in enumerate(reversed(list(texts))):
        lines = _count(text)
        if any(line.startswith(_MARK) for line in lines):
            continue
        taken_out = older - lines
        older |= lines
        if not all((lines & side).total() * 2 > lines.total() for side in sides):
            continue
        lost = [lines - side for side in sides]
        one_sided = (lost[0] - lost[1]).total() + (lost[1] - lost[0]).total()
        back = [(side - lines) & taken_out for side in sides]
        one_sided += (back[0] - back[1]).total() + (back[1] - back[0]).total()
        distance = sum((lines - side).total() + (side - lines).total() for side in sides)
        found.append((one_sided, text in unproved, distance, age, text))
    best = min(found, default=None)
    return None if best is None or best[1] else best[4]


def _count(data: bytes) -> Counter[bytes]:
    return Counter(line for line in re.split(rb"[\r\n]+", data) if line.strip())


class _Merge:
    """One merge under way: the versions as notes that differ in nothing but what was written."""

    def __init__(
        self,
        base: bytes | None,
        one: bytes,
        two: bytes,
        path: str,
        take: Mapping[str, int],
        log_headings: tuple[str, ...],
    ) -> None:
        self.take = take
        self.log_headings = log_headings
        read = parse_note(one, path), parse_note(two, path)
        before = None if base is None else parse_note(base, path)
        for note in read:
            refuse_damaged(note)
            if note.text.startswith("\ufeff"):  # it would be the mark of a version whose own one goes
                why = "one of its versions begins with two byte-order marks"
                raise refuse(note, 1, "two-marks", why, "Merge them by hand.")
        if read[0].encoding != read[1].encoding or (before and before.encoding != read[0].encoding):
            raise refuse(
                read[0],
                1,
                "encodings",
                "its versions are saved in different encodings",
                "Save both as UTF-8.",
            )
        self.bom = _choose(None if before is None else before.bom, read[0].bom, read[1].bom)
        self.newline = _choose_newline(before, *read)
        self.ended = _choose(
            None if before is None else _is_ended(before), _is_ended(read[0]), _is_ended(read[1])
        )
        self.base = None if before is None else self._level(before)
        self.one, self.two = (self._level(note) for note in read)

    def _level(self, note: Note) -> Note:
        """A version with the line ends and the mark at its beginning that the result will have."""
        text = note.text
        if _find_newline(note) not in ("", self.newline):
            text = _NEWLINE.sub(self.newline, text)
        if text and not _is_ended(note):
            text += self.newline
        return parse_note(self.bom + note.encode(text)[len(note.bom) :], note.path)

    def build(self) -> Merged:
        known = [self.one, self.two] if self.base is None else [self.base, self.one, self.two]
        sound = all(is_sound(note) for note in known)
        questions: list[Question] = []
        text = ""
        if sound:
            header = HeaderMerge(self.base, self.one, self.two, self.take)
            text = header.build()
            questions += header.questions
        one, two = self._cut(self.one, sound), self._cut(self.two, sound)
        base = None if self.base is None else self._cut(self.base, sound)
        body = BodyMerge(base, one, two, self.take)
        text += body.build()
        questions += body.questions
        if questions:
            return Merged(None, tuple(questions))
        if not self.ended:
            text = text.removesuffix("\n").removesuffix("\r")
        return Merged(self._check(text))

    def _cut(self, note: Note, sound: bool) -> Cut:
        return cut_body(note, note.body_start if sound else 0, self.log_headings)

    def _check(self, text: str) -> bytes:
        """The merged text's bytes.  Raises RefusedError where one side's text hides the other's entries or tasks."""
        data = self.one.encode(text)
        if any(key.startswith("text-") and side != BOTH for key, side in self.take.items()):
            return data  # a person has seen both, and given one of them up
        after = _list_said(parse_note(data, self.one.path), self.log_headings)
        before: Counter[object] = Counter() if self.base is None else _list_said(self.base, self.log_headings)
        for side in (self.one, self.two):
            lost = _list_said(side, self.log_headings) - before - after
            if any(not _is_longer_in(each, after) for each in lost):
                why = "one of its versions would hide log entries or tasks of the other"
                raise refuse(side, 1, "hidden-entries", why, "Merge them by hand.")
        return data


def _choose(base: Style | None, one: Style, two: Style) -> Style:
    """What both sides, or the one that changed it, have; else what one of them has more than the other."""
    chosen = choose(base, one, two)
    return chosen[0] if chosen and chosen[0] is not None else max(one, two)


def _choose_newline(base: Note | None, one: Note, two: Note) -> str:
    """The line end for the result; a version of one line goes by the others."""
    ends = [_find_newline(note) for note in (base, one, two) if note is not None]
    other = next(filter(None, ends), "\n")
    known = None if base is None or not ends[0] else ends[0]
    return _choose(known, *(end or other for end in ends[-2:]))


def _find_newline(note: Note) -> str:
    """The line end that most of a note's lines have."""
    counts = Counter(_NEWLINE.findall(note.text))
    return min(counts, key=lambda end: (-counts[end], end)) if counts else ""


def _is_ended(note: Note) -> bool:
    return note.text.endswith(("\n", "\r"))


def _is_longer_in(said: object, others: Iterable[object]) -> bool:
    """Whether it is an entry that stands there with more words at its end."""
    return isinstance(said, Entry) and any(
        isinstance(other, Entry)
        and (other.day, other.minute) == (said.day, said.minute)
        and other.text.startswith(said.text)
        for other in others
    )


def _list_said(note: Note, log_headings: tuple[str, ...]) -> Counter[object]:
    """The entries and tasks of a note, wherever they stand in it."""
    body = parse_body(note, log_headings)
    tasks = [task._replace(line=0, column=0, entry_day=None) for task in body.tasks]
    return Counter([*(entry._replace(line=0, column=0) for entry in body.entries), *tasks])
