r"""vCard 2.1, 3.0 and 4.0 -> a record for every card.

The lines are read here and not by a library: of 106 real files vobject refuses 16, among them what Android, the
iPhone and Outlook write, and refuses the file for one line; and its way of reading cannot be mended from outside.
What a client's note needs of the format is small: lines that are folded, three ways of escaping, parameters.

Sources: vCard 2.1 (versit, 1996), RFC 2426 (3.0), RFC 6350 (4.0), and what phones really write: bare parameters
(``TEL;CELL:``), base64 without indent, no ``VERSION``, no ``END``, raw bytes in the charset that a parameter names.
"""

from __future__ import annotations

import base64
import quopri
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from io import TextIOWrapper
from itertools import islice
from typing import NamedTuple

from notesync.importers.decoding import decode, open_text, read_lines
from notesync.importers.record import (
    FIELDS,
    NOTE,
    SEVERAL,
    Attachment,
    Record,
    Source,
    build_body,
    build_file_name,
    build_mark,
    clean_line,
    clean_text,
    collect,
    collect_tags,
    report_long,
)
from notesync.problems import ERROR, WARNING, Problem

OWN = "X-NOTESYNC-"
"""What our own export writes before the keys that vCard has no property for."""

LARGEST_CARD = 32 * 1024 * 1024  # characters: photos of a phone have some hundred thousand
_LINE = (
    500  # characters that a line counts for besides its value: a card of empty ones is not read without end
)
_DEEPEST = 8  # cards within cards: an assistant's assistant is rare enough
_ENCODINGS = ("QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT", "B")
_SILENT = frozenset(
    [
        "VERSION",
        "PRODID",
        "REV",
        "N",
        "FN",
        "UID",
        "SORT-STRING",
        "X-ABSHOWAS",
        "CLIENTPIDMAP",
        "X-ABUID",
        "X-ABLABEL",
        "MAILER",
        "KIND",
        "PROFILE",
        "NAME",
        "SOURCE",
        "CLASS",
        "X-ABADR",
        "X-ADDRESSBOOKSERVER-KIND",
    ]
)
"""What says nothing about a person, or is read elsewhere."""

_LABELS = {
    "BDAY": "Birthday", "ANNIVERSARY": "Anniversary", "X-ANNIVERSARY": "Anniversary", "GENDER": "Gender",
    "TZ": "Time zone", "GEO": "Position", "LANG": "Language", "RELATED": "Related", "X-ABRELATEDNAMES": "Related",
    "X-ABDATE": "Date", "IMPP": "Messenger", "X-SKYPE": "Skype", "X-SKYPE-USERNAME": "Skype", "MEMBER": "Member",
    "X-SOCIALPROFILE": "Profile", "X-SPOUSE": "Spouse", "X-ASSISTANT": "Assistant", "X-MANAGER": "Manager",
    "ADR": "Address", "LABEL": "Address", "EMAIL": "E-mail", "TEL": "Phone", "URL": "Website", "ORG": "Company",
    "TITLE": "Role", "ROLE": "Role", "AGENT": "Agent", "KEY": "Key", "LOGO": "Logo", "SOUND": "Sound",
    "X-PHONETIC-FIRST-NAME": "Phonetic first name", "X-PHONETIC-LAST-NAME": "Phonetic last name",
}  # fmt: skip


class Property(NamedTuple):
    """One line of a card: its name in capitals, its parameters in capitals, its value's bytes or text."""

    line: int
    group: str
    name: str
    parameters: dict[str, list[str]]
    value: str


class _Card:
    """A card under way."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.properties: list[Property] = []
        self.problems: list[Problem] = []
        self.size = 0
        self._named: dict[tuple[str, str], list[Property]] = {}

    def close(self) -> None:
        """Forget the lines that say nothing, and learn where the others are: a card may have ten thousand."""
        self.properties = [each for each in self.properties if each.value.strip(" ;\t")]
        for each in self.properties:
            self._named.setdefault((each.name, ""), []).append(each)
            if each.group:
                self._named.setdefault((each.name, each.group), []).append(each)

    def find(self, name: str, group: str = "") -> Iterator[Property]:
        """The lines of this name, and if one is given of this group, of a card that is closed."""
        return iter(self._named.get((name, group), ()))

    def first(self, name: str) -> Property | None:
        return next(self.find(name), None)

    @property
    def version(self) -> str:
        found = self.first("VERSION")
        return found.value.strip() if found else "3.0"


def read_vcards(source: Source) -> Iterator[Record | Problem]:
    """The records of an address book."""
    open_cards: list[_Card] = []
    strays = 0
    for found in _read_properties(source):
        if isinstance(found, Problem):
            yield found
        elif found.name == "BEGIN" and found.value.strip().upper() == "VCARD":
            if open_cards and not _is_agent(open_cards[-1]):
                yield from _end(source, open_cards, found.line, "a new one begins")
            if len(open_cards) < _DEEPEST:
                open_cards.append(_Card(found.line))
        elif found.name == "END" and found.value.strip().upper() == "VCARD":
            if open_cards:
                yield from _build(source, open_cards.pop())
        elif open_cards:
            _add(source, open_cards[-1], found)
        else:
            strays += 1
            if strays == 1:
                yield _report_stray(source, found.line)
    while open_cards:
        yield from _end(source, open_cards, open_cards[-1].line, "the file ends")


def _is_agent(card: _Card) -> bool:
    """Whether the card's last line opens a card within it, as vCard 2.1 has an assistant's."""
    last = card.properties[-1] if card.properties else None
    return last is not None and last.name == "AGENT" and not last.value.strip()


def _end(source: Source, open_cards: list[_Card], line: int, why: str) -> Iterator[Record | Problem]:
    card = open_cards.pop()
    card.problems.append(
        source.report(
            line, "unclosed-card", WARNING,
            f"The card that begins on line {card.line} has no END:VCARD before {why}.",
            "It was taken as it stands: look whether something is missing in it.",
        )
    )  # fmt: skip
    yield from _build(source, card)


def _add(source: Source, card: _Card, found: Property) -> None:
    card.size += (
        len(found.value) + _LINE + sum(len(each) for some in found.parameters.values() for each in some)
    )
    if card.size <= LARGEST_CARD:
        card.properties.append(found)
    elif not card.problems:
        message = f"The card that begins on line {card.line} is too large; the rest of it was left out."
        card.problems.append(
            source.report(found.line, "too-large", ERROR, message, "Export it again, without pictures in it.")
        )


def _report_stray(source: Source, line: int) -> Problem:
    message = "This line stands outside of any card, so it was left out, like others of its kind."
    return source.report(
        line, "no-card", WARNING, message, "A card begins with BEGIN:VCARD and ends with END:VCARD."
    )


# --- Lines -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _compile_head() -> re.Pattern[str]:
    return re.compile(r"\s*(?:([A-Za-z0-9_-]+)\.)?([A-Za-z0-9_-]+)((?:;(?:\"[^\"]*\"|[^\":;])*)*):")


def _read_properties(source: Source) -> Iterator[Property | Problem]:
    """The lines of the file, unfolded, each taken apart."""
    with open_text(source.stream, keep_line_ends=False) as (text, _):
        encoding = "latin-1" if text.encoding == "latin-1" else "utf-8"
        for number, line in _unfold(source, text):
            if isinstance(line, Problem):
                yield line
            elif line.strip():
                data = line.encode(encoding, "replace")
                yield _parse(number, data) or _report_bad_line(source, number, data)


def _report_bad_line(source: Source, number: int, data: bytes) -> Problem:
    message = f"This line is no property of a card: `{clean_line(decode(data))[:40]}`."
    return source.report(number, "bad-line", WARNING, message, "Write it as NAME:value.")


def _unfold(source: Source, text: TextIOWrapper) -> Iterator[tuple[int, str | Problem]]:
    """Whole lines with the number they begin on."""
    start, size = 1, 0
    parts: list[str] = []
    for number, raw in enumerate(read_lines(text), start=1):
        if raw is None:
            yield number, report_long(source, number)
            continue
        line = raw.rstrip("\n")
        if parts and (joined := _continue(parts, line)) is not None:
            size += len(joined)
            if size <= LARGEST_CARD:
                parts.append(joined)
            continue
        if parts and not line:
            continue  # programs that end their lines twice (CR CR LF) still mean the next to go on
        if parts:
            yield start, "".join(parts)
        start, parts, size = number, [line], len(line)
    if parts:
        yield start, "".join(parts)


def _continue(parts: list[str], line: str) -> str | None:
    """What a line adds to the one before it; None where it begins a new one."""
    head = parts[0][:200].upper()
    if "QUOTED-PRINTABLE" in head.partition(":")[0] and parts[-1].endswith("="):
        parts[-1] = parts[-1][:-1]
        return line
    if line[:1] in (" ", "\t"):
        return line[1:]
    base = "BASE64" in head.partition(":")[0] or "ENCODING=B" in head.partition(":")[0]
    if base and line and ":" not in line and re.fullmatch("[A-Za-z0-9+/=]+", line):
        return line
    return None


def _parse(number: int, data: bytes) -> Property | None:
    data = data.removeprefix(b"\xef\xbb\xbf")
    head = _compile_head().match(data.decode("latin-1"))
    if not head:
        return None
    parameters: dict[str, list[str]] = {}
    for each in re.findall(r";((?:\"[^\"]*\"|[^\":;])*)", head[3]):
        name, equals, value = each.partition("=")
        if not equals:
            name, value = ("ENCODING" if name.strip().upper() in _ENCODINGS else "TYPE"), name
        values = [part.strip().strip('"') for part in value.split(",")]
        parameters.setdefault(name.strip().upper(), []).extend(part for part in values if part)
    value = data[head.end() :]
    charset = "".join(parameters.get("CHARSET", [])[:1])
    if "QUOTED-PRINTABLE" in (each.upper() for each in parameters.get("ENCODING", [])):
        value = quopri.decodestring(value)
    return Property(number, head[1] or "", head[2].upper(), parameters, decode(value, charset))


# --- Values ----------------------------------------------------------------------------------------------


def _unescape(text: str, version: str) -> str:
    if version.startswith("2"):  # there a backslash is one, as in a path of Windows
        return re.sub(r"\\([;,])", r"\1", text)
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)


def _split(text: str, sign: str, version: str) -> list[str]:
    parts = re.split(rf"(?<!\\)((?:\\\\)*){sign}", text)
    # What stands before a divider as pairs of backslashes belongs to the part before it.
    joined = [parts[at] + (parts[at + 1] if at + 1 < len(parts) else "") for at in range(0, len(parts), 2)]
    return [_unescape(part, version) for part in joined]


def _text(found: Property | None, version: str) -> str:
    return "" if found is None else clean_line(_unescape(found.value, version))


def _types(found: Property) -> list[str]:
    """What kind of number or address it is, in words."""
    silent = ("internet", "pref", "voice", "x400", "text", "uri")
    return [each.lower() for each in found.parameters.get("TYPE", []) if each.lower() not in silent]


def _label_of(card: _Card, found: Property) -> str:
    """The label that a group gives to a line: Apple writes ``_$!<Mobile>!$_`` for its own."""
    # A group has one label; a card that gives it thousands means nothing by them.
    own = islice(card.find("X-ABLABEL", found.group), 3) if found.group else ()
    words = [
        clean_line(re.sub(r"_\$!<(.*)>!\$_", r"\1", _unescape(each.value, card.version))) for each in own
    ]
    return ", ".join((*words, *_types(found)))


# --- A card ----------------------------------------------------------------------------------------------


def _build(source: Source, card: _Card) -> Iterator[Record | Problem]:
    card.close()
    if not card.properties or all(each.name in ("VERSION", "PRODID", "REV") for each in card.properties):
        yield from card.problems
        message = "This card is empty, so nothing was made of it."
        yield source.report(card.line, "empty-record", WARNING, message, "Give it at least a name.")
        return
    reading = _Reading(source, card)
    yield reading.build()


class _Reading:
    """One card on its way to a record."""

    def __init__(self, source: Source, card: _Card) -> None:
        self.source, self.card, self.version = source, card, card.version
        self.details: list[tuple[str, str]] = []
        self.fields: dict[str, tuple[str, ...]] = {}
        self.attachments: list[Attachment] = []
        self.problems = list(card.problems)

    def build(self) -> Record:
        card = self.card
        self._fill_reach()
        self._fill_work()
        self._fill_rest()
        kind = next((_text(each, self.version) for each in self._kinds()), "")
        identity = _text(card.first("UID"), self.version).removeprefix("urn:uuid:")
        body = build_body(self.details, "\n\n".join(self._read_notes()))
        marks = "\n\n".join(f"![]({each.mark})" for each in self.attachments)
        return Record(
            card.line,
            self._find_name(),
            {key: texts for key, texts in self.fields.items() if texts},
            "\n\n".join(part for part in (body, marks) if part),
            NOTE if kind.casefold() == "group" else "client",
            identity,
            tuple(self.attachments),
            tuple(self.problems),
        )

    def _kinds(self) -> Iterator[Property]:
        yield from self.card.find("KIND")
        yield from self.card.find("X-ADDRESSBOOKSERVER-KIND")

    def _find_name(self) -> str:
        """The name shown, else one of its parts, else whatever else says who it is."""
        shown = _text(self.card.first("FN"), self.version)
        if shown:
            return shown
        structured = self.card.first("N")
        if structured:
            parts = [clean_line(part) for part in _split(structured.value, ";", self.version)][:5]
            parts += [""] * (5 - len(parts))
            if joined := " ".join(
                part for part in (parts[3], parts[1], parts[2], parts[0], parts[4]) if part
            ):
                return joined
        for key in ("company", "aliases", "email", "phone"):
            if self.fields.get(key):
                return self.fields[key][0]
        message = "This card has no name."
        self.problems.append(
            self.source.report(
                self.card.line, "no-name", WARNING, message, "Name the note after whom it is about."
            )
        )
        return f"Contact of line {self.card.line}"

    def _fill_reach(self) -> None:
        for name, key in (("EMAIL", "email"), ("TEL", "phone")):
            found = [(each, self._read_reach(each)) for each in self._find_preferred(name)]
            self.fields[key] = collect(text for _, text in found)
            for each, text in found:
                label = _label_of(self.card, each)
                if label and text:
                    self.details.append((f"{_LABELS[name]} {text}", label))

    def _find_preferred(self, name: str) -> list[Property]:
        """Lines of a name, the preferred first."""

        def is_other(found: Property) -> bool:
            return not (
                "PREF" in found.parameters or "pref" in map(str.lower, found.parameters.get("TYPE", []))
            )

        return sorted(self.card.find(name), key=is_other)

    def _read_reach(self, found: Property) -> str:
        text = _text(found, self.version)
        for scheme in ("tel:", "mailto:"):
            if text.lower().startswith(scheme):
                text = text[len(scheme) :].replace(";ext=", " ext. ")
        return text

    def _fill_work(self) -> None:
        orgs = [_split(each.value, ";", self.version) for each in self.card.find("ORG")]
        names = [collect(parts) for parts in orgs]
        self.fields["company"] = tuple(parts[0] for parts in names[:1] if parts)
        self._tell("Department", [part for parts in names[:1] for part in parts[1:]])
        self._tell("Company", [", ".join(parts) for parts in names[1:] if parts])
        roles = collect(
            _text(each, self.version) for name in ("TITLE", "ROLE") for each in self.card.find(name)
        )
        self.fields["role"] = roles[:1]
        self._tell("Role", roles[1:])
        self.fields["aliases"] = collect(
            part for each in self.card.find("NICKNAME") for part in _split(each.value, ",", self.version)
        )
        self.fields["tags"] = collect_tags(
            part
            for each in self.card.find("CATEGORIES")
            for value in _split(each.value, ",", self.version)
            for part in re.split("[,;]", value)  # some put a backslash before all of their commas
        )
        addresses = [(self._read_address(each), each) for each in self._find_preferred("ADR")]
        known = set(re.findall(r"\w+", " ".join(text for text, _ in addresses)))
        for each in self.card.find("LABEL"):  # the same as printed, as a rule
            if not known.issuperset(re.findall(r"\w+", text := _text(each, self.version))):
                addresses.append((text, each))
        self._fill_first("address", "Address", addresses)
        sites = [(_text(each, self.version), each) for each in self._find_preferred("URL")]
        self._fill_first("website", "Website", sites)

    def _fill_first(self, key: str, words: str, found: Iterable[tuple[str, Property]]) -> None:
        """The first text for a key that takes one, the others for the body, each with the label that it has."""
        labels: dict[str, str] = {}
        for text, each in found:
            if text:
                labels[text] = labels.get(text) or _label_of(self.card, each)
        self.fields[key] = tuple(labels)[:1]
        for at, (text, label) in enumerate(labels.items()):
            if at:
                self.details.append((f"{words} ({label})" if label else words, text))
            elif label:
                self.details.append((f"Kind of {key}", label))

    def _read_address(self, found: Property) -> str:
        return ", ".join(collect(_split(found.value, ";", self.version)))

    def _tell(self, label: str, texts: Sequence[str]) -> None:
        self.details.extend((label, text) for text in texts)

    def _fill_rest(self) -> None:
        """Our own keys, pictures, and everything else that can be read."""
        done = {
            "EMAIL",
            "TEL",
            "ORG",
            "TITLE",
            "ROLE",
            "NICKNAME",
            "CATEGORIES",
            "ADR",
            "LABEL",
            "URL",
            "NOTE",
        }
        for found in self.card.properties:
            key = found.name.removeprefix(OWN).lower().replace("-", "_")
            if found.name.startswith(OWN) and key in FIELDS:
                text = _text(found, self.version)
                self.fields[key] = collect((*self.fields.get(key, ()), text))[: None if key in SEVERAL else 1]
            elif found.name in ("PHOTO", "LOGO", "SOUND", "KEY"):
                self._attach(found)
            elif found.name not in done and found.name not in _SILENT:
                self._describe(found)

    def _describe(self, found: Property) -> None:
        text = ", ".join(collect(_split(found.value, ";", self.version)))
        label = _LABELS.get(found.name) or found.name.removeprefix("X-").replace("-", " ").capitalize()
        if found.name == "BDAY" or found.name.endswith("ANNIVERSARY"):
            text = _read_day(text)
        more = _label_of(self.card, found)
        self.details.append((f"{label} ({more})" if more else label, text))

    def _attach(self, found: Property) -> None:
        """A picture in the card becomes a file; one elsewhere is named."""
        value = found.value.strip()
        ending = "".join(_types(found)[:1])
        inline = re.match(r"data:([\w.+-]*/)?([\w.+-]*)(?:;[\w=.+-]*)*;base64,", value, re.IGNORECASE)
        if inline:
            ending, value = inline[2], value[inline.end() :]
        elif not any(each.upper() in ("B", "BASE64") for each in found.parameters.get("ENCODING", [])):
            self._describe(found)
            return
        try:
            data = base64.b64decode(re.sub(r"\s", "", value), validate=True)
        except ValueError:
            message = f"The {found.name.lower()} of this card is damaged, so it was left out."
            self.problems.append(
                self.source.report(found.line, "bad-attachment", WARNING, message, "Export the card again.")
            )
            return
        mark = build_mark(len(self.attachments))
        ending = {"jpeg": "jpg", "svg+xml": "svg"}.get(ending.lower(), ending)
        name = build_file_name(found.name.lower(), ending, [each.name for each in self.attachments])
        self.attachments.append(Attachment(name, data, mark))

    def _read_notes(self) -> Iterator[str]:
        for found in self.card.find("NOTE"):
            yield clean_text(_unescape(found.value, self.version))


def _read_day(text: str) -> str:
    """``19800501`` as ``1980-05-01``, ``--0501`` as ``05-01``; other words as they are."""
    match = re.fullmatch(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:T.*)?|--([0-9]{2})-?([0-9]{2})", text.strip())
    if not match:
        return text
    return "-".join(part for part in match.groups() if part)
