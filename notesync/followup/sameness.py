"""Whether somebody from another program's list is a client already: by id, or by the name and what agrees with it.

In: persons, known and new.  Out: the known one who is meant, and by what.  Must not know: notes, files, importers.

A shared phone number or address alone says nothing: a switchboard, info@ and a family's telephone are shared, and
so are family names.  The name alone is enough only where nothing known of the two contradicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from notesync.followup.duplicates import LOCAL, find_numbers, is_same_number
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


_Open = dict[str, dict[str, dict[tuple[bool, bool], dict[str, None]]]]
"""The persons of a name by what could contradict: claim, company, whether they have an address, or a number."""


class Register:
    """The persons known so far, found by id and by name, however many have one name.

    What a new one tells beyond the known one is taken in (:meth:`merge`), so that two of a list who have the same
    name and different numbers are not both taken for a third who has none.
    """

    def __init__(self, persons: Iterable[Person]) -> None:
        self._by_id: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = {}
        self._by_email: dict[str, str] = {}
        self._named_with: dict[tuple[str, str], list[str]] = {}
        self._open: dict[str, _Open] = {}
        self._persons: dict[str, Person] = {}
        self._places: dict[str, int] = {}
        self._claims: dict[str, str] = {}
        for person in persons:
            self.add(person)

    def add(self, person: Person, claim: str = "") -> None:
        """Know one more person; ``claim`` is the id that their own program gives them, if it does."""
        if claim:
            self._claims[person.path] = claim
        self._persons[person.path] = person
        self._places[person.path] = len(self._places)
        if person.id:
            self._by_id.setdefault(person.id.casefold(), person.path)
        for name in _names(person):
            self._by_name.setdefault(name, []).append(person.path)
        for email in map(_fold_email, person.emails):
            self._by_email.setdefault(email, person.path)
        self._index(person)

    def find(self, new: Person) -> Match | None:
        """Who is meant, if anybody known is."""
        if new.id and (path := self._by_id.get(new.id.casefold())) is not None:
            return Match(self._persons[path], "id")
        for by, keys, agrees in (
            ("email", map(_fold_email, new.emails), _shares_email),
            ("phone", map(_key_of, _numbers(new.phones)), _shares_phone),
        ):
            shared = (
                path for key in keys for name in _names(new) for path in self._named_with.get((name, key), ())
            )
            found = [path for path in dict.fromkeys(shared) if agrees(new, self._persons[path])]
            if found:
                return Match(self._persons[min(found, key=self._places.__getitem__)], by)
        company = _company_of(new)
        free = [
            (_company_of(each) != company, self._places[each.path], each) for each in self._find_free(new)
        ]
        return Match(min(free, key=lambda each: each[:2])[2], "name") if free else None

    def find_doubtful(self, new: Person) -> Person | None:
        """A known person who is not taken for the new one, but looks alike: by name or e-mail address."""
        named = (path for name in _names(new) for path in self._by_name.get(name, ())[:1])
        found = (self._by_email.get(_fold_email(email)) for email in new.emails)
        return next((self._persons[path] for path in (*named, *found) if path is not None), None)

    def merge(self, known: Person, new: Person) -> None:
        """Take in what the new one tells of the known."""
        known = self._persons[known.path]
        for name in _names(known):
            self._find_group(name, known).pop(known.path, None)
        if new.id:
            self._claims.setdefault(known.path, new.id)
        merged = known._replace(
            company=known.company or new.company,
            emails=tuple(dict.fromkeys((*known.emails, *new.emails))),
            phones=tuple(dict.fromkeys((*known.phones, *new.phones))),
        )
        self._persons[known.path] = merged
        self._index(merged)

    def _index(self, person: Person) -> None:
        keys = {*map(_fold_email, person.emails), *map(_key_of, _numbers(person.phones))}
        for name in _names(person):
            self._find_group(name, person)[person.path] = None
            for key in keys:
                paths = self._named_with.setdefault((name, key), [])
                if person.path not in paths[-1:]:
                    paths.append(person.path)

    def _find_group(self, name: str, person: Person) -> dict[str, None]:
        claim = self._claims.get(person.path, "")
        companies = self._open.setdefault(name, {}).setdefault(claim, {})
        has = bool(person.emails), bool(_numbers(person.phones))
        return companies.setdefault(_company_of(person), {}).setdefault(has, {})

    def _find_free(self, new: Person) -> Iterator[Person]:
        """Those of the name whom nothing contradicts, one of each kind; no address and no number are shared.

        Nor has the list another id for them: two of a name in one list are two.
        """
        company, has_phone = _company_of(new), bool(_numbers(new.phones))
        for name in _names(new):
            claims = self._open.get(name, {})
            for claim in ("", new.id) if new.id else tuple(claims):
                companies = claims.get(claim, {})
                for each in dict.fromkeys(("", company)) if company else tuple(companies):
                    for (email, phone), paths in companies.get(each, {}).items():
                        if paths and not (email and new.emails) and not (phone and has_phone):
                            yield self._persons[next(iter(paths))]


def _names(person: Person) -> dict[str, None]:
    return dict.fromkeys(fold(each) for each in (person.name, *person.aliases))


def _company_of(person: Person) -> str:
    return fold(person.company) if person.company else ""


def _key_of(number: str) -> str:
    """What two numbers share that are one with and without its area."""
    return number[-LOCAL:]


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
