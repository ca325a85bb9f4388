"""Pieces of text in, lines of a terminal out: aligned, coloured, cut to width.

Widths are cells, not characters: rich.cells measures (wide scripts take two, emoji too, accents none).  The
layout is ours, because a client's heading spans all columns and ten thousand rows must not take seconds; so
nothing of a note can be taken for markup.  Colours come from the terminal's own sixteen, so that they suit its
background.  It knows no terminal, width and colour are told, and not what it draws: texts come here cleaned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, zip_longest
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

NARROWEST = 40
GAP = 2
FOLDS, MORE_FOLDS = 3, 6
"""Lines that a title, which a person wrote, and a reason may take before they are cut."""

_CODES = {"bold": "1", "dim": "2", "red": "1;31", "yellow": "33", "green": "32"}


class Piece(NamedTuple):
    """Cleaned text in one style: a name of ``_CODES`` or ''."""

    text: str
    style: str = ""


Line = list[Piece]


class Sheet:
    """The page that is drawn on: a width, and whether there are colours."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = max(width, NARROWEST)
        self.side = 28 if width >= 80 else self.width // 4  # what a column beside the text may take
        self.color = color

    def draw(self, line: Line) -> str:
        """The line's text with its newline, without blanks at its end."""
        drawn = ""
        for style, run in groupby(line, key=lambda piece: piece.style):
            text = "".join(piece.text for piece in run)
            drawn += self.paint(text, style)
        return f"{drawn.rstrip()}\n"

    def paint(self, text: str, style: str) -> str:
        """The text in its colour; blanks around it stay as they are."""
        code = _CODES.get(style) if self.color else None
        inner = text.strip()
        return text.replace(inner, f"\x1b[{code}m{inner}\x1b[0m") if code and inner else text

    def draw_row(
        self, cells: Sequence[list[Line]], widths: Sequence[int], indent: int = GAP
    ) -> Iterator[str]:
        """Cells side by side, each as many lines as it has; the last one is not filled up."""
        for lines in zip_longest(*cells, fillvalue=None):
            row = [Piece(" " * indent)]
            for line, width in zip(lines, widths, strict=True):
                row += line or []
                row.append(Piece(" " * (width - measure(line or []) + GAP)))
            yield self.draw(row)

    def draw_text(self, text: str, style: str = "", indent: int = 0, hang: int = 0) -> Iterator[str]:
        """A text of any length, folded; its further lines are indented by ``hang`` more."""
        for place, line in enumerate(fold([Piece(text, style)], self.width - indent - hang, 99)):
            yield self.draw([Piece(" " * (indent + (hang if place else 0))), *line])

    def draw_section(self, title: str) -> Iterator[str]:
        """A heading with an empty line before it."""
        yield "\n"
        yield self.draw([Piece(title, "bold")])


def measure(line: Line) -> int:
    """The cells that a line takes."""
    return sum(cell_len(piece.text) for piece in line)


def cut(text: str, width: int) -> str:
    """The text in at most that many cells, with an ellipsis where some is missing."""
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, max(width - 1, 0)).rstrip()}…"


def one_line(text: str, width: int, style: str = "") -> list[Line]:
    """A cell of one line, cut to the width."""
    return [[Piece(cut(text, width), style)]]


def _words(pieces: Iterable[Piece], width: int) -> Iterator[Piece]:
    for text, style in pieces:
        for word in text.split():
            if cell_len(word) <= width:
                yield Piece(word, style)
            else:
                yield from (Piece(part, style) for part in chop_cells(word, width))


def fold(pieces: Iterable[Piece], width: int, most: int = FOLDS) -> list[Line]:
    """The pieces' words in lines of at most ``width`` cells; what does not fit in ``most`` lines is cut with …"""
    width = max(width, 4)
    lines: list[Line] = []
    room = 0
    for word in _words(pieces, width):
        size = cell_len(word.text)
        if lines and size < room:
            lines[-1].append(Piece(f" {word.text}", word.style))
            room -= size + 1
        elif len(lines) == most:
            text, style = lines[-1].pop()
            lines[-1].append(Piece(cut(f"{text} {word.text}", cell_len(text) + room), style))
            break
        else:
            lines.append([word])
            room = width - size
    return lines or [[]]


def flow(segments: Sequence[Piece], width: int, indent: int) -> list[Line]:
    """Segments joined by `` · ``, broken only between them unless one is longer than a line."""
    lines: list[Line] = []
    room = 0
    for segment in segments:
        size = cell_len(segment.text)
        if lines and size + 3 <= room:
            lines[-1] += [Piece(" · ", "dim"), segment]
            room -= size + 3
            continue
        for line in [[segment]] if size <= width - indent else fold([segment], width - indent):
            lines.append([Piece(" " * indent), *line] if lines else line)
        room = width - measure(lines[-1])
    return lines


def fit_width(cells: Iterable[str], least: int, most: int) -> int:
    """The width a column wants."""
    return min(max(max(map(cell_len, cells), default=0), least), max(most, least))


def render_outline(rows: Iterable[tuple[int, str, str]], width: int, color: bool) -> Iterator[str]:
    """Rows, each with its indent, its cleaned text, which is folded, and its style."""
    sheet = Sheet(width, color)
    for indent, text, style in rows:
        if text:
            yield from sheet.draw_text(text, style, indent, hang=2)
        else:
            yield "\n"
