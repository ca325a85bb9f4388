"""All versions of a note, what a person answers, and the one note that comes of it; and what differs, to read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from two_edits import find_lost, is_told_apart, versions

from notesync.notes.differences import Differences, Field, Said, compare
from notesync.notes.versions import Asked, Settled, Version, list_versions, settle
from notesync.problems import RefusedError

PATH = "Clients/Anna.md"
LOG = ("Log",)


def note(header: str, body: str = "# Anna\n\n## Log\n") -> str:
    return f"---\n{header}\n---\n{body}"


def run(base: str | None, *texts: str, labels: Sequence[str] = (), **answers: str) -> Settled:
    """What comes of versions: the note and its copies, however these are ordered."""
    names = labels or [
        "note",
        *(["copy"] if len(texts) == 2 else [f"copy-{n}" for n in range(1, len(texts))]),
    ]
    found = [Version(name, text.encode()) for name, text in zip(names, texts, strict=True)]
    known = [] if base is None else [base.encode()]
    given_answers = {key.replace("text_", "text-"): word for key, word in answers.items()}
    return settle(found, known, PATH, given_answers, LOG)


def told(base: str | None, *texts: str, **answers: str) -> str:
    settled = run(base, *texts, **answers)
    assert settled.data is not None, settled.asked
    assert settled.unused == settled.unmeant == ()
    return settled.data.decode()


DATED = [note(f"name: A\nnext_contact: 2026-11-{day}") for day in (25, 26, 27, 28)]

# Answers to two dates of a note and its copy, and the day that stands in the note afterwards.
ANSWERS = {
    "note": "26", "copy": "27", "earlier": "26", "later": "27", "2026-11-26": "26", "2026-11-27": "27",
    " 2026-11-27 ": "27",
}  # fmt: skip


@pytest.mark.parametrize("word", ANSWERS)
def test_two_dates_are_a_question_that_can_be_answered_in_words(word: str) -> None:
    base, one, two = DATED[:3]
    settled = run(base, one, two)
    assert settled.data is None
    options = (("note", "2026-11-26"), ("copy", "2026-11-27"))
    assert settled.asked == (Asked("next_contact", "2026-11-25", options, False),)
    assert told(base, one, two, next_contact=word) == note(f"name: A\nnext_contact: 2026-11-{ANSWERS[word]}")


def test_a_date_that_one_has_emptied_can_be_answered_with_none() -> None:
    one, two = DATED[1], note("name: A\nnext_contact:")
    assert run(DATED[0], one, two).asked[0].options == (("note", "2026-11-26"), ("copy", "none"))
    assert told(DATED[0], one, two, next_contact="none") == two
    assert told(DATED[0], one, two, next_contact="later") == one


@pytest.mark.parametrize("word", ["2026-12-01", "both", "copy-1", "mine"])
def test_an_answer_that_no_version_has_settles_nothing(word: str) -> None:
    settled = run(*DATED[:3], next_contact=word)
    assert (settled.data, settled.unmeant) == (None, ("next_contact",))
    assert settled.asked[0].key == "next_contact"


def test_an_answer_to_nothing_is_said() -> None:
    assert run(DATED[0], DATED[0] + "Tea.\n", DATED[1], phone="note").unused == ("phone",)


@pytest.mark.parametrize("word", ["note", "copy-1", "copy-2", "earlier", "later", "2026-11-27"])
def test_of_three_versions_an_answer_means_the_same_in_whatever_order(word: str) -> None:
    base, *three = DATED
    wanted = {
        "note": "26",
        "copy-1": "27",
        "copy-2": "28",
        "earlier": "26",
        "later": "28",
        "2026-11-27": "27",
    }[word]
    assert told(base, *three, next_contact=word) == note(f"name: A\nnext_contact: 2026-11-{wanted}")


def test_a_date_that_a_copy_has_overruled_can_no_longer_be_chosen() -> None:
    """The note has the base's date, which two copies have moved: which of theirs holds is the question."""
    settled = run(DATED[3], DATED[3] + "Tea.\n", DATED[1], DATED[2], next_contact="note")
    assert (settled.data, settled.unmeant) == (None, ("next_contact",))
    assert [value for _, value in settled.asked[0].options] == ["2026-11-26", "2026-11-27"]


def test_places_in_the_text_are_answered_with_one_or_both() -> None:
    base, one, two = (note("name: A", f"{word}\n\nend\n") for word in ("old", "new", "other"))
    asked = run(base, one, two).asked
    assert asked == (Asked("text-1", "old\n", (("note", "new\n"), ("copy", "other\n")), True),)
    assert told(base, one, two, text_1="note") == one
    assert told(base, one, two, text_1="copy") == two
    assert sorted(told(base, one, two, text_1="both").split()) == sorted(f"{one} other".split())


def test_places_are_counted_on_from_version_to_version() -> None:
    base, *three = (note("name: A", f"{word}\n\nend\n") for word in ("old", "new", "other", "third"))
    assert [each.key for each in run(base, *three, text_1="both").asked] == ["text-2"]
    words = told(base, *three, text_1="both", text_2="both").split()
    assert {"new", "other", "third"} <= set(words)


def test_all_copies_of_a_note_end_up_in_it() -> None:
    entries = [f"- 2026-11-{day} call\n" for day in (20, 21, 22)]
    base = note("name: A")
    three = [base + entry for entry in entries]
    assert told(base, *three) == base + "".join(reversed(entries))
    assert told(base, three[0], three[0], three[1], three[1]) == base + entries[1] + entries[0]


def test_a_note_with_marks_is_two_versions() -> None:
    data = note(
        "name: A", "<<<<<<< HEAD\none\n||||||| base\nold\n=======\ntwo\n>>>>>>> main\n\nend\n"
    ).encode()
    found, base = list_versions("note", data, PATH)
    assert [(version.label, version.data) for version in found] == [
        ("upper", note("name: A", "one\n\nend\n").encode()), ("lower", note("name: A", "two\n\nend\n").encode()),
    ]  # fmt: skip
    assert base == note("name: A", "old\n\nend\n").encode()
    asked = settle(found, [], PATH, {}, LOG, base).asked
    assert asked == (Asked("text-1", "old\n", (("upper", "one\n"), ("lower", "two\n")), True),)
    assert settle(found, [], PATH, {"text-1": "upper"}, LOG, base).data == found[0].data


def test_marks_that_nobody_can_follow_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"^merge-marker"):
        list_versions("note", b"<<<<<<< a\n<<<<<<< b\n=======\n>>>>>>> c\n", PATH)


@settings(max_examples=60, deadline=None)
@given(versions(), versions())
def test_copies_are_merged_to_the_same_in_whatever_order_they_come(
    notes: tuple[str, str, str], others: tuple[str, str, str]
) -> None:
    base, one, two = notes
    outcomes = set()
    for copies in permutations([two, others[1], one]):
        try:
            outcomes.add(run(base, base, *sorted(copies)).data)
        except RefusedError:
            outcomes.add(b"refused")
    assert len(outcomes) == 1


@settings(max_examples=100, deadline=None)
@given(versions())
def test_no_added_line_is_lost_and_merging_again_changes_nothing(notes: tuple[str, str, str]) -> None:
    base, one, two = notes
    assume(is_told_apart(*notes))
    try:
        settled = run(base, one, two)
    except RefusedError:
        assume(False)
    if settled.data is None:
        assert settled.asked
        return
    text = settled.data.decode()
    assert not find_lost(notes, text)
    if settled.base is not None and len({base, one, two}) == 3:
        assert told(base, text, two) == text


# ------------------------------------------------------------------------------------ what differs


def differ(base: str | None, one: str, two: str) -> Differences:
    return compare(None if base is None else base.encode(), one.encode(), two.encode(), PATH, LOG)


def test_what_differs_is_told_by_field_entry_task_and_line() -> None:
    base = note("name: A\nvalue: 1", "Tea.\n- [ ] ring\n\n## Log\n- 2026-11-01 call: a\n")
    one = note(
        "name: A\nvalue: 2",
        "Tea.\n- [ ] ring\n\n## Log\n- 2026-11-20 call: b\n  more\n- 2026-11-01 call: a\n",
    )
    two = note("name: A\nValue: 1\ntags: [a, b]", "Coffee.\n- [x] ring\n\n## Log\n- 2026-11-01 call: a\n")
    assert differ(base, one, two) == Differences(
        (Field("value", "1", "2", "1"), Field("tags", "none", "none", "a, b")),
        (
            Said("text", 1, "Tea.", True),
            Said("task", 1, "- [ ] ring", True),
            Said("entry", 1, "- 2026-11-20 call: b\n  more", False),
            Said("text", 2, "Coffee.", False),
            Said("task", 2, "- [x] ring", False),
        ),
    )
    assert differ(base, one, two).tally() == {"field": 2, "entry": 1, "task": 2, "text": 2}
    assert [each.base for each in differ(None, one, two).fields] == ["", ""]


@pytest.mark.parametrize("other", ["\r\n", "\r"])
def test_line_ends_and_blank_lines_are_no_difference(other: str) -> None:
    text = note("name: A\ntags: [a]", "Tea.\n\n\n- [ ] ring\n")
    assert differ(None, text, text.replace("\n\n", "\n").replace("\n", other)) == Differences((), ())


@settings(deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_can_be_compared(one: bytes, two: bytes) -> None:
    first, second = compare(None, one, two, PATH, LOG), compare(None, two, one, PATH, LOG)
    assert first.tally() == second.tally()
    assert compare(None, one, one, PATH, LOG) == Differences((), ())
