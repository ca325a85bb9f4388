"""The conflict copies among the notes of an index: which version of a note counts, and what each is reported as.

A copy's rows are put aside, whatever they were; the client of the version that counts is derived with what the
copies say besides, and its row says by a number which copies those were, so that a difference shows.  All that is
decided here comes from names and from what the notes say: every computer decides alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from posixpath import normpath
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

from notesync.problems import WARNING
from notesync.store.index import Index, KnownCopy

if TYPE_CHECKING:
    from notesync.followup.settings import Settings
    from notesync.store.conflicts import Copy
    from notesync.sync.reading import Reader
    from notesync.sync.refresh import Taken

CODE = "conflict-copy"
PASSING = -1
"""In place of the number of the copies that a client's rows were made with: they are made again at the next look."""

TWIN = "duplicate-id"  # the problem of a client's note that goes with one id in two of them


class _Place(NamedTuple):
    """What the index stores of a copy, as ``Index.store_copies`` takes it."""

    key: int
    original: str
    beside: int | None
    head: int
    told: str
    mirrored: int


def settle_copies(index: Index, reader: Reader, taken: Taken, *, everything: bool) -> set[int]:
    """Have the notes that are conflict copies be put aside, and no others, within a change.

    Out: the clients whose rows were made with other copies than there are now.
    """
    before = index.copies() if index.has_copies() else []
    if not _may_differ(index, taken, before, everything=everything):
        return set()
    places = [_find_place(each) for each in before]
    found = _hold_unread(index, before, _find_again(index, reader))
    if {each._replace(head=0) for each in found} != {each._replace(head=0) for each in places}:
        index.store_copies(found)
    _replace_problems(index, [each.key for each in before], ())
    # Such a client's own word of a twin went with those of copies.
    again = {each.key for each in before if each.is_client and not each.aside} - {each.key for each in found}
    if not index.has_copies():
        return again.union(index.copied_numbers())
    copies = _choose(index.copies())
    chosen = [_find_place(each) for each in copies]
    if chosen != places:
        index.store_copies(chosen)
        taken.mentions, taken.names, taken.tasks = True, True, True
    _put_aside(index, reader, taken, copies)
    taken.keys.update(each.key for each in copies)
    return again | _find_miscopied(index, copies)


def report_copies(index: Index, reader: Reader, taken: Taken) -> None:
    """Have each copy be among the problems, once nothing more is derived: a note's problems go with its rows."""
    copies = index.copies() if index.has_copies() else []
    if not taken.keys.isdisjoint(each.key for each in copies):
        _replace_problems(index, [each.key for each in copies], list(_report(copies, reader)))


def number_copies(stands: str, copies: Sequence[tuple[str, bytes, bool]]) -> int:
    """A number for what a client stands in for, and for the copies that its rows are made with; 0 for neither.

    With each copy's digest goes whether it is that of the last good reading: then it was not read for these rows.
    """
    if not stands and not copies:
        return 0
    told = (stands, *(f"{path} {digest.hex()}{' stale' if stale else ''}" for path, digest, stale in copies))
    return crc32("\n".join(told).encode("utf-8", "surrogateescape")) or 1


# --- Which notes are copies ------------------------------------------------------------------------------


def _may_differ(index: Index, taken: Taken, known: Sequence[KnownCopy], *, everything: bool) -> bool:
    """Whether other notes than before may be copies, or others count, or what they say differs.

    Names have come or gone, notes have one id, or one was looked into that is a copy, has one or counts for it.
    """
    if everything or taken.paths or (taken.claims and index.has_twins(sorted(taken.claims))):
        return True
    return not taken.keys.isdisjoint(key for each in known for key in (each.key, each.beside, each.head))


def _find_place(copy: KnownCopy) -> _Place:
    return _Place(copy.key, copy.original, copy.beside, copy.head, copy.told, copy.mirrored)


def _hold_unread(index: Index, known: Iterable[KnownCopy], found: Iterable[_Place]) -> list[_Place]:
    """The copies found; one that cannot be read now stays one of the client who has in its rows what came of it."""
    held = {
        each.key: _find_place(each)
        for each in known
        if each.stale
        and each.aside
        # The key of a note that is gone may soon be another's.
        and all(index.ties(key) is not None for key in (each.head, each.beside) if key is not None)
    }
    return sorted([*held.values(), *(each for each in found if each.key not in held)])


def is_generated(path: str, settings: Settings) -> bool:
    """Whether we write the note of this path: its conflict copies are no person's, and ``strays`` sees to them."""
    from notesync.store.writing import fold

    return bool(settings.agenda_note) and fold(path) == fold(normpath(settings.agenda_note))


def _find_again(index: Index, reader: Reader) -> list[_Place]:
    """The copies among all notes.  Only folders are looked through in which a name or an id may tell of one."""
    from notesync.store.conflicts import find_copies, may_be_copy

    keys = {path: key for key, path in index.note_paths()}
    twins = _Twins(index, reader)
    folders = {_find_folder(path) for path in keys if path in twins.claims or may_be_copy(path)}
    among = [path for path in keys if _find_folder(path) in folders] if folders else []
    copies = find_copies(among, twins.are_one)
    found = [each for each in copies if not is_generated(each.original, reader.settings)]
    twins.find_heads({each.path for each in found})
    places = []
    for each in found:
        original = each.original if each.present else twins.find_head(each.path) or each.original
        places.append(
            _Place(keys[each.path], original, keys.get(original), 0, _tell(each), int(each.mirrored))
        )
    places += [_Place(keys[path], head, keys[head], 0, "", 0) for path, head in twins.others.items()]
    return sorted(places)


class _Twins:
    """The notes with an id that others have, too: those are one client's, unless they write different names.

    Who makes a new client of an old one's note may forget the id, but not the name.
    """

    def __init__(self, index: Index, reader: Reader) -> None:
        self.claims = dict(index.twins())
        self.others: dict[str, str] = {}
        self._reader = reader
        self._names: dict[str, str] = {}
        self._heads: dict[str, list[str]] = {}  # by id

    def are_one(self, one: str, other: str) -> bool:
        """Whether two notes are one client's."""
        if one not in self.claims or self.claims[one] != self.claims.get(other):
            return False
        names = {self._read_name(path) for path in (one, other)} - {""}
        return len(names) < 2

    def find_heads(self, copies: Container[str]) -> None:
        """Of the notes that are no copies by their names have the first by path be the one that counts.

        Folder by folder, or `Clients - Copy` would go before `Clients`.
        """
        for path in sorted(self.claims, key=lambda path: path.split("/")):
            if path not in copies:
                head = self.find_head(path)
                if head:
                    self.others[path] = head
                else:
                    self._heads.setdefault(self.claims[path], []).append(path)

    def find_head(self, path: str) -> str:
        """The note that counts of those that are one client's with this one; '' where there is none so far."""
        heads = self._heads.get(self.claims.get(path, ""), ())
        return next((head for head in heads if self.are_one(head, path)), "")

    def _read_name(self, path: str) -> str:
        if path not in self._names:
            self._names[path] = self._reader.read_identity(path)[0]
        return self._names[path]


def _find_folder(path: str) -> str:
    return path.rpartition("/")[0]


def _tell(copy: Copy) -> str:
    """What a copy's name tells of where it comes from, in words."""
    tag = copy.tags[0]
    at = f" on {tag.at.replace('T', ' ')}" if tag.at else ""
    if tag.by_winner and tag.machine:
        return f"kept by {tag.engine}{at}, when the other version came from the device {tag.machine}"
    return f"kept by {tag.engine}{f' from {tag.machine}' if tag.machine else ''}{at}"


# --- Which version counts --------------------------------------------------------------------------------


def _choose(copies: Sequence[KnownCopy]) -> list[KnownCopy]:
    """The copies, each with the version that counts: the original, else the copy that comes first.

    A client's goes before one that is no client's by now: to look for what only a copy holds, notes have to be
    read as a client's.
    """
    groups: dict[str, list[KnownCopy]] = {}
    for each in copies:
        groups.setdefault(_name_group(each), []).append(each)
    heads = {name: _find_head(group) for name, group in groups.items()}
    chosen = {each.key: heads[_name_group(each)] for each in copies}
    # An original may itself be aside for another note with its id.
    return [each._replace(head=chosen.get(chosen[each.key], chosen[each.key])) for each in copies]


def _name_group(copy: KnownCopy) -> str:
    from notesync.store.writing import fold

    return fold(copy.original)


def _find_head(group: Sequence[KnownCopy]) -> int:
    first = group[0]
    if first.beside is not None and first.beside_client:
        return first.beside
    client = next((each.key for each in group if each.is_client), None)
    return client or first.beside or first.key


def _put_aside(index: Index, reader: Reader, taken: Taken, copies: Iterable[KnownCopy]) -> None:
    """Put aside what came of clients' notes that are copies, and take in again those that no longer are.

    Not of a note that cannot be read now, nor for one: what it says would be in no client's rows meanwhile.
    """
    copies = list(copies)
    hidden = {each.key for each in copies if each.is_client and each.head != each.key}
    stale = index.stale_notes([*hidden, *{each.head for each in copies if each.key in hidden}])
    for each in copies:
        if each.key in hidden and not each.aside and stale.isdisjoint((each.key, each.head)):
            _tell_ties(index, taken, each.key)
            items = len(index.identities(each.key))
            if each.path in taken.changed:
                taken.added -= items  # it was counted as it was taken in
            else:
                taken.removed += items
            index.put_aside(each.key, each.path, TWIN)
    back = sorted(set(index.put_asides()) - hidden)
    if back:
        reader.take_again(back, taken)
        for key in back:
            _tell_ties(index, taken, key)


def _tell_ties(index: Index, taken: Taken, key: int) -> None:
    """A client comes or goes: whoever is tied to them is to be looked at."""
    ties = index.ties(key)
    if ties is not None:
        taken.names = taken.tasks = True
        taken.claims.update(filter(None, (ties.claim,)))
        taken.circles.update(filter(None, (ties.circle,)))


def _find_miscopied(index: Index, copies: Iterable[KnownCopy]) -> set[int]:
    """The clients whose rows were made with other copies than these."""
    stands: dict[int, str] = {}
    beside: dict[int, list[tuple[str, bytes, bool]]] = {}
    for each in copies:
        if each.head == each.key:
            stands[each.key] = each.original
        elif each.digest:
            beside.setdefault(each.head, []).append((each.path, each.digest, bool(each.stale)))
    known = index.copied_numbers()
    heads = {*stands, *beside, *known}
    return {
        head
        for head in heads
        if known.get(head, 0) != number_copies(stands.get(head, ""), beside.get(head, ()))
        and index.ties(head)
    }


# --- What is said of copies ------------------------------------------------------------------------------


def _replace_problems(index: Index, keys: Sequence[int], problems: Sequence[tuple[Any, ...]]) -> None:
    for code in (CODE, TWIN):
        index.replace_problems(code, keys, [each for each in problems if each[_CODE_AT] == code])


_CODE_AT = 4


def _report(copies: Sequence[KnownCopy], reader: Reader) -> Iterator[tuple[Any, ...]]:
    """The problems of copies, as the index stores them."""
    paths = {each.key: each.path for each in copies}
    for each in copies:
        if not each.told:
            yield (
                each.key,
                each.path,
                *reader.read_identity(each.path)[1:],
                TWIN,
                WARNING,
                (
                    f"The note {each.original} has the same id: both count as one client, "
                    "and what only this one asks for is listed besides."
                ),
                _TWIN_HINT,
            )
            continue
        if each.head == each.key:
            gone = "is gone" if each.beside is None else "is no client's note any more"
            what = f"{each.original}, which {gone}; this one stands in for it ({each.told})."
        elif each.beside is None:
            what = f"{each.original}, which is gone; {paths[each.head]} stands in for it ({each.told})."
        else:
            what = f"{each.original}, {each.told}."
        hint = _MIRRORED if each.mirrored else _HINT
        yield each.key, each.path, 1, 1, CODE, WARNING, f"This is a conflict copy of {what}", hint


_TWIN_HINT = "If both are of one client, bring them together in one note; else give this one another id."
_HINT = "See what differs with `notesync conflicts`, and merge it; what only the copy asks for is listed until then."
_MIRRORED = (
    "See what differs with `notesync conflicts`, and do not delete this file: Resilio would delete the note itself on"
    " the other devices."
)


# --- What copies say of others ---------------------------------------------------------------------------


def find_repeated(index: Index) -> set[int]:
    """The mentions in conflict copies that the version that counts holds, too, or an earlier copy.

    A copy of a client's note is that client's, and says nothing of others.
    """
    from notesync.notes.mention import from_text

    said: dict[int, Counter[tuple[Any, ...]]] = {}
    own: dict[tuple[int, str], Counter[tuple[Any, ...]]] = {}
    repeated = set()
    for key, targets, text, copied, head, is_client in index.copied_mentions():
        told = from_text(text)[0]
        name = targets, told._replace(line=0, column=0, path="")
        known = said.setdefault(head, Counter())
        if not copied:
            known[name] += 1
            continue
        mine = own.setdefault((head, told.path), Counter())
        mine[name] += 1
        if is_client or mine[name] <= known[name]:
            repeated.add(key)
        else:
            known[name] += 1
    return repeated
