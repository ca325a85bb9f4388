"""Questions on a terminal, for a command that lacks a word, or has one that may mean several things.

In: a question.  Out: the answer; '' where nobody sits there.  Questions are no result, so they go to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from notesync.publish.text import clean

CHOICES = 20  # to choose from: more fit on no screen


def is_asking_possible() -> bool:
    """Whether somebody sits at a terminal who can read a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask(question: str) -> str:
    """The answer in words; '' for none, or where nobody can be asked."""
    if not is_asking_possible():
        return ""
    answer: str = click.prompt(question, default="", show_default=False, err=True)
    return answer


def ask_which(wanted: str, choices: Sequence[str], more: str = "") -> int | None:
    """Which of the choices is meant, counted from 0; None where nobody can be asked.

    ``more`` says what there is besides.
    """
    if not is_asking_possible():
        return None
    click.echo(f"'{clean(wanted)}' may be any of these:", err=True)
    for number, line in enumerate(choices, 1):
        click.echo(f"{number:>3}  {clean(line)}", err=True)
    if more:
        click.echo(f"     {more}", err=True)
    chosen: int = click.prompt("Which one", type=click.IntRange(1, len(choices)), err=True)
    return chosen - 1
