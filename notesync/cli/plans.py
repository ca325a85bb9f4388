"""``plans``: which steps follow which event, and from where each comes."""

from __future__ import annotations

from collections.abc import Iterable

from notesync.cli.session import (
    Session,
    command,
    find_width,
    format_option,
    has_color,
    pass_session,
    pick_format,
)
from notesync.publish import method
from notesync.sync.pipeline import Workspace


@command(examples=("notesync plans", "notesync plans --format csv"))
@format_option
@pass_session
def plans(session: Session, form: str | None) -> None:
    """List the plans and their steps.

    What is in force: each step with its window, what settles it, the questions to ask, and whether it is built in
    or comes from the settings. What the settings switch off follows.
    """
    with session.open() as workspace:
        session.write(_render(workspace, pick_format(form)))


def _render(workspace: Workspace, form: str) -> Iterable[str]:
    found = workspace.plans()
    if form == "json":
        return method.render_plans_json(found, workspace.root)
    if form == "csv":
        return method.render_plans_csv(found)
    if form == "lines":
        return method.render_plans_lines(found)
    from notesync.publish.plans_table import render_plans_table

    return render_plans_table(found, find_width(), has_color())
