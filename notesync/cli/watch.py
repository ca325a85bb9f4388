"""``watch``: index and calendar kept current, until it is told to end.

In: the wakes of a watcher.  Out: a current calendar, and a line for every change.  ``serve`` lives the same life.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from notesync.cli.keeping import Keeping
from notesync.cli.publishing import describe_calendar, describe_follow_ups, publish
from notesync.cli.session import Progress, Session, command, find_midnight, pass_session
from notesync.problems import NotesyncError
from notesync.publish.text import format_count
from notesync.sync.pipeline import Changes, Workspace

if TYPE_CHECKING:
    from notesync.problems import Problem
    from notesync.sync.publishing import Published
    from notesync.sync.watch import Wake, Watcher

_EXPECTED: tuple[type[Exception], ...] = (NotesyncError, OSError)
_NAMES = 3  # changed notes that a line names
_WRONG = "The settings are wrong: the last good ones hold, the calendar stays as it is."
_DAY = 86400


def _check_poll(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    if not 1 <= value <= _DAY:  # which also keeps out what is no number: a range of click's lets nan through
        raise click.BadParameter(f"write a number of seconds from 1 to {_DAY}.")
    return value


poll_option = click.option(
    "--poll",
    metavar="SECONDS",
    type=float,
    callback=_check_poll,
    default=60.0,
    help="Look at all notes this often besides, for drives that tell of no change. Default: 60.",
)


def _open_log(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    """Send what would go to stderr to a file; one that cannot be made is told, and ends nothing."""
    if not value or ctx.resilient_parsing:
        return
    from notesync.store.log_file import LogFile

    try:
        sys.stderr = LogFile(value)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        ctx.ensure_object(Session).tell(f"{value} cannot be written ({reason}): there is no log.")


log_option = click.option(
    "--log",
    metavar="FILE",
    expose_value=False,
    callback=_open_log,
    help="Write what it tells to FILE, which is kept below a megabyte, instead of to stderr.",
)


@command(examples=("notesync watch", "notesync watch --poll 30"))
@poll_option
@log_option
@pass_session
def watch(session: Session, poll: float) -> None:
    """Sync now, then at each change and each midnight.

    Runs until it is interrupted (Ctrl-C, or a signal to end: exit code 0). One line a change on stderr: what
    changed, follow-ups added and removed, milliseconds. A second watcher of the same vault is refused.
    """
    from notesync.sync.watch import Watcher, WatchLock

    live_long()
    with session.open() as workspace, WatchLock(workspace.lock_path):
        watcher = Watcher(workspace.root, relevant=workspace.relevant, tell=session.tell, poll=poll)
        listen_to_signals(watcher)
        with watcher:
            Watch(session, workspace, watcher).run()


def listen_to_signals(watcher: Watcher) -> None:
    """End cleanly when asked to; sweep on SIGUSR1, and on SIGHUP unless it says that our terminal closed."""
    import signal

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: watcher.stop())
    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, lambda *_: watcher.wake())
        on_hangup = watcher.stop if sys.stderr.isatty() else watcher.wake
        signal.signal(signal.SIGHUP, lambda *_: on_hangup())


class _Stopped(Exception):  # noqa: N818  a way out of a long scan, no failure
    """Asked to end while notes are being read."""


def live_long() -> None:
    """Collect garbage, which ``notesync.cli.main`` turned off, but seldom: a change makes many tuples, no cycle."""
    import gc

    gc.set_threshold(100_000)
    gc.enable()


class Watch:
    """The life of one watcher: a refresh and a calendar for every wake, a line for every change.

    ``may_write`` is asked each time whether to keep the files current, which another process may be doing.
    ``after`` is called after every refresh, with '' or, in words, with what went wrong, ``idle`` for what can wait
    until then, once all is done.  ``endures`` are the errors, beside those that are expected, with which life goes on:
    whoever serves must not die of one note.
    """

    def __init__(
        self,
        session: Session,
        workspace: Workspace,
        watcher: Watcher,
        *,
        may_write: Callable[[], bool] = lambda: True,
        after: Callable[[str], None] = lambda failure: None,
        idle: Callable[[], None] = lambda: None,
        endures: tuple[type[Exception], ...] = (),
    ) -> None:
        self._session, self._workspace, self._watcher = session, workspace, watcher
        self._may_write, self._after, self._idle = may_write, after, idle
        self._endures = endures
        self._wrong: tuple[Problem, ...] = ()  # the settings' problems that were told last
        self._failure = ""  # what was told last that cannot be done
        self._stamped: tuple[object, ...] = ()  # the day and the files of a current calendar, () of none
        self._published: Published | None = None  # what we keep current, and have been able to
        self._left: tuple[str, ...] = ()  # what was told last of conflict copies
        self._keeping = Keeping(session, workspace)

    def run(self) -> None:
        """Until stopped.  Raises what the first refresh raises: a start that fails has to be seen."""
        from notesync.sync.watch import STOPPED

        try:
            wait = self._start()
            self._keeping.keep_some()
            while (wake := self._wait(wait)).reason != STOPPED:
                wait = self._follow(wake)
        except _Stopped:
            return

    def _wait(self, at_most: float | None) -> Wake:
        """The next reason to refresh; until there is one, what can wait is done and the texts of notes are kept."""
        self._idle()
        while self._keeping.has_more and self._watcher.is_idle:
            self._keeping.go_on()
        return self._watcher.wait(find_midnight(self._workspace.zone), at_most)

    def _start(self) -> float | None:
        began = time.perf_counter()
        workspace = self._workspace
        bar = Progress() if sys.stderr.isatty() else None
        try:
            changes = self._refresh(bar, thorough=True)
        finally:
            if bar is not None:
                bar.close()
        self._session.tell(*workspace.notices)
        found = (
            f"{workspace.root}: {format_count(changes.notes, 'note')}, "
            f"{format_count(workspace.counts().clients, 'client')}"
        )
        failure = ""
        if self._may_write():
            try:
                self._say(began, f"watching {found}, {describe_calendar(workspace, self._publish())}")
            except self._endures as error:
                failure = self._tell_failure(error)
        else:
            self._say(began, f"reading {found}; another notesync writes the calendar")
        wait = self._forget_strays()
        self._after(failure)
        self._session.tell_first_steps(workspace)
        return _find_soonest(changes.wait, wait)

    def _follow(self, wake: Wake) -> float | None:
        """One refresh for one wake; what cannot be done now is told once and tried again at the next."""
        from notesync.sync.watch import EVENTS

        began = time.perf_counter()
        try:
            if self._reload(wake.writing):
                self._stamped = ()
            changes = self._refresh(thorough=wake.reason != EVENTS, writing=wake.writing)
            if changes.changed or changes.removed or changes.added_items or changes.removed_items:
                self._stamped = ()
            wait = None if self._published is None else self._workspace.find_pending(self._published)
            leave = self._wrong or not self._may_write() or wait
            published = None if leave or self._is_current() else self._publish()
            wait = wait if leave else self._forget_strays()
            self._after(_WRONG if self._wrong else "")
        except _Stopped:
            raise
        except (*_EXPECTED, *self._endures) as error:
            self._stamped = ()  # some of the notes may have been taken in
            self._after(self._tell_failure(error))
            return None
        if self._failure:
            self._failure = ""
            self._session.tell("Back again.")
        self._tell_change(began, changes, published)
        self._keeping.keep(changes.changed)
        return _find_soonest(changes.wait, wait, self._workspace.settings_wait)

    def _tell_failure(self, error: Exception) -> str:
        """Tell, once, what cannot be done; in words."""
        failure = str(error) or type(error).__name__
        if failure != self._failure:
            self._failure = failure
            self._session.tell_error(failure)
        return failure

    def _reload(self, writing: frozenset[str]) -> bool:
        """Read changed settings; while they are wrong the last good ones hold and the calendar stays as it is."""
        from notesync.problems import ERROR

        new = self._workspace.load_settings(tolerant=True, grace=True, writing=writing)
        wrong = tuple(problem for problem in self._workspace.settings_problems if problem.severity == ERROR)
        if wrong != self._wrong:
            self._wrong = wrong
            self._tell_settings()
        return new

    def _tell_settings(self) -> None:
        from notesync.publish.text import render_problems_lines

        if self._wrong:
            self._session.tell(*render_problems_lines(self._wrong))
            self._session.tell(_WRONG)
        else:
            self._session.tell("The settings are good again.")

    def _refresh(
        self, bar: Progress | None = None, *, thorough: bool, writing: frozenset[str] = frozenset()
    ) -> Changes:
        def progress(done: int, total: int) -> None:
            if self._watcher.stopped:
                raise _Stopped
            if bar is not None:
                bar(done, total)

        return self._workspace.refresh(progress=progress, grace=True, thorough=thorough, writing=writing)

    def _is_current(self) -> bool:
        """Whether the calendar is made from what we know, for this day, and nobody else touched its file."""
        return self._published is not None and (
            self._stamped == self._stamps(self._published) and self._workspace.is_published
        )

    def _publish(self) -> Published:
        published = publish(self._workspace)
        self._published = published
        self._stamped = self._stamps(published)
        self._mark()
        return published

    def _mark(self) -> None:
        """Leave word, for doctor, that the calendar is current, unless it is not."""
        if not self._failure and not self._wrong and self._may_write():
            self._workspace.mark_current(self._watcher.poll)

    def _stamps(self, published: Published) -> tuple[object, ...]:
        root = self._workspace.root
        return (self._workspace.moment.day, *(_stamp(os.path.join(root, path)) for path in published.paths))

    def _forget_strays(self) -> float | None:
        """Remove conflict copies of what we keep current; the seconds after which to look again.

        At every wake: two computers that come to the same calendar have nothing to write when the copies come.
        """
        if self._published is None:
            return None
        forgotten, left, wait = self._workspace.forget_strays(self._published)
        if forgotten:
            self._session.tell(
                f"{time.strftime('%H:%M:%S')} removed conflict copies: {_name_some(forgotten)}"
            )
        if left != self._left:
            self._left = left
            self._session.tell(*left)
        return wait

    def _tell_change(self, began: float, changes: Changes, published: Published | None) -> None:
        self._mark()
        written = _list_written(published)
        # Our own note was told of when it was written.
        note = self._workspace.settings.agenda_note
        paths = tuple(path for path in (*changes.changed, *changes.removed) if path != note)
        follow_ups = describe_follow_ups(changes)
        if changes.broken:
            what = f"{_name_some(changes.broken)}: cannot be read now"
            self._say(began, f"{what}, the last known follow-ups are shown: notesync doctor")
        if not paths and not follow_ups and not written:
            return
        what = f"{_name_some(paths)}: {follow_ups or 'no follow-up changed'}" if paths else follow_ups
        calendar = f"{_name_some(written)} written" if written else ""
        self._say(began, ", ".join(part for part in (what, calendar) if part))

    def _say(self, began: float, words: str) -> None:
        took = (time.perf_counter() - began) * 1000
        self._session.tell(f"{time.strftime('%H:%M:%S')} {words} ({took:.0f} ms)")


def _find_soonest(*waits: float | None) -> float | None:
    return min((wait for wait in waits if wait is not None), default=None)


def _list_written(published: Published | None) -> tuple[str, ...]:
    if published is None:
        return ()
    return (published.path, *published.also) if published.changed else published.also


def _name_some(paths: Sequence[str]) -> str:
    more = len(paths) - _NAMES
    return ", ".join(paths[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _stamp(path: str) -> tuple[int, int, int]:
    """What tells that a file is no longer the one we left; zeros where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0, 0
    return found.st_size, found.st_mtime_ns, found.st_ino
