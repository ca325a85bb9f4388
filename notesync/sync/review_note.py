"""A review in, its note in the vault out: made where there is none, else with its figures made anew.

It goes through the door of all commands that change notes, so that it is whole or not at all, never over another
program's save, and undone like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from notesync.notes.file_name import build_stem
from notesync.publish.review_note import refresh_review, render_review_markdown
from notesync.sync.change import Edit, New

if TYPE_CHECKING:
    from notesync.followup.review import Review
    from notesync.store.history import Step
    from notesync.sync.pipeline import Workspace

FOLDER = "Reviews"


def find_review_path(review: Review) -> str:
    """Where a review's note stands: ``Reviews/2026-11.md``, with the owners behind if it is of some only."""
    owners = " ".join(review.owners)
    stem = f"{review.period.name} {build_stem(owners)}" if owners.strip() else review.period.name
    return f"{FOLDER}/{stem}.md"


def write_review(workspace: Workspace, review: Review) -> tuple[list[Step], str]:
    """What was changed, if anything, and the note's path.

    Raises RefusedError as ``change`` and ``refresh_review`` do.
    """
    path = workspace.vault.find_spelling(find_review_path(review))
    wish: Edit | New
    if workspace.vault.stat(path) is None:
        wish = New(path, "".join(render_review_markdown(review)).encode("utf-8", "replace"))
    else:
        wish = Edit(path, lambda data: refresh_review(data, review, path))
    return workspace.change([wish], f"review {review.period.name}"), path
