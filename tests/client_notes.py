"""A client, from the text of a note."""

from __future__ import annotations

from notesync.followup.client import Client, find_known_keys, read_client
from notesync.followup.settings import Settings
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note


def read_text(text: str, settings: Settings, path: str = "Clients/Ann.md") -> Client:
    """What the note says of its client; the problems are no matter here."""
    note = parse_note(text.encode(), path, find_known_keys(settings))
    return read_client(note, parse_body(note, settings.log_headings), settings)[0]
