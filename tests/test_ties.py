"""Notes that say something of each other: daily notes, shared companies, one id in two notes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import commands
import pytest

from notesync.followup.agenda import Moment
from notesync.sync.client_note import read_history
from notesync.sync.pipeline import Selection, Workspace, open_workspace

TODAY = Moment(date(2026, 11, 22), 600)
CADENCES = "since: 2026-11-01\ndefault_every: {prospect: 2 weeks}\n"


def put(vault: Path, name: str, header: str = "", body: str = "") -> None:
    commands.put(vault, f"{name}.md", header, body)


def look(workspace: Workspace) -> list[str]:
    workspace.refresh()
    items = workspace.agenda(Selection(everything=True)).items
    return [f"{item.client}: {item.title} ({item.path}:{item.line})" for item in items]


# --- Tasks in other notes --------------------------------------------------------------------------------

LINKS = {
    "by the file's name": "[[Acme]]",
    "with other words": "[[Acme|the bakers]]",
    "in other capitals": "[[ACME]]",
    "by its path": "[[Clients/Acme]]",
    "by its path with an ending": "[[Clients/Acme.md]]",
    "by a heading": "[[Acme#Log]]",
    "by a block": "[[Acme#^a1b2]]",
    "by an alias": "[[The Bakers]]",
    "as Markdown": "[Acme](Clients/Acme.md)",
    "beside a note that is no client": "[[Acme]] and [[Soup]]",
    "twice": "[[Acme]] with [[Clients/Acme]]",
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_a_task_elsewhere_that_links_to_one_client_is_theirs(
    vault: Path, workspace: Workspace, link: str
) -> None:
    put(vault, "Clients/Acme", "type: client\naliases: The Bakers")
    put(vault, "Soup", "", "Boil it.\n")
    put(vault, "Inbox", "", f"\n- [ ] Send a brochure to {link} 📅 2026-11-25\n")
    (found,) = look(workspace)
    assert found.startswith("Acme: Send a brochure to ")
    assert found.endswith(" (Inbox.md:2)")


NOBODYS = {
    "two clients": "[[Acme]] and [[Bolt]]",
    "nobody": "Acme",
    "a note that is no client": "[[Soup]]",
    "a name that two notes have": "[[Cape]]",
    "an address": "[Acme](https://acme.example/Acme.md)",
}


@pytest.mark.parametrize("link", NOBODYS.values(), ids=NOBODYS)
def test_a_task_elsewhere_that_links_to_none_or_several_is_nobodys(
    vault: Path, workspace: Workspace, link: str
) -> None:
    for name in ("Acme", "Bolt", "North/Cape", "South/Cape"):
        put(vault, name, "type: client")
    put(vault, "Soup", "", "Boil it.\n")
    put(vault, "Inbox", "", f"\n- [ ] Ring {link} 📅 2026-11-25\n")
    assert look(workspace) == []


def test_what_is_wrong_with_a_task_elsewhere_is_told_if_it_is_a_clients(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Acme", "type: client")
    put(vault, "Inbox", "", "\n- [ ] Ring [[Acme]] 📅 2026-02-30\n- [ ] Ring [[Soup]] 📅 2026-02-30\n")
    assert look(workspace) == []
    assert [(p.path, p.line, p.code) for p in workspace.problems()] == [("Inbox.md", 2, "bad-date")]
    put(vault, "Inbox", "", "\n- [ ] Ring [[Acme]] 📅 2026-02-28\n- [ ] Ring [[Soup]] 📅 2026-02-30\n")
    assert len(look(workspace)) == 1
    assert workspace.problems() == ()


def test_a_clients_own_tasks_are_its_own_whoever_they_link_to(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme", "type: client", "\n- [ ] Thank [[Bolt]] 📅 2026-11-25\n")
    put(vault, "Bolt", "type: client")
    assert look(workspace) == ["Acme: Thank Bolt (Acme.md:5)"]


def test_templates_and_what_notesync_makes_say_nothing_of_anybody(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme", "type: client")
    put(vault, "Agenda", "generated: notesync", "\n- [ ] Ring [[Acme]] 📅 2026-11-25\n")
    put(vault, "Daily template", "date: '{{date}}'", "\n- [ ] Ring [[Acme]] 📅 2026-11-25\n")
    assert look(workspace) == []


def test_a_link_finds_its_client_when_that_comes_later_and_loses_it(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Inbox", "", "\n- [ ] Ring [[Acme]] 📅 2026-11-25\n")
    assert look(workspace) == []
    put(vault, "Acme", "type: client")
    assert look(workspace) == ["Acme: Ring Acme (Inbox.md:2)"]
    (vault / "Acme.md").rename(vault / "Acme Ltd.md")
    assert look(workspace) == []
    put(vault, "Acme Ltd", "type: client\naliases: [Acme]")
    assert look(workspace) == ["Acme Ltd: Ring Acme (Inbox.md:2)"]
    put(vault, "Inbox", "", "\n- [x] Ring [[Acme]] 📅 2026-11-25 ✅ 2026-11-22\n")
    assert look(workspace) == []


def test_the_global_filter_of_the_tasks_plugin_counts_in_every_note(vault: Path, quick_path: Path) -> None:
    plugin = vault / ".obsidian" / "plugins" / "obsidian-tasks-plugin"
    plugin.mkdir(parents=True)
    (plugin / "data.json").write_text('{"globalFilter": "#task"}')
    put(vault, "Acme", "type: client", "\n- [ ] Bread 📅 2026-11-25\n- [ ] #task Ring 📅 2026-11-25\n")
    put(vault, "Inbox", "", "- [ ] [[Acme]] flour 📅 2026-11-25\n- [ ] #task [[Acme]] rolls 📅 2026-11-25\n")
    with open_workspace(str(vault), lambda _zone: TODAY, cache=str(quick_path / "cache")) as workspace:
        assert [line.split(" (")[1] for line in look(workspace)] == ["Acme.md:6)", "Inbox.md:2)"]


# --- Daily notes -----------------------------------------------------------------------------------------


def test_an_entry_in_a_daily_note_is_a_contact_of_its_day(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme", "type: client\nnext_contact: 2026-11-20")
    put(
        vault,
        "Daily/2026-11-20",
        "",
        "# Friday\n\n## Log\n\n- [[Acme]] call: wants two more\n- had a sandwich\n",
    )
    assert look(workspace) == []
    (card,) = workspace.cards(Selection())
    assert card.last_contact == "2026-11-20"
    (name,) = workspace.names()
    ((entry,), _) = read_history(workspace, name.key)
    assert (entry.day, entry.channel, entry.text) == (date(2026, 11, 20), "call", "wants two more")
    assert (entry.path, entry.line) == ("Daily/2026-11-20.md", 5)
    (vault / "Daily" / "2026-11-20.md").unlink()
    assert look(workspace) == ["Acme: Contact as agreed (Acme.md:3)"]


def test_an_entry_in_any_other_note_is_that_notes_own_affair(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme", "type: client\nnext_contact: 2026-11-20")
    put(vault, "Project", "", "## Log\n\n- 2026-11-20 [[Acme]] call: talked\n")
    assert look(workspace) == ["Acme: Contact as agreed (Acme.md:3)"]


def test_a_daily_entry_to_come_counts_when_its_day_has(vault: Path, quick_path: Path) -> None:
    put(vault, "Acme", "type: client\nevery: week\nlast_contact: 2026-11-02")
    put(vault, "2026-11-24", "", "## Log\n\n- [[Acme]] visit\n")
    contacts = []
    for day in (22, 24, 22):
        moment = Moment(date(2026, 11, day), 600)
        with open_workspace(
            str(vault), lambda _zone, now=moment: now, cache=str(quick_path / "c")
        ) as workspace:
            workspace.refresh()
            contacts += [card.last_contact for card in workspace.cards(Selection())]
    assert contacts == ["2026-11-02", "2026-11-24", "2026-11-02"]


# --- One company -----------------------------------------------------------------------------------------


def reasons(workspace: Workspace) -> dict[str, str]:
    workspace.refresh()
    items = workspace.agenda(Selection(everything=True)).items
    return {item.client: f"{item.opens}: {item.reason}" for item in items}


def test_people_of_one_company_share_the_stages_cadence(vault: Path, quick_path: Path) -> None:
    (vault / "notesync.yaml").write_text(CADENCES)
    put(vault, "Ann", "type: client\ncompany: Acme Ltd\nlast_contact: 2026-11-02")
    put(vault, "Ben", "type: client\ncompany: '[[Firms/acme ltd|Acme]]'\nlast_contact: 2026-11-09")
    put(vault, "Cas", "type: client\ncompany: Acme Ltd\nevery: week\nlast_contact: 2026-11-02")
    put(vault, "Dov", "type: client\ncompany: Bolt\nlast_contact: 2026-11-02")
    with open_workspace(str(vault), lambda _zone: TODAY, cache=str(quick_path / "cache")) as workspace:
        found = reasons(workspace)
        assert found["Ann"] == "2026-11-23: every 2 weeks; last contact with Acme Ltd Mon 9 Nov 2026"
        assert found["Ben"] == "2026-11-23: every 2 weeks; last contact Mon 9 Nov 2026"
        assert found["Cas"] == "2026-11-09: every week; last contact Mon 2 Nov 2026"
        assert found["Dov"] == "2026-11-16: every 2 weeks; last contact Mon 2 Nov 2026"
        last = {card.name: card.last_contact for card in workspace.cards(Selection())}
        assert last["Ann"] == "2026-11-02"

        # Cas is called: that is a contact with the company, for those who count by the stage.
        put(vault, "Cas", "type: client\ncompany: Acme Ltd\nevery: week\nlast_contact: 2026-11-20")
        found = reasons(workspace)
        assert found["Ann"] == "2026-12-04: every 2 weeks; last contact with Acme Ltd Fri 20 Nov 2026"
        assert found["Ben"] == "2026-12-04: every 2 weeks; last contact with Acme Fri 20 Nov 2026"

        # Ann changes her job, and Cas's note goes.
        put(vault, "Ann", "type: client\ncompany: Bolt\nlast_contact: 2026-11-02")
        (vault / "Cas.md").unlink()
        found = reasons(workspace)
        assert found["Ann"] == "2026-11-16: every 2 weeks; last contact Mon 2 Nov 2026"
        assert found["Ben"] == "2026-11-23: every 2 weeks; last contact Mon 9 Nov 2026"


# --- One id in two notes ---------------------------------------------------------------------------------


def test_of_two_notes_with_one_id_and_two_names_the_first_by_path_keeps_it(
    vault: Path, workspace: Workspace
) -> None:
    put(vault, "Bolt", "type: client\nid: a1\nname: Bolt\nnext_contact: 2026-11-20")
    workspace.refresh()
    (before,) = workspace.agenda(Selection()).items
    put(vault, "Acme", "type: client\nid: a1\nname: Acme\nnext_contact: 2026-11-20")
    workspace.refresh()
    first, second = workspace.agenda(Selection()).items
    assert (first.client, first.uid) == ("Acme", before.uid)
    assert second.uid != before.uid
    (problem,) = workspace.problems()
    assert (problem.path, problem.line, problem.code) == ("Bolt.md", 3, "duplicate-id")
    assert "Acme.md" in problem.message
    (vault / "Acme.md").unlink()
    workspace.refresh()
    (again,) = workspace.agenda(Selection()).items
    assert (again.client, again.uid) == ("Bolt", before.uid)
    assert workspace.problems() == ()


def test_what_cannot_be_read_just_now_keeps_its_rows_when_a_colleague_is_called(
    vault: Path, quick_path: Path
) -> None:
    (vault / "notesync.yaml").write_text(CADENCES)
    put(vault, "Ann", "type: client\ncompany: Acme\nlast_contact: 2026-11-02")
    put(vault, "Ben", "type: client\ncompany: Acme\nlast_contact: 2026-11-09")
    with open_workspace(str(vault), lambda _zone: TODAY, cache=str(quick_path / "cache")) as workspace:
        workspace.refresh()
        (vault / "Ann.md").write_text("", encoding="utf-8")
        put(vault, "Ben", "type: client\ncompany: Acme\nlast_contact: 2026-11-20")
        found = reasons(workspace)
        assert found["Ann"].startswith("2026-11-23: ")
        assert [problem.code for problem in workspace.problems()] == ["empty-note"]
        put(vault, "Ann", "type: client\ncompany: Acme\nlast_contact: 2026-11-02")
        assert reasons(workspace)["Ann"].startswith("2026-12-04: ")


# --- Tasks that wait for tasks elsewhere -----------------------------------------------------------------


def waits(workspace: Workspace) -> dict[str, str]:
    workspace.refresh()
    items = workspace.agenda(Selection(everything=True)).items
    return {item.title: f"{item.status} {item.waits}".strip() for item in items}


def test_a_task_waits_for_an_open_one_in_another_note(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme", "type: client", "\n- [ ] Send the quote 📅 2026-11-20 ⛔ p1\n")
    assert waits(workspace) == {"Send the quote": "overdue"}
    put(vault, "Prices", "", "- [ ] Work out the prices 🆔 p1\n")
    assert waits(workspace) == {"Send the quote": "upcoming waits for: Work out the prices"}
    put(vault, "Prices", "", "- [ ] Work out all prices [id:: p1]\n")
    assert waits(workspace) == {"Send the quote": "upcoming waits for: Work out all prices"}
    put(vault, "Prices", "", "- [x] Work out all prices [id:: p1]\n")
    assert waits(workspace) == {"Send the quote": "overdue"}
    put(vault, "Bolt", "type: client", "\n- [ ] Ask the mill 🆔 p1\n")
    assert waits(workspace) == {"Send the quote": "upcoming waits for: Ask the mill"}
    (vault / "Bolt.md").unlink()
    assert waits(workspace) == {"Send the quote": "overdue"}


def test_tasks_that_wait_for_one_another_over_two_notes_do_not(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme", "type: client", "\n- [ ] Send the quote 📅 2026-11-20 🆔 a ⛔ b\n")
    put(vault, "Bolt", "type: client", "\n- [ ] Ask for the prices 📅 2026-11-20 🆔 b ⛔ a\n")
    assert waits(workspace) == {"Send the quote": "overdue", "Ask for the prices": "overdue"}
