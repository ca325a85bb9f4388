"""A person's note, and the log line that `show` offers with each step: it settles that step, or is not there."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notesync.followup.client import Client, find_known_keys, read_client
from notesync.followup.follow_up import Context, find_past
from notesync.followup.plans import load_plans
from notesync.followup.rehearsal import rehearse
from notesync.followup.settings import Settings
from notesync.followup.steps import Progress, find_progress
from notesync.notes.body import parse_body
from notesync.notes.edit_log import NewEntry, add_entry
from notesync.notes.note import Note, parse_note

TODAY = date(2026, 11, 24)  # a Tuesday
SETTINGS = Settings()
CONTEXT = Context(SETTINGS, SETTINGS.work_calendar(), load_plans(SETTINGS)[0])


def parse(text: str) -> Note:
    """A note whose header and log are parted by a line `--`."""
    header, _, log = text.partition("\n--\n")
    data = f"---\ntype: client\n{header}\n---\n## Log\n{log}\n".encode()
    return parse_note(data, "Ann.md", find_known_keys(SETTINGS))


def read(note: Note) -> Client:
    return read_client(note, parse_body(note, SETTINGS.log_headings), SETTINGS)[0]


def find(note: Note) -> list[Progress]:
    return list(find_progress(read(note), CONTEXT, find_past(read(note), TODAY)))


def try_lines(note: Note) -> list[Progress]:
    client = read(note)
    return list(rehearse(client, CONTEXT, find_past(client, TODAY), TODAY, find(note)))


CASES = {
    "an older complaint with a day of its own": (
        "stage: customer\n--\n- 2026-11-20 call: the lid squeaks #complaint\n"
        "- 2026-11-09 call: it leaks #complaint 📅 2026-12-04",
        "resolve",
        ["first complaint of Mon 9 Nov 2026"],
    ),
    "an older complaint without one": (
        "stage: customer\n--\n- 2026-11-20 call: the lid squeaks #complaint\n"
        "- 2026-11-09 call: it leaks #complaint",
        "resolve",
        ["- 2026-11-24 call: … #resolved", "first complaint of Mon 9 Nov 2026"],
    ),
    "a newer complaint with a day of its own": (
        "stage: customer\n--\n- 2026-11-23 call: it leaks #complaint 📅 2026-12-04\n"
        "- 2026-11-20 call: the lid squeaks #complaint",
        "resolve",
        ["- 2026-11-24 call: … #resolved"],
    ),
    "raised today, in a log that begins with the oldest": (
        "stage: customer\n--\n- 2026-11-20 call: hello\n- 2026-11-24 call: it leaks #complaint",
        "acknowledge",
        ["- 2026-11-24 call: … #acknowledge"],
    ),
    "two sales whose papers are open": (
        "sold: 2026-11-23\n--\n- 2026-11-19 visit: #sold",
        "paperwork",
        ["- 2026-11-24: … #paperwork", "first sold on Thu 19 Nov 2026"],
    ),
    "a renewal too far off for its tag to count": ("renewal: 2027-11-24\n--\n", "renewal-close", ["none"]),
    "a turn of a yearly step that is far off": (
        "sold: 2025-11-17\n--\n- 2026-11-10 call: #appreciation",
        "appreciation",
        ["none"],
    ),
}


@pytest.mark.parametrize(("text", "step", "lines"), CASES.values(), ids=CASES.keys())
def test_the_line_offered_with_a_step_settles_that_step_and_no_other(
    text: str, step: str, lines: list[str]
) -> None:
    found = [each for each in try_lines(parse(text)) if each.step.name == step and not each.settled]
    told = [
        each.log_line or (each.settles_first and f"first {each.settles_first}") or "none" for each in found
    ]
    assert told == lines


days = st.dates(date(2026, 8, 1), TODAY)
entries = st.builds(
    "- {} {}: {}".format,
    days,
    st.sampled_from(("call", "email", "visit (no answer)")),
    st.sampled_from(
        ("#sold", "#complaint", "#complaint 📅 2026-12-04", "#resolved", "#thank-you", "#paperwork", "fine")
    ),
)
headers = st.dictionaries(
    st.sampled_from(("sold", "delivery", "quoted", "lost", "renewal", "paused_until")),
    st.dates(date(2026, 8, 1), date(2027, 12, 31)),
    max_size=3,
)


@hypothesis_settings(deadline=None, max_examples=100)
@given(headers, st.lists(entries, max_size=6))
def test_a_line_is_offered_exactly_where_writing_it_settles_the_step(
    header: dict[str, date], log: list[str]
) -> None:
    note = parse("\n".join([*(f"{key}: {day}" for key, day in header.items()), "--", *log]))
    for before, each in zip(find(note), try_lines(note), strict=True):
        if before.log_line:
            written = add_entry(note, as_entry(before.log_line))
            settled = {other.name for other in find(written) if other.settled}
            assert bool(each.log_line) == (before.name in settled)


def as_entry(line: str) -> NewEntry:
    """The line as `notesync log` would write it: `- 2026-11-24 call: … #resolved`."""
    channel, _, words = line.removeprefix(f"- {TODAY}").lstrip().partition(": ")
    return NewEntry(TODAY, None, channel, "", words)
