"""``conflicts`` as it is typed: copies beside their notes, what is said of them, what is left afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from notesync.cli import conflicts, keeping, session
from notesync.cli.complete import complete_copies
from notesync.cli.group import notesync
from notesync.cli.watch import Watch
from notesync.publish.sheet import render_outline
from notesync.store.history import History
from notesync.sync import merging
from notesync.sync.watch import STOPPED, SWEEP, Wake

NOW = "2026-11-22T10:00"
BASE = "---\ntype: client\nname: Acme\nvalue: 1\n---\n# Acme\n\n## Log\n- 2026-11-01 call: talked\n"
MINE = BASE.replace("value: 1", "value: 2").replace("## Log\n", "## Log\n- 2026-11-20 call: mine\n")
THEIRS = BASE.replace("## Log\n", "## Log\n- 2026-11-21 call: theirs\n")
MERGED = MINE.replace("## Log\n", "## Log\n- 2026-11-21 call: theirs\n")
COPY = "Acme (Anna's conflicted copy 2026-11-22).md"


@pytest.fixture(autouse=True)
def _now(own_places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files need not be quiet for long."""
    monkeypatch.setattr(session, "read_clock", lambda zone: session.parse_moment(NOW))
    monkeypatch.setattr(merging, "QUIET", 0.0)


class Vault:
    """A vault that this computer has synced once, before anybody changed a note."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.put("notesync.yaml", "since: 2026-01-01\n")

    def put(self, path: str, text: str) -> None:
        (self.root / path).write_bytes(text.encode())

    def files(self) -> dict[str, str]:
        return {
            path.name: path.read_bytes().decode()
            for path in self.root.iterdir()
            if path.suffix not in (".yaml", ".ics")
        }

    def run(self, *words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(notesync, ["conflicts", *words], input=typed)

    def sync(self) -> Result:
        return CliRunner().invoke(notesync, ["sync"])

    def conflict(self, name: str = "Acme", mine: str = MINE, theirs: str = THEIRS) -> None:
        """A note as it was when all devices had it, then two versions of it."""
        self.put(f"{name}.md", BASE)
        assert self.sync().exit_code == 0
        self.put(f"{name}.md", mine)
        self.put(COPY.replace("Acme", name), theirs)


@pytest.fixture
def vault(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    found = Vault(quick_path / "vault")
    monkeypatch.chdir(found.root)
    return found


def test_no_copies(vault: Vault) -> None:
    vault.put("Acme.md", BASE)
    done = vault.run()
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "No conflict copy is left to merge\n"
    assert vault.run("merge").stdout == "No conflict copy is left to merge\n"


def test_a_copy_is_listed_shown_merged_and_taken_back(vault: Vault) -> None:
    vault.conflict()
    before = vault.files()
    done = vault.run()
    assert done.exit_code == 1
    assert done.stdout == (
        f"{COPY}:1: merges Acme.md — 1 field, 2 log entries [named as Dropbox does, from Anna, 2026-11-22]\n"
    )
    assert "1 conflict copy; 1 note: 1 can be merged. 'notesync conflicts merge'" in done.stderr
    shown = vault.run("show", "acme")
    assert shown.exit_code == 0
    assert "value · note: 2 · copy: 1 · before: 1" in shown.stdout
    assert "copy: - 2026-11-21 call: theirs" in shown.stdout
    dry = vault.run("merge", "--dry-run")
    assert dry.exit_code == 0
    assert "\n+- 2026-11-21 call: theirs\n" in dry.stdout
    assert f"--- a/{COPY}\n+++ /dev/null\n" in dry.stdout
    assert vault.files() == before
    done = vault.run("merge")
    assert (done.exit_code, done.stdout) == (0, f"Merged: Acme.md with {COPY}, which brought 1 log entry\n")
    assert vault.files() == {"Acme.md": MERGED}
    assert vault.run().exit_code == 0
    undone = CliRunner().invoke(notesync, ["undo"])
    assert undone.stdout == f"Taken back: merge Acme.md ({COPY}, Acme.md)\n"
    assert vault.files() == before


DATED = [
    text.replace("value", f"next_contact: 2026-11-{day}\nvalue") for text, day in ((MINE, 26), (THEIRS, 27))
]


def test_two_dates_are_not_guessed_and_nothing_is_changed(vault: Vault) -> None:
    vault.conflict("Acme", *DATED)
    before = vault.files()
    assert vault.run().stdout.startswith(f"{COPY}:1: asks Acme.md — 2 fields, 2 log entries")
    done = vault.run("merge")
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.splitlines() == [
        "Not merged: Acme.md: asks for next_contact: 2026-11-26 (note) or 2026-11-27 (copy)",
        "  notesync conflicts merge Acme.md --take next_contact=WHICH",
        "  WHICH is note, copy, earlier or later (of days) or the value itself.",
    ]
    assert vault.files() == before
    assert vault.run("merge", "--take", "Next Contact=later").exit_code == 0
    assert vault.files() == {"Acme.md": MERGED.replace("value", "next_contact: 2026-11-27\nvalue")}


# Answers that are none, and what is said of them.
WRONG = {
    "next_contact=2026-12-01": "fits nothing in Acme.md. Write one of: note: 2026-11-26, copy: 2026-11-27.",
    "phone=note": "nothing asks for 'phone'",
    "next_contact": "Write it like next_contact=note or text-1=both.",
    "next_contact=": "Write it like next_contact=note or text-1=both.",
}


@pytest.mark.parametrize("word", WRONG)
def test_a_wrong_answer_changes_nothing(vault: Vault, word: str) -> None:
    vault.conflict("Acme", *DATED)
    before = vault.files()
    done = vault.run("merge", "--take", word)
    assert done.exit_code == 2
    assert WRONG[word] in " ".join(done.stderr.split())
    assert vault.files() == before


def test_what_is_still_asked_is_shown_with_the_answers_given(vault: Vault) -> None:
    texts = [
        text.replace("# Acme\n", f"# Acme\n\n{words}\n")
        for text, words in zip(DATED, ("Tea.", "Tea!"), strict=True)
    ]
    vault.conflict("Acme", *texts)
    done = vault.run("merge", "--take", "next_contact=later")
    assert done.exit_code == 4
    assert done.stderr.splitlines() == [
        "Not merged: Acme.md: asks for text-1",
        "  asks for text-1, a place where each has its own words:",
        "    note: Tea.",
        "    copy: Tea!",
        '  notesync conflicts merge Acme.md --take "next_contact=later" --take text-1=WHICH',
        "  WHICH is note, copy or both (of a text).",
    ]


def test_at_a_terminal_questions_are_asked(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflicts, "is_asking_possible", lambda: True)
    texts = [
        text.replace("# Acme\n", f"# Acme\n\n{words}\n")
        for text, words in zip(DATED, ("Tea.", "Tea!"), strict=True)
    ]
    vault.conflict("Acme", *texts)
    before = vault.files()
    done = vault.run("merge", typed="0\n")
    assert done.exit_code == 4
    assert vault.files() == before
    done = vault.run("merge", typed="2\n3\n")
    assert done.exit_code == 0, done.output
    assert "  1  note: 2026-11-26\n  2  copy: 2026-11-27\n" in done.stderr
    (text,) = vault.files().values()
    assert "next_contact: 2026-11-27\n" in text
    assert {"Tea.", "Tea!"} <= set(text.split("\n"))


def test_what_is_clear_is_merged_and_the_rest_is_named(vault: Vault) -> None:
    vault.conflict("Acme", *DATED)
    vault.conflict("Bo")
    vault.put("Cy.md", BASE.replace("Acme", "Cy"))
    vault.put("Cy (1).md", BASE.replace("Acme", "Cy") + "More.\n")
    vault.put("Acme.md", DATED[0])
    done = vault.run("merge")
    assert done.exit_code == 1
    assert done.stdout == f"Merged: Bo.md with {COPY.replace('Acme', 'Bo')}, which brought 1 log entry\n"
    assert "Not merged: Acme.md: asks for" in done.stderr
    assert vault.files()["Bo.md"] == MERGED
    assert {"Acme.md", COPY} <= set(vault.files())


def test_one_command_is_taken_back_by_one_undo(vault: Vault) -> None:
    vault.conflict("Acme")
    vault.conflict("Bo")
    vault.put("Acme.md", MINE)
    before = vault.files()
    assert vault.run("merge").exit_code == 0
    assert vault.files() == {"Acme.md": MERGED, "Bo.md": MERGED}
    assert "Taken back: merge Acme.md and 1 more" in CliRunner().invoke(notesync, ["undo"]).stdout
    assert vault.files() == before


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions")
def test_a_note_that_may_only_be_read_does_not_hold_up_the_others(vault: Vault) -> None:
    vault.conflict("Acme")
    vault.conflict("Bo")
    vault.put("Acme.md", MINE)
    (vault.root / "Acme.md").chmod(0o444)
    done = vault.run("merge")
    assert done.exit_code == 1
    assert "Error: Acme.md may only be read." in done.stderr
    assert vault.files()["Acme.md"] == MINE
    assert vault.files()["Bo.md"] == MERGED


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions")
def test_what_is_merged_beside_a_refused_one_is_taken_back_by_one_undo(vault: Vault) -> None:
    for name in ("Acme", "Bo", "Cy"):
        vault.conflict(name)
    for name in ("Acme", "Bo", "Cy"):
        vault.put(f"{name}.md", MINE)
    before = vault.files()
    (vault.root / "Acme.md").chmod(0o444)
    assert vault.run("merge").exit_code == 1
    assert {vault.files()[f"{name}.md"] for name in ("Bo", "Cy")} == {MERGED}
    assert "Taken back: merge conflict copies" in CliRunner().invoke(notesync, ["undo"]).stdout
    assert vault.files() == before


def test_what_a_merge_leaves_out_is_said(vault: Vault) -> None:
    """What this computer first saw after an edit passes for the base: a person has to see what that costs."""
    task = "\n- [ ] Call\x1b back\n"
    vault.put("Acme.md", BASE + task)
    assert vault.sync().exit_code == 0
    vault.put("Acme.md", MINE + task)
    vault.put(COPY, THEIRS)
    done = vault.run("merge")
    assert done.stderr.splitlines() == [
        "  Left out of Acme.md, since another version counts there:",
        "    value: 1",
        "    - [ ] Call\\x1b back",
    ]
    vault.put(COPY, vault.files()["Acme.md"])
    assert vault.run("merge").stderr == ""


def test_of_a_long_text_not_all_is_shown(vault: Vault) -> None:
    mine = "".join(f"line {n}\n" for n in range(30))
    vault.conflict(
        "Acme", *(BASE.replace("# Acme\n", f"# Acme\n\nsame\n{text}") for text in (mine, "theirs\n"))
    )
    done = vault.run("merge")
    assert done.exit_code == 4
    shown = done.stderr.splitlines()
    assert "    note: line 0" in shown
    assert shown[-7:-2] == [
        "      line 19",
        "      (and 10 more lines)",
        "      (and 1 line that both have)",
        "    copy: same",
        "      theirs",
    ]


def test_a_name_that_any_note_may_have_needs_a_yes(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    text = BASE.replace("type: client", "type: client\nid: c1")
    vault.put("Acme.md", text)
    vault.put("Acme (1).md", text + "More.\n")
    before = vault.files()
    assert "any note may be called so" in vault.run().stdout
    done = vault.run("merge")
    assert done.exit_code == 4
    assert "If it is a copy of Acme.md, say --yes." in done.stderr
    monkeypatch.setattr(conflicts, "is_asking_possible", lambda: True)
    assert vault.run("merge", typed="n\n").exit_code == 4
    assert vault.files() == before
    assert vault.run("merge", "acme", "--yes").exit_code == 0
    assert vault.files() == {"Acme.md": text + "More.\n"}


def test_a_copy_is_named_by_its_file_its_note_or_a_part_of_either(vault: Vault) -> None:
    vault.conflict("Acme")
    vault.conflict("Acorn")
    vault.put("Acme.md", MINE)
    for words in (COPY, f"./{COPY}", "Acme.md", "acme", "acme anna"):
        assert vault.run("show", words).stdout.startswith(f"{COPY}\n"), words
    done = vault.run("show", "ac")
    assert done.exit_code == 2
    assert "fits copies of several notes" in done.stderr
    done = vault.run("merge", "bo")
    assert done.exit_code == 2
    assert f"There are:\n  {COPY}\n" in done.stderr
    assert vault.run("merge", "acorn").exit_code == 0
    assert COPY in vault.files()


def test_of_several_copies_one_can_be_merged_alone(vault: Vault) -> None:
    vault.conflict("Acme")
    other = "Acme.sync-conflict-20261122-003230-SZGHDFP.md"
    vault.put(other, BASE.replace("## Log\n", "## Log\n- 2026-11-22 call: third\n"))
    assert vault.run("merge", COPY).exit_code == 0
    assert set(vault.files()) == {"Acme.md", other}
    assert vault.run("merge").exit_code == 0
    assert vault.files() == {"Acme.md": MERGED.replace("## Log\n", "## Log\n- 2026-11-22 call: third\n")}


def test_places_in_the_text_of_several_notes_are_not_answered_at_once(vault: Vault) -> None:
    vault.conflict("Acme")
    vault.conflict("Bo")
    vault.put("Acme.md", MINE)
    done = vault.run("merge", "--take", "text-1=both")
    assert done.exit_code == 2
    assert "name the copy as well" in done.stderr


def test_marks_that_git_left_are_a_conflict_too(vault: Vault) -> None:
    lines = "<<<<<<< HEAD\n- 2026-11-20 call: a\n=======\n- 2026-11-21 call: b\n>>>>>>> main\n"
    vault.put("Acme.md", BASE.replace("## Log\n", f"## Log\n{lines}"))
    done = vault.run()
    assert done.exit_code == 1
    assert done.stdout == "Acme.md:1: merges Acme.md — 2 log entries [the marks of an unfinished merge]\n"
    assert vault.run("merge").stdout.startswith("Merged: Acme.md, without the marks of an unfinished merge")
    both = "- 2026-11-21 call: b\n- 2026-11-20 call: a\n"
    assert vault.files() == {"Acme.md": BASE.replace("## Log\n", f"## Log\n{both}")}


def test_json_has_all_of_it(vault: Vault) -> None:
    vault.conflict("Acme", *DATED)
    found = json.loads(vault.run("--format", "json").stdout)
    assert found["format_version"] == 1
    (copy,) = found["conflicts"]
    assert copy["path"] == COPY
    assert (copy["original"], copy["present"], copy["state"], copy["base_known"]) == (
        "Acme.md",
        True,
        "asks",
        True,
    )
    assert (copy["sure"], copy["mirrored"], copy["label"]) == (True, False, "copy")
    assert copy["tags"] == [{"engine": "Dropbox", "machine": "Anna", "at": "2026-11-22", "by_winner": False}]
    assert copy["fields"] == [
        {"key": "next_contact", "before": "none", "one": "2026-11-26", "two": "2026-11-27"},
        {"key": "value", "before": "1", "one": "2", "two": "1"},
    ]
    assert copy["said"] == [
        {"kind": "entry", "side": 1, "text": "- 2026-11-20 call: mine", "before": False},
        {"kind": "entry", "side": 2, "text": "- 2026-11-21 call: theirs", "before": False},
    ]
    options = {"note": "2026-11-26", "copy": "2026-11-27"}
    assert copy["questions"] == [{"key": "next_contact", "text": False, "before": "", "options": options}]
    assert json.loads(vault.run("show", "acme", "--format", "json").stdout) == found


@pytest.mark.parametrize("words", [(), ("show", "acme")])
def test_a_table_holds_what_the_lines_hold_and_nothing_raw(vault: Vault, words: tuple[str, ...]) -> None:
    vault.conflict("Acme", DATED[0], DATED[1].replace("theirs", "\x1b[31mred\x07"))
    vault.put("Acme (\x1b[2J's conflicted copy 2026-11-22).md", DATED[1])
    shown = vault.run(*words, "--format", "table").stdout + vault.run("merge").stderr
    assert "2026-11-27" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown
    coloured = "".join(render_outline([(0, "Acme", "bold"), (0, "", "")], 80, color=True))
    assert coloured == "\x1b[1mAcme\x1b[0m\n\n"


def test_it_waits_until_files_are_left_alone(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.conflict()
    monkeypatch.setattr(merging, "QUIET", 3600.0)
    monkeypatch.setattr("notesync.sync.pipeline.Workspace.pause", lambda self, seconds: waits.append(seconds))
    waits: list[float] = []
    done = vault.run("merge")
    assert done.exit_code == 4
    assert 3000 < waits[0] <= 3600
    assert "Waiting 36" in done.stderr
    assert "just-saved: " in done.stderr
    assert COPY in vault.files()


# what the merge comes from --------------------------------------------------------------------------


def test_sync_keeps_some_texts_at_once_and_the_rest_later(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_KEPT_AT_ONCE", 2)
    for number in range(5):
        vault.put(f"{number}.md", BASE.replace("Acme", f"Client {number}"))
    for left in (3, 1, 0, 0):
        assert vault.sync().exit_code == 0
        with session.Session().open() as workspace:
            assert len(workspace.find_unkept()) == left


def test_only_what_tells_of_clients_is_kept(vault: Vault) -> None:
    vault.put("Acme.md", BASE)
    vault.put("Recipe.md", "# Soup\n")
    vault.put("Week.md", "- [ ] ring [[Acme]] 📅 2026-11-25\n")
    assert vault.sync().exit_code == 0
    with session.Session().open() as workspace:
        assert set(workspace._open_history().newest()) == {"Acme.md", "Week.md"}


def test_a_history_that_cannot_be_written_costs_a_warning(vault: Vault, own_places: Path) -> None:
    vault.put("Acme.md", BASE)
    own_places.rmdir()
    own_places.write_bytes(b"")
    done = vault.sync()
    assert done.exit_code == 0
    assert done.stderr.count("Conflict copies may be harder to merge: earlier texts cannot be kept") == 1
    assert (vault.root / "followups.ics").exists()


def test_what_vanishes_while_it_is_kept_is_left_out(vault: Vault) -> None:
    vault.put("Acme.md", BASE)
    assert vault.sync().exit_code == 0
    (vault.root / "Acme.md").unlink()
    with session.Session().open() as workspace:
        workspace.keep_texts(["Acme.md", "Nobody.md"])
        assert len(workspace._open_history().texts("Acme.md")) == 1


class Script:
    """A watcher's wakes, each with what happens just before it."""

    stopped = False
    is_idle = True
    poll = 60.0

    def __init__(self, *happens: Callable[[], object]) -> None:
        self.happens = list(happens)

    def wait(self, midnight: float | None = None, at_most: float | None = None) -> Wake:
        if not self.happens:
            return Wake(STOPPED)
        self.happens.pop(0)()
        return Wake(SWEEP)


class Told(session.Session):
    """A session that remembers what it said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def tell(self, *lines: str) -> None:
        self.said.extend(lines)


def test_watch_keeps_every_text_while_nothing_happens_and_each_that_comes(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_KEPT_AT_ONCE", 1)
    monkeypatch.setattr(keeping, "_KEPT_BETWEEN", 1)
    for number in range(4):
        vault.put(f"{number}.md", BASE.replace("Acme", f"Client {number}"))
    told = Told()
    with told.open() as workspace:
        script = Script(lambda: vault.put("0.md", MINE), lambda: vault.put("0.md", THEIRS))
        Watch(told, workspace, script).run()  # type: ignore[arg-type]
        history = workspace._open_history()
        assert set(history.newest()) == {f"{number}.md" for number in range(4)}
        kept = [history.read(text.digest) for text in history.texts("0.md")]
    assert kept == [THEIRS.encode(), MINE.encode(), BASE.replace("Acme", "Client 0").encode()]


def test_watch_says_once_that_texts_cannot_be_kept(vault: Vault, own_places: Path) -> None:
    vault.put("Acme.md", BASE)
    (own_places / "notesync").write_bytes(b"in the way")
    told = Told()
    with told.open() as workspace:
        workspace._history = History(str(own_places / "notesync" / "vault"))
        script = Script(lambda: vault.put("Acme.md", MINE), lambda: vault.put("Acme.md", THEIRS))
        Watch(told, workspace, script).run()  # type: ignore[arg-type]
    assert len([line for line in told.said if "harder to merge" in line]) == 1
    assert len([line for line in told.said if "Acme.md" in line]) >= 2


def test_a_shell_completes_notes_with_copies_and_the_copies(vault: Vault) -> None:
    vault.conflict()
    assert vault.run().exit_code == 1
    with click.Context(notesync) as ctx:
        assert [item.value for item in complete_copies(ctx, "")] == ["Acme.md", COPY]
        assert [item.value for item in complete_copies(ctx, "anna")] == [COPY]
