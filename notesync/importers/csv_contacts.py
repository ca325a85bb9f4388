"""Tables of contacts -> a record for every row.

Known are the headers of Google Contacts (both generations), Outlook, Thunderbird, LinkedIn and HubSpot, and those
that ``notesync export --format csv`` writes; any other column is named with ``--map``.  A cell without a key of its
own goes into the body under its header, so nothing is dropped.  Dates are read only where they can mean one day.

Python's own csv module parts the cells: what is left to find out is the encoding, the divider and which line is
the header, for LinkedIn writes notes above it.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

from notesync.followup.dates import suggest_date
from notesync.importers.decoding import open_text, read_lines
from notesync.importers.record import (
    FIELDS,
    SEVERAL,
    Record,
    Source,
    build_body,
    clean_line,
    clean_text,
    collect,
    collect_tags,
    report_long,
)
from notesync.problems import ERROR, WARNING, Problem, UsageError

JOINER = " ::: "
"""What stands between several values of one cell: Google's way, and our own export's."""

_HEAD_LINES = 25
_DIVIDERS = ",;\t|"
_WIDEST = 2000  # columns
_DATE_KEYS = frozenset(
    ("next_contact", "last_contact", "quoted", "sold", "delivery", "go_live", "lost", "renewal", "paused_until",
     "created")
)  # fmt: skip

# Roles that are no keys: parts of a name, an address or a day, and what is told in the body.
_PARTS = ("prefix", "first", "middle", "last", "suffix")
_PLACES = ("formatted", "street", "street2", "street3", "box", "city", "region", "postal", "country")

# A header's words in small letters, its number as #, and what the cell is.
_HEADERS = {
    "name": "name", "full name": "name", "display name": "name", "contact name": "name", "file as": "",
    "first name": "first", "given name": "first", "middle name": "middle", "additional name": "middle",
    "last name": "last", "family name": "last", "surname": "last", "name prefix": "prefix", "name suffix": "suffix",
    "suffix": "suffix", "nickname": "aliases", "short name": "aliases",
    "company": "company", "organization": "company", "organisation": "company", "company name": "company",
    "organization name": "company", "organization # - name": "company", "associated company": "company",
    "primary associated company": "company", "account name": "company",
    "job title": "role", "position": "role", "organization title": "role", "organization # - title": "role",
    "e-mail": "email", "email": "email", "email address": "email", "e-mail address": "email",
    "e-mail # address": "email", "e-mail # - value": "email", "primary email": "email", "secondary email": "email",
    "phone": "phone", "phone number": "phone", "phone # - value": "phone", "mobile": "phone", "telephone": "phone",
    "business phone": "phone", "business phone #": "phone", "home phone": "phone", "home phone #": "phone",
    "mobile phone": "phone", "mobile number": "phone", "mobile phone number": "phone", "work phone": "phone",
    "company main phone": "phone", "primary phone": "phone", "other phone": "phone", "car phone": "phone",
    "website": "website", "web page": "website", "web page #": "website", "website # - value": "website",
    "website url": "website", "url": "website", "profile url": "website", "personal web page": "website",
    "notes": "text", "note": "text", "body": "text", "birthday": "day", "anniversary": "day", "birth date": "day",
    "event # - value": "day", "connected on": "day", "birth year": "birth year", "birth month": "birth month",
    "birth day": "birth day", "categories": "tags", "labels": "tags", "group membership": "tags",
    "contact owner": "owner", "hubspot owner": "owner", "lifecycle stage": "lifecycle", "record id": "hubspot",
    "contact id": "hubspot", "create date": "created", "address": "street:main", "street address": "street:main",
    "city": "city:main", "state/region": "region:main", "postal code": "postal:main", "country/region": "country:main",
    "country": "country:main", "state": "region:main", "zip": "postal:main",
}  # fmt: skip
_HEADERS |= {
    f"{place} {word}": f"{part}:{place}"
    for place in ("business", "home", "other", "work")
    for word, part in {
        "street": "street", "street 2": "street2", "street 3": "street3", "address": "street", "address 2": "street2",
        "po box": "box", "address po box": "box", "city": "city", "state": "region", "postal code": "postal",
        "zipcode": "postal", "country/region": "country", "country": "country",
    }.items()
}  # fmt: skip
_HEADERS |= {
    f"address # - {word}": f"{part}:#"
    for word, part in {
        "formatted": "formatted", "street": "street", "extended address": "street2", "po box": "box", "city": "city",
        "region": "region", "postal code": "postal", "country": "country",
    }.items()
}  # fmt: skip

# Outlook and Thunderbird write their headers in the language of the desktop: the ones that carry a contact.
_LOCAL = {
    "vorname": "first", "nachname": "last", "firma": "company", "position": "role", "e-mail-adresse": "email",
    "telefon geschäftlich": "phone", "telefon privat": "phone", "mobiltelefon": "phone", "notizen": "text",
    "anzeigename": "name", "primäre e-mail-adresse": "email", "organisation": "company",
    "prénom": "first", "nom": "last", "société": "company", "titre": "role", "adresse de messagerie": "email",
    "téléphone (bureau)": "phone", "téléphone (domicile)": "phone", "tél. mobile": "phone",
    "nombre": "first", "apellidos": "last", "organización": "company", "cargo": "role",
    "dirección de correo electrónico": "email", "teléfono móvil": "phone", "teléfono del trabajo": "phone",
    "voornaam": "first", "achternaam": "last", "bedrijf": "company", "functie": "role", "e-mailadres": "email",
    "telefoon op werk": "phone", "mobiele telefoon": "phone", "notities": "text",
    "nome": "first", "sobrenome": "last", "cognome": "last", "empresa": "company", "società": "company",
    "indirizzo posta elettronica": "email", "endereço de email": "email", "telemóvel": "phone", "cellulare": "phone",
}  # fmt: skip

# What programs write where nobody chose anything.
_NOTHING = frozenset(
    {
        "sensitivity": "normal",
        "priority": "normal",
        "private": "false",
        "gender": "unspecified",
        "e-mail type": "smtp",
    }.items()
)
_STAGES = {"lead": "lead", "opportunity": "prospect", "customer": "customer", "subscriber": "lead"}
_MY_CONTACTS = frozenset(("* mycontacts", "mycontacts"))


class Layout(NamedTuple):
    """How a table is read: its divider, the line of its header, its columns and what each of them is."""

    divider: str
    line: int
    columns: tuple[str, ...]
    roles: tuple[str, ...]


def read_contacts(source: Source) -> Iterator[Record | Problem]:
    """The records of a table.  Raises UsageError for one whose columns nobody has named."""
    with open_text(source.stream, keep_line_ends=True) as (text, read):
        lines = read_lines(text)
        head = list(islice(lines, _HEAD_LINES))
        shown = [read(line or "") for line in head]
        layout = find_layout(shown, source.wishes.columns)
        if layout is None:
            if any(line.strip() for line in shown):
                raise UsageError(_describe_unknown(source.path, shown))
            yield source.report(
                1, "empty-file", WARNING, "There is nothing in this file.", "Export it again."
            )
            return
        numbered = enumerate(chain(head, lines), start=1)
        rest = ((number, line) for number, line in numbered if number > layout.line)
        for number, cells in _read_rows(source, rest, layout):
            if isinstance(cells, Problem):
                yield cells
            elif any(cell.strip() for cell in cells):
                yield _Row(source, number, layout, [_bare(read(cell)) for cell in cells]).build()


# --- The table -------------------------------------------------------------------------------------------


def _read_rows(
    source: Source, lines: Iterator[tuple[int, str | None]], layout: Layout
) -> Iterator[tuple[int, list[str] | Problem]]:
    """The rows with the lines they begin on; one that cannot be taken apart is a problem.

    A quotation mark that nobody closed takes in what follows it, to the end of the file or to the longest cell: then
    its line is read without quotation marks, and the lines after it once more.
    """
    waiting: deque[tuple[int, str | None]] = deque()
    taken: list[tuple[int, str]] = []
    long: list[int] = []
    ended = False

    def feed() -> Iterator[str]:
        nonlocal ended
        while (found := waiting.popleft() if waiting else next(lines, None)) is not None:
            number, line = found
            if line is None:
                long.append(number)
                continue
            taken.append((number, line))
            yield line
        ended = True
        yield _END

    rows = csv.reader(feed(), delimiter=layout.divider)
    while True:
        try:
            cells = next(rows)
            is_whole = not (ended and taken)
        except csv.Error:
            cells, is_whole = [], False
        yield from ((number, report_long(source, number)) for number in long)
        long.clear()
        if not taken:
            return
        begun, first = taken.pop(0)
        if not is_whole:
            yield begun, _report_row(source, begun)
            waiting.extendleft(reversed(taken))
            ended = False
            rows = csv.reader(feed(), delimiter=layout.divider)
            cells = _part_plainly(first, layout.divider)
        taken.clear()
        yield begun, cells


_END = "\ue000"
"""What is read behind the last line, as a row of its own unless a cell before it was not closed."""


def _report_row(source: Source, line: int) -> Problem:
    message = "A quotation mark of this row is not closed, or one of its cells is too long."
    hint = "The line was read as if it had none: look whether its note is whole."
    return source.report(line, "bad-row", ERROR, message, hint)


def _part_plainly(line: str, divider: str) -> list[str]:
    """The cells of a line whose quotation marks mean nothing; none where it is far too long."""
    if len(line) > csv.field_size_limit():
        return []
    cells = line.rstrip("\r\n").split(divider)
    return [cell.strip().removeprefix('"').removesuffix('"') for cell in cells]


def _bare(cell: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from calculating it."""
    return cell[1:] if re.match(r"'+\s*[=+\-@＝＋－＠]", cell) else cell


def find_layout(lines: Sequence[str], told: Mapping[str, str]) -> Layout | None:
    """The header among the first lines: the one with most columns that say who somebody is."""
    named = {_fold(column): role for column, role in told.items()}
    best: tuple[int, Layout] | None = None
    for divider in _DIVIDERS:
        for number, line in enumerate(lines, start=1):
            columns = _part(line, divider)
            roles = tuple(_find_role(column, columns, named) for column in columns)
            score = sum(bool(role) for role in roles)
            if (
                not (set(roles) & {"name", "first", "last", "email", "company", "phone"})
                or len(columns) > _WIDEST
            ):
                continue
            if score > (best[0] if best else 0) and (len(columns) > 1 or score == 1):
                best = score, Layout(divider, number, tuple(columns), roles)
    return best[1] if best else None


def _part(line: str, divider: str) -> list[str]:
    try:
        return [
            clean_line(cell)
            for cell in next(csv.reader([line.removeprefix("\ufeff")], delimiter=divider), [])
        ]
    except csv.Error:
        return []


@lru_cache(maxsize=4096)
def _fold(header: str) -> str:
    return " ".join(header.casefold().split())


def _find_role(header: str, columns: Sequence[str], named: Mapping[str, str]) -> str:
    """What a column's cells are; '' for words of the body."""
    folded = _fold(header)
    if folded in named:
        return named[folded]
    if folded == "title":  # Outlook's is Mr or Ms, others' is what somebody does
        return "prefix" if any(_fold(each) == "job title" for each in columns) else "role"
    number = re.search("[0-9]+", folded)
    general = re.sub("[0-9]+", "#", folded)
    role = _HEADERS.get(folded) or _HEADERS.get(general) or _LOCAL.get(folded, "")
    if not role and folded.replace(" ", "_") in FIELDS:
        role = folded.replace(" ", "_")
    return role.replace("#", number[0]) if number else role


def _describe_unknown(path: str, lines: Sequence[str]) -> str:
    """Why a table is not read, with what it begins with and how to name its columns."""
    shown = [line for line in lines if line.strip()]
    divider = max(_DIVIDERS, key=lambda sign: shown[0].count(sign))
    columns = _part(shown[0], divider)
    sample = _part(shown[1], divider) if len(shown) > 1 else []
    preview = [
        f"  {name or '(no name)'}: {sample[at] if at < len(sample) else ''}"[:100]
        for at, name in enumerate(columns[:20])
    ]
    example = columns[0] if columns and columns[0] else "Kunde"
    return "\n".join(
        (
            f"unknown-columns: {path} has no column that says who somebody is. Its columns, and the first row:",
            *preview,
            f"Name them with --map, such as --map '{example}=name'. Keys: {', '.join(FIELDS)}.",
        )
    )


# --- A row -----------------------------------------------------------------------------------------------


class _Row:
    """One row on its way to a record."""

    def __init__(self, source: Source, line: int, layout: Layout, cells: Sequence[str]) -> None:
        self.source, self.line, self.layout = source, line, layout
        self.cells = cells
        self.fields: dict[str, list[str]] = {}
        self.parts: dict[str, str] = {}
        self.places: dict[str, dict[str, str]] = {}
        self.details: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.problems: list[Problem] = []
        self.identity = ""
        self.labels: dict[str, str] = {}
        self.values: dict[str, list[str]] = {}
        self.labelled: set[str] = set()

    def build(self) -> Record:
        columns, roles = self.layout.columns, self.layout.roles
        for at, cell in enumerate(self.cells[:_WIDEST]):
            if cell.strip():
                header = columns[at] if at < len(columns) else f"Column {at + 1}"
                self._take(header, roles[at] if at < len(roles) else "", cell)
        self._take_parts()
        self._take_labels()
        fields = {key: collect(texts) for key, texts in self.fields.items()}
        for key, texts in fields.items():
            if key not in SEVERAL:
                self.details += [(key.capitalize(), text) for text in texts[1:]]
        name = self._find_name(fields)
        kept = {
            key: texts if key in SEVERAL else texts[:1]
            for key, texts in fields.items()
            if texts and key != "name"
        }
        identity = "".join(kept.pop("id", ())) or self.identity
        body = build_body(self.details, "\n\n".join(map(clean_text, self.texts)))
        return Record(self.line, name, kept, body, identity=identity, problems=tuple(self.problems))

    def _take(self, header: str, role: str, cell: str) -> None:
        words = [part for part in cell.split(JOINER.strip()) if part.strip()] if ":::" in cell else [cell]
        part, _, place = role.partition(":")
        if role in _PARTS or role.startswith("birth "):
            self.parts[role] = clean_line(cell)
        elif place or part in _PLACES:
            self.labelled.add(header.rpartition(" - ")[0])
            self.places.setdefault(place, {})[part] = ", ".join(collect(cell.split("\n")))
        elif role == "text":
            self.texts.append(cell)
        elif role == "tags":
            found = [word for each in words for word in re.split("[;,]", each)]
            tags = (word for word in found if word.strip().casefold() not in _MY_CONTACTS)
            self.fields.setdefault("tags", []).extend(collect_tags(tags))
        elif role == "day":
            self._take_day(header, cell)
        elif role == "lifecycle":
            stage = _STAGES.get(clean_line(cell).casefold())
            self._take_plain(header, "stage" if stage else "", [stage or cell])
        elif role == "hubspot":
            self.identity = f"hubspot-{clean_line(cell)}"
        elif role in _DATE_KEYS:
            self._take_date(header, role, cell)
        elif (_fold(header), clean_line(cell).casefold()) not in _NOTHING:
            self._take_plain(header, role, words)

    def _take_plain(self, header: str, role: str, words: Sequence[str]) -> None:
        thing, _, what = header.rpartition(" - ")
        if thing and what in ("Type", "Label"):
            self.labels[thing] = clean_line(words[0].removeprefix("*"))
        elif role:
            self.fields.setdefault(role, []).extend(words)
            if thing:
                self.values[thing] = list(words)
        else:
            self.details.append((header, JOINER.join(words)))

    def _take_labels(self) -> None:
        """Google's words for which of several numbers or addresses one is, beside it: a list of keys has no room."""
        for at, (header, text) in enumerate(self.details):
            thing, _, what = header.rpartition(" - ")
            if label := self.labels.pop(thing, "") if what == "Value" else "":
                self.details[at] = (f"{re.sub(r' [0-9]+$', '', thing)} ({label})", text)
        for thing, label in self.labels.items():
            words = re.sub(r" [0-9]+$", "", thing)
            if thing in self.labelled:
                self.details.append((f"Kind of {words.lower()}", label))
            for value in self.values.get(thing, ()) if label else ():
                self.details.append((f"{words} ({label})", value))

    def _take_day(self, header: str, cell: str) -> None:
        """A birthday or the like, for the body; programs write zeros for none."""
        if not re.search("[1-9]", cell):
            return
        day = read_day(cell)
        if not day:
            self._report_date(header, cell, "it stands in the body as it was")
        self.details.append((header, day or cell))

    def _take_date(self, header: str, key: str, cell: str) -> None:
        """A date of ours: ISO as it is, any other only where it can mean one day."""
        words = clean_line(cell)
        day = words if re.match("[0-9]{4}-[0-9]{2}-[0-9]{2}|unknown$", words) else read_day(words)
        if day:
            self.fields.setdefault(key, []).append(day)
        else:
            self._report_date(header, cell, f"it stands in the body, and `{key}` is empty")
            self.details.append((header, cell))

    def _report_date(self, header: str, cell: str, where: str) -> None:
        meant = suggest_date(cell)
        self.problems.append(
            self.source.report(
                self.line, "bad-date", WARNING,
                f"`{clean_line(cell)[:40]}` under `{header}` is no day that can be read for certain; {where}.",
                f"Write it as {meant}." if meant else "Write it as year-month-day.",
            )
        )  # fmt: skip

    def _take_parts(self) -> None:
        year, month, day = (self.parts.pop(f"birth {part}", "") for part in ("year", "month", "day"))
        if month.isdecimal() and day.isdecimal():
            self.details.append(("Birthday", f"{f'{year}-' if year else ''}{int(month):02}-{int(day):02}"))
        elif year or month or day:
            self.details.append(("Birthday", " ".join((year, month, day))))
        addresses = collect(
            each.get("formatted") or ", ".join(each[part] for part in _PLACES if each.get(part))
            for each in self.places.values()
        )
        self.fields.setdefault("address", []).extend(addresses)

    def _find_name(self, fields: Mapping[str, Sequence[str]]) -> str:
        if fields.get("name"):
            return fields["name"][0]
        if joined := " ".join(self.parts[part] for part in _PARTS if self.parts.get(part)):
            return joined
        for key in ("company", "aliases", "email", "phone"):
            if fields.get(key):
                return fields[key][0]
        message = "This row does not say whom it is about."
        self.problems.append(
            self.source.report(
                self.line, "no-name", WARNING, message, "Name the note after whom it is about."
            )
        )
        return f"Contact of line {self.line}"


def read_day(text: str) -> str:
    """The ISO form of a date that can mean but one day; '' for any other.

    >>> read_day("25/11/2026"), read_day("01 Feb 2026"), read_day("01/02/2026")
    ('2026-11-25', '2026-02-01', '')
    """
    words = clean_line(text)
    if re.fullmatch(r".*[^0-9][0-9]{2}|[0-9]{1,2}\D.*", words) and not re.search("[0-9]{4}", words):
        return ""  # a year of two figures can be in either century
    found = suggest_date(words)[:10] if " or " not in suggest_date(words) else ""
    try:
        return date.fromisoformat(found).isoformat() if _is_same_day(found, words) else ""
    except ValueError:
        return ""


def _is_same_day(day: str, words: str) -> bool:
    """Whether the day found is among the words: an impossible one is suggested as its month's last."""
    return (
        not day
        or re.search(rf"(?<![0-9])0?{int(day[8:])}(?![0-9])", words) is not None
        or day.replace("-", "") in words
    )
