"""A person's notes, and what a review makes of them: each figure, its parts, and the lines behind it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from client_notes import read_text
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notesync.followup.client import Client
from notesync.followup.dues import LEFT_OUT, OPEN, STATES, find_dues, list_contacts
from notesync.followup.evidence import gather
from notesync.followup.figures import (
    BY_NAME,
    COUNT,
    DAYS,
    FIGURES,
    MONEY,
    QUESTIONS,
    SHARE,
    count_parts,
    sum_up,
)
from notesync.followup.follow_up import Context, find_past
from notesync.followup.options import parse_settings
from notesync.followup.period import build_range, count_units, find_before, parse_period
from notesync.followup.plans import load_plans
from notesync.followup.review import AtRisk, Review, build_review
from notesync.followup.rules import find_follow_ups, find_missed
from notesync.followup.work_calendar import WorkCalendar
from notesync.publish.review_words import build_report

HOME = Path(__file__).parents[1]
TODAY = date(2026, 11, 22)  # a Sunday


def make_context(text: str = "") -> Context:
    settings, wrong = parse_settings(text.encode())
    assert not wrong
    return Context(settings, settings.work_calendar(), load_plans(settings)[0])


def read(text: str, context: Context, name: str = "Ann") -> Client:
    """A note whose header and log are parted by a line `--`."""
    header, _, body = f"\n{text}".partition("\n--\n")
    text = f"---\ntype: client{header}\n---\n## Log\n{body}\n"
    return read_text(text, context.settings, f"Clients/{name}.md")


def look_back(
    *notes: str, period: str = "month", settings: str = "", today: date = TODAY, risk: tuple[AtRisk, ...] = ()
) -> Review:
    context = make_context(settings)
    clients = [read(text, context, f"Client {at}") for at, text in enumerate(notes)]
    found = parse_period(period, today)
    assert found is not None
    return build_review(gather(clients, lambda _: True, context, today), context, found, today, (), risk)


def tell(review: Review, name: str) -> str:
    """A figure as `in window 1, late 2`, or why it is not known."""
    reading = review.now[name]
    if reading.unknown:
        return reading.unknown
    parts = count_parts(BY_NAME[name], reading.lines)
    return ", ".join(f"{part} {count}".strip() for part, count in parts.items()) or "none"


# --- Figures ---------------------------------------------------------------------------------------------

SOLD = "sold: 2026-11-02\nstage: customer\nvalue: 5000\n--\n"

FIGURE_TABLE = {
    "a contact by its channel": ("--\n- 2026-11-03 call: hello", "contacts", "call 1"),
    "one without a channel": ("--\n- 2026-11-03: hello", "contacts", "not said 1"),
    "only noted": ("last_contact: 2026-11-04", "contacts", "no note has a log"),
    "noted besides a log": (
        "last_contact: 2026-11-04\n--\n- 2026-10-01 call: x",
        "contacts",
        "not said 1",
    ),
    "an attempt is no contact": ("--\n- 2026-11-03 call (no answer)", "contacts", "none"),
    "an attempt": ("--\n- 2026-11-03 call (no answer)", "attempts", "call 1"),
    "an appointment is no contact": (
        "--\n- 2026-11-30 call: later\n- 2026-11-01 call: x",
        "contacts",
        "call 1",
    ),
    "a ticked task of a kind": (
        "--\n- [x] Ring her #contact ✅ 2026-11-05\n- 2026-10-01 call: x",
        "contacts",
        "not said 1",
    ),
    "new by created": ("created: 2026-11-05\n--\n- 2026-11-06 call: x", "new", "1"),
    "new by the first thing dated": ("--\n- 2026-11-06 call: x\n- 2026-11-05 call: y", "new", "1"),
    "last heard of long before the log": (
        "last_contact: 2026-05-05\n--\n- 2026-11-06 call: x",
        "new",
        "none",
    ),
    "not new": ("created: 2026-01-05\n--\n- 2026-11-06 call: x", "new", "none"),
    "a sale by the key": (f"{SOLD}- 2026-11-02 visit: x", "sales", "1"),
    "a sale of the log and its key are one": (
        "sold: 2026-11-02\n--\n- 2026-11-02 visit: x #sold",
        "sales",
        "1",
    ),
    "two sales of the log": (
        "sold: 2026-11-12\n--\n- 2026-11-12 visit: x #sold\n- 2026-11-02 visit: x #sold",
        "sales",
        "2",
    ),
    "an older sale's value is not the note's": (
        "value: 9\nsold: 2026-11-12\n--\n- 2026-11-12 visit: x #sold\n- 2026-11-02 visit: x #sold",
        "value-won",
        "value known 1, value not known 1",
    ),
    "lost without a reason": ("lost: 2026-11-10\n--\n- 2026-11-10 call: no", "lost", "without a reason 1"),
    "lost with the reason that `lost` logs": (
        "lost: 2026-11-10\n--\n- 2026-11-10 call: lost: too dear",
        "lost",
        "with a reason 1",
    ),
    "an attempt finds no reason": (
        "lost: 2026-11-10\n--\n- 2026-11-12 call (no answer): asked why #reasons",
        "lost",
        "without a reason 1",
    ),
    "lost with a reason found later": (
        "lost: 2026-11-10\n--\n- 2026-11-12 call: we were too slow #reasons",
        "lost",
        "with a reason 1",
    ),
    "thanked in time, the paperwork late": (
        f"plan: after-sale\n{SOLD}- 2026-11-06 email: x #paperwork\n- 2026-11-03 call: x #thank-you",
        "sales-followed",
        "not all in time 1",
    ),
    "the quote's steps are not the sale's": (
        "quoted: 2026-10-30\nsold: 2026-11-05\n--\n- 2026-11-03 call: x #quote-received",
        "sales-followed",
        "none settled 1",
    ),
    "a sale without any step": (f"{SOLD}- 2026-11-02 visit: x", "sales-followed", "none settled 1"),
    "a sale whose steps are still to come": (
        "sold: 2026-11-22\n--\n- 2026-11-22 visit: x",
        "sales-followed",
        "nothing due yet 1",
    ),
    "satisfaction on the fifth day": (
        f"{SOLD}- 2026-11-07 call: x #satisfaction",
        "satisfaction",
        "in window 1",
    ),
    "satisfaction on the ninth": (f"{SOLD}- 2026-11-11 call: x #satisfaction", "satisfaction", "late 1"),
    "satisfied": (f"{SOLD}- 2026-11-07 call: x #satisfied", "perception", "satisfied 1"),
    "the newest word counts": (
        f"{SOLD}- 2026-11-09 call: x #unhappy\n- 2026-11-07 call: x #satisfied",
        "perception",
        "unhappy 1",
    ),
    "a word before the sale is not of it": (
        f"{SOLD}- 2026-11-03 call: y\n- 2026-11-01 call: x #unhappy",
        "perception",
        "unknown 1",
    ),
    "a promise kept on its day": (
        "--\n- 2026-11-06 call: here #kept\n- 2026-11-03 call: x #promise 📅 2026-11-06",
        "promises",
        "in window 1",
    ),
    "a promise kept late": (
        "--\n- 2026-11-09 call: here #kept\n- 2026-11-03 call: x #promise 📅 2026-11-06",
        "promises",
        "late 1",
    ),
    "a promise not kept": ("--\n- 2026-11-03 call: x #promise 📅 2026-11-06", "promises", "open 1"),
    "a promise that is due today is not late": (
        "--\n- 2026-11-03 call: x #promise 📅 2026-11-22",
        "promises",
        "none",
    ),
    "an agreed time that came and went": (
        "next_contact: 2026-11-10T09:00\n--\n- 2026-11-03 call: x",
        "promises",
        "open 1",
    ),
    "an agreed time kept two days late": (
        "next_contact: 2026-11-10T09:00\n--\n- 2026-11-12 call: x",
        "promises",
        "late 1",
    ),
    "a complaint that was repaired": (
        "--\n- 2026-11-05 visit: repaired it #resolved\n- 2026-11-02 call: it leaks #complaint #leak",
        "complaints",
        "repaired 1",
    ),
    "a complaint that is open": ("--\n- 2026-11-02 call: it leaks #complaint", "complaints", "open 1"),
    "asked for a testimonial": ("--\n- 2026-11-02 call: may we? #testimonial", "asked", "1"),
    "asked in vain": ("--\n- 2026-11-02 call (no answer): #testimonial", "asked", "none"),
    "got a testimonial": ("--\n- 2026-11-02 call: we may #testimonial-got", "testimonials", "1"),
    "nobody ever said so": (
        "--\n- 2026-11-02 call: x",
        "testimonials",
        "no entry is tagged #testimonial-got",
    ),
    "a referral": ("referred_by: Bo\ncreated: 2026-11-05\n--\n- 2026-11-06 call: x", "referrals", "1"),
    "a cadence kept": (
        "every: 2 weeks\n--\n- 2026-11-16 call: x\n- 2026-11-02 call: x",
        "in-touch",
        "kept 1",
    ),
    "a cadence broken in the period": (
        "every: week\n--\n- 2026-11-20 call: x\n- 2026-11-02 call: x",
        "in-touch",
        "not kept 1",
    ),
    "a cadence of nobody reached yet": (
        "every: week\n--\n- 2026-11-20 call (no answer)",
        "in-touch",
        "no contact known 1",
    ),
    "paused clients wish for nothing": (
        "every: week\npaused_until: 2027-01-01\n--\n- 2026-10-02 call: x",
        "in-touch",
        "none",
    ),
    "a business client with a contact in 31 days": (
        "company: Acme\nstage: customer\n--\n- 2026-11-02 call: x",
        "business",
        "every month 1",
    ),
    "one without": (
        "company: Acme\nstage: customer\n--\n- 2026-10-02 call: x",
        "business",
        "not every month 1",
    ),
    "told of what is new": (
        "stage: customer\n--\n- 2026-03-02 call: the new one #update",
        "informed",
        "told 1",
    ),
    "told too long ago": (
        "stage: customer\n--\n- 2025-03-02 call: the new one #update",
        "informed",
        "not told 1",
    ),
    "beyond their rhythm": ("every: week\n--\n- 2026-11-02 call: x", "drift", "1"),
    "withdrawn: what was done counts, nothing else": (
        "do_not_contact: true\nsold: 2026-11-02\n--\n- 2026-11-03 call: x #thank-you",
        "follow-ups",
        "in window 1",
    ),
    "a quote that was sold before its decision was due asks for no decision": (
        "quoted: 2026-11-02\nsold: 2026-11-05\nplan: quote\n--\n- 2026-11-03 call: x #quote-received",
        "follow-ups",
        "in window 1",
    ),
    "a ticked task in time, one late, one given up": (
        "--\n- [x] a 📅 2026-11-04 ✅ 2026-11-04\n- [x] b 📅 2026-11-04 ✅ 2026-11-05\n"
        "- [-] c 📅 2026-11-04 ❌ 2026-11-04\n- 2026-11-01 call: x",
        "follow-ups",
        "in window 1, late 1",
    ),
    "a contact that is taken for a step": (f"{SOLD}- 2026-11-07 call: x", "taken", "in window 1"),
    "the first call to somebody referred": (
        "referred_by: Bo\ncreated: 2026-11-05\n--\n- 2026-11-12 call: x",
        "follow-ups",
        "late 1",
    ),
}


@pytest.mark.parametrize(("note", "figure", "expected"), FIGURE_TABLE.values(), ids=FIGURE_TABLE)
def test_a_figure_is_what_the_note_says(note: str, figure: str, expected: str) -> None:
    assert tell(look_back(note), figure) == expected


def test_days_of_a_complaint() -> None:
    note = "--\n- 2026-11-09 visit: repaired #resolved\n- 2026-11-04 call: heard it\n- 2026-11-02 call: x #complaint"
    review = look_back(note, "--\n- 2026-11-12 call: y #complaint")
    first = sum_up(BY_NAME["complaint-contact"], review.now["complaint-contact"].lines)
    end = sum_up(BY_NAME["complaint-end"], review.now["complaint-end"].lines)
    assert (first.amount, first.whole, first.aside) == (2, 1, 1)
    assert (end.amount, end.whole, end.aside) == (7, 1, 1)


def test_missed_steps_and_the_step_missed_most() -> None:
    """Two sales of August whose paperwork was late, and nobody asked whether they were satisfied."""
    note = "sold: 2026-08-03\n--\n- 2026-08-20 email: x #paperwork\n- 2026-08-04 call: x #thank-you"
    review = look_back(note, note, period="2026-08")
    lines = [line for line in review.now["follow-ups"].lines if line.item == "satisfaction"]
    assert [line.part for line in lines] == ["missed", "missed"]
    assert review.worst_step == "satisfaction"


def test_a_repeated_step_counts_turn_by_turn() -> None:
    note = (
        "sold: 2026-10-05\ngo_live: 2026-12-31\nplan: transition\n--\n- 2026-10-27 call: x #status-call\n"
        "- 2026-10-20 call: x #status-call\n- 2026-10-12 call: x #status-call"
    )
    lines = look_back(note, period="2026-10").now["follow-ups"].lines
    assert [(line.day.day, line.part) for line in lines] == [
        (13, "in window"),
        (20, "in window"),
        (27, "in window"),
    ]
    lines = look_back(note, period="2026-11").now["follow-ups"].lines
    assert [(line.day.day, line.part) for line in lines] == [(3, "open")]


def test_people_of_one_company_keep_one_another_in_touch() -> None:
    settings = "default_every: {customer: 2 weeks}\n"
    one = "company: Acme\nstage: customer\n--\n- 2026-11-02 call: x"
    other = "company: Acme\nstage: customer\n--\n- 2026-11-16 call: x"
    assert tell(look_back(one, other, settings=settings), "in-touch") == "kept 2"
    assert tell(look_back(one, settings=settings), "in-touch") == "not kept 1"


def test_a_colleagues_contact_is_not_said_to_be_the_clients_own() -> None:
    settings = "default_every: {customer: week}\n"
    one = "company: Acme\nstage: customer\n--\n- 2026-09-02 call: x"
    other = "company: Acme\nstage: customer\n--\n- 2026-11-02 call: x"
    words = [line.words for line in look_back(one, other, settings=settings).now["drift"].lines]
    assert words == [
        "last contact with Acme Mon 2 Nov 2026, 20 days ago, wanted every 7",
        "last contact Mon 2 Nov 2026, 20 days ago, wanted every 7",
    ]


def test_the_reason_is_told_without_its_tag() -> None:
    review = look_back("lost: 2026-11-10\n--\n- 2026-11-12 call: #reasons too slow #price")
    assert [line.item for line in review.now["lost"].lines] == ["too slow"]


def test_ten_who_drift_most_worst_first() -> None:
    notes = [f"name: N{at}\nevery: week\n--\n- {TODAY - timedelta(8 + at)} call: x" for at in range(14)]
    review = look_back(*notes)
    assert [line.client for line in review.drifting] == [f"N{13 - at}" for at in range(10)]
    assert len(review.now["drift"].lines) == 14


def test_hours_of_the_day() -> None:
    note = "--\n- 2026-11-03 09:10 call: x\n- 2026-11-03 09:50 call (no answer)\n- 2026-11-04 14:00 call (voicemail)"
    review = look_back(note)
    assert review.hours == {9: (1, 1), 14: (0, 1)}
    ratio = sum_up(BY_NAME["attempts-per-contact"], review.now["attempts-per-contact"].lines)
    assert ratio.amount == 2.0


# --- What cannot be known --------------------------------------------------------------------------------


def test_before_the_log_nothing_is_claimed() -> None:
    review = look_back("value: 10\n--\n- 2026-11-03 call: x", period="2026-08")
    for figure in FIGURES:
        assert review.now[figure.name].unknown, figure.name
        assert not review.now[figure.name].lines


def test_what_a_key_tells_is_known_without_a_log() -> None:
    review = look_back("sold: 2026-08-05\nvalue: 10\n--\n- 2026-11-03 call: x", period="2026-08")
    assert tell(review, "sales") == "1"
    assert tell(review, "contacts") == "no log before Tue 3 Nov 2026"


def test_a_log_that_begins_within_the_period_is_told() -> None:
    assert "The log begins on Tue 3 Nov 2026" in look_back("--\n- 2026-11-03 call: x").remarks[0]


def test_value_at_risk_is_of_today_alone() -> None:
    risk = (AtRisk("Ann", "Ann.md", 3, 500.0, "Call"),)
    now = look_back("--\n- 2026-09-03 call: x", risk=risk).now["value-at-risk"]
    assert sum_up(BY_NAME["value-at-risk"], now.lines).amount == 500
    past = look_back("--\n- 2026-09-03 call: x", period="last month", risk=risk).now["value-at-risk"]
    assert past.unknown == "only of today can it be known"


def test_no_notes_at_all() -> None:
    review = look_back()
    assert review.clients == 0
    assert tell(review, "contacts") == "no note has a log"


def test_what_is_not_known_is_not_drawn_or_denied_either() -> None:
    review = look_back("last_contact: 2026-11-03\nlost: 2026-11-05")
    assert all(not trend.counts for trend in review.trends)
    _, better, learned, _, _ = build_report(review).sections
    assert better.beside == "Not known: no note has a log."
    assert learned.beside == "No reason for a lost sale was noted."
    assert build_report(look_back("last_contact: 2026-11-03")).sections[2].beside == better.beside


# --- Periods ---------------------------------------------------------------------------------------------

PERIODS = {
    "month": ("2026-11-01", "2026-11-30", "2026-11", "2026-10-01", "2026-10-22"),
    "last-month": ("2026-10-01", "2026-10-31", "2026-10", "2026-09-01", "2026-09-30"),
    "last month": ("2026-10-01", "2026-10-31", "2026-10", "2026-09-01", "2026-09-30"),
    "Week": ("2026-11-16", "2026-11-22", "2026-W47", "2026-11-09", "2026-11-15"),
    "last-week": ("2026-11-09", "2026-11-15", "2026-W46", "2026-11-02", "2026-11-08"),
    "quarter": ("2026-10-01", "2026-12-31", "2026-Q4", "2026-07-01", "2026-08-22"),
    "year": ("2026-01-01", "2026-12-31", "2026", "2025-01-01", "2025-11-22"),
    "2026-03": ("2026-03-01", "2026-03-31", "2026-03", "2026-02-01", "2026-02-28"),
    "2026-w01": ("2025-12-29", "2026-01-04", "2026-W01", "2025-12-22", "2025-12-28"),
    "2026Q1": ("2026-01-01", "2026-03-31", "2026-Q1", "2025-10-01", "2025-12-31"),
    "2025": ("2025-01-01", "2025-12-31", "2025", "2024-01-01", "2024-12-31"),
}


@pytest.mark.parametrize(("words", "expected"), PERIODS.items(), ids=PERIODS)
def test_periods(words: str, expected: tuple[str, ...]) -> None:
    period = parse_period(words, TODAY)
    assert period is not None
    before = find_before(period, min(period.last, TODAY))
    days = (period.first, period.last, period.name, before.first, before.last)
    assert tuple(map(str, days)) == expected


@pytest.mark.parametrize(
    "words", ["", "moon", "2026-13", "2026-W54", "26-11", "next month", "last", "0000", "9999"]
)
def test_what_is_no_period(words: str) -> None:
    assert parse_period(words, TODAY) is None


def test_any_days_are_compared_with_as_many_before() -> None:
    period = build_range(date(2026, 11, 10), date(2026, 11, 12))
    before = find_before(period, TODAY.replace(day=12))
    assert (before.first, before.last) == (date(2026, 11, 7), date(2026, 11, 9))


def test_targets_grow_with_the_period() -> None:
    settings = "targets: {contacts: 40 per month, visits: 1 a week, sales: 2 per year, smiles: 3 per day}\n"
    review = look_back("--\n- 2026-10-03 visit: x\n- 2026-10-04 call: x", settings=settings, period="quarter")
    told = {target.name: (target.wanted, target.done) for target in review.targets}
    assert told == {"contacts": (120, 2), "visits": (13.1, 1), "sales": (0.5, 0), "smiles": (198, None)}
    assert "'smiles' names no figure" in " ".join(review.remarks)
    week = parse_period("week", TODAY)
    assert week is not None
    assert count_units(week, "day", WorkCalendar()) == 5


# --- What holds for any notes ----------------------------------------------------------------------------

DAY = st.dates(date(2026, 6, 1), TODAY).map(str)
SAYINGS = [
    *(
        "",
        "",
        "#thank-you",
        "#paperwork",
        "#satisfaction #satisfied",
        "#sold",
        "#complaint",
        "#resolved repaired",
    ),
    *("#promise", "#kept", "#status-call", "#improvements", "#promise 📅 2026-10-20"),
]
ENTRY = st.builds(
    "- {} {}: x {}".format,
    DAY,
    st.sampled_from(["call", "visit", "email", "call (no answer)"]),
    st.sampled_from(SAYINGS),
)
KEY = st.one_of(
    st.builds("{}: {}".format, st.sampled_from(["sold", "quoted", "lost", "renewal", "delivery"]), DAY),
    st.sampled_from(
        ["every: week", "every: month", "company: Acme", "stage: customer", "paused_until: 2026-12-24"]
    ),
    st.sampled_from(
        ["do_not_contact: true", "next_contact: 2026-10-20T10:00", "value: 100", "referred_by: Bo"]
    ),
)
TASK = st.builds("- [ ] y #{} 📅 {}".format, st.sampled_from(["promise", "task", "service"]), DAY)
NOTE = st.builds(
    lambda keys, lines: (
        "\n".join({key.partition(":")[0]: key for key in keys}.values()) + "\n--\n" + "\n".join(lines)
    ),
    st.lists(KEY, max_size=4),
    st.lists(st.one_of(ENTRY, TASK), max_size=8),
)


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    notes=st.lists(NOTE, min_size=1, max_size=3),
    period=st.sampled_from(["month", "2026-Q3", "2026", "last week"]),
)
def test_the_parts_of_a_figure_add_up_and_every_figure_has_its_lines(notes: list[str], period: str) -> None:
    review = look_back(*notes, period=period)
    assert review == look_back(*notes, period=period)
    for figure in FIGURES:
        lines = review.now[figure.name].lines
        value = sum_up(figure, lines)
        parts = count_parts(figure, lines)
        assert sum(parts.values()) == len(lines)
        assert set(parts) <= set(figure.parts or ("",)), figure.name
        if figure.measure == COUNT:
            assert value.amount == len(lines)
        elif figure.measure == SHARE:
            assert value.whole + value.aside == len(lines)
            assert value.amount in (None, parts.get(figure.good, 0))
        elif figure.measure in (DAYS, MONEY):
            assert value.whole + value.aside == len(lines)
    due = count_parts(BY_NAME["follow-ups"], review.now["follow-ups"].lines)
    assert sum(due.get(state, 0) for state in STATES) == len(review.now["follow-ups"].lines)


@hypothesis_settings(deadline=None, max_examples=150)
@given(note=NOTE)
def test_what_is_open_and_missed_is_what_check_says(note: str) -> None:
    """The last turn of each step that is missed is in ``check --missed``; what is overdue is open.

    What a pause made missed before its window closes counts in the review when that day has come.
    """
    context = make_context()
    client = read(note, context)
    past = find_past(client, TODAY)
    dues = find_dues(client, context, past, list_contacts(client, TODAY))
    told = [(found.step, found.due) for found in find_missed(client, context, past)]
    missed = {(step, due) for step, due in told if due is not None and due < TODAY}
    ours = {(due.step, due.closes) for due in dues if due.state == LEFT_OUT}
    assert missed <= ours
    repeated = {step.name for plan in context.plans.plans for step in plan.steps if step.repeat}
    assert {each for each in ours if each[0] not in repeated} <= missed
    overdue = sorted(
        (found.kind, found.due)
        for found in find_follow_ups(client, context, past).open
        if found.rule != "pursue" and found.due is not None and found.due < TODAY and not found.waits
        and (found.expires is None or found.expires >= TODAY)
    )  # fmt: skip
    still = sorted((due.kind, due.closes) for due in dues if due.state == OPEN)
    if any(found.rule == "pursue" for found in find_follow_ups(client, context, past).open):
        assert not [
            each for each in overdue if each not in still
        ]  # the others have given way to one decision
    else:
        assert overdue == still


# --- Its page --------------------------------------------------------------------------------------------


def test_docs_define_every_figure_in_the_words_of_the_report() -> None:
    page = " ".join((HOME / "docs" / "review.md").read_text(encoding="utf-8").split())
    for number, question in enumerate(QUESTIONS, 1):
        assert f"## {number}. {question}" in page
    for figure in FIGURES:
        assert f"**{figure.title}** (`{figure.name}`): {figure.meaning}" in page
    named = set(re.findall(r"\(`([a-z-]+)`\): ", page))
    assert named == set(BY_NAME)
