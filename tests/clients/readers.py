"""Calendar readers that are not ours: libraries run as processes of their own, and a desk with whole programs.

``NOTESYNC_READERS_PYTHON`` names the Python that has them (else this one), ``NODE_PATH`` the folder that has
ical.js; with ``NOTESYNC_REQUIRE_CLIENTS=1`` a missing reader is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NoReturn

import pytest

HERE = Path(__file__).parent
PYTHON = os.environ.get("NOTESYNC_READERS_PYTHON") or sys.executable
MISSING = 77  # what the reading scripts end with when their reader is not there
READERS = ("icalendar", "ical", "vobject", "libical", "ical.js")
KEYS = ("component", "uid", "start", "end", "summary", "description")
Item = dict[str, Any]


def make_item(component: str, uid: str, start: str | None, end: str, summary: str, description: str) -> Item:
    return {
        "component": component, "uid": uid, "start": start, "end": end, "summary": summary,
        "description": description,
    }  # fmt: skip


def make_todos(items: list[Item]) -> list[Item]:
    """Items as todoman tells of them, which has the second when they are due."""
    return [
        {**item, "due": int(datetime.fromisoformat(item["end"]).replace(tzinfo=UTC).timestamp())}
        for item in items
    ]


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where all readers are required, as in CI."""
    if os.environ.get("NOTESYNC_REQUIRE_CLIENTS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def run(command: list[str], **options: Any) -> str:
    """A reader's stdout; a test without the reader is skipped, one whose reader fails fails."""
    ended = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, timeout=120, **options
    )
    if ended.returncode == MISSING:
        missing(ended.stderr.strip())
    assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return str(ended.stdout)


def in_order(items: list[Item], *keys: str) -> list[tuple[str, ...]]:
    return sorted(tuple(str(item[key]) for key in keys) for item in items)


def read(reader: str, data: bytes, place: Path) -> list[Item]:
    """What a library finds in a calendar."""
    path = place / "read.ics"
    path.write_bytes(data)
    if reader != "ical.js":
        command = [PYTHON, str(HERE / "read_calendar.py"), reader, str(path)]
    elif node := shutil.which("node"):
        command = [node, str(HERE / "read_calendar.mjs"), str(path)]
    else:
        missing("node is not installed")
    found: list[Item] = json.loads(run(command))
    return found


class Desk:
    """A home of its own with vdirsyncer, khal and todoman set up for one calendar on this machine."""

    def __init__(self, home: Path, address: str) -> None:
        self.items = home / "items"
        self.items.mkdir()
        self.scripts = Path(PYTHON).parent
        for program in ("vdirsyncer", "khal", "todo"):
            if not (self.scripts / program).exists():
                missing(f"{program} is not installed beside {PYTHON}")
        self.environment = {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "PATH": os.environ["PATH"],
            "TZ": "UTC",
        }
        self.environment |= {"LC_ALL": "C.UTF-8", "XDG_CACHE_HOME": str(home), "XDG_DATA_HOME": str(home)}
        self.configure(home, address)

    def configure(self, home: Path, address: str) -> None:
        formats = "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
        formats += "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
        self.write(home / "vdirsyncer/config", f"""\
[general]
status_path = "{home}/status"
[pair feed]
a = "theirs"
b = "ours"
collections = null
[storage theirs]
type = "http"
url = "{address}"
[storage ours]
type = "filesystem"
path = "{self.items}"
fileext = ".ics"
""")  # fmt: skip
        self.write(home / "khal/config", f"""\
[calendars]
[[feed]]
path = {self.items}
[locale]
{formats}local_timezone = UTC
default_timezone = UTC
[sqlite]
path = {home}/khal.db
""")  # fmt: skip
        self.write(
            home / "todoman/config.py",
            f'path = "{self.items}"\ndate_format = "%Y-%m-%d"\ndefault_list = "items"\n',
        )

    def write(self, path: Path, text: str) -> None:
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")

    def run(self, program: str, *arguments: str) -> str:
        return run([str(self.scripts / program), *arguments], env=self.environment)

    def sync(self) -> None:
        if not (self.items.parent / "status").exists():
            self.run("vdirsyncer", "discover")
        self.run("vdirsyncer", "sync")

    def events(self) -> list[Item]:
        fields = ("title", "start-date", "start-time", "end-date", "end-time", "description", "all-day")
        wanted = [part for field in fields for part in ("--json", field)]
        printed = self.run("khal", "list", "--once", *wanted, "1999-12-01", "2030-01-01")
        return [
            make_item("VEVENT", "", *self.times(event), event["title"], event["description"])
            for day in printed.splitlines()
            for event in json.loads(day)
        ]

    def times(self, event: Item) -> tuple[str, str]:
        if event["all-day"] == "True":  # khal tells the last day, not the one after it
            return event["start-date"], str(date.fromisoformat(event["end-date"]) + timedelta(days=1))
        start, end = (f"{event[f'{edge}-date']}T{event[f'{edge}-time']}:00Z" for edge in ("start", "end"))
        return start, end

    def todos(self) -> list[Item]:
        return [
            {"summary": todo["summary"], "description": todo["description"], "due": todo["due"]}
            for todo in json.loads(self.run("todo", "--porcelain", "list", "--status", "ANY"))
        ]


@contextmanager
def serving(feeds: list[bytes]) -> Iterator[str]:
    """The address of the last calendar of a list, while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/calendar; charset=utf-8")
            self.send_header("Content-Length", str(len(feeds[-1])))
            self.end_headers()
            self.wfile.write(feeds[-1])

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/followups.ics"
        finally:
            server.shutdown()
            thread.join()
