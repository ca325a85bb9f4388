"""A client's name -> the name of a note that every system, sync program and Obsidian takes; without ``.md``.

In: a name as a person wrote it.  Out: a text that Windows, macOS and Linux allow as a file's name, that the
scan does not pass over, and that a wikilink can hold.  Must not know: which names are taken, the disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from unicodedata import category, normalize

from notesync.notes.lines import DATE

LONGEST = 120
"""Bytes of UTF-8: with a company or a sync program's words behind it, and accents taken apart on an old Mac, a
name stays below the 255 of file systems, and the path below the 260 of Windows."""

NAMELESS = "Client"

# Windows' devices, whatever follows the first dot (Microsoft, "Naming Files, Paths, and Namespaces").
_RESERVED = r"(con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?= *(?:\.|$))"
_JOINERS = ("\u200d", "\ufe0f", "\u20e3")  # with the sign before them they are one: families, keycaps


@lru_cache(maxsize=1)
def _compile() -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(r"[/\\|:]+"), re.compile(_RESERVED, re.IGNORECASE)


def build_stem(name: str) -> str:
    """The name as a file may have it: NFC, and as much of it as can stay.

    >>> build_stem('AC/DC: "Live" <2026>?')
    "AC-DC - 'Live' 2026"
    """
    dividers, reserved = _compile()
    text = dividers.sub(_divide, normalize("NFC", name)).replace('"', "'")
    text = "".join(" " if _is_unfit(sign) else sign for sign in text)
    text = _cut(_trim(text), LONGEST)
    # ".md" at its end would show twice, or not at all.
    while text.lower().endswith(".md"):
        text = _trim(text[:-3])
    text = reserved.sub(r"\1_", text, count=1) if reserved.match(text) else text
    if re.fullmatch(DATE, text):
        text = f"{NAMELESS} {text}"  # a note named by a day is that day's, not a client's
    # Deleting signs may have brought two together that NFC joins.
    return normalize("NFC", text) if any(category(sign)[0] not in "CZ" for sign in text) else NAMELESS


def find_stems(name: str, company: str) -> Iterator[str]:
    """The name, then others for when that is taken: with the company behind it, with a number; without end.

    A number after ``no.``, because ``Anna 2`` and ``Anna (2)`` are what sync programs call their copies.
    """
    stem = build_stem(name)
    yield stem
    behind = build_stem(company) if company.strip() else ""
    if behind and behind != NAMELESS:
        stem = f"{_cut(stem, LONGEST // 2)} ({_cut(behind, LONGEST // 2 - 3)})"
        yield stem
    number = 2
    while True:
        yield f"{_cut(stem, LONGEST - 12)} no. {number}"
        number += 1


def _divide(found: re.Match[str]) -> str:
    """``a/b`` becomes ``a-b``, and ``a: b`` becomes ``a - b``."""
    return " - " if found.string[found.end() : found.end() + 1].isspace() else "-"


def _is_unfit(sign: str) -> bool:
    """Whether no name may hold the sign: Windows', links', controls, what turns the line round, none at all."""
    turns = "\u202a" <= sign <= "\u202e" or "\u2066" <= sign <= "\u2069" or sign == "\ufeff"
    return turns or sign in '<>"?*#^[]%' or category(sign) in ("Cc", "Zl", "Zp", "Cs", "Cn")


def _trim(text: str) -> str:
    """One blank between words, and nothing at the ends that Windows drops or the scan takes for hidden."""
    return " ".join(text.split()).lstrip(".~ ").rstrip(". ")


def _cut(text: str, longest: int) -> str:
    """The beginning of it that has so many bytes, not cut within what is one sign to the eye."""
    data = text.encode()
    if len(data) <= longest:
        return text
    end = len(data[:longest].decode(errors="ignore"))
    while end and (_belongs(text[end]) or text[end - 1] == "\u200d"):
        end -= 1
    return _trim(text[:end])


def _belongs(sign: str) -> bool:
    """Whether the sign is part of the one before it."""
    return category(sign)[0] == "M" or sign in _JOINERS or "\U0001f3fb" <= sign <= "\U0001f3ff"
