"""Front matter with anything unusual about it -> its bounds, properties and problems.

In: a note's text, and whether its bytes were sound.  Out: a :class:`HeaderReading`, from which a note
is made.  Must not know: bytes, the body, what a key means.

The header is read by the first of three readers that can: lines that are sure (``sure.py``), YAML
(``nodes.py``), and where YAML fails, key by key: each key's own lines through the first two, and what
is left by a lenient reader (``lenient.py``), so that one bad line costs no more than its own key.
"""

from __future__ import annotations

import re
from typing import Any

from notesync.notes.lenient import (
    COMMENT,
    EMPTY_HASH,
    KEY_LINE,
    LINE,
    LenientReader,
    split_chunks,
    split_indented,
)
from notesync.notes.nodes import compose, find_mark, find_refused, read_mapping
from notesync.notes.property import (
    MAX_HEADER,
    MAX_PROBLEMS,
    Property,
    find_line_end,
    find_place,
    normalise_key,
)
from notesync.notes.sure import read_sure
from notesync.problems import ERROR, WARNING, Problem

# Everything a hostile note could make slow is possessive (*+, ++): it cannot backtrack.
_OPENING = re.compile(r"---[ \t]*(\r\n|\r|\n|\Z)")
_BEFORE_OPENING = re.compile(r"(?:(?:[ \t]*+|<{7}[^\r\n]*+)(?:\r\n|\r|\n)){1,50}+(?=---[ \t]*[\r\n])")
_CLOSING = re.compile(r"(?:(?<=\n)|(?<=\r))(?:---(?=[ \t\r\n]|\Z)|\.\.\.(?=[ \t]*(?:[\r\n]|\Z)))")
_REST_OF_FENCE = re.compile(r"[ \t]*(?:\r\n|\r|\n|\Z)")
_MARKER = re.compile(r"(<{7}|={7}|>{7}|\|{7})(?=[ \r\n]|\Z)")
_CONFLICT_BEGIN = re.compile(r"(?<![^\r\n])<{7} ")
_CONFLICT_MIDDLE = re.compile(r"[\r\n]={7}[ \t]*(?=[\r\n])")
_CONFLICT_END = re.compile(r"[\r\n]>{7} ")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BODY_BELOW = re.compile(r"\s*#{1,6}[ \t]+\S|[ \t]*(?:\r\n|\r|\n)\s*[^\s:\-][^:\r\n]*(?:[\r\n]|\Z)")


def read_front_matter(
    text: str, path: str, known: frozenset[str] | None, encoding: str, sound: bool
) -> HeaderReading:
    """Everything that the front matter says; ``sound`` tells whether the bytes were UTF-8.

    ``known`` are the normalised keys whose lost values are worth a warning (None: all of them).
    """
    reading = HeaderReading(text, path, known)
    if not sound or "\0" in text or "<<<<<<< " in text:
        reading.report_damage(encoding, sound)
    reading.bounds = reading.find_bounds()
    if reading.bounds[0] >= 0:
        reading.bounds = reading.read_header(reading.bounds)
    reading.problems.sort(key=lambda problem: (problem.line, problem.column))
    del reading.problems[MAX_PROBLEMS:]
    return reading


class HeaderReading:
    """The reading of one note in progress: the text, and what was found so far."""

    __slots__ = ("bounds", "broken", "by_name", "known", "path", "problems", "properties", "template", "text")

    def __init__(self, text: str, path: str, known: frozenset[str] | None) -> None:
        self.text = text
        self.path = path
        self.known = known
        self.problems: list[Problem] = []
        self.properties: list[Property] = []
        self.by_name: dict[str, Property] = {}
        self.broken = False
        self.template = False
        self.bounds = -1, -1, 0

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
                "Two versions of this note were put into one and never merged; what either of them asks for is"
                " listed.",
                "Run `notesync conflicts merge`, or keep the lines that are right and delete those with <<<<<<<, "
                "======= and >>>>>>>.",
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
            if KEY_LINE.match(text, start) is None:
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
        while position < limit and (line := LINE.match(text, position)) is not None and line.end() > position:
            content = line[1]
            if KEY_LINE.match(text, position):
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
        sure = read_sure(text, start, end, line)
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
            refused = find_refused(self.text, start, end)
            if refused is None:
                node = compose(self.text[start:end])
                self._read_root(node, start, line)
                self._report_lost_text()
                return bounds
            failure = refused
        except Exception as error:
            # Whatever a parser makes of one note stays in that note: PyYAML raises not only YAMLError.
            failure = (find_mark(error, start), "")
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
            (key := KEY_LINE.match(line[0])) is not None
            and (known is not None and normalise_key(key[1]) in known)
            for line in LINE.finditer(rest)
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
            self._collect(read_mapping(self.text, node, start, line))
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
                self._collect(read_mapping(self.text, item, start, line))

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
                if value.plain and (comment := COMMENT.match(text, value.end)) is not None:
                    self.report_comment(comment.end() - 1)
            if not item.values and (comment := EMPTY_HASH.match(text, item.start)) is not None:
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
        """Read each key with the lines below it by itself; one that is indented counts where no other says so."""
        in_second = False
        indented: list[tuple[list[Property], bool]] = []
        for chunk_start, chunk_end, chunk_line in split_chunks(self.text, start, end, line):
            marker = _MARKER.match(self.text, chunk_start)
            if marker is not None:
                in_second = marker[1][0] in "=|"
                self._report_stray_marker(chunk_start)
                chunk_start = find_line_end(self.text, chunk_start)
                chunk_line += 1
                if chunk_start >= chunk_end:
                    continue
            found = self._read_chunk(chunk_start, chunk_end, chunk_line, use_yaml)
            self._collect(found[:1], silent=in_second)
            indented.append((found[1:], in_second))
        for others, silent in indented:
            self._collect(others, silent)

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
        sure = read_sure(text, start, end, line)
        if sure is not None:
            return sure
        if use_yaml:
            try:
                if find_refused(text, start, end) is None:
                    node = compose(text[start:end])
                    if node is None:
                        return []
                    if node.id == "mapping":
                        return read_mapping(text, node, start, line)
            except Exception:  # noqa: S110 - the lenient reader says what is wrong, and where
                pass
        return [
            found
            for part in split_indented(text, start, end, line, self.known)
            for found in LenientReader(text, *part, self.known, self.report, self.report_comment).read()
        ]


def _find_conflict(text: str) -> int:
    """Where a version control program's conflict begins, -1 if there is none: all three marks, in order."""
    first = second = None
    if (first := _CONFLICT_BEGIN.search(text)) is not None:
        second = _CONFLICT_MIDDLE.search(text, first.end())
    if first is not None and second is not None and _CONFLICT_END.search(text, second.end()) is not None:
        return first.start()
    return -1
