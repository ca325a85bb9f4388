"""What ties clients to other notes: one id in two notes, people of one company, and what other notes say.

A client's rows are derived from its own note as it is read.  What other notes add is found once all of them
are stored: whoever's rows were made with something else is derived again.  Each row says what it was made
with, so that nothing is missed, whatever the order in which notes came and went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize
from zlib import crc32

from notesync.followup.entry_fields import find_entry_problems
from notesync.followup.promises import COMPLAINT, PROMISE, find_cases, order_tagged
from notesync.followup.task_rules import find_rule_problems
from notesync.notes.body import Entry, Task
from notesync.notes.mention import from_text
from notesync.problems import WARNING, Problem
from notesync.store.index import Index
from notesync.sync.counting import find_repeated, report_copies, settle_copies

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.store.rows import FollowUpRow
    from notesync.sync.reading import Reader
    from notesync.sync.refresh import Taken


class CopyTie(NamedTuple):
    """A conflict copy of a client's note, and whether what is known of it is its last good reading."""

    path: str
    digest: bytes
    stale: bool


class Ties(NamedTuple):
    """What other notes add to a client.

    ``twin`` is the path of the note that has the same id, ``claim``, and comes first; this one then goes by its
    path.  ``company`` is the day of the newest contact with others of the ``circle``.  Both are of the note as
    it was stored last, and count for nothing if it says something else by now.  ``heard`` is the number of what
    other notes say (0: nothing), which ``entries`` and ``tasks`` are, with what is
    wrong on their lines.  ``awaited`` are open tasks elsewhere that
    the client's depend on: ids and words.

    ``stands`` is the path of the note that is gone and for which this one, a conflict copy, stands in.  ``copies``
    are the conflict copies of the note; ``versions`` what they say, and ``kept`` the rows that
    came of those that cannot be read just now; ``is_passing``: of one that is being changed, so they hold for now.
    ``aside`` is what only conflict copies of other notes say.
    """

    claim: str = ""
    twin: str = ""
    circle: str = ""
    company: date | None = None
    heard: int = 0
    entries: tuple[Entry, ...] = ()
    tasks: tuple[Task, ...] = ()
    problems: tuple[Problem, ...] = ()
    awaited: Mapping[str, str] = MappingProxyType({})
    stands: str = ""
    copies: tuple[CopyTie, ...] = ()
    versions: tuple[Client, ...] = ()
    kept: tuple[FollowUpRow, ...] = ()
    is_passing: bool = False
    aside: tuple[Entry | Task, ...] = ()


UNTIED = Ties()
FREE: Mapping[str, Ties] = {}


def add_ties(client: Client, ties: Ties) -> Client:
    """The client with what other notes say, behind what their own says, and under the key that is theirs."""
    if ties.stands:
        client = stand_in(client, ties.stands)
    if ties.twin and ties.claim == client.id:
        client = client._replace(key=name_by_path(ties.stands or client.path))
    if ties.heard:
        client = client._replace(log=client.log + ties.entries, tasks=client.tasks + ties.tasks)
    return client


def stand_in(client: Client, original: str) -> Client:
    """A client whose note is a conflict copy, by the name and the path of the note that is gone."""
    if client.key == name_by_path(client.path):
        client = client._replace(key=name_by_path(original))
    return client._replace(name=find_name(original)) if client.name == find_name(client.path) else client


def find_name(path: str) -> str:
    """The name of a client whose note tells none."""
    return name_by_path(path).rpartition("/")[2].removesuffix(".md")


def find_awaited(client: Client, ties: Ties) -> list[tuple[str, str]]:
    """The ids in other notes that a client's open tasks depend on, each with the words of the task there."""
    if not any(task.depends_on for task in client.tasks):
        return []
    own = {task.id for task in client.tasks}
    ids = dict.fromkeys(name for task in client.tasks if task.open for name in task.depends_on)
    return [(name, ties.awaited.get(name, "")) for name in ids if name not in own]


def offer_tasks(tasks: Sequence[Task]) -> list[tuple[str, str]]:
    """The open tasks with an id for which others may wait: ids and words.

    One that depends on others itself holds nobody back in other notes: tasks that wait for one another in
    a circle would never be due.
    """
    return [
        (task.id, task.text or task.id) for task in tasks if task.id and task.open and not task.depends_on
    ]


def name_by_path(path: str) -> str:
    """The identity of a client whose note claims none."""
    return normalize("NFC", path)


def find_ties(index: Index, clients: Sequence[int]) -> dict[int, Ties]:
    """The ties of the clients named, by key; of some, none."""
    ties = dict.fromkeys(clients, UNTIED)
    for key, circle, day in index.newest_contacts(clients):
        ties[key] = ties[key]._replace(circle=circle, company=date.fromordinal(day))
    for key, claim, twin in _find_twins(index, index.claims_of(clients)):
        if key in ties:
            ties[key] = ties[key]._replace(claim=claim, twin=twin)
    for key, ident, words in index.awaited(clients):
        ties[key] = ties[key]._replace(awaited={**ties[key].awaited, ident: words})
    if index.has_mentions():
        for key, said in _gather(index.heard(clients)):
            ties[key] = _hear(ties[key], said)
    if index.has_copies():
        for key, original in index.stand_ins(clients).items():
            ties[key] = ties[key]._replace(stands=original)
        for key, path, digest, stale in index.copies_of(clients):
            ties[key] = ties[key]._replace(copies=(*ties[key].copies, CopyTie(path, digest, stale)))
    return ties


def _hear(ties: Ties, said: Sequence[Said]) -> Ties:
    """The ties of a client with what other notes say."""
    told = [(*from_text(text), copied) for text, copied in said]
    entries = tuple(each for each, _, copied in told if isinstance(each, Entry) and not copied)
    tasks = tuple(each for each, _, copied in told if isinstance(each, Task) and not copied)
    wrong = [problem for _, problems, _ in told for problem in problems]
    for task in tasks:
        wrong += find_rule_problems(task.path, (task,))
    for entry in entries:
        wrong += find_entry_problems(entry.path, (entry,))
    return ties._replace(
        heard=_number(said),
        entries=entries,
        tasks=tasks,
        problems=tuple(wrong),
        aside=tuple(each for each, _, copied in told if copied),
    )


def find_held(client: Client, ties: Ties) -> Iterator[Problem]:
    """What other notes say is owed to somebody who is to be left alone, each at its own place."""
    owed: list[Entry | Task] = [task for task in ties.tasks if task.open and not _OWED.isdisjoint(task.tags)]
    whole = add_ties(client, ties)
    log = order_tagged(whole)
    for kind in (PROMISE, COMPLAINT) if log else ():
        cases = find_cases(whole, log, kind, date.max)
        owed += [case.entry for case in cases if case.closed is None and case.entry.path]
    for each in owed:
        message = f"`do_not_contact` in {client.path} holds this back, although it is still open."
        hint = "Settle it first, or close it, and then withdraw."
        yield Problem(each.path, each.line, each.column, "withdrawn-open", WARNING, message, hint)


_OWED = frozenset((PROMISE, COMPLAINT))


def settle(index: Index, reader: Reader, taken: Taken, *, everything: bool) -> None:
    """Derive again, within a change, the clients whose rows were made with other ties than there are now.

    ``everything``: not only what may have changed by what was ``taken`` in.
    """
    again = settle_copies(index, reader, taken, everything=everything)
    if everything or taken.mentions or (taken.names and index.has_mentions()):
        _find_meant(index)
        taken.mentions = True
    again.update(_find_misnamed(index, None if everything else sorted(taken.claims)))
    if taken.mentions:
        again.update(_find_misheard(index))
    if again:
        reader.take_again(sorted(again), taken)
    waiting = index.misled() if everything or taken.tasks or again else []
    if waiting:
        reader.take_again(waiting, taken)
    late = index.miscounted(None if everything else sorted(taken.circles))
    if late:
        reader.take_again(late, taken)
    report_copies(index, reader, taken)


def _find_misnamed(index: Index, claims: Sequence[str] | None) -> Iterator[int]:
    """The clients that go by an id which is another's by now, or that do not by the one which is theirs."""
    before, first = "", ""
    for key, path, twin, claim in index.claims(claims):
        if claim != before:
            before, first = claim, path
        if twin != ("" if path == first else first):
            yield key


def _find_twins(index: Index, claims: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    before, first = "", ""
    for key, path, _, claim in index.claims(claims):
        if claim == before:
            yield key, claim, first
        else:
            before, first = claim, path


# --- What other notes say --------------------------------------------------------------------------------


def _find_misheard(index: Index) -> Iterator[int]:
    """The clients whose rows were made with something else than what other notes say now."""
    known = index.heard_numbers()
    for key, said in _gather(index.heard()):
        if known.pop(key, 0) != _number(said):
            yield key
    yield from known  # of whom nothing is said any more


Said = tuple[str, bool]
"""An entry or a task of another note as text, and whether only a conflict copy says so."""


def _gather(heard: Iterator[tuple[int, str, bool]]) -> Iterator[tuple[int, list[Said]]]:
    key, said = -1, list[Said]()
    for client, text, copied in heard:
        if client != key:
            if said:
                yield key, said
            key, said = client, []
        said.append((text, bool(copied)))
    if said:
        yield key, said


def _number(said: Sequence[Said]) -> int:
    return crc32("\n".join("copied " * copied + text for text, copied in said).encode()) or 1


def _find_meant(index: Index) -> None:
    """Find whom the links of other notes mean: the one client that any of them names."""
    mentions = index.mentions()
    if not mentions:
        return
    names = _Names(index)
    repeated = find_repeated(index) if index.has_copies() else ()
    found = [
        (None if key in repeated else names.find_one(targets.split("\n")), key, client)
        for key, targets, client in mentions
    ]
    index.assign_mentions((meant, key) for meant, key, client in found if meant != client)
    targets = {key: words.split("\n") for key, words, _ in mentions}
    nobodys = (key for meant, key, _ in found if meant is None and key not in repeated)
    doubtful = {key: doubt for key in nobodys if (doubt := names.find_doubt(targets[key])) is not None}
    _report_doubtful(index, doubtful)


def _report_doubtful(index: Index, doubtful: Mapping[int, Doubt]) -> None:
    """Have the lines be among the problems that would be a client's if it were clear whose."""
    problems = []
    for key, note, text in index.mentions_named(sorted(doubtful)):
        said, (target, paths) = from_text(text)[0], doubtful[key]
        if isinstance(said, Task) and not _is_asking(said):
            continue
        others = (
            f" or {len(paths) - 2} more" if len(paths) > 3 else f" or {paths[2]}" if len(paths) > 2 else ""
        )
        message = f"`{target}` may be {paths[0]} or {paths[1]}{others}, so this line is no client's."
        hint = f"Write which one: [[{paths[0].removesuffix('.md')}]]."
        problems.append(
            (note, *Problem(said.path, said.line, said.column, "ambiguous-link", WARNING, message, hint))
        )
    index.replace_problems("ambiguous-link", index.notes_with("ambiguous-link"), problems)


def _is_asking(task: Task) -> bool:
    """Whether an open task is a follow-up: by its dates, or by what it is."""
    is_dated = task.due is not None or task.scheduled is not None
    return task.open and (is_dated or not _OWED.isdisjoint(task.tags))


Doubt = tuple[str, list[str]]
"""A link that may mean several clients, and the notes of these."""


class _Names:
    """What a link may call a client: the note's name or path as Obsidian has it, else an alias.

    Of a client who has several notes each does.
    """

    def __init__(self, index: Index) -> None:
        self._files: dict[str, set[int]] = {}
        self._aliases: dict[str, set[int]] = {}
        self._paths: dict[int, str] = {}
        has_copies = index.has_copies()
        stand_ins = index.stand_ins() if has_copies else {}
        for key, path, _, _, _, aliases in index.names():
            self._paths[key] = path
            self._add(stand_ins.get(key, path), key)
            for alias in filter(None, aliases.split("\n")):
                self._aliases.setdefault(_compare(alias), set()).add(key)
        for copy in index.copies() if has_copies else ():
            if copy.head in self._paths:
                self._add(copy.path, copy.head)

    def _add(self, path: str, key: int) -> None:
        parts = _compare(path).split("/")
        for at in range(len(parts)):
            self._files.setdefault("/".join(parts[at:]), set()).add(key)

    def _find(self, target: str) -> set[int]:
        name = _compare(target)
        return self._files.get(name) or self._aliases.get(name) or set()

    def find_one(self, targets: Sequence[str]) -> int | None:
        """The only client among the notes of these names; None where there is none, or more than one."""
        found: set[int] = set().union(*map(self._find, targets))
        return next(iter(found)) if len(found) == 1 else None

    def find_doubt(self, targets: Sequence[str]) -> Doubt | None:
        """What keeps it from being clear that one client is meant; None where nobody or several are."""
        found = [(target, keys) for target in targets if (keys := self._find(target))]
        if not found or not set.intersection(*(keys for _, keys in found)):
            return None
        target, keys = max(found, key=lambda each: len(each[1]))
        return target, sorted(self._paths[key] for key in keys)


def _compare(name: str) -> str:
    return normalize("NFC", name).casefold().strip().removeprefix("/").removesuffix(".md")
