"""A log with anything unusual in it, line by line -> its entries, and the dates that its tasks stand under.

In: a prepared text and a log's headings; for a daily note its day.  Out: entries, and for each task's
line inside the log the date of the entry above it.  Must not know: which notes are clients, the clock.
"""

from __future__ import annotations

import re
from datetime import date

from notesync.notes.escapes import unescape_line, unescape_words
from notesync.notes.lines import DATE, Lines, find_depth, read_day, shorten
from notesync.notes.links import find_tags, strip_target
from notesync.notes.log import CLOCK, MAX_LOG, NO_LONGER_DATE, Entry, find_fields, find_sections
from notesync.notes.spelled import hint_date, match_spelled, suggest_dates
from notesync.notes.words import read_rest
from notesync.problems import ERROR, WARNING

# One line of the log: indent, all behind it; of that: list mark, heading's hashes, box, date, time, the rest.
_LOG_LINE = re.compile(
    r"\n([ \t>]*+)"
    r"((?:([-*+]|[0-9]{1,9}[.)])(?:[ \t]++|(?=\n|\Z))|(#{1,6})[ \t]++)?"
    r"(?:\[([^\n])\](?:[ \t]++|(?=\n|\Z)))?"
    rf"(?:({DATE}){NO_LONGER_DATE}(?:(?:T|[ \t]++){CLOCK})?)?"
    r"([^\n]*+))"
)
_WRAPPED_DATE = re.compile(
    rf"[*_]{{0,3}}(?:\[\[(?:[^\[\]|\n]*/)?({DATE})(?:\.md)?(?:[|#][^\[\]\n]*)?\]\]|\[({DATE})\]\([^()\n]*\)|({DATE})(?![\w]|-[0-9]))[*_]{{0,3}}"
    rf"(?:(?:T|[ \t]+){CLOCK})?[*_]{{0,3}}"
)
_DAILY_ENTRY = re.compile(rf"(?:{CLOCK}[ \t]+)?(?:[*_]{{0,3}})\[\[([^\[\]\n]+)\]\][*_]{{0,3}}")
_PLAIN_DATE = re.compile(DATE)
_RULE = re.compile(r"[-*_ \t\x00]*")

# A log entry as it stands: line, column, day and time as written, the rest of the line, the lines
# below it, a daily note's client.
_Block = tuple[int, int, str, str, str, list[str], str]


class LogReading:
    """The reading of one log in progress."""

    __slots__ = (
        "blank",
        "block",
        "blocks",
        "daily",
        "dashless",
        "days",
        "depth",
        "entries",
        "last_day",
        "lines",
        "undated",
    )

    def __init__(self, lines: Lines, daily: date | None) -> None:
        self.lines = lines
        self.daily = daily
        self.entries: list[Entry] = []
        self.days: dict[int, str] = {}  # line of a task below an entry -> that entry's date
        self.blocks: list[_Block] = []
        self._reset()

    def _reset(self) -> None:
        """Outside any entry."""
        self.block: _Block | None = None
        self.depth = 0
        self.blank = True
        self.dashless = False  # whether the entry above lacks its dash
        self.last_day = ""
        self.undated: list[tuple[int, int, int, str]] = []

    def read(self, heading: re.Match[str] | None, pattern: re.Pattern[str]) -> None:
        """Every section with a log's heading."""
        text = self.lines.text
        for start, end in find_sections(text, heading, pattern):
            line = self.lines.find_line(start)
            if end - start > MAX_LOG:
                end = text.rfind("\n", start, start + MAX_LOG)
                self._report_long_log(line)
            self._reset()
            self._read_lines(start, end, line)
            self._report_undated()
        self._build_entries()

    def _report_long_log(self, line: int) -> None:
        self.lines.report(
            line,
            1,
            "log-too-long",
            ERROR,
            f"This log is longer than {MAX_LOG:,} characters; only its beginning is read.",
            "Move old entries into a note of their own.",
        )

    def _read_lines(self, start: int, end: int, line: int) -> None:
        """The lines of one log: the plain entry here, everything else one call further."""
        blocks = self.blocks
        plain: _Block | None = None  # the entry above, if this loop made it and the object does not know yet
        for indent, said, mark, hashes, box, day, time, rest in _LOG_LINE.findall(
            self.lines.text, start, end
        ):
            line += 1
            if day and mark and not indent and not box:
                plain = (line, 1, day, time, rest, [], "")
                blocks.append(plain)
                continue
            if plain is not None:
                self.block, self.depth, self.blank, self.last_day = plain, 0, False, plain[2]
                self.dashless = False
                plain = None
            if said:
                self._read_other(line, indent, said, mark, hashes, box, day, time, rest)
            else:
                self.blank = True

    def _read_other(
        self,
        line: int,
        indent: str,
        said: str,
        mark: str,
        hashes: str,
        box: str,
        day: str,
        time: str,
        rest: str,
    ) -> None:
        blank, self.blank = self.blank, False
        if not (rest.strip(" \t\0") or day or mark or box or hashes):
            self.blank = True  # blanks, or a blanked-out line
            return
        column = len(indent) + 1
        if hashes:
            self._read_heading(line, column, day, time, rest)
        elif mark and box and (not day or box not in "xX" or self._is_inside(indent)):
            self._read_box(line, indent)
        elif mark and self._is_inside(indent) and not (day and self.depth < 0):
            self._append(said)
        elif mark and day:
            self._begin((line, column, day, time, rest, [], ""), find_depth(indent))
        elif mark:
            self._read_wrapped(line, indent, f"[{box}] {rest}" if box else rest)
        else:
            self._read_paragraph(line, indent, blank, said, day, time, rest)

    def _is_inside(self, indent: str) -> bool:
        """Whether a line so indented belongs to the entry above it."""
        return self.block is not None and find_depth(indent) > self.depth

    def _append(self, words: str) -> None:
        words = words.replace("\0", "").strip()
        if self.block is not None and words:
            self.block[5].append(unescape_line(words))

    def _begin(self, block: _Block, depth: int) -> None:
        """A new entry; an undated item above it that is indented less was only its heading."""
        if self.undated and self.undated[-1][2] < depth and self.block is None:
            self.undated.pop()
        self.block = block
        self.blocks.append(block)
        self.depth = depth
        self.last_day = block[2]
        self.dashless = False

    def _read_heading(self, line: int, column: int, day: str, time: str, rest: str) -> None:
        """A heading inside the log: with a date an entry, else it only groups."""
        self._report_undated()
        self.block = None
        self.last_day = ""
        if day:
            self._begin((line, column, day, time, rest, [], ""), -1)
        elif (wrapped := _WRAPPED_DATE.match(rest)) is not None:
            self._begin(_wrap_block(line, column, wrapped, rest), -1)
        elif suggest_dates(rest):
            self._report_date(line, rest)

    def _read_box(self, line: int, indent: str) -> None:
        """A task: the lines below it are its own; it knows the entry above it."""
        if self.last_day:
            self.days[line] = self.last_day
        if not self._is_inside(indent):
            self.block = None

    def _read_wrapped(self, line: int, indent: str, rest: str) -> None:
        """A list item that begins with no plain date: a linked or bold one, a link, or none."""
        column = len(indent) + 1
        depth = find_depth(indent)
        wrapped = _WRAPPED_DATE.match(rest)
        if wrapped is not None:
            self._begin(_wrap_block(line, column, wrapped, rest), depth)
            return
        if self.daily is not None:
            self._read_daily(line, column, depth, rest)
            return
        self.block = None
        if suggest_dates(rest) or match_spelled(rest) or _PLAIN_DATE.match(rest):
            self._report_date(line, rest)
        elif not _RULE.fullmatch(rest):
            self.undated.append((line, column, depth, rest))

    def _read_daily(self, line: int, column: int, depth: int, rest: str) -> None:
        """An item of a daily note's log: an entry if it begins with a link, else not ours."""
        found = _DAILY_ENTRY.match(rest)
        if found is None or self.daily is None:
            self.block = None
            return
        day = self.daily.isoformat()
        client = strip_target(found[2])
        self._begin((line, column, day, found[1] or "", rest[found.end() :], [], client), depth)

    def _read_paragraph(
        self, line: int, indent: str, blank: bool, said: str, day: str, time: str, rest: str
    ) -> None:
        """A line that is no list item: of the entry above it, or an entry that lacks its dash."""
        belongs = self.block is not None and (not blank or self.depth < 0 or find_depth(indent) > self.depth)
        if belongs and not (day and (self.dashless or (blank and self.depth < 0))):
            self._append(said)
            return
        self.block = None
        if day and (blank or self.dashless):
            self._begin((line, len(indent) + 1, day, time, rest, [], ""), 0)
            self.dashless = True
            self.lines.report(
                line,
                len(indent) + 1,
                "log-without-dash",
                WARNING,
                "This line of the log begins with a date but not with a dash; it was read as an entry.",
                f"Write `- {day}` at its beginning, so that every program sees a list item.",
            )

    def _report_undated(self) -> None:
        for line, column, _, rest in self.undated:
            self.lines.report(
                line,
                column,
                "log-without-date",
                WARNING,
                f"The log item `{shorten(rest)}` has no date, so it counts for nothing.",
                "Begin it with the day, for example `- 2026-11-20 call: …`.",
            )
        self.undated.clear()

    def _report_date(self, line: int, rest: str) -> None:
        found = match_spelled(rest) or _PLAIN_DATE.match(rest)
        words = found[0] if found is not None else rest[:20]
        self.lines.report(
            line,
            self.lines.find_column(line, words),
            "bad-date",
            ERROR,
            f"`{words}` cannot be read as a date, so this log item counts for nothing.",
            hint_date(rest),
        )

    # ------------------------------------------------------------------------------------- entries

    def _build_entries(self) -> None:
        """Entries from blocks, in their order."""
        append, new = self.entries.append, tuple.__new__
        for line, column, day_text, time, rest, more, client in self.blocks:
            day = read_day(day_text)
            if day is None:
                self.lines.report_impossible(line, day_text)
                continue
            minute, channel, attempt, outcome, text = read_rest(time, rest)
            text = unescape_words(text)
            if more:
                text = "\n".join([text, *more]) if text else "\n".join(more)
            if "\0" in text:
                text = text.replace("\0", "").strip()
            said = f"{outcome} {text}" if outcome else text
            tags = find_tags(said) if "#" in said else ()
            fields, lost = find_fields(said)
            for below, sign, words in lost:
                at = line + below
                self.lines.report_sign(at, self.lines.find_column(at, sign), sign, words)
            append(
                new(
                    Entry,
                    (line, column, day, minute, channel, attempt, outcome, text, tags, fields, client, ""),
                )
            )


def _wrap_block(line: int, column: int, wrapped: re.Match[str], rest: str) -> _Block:
    day = wrapped[1] or wrapped[2] or wrapped[3]
    words = rest[wrapped.end() :]
    opened = len(wrapped[0]) - len(wrapped[0].lstrip("*_"))
    if opened and not set("*_") & set(
        wrapped[0][opened:]
    ):  # `**2026-11-20 call: x**`: bold ends behind the words
        words = words.rstrip(" \t\0").removesuffix(wrapped[0][:opened])
    return (line, column, day, wrapped[4] or "", words, [], "")
