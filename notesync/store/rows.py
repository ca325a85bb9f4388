"""What notes give the index: rows to store, as values.

They stand apart from the index because who only asks it, as nearly every ``check`` does, needs none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class ClientRow(NamedTuple):
    """A client to store; ``aliases`` and ``owners`` are joined by line feeds, ``first`` and ``until``
    are the ordinals of the days for which its follow-ups hold.

    ``missed`` has a letter for each step that is missed: a for rank 0.  ``claim`` is the note's own id,
    ``twin`` the path of the note that has the same and comes first ('': none), ``circle`` what clients of one
    company have in common, ``contact`` the ordinal of the last contact.  What else a row was made with: ``counted``
    is the circle's newest contact (None: it does not count), ``heard`` a number for what other notes say of the
    client (0: nothing), ``copied`` one for the conflict copies of the note and for what it stands in for
    (0: neither).
    """

    key: str
    name: str
    company: str
    aliases: str
    owners: str
    stage: str
    first: int
    until: int
    missed: str
    claim: str | None
    twin: str
    circle: str | None
    contact: int | None
    counted: int | None
    heard: int
    copied: int
    card: str


class FollowUpRow(NamedTuple):
    """A follow-up to store: first what judging needs, then what is printed (see ``agenda.judge``).

    ``expires`` and ``retry_on`` are ordinals like ``opens`` and ``due``; ``ask`` is joined by line feeds.
    """

    rank: int
    flags: int
    opens: int | None
    due: int | None
    minute: int | None
    value: float | None
    name: str
    place: str
    label: str
    expires: int | None
    retry_on: int | None
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
    attempts: int
    ask: str
    waits: str


JUDGED = FollowUpRow._fields.index("rule")  # fields: those before are judged, the others printed


class NoteRow(NamedTuple):
    """Everything one note gives the index; ``client`` is None for a note that is no client's.

    ``mentions`` are what it says of others: the names that it links to, joined by line feeds, and what it says.
    ``tasks`` are its open tasks with an id that wait for nothing themselves: ids and words.  ``awaited`` are the
    ids that the client's tasks depend on and that are in other notes, with the words that were found there ('':
    no such task is open).
    """

    path: str
    digest: bytes
    stale: bool
    client: ClientRow | None
    follow_ups: Sequence[FollowUpRow]
    problems: Sequence[tuple[str, int, int, str, str, str, str]]
    mentions: Sequence[tuple[str, str]] = ()
    tasks: Sequence[tuple[str, str]] = ()
    awaited: Sequence[tuple[str, str]] = ()
