"""The tasks of a body: list items with a box -> :class:`Task` values.

In: a prepared text and where boxes stand in it.  Out: tasks in the order they stand, with problems
reported.  Must not know: which notes are clients, what a tag or a recurrence means, the clock.

Fields at the end of a line, one blank apart, are peeled off here; any other line with a field's sign in
it goes through ``fields.py``, which follows the Tasks plugin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from notesync.notes.lines import Lines, read_day
from notesync.notes.links import find_links, find_tags
from notesync.notes.signs import DATE_KEYS, DATE_SIGNS, PRIORITIES, PRIORITY_SIGNS, SIGNS
from notesync.problems import ERROR, WARNING

if TYPE_CHECKING:
    from notesync.notes.fields import TaskFields

MAX_BOXES = 50_000

# Begins with a literal, which the re module looks for fast; a blank stands before it.
_BOX = re.compile(r"\[(?<=[ \t]\[)[^\n]\]")

# What stands before a date -> its field, and what closes it.
_OPENERS = {sign: (name, "") for sign, name in DATE_SIGNS.items()} | {
    f"{bracket}{key}::": (name, closer)
    for key, name in (*DATE_KEYS.items(), ("priority", "priority"))
    for bracket, closer in ("()", "[]")
}
_SIGNS = frozenset(SIGNS)


class Task(NamedTuple):
    """One list item with a box.

    ``text`` is the description without its fields and the tags at its end; ``open`` is False for a
    ticked or cancelled box and where a done or cancelled date stands.  ``recurrence`` is the rule's
    text, unjudged; ``entry_day`` the dated log entry above it; ``links`` the targets in the text.
    """

    line: int
    column: int
    mark: str
    open: bool
    text: str
    tags: tuple[str, ...]
    due: date | None
    scheduled: date | None
    start: date | None
    created: date | None
    done: date | None
    cancelled: date | None
    recurrence: str | None
    priority: str
    id: str
    depends_on: tuple[str, ...]
    entry_day: date | None
    links: tuple[str, ...]
    block: str
    path: str = ""


@lru_cache(maxsize=1)
def _compile_task_line() -> re.Pattern[str]:
    return re.compile(
        r"([ \t>]*+)(?:[-*+]|[0-9]{1,9}[.)])[ \t]++\[(?:([ xX])\](?![(\[:])|([^\n])\](?=[ \t\n]|\Z))([^\n]*+)"
    )


def find_boxes(text: str, start: int) -> list[int]:
    """Offsets of the brackets of everything like `` [x]`` that may be a task's box."""
    return [box.start() for box in islice(_BOX.finditer(text, start), MAX_BOXES)]


def has_task(text: str, start: int) -> bool:
    """Whether there is a task below ``start``."""
    match = _compile_task_line().match
    return any(match(text, text.rfind("\n", start, box) + 1) for box in find_boxes(text, start))


def read_tasks(
    lines: Lines, boxes: Iterable[int], start: int, tasks_filter: str, days: dict[int, str]
) -> list[Task]:
    """The tasks whose boxes stand at the given offsets; ``days`` are log dates by the lines below them."""
    text = lines.text
    tasks: list[Task] = []
    seen = -1
    for box in boxes:
        if text.startswith("\n- ", box - 3):
            begin, indent, mark = box - 2, 0, text[box + 1]
            if begin == seen:
                continue
            end = text.find("\n", box)
            rest = text[box + 3 : end if end >= 0 else len(text)]
            if rest[:1] not in (" ", "\t", "") and (mark not in " xX" or rest[0] in "([:"):
                continue
        else:
            # An indent of more than 200 characters is no task's: keeps one endless line from being slow.
            begin = text.rfind("\n", max(start, box - 201), box) + 1
            if not begin or begin == seen:
                continue
            found = _compile_task_line().match(text, begin)
            if found is None or not begin < box < found.end(1) + 15:
                continue
            indent, mark, rest = len(found[1]), found[2] or found[3], found[4]
        seen = begin
        if tasks_filter and tasks_filter not in rest:
            continue
        if "\0" in rest:
            rest = rest.replace("\0", "")
        line = lines.find_line(begin)
        entry_day = read_day(days[line]) if line in days else None
        task = _read_simple(line, indent + 1, mark, rest, entry_day) or _read_with_care(
            lines, line, indent + 1, mark, rest, entry_day
        )
        if task is not None:
            tasks.append(task)
    return tasks


# How many words are left, dates by their names, priority, recurrence.
_Peeled = tuple[int, dict[str, date], str, str | None]


def _peel(words: list[str]) -> _Peeled | None:
    """Take plain fields and tags off the end of a line; None where the line needs a closer look."""
    count = len(words)
    dates: dict[str, date] = {}
    priority, rule = "", None
    while count:
        last = words[count - 1]
        if count > 1 and words[count - 2] in _OPENERS:
            name, closer = _OPENERS[words[count - 2]]
            if closer:
                if last[-1:] != closer:
                    return None
                last = last[:-1]
            if name != "priority":
                # Only a date with its hyphens is meant, not what else fromisoformat takes.
                day = read_day(last) if len(last) == 10 and last[4] == last[7] == "-" else None
                if day is None:
                    return None
                dates[name] = day
            elif last in PRIORITIES:
                priority = last
            else:
                return None
            count -= 2
        elif last[:1] == "#":
            if not last[1:].replace("-", "").replace("/", "").replace("_", "").isalnum():
                return None
            count -= 1
        elif last in PRIORITY_SIGNS:
            priority = PRIORITY_SIGNS[last]
            count -= 1
        elif not last.strip() or "#" in last:
            return None
        elif "🔁" in words and (at := words.index("🔁")) < count - 1:
            rule = " ".join(words[at + 1 : count])
            if not rule.isascii() or not rule.replace(" ", "").isalnum() or rule[0] == " ":
                return None
            count = at
        else:
            break
    return count, dates, priority, rule


def _read_simple(line: int, column: int, mark: str, rest: str, entry_day: date | None) -> Task | None:
    """A task with nothing but plain fields and tags at its end; None if there may be more to it."""
    words = rest.strip(" \t").split(" ")
    peeled = None if "^" in rest or mark.isdigit() else _peel(words)
    if peeled is None:
        return None
    count, dates, priority, rule = peeled
    text = " ".join(words[:count])
    if "::" in text or not (text.isascii() or _SIGNS.isdisjoint(text)):
        return None
    text = text.strip()
    get = dates.get
    done, cancelled = get("done"), get("cancelled")
    return tuple.__new__(
        Task,
        (
            line,
            column,
            mark,
            mark not in "xX-" and done is None and cancelled is None,
            text,
            find_tags(rest) if "#" in rest else (),
            get("due"),
            get("scheduled"),
            get("start"),
            get("created"),
            done,
            cancelled,
            rule,
            priority,
            "",
            (),
            entry_day,
            find_links(text) if "](" in text or "[[" in text else (),
            "",
            "",
        ),
    )


def _read_with_care(
    lines: Lines, line: int, column: int, mark: str, rest: str, entry_day: date | None
) -> Task | None:
    """A task with more than plain fields at its end; None if the line turns out to be none."""
    from notesync.notes.fields import TaskFields

    fields = TaskFields(rest)
    dates = fields.dates
    if mark.isdigit() and not dates:
        return None  # `- [1] …` is a footnote or a reference, unless it has a task's date
    ticked = mark in "xX-"
    done, cancelled = fields.take("done", ticked), fields.take("cancelled", ticked)
    is_open = not ticked and done is None and cancelled is None
    text = fields.find_text()
    if is_open and (fields.hidden or fields.bad or fields.lost):
        _report_fields(lines, line, fields)
    return Task(
        line,
        column,
        mark,
        is_open,
        text,
        find_tags(rest) if "#" in rest else (),
        dates.get("due"),
        dates.get("scheduled"),
        dates.get("start"),
        dates.get("created"),
        done,
        cancelled,
        fields.rule,
        fields.priority,
        fields.id,
        fields.depends_on,
        entry_day,
        find_links(text) if "](" in text or "[[" in text else (),
        fields.block,
    )


def _report_fields(lines: Lines, line: int, fields: TaskFields) -> None:
    """Name the dates of an open task that the plugin would hide, or that are none."""
    for words, name in fields.hidden:
        lines.report(
            line,
            lines.find_column(line, words),
            "hidden-field",
            WARNING,
            f"The Tasks plugin does not see `{words}`, because of what stands behind it or inside it.",
            f"Move it to the end of the line ({name} counts here all the same).",
        )
    for words in fields.bad:
        lines.report_impossible(line, words)
    for sign, words in fields.lost:
        lines.report_sign(line, lines.find_column(line, sign), sign, words)


def report_many_tasks(lines: Lines, offset: int) -> None:
    """Say where the tasks end that were read."""
    lines.report(
        lines.find_line(offset),
        1,
        "too-many-tasks",
        ERROR,
        f"This note holds more than {MAX_BOXES:,} tasks; those from here on are not read.",
        "Move tasks into other notes.",
    )
