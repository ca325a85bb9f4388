"""Machines for the tests of several at once: a watcher with a home of its own each, and real Syncthing nodes.

A machine is nothing but folders: its home with cache and state, and its vault, which may be another's too.
Nodes talk to each other on loopback alone and keep all they have in a temporary folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0  # seconds for anything to happen, on a machine with much else to do
QUIET = 2.3  # seconds without a change that are rest: more than two of the watchers' sweeps
STEP = 0.1
CALENDAR = "followups.ics"


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where all programs are required, as in CI."""
    if os.environ.get("NOTESYNC_REQUIRE_CLIENTS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def require(program: str) -> str:
    """Where a program is."""
    return shutil.which(program) or missing(f"{program} is not installed")


def await_that(
    happens: Callable[[], Any], words: str, tell: Callable[[], str] = str, patience: float = PATIENCE
) -> Any:
    """What ``happens`` answers once that is something; ``tell`` adds to the failure how things are."""
    deadline = time.monotonic() + patience
    while not (answer := happens()):
        assert time.monotonic() < deadline, f"still waiting: {words}\n{tell()}"
        time.sleep(STEP)
    return answer


class Machine:
    """A home, a vault and what notesync does there."""

    def __init__(self, home: Path, vault: Path) -> None:
        self.vault = vault
        self.log = home / "watch.log"
        self._process: subprocess.Popen[bytes] | None = None
        home.mkdir(parents=True)
        vault.mkdir(parents=True, exist_ok=True)
        self._environment = {
            **os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"), "TZ": "UTC", "PYTHONPATH": str(ROOT), "NO_COLOR": "1",
        }  # fmt: skip
        self._environment.pop("NOTESYNC_VAULT", None)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command, ended."""
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """One command, begun."""
        return subprocess.Popen(
            [sys.executable, "-m", "notesync", *words, "--vault", str(self.vault)], env=self._environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip

    def watch(self) -> None:
        """Begin to watch; ``said`` tells when it does."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "notesync", "watch", "--poll", "1", "--vault", str(self.vault)],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self) -> None:
        """End the watcher, if there is one."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE)
            finally:
                self._process.kill()
            self._process = None

    def said(self) -> str:
        """What the watcher has said."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def put(self, name: str, text: str) -> None:
        """Save a note as most editors do: in place."""
        (self.vault / name).write_text(text, encoding="utf-8")

    def text(self, name: str) -> str:
        """A file as it is, line ends and all."""
        return (self.vault / name).read_bytes().decode()

    def names(self) -> list[str]:
        """The files of the vault that people see."""
        found = (path.relative_to(self.vault).as_posix() for path in self.vault.rglob("*") if path.is_file())
        return sorted(name for name in found if not name.startswith((".", "~")))

    def state(self) -> tuple[object, ...]:
        """What any write to the vault changes, and any line that the watcher says."""
        files = []
        for name in self.names():
            with contextlib.suppress(FileNotFoundError):
                found = (self.vault / name).stat()
                files.append((name, found.st_ino, found.st_mtime_ns, found.st_ctime_ns))
        return (*files, self.said())

    def files(self) -> dict[str, bytes]:
        """What the vault holds; a file that goes meanwhile is left out."""
        found = {}
        for name in self.names():
            with contextlib.suppress(FileNotFoundError):
                found[name] = (self.vault / name).read_bytes()
        return found

    def rebuilt(self) -> bytes:
        """The calendar of the same notes, conflict copies and all, as a machine makes it that knows nothing else."""
        folder = self.log.parent / f"rebuilt {time.monotonic_ns()}"
        other = Machine(folder / "home", folder / self.vault.name)
        for name, data in self.files().items():
            if not name.startswith(CALENDAR[:-4]):
                (other.vault / name).write_bytes(data)
        done = other.run("sync")
        assert done.returncode == 0, done.stderr
        return (other.vault / CALENDAR).read_bytes()


@contextlib.contextmanager
def watching(*machines: Machine) -> Iterator[None]:
    """Watchers of these machines, ended whatever happens."""
    try:
        for machine in machines:
            machine.watch()
        for machine in machines:
            await_that(lambda machine=machine: "watching " in machine.said(), "a watcher", machine.said)
        yield
    finally:
        for machine in machines:
            machine.stop()


def find_copies(machine: Machine) -> list[str]:
    """The conflict copies in a vault, by the names that Syncthing and rclone give."""
    return [name for name in machine.names() if ".sync-conflict-" in name or ".." in name]


def await_rest(
    machines: Sequence[Machine], is_idle: Callable[[], bool] = lambda: True, copies: int = 0
) -> None:
    """Wait until nothing has changed for a while anywhere, all vaults hold the same, and the calendar is right.

    ``is_idle`` says whether what joins the machines has nothing left to do.  ``copies`` is how many conflict copies
    there are to be.
    """

    def tell() -> str:
        return "\n".join(f"{each.vault}: {each.names()}\n{each.said()}" for each in machines)

    last: list[object] = []
    since = time.monotonic()

    def is_at_rest() -> bool:
        nonlocal last, since
        now: list[object] = [machine.state() for machine in machines]
        if now != last or not is_idle():
            last, since = now, time.monotonic()
        if time.monotonic() - since < QUIET or len(find_copies(machines[0])) != copies:
            return False
        since = time.monotonic()  # the answer costs a while: not to be had at every look
        return (
            _hold_the_same(machines)
            and machines[0].files().get(CALENDAR) == machines[0].rebuilt()
            and [machine.state() for machine in machines] == now
        )

    await_that(is_at_rest, "all machines to come to rest with the same files", tell)


def _hold_the_same(machines: Sequence[Machine]) -> bool:
    first, *others = (machine.files() for machine in machines)
    return all(other == first for other in others)


# Syncthing ------------------------------------------------------------------------------------------------


class Node:
    """One Syncthing with one folder, ``vault``; SYNCTHING's REST interface is how it is told what to do."""

    def __init__(self, home: Path, folder: Path) -> None:
        self.home, self.folder = home, folder
        folder.mkdir(parents=True)
        program = require("syncthing")
        self._program = program
        self._environment = {
            "HOME": str(home), "PATH": os.environ["PATH"], "STNOUPGRADE": "1", "STNODEFAULTFOLDER": "1", "TZ": "UTC",
        }  # fmt: skip
        subprocess.run(
            [program, "generate", "--home", str(home)], env=self._environment, check=True, timeout=PATIENCE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.id = self._read_config().find("device").get("id")  # type: ignore[union-attr]
        self.gui = self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def _read_config(self) -> ElementTree.Element:
        return ElementTree.parse(self.home / "config.xml").getroot()

    def choose_ports(self) -> None:
        self.gui, self.port = _find_port(), _find_port()

    def configure(self, nodes: Sequence[Node]) -> None:
        """Share the folder with these nodes, itself among them, and with nobody else."""
        config = self._read_config()
        for tag in ("folder", "device", "gui", "options"):
            for found in config.findall(tag):
                config.remove(found)
        folder = ElementTree.SubElement(
            config, "folder", id="vault", path=str(self.folder), type="sendreceive", rescanIntervalS="3600",
            fsWatcherEnabled="true", fsWatcherDelayS="1",
        )  # fmt: skip
        _add(folder, {"maxConflicts": "10"})
        ElementTree.SubElement(folder, "minDiskFree", unit="%").text = "0"
        for node in nodes:
            ElementTree.SubElement(folder, "device", id=str(node.id))
            device = ElementTree.SubElement(config, "device", id=str(node.id), name=node.home.name)
            _add(device, {"address": f"tcp://127.0.0.1:{node.port}", "allowedNetwork": "127.0.0.0/8"})
        gui = ElementTree.SubElement(config, "gui", enabled="true", tls="false")
        _add(gui, {"address": f"127.0.0.1:{self.gui}", "apikey": "key"})
        options = ElementTree.SubElement(config, "options")
        _add(options, {"listenAddress": f"tcp://127.0.0.1:{self.port}", **_OPTIONS})
        ElementTree.SubElement(options, "minHomeDiskFree", unit="%").text = "0"
        ElementTree.ElementTree(config).write(self.home / "config.xml")

    def start(self) -> None:
        with (self.home / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._program, "serve", "--home", str(self.home), "--no-browser", "--no-restart", "--no-upgrade"],
                env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def said(self) -> str:
        return (self.home / "log").read_text(encoding="utf-8", errors="replace")

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """What its REST interface answers; None while it does not."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.gui}/rest/{path}", method=method, headers={"X-API-Key": "key"},
            data=None if body is None else json.dumps(body).encode(),
        )  # fmt: skip
        try:
            with self._opener.open(request, timeout=10) as answer:
                data = answer.read()
        except (urllib.error.URLError, OSError):
            return None
        return json.loads(data) if data else {}

    def is_joined(self) -> bool:
        """Whether it talks to any other node."""
        connections = (self.ask("system/connections") or {}).get("connections", {})
        return any(each["connected"] for name, each in connections.items() if name != self.id)

    def is_idle(self, other: Node) -> bool:
        """Whether it has nothing to fetch, and the other has all that it has."""
        status = self.ask("db/status?folder=vault") or {}
        completion = self.ask(f"db/completion?folder=vault&device={other.id}") or {}
        return (
            status.get("state") == "idle"
            and status.get("needTotalItems") == 0
            and completion.get("completion") == 100
        )


_OPTIONS = {
    "globalAnnounceEnabled": "false", "localAnnounceEnabled": "false", "relaysEnabled": "false",
    "natEnabled": "false", "crashReportingEnabled": "false", "startBrowser": "false",
    "announceLANAddresses": "false", "urAccepted": "-1", "autoUpgradeIntervalH": "0", "stunKeepaliveStartS": "0",
    "reconnectionIntervalS": "1",
}  # fmt: skip


def _add(parent: ElementTree.Element, values: dict[str, str]) -> None:
    for name, value in values.items():
        ElementTree.SubElement(parent, name).text = value


def _find_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Pair:
    """Two nodes that share a folder."""

    def __init__(self, one: Node, other: Node) -> None:
        self.nodes = (one, other)

    def join(self) -> None:
        self._pause(False)

    def part(self) -> None:
        """Have neither talk to the other, as when one machine is offline."""
        self._pause(True)

    def _pause(self, paused: bool) -> None:
        for node, other in (self.nodes, self.nodes[::-1]):
            await_that(
                lambda node=node, other=other: (
                    node.ask(f"config/devices/{other.id}", "PATCH", {"paused": paused}) is not None
                ),
                f"paused: {paused}",
                node.said,
            )
        await_that(
            lambda: all(node.is_joined() is not paused for node in self.nodes), f"paused: {paused}", self.said
        )

    def scan(self) -> None:
        """Have both look at their folder now, and not when their watchers wake them."""
        for node in self.nodes:
            node.ask("db/scan?folder=vault", "POST")

    def is_idle(self) -> bool:
        """Look at both folders, then whether all that differs was exchanged."""
        self.scan()
        one, other = self.nodes
        return one.is_idle(other) and other.is_idle(one)

    def said(self) -> str:
        return "\n".join(node.said() for node in self.nodes)


@contextlib.contextmanager
def joined(folder: Path) -> Iterator[Pair]:
    """Two nodes, each with the folder ``synced`` in one of its own, running and joined; ended whatever happens."""
    nodes = [Node(folder / name / "syncthing", folder / name / "synced") for name in ("one", "other")]
    pair = Pair(nodes[0], nodes[1])
    try:
        for tries in range(3):
            try:
                _start(pair)
                break
            except AssertionError:  # another program may have taken a port that was free
                if tries == 2:
                    raise
        yield pair
    finally:
        for node in nodes:
            node.stop()


def _start(pair: Pair) -> None:
    for node in pair.nodes:
        node.stop()
        node.choose_ports()
    for node in pair.nodes:
        node.configure(pair.nodes)
        node.start()
    await_that(lambda: all(node.is_joined() for node in pair.nodes), "two nodes to meet", pair.said, 30.0)
