"""A folder with our calendar and files beside it, then which of these are gone."""

from __future__ import annotations

import os
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from test_conflicts import SURE, WEAK
from test_feed import TODAY, open_vault, put

from notesync.followup.settings import Settings
from notesync.publish import calendar
from notesync.sync import strays
from notesync.sync.strays import Strays

SETTINGS = (
    "vault_id: 5b1f\ntimezone: UTC\nagenda_note: Clients/Follow-ups.md\nowners: {Anna: {}, Ben van Wyk: {}}\n"
    "calendar: {per_owner: true}\n"
)
OURS = ("followups.ics", "followups-anna.ics", "followups-ben_van_wyk.ics", "Clients/Follow-ups.md")


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "GRACE", 0.0)


@pytest.fixture
def vault(quick_path: Path) -> Path:
    root = quick_path / "vault"
    root.mkdir()
    put(root, "Clients/Acme.md", "type: client\nowner: Anna\nname: Thandi\nnext_contact: 2026-11-20\n")
    put(root, "Clients/Bolt.md", "type: client\nowner: Ben van Wyk\nevery: 2 weeks\n")
    (root / "notesync.yaml").write_text(SETTINGS, encoding="utf-8")
    run(root)
    return root


def run(root: Path, day: date = TODAY) -> Strays:
    with open_vault(root, day) as workspace:
        workspace.refresh()
        return workspace.forget_strays(workspace.publish())


def rename(pattern: str, original: str) -> str:
    """The name that stands for a copy of `Acme.md`, for one of another file."""
    folder, _, name = original.rpartition("/")
    stem, extension = os.path.splitext(name)
    return f"{folder}/{pattern}".lstrip("/").replace("Acme", stem).replace(".md", extension)


KEPT = [name for name in SURE if ".Conflict" in name]  # Resilio's


@pytest.mark.parametrize("original", OURS)
def test_copies_of_what_we_generate_are_removed(vault: Path, original: str) -> None:
    """Whatever the engine and its language, and also those of a state that is over."""
    names = {rename(name, original) for name in (*SURE, *WEAK) if name not in KEPT}
    stale = (vault / original).read_bytes()
    assert run(vault, date(2026, 11, 23)).forgotten == ()
    for name in names:
        (vault / name).write_bytes(stale)
    found = run(vault, date(2026, 11, 23))
    assert (set(found.forgotten), found.left, found.wait) == (names, (), None)
    assert not any((vault / name).exists() for name in names)
    assert all((vault / each).exists() for each in OURS)
    assert run(vault, date(2026, 11, 23)) == Strays()


@pytest.mark.parametrize(
    "name",
    [
        "followups (1).sync-conflict-20261122-003230-SZGHDFP.ics",
        "followups.sync-conflict-20261122-003230-SZGHDFP (2).ics",
        "followups (Anna's conflicted copy 2026-11-22) (Ben's conflicted copy 2026-11-23).ics",
        unicodedata.normalize("NFD", "FOLLOWUPS (Cópia em conflito de Anna 2026-11-22).ICS"),
    ],
)
def test_copies_of_copies_and_other_spellings_are_removed(vault: Path, name: str) -> None:
    (vault / name).write_bytes((vault / "followups.ics").read_bytes())
    assert run(vault).forgotten == (name,)


def test_a_copy_of_an_owners_calendar_is_not_taken_for_that_of_an_owner_who_is_gone(vault: Path) -> None:
    """Which would be emptied first: written for nothing, and by every computer."""
    (vault / "followups-anna-LAPTOP.ics").write_bytes((vault / "followups-anna.ics").read_bytes())
    with open_vault(vault) as workspace:
        workspace.refresh()
        published = workspace.publish()
        assert published.also == ()
        assert workspace.forget_strays(published).forgotten == ("followups-anna-LAPTOP.ics",)


def test_copies_of_the_calendar_of_an_owner_who_is_gone_are_removed_too(vault: Path) -> None:
    (vault / "followups-anna 2.ics").write_bytes((vault / "followups-anna.ics").read_bytes())
    put(vault, "Clients/Acme.md", "type: client\nowner: Ben van Wyk\n")
    (vault / "notesync.yaml").write_text(SETTINGS.replace("Anna: {}, ", ""), encoding="utf-8")
    assert run(vault).forgotten == ("followups-anna 2.ics",)
    assert b"No follow-ups due" in (vault / "followups-anna.ics").read_bytes()


SYNCTHING = "followups.sync-conflict-20261122-003230-SZGHDFP.ics"


def test_whatever_a_person_may_have_made_stays(vault: Path, tmp_path: Path) -> None:
    """An export under any name, another vault's calendar, one with an event more, an agenda with a remark."""
    with open_vault(vault) as workspace:
        workspace.refresh()
        export = b"".join(workspace.feed(exported=True))
    ours = (vault / "followups.ics").read_bytes()
    agenda = (vault / "Clients/Follow-ups.md").read_bytes()
    other = ours.replace(calendar.build_marks("5b1f").vault, calendar.build_marks("another").vault)
    event = b"BEGIN:VEVENT\r\nUID:birthday@home\r\nDTSTAMP:20261122T000000Z\r\nEND:VEVENT\r\n"
    kept = {
        "followups-team.ics": export,
        "followups (1).ics": other,
        "followups (2).ics": ours.replace(b"END:VCALENDAR", event + b"END:VCALENDAR"),
        "followups (3).ics": ours + ours,
        "followups (4).ics": ours[:-20],
        "followups (5).ics": b"",
        "followups-ben.ics": (vault / "followups-anna.ics").read_bytes(),
        "My followups.ics": ours,
        "followups.ics.bak": ours,
        "Clients/Follow-ups 2.md": agenda + b"- and buy bread\n",
        "Clients/Follow-ups 3.md": agenda.replace(b"Thandi", b"Thandy"),
        "Clients/Follow-ups 4.md": agenda.replace(b"\n", b"\r\n"),
        "Clients/Follow-ups 5.md": b"---\ngenerated: notesync\n---\n",
        "Follow-ups 2.md": agenda,
    }
    for name, data in kept.items():
        (vault / name).write_bytes(data)
    (vault / "followups 2.ics").mkdir()
    assert run(vault) == Strays()
    assert {name: (vault / name).read_bytes() for name in kept} == kept


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (SYNCTHING, b"mine", "holds what notesync did not write there"),
        ("Clients/Follow-ups (conflicted copy 2026-11-22).md", b"mine", "holds what notesync did not write"),
        ("followups.Conflict.ics", None, "is Resilio's conflict copy of followups.ics"),
        ("followups.Conflict.sync-conflict-20261122-003230-SZGHDFP.ics", None, "is Resilio's conflict copy"),
    ],
)
def test_what_is_a_copy_and_has_to_stay_is_told(
    vault: Path, name: str, data: bytes | None, words: str
) -> None:
    (vault / name).write_bytes((vault / "followups.ics").read_bytes() if data is None else data)
    found = run(vault)
    assert found.forgotten == ()
    assert len(found.left) == 1
    assert name in found.left[0]
    assert words in found.left[0]
    assert (vault / name).exists()


def test_a_copy_that_may_not_be_removed_is_told(vault: Path) -> None:
    (vault / SYNCTHING).write_bytes((vault / "followups.ics").read_bytes())
    (vault / SYNCTHING).chmod(0o444)
    found = run(vault)
    assert found.forgotten == ()
    assert f"{SYNCTHING} may only be read" in found.left[0]
    assert "It is a conflict copy of followups.ics." in found.left[0]


@pytest.mark.skipif(os.name == "nt", reason="needs privileges on Windows")
def test_a_link_under_the_name_of_a_copy_is_left(vault: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious.ics"
    target.write_bytes((vault / "followups.ics").read_bytes())
    (vault / SYNCTHING).symlink_to(target)
    (vault / "followups 2.ics").symlink_to(target)
    assert run(vault).forgotten == ()
    assert target.exists()
    assert (vault / SYNCTHING).is_symlink()


def test_a_copy_that_another_computer_removes_first_is_nothing_to_tell(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (vault / SYNCTHING).write_bytes((vault / "followups.ics").read_bytes())
    real = calendar.is_whole_calendar

    def remove_first(data: bytes) -> bool:
        (vault / SYNCTHING).unlink()
        return real(data)

    monkeypatch.setattr(calendar, "is_whole_calendar", remove_first)
    assert run(vault) in (Strays(), Strays((SYNCTHING,)))


def test_a_copy_that_is_just_being_made_is_left_to_its_engine(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strays, "GRACE", 3600.0)
    (vault / SYNCTHING).write_bytes((vault / "followups.ics").read_bytes())
    os.utime(vault / SYNCTHING, (0, 0))
    found = run(vault)
    assert found[:2] == ((), ())
    assert found.wait is not None
    assert 0 < found.wait <= 3600


def test_what_an_engine_has_just_renamed_is_not_yet_written_again(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_vault(vault) as workspace:
        workspace.refresh()
        published = workspace.publish()
        (vault / "followups.ics").rename(vault / "followups.ics..path1")
        assert workspace.find_pending(published) is None  # it has been so for long
        monkeypatch.setattr(strays, "GRACE", 3600.0)
        assert 0 < (workspace.find_pending(published) or 0) <= 3600
        (vault / "followups.ics..path1").unlink()
        assert workspace.find_pending(published) is None  # a person has removed it
        workspace.publish()
        (vault / "followups.ics..path1").write_bytes((vault / "followups.ics").read_bytes())
        assert workspace.find_pending(published) is None  # it is there again


def test_the_machine_that_does_not_write_the_calendar_removes_nothing(vault: Path) -> None:
    (vault / SYNCTHING).write_bytes((vault / "followups.ics").read_bytes())
    (vault / "notesync.yaml").write_text("vault_id: 5b1f\ncalendar: {machine: theirs}\n", encoding="utf-8")
    assert run(vault) == Strays()
    assert (vault / SYNCTHING).exists()


PERSONS = (
    b"BEGIN:VEVENT\r\nUID:birthday@home\r\nDTSTAMP:20261122T000000Z\r\nEND:VEVENT\r\n",
    b"BEGIN:VTODO\nUID:bread@home\nEND:VTODO\n",
    b"BEGIN:VTIMEZONE\r\nTZID:Home\r\nEND:VTIMEZONE\r\n",
)


@pytest.mark.parametrize("event", PERSONS)
def test_a_persons_event_shows_wherever_it_stands(event: bytes) -> None:
    whole = _build_whole()
    lines = whole.splitlines(keepends=True)
    assert calendar.is_whole_calendar(whole)
    for at in range(len(lines) + 1):
        assert not calendar.is_whole_calendar(b"".join((*lines[:at], event, *lines[at:])))


def test_a_piece_of_a_calendar_is_no_calendar() -> None:
    whole = _build_whole()
    for at in range(1, len(whole)):
        assert not calendar.is_whole_calendar(whole[:at])
        assert not calendar.is_whole_calendar(whole[at:])


def _build_whole() -> bytes:
    marks = calendar.build_marks("5b1f", "anna")
    digest = calendar.build_digest(
        Settings(),
        TODAY,
        [calendar.Pressing("a", "Acme", "Call", "contact", TODAY)],
        TODAY,
        overdue=1,
        undated=0,
    )
    return b"".join(calendar.render_calendar(Settings(), "Clients", [digest], marks=marks))


def test_a_copy_of_the_agenda_is_no_copy_of_a_note(vault: Path) -> None:
    """Or it would be merged into the agenda, which is written anew."""
    name = "Clients/Follow-ups.sync-conflict-20261122-003230-SZGHDFP.md"
    put(vault, "Clients/Acme (conflicted copy 2026-11-22).md", "type: client\n")
    (vault / name).write_bytes((vault / "Clients/Follow-ups.md").read_bytes() + b"- and buy bread\n")
    with open_vault(vault) as workspace:
        workspace.refresh()
        assert [copy.original for copy in workspace.find_copies()] == ["Clients/Acme.md"]
        copies = [problem.path for problem in workspace.problems() if problem.code == "conflict-copy"]
        assert copies == ["Clients/Acme (conflicted copy 2026-11-22).md"]
