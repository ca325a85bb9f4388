"""Earlier texts of notes and what notesync changed in them: kept privately, boundedly, and through kills and damage."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notesync.problems import RefusedError
from notesync.store import history as history_module
from notesync.store import places
from notesync.store.history import DAYS, LARGEST, TEXTS, History, HistoryError, Step
from notesync.store.vault import digest_of

DAY = 86_400.0
NOW = 20_000 * DAY + 1000
HOME = str(Path(history_module.__file__).parents[2])


@pytest.fixture
def folder(quick_path: Path) -> Path:
    return quick_path / "state" / "vault-0"


@pytest.fixture
def opened(folder: Path) -> Iterator[Callable[[], History]]:
    """Opens the history, as another process would."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(History(str(folder)))


@pytest.fixture
def history(opened: Callable[[], History]) -> History:
    return opened()


def texts(history: History, path: str = "Acme.md") -> list[bytes | None]:
    return [history.read(text.digest) for text in history.texts(path)]


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with contextlib.closing(sqlite3.connect(folder / "history.sqlite3")) as db, db:
        return db.execute(query).fetchall()


def test_the_texts_of_a_note_come_newest_first_and_each_once(history: History, folder: Path) -> None:
    for at, data in enumerate([b"one", b"two", b"two", b"one"]):
        history.store([("Acme.md", data), ("Bo.md", b"one")], NOW + at)
    assert texts(history) == [b"one", b"two", b"one"]
    assert texts(history, "Bo.md") == [b"one"]
    assert [text.at for text in history.texts("Acme.md")] == [NOW + 3, NOW + 1, NOW]
    assert rows(folder, "select count(*) from text") == [(2,)]
    assert history.texts("acme.md") == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example has its own folder
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_any_bytes_come_back(quick_path: Path, found: list[bytes]) -> None:
    with History(tempfile.mkdtemp(dir=quick_path)) as history:
        history.store([(f"{at}.md", data) for at, data in enumerate(found)], NOW)
        for at, data in enumerate(found):
            assert texts(history, f"{at}.md") == [data]


@pytest.mark.skipif(os.name == "nt", reason="there a name always is Unicode")
def test_a_name_that_is_no_unicode_and_words_of_any_kind(history: History) -> None:
    path = os.fsdecode(b"caf\xe9.md")
    [key] = history.begin([Step(path, b"a", b"b")], "log \udce9 \ud800 ☎", NOW)
    history.finish(key)
    assert [(change.path, change.words) for change in history.find_last(path)] == [
        (path, "log \udce9 \ud800 ☎")
    ]
    assert texts(history, path) == [b"b", b"a"]


@pytest.mark.skipif(os.name == "nt", reason="no such permissions")
def test_it_is_the_users_alone(history: History, folder: Path, opened: Callable[[], History]) -> None:
    before = os.umask(0)
    try:
        with history.turn():
            history.store([("Acme.md", b"secret")], NOW)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    finally:
        os.umask(before)
    assert set(modes) >= {"history.sqlite3", "history.sqlite3-wal", "change.lock"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    folder.chmod(0o755)
    opened().texts("Acme.md")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("platform", "variables", "begins"),
    [
        ("linux", {"HOME": "/home/ann"}, "/home/ann/.local/state/notesync/"),
        ("linux", {"HOME": "/home/ann", "XDG_STATE_HOME": "/elsewhere"}, "/elsewhere/notesync/"),
        ("linux", {"HOME": "/home/ann", "XDG_STATE_HOME": "relative"}, "/home/ann/.local/state/notesync/"),
        ("darwin", {"HOME": "/Users/ann"}, "/Users/ann/Library/Application Support/notesync/"),
        ("win32", {"HOME": "/ann", "LOCALAPPDATA": "/ann/Local"}, "/ann/Local/notesync/State/"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="paths are written with slashes here")
def test_it_lies_where_the_system_keeps_state(
    platform: str, variables: dict[str, str], begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = places.state_dir("/data/My Clients")
    assert found.startswith(begins + "My-Clients-")
    assert os.path.basename(found) == os.path.basename(places.cache_dir("/data/My Clients"))
    assert found != places.cache_dir("/data/My Clients")
    assert found != places.state_dir("/other/My Clients")


# bounds -------------------------------------------------------------------------------------------


def test_the_newest_texts_stay_and_of_older_ones_the_first_and_last_of_each_day(history: History) -> None:
    for day in (0, 1, 2):
        for number in range(TEXTS):
            history.store([("Acme.md", b"%d/%d" % (day, number))], NOW + day * DAY + number)
    kept = texts(history)
    assert kept[:TEXTS] == [b"2/%d" % number for number in reversed(range(TEXTS))]
    last = TEXTS - 1
    assert kept[TEXTS:] == [b"1/%d" % last, b"1/0", b"0/%d" % last, b"0/0"]


def test_what_is_old_goes_but_the_newest_two_texts_stay(history: History, folder: Path) -> None:
    for number in range(4):
        history.store([("Acme.md", b"%d" % number)], NOW + number * DAY)
    [key] = history.begin([Step("Bo.md", b"x", b"y")], "log Bo", NOW)
    history.finish(key)
    history.store([("Cy.md", b"z")], NOW + (DAYS + 10) * DAY)
    assert texts(history) == [b"3", b"2"]
    assert texts(history, "Bo.md") == [b"y", b"x"]
    assert history.find_last() == []
    assert rows(folder, "select count(*) from text") == [(5,)]


def test_a_text_that_stood_for_years_is_kept_for_as_long_as_one_that_is_new(history: History) -> None:
    """It is what a conflict copy comes from that arrives in the days after: it ages from when it was replaced."""
    history.store([("Acme.md", b"old")], NOW)
    for number in range(3):
        history.store([("Acme.md", b"%d" % number)], NOW + (2 * DAYS + number) * DAY)
    assert texts(history) == [b"2", b"1", b"0", b"old"]
    history.store([], NOW + 4 * DAYS * DAY)
    assert texts(history) == [b"2", b"1"]


def test_the_newest_text_of_every_note(history: History) -> None:
    history.store([("Acme.md", b"1"), ("Bo.md", b"2"), ("Acme.md", b"3")], NOW)
    assert history.newest() == {"Acme.md": digest_of(b"3"), "Bo.md": digest_of(b"2")}


def test_there_are_only_so_many_changes(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "CHANGES", 3)
    for number in range(6):
        [key] = history.begin([Step(f"{number}.md", b"", b"new")], "log", NOW)
        history.finish(key)
    history.store([], NOW + DAY)
    assert [bool(history.find_last(f"{number}.md")) for number in range(6)] == [False] * 3 + [True] * 3


def test_the_whole_is_bounded_and_the_oldest_goes(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LARGEST <= 100 * 1024 * 1024
    monkeypatch.setattr(history_module, "LARGEST", 300_000)
    for number in range(40):
        history.store([(f"{number}.md", os.urandom(20_000))], NOW + number)
    kept = [number for number in range(40) if history.texts(f"{number}.md")]
    assert kept[-1] == 39
    assert 5 < len(kept) < 20
    assert kept == list(range(kept[0], 40))
    assert all(history.read(text.digest) for number in kept for text in history.texts(f"{number}.md"))


# changes ------------------------------------------------------------------------------------------


def test_a_change_is_journalled_before_and_after(history: History) -> None:
    keys = history.begin([Step("Acme.md", b"old", b"new"), Step("Bo.md", None, b"made")], "sold Acme", NOW)
    assert [change.path for change in history.find_begun()] == ["Acme.md", "Bo.md"]
    assert history.find_last() == []
    assert texts(history) == [b"old"]  # it may never hold the other
    for key in keys:
        history.finish(key)
    assert history.find_begun() == []
    first, second = history.find_last()
    assert first == (
        keys[0],
        first.command,
        "Acme.md",
        digest_of(b"old"),
        digest_of(b"new"),
        "sold Acme",
        NOW,
    )
    assert second == (keys[1], first.command, "Bo.md", None, digest_of(b"made"), "sold Acme", NOW)
    assert (texts(history), texts(history, "Bo.md")) == ([b"new", b"old"], [b"made"])
    history.begin([Step("Cy.md", b"", b"new")], "log Cy", NOW)
    assert history.find_last("Bo.md") == history.find_last() == [first, second]


def test_an_abandoned_change_leaves_the_text_before(history: History, folder: Path) -> None:
    [key] = history.begin([Step("Acme.md", b"old", b"new")], "log Acme", NOW)
    history.abandon(key)
    assert history.find_begun() == history.find_last() == []
    assert rows(folder, "select count(*) from text") == [(1,)]
    assert texts(history) == [b"old"]


def test_the_text_before_outlasts_a_kill_right_after(folder: Path, opened: Callable[[], History]) -> None:
    code = (
        "import os, signal, sys; from notesync.store.history import History, Step;"
        f"History({str(folder)!r}).begin([Step('Acme.md', b'old', b'new')], 'log', {NOW});"
        "os.kill(os.getpid(), getattr(signal, 'SIGKILL', signal.SIGTERM))"
    )
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": HOME}, check=False)
    history = opened()
    [begun] = history.find_begun()
    assert history.read(begun.before or b"") == b"old"
    assert history.read(begun.after or b"") == b"new"


def test_the_disk_is_waited_for(history: History) -> None:
    history.store([], NOW)
    assert history._open().execute("pragma synchronous").fetchone() == (2,)
    assert history._open().execute("pragma journal_mode").fetchone() == ("wal",)


def test_one_process_at_a_time_changes_notes(history: History, opened: Callable[[], History]) -> None:
    waits: list[float] = []
    refused = pytest.raises(RefusedError, match="another notesync is changing notes")
    with history.turn(), refused, opened().turn(waits.append):
        raise AssertionError
    assert sum(waits) > 5
    with opened().turn(waits.append):
        pass


def test_many_processes_store_at_once(folder: Path, opened: Callable[[], History]) -> None:
    code = (
        "import sys; from notesync.store.history import History\n"
        f"history = History({str(folder)!r})\n"
        f"for at in range(20): history.store([(sys.argv[1] + '.md', b'%d' % at)], {NOW} + at)"
    )
    environment = os.environ | {"PYTHONPATH": HOME}
    running = [
        subprocess.Popen([sys.executable, "-c", code, name], env=environment, stderr=subprocess.PIPE)
        for name in "abc"
    ]
    assert [process.communicate()[1] for process in running] == [b""] * 3
    history = opened()
    for name in "abc":
        assert texts(history, f"{name}.md") == [b"%d" % at for at in reversed(range(20))]


# damage -------------------------------------------------------------------------------------------


def test_without_a_history_there_is_nothing_to_take_back(history: History) -> None:
    assert history.texts("Acme.md") == history.find_last() == history.find_begun() == []
    assert history.read(b"0" * 16) is None


def test_it_is_made_again_when_it_was_deleted_under_way(
    history: History, folder: Path, opened: Callable[[], History]
) -> None:
    history.store([("Acme.md", b"one")], NOW)
    for path in folder.iterdir():
        path.unlink()
    history.store([("Acme.md", b"two")], NOW)
    assert texts(history) == [b"two"]
    assert texts(opened()) == [b"two"]


@pytest.mark.parametrize("wreck", ["no database", "another version", "cut short", "a page of zeros"])
def test_a_damaged_file_is_put_aside_and_what_can_be_read_is_kept(
    history: History, folder: Path, wreck: str, opened: Callable[[], History]
) -> None:
    for number in range(200):
        history.store([(f"{number}.md", os.urandom(3000))], NOW)
    history.close()
    path = folder / "history.sqlite3"
    data = path.read_bytes()
    if wreck == "another version":
        rows(folder, "pragma user_version = 99")
    else:
        middle = len(data) // 2 // 4096 * 4096
        path.write_bytes(
            {
                "no database": b"not a database, just words" * 500,
                "cut short": data[: middle + 100],
                "a page of zeros": data[:middle] + bytes(8192) + data[middle + 8192 :],
            }[wreck]
        )
    fresh = opened()
    kept = sum(fresh.read(text.digest) is not None for at in range(200) for text in fresh.texts(f"{at}.md"))
    fresh.store([("Acme.md", b"new")], NOW)
    assert texts(fresh) == [b"new"]
    if wreck == "another version":
        assert kept == 200
    if wreck == "a page of zeros":
        assert kept > 20
    assert all(each.name.startswith(("history", "mend.lock")) for each in folder.iterdir())


def test_a_damaged_text_is_as_good_as_none(history: History, folder: Path) -> None:
    history.store([("Acme.md", b"one"), ("Bo.md", b"two"), ("Cy.md", b"three")], NOW)
    rows(folder, "update text set data = (select data from text where id = 1) where id = 2")
    rows(folder, "update text set data = x'0000' where id = 3")
    assert [texts(history, path) for path in ("Acme.md", "Bo.md", "Cy.md")] == [[b"one"], [None], [None]]


def test_a_place_where_nothing_can_be_kept_is_an_error_with_a_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    history = History(str(tmp_path / "file" / "vault"))  # never opened
    for question in (
        lambda: history.store([("Acme.md", b"one")], NOW),
        lambda: history.texts("Acme.md"),
        lambda: history.turn().__enter__(),
    ):
        with pytest.raises(HistoryError, match=r"earlier texts cannot be kept in .*Check its permissions"):
            question()


def test_a_locked_file_is_an_error_and_loses_nothing(
    history: History, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.store([("Acme.md", b"one")], NOW)
    history._open().execute("pragma busy_timeout = 10")
    with contextlib.closing(sqlite3.connect(folder / "history.sqlite3", isolation_level=None)) as other:
        other.execute("begin exclusive")
        with pytest.raises(HistoryError, match="database is locked"):
            history.store([("Acme.md", b"two")], NOW)
    history.store([("Acme.md", b"three")], NOW)
    assert texts(history) == [b"three", b"one"]
