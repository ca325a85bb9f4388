"""The links and tags in a text.

In: any text of a note.  Out: link targets and tags, as written, and the text as its reader sees it.  Must not know:
which notes there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

TAG_CHARACTERS = r"[^\s#!@$%^&*(),.?\":{}|<>;\[\]'`\\=+~\x00]"


@lru_cache(maxsize=1)
def compile_code_span() -> re.Pattern[str]:
    """Inline code, which holds neither tags nor fields."""
    return re.compile(r"(`+)[^`\n]{1,500}\1")


@lru_cache(maxsize=1)
def _compile_tag() -> re.Pattern[str]:
    return re.compile(rf"(?<![^\s(\[])#({TAG_CHARACTERS}+)")


@lru_cache(maxsize=1)
def _compile_links() -> tuple[re.Pattern[str], re.Pattern[str]]:
    return (
        re.compile(r"\[\[([^\[\]\n]+)\]\]"),
        re.compile(r"\]\(<?([^()<>\s]+)>?(?:[ \t]+\"[^\"\n]*\")?\)"),
    )


def find_tags(text: str) -> tuple[str, ...]:
    """Tags in lower case without #, each once, outside inline code."""
    if "`" in text:
        text = compile_code_span().sub("", text)
    found = _compile_tag().findall(text, max(text.find("#"), 0))
    if len(found) > 1:
        return tuple(dict.fromkeys(tag for each in found for tag in _clean_tag(each)))
    return _clean_tag(found[0]) if found else ()


def _clean_tag(tag: str) -> tuple[str, ...]:
    """A tag in lower case; none if it is but a number."""
    tag = tag.strip("/-").casefold()
    return (tag,) if tag and not tag.isdigit() else ()


def find_links(text: str) -> tuple[str, ...]:
    """The targets of a text's links to notes, without heading, block and shown words; each once."""
    wikilink, markdown_link = _compile_links()
    targets = [strip_target(target) for target in wikilink.findall(text)]
    for target in markdown_link.findall(text):
        if "://" not in target and not target.startswith(("mailto:", "tel:", "#")):
            targets.append(_decode_target(target.partition("#")[0]))
    return tuple(dict.fromkeys(target for target in targets if target))


def strip_target(link: str) -> str:
    """The note that a link names: without shown words, heading and block."""
    return link.partition("|")[0].partition("#")[0].partition("^")[0].strip()


def _decode_target(target: str) -> str:
    if "%" not in target:
        return target
    from urllib.parse import unquote

    return unquote(target)


_LINK = re.compile(r"!?\[\[([^\[\]|]*)(?:\|([^\[\]]*))?\]\]")


def show_link(text: str) -> str:
    """The text with each wikilink as the words that a reader sees: its label, else the note's name.

    >>> show_link("[[People/Acme Ltd.md#Team|Acme]] and [[People/Bo]]")
    'Acme and Bo'
    """
    if "[[" not in text:
        return text.strip()
    return _LINK.sub(_link_words, text).strip()


def _link_words(link: re.Match[str]) -> str:
    label = (link[2] or "").strip()
    return label or link[1].partition("#")[0].rpartition("/")[2].removesuffix(".md").strip()


def find_targets(texts: Iterable[str]) -> tuple[str, ...]:
    """What the links in these texts point at, without headings: names or paths of notes."""
    found = (link[1].partition("#")[0].strip() for text in texts for link in _LINK.finditer(text))
    return tuple(target for target in found if target)
