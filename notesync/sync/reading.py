"""Notes' bytes into the index: read, parsed, derived and stored, a batch at a time.

It is imported only when something changed, and brings the YAML reader and the rules with it.
Everything that can go wrong in one note stays in that note.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import date

from notesync.followup.agenda import CONFLICT
from notesync.followup.client import Client, find_key, find_known_keys
from notesync.followup.follow_up import Context
from notesync.followup.settings import Settings
from notesync.notes.note import Note, normalise_key, parse_note
from notesync.problems import ERROR, LINE_BY_LINE, Problem
from notesync.store.index import Index, KnownNote
from notesync.store.rows import FollowUpRow, NoteRow
from notesync.store.vault import Unreadable, Vault, digest_of
from notesync.store.writing import fold
from notesync.sync.deriving import build_rows, find_place
from notesync.sync.refresh import Found as New
from notesync.sync.refresh import Taken, seconds_left
from notesync.sync.sides import is_marked, read_alone, read_versions
from notesync.sync.ties import CopyTie, Ties, find_ties

STILL_WRITTEN = 5_000_000_000  # nanoseconds: a note that changed less long ago may be half-written
AT_ONCE = 50  # notes that are taken from step to step together: few enough for the processor's cache
RETRY = 0.2  # seconds until a note that was good before and is broken now is looked at once more
_STALE_HINT = "The note's last known follow-ups are shown until it can be read again."


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
        return fold(name), *find_place(note, "id", self._context)

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
        if note.broken and _is_no_worse(note, self._list_wrong(known)):
            return note, digest
        if (left := seconds_left(content, self._patience)) > 0:
            self.held[path] = left
            self._index.found_again(known.key)
            return None
        if self._patient and content.changed_ns > time.time_ns() - STILL_WRITTEN:
            self._patient = False  # once a refresh: the waits of a broken sync must not add up
            self._pause(RETRY)
            return self._parse(self._read_again(found))
        return self._without(path, known, tuple(_tell_stale((*note.problems, *_torn(path, note)))))

    def _list_wrong(self, known: KnownNote) -> Set[str]:
        """The codes of what was wrong with a note when its rows were made, as far as that is known."""
        if known.stale:  # its problems now are those of what came since
            return LINE_BY_LINE - {"unclosed-front-matter"} if known.never_whole else set()
        return self._index.problem_codes(known.key)

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


def _is_torn(note: Note) -> bool:
    """Whether a note that was a client's looks half-written, or cannot be read: not like a person's wish."""
    text = note.text.strip()
    return note.broken or len(text) < 4 or "\0" in (text[0], text[-1]) or _is_cut(note)


def _is_no_worse(note: Note, before: Set[str]) -> bool:
    """Whether a broken note is no more so than when its rows were made, of the problems with codes ``before``.

    A note that was always read line by line has no good reading, whose rows would have to stay.
    """
    if before.isdisjoint(LINE_BY_LINE):
        return False
    wrong = {problem.code for problem in note.problems} & (LINE_BY_LINE | {"merge-marker", "nul-characters"})
    return wrong - before <= {"bad-yaml"}


def _is_cut(note: Note) -> bool:
    """Whether front matter begins and ends nowhere, before anything in it looks like a property."""
    return note.header_start < 0 and note.text.startswith("---") and "\n---" not in note.text


def _torn(path: str, note: Note) -> tuple[Problem, ...]:
    """What is wrong with a torn note, where its reading found nothing."""
    hint = "Restore it from the sync app's history, or delete it."
    if not note.text.strip():
        return (Problem(path, 1, 1, "empty-note", ERROR, "This client's note is empty.", hint),)
    if _is_cut(note):
        message = "This client's note ends in the middle of its front matter."
        return (Problem(path, 1, 1, "unclosed-front-matter", ERROR, message, hint),)
    return ()


def _tell_stale(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The problems, the first error among them with what is shown meanwhile."""
    told = False
    for problem in problems:
        yield (
            problem
            if told or problem.severity != ERROR
            else problem._replace(hint=f"{problem.hint} {_STALE_HINT}")
        )
        told |= problem.severity == ERROR


def _unreadable(path: str, error: Unreadable, known: KnownNote | None) -> Problem:
    hint = f"{error.hint} {_STALE_HINT}" if known is not None and known.is_client else error.hint
    return Problem(path, 1, 1, error.code, ERROR, str(error), hint)
