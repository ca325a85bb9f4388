"""Evernote's export -> a record for every note, streamed.

The outside is strict XML, read with expat itself: one handler refuses every entity before it can grow, and a text is
cut off at its limit while it is read, which a parser that builds a tree cannot do (and defusedxml, which guards one,
has had no release since 2021).  Nothing is fetched: expat reads no DTD unless somebody hands it one.  Attachments
are decoded piece by piece.  So a file of any size takes the memory of its largest note.

The inside of a note is for ``enml.py``.  Sources: Evernote's DTDs ``evernote-export3`` and ``4``, and real files:
``2757600913T000000Z`` stands there for no date, a bare ``en-note`` for a whole export.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import html
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo
from typing import Any, NamedTuple
from xml.parsers import expat

from notesync.importers.decoding import decode
from notesync.importers.enml import LARGEST, convert_body
from notesync.importers.record import (
    CLIENT,
    NOTE,
    Attachment,
    Record,
    Source,
    build_body,
    build_file_name,
    build_mark,
    clean_line,
    collect,
    collect_tags,
)
from notesync.problems import ERROR, WARNING, Problem

CHUNK = 64 * 1024
LARGEST_FILE = 200 * 1024 * 1024  # bytes of one attachment: Evernote takes no larger ones
LARGEST_NOTE = 256 * 1024 * 1024  # bytes of all attachments of a note
_LONGEST = 100_000  # characters of any other text
_LARGEST_TEXTS = 64 * 1024 * 1024  # characters of all texts of a note
_PART = 500  # what an element counts for besides its text
_DEEPEST = 20  # elements of the outside: real ones have five
_UNTITLED = "Untitled"
_PICTURES = ("image/",)
_ENDINGS = {"image/jpeg": "jpg", "image/svg+xml": "svg", "audio/mpeg": "mp3", "text/plain": "txt"}
_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS = {
    "MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday",
    "SU": "Sunday",
}  # fmt: skip
# A sign of the Tasks plugin in a title would be read as a field.
_SIGNS = re.compile(
    "[\U0001f4c5\U0001f4c6\U0001f5d3⏳⌛\U0001f6eb➕✅❌\U0001f501\U0001f53a⏫\U0001f53c\U0001f53d⏬\U0001f194⛔\U0001f3c1]\ufe0f?"
)


_Seen = dict[str, dict[str, int]]
"""By title and moment, the notes of a file by their words, numbered."""


class _Resource:
    """An attachment under way."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.data = bytearray()
        self.rest = ""
        self.refused = ""

    def add(self, text: str, left: int) -> None:
        """Decode another piece of base64; ``left`` is what the note may still hold."""
        if self.refused:
            return
        text = self.rest + "".join(text.split())
        whole = len(text) // 4 * 4
        self.rest = text[whole:]
        try:
            self.data += base64.b64decode(text[:whole], validate=True)
        except (binascii.Error, ValueError):
            self.refuse("its data is damaged")
        if len(self.data) > min(LARGEST_FILE, left):
            self.refuse("it is larger than Evernote's own limit")

    def refuse(self, why: str) -> None:
        self.refused, self.data = why, bytearray()


class _Note:
    """A note under way."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.texts: dict[str, str] = {}
        self.tags: list[str] = []
        self.tasks: list[dict[str, str]] = []
        self.resources: list[_Resource] = []
        self.cut: set[str] = set()
        self.held = 0


def read_notes(source: Source) -> Iterator[Record | Problem]:
    """The records of an exported notebook."""
    head = source.stream.read(CHUNK)
    if re.search(rb"<en-note[\s>]", head) and b"<en-export" not in head:
        yield from _read_bare(source, head)
        return
    outside = _Outside(source)
    chunk = head
    while True:
        try:
            outside.parser.Parse(chunk, not chunk)
        except (expat.ExpatError, _Refused, LookupError, ValueError) as error:
            if outside.path and isinstance(error, (LookupError, ValueError)):
                raise  # only the encoding that the first line names is looked up by expat
            yield from outside.take()
            yield _report_broken(source, outside, error)
            return
        yield from outside.take()
        if not chunk:
            return
        chunk = source.stream.read(CHUNK)


def _read_bare(source: Source, head: bytes) -> Iterator[Record]:
    """A note by itself, as some programs export them: its name is the file's."""
    data = head + source.stream.read(LARGEST * 4)
    note = _Note(1)
    note.texts = {"title": _notebook(source), "content": decode(data)}
    yield _build(source, note, {})


def _notebook(source: Source) -> str:
    name = re.split(r"[/\\]", source.path)[-1]
    return clean_line(re.sub(r"\.enex$", "", name, flags=re.IGNORECASE)) or _UNTITLED


class _Refused(Exception):  # noqa: N818  a way out of the parser
    """The file tries what no export does."""


def _report_broken(source: Source, outside: _Outside, error: Exception) -> Problem:
    line, column = outside.parser.CurrentLineNumber, outside.parser.CurrentColumnNumber + 1
    if isinstance(error, _Refused):
        message, hint = (
            f"This file {error}, which no export of Evernote does; it is read no further.",
            "Export it again.",
        )
        return source.report(line, "hostile-file", ERROR, message, hint, column)
    if not isinstance(error, expat.ExpatError):
        message = "This file names an encoding that XML is not read in, so nothing of it is read."
        return source.report(
            line, "bad-xml", ERROR, message, 'Write encoding="UTF-8", if that is what it is.', column
        )
    why = expat.ErrorString(error.code)
    message = f"From here on this is not the XML that Evernote writes ({why}), so nothing more is read."
    return source.report(
        line, "bad-xml", ERROR, message, "Export the notebook again, or mend this line.", column
    )


class _Outside:
    """The elements around the notes' bodies."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.add
        self.parser.SkippedEntityHandler = self.add_entity
        self.parser.EntityDeclHandler = self.refuse_entity
        self.path: list[str] = []
        self.note: _Note | None = None
        self.pieces: list[str] = []
        self.size = 0
        self.done: list[Record | Problem] = []
        self.made: _Seen = {}

    def take(self) -> Iterator[Record | Problem]:
        """What is ready."""
        ready, self.done = self.done, []
        yield from ready

    def refuse_entity(self, *_: Any) -> None:
        raise _Refused("declares entities of its own")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.path) >= _DEEPEST:
            raise _Refused("nests its elements too deeply")
        self.path.append(name)
        self.pieces, self.size = [], 0
        if self.path == ["en-export", "note"]:
            self.note = _Note(self.parser.CurrentLineNumber)
        elif self.note is not None and self.path[2:] == ["resource"]:
            self.note.resources.append(_Resource())
        elif self.note is not None and self.path[2:] == ["task"]:
            self.note.tasks.append({})

    def add(self, text: str) -> None:
        if self.note is None:
            return
        if self.path[2:] == ["resource", "data"]:
            held = sum(len(each.data) for each in self.note.resources[:-1])
            self.note.resources[-1].add(text, LARGEST_NOTE - held)
            return
        most = LARGEST if self.path[-1] in ("content",) else _LONGEST
        if self.size + len(text) > most:
            self.note.cut.add(self.path[-1])
            text = text[: most - self.size]
        self.size += len(text)
        self.pieces.append(text)

    def add_entity(self, name: str, is_parameter: bool) -> None:
        """``&nbsp;`` and its like, which the DTD that is not read would declare."""
        if not is_parameter:
            self.add(html.unescape(f"&{name};"))

    def end(self, name: str) -> None:
        inside, text = self.path[2:], "".join(self.pieces)
        self.path.pop()
        self.pieces, self.size = [], 0
        note = self.note
        if note is None:
            return
        note.held += len(text) + _PART
        if note.held > _LARGEST_TEXTS:
            raise _Refused("holds a note without end")
        if not inside:
            self.note = None
            self.done.append(_build(self.source, note, self.made))
        elif inside == ["tag"]:
            note.tags.append(text)
        elif inside[0] == "resource":
            if len(inside) > 1 and name != "data":
                note.resources[-1].texts.setdefault(name, text)
        elif inside[0] == "task":
            if len(inside) > 1:
                note.tasks[-1].setdefault("/".join(inside[1:]), text)
        else:
            note.texts.setdefault(name, text)


# --- A note ----------------------------------------------------------------------------------------------


class _Linked(NamedTuple):
    """The attachments of a note, their links by digest, and what is wrong with them."""

    attachments: list[Attachment]
    media: dict[str, tuple[str, bool]]
    problems: list[Problem]


def _build(source: Source, note: _Note, made: _Seen) -> Record:
    """The record of a note; ``made`` are those so far."""
    title = clean_line(note.texts.get("title", "")) or _UNTITLED
    linked = _link(source, note)
    problems = linked.problems
    tasks = _Tasks(source, note, title)

    def keep(data: bytes, ending: str) -> str:
        return _keep_file(linked, "picture", ending, data)

    converted = convert_body(note.texts.get("content", ""), linked.media, tasks.groups, keep)
    losses = [*converted.losses, *(f"the end of its {name}" for name in sorted(note.cut))]
    if losses:
        message = f"Not everything of the note `{title[:60]}` could be kept: {'; '.join(losses)}."
        problems.append(source.report(note.line, "incomplete", WARNING, message, "Look at it in Evernote."))
    below = [lines for group, lines in tasks.groups.items() if group not in converted.groups]
    left = [
        f"{'!' if picture else ''}{link}"
        for link, picture in linked.media.values()
        if link not in converted.text
    ]
    parts = (converted.text, *below, tasks.reminder, *left)
    kind = _find_kind(source, note)
    return Record(
        note.line,
        title,
        _build_fields(source, note, kind),
        build_body(_list_details(note, kind), "\n\n".join(part for part in parts if part)),
        kind,
        _identify(note, title, made),
        tuple(linked.attachments),
        (*problems, *tasks.problems),
    )


def _find_kind(source: Source, note: _Note) -> str:
    told = {word.casefold() for word in source.wishes.clients}
    words = {_notebook(source).casefold(), *(clean_line(tag).casefold() for tag in note.tags)}
    return CLIENT if told & words else source.wishes.kind


def _identify(note: _Note, title: str, made: _Seen) -> str:
    """The same at every export: Evernote leaves its own ids out, but says when a note was made.

    Notes that were once imported there may share even that: those of other words are numbered in the export's order.
    """
    content = note.texts.get("content", "")
    told = note.texts.get("created", "").strip() or content
    shared = _digest(f"{title}\0{told}")
    known = made.setdefault(shared, {})
    number = known.setdefault(_digest(content), len(known) + 1)
    return f"evernote-{shared}" + (f"-{number}" if number > 1 else "")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=8).hexdigest()


def _build_fields(source: Source, note: _Note, kind: str) -> dict[str, tuple[str, ...]]:
    zone = source.wishes.zone
    found = {
        "tags": collect_tags(note.tags),
        "created": _as_texts(read_moment(note.texts.get("created", ""), zone)),
    }
    if kind == NOTE:
        found["updated"] = _as_texts(read_moment(note.texts.get("updated", ""), zone))
        found["source"] = collect([note.texts.get("source-url", "")])
    return {key: texts for key, texts in found.items() if any(texts)}


def _as_texts(moment: datetime | None) -> tuple[str, ...]:
    return () if moment is None else (moment.date().isoformat(),)


def _list_details(note: _Note, kind: str) -> Iterator[tuple[str, str]]:
    if kind == CLIENT:
        yield "Source", note.texts.get("source-url", "")
    yield "Author", note.texts.get("author", "")
    latitude, longitude = note.texts.get("latitude", ""), note.texts.get("longitude", "")
    if latitude.strip() and longitude.strip():
        yield "Position", f"{latitude}, {longitude}"


def read_moment(text: str, zone: tzinfo | None) -> datetime | None:
    """Evernote's ``20260225T093000Z``, or RFC 3339, in a zone (None: the machine's); None for what no calendar has."""
    words = text.strip()
    try:
        if re.fullmatch("[0-9]{8}T[0-9]{6}Z", words):
            found = datetime.strptime(words, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        elif re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}T.{5,30}", words):
            found = datetime.fromisoformat(words)
            found = found.replace(tzinfo=found.tzinfo or zone)
        else:
            return None
        found = found.astimezone(zone)
    except (ValueError, OverflowError):
        return None
    return found if 1900 <= found.year < 2200 else None


# --- Attachments -----------------------------------------------------------------------------------------


def _link(source: Source, note: _Note) -> _Linked:
    linked = _Linked([], {}, [])
    for each in note.resources:
        name = each.texts.get("file-name", "")
        if each.rest:
            each.refuse("its data is damaged")
        if each.refused:
            message = f"The attachment `{clean_line(name)[:60]}` was left out: {each.refused}."
            linked.problems.append(
                source.report(note.line, "bad-attachment", ERROR, message, "Save it from Evernote by hand.")
            )
        elif each.data:
            _add_attachment(linked, name, each)
    return linked


def _add_attachment(linked: _Linked, name: str, resource: _Resource) -> None:
    mime = resource.texts.get("mime", "").strip().lower()
    data = bytes(resource.data)
    resource.data = bytearray()
    link = _keep_file(linked, name or "attachment", _ENDINGS.get(mime) or mime.rpartition("/")[2], data)
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    linked.media.setdefault(digest, (link, mime.startswith(_PICTURES)))


def _keep_file(linked: _Linked, name: str, ending: str, data: bytes) -> str:
    """Add an attachment; the link to it."""
    safe = build_file_name(name, ending, [each.name for each in linked.attachments])
    mark = build_mark(len(linked.attachments))
    linked.attachments.append(Attachment(safe, data, mark))
    return f"[{safe}]({mark})"


# --- Tasks -----------------------------------------------------------------------------------------------


class _Tasks:
    """A note's tasks and reminder as lines of the Tasks plugin, by the group that has its place in the body."""

    def __init__(self, source: Source, note: _Note, title: str) -> None:
        self.source, self.note = source, note
        self.problems: list[Problem] = []
        lines: dict[str, list[str]] = {}
        for task in note.tasks:
            lines.setdefault(task.get("taskGroupNoteLevelID", ""), []).append(self._write_task(task))
        self.groups = {group: "\n".join(found) for group, found in lines.items()}
        self.reminder = self._write_reminder(title)

    def _write_reminder(self, title: str) -> str:
        """What Evernote reminds of; an order of 0 alone is on nearly every note, and none."""
        texts, zone = self.note.texts, self.source.wishes.zone
        due = read_moment(texts.get("reminder-time", ""), zone)
        done = read_moment(texts.get("reminder-done-time", ""), zone)
        if due is None and done is None and texts.get("reminder-order", "0").strip() in ("", "0"):
            return ""
        return self._write(f"Reminder: {title}", due, done, done is not None)

    def _write_task(self, task: dict[str, str]) -> str:
        zone = self._find_zone(task)
        due = read_moment(task.get("dueDate", ""), zone)
        timed = task.get("dueDateUIOption", "").strip() == "date_time"
        remind = read_moment(task.get("reminder/reminderDate", "") or task.get("reminder/date", ""), zone)
        done = task.get("taskStatus", "").strip().lower() == "completed"
        closed = read_moment(task.get("statusUpdated", ""), zone) if done else None
        words = clean_line(task.get("title", "")) or "Task"
        if due is not None and timed:
            words += f" ({due:%H:%M})"
        if remind is not None and due is not None:
            words += f" (reminder {remind:%Y-%m-%d %H:%M})"
        flagged = task.get("taskFlag", "").strip().lower() == "true"
        repeats = self._read_rule(task, words) if due is not None else ""
        return self._write(words, due or remind, closed, done, flagged, repeats)

    def _find_zone(self, task: dict[str, str]) -> tzinfo | None:
        from zoneinfo import ZoneInfo

        name = task.get("timeZone", "").strip()
        try:
            return ZoneInfo(name) if re.fullmatch(r"[A-Za-z0-9_+/-]+", name) else self.source.wishes.zone
        except (OSError, ValueError):  # one that does not exist is both, too
            return self.source.wishes.zone

    def _write(
        self,
        words: str,
        due: datetime | None,
        closed: datetime | None,
        done: bool,
        flagged: bool = False,
        repeats: str = "",
    ) -> str:
        asked = self.source.wishes.tasks_filter
        parts = [f"- [{'x' if done else ' '}]", " ".join(_SIGNS.sub("", words).split())]
        parts += [asked] if asked and asked not in words else []
        parts += ["⏫"] if flagged else []
        parts += [f"\U0001f501 {repeats}"] if repeats else []
        parts += [f"\U0001f4c5 {_day(due)}"] if due else []
        parts += [f"✅ {_day(closed)}"] if done and closed else []
        return " ".join(parts)

    def _read_rule(self, task: dict[str, str], words: str) -> str:
        """``every 2 weeks on Friday`` for an RRULE that the Tasks plugin can say; else '' and a problem."""
        rule = task.get("recurrence", "").strip()
        if not rule:
            return ""
        parts = dict(
            part.partition("=")[::2] for part in rule.upper().removeprefix("RRULE:").split(";") if part
        )
        unit = _UNITS.get(parts.pop("FREQ", ""), "")
        number = parts.pop("INTERVAL", "1")
        days = [_DAYS.get(day, "") for day in parts.pop("BYDAY", "").split(",") if day]
        parts.pop("WKST", None)
        if (
            not unit
            or not re.fullmatch("[1-9][0-9]{0,2}", number)
            or parts
            or not all(days)
            or (days and unit != "week")
        ):
            message = (
                f"The task `{words[:60]}` recurs by a rule that Tasks cannot say (`{clean_line(rule)[:60]}`)."
            )
            self.problems.append(
                self.source.report(
                    self.note.line, "bad-recurrence", WARNING, message, "It comes once: repeat it by hand."
                )
            )
            return ""
        every = f"every {unit}" if number == "1" else f"every {number} {unit}s"
        on = f" on {', '.join(days)}" if days else ""
        after = task.get("repeatAfterCompletion", "").strip().lower() == "true"
        return f"{every}{on}{' when done' if after else ''}"


def _day(moment: datetime) -> str:
    return date(moment.year, moment.month, moment.day).isoformat()
