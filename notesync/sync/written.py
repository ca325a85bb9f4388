"""The days' events in, the pieces of a calendar file out, and where in it each day lies.

After one save most days are as they were: their bytes are then taken from the file that we wrote last, as ranges
of it.  That file tells by its signature that it still is that one.  This module knows neither index nor disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, cast

CHUNK = 1 << 17  # bytes handed on at once: less than most pieces have, which then need not be copied again


class Piece(NamedTuple):
    """Bytes of a day's events, or where the file that was written last has them, and how many events that is."""

    day: int
    octets: bytes | range
    events: int


class Span(NamedTuple):
    """Where a day's events lie, counted from the end of the calendar's header, and how many they are."""

    start: int
    stop: int
    events: int


class Written(NamedTuple):
    """A calendar as it was written: its file's signature, its header's length, its days."""

    signature: bytes
    head: int
    spans: dict[int, Span]

    def count_octets(self, days: Iterable[int]) -> int:
        """How many octets these days have."""
        spans = (self.spans.get(day) for day in days)
        return sum(span.stop - span.start for span in spans if span is not None)

    def renew(self, days: Sequence[int], fresh: Iterable[tuple[int, list[bytes]]]) -> Iterator[Piece]:
        """The calendar with these days' events replaced by ``fresh`` ones, in order."""
        pieces = {day: list(group) for day, group in groupby(join_days(fresh), key=lambda piece: piece.day)}
        gone = set(days)
        for day in sorted(self.spans.keys() | pieces.keys()):
            if day in gone:
                yield from pieces.get(day, ())
            else:
                start, stop, events = self.spans[day]
                yield Piece(day, range(self.head + start, self.head + stop), events)


def join_days(days: Iterable[tuple[int, list[bytes]]]) -> Iterator[Piece]:
    """The days' events as pieces."""
    return (Piece(day, b"".join(events), len(events)) for day, events in days)


def lay_out(pieces: Iterable[Piece], spans: dict[int, Span]) -> Iterator[bytes | range]:
    """The pieces' bytes one after the other; ``spans`` learns where each day's lie."""
    stop = 0
    for day, octets, events in pieces:
        start, stop = stop, stop + len(octets)
        known = spans.get(day)
        spans[day] = Span(known.start, stop, known.events + events) if known else Span(start, stop, events)
        yield octets


def join_chunks(chunks: Iterable[bytes | range]) -> Iterator[bytes | range]:
    """The same in fewer, larger chunks."""
    for kind, alike in groupby(chunks, key=type):
        if kind is range:
            yield from join_ranges(cast("Iterator[range]", alike))
        else:
            yield from join_bytes(cast("Iterator[bytes]", alike))


def join_bytes(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer, larger pieces."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= CHUNK:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def join_ranges(ranges: Iterable[range]) -> Iterator[range]:
    """The same ranges, those that follow each other as one."""
    start = stop = 0
    for each in ranges:
        if each.start != stop:
            if start != stop:
                yield range(start, stop)
            start = each.start
        stop = each.stop
    if start != stop:
        yield range(start, stop)
