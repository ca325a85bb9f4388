"""The index brought up to the notes as they are on disk: one look, then what differs is read.

What is unreadable is not deleted, and what vanished must be proved gone.  The parser and the rules are loaded
only when some bytes are new.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from notesync.problems import ERROR, Problem, VaultError
from notesync.store.index import Index, KnownNote, Ties
from notesync.store.scan import Difference, Listing, Scan
from notesync.store.vault import UNTRUSTED, Content, Signature, Unreadable, Vault, digest_of

if TYPE_CHECKING:
    from notesync.followup.follow_up import Context
    from notesync.store.rows import NoteRow

BATCH = 500  # notes in one transaction: few enough to keep memory flat, many enough to keep SQLite quick
GRACE = 2.0  # seconds for which a note may be missing while an editor or a sync engine replaces it
QUIET = 5.0  # seconds after its last change until half a note is taken for what it is
GLANCE = 0.2  # seconds: how long a single command waits for a note that vanished just now
FEWEST_LOST = 5  # client notes; with more than half of the vault, that is an absent folder, not a clean-up


class Changes(NamedTuple):
    """What a refresh did.

    ``wait`` is the seconds after which a grace period ends, None without one.  ``broken`` are the notes of which
    only the last good rows are left from now on.
    """

    read: int
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    added_items: int
    removed_items: int
    notes: int
    clients: int
    wait: float | None = None
    broken: tuple[str, ...] = ()


class Wishes(NamedTuple):
    """How to refresh.

    ``progress`` gets notes read and notes to read.  ``accept_empty``: most notes may be gone.  ``grace`` is the
    watcher's: a note that vanished keeps its rows for two seconds, one cut short until five seconds after its
    last change, and so does one of ``writing``, which a program has changed and not closed yet.  ``thorough``
    lists every folder anew.
    """

    progress: Callable[[int, int], None] | None = None
    accept_empty: bool = False
    grace: bool = False
    thorough: bool = False
    writing: frozenset[str] = frozenset()


class Found(NamedTuple):
    """A note whose bytes are new, or why they cannot be read."""

    path: str
    known: KnownNote | None
    content: Content | Unreadable
    digest: bytes


class Look(NamedTuple):
    """One look at the notes: folders that differ, notes to read, known notes that are gone.

    ``unfinished`` says that another refresh is on its way, or was killed.  ``numbers`` are those of the files that
    differ, by path: what a file keeps when it is renamed.
    """

    differences: list[Difference]
    pending: list[str]
    vanished: list[str]
    unfinished: bool
    numbers: Mapping[str, bytes]


def seconds_left(content: Content, quiet: float) -> float:
    """How long until a note's last change is ``quiet`` seconds ago; none for one that changed in the future."""
    since = time.time() - content.changed_ns / 1e9
    return quiet - since if since >= 0 else 0.0


class Arrivals:
    """The notes that are new to a refresh, by what tells that one of them is a note that is gone from elsewhere.

    That is its bytes, its file's number or its client's id.  Each stands for one that is gone.
    """

    def __init__(self, index: Index, look: Look, new: Mapping[str, bytes]) -> None:
        self._numbers = look.numbers
        self._found: dict[str | bytes, list[str]] = {}
        self._spent: set[str] = set()
        for path, digest in new.items():
            note = index.known_note(path)
            for sign in self._signs(path, digest, index.ties(note.key) if note is not None else None):
                self._found.setdefault(sign, []).append(path)

    def have(self, path: str, digest: bytes, ties: Ties | None) -> bool:
        """Whether a note that is gone is among them; that arrival then stands for no other."""
        for sign in self._signs(path, digest, ties):
            there = [each for each in self._found.get(sign, ()) if each not in self._spent]
            self._found[sign] = there
            for other in there:
                if not _is_copy(other, path):
                    self._spent.add(other)
                    return True
        return False

    def _signs(self, path: str, digest: bytes, ties: Ties | None) -> Iterator[str | bytes]:
        yield digest
        if path in self._numbers:
            yield self._numbers[path]
        if ties is not None and ties.claim:
            yield ties.claim


def _find_numbers(listings: Iterable[Listing], differences: Iterable[Difference]) -> dict[str, bytes]:
    """The numbers of the files that differ, as they were and as they are, as far as they are known."""
    before = {each.folder: each for each in listings}
    numbers = {}
    for each in differences:
        for listing, names in ((before.get(each.folder), each.gone), (each.listing, each.changed)):
            signatures = listing.notes() if listing is not None and names else {}
            for name in names:
                number = signatures.get(name, UNTRUSTED)[-_NUMBER:]
                if any(number):
                    numbers[each.folder + name] = number
    return numbers


_NUMBER = 8  # bytes of a signature: the last of its four numbers


def _is_copy(path: str, original: str) -> bool:
    """Whether a path is a conflict copy's beside a note: that note has not moved there.

    Syncthing makes one by renaming the note away, and puts the other version in its place at once.
    """
    from notesync.store.conflicts import find_sure_tags

    folder, _, name = path.rpartition("/")
    return folder == original.rpartition("/")[0] and bool(find_sure_tags(name))


class Taken:
    """What a refresh has taken in so far: notes read, paths changed, follow-ups come and gone.

    ``claims`` and ``circles`` are the ids and the companies of which some client has changed; ``mentions`` tells
    whether what some note says of others has, ``names`` whether what a client may be called has, ``tasks`` whether
    tasks have that wait for others or for which others wait, ``paths`` whether notes have come or gone, or such
    have changed as are aside for others.  ``keys`` are those of the known notes that were looked into.
    """

    def __init__(self) -> None:
        self.read = 0
        self.changed: list[str] = []
        self.added = 0
        self.removed = 0
        self.claims: set[str] = set()
        self.circles: set[str] = set()
        self.mentions = False
        self.names = False
        self.tasks = False
        self.paths = False
        self.keys: set[int] = set()

    def touch(self, index: Index, key: int | None, row: NoteRow | None) -> None:
        """A note's row is about to be replaced by another (None: by none)."""
        self.paths |= key is None or row is None or index.is_aside(key)
        before = None if key is None else index.ties(key)
        after = None if row is None else row.client
        for each in (before, after):
            if each is not None:
                if each.claim is not None:
                    self.claims.add(each.claim)
                if each.circle is not None:
                    self.circles.add(each.circle)
        self.names |= (before and before.aliases) != (after and after.aliases)
        self.tasks |= bool(row and (row.tasks or row.awaited)) or (
            key is not None and index.has_tied_tasks(key)
        )
        self.mentions |= bool(row and row.mentions) or (key is not None and index.says(key))


class Refresh:
    """One refresh of an index from its vault, as of a day; ``context`` is asked for when notes are parsed."""

    def __init__(
        self,
        vault: Vault,
        index: Index,
        context: Callable[[], Context],
        today: date,
        pause: Callable[[float], None],
        wishes: Wishes,
    ) -> None:
        self.folder_problems: tuple[Problem, ...] = ()
        self._vault = vault
        self._index = index
        self._context = context
        self._today = today
        self._pause = pause
        self._wishes = wishes
        self._scan = Scan(vault, time.time_ns(), thorough=wishes.thorough)
        self._taken = Taken()
        self._trusted: dict[str, Signature] = {}
        self._waits: list[float] = []  # seconds until a grace period ends
        self._broken: list[str] = []
        self._patient = True  # once a refresh: waits must not add up
        self._new: dict[str, bytes] = {}  # notes taken in that were not known, and their bytes' digests
        self._first = 0  # the highest key of a note while all notes that are known are our own new ones

    def run(self) -> Changes:
        """Look, read and store.

        Raises VaultError when the vault, or most of it, is gone, and the index's own errors.
        """
        index = self._index
        index.leave()
        age = index.age()
        look = self._look()
        if not look.differences and not look.vanished and not look.unfinished:
            return self._report(())
        is_first = not index.last_note()
        self._take_in_batches(look.pending)
        with index.change():
            if index.age() != age:
                # What another process stored meanwhile is not in the listings that we compared with, and what
                # it forgot is: look again, while it waits.
                look = self._look()
                self._first = -1  # what we have taken in is found again
                self._take_in(look.pending)
            elif len(look.pending) <= BATCH:
                self._take_in(look.pending)
            removed = self._remove(look)
            self._store_listings(look.differences)
            everything = look.unfinished or len(look.pending) > BATCH
            if everything:
                index.remember(unfinished="")  # what cannot be derived just now may say otherwise
            self._settle(everything=everything)
        if is_first:  # what ties between notes have replaced was never there before
            self._taken.added, self._taken.removed = self._taken.added - self._taken.removed, 0
        return self._report(removed)

    def _settle(self, *, everything: bool) -> None:
        """Have what ties clients to other notes be as all notes say by now."""
        taken = self._taken
        tied = taken.claims or taken.circles or taken.mentions or taken.names or taken.tasks or taken.paths
        if everything or tied or (taken.read and self._index.has_copies()):
            from notesync.sync.reading import Reader
            from notesync.sync.ties import settle

            reader = Reader(self._vault, self._index, self._context(), self._today, self._pause)
            settle(self._index, reader, taken, everything=everything)

    def derive_again(self, clients: Sequence[int]) -> None:
        """Derive the rows of these clients again, within a change, and what hangs on them."""
        from notesync.sync.reading import Reader
        from notesync.sync.ties import settle

        taken = Taken()
        reader = Reader(self._vault, self._index, self._context(), self._today, self._pause)
        reader.take_again(clients, taken)
        settle(self._index, reader, taken, everything=False)

    def _look(self) -> Look:
        """What differs from what the index knows; seen twice where a note vanished just now, unless there is grace."""
        look = self._look_once()
        if look.vanished and not self._wishes.grace and self._patient and self._is_just_now(look.vanished):
            # Another look, not at what has vanished alone: a note must not be taken in that no listing names, nor
            # one that macOS or Windows still find by its old name.
            self._patient = False
            self._pause(GLANCE)
            look = self._look_once()
        if not self._wishes.accept_empty:
            self._prove_absence(look.vanished)
        return look

    def _look_once(self) -> Look:
        unfinished = bool(self._index.recall("unfinished"))
        listings = self._index.listings()
        self._scan = Scan(self._vault, time.time_ns(), thorough=self._wishes.thorough)
        differences = list(self._scan.compare(listings))
        self._hold_unreadable(listings)
        pending = [each.folder + name for each in differences for name in each.changed]
        vanished = self._find_vanished(listings, differences, pending, unfinished)
        numbers = _find_numbers(listings, differences) if vanished and self._wishes.grace else {}
        return Look(differences, pending, vanished, unfinished, numbers)

    def require_notes(self) -> None:
        """Raise VaultError when most of the notes that were known are gone."""
        self._look()

    def _report(self, removed: Sequence[str]) -> Changes:
        taken = self._taken
        clients = self._index.counts()[1] if taken.read or removed else 0
        return Changes(
            taken.read,
            tuple(taken.changed),
            tuple(removed),
            taken.added,
            taken.removed,
            self._scan.notes,
            clients,
            min(self._waits, default=None),
            tuple(self._broken),
        )

    # what vanished ------------------------------------------------------------------------------

    def _find_vanished(
        self,
        listings: Sequence[Listing],
        differences: Sequence[Difference],
        pending: Sequence[str],
        unfinished: bool,
    ) -> list[str]:
        """The known notes that are not there."""
        vanished = [each.folder + name for each in differences for name in each.gone]
        vanished += self._index.missing()
        if unfinished:
            vanished += self._find_orphans(listings, differences)
        there = set(pending) if vanished else ()
        return [path for path in dict.fromkeys(vanished) if path not in there]

    def _find_orphans(self, listings: Iterable[Listing], differences: Iterable[Difference]) -> list[str]:
        """Notes that a refresh stored before it was killed, and that are in no folder now."""
        latest: dict[str, Listing | None] = {listing.folder: listing for listing in listings}
        latest.update((each.folder, each.listing) for each in differences)
        there = {
            listing.folder + name
            for listing in latest.values()
            if listing is not None
            for name in listing.notes()
        }
        return [path for path in self._index.paths() if path not in there]

    def _is_just_now(self, vanished: Sequence[str]) -> bool:
        """Whether some of these may have vanished a moment ago: an editor may be replacing them."""
        just_now = time.time_ns() - int(GRACE * 1e9)
        folders = {os.path.dirname(path) or "." for path in vanished}
        return any(
            found is not None and found.st_mtime_ns > just_now for found in map(self._vault.stat, folders)
        )

    def _prove_absence(self, vanished: Sequence[str]) -> None:
        if not vanished or len(vanished) <= self._scan.notes:
            return
        self._vault.require()
        # Where a drive was, an empty folder may be left.
        fewest = 1 if self._vault.is_empty() else FEWEST_LOST
        if len(vanished) < fewest:
            return
        known = [self._index.known_note(path) for path in vanished]
        clients = sum(1 for note in known if note is not None and note.is_client)
        if clients >= fewest:
            what = "1 client note is" if clients == 1 else f"{clients} client notes are"
            raise VaultError(
                f"{what} gone from {self._vault.root}, most of the vault: is the folder still "
                "syncing or moved? Nothing was changed. If they were removed on purpose, run "
                "`notesync sync --accept-empty`."
            )

    def _remove(self, look: Look) -> list[str]:
        removed: list[str] = []
        now = time.time()
        grace = bool(look.vanished) and self._wishes.grace
        arrivals = Arrivals(self._index, look, self._new) if grace else None
        for path in look.vanished:
            note = self._index.known_note(path)
            if note is None:
                continue
            if arrivals is not None and not arrivals.have(path, note.digest, self._index.ties(note.key)):
                left = self._index.mark_missing(note.key, now) + GRACE - now
                if 0 < left <= GRACE:
                    self._waits.append(left)
                    continue
            self._taken.touch(self._index, note.key, None)
            if note.is_client:
                self._taken.removed += len(self._index.identities(note.key))
            self._index.forget(note.key)
            removed.append(path)
        return removed

    # what cannot be listed ----------------------------------------------------------------------

    def _hold_unreadable(self, listings: Iterable[Listing]) -> None:
        """Keep what is known of folders that cannot be listed, marked stale, and say so."""
        folders = self._scan.unreadable
        if not folders:
            return
        tops = [each for each in folders if not any(each != top and each.startswith(top) for top in folders)]
        self.folder_problems = tuple(
            Problem(
                folder.rstrip("/"), 1, 1, "unreadable-folder", ERROR, "This folder could not be listed.",
                "Check its permissions; the last known follow-ups of its notes are shown.",
            )
            for folder in tops
        )  # fmt: skip
        held = [each for each in listings if each.folder in folders]
        trusted = self._index.trusted(each.folder + name for each in held for name in each.notes())
        if trusted:
            with self._index.change():
                self._index.distrust(trusted)
                self._index.store_listings(
                    each._replace(signature=UNTRUSTED, signatures=bytes(len(each.signatures)))
                    for each in held
                )

    # what differs -------------------------------------------------------------------------------

    def _take_in_batches(self, pending: Sequence[str]) -> None:
        """Take in many notes, a batch a transaction: a note whose folder is not yet stored is looked for later."""
        if len(pending) <= BATCH:
            return
        for at in range(0, len(pending), BATCH):
            batch = pending[at : at + BATCH]
            with self._index.change():
                self._take_in(batch)
                self._index.remember(unfinished="yes")
            if self._wishes.progress is not None:
                self._wishes.progress(at + len(batch), len(pending))

    def _take_in(self, batch: Sequence[str]) -> None:
        now = time.time_ns()
        empty = self._index.last_note() == self._first
        found = [each for path in batch if (each := self._read(path, now, empty)) is not None]
        if not found:
            return
        from notesync.sync.reading import Reader

        self._taken.read += len(found)
        patience = QUIET if self._wishes.grace else 0.0
        reader = Reader(self._vault, self._index, self._context(), self._today, self._pause, patience)
        reader.take(found, self._taken)
        self._broken += reader.broken
        for path, left in reader.held.items():
            self._hold(path, left)
        self._new.update((each.path, each.digest) for each in found if each.known is None and each.digest)
        if empty:
            self._first = self._index.last_note()

    def _read(self, path: str, now: int, empty: bool) -> Found | None:
        """A note's bytes, or None when they are those that are known."""
        known = None if empty else self._index.known_note(path)
        try:
            content = self._vault.read(path, now, placeholder=path in self._scan.placeholders)
        except Unreadable as error:
            return Found(path, known, error, b"")
        self._trusted[path] = content.signature
        digest = digest_of(content.data)
        if known is not None and known.digest == digest and not known.stale:
            self._index.found_again(known.key)
            return None
        if path in self._wishes.writing and (left := seconds_left(content, QUIET)) > 0:
            self._hold(path, left)
            if known is not None:
                self._index.found_again(known.key)
            return None
        return Found(path, known, content, digest)

    def _hold(self, path: str, left: float) -> None:
        """Look at a note again after so many seconds; until then its last good rows stay."""
        self._trusted[path] = UNTRUSTED
        self._waits.append(left)

    def _store_listings(self, differences: Iterable[Difference]) -> None:
        """Remember the folders, each note under the signature that its bytes were read under."""
        self._index.forget_listings(each.folder for each in differences if each.listing is None)
        self._index.store_listings(
            self._signed(each, each.listing) for each in differences if each.listing is not None
        )

    def _signed(self, difference: Difference, listing: Listing) -> Listing:
        if not difference.changed:
            return listing
        notes = listing.notes()
        for name in difference.changed:
            notes[name] = self._trusted.get(difference.folder + name, UNTRUSTED)
        return listing._replace(signatures=b"".join(notes.values()))
