"""Who in the vault may be the client that is about to be added: by name, phone number or e-mail address.

In: what is known of the new client, and the cards of all others.  Out: the likely ones, each with what it
shares.  Must not know: notes, the disk, the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.matching import fold

if TYPE_CHECKING:
    from notesync.followup.items import ClientCard

_SHORTEST = 6  # digits: fewer are an extension, which many people share
LOCAL = 7  # digits: from so many on, what stands before them may be an area's or a country's


class Likely(NamedTuple):
    """A client who may be the same person: ``shared`` says by what, in words."""

    path: str
    name: str
    company: str
    shared: str


def find_likely(
    name: str, phones: Sequence[str], emails: Sequence[str], known: Iterable[ClientCard]
) -> Iterator[Likely]:
    """The clients who share a name, a phone number or an e-mail address with the new one."""
    wanted = fold(name)
    numbers = [number for phone in phones for number in find_numbers(phone)]
    addresses = {email.strip().casefold() for email in emails} - {""}
    for card in known:
        shared = ["name"] if wanted in map(fold, (card.name, *card.aliases)) else []
        shared += [phone for phone in card.phone if numbers and _is_among(phone, numbers)]
        shared += [email for email in card.email if email.strip().casefold() in addresses]
        if shared:
            yield Likely(card.path, card.name, card.company, " and ".join(shared))


def _is_among(phone: str, numbers: Sequence[str]) -> bool:
    return any(is_same_number(one, other) for one in find_numbers(phone) for other in numbers)


def is_same_number(one: str, other: str) -> bool:
    """Whether two numbers, as :func:`find_numbers` gives them, are one with and without its area."""
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= LOCAL and long.endswith(short))


def find_numbers(text: str) -> Iterator[str]:
    """The digits of the numbers in a text, without the zeros before them; words may stand between."""
    for number in re.findall(r"[0-9][0-9 ().\-/]*", text):
        digits = re.sub("[^0-9]", "", number).lstrip("0")
        if len(digits) >= _SHORTEST:
            yield digits
