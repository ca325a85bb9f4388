"""Installs, asks after and removes the service that keeps a vault current.

In: a :class:`~notesync.sync.service.System` and a job.  Out: its files written or removed, its programs called.
Must not know: what the files say.  No note is touched.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from notesync.problems import RefusedError
from notesync.store.log_file import read_last_lines
from notesync.sync.service import CARRIED, Call, File, Found, Job, Outcome, Place, State, System

_PATIENCE = 60  # seconds that a program of the system may take
_PAUSE = 0.5
LINES = 5  # of the log, to be shown


class Installed(NamedTuple):
    """A service whose file is there: its name as the system shows it, the file, and what it would run."""

    name: str
    path: str
    found: Found


def choose_system(platform: str = sys.platform) -> System:
    """The system that we are on; whoever else has systemctl is as good as Linux."""
    place = find_place()
    if platform == "darwin":
        from notesync.sync.launchd import Launchd

        return Launchd(place)
    if platform == "win32":
        from notesync.sync.task_scheduler import TaskScheduler

        return TaskScheduler(place)
    from notesync.sync.systemd import Systemd

    return Systemd(place)


def find_place() -> Place:
    """The user, as the environment tells."""
    home = os.path.expanduser("~")
    config = os.environ.get("XDG_CONFIG_HOME", "")
    local = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    user = "\\".join(filter(None, (os.environ.get("USERDOMAIN"), os.environ.get("USERNAME"))))
    uid = os.getuid() if sys.platform != "win32" else 0
    return Place(home, config if os.path.isabs(config) else "", local, uid, user)


def find_environment() -> tuple[tuple[str, str], ...]:
    """What of our environment the service needs to do the same as we do."""
    return tuple((name, os.environ[name]) for name in CARRIED if os.environ.get(name))


def find_python() -> str:
    """The interpreter that runs now, without a window where there is such a one.  Raises RefusedError."""
    program = sys.executable
    if not program:
        raise RefusedError(
            "no-python: this Python does not know its own path. Install notesync with another."
        )
    silent = os.path.join(os.path.dirname(program), "pythonw.exe")
    return silent if os.name == "nt" and os.path.exists(silent) else program


def run_program(words: Sequence[str], environment: dict[str, str] | None = None, folder: str = "") -> Outcome:
    """Run a program to its end; one that is not there, or does not end, has code 127."""
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        done = subprocess.run(
            list(words), stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, env=environment,
            cwd=folder or None, encoding="utf-8", errors="replace", creationflags=flags, check=False,
        )  # fmt: skip
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return Outcome(127, "", str(error))
    return Outcome(done.returncode, done.stdout, done.stderr)


def require_startable(python: str, job: Job) -> None:
    """Raise RefusedError unless this Python finds notesync from any folder, as the service would."""
    base = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    words = (python, "-P", "-m", "notesync", "--version")
    outcome = run_program(words, base | dict(job.environment), os.path.abspath(os.sep))
    if outcome.code:
        raise RefusedError(
            f"not-installed: {python} finds notesync only in the folder where you are "
            f"({_last_line(outcome)}). Install it ('pip install .' in its folder), then try again."
        )


class Desk:
    """What can be done about services on one system.  ``run`` and ``pause`` are what tests replace."""

    def __init__(
        self,
        system: System,
        run: Callable[[Sequence[str]], Outcome] = run_program,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.system = system
        self._run, self._pause = run, pause

    def require(self, job: Job) -> None:
        """Raise RefusedError where no service can be installed, with the line for cron or a shortcut."""
        probe = self.system.probe()
        if probe is None:
            return
        outcome = self._run(probe.words)
        if outcome.code:
            raise RefusedError(
                f"no-service: '{' '.join(probe.words)}' fails ({_last_line(outcome)}).\n"
                f"{self.system.missing}\n    {describe_by_hand(self.system, job)}"
            )

    def install(self, job: Job) -> bool:
        """Write the files and make them count; whether there were others before.

        Raises RefusedError when the system does not take them: then they are as they were.
        """
        files = self.system.files(job)
        before = [(file.path, _read(file.path)) for file in files]
        log = self.system.log(job.name)
        try:
            if log:
                os.makedirs(os.path.dirname(log), exist_ok=True)
            for file in files:
                _write(file)
            self._call(self.system.start(job.name))
        except (OSError, RefusedError) as error:
            self._put_back(job.name, before)
            raise RefusedError(f"{error}\nNothing was installed.") from error
        return any(data is not None for _, data in before)

    def _put_back(self, name: str, before: Sequence[tuple[str, bytes | None]]) -> None:
        fresh = all(data is None for _, data in before)
        with contextlib.suppress(OSError, RefusedError):
            if fresh:
                self.remove(name)
            else:
                for path, data in before:
                    if data is not None:
                        _write(File(path, data))
                self._call(self.system.start(name))

    def remove(self, name: str) -> bool:
        """End the service and remove all of it; whether there was anything.  Raises RefusedError."""
        there = [path for path in self.system.leftovers(name) if os.path.lexists(path)]
        if not there:
            return False
        self._call(self.system.stop(name))
        for path in there:
            try:
                os.unlink(path)
            except FileNotFoundError:  # the system's own answer to being stopped
                continue
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                raise RefusedError(f"{path}: {reason}. Remove it, then run this again.") from error
        self._call(self.system.forget(name))
        return True

    def _call(self, calls: Sequence[Call]) -> None:
        for call in calls:
            outcome = self._run(call.words)
            for _ in range(call.tries - 1):
                if not outcome.code:
                    break
                self._pause(_PAUSE)
                outcome = self._run(call.words)
            if outcome.code and call.needed:
                raise RefusedError(f"no-service: '{' '.join(call.words)}' failed: {_last_line(outcome)}.")

    def state(self, name: str) -> State:
        """How the system says it is."""
        return self.system.read_state(self._run(self.system.ask(name).words))

    def last_lines(self, name: str) -> list[str]:
        """The end of its log."""
        call = self.system.show_log(name)
        if call is None:
            return read_last_lines(self.system.log(name), LINES)
        outcome = self._run(call.words)
        lines = [line for line in outcome.out.split("\n") if line and not line.startswith("-- ")]
        return [] if outcome.code else lines[-LINES:]

    def find(self, key: str) -> Installed | None:
        """The service of one vault; None if its file is not there."""
        name = self.system.name(key)
        path = self.system.leftovers(name)[0]
        return self._read(name, path)

    def find_all(self) -> Iterator[Installed]:
        """All services of ours, of whatever vault."""
        pattern = self.system.leftovers(self.system.name("\0"))[0]
        folder, pattern = os.path.split(pattern)
        start, end = pattern.split("\0")
        with contextlib.suppress(OSError):
            for each in sorted(os.listdir(folder)):
                key = each[len(start) : len(each) - len(end)]
                if each.startswith(f"{start}notesync-") and each.endswith(end):
                    found = self._read(self.system.name(key), os.path.join(folder, each))
                    if found is not None:
                        yield found

    def _read(self, name: str, path: str) -> Installed | None:
        data = _read(path)
        found = None if data is None else self.system.read_file(data)
        return found and Installed(name, path, found)


def describe_by_hand(system: System, job: Job) -> str:
    """The line that does without a service."""
    if system.program == "schtasks":
        return subprocess.list2cmdline(job.command)
    import shlex

    # cron takes an unescaped % for the end of the line.
    return "@reboot " + shlex.join(job.command).replace("%", "\\%")


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _write(file: File) -> None:
    os.makedirs(os.path.dirname(file.path), exist_ok=True)
    temporary = f"{file.path}.{os.getpid()}.tmp"
    with open(temporary, "wb") as new:
        new.write(file.data)
    os.replace(temporary, file.path)


def _last_line(outcome: Outcome) -> str:
    lines = [line.strip() for line in (outcome.err + "\n" + outcome.out).split("\n") if line.strip()]
    return lines[-1].rstrip(".") if lines else f"exit code {outcome.code}"
