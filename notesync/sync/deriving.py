"""Notes in, their rows for the index out: what a client's note says, what follows from it, what else it tells.

Nothing here reads a file or asks the index: what other notes add to a client comes as ``Ties``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from unicodedata import normalize

from notesync.followup.agenda import BEHIND, CADENCE, CONFLICT, CONTACT, WAITS
from notesync.followup.card import Card
from notesync.followup.card import to_text as to_card_text
from notesync.followup.client import Client, find_other_type, is_client, is_made, read_client
from notesync.followup.follow_up import (
    KINDS,
    Context,
    FollowUp,
    Found,
    Past,
    done_date,
    earlier,
    find_past,
    later,
)
from notesync.followup.plans import find_plan_problems
from notesync.followup.rules import find_follow_ups, name_company, shares_cadence, wanted_days
from notesync.followup.settings import Settings
from notesync.followup.unmerged import find_unmerged
from notesync.notes.body import parse_bodies, parse_body
from notesync.notes.lines import read_day
from notesync.notes.mention import to_text
from notesync.notes.note import Note
from notesync.problems import WARNING, Problem
from notesync.publish.text import clean, line_parts
from notesync.store.index import FIRST_DAY, LAST_DAY, rank_letter
from notesync.store.rows import ClientRow, FollowUpRow, NoteRow
from notesync.sync.counting import PASSING, number_copies
from notesync.sync.sides import find_versions, merge_mentions, read_alone, split_sides
from notesync.sync.ties import FREE, UNTIED, Ties, add_ties, find_awaited, find_held, offer_tasks

_RANKS = {kind: rank for rank, kind in enumerate(KINDS)}


def build_rows(
    notes: Sequence[tuple[Note, bytes]], context: Context, today: date, ties: Mapping[str, Ties] = FREE
) -> list[NoteRow]:
    """What notes, each with its bytes' digest, give the index; in any order.  ``ties`` are by path.

    One step after the other for all of them, and not note after note: a step's code then stays in the
    processor's cache, which saves a fifth of the time.
    """
    settings = context.settings
    ours: list[tuple[Note, bytes]] = []
    others: list[tuple[Note, bytes]] = []
    sides: dict[str, Client] = {}
    for each in notes:
        if not is_client(each[0], settings):
            others.append(each)
            continue
        note, *others_side = split_sides(each[0], settings)
        if others_side:
            sides[note.path] = read_alone(others_side[0], context)
        ours.append((note, each[1]))
    headings, tasks_filter = settings.log_headings, context.tasks_filter
    bodies = parse_bodies([note for note, _ in ours], headings, tasks_filter)
    read = [read_client(note, body, settings) for (note, _), body in zip(ours, bodies, strict=True)]
    derived = [
        derive(client, context, today, ties.get(client.path, UNTIED), sides.get(client.path))
        for client, _ in read
    ]
    rows = [
        NoteRow(
            note.path, digest, False, each.client, each.follow_ups, (*note.problems, *body.problems, *problems),
            (), offer_tasks(body.tasks), each.awaited,
        )
        for (note, digest), body, (_, problems), each in zip(ours, bodies, read, derived, strict=True)
    ]  # fmt: skip
    for at, (note, _) in enumerate(ours):
        if found := _find_more_problems(note, read[at][0], context, ties.get(note.path, UNTIED)):
            rows[at] = rows[at]._replace(problems=(*rows[at].problems, *found))
    return rows + [_build_other_row(note, digest, context) for note, digest in others]


def _build_other_row(note: Note, digest: bytes, context: Context) -> NoteRow:
    """The row of a note that is no client's: what it says of clients, and whether it should be one."""
    problems = find_other_type(note, context.settings)
    if not any(sign in note.text for sign in _TELLING) or is_made(note):
        return NoteRow(note.path, digest, False, None, (), problems)
    daily = find_daily(note.path)
    bodies = [
        parse_body(each, context.settings.log_headings, context.tasks_filter, daily)
        for each in split_sides(note, context.settings)
    ]
    mentions = [
        ("\n".join(targets), to_text(said, wrong))
        for targets, said, wrong in merge_mentions(bodies, note.path)
    ]
    return NoteRow(note.path, digest, False, None, (), problems, mentions, offer_tasks(bodies[0].tasks))


_TELLING = ("[[", "](", "🆔", "id::")  # links, and the ids of tasks that others may wait for


def find_daily(path: str) -> date | None:
    """The day of a daily note, which is one named by its date; also of its conflict copies."""
    name = path.rpartition("/")[2].removesuffix(".md")
    day = read_day(name[:_DAY_LENGTH])
    if day is None or len(name) == _DAY_LENGTH:
        return day
    from notesync.store.conflicts import find_original_name

    return day if len(find_original_name(path).removesuffix(".md")) == _DAY_LENGTH else None


_DAY_LENGTH = len("2026-11-22")


def _find_more_problems(note: Note, client: Client, context: Context, ties: Ties) -> tuple[Problem, ...]:
    """What is wrong with a note in view of the plans and of other notes."""
    found = ties.problems
    if client.do_not_contact and ties.heard:
        found += tuple(find_held(client, ties))
    if client.plan:
        found += find_plan_problems(client, context.plans, *find_place(note, "plan", context))
    if ties.twin and ties.claim == client.id:
        found += (_report_twin(note, ties.twin, *find_place(note, "id", context)),)
    return found


def find_place(note: Note, key: str, context: Context) -> tuple[int, int]:
    found = note.get(context.settings.fields.get(key, key)) or note.get(key)
    return (found.line, found.column) if found is not None else (1, 1)


def _report_twin(note: Note, twin: str, line: int, column: int) -> Problem:
    return Problem(
        note.path, line, column, "duplicate-id", WARNING,
        f"The note {twin} has the same id, so this one goes by its path.",
        "If both are of one client, bring them together in one note; else give this one another id.",
    )  # fmt: skip


class Derived(NamedTuple):
    """What comes of a client: its row, those of the follow-ups, and what its tasks wait for in other notes."""

    client: ClientRow
    follow_ups: list[FollowUpRow]
    awaited: list[tuple[str, str]]


def derive(
    client: Client, context: Context, today: date, ties: Ties = UNTIED, side: Client | None = None
) -> Derived:
    """A client's follow-ups as of a day, as the index stores them, with what other notes add to them.

    ``side`` is the other side of a merge in the client's own note that nobody finished.
    """
    twin = ties.twin if ties.claim == client.id else ""
    client = add_ties(client, ties)
    circle = _find_circle(client)
    shared = ties.company if ties.circle == circle else None
    past = find_past(client, today, shared)
    found = find_follow_ups(client, context, past, ties.awaited)
    awaited = dict(find_awaited(client, ties))
    rows = build_follow_up_rows(_tell_early(found), client)
    versions = find_versions(client, ties, side)
    first, until = found.first, found.until
    if versions:
        unmerged = find_unmerged(client, past, found.open, versions, context, ties.awaited)
        rows += build_follow_up_rows(unmerged.follow_ups, client, CONFLICT)
        first, until = later(first, unmerged.first), earlier(until, unmerged.until)
        awaited |= {name: words for each in versions for name, words in find_awaited(each.client, ties)}
    rows += ties.kept
    card = build_card(client, past, context.settings)
    contact = None if past.contact is None else past.contact.toordinal()
    counted = None
    if circle and shares_cadence(client, context.settings):
        counted = max(contact or 0, 0 if shared is None else shared.toordinal())
    row = ClientRow(
        client.key,
        clean(client.name),
        clean(client.company),
        "\n".join(client.aliases),
        normalize("NFC", "\n".join(("", *client.owners, ""))).casefold(),
        client.stage,
        FIRST_DAY if first is None else first.toordinal(),
        LAST_DAY if until is None else until.toordinal(),
        "".join([rank_letter(_RANKS[kind]) for kind in found.missed]),
        client.id or None,
        twin,
        circle,
        contact,
        counted,
        ties.heard,
        PASSING
        if ties.is_passing
        else number_copies(ties.stands, [(each.path, each.digest, each.stale) for each in ties.copies]),
        to_card_text(card),
    )
    return Derived(row, rows, list(awaited.items()))


def _tell_early(found: Found) -> list[FollowUp]:
    """The open follow-ups; the first says of what was logged today that it was too early, if it was."""
    if not found.early or not found.open:
        return found.open
    first, *others = found.open
    return [first._replace(reason="; ".join((first.reason, *found.early))), *others]


def build_card(client: Client, past: Past, settings: Settings) -> Card:
    """A client's card as of the day of their past."""
    pause = client.paused_until
    return Card(
        client.path,
        client.key,
        client.id,
        client.name,
        client.company,
        client.stage,
        client.owners,
        client.value,
        client.phones,
        client.emails,
        client.contact_by,
        client.best_time,
        past.contact,
        done_date(client, past.as_of),
        wanted_days(client, settings),
        client.role,
        client.address,
        client.website,
        client.aliases,
        client.not_by,
        client.minutes,
        pause and pause.day,
        client.paused,
        client.do_not_contact,
    )


def _find_circle(client: Client) -> str | None:
    return normalize("NFC", clean(name_company(client))).casefold().strip() or None


def build_follow_up_rows(found: Sequence[FollowUp], client: Client, conflict: int = 0) -> list[FollowUpRow]:
    """The rows of follow-ups; with ``conflict`` as a flag, of those that only a conflict copy holds.

    None of these is a contact for whatever the note that counts asks: that must not stand behind it.
    """
    agreed = "next-contact" in [each.rule for each in found]
    name, value = client.name, client.value
    sorted_by = name.casefold()
    rows = []
    for each in found:
        opens, due, minute, contact, rule, kind = each[:6]
        flags = conflict or (CONTACT if contact else 0)
        if rule == "cadence":
            flags |= CADENCE | BEHIND if agreed else CADENCE
        expires, retry_on = each.expires, each.retry_on
        if each.waits:
            flags |= WAITS
        head, tail = line_parts(each.path, each.line, name, each.title, kind, conflict)
        judged = (
            _RANKS[kind],
            flags,
            None if opens is None else opens.toordinal(),
            None if due is None else due.toordinal(),
            minute,
            value,
            sorted_by,
            head,
            f" {_moment(due, minute)}{tail}",
            None if expires is None else expires.toordinal(),
            None if retry_on is None else retry_on.toordinal(),
        )
        rows.append(
            _new(FollowUpRow, judged + each[_RULE:_BEYOND] + (each.attempts, "\n".join(each.ask), each.waits))
        )
    return rows


_new = tuple.__new__  # half the constructor's time, for what a vault has by the ten thousand
_RULE, _BEYOND = FollowUp._fields.index("rule"), FollowUp._fields.index("wanted") + 1  # the same in a row


def _moment(due: date | None, minute: int | None) -> str:
    if due is None:
        return "-"
    return due.isoformat() if minute is None else f"{due}T{minute // 60:02}:{minute % 60:02}"
