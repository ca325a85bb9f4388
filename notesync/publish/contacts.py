"""The clients themselves -> vCard, CSV or JSON, so that nobody is locked in.

In: what each note's keys say, as the texts that stand there, and its body.  Out: chunks of text that ``import``
reads back to the same.  It must not know how notes are read, nor where the text goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from notesync.followup.client_fields import KEYS
from notesync.publish.text import LineWriter, guard_formula, render_object

FORMATS = ("vcf", "csv", "json")
JOINER = " ::: "
"""What stands between several values of one cell; Google Contacts and our own import read it so.  Three colons of a
value itself have a backslash before them."""

_KEYS = tuple(key for key in KEYS if key not in ("type", "name"))
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_FOLD = 75  # bytes of a line (RFC 2426, section 2.6)
_PROPERTIES = {
    "email": "EMAIL", "phone": "TEL", "company": "ORG", "role": "TITLE", "website": "URL", "aliases": "NICKNAME",
    "tags": "CATEGORIES",
}  # fmt: skip


class Contact(NamedTuple):
    """A client's note: its path, the client's name, the texts of its keys, and what stands below them."""

    path: str
    name: str
    fields: Mapping[str, tuple[str, ...]]
    body: str


def render_contacts(contacts: Iterable[Contact], form: str, vault: str) -> Iterator[str]:
    """The contacts in one of :data:`FORMATS`."""
    if form == "vcf":
        return (line for contact in contacts for line in _render_card(contact))
    if form == "csv":
        return _render_csv(contacts)
    return render_object([("format_version", 1), ("vault", vault), ("clients", map(_build_object, contacts))])


# --- vCard -----------------------------------------------------------------------------------------------


def _render_card(contact: Contact) -> Iterator[str]:
    """Version 3.0, which every address book reads; what it has no property for goes under names of our own."""
    yield from ("BEGIN:VCARD\r\n", "VERSION:3.0\r\n")
    yield _line("FN", _escape(contact.name))
    yield _line("N", _build_structured(contact.name))
    for key in _KEYS:
        texts = contact.fields.get(key, ())
        if key in ("aliases", "tags") and texts:
            yield _line(_PROPERTIES[key], ",".join(map(_escape, texts)))
        elif key == "id" and texts:
            yield _line("UID", _escape(texts[0]))
        elif key == "address" and texts:
            yield _line("ADR", f";;{_escape(texts[0])};;;;")
        else:
            name = _PROPERTIES.get(key) or f"X-NOTESYNC-{key.upper().replace('_', '-')}"
            yield from (_line(name, _escape(text)) for text in texts)
    if contact.body.strip():
        yield _line("NOTE", _escape(contact.body))
    yield "END:VCARD\r\n"


def _build_structured(name: str) -> str:
    """The name in parts, as address books sort by: its last word, then the others."""
    *given, family = name.split() or [""]
    return f"{_escape(family)};{_escape(' '.join(given))};;;"


def _escape(text: str) -> str:
    text = re.sub("\r\n?", "\n", _UNFIT.sub("", text))
    return re.sub(r"[\\,;]", r"\\\g<0>", text).replace("\n", r"\n")


def _line(name: str, value: str) -> str:
    """A property, folded between characters so that no line is longer than 75 bytes."""
    lines, size, start = [], 0, 0
    text = f"{name}:{value}"
    for at, sign in enumerate(text):
        width = len(sign.encode())
        if size + width > _FOLD:
            lines.append(text[start:at])
            start, size = at, 1
        size += width
    return "\r\n ".join((*lines, text[start:])) + "\r\n"


# --- CSV and JSON ----------------------------------------------------------------------------------------


def _render_csv(contacts: Iterable[Contact]) -> Iterator[str]:
    import csv

    write = csv.writer(LineWriter()).writerow
    yield str(write(("name", *_KEYS, "body")))
    for contact in contacts:
        cells = (_join(contact.fields.get(key, ())) for key in _KEYS)
        row = _join((contact.name,)), *cells, contact.body
        yield str(write([_guard(_UNFIT.sub("", cell)) for cell in row]))


def _join(texts: Iterable[str]) -> str:
    return JOINER.join(re.sub("(?<!:):::(?!:)", r"\\:::", text) for text in texts)


def _guard(cell: str) -> str:
    """The cell with an apostrophe where a spreadsheet would calculate it, or take one of its own away."""
    return f"'{cell}" if re.match(r"'+\s*[=+\-@＝＋－＠]", cell) else guard_formula(cell)


def _build_object(contact: Contact) -> dict[str, object]:
    fields = {key: list(contact.fields.get(key, ())) for key in _KEYS}
    return {"path": contact.path, "name": contact.name, **fields, "body": contact.body}
