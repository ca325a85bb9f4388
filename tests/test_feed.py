"""The calendar file as it comes of a folder of notes."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
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
from notesync.sync.feed import build_feed
from notesync.sync.pipeline import Selection, Workspace, open_workspace
from notesync.sync.publishing import Published

TODAY = date(2026, 11, 22)


def open_vault(root: Path, day: date = TODAY, minute: int = 0) -> Workspace:
    return open_workspace(
        str(root),
        lambda _zone: Moment(day, minute),
        cache=str(root.parent / f"cache-{root.name}"),
        pause=lambda _: None,
    )


def publish(root: Path, day: date = TODAY, minute: int = 0) -> Published:
    with open_vault(root, day, minute) as workspace:
        workspace.refresh()
        return workspace.publish()


def events(root: Path, name: str = "followups.ics") -> dict[str, tuple[date, date]]:
    found = Calendar.from_ical((root / name).read_bytes())
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
    assert publish(vault) == ("followups.ics", True, 4, (), ("followups.ics",))
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
        with patch("notesync.sync.kept_events.PIECE", size), open_vault(vault) as workspace:
            workspace.refresh()
            assert b"".join(workspace.feed()) == whole
            assert workspace.publish()[:3] == ("followups.ics", False, 8)


def test_the_size_of_batches_changes_nothing(vault: Path, tmp_path: Path) -> None:
    put(vault, "Dune.md", "type: client\nnext_contact: 2026-12-01\n", "\n- [ ] Send it 📅 2026-11-25\n")
    publish(vault)
    whole = (vault / "followups.ics").read_bytes()
    for size in (1, 2, 3):
        for path in (tmp_path / "cache-vault").iterdir():
            path.unlink()
        with (
            patch("notesync.sync.kept_events.BATCH", size),
            patch("notesync.sync.kept_events.STORED", size),
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


@pytest.mark.parametrize("owned", [False, True])
def test_after_a_save_only_the_days_that_it_touches_are_made_anew(vault: Path, owned: bool) -> None:
    with (vault / "notesync.yaml").open("a", encoding="utf-8") as file:
        file.write(f"calendar: {{per_owner: {owned}}}\nowners: {{Zed: {{}}}}\n".lower())
    with open_vault(vault) as workspace:
        workspace.refresh()
        workspace.publish()
        asked: list[tuple[int, int]] = []
        kept = workspace.index.events

        def ask(first: int, last: int, *words: Any) -> Any:
            asked.append((first, last))
            return kept(first, last, *words)

        put(vault, "Cape.md", "type: client\nnext_contact: 2026-12-28T14:30\n")
        workspace.refresh()
        with patch.object(workspace.index, "events", ask):
            assert workspace.publish().changed
        days = [day.toordinal() for day in (TODAY, date(2026, 12, 24), date(2026, 12, 28))]
        assert asked == [(day, day) for day in days] * (1 + owned)
        assert len(events(vault)) == 4
        whole = b"".join(workspace.feed())
    assert (vault / "followups.ics").read_bytes() == whole


def test_what_is_open_stands_on_today_when_asked_and_is_made_once(vault: Path) -> None:
    """Also a window that opened before: its words say until when."""
    put(vault, "Dune.md", "type: client\n", "\n- [ ] Send the plan 🛫 2026-11-18 📅 2026-11-27\n")
    (vault / "notesync.yaml").write_text("calendar: {overdue: each}\n", encoding="utf-8")
    with open_vault(vault) as workspace:
        workspace.refresh()
        workspace.publish()
        found = events(vault)
        assert found["Dune: Send the plan (until Fri 27 Nov)"][0] == TODAY
        assert found["Thandi: Call about the worktop (was due Fri 20 Nov)"][0] == TODAY
        with patch.object(calendar, "build_events", side_effect=AssertionError):
            workspace.published = None
            assert not workspace.publish().changed
            assert b"".join(workspace.feed()) == (vault / "followups.ics").read_bytes()
    publish(vault, date(2026, 11, 23))
    assert events(vault)["Dune: Send the plan (until Fri 27 Nov)"][0] == date(2026, 11, 23)


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


@pytest.mark.parametrize("overdue", ["digest", "each", "stay"])
def test_the_hour_changes_nothing_in_the_feed(vault: Path, overdue: str) -> None:
    """Or two machines would write over each other's calendar as soon as an agreed hour has passed on one."""
    put(vault, "Dune.md", "type: client\nnext_contact: 2026-11-22T09:00\n")
    (vault / "notesync.yaml").write_text(
        f"timezone: Africa/Johannesburg\nagenda_note: Agenda.md\ncalendar: {{overdue: {overdue}}}\n",
        encoding="utf-8",
    )
    publish(vault, minute=8 * 60)
    with open_vault(vault, minute=8 * 60) as workspace:
        workspace.refresh()
        exported = b"".join(workspace.feed(component="both"))
    later = publish(vault, minute=20 * 60)
    assert not later.changed
    assert later.also == ()
    with open_vault(vault, minute=20 * 60) as workspace:
        workspace.refresh()
        assert b"".join(workspace.feed(component="both")) == exported


@pytest.mark.parametrize(("component", "detail"), [("both", ""), ("event", "names")])
def test_a_calendar_of_a_person_s_own_comes_in_small_pieces(
    vault: Path, monkeypatch: pytest.MonkeyPatch, component: str, detail: str
) -> None:
    """Its length costs no memory, and notes with one id keep their events apart, wherever a piece ends."""
    for number in range(12):
        put(vault, f"{number}.md", f"type: client\nid: twin-{number // 3}\nnext_contact: 2026-11-25\n")
    with open_vault(vault) as workspace:
        workspace.refresh()
        whole = b"".join(workspace.feed(component=component, detail=detail))
        monkeypatch.setattr("notesync.sync.kept_events.BATCH", 2)
        pieces = list(build_feed(workspace, component=component, detail=detail))
    assert max(piece.count(b"\nUID:") for piece in pieces) <= 4
    assert b"".join(pieces) == whole


# each owner's ---------------------------------------------------------------------------------------


@pytest.fixture
def owned(vault: Path) -> Path:
    """Acme is Anna's, Bolt is Ben's, Cape belongs to both, and Zed has no client yet."""
    put(vault, "Acme.md", "type: client\nowner: Anna\nname: Thandi\nnext_contact: 2026-11-20\n")
    put(vault, "Bolt.md", "type: client\nowner: Ben van Wyk\nevery: 2 weeks\nlast_contact: 2026-11-20\n")
    put(vault, "Cape.md", "type: client\nowner: [anna, Ben van Wyk]\nnext_contact: 2026-12-24T14:30\n")
    (vault / "notesync.yaml").write_text(
        "timezone: Africa/Johannesburg\nobsidian_vault: Clients\nowners: {Zed: {phone: 021}}\n"
        "calendar: {per_owner: true}\n",
        encoding="utf-8",
    )
    return vault


OWNERS = ("followups-anna.ics", "followups-ben_van_wyk.ics", "followups-zed.ics")


def test_each_owner_has_a_calendar_and_a_shared_account_stands_in_both(owned: Path) -> None:
    found = publish(owned)
    assert found.also == OWNERS
    assert found.paths == ("followups.ics", *OWNERS)
    assert sorted(name.partition(":")[0] for name in events(owned, OWNERS[0])) == [
        "1 overdue", "Cape", "Thandi",
    ]  # fmt: skip
    assert sorted(name.partition(":")[0] for name in events(owned, OWNERS[1])) == ["Bolt", "Cape"]
    assert events(owned, OWNERS[2]) == {"No follow-ups due": (date(2000, 1, 1), date(2000, 1, 2))}
    assert b"X-WR-CALNAME:Follow-ups: Clients\\, Anna\r\n" in (owned / OWNERS[0]).read_bytes()
    assert publish(owned).also == ()


@pytest.mark.parametrize("overdue", ["digest", "each", "stay"])
def test_an_owners_calendar_is_what_an_export_for_them_has(owned: Path, overdue: str) -> None:
    settings = (owned / "notesync.yaml").read_text(encoding="utf-8")
    (owned / "notesync.yaml").write_text(
        settings.replace("per_owner: true", f"per_owner: true, overdue: {overdue}"), encoding="utf-8"
    )
    publish(owned)
    with open_vault(owned) as workspace:
        workspace.refresh()
        for name, owner in zip(OWNERS, ("Anna", "ben van wyk", "Zed"), strict=True):
            written = (owned / name).read_bytes().partition(b"BEGIN:VEVENT")[2]
            exported = b"".join(workspace.feed(owners=(owner,))).partition(b"BEGIN:VEVENT")[2]
            assert written == exported
            # Made anew, as an export in another detail is, they are the same too.
            both = b"".join(workspace.feed(owners=(owner,), component="both"))
            for uid in Calendar.from_ical((owned / name).read_bytes()).events:
                assert str(uid["UID"]).encode() in both


@pytest.mark.parametrize("after", ["owner: Ben van Wyk\n", ""])
def test_the_calendar_of_an_owner_who_is_gone_is_emptied(owned: Path, after: str) -> None:
    publish(owned)
    for note in ("Acme", "Cape"):
        put(owned, f"{note}.md", f"type: client\n{after}next_contact: 2026-11-20\n")
    assert "followups-anna.ics" in publish(owned).also
    assert list(events(owned, "followups-anna.ics")) == ["No follow-ups due"]
    assert publish(owned).also == ()
    put(owned, "Acme.md", "type: client\nowner: Anna\nnext_contact: 2026-12-01\n")
    assert "followups-anna.ics" in publish(owned).also
    assert list(events(owned, "followups-anna.ics")) == ["Acme: Contact as agreed"]


def test_without_per_owner_the_owners_calendars_are_emptied_and_others_files_are_left_alone(
    owned: Path,
) -> None:
    with open_vault(owned) as workspace:
        workspace.refresh()
        export = b"".join(workspace.feed(owners=("Anna",)))
    (owned / "followups-shared.ics").write_bytes(export)
    (owned / "followups-notes.ics").write_bytes(b"something else")
    (owned / "followups-folder.ics").mkdir()
    publish(owned)
    (owned / "notesync.yaml").write_text("timezone: Africa/Johannesburg\n", encoding="utf-8")
    assert publish(owned).also == OWNERS
    assert all(list(events(owned, name)) == ["No follow-ups due"] for name in OWNERS)
    assert (owned / "followups-shared.ics").read_bytes() == export
    assert (owned / "followups-notes.ics").read_bytes() == b"something else"


@pytest.mark.skipif(os.name == "nt", reason="needs privileges on Windows")
def test_a_link_in_place_of_an_owners_calendar_is_not_followed(owned: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious.ics"
    target.write_bytes(b"precious")
    (owned / "followups-anna.ics").symlink_to(target)
    with pytest.raises(NotesyncError, match="link"):
        publish(owned)
    assert target.read_bytes() == b"precious"


# the agenda as a note -------------------------------------------------------------------------------


@pytest.fixture
def noted(vault: Path) -> Path:
    with (vault / "notesync.yaml").open("a", encoding="utf-8") as file:
        file.write("agenda_note: Follow-ups.md\n")
    return vault


def test_the_agenda_is_written_as_a_note_that_is_no_clients(noted: Path) -> None:
    assert publish(noted).also == ("Follow-ups.md",)
    text = (noted / "Follow-ups.md").read_text(encoding="utf-8")
    assert text.startswith("---\ngenerated: notesync\n---\n")
    assert "[Thandi](<Acme.md>)" in text
    with open_vault(noted) as workspace:
        workspace.refresh()
        assert workspace.counts() == (4, 3)
        assert not workspace.problems()
        assert workspace.publish().also == ()
    assert publish(noted, date(2026, 11, 23)).also == ("Follow-ups.md",)


def test_two_machines_write_the_same_note(noted: Path, tmp_path: Path) -> None:
    publish(noted)
    first = (noted / "Follow-ups.md").read_bytes()
    for path in (tmp_path / "cache-vault").iterdir():
        path.unlink()
    assert publish(noted).also == ()
    assert (noted / "Follow-ups.md").read_bytes() == first


@pytest.mark.parametrize(
    "words",
    [
        "---\ntype: client\nphone: 021\n---\n",
        "Shopping\n",
        "---\nreview: 2026-11\ngenerated: notesync\n---\nWhat I learned: listen.\n",
    ],
    ids=["a client", "another", "a review with answers"],
)
def test_a_persons_note_in_its_place_is_left_alone_and_the_calendar_written(noted: Path, words: str) -> None:
    (noted / "Follow-ups.md").write_text(words, encoding="utf-8")
    with pytest.raises(NotesyncError, match=r"Follow-ups\.md is not a note that notesync wrote"):
        publish(noted)
    assert (noted / "Follow-ups.md").read_text(encoding="utf-8") == words
    assert len(events(noted)) == 4


def test_an_empty_file_becomes_the_note(noted: Path) -> None:
    (noted / "Follow-ups.md").touch()
    assert publish(noted).also == ("Follow-ups.md",)


# what strangers see ---------------------------------------------------------------------------------

PRIVATE = {
    "name": "Quintessa Bramblewick", "company": "Zorgon Holdings", "role": "Vizier", "phone": "+27 83 555 0142",
    "email": "quintessa@zorgon.example", "address": "17 Wobbly Lane", "website": "https://zorgon.example",
    "best_time": "Thursdays after the choir", "value": "987654", "source": "Mumbletown fair",
    "next_action": "Ask whether the gazebo leaks", "tags": "[peculiartag]", "birthday": "1971-03-09",
    "aliases": "[Quinny]", "contact_by": "call", "owner": "Ferdinand",
}  # fmt: skip


@pytest.mark.parametrize(
    ("detail", "shown"),
    [("names", {"Quintessa", "Bramblewick"}), ("initials", set())],
)
@pytest.mark.parametrize("overdue", ["digest", "each"])
def test_nothing_private_is_in_any_calendar_of_less_detail(
    tmp_path: Path, detail: str, shown: set[str], overdue: str
) -> None:
    root = tmp_path / "Hush-hush vault"
    root.mkdir()
    header = "".join(f"{key}: {value}\n" for key, value in PRIVATE.items())
    body = (
        "\n## Log\n\n- 2026-11-01 call: She mentioned her *lighthouse*. Promised: the trombone by 2026-11-10.\n"
        "- [ ] Send the crocodile papers 📅 2026-11-25\n- [ ] Undated marmalade #promise\n"
    )
    put(root, "Cellar/Bramblewick file.md", f"type: client\n{header}stage: prospect\n"
        "next_contact: 2026-11-20\nevery: week\nsold: 2026-10-01\n", body)  # fmt: skip
    put(root, "Undated.md", f"type: client\n{header}", "\n- [ ] Undated marmalade #promise\n")
    (root / "notesync.yaml").write_text(
        "vault_id: hidden-vault-id\nobsidian_vault: Hushbook\n"
        f"calendar: {{detail: {detail}, per_owner: true, alarm: '08:30', overdue: {overdue},"
        " description: The lighthouse people, color: teal}\n",
        encoding="utf-8",
    )
    publish(root)
    with open_vault(root) as workspace:
        workspace.refresh()
        feeds = [b"".join(workspace.feed(component="both", detail=detail))]
    feeds += [path.read_bytes() for path in root.glob("*.ics")]
    assert len(feeds) == 3
    for feed in feeds:
        said = feed.replace(b"\r\n ", b"").decode().casefold()
        assert said.count("begin:vevent") > 2
        words = {word for value in PRIVATE.values() for word in value.strip("[]").split() if len(word) > 3}
        words |= {
            "lighthouse",
            "trombone",
            "crocodile",
            "marmalade",
            "Cellar",
            "Hush",
            "hidden-vault",
            "0142",
        }
        words -= {"call", "with", "after", "whether"}
        assert {word for word in words if word.casefold() in said} == shown


EXAMPLE = Path(__file__).parents[1] / "examples/vault"
OPEN = {"type", "stage", "contact_by", "not_by", "plan"}  # keys whose words are the format's own


@pytest.mark.parametrize("detail", ["names", "initials"])
@pytest.mark.parametrize("overdue", ["digest", "each", "stay"])
def test_no_words_of_the_examples_notes_are_in_its_calendars_of_less_detail(
    tmp_path: Path, detail: str, overdue: str
) -> None:
    """Every value of every header, and every three words of a log entry or a task, are looked for."""
    shutil.copytree(EXAMPLE, root := tmp_path / "vault")
    text = (root / "notesync.yaml").read_text(encoding="utf-8")
    text = text.replace("detail: full", f"detail: {detail}\n  per_owner: true")
    (root / "notesync.yaml").write_text(
        text.replace("overdue: digest", f"overdue: {overdue}"), encoding="utf-8"
    )
    publish(root)
    with open_vault(root) as workspace:
        workspace.refresh()
        feeds = [b"".join(workspace.feed(component="both"))]
        names = {card.name for card in workspace.cards(Selection())}
    feeds += [path.read_bytes() for path in root.glob("*.ics")]
    assert len(feeds) == 4
    lines = b"".join(feeds).replace(b"\r\n ", b"").replace(b"\\", b"").decode().casefold().split("\r\n")
    told = (line for line in lines if not re.match("uid|dt|due|last-|sequence|x-n|x-mi", line))
    said = "\n".join(told)  # without hashes, dates and constants
    shown = " ".join(names).casefold() if detail == "names" else ""
    assert sum(name.casefold() in said for name in names) > (10 if detail == "names" else -1)
    notes = [note for note in root.rglob("*.md") if note.read_text(encoding="utf-8").startswith("---\n")]
    secrets = {value.casefold() for note in notes for value in find_values(note) if len(value) > 3}
    assert len(secrets) > 300
    assert {value for value in secrets if value in said and value not in shown} == set()


def find_values(path: Path) -> Iterator[str]:
    _, header, body = f"\n{path.read_text(encoding='utf-8')}".split("\n---\n", 2)
    for line in header.split("\n"):
        key, colon, value = line.partition(":")
        if key not in OPEN:
            yield from (word.strip(" \"'[]") for word in (value if colon else key.lstrip(" -")).split(","))
    for line in body.split("\n"):
        words = re.findall(r"\w+", line)
        yield from (" ".join(words[at : at + 3]) for at in range(len(words) - 2))
