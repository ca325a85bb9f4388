"""The days that people type for the commands that write: ``fri 14:30``, ``2w``, ``yesterday``.

In: the words of an option, today, the working days.  Out: the day, and its time if it has one.  What the words mean
is in ``followup/when``; here it is refused, with what to write instead, where a command cannot use that day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from notesync.cli.session import Command
from notesync.problems import UsageError

if TYPE_CHECKING:
    from notesync.followup.when import When
    from notesync.followup.work_calendar import WorkCalendar

_AHEAD = "Write an ISO date (2026-11-25), today, tomorrow, a weekday (fri), or a time from now (3d, 2w, 5 workdays)"
_PAST = "Write an ISO date (2026-11-25), today, yesterday, or a weekday (fri: the last one)"
_TIMED = ("--at", "--next")
_CLOCK = re.compile("[0-9]{1,2}:[0-9]{2}")


class WritingCommand(Command):
    """A command that joins a time to the day before it: ``--at 2026-11-25 14:30`` needs no quotes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing and args and args[-1].startswith("-"):
            # A shell asks for this option's value: without one click would forget the client before it.
            args = args[:-1]
        return super().parse_args(ctx, list(join_times(args)))


def join_times(words: Sequence[str]) -> Iterator[str]:
    """The words of a command line, those of an option's day and time as one."""
    rest = iter(words)
    before = ""
    waiting: str | None = None
    for word in rest:
        if waiting is not None:
            if _CLOCK.fullmatch(word):
                yield f"{waiting} {word}"
                waiting = None
                continue
            yield waiting
            waiting = None
        if before in _TIMED or word.startswith(tuple(f"{name}=" for name in _TIMED)):
            waiting = word
        else:
            yield word
        if word == "--":
            break
        before = "" if before in _TIMED else word
    if waiting is not None:
        yield waiting
    yield from rest


def read_when(
    words: str,
    option: str,
    today: date,
    calendar: WorkCalendar,
    *,
    timed: bool = False,
    past: bool = False,
    over: bool = False,
    ahead: bool = True,
) -> When:
    """The day that WHEN means; ``timed``, it may have a time.

    ``past`` reads the words as of what has happened: a weekday is the last one.  A day before today will do then,
    or where ``over`` says so; one after today unless ``ahead`` is false.  Raises UsageError for all others, and for
    words that mean no day.
    """
    from notesync.followup.dates import YEARS, suggest_date
    from notesync.followup.when import parse_when

    found = parse_when(words, today, calendar, past)
    usage = f"{_PAST if past else _AHEAD}{', with a time: fri 14:30' if timed else ''}."
    if found is None:
        meant = suggest_date(words)
        hint = f"Did you mean {meant}?" if meant else usage
        raise UsageError(f"bad-when: '{words}' of {option} is no day that can be read for certain. {hint}")
    if found.minute is not None and not timed:
        raise UsageError(f"bad-when: {option} takes a day without a time, not '{words}'.")
    if found.day.year not in YEARS:
        raise UsageError(
            f"bad-when: {found.day} of {option} lies in the year {found.day.year}, which cannot be meant. {usage}"
        )
    if found.day < today and not (past or over):
        raise UsageError(f"bad-when: {found.day} of {option} is over. {usage}")
    if found.day > today and not ahead:
        raise UsageError(f"bad-when: {found.day} of {option} is still to come. {usage}")
    return found
