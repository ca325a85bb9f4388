r"""The few backslashes that keep a log entry's words from becoming something else: put in, and taken out.

In: one line of an entry's words.  Out: the line as it stands in a note, or as it was meant.  Must not
know: notes, entries, where a line stands.

Markdown lets a backslash stand before any sign that would mean something, and shows the sign alone.
Where words would open a comment (``%%``, ``<!--``), or a line below an entry's first would be a heading,
a quote, a rule, a code fence or a task, one backslash goes in (``%\%``, ``<\!--``, ``\- [ ] x``), and
reading takes it out again.  A line that has such a backslash already gets one more, so that every line
comes back as it was.  All other backslashes are words like any.
"""

from __future__ import annotations

import re
from functools import lru_cache

from notesync.notes.links import compile_code_span

_FENCE = "(?:```|~~~)"
_ITEM_SIGN = rf"[ \t]+(?:\[[^\n]\]|(?:(?:[-*+]|[0-9]{{1,9}}[.)])[ \t]+)*{_FENCE})"

# What may be no line's beginning below an entry: a heading, a quote, a fence, a task, a rule or what
# makes a heading of the line above it.  Where it is a numbered task the backslash goes behind the number.
_SIGN = (
    rf"(?:#{{1,6}}(?:[ \t]|\Z)|>|{_FENCE}|[-*+]{_ITEM_SIGN}|[-=]+[ \t]*\Z"
    r"|(?:\*[ \t]*){2,}\Z|(?:_[ \t]*){2,}\Z)"
)
_NUMBERED = rf"[.)]{_ITEM_SIGN}"


@lru_cache(maxsize=2)
def _compile_place(backslashes: str) -> re.Pattern[str]:
    return re.compile(rf"(?={backslashes}{_SIGN})|[0-9]{{1,9}}(?={backslashes}{_NUMBERED})")


@lru_cache(maxsize=2)
def _compile_comment(backslashes: str, taken: str = "") -> re.Pattern[str]:
    return re.compile(rf"(%(?={backslashes}%)|<(?={backslashes}!--)|--(?={backslashes}>)){taken}")


def escape_words(words: str, everywhere: bool = False) -> str:
    r"""Words that open and close no comment.

    An arrow (``-->``) and what stands in inline code close and open none as a rule, and are left alone
    unless ``everywhere`` is wanted.
    """
    if "%" not in words and "--" not in words:
        return words
    spared = () if everywhere or "`" not in words else compile_code_span().finditer(words)
    spans = [code.span() for code in spared]

    def escape(found: re.Match[str]) -> str:
        sign, at = found[0], found.start()
        safe = sign == "--" or any(start <= at < end for start, end in spans)
        bare = words[found.end()] != "\\"
        return sign if bare and safe and not everywhere else sign + "\\"

    return _compile_comment(r"\\*").sub(escape, words)


def unescape_words(words: str) -> str:
    """Words as they were meant."""
    return _compile_comment(r"\\+", r"\\").sub(r"\1", words) if "\\" in words else words


def escape_line(line: str, everywhere: bool = False) -> str:
    """A line, without its indent, that is plain words below an entry."""
    line = escape_words(line, everywhere)
    place = _compile_place(r"\\*").match(line)
    return line if place is None else f"{place[0]}\\{line[place.end() :]}"


def unescape_line(line: str) -> str:
    """A line below an entry as it was meant."""
    if "\\" not in line:
        return line
    place = _compile_place(r"\\+").match(line)
    return unescape_words(line if place is None else place[0] + line[place.end() + 1 :])
