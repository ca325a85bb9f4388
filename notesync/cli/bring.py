"""``import``: notes, contacts and tables of other programs become notes of the vault."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

import click

from notesync.cli.new import require_vault
from notesync.cli.session import Command, Progress, Session, command, dry_run_option, pass_session
from notesync.problems import RefusedError, UsageError

if TYPE_CHECKING:
    from datetime import tzinfo

    from notesync.importers.record import Wishes
    from notesync.problems import Problem
    from notesync.publish.imports import Outcome
    from notesync.sync.pipeline import Workspace

_HEAD = 4096


@command(
    examples=(
        "notesync import contacts.vcf --dry-run",
        "notesync import leads.csv --map Kunde=name --map Ort=address",
        "notesync import Customers.enex --clients Customers",
    ),
    cls=Command,
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--as",
    "kind",
    type=click.Choice(("client", "note")),
    metavar="client|note",
    default="note",
    help="What a note of Evernote becomes. Default: note. Contacts are clients always.",
)
@click.option(
    "--clients",
    metavar="WORD",
    multiple=True,
    help="Evernote notes with this tag, or of the notebook whose file has this name, become clients.",
)
@click.option(
    "--map",
    "columns",
    metavar="COLUMN=FIELD",
    multiple=True,
    help="What a column of a table is, like Kunde=name.",
)
@click.option(
    "--folder", metavar="PATH", help="In the vault. Default: where most clients' notes are, else Clients."
)
@click.option("--update", is_flag=True, help="Fill the empty keys of clients who are there already.")
@dry_run_option
@pass_session
def import_(
    session: Session,
    files: tuple[str, ...],
    kind: str,
    clients: tuple[str, ...],
    columns: tuple[str, ...],
    folder: str | None,
    update: bool,
    dry_run: bool,
) -> None:
    """Bring in clients and notes from other programs.

    Reads Evernote's .enex, address books' .vcf, and .csv of Google Contacts, Outlook, Thunderbird, LinkedIn, HubSpot
    or, with --map, any other, and what 'notesync export --format json' wrote. Nothing is overwritten, and a second
    import makes nothing twice: a client is known by the same id, by the name with an e-mail address or phone number,
    or by the name alone where nothing contradicts. What is doubtful is made, and named. With --dry-run a table shows
    what would be made.
    """
    import gc

    from notesync.importers.record import Wishes

    gc.enable()  # see notesync.cli.main: the tree of a note's body has cycles, and a notebook has many notes
    with session.open() as workspace:
        session.refresh(workspace)
        require_vault(session, workspace)
        wishes = Wishes(
            _find_zone(workspace.zone),
            kind,
            frozenset(clients),
            dict(map(_parse_column, columns)),
            workspace.tasks_filter,
        )
        for file in files:
            _import_file(session, workspace, file, wishes, folder, update, dry_run)
            if not dry_run:
                workspace.refresh()


def _find_zone(name: str) -> tzinfo | None:
    if not name:
        return None
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _parse_column(told: str) -> tuple[str, str]:
    """``Kunde=name`` as the column and the key.  Raises UsageError."""
    from notesync.importers.record import FIELDS

    column, _, key = told.rpartition("=")
    key = key.strip().casefold()
    known = (*FIELDS, "first", "last", "body")
    if not column.strip() or key not in known:
        raise UsageError(
            f"bad-map: '{told}' names no column and key. Write it like Kunde=name; the keys are {', '.join(known)}."
        )
    return column.strip(), "text" if key == "body" else key


def _import_file(
    session: Session,
    workspace: Workspace,
    file: str,
    wishes: Wishes,
    folder: str | None,
    update: bool,
    dry_run: bool,
) -> None:
    """One file: its table (of a dry run), its problems, its summary."""
    from notesync.importers.formats import find_importer
    from notesync.importers.record import Source
    from notesync.problems import Problem
    from notesync.publish.imports import render_outcomes, render_summary
    from notesync.publish.text import render_problems_lines
    from notesync.sync.importing import Told, import_records

    outcomes: list[Outcome] = []
    problems: list[Problem] = []
    name = os.path.basename(file)
    told = Told(f"import {name}", name, folder, update, dry_run)
    try:
        with open(file, "rb") as stream:
            read = find_importer(name, stream.peek(_HEAD)[:_HEAD])
            for found in _watch(
                session,
                stream,
                import_records(workspace, read(Source(stream, name, wishes)), told, os.urandom),
            ):
                if isinstance(found, Problem):
                    problems.append(found)
                    continue
                outcomes.append(found)
                if not dry_run and found.path:
                    session.keep_change([found.path])
    except RefusedError as error:
        if not outcomes or dry_run:
            raise
        raise RefusedError(
            f"{error} What stands before it in {name} is imported: import the file again to go on."
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"unreadable-file: {file}: {reason}. Name a file that can be read.") from error
    if dry_run:
        session.write(render_outcomes(outcomes))
    else:
        session.tell(*_list_doubtful(outcomes))
    session.write([render_summary(name, outcomes, len(problems), dry_run)])
    session.tell(*render_problems_lines(problems))


def _watch(
    session: Session, stream: BinaryIO, found: Iterator[Outcome | Problem]
) -> Iterator[Outcome | Problem]:
    """What is found, with a bar on a terminal where it takes long."""
    import sys

    if not sys.stderr.isatty():
        yield from found
        return
    bar = Progress("Importing")
    total = max(os.fstat(stream.fileno()).st_size, 1)
    try:
        for each in found:
            bar(min(stream.tell(), total) if stream.seekable() else 0, total)
            yield each
    finally:
        bar.close()


def _list_doubtful(outcomes: list[Outcome]) -> Iterator[str]:
    """Those who were made although somebody like them is there."""
    from notesync.publish.imports import DOUBTFUL

    for each in outcomes:
        if each.what == DOUBTFUL:
            yield f"Mind: {each.path} was made, but {each.why}. Keep one of them if they are the same."
