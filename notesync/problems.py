"""A user's mistake as a value, and the base of our exceptions.

A :class:`Problem` is something wrong in a note or in the settings: it has a place, a stable code and
a mend, and never stops the rest.  A :class:`NotesyncError` is something the program cannot do: it
ends the command with its exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

ERROR = "error"
WARNING = "warning"

LINE_BY_LINE = frozenset(("bad-yaml", "not-properties", "unclosed-front-matter", "header-too-large"))
"""The codes that are told of a note whose keys are read line by line, and of no other."""


class Problem(NamedTuple):
    """Something wrong at one place of a file.

    ``path`` is vault-relative with ``/``; ``line`` and ``column`` count from 1, columns in characters.
    ``code`` is stable and in words (``bad-date``); ``severity`` is ``error`` (could not be used) or
    ``warning`` (probably not meant).  ``message`` says what is wrong, ``hint`` what to write instead,
    each one sentence that may quote the note: renderers escape it.
    """

    path: str
    line: int
    column: int
    code: str
    severity: str
    message: str
    hint: str


def find_nearest(word: str, words: Iterable[str]) -> str:
    """The word that was probably meant, for a hint; '' where none looks like it."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(words), n=1)
    return near[0] if near else ""


class NotesyncError(Exception):
    """Something that cannot be done; ``exit_code`` is the command's."""

    exit_code = 70


class UsageError(NotesyncError):
    """Wrong usage or settings; a client unknown or ambiguous."""

    exit_code = 2


class VaultError(NotesyncError):
    """The vault cannot be read, or its notes seem to have gone."""

    exit_code = 3


class RefusedError(NotesyncError):
    """Refused, and nothing was changed: a file moved on, another watcher runs."""

    exit_code = 4


class MovedOnError(RefusedError):
    """A file no longer holds the bytes that a change was made for: read it and make the change again."""


class OvertakenError(RefusedError):
    """A file was replaced just as another program saved it: both texts are kept, and a person must look."""


def clip(text: str) -> str:
    """What is quoted of a note in a message: one line of it, at most sixty characters."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"
