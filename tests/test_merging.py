"""A note, its conflict copies, what a merge stores, and that nothing is lost whenever it is killed."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from kills import die_at
from two_edits import count_lines, find_lost, find_unexcused, is_told_apart, versions

from notesync.problems import MovedOnError, RefusedError
from notesync.store.cases import ASKS, DONE, MERGES, NOTHING_NEW, REFUSED, Case
from notesync.store.conflicts import find_copies
from notesync.store.history import History
from notesync.store.vault import Vault, is_renamed_note
from notesync.sync import merging
from notesync.sync.change import plan_undo, undo
from notesync.sync.merging import find_wait, plan_merge, read_cases, store_merges

NEEDS_POSIX = pytest.mark.skipif(os.name == "nt", reason="no such files, permissions or signals there")
BASE = "---\ntype: client\nvalue: 1\n---\n# Acme\n\n## Log\n- 2026-11-01 call: talked\n"
MINE = BASE.replace("value: 1", "value: 2").replace("## Log\n", "## Log\n- 2026-11-20 call: mine\n")
THEIRS = BASE.replace("# Acme", "# Acme Ltd").replace("## Log\n", "## Log\n- 2026-11-21 call: theirs\n")
MERGED = (
    "---\ntype: client\nvalue: 2\n---\n# Acme Ltd\n\n## Log\n"
    "- 2026-11-21 call: theirs\n- 2026-11-20 call: mine\n- 2026-11-01 call: talked\n"
)
NOTE, COPY = "Clients/Acme.md", "Clients/Acme (Anna's conflicted copy 2026-11-22).md"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that the test has just written need not be left alone for ten seconds."""
    monkeypatch.setattr(merging, "QUIET", 0.0)


class Desk:
    """A vault with a note and its copy, and the history that one computer has of them."""

    def __init__(self, folder: Path, texts: tuple[str, ...] = (BASE, MINE)) -> None:
        self.folder = folder
        self.root = folder / "vault"
        (self.root / "Clients").mkdir(parents=True)
        self.vault = Vault(str(self.root))
        self.history = History(str(folder / "state" / "vault"))
        for at, text in enumerate(texts):
            self.history.store([(NOTE, text.encode())], time.time() - 1000 + at)

    def put(self, path: str, text: str) -> None:
        (self.root / path).write_bytes(text.encode())

    def files(self) -> dict[str, str]:
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes().decode()
            for path in self.root.rglob("*")
            if path.is_file()
        }

    def cases(self, **answers: str) -> list[Case]:
        paths = [path.relative_to(self.root).as_posix() for path in self.root.rglob("*.*")]
        paths = [path for path in paths if path.endswith(".md") or is_renamed_note(path)]
        copies = find_copies(paths, lambda copy, beside: True)
        marked = {path for path, text in self.files().items() if "<<<<<<< " in text} - {
            c.path for c in copies
        }
        return read_cases(self.vault, self.history, copies, marked, answers, ("Log",))

    def case(self, **answers: str) -> Case:
        (case,) = self.cases(**answers)
        return case

    def merge(self, **answers: str) -> None:
        store_merges(self.vault, self.history, [self.case(**answers)])

    def kept(self) -> set[str]:
        found = [text for path in (NOTE, COPY) for text in self.history.texts(path)]
        return {(self.history.read(text.digest) or b"").decode() for text in found}


@pytest.fixture
def desk(quick_path: Path) -> Iterator[Desk]:
    found = Desk(quick_path)
    found.put(NOTE, MINE)
    found.put(COPY, THEIRS)
    with found.history:
        yield found


def test_a_copy_is_merged_into_its_note_and_undo_brings_both_back(desk: Desk) -> None:
    before = desk.files()
    case = desk.case()
    assert (case.state, case.based, case.path) == (MERGES, True, NOTE)
    assert desk.files() == before
    assert [step.path for step in plan_merge(desk.vault, case)] == [NOTE, COPY]
    desk.merge()
    assert desk.files() == {NOTE: MERGED}
    assert {BASE, MINE, THEIRS, MERGED} <= desk.kept()
    undo(desk.vault, desk.history)
    assert desk.files() == before
    assert desk.case().result == MERGED.encode()


def test_without_a_history_only_what_is_certain_is_merged(desk: Desk, quick_path: Path) -> None:
    desk.history = History(str(quick_path / "another"))
    case = desk.case()
    assert (case.state, case.based) == (ASKS, False)
    assert {asked.key for asked in case.asked} == {"value", "text-1"}
    desk.put(COPY, MINE + "\nMore.\n")
    assert desk.case().result == (MINE + "\nMore.\n").encode()


def test_a_history_that_cannot_be_read_is_as_good_as_none_for_looking(desk: Desk, quick_path: Path) -> None:
    (quick_path / "in the way").write_bytes(b"")
    desk.history = History(str(quick_path / "in the way"))
    assert desk.case().state == ASKS
    desk.put(COPY, MINE)
    with pytest.raises(RefusedError, match="no note is changed"):
        desk.merge()
    assert COPY in desk.files()


def test_the_winner_that_came_with_the_copy_is_not_taken_for_what_both_come_from(quick_path: Path) -> None:
    """The sync program renames our note and puts the winner in its place; the watcher has seen both."""
    desk = Desk(quick_path, (BASE, MINE, THEIRS))
    desk.put(NOTE, THEIRS)
    desk.put(COPY, MINE)
    desk.merge()
    assert desk.files() == {NOTE: MERGED}


def test_another_computer_that_knows_the_base_by_other_texts_makes_the_same_note(quick_path: Path) -> None:
    for number, texts in enumerate([(BASE, MINE), (BASE, THEIRS), ("# Old\n", BASE), (BASE, MINE, THEIRS)]):
        desk = Desk(quick_path / str(number), texts)
        desk.put(*((NOTE, MINE) if number % 2 else (NOTE, THEIRS)))
        desk.put(*((COPY, THEIRS) if number % 2 else (COPY, MINE)))
        desk.merge()
        assert desk.files() == {NOTE: MERGED}


@pytest.mark.parametrize(
    "copy", [MINE, BASE + "\r\n", ""], ids=["equal", "its base and a blank line", "empty"]
)
def test_a_copy_that_holds_nothing_new_goes_and_its_text_is_kept(desk: Desk, copy: str) -> None:
    desk.put(NOTE, MINE)
    desk.put(COPY, copy)
    assert desk.case().state == NOTHING_NEW
    desk.merge()
    assert desk.files() == {NOTE: MINE}
    assert copy in desk.kept()
    undo(desk.vault, desk.history)
    assert desk.files() == {NOTE: MINE, COPY: copy}


ADDED = BASE + "\n- [ ] added\n"


@pytest.mark.parametrize("stored", [False, True])
def test_what_was_first_seen_when_the_copy_was_there_is_not_what_both_come_from(
    quick_path: Path, stored: bool
) -> None:
    """The copy was there before this computer knew anything: nothing tells that it ever had the task."""
    desk = Desk(quick_path, ())
    desk.put(NOTE, ADDED)
    desk.put(COPY, BASE.replace("value: 1", "value: 3"))
    later = time.time() + 10
    desk.history.store([(NOTE, ADDED.encode())], later)
    if stored:
        desk.history.store([(COPY, desk.files()[COPY].encode())], later)
        os.utime(desk.root / COPY)
    desk.put(NOTE, ADDED + "- [ ] more\n")
    assert (desk.case().state, desk.case().based) == (ASKS, False)
    assert "- [ ] added\n" in (desk.case(value="copy").result or b"").decode()


def test_a_copy_of_that_name_that_was_merged_before_was_another_one(quick_path: Path) -> None:
    """rclone calls every copy the same."""
    desk = Desk(quick_path)
    desk.put(NOTE, MINE)
    desk.put(COPY, THEIRS)
    desk.history.store([(COPY, THEIRS.encode())], time.time() - 900)
    desk.merge()
    desk.history.store([(NOTE, ADDED.encode())], time.time())
    desk.put(NOTE, ADDED.replace("value: 1", "value: 4"))
    desk.put(COPY, ADDED + "- [ ] theirs\n")
    assert desk.case().result == (ADDED.replace("value: 1", "value: 4") + "- [ ] theirs\n").encode()


def test_a_copy_that_is_a_text_of_this_device_takes_nothing_back(quick_path: Path) -> None:
    """Our second text lacks in the copy, which may be older, or a loser that was renamed: neither is the base."""
    desk = Desk(quick_path, (BASE, ADDED))
    desk.put(NOTE, ADDED.replace("value: 1", "value: 2") + "- [ ] more\n")
    desk.put(COPY, BASE)
    assert (desk.case().state, desk.case().based) == (ASKS, False)
    assert "- [ ] added\n" in (desk.case(value="copy").result or b"").decode()


def test_a_note_that_would_be_too_large_to_be_read_again_is_not_made(quick_path: Path) -> None:
    desk = Desk(quick_path, (BASE,))
    desk.put(NOTE, BASE + "\n# More\n\n" + "x" * 1_500_000 + "\n")
    desk.put(COPY, BASE + "\n# More\n\n" + "y" * 1_500_000 + "\n")
    case = desk.case(**{"text-1": "both"})
    assert (case.state, case.result) == (REFUSED, None)
    assert "larger than the 2 MB that are read" in case.refusal
    assert desk.case(**{"text-1": "copy"}).state == MERGES


def test_a_copy_of_a_generated_note_goes_without_a_merge(quick_path: Path) -> None:
    desk = Desk(quick_path, ())
    made = "---\ngenerated: notesync\n---\n- Acme, today\n"
    desk.put("Agenda.md", made)
    desk.put("Agenda (Anna's conflicted copy 2026-11-22).md", made.replace("today", "tomorrow"))
    assert desk.case().state == NOTHING_NEW
    desk.merge()
    assert desk.files() == {"Agenda.md": made}


def test_the_answers_in_a_copy_of_a_review_are_not_lost(quick_path: Path) -> None:
    """Figures of two days, and an answer in each: no version is thrown away for holding nothing new."""
    made = (
        "---\nreview: 2026-11\ngenerated: notesync\n---\n%% notesync figures: lessons 0123 %%\n| Contacts | 1 |\n"
        "%% notesync end: lessons %%\n\n**What I learned:**\n\n- \n"
    )
    path, copy = "Clients/2026-11.md", "Clients/2026-11 (Anna's conflicted copy 2026-11-22).md"
    desk = Desk(quick_path, ())
    desk.history.store([(path, made.encode())], time.time() - 1000)
    desk.put(path, made.replace("- \n", "- Listen.\n"))
    desk.put(copy, made.replace("%% notesync figures", "A busy month.\n\n%% notesync figures"))
    assert desk.case().state == MERGES
    desk.merge()
    (text,) = desk.files().values()
    assert "- Listen." in text
    assert "A busy month." in text
    desk.put(path, made.replace("- \n", "- Listen.\n"))
    desk.put(copy, made.replace("- \n", "- Ask.\n").replace("| 1 |", "| 2 |"))
    assert desk.case().state == ASKS


def test_two_dates_leave_everything_as_it_is_until_somebody_says(desk: Desk) -> None:
    for path, day in ((NOTE, "26"), (COPY, "27")):
        desk.put(path, desk.files()[path].replace("value:", f"next_contact: 2026-11-{day}\nvalue:"))
    assert [asked.key for asked in desk.case().asked] == ["next_contact"]
    desk.merge(next_contact="later")
    assert desk.files() == {NOTE: MERGED.replace("value:", "next_contact: 2026-11-27\nvalue:")}


def test_copies_of_copies_and_several_copies_end_up_in_the_note(desk: Desk) -> None:
    third = BASE.replace("## Log\n", "## Log\n- 2026-11-22 call: third\n")
    desk.put(
        "Clients/Acme (Anna's conflicted copy 2026-11-22).sync-conflict-20261122-003230-SZGHDFP.md", third
    )
    desk.put("Clients/Acme.sync-conflict-20261122-003231-SZGHDFP.md", third)
    desk.merge()
    assert desk.files() == {NOTE: MERGED.replace("## Log\n", "## Log\n- 2026-11-22 call: third\n")}
    undo(desk.vault, desk.history)
    assert len(desk.files()) == 4


def test_a_note_that_rclone_has_renamed_twice_is_back_under_its_name(quick_path: Path) -> None:
    desk = Desk(quick_path)
    desk.put(f"{NOTE}..path1", MINE)
    desk.put(f"{NOTE}..path2", THEIRS)
    before = desk.files()
    assert desk.case().data is None
    desk.merge()
    assert desk.files() == {NOTE: MERGED}
    undo(desk.vault, desk.history)
    assert desk.files() == before


def test_marks_of_a_merge_are_taken_out_again(quick_path: Path) -> None:
    desk = Desk(quick_path, ())
    one, two = "- 2026-11-20 call: mine\n", "- 2026-11-21 call: theirs\n"
    marked = BASE.replace("## Log\n", f"## Log\n<<<<<<< HEAD\n{one}||||||| b\n=======\n{two}>>>>>>> main\n")
    desk.put(NOTE, marked)
    case = desk.case()
    assert (case.state, case.sheets, case.based) == (MERGES, (), True)
    desk.merge()
    assert desk.files() == {NOTE: BASE.replace("## Log\n", f"## Log\n{two}{one}")}
    undo(desk.vault, desk.history)
    assert desk.files() == {NOTE: marked}


def test_what_resilio_keeps_is_merged_stays_and_is_not_offered_again(desk: Desk) -> None:
    (desk.root / COPY).unlink()
    copy = "Clients/Acme.Conflict.md"
    for path, text, day in ((NOTE, MINE, "26"), (copy, THEIRS, "27")):
        desk.put(path, text.replace("value:", f"next_contact: 2026-11-{day}\nvalue:"))
    kept = desk.files()[copy]
    desk.merge(next_contact="note")
    assert desk.files() == {NOTE: MERGED.replace("value:", "next_contact: 2026-11-26\nvalue:"), copy: kept}
    assert (desk.case().state, desk.case().open) == (DONE, False)
    desk.put(copy, kept + "- 2026-11-22 call: later\n")
    assert [asked.key for asked in desk.case().asked] == ["next_contact"]
    desk.put(copy, kept)
    undo(desk.vault, desk.history)
    assert desk.case().state == ASKS
    desk.put(copy, desk.files()[NOTE])
    assert desk.case().state == DONE


@pytest.mark.parametrize("path", [NOTE, COPY])
def test_a_file_that_moves_on_between_looking_and_storing_ends_it(desk: Desk, path: str) -> None:
    case = desk.case()
    desk.put(path, "typed\n")
    before = desk.files()
    with pytest.raises(MovedOnError):
        store_merges(desk.vault, desk.history, [case])
    assert desk.files() == before


def test_a_file_that_was_saved_just_now_is_left_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "QUIET", 3600.0)
    before = desk.files()
    assert 3000 < find_wait(desk.vault, [NOTE, COPY]) <= 3600
    with pytest.raises(
        RefusedError, match=r"just-saved: Clients/Acme.*try again when your sync program is done"
    ):
        desk.merge()
    assert desk.files() == before


@NEEDS_POSIX
@pytest.mark.parametrize("path", [NOTE, COPY])
def test_what_cannot_be_read_is_not_merged(desk: Desk, path: str) -> None:
    (desk.root / path).unlink()
    (desk.root / path).symlink_to("/dev/null")
    case = desk.case()
    assert (case.state, case.result) == (REFUSED, None)
    assert "not an ordinary file" in case.refusal


def test_a_note_that_may_only_be_read_keeps_its_copy(desk: Desk) -> None:
    (desk.root / NOTE).chmod(0o444)
    before = desk.files()
    with pytest.raises(RefusedError, match="may only be read"):
        desk.merge()
    assert desk.files() == before


@NEEDS_POSIX
def test_a_copy_that_may_only_be_read_leaves_the_note_as_it_was(desk: Desk) -> None:
    (desk.root / COPY).chmod(0o444)
    before = desk.files()
    with pytest.raises(RefusedError, match="may only be read"):
        desk.merge()
    assert desk.files() == before
    assert desk.history.find_last() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_step_loses_nothing(quick_path: Path) -> None:
    """The copy is there, or the merged note is; what was there before is kept; merging again ends it.

    What is to be merged is read before: a kill while nothing is written yet costs nothing.
    """
    outcomes, moment, ended = [], 0, False
    while not ended:
        moment += 1
        desk = Desk(quick_path / str(moment))
        desk.put(NOTE, MINE)
        desk.put(COPY, THEIRS)
        case = desk.case()
        desk.history.close()
        child = os.fork()
        if not child:
            sys.setprofile(die_at(moment))
            try:
                store_merges(desk.vault, desk.history, [case])
            finally:
                os._exit(0)
        ended = os.WIFEXITED(os.waitpid(child, 0)[1])
        found = {path: text for path, text in desk.files().items() if path.endswith(".md")}
        assert found in ({NOTE: MINE, COPY: THEIRS}, {NOTE: MERGED, COPY: THEIRS}, {NOTE: MERGED})
        if found[NOTE] == MERGED:
            assert {BASE, MINE, THEIRS} <= desk.kept() | set(found.values())
        for case in desk.cases():
            store_merges(desk.vault, desk.history, [case])
        outcomes.append(len(found) + (found[NOTE] == MINE))
        assert {path: text for path, text in desk.files().items() if path.endswith(".md")} == {NOTE: MERGED}
        assert {BASE, MINE, THEIRS} <= desk.kept()
        plan_undo(desk.vault, desk.history)
        assert desk.history.find_begun() == []
        desk.history.close()
    assert outcomes == sorted(
        outcomes, reverse=True
    )  # untouched, then merged with the copy there, then all done
    assert set(outcomes) == {1, 2, 3}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions())
def test_random_edits_are_merged_without_loss_and_the_same_on_every_computer(
    quick_path: Path, notes: tuple[str, str, str]
) -> None:
    """Of any two edits the merge keeps each added line, whichever won the name, and so does a second one."""
    base, *sides = notes
    assume(is_told_apart(*notes) and len(set(notes)) == 3)
    outcomes = []
    for at, (note, copy) in enumerate([sides, sides[::-1]]):
        folder = Path(tempfile.mkdtemp(dir=quick_path))
        desk = Desk(folder, (base, note) if at else (base, copy, note))
        desk.put(NOTE, note)
        desk.put(COPY, copy)
        with desk.history:
            case = desk.case()
            if case.result is not None:
                desk.merge()
                assert list(desk.files()) == [NOTE]
                desk.put(COPY, copy)  # as another device may that has not heard of it
                again = desk.case().result
                lost = set(count_lines(case.result.decode())) - set(
                    count_lines((again or case.result).decode())
                )
                assert not find_unexcused(Counter(lost))
            outcomes.append((case.state in (MERGES, NOTHING_NEW), case.result))
            if case.state == REFUSED or case.result is None:
                assert desk.files() == {NOTE: note, COPY: copy}
    assert outcomes[0] == outcomes[1]
    if (result := outcomes[0][1]) is not None:
        assert not find_lost(notes, result.decode())
