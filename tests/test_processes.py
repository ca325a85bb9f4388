"""Several processes use one vault and one index at once; each may be killed at any moment, or ask about another day."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from notesync.cli.session import Session
from notesync.cli.watch import Watch
from notesync.followup.agenda import Moment
from notesync.store.index import Index, RulesChanged
from notesync.store.scan import Scan
from notesync.sync import kept_events, refresh
from notesync.sync.pipeline import Selection, Workspace, open_workspace
from notesync.sync.watch import Wake, Watcher

TODAY, LONG_AGO = date(2026, 11, 22), date(2024, 5, 5)
ALL = Selection(everything=True)
AGREED = "---\ntype: client\nnext_contact: 2026-11-20\n---\n"
DATED = "---\ntype: client\nevery: 2 weeks\n---\n\n## Log\n\n- 2026-11-01 call: talked\n- 2024-04-01 call\n"


class Home:
    """A vault that several workspaces, each standing for a process, are opened on."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "vault"
        self.root.mkdir()
        self.cache = folder / "cache"

    def put(self, path: str, text: str = AGREED) -> None:
        (self.root / path).parent.mkdir(exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def open(self, day: date = TODAY, cache: Path | None = None) -> Workspace:
        folder = str(cache or self.cache)
        return open_workspace(str(self.root), lambda _: Moment(day), cache=folder, pause=lambda _: None)

    def lines(self, cache: Path | None = None) -> list[str]:
        with self.open(cache=cache) as workspace:
            workspace.refresh()
            return list(workspace.lines(ALL)[0])

    def rebuilt(self) -> list[str]:
        return self.lines(self.root.parent / "another cache")

    def calendar(self) -> bytes:
        return (self.root / "followups.ics").read_bytes()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def between(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, happens: Callable[[], object]) -> None:
    """Have something happen once, right after the next call of a method."""
    real = getattr(owner, name)

    def once(*args: object, **options: object) -> object:
        monkeypatch.setattr(owner, name, real)
        found = real(*args, **options)
        found = iter(list(found)) if isinstance(found, Iterator) else found
        happens()
        return found

    monkeypatch.setattr(owner, name, once)


def test_two_that_begin_at_once_share_one_index(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh, "BATCH", 2)
    for number in range(7):
        home.put(f"{number}.md")
    with home.open() as one, home.open() as other:
        one.refresh(progress=lambda _done, _total: other.refresh())
        assert one.notices == other.notices == []
        assert list(one.lines(ALL)[0]) == list(other.lines(ALL)[0]) == home.rebuilt()


def test_notes_taken_in_before_another_look_are_known_then(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "BATCH", 2)
    for number in range(3):
        home.put(f"{number}.md")

    def happens(done: int, total: int) -> None:
        if done == total:
            other.index.remember(something="else")

    with home.open() as one, home.open() as other:
        one.refresh(progress=happens)
        assert one.notices == []
        assert list(one.lines(ALL)[0]) == home.rebuilt()


@pytest.mark.skipif(os.name == "nt", reason="a second or two a process, and no other locks there")
def test_many_that_make_the_index_at_once_all_use_it(home: Home) -> None:
    path = home.cache / "index.sqlite3"
    code = f"from notesync.store.index import Index; print(Index({str(path)!r}).notices)"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    assert [process.communicate()[0] for process in processes] == ["[]\n"] * 6


def test_a_question_about_another_day_changes_no_answer_and_no_calendar(home: Home) -> None:
    home.put("a.md", DATED)
    home.put("b.md", DATED)
    with home.open() as one, home.open(LONG_AGO) as other:
        one.refresh()
        one.publish()
        before, calendar = list(one.lines(ALL)[0]), home.calendar()
        other.refresh()
        assert list(other.lines(ALL)[0]) != before
        assert list(one.lines(ALL)[0]) == before
        other.refresh()
        one.publish()
        assert home.calendar() == calendar
        other.refresh()
        chunks = one.feed()
        other.refresh()
        assert b"".join(chunks) == calendar


def test_an_event_is_never_kept_for_another_follow_up(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        home.put(f"{name}.md", DATED)
    with home.open() as one, home.open(LONG_AGO) as other:
        one.refresh()
        between(monkeypatch, Index, "without_event", lambda: _try_to_derive(other))
        one.publish()
        assert one.notices == []
    with home.open() as one:
        one.refresh()
        one.publish()
    calendar = home.calendar()
    with home.open(cache=home.root.parent / "another cache") as one:
        one.refresh()
        assert not one.publish().changed
    assert home.calendar() == calendar


def _try_to_derive(other: Workspace) -> None:
    """Change the keys that are being rendered: it has to wait."""
    other.index._db.execute("pragma busy_timeout = 10")
    with pytest.raises(sqlite3.OperationalError, match="locked"), other.index.change():
        other.derive_again()


def test_a_client_forgotten_by_another_is_not_derived_again(home: Home) -> None:
    home.put("a.md", DATED)
    home.put("b.md", DATED)
    with home.open() as one, home.open(LONG_AGO) as other:
        one.refresh()
        (home.root / "a.md").unlink()
        other.refresh()
        one.refresh()
        assert list(one.lines(ALL)[0]) == home.rebuilt()
        assert one.publish().events
        assert len(one.index._db.execute("select distinct client from follow_up").fetchall()) == 1


def test_what_another_forgot_while_we_looked_is_looked_for_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.put("a/one.md")
    home.put("two.md")
    home.lines()
    folder, aside = home.root / "a", home.root / "aside"

    def happens() -> None:
        folder.rename(aside)
        with home.open() as other:
            other.refresh()
        aside.rename(folder)

    folder.rename(aside)
    aside.rename(folder)
    with home.open() as workspace:
        between(monkeypatch, Scan, "compare", happens)
        workspace.refresh()
    assert len(home.lines()) == 2


def test_a_note_that_another_stored_after_we_looked_does_not_haunt(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.put("one.md")
    home.lines()

    def happens() -> None:
        home.put("two.md")
        home.lines()

    home.put("one.md", AGREED + "\nmore\n")
    with home.open() as workspace:
        between(monkeypatch, Scan, "compare", happens)
        workspace.refresh()
    (home.root / "two.md").unlink()
    assert len(home.lines()) == 1


@pytest.mark.parametrize("batch", [500, 2])
def test_a_note_stored_before_a_kill_and_deleted_after_it_does_not_haunt(
    home: Home, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(refresh, "BATCH", batch)
    for number in range(5):
        home.put(f"{number}.md")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with home.open() as workspace, monkeypatch.context() as patch:
        patch.setattr(refresh.Refresh, "_store_listings", die)
        with pytest.raises(KeyboardInterrupt):
            workspace.refresh()
    (home.root / "0.md").unlink()
    (home.root / "4.md").unlink()
    assert len(home.lines()) == 3


SETTINGS = "default_every: {{customer: {}}}\n"
CUSTOMER = "---\ntype: client\nstage: customer\nlast_contact: 2026-10-01\n---\n"


def test_rows_made_under_settings_that_another_replaced_are_not_kept(home: Home) -> None:
    home.put("notesync.yaml", SETTINGS.format("month"))
    home.put("a.md", CUSTOMER)
    with home.open() as old:
        old.refresh()
        home.put("notesync.yaml", SETTINGS.format("year"))
        home.lines()
        home.put("b.md", CUSTOMER)
        old.refresh()
        assert list(old.lines(ALL)[0]) == home.rebuilt()
        assert old.notices == []
    assert home.lines() == home.rebuilt()


def test_settings_that_change_while_one_runs_that_made_the_index_count(home: Home) -> None:
    home.put("notesync.yaml", SETTINGS.format("month"))
    home.put("a.md", CUSTOMER)
    with home.open() as workspace:
        workspace.refresh()
        home.put("notesync.yaml", SETTINGS.format("year"))
        assert workspace.load_settings()
        workspace.refresh()
        assert list(workspace.lines(ALL)[0]) == home.rebuilt()


def test_another_version_that_runs_meanwhile_keeps_to_itself(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.put("a.md")
    with home.open() as old:
        old.refresh()
        with monkeypatch.context() as patch:
            patch.setattr("notesync.sync.pipeline.__version__", "99")
            with home.open() as new:
                new.refresh()
                home.put("b.md")
                assert len(list(old.lines(ALL)[0])) == 1
                patch.undo()
                old.refresh()
                assert len(list(old.lines(ALL)[0])) == 2
                assert "another version" in old.notices[-1]
                new.refresh()
                assert len(list(new.lines(ALL)[0])) == 2
                assert new.notices == []


def test_new_rules_are_found_out_before_anything_is_written_or_read(tmp_path: Path) -> None:
    ours, theirs = Index(str(tmp_path / "index.sqlite3")), Index(str(tmp_path / "index.sqlite3"))
    with theirs.change():
        theirs.remember(fingerprint="theirs")
    ours.fingerprint = "ours"
    with pytest.raises(RulesChanged), ours.change():
        raise AssertionError
    with pytest.raises(RulesChanged):
        ours.read()
    ours.close()
    theirs.close()


@pytest.mark.parametrize("table", ["follow_up", "detail", "client", "problem", "event"])
def test_damage_found_while_answering_costs_no_answer(home: Home, table: str) -> None:
    for number in range(60):
        home.put(f"{number}.md", AGREED.replace("-20", f"-{number % 28 + 1:02}") + "words " * 40)
    with home.open() as workspace:
        workspace.refresh()
        key = {name.path: name.key for name in workspace.names()}["7.md"]
        workspace.publish()
        before = workspace.agenda(ALL), workspace.card(key), workspace.problems(), b"".join(workspace.feed())
    _spoil(home.cache / "index.sqlite3", table)
    with home.open() as workspace:
        workspace.refresh()
        found = workspace.agenda(ALL), workspace.card(_key(workspace, "7.md")), workspace.problems()
        workspace.publish()
        assert (*found, b"".join(workspace.feed())) == before
    with home.open() as workspace:
        workspace.refresh()
        workspace.publish()
        assert workspace.index.in_memory is False


def _key(workspace: Workspace, path: str) -> int:
    return {name.path: name.key for name in workspace.names()}[path]


def _spoil(path: Path, table: str) -> None:
    db = sqlite3.connect(path)
    db.execute("pragma wal_checkpoint(truncate)")
    page, size = db.execute(
        "select rootpage, (select page_size from pragma_page_size) from sqlite_master where name = ?",
        (table,),
    ).fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def test_a_key_told_before_the_damage_still_names_its_client(home: Home) -> None:
    for number in range(60):
        home.put(f"{number}.md", AGREED + "words " * 40)
    home.lines()
    (home.root / "3.md").unlink()  # so that a rebuild gives other keys
    home.lines()
    with home.open() as workspace:
        workspace.refresh()
        key = _key(workspace, "9.md")
        workspace.index.leave()
        _spoil(home.cache / "index.sqlite3", "detail")
        workspace.index._db.execute("pragma cache_size = 0")
        [item] = workspace.agenda(Selection(clients=(key,))).items
        assert item.path == "9.md"
        assert workspace.card(key).path == "9.md"


def test_a_watcher_publishes_what_another_has_read(home: Home) -> None:
    home.put("a.md")
    with home.open() as workspace:
        watch = Watch(Session(), workspace, Watcher(str(home.root), relevant=lambda *_: True, tell=print))
        watch._start()
        assert workspace.is_published
        home.put("b.md", AGREED.replace("-20", "-21"))
        home.lines()
        watch._follow(Wake("events"))
        assert home.calendar().count(b"BEGIN:VEVENT") == 3  # with the digest
        assert workspace.is_published


def test_many_events_are_made_in_several_transactions(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(11):
        home.put(f"{number}.md")
    monkeypatch.setattr(kept_events, "MADE", 3)
    with home.open() as workspace:
        workspace.refresh()
        assert workspace.publish().events == 12  # with the digest
        assert b"".join(workspace.feed()) == home.calendar()


def test_an_empty_folder_where_the_vault_was_is_not_believed(home: Home) -> None:
    from notesync.problems import VaultError

    home.put("a.md")
    home.lines()
    (home.root / "a.md").unlink()
    with pytest.raises(VaultError, match="1 client note is gone"):
        home.lines()
    home.put("read me.txt", "a person's folder, tidied up")
    assert home.lines() == []


def test_what_a_killed_process_left_beside_the_calendar_is_removed(home: Home) -> None:
    home.put("a.md")
    left, fresh = (home.root / f"~syncthing~notesync.~{at * 16}.tmp" for at in "01")
    for file in (left, fresh):
        file.touch()
    os.utime(left, (1e9, 1e9))
    with home.open() as workspace:
        workspace.refresh()
        workspace.publish()
    assert not left.exists()
    assert fresh.exists()


@pytest.mark.skipif(os.name == "nt", reason="no such permissions")
def test_a_calendar_keeps_the_permissions_that_it_was_given(home: Home) -> None:
    home.put("a.md")
    calendar = home.root / "followups.ics"
    with home.open() as workspace:
        workspace.refresh()
        workspace.publish()
        calendar.chmod(0o600)
        home.put("b.md")
        workspace.refresh()
        assert workspace.publish().changed
    assert calendar.stat().st_mode & 0o777 == 0o600
