"""A vault with conflict copies: which notes they are copies of, and what of them counts."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result
from commands import put
from hypothesis import given, settings
from hypothesis import strategies as st

from notesync.cli import session
from notesync.cli.group import notesync
from notesync.followup.agenda import Moment
from notesync.store.history import History
from notesync.store.places import state_dir
from notesync.store.vault import Content, Unreadable, Vault
from notesync.sync.client_note import read_history
from notesync.sync.pipeline import Selection, Workspace, open_workspace

TODAY = Moment(date(2026, 11, 22), 600)


@pytest.fixture(autouse=True)
def _today(own_places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "read_clock", lambda zone: TODAY)


def remember(vault: Path, name: str, text: str) -> None:
    with History(state_dir(str(vault))) as history:
        history.store([(name, text.encode())], 1_790_000_000)


def find(workspace: Workspace) -> list[tuple[str, str]]:
    workspace.refresh()
    return [(copy.path, copy.original) for copy in workspace.find_copies()]


# --- Which notes are copies ------------------------------------------------------------------------------

SURE = (
    "Acme (Anna's conflicted copy 2026-11-22).md",
    "Acme.sync-conflict-20261122-103045-ABCDEFG.md",
    "Acme-LAPTOP-safeBackup-0001.md",
    "Acme.Conflict.md",
    "Acme.md..path1",
    "Acme.md.conflict2",
    "Acme.MD..PATH2",
)


@pytest.mark.parametrize("name", SURE)
def test_a_name_that_proves_it_is_enough_with_or_without_the_note(
    vault: Path, workspace: Workspace, name: str
) -> None:
    put(vault, f"Clients/{name}", "type: client")
    ((path, original),) = find(workspace)
    assert (path, original.lower()) == (f"Clients/{name}", "clients/acme.md")
    put(vault, "Clients/Acme.md", "type: client")
    assert find(workspace) == [(f"Clients/{name}", "Clients/Acme.md")]


PAST = "---\ntype: client\nphone: 012 345 678\n---\n# Notes\nLikes long lunches.\nHas two shops.\n"


def test_a_weak_name_counts_by_one_id_in_both(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client\nid: a1")
    put(vault, "Acme 2.md", "type: client\nid: a1")
    put(vault, "Acme (1).md", "type: client\nid: b2")
    put(vault, "Bolt.md", "type: client\nid: a2\nname: Bolt")
    put(vault, "Bolt-Cape.md", "type: client\nid: a2\nname: Bolt of Cape Town")
    assert find(workspace) == [("Acme 2.md", "Acme.md")]


def test_a_weak_name_counts_by_what_this_computer_remembers_of_the_note(
    vault: Path, workspace: Workspace
) -> None:
    (vault / "Acme.md").write_text(PAST + "Closed in May.\n", encoding="utf-8")
    (vault / "Acme 2.md").write_text(PAST + "Wants a third.\n", encoding="utf-8")
    assert find(workspace) == []
    remember(vault, "Acme.md", PAST)
    assert find(workspace) == [("Acme 2.md", "Acme.md")]


NOT_COPIES = {
    "of another name": (PAST, PAST.replace("type: client", "type: client\nname: Acme North")),
    "with another past": (PAST, "---\ntype: client\nphone: 99\n---\nNobody's fool.\nSells tyres.\n"),
    "that is no client's": (PAST, PAST.replace("type: client", "type: supplier")),
    "beside one that is no client's": (PAST.replace("type: client", "type: note"), PAST),
}


@pytest.mark.parametrize("pair", NOT_COPIES.values(), ids=NOT_COPIES)
def test_a_weak_name_does_not_make_a_copy_of_a_note(
    vault: Path, workspace: Workspace, pair: tuple[str, str]
) -> None:
    (vault / "Acme.md").write_text(pair[0], encoding="utf-8")
    (vault / "Acme 2.md").write_text(pair[1], encoding="utf-8")
    remember(vault, "Acme.md", PAST)
    assert find(workspace) == []


def test_a_file_with_digits_behind_that_is_no_copy_is_not_read(vault: Path, workspace: Workspace) -> None:
    for name in ("Acme.md.1", "Acme.md2", "Acme.txt.conflict1", ".Acme.md.conflict1"):
        put(vault, name, "type: client")
    assert find(workspace) == []
    assert workspace.counts() == (0, 0)


# --- What of them counts ---------------------------------------------------------------------------------

DROPBOX = "Acme (Anna's conflicted copy 2026-11-22).md"
SYNCTHING = "Acme.sync-conflict-20261122-103045-ABCDEFG.md"


def look(workspace: Workspace) -> list[str]:
    """What is asked for: client, title, day and place; a star where only a copy asks for it."""
    workspace.refresh()
    items = workspace.agenda(Selection(everything=True)).items
    star = {True: "* ", False: ""}
    return sorted(
        f"{star[item.conflict]}{item.client}: {item.title} {item.due} ({item.path}:{item.line})"
        for item in items
    )


COUNTED = {
    "the same twice": (
        "next_contact: 2026-11-20", "- [ ] Send it 📅 2026-11-25\n",
        "next_contact: 2026-11-20", "- [ ] Send it 📅 2026-11-25\n",
        [],
    ),
    "another next contact": (
        "next_contact: 2026-11-20", "",
        "next_contact: 2026-11-23", "",
        ["Contact as agreed 2026-11-23 (COPY:3)"],
    ),
    "another hour": (
        "next_contact: 2026-11-25", "",
        "next_contact: 2026-11-25T14:30", "",
        ["Contact as agreed 2026-11-25T14:30 (COPY:3)"],
    ),
    "a task of its own": (
        "", "- [ ] Send it 📅 2026-11-25\n",
        "", "- [ ] Ring back 📅 2026-11-24\n- [ ] Send it 📅 2026-11-25\n",
        ["Ring back 2026-11-24 (COPY:5)"],
    ),
    "a task of the same words above": (
        "", "- [ ] Ring 📅 2026-11-25\n",
        "", "- [ ] Ring 📅 2026-11-24\n- [ ] Ring 📅 2026-11-25\n",
        ["Ring 2026-11-24 (COPY:5)"],
    ),
    "a task moved": (
        "", "- [ ] Ring 📅 2026-11-25\n",
        "", "- [ ] Ring 📅 2026-11-26\n",
        ["Ring 2026-11-26 (COPY:5)"],
    ),
    "a task ticked in the original": (
        "", "- [x] Ring 📅 2026-11-20 ✅ 2026-11-21\n- [ ] Ring 📅 2026-11-27\n",
        "", "- [ ] Ring 📅 2026-11-20\n- [ ] Ring 📅 2026-11-27\n",
        [],
    ),
    "a task that waits": (
        "", "",
        "", "- [ ] Ship 📅 2026-11-20 ⛔ p1\n- [ ] Pack 🆔 p1\n",
        ["Ship 2026-11-20 (COPY:5)"],
    ),
    "a promise of its own": (
        "", "## Log\n- 2026-11-20 call: hello\n",
        "", "## Log\n- 2026-11-20 call: hello\n- 2026-11-21 call: prices #promise 📅 2026-11-27\n",
        ["prices 2026-11-27 (COPY:7)"],
    ),
    "a promise that the original kept": (
        "", "## Log\n- 2026-11-18 call: prices #promise\n- 2026-11-20 call: sent #kept\n",
        "", "## Log\n- 2026-11-18 call: prices #promise\n",
        [],
    ),
    "an agreed contact that took place by the original's log": (
        "next_contact: 2026-11-20", "## Log\n- 2026-11-20 call: talked\n",
        "next_contact: 2026-11-20", "",
        [],
    ),
    "an agreed contact shortly after one of the original's log": (
        "", "## Log\n- 2026-11-20 call: talked\n",
        "next_contact: 2026-11-23", "",
        ["Contact as agreed 2026-11-23 (COPY:3)"],
    ),
    "an older last contact": (
        "every: month\nlast_contact: 2026-11-10", "",
        "every: month\nlast_contact: 2026-10-01", "",
        [],
    ),
    "a rhythm": (
        "last_contact: 2026-11-16", "",
        "every: week\nlast_contact: 2026-11-16", "",
        ["Keep in touch 2026-11-24 (COPY:3)"],
    ),
    "a step that the original's log settled": (
        "quoted: 2026-11-19", "## Log\n- 2026-11-21 call: has it #quote-received\n",
        "quoted: 2026-11-19", "",
        [],
    ),
    "a step of a quote of its own": (
        "", "",
        "quoted: 2026-11-19", "",
        [
            "Ask for the decision on the quote 2026-11-30 (COPY:3)",
            "Ask whether the quote has arrived and what is unclear in it 2026-11-23 (COPY:3)",
        ],
    ),
    "nothing any more": ("next_contact: 2026-11-20", "", "do_not_contact: true", "", []),
    "no front matter": (
        "next_contact: 2026-11-20", "",
        None, "- [ ] Ring 📅 2026-11-25\n",
        ["Ring 2026-11-25 (COPY:1)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", COUNTED.values(), ids=COUNTED)
@pytest.mark.parametrize("copy", [DROPBOX, SYNCTHING, "Acme.md..path1"])
def test_the_originals_follow_ups_count_and_those_that_only_the_copy_holds(
    vault: Path, workspace: Workspace, case: tuple[str, str, str | None, str, list[str]], copy: str
) -> None:
    header, body, header_there, body_there, expected = case
    put(vault, "Acme.md", f"type: client\n{header}", body)
    alone = look(workspace)
    assert not any(each.startswith("*") for each in alone)
    put(vault, copy, "" if header_there is None else f"type: client\n{header_there}", body_there)
    both = look(workspace)
    assert [each for each in both if each[0] != "*"] == alone
    assert [each[8:].replace(copy, "COPY") for each in both if each[0] == "*"] == expected
    assert workspace.counts().clients == 1
    assert [card.path for card in workspace.cards(Selection())] == ["Acme.md"]
    (vault / copy).unlink()
    assert look(workspace) == alone


def test_two_copies_hold_the_same_once(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client")
    put(vault, DROPBOX, "type: client", "- [ ] Ring 📅 2026-11-25\n- [ ] Write 📅 2026-11-26\n")
    put(vault, SYNCTHING, "type: client", "- [ ] Ring 📅 2026-11-25\n- [ ] Visit 📅 2026-11-27\n")
    assert [each.split(" (")[0] for each in look(workspace)] == [
        "* Acme: Ring 2026-11-25",
        "* Acme: Visit 2026-11-27",
        "* Acme: Write 2026-11-26",
    ]


def test_what_a_copy_asks_for_has_a_uid_of_its_own_and_is_told_in_the_calendar(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client\nid: a1", "- [ ] Ring 🛫 2026-11-24 📅 2026-11-25\n")
    put(vault, DROPBOX, "type: client\nid: a1", "- [ ] Ring 🛫 2026-11-24 📅 2026-11-26\n")
    workspace.refresh()
    one, two = workspace.agenda(Selection(everything=True)).items
    assert (one.conflict, two.conflict, one.client_id) == (False, True, two.client_id)
    assert one.uid != two.uid
    feed = b"".join(workspace.feed()).replace(b"\r\n ", b"")
    assert feed.count(b"BEGIN:VEVENT") == 2
    assert feed.count(b"only in a conflict copy") == 1
    lines = list(workspace.lines(Selection(everything=True))[0])
    assert sorted(line.partition(" — ")[2] for line in lines) == [
        "Ring (only in a conflict copy) [task]\n",
        "Ring [task]\n",
    ]


def test_a_copys_open_contact_does_not_hold_the_originals_rhythm_back(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client\nevery: week\nlast_contact: 2026-11-02")
    put(vault, DROPBOX, "type: client\nevery: week\nlast_contact: 2026-11-02\nnext_contact: 2026-11-20")
    assert [each.split(" (")[0] for each in look(workspace)] == [
        "* Acme: Contact as agreed 2026-11-20",
        "Acme: Keep in touch 2026-11-10",
    ]


def show(version: tuple[str, list[tuple[str, int]]]) -> Counter[tuple[str, str | None]]:
    """The follow-ups of a note that holds nothing but an agreed contact and tasks: titles and days."""
    agreed, tasks = version
    found = Counter((title, f"2026-11-{day}") for title, day in tasks)
    return found + Counter([("Contact as agreed", agreed)] if agreed else [])


versions = st.tuples(
    st.sampled_from(["", "2026-11-20", "2026-11-24", "2026-12-01"]),
    st.lists(st.tuples(st.sampled_from(["Ring", "Write"]), st.integers(19, 27)), max_size=4),
)


@settings(max_examples=40, deadline=None)
@given(original=st.none() | versions, copies=st.lists(versions, min_size=1, max_size=3))
def test_nothing_is_listed_twice_and_nothing_hidden(
    original: tuple[str, list[tuple[str, int]]] | None, copies: list[tuple[str, list[tuple[str, int]]]]
) -> None:
    names = (DROPBOX, "Acme.md..path1", SYNCTHING)
    notes = dict(sorted(zip(names, copies, strict=False)))
    if original is not None:
        notes = {"Acme.md": original, **notes}
    with tempfile.TemporaryDirectory() as home:
        vault = Path(home, "vault")
        vault.mkdir()
        for name, (agreed, tasks) in notes.items():
            body = "".join(f"- [ ] {title} 📅 2026-11-{day}\n" for title, day in tasks)
            put(vault, name, f"type: client\nnext_contact: {agreed}", body)
        with open_workspace(str(vault), lambda _zone: TODAY, cache=str(Path(home, "cache"))) as workspace:
            workspace.refresh()
            items = workspace.agenda(Selection(everything=True)).items
            feed = b"".join(workspace.feed())
    first, *others = map(show, notes.values())
    union = first.copy()
    for other in others:
        union |= other
    assert Counter((item.title, item.due) for item in items if not item.conflict) == first
    assert Counter((item.title, item.due) for item in items) == union
    uids = {item.uid.encode() for item in items}
    assert len(uids) == len(items)
    assert all(feed.count(b"UID:" + uid) == 1 for uid in uids)


# --- Without the original --------------------------------------------------------------------------------


def test_where_the_original_is_gone_the_copy_that_sorts_first_stands_in(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Clients/Acme.md", "type: client\nnext_contact: 2026-11-20")
    put(vault, "Clients/Acme.md..path2", "type: client\nnext_contact: 2026-11-23")
    workspace.refresh()
    before = {item.uid for item in workspace.agenda(Selection(everything=True)).items}
    (vault / "Clients/Acme.md").rename(vault / "Clients/Acme.md..path1")
    assert look(workspace) == [
        "* Acme: Contact as agreed 2026-11-23 (Clients/Acme.md..path2:3)",
        "Acme: Contact as agreed 2026-11-20 (Clients/Acme.md..path1:3)",
    ]
    after = {item.uid for item in workspace.agenda(Selection(everything=True)).items}
    assert after == before
    assert [(name.name, name.path) for name in workspace.names()] == [("Acme", "Clients/Acme.md..path1")]
    (vault / "Clients/Acme.md..path1").rename(vault / "Clients/Acme.md")
    assert [each.split(" (")[1] for each in look(workspace)] == [
        "Clients/Acme.md..path2:3)",
        "Clients/Acme.md:3)",
    ]


def test_links_to_a_note_that_is_gone_mean_the_copy_that_stands_in(vault: Path, workspace: Workspace) -> None:
    put(vault, DROPBOX, "type: client")
    put(vault, SYNCTHING, "type: client")
    put(vault, "Inbox.md", "", "- [ ] Ring [[Acme]] 📅 2026-11-25\n")
    assert look(workspace) == ["Acme: Ring Acme 2026-11-25 (Inbox.md:1)"]


def test_a_copy_of_a_note_that_is_no_clients_any_more_stands_in(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: supplier")
    put(vault, DROPBOX, "type: client\nnext_contact: 2026-11-20")
    assert look(workspace) == [f"Acme: Contact as agreed 2026-11-20 ({DROPBOX}:3)"]
    put(vault, "Acme.md", "type: client")
    assert look(workspace) == [f"* Acme: Contact as agreed 2026-11-20 ({DROPBOX}:3)"]


# --- Weak names ------------------------------------------------------------------------------------------


def test_a_weak_copy_by_id_counts_once_until_its_id_is_another(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
    put(vault, "Acme 2.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
    assert look(workspace) == ["Acme: Contact as agreed 2026-11-20 (Acme.md:4)"]
    assert [problem.code for problem in workspace.problems()] == ["conflict-copy"]
    put(vault, "Acme 2.md", "type: client\nid: a2\nnext_contact: 2026-11-20")
    assert [each.split(":")[0] for each in look(workspace)] == ["Acme 2", "Acme"]
    assert workspace.problems() == ()
    put(vault, "Acme.md", "type: client\nid: a2\nnext_contact: 2026-11-20")
    assert look(workspace) == ["Acme: Contact as agreed 2026-11-20 (Acme.md:4)"]


def test_what_only_this_computer_remembers_makes_no_difference_to_what_counts(
    vault: Path, workspace: Workspace
) -> None:
    text = "---\ntype: client\nphone: 012 345 678\nnext_contact: 2026-11-20\n---\nLikes long lunches.\n"
    (vault / "Acme.md").write_text(text, encoding="utf-8")
    (vault / "Acme 2.md").write_text(text, encoding="utf-8")
    remember(vault, "Acme.md", text)
    assert len(look(workspace)) == 2
    assert [copy.path for copy in workspace.find_copies()] == ["Acme 2.md"]
    assert workspace.problems() == ()
    found = run(vault, "doctor", "--format", "lines")
    assert "Acme 2.md:1:1: warning conflict-copy: This seems to be a conflict copy of Acme.md" in found.stdout


# --- One client in two notes -----------------------------------------------------------------------------


def test_two_notes_with_one_id_are_one_client(vault: Path, workspace: Workspace) -> None:
    """One device renamed the note while another changed it: both names are there, and no name tells of it."""
    put(vault, "Acme.md", "type: client\nid: a1\nnext_contact: 2026-11-20", "- [ ] Ring 📅 2026-11-25\n")
    put(
        vault,
        "Clients/Acme Ltd.md",
        "type: client\nid: a1\nnext_contact: 2026-11-20",
        "- [ ] Write 📅 2026-11-26\n",
    )
    assert look(workspace) == [
        "* Acme: Write 2026-11-26 (Clients/Acme Ltd.md:6)",
        "Acme: Contact as agreed 2026-11-20 (Acme.md:4)",
        "Acme: Ring 2026-11-25 (Acme.md:6)",
    ]
    (problem,) = workspace.problems()
    assert (problem.path, problem.line, problem.code) == ("Clients/Acme Ltd.md", 3, "duplicate-id")
    assert "Acme.md" in problem.message
    assert workspace.counts().clients == 1
    (vault / "Acme.md").unlink()
    assert [each.split(":")[0] for each in look(workspace)] == ["Acme Ltd", "Acme Ltd"]
    assert workspace.problems() == ()


def test_a_note_that_loses_the_id_is_a_client_again(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
    put(vault, "Bolt.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
    assert len(look(workspace)) == 1
    put(vault, "Bolt.md", "type: client\nnext_contact: 2026-11-20")
    assert [each.split(":")[0] for each in look(workspace)] == ["Acme", "Bolt"]
    assert workspace.problems() == ()


def test_notes_with_one_id_that_write_different_names_are_two_clients(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client\nid: a1\nname: Acme\nnext_contact: 2026-11-20")
    put(vault, "Acme 2.md", "type: client\nid: a1\nname: Bolt\nnext_contact: 2026-11-20")
    assert [each.split(":")[0] for each in look(workspace)] == ["Acme", "Bolt"]
    assert [problem.code for problem in workspace.problems()] == ["duplicate-id"]
    put(vault, "Acme 2.md", "type: client\nid: a1\nname: ACME\nnext_contact: 2026-11-20")
    assert [each.split(":")[0] for each in look(workspace)] == ["Acme"]
    assert [problem.code for problem in workspace.problems()] == ["conflict-copy"]


def test_a_copy_of_a_renamed_note_is_the_clients(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme Ltd.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
    put(vault, DROPBOX, "type: client\nid: a1\nnext_contact: 2026-11-23")
    assert [each.split(" (")[0] for each in look(workspace)] == [
        "* Acme Ltd: Contact as agreed 2026-11-23",
        "Acme Ltd: Contact as agreed 2026-11-20",
    ]


def test_copies_of_a_note_whose_id_another_has_are_that_ones(vault: Path, workspace: Workspace) -> None:
    put(vault, "Aardvark.md", "type: client\nid: a1")
    put(vault, "Acme.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
    put(vault, DROPBOX, "type: client\nid: a1\nnext_contact: 2026-11-23")
    assert [each.split(" (")[0] for each in look(workspace)] == [
        "* Aardvark: Contact as agreed 2026-11-20",
        "* Aardvark: Contact as agreed 2026-11-23",
    ]


def test_of_a_folder_that_was_copied_whole_the_folder_itself_counts(
    vault: Path, workspace: Workspace
) -> None:
    for folder in ("Clients", "Clients - Copy", "Clients copy"):
        put(vault, f"{folder}/Acme.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
        put(vault, f"{folder}/Bolt.md", f"type: client\nid: b2\nname: {folder}\nnext_contact: 2026-11-21")
    assert sorted(look(workspace)) == [
        "Acme: Contact as agreed 2026-11-20 (Clients/Acme.md:4)",
        "Clients - Copy: Contact as agreed 2026-11-21 (Clients - Copy/Bolt.md:5)",
        "Clients copy: Contact as agreed 2026-11-21 (Clients copy/Bolt.md:5)",
        "Clients: Contact as agreed 2026-11-21 (Clients/Bolt.md:5)",
    ]
    assert {"Clients/Acme.md", "Clients/Bolt.md"} == {
        problem.message.split(" has ")[0].removeprefix("The note ") for problem in workspace.problems()
    }


def test_many_notes_with_anothers_id_are_one_line_of_check(vault: Path) -> None:
    """Somebody has copied a folder whole: a line for each note would hide what else is wrong."""
    for number in range(11):
        for folder in ("Clients", "Clients copy"):
            put(vault, f"{folder}/C {number}.md", f"type: client\nid: c{number}\nevery: month")
    put(vault, "Clients copy/Zed.md", "type: client\nnext_contact: soon")
    told = run(vault, "check", "--format", "lines").stderr
    assert "11 notes have the id of another note: was a folder copied? notesync doctor\n" in told
    assert "duplicate-id" not in told
    assert "Clients copy/Zed.md:3" in told
    assert run(vault, "doctor", "--format", "lines").stdout.count(" duplicate-id: ") == 11
    (vault / "Clients copy/C 3.md").unlink()
    assert run(vault, "check", "--format", "lines").stderr.count(" duplicate-id: ") == 10


# --- Copies of notes that are no clients' ----------------------------------------------------------------


def test_a_copy_of_another_note_does_not_double_its_tasks(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client")
    put(vault, "Inbox.md", "", "- [ ] Ring [[Acme]] 📅 2026-11-25\n")
    put(
        vault, "Inbox (Anna's conflicted copy 2026-11-22).md", "",
        "- [ ] Write to [[Acme]] 📅 2026-11-26\n- [ ] Ring [[Acme]] 📅 2026-11-25\n",
    )  # fmt: skip
    assert [each.split(" (")[0] for each in look(workspace)] == [
        "* Acme: Write to Acme 2026-11-26",
        "Acme: Ring Acme 2026-11-25",
    ]
    (vault / "Inbox.md").unlink()
    assert [each.split(" (")[0] for each in look(workspace)] == [
        "Acme: Ring Acme 2026-11-25",
        "Acme: Write to Acme 2026-11-26",
    ]


def test_a_copy_of_a_daily_note_does_not_double_its_log(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client")
    put(vault, "2026-11-20.md", "", "## Log\n- [[Acme]] call (no answer)\n")
    put(
        vault, "2026-11-20 (Anna's conflicted copy 2026-11-21).md", "",
        "## Log\n- [[Acme]] call (no answer)\n- [[Acme]] call: prices #promise 📅 2026-11-27\n",
    )  # fmt: skip
    assert [each.split(" (")[0] for each in look(workspace)] == ["* Acme: prices 2026-11-27"]
    (name,) = workspace.names()
    assert len(read_history(workspace, name.key)[0]) == 1
    assert [problem.code for problem in workspace.problems()] == ["conflict-copy"]


def test_a_task_in_a_copy_holds_nobody_back(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client", "- [ ] Ship 📅 2026-11-20 ⛔ p1\n")
    put(vault, "Store.md", "", "- [x] Pack 🆔 p1 ✅ 2026-11-19\n")
    put(vault, "Store (conflicted copy).md", "", "- [ ] Pack 🆔 p1\n")
    workspace.refresh()
    (item,) = workspace.agenda(Selection()).items
    assert (item.status, item.waits) == ("overdue", "")


def test_the_tasks_of_a_clients_copy_are_the_clients_whomever_they_link_to(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Bolt.md", "type: client")
    put(vault, "Acme.md", "type: client")
    put(vault, DROPBOX, "", "- [ ] Thank [[Bolt]] 📅 2026-11-25\n")
    assert look(workspace) == [f"* Acme: Thank Bolt 2026-11-25 ({DROPBOX}:1)"]


# --- Who else must not count twice -----------------------------------------------------------------------


def test_people_of_one_company_do_not_share_a_copys_contacts(vault: Path, quick_path: Path) -> None:
    (vault / "notesync.yaml").write_text("default_every: {prospect: 2 weeks}\n")
    put(vault, "Ben.md", "type: client\ncompany: Acme\nlast_contact: 2026-11-02")
    put(vault, "Ann.md", "type: client\ncompany: Acme\nlast_contact: 2026-11-02")
    put(vault, "Ann (conflicted copy).md", "type: client\ncompany: Acme\nlast_contact: 2026-11-20")
    with open_workspace(str(vault), lambda _zone: TODAY, cache=str(quick_path / "c")) as workspace:
        found = look(workspace)
    assert [each.split(" (")[0] for each in found] == [
        "* Ann: Keep in touch 2026-12-09",
        "Ann: Keep in touch 2026-11-19",
        "Ben: Keep in touch 2026-11-19",
    ]


def test_totals_count_a_client_and_their_value_once(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client\nvalue: 100\nnext_contact: 2026-11-20\nowner: Anna")
    put(vault, DROPBOX, "type: client\nvalue: 900\nnext_contact: 2026-11-19\nowner: Ben")
    workspace.refresh()
    totals = workspace.agenda(Selection()).totals
    assert (totals.overdue, totals.clients, totals.value_at_risk) == (2, 1, 100.0)
    assert len(workspace.agenda(Selection(owners=("anna",))).items) == 2
    assert workspace.agenda(Selection(owners=("ben",))).items == []


# --- What is said of them --------------------------------------------------------------------------------

TOLD = {
    "Acme (Anna's conflicted copy 2026-11-22).md": "Acme.md, kept by Dropbox from Anna on 2026-11-22.",
    "Acme.sync-conflict-20261122-103045-ABCDEFG.md": (
        "Acme.md, kept by Syncthing on 2026-11-22 10:30:45, when the other version came from the device ABCDEFG."
    ),
    "Acme.Conflict.md": "Acme.md, kept by Resilio.",
    "Acme.md..path1": "Acme.md, kept by rclone.",
}


@pytest.mark.parametrize("copy", TOLD)
def test_a_copy_is_a_problem_that_names_the_note_and_whose_copy_it_is(
    vault: Path, workspace: Workspace, copy: str
) -> None:
    put(vault, "Acme.md", "type: client")
    put(vault, copy, "type: client\nnext_contact: 2026-02-30")
    workspace.refresh()
    own, told = sorted(workspace.problems(), key=lambda problem: problem.code)
    assert (own.path, own.code, told.path, told.line, told.code, told.severity) == (
        copy, "bad-date", copy, 1, "conflict-copy", "warning",
    )  # fmt: skip
    assert told.message == f"This is a conflict copy of {TOLD[copy]}"
    assert "notesync conflicts" in told.hint
    assert ("do not delete" in told.hint) == ("Resilio" in told.message)


def test_a_copy_without_its_note_says_which_one_stands_in(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md..path1", "type: client")
    put(vault, "Acme.md..path2", "type: client")
    workspace.refresh()
    assert [problem.message for problem in workspace.problems()] == [
        "This is a conflict copy of Acme.md, which is gone; this one stands in for it (kept by rclone).",
        "This is a conflict copy of Acme.md, which is gone; Acme.md..path1 stands in for it (kept by rclone).",
    ]


def test_a_copy_that_cannot_be_read_keeps_what_came_of_it(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client")
    put(vault, DROPBOX, "type: client\nnext_contact: 2026-11-20")
    before = look(workspace)
    (vault / DROPBOX).write_text("", encoding="utf-8")
    assert look(workspace) == before
    put(vault, "Acme.md", "type: client\nphone: 012")
    assert look(workspace) == before
    assert [problem.code for problem in workspace.problems()] == ["conflict-copy", "empty-note"]


def test_a_copy_that_can_be_read_again_counts_beside_what_the_note_says_by_now(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client")
    put(vault, DROPBOX, "type: client", "- [ ] Ring 📅 2026-11-25\n")
    look(workspace)
    copy = (vault / DROPBOX).read_bytes()
    (vault / DROPBOX).write_bytes(b"")
    look(workspace)
    put(vault, "Acme.md", "type: client", "- [ ] Ring 📅 2026-11-25\n")
    look(workspace)
    (vault / DROPBOX).write_bytes(copy)
    assert look(workspace) == ["Acme: Ring 2026-11-25 (Acme.md:4)"]


def test_a_note_that_cannot_be_read_is_not_put_aside_for_another(vault: Path, workspace: Workspace) -> None:
    """A note with its id arrives, or one that tells a name: whether both are one client shows when it is whole."""
    put(vault, "Bolt.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
    look(workspace)
    whole = (vault / "Bolt.md").read_bytes()
    (vault / "Bolt.md").write_bytes(b"")
    put(vault, "Acme.md", "type: client\nid: a1\nnext_contact: 2026-11-23")
    assert sorted(look(workspace)) == [
        "Acme: Contact as agreed 2026-11-23 (Acme.md:4)",
        "Bolt: Contact as agreed 2026-11-20 (Bolt.md:4)",
    ]
    (vault / "Bolt.md").write_bytes(whole)
    assert sorted(look(workspace)) == [
        "* Acme: Contact as agreed 2026-11-20 (Bolt.md:4)",
        "Acme: Contact as agreed 2026-11-23 (Acme.md:4)",
    ]


def test_a_note_with_a_name_of_its_own_stays_a_client_while_it_cannot_be_read(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client\nid: a1\nname: Acme\nnext_contact: 2026-11-20")
    put(vault, "Bolt.md", "type: client\nid: a1\nname: Bolt\nnext_contact: 2026-11-20")
    before, problems = look(workspace), workspace.problems()
    whole = (vault / "Bolt.md").read_bytes()
    (vault / "Bolt.md").write_bytes(b"")
    put(vault, "Other.md", "type: note")
    assert look(workspace) == before
    (vault / "Bolt.md").write_bytes(whole)
    assert look(workspace) == before
    assert workspace.problems() == problems


def test_a_copy_that_cannot_be_read_stays_with_the_client_who_has_what_came_of_it(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
    put(vault, "Bolt.md", "type: client\nid: a1\nnext_contact: 2026-11-23")
    before = look(workspace)
    whole = (vault / "Bolt.md").read_bytes()
    (vault / "Bolt.md").write_bytes(b"")
    put(vault, "Acme.md", "type: client\nid: b2\nnext_contact: 2026-11-20")
    assert look(workspace) == before
    (vault / "Bolt.md").write_bytes(whole)
    assert [each.split(":")[0] for each in look(workspace)] == ["Acme", "Bolt"]
    assert workspace.problems() == ()


def refresh_while_away(workspace: Workspace, name: str) -> None:
    """Refresh while an editor renames a note away and back: it can be read once, and then not for a moment."""
    read, seen = Vault.read, list[str]()

    def read_once(vault: Vault, path: str, *words: Any, **more: Any) -> Content:
        if path == name and path in seen:
            raise Unreadable("unreadable", "It is away.", "Wait.")
        seen.append(path)
        return read(vault, path, *words, **more)

    with patch.object(Vault, "read", read_once):
        workspace.refresh()


def test_a_copy_that_changes_while_its_client_is_derived_and_then_goes_leaves_nothing(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client\nnext_contact: 2026-11-20")
    put(vault, DROPBOX, "type: client\nnext_contact: 2026-11-23")
    assert len(look(workspace)) == 2
    read, seen = Vault.read, list[str]()

    def read_changing(self: Vault, path: str, *rest: Any, **more: Any) -> Content:
        if path == DROPBOX and path in seen:
            put(vault, DROPBOX, "type: client\nnext_contact: 2026-11-24")
        seen.append(path)
        return read(self, path, *rest, **more)

    put(vault, "Acme.md", "type: client\nnext_contact: 2026-11-21")
    with patch.object(Vault, "read", read_changing):
        workspace.refresh()
    (vault / DROPBOX).unlink()
    assert look(workspace) == ["Acme: Contact as agreed 2026-11-21 (Acme.md:3)"]


def test_a_note_that_is_away_just_when_it_counts_again_counts_at_the_next_look(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client\nid: a1\nnext_contact: 2026-11-20")
    put(vault, "Bolt.md", "type: client\nid: a1\nnext_contact: 2026-11-23")
    assert len(look(workspace)) == 2
    (vault / "Acme.md").unlink()
    refresh_while_away(workspace, "Bolt.md")
    assert look(workspace) == ["Bolt: Contact as agreed 2026-11-23 (Bolt.md:4)"]


def test_a_copy_that_is_away_just_when_its_note_is_derived_counts_at_the_next_look(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client\nnext_contact: 2026-11-20")
    put(vault, DROPBOX, "type: client", "- [ ] Ring 📅 2026-11-25\n")
    refresh_while_away(workspace, DROPBOX)
    assert [each.split(" 2026")[0] for each in look(workspace)] == [
        "* Acme: Ring",
        "Acme: Contact as agreed",
    ]


def test_a_copy_of_a_note_that_cannot_be_read_counts_by_itself(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client\nnext_contact: 2026-11-20")
    look(workspace)
    whole = (vault / "Acme.md").read_bytes()
    (vault / "Acme.md").write_bytes(b"")
    put(vault, DROPBOX, "type: client", "- [ ] Ring 📅 2026-11-25\n")
    assert [each.split(": ")[1].split(" (")[0] for each in look(workspace)] == [
        "Ring 2026-11-25",
        "Contact as agreed 2026-11-20",
    ]
    (vault / "Acme.md").write_bytes(whole)
    assert [each.split(" 2026")[0] for each in look(workspace)] == ["* Acme: Ring", "Acme: Contact as agreed"]


# --- The commands ----------------------------------------------------------------------------------------


def run(vault: Path, *words: str) -> Result:
    return CliRunner().invoke(notesync, [*words, "--vault", str(vault)])


@pytest.fixture
def disputed(vault: Path) -> Path:
    """A client's note and its copy, which agree on one contact and not on the next."""
    put(vault, "Acme.md", "type: client\nphone: 012 345 678\nnext_contact: 2026-11-20")
    put(
        vault,
        DROPBOX,
        "type: client\nphone: 012 345 678\nnext_contact: 2026-11-19",
        "- [ ] Ring 📅 2026-11-22\n",
    )
    return vault


def test_check_lists_what_only_the_copy_holds_and_names_it(disputed: Path) -> None:
    found = run(disputed, "check", "--format", "json")
    told = json.loads(found.stdout)
    assert [(item["path"], item["conflict"]) for item in told["items"]] == [
        (DROPBOX, True),
        ("Acme.md", False),
        (DROPBOX, True),
    ]
    assert {item["client_path"] for item in told["items"]} == {"Acme.md"}
    assert told["totals"]["clients"] == 1
    assert [(each["path"], each["code"]) for each in told["problems"]] == [(DROPBOX, "conflict-copy")]
    found = run(disputed, "check", "--format", "lines")
    assert "Acme — Ring (only in a conflict copy) [task]\n" in found.stdout
    assert f"{DROPBOX}:1:1: warning conflict-copy: This is a conflict copy of Acme.md" in found.stderr
    found = run(disputed, "check", "--format", "table")
    assert " ".join(found.stdout.split()).count("only in a conflict copy") == 2
    assert found.exit_code == 1


def test_doctor_names_the_copy_and_what_to_do(disputed: Path) -> None:
    found = run(disputed, "doctor")
    assert found.exit_code == 1
    assert "conflict-copy" in found.stdout
    assert "notesync conflicts" in found.stdout


def test_commands_find_the_client_once_and_write_to_the_original(disputed: Path) -> None:
    copied = (disputed / DROPBOX).read_bytes()
    assert run(disputed, "clients", "--format", "lines").stdout == "Acme.md:1: prospect - 2026-11-20 - Acme\n"
    assert run(disputed, "log", "acme", "talked", "--by", "call").exit_code == 0
    assert "2026-11-22 call: talked" in (disputed / "Acme.md").read_text(encoding="utf-8")
    found = run(disputed, "done", "acme", "ring")
    assert found.exit_code == 2
    assert "conflict copy" in found.stderr
    assert (disputed / DROPBOX).read_bytes() == copied


def test_a_copy_is_not_somebody_whom_a_new_client_may_be(disputed: Path) -> None:
    found = run(disputed, "new", "Bolt", "--phone", "012 345 678")
    assert found.stderr.startswith("Mind: Acme.md has the same 012 345 678: Acme.\nIf that")
    exported = run(disputed, "export", "--format", "vcf").stdout
    assert [line for line in exported.split("\n") if line.startswith("FN:")] == ["FN:Acme", "FN:Bolt"]


# --- Half merged -----------------------------------------------------------------------------------------

MARKED = """---
type: client
<<<<<<< HEAD
next_contact: 2026-11-20
=======
next_contact: 2026-11-27
>>>>>>> laptop
---

<<<<<<< HEAD
- [ ] Ring 📅 2026-11-24
- [ ] Write 📅 2026-11-25
=======
- [ ] Ring 📅 2026-11-26
- [ ] Write 📅 2026-11-25
>>>>>>> laptop

## Log
- 2026-11-10 call: talked
"""


def test_of_a_note_that_was_half_merged_both_sides_are_listed_once(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client")
    workspace.refresh()
    (vault / "Acme.md").write_text(MARKED, encoding="utf-8")
    assert look(workspace) == [
        "* Acme: Contact as agreed 2026-11-27 (Acme.md:6)",
        "* Acme: Ring 2026-11-26 (Acme.md:14)",
        "Acme: Contact as agreed 2026-11-20 (Acme.md:4)",
        "Acme: Ring 2026-11-24 (Acme.md:11)",
        "Acme: Write 2026-11-25 (Acme.md:12)",
    ]
    assert [(problem.line, problem.code) for problem in workspace.problems()] == [(3, "merge-marker")]


def test_of_another_note_that_was_half_merged_both_sides_are_listed_once(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme.md", "type: client")
    sides = "- [ ] Ring [[Acme]] 📅 2026-11-24\n{}- [ ] Write to [[Acme]] 📅 2026-11-25\n"
    one, two = sides.format(""), sides.format("- [ ] Thank [[Acme]] 📅 2026-11-26\n")
    put(vault, "Inbox.md", "", f"<<<<<<< a\n{one}=======\n{two}>>>>>>> b\n")
    assert look(workspace) == [
        "Acme: Ring Acme 2026-11-24 (Inbox.md:2)",
        "Acme: Thank Acme 2026-11-26 (Inbox.md:6)",
        "Acme: Write to Acme 2026-11-25 (Inbox.md:3)",
    ]


def test_marks_around_the_whole_header_are_one_problem(vault: Path, workspace: Workspace) -> None:
    header = "---\ntype: client\nnext_contact: {}\n---\n"
    one, two = header.format("2026-11-20"), header.format("2026-11-27")
    put(vault, "Acme.md", "", f"<<<<<<< a\n{one}=======\n{two}>>>>>>> b\n")
    assert look(workspace) == [
        "* Acme: Contact as agreed 2026-11-27 (Acme.md:9)",
        "Acme: Contact as agreed 2026-11-20 (Acme.md:4)",
    ]
    assert [(problem.line, problem.code) for problem in workspace.problems()] == [(1, "merge-marker")]
