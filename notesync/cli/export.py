"""``export``: the calendar, or the clients themselves, to a file or to stdout."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

import click

from notesync.cli.filters import Filters, owner_option, tell_unknown
from notesync.cli.publishing import unwritable
from notesync.cli.session import Session, command, pass_session, today_option
from notesync.problems import RefusedError
from notesync.publish.text import clean
from notesync.sync.pipeline import Workspace

DETAILS = ("full", "names", "initials")
COMPONENTS = ("event", "todo", "both")
CONTACT_FORMATS = ("vcf", "csv", "json")
_STARTS = {"": b"BEGIN:VCALENDAR", "vcf": b"BEGIN:VCARD", "csv": b"NAME,ID,", "json": b'{"FORMAT_VERSION"'}
_CODES = {"": "not-a-calendar", "vcf": "not-a-vcard", "csv": "not-our-table", "json": "not-our-json"}


def _parse_horizon(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    from notesync.followup.intervals import interval_days, parse_interval

    interval = parse_interval(value)
    if interval is None:
        raise click.BadParameter(f"'{value}' is no length of time. Write it like '6 months' or '90 days'.")
    return interval_days(interval)


@command(
    examples=(
        "notesync export calendar.ics",
        "notesync export --owner Naledi --detail names",
        "notesync export --format vcf clients.vcf",
    )
)
@click.argument("file", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(CONTACT_FORMATS),
    metavar="|".join(CONTACT_FORMATS),
    help="Instead of the calendar, the clients themselves: all that their notes say.",
)
@owner_option
@click.option(
    "--component",
    type=click.Choice(COMPONENTS),
    metavar="|".join(COMPONENTS),
    default="event",
    help="Events, to-dos (which few calendars show), or both. Default: event.",
)
@click.option(
    "--detail",
    type=click.Choice(DETAILS),
    metavar="|".join(DETAILS),
    help="What is told of a client. Default: as in the settings.",
)
@click.option(
    "--horizon",
    metavar="TIME",
    callback=_parse_horizon,
    help="How far ahead, like '6 months'. Default: as in the settings.",
)
@today_option
@pass_session
def export(
    session: Session,
    file: str | None,
    form: str | None,
    owners: tuple[str, ...],
    component: str,
    detail: str | None,
    horizon: int | None,
) -> None:
    """Write the calendar, or the clients, to a file or to stdout.

    FILE is replaced whole, and only when it differs; a file that holds something else is refused. Without FILE, or
    with '-', it goes to stdout. What --format vcf and csv write, 'notesync import' reads back to the same.
    """
    with session.open() as workspace:
        session.refresh(workspace)
        if form:
            feed = _export_clients(session, workspace, form, owners)
        else:
            feed = workspace.feed(
                owners=owners, component=component, detail=detail or "", horizon=horizon, exported=True
            )
        if file is None or file == "-":
            _write_feed(session, feed)
        else:
            _require_same_kind(file, form or "")
            try:
                written = workspace.write_generated(os.path.abspath(file), feed)
            except OSError as error:
                raise unwritable(file, error) from error
            session.tell(f"{file}: {'written' if written else 'unchanged'}")
        session.tell_first_steps(workspace)
        tell_unknown(session, workspace, Filters(owners))
        session.tell_problem_count(workspace)


def _write_feed(session: Session, feed: Iterator[bytes]) -> None:
    """The bytes as they are, but for a terminal: what is text to a calendar may be an order to that."""
    if sys.stdout.isatty():
        lines = b"".join(feed).decode(errors="replace").split("\n")
        session.write(f"{clean(line.removesuffix(chr(13)))}\n" for line in lines if line)
        return
    sys.stdout.flush()
    for chunk in feed:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _export_clients(
    session: Session, workspace: Workspace, form: str, owners: Sequence[str]
) -> Iterator[bytes]:
    """The clients' bytes; a note that cannot be read is told of, and the others follow."""
    from notesync.problems import Problem
    from notesync.publish.contacts import Contact, render_contacts
    from notesync.publish.text import render_problems_lines
    from notesync.sync.exporting import list_contacts

    def list_good() -> Iterator[Contact]:
        for found in list_contacts(workspace, owners):
            if isinstance(found, Problem):
                session.tell(*render_problems_lines([found]))
            else:
                yield found

    chunks = render_contacts(list_good(), form, workspace.root)
    return (chunk.encode(errors="replace") for chunk in chunks)


def _require_same_kind(path: str, form: str) -> None:
    """Raise RefusedError unless ``path`` is free, empty or of that kind: one slip must not cost a note."""
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        # A pipe would be waited for, and a device like /dev/null be replaced.
        raise RefusedError(f"not-a-file: {path} is no ordinary file. Leave FILE out: it goes to stdout then.")
    try:
        with open(path, "rb") as old:
            start = old.read(len(_STARTS[form]))
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(path, error) from error
    if start and start.upper() != _STARTS[form]:
        code = _CODES[form]
        raise RefusedError(f"{code}: {path} holds something else and was left alone. Name another file.")
