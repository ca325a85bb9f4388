"""Bytes of one Markdown file -> :class:`Note`: its front matter with every value's text and place.

In: a file's bytes and its vault-relative path.  Out: a :class:`Note`, whose parts join to the text and
encode to the bytes again, with its problems as values.  Must not know: what a client is, what a key
means, the disk, the clock, types (every value stays the text that the person wrote: YAML would make
``0712345670`` an octal number and ``NO`` a boolean).

The header is read by the first of three readers that can:

1. lines that every YAML reader takes alike (``key: words``, quoted words, simple lists): one pattern,
   half the time of the C parser, and yaml need not be imported.  A property test holds it to YAML's
   own answer;
2. PyYAML's C parser, composing nodes with a resolver that resolves nothing: texts and places;
3. where YAML fails, key by key: each key's own lines through 1 and 2, and what is left by a lenient
   reader, so that one bad line costs no more than its own key, and is a problem with its place.

Offsets are in characters of ``Note.text``, lines and columns count from 1.  Lines end at LF, CR and
CRLF only; ``str.splitlines`` also splits at U+2028, U+0085, VT and FF, which no editor does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from notesync.problems import ERROR, WARNING, Problem

MAX_HEADER = 64 * 1024
MAX_DEPTH = 50
MAX_PROBLEMS = 20

_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


# Scalar, Property (and Entry, Task in body.py) are NamedTuples, not frozen dataclasses: some twenty are
# made for every note, and a tuple takes a quarter of the time of a frozen dataclass.  The hot loops
# call tuple.__new__ directly, which halves that again.
class Scalar(NamedTuple):
    """One value as the person wrote it.

    ``text`` is free of quotes and escapes, never typed; ``start`` and ``end`` are offsets into
    ``Note.text`` and include quotes; ``plain`` tells that there were none.
    """

    text: str
    line: int
    column: int
    start: int
    end: int
    plain: bool


class Property(NamedTuple):
    """One ``key: value`` of the header.

    ``name`` is the key in lower case, blanks and hyphens as underscores.  ``values`` holds the texts
    that are not empty: none for an empty key.  ``is_list`` tells how it was written; ``flat`` is False
    for a map or a list in a list, whose inner texts are left out.  ``start`` to ``end`` are its whole
    lines, the last one's end included (of JSON, from the key to the value's end).
    """

    key: str
    name: str
    values: tuple[Scalar, ...]
    is_list: bool
    flat: bool
    line: int
    column: int
    start: int
    end: int


class Note:
    """A note's text and where its parts are; made by :func:`parse_note`.

    ``header_start`` is -1 when there is no front matter; else the header is
    ``text[header_start:header_end]`` without its fences, and the body begins at ``body_start``.
    ``bom`` holds the byte-order mark's bytes, which are not part of ``text``.  ``broken`` tells that
    the header could not be read as a whole; ``template`` that it holds ``{{`` or ``<%``.
    """

    __slots__ = (
        "_by_name",
        "body_start",
        "bom",
        "broken",
        "data",
        "encoding",
        "header_end",
        "header_start",
        "path",
        "problems",
        "properties",
        "template",
        "text",
    )

    def __init__(
        self,
        path: str,
        data: bytes,
        text: str,
        encoding: str,
        bom: bytes,
        bounds: tuple[int, int, int],
        properties: tuple[Property, ...],
        by_name: dict[str, Property],
        problems: tuple[Problem, ...],
        broken: bool,
        template: bool,
    ) -> None:
        self.path = path
        self.data = data
        self.text = text
        self.encoding = encoding
        self.bom = bom
        self.header_start, self.header_end, self.body_start = bounds
        self.properties = properties
        self._by_name = by_name
        self.problems = problems
        self.broken = broken
        self.template = template

    def get(self, name: str) -> Property | None:
        """The first property of that (normalised) name, or None."""
        return self._by_name.get(name)

    def parts(self) -> tuple[str, ...]:
        """Opening fence and what stands before it, header, closing fence, body: together the text."""
        text = self.text
        if self.header_start < 0:
            return ("", "", "", text)
        start, end, body = self.header_start, self.header_end, self.body_start
        return (text[:start], text[start:end], text[end:body], text[body:])

    def encode(self, text: str | None = None) -> bytes:
        """``text`` (default: the note's own) as bytes in this note's encoding and byte-order mark."""
        return self.bom + (self.text if text is None else text).encode(self.encoding, _ERRORS[self.encoding])

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of an offset into the text."""
        return find_place(self.text, offset)


_ERRORS = {"utf-8": "surrogateescape", "utf-16-le": "surrogatepass", "utf-16-be": "surrogatepass"}


def find_place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, of ``offset`` in ``text``; CR, LF and CRLF end a line."""
    if offset > 0 and text[offset - 1 : offset + 1] == "\r\n":
        # Inside a CRLF: still on the line that it ends.
        line, column = find_place(text, offset - 1)
        return line, column + 1
    line = 1 + text.count("\n", 0, offset)
    line_start = text.rfind("\n", 0, offset) + 1
    if "\r" in text:
        line += text.count("\r", 0, offset) - text.count("\r\n", 0, offset)
        line_start = max(line_start, text.rfind("\r", 0, offset) + 1)
    return line, offset - line_start + 1


@lru_cache(maxsize=4096)
def normalise_key(key: str) -> str:
    """A key as it is compared: any case, blanks and hyphens as underscores."""
    return key.strip().casefold().replace(" ", "_").replace("-", "_")


def parse_note(data: bytes, path: str, known: frozenset[str] | None = None) -> Note:
    """Read a file's bytes; never raises.

    ``known`` are the normalised keys whose lost values are worth a warning (None: all of them).
    Any bytes give a note: undecodable ones stay as lone surrogates in the text, with a problem.
    """
    text, encoding, bom, sound = _decode(data)
    reading = _Reading(text, path, known)
    if not sound or "\0" in text or ("<" in text and "<<<<<<< " in text):
        reading.report_damage(encoding, sound)
    bounds = reading.find_bounds()
    if bounds[0] >= 0:
        bounds = reading.read_header(bounds)
    problems = reading.problems
    if problems:
        problems.sort(key=lambda problem: (problem.line, problem.column))
        del problems[MAX_PROBLEMS:]
    return Note(
        path,
        data,
        text,
        encoding,
        bom,
        bounds,
        tuple(reading.properties),
        reading.by_name,
        tuple(problems),
        reading.broken,
        reading.template,
    )


def _decode(data: bytes) -> tuple[str, str, bytes, bool]:
    """Text, encoding, byte-order mark, whether it is sound UTF-8; encoding the text gives the data again."""
    bom = _UTF8_BOM if data.startswith(_UTF8_BOM) else b""
    try:
        return (data[3:] if bom else data).decode(), "utf-8", bom, True
    except UnicodeDecodeError:
        pass
    encoding = _UTF16_BOMS.get(data[:2])
    if encoding:
        try:
            text = data[2:].decode(encoding, "surrogatepass")
            if text.encode(encoding, "surrogatepass") == data[2:]:
                return text, encoding, data[:2], False
        except UnicodeDecodeError:  # an odd number of bytes: cut off, or no UTF-16 at all
            pass
    return data[len(bom) :].decode("utf-8", "surrogateescape"), "utf-8", bom, False


# --------------------------------------------------------------------------------------------------
# Patterns.  Everything a hostile note could make slow is possessive (*+, ++): it cannot backtrack.

# Characters that YAML refuses, or takes for line ends (U+0085, U+2028, U+2029) where no editor does.
_ODD = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff"
_ODD_CHARACTER = re.compile(f"[{_ODD}]")
_KEY = r"[^\W\d](?:[\w \-]{0,100}\w)?+"

# A plain word that no YAML reader could take for anything else: begins with no indicator, holds no
# " #", no ": ", no tab.  Odd characters beyond ASCII are looked for apart: with them in these sets the
# patterns take four times as long to compile, which every command that reads one note would pay.
_CONTROL = r"\x00-\x1f\x7f"
_FIRST = rf"[^{_CONTROL} \-?:,\[\]{{}}#&*!|>'\"%@`~=<]"
_PLAIN = rf"{_FIRST}[^{_CONTROL}:#]*+(?::(?=[^ \t\r\n])[^{_CONTROL}:#]*+)*+"
_QUOTED = rf"\"[^{_CONTROL}\"\\]*+\"|'[^{_CONTROL}']*+'"
_FLOW_ITEM = rf"(?:{_FIRST}[^{_CONTROL}:#,\[\]{{}}?]*+|{_QUOTED})"
_FLOW = rf"\[ *(?:{_FLOW_ITEM} *(?:, *{_FLOW_ITEM} *)*+)?+\]"
_END = r" *\r?\n"

_SURE_LINE = re.compile(
    rf"({_KEY})(?:(: +)({_PLAIN}|{_QUOTED}|{_FLOW})({_END})|(:{_END})((?: *-(?: +(?:{_PLAIN}|{_QUOTED}))?{_END})*))"
)
_SURE_ITEM = re.compile(rf"( *)(- *)({_PLAIN}|{_QUOTED}|)({_END})")
_SURE_FLOW_ITEM = re.compile(_FLOW_ITEM)

_OPENING = re.compile(r"---[ \t]*(\r\n|\r|\n|\Z)")
_BEFORE_OPENING = re.compile(r"(?:(?:[ \t]*+|<{7}[^\r\n]*+)(?:\r\n|\r|\n)){1,50}+(?=---[ \t]*[\r\n])")
_CLOSING = re.compile(r"(?:(?<=\n)|(?<=\r))(?:---(?=[ \t\r\n]|\Z)|\.\.\.(?=[ \t]*(?:[\r\n]|\Z)))")
_REST_OF_FENCE = re.compile(r"[ \t]*(?:\r\n|\r|\n|\Z)")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_LINE_END = re.compile(r"\r\n|\r|\n|\Z")

_KEY_LINE = re.compile(
    r"(\"[^\"\r\n]+\"|'[^'\r\n]+'|[^\s\-#:\"'\[\]{}&*!|>%@`,?<=][^:\r\n]*?)[ \t]*:(?=[ \t\r\n]|\Z)"
)
_GLUED_KEY = re.compile(r"([^\W\d][\w -]*):(?=[^\s:/])")
_CHUNK_CONTINUES = re.compile(r"[ \t]|-|#|[\]}]|[\r\n]|\Z")
_DEEP_LINE = re.compile(r"^[ \t?:-]{50}", re.MULTILINE)
_LINK = re.compile(r"\[\[[^\[\]\r\n\"']+\]\]")
_LINKS = re.compile(rf"{_LINK.pattern}(?:[ \t]*[,;]?[ \t]*{_LINK.pattern})*[ \t]*")
_QUOTED_LIST = re.compile(
    r"(?:\"[^\"\r\n]*\"|'[^'\r\n]*')(?:[ \t]*,[ \t]*(?:\"[^\"\r\n]*\"|'[^'\r\n]*'))+[ \t]*"
)
_LOOSE_ITEM = re.compile(r"\[\[[^\[\]\r\n]*\]\]|\"[^\"\r\n]*\"|'[^'\r\n]*'|[^,\[\]\s\"'][^,\[\]\r\n]*")
_COMMENT = re.compile(r"[ \t]+#")
_EMPTY_HASH = re.compile(r"[^:\r\n]*:[ \t]+(?=#[^\s#])")
_MARKER = re.compile(r"(<{7}|={7}|>{7}|\|{7})(?=[ \r\n]|\Z)")
_CONFLICT_BEGIN = re.compile(r"(?<![^\r\n])<{7} ")
_CONFLICT_MIDDLE = re.compile(r"[\r\n]={7}[ \t]*(?=[\r\n])")
_CONFLICT_END = re.compile(r"[\r\n]>{7} ")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BODY_BELOW = re.compile(r"\s*#{1,6}[ \t]+\S|[ \t]*(?:\r\n|\r|\n)\s*[^\s:\-][^:\r\n]*(?:[\r\n]|\Z)")

_NOTHING = ("null", "~")


class _Reading:
    """The reading of one note in progress: the text, and what was found so far."""

    __slots__ = ("broken", "by_name", "known", "path", "problems", "properties", "template", "text")

    def __init__(self, text: str, path: str, known: frozenset[str] | None) -> None:
        self.text = text
        self.path = path
        self.known = known
        self.problems: list[Problem] = []
        self.properties: list[Property] = []
        self.by_name: dict[str, Property] = {}
        self.broken = False
        self.template = False

    # ---------------------------------------------------------------------------------- problems

    def report(self, offset: int, code: str, severity: str, message: str, hint: str) -> None:
        """Note a problem at an offset of the text."""
        if len(self.problems) < 4 * MAX_PROBLEMS:
            line, column = find_place(self.text, offset)
            self.problems.append(Problem(self.path, line, column, code, severity, message, hint))

    def report_damage(self, encoding: str, sound: bool) -> None:
        """Name what is wrong with the bytes themselves: encoding, NULs, an unmerged conflict."""
        text = self.text
        if encoding != "utf-8":
            self.report(
                0,
                "not-utf-8",
                WARNING,
                "This note is saved as UTF-16, which Obsidian and most phones show as gibberish.",
                "Save it again with the encoding UTF-8.",
            )
        elif not sound and (bad := _SURROGATE.search(text)) is not None:
            self.report(
                bad.start(),
                "not-utf-8",
                ERROR,
                "This character was saved in an encoding other than UTF-8 and cannot be read.",
                "Type the character again and save the note as UTF-8.",
            )
        if (nul := text.find("\0")) >= 0:
            self.report(
                nul,
                "nul-characters",
                ERROR,
                "The note holds NUL characters: it was probably damaged while it was saved or synced.",
                "Take back an earlier version of the note, or delete these characters.",
            )
        if (conflict := _find_conflict(text)) >= 0:
            self.report(
                conflict,
                "merge-marker",
                ERROR,
                "Two versions of this note were put into one and never merged; of a key that both have,"
                " the first counts.",
                "Keep the lines that are right and delete those with <<<<<<<, ======= and >>>>>>>.",
            )

    # ------------------------------------------------------------------------------------ fences

    def find_bounds(self) -> tuple[int, int, int]:
        """Where the header starts and ends and the body starts; (-1, -1, 0) without front matter."""
        text = self.text
        before = 0
        if text.startswith("---\n"):
            start = 4
        else:
            if text[:1] in (" ", "\t", "\r", "\n", "<") and (lead := _BEFORE_OPENING.match(text)) is not None:
                before = lead.end()
            opening = _OPENING.match(text, before)
            if opening is None:
                return -1, -1, 0
            start = opening.end()
        end = self._find_closing(start)
        if end < 0:
            return self._find_unclosed(before, start)
        if before:
            if _KEY_LINE.match(text, start) is None:
                return -1, -1, 0
            self._report_blank_lines(before)
        if text[end + 3 : end + 4] == "\n":
            return start, end, end + 4
        rest = _REST_OF_FENCE.match(text, end + 3)
        return start, end, rest.end() if rest else end + 3

    def _find_closing(self, start: int) -> int:
        """Offset of the closing fence, or -1."""
        text = self.text
        end = text.find("\n---", start - 1) + 1
        if (
            end
            and text[end + 3 : end + 4] == "\n"
            and text.find("\r", start, end) < 0
            and text.find("\n...", start - 1, end) < 0
        ):
            return end
        # With CRs or dots about, with care; but not through megabytes.
        closing = _CLOSING.search(text, start, start + 2 * MAX_HEADER)
        if closing is not None:
            return closing.start()
        return end if end > start + 2 * MAX_HEADER and text[end + 3 : end + 4] in " \t\r\n" else -1

    def _report_blank_lines(self, before: int) -> None:
        if self.text[:before].strip():
            return  # merge markers: already reported
        self.report(
            before,
            "blank-before-front-matter",
            WARNING,
            "Blank lines stand before the front matter, so Obsidian does not show its properties.",
            "Delete the blank lines: --- has to be the very first line.",
        )

    def _find_unclosed(self, before: int, start: int) -> tuple[int, int, int]:
        """The bounds of front matter whose closing fence is missing: as far as lines look like it."""
        end = self._find_run(start, len(self.text))
        if end == start or before:
            return -1, -1, 0  # a rule, and text below it
        self._report_unclosed(start)
        return start, end, end

    def _report_unclosed(self, start: int) -> None:
        self.broken = True
        self.report(
            0,
            "unclosed-front-matter",
            ERROR,
            "The front matter that begins here has no closing line, so other programs do not see it.",
            "Write a line with --- under the last property.",
        )

    def _find_run(self, start: int, limit: int) -> int:
        """Where the lines that look like properties end: at a heading, at prose, after 64 KB."""
        text = self.text
        limit = min(limit, start + MAX_HEADER)
        position = end = start
        while (
            position < limit and (line := _LINE.match(text, position)) is not None and line.end() > position
        ):
            content = line[1]
            if _KEY_LINE.match(text, position):
                end = line.end()
            elif end > start and content[:1] in (" ", "\t", "-") and content.strip():
                if end != position or content.startswith("- ["):
                    break  # below a blank line: the body's
                end = line.end()
            elif content.strip():
                break
            position = line.end()
        return end

    # ------------------------------------------------------------------------------------ header

    def read_header(self, bounds: tuple[int, int, int]) -> tuple[int, int, int]:
        """Read the properties between the bounds; returns the bounds, corrected."""
        start, end, _ = bounds
        text = self.text
        if end - start > MAX_HEADER:
            self._read_large(start)
            return bounds
        line = 2 if text.startswith("---") else find_place(text, start)[0]
        sure = _read_sure(text, start, end, line)
        if sure is not None:
            self._collect(sure)
        else:
            bounds = self._read_unsure(bounds, line)
        if text.find("{{", start, end) >= 0 or text.find("<%", start, end) >= 0:
            self._mark_template(start, end)
        return bounds

    def _collect(self, properties: list[Property], silent: bool = False) -> None:
        """Take over properties; of equal keys the first counts, the others are problems."""
        self.properties += properties
        by_name = self.by_name
        for item in properties:
            name = item[1]
            if name not in by_name:
                by_name[name] = item
            elif not silent:
                self._report_duplicate(by_name[name], item)

    def _report_duplicate(self, first: Property, second: Property) -> None:
        as_key = (
            f"`{first.key}`" if first.key == second.key else f"`{second.key}` (the same as `{first.key}`)"
        )
        self.report(
            second.start,
            "duplicate-key",
            ERROR,
            f"{as_key} stands twice; the one on line {first.line} counts.",
            "Keep one of the two lines.",
        )

    def _mark_template(self, start: int, end: int) -> None:
        """A template's placeholders make it no client, and whatever YAML says of them no problem."""
        text = self.text
        place = min(at for sign in ("{{", "<%") if (at := text.find(sign, start, end)) >= 0)
        self.template = True
        self.broken = False
        self.problems.clear()
        self.report(
            place,
            "template",
            WARNING,
            "The front matter holds a template's placeholder, so this note is taken for a template.",
            "Write the value in its place, or move the note into the templates folder.",
        )

    def _read_large(self, start: int) -> None:
        """A header over the limit: no YAML, its first lines by the lenient reader."""
        self.broken = True
        self.report(
            start,
            "header-too-large",
            ERROR,
            f"The front matter is larger than {MAX_HEADER // 1024} KB; only its beginning is read.",
            "Move the long text below the closing --- line.",
        )
        end = self.text.rfind("\n", start, start + MAX_HEADER) + 1
        if end > start:
            self._read_chunks(start, end, find_place(self.text, start)[0], use_yaml=False)

    def _read_unsure(self, bounds: tuple[int, int, int], line: int) -> tuple[int, int, int]:
        """A header with something in it that only YAML can tell, or that YAML refuses."""
        start, end, _ = bounds
        failure: tuple[int, str]
        try:
            refused = _find_refused(self.text, start, end)
            if refused is None:
                node = _compose(self.text[start:end])
                self._read_root(node, start, line)
                self._report_lost_text()
                return bounds
            failure = refused
        except Exception as error:
            # Whatever a parser makes of one note stays in that note: PyYAML raises not only YAMLError.
            failure = (_find_mark(error, start), "")
        run = self._find_run(start, end)
        if not self.broken and start < run < end and self._is_body(run, end):
            # No closing fence: what closed the header is a rule further down in the body.
            self._report_unclosed(start)
            return self.read_header((start, run, run))
        self._read_broken(start, end, line, failure)
        return bounds

    def _is_body(self, start: int, end: int) -> bool:
        """Whether the text up to the supposed closing fence is the body: a heading or prose, no keys."""
        if _BODY_BELOW.match(self.text, start) is None:
            return False
        rest = self.text[start:end].partition("```")[0].partition("~~~")[0]
        known = self.known
        return not any(
            (key := _KEY_LINE.match(line[0])) is not None
            and (known is not None and normalise_key(key[1]) in known)
            for line in _LINE.finditer(rest)
        )

    def _read_broken(self, start: int, end: int, line: int, failure: tuple[int, str]) -> None:
        """Read key by key, and make sure that what failed is named."""
        self.broken = True
        before = len(self.problems)
        self._read_chunks(start, end, line, use_yaml=True)
        named = any(p.code != "duplicate-key" for p in self.problems[before:])
        if named or any(p.code == "merge-marker" for p in self.problems):
            return
        offset, why = failure
        self.report(
            min(max(offset, start), end),
            "bad-yaml",
            ERROR,
            why or "The front matter cannot be read from here on; its keys were read line by line.",
            "Write each property as `key: value` on a line of its own; put quotes round a value with signs in it.",
        )

    # ------------------------------------------------------------------------------- YAML's nodes

    def _read_root(self, node: Any, start: int, line: int) -> None:
        if node is None:
            return
        if node.id == "mapping":
            self._collect(_read_mapping(self.text, node, start, line))
            return
        if node.id == "sequence":
            self._read_sequence(node, start, line)
            return
        self._read_words(start, start + node.end_mark.index, line)

    def _read_sequence(self, node: Any, start: int, line: int) -> None:
        """Front matter whose lines all begin with a dash: pairs are taken for the keys they look like."""
        self.broken = True
        self.report(
            start + node.start_mark.index,
            "not-properties",
            ERROR,
            "The front matter is a list: its lines begin with a dash.",
            "Delete the dashes, so that each line reads `key: value`.",
        )
        for item in node.value:
            if item.id == "mapping":
                self._collect(_read_mapping(self.text, item, start, line))

    def _read_words(self, start: int, end: int, line: int) -> None:
        """Front matter that is mere text: perhaps keys without a blank behind the colon."""
        self._read_chunks(start, end, line, use_yaml=False)
        self.broken = bool(self.properties)
        if not self.properties:
            self.problems.clear()
            self.report(
                start,
                "not-properties",
                WARNING,
                "There is text between the --- lines but no property.",
                "Write properties as `key: value`, or put an empty line above the first ---.",
            )

    def _report_lost_text(self) -> None:
        """Warn where YAML takes a part of a value for a comment (REAL-NOTES 1.5: 29 of them lost text)."""
        text = self.text
        for item in self.properties:
            if self.known is not None and item.name not in self.known:
                continue
            for value in item.values:
                if value.plain and (comment := _COMMENT.match(text, value.end)) is not None:
                    self.report_comment(comment.end() - 1)
            if not item.values and (comment := _EMPTY_HASH.match(text, item.start)) is not None:
                self.report_comment(comment.end())

    def report_comment(self, offset: int) -> None:
        self.report(
            offset,
            "lost-text",
            WARNING,
            "What follows # is a comment to every reader of properties, not part of the value.",
            "If it belongs to the value, put the whole value in quotes; else write it on its own line.",
        )

    # ------------------------------------------------------------------------- key by key, leniently

    def _read_chunks(self, start: int, end: int, line: int, use_yaml: bool) -> None:
        """Read each key with the lines below it by itself."""
        in_second = False
        for chunk_start, chunk_end, chunk_line in _split_chunks(self.text, start, end, line):
            marker = _MARKER.match(self.text, chunk_start)
            if marker is not None:
                in_second = marker[1][0] in "=|"
                self._report_stray_marker(chunk_start)
                chunk_start = _behind_line(self.text, chunk_start)
                chunk_line += 1
                if chunk_start >= chunk_end:
                    continue
            self._collect(self._read_chunk(chunk_start, chunk_end, chunk_line, use_yaml), silent=in_second)

    def _report_stray_marker(self, offset: int) -> None:
        if not any(problem.code == "merge-marker" for problem in self.problems):
            self.report(
                offset,
                "merge-marker",
                ERROR,
                "This line was left by a program that puts two versions of a note into one.",
                "Keep the lines that are right and delete those with <<<<<<<, ======= and >>>>>>>.",
            )

    def _read_chunk(self, start: int, end: int, line: int, use_yaml: bool) -> list[Property]:
        text = self.text
        sure = _read_sure(text, start, end, line)
        if sure is not None:
            return sure
        if use_yaml:
            try:
                if _find_refused(text, start, end) is None:
                    node = _compose(text[start:end])
                    if node is None:
                        return []
                    if node.id == "mapping":
                        return _read_mapping(text, node, start, line)
            except Exception:  # noqa: S110 - the lenient reader says what is wrong, and where
                pass
        return _LenientReader(self, start, end, line).read()


def _find_conflict(text: str) -> int:
    """Where a version control program's conflict begins, -1 if there is none: all three marks, in order."""
    first = second = None
    if (first := _CONFLICT_BEGIN.search(text)) is not None:
        second = _CONFLICT_MIDDLE.search(text, first.end())
    if first is not None and second is not None and _CONFLICT_END.search(text, second.end()) is not None:
        return first.start()
    return -1


def _behind_line(text: str, offset: int) -> int:
    """The offset behind the line end at or after ``offset``."""
    found = _LINE_END.search(text, offset)
    return found.end() if found is not None else len(text)


# --------------------------------------------------------------------------------------------------
# 1: lines that are sure


def _read_sure(text: str, start: int, end: int, line: int) -> list[Property] | None:
    """The properties, if every line is one that all YAML readers take alike; else None."""
    header = text[start:end]
    if not header.isascii() and _ODD_CHARACTER.search(header) is not None:
        return None
    new = tuple.__new__
    properties: list[Property] = []
    offset = start
    for key, colon, value, tail, ends, items in _SURE_LINE.findall(header):
        begin = offset
        is_list = False
        values: tuple[Scalar, ...]
        if value:
            column = len(key) + len(colon)
            offset += column
            first = value[0]
            if first == "[":
                values = _read_sure_flow(value, line, column + 1, offset)
                is_list = True
            elif first == '"' or first == "'":
                words = value[1:-1]
                values = (new(Scalar, (words, line, column + 1, offset, offset + len(value), False)),)
                if not words or words.isspace():
                    values = ()
            else:
                words = value.rstrip(" ") if value[-1] == " " else value
                values = (new(Scalar, (words, line, column + 1, offset, offset + len(words), True)),)
                if words in _NOTHING or words.isspace():
                    values = ()
            offset += len(value) + len(tail)
            lines = 1
        else:
            offset += len(key) + len(ends)
            lines = 1
            values = ()
            if items:
                read = _read_sure_items(items, line + 1, offset)
                if read is None:
                    return None
                values = read
                is_list = True
                lines += items.count("\n")
                offset += len(items)
        properties.append(
            new(Property, (key, normalise_key(key), values, is_list, True, line, 1, begin, offset))
        )
        line += lines
    return properties if offset == end else None


def _read_sure_items(items: str, line: int, offset: int) -> tuple[Scalar, ...] | None:
    """The items of a block list; None if they are not indented alike."""
    values = []
    outer = -1
    for indent, dash, value, tail in _SURE_ITEM.findall(items):
        if outer < 0:
            outer = len(indent)
        elif outer != len(indent):
            return None
        if value:
            column = len(indent) + len(dash)
            begin = offset + column
            scalar = _make_scalar(value, line, column + 1, begin)
            if scalar is not None:
                values.append(scalar)
        offset += len(indent) + len(dash) + len(value) + len(tail)
        line += 1
    return tuple(values)


def _read_sure_flow(value: str, line: int, column: int, offset: int) -> tuple[Scalar, ...]:
    values = []
    for item in _SURE_FLOW_ITEM.finditer(value, 1):
        begin = item.start()
        scalar = _make_scalar(item[0], line, column + begin, offset + begin)
        if scalar is not None:
            values.append(scalar)
    return tuple(values)


def _make_scalar(value: str, line: int, column: int, start: int) -> Scalar | None:
    """A quoted or plain text without escapes; None for an empty one."""
    if value[0] in "\"'":
        text = value[1:-1]
        if not text or text.isspace():
            return None
        return Scalar(text, line, column, start, start + len(value), False)
    text = value.rstrip(" ")
    if text in _NOTHING or text.isspace():
        return None
    return Scalar(text, line, column, start, start + len(text), True)


# --------------------------------------------------------------------------------------------------
# 2: YAML


@lru_cache(maxsize=1)
def _load_parser() -> tuple[Any, tuple[Any, ...]]:
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


def _compose(header: str) -> Any:
    """The header's root node (None: nothing there); raises whatever the parser raises."""
    loader, _ = _load_parser()
    if _ODD_CHARACTER.search(header) is None:
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
    return dict(zip(sorted({ord(c) for c in _ODD_CHARACTER.findall(header)}), free, strict=False))


def _restore(node: Any, originals: dict[int, str]) -> None:
    """Put the odd characters back into every scalar below a node."""
    if node.id == "scalar":
        node.value = node.value.translate(originals)
        return
    for child in node.value:
        for part in child if node.id == "mapping" else (child,):
            _restore(part, originals)


def _find_refused(text: str, start: int, end: int) -> tuple[int, str] | None:
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
    loader_class, refused = _load_parser()
    loader = loader_class(_ODD_CHARACTER.sub("\ufffd", header))
    while (token := loader.get_token()) is not None:
        if type(token) in refused:
            sign = header[token.start_mark.index : token.start_mark.index + 1]
            return (
                start + token.start_mark.index,
                f"A value begins with {sign}, which has a meaning of its own.",
            )
    return None


def _find_mark(error: Exception, start: int) -> int:
    """The offset that a YAML error names, else the header's start."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return start + getattr(mark, "index", 0) if mark is not None else start


def _read_mapping(text: str, node: Any, base: int, line: int) -> list[Property]:
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
    return content_end if flow else _behind_line(text, content_end)


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
    if not value or value.isspace() or (plain and value in _NOTHING):
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


# --------------------------------------------------------------------------------------------------
# 3: what YAML cannot read


def _split_chunks(text: str, start: int, end: int, line: int) -> Iterator[tuple[int, int, int]]:
    """Start, end and line of each key with the lines below it that are indented or list items."""
    chunk_start, chunk_line = start, line
    position = start
    while position < end:
        found = _LINE.match(text, position, end)
        if found is None or found.end() == position:
            break
        if position > chunk_start and _CHUNK_CONTINUES.match(text, position, end) is None:
            yield chunk_start, position, chunk_line
            chunk_start, chunk_line = position, line
        position = found.end()
        line += 1
    if chunk_start < end:
        yield chunk_start, end, chunk_line


class _LenientReader:
    """Reads one key with its lines that YAML refused, and reports what is wrong with it."""

    def __init__(self, reading: _Reading, start: int, end: int, line: int) -> None:
        self.reading = reading
        self.text = reading.text
        self.start = start
        self.end = end
        self.line = line

    def read(self) -> list[Property]:
        """The property, or nothing where no key can be made out."""
        text, start, end = self.text, self.start, self.end
        found = _KEY_LINE.match(text, start, end) or self._find_glued_key()
        if found is None:
            self._report_junk()
            return []
        key = found[1].strip("\"'")
        first = _LINE.match(text, found.end(), end)
        value_end = first.end(1) if first is not None else end
        values, is_list = self._read_line_value(found.end(), value_end)
        flat = True
        if value_end < end:
            more, flat = self._read_lines_below(value_end, bool(values))
            values += more
            is_list = is_list or bool(more)
        return [
            Property(key, normalise_key(key), tuple(values), is_list, flat, self.line, 1, start, end),
        ]

    def _find_glued_key(self) -> re.Match[str] | None:
        """``phone:071``: without a blank behind the colon YAML sees no key at all."""
        found = _GLUED_KEY.match(self.text, self.start, self.end)
        known = self.reading.known
        if found is None or (known is not None and normalise_key(found[1]) not in known):
            return None
        self._report(
            found.end(), f"There is no blank behind `{found[1]}:`.", "Write a blank behind the colon."
        )
        return found

    def _report(self, offset: int, message: str, hint: str) -> None:
        self.reading.report(offset, "bad-yaml", ERROR, message, hint)

    def _report_junk(self) -> None:
        start = self.start
        while start < self.end:  # blank lines and comments are no junk
            line = _LINE.match(self.text, start, self.end)
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
            if _EMPTY_HASH.match(f":  {value}"):
                self.reading.report_comment(start)
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
        if not value.strip() or (plain and value in _NOTHING):
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
        comment = _COMMENT.search(value)
        if comment is not None:
            self.reading.report_comment(start + comment.end() - 1)
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
        for line in _LINE.finditer(self.text, start, self.end):
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
            elif _KEY_LINE.match(content):
                flat = False
            elif not has_value:
                values += self._scalar(content, line.start() + indent, line.start() + indent + len(content))
        return values, flat
