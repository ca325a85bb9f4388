"""What a watcher makes of notes that are half-written, being replaced, moved or not on this device."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from notesync.cli.session import describe_away
from notesync.followup.agenda import Moment
from notesync.store import scan as scan_module
from notesync.store import vault as vault_module
from notesync.store.vault import Vault
from notesync.sync.pipeline import Changes, Selection, Workspace, open_workspace

ALL = Selection(everything=True)
SOON = "---\ntype: client\nnext_contact: 2026-11-24\n---\n\n## Log\n\n- 2026-11-10 call: talked\n"
LATER = SOON.replace("-24", "-30")


class Desk:
    """A vault that a watcher looks after, who lets as many seconds go by as a test says."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = home / "vault"
        self.root.mkdir()
        (self.root / "photo.jpg").touch()  # an empty folder would be a drive that is away
        self._home = home
        self._late = 0.0
        now, now_ns = time.time, time.time_ns
        monkeypatch.setattr(time, "time", lambda: now() + self._late)
        monkeypatch.setattr(time, "time_ns", lambda: now_ns() + int(self._late * 1e9))
        self.workspace = self._open("cache")
        self.wait: float | None = None

    def _open(self, cache: str) -> Workspace:
        return open_workspace(
            str(self.root),
            lambda _: Moment(date(2026, 11, 22), 600),
            cache=str(self._home / cache),
            pause=lambda _: pytest.fail("a watcher never waits while it looks"),
        )

    def put(self, path: str, text: str = SOON) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        os.utime(target, (time.time(), time.time()))
        return target

    def sleep(self, seconds: float) -> None:
        self._late += seconds

    def look(self, *writing: str) -> Changes:
        changes = self.workspace.refresh(grace=True, writing=frozenset(writing))
        self.wait = changes.wait
        return changes

    def shown(self) -> list[tuple[str, str | None, bool]]:
        """Path, date and staleness of each follow-up that is shown."""
        return [(item.path, item.due, item.stale) for item in self.workspace.agenda(ALL).items]

    def seen(self, *writing: str) -> list[tuple[str, str | None, bool]]:
        self.look(*writing)
        return self.shown()

    def codes(self) -> list[str]:
        return [problem.code for problem in self.workspace.problems()]

    def rebuilt(self) -> list[tuple[str, str | None, bool]]:
        with self._open("another cache") as workspace:
            workspace.refresh()
            return [(item.path, item.due, item.stale) for item in workspace.agenda(ALL).items]


@pytest.fixture
def desk(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk(quick_path, monkeypatch)
    with desk.workspace:
        yield desk


# half-written ---------------------------------------------------------------------------------------

HALVES = {
    "nothing": ("", "empty-note"),
    "a fence": ("---\n", "unclosed-front-matter"),
    "half a key": ("---\nty", "unclosed-front-matter"),
    "half a header": ("---\ntype: client\nnext_contact: 2026-1", "unclosed-front-matter"),
    "all but the last fence": ("---\ntype: client\nnext_contact: 2026-11-30\n", "unclosed-front-matter"),
    "a header that YAML refuses": ("---\ntype: client\nnext_contact: [2026-11-30\n---\n", "bad-yaml"),
    "a hole": ("---\ntype: client\n---\n" + "\0" * 60, "nul-characters"),
    "only a hole": ("\0" * 80, "nul-characters"),
}


@pytest.mark.parametrize(("half", "code"), HALVES.values(), ids=HALVES)
def test_half_a_note_is_given_five_seconds_of_quiet(desk: Desk, half: str, code: str) -> None:
    desk.put("a.md")
    before = desk.seen()
    desk.put("a.md", half)
    assert desk.seen() == before
    assert desk.codes() == []
    assert desk.wait == pytest.approx(5, abs=0.9)
    desk.sleep(4)
    assert desk.seen() == before
    assert desk.wait == pytest.approx(1, abs=1)
    desk.sleep(1.1)
    assert desk.look().broken == ("a.md",)
    assert desk.shown() == [("a.md", "2026-11-24", True)]
    assert code in desk.codes()
    assert desk.wait is None
    desk.put("a.md", LATER)
    assert desk.seen() == desk.rebuilt() == [("a.md", "2026-11-30", False)]
    assert desk.codes() == []


def test_a_stray_nul_is_no_half_note(desk: Desk) -> None:
    """It has been there all along, and the note is edited all the same."""
    desk.put("a.md", SOON.replace("talked", "tal\0ked"))
    desk.look()
    desk.put("a.md", LATER.replace("talked", "tal\0ked"))
    assert desk.seen() == desk.rebuilt() == [("a.md", "2026-11-30", False)]


def test_a_note_finished_within_its_grace_was_never_broken(desk: Desk) -> None:
    desk.put("a.md")
    desk.look()
    for half in ("", LATER[:20], LATER[:40]):
        desk.put("a.md", half)
        assert desk.seen() == [("a.md", "2026-11-24", False)]
        desk.sleep(1)
    desk.put("a.md", LATER)
    assert desk.seen() == [("a.md", "2026-11-30", False)]


def test_a_command_of_its_own_does_not_wait_and_names_what_is_half_written(desk: Desk) -> None:
    """``check`` has looked twice within a moment (its pause is another test's): what it then says is so."""
    desk.put("a.md")
    desk.look()
    desk.put("a.md", "")
    desk.sleep(6)
    desk.workspace.refresh()
    assert (desk.shown(), desk.codes()) == ([("a.md", "2026-11-24", True)], ["empty-note"])


def test_while_a_program_has_it_open_a_note_that_looks_whole_is_not_believed(desk: Desk) -> None:
    """Its header is closed, but the log has not come yet: the last contact is missing."""
    told = "---\ntype: client\nevery: 2 weeks\n---\n\n## Log\n\n- 2026-11-20 call: talked\n"
    desk.put("a.md", told)
    before = desk.seen()
    for end in (34, 45):
        desk.put("a.md", told[:end])
        assert desk.seen("a.md") == before
        assert desk.wait == pytest.approx(5, abs=0.9)
        desk.sleep(1.5)
    desk.put("a.md", told.replace("20 call", "21 call"))
    assert desk.seen() == desk.rebuilt() != before


def test_a_new_note_is_shown_once_it_has_been_written(desk: Desk) -> None:
    desk.put("a.md", SOON[:49])
    assert desk.seen("a.md") == []
    desk.put("a.md")
    assert desk.seen() == [("a.md", "2026-11-24", False)]


def test_a_program_that_keeps_a_note_open_does_not_keep_it_from_being_read(desk: Desk) -> None:
    desk.put("a.md")
    desk.look()
    desk.put("a.md", LATER)
    assert desk.seen("a.md") == [("a.md", "2026-11-24", False)]
    desk.sleep(desk.wait or 0)
    assert desk.seen("a.md") == [("a.md", "2026-11-30", False)]


def test_a_note_that_vanished_and_is_half_there_has_not_vanished(desk: Desk) -> None:
    path = desk.put("a.md")
    before = desk.seen()
    path.unlink()
    desk.look()
    desk.sleep(1)
    desk.put("a.md", SOON[:10])
    desk.look()
    desk.sleep(1.5)
    assert desk.seen() == before


# moved ----------------------------------------------------------------------------------------------


def rename(desk: Desk) -> None:
    (desk.root / "Clients/a.md").rename(desk.root / "Clients/b.md")


def rename_in_case_only(desk: Desk) -> None:
    (desk.root / "Clients/a.md").rename(desk.root / "Clients/A.md")


def rename_its_folder(desk: Desk) -> None:
    (desk.root / "Clients").rename(desk.root / "People")


def copy_and_remove(desk: Desk) -> None:
    desk.put("Old/a.md", (desk.root / "Clients/a.md").read_text(encoding="utf-8"))
    (desk.root / "Clients/a.md").unlink()


def rename_and_edit(desk: Desk) -> None:
    rename(desk)
    desk.put("Clients/b.md", LATER)


@pytest.mark.parametrize(
    "move", [rename, rename_in_case_only, rename_its_folder, copy_and_remove, rename_and_edit]
)
def test_a_note_that_moved_is_never_shown_twice(desk: Desk, move: object) -> None:
    desk.put("Clients/a.md")
    desk.look()
    desk.sleep(60)  # or its times are too fresh for its number to be known
    desk.look()
    move(desk)  # type: ignore[operator]
    assert desk.seen() == desk.rebuilt()
    assert len(desk.shown()) == 1
    assert desk.wait is None


def test_an_id_tells_that_a_client_has_moved(desk: Desk) -> None:
    path = desk.put("a.md", SOON.replace("type", "id: 5b1f\ntype"))
    desk.look()
    path.unlink()
    desk.put("Deep/b.md", LATER.replace("type", "id: 5b1f\ntype"))
    assert desk.seen() == desk.rebuilt() == [("Deep/b.md", "2026-11-30", False)]
    assert desk.codes() == []


def test_equal_notes_of_different_clients_move_each_for_itself(desk: Desk) -> None:
    """Clients go by their file's name: equal bytes are not yet one client."""
    for name in "abc":
        desk.put(f"{name}.md")
    desk.look()
    (desk.root / "a.md").rename(desk.root / "d.md")
    (desk.root / "b.md").rename(desk.root / "b.md~")
    assert [path for path, *_ in desk.seen()] in (["b.md", "c.md", "d.md"], ["a.md", "c.md", "d.md"])
    desk.sleep(2.1)
    assert desk.seen() == desk.rebuilt()


def test_an_old_note_of_the_same_bytes_is_no_arrival(desk: Desk) -> None:
    """vim has renamed a note away to write it anew, and another client's note says the same."""
    path = desk.put("a.md")
    desk.put("b.md")
    before = desk.seen()
    path.rename(desk.root / "a.md~")
    assert desk.seen() == before
    desk.put("a.md", LATER)
    assert desk.seen() == desk.rebuilt()


def test_a_note_that_becomes_a_conflict_copy_has_not_moved(desk: Desk) -> None:
    """Syncthing renames the note away, and puts the other version in its place a moment later."""
    path = desk.put("a.md")
    desk.look()
    path.rename(desk.root / "a.sync-conflict-20261122-103045-SZGHDFP.md")
    assert ("a.md", "2026-11-24", False) in desk.seen()
    assert desk.wait is not None


def test_where_case_does_not_count_a_renamed_note_is_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """macOS and Windows find a note by its old name, too."""
    path = desk.put("acme.md")
    desk.look()
    path.rename(desk.root / "Acme.md")
    real = Vault.stat
    monkeypatch.setattr(Vault, "stat", lambda vault, path: real(vault, path.replace("acme", "Acme")))
    monkeypatch.setattr(desk.workspace, "_pause", lambda _: None)
    desk.workspace.refresh()
    assert [path for path, *_ in desk.shown()] == ["Acme.md"]


# the settings ---------------------------------------------------------------------------------------

RULES = "vault_id: 5b1f\nclient_types: [person]\n"


@pytest.mark.parametrize(
    ("half", "writing", "grace"),
    [
        pytest.param(None, (), 2, id="vim has renamed them away"),
        pytest.param("", (), 5, id="VS Code has emptied them"),
        pytest.param("vault_id: 5b1f\n", ("notesync.yaml",), 5, id="written slowly"),
    ],
)
def test_half_saved_settings_change_nothing_until_their_grace_is_over(
    desk: Desk, half: str | None, writing: tuple[str, ...], grace: int
) -> None:
    def load(*writing: str) -> bool:
        return desk.workspace.load_settings(tolerant=True, grace=True, writing=frozenset(writing))

    settings = desk.put("notesync.yaml", RULES)
    assert load()
    desk.put("a.md", SOON.replace("client", "person"))
    before = desk.seen()
    assert before
    settings.unlink()
    if half is not None:
        desk.put("notesync.yaml", half)
    for _ in range(2):
        assert not load(*writing)
        assert desk.workspace.settings_wait is not None
        assert desk.seen() == before
        desk.sleep(grace - 1)
        assert not load(*writing)
        assert desk.workspace.settings_wait == pytest.approx(1, abs=0.9)
        desk.put("notesync.yaml", RULES)
        assert not load()
        assert desk.workspace.settings_wait is None
        settings.unlink()
        if half is not None:
            desk.put("notesync.yaml", half)
    load(*writing)
    desk.sleep(grace + 0.1)
    assert load(*writing)
    assert desk.seen() == desk.rebuilt() == []


# not on this device ---------------------------------------------------------------------------------


@pytest.fixture(
    params=[{"st_flags": 0x40000000}, {"st_file_attributes": 0x00400000}, {"st_file_attributes": 0x1000}],
    ids=["macOS", "Windows", "Windows, offline"],
)
def cloud(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The files, by number, of which only the name is here: so say their stat results, and none is opened."""
    away: set[int] = set()
    flags = SimpleNamespace(**request.param)
    real, opened = vault_module.is_placeholder, os.open

    def is_placeholder(found: os.stat_result) -> bool:
        return real(flags) if found.st_ino in away else real(found)

    def watched(path: str, *rest: Any, **options: Any) -> int:
        assert os.stat(path).st_ino not in away, f"{path} is being downloaded"
        return opened(path, *rest, **options)

    def read(path: str, *rest: Any, **options: Any) -> Any:
        assert not os.path.exists(path) or os.stat(path).st_ino not in away, f"{path} is being downloaded"
        return open(path, *rest, **options)

    for module in (scan_module, vault_module):
        monkeypatch.setattr(module, "is_placeholder", is_placeholder)
    monkeypatch.setattr(vault_module.os, "open", watched)
    monkeypatch.setattr(vault_module, "open", read, raising=False)
    return away


def evict(path: Path, cloud: set[int]) -> None:
    """Make a file what a sync engine leaves when it takes the bytes away and something changed meanwhile."""
    os.utime(path, (1e9, 1e9))
    cloud.add(path.stat().st_ino)


def test_notes_in_the_cloud_keep_their_rows_and_are_counted(desk: Desk, cloud: set[int]) -> None:
    paths = [desk.put(f"{name}.md") for name in "abcd"]
    desk.look()
    for path in paths[:3]:
        evict(path, cloud)
    assert desk.look().broken == ("a.md", "b.md", "c.md")
    for _ in range(3):
        assert desk.look().broken == ()
        assert desk.seen() == [(f"{name}.md", "2026-11-24", name != "d") for name in "abcd"]
        assert desk.codes() == ["not-downloaded"] * 3
        assert describe_away(desk.workspace) == "3 notes not downloaded, last known dates shown"
        desk.sleep(60)
    cloud.clear()
    assert desk.seen() == desk.rebuilt()
    assert describe_away(desk.workspace) == ""


def test_notes_that_were_never_here_are_told_apart(desk: Desk, cloud: set[int]) -> None:
    evict(desk.put("a.md"), cloud)
    desk.put("b.md")
    assert desk.seen() == [("b.md", "2026-11-24", False)]
    assert describe_away(desk.workspace) == "1 note not downloaded, never read yet"
    evict(desk.root / "b.md", cloud)
    desk.look()
    said = "2 notes not downloaded, last known dates shown, 1 of them never read"
    assert describe_away(desk.workspace) == said


def test_a_calendar_in_the_cloud_is_written_anew_and_not_downloaded(desk: Desk, cloud: set[int]) -> None:
    desk.put("a.md")
    desk.look()
    desk.workspace.publish()
    calendar = desk.root / "followups.ics"
    before = calendar.read_bytes()
    evict(calendar, cloud)
    assert desk.workspace.publish().changed
    assert calendar.stat().st_ino not in cloud
    assert calendar.read_bytes() == before
    assert not desk.workspace.publish().changed


def test_another_day_does_not_download_a_note(desk: Desk, cloud: set[int]) -> None:
    """Its rows hold until the appointment in its log comes; they are kept beyond it, and not derived again."""
    path = desk.put(
        "a.md", "---\ntype: client\nevery: 2 weeks\n---\n## Log\n- 2026-11-24 visit\n- 2026-11-02 call\n"
    )
    desk.look()
    evict(path, cloud)
    before = desk.seen()
    desk.workspace.moment = Moment(date(2026, 12, 20), 600)
    assert [path for path, *_ in desk.seen()] == [path for path, *_ in before] == ["a.md"]


def test_a_stub_of_icloud_is_a_note_that_is_not_here(desk: Desk) -> None:
    """`.Acme.md.icloud` stood for Acme.md until macOS 14."""
    path = desk.put("Clients/Acme.md")
    desk.put("Clients/Zoë.md")
    desk.look()
    stub = path.with_name(".Acme.md.icloud")
    path.unlink()
    stub.write_bytes(b"bplist00")
    for _ in range(3):
        assert desk.seen() == [
            ("Clients/Acme.md", "2026-11-24", True),
            ("Clients/Zoë.md", "2026-11-24", False),
        ]
        assert desk.codes() == ["not-downloaded"]
        desk.sleep(60)
    stub.unlink()
    desk.put("Clients/Acme.md", LATER)
    assert desk.seen() == desk.rebuilt()
    desk.put("Clients/.Acme.md.icloud", "the note itself counts")
    assert desk.seen() == desk.rebuilt()
    assert desk.codes() == []


def test_what_is_no_stub_of_a_note(desk: Desk) -> None:
    for name in (".photo.jpg.icloud", "Acme.md.icloud", ".~$Acme.md.icloud", "..Acme.md.icloud"):
        desk.put(name, "bplist00")
    (desk.root / ".Folder.md.icloud").mkdir()
    desk.look()
    assert desk.codes() == []
