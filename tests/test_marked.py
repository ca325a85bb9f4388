"""A note that a version control program left in the middle of a merge, and what it was made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notesync.notes.marked import Versions, split_marked
from notesync.notes.merge import merge_notes

MARKED: dict[str, tuple[str, Versions | None]] = {
    "two versions": ("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> theirs\nd\n", Versions(None, b"a\nb\nd\n", b"a\nc\nd\n")),
    "with the base": (
        "<<<<<<< HEAD\nb\n||||||| 1a2b3c\na\n=======\nc\n>>>>>>> theirs\n", Versions(b"a\n", b"b\n", b"c\n"),
    ),
    "a base in one of two places": (
        "<<<<<<< x\nb\n||||||| x\na\n=======\nc\n>>>>>>> y\n<<<<<<< x\n=======\nd\n>>>>>>> y\n",
        Versions(None, b"b\n", b"c\nd\n"),
    ),
    "nothing in one of them": ("<<<<<<< x\n=======\nc\n>>>>>>> y\n", Versions(None, b"", b"c\n")),
    "Windows' line ends": ("<<<<<<< x\r\nb\r\n=======\r\nc\r\n>>>>>>> y\r\n", Versions(None, b"b\r\n", b"c\r\n")),
    "a line below a heading": (
        "Title\n=======\n<<<<<<< x\nb\n=======\nc\n>>>>>>> y",
        Versions(None, b"Title\n=======\nb\n", b"Title\n=======\nc\n"),
    ),
    "no marks": ("a\n=======\nb\n", None),
    "no end": ("<<<<<<< x\nb\n=======\nc\n", None),
    "a merge in a merge": ("<<<<<<< x\n<<<<<<< y\nb\n=======\nc\n>>>>>>> y\n=======\nd\n>>>>>>> x\n", None),
    "out of order": ("<<<<<<< x\nb\n>>>>>>> y\n", None),
    "longer lines of signs": ("<<<<<<<<<\n=========\n>>>>>>>>>\n", None),
}  # fmt: skip


@pytest.mark.parametrize("name", MARKED)
def test_versions_are_told_apart_by_the_marks(name: str) -> None:
    text, expected = MARKED[name]
    assert split_marked(text.encode()) == expected


def test_what_git_left_is_merged_as_a_conflict_copy_would_be() -> None:
    text = "## Log\n<<<<<<< HEAD\n- 2026-11-21 call\n=======\n- 2026-11-20 visit\n>>>>>>> theirs\n- 2026-11-01 call\n"
    found = split_marked(text.encode())
    assert found is not None
    merged = merge_notes(*found, "Anna.md")
    assert merged.data == b"## Log\n- 2026-11-21 call\n- 2026-11-20 visit\n- 2026-11-01 call\n"


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"=\n"]), max_size=3).map(b"".join)
PLACES = st.lists(st.tuples(LINES, LINES, LINES, LINES, st.booleans()), min_size=1, max_size=4)


@given(PLACES)
def test_what_was_marked_as_git_does_it_comes_out_again(
    places: list[tuple[bytes, bytes, bytes, bytes, bool]],
) -> None:
    text = base = one = two = b""
    for above, before, mine, theirs, shown in places:
        old = b"||||||| x\n" + before if shown else b""
        text += above + b"<<<<<<< x\n" + mine + old + b"=======\n" + theirs + b">>>>>>> y\n"
        base, one, two = base + above + before, one + above + mine, two + above + theirs
    assert split_marked(text) == Versions(base if all(shown for *_, shown in places) else None, one, two)


MARKS = st.lists(st.sampled_from(["a", "<<<<<<< x", "||||||| x", "=======", ">>>>>>> y"]), max_size=12)


@given(MARKS)
def test_marks_in_any_order_are_all_taken_out_or_all_left(lines: list[str]) -> None:
    for version in split_marked("".join(f"{line}\n" for line in lines).encode()) or ():
        assert b"<<<<<<<" not in (version or b"")
