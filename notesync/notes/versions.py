"""All versions of one note, and a person's answers in words -> one note, or what has to be asked first.

In: versions, each under a label by which a person can name it, the texts that the note is known to have had,
answers.  Out: :class:`Settled`.  It is the same in whatever order the copies come, and on every machine that
finds the same base.  Must not know: files, the history, terminals, the clock.

The versions are merged one after the other: the note itself, then its copies by what they hold.  An answer names
a version, or gives the value that some version has, so that it means the same at every step.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from notesync.notes.edit import refuse, refuse_damaged
from notesync.notes.generated import choose_blocks, put_blocks
from notesync.notes.lines import DATE
from notesync.notes.marked import split_marked
from notesync.notes.merge import BOTH, Question, choose_base, is_unfinished, merge_notes
from notesync.notes.merge_header import is_sound, split_header
from notesync.notes.note import parse_note
from notesync.problems import RefusedError

NOTHING = "none"  # what stands for a key without a value, in answers and on the screen
EARLIER, LATER, EITHER = "earlier", "later", "both"

_DAY = re.compile(rf"{DATE}(?:[T ][0-9:]+)?")
_LINE = re.compile(r"[^\r\n]+")
_TEXT = "text-"


class Version(NamedTuple):
    """What a file holds, and how a person may name it: ``note``, ``copy``."""

    label: str
    data: bytes


class Asked(NamedTuple):
    """A question: what stood in the base, and what each version has, by its label; '' where there is nothing.

    ``is_text`` tells a place in the body, which can also be answered by ``both``.
    """

    key: str
    base: str
    options: tuple[tuple[str, str], ...]
    is_text: bool


class Settled(NamedTuple):
    """The one note; None with what has to be asked first.

    ``base`` is what the first two versions come from, None where that is not known.  ``unused`` are answers to
    what was not asked, ``unmeant`` answers that no version has, by their keys.
    """

    data: bytes | None
    asked: tuple[Asked, ...]
    base: bytes | None
    unused: tuple[str, ...]
    unmeant: tuple[str, ...]


def list_versions(label: str, data: bytes, path: str) -> tuple[list[Version], bytes | None]:
    """A file's versions: itself, or what it was made of where it has the marks of a merge; then their base, if known.

    Raises RefusedError for marks that nobody can follow.
    """
    note = parse_note(data, path)
    if not any(problem.code == "merge-marker" for problem in note.problems):
        return [Version(label, data)], None
    found = split_marked(data)
    if found is None:
        refuse_damaged(note)
        return [], None
    prefix = "" if label == "note" else f"{label}-"
    return [Version(f"{prefix}upper", found.one), Version(f"{prefix}lower", found.two)], found.base


def settle(
    versions: Sequence[Version],
    texts: Sequence[bytes],
    path: str,
    answers: Mapping[str, str],
    log_headings: tuple[str, ...],
    base: bytes | None = None,
) -> Settled:
    """Merge the versions of the note at ``path``; the first is the note itself, if it is there.

    ``texts`` are those that it is known to have had before any copy was there, newest first; ``base`` is what the
    first two come from, where marks tell it.  What notesync generates in a note is no person's word, and comes whole
    from one version.  Raises RefusedError where they cannot be merged, or a line of one would be lost.
    """
    unproved = {version.data for version in versions}
    blocks = choose_blocks([version.data for version in versions])
    if blocks:
        # A text that only other figures tell from a version is what that comes from, not the version itself.
        proved = {put_blocks(text, blocks) for text in texts if text not in unproved}
        versions = [version._replace(data=put_blocks(version.data, blocks)) for version in versions]
        unproved = {version.data for version in versions} - proved
        texts = [put_blocks(text, blocks) for text in texts]
        base = None if base is None else put_blocks(base, blocks)
    return _Settling(versions, texts, path, answers, log_headings, base, unproved).run()


def show_value(raw: str, values: Iterable[str] = (), flat: bool = True) -> str:
    """What a property's lines say, as a person would write it behind the key."""
    words = ", ".join(values) if flat else raw.partition(":")[2].strip()
    return words or NOTHING


class _Settling:
    def __init__(
        self,
        versions: Sequence[Version],
        texts: Sequence[bytes],
        path: str,
        answers: Mapping[str, str],
        log_headings: tuple[str, ...],
        base: bytes | None,
        unproved: Set[bytes],
    ) -> None:
        self.versions = versions
        self.unproved = unproved
        self.texts = texts
        self.path = path
        self.answers = answers
        self.log_headings = log_headings
        self.base = base
        self.values = {version.label: _read_values(version.data, path) for version in versions}
        self.used: set[str] = set()
        self.unmeant: dict[str, None] = {}
        self.questions: dict[str, Asked] = {}  # those about values that were answered
        self.merged: list[str] = []  # the labels of the versions that are in it so far

    def run(self) -> Settled:
        first, *others = self.versions
        data = first.data
        self.merged = [first.label]
        first_base, asked_before = self.base, 0
        seen = [data]
        for number, version in enumerate(others):
            base = self.base if self.base is not None and not number else None
            if base is None:
                base = choose_base(self.texts, data, version.data, self.unproved)
            if not number:
                first_base = base
            if version.data not in seen:
                seen.append(version.data)
                merged, open_questions, asked = self._merge(base, data, version, asked_before)
                if merged is None:
                    return self._report(None, open_questions, first_base, version is others[-1])
                data, asked_before = merged, asked_before + asked
            self.merged.append(version.label)
        wrong = self._find_wrong(data)
        return self._report(None if wrong else data, wrong, first_base)

    def _report(
        self, data: bytes | None, asked: tuple[Asked, ...], base: bytes | None, last: bool = True
    ) -> Settled:
        """``last`` tells that no other version can ask for anything."""
        unused = tuple(key for key in self.answers if key not in self.used) if last else ()
        return Settled(data, asked, base, unused, tuple(self.unmeant))

    def _merge(
        self, base: bytes | None, one: bytes, version: Version, before: int
    ) -> tuple[bytes | None, tuple[Asked, ...], int]:
        """The note with one more version, else what has to be asked; and how many places were in doubt."""
        merged = merge_notes(base, one, version.data, self.path, {}, self.log_headings)
        if merged.data is not None:
            self._require_all(base, one, version.data, merged.data)
            return merged.data, (), 0
        named = [(_number(question.key, before), question) for question in merged.questions]
        take = {question.key: self._answer(key, question, version.label) for key, question in named}
        found = {key: self._ask(key, question, version.label) for key, question in named}
        asked = tuple(found[key] for key, question in named if not take[question.key])
        if asked:
            return None, asked, 0
        self.questions.update((key, each) for key, each in found.items() if not each.is_text)
        answered = merge_notes(base, one, version.data, self.path, take, self.log_headings).data
        if answered is None:
            raise RefusedError(f"{self.path}: it cannot be merged by answers. Merge it by hand.")
        if all(side == BOTH or not key.startswith(_TEXT) for key, side in take.items()):
            self._require_all(base, one, version.data, answered)
        return answered, (), sum(question.key.startswith(_TEXT) for question in merged.questions)

    # answers ------------------------------------------------------------------------------------

    def _answer(self, key: str, question: Question, label: str) -> int:
        """The side that was answered: 1 or 2, BOTH; 0 where nobody has answered so that it can be used."""
        word = self.answers.get(key)
        if word is None:
            return 0
        self.used.add(key)
        side = (
            self._choose_text(word, label)
            if key.startswith(_TEXT)
            else self._choose_value(key, word, label, question)
        )
        if not side:
            self.unmeant[key] = None
        return side

    def _choose_text(self, word: str, label: str) -> int:
        if word == EITHER:
            return BOTH
        if word == label:
            return 2
        return 1 if word in self.values else 0

    def _choose_value(self, key: str, word: str, label: str, question: Question) -> int:
        """The side that has the value that was meant; where neither has it, it is still to come."""
        wanted = self._find_value(key, word)
        if wanted is None:
            return 0
        return 2 if self._value_of(label, key) == wanted and _show(question.one, key) != wanted else 1

    def _find_value(self, key: str, word: str) -> str | None:
        """What is to stand there, in the words of the version that has it."""
        if word in self.values:
            return self._value_of(word, key)
        values = [self._value_of(label, key) for label in self.values]
        if word in (EARLIER, LATER):
            days = sorted(
                {value for value in values if _DAY.fullmatch(value)}, key=lambda day: day.replace(" ", "T")
            )
            return days[0 if word == EARLIER else -1] if days else None
        wanted = " ".join(word.split()).casefold()
        return next((value for value in values if " ".join(value.split()).casefold() == wanted), None)

    def _value_of(self, label: str, key: str) -> str:
        return self.values[label].get(key, NOTHING)

    def _ask(self, key: str, question: Question, label: str) -> Asked:
        if key.startswith(_TEXT):
            one = self.merged[0] if len(self.merged) == 1 else "+".join(self.merged)
            return Asked(key, question.base, ((one, question.one), (label, question.two)), True)
        sides = {_show(question.one, key), _show(question.two, key)}
        values = [(each, self._value_of(each, key)) for each in self.values]
        options = tuple(each for each in values if each[1] in sides or each[0] not in (*self.merged, label))
        return Asked(key, _show(question.base, key) if question.base else "", options, False)

    def _find_wrong(self, data: bytes) -> tuple[Asked, ...]:
        """The questions whose answer is not what stands in the note: a value that one version has overruled."""
        values = _read_values(data, self.path)
        wrong = [
            key
            for key in self.questions
            if values.get(key, NOTHING) != self._find_value(key, self.answers[key])
        ]
        self.unmeant.update(dict.fromkeys(wrong))
        return tuple(self.questions[key] for key in wrong)

    # what must not happen -----------------------------------------------------------------------

    def _require_all(self, base: bytes | None, one: bytes, two: bytes, merged: bytes) -> None:
        """Raise RefusedError if a line that one side has put into its body is in the merged one no more.

        It cannot be, by all that is known of merging; but these are people's notes.
        """
        before, after = _count_lines(base, self.path), _count_lines(merged, self.path)
        for side in (one, two):
            if is_unfinished(base, side):
                continue
            lost = _count_lines(side, self.path) - before - after
            if lost:
                raise refuse(
                    parse_note(side, self.path), 1, "lost-line", f"a line would be lost: {min(lost).strip()}",
                    "Merge them by hand.",
                )  # fmt: skip


def _number(key: str, before: int) -> str:
    """A question's key, its places counted on from those of earlier versions."""
    return f"{_TEXT}{int(key.removeprefix(_TEXT)) + before}" if key.startswith(_TEXT) else key


def _read_values(data: bytes, path: str) -> dict[str, str]:
    note = parse_note(data, path)
    chunks = split_header(note).chunks if is_sound(note) else {}
    return {name: show_value(chunk.raw, chunk.values, chunk.flat) for name, chunk in chunks.items()}


def _show(raw: str, key: str) -> str:
    """The value in a key's lines as they stand."""
    if not raw:
        return NOTHING
    note = parse_note(f"---\n{raw}---\n".encode("utf-8", "surrogateescape"), "")
    chunk = split_header(note).chunks.get(key) if is_sound(note) else None
    return raw.strip() if chunk is None else show_value(chunk.raw, chunk.values, chunk.flat)


def _count_lines(data: bytes | None, path: str) -> Counter[str]:
    """The lines of a body that say something."""
    if data is None:
        return Counter()
    note = parse_note(data, path)
    return Counter(line for line in _LINE.findall(note.text[note.body_start :]) if line.strip())
