"""``agenda``: the coming days planned ahead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from notesync.cli.filters import Filters, filter_options, select, tell_unknown
from notesync.cli.session import (
    FORMATS,
    Session,
    command,
    find_width,
    has_color,
    pass_session,
    pick_format,
    today_option,
)
from notesync.publish import text
from notesync.sync.pipeline import Workspace

if TYPE_CHECKING:
    from notesync.followup.items import Agenda, DayPlan, Item


@command(examples=("notesync agenda", "notesync agenda --days 14 --owner Naledi"))
@click.option(
    "--days",
    metavar="DAYS",
    type=click.IntRange(1, 366),
    default=7,
    help="Days to plan, from today. Default: 7.",
)
@filter_options
@today_option
@click.option(
    "--format",
    "form",
    type=click.Choice((*FORMATS, "md")),
    metavar="|".join((*FORMATS, "md")),
    help="md: Markdown, for a note. Default: a table on a terminal, lines elsewhere.",
)
@pass_session
def agenda(
    session: Session,
    days: int,
    owners: tuple[str, ...],
    kinds: tuple[str, ...],
    stages: tuple[str, ...],
    form: str | None,
) -> None:
    """Plan the coming days.

    Each day with its minutes: what falls due on it, and overdue work spread by rank over the working days up
    to the capacity in the settings. What does not fit is named.
    """
    with session.open() as workspace:
        session.refresh(workspace)
        filters = Filters(owners, kinds, stages)
        week, left, found = workspace.week(days, select(filters))
        session.write(_render(workspace, week, left, found, pick_format(form)))
        session.tell_first_steps(workspace)
        if not found.items:
            tell_unknown(session, workspace, filters)
        session.tell_problem_count(workspace)


def _render(
    workspace: Workspace, days: Sequence[DayPlan], left: Sequence[Item], found: Agenda, form: str
) -> Iterable[str]:
    if form == "json":
        return text.render_days_json(days, left, found.totals, found.problems, workspace.root, found.today)
    if form == "csv":
        return text.render_days_csv(days, left)
    if form == "lines":
        return text.render_days_lines(days, left)
    if form == "md":
        return text.render_days_markdown(days, left, found.today)
    from notesync.publish.agenda_table import render_days_table

    return render_days_table(days, left, found.today, find_width(), has_color())
