"""``sync``: index and calendar brought up to date, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from notesync.cli.keeping import Keeping
from notesync.cli.publishing import describe_calendar, describe_changes, publish
from notesync.cli.session import Session, command, pass_session
from notesync.publish.text import format_count
from notesync.sync.pipeline import Changes, Workspace

if TYPE_CHECKING:
    from notesync.sync.publishing import Published


@command(examples=("notesync sync",))
@click.option(
    "--accept-empty", is_flag=True, help="Most client notes are gone, and that is meant: forget them."
)
@pass_session
def sync(session: Session, accept_empty: bool) -> None:
    """Bring index and calendar up to date.

    Once, with a summary of what changed. When most of the client notes have vanished it stops with exit code 3
    and leaves the calendar: a drive may be away. --accept-empty says that they were removed on purpose.
    """
    with session.open() as workspace:
        changes = session.refresh(workspace, accept_empty=accept_empty, thorough=True)
        published = publish(workspace)
        strays = workspace.forget_strays(published)
        workspace.mark_current()
        session.write(f"{line}\n" for line in _summary(workspace, changes, published))
        session.write(f"{path}: removed, a conflict copy\n" for path in strays.forgotten)
        session.tell(*strays.left)
        Keeping(session, workspace).keep_some()
        session.tell_first_steps(workspace)
        session.tell_problem_count(workspace)


def _summary(workspace: Workspace, changes: Changes, published: Published) -> list[str]:
    clients = workspace.counts().clients
    calendar = describe_calendar(workspace, published)
    return [
        f"{format_count(changes.notes, 'note')}, {format_count(clients, 'client')}: {describe_changes(changes)}",
        f"{calendar}, {'written' if published.changed else 'unchanged'}" if published.events else calendar,
        *(f"{path}: written" for path in published.also),
    ]
