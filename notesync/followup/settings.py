"""`notesync.yaml` as values: one table of options says what each key takes, its default and its comment.

In: the file's bytes.  Out: :class:`Settings`, whose values are plain text, numbers, tuples and dicts, and the
problems with their places.  Wrong settings never raise: the default stands in for what could not be read,
and the caller decides whether to go on.  This module knows no disk and no clock, and imports next to nothing:
`check` loads it for settings that were read before (:meth:`Settings.from_json`), without YAML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from notesync.problems import ERROR, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from notesync.followup.work_calendar import WorkCalendar

    Data = str | int | float | bool | None | tuple["Data", ...] | dict[str, "Data"]

SETTINGS_FILE = "notesync.yaml"
MAX_BYTES = 64 * 1024
MAX_DEPTH = 50
MAX_COUNT = 10_000


class Owner(NamedTuple):
    """A rep as the settings name one; ``days_off`` are inclusive ranges of ISO days."""

    email: tuple[str, ...] = ()
    phone: tuple[str, ...] = ()
    best_time: str = ""
    backup: str = ""
    days_off: tuple[tuple[str, str], ...] = ()


class Settings:
    """All settings, each an attribute of its key's name (``calendar.path`` is ``calendar_path``).

    Values can be written as JSON and are not to be changed.  Intervals are ``(count, unit)`` as
    `dates.Interval`, days ISO text, times of day minutes after midnight.
    """

    vault_id: str
    since: str
    timezone: str
    currency: str
    workdays: tuple[int, ...]
    holidays: str
    days_off: tuple[tuple[str, str], ...]
    ignore: tuple[str, ...]
    client_types: tuple[str, ...]
    log_headings: tuple[str, ...]
    default_every: dict[str, tuple[int, str]]
    minutes: dict[str, int]
    capacity: int
    retry_after: tuple[int, str]
    give_up_after: int
    owners: dict[str, Owner]
    fields: dict[str, str]
    obsidian_vault: str
    agenda_note: str
    calendar_path: str
    calendar_per_owner: bool
    calendar_detail: str
    calendar_overdue: str
    calendar_alarm: int | None
    calendar_past: tuple[int, str]
    calendar_horizon: tuple[int, str]
    calendar_machine: str
    calendar_color: str
    calendar_description: str
    calendar_refresh: int
    plans: tuple[Any, ...]
    targets: dict[str, tuple[int, str]]

    def __init__(self, **changes: object) -> None:
        """The defaults, with ``changes`` by attribute name (for tests and command-line options)."""
        self.__dict__.update(_DEFAULTS)
        for name, value in changes.items():
            if name not in _DEFAULTS:
                raise TypeError(f"no such setting: {name}")
            self.__dict__[name] = value

    @classmethod
    def default(cls) -> Settings:
        """What a vault without `notesync.yaml` has."""
        return cls()

    def replace(self, **changes: object) -> Settings:
        """These settings with some values changed."""
        return Settings(**{**self.__dict__, **changes})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self._changed().items())})"

    def _changed(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if value != _DEFAULTS[name]}

    def to_json(self) -> str:
        """The values that differ from the defaults, compact and in a fixed order."""
        changed = self._changed()
        if not changed:
            return "{}"
        import json

        return json.dumps(changed, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The settings that :meth:`to_json` of the same version wrote: equal to them."""
        if text == "{}":
            return cls()
        import json

        values = {name: _as_tuples(value) for name, value in json.loads(text).items()}
        if "owners" in values:
            values["owners"] = {name: Owner(*owner) for name, owner in values["owners"].items()}
        return cls(**values)

    def fingerprint(self) -> str:
        """A hash of every value, defaults included: equal exactly where the settings mean the same.

        Places are left out, so that a comment added above `plans` does not make an index useless.
        """
        import hashlib
        import json

        values = {**self.__dict__, "plans": _without_places(self.plans)}
        text = json.dumps(values, separators=(",", ":"), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def work_calendar(self) -> WorkCalendar:
        """The working days of these settings."""
        from datetime import date

        from notesync.followup.work_calendar import WorkCalendar

        days_off = tuple(
            (date.fromisoformat(first), date.fromisoformat(last)) for first, last in self.days_off
        )
        return WorkCalendar(frozenset(self.workdays), days_off, self.holidays)


def _as_tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_as_tuples, value))
    if isinstance(value, dict):
        return {key: _as_tuples(item) for key, item in value.items()}
    return value


def _without_places(node: tuple[Any, ...]) -> Any:
    """A node of `plans` without its lines and columns, which mean nothing to the rules."""
    if not node or node[0] == TEXT:
        return node[3:]
    if node[0] == LIST:
        return [_without_places(item) for item in node[3]]
    return [[_without_places(key), _without_places(value)] for key, value in node[3]]


# --- The file as nodes -----------------------------------------------------------------------------------

TEXT, LIST, MAP = "text", "list", "map"


class Node(NamedTuple):
    """A piece of YAML with its place, its scalars untyped.

    ``kind`` says what ``content`` is: the text of a scalar, the items of a list, or the (key, value) pairs of
    a map.  Lines and columns count from 1.
    """

    kind: str
    line: int
    column: int
    content: Any


class _Refused(Exception):  # noqa: N818  # never leaves this module
    """YAML that is not read: the place as an offset, what is wrong, and what to write instead."""

    def __init__(self, offset: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.offset, self.message, self.hint = offset, message, hint


class _Reading:
    """One pass over the file: where the problems gather."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.lines = [0]

    def report(self, place: tuple[int, int], code: str, message: str, hint: str) -> None:
        self.problems.append(Problem(self.path, *place, code, ERROR, message, hint))

    def place(self, offset: int) -> tuple[int, int]:
        from bisect import bisect_right

        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1

    def compose(self, data: bytes) -> Node | None:
        """The file's one document; None when it is empty or cannot be read, which is then a problem."""
        text, end = _decode(data[:MAX_BYTES])
        self.lines = _find_lines(text)
        try:
            if len(data) > MAX_BYTES:
                message = f"The settings are longer than {MAX_BYTES // 1024} KB."
                raise _Refused(0, message, "Keep only settings in this file.")
            if end is not None:
                raise _Refused(end, "From here on this file is not UTF-8 text.", "Save it as UTF-8.")
            return self._compose(_parse_events(text))
        except _Refused as refused:
            self.report(self.place(min(refused.offset, len(text))), "bad-yaml", refused.message, refused.hint)
            return None

    def _compose(self, events: Iterator[Any]) -> Node | None:
        """Events to nodes, without recursion: depth is the file's, not ours."""
        roots: list[Node] = []
        open_nodes: list[tuple[str, int, list[Node]]] = [("", 0, roots)]
        for event in events:
            kind, offset = event.__class__.__name__, event.start_mark.index if event.start_mark else 0
            if kind in ("SequenceStartEvent", "MappingStartEvent"):
                if len(open_nodes) > MAX_DEPTH:
                    raise _Refused(offset, "The settings are nested too deeply.", "Write them flat.")
                open_nodes.append((LIST if kind[0] == "S" else MAP, offset, []))
            elif kind == "ScalarEvent":
                open_nodes[-1][2].append(Node(TEXT, *self.place(offset), _value_of(event)))
            elif kind in ("SequenceEndEvent", "MappingEndEvent"):
                kind, offset, items = open_nodes.pop()
                content = tuple(items) if kind == LIST else self._pairs(items)
                open_nodes[-1][2].append(Node(kind, *self.place(offset), content))
        for root in roots[1:]:
            if root.content:
                hint = "Delete the line `---` before it."
                self.report(root[1:3], "bad-yaml", "Only the first part of this file is read.", hint)
        return roots[0] if roots else None

    def _pairs(self, items: list[Node]) -> tuple[tuple[Node, Node], ...]:
        pairs: dict[str, tuple[Node, Node]] = {}
        for key, value in zip(items[::2], items[1::2], strict=True):
            if key.kind != TEXT or key.content in ("", "<<"):
                hint = "Write `name: value`; quote a name that begins with a bracket or brace."
                self.report(key[1:3], "bad-yaml", "This is not the name of a setting.", hint)
            elif (name := _normal(key.content)) in pairs:
                message = f"`{_short(key)}` is set twice; the one on line {pairs[name][0].line} is used."
                self.report(key[1:3], "duplicate-key", message, "Delete one of the two.")
            else:
                pairs[name] = key, value
        return tuple(pairs.values())


def _decode(data: bytes) -> tuple[str, int | None]:
    """The file's text, and where it stops being text, if it does."""
    utf16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(data[:2])
    encoding, data = (utf16, data[2:]) if utf16 else ("utf-8", data.removeprefix(b"\xef\xbb\xbf"))
    try:
        return data.decode(encoding), None
    except UnicodeDecodeError as error:
        readable = data[: error.start].decode(encoding)
        return readable, len(readable)


def _find_lines(text: str) -> list[int]:
    """Where each line begins; a line ends at LF, CR or CRLF, whatever else YAML breaks at."""
    import re

    return [0, *(match.end() for match in re.finditer("\r\n?|\n", text))]


def _parse_events(text: str) -> Iterator[Any]:
    """The parser's events; anything it refuses, and what we do not want to meet, as :class:`_Refused`."""
    import yaml

    try:
        events: Iterator[Any] = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for event in events:
            if getattr(event, "anchor", None) or getattr(event, "tag", None):
                raise _Refused(
                    event.start_mark.index,
                    "`&`, `*` and `!` at the start of a value have a meaning in YAML that is not used here.",
                    "Put the value in quotes.",
                )
            yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "something is out of place"
        raise _Refused(mark.index if mark else 0, f"This is not YAML: {problem}.", _YAML_HINT) from None
    except yaml.reader.ReaderError as error:
        # Its position counts bytes with libyaml and characters without; the character is the first such.
        offset = max(text.find(chr(error.character)), 0)
        message = "There is a character here that YAML does not allow."
        raise _Refused(offset, message, "Delete it.") from None


_YAML_HINT = "Write `key: value`, put words with a colon or bracket in quotes, and indent with blanks."


def _value_of(event: Any) -> str:
    """A scalar's text; what YAML would call null is empty."""
    text = str(event.value).strip()
    return "" if event.style in (None, "") and text.casefold() in ("~", "null") else text


def _normal(key: str) -> str:
    from notesync.notes.note import normalise_key

    return normalise_key(key)


def _short(node: Node) -> str:
    """What a node holds, for a message."""
    if node.kind != TEXT:
        return "a list" if node.kind == LIST else "a map"
    text = " ".join(node.content.split())
    return text if len(text) <= 60 else text[:59] + "…"


# --- What an option takes --------------------------------------------------------------------------------


class _Bad(Exception):  # noqa: N818  # never leaves this module
    """A value that an option does not take; ``hint`` says what it takes."""

    def __init__(self, node: Node, hint: str, message: str = "") -> None:
        super().__init__(message)
        self.node, self.hint, self.message = node, hint, message


def _parse_text(node: Node) -> str:
    if node.kind != TEXT:
        raise _Bad(node, "Write one value, without brackets.")
    return str(node.content)


def _parse_name(node: Node) -> str:
    text = _parse_text(node)
    return "" if text.casefold() == "none" else text


def _is_none(node: Node) -> bool:
    return node.kind == TEXT and node.content.casefold() == "none"


def _parse_id(node: Node) -> str:
    text = _parse_name(node)
    if len(text) > 100 or not text.isprintable() or " " in text:
        raise _Bad(node, "Write up to 100 letters and digits, as `notesync init` does.")
    return text


def _parse_texts(node: Node) -> tuple[str, ...]:
    """A list, or the items of a text between commas; empty items are nothing, `none` is an empty list."""
    if node.kind == TEXT:
        items = [item.strip() for item in node.content.split(",")]
        return () if [item.casefold() for item in items] == ["none"] else tuple(filter(None, items))
    if node.kind == MAP:
        raise _Bad(node, "Write a list: `[one, two]`.")
    return tuple(filter(None, map(_parse_text, node.content)))


def _parse_words(node: Node) -> tuple[str, ...]:
    return tuple(text.casefold() for text in _parse_texts(node))


def _parse_headings(node: Node) -> tuple[str, ...]:
    headings = _parse_texts(node)
    if not headings:
        raise _Bad(node, "Name at least one heading: `[Log]`.")
    return headings


def _parse_patterns(node: Node) -> tuple[str, ...]:
    return tuple(text.replace("\\", "/") for text in _parse_texts(node))


def _parse_items(node: Node) -> Iterator[Node]:
    """The items of a list, or of a text between commas, as nodes: each with its place."""
    if node.kind == LIST:
        yield from (item for item in node.content if item.content)
    else:
        for text in _parse_texts(node):
            yield node._replace(content=text)


def _parse_day(node: Node) -> str:
    from notesync.followup.dates import parse_date, suggest_date

    text = _parse_name(node)
    if not text:
        return ""
    written = parse_date(text)
    if written is None or written.minute is not None:
        suggestion = suggest_date(text)[:10] if written is None else written.day.isoformat()
        raise _Bad(node, f"Write a day as `{suggestion or '2026-11-25'}`.")
    return written.day.isoformat()


def _parse_days_off(node: Node) -> tuple[tuple[str, str], ...]:
    return tuple(_parse_range(item) for item in _parse_items(node))


def _parse_range(node: Node) -> tuple[str, str]:
    """One day, or the first and the last with a `/` between (an interval of ISO 8601)."""
    from datetime import date

    parts = [part.strip() for part in _parse_text(node).split("/")]
    if len(parts) > 2 and all(part.isdecimal() for part in parts):  # 15/12/2026: a day, not a range
        parts = ["/".join(parts)]
    days = [_parse_day(node._replace(content=part)) for part in parts]
    if len(days) > 2 or not all(days):
        raise _Bad(node, "Write a day or `first/last`: `2026-12-15/2027-01-05`.")
    if days[-1] < days[0]:
        raise _Bad(node, f"Write `{days[-1]}/{days[0]}`.", "These days off end before they begin.")
    if (date.fromisoformat(days[-1]) - date.fromisoformat(days[0])).days > 366:
        raise _Bad(
            node, "Check the years, or write one range a year.", "These days off are over a year long."
        )
    return days[0], days[-1]


def _parse_workdays(node: Node) -> tuple[int, ...]:
    from notesync.followup.dates import parse_weekday

    days = set()
    for item in _parse_items(node):
        day = parse_weekday(_parse_text(item))
        if day is None:
            raise _Bad(item, "Write weekdays as `[mon, tue, wed, thu, fri]`.")
        days.add(day)
    if not days:
        raise _Bad(node, "Name at least one weekday: `[mon, tue, wed, thu, fri]`.")
    return tuple(sorted(days))


def _parse_timezone(node: Node) -> str:
    text = _parse_name(node)
    if not text:
        return ""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(text).key
    except Exception:  # a wrong name raises one of five exceptions, by its form and the system
        near = _nearest(text, available_timezones())
    raise _Bad(node, f"Did you mean `{near}`?" if near else "Write a zone's name, as `Africa/Johannesburg`.")


def _parse_holidays(node: Node) -> str:
    text = _parse_name(node)
    if not text:
        return ""
    from notesync.followup.work_calendar import parse_region, suggest_region

    region = parse_region(text)
    if region is None:
        near = suggest_region(text)
        also = f"; did you mean `{near}`?" if near else "."
        raise _Bad(node, f"Write a country's code, or country-subdivision, as `ZA` or `DE-BY`{also}")
    return region


def _parse_span(node: Node) -> tuple[int, str]:
    from notesync.followup.intervals import parse_offset

    interval = parse_offset(_parse_text(node))
    if interval is None or not 0 <= interval.count <= MAX_COUNT:
        raise _Bad(node, "Write a length of time, as `90 days`, `2 workdays` or `18 months`.")
    return interval.count, interval.unit


def _parse_cadence(node: Node) -> tuple[int, str]:
    from notesync.followup.intervals import parse_interval

    interval = parse_interval(_parse_text(node))
    if interval is None or interval.count > MAX_COUNT:
        raise _Bad(node, "Write how often, as `2 weeks`, `month`, `twice a month` or `quarter`.")
    return interval.count, interval.unit


def _parse_number(node: Node) -> int:
    text = _parse_text(node)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_COUNT):
        raise _Bad(node, "Write a whole number from 1.")
    return int(text)


def _parse_minutes(node: Node) -> int:
    """A length of time in minutes, a bare number being minutes."""
    text = _parse_text(node)
    if text.isascii() and text.isdecimal() and 1 <= int(text[:5]) <= 24 * 60:
        return int(text)
    return _parse_duration(node)


def _parse_duration(node: Node) -> int:
    """`2 hours`, `90 minutes`, `1.5 h`, `1 h 30 min`, in minutes; more than none, at most a day."""
    import re

    match = re.fullmatch(
        r"(?:([0-9]{1,2}(?:[.,][0-9]{1,2})?) ?h(?:ours?|rs?)?)? ?(?:([0-9]{1,4}) ?m(?:in(?:ute)?s?)?\.?)?",
        _parse_text(node).casefold(),
    )
    minutes = round(float((match[1] or "0").replace(",", ".")) * 60) + int(match[2] or 0) if match else 0
    if not 1 <= minutes <= 24 * 60:
        raise _Bad(node, "Write a length of time, as `2 hours` or `90 minutes`.")
    return minutes


def _parse_flag(node: Node) -> bool:
    text = _parse_text(node).casefold()
    if text in ("true", "yes", "on"):
        return True
    if text in ("false", "no", "off", "none"):
        return False
    raise _Bad(node, "Write `true` or `false`.")


def _parse_alarm(node: Node) -> int | None:
    from notesync.followup.dates import parse_clock

    text = _parse_name(node)
    minute = parse_clock(text)
    if text and minute is None:
        raise _Bad(node, "Write a time of day, as `08:30`, or `none`.")
    return minute


def _parse_color(node: Node) -> str:
    from notesync.followup.colors import find_color, list_names

    text = _parse_name(node)
    if not text:
        return ""
    color = find_color(text)
    if color is None:
        near = _nearest(text.casefold(), list_names())
        also = f"; did you mean `{near}`?" if near else "."
        raise _Bad(
            node, f"Write a colour's CSS name, as `teal`, or its number in quotes, as `'#008080'`{also}"
        )
    return color.name or color.number


def _one_of(*words: str) -> Callable[[Node], str]:
    def parse(node: Node) -> str:
        text = _parse_text(node).casefold()
        if text in words:
            return text
        near = _nearest(text, words)
        choice = ", ".join(f"`{word}`" for word in words[:-1]) + f" or `{words[-1]}`"
        raise _Bad(node, f"Did you mean `{near}`?  Write {choice}." if near else f"Write {choice}.")

    return parse


def _parse_machine(node: Node) -> str:
    text = _parse_text(node)
    return text.casefold() if text.casefold() == "any" else text


def _parse_calendar_path(node: Node) -> str:
    text = _parse_text(node).replace("\\", "/")
    # Whatever stands at this path is replaced: no note can be meant.
    if not text.casefold().endswith(".ics") or not text.isprintable() or text.endswith("/.ics"):
        raise _Bad(node, "Write a file's name that ends in `.ics`, as `followups.ics`.")
    if text.startswith("/") or text[1:2] == ":" or ".." in text.split("/"):
        hint = "Write a path inside the vault, as `followups.ics`; `notesync export` writes elsewhere."
        raise _Bad(node, hint)
    return text


def _parse_note_path(node: Node) -> str:
    text = _parse_name(node).replace("\\", "/")
    if not text:
        return ""
    parts = text.split("/")
    if not text.casefold().endswith(".md") or not text.isprintable() or ".." in parts or not parts[0]:
        raise _Bad(node, "Write a note's path inside the vault, as `Follow-ups.md`.")
    return text


def _parse_map(node: Node, parse: Callable[[Node], Any], name: Callable[[Node], str]) -> dict[str, Any]:
    if _is_none(node):
        return {}
    if node.kind != MAP:
        raise _Bad(node, "Write `{name: value}`, or a line a name, indented.")
    return {name(key): parse(value) for key, value in node.content if value.content}


def _stage_name(key: Node) -> str:
    return str(key.content).strip().casefold()


def _parse_default_every(node: Node) -> dict[str, tuple[int, str]]:
    cadences = _parse_map(node, lambda value: _parse_name(value) and _parse_cadence(value), _stage_name)
    return {stage: cadence for stage, cadence in cadences.items() if cadence}


def _parse_stage_minutes(node: Node) -> dict[str, int]:
    return _parse_map(node, _parse_minutes, _stage_name)


def _parse_fields(node: Node) -> dict[str, str]:
    from notesync.followup.client_fields import FIELDS

    known = ("type", *(field.key for field in FIELDS))

    def field_name(key: Node) -> str:
        name = _normal(key.content)
        if name not in known:
            near = _nearest(name, known)
            hint = f"Did you mean `{near}`?" if near else "Write notesync's name first, then the vault's own."
            raise _Bad(key, hint, f"`{_short(key)}` is not a field of a client note.")
        return name

    return _parse_map(node, _parse_text, field_name)


def _parse_targets(node: Node) -> dict[str, tuple[int, str]]:
    return _parse_map(node, _parse_target, lambda key: _normal(key.content))


def _parse_target(node: Node) -> tuple[int, str]:
    import re

    match = re.fullmatch(
        "([0-9]{1,5}) ?(?:per|a|an|each|every|/) ?(day|week|month|quarter|year)", _parse_text(node).casefold()
    )
    if not match:
        raise _Bad(node, "Write a number and its period, as `40 per month`.")
    return int(match[1]), match[2]


_OWNER_KEYS: dict[str, Callable[[Node], Any]] = {
    "email": _parse_texts,
    "phone": _parse_texts,
    "best_time": _parse_text,
    "backup": _parse_text,
    "days_off": _parse_days_off,
}


def _parse_owners(node: Node) -> dict[str, Owner]:
    if _is_none(node):
        return {}
    if node.kind != MAP:
        raise _Bad(node, "Write a name a line, indented: `Anna: {email: …, phone: …}`.")
    return {str(key.content).strip(): _parse_owner(value) for key, value in node.content}


def _parse_owner(node: Node) -> Owner:
    if not node.content:
        return Owner()
    if node.kind != MAP:
        raise _Bad(node, "Write `{email: …, phone: …, best_time: …, backup: …, days_off: […]}`.")
    values = {}
    for key, value in node.content:
        name = _normal(key.content)
        if name not in _OWNER_KEYS:
            near = _nearest(name, _OWNER_KEYS)
            hint = f"Did you mean `{near}`?" if near else f"An owner has {', '.join(_OWNER_KEYS)}."
            raise _Bad(key, hint, f"`{_short(key)}` is not known of an owner.")
        if value.content:
            values[name] = _OWNER_KEYS[name](value)
    return Owner(**values)


def _parse_plans(node: Node) -> tuple[Any, ...]:
    """Plans as they stand, places included; what they mean is checked where plans are read."""
    if _is_none(node):
        return ()
    if node.kind != MAP:
        raise _Bad(node, "Write a plan's name a line, indented, with its steps below.")
    return _plain(node)


def _plain(node: Node) -> tuple[Any, ...]:
    """A node as nested tuples ``(kind, line, column, content)``."""
    if node.kind == TEXT:
        return tuple(node)
    if node.kind == LIST:
        return (*node[:3], tuple(map(_plain, node.content)))
    return (*node[:3], tuple((_plain(key), _plain(value)) for key, value in node.content))


def _nearest(word: str, words: Any) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(words), 1, 0.6)
    return near[0] if near else ""


# --- The table -------------------------------------------------------------------------------------------


class Option(NamedTuple):
    """One key: how its value is read, what it is without one, and how `init` explains and shows it.

    ``example`` is YAML: the default, or what a value looks like where the default is none.
    """

    key: str
    parse: Callable[[Node], Any]
    default: Any
    example: str
    comment: str


OPTIONS = (
    Option("vault_id", _parse_id, "", "", "Part of every calendar entry's identity: do not change it."),
    Option(
        "since",
        _parse_day,
        "",
        "2026-11-22",
        "Follow-ups of plans that closed before this day are missed, not overdue.",
    ),
    Option(
        "timezone",
        _parse_timezone,
        "",
        "Africa/Johannesburg",
        "Where today begins.  Without it: the zone of each machine, and machines may differ.",
    ),
    Option("currency", _parse_name, "", "ZAR", "Shown beside the value at risk.  Without it: nothing."),
    Option(
        "workdays", _parse_workdays, (0, 1, 2, 3, 4), "[mon, tue, wed, thu, fri]", "The days that are worked."
    ),
    Option(
        "holidays",
        _parse_holidays,
        "",
        "ZA",
        "Public holidays of a country or country-subdivision (`DE-BY`).  Without it: none.",
    ),
    Option(
        "days_off",
        _parse_days_off,
        (),
        "[2026-12-15/2027-01-05]",
        "Other days off: days, or `first/last`.  Without it: none.",
    ),
    Option("ignore", _parse_patterns, (), "[Archive/]", "Folders and files not to read.  Without it: none."),
    Option(
        "client_types",
        _parse_words,
        (),
        "[person]",
        "Words besides `client` that make a note a client's, under `type`.  Without it: none.",
    ),
    Option("log_headings", _parse_headings, ("Log",), "[Log]", "Headings under which a note keeps its log."),
    Option(
        "default_every",
        _parse_default_every,
        {},
        "{customer: month, prospect: 2 weeks, lead: week, dormant: quarter}",
        "How often to keep in touch, by stage, where a note has no `every` of its own.  Without it: never.",
    ),
    Option(
        "minutes",
        _parse_stage_minutes,
        {"customer": 20},
        "{customer: 20}",
        "Minutes to plan for a contact, by stage.",
    ),
    Option("capacity", _parse_duration, 120, "2 hours", "Time a day for overdue work, for `agenda`."),
    Option("retry_after", _parse_span, (2, "workday"), "2 workdays", "When to try again after no answer."),
    Option(
        "give_up_after",
        _parse_number,
        5,
        "5",
        "After so many attempts without a contact, decide how to go on.",
    ),
    Option(
        "owners",
        _parse_owners,
        {},
        "{Anna: {email: anna@example.com, phone: 021 555 0100, best_time: mornings, backup: Ben}}",
        "The reps that notes name as `owner`, and who stands in for them.",
    ),
    Option(
        "fields",
        _parse_fields,
        {},
        "{last_contact: prm-last-contacted}",
        "This vault's own names for keys of a note: notesync's name first.",
    ),
    Option(
        "obsidian_vault",
        _parse_name,
        "",
        "Clients",
        "The vault's name in obsidian:// links.  Without it: the folder's name.",
    ),
    Option(
        "agenda_note",
        _parse_note_path,
        "",
        "Follow-ups.md",
        "Writes the agenda as a note, for phones.  Without it: no such note.",
    ),
    Option(
        "calendar.path",
        _parse_calendar_path,
        "followups.ics",
        "followups.ics",
        "Where the calendar is written.",
    ),
    Option(
        "calendar.per_owner",
        _parse_flag,
        False,
        "false",
        "true: besides the whole, followups-<owner>.ics for each owner.",
    ),
    Option(
        "calendar.detail",
        _one_of("full", "names", "initials"),
        "full",
        "full",
        "full: names, phone, e-mail, questions; names: client and kind; initials: initials and kind.",
    ),
    Option(
        "calendar.overdue",
        _one_of("digest", "each", "stay"),
        "digest",
        "digest",
        "Overdue ones as one entry today (digest), each today (each), or on their own day (stay).",
    ),
    Option(
        "calendar.alarm",
        _parse_alarm,
        None,
        "none",
        "A time of day (08:30) at which whole-day entries ring; timed ones ring 15 minutes before.",
    ),
    Option("calendar.past", _parse_span, (90, "day"), "90 days", "How far back the calendar goes."),
    Option("calendar.horizon", _parse_span, (18, "month"), "18 months", "How far ahead the calendar goes."),
    Option(
        "calendar.machine",
        _parse_machine,
        "any",
        "any",
        "The name of the one machine that writes the calendar, or any.",
    ),
    Option(
        "calendar.color",
        _parse_color,
        "",
        "teal",
        "The calendar's colour, where an app takes it: a CSS name, or '#008080'.",
    ),
    Option("calendar.description", _parse_name, "", "Who is to be called", "What apps say of the calendar."),
    Option(
        "calendar.refresh", _parse_duration, 60, "1 hour", "How often apps are asked to look for changes."
    ),
    Option(
        "plans",
        _parse_plans,
        (),
        "{after-sale: {testimonial: none}}",
        "Changes to the plans, and plans of your own: see docs/method.md.",
    ),
    Option(
        "targets",
        _parse_targets,
        {},
        "{contacts: 40 per month, sales: 5 per month}",
        "What `review` compares with.  Without it: nothing.",
    ),
)

_DEFAULTS: dict[str, Any] = {option.key.replace(".", "_"): option.default for option in OPTIONS}


def parse_settings(data: bytes, path: str = SETTINGS_FILE) -> tuple[Settings, tuple[Problem, ...]]:
    """Read `notesync.yaml`: the settings, and every problem with its place.

    What cannot be read keeps its default.  Never raises.
    """
    reading = _Reading(path)
    root = reading.compose(data)
    values: dict[str, Any] = {}
    if root is not None and root.content:
        if root.kind == MAP:
            _read_keys(reading, root, "", values)
        else:
            message = "The settings are not lines of `key: value`."
            reading.report(root[1:3], "bad-setting", message, "Write `timezone: Africa/Johannesburg`.")
    return Settings(**values), tuple(sorted(reading.problems, key=lambda problem: problem[1:3]))


def _read_keys(reading: _Reading, node: Node, prefix: str, values: dict[str, Any]) -> None:
    options = {
        option.key: option for option in OPTIONS if option.key.rpartition(".")[0] == prefix.rstrip(".")
    }
    for key, value in node.content:
        name = _normal(key.content)
        if prefix + name in options:
            if value.content or value.kind == LIST:
                _read_option(reading, options[prefix + name], value, values)
        elif name == "calendar" and not prefix:
            _read_calendar(reading, value, values)
        else:
            hint = _suggest_key(name, prefix)
            reading.report(key[1:3], "unknown-setting", f"`{prefix}{_short(key)}` is not a setting.", hint)


def _read_calendar(reading: _Reading, value: Node, values: dict[str, Any]) -> None:
    if value.kind == MAP:
        _read_keys(reading, value, "calendar.", values)
    elif value.content:
        hint = "Write the calendar's settings below it, indented: `path: followups.ics`."
        reading.report(value[1:3], "bad-setting", f"`calendar` cannot be {_short(value)}.", hint)


def _read_option(reading: _Reading, option: Option, value: Node, values: dict[str, Any]) -> None:
    try:
        values[option.key.replace(".", "_")] = option.parse(value)
    except _Bad as bad:
        message = bad.message or f"`{option.key}` cannot be {_quoted(bad.node)}."
        reading.report(bad.node[1:3], "bad-setting", message, bad.hint)


def _quoted(node: Node) -> str:
    return f"`{_short(node)}`" if node.kind == TEXT and node.content else _short(node) or "empty"


def _suggest_key(name: str, prefix: str) -> str:
    keys = [option.key for option in OPTIONS] + ["calendar"]
    if prefix and name in keys:
        return f"Write `{name}` without indenting it."
    near = _nearest(prefix + name, keys) or next((key for key in keys if key.endswith(f".{name}")), "")
    section, _, last = near.rpartition(".")
    if section and not prefix:
        return f"Did you mean `{last}`, indented below `{section}:`?"
    return f"Did you mean `{last}`?" if near else "Delete it; docs/format.md lists the settings."


# --- What `init` writes ----------------------------------------------------------------------------------


def render_settings(vault_id: str, since: str, timezone: str = "") -> str:
    """A new vault's `notesync.yaml`: every key with its comment, most of them commented out.

    ``vault_id``, ``since`` (an ISO day), ``timezone`` if known and the cadences by stage are in force.
    """
    written = {"vault_id": vault_id, "since": since, "timezone": timezone, "default_every": None}
    lines = ["# The settings of notesync.  Everything here is optional; what follows a # is not read."]
    for option in OPTIONS:
        section, _, name = option.key.rpartition(".")
        if section and option.key == "calendar.path":
            lines += ["", f"# {section}:"]
        indent = "#   " if section else ""
        lines += [] if section else [""]
        lines.append(f"{indent}# {option.comment}")
        value = written.get(option.key, "")
        if value or value is None:
            lines.append(f"{name}: {option.example if value is None else _render_text(value)}")
        else:
            lines.append(f"{indent or '# '}{name}: {option.example}")
    return "\n".join(lines) + "\n"


def _render_text(text: str) -> str:
    """A text as YAML: plain where that is safe for every reader, else in double quotes."""
    if text.isascii() and text.replace("/", "").replace("-", "").replace("_", "").isalnum():
        return text
    import json

    return json.dumps(text, ensure_ascii=False)
