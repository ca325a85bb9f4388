"""The log's promises and complaints in, what is still owed for them out.

An entry tagged `#promise` or `#complaint` opens one, `#kept` or `#resolved` closes the oldest that is open.  A
complaint without a day of its own runs through the plan `complaint`: acknowledge it, resolve it, and ask some days
later whether all is well.  Tasks with these tags are the task rule's; here they only count as open complaints.

Like all rules this one knows no today: entries later than ``as_of`` have not happened yet.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.client import show_link
from notesync.followup.dates import WorkCalendar, add_interval, parse_clock, parse_date
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

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.plans import Plans, Step
    from notesync.notes.body import Entry, Task

PROMISE, COMPLAINT = "promise", "complaint"
# A step's tag settles it too: that of the step `resolve` is `#resolve`.
_CLOSINGS = {PROMISE: frozenset(("kept",)), COMPLAINT: frozenset(("resolved", "resolve"))}
_ALL_CLOSINGS = frozenset().union(*_CLOSINGS.values())

# The steps of the plan `complaint`: the first two count from the day it was raised, the check from `#resolved`.
ACKNOWLEDGE, RESOLVE, CHECK = "acknowledge", "resolve", "complaint-check"

_ONE_WAY = frozenset(("email", "message", "letter"))  # answers no question
_MISSED_AFTER = 30  # days after its window closed, which is never as long as that


class Case(NamedTuple):
    """A promise or complaint that an entry opened: its ``place`` in the ordered log, its ``number`` among equals.

    ``how`` are the words that say how it was resolved, ``substitute`` is since when the client has one.
    """

    entry: Entry
    place: int
    number: int
    closed: date | None = None
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
    """What is owed for the promises and complaints of the log: never missed, only overdue.

    A complaint whose steps are all switched off falls on the
    next working day, like a promise: no setting loses one.
    """
    log = order_tagged(client)
    if not log:
        return
    as_of = past.as_of
    for case in find_cases(client, log, PROMISE, as_of):
        if case.closed is None:
            yield _build_promise(client, context, case)
    complaints = find_cases(client, log, COMPLAINT, as_of)
    steps = _find_plan(context.plans) if complaints else {}
    for case in complaints:
        if case.closed is None:
            yield from _find_steps(client, context, log, case, steps, as_of)
    resolved = [(case, case.closed) for case in complaints if case.closed is not None]
    if resolved and CHECK in steps and not client.paused:
        yield from _find_checks(client, context, resolved, steps[CHECK], as_of)


def _find_plan(plans: Plans) -> dict[str, Step]:
    plan = plans.find(COMPLAINT)
    return {step.name: step for step in plan.steps} if plan else {}


def find_open_complaint(client: Client, as_of: date) -> date | None:
    """The day on which the oldest open complaint was raised, in the log or as a task; None without one.

    A task that was neither created nor written below an entry on a known day counts from the first day it names,
    and `date.min` stands for one that names none.
    """
    log = order_tagged(client)
    cases = find_cases(client, log, COMPLAINT, as_of) if log else []
    days = [case.entry.day for case in cases if case.closed is None]
    days += [_day_raised(task) for task in client.tasks if task.open and kind_of(task) == COMPLAINT]
    return min(days, default=None)


def _day_raised(task: Task) -> date:
    named = (day for day in (task.start, task.scheduled, task.due) if day is not None)
    return task.created or task.entry_day or min(named, default=date.min)


def order_log(log: Sequence[Entry]) -> list[Entry]:
    """The entries, oldest first.  Those of one day stand in the log's own order, newest first or last.

    Where the days do not tell which of the two it is, it is newest first, as new notes are, and what closes a
    promise or complaint comes after what opens one.
    """
    rising = sum((one.day < other.day) - (one.day > other.day) for one, other in pairwise(log))
    entries = log if rising > 0 else log[::-1]
    if rising:
        return sorted(entries, key=lambda entry: entry.day)
    return sorted(entries, key=lambda entry: (entry.day, not _ALL_CLOSINGS.isdisjoint(entry.tags)))


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
    equal: dict[tuple[date, str], int] = {}
    for said in _find_said(client, log, kind, as_of):
        opened = None
        if said.entry is not None and _opens(said.entry, kind):
            name = said.day, said.entry.text
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
        return case._replace(closed=said.day, how=how)
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
    due, minute = own or (context.calendar.after(made, 1), None)
    when = f" for {name_day(due)}{name_time(minute)}" if own else ", without a date"
    reason = f"promised {name_day(made)}{when}"
    found = _build(client, context, case, "", None, (due, due), reason)
    return found._replace(minute=minute, title=_find_title(case.entry.text) or "Keep the promise")


def _find_steps(
    client: Client, context: Context, log: list[Entry], case: Case, steps: dict[str, Step], as_of: date
) -> Iterator[FollowUp]:
    """An open complaint's steps; one with a day of its own has that and no other."""
    raised = case.entry.day
    acknowledged = _find_acknowledged(client, log, case, as_of)
    reason = f"raised {name_day(raised)}, "
    reason += f"acknowledged {name_day(acknowledged)}" if acknowledged else "not acknowledged"
    if case.substitute:
        reason += f", substitute since {name_day(case.substitute)}"
    names = [name for name in (ACKNOWLEDGE, RESOLVE) if name in steps]
    own = _find_own_day(case.entry)
    if own or not names:
        day, minute = own or (context.calendar.after(raised, 1), None)
        found = _build(client, context, case, RESOLVE, steps.get(RESOLVE), (day, day), reason)
        yield found._replace(minute=minute)
        return
    for name in names:
        if name == RESOLVE or not acknowledged:
            window = _find_window(steps[name], raised, context.calendar)
            yield _build(client, context, case, name, steps[name], window, reason)


def _find_acknowledged(client: Client, log: list[Entry], case: Case, as_of: date) -> date | None:
    """The day of the first contact after a complaint was raised, or of its own entry where that says so."""
    raised = case.entry.day
    if ACKNOWLEDGE in case.entry.tags and not case.entry.attempt:
        return raised
    later = (log[place] for place in range(case.place + 1, len(log)))
    first = next((entry.day for entry in later if not entry.attempt), None)
    days = [] if first is None else [first]
    # Of these the day alone is known: on that of the complaint they may have come before it.
    days += [task.done for task in client.tasks if task.done and task.done > raised and is_contact(task)]
    if client.last_contact is not None and client.last_contact.day > raised:
        days.append(client.last_contact.day)
    return min((day for day in days if day <= as_of), default=None)


def _find_checks(
    client: Client, context: Context, resolved: list[tuple[Case, date]], step: Step, as_of: date
) -> Iterator[FollowUp]:
    """Whether all is well after a complaint: settled by a contact from its first day on, before by its tag."""
    newest = _find_newest(client, step, as_of)
    tagged = sorted(_find_check_days(client, as_of))
    waits = "waits until the complaint is resolved" if find_open_complaint(client, as_of) is not None else ""
    for case, closed in sorted(resolved, key=lambda pair: pair[1]):
        settled = next((day for day in tagged if day >= closed), None)
        if settled is not None:
            tagged.remove(settled)
            continue
        opens, due = _find_window(step, closed, context.calendar)
        if newest is not None and newest >= opens:
            continue
        pause = client.paused_until
        expires = _find_expiry(due, context.since, pause and pause.day)
        if pause is not None and opens < pause.day <= due:
            opens = context.calendar.on_or_after(pause.day)
        how = f" ({case.how})" if case.how else ""
        reason = f"complaint of {name_day(case.entry.day)} resolved {name_day(closed)}{how}"
        found = _build(client, context, case, CHECK, step, (opens, due), reason)
        yield found._replace(expires=expires, waits=waits)


def _find_newest(client: Client, step: Step, as_of: date) -> date | None:
    """The newest contact that can settle the step: where it has questions, one that lets the client answer."""
    if not step.by_contact:
        return None
    days = [
        entry.day
        for entry in client.log
        if not entry.attempt and not (step.ask and entry.channel in _ONE_WAY)
    ]
    days += [task.done for task in client.tasks if task.done is not None and is_contact(task)]
    if client.last_contact is not None:
        days.append(client.last_contact.day)
    return max((day for day in days if day <= as_of), default=None)


def _find_check_days(client: Client, as_of: date) -> Iterator[date]:
    for entry in client.log:
        if CHECK in entry.tags and not entry.attempt and entry.day <= as_of:
            yield entry.day
    for task in client.tasks:
        if CHECK in task.tags and task.done is not None and task.done <= as_of and _was_done(task):
            yield task.done


def _find_expiry(due: date, since: date | None, paused_until: date | None) -> date:
    """The last day on which a step is still overdue; none where it closed in a pause or before the vault began."""
    if (paused_until is not None and due < paused_until) or (since is not None and due < since):
        return due
    return due + min(timedelta(_MISSED_AFTER), date.max - due)


def _find_window(step: Step, anchor: date, calendar: WorkCalendar) -> tuple[date, date]:
    """First and last day of a step, moved on from days off."""
    opens = calendar.on_or_after(add_interval(anchor, step.opens, calendar))
    return opens, max(opens, calendar.on_or_after(add_interval(anchor, step.closes, calendar)))


def _build(
    client: Client,
    context: Context,
    case: Case,
    name: str,
    step: Step | None,
    window: tuple[date, date],
    reason: str,
) -> FollowUp:
    """A follow-up of the case: of a complaint the step ``name``, as the plan has it; of a promise without one."""
    entry = case.entry
    occasion = [name, entry.day.isoformat(), hash_text(entry.text), str(case.number or "")]
    return FollowUp(
        opens=window[0],
        due=window[1],
        minute=None,
        contact=True,
        rule=COMPLAINT if name else PROMISE,
        kind=step.kind if step else COMPLAINT if name else PROMISE,
        step=name or None,
        occasion=" ".join(filter(None, occasion)),
        title=_entitle(step.title if step else "Resolve the complaint", entry),
        reason=reason,
        path=entry.path or client.path,
        line=entry.line,
        channel=_choose_way(client, step),
        minutes=_choose_minutes(client, context, step),
        wanted=0,
        ask=step.ask if step else (),
    )


def _entitle(title: str, entry: Entry) -> str:
    """A step's title with the words of the complaint, in place of what stands behind a colon in it."""
    about = _find_title(entry.text)
    return f"{title.partition(': ')[0]}: {about}" if about else title


def _choose_way(client: Client, step: Step | None) -> str:
    if step and step.channel and step.channel not in client.not_by:
        return step.channel
    return choose_channel(client)


def _choose_minutes(client: Client, context: Context, step: Step | None) -> int:
    if step and step.minutes and not client.minutes and client.stage not in context.minutes:
        return step.minutes
    return plan_minutes(client, context)


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
