"""Several machines on one vault: what they write, how they come to rest, and what becomes of conflicts.

Watchers are real processes, each with a home of its own; what joins their folders is the real Syncthing, or
the real rclone.  Rest is a while in which no file changes, not even to the same bytes, and no watcher says a word.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from machines import CALENDAR, Machine, Pair, await_rest, await_that, find_copies, joined, require, watching

SETTINGS = "vault_id: 5b1f\ntimezone: UTC\nagenda_note: Follow-ups.md\n"
AHEAD = date.today() + timedelta(days=40)  # nothing is due today: a midnight within the test writes nothing
NOTES = 8


def agreed(days: int = 0, log: str = "", header: str = "") -> str:
    return f"---\ntype: client\n{header}next_contact: {AHEAD + timedelta(days=days)}\n---\n{log}"


def begin(machine: Machine) -> None:
    machine.put("notesync.yaml", SETTINGS)
    for number in range(NOTES):
        machine.put(f"Client {number}.md", agreed(number))


def count_writes(machine: Machine) -> int:
    """How often its watcher has written the calendar."""
    return sum(CALENDAR in line and " written (" in line for line in machine.said().splitlines())


def test_watchers_of_one_folder_come_to_rest(tmp_path: Path) -> None:
    """Each with its own cache, as on machines that mount one drive; with the cache of another it is refused."""
    machines = [Machine(tmp_path / f"home {each}", tmp_path / "vault") for each in range(3)]
    begin(machines[0])
    with watching(*machines):
        for times in range(5):
            for at, machine in enumerate(machines):
                machine.put(f"Client {at}.md", agreed(10 * times + at))
                machine.put(f"New {at} {times}.md", agreed(times))
        again = machines[0].run("watch")
        assert again.returncode == 4
        assert "already watches this vault" in again.stderr
        await_rest(machines)
        before = sum(map(count_writes, machines))
        machines[1].put("Client 0.md", agreed(99))
        shown = f"{AHEAD + timedelta(days=99):%Y%m%d}"
        await_that(lambda: shown in machines[0].text(CALENDAR), "the last change in the calendar")
        await_rest(machines)
        assert before < sum(map(count_writes, machines)) <= before + len(machines)


# joined by Syncthing --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with joined(tmp_path_factory.mktemp("syncthing")) as nodes:
        yield nodes


@pytest.fixture
def both(pair: Pair, tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """Two machines with the same notes, in a folder of this test's own that Syncthing keeps the same."""
    one, other = (
        Machine(tmp_path / node.home.parent.name, node.folder / tmp_path.name) for node in pair.nodes
    )
    begin(one)
    one.put("Client 0.md", agreed(0, LOG))
    await_that(lambda: pair.is_idle() and one.files() == other.files(), "the first notes", pair.said)
    yield one, other
    pair.join()


@pytest.mark.engines
def test_two_machines_joined_by_syncthing_come_to_rest(pair: Pair, both: tuple[Machine, Machine]) -> None:
    """Different notes are saved on both at the same moment, so both write the calendar at once."""
    one, other = both
    with watching(one, other):
        for times in range(6):
            one.put("Client 0.md", agreed(10 + times))
            other.put("Client 1.md", agreed(20 + times))
            if times % 2:
                pair.scan()
        await_rest(both, pair.is_idle)
        assert one.text("Client 0.md") == agreed(15)
        assert other.text("Client 1.md") == agreed(25)


# conflicts of notes ---------------------------------------------------------------------------------------

LOG = "\n## Log\n\n- 2026-10-01 call: asked for a price\n"
OURS = "- 2026-10-05 visit: measured the kitchen\n"
THEIRS = "- 2026-10-06 call (no answer): left a message\n"
PHONE = "phone: 021 555 0101\n"
EVERYBODY = [f"Client {number}" for number in range(NOTES)]


def change_apart(one: Machine, other: Machine) -> None:
    """What two people save who have not heard of each other: what can be merged, and what nobody can know."""
    one.put("Client 0.md", agreed(0, LOG + OURS))
    other.put("Client 0.md", agreed(0, LOG + THEIRS, PHONE))
    for number in (1, 2):
        one.put(f"Client {number}.md", agreed(50))
        other.put(f"Client {number}.md", agreed(60))
    one.put("Client 3.md", agreed(-35))  # both write an agenda of this week
    other.put("Client 4.md", agreed(-36))


def list_dates(machine: Machine) -> dict[str, dict[str, bool]]:
    """When each client falls due, and whether only a conflict copy says so."""
    found: dict[str, dict[str, bool]] = {}
    for item in json.loads(machine.run("check", "--all", "--format", "json").stdout)["items"]:
        found.setdefault(item["client"], {})[item["due"]] = item["conflict"]
    return found


def require_copies(machine: Machine) -> None:
    """Every copy is listed once, no client counts twice, and what only a copy says is marked so."""
    done = machine.run("conflicts")
    assert done.returncode == 1, done.stdout + done.stderr
    assert [name for name in find_copies(machine) if done.stdout.count(name) != 1] == [], done
    dates = list_dates(machine)
    assert sorted(dates) == EVERYBODY
    assert sorted(dates["Client 1"]) == [str(AHEAD + timedelta(days=days)) for days in (50, 60)]
    assert sorted(dates["Client 1"].values()) == [False, True]
    assert len(dates["Client 0"]) == 1


def require_merged(machine: Machine) -> None:
    """Nothing that either has added is lost, and there is nothing left to ask."""
    assert machine.text("Client 0.md") == agreed(0, LOG + OURS + THEIRS, PHONE)
    assert machine.text("Client 1.md") == machine.text("Client 2.md") == agreed(60)
    assert machine.run("conflicts").returncode == 0
    dates = list_dates(machine)
    assert sorted(dates) == EVERYBODY
    assert dates["Client 1"] == {str(AHEAD + timedelta(days=60)): False}


def merge(*machines: Machine) -> None:
    """Merge whatever there is, on all of these at once, by taking the later date."""
    begun = [machine.start("conflicts", "merge", "--take", "next_contact=later") for machine in machines]
    ended = [process.communicate(timeout=60) for process in begun]
    assert [process.returncode for process in begun] == [0] * len(begun), ended


@pytest.mark.engines
def test_conflicts_made_by_syncthing_are_settled(pair: Pair, both: tuple[Machine, Machine]) -> None:
    """Those of calendar and agenda by the watchers; those of notes first on one machine, then on both at once."""
    one, other = both
    assert [machine.run("sync").returncode for machine in both] == [0, 0]
    await_that(pair.is_idle, "the first calendar", pair.said)
    pair.part()
    change_apart(one, other)
    assert [machine.run("sync").returncode for machine in both] == [0, 0]
    pair.join()
    await_that(
        lambda: pair.is_idle() and len(find_copies(other)) == 5, "all copies", lambda: str(other.names())
    )
    made = find_copies(one)
    assert {name.partition(".sync-conflict-")[0] for name in made} == {
        "Client 0", "Client 1", "Client 2", "Follow-ups", "followups",
    }  # fmt: skip
    with watching(one, other):
        await_rest(both, pair.is_idle, copies=3)
        assert all(name in one.said() + other.said() for name in made if not name.startswith("Client"))
        for machine in both:
            require_copies(machine)
        undecided = other.run("conflicts", "merge", "Client 1")
        assert undecided.returncode == 4
        assert "next_contact" in undecided.stderr
        assert other.run("conflicts", "merge", "Client 1", "--take", "next_contact=later").returncode == 0
        await_rest(both, pair.is_idle, copies=2)
        pair.part()  # or one would hear of the other's merge before its own
        merge(one, other)
        assert one.text("Client 0.md") == other.text("Client 0.md")
        pair.join()
        await_rest(both, pair.is_idle)
        for machine in both:
            require_merged(machine)


class Rclone:
    """rclone's bisync between two folders."""

    def __init__(self, home: Path, one: Path, other: Path) -> None:
        self._command = [
            require("rclone"), "bisync", str(one), str(other), "--workdir", str(home / "work"), "--force",
        ]  # fmt: skip
        self._environment = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "RCLONE_CONFIG": str(home / "none"),
        }
        home.mkdir()

    def sync(self, *options: str) -> None:
        done = subprocess.run(
            [*self._command, *options],
            env=self._environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.engines
def test_conflicts_made_by_rclone_stand_in_for_their_notes_until_they_are_merged(tmp_path: Path) -> None:
    one, other = (Machine(tmp_path / f"home {each}", tmp_path / each / "vault") for each in ("a", "b"))
    rclone = Rclone(tmp_path / "rclone", one.vault, other.vault)
    begin(one)
    one.put("Client 0.md", agreed(0, LOG))
    rclone.sync("--resync")
    assert [machine.run("sync").returncode for machine in (one, other)] == [0, 0]
    change_apart(one, other)
    assert [machine.run("sync").returncode for machine in (one, other)] == [0, 0]
    with watching(one, other):
        rclone.sync()
        assert {"Client 0.md..path1", "Client 0.md..path2", "followups.ics..path1"} < set(one.names())
        assert not {"Client 0.md", "Client 1.md", "Client 2.md", CALENDAR} & set(one.names())
        await_rest([one, other], copies=6)  # those of calendar and agenda are gone
        for machine in (one, other):
            require_copies(machine)
        merge(one)
        await_rest([one])
        rclone.sync()
        await_rest([one, other])
        for machine in (one, other):
            require_merged(machine)
