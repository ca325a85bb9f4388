"""The example vault, copied with its dates moved to today.

In: a folder and a day.  Out: the files written there.  The copy shows on that day what the original
shows on :data:`EXAMPLE_DAY`: the same client is late by the same number of days.  It must not know what
the notes mean: a date is a date wherever it stands, in a property, a log, a task or a file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from notesync.problems import NotesyncError

EXAMPLE_DAY = date(2026, 11, 22)
"""The day on which the example is set."""

# What belongs to the example; not what Obsidian or a refresh leaves beside it in a source tree.
# The package data in pyproject.toml names the same patterns.
PATTERNS = ("notesync.yaml", ".obsidian/templates.json", "**/*.md")

_DATE = re.compile(r"(?<![0-9])[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")


def find_example() -> Path:
    """The folder of the example: in an installed package ``notesync/example``, else the source tree's.

    Raises NotesyncError where an installation was made without it.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "example", package.parent / "examples" / "vault"):
        if folder.is_dir():
            return folder
    raise NotesyncError("the example vault is missing from this installation: install notesync again")


def find_files(example: Path) -> Iterator[Path]:
    """The files of the example, relative to its folder, in one order everywhere."""
    found = {path for pattern in PATTERNS for path in example.glob(pattern) if path.is_file()}
    return (path.relative_to(example) for path in sorted(found))


def move_dates(text: str, move: timedelta) -> str:
    """The text with each ISO date moved; a date that no calendar has, or would have, stays as it is."""

    def moved(match: re.Match[str]) -> str:
        try:
            return (date.fromisoformat(match[0]) + move).isoformat()
        except (ValueError, OverflowError):
            return match[0]

    return _DATE.sub(moved, text)


def copy_example(target: Path, today: date) -> list[Path]:
    """Copy the example into ``target`` with its dates moved so that it is set on ``today``.

    Out: the files written, in a fixed order.  A file that is there already stays untouched and is not
    among them.  Raises OSError, and NotesyncError where this installation has no example.
    """
    example = find_example()
    move = today - EXAMPLE_DAY
    written = []
    for path in find_files(example):
        copy = target / move_dates(path.as_posix(), move)
        text = (example / path).read_bytes().decode()
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            with copy.open("xb") as file:
                file.write(move_dates(text, move).encode())
        except FileExistsError:
            continue
        written.append(copy)
    return written
