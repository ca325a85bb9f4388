"""A note and one of its tasks -> the note with that task done, cancelled or moved, or with a new one.

In: a :class:`Note`, a :class:`Task` that was read from it, days.  Out: a new note, which was read again
and has exactly this difference; else an exception that says why not.  Must not know: clients, what a
recurrence means (the caller hands in the next days), the clock, the disk.

The Tasks plugin rewrites a whole line when it completes a task.  Here its box and its date change, in
the format that the line has, and not one other byte.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from datetime import date

from notesync.notes.body import Body, Entry, Task, parse_body
from notesync.notes.edit import (
    Before,
    Splice,
    check_wish,
    compare_bodies,
    find_line_offsets,
    find_line_start,
    find_newline,
    read_before,
    refuse,
    refuse_damaged,
    splice_note,
)
from notesync.notes.fields import FieldSpan, find_field_spans
from notesync.notes.log import compile_heading
from notesync.notes.note import Note, parse_note
from notesync.notes.property import find_line_end
from notesync.notes.signs import DATE_KEYS
from notesync.problems import RefusedError

_LINE = re.compile(r"([ \t>]*+(?:[-*+]|[0-9]{1,9}[.)])[ \t]++\[)[^\n]\]")
_SIGNS = {"due": "📅", "done": "✅", "cancelled": "❌"}
_KEYS = {name: key for key, name in DATE_KEYS.items()}
_MOVING = ("due", "scheduled", "start")
_LEFT_OUT = ("id", "depends", "block", "created", "done", "cancelled")


def close_task(
    note: Note,
    task: Task,
    day: date,
    *,
    cancelled: bool = False,
    following: Mapping[str, date] | None = None,
    log_headings: tuple[str, ...] = ("Log",),
) -> Note:
    """The note with the task done, or cancelled, on a day.

    A recurring task that is done needs ``following``: the dates of its next occurrence by their names
    (``due``, ``scheduled``, ``start``, ``created``), which gets a line of its own above; a date that is
    not among them is left out there, as are the id, the dependencies and the block's name.  A task that
    the plugin would delete when done (``🏁 delete``) stays: it is the record of what was done.
    Raises RefusedError where the task is not there, not open, or cannot be changed safely.
    """
    line = _TaskLine(note, task, log_headings)
    recurs = task.recurrence is not None and not cancelled
    if recurs and following is None:
        raise line.refuse("bad-recurrence", "the task recurs, and its next date is not known")
    name = "cancelled" if cancelled else "done"
    mark = "-" if cancelled else "x"
    splices = [Splice(line.box, line.box + 1, mark), line.append(name, day)]
    wanted = [task._replace(mark=mark, open=False, **{name: day})]  # type: ignore[arg-type]
    if recurs and following is not None:
        splices.insert(0, line.repeat(following))
        wanted.insert(0, _build_following(task, following))
    return line.change(splices, wanted)


def move_task(note: Note, task: Task, day: date, log_headings: tuple[str, ...] = ("Log",)) -> Note:
    """The note with the task's due date, else its scheduled one, moved to a day; one without gets a due date.

    Returns the note itself if the task is on that day.  Raises RefusedError as ``close_task`` does.
    """
    line = _TaskLine(note, task, log_headings)
    name = "scheduled" if task.due is None and task.scheduled is not None else "due"
    old: date | None = getattr(task, name)
    if old == day:
        return note
    splice = line.append(name, day) if old is None else line.replace_day(name, day)
    return line.change([splice], [task._replace(**{name: day})])  # type: ignore[arg-type]


def add_task(note: Note, words: str, day: date, log_headings: tuple[str, ...] = ("Log",)) -> Note:
    """The note with one more open task, due on a day: above its first one, else before the log, else at the end.

    ``words`` are one line and may have tags.  Raises RefusedError where it cannot be added safely.
    """
    check_wish(words)
    refuse_damaged(note)
    before = read_before(note, log_headings)
    tasks = before.body.tasks
    line = f"- [ ] {words}{_render_date('due', day, _find_format(note, tasks))}"
    expected = parse_body(parse_note(line.encode(), note.path)).tasks
    entries = _list_entries(before.body)
    for splice in _find_places(before, line):
        new = splice_note(note, [splice])
        first = note.place(splice.start)[0]
        lines = range(first, first + 5)
        after = compare_bodies(before, new, [splice], lines)
        if after is None or _list_entries(after) != entries:
            continue
        added = [task for task in after.tasks if task.line in lines and task.text == expected[0].text]
        others = [task for task in after.tasks if task not in added[:1]]
        if _forget_lines(added[:1]) == _forget_lines(expected) and _forget_lines(others) == _forget_lines(
            tasks
        ):
            return new
    raise refuse(note, 1, "unsafe-edit", "a task cannot be added without touching other parts of it")


def _list_entries(body: Body, without: Container[int] = ()) -> list[Entry]:
    """The entries wherever they stand, but for those on lines ``without``."""
    return [entry._replace(line=0) for entry in body.entries if entry.line not in without]


def _find_places(before: Before, line: str) -> Iterator[Splice]:
    """Where a new task may go, the best place first."""
    text, prepared = before.note.text, before.prepared
    offsets = find_line_offsets(text)
    shift = len(prepared.text) - len(text)
    heading = compile_heading(before.log_headings).search(prepared.text, prepared.start)
    log = heading.start() + 1 - shift if heading else len(text)
    for task in before.body.tasks:
        if task.open and task.column == 1 and offsets[task.line] < log:
            at = offsets[task.line]
            yield Splice(at, at, line + find_newline(text, at))
            break
    for at in (log, len(text)):
        newline = find_newline(text, at)
        start = find_line_start(text, at)
        above = "" if start == at else newline
        if text[:at].strip() and text[:start].rstrip(" \t")[-2 * len(newline) :] != newline * 2:
            above += newline
        yield Splice(at, at, f"{above}{line}{newline}{newline if at < len(text) else ''}")


def _find_format(note: Note, tasks: Sequence[Task]) -> str:
    """The closing bracket of an inline field, if the first task with any field has such; '' for signs."""
    offsets = find_line_offsets(note.text)
    for task in tasks:
        start = offsets[task.line]
        line = note.text[start : find_line_end(note.text, start)].rstrip("\r\n")
        for span in find_field_spans(line):
            if span.name != "block":
                return span.closing
    return ""


def _render_date(name: str, day: date, closing: str) -> str:
    if closing:
        return f"  {'(' if closing == ')' else '['}{_KEYS[name]}:: {day}{closing}"
    return f" {_SIGNS.get(name, '')} {day}"


def _build_following(task: Task, days: Mapping[str, date]) -> Task:
    return task._replace(
        mark=" ",
        due=days.get("due"),
        scheduled=days.get("scheduled"),
        start=days.get("start"),
        created=days.get("created") if task.created is not None else None,
        id="",
        depends_on=(),
        block="",
    )


class _TaskLine:
    """The line of an open task in a note's text, and where its fields are."""

    def __init__(self, note: Note, task: Task, log_headings: tuple[str, ...]) -> None:
        self.note = note
        self.task = task
        refuse_damaged(note)
        self.before = read_before(note, log_headings)
        self.tasks = self.before.body.tasks
        self.at = next((at for at, each in enumerate(self.tasks) if _is_same(each, task)), -1)
        if self.at < 0:
            raise self.refuse(
                "task-moved", "the task is not there any more", "Look at the note, and try again."
            )
        if not task.open:
            raise self.refuse("task-closed", "the task is done or cancelled already", "Choose an open one.")
        self.start = find_line_offsets(note.text)[task.line]
        self.line = note.text[self.start : find_line_end(note.text, self.start)].rstrip("\r\n")
        found = _LINE.match(self.line)
        if found is None:
            raise self.refuse("unsafe-edit", "the task's box is not where it should be")
        self.box = self.start + found.end(1)
        self.rest = found.end()
        prepared = self.before.prepared.text
        begin = self.start + self.rest + len(prepared) - len(note.text)
        # Comments are no words of the task: what is put at its end goes before one that stands there.
        self.shown = prepared[begin : begin + len(self.line) - self.rest].replace("\0", " ")
        self.spans = find_field_spans(self.shown)

    def refuse(self, code: str, why: str, mend: str = "Make this change by hand.") -> RefusedError:
        return refuse(self.note, self.task.line, code, why, mend)

    def append(self, name: str, day: date) -> Splice:
        """A date behind everything but the block's name."""
        block = [span.start for span in self.spans if span.name == "block"]
        at = self.rest + (block[0] if block else len(self.shown.rstrip(" \t")))
        fields = [span.closing for span in self.spans if span.name != "block"]
        closing = fields[-1] if fields else _find_format(self.note, self.tasks)
        return Splice(self.start + at, self.start + at, _render_date(name, day, closing))

    def replace_day(self, name: str, day: date) -> Splice:
        start, end = self._find_one(name).day
        at = self.start + self.rest
        return Splice(at + start, at + end, day.isoformat())

    def _find_one(self, name: str) -> FieldSpan:
        spans = [span for span in self.spans if span.name == name]
        if len(spans) != 1:
            raise self.refuse("several-dates", f"the task has several {name} dates", "Keep one of them.")
        return spans[0]

    def repeat(self, days: Mapping[str, date]) -> Splice:
        """A copy of the line, open, on other days, above it."""
        line = self.line[: self.rest]
        line = line[:-2] + " " + line[-1]
        at = self.start + self.rest
        pieces = sorted(self._find_changes(days))
        position = 0
        shown = self.line[self.rest :]
        for start, end, words in pieces:
            line += shown[position:start] + words
            position = end
        newline = self._find_own_newline(at)
        return Splice(self.start, self.start, f"{line}{shown[position:]}{newline}")

    def _find_own_newline(self, at: int) -> str:
        end = find_line_end(self.note.text, at)
        return self.note.text[self.start + len(self.line) : end] or find_newline(self.note.text, self.start)

    def _find_changes(self, days: Mapping[str, date]) -> Iterator[tuple[int, int, str]]:
        """What the copy of the line says otherwise."""
        for span in self.spans:
            if span.name in days:
                if span.name in _MOVING:
                    self._find_one(span.name)
                yield (*span.day, days[span.name].isoformat())
            elif span.name in _MOVING and getattr(self.task, span.name) is None:
                raise self.refuse(
                    "bad-date", f"the task's {span.name} date is no day", "Mend the date first."
                )
            elif span.name in _MOVING or span.name in _LEFT_OUT:
                start = len(self.shown[: span.start].rstrip(" \t"))
                yield start, span.end, ""

    def change(self, splices: Sequence[Splice], wanted: Sequence[Task]) -> Note:
        """The note after the splices, if these tasks stand in the place of the one and all else is the same."""
        new = splice_note(self.note, splices)
        lines = range(self.task.line, self.task.line + len(wanted))
        after = compare_bodies(self.before, new, splices, lines)
        expected = [*self.tasks[: self.at], *wanted, *self.tasks[self.at + 1 :]]
        entries = _list_entries(self.before.body, (self.task.line,))
        if (
            after is not None
            and _forget_lines(after.tasks) == _forget_lines(expected)
            and _list_entries(after, lines) == entries
        ):
            return new
        raise self.refuse(
            "unsafe-edit", "the task cannot be changed without touching other parts of the note"
        )


def _is_same(task: Task, wanted: Task) -> bool:
    """Whether it is that very task; whose note it stands in, and what entry above it, is not its own."""
    return task == wanted._replace(path=task.path, entry_day=task.entry_day)


def _forget_lines(tasks: Sequence[Task]) -> list[Task]:
    return [task._replace(line=0, path="") for task in tasks]
