r"""Header lines that every YAML reader takes alike -> properties; None for a header with any other line.

In: a note's text and where its header, or a part of it, stands.  Must not know: YAML, problems.

Such are ``key: words``, ``key:``, quoted words without escapes, ``[simple, lists]`` and lists of one
item a line: nearly all lines of nearly all notes.  One pattern takes them, at a quarter of the time of
the C parser, and yaml need not be imported.  A property test holds it to YAML's own answer.
"""

from __future__ import annotations

import re
from functools import lru_cache

from notesync.notes.property import NOTHING, Plain, Property, Scalar, normalise_key

# Everything a hostile note could make slow is possessive (*+, ++): it cannot backtrack.  The usual key
# has an alternative of its own, which takes half the time.  A plain word is one that no YAML reader
# could take for anything else: begins with no indicator and no blank of any script, holds no " #", no
# ": ", no tab.
_KEY = r"(?:[a-z_]{1,100}+(?=:)|[^\W\d](?:[\w \-]{0,100}\w)?+)"
_CONTROL = r"\x00-\x1f\x7f"
_FIRST = rf"[^{_CONTROL}\s\-?:,\[\]{{}}#&*!|>'\"%@`~=<]"
_PLAIN = rf"{_FIRST}[^{_CONTROL}:#]*+(?::(?=[^ \t\r\n])[^{_CONTROL}:#]*+)*+"
_QUOTED = rf"\"[^{_CONTROL}\"\\]*+\"|'[^{_CONTROL}']*+'"
_FLOW_ITEM = rf"(?:{_FIRST}[^{_CONTROL}:#,\[\]{{}}?]*+|{_QUOTED})"
_FLOW = rf"\[ *(?:{_FLOW_ITEM} *(?:, *{_FLOW_ITEM} *)*+)?+\]"
_ITEMS = rf"(?:\n *+-(?: ++(?:{_PLAIN}|{_QUOTED})?+)?+ *+)*+"

_SURE_LINE = re.compile(rf"({_KEY}:(?=[ \n]) *+)(?:({_PLAIN})|((?:{_QUOTED}|{_FLOW}) *+)|({_ITEMS}))\n")


# What stands before a value (`next-contact: `) -> key, name, length, the value's column: a vault has the
# same few in all its notes.
_HEADS: dict[str, tuple[str, str, int, int]] = {}


def _add_head(head: str) -> tuple[str, str, int, int]:
    if len(_HEADS) >= 4096:
        _HEADS.clear()
    key = head.rstrip(" ")[:-1]
    found = _HEADS[head] = key, normalise_key(key), len(head), len(head) + 1
    return found


def read_sure(text: str, start: int, end: int, line: int) -> list[Property] | None:
    """The properties of ``text[start:end]``, whose first line is ``line``; None if any line is not sure."""
    found = find_sure(text, start, end, line)
    return None if found is None else [item.complete() for item in found]


def find_sure(text: str, start: int, end: int, line: int) -> list[Plain | Property] | None:
    """The same at half the cost: most of them not yet worked out."""
    header = text[start:end]
    if "\r" in header:
        header = header.replace("\r\n", " \n")  # of equal length; blanks at a line's end mean nothing
    tight = " \n" not in header
    says_null = "null" in header
    new = tuple.__new__
    found: list[Plain | Property] = []
    append = found.append
    heads = _HEADS
    values: tuple[Scalar, ...] | None
    for head, plain, other, items in _SURE_LINE.findall(header):
        try:
            key, name, width, column = heads[head]
        except KeyError:
            key, name, width, column = _add_head(head)
        if plain and not says_null:
            behind = start + width + len(plain) + 1
            value = plain if tight else plain.rstrip(" ")
            append(new(Plain, (value, name, line, column, start, behind, key)))
            start = behind
            line += 1
            continue
        begin = start + width
        words = plain or other
        if words:
            is_list = words[0] == "["
            values = (_read_flow if is_list else _read_one)(words.rstrip(" "), line, column, begin)
        else:
            is_list = bool(items)
            values = _read_items(items, line, begin) if items else ()
            if values is None:
                return None
        begin += len(words) + len(items) + 1
        append(new(Property, (key, name, values, is_list, True, line, 1, start, begin)))
        start = begin
        line += items.count("\n") + 1 if items else 1
    return found if start == end else None


@lru_cache(maxsize=1)
def _compile_flow_item() -> re.Pattern[str]:
    return re.compile(_FLOW_ITEM)


def _read_one(value: str, line: int, column: int, start: int) -> tuple[Scalar, ...]:
    """A plain or quoted text without escapes; nothing for an empty one."""
    end = start + len(value)
    plain = value[0] not in "\"'"
    text = value if plain else value[1:-1]
    if not text or text.isspace() or (plain and text in NOTHING):
        return ()
    return (tuple.__new__(Scalar, (text, line, column, start, end, plain)),)


def _read_items(items: str, line: int, offset: int) -> tuple[Scalar, ...] | None:
    """The items of a block list, each behind a line end; None if they are not indented alike."""
    dash = items.find("-")
    pieces = items.split(items[: dash + 2])
    if len(pieces) <= items.count("\n"):
        return _read_uneven_items(items, line, offset)
    new = tuple.__new__
    values: list[Scalar] = []
    column = dash + 2
    for piece in pieces[1:]:
        line += 1
        offset += column
        if piece[:1].isalnum() and piece[-1] != " " and piece != "null":
            values.append(new(Scalar, (piece, line, column, offset, offset + len(piece), True)))
        elif value := piece.strip(" "):
            begin = piece.find(value)
            values += _read_one(value, line, column + begin, offset + begin)
        offset += len(piece)
    return tuple(values)


def _read_uneven_items(items: str, line: int, offset: int) -> tuple[Scalar, ...] | None:
    """Items of which one is empty, or that are not indented alike."""
    values: list[Scalar] = []
    outer = items.find("-") - 1
    for words in items.split("\n")[1:]:
        line += 1
        offset += 1
        if words.find("-") != outer:
            return None
        if value := words[outer + 1 :].strip(" "):
            begin = words.find(value, outer + 1)
            values += _read_one(value, line, begin + 1, offset + begin)
        offset += len(words)
    return tuple(values)


def _read_flow(value: str, line: int, column: int, offset: int) -> tuple[Scalar, ...]:
    """The items of a list in brackets."""
    values: list[Scalar] = []
    pieces = value[1:-1].split(", ")
    if '"' in value or "'" in value or value.count(",") >= len(pieces):
        for item in _compile_flow_item().finditer(value, 1):
            begin = item.start()
            values += _read_one(item[0].rstrip(" "), line, column + begin, offset + begin)
        return tuple(values)
    new = tuple.__new__
    begin = 1
    for piece in pieces:
        if piece[:1].isalnum() and piece[-1] != " " and piece != "null":
            start = offset + begin
            values.append(new(Scalar, (piece, line, column + begin, start, start + len(piece), True)))
        elif words := piece.strip(" "):
            at = begin + piece.find(words)
            values += _read_one(words, line, column + at, offset + at)
        begin += len(piece) + 2
    return tuple(values)
