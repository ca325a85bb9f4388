"""Tasks in, what is wrong with the rules by which they recur out: those that the Tasks plugin would drop or misread.

Whoever's note it is: a client's own, or another one whose task is a client's.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from notesync.problems import WARNING, Problem, clip

if TYPE_CHECKING:
    from notesync.notes.body import Task


def find_rule_problems(path: str, tasks: Iterable[Task]) -> Iterator[Problem]:
    """Say which open tasks recur by a rule that the Tasks plugin would drop or misread without a word."""
    for task in tasks:
        if task.recurrence and task.open and (reason := _why_refused(task.recurrence)):
            message = f"This task's recurrence, `{clip(task.recurrence)}`, is not read: {reason}."
            hint = "Mend it before the task is ticked: Obsidian would lose the rule, or take another."
            yield Problem(path, task.line, task.column, "bad-recurrence", WARNING, message, hint)


@lru_cache(maxsize=256)
def _why_refused(rule: str) -> str:
    from notesync.followup.recurrence import parse_recurrence

    return parse_recurrence(rule)[1]
