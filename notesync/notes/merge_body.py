"""The bodies of three versions of a note -> one.

In: notes, where in them the text to merge begins, the headings that name a log.  Out: the text, and questions
about places where both sides say something else.  Must not know: what a log entry means, clients, the clock.

A body is cut into units: a log entry or a list item with all lines that belong to it, else one line.  Entries of
both sides are united, in the order of the log, which is only ever added to: one that a side lacks stays, one that
a side has mended stands twice, unless that side has but added words to it.  List items are united as well, as long
as it is clear that no two of them are the same item changed twice.  Other lines are merged like a program's, those
next to each other as one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from notesync.notes.body import Entry, parse_body, prepare_body
from notesync.notes.edit_log import is_newest_first
from notesync.notes.merge_header import Question
from notesync.notes.note import Note
from notesync.notes.three_way import (
    Region,
    choose,
    count_pairs,
    count_wanted,
    find_regions,
    find_shared_regions,
    number,
    unite,
)

MOST_UNITS = 5_000
MOST_PAIRS = 100_000  # of equal units: what comparing costs grows with them
BOTH = 3  # the answer that takes what either side has
ENTRY, ITEM, BLANK, LINE = "entry", "item", "blank", "line"

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_ITEM = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])(?:[ \t]|$)")
_HEADING = re.compile(r"#{1,6}(?:[ \t]|$)")


class Unit(NamedTuple):
    """Lines that stay together; of an entry also when it was, for the order of the log."""

    text: str
    kind: str
    when: tuple[int, int] = (0, 0)


Units = list[Unit]


class Cut(NamedTuple):
    """A text in units, and the entries of its log."""

    units: list[Unit]
    entries: tuple[Entry, ...]


def cut_body(note: Note, start: int, log_headings: tuple[str, ...]) -> Cut:
    """What stands in a note from an offset on."""
    entries = parse_body(note, log_headings).entries
    by_line = {entry.line: entry for entry in entries}
    lines = _LINE.findall(note.text)
    shown = prepare_body(note)
    seen = shown.text.split("\n")[1 - shown.first :]
    first = len(_LINE.findall(note.text[:start]))
    body = note.place(note.body_start)[0] - 1
    units = []
    at = first
    while at < len(lines):
        end = _find_unit_end(seen, by_line, at, body, len(lines))
        entry = by_line.get(at + 1)
        if entry is not None:
            kind, when = ENTRY, (entry.day.toordinal(), entry.minute or 0)
        else:
            kind, when = _find_kind(seen[at], at < body), (0, 0)
        units.append(Unit("".join(lines[at:end]), kind, when))
        at = end
    return Cut(units, entries)


def _find_kind(line: str, in_header: bool) -> str:
    if not line.strip():
        return BLANK
    return ITEM if not in_header and _ITEM.match(line) else LINE


def _find_unit_end(seen: Sequence[str], entries: Mapping[int, Entry], at: int, body: int, limit: int) -> int:
    """Behind the last line that belongs to the line ``at``; lines count from 0, entries' from 1."""
    end = at + 1
    if at < body or (at + 1 not in entries and not _ITEM.match(seen[at])):
        return end
    under_heading = _HEADING.match(seen[at]) is not None
    blank = False
    for below in range(at + 1, limit):
        line = seen[below]
        if not line.strip():
            blank = True
        elif below + 1 in entries or _HEADING.match(line):
            break
        elif under_heading or line[0] in " \t\0" or not (blank or _ITEM.match(line)):
            end, blank = below + 1, False
        else:
            break
    return end


class BodyMerge:
    """The merge of three bodies: ``questions`` are those without an answer.

    Without a base only what one side has more than the other is certain, and what stands in the log.
    """

    def __init__(self, base: Cut | None, one: Cut, two: Cut, take: Mapping[str, int]) -> None:
        known = [] if base is None else base.units
        longer = _find_longer(known, one.units, two.units) | _find_longer(known, two.units, one.units)
        known, self.one, self.two = (
            [longer.get(unit, unit) for unit in units] for units in (known, one.units, two.units)
        )
        self.base = _drop_lacking(known, self.one, self.two)
        self.has_base = base is not None
        self.take = take
        self.questions: list[Question] = []
        self.asked = 0
        logs = [one.entries, two.entries] if base is None or len(base.entries) < 2 else [base.entries]
        self.newest_first = all(is_newest_first(entries) for entries in logs)

    def build(self) -> str:
        """The text; of no use while there are questions."""
        above, below = self._trim() if self._is_endless() else ("", "")
        if self._is_endless():
            return above + self._ask(self.base, self.one, self.two, endless=True) + below
        return above + self._build_all() + below

    def _trim(self) -> tuple[str, str]:
        """Leave what all versions begin and end with out of the comparison; these two."""
        sides = [self.one, self.two, *([self.base] if self.has_base else [])]
        above = _count_shared(sides)
        below = _count_shared([side[above:][::-1] for side in sides])
        texts = _join(self.one[:above]), _join(self.one[len(self.one) - below :])
        self.base, self.one, self.two = (
            side[above : len(side) - below] for side in (self.base, self.one, self.two)
        )
        return texts

    def _build_all(self) -> str:
        whole = self._choose_whole()
        if whole is not None:
            return _join(whole)
        regions = list(self._find_regions())
        doubtful = (
            not self.has_base and len({side for region in regions for side in self._find_adders(region)}) > 1
        )
        pieces: list[Unit] = []
        for region in regions:
            base, one, two = self.base[region.base], self.one[region.one], self.two[region.two]
            pieces += self._merge_region(base if self.has_base or one != two else one, one, two, doubtful)
        return _join(self._drop_repeated(pieces))

    def _is_endless(self) -> bool:
        """Whether comparing would take many seconds: too many lines, or too many of the same words."""
        if max(len(self.base), len(self.one), len(self.two)) > MOST_UNITS:
            return True
        pairs = [(self.base, self.one), (self.base, self.two)] if self.has_base else [(self.one, self.two)]
        return any(count_pairs(*each) > MOST_PAIRS for each in pairs)

    def _choose_whole(self) -> Units | None:
        """The body of one side if it has all that the other changed: merged before, perhaps."""
        chosen = choose(self.base, self.one, self.two) if self.has_base else None
        if chosen:
            return chosen[0]
        wanted = count_wanted(self.base, self.one, self.two)
        sides = ((self.one, self.two), (self.two, self.one))
        return min((side for side, other in sides if _holds(side, other, wanted)), default=None)

    def _find_regions(self) -> Iterator[Region]:
        if self.has_base:
            return find_regions(self.base, self.one, self.two, self._may_touch)
        return find_shared_regions(self.one, self.two)

    def _may_touch(self, first: int, second: int) -> bool:
        """Whether differences on either side of two units of the base have nothing to do with each other."""
        return all(0 <= at < len(self.base) and self.base[at].kind == ITEM for at in (first, second))

    def _find_adders(self, region: Region) -> list[int]:
        """The sides that have something other than log entries where the sides differ."""
        one, two = self.one[region.one], self.two[region.two]
        if one == two:
            return []
        return [
            side for side, units in ((1, one), (2, two)) if any(unit.kind in (ITEM, LINE) for unit in units)
        ]

    def _merge_region(self, base: Units, one: Units, two: Units, doubtful: bool) -> Units:
        chosen = choose(base, one, two)
        kinds = {unit.kind for unit in (*base, *one, *two)} - {BLANK}
        if chosen and not (doubtful and one != two and kinds - {ENTRY}):
            return chosen[0]
        if not kinds:
            return max(one, two)
        if kinds == {ENTRY}:
            return self._unite(base, one, two, self._sort)
        if self.has_base and LINE not in kinds and not _is_changed_twice(base, one, two):
            return self._unite(base, one, two, list)
        return [Unit(self._ask(base, one, two), LINE)]

    def _ask(self, base: Units, one: Units, two: Units, endless: bool = False) -> str:
        self.asked += 1
        key = f"text-{self.asked}"
        texts = [_join(units) for units in (base, one, two)]
        if key in self.take:
            side = self.take[key]
            if side != BOTH:
                return texts[side]
            return "".join(sorted(texts[1:])) if endless else _join(unite(base, one, two))
        self.questions.append(Question(key, *texts))
        return ""

    def _unite(self, base: Units, one: Units, two: Units, sort: Callable[[Units], list[Unit]]) -> Units:
        """All entries or items of a place; blank lines between them as the sides have them."""
        united = sort(
            unite(*(sort([unit for unit in side if unit.kind != BLANK]) for side in (base, one, two)))
        )
        blank = min((unit for unit in (*one, *two) if unit.kind == BLANK), default=None)
        if blank is None:
            return united
        ends = [_count_blanks(side) for side in (one, two)]
        above, below = max(above for above, _ in ends), max(below for _, below in ends)
        between = [blank] if self._is_spaced(one, two) else []
        spread = [piece for unit in united for piece in (*between, unit)][len(between) :]
        return [*[blank] * above, *spread, *[blank] * below]

    def _sort(self, units: Units) -> list[Unit]:
        return sorted(units, key=lambda unit: unit.when, reverse=self.newest_first)

    def _is_spaced(self, one: Units, two: Units) -> bool:
        """Whether blank lines part what stands here; where neither side tells, as they do elsewhere."""
        for sides in ((one, two), (self.one, self.two)):
            if any(sum(unit.kind != BLANK for unit in side) > 1 for side in sides):
                return any(_is_parted(side) for side in sides)
        return False

    def _drop_repeated(self, units: Units) -> Units:
        """The text without entries that both sides have put in, at different places."""
        wanted = count_wanted(self.base, self.one, self.two)
        kept: Units = []
        dropped = False
        for unit in units:
            wanted[unit] -= 1
            if unit.kind == ENTRY and wanted[unit] < 0:
                dropped = True
            elif not (dropped and unit.kind == BLANK and kept and kept[-1].kind == BLANK):
                kept.append(unit)
                dropped = False
        return kept


def _find_longer(base: Units, one: Units, two: Units) -> dict[Unit, Unit]:
    """Entries of one side that the other has only with more words at their end, and those longer ones.

    Of an entry that is new these have to be whole lines: two calls of one day may begin with the same words.
    """
    known, mine, theirs = set(base), set(one), set(two)
    longer = {}
    for unit in mine - theirs:
        start = unit.text.rstrip("\r\n")
        found = [
            other
            for other in theirs - mine
            if unit.kind == other.kind == ENTRY
            and unit.when == other.when
            and other.text.startswith(start)
            and (unit in known or other.text[len(start) : len(start) + 1] in "\r\n")
        ]
        if len(found) == 1:
            longer[unit] = found[0]
    return longer


def _drop_lacking(base: Units, one: Units, two: Units) -> Units:
    """The base without log entries that a side lacks: what the other has of them then counts as added by it."""
    counts = Counter(one) & Counter(two)
    kept = []
    for unit in base:
        counts[unit] -= 1
        if unit.kind != ENTRY or counts[unit] >= 0:
            kept.append(unit)
    return kept


def _count_shared(sides: Sequence[Units]) -> int:
    """How many units all begin with."""
    same = (len(set(units)) == 1 for units in zip(*sides, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def _join(units: Units) -> str:
    return "".join([unit.text for unit in units])


def _holds(side: Units, other: Units, wanted: Counter[Unit]) -> bool:
    """Whether a side has just what is wanted of both, and all but entries in the other's order as well."""
    have = Counter(unit for unit in side if unit.kind != BLANK)
    if any(wanted[unit] != have[unit] for unit in {*side, *other} if unit.kind != BLANK):
        return False
    rest = iter(unit for unit in side if unit.kind in (ITEM, LINE))
    told = number([unit for unit in other if unit.kind in (ITEM, LINE)])
    return all(unit in rest for unit, nth in told if nth < wanted[unit])


def _is_changed_twice(base: Units, one: Units, two: Units) -> bool:
    """Whether one item may have been changed by both sides, each to something else."""
    before, first, second = (Counter(unit for unit in side if unit.kind == ITEM) for side in (base, one, two))
    gone = (before - first) & (before - second)
    added, other = first - before, second - before
    return bool(added - other and other - added) and gone.total() > (added & other).total()


def _is_parted(units: Units) -> bool:
    kinds = [unit.kind for unit in units]
    return any(
        here in (ENTRY, ITEM) and below == BLANK and further == here
        for here, below, further in zip(kinds, kinds[1:], kinds[2:], strict=False)
    )


def _count_blanks(units: Units) -> tuple[int, int]:
    """How many blank lines stand above and below what is said."""
    said = [at for at, unit in enumerate(units) if unit.kind != BLANK]
    return (said[0], len(units) - 1 - said[-1]) if said else (0, 0)
