"""Keys of the front matter: a note and the values wished for -> the note with these values and no others changed.

In: a :class:`Note`, wishes by key, the order that a vault's keys stand in.  Out: a new note, which was
read again and says what was wished; else an exception that says why not.  Must not know: clients, what
a key means, the clock, the disk.

A value is replaced where it stands, in the quotes it had, if the new one allows them; a list keeps its
brackets or its dashes and their indent; a comment behind a value stays.  A key that is not there yet is
put beside the one that comes next to it in the order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from notesync.notes.edit import (
    Splice,
    check_wish,
    find_line_start,
    find_newline,
    refuse,
    refuse_damaged,
    splice_note,
)
from notesync.notes.lines import DATE
from notesync.notes.note import Note, Property, Scalar, normalise_key, parse_note
from notesync.notes.property import find_line_end
from notesync.notes.quoting import render_value
from notesync.problems import RefusedError

Wish = str | bool | Sequence[str] | None
"""A text, a ticked or empty checkbox, a list, or nothing: a key without a value."""

UNSOUND = (
    "merge-marker",
    "nul-characters",
    "unclosed-front-matter",
    "header-too-large",
    "not-properties",
    "template",
    "bad-yaml",
)
_BEHIND_KEY = re.compile(
    r"(?:\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\r\n]|'')*'|[^\s\"'?][^\r\n]*?)[ \t]*:(?=[ \t\r\n]|\Z)"
)
_NOTHING = re.compile(r"[ \t]*(null|~|\"[ \t]*\"|'[ \t]*')?+[ \t]*(?=#|[\r\n]|\Z)")
_DASH = re.compile(r"(?:[^\r\n]*(?:\r\n|\r|\n))(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*([ \t]*-)(?=[ \t\r\n])")
_BETWEEN_ITEMS = re.compile(r"[ \t\r\n]*,[ \t\r\n]*")
_LAST_COMMA = re.compile(r"[ \t\r\n]*,")
_LINKED_DAY = re.compile(rf"\[\[{DATE}\]\]")
_DAY = re.compile(DATE)
_COMMENT_LINE = re.compile(r"[ \t]*#")
_ITEM_START = "  - "  # as Obsidian indents them


class _Wanted(NamedTuple):
    """The texts that a key is to have; ``literal`` ones are written as they are: true and false."""

    texts: tuple[str, ...]
    is_list: bool
    literal: bool = False


def set_properties(
    note: Note, wishes: Mapping[str, Wish], order: Sequence[str], create: bool = False
) -> Note:
    """The note with these values.

    ``order`` are the names of keys as they are best listed; ``create`` gives a note without front matter
    one.  Returns the note itself if it says all that already.  Raises RefusedError for a note whose front
    matter cannot be changed safely, UsageError for words that no note can hold.
    """
    changed = note
    ranks = {name: rank for rank, name in enumerate(map(normalise_key, order))}
    for key in sorted(wishes, key=lambda key: ranks.get(normalise_key(key), len(ranks))):
        wanted = _read_wish(wishes[key])
        check_wish(key, *wanted.texts)
        if changed.header_start < 0:
            if not wanted.texts:
                continue
            changed = _create_header(changed, create)
        changed = _set_property(changed, key, wanted, ranks)
    return changed


def _read_wish(wish: Wish) -> _Wanted:
    if isinstance(wish, bool):
        return _Wanted(("true" if wish else "false",), False, True)
    if wish is None or isinstance(wish, str):
        return _Wanted((wish,) if wish and not wish.isspace() else (), False)
    return _Wanted(tuple(text for text in wish if text and not text.isspace()), True)


def _create_header(note: Note, create: bool) -> Note:
    refuse_damaged(note)
    if not create:
        raise refuse(
            note, 1, "no-front-matter", "it has no front matter", "Write a line with --- above and below one."
        )
    newline = find_newline(note.text, 0)
    return splice_note(note, [Splice(0, 0, f"---{newline}---{newline}")])


def _set_property(note: Note, key: str, wanted: _Wanted, ranks: Mapping[str, int]) -> Note:
    """The note with one key set, checked; the note itself where nothing has to change."""
    name = normalise_key(key)
    found = note.get(name)
    if found is not None and not wanted.literal:
        wanted = _keep_link(found, wanted)
    if (() if found is None else _texts(found)) == wanted.texts:
        return note
    # Read again, because what is wrong in it depends on the keys that the caller knew.
    note = parse_note(note.data, note.path)
    found = note.get(name)
    _refuse_unsound(note, name)
    if found is not None:
        ways = [list(_Change(note, found, wanted.literal).find_splices(wanted))]
    else:
        places = _find_places(note, ranks.get(name), ranks)
        ways = [[_add_property(note, key, wanted, at, indent)] for at, indent in places]
    for splices in ways:
        new = splice_note(note, splices)
        if _is_as_wished(note, new, name, wanted):
            return new
    line = found.line if found is not None else 1
    why = f"`{key}` cannot be set without touching other parts of its front matter"
    raise refuse(note, line, "unsafe-edit", why)


def _texts(found: Property) -> tuple[str, ...]:
    return tuple(value.text for value in found.values)


def _keep_link(found: Property, wanted: _Wanted) -> _Wanted:
    """Where a day is a link to its daily note, another day is one as well."""
    if len(found.values) == 1 and len(wanted.texts) == 1 and _LINKED_DAY.fullmatch(found.values[0].text):
        day = wanted.texts[0]
        return wanted._replace(texts=(f"[[{day}]]",)) if _DAY.fullmatch(day) else wanted
    return wanted


def _refuse_unsound(note: Note, name: str) -> None:
    """Raise RefusedError where a splice could do other than it looks."""
    refuse_damaged(note, UNSOUND)
    if note.text[note.header_start : note.header_end].lstrip()[:1] == "{":
        raise refuse(
            note, 2, "json-front-matter", "its front matter is JSON", "Write it as lines of `key: value`."
        )
    same = [item for item in note.properties if item.name == name]
    if len(same) > 1:
        why = f"`{same[1].key}` stands twice, on lines {same[0].line} and {same[1].line}"
        raise refuse(note, same[1].line, "duplicate-key", why, "Keep one of the two lines.")
    if same and not same[0].flat:
        why = f"`{same[0].key}` holds more than a value or a list of values"
        raise refuse(note, same[0].line, "nested-value", why)


def _is_as_wished(old: Note, new: Note, name: str, wanted: _Wanted) -> bool:
    """Whether the wished value is there, once, and everything else as it was."""
    found = [item for item in new.properties if item.name == name]
    return (
        _list_others(new, name) == _list_others(old, name)
        and [_texts(item) for item in found] == [wanted.texts]
        and not new.broken
        and new.text[: new.header_start] == old.text[: old.header_start]
        and new.text[new.header_end :] == old.text[old.header_end :]
        and _list_problems(new) <= _list_problems(old)
    )


def _list_others(note: Note, name: str) -> list[tuple[str, tuple[str, ...], str]]:
    """All other keys with their values and as they stand."""
    return [
        (item.key, _texts(item), note.text[item.start : item.end])
        for item in note.properties
        if item.name != name
    ]


def _list_problems(note: Note) -> set[str]:
    # A comment behind what was an empty value is named as soon as there is a value: it is no news.
    return {problem.code for problem in note.problems if problem.code != "lost-text"}


# --- A key that is there ---------------------------------------------------------------------------------


class _Change:
    """The change of one property: where its value stands, and what is to be put there."""

    def __init__(self, note: Note, found: Property, literal: bool) -> None:
        self.literal = literal
        self.note = note
        self.text = note.text
        self.found = found
        colon = _BEHIND_KEY.match(self.text, found.start, found.end)
        if colon is None:
            raise self._refuse_unclear()
        self.behind = colon.end()
        first = found.values[0].start if found.values else found.end
        rest = re.sub(r"#[^\r\n]*", "", self.text[self.behind : first]).strip()
        self.in_brackets = found.is_list and rest.startswith("[")

    def _refuse_unclear(self) -> RefusedError:
        why = f"it is not clear where the value of `{self.found.key}` is"
        return refuse(self.note, self.found.line, "unsafe-edit", why)

    def find_splices(self, wanted: _Wanted) -> Iterator[Splice]:
        found = self.found
        if found.is_list:
            yield from self._change_list(wanted.texts)
        elif not wanted.texts:
            yield self._find_removal(found.values[0])
        elif found.values:
            yield self._replace(found.values[0], wanted)
        elif wanted.is_list:
            yield from self._fill_with_list(wanted.texts)
        else:
            yield self._fill(wanted.texts[0])

    def _replace(self, value: Scalar, wanted: _Wanted) -> Splice:
        old = self.text[value.start : value.end]
        if old[0] in "|>" and not value.plain and " #" in old.partition("\n")[0]:
            why = f"a comment stands within the value of `{self.found.key}`"
            raise refuse(self.note, value.line, "unsafe-edit", why)
        if wanted.is_list:
            return Splice(value.start, value.end, f"[{', '.join(_render_items(wanted.texts))}]")
        return Splice(value.start, value.end, self._render(wanted.texts[0], self._find_quote(value)))

    def _render(self, text: str, quote: str = "") -> str:
        return text if self.literal else render_value(text, quote, self.in_brackets)

    def _find_quote(self, value: Scalar) -> str:
        sign = self.text[value.start]
        return sign if not value.plain and sign in "\"'" else ""

    def _find_removal(self, value: Scalar) -> Splice:
        """From behind the colon, or on lines of its own, to the value's end."""
        start = value.start
        while self.text[start - 1] in " \t" and start > self.behind:
            start -= 1
        return Splice(start, value.end, "")

    def _find_nothing(self) -> re.Match[str]:
        nothing = _NOTHING.match(self.text, self.behind, self.found.end)
        if nothing is None:
            raise self._refuse_unclear()
        return nothing

    def _fill(self, text: str) -> Splice:
        """A value where there was none: behind the colon and one blank, in place of a null."""
        nothing = self._find_nothing()
        word = nothing[1]
        rendered = self._render(text, word[0] if word and word[0] in "\"'" else "")
        if word:
            return Splice(nothing.start(1), nothing.end(1), rendered)
        return self._fill_gap(self.behind, rendered)

    def _fill_gap(self, at: int, rendered: str) -> Splice:
        """A value behind a colon or dash, one blank from it and from what follows on the line."""
        lead = " "
        if self.text[at : at + 1] in (" ", "\t"):
            at += 1
            lead = ""
        tail = "" if self.text[at : at + 1] in ("", " ", "\t", "\r", "\n") else " "
        return Splice(at, at, lead + rendered + tail)

    def _fill_with_list(self, texts: Sequence[str]) -> Iterator[Splice]:
        """A list where there was no value, in the style of the note's other lists."""
        nothing = self._find_nothing()
        style = _find_list_style(self.note)
        if style is None:
            rendered = f"[{', '.join(_render_items(texts))}]"
            if nothing[1]:
                yield Splice(nothing.start(1), nothing.end(1), rendered)
            else:
                yield self._fill_gap(self.behind, rendered)
            return
        if nothing[1]:
            yield Splice(self.behind, nothing.end(1), "")
        end = find_line_end(self.text, self.behind)
        yield Splice(end, end, _render_lines(style, texts, find_newline(self.text, end)))

    # ------------------------------------------------------------------------------------- lists

    def _change_list(self, texts: Sequence[str]) -> Iterator[Splice]:
        """Replace what differs between the first and the last item that stay; keep those as they stand."""
        old = list(self.found.values)
        if not old:
            yield self._fill_empty_list(texts)
            return
        first = 0
        while first < min(len(old), len(texts)) and old[first].text == texts[first]:
            first += 1
        last = 0
        while last < min(len(old), len(texts)) - first and old[-1 - last].text == texts[-1 - last]:
            last += 1
        gone, come = old[first : len(old) - last], texts[first : len(texts) - last]
        for value, text in zip(gone, come, strict=False):
            quote = self._find_quote(value)
            yield Splice(value.start, value.end, self._render(text, quote))
        kept = min(len(gone), len(come))
        if come[kept:]:
            yield self._insert(old, first + kept, come[kept:])
        elif gone[kept:]:
            yield from self._delete(old, first + kept, len(old) - last)

    def _fill_empty_list(self, texts: Sequence[str]) -> Splice:
        if self.in_brackets:
            at = self.text.index("[", self.behind) + 1
            return Splice(at, at, ", ".join(map(self._render, texts)))
        dash = _DASH.match(self.text, self.behind, self.found.end)
        if dash is None:
            raise self._refuse_unclear()
        splice = self._fill_gap(dash.end(1), self._render(texts[0]))
        end = find_line_end(self.text, dash.end(1))
        if not texts[1:]:
            return splice
        start = find_newline(self.text, end)
        lines = _render_lines(f"{dash[1]} ", texts[1:], start)
        kept = self.text[splice.start : end]
        return Splice(splice.start, end, splice.text + kept + lines)

    def _insert(self, old: Sequence[Scalar], at: int, texts: Sequence[str]) -> Splice:
        """New items behind the item before them, or before the first one; quoted as that one is."""
        near = old[at - 1] if at else old[0]
        rendered = [self._render(text, self._find_quote(near)) for text in texts]
        if self.in_brackets:
            between = self._find_separator(old)
            if at:
                return Splice(near.end, near.end, "".join(between + item for item in rendered))
            return Splice(near.start, near.start, "".join(item + between for item in rendered))
        line = find_line_start(self.text, near.start)
        start = self.text[line : near.start]
        end = find_line_end(self.text, near.end)
        place = end if at else line
        newline = find_newline(self.text, end)
        return Splice(place, place, "".join(f"{start}{item}{newline}" for item in rendered))

    def _find_separator(self, old: Sequence[Scalar]) -> str:
        """What stands between two items already: a comma and a blank, or each on a line of its own."""
        if len(old) > 1:
            between = self.text[old[-2].end : old[-1].start]
            if _BETWEEN_ITEMS.fullmatch(between):
                return between
        return ", "

    def _delete(self, old: Sequence[Scalar], first: int, last: int) -> Iterator[Splice]:
        """Take out the items from first to last, with their lines or one comma each."""
        if self.in_brackets:
            start = old[first - 1].end if first else old[0].start
            end = old[last - 1].end if first or last == len(old) else old[last].start
            if not first and last == len(old) and (comma := _LAST_COMMA.match(self.text, end)) is not None:
                end = comma.end()
            yield Splice(start, end, "")
            return
        for value in old[first:last]:
            yield Splice(find_line_start(self.text, value.start), find_line_end(self.text, value.end), "")


def _render_items(texts: Iterable[str]) -> list[str]:
    return [render_value(text, in_brackets=True) for text in texts]


def _render_lines(start: str, texts: Iterable[str], newline: str) -> str:
    return "".join(f"{start}{render_value(text)}{newline}" for text in texts)


def _find_list_style(note: Note) -> str | None:
    """How the note's lists with dashes begin an item; None if it has lists in brackets only."""
    brackets = False
    for item in note.properties:
        if item.is_list and item.flat and item.values:
            start = item.values[0].start
            lead = note.text[find_line_start(note.text, start) : start]
            if lead.strip() == "-":
                return lead
            brackets = True
    return None if brackets else _ITEM_START


# --- A key that is not there -----------------------------------------------------------------------------


def _add_property(note: Note, key: str, wanted: _Wanted, at: int, indent: str) -> Splice:
    """The lines of a new key."""
    newline = find_newline(note.text, at)
    head = f"{indent}{render_value(key)}:"
    if not wanted.is_list:
        value = wanted.texts[0]
        return Splice(at, at, f"{head} {value if wanted.literal else render_value(value)}{newline}")
    style = _find_list_style(note)
    if style is None:
        return Splice(at, at, f"{head} [{', '.join(_render_items(wanted.texts))}]{newline}")
    return Splice(at, at, f"{head}{newline}{_render_lines(indent + style, wanted.texts, newline)}")


def _find_places(note: Note, rank: int | None, ranks: Mapping[str, int]) -> list[tuple[int, str]]:
    """Where a key of that rank may go, and its indent: beside the key that is nearest to it in the order."""
    if not note.properties:
        return [(note.header_end, "")]
    relative = note.properties[-1]
    known = [(ranks[item.name], item) for item in note.properties if item.name in ranks]
    if rank is not None and known:
        # Of two that are as near, the one that comes before it.
        nearest, relative = min(known, key=lambda each: (abs(each[0] - rank), each[0] > rank))
        if nearest > rank:
            return [_find_place_before(note, relative)]
    indent = _find_indent(note, relative)
    # The blank lines below a text in many lines can be a part of it: then it goes below them.
    following = [item for item in note.properties if item.start >= relative.end]
    below = _find_place_before(note, following[0]) if following else (note.header_end, indent)
    return [(relative.end, indent), below]


def _find_place_before(note: Note, item: Property) -> tuple[int, str]:
    """Before a key and the comment above it."""
    text = note.text
    at = find_line_start(text, item.start)
    while at > note.header_start:
        above = find_line_start(text, at - (2 if text[at - 2 : at] == "\r\n" else 1))
        if not _COMMENT_LINE.match(text, above, at):
            break
        at = above
    return at, _find_indent(note, item)


def _find_indent(note: Note, item: Property) -> str:
    lead = note.text[find_line_start(note.text, item.start) : item.start]
    return lead if not lead.strip(" ") else ""
