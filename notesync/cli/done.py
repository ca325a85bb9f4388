"""``done``: a step settled by an entry of the log, or a task ticked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from notesync.cli.choosing import choose
from notesync.cli.desk import Desk, client_argument
from notesync.cli.entry import at_option, build_entry, channel_option, read_text
from notesync.cli.session import Session, command, dry_run_option, pass_session
from notesync.cli.when import WritingCommand
from notesync.notes.links import show_link
from notesync.publish.text import clean

if TYPE_CHECKING:
    from notesync.followup.choosing import Choice
    from notesync.followup.when import When
    from notesync.notes.body import Task
    from notesync.sync.deeds import Deed


def _complete_work(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    from notesync.cli.complete import complete_work

    return complete_work(ctx, incomplete)


@command(
    examples=(
        'notesync done johan satisfaction "very happy, two sugars" --by visit',
        "notesync done imraan menu",
    ),
    cls=WritingCommand,
)
@client_argument
@click.argument("work", metavar="STEP-OR-TASK", shell_complete=_complete_work)
@click.argument("text", required=False)
@channel_option
@at_option
@dry_run_option
@pass_session
def done(
    session: Session, client: str, work: str, text: str | None, channel: str, at: str, dry_run: bool
) -> None:
    """Settle a step of a plan, or tick a task.

    A step is named by its tag, a promise or complaint of the log as 'promise' or 'complaint': an entry with TEXT
    settles it. A task is named by some of its words, its id, its day or its place ('Anna.md:12'), also one in another
    note that is this client's: it is ticked with its done date, a recurring one gets its next line above, and TEXT
    is logged.
    """
    with session.open() as workspace:
        desk = Desk(session, workspace, client, dry_run)
        when = desk.read_when(at, "--at", timed=True, past=True, ahead=False)
        choice = _choose_work(desk, work)
        said = read_text([text or ""], False)
        if choice.task is not None:
            _tick(desk, choice.task, when, channel, said)
            return
        entry = build_entry(when, channel, "", said, choice.tag)
        from notesync.sync.deeds import log_entry

        if desk.carry_out("done", [(desk.path, log_entry(entry, desk.settings))]):
            name = choice.about if choice.is_case else choice.names[0] if choice.names else choice.title
            told = f"Done for {clean(desk.name.name)}: {clean(name)}, "
            if choice.is_case and desk.is_still_open(choice):
                told = f"Logged for {clean(desk.name.name)}: "
            desk.tell(told + desk.describe_new(entry))
            desk.tell_unsettled(choice.tag, entry)


def _choose_work(desk: Desk, wanted: str) -> Choice:
    """What is open and meant; else any step of that very name."""
    from notesync.followup.choosing import find_meant, list_choices, list_steps

    choices = list_choices(desk.client, desk.progress, desk.today)
    if not find_meant(wanted, choices):
        name = wanted.strip().lstrip("#").casefold()
        for step in list_steps(desk.workspace.plans()):
            if name in step.names:
                return step
    return choose(desk, wanted, choices, "open step or task")


def _tick(desk: Desk, task: Task, when: When, channel: str, text: str) -> None:
    from notesync.sync.deeds import combine, find_following, log_entry, tick

    path = task.path or desk.path
    deeds: dict[str, Deed] = {path: tick(task, when.day, path, desk.settings)}
    if text or channel:
        entry = log_entry(build_entry(when, channel, "", text, ""), desk.settings)
        before = deeds.get(desk.path)
        deeds[desk.path] = combine(before, entry) if before else entry
    if desk.carry_out("done", list(deeds.items())):
        again = find_following(task, when.day, path) if task.recurrence is not None else {}
        day = again.get("due") or again.get("scheduled") or again.get("start")
        comes = f", again on {desk.describe_day(day)}" if day else ""
        desk.tell(f"Done for {clean(desk.name.name)}: {clean(show_link(task.text))}{comes}")
