"""Versions of one client that nobody has merged -> the follow-ups that only the others than the first hold.

In: a client with what is open for them, and other versions of them: conflict copies of their note, the other side
of a merge that was left half done.  Out: what only those ask for, each once.  Must not know: where the versions
come from, the disk, the clock.

What any version says was done is done: the first one's log and ticked tasks settle what the others still ask for.
The other way round nothing is settled, because the first version's follow-ups count as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, TypeVar

from notesync.followup.client import Client
from notesync.followup.client_fields import Dated
from notesync.followup.follow_up import Context, FollowUp, Past, earlier, find_past, hash_text, later
from notesync.followup.rules import find_agreed_contact, find_follow_ups
from notesync.notes.body import Entry, Task


class Version(NamedTuple):
    """Another version of a client; only what stands in the notes of these ``paths`` is this version's own."""

    client: Client
    paths: frozenset[str]


class Unmerged(NamedTuple):
    """What only other versions hold, and the days between which that is the same (None: no bound)."""

    follow_ups: list[FollowUp]
    first: date | None
    until: date | None


def find_unmerged(
    client: Client,
    past: Past,
    known: Sequence[FollowUp],
    versions: Sequence[Version],
    context: Context,
    open_ids: Mapping[str, str],
) -> Unmerged:
    """What only the versions hold beside the follow-ups of the client that are ``known``, in the versions' order."""
    named = Counter(map(_identify, known))
    agreed = any(each.rule == "next-contact" for each in known)
    taken = {_show(each) for each in known}
    kept: list[FollowUp] = []
    first, until = past.first, past.until
    for version in versions:
        other = _settle_by(version.client, client, past)
        theirs = find_past(other, past.as_of)
        found = find_follow_ups(other, context, theirs, open_ids)
        first, until = later(first, later(theirs.first, found.first)), earlier(until, found.until)
        asked = [
            each
            for each in _find_asked(version, found.open, client, context, past)
            if each.path in version.paths
        ]
        own = named.copy()
        named |= Counter(map(_identify, asked))
        # An agreed contact holds the cadence back, whichever version has it.
        agreed = agreed or any(each.rule == "next-contact" for each in asked)
        for each in asked:
            name = _identify(each)
            own[name] -= 1
            if own[name] < 0 and not (agreed and each.rule == "cadence"):
                kept.append(_tell_apart(each, taken))
                until = earlier(until, each.expires and each.expires + timedelta(1))
    return Unmerged(kept, first, until)


def _find_asked(
    version: Version, found: Sequence[FollowUp], client: Client, context: Context, past: Past
) -> Iterator[FollowUp]:
    """What a version asks for: its agreed contact counts also where the other's contact came a little early."""
    yield from (each for each in found if each.rule != "next-contact")
    if not version.client.do_not_contact:
        alone = _name_after(version.client, client)._replace(
            last_contact=_find_newest(version.client, client, past)
        )
        yield from find_agreed_contact(alone, context, find_past(alone, past.as_of))


def _tell_apart(found: FollowUp, taken: set[tuple[object, ...]]) -> FollowUp:
    """A follow-up that ends with its version: never missed, and with a name that no other has on its day."""
    while _show(found) in taken:
        found = found._replace(occasion=f"{found.occasion} again")
    taken.add(_show(found))
    return found._replace(expires=None)


def _show(found: FollowUp) -> tuple[object, ...]:
    """What an event's UID is made of, beside the client."""
    return found.rule, found.occasion, found.opens, found.minute


def _identify(found: FollowUp) -> tuple[object, ...]:
    """What makes a follow-up the same in two versions: what causes it, and when.  Equal ones are not in order."""
    return found.rule, _NUMBER.sub(r"\1", found.occasion), found.opens, found.due, found.minute


_NUMBER = re.compile(r"\A(id \S+|(?:.* )?[0-9a-f]{16}) [0-9]+\Z", re.DOTALL)


# --- What the first version says was done ----------------------------------------------------------------


def _settle_by(version: Client, client: Client, past: Past) -> Client:
    """A version that knows of all that the client's log and ticked tasks tell."""
    closed = {_name_task(task) for task in client.tasks if not task.open}
    tasks = tuple(task for task in version.tasks if not (task.open and _name_task(task) in closed))
    done = [_set_place(task, client.path) for task in client.tasks if not task.open]
    said = [_set_place(entry, client.path) for entry in client.log]
    return _name_after(version, client)._replace(
        log=version.log + _find_lacking(said, version.log),
        tasks=tasks + _find_lacking(done, version.tasks),
        last_contact=_find_newest(version, client, past),
    )


def _name_after(version: Client, client: Client) -> Client:
    return version._replace(key=client.key, name=client.name)


def _find_newest(version: Client, client: Client, past: Past) -> Dated | None:
    """The newest contact that either tells of outside of its log, or that the client's log does."""
    days = [each for each in (version.last_contact, client.last_contact) if each is not None]
    if past.contact is not None:
        days.append(Dated(past.contact, None, 1, 1))
    return max(days, key=lambda each: each.day, default=None)


Said = TypeVar("Said", Entry, Task)


def _find_lacking(theirs: Sequence[Said], own: Sequence[Said]) -> tuple[Said, ...]:
    """What is said there and not here; what is said twice counts twice."""
    left = Counter(map(strip_place, own))
    lacking = []
    for each in theirs:
        name = strip_place(each)
        left[name] -= 1
        if left[name] < 0:
            lacking.append(each)
    return tuple(lacking)


def strip_place(said: Said) -> Said:
    """An entry or task without the place where it stands: what two versions of a note share of it."""
    return said._replace(line=0, column=0, path="")


def _set_place(said: Said, path: str) -> Said:
    return said if said.path else said._replace(path=path)


def _name_task(task: Task) -> tuple[object, ...]:
    """What makes two tasks the same one, whether it is open or not."""
    return task.id or hash_text(task.text), task.due, task.scheduled
