"""Earlier texts of notes, and what notesync changed in them: for undo, and for merging conflict copies.

In: notes' bytes as they were seen, changes that are about to be made.  Out: the texts of a note, newest first;
the last change.  It knows nothing of what notes mean, and never touches a note.

One SQLite file for each vault in the user's state folder, for the user alone.  Unlike the index it cannot be
made again, so it waits for the disk: a change is journalled as begun, with the text before and the text after,
before the note is touched, and as done after.  A kill in between is recognised later by what the note holds.
Every text is stored once, compressed, under its digest, and a text that no longer has that digest is as good
as none.  Without the file nothing is wrong: there is then nothing to take back.

What is kept: of each note the newest :data:`TEXTS` texts, and of older ones the first and the last of each day, so
that an hour of saves does not leave a merge without what was there before; changes up to :data:`CHANGES`; both for
:data:`DAYS` days, a text from when the note got another one, except for the newest two texts of a note, which may be
the base of a merge years later; :data:`LARGEST` bytes in all, the oldest going first.
"""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import NamedTuple, TypeVar

from notesync.problems import RefusedError
from notesync.store.database import PATIENCE, find_file, is_damage, use_log
from notesync.store.lock import Turn
from notesync.store.places import make_private
from notesync.store.vault import digest_of

TEXTS = 20
CHANGES = 1000
DAYS = 90
LARGEST = 100 * 1024 * 1024

_DAY = 86_400
_LEVEL = 1  # of zlib: two thirds of the time of its usual one, for texts that are six hundredths larger
_VERSION = 1
_TABLES = """
create table text (id integer primary key, digest blob not null unique, data blob not null);
create table seen (id integer primary key, path blob not null, digest blob not null, at real not null);
create index seen_path on seen (path, id);
create index seen_digest on seen (digest);
create table change (
  id integer primary key, command integer not null, path blob not null, before blob, after blob,
  words blob not null, at real not null, done integer not null);
create index change_path on change (path, id);
create index change_before on change (before);
create index change_after on change (after);
create table pruned (day integer not null);
"""
_CHANGE = "select id, command, path, before, after, words, at from change"

Answer = TypeVar("Answer")


class HistoryError(RefusedError):
    """The history cannot be read or written; nothing was changed."""


class Text(NamedTuple):
    """A text that a note had: when it was seen (seconds since 1970), and its digest for ``read``."""

    path: str
    digest: bytes
    at: float


class Step(NamedTuple):
    """One note to change: the bytes before (None: there is no such file) and after (None: there will be none)."""

    path: str
    before: bytes | None
    after: bytes | None


class Change(NamedTuple):
    """A change that notesync made to a note: digests for ``read``, None where there was no file.

    ``command`` is the same for all notes that one command changed; ``words`` say what it did: 'log Acme'.
    """

    key: int
    command: int
    path: str
    before: bytes | None
    after: bytes | None
    words: str
    at: float


class History:
    """The history of one vault, in a folder of its own; opened when it is first needed."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "history.sqlite3")
        self._db: sqlite3.Connection | None = None
        self._file: int | None = None

    def close(self) -> None:
        """Close the file; the next question opens it again."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def turn(self, pause: Callable[[float], None] = time.sleep) -> Iterator[None]:
        """Be the only process that changes notes of this vault.  Raises RefusedError, HistoryError."""
        refusal = "another notesync is changing notes. Nothing was changed: try again when it is done."
        with ExitStack() as held:
            try:
                make_private(self._folder)
                held.enter_context(Turn(os.path.join(self._folder, "change.lock"), refusal, pause))
            except OSError as error:
                raise _unusable(self._folder, error) from error
            yield

    # texts --------------------------------------------------------------------------------------

    def store(self, texts: Iterable[tuple[str, bytes]], at: float) -> None:
        """Remember texts as notes, by path, have them now.  Raises HistoryError.

        Nothing waits for the disk: a power cut may cost the texts of the last seconds, which stand in the notes.
        """
        found = [(os.fsencode(path), data) for path, data in texts]

        def work(db: sqlite3.Connection) -> None:
            for path, data in found:
                _see(db, path, _keep(db, data), at)

        self._write(work, at, wait=False)

    def newest(self) -> dict[str, bytes]:
        """The digest of the newest text of every note.  Raises HistoryError."""
        query = "select path, digest from seen where id in (select max(id) from seen group by path)"
        return {
            os.fsdecode(path): digest for path, digest in self._ask(lambda db: db.execute(query).fetchall())
        }

    def texts(self, path: str) -> list[Text]:
        """The texts that a note is known to have had, newest first.  Raises HistoryError."""
        query = "select digest, at from seen where path = ? order by id desc"
        rows = self._ask(lambda db: db.execute(query, (os.fsencode(path),)).fetchall())
        return [Text(path, *row) for row in rows]

    def read(self, digest: bytes) -> bytes | None:
        """The text of a digest; None where it is no longer kept, or damaged.  Raises HistoryError."""
        query = "select data from text where digest = ?"
        row = self._ask(lambda db: db.execute(query, (digest,)).fetchone())
        try:
            data = zlib.decompress(row[0]) if row else None
        except zlib.error:
            return None
        return data if data is not None and digest_of(data) == digest else None

    # changes ------------------------------------------------------------------------------------

    def begin(self, steps: Sequence[Step], words: str, at: float, *, more: bool = False) -> list[int]:
        """Journal changes that one command is about to make; their keys.  Raises HistoryError.

        On return the texts before and after are on the disk.  ``more``: they belong to the command of these words
        that made the last ones.
        """

        def work(db: sqlite3.Connection) -> list[int]:
            command = (_find_command(db, words) if more else None) or _last(db) + 1
            return [_begin(db, command, step, words, at) for step in steps]

        return self._write(work, at)

    def amend(self, key: int, step: Step, at: float) -> None:
        """Journal that a change, begun or made, is one from or to other bytes.  Raises HistoryError."""

        def work(db: sqlite3.Connection) -> None:
            sides = _keep_sides(db, os.fsencode(step.path), step, at)
            db.execute("update change set before = ?, after = ? where id = ?", (*sides, key))

        self._write(work, at)

    def finish(self, key: int) -> None:
        """Journal that a change has been made.  Raises HistoryError."""

        def work(db: sqlite3.Connection) -> None:
            found = db.execute(
                "select path, after, at from change where id = ? and not done", (key,)
            ).fetchone()
            if found and found[1] is not None:
                _see(db, *found)
            db.execute("update change set done = 1 where id = ?", (key,))

        self._ask(lambda db: _in_transaction(db, work))

    def abandon(self, key: int) -> None:
        """Journal that a change has not been made.  Raises HistoryError."""

        def work(db: sqlite3.Connection) -> None:
            found = db.execute("select after from change where id = ?", (key,)).fetchone()
            db.execute("delete from change where id = ?", (key,))
            if found:
                _forget_unused(db, found[0])

        self._ask(lambda db: _in_transaction(db, work))

    def find_begun(self) -> list[Change]:
        """Changes of which it is not known whether they were made, oldest first.  Raises HistoryError."""
        rows = self._ask(lambda db: db.execute(f"{_CHANGE} where not done order by id").fetchall())
        return [_change(row) for row in rows]

    def find_last(self, path: str | None = None) -> list[Change]:
        """The changes of the last command, or of the last that changed this note; none if there is none.

        Raises HistoryError.
        """
        which, values = ("", ()) if path is None else ("and path = ?", (os.fsencode(path),))
        query = (
            f"{_CHANGE} where done and command ="  # noqa: S608  words of our own
            f" (select command from change where done {which} order by id desc limit 1) order by id"
        )
        return [_change(row) for row in self._ask(lambda db: db.execute(query, values).fetchall())]

    # the file -----------------------------------------------------------------------------------

    def _write(self, work: Callable[[sqlite3.Connection], Answer], at: float, *, wait: bool = True) -> Answer:
        """Do work in a transaction that, with ``wait``, is on the disk afterwards.

        What is too old or too much goes before.
        """

        def whole(db: sqlite3.Connection) -> Answer:
            day = int(at // _DAY)
            if db.execute("select day from pruned").fetchone() != (day,) or _size(db) > LARGEST:
                _in_transaction(db, lambda db: _forget_old(db, at))
            if wait:
                return _in_transaction(db, work)
            db.execute("pragma synchronous = normal")
            try:
                return _in_transaction(db, work)
            finally:
                db.execute("pragma synchronous = full")

        return self._ask(whole)

    def _ask(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """What ``work`` finds in the file; in another one, where that turns out to be damaged."""
        try:
            try:
                return work(self._open())
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
            self._mend()
            return work(self._open())
        except (OSError, sqlite3.Error) as error:
            raise _unusable(self._path, error) from error

    def _open(self) -> sqlite3.Connection:
        if self._db is not None and find_file(self._path) != self._file:
            self.close()  # somebody deleted or mended it
        if self._db is None:
            make_private(self._folder)
            self._db = _connect(self._path)
            self._file = find_file(self._path)
        return self._db

    def _mend(self) -> None:
        """Put a damaged file aside, in place of one before it, and begin another with what can be read of it."""
        self.close()
        aside = os.path.join(self._folder, "history-damaged.sqlite3")
        with Turn(os.path.join(self._folder, "mend.lock"), f"{self._path} is being mended. Try again."):
            if _is_sound(self._path):
                return  # another process was faster
            for suffix in ("-shm", "-wal", ""):
                with suppress(FileNotFoundError):
                    os.unlink(aside + suffix)
                with suppress(FileNotFoundError):
                    os.replace(self._path + suffix, aside + suffix)
            with closing(_connect(self._path)) as new:
                _salvage(aside, new)


def _unusable(path: str, error: Exception) -> HistoryError:
    reason = getattr(error, "strerror", None) or str(error)
    return HistoryError(
        f"earlier texts cannot be kept in {path}: {reason.lower()}. Check its permissions and the free space; "
        "without them no note is changed."
    )


def _connect(path: str) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's own would be readable for all
    db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    try:
        db.execute("pragma synchronous = full")
        db.execute("pragma fullfsync = on")
        if db.execute("pragma user_version").fetchone()[0] != _VERSION:
            _create(db)
    except BaseException:
        db.close()
        raise
    return db


def _create(db: sqlite3.Connection) -> None:
    """Make the tables, unless another process has just done so."""
    use_log(db)
    db.execute("pragma journal_size_limit = 1048576")
    db.execute("begin exclusive")
    found = db.execute("pragma user_version").fetchone()[0]
    if found not in (0, _VERSION):
        raise sqlite3.DatabaseError("it was made by another version of notesync")
    if not found:
        for statement in _TABLES.split(";\n"):
            db.execute(statement)
        db.execute(f"pragma user_version = {_VERSION}")
    db.execute("commit")


def _is_sound(path: str) -> bool:
    try:
        with closing(_connect(path)) as db:
            return bool(db.execute("pragma quick_check(1)").fetchone()[0] == "ok")
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        return False


def _salvage(aside: str, new: sqlite3.Connection) -> None:
    """Take over the rows that can be read, from either end up to the damage."""
    with closing(sqlite3.connect(aside, timeout=PATIENCE, isolation_level=None)) as old:
        for table, width in (("text", 3), ("seen", 4), ("change", 8)):
            statement = f"insert or ignore into {table} values ({', '.join('?' * width)})"  # noqa: S608
            for order in ("asc", "desc"):
                new.execute("begin immediate")
                with suppress(sqlite3.DatabaseError):
                    for row in old.execute(f"select * from {table} order by id {order}"):  # noqa: S608
                        new.execute(statement, row)
                new.execute("commit")


def _change(row: tuple[int, int, bytes, bytes | None, bytes | None, bytes, float]) -> Change:
    key, command, path, before, after, words, at = row
    return Change(key, command, os.fsdecode(path), before, after, words.decode("utf-8", "surrogatepass"), at)


def _last(db: sqlite3.Connection) -> int:
    last: int = db.execute("select coalesce(max(id), 0) from change").fetchone()[0]
    return last


def _find_command(db: sqlite3.Connection, words: str) -> int | None:
    """The command that made the last change, if it has these words."""
    row = db.execute("select command, words from change order by id desc limit 1").fetchone()
    return row[0] if row and row[1] == _encode_words(words) else None


def _encode_words(words: str) -> bytes:
    return words.encode("utf-8", "surrogatepass")


def _in_transaction(db: sqlite3.Connection, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
    db.execute("begin immediate")
    try:
        found = work(db)
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
    return found


def _begin(db: sqlite3.Connection, command: int, step: Step, words: str, at: float) -> int:
    key = _last(db) + 1
    path = os.fsencode(step.path)
    sides = _keep_sides(db, path, step, at)
    row = (key, command, path, *sides, _encode_words(words), at, 0)
    db.execute("insert into change values (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return key


def _keep_sides(
    db: sqlite3.Connection, path: bytes, step: Step, at: float
) -> tuple[bytes | None, bytes | None]:
    """Keep both texts of a change; the note has had the one before, and may never have the other."""
    before = None if step.before is None else _keep(db, step.before)
    after = None if step.after is None else _keep(db, step.after)
    if before is not None:
        _see(db, path, before, at)
    return before, after


def _keep(db: sqlite3.Connection, data: bytes) -> bytes:
    """Keep a text, once; its digest.  Whoever keeps one refers to it in the same transaction."""
    digest = digest_of(data)
    if db.execute("select 1 from text where digest = ?", (digest,)).fetchone() is None:
        db.execute("insert into text (digest, data) values (?, ?)", (digest, zlib.compress(data, _LEVEL)))
    return digest


def _see(db: sqlite3.Connection, path: bytes, digest: bytes, at: float) -> None:
    """Remember that a note has this text now, and thin out what it had before."""
    rows = db.execute("select id, digest, at from seen where path = ? order by id desc", (path,)).fetchall()
    if rows and rows[0][1] == digest:
        return
    db.execute("insert into seen (path, digest, at) values (?, ?, ?)", (path, digest, at))
    older = rows[TEXTS - 1 :]
    days = [int(when // _DAY) for _, _, when in older]
    for (key, old, _), newer, day, before in zip(older, [None, *days], days, [*days[1:], None], strict=False):
        if newer == day == before:
            db.execute("delete from seen where id = ?", (key,))
            _forget_unused(db, old)


_USED = (
    "exists (select 1 from seen where seen.digest = text.digest)"
    " or exists (select 1 from change where before = text.digest)"
    " or exists (select 1 from change where after = text.digest)"
)


def _forget_unused(db: sqlite3.Connection, digest: bytes) -> None:
    db.execute(f"delete from text where digest = ? and not ({_USED})", (digest,))  # noqa: S608


def _forget_old(db: sqlite3.Connection, at: float) -> None:
    """Drop what is older than we keep, and of what is left the oldest until the rest is small enough."""
    long_ago = at - DAYS * _DAY
    # Of the newest two, the first has no text after it, and the second one that has none.
    outdated = (
        "select id from (select id, lead(at) over note as until, lead(at, 2) over note as after from seen"
        " window note as (partition by path order by id)) where until < ? and after is not null"
    )
    db.execute(f"delete from seen where id in ({outdated})", (long_ago,))  # noqa: S608
    db.execute("delete from change where at < ? or id <= ?", (long_ago, _last(db) - CHANGES))
    db.execute(f"delete from text where not ({_USED})")  # noqa: S608
    while _size(db) > LARGEST and _forget_oldest(db):
        db.execute(f"delete from text where not ({_USED})")  # noqa: S608
    db.execute("delete from pruned")
    db.execute("insert into pruned values (?)", (int(at // _DAY),))


def _forget_oldest(db: sqlite3.Connection) -> int:
    """Drop the oldest tenth of what refers to texts; how much that was."""
    gone = 0
    for table in ("seen", "change"):
        some = f"(select count(*) + 9 from {table}) / 10"  # noqa: S608
        oldest = f"select id from {table} order by at, id limit {some}"  # noqa: S608
        gone += db.execute(f"delete from {table} where id in ({oldest})").rowcount  # noqa: S608
    return gone


def _size(db: sqlite3.Connection) -> int:
    """The bytes in use, without free pages."""
    pages, free, size = (
        db.execute(f"pragma {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
