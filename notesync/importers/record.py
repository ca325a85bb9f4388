"""What every importer gives: records, and the problems of what could not be read; and what it is told.

In: a stream of bytes, the file's name, and the few things that a vault decides.  Out: :class:`Record` values one
by one, so that a file of any size is read in the memory of its largest record.  Whatever the bytes are, an
importer raises nothing for them: a record that cannot be read is a :class:`Problem`, and the next one follows.
It knows neither the vault nor its clients: whether a record is new is for ``sync/importing.py`` to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import tzinfo
from typing import BinaryIO, NamedTuple
from unicodedata import category

from notesync.followup.client_fields import KEYS
from notesync.notes.file_name import NAMELESS, build_stem
from notesync.problems import ERROR, Problem

CLIENT, NOTE = "client", "note"
FIELDS = tuple(key for key in KEYS if key != "type")
"""The keys that a record may fill."""

SEVERAL = frozenset(("email", "phone", "aliases", "tags", "owner", "team", "contact_by", "not_by", "plan"))
"""The keys that take a list."""

LONGEST_LINE = 4 * 1024 * 1024
"""Characters of one line: longer ones are no text that a person wrote, and are not kept in memory."""

_LONGEST_ENDING = 8


class Attachment(NamedTuple):
    """A file that belongs to a record; ``mark`` stands in the body where the link to it goes."""

    name: str
    data: bytes
    mark: str


class Record(NamedTuple):
    """A client, or a plain note, as another program had it.

    ``line`` is where it begins in the file, ``fields`` are texts by key, ``body`` is Markdown.  ``identity`` is the
    same at every export of the same thing; '' where the format has none.
    """

    line: int
    name: str
    fields: Mapping[str, tuple[str, ...]]
    body: str = ""
    kind: str = CLIENT
    identity: str = ""
    attachments: tuple[Attachment, ...] = ()
    problems: tuple[Problem, ...] = ()


class Wishes(NamedTuple):
    """What is told to an importer besides the bytes.

    ``zone`` is where its times are read (None: the machine's), ``kind`` is what a note of a notebook becomes,
    ``clients`` are the tags and notebooks whose notes become clients all the same, ``columns`` maps a table's own
    headers to keys, ``tasks_filter`` is what the vault's Tasks plugin asks of every task.
    """

    zone: tzinfo | None = None
    kind: str = NOTE
    clients: frozenset[str] = frozenset()
    columns: Mapping[str, str] = {}
    tasks_filter: str = ""


class Source(NamedTuple):
    """A file to import: its bytes, its name as problems show it, and what is wished."""

    stream: BinaryIO
    path: str
    wishes: Wishes

    def report(
        self, line: int, code: str, severity: str, message: str, hint: str, column: int = 1
    ) -> Problem:
        """A problem at a line of the file."""
        return Problem(self.path, max(line, 1), max(column, 1), code, severity, message, hint)


Importer = Callable[[Source], Iterator[Record | Problem]]


# --- Texts -----------------------------------------------------------------------------------------------

_LINE_ENDS = re.compile("\r\n?")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ue000\ue001]")


def clean_text(text: str) -> str:
    """A text of several lines as a note can hold it: its lines end in LF, and controls are gone."""
    return _UNFIT.sub("", _LINE_ENDS.sub("\n", text))


def clean_line(text: str) -> str:
    """A text as one line, without blanks at its ends."""
    shown = "".join(" " if category(sign) in ("Cc", "Zl", "Zp") else sign for sign in text)
    return " ".join(_UNFIT.sub("", shown).split())


def collect(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts that say something, each once, as single lines."""
    return tuple(dict.fromkeys(line for line in map(clean_line, texts) if line))


_NO_TAG = re.compile("[\\s\u2000-\u206f\u3000-\u303f!-,.:-@\\[-^`{-~]+")


def collect_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts as Obsidian's tags, each once: letters, figures, ``_``, ``-`` and ``/``; a hyphen for all others."""
    return collect(_NO_TAG.sub("-", clean_line(text)).strip("-") for text in texts)


def build_body(details: Iterable[tuple[str, str]], text: str) -> str:
    """What has no key of its own as a list, then the text, which is clean: a log in it has to stay below."""
    lines = [f"- {clean_line(label)}: {clean_line(words)}" for label, words in details if clean_line(words)]
    parts = ["\n".join(dict.fromkeys(lines)), text.strip("\n")]
    return "\n\n".join(part for part in parts if part.strip())


# --- Attachments -----------------------------------------------------------------------------------------


def build_mark(number: int) -> str:
    """What stands for the link to an attachment: signs that :func:`clean_text` takes out of every text."""
    return f"\ue000{number}\ue001"


def build_file_name(name: str, ending: str, taken: Iterable[str]) -> str:
    """A name for an attachment that every system takes, that is no note's, and that is not among ``taken``.

    Only the last part of a path counts, so nothing is written outside the folder that is meant for it.
    """
    name = re.split(r"[/\\]", clean_line(name))[-1]
    base, dot, found = name.rpartition(".")
    if not dot or not re.fullmatch(rf"[A-Za-z0-9]{{1,{_LONGEST_ENDING}}}", found):
        base, found = name, re.sub("[^A-Za-z0-9]", "", ending)[:_LONGEST_ENDING]
    if found.lower() == "md":
        found = "txt"  # else it would be a note of the vault, even a client's
    stem = build_stem(base)
    if stem == NAMELESS:
        stem = "attachment"
    used = {each.casefold() for each in taken}
    tries = (stem if number < 2 else f"{stem} {number}" for number in range(1, len(used) + 3))
    names = (f"{each}.{found}" if found else each for each in tries)
    return next(each for each in names if each.casefold() not in used)


# --- Too much --------------------------------------------------------------------------------------------


def report_long(source: Source, line: int) -> Problem:
    """A line that is too long to be read."""
    return source.report(
        line,
        "too-long",
        ERROR,
        f"A line has more than {LONGEST_LINE // (1024 * 1024)} million characters, so what it belongs to was left out.",
        "Export it again, without pictures in it.",
    )
