"""Problems in, and how the rest is; what a person reads of them on a terminal out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from notesync.publish.sheet import GAP, Piece, Sheet, cut, fit_width, fold, one_line
from notesync.publish.text import clean, format_count

if TYPE_CHECKING:
    from notesync.problems import Problem
    from notesync.publish.text import Health


def render_problems_table(
    problems: Sequence[Problem], health: Sequence[Health], width: int, color: bool
) -> Iterator[str]:
    """``doctor``: the problems by file, each with its place and what to do; then the health of the rest."""
    sheet = Sheet(width, color)
    for path, found in groupby(problems, key=lambda problem: problem.path):
        yield sheet.draw([Piece(cut(clean(path), sheet.width), "bold")])
        yield from draw_problems(sheet, list(found))
        yield "\n"
    yield from sheet.draw_text(_problems_total(problems), "" if problems else "green")
    if health:
        yield from sheet.draw_section("Health")
        yield from _draw_health(sheet, health)


def draw_problems(sheet: Sheet, problems: Iterable[Problem]) -> Iterator[str]:
    """The place is never cut or folded: terminals make it a link."""
    for problem in problems:
        place = f"{clean(problem.path)}:{problem.line}:{problem.column}"
        style = "red" if problem.severity == "error" else "yellow"
        yield sheet.draw(
            [
                Piece(f"  {place}  "),
                Piece(clean(problem.severity), style),
                Piece(f" {clean(problem.code)}", "dim"),
            ]
        )
        yield from sheet.draw_text(clean(problem.message), indent=4)
        if problem.hint:
            yield from sheet.draw_text(f"→ {clean(problem.hint)}", "green", indent=4, hang=2)


def _problems_total(problems: Sequence[Problem]) -> str:
    if not problems:
        return "No problems in the notes or the settings."
    errors = sum(1 for problem in problems if problem.severity == "error")
    kinds = [(errors, "error"), (len(problems) - errors, "warning")]
    counts = " and ".join(format_count(count, noun) for count, noun in kinds if count)
    return f"{counts} in {format_count(len({problem.path for problem in problems}), 'file')}"


def _draw_health(sheet: Sheet, health: Sequence[Health]) -> Iterator[str]:
    subject = fit_width((clean(part.subject) for part in health), 4, 20)
    room = sheet.width - 4 - subject - 3 * GAP
    for part in health:
        lines = fold([Piece(clean(part.message))], room, 9)
        if part.hint:
            lines += fold([Piece(f"→ {clean(part.hint)}", "green")], room, 9)
        word = one_line("ok", 4, "green") if part.ok else one_line("warn", 4, "yellow")
        yield from sheet.draw_row([word, one_line(clean(part.subject), subject), lines], [4, subject, room])
