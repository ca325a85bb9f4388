"""The steps that a tag may settle, and which it means."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notesync.followup.tagged import Candidate, Queue

BEGIN = date(2026, 11, 1)
days = st.integers(0, 12).map(lambda number: BEGIN + timedelta(number))


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    found = []
    for place in range(draw(st.integers(0, 8))):
        opens, expires = sorted((draw(days), draw(days)))
        ended = draw(st.none() | days)
        found.append(
            Candidate(draw(days), opens, (place, 0), draw(st.sampled_from((expires, date.max))), ended)
        )
    return found


def choose(candidates: list[Candidate], day: date) -> tuple[int, int] | None:
    """The oldest that is not missed, if its time has come, else of all; where all are missed, the newest."""
    open_ = [each for each in candidates if each.begins <= day and (each.ended is None or day < each.ended)]
    alive = [each[:3] for each in open_ if day <= each.expires]
    begun = [each for each in alive if each[1] <= day]
    if alive:
        return min(begun or alive)[2]
    return max((each[:3] for each in open_), default=(None, None, None))[2]


@given(candidates(), st.lists(st.tuples(days, st.booleans()), max_size=10))
def test_a_tag_means_the_oldest_whose_time_has_come(
    candidates: list[Candidate], uses: list[tuple[date, bool]]
) -> None:
    settled: set[tuple[int, int]] = set()
    queue = Queue(candidates)
    for day, settles in sorted(uses):
        place = queue.choose(day, settled.__contains__)
        assert place == choose([each for each in candidates if each.place not in settled], day)
        if settles and place is not None:
            settled.add(place)
