"""The log of a body -> :class:`Entry` values.

In: a prepared text and the headings that name a log.  Out: entries in the order they stand.  Must not
know: which notes are clients, what a tag means, the clock.

A log whose every line is an item that begins with a plain date, as nearly all are, is read here by one
pattern; any other log goes through ``loglines.py``, which reads line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from notesync.notes.escapes import unescape_words
from notesync.notes.lines import DATE, Lines, read_day
from notesync.notes.links import compile_code_span, find_tags
from notesync.notes.words import ATTEMPT_HEADS, CHANNELS, read_rest

MAX_LOG = 1_000_000

CLOCK = r"([0-9]{1,2}:[0-9]{2})(?![0-9])(?::[0-9]{2}(?:\.[0-9]+)?(?![0-9]))?(?:Z|[+-][0-9]{2}:?[0-9]{2}(?![0-9]))?"
NO_LONGER_DATE = r"(?![0-9A-SU-Za-z_]|-[0-9])"
"""What may not follow a date: it would be another number or word."""

# Line ends before it, date, time, a phrase with its colon (perhaps a channel), the rest.
_PLAIN_ENTRY = re.compile(
    rf"\n((?:[ \t]*+\n)*+)[-*+][ \t]++({DATE}){NO_LONGER_DATE}(?:(?:T|[ \t]++){CLOCK})?+"
    r"(?: ([a-z][a-z -]*+):)?+([^\n]*+)"
)


class Entry(NamedTuple):
    """One contact, or attempt, of the log.

    ``channel`` is canonical (``call``) or None; ``outcome`` the words in brackets, or the attempt's;
    ``text`` is free of Markdown's indentation, lines joined by LF; ``tags`` in lower case without
    ``#``; ``fields`` are inline fields, ``("due", day)`` also for a 📅.  ``client`` is the link's
    target in a daily note's entry; ``path`` the note it stands in, when that is not the client's own.
    """

    line: int
    column: int
    day: date
    minute: int | None
    channel: str | None
    attempt: bool
    outcome: str
    text: str
    tags: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    client: str
    path: str = ""


@lru_cache(maxsize=16)
def compile_heading(headings: tuple[str, ...]) -> re.Pattern[str]:
    """A heading that names a log; its group 1 are the hashes but the first."""
    names = "|".join(
        r"[ \t]+".join(map(re.escape, heading.split())) for heading in headings if heading.strip()
    )
    # Begins with a literal, which the re module looks for at four times the speed.
    return re.compile(
        rf"\n#(#{{0,5}})[ \t]+[*_]*(?i:{names or '(?!)'})[*_]*[ \t]*:?[*_]*(?:[ \t]+(?:#+|\^\S+))?[ \t]*(?=\n|\Z)"
    )


@lru_cache(maxsize=6)
def _compile_next_heading(level: int) -> re.Pattern[str]:
    return re.compile(rf"\n##{{0,{level - 1}}}[ \t]")


@lru_cache(maxsize=1)
def _compile_fields() -> re.Pattern[str]:
    return re.compile(
        r"\[([^\[\]()\n:]{1,60})::((?:\[\[[^\[\]\n]*\]\]|[^\[\]\n])*+)\]|\(([^\[\]()\n:]{1,60})::([^()\n]*+)\)"
    )


@lru_cache(maxsize=1)
def _compile_due_sign() -> re.Pattern[str]:
    return re.compile(rf"[📅📆🗓]\ufe0f?[ \t\u00a0]*(?:\[\[)?({DATE})?")


def find_sections(
    text: str, heading: re.Match[str] | None, pattern: re.Pattern[str]
) -> Iterator[tuple[int, int]]:
    """From the end of each log's heading to the next heading of its level."""
    while heading is not None:
        start = heading.end()
        following = _compile_next_heading(len(heading[1]) + 1).search(text, start)
        if following is None:
            yield start, len(text)
            return
        yield start, following.start()
        heading = pattern.search(text, following.start())


def read_plain_log(lines: Lines, heading: re.Match[str], pattern: re.Pattern[str]) -> list[Entry] | None:
    """The entries of a log of plain lines only; None if there is any other, or any problem."""
    entries: list[Entry] = []
    text = lines.text
    for start, end in find_sections(text, heading, pattern):
        if end - start > MAX_LOG:
            return None
        while text.startswith("\n\n", start):
            start += 1
        if not _read_section(text[start:end].rstrip(" \t\n"), lines.find_line(start), entries):
            return None
    return entries


def _read_section(text: str, line: int, entries: list[Entry]) -> bool:
    """The entries of a section that begins with the line end of ``line``; False if it is not plain."""
    found = _PLAIN_ENTRY.findall(text)
    count = text.count("\n")
    if len(found) != count and len(found) + sum([gap.count("\n") for gap, *_ in found]) != count:
        return False
    if "\0" in text:
        return False
    has_tags = "#" in text
    has_escapes = "\\" in text
    has_fields = "::" in text or _has_due_sign(text)
    append, new = entries.append, tuple.__new__
    channels, heads = CHANNELS, ATTEMPT_HEADS
    tags: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    channel: str | None
    for gap, day_text, time, phrase, rest in found:
        line += gap.count("\n") + 1 if gap else 1
        day = read_day(day_text)
        if day is None:
            return False
        words = rest.strip()
        if phrase in channels and not time and words[:3] not in heads:
            minute, channel, attempt, outcome = None, channels[phrase], False, ""
        else:
            minute, channel, attempt, outcome, words = read_rest(
                time, f" {phrase}:{rest}" if phrase else rest
            )
        if has_escapes:
            words = unescape_words(words)
        tags = fields = ()
        if has_tags or has_fields:
            said = f"{outcome} {words}" if outcome else words
            if "#" in said:
                tags = find_tags(said)
            if has_fields:
                fields, lost = find_fields(said)
                if lost:
                    return False
        append(new(Entry, (line, 1, day, minute, channel, attempt, outcome, words, tags, fields, "", "")))
    return True


def _has_due_sign(text: str) -> bool:
    # Python knows at once that a text without emoji has none: a pattern would look at each character.
    return "📅" in text or "📆" in text or "🗓" in text


def find_fields(text: str) -> tuple[tuple[tuple[str, str], ...], list[tuple[int, str, str]]]:
    """Inline fields, and the day of a 📅 as ``due``.

    Then the signs without a day: how many lines down in the text, the sign, the words behind it.
    """
    signs = _has_due_sign(text)
    if "::" not in text and not signs:
        return (), []
    if "`" in text:
        text = compile_code_span().sub("", text)
    fields = [
        ((found[1] or found[3]).strip().casefold(), (found[2] or found[4] or "").strip())
        for found in _compile_fields().finditer(text)
    ]
    lost = []
    for sign in _compile_due_sign().finditer(text) if signs else ():
        if sign[1] and read_day(sign[1]):
            fields.append(("due", sign[1]))
        else:
            lost.append((text.count("\n", 0, sign.start()), sign[0][0], sign[1] or text[sign.end(0) :]))
    return tuple(fields), lost
