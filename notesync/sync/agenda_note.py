"""The agenda as a note in the vault, for phones.

In: a refreshed workspace.  Out: the note's bytes, and the file when they differ; a person's note is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from notesync.problems import RefusedError
from notesync.sync.answers import Selection
from notesync.sync.written import join_bytes

if TYPE_CHECKING:
    from notesync.store.vault import Vault
    from notesync.sync.pipeline import Workspace

NOTE_DAYS = 7  # of the agenda as a note


def publish_note(workspace: Workspace, vault: Vault, target: str) -> bool:
    """Write the agenda's note to ``target``, where the settings want it; whether it was written.

    Raises RefusedError where a person's note is in the way.
    """
    _require_ours(target, workspace.settings.agenda_note)
    lines = render_note(workspace)
    return vault.replace_generated(target, join_bytes(line.encode("utf-8") for line in lines)).changed


def render_note(workspace: Workspace) -> Iterator[str]:
    """The agenda of this day as a note: as of its midnight, or each of two machines would write another one."""
    from notesync.publish.text import render_agenda_note

    with workspace.at_midnight():
        days, left, found = workspace.week(NOTE_DAYS, Selection())
    return render_agenda_note(days, left, found, workspace.settings.vault_id)


def _require_ours(target: str, path: str) -> None:
    """Raise RefusedError where the note in the way is a person's."""
    from notesync.publish.text import NOTE_START

    try:
        with open(target, "rb") as file:
            start = file.read(len(NOTE_START))
    except FileNotFoundError:
        return
    if start and start != NOTE_START.encode():
        raise RefusedError(
            f"{path} is not a note that notesync wrote, so it was left alone. Name another in agenda_note, or "
            "remove it."
        )
