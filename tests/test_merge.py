"""A note as it was, what two devices made of it, and the one note that comes of both."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from two_edits import count_lines, find_lost, find_unexcused, is_told_apart, versions

from notesync.notes.body import parse_body
from notesync.notes.merge import BOTH, Merged, Question, choose_base, merge_notes
from notesync.notes.note import parse_note
from notesync.problems import RefusedError

PATH = "Clients/Anna.md"


def merge(base: str | None, one: str, two: str, **take: int) -> Merged:
    """The merge, which must be the same whichever side comes first."""
    answers = {key.replace("text_", "text-"): side for key, side in take.items()}
    known = None if base is None else base.encode()
    merged = merge_notes(known, one.encode(), two.encode(), PATH, answers)
    turned = merge_notes(
        known, two.encode(), one.encode(), PATH, {key: 3 - side for key, side in answers.items()}
    )
    assert turned.data == merged.data
    assert [each._replace(one=each.two, two=each.one) for each in turned.questions] == list(merged.questions)
    return merged


def settled(base: str | None, one: str, two: str, **take: int) -> str:
    merged = merge(base, one, two, **take)
    assert merged.questions == ()
    assert merged.data is not None
    return merged.data.decode()


# ------------------------------------------------------------------------------------ front matter

# A header, what each device made of it, the header after the merge.
HEADERS: dict[str, tuple[str, str, str, str]] = {
    "different keys": (
        "name: A\nstage: lead", "name: B\nstage: lead", "name: A\nstage: customer", "name: B\nstage: customer",
    ),
    "a key each": ("name: A", "name: A\nphone: 1", "name: A\nemail: x", "name: A\nemail: x\nphone: 1"),
    "the same change": ("name: A", "name: B", "name: B", "name: B"),
    "the same value in quotes": ("name: A", 'name: "B"', "name: B", 'name: "B"'),
    "a key taken out": ("name: A\nphone: 1", "name: A", "name: B\nphone: 1", "name: B"),
    "taken out here, changed there": ("name: A\nphone: 1", "name: A", "name: A\nphone: 2", "name: A\nphone: 2"),
    "emptied here, changed there": ("phone: 1", "phone:", "phone: 2", "phone: 2"),
    "emptied here, taken out there": ("name: A\nphone: 1", "name: A\nphone:", "name: A", "name: A\nphone:"),
    "the later contact": (
        "last_contact: 2026-11-01", "last_contact: 2026-11-20", "last_contact: 2026-11-19", "last_contact: 2026-11-20",
    ),
    "items on both sides": ("tags: [a, b]", "tags: [a, b, c]", "tags: [b, d]", "tags: [b, c, d]"),
    "items with dashes": ("tags:\n- a", "tags:\n- a\n- b", "tags:\n- a\n- c", "tags:\n- a\n- b\n- c"),
    "a value becomes a list": ("email: a", "email: [a, b]", "email: [a, c]", "email: [a, b, c]"),
    "lines are kept as they are": (
        "# who\nname:   A  # her\nodd: {x: 1}\nstage: lead",
        "# who\nname:   A  # her\nodd: {x: 1}\nstage:  'customer' # yes",
        "# who\nname:   A  # her\nodd: {x: 2}\nstage: lead",
        "# who\nname:   A  # her\nodd: {x: 2}\nstage:  'customer' # yes",
    ),
    "comments on both sides": ("name: A", "# one\nname: A", "# two\nname: A", "# one\n# two\nname: A"),
    "the order of the one with more keys": ("a: 1\nb: 2", "b: 2\na: 1", "a: 1\nb: 2\nc: 3", "a: 1\nb: 2\nc: 3"),
    "no key before": ("# nothing", "# nothing\nname: A", "# nothing\nphone: 1", "# nothing\nname: A\nphone: 1"),
}  # fmt: skip


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", HEADERS)
def test_front_matter_is_merged_key_by_key(name: str, newline: str) -> None:
    notes = [f"---\n{header}\n---\n\n# Anna\n".replace("\n", newline) for header in HEADERS[name]]
    assert settled(*notes[:3]) == notes[3]
    for side in notes[1:3]:
        assert settled(notes[0], notes[3], side) == notes[3]


# What both devices changed to something else: the header, the devices', the key that is asked about.
ASKED: dict[str, tuple[str, str, str, str]] = {
    "two dates": ("next_contact: 2026-11-25", "next_contact: 2026-11-26", "next_contact: 2026-11-27", "next_contact"),
    "two new dates": (
        "name: A", "name: A\nnext_contact: 2026-11-26", "name: A\nnext_contact: 2026-11-27", "next_contact",
    ),
    "a date and none": ("next_contact: 2026-11-25", "next_contact:", "next_contact: 2026-11-27", "next_contact"),
    "a date and no key": (
        "name: A\nNext Contact: 2026-11-25", "name: A", "name: A\nNext Contact: 2026-11-27", "next_contact",
    ),
    "two values": ("value: 1", "value: 2", "value: 3", "value"),
    "a contact that is no day": ("last_contact: x", "last_contact: y", "last_contact: 2026-11-20", "last_contact"),
    "comments among items": ("tags:\n- a", "tags:\n- a\n- b # why", "tags:\n- a\n- c", "tags"),
    "what is no list": ("team:\n  x: 1", "team:\n  x: 2", "team:\n  x: 3", "team"),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_what_both_changed_is_asked_and_answered(name: str) -> None:
    *headers, key = ASKED[name]
    base, one, two = (f"---\n{header}\n---\n\n# Anna\n" for header in headers)
    merged = merge(base, one, two)
    assert merged.data is None
    (question,) = merged.questions
    assert question.key == key
    assert question.one in one
    assert question.two in two
    assert settled(base, one, two, **{key: 1}) == one
    assert settled(base, one, two, **{key: 2}) == two


# ------------------------------------------------------------------------------------ body

# A body, what each device made of it, the body after the merge.
BODIES: dict[str, tuple[str, str, str, str]] = {
    "entries at the top": (
        "## Log\n- 2026-11-01 call", "## Log\n- 2026-11-20 call\n- 2026-11-01 call",
        "## Log\n- 2026-11-21 visit\n- 2026-11-01 call",
        "## Log\n- 2026-11-21 visit\n- 2026-11-20 call\n- 2026-11-01 call",
    ),
    "entries at the end": (
        "## Log\n- 2026-10-01 a\n- 2026-11-01 b", "## Log\n- 2026-10-01 a\n- 2026-11-01 b\n- 2026-11-21 d",
        "## Log\n- 2026-10-01 a\n- 2026-11-01 b\n- 2026-11-20 c",
        "## Log\n- 2026-10-01 a\n- 2026-11-01 b\n- 2026-11-20 c\n- 2026-11-21 d",
    ),
    "entries of one day by the hour": (
        "## Log\n", "## Log\n- 2026-11-20 09:00 call\n", "## Log\n- 2026-11-20 14:00 call\n",
        "## Log\n- 2026-11-20 14:00 call\n- 2026-11-20 09:00 call\n",
    ),
    "lines below an entry stay with it": (
        "## Log\n- 2026-11-01 a\n", "## Log\n- 2026-11-20 b\n  more\n\n  and more\n- 2026-11-01 a\n",
        "## Log\n- 2026-11-21 c\n  - less\n- 2026-11-01 a\n",
        "## Log\n- 2026-11-21 c\n  - less\n- 2026-11-20 b\n  more\n\n  and more\n- 2026-11-01 a\n",
    ),
    "blank lines between entries": (
        "## Log\n\n- 2026-11-01 a\n", "## Log\n\n- 2026-11-20 b\n\n- 2026-11-01 a\n",
        "## Log\n\n- 2026-11-21 c\n\n- 2026-11-01 a\n",
        "## Log\n\n- 2026-11-21 c\n\n- 2026-11-20 b\n\n- 2026-11-01 a\n",
    ),
    "a first entry each": (
        "# Anna\n\n## Log\n", "# Anna\n\n## Log\n\n- 2026-11-20 b\n", "# Anna\n\n## Log\n\n- 2026-11-21 c\n",
        "# Anna\n\n## Log\n\n- 2026-11-21 c\n- 2026-11-20 b\n",
    ),
    "the same entry at both ends": (
        "## Log\n- 2026-11-01 a\n- 2026-11-02 b\n", "## Log\n- 2026-11-20 c\n- 2026-11-01 a\n- 2026-11-02 b\n",
        "## Log\n- 2026-11-01 a\n- 2026-11-02 b\n- 2026-11-20 c\n",
        "## Log\n- 2026-11-01 a\n- 2026-11-02 b\n- 2026-11-20 c\n",
    ),
    "an entry mended stands twice: the log is only ever added to": (
        "## Log\n- 2026-11-01 clal\n", "## Log\n- 2026-11-01 call\n", "## Log\n- 2026-11-20 b\n- 2026-11-01 clal\n",
        "## Log\n- 2026-11-20 b\n- 2026-11-01 clal\n- 2026-11-01 call\n",
    ),
    "words added to an entry": (
        "## Log\n- 2026-11-01 call\n", "## Log\n- 2026-11-01 call: talked\n  to Jo\n",
        "## Log\n- 2026-11-20 b\n- 2026-11-01 call\n",
        "## Log\n- 2026-11-20 b\n- 2026-11-01 call: talked\n  to Jo\n",
    ),
    "lines added to an entry that both have put in": (
        "## Log\n", "## Log\n- 2026-11-20 call\n  about tea\n", "## Log\n- 2026-11-20 call\n",
        "## Log\n- 2026-11-20 call\n  about tea\n",
    ),
    "two calls of one day": (
        "## Log\n", "## Log\n- 2026-11-20 call: Jo\n", "## Log\n- 2026-11-20 call\n",
        "## Log\n- 2026-11-20 call\n- 2026-11-20 call: Jo\n",
    ),
    "an entry taken out here stays": (
        "## Log\n- 2026-11-02 b\n- 2026-11-01 a\n", "## Log\n- 2026-11-02 b\n",
        "## Log\n- 2026-11-03 c\n- 2026-11-02 b\n- 2026-11-01 a\n",
        "## Log\n- 2026-11-03 c\n- 2026-11-02 b\n- 2026-11-01 a\n",
    ),
    "an entry that both took out is gone": (
        "## Log\n- 2026-11-02 b\n- 2026-11-01 a\n", "## Log\n- 2026-11-03 c\n- 2026-11-02 b\n",
        "## Log\n- 2026-11-04 d\n- 2026-11-02 b\n",
        "## Log\n- 2026-11-04 d\n- 2026-11-03 c\n- 2026-11-02 b\n",
    ),
    "an entry mended twice is kept twice": (
        "## Log\n- 2026-11-01 cal\n", "## Log\n- 2026-11-01 call\n", "## Log\n- 2026-11-01 called\n",
        "## Log\n- 2026-11-01 call\n- 2026-11-01 called\n",
    ),
    "tasks ticked next to each other": (
        "- [ ] a\n- [ ] b\n", "- [x] a\n- [ ] b\n", "- [ ] a\n- [x] b\n", "- [x] a\n- [x] b\n",
    ),
    "tasks added at one place": (
        "- [ ] a\n", "- [ ] a\n- [ ] c\n", "- [ ] a\n- [ ] b\n", "- [ ] a\n- [ ] b\n- [ ] c\n",
    ),
    "a task ticked here and taken out there": (
        "- [ ] a\n- [ ] b\n", "- [x] a\n- [ ] b\n", "- [ ] b\n", "- [x] a\n- [ ] b\n",
    ),
    "prose in two places": (
        "one\n\ntwo\n\nthree\n", "ONE\n\ntwo\n\nthree\n", "one\n\ntwo\n\nTHREE\n", "ONE\n\ntwo\n\nTHREE\n",
    ),
    "prose here, an entry there": (
        "one\n\n## Log\n", "one and more\n\n## Log\n", "one\n\n## Log\n- 2026-11-20 a\n",
        "one and more\n\n## Log\n- 2026-11-20 a\n",
    ),
    "no line end at the end": ("a\nb", "A\nb", "a\nb\n- [ ] c", "A\nb\n- [ ] c"),
    "dated headings": (
        "## Log\n", "## Log\n### 2026-11-20 call\n\nasked\n", "## Log\n### 2026-11-21 call\n\ntold\n",
        "## Log\n### 2026-11-21 call\n\ntold\n### 2026-11-20 call\n\nasked\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("header", ["", "---\ntype: client\n---\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_merged(name: str, newline: str, header: str) -> None:
    notes = [(header + body).replace("\n", newline) for body in BODIES[name]]
    assert settled(*notes[:3]) == notes[3]
    for side in notes[1:3]:
        assert settled(notes[0], notes[3], side) == notes[3]


OPEN_BODIES: dict[str, tuple[str, str, str]] = {
    "one line, two ways": ("one\n", "two\n", "three\n"),
    "next to each other": ("one\ntwo\n", "ONE\ntwo\n", "one\nTWO\n"),
    "text at one place": ("# A\n", "# A\nmore\n", "# A\nless\n"),
    "a task changed twice": ("- [ ] a 📅 2026-11-20\n", "- [ ] a 📅 2026-11-25\n", "- [x] a 📅 2026-11-20\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPEN_BODIES)
def test_text_that_both_changed_is_asked_and_answered(name: str) -> None:
    base, one, two = OPEN_BODIES[name]
    merged = merge(base, one, two)
    assert merged.data is None
    assert [question.key for question in merged.questions] == ["text-1"]
    assert settled(base, one, two, text_1=1) == one
    assert settled(base, one, two, text_1=2) == two


def test_of_a_text_that_both_changed_both_may_be_kept() -> None:
    base, one, two = "# A\n\nold\n\nend\n", "# A\n\nnew\n\nend\n", "# A\n\nother\n\nmore\n\nend\n"
    text = settled_both(base, one, two)
    assert text == settled_both(base, two, one)
    assert sorted(text.split()) == sorted(["#", "A", "new", "other", "more", "end"])
    for side in (one, two):
        assert settled(base, text, side) == text


def settled_both(base: str, one: str, two: str) -> str:
    data = merge_notes(base.encode(), one.encode(), two.encode(), PATH, {"text-1": BOTH}).data
    assert data is not None
    return data.decode()


def test_all_questions_are_asked_at_once() -> None:
    base = "---\nvalue: 1\nstage: lead\n---\none\n\ntwo\n\nthree\n"
    one = "---\nvalue: 2\nstage: customer\n---\nONE\n\ntwo\n\nTHREE\n"
    two = "---\nvalue: 3\nstage: lead\n---\nEINS\n\ntwo\n\nDREI\n"
    merged = merge(base, one, two)
    assert merged.questions == (
        Question("value", "value: 1\n", "value: 2\n", "value: 3\n"),
        Question("text-1", "one\n", "ONE\n", "EINS\n"),
        Question("text-2", "three\n", "THREE\n", "DREI\n"),
    )
    assert [question.key for question in merge(base, one, two, value=2, text_1=1).questions] == ["text-2"]
    text = settled(base, one, two, value=2, text_1=1, text_2=2)
    assert text == "---\nvalue: 3\nstage: customer\n---\nONE\n\ntwo\n\nDREI\n"


# ------------------------------------------------------------------------------------ the whole note

WHOLE: dict[str, tuple[bytes, bytes, bytes, bytes]] = {
    "only one changed": (b"a\n", b"a\n", b"b\n", b"b\n"),
    "both the same": (b"a\n", b"b\n", b"b\n", b"b\n"),
    "an empty version was not finished": (b"a\n", b"", b"a\n", b"a\n"),
    "nor was one of NULs": (b"a\n", b"\0\0\0", b"b\n", b"b\n"),
    "nor one that ends in a line": (b"one\ntwo\n", b"one\nt", b"one\ntwo\n", b"one\ntwo\n"),
    "a line taken out": (b"one\ntwo\n", b"one\n", b"one\ntwo\n", b"one\n"),
    "line ends changed here, words there": (b"a\nb\n", b"a\r\nb\r\n", b"a\nc\n", b"a\r\nc\r\n"),
    "a mark of UTF-8 here, words there": (
        b"a\nb\n\nc\n", b"\xef\xbb\xbfa\nb\n\nC\n", b"A\nb\n\nc\n", b"\xef\xbb\xbfA\nb\n\nC\n",
    ),
    "a mark of UTF-8 taken out here, words there": (
        b"\xef\xbb\xbfa\n\nc\n", b"A\n\nc\n", b"\xef\xbb\xbfa\n\nC\n", b"A\n\nC\n",
    ),
    "a last line end taken out here, words there": (b"a\n\nc\n", b"A\n\nc", b"a\n\nc\n\nd\n", b"A\n\nc\n\nd"),
    "bytes that are no UTF-8 stay": (b"a\n\nb\xff\n", b"A\n\nb\xff\n", b"a\n\nB\xff\n", b"A\n\nB\xff\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_whole_notes(name: str) -> None:
    base, one, two, expected = WHOLE[name]
    assert merge_notes(base, one, two, PATH).data == expected
    assert merge_notes(base, two, one, PATH).data == expected


def test_notes_in_utf_16_are_merged_and_kept() -> None:
    base, one, two, expected = (
        text.encode("utf-16") for text in ("a\n\nb\n", "A\n\nb\n", "a\n\nB\n", "A\n\nB\n")
    )
    assert merge_notes(base, one, two, PATH).data == expected


REFUSED: dict[str, tuple[str, str]] = {
    "merge-marker": ("<<<<<<< a\nA\n=======\nB\n>>>>>>> b\n", "b\n\nc\n"),
    "nul-characters": ("a\0\n", "b\n\nc\n"),
    "hidden-entries": ("one\n\n```\n\n## Log\n", "one\n\n## Log\n- 2026-11-20 call\n"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_no_merge_may_build_upon_is_refused(code: str) -> None:
    one, two = REFUSED[code]
    with pytest.raises(RefusedError, match=f"^{code}"):
        merge("one\n\n## Log\n", one, two)


def test_foundin_two_encodings_are_refused() -> None:
    with pytest.raises(RefusedError, match=r"^encodings.*UTF-8\.$"):
        merge_notes(None, "a\n".encode("utf-16"), b"b\n", PATH)


# ------------------------------------------------------------------------------------ without a base

NO_BASE: dict[str, tuple[str, str, str]] = {
    "one holds more": ("a\n", "a\n\nb\n", "a\n\nb\n"),
    "a key each": ("---\nx: 1\nname: A\n---\n", "---\nname: A\ny: 2\n---\n", "---\nx: 1\nname: A\ny: 2\n---\n"),
    "a list that holds the other": ("---\ntags: [a]\n---\n", "---\ntags: [b, a]\n---\n", "---\ntags: [b, a]\n---\n"),
    "the later contact": (
        "---\nlast_contact: 2026-11-20\n---\n", "---\nlast_contact: 2026-11-19\n---\n",
        "---\nlast_contact: 2026-11-20\n---\n",
    ),
    "entries of both": (
        "## Log\n- 2026-11-21 b\n- 2026-11-01 a\n", "## Log\n- 2026-11-20 c\n- 2026-11-01 a\n",
        "## Log\n- 2026-11-21 b\n- 2026-11-20 c\n- 2026-11-01 a\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_BASE)
def test_what_is_certain_without_a_base(name: str) -> None:
    one, two, expected = NO_BASE[name]
    assert settled(None, one, two) == expected
    assert settled(None, expected, one) == expected


@pytest.mark.parametrize(
    ("one", "two", "keys"),
    [
        ("---\nstage: a\n---\n", "---\nstage: b\n---\n", ["stage"]),
        ("---\nnext_contact:\n---\n", "---\nnext_contact: 2026-11-25\n---\n", ["next_contact"]),
        ("---\ntags: [a, b]\n---\n", "---\ntags: [a, c]\n---\n", ["tags"]),
        ("- [ ] a\n", "- [x] a\n", ["text-1"]),
        ("more\n\none\n\ntwo\n", "one\n\ntwo\nless\n", ["text-1", "text-2"]),
    ],
)
def test_what_is_not_certain_without_a_base(one: str, two: str, keys: list[str]) -> None:
    assert [question.key for question in merge(None, one, two).questions] == keys


# ------------------------------------------------------------------------------------ any two edits


@settings(max_examples=250, deadline=None)
@given(versions())
def test_no_added_line_is_lost_and_merging_again_changes_nothing(notes: tuple[str, str, str]) -> None:
    base, one, two = notes
    assume(is_told_apart(*notes))
    try:
        merged = merge(base, one, two)
    except RefusedError:
        assume(False)
    if merged.data is None:
        assert merged.questions
        return
    text = merged.data.decode()
    assert not find_lost(notes, text)
    if text != base:  # else the other side counts, deletions and all
        assert settled(base, text, one) == settled(base, text, two) == text
    assert not count_lines(text) - count_lines(one) - count_lines(two) - count_lines(base) or "tags:" in text
    assert settled(base, text, text) == text
    assert settled(base, base, text) == text


@settings(max_examples=150, deadline=None)
@given(versions(twice=True))
def test_no_added_line_is_lost_where_equal_ones_stand_twice(notes: tuple[str, str, str]) -> None:
    """Which of them one side took out nobody can tell: merging again may ask, but loses none either."""
    base, one, two = notes
    try:
        merged = merge(base, one, two)
    except RefusedError:
        assume(False)
    if merged.data is None:
        return
    text = merged.data.decode()
    assert not find_lost(notes, text)
    for side in (one, two):
        again = merge(base, text, side).data
        assert again is None or not find_lost((base, side, side), again.decode())


@settings(max_examples=150, deadline=None)
@given(versions())
def test_answers_settle_every_merge(notes: tuple[str, str, str]) -> None:
    """Whatever is asked can be answered, and the text says what was answered."""
    base, one, two = notes
    try:
        questions = merge(base, one, two).questions
        text = settled(base, one, two, **{question.key.replace("-", "_"): 1 for question in questions})
    except RefusedError:
        assume(False)
    for question in questions:
        assert question.one in text


@settings(max_examples=150, deadline=None)
@given(versions(entries_only=True), st.booleans())
def test_logs_are_united_with_and_without_a_base(notes: tuple[str, str, str], known: bool) -> None:
    """Each entry of either side once, in the order that the log has; nothing is asked."""
    base, one, two = notes
    text = settled(base if known else None, one, two)
    found, *sides = (parse_body(parse_note(note.encode(), PATH)).entries for note in (text, one, two))
    counts = [Counter(entry._replace(line=0) for entry in entries) for entries in (found, *sides)]
    assert counts[0] == counts[1] | counts[2]


@settings(max_examples=150, deadline=None)
@given(versions())
def test_without_a_base_nothing_at_all_is_lost(notes: tuple[str, str, str]) -> None:
    _, one, two = notes
    merged = merge(None, one, two)
    if merged.data is None:
        return
    after = count_lines(merged.data.decode())
    for side in (one, two):
        assert not find_unexcused(count_lines(side) - after)
        assert settled(None, merged.data.decode(), side) == merged.data.decode()


PIECES = st.sampled_from([b"---\n", b"type: client\n", b"x: [a\n", b"\n", b"\r\n", b"\r", b"## Log\n",
                          b"- 2026-11-20 a\n", b"  b\n",
                          b"```\n", b"%%", b"<!--", b"\xff", b"- [ ] t\n", b"\xef\xbb\xbf", b"\0", b"{{", b"<<<<<<< ",
                          b"> "])  # fmt: skip
BYTES = st.binary(max_size=40) | st.lists(PIECES, max_size=10).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(st.none() | BYTES, BYTES, BYTES)
@example(b"", b"\x01\r", b"\xef\xbb\xbf\n")
@example(None, b"\xff\xfea\0", b"\xff\xfeb\0")
@example(b"\xef\xbb\xbf", b"\x01", b"\xef\xbb\xbf\xef\xbb\xbf")
def test_any_bytes_are_merged_asked_about_or_refused(base: bytes | None, one: bytes, two: bytes) -> None:
    found: list[object] = []
    for sides in ((one, two), (two, one)):
        try:
            found.append(merge_notes(base, *sides, PATH).data)
        except RefusedError as error:
            found.append(type(error))
    assert found[0] == found[1]


def test_a_long_note_is_merged_at_once_and_an_endless_one_asked_about() -> None:
    body = "".join(f"line {n}\n\n" for n in range(2_000))
    assert settled(body, "new\n" + body, body + "more\n") == "new\n" + body + "more\n"
    endless = "".join(f"{n}\n" for n in range(6_000))
    middle = endless.replace("\n3000\n", "\n3000\n{}\n3001 is\n")
    texts = [endless, middle.format("mine"), middle.format("theirs")]
    found = [text.encode() for text in texts]
    both = merge_notes(*found, PATH, {"text-1": BOTH}).data or b""
    assert sorted(both.decode().split()) == sorted([*texts[1].split(), "theirs"])
    same = "x\n" * 2_000
    assert [each.key for each in merge(same, "a\n" + same, same + "b\n").questions] == ["text-1"]
    assert [each.key for each in merge(endless, "a\n" + endless, endless + "b\n").questions] == ["text-1"]


# ------------------------------------------------------------------------------------ the base

OLD = b"# A\n\none\ntwo\nthree\n"


def test_the_base_is_what_both_come_from() -> None:
    """What this device had in between has lines that the other never saw: they would look deleted."""
    between, mine, theirs = OLD + b"- mine\n", OLD + b"- mine\n- more\n", b"- theirs\n" + OLD
    assert choose_base([mine, between, OLD], mine, theirs) == OLD
    assert choose_base([mine, between, OLD], theirs, mine) == OLD


def test_a_change_that_both_made_does_not_make_a_later_text_the_base() -> None:
    both = OLD.replace(b"two", b"TWO")
    assert choose_base([both + b"- mine\n", OLD], both + b"- mine\n- more\n", both + b"- theirs\n") == OLD


def test_an_older_text_is_not_chosen_without_need() -> None:
    assert choose_base([OLD, OLD + b"old\n"], OLD + b"a\n", OLD + b"b\n") == OLD


def test_a_text_of_something_else_is_no_base() -> None:
    assert choose_base([], OLD, OLD + b"a\n") is None
    assert choose_base([b"quite\nother\nlines\n"], OLD + b"a\n", OLD + b"b\n") is None


def test_a_text_in_which_one_side_has_taken_lines_out_is_not_the_base() -> None:
    """This device took three lines out and added one; against its own text of then, that one would look deleted."""
    long = OLD + b"four\nfive\nsix\nseven\n"
    between = long.replace(b"one\ntwo\nthree\n", b"- mine\n")
    assert choose_base([between, long], between + b"- more\n", long + b"- theirs\n") == long
    assert choose_base([between, long, OLD], between + b"- more\n", long + b"- theirs\n") == long


def test_a_text_that_is_still_there_beats_later_ones_and_is_none_itself() -> None:
    """The copy is what this device had first: its second text has a line that looks deleted in the copy."""
    second = OLD + b"- mine\n"
    assert choose_base([second, OLD], second + b"- more\n", OLD, {OLD, second + b"- more\n"}) is None
    assert choose_base([second, OLD], second + b"- more\n", OLD, {second + b"- more\n"}) == OLD


def test_lines_that_stand_twice_are_counted_one_by_one() -> None:
    """Of two equal lines this device took one out: its text does not fit better than what both come from."""
    base, mine = OLD + b"four\nfive\nsame\nsame\n", OLD + b"four\nfive\nsame\nnew\n"
    theirs = base + b"new\n"
    for texts in ([base], [mine, base], [theirs, base], [mine, theirs, base], [theirs, mine, base]):
        assert choose_base(texts, mine, theirs, {mine, theirs}) == base


def test_a_text_with_marks_is_no_base() -> None:
    """It has the lines of both: each would look deleted by the other."""
    marked = OLD + b"<<<<<<< HEAD\n- mine\n=======\n- theirs\n>>>>>>> main\n"
    assert choose_base([marked], OLD + b"- mine\n", OLD + b"- theirs\n") is None
