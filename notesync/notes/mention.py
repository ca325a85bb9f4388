"""What a note says of others: the log entries and tasks in it that link to other notes, and the same as text.

In: a note that is no client's, and its body.  Out: :class:`Mention` values.  Must not know: which notes are
clients, the disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from notesync.notes.body import Body, Entry, Task
from notesync.problems import Problem


class Mention(NamedTuple):
    """An entry or a task, the notes that it links to, as the links name them, and what is wrong on its line."""

    targets: tuple[str, ...]
    said: Entry | Task
    problems: tuple[Problem, ...] = ()


def find_mentions(body: Body, path: str) -> Iterator[Mention]:
    """The entries and tasks of a note that link to others, in the note's order; they know their own note."""
    wrong: dict[int, tuple[Problem, ...]] = {}
    for problem in body.problems:
        wrong[problem.line] = (*wrong.get(problem.line, ()), problem)
    for entry in body.entries:
        if entry.client:
            yield Mention((entry.client,), entry._replace(path=path), wrong.get(entry.line, ()))
    for task in body.tasks:
        if task.links:
            yield Mention(task.links, task._replace(path=path), wrong.get(task.line, ()))


def _places(kind: type[Entry] | type[Task], names: str) -> tuple[int, ...]:
    return tuple(map(kind._fields.index, names.split()))


# Days are their ordinals and tuples arrays; ASCII, because bytes that are no UTF-8 are surrogates in texts.
_encode = json.JSONEncoder(check_circular=False, default=date.toordinal, separators=(",", ":")).encode
_ENTRY_DAYS = _places(Entry, "day")
_ENTRY_LISTS = _places(Entry, "tags")
_ENTRY_FIELDS = Entry._fields.index("fields")
_TASK_DAYS = _places(Task, "due scheduled start created done cancelled entry_day")
_TASK_LISTS = _places(Task, "tags depends_on links")


def to_text(said: Entry | Task, problems: tuple[Problem, ...] = ()) -> str:
    """An entry or a task, and what is wrong on its line, as compact JSON."""
    return _encode((said, problems))


def from_text(text: str) -> tuple[Entry | Task, tuple[Problem, ...]]:
    """What :func:`to_text` wrote down."""
    values, problems = json.loads(text)
    return _build(values), tuple(map(Problem._make, problems))


def _build(values: list[Any]) -> Entry | Task:
    if len(values) == len(Task._fields):
        return Task._make(_restore(values, _TASK_DAYS, _TASK_LISTS))
    values[_ENTRY_FIELDS] = tuple(map(tuple, values[_ENTRY_FIELDS]))
    return Entry._make(_restore(values, _ENTRY_DAYS, _ENTRY_LISTS))


def _restore(values: list[Any], days: tuple[int, ...], lists: tuple[int, ...]) -> list[Any]:
    for at in days:
        if values[at] is not None:
            values[at] = date.fromordinal(values[at])
    for at in lists:
        values[at] = tuple(values[at])
    return values
