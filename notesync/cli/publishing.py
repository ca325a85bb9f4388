"""The calendar brought up to date, and what was found and written, in words: for ``sync`` and ``watch``.

In: a refreshed workspace.  Out: what was published; lines for people.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from notesync.problems import RefusedError
from notesync.publish.text import format_count
from notesync.sync.pipeline import Changes, Workspace

if TYPE_CHECKING:
    from notesync.sync.publishing import Published


def publish(workspace: Workspace) -> Published:
    """Bring the calendar up to date.  Raises RefusedError where it cannot be written."""
    try:
        return workspace.publish()
    except OSError as error:
        # Not the error's own file: that is mostly the temporary one, whose name means nothing to anybody.
        raise unwritable(os.path.join(workspace.root, workspace.settings.calendar_path), error) from error


def unwritable(path: str, error: OSError) -> RefusedError:
    """That a file cannot be written, with what to look at."""
    reason = (error.strerror or str(error)).lower()
    return RefusedError(f"unwritable-file: {path}: {reason}. Check its folder's permissions and free space.")


def describe_calendar(workspace: Workspace, published: Published) -> str:
    """``followups.ics: 14 events``; even an empty calendar has an event, so none means that we write none."""
    if published.events:
        return f"{published.path}: {format_count(published.events, 'event')}"
    return f"{published.path}: left to the machine {workspace.settings.calendar_machine}"


def describe_changes(changes: Changes) -> str:
    """What a refresh found, in words: ``2 changed, 1 gone, follow-ups: 3 added, 1 removed``."""
    parts = []
    if changes.changed:
        parts.append(f"{len(changes.changed)} changed")
    if changes.removed:
        parts.append(f"{len(changes.removed)} gone")
    if follow_ups := describe_follow_ups(changes):
        parts.append(follow_ups)
    return ", ".join(parts) or "nothing changed"


def describe_follow_ups(changes: Changes) -> str:
    """``3 follow-ups added, 1 removed``; '' when they are as they were."""
    if changes.added_items:
        added = f"{format_count(changes.added_items, 'follow-up')} added"
        return f"{added}, {changes.removed_items} removed" if changes.removed_items else added
    return f"{format_count(changes.removed_items, 'follow-up')} removed" if changes.removed_items else ""
