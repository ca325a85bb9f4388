"""The open step, task, promise or complaint that words mean, for ``done`` and ``move``; on a terminal it is asked for.

In: words, and what is open.  Out: the one that is meant.  How words find it is in ``followup/choosing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from notesync.cli.asking import CHOICES, ask_which
from notesync.cli.desk import Desk
from notesync.problems import UsageError

if TYPE_CHECKING:
    from notesync.followup.choosing import Choice

_OPEN = 8  # to be reminded of


def choose(desk: Desk, wanted: str, choices: Sequence[Choice], what: str) -> Choice:
    """The one of the choices that the words mean; on a terminal an ambiguous one can be chosen."""
    from notesync.followup.choosing import find_meant

    found = find_meant(wanted, choices)
    if not found:
        listed = "Nothing is open: 'notesync log' logs any other contact."
        if choices:
            listed = f"Open:\n{_list_some(choices, _OPEN)}"
        if any(item.conflict for item in desk.list_items()):
            listed += "\nWhat only a conflict copy of it asks for can be done once that is merged: notesync conflicts"
        raise UsageError(f"unknown-work: {desk.name.name} has no {what} '{wanted}'. {listed}")
    choice = found[0] if len(found) == 1 else _ask_which(wanted, found)
    if choice.older:
        raise UsageError(
            f"older-first: the log settles these in their order, and the {choice.older} is older. "
            "Settle that one first."
        )
    return choice


def _list_some(choices: Sequence[Choice], most: int) -> str:
    """The choices, one a line, and how many more there are."""
    lines = [f"  {_describe_choice(choice)}" for choice in choices[:most]]
    if len(choices) > most:
        lines.append(f"  ... and {len(choices) - most} more")
    return "\n".join(lines)


def _describe_choice(choice: Choice) -> str:
    name = f"{choice.names[0]}: " if choice.names else ""
    return f"{name}{choice.title} ({choice.about})"


def _ask_which(wanted: str, found: Sequence[Choice]) -> Choice:
    lines = [_describe_choice(choice) for choice in found[:CHOICES]]
    chosen = ask_which(wanted, lines)
    if chosen is None:
        raise UsageError(
            f"ambiguous-work: '{wanted}' may be any of these. Give more of its words, its day, or its place.\n  "
            + "\n  ".join(lines)
        )
    return found[chosen]
