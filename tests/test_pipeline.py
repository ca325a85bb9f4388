"""From a folder of notes to answers: what is read again, what is kept, what a broken index costs."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from notesync.followup.agenda import Moment
from notesync.problems import UsageError, VaultError
from notesync.store.vault import MARGIN_NS, Vault
from notesync.sync.pipeline import Changes, Selection, Workspace, open_workspace

ALL = Selection(everything=True)


class Desk:
    """A vault and a cache in a temporary folder, looked at as of one moment."""

    def __init__(self, home: Path) -> None:
        self.root = home / "vault"
        self.root.mkdir()
        self.cache = home / "cache"
        self.now = Moment(date(2026, 11, 22), 600)
        self.pauses: list[float] = []
        self.during_pause: Callable[[], object] = lambda: None

    def put(self, path: str, text: str, *, old: bool = True) -> Path:
        """Write a note; ``old``: an hour ago, as far as its own times can say."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")
        if old:
            os.utime(target, ns=(target.stat().st_mtime_ns - 3600 * 10**9,) * 2)
        return target

    def open(self, **options: object) -> Workspace:
        return open_workspace(
            str(self.root), lambda _zone: self.now, cache=str(self.cache), pause=self._pause, **options
        )  # type: ignore[arg-type]

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.during_pause()

    def lines(self, selection: Selection = ALL, **options: object) -> list[str]:
        with self.open() as workspace:
            workspace.refresh(**options)  # type: ignore[arg-type]
            return "".join(workspace.lines(selection)[0]).splitlines()

    def refresh(self, **options: object) -> Changes:
        with self.open() as workspace:
            return workspace.refresh(**options)  # type: ignore[arg-type]

    def codes(self) -> list[str]:
        with self.open() as workspace:
            workspace.refresh()
            return [problem.code for problem in workspace.problems()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def client(extra: str = "", body: str = "") -> str:
    return f"---\ntype: client\n{extra}---\n{body}"


AGREED = "next_contact: 2026-11-20\n"


def test_a_note_becomes_a_line(desk: Desk) -> None:
    desk.put("Clients/Thandi.md", client("next_contact: 2026-11-20\nnext_action: Call about the worktop\n"))
    assert desk.lines() == [
        "Clients/Thandi.md:3: overdue 2026-11-20 Thandi — Call about the worktop [contact]"
    ]


@pytest.mark.parametrize(
    "broken",
    [
        "next_action: Ring: about the worktop\n",
        'summary: "waiting\n',
        "\tphone: 071\n",
        "phone:071\n",
        "note: @x\n",
    ],
)
def test_a_note_that_was_never_whole_is_followed_at_every_save(desk: Desk, broken: str) -> None:
    """No good reading of it is known, so nothing better is lost by reading its keys line by line again."""
    desk.put("a.md", client(AGREED + broken))
    assert len(desk.lines()) == 1
    desk.put("a.md", client("next_contact: 2026-12-24\n" + broken, "- [ ] measure 📅 2026-11-21\n"))
    assert [line.split()[:3] for line in desk.lines()] == [
        ["a.md:6:", "overdue", "2026-11-21"],
        ["a.md:3:", "upcoming", "2026-12-24"],
    ]
    assert desk.codes() == ["bad-yaml"]
    desk.put("a.md", "---\ntype: client\n" + broken)  # cut off: worse than it ever was
    with desk.open() as workspace:
        workspace.refresh()
        assert [(item.due, item.stale) for item in workspace.agenda(ALL).items] == [
            ("2026-11-21", True),
            ("2026-12-24", True),
        ]
    desk.put("a.md", client("next_contact: 2026-12-25\n"))
    assert [line.split()[2] for line in desk.lines()] == ["2026-12-25"]


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param("", id="empty"),
        pytest.param("\0" * 60, id="a placeholder"),
        pytest.param("---\ntype: client\nnext_con", id="half-written"),
        pytest.param(
            None,
            id="in a folder that cannot be listed",
            marks=pytest.mark.skipif(
                not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all"
            ),
        ),
    ],
)
def test_a_note_that_was_never_whole_is_followed_again_after_it_was_torn_or_away(
    desk: Desk, meanwhile: str | None
) -> None:
    """A placeholder of a sync app, a half-written file or a folder that cannot be listed, and the note is back."""
    broken = "note: @x\n"
    path = desk.put("Clients/a.md", client(AGREED + broken))
    desk.put("Clients/b.md", client(AGREED))
    desk.refresh()
    for text in (client(AGREED + broken), client(AGREED + "\tphone: 1\n")):
        if meanwhile is None:
            path.parent.chmod(0o000)
            try:
                desk.refresh()
            finally:
                path.parent.chmod(0o755)
        else:
            desk.put("Clients/a.md", meanwhile)
            desk.refresh()
        desk.put("Clients/a.md", text)
        desk.refresh()
    desk.put("Clients/a.md", client("next_contact: 2026-12-24\n" + broken))
    desk.put("Clients/b.md", client("next_contact: 2026-12-24\n" + broken))
    desk.refresh()
    desk.put("Clients/b.md", client("next_contact: 2026-12-25\n" + broken))
    with desk.open() as workspace:
        workspace.refresh()
        assert sorted((item.path, item.due, item.stale) for item in workspace.agenda(ALL).items) == [
            ("Clients/a.md", "2026-12-24", False),
            ("Clients/b.md", "2026-11-20", True),
        ]


def test_a_note_that_was_whole_but_for_its_text_keeps_its_last_good_follow_ups(desk: Desk) -> None:
    desk.put("a.md", client(AGREED, "a\0b\n<<<<<<< x\na\n=======\nb\n>>>>>>> y\n"))
    assert len(desk.lines()) == 1
    desk.put("a.md", client("next_contact: 2026-12-24\nnote: @x\n", "a\0b\n"))
    with desk.open() as workspace:
        workspace.refresh()
        assert [(item.due, item.stale) for item in workspace.agenda(ALL).items] == [("2026-11-20", True)]


def test_unchanged_notes_are_not_read_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        desk.put(f"{name}.md", client(AGREED))
    read: list[str] = []
    real = Vault.read

    def later(vault: Vault, path: str, now_ns: int, **options: object) -> object:
        """Read as if a while after the last change: times that are seconds old prove nothing."""
        if path.endswith(".md"):
            read.append(path)
        return real(vault, path, now_ns + 10 * MARGIN_NS, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Vault, "read", later)
    assert desk.refresh().read == 3
    assert sorted(read) == ["a.md", "b.md", "c.md"]
    read.clear()
    desk.refresh()
    assert read == []
    desk.put("b.md", client("next_contact: 2026-11-21\n"))
    desk.refresh()
    assert read == ["b.md"]


def test_the_same_bytes_under_new_times_change_nothing(desk: Desk) -> None:
    desk.put("a.md", client(AGREED))
    desk.refresh()
    desk.put("a.md", client(AGREED), old=False)
    assert desk.refresh().changed == ()


def test_a_change_is_counted_in_follow_ups(desk: Desk) -> None:
    (desk.root / "other.txt").touch()  # an empty folder would be no proof that the note was deleted
    desk.put("a.md", client(AGREED))
    assert desk.refresh()[:5] == (1, ("a.md",), (), 1, 0)
    desk.put("a.md", client("next_contact: 2026-12-24\n"))
    assert desk.refresh()[:5] == (1, ("a.md",), (), 1, 1)
    (desk.root / "a.md").unlink()
    assert desk.refresh()[:5] == (0, (), ("a.md",), 0, 1)


def test_a_note_that_stops_being_a_clients_takes_its_follow_ups_along(desk: Desk) -> None:
    desk.put("a.md", client(AGREED))
    assert len(desk.lines()) == 1
    desk.put("a.md", "---\ntype: recipe\n---\nbread\n")
    assert desk.lines() == []


# what cannot be read -------------------------------------------------------------------------------


def test_a_note_that_breaks_keeps_its_last_good_follow_ups_marked_stale(desk: Desk) -> None:
    desk.put("a.md", client(AGREED))
    desk.refresh()
    desk.put("a.md", "---\ntype: client\nnext_contact: [2026-11-20\n---\n")
    with desk.open() as workspace:
        workspace.refresh()
        found = workspace.agenda(ALL)
    assert [(item.due, item.stale) for item in found.items] == [("2026-11-20", True)]
    assert ["last known follow-ups are shown" in problem.hint for problem in found.problems] == [True]
    desk.put("a.md", client("next_contact: 2026-11-21\n"))
    with desk.open() as workspace:
        workspace.refresh()
        found = workspace.agenda(ALL)
    assert [(item.due, item.stale) for item in found.items] == [("2026-11-21", False)]
    assert found.problems == ()


def test_a_broken_note_seen_for_the_first_time_is_read_line_by_line(desk: Desk) -> None:
    desk.put("a.md", "---\ntype: client\nname: Plan: phase 2\nnext_contact: 2026-11-20\n---\n")
    assert desk.lines() == ["a.md:4: overdue 2026-11-20 Plan: phase 2 — Contact as agreed [contact]"]
    assert len(desk.codes()) == 1


def test_an_emptied_note_is_no_client_who_needs_nothing(desk: Desk) -> None:
    desk.put("a.md", client(AGREED))
    desk.refresh()
    desk.put("a.md", "")
    assert len(desk.lines()) == 1
    assert desk.codes() == ["empty-note"]


def test_a_half_written_note_gets_a_moment_to_be_finished(desk: Desk) -> None:
    desk.put("a.md", client(AGREED))
    desk.refresh()
    desk.put("a.md", "---\ntype: cli", old=False)
    desk.during_pause = lambda: desk.put("a.md", client("next_contact: 2026-12-01\n"))
    assert desk.lines() == ["a.md:3: upcoming 2026-12-01 a — Contact as agreed [contact]"]
    assert len(desk.pauses) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_note_keeps_its_follow_ups(desk: Desk) -> None:
    path = desk.put("a.md", client(AGREED))
    desk.refresh()
    path.chmod(0)
    assert len(desk.lines()) == 1
    assert desk.codes() == ["unreadable-note"]


def test_a_note_that_cannot_be_opened_keeps_its_follow_ups(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("a.md", client(AGREED))
    desk.refresh()
    desk.put("a.md", client("next_contact: 2026-11-21\n"))
    with monkeypatch.context() as patch:
        patch.setattr("notesync.store.vault.os.open", deny(os.open, "a.md"))
        assert desk.lines() == ["a.md:3: overdue 2026-11-20 a — Contact as agreed [contact]"]
        assert desk.codes() == ["unreadable-note"]
    assert desk.lines() == ["a.md:3: overdue 2026-11-21 a — Contact as agreed [contact]"]


def test_a_folder_that_cannot_be_listed_keeps_its_notes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("Clients/a.md", client(AGREED))
    desk.put("b.md", client(AGREED))
    before = desk.lines()
    with monkeypatch.context() as patch:
        patch.setattr("notesync.store.vault.os.open", deny(os.open, "Clients/"))
        with desk.open() as workspace:
            workspace.refresh()
            found = workspace.agenda(ALL)
        assert {(item.path, item.stale) for item in found.items} == {("Clients/a.md", True), ("b.md", False)}
        assert [problem.code for problem in found.problems] == ["unreadable-folder"]
    assert desk.lines() == before
    assert desk.codes() == []


def deny(real: Callable[..., int], ending: str) -> Callable[..., int]:
    def opened(path: str, *rest: object, **options: object) -> int:
        if str(path).endswith(ending):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **options)

    return opened


# what vanishes --------------------------------------------------------------------------------------


def test_a_note_being_replaced_is_waited_for(desk: Desk) -> None:
    path = desk.put("a.md", client(AGREED))
    desk.refresh()
    path.unlink()
    desk.during_pause = lambda: desk.put("a.md", client("next_contact: 2026-11-21\n"))
    assert desk.lines() == ["a.md:3: overdue 2026-11-21 a — Contact as agreed [contact]"]


def test_a_note_that_came_back_and_went_for_good_does_not_haunt(desk: Desk) -> None:
    """It was there again when we looked a second time, and gone before anybody looked a third."""
    desk.put("b.md", client(AGREED))
    path = desk.put("a.md", client(AGREED))
    desk.refresh()
    path.unlink()
    desk.during_pause = lambda: desk.put("a.md", client(AGREED))
    assert len(desk.lines()) == 2
    path.unlink()
    desk.during_pause = lambda: None
    assert len(desk.lines()) == 1


def test_the_watcher_gives_a_vanished_note_two_seconds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("notesync.sync.pipeline.time.time", lambda: clock[0])
    path = desk.put("a.md", client(AGREED))
    desk.put("b.md", client(AGREED))
    desk.refresh()
    path.unlink()
    first = desk.refresh(grace=True)
    assert (first.removed, first.wait) == ((), 2.0)
    clock[0] += 1.5
    assert desk.refresh(grace=True).wait == pytest.approx(0.5)
    clock[0] += 0.6
    last = desk.refresh(grace=True)
    assert (last.removed, last.removed_items, last.wait) == (("a.md",), 1, None)


def test_most_of_a_vault_does_not_vanish_unasked(desk: Desk) -> None:
    for number in range(8):
        desk.put(f"{number}.md", client(AGREED))
    desk.refresh()
    for number in range(6):
        (desk.root / f"{number}.md").unlink()
    with pytest.raises(VaultError, match="--accept-empty"):
        desk.refresh()
    assert desk.refresh(accept_empty=True).notes == 2
    assert len(desk.lines()) == 2


def test_a_drive_that_is_away_takes_its_settings_along_and_is_still_noticed(desk: Desk) -> None:
    desk.put("notesync.yaml", "currency: ZAR\n")
    for number in range(8):
        desk.put(f"{number}.md", client(AGREED))
    before = desk.lines()
    os.replace(desk.root, desk.root.with_name("mounted"))
    desk.root.mkdir()
    for _ in range(2):
        with pytest.raises(VaultError, match="--accept-empty"):
            desk.refresh()
    with desk.open(tolerant=True) as workspace, pytest.raises(VaultError):
        workspace.refresh(grace=True)
    desk.root.rmdir()
    os.replace(desk.root.with_name("mounted"), desk.root)
    assert desk.lines() == before


def test_a_renamed_folder_is_no_loss(desk: Desk) -> None:
    for number in range(8):
        desk.put(f"Clients/{number}.md", client(AGREED))
    desk.refresh()
    os.replace(desk.root / "Clients", desk.root / "People")
    assert len(desk.lines()) == 8


def test_a_vault_that_is_not_mounted_is_an_error(desk: Desk) -> None:
    desk.put("a.md", client(AGREED))
    desk.refresh()
    os.replace(desk.root, desk.root.with_name("elsewhere"))
    with pytest.raises(VaultError, match="no such folder"):
        desk.open()


# the index ------------------------------------------------------------------------------------------


def spoil_with_junk(path: Path) -> None:
    path.write_bytes(b"this is not a database" * 400)


def spoil_pages(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))


def spoil_with_another_version(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 999")
    db.close()


def spoil_with_foreign_tables(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("create table other (x)")
    db.close()


def spoil_by_truncation(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def spoil_a_letter(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("update meta set value = cast(x'ff' || value as text)")
    db.close()


def spoil_the_format(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[44:48] = (99).to_bytes(4, "big")
    path.write_bytes(data)


def spoil_with_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_with_junk,
        spoil_pages,
        spoil_with_another_version,
        spoil_with_foreign_tables,
        spoil_by_truncation,
        spoil_a_letter,
        spoil_the_format,
        spoil_with_a_folder,
    ],
)
def test_a_spoilt_index_costs_speed_and_never_an_answer(desk: Desk, spoil: Callable[[Path], None]) -> None:
    for number in range(40):
        desk.put(f"{number}.md", client(AGREED, "## Log\n\n- 2026-11-01 call: text\n" * 30))
    before = desk.lines()
    for side in desk.cache.glob("index.sqlite3-*"):
        side.unlink()
    spoil(desk.cache / "index.sqlite3")
    with desk.open() as workspace:
        workspace.refresh()
        assert "".join(workspace.lines(ALL)[0]).splitlines() == before
        assert workspace.notices
    assert desk.lines() == before
    with desk.open() as workspace:
        assert spoil is spoil_with_a_folder or not workspace.notices, "a file that can be replaced was not"


def test_an_index_on_a_read_only_or_full_disk_is_kept_in_memory(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.put("a.md", client(AGREED))
    before = desk.lines()
    desk.put("b.md", client(AGREED))
    with desk.open() as workspace:
        workspace.index._db.execute("pragma query_only = on")
        workspace.refresh()
        assert len(list(workspace.lines(ALL)[0])) == 2
        assert "working in memory" in workspace.notices[-1]
    with desk.open() as workspace:
        workspace.index._db.execute("pragma max_page_count = 1")
        workspace.refresh()
        assert len(list(workspace.lines(ALL)[0])) == 2
    assert before[0] in desk.lines()


def test_an_index_locked_by_another_program_is_done_without(desk: Desk) -> None:
    desk.put("a.md", client(AGREED))
    desk.refresh()
    other = sqlite3.connect(desk.cache / "index.sqlite3", isolation_level=None)
    other.execute("begin exclusive")
    try:
        desk.put("b.md", client(AGREED))
        with desk.open() as workspace:
            workspace.index._db.execute("pragma busy_timeout = 10")
            workspace.refresh()
            assert len(list(workspace.lines(ALL)[0])) == 2
    finally:
        other.execute("rollback")
        other.close()
    assert len(desk.lines()) == 2


def test_the_cache_folder_is_for_the_user_alone(desk: Desk) -> None:
    desk.refresh()
    if os.name != "nt":
        assert desk.cache.stat().st_mode & 0o077 == 0


# settings and days ----------------------------------------------------------------------------------


def test_new_settings_make_the_index_anew(desk: Desk) -> None:
    desk.put("a.md", client("stage: customer\nlast_contact: 2026-10-01\n"))
    assert desk.lines() == []
    desk.put("notesync.yaml", "default_every: {customer: month}\n")
    assert len(desk.lines()) == 1
    (desk.root / "notesync.yaml").unlink()
    assert desk.lines() == []


def test_wrong_settings_are_named_with_their_place(desk: Desk) -> None:
    desk.put("notesync.yaml", "curency: ZAR\n")
    with pytest.raises(UsageError, match=r"notesync\.yaml:1:1"):
        desk.open()


def test_the_watcher_keeps_the_last_good_settings_while_they_are_broken(desk: Desk) -> None:
    desk.put("a.md", client("stage: customer\nlast_contact: 2026-10-01\n"))
    desk.put("notesync.yaml", "default_every: {customer: month}\n")
    with desk.open(tolerant=True) as workspace:
        workspace.refresh()
        desk.put("notesync.yaml", "default_every: {customer: [\n")
        workspace.load_settings(tolerant=True)
        workspace.refresh()
        assert len(list(workspace.lines(ALL)[0])) == 1
        assert workspace.settings_problems
        desk.put("notesync.yaml", "default_every: {customer: month}\ncurrency: ZAR\n")
        workspace.load_settings(tolerant=True)
        assert workspace.settings_problems == ()


def test_templates_are_no_clients(desk: Desk) -> None:
    desk.put(".obsidian/templates.json", '{"folder": "Templates"}')
    desk.put("Templates/Client.md", client(AGREED))
    assert desk.lines() == []


def test_an_appointment_in_the_log_counts_from_its_day(desk: Desk) -> None:
    note = client("every: 2 weeks\n", "## Log\n\n- 2026-12-01 visit: planned\n- 2026-10-20 call\n")
    desk.put("a.md", note)
    assert desk.lines() == ["a.md:3: overdue 2026-11-06 a — Keep in touch [keep-in-touch]"]
    desk.now = Moment(date(2026, 12, 1), 0)
    assert desk.lines()[0].startswith("a.md:3: upcoming 2026-12-")
    desk.now = Moment(date(2026, 11, 22), 0)
    assert desk.lines() == ["a.md:3: overdue 2026-11-06 a — Keep in touch [keep-in-touch]"]


# answers --------------------------------------------------------------------------------------------


@pytest.fixture
def busy_desk(desk: Desk) -> Desk:
    desk.put("Anna/Acme.md", client(f"{AGREED}owner: [Anna, Ben]\nstage: customer\nvalue: 100\n"))
    desk.put("Ben/Bolt.md", client("next_contact: 2026-11-21\nowner: ben\nstage: lead\nvalue: 50\n"))
    desk.put("Cape.md", client("next_contact: 2026-11-25\n", "- [ ] Send the quote 📅 2026-11-22\n"))
    return desk


def test_filters_let_through_what_they_name(busy_desk: Desk) -> None:
    def clients(**fields: object) -> list[str]:
        with busy_desk.open() as workspace:
            workspace.refresh()
            return [item.client for item in workspace.agenda(Selection(**fields)).items]  # type: ignore[arg-type]

    assert clients() == ["Acme", "Bolt", "Cape"]
    assert clients(owners=("BEN",)) == ["Acme", "Bolt"]
    assert clients(stages=("lead",)) == ["Bolt"]
    assert clients(kinds=("task",)) == ["Cape"]
    assert clients(upcoming=3) == ["Acme", "Bolt", "Cape", "Cape"]
    assert clients(upcoming=2) == ["Acme", "Bolt", "Cape"]
    assert clients(sort="client") == ["Acme", "Bolt", "Cape"]
    assert clients(sort="value") == ["Acme", "Bolt", "Cape"]


def test_an_owner_is_the_same_in_either_form_of_unicode(desk: Desk) -> None:
    desk.put("a.md", client(f"{AGREED}owner: Zoe\u0308\n"))
    with desk.open() as workspace:
        workspace.refresh()
        assert len(workspace.agenda(Selection(owners=("Zo\u00eb",))).items) == 1


def test_totals_count_what_is_to_come_without_listing_it(busy_desk: Desk) -> None:
    with busy_desk.open() as workspace:
        workspace.refresh()
        brief, whole = workspace.agenda(Selection()).totals, workspace.agenda(ALL).totals
    assert brief == whole
    assert brief[:5] == (2, 1, 1, 3, 150.0)


def test_idle_clients_are_those_for_whom_nothing_can_fall_due(busy_desk: Desk) -> None:
    busy_desk.put("Quiet.md", client())
    busy_desk.put("Gone.md", client("do_not_contact: true\n"))
    with busy_desk.open() as workspace:
        workspace.refresh()
        assert [card.name for card in workspace.idle_clients()] == ["Quiet"]
