"""``new``: a client's note, made from the vault's own template or the built-in one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from notesync.cli.session import Session, command, pass_session
from notesync.problems import UsageError
from notesync.publish.text import clean
from notesync.sync.pipeline import Workspace

if TYPE_CHECKING:
    from notesync.followup.duplicates import Likely
    from notesync.store.history import Step
    from notesync.sync.new_client import NewClient, Told


@command(
    examples=(
        'notesync new "Marike Fourie" --company "Quince Cottage" --phone "088 555 0112" --next 2w',
        'notesync new "Sipho Dlamini" --owner Naledi --stage lead --dry-run',
    )
)
@click.argument("name")
@click.option("--company", metavar="TEXT", default="", help="Where they work.")
@click.option("--phone", "phones", metavar="NUMBER", multiple=True, help="May be given several times.")
@click.option("--email", "emails", metavar="ADDRESS", multiple=True, help="May be given several times.")
@click.option("--owner", "owners", metavar="NAME", multiple=True, help="Who looks after them.")
@click.option("--stage", metavar="STAGE", default="", help="Such as lead. Default: as their dates say.")
@click.option("--next", "when", metavar="WHEN", help="The next contact: an ISO date, fri, 3d, '5 workdays'.")
@click.option("--folder", metavar="PATH", help="Default: where most clients' notes are, else Clients.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show the note as a diff.")
@pass_session
def new(
    session: Session,
    name: str,
    company: str,
    phones: tuple[str, ...],
    emails: tuple[str, ...],
    owners: tuple[str, ...],
    stage: str,
    when: str | None,
    folder: str | None,
    dry_run: bool,
) -> None:
    """Make a new client's note.

    From the client template in the vault's templates folder (that of Obsidian's Templates plugin, else
    Templates/Client.md), else from the built-in one, with an id. The file is named so that every system takes it, and
    never overwrites: where the name is taken it gets the company, or a number. A client who shares a name, a phone
    number or an e-mail address with the new one is named.
    """
    from notesync.sync.new_client import ID_BYTES, Told, plan_client

    with session.open() as workspace:
        session.refresh(workspace)
        require_vault(session, workspace)
        told = Told(name, company.strip(), phones, emails, owners, stage.strip(), "", folder)
        told = told._replace(next_contact=read_when(workspace, when) if when else "")
        planned = plan_client(workspace, told, os.urandom(ID_BYTES))
        if dry_run:
            session.write(_show(planned))
        else:
            session.write([_create(workspace, session, planned, told)])
        session.tell(*planned.notices, *map(_warn, planned.likely))
        if planned.likely and not dry_run:
            session.tell("If that is the same client, 'notesync undo' takes the new note back.")


def require_vault(session: Session, workspace: Workspace) -> None:
    """Raise UsageError where nothing says that the folder we are in is one of notes: a note would be lost there."""
    from notesync.store.obsidian import find_configs
    from notesync.store.vault import find_root

    root = workspace.root
    named = session.vault or os.environ.get("NOTESYNC_VAULT")
    if not (named or find_root(root) == root or workspace.counts().clients or find_configs(root)):
        raise UsageError(
            f"no-vault: {root} has no client notes, no settings, and is not known to Obsidian. Go to your vault's "
            "folder, or name it with --vault DIR; 'notesync init' makes a folder a vault."
        )


def read_when(workspace: Workspace, when: str) -> str:
    """WHEN as the front matter has it.  Raises UsageError."""
    from notesync.followup.dates import parse_when

    found = parse_when(when, workspace.moment.day, workspace.settings.work_calendar())
    if found is None:
        raise UsageError(
            f"bad-date: '{when}' is no day. Write it like 2026-11-25, '2026-11-25 14:30', tomorrow, fri, 3d, 2w "
            "or '5 workdays'."
        )
    day = found.day.isoformat()
    return day if found.minute is None else f"{day}T{found.minute // 60:02}:{found.minute % 60:02}"


def _show(planned: NewClient) -> Iterable[str]:
    from notesync.publish.receipt import render_diff

    return render_diff([_step(planned)])


def _step(planned: NewClient) -> Step:
    from notesync.store.history import Step

    return Step(planned.path, None, planned.note.data)


def _create(workspace: Workspace, session: Session, planned: NewClient, told: Told) -> str:
    """Write the note; what was done and what comes next, in one line."""
    from notesync.publish.receipt import describe_next
    from notesync.store.history import History
    from notesync.store.places import state_dir
    from notesync.sync.answers import Selection
    from notesync.sync.change import New, change_notes

    with History(state_dir(workspace.root)) as history:
        wish = New(planned.path, planned.note.data)
        (step,) = change_notes(workspace.vault, history, [wish], f"new {told.name}")
    session.refresh(workspace)
    key = next((name.key for name in workspace.names() if name.path == step.path), 0)
    items = workspace.agenda(Selection(clients=(key,), everything=True)).items
    source = f" from {planned.template}" if planned.template else ""
    return clean(f"{step.path}: made{source}. {describe_next(items, workspace.moment.day)}") + "\n"


def _warn(other: Likely) -> str:
    company = f" ({other.company})" if other.company else ""
    return f"Mind: {other.path} has the same {other.shared}: {other.name}{company}."
