"""The values of options: each parser takes a node, and gives what the settings hold, or says what to write instead.

In: a node.  Out: plain text, numbers, tuples and dicts.  Raises :class:`BadValue`, which whoever has the table turns
into a problem.  This module does not know which option takes what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from notesync.followup.settings import Owner
from notesync.followup.settings_yaml import LIST, MAP, TEXT, Node, build_tuples, normalise, shorten
from notesync.problems import find_nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

MAX_COUNT = 10_000


class BadValue(Exception):  # noqa: N818  # never leaves whoever reads options
    """A value that an option does not take; ``hint`` says what it takes."""

    def __init__(self, node: Node, hint: str, message: str = "") -> None:
        super().__init__(message)
        self.node, self.hint, self.message = node, hint, message


def _parse_text(node: Node) -> str:
    if node.kind != TEXT:
        raise BadValue(node, "Write one value, without brackets.")
    return str(node.content)


def parse_name(node: Node) -> str:
    """A text; `none` is an empty one."""
    text = _parse_text(node)
    return "" if text.casefold() == "none" else text


def _is_none(node: Node) -> bool:
    return node.kind == TEXT and node.content.casefold() == "none"


def parse_id(node: Node) -> str:
    """A vault's id."""
    text = parse_name(node)
    if len(text) > 100 or not text.isprintable() or " " in text:
        raise BadValue(node, "Write up to 100 letters and digits, as `notesync init` does.")
    return text


def _parse_texts(node: Node) -> tuple[str, ...]:
    """A list, or the items of a text between commas; empty items are nothing, `none` is an empty list."""
    if node.kind == TEXT:
        items = [item.strip() for item in node.content.split(",")]
        return () if [item.casefold() for item in items] == ["none"] else tuple(filter(None, items))
    if node.kind == MAP:
        raise BadValue(node, "Write a list: `[one, two]`.")
    return tuple(filter(None, map(_parse_text, node.content)))


def parse_words(node: Node) -> tuple[str, ...]:
    """A list of words, in small letters."""
    return tuple(text.casefold() for text in _parse_texts(node))


def parse_headings(node: Node) -> tuple[str, ...]:
    """A list of headings, one at least."""
    headings = _parse_texts(node)
    if not headings:
        raise BadValue(node, "Name at least one heading: `[Log]`.")
    return headings


def parse_patterns(node: Node) -> tuple[str, ...]:
    """A list of folders and files, with slashes."""
    return tuple(text.replace("\\", "/") for text in _parse_texts(node))


def _parse_items(node: Node) -> Iterator[Node]:
    """The items of a list, or of a text between commas, as nodes: each with its place."""
    if node.kind == LIST:
        yield from (item for item in node.content if item.content)
    else:
        for text in _parse_texts(node):
            yield node._replace(content=text)


def parse_day(node: Node) -> str:
    """A day as ISO text; `none` is an empty one."""
    from notesync.followup.dates import parse_date, suggest_date

    text = parse_name(node)
    if not text:
        return ""
    written = parse_date(text)
    if written is None or written.minute is not None:
        suggestion = suggest_date(text)[:10] if written is None else written.day.isoformat()
        raise BadValue(node, f"Write a day as `{suggestion or '2026-11-25'}`.")
    return written.day.isoformat()


def parse_days_off(node: Node) -> tuple[tuple[str, str], ...]:
    """Days and ranges of days."""
    return tuple(_parse_range(item) for item in _parse_items(node))


def _parse_range(node: Node) -> tuple[str, str]:
    """One day, or the first and the last with a `/` between (an interval of ISO 8601)."""
    from datetime import date

    parts = [part.strip() for part in _parse_text(node).split("/")]
    if len(parts) > 2 and all(part.isdecimal() for part in parts):  # 15/12/2026: a day, not a range
        parts = ["/".join(parts)]
    days = [parse_day(node._replace(content=part)) for part in parts]
    if len(days) > 2 or not all(days):
        raise BadValue(node, "Write a day or `first/last`: `2026-12-15/2027-01-05`.")
    if days[-1] < days[0]:
        raise BadValue(node, f"Write `{days[-1]}/{days[0]}`.", "These days off end before they begin.")
    if (date.fromisoformat(days[-1]) - date.fromisoformat(days[0])).days > 366:
        raise BadValue(
            node, "Check the years, or write one range a year.", "These days off are over a year long."
        )
    return days[0], days[-1]


def parse_workdays(node: Node) -> tuple[int, ...]:
    """Weekdays, Monday 0, one at least."""
    from notesync.followup.dates import parse_weekday

    days = set()
    for item in _parse_items(node):
        day = parse_weekday(_parse_text(item))
        if day is None:
            raise BadValue(item, "Write weekdays as `[mon, tue, wed, thu, fri]`.")
        days.add(day)
    if not days:
        raise BadValue(node, "Name at least one weekday: `[mon, tue, wed, thu, fri]`.")
    return tuple(sorted(days))


def parse_timezone(node: Node) -> str:
    """The name of a zone that this machine knows."""
    text = parse_name(node)
    if not text:
        return ""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(text).key
    except Exception:  # a wrong name raises one of five exceptions, by its form and the system
        near = find_nearest(text, available_timezones())
    raise BadValue(
        node, f"Did you mean `{near}`?" if near else "Write a zone's name, as `Africa/Johannesburg`."
    )


def parse_holidays(node: Node) -> str:
    """A country, or a part of one, that has public holidays."""
    text = parse_name(node)
    if not text:
        return ""
    from notesync.followup.work_calendar import parse_region, suggest_region

    region = parse_region(text)
    if region is None:
        near = suggest_region(text)
        also = f"; did you mean `{near}`?" if near else "."
        raise BadValue(node, f"Write a country's code, or country-subdivision, as `ZA` or `DE-BY`{also}")
    return region


def parse_span(node: Node) -> tuple[int, str]:
    """A length of time, which may be none and may count working days."""
    from notesync.followup.intervals import parse_offset

    interval = parse_offset(_parse_text(node))
    if interval is None or not 0 <= interval.count <= MAX_COUNT:
        raise BadValue(node, "Write a length of time, as `90 days`, `2 workdays` or `18 months`.")
    return interval.count, interval.unit


def _parse_cadence(node: Node) -> tuple[int, str]:
    from notesync.followup.intervals import parse_interval

    interval = parse_interval(_parse_text(node))
    if interval is None or interval.count > MAX_COUNT:
        raise BadValue(node, "Write how often, as `2 weeks`, `month`, `twice a month` or `quarter`.")
    return interval.count, interval.unit


def parse_number(node: Node) -> int:
    """A whole number from 1."""
    text = _parse_text(node)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_COUNT):
        raise BadValue(node, "Write a whole number from 1.")
    return int(text)


def _parse_minutes(node: Node) -> int:
    """A length of time in minutes, a bare number being minutes."""
    text = _parse_text(node)
    if text.isascii() and text.isdecimal() and 1 <= int(text[:5]) <= 24 * 60:
        return int(text)
    return parse_duration(node)


def parse_duration(node: Node) -> int:
    """`2 hours`, `90 minutes`, `1.5 h`, `1 h 30 min`, in minutes; more than none, at most a day."""
    import re

    match = re.fullmatch(
        r"(?:([0-9]{1,2}(?:[.,][0-9]{1,2})?) ?h(?:ours?|rs?)?)? ?(?:([0-9]{1,4}) ?m(?:in(?:ute)?s?)?\.?)?",
        _parse_text(node).casefold(),
    )
    minutes = round(float((match[1] or "0").replace(",", ".")) * 60) + int(match[2] or 0) if match else 0
    if not 1 <= minutes <= 24 * 60:
        raise BadValue(node, "Write a length of time, as `2 hours` or `90 minutes`.")
    return minutes


def parse_flag(node: Node) -> bool:
    """Yes or no."""
    text = _parse_text(node).casefold()
    if text in ("true", "yes", "on"):
        return True
    if text in ("false", "no", "off", "none"):
        return False
    raise BadValue(node, "Write `true` or `false`.")


def parse_alarm(node: Node) -> int | None:
    """A time of day in minutes; None for none."""
    from notesync.followup.dates import parse_clock

    text = parse_name(node)
    minute = parse_clock(text)
    if text and minute is None:
        raise BadValue(node, "Write a time of day, as `08:30`, or `none`.")
    return minute


def parse_color(node: Node) -> str:
    """A colour's CSS name where it has one, else its number."""
    from notesync.followup.colors import find_color, list_names

    text = parse_name(node)
    if not text:
        return ""
    color = find_color(text)
    if color is None:
        near = find_nearest(text.casefold(), list_names())
        also = f"; did you mean `{near}`?" if near else "."
        raise BadValue(
            node, f"Write a colour's CSS name, as `teal`, or its number in quotes, as `'#008080'`{also}"
        )
    return color.name or color.number


def one_of(*words: str) -> Callable[[Node], str]:
    """A parser that takes one of these words."""

    def parse(node: Node) -> str:
        text = _parse_text(node).casefold()
        if text in words:
            return text
        near = find_nearest(text, words)
        choice = ", ".join(f"`{word}`" for word in words[:-1]) + f" or `{words[-1]}`"
        raise BadValue(node, f"Did you mean `{near}`?  Write {choice}." if near else f"Write {choice}.")

    return parse


def parse_machine(node: Node) -> str:
    """A machine's name, or `any`."""
    text = _parse_text(node)
    return text.casefold() if text.casefold() == "any" else text


def parse_calendar_path(node: Node) -> str:
    """The calendar's path inside the vault."""
    text = _parse_text(node).replace("\\", "/")
    # Whatever stands at this path is replaced: no note can be meant.
    if not text.casefold().endswith(".ics") or not text.isprintable() or text.endswith("/.ics"):
        raise BadValue(node, "Write a file's name that ends in `.ics`, as `followups.ics`.")
    if text.startswith("/") or text[1:2] == ":" or ".." in text.split("/"):
        hint = "Write a path inside the vault, as `followups.ics`; `notesync export` writes elsewhere."
        raise BadValue(node, hint)
    return text


def parse_note_path(node: Node) -> str:
    """A note's path inside the vault; `none` is an empty one."""
    text = parse_name(node).replace("\\", "/")
    if not text:
        return ""
    parts = text.split("/")
    if not text.casefold().endswith(".md") or not text.isprintable() or ".." in parts or not parts[0]:
        raise BadValue(node, "Write a note's path inside the vault, as `Follow-ups.md`.")
    return text


def _parse_map(node: Node, parse: Callable[[Node], Any], name: Callable[[Node], str]) -> dict[str, Any]:
    if _is_none(node):
        return {}
    if node.kind != MAP:
        raise BadValue(node, "Write `{name: value}`, or a line a name, indented.")
    return {name(key): parse(value) for key, value in node.content if value.content}


def _stage_name(key: Node) -> str:
    return str(key.content).strip().casefold()


def parse_default_every(node: Node) -> dict[str, tuple[int, str]]:
    """How often, by stage; a stage may have none."""
    cadences = _parse_map(node, lambda value: parse_name(value) and _parse_cadence(value), _stage_name)
    return {stage: cadence for stage, cadence in cadences.items() if cadence}


def parse_stage_minutes(node: Node) -> dict[str, int]:
    """Minutes, by stage."""
    return _parse_map(node, _parse_minutes, _stage_name)


def parse_fields(node: Node) -> dict[str, str]:
    """The vault's own names of keys, by ours."""
    from notesync.followup.client_fields import FIELDS

    known = ("type", *(field.key for field in FIELDS))

    def field_name(key: Node) -> str:
        name = normalise(key.content)
        if name not in known:
            near = find_nearest(name, known)
            hint = f"Did you mean `{near}`?" if near else "Write notesync's name first, then the vault's own."
            raise BadValue(key, hint, f"`{shorten(key)}` is not a field of a client note.")
        return name

    return _parse_map(node, _parse_text, field_name)


def parse_targets(node: Node) -> dict[str, tuple[int, str]]:
    """A number and its period, by what is aimed at."""
    return _parse_map(node, _parse_target, lambda key: normalise(key.content))


def _parse_target(node: Node) -> tuple[int, str]:
    import re

    match = re.fullmatch(
        "([0-9]{1,5}) ?(?:per|a|an|each|every|/) ?(day|week|month|quarter|year)", _parse_text(node).casefold()
    )
    if not match:
        raise BadValue(node, "Write a number and its period, as `40 per month`.")
    return int(match[1]), match[2]


_OWNER_KEYS: dict[str, Callable[[Node], Any]] = {
    "email": _parse_texts,
    "phone": _parse_texts,
    "best_time": _parse_text,
    "backup": _parse_text,
    "days_off": parse_days_off,
}


def parse_owners(node: Node) -> dict[str, Owner]:
    """What is known of each owner, by name."""
    if _is_none(node):
        return {}
    if node.kind != MAP:
        raise BadValue(node, "Write a name a line, indented: `Anna: {email: …, phone: …}`.")
    return {str(key.content).strip(): _parse_owner(value) for key, value in node.content}


def _parse_owner(node: Node) -> Owner:
    if not node.content:
        return Owner()
    if node.kind != MAP:
        raise BadValue(node, "Write `{email: …, phone: …, best_time: …, backup: …, days_off: […]}`.")
    values = {}
    for key, value in node.content:
        name = normalise(key.content)
        if name not in _OWNER_KEYS:
            near = find_nearest(name, _OWNER_KEYS)
            hint = f"Did you mean `{near}`?" if near else f"An owner has {', '.join(_OWNER_KEYS)}."
            raise BadValue(key, hint, f"`{shorten(key)}` is not known of an owner.")
        if value.content:
            values[name] = _OWNER_KEYS[name](value)
    return Owner(**values)


def parse_plans(node: Node) -> tuple[Any, ...]:
    """Plans as they stand, places included; what they mean is checked where plans are read."""
    if _is_none(node):
        return ()
    if node.kind != MAP:
        raise BadValue(node, "Write a plan's name a line, indented, with its steps below.")
    return build_tuples(node)
