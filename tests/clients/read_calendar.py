"""Read a calendar with one reader and print its items as JSON: ``read_calendar.py READER FILE``.

Runs under whatever Python has the reader, so it imports nothing of ours.  An item is its component, uid,
start, end (a to-do's due), summary and description; days are ``2026-11-24``, instants
``2026-11-24T09:00:00Z``.  Exit code 77: the reader is not there; its name is on stderr.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import json
import sys
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

ENDS = {"VEVENT": "DTEND", "VTODO": "DUE"}


def moment(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else None


def item(component: str, uid: Any, start: Any, end: Any, summary: Any, description: Any) -> dict[str, Any]:
    return {
        "component": component,
        "uid": str(uid),
        "start": start if isinstance(start, str) else moment(start),
        "end": end if isinstance(end, str) else moment(end),
        "summary": str(summary),
        "description": str(description or ""),
    }


def read_icalendar(data: bytes) -> list[dict[str, Any]]:
    found = []
    for part in import_module("icalendar").Calendar.from_ical(data).subcomponents:
        assert part.errors == []
        start, end = (part.decoded(name, None) for name in ("DTSTART", ENDS[part.name]))
        found.append(item(part.name, part["UID"], start, end, part["SUMMARY"], part.get("DESCRIPTION")))
    return found


def read_ical(data: bytes) -> list[dict[str, Any]]:
    stream = import_module("ical.calendar_stream").IcsCalendarStream
    calendar = stream.calendar_from_ics(data.decode())
    events = [item("VEVENT", e.uid, e.dtstart, e.dtend, e.summary, e.description) for e in calendar.events]
    return events + [item("VTODO", t.uid, t.dtstart, t.due, t.summary, t.description) for t in calendar.todos]


def read_vobject(data: bytes) -> list[dict[str, Any]]:
    found = []
    for part in import_module("vobject").readOne(data.decode()).components():
        values = {line.name: line.value for line in part.lines()}
        start, end = values.get("DTSTART"), values.get(ENDS[part.name])
        found.append(item(part.name, values["UID"], start, end, values["SUMMARY"], values.get("DESCRIPTION")))
    return found


def read_libical(data: bytes) -> list[dict[str, Any]]:
    library = ctypes.CDLL(ctypes.util.find_library("ical") or "libical.so.3")

    def call(name: str, result: Any, *arguments: Any) -> Any:
        function = getattr(library, name)
        function.restype = result
        return function(*arguments)

    def kind(part: Any) -> int:
        return int(call("icalcomponent_isa", ctypes.c_int, part))

    def text(part: Any, name: str) -> str:
        number = call("icalproperty_string_to_kind", ctypes.c_int, name.encode())
        line = ctypes.c_void_p(call("icalcomponent_get_first_property", ctypes.c_void_p, part, number))
        if not line:
            return ""
        if name in ("SUMMARY", "DESCRIPTION", "UID"):
            raw = call(f"icalproperty_get_{name.lower()}", ctypes.c_char_p, line)
        else:
            raw = call("icalproperty_get_value_as_string", ctypes.c_char_p, line)
        return str(raw.decode())

    def time(part: Any, name: str) -> str | None:
        raw = text(part, name)
        if not raw:
            return None
        if len(raw) == 8:
            return date.fromisoformat(raw).isoformat()
        return moment(datetime.fromisoformat(raw))

    root = ctypes.c_void_p(call("icalparser_parse_string", ctypes.c_void_p, data))
    assert call("icalcomponent_count_errors", ctypes.c_int, root) == 0
    any_kind = call("icalcomponent_string_to_kind", ctypes.c_int, b"ANY")
    names = {call("icalcomponent_string_to_kind", ctypes.c_int, name.encode()): name for name in ENDS}
    found = []
    part = ctypes.c_void_p(call("icalcomponent_get_first_component", ctypes.c_void_p, root, any_kind))
    while part:
        name = names[kind(part)]
        start, end = time(part, "DTSTART"), time(part, ENDS[name])
        words = (text(part, field) for field in ("SUMMARY", "DESCRIPTION"))
        found.append(item(name, text(part, "UID"), start, end, *words))
        part = ctypes.c_void_p(call("icalcomponent_get_next_component", ctypes.c_void_p, root, any_kind))
    return found


READERS = {
    "icalendar": read_icalendar,
    "ical": read_ical,
    "vobject": read_vobject,
    "libical": read_libical,
}

if __name__ == "__main__":
    try:
        items = READERS[sys.argv[1]](Path(sys.argv[2]).read_bytes())
    except (ModuleNotFoundError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(77)
    json.dump(items, sys.stdout)
