"""YAML's own reading of a header -> properties with the texts and places of their nodes.

In: a header's text, where it begins and its first line.  Out: a root node, or properties made from a
mapping node; :func:`find_refused` first says what must not reach the parser.  Raises whatever PyYAML
raises: the caller makes problems of that.  Must not know: what a key means, fences, problems.

Nodes are composed with a resolver that resolves nothing, so that each scalar stays the text that was
written; characters that YAML refuses are replaced by stand-ins of equal length and put back.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from notesync.notes.property import LINK, NOTHING, Property, Scalar, find_line_end, normalise_key

MAX_DEPTH = 50

# Characters that YAML refuses, or takes for line ends (U+0085, U+2028, U+2029) where no editor does.
_ODD = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_DEEP_LINE = re.compile(r"^[ \t?:-]{50}", re.MULTILINE)
_LINK = re.compile(LINK)


@lru_cache(maxsize=1)
def load_parser() -> tuple[Any, tuple[Any, ...]]:
    """A loader class that resolves nothing, and the token types to refuse.  Imports yaml: costly."""
    import yaml
    from yaml.tokens import AliasToken, AnchorToken, TagToken

    class Untyped:
        """Resolves no tags: working out types is 60 % of a load, and thrown away."""

        def resolve(self, *_: object) -> str:
            return ""

        def descend_resolver(self, *_: object) -> None:
            pass

        def ascend_resolver(self, *_: object) -> None:
            pass

    bases: tuple[type, ...]
    try:
        from yaml._yaml import CParser

        bases = (Untyped, CParser)
    except ImportError:  # PyYAML without libyaml: slower, the same answers
        bases = (Untyped, _make_pure_parser(yaml))
    return type("UntypedLoader", bases, {}), (AliasToken, AnchorToken, TagToken)


def _make_pure_parser(yaml: Any) -> type:
    """The pure Python reader, scanner, parser and composer, set up like CParser."""
    parts = (yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser, yaml.composer.Composer)

    def set_up(self: Any, stream: str) -> None:
        parts[0].__init__(self, stream)
        for part in parts[1:]:
            part.__init__(self)

    return type("PureParser", parts, {"__init__": set_up})


def compose(header: str) -> Any:
    """The header's root node (None: nothing there); raises whatever the parser raises."""
    loader, _ = load_parser()
    if _ODD.search(header) is None:
        return loader(header).get_single_node()
    stand_ins = _choose_stand_ins(header)
    node = loader(header.translate(stand_ins)).get_single_node()
    if node is not None:
        _restore(node, {ord(stand_in): chr(odd) for odd, stand_in in stand_ins.items()})
    return node


def _choose_stand_ins(header: str) -> dict[int, str]:
    """For each character that YAML cannot take, one of the private use area that is not in the header."""
    present = set(header)
    free = (char for code in range(0xE000, 0xF8FF) if (char := chr(code)) not in present)
    return dict(zip(sorted({ord(c) for c in _ODD.findall(header)}), free, strict=False))


def _restore(node: Any, originals: dict[int, str]) -> None:
    """Put the odd characters back into every scalar below a node."""
    if node.id == "scalar":
        node.value = node.value.translate(originals)
        return
    for child in node.value:
        for part in child if node.id == "mapping" else (child,):
            _restore(part, originals)


def find_refused(text: str, start: int, end: int) -> tuple[int, str] | None:
    """Offset and reason of what must not reach the composer: deep nesting, aliases, anchors, tags."""
    header = text[start:end]
    if header.count("[") + header.count("{") > MAX_DEPTH and (deep := _find_deep(header)) >= 0:
        return start + deep, f"The front matter is nested more than {MAX_DEPTH} levels deep."
    if (line := _DEEP_LINE.search(header)) is not None:
        return start + line.start(), f"The front matter is indented by {MAX_DEPTH} or more."
    if "&" in header or "*" in header or "!" in header:
        return _find_reference(header, start)
    return None


def _find_deep(header: str) -> int:
    """Where brackets nest too deep, quoted or not; -1 if nowhere.

    The C composer recurses and kills the process at extreme depth: nothing deep may reach it.
    """
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", header):
        if bracket[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return bracket.start()
        elif depth:
            depth -= 1
    return -1


def _find_reference(header: str, start: int) -> tuple[int, str] | None:
    """The first alias, anchor or tag by YAML's own scanner, which tells them from mere text."""
    loader_class, refused = load_parser()
    loader = loader_class(_ODD.sub("\ufffd", header))
    while (token := loader.get_token()) is not None:
        if type(token) in refused:
            sign = header[token.start_mark.index : token.start_mark.index + 1]
            return (
                start + token.start_mark.index,
                f"A value begins with {sign}, which has a meaning of its own.",
            )
    return None


def find_mark(error: Exception, start: int) -> int:
    """The offset that a YAML error names, else the header's start."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return start + getattr(mark, "index", 0) if mark is not None else start


def read_mapping(text: str, node: Any, base: int, line: int) -> list[Property]:
    """The pairs of a mapping node whose text begins at ``base``, on ``line``."""
    properties = []
    for key_node, value_node in node.value:
        mark = key_node.start_mark
        start = base + mark.index
        key = key_node.value if key_node.id == "scalar" else text[start : base + key_node.end_mark.index]
        if not key.strip():
            continue
        values, is_list, flat = _read_value(text, value_node, base, line)
        content_end = max(base + key_node.end_mark.index, base + _end_of(value_node))
        end = _end_of_property(text, start, content_end, node.flow_style)
        properties.append(
            Property(
                key, normalise_key(key), values, is_list, flat, line + mark.line, mark.column + 1, start, end
            )
        )
    return properties


def _end_of(node: Any) -> int:
    """Where a node's own text ends: a block collection's end mark is where the next token begins."""
    if node.id == "scalar" or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1] if node.value else None
    if last is None:
        return int(node.start_mark.index)
    if node.id == "mapping":
        return max(_end_of(last[0]), _end_of(last[1]))
    return max(int(node.start_mark.index), _end_of(last))


def _end_of_property(text: str, start: int, content_end: int, flow: bool) -> int:
    """The end of the last line that belongs to a property."""
    content_end = start + len(text[start:content_end].rstrip(" \t\r\n"))
    return content_end if flow else find_line_end(text, content_end)


def _read_value(text: str, node: Any, base: int, line: int) -> tuple[tuple[Scalar, ...], bool, bool]:
    """A value's texts, whether it is a list, whether it is flat."""
    if node.id == "scalar":
        scalar = _read_scalar(text, node, base, line)
        return (() if scalar is None else (scalar,)), False, True
    link = _read_link(text, node, base, line)
    if link is not None:
        return (link,), False, True
    if node.id == "mapping":
        return (), False, False
    values = []
    flat = True
    for item in node.value:
        scalar = (
            _read_scalar(text, item, base, line)
            if item.id == "scalar"
            else _read_link(text, item, base, line)
        )
        if scalar is not None:
            values.append(scalar)
        elif item.id != "scalar" and item.value:
            flat = False
    return tuple(values), True, flat


def _read_scalar(text: str, node: Any, base: int, line: int) -> Scalar | None:
    """The text of a scalar node; None for nothing, ``null`` and ``~``."""
    value = node.value
    plain = not node.style
    if not value or value.isspace() or (plain and value in NOTHING):
        return None
    mark = node.start_mark
    start = base + mark.index
    end = start + len(text[start : base + node.end_mark.index].rstrip(" \t\r\n"))
    return Scalar(value, line + mark.line, mark.column + 1, start, end, plain)


def _read_link(text: str, node: Any, base: int, line: int) -> Scalar | None:
    """An unquoted ``[[Acme]]``, to YAML a list in a list: the link that was meant."""
    if node.id != "sequence" or not node.flow_style:
        return None
    mark = node.start_mark
    start, end = base + mark.index, base + node.end_mark.index
    if _LINK.fullmatch(text, start, end) is None:
        return None
    return Scalar(text[start:end], line + mark.line, mark.column + 1, start, end, True)
