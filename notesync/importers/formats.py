"""Which importer reads a file: by its name's ending, else by how it begins."""

from __future__ import annotations

import re

from notesync.importers.record import Importer
from notesync.problems import UsageError

ENDINGS = {
    "enex": "enex",
    "vcf": "vcf",
    "vcard": "vcf",
    "csv": "csv",
    "tsv": "csv",
    "tab": "csv",
    "json": "json",
}
_BEGINNINGS = (
    ("vcf", rb"\s*BEGIN:VCARD"),
    ("enex", rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE[^>]*>\s*)?<en-(?:export|note)"),
    ("json", rb"\s*\{\s*\"format_version\""),
)


def find_importer(name: str, head: bytes) -> Importer:
    """What reads a file of that name that begins with these bytes.  Raises UsageError where nothing does."""
    ending = name.rpartition(".")[2].casefold()
    bare = head.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"")
    begun = (form for form, pattern in _BEGINNINGS if re.match(pattern, bare, re.IGNORECASE))
    form = next(begun, ENDINGS.get(ending, ""))
    if form == "vcf":
        from notesync.importers.vcard import read_vcards

        return read_vcards
    if form == "enex":
        from notesync.importers.enex import read_notes

        return read_notes
    if form == "csv":
        from notesync.importers.csv_contacts import read_contacts

        return read_contacts
    if form == "json":
        from notesync.importers.own_json import read_clients

        return read_clients
    raise UsageError(
        f"unknown-format: {name} is none of the files that are read: .enex of Evernote, .vcf of an address book, "
        ".csv of a table, .json of 'notesync export'. Export it as one of these."
    )
