"""Notes' bytes, and what they give the index: a batch at a time, and each note's troubles its own."""

from __future__ import annotations

import gc
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from notesync.followup.agenda import Moment
from notesync.followup.items import NO_END
from notesync.notes.body import Body, parse_bodies
from notesync.notes.note import Note
from notesync.sync import deriving, reading
from notesync.sync.client_note import read_history
from notesync.sync.pipeline import Selection, Workspace, open_workspace

TODAY = Moment(date(2026, 11, 22), 600)


def codes(workspace: Workspace) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in workspace.problems()]


def test_a_mistake_of_ours_costs_one_note(
    vault: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Ann", "Bo", "Cy"):
        (vault / f"{name}.md").write_text("---\nnext_contact: 2026-11-20\n---\n")

    def fail_on_bo(notes: list[Note], *how: Any) -> list[Body]:
        if any(note.path == "Bo.md" for note in notes):
            raise ZeroDivisionError("a mistake of ours")
        return parse_bodies(notes, *how)

    monkeypatch.setattr(deriving, "parse_bodies", fail_on_bo)
    workspace.refresh()
    assert [item.client for item in workspace.agenda(Selection()).items] == ["Ann", "Cy"]
    assert codes(workspace) == [("Bo.md", "unexpected")]


def test_more_notes_than_are_taken_together_all_come_in(vault: Path, workspace: Workspace) -> None:
    for number in range(2 * reading.AT_ONCE + 1):
        (vault / f"{number}.md").write_text("---\nnext_contact: 2026-11-20\n---\n")
    assert workspace.refresh().added_items == 2 * reading.AT_ONCE + 1


def test_another_type_beside_a_key_of_ours_is_a_warning(vault: Path, workspace: Workspace) -> None:
    (vault / "Ann.md").write_text("---\ntype: person\nlast_contact: 2026-11-20\n---\n")
    (vault / "Soup.md").write_text("---\ntype: recipe\n---\n")
    workspace.refresh()
    assert codes(workspace) == [("Ann.md", "other-type")]
    assert workspace.counts() == (2, 0)


def test_the_vaults_own_names_are_known_where_yaml_fails(vault: Path, quick_path: Path) -> None:
    (vault / "notesync.yaml").write_text("fields: {next_contact: ring}\n")
    (vault / "Ann.md").write_text("---\ntype: client\ntitle: Plan: phase 2\nring: 2026-11-20\n---\n")
    with open_workspace(str(vault), lambda _zone: TODAY, cache=str(quick_path / "cache")) as workspace:
        workspace.refresh()
        assert [item.due for item in workspace.agenda(Selection()).items] == ["2026-11-20"]


def test_the_log_is_read_from_the_note_for_its_words(vault: Path, workspace: Workspace) -> None:
    note = vault / "Ann.md"
    note.write_text("---\ntype: client\n---\n## Log\n- 2026-11-20 call: likes the blue one\n")
    workspace.refresh()
    (name,) = workspace.names()
    (entry,) = read_history(workspace, name.key)[0]
    assert (entry.line, entry.channel, entry.text) == (5, "call", "likes the blue one")
    note.unlink()
    assert read_history(workspace, name.key) == ((), [])


PAUSES = {
    "until a day": ("paused_until: 2026-12-01", "2026-12-01"),
    "over today": ("paused_until: 2026-11-22", None),
    "without an end": ("prm-paused: true", NO_END),
    "none": ("prm-paused: false", None),
}


@pytest.mark.parametrize(("header", "until"), PAUSES.values(), ids=PAUSES)
def test_cards_tell_of_a_pause(vault: Path, workspace: Workspace, header: str, until: str | None) -> None:
    (vault / "Ann.md").write_text(f"---\ntype: client\n{header}\n---\n")
    workspace.refresh()
    assert [card.paused_until for card in workspace.cards(Selection())] == [until]


def test_a_plan_that_there_is_none_of_is_told_at_its_line(vault: Path, workspace: Workspace) -> None:
    (vault / "Ann.md").write_text("---\ntype: client\nsold: 2026-11-20\nplan: after-sail\n---\n")
    workspace.refresh()
    (problem,) = workspace.problems()
    assert (problem.line, problem.code, problem.hint) == (4, "unknown-plan", "Did you mean `after-sale`?")


def test_a_step_logged_too_early_is_told_on_that_day_and_never_again(vault: Path, quick_path: Path) -> None:
    log = "- 2026-11-22 call: all well #satisfaction\n"
    (vault / "Ann.md").write_text(f"---\ntype: client\nsold: 2026-11-20\n---\n## Log\n{log}")
    told = []
    for day in (22, 23):
        moment = Moment(date(2026, 11, day), 600)
        with open_workspace(str(vault), lambda _zone, now=moment: now, cache=str(quick_path / "c")) as opened:
            opened.refresh()
            items = opened.agenda(Selection(everything=True)).items
            told.append(["best from" in item.reason for item in items].count(True))
    assert told == [1, 0]


NOTES_OF_MANY_KINDS = {
    "Sold": "---\nsold: 2026-11-02\ndelivery: 2026-11-10\n---\n## Log\n- 2026-11-03 call: #thanks for the order\n"
    "- 2026-11-12 call: #after-delivery all well\n- 2026-11-15 visit: #feedback #advocate\n",
    "Sold twice": "---\nstage: client\n---\n## Log\n- 2026-05-01 visit: #sold (value: 5000)\n"
    "- 2026-05-04 call: #thanks\n- 2026-10-01 visit: #sold\n- 2026-10-05 call: #thanks\n",
    "Complained": "---\nsold: 2026-01-05\n---\n## Log\n- 2026-11-01 call: #complaint too late\n"
    "- 2026-11-02 call: #resolved (how: refund)\n- 2026-11-09 call: #complaint broken\n",
    "Promised": "---\nquoted: 2026-11-01\n---\n## Log\n- 2026-11-03 call: #promise send it (due: 2026-11-05)\n"
    "\n- [ ] Ring #promise 📅 2026-11-30 🔁 every week\n- [ ] Wait ⛔ abc123 📅 2026-12-01\n",
    "Tried": "---\nevery: 2 weeks\n---\n## Log\n- 2026-11-03 call: no answer\n- 2026-11-05 call: no answer\n",
    "Not sure": "---\nname: &a Ann\naliases: [*a, {b: c}]\nphones:\n  - {work: 1}\nsold: 5 May\n---\n",
    "Broken": "---\nname: [Ann\nnext_contact: 2026-11-20\n---\n",
    "Not a client": "[[Sold]] rang\n- 2026-11-03 call: [[Promised]] rang\n",
}


def test_reading_leaves_nothing_to_the_garbage_collector(vault: Path, workspace: Workspace) -> None:
    """It is off while a command runs: what refers to itself would stay, note after note."""
    for name, text in NOTES_OF_MANY_KINDS.items():
        (vault / f"{name}.md").write_text(text)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        workspace.refresh()
        gc.collect()
        left = Counter(type(each).__qualname__ for each in gc.garbage if _is_ours(type(each)))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert left == {}


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith(("notesync.", "yaml."))
