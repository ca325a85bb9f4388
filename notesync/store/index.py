"""The disposable cache of one vault: what every note said, ready to be judged.  All SQL is here.

In: folders' listings, clients, follow-ups, events' bytes.  Out: the same, by key, in bulk and fast.
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
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from notesync.problems import LINE_BY_LINE
from notesync.store.database import PATIENCE, find_file, is_damage, use_log
from notesync.store.scan import Listing

if TYPE_CHECKING:
    from notesync.store.rows import NoteRow

IndexFailure = sqlite3.Error  # locked, full, read-only, damaged under way: ends the use of the file
WAITS = 8  # of the flags: upcoming whatever the days (agenda.WAITS)
FIRST_DAY, LAST_DAY = 0, 4_000_000  # before and after every ordinal

# The rows that every check judges are narrow; what is only printed lies in tables of its own, so that
# judging ten thousand follow-ups does not page through their words.
_TABLES = """
create table meta (key text primary key, value) without rowid;
create table folder (path text primary key, signature blob, names text, signatures blob) without rowid;
create table note (
  id integer primary key, path text not null unique, digest blob not null,
  stale integer not null default 0, missing real, is_client integer not null, claim text,
  aside integer not null default 0);
create index note_missing on note (path) where missing is not null;
create index note_claim on note (claim) where claim is not null;
create index note_aside on note (id) where aside;
create table copy (
  note integer primary key, original text not null, beside integer, head integer not null, told text not null,
  mirrored integer not null);
create table client (
  id integer primary key, key text not null, name text not null, company text not null,
  aliases text not null, owners text not null, stage text not null,
  first integer not null, until integer not null, missed text not null,
  claim text, twin text not null, circle text, contact integer, counted integer, heard integer not null,
  copied integer not null, card text not null);
create index client_days on client (first, until);
create index client_claim on client (claim) where claim is not null;
create index client_circle on client (circle, contact) where circle is not null;
create index client_heard on client (heard) where heard;
create index client_copied on client (copied) where copied;
create index client_missed on client (missed) where missed != '';
create table mention (
  id integer primary key, note integer not null, targets text not null, said text not null, client integer);
create index mention_note on mention (note);
create table task (id text not null, note integer not null, words text not null);
create index task_id on task (id);
create index task_note on task (note);
create table awaited (client integer not null, id text not null, words text not null);
create index awaited_client on awaited (client);
create index mention_client on mention (client);
create table follow_up (
  id integer primary key, client integer not null, rank integer not null, flags integer not null,
  opens integer, due integer, minute integer, value real, name text not null,
  place text not null, label text not null, expires integer, retry_on integer);
create index follow_up_client on follow_up (client);
create index follow_up_cadence on follow_up (client, flags, opens, retry_on, expires, rank) where flags & 2;
create index follow_up_expires on follow_up (expires) where expires is not null;
create table detail (
  id integer primary key, rule text not null, kind text not null, step text, occasion text not null,
  title text not null, reason text not null, path text not null, line integer not null,
  channel text not null, minutes integer not null, wanted integer not null,
  attempts integer not null, ask text not null, waits text not null);
create table event (
  day integer, uid text, id integer, body blob not null, primary key (day, uid, id)) without rowid;
create unique index event_follow_up on event (id);
create table moved_event (id integer primary key, day integer not null, body blob not null);
create table problem (
  note integer not null, path text not null, line integer not null, column integer not null,
  code text not null, severity text not null, message text not null, hint text not null);
create index problem_note on problem (note);
"""

_NAMES = (
    "note",
    "folder",
    "client",
    "follow_up",
    "detail",
    "event",
    "moved_event",
    "problem",
    "mention",
    "task",
    "awaited",
    "copy",
    "meta",
)
_NEVER_WHOLE = 2  # how stale a note is whose last rows came of keys that were read line by line
_CODES = ", ".join(f"'{code}'" for code in sorted(LINE_BY_LINE))
_WAS_READ_BY_LINE = f"exists (select 1 from problem where problem.note = note.id and code in ({_CODES}))"  # noqa: S608
_HOW_STALE = f"case when stale then stale when {_WAS_READ_BY_LINE} then {_NEVER_WHOLE} else 1 end"
SCHEMA = crc32(_TABLES.encode()) & 0x7FFFFFFF  # any change of the tables is another version

_SOME = 500  # keys asked for at once
# See calendar.find_day_shown.
_DAY_SHOWN = "case when minute is null then coalesce(opens, due) else coalesce(due, opens) end"
_FOLLOW_UP = (
    "select f.id, f.client, f.opens, f.due, f.minute, f.flags, d.rule, d.kind, d.step, d.occasion,"
    " d.title, d.reason, d.path, d.line, d.channel, d.minutes, d.wanted,"
    " d.attempts, d.ask, d.waits"
    " from follow_up f join detail d using (id)"
)


_ROWS = "select follow_up.id, client, rank, flags, opens, due, minute, value, {}, expires, retry_on from follow_up"
_WORDS, _NO_WORDS = "follow_up.name, place, label", "'', '', ''"
# Of a note, not the client's own, that is no conflict copy: that has the same tasks as its original.
_ELSEWHERE = "t.note != a.client and t.note not in (select note from copy where head != note)"
_ALIVE = "(expires is null or expires >= ?)"


def rank_letter(rank: int) -> str:
    """The letter that stands for a step of this rank in ``ClientRow.missed``."""
    return chr(ord("a") + rank)


def _join_client(where: str) -> str:
    return " join client on client.id = client" if "client." in where else ""


class Ties(NamedTuple):
    """What ties a note's client to other notes: a change of it may change what is derived of those."""

    claim: str | None
    circle: str | None
    aliases: str


class KnownNote(NamedTuple):
    """What is known of a note before it is read again; ``never_whole``: its stale rows were read line by line."""

    key: int
    digest: bytes
    stale: bool
    is_client: bool
    never_whole: bool = False


class KnownCopy(NamedTuple):
    """A note that is a conflict copy of ``original``, which is the note ``beside`` it, or gone (None).

    ``head`` is the version that counts: the copy itself where it stands in.  ``is_client``: it says that it is a
    client's, and ``beside_client`` that of the note beside; ``aside``: what came of it has been put aside.  ``told``
    are words for what its name tells, ``mirrored`` is true of a file that must not be deleted.
    """

    key: int
    path: str
    is_client: int
    digest: bytes
    stale: int
    aside: int
    original: str
    beside: int | None
    beside_client: int
    head: int
    told: str
    mirrored: int


class Touched(NamedTuple):
    """The clients whose rows were replaced or forgotten, and the days on which events were made or forgotten.

    Whatever changes what the calendar tells of a client replaces the client's rows, and forgets their events.
    """

    clients: set[int]
    days: set[int]


class RulesChanged(sqlite3.Error):
    """Another process made the index anew, with other settings or another version of the program."""


class Index:
    """An open index.

    Several processes use the file at once, and each may ask about another day, so keys and rows are worth
    something only inside one ``change`` (which no other can be in) or between ``read`` and the next change.
    ``fingerprint`` names what the rows depend on beside the notes ('': not known yet); either raises
    RulesChanged where the file has another.  ``notices`` say in a sentence each when the index had to be
    remade or kept in memory.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.notices: list[str] = []
        self.in_memory = False  # nothing of this session will be remembered
        self.fingerprint = ""
        self._reading = False
        self._remade = False
        self.touched: Touched | None = None  # what we changed since ``touch_anew``; None: it may be anything
        self._file: int | None = None
        self._db = self._open()

    # opening ------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            try:
                return self._connect()
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                return self._remake(error)
        except (OSError, sqlite3.Error) as error:
            return self._in_memory(error)

    def _remake(self, error: Exception) -> sqlite3.Connection:
        self.notices.append(f"the index was unusable ({error}) and is made again")
        self._remade = True
        if find_file(self.path) == self._file:  # else another process was faster
            for suffix in ("", "-wal", "-shm"):
                if os.path.exists(self.path + suffix):
                    os.unlink(self.path + suffix)
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        self._file = find_file(self.path)
        db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            db.execute("pragma synchronous = off")  # it can be made again: no waiting for the disk
            if db.execute("pragma user_version").fetchone()[0] != SCHEMA:
                self._create(db)
            db.execute("select * from meta").fetchall()
            self._file = find_file(self.path)
        except BaseException:
            db.close()
            raise
        return db

    def _create(self, db: sqlite3.Connection) -> None:
        """Make the tables, in place of another version's; another process may be doing the same."""
        use_log(db)
        db.execute("begin exclusive")
        if db.execute("pragma user_version").fetchone()[0] != SCHEMA:
            others = db.execute(
                "select type, name from sqlite_master where name not like 'sqlite!_%' escape '!'"
                " and type in ('table', 'view')"
            ).fetchall()
            if others:
                self.notices.append("the index was another version's and is made again")
            for kind, name in others:
                quoted = name.replace('"', '""')
                db.execute(f'drop {kind} "{quoted}"')
            for statement in _TABLES.split(";\n"):
                db.execute(statement)
            db.execute(f"pragma user_version = {SCHEMA}")
        db.execute("commit")

    def _in_memory(self, error: Exception) -> sqlite3.Connection:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        self.notices.append(f"the index {self.path} cannot be used ({reason}): working in memory, slower")
        self.in_memory = True
        db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._create(db)
        return db

    def fall_back(self, error: Exception) -> None:
        """Begin anew from nothing: on the disk where the file was damaged, else (full, locked) in memory."""
        self._db.close()
        self._reading = False
        self.touched = None
        self.fingerprint = ""
        if is_damage(error) and not self._remade:
            try:
                self._db = self._remake(error)
            except (OSError, sqlite3.Error) as again:
                error = again
            else:
                return
        self._db = self._in_memory(error)

    def clear(self) -> None:
        """Forget everything: the rows were made under other rules."""
        self.touched = None
        with self.change():
            for table in _NAMES:
                self._db.execute(f"delete from {table}")  # noqa: S608  names of our own

    def close(self) -> None:
        """Close the file; a closed index is of no use."""
        self._db.close()

    def change(self) -> _Transaction:
        """A transaction: all of the block's changes, or none; what is read in it is of now, and stays."""
        return _Transaction(self)

    def read(self) -> None:
        """Let all answers until the next change, or ``leave``, be of this one moment."""
        self.leave()
        self._db.execute("begin")
        self._reading = True
        self.require_rules()

    @property
    def is_still(self) -> bool:
        """Whether answers are of one moment."""
        return self._db.in_transaction

    def leave(self) -> None:
        """Let answers be of now again."""
        if self._reading and self._db.in_transaction:
            self._db.execute("rollback")
        self._reading = False

    def begin(self) -> bool:
        """Begin to write, unless that has been begun; whether it had not."""
        self.leave()
        if self._db.in_transaction:
            return False
        self._db.execute("begin immediate")
        try:
            self.require_rules()
        except BaseException:
            self._db.execute("rollback")
            raise
        return True

    def end(self, *, keep: bool) -> None:
        """End what ``begin`` began, and keep the changes or not."""
        if self._db.in_transaction:
            self._db.execute("commit" if keep else "rollback")

    def require_rules(self) -> None:
        """Raise RulesChanged where the rows were made under other rules than ours."""
        if self.fingerprint and self.recall("fingerprint") not in (None, self.fingerprint):
            raise RulesChanged("it is used with other settings or by another version of notesync")

    def require_health(self) -> None:
        """Raise IndexFailure where the file is damaged: for answers that cannot be begun again."""
        if (found := self._db.execute("pragma quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found.replace("\n", ": "))

    def age(self) -> int:
        """A number that is another one after a change by another process."""
        found: int = self._db.execute("pragma data_version").fetchone()[0]
        return found

    def changes(self) -> int:
        """A number that is another one after a change of our own."""
        return self._db.total_changes

    # meta ---------------------------------------------------------------------------------------

    def remembered(self) -> dict[str, Any]:
        """All that ``remember`` stored."""
        return dict(self._db.execute("select key, value from meta"))

    def recall(self, key: str) -> Any:
        """What ``remember`` stored by this name, None where it stored nothing."""
        found = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return found[0] if found else None

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

    def telling_notes(self, paths: Sequence[str] | None = None) -> Iterator[tuple[str, bytes]]:
        """The notes that say something of clients, as last read whole, with their digests; of these paths or of all."""
        where = "not stale and (is_client or id in (select note from mention))"
        if paths is None:
            rows: Iterable[tuple[Any, ...]] = self._db.execute(f"select path, digest from note where {where}")  # noqa: S608
        else:
            query = f"select path, digest from note where {where} and path in (%s)"  # noqa: S608
            rows = self._some(query, [_storable(path) for path in paths])
        return ((_path(path), digest) for path, digest in rows)

    def known_note(self, path: str) -> KnownNote | None:
        """What is known of a note; None when nothing is."""
        row = self._db.execute(
            "select id, digest, stale, is_client from note where path = ?", (_storable(path),)
        ).fetchone()
        return row and KnownNote(row[0], row[1], bool(row[2]), bool(row[3]), row[2] == _NEVER_WHOLE)

    def store(self, notes: Iterable[tuple[int | None, NoteRow]]) -> None:
        """Replace what is known of these notes; each comes with its key, or None for a new one."""
        from notesync.store.rows import JUDGED

        db = self._db
        new, clients, follow_ups, details, problems, mentions = [], [], [], [], [], []
        tasks, awaited = [], []
        after = self._last("follow_up")
        self._look_again_after(after)
        last = self._last("note")
        for key, note in notes:
            claim = None if note.client is None else note.client.claim
            if key is None:
                last = key = last + 1
                known = (note.digest, note.stale, None, note.client is not None, claim, False)
                new.append((key, _storable(note.path), *known))
                if self.touched is not None:
                    self.touched.clients.add(key)
            else:
                self._forget_rows(key)
                db.execute(
                    "update note set digest = ?, stale = ?, missing = null, is_client = ?, claim = ?, aside = 0"
                    " where id = ?",
                    (note.digest, note.stale, note.client is not None, claim, key),
                )
            if note.client is not None:
                clients.append((key, *note.client))
                for row in note.follow_ups:
                    after += 1
                    follow_ups.append((after, key, *row[:JUDGED]))
                    details.append((after, *row[JUDGED:]))
            for problem in note.problems:
                problems.append((key, *problem))
            for mention in note.mentions:
                mentions.append((None, key, *mention, None))
            for ident, words in note.tasks:
                tasks.append((ident, key, words))
            for each in note.awaited:
                awaited.append((key, *each))
        _insert(db, "note", 8, new)
        _insert(db, "client", 18, clients)
        _insert(db, "follow_up", 13, follow_ups)
        _insert(db, "detail", 15, details)
        _insert(db, "problem", 8, problems)
        _insert(db, "mention", 5, mentions)
        _insert(db, "task", 3, tasks)
        _insert(db, "awaited", 3, awaited)

    def _look_again_after(self, key: int) -> None:
        """What gets a higher key is new, though there may have been others by that key."""
        words, _, last = (self.recall("events") or "").rpartition(" ")
        if words and int(last) > key:
            self.remember(events=f"{words} {key}")

    def last_note(self) -> int:
        """The highest key of a note; 0 where none is known.  Keys are given in order from 1 on."""
        return self._last("note")

    def _last(self, table: str) -> int:
        last: int = self._db.execute(f"select coalesce(max(id), 0) from {table}").fetchone()[0]  # noqa: S608
        return last

    def stale_notes(self, notes: Sequence[int]) -> set[int]:
        """Those of the notes of which only the last good reading is known."""
        return {row[0] for row in self._some("select id from note where id in (%s) and stale", notes)}

    def trusted(self, paths: Iterable[str]) -> list[str]:
        """Those of the notes that are not stale."""
        query = "select 1 from note where path = ? and not stale"
        return [path for path in paths if self._db.execute(query, (_storable(path),)).fetchone()]

    def distrust(self, paths: Iterable[str]) -> None:
        """Mark notes stale that lie in a folder that cannot be listed; they are read again when it can."""
        self._db.executemany(
            f"update note set stale = {_HOW_STALE} where path = ?",  # noqa: S608
            [(_storable(path),) for path in paths],
        )

    def mark_stale(self, key: int, problems: Sequence[tuple[str, int, int, str, str, str, str]]) -> None:
        """Keep a note's last good rows, marked stale, with the reason as its problems."""
        self._db.execute(f"update note set stale = {_HOW_STALE}, missing = null where id = ?", (key,))  # noqa: S608
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
        self._db.execute("delete from copy where note = ?", (key,))

    def _forget_rows(self, key: int) -> None:
        self._forget_follow_ups(key)
        self._db.execute("delete from client where id = ?", (key,))
        self._db.execute("delete from problem where note = ?", (key,))
        self._db.execute("delete from mention where note = ?", (key,))
        self._db.execute("delete from task where note = ?", (key,))
        self._db.execute("delete from awaited where client = ?", (key,))

    def _forget_follow_ups(self, client: int) -> None:
        own = "(select id from follow_up where client = ?)"
        if self.touched is not None:
            query = f"select distinct day from event where id in {own}"  # noqa: S608
            self.touched.days.update(day for (day,) in self._db.execute(query, (client,)))
            self.touched.clients.add(client)
        self._db.execute(f"delete from detail where id in {own}", (client,))  # noqa: S608
        self._db.execute(f"delete from event where id in {own}", (client,))  # noqa: S608
        self._db.execute(f"delete from moved_event where id in {own}", (client,))  # noqa: S608
        self._db.execute("delete from follow_up where client = ?", (client,))

    # clients ------------------------------------------------------------------------------------

    def clients_not_holding(self, today: int) -> list[int]:
        """The keys of the clients whose rows do not hold on a day."""
        query = "select id from client where not (first <= ? and ? < until)"
        return [row[0] for row in self._db.execute(query, (today, today))]

    def keep(self, client: int, day: int) -> None:
        """Let a client's rows hold on a day, too: their note cannot be read, and they are the last that is known."""
        self._db.execute(
            "update client set first = min(first, ?), until = max(until, ? + 1) where id = ?",
            (day, day, client),
        )

    def notes(self, keys: Sequence[int]) -> Iterator[tuple[int, str, KnownNote]]:
        """Key, path and what is known of the clients' notes named."""
        for key, path, digest, stale in self._some(
            "select id, path, digest, stale from note where id in (%s)", keys
        ):
            yield key, _path(path), KnownNote(key, digest, bool(stale), True)

    def cards(self, clients: Iterable[int] | None = None) -> Iterator[tuple[int, str, bool, str, str]]:
        """Key, path, staleness, identity and card of the clients named (None: of all), by path.

        Of thousands named, each five hundred are by path.
        """
        select = "select client.id, path, stale, client.key, card from client join note using (id)"
        found: Iterable[tuple[Any, ...]]
        if clients is None:
            found = self._db.execute(f"{select} order by path")
        else:
            found = self._some(f"{select} where client.id in (%s) order by path", list(clients))
        for key, path, stale, ident, card in found:
            yield key, _path(path), bool(stale), ident, card

    def _some(
        self, query: str, keys: Sequence[int] | Sequence[str] | Sequence[str | bytes]
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of a query for many keys, which it names as ``%s``."""
        for at in range(0, len(keys), _SOME):
            some = keys[at : at + _SOME]
            yield from self._db.execute(query % ",".join("?" * len(some)), some).fetchall()

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

    def owners(self) -> set[str]:
        """The owners of all clients, in small letters."""
        rows = self._db.execute("select distinct owners from client")
        return {owner for (owners,) in rows for owner in owners.split("\n") if owner}

    def counts(self) -> tuple[int, int]:
        """How many notes are known, and how many of them are clients'."""
        row: tuple[int, int] = self._db.execute(
            "select (select count(*) from note), (select count(*) from client)"
        ).fetchone()
        return row

    # what ties clients to other notes -----------------------------------------------------------

    def ties(self, key: int) -> Ties | None:
        """What ties a note's client to others; None where it is no client's."""
        row = self._db.execute("select claim, circle, aliases from client where id = ?", (key,)).fetchone()
        return row and Ties._make(row)

    def claims_of(self, clients: Sequence[int]) -> list[str]:
        """The ids that the notes of these clients claim."""
        query = "select distinct claim from client where id in (%s) and claim is not null"
        return [row[0] for row in self._some(query, clients)]

    def says(self, key: int) -> bool:
        """Whether a note says anything of others."""
        return self._db.execute("select 1 from mention where note = ?", (key,)).fetchone() is not None

    def has_mentions(self) -> bool:
        """Whether any note says anything of others."""
        return self._db.execute("select 1 from mention limit 1").fetchone() is not None

    def copied_mentions(self) -> list[tuple[int, str, str, bool, int, bool]]:
        """What conflict copies and the notes that these are copies of say of others, the latter first, by path.

        Key, targets, what is said, whether it is a copy that says so, the note that counts, whether a client's.
        """
        query = (
            "select m.id, m.targets, m.said, k.head != n.id, k.head, h.is_client from mention m"
            " join note n on n.id = m.note"
            " join (select note, head from copy union select head, head from copy) k on k.note = n.id"
            " join note h on h.id = k.head order by k.head != n.id, n.path, m.id"
        )
        return self._db.execute(query).fetchall()

    def mentions(self) -> list[tuple[int, str, int | None]]:
        """Every mention: its key, the names that it links to, the client whom it was found to mean."""
        return self._db.execute("select id, targets, client from mention order by id").fetchall()

    def assign_mentions(self, meant: Iterable[tuple[int | None, int]]) -> None:
        """Note whom mentions mean: the client's key and the mention's."""
        self._db.executemany("update mention set client = ? where id = ?", meant)

    def mentions_named(self, mentions: Sequence[int]) -> Iterator[tuple[int, int, str]]:
        """Of the mentions named: its key, its note's, and what is said."""
        return self._some("select id, note, said from mention where id in (%s)", mentions)

    def notes_with(self, code: str) -> list[int]:
        """The notes that have a problem of this code."""
        return [
            row[0] for row in self._db.execute("select distinct note from problem where code = ?", (code,))
        ]

    def heard(self, clients: Sequence[int] | None = None) -> Iterator[tuple[int, str, bool]]:
        """What other notes say of the clients named (None: of all), by client and in the order of the notes.

        With each: whether only a conflict copy says so.
        """
        select = (
            "select m.client, m.said, k.note is not null from mention m join note on note.id = m.note"
            " left join copy k on k.note = m.note and k.head != k.note where m.client"
        )
        order = "order by m.client, path, m.id"
        if clients is None:
            return self._db.execute(f"{select} is not null {order}")
        return self._some(f"{select} in (%s) {order}", clients)

    def heard_numbers(self) -> dict[int, int]:
        """The clients whose rows were made with what other notes say, each with the number of that."""
        return dict(self._db.execute("select id, heard from client where heard").fetchall())

    def has_tied_tasks(self, key: int) -> bool:
        """Whether a note has tasks that wait for those of other notes, or for which those may wait."""
        tied = "select 1 from task where note = ? union all select 1 from awaited where client = ?"
        return self._db.execute(tied, (key, key)).fetchone() is not None

    def awaited(self, clients: Sequence[int]) -> Iterator[tuple[int, str, str]]:
        """For the clients named whose tasks depend on others' open ones: key, id, the words of that task."""
        query = (
            f"select a.client, a.id, min(t.words) from awaited a join task t on t.id = a.id and {_ELSEWHERE}"  # noqa: S608
            " where a.client in (%s) group by a.client, a.id"
        )
        return self._some(query, clients)

    def misled(self) -> list[int]:
        """The clients whose tasks were found to wait for something else than they do now."""
        now = f"(select min(t.words) from task t where t.id = a.id and {_ELSEWHERE})"  # noqa: S608
        query = f"select distinct client from awaited a where words != coalesce({now}, '')"  # noqa: S608
        return [row[0] for row in self._db.execute(query)]

    def newest_contacts(self, clients: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """For the clients named that have others in their circle: key, circle, newest contact with these."""
        query = (
            "select c.id, c.circle, max(o.contact) from client c"
            " join client o on o.circle = c.circle and o.id != c.id"
            " where c.id in (%s) and o.contact is not null group by c.id"
        )
        return self._some(query, clients)

    def miscounted(self, circles: Sequence[str] | None) -> list[int]:
        """The clients whose cadence does not count from the newest contact of their circle (None: of any)."""
        query = (
            "select c.id from client c where c.counted is not null and c.circle{} and c.counted !="
            " (select coalesce(max(o.contact), 0) from client o where o.circle = c.circle)"
        )
        if circles is None:
            return [row[0] for row in self._db.execute(query.format(" is not null"))]
        return [row[0] for row in self._some(query.format(" in (%s)"), circles)]

    def claims(self, claims: Sequence[str] | None) -> Iterator[tuple[int, str, str, str]]:
        """Key, path, twin and claim of the clients with these ids (None: with one that several have).

        Those with one id stand together, by path, folder by folder: `Clients` goes before `Clients - Copy`.
        """
        query = (
            "select id, path, twin, client.claim from client join note using (id) where client.claim in ({})"
            " order by client.claim, replace(path, '/', char(1))"
        )
        if claims is None:
            several = "select claim from client where claim is not null group by claim having count(*) > 1"
            wrong = "select claim from client where claim is not null and twin != ''"
            found: Iterable[tuple[Any, ...]] = self._db.execute(query.format(f"{several} union {wrong}"))
        else:
            found = self._some(query.format("%s"), claims)
        for key, path, twin, claim in found:
            yield key, _path(path), twin, claim

    # conflict copies ----------------------------------------------------------------------------

    def note_paths(self) -> list[tuple[int, str]]:
        """Key and path of every note."""
        return [(key, _path(path)) for key, path in self._db.execute("select id, path from note")]

    def has_copies(self) -> bool:
        """Whether any note is a conflict copy, or was one when it was put aside."""
        query = "select exists (select 1 from copy) or exists (select 1 from note where aside)"
        return bool(self._db.execute(query).fetchone()[0])

    def has_twins(self, claims: Sequence[str]) -> bool:
        """Whether several notes claim one of these ids."""
        query = "select claim from note where claim in (%s) group by claim having count(*) > 1"
        return any(True for _ in self._some(query, claims))

    def twins(self) -> list[tuple[str, str]]:
        """Path and id of the notes whose id others claim, too."""
        several = "select claim from note where claim is not null group by claim having count(*) > 1"
        rows = self._db.execute(f"select path, claim from note where claim in ({several})")  # noqa: S608
        return [(_path(path), claim) for path, claim in rows]

    def copies(self) -> list[KnownCopy]:
        """What is known of every conflict copy, by path."""
        rows = self._db.execute(
            "select k.note, n.path, n.is_client, n.digest, n.stale, n.aside, k.original, k.beside,"
            " coalesce(b.is_client, 0), k.head, k.told, k.mirrored"
            " from copy k join note n on n.id = k.note left join note b on b.id = k.beside"
            " order by n.path"
        )
        return [KnownCopy._make((row[0], _path(row[1]), *row[2:6], _path(row[6]), *row[7:])) for row in rows]

    def stand_ins(self, clients: Sequence[int] | None = None) -> dict[int, str]:
        """The clients named (None: all) whose note is a conflict copy that stands in for this original."""
        query = "select note, original from copy where head = note"
        rows = (
            self._db.execute(query) if clients is None else self._some(f"{query} and note in (%s)", clients)
        )
        return {key: _path(original) for key, original in rows}

    def copies_of(self, clients: Sequence[int]) -> Iterator[tuple[int, str, bytes, bool]]:
        """The clients named that have conflict copies beside the note that counts: key, the copy's path and digest.

        And whether that is the last good reading.  By path, without those that could never be read.
        """
        query = (
            "select head, path, digest, stale from copy join note on note.id = note where head in (%s) and head != note"
            " and digest != x'' order by path"
        )
        for head, path, digest, stale in self._some(query, clients):
            yield head, _path(path), digest, bool(stale)

    def copied_rows(self, client: int, path: str, flag: int) -> list[tuple[Any, ...]]:
        """A client's follow-ups with this flag that stand in the note of this path, as ``FollowUpRow`` has them."""
        query = (
            "select rank, flags, opens, due, minute, value, name, place, label, expires, retry_on, rule, kind, step,"
            " occasion, title, reason, path, line, channel, minutes, wanted, attempts, ask, waits"
            " from follow_up f join detail d using (id)"
            " where f.client = ? and f.flags & ? and d.path = ? order by f.id"
        )
        return self._db.execute(query, (client, flag, _storable_words(path))).fetchall()

    def store_copies(self, copies: Iterable[tuple[int, str, int | None, int, str, int]]) -> None:
        """Replace what is known of copies: note, original, the note beside it, the one that counts, words, mirrored."""
        self._db.execute("delete from copy")
        self._db.executemany(
            "insert into copy values (?, ?, ?, ?, ?, ?)",
            [(each[0], _storable(each[1]), *each[2:]) for each in copies],
        )

    def replace_problems(self, code: str, notes: Iterable[int], problems: Iterable[tuple[Any, ...]]) -> None:
        """Have these be the problems of this code in the notes named; each begins with its note."""
        self._db.executemany(
            "delete from problem where note = ? and code = ?", [(key, code) for key in notes]
        )
        rows = [tuple(_storable_words(value) for value in row) for row in problems]
        _insert(self._db, "problem", 8, rows)

    def put_aside(self, key: int, path: str, code: str) -> None:
        """Forget what came of a client's note that is a copy; also its problems that are not its own, and this one."""
        self._forget_follow_ups(key)
        self._db.execute("delete from client where id = ?", (key,))
        self._db.execute("delete from awaited where client = ?", (key,))
        self._db.execute(
            "delete from problem where note = ? and (code = ? or path != ?)",
            (key, code, _storable_words(path)),
        )
        self._db.execute("update note set aside = 1 where id = ?", (key,))

    def is_aside(self, key: int) -> bool:
        """Whether a note was put aside."""
        query = "select 1 from note where id = ? and aside"
        return self._db.execute(query, (key,)).fetchone() is not None

    def put_asides(self) -> list[int]:
        """The notes that were put aside."""
        return [row[0] for row in self._db.execute("select id from note where aside")]

    def copied_numbers(self) -> dict[int, int]:
        """The clients whose rows were made with conflict copies, each with the number of these."""
        return dict(self._db.execute("select id, copied from client where copied").fetchall())

    # follow-ups ---------------------------------------------------------------------------------

    def upcoming(
        self, after: int, today: int, where: str = "", values: Sequence[Any] = ()
    ) -> Iterator[tuple[int, int, int, int]]:
        """Key, client, rank and flags of the follow-ups that are upcoming on a day, and all days up to ``after``."""
        return self._db.execute(
            "select follow_up.id, client, rank, flags from follow_up"  # noqa: S608
            f"{_join_client(where)}"
            f" where (opens > ? or retry_on > ? or flags & {WAITS}) and {_ALIVE}{' and ' + where if where else ''}",
            (after, after, today, *values),
        )

    def rows(
        self,
        opened_by: int | None,
        today: int,
        where: str = "",
        values: Sequence[Any] = (),
        without: int = 0,
        *,
        words: bool = True,
    ) -> Iterator[Any]:
        """The rows to judge, as ``agenda.judge`` wants them: those open by a day, or all (None).

        What is missed ``today`` is in neither.  ``where`` is a condition on clients with its ``values``;
        ``without`` leaves out rows with these flags.  Without ``words`` name, place and label are '', which takes
        half of the time.
        """
        clauses = []  # what says no to the most rows goes first
        if opened_by is not None:
            without |= WAITS
            clauses.append(f"ifnull(opens, 0) <= {opened_by}")
        if without:
            clauses.append(f"flags & {without} = 0")
        clauses.append(_ALIVE)
        if opened_by is not None:
            clauses.append(f"ifnull(retry_on, 0) <= {opened_by}")
        if where:
            clauses.append(where)
        return self._db.execute(
            f"{_ROWS.format(_WORDS if words else _NO_WORDS)}{_join_client(where)} where {' and '.join(clauses)}",
            (today, *values),
        )

    def count_missed(
        self, today: int, ranks: Iterable[int], where: str = "", values: Sequence[Any] = ()
    ) -> int:
        """How many steps of these ranks (none: of all) are missed on a day."""
        ranks = list(ranks)
        letters = "".join(f" - length(replace(missed, '{rank_letter(rank)}', ''))" for rank in ranks)
        left_out = f"length(missed) * {len(ranks)}{letters}" if ranks else "length(missed)"
        wanted = f" and rank in ({','.join(map(str, ranks))})" if ranks else ""
        condition = f" and {where}" if where else ""
        long_ago = f"select coalesce(sum({left_out}), 0) from client where missed != ''{condition}"  # noqa: S608
        since = f"select count(*) from follow_up{_join_client(where)} where expires < ?{wanted}{condition}"  # noqa: S608
        found: int = self._db.execute(
            f"select ({long_ago}) + ({since})", (*values, today, *values)
        ).fetchone()[0]
        return found

    def clients_missing(self, today: int, where: str = "", values: Sequence[Any] = ()) -> list[int]:
        """The clients who have a step that is missed on a day."""
        late = "exists (select 1 from follow_up f where f.client = client.id and f.expires < ?)"
        query = f"select id from client where (missed != '' or {late}){' and ' + where if where else ''}"  # noqa: S608
        return [row[0] for row in self._db.execute(query, (today, *values))]

    def missed(self, today: int) -> list[int]:
        """The keys of what is missed on a day."""
        return [row[0] for row in self._db.execute("select id from follow_up where expires < ?", (today,))]

    def details(self, follow_ups: Sequence[int]) -> dict[int, tuple[Any, ...]]:
        """Key and words of each follow-up named, in FollowUpRow's order from ``rule`` on."""
        return {row[0]: row[1:] for row in self._some("select * from detail where id in (%s)", follow_ups)}

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

    def problem_codes(self, key: int) -> set[str]:
        """The codes of a note's problems."""
        return {code for (code,) in self._db.execute("select code from problem where note = ?", (key,))}

    def count_problems(self, code: str) -> tuple[int, int]:
        """How many notes have a problem of that code, and of how many of them nothing is known."""
        found: tuple[int, int] = self._db.execute(
            "select count(distinct note), count(distinct case when client.id is null then note end)"
            " from problem left join client on client.id = note where code = ?",
            (code,),
        ).fetchone()
        return found

    # events -------------------------------------------------------------------------------------

    def count_unmade(self) -> int:
        """How many follow-ups, of any day, have no event."""
        counts = "select (select count(*) from follow_up) - (select count(*) from event)"
        found: int = self._db.execute(counts).fetchone()[0]
        return found

    def without_event(self, first: int, last: int, where: str) -> list[int]:
        """The follow-ups shown between two days, both included, whose event has not been made, by client.

        ``where`` is a further condition on them.  Those that were looked through before are not asked again.
        """
        after = self._looked_through(f"{first} {last} {where}")
        rows = self._db.execute(
            "select f.id from follow_up f left join event e using (id) where f.id > ? and e.id is null"  # noqa: S608
            f" and {_DAY_SHOWN} between ? and ? and {where} order by f.client, f.id",
            (after, first, last),
        )
        return [row[0] for row in rows]

    def _looked_through(self, what: str) -> int:
        """The highest key of the follow-ups all of which have their events, of those asked for by these words."""
        words, _, last = (self.recall("events") or "").rpartition(" ")
        return int(last) if words == what else 0

    def have_all_events(self, first: int, last: int, where: str) -> None:
        """Remember that ``without_event`` has no more to say of the follow-ups that there are now."""
        self.remember(events=f"{first} {last} {where} {self._last('follow_up')}")

    def follow_ups(self, keys: Sequence[int]) -> list[tuple[Any, ...]]:
        """The follow-ups named: keys, days and flags, then the words; by client where the keys are."""
        return list(self._some(f"{_FOLLOW_UP} where f.id in (%s) order by f.client, f.id", keys))

    def store_events(self, events: Iterable[tuple[int, str, int, bytes]]) -> None:
        """Keep the finished bytes of events: day shown (an ordinal), uid, follow-up, bytes."""
        rows = sorted(events)
        if self.touched is not None:
            self.touched.days.update(row[0] for row in rows)
        _insert(self._db, "event", 4, rows)

    def moved_events(self, day: int) -> dict[int, bytes]:
        """The bytes of events that stand on a day instead of their own, by follow-up."""
        return dict(self._db.execute("select id, body from moved_event where day = ?", (day,)))

    def store_moved_events(self, day: int, events: Iterable[tuple[int, bytes]]) -> None:
        """Keep the bytes of events that stand on a day instead of their own; those of other days are forgotten."""
        self._db.execute("delete from moved_event where day != ?", (day,))
        _insert(self._db, "moved_event", 3, [(key, day, body) for key, body in events])

    def touch_anew(self) -> None:
        """Note from now on in ``touched`` what we change.

        Of a change that is taken back it then has all too, and what other processes do it has not.
        """
        self.touched = Touched(set(), set())

    def events(
        self, first: int, last: int, where: str = "", values: Sequence[Any] = ()
    ) -> Iterator[tuple[int, int, bytes]]:
        """Day, follow-up and bytes of the kept events between two days, both included, by day and uid.

        ``where`` is a condition on their ``client``, '' for none.
        """
        if not where:
            return self._db.execute(
                "select day, id, body from event where day between ? and ? order by day, uid, id",
                (first, last),
            )
        return self._db.execute(
            "select e.day, e.id, e.body from event e join follow_up f on f.id = e.id"  # noqa: S608
            f" join client on client.id = f.client where e.day between ? and ? and {where}"
            " order by e.day, e.uid, e.id",
            (first, last, *values),
        )


class _Transaction:
    """One transaction; an exception rolls it back.  Entered inside another, it is part of that one."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._outer = False

    def __enter__(self) -> _Transaction:
        self._outer = self._index.begin()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._outer:
            self._index.end(keep=kind is None)


def _insert(db: sqlite3.Connection, table: str, width: int, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    statement = f"insert into {table} values ({','.join('?' * width)})"  # noqa: S608  names of our own
    try:
        db.executemany(statement, rows)
    except UnicodeEncodeError:
        # A note's bytes that are no UTF-8 came through as lone surrogates, which SQLite cannot hold.
        if table in _NOTE_AT:
            at = _NOTE_AT[table]
            owner = "client" if table == "awaited" else "note"
            db.executemany(f"delete from {table} where {owner} = ?", {(row[at],) for row in rows})  # noqa: S608
        safe = [tuple(_storable_words(value) for value in row) for row in rows]
        db.executemany(statement.replace("insert", "insert or replace", 1), safe)


# Rows without a key of their own, by which they could be replaced: where their note's stands in them.
_NOTE_AT = {"problem": 0, "mention": 1, "task": 1, "awaited": 0}


def _storable_words(value: Any) -> Any:
    """Text without lone surrogates: the byte of a file's name or text stays visible as such."""
    if not isinstance(value, str):
        return value
    try:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode()


def _storable(path: str) -> str | bytes:
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)  # a name that is no UTF-8: kept as the bytes that it is
    return path


def _path(stored: str | bytes) -> str:
    return stored if isinstance(stored, str) else os.fsdecode(stored)
