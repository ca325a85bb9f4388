"""What a command changed in notes in, the words that say so out: one line, or the difference line by line.

Pure, and loaded by the commands that write alone.  It must not know the disk, the clock or what an edit means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from notesync.followup.agenda import DUE, MISSED, OVERDUE
from notesync.followup.dates import format_day
from notesync.publish.text import clean

if TYPE_CHECKING:
    from notesync.followup.items import Item
    from notesync.followup.steps import Progress
    from notesync.notes.log import Entry
    from notesync.store.history import Step

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LONGEST_LABEL = 70


# One line -----------------------------------------------------------------------------------------


def describe_next(items: Sequence[Item], today: date) -> str:
    """``Next: satisfaction, Tue 24 to Fri 27 Nov``: what is most pressing now, else what opens first."""
    open_now = [item for item in items if item.status in (OVERDUE, DUE)]
    later = [item for item in items if item.status not in (OVERDUE, DUE) and item.due and not item.waits]
    if not (open_now or later):
        return "Nothing comes next: 'notesync move' sets a day"
    item = open_now[0] if open_now else min(later, key=lambda item: item.retry_on or item.opens or "")
    more = f" (and {len(open_now) - 1} more now)" if len(open_now) > 1 else ""
    return f"Next: {_label(item)}, {_when(item, today)}{more}"


def _label(item: Item) -> str:
    words = clean(item.step or item.title).strip()
    return words if len(words) <= _LONGEST_LABEL else f"{words[: _LONGEST_LABEL - 1].rstrip()}…"


def _when(item: Item, today: date) -> str:
    if item.due is None:
        return "without a date"
    due = describe_day(item.due, today)
    if item.status == OVERDUE:
        return f"overdue since {due}"
    if item.status == DUE:
        return due if item.due[:10] == today.isoformat() else f"until {due}"
    if item.retry_on:
        return f"again from {describe_day(item.retry_on, today)}"
    if not item.opens or item.opens[:10] == item.due[:10]:
        return due
    opens = date.fromisoformat(item.opens[:10])
    if opens.isoformat()[:7] == item.due[:7]:
        return f"{format_day(opens).rpartition(' ')[0]} to {due}"
    return f"{describe_day(item.opens[:10], today)} to {due}"


def describe_day(iso: str, today: date) -> str:
    """``today``, ``Tue 24 Nov``, ``Tue 24 Nov 14:30``; with its year when that is not this one."""
    day = date.fromisoformat(iso[:10])
    words = "today" if day == today else format_day(day, today.year)
    return f"{words} {iso[11:16]}" if len(iso) > 10 else words


def describe_entry(entry: Entry, today: date) -> str:
    """``call 22 Nov``, ``call (no answer) 22 Nov 14:30``: an entry of the log."""
    what = entry.channel or ("attempt" if entry.attempt else "contact")
    outcome = f" ({clean(entry.outcome)})" if entry.outcome else ""
    day = format_day(entry.day, today.year).partition(" ")[2]
    clock = "" if entry.minute is None else f" {entry.minute // 60:02}:{entry.minute % 60:02}"
    return f"{what}{outcome} {day}{clock}"


def describe_settled(before: Iterable[Progress], after: Iterable[Progress], today: date) -> str:
    """``, which settles satisfaction (early: best from Tue 24 Nov)``: the steps that were open before.

    Not one that was missed and is but taken as settled by a contact so late.
    """
    known = {each.name for each in before if each.settled}
    missed = {each.name for each in before if each.status == MISSED}
    words = []
    for each in after:
        late = each.settled is not None and each.settled.taken and each.name in missed
        if each.settled is not None and each.name not in known and not late:
            early = each.opens if each.settled.early else None
            words.append(
                clean(each.step.name)
                + (f" (early: best from {format_day(early, today.year)})" if early else "")
            )
    return f", which settles {' and '.join(dict.fromkeys(words))}" if words else ""


# The difference -----------------------------------------------------------------------------------


def render_diff(steps: Iterable[Step]) -> Iterator[str]:
    """A unified diff of the notes, safe on a terminal; it says where a line has no end."""
    from difflib import unified_diff

    for step in steps:
        old, new = (_split(step.path, data) for data in (step.before, step.after))
        names = (
            "/dev/null" if step.before is None else f"a/{step.path}",
            "/dev/null" if step.after is None else f"b/{step.path}",
        )
        for line in unified_diff(old, new, *names, lineterm="\n"):
            bare = line.rstrip("\r\n")
            yield f"{clean(bare)}\n"
            if bare == line:
                yield "\\ No newline at end of file\n"


def _split(path: str, data: bytes | None) -> list[str]:
    from notesync.notes.note import parse_note

    return [] if data is None else _LINE.findall(parse_note(data, path).text)
