"""``move`` and ``pause``: what is agreed, a task, or everything that can wait, to another day."""

from __future__ import annotations

from typing import Any

import click

from notesync.cli.choosing import choose
from notesync.cli.desk import Desk, client_argument
from notesync.cli.session import Session, command, dry_run_option, pass_session
from notesync.cli.when import WritingCommand
from notesync.notes.links import show_link
from notesync.publish.text import clean


def _complete_tasks(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    from notesync.cli.complete import complete_work

    return complete_work(ctx, incomplete, tasks_only=True)


@command(
    examples=(
        "notesync move marike fri 16:00",
        'notesync move "sister agnes" 2 weeks --task figures',
    ),
    cls=WritingCommand,
)
@client_argument
@click.argument("when", metavar="WHEN", nargs=-1, required=True)
@click.option(
    "--task",
    "words",
    metavar="WORDS",
    default="",
    shell_complete=_complete_tasks,
    help="Move this task instead: some of its words, or its id.",
)
@dry_run_option
@pass_session
def move(session: Session, client: str, when: tuple[str, ...], words: str, dry_run: bool) -> None:
    """Move the next contact, or a task, to another day.

    Sets next_contact, which may have a time; with --task the due date of a task (else its scheduled one).
    """
    from notesync.sync.deeds import agree, put_off

    with session.open() as workspace:
        desk = Desk(session, workspace, client, dry_run)
        found = desk.read_when(" ".join(when), "WHEN", timed=not words)
        if words:
            from notesync.followup.choosing import list_tasks

            task = choose(desk, words, list_tasks(desk.client), "open task").task
            assert task is not None
            if desk.carry_out("move", [(task.path or desk.path, put_off(task, found.day, desk.settings))]):
                desk.tell(
                    f"Moved for {clean(desk.name.name)}: {clean(show_link(task.text))}, {desk.describe_day(found.day)}"
                )
            return
        found = desk.require_standing(found, desk.find_last_contact())
        if desk.carry_out("move", [(desk.path, agree(found, "", desk.settings))]):
            clock = "" if found.minute is None else f" {found.minute // 60:02}:{found.minute % 60:02}"
            desk.tell(
                f"Moved for {clean(desk.name.name)}: next contact {desk.describe_day(found.day)}{clock}"
            )


@command(examples=("notesync pause marike 3w", "notesync pause marike off"))
@client_argument
@click.argument("when", metavar="WHEN", nargs=-1, required=True)
@dry_run_option
@pass_session
def pause(session: Session, client: str, when: tuple[str, ...], dry_run: bool) -> None:
    """Pause a client until a day; 'off' ends the pause.

    Sets paused_until. Steps of plans and the cadence wait; promises, complaints, agreed contacts and dated tasks
    stay.
    """
    from notesync.sync import deeds

    with session.open() as workspace:
        desk = Desk(session, workspace, client, dry_run)
        words = " ".join(when)
        until = None if words.casefold() == "off" else desk.read_when(words, "WHEN (or off)").day
        if desk.carry_out("pause", [(desk.path, deeds.pause(until, desk.settings))]):
            name = clean(desk.name.name)
            desk.tell(
                f"Paused: {name}, until {desk.describe_day(until)}" if until else f"No longer paused: {name}"
            )
