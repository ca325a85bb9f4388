"""``undo``: what a command changed, taken back, and done again."""

from __future__ import annotations

import os

import click

from notesync.cli.filters import complete_clients, find_one
from notesync.cli.session import Session, command, dry_run_option, pass_session
from notesync.publish import receipt
from notesync.publish.text import clean
from notesync.sync.pipeline import Workspace

_PATHS_SHOWN = 10


@command(examples=("notesync undo --dry-run",))
@click.argument("note", metavar="[CLIENT|PATH]", required=False, shell_complete=complete_clients)
@dry_run_option
@pass_session
def undo(session: Session, note: str | None, dry_run: bool) -> None:
    """Take back the last change that notesync made.

    Of any note, or of the one named. A note that has been changed since is left as it is. Undo once more, and it is
    done again.
    """
    with session.open() as workspace:
        path = _find_path(session, workspace, note) if note else None
        undone = workspace.undo(path, dry_run=dry_run)
        if dry_run:
            session.write(receipt.render_diff(undone.steps))
            return
        session.keep_change(step.path for step in undone.steps)
        workspace.refresh(accept_empty=any(step.after is None for step in undone.steps))  # we took them away
        paths = ", ".join(clean(step.path) for step in undone.steps[:_PATHS_SHOWN])
        if (more := len(undone.steps) - _PATHS_SHOWN) > 0:
            paths += f" and {more} more"
        again = undone.words.startswith("undo: ")
        words = clean(undone.words.removeprefix("undo: ").removeprefix("redo: "))
        session.write([f"{'Done again' if again else 'Taken back'}: {words} ({paths})\n"])
        if undone.kept:
            session.tell(f"Changed since, so left as they are: {', '.join(map(clean, undone.kept))}.")


def _find_path(session: Session, workspace: Workspace, note: str) -> str:
    """The vault-relative path of a client's note, or of any file as it is written, which may be gone by now."""
    session.refresh(workspace)
    names = workspace.names()
    if not note.lower().endswith(".md"):
        return find_one(names, note).path
    from notesync.followup.matching import find_clients

    found = find_clients(note, names)
    if len(found) == 1:
        return found[0].path
    place = os.path.abspath(note)
    inside = os.path.exists(place) and place.startswith(os.path.join(workspace.root, ""))
    return (os.path.relpath(place, workspace.root) if inside else note).replace(os.sep, "/")
