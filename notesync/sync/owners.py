"""Owners of clients: who they are, in notes and settings, and how their names are spelt."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from notesync.sync.pipeline import Workspace


def find_owners(workspace: Workspace) -> list[str]:
    """The owners in notes and settings, in small letters."""
    named = (fold_owner(name) for name in workspace.settings.owners)
    return sorted(filter(None, workspace.index.owners().union(named)))


def spell_owner(workspace: Workspace, owner: str) -> str:
    """An owner's name for people: as the settings spell it, else with capitals."""
    folded = fold_owner(owner)
    named = (name for name in workspace.settings.owners if fold_owner(name) == folded)
    return next(named, folded.title())


def fold_owner(name: str) -> str:
    """The name as owners are compared by it."""
    return normalize("NFC", name).casefold()
