"""The commands that write into notes: ``log``, ``done``, ``move``, ``pause``, ``sold``, ``lost``, ``undo``.

In: a client, and the words of a wish.  Out: the note changed, and one line that says what was done and what comes
next.  What a wish makes of a note is in ``sync/deeds``; here words become days, channels, steps and tasks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from notesync.cli.filters import Filters, complete_clients, find_one, is_asking_possible, select
from notesync.cli.session import AnyFunction, Session, command, pass_session
from notesync.cli.when import WritingCommand, read_when
from notesync.followup.client import show_link
from notesync.problems import Problem, UsageError
from notesync.publish import receipt
from notesync.publish.text import clean, format_money, render_problems_lines
from notesync.sync.pipeline import Workspace

if TYPE_CHECKING:
    from notesync.followup.choosing import Choice
    from notesync.followup.client import Client
    from notesync.followup.dates import When
    from notesync.followup.items import Item
    from notesync.followup.steps import Progress
    from notesync.notes.body import Task
    from notesync.notes.edit_log import NewEntry
    from notesync.store.history import Step
    from notesync.sync.deeds import Deed

_CHOICES = 20  # to choose from
_OPEN = 8  # to be reminded of


# --- What the commands share -----------------------------------------------------------------------------


def client_argument(function: AnyFunction) -> AnyFunction:
    """The client whose note is changed."""
    return click.argument("client", shell_complete=complete_clients)(function)


def dry_run_option(function: AnyFunction) -> AnyFunction:
    """``--dry-run``."""
    return click.option(
        "--dry-run", is_flag=True, help="Write nothing: show what would change, as a unified diff."
    )(function)


class Desk:
    """One command about one client: the workspace, whose note it is, how the client stood before."""

    def __init__(self, session: Session, workspace: Workspace, wanted: str, dry_run: bool) -> None:
        session.refresh(workspace)
        session.tell_first_steps(workspace)
        self.session = session
        self.workspace = workspace
        self.dry_run = dry_run
        self.name = find_one(workspace.names(), wanted)
        self.client: Client = workspace.read_client(self.name.key)
        self.settings = workspace.settings
        self.calendar = self.settings.work_calendar()
        self.today = workspace.moment.day
        _, self.progress = workspace.read_history(self.name.key)

    @property
    def path(self) -> str:
        """The client's own note."""
        return self.name.path

    def read_when(self, words: str, option: str, **asked: bool) -> When:
        """The day that WHEN means; see :func:`read_when`."""
        return read_when(words, option, self.today, self.calendar, **asked)

    def carry_out(self, words: str, deeds: Sequence[tuple[str, Deed]]) -> list[Step]:
        """Change notes, each named with what is wished of it, or show what would be; what was changed."""
        from notesync.sync.deeds import build_edit

        wishes = [build_edit(path, deed, self.settings) for path, deed in deeds]
        before = [problem._replace(line=0) for problem in self._find_problems()]
        steps = self.workspace.change(wishes, f"{words} {self.name.name}", dry_run=self.dry_run)
        if self.dry_run:
            self.session.write(receipt.render_diff(steps))
            return []
        if steps:
            self.session.keep_change(step.path for step in steps)
            self.workspace.refresh()
            new = [each for each in self._find_problems() if each._replace(line=0) not in before]
            self.session.tell(*render_problems_lines(new))
        else:
            self.session.write([f"Nothing to change: {clean(self.path)} says so already\n"])
        return steps

    def _find_problems(self) -> list[Problem]:
        return [each for each in self.workspace.problems() if each.path == self.path]

    def tell(self, said: str) -> None:
        """The one line: what was done, and what comes next."""
        self.session.write([f"{said}. {self._describe_next()}\n"])

    def _describe_next(self) -> str:
        card = self.workspace.card(self.name.key)
        if card.do_not_contact:
            return "Nothing comes next: they are left alone (do_not_contact)"
        return receipt.describe_next(self.list_items(), self.today)

    def list_items(self) -> list[Item]:
        """All that is open or to come for the client."""
        selection = select(Filters(), [self.name], everything=True)
        items: list[Item] = self.workspace.agenda(selection).items
        return items

    def describe_day(self, day: date) -> str:
        """``Sun 29 Nov (a day off)``: a day, as a person should know it."""
        words = receipt.describe_day(day.isoformat(), self.today)
        return words if self.calendar.is_workday(day) else f"{words} (a day off)"

    def describe_new(self, entry: NewEntry) -> str:
        """The new entry as the log has it, and what it settles."""
        from notesync.sync.deeds import read_entry

        written = read_entry(entry, self.settings)
        said = receipt.describe_entry(written, self.today)
        if written.attempt:
            attempts = max((item.attempts for item in self.list_items()), default=0)
            said += f", attempt {attempts}" if attempts > 1 else ""
        _, progress = self.workspace.read_history(self.name.key)
        return said + receipt.describe_settled(self.progress, progress, self.today)

    def choose(self, wanted: str, choices: Sequence[Choice], what: str) -> Choice:
        """The one of the choices that the words mean; on a terminal an ambiguous one can be chosen."""
        from notesync.followup.choosing import find_meant

        found = find_meant(wanted, choices)
        if not found:
            listed = "Nothing is open: 'notesync log' logs any other contact."
            if choices:
                listed = f"Open:\n{_list_some(choices, _OPEN)}"
            if any(item.conflict for item in self.list_items()):
                listed += "\nWhat only a conflict copy of the note asks for can be done once it is merged: notesync conflicts"
            raise UsageError(f"unknown-work: {self.name.name} has no {what} '{wanted}'. {listed}")
        choice = found[0] if len(found) == 1 else _ask_which(wanted, found)
        if choice.older:
            raise UsageError(
                f"older-first: the log settles these in their order, and the {choice.older} is older. "
                "Settle that one first."
            )
        return choice


def _list_some(choices: Sequence[Choice], most: int) -> str:
    """The choices, one a line, and how many more there are."""
    lines = [f"  {_describe_choice(choice)}" for choice in choices[:most]]
    if len(choices) > most:
        lines.append(f"  ... and {len(choices) - most} more")
    return "\n".join(lines)


def _describe_choice(choice: Choice) -> str:
    name = f"{choice.names[0]}: " if choice.names else ""
    return f"{name}{choice.title} ({choice.about})"


def _ask_which(wanted: str, found: Sequence[Choice]) -> Choice:
    lines = [_describe_choice(choice) for choice in found[:_CHOICES]]
    if not is_asking_possible():
        raise UsageError(
            f"ambiguous-work: '{wanted}' may be any of these. Give more of its words, its day, or its place.\n  "
            + "\n  ".join(lines)
        )
    click.echo(f"'{clean(wanted)}' may be any of these:", err=True)
    for number, line in enumerate(lines, 1):
        click.echo(f"{number:>3}  {clean(line)}", err=True)
    number = click.prompt("Which one", type=click.IntRange(1, len(lines)), err=True)
    return found[number - 1]


def _check_channel(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
    if value is None:
        return ""
    from notesync.notes.words import CHANNELS

    words = " ".join(value.split())
    if words.casefold() in CHANNELS:
        return words
    from difflib import get_close_matches

    near = get_close_matches(words.casefold(), CHANNELS, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else "Write call, visit, video, email, message or letter."
    raise click.BadParameter(f"'{value}' is no channel that is known. {hint}")


def channel_option(function: AnyFunction) -> AnyFunction:
    """``--by``."""
    return click.option(
        "--by",
        "channel",
        metavar="CHANNEL",
        callback=_check_channel,
        help="How: call, visit, video, email, message or letter, or an everyday word for it (phoned, WhatsApp).",
    )(function)


at_option = click.option(
    "--at",
    metavar="DATE [TIME]",
    default="today",
    help="When it was: a date, today, yesterday, a weekday (the last one), a time. Default: today.",
)


def read_text(words: Sequence[str], needed: bool) -> str:
    """The words of TEXT: from the command line, from stdin for '-', else asked for where they are needed."""
    text = " ".join(words)
    if text == "-":
        # UTF-8 on every system, as stdout is; bytes that are none are refused later, with words.
        text = sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape")
    elif not text.strip() and needed and is_asking_possible():
        text = click.prompt("What was said", default="", show_default=False, err=True)
    if needed and not text.strip():
        raise UsageError(
            "no-text: there is nothing to log. Write it behind the client, or - to read it from stdin."
        )
    return text.strip()


# --- log and done ----------------------------------------------------------------------------------------


def _complete_steps(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    from notesync.cli.complete import complete_tags

    return complete_tags(ctx, incomplete)


def _complete_work(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    from notesync.cli.complete import complete_work

    return complete_work(ctx, incomplete)


def _complete_tasks(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    from notesync.cli.complete import complete_work

    return complete_work(ctx, incomplete, tasks_only=True)


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
        entry = _build_entry(when, channel, outcome, read_text(text, not (channel or outcome or step)), tag)
        from notesync.sync.deeds import agree, combine, log_entry, read_entry

        written = read_entry(entry, desk.settings)
        if agreed is not None:
            held = date.min if written.attempt or when.day > desk.today else when.day
            agreed = _require_standing(desk, agreed, max(held, _find_last_contact(desk)))
        deeds = [log_entry(entry, desk.settings)]
        if agreed or action:
            deeds.append(agree(agreed, action, desk.settings))
        if desk.carry_out("log", [(desk.path, combine(*deeds))]):
            ahead = f", an appointment for {desk.describe_day(when.day)}" if when.day > desk.today else ""
            desk.tell(f"Logged for {clean(desk.name.name)}: {desk.describe_new(entry)}{ahead}")
            _tell_unsettled(desk, tag, entry)


def _find_tag(workspace: Workspace, step: str) -> str:
    """The tag of a step of the plans in force, or one that means something by itself."""
    from notesync.followup.choosing import MARKS, find_nearest, list_steps

    wanted = step.strip().lstrip("#").casefold().replace(" ", "-")
    steps = list_steps(workspace.plans())
    for choice in steps:
        if wanted in choice.names:
            return choice.tag
    if wanted in MARKS:
        return wanted
    near = find_nearest(wanted, [*MARKS, *(name for choice in steps for name in choice.names)])
    hint = f"Did you mean '{near}'? " if near else ""
    raise UsageError(f"unknown-step: no plan has a step '{step}'. {hint}'notesync plans' lists them.")


def _require_day(desk: Desk, agreed: When | None, action: str) -> None:
    known = desk.client.next_contact
    if action and agreed is None and (known is None or known.day < desk.today):
        raise UsageError("no-day: --action says what the next contact is for. Say with --next when that is.")


def _require_standing(desk: Desk, agreed: When, contact: date) -> When:
    """The contact agreed, which must not be settled by the one before it: with a time, if need be.

    A contact settles what is agreed for its day or before it, and what has no time also two working days ahead:
    most people ring a little early.  Raises UsageError where nobody can be asked for a time.
    """
    from notesync.followup.dates import parse_clock
    from notesync.followup.rules import EARLY_WORKDAYS

    words = receipt.describe_day(agreed.day.isoformat(), desk.today)
    if agreed.day <= contact:
        raise UsageError(
            f"settled-already: the contact of {contact} settles what is agreed for {words}. To be reminded of what was "
            f"promised, add '#promise 📅 {agreed.day}' to the text."
        )
    if agreed.minute is not None or desk.calendar.before(agreed.day, EARLY_WORKDAYS) > contact:
        return agreed
    asked = (
        click.prompt(f"At what time on {words}", default="", show_default=False, err=True)
        if is_asking_possible()
        else ""
    )
    minute = parse_clock(asked)
    if minute is None:
        raise UsageError(
            f"settled-already: what is agreed for {words}, without a time, is settled by a contact up to "
            f"{EARLY_WORKDAYS} working days before, such as that of {contact}. "
            f"Give it a time: '{agreed.day} 9:00'."
        )
    return agreed._replace(minute=minute)


def _find_last_contact(desk: Desk) -> date:
    from notesync.followup.follow_up import find_past

    return find_past(desk.client, desk.today).logged or date.min


def _build_entry(when: When, channel: str, outcome: str, text: str, tag: str) -> NewEntry:
    from notesync.notes.edit_log import NewEntry
    from notesync.sync.deeds import add_tag

    return NewEntry(when.day, when.minute, channel, outcome, add_tag(text, tag))


def _tell_unsettled(desk: Desk, tag: str, entry: NewEntry) -> None:
    """Say so where a step's tag settles nothing: a slip must not look like work done."""
    from notesync.followup.choosing import MARKS

    if not tag or entry.day > desk.today:
        return
    if tag in _CASES:
        _tell_unclosed(desk, tag)
        return
    _, progress = desk.workspace.read_history(desk.name.key)
    if tag in MARKS or _count_settled(progress) > _count_settled(desk.progress):
        return
    desk.session.tell(
        f"#{tag} settles nothing: no such step is open for {desk.name.name}, or it was no contact."
    )


_CASES = {"kept": "promise", "resolved": "complaint"}  # what a tag closes


def _tell_unclosed(desk: Desk, tag: str) -> None:
    """Say so where the tag closes no promise or complaint."""
    from notesync.followup.choosing import list_cases

    before = [case for case in list_cases(desk.client, desk.today) if case.tag == tag]
    if not before:
        desk.session.tell(f"#{tag} closes nothing: no {_CASES[tag]} of the log is open for {desk.name.name}.")
    elif before[0] in _list_open_cases(desk, tag):
        desk.session.tell(
            f"The {before[0].about} is still open: neither a substitute nor an attempt closes it."
        )


def _list_open_cases(desk: Desk, tag: str) -> list[Choice]:
    """The promises or complaints that are open by now."""
    from notesync.followup.choosing import list_cases

    client = desk.workspace.read_client(desk.name.key)
    return [case for case in list_cases(client, desk.today) if case.tag == tag]


def _count_settled(progress: Iterable[Progress]) -> int:
    return sum(each.settled is not None for each in progress)


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
        entry = _build_entry(when, channel, "", said, choice.tag)
        from notesync.sync.deeds import log_entry

        if desk.carry_out("done", [(desk.path, log_entry(entry, desk.settings))]):
            name = clean(
                choice.about if choice.is_case else choice.names[0] if choice.names else choice.title
            )
            done = f"Done for {clean(desk.name.name)}: {name}, "
            if choice.is_case and choice in _list_open_cases(desk, choice.tag):
                done = f"Logged for {clean(desk.name.name)}: "
            desk.tell(done + desk.describe_new(entry))
            _tell_unsettled(desk, choice.tag, entry)


def _choose_work(desk: Desk, wanted: str) -> Choice:
    """What is open and meant; else any step of that very name."""
    from notesync.followup.choosing import find_meant, list_choices, list_steps

    choices = list_choices(desk.client, desk.progress, desk.today)
    if not find_meant(wanted, choices):
        name = wanted.strip().lstrip("#").casefold()
        for step in list_steps(desk.workspace.plans()):
            if name in step.names:
                return step
    return desk.choose(wanted, choices, "open step or task")


def _tick(desk: Desk, task: Task, when: When, channel: str, text: str) -> None:
    from notesync.sync.deeds import combine, find_following, log_entry, tick

    path = task.path or desk.path
    deeds: dict[str, Deed] = {path: tick(task, when.day, path, desk.settings)}
    if text or channel:
        entry = log_entry(_build_entry(when, channel, "", text, ""), desk.settings)
        before = deeds.get(desk.path)
        deeds[desk.path] = combine(before, entry) if before else entry
    if desk.carry_out("done", list(deeds.items())):
        again = find_following(task, when.day, path) if task.recurrence is not None else {}
        day = again.get("due") or again.get("scheduled") or again.get("start")
        comes = f", again on {desk.describe_day(day)}" if day else ""
        desk.tell(f"Done for {clean(desk.name.name)}: {clean(show_link(task.text))}{comes}")


# --- move and pause --------------------------------------------------------------------------------------


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

            task = desk.choose(words, list_tasks(desk.client), "open task").task
            assert task is not None
            if desk.carry_out("move", [(task.path or desk.path, put_off(task, found.day, desk.settings))]):
                desk.tell(
                    f"Moved for {clean(desk.name.name)}: {clean(show_link(task.text))}, {desk.describe_day(found.day)}"
                )
            return
        found = _require_standing(desk, found, _find_last_contact(desk))
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


# --- sold and lost ---------------------------------------------------------------------------------------


def _check_delivery(desk: Desk, words: str) -> str:
    """A delivery's day, which may be over already, or ``unknown``."""
    if not words or words.strip().casefold() == "unknown":
        return words.strip().casefold()
    return desk.read_when(words, "--delivery", over=True).day.isoformat()


def _check_value(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
    if value is None:
        return ""
    from notesync.followup.client import parse_money

    number, hint = parse_money(value.strip())
    if number is None:
        raise click.BadParameter(f"'{value}' is no number that can be read for certain. {hint}")
    return f"{number:.15g}"


@command(
    examples=(
        'notesync sold thandi --delivery 2w --value "84 000"',
        "notesync sold thandi --delivery unknown",
    )
)
@client_argument
@click.option(
    "--on", metavar="WHEN", default="", help="The day of the sale; a weekday is the last one. Default: today."
)
@click.option("--delivery", metavar="WHEN|unknown", default="", help="The day promised, or unknown.")
@click.option(
    "--value", metavar="N", callback=_check_value, help="What it is worth, in the settings' currency."
)
@dry_run_option
@pass_session
def sold(session: Session, client: str, on: str, delivery: str, value: str, dry_run: bool) -> None:
    """Record a sale, or another delivery of one.

    Adds a #sold entry to the log and sets the keys: sold, delivery, value, and the stage if the note names one.
    While the last sale is not delivered, --delivery without --on changes its delivery, and adds the promise to tell
    the client by the next working day. A second sale meanwhile is one with --on.
    """
    from notesync.sync.deeds import Sale, find_meant_sale, sell

    with session.open() as workspace:
        desk = Desk(session, workspace, client, dry_run)
        day = desk.read_when(on, "--on", past=True, ahead=False).day if on else None
        sale = Sale(day, _check_delivery(desk, delivery), value)
        meant = find_meant_sale(desk.client, sale, desk.today)
        if sale.delivery and sale.delivery < meant.day.isoformat():
            raise UsageError(f"bad-when: the delivery of {sale.delivery} is before the sale of {meant.day}.")
        tell_by = desk.calendar.after(desk.today, 1)
        deed = sell(sale, desk.today, tell_by, desk.settings, workspace.tasks_filter)
        if not desk.carry_out("sold", [(desk.path, deed)]):
            return
        name = clean(desk.name.name)
        facts = [receipt.describe_day(meant.day.isoformat(), desk.today)]
        if sale.delivery:
            facts.append(f"delivery {_name_delivery(desk, sale.delivery)}")
        if value:
            facts.append(format_money(float(value), workspace.currency))
        if meant.delivery and sale.delivery and meant.delivery != sale.delivery:
            facts.append(
                f"not {_name_delivery(desk, meant.delivery)}; tell them by {desk.describe_day(tell_by)}"
            )
        desk.tell(f"{'Sold to' if meant.new else 'The sale to'} {name}: {', '.join(facts)}")


def _name_delivery(desk: Desk, delivery: str) -> str:
    return delivery if delivery == "unknown" else desk.describe_day(date.fromisoformat(delivery))


@command(
    examples=(
        'notesync lost thandi --reason "the landlord puts in a machine of his own"',
        'notesync lost thandi --reason "moving to Perth" --withdraw',
    )
)
@client_argument
@click.option(
    "--reason", metavar="TEXT", default="", help="Why, in the client's words; asked for on a terminal."
)
@click.option(
    "--on", metavar="WHEN", default="today", help="The day; a weekday is the last one. Default: today."
)
@channel_option
@click.option("--withdraw", is_flag=True, help="Leave them alone from now on: no follow-up of any kind.")
@dry_run_option
@pass_session
def lost(
    session: Session, client: str, reason: str, on: str, channel: str, withdraw: bool, dry_run: bool
) -> None:
    """Record that there is no sale, and why.

    Logs the reason and sets lost, and the stage if the note names one. --withdraw also sets do_not_contact; what
    is still owed to the client is then named.
    """
    from notesync.sync.deeds import lose

    with session.open() as workspace:
        desk = Desk(session, workspace, client, dry_run)
        day = desk.read_when(on, "--on", past=True, ahead=False).day
        if not reason.strip() and is_asking_possible():
            reason = click.prompt("Why", default="", show_default=False, err=True)
        if not reason.strip():
            raise UsageError(
                "no-reason: what was the reason? Say it with --reason: it is what the next sale learns from."
            )
        deed = lose(day, reason.strip(), channel, withdraw, desk.settings)
        if desk.carry_out("lost", [(desk.path, deed)]):
            left = ", and left alone" if withdraw else ""
            desk.tell(
                f"Lost: {clean(desk.name.name)}, {receipt.describe_day(day.isoformat(), desk.today)}{left}"
            )


# --- undo ------------------------------------------------------------------------------------------------


@command(examples=("notesync undo --dry-run",))
@click.argument("note", metavar="[CLIENT|PATH]", required=False, shell_complete=complete_clients)
@dry_run_option
@pass_session
def undo(session: Session, note: str | None, dry_run: bool) -> None:
    """Take back the last change that notesync made.

    Of any note, or of the one named. A note that has been changed since is left as it is. Undo once more, and it is
    done again.
    """
    with session.open() as workspace:
        path = _find_path(session, workspace, note) if note else None
        undone = workspace.undo(path, dry_run=dry_run)
        if dry_run:
            session.write(receipt.render_diff(undone.steps))
            return
        session.keep_change(step.path for step in undone.steps)
        workspace.refresh(accept_empty=any(step.after is None for step in undone.steps))  # we took them away
        paths = ", ".join(clean(step.path) for step in undone.steps[:_PATHS_SHOWN])
        if (more := len(undone.steps) - _PATHS_SHOWN) > 0:
            paths += f" and {more} more"
        again = undone.words.startswith("undo: ")
        words = clean(undone.words.removeprefix("undo: ").removeprefix("redo: "))
        session.write([f"{'Done again' if again else 'Taken back'}: {words} ({paths})\n"])
        if undone.kept:
            session.tell(f"Changed since, so left as they are: {', '.join(map(clean, undone.kept))}.")


_PATHS_SHOWN = 10


def _find_path(session: Session, workspace: Workspace, note: str) -> str:
    """The vault-relative path of a client's note, or of any file as it is written, which may be gone by now."""
    session.refresh(workspace)
    names = workspace.names()
    if not note.lower().endswith(".md"):
        return find_one(names, note).path
    from notesync.followup.matching import find_clients

    found = find_clients(note, names)
    if len(found) == 1:
        return found[0].path
    place = os.path.abspath(note)
    inside = os.path.exists(place) and place.startswith(os.path.join(workspace.root, ""))
    return (os.path.relpath(place, workspace.root) if inside else note).replace(os.sep, "/")
