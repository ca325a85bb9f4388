"""Real notes, damaged as disks, sync programs, editors and phones damage them: nothing raises, nothing is lost.

``test_note.py`` and its neighbours make texts from pieces that are known to be awkward; here whole notes as people
wrote them are cut, spliced, doubled and spoiled, and go the whole way to the calendar.  The cases are the same in every
run; ``NOTESYNC_FUZZ=20000 pytest tests/test_fuzz.py`` tries as many others, at random, for each test.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from terminal import find_raw
from test_note import check_sound
from two_edits import count_lines, is_told_apart

from notesync.followup.agenda import Moment
from notesync.followup.client import list_keys
from notesync.followup.options import parse_settings, render_settings
from notesync.followup.settings import Settings
from notesync.notes.body import Body, parse_body
from notesync.notes.edit_header import set_properties
from notesync.notes.edit_log import NewEntry, add_entry
from notesync.notes.edit_tasks import add_task, close_task, move_task
from notesync.notes.marked import split_marked
from notesync.notes.merge import choose_base, merge_notes
from notesync.notes.note import Note, parse_note
from notesync.problems import NotesyncError
from notesync.publish.text import render_problems_lines
from notesync.sync.client_note import read_history
from notesync.sync.pipeline import Selection, Workspace, open_workspace

EXAMPLE = Path(__file__).parents[1] / "examples" / "vault"
TODAY = date(2026, 11, 22)
MORE = int(os.environ.get("NOTESYNC_FUZZ", "0"))


def fuzz(cases: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """So many cases, always the same; as many others as the environment wants."""
    return settings(
        max_examples=MORE or cases,
        derandomize=not MORE,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


NOTES = [path.read_bytes() for path in sorted(EXAMPLE.rglob("*.md"))] + [
    text.encode()
    for text in (
        "---\ntype: client\nid: a1\naliases: [A, 'B b', \"C\"]\nphone: 0712345670\nteam:\n  - '[[Ann]]'\n"
        "  - Ben # boss\n"
        "every: twice a month\nquoted: 2026-11-12\nsold: 2026-10-01\ndelivery: unknown\n"
        "plan: [after-sale, transition]\n"
        "value: R 120 000.50\nnot_by: [email]\npaused_until: 2026-12-01\n---\n\n# A\n\n## Log\n"
        "- 2026-11-20 14:30 call (no answer): left a message #satisfaction\n  second line\n"
        "- 2026-11-18 #promise 📅 2026-11-24\n"
        "- [[2026-11-17]] visit: bought #sold [delivery:: 2026-12-01] [value:: 9,50]\n"
        "- 2026-11-16 email: leaks #complaint\n",
        "---\ntype: client\nprm-cadence: 2 weeks\nprm-last-contacted: 2026-11-01\n---\n"
        "- [ ] ring 🔺 🔁 every month on the 31st 🛫 2026-11-20 ⏳ 2026-11-21 📅 2026-11-25 🆔 q1 ^block\n"
        "- [ ] send [due:: 2026-11-25] (scheduled:: 2026-11-24) [repeat:: every 2 weeks when done] [dependsOn:: q1]\n"
        "    - [x] sub #contact ✅ 2026-11-20\n> - [ ] quoted 📅 2026-11-26\n```\n- [ ] no task\n```\n"
        "%% - [ ] hidden %%\n",
        "---\r\ntype: client\r\nrenewal: 2027-01-15\r\nlost: 2026-11-18\r\n---\r\n## Log\r\n- 2026-11-18 lost\r\n",
    )
]  # fmt: skip

# What damage is made of: what editors insert, what sync programs leave, what formats give a meaning to.
JUNK = [
    b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\n", b"\r\n", b"\t", b"\x1b[2J", b"\xc2\x85",
    b"\xe2\x80\xa8", b"\xe2\x80\xae", b"\xf3\xa0\x80\x81", b"\xcc\x81", b"\xef\xb8\x8f", b"---\n", b"...\n", b"```\n",
    b"~~~", b"%%", b"<!--", b"-->", b"[[", b"]]", b"[", b"]", b"{", b"}", b"\"", b"'", b"#", b" #", b": ", b"::",
    b"&a ", b"*a ", b"<<: ", b"!!int ", b"|\n", b">\n", b"@", b"`", b"\\", b"- ", b"- [ ] ", b"- [x] ", b"  ",
    b"    ", b"> ", b"## Log\n", b"### 2026-11-20\n", b"2026-02-30", b"9999-12-31", b"0000-00-00", b"25/11/2026",
    b"99999999999999999999", b"-1", b"1e999", b"\xd9\xa2", "📅".encode(), "📅 2026-11-25".encode(),
    "🔁 every day".encode(), "🆔 a".encode(), "⛔ a".encode(), "✅ 2026-11-20".encode(), b"#promise", b"#complaint",
    b"#kept", b"#resolved", b"#sold", b"[delivery:: x]", b"<<<<<<< HEAD\n", b"=======\n", b">>>>>>> x\n",
    b"{{title}}", b"<% %>", b"type: client\n", b"every: 0 days\n", b"every: 999999 years\n", b"plan: none\n",
    b"next_contact: 2026-11-25T99:99\n", b"sold: 0001-01-01\n", b"renewal: 9999-12-31\n", b"lost: 9999-12-30\n",
    b"id: a1\n",
]  # fmt: skip
# What init writes, with every setting switched on.
ALL_SETTINGS = re.sub(
    rb"(?m)^# ?(?=[a-z_]+:|  +[a-z_]+:)", b"", render_settings("5b1f", "2026-11-01", "UTC").encode()
)
LINE_END = re.compile(rb"\r\n|\r|\n")


@st.composite
def damaged(draw: st.DrawFn, seeds: list[bytes] = NOTES) -> bytes:
    """A real text after up to four mishaps."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        data = damage(draw, data, seeds)
    return data


def damage(draw: st.DrawFn, data: bytes, seeds: list[bytes]) -> bytes:
    place = st.integers(0, len(data))
    at, to = sorted((draw(place), draw(place)))
    match draw(st.integers(0, 9)):
        case 0:  # cut short
            return data[:at]
        case 1:  # a block that the disk lost
            return data[:at] + data[to:]
        case 2:  # a block twice
            return data[:to] + data[at:]
        case 3:  # a block of noughts, as some file systems leave after a crash
            return data[:at] + bytes(min(to - at, 64)) + data[to:]
        case 4:  # two notes run into each other
            other = draw(st.sampled_from(seeds))
            return data[:at] + other[draw(st.integers(0, len(other))) :]
        case 5:  # one bit
            return (
                data[:at] + bytes([data[at] ^ (1 << draw(st.integers(0, 7)))]) + data[at + 1 :]
                if at < len(data)
                else data
            )
        case 6:  # lines in another order
            lines = LINE_END.split(data)
            return b"\n".join(draw(st.permutations(lines)) if len(lines) < 40 else lines[::-1])
        case 7:  # read and written as something else
            return recode(data, draw(st.sampled_from(["utf-16", "latin-1", "cp1252", "utf-8-sig", "again"])))
        case _:  # something put in, at the place of what was there or before it
            return data[:at] + draw(st.sampled_from(JUNK)) + data[at + draw(st.sampled_from([0, 0, 1, 10])) :]


def recode(data: bytes, encoding: str) -> bytes:
    text = data.decode(errors="replace")
    return (
        text.encode().decode("latin-1").encode() if encoding == "again" else text.encode(encoding, "replace")
    )


def split_lines(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def check_body(note: Note, body: Body) -> None:
    lines = split_lines(note.text)
    for item in (*body.entries, *body.tasks):
        assert lines[item.line - 1][item.column - 1 :]
    for problem in body.problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1


@given(damaged(), st.sampled_from([None, TODAY]))
@fuzz(200)
def test_a_damaged_note_is_sound_and_its_places_are_true(data: bytes, daily: date | None) -> None:
    note = parse_note(data, "a.md")
    check_sound(note)
    body = parse_body(note, daily=daily)
    check_body(note, body)
    assert not find_raw("".join(render_problems_lines((*note.problems, *body.problems))))


# --- the whole way ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder, in memory where there is such a place."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="notesync-") as folder:
        yield Path(folder)


def open_vault(place: Path, day: date = TODAY) -> Workspace:
    return open_workspace(
        str(place / "vault"),
        lambda _zone: Moment(day, 600),
        tolerant=True,
        cache=str(place / "cache"),
        pause=lambda _seconds: None,
    )


@given(
    st.lists(damaged(), min_size=2, max_size=4),
    damaged(
        [
            ALL_SETTINGS,
            b"timezone: UTC\n",
            b"",
        ]
    ),
    st.dates(date(2026, 11, 20), date(2026, 12, 5)),
)
@fuzz(25)
def test_a_damaged_vault_is_answered_in_every_form(
    place: Path, texts: list[bytes], chosen: bytes, day: date
) -> None:
    """No mistake of ours comes to light, rows can be stored, the calendar parses, nothing is shown raw."""
    vault = place / "vault"
    vault.mkdir(exist_ok=True)
    for number in range(4):
        path = vault / f"{number}.md"
        path.unlink(missing_ok=True)
        if number < len(texts):
            path.write_bytes(texts[number])
    (vault / "2026-11-20.md").write_bytes(texts[-1])
    (vault / "notesync.yaml").write_bytes(chosen)
    with open_vault(place, day) as workspace:
        workspace.refresh(accept_empty=True)
        problems = workspace.problems()
        assert [problem for problem in problems if problem.code == "unexpected"] == []
        for selection in (Selection(everything=True), Selection(missed=True)):
            agenda = workspace.agenda(selection)
            if selection.everything:
                lines, totals = workspace.lines(selection)
                assert len(list(lines)) == totals.overdue + totals.due + totals.upcoming == len(agenda.items)
        found = workspace.lines(Selection(everything=True))[0]
        assert not find_raw("".join((*found, *render_problems_lines(problems))))
        for name in workspace.names():
            read_history(workspace, name.key)
        feed = b"".join(workspace.feed(component="both"))
    events = Calendar.from_ical(feed).walk("VEVENT")
    uids = [str(event["UID"]) for event in events]
    assert len(uids) == len(set(uids))
    assert all(len(line) <= 75 for line in feed.split(b"\r\n"))
    with open_vault(place, day) as again:
        again.refresh()
        assert b"".join(again.feed(component="both")) == feed


# --- editing ---------------------------------------------------------------------------------------------

SETTINGS = Settings()
EDITS: dict[str, Callable[[Note, Body], Note]] = {
    "an entry": lambda note, _: add_entry(
        note, NewEntry(TODAY, 600, "call", "well", "two words\nand a line")
    ),
    "a key": lambda note, _: set_properties(note, {"next_contact": "2026-12-01"}, list_keys(SETTINGS)),
    "a key away": lambda note, _: set_properties(note, {"every": None}, list_keys(SETTINGS)),
    "a task": lambda note, _: add_task(note, "send it", date(2026, 12, 1)),
    "a task done": lambda note, body: close_task(note, body.tasks[0], TODAY) if body.tasks else note,
    "a task moved": lambda note, body: move_task(note, body.tasks[-1], TODAY) if body.tasks else note,
}


@pytest.mark.parametrize("edit", EDITS)
@given(data=damaged())
@fuzz(40)
def test_an_edit_of_a_damaged_note_changes_only_its_span_or_is_refused(edit: str, data: bytes) -> None:
    note = parse_note(data, "a.md")
    try:
        new = EDITS[edit](note, parse_body(note))
    except NotesyncError:
        return
    check_sound(new)
    before, after = count_texts(data, note), count_texts(new.data, note)
    # Every line stays but for the few that the edit is about.
    assert sum((before - after).values()) <= 3
    start = count_same(data, new.data)
    assert len(data) - start - count_same(data[start:][::-1], new.data[start:][::-1]) <= 600


def count_same(one: bytes, two: bytes) -> int:
    """The bytes that both begin with."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two))
    )


def count_texts(data: bytes, note: Note) -> Counter[str]:
    return Counter(split_lines(data.decode(note.encoding, "surrogateescape")))


# --- settings --------------------------------------------------------------------------------------------

SETTINGS_SEEDS = [
    render_settings("5b1f", "2026-11-22", "Africa/Johannesburg").encode(),
    ALL_SETTINGS,
    (EXAMPLE / "notesync.yaml").read_bytes(),
    b"plans:\n  after-sale:\n    satisfaction: none\n"
    b"    visit: {from: 1 day, to: 3 days, needs: thank-you, ask: [how?]}\n"
    b"owners: {Anna: {email: a@b, backup: Ben, days_off: [2026-12-15/2027-01-05]}}\n"
    b"targets: {contacts: 40 per month}\n",
]


@given(damaged(SETTINGS_SEEDS))
@fuzz(100)
def test_damaged_settings_are_read_as_far_as_they_go(data: bytes) -> None:
    found, problems = parse_settings(data)
    lines = split_lines(data.decode("utf-8", "replace"))
    for problem in problems:
        assert 1 <= problem.line <= len(lines) + 1
        assert problem.column >= 1
        assert problem.hint
    assert Settings.from_json(found.to_json()) == found
    assert not find_raw("".join(render_problems_lines(problems)))


# --- merging ---------------------------------------------------------------------------------------------


@st.composite
def versions(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """A note, mostly sound, and what became of it on two devices."""
    base = draw(st.one_of(st.sampled_from(NOTES), damaged()))
    sides = []
    for _ in range(2):
        side = base
        for _ in range(draw(st.integers(0, 3))):
            side = damage(draw, side, NOTES)
        sides.append(side)
    return base, sides[0], sides[1]


@given(versions(), st.booleans())
@fuzz(100)
def test_damaged_versions_are_merged_asked_about_or_refused_alike(
    notes: tuple[bytes, bytes, bytes], known: bool
) -> None:
    base, one, two = notes
    found: list[object] = []
    for first, second in ((one, two), (two, one)):
        try:
            found.append(merge_notes(base if known else None, first, second, "a.md").data)
        except NotesyncError as refused:
            found.append(str(refused).partition(":")[0])
    assert found[0] == found[1]
    assert choose_base([base, one], one, two) == choose_base([base, one], two, one)
    merged = found[0]
    if isinstance(merged, bytes):
        check_nothing_lost(base if known else None, one, two, merged)


def check_nothing_lost(base: bytes | None, one: bytes, two: bytes, merged: bytes) -> None:
    """Each line of a body that either side added is in the result."""
    bodies = [find_body(data) for data in (base or b"", one, two, merged)]
    assume(None not in bodies)
    before, first, second, after = (body or "" for body in bodies)
    if base is None or is_told_apart(before, first, second):
        # A version that ends in the middle of what was there before was not finished: it adds nothing.
        # One that is but a fence has its line above the other's front matter.
        told = [(data, side) for data, side in ((one, first), (two, second)) if data.strip() != b"---"]
        sides = [side for data, side in told if not (base or b"\0").startswith(data)]
        for side in sides:
            assert not count_lines(side) - count_lines(before) - count_lines(after)


def find_body(data: bytes) -> str | None:
    """What stands below the front matter; None of bytes that are no text."""
    note = parse_note(data, "a.md")
    return None if "\udc80" <= max(note.text, default="") <= "\udcff" else "".join(note.parts()[3:])


@given(
    st.lists(
        damaged() | st.sampled_from([b"<<<<<<< a\n", b"=======\n", b">>>>>>> b\n", b"||||||| c\n"]),
        max_size=9,
    )
)
@fuzz(100)
def test_what_git_left_is_taken_apart_or_left_alone(parts: list[bytes]) -> None:
    data = b"".join(parts)
    for version in split_marked(data) or ():
        assert set(LINE_END.split(version or b"")) <= {*LINE_END.split(data), b""}
