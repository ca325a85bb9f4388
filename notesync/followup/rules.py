"""A client in, its follow-ups out: each rule a function, all of them in :data:`RULES`.

Here are the rules of what a note says by itself: an agreed contact, a cadence, tasks.  Those of the method (the
plans' steps, promises and complaints, referrals, attempts) have modules of their own.  Whether a follow-up is due
or overdue, and which of them hides another, is judged later, in the agenda.

This module knows no note, no disk and no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from notesync.followup.attempts import apply_attempts, find_attempts, is_given_up
from notesync.followup.circles import find_circles
from notesync.followup.follow_up import (
    Context,
    FollowUp,
    Found,
    Past,
    choose_channel,
    earlier,
    hash_text,
    kind_of,
    later,
    name_day,
    name_time,
    plan_minutes,
    to_bytes,
)
from notesync.followup.intervals import Interval, add_interval, interval_days
from notesync.followup.promises import find_promises
from notesync.followup.referrals import find_referral
from notesync.followup.steps import find_missed_steps, find_steps
from notesync.followup.work_calendar import WorkCalendar
from notesync.notes.links import show_link

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.client_fields import Dated
    from notesync.followup.settings import Settings
    from notesync.notes.body import Entry, Task

_NOWHERE: Mapping[str, str] = MappingProxyType({})  # no task has an id elsewhere

Rule = Callable[["Client", Context, Past], Iterable[FollowUp]]


def find_follow_ups(
    client: Client, context: Context, past: Past, open_ids: Mapping[str, str] = _NOWHERE
) -> Found:
    """The open follow-ups of a client, in the order of the rules, as the attempts leave them.

    Of a client who is not to be contacted there are none.  ``open_ids`` are the ids of open tasks elsewhere in
    the vault with their texts: what depends on one of them waits.
    """
    if client.do_not_contact:
        return Found([], [], past.first, past.until)
    found: list[FollowUp] = []
    for rule in RULES:
        found += rule(client, context, past)
    if client.tasks:
        found += find_tasks(client, context, open_ids)
    tried = find_attempts(client, past)
    alive = _find_alive(context, past, tried)
    steps = find_steps(client, context, past, alive)
    found += steps.open
    first, until = later(past.first, steps.first), past.until
    if alive == past.as_of:
        until = earlier(until, steps.until)
    return Found(apply_attempts(found, client, context, tried), steps.missed, first, until, steps.early)


def find_missed(client: Client, context: Context, past: Past) -> list[FollowUp]:
    """The follow-ups that were left out because they are missed as of the day."""
    if client.do_not_contact:
        return []
    return list(find_missed_steps(client, context, past, find_alive(client, context, past)))


def find_alive(client: Client, context: Context, past: Past) -> date:
    """The day that a step of this client must not be missed by."""
    return _find_alive(context, past, find_attempts(client, past))


def _find_alive(context: Context, past: Past, tried: Sequence[Entry]) -> date:
    """The day that a step must not be missed by.

    Where the attempts ask for a decision, that stands for all that was open when they began: it must not go away
    because one more of them is missed meanwhile.
    """
    return tried[0].day if is_given_up(context, tried) else past.as_of


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


def find_earliest(agreed: Dated, calendar: WorkCalendar) -> date:
    """From which day on a contact is the one agreed: for a mere date a little earlier."""
    return calendar.before(agreed.day, EARLY_WORKDAYS) if agreed.minute is None else agreed.day


def _is_kept(client: Client, agreed: Dated, calendar: WorkCalendar, past: Past) -> bool:
    """Whether the agreed contact has taken place: on its day or later, or for a mere date a little earlier."""
    noted = client.last_contact
    if noted is not None and agreed.day <= noted.day <= past.as_of:
        return True
    if past.logged is None:
        return False
    # Early counts only what the log tells: a day noted as the last contact is most often the one of agreeing.
    return past.logged >= find_earliest(agreed, calendar)


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


def find_cadence_windows(
    client: Client, context: Context, days: Sequence[date]
) -> Iterator[tuple[date, date, date]]:
    """The windows that a cadence opened after each of these days but the last: first day, last day, contact.

    ``days`` are those of contacts, in order.  A contact before a window opened leaves none, and what was over by the
    vault's first day is history.  How often was wanted then nobody noted: it is taken to be as often as now.
    """
    interval = None if client.do_not_contact else _choose_interval(client, context.settings)
    if interval is None:
        return
    wanted, free = interval_days(interval), client._replace(paused_until=None)
    for counted, contact in pairwise(days):
        opens, due = _find_cadence_window(free, context.calendar, interval, wanted, counted)
        if opens and due and contact >= opens and (context.since is None or due >= context.since):
            yield opens, due, contact


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


def shares_cadence(client: Client, settings: Settings) -> bool:
    """Whether the client's cadence is their stage's and counts from a contact with anybody of their company."""
    return bool(client.company) and client.every is None and wanted_days(client, settings) > 0


def name_company(client: Client) -> str:
    """What people of one company have in common: the note that their company links to, else its name."""
    linked = client.links.get("company")
    return linked[0].rpartition("/")[2].removesuffix(".md") if linked else client.company


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
    if past.company is not None and client.every is None:
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


def find_tasks(
    client: Client, context: Context, open_ids: Mapping[str, str] = _NOWHERE
) -> Iterator[FollowUp]:
    """Open tasks with a date, in their own window, and promises and complaints even without one.

    One that depends on an open task waits for it: the client's own, or one that ``open_ids`` tells of.
    """
    equal: dict[str, int] = {}
    blocking = _find_blocking(client.tasks)
    circles = _find_circles(client.tasks) if blocking else {}
    for task in client.tasks:
        if not task.open:
            continue
        kind = kind_of(task)
        if task.due is None and task.scheduled is None and kind not in _UNDATED_KINDS:
            continue
        name = f"id {task.id}" if task.id else hash_text(task.text)
        number = equal[name] = equal.get(name, -1) + 1
        opens, due, why = find_task_window(task, kind, context.calendar)
        contact = kind != "task"
        occasion = f"{name} {number}" if number else name
        channel = choose_channel(client) if contact else ""
        found = FollowUp(
            opens, due, None, contact, "task", kind, None, occasion, show_link(task.text) or "Task", why,
            task.path or client.path, task.line, channel, plan_minutes(client, context), wanted=0,
        )  # fmt: skip
        awaited = _find_awaited(task, blocking, circles, open_ids) if task.depends_on else ""
        yield found._replace(waits=f"waits for: {awaited}") if awaited else found


def _find_blocking(tasks: Sequence[Task]) -> dict[str, Task]:
    return {task.id: task for task in tasks if task.id and task.open}


def _find_circles(tasks: Sequence[Task]) -> dict[str, int]:
    """The open tasks' ids, with the same number for those that wait for one another."""
    awaited: dict[str, list[str]] = {}
    for task in tasks:
        if task.id and task.open:
            awaited.setdefault(task.id, []).extend(task.depends_on)
    return find_circles(awaited)


def _find_awaited(
    task: Task, blocking: Mapping[str, Task], circles: Mapping[str, int], open_ids: Mapping[str, str]
) -> str:
    """The text of an open task that this one depends on; '' where there is none.

    Tasks that wait for one another in a circle would never be due: those do not wait.
    """
    for name in task.depends_on:
        if name in blocking:
            if circles[name] != circles.get(task.id):
                return show_link(blocking[name].text) or name
        elif name in open_ids:
            return show_link(open_ids[name]) or name
    return ""


_UNDATED_KINDS = {"promise": "promised", "complaint": "raised"}


def find_task_window(task: Task, kind: str, calendar: WorkCalendar) -> tuple[date | None, date | None, str]:
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


RULES: tuple[Rule, ...] = (find_agreed_contact, find_cadence, find_promises, find_referral)
"""The rules of single follow-ups that need nothing but the client."""
