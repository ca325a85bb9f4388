"""Records of other programs -> notes of the vault, each once.

In: a refreshed workspace, an importer's records, what the command line was told.  Out: what became of each record,
and the problems, in the file's order; notes are made and filled on the way, some hundred at a time, so that a file
of any size passes through.  It never overwrites: a note that is there only gets what its empty keys lack, and that
only when asked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from notesync.followup.client import find_key, find_known_keys, is_client, list_keys, read_client
from notesync.followup.sameness import Match, Person, Register, is_alike
from notesync.importers.record import CLIENT, SEVERAL, Record, build_body, build_file_name, clean_line
from notesync.notes.body import parse_body
from notesync.notes.edit_header import Wish, set_properties
from notesync.notes.file_name import build_stem, find_stems
from notesync.notes.new_note import build_note
from notesync.notes.note import Note, parse_note
from notesync.problems import WARNING, NotesyncError, Problem, RefusedError
from notesync.publish.imports import DOUBTFUL, FAILED, FILLED, MADE, THERE, Outcome
from notesync.store.vault import LARGEST_NOTE, Unreadable
from notesync.store.writing import fold
from notesync.sync.answers import Selection
from notesync.sync.change import Edit, New
from notesync.sync.exporting import read_fields
from notesync.sync.new_client import ID_BYTES, build_id, check_folder, clean_name, find_folder

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.settings import Settings
    from notesync.sync.pipeline import Workspace

NOTES_AT_ONCE = 300
BYTES_AT_ONCE = 16 * 1024 * 1024
IDENTITY = "import_id"
"""The key by which a plain note is known again; a client's is its ``id``."""

_NOT_FILLED = frozenset(("id", "name"))


class Told(NamedTuple):
    """What the command line was told of an import: ``words`` are for the history, ``source`` is the file's name."""

    words: str
    source: str
    folder: str | None = None
    update: bool = False
    dry_run: bool = False


def import_records(
    workspace: Workspace,
    records: Iterable[Record | Problem],
    told: Told,
    random: Callable[[int], bytes],
) -> Iterator[Outcome | Problem]:
    """What becomes of each record.  Raises RefusedError where notes cannot be written."""
    importing = _Import(workspace, told, random)
    for record in records:
        if isinstance(record, Problem):
            yield record
            continue
        yield from record.problems
        yield from importing.take(record)
    importing.write()


_Filling = tuple[Mapping[str, tuple[str, ...]], str]
"""What is filled into a note: keys that it leaves empty, and a text below its body."""


class _Import:
    """One import under way: who is known, which names are taken, and what is yet to be written."""

    def __init__(self, workspace: Workspace, told: Told, random: Callable[[int], bytes]) -> None:
        self.workspace, self.told, self.random = workspace, told, random
        self.settings = workspace.settings
        self.known = find_known_keys(self.settings)
        self.names = workspace.names()
        self.taken = {fold(name.path.rpartition("/")[2]) for name in self.names}
        self.listed: dict[str, set[str]] = {}
        self.register = Register(_list_persons(workspace))
        self.ids = {name.client_id for name in self.names}
        self.plain: dict[str, str] | None = None
        self.new: dict[str, bytes] = {}
        self.edits: dict[str, list[_Filling]] = {}
        self.files: dict[str, bytes] = {}
        self.begun = False
        self.made: set[str] = set()
        self.stems: dict[tuple[str, str, str], Iterator[str]] = {}

    def take(self, record: Record) -> Iterator[Outcome | Problem]:
        """Decide about one record; one that no note can hold is a problem, and no more."""
        try:
            found = self._take_client(record) if record.kind == CLIENT else self._take_plain(record)
            yield from found
        except NotesyncError as error:
            message, hint = f"No note can be made of `{record.name[:60]}`: {error}", "Make it by hand."
            yield Problem(self.told.source, record.line, 1, "not-imported", WARNING, message, hint)
            yield Outcome(record.line, record.name, FAILED, "", "see its problem")
        if len(self.new) + len(self.edits) >= NOTES_AT_ONCE or self._count_bytes() >= BYTES_AT_ONCE:
            self.write()

    def _count_bytes(self) -> int:
        return sum(map(len, self.new.values())) + sum(map(len, self.files.values()))

    # clients --------------------------------------------------------------------------------------

    def _take_client(self, record: Record) -> Iterator[Outcome | Problem]:
        record = record._replace(name=clean_name(record.name))
        new = _build_person(record)
        match = self.register.find(new)
        if match is None:
            yield from self._make_client(record, new)
        else:
            self.register.merge(match.person, new)
            yield from self._meet(record, match)

    def _make_client(self, record: Record, new: Person) -> Iterator[Outcome | Problem]:
        like = self.register.find_doubtful(new)
        path = self._find_path(record, "".join(record.fields.get("company", ())))
        client_id = self._find_id(record)
        note, wrong = self._build_client(record, path, client_id)
        self._add(path, note, record)
        self.register.add(new._replace(id=client_id, path=path), record.identity)
        yield from wrong
        if like is None:
            yield Outcome(record.line, record.name, MADE, path)
        else:
            yield Outcome(record.line, record.name, DOUBTFUL, path, f"looks like {like.path}")

    def _find_id(self, record: Record) -> str:
        wanted = clean_line(record.identity)[:200]
        while not wanted or wanted in self.ids:
            wanted = build_id(self.random(ID_BYTES))
        self.ids.add(wanted)
        return wanted

    def _build_client(self, record: Record, path: str, client_id: str) -> tuple[Note, list[Problem]]:
        """The note, and the values that no key of ours takes: they stand in the body."""
        fields, body, problems = dict(record.fields), record.body, []
        body = self._link(record, path, body)
        while True:
            note = build_note(path, self._list_wishes(fields, client_id), body, list_keys(self.settings))
            client, wrong = self._read(note)
            if client.name != record.name:
                wishes = self._list_wishes(fields, client_id) | {self._key("name"): record.name}
                note = build_note(path, wishes, body, list_keys(self.settings))
                client, wrong = self._read(note)
            bad = [key for key in fields if self._is_wrong(note, key, wrong)]
            if not bad:
                break
            for key in bad:
                texts = ", ".join(fields.pop(key))
                body = f"- {key}: {texts}\n\n{body}".rstrip("\n")
                problems.append(self._report_value(record, key, wrong))
        if not is_client(note, self.settings) or (client.name, client.id) != (record.name, client_id):
            raise RefusedError("it would be read as another client.")
        return note, problems

    def _list_wishes(self, fields: Mapping[str, tuple[str, ...]], client_id: str) -> dict[str, Wish]:
        wishes: dict[str, Wish] = {self._key("type"): "client", self._key("id"): client_id}
        for key, texts in fields.items():
            wishes[self._key(key)] = _build_wish(key, texts)
        return wishes

    def _key(self, key: str) -> str:
        return self.settings.fields.get(key, key)

    def _read(self, note: Note) -> tuple[Client, tuple[Problem, ...]]:
        return read_client(note, parse_body(note, self.settings.log_headings), self.settings)

    def _is_wrong(self, note: Note, key: str, wrong: Sequence[Problem]) -> bool:
        found = note.get(find_key(note, key, self.settings))
        lines = {value.line for value in found.values} | {found.line} if found is not None else set()
        return any(problem.line in lines for problem in wrong)

    def _report_value(self, record: Record, key: str, wrong: Sequence[Problem]) -> Problem:
        message = f"`{key}` of `{record.name[:60]}` was not understood, so it stands in the body: {wrong[0].message}"
        return Problem(self.told.source, record.line, 1, wrong[0].code, WARNING, message, wrong[0].hint)

    def _meet(self, record: Record, match: Match) -> Iterator[Outcome | Problem]:
        """A client who is there: left alone, or with ``--update`` filled where the note is empty.

        What this import has made itself is filled always: it is of the same file, and nobody's own yet.
        """
        path, why = match.person.path, f"same {match.by}"
        yield from self._report_meeting(record, match)
        data = self._read_now(path)
        lacking = self._find_lacking(data, path, record) if data is not None else {}
        rest = self._find_rest(data, path, record) if data is not None and path in self.made else ""
        if data is None or not (lacking or rest):
            yield Outcome(record.line, record.name, THERE, path, why)
            return
        names = ", ".join((*lacking, *(["body"] if rest else [])))
        if not self.told.update and path not in self.made:
            yield Outcome(record.line, record.name, THERE, path, f"{why}; --update would fill {names}")
            return
        try:
            filled = self._fill(data, path, lacking, rest)
        except NotesyncError as error:  # not when it is written: the others are to be made all the same
            message, hint = f"{path} was not filled: {error}", "Mend that, and import the file again."
            yield Problem(self.told.source, record.line, 1, "not-filled", WARNING, message, hint)
            yield Outcome(record.line, record.name, THERE, path, f"{why}; see its problem")
            return
        if path in self.new:
            self.new[path] = filled
        else:
            self.edits.setdefault(path, []).append((lacking, rest))
        yield Outcome(record.line, record.name, FILLED, path, f"{why}; {names}")

    def _report_meeting(self, record: Record, match: Match) -> Iterator[Problem]:
        """An id that two have who share nothing else: some programs count from 1 in each of their files."""
        if match.by == "id" and not is_alike(_build_person(record), match.person):
            message = (
                f"`{record.name[:60]}` has the id of {match.person.path} and nothing else in common with it, so no "
                "note was made."
            )
            hint = "If they are two, take the id out of the file, or out of the note."
            yield Problem(self.told.source, record.line, 1, "same-id", WARNING, message, hint)

    def _read_now(self, path: str) -> bytes | None:
        """What a note holds, with what was decided so far; None where it cannot be read."""
        data = self.new.get(path)
        if data is None:
            try:
                data = self.workspace.vault.read(path, 0).data
            except Unreadable:
                return None
        for fields, rest in self.edits.get(path, ()):
            data = self._fill(data, path, fields, rest)
        return data

    def _fill(self, data: bytes, path: str, fields: Mapping[str, tuple[str, ...]], rest: str) -> bytes:
        filled = fill_note(data, path, fields, self.settings)
        return filled.rstrip(b"\n") + f"\n\n{rest}\n".encode() if rest else filled

    def _find_rest(self, data: bytes, path: str, record: Record) -> str:
        """What a second record of one person in a file says besides the first, for the body of the note just made."""
        note = parse_note(data, path, self.known)
        there = read_fields(note, self.settings)
        details = [
            (key.capitalize(), text)
            for key, texts in record.fields.items()
            for text in texts
            if key in there and text not in there[key]
        ]
        known = set(note.text.split("\n"))
        body = self._link(self._set_aside(record, path), path, build_body(details, record.body))
        kept = "\n".join(line for line in body.split("\n") if not line or line not in known)
        return re.sub(r"\n{3,}", "\n\n", kept).strip("\n")

    def _set_aside(self, record: Record, path: str) -> Record:
        """The record with its attachments under names that are free beside the note, to be written with it."""
        attachments = []
        for each in record.attachments:
            taken: list[str] = []
            name = each.name
            while not self._is_free(_place(path, name), each.data):
                taken.append(name)
                name = build_file_name(each.name, "", taken)
            self.files[_place(path, name)] = each.data
            attachments.append(each._replace(name=name))
        return record._replace(attachments=tuple(attachments))

    def _find_lacking(self, data: bytes, path: str, record: Record) -> dict[str, tuple[str, ...]]:
        """What the record has for keys that the note leaves empty."""
        there = read_fields(parse_note(data, path, self.known), self.settings)
        return {
            key: texts for key, texts in record.fields.items() if key not in there and key not in _NOT_FILLED
        }

    # plain notes ----------------------------------------------------------------------------------

    def _take_plain(self, record: Record) -> Iterator[Outcome]:
        identity = clean_line(record.identity)[:200] or _digest(record)
        known = self._find_plain()
        if identity in known:
            yield Outcome(record.line, record.name, THERE, known[identity], "same note")
            return
        path = self._find_path(record, "")
        wishes = {key: _build_wish(key, texts) for key, texts in record.fields.items()}
        wishes[IDENTITY] = identity
        note = build_note(path, wishes, self._link(record, path, record.body), list_keys(self.settings))
        if is_client(note, self.settings):
            raise RefusedError("it would be read as a client's.")
        self._add(path, note, record)
        known[identity] = path
        yield Outcome(record.line, record.name, MADE, path)

    def _find_plain(self) -> dict[str, str]:
        """The notes of the vault that an import has made, by their identity; read once, and only when needed."""
        if self.plain is None:
            self.plain = {}
            pattern = re.compile(rb"^" + IDENTITY.encode() + rb":[ \t]*[\"']?([^\s\"']+)", re.MULTILINE)
            for path in self.workspace.index.paths():
                found = pattern.search(self.workspace.vault.read_start(path, 65536))
                if found:
                    self.plain.setdefault(found[1].decode(errors="replace"), path)
        return self.plain

    # paths and files ------------------------------------------------------------------------------

    def _find_path(self, record: Record, company: str) -> str:
        folder = self._find_folder(record.kind)
        taken = self._list_names(folder)
        # Those that were passed over stay taken, so thousands of one name need not all be tried for each of them.
        stems = self.stems.setdefault((folder, record.name, company), find_stems(record.name, company))
        for stem in stems:
            path = f"{folder}/{stem}.md" if folder else f"{stem}.md"
            name = fold(f"{stem}.md")
            if name not in taken and name not in self.taken and self._is_clear(path, record):
                return path
        raise AssertionError("names do not end")

    def _is_clear(self, path: str, record: Record) -> bool:
        """Whether no attachment would meet another file, as one that stayed when an earlier import was taken back."""
        return all(self._is_free(_place(path, each.name), each.data) for each in record.attachments)

    def _is_free(self, place: str, data: bytes) -> bool:
        """Whether a file can be made here: none is, or one with the same bytes."""
        if place in self.files:
            return self.files[place] == data
        return self.workspace.vault.stat(place) is None or _is_same(self.workspace, place, data)

    def _find_folder(self, kind: str) -> str:
        vault = self.workspace.vault
        if self.told.folder is not None:
            folder = check_folder(vault, self.told.folder)
        elif kind == CLIENT:
            folder = find_folder(self.names)
        else:
            folder = build_stem(re.sub(r"\.[A-Za-z]+$", "", re.split(r"[/\\]", self.told.source)[-1]))
        return vault.find_spelling(f"{folder}/-").rpartition("/")[0] if folder else ""

    def _list_names(self, folder: str) -> set[str]:
        if folder not in self.listed:
            self.listed[folder] = {fold(name) for name in self.workspace.vault.names(folder)}
        return self.listed[folder]

    def _link(self, record: Record, path: str, body: str) -> str:
        """The body with its attachments' links, and the attachments set aside to be written with the note."""
        name = path.rpartition("/")[2]
        beside = f"{name.removesuffix('.md')} files"
        for each in record.attachments:
            body = body.replace(each.mark, quote(f"{beside}/{each.name}"))
        return body

    def _add(self, path: str, note: Note, record: Record) -> None:
        if len(note.data) > LARGEST_NOTE:
            raise RefusedError(
                f"its text has more than the {LARGEST_NOTE // 1024**2} MB that are read of a note."
            )
        folder, _, name = path.rpartition("/")
        self.made.add(path)
        self._list_names(folder).add(fold(name))
        if record.kind == CLIENT:
            self.taken.add(fold(name))
        if record.kind == CLIENT or not self.told.dry_run:  # a dry run asks of no plain note again
            self.new[path] = note.data
        for each in record.attachments:
            self.files[_place(path, each.name)] = each.data

    def write(self) -> None:
        """Write what was decided so far: the attachments first, so that no note points at nothing."""
        new, edits, files = self.new, self.edits, self.files
        self.new, self.edits, self.files = {}, {}, {}
        if self.told.dry_run or not (new or edits):
            if self.told.dry_run:
                self._keep_planned(new, edits)
            return
        for path, data in files.items():
            _create(self.workspace, path, data)
        wishes: list[Edit | New] = [New(path, data) for path, data in new.items()]
        wishes += [Edit(path, self._build_edit(path, fills)) for path, fills in edits.items()]
        self.workspace.change(wishes, self.told.words, more=self.begun)
        self.begun = True

    def _keep_planned(self, new: dict[str, bytes], edits: dict[str, list[_Filling]]) -> None:
        """A dry run forgets the attachments only: the clients' notes that would be there still answer."""
        self.new, self.edits = new, edits

    def _build_edit(self, path: str, fills: Sequence[_Filling]) -> Callable[[bytes], bytes]:
        def edit(data: bytes) -> bytes:
            for fields, rest in fills:
                data = self._fill(data, path, fields, rest)
            return data

        return edit


def _digest(record: Record) -> str:
    """What tells a plain note from another where its own program has no id for it: all that it says."""
    told = "\0".join((record.name, record.body)).encode(errors="replace")
    return f"text-{hashlib.blake2b(told, digest_size=8).hexdigest()}"


def _place(path: str, name: str) -> str:
    """Where an attachment of a note stands."""
    return f"{path.removesuffix('.md')} files/{name}"


def _list_persons(workspace: Workspace) -> Iterator[Person]:
    for card in workspace.cards(Selection()):
        yield Person(card.name, card.client_id, card.company, card.email, card.phone, card.aliases, card.path)


def _build_person(record: Record) -> Person:
    def find(key: str) -> tuple[str, ...]:
        return tuple(record.fields.get(key, ()))

    return Person(
        record.name, clean_line(record.identity)[:200], "".join(find("company")), find("email"), find("phone")
    )


def _build_wish(key: str, texts: Sequence[str]) -> Wish:
    """A list where there are several, or where Obsidian knows the key as a list."""
    if key in ("tags", "aliases") or (key in SEVERAL and len(texts) > 1):
        return list(texts)
    return texts[0]


def fill_note(data: bytes, path: str, fields: Mapping[str, tuple[str, ...]], settings: Settings) -> bytes:
    """The note's bytes with these keys where it leaves them empty; every other byte stays.  Raises RefusedError."""
    note = parse_note(data, path, find_known_keys(settings))
    there = read_fields(note, settings)
    wishes = {
        find_key(note, key, settings): _build_wish(key, texts)
        for key, texts in fields.items()
        if key not in there
    }
    return set_properties(note, wishes, list_keys(settings)).data if wishes else data


def _create(workspace: Workspace, path: str, data: bytes) -> None:
    """An attachment; one that is there with the same bytes is what an import that was broken off has left."""
    if not _is_same(workspace, path, data):
        workspace.vault.create(path, data)


def _is_same(workspace: Workspace, path: str, data: bytes) -> bool:
    """Whether a file holds these bytes; attachments may be larger than what is read of a note."""
    found = workspace.vault.stat(path)
    return (
        found is not None
        and found.st_size == len(data)
        and workspace.vault.read_start(path, len(data) + 1) == data
    )
