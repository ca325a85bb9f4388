"""Which client somebody means, from the few words they typed.

In: the words and the known clients.  Out: the clients meant, one when it is clear, several when it is
not, and for words that name nobody the nearest names.  It must not know of terminals, of the index or
of notes: asking back is the command line's business.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """What can be called by name: of a client, the parts that people know."""

    @property
    def path(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def company(self) -> str: ...
    @property
    def aliases(self) -> Sequence[str]: ...


AnyNamed = TypeVar("AnyNamed", bound=Named)

# Letters that carry their stroke or ligature inside: no normal form of Unicode takes it off.
_PLAIN_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)
_APOSTROPHES = str.maketrans("", "", "'’ʼ`´")
_NEAREST = 3


def fold(text: str) -> str:
    """The text as it is compared: no case, no accents, words parted by one blank, no punctuation.

    A text without a letter or digit (a client called "!!!") stays itself.

    >>> fold("  Société O'Brien-Nuñez ")
    'societe obrien nunez'
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    words = re.findall(r"[^\W_]+", bare.translate(_PLAIN_LETTERS))
    return " ".join(words) or text.strip().casefold()


def find_clients(wanted: str, clients: Iterable[AnyNamed]) -> list[AnyNamed]:
    """The clients that ``wanted`` names, in the order given: of the best kind of agreement only.

    The kinds, best first: the ``id`` or the note's path; the name, the file's name or an alias; the
    company; every word, in any order, among the words of the name, aliases, file and company; every
    word as a part of one of these.
    """
    known = list(clients)
    if not wanted.strip():
        return []
    for agrees in _KINDS_OF_AGREEMENT:
        test = agrees(wanted)
        found = [client for client in known if test(client)]
        if found:
            return found
    return []


def find_nearest(wanted: str, clients: Iterable[AnyNamed]) -> list[AnyNamed]:
    """Up to three clients whose names look most like ``wanted``, for "did you mean"; maybe none."""
    if not wanted.strip():
        return []
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(fold(wanted))

    def likeness(text: str) -> float:
        matcher.set_seq1(text)
        # The two upper bounds cost little and spare nearly every full comparison in a large vault.
        if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
            return 0.0
        return matcher.ratio()

    scored = [(max(map(likeness, _near_texts(client))), client) for client in clients]
    good = [pair for pair in scored if pair[0] >= _ALIKE]
    good.sort(key=lambda pair: (-pair[0], pair[1].name, pair[1].path))
    return [client for _, client in good[:_NEAREST]]


_ALIKE = 0.6  # difflib's own cut-off for close matches


def _same_identity(wanted: str) -> Callable[[Named], bool]:
    """The id, or the path: vault-relative, or any longer path that ends with it."""
    given = unicodedata.normalize("NFC", wanted.strip()).casefold()
    place = "/" + given.replace("\\", "/").removeprefix("./").lstrip("/")

    def test(client: Named) -> bool:
        path = unicodedata.normalize("NFC", client.path).casefold()
        return (
            given == client.client_id.casefold()
            or place.endswith("/" + path)
            or place == "/" + path.removesuffix(".md")
        )

    return test


def _same_name(wanted: str) -> Callable[[Named], bool]:
    folded = fold(wanted)
    as_file = fold(wanted.removesuffix(".md"))
    return lambda client: folded in _folded_names(client) or as_file == fold(_stem(client))


def _same_company(wanted: str) -> Callable[[Named], bool]:
    folded = fold(wanted)
    return lambda client: folded == fold(client.company)


def _has_words(wanted: str) -> Callable[[Named], bool]:
    words = set(fold(wanted).split())
    return lambda client: bool(words) and words.issubset(_all_text(client).split())


def _has_parts(wanted: str) -> Callable[[Named], bool]:
    parts = fold(wanted).split()

    def test(client: Named) -> bool:
        text = _all_text(client)
        return bool(parts) and all(part in text for part in parts)

    return test


_KINDS_OF_AGREEMENT = (_same_identity, _same_name, _same_company, _has_words, _has_parts)


def _stem(client: Named) -> str:
    return client.path.rpartition("/")[2].removesuffix(".md")


def _folded_names(client: Named) -> Iterator[str]:
    yield fold(client.name)
    yield from map(fold, client.aliases)


def _all_text(client: Named) -> str:
    return " ".join((*_folded_names(client), fold(_stem(client)), fold(client.company)))


def _near_texts(client: Named) -> set[str]:
    """Whole names and their words: a slip in a first name alone is a slip too."""
    whole = {*_folded_names(client), fold(_stem(client)), fold(client.company)}
    return whole | {word for text in whole for word in text.split()}
