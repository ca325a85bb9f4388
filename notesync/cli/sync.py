"""``sync``, ``watch`` and ``export``: what keeps index and calendar current, and what is handed on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import click

from notesync.cli.filters import Filters, owner_option, tell_unknown
from notesync.cli.session import (
    Progress,
    Session,
    command,
    find_midnight,
    pass_session,
    today_option,
)
from notesync.problems import NotesyncError, RefusedError
from notesync.publish.text import clean, format_count
from notesync.sync.pipeline import Changes, Published, Workspace

if TYPE_CHECKING:
    from notesync.problems import Problem
    from notesync.sync.watch import Wake, Watcher

DETAILS = ("full", "names", "initials")
COMPONENTS = ("event", "todo", "both")
_EXPECTED: tuple[type[Exception], ...] = (NotesyncError, OSError)
_NAMES = 3  # changed notes that a line names
_KEPT_AT_ONCE = 500  # notes; the next sync keeps as many more, and 'watch' all of them, while nothing happens
_KEPT_BETWEEN = 50
_WRONG = "The settings are wrong: the last good ones hold, the calendar stays as it is."


@command(examples=("notesync sync",))
@click.option(
    "--accept-empty", is_flag=True, help="Most client notes are gone, and that is meant: forget them."
)
@pass_session
def sync(session: Session, accept_empty: bool) -> None:
    """Bring index and calendar up to date.

    Once, with a summary of what changed. When most of the client notes have vanished it stops with exit code 3
    and leaves the calendar: a drive may be away. --accept-empty says that they were removed on purpose.
    """
    with session.open() as workspace:
        changes = session.refresh(workspace, accept_empty=accept_empty, thorough=True)
        published = publish(workspace)
        strays = workspace.forget_strays(published)
        workspace.mark_current()
        session.write(f"{line}\n" for line in _summary(workspace, changes, published))
        session.write(f"{path}: removed, a conflict copy\n" for path in strays.forgotten)
        session.tell(*strays.left)
        _Keeping(session, workspace).keep_some()
        session.tell_first_steps(workspace)
        session.tell_problem_count(workspace)


class _Keeping:
    """What notes hold goes into the history, after the calendar; that this cannot be done is told once, and no more."""

    def __init__(self, session: Session, workspace: Workspace) -> None:
        self._session, self._workspace = session, workspace
        self._unkept: list[str] = []
        self._told = ""

    def keep_some(self) -> None:
        """Find what is not kept yet, and keep as much of it as nobody has to wait for."""
        self._try(self._find)
        self.go_on(_KEPT_AT_ONCE)

    def keep(self, paths: Sequence[str]) -> None:
        """Keep what these notes hold now."""
        self._try(lambda: self._workspace.keep_texts(paths))

    @property
    def has_more(self) -> bool:
        """Whether something that was found is still to be kept."""
        return bool(self._unkept)

    def go_on(self, most: int) -> None:
        """Keep some more of what was found."""
        some, self._unkept = self._unkept[:most], self._unkept[most:]
        self.keep(some)

    def _find(self) -> None:
        self._unkept = self._workspace.find_unkept()

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (NotesyncError, OSError) as error:
            self._unkept = []
            if str(error) != self._told:
                self._told = str(error)
                self._session.tell(f"Conflict copies may be harder to merge: {error}")


def publish(workspace: Workspace) -> Published:
    """Bring the calendar up to date.  Raises RefusedError where it cannot be written."""
    try:
        return workspace.publish()
    except OSError as error:
        # Not the error's own file: that is mostly the temporary one, whose name means nothing to anybody.
        raise _unwritable(os.path.join(workspace.root, workspace.settings.calendar_path), error) from error


def _unwritable(path: str, error: OSError) -> RefusedError:
    reason = (error.strerror or str(error)).lower()
    return RefusedError(f"unwritable-file: {path}: {reason}. Check its folder's permissions and free space.")


def _summary(workspace: Workspace, changes: Changes, published: Published) -> list[str]:
    clients = workspace.counts().clients
    calendar = describe_calendar(workspace, published)
    return [
        f"{format_count(changes.notes, 'note')}, {format_count(clients, 'client')}: {describe_changes(changes)}",
        f"{calendar}, {'written' if published.changed else 'unchanged'}" if published.events else calendar,
        *(f"{path}: written" for path in published.also),
    ]


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


# --- watch -----------------------------------------------------------------------------------------------


def _check_poll(_ctx: click.Context, _param: click.Parameter, value: float) -> float:
    if not 1 <= value <= _DAY:  # which also keeps out what is no number: a range of click's lets nan through
        raise click.BadParameter(f"write a number of seconds from 1 to {_DAY}.")
    return value


_DAY = 86400


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
        self._keeping = _Keeping(session, workspace)

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
            self._keeping.go_on(_KEPT_BETWEEN)
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


# --- export ----------------------------------------------------------------------------------------------


def _parse_horizon(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    from notesync.followup.intervals import interval_days, parse_interval

    interval = parse_interval(value)
    if interval is None:
        raise click.BadParameter(f"'{value}' is no length of time. Write it like '6 months' or '90 days'.")
    return interval_days(interval)


CONTACT_FORMATS = ("vcf", "csv", "json")
_STARTS = {"": b"BEGIN:VCALENDAR", "vcf": b"BEGIN:VCARD", "csv": b"NAME,ID,", "json": b'{"FORMAT_VERSION"'}
_CODES = {"": "not-a-calendar", "vcf": "not-a-vcard", "csv": "not-our-table", "json": "not-our-json"}


@command(
    examples=(
        "notesync export calendar.ics",
        "notesync export --owner Naledi --detail names",
        "notesync export --format vcf clients.vcf",
    )
)
@click.argument("file", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(CONTACT_FORMATS),
    metavar="|".join(CONTACT_FORMATS),
    help="Instead of the calendar, the clients themselves: all that their notes say.",
)
@owner_option
@click.option(
    "--component",
    type=click.Choice(COMPONENTS),
    metavar="|".join(COMPONENTS),
    default="event",
    help="Events, to-dos (which few calendars show), or both. Default: event.",
)
@click.option(
    "--detail",
    type=click.Choice(DETAILS),
    metavar="|".join(DETAILS),
    help="What is told of a client. Default: as in the settings.",
)
@click.option(
    "--horizon",
    metavar="TIME",
    callback=_parse_horizon,
    help="How far ahead, like '6 months'. Default: as in the settings.",
)
@today_option
@pass_session
def export(
    session: Session,
    file: str | None,
    form: str | None,
    owners: tuple[str, ...],
    component: str,
    detail: str | None,
    horizon: int | None,
) -> None:
    """Write the calendar, or the clients, to a file or to stdout.

    FILE is replaced whole, and only when it differs; a file that holds something else is refused. Without FILE, or
    with '-', it goes to stdout. What --format vcf and csv write, 'notesync import' reads back to the same.
    """
    with session.open() as workspace:
        session.refresh(workspace)
        if form:
            feed = _export_clients(session, workspace, form, owners)
        else:
            feed = workspace.feed(
                owners=owners, component=component, detail=detail or "", horizon=horizon, exported=True
            )
        if file is None or file == "-":
            _write_feed(session, feed)
        else:
            _require_same_kind(file, form or "")
            try:
                written = workspace.write_generated(os.path.abspath(file), feed)
            except OSError as error:
                raise _unwritable(file, error) from error
            session.tell(f"{file}: {'written' if written else 'unchanged'}")
        session.tell_first_steps(workspace)
        tell_unknown(session, workspace, Filters(owners))
        session.tell_problem_count(workspace)


def _write_feed(session: Session, feed: Iterator[bytes]) -> None:
    """The bytes as they are, but for a terminal: what is text to a calendar may be an order to that."""
    if sys.stdout.isatty():
        lines = b"".join(feed).decode(errors="replace").split("\n")
        session.write(f"{clean(line.removesuffix(chr(13)))}\n" for line in lines if line)
        return
    sys.stdout.flush()
    for chunk in feed:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _export_clients(
    session: Session, workspace: Workspace, form: str, owners: Sequence[str]
) -> Iterator[bytes]:
    """The clients' bytes; a note that cannot be read is told of, and the others follow."""
    from notesync.problems import Problem
    from notesync.publish.contacts import Contact, render_contacts
    from notesync.publish.text import render_problems_lines
    from notesync.sync.exporting import list_contacts

    def list_good() -> Iterator[Contact]:
        for found in list_contacts(workspace, owners):
            if isinstance(found, Problem):
                session.tell(*render_problems_lines([found]))
            else:
                yield found

    chunks = render_contacts(list_good(), form, workspace.root)
    return (chunk.encode(errors="replace") for chunk in chunks)


def _require_same_kind(path: str, form: str) -> None:
    """Raise RefusedError unless ``path`` is free, empty or of that kind: one slip must not cost a note."""
    try:
        with open(path, "rb") as old:
            start = old.read(len(_STARTS[form]))
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unwritable(path, error) from error
    if start and start.upper() != _STARTS[form]:
        code = _CODES[form]
        raise RefusedError(f"{code}: {path} holds something else and was left alone. Name another file.")
