"""Plans in, what a person reads of them on a terminal out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from notesync.publish.method import (
    describe_off,
    describe_source,
    describe_start,
    describe_terms,
    describe_window,
)
from notesync.publish.sheet import GAP, Line, Piece, Sheet, fit_width, flow, fold, one_line
from notesync.publish.text import clean, format_count

if TYPE_CHECKING:
    from notesync.followup.plans import Plans, Step


def render_plans_table(plans: Plans, width: int, color: bool) -> Iterator[str]:
    """``plans``: a heading a plan, below it its steps with window, terms, questions and source."""
    sheet = Sheet(width, color)
    names = fit_width((clean(step.name) for plan in plans.plans for step in plan.steps), 8, sheet.side)
    widths = [names, sheet.width - names - 2 * GAP]
    for plan in plans.plans:
        heading = [
            Piece(clean(plan.name), "bold"),
            Piece(clean(plan.title)),
            Piece(describe_start(plan), "dim"),
        ]
        source = describe_source(plan.source, plan.line)
        heading = [part for part in (*heading, Piece(source, "dim")) if part.text]
        yield from map(sheet.draw, flow(heading, sheet.width, GAP))
        for step in plan.steps:
            yield from sheet.draw_row(
                [one_line(clean(step.name), names), _step_text(step, widths[1])], widths
            )
        yield "\n"
    for off in plans.off:
        yield from sheet.draw_text(clean(describe_off(off)), "yellow", hang=GAP)
    count = sum(len(plan.steps) for plan in plans.plans)
    words = f"{format_count(len(plans.plans), 'plan')}, {format_count(count, 'step')}"
    yield from sheet.draw_text(f"{words}; to change them: plans in notesync.yaml, docs/method.md")


def _step_text(step: Step, width: int) -> list[Line]:
    by = f", by {step.channel}" if step.channel else ""
    text = fold([Piece(clean(step.title))], width)
    text += fold([Piece(f"{describe_window(step)} · {step.kind}{by}")], width)
    text += fold([Piece(clean("; ".join(describe_terms(step))), "dim")], width)
    for question in step.ask:
        text += fold([Piece(f"? {clean(question)}")], width)
    if step.line:
        text += fold([Piece(describe_source(step.source, step.line), "yellow")], width)
    return text
