"""The settings' YAML as nodes: their texts as a person wrote them, each with its place.

In: a file's bytes.  Out: one node, and the problems with their places; what YAML has that settings do not need is
refused.  Never raises for what is in the file.  This module knows no option, and YAML only once there is some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from notesync.problems import ERROR, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MAX_BYTES = 64 * 1024
MAX_DEPTH = 50
TEXT, LIST, MAP = "text", "list", "map"


class Node(NamedTuple):
    """A piece of YAML with its place, its scalars untyped.

    ``kind`` says what ``content`` is: the text of a scalar, the items of a list, or the (key, value) pairs of
    a map.  Lines and columns count from 1.
    """

    kind: str
    line: int
    column: int
    content: Any


class _Refused(Exception):  # noqa: N818  # never leaves this module
    """YAML that is not read: the place as an offset, what is wrong, and what to write instead."""

    def __init__(self, offset: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.offset, self.message, self.hint = offset, message, hint


class Reading:
    """One pass over the file: where the problems gather."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.lines = [0]

    def report(self, place: tuple[int, int], code: str, message: str, hint: str) -> None:
        self.problems.append(Problem(self.path, *place, code, ERROR, message, hint))

    def place(self, offset: int) -> tuple[int, int]:
        from bisect import bisect_right

        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    def compose(self, data: bytes) -> Node | None:
        """The file's one document; None when it is empty or cannot be read, which is then a problem."""
        text, end = _decode(data[:MAX_BYTES])
        self.lines = _find_lines(text)
        try:
            if len(data) > MAX_BYTES:
                message = f"The settings are longer than {MAX_BYTES // 1024} KB."
                raise _Refused(0, message, "Keep only settings in this file.")
            if end is not None:
                raise _Refused(end, "From here on this file is not UTF-8 text.", "Save it as UTF-8.")
            return self._compose(_parse_events(text))
        except _Refused as refused:
            self.report(self.place(min(refused.offset, len(text))), "bad-yaml", refused.message, refused.hint)
            return None

    def _compose(self, events: Iterator[Any]) -> Node | None:
        """Events to nodes, without recursion: depth is the file's, not ours."""
        roots: list[Node] = []
        open_nodes: list[tuple[str, int, list[Node]]] = [("", 0, roots)]
        for event in events:
            kind, offset = event.__class__.__name__, event.start_mark.index if event.start_mark else 0
            if kind in ("SequenceStartEvent", "MappingStartEvent"):
                if len(open_nodes) > MAX_DEPTH:
                    raise _Refused(offset, "The settings are nested too deeply.", "Write them flat.")
                open_nodes.append((LIST if kind[0] == "S" else MAP, offset, []))
            elif kind == "ScalarEvent":
                open_nodes[-1][2].append(Node(TEXT, *self.place(offset), _value_of(event)))
            elif kind in ("SequenceEndEvent", "MappingEndEvent"):
                kind, offset, items = open_nodes.pop()
                content = tuple(items) if kind == LIST else self._pairs(items)
                open_nodes[-1][2].append(Node(kind, *self.place(offset), content))
        for root in roots[1:]:
            if root.content:
                hint = "Delete the line `---` before it."
                self.report(root[1:3], "bad-yaml", "Only the first part of this file is read.", hint)
        return roots[0] if roots else None

    def _pairs(self, items: list[Node]) -> tuple[tuple[Node, Node], ...]:
        pairs: dict[str, tuple[Node, Node]] = {}
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key.kind != TEXT or key.content in ("", "<<"):
                hint = "Write `name: value`; quote a name that begins with a bracket or brace."
                self.report(key[1:3], "bad-yaml", "This is not the name of a setting.", hint)
            elif (name := normalise(key.content)) in pairs:
                message = f"`{shorten(key)}` is set twice; the one on line {pairs[name][0].line} is used."
                self.report(key[1:3], "duplicate-key", message, "Delete one of the two.")
            else:
                pairs[name] = key, value
        return tuple(pairs.values())


def _decode(data: bytes) -> tuple[str, int | None]:
    """The file's text, and where it stops being text, if it does."""
    utf16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(data[:2])
    encoding, data = (utf16, data[2:]) if utf16 else ("utf-8", data.removeprefix(b"\xef\xbb\xbf"))
    try:
        return data.decode(encoding), None
    except UnicodeDecodeError as error:
        readable = data[: error.start].decode(encoding)
        return readable, len(readable)


def _find_lines(text: str) -> list[int]:
    """Where each line begins; a line ends at LF, CR or CRLF, whatever else YAML breaks at."""
    import re

    return [0, *(match.end() for match in re.finditer("\r\n?|\n", text))]


def _parse_events(text: str) -> Iterator[Any]:
    """The parser's events; anything it refuses, and what we do not want to meet, as :class:`_Refused`."""
    import yaml

    try:
        events: Iterator[Any] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for event in events:
            if getattr(event, "anchor", None) or getattr(event, "tag", None):
                raise _Refused(
                    event.start_mark.index,
                    "`&`, `*` and `!` at the start of a value have a meaning in YAML that is not used here.",
                    "Put the value in quotes.",
                )
            yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "something is out of place"
        raise _Refused(mark.index if mark else 0, f"This is not YAML: {problem}.", _YAML_HINT) from None
    except yaml.reader.ReaderError as error:
        # Its position counts bytes with libyaml and characters without; the character is the first such.
        offset = max(text.find(chr(error.character)), 0)
        message = "There is a character here that YAML does not allow."
        raise _Refused(offset, message, "Delete it.") from None


_YAML_HINT = "Write `key: value`, put words with a colon or bracket in quotes, and indent with blanks."


def _value_of(event: Any) -> str:
    """A scalar's text; what YAML would call null is empty."""
    text = str(event.value).strip()
    return "" if event.style in (None, "") and text.casefold() in ("~", "null") else text


def normalise(key: str) -> str:
    """A key as keys are compared."""
    from notesync.notes.note import normalise_key

    return normalise_key(key)


def shorten(node: Node) -> str:
    """What a node holds, for a message."""
    if node.kind != TEXT:
        return "a list" if node.kind == LIST else "a map"
    text = " ".join(node.content.split())
    return text if len(text) <= 60 else text[:59] + "…"


def build_tuples(node: Node) -> tuple[Any, ...]:
    """A node as nested tuples ``(kind, line, column, content)``."""
    if node.kind == TEXT:
        return tuple(node)
    if node.kind == LIST:
        return (*node[:3], tuple(map(build_tuples, node.content)))
    return (*node[:3], tuple((build_tuples(key), build_tuples(value)) for key, value in node.content))


def drop_places(node: tuple[Any, ...]) -> Any:
    """A node of `plans` without its lines and columns, which mean nothing to the rules."""
    if not node or node[0] == TEXT:
        return node[3:]
    if node[0] == LIST:
        return [drop_places(item) for item in node[3]]
    return [[drop_places(key), drop_places(value)] for key, value in node[3]]
