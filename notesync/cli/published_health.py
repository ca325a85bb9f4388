"""How what is there for others is, for ``doctor``: owners' calendars, the agenda's note, and what is served."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from notesync.cli.session import Session
from notesync.problems import RefusedError
from notesync.publish.text import Health, format_count
from notesync.store.keys import find_address, find_exposed, find_keys

if TYPE_CHECKING:
    from notesync.sync.pipeline import Workspace

_SYNC = "Run 'notesync sync', or keep 'notesync watch' running."


def find_published_health(session: Session, workspace: Workspace) -> Iterator[Health]:
    """A line for each of them that is in use."""
    settings = workspace.settings
    # As of another day, with broken settings, or from another machine, a file may differ by right.
    ours = session.today is None and settings.calendar_machine == "any" and not workspace.settings_problems
    if settings.calendar_per_owner:
        yield _owners_health(workspace, ours)
    if settings.agenda_note:
        yield _note_health(workspace, ours)
    yield _server_health(workspace)


def _owners_health(workspace: Workspace, ours: bool) -> Health:
    from notesync.publish.calendar import build_owner_path
    from notesync.sync.owners import find_owners

    paths = {
        owner: build_owner_path(workspace.settings.calendar_path, owner) for owner in find_owners(workspace)
    }
    wrong = [path for owner, path in paths.items() if ours and not _is_current(workspace, owner, path)]
    if wrong:
        return Health("owners' calendars", False, f"{', '.join(wrong)}: missing, or not current.", _SYNC)
    return Health(
        "owners' calendars", True, f"{format_count(len(paths), 'owner')}: {', '.join(paths.values())}"
    )


def _is_current(workspace: Workspace, owner: str, path: str) -> bool:
    from notesync.publish.calendar import drop_marks

    found = _read(workspace, path)
    return found is not None and drop_marks(found) == b"".join(workspace.feed(owners=(owner,)))


def _note_health(workspace: Workspace, ours: bool) -> Health:
    from notesync.publish.text import NOTE_START
    from notesync.sync.agenda_note import render_note

    path = workspace.settings.agenda_note
    found = _read(workspace, path)
    if found and not found.startswith(NOTE_START.encode()):
        return Health(
            "agenda note",
            False,
            f"{path} is not a note that notesync wrote, so it is left alone.",
            "Name another in agenda_note, or remove it.",
        )
    if ours and found != "".join(render_note(workspace)).encode():
        return Health("agenda note", False, f"{path}: missing, or not current.", _SYNC)
    return Health("agenda note", True, path)


def _read(workspace: Workspace, path: str) -> bytes | None:
    try:
        with open(os.path.join(workspace.root, path), "rb") as file:
            return file.read()
    except OSError:
        return None


def _server_health(workspace: Workspace) -> Health:
    try:
        keys = find_keys(workspace.root)
    except RefusedError as error:
        return Health("server", False, str(error))
    if keys is None:
        return Health("server", True, "never used; 'notesync serve' serves calendar and page over HTTP")
    exposed = find_exposed(workspace.root)
    if exposed:
        return Health(
            "server",
            False,
            f"{exposed} holds the secret addresses, and others on this computer may read it.",
            f"Run: chmod 600 {exposed}; then 'notesync serve --new-secret', if others use this computer.",
        )
    address = find_address(workspace.root)
    served = f"served last at {address}; " if address else ""
    return Health("server", True, f"{served}'notesync serve --urls' lists the secret addresses")
