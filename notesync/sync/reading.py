"""A note's bytes in, its rows for the index out: parse, read, derive.

It is imported only when something changed, and brings the YAML reader and the rules with it.
Everything that can go wrong in one note stays in that note.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from unicodedata import normalize

from notesync.followup.agenda import BEHIND, CADENCE, CONFLICT, CONTACT, WAITS
from notesync.followup.card import Card
from notesync.followup.card import to_text as to_card_text
from notesync.followup.client import (
    Client,
    find_key,
    find_known_keys,
    find_other_type,
    is_client,
    is_made,
    read_client,
)
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
from notesync.notes.note import Note, normalise_key, parse_note
from notesync.problems import ERROR, WARNING, Problem
from notesync.publish.text import clean, line_parts
from notesync.store.index import FIRST_DAY, LAST_DAY, Index, KnownNote, rank_letter
from notesync.store.rows import ClientRow, FollowUpRow, NoteRow
from notesync.store.vault import Unreadable, Vault, digest_of
from notesync.store.writing import fold
from notesync.sync.counting import PASSING, number_copies
from notesync.sync.refresh import Found as New
from notesync.sync.refresh import Taken, seconds_left
from notesync.sync.sides import (
    find_versions,
    is_marked,
    merge_mentions,
    read_alone,
    read_versions,
    split_sides,
)
from notesync.sync.ties import (
    FREE,
    UNTIED,
    CopyTie,
    Ties,
    add_ties,
    find_awaited,
    find_held,
    find_ties,
    offer_tasks,
)

STILL_WRITTEN = 5_000_000_000  # nanoseconds: a note that changed less long ago may be half-written
AT_ONCE = 50  # notes that are taken from step to step together: few enough for the processor's cache
RETRY = 0.2  # seconds until a note that was good before and is broken now is looked at once more
_RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
_STALE_HINT = "Its last known follow-ups are shown until it can be read again."


class Reader:
    """Takes notes whose bytes are new into the index, one batch in the caller's transaction."""

    def __init__(
        self,
        vault: Vault,
        index: Index,
        context: Context,
        today: date,
        pause: Callable[[float], None],
        patience: float = 0.0,
    ) -> None:
        self.held: dict[str, float] = {}  # half-written notes, and the seconds for which we wait for each
        self.broken: list[str] = []  # notes of which only the last good rows are left from now on
        self._patience = patience
        self._vault = vault
        self._index = index
        self._context = context
        self._known_keys = find_known_keys(context.settings)
        self._today = today
        self._pause = pause
        self._patient = True

    @property
    def settings(self) -> Settings:
        """The settings that notes are read by."""
        return self._context.settings

    def take(self, found: Sequence[New], taken: Taken) -> None:
        """Parse and store these notes, and add to what has been ``taken`` in."""
        taken.keys.update(each.known.key for each in found if each.known is not None)
        known = [each.known.key for each in found if each.known is not None and each.known.is_client]
        ties = self._find_ties(known) if known else {}
        rows: list[tuple[int | None, NoteRow]] = []
        for at in range(0, len(found), AT_ONCE):
            for each, row in self._look(found[at : at + AT_ONCE], ties):
                self._count(each, row, taken)
                rows.append((each.key if each else None, row))
        self._index.store(rows)

    def take_again(self, keys: Sequence[int], taken: Taken) -> None:
        """Derive these clients' rows again, from the same bytes, and add to what has been ``taken`` in.

        Of a note that cannot be read now, or that has changed since it was looked at, the rows stay as they are.
        """
        taken.keys.update(keys)
        ties = self._find_ties(keys)
        notes = list(self._index.notes(keys))
        for at in range(0, len(notes), AT_ONCE):
            same = []
            known: dict[str, KnownNote] = {}
            for key, path, each in notes[at : at + AT_ONCE]:
                data = self._read_same(path, each)
                if data is None:
                    self._index.keep(key, self._today.toordinal())
                    self._try_again_unless(each.stale)
                else:
                    known[path] = each
                    same.append((parse_note(data, path, self._known_keys), each.digest))
            rows = self._build_rows(same, {path: ties[each.key] for path, each in known.items()})
            for row in rows:
                self._count_items(known[row.path].key, row, taken)
            self._index.store([(known[row.path].key, row) for row in rows])

    def read_identity(self, path: str) -> tuple[str, int, int]:
        """The name that a note writes down, as names are compared ('': none), and where its id stands."""
        try:
            note = parse_note(self._vault.read(path, time.time_ns()).data, path, self._known_keys)
        except Unreadable:
            return "", 1, 1
        named = note.get(normalise_key(find_key(note, "name", self._context.settings)))
        name = read_alone(note, self._context).name if named is not None and named.values else ""
        return fold(name), *_find_place(note, "id", self._context)

    def _find_ties(self, keys: Sequence[int]) -> dict[int, Ties]:
        """The ties of clients, with what their conflict copies say."""
        found = find_ties(self._index, keys)
        for key, ties in found.items():
            if ties.copies:
                found[key] = self._read_copies(key, ties)
        return found

    def _read_copies(self, key: int, ties: Ties) -> Ties:
        """Of a copy that cannot be read now what came of it stays; also of one that changes just now.

        One of which that is not known yet is not among the copies which the client's row will say that it was made
        with; and what stays of a copy that changes holds for now, whatever becomes of the copy.
        """
        versions: list[Client] = []
        kept: list[FollowUpRow] = []
        read = []
        for copy in ties.copies:
            data = self._read_copy(copy)
            self._try_again_unless(copy.stale or data is not None)
            same = data is not None and digest_of(data) == copy.digest
            if same or copy.stale:
                read.append(copy)
            if data is not None and same:
                versions += read_versions(parse_note(data, copy.path, self._known_keys), self._context)
            else:
                rows = self._index.copied_rows(key, copy.path, CONFLICT)
                kept += (FollowUpRow._make(row) for row in rows)
        passing = len(read) < len(ties.copies)
        return ties._replace(
            copies=tuple(read), versions=tuple(versions), kept=tuple(kept), is_passing=passing
        )

    def _try_again_unless(self, known: bool) -> None:
        """Have the next refresh settle everything, unless it is known why a note could not be read for its client.

        It may be away for a moment and come back unchanged, and then nothing else would tell.
        """
        if not known:
            self._index.remember(unfinished="yes")

    def _read_copy(self, copy: CopyTie) -> bytes | None:
        if copy.stale:
            return None
        try:
            return self._vault.read(copy.path, time.time_ns()).data
        except Unreadable:
            return None

    def _read_same(self, path: str, known: KnownNote) -> bytes | None:
        if known.stale:
            return None
        try:
            data = self._vault.read(path, time.time_ns()).data
        except Unreadable:
            return None
        return data if digest_of(data) == known.digest else None

    def _count(self, known: KnownNote | None, row: NoteRow, taken: Taken) -> None:
        taken.touch(self._index, known.key if known is not None else None, row)
        if known is not None and known.is_client:
            self._count_items(known.key, row, taken)
            taken.changed.append(row.path)
        elif row.client is not None:
            taken.added += len(row.follow_ups)
            taken.changed.append(row.path)

    def _count_items(self, key: int, row: NoteRow, taken: Taken) -> None:
        before = self._index.identities(key)
        after = {(r.rule, r.occasion, r.opens, r.due, r.minute) for r in row.follow_ups}
        taken.added += len(after - before)
        taken.removed += len(before - after)
        if row.client is not None and row.client.circle is not None:
            taken.circles.add(row.client.circle)

    def _look(
        self, found: Sequence[New], ties: Mapping[int, Ties]
    ) -> Iterator[tuple[KnownNote | None, NoteRow]]:
        """What is known of notes and their new rows; nothing of a note whose last good rows stay."""
        known: dict[str, KnownNote | None] = {}
        notes: list[tuple[Note, bytes]] = []
        tied: dict[str, Ties] = {}
        for each in found:
            known[each.path] = each.known
            if each.known is not None and each.known.key in ties:
                tied[each.path] = ties[each.known.key]
            read = self._parse(each)
            if isinstance(read, NoteRow):
                yield each.known, read
            elif read is not None:
                notes.append(read)
        for row in self._build_rows(notes, tied):
            yield known[row.path], row

    def _parse(self, found: New) -> tuple[Note, bytes] | NoteRow | None:
        """A note and its bytes' digest; of one that says nothing now its row, or None for the last good ones."""
        path, known, content, digest = found
        if isinstance(content, Unreadable):
            return self._without(path, known, (_unreadable(path, content, known),))
        note = parse_note(content.data, path, self._known_keys)
        if known is None or not known.is_client or is_marked(note) or not _is_torn(note):
            return note, digest
        if (left := seconds_left(content, self._patience)) > 0:
            self.held[path] = left
            self._index.found_again(known.key)
            return None
        if self._patient and content.changed_ns > time.time_ns() - STILL_WRITTEN:
            self._patient = False  # once a refresh: the waits of a broken sync must not add up
            self._pause(RETRY)
            return self._parse(self._read_again(found))
        return self._without(path, known, (*note.problems, *_torn(path, note)))

    def _read_again(self, found: New) -> New:
        try:
            content = self._vault.read(found.path, time.time_ns())
        except Unreadable as error:
            return found._replace(content=error)
        return found._replace(content=content, digest=digest_of(content.data))

    def _build_rows(self, notes: Sequence[tuple[Note, bytes]], ties: Mapping[str, Ties]) -> list[NoteRow]:
        try:
            return build_rows(notes, self._context, self._today, ties)
        except Exception:  # one note must never stop the rest, whatever our mistake
            return [self._build_row(note, digest, ties) for note, digest in notes]

    def _build_row(self, note: Note, digest: bytes, ties: Mapping[str, Ties]) -> NoteRow:
        try:
            return build_rows([(note, digest)], self._context, self._today, ties)[0]
        except Exception as error:
            problem = Problem(
                note.path, 1, 1, "unexpected", ERROR,
                f"notesync failed on this note ({type(error).__name__}: {error}).",
                "Please report it with the note, its names changed.",
            )  # fmt: skip
            return NoteRow(note.path, digest, False, None, (), (problem,))

    def _without(self, path: str, known: KnownNote | None, problems: Sequence[Problem]) -> NoteRow | None:
        """A note that says nothing now: its last good rows stay, marked stale; unknown, it only has problems."""
        if known is not None and known.is_client:
            self._index.mark_stale(known.key, problems)
            if not known.stale:
                self.broken.append(path)
            return None
        return NoteRow(path, b"", False, None, (), problems)


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
        found += find_plan_problems(client, context.plans, *_find_place(note, "plan", context))
    if ties.twin and ties.claim == client.id:
        found += (_report_twin(note, ties.twin, *_find_place(note, "id", context)),)
    return found


def _find_place(note: Note, key: str, context: Context) -> tuple[int, int]:
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


def _is_torn(note: Note) -> bool:
    """Whether a note that was a client's looks half-written, or cannot be read: not like a person's wish."""
    text = note.text.strip()
    return note.broken or len(text) < 4 or "\0" in (text[0], text[-1]) or _is_cut(note)


def _is_cut(note: Note) -> bool:
    """Whether front matter begins and ends nowhere, before anything in it looks like a property."""
    return note.header_start < 0 and note.text.startswith("---") and "\n---" not in note.text


def _torn(path: str, note: Note) -> tuple[Problem, ...]:
    """What is wrong with a torn note, where its reading found nothing."""
    hint = f"Restore it from the sync app's history, or delete it. {_STALE_HINT}"
    if not note.text.strip():
        return (Problem(path, 1, 1, "empty-note", ERROR, "This client's note is empty.", hint),)
    if _is_cut(note):
        message = "This client's note ends in the middle of its front matter."
        return (Problem(path, 1, 1, "unclosed-front-matter", ERROR, message, hint),)
    return ()


def _unreadable(path: str, error: Unreadable, known: KnownNote | None) -> Problem:
    hint = f"{error.hint} {_STALE_HINT}" if known is not None and known.is_client else error.hint
    return Problem(path, 1, 1, error.code, ERROR, str(error), hint)
