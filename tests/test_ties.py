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


def test_a_line_that_would_be_a_clients_but_for_a_name_of_two_is_told(
    vault: Path, workspace: Workspace
) -> None:
    """It is nobody's, and not in silence; one that names two clients anyhow is meant to be."""
    for name in ("North/Cape", "South/Cape", "Acme"):
        put(vault, name, "type: client")
    put(
        vault,
        "Inbox",
        "",
        "\n- [ ] Ring [[Cape#Log|them]] 📅 2026-11-25\n- [ ] Ring [[Cape]] some time\n"
        "- [x] Rang [[Cape]] 📅 2026-11-20\n"
        "  - [ ] Ring [[Cape]] #promise\n- [ ] Ring [[Acme]] and [[Cape]] ⏳ 2026-11-25\n",
    )
    put(vault, "2026-11-20", "", "## Log\n- [[Cape]] call: fine\n- [[South/Cape]] call: fine\n")
    assert look(workspace) == []
    told = [(p.path, p.line, p.code, p.severity) for p in workspace.problems()]
    assert told == [
        ("2026-11-20.md", 2, "ambiguous-link", "warning"),
        ("Inbox.md", 2, "ambiguous-link", "warning"),
        ("Inbox.md", 5, "ambiguous-link", "warning"),
    ]
    first = workspace.problems()[0]
    assert first.message == "`Cape` may be North/Cape.md or South/Cape.md, so this line is no client's."
    assert first.hint == "Write which one: [[North/Cape]]."
    (vault / "North" / "Cape.md").rename(vault / "North" / "Cape Town.md")
    assert look(workspace) == ["Cape: Ring Cape (Inbox.md:5)", "Cape: Ring them (Inbox.md:2)"]
    assert workspace.problems() == ()
    put(vault, "North/Cape Town", "type: client\naliases: [Cape]")
    assert len(look(workspace)) == 2  # a file's name goes before an alias
    assert workspace.problems() == ()


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


HELD = {
    "a promise that is a task": ("- [ ] prices for [[Acme]] #promise 📅 2026-11-25", 1),
    "a complaint of a daily note": ("## Log\n- [[Acme]] call: it leaks #complaint", 2),
    "a promise that was kept": (
        "## Log\n- [[Acme]] call: will send #promise\n- [[Acme]] email: sent #kept",
        None,
    ),
    "a promise that a ticked task kept": (
        "- [x] sent it to [[Acme]] #kept ✅ 2026-11-21\n\n## Log\n- [[Acme]] call: will send #promise",
        None,
    ),
    "a complaint for which there is a substitute": (
        "## Log\n- [[Acme]] call: it leaks #complaint\n- [[Acme]] visit: lent one #resolved",
        2,
    ),
    "a promise that is done": ("- [x] prices for [[Acme]] #promise 📅 2026-11-25 ✅ 2026-11-20", None),
    "any other task": ("- [ ] prices for [[Acme]] 📅 2026-11-25", None),
}


@pytest.mark.parametrize(("body", "line"), HELD.values(), ids=HELD)
def test_what_is_owed_elsewhere_to_somebody_withdrawn_is_told(
    vault: Path, workspace: Workspace, body: str, line: int | None
) -> None:
    put(vault, "Acme", "type: client\ndo_not_contact: true")
    put(vault, "2026-11-20", "", body)
    assert look(workspace) == []
    told = [(p.path, p.line, p.code) for p in workspace.problems()]
    assert told == ([("2026-11-20.md", line, "withdrawn-open")] if line else [])
    put(vault, "Acme", "type: client")
    workspace.refresh()
    assert workspace.problems() == ()


def test_what_was_kept_before_a_promise_was_made_does_not_hide_it(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme", "type: client\ndo_not_contact: true", "\n## Log\n- 2026-11-01 email: sent #kept\n")
    put(vault, "2026-11-20", "", "## Log\n- [[Acme]] call: will send more #promise")
    workspace.refresh()
    assert [(p.path, p.line, p.code) for p in workspace.problems()] == [
        ("2026-11-20.md", 2, "withdrawn-open")
    ]


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


ELSEWHERE = {
    "a rule that Obsidian would drop": (
        "Meetings/With Acme",
        "- [ ] statement to [[Acme]] 🔁 every other week 📅 2026-11-25",
        ("bad-recurrence", 1, "This task's recurrence, `every other week`, is not read: "),
    ),
    "a rule in a daily note": (
        "2026-11-20",
        "- [ ] statement to [[Acme]] [repeat:: every 2 weeks whendone] [due:: 2026-11-25]",
        ("bad-recurrence", 1, "This task's recurrence, `every 2 weeks whendone`, is not read: "),
    ),
    "a day of delivery that cannot be read": (
        "2026-11-20",
        "## Log\n- [[Acme]] visit: #sold [delivery:: 25/11/2026]",
        ("bad-date", 2, "`delivery` is not a date that can be read for certain: `25/11/2026`."),
    ),
    "a date that there is none of": (
        "Meetings/With Acme",
        "- [ ] brochure to [[Acme]] 📅 2026-02-30",
        ("bad-date", 1, "There is no day 2026-02-30, so this line counts for nothing."),
    ),
    "a rule of a task that is done": (
        "Meetings/With Acme",
        "- [x] statement to [[Acme]] 🔁 every other week 📅 2026-11-25 ✅ 2026-11-20",
        None,
    ),
    "a rule of a task that is nobody's": (
        "Meetings/With Acme",
        "- [ ] statement to [[Nobody]] 🔁 every other week 📅 2026-11-25",
        None,
    ),
}


@pytest.mark.parametrize(("name", "body", "told"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_what_is_wrong_with_a_clients_task_or_entry_elsewhere_is_told_at_its_place(
    vault: Path, workspace: Workspace, name: str, body: str, told: tuple[str, int, str] | None
) -> None:
    put(vault, "Acme", "type: client")
    put(vault, name, "", body)
    workspace.refresh()
    found = [(p.path, p.code, p.line, p.message) for p in workspace.problems()]
    if told is None:
        assert not found
        return
    ((path, code, line, message),) = found
    assert (path, code, line) == (f"{name}.md", *told[:2])
    assert message.startswith(told[2])
    put(vault, name, "", "mended")
    workspace.refresh()
    assert not list(workspace.problems())


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


def test_a_link_to_either_note_of_one_client_means_that_client(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme", "type: client\nid: a1")
    put(vault, "Clients/Bakers", "type: client\nid: a1")
    put(vault, "Bolt", "type: client")
    put(
        vault,
        "Inbox",
        "",
        "- [ ] Ring [[Bakers]] 📅 2026-11-25\n- [ ] Ring [[Bakers]] and [[Bolt]] 📅 2026-11-25\n",
    )
    put(vault, "2026-11-20", "", "## Log\n- [[Clients/Bakers]] call: fine\n")
    assert look(workspace) == ["Acme: Ring Bakers (Inbox.md:1)"]
    assert {card.name: card.last_contact for card in workspace.cards(Selection())} == {
        "Acme": "2026-11-20",
        "Bolt": None,
    }
    put(vault, "Clients/Bakers", "type: client")
    assert look(workspace) == ["Bakers: Ring Bakers (Inbox.md:1)"]


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
