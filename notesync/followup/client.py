"""A note and its body in, a client and the note's mistakes out.

Which notes are clients', by which names a vault calls the keys, and what all values together make of a client; what
each key's words mean is in ``client_fields``.

This module knows no today, no disk and no follow-up: what the facts ask for is the business of the rules.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from notesync.followup.client_fields import (
    FIELDS,
    KEYS,
    PLUGIN_FIELDS,
    Dated,
    Field,
    Reading,
    says_something,
    split_list,
)
from notesync.followup.entry_fields import find_delivery, find_entry_problems, find_newest_sale
from notesync.followup.intervals import Interval
from notesync.followup.money import parse_money
from notesync.followup.task_rules import find_rule_problems
from notesync.notes.body import Entry, Task
from notesync.notes.links import show_link
from notesync.notes.note import Plain, normalise_key
from notesync.problems import WARNING, Problem, clip

if TYPE_CHECKING:
    from notesync.followup.client_fields import Found
    from notesync.followup.settings import Settings
    from notesync.notes.body import Body
    from notesync.notes.note import Note, Property

MAX_PROBLEMS = 50  # of one note's keys: more tell nobody more


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
    """The warning for a note that is no client's although it has a key of ours: its type says otherwise.

    Or a placeholder does, beside a date that somebody filled in, as no template has one.
    """
    if note.template and _has_date(note, _schema_of(settings)):
        return tuple(problem for problem in note.problems if problem.code == "template")
    if not note.found or is_made(note):
        return ()
    schema = _schema_of(settings)
    types, telling = _read_types(note, schema), _find_telling(note, schema)
    if telling is None or not types or not schema.client_types.isdisjoint(types):
        return ()
    message = (
        f"`{clip(telling.key)}` stands in a note of the type `{clip(types[0])}`, which is not a client's."
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
    telling = next((found for found in there if says_something(found)), there[0] if there else None)
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
            words = [show_link(word).casefold() for word in split_list(found)]
            if words:
                return words
    return []


def _find_telling(note: Note, schema: _Schema) -> Property | None:
    for found in note.properties:
        known = schema.fields.get(found.name)
        if known is not None and known[1].key in _TELLING_KEYS:
            return found
    return None


def _has_date(note: Note, schema: _Schema) -> bool:
    """Whether one of the days that make a note a client's is written out."""
    return any(
        (known := schema.fields.get(found.name)) is not None
        and known[1].key in _TELLING_KEYS - {"every"}
        and any(_LIKE_A_DAY.match(value.text) for value in found.values)
        for found in note.properties
    )


# A day, or a link to its note; with no placeholder in it.
_LIKE_A_DAY = re.compile(r"\s*(?:\[\[)?\d(?!.*(?:\{\{|<%))")


_new = tuple.__new__  # a third of the constructor's time, for what a vault has by the ten thousand


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
    ranked = [(name, 2, field) for name, field in PLUGIN_FIELDS]
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
    reading = Reading(note.path, settings.timezone)
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
    reading.problems += find_entry_problems(note.path, body.entries)
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


def _read_values(reading: Reading, note: Note, schema: _Schema) -> list[Any]:
    """The client's attributes in their order, as far as single keys fill them."""
    values = [*_NOTHING]
    fields = schema.fields
    told = note.found if len(note.by_name) == len(note.found) else _find_telling_first(note)
    for prop in told:
        known = fields.get(prop.name)
        if known is None:
            continue
        at, field, rivals = known
        if not (isinstance(prop, Plain) or says_something(prop)) or (rivals and _has_any(told, rivals)):
            continue
        if not prop.flat:
            reading.report_nesting(prop)
            if not prop.values:
                continue
        value = field.parse(reading, field, prop)
        if value is not None:
            values[at] = value
    return values


def _find_telling_first(note: Note) -> list[Found]:
    """Of properties of one name the first that says something: that there are two is the note's own problem."""
    first: dict[str, Found] = {}
    for prop in note.found:
        if says_something(prop):
            first.setdefault(prop.name, prop)
    return list(first.values())


def _has_any(told: Iterable[Found], names: tuple[str, ...]) -> bool:
    return any(prop.name in names and says_something(prop) for prop in told)


def _drop_early_delivery(reading: Reading) -> None:
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


def _report_owed(reading: Reading, note: Note, client: Client) -> None:
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
                yield f"the {kind} `{clip(task.text)}`"
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
