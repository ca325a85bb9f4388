"""Several machines on one vault: what they write, how they come to rest, and what becomes of conflicts.

Watchers are real processes, each with a home of its own; what joins their folders is the real Syncthing, or
the real rclone.  Nothing here is told when to be done: rest is a while in which no file changes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from machines import CALENDAR, Machine, Pair, await_rest, await_that, find_copies, joined, watching

SETTINGS = "vault_id: 5b1f\ntimezone: UTC\nagenda_note: Follow-ups.md\n"
AHEAD = date.today() + timedelta(days=40)  # nothing is due today: a midnight within the test writes nothing


def agreed(days: int = 0, log: str = "") -> str:
    return f"---\ntype: client\nnext_contact: {AHEAD + timedelta(days=days)}\n---\n{log}"


def count_writes(machine: Machine) -> int:
    """How often its watcher has written the calendar."""
    return sum(CALENDAR in line and " written (" in line for line in machine.said().splitlines())


def begin(*machines: Machine, notes: int = 3) -> None:
    """Notes in every vault, the same in each."""
    for machine in machines:
        machine.put("notesync.yaml", SETTINGS)
        for number in range(notes):
            machine.put(f"Client {number}.md", agreed(number))


@pytest.mark.parametrize("number", [2, 3])
def test_watchers_of_one_folder_come_to_rest(number: int, tmp_path: Path) -> None:
    """Each with its own cache, as on machines that mount one drive; somebody at each saves a note again and again."""
    machines = [Machine(tmp_path / f"home {each}", tmp_path / "vault") for each in range(number)]
    begin(machines[0])
    with watching(*machines):
        for times, (at, machine) in itertools.product(range(5), enumerate(machines)):
            machine.put(f"Client {at}.md", agreed(10 * times + at))
            machine.put(f"New {at} {times}.md", agreed(times))
        await_rest(machines)
        calendar = (tmp_path / "vault" / CALENDAR).read_bytes()
        assert calendar == machines[0].rebuilt(tmp_path / "rebuilt")
        assert calendar.count(b"BEGIN:VEVENT") == 3 + 5 * number
        before = sum(map(count_writes, machines))
        machines[-1].put("Client 0.md", agreed(99))
        await_that(
            lambda: all(
                f"{AHEAD + timedelta(days=99):%Y%m%d}" in machine.text(CALENDAR) for machine in machines
            ),
            "the last change in the calendar",
        )
        await_rest(machines)
        assert before < sum(map(count_writes, machines)) <= before + number


def test_a_second_watcher_with_the_same_home_is_refused(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "home", tmp_path / "vault")
    begin(machine)
    with watching(machine):
        done = machine.run("watch")
        assert done.returncode == 4
        assert "already watches this vault" in done.stderr


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with joined(tmp_path_factory.mktemp("syncthing")) as nodes:
        yield nodes


@pytest.fixture
def both(pair: Pair, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Machine, Machine]]:
    """Two machines with the same notes, in a folder of this test's own that Syncthing keeps the same."""
    pair.join()
    name = f"vault {abs(hash(request.node.name))}"
    one, other = (Machine(tmp_path / node.home.parent.name, node.folder / name) for node in pair.nodes)
    begin(one)
    await_that(lambda: pair.is_idle() and one.names() == other.names(), "the first notes", pair.said)
    yield one, other
    pair.join()


def await_rest_of(pair: Pair, *machines: Machine, copies: int = 0) -> None:
    await_rest(machines, pair.is_idle, copies)


@pytest.mark.engines
def test_two_machines_joined_by_syncthing_come_to_rest(
    pair: Pair, both: tuple[Machine, Machine], tmp_path: Path
) -> None:
    """Different notes are saved on both at the same moment, so both write the calendar at once."""
    one, other = both
    with watching(one, other):
        for times in range(6):
            one.put("Client 0.md", agreed(10 + times))
            other.put("Client 1.md", agreed(20 + times))
            if times % 2:
                pair.scan()
        await_rest_of(pair, one, other)
        assert one.text("Client 0.md") == agreed(15)
        assert other.text("Client 1.md") == agreed(25)
        assert one.text(CALENDAR).encode() == one.rebuilt(tmp_path / "rebuilt")


@pytest.mark.engines
def test_conflict_copies_of_calendar_and_agenda_vanish_on_both(
    pair: Pair, both: tuple[Machine, Machine], tmp_path: Path
) -> None:
    """Both were offline while each wrote both; only then do watchers run."""
    one, other = both
    pair.part()
    one.put("Client 0.md", agreed(-35))
    other.put("Client 1.md", agreed(-36))
    for machine in both:
        assert machine.run("sync").returncode == 0
    pair.join()
    await_that(
        lambda: pair.is_idle() and find_copies(one) == find_copies(other) != [], "conflicts", pair.said
    )
    found = find_copies(one)
    assert {name.partition(".sync-conflict-")[0] for name in found} == {"followups", "Follow-ups"}
    with watching(one, other):
        await_rest_of(pair, one, other)
        assert one.text(CALENDAR).encode() == one.rebuilt(tmp_path / "rebuilt")
    said = one.said() + other.said()
    assert all(name in said for name in found)
