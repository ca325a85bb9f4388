"""A note's bytes in, its rows for the index out: parse, read, derive.

It is imported only when something changed, and brings the YAML reader and the rules with it.
Everything that can go wrong in one note stays in that note.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple
from unicodedata import normalize

from notesync.followup.agenda import BEHIND, CADENCE, CONTACT, WAITS
from notesync.followup.client import (
    Client,
    find_known_keys,
    find_other_type,
    is_client,
    read_client,
    to_facts,
)
from notesync.followup.follow_up import KINDS, Context, FollowUp, find_past
from notesync.followup.rules import find_follow_ups, find_missed
from notesync.notes.body import parse_body
from notesync.notes.note import Note, parse_note
from notesync.problems import ERROR, Problem
from notesync.publish.text import clean, line_parts
from notesync.store.index import FIRST_DAY, LAST_DAY, ClientRow, FollowUpRow, Index, KnownNote, NoteRow
from notesync.store.vault import Unreadable, Vault
from notesync.sync.refresh import Found, Taken, digest_of

STILL_WRITTEN = 5_000_000_000  # nanoseconds: a note that changed less long ago may be half-written
AT_ONCE = 50  # notes that are taken from step to step together: few enough for the processor's cache
RETRY = 0.2  # seconds until a note that was good before and is broken now is looked at once more
_RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
_STALE_HINT = "Its last known follow-ups are shown until it can be read again."


class Reader:
    """Takes notes whose bytes are new into the index, one batch in the caller's transaction."""

    def __init__(
        self, vault: Vault, index: Index, context: Context, today: date, pause: Callable[[float], None]
    ) -> None:
        self._vault = vault
        self._index = index
        self._context = context
        self._known_keys = find_known_keys(context.settings)
        self._today = today
        self._pause = pause
        self._patient = True

    def take(self, found: Sequence[Found], taken: Taken) -> None:
        """Parse and store these notes, and add to what has been ``taken`` in."""
        rows: list[tuple[int | None, NoteRow]] = []
        for at in range(0, len(found), AT_ONCE):
            for known, row in self._look(found[at : at + AT_ONCE]):
                self._count(known, row, taken)
                rows.append((known.key if known else None, row))
        self._index.store(rows)

    def _count(self, known: KnownNote | None, row: NoteRow, taken: Taken) -> None:
        if known is not None and known.is_client:
            before = self._index.identities(known.key)
            after = {(r.rule, r.occasion, r.opens, r.due, r.minute) for r in row.follow_ups}
            taken.added += len(after - before)
            taken.removed += len(before - after)
            taken.changed.append(row.path)
        elif row.client is not None:
            taken.added += len(row.follow_ups)
            taken.changed.append(row.path)

    def _look(self, found: Sequence[Found]) -> Iterator[tuple[KnownNote | None, NoteRow]]:
        """What is known of notes and their new rows; nothing of a note whose last good rows stay."""
        known: dict[str, KnownNote | None] = {}
        notes: list[tuple[Note, bytes]] = []
        for each in found:
            known[each.path] = each.known
            read = self._parse(each)
            if isinstance(read, NoteRow):
                yield each.known, read
            elif read is not None:
                notes.append(read)
        for row in self._build_rows(notes):
            yield known[row.path], row

    def _parse(self, found: Found) -> tuple[Note, bytes] | NoteRow | None:
        """A note and its bytes' digest; of one that says nothing now its row, or None for the last good ones."""
        path, known, content, digest = found
        if isinstance(content, Unreadable):
            return self._without(path, known, (_unreadable(path, content, known),))
        note = parse_note(content.data, path, self._known_keys)
        if known is None or not known.is_client or not _is_torn(note):
            return note, digest
        if self._patient and content.changed_ns > time.time_ns() - STILL_WRITTEN:
            self._patient = False  # once a refresh: the waits of a broken sync must not add up
            self._pause(RETRY)
            return self._parse(self._read_again(found))
        return self._without(path, known, (*note.problems, *_torn(path, note)))

    def _read_again(self, found: Found) -> Found:
        try:
            content = self._vault.read(found.path, time.time_ns())
        except Unreadable as error:
            return found._replace(content=error)
        return found._replace(content=content, digest=digest_of(content.data))

    def _build_rows(self, notes: Sequence[tuple[Note, bytes]]) -> list[NoteRow]:
        try:
            return build_rows(notes, self._context, self._today)
        except Exception:  # one note must never stop the rest, whatever our mistake
            return [self._build_row(note, digest) for note, digest in notes]

    def _build_row(self, note: Note, digest: bytes) -> NoteRow:
        try:
            return build_rows([(note, digest)], self._context, self._today)[0]
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
            return None
        return NoteRow(path, b"", False, None, (), problems)


def build_rows(notes: Sequence[tuple[Note, bytes]], context: Context, today: date) -> list[NoteRow]:
    """What notes, each with its bytes' digest, give the index; in any order.

    One step after the other for all of them, and not note after note: a step's code then stays in the
    processor's cache, which saves a fifth of the time.
    """
    settings = context.settings
    ours: list[tuple[Note, bytes]] = []
    others: list[tuple[Note, bytes]] = []
    for each in notes:
        (ours if is_client(each[0], settings) else others).append(each)
    bodies = [parse_body(note, settings.log_headings) for note, _ in ours]
    read = [read_client(note, body, settings) for (note, _), body in zip(ours, bodies, strict=True)]
    derived = [derive(client, context, today) for client, _ in read]
    stored = [_client_row(client, each) for (client, _), each in zip(read, derived, strict=True)]
    rows = [
        NoteRow(note.path, digest, False, row, each.follow_ups, (*note.problems, *body.problems, *problems))
        for (note, digest), body, (_, problems), each, row in zip(
            ours, bodies, read, derived, stored, strict=True
        )
    ]
    rows += [
        NoteRow(note.path, digest, False, None, (), find_other_type(note, settings))
        for note, digest in others
    ]
    return rows


def _client_row(client: Client, derived: Derived) -> ClientRow:
    return ClientRow(
        client.key,
        clean(client.name),
        clean(client.company),
        "\n".join(client.aliases),
        normalize("NFC", "\n".join(("", *client.owners, ""))).casefold(),
        client.stage,
        derived.first,
        derived.until,
        to_facts(client),
    )


class Derived(NamedTuple):
    """What comes of a client, and the days (ordinals, from and until before) for which it does."""

    first: int
    until: int
    follow_ups: list[FollowUpRow]


def derive(client: Client, context: Context, today: date) -> Derived:
    """A client's follow-ups as of a day, as the index stores them."""
    past = find_past(client, today)
    found = find_follow_ups(client, context, past)
    missed = find_missed(client, context, past) if found.missed else []
    return Derived(
        FIRST_DAY if found.first is None else found.first.toordinal(),
        LAST_DAY if found.until is None else found.until.toordinal(),
        _follow_up_rows(found.open + missed, client),
    )


def _follow_up_rows(found: Sequence[FollowUp], client: Client) -> list[FollowUpRow]:
    agreed = "next-contact" in [each.rule for each in found]
    name, value = client.name, client.value
    sorted_by = name.casefold()
    rows = []
    for each in found:
        opens, due, minute, contact, rule, kind = each[:6]
        flags = CONTACT if contact else 0
        if rule == "cadence":
            flags |= CADENCE | BEHIND if agreed else CADENCE
        expires, retry_on = each.expires, each.retry_on
        if each.waits:
            flags |= WAITS
        head, tail = line_parts(each.path, each.line, name, each.title, kind)
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
    return note.broken or len(note.text.strip()) < 4


def _torn(path: str, note: Note) -> tuple[Problem, ...]:
    if note.text.strip():
        return ()
    return (
        Problem(
            path, 1, 1, "empty-note", ERROR, "This client's note is empty.",
            f"Restore it from the sync app's history, or delete it. {_STALE_HINT}",
        ),
    )  # fmt: skip


def _unreadable(path: str, error: Unreadable, known: KnownNote | None) -> Problem:
    hint = f"{error.hint} {_STALE_HINT}" if known is not None and known.is_client else error.hint
    return Problem(path, 1, 1, error.code, ERROR, str(error), hint)
