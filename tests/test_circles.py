"""Names that wait for others, and which of them wait for one another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notesync.followup.circles import find_circles

CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing": ({}, []),
    "a chain": ({"a": "b", "b": "c", "c": ""}, ["a", "b", "c"]),
    "itself": ({"a": "a"}, ["a"]),
    "a circle, and what leads to it": ({"a": "b", "b": "c", "c": "b"}, ["a", "bc"]),
    "two circles, one behind the other": ({"a": "b", "b": "ac", "c": "d", "d": "c"}, ["ab", "cd"]),
    "names that nobody has": ({"a": "xy", "b": "x"}, ["a", "b"]),
}


def group(edges: dict[str, str]) -> list[str]:
    """The names that have the same number, as one word each."""
    words: dict[int, str] = {}
    for name, number in sorted(find_circles(edges).items()):
        words[number] = words.get(number, "") + name
    return sorted(words.values())


@pytest.mark.parametrize(("edges", "expected"), CASES.values(), ids=CASES.keys())
def test_circles(edges: dict[str, str], expected: list[str]) -> None:
    assert group(edges) == expected


def reach(edges: dict[str, str], name: str) -> set[str]:
    found: set[str] = set()
    ahead = [name]
    while ahead:
        each = ahead.pop()
        if each in edges and each not in found:
            found.add(each)
            ahead += edges[each]
    return found


@given(st.dictionaries(st.sampled_from("abcdefg"), st.text("abcdefg", max_size=4)))
def test_two_are_in_a_circle_if_each_leads_to_the_other(edges: dict[str, str]) -> None:
    circles = find_circles(edges)
    assert circles.keys() == edges.keys()
    for one in edges:
        for other in edges:
            is_circle = other in reach(edges, one) and one in reach(edges, other)
            assert (circles[one] == circles[other]) == is_circle


def test_a_chain_may_be_as_long_as_a_note() -> None:
    edges = {str(number): [str(number + 1)] for number in range(50_000)}
    assert len(set(find_circles(edges).values())) == 50_000
