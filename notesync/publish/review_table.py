"""A review in, what a terminal shows of it out: figures in columns, small bars and sparklines.

Drawn with block elements where the terminal has them, else with ASCII; in colours only where they are wished for,
and never by colour alone.  Words fold at the width.  Pure: widths come in, lines go out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

from notesync.publish.review_words import (
    BETTER,
    WORSE,
    Listing,
    Report,
    Row,
    Section,
    Spark,
    Stack,
    build_report,
)
from notesync.publish.text import clean

if TYPE_CHECKING:
    from notesync.followup.review import Review

NARROWEST = 40
_WIDE = 80  # from here on numbers stand beside their titles
_TITLE, _WIDEST_LABEL, _BAR = 39, 18, 12
_CODES = {BETTER: "32", WORSE: "31", "head": "1", "soft": "2"}


class Signs(NamedTuple):
    """What charts are drawn with: parts of a stacked bar, what is left of one, the steps of a sparkline."""

    parts: str
    rest: str
    steps: str


BLOCKS = Signs("█▓▒░", "·", "▁▂▃▄▅▆▇█")
ASCII = Signs("#=x-", ".", "_.-=+*%#")


class _Sheet(NamedTuple):
    width: int
    color: bool
    signs: Signs

    def paint(self, text: str, style: str) -> str:
        code = _CODES.get(style) if self.color else None
        return f"\x1b[{code}m{text}\x1b[0m" if code and text.strip() else text

    def fold(self, text: str, indent: int, hang: int = 0) -> Iterator[str]:
        """A text over as many lines as it needs."""
        blanks = " " * indent
        for line in _fold(text, self.width - indent - hang):
            yield f"{blanks}{line}\n"
            blanks = " " * (indent + hang)


def render_review_table(review: Review, width: int, color: bool, blocks: bool) -> Iterator[str]:
    """The review for a terminal of some columns."""
    sheet = _Sheet(max(width, NARROWEST), color, BLOCKS if blocks else ASCII)
    report = build_report(review)
    yield from (sheet.paint(line.rstrip("\n"), "head") + "\n" for line in sheet.fold(report.title, 0))
    yield from sheet.fold(f"{report.days}, {report.compared}", 0)
    for remark in report.remarks:
        yield from sheet.fold(f"Mind: {remark}", 0, 6)
    for section in report.sections:
        yield from _draw_section(sheet, section, report)


def _draw_section(sheet: _Sheet, section: Section, report: Report) -> Iterator[str]:
    yield "\n"
    yield sheet.paint(f"{section.number}. {section.question}", "head") + "\n"
    rows = (*report.targets, *section.rows) if section.number == 1 else section.rows
    for row in rows:
        yield from _draw_row(sheet, row)
    for spark in section.sparks:
        yield from _draw_spark(sheet, spark)
    for stack in section.stacks:
        yield from _draw_stack(sheet, stack)
    for listing in section.listings:
        yield from _draw_listing(sheet, listing)
    if section.fill:
        yield "\n"
        yield from sheet.fold(section.beside, 2, 2)
        yield from sheet.fold(f"{section.fill} {'_' * 24}", 2, 2)


def _draw_row(sheet: _Sheet, row: Row) -> Iterator[str]:
    """Title, number, a bar for a share, and how it was before; on two lines where the terminal is narrow."""
    bar = "" if row.share is None else f" {_draw_share(sheet.signs, row.share)}"
    change = _tell_change(row)
    if sheet.width < _WIDE:
        yield from sheet.fold(row.title, 2, 2)
        at = 4
        yield from sheet.fold(f"{row.now}{bar}", at, 2)
    else:
        at = _TITLE + 3
        first, *more = _fold(f"{row.now}{bar}", sheet.width - at)
        if change and not more and cell_len(f"{first} ({change})") <= sheet.width - at:
            first, change = f"{first} {sheet.paint(f'({change})', row.verdict)}", ""
        yield f"  {set_cell_size(row.title, _TITLE)} {first}\n"
        yield from (f"{' ' * at}{line}\n" for line in more)
    for line in _fold(change, sheet.width - at) if change else ():
        yield f"{' ' * at}{sheet.paint(line, row.verdict)}\n"
    for line in _fold(row.parts, sheet.width - at) if row.parts else ():
        yield f"{' ' * at}{sheet.paint(line, 'soft')}\n"


def _tell_change(row: Row) -> str:
    """``before 9, +23 better``; nothing where there is nothing to compare with."""
    if not row.then or row.then == "not known":
        return row.change
    return f"before {row.then}, {row.change}" if row.change else f"before {row.then}"


def _draw_share(signs: Signs, share: float, width: int = _BAR) -> str:
    filled = round(share * width)
    return f"[{signs.parts[0] * filled}{signs.rest * (width - filled)}]"


def _draw_spark(sheet: _Sheet, spark: Spark) -> Iterator[str]:
    if len(spark.counts) < 2 or not any(spark.counts):
        return
    most, steps = max(spark.counts), sheet.signs.steps
    drawn = "".join(steps[-(-count * (len(steps) - 1) // most)] for count in spark.counts)
    numbers = " ".join(map(str, spark.counts))
    yield from sheet.fold(f"{spark.title} from {spark.labels[0]} on: {drawn}  {numbers}", 2, 2)


def _draw_stack(sheet: _Sheet, stack: Stack) -> Iterator[str]:
    """A bar for each label, as long as its number, with the numbers behind it."""
    yield "\n"
    key = ""
    if len(stack.parts) > 1:
        key = "  ".join(f"{sign} {part}" for sign, part in zip(sheet.signs.parts, stack.parts, strict=False))
    yield from sheet.fold(f"{stack.title}{':  ' if key else ''}{key}", 2, 2)
    most = max(sum(counts) for _, counts in stack.bars)
    room = max(8, min(40, sheet.width - _WIDEST_LABEL - 26))
    for label, counts in stack.bars:
        lengths = share_out(counts, max(1, round(sum(counts) * room / most)))
        drawn = "".join(sign * length for sign, length in zip(sheet.signs.parts, lengths, strict=False))
        numbers = " + ".join(str(count) for count in counts if count)
        yield f"    {set_cell_size(_cut(label, _WIDEST_LABEL), _WIDEST_LABEL)} {drawn} {numbers}\n"


def share_out(counts: Sequence[int], length: int) -> list[int]:
    """The length parted as the counts are; whatever is there gets at least one sign."""
    total = sum(counts)
    return [max(1, round(count * length / total)) if count else 0 for count in counts]


def _draw_listing(sheet: _Sheet, listing: Listing) -> Iterator[str]:
    yield "\n"
    yield f"  {listing.title}:\n"
    for place in listing.places:
        yield from sheet.fold(f"{place.client}: {place.words}", 4, 2)
    if listing.rest:
        yield f"    ... and {listing.rest} more\n"


def _fold(text: str, width: int) -> list[str]:
    """The text in lines of at most that many cells; a word that is longer is taken apart."""
    if cell_len(text) == len(text):
        return wrap(text, max(width, 8), break_on_hyphens=False, drop_whitespace=True) or [""]
    lines, current = [], ""
    for word in text.split(" "):
        joined = f"{current} {word}" if current else word
        if cell_len(joined) <= width:
            current = joined
            continue
        if current:
            lines.append(current)
        *full, current = chop_cells(word, max(width, 8)) or [""]
        lines += full
    return [*lines, current]


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 2).rstrip() + ".."


def render_review_lines(review: Review) -> Iterator[str]:
    """A line for each figure, for pipes: ``contacts: 32 (before 9)``."""
    for section in build_report(review).sections:
        for row in section.rows:
            then = f" (before: {row.then})" if row.then else ""
            yield clean(f"{row.name}: {row.now}{then}") + "\n"
