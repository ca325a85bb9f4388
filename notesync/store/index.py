"""The disposable cache of one vault: what every note said, ready to be judged.  All SQL is here.

In: folders' listings, clients' facts, follow-ups, events' bytes.  Out: the same, by key, in bulk and fast.
It knows nothing of what they mean, and losing it costs time, never an answer: when it is corrupt, foreign,
made by another version, locked, on a read-only or full disk, it is made again or kept in memory, with a
notice.

Nothing in it depends on today silently: a client's rows are stored with the days for which they hold
(``first`` and ``until``, ordinals), and are derived again for any other day.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from notesync.store.scan import Listing

IndexFailure = sqlite3.Error  # locked, full, read-only, damaged under way: ends the use of the file
FIRST_DAY, LAST_DAY = 0, 4_000_000  # before and after every ordinal

# The rows that every check judges are narrow; what is only printed lies in tables of its own, so that
# judging ten thousand follow-ups does not page through their words.
_TABLES = """
create table meta (key text primary key, value) without rowid;
create table folder (path text primary key, signature blob, names text, signatures blob) without rowid;
create table note (
  id integer primary key, path text not null unique, digest blob not null,
  stale integer not null default 0, missing real);
create index note_missing on note (path) where missing is not null;
create table client (
  id integer primary key, key text not null, name text not null, company text not null,
  aliases text not null, owners text not null, stage text not null,
  first integer not null, until integer not null, facts text not null);
create index client_days on client (first, until);
create table follow_up (
  id integer primary key, client integer not null, rank integer not null, flags integer not null,
  opens integer, due integer, minute integer, value real, name text not null,
  place text not null, label text not null);
create index follow_up_client on follow_up (client);
create table detail (
  id integer primary key, rule text not null, kind text not null, step text, occasion text not null,
  title text not null, reason text not null, path text not null, line integer not null,
  channel text not null, minutes integer not null, wanted integer not null);
create table event (
  day integer, uid text, id integer, bytes blob not null, primary key (day, uid, id)) without rowid;
create unique index event_follow_up on event (id);
create table problem (
  note integer not null, path text not null, line integer not null, column integer not null,
  code text not null, severity text not null, message text not null, hint text not null);
create index problem_note on problem (note);
"""

SCHEMA = crc32(_TABLES.encode()) & 0x7FFFFFFF  # any change of the tables is another version

_FOLLOW_UP = (
    "select f.id, f.client, f.opens, f.due, f.minute, f.flags, d.rule, d.kind, d.step, d.occasion,"
    " d.title, d.reason, d.path, d.line, d.channel, d.minutes, d.wanted"
    " from follow_up f join detail d using (id)"
)


class ClientRow(NamedTuple):
    """A client to store; ``aliases`` and ``owners`` are joined by line feeds, ``first`` and ``until``
    are the ordinals of the days for which its follow-ups hold.
    """

    key: str
    name: str
    company: str
    aliases: str
    owners: str
    stage: str
    first: int
    until: int
    facts: str


class FollowUpRow(NamedTuple):
    """A follow-up to store: first what judging needs, then what is printed (see ``agenda.Row``)."""

    rank: int
    flags: int
    opens: int | None
    due: int | None
    minute: int | None
    value: float | None
    name: str
    place: str
    label: str
    rule: str
    kind: str
    step: str | None
    occasion: str
    title: str
    reason: str
    path: str
    line: int
    channel: str
    minutes: int
    wanted: int


class KnownNote(NamedTuple):
    """What is known of a note before it is read again."""

    key: int
    digest: bytes
    stale: bool
    is_client: bool


class NoteRow(NamedTuple):
    """Everything one note gives the index; ``client`` is None for a note that is no client's."""

    path: str
    digest: bytes
    stale: bool
    client: ClientRow | None
    follow_ups: Sequence[FollowUpRow]
    problems: Sequence[tuple[str, int, int, str, str, str, str]]


class Index:
    """An open index.

    ``fingerprint`` names what the rows depend on beside the notes: any difference and the file is made
    anew.  ``notices`` say in a sentence each when the index had to be remade or kept in memory.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.notices: list[str] = []
        self.fresh = False
        self._db = self._open()

    # opening ------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            try:
                return self._connect()
            except sqlite3.OperationalError as error:
                if not _is_damage(error):
                    raise
                return self._remake(error)
            except sqlite3.DatabaseError as error:
                return self._remake(error)
        except (OSError, sqlite3.Error) as error:
            return self._in_memory(error)

    def _remake(self, error: sqlite3.Error) -> sqlite3.Connection:
        self.notices.append(f"the index was unusable ({error}) and is made again")
        for suffix in ("", "-wal", "-shm"):
            if os.path.exists(self.path + suffix):
                os.unlink(self.path + suffix)
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=5, isolation_level=None, check_same_thread=False)
        try:
            db.execute("pragma synchronous = off")  # it can be made again: no waiting for the disk
            version = db.execute("pragma user_version").fetchone()[0]
            if version != SCHEMA:
                if version or db.execute("select 1 from sqlite_master limit 1").fetchone():
                    raise sqlite3.DatabaseError("made by another version")
                self._create(db)
            db.execute("select count(*) from meta")
        except BaseException:
            db.close()
            raise
        return db

    def _create(self, db: sqlite3.Connection) -> None:
        db.execute("pragma journal_mode = wal")
        db.executescript(f"begin exclusive; {_TABLES} pragma user_version = {SCHEMA}; commit")
        self.fresh = True

    def _in_memory(self, error: Exception) -> sqlite3.Connection:
        self.notices.append(f"the index {self.path} cannot be used ({error}): working in memory, slower")
        db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._create(db)
        return db

    @property
    def in_memory(self) -> bool:
        """Whether nothing of this session will be remembered."""
        return bool(self.notices) and self.notices[-1].endswith("slower")

    def fall_back(self, error: Exception) -> None:
        """Give up the file (full disk, locked by another): go on in memory, from nothing."""
        self._db.close()
        self._db = self._in_memory(error)

    def clear(self) -> None:
        """Forget everything: the rows were made under other rules."""
        with self.change():
            for table in ("note", "folder", "client", "follow_up", "detail", "event", "problem", "meta"):
                self._db.execute(f"delete from {table}")  # noqa: S608  names of our own
        self.fresh = True

    def close(self) -> None:
        """Close the file; a closed index is of no use."""
        self._db.close()

    def change(self) -> _Transaction:
        """A transaction: all of the block's changes, or none."""
        return _Transaction(self._db)

    # meta ---------------------------------------------------------------------------------------

    def remembered(self) -> dict[str, Any]:
        """All that ``remember`` stored."""
        return dict(self._db.execute("select key, value from meta"))

    def remember(self, **values: Any) -> None:
        """Store small values by name."""
        self._db.executemany("insert or replace into meta values (?, ?)", values.items())

    # notes --------------------------------------------------------------------------------------

    def listings(self) -> list[Listing]:
        """The folders as the last look left them."""
        rows = self._db.execute("select path, signature, names, signatures from folder").fetchall()
        return [Listing(_path(path), own, _path(names), seen) for path, own, names, seen in rows]

    def store_listings(self, listings: Iterable[Listing]) -> None:
        """Remember these folders as they were looked at."""
        self._db.executemany(
            "insert or replace into folder values (?, ?, ?, ?)",
            [(_storable(each[0]), each[1], _storable(each[2]), each[3]) for each in listings],
        )

    def forget_listings(self, folders: Iterable[str]) -> None:
        """Forget folders that are gone."""
        self._db.executemany("delete from folder where path = ?", [(_storable(each),) for each in folders])

    def paths(self) -> list[str]:
        """The path of every known note."""
        return [_path(row[0]) for row in self._db.execute("select path from note")]

    def known_note(self, path: str) -> KnownNote | None:
        """What is known of a note; None when nothing is."""
        row = self._db.execute(
            "select note.id, digest, stale, client.id is not null from note left join client using (id) where path = ?",
            (_storable(path),),
        ).fetchone()
        return row and KnownNote(row[0], row[1], bool(row[2]), bool(row[3]))

    def store(self, notes: Iterable[tuple[int | None, NoteRow]]) -> None:
        """Replace what is known of these notes; each comes with its key, or None for a new one."""
        db = self._db
        new, clients, follow_ups, details, problems = [], [], [], [], []
        after = self._last("follow_up")
        last = self._last("note")
        for key, note in notes:
            if key is None:
                last = key = last + 1
                new.append((key, _storable(note.path), note.digest, note.stale, None))
            else:
                self._forget_rows(key)
                db.execute(
                    "update note set digest = ?, stale = ?, missing = null where id = ?",
                    (note.digest, note.stale, key),
                )
            if note.client is not None:
                clients.append((key, *note.client))
                for row in note.follow_ups:
                    after += 1
                    follow_ups.append((after, key, *row[:9]))
                    details.append((after, *row[9:]))
            for problem in note.problems:
                problems.append((key, *problem))
        _insert(db, "note", 5, new)
        _insert(db, "client", 10, clients)
        _insert(db, "follow_up", 11, follow_ups)
        _insert(db, "detail", 12, details)
        _insert(db, "problem", 8, problems)

    def _last(self, table: str) -> int:
        last: int = self._db.execute(f"select coalesce(max(id), 0) from {table}").fetchone()[0]  # noqa: S608
        return last

    def trusted(self, paths: Iterable[str]) -> list[str]:
        """Those of the notes that are not stale."""
        query = "select 1 from note where path = ? and not stale"
        return [path for path in paths if self._db.execute(query, (_storable(path),)).fetchone()]

    def distrust(self, paths: Iterable[str]) -> None:
        """Mark notes stale that lie in a folder that cannot be listed; they are read again when it can."""
        self._db.executemany(
            "update note set stale = 1 where path = ?",
            [(_storable(path),) for path in paths],
        )

    def replace_follow_ups(
        self, client: int, first: int, until: int, follow_ups: Sequence[FollowUpRow]
    ) -> None:
        """Give a client the follow-ups that hold from ``first`` until before ``until`` (ordinals)."""
        db = self._db
        self._forget_follow_ups(client)
        after = self._last("follow_up")
        keys = range(after + 1, after + 1 + len(follow_ups))
        db.execute("update client set first = ?, until = ? where id = ?", (first, until, client))
        _insert(db, "follow_up", 11, [(i, client, *r[:9]) for i, r in zip(keys, follow_ups, strict=True)])
        _insert(db, "detail", 12, [(i, *r[9:]) for i, r in zip(keys, follow_ups, strict=True)])

    def mark_stale(self, key: int, problems: Sequence[tuple[str, int, int, str, str, str, str]]) -> None:
        """Keep a note's last good rows, marked stale, with the reason as its problems."""
        self._db.execute("update note set stale = 1, missing = null where id = ?", (key,))
        self._db.execute("delete from problem where note = ?", (key,))
        _insert(self._db, "problem", 8, [(key, *problem) for problem in problems])

    def mark_missing(self, key: int, since: float) -> float:
        """Remember since when (wall clock, seconds) a note has been missing; the first time counts."""
        self._db.execute("update note set missing = coalesce(missing, ?) where id = ?", (since, key))
        found = self._db.execute("select missing from note where id = ?", (key,)).fetchone()
        return float(found[0])

    def found_again(self, key: int) -> None:
        """A note that was missing is there, unchanged."""
        self._db.execute("update note set missing = null where id = ? and missing is not null", (key,))

    def missing(self) -> list[str]:
        """The paths of the notes whose grace has not ended."""
        return [_path(row[0]) for row in self._db.execute("select path from note where missing is not null")]

    def forget(self, key: int) -> None:
        """Forget a note and all that came of it."""
        self._forget_rows(key)
        self._db.execute("delete from note where id = ?", (key,))

    def _forget_rows(self, key: int) -> None:
        self._forget_follow_ups(key)
        self._db.execute("delete from client where id = ?", (key,))
        self._db.execute("delete from problem where note = ?", (key,))

    def _forget_follow_ups(self, client: int) -> None:
        own = "(select id from follow_up where client = ?)"
        self._db.execute(f"delete from detail where id in {own}", (client,))  # noqa: S608
        self._db.execute(f"delete from event where id in {own}", (client,))  # noqa: S608
        self._db.execute("delete from follow_up where client = ?", (client,))

    # clients ------------------------------------------------------------------------------------

    def clients_not_holding(self, today: int) -> list[tuple[int, str]]:
        """Key and facts of the clients whose rows do not hold on a day."""
        days = "select id from client where not (first <= ? and ? < until)"  # answered by client_days alone
        query = f"select id, facts from client where id in ({days})"  # noqa: S608  our own words
        return self._db.execute(query, (today, today)).fetchall()

    def facts(self, clients: Iterable[int] | None = None) -> Iterator[tuple[int, str, bool, str]]:
        """Key, path, staleness and facts of the clients named (None: of all), by path."""
        select = "select client.id, path, stale, facts from client join note using (id)"
        if clients is None:
            for key, path, stale, facts in self._db.execute(f"{select} order by path"):
                yield key, _path(path), bool(stale), facts
        else:
            for key in clients:
                row = self._db.execute(f"{select} where client.id = ?", (key,)).fetchone()
                if row:
                    yield row[0], _path(row[1]), bool(row[2]), row[3]

    def select_clients(self, where: str, values: Sequence[Any]) -> list[int]:
        """The keys of the clients that a condition on them lets through, by path."""
        rows = self._db.execute(
            f"select client.id from client join note using (id) where {where} order by path",  # noqa: S608
            values,
        )
        return [row[0] for row in rows]

    def names(self) -> list[tuple[int, str, str, str, str, str]]:
        """Key, path, client key, name, company and joined aliases of every client, by path."""
        rows = self._db.execute(
            "select id, path, key, name, company, aliases from client join note using (id) order by path"
        )
        return [(row[0], _path(row[1]), *row[2:]) for row in rows]

    def counts(self) -> tuple[int, int]:
        """How many notes are known, and how many of them are clients'."""
        row: tuple[int, int] = self._db.execute(
            "select (select count(*) from note), (select count(*) from client)"
        ).fetchone()
        return row

    # follow-ups ---------------------------------------------------------------------------------

    def upcoming(
        self, after: int, where: str = "", values: Sequence[Any] = ()
    ) -> Iterator[tuple[int, int, int, int]]:
        """Key, client, rank and flags of the follow-ups that open after a day (an ordinal)."""
        return self._db.execute(
            "select follow_up.id, client, rank, flags from follow_up"  # noqa: S608
            f"{' join client on client.id = client' if 'client.' in where else ''}"
            f" where opens > ?{' and ' + where if where else ''}",
            (after, *values),
        )

    def rows(self, opened_by: int | None, where: str = "", values: Sequence[Any] = ()) -> Iterator[Any]:
        """The rows to judge, in the order of ``agenda.Row``: those open by a day, or all (None)."""
        clauses = []
        if opened_by is not None:
            clauses.append(f"(follow_up.opens is null or follow_up.opens <= {int(opened_by)})")
        if where:
            clauses.append(where)
        condition = f" where {' and '.join(clauses)}" if clauses else ""
        return self._db.execute(
            "select follow_up.id, client, rank, flags, opens, due, minute, value, follow_up.name, place, label"  # noqa: S608
            f" from follow_up{' join client on client.id = client' if 'client.' in where else ''}{condition}",
            values,
        )

    def details(self, follow_ups: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """Key, client and the words of each follow-up named, in FollowUpRow's order from ``rule`` on."""
        found: dict[int, tuple[Any, ...]] = {}
        for at in range(0, len(follow_ups), 500):
            some = follow_ups[at : at + 500]
            marks = ",".join("?" * len(some))
            for row in self._db.execute(f"select * from detail where id in ({marks})", some):  # noqa: S608
                found[row[0]] = row[1:]
        return found

    def identities(self, client: int) -> set[tuple[Any, ...]]:
        """What tells a client's follow-ups apart: rule, occasion and dates."""
        return set(
            self._db.execute(
                "select rule, occasion, opens, due, minute from follow_up join detail using (id) where client = ?",
                (client,),
            )
        )

    # problems -----------------------------------------------------------------------------------

    def problems(self) -> list[tuple[str, int, int, str, str, str, str]]:
        """Every note's problems by path, line and column."""
        return self._db.execute(
            "select path, line, column, code, severity, message, hint from problem order by path, line, column, code"
        ).fetchall()

    # events -------------------------------------------------------------------------------------

    def without_event(self, most: int) -> list[tuple[Any, ...]]:
        """Some follow-ups with a date whose event has not been made: keys, days, then the words; by client."""
        return self._db.execute(
            f"{_FOLLOW_UP} left join event e using (id) where e.id is null and f.opens is not null"
            " order by f.client, f.id limit ?",
            (most,),
        ).fetchall()

    def all_follow_ups(self) -> Iterator[tuple[Any, ...]]:
        """Every follow-up with a date, as ``without_event`` gives them."""
        return self._db.execute(f"{_FOLLOW_UP} where f.opens is not null order by f.client, f.id")

    def store_events(self, events: Iterable[tuple[int, str, int, bytes]]) -> None:
        """Keep the finished bytes of events: day shown (an ordinal), uid, follow-up, bytes."""
        _insert(self._db, "event", 4, list(events))

    def events(self, first: int, last: int) -> Iterator[tuple[int, int, str, bytes]]:
        """Follow-up, day, uid and bytes of the events between two days, both included, by day and uid."""
        return self._db.execute(
            "select id, day, uid, bytes from event where day between ? and ? order by day, uid, id",
            (first, last),
        )


class _Transaction:
    """One transaction; an exception rolls it back.  Entered inside another, it is part of that one."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._outer = False

    def __enter__(self) -> _Transaction:
        self._outer = not self._db.in_transaction
        if self._outer:
            self._db.execute("begin immediate")
        return self

    def undo(self) -> None:
        """Take back all that was done since it began, and go on outside of it."""
        if self._outer and self._db.in_transaction:
            self._db.execute("rollback")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._outer and self._db.in_transaction:
            self._db.execute("commit" if kind is None else "rollback")


def _insert(db: sqlite3.Connection, table: str, width: int, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    statement = f"insert into {table} values ({','.join('?' * width)})"  # noqa: S608  names of our own
    try:
        db.executemany(statement, rows)
    except UnicodeEncodeError:
        # A note's bytes that are no UTF-8 came through as lone surrogates, which SQLite cannot hold.
        if table == "problem":
            db.executemany("delete from problem where note = ?", {(row[0],) for row in rows})
        safe = [tuple(_storable_words(value) for value in row) for row in rows]
        db.executemany(statement.replace("insert", "insert or replace", 1), safe)


def _storable_words(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _storable(path: str) -> str | bytes:
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)  # a name that is no UTF-8: kept as the bytes that it is
    return path


def _path(stored: str | bytes) -> str:
    return stored if isinstance(stored, str) else os.fsdecode(stored)


def _is_damage(error: sqlite3.OperationalError) -> bool:
    words = str(error)
    return "no such table" in words or "malformed" in words or "disk image" in words
