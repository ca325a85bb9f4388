"""A :class:`Note` and splices -> the note as it is after them; what every edit of a note is made of.

In: a note that was read, and which spans of its text are to be replaced.  Out: a new note, whose bytes
are those of the old one but for the splices.  Refuses, with an exception that says why and what to do,
rather than give a text that says anything else than was wished.  Must not know: clients, what a key
means, the clock, the disk.

The wishes themselves are read in ``edit_header.py`` (keys), ``edit_log.py`` (log entries) and
``edit_tasks.py`` (tasks).  Each takes a note and gives a note, so that a command that wants several
changes asks for one after the other and stores the last one's ``data``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from notesync.notes.body import Body, Prepared, parse_body, prepare_body
from notesync.notes.note import Note, parse_note
from notesync.notes.property import find_line_end
from notesync.problems import Problem, RefusedError, UsageError

# Damage that no edit may build upon: whoever mends it has to see the note as it is.
_DAMAGE = ("merge-marker", "nul-characters")
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


class Splice(NamedTuple):
    """``text`` in place of what stands from ``start`` to ``end``, offsets into ``Note.text``."""

    start: int
    end: int
    text: str


def apply_splices(text: str, splices: Iterable[Splice], shift: int = 0) -> str:
    """The text with every splice made; they must not overlap.  ``shift`` is added to their offsets."""
    pieces = []
    position = 0
    for start, end, new in sorted(splices):
        pieces += [text[position : start + shift], new]
        position = end + shift
    return "".join([*pieces, text[position:]])


def splice_note(note: Note, splices: Sequence[Splice]) -> Note:
    """The note after the splices.  Raises RefusedError if its bytes would not read back as that text."""
    text = apply_splices(note.text, splices)
    new = parse_note(note.encode(text), note.path)
    if new.text != text or new.encoding != note.encoding or new.bom != note.bom:
        # Two halves of a character in another encoding have met.
        raise refuse(note, 1, "odd-bytes", "its bytes would be read as other text after this change")
    return new


def refuse(
    note: Note, line: int, code: str, why: str, mend: str = "Make this change by hand."
) -> RefusedError:
    """The exception for a note that cannot be changed so: nothing was changed, why, and what to do."""
    return RefusedError(f"{code}: {note.path}:{line} was left as it is: {why}. {mend}")


def refuse_damaged(note: Note, codes: Sequence[str] = _DAMAGE) -> None:
    """Raise RefusedError if the note has a problem of these codes."""
    for problem in note.problems:
        if problem.code in codes:
            raise RefusedError(
                f"{problem.code}: {note.path}:{problem.line} was left as it is. {problem.message} {problem.hint}"
            )


def check_wish(*words: str) -> None:
    """Raise UsageError for words that no note can hold."""
    if any(_UNWRITABLE.search(each) for each in words):
        raise UsageError("unwritable-text: the text holds characters that no note can hold. Leave them out.")


def find_line_start(text: str, offset: int) -> int:
    """Where the line of an offset begins."""
    return max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1


def find_newline(text: str, offset: int) -> str:
    """The line end for what is put in at an offset: that of the line above, else of the one that is there."""
    above = text[:offset]
    start = find_line_start(above, len(above))
    if not start:
        start = find_line_end(text, 0)
        if text[start - 1 : start] not in ("\r", "\n"):
            return "\n"
    return "\r\n" if text[start - 2 : start] == "\r\n" else text[start - 1]


def find_line_offsets(text: str) -> list[int]:
    """Where each line begins; the first of them at index 1, as lines are counted."""
    return [0, 0, *(end.end() for end in re.finditer(r"\r\n|\r|\n", text))]


class Before(NamedTuple):
    """A note as an edit finds it: what its body holds, and its text as patterns see it.

    An edit may try several ways: it reads the note once for all of them.
    """

    note: Note
    log_headings: tuple[str, ...]
    body: Body
    prepared: Prepared


def read_before(note: Note, log_headings: tuple[str, ...]) -> Before:
    """What an edit of a note's body has to know of it."""
    return Before(note, log_headings, parse_body(note, log_headings), prepare_body(note))


def compare_bodies(before: Before, new: Note, splices: Sequence[Splice], lines: range) -> Body | None:
    """What the body holds after splices; None if more has changed than what these say.

    Above the body nothing may differ, nothing that was there may be hidden or shown otherwise than before
    (by a comment or a code block), and no new problem may arise but on ``lines``, which were put in or
    replaced.
    """
    old, shown = before.note, before.prepared
    if (new.header_start, new.header_end) != (old.header_start, old.header_end):
        return None
    wanted = [Splice(start, end, _normalise_newlines(text)) for start, end, text in splices]
    expected = apply_splices(shown.text, wanted, len(shown.text) - len(old.text))
    if _cut_out(expected, wanted, shown) != _cut_out(prepare_body(new).text, wanted, shown):
        return None
    after = parse_body(new, before.log_headings)
    return None if _find_new_problems(before.body, after, lines) else after


def _cut_out(text: str, splices: Iterable[Splice], before: Prepared) -> str:
    """What is shown and hidden of a text outside what the splices put in."""
    # The blank that stands for a CR is hidden with a code block's last line, or is not there at all.
    text = text.replace("\0\n", " \n")
    position, grown = 0, 1 - before.first
    pieces = []
    for start, end, new in sorted(splices):
        pieces.append(text[position : start + grown])
        position = start + grown + len(new)
        grown += len(new) - (end - start)
    return "".join([*pieces, text[position:]])


def _normalise_newlines(text: str) -> str:
    return text.replace("\r\n", " \n").replace("\r", "\n")


def _find_new_problems(before: Body, after: Body, lines: range) -> Counter[tuple[str, str]]:
    def count(problems: Iterable[Problem]) -> Counter[tuple[str, str]]:
        return Counter((problem.code, problem.message) for problem in problems)

    return count(problem for problem in after.problems if problem.line not in lines) - count(before.problems)
