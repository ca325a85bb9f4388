"""The lines of a body while it is read: which line an offset is on, and the problems found so far.

In: a note's path and its text as ``body.py`` prepares it (every line end one LF).  Out: line numbers,
columns, :class:`Problem` values.  Must not know: what a log or a task is.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from notesync.problems import ERROR, WARNING, Problem

MAX_PROBLEMS = 50

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


class Lines:
    """A body's text with its line numbers, and the problems that are found in it."""

    __slots__ = ("counted", "first", "path", "problems", "text")

    def __init__(self, path: str, text: str, first: int) -> None:
        """``first`` is the line that the text begins on: 1, or 0 if a line end was put before it."""
        self.path = path
        self.text = text
        self.first = first
        self.counted = 0, first
        self.problems: list[Problem] = []

    def find_line(self, offset: int) -> int:
        """The line of an offset; cheap where the offsets asked for lie near each other."""
        counted, line = self.counted
        if counted <= offset:
            line += self.text.count("\n", counted, offset)
        else:
            line -= self.text.count("\n", offset, counted)
        self.counted = offset, line
        return line

    def find_column(self, line: int, words: str) -> int:
        """The column at which words stand on a line; slow, for problems that will be shown only."""
        if len(self.problems) >= MAX_PROBLEMS:
            return 1
        start = -1
        for _ in range(line - self.first):
            start = self.text.find("\n", start + 1)
        end = self.text.find("\n", start + 1)
        return max(self.text.find(words, start + 1, end if end >= 0 else len(self.text)) - start, 1)

    def report(self, line: int, column: int, code: str, severity: str, message: str, hint: str) -> None:
        """Note a problem."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.path, line, column, code, severity, message, hint))

    def report_impossible(self, line: int, day: str) -> None:
        """A day that no calendar has."""
        self.report(
            line,
            self.find_column(line, day),
            "bad-date",
            ERROR,
            f"There is no day {day}, so this line counts for nothing.",
            "Look up the day and write it as year-month-day.",
        )

    def report_sign(self, line: int, column: int, sign: str, words: str) -> None:
        """A date's sign without a date behind it."""
        from notesync.notes.spelled import hint_date, match_spelled

        words = words.strip()
        looks = bool(words) and (words[0].isdigit() or match_spelled(words) is not None)
        self.report(
            line,
            column,
            "bad-date",
            ERROR if looks else WARNING,
            f"No date that can be read stands behind {sign}" + (f": `{shorten(words)}`." if words else "."),
            hint_date(words),
        )


def shorten(words: str) -> str:
    """Words for a message."""
    words = words.strip()
    return words if len(words) <= 40 else f"{words[:39]}…"


def find_depth(indent: str) -> int:
    """How far a line is indented, in columns, behind the marks of quotes."""
    if ">" in indent:
        indent = indent[indent.rindex(">") + 1 :].removeprefix(" ")
    return len(indent.expandtabs(4)) if "\t" in indent else len(indent)


@lru_cache(maxsize=4096)
def read_day(text: str) -> date | None:
    """The day of an ISO date; None if there is no such day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
