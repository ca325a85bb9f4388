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
from datetime import date
from typing import NamedTuple

from notesync.notes.lines import Lines
from notesync.notes.links import find_links
from notesync.notes.log import Entry, compile_heading, read_plain_log
from notesync.notes.note import Note
from notesync.notes.tasks import MAX_BOXES, Task, find_boxes, has_task, read_tasks, report_many_tasks
from notesync.notes.words import ATTEMPTS, CHANNELS, find_channel
from notesync.problems import WARNING, Problem

__all__ = ["ATTEMPTS", "CHANNELS", "Body", "Entry", "Task", "find_channel", "find_links", "parse_body"]


class Body(NamedTuple):
    """What a note's body holds."""

    entries: tuple[Entry, ...]
    tasks: tuple[Task, ...]
    problems: tuple[Problem, ...]


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
    text, start, first, unclosed = prepare_body(note)
    pattern = compile_heading(log_headings)
    heading = pattern.search(text, start)
    boxes = find_boxes(text, start)
    if heading is None and not boxes and not unclosed:
        return _EMPTY
    lines = Lines(note.path, text, first)
    entries, days = ([], {}) if heading is None else _read_log(lines, heading, pattern, daily)
    tasks = read_tasks(lines, boxes, start, tasks_filter, days) if boxes else ()
    if len(boxes) >= MAX_BOXES:
        report_many_tasks(lines, boxes[-1])
    if unclosed:
        _report_hidden(lines, note.text, unclosed, log_headings)
    return tuple.__new__(Body, (tuple(entries), tuple(tasks), tuple(lines.problems)))


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
    text = note.text
    start = note.body_start
    if "\r" in text:
        text = text.replace("\r\n", " \n").replace("\r", "\n")
    first = 1
    if start == 0:
        text, first = "\n" + text, 0  # so that the first line, too, begins behind a line end
    else:
        start -= 1
    unclosed: list[tuple[int, int]] = []
    # One character is found ten times as fast as two or three.
    if ("`" in text or "~" in text or "%" in text or "<" in text) and (
        text.find("```", start) >= 0
        or text.find("%%", start) >= 0
        or text.find("<!--", start) >= 0
        or text.find("~~~", start) >= 0
    ):
        from notesync.notes.hidden import blank_out

        text = blank_out(text, start, unclosed)
    return tuple.__new__(Prepared, (text, start, first, unclosed))


def _read_log(
    lines: Lines, heading: re.Match[str], pattern: re.Pattern[str], daily: date | None
) -> tuple[list[Entry], dict[int, str]]:
    """The log's entries, and for each line of a task inside it the date of the entry above it."""
    entries = read_plain_log(lines, heading, pattern)
    if entries is not None:
        return entries, {}
    from notesync.notes.loglines import LogReading

    reading = LogReading(lines, daily)
    reading.read(heading, pattern)
    return reading.entries, reading.days


def _report_hidden(
    lines: Lines, text: str, unclosed: list[tuple[int, int]], log_headings: tuple[str, ...]
) -> None:
    """Warn of a code block without an end that hides a log or tasks."""
    source = text.replace("\r\n", " \n").replace("\r", "\n")
    source = source if lines.first else "\n" + source
    for start, end in unclosed:
        if compile_heading(log_headings).search(source, start, end) or has_task(source, start):
            line_start = source.rfind("\n", 0, start)
            lines.report(
                lines.find_line(start),
                start - line_start,
                "unclosed-code",
                WARNING,
                "This code block is never closed, so the log and the tasks below it are not read.",
                f"Write a line with {source[start : start + 3]} where the code ends.",
            )
