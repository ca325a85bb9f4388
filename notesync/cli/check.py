"""``check``: the question the program exists for, and the one that has to be answered fast."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from notesync.cli.filters import Filters, complete_clients, filter_options, find_each, select, tell_unknown
from notesync.cli.session import (
    Session,
    command,
    find_width,
    format_option,
    has_color,
    pass_session,
    pick_format,
    today_option,
)
from notesync.followup.agenda import SORTS
from notesync.problems import UsageError
from notesync.publish import text
from notesync.sync.pipeline import Name, Selection, Workspace

if TYPE_CHECKING:
    from notesync.followup.items import Agenda, Item

TABLE_CLIENTS = 20


@command(
    examples=("notesync check", "notesync check --owner Naledi --upcoming 7", "notesync check --format json")
)
@click.argument("client", nargs=-1, shell_complete=complete_clients)
@click.option(
    "--upcoming", metavar="DAYS", type=click.IntRange(min=0), default=0, help="Also what opens by then."
)
@click.option("--all", "everything", is_flag=True, help="Also everything upcoming.")
@click.option("--missed", is_flag=True, help="Instead, the steps of plans whose time has passed.")
@click.option("--ask", is_flag=True, help="Show the questions to ask, in a table.")
@filter_options
@click.option(
    "--sort",
    type=click.Choice(tuple(SORTS)),
    metavar="|".join(SORTS),
    default="urgency",
    help="Default: urgency.",
)
@click.option(
    "--limit",
    metavar="CLIENTS",
    type=click.IntRange(min=0),
    help=f"Show this many clients, 0 for all. Default: {TABLE_CLIENTS} in a table, else all.",
)
@today_option
@format_option
@pass_session
def check(
    session: Session,
    client: tuple[str, ...],
    upcoming: int,
    everything: bool,
    missed: bool,
    ask: bool,
    owners: tuple[str, ...],
    kinds: tuple[str, ...],
    stages: tuple[str, ...],
    sort: str,
    limit: int | None,
    form: str | None,
) -> int:
    """Say what is overdue, then what is due today.

    CLIENT is a file name, name, alias, company or id; without one, all clients. Ends with the totals and the
    value at risk; problems of the notes follow on stderr. Exit code 1 says that something is overdue.
    """
    if missed and (everything or upcoming):
        raise UsageError("'--missed' shows what is missed alone: leave out '--all' and '--upcoming'")
    form = pick_format(form)
    filters = Filters(owners, kinds, stages)
    with session.open() as workspace:
        session.refresh(workspace)
        clients = find_each(workspace, client)
        selection = select(
            filters, clients, upcoming=upcoming, everything=everything, sort=sort, missed=missed
        )
        if form == "lines" and not limit:
            overdue, shown = write_lines(session, workspace, selection)
        else:
            overdue, shown = write_agenda(
                session, workspace, selection, form, limit, filters.scope(clients), ask
            )
        if not shown:
            tell_why_nothing(session, workspace, filters, clients)
        if form != "json":  # whose object holds them
            session.tell_problems(workspace)
    return 1 if overdue and not missed else 0


def write_lines(session: Session, workspace: Workspace, selection: Selection) -> tuple[int, int]:
    """Lines as the index holds them, the fast way; the numbers of overdue and of all items."""
    lines, totals = workspace.lines(selection)
    session.write(lines)
    session.tell(text.render_totals(totals))
    shown = totals.missed if selection.missed else totals.overdue + totals.due + totals.upcoming
    return totals.overdue, shown


def write_agenda(
    session: Session,
    workspace: Workspace,
    selection: Selection,
    form: str,
    limit: int | None,
    scope: str,
    ask: bool,
) -> tuple[int, int]:
    """The agenda in any format; the numbers of overdue and of all items."""
    agenda = workspace.agenda(selection)
    session.write(_render(workspace, agenda, selection, form, limit, scope, ask))
    if form == "lines":
        session.tell(text.render_totals(agenda.totals))
    return agenda.totals.overdue, len(agenda.items)


def _render(
    workspace: Workspace,
    agenda: Agenda,
    selection: Selection,
    form: str,
    limit: int | None,
    scope: str,
    ask: bool,
) -> Iterable[str]:
    if form == "table":
        from notesync.publish.agenda_table import render_table

        shown = TABLE_CLIENTS if limit is None else limit
        if selection.missed and not agenda.items:
            return [f"Nothing is missed{f' for {text.clean(scope)}' if scope else ''}.\n"]
        nearest = None if agenda.items else workspace.next_item(selection)
        return render_table(agenda, find_width(), has_color(), shown, nearest, scope, ask)
    if limit:
        agenda = agenda._replace(items=first_clients(agenda.items, limit))
    if form == "json":
        return text.render_json(agenda, workspace.root)
    return text.render_csv(agenda.items) if form == "csv" else text.render_lines(agenda.items)


def first_clients(items: list[Item], limit: int) -> list[Item]:
    """The items of the first ``limit`` clients among them."""
    clients: dict[str, None] = {}
    for item in items:
        if len(clients) < limit:
            clients.setdefault(item.client_path)
    return [item for item in items if item.client_path in clients]


def tell_why_nothing(session: Session, workspace: Workspace, filters: Filters, clients: list[Name]) -> None:
    """After an empty answer: first steps where there is no client, and the filters that fit none."""
    session.tell_first_steps(workspace)
    if not clients:
        tell_unknown(session, workspace, filters)
