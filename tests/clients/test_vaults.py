"""A vault of notes, then what other people's programs make of its calendars, item by item.

The calendars are read three times: by the rules of RFC 5545 in twenty lines of ours, which must find what the index
says; by each library; and by vdirsyncer with khal, also from ``notesync serve``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
from readers import KEYS, READERS, Desk, Item, in_order, make_item, make_todos, read, serving

from notesync.followup.agenda import Moment
from notesync.followup.items import Item as FollowUp
from notesync.sync.pipeline import Selection, Workspace, open_workspace

pytestmark = pytest.mark.readers

HOME = Path(__file__).parents[2]
TODAY = date(2026, 11, 22)
AWKWARD = {
    "control": "bell\x07 vt\v ff\f fs\x1c del\x7f c1\x9b escape\x1b[31m",
    "lines": "one\u2028two\u2029three\u0085four",
    "surrogate": "lone \ud800 one",
    "backslash": "C:\\Notes\\New \\n \\N \\; ends\\",
    "emoji": "👩‍👩‍👧 at the fold 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👋🏽 " * 9,
    "right-to-left": "עברית عربي \u202eoverride\u202c \u200fmark",
    "long": "long " * 2000,
    "signs": "a, b; c: \"d\" 'e' = ^n &amp; <b>",
    "composed": "e\u0301 \ufeff \ufffe",
}


def write_example(root: Path) -> None:
    shutil.copytree(HOME / "examples/vault", root)


def write_empty(root: Path) -> None:
    root.mkdir()
    (root / "Reading.md").write_text("Not a client.\n", encoding="utf-8")


def write_awkward(root: Path) -> None:
    """Each text in a header's keys, in a task, in a log entry with a promise, and, where disks allow, in a name."""
    root.mkdir()
    (root / "notesync.yaml").write_text("obsidian_vault: 'Ann\\N, Ben; & Co'\n", encoding="utf-8")
    for place, (name, text) in enumerate(AWKWARD.items()):
        day = TODAY + timedelta(days=place - 3)
        keys = (
            "name",
            "company",
            "best_time",
            "next_action",
            "phone",
            "email",
            "contact_by",
            "role",
            "address",
        )
        header = "".join(f"{key}: {quote(text)}\n" for key in keys)
        plain = re.sub("[\r\n]", " ", text)
        body = (
            f"- [ ] {plain} 📅 {day}\n- [ ] {plain}\n\n## Log\n\n- 2026-11-20 call: {plain} #promise 📅 {day}\n"
            "- 2026-11-19 call: something else #complaint\n"
        )
        note = f"---\ntype: client\n{header}next_contact: {day}\nevery: 2 weeks\n---\n{body}"
        (root / f"{name} 'Söhne', & #1.md").write_bytes(note.encode("utf-8", "surrogatepass"))


def quote(text: str) -> str:
    """A text as YAML that any reader takes: what is no character there stands as an escape."""
    safe = json.dumps(text, ensure_ascii=True)
    return "'lone \\ud800'" if "\\ud800" in safe else safe


def write_owned(root: Path) -> None:
    write_example(root)
    wished = "calendar: {per_owner: true, alarm: '08:30', color: teal, description: 'Who, and when'}\n"
    text = (root / "notesync.yaml").read_text(encoding="utf-8")
    text, found = re.subn(r"(?m)^calendar:\n(?: .*\n)+", wished, text)
    assert found == 1
    (root / "notesync.yaml").write_text(text, encoding="utf-8")


VAULTS = {"example": write_example, "empty": write_empty, "awkward": write_awkward, "owned": write_owned}


def open_vault(root: Path) -> Workspace:
    cache = str(root.parent / "cache")
    return open_workspace(str(root), lambda _: Moment(TODAY), cache=cache, pause=lambda _: None)


def publish(root: Path) -> tuple[dict[str, bytes], list[FollowUp]]:
    """The calendars of a vault by their names, and what its index says is to be done."""
    with open_vault(root) as workspace:
        workspace.refresh()
        workspace.publish()
        items = workspace.agenda(Selection(everything=True)).items
        horizon = TODAY + timedelta(days=540)
    shown = [
        item
        for item in items
        if item.due and not item.waits and date.fromisoformat(item.opens[:10]) < horizon
    ]
    return {path.name: path.read_bytes() for path in sorted(root.glob("*.ics"))}, shown


# by the rules ---------------------------------------------------------------------------------------


def read_plainly(data: bytes) -> list[Item]:
    """The items of a calendar by RFC 5545, 3.1 and 3.3.11, for what we write."""
    lines = data.decode().replace("\r\n ", "").split("\r\n")
    found, open_parts, item = [], [], {}
    for line in lines[:-1]:
        name, _, value = line.partition(":")
        name = name.partition(";")[0]
        if name == "BEGIN":
            open_parts.append(value)
            item = {"component": value} if value in ("VEVENT", "VTODO") else item
        elif name == "END":
            assert open_parts.pop() == value
            if value in ("VEVENT", "VTODO"):
                found.append(make_plain(item))
        elif open_parts[-1] in ("VEVENT", "VTODO"):
            assert name not in item, line
            item[name] = value
    return found


def make_plain(item: dict[str, str]) -> Item:
    end = item["DTEND" if item["component"] == "VEVENT" else "DUE"]
    words = (unescape(item[name]) if name in item else "" for name in ("SUMMARY", "DESCRIPTION"))
    start = spell(item["DTSTART"]) if "DTSTART" in item else None
    return make_item(item["component"], item["UID"], start, spell(end), *words)


def spell(value: str) -> str:
    if len(value) == 8:
        return date.fromisoformat(value).isoformat()
    return datetime.fromisoformat(value).strftime("%Y-%m-%dT%H:%M:%SZ")


def unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)


@pytest.mark.parametrize("vault", VAULTS)
def test_a_calendar_holds_what_the_index_says(vault: str, tmp_path: Path) -> None:
    """One event for each follow-up with a date, and beside them only the digest, or the placeholder."""
    VAULTS[vault](tmp_path / "vault")
    calendars, items = publish(tmp_path / "vault")
    assert len(calendars) == (3 if vault == "owned" else 1)
    for name, data in calendars.items():
        mine = [
            item for item in items if name == "followups.ics" or name[10:-4] in map(str.casefold, item.owner)
        ]
        events = {event["uid"]: event for event in read_plainly(data)}
        for item in mine:
            event = events.pop(item.uid)
            assert event["start"] == spell_start(item)
            assert event["summary"].startswith(one_line(item.client) + ": ")
            assert one_line(item.title) in event["summary"]
            for fact in (item.best_time, *item.phone, *item.email, item.company, *item.ask):
                assert one_line(fact)[:400] in event["description"] or len(event["description"]) == 2000
        assert len(events) == (
            1 if any(item.status == "overdue" or not items for item in mine) or not mine else 0
        )
        assert all(re.match(r"\d+ overdue|No follow-ups due", event["summary"]) for event in events.values())


def spell_start(item: FollowUp) -> str:
    assert item.opens
    moment = datetime.fromisoformat(item.opens).replace(tzinfo=ZoneInfo("Africa/Johannesburg"))
    return item.opens if len(item.opens) == 10 else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def one_line(text: str) -> str:
    from notesync.publish.calendar import clean_text

    return " ".join(clean_text(text).split())


# by the libraries -----------------------------------------------------------------------------------


@pytest.mark.parametrize("vault", VAULTS)
@pytest.mark.parametrize("reader", READERS)
def test_libraries_read_the_calendars_of_vaults(reader: str, vault: str, tmp_path: Path) -> None:
    VAULTS[vault](tmp_path / "vault")
    calendars, _ = publish(tmp_path / "vault")
    with open_vault(tmp_path / "vault") as workspace:
        workspace.refresh()
        calendars["both"] = b"".join(workspace.feed(component="both"))
        calendars["initials"] = b"".join(workspace.feed(component="both", detail="initials"))
    for name, data in calendars.items():
        plain = read_plainly(data)
        assert in_order(read(reader, data, tmp_path), *KEYS) == in_order(plain, *KEYS), name


def change(root: Path) -> list[bytes]:
    """The calendars of a vault whose follow-ups move, vanish and come back, as a watcher writes them."""
    root.mkdir()
    note, other = root / "Acme.md", root / "Bolt; & Söhne.md"
    texts = [
        "---\ntype: client\nnext_contact: 2026-11-25\n---\n- [ ] Send it, now; \\N 📅 2026-11-24\n",
        "---\ntype: client\nnext_contact: 2026-12-02\n---\n- [ ] Send it, now; \\N 📅 2026-12-24\n",
        "---\ntype: client\n---\n",
        None,
        "---\ntype: client\nnext_contact: 2026-11-25\n---\n- [ ] Send it, now; \\N 📅 2026-11-24\n",
    ]
    feeds = []
    with open_vault(root) as workspace:
        for place, text in enumerate(texts):
            note.unlink(missing_ok=True)
            if text is not None:
                note.write_text(text, encoding="utf-8")
            if place in (0, 4):
                other.write_text(
                    f"---\ntype: client\nnext_contact: 2026-11-2{place}\n---\n", encoding="utf-8"
                )
            elif place == 2:
                other.unlink()
            workspace.refresh(accept_empty=True)
            workspace.publish()
            feeds.append((root / "followups.ics").read_bytes())
    assert feeds[0] != feeds[4]  # Bolt's was overdue, and is to come
    assert len(set(feeds)) == 4  # nothing is nothing, with the note or without
    return feeds


@pytest.mark.parametrize("reader", READERS)
def test_libraries_read_follow_ups_that_moved_vanished_and_came_back(reader: str, tmp_path: Path) -> None:
    counts = []
    for data in change(tmp_path / "vault"):
        items = read(reader, data, tmp_path)
        assert in_order(items, *KEYS) == in_order(read_plainly(data), *KEYS)
        counts.append(len(items))
    assert counts == [4, 4, 1, 1, 3]


# by programs ----------------------------------------------------------------------------------------

SHOWN = ("start", "end", "summary", "description")


def make_shown(data: bytes) -> list[tuple[str, ...]]:
    return in_order([item for item in read_plainly(data) if item["component"] == "VEVENT"], *SHOWN)


@pytest.mark.parametrize("vault", VAULTS)
def test_khal_shows_the_calendars_of_vaults(vault: str, tmp_path: Path) -> None:
    VAULTS[vault](tmp_path / "vault")
    for number, data in enumerate(publish(tmp_path / "vault")[0].values()):
        (home := tmp_path / str(number)).mkdir()
        with serving([data]) as address:
            desk = Desk(home, address)
            desk.sync()
        assert in_order(desk.events(), *SHOWN) == make_shown(data)


@pytest.mark.parametrize("vault", ["example", "awkward"])
def test_todoman_lists_the_to_dos_of_vaults(vault: str, tmp_path: Path) -> None:
    VAULTS[vault](tmp_path / "vault")
    with open_vault(tmp_path / "vault") as workspace:
        workspace.refresh()
        data = b"".join(workspace.feed(component="both"))
    todos = [item for item in read_plainly(data) if item["component"] == "VTODO"]
    assert len(todos) > 15
    (home := tmp_path / "desk").mkdir()
    with serving([data]) as address:
        desk = Desk(home, address)
        desk.sync()
    keys = ("due", "summary", "description")
    assert in_order(desk.todos(), *keys) == in_order(make_todos(todos), *keys)


def test_khal_follows_a_vault(tmp_path: Path) -> None:
    feeds: list[bytes] = []
    (home := tmp_path / "desk").mkdir()
    with serving(feeds) as address:
        desk = Desk(home, address)
        for data in change(tmp_path / "vault"):
            feeds.append(data)
            desk.sync()
            assert in_order(desk.events(), *SHOWN) == make_shown(data)


def test_khal_follows_notesync_serve(tmp_path: Path) -> None:
    """The whole way: a note, ``notesync serve``, vdirsyncer, khal; then a save, and the same again."""
    root = tmp_path / "vault"
    write_awkward(root)
    (home := tmp_path / "desk").mkdir()
    environment = os.environ | {"PYTHONPATH": str(HOME), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CACHE", "STATE")}
    command = [sys.executable, "-m", "notesync", "serve", "--vault", str(root), "--port", str(find_port())]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            printed = subprocess.run(
                [*command, "--urls"], env=environment, capture_output=True, text=True, check=True
            )
            address = next(
                word for word in printed.stdout.split() if re.fullmatch("http://.*/followups[.]ics", word)
            )
            first = fetch(address, lambda _: True)
            desk = Desk(home, address)
            desk.sync()
            assert in_order(desk.events(), *SHOWN) == make_shown(first)
            (root / "New.md").write_text(
                f"---\ntype: client\nnext_contact: {date.today()}\n---\n", encoding="utf-8"
            )
            second = fetch(address, lambda data: b"SUMMARY:New" in data)
            desk.sync()
            assert in_order(desk.events(), *SHOWN) == make_shown(second)
            assert len(make_shown(second)) == len(make_shown(first)) + 1
        finally:
            server.terminate()


def find_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def fetch(address: str, is_wanted: object) -> bytes:
    """The calendar there, as soon as it is the one that is waited for."""
    for _ in range(200):
        try:
            with urlopen(address, timeout=5) as answer:
                data: bytes = answer.read()
            if is_wanted(data):  # type: ignore[operator]
                return data
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{address} never had it")
