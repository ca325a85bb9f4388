"""The fields of a task line -> dates, recurrence, priority, ids, as the Tasks plugin peels them off.

In: what follows a task's box.  Out: a :class:`TaskFields`.  Must not know: lines, notes, what a
recurrence means.  The plugin's own way is followed, except that nothing is lost: a good date that it
would not see counts, with a warning.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import islice
from typing import NamedTuple

from notesync.notes.lines import DATE, MAX_PROBLEMS, read_day
from notesync.notes.links import TAG_CHARACTERS, compile_code_span
from notesync.notes.signs import DATE_KEYS, DATE_SIGNS, PRIORITIES, PRIORITY_SIGNS, SIGNS

_PLAIN_DATE = re.compile(DATE)
_BLOCK_ID = re.compile(r"[ \t]\^([a-zA-Z0-9-]+)[ \t]*$")
_ID = "[a-zA-Z0-9_-]+"
_TASK_FIELD = re.compile(
    rf"(?P<sign>[{''.join(DATE_SIGNS)}])\ufe0f?(?P<gap>[ \u00a0]*)"
    rf"(?P<link>\[\[)?(?P<date>{DATE})(?![0-9])(?:(?(link)\]\]))"
    rf"|(?P<priority>[{''.join(PRIORITY_SIGNS)}])\ufe0f?"
    r"|🔁\ufe0f? *(?P<rule>[a-zA-Z0-9,!][a-zA-Z0-9, !]*+)"
    r"|🏁\ufe0f? *(?P<then>[a-zA-Z]+)"
    rf"|🆔\ufe0f? *(?P<id>{_ID})"
    rf"|⛔\ufe0f? *(?P<depends>{_ID}(?: *, *{_ID})*+)"
    r"|\[ *(?P<key>[A-Za-z]+):: *(?P<value>(?:\[\[[^\[\]\n]*\]\]|[^\[\]\n])*+)\],?"
    r"|\( *(?P<key2>[A-Za-z]+):: *(?P<value2>[^()\n]*+)\),?"
    rf"|(?<!\S)#(?P<tag>{TAG_CHARACTERS}+)"
)
_TASK_KEYS = frozenset(DATE_KEYS) | {"priority", "repeat", "id", "dependson", "oncompletion"}
_LOST_SIGN = re.compile(rf"([📅📆🗓⏳⌛🛫])\ufe0f?+[ \u00a0]*+(?!(?:\[\[)?{DATE})([^{SIGNS}\n]*)")
_FIRST_SIGN = re.compile(rf"[{SIGNS}\[(#]")
_ODD_RULE = re.compile(rf"🔁\ufe0f?+ *+([^{SIGNS}#\[\n]*)")


class TaskFields:
    """The fields of one task line, taken off its end as the Tasks plugin does (REAL-NOTES 5.1, 5.3).

    ``hidden`` are dates that the plugin would not see, with their field's name; ``bad`` dates that do
    not exist; ``lost`` signs without a readable date, with the words behind them.
    """

    __slots__ = (
        "bad",
        "block",
        "dates",
        "depends_on",
        "hidden",
        "id",
        "lost",
        "priority",
        "rule",
        "spans",
        "unsure",
        "words",
    )

    def __init__(self, rest: str) -> None:
        self.dates: dict[str, date] = {}
        self.unsure: dict[str, date] = {}
        self.hidden: list[tuple[str, str]] = []
        self.bad: list[str] = []
        self.lost: list[tuple[str, str]] = []
        self.rule: str | None = None
        self.priority = ""
        self.id = ""
        self.depends_on: tuple[str, ...] = ()
        self.block = ""
        self.spans: list[tuple[int, int]] = []
        if "^" in rest and (block := _BLOCK_ID.search(rest)) is not None:
            self.block = block[1]
            rest = rest[: block.start()]
        self.words = rest
        first = _FIRST_SIGN.search(rest)
        if first is None:
            return
        if "`" in rest:
            rest = compile_code_span().sub(lambda code: "\0" * len(code[0]), rest)
        self._peel(rest, first.start())
        if _LOST_SIGN.search(rest) is not None:
            self.lost = [(found[1], found[2]) for found in islice(_LOST_SIGN.finditer(rest), MAX_PROBLEMS)]
        if self.rule is None and (odd := _ODD_RULE.search(rest)) is not None:
            self.rule = odd[1].strip()

    def _peel(self, rest: str, first: int) -> None:
        """Take field after field off the end; what is left of unknown words is hidden from the plugin."""
        end = len(rest.rstrip(" \t"))
        peeling = True
        for found in reversed(list(_TASK_FIELD.finditer(rest, first))):
            key = found["key"] or found["key2"]
            if key and key.casefold() not in _TASK_KEYS:
                continue
            peeling = peeling and not rest[found.end() : end].strip(" \t")
            if peeling:
                end = found.start()
            if found["tag"]:
                if peeling:
                    self.spans.append(found.span())
                continue
            self._take(found, key, peeling)

    def _take(self, found: re.Match[str], key: str | None, peeling: bool) -> None:
        """Use one field; of equal ones that the plugin sees the left one counts, so later calls win."""
        if found["sign"]:
            seen = peeling and "\u00a0" not in found["gap"] and not found["link"]
            self._take_date(found, DATE_SIGNS[found["sign"]], found["date"], seen)
        elif key:
            value = (found["value"] if found["key"] else found["value2"]).strip()
            self._take_value(found, key.casefold(), value, peeling)
        elif peeling or not found["priority"]:
            self._take_word(found)

    def _take_value(self, found: re.Match[str], key: str, value: str, peeling: bool) -> None:
        self.spans.append(found.span())
        name = DATE_KEYS.get(key)
        if name is not None:
            day = _PLAIN_DATE.search(value)
            if day is not None and value.strip("[]") == day[0]:
                self._take_date(found, name, day[0], peeling and value == day[0])
            elif value:
                self.lost.append((found[0], value))
        elif key == "repeat":
            self.rule = value
        elif key == "id":
            self.id = value
        elif key == "dependson":
            self.depends_on = _split_ids(value)
        elif key == "priority" and value.casefold() in PRIORITIES:
            self.priority = value.casefold()

    def _take_word(self, found: re.Match[str]) -> None:
        self.spans.append(found.span())
        if found["priority"]:
            self.priority = PRIORITY_SIGNS[found["priority"]]
        elif found["rule"]:
            self.rule = found["rule"].strip()
        elif found["id"]:
            self.id = found["id"]
        elif found["depends"]:
            self.depends_on = _split_ids(found["depends"])

    def _take_date(self, found: re.Match[str], name: str, words: str, seen: bool) -> None:
        day = read_day(words)
        if day is None:
            self.bad.append(words)
            self.spans.append(found.span())
        elif seen:
            self.dates[name] = day
            self.spans.append(found.span())
        elif name in ("done", "cancelled"):
            self.unsure[name] = day  # closes nothing by itself: no follow-up is lost
        else:
            self.hidden.append((found[0].strip(), name))
            if name not in self.dates:
                self.dates[name] = day
                self.spans.append(found.span())

    def take(self, name: str, ticked: bool) -> date | None:
        """The done or cancelled date; one that the plugin does not see only if the box is ticked."""
        return self.dates.get(name) or (self.unsure.get(name) if ticked else None)

    def find_text(self) -> str:
        """The description: the words without the fields and the tags behind them."""
        if not self.spans:
            return self.words.strip()
        pieces = []
        position = 0
        for start, end in sorted(self.spans):
            if start > position:
                pieces.append(self.words[position:start].strip())
            position = max(position, end)
        pieces.append(self.words[position:].strip())
        return " ".join(filter(None, pieces))


class FieldSpan(NamedTuple):
    """Where a field stands in what follows a task's box; ``day`` is where its date's ten characters do.

    ``name`` is that of a date (``due``), or ``id``, ``depends``, ``block``, else empty; ``closing`` the
    bracket of an inline field, empty for an emoji's.
    """

    name: str
    start: int
    end: int
    day: tuple[int, int]
    closing: str


_NAMES = DATE_KEYS | {"id": "id", "dependson": "depends"}


def find_field_spans(rest: str) -> list[FieldSpan]:
    """All fields of a task line, wherever they stand, and the block's name at its end."""
    spans = []
    block = _BLOCK_ID.search(rest)
    if block is not None:
        spans.append(FieldSpan("block", block.start(), block.end(1), (0, 0), ""))
        rest = rest[: block.start()]
    if "`" in rest:
        rest = compile_code_span().sub(lambda code: "\0" * len(code[0]), rest)
    for found in _TASK_FIELD.finditer(rest):
        key = (found["key"] or found["key2"] or "").casefold()
        if found["tag"] or (key and key not in _TASK_KEYS):
            continue
        name = _NAMES.get(key) or DATE_SIGNS.get(found["sign"] or "") or ("id" if found["id"] else "")
        where = found.span("date")
        if key:
            day = _PLAIN_DATE.search(rest, *found.span("value" if found["key"] else "value2"))
            where = day.span() if day is not None else (0, 0)
        name = name or ("depends" if found["depends"] else "")
        spans.append(FieldSpan(name, *found.span(), where, ("]" if found["key"] else ")") if key else ""))
    return spans


def _split_ids(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))
