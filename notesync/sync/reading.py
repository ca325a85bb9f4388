"""A note's bytes in, its rows for the index out: parse, read, derive.

It is imported only when something changed, and brings the YAML reader and the rules with it.
Everything that can go wrong in one note stays in that note.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import date

from notesync.followup.agenda import BEHIND, CADENCE, CONTACT
from notesync.followup.client import Client, is_client, read_client, to_facts
from notesync.followup.rules import KINDS, Context, FollowUp, find_follow_ups, find_past
from notesync.notes.body import parse_body
from notesync.notes.note import Note, parse_note
from notesync.problems import ERROR, Problem
from notesync.publish.text import clean, line_parts
from notesync.store.index import FIRST_DAY, LAST_DAY, ClientRow, FollowUpRow, Index, KnownNote, NoteRow
from notesync.store.vault import Content, Unreadable, Vault
from notesync.sync.refresh import Found, Taken, digest_of

STILL_WRITTEN = 5_000_000_000  # nanoseconds: a note that changed less long ago may be half-written
RETRY = 0.2  # seconds until a note that was good before and is broken now is looked at once more
_RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
_STALE_HINT = "its last known follow-ups are shown until it can be read again"


class Reader:
    """Takes notes whose bytes are new into the index, one batch in the caller's transaction."""

    def __init__(
        self, vault: Vault, index: Index, context: Context, today: date, pause: Callable[[float], None]
    ) -> None:
        self._vault = vault
        self._index = index
        self._context = context
        self._today = today
        self._pause = pause
        self._patient = True

    def take(self, found: Sequence[Found], taken: Taken) -> None:
        """Parse and store these notes, and add to what has been ``taken`` in."""
        rows: list[tuple[int | None, NoteRow]] = []
        for each in found:
            known = each.known
            row = self._look(each)
            if row is None:
                continue
            if known is not None and known.is_client:
                before = self._index.identities(known.key)
                after = {(r.rule, r.occasion, r.opens, r.due, r.minute) for r in row.follow_ups}
                taken.added += len(after - before)
                taken.removed += len(before - after)
                taken.changed.append(each.path)
            elif row.client is not None:
                taken.added += len(row.follow_ups)
                taken.changed.append(each.path)
            rows.append((known.key if known else None, row))
        self._index.store(rows)

    def _look(self, found: Found) -> NoteRow | None:
        """The new rows of a note, or None when the last good ones stay."""
        path, known, content = found.path, found.known, found.content
        if isinstance(content, Unreadable):
            return self._without(path, known, (_unreadable(path, content),))
        note, row = self._read(path, content, found.digest)
        was_client = known is not None and known.is_client
        if was_client and _is_torn(note):
            if self._patient and content.changed_ns > time.time_ns() - STILL_WRITTEN:
                self._patient = False  # once a refresh: the waits of a broken sync must not add up
                self._pause(RETRY)
                return self._look_again(found)
            return self._without(path, known, (*note.problems, *_torn(path, note)))
        return row

    def _look_again(self, found: Found) -> NoteRow | None:
        try:
            content = self._vault.read(found.path, time.time_ns())
        except Unreadable as error:
            return self._look(found._replace(content=error))
        return self._look(found._replace(content=content, digest=digest_of(content.data)))

    def _read(self, path: str, content: Content, digest: bytes) -> tuple[Note, NoteRow]:
        note = parse_note(content.data, path)
        try:
            return note, self._row(note, digest)
        except Exception as error:  # one note must never stop the rest, whatever our mistake
            problem = Problem(
                path, 1, 1, "unexpected", ERROR,
                f"notesync failed on this note ({type(error).__name__}: {error})",
                "please report it with the note, its names changed",
            )  # fmt: skip
            return note, NoteRow(path, digest, False, None, (), (problem,))

    def _row(self, note: Note, digest: bytes) -> NoteRow:
        settings = self._context.settings
        if not is_client(note, settings):
            return NoteRow(note.path, digest, False, None, (), ())
        body = parse_body(note, settings.log_headings)
        client, problems = read_client(note, body, settings)
        first, until = holds_for(client, self._today)
        follow_ups = derive(client, self._context, self._today)
        stored = ClientRow(
            client.key,
            clean(client.name),
            clean(client.company),
            "\n".join(client.aliases),
            "\n".join(("", *client.owners, "")).casefold(),
            client.stage,
            first,
            until,
            to_facts(client),
        )
        return NoteRow(
            note.path, digest, False, stored, follow_ups, (*note.problems, *body.problems, *problems)
        )

    def _without(self, path: str, known: KnownNote | None, problems: Sequence[Problem]) -> NoteRow | None:
        """A note that says nothing now: its last good rows stay, marked stale; unknown, it only has problems."""
        if known is not None and known.is_client:
            self._index.mark_stale(known.key, problems)
            return None
        return NoteRow(path, b"", False, None, (), problems)


def holds_for(client: Client, today: date) -> tuple[int, int]:
    """The ordinals of the days, from and until before, for which a client's follow-ups are today's."""
    _, _, _, _, _, first, until = find_past(client, today)
    return (first.toordinal() if first else FIRST_DAY, until.toordinal() if until else LAST_DAY)


def derive(client: Client, context: Context, today: date) -> list[FollowUpRow]:
    """A client's follow-ups as of a day, as the index stores them."""
    follow_ups = find_follow_ups(client, context, find_past(client, today))
    agreed = any(found.rule == "next-contact" for found in follow_ups)
    return [_follow_up_row(found, client, agreed) for found in follow_ups]


def _follow_up_row(found: FollowUp, client: Client, agreed: bool) -> FollowUpRow:
    flags = CONTACT if found.contact else 0
    if found.rule == "cadence":
        flags |= CADENCE | BEHIND if agreed else CADENCE
    due = "-"
    if found.due is not None:
        due = found.due.isoformat()
        if found.minute is not None:
            due += f"T{found.minute // 60:02}:{found.minute % 60:02}"
    head, tail = line_parts(found.path, found.line, client.name, found.title, found.kind)
    return FollowUpRow(
        _RANKS[found.kind],
        flags,
        None if found.opens is None else found.opens.toordinal(),
        None if found.due is None else found.due.toordinal(),
        found.minute,
        client.value,
        client.name.casefold(),
        head,
        f" {due}{tail}",
        found.rule,
        found.kind,
        found.step,
        found.occasion,
        found.title,
        found.reason,
        found.path,
        found.line,
        found.channel,
        found.minutes,
        found.wanted,
    )


def _is_torn(note: Note) -> bool:
    """Whether a note that was a client's looks half-written, or cannot be read: not like a person's wish."""
    return note.broken or len(note.text.strip()) < 4


def _torn(path: str, note: Note) -> tuple[Problem, ...]:
    if note.text.strip():
        return ()
    return (
        Problem(
            path, 1, 1, "empty-note", ERROR, "this client's note is empty",
            f"restore it from the sync app's history, or delete it; {_STALE_HINT}",
        ),
    )  # fmt: skip


def _unreadable(path: str, error: Unreadable) -> Problem:
    return Problem(path, 1, 1, error.code, ERROR, str(error), f"{error.hint}; {_STALE_HINT}")
