"""The keys that a client note may have: a property's words in, what the client holds out, mistakes told.

Every key is one line of :data:`FIELDS`: its name, what reads its words, and where the value goes.  The words come as
the person wrote them; here, and only here, a key gives them a type.  A value that cannot be read becomes a
:class:`Problem` at its own line and column, and the client is read as if the key were empty.

This module knows no client as a whole, no today and no disk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from notesync.followup.dates import YEARS, parse_date, suggest_date
from notesync.followup.intervals import Interval, parse_interval
from notesync.followup.money import parse_money
from notesync.notes.body import CHANNELS, find_channel
from notesync.notes.links import find_targets, show_link
from notesync.notes.note import Plain
from notesync.problems import ERROR, WARNING, Problem, clip

if TYPE_CHECKING:
    from notesync.notes.note import Property, Scalar

    Found = Property | Plain
    Value = Scalar | Plain


class Dated(NamedTuple):
    """A day that a note names, its minute in the settings' zone where it has one, and where it stands."""

    day: date
    minute: int | None
    line: int
    column: int


class Reading:
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

    def report_nesting(self, found: Found) -> None:
        message = f"`{clip(found.key)}` holds lists or keys of its own; what is in them is not read."
        hint = f"Write it flat: `{clip(found.key)}: value`, or a list of plain values."
        at = Dated(date.min, None, found.line, found.column)
        self.report(at, "nested-value", ERROR, message, hint)


class Field(NamedTuple):
    """A key of client notes: ``parse`` makes its values what ``attribute`` of the client holds; None: nothing."""

    key: str
    parse: Callable[[Reading, Field, Found], Any]
    attribute: str


def _read_text(reading: Reading, field: Field, found: Found) -> str:
    if isinstance(found, Plain):
        text = found.text
        return show_link(text) if "[[" in text else text.strip()
    values = found.values
    return ", ".join(show_link(value.text) for value in values)


def _read_linked(reading: Reading, field: Field, found: Found) -> str:
    """A text that may be a link to another note, such as the client's company."""
    _keep_links(reading, field, found)
    return _read_text(reading, field, found)


def _keep_links(reading: Reading, field: Field, found: Found) -> None:
    texts = [value.text for value in found.values if "[[" in value.text]
    if texts:
        reading.links[field.attribute] = find_targets(texts)


def _read_as_written(reading: Reading, field: Field, found: Found) -> tuple[str, ...]:
    """Phone numbers and addresses: not a character is changed, nor is a comma taken for a separator."""
    return tuple([value.text for value in found.values])


def _read_list(reading: Reading, field: Field, found: Found) -> tuple[str, ...]:
    return tuple([word for item in split_list(found) if (word := show_link(item))])


def _read_linked_list(reading: Reading, field: Field, found: Found) -> tuple[str, ...]:
    _keep_links(reading, field, found)
    return _read_list(reading, field, found)


def _read_tags(reading: Reading, field: Field, found: Found) -> tuple[str, ...]:
    # A tag has no blank in it, so that text may also part its tags by blanks.
    return tuple([tag for item in split_list(found) for word in item.split() if (tag := word.lstrip("#"))])


def _read_channels(reading: Reading, field: Field, found: Found) -> tuple[str, ...]:
    items = split_list(found)
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


def _read_plan(reading: Reading, field: Field, found: Found) -> tuple[str, ...]:
    return tuple(item.casefold() for item in _read_list(reading, field, found))


_BETWEEN_COMMAS = re.compile(r"(?:\[\[[^\[\]]*\]\]|[^,])++")  # a comma inside a link parts nothing


def split_list(found: Found) -> list[str]:
    """The items of a list; of a lone text, the parts between its commas.  Never an empty one."""
    if isinstance(found, Plain) and "," not in found.text:
        return [found.text.strip()]
    parts = [value.text for value in found.values]
    if not found.is_list and "," in parts[0]:
        parts = _BETWEEN_COMMAS.findall(parts[0])
    return [item for part in parts if (item := part.strip())]


def _read_date(reading: Reading, field: Field, found: Found) -> Dated | None:
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


_new = tuple.__new__  # a third of the constructor's time, for what a vault has by the ten thousand
_LONGEST_TEXT = 80  # that is looked at for what it could mean: a date, number or cadence is never longer


def _read_day(reading: Reading, field: Field, value: Value) -> Dated | None:
    written = parse_date(value.text)
    if written is None:
        message = f"`{field.key}` is not a date that can be read for certain: `{clip(value.text)}`."
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


def _read_anchor(reading: Reading, field: Field, found: Found) -> dict[str, Dated]:
    day = _read_date(reading, field, found)
    if day is not None:
        reading.anchors[field.key] = day
    return reading.anchors


def _read_delivery(reading: Reading, field: Field, found: Found) -> dict[str, Dated]:
    """A day like other anchors', or one that is not known yet."""
    if found.values[0].text.strip().casefold() != "unknown":
        return _read_anchor(reading, field, found)
    reading.delivery_unknown = True
    return reading.anchors


def _read_created(reading: Reading, field: Field, found: Found) -> Dated | None:
    # Not a key of the format: other programs write it in many ways, so what cannot be read is no problem.
    value = found.values[0]
    written = parse_date(value.text) or parse_date(value.text.strip()[:10])
    if written is None or written.day.year not in YEARS:
        return None
    return Dated(written.day, None, value.line, value.column)


def _read_every(reading: Reading, field: Field, found: Found) -> Interval | None:
    return _read_cadence(reading, field, found.values[0], found.values[0].text)


def _read_prm_cadence(reading: Reading, field: Field, found: Found) -> Interval | None:
    value = found.values[0]
    text = value.text.strip()
    return _read_cadence(reading, field, value, f"{text} days" if text.isdecimal() else text)


# Longer than a working life is a slip of the hand.
_LONGEST = {"day": 36525, "workday": 26000, "week": 5218, "month": 1200, "year": 100}


def _read_cadence(reading: Reading, field: Field, value: Value, text: str) -> Interval | None:
    interval = parse_interval(text[:_LONGEST_TEXT])
    if interval is not None and interval.count <= _LONGEST[interval.unit]:
        reading.every_line = value.line
        return interval
    bare = text.strip()
    likely = f"`{int(bare)} days`" if bare.isascii() and bare.isdigit() and len(bare) < 5 else ""
    hint = f"Write {likely or '`2 weeks`, `month`, `twice a month`, `10 workdays` or the like'}."
    message = f"`{field.key}` does not say how often: `{clip(value.text)}`."
    reading.report(value, "bad-cadence", ERROR, message, hint)
    return None


_TRUE = frozenset(("true", "yes", "on", "1", "x", "y", "checked"))
_FALSE = frozenset(("false", "no", "off", "0", "n", "unchecked"))


def _read_checkbox(reading: Reading, field: Field, found: Found) -> bool:
    value = found.values[0]
    word = value.text.strip().casefold()
    if word in _TRUE:
        return True
    if word not in _FALSE:
        message = f"`{field.key}` is a checkbox, neither ticked nor empty: `{clip(value.text)}`."
        reading.report(value, "bad-checkbox", ERROR, message, "Write `true` or `false`.")
    return False


def _read_minutes(reading: Reading, field: Field, found: Found) -> int | None:
    value = found.values[0]
    number = re.fullmatch("([0-9]{1,4}) ?(?:m|mins?\\.?|minutes?)?", value.text.strip(), re.IGNORECASE)
    if number and 0 < int(number[1]) <= 24 * 60:
        return int(number[1])
    message = f"`{field.key}` is not a number of minutes within a day: `{clip(value.text)}`."
    reading.report(value, "bad-number", ERROR, message, "Write a whole number, as `20`.")
    return None


def _read_money(reading: Reading, field: Field, found: Found) -> float | None:
    value = found.values[0]
    text = value.text.strip()
    number, hint = parse_money(text)
    if number is None:
        message = f"`{field.key}` is not a number that can be read for certain: `{clip(text)}`."
        reading.report(value, "bad-number", ERROR, message, hint)
    return number


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
PLUGIN_FIELDS = (
    ("prm_cadence", Field("every", _read_prm_cadence, "every")),
    ("prm_last_contacted", Field("last_contact", _read_date, "last_contact")),
    ("prm_snooze_until", Field("paused_until", _read_date, "paused_until")),
    ("prm_paused", Field("prm-paused", _read_checkbox, "paused")),
)


def says_something(prop: Found) -> bool:
    return bool(prop.values) or not prop.flat
