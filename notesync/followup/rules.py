"""A client in, its follow-ups out: each rule a function, all of them in :data:`RULES`.

Here are the rules of what a note says by itself: an agreed contact, a cadence, tasks.  Those of the method (the
plans' steps, promises and complaints, referrals, attempts) have modules of their own.  Whether a follow-up is due
or overdue, and which of them hides another, is judged later, in the agenda.

This module knows no note, no disk and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.attempts import apply_attempts
from notesync.followup.client import show_link
from notesync.followup.dates import Interval, WorkCalendar, add_interval, interval_days
from notesync.followup.follow_up import (
    Context,
    FollowUp,
    Past,
    choose_channel,
    hash_text,
    kind_of,
    name_day,
    name_time,
    plan_minutes,
    to_bytes,
)
from notesync.followup.promises import find_promises
from notesync.followup.referrals import find_referral
from notesync.followup.steps import find_steps

if TYPE_CHECKING:
    from notesync.followup.client import Client, Dated
    from notesync.followup.settings import Settings
    from notesync.notes.body import Task

Rule = Callable[["Client", Context, Past], Iterable[FollowUp]]


class Found(NamedTuple):
    open: list[FollowUp]
    missed: list[str]
    first: date | None
    until: date | None


def find_follow_ups(client: Client, context: Context, past: Past) -> Found:
    every = _find_all(client, context, past)
    return Found(
        [each for each in every if each.expires is None or each.expires >= past.as_of],
        [each.kind for each in every if each.expires is not None and each.expires < past.as_of],
        max(
            [
                past.first or date.min,
                *[
                    each.expires + timedelta(1)
                    for each in every
                    if each.expires is not None and each.expires < past.as_of
                ],
            ]
        ),
        past.until,
    )


def find_missed(client: Client, context: Context, past: Past) -> list[FollowUp]:
    return [
        each
        for each in _find_all(client, context, past)
        if each.expires is not None and each.expires < past.as_of
    ]


def shares_cadence(client: Client, settings: Settings) -> bool:
    return client.every is None and bool(_choose_interval(client, settings)) and not client.do_not_contact


def _find_all(client: Client, context: Context, past: Past) -> list[FollowUp]:
    """All open follow-ups of a client, in the order of the rules, as the attempts leave them.

    Of a client who is not to be contacted there are none.
    """
    if client.do_not_contact:
        return []
    found: list[FollowUp] = []
    for rule in RULES:
        found += rule(client, context, past)
    return apply_attempts(found, client, context, past)


# --- An agreed contact -----------------------------------------------------------------------------------


def find_agreed_contact(client: Client, context: Context, past: Past) -> Iterable[FollowUp]:
    """The next contact agreed, on its day and never moved; with a time it is a promise."""
    agreed = client.next_contact
    if agreed is None or _is_kept(client, agreed, context.calendar, past):
        return ()
    day, minute, line, _ = agreed
    kind = "contact" if minute is None else "promise"
    title = client.next_action or "Contact as agreed"
    reason = f"agreed for {name_day(day)}{name_time(minute)}"
    found = FollowUp(
        day, day, minute, True, "next-contact", kind, None, day.isoformat(), title, reason,
        client.path, line, choose_channel(client), plan_minutes(client, context), wanted=0,
    )  # fmt: skip
    return (found,)


EARLY_WORKDAYS = 2


def _is_kept(client: Client, agreed: Dated, calendar: WorkCalendar, past: Past) -> bool:
    """Whether the agreed contact has taken place: on its day or later, or for a mere date a little earlier."""
    noted = client.last_contact
    if noted is not None and agreed.day <= noted.day <= past.as_of:
        return True
    if past.logged is None:
        return False
    # Early counts only what the log tells: a day noted as the last contact is most often the one of agreeing.
    early = agreed.minute is None
    return past.logged >= (calendar.before(agreed.day, EARLY_WORKDAYS) if early else agreed.day)


# --- Cadence ---------------------------------------------------------------------------------------------

_MOST_WORKDAYS = 10  # that a cadence's window stays open


def find_cadence(client: Client, context: Context, past: Past) -> Iterable[FollowUp]:
    """Keeping in touch: a while after the last contact, for a quarter of that while.

    A pause that ends after the window would have opened moves it, and it keeps its length.  The agenda holds
    this follow-up back while a contact is agreed or another is due.
    """
    interval = _choose_interval(client, context.settings)
    if interval is None or client.paused:
        return ()
    wanted = interval_days(interval)
    counted, why = _count_from(client, context, wanted, past)
    opens, due = _find_cadence_window(client, context.calendar, interval, wanted, counted)
    occasion = "" if counted is None else counted.isoformat()
    found = FollowUp(
        opens, due, None, True, "cadence", "keep-in-touch", None, occasion, "Keep in touch",
        f"every {interval}; {why}",
        client.path, client.every_line, choose_channel(client), plan_minutes(client, context), wanted,
    )  # fmt: skip
    return (found,)


def _find_cadence_window(
    client: Client, calendar: WorkCalendar, interval: Interval, wanted: int, counted: date | None
) -> tuple[date | None, date | None]:
    opens = None if counted is None else add_interval(counted, interval, calendar)
    pause = client.paused_until
    if pause is not None and (opens is None or opens < pause.day):
        opens = pause.day
    if opens is None:
        return None, None
    opens = calendar.on_or_after(opens)
    return opens, calendar.after(opens, min(max(wanted // 4, 1), _MOST_WORKDAYS))


def wanted_days(client: Client, settings: Settings) -> int:
    """After how many days the next contact is wanted; 0 where nothing says so, or where none is wanted."""
    interval = None if client.do_not_contact else _choose_interval(client, settings)
    return 0 if interval is None else interval_days(interval)


def find_drift(last: date | None, wanted: int, today: date) -> float | None:
    """How far a client is beyond their own rhythm: 0 in time, 1 a whole interval late.

    None without a contact or without a rhythm (``wanted`` 0).
    """
    if last is None or wanted <= 0:
        return None
    return max(0.0, ((today - last).days - wanted) / wanted)


def _choose_interval(client: Client, settings: Settings) -> Interval | None:
    """The client's own cadence, else that of their stage; a loss after the sale ends the stage's."""
    if client.every is not None:
        return client.every
    usual = settings.default_every
    if not usual:
        return None
    sold, lost = client.anchors.get("sold"), client.anchors.get("lost")
    ended = sold is not None and lost is not None and lost.day >= sold.day
    length = usual.get("lost" if ended else client.stage)
    return Interval(*length) if length else None


def _count_from(client: Client, context: Context, wanted: int, past: Past) -> tuple[date | None, str]:
    """The day a cadence counts from, and why: the newest contact, sale or loss, else the client's first day.

    That is the vault's, or the later one on which the note was made.  From it on each client waits a share of
    the interval besides, always the same one: a new vault must not fall due in one heap.
    """
    newest, by, why = past.contact, past.by, "last contact"
    if client.every is None and past.company is not None and (newest is None or past.company > newest):
        newest, by, why = past.company, "", f"last contact with {client.company}"
    for key in ("sold", "lost"):
        anchor = client.anchors.get(key)
        if anchor is not None and anchor.day <= past.as_of and (newest is None or anchor.day > newest):
            newest, by, why = anchor.day, "", key
    if newest is not None:
        return newest, f"{why} {name_day(newest)} ({by})" if by else f"{why} {name_day(newest)}"
    first = context.since
    if first is None:
        return None, "no contact yet"
    if client.created is not None:
        first = max(first, client.created.day)
    start = first + timedelta(_choose_share(client.key, wanted))
    return start, f"no contact yet, counted from {name_day(start)}"


def _choose_share(key: str, days: int) -> int:
    """A number of days below ``days`` that looks random and is always the same for a client."""
    return int.from_bytes(sha256(to_bytes(key)).digest()[:8], "big") % days


# --- Tasks -----------------------------------------------------------------------------------------------


def find_tasks(client: Client, context: Context, past: Past) -> Iterator[FollowUp]:
    """Open tasks with a date, in their own window, and promises and complaints even without one."""
    equal: dict[str, int] = {}
    for task in client.tasks:
        if not task.open:
            continue
        kind = kind_of(task)
        if task.due is None and task.scheduled is None and kind not in _UNDATED_KINDS:
            continue
        name = f"id {task.id}" if task.id else hash_text(task.text)
        number = equal[name] = equal.get(name, -1) + 1
        opens, due, why = _find_window(task, kind, context.calendar)
        contact = kind != "task"
        occasion = f"{name} {number}" if number else name
        channel = choose_channel(client) if contact else ""
        yield FollowUp(
            opens, due, None, contact, "task", kind, None, occasion, show_link(task.text) or "Task", why,
            task.path or client.path, task.line, channel, plan_minutes(client, context), wanted=0,
        )  # fmt: skip


_UNDATED_KINDS = {"promise": "promised", "complaint": "raised"}


def _find_window(task: Task, kind: str, calendar: WorkCalendar) -> tuple[date | None, date | None, str]:
    """First and last day of a task's window, and why: its dates as chosen, never moved.

    A promise or complaint without a date falls on the working day after it was made.
    """
    due = task.due or task.scheduled
    if due is not None:
        why = f"{'due' if task.due else 'scheduled for'} {name_day(due)}"
    else:
        made = task.created or task.entry_day
        why = f"{_UNDATED_KINDS[kind]}{f' {name_day(made)}' if made else ', without a date'}"
        due = made and calendar.after(made, 1)
    opens = task.start if task.start and due and task.start < due else due
    return opens, due, why


RULES: tuple[Rule, ...] = (
    find_agreed_contact,
    find_cadence,
    find_tasks,
    find_promises,
    find_steps,
    find_referral,
)
