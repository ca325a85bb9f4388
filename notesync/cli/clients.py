"""``show`` and ``clients``: the clients themselves, one and all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import click

from notesync.cli.filters import (
    Filters,
    complete_clients,
    find_each,
    owner_option,
    select,
    stage_option,
    tell_unknown,
)
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
from notesync.publish import method, text
from notesync.sync.pipeline import Name, Workspace

if TYPE_CHECKING:
    from notesync.followup.items import ClientCard, Item


@command(examples=('notesync show "Thandi Mokoena"', "notesync show thandi --format json"))
@click.argument("client", shell_complete=complete_clients)
@today_option
@format_option
@pass_session
def show(session: Session, client: str, form: str | None) -> None:
    """Show one client.

    How to reach them and when, the next steps with their windows and questions to ask, how far along the plans
    they are and the log line that settles each open step, the last contacts and attempts. CLIENT is a
    file name, name, alias, company or id; words in any order, capitals and accents do not matter.
    """
    with session.open() as workspace:
        session.refresh(workspace)
        session.tell_first_steps(workspace)
        (name,) = find_each(workspace, [client])
        session.write(_render_one(workspace, name, pick_format(form)))


def _render_one(workspace: Workspace, name: Name, form: str) -> Iterable[str]:
    found = workspace.agenda(select(Filters(), [name], everything=True))
    items: list[Item] = found.items
    if form == "csv":
        return text.render_show_csv(items)
    from notesync.sync.client_note import read_history

    card, (entries, progress) = workspace.card(name.key), read_history(workspace, name.key)
    if form == "lines":
        lines = text.render_show_lines(card, items, entries, found.today)
        return chain(lines, method.render_progress_lines(progress))
    problems = [problem for problem in workspace.problems() if problem.path == card.path]
    if form == "json":
        return text.render_show_json(card, items, entries, problems, workspace.root, found.today, progress)
    from notesync.publish.client_table import render_show_table

    currency, width = workspace.currency, find_width()
    return render_show_table(
        card, items, entries, problems, found.today, currency, width, has_color(), progress=progress
    )


@command(examples=("notesync clients", "notesync clients --stage prospect --format csv"))
@owner_option
@stage_option
@today_option
@format_option
@pass_session
def clients(session: Session, owners: tuple[str, ...], stages: tuple[str, ...], form: str | None) -> None:
    """List the clients.

    With stage, owner, last and next contact, and drift: how late the next contact is, as a share of the
    client's own rhythm.
    """
    with session.open() as workspace:
        session.refresh(workspace)
        filters = Filters(owners, (), stages)
        cards = workspace.cards(select(filters))
        session.write(_render_all(workspace, cards, pick_format(form)))
        session.tell_first_steps(workspace)
        if not cards:
            tell_unknown(session, workspace, filters)
        session.tell_problem_count(workspace)


def _render_all(workspace: Workspace, cards: Sequence[ClientCard], form: str) -> Iterable[str]:
    today = workspace.moment.day.isoformat()
    if form == "json":
        return text.render_clients_json(cards, workspace.root, today)
    if form == "csv":
        return text.render_clients_csv(cards)
    if form == "lines":
        return text.render_clients_lines(cards)
    from notesync.publish.client_table import render_clients_table

    return render_clients_table(cards, today, find_width(), has_color())
