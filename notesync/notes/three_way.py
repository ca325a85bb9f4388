"""Three versions of a sequence -> regions in which one side, both, or neither differs from the base.

In: units (anything that can be compared) of a base and of two sides.  Out: :class:`Region` values whose parts, joined,
are the three sequences; and ways to unite what two sides have.  Everything is the same whichever side comes
first.  Must not know: notes, what a unit is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple, Protocol, TypeVar


class Comparable(Protocol):
    """What can be put in order, and looked up."""

    def __lt__(self, other: Any, /) -> bool:
        """Whether it comes first."""

    def __hash__(self) -> int:
        """What equal ones share."""


Value = TypeVar("Value")
Item = TypeVar("Item", bound=Comparable)


class Region(NamedTuple):
    """What stands at one place: ``start`` to ``end`` of the base, and the bounds in both sides."""

    base: slice
    one: slice
    two: slice


class _Hunk(NamedTuple):
    """A difference of one side: these bounds of the base hold those of the side."""

    start: int
    end: int
    side_start: int
    side_end: int


def choose(base: Value, one: Value, two: Value) -> tuple[Value] | None:
    """The version that three lead to, in a tuple; None where both sides differ from the base and each other."""
    if one == two or two == base:
        return (one,)
    return (two,) if one == base else None


def find_shared_regions(one: Sequence[Item], two: Sequence[Item]) -> Iterator[Region]:
    """The places that two sides share and those where they differ; the base is what they share, in order."""
    swapped = list(two) < list(one)
    first, second = (two, one) if swapped else (one, two)
    base = at = other = 0
    for start, begin, size in _match(first, second):
        for length, bounds in (
            (0, (slice(at, start), slice(other, begin))),
            (size, (slice(start, start + size), slice(begin, begin + size))),
        ):
            yield Region(slice(base, base + length), *(bounds[::-1] if swapped else bounds))
            base += length
        at, other = start + size, begin + size


def find_regions(
    base: Sequence[Item], one: Sequence[Item], two: Sequence[Item], may_touch: Callable[[int, int], bool]
) -> Iterator[Region]:
    """The places where any side differs from the base, and those between, in order.

    Differences that overlap, or put something in at the same place, are one region.  Those that only touch,
    at the first number, are two if ``may_touch`` says so of the base's units on either side of it.
    """
    sides = [_find_hunks(base, side, may_touch) for side in (one, two)]
    shifts = [0, 0]
    at = 0
    for start, end, members in _group(sides, may_touch):
        yield _build_region(at, start, shifts, shifts)
        after = list(shifts)
        for side, hunk in members:
            after[side] += (hunk.side_end - hunk.side_start) - (hunk.end - hunk.start)
        yield _build_region(start, end, shifts, after)
        shifts, at = after, end
    yield _build_region(at, len(base), shifts, shifts)


def _build_region(start: int, end: int, before: Sequence[int], after: Sequence[int]) -> Region:
    one, two = (slice(start + first, end + last) for first, last in zip(before, after, strict=True))
    return Region(slice(start, end), one, two)


def _match(base: Sequence[Item], side: Sequence[Item]) -> list[tuple[int, int, int]]:
    """Matching blocks: what stands once in both is found first, the rest between."""
    blocks = []
    for gap, other in _find_gaps(base, side):
        found = SequenceMatcher(None, base[gap], side[other], False).get_matching_blocks()
        blocks += [(gap.start + at, other.start + begin, size) for at, begin, size in found if size]
        if gap.stop < len(base) and other.stop < len(side):
            blocks.append((gap.stop, other.stop, 1))
    return [*blocks, (len(base), len(side), 0)]


def _find_gaps(base: Sequence[Item], side: Sequence[Item]) -> Iterator[tuple[slice, slice]]:
    """The bounds, in both, of what lies between units that stand once in each and in the same order."""
    once = [{item for item, times in Counter(each).items() if times == 1} for each in (base, side)]
    shared = once[0] & once[1]
    places = {item: at for at, item in enumerate(side) if item in shared}
    start = begin = 0
    for at, place in _find_longest([(at, places[item]) for at, item in enumerate(base) if item in places]):
        yield slice(start, at), slice(begin, place)
        start, begin = at + 1, place + 1
    yield slice(start, len(base)), slice(begin, len(side))


def _find_longest(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs in which both numbers grow (patience sorting)."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, (_, place) in enumerate(pairs):
        pile = bisect_left(tops, place)
        before.append(ends[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [place]
        ends[pile : pile + 1] = [at]
    chain = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def count_pairs(base: Sequence[Item], side: Sequence[Item]) -> int:
    """How many pairs of equal units have to be compared; the time it takes grows with their number."""
    total = 0
    for gap, other in _find_gaps(base, side):
        counts = Counter(side[other])
        total += sum(times * counts[item] for item, times in Counter(base[gap]).items())
    return total


def _find_hunks(
    base: Sequence[Item], side: Sequence[Item], may_touch: Callable[[int, int], bool]
) -> list[_Hunk]:
    hunks = []
    start = side_start = 0
    for at, side_at, size in _match(base, side):
        if at > start or side_at > side_start:
            hunks += _split(_Hunk(start, at, side_start, side_at), may_touch)
        start, side_start = at + size, side_at + size
    return hunks


def _split(hunk: _Hunk, may_touch: Callable[[int, int], bool]) -> list[_Hunk]:
    """One hunk for each unit, where as many have come as have gone and each stands for itself."""
    size = hunk.end - hunk.start
    if size != hunk.side_end - hunk.side_start or not all(
        may_touch(at, at + 1) for at in range(hunk.start, hunk.end - 1)
    ):
        return [hunk]
    return [
        _Hunk(hunk.start + n, hunk.start + n + 1, hunk.side_start + n, hunk.side_start + n + 1)
        for n in range(size)
    ]


def _group(
    sides: Sequence[Sequence[_Hunk]], may_touch: Callable[[int, int], bool]
) -> Iterator[tuple[int, int, list[tuple[int, _Hunk]]]]:
    """Hunks of both sides that concern each other, with their bounds in the base."""
    hunks = sorted((hunk.start, hunk.end, side, hunk) for side in (0, 1) for hunk in sides[side])
    members: list[tuple[int, _Hunk]] = []
    first = last = 0
    for start, end, side, hunk in hunks:
        if members and (start < last or (start == last and _meets(first, last, end, may_touch))):
            last = max(last, end)
        else:
            if members:
                yield first, last, members
            first, last, members = start, end, []
        members.append((side, hunk))
    if members:
        yield first, last, members


def _meets(first: int, last: int, end: int, may_touch: Callable[[int, int], bool]) -> bool:
    """Whether a hunk from ``last`` to ``end`` belongs with one from ``first`` to ``last``."""
    return first == last == end or not may_touch(last - 1, last)


# --- What both sides have ---------------------------------------------------------------------------------


def number(items: Sequence[Item]) -> list[tuple[Item, int]]:
    """Each item with a number that tells it from equal ones before it."""
    seen: Counter[Item] = Counter()
    numbered = []
    for item in items:
        numbered.append((item, seen[item]))
        seen[item] += 1
    return numbered


def count_wanted(base: Sequence[Item], one: Sequence[Item], two: Sequence[Item]) -> Counter[Item]:
    """How often each item is to stand in the result: what a side has added is there, what it took out is not."""
    counts = [Counter(each) for each in (base, one, two)]
    wanted: Counter[Item] = Counter()
    for item in {*one, *two}:
        before, first, second = (count[item] for count in counts)
        chosen = choose(before, first, second)
        wanted[item] = chosen[0] if chosen else max(first, second)
    return wanted


def unite(base: Sequence[Item], one: Sequence[Item], two: Sequence[Item]) -> list[Item]:
    """All that is wanted of both sides, in the order of the one that has more of it.

    What only the other has comes behind what stands before it there, and behind the first one's own.
    """
    wanted = count_wanted(base, one, two)
    kept = [[each for each in number(side) if each[1] < wanted[each[0]]] for side in (one, two)]
    larger, smaller = sorted(kept, key=lambda side: (-len(side), side))
    result = list(larger)
    present, shared = set(larger), set(smaller)
    at = 0
    for each in smaller:
        if each in present:
            at = result.index(each) + 1
            continue
        while at < len(result) and result[at] not in shared:
            at += 1
        result.insert(at, each)
        at += 1
    return [item for item, _ in result]
