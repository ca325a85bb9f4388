"""A note and a contact -> the note with that contact in its log.

In: a :class:`Note`, a :class:`NewEntry`, the headings that name a log.  Out: a new note, which was read
again and has exactly this entry more; else an exception that says why not.  Must not know: clients,
what a tag means, the clock, the disk.

The entry follows what is there: the log's order (newest first where nothing tells), its list mark,
indent, linked days, blank lines between entries, a callout round it, dated headings instead of items.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice, pairwise, product
from typing import NamedTuple

from notesync.notes.edit import (
    Before,
    Splice,
    check_wish,
    compare_bodies,
    find_line_offsets,
    find_newline,
    read_before,
    refuse,
    refuse_damaged,
    splice_note,
)
from notesync.notes.escapes import escape_line, escape_words
from notesync.notes.lines import DATE, find_depth
from notesync.notes.links import find_tags
from notesync.notes.log import Entry, compile_heading, find_fields, find_sections
from notesync.notes.note import Note
from notesync.notes.property import find_line_end
from notesync.notes.words import CHANNELS, read_rest
from notesync.problems import Problem, UsageError


class NewEntry(NamedTuple):
    """One contact for the log.

    ``channel`` is an everyday word for it (``call``, ``WhatsApp``) or empty, ``outcome`` the words for the
    brackets.  Without both, ``text`` is what follows the date, and is read as if written by hand: its
    first words may name a channel or an attempt.
    """

    day: date
    minute: int | None = None
    channel: str = ""
    outcome: str = ""
    text: str = ""


class _Style(NamedTuple):
    """How an entry begins (indent, mark), how its day is wrapped, how the lines below it are indented."""

    start: str
    opening: str
    closing: str
    below: str


class _Place(NamedTuple):
    """Where an entry goes: a line's beginning or the text's end; whether blank lines part it from others.

    ``above`` and ``below`` tell whether there is something there that a blank line would part it from.
    """

    offset: int
    styles: tuple[_Style, ...]
    spaced: bool
    above: bool
    below: bool
    heading: str = ""


_PLAIN = _Style("- ", "", "", "  ")

# An entry's line: indent, list mark or hashes, box, what wraps the day.
_ENTRY_LINE = re.compile(
    rf"([ \t>]*+)(?:([-*+]|#{{1,6}})|([0-9]{{1,9}})([.)]))?([ \t]*+)(?:\[[^\n]\][ \t]++)?"
    rf"(?:([*_]{{0,3}})(\[\[)?{DATE}(\]\])?([*_]{{0,3}})(?=[ \t:]|\Z))?"
)
_INDENT = re.compile(r"[ \t>]*+")
_HEADING = re.compile(r"[ \t>]*#{1,6}(?:[ \t]|\Z)")
_ITEM = re.compile(r"[ \t>]*(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|\Z)")
_TASK = re.compile(r"[ \t>]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\[[^\n]\](?:[ \t]|\Z)")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def add_entry(note: Note, entry: NewEntry, log_headings: tuple[str, ...] = ("Log",)) -> Note:
    """The note with the entry in its log, at the end of the note under a new heading if it has none.

    Raises UsageError for an entry that no log can hold, RefusedError for a note that cannot take it.
    """
    _check_entry(entry)
    refuse_damaged(note)
    lines = [line.rstrip() for line in _LINE_ENDS.split(entry.text.strip())]
    expected = _expect(entry, lines)
    before = read_before(note, log_headings)
    ways = _find_ways(before, entry, lines)
    for splice in islice(ways, 1) if _find_full(before) else ways:
        new = _try(before, splice, expected)
        if new is not None:
            return new
    raise _explain(before)


def _find_full(before: Before) -> Problem | None:
    """The problem that a log is cut off: then one way to write an entry is tried, as the others push as much out."""
    return next((problem for problem in before.body.problems if problem.code == "log-too-long"), None)


def _check_entry(entry: NewEntry) -> None:
    check_wish(entry.channel, entry.outcome, entry.text)
    if entry.channel and entry.channel.casefold() not in CHANNELS:
        raise UsageError(
            f"unknown-channel: the log knows no channel '{entry.channel}'. "
            "Write call, visit, video, email, message or letter, or a word for one of these."
        )
    if _LINE_ENDS.search(entry.outcome) or any(
        sign in entry.outcome for sign in ("(", ")", "::", "%%", "<!--")
    ):
        raise UsageError("bad-outcome: an outcome stands in brackets on one line. Write it without brackets.")


def _expect(entry: NewEntry, lines: Sequence[str]) -> Entry:
    """The entry that has to be read: what the words mean by themselves, and nothing lost of them."""
    outcome = entry.outcome.strip()
    head = " ".join(filter(None, (entry.channel, f"({outcome})" if outcome else "")))
    _, channel, attempt, said, text = read_rest("", f" {head}: {lines[0]}" if head else f": {lines[0]}")
    text = "\n".join(filter(None, (text, *(line.strip() for line in lines[1:]))))
    words = f"{said} {text}" if said else text
    tags, fields = find_tags(words), find_fields(words)[0]
    return Entry(0, 0, entry.day, entry.minute, channel, attempt, said, text, tags, fields, "")


def _try(before: Before, splice: Splice, expected: Entry) -> Note | None:
    """The note after a splice; None if it does not read as the same log with the expected entry in it."""
    new = splice_note(before.note, [splice])
    first, column = before.note.place(splice.start)
    first += column > 1  # put in at the end of a last line that has no line end
    lines = range(first, first + len(_LINE_ENDS.findall(splice.text)))
    after = compare_bodies(before, new, [splice], lines)
    if after is None:
        return None
    known = [_forget_place(entry) for entry in before.body.entries]
    others = [_forget_place(entry) for entry in after.entries if entry.line not in lines]
    added = [_forget_place(entry) for entry in after.entries if entry.line in lines]
    tasks = [task._replace(line=0) for task in before.body.tasks]
    same_tasks = [task._replace(line=0) for task in after.tasks] == tasks
    return new if same_tasks and known == others and added == [expected] else None


def _forget_place(entry: Entry) -> Entry:
    return entry._replace(line=0, column=0)


def _explain(before: Before) -> Exception:
    note = before.note
    unclosed = before.prepared.unclosed
    if unclosed:
        line = note.place(unclosed[0][0])[0]
        why = "a code block begins there that is never closed, and would hide the entry"
        return refuse(note, line, "unclosed-code", why, "Close the code block first.")
    full = _find_full(before)
    if full is not None:
        return refuse(note, full.line, full.code, "its log is full", full.hint)
    why = "the entry cannot be added without touching other parts of it"
    return refuse(note, 1, "unsafe-edit", why)


# --- What is written -------------------------------------------------------------------------------------


def _find_ways(before: Before, entry: NewEntry, lines: Sequence[str]) -> Iterator[Splice]:
    """Ways to write the entry at all places where it may go, the best first."""
    for place in _Layout(before).find_places(entry):
        yield from _find_splices(before.note, entry, lines, place)


def _find_splices(note: Note, entry: NewEntry, lines: Sequence[str], place: _Place) -> Iterator[Splice]:
    """Ways to write the entry at a place, the best first."""
    spacings = (True,) if place.spaced else (False, True)
    for everywhere, style, spaced, colon in product((False, True), place.styles, spacings, (False, True)):
        written = [*_render_entry(entry, lines, style, colon, everywhere)]
        if place.heading:
            written = [place.heading, *written]
        yield _build_splice(note, place, written, _lead(style.start).rstrip() if spaced else None)


def _render_entry(
    entry: NewEntry, lines: Sequence[str], style: _Style, colon: bool, everywhere: bool
) -> Iterator[str]:
    """The lines of an entry; ``colon`` also where none is needed as a rule."""
    clock = f" {entry.minute // 60:02}:{entry.minute % 60:02}" if entry.minute is not None else ""
    outcome = entry.outcome.strip()
    head = "".join([f" {entry.channel}" if entry.channel else "", f" ({outcome})" if outcome else ""])
    words = escape_words(lines[0], everywhere)
    if words:
        words = f": {words}" if head or colon else f" {words}"
    elif colon:
        words = ":"
    yield f"{style.start}{style.opening}{entry.day.isoformat()}{style.closing}{clock}{head}{words}"
    for line in lines[1:]:
        bare = line.lstrip(" \t")
        indent = style.below + line[: len(line) - len(bare)]
        yield indent + escape_line(bare, everywhere) if bare else style.below.rstrip()


def _build_splice(note: Note, place: _Place, lines: Sequence[str], gap: str | None) -> Splice:
    """The lines with their line ends, and with ``gap``, an empty line, where they meet others."""
    text, at = note.text, place.offset
    newline = find_newline(text, at)
    gaps = [] if gap is None else [gap]
    words = newline.join([*(gaps if place.above else []), *lines, *(gaps if place.below else [])])
    open_end = at == len(text) and at > 0 and text[at - 1] not in "\r\n"
    return Splice(at, at, newline + words if open_end else words + newline)


# --- Where it goes ---------------------------------------------------------------------------------------


class _Layout:
    """A note's log as it stands: its sections, its entries, its lines."""

    def __init__(self, before: Before) -> None:
        self.note, self.log_headings, self.body, prepared = before
        self.prepared = prepared.text
        self.shift = len(prepared.text) - len(self.note.text)
        self.offsets = find_line_offsets(self.note.text)
        pattern = compile_heading(self.log_headings)
        heading = pattern.search(prepared.text, prepared.start)
        self.sections = [
            (self._find_line(start), self._find_line(end))
            for start, end in find_sections(prepared.text, heading, pattern)
        ]

    def _find_line(self, offset: int) -> int:
        """The line of an offset into the prepared text."""
        return bisect_right(self.offsets, max(offset - self.shift, 0), 1) - 1

    def find_places(self, entry: NewEntry) -> Iterator[_Place]:
        """Where the entry may go, the best place first."""
        if not self.sections:
            yield self._find_end()
            return
        newest = max(self.body.entries, key=lambda each: each.day, default=None)
        first, last = self.sections[0]
        for start, end in self.sections:
            if newest is not None and start < newest.line <= end:
                first, last = start, end
        entries = [each for each in self.body.entries if first < each.line <= last]
        if entries:
            yield self._find_among(entries, entry, last)
            return
        yield self._find_beginning(first, last)
        yield _Place(self._end_of_line(first), (_PLAIN,), True, False, True)

    def _find_end(self) -> _Place:
        """A new log at the end of the note, below a blank line."""
        text = self.note.text
        at = len(text)
        lines = _LINE_ENDS.split(text)
        ends = lines[-1] == ""
        blank = not text or (ends and (len(lines) < 2 or not lines[-2].strip()))
        heading = f"## {self.log_headings[0]}"
        return _Place(at, (_PLAIN,), not blank, not blank, False, heading)

    def _line(self, number: int) -> str:
        """A line as patterns see it: what is hidden are NULs."""
        start = self.offsets[number] + self.shift
        end = self.prepared.find("\n", start)
        return self.prepared[start : end if end >= 0 else len(self.prepared)]

    def _end_of_line(self, number: int) -> int:
        return find_line_end(self.note.text, self.offsets[number])

    def _find_beginning(self, first: int, last: int) -> _Place:
        """In a log without entries: below its heading, and below what is written there already."""
        behind = first
        for number in range(first + 1, min(last, len(self.offsets) - 1) + 1):
            line = self._line(number)
            if _HEADING.match(line):
                break
            if line.strip():
                behind = number
        words = behind > first
        return _Place(self._end_of_line(behind), (_PLAIN,), words, words, False)

    def _find_among(self, entries: Sequence[Entry], new: NewEntry, last: int) -> _Place:
        """Among others, in their order."""
        spaced = self._is_spaced(entries)
        if is_newest_first(entries):
            near = next((each for each in entries if _is_older(each, new)), None)
        else:
            near = None if any(_is_older(each, new) for each in entries) else entries[0]
        if near is not None:
            return _Place(self.offsets[near.line], self._find_styles(near, 0), spaced, False, True)
        older = [each for each in entries if _is_older(each, new)]
        near = entries[-1] if is_newest_first(entries) else older[-1]
        end = self._find_block_end(near, entries, last)
        return _Place(self._end_of_line(end), self._find_styles(near, 1), spaced, True, False)

    def _is_spaced(self, entries: Sequence[Entry]) -> bool:
        """Whether a blank line stands between most entries."""
        parted = [not self._line(below.line - 1).strip(" \t>") for _, below in pairwise(entries)]
        return sum(parted) * 2 > len(parted)

    def _find_styles(self, near: Entry, step: int) -> tuple[_Style, ...]:
        """How the nearest entry is written, and plainer ways; ``step`` numbers a numbered item on."""
        text = self.note.text
        line = text[self.offsets[near.line] : self._end_of_line(near.line)].rstrip("\r\n")
        found = _ENTRY_LINE.match(line)
        if found is None or not (found[2] or found[3]):
            return (_PLAIN,)
        mark = found[2] or f"{int(found[3]) + step}{found[4]}"
        gap = found[5] or " "
        start = f"{found[1]}{mark}{gap}"
        if mark[0] == "#":
            return (_Style(start, "", "", found[1]), _PLAIN)
        plain = _Style(start, "", "", self._find_indent(near, found[1], mark + gap))
        opening, closing = (found[6] or "") + (found[7] or ""), (found[8] or "") + (found[9] or "")
        if opening and closing == "".join(reversed(opening)).replace("[", "]"):
            return (plain._replace(opening=opening, closing=closing), plain)
        return (plain,)

    def _find_indent(self, near: Entry, indent: str, mark: str) -> str:
        """The indent of lines below an entry: that of those which are there, else the mark's width."""
        depth = find_depth(indent)
        for entry in (near, *self.body.entries):
            if entry.line + 1 < len(self.offsets):
                lead = _INDENT.match(self._line(entry.line + 1))
                if lead is not None and lead[0].startswith(indent) and find_depth(lead[0]) > depth:
                    return lead[0]
        return indent + (mark[len(mark.rstrip()) :] if mark.endswith("\t") else " " * len(mark))

    def _find_block_end(self, entry: Entry, entries: Sequence[Entry], last: int) -> int:
        """The last line that belongs to an entry, with the tasks below it: these take their day from it."""
        stop = min((each.line for each in entries if each.line > entry.line), default=last + 1)
        stop = min(stop, len(self.offsets))
        limit = next((n for n in range(entry.line + 1, stop) if _HEADING.match(self._line(n))), stop)
        lead = _lead(self._line(entry.line))
        depth = -1 if _HEADING.match(self._line(entry.line)) else find_depth(lead)
        tasks = [number for number in range(entry.line + 1, limit) if _TASK.match(self._line(number))]
        end = entry.line
        blank = False
        for number in range(entry.line + 1, limit):
            line = self._line(number)
            hidden = "\0" in line and not line.strip(" \t>\0")
            if self._belongs(line, depth, blank) or (
                hidden and end == number - 1 and "\0" in self._line(end)
            ):
                end, blank = number, False
            elif hidden or not line.strip(" \t>"):
                blank = True
            elif number > max(tasks, default=0):
                break
            else:
                end, blank = number, False
        return end

    def _belongs(self, line: str, depth: int, blank: bool) -> bool:
        """Whether a line is below an entry of that depth: indented, a task, or the same paragraph."""
        if not line.strip(" \t>"):
            return False
        if depth < 0 or find_depth(_lead(line)) > depth or _TASK.match(line):
            return True
        return not blank and bool(line.strip(" \t>\0")) and not _ITEM.match(line)


def _lead(line: str) -> str:
    found = _INDENT.match(line)
    return found[0] if found is not None else ""


def is_newest_first(entries: Sequence[Entry]) -> bool:
    """The order of most neighbours; newest first where that does not tell."""
    keys = [(entry.day, entry.minute or 0) for entry in entries]
    return sum((a > b) - (a < b) for a, b in pairwise(keys)) >= 0


def _is_older(entry: Entry, new: NewEntry) -> bool:
    """Whether an entry comes before a new one in time; one of the same day does, unless its hour says no."""
    if entry.day != new.day:
        return entry.day < new.day
    return entry.minute is None or new.minute is None or entry.minute <= new.minute
