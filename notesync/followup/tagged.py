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
    """The candidates of one tag."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._coming = sorted(candidates, reverse=True)
        self._alone = len(self._coming) == 1
        self._opening: list[tuple[date, Candidate]] = []  # until they open
        self._begun: list[Candidate] = []
        self._alive: list[Candidate] = []  # begun or not; what is missed goes on to the next
        self._missed: list[tuple[int, int, int, int, Candidate]] = []  # newest first

    def choose(self, day: date, is_settled: Callable[[Place], bool]) -> Place | None:
        """The place of the one that the tag means on a day; ``is_settled`` says of which nothing is left to settle."""

        def is_gone(each: Candidate) -> bool:
            return (each.ended is not None and each.ended <= day) or is_settled(each.place)

        if self._alone:  # as nearly always: there is nothing to choose from
            only = self._coming[0]
            return None if only.begins > day or is_gone(only) else only.place
        while self._coming and self._coming[-1].begins <= day:
            candidate = self._coming.pop()
            heappush(self._opening, (candidate.opens, candidate))
            heappush(self._alive, candidate)
        while self._opening and self._opening[0][0] <= day:
            heappush(self._begun, heappop(self._opening)[1])
        while self._begun and (is_gone(self._begun[0]) or self._begun[0].expires < day):
            heappop(self._begun)
        while self._alive and (is_gone(self._alive[0]) or self._alive[0].expires < day):
            self._miss(heappop(self._alive))
        while self._missed and is_gone(self._missed[0][-1]):
            heappop(self._missed)
        if self._begun or self._alive:
            return (self._begun or self._alive)[0].place
        return self._missed[0][-1].place if self._missed else None

    def _miss(self, candidate: Candidate) -> None:
        begins, opens, (group, number), _, _ = candidate
        heappush(self._missed, (-begins.toordinal(), -opens.toordinal(), -group, -number, candidate))
