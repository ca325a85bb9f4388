"""A note that holds two versions, or has others beside it -> each version by itself.

In: a note, and what conflict copies say.  Out: notes, clients and mentions, the version that counts first.  Must
not know: the disk, the index, which of the follow-ups the versions share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from notesync.followup.client import Client, find_known_keys, read_client
from notesync.followup.unmerged import Version
from notesync.notes.body import Body, Entry, Task, parse_body
from notesync.notes.marked import blank_sides
from notesync.notes.mention import Mention, find_mentions
from notesync.notes.note import MERGE_MARKER, Note, parse_note

if TYPE_CHECKING:
    from notesync.followup.follow_up import Context
    from notesync.followup.settings import Settings
    from notesync.sync.ties import Ties

_MADE_BLANK = "blank-before-front-matter"  # of lines that we have blanked ourselves


def is_marked(note: Note) -> bool:
    """Whether a note holds two versions that a merge's marks tell apart."""
    told = any(each.code == MERGE_MARKER for each in note.problems)
    return told and blank_sides(note.data) is not None


def split_sides(note: Note, settings: Settings) -> list[Note]:
    """The note, or where a merge's marks tell two versions apart each of them, its lines in their places.

    That there are marks is the first one's problem.
    """
    told = tuple(each for each in note.problems if each.code == MERGE_MARKER)
    blanked = blank_sides(note.data) if told else None
    if blanked is None:
        return [note]
    known = find_known_keys(settings)
    one, two = (parse_note(data, note.path, known) for data in blanked)
    one.problems = (*told, *(each for each in one.problems if each.code != _MADE_BLANK))
    return [one, two]


def read_versions(note: Note, context: Context) -> list[Client]:
    """The client of a conflict copy, whatever type the note is of; of one that was half merged, both sides."""
    return [read_alone(each, context) for each in split_sides(note, context.settings)]


def read_alone(note: Note, context: Context) -> Client:
    """The client of one version, whose mistakes do not matter."""
    body = parse_body(note, context.settings.log_headings, context.tasks_filter)
    return read_client(note, body, context.settings)[0]


def find_versions(client: Client, ties: Ties, side: Client | None) -> list[Version]:
    """The other versions of a client: what conflict copies of other notes say of them, and those of their own."""
    found = []
    if ties.aside:
        entries = tuple(each for each in ties.aside if isinstance(each, Entry))
        tasks = tuple(each for each in ties.aside if isinstance(each, Task))
        told = client._replace(log=client.log + entries, tasks=client.tasks + tasks)
        found.append(Version(told, frozenset(each.path for each in ties.aside)))
    own = ties.versions if side is None else (side, *ties.versions)
    return found + [Version(each, frozenset((each.path,))) for each in own]


def merge_mentions(bodies: Sequence[Body], path: str) -> Iterator[Mention]:
    """What the versions of a note say of others: all of the first, and what others say besides."""
    known: Counter[tuple[object, ...]] = Counter()
    for body in bodies:
        said: Counter[tuple[object, ...]] = Counter()
        for mention in find_mentions(body, path):
            name = tuple(mention.said._replace(line=0, column=0))
            said[name] += 1
            if said[name] > known[name]:
                yield mention
        known |= said
