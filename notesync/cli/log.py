"""``log``: a contact into the log, and the next one agreed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click

from notesync.cli.desk import Desk, client_argument
from notesync.cli.entry import at_option, build_entry, channel_option, read_text
from notesync.cli.session import Session, command, dry_run_option, pass_session
from notesync.cli.when import WritingCommand
from notesync.problems import UsageError, find_nearest
from notesync.publish.text import clean
from notesync.sync.pipeline import Workspace

if TYPE_CHECKING:
    from notesync.followup.when import When


def _complete_steps(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    from notesync.cli.complete import complete_tags

    return complete_tags(ctx, incomplete)


@command(
    examples=(
        'notesync log thandi "likes the price" --by call --next 2w --action "Hear the decision"',
        'notesync log grace --by phone --outcome "no answer"',
        'notesync log johan "all works, wants a second jug" --by visit --step satisfaction --at yesterday',
    ),
    cls=WritingCommand,
)
@client_argument
@click.argument("text", nargs=-1)
@channel_option
@click.option(
    "--outcome",
    metavar="WORDS",
    default="",
    help="How it went: 'no answer' and the like make an attempt of it.",
)
@click.option(
    "--step",
    metavar="TAG",
    default="",
    shell_complete=_complete_steps,
    help="The step that this settles, like satisfaction; or promise, complaint, kept, resolved.",
)
@at_option
@click.option(
    "--next", "following", metavar="WHEN", default="", help="Agree the next contact: WHEN may have a time."
)
@click.option("--action", metavar="TEXT", default="", help="What the next contact is for.")
@dry_run_option
@pass_session
def log(
    session: Session,
    client: str,
    text: tuple[str, ...],
    channel: str,
    outcome: str,
    step: str,
    at: str,
    following: str,
    action: str,
    dry_run: bool,
) -> None:
    """Log a contact, and agree the next.

    Adds one entry to the client's log, in the order that the log has. TEXT need not be in quotes; '-' reads it from
    stdin, and on a terminal it is asked for. Without --by the first word of TEXT may name the channel. A date ahead
    makes an appointment of it.
    """
    with session.open() as workspace:
        desk = Desk(session, workspace, client, dry_run)
        when = desk.read_when(at, "--at", timed=True, past=True)
        agreed = desk.read_when(following, "--next", timed=True) if following else None
        tag = _find_tag(workspace, step) if step else ""
        _require_day(desk, agreed, action)
        entry = build_entry(when, channel, outcome, read_text(text, not (channel or outcome or step)), tag)
        from notesync.sync.deeds import agree, combine, log_entry, read_entry

        written = read_entry(entry, desk.settings)
        if agreed is not None:
            held = date.min if written.attempt or when.day > desk.today else when.day
            agreed = desk.require_standing(agreed, max(held, desk.find_last_contact()))
        deeds = [log_entry(entry, desk.settings)]
        if agreed or action:
            deeds.append(agree(agreed, action, desk.settings))
        if desk.carry_out("log", [(desk.path, combine(*deeds))]):
            ahead = f", an appointment for {desk.describe_day(when.day)}" if when.day > desk.today else ""
            desk.tell(f"Logged for {clean(desk.name.name)}: {desk.describe_new(entry)}{ahead}")
            desk.tell_unsettled(tag, entry)


def _find_tag(workspace: Workspace, step: str) -> str:
    """The tag of a step of the plans in force, or one that means something by itself."""
    from notesync.followup.choosing import MARKS, list_steps

    wanted = step.strip().lstrip("#").casefold().replace(" ", "-")
    steps = list_steps(workspace.plans())
    for choice in steps:
        if wanted in choice.names:
            return choice.tag
    if wanted in MARKS:
        return wanted
    near = find_nearest(wanted, sorted({*MARKS, *(name for choice in steps for name in choice.names)}))
    hint = f"Did you mean '{near}'? " if near else ""
    raise UsageError(f"unknown-step: no plan has a step '{step}'. {hint}'notesync plans' lists them.")


def _require_day(desk: Desk, agreed: When | None, action: str) -> None:
    known = desk.client.next_contact
    if action and agreed is None and (known is None or known.day < desk.today):
        raise UsageError("no-day: --action says what the next contact is for. Say with --next when that is.")
