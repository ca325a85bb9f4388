"""The log's promises and complaints in, what is still owed for them out.

An entry tagged `#promise` or `#complaint` opens one, `#kept` or `#resolved` closes the oldest that is open.  A
complaint without a day of its own runs through the plan `complaint`: its steps are those of any plan, and only
their words come from here.  Tasks with these tags are the task rule's; here they only count as open complaints.

Like all rules this one knows no today: entries later than ``as_of`` have not happened yet.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dates import parse_clock, parse_date
from notesync.followup.follow_up import (
    Context,
    FollowUp,
    Past,
    choose_channel,
    hash_text,
    is_contact,
    kind_of,
    name_day,
    name_time,
    plan_minutes,
)
from notesync.notes.links import show_link

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.plans import Plans
    from notesync.notes.body import Entry, Task

PROMISE, COMPLAINT = "promise", "complaint"
# A step's tag settles it too: that of the step `resolve` is `#resolve`.
_CLOSINGS = {PROMISE: frozenset(("kept",)), COMPLAINT: frozenset(("resolved", "resolve"))}
_ALL_CLOSINGS = frozenset().union(*_CLOSINGS.values())

ACKNOWLEDGE, RESOLVE = "acknowledge", "resolve"


class Case(NamedTuple):
    """A promise or complaint that an entry opened: its ``place`` in the ordered log, its ``number`` among equals.

    ``channel`` is that of the entry which closed it, ``how`` are the words that say how it was resolved, and
    ``substitute`` is since when the client has one.
    """

    entry: Entry
    place: int
    number: int
    closed: date | None = None
    channel: str | None = None
    how: str = ""
    substitute: date | None = None


class _Said(NamedTuple):
    """Something tagged of the log, or of a ticked task, which opens nothing (``entry`` None)."""

    day: date
    minute: int
    place: int
    tags: Collection[str]
    entry: Entry | None


def find_promises(client: Client, context: Context, past: Past) -> Iterator[FollowUp]:
    """What is owed for the promises of the log, and for complaints that no plan takes care of.

    Those are complaints with a day of their own, and all of them where the plan has no step that resolves them:
    such a one falls on the next working day, like a promise, for no setting loses one.
    """
    log = order_tagged(client)
    if not log:
        return
    for case in find_cases(client, log, PROMISE, past.as_of):
        if case.closed is None:
            yield _build_promise(client, context, case)
    contacts = Contacts(client, log)
    for case in find_cases(client, log, COMPLAINT, past.as_of):
        if case.closed is None and is_on_its_own(case, context):
            yield _build_complaint(client, context, contacts, case, past.as_of)


def _is_resolved_by(plans: Plans) -> bool:
    """Whether a step of the plans leads to the resolving of complaints."""
    plan = plans.find(COMPLAINT)
    return plan is not None and any(step.tag == "resolved" and COMPLAINT in step.after for step in plan.steps)


def find_open_complaint(client: Client, as_of: date) -> date | None:
    """The day on which the oldest open complaint was raised, in the log or as a task; None without one.

    A task that was neither created nor written below an entry on a known day counts from the first day it names,
    and `date.min` stands for one that names none.
    """
    log = order_tagged(client)
    cases = find_cases(client, log, COMPLAINT, as_of) if log else []
    days = [case.entry.day for case in cases if case.closed is None]
    days += [_day_raised(task) for task in find_open_tasks(client)]
    return min(days, default=None)


def find_open_tasks(client: Client) -> list[Task]:
    """The open tasks that are complaints."""
    return [task for task in client.tasks if task.open and kind_of(task) == COMPLAINT]


def is_any_open(cases: Sequence[Case], day: date) -> bool:
    """Whether one of all the log's complaints was open on a day; they are closed in the order they were raised."""
    at = bisect_right(cases, day, key=lambda case: case.closed or date.max)
    return at < len(cases) and cases[at].entry.day <= day


def _day_raised(task: Task) -> date:
    named = (day for day in (task.start, task.scheduled, task.due) if day is not None)
    return task.created or task.entry_day or min(named, default=date.min)


def order_log(log: Sequence[Entry]) -> list[Entry]:
    """The entries, oldest first.  Those of one day stand in the log's own order, newest first or last.

    Where the days do not tell which of the two it is, it is newest first, as new notes are, and what closes a
    promise or complaint comes after what opens one.  So it does where they stand in several notes: nobody knows
    which of these was written first on a day.
    """
    notes: dict[str, list[Entry]] = {}
    for entry in log:
        notes.setdefault(entry.path, []).append(entry)
    if len(notes) < 2:
        return _order_note(log)
    entries = [entry for said in notes.values() for entry in _order_note(said)]
    closing = {(each.path, each.day) for each in log if not _ALL_CLOSINGS.isdisjoint(each.tags)}
    return sorted(entries, key=lambda entry: (entry.day, (entry.path, entry.day) in closing))


def _order_note(log: Sequence[Entry]) -> list[Entry]:
    rising = _count_rising(log)
    entries = log if rising > 0 else log[::-1]
    if rising:
        return sorted(entries, key=lambda entry: entry.day)
    return sorted(entries, key=lambda entry: (entry.day, not _ALL_CLOSINGS.isdisjoint(entry.tags)))


def is_newest_last(log: Sequence[Entry]) -> bool:
    """Whether the log's days rise; where they do not tell, the newest stands first."""
    return _count_rising(log) > 0


def _count_rising(log: Sequence[Entry]) -> int:
    """How many more steps from entry to entry go up in days than down."""
    return sum((one.day < other.day) - (one.day > other.day) for one, other in pairwise(log))


# --- What was opened and closed --------------------------------------------------------------------------


def order_tagged(client: Client) -> list[Entry]:
    """The ordered log of a client whose log opens a promise or complaint; empty for all others."""
    for entry in client.log:
        if entry.tags and (PROMISE in entry.tags or COMPLAINT in entry.tags):
            return order_log(client.log)
    return []


def find_cases(client: Client, log: list[Entry], kind: str, as_of: date) -> list[Case]:
    """All of this kind that the log opened up to ``as_of``, oldest first, with what closed them."""
    cases: list[Case] = []
    first_open = 0
    equal: dict[tuple[date, str], int] = {}  # by what names them, in which no date counts
    for said in _find_said(client, log, kind, as_of):
        opened = None
        if said.entry is not None and _opens(said.entry, kind):
            name = said.day, hash_text(said.entry.text)
            number = equal[name] = equal.get(name, -1) + 1
            opened = Case(said.entry, said.place, number)
        # What closes comes first: one call keeps an old promise and makes the next.  It closes its own only where
        # no older one is open.
        if opened and first_open == len(cases):
            cases.append(opened)
            opened = None
        if first_open < len(cases):
            cases[first_open] = _close(cases[first_open], said, kind)
            first_open += cases[first_open].closed is not None
        if opened:
            cases.append(opened)
    return cases


def _find_said(client: Client, log: list[Entry], kind: str, as_of: date) -> list[_Said]:
    """What opens or closes one of this kind, up to ``as_of``, in the order in which it was said."""
    wanted = {kind, _SUBSTITUTE, *_CLOSINGS[kind]}
    found = [
        _Said(entry.day, -1 if entry.minute is None else entry.minute, place, entry.tags, entry)
        for place, entry in enumerate(log)
        if entry.day <= as_of and not wanted.isdisjoint(entry.tags)
    ]
    # A task tagged `#promise` is one of its own: ticking it off keeps that one and none of the log.
    found += [
        _Said(task.done, -1, len(log), task.tags, None)
        for task in client.tasks
        if task.done is not None and task.done <= as_of and _was_done(task) and kind not in task.tags
    ]
    untimed = {said.day for said in found if said.minute < 0}
    found.sort(key=lambda said: (said.day, -1 if said.day in untimed else said.minute, said.place))
    return found


def _was_done(task: Task) -> bool:
    return task.mark != "-" and task.cancelled is None


def _opens(entry: Entry, kind: str) -> bool:
    # A ticked item with a done date is an entry, too, where it begins with a day: that promise is kept.
    return kind in entry.tags and "✅" not in entry.text


def _close(case: Case, said: _Said, kind: str) -> Case:
    """The case after this was said: closed, or a complaint for which there is a substitute, or as it was."""
    if said.entry is not None and said.entry.attempt:
        return case
    closes = not _CLOSINGS[kind].isdisjoint(said.tags)
    if kind == PROMISE:
        return case._replace(closed=said.day) if closes else case
    words = _find_words(said)
    how = ", ".join(dict.fromkeys(_WAYS[word] for word in words if word in _WAYS))
    if closes and (how or _SUBSTITUTES.isdisjoint(words)):
        return case._replace(closed=said.day, channel=said.entry and said.entry.channel, how=how)
    if closes or _SUBSTITUTE in said.tags:
        return case._replace(substitute=case.substitute or said.day)
    return case


def _find_words(said: _Said) -> list[str]:
    # Of a task only the tags: no more is kept of one that was ticked off.
    text = " ".join(said.tags) if said.entry is None else f"{said.entry.outcome} {said.entry.text}"
    return re.findall(r"[^\W_]+", text.casefold())


_SUBSTITUTE = "substitute"
_SUBSTITUTES = frozenset(
    (_SUBSTITUTE, "substitutes", "loan", "loaned", "loaner", "lent", "courtesy", "temporary")
)
_WAYS = {
    word: way
    for way, words in {
        "replaced": "replaced exchanged swapped",
        "repaired": "repaired fixed mended",
        "serviced": "serviced cleaned adjusted",
        "compensated": "compensated refunded refund reimbursed credited credit discount",
        "explained": "explained clarified",
    }.items()
    for word in words.split()
}


# --- What is owed ----------------------------------------------------------------------------------------


def _build_promise(client: Client, context: Context, case: Case) -> FollowUp:
    made = case.entry.day
    own = _find_own_day(case.entry)
    when = f" for {name_day(own[0])}{name_time(own[1])}" if own else ", without a date"
    title = _find_title(case.entry.text) or "Keep the promise"
    return _build(client, context, case, PROMISE, title, f"promised {name_day(made)}{when}")


def _build_complaint(
    client: Client, context: Context, contacts: Contacts, case: Case, as_of: date
) -> FollowUp:
    title = _entitle("Resolve the complaint", case.entry)
    reason = describe_complaint(contacts, case, as_of)
    found = _build(client, context, case, COMPLAINT, title, reason)
    return found._replace(step=RESOLVE, occasion=name_case(case, RESOLVE))


def _build(client: Client, context: Context, case: Case, kind: str, title: str, reason: str) -> FollowUp:
    """What falls on a case's own day, else on the next working day."""
    day, minute = find_day(case, context)
    return FollowUp(
        day, day, minute, True, kind, kind, None, name_case(case), title, reason,
        case.entry.path or client.path, case.entry.line, choose_channel(client), plan_minutes(client, context), 0,
    )  # fmt: skip


def find_day(case: Case, context: Context) -> tuple[date, int | None]:
    """The day, and the minute if there is one, on which a case falls: its own, else the next working day."""
    return _find_own_day(case.entry) or (context.calendar.after(case.entry.day, 1), None)


def is_on_its_own(case: Case, context: Context) -> bool:
    """Whether a complaint goes without the plan's steps: it has a day of its own, or the plan resolves none."""
    return _find_own_day(case.entry) is not None or not _is_resolved_by(context.plans)


def find_about(case: Case) -> str:
    """What a promise or a complaint is about, in the entry's words."""
    return _find_title(case.entry.text)


def name_case(case: Case, step: str = "") -> str:
    """The occasion of a case, or of a step of it: its day and words, and what tells it from its twins."""
    words = [step, case.entry.day.isoformat(), hash_text(case.entry.text), str(case.number or "")]
    return " ".join(filter(None, words))


def tell_complaint(found: FollowUp, remark: str, contacts: Contacts, case: Case, as_of: date) -> FollowUp:
    """A step of the complaints' plan in one complaint's own words."""
    if case.closed is None:
        reason = describe_complaint(contacts, case, as_of)
    else:
        how = f" ({case.how})" if case.how else ""
        reason = f"complaint of {name_day(case.entry.day)} resolved {name_day(case.closed)}{how}"
    return found._replace(
        rule=COMPLAINT,
        occasion=name_case(case, found.step or ""),
        title=_entitle(found.title, case.entry),
        reason=f"{reason}{remark}",
    )


def describe_complaint(contacts: Contacts, case: Case, as_of: date) -> str:
    """Since when it is open, and what became of it so far."""
    contact = find_acknowledged(contacts, case, case.entry.day, as_of)
    told = f"acknowledged {name_day(contact[0])}" if contact else "not acknowledged"
    substitute = f", substitute since {name_day(case.substitute)}" if case.substitute else ""
    return f"raised {name_day(case.entry.day)}, {told}{substitute}"


class Contacts:
    """When a client was in contact, found without looking through the whole log for each of many complaints."""

    def __init__(self, client: Client, log: list[Entry]) -> None:
        self._entries = [entry for entry in log if not entry.attempt]
        self._entry_days = [entry.day for entry in self._entries]
        self._places = [place for place, entry in enumerate(log) if not entry.attempt]
        # Of these the day alone is known: on that of a complaint they may have come before it.
        days = [task.done for task in client.tasks if task.done is not None and is_contact(task)]
        if client.last_contact is not None:
            days.append(client.last_contact.day)
        self._days = sorted(days)

    def find_first(self, case: Case, earliest: date) -> Iterator[tuple[date, str | None]]:
        """The log's first contact after a complaint was raised, and the first of those without a place in it."""
        at = max(bisect_right(self._places, case.place), bisect_left(self._entry_days, earliest))
        for entry in self._entries[at : at + 1]:
            yield entry.day, entry.channel
        at = max(bisect_right(self._days, case.entry.day), bisect_left(self._days, earliest))
        for day in self._days[at : at + 1]:
            yield day, None


def find_acknowledged(
    contacts: Contacts, case: Case, earliest: date, as_of: date
) -> tuple[date, str | None] | None:
    """The first contact after a complaint was raised, or its own entry where that says so: its day and channel."""
    raised = case.entry.day
    if ACKNOWLEDGE in case.entry.tags and not case.entry.attempt and earliest <= raised:
        return raised, case.entry.channel
    found = contacts.find_first(case, earliest)
    return min((each for each in found if each[0] <= as_of), key=lambda each: each[0], default=None)


def _entitle(title: str, entry: Entry) -> str:
    """A step's title with the words of the complaint, in place of what stands behind a colon in it."""
    about = _find_title(entry.text)
    return f"{title.partition(': ')[0]}: {about}" if about else title


# --- An entry's words ------------------------------------------------------------------------------------

_DAY_SIGN = r"[📅📆🗓]\ufe0f?[ \t\u00a0]*(?:\[\[)?([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\]\])?"
_CLOCK = r"(?:T|[ \t]+)([0-9]{1,2}:[0-9]{2})(?![0-9])"
_FIELDS = re.compile(
    rf"{_DAY_SIGN}(?:{_CLOCK})?"
    r"|\[[^\[\]()\n:]{1,60}::[^\[\]\n]*\]|\([^\[\]()\n:]{1,60}::[^()\n]*\)"
)
_LONGEST_TITLE = 120


def _find_own_day(entry: Entry) -> tuple[date, int | None] | None:
    """The day that the entry gives what it opens, and the time if there is one; times are the vault's zone's."""
    for key, value in entry.fields:
        written = parse_date(value) if key == "due" else None
        if written is not None:
            timed = written.minute is not None
            return written.day, written.minute if timed else _find_time(entry, value)
    return None


def _find_time(entry: Entry, day: str) -> int | None:
    """The time behind a 📅 with this day."""
    for sign in re.finditer(_DAY_SIGN + _CLOCK, f"{entry.outcome}\n{entry.text}"):
        if sign[1] == day:
            return parse_clock(sign[2])
    return None


def _find_title(text: str) -> str:
    """The entry's words on one line, without its fields and the tags at its end; other tags are words of it."""
    words = show_link(_FIELDS.sub(" ", text)).split()
    while words and _is_tag(words[-1]):
        words.pop()
    title = " ".join(word[1:] if _is_tag(word) else word for word in words)
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1].rstrip()}…"


def _is_tag(word: str) -> bool:
    return len(word) > 1 and word[0] == "#" and word[1] != "#"
