"""A client in, its follow-ups out: each rule a function, all of them in :data:`RULES`.

A follow-up is somebody to reach, or something to do, within a window of days.  What is stored of it must
not depend on today, so the day it is asked for (``as_of``) does one thing only: it tells what has happened
from what is still an appointment.  That is a client's :class:`Past`, which also says between which days the
answer is the same.  Whether a follow-up is due or overdue, and which of them hides another, is judged later, in the agenda.

This module knows no note, no disk and no clock.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.client import show_link
from notesync.followup.dates import Interval, WorkCalendar, add_interval, format_day, interval_days

if TYPE_CHECKING:
    from notesync.followup.client import Client, Dated
    from notesync.followup.settings import Settings
    from notesync.notes.body import Task

# What a follow-up is, by rank: a broken promise costs more than a call not made.
KINDS = (
    "promise",
    "complaint",
    "delivery",
    "contact",
    "thanks",
    "service",
    "pursue",
    "referral",
    "advocate",
    "feedback",
    "update",
    "keep-in-touch",
    "task",
)
_KIND_TAGS = frozenset(KINDS)

_USUAL_MINUTES = 15  # to plan for a follow-up when neither the note nor the settings say how long it takes


class FollowUp(NamedTuple):
    """Somebody to reach or something to do, as it stands whatever day it is.

    ``rule`` and ``occasion`` say what causes it (with the client and its day they make its identity),
    ``opens`` and ``due`` are the first and the last day of its window (both None: without a date), ``minute``
    the time of day agreed, after midnight.  ``path`` and ``line`` are the place in the notes that causes it.
    ``contact`` tells a contact with the client from work on a desk, ``wanted`` is a cadence's interval in days
    (else 0), ``minutes`` the time to plan for it.  ``channel`` is '' where any will do.

    First what it is judged by; the rest, from ``rule`` on, is stored as it is.  The rules that most clients have
    build it by position, in half the time.
    """

    opens: date | None
    due: date | None
    minute: int | None
    contact: bool
    rule: str
    kind: str
    step: str | None
    occasion: str
    title: str
    reason: str
    path: str
    line: int
    channel: str
    minutes: int
    wanted: int


class Past(NamedTuple):
    """What a client's dated facts say as of a day; what is dated later is an appointment and not counted.

    ``logged`` is the day of the newest contact that was logged or ticked off and ``logged_by`` its channel,
    ``contact`` and ``by`` the same with what is only noted as ``last_contact`` ('' where no channel is told).
    All that is derived is the same from ``first`` on and before ``until``, the days of the dated facts on
    either side of ``as_of``: passing one, an appointment becomes a contact.  None is no bound.
    """

    as_of: date
    logged: date | None
    logged_by: str
    contact: date | None
    by: str
    first: date | None
    until: date | None


class Context:
    """What the rules need beside the client: one vault's settings, and their calendar of working days."""

    __slots__ = ("calendar", "minutes", "settings", "since")

    def __init__(self, settings: Settings, calendar: WorkCalendar) -> None:
        self.settings = settings
        self.calendar = calendar
        self.minutes = settings.minutes
        self.since = date.fromisoformat(settings.since) if settings.since else None


Rule = Callable[["Client", Context, Past], Iterable[FollowUp]]


def find_follow_ups(client: Client, context: Context, past: Past) -> list[FollowUp]:
    """All open follow-ups of a client, in the order of the rules.

    Of a client who is not to be contacted there are none.
    """
    if client.do_not_contact:
        return []
    found: list[FollowUp] = []
    for rule in RULES:
        found += rule(client, context, past)
    return found


# --- What has happened -----------------------------------------------------------------------------------


def find_past(client: Client, as_of: date) -> Past:
    """What has happened up to a day, and between which days that is the same."""
    days = sorted(_find_days(client))
    at = bisect_right(days, as_of)
    first, until = days[at - 1] if at else None, days[at] if at < len(days) else None
    logged, by = _find_logged(client, as_of)
    noted = client.last_contact
    if noted is None or noted.day > as_of or (logged is not None and logged >= noted.day):
        return Past(as_of, logged, by, logged, by, first, until)
    return Past(as_of, logged, by, noted.day, "", first, until)


def last_contact(client: Client, as_of: date) -> date | None:
    """The day of the newest contact up to a day: logged, ticked off, or only noted as ``last_contact``."""
    return find_past(client, as_of).contact


def done_date(client: Client, as_of: date) -> date | None:
    """The newest day, up to ``as_of``, of anything done that the note tells of; attempts are work, too."""
    days = _find_done(client)
    if (sold := client.anchors.get("sold")) is not None:
        days.append(sold.day)
    return max((day for day in days if day <= as_of), default=None)


def _find_days(client: Client) -> list[date]:
    """Every day that a rule may compare with ``as_of``."""
    days = _find_done(client)
    days += [anchor.day for anchor in client.anchors.values()]
    return days


def _find_done(client: Client) -> list[date]:
    """The days of what was done, or will have been: the log, ticked tasks, a last contact."""
    days = [entry.day for entry in client.log]
    if client.tasks:
        days += [task.done for task in client.tasks if task.done is not None]
    if client.last_contact is not None:
        days.append(client.last_contact.day)
    return days


def _find_logged(client: Client, as_of: date) -> tuple[date | None, str]:
    """The day of the newest contact of the log, ticked tasks included, and its channel ('' if none is told)."""
    newest: date | None = None
    by: str | None = ""
    for entry in client.log:
        day = entry.day
        if (newest is None or day > newest) and day <= as_of and not entry.attempt:
            newest, by = day, entry.channel
    for task in client.tasks:
        done = task.done
        if done is not None and (newest is None or done > newest) and done <= as_of and _is_contact(task):
            newest, by = done, ""
    return newest, by or ""


def _is_contact(task: Task) -> bool:
    """Whether a ticked task was a contact: it says of what kind, and was done and not given up."""
    return task.mark != "-" and task.cancelled is None and _kind_of(task) != "task"


def _kind_of(task: Task) -> str:
    for tag in task.tags:
        if tag in _KIND_TAGS:
            return tag
    return "task"


# --- An agreed contact -----------------------------------------------------------------------------------


def find_agreed_contact(client: Client, context: Context, past: Past) -> Iterable[FollowUp]:
    """The next contact agreed, on its day and never moved; with a time it is a promise."""
    agreed = client.next_contact
    if agreed is None or _is_kept(client, agreed, context.calendar, past):
        return ()
    day, minute, line, _ = agreed
    kind = "contact" if minute is None else "promise"
    title = client.next_action or "Contact as agreed"
    reason = f"agreed for {_name_day(day)}{_name_time(minute)}"
    found = FollowUp(
        day, day, minute, True, "next-contact", kind, None, day.isoformat(), title, reason,
        client.path, line, _choose_channel(client), _plan_minutes(client, context), wanted=0,
    )  # fmt: skip
    return (found,)


_EARLY_WORKDAYS = 2


def _is_kept(client: Client, agreed: Dated, calendar: WorkCalendar, past: Past) -> bool:
    """Whether the agreed contact has taken place: on its day or later, or for a mere date a little earlier."""
    noted = client.last_contact
    if noted is not None and agreed.day <= noted.day <= past.as_of:
        return True
    if past.logged is None:
        return False
    # Early counts only what the log tells: a day noted as the last contact is most often the one of agreeing.
    early = agreed.minute is None
    return past.logged >= (calendar.before(agreed.day, _EARLY_WORKDAYS) if early else agreed.day)


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
        client.path, client.every_line, _choose_channel(client), _plan_minutes(client, context), wanted,
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
    for key in ("sold", "lost"):
        anchor = client.anchors.get(key)
        if anchor is not None and anchor.day <= past.as_of and (newest is None or anchor.day > newest):
            newest, by, why = anchor.day, "", key
    if newest is not None:
        return newest, f"{why} {_name_day(newest)} ({by})" if by else f"{why} {_name_day(newest)}"
    first = context.since
    if first is None:
        return None, "no contact yet"
    if client.created is not None:
        first = max(first, client.created.day)
    start = first + timedelta(_choose_share(client.key, wanted))
    return start, f"no contact yet, counted from {_name_day(start)}"


def _choose_share(key: str, days: int) -> int:
    """A number of days below ``days`` that looks random and is always the same for a client."""
    return int.from_bytes(sha256(_to_bytes(key)).digest()[:8], "big") % days


# --- Tasks -----------------------------------------------------------------------------------------------


def find_tasks(client: Client, context: Context, past: Past) -> Iterator[FollowUp]:
    """Open tasks with a date, in their own window, and promises and complaints even without one."""
    equal: dict[str, int] = {}
    for task in client.tasks:
        if not task.open:
            continue
        kind = _kind_of(task)
        if task.due is None and task.scheduled is None and kind not in _UNDATED_KINDS:
            continue
        name = f"id {task.id}" if task.id else _hash_text(task.text)
        number = equal[name] = equal.get(name, -1) + 1
        opens, due, why = _find_window(task, kind, context.calendar)
        contact = kind != "task"
        occasion = f"{name} {number}" if number else name
        channel = _choose_channel(client) if contact else ""
        yield FollowUp(
            opens, due, None, contact, "task", kind, None, occasion, show_link(task.text) or "Task", why,
            task.path or client.path, task.line, channel, _plan_minutes(client, context), wanted=0,
        )  # fmt: skip


_UNDATED_KINDS = {"promise": "promised", "complaint": "raised"}


def _find_window(task: Task, kind: str, calendar: WorkCalendar) -> tuple[date | None, date | None, str]:
    """First and last day of a task's window, and why: its dates as chosen, never moved.

    A promise or complaint without a date falls on the working day after it was made.
    """
    due = task.due or task.scheduled
    if due is not None:
        why = f"{'due' if task.due else 'scheduled for'} {_name_day(due)}"
    else:
        made = task.created or task.entry_day
        why = f"{_UNDATED_KINDS[kind]}{f' {_name_day(made)}' if made else ', without a date'}"
        due = made and calendar.after(made, 1)
    opens = task.start if task.start and due and task.start < due else due
    return opens, due, why


def _hash_text(text: str) -> str:
    """A name for a task without an id: the same after its dates were moved."""
    return sha256(_to_bytes(_DAY.sub("", text))).hexdigest()[:16]


# Dates that a person wrote as words of the text; those of fields are not part of it.
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


# --- What every rule says of a client --------------------------------------------------------------------


def _choose_channel(client: Client) -> str:
    """How the client wants to be reached, unless they also said not so; '' for any way."""
    for channel in client.contact_by:
        if channel not in client.not_by:
            return channel
    return ""


def _plan_minutes(client: Client, context: Context) -> int:
    return client.minutes or context.minutes.get(client.stage) or _USUAL_MINUTES


@lru_cache(maxsize=4096)
def _name_day(day: date) -> str:
    """A day in words, always with its year: what is stored must not depend on today's."""
    return format_day(day, 0)


def _name_time(minute: int | None) -> str:
    return "" if minute is None else f" at {minute // 60:02}:{minute % 60:02}"


def _to_bytes(text: str) -> bytes:
    """A text's bytes for a hash; those of a note that is not UTF-8 stand in it as surrogates."""
    return text.encode("utf-8", "surrogatepass")


# Further rules (a plan's steps, promises and complaints of the log, referrals) are further functions here.
RULES: tuple[Rule, ...] = (find_agreed_contact, find_cadence, find_tasks)
