"""Whether somebody from another program's list is a client already: by id, or by the name and what agrees with it.

In: persons, known and new.  Out: the known one who is meant, and by what.  Must not know: notes, files, importers.

A shared phone number or address alone says nothing: a switchboard, info@ and a family's telephone are shared, and
so are family names.  The name alone is enough only where nothing known of the two contradicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from notesync.followup.duplicates import find_numbers, is_same_number
from notesync.followup.matching import fold


class Person(NamedTuple):
    """What tells one person from another; ``path`` is the note's, '' for one that has none yet."""

    name: str
    id: str = ""
    company: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    path: str = ""


class Match(NamedTuple):
    """A known person who is the one meant, and what says so: ``id``, ``email``, ``phone`` or ``name``."""

    person: Person
    by: str


class Register:
    """The persons known so far, found by id and by name.

    What a new one tells beyond the known one is taken in (:meth:`merge`), so that two of a list who have the same
    name and different numbers are not both taken for a third who has none.
    """

    def __init__(self, persons: Iterable[Person]) -> None:
        self._by_id: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = {}
        self._by_email: dict[str, str] = {}
        self._persons: dict[str, Person] = {}
        self._claims: dict[str, str] = {}
        for person in persons:
            self.add(person)

    def add(self, person: Person, claim: str = "") -> None:
        """Know one more person; ``claim`` is the id that their own program gives them, if it does."""
        if claim:
            self._claims[person.path] = claim
        self._persons[person.path] = person
        if person.id:
            self._by_id.setdefault(person.id.casefold(), person.path)
        for name in {fold(each) for each in (person.name, *person.aliases)}:
            self._by_name.setdefault(name, []).append(person.path)
        for email in map(_fold_email, person.emails):
            self._by_email.setdefault(email, person.path)

    def find(self, new: Person) -> Match | None:
        """Who is meant, if anybody known is."""
        if new.id and (path := self._by_id.get(new.id.casefold())) is not None:
            return Match(self._persons[path], "id")
        named = list(self._named(new))
        for by, agrees in (("email", _shares_email), ("phone", _shares_phone)):
            for person in named:
                if agrees(new, person):
                    return Match(person, by)
        free = [each for each in named if not (self._is_claimed(each, new) or _contradicts(new, each))]
        free.sort(key=lambda each: fold(each.company) != fold(new.company))
        return Match(free[0], "name") if free else None

    def find_doubtful(self, new: Person) -> Person | None:
        """A known person who is not taken for the new one, but looks alike: by name or e-mail address."""
        named = next(self._named(new), None)
        if named is not None:
            return named
        found = (self._by_email.get(_fold_email(email)) for email in new.emails)
        return next((self._persons[path] for path in found if path is not None), None)

    def merge(self, known: Person, new: Person) -> None:
        """Take in what the new one tells of the known."""
        if new.id:
            self._claims.setdefault(known.path, new.id)
        self._persons[known.path] = known._replace(
            company=known.company or new.company,
            emails=tuple(dict.fromkeys((*known.emails, *new.emails))),
            phones=tuple(dict.fromkeys((*known.phones, *new.phones))),
        )

    def _is_claimed(self, known: Person, new: Person) -> bool:
        """Whether the list has another id for the known: two of a name in one list are two."""
        return bool(new.id) and self._claims.get(known.path, new.id) != new.id

    def _named(self, new: Person) -> Iterator[Person]:
        seen = dict.fromkeys(
            path for name in (new.name, *new.aliases) for path in self._by_name.get(fold(name), ())
        )
        return (self._persons[path] for path in seen)


def is_alike(one: Person, other: Person) -> bool:
    """Whether two have a name, an e-mail address or a phone number in common."""
    names, others = ({fold(each) for each in (who.name, *who.aliases)} for who in (one, other))
    return not names.isdisjoint(others) or _shares_email(one, other) or _shares_phone(one, other)


def _fold_email(email: str) -> str:
    return email.strip().casefold()


def _shares_email(one: Person, other: Person) -> bool:
    return not set(map(_fold_email, one.emails)).isdisjoint(map(_fold_email, other.emails))


def _shares_phone(one: Person, other: Person) -> bool:
    return any(is_same_number(a, b) for a in _numbers(one.phones) for b in _numbers(other.phones))


def _numbers(phones: Sequence[str]) -> list[str]:
    return [number for phone in phones for number in find_numbers(phone)]


def _contradicts(one: Person, other: Person) -> bool:
    """Whether both have a company, an address or a number, and none of them agree."""
    company = bool(one.company and other.company) and fold(one.company) != fold(other.company)
    email = bool(one.emails and other.emails) and not _shares_email(one, other)
    phone = bool(_numbers(one.phones) and _numbers(other.phones)) and not _shares_phone(one, other)
    return company or email or phone
