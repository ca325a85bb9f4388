"""The steps that one tag settles in, the one that it settles on a day out, however many there are.

Days may only rise.  Which of several a tag means is decided here: the oldest whose time has come, else the oldest,
and of those that are missed, where there are no others, the newest.  What was settled is known to the caller alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from heapq import heappop, heappush
from typing import NamedTuple

Place = tuple[int, int]


class Candidate(NamedTuple):
    """A step that counts from the day ``begins``: it ``opens``, is missed after ``expires``, is over when ``ended``."""

    begins: date
    opens: date
    place: Place
    expires: date
    ended: date | None


class Queue:
    """The candidates of one tag.  ``is_settled`` says of which nothing is left to settle."""

    def __init__(self, candidates: Iterable[Candidate], is_settled: Callable[[Place], bool]) -> None:
        self._is_settled = is_settled
        self._coming = sorted(candidates, reverse=True)
        self._opening: list[tuple[date, Candidate]] = []  # until they open
        self._begun: list[Candidate] = []
        self._alive: list[Candidate] = []  # begun or not; what is missed goes on to the next
        self._missed: list[tuple[int, int, int, int, Candidate]] = []  # newest first

    def choose(self, day: date) -> Place | None:
        """The place of the one that the tag means on a day."""
        while self._coming and self._coming[-1].begins <= day:
            candidate = self._coming.pop()
            heappush(self._opening, (candidate.opens, candidate))
            heappush(self._alive, candidate)
        while self._opening and self._opening[0][0] <= day:
            heappush(self._begun, heappop(self._opening)[1])
        while self._begun and (self._is_gone(self._begun[0], day) or self._begun[0].expires < day):
            heappop(self._begun)
        while self._alive and (self._is_gone(self._alive[0], day) or self._alive[0].expires < day):
            self._miss(heappop(self._alive))
        while self._missed and self._is_gone(self._missed[0][-1], day):
            heappop(self._missed)
        if self._begun or self._alive:
            return (self._begun or self._alive)[0].place
        return self._missed[0][-1].place if self._missed else None

    def _is_gone(self, candidate: Candidate, day: date) -> bool:
        return (candidate.ended is not None and candidate.ended <= day) or self._is_settled(candidate.place)

    def _miss(self, candidate: Candidate) -> None:
        begins, opens, (group, number), _, _ = candidate
        heappush(self._missed, (-begins.toordinal(), -opens.toordinal(), -group, -number, candidate))
