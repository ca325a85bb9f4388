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


LINES = st.lists(
    st.sampled_from(["a", "b", "<<<<<<< x", "||||||| x", "=======", ">>>>>>> y", ""]), max_size=12
)


@given(LINES)
def test_no_line_of_the_note_is_lost(lines: list[str]) -> None:
    found = split_marked("".join(f"{line}\n" for line in lines).encode())
    if found is not None:
        said = (found.base or b"") + found.one + found.two
        assert all(line.encode() in said for line in lines if line in ("a", "b")) or found.base is None
        assert b"<<<<<<<" not in said
