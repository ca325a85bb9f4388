"""What a follow-up is, and what every rule stands on: the past of a client, and words and choices all share.

A follow-up is somebody to reach, or something to do, within a window of days.  What is stored of it must
not depend on today, so the day it is asked for (``as_of``) does one thing only: it tells what has happened
from what is still an appointment.  That is a client's :class:`Past`, which also says between which days the
answer is the same.

This module knows no rule, no note, no disk and no clock.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dates import format_day, parse_date
from notesync.followup.timetable import Timetable

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.plans import Plans
    from notesync.followup.settings import Settings
    from notesync.followup.work_calendar import WorkCalendar
    from notesync.notes.body import Entry, Task

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

    After ``expires`` it is missed rather than overdue (None: never).  ``attempts`` were made since the last
    contact, and until ``retry_on`` it is upcoming again.  ``ask`` are questions to ask; what ``waits``, which
    says for what, is upcoming whatever its days.

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
    expires: date | None = None
    attempts: int = 0
    retry_on: date | None = None
    ask: tuple[str, ...] = ()
    waits: str = ""


class Past(NamedTuple):
    """What a client's dated facts say as of a day; what is dated later is an appointment and not counted.

    ``logged`` is the day of the newest contact that was logged or ticked off and ``logged_by`` its channel,
    ``contact`` and ``by`` the same with what is only noted as ``last_contact`` ('' where no channel is told).
    All that is derived is the same from ``first`` on and before ``until``, the days of the dated facts on
    either side of ``as_of``: passing one, an appointment becomes a contact.  None is no bound.

    ``company`` is the day of the newest contact with anybody of the client's company, where that is newer than
    their own: only a shared cadence counts from it.
    """

    as_of: date
    logged: date | None
    logged_by: str
    contact: date | None
    by: str
    first: date | None
    until: date | None
    company: date | None = None


class Found(NamedTuple):
    """A client's follow-ups as of a day: those ``open``, and the kinds of those ``missed`` and left out.

    Exactly this holds from the day ``first`` on and before the day ``until`` (None: no bound).  What is open and
    will be missed later says so itself, by its ``expires``.  ``early`` says once, on the day that it was logged,
    what was done before its time.
    """

    open: list[FollowUp]
    missed: list[str]
    first: date | None
    until: date | None
    early: tuple[str, ...] = ()


class Context:
    """What the rules need beside the client: one vault's settings, their working days, their plans.

    ``tasks_filter`` is the Tasks plugin's global filter, without which a line is no task.
    """

    __slots__ = ("calendar", "minutes", "plans", "settings", "since", "tasks_filter", "timetable")

    def __init__(
        self, settings: Settings, calendar: WorkCalendar, plans: Plans, tasks_filter: str = ""
    ) -> None:
        self.settings = settings
        self.tasks_filter = tasks_filter
        self.calendar = calendar
        self.plans = plans
        self.minutes = settings.minutes
        self.since = date.fromisoformat(settings.since) if settings.since else None
        self.timetable = Timetable(plans, calendar, self.since)


# --- What has happened -----------------------------------------------------------------------------------


def find_past(client: Client, as_of: date, company: date | None = None) -> Past:
    """What has happened up to a day, and between which days that is the same.

    ``company`` is the day of the newest contact with anybody of the client's company, the client included.
    """
    days = _find_days(client)
    if company is not None:
        days.append(company)
    days.sort()
    at = bisect_right(days, as_of)
    first, until = days[at - 1] if at else None, days[at] if at < len(days) else None
    logged, by = _find_logged(client, as_of)
    contact, told_by = logged, by
    noted = client.last_contact
    if noted is not None and noted.day <= as_of and (logged is None or logged < noted.day):
        contact, told_by = noted.day, ""
    if company is not None and (company > as_of or (contact is not None and company <= contact)):
        company = None
    return Past(as_of, logged, by, contact, told_by, first, until, company)


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
    days += [day for entry in client.log if "sold" in entry.tags for day in _find_deliveries(entry)]
    return days


def _find_deliveries(entry: Entry) -> list[date]:
    """The day of delivery that a sale's entry tells: a plan may end by it."""
    written = [parse_date(value) for key, value in entry.fields if key == "delivery"]
    return [found.day for found in written if found is not None]


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
        if done is not None and (newest is None or done > newest) and done <= as_of and is_contact(task):
            newest, by = done, ""
    return newest, by or ""


def is_contact(task: Task) -> bool:
    """Whether a ticked task was a contact: it says of what kind, and was done and not given up."""
    return task.mark != "-" and task.cancelled is None and kind_of(task) != "task"


def kind_of(task: Task) -> str:
    for tag in task.tags:
        if tag in _KIND_TAGS:
            return tag
    return "task"


def later(one: date | None, other: date | None) -> date | None:
    """The later of two days; None is no bound."""
    return max(one, other) if one is not None and other is not None else one or other


def earlier(one: date | None, other: date | None) -> date | None:
    """The earlier of two days; None is no bound."""
    return min(one, other) if one is not None and other is not None else one or other


# --- What every rule says of a client --------------------------------------------------------------------


def choose_channel(client: Client) -> str:
    """How the client wants to be reached, unless they also said not so; '' for any way."""
    for channel in client.contact_by:
        if channel not in client.not_by:
            return channel
    return ""


def plan_minutes(client: Client, context: Context) -> int:
    return client.minutes or context.minutes.get(client.stage) or _USUAL_MINUTES


@lru_cache(maxsize=4096)
def name_day(day: date) -> str:
    """A day in words, always with its year: what is stored must not depend on today's."""
    return format_day(day, 0)


def name_time(minute: int | None) -> str:
    return "" if minute is None else f" at {minute // 60:02}:{minute % 60:02}"


def to_bytes(text: str) -> bytes:
    """A text's bytes for a hash; those of a note that is not UTF-8 stand in it as surrogates."""
    return text.encode("utf-8", "surrogatepass")


def hash_text(text: str) -> str:
    """A name for a task without an id: the same after its dates were moved."""
    return sha256(to_bytes(_DAY.sub("", text))).hexdigest()[:16]


# Dates that a person wrote as words of the text; those of fields are not part of it.
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
