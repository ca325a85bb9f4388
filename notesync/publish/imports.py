"""What an import does, or would do, as lines: a table of records, then a summary.

In: outcomes.  Out: lines that are safe on a terminal.  It must not know files or how an outcome was found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from notesync.publish.text import clean, format_count, format_number

MADE, DOUBTFUL, THERE, FILLED, FAILED = "new", "new, doubtful", "there", "filled", "left out"
_WORDS = {
    MADE: "new",
    DOUBTFUL: "new but doubtful",
    THERE: "there already",
    FILLED: "filled",
    FAILED: "left out",
}
_WIDEST = 40


class Outcome(NamedTuple):
    """What becomes of one record: ``path`` is its note's, ``why`` says what it was judged by."""

    line: int
    name: str
    what: str
    path: str
    why: str = ""


def render_outcomes(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """A row a record: line of the file, what becomes of it, name, note, why."""
    rows = [("line", "what", "name", "note", "why")]
    rows += [
        (str(each.line), each.what, clean(each.name), clean(each.path), clean(each.why)) for each in outcomes
    ]
    widths = [min(max(map(len, column)), _WIDEST) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"{line.rstrip()}\n"


def render_summary(path: str, outcomes: Sequence[Outcome], problems: int, dry_run: bool) -> str:
    """``contacts.vcf: 12 records: 10 new, 2 there already; 1 problem``."""
    counts = Counter(each.what for each in outcomes)
    parts = ", ".join(
        f"{format_number(counts[what])} {words}" for what, words in _WORDS.items() if counts[what]
    )
    told = f": {parts}" if parts else ""
    wrong = f"; {format_count(problems, 'problem')}" if problems else ""
    undone = " (nothing was written)" if dry_run else ""
    return clean(f"{path}: {format_count(len(outcomes), 'record')}{told}{wrong}{undone}") + "\n"
