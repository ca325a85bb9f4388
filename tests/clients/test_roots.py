"""The vault's folder under a running watcher: moved, removed, made again, emptied, unmounted, and back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from watching import HOME, NEW, OLD, Watched, make_note

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="Windows does not let a watched folder go"),
]
CLIENTS = 8
GONE = "most of the vault"


@contextmanager
def watching() -> Iterator[Watched]:
    """A vault of some clients whose watcher also looks every second."""
    watched = Watched()
    try:
        for number in range(CLIENTS):
            watched.put(f"Clients/Client {number}.md", make_note(OLD))
        watched.start("--poll", "1")
        watched.wait_for(f"Client 7: Send {OLD}")
        watched.said.clear()
        yield watched
    finally:
        watched.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    with watching() as watched:
        yield watched


def require_followed(watched: Watched) -> None:
    """Demand that all is as it was, and that a save is followed."""
    watched.put("Clients/Client 3.md", make_note(NEW))
    watched.wait_for(f"Client 3: Send {NEW}", lacks=f"Client 3: Send {OLD}")
    assert not watched.differ()


def test_a_folder_that_is_moved_away_and_back(watched: Watched) -> None:
    before = watched.calendar()
    aside = watched.root.with_name("aside")
    watched.root.rename(aside)
    watched.wait_to_hear("there is no such folder")
    assert (aside / "followups.ics").read_bytes() == before
    (aside / "Clients/Client 1.md").write_text(make_note(NEW), encoding="utf-8")
    aside.rename(watched.root)
    watched.wait_to_hear("Back again.")
    watched.wait_for(f"Client 1: Send {NEW}")
    require_followed(watched)


def test_an_empty_folder_in_its_place_is_not_believed(watched: Watched) -> None:
    aside = watched.root.with_name("aside")
    shutil.copytree(watched.root, aside)
    shutil.rmtree(watched.root)
    watched.root.mkdir()
    watched.wait_to_hear(GONE)
    assert os.listdir(watched.root) == []
    watched.root.rmdir()
    aside.rename(watched.root)
    watched.wait_to_hear("Back again.")
    require_followed(watched)


def test_most_notes_gone_leave_the_calendar_until_that_is_said_to_be_meant(watched: Watched) -> None:
    before = watched.calendar()
    with watched.followed() as states:
        for number in range(2, CLIENTS):
            (watched.root / f"Clients/Client {number}.md").unlink()
        watched.wait_to_hear(GONE)
        watched.put("Clients/Client 1.md", make_note(NEW))
        watched.wait_until(lambda: watched.run("check").returncode == 3)
    assert set(states) == {before}
    done = watched.run("sync", "--accept-empty")
    assert done.returncode == 0, done.stderr
    watched.wait_to_hear("Back again.")
    watched.wait_for(f"Client 1: Send {NEW}", lacks="Client 7")
    watched.put("Clients/Client 3.md", "")
    require_followed(watched)


def test_most_notes_that_come_back_need_no_word(watched: Watched) -> None:
    """A sync engine was at it: first it took them all away."""
    before = watched.calendar()
    aside = watched.root.with_name("Clients")
    (watched.root / "Clients").rename(aside)
    watched.wait_to_hear(GONE)
    aside.rename(watched.root / "Clients")
    watched.wait_to_hear("Back again.")
    assert watched.calendar() == before
    require_followed(watched)


@pytest.mark.parametrize("leave", [lambda folder: shutil.rmtree(folder), None], ids=["removed", "moved out"])
def test_a_folder_of_some_goes_and_comes_back(watched: Watched, leave: Callable[[Path], None] | None) -> None:
    """Fewer than half: that is believed after two seconds."""
    for number in range(3):
        watched.put(f"Old/Old {number}.md", make_note(OLD))
    watched.wait_for("Old 2: Send")
    aside = watched.root.with_name("aside")
    shutil.copytree(watched.root / "Old", aside)
    if leave is None:
        (watched.root / "Old").rename(watched.root.with_name("out"))
    else:
        leave(watched.root / "Old")
    watched.wait_for("Client 0: Send", lacks="Old 2: Send")
    assert not watched.differ()
    aside.rename(watched.root / "Old")
    watched.wait_for("Old 2: Send")
    require_followed(watched)


def test_a_folder_that_is_renamed_shows_no_client_twice_and_none_not_at_all(watched: Watched) -> None:
    with watched.followed() as states:
        (watched.root / "Clients").rename(watched.root / "People")
        watched.wait_until(lambda: b"file=People" in watched.calendar().replace(b"\r\n ", b""))
    for state in states:
        assert state.count(b"Client 5: Send") == 1
    assert not watched.differ()


ALLOWED = ("unshare", "--user", "--map-root-user", "--mount")


def test_a_drive_that_is_unmounted_and_mounted_again() -> None:
    """In a space of mounts of our own, where a folder can be mounted without any right to do so."""
    if (
        not shutil.which("unshare")
        or subprocess.run([*ALLOWED, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("this machine does not let us make a space of mounts of our own")
    done = subprocess.run(
        [*ALLOWED, sys.executable, __file__],
        env=os.environ | {"PYTHONPATH": str(HOME)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def unmount_and_mount_again() -> None:
    """What the test above runs."""
    watched = Watched()
    drive = watched.root.with_name("drive")
    watched.root.rename(drive)
    watched.root.mkdir()

    def mount(*words: str | Path) -> None:
        subprocess.run(words, check=True)

    try:
        mount("mount", "--bind", drive, watched.root)
        for number in range(CLIENTS):
            watched.put(f"Clients/Client {number}.md", make_note(OLD))
        watched.start("--poll", "1")
        watched.wait_for(f"Client 7: Send {OLD}")
        before = watched.calendar()
        mount("umount", "--lazy", watched.root)  # as a drive that is pulled out
        watched.wait_to_hear(GONE)
        assert os.listdir(watched.root) == []
        assert (drive / "followups.ics").read_bytes() == before
        mount("mount", "--bind", drive, watched.root)
        watched.wait_to_hear("Back again.")
        assert watched.calendar() == before
        require_followed(watched)
    finally:
        watched.stop()
        subprocess.run(["umount", "--lazy", watched.root], check=False)
        watched.close()


if __name__ == "__main__":
    unmount_and_mount_again()
