"""A vault as its person sees it: files that are put there, and commands that are typed."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from notesync.cli.group import notesync


def run(*words: object, typed: str | None = None) -> Result:
    """The outcome of one command in this process."""
    return CliRunner().invoke(notesync, [str(word) for word in words], input=typed)


def write(root: Path, path: str, text: str) -> Path:
    """A file with these very bytes, in a folder that is made for it."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode())
    return place


def put(root: Path, path: str, header: str = "", body: str = "") -> None:
    """A note with this header, or without one."""
    write(root, path, f"---\n{header}\n---\n{body}" if header else body)
