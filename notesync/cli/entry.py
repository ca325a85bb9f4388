"""What is said of a contact on the command line: how it was, when, in what words.

In: the options and words of ``log``, ``done`` and ``lost``.  Out: a new entry of a log.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from notesync.cli.asking import ask
from notesync.cli.session import AnyFunction
from notesync.problems import UsageError, find_nearest

if TYPE_CHECKING:
    from notesync.followup.when import When
    from notesync.notes.edit_log import NewEntry


def _check_channel(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
    if value is None:
        return ""
    from notesync.notes.words import CHANNELS

    words = " ".join(value.split())
    if words.casefold() in CHANNELS:
        return words
    near = find_nearest(words.casefold(), CHANNELS)
    hint = f"Did you mean '{near}'?" if near else "Write call, visit, video, email, message or letter."
    raise click.BadParameter(f"'{value}' is no channel that is known. {hint}")


def channel_option(function: AnyFunction) -> AnyFunction:
    """``--by``."""
    return click.option(
        "--by",
        "channel",
        metavar="CHANNEL",
        callback=_check_channel,
        help="How: call, visit, video, email, message or letter, or an everyday word for it (phoned, WhatsApp).",
    )(function)


at_option = click.option(
    "--at",
    metavar="DATE [TIME]",
    default="today",
    help="When it was: a date, today, yesterday, a weekday (the last one), a time. Default: today.",
)


def read_text(words: Sequence[str], needed: bool) -> str:
    """The words of TEXT: from the command line, from stdin for '-', else asked for where they are needed."""
    text = " ".join(words)
    if text == "-":
        # UTF-8 on every system, as stdout is; bytes that are none are refused later, with words.
        text = sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape")
    elif not text.strip() and needed:
        text = ask("What was said")
    if needed and not text.strip():
        raise UsageError(
            "no-text: there is nothing to log. Write it behind the client, or - to read it from stdin."
        )
    return text.strip()


def build_entry(when: When, channel: str, outcome: str, text: str, tag: str) -> NewEntry:
    """The entry that these words make, with the tag of the step that it settles."""
    from notesync.notes.edit_log import NewEntry
    from notesync.sync.deeds import add_tag

    return NewEntry(when.day, when.minute, channel, outcome, add_tag(text, tag))
