"""The inside of an Evernote note -> Markdown, leniently: real bodies are not always XML.

Beautiful Soup reads whatever there is and markdownify turns it round: both are well kept, and neither needs more
than Python's own parser.  What is Evernote's own is here: lines that are ``div``, both kinds of checklist, code by
style, encrypted spans, attachments by their digest, and where its tasks stood.
"""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from notesync.importers.record import clean_text
from notesync.notes.escapes import escape_words

LARGEST = 8 * 1024 * 1024
"""Characters of a body: Evernote itself takes five million."""

_DEEPEST = 150  # elements within elements; more would exhaust Python's stack
_SCHEMES = ("http", "https", "mailto", "tel", "evernote", "obsidian", "file", "")
_TODO = re.compile(r"--en-todo:\s*true")
_CHECKED = re.compile(r"--en-checked:\s*true")
_CODE = re.compile(r"-en-codeblock:\s*true")
_GROUP = re.compile(r"--en-task-group:\s*true")
_PICTURE = re.compile(r"\s*data:image/([a-z0-9+.-]{1,20})((?:;[\w=.+-]*)*),", re.IGNORECASE)
_LANGUAGE = re.compile(r"--en-codeblockLanguage:\s*([A-Za-z0-9+#-]+)\s*(?:;|$)")
_HIGHLIGHT = re.compile(r"-en-highlight:\s*(?!none|transparent)\w|-evernote-highlight:\s*true")
_LISTS = ("ul", "ol")
_WORDS = ("b", "i", "u", "s", "span", "strong", "em", "font")
_GROUP_ID = re.compile(r"--en-id:\s*([\w-]+)")


class Converted(NamedTuple):
    """The Markdown of a body, what of it could not be kept, and the task groups that have found their place."""

    text: str
    losses: tuple[str, ...]
    groups: frozenset[str]


def convert_body(
    body: str,
    media: Mapping[str, tuple[str, bool]],
    tasks: Mapping[str, str],
    keep: Callable[[bytes, str], str],
) -> Converted:
    """The body as Markdown.

    ``media`` has, by the digest of an attachment, its link and whether it is a picture; ``tasks`` the lines of each
    group of tasks.  ``keep`` takes a picture that is written into the text, with its ending, and gives its link.
    """
    from bs4 import BeautifulSoup
    from bs4.exceptions import ParserRejectedMarkup

    losses: list[str] = []
    groups: set[str] = set()
    if len(body) > LARGEST:
        body = body[:LARGEST]
        losses.append(f"what comes after its first {LARGEST // (1024 * 1024)} million characters")
    try:
        with warnings.catch_warnings():
            # It warns of XML and of texts that look like file names: that is what such bodies are.
            warnings.simplefilter("ignore", UserWarning)
            soup = BeautifulSoup(_tame(_drop_head(clean_text(body))), "html.parser")
    except (ParserRejectedMarkup, AssertionError):
        return Converted(_plain(re.sub("<[^>]*>", "\n", body)), ("its form: it is no markup",), frozenset())
    for element in soup.find_all(["script", "style", "title"]):
        element.decompose()
    if _is_deep(soup):
        return Converted(_plain(soup.get_text("\n")), ("its form: it is nested too deeply",), frozenset())
    _mend_lists(soup)
    text = _drop_controls(_build_converter(media, tasks, losses, groups, keep)(soup))
    return Converted(
        re.sub(r"\n{3,}", "\n\n", text).strip("\n"), tuple(dict.fromkeys(losses)), frozenset(groups)
    )


def _drop_controls(text: str) -> str:
    """The text without what references such as ``&#13;`` have brought in; the marks of attachments stay."""
    return re.sub(
        "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\\ud800-\\udfff]", "", re.sub("\\r\\n?", "\\n", text)
    )


def _drop_head(body: str) -> str:
    """The body without what stands before its first element: a parser of HTML would show it."""
    return re.sub(r"^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!DOCTYPE[^>]*>)?", "", body, count=1)


def _tame(body: str) -> str:
    """The body without comments, and every ``<`` that no tag follows as a sign of its own.

    Python's parser looks for the end of each of those to the end of the text: some thousand of them take minutes.
    """
    kept, at = [], 0
    while (start := body.find("<!--", at)) >= 0 and (end := body.find("-->", start)) >= 0:
        kept.append(body[at:start])
        at = end + 3
    return re.sub(r"<(?![A-Za-z/!?][^<>]*>)", "&lt;", "".join((*kept, body[at:])))


def _mend_lists(soup: Any) -> None:
    """Lists as HTML has them: Evernote's stand beside the item that they belong under, or in an empty one below it.

    A box that stands within bold letters comes first in its item, as Tasks wants it.
    """
    for each in soup.find_all(_LISTS):
        words = each.next_sibling
        if each.parent.name == "li" and words is not None and words.name is None and str(words).strip():
            words.wrap(soup.new_tag("div"))  # else they would run on from the list's last word
        place = each.parent if _is_alone(each, "li") else each
        before = place.find_previous_sibling("li")
        if place.parent is not None and place.parent.name in _LISTS and before is not None:
            before.append(each.extract())
            if place is not each:
                place.decompose()
    for box in soup.find_all("en-todo"):
        place = box
        while place.parent is not None and place.parent.name in _WORDS and not _has_words_before(place):
            place = place.parent
        if place is not box:
            place.insert_before(box.extract())


def _is_alone(element: Any, within: str) -> bool:
    """Whether an element is all that another of this name holds."""
    holder = element.parent
    return holder.name == within and all(each is element or not str(each).strip() for each in holder.children)


def _has_words_before(element: Any) -> bool:
    """Whether anything but blanks stands before an element in what holds it."""
    return any(str(each).strip() for each in element.previous_siblings)


def _plain(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", escape_words(_drop_controls(text), True)).strip("\n")


def _is_deep(soup: Any) -> bool:
    """Whether elements are nested more deeply than any person nests them."""
    level = [soup]
    for _ in range(_DEEPEST):
        level = [child for each in level for child in each.find_all(True, recursive=False)]
        if not level:
            return False
    return True


def _style(element: Any) -> str:
    return str(element.get("style") or "")


def _build_converter(
    media: Mapping[str, tuple[str, bool]],
    tasks: Mapping[str, str],
    losses: list[str],
    groups: set[str],
    keep: Callable[[bytes, str], str],
) -> Callable[[Any], str]:
    from markdownify import ATX, MarkdownConverter

    class Converter(MarkdownConverter):
        """markdownify, with what is Evernote's own."""

        def escape(self, text: str, parent_tags: set[str]) -> str:
            """Words that stay words: signs inside of them mean nothing to Obsidian."""
            text = re.sub(r"\\(?=[!-/:-@\[-`{-~])|\*|(?<!\w)_|_(?!\w)|<(?=[A-Za-z/!?])", r"\\\g<0>", text)
            return escape_words(text, True)

        def convert_div(self, element: Any, text: str, parent_tags: set[str]) -> str:
            style = _style(element)
            if _CODE.search(style):
                language = _LANGUAGE.search(style)
                return _fence("\n".join(_list_lines(element)), language[1] if language else "")
            if _GROUP.search(style):
                return self.place_tasks(style, text)
            if "_inline" in parent_tags:
                return f" {text.strip()} "
            return f"\n{text.strip()}\n" if text.strip() else "\n\n"

        def place_tasks(self, style: str, text: str) -> str:
            found = _GROUP_ID.search(style)
            if not found or found[1] not in tasks:
                return text
            groups.add(found[1])
            return f"\n\n{tasks[found[1]]}\n\n"

        def convert_en_note(self, element: Any, text: str, parent_tags: set[str]) -> str:
            return text

        def convert_en_todo(self, element: Any, text: str, parent_tags: set[str]) -> str:
            box = "[x] " if str(element.get("checked", "")).lower() in ("true", "checked") else "[ ] "
            if "li" in parent_tags:
                return f"{box}{text.strip()}"
            return f"\n- {box}{text.strip()}"

        def convert_li(self, element: Any, text: str, parent_tags: set[str]) -> str:
            if element.parent is not None and _TODO.search(_style(element.parent)):
                text = f"{'[x]' if _CHECKED.search(_style(element)) else '[ ]'} {text.strip()}"
            parent: Any = super()  # whose stubs leave these out
            return str(parent.convert_li(element, text.strip("\n"), parent_tags))

        def convert_td(self, element: Any, text: str, parent_tags: set[str]) -> str:
            parent: Any = super()
            return str(parent.convert_td(element, text.replace("|", r"\|"), parent_tags))

        def convert_th(self, element: Any, text: str, parent_tags: set[str]) -> str:
            parent: Any = super()
            return str(parent.convert_th(element, text.replace("|", r"\|"), parent_tags))

        def convert_en_media(self, element: Any, text: str, parent_tags: set[str]) -> str:
            known = media.get(str(element.get("hash", "")).lower())
            if known is None:
                losses.append("an attachment that the file does not hold")
                return text
            link, picture = known
            return f"{'!' if picture else ''}{link}{text}"

        def convert_en_crypt(self, element: Any, text: str, parent_tags: set[str]) -> str:
            losses.append("a passage that is encrypted: decrypt it in Evernote and export the note again")
            return "(encrypted in Evernote)"

        def convert_a(self, element: Any, text: str, parent_tags: set[str]) -> str:
            if not _is_safe(str(element.get("href") or "")):
                return text
            parent: Any = super()  # whose stubs leave these out
            return str(parent.convert_a(element, text, parent_tags))

        def convert_img(self, element: Any, text: str, parent_tags: set[str]) -> str:
            source = str(element.get("src") or "")
            if not _is_safe(source):
                picture = _read_picture(source)
                if picture is not None:
                    return f"!{keep(*picture)}"
                losses.append("a picture that cannot be read")
                return escape_words(str(element.get("alt") or ""), True)
            parent: Any = super()  # whose stubs leave these out
            return str(parent.convert_img(element, text, parent_tags))

        def convert_span(self, element: Any, text: str, parent_tags: set[str]) -> str:
            if (
                not _HIGHLIGHT.search(_style(element))
                or not text.strip()
                or "\n" in text.strip()
                or "==" in text
            ):
                return text
            found = re.match(r"(\s*)(.*?)(\s*)$", text, re.DOTALL)
            return f"{found[1]}=={found[2]}=={found[3]}" if found else text

        def convert_pre(self, element: Any, text: str, parent_tags: set[str]) -> str:
            return _fence(element.get_text())

    converter = Converter(heading_style=ATX, bullets="-", table_infer_header=True, escape_misc=False)
    return lambda soup: str(converter.convert_soup(soup))


def _is_safe(link: str) -> bool:
    try:
        return urlsplit(link.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False


def _read_picture(link: str) -> tuple[bytes, str] | None:
    """The bytes and the ending of a picture that is its own link (RFC 2397); None where it is none."""
    found = _PICTURE.match(link)
    if found is None:
        return None
    data = unquote_to_bytes(link[found.end() :])
    if found[2].lower().endswith(";base64"):
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            return None
    ending = found[1].lower()
    return (data, {"jpeg": "jpg", "svg+xml": "svg"}.get(ending, ending)) if data else None


def _list_lines(element: Any) -> list[str]:
    """The lines of a code block: each is an element of its own, or ends with a ``br``."""
    for end in element.find_all("br"):
        end.replace_with("\n")
    blocks = element.find_all("div", recursive=False)
    texts = [each.get_text() for each in blocks] if blocks else [element.get_text()]
    return [text.removesuffix("\n") for text in texts]


def _fence(code: str, language: str = "") -> str:
    longest = max((len(run) for run in re.findall("`{3,}", code)), default=2)
    fence = "`" * (longest + 1)
    code = code.strip("\n")
    return f"\n\n{fence}{'' if language == 'plaintext' else language}\n{code}\n{fence}\n\n"
