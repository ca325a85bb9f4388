"""A :class:`Note`'s body -> its log entries and tasks, each with its line.

In: a note that was read, the headings that name a log, the Tasks plugin's global filter, and for a
daily note its day.  Out: a :class:`Body`: entries, tasks, problems.  Must not know: which notes are
clients, what a tag or a recurrence means, what is due, the clock, the disk.

The grammar is FORMAT.md's sections 3 and 4; where it speaks of the Tasks plugin, the plugin's own way
of peeling fields off the end of a line is followed, except that nothing is lost: a good date that the
plugin would not see counts, with a warning.

Patterns run on a text in which every line end is one LF (CRLF becomes a blank and an LF, so that all
offsets stay) and in which code blocks and comments are blanked out with NULs of equal length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from notesync.notes.lines import Lines
from notesync.notes.links import find_links
from notesync.notes.log import Entry, compile_heading, read_plain_log
from notesync.notes.note import Note
from notesync.notes.tasks import MAX_BOXES, Task, find_boxes, has_task, read_tasks, report_many_tasks
from notesync.notes.words import ATTEMPTS, CHANNELS, find_channel
from notesync.problems import WARNING, Problem

__all__ = [
    "ATTEMPTS",
    "CHANNELS",
    "Body",
    "Entry",
    "Task",
    "find_channel",
    "find_links",
    "parse_bodies",
    "parse_body",
]


class Body(NamedTuple):
    """What a note's body holds."""

    entries: tuple[Entry, ...]
    tasks: tuple[Task, ...]
    problems: tuple[Problem, ...]


_RETURN, _TICK, _TILDE, _PERCENT, _LESS = b"\r`~%<"
_EMPTY = Body((), (), ())


def parse_body(
    note: Note,
    log_headings: tuple[str, ...] = ("Log",),
    tasks_filter: str = "",
    daily: date | None = None,
) -> Body:
    """The log entries and tasks of a note's body; never raises.

    ``log_headings`` name the log, in any case; ``tasks_filter`` is the Tasks plugin's global filter
    (lines without it are no tasks); ``daily`` is the day of a daily note, in which ``- [[Acme]] call``
    under a log heading is that client's entry.
    """
    return parse_bodies([note], log_headings, tasks_filter, daily)[0]


def parse_bodies(
    notes: Sequence[Note],
    log_headings: tuple[str, ...] = ("Log",),
    tasks_filter: str = "",
    daily: date | None = None,
) -> list[Body]:
    """The same for several notes, in their order.

    First what all of them hold is looked up, then all logs are read, then all tasks: a step's code then
    stays in the processor's cache, which saves a seventh of the time.
    """
    pattern = compile_heading(log_headings)
    found = [_look_up(note, pattern) for note in notes]
    logs = [_NO_LOG if each is None else _read_log(each, pattern, daily) for each in found]
    return [
        _EMPTY if each is None else _build_body(each, log, tasks_filter, pattern)
        for each, log in zip(found, logs, strict=True)
    ]


class _Found(NamedTuple):
    """Where a body's parts are, in its prepared text."""

    note: Note
    lines: Lines
    start: int
    heading: re.Match[str] | None
    boxes: list[int]
    unclosed: list[tuple[int, int]]


# A log's entries, and for each line of a task inside it the date of the entry above it.
_Log = tuple[list[Entry], dict[int, str]]
_NO_LOG: _Log = [], {}


def _look_up(note: Note, pattern: re.Pattern[str]) -> _Found | None:
    """Where a body's log and tasks are; None if there are none."""
    text, start, first, unclosed = prepare_body(note)
    heading = pattern.search(text, start)
    boxes = find_boxes(text, start)
    if heading is None and not boxes and not unclosed:
        return None
    return tuple.__new__(_Found, (note, Lines(note.path, text, first), start, heading, boxes, unclosed))


class Prepared(NamedTuple):
    """A note's text as patterns are run on it, where its body begins, its first line's number.

    ``unclosed`` are the bounds of code blocks that never end.
    """

    text: str
    start: int
    first: int
    unclosed: list[tuple[int, int]]


def prepare_body(note: Note) -> Prepared:
    """The note's text with one LF for every line end, and code blocks and comments of its body blanked out."""
    text, data = note.text, note.data
    start = note.body_start
    # One byte, given as a number, is looked for in the bytes ten times as fast as anything in the text.
    if _RETURN in data:
        text = text.replace("\r\n", " \n").replace("\r", "\n")
    first = 1
    if start == 0:
        text, first = "\n" + text, 0  # so that the first line, too, begins behind a line end
    else:
        start -= 1
    unclosed: list[tuple[int, int]] = []
    if (_TICK in data or _TILDE in data or _PERCENT in data or _LESS in data) and (
        text.find("```", start) >= 0
        or text.find("%%", start) >= 0
        or text.find("<!--", start) >= 0
        or text.find("~~~", start) >= 0
    ):
        from notesync.notes.hidden import blank_out

        text = blank_out(text, start, unclosed)
    return tuple.__new__(Prepared, (text, start, first, unclosed))


def _read_log(found: _Found, pattern: re.Pattern[str], daily: date | None) -> _Log:
    if found.heading is None:
        return _NO_LOG
    entries = read_plain_log(found.lines, found.heading, pattern)
    if entries is not None:
        return entries, {}
    from notesync.notes.loglines import LogReading

    reading = LogReading(found.lines, daily)
    reading.read(found.heading, pattern)
    return reading.entries, reading.days


def _build_body(found: _Found, log: _Log, tasks_filter: str, pattern: re.Pattern[str]) -> Body:
    """The body whose log was read, with its tasks."""
    note, lines, start, _, boxes, unclosed = found
    entries, days = log
    tasks = read_tasks(lines, boxes, start, tasks_filter, days) if boxes else ()
    if len(boxes) >= MAX_BOXES:
        report_many_tasks(lines, boxes[-1])
    if unclosed:
        _report_hidden(lines, note.text, unclosed, pattern)
    return tuple.__new__(Body, (tuple(entries), tuple(tasks), tuple(lines.problems)))


def _report_hidden(
    lines: Lines, text: str, unclosed: list[tuple[int, int]], pattern: re.Pattern[str]
) -> None:
    """Warn of a code block without an end that hides a log or tasks."""
    source = text.replace("\r\n", " \n").replace("\r", "\n")
    source = source if lines.first else "\n" + source
    for start, end in unclosed:
        if pattern.search(source, start, end) or has_task(source, start):
            line_start = source.rfind("\n", 0, start)
            lines.report(
                lines.find_line(start),
                start - line_start,
                "unclosed-code",
                WARNING,
                "This code block is never closed, so the log and the tasks below it are not read.",
                f"Write a line with {source[start : start + 3]} where the code ends.",
            )
