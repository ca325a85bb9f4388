"""A note and its body in, a client and the note's mistakes out.

Every key that a client note may have is one line of :data:`FIELDS`: its name, what reads its words, and
where the value goes.  The words come as the person wrote them; here, and only here, a key gives them a
type.  A value that cannot be read becomes a :class:`Problem` at its own line and column, and the client is
read as if the key were empty.

This module knows no today, no disk and no follow-up: what the facts ask for is the business of the rules.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from notesync.followup.dates import YEARS, Interval, parse_date, parse_interval, suggest_date
from notesync.followup.entry_fields import find_delivery, find_entry_problems, find_newest_sale
from notesync.followup.task_rules import find_rule_problems
from notesync.notes.body import CHANNELS, Entry, Task, find_channel
from notesync.notes.note import Plain, normalise_key
from notesync.problems import ERROR, WARNING, Problem

if TYPE_CHECKING:
    from notesync.followup.settings import Settings
    from notesync.notes.body import Body
    from notesync.notes.note import Note, Property, Scalar

    Found = Property | Plain
    Value = Scalar | Plain

MAX_PROBLEMS = 50  # of one note's keys: more tell nobody more


class Dated(NamedTuple):
    """A day that a note names, its minute in the settings' zone where it has one, and where it stands."""

    day: date
    minute: int | None
    line: int
    column: int


class Client(NamedTuple):
    """A client as the note tells it; texts are '' and lists are empty where it says nothing.

    ``key`` is the identity that calendar entries keep: the ``id``, else the NFC path.  Texts that were links
    are their words here; ``links`` has, for the attributes that held links, what they point at.  ``every_line``
    is the line of the cadence (1 without one), ``anchors`` maps the keys of plans' anchors to their days,
    ``paused`` is a pause without an end, ``log`` and ``tasks`` are in the note's order, closed tasks included.
    """

    path: str
    key: str
    name: str
    stage: str
    log: tuple[Entry, ...]
    tasks: tuple[Task, ...]
    anchors: dict[str, Dated]
    links: dict[str, tuple[str, ...]]
    every: Interval | None = None
    every_line: int = 1
    last_contact: Dated | None = None
    next_contact: Dated | None = None
    company: str = ""
    role: str = ""
    source: str = ""
    best_time: str = ""
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    contact_by: tuple[str, ...] = ()
    value: float | None = None
    id: str = ""
    paused_until: Dated | None = None
    created: Dated | None = None
    address: str = ""
    website: str = ""
    referred_by: str = ""
    next_action: str = ""
    team: tuple[str, ...] = ()
    not_by: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    minutes: int | None = None
    delivery_unknown: bool = False
    paused: bool = False
    do_not_contact: bool = False


# --- Which notes are clients -----------------------------------------------------------------------------

# A note without a type that has one of these is a client's; beside another type they are worth a warning.
_TELLING_KEYS = frozenset(
    ("next_contact", "last_contact", "every", "quoted", "sold", "delivery", "lost", "renewal")
)


def is_client(note: Note, settings: Settings) -> bool:
    """Whether this is a client's note: by its type, or without one by a date or cadence key of ours.

    Not one is a template (``{{`` or ``<%`` in its header) and a note that notesync itself generates.
    """
    if not note.found or is_made(note):
        return False
    schema = _schema_of(settings)
    types = _read_types(note, schema)
    if types:
        return not schema.client_types.isdisjoint(types)
    return _find_telling(note, schema) is not None


def find_other_type(note: Note, settings: Settings) -> tuple[Problem, ...]:
    """The warning for a note that is no client's although it has a key of ours: its type says otherwise."""
    if not note.found or is_made(note):
        return ()
    schema = _schema_of(settings)
    types, telling = _read_types(note, schema), _find_telling(note, schema)
    if telling is None or not types or not schema.client_types.isdisjoint(types):
        return ()
    message = (
        f"`{_clip(telling.key)}` stands in a note of the type `{_clip(types[0])}`, which is not a client's."
    )
    hint = "If it is a client, write `type: client`, or name the type under `client_types` in the settings."
    return (Problem(note.path, telling.line, telling.column, "other-type", WARNING, message, hint),)


def find_known_keys(settings: Settings) -> frozenset[str]:
    """The names of all keys that are read, as a :class:`Property` has them: for notes that are no YAML."""
    return _schema_of(settings).known


def find_key(note: Note, key: str, settings: Settings) -> str:
    """The name by which a note has the value of one of our keys, or is to get it.

    That is the name from which it is read now: the vault's own goes before ours, and ours before a plugin's.
    """
    fields = _schema_of(settings).fields
    names = [name for name, (_, field, _) in fields.items() if field.key == key]
    names.sort(key=lambda name: len(fields[name][2]))
    there = [found for name in names if (found := note.get(name)) is not None]
    telling = next((found for found in there if _says_something(found)), there[0] if there else None)
    return telling.key if telling else settings.fields.get(key, key)


def list_keys(settings: Settings) -> tuple[str, ...]:
    """All keys in the order in which a note best lists them, by the vault's own names."""
    return tuple(settings.fields.get(key, key) for key in KEYS)


def is_made(note: Note) -> bool:
    """Whether nobody wrote the note as it is: a template, or one that notesync generates."""
    if note.template:
        return True
    made = note.by_name.get("generated")
    return made is not None and any(value.text.strip() == "notesync" for value in made.values)


def _read_types(note: Note, schema: _Schema) -> list[str]:
    for name in schema.type_names:
        found = note.by_name.get(name)
        if found is not None and found.values:
            words = [show_link(word).casefold() for word in _split(found)]
            if words:
                return words
    return []


def _find_telling(note: Note, schema: _Schema) -> Property | None:
    for found in note.properties:
        known = schema.fields.get(found.name)
        if known is not None and known[1].key in _TELLING_KEYS:
            return found
    return None


# --- Links -----------------------------------------------------------------------------------------------

_LINK = re.compile(r"!?\[\[([^\[\]|]*)(?:\|([^\[\]]*))?\]\]")


def show_link(text: str) -> str:
    """The text with each wikilink as the words that a reader sees: its label, else the note's name.

    >>> show_link("[[People/Acme Ltd.md#Team|Acme]] and [[People/Bo]]")
    'Acme and Bo'
    """
    if "[[" not in text:
        return text.strip()
    return _LINK.sub(_link_words, text).strip()


def _link_words(link: re.Match[str]) -> str:
    label = (link[2] or "").strip()
    return label or link[1].partition("#")[0].rpartition("/")[2].removesuffix(".md").strip()


def _find_targets(texts: Iterable[str]) -> tuple[str, ...]:
    """What the links in these texts point at, without headings: names or paths of notes."""
    found = (link[1].partition("#")[0].strip() for text in texts for link in _LINK.finditer(text))
    return tuple(target for target in found if target)


# --- Reading values --------------------------------------------------------------------------------------


class _Reading:
    """What one note's reading gathers beside its values: what does not fit into one attribute each."""

    __slots__ = ("anchors", "delivery_unknown", "every_line", "links", "path", "problems", "timezone")

    def __init__(self, path: str, timezone: str) -> None:
        self.path = path
        self.timezone = timezone
        self.problems: list[Problem] = []
        self.links: dict[str, tuple[str, ...]] = {}
        self.anchors: dict[str, Dated] = {}
        self.every_line = 1
        self.delivery_unknown = False

    def report(self, at: Value | Dated, code: str, severity: str, message: str, hint: str) -> None:
        self.problems.append(Problem(self.path, at.line, at.column, code, severity, message, hint))


class Field(NamedTuple):
    """A key of client notes: ``parse`` makes its values what ``attribute`` of the client holds; None: nothing."""

    key: str
    parse: Callable[[_Reading, Field, Found], Any]
    attribute: str


def _read_text(reading: _Reading, field: Field, found: Found) -> str:
    if isinstance(found, Plain):
        text = found.text
        return show_link(text) if "[[" in text else text.strip()
    values = found.values
    return ", ".join(show_link(value.text) for value in values)


def _read_linked(reading: _Reading, field: Field, found: Found) -> str:
    """A text that may be a link to another note, such as the client's company."""
    _keep_links(reading, field, found)
    return _read_text(reading, field, found)


def _keep_links(reading: _Reading, field: Field, found: Found) -> None:
    texts = [value.text for value in found.values if "[[" in value.text]
    if texts:
        reading.links[field.attribute] = _find_targets(texts)


def _read_as_written(reading: _Reading, field: Field, found: Found) -> tuple[str, ...]:
    """Phone numbers and addresses: not a character is changed, nor is a comma taken for a separator."""
    return tuple([value.text for value in found.values])


def _read_list(reading: _Reading, field: Field, found: Found) -> tuple[str, ...]:
    return tuple([word for item in _split(found) if (word := show_link(item))])


def _read_linked_list(reading: _Reading, field: Field, found: Found) -> tuple[str, ...]:
    _keep_links(reading, field, found)
    return _read_list(reading, field, found)


def _read_tags(reading: _Reading, field: Field, found: Found) -> tuple[str, ...]:
    # A tag has no blank in it, so that text may also part its tags by blanks.
    return tuple([tag for item in _split(found) for word in item.split() if (tag := word.lstrip("#"))])


def _read_channels(reading: _Reading, field: Field, found: Found) -> tuple[str, ...]:
    items = _split(found)
    if len(items) == 1 and (known := CHANNELS.get(items[0].casefold())):
        return (known,)
    return tuple(dict.fromkeys(channel for item in items for channel in _part_channels(item)))


def _part_channels(words: str) -> Iterable[str]:
    """`call or WhatsApp` is two channels; words that are not all channels stay together as they are."""
    if words.casefold() in CHANNELS:
        return (CHANNELS[words.casefold()],)
    parts = re.split(r" or | and | ?[/;&+] ?", words)
    if not all(part.casefold() in CHANNELS for part in parts):
        parts = [words]
    return map(find_channel, parts)


def _read_plan(reading: _Reading, field: Field, found: Found) -> tuple[str, ...]:
    return tuple(item.casefold() for item in _read_list(reading, field, found))


_BETWEEN_COMMAS = re.compile(r"(?:\[\[[^\[\]]*\]\]|[^,])++")  # a comma inside a link parts nothing


def _split(found: Found) -> list[str]:
    """The items of a list; of a lone text, the parts between its commas.  Never an empty one."""
    if isinstance(found, Plain) and "," not in found.text:
        return [found.text.strip()]
    parts = [value.text for value in found.values]
    if not found.is_list and "," in parts[0]:
        parts = _BETWEEN_COMMAS.findall(parts[0])
    return [item for part in parts if (item := part.strip())]


def _read_date(reading: _Reading, field: Field, found: Found) -> Dated | None:
    if isinstance(found, Plain):
        return _read_day(reading, field, found)
    values = found.values
    if len(values) == 1:
        return _read_day(reading, field, values[0])
    days = [day for value in values if (day := _read_day(reading, field, value))]
    if not days:
        return None
    newest = max(days)
    message = f"`{field.key}` has {len(values)} values; only the newest of them counts."
    reading.report(newest, "several-values", WARNING, message, "Keep one date here: the log tells the rest.")
    return newest


_LONGEST_TEXT = 80  # that is looked at for what it could mean: a date, number or cadence is never longer


def _read_day(reading: _Reading, field: Field, value: Value) -> Dated | None:
    written = parse_date(value.text)
    if written is None:
        message = f"`{field.key}` is not a date that can be read for certain: `{_clip(value.text)}`."
        reading.report(value, "bad-date", ERROR, message, _suggest(value.text))
        return None
    day, minute, offset = written
    if offset is not None and minute is not None:
        day, minute = _in_zone(day, minute, offset, reading.timezone)
    if day.year not in YEARS:
        message = f"`{field.key}` lies in the year {day.year}, which cannot be meant."
        hint = f"Write a day from {YEARS[0]} to {YEARS[-1]}."
        reading.report(value, "bad-date", ERROR, message, hint)
        return None
    return _new(Dated, (day, minute, value.line, value.column))


_new = tuple.__new__  # a third of the constructor's time, for what a vault has by the ten thousand


def _suggest(text: str) -> str:
    meant = suggest_date(text[:_LONGEST_TEXT])
    if not meant:
        return "Write year, month and day, as `2026-11-25`."
    return f"Write {' or '.join(f'`{day}`' for day in meant.split(' or '))}."


def _in_zone(day: date, minute: int, offset: int, zone: str) -> tuple[date, int]:
    """A time written with its distance from UTC, as day and minute in the settings' zone."""
    from zoneinfo import ZoneInfo

    there = timezone(timedelta(minutes=offset))
    try:
        moment = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=there)
        here = moment.astimezone(ZoneInfo(zone) if zone else None)
    except (OverflowError, OSError):  # the first or last day that there is: the year is refused next
        return day, minute
    return here.date(), here.hour * 60 + here.minute


def _read_anchor(reading: _Reading, field: Field, found: Found) -> dict[str, Dated]:
    day = _read_date(reading, field, found)
    if day is not None:
        reading.anchors[field.key] = day
    return reading.anchors


def _read_delivery(reading: _Reading, field: Field, found: Found) -> dict[str, Dated]:
    """A day like other anchors', or one that is not known yet."""
    if found.values[0].text.strip().casefold() != "unknown":
        return _read_anchor(reading, field, found)
    reading.delivery_unknown = True
    return reading.anchors


def _read_created(reading: _Reading, field: Field, found: Found) -> Dated | None:
    # Not a key of the format: other programs write it in many ways, so what cannot be read is no problem.
    value = found.values[0]
    written = parse_date(value.text) or parse_date(value.text.strip()[:10])
    if written is None or written.day.year not in YEARS:
        return None
    return Dated(written.day, None, value.line, value.column)


def _read_every(reading: _Reading, field: Field, found: Found) -> Interval | None:
    return _read_cadence(reading, field, found.values[0], found.values[0].text)


def _read_prm_cadence(reading: _Reading, field: Field, found: Found) -> Interval | None:
    value = found.values[0]
    text = value.text.strip()
    return _read_cadence(reading, field, value, f"{text} days" if text.isdecimal() else text)


# Longer than a working life is a slip of the hand.
_LONGEST = {"day": 36525, "workday": 26000, "week": 5218, "month": 1200, "year": 100}


def _read_cadence(reading: _Reading, field: Field, value: Value, text: str) -> Interval | None:
    interval = parse_interval(text[:_LONGEST_TEXT])
    if interval is not None and interval.count <= _LONGEST[interval.unit]:
        reading.every_line = value.line
        return interval
    bare = text.strip()
    likely = f"`{int(bare)} days`" if bare.isascii() and bare.isdigit() and len(bare) < 5 else ""
    hint = f"Write {likely or '`2 weeks`, `month`, `twice a month`, `10 workdays` or the like'}."
    message = f"`{field.key}` does not say how often: `{_clip(value.text)}`."
    reading.report(value, "bad-cadence", ERROR, message, hint)
    return None


_TRUE = frozenset(("true", "yes", "on", "1", "x", "y", "checked"))
_FALSE = frozenset(("false", "no", "off", "0", "n", "unchecked"))


def _read_checkbox(reading: _Reading, field: Field, found: Found) -> bool:
    value = found.values[0]
    word = value.text.strip().casefold()
    if word in _TRUE:
        return True
    if word not in _FALSE:
        message = f"`{field.key}` is a checkbox, neither ticked nor empty: `{_clip(value.text)}`."
        reading.report(value, "bad-checkbox", ERROR, message, "Write `true` or `false`.")
    return False


def _read_minutes(reading: _Reading, field: Field, found: Found) -> int | None:
    value = found.values[0]
    number = re.fullmatch("([0-9]{1,4}) ?(?:m|mins?\\.?|minutes?)?", value.text.strip(), re.IGNORECASE)
    if number and 0 < int(number[1]) <= 24 * 60:
        return int(number[1])
    message = f"`{field.key}` is not a number of minutes within a day: `{_clip(value.text)}`."
    reading.report(value, "bad-number", ERROR, message, "Write a whole number, as `20`.")
    return None


def _read_money(reading: _Reading, field: Field, found: Found) -> float | None:
    value = found.values[0]
    text = value.text.strip()
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return float(text)
    number, hint = parse_money(text)
    if number is None:
        message = f"`{field.key}` is not a number that can be read for certain: `{_clip(text)}`."
        reading.report(value, "bad-number", ERROR, message, hint)
    return number


_MOST_DIGITS = 15  # a float holds them exactly
# Texts, compiled when first needed: an import pays for every pattern, and most values are digits alone.
# Letters behind the number are a currency's code or short name: `5 Mio` and `5 mln` are not five of anything.
_CURRENCY = r"[$€£¥\u00a2\u20a0-\u20cf\u0e3f]"
_SHORT_NAME = r"(?:kr|kn|zł|kč|ft|lei|lv|руб|р|r|rm|rs|rp|tl)\.?"
_AMOUNT = (
    rf"(?:[A-Z]{{0,3}}{_CURRENCY}|[A-Z]{{1,3}}|(?i:{_SHORT_NAME}))?\s*"
    r"(?P<number>[0-9](?:[0-9.,'’\s]*[0-9])?)(?:[.,](?:--?|–|—))?\s*(?P<thousand>[kK](?![A-Za-z]))?"
    rf"\s*(?:{_CURRENCY}|(?!MIO|MLN|MRD|TSD)[A-Z]{{3}}|(?i:{_SHORT_NAME}))?"
)
_GROUPED = r"[0-9]{1,3}(?:([.,'’\s])[0-9]{3})(?:\1[0-9]{3})*|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"


def parse_money(text: str) -> tuple[float | None, str]:
    """An amount and '', or None and what to write: never a guess between a thousand and a decimal mark."""
    match = re.fullmatch(_AMOUNT, text) if len(text) <= _LONGEST_TEXT else None
    if not match:
        return None, "Write digits alone, as `120000`."
    number = match["number"]
    if re.fullmatch(r"[0-9]{1,3}\.[0-9]{3}", number):
        # A German thousand or an English fraction: a deal's value has three decimals nowhere, but who knows.
        whole = number.replace(".", "")
        return None, f"Write `{whole}` or, if the point is a decimal one, `{number[:-1]}`."
    whole, fraction = _split_fraction(number)
    if not (whole.isdigit() or re.fullmatch(_GROUPED, whole)):
        return None, "Write digits alone, as `120000`."
    digits = re.sub("[^0-9]", "", whole)
    if len(digits) > _MOST_DIGITS:
        return None, f"Write at most {_MOST_DIGITS} digits."
    amount = float(f"{digits}.{fraction or 0}")
    return amount * (1000 if match["thousand"] else 1), ""


def _split_fraction(number: str) -> tuple[str, str]:
    """The digits before and after the decimal mark: the last point or comma, unless it parts thousands."""
    at = max(number.rfind("."), number.rfind(","))
    if at < 0:
        return number, ""
    mark, whole, fraction = number[at], number[:at], number[at + 1 :]
    other = "," if mark == "." else "."
    if not fraction.isdigit() or mark in whole or (len(fraction) == 3 and other not in whole):
        return number, ""
    return whole, fraction


def _clip(text: str) -> str:
    """What is quoted of a note in a message: one line of it, at most sixty characters."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


# --- The keys --------------------------------------------------------------------------------------------

FIELDS = (
    Field("id", _read_text, "id"),
    Field("name", _read_text, "name"),
    Field("company", _read_linked, "company"),
    Field("role", _read_text, "role"),
    Field("address", _read_text, "address"),
    Field("website", _read_text, "website"),
    Field("source", _read_text, "source"),
    Field("team", _read_linked_list, "team"),
    Field("email", _read_as_written, "emails"),
    Field("phone", _read_as_written, "phones"),
    Field("aliases", _read_list, "aliases"),
    Field("tags", _read_tags, "tags"),
    Field("owner", _read_list, "owners"),
    Field("stage", _read_text, "stage"),
    Field("value", _read_money, "value"),
    Field("contact_by", _read_channels, "contact_by"),
    Field("not_by", _read_channels, "not_by"),
    Field("best_time", _read_text, "best_time"),
    Field("minutes", _read_minutes, "minutes"),
    Field("referred_by", _read_linked, "referred_by"),
    Field("every", _read_every, "every"),
    Field("last_contact", _read_date, "last_contact"),
    Field("next_contact", _read_date, "next_contact"),
    Field("next_action", _read_text, "next_action"),
    Field("quoted", _read_anchor, "anchors"),
    Field("sold", _read_anchor, "anchors"),
    Field("delivery", _read_delivery, "anchors"),
    Field("go_live", _read_anchor, "anchors"),
    Field("lost", _read_anchor, "anchors"),
    Field("renewal", _read_anchor, "anchors"),
    Field("plan", _read_plan, "plan"),
    Field("paused_until", _read_date, "paused_until"),
    Field("do_not_contact", _read_checkbox, "do_not_contact"),
    Field("created", _read_created, "created"),
)

KEYS = ("type", *(field.key for field in FIELDS))
"""All keys in the order in which a note best lists them."""

# The Personal CRM plugin's keys, as properties are named.  Its cadence is a number of days; its pause has no
# end, and like `paused_until` it holds back what the calendar asks for, not what was promised or dated.
_PLUGIN_FIELDS = (
    ("prm_cadence", Field("every", _read_prm_cadence, "every")),
    ("prm_last_contacted", Field("last_contact", _read_date, "last_contact")),
    ("prm_snooze_until", Field("paused_until", _read_date, "paused_until")),
    ("prm_paused", Field("prm-paused", _read_checkbox, "paused")),
)


class _Schema(NamedTuple):
    """The table of fields under one vault's settings.

    ``fields`` finds by the name of a property the place of its attribute in a client, its field, and the names
    that go before this one (the vault's own name for a key goes before ours, and ours before a plugin's).
    """

    fields: dict[str, tuple[int, Field, tuple[str, ...]]]
    type_names: tuple[str, ...]
    client_types: frozenset[str]
    known: frozenset[str]


_last_schema: tuple[Settings, _Schema] | None = None


def _schema_of(settings: Settings) -> _Schema:
    """The schema of these settings; the last one is kept, for a vault's notes are all read with the same."""
    global _last_schema
    if _last_schema is None or _last_schema[0] is not settings:
        _last_schema = settings, _build_schema(settings)
    return _last_schema[1]


def _build_schema(settings: Settings) -> _Schema:
    own = {key: normalise_key(name) for key, name in settings.fields.items()}
    ranked = [(name, 2, field) for name, field in _PLUGIN_FIELDS]
    ranked += [(field.key, 1, field) for field in FIELDS]
    ranked += [(own[field.key], 0, field) for field in FIELDS if field.key in own]
    meant = {name: (field, rank) for name, rank, field in ranked}
    fields = {
        name: (
            Client._fields.index(field.attribute),
            field,
            tuple(
                other for other, (same, better) in meant.items() if same.key == field.key and better < rank
            ),
        )
        for name, (field, rank) in meant.items()
    }
    type_names = (own["type"], "type") if "type" in own else ("type",)
    client_types = frozenset(("client", *(word.casefold() for word in settings.client_types)))
    return _Schema(fields, type_names, client_types, frozenset((*fields, *type_names, "generated")))


# --- Reading a client ------------------------------------------------------------------------------------


def read_client(note: Note, body: Body, settings: Settings) -> tuple[Client, tuple[Problem, ...]]:
    """What a client's note says, and what is wrong in its keys (the note and the body have their own problems).

    Never raises; a key that cannot be read is as if it were empty.
    """
    reading = _Reading(note.path, settings.timezone)
    values = _read_values(reading, note, _schema_of(settings))
    _drop_early_delivery(reading)
    sale = find_newest_sale(body.entries)
    path = note.path if note.path.isascii() else unicodedata.normalize("NFC", note.path)
    values[_HEAD] = (
        note.path,
        values[_ID] or path,
        values[_NAME] or path.rpartition("/")[2].removesuffix(".md"),
        values[_STAGE].casefold() or _default_stage(reading.anchors, sale),
        body.entries,
        body.tasks,
        reading.anchors,
        reading.links,
    )
    values[_EVERY_LINE] = reading.every_line
    values[_DELIVERY_UNKNOWN] = reading.delivery_unknown
    if sale is not None and values[_VALUE] is None:
        values[_VALUE] = parse_money(dict(sale.fields).get("value", "").strip())[0]
    client = _new(Client, values)
    reading.problems += find_rule_problems(note.path, body.tasks)
    reading.problems += find_entry_problems(note.path, body.entries, parse_money)
    if client.do_not_contact:
        _report_owed(reading, note, client)
    return client, tuple(reading.problems[:MAX_PROBLEMS])


def _span(first: str, last: str) -> slice:
    """Where a run of the client's attributes stands among all."""
    return slice(Client._fields.index(first), Client._fields.index(last) + 1)


_HEAD = _span("path", "links")
_ID, _NAME, _STAGE, _VALUE, _EVERY_LINE, _DELIVERY_UNKNOWN = map(
    Client._fields.index, ("id", "name", "stage", "value", "every_line", "delivery_unknown")
)
_NOTHING = tuple([Client._field_defaults.get(attribute, "") for attribute in Client._fields])


def _read_values(reading: _Reading, note: Note, schema: _Schema) -> list[Any]:
    """The client's attributes in their order, as far as single keys fill them."""
    values = [*_NOTHING]
    fields = schema.fields
    told = note.found if len(note.by_name) == len(note.found) else _find_telling_first(note)
    for prop in told:
        known = fields.get(prop.name)
        if known is None:
            continue
        at, field, rivals = known
        if not (isinstance(prop, Plain) or _says_something(prop)) or (rivals and _has_any(told, rivals)):
            continue
        if not prop.flat:
            _report_nesting(reading, prop)
            if not prop.values:
                continue
        value = field.parse(reading, field, prop)
        if value is not None:
            values[at] = value
    return values


def _says_something(prop: Found) -> bool:
    return bool(prop.values) or not prop.flat


def _find_telling_first(note: Note) -> list[Found]:
    """Of properties of one name the first that says something: that there are two is the note's own problem."""
    first: dict[str, Found] = {}
    for prop in note.found:
        if _says_something(prop):
            first.setdefault(prop.name, prop)
    return list(first.values())


def _has_any(told: Iterable[Found], names: tuple[str, ...]) -> bool:
    return any(prop.name in names and _says_something(prop) for prop in told)


def _report_nesting(reading: _Reading, found: Found) -> None:
    message = f"`{_clip(found.key)}` holds lists or keys of its own; what is in them is not read."
    hint = f"Write it flat: `{_clip(found.key)}: value`, or a list of plain values."
    at = Dated(date.min, None, found.line, found.column)
    reading.report(at, "nested-value", ERROR, message, hint)


def _drop_early_delivery(reading: _Reading) -> None:
    delivery, sold = reading.anchors.get("delivery"), reading.anchors.get("sold")
    if delivery and sold and delivery.day < sold.day:
        del reading.anchors["delivery"]
        message = f"`delivery` ({delivery.day}) is before `sold` ({sold.day}): it belongs to an earlier sale."
        hint = "Write the day promised for this sale, or `unknown`."
        reading.report(delivery, "early-delivery", WARNING, message, hint)


def _default_stage(anchors: dict[str, Dated], sale: Entry | None) -> str:
    """What the milestones make of a client, the newest sale of the log among them."""
    lost, sold = anchors.get("lost"), anchors.get("sold")
    sales = [day for day in (sale and sale.day, sold and sold.day) if day is not None]
    if lost:
        # What was still to come of a sale that was lost makes nobody a customer again.
        over = _OF_A_SALE if sales and max(sales) <= lost.day else ()
        others = (anchor.day for name, anchor in anchors.items() if name not in over)
        if lost.day >= max((*sales, *others)):
            return "lost"
    return "customer" if sales else "prospect"


_OF_A_SALE = ("delivery", "go_live", "renewal")


def _report_owed(reading: _Reading, note: Note, client: Client) -> None:
    """Nobody will be reminded of this client: say so once where something is still owed."""
    owed = ", ".join(dict.fromkeys(_find_owed(client)))
    at = note.get("do_not_contact")
    if owed:
        line, column = (at.line, at.column) if at else (1, 1)
        message = f"`do_not_contact` holds back every follow-up, although something is still open: {owed}."
        hint = "Settle it first, or close it in the log, and then withdraw."
        reading.report(Dated(date.min, None, line, column), "withdrawn-open", WARNING, message, hint)


def _find_owed(client: Client) -> Iterator[str]:
    """The promises, complaints and deliveries that the note leaves open, in words."""
    told = [entry.day for entry in client.log if not entry.attempt]
    newest = max(told, default=date.min)
    agreed = client.next_contact
    if agreed and agreed.minute is not None and newest < agreed.day:
        yield f"the contact promised for {agreed.day}"
    for task in client.tasks:
        for kind in ("promise", "complaint", "delivery"):
            if task.open and kind in task.tags:
                yield f"the {kind} `{_clip(task.text)}`"
    for opening, closing in (("promise", "kept"), ("complaint", "resolved")):
        opened = sum(opening in entry.tags for entry in client.log)
        if opened > sum(closing in entry.tags for entry in client.log):
            yield f"a {opening} of the log"
    delivery = client.anchors.get("delivery")
    day = delivery.day if delivery else find_delivery(find_newest_sale(client.log))
    if client.delivery_unknown:
        yield "a delivery on an unknown day"
    elif day and newest < day:
        yield f"the delivery of {day}"
