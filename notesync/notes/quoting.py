r"""A text -> how it is written as a value of the front matter, in quotes only where YAML would misread it.

In: a text, the quotes that stand there now, whether it is an item between brackets.  Out: what to write.
Must not know: notes, keys, what a value means.

Readers differ: ours takes every value for text, Obsidian follows YAML 1.2, many scripts YAML 1.1.  Plain
is what all of them read as the same words, as a day, or as a number that prints the same again.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<"])
_INDICATORS = frozenset(",[]{}#&*!|>'\"%@`")

# What has to be an escape in double quotes: signs that editors or YAML take for line ends or refuse, and
# the second sign of {{ and <%, which would make the note a template.
_ESCAPED = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|(?<=\{)\{|(?<=<)%"
_SHORT_ESCAPES = {"\n": r"\n", "\t": r"\t", "\r": r"\r", '"': r"\"", "\\": r"\\"}


@lru_cache(maxsize=1)
def _compile_escaped() -> re.Pattern[str]:
    return re.compile(_ESCAPED)


@lru_cache(maxsize=1)
def _compile_numbers() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """What some reader takes for a number; numbers that print the same again; what looks like a date."""
    return (
        re.compile(
            r"[-+]?(?:\.inf|[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|0b[01_]+|0o[0-7]+|0x[0-9a-f_]+"
            r"|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:e[-+]?[0-9]+)?)|\.nan",
            re.IGNORECASE,
        ),
        re.compile(r"0|-?(?:0|[1-9][0-9]{0,8})\.[0-9]{0,5}[1-9]|-?[1-9][0-9]{0,14}"),
        re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9:.]+[ \t]*(?:Z|[-+][0-9:]+)?)?"),
    )


def render_value(text: str, quote: str = "", in_brackets: bool = False) -> str:
    """A value's text as it is to stand in the header, on one line whatever is in it.

    ``quote`` is what the value had before, and keeps where that can be; a plain one gets quotes only if
    it needs them.
    """
    if _compile_escaped().search(text):
        return _quote_double(text)
    if not quote and _is_plain(text, in_brackets):
        return text
    if quote == "'" or (quote != '"' and ('"' in text or "\\" in text)):
        return "'" + text.replace("'", "''") + "'"
    return _quote_double(text)


def _quote_double(text: str) -> str:
    return '"' + re.sub(_ESCAPED + r'|["\\]', _escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    sign = found[0]
    code = ord(sign)
    return _SHORT_ESCAPES.get(sign) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _is_plain(text: str, in_brackets: bool) -> bool:
    """Whether every reader takes the text, without quotes, for what it is."""
    if text != text.strip() or not text or text[0] in _INDICATORS:
        return False
    if (text[0] in "-?:" and text[1:2] in ("", " ")) or ": " in text or text[-1] == ":" or " #" in text:
        return False
    if in_brackets and (any(sign in text for sign in ",[]{}?") or text[0] in "-:"):
        return False
    return not _is_typed(text)


def _is_typed(text: str) -> bool:
    """Whether some reader makes the text another value: a truth, nothing, a number, an impossible day."""
    if text.casefold() in _WORDS:
        return True
    number, kept, dated = _compile_numbers()
    if number.fullmatch(text):
        return not kept.fullmatch(text)
    if not dated.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return True
    return False
