"""What lists and the calendar tell of a client: a :class:`Card`, which is also a line of text.

The notes stay the only truth: whoever needs more than a card, such as the log, reads the note again.  This
module knows no note, no disk and no clock.
"""

from __future__ import annotations

import json
from datetime import date
from typing import NamedTuple


class Card(NamedTuple):
    """What is shown of a client beside their follow-ups; texts are '' where the note says nothing.

    ``last_contact`` and ``done``, the newest day of anything done, are as of a day, and stand for as long as
    the follow-ups made with them.  ``wanted`` is days between contacts (0: none), ``minutes`` the client's own.
    """

    path: str
    key: str
    id: str
    name: str
    company: str
    stage: str
    owners: tuple[str, ...]
    value: float | None
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    contact_by: tuple[str, ...]
    best_time: str
    last_contact: date | None
    done: date | None
    wanted: int
    role: str
    address: str
    website: str
    aliases: tuple[str, ...]
    not_by: tuple[str, ...]
    minutes: int | None
    paused_until: date | None
    paused: bool
    do_not_contact: bool


# ASCII, because a note that is not UTF-8 has surrogates in its texts, which no database takes.
_encode = json.JSONEncoder(check_circular=False, default=date.toordinal, separators=(",", ":")).encode
_STORED = Card._fields.index("id")  # what stands before it, whoever stores a card knows
_LISTS = tuple(map(Card._fields.index, ("owners", "phones", "emails", "contact_by", "aliases", "not_by")))
_DATES = tuple(map(Card._fields.index, ("last_contact", "done", "paused_until")))


def to_text(card: Card) -> str:
    """All of a card but path and key, as compact JSON."""
    return _encode(card[_STORED:])


def from_text(path: str, key: str, text: str) -> Card:
    """The card that :func:`to_text` wrote down."""
    values = [path, key, *json.loads(text)]
    for at in _LISTS:
        values[at] = tuple(values[at])
    for at in _DATES:
        if values[at] is not None:
            values[at] = date.fromordinal(values[at])
    return Card._make(values)
