"""Code blocks and comments of a body, which hold neither log nor tasks -> the text without them.

In: a text with one LF for every line end.  Out: a text of equal length in which they are NULs.  Must
not know: what a log or a task is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from notesync.notes.lines import find_depth
from notesync.notes.links import compile_code_span

# A fence, a comment's beginning or inline code; begins with a set, which re looks for fast.
_HIDER = re.compile(
    r"[`~%<](?:(?<=`)(?:``+|`[^`\n]{1,500}``|[^`\n]{1,500}`)|(?<=~)~~+|(?<=%)%|(?<=<)!--)",
)
_FENCE_LEAD = re.compile(r"[ \t>]*+(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]++)*+")
_LINE = re.compile(r"\n([ \t>]*)([^\n]*)")


def blank_out(text: str, start: int, unclosed: list[tuple[int, int]]) -> str:
    """The text with code blocks and comments as NULs; a fence never closed is added to ``unclosed``."""
    pieces = [text[:start]]
    position = start
    closes = {"%%": True, "-->": True}
    at = min([first for sign in "`~%<" if (first := text.find(sign, start)) >= 0], default=len(text))
    while (found := _HIDER.search(text, at)) is not None:
        begin, at = found.span()
        sign = found[0]
        if sign.startswith(("```", "~~~")):
            end = _find_fence_end(text, begin, at, unclosed)
        elif sign == "%%":
            end = _find_percent_end(text, begin, closes)
        elif sign == "<!--":
            end = _find_closer(text, at, "-->", closes)
        else:
            continue
        if end < 0:
            code = compile_code_span().match(text, begin)
            at = code.end() if code is not None else at
            continue
        pieces.append(text[position:begin])
        pieces.append("\n".join(["\0" * len(line) for line in text[begin:end].split("\n")]))
        position = at = end
    pieces.append(text[position:])
    return "".join(pieces)


def _find_closer(text: str, at: int, closer: str, closes: dict[str, bool]) -> int:
    """Where the closer ends, or -1; once there was none, it is not looked for again."""
    if not closes[closer]:
        return -1
    found = text.find(closer, at)
    closes[closer] = found >= 0
    return found + len(closer) if found >= 0 else -1


def _find_percent_end(text: str, begin: int, closes: dict[str, bool]) -> int:
    """Where a %% comment ends: on its line, or anywhere below if it begins its line; -1 if it is none."""
    # The next sign before the line's end, which in a line of a megabyte is far.
    closer = text.find("%%", begin + 2)
    if closer >= 0 and text.find("\n", begin, closer) < 0:
        return closer + 2
    line_start = text.rfind("\n", max(0, begin - 100), begin) + 1
    if not line_start or text[line_start:begin].strip(" \t>"):
        return -1
    return _find_closer(text, begin + 2, "%%", closes)


def _find_fence_end(text: str, begin: int, behind: int, unclosed: list[tuple[int, int]]) -> int:
    """Where a code block ends: behind its closing fence, with its quote or list item, or nowhere.

    -1 if no code block begins there: a fence stands first in its line, quote or list item.
    """
    line_start = text.rfind("\n", max(0, begin - 200), begin) + 1
    line_end = text.find("\n", behind)
    line_end = line_end if line_end >= 0 else len(text)
    lead = _FENCE_LEAD.fullmatch(text, line_start, begin) if line_start else None
    if lead is None or (text[begin] == "`" and text.find("`", behind, line_end) >= 0):
        return -1
    closer = _compile_fence_end(text[begin], behind - begin)
    end = _find_end_in_container(text, line_end, lead[0], closer)
    if end is None:
        closed = closer.search(text, line_end)
        end = closed.end() if closed is not None else -1
    if end < 0:
        unclosed.append((begin, len(text)))
        return len(text)
    return end


@lru_cache(maxsize=64)
def _compile_fence_end(sign: str, length: int) -> re.Pattern[str]:
    return re.compile(rf"\n[ \t>]*+{sign}{{{length},}}[ \t]*+(?=\n|\Z)")


def _find_end_in_container(text: str, at: int, lead: str, closer: re.Pattern[str]) -> int | None:
    """Where a fence ends that stands in a quote or list item: closed, or with that; -1 if it never does.

    None if it stands in none.  Line by line, so that nothing is looked at which does not belong to the fence: a note
    may have ten thousand of them.
    """
    quoted = lead.count(">")
    bare = lead.strip(" \t>")
    depth = find_depth(lead if not bare else lead[: lead.index(bare[0])] + " ")
    if not quoted and (not depth or (not bare and depth < 2)):
        return None
    for line in _LINE.finditer(text, at):
        if line[1].count(">") < quoted:
            return line.start()
        if not quoted and line[2] and find_depth(line[1]) < depth:
            return line.start()
        if (closed := closer.match(text, line.start())) is not None:
            return closed.end()
    return -1
