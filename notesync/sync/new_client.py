"""A new client: what is told of them -> a note at a free path, filled from a template.

In: a refreshed workspace, what the command line was told, random bytes.  Out: the note to create, where it
came from, and what the user should know first.  Nothing is written here, and no template is executed: only
``{{title}}``, ``{{date}}`` and ``{{time}}`` are filled in.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from datetime import time as clock
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import category, normalize

from notesync.followup.client import find_key, find_known_keys, is_client, list_keys
from notesync.followup.duplicates import Likely, find_likely
from notesync.notes.edit import check_wish
from notesync.notes.edit_header import Wish, set_properties
from notesync.notes.file_name import build_stem, find_stems
from notesync.notes.links import show_link
from notesync.notes.new_note import fill_template
from notesync.notes.note import Note, normalise_key, parse_note
from notesync.problems import RefusedError, UsageError
from notesync.publish.obsidian import TEMPLATE, TEMPLATE_FOLDER, Names, render_template
from notesync.store.obsidian import Templates, list_templates, read_templates
from notesync.store.vault import Unreadable, Vault
from notesync.store.writing import fold
from notesync.sync.answers import Name, Selection
from notesync.sync.client_note import read_as_client

if TYPE_CHECKING:
    from notesync.followup.settings import Settings
    from notesync.sync.pipeline import Workspace

CLIENT_FOLDER = "Clients"

# Ten characters: a letter first, so that no reader takes one for a number, and none that look alike (no i, l,
# o, u).  That is 49 bits: with ten thousand clients two of them are equal once in fifteen million vaults.
_LETTERS = "abcdefghjkmnpqrstvwxyz"
_SIGNS = "0123456789" + _LETTERS
ID_BYTES = 10


class Told(NamedTuple):
    """What the command line was told of a client; texts are '' and lists empty where it was not."""

    name: str
    company: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    stage: str = ""
    next_contact: str = ""
    folder: str | None = None


class NewClient(NamedTuple):
    """A note to create, the template that it is made from ('' for the built-in), and what to know first."""

    path: str
    note: Note
    template: str
    likely: tuple[Likely, ...]
    notices: tuple[str, ...]


def plan_client(workspace: Workspace, told: Told, random: bytes) -> NewClient:
    """The note for a new client.  Raises UsageError for what no note can hold, RefusedError."""
    settings, vault = workspace.settings, workspace.vault
    # A template without a placeholder, in a folder that Obsidian is not told of, is read as a client's note.
    made_from = tuple(f"{told.folder or TEMPLATE_FOLDER}/" for told in (Templates(), *read_templates(vault)))
    names = [name for name in workspace.names() if not name.path.startswith(made_from)]
    told = told._replace(name=clean_name(told.name))
    path = _find_path(vault, told, names)
    moment = datetime.combine(workspace.moment.day, clock(*divmod(workspace.moment.minute, 60)))
    found = _choose_template(vault, settings, path, moment)
    client_id = _find_id(found.note, settings, {name.client_id for name in names}, random)
    note = _fill_in(found.note, told, client_id, settings)
    cards = (card for card in workspace.cards(Selection()) if not card.path.startswith(made_from))
    likely = tuple(find_likely(told.name, told.phones, told.emails, cards))
    return NewClient(path, note, found.path, likely, tuple(found.notices))


def clean_name(name: str) -> str:
    """The name as it is read back: composed accents, one blank between words, links as their words."""
    check_wish(name)
    shown = "".join(" " if category(sign) in ("Cc", "Zl", "Zp") else sign for sign in normalize("NFC", name))
    name = " ".join(shown.split())
    while (shown := " ".join(show_link(name).split())) != name:
        name = shown
    if not name:
        raise UsageError("no-name: a client needs a name. Write it behind 'notesync new'.")
    return name


def build_id(random: bytes) -> str:
    """Ten letters and digits from as many random bytes."""
    first, *rest = random[:ID_BYTES]
    return _LETTERS[first % len(_LETTERS)] + "".join(_SIGNS[byte % len(_SIGNS)] for byte in rest)


# --- Where -----------------------------------------------------------------------------------------------


def _find_path(vault: Vault, told: Told, names: Sequence[Name]) -> str:
    """A path that is free, and whose name no other client's note has: links go by the name alone."""
    folder = find_folder(names) if told.folder is None else check_folder(vault, told.folder)
    folder = vault.find_spelling(f"{folder}/-").rpartition("/")[0] if folder else ""
    taken = {fold(name) for name in vault.names(folder)}
    taken.update(fold(name.path.rpartition("/")[2]) for name in names)
    stem = next(stem for stem in find_stems(told.name, told.company) if fold(f"{stem}.md") not in taken)
    return f"{folder}/{stem}.md" if folder else f"{stem}.md"


def find_folder(names: Sequence[Name]) -> str:
    """The folder in which most clients' notes are; of several the one that comes first."""
    counted = Counter(name.path.rpartition("/")[0] for name in names)
    return min(counted, key=lambda folder: (-counted[folder], folder)) if counted else CLIENT_FOLDER


def check_folder(vault: Vault, wanted: str) -> str:
    """A folder as it was typed, relative to the vault.  Raises UsageError where no note belongs."""
    inside = os.path.relpath(wanted, vault.root) if os.path.isabs(wanted) else wanted
    parts = [
        part for part in normalize("NFC", inside).replace(os.sep, "/").split("/") if part not in ("", ".")
    ]
    for at, part in enumerate(parts):
        there = os.path.isdir(vault.absolute("/".join(parts[: at + 1])))
        if part == ".." or not (there or build_stem(part) == part):
            raise UsageError(
                f"bad-folder: '{wanted}' is no folder of the vault that every system could have. "
                "Name one like Clients/Leads."
            )
        if not vault.is_relevant("/".join(parts[: at + 1]), folder=True):
            raise UsageError(f"ignored-folder: notes in '{wanted}' are not read. Choose another folder.")
    return "/".join(parts)


# --- From what -------------------------------------------------------------------------------------------


class _Found(NamedTuple):
    """A template, filled in; and why others were not used."""

    path: str
    note: Note
    notices: Sequence[str]


def _choose_template(vault: Vault, settings: Settings, path: str, moment: datetime) -> _Found:
    """The vault's own client template as a note for the path, else the built-in."""
    notices: list[str] = []
    for source, told in _list_candidates(vault):
        note = _fill_own(vault, source, told, settings, path, moment, notices)
        if note is not None:
            return _Found(source, note, notices)
    built_in = parse_note(render_template(find_names(settings)).encode(), TEMPLATE)
    return _Found("", fill_template(built_in, path, _title(path), moment), notices)


def find_client_template(vault: Vault, settings: Settings, folder: str) -> str:
    """The template in a folder from which a client's note could be made; '' where there is none."""
    for source in _list_in(vault, folder):
        if _fill_own(vault, source, Templates(), settings, TEMPLATE, datetime(2000, 1, 1), []) is not None:
            return source
    return ""


def find_names(settings: Settings) -> Names:
    """What a vault calls things."""
    headings = settings.log_headings
    known = not headings or "log" in (heading.casefold() for heading in headings)
    return Names(settings.fields, settings.client_types, "Log" if known else headings[0])


def _list_candidates(vault: Vault) -> Iterator[tuple[str, Templates]]:
    """Templates of which one may be a client's, the likely ones first: those called after clients."""
    for told in read_templates(vault):
        if told.folder:
            yield from ((path, told) for path in _list_in(vault, told.folder))
    fallback = f"{TEMPLATE_FOLDER}/{TEMPLATE}"
    if vault.stat(fallback) is not None:
        yield fallback, Templates()


def _list_in(vault: Vault, folder: str) -> list[str]:
    return sorted(list_templates(vault, folder), key=lambda path: not _is_called_client(path))


def _is_called_client(path: str) -> bool:
    return _title(path).casefold() == "client"


def _title(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".md")


def _fill_own(
    vault: Vault,
    source: str,
    told: Templates,
    settings: Settings,
    path: str,
    moment: datetime,
    notices: list[str],
) -> Note | None:
    """A template of the vault as a note; None where it is not a client's, or only a plugin could fill it."""
    try:
        template = parse_note(vault.read(source, 0).data, source, find_known_keys(settings))
        if "<%" in template.text:
            raise RefusedError(f"{source} is for the Templater plugin, which runs in Obsidian only.")
        formats = told.date_format, told.time_format
        note = fill_template(template, path, _title(path), moment, *formats)
    except (Unreadable, RefusedError) as error:
        if _is_called_client(source):
            notices.append(f"{error} The built-in template was used.")
        return None
    note = parse_note(note.data, path, find_known_keys(settings))
    if is_client(note, settings):
        return note
    return note if _is_called_client(source) and not _find_types(note, settings) else None


def _find_types(note: Note, settings: Settings) -> list[str]:
    names = (normalise_key(settings.fields.get("type", "type")), "type")
    found = (note.get(name) for name in names)
    return [value.text for each in found if each is not None for value in each.values if value.text.strip()]


# --- What it says ----------------------------------------------------------------------------------------


def _find_id(note: Note, settings: Settings, used: Collection[str], random: bytes) -> str:
    """The id that the template gives, if no other client has it; else one of our own."""
    given = read_as_client(note, settings).id
    return given if given and given not in used else build_id(random)


def _fill_in(note: Note, told: Told, client_id: str, settings: Settings) -> Note:
    """The note with what is told, read back.  Raises RefusedError where it would be read as another client."""
    wishes: dict[str, Wish] = {"id": client_id}
    if not _find_types(note, settings):
        wishes["type"] = "client"
    single = {"company": told.company, "stage": told.stage, "next_contact": told.next_contact}
    several = {"email": told.emails, "phone": told.phones, "owner": told.owners}
    wishes |= {key: text for key, text in single.items() if text}
    wishes |= {key: texts if len(texts) > 1 else texts[0] for key, texts in several.items() if texts}
    note = _set(note, wishes, settings)
    if read_as_client(note, settings).name != told.name:
        note = _set(note, {"name": told.name}, settings)
    client = read_as_client(note, settings)
    if not is_client(note, settings) or (client.name, client.id) != (told.name, client_id):
        raise RefusedError(
            f"unsafe-note: {note.path} would not be read as the client '{told.name}'. Nothing was written: "
            "look at the template."
        )
    return note


def _set(note: Note, wishes: dict[str, Wish], settings: Settings) -> Note:
    named = {find_key(note, key, settings): wish for key, wish in wishes.items()}
    changed = set_properties(note, named, list_keys(settings), create=True)
    return parse_note(changed.data, note.path, find_known_keys(settings))
