"""The calendar file as it comes of a folder of notes."""

from __future__ import annotations

import os
import sqlite3
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from icalendar import Calendar

from notesync.followup.agenda import Moment
from notesync.problems import NotesyncError
from notesync.publish import calendar
from notesync.publish.calendar import Event
from notesync.sync.pipeline import Published, Workspace, open_workspace

TODAY = date(2026, 11, 22)


def open_vault(root: Path, day: date = TODAY) -> Workspace:
    return open_workspace(
        str(root),
        lambda _zone: Moment(day),
        cache=str(root.parent / f"cache-{root.name}"),
        pause=lambda _: None,
    )


def publish(root: Path, day: date = TODAY) -> Published:
    with open_vault(root, day) as workspace:
        workspace.refresh()
        return workspace.publish()


def events(root: Path) -> dict[str, tuple[date, date]]:
    found = Calendar.from_ical((root / "followups.ics").read_bytes())
    assert not found.errors
    assert "UID" not in found
    return {str(event["SUMMARY"]): (event.start, event.end) for event in found.events}


def put(root: Path, path: str, header: str, body: str = "") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(f"---\n{header}---\n{body}", encoding="utf-8")


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    root = tmp_path / "vault"
    root.mkdir()
    put(
        root,
        "Acme.md",
        "type: client\nname: Thandi\nnext_contact: 2026-11-20\nnext_action: Call about the worktop\n",
    )
    put(root, "Bolt.md", "type: client\nevery: 2 weeks\nlast_contact: 2026-11-20\n")
    put(root, "Cape.md", "type: client\nnext_contact: 2026-12-24T14:30\n")
    (root / "notesync.yaml").write_text("timezone: Africa/Johannesburg\n", encoding="utf-8")
    return root


def test_one_event_a_follow_up_and_the_digest_of_the_overdue(vault: Path) -> None:
    assert publish(vault) == ("followups.ics", True, 4)
    found = events(vault)
    assert found["Thandi: Call about the worktop"] == (date(2026, 11, 20), date(2026, 11, 21))
    assert found["1 overdue: Thandi"] == (date(2026, 11, 22), date(2026, 11, 23))
    assert len(found) == 4
    assert b"DTSTART:20261224T123000Z" in (vault / "followups.ics").read_bytes()


def test_the_same_notes_and_day_give_the_same_bytes_and_no_writing(vault: Path, tmp_path: Path) -> None:
    publish(vault)
    first = (vault / "followups.ics").read_bytes()
    seen = (vault / "followups.ics").stat()
    assert not publish(vault).changed
    assert (vault / "followups.ics").stat().st_ino == seen.st_ino
    for path in (tmp_path / "cache-vault").iterdir():
        path.unlink()
    assert not publish(vault).changed
    assert (vault / "followups.ics").read_bytes() == first


def test_at_midnight_only_the_digest_changes(vault: Path) -> None:
    publish(vault)
    before = events(vault)
    publish(vault, date(2026, 11, 23))
    after = events(vault)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {"1 overdue: Thandi"}


def test_a_settled_follow_up_leaves_and_a_moved_one_gets_a_new_uid(vault: Path) -> None:
    def uids() -> set[str]:
        calendar = Calendar.from_ical((vault / "followups.ics").read_bytes())
        return {str(event["UID"]) for event in calendar.events if "Cape" in str(event["SUMMARY"])}

    publish(vault)
    before = uids()
    put(vault, "Cape.md", "type: client\nnext_contact: 2026-12-28T14:30\n")
    put(
        vault, "Acme.md", "type: client\nname: Thandi\nnext_contact: 2026-11-20\n",
        "\n## Log\n\n- 2026-11-22 call: done\n",
    )  # fmt: skip
    publish(vault)
    assert len(before | uids()) == 2
    assert not any("Thandi" in name for name in events(vault))


def test_every_overdue_event_moves_to_today_when_asked(vault: Path) -> None:
    (vault / "notesync.yaml").write_text("calendar: {overdue: each}\n", encoding="utf-8")
    publish(vault)
    found = events(vault)
    moved = [name for name in found if name.startswith("Thandi")]
    assert [found[name][0] for name in moved] == [TODAY]
    assert not any("overdue:" in name for name in found)


def test_overdue_ones_stay_where_they_are_when_asked(vault: Path) -> None:
    (vault / "notesync.yaml").write_text("calendar: {overdue: stay}\n", encoding="utf-8")
    publish(vault)
    assert len(events(vault)) == 3


def test_a_vault_with_nothing_due_has_a_placeholder(tmp_path: Path) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    publish(root)
    assert len(events(root)) == 1


def test_one_id_in_two_notes_never_makes_one_uid_of_two_events(vault: Path) -> None:
    for name in ("One", "Two"):
        put(vault, f"{name}.md", f"type: client\nid: same\nname: {name}\nnext_contact: 2026-12-01\n")
    publish(vault)
    calendar = Calendar.from_ical((vault / "followups.ics").read_bytes())
    uids = [str(event["UID"]) for event in calendar.events]
    assert len(uids) == len(set(uids)) == 6


def test_one_id_in_two_notes_is_seen_wherever_the_calendar_is_cut_into_pieces(vault: Path) -> None:
    for name in ("One", "Two", "Three", "Four"):
        put(vault, f"{name}.md", f"type: client\nid: same\nname: {name}\nnext_contact: 2026-12-01\n")
    publish(vault)
    whole = (vault / "followups.ics").read_bytes()
    assert whole.count(b"BEGIN:VEVENT") == 8
    for size in range(1, 8):
        with patch("notesync.sync.feed.PIECE", size), open_vault(vault) as workspace:
            workspace.refresh()
            assert b"".join(workspace.feed()) == whole
            assert workspace.publish() == ("followups.ics", False, 8)


def test_the_size_of_batches_changes_nothing(vault: Path, tmp_path: Path) -> None:
    put(vault, "Dune.md", "type: client\nnext_contact: 2026-12-01\n", "\n- [ ] Send it 📅 2026-11-25\n")
    publish(vault)
    whole = (vault / "followups.ics").read_bytes()
    for size in (1, 2, 3):
        for path in (tmp_path / "cache-vault").iterdir():
            path.unlink()
        with (
            patch("notesync.sync.feed.BATCH", size),
            patch("notesync.sync.feed.STORED", size),
            open_vault(vault) as workspace,
        ):
            workspace.refresh()
            assert b"".join(workspace.feed()) == whole


def test_only_what_the_calendar_shows_is_rendered_and_that_once(vault: Path) -> None:
    """Far.md comes too late; the cadence of Both.md stands behind the contact that was agreed."""
    put(vault, "Far.md", "type: client\nnext_contact: 2030-01-01\n")
    put(vault, "Both.md", "type: client\nevery: week\nlast_contact: 2026-11-20\nnext_contact: 2026-12-01\n")
    rendered: list[str] = []

    def build_events(work: Any, *arguments: Any, **options: Any) -> list[Event]:
        work = list(work)
        rendered.extend(f"{client.path}: {found.rule}" for client, own in work for found in own)
        return real(work, *arguments, **options)

    real = calendar.build_events
    with patch.object(calendar, "build_events", build_events):
        publish(vault)
        assert sorted(rendered) == [
            "Acme.md: next-contact", "Bolt.md: cadence", "Both.md: next-contact", "Cape.md: next-contact",
        ]  # fmt: skip
        publish(vault)
        assert len(rendered) == 4
        publish(vault, date(2029, 6, 1))
        assert rendered[4:] == ["Far.md: next-contact"]


def test_a_cadence_held_back_by_an_open_task_with_the_client_appears_when_that_is_done(vault: Path) -> None:
    held = "type: client\nevery: 2 weeks\nlast_contact: 2026-11-20\n"
    put(vault, "Bolt.md", held, "\n- [ ] Call about the hinges #promise 📅 2026-11-21\n")
    publish(vault)
    assert [name for name in events(vault) if name.startswith("Bolt")] == ["Bolt: Call about the hinges"]
    put(vault, "Bolt.md", held)
    publish(vault)
    assert len([name for name in events(vault) if name.startswith("Bolt")]) == 1
    assert "Bolt: Call about the hinges" not in events(vault)


def test_a_full_disk_costs_the_index_not_the_calendar(vault: Path, tmp_path: Path) -> None:
    publish(vault)
    whole = (vault / "followups.ics").read_bytes()
    for path in (tmp_path / "cache-vault").iterdir():
        path.unlink()
    with open_vault(vault) as workspace:
        workspace.refresh()
        store, failures = workspace.index.store_events, [sqlite3.OperationalError("disk full")]

        def store_later(made: Any) -> None:
            if failures:
                raise failures.pop()
            store(made)

        with patch.object(workspace.index, "store_events", store_later):
            assert b"".join(workspace.feed()) == whole
        assert workspace.index.in_memory


def test_far_away_and_long_past_events_are_left_out(vault: Path) -> None:
    put(vault, "Far.md", "type: client\nnext_contact: 2030-01-01\n")
    put(vault, "Old.md", "type: client\nnext_contact: 2025-01-01\n")
    publish(vault)
    names = " ".join(events(vault))
    assert "Far" not in names
    assert "Old: " not in names
    assert "2 overdue: Old" in names


@pytest.mark.parametrize("path", ["../outside.ics", "/tmp/outside.ics", "Clients/Acme.md", "a/../../x.ics"])
def test_the_calendar_is_written_only_inside_the_vault(vault: Path, path: str) -> None:
    (vault / "notesync.yaml").write_text(f"calendar: {{path: '{path}'}}\n", encoding="utf-8")
    with pytest.raises(NotesyncError, match="path"):
        publish(vault)


@pytest.mark.skipif(os.name == "nt", reason="needs privileges on Windows")
def test_a_link_in_place_of_the_calendar_is_not_followed(vault: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious.ics"
    target.write_bytes(b"precious")
    (vault / "followups.ics").symlink_to(target)
    with pytest.raises(NotesyncError, match="link"):
        publish(vault)
    assert target.read_bytes() == b"precious"


def test_another_machine_publishes(vault: Path) -> None:
    (vault / "notesync.yaml").write_text("calendar: {machine: somebody-elses}\n", encoding="utf-8")
    assert not publish(vault).changed
    assert not (vault / "followups.ics").exists()


@pytest.mark.parametrize("component", ["event", "todo", "both"])
def test_an_export_of_one_component_parses_and_has_its_items(vault: Path, component: str) -> None:
    with open_vault(vault) as workspace:
        workspace.refresh()
        feed = b"".join(workspace.feed(component=component))
    calendar = Calendar.from_ical(feed)
    counts = (len(calendar.events), len(calendar.todos))
    assert counts == {"event": (4, 0), "todo": (1, 3), "both": (4, 3)}[component]
    uids = [str(item["UID"]) for item in (*calendar.events, *calendar.todos)]
    assert len(uids) == len(set(uids))


def test_an_export_of_an_owners_follow_ups_holds_no_others(vault: Path) -> None:
    put(vault, "Dune.md", "type: client\nowner: Anna\nnext_contact: 2026-12-01\n")
    with open_vault(vault) as workspace:
        workspace.refresh()
        calendar = Calendar.from_ical(b"".join(workspace.feed(owners=("anna",))))
    assert [str(event["SUMMARY"]) for event in calendar.events] == ["Dune: Contact as agreed"]
