"""Lines of a header that YAML refuses -> properties all the same, key by key and line by line.

In: a text, the lines of one key in it, and two ways to report.  Out: that key's property, with what is
wrong named at its place, so that one bad line costs no more than its own key.  Must not know: YAML,
the rest of the header, what a key means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from notesync.notes.property import LINK, NOTHING, Property, Scalar, find_place, normalise_key
from notesync.problems import ERROR

LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
KEY_LINE = re.compile(
    r"(\"[^\"\r\n]+\"|'[^'\r\n]+'|[^\s\-#:\"'\[\]{}&*!|>%@`,?<=][^:\r\n]*?)[ \t]*:(?=[ \t\r\n]|\Z)"
)
COMMENT = re.compile(r"[ \t]+#")
EMPTY_HASH = re.compile(r"[^:\r\n]*:[ \t]+(?=#[^\s#])")

# Behind the colon nothing, or a blank that is none to YAML: Option and Space on a Mac, a paste from a page.
_GLUED_KEY = re.compile(r"([^\W\d][\w -]*):(?:(?=[^\s:/])|([^\S \t\r\n][^\S\r\n]*))")
_PLAIN_BEHIND = re.compile(r"[ \t]+[^\s\"'\[{|>#]")
_CHUNK_CONTINUES = re.compile(r"[ \t]|-|#|[\]}]|[\r\n]|\Z")
_LINK = re.compile(LINK)
_LINKS = re.compile(rf"{LINK}(?:[ \t]*[,;]?[ \t]*{LINK})*[ \t]*")
_QUOTED_LIST = re.compile(
    r"(?:\"[^\"\r\n]*\"|'[^'\r\n]*')(?:[ \t]*,[ \t]*(?:\"[^\"\r\n]*\"|'[^'\r\n]*'))+[ \t]*"
)
_LOOSE_ITEM = re.compile(r"\[\[[^\[\]\r\n]*\]\]|\"[^\"\r\n]*\"|'[^'\r\n]*'|[^,\[\]\s\"'][^,\[\]\r\n]*")


def split_chunks(text: str, start: int, end: int, line: int) -> Iterator[tuple[int, int, int]]:
    """Start, end and line of each key with the lines below it that are indented or list items."""
    chunk_start, chunk_line = start, line
    position = start
    while position < end:
        found = LINE.match(text, position, end)
        if found is None or found.end() == position:
            break
        if position > chunk_start and _CHUNK_CONTINUES.match(text, position, end) is None:
            yield chunk_start, position, chunk_line
            chunk_start, chunk_line = position, line
        position = found.end()
        line += 1
    if chunk_start < end:
        yield chunk_start, end, chunk_line


def split_indented(
    text: str, start: int, end: int, line: int, known: frozenset[str] | None
) -> Iterator[tuple[int, int, int]]:
    """Start, end and line of a key with a plain value, and of each known key below it that is indented by mistake.

    Below a plain value YAML allows no key; below a key without one, or an item, they are keys of its own.
    """
    part, part_line = start, line
    head = KEY_LINE.match(text, start, end)
    if head is not None and _PLAIN_BEHIND.match(text, head.end(), end):
        owner = end  # how far the key or the item is indented that the lines indented further belong to
        for found in LINE.finditer(text, head.end(), end):
            content = found[1].lstrip(" \t")
            indent = len(found[1]) - len(content)
            if content and content[0] != "#" and found.start() > head.end() and indent <= owner:
                key_start = found.start() + indent
                key = KEY_LINE.match(text, key_start, end)
                ours = key is not None and (known is None or normalise_key(key[1].strip("\"'")) in known)
                if indent and ours:
                    yield part, found.start(), part_line
                    part, part_line = key_start, line
                is_bare = key is not None and _PLAIN_BEHIND.match(text, key.end(), end) is None
                owner = indent if is_bare or content[0] == "-" else end
            line += 1
    yield part, end, part_line


class LenientReader:
    """Reads one key with its lines that YAML refused, and reports what is wrong with it."""

    def __init__(
        self,
        text: str,
        start: int,
        end: int,
        line: int,
        known: frozenset[str] | None,
        report: Callable[[int, str, str, str, str], None],
        report_comment: Callable[[int], None],
    ) -> None:
        self.text = text
        self.known = known
        self._report_at = report
        self._report_comment = report_comment
        self.start = start
        self.end = end
        self.line = line

    def read(self) -> list[Property]:
        """The property, or nothing where no key can be made out."""
        text, start, end = self.text, self.start, self.end
        found = KEY_LINE.match(text, start, end) or self._find_glued_key()
        if found is None:
            self._report_junk()
            return []
        key = found[1].strip("\"'")
        column = find_place(text, start)[1]
        if column > 1:
            self._report(
                start, f"`{key}:` is indented, as if it were a part of what stands above it.",
                "Begin the line with the key.",
            )  # fmt: skip
        first = LINE.match(text, found.end(), end)
        value_end = first.end(1) if first is not None else end
        values, is_list = self._read_line_value(found.end(), value_end)
        flat = True
        if value_end < end:
            more, flat = self._read_lines_below(value_end, bool(values))
            values += more
            is_list = is_list or bool(more)
        return [
            Property(key, normalise_key(key), tuple(values), is_list, flat, self.line, column, start, end),
        ]

    def _find_glued_key(self) -> re.Match[str] | None:
        """``phone:071``: without an ordinary blank behind the colon YAML sees no key at all."""
        found = _GLUED_KEY.match(self.text, self.start, self.end)
        known = self.known
        if found is None or (known is not None and normalise_key(found[1]) not in known):
            return None
        self._report(
            found.end(1) + 1,
            f"The blank behind `{found[1]}:` is not an ordinary one, so other programs see no property."
            if found[2]
            else f"There is no blank behind `{found[1]}:`.",
            "Write a blank behind the colon.",
        )
        return found

    def _report(self, offset: int, message: str, hint: str) -> None:
        self._report_at(offset, "bad-yaml", ERROR, message, hint)

    def _report_junk(self) -> None:
        start = self.start
        while start < self.end:  # blank lines and comments are no junk
            line = LINE.match(self.text, start, self.end)
            if line is None or line.end() == start:
                return
            content = line[1].strip()
            if content and not content.startswith("#"):
                break
            start = line.end()
        else:
            return
        self._report(
            start,
            "This line is no property: it has no `key:` at its beginning.",
            "Write it as `key: value`, or move it below the closing --- line.",
        )

    def _read_line_value(self, start: int, end: int) -> tuple[list[Scalar], bool]:
        """The value behind a key or a dash."""
        text = self.text
        while start < end and text[start] in " \t":
            start += 1
        value = text[start:end].rstrip(" \t")
        end = start + len(value)
        if not value or value.startswith("#"):
            if EMPTY_HASH.match(f":  {value}"):
                self._report_comment(start)
            return [], False
        first = value[0]
        if first == "[":
            return self._read_brackets(start, end)
        if first in "\"'":
            return self._read_quoted(start, end)
        if first in "|>{" and (first == "{" or len(value) < 4):
            return [], False
        return self._read_plain(start, end), False

    def _scalar(self, value: str, start: int, end: int, plain: bool = True) -> list[Scalar]:
        if not value.strip() or (plain and value in NOTHING):
            return []
        line, column = find_place(self.text, start)
        return [Scalar(value, line, column, start, end, plain)]

    def _read_brackets(self, start: int, end: int) -> tuple[list[Scalar], bool]:
        """Links and lists: ``[[A]], [[B]]``, ``[a, b``, ``[a] b``."""
        value = self.text[start:end]
        if _LINK.fullmatch(value):
            return self._scalar(value, start, end), False
        items = [
            scalar
            for item in _LOOSE_ITEM.finditer(value, 0 if _LINKS.fullmatch(value) else 1)
            for scalar in self._read_item(item[0], start + item.start())
        ]
        if _LINKS.fullmatch(value):
            quoted = ", ".join(f'"{item.text}"' for item in items)
            self._report(
                start, "Several links stand side by side without a list round them.", f"Write [{quoted}]."
            )
            return items, True
        if not value.endswith("]"):
            self._report(start, "The list has no closing bracket.", "Write ] behind the last item.")
        else:
            self._report(start, "The list cannot be read.", "Put each item that has signs in it in quotes.")
        return items, True

    def _read_item(self, value: str, start: int) -> list[Scalar]:
        value = value.rstrip()
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        return self._scalar(value[1:-1] if quoted else value, start, start + len(value), not quoted)

    def _read_quoted(self, start: int, end: int) -> tuple[list[Scalar], bool]:
        """A value that begins with a quote: never closed, with text behind it, or several of them."""
        value = self.text[start:end]
        quote = value[0]
        if _QUOTED_LIST.fullmatch(value):
            self._report(
                start, "Several values stand side by side without a list round them.", f"Write [{value}]."
            )
            items = _LOOSE_ITEM.finditer(value)
            return [
                scalar for item in items for scalar in self._read_item(item[0], start + item.start())
            ], True
        close = value.find(quote, 1)
        if close < 0:
            self._report(
                start, "The quote that opens here is never closed.", f"Write {quote} at the value's end."
            )
            return self._scalar(value[1:], start, end, False), False
        behind = value[close + 1 :].strip()
        if behind.startswith("#") or (not behind and "\\" in value):
            if not behind:
                self._report(start, "The value has a \\ in it that means nothing.", "Write \\\\ for each \\.")
            return self._scalar(value[1:close], start, start + close + 1, False), False
        if behind:
            self._report(
                start + close + 1,
                "Text stands behind the closing quote.",
                "Put the whole value in quotes, and double those that are inside.",
            )
            return self._scalar(value, start, end), False
        return self._scalar(value[1:close], start, start + close + 1, False), False

    def _read_plain(self, start: int, end: int) -> list[Scalar]:
        """A value without quotes that needs some."""
        value = self.text[start:end]
        comment = COMMENT.search(value)
        if comment is not None:
            self._report_comment(start + comment.end() - 1)
            value = value[: comment.start()]
        quote = "'" if '"' in value else '"'
        mend = f"Put the value in quotes: {quote}{value}{quote}."
        colon = re.search(r":(?=[ \t]|$)", value)
        if value[0] in "*&!@`%|>?,-]}":
            self._report(start, f"A value cannot begin with {value[0]} unless it is in quotes.", mend)
        elif colon is not None:
            self._report(
                start + colon.start(), "A colon and a blank inside a value need quotes round it.", mend
            )
        return self._scalar(value, start, start + len(value))

    def _read_lines_below(self, start: int, has_value: bool) -> tuple[list[Scalar], bool]:
        """List items and other lines below a key; tells also whether they are flat."""
        values: list[Scalar] = []
        flat = True
        for line in LINE.finditer(self.text, start, self.end):
            content = line[1].strip()
            if not content or content.startswith("#"):
                continue
            indent = len(line[1]) - len(line[1].lstrip())
            if "\t" in line[1][: indent + 2]:
                self._report(
                    line.start(), "A tab stands where only blanks may.", "Write blanks instead of the tab."
                )
            if content == "-" or content[:2] in ("- ", "-\t"):
                values += self._read_line_value(line.start() + indent + 1, line.end(1))[0]
            elif KEY_LINE.match(content):
                flat = False
            elif not has_value:
                values += self._scalar(content, line.start() + indent, line.start() + indent + len(content))
        return values, flat
