"""``sold`` and ``lost``: how a sale ended, as an entry of the log and as keys."""

from __future__ import annotations

from datetime import date

import click

from notesync.cli.asking import ask
from notesync.cli.desk import Desk, client_argument
from notesync.cli.entry import channel_option
from notesync.cli.session import Session, command, dry_run_option, pass_session
from notesync.problems import UsageError
from notesync.publish import receipt
from notesync.publish.text import clean, format_money


def _check_delivery(desk: Desk, words: str) -> str:
    """A delivery's day, which may be over already, or ``unknown``."""
    if not words or words.strip().casefold() == "unknown":
        return words.strip().casefold()
    return desk.read_when(words, "--delivery", over=True).day.isoformat()


def _check_value(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str:
    if value is None:
        return ""
    from notesync.followup.money import parse_money

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
        reason = reason.strip() or ask("Why").strip()
        if not reason:
            raise UsageError(
                "no-reason: what was the reason? Say it with --reason: it is what the next sale learns from."
            )
        deed = lose(day, reason, channel, withdraw, desk.settings)
        if desk.carry_out("lost", [(desk.path, deed)]):
            left = ", and left alone" if withdraw else ""
            desk.tell(
                f"Lost: {clean(desk.name.name)}, {receipt.describe_day(day.isoformat(), desk.today)}{left}"
            )
