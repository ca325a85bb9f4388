"""A command changes notes, whole or not at all, whatever else happens at that moment; and takes it back."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kills import die_at
from meanwhile import before

from notesync.problems import MovedOnError, OvertakenError, RefusedError
from notesync.store import writing
from notesync.store.history import History, HistoryError, Step
from notesync.store.scan import Scan
from notesync.store.vault import Vault, digest_of
from notesync.sync.change import Edit, Gone, Kept, New, Wish, change_notes, undo, was_kept

NOTE = b"---\r\ntype: client\r\n---\r\n\r\n## Log\r\n\r\n- 2026-11-01 call: talked\r\n"
CALLED = b"- 2026-11-22 call: sent the quote\r\n"
HOME = str(Path(writing.__file__).parents[2])
NEEDS_POSIX = pytest.mark.skipif(os.name == "nt", reason="no such files, permissions or signals there")


class Desk:
    """A vault with two clients, and its history."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "vault"
        self.state = folder / "state" / "vault"
        (self.root / "Clients").mkdir(parents=True)
        for path in ("Acme.md", "Clients/Bo.md"):
            self.put(path, NOTE)
        self.vault = Vault(str(self.root))
        self.history = History(str(self.state))
        self.waits: list[float] = []
        self.now = 1_800_000_000.0

    def put(self, path: str, data: bytes) -> None:
        (self.root / path).write_bytes(data)

    def read(self, path: str = "Acme.md") -> bytes:
        return (self.root / path).read_bytes()

    def clock(self) -> float:
        self.now += 60
        return self.now

    def change(self, *wishes: Wish, words: str = "log Acme", more: bool = False) -> list[Step]:
        return change_notes(self.vault, self.history, wishes, words, self.clock, self.waits.append, more=more)

    def undo(self, path: str | None = None) -> str:
        return undo(self.vault, self.history, path, self.clock, self.waits.append).words

    def texts(self, path: str = "Acme.md") -> list[bytes | None]:
        return [self.history.read(text.digest) for text in self.history.texts(path)]

    def files(self) -> list[str]:
        return sorted(
            path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()
        )


@pytest.fixture
def desk(quick_path: Path) -> Iterator[Desk]:
    found = Desk(quick_path)
    with found.history:
        yield found


def log(path: str = "Acme.md", line: bytes = CALLED) -> Edit:
    return Edit(path, lambda data: data + line)


def refuse(data: bytes) -> bytes:
    raise RefusedError("this recurrence cannot be read")


def test_a_change_is_made_and_both_texts_are_kept(desk: Desk) -> None:
    assert desk.change(log()) == [Step("Acme.md", NOTE, NOTE + CALLED)]
    assert desk.read() == NOTE + CALLED
    assert desk.texts() == [NOTE + CALLED, NOTE]
    assert desk.files() == ["Acme.md", "Clients/Bo.md"]


@pytest.mark.parametrize(
    "wishes",
    [
        (log(), Edit("Clients/Bo.md", refuse)),
        (log(), log("Gone.md")),
        (log(), New("Clients/BO.md", NOTE)),
        (New("New.md", NOTE), Edit("Clients/Bo.md", refuse)),
        (New("New.md", NOTE), log(), log("../vault/Acme.md")),
    ],
    ids=["an edit refuses", "a note is gone", "a name is taken", "after a new one", "outside"],
)
def test_a_command_is_done_whole_or_not_at_all(desk: Desk, wishes: tuple[Wish, ...]) -> None:
    with pytest.raises(RefusedError) as error:
        desk.change(*wishes)
    assert error.value.exit_code == 4
    assert (desk.read(), desk.read("Clients/Bo.md")) == (NOTE, NOTE)
    assert desk.files() == ["Acme.md", "Clients/Bo.md"]
    assert desk.history.find_last() == desk.history.find_begun() == []


def test_what_changes_nothing_is_no_change(desk: Desk) -> None:
    found = os.lstat(desk.root / "Acme.md")
    assert desk.change(Edit("Acme.md", lambda data: data)) == []
    assert os.lstat(desk.root / "Acme.md") == found
    assert desk.history.find_last() == []


def test_a_note_that_is_saved_meanwhile_is_edited_again(desk: Desk) -> None:
    saves = [b"typed once\r\n", b"typed twice\r\n"]

    def edit(data: bytes) -> bytes:
        if saves:
            desk.put("Acme.md", data + saves.pop(0))
        return data + CALLED

    [step] = desk.change(Edit("Acme.md", edit))
    assert desk.read() == NOTE + b"typed once\r\ntyped twice\r\n" + CALLED
    assert step.before == NOTE + b"typed once\r\ntyped twice\r\n"
    assert 0 < sum(desk.waits) < 1
    assert desk.undo() == "log Acme"
    assert desk.read() == step.before


def test_a_note_that_never_holds_still_is_refused_and_the_rest_put_back(desk: Desk) -> None:
    def edit(data: bytes) -> bytes:
        desk.put("Acme.md", data + b"!")
        return data + CALLED

    with pytest.raises(MovedOnError, match="try again"):
        desk.change(New("New.md", NOTE), log("Clients/Bo.md"), Edit("Acme.md", edit))
    assert desk.read() == NOTE + b"!!!!"
    assert desk.read("Clients/Bo.md") == NOTE
    assert desk.files() == ["Acme.md", "Clients/Bo.md"]
    assert desk.history.find_last() == desk.history.find_begun() == []


def test_what_another_program_did_in_the_same_way_is_not_done_twice(desk: Desk) -> None:
    def edit(data: bytes) -> bytes:
        if CALLED in data:
            return data
        desk.put("Acme.md", data + CALLED)
        return data + CALLED

    assert desk.change(Edit("Acme.md", edit)) == []
    assert desk.read() == NOTE + CALLED
    assert desk.history.find_last() == []


def test_what_cannot_be_put_back_is_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.root / "Clients/Bo.md").chmod(0o444)

    def save() -> None:
        desk.put("Acme.md", b"typed")

    before(monkeypatch, History, "abandon", save)
    with pytest.raises(
        RefusedError, match=r"only a part was done: Acme\.md .*Clients/Bo\.md may only be read"
    ):
        desk.change(log(), log("Clients/Bo.md"))
    assert desk.read() == b"typed"
    assert desk.texts()[0] == NOTE + CALLED


# the moment of the rename -------------------------------------------------------------------------


@NEEDS_POSIX
def test_a_save_in_the_moment_of_the_rename_is_kept_and_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, writing.Folder, "rename", lambda: desk.put("Acme.md", b"typed"))
    with pytest.raises(OvertakenError, match=r"Acme\.md: another program saved.*'notesync undo'") as error:
        desk.change(log(), log("Clients/Bo.md"))
    assert error.value.exit_code == 4
    assert (desk.read(), desk.read("Clients/Bo.md")) == (NOTE + CALLED, NOTE + CALLED)
    assert desk.texts() == [NOTE + CALLED, b"typed", NOTE]
    desk.undo()
    assert (desk.read(), desk.read("Clients/Bo.md")) == (b"typed", NOTE)


@NEEDS_POSIX
def test_such_a_save_stays_in_the_note_where_it_cannot_be_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise HistoryError("the disk is full")

    before(monkeypatch, writing.Folder, "rename", lambda: desk.put("Acme.md", b"typed"))
    monkeypatch.setattr(History, "amend", fail)
    with pytest.raises(HistoryError, match="full"):
        desk.change(log())
    assert desk.read() == b"typed"
    assert desk.history.find_last() == []


def test_no_note_is_changed_where_its_text_cannot_be_kept(desk: Desk) -> None:
    desk.state.parent.mkdir()
    desk.state.write_bytes(b"in the way")
    with pytest.raises(HistoryError, match="no note is changed"):
        desk.change(log())
    assert desk.read() == NOTE


# taking back --------------------------------------------------------------------------------------


def test_a_change_is_taken_back_and_that_too(desk: Desk) -> None:
    desk.change(log())
    assert [desk.undo(), desk.read()] == ["log Acme", NOTE]
    assert [desk.undo(), desk.read()] == ["undo: log Acme", NOTE + CALLED]
    assert [desk.undo(), desk.read()] == ["redo: log Acme", NOTE]
    assert [desk.undo(), desk.read()] == ["undo: log Acme", NOTE + CALLED]


def test_the_last_change_of_all_or_of_one_note(desk: Desk) -> None:
    desk.change(log(), words="log Acme")
    desk.change(log("Clients/Bo.md"), words="log Bo")
    assert desk.undo("Acme.md") == "log Acme"
    assert (desk.read(), desk.read("Clients/Bo.md")) == (NOTE, NOTE + CALLED)
    assert desk.undo("Clients/Bo.md") == "log Bo"
    assert (desk.read(), desk.read("Clients/Bo.md")) == (NOTE, NOTE)
    with pytest.raises(RefusedError, match=r"no change by notesync to take back in Cy\.md"):
        desk.undo("Cy.md")


def test_what_one_command_did_to_several_notes_is_taken_back_together(desk: Desk) -> None:
    desk.change(log(), log("Clients/Bo.md"), New("clients/New.md", NOTE), words="sold Acme")
    assert desk.files() == ["Acme.md", "Clients/Bo.md", "Clients/New.md"]
    assert desk.undo("Clients/New.md") == "sold Acme"
    assert (desk.read(), desk.read("Clients/Bo.md")) == (NOTE, NOTE)
    assert desk.files() == ["Acme.md", "Clients/Bo.md"]
    assert desk.undo() == "undo: sold Acme"
    assert {desk.read(path) for path in ("Acme.md", "Clients/Bo.md")} == {NOTE + CALLED}
    assert desk.read("Clients/New.md") == NOTE


def test_a_command_goes_on_until_another_comes_between(desk: Desk) -> None:
    desk.change(New("A.md", NOTE), words="import x", more=True)
    desk.change(New("B.md", NOTE), words="import x", more=True)
    desk.change(log("A.md"), words="import x", more=True)
    desk.change(log(), words="log Acme", more=True)
    desk.change(New("C.md", NOTE), words="import x", more=True)
    assert [desk.undo("C.md"), desk.undo("Acme.md"), desk.undo("A.md")] == [
        "import x",
        "log Acme",
        "import x",
    ]
    assert desk.files() == ["Acme.md", "Clients/Bo.md"]
    desk.undo("A.md")
    assert desk.read("A.md") == NOTE + CALLED


@pytest.mark.parametrize(
    ("moved", "why"),
    [
        (lambda path: path.write_bytes(b"typed"), "has been changed since"),
        (lambda path: path.unlink(), "is no longer there"),
    ],
)
def test_a_note_that_has_moved_on_is_not_taken_back(
    desk: Desk, moved: Callable[[Path], object], why: str
) -> None:
    desk.change(log(), log("Clients/Bo.md"))
    moved(desk.root / "Clients/Bo.md")
    there = desk.files()
    with pytest.raises(
        MovedOnError, match=rf"Clients/Bo\.md {why}, so that cannot be taken back \(log Acme\)"
    ):
        desk.undo()
    assert desk.read() == NOTE + CALLED
    assert desk.files() == there


def test_a_text_that_is_no_longer_kept_cannot_come_back(desk: Desk) -> None:
    desk.change(log())
    desk.history._open().execute("delete from text where digest = ?", (digest_of(NOTE),))
    with pytest.raises(RefusedError, match="no longer kept"):
        desk.undo()
    assert desk.read() == NOTE + CALLED


def test_nothing_to_take_back(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="no change by notesync to take back"):
        desk.undo()


# kills --------------------------------------------------------------------------------------------


def _check_after_kill(desk: Desk, was: bytes, wished: bytes) -> bool:
    """The note is old or new, whole; nothing else is taken for a note; the history knows which. Whether new."""
    now = desk.read()
    assert now in (was, wished)
    seen = Scan(desk.vault, time.time_ns()).compare([])
    assert sorted(each.folder + name for each in seen for name in each.changed) == [
        "Acme.md",
        "Clients/Bo.md",
    ]
    others = set(desk.files()) - {"Acme.md", "Clients/Bo.md"}
    assert all(writing._TEMPORARY.fullmatch(Path(path).name) for path in others)
    with History(str(desk.state)) as history:
        if now == wished:
            undo(desk.vault, history)
            assert desk.read() == was
        else:
            with pytest.raises(RefusedError, match="no change by notesync"):
                undo(desk.vault, history)
        assert history.find_begun() == []
        change_notes(desk.vault, history, [log(line=b"- and on\r\n")], "log Acme")
        assert desk.read() == was + b"- and on\r\n"
    return now == wished


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_step_leaves_the_old_or_the_new_note(quick_path: Path) -> None:
    outcomes, moment, ended = [], 0, False
    while not ended:
        moment += 1
        desk = Desk(quick_path / str(moment))
        child = os.fork()
        if not child:
            sys.setprofile(die_at(moment))
            try:
                desk.change(log())
            finally:
                os._exit(0)
        ended = os.WIFEXITED(os.waitpid(child, 0)[1])
        outcomes.append(_check_after_kill(desk, NOTE, NOTE + CALLED))
    assert outcomes == sorted(outcomes)  # once new, never old again
    assert outcomes.count(False) > 20
    assert outcomes.count(True) > 10


@pytest.mark.parametrize(
    ("owner", "name", "changed"),
    [(writing, "_sync_file", False), (writing.Folder, "rename", False), (writing.Folder, "sync", True)],
)
def test_an_interrupt_is_no_half_change(
    desk: Desk, owner: Any, name: str, changed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    before(monkeypatch, owner, name, interrupt)
    with pytest.raises(KeyboardInterrupt):
        desk.change(log())
    assert desk.read() == (NOTE + CALLED if changed else NOTE)
    assert desk.files() == ["Acme.md", "Clients/Bo.md"]
    assert desk.history.find_begun() == []
    assert len(desk.history.find_last()) == changed


LOGGING = """
import sys
from notesync.store.history import History
from notesync.store.vault import Vault
from notesync.sync.change import Edit, change_notes

root, state, name = sys.argv[1:4]
numbers = range(int(sys.argv[4]), int(sys.argv[5]))
vault = Vault(root)
with History(state) as history:
    print("ready", flush=True)
    for number in numbers:
        line = f"{name} {number}\\n".encode()
        edits = [Edit(path, lambda data: data[:-5] + line + b"-end\\n") for path in ("Acme.md", "Clients/Bo.md")]
        change_notes(vault, history, edits, f"log {name} {number}")
        print(number, flush=True)
"""


def _start(desk: Desk, name: str, first: int, end: int) -> subprocess.Popen[str]:
    arguments = [str(desk.root), str(desk.state), name, str(first), str(end)]
    command = [sys.executable, "-c", LOGGING, *arguments]
    environment = os.environ | {"PYTHONPATH": HOME}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def _read_whole(desk: Desk, path: str) -> list[str]:
    """The entries of a note, which must be whole."""
    first, *entries, last = desk.read(path).decode().splitlines()
    assert (first, last) == ("begin", "-end")
    return entries


def test_two_that_log_at_once_both_end_up_in_the_note(desk: Desk) -> None:
    for path in ("Acme.md", "Clients/Bo.md"):
        desk.put(path, b"begin\n-end\n")
    running = [_start(desk, name, 0, 25) for name in ("Anna", "Bert")]
    looks = 0
    while any(process.poll() is None for process in running):
        looks += bool(_read_whole(desk, "Acme.md"))
        _read_whole(desk, "Clients/Bo.md")
    wished = sorted(f"{name} {number}" for name in ("Anna", "Bert") for number in range(25))
    for path in ("Acme.md", "Clients/Bo.md"):
        assert sorted(_read_whole(desk, path)) == wished
    for process in running:
        assert process.communicate()[0].split() == ["ready", *map(str, range(25))]
    assert looks
    assert desk.files() == ["Acme.md", "Clients/Bo.md"]


@NEEDS_POSIX
def test_a_storm_of_kills_loses_nothing_that_was_said_to_be_done(desk: Desk) -> None:
    """Two notes a command, killed at random moments, while somebody reads and other processes go on."""
    dice = random.Random(4)
    for path in ("Acme.md", "Clients/Bo.md"):
        desk.put(path, b"begin\n-end\n")
    said: list[str] = []
    for at in range(5):
        running = {name: _start(desk, name, at * 100, at * 100 + 20) for name in ("Anna", "Bert")}
        for name, process in running.items():
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for _ in range(dice.randrange(1, 12)):
                said.append(f"{name} {process.stdout.readline().strip()}")
                _read_whole(desk, "Acme.md")
            until = time.perf_counter() + dice.random() * 0.004
            while time.perf_counter() < until:
                _read_whole(desk, "Clients/Bo.md")
            process.kill()
        for name, process in running.items():
            said += [f"{name} {number}" for number in process.communicate()[0].split("\n") if number]
    for path in ("Acme.md", "Clients/Bo.md"):
        entries = _read_whole(desk, path)
        assert set(said) <= set(entries)
        assert len(entries) == len(set(entries))
    last = desk.read()
    desk.change(Edit("Acme.md", lambda data: data + b"more"))
    assert desk.history.find_begun() == []
    assert [desk.undo(), desk.read()] == ["log Acme", last]
    seen = Scan(desk.vault, time.time_ns()).compare([])
    assert sorted(each.folder + name for each in seen for name in each.changed) == [
        "Acme.md",
        "Clients/Bo.md",
    ]
    left = set(desk.files()) - {"Acme.md", "Clients/Bo.md"}
    assert all(writing._TEMPORARY.fullmatch(Path(path).name) for path in left)
    for path in left:
        os.utime(desk.root / path, (1e9, 1e9))
    desk.change(log(), log("Clients/Bo.md"))
    assert desk.files() == ["Acme.md", "Clients/Bo.md"]


# files that go, and files that stay -----------------------------------------------------------------


def test_a_file_goes_when_what_it_says_stands_elsewhere_and_comes_back(desk: Desk) -> None:
    steps = desk.change(log(), Gone("Clients/Bo.md", NOTE), words="merge Acme.md")
    assert steps == [Step("Acme.md", NOTE, NOTE + CALLED), Step("Clients/Bo.md", NOTE, None)]
    assert desk.files() == ["Acme.md"]
    assert desk.undo() == "merge Acme.md"
    assert (desk.read(), desk.read("Clients/Bo.md")) == (NOTE, NOTE)
    assert desk.undo() == "undo: merge Acme.md"
    assert desk.files() == ["Acme.md"]


def test_a_file_that_has_moved_on_does_not_go(desk: Desk) -> None:
    for wish in (Gone("Clients/Bo.md", b"other"), Kept("Clients/Bo.md", b"other")):
        with pytest.raises(MovedOnError, match=r"Clients/Bo\.md was changed just now"):
            desk.change(log(), wish)
    with pytest.raises(RefusedError, match=r"Gone\.md is no longer there"):
        desk.change(log(), Gone("Gone.md", NOTE))
    assert (desk.read(), desk.read("Clients/Bo.md")) == (NOTE, NOTE)


def test_a_file_that_is_saved_while_it_should_go_stays_and_the_rest_is_put_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, Vault, "forget", lambda: desk.put("Clients/Bo.md", b"typed"))
    with pytest.raises(MovedOnError):
        desk.change(log(), Gone("Clients/Bo.md", NOTE))
    assert (desk.read(), desk.read("Clients/Bo.md")) == (NOTE, b"typed")
    assert desk.history.find_last() == desk.history.find_begun() == []


def test_a_file_that_stays_is_known_to_be_dealt_with_until_it_is_taken_back(desk: Desk) -> None:
    assert not was_kept(desk.history, "Clients/Bo.md", NOTE)
    steps = desk.change(log(), Kept("Clients/Bo.md", NOTE))
    assert [step.path for step in steps] == ["Acme.md"]
    assert was_kept(desk.history, "Clients/Bo.md", NOTE)
    assert not was_kept(desk.history, "Clients/Bo.md", b"other")
    (desk.root / "Clients/Bo.md").unlink()
    desk.undo()
    assert desk.read() == NOTE
    assert not was_kept(desk.history, "Clients/Bo.md", NOTE)
