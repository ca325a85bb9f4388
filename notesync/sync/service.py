"""What keeps ``watch`` or ``serve`` running from login, as values that every system's module shares.

In: a vault and the words of a command.  Out: a :class:`Job`, and through a :class:`System` the files to write and
the calls to make.  Nothing here or in ``systemd.py``, ``launchd.py`` and ``task_scheduler.py`` touches the disk or
starts a program: that is ``service_desk.py``, so what would happen on each system can be tested on any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from notesync.problems import RefusedError

RETRY = 60  # seconds after a failure; for ever, because a drive may come back after hours

# What changes where notesync keeps its own files, what day it is, and which notesync is found.
CARRIED = ("XDG_CACHE_HOME", "XDG_STATE_HOME", "TZ", "PYTHONPATH")

# Line ends and controls, of which unit files know only some; and what no XML can hold.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


class Place(NamedTuple):
    """The user for whom a service is installed, and where theirs lies."""

    home: str
    config: str = ""  # $XDG_CONFIG_HOME, or what stands for it
    local: str = ""  # %LOCALAPPDATA%
    uid: int = 0
    user: str = ""  # on Windows with its domain


class Job(NamedTuple):
    """What is to run.  ``name`` is the service's, and the same for one vault for ever."""

    name: str
    root: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


class File(NamedTuple):
    """A file that the system reads."""

    path: str
    data: bytes


class Call(NamedTuple):
    """A program to run; unless ``needed`` it may fail.  ``tries`` for one that may be too early."""

    words: tuple[str, ...]
    needed: bool = True
    tries: int = 1


class Outcome(NamedTuple):
    """How a call ended: its exit code, what it printed, and what it complained of."""

    code: int
    out: str = ""
    err: str = ""


class State(NamedTuple):
    """What the system says of a service: its process (0 of none), since when, and what else in words."""

    process: int = 0
    since: str = ""
    words: str = ""


class Found(NamedTuple):
    """What an installed service would run: its program, and the vault it is for."""

    program: str
    root: str


class System(Protocol):
    """How one system is told; the paths are in the system's own form."""

    title: str
    program: str
    missing: str  # what to do where the program, or what it speaks to, is not there

    def name(self, key: str) -> str:
        """The service's name as the system shows it."""

    def log(self, name: str) -> str:
        """The file to log to; '' where the system keeps the log itself."""

    def probe(self) -> Call | None:
        """What fails where services cannot be installed."""

    def files(self, job: Job) -> list[File]:
        """The files to write."""

    def leftovers(self, name: str) -> list[str]:
        """All files that may be there when it is removed."""

    def start(self, name: str) -> list[Call]:
        """The calls that make written files count, now and at every login."""

    def stop(self, name: str) -> list[Call]:
        """The calls that end it, before its files go."""

    def forget(self, name: str) -> list[Call]:
        """The calls after its files went."""

    def ask(self, name: str) -> Call:
        """The call that tells how it is."""

    def read_state(self, outcome: Outcome) -> State:
        """What that call said."""

    def show_log(self, name: str) -> Call | None:
        """The call that prints the last lines of the log, where there is no file."""

    def read_file(self, data: bytes) -> Found | None:
        """What a file that we wrote would run; None if it is not ours."""

    def advise(self, job: Job) -> str:
        """What a person should know of the system, '' for nothing."""


def require_writable(words: Sequence[str]) -> None:
    """Raise RefusedError where a word cannot stand in a service's file without harm."""
    for word in words:
        if _UNWRITABLE.search(word):
            raise RefusedError(
                f"bad-path: {word!a} holds a line end, a control character or bytes that are no text, and no "
                "service can be given such a name. Rename the folder."
            )


def find_risk(program: str, package: str, root: str, temporary: str) -> str:
    """Why the notesync that runs now may be gone tomorrow, in a sentence; '' where nothing says so."""
    for place in (program, package):
        folded = place.replace("\\", "/")
        if _is_below(folded, temporary.replace("\\", "/")) or _PASSING.search(folded):
            return (
                f"{place} lies in a place that is cleared now and then. Install notesync where it can stay, "
                "and run 'notesync service install' again from there."
            )
        if _is_below(folded, root.replace("\\", "/")):
            return (
                f"{place} lies in the vault itself, which is synced: other computers would get it, too. "
                "Install notesync elsewhere, and run 'notesync service install' again from there."
            )
    return ""


# Temporary folders, what uv and pipx run once, removable drives, macOS's quarantine and AppImages' mounts.
_PASSING = re.compile(
    r"^(/tmp|/var/tmp|/dev/shm|/run/user|/private/var/folders|/media|/mnt/[^/]+|/Volumes)/"
    r"|/uv/(archive|builds|environments)-v\d|/pipx/\.cache/|/AppTranslocation/|/\.mount_|/(Downloads|Trash|\.Trash)/"
)


def _is_below(place: str, folder: str) -> bool:
    return place.startswith(folder.rstrip("/") + "/")
