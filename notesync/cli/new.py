"""``new``: a client's note, made from the vault's own template or the built-in one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from notesync.cli.session import Session, command, dry_run_option, pass_session
from notesync.cli.when import WritingCommand, read_when
from notesync.problems import UsageError
from notesync.publish import receipt
from notesync.publish.text import clean
from notesync.sync.pipeline import Selection, Workspace

if TYPE_CHECKING:
    from notesync.followup.duplicates import Likely
    from notesync.sync.new_client import NewClient


@command(
    examples=(
        'notesync new "Marike Fourie" --company "Quince Cottage" --phone "088 555 0112" --next fri 14:30',
        'notesync new "Sipho Dlamini" --owner Naledi --stage lead --dry-run',
    ),
    cls=WritingCommand,
)
@click.argument("name")
@click.option("--company", metavar="TEXT", default="", help="Where they work.")
@click.option("--phone", "phones", metavar="NUMBER", multiple=True, help="Their phone number.")
@click.option("--email", "emails", metavar="ADDRESS", multiple=True, help="Their e-mail address.")
@click.option("--owner", "owners", metavar="NAME", multiple=True, help="Who looks after them.")
@click.option("--stage", metavar="STAGE", default="", help="Such as lead. Default: as their dates say.")
@click.option("--next", "when", metavar="WHEN", help="Agree the next contact: WHEN may have a time.")
@click.option(
    "--folder", metavar="PATH", help="In the vault. Default: where most clients' notes are, else Clients."
)
@dry_run_option
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
    from notesync.sync.change import New
    from notesync.sync.new_client import ID_BYTES, Told, plan_client

    with session.open() as workspace:
        session.refresh(workspace)
        require_vault(session, workspace)
        told = Told(name, company.strip(), phones, emails, owners, stage.strip(), "", folder)
        if when:
            calendar = workspace.settings.work_calendar()
            agreed = read_when(when, "--next", workspace.moment.day, calendar, timed=True)
            told = told._replace(next_contact=agreed.isoformat())
        planned = plan_client(workspace, told, os.urandom(ID_BYTES))
        wish = New(planned.path, planned.note.data)
        (step,) = workspace.change([wish], f"new {told.name}", dry_run=dry_run)
        if dry_run:
            session.write(receipt.render_diff([step]))
        else:
            session.keep_change([step.path])
            workspace.refresh()
            session.write([_describe(workspace, planned, step.path)])
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


def _describe(workspace: Workspace, planned: NewClient, path: str) -> str:
    """What was done and what comes next, in one line."""
    key = next((name.key for name in workspace.names() if name.path == path), 0)
    items = workspace.agenda(Selection(clients=(key,), everything=True)).items
    source = f" from {planned.template}" if planned.template else ""
    return clean(f"{path}: made{source}. {receipt.describe_next(items, workspace.moment.day)}") + "\n"


def _warn(other: Likely) -> str:
    company = f" ({other.company})" if other.company else ""
    return f"Mind: {other.path} has the same {other.shared}: {other.name}{company}."
