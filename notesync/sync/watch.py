"""Wakes the caller soon, not often.

In: a vault's folder, and a function that says which names in it matter.  Out: one :class:`Wake` after
another, each a reason to refresh once.  Must not know: what a note is, what a refresh does, or what a
signal is; the caller's handlers call :meth:`Watcher.stop` and :meth:`Watcher.wake`.

An event is only a hint that a sweep of the folder may find something: events are lost, made up and
misnamed on every system.  So the rules here are about never sleeping through a change: a sweep comes
without any event too, and whatever can silence watchdog (its threads dead, the folder replaced, the
kernel's limits reached, its queue overflowing, the machine asleep) ends in a sweep as well.

Everything that reports to :meth:`Watcher.wait` puts a :class:`Hint` into one queue whose ``put`` is safe
in other threads and in signal handlers.  All other state belongs to the thread that waits: no locks.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from notesync.problems import RefusedError
from notesync.store.lock import take_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import LogRecord

    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver

EVENTS = "events"
OVERFLOW = "overflow"
SWEEP = "sweep"
MIDNIGHT = "midnight"
SLEEP_GAP = "sleep-gap"
REBUILT = "rebuilt"
ASKED = "asked"
STOPPED = "stopped"

# Clocks, folder and threads are looked at this often (about 20 µs each time).  Windows cannot interrupt a
# wait by Ctrl-C, so there the wait itself has to be short enough for a stop within two seconds.
_TICK = 5.0 if os.name == "posix" else 1.0
_GAP = 5.0  # seconds by which the wall clock may leave the monotonic one before we call it a sleep
_FALLBACK = 5.0  # seconds between sweeps where events cannot be had
_RETRY = 60.0  # seconds until we try for events again
_NAMED = 1_000  # paths that a wake names at most; more are no hint but a sweep
_LONGEST = 60.0  # seconds for which a file may be called half-written; who writes on is not saving a note
_LIMITS = "/proc/sys/fs/inotify/"
_SUGGESTED = {"max_user_watches": 1_048_576, "max_user_instances": 1_024}


class Hint(NamedTuple):
    """Something was heard: when by the monotonic clock, why it may matter, and about which path.

    ``writing``: a program has changed the file there and may still have it open; False: no longer; None: no word
    of that.
    """

    when: float
    reason: str
    path: str
    writing: bool | None = None


class Wake(NamedTuple):
    """A reason to refresh.

    ``reason`` is one of this module's constants.  ``paths`` are vault-relative with ``/``: what the
    events named, files and folders, perhaps gone by now; a head start for the refresh, never its limit.
    Empty when nothing was named, or too much to be of use.  ``writing`` are files that a program has changed
    and not closed yet, as far as this system tells.
    """

    reason: str
    paths: tuple[str, ...] = ()
    writing: frozenset[str] = frozenset()


class Burst:
    """The hints since the last wake: first and last moment, and what they named."""

    __slots__ = ("first", "last", "paths", "reason")

    def __init__(self) -> None:
        self.reason = ""
        self.first = self.last = 0.0
        self.paths: dict[str, None] = {}

    def add(self, hint: Hint) -> None:
        """Take in one hint; a reason other than events stays (it says that names are missing)."""
        if not self.reason:
            self.first = hint.when
        self.last = hint.when
        if self.reason in ("", EVENTS):
            self.reason = hint.reason
        if len(self.paths) <= _NAMED:
            self.paths[hint.path] = None

    def ready_at(self, quiet: float, latest: float) -> float:
        """The moment this burst is over: ``quiet`` seconds after its last hint, ``latest`` after its first."""
        if self.reason == ASKED:
            return self.first
        return min(self.last + quiet, self.first + latest) if self.reason else float("inf")

    def names(self) -> tuple[str, ...]:
        """The paths, or none where they are too many or known to be incomplete."""
        telling = self.reason == EVENTS and len(self.paths) <= _NAMED and "" not in self.paths
        return tuple(self.paths) if telling else ()


class Watcher:
    """Waits for reasons to refresh a vault; a context manager that starts and ends watchdog's threads.

    ``relevant(path, folder)`` says whether a change there could matter; it is asked in another thread
    with vault-relative paths.  ``tell(line)`` gets a message for a person, in the caller's own thread.
    ``poll`` is the time between sweeps without events, ``quiet`` and ``latest`` bound a burst, ``tick`` is
    how often what no event tells is looked at; all in seconds.
    """

    def __init__(
        self,
        root: str,
        *,
        relevant: Callable[[str, bool], bool],
        tell: Callable[[str], None],
        poll: float = 60.0,
        quiet: float = 0.05,
        latest: float = 2.0,
        tick: float = _TICK,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        inbox: SimpleQueue[Hint] | None = None,
    ) -> None:
        self._root = os.path.abspath(root)
        self._relevant, self._tell = relevant, tell
        self._poll, self._quiet, self._latest, self._tick = poll, quiet, latest, tick
        self._clock, self._wall = clock, wall
        self._inbox: SimpleQueue[Hint] = SimpleQueue() if inbox is None else inbox
        self._stopped = False
        self._observer: BaseObserver | None = None
        self._threads: list[threading.Thread] = []
        self._watched = ""  # the real path that the observer watches: events carry it
        self._identity: tuple[int, int] | None = None
        self._limited = False
        self._told: set[str] = set()
        self._writing: dict[str, float] = {}  # since when
        self._retry_at = self._check_at = self._offset = 0.0

    # -- what the caller uses

    @property
    def poll(self) -> float:
        """The seconds after which a sweep comes at the latest."""
        return self._poll

    @property
    def stopped(self) -> bool:
        """Whether :meth:`stop` was called; a long refresh may look here."""
        return self._stopped

    @property
    def is_idle(self) -> bool:
        """Whether nothing has been heard that :meth:`wait` would return for."""
        return not self._stopped and self._inbox.empty()

    def stop(self) -> None:
        """Make :meth:`wait` return ``stopped``, now and ever after; for signal handlers and other threads."""
        self._stopped = True
        self._inbox.put(Hint(self._clock(), STOPPED, ""))

    def wake(self) -> None:
        """Make :meth:`wait` return ``asked`` at once; for signal handlers and other threads."""
        self._inbox.put(Hint(self._clock(), ASKED, ""))

    def start(self) -> None:
        """Listen from now on; call it before the first sweep, so that no change falls in between.

        A missing folder or a kernel limit is no error: then sweeps alone wake the caller.
        """
        _quieten_watchdog(self._hear_log)
        self._offset = self._wall() - self._clock()
        self._check_at = self._clock() + self._tick
        self._identity = _identify(self._root)
        self._rebuild()

    def close(self) -> None:
        """End watchdog's threads, waiting a second for them at most."""
        self._drop_observer()
        _quieten_watchdog(self._hear_log, undo=True)

    def __enter__(self) -> Watcher:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def wait(self, midnight: float | None = None, at_most: float | None = None) -> Wake:
        """Sleep until there is a reason to refresh, and return it.

        ``midnight`` is the wall-clock time at which the day changes, ``at_most`` the seconds from now
        after which a sweep is wanted in any case.  The time to the next sweep counts from this call.
        """
        pause = min(_FALLBACK, self._poll) if self._limited else self._poll
        sweep_at = self._clock() + (pause if at_most is None else min(pause, at_most))
        burst = Burst()
        while not self._stopped:
            now = self._clock()
            reason = self._find_reason(now, burst, sweep_at, midnight)
            if reason:
                self._drain(burst)
                return Wake(reason, burst.names(), self._find_writing(now))
            deadlines = [sweep_at, self._check_at, burst.ready_at(self._quiet, self._latest)]
            if midnight is not None:
                deadlines.append(now + midnight - self._wall())
            with contextlib.suppress(Empty):
                # Never less than a millisecond: clocks are coarser than floats, and a wait of none spins.
                self._take(burst, self._inbox.get(timeout=max(min(deadlines) - now, 0.001)))
        return Wake(STOPPED)

    def _find_reason(self, now: float, burst: Burst, sweep_at: float, midnight: float | None) -> str:
        ready = now >= burst.ready_at(self._quiet, self._latest)
        if now >= self._check_at or (ready and "" in burst.paths and burst.reason == EVENTS):
            self._check_at = now + self._tick
            if reason := self._check(now):
                return reason
        if ready:
            return burst.reason
        if midnight is not None and self._wall() >= midnight:
            return MIDNIGHT
        if now >= sweep_at:
            self._probe_limit()
            return SWEEP
        return ""

    def _drain(self, burst: Burst) -> None:
        """Take what else was heard by now: the sweep that follows will see it too."""
        with contextlib.suppress(Empty):
            while True:
                self._take(burst, self._inbox.get(block=False))

    def _take(self, burst: Burst, hint: Hint) -> None:
        burst.add(hint)
        if hint.reason == OVERFLOW:
            self._writing.clear()  # who has closed what meanwhile is not known
        elif hint.writing:
            self._writing.setdefault(hint.path, hint.when)
        elif hint.writing is not None:
            self._writing.pop(hint.path, None)

    def _find_writing(self, now: float) -> frozenset[str]:
        return frozenset(path for path, since in self._writing.items() if now - since < _LONGEST)

    # -- what no event tells

    def _check(self, now: float) -> str:
        """Look at the clocks, the folder and the observer; return a reason, or nothing."""
        offset, before = self._wall() - now, self._offset
        self._offset = offset
        identity = _identify(self._root)
        broken = identity != self._identity or not all(thread.is_alive() for thread in self._threads)
        retry = self._limited and identity is not None and now >= self._retry_at
        if broken or retry:
            self._identity = identity
            self._rebuild()
        if broken or (retry and not self._limited):
            return REBUILT
        return SLEEP_GAP if abs(offset - before) > _GAP else ""

    def _rebuild(self) -> None:
        """Replace the observer by a new one; where that fails, say so once and leave it to the sweeps."""
        self._drop_observer()
        self._writing.clear()
        self._limited = False
        if self._identity is None:
            return
        self._watched = os.path.realpath(self._root)  # inotify would watch a symbolic link, not its target
        try:
            self._open_observer()
        except (FileNotFoundError, NotADirectoryError):
            self._identity = None  # gone again this moment: the next look sees a change
        except OSError as error:
            self._fall_back(error)
        else:
            self._probe_limit()

    def _open_observer(self) -> None:
        from watchdog.observers import Observer
        from watchdog.utils import BaseThread

        others = set(threading.enumerate())
        observer = Observer()
        try:
            observer.schedule(
                _build_handler(self._hear), self._watched, recursive=True, event_filter=_list_event_types()
            )
            observer.start()
        except BaseException:
            _end(observer)
            raise
        self._observer = observer
        # Not only the observer's own thread may die: its reader's death leaves all others alive and deaf.
        self._threads = [t for t in threading.enumerate() if isinstance(t, BaseThread) and t not in others]

    def _drop_observer(self) -> None:
        observer, self._observer, self._threads = self._observer, None, []
        if observer is not None:
            _end(observer)

    def _probe_limit(self) -> None:
        """See whether the kernel grants one more watch, on the folder above.

        watchdog 7.1 passes over folders below the root that it could not get a watch for, without a
        word; the limit is per user, so where one more is granted all of ours were, or soon will be.
        """
        if self._observer is None or self._limited or sys.platform != "linux":
            return
        try:
            handler = _build_handler(lambda event: None)
            watch = self._observer.schedule(handler, os.path.dirname(self._watched))
            self._observer.unschedule(watch)
        except OSError as error:
            if error.errno != errno.ENOENT:
                self._fall_back(error)

    def _fall_back(self, error: OSError) -> None:
        self._limited = True
        self._retry_at = self._clock() + _RETRY
        line = f"{_explain(error)}: looking for changes every {min(_FALLBACK, self._poll):g} seconds instead"
        if line not in self._told:
            self._told.add(line)
            self._tell(line)

    # -- what watchdog's threads call

    def _hear(self, event: FileSystemEvent) -> None:
        # Windows cannot tell what kind of thing it was that is gone.
        folder = event.is_directory or (event.event_type == "deleted" and os.name == "nt")
        for place in (event.src_path, event.dest_path):
            path = self._find_path(os.fsdecode(place)) if place else None
            if path is not None and self._is_relevant(path, folder):
                self._inbox.put(Hint(self._clock(), EVENTS, path, _tell_writing(event)))

    def _find_path(self, place: str) -> str | None:
        if place == self._watched:
            return ""
        start = os.path.join(self._watched, "")
        return place[len(start) :].replace(os.sep, "/") if place.startswith(start) else None

    def _is_relevant(self, path: str, folder: bool) -> bool:
        try:
            return not path or self._relevant(path, folder)
        except Exception:
            return True  # an exception would end watchdog's thread; a sweep too many ends nothing

    def _hear_log(self, record: LogRecord) -> bool:
        """Take an overflow of the kernel's queue for a hint; nothing else tells.  Drops the record."""
        if "overflow" in record.getMessage():
            self._inbox.put(Hint(self._clock(), OVERFLOW, ""))
        return False


def _identify(root: str) -> tuple[int, int] | None:
    try:
        status = os.stat(root)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _build_handler(hear: Callable[[FileSystemEvent], None]) -> FileSystemEventHandler:
    from watchdog.events import FileSystemEventHandler

    class Ear(FileSystemEventHandler):
        def dispatch(self, event: FileSystemEvent) -> None:
            hear(event)

    return Ear()


def _tell_writing(event: FileSystemEvent) -> bool | None:
    """What an event tells of a program at work on a file: Linux says when one that has written closes it."""
    if event.is_directory or event.event_type == "attrib" or sys.platform != "linux":
        return None
    return event.event_type == "modified"


def _list_event_types() -> list[type[FileSystemEvent]]:
    """The events that a change makes and a reading does not, or our own sweeps would wake us.

    Attributes are among them: a sync engine may set a time, or grant a right, as its last step.
    """
    from watchdog import events

    files = ("FileCreated", "FileModified", "FileClosed", "FileMoved", "FileDeleted", "FileAttrib")
    folders = ("DirCreated", "DirMoved", "DirDeleted", "DirAttrib")
    return [getattr(events, f"{what}Event") for what in files + folders]


def _end(observer: BaseObserver) -> None:
    """Stop an observer, in a thread of its own: it may be walking a large tree, and we promised a second."""
    thread = threading.Thread(target=observer.stop, daemon=True)
    thread.start()
    thread.join(1.0)


def _quieten_watchdog(hear: Callable[[LogRecord], bool], undo: bool = False) -> None:
    """Have what watchdog would print brought to ``hear``; it is of no use to a person."""
    import logging
    import warnings

    for name in ("watchdog.observers.inotify", "watchdog.observers.inotify_c"):
        logger = logging.getLogger(name)
        (logger.removeFilter if undo else logger.addFilter)(hear)
    # A folder moved out and back in; as an error (-W error) it would end the thread that reads events.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")


def _explain(error: OSError) -> str:
    names = {errno.ENOSPC: "max_user_watches", errno.EMFILE: "max_user_instances"}
    if name := names.get(error.errno or 0):
        return f"the system's limit on watched folders is reached ({_suggest(name)})"
    return f"the system cannot watch the vault's folder ({error.strerror})"


def _suggest(name: str) -> str:
    return f"raise it with: sudo sysctl fs.inotify.{name}={max(_SUGGESTED[name], 2 * _read_limit(name))}"


def _read_limit(name: str) -> int:
    try:
        with open(_LIMITS + name, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def find_limits(folders: int) -> str:
    """Say in one sentence what to raise so that ``folders`` folders can be watched; empty when nothing."""
    if folders <= (limit := _read_limit("max_user_watches")) or not limit:
        return ""
    return f"{folders} folders, but only {limit} can be watched ({_suggest('max_user_watches')})"


class WatchLock:
    """Held by the one process that watches a vault: a lock on a file, which dies with the process.

    ``path`` is outside the vault, in the user's cache.  Entering raises :class:`RefusedError` while another
    process holds it.  Where a lock cannot be had at all (a cache that is read-only, a file system without
    locks) the watcher runs without: two of them do twice the work, and nothing worse.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> WatchLock:
        """Take the lock and write down who holds it."""
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if self._file < 0:
            return self
        if not self._take():
            holder = _read_holder(self._file)
            self.__exit__()
            who = f" (process {holder})" if holder else ""
            raise RefusedError(f"another notesync{who} already watches this vault")
        with contextlib.suppress(OSError):  # a full disk
            os.ftruncate(self._file, 0)
            os.write(self._file, b"%d\n" % os.getpid())
        return self

    def _take(self) -> bool:
        """Try three times: :func:`find_watcher` holds the lock for the moment of its looking."""
        for pause in (0.05, 0.05, 0.0):
            if take_lock(self._file):
                return True
            time.sleep(pause)
        return False

    def __exit__(self, *_: object) -> None:
        """Give it back; the file stays, or a third process could lock a name that is about to go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def find_watcher(path: str) -> int | None:
    """Return the process that holds the :class:`WatchLock` of ``path``: 0 if unknown, None if nobody does."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if take_lock(file) else _read_holder(file)
    finally:
        os.close(file)


def _read_holder(file: int) -> int:
    try:
        os.lseek(file, 0, os.SEEK_SET)
        return int(os.read(file, 32))
    except (OSError, ValueError):
        return 0
