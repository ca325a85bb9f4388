"""Clients in, what their notes hold for a review out: lines of all days, each with its place, and each client's state.

Every figure is a list of such lines, so that none can claim what they do not hold.  Of what period they are, and what
they add up to, is the business of the review.  This module knows no note, no disk and no clock: today is an argument.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from notesync.followup.dues import Due, describe, find_dues, list_contacts
from notesync.followup.figures import CHANNELS, Line
from notesync.followup.follow_up import find_past, is_contact, kind_of, name_day
from notesync.followup.occasions import find_sales
from notesync.followup.promises import (
    COMPLAINT,
    Case,
    Contacts,
    find_about,
    find_acknowledged,
    find_cases,
    order_tagged,
)
from notesync.followup.rules import name_company, shares_cadence, wanted_days
from notesync.notes.links import show_link

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.follow_up import Context
    from notesync.notes.body import Entry, Task

_ADVOCATE, _UPDATE = "advocate", "update"
_GOT = {"testimonial-got": "testimonials", "referral-got": "referrals"}
_PERCEIVED = ("satisfied", "unhappy")
_KNOWN_CHANNELS = frozenset(CHANNELS)

Lines = dict[str, list[Line]]


class State(NamedTuple):
    """What a client's state on a day is found from: contacts that their cadence counts, all that was due."""

    client: Client
    own: Sequence[date]
    shared: Sequence[date]
    dues: Sequence[Due]
    updates: Sequence[tuple[date, str, int, str]]
    wanted: int


class Evidence(NamedTuple):
    """What the notes of all clients hold: ``lines`` by figure, of any day, and each client's state.

    ``begins`` is the first day of which a log tells, ``told`` the tags that any entry has.
    """

    lines: Lines
    states: list[State]
    begins: date | None
    told: set[str]


def gather(
    clients: Sequence[Client],
    is_ours: Callable[[Client], bool],
    context: Context,
    today: date,
) -> Evidence:
    """What the notes of these clients hold up to today; only those of ``is_ours`` are reported.

    The others count where people of one company share a cadence.
    """
    company = _share_contacts(clients, context, today)
    evidence = Evidence(defaultdict(list), [], None, set())
    for client in clients:
        if is_ours(client):
            evidence = _add(evidence, client, context, today, company)
    return evidence


def _find_circle(client: Client) -> str:
    return normalize("NFC", name_company(client)).casefold().strip()


def _share_contacts(clients: Sequence[Client], context: Context, today: date) -> dict[str, set[date]]:
    """The days of contacts with anybody of a company, by the company."""
    found: dict[str, set[date]] = defaultdict(set)
    for client in clients:
        if shares_cadence(client, context.settings):
            found[_find_circle(client)].update(list_contacts(client, today))
    return found


def _add(
    evidence: Evidence, client: Client, context: Context, today: date, company: Mapping[str, set[date]]
) -> Evidence:
    own = list_contacts(client, today)
    shared = own
    if shares_cadence(client, context.settings):
        shared = sorted(company[_find_circle(client)])
    newest = shared[-1] if shared else None
    dues = find_dues(client, context, find_past(client, today, newest), shared)
    lines = evidence.lines
    entries = [entry for entry in client.log if entry.day <= today]
    _add_contacts(lines, client, entries, today)
    _add_dues(lines, client, dues, today)
    _add_sales(lines, client, dues, today)
    _add_losses(lines, client, entries, today)
    _add_complaints(lines, client, context, today)
    updates = list(_find_updates(client, entries, dues, context, today))
    _add_advocacy(lines, client, entries, context, today)
    first = _find_first_day(client, today)
    if first is not None:
        lines["new"].append(_line(first, client, "", f"known since {name_day(first)}"))
        if client.referred_by:
            lines["referrals"].append(_line(first, client, "", f"referred by {client.referred_by}"))
    wanted = wanted_days(client, context.settings)
    evidence.states.append(State(client, own, shared, dues, updates, wanted))
    evidence.told.update(tag for entry in entries for tag in entry.tags)
    logged = [entry.day for entry in entries] + [
        day for task in client.tasks if (day := task.done) and day <= today
    ]
    begins = min([*logged, *([evidence.begins] if evidence.begins else [])], default=None)
    return evidence._replace(begins=begins)


def _line(
    day: date, client: Client, part: str, words: str, at: Entry | Task | None = None, **more: object
) -> Line:
    path, line = ((at.path or client.path), at.line) if at is not None else (client.path, 1)
    return Line(day, client.name, path, line, part, words)._replace(**more)  # type: ignore[arg-type]


def _words(entry: Entry) -> str:
    text = " ".join(show_link(entry.text).split())
    said = f"{entry.channel or 'entry'}{f' ({entry.outcome})' if entry.outcome else ''}"
    return f"{said}: {text}" if text else said


def _channel(channel: str | None) -> str:
    if not channel:
        return "not said"
    return channel if channel in _KNOWN_CHANNELS else "other"


def _add_contacts(lines: Lines, client: Client, entries: Sequence[Entry], today: date) -> None:
    days = set()
    for entry in entries:
        hour = "" if entry.minute is None else str(entry.minute // 60)
        found = _line(entry.day, client, _channel(entry.channel), _words(entry), entry, item=hour)
        lines["attempts" if entry.attempt else "contacts"].append(found)
        if not entry.attempt:
            days.add(entry.day)
    for task in client.tasks:
        if task.done is not None and task.done <= today and is_contact(task):
            lines["contacts"].append(
                _line(task.done, client, "not said", f"ticked: {show_link(task.text)}", task)
            )
            days.add(task.done)
    noted = client.last_contact
    if noted is not None and noted.day <= today and noted.day not in days:
        place = Line(noted.day, client.name, client.path, noted.line, "not said", "noted as last_contact")
        lines["contacts"].append(place)


def _add_dues(lines: Lines, client: Client, dues: Sequence[Due], today: date) -> None:
    for due in dues:
        late = due.count_late(today)
        found = Line(
            due.closes,
            client.name,
            due.path,
            due.line,
            due.state,
            describe(due, today),
            due.kind,
            due.step,
            late,
        )
        lines["follow-ups"].append(found)
        if due.state == "late":
            lines["days-late"].append(found)
        if due.taken:
            lines["taken"].append(found)
        if due.step == "satisfaction":
            lines["satisfaction"].append(found)
        if due.kind == "promise":
            lines["promises"].append(found)


# Sales.


def _add_sales(lines: Lines, client: Client, dues: Sequence[Due], today: date) -> None:
    sales = [sale for sale in find_sales(client, today) if "sold" in sale.anchors]
    sales = [sale for sale in sales if sale.anchors["sold"].day <= today]
    of_sale: dict[date | None, list[Due]] = {}
    for due in dues:
        of_sale.setdefault(due.sold, []).append(due)
    told = _find_told(client) if sales else []
    for at, sale in enumerate(sales):
        sold = sale.anchors["sold"]
        following = sales[at + 1].anchors["sold"].day if at + 1 < len(sales) else None
        value = client.value if sale.value is None and following is None else sale.value
        base = Line(
            sold.day, client.name, sale.path or client.path, sold.line, "", f"sold {name_day(sold.day)}"
        )
        lines["sales"].append(base)
        known = "value known" if value is not None else "value not known"
        lines["value-won"].append(base._replace(part=known, amount=value))
        lines["sales-followed"].append(_judge_sale(base, of_sale.get(sold.day, ())))
        lines["perception"].append(
            _perceive(base, client, told, sold.day, today if following is None else following - timedelta(1))
        )


def _judge_sale(base: Line, steps: Sequence[Due]) -> Line:
    """The sale with how its after-sale steps went, so far as they were due."""
    if not steps:
        return base._replace(part="nothing due yet", words=f"{base.words}, nothing due yet")
    in_time = [due for due in steps if due.state == "in window"]
    words = f"{base.words}: {len(in_time)} of {len(steps)} steps in time"
    wanting = [f"{due.step} {due.state}" for due in steps if due.state != "in window"]
    if not wanting:
        return base._replace(part="all in time", words=words)
    none = all(due.settled is None for due in steps)
    return base._replace(
        part="none settled" if none else "not all in time", words=f"{words}; {', '.join(wanting)}"
    )


def _find_told(client: Client) -> list[tuple[date, int, str, Entry]]:
    """The entries in which the client says how they like it, with the tag that says so, the newest last."""
    found = []
    for at, entry in enumerate(client.log):
        tag = next((tag for tag in _PERCEIVED if tag in entry.tags), None)
        if tag is not None:
            found.append((entry.day, -at, tag, entry))
    return sorted(found, key=lambda each: each[:2])


def _perceive(
    base: Line, client: Client, told: Sequence[tuple[date, int, str, Entry]], sold: date, last: date
) -> Line:
    """The newest word of the client between a sale and the day before the next."""
    at = bisect_right(told, last, key=lambda each: each[0]) - 1
    if at < 0 or told[at][0] < sold:
        return base._replace(part="unknown", words=f"{base.words}: nothing says how they like it")
    _, _, tag, entry = told[at]
    words = f"{base.words}: {tag} on {name_day(entry.day)}"
    return base._replace(part=tag, words=words, path=entry.path or client.path, line=entry.line)


def _add_losses(lines: Lines, client: Client, entries: Sequence[Entry], today: date) -> None:
    lost = client.anchors.get("lost")
    if lost is None or lost.day > today:
        return
    reason, entry = _find_reason(entries, lost.day)
    words = (
        f"lost {name_day(lost.day)}: {reason}" if reason else f"lost {name_day(lost.day)}, no reason noted"
    )
    part = "with a reason" if reason else "without a reason"
    base = Line(lost.day, client.name, client.path, lost.line, part, words, item=reason)
    if entry is not None:
        base = base._replace(path=entry.path or client.path, line=entry.line)
    lines["lost"].append(base)
    known = "value known" if client.value is not None else "value not known"
    lines["value-lost"].append(base._replace(part=known, amount=client.value))


def _find_reason(entries: Sequence[Entry], lost: date) -> tuple[str, Entry | None]:
    """Why there was no sale: in the words of the newest entry tagged so, else of the one that notes the loss."""
    tagged = [
        entry
        for entry in entries
        if "reasons" in entry.tags and not entry.attempt and entry.day >= lost - timedelta(7)
    ]
    if tagged:
        entry = max(tagged, key=lambda each: each.day)
        return _strip_tags(entry.text), entry
    for entry in entries:
        start, _, reason = entry.text.partition(":")
        if entry.day == lost and start.strip().casefold() == "lost" and reason.strip():
            return _strip_tags(reason), entry
    return "", None


def _strip_tags(text: str) -> str:
    words = show_link(text).split()
    while words and words[-1].startswith("#"):
        words.pop()
    while words and words[0].startswith("#"):
        words.pop(0)
    return " ".join(words)


# Complaints.


def _add_complaints(lines: Lines, client: Client, context: Context, today: date) -> None:
    log = order_tagged(client)
    contacts = Contacts(client, log)
    for case in find_cases(client, log, COMPLAINT, today) if log else ():
        first = find_acknowledged(contacts, case, case.entry.day, today)
        tag = next((tag for tag in case.entry.tags if tag not in context.plans.tags and tag != COMPLAINT), "")
        base = _line(case.entry.day, client, "", find_about(case) or "a complaint", case.entry, item=tag)
        _add_complaint(lines, base, _name_end(case), first and first[0], case.closed)
    for task in client.tasks:
        raised = task.created or task.entry_day
        if (
            kind_of(task) != COMPLAINT
            or raised is None
            or raised > today
            or task.mark == "-"
            or task.cancelled
        ):
            continue
        closed = task.done if task.done is not None and task.done <= today else None
        if not task.open and closed is None:
            continue  # nobody can know when
        contact = next((day for day in list_contacts(client, today) if day > raised), None)
        base = _line(raised, client, "", show_link(task.text), task)
        _add_complaint(lines, base, "open" if closed is None else "in another way", contact, closed)


def _name_end(case: Case) -> str:
    if case.closed is None:
        return "open"
    return case.how.partition(",")[0] or "in another way"


def _add_complaint(lines: Lines, base: Line, end: str, first: date | None, closed: date | None) -> None:
    lines["complaints"].append(base._replace(part=end, words=f"{base.words} ({end})"))
    for figure, day, parts in (
        ("complaint-contact", first, ("contacted", "not yet")),
        ("complaint-end", closed, ("resolved", "open")),
    ):
        days = None if day is None else (day - base.day).days
        part = parts[0] if day is not None else parts[1]
        how = f"{part} {name_day(day)}" if day is not None else part
        lines[figure].append(base._replace(part=part, amount=days, words=f"{base.words}: {how}"))


# Asked, got, told.


def _add_advocacy(
    lines: Lines, client: Client, entries: Sequence[Entry], context: Context, today: date
) -> None:
    asking = {
        _ADVOCATE,
        *(step.tag for plan in context.plans.plans for step in plan.steps if step.kind == _ADVOCATE),
    }
    for entry in entries:
        if entry.attempt:
            continue
        if not asking.isdisjoint(entry.tags):
            lines["asked"].append(_line(entry.day, client, "", _words(entry), entry))
        for tag in _GOT.keys() & set(entry.tags):
            lines[_GOT[tag]].append(_line(entry.day, client, "", _words(entry), entry))
    for task in client.tasks:
        if task.done and task.done <= today and task.mark != "-" and not asking.isdisjoint(task.tags):
            lines["asked"].append(_line(task.done, client, "", f"ticked: {show_link(task.text)}", task))


def _find_updates(
    client: Client, entries: Sequence[Entry], dues: Sequence[Due], context: Context, today: date
) -> Iterator[tuple[date, str, int, str]]:
    """When the client was told of what is new: the day, the place, the words."""
    tags = {
        _UPDATE,
        *(step.tag for plan in context.plans.plans for step in plan.steps if step.kind == _UPDATE),
    }
    for entry in entries:
        if not entry.attempt and not tags.isdisjoint(entry.tags):
            yield entry.day, entry.path or client.path, entry.line, _words(entry)
    for task in client.tasks:
        if task.done and task.done <= today and task.mark != "-" and not tags.isdisjoint(task.tags):
            yield task.done, task.path or client.path, task.line, f"ticked: {show_link(task.text)}"
    for due in dues:
        if due.kind == _UPDATE and due.taken and due.settled is not None:
            yield due.settled, due.path, due.line, f"taken for: {due.title}"


def _find_first_day(client: Client, today: date) -> date | None:
    if client.created is not None:
        return client.created.day if client.created.day <= today else None
    days = [entry.day for entry in client.log] + [anchor.day for anchor in client.anchors.values()]
    days += [day for task in client.tasks if (day := task.created or task.done) is not None]
    first = min((day for day in days if day <= today), default=None)
    if first is not None and client.last_contact is not None and client.last_contact.day < first:
        return None  # they were known before anything that the note has kept
    return first
