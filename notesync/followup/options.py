"""`notesync.yaml`: one table of options says how each key is read, and how `init` explains it.

In: the file's bytes.  Out: :class:`Settings`, and the problems with their places; or a new vault's file.  Wrong
settings never raise: the default stands in for what could not be read, and the caller decides whether to go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.option_values import (
    BadValue,
    one_of,
    parse_alarm,
    parse_calendar_path,
    parse_color,
    parse_day,
    parse_days_off,
    parse_default_every,
    parse_duration,
    parse_fields,
    parse_flag,
    parse_headings,
    parse_holidays,
    parse_id,
    parse_machine,
    parse_name,
    parse_note_path,
    parse_number,
    parse_owners,
    parse_patterns,
    parse_plans,
    parse_span,
    parse_stage_minutes,
    parse_targets,
    parse_timezone,
    parse_words,
    parse_workdays,
)
from notesync.followup.settings import SETTINGS_FILE, Settings
from notesync.followup.settings_yaml import LIST, MAP, TEXT, Node, Reading, normalise, shorten
from notesync.problems import find_nearest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from notesync.problems import Problem


class Option(NamedTuple):
    """One key: how its value is read, and how `init` explains and shows it; its default is the attribute's.

    ``example`` is YAML: the default, or what a value looks like where the default is none.
    """

    key: str
    parse: Callable[[Node], Any]
    example: str
    comment: str


OPTIONS = (
    Option("vault_id", parse_id, "", "Part of every calendar entry's identity: do not change it."),
    Option(
        "since",
        parse_day,
        "2026-11-22",
        "Follow-ups of plans that closed before this day are missed, not overdue.",
    ),
    Option(
        "timezone",
        parse_timezone,
        "Africa/Johannesburg",
        "Where today begins.  Without it: the zone of each machine, and machines may differ.",
    ),
    Option("currency", parse_name, "ZAR", "Shown beside the value at risk.  Without it: nothing."),
    Option("workdays", parse_workdays, "[mon, tue, wed, thu, fri]", "The days that are worked."),
    Option(
        "holidays",
        parse_holidays,
        "ZA",
        "Public holidays of a country or country-subdivision (`DE-BY`).  Without it: none.",
    ),
    Option(
        "days_off",
        parse_days_off,
        "[2026-12-15/2027-01-05]",
        "Other days off: days, or `first/last`.  Without it: none.",
    ),
    Option("ignore", parse_patterns, "[Archive/]", "Folders and files not to read.  Without it: none."),
    Option(
        "client_types",
        parse_words,
        "[person]",
        "Words besides `client` that make a note a client's, under `type`.  Without it: none.",
    ),
    Option("log_headings", parse_headings, "[Log]", "Headings under which a note keeps its log."),
    Option(
        "default_every",
        parse_default_every,
        "{customer: month, prospect: 2 weeks, lead: week, dormant: quarter}",
        "How often to keep in touch, by stage, where a note has no `every` of its own.  Without it: never.",
    ),
    Option(
        "minutes",
        parse_stage_minutes,
        "{customer: 20}",
        "Minutes to plan for a contact, by stage.",
    ),
    Option("capacity", parse_duration, "2 hours", "Time a day for overdue work, for `agenda`."),
    Option("retry_after", parse_span, "2 workdays", "When to try again after no answer."),
    Option(
        "give_up_after",
        parse_number,
        "5",
        "After so many attempts without a contact, decide how to go on.",
    ),
    Option(
        "owners",
        parse_owners,
        "{Anna: {email: anna@example.com, phone: 021 555 0100, best_time: mornings, backup: Ben}}",
        "The reps that notes name as `owner`, and who stands in for them.",
    ),
    Option(
        "fields",
        parse_fields,
        "{last_contact: prm-last-contacted}",
        "This vault's own names for keys of a note: notesync's name first.",
    ),
    Option(
        "obsidian_vault",
        parse_name,
        "Clients",
        "The vault's name in obsidian:// links.  Without it: the folder's name.",
    ),
    Option(
        "agenda_note",
        parse_note_path,
        "Follow-ups.md",
        "Writes the agenda as a note, for phones.  Without it: no such note.",
    ),
    Option(
        "calendar.path",
        parse_calendar_path,
        "followups.ics",
        "Where the calendar is written.",
    ),
    Option(
        "calendar.per_owner",
        parse_flag,
        "false",
        "true: besides the whole, followups-<owner>.ics for each owner.",
    ),
    Option(
        "calendar.detail",
        one_of("full", "names", "initials"),
        "full",
        "full: names, phone, e-mail, questions; names: client and kind; initials: initials and kind.",
    ),
    Option(
        "calendar.overdue",
        one_of("digest", "each", "stay"),
        "digest",
        "Overdue ones as one entry today (digest), each today (each), or on their own day (stay).",
    ),
    Option(
        "calendar.alarm",
        parse_alarm,
        "none",
        "A time of day (08:30) at which whole-day entries ring; timed ones ring 15 minutes before.",
    ),
    Option("calendar.past", parse_span, "90 days", "How far back the calendar goes."),
    Option("calendar.horizon", parse_span, "18 months", "How far ahead the calendar goes."),
    Option(
        "calendar.machine",
        parse_machine,
        "any",
        "The name of the one machine that writes the calendar, or any.",
    ),
    Option(
        "calendar.color",
        parse_color,
        "teal",
        "The calendar's colour, where an app takes it: a CSS name, or '#008080'.",
    ),
    Option("calendar.description", parse_name, "Who is to be called", "What apps say of the calendar."),
    Option("calendar.refresh", parse_duration, "1 hour", "How often apps are asked to look for changes."),
    Option(
        "plans",
        parse_plans,
        "{after-sale: {testimonial: none}}",
        "Changes to the plans, and plans of your own: see docs/method.md.",
    ),
    Option(
        "targets",
        parse_targets,
        "{contacts: 40 per month, sales: 5 per month}",
        "What `review` compares with.  Without it: nothing.",
    ),
)


def parse_settings(data: bytes, path: str = SETTINGS_FILE) -> tuple[Settings, tuple[Problem, ...]]:
    """Read `notesync.yaml`: the settings, and every problem with its place.

    What cannot be read keeps its default.  Never raises.
    """
    reading = Reading(path)
    root = reading.compose(data)
    values: dict[str, Any] = {}
    if root is not None and root.content:
        if root.kind == MAP:
            _read_keys(reading, root, "", values)
        else:
            message = "The settings are not lines of `key: value`."
            reading.report(root[1:3], "bad-setting", message, "Write `timezone: Africa/Johannesburg`.")
    return Settings(**values), tuple(sorted(reading.problems, key=lambda problem: problem[1:3]))


def _read_keys(reading: Reading, node: Node, prefix: str, values: dict[str, Any]) -> None:
    options = {
        option.key: option for option in OPTIONS if option.key.rpartition(".")[0] == prefix.rstrip(".")
    }
    for key, value in node.content:
        name = normalise(key.content)
        if prefix + name in options:
            if value.content or value.kind == LIST:
                _read_option(reading, options[prefix + name], value, values)
        elif name == "calendar" and not prefix:
            _read_calendar(reading, value, values)
        else:
            hint = _suggest_key(name, prefix)
            reading.report(key[1:3], "unknown-setting", f"`{prefix}{shorten(key)}` is not a setting.", hint)


def _read_calendar(reading: Reading, value: Node, values: dict[str, Any]) -> None:
    if value.kind == MAP:
        _read_keys(reading, value, "calendar.", values)
    elif value.content:
        hint = "Write the calendar's settings below it, indented: `path: followups.ics`."
        reading.report(value[1:3], "bad-setting", f"`calendar` cannot be {shorten(value)}.", hint)


def _read_option(reading: Reading, option: Option, value: Node, values: dict[str, Any]) -> None:
    try:
        values[option.key.replace(".", "_")] = option.parse(value)
    except BadValue as bad:
        message = bad.message or f"`{option.key}` cannot be {_quoted(bad.node)}."
        reading.report(bad.node[1:3], "bad-setting", message, bad.hint)


def _quoted(node: Node) -> str:
    return f"`{shorten(node)}`" if node.kind == TEXT and node.content else shorten(node) or "empty"


def _suggest_key(name: str, prefix: str) -> str:
    keys = [option.key for option in OPTIONS] + ["calendar"]
    if prefix and name in keys:
        return f"Write `{name}` without indenting it."
    near = find_nearest(prefix + name, keys) or next((key for key in keys if key.endswith(f".{name}")), "")
    section, _, last = near.rpartition(".")
    if section and not prefix:
        return f"Did you mean `{last}`, indented below `{section}:`?"
    return f"Did you mean `{last}`?" if near else "Delete it; docs/format.md lists the settings."


# --- What `init` writes ---


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
