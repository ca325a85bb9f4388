"""``service``: has the system keep ``watch``, or ``serve``, running from login.

In: what is to run, as options.  Out: files of the system's own kind, its programs called, and in words how it is.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from notesync.cli.session import Session, command, pass_session
from notesync.cli.watch import poll_option
from notesync.problems import UsageError
from notesync.publish.text import clean
from notesync.store.places import cache_dir, service_key
from notesync.store.vault import Vault

if TYPE_CHECKING:
    from notesync.sync.service import Job, System
    from notesync.sync.service_desk import Desk

_START = 20  # half seconds that a service has to begin
_PAUSE = 0.5
INSTALL, STATUS, REMOVE = "install", "status", "remove"


@command(
    examples=(
        "notesync service install --dry-run",
        "notesync service status",
        "notesync service remove",
    )
)
@click.argument("action", metavar="install|status|remove", type=click.Choice((INSTALL, STATUS, REMOVE)))
@click.option("--serve", "serving", is_flag=True, help="Run 'notesync serve' instead, which watches too.")
@click.option("--host", metavar="ADDRESS", help="For --serve: listen there.")
@click.option("--port", metavar="PORT", type=click.IntRange(1, 65535), help="For --serve.")
@click.option("--public", metavar="URL", help="For --serve: the address by which others reach it.")
@poll_option
@click.option("--dry-run", is_flag=True, help="Only show the files and the programs that would be run.")
@pass_session
def service(
    session: Session,
    action: str,
    serving: bool,
    host: str | None,
    port: int | None,
    public: str | None,
    poll: float,
    dry_run: bool,
) -> int:
    """Keep 'notesync watch' running from login.

    Installs a service of your own, no administrator needed: systemd's on Linux, launchd's on macOS, the Task
    Scheduler's on Windows. One for each vault; to install it again updates it, such as after notesync has moved. It
    is started again when it fails. Its log is in the journal on Linux, in ~/Library/Logs/notesync on macOS, in
    %LOCALAPPDATA%\\notesync\\Logs on Windows. 'status' ends with code 1 when it is not running; 'remove' leaves
    nothing.
    """
    from notesync.sync.service_desk import Desk, choose_system

    options = [("--host", host), ("--port", port), ("--public", public)]
    words = [f"{name}={value}" for name, value in options if value is not None]
    if words and not serving:
        raise UsageError(f"'{words[0].split('=')[0]}' is for '--serve'")
    if poll != _POLL:
        words.append(f"--poll={poll:g}")
    desk = Desk(choose_system())
    root = session.find_vault()
    if action == STATUS:
        return _tell_status(session, desk, root)
    if action == REMOVE:
        return _remove(session, desk, root, dry_run)
    job = _build_job(desk.system, root, ("serve" if serving else "watch", *words))
    return _show_plan(session, desk.system, job) if dry_run else _install(session, desk, job)


_POLL = 60.0


# --- install ---------------------------------------------------------------------------------------------


def _build_job(system: System, root: str, words: Sequence[str]) -> Job:
    from notesync.sync.service import Job, require_writable
    from notesync.sync.service_desk import find_environment, find_python

    Vault(root).require()
    name = system.name(service_key(root))
    log = system.log(name)
    # -P: a folder named notesync in the home must not be taken for the program.
    command = (
        find_python(),
        "-P",
        "-m",
        "notesync",
        *words,
        "--vault",
        root,
        *(("--log", log) if log else ()),
    )
    environment = find_environment()
    require_writable([*command, *(value for _, value in environment)])
    return Job(name, root, command, environment)


def _show_plan(session: Session, system: System, job: Job) -> int:
    session.write(_list_plan(system, job))
    return 0


def _list_plan(system: System, job: Job) -> Iterator[str]:
    for file in system.files(job):
        yield f"{clean(file.path)}:\n"
        encoding = "utf-16" if file.data.startswith(b"\xff\xfe") else "utf-8"
        yield from (f"    {clean(line)}\n" for line in file.data.decode(encoding).splitlines())
    yield from (f"{clean(shlex.join(call.words))}\n" for call in system.start(job.name))


def _install(session: Session, desk: Desk, job: Job) -> int:
    from notesync.sync.service import find_risk
    from notesync.sync.service_desk import require_startable
    from notesync.sync.watch import find_watcher

    if os.environ.get("SUDO_USER"):
        raise UsageError(
            "install it as yourself, without sudo: it is a service of your own, not the machine's"
        )
    require_startable(sys.executable, job)
    desk.require(job)
    lock = os.path.join(cache_dir(job.root), "watch.lock")
    by_hand = None if desk.find(service_key(job.root)) else find_watcher(lock)
    updated = desk.install(job)
    what = f"'notesync {job.command[4]}'"
    session.write([f"{job.name} {'updated' if updated else 'installed'} ({desk.system.title}).\n"])
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    notices = (
        find_risk(sys.executable, package, job.root, tempfile.gettempdir()),
        desk.system.advise(job),
    )
    session.tell(*filter(None, notices))
    if by_hand is not None:
        session.tell(
            f"Process {by_hand} watches this vault already, by hand; end it, and the service takes over in a minute."
        )
        return 0
    return _await_start(session, desk, job, lock, what)


def _await_start(session: Session, desk: Desk, job: Job, lock: str, what: str) -> int:
    """Whether it runs, as the lock tells that every watcher holds: a service that dies at once is none."""
    from notesync.sync.watch import find_watcher

    for _ in range(_START):
        process = find_watcher(lock)
        if process is not None:
            session.write(
                [
                    f"{what} is running for {clean(job.root)} now (process {process}) and from every login on.\n"
                ]
            )
            return 0
        time.sleep(_PAUSE)
    lines = desk.last_lines(job.name)
    session.tell(
        f"{what} is not running yet. {'The last lines of its log:' if lines else 'Its log is empty.'}",
        *(f"    {line}" for line in lines),
        "'notesync service status' tells more, 'notesync doctor' what may be wrong with the vault.",
    )
    return 1


# --- status and remove -----------------------------------------------------------------------------------


def _tell_status(session: Session, desk: Desk, root: str) -> int:
    found = desk.find(service_key(root))
    if found is None:
        session.write(
            ["Not installed: 'notesync service install' keeps 'notesync watch' running from login.\n"]
        )
        return 1
    state = desk.state(found.name)
    process = state.process or _find_process(root)
    session.write([f"{clean(found.name)} ({desk.system.title}), {clean(found.path)}\n"])
    if not os.path.exists(found.found.program):
        session.write(
            [f"Its program {clean(found.found.program)} is gone: run 'notesync service install' again.\n"]
        )
    if process:
        since = f", since {state.since}" if state.since else ""
        also = f"; {state.words}" if state.words else ""
        session.write([clean(f"running (process {process}{since}){also}") + "\n"])
    else:
        session.write([clean(f"not running: {state.words or 'it has ended'}") + "\n"])
    lines = desk.last_lines(found.name)
    if lines:
        session.write(["last lines of its log:\n", *(f"    {clean(line)}\n" for line in lines)])
    return 0 if process else 1


def _find_process(root: str) -> int:
    """The process that watches, as its lock tells, for systems that do not name it."""
    from notesync.sync.watch import find_watcher

    return find_watcher(os.path.join(cache_dir(root), "watch.lock")) or 0


def _remove(session: Session, desk: Desk, root: str, dry_run: bool) -> int:
    name = desk.system.name(service_key(root))
    there = [path for path in desk.system.leftovers(name) if os.path.lexists(path)]
    if not there:
        session.write(["Not installed: nothing to remove.\n"])
        return 0
    if dry_run:
        calls = (*desk.system.stop(name), *desk.system.forget(name))
        session.write(f"{clean(shlex.join(call.words))}\n" for call in calls)
        session.write(f"remove {clean(path)}\n" for path in there)
        return 0
    desk.remove(name)
    session.write([f"{clean(name)} removed.\n"])
    return 0
