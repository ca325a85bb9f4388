"""A vault under a running ``notesync watch``, looked at from outside as a calendar program does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from difflib import unified_diff
from pathlib import Path

from notesync.publish.calendar import drop_marks

HOME = Path(__file__).parents[2]
PATIENCE = 20.0  # seconds until we give up; what is awaited takes a tenth of a second on a machine at rest
OLD, NEW = "the old offer", "the new and much longer offer"
SETTINGS = "vault_id: 5b1f\ntimezone: UTC\nsince: 2020-01-01\n"


def make_note(offer: str, *, header: str = "") -> str:
    """A client whose calendar tells a note that was cut short anywhere: by its task, or by its log's last line."""
    today = date.today()
    return (
        f"---\ntype: client\nevery: 2 weeks\nphone: 0885550111\n{header}---\n\n"
        f"- [ ] Send {offer} 📅 {today + timedelta(3)}\n\n"
        f"## Log\n\n- {today - timedelta(30)} call: first talk\n- {today - timedelta(4)} visit: talked\n"
    )


def require_whole(data: bytes) -> None:
    """Demand a calendar that no reader would call torn."""
    text = data.decode()
    assert text.startswith("BEGIN:VCALENDAR\r\n"), text[:200]
    assert text.endswith("END:VCALENDAR\r\n"), text[-200:]
    for kind in ("VCALENDAR", "VEVENT"):
        assert text.count(f"BEGIN:{kind}\r\n") == text.count(f"END:{kind}\r\n")


class Watched:
    """A vault with places of its own, outside the system's temporary folder, where editors save as people see it."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="notesync-test-", dir="/var/tmp"))
        self.root = self.home / "vault"
        self.root.mkdir()
        (self.root / "notesync.yaml").write_text(SETTINGS, encoding="utf-8")
        self._process: subprocess.Popen[str] | None = None
        self.said: list[str] = []

    def environment(self, place: str = "places") -> dict[str, str]:
        places = ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
        own = {name: str(self.home / place) for name in places}
        return os.environ | own | {"PYTHONPATH": str(HOME), "NOTESYNC_VAULT": str(self.root)}

    def start(self, *words: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "notesync", "watch", *words],
            cwd=HOME,  # a folder that stays
            env=self.environment(),
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        self.wait_until(lambda: any("watching" in line for line in self.said))

    def _listen(self, process: subprocess.Popen[str]) -> None:
        if process.stderr is not None:
            with process.stderr:
                for line in process.stderr:
                    self.said.append(line)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, *words: str, place: str = "places") -> subprocess.CompletedProcess[str]:
        """One command of notesync's to its end."""
        command = [sys.executable, "-m", "notesync", *words]
        return subprocess.run(
            command, env=self.environment(place), capture_output=True, encoding="utf-8", check=False
        )

    def put(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def calendar(self) -> bytes:
        try:
            return (self.root / "followups.ics").read_bytes()
        except FileNotFoundError:
            return b""

    def events(self) -> list[str]:
        """What each event says in its one line, sorted."""
        text = self.calendar().decode().replace("\r\n ", "")
        return sorted(line for line in text.split("\r\n") if line.startswith("SUMMARY"))

    def rebuilt(self) -> bytes:
        """The calendar that reading everything from nothing gives, without the marks of a file in the vault."""
        shutil.rmtree(self.home / "another", ignore_errors=True)
        done = self.run("export", place="another")
        assert done.returncode == 0, done.stderr
        return done.stdout.replace("\n", "\r\n").encode()

    def differ(self) -> str:
        """How the calendar is not what reading everything from nothing gives."""
        both = (data.decode().split("\r\n") for data in (drop_marks(self.calendar()), self.rebuilt()))
        return "\n".join(unified_diff(*both, "the calendar", "rebuilt", n=8))

    def wait_until(self, done: Callable[[], bool], tell: Callable[[], str] = str) -> None:
        late = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < late, f"{tell() or self.events()}\n{''.join(self.said[-20:])}"
            time.sleep(0.01)

    def wait_to_hear(self, words: str) -> None:
        """Until the watcher says something that it had not said before; it is forgotten then."""
        self.wait_until(lambda: any(words in line for line in self.said), lambda: f"not said: {words}")
        self.said.clear()

    def wait_for(self, has: str, lacks: str = "\0") -> None:
        """Until the calendar has some words and lacks others."""
        self.wait_until(lambda: _find(has, text := self.calendar().decode()) and not _find(lacks, text))

    @contextmanager
    def followed(self) -> Iterator[list[bytes]]:
        """Every state of the calendar that a reader meets meanwhile, each whole."""
        states: list[bytes] = []
        over = threading.Event()

        def read() -> None:
            while not over.wait(0.002):
                data = self.calendar()
                if data not in states:
                    states.append(data)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield states
        finally:
            over.set()
            reader.join()
        for state in states:
            require_whole(state)


def _find(words: str, calendar: str) -> bool:
    return words in calendar.replace("\r\n ", "")
