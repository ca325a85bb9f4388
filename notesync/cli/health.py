"""What ``doctor`` says of what keeps the calendar current: the watcher, its service, the system's limits.

In: an open workspace.  Out: a :class:`~notesync.publish.text.Health` for each.  The wall clock is asked here, since a
watcher's last sign of life is a moment of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from notesync.publish.text import Health, format_count, quote_path
from notesync.store.current import Mark, find_mark
from notesync.store.places import service_key
from notesync.sync.pipeline import Workspace

_A_WHILE = 86400.0  # seconds without a refresh after which a calendar misses a day
_SLACK = 600.0  # beyond the time at which a watcher wanted to look again
_INSTALL = "'notesync service install' keeps one running from every login"


def find_watcher_health(workspace: Workspace) -> Iterator[Health]:
    """Who keeps the calendar current, and since when nobody does."""
    from notesync.sync.watch import find_limits, find_watcher

    holder = find_watcher(workspace.lock_path)
    yield _judge_watcher(workspace, holder, time.time())
    yield from _judge_services(workspace, running=holder is not None)
    limits = find_limits(count_folders(workspace.root))
    if limits:
        yield Health(
            "system limits", False, limits, "Until then the watcher looks at all notes every few seconds."
        )


def _judge_watcher(workspace: Workspace, holder: int | None, now: float) -> Health:
    mark = find_mark(workspace.mark_path)
    if holder is not None:
        return _judge_running(holder, mark, now)
    when = max(mark.when if mark else 0.0, _find_written(workspace))
    theirs = workspace.settings.calendar_machine != "any"
    if not when or theirs or now - when < _A_WHILE:
        return Health("watcher", True, f"none is running; {_INSTALL}")
    return Health(
        "watcher",
        False,
        f"none is running, and nothing has refreshed the calendar for {_tell_time(now - when)}, "
        f"since {_tell_moment(when)}: whoever subscribed sees the follow-ups of then, "
        "and is not reminded of newer ones.",
        f"Run 'notesync sync' now; {_INSTALL}.",
    )


def _judge_running(holder: int, mark: Mark | None, now: float) -> Health:
    process = f"running{f' (process {holder})' if holder else ''}"
    if mark is None:
        return Health("watcher", True, process)
    if mark.again and now - mark.when > mark.again + _SLACK:
        return Health(
            "watcher",
            False,
            f"{process}, but it has not refreshed the calendar for {_tell_time(now - mark.when)}, since "
            f"{_tell_moment(mark.when)}: calendars miss what is new, and remind nobody of it.",
            "Look at what it tells ('notesync service status'), or end it and start it again.",
        )
    return Health("watcher", True, f"{process}, calendar current at {_tell_moment(mark.when)}")


def _find_written(workspace: Workspace) -> float:
    """When the calendar was written, by whichever machine; 0 if it is not there."""
    try:
        return os.stat(os.path.join(workspace.root, workspace.settings.calendar_path)).st_mtime
    except OSError:
        return 0.0


def _judge_services(workspace: Workspace, *, running: bool) -> Iterator[Health]:
    """The service of this vault, and those of vaults that are not there any more."""
    from notesync.sync.service_desk import Desk, choose_system

    desk = Desk(choose_system())
    own = desk.find(service_key(workspace.root))
    if own is None:
        yield Health("service", True, "not installed")
    elif not os.path.exists(own.found.program):
        yield Health(
            "service",
            False,
            f"{own.path} would run {own.found.program}, which is gone.",
            "Run 'notesync service install' again.",
        )
    elif not running:
        yield Health(
            "service",
            False,
            f"{own.name} is installed, but not running.",
            "'notesync service status' says why.",
        )
    else:
        yield Health("service", True, f"{own.name} is installed")
    for other in desk.find_all():
        if other.name != (own and own.name) and not os.path.isdir(other.found.root):
            yield Health(
                "service",
                False,
                f"{other.name} watches {other.found.root}, which is not there.",
                f"If it was moved or removed: notesync service remove --vault {quote_path(other.found.root)}",
            )


def _tell_time(seconds: float) -> str:
    """How long, in the largest unit that fits: ``3 days``."""
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return format_count(int(seconds // length), word)
    return "a moment"


def _tell_moment(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))


def count_folders(root: str) -> int:
    """The folders that a watcher has to listen to: all but the hidden ones."""
    count = 0
    for _, folders, _ in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        count += 1
    return count
