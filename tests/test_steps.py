"""A person's note, and the steps of the plans that come of it, with their windows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from client_notes import read_text
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notesync.followup.client import Client
from notesync.followup.follow_up import KINDS, Context, FollowUp, Past, find_past
from notesync.followup.options import parse_settings
from notesync.followup.plans import load_plans
from notesync.followup.settings import Settings
from notesync.followup.steps import Progress, Steps, find_missed_steps, find_progress, find_steps

TODAY = date(2026, 11, 22)  # a Sunday


def read(text: str, settings: Settings) -> Client:
    """A note whose header and body are parted by a line `--`."""
    header, _, body = text.partition("\n--\n")
    return read_text(f"---\ntype: client\n{header}\n---\n{body}\n", settings)


def make_context(text: str = "") -> Context:
    settings, wrong = parse_settings(text.encode())
    plans, problems = load_plans(settings)
    assert not wrong
    assert not problems
    return Context(settings, settings.work_calendar(), plans)


def derive(text: str, settings: str = "", as_of: date = TODAY) -> list[FollowUp]:
    context = make_context(settings)
    client = read(text, context.settings)
    return find_steps(client, context, find_past(client, as_of), as_of).open


def derive_missed(text: str, settings: str = "", as_of: date = TODAY) -> list[FollowUp]:
    context = make_context(settings)
    client = read(text, context.settings)
    return list(find_missed_steps(client, context, find_past(client, as_of), as_of))


def follow(text: str, settings: str = "", as_of: date = TODAY) -> list[Progress]:
    context = make_context(settings)
    client = read(text, context.settings)
    return list(find_progress(client, context, find_past(client, as_of)))


def in_words(found: FollowUp) -> str:
    """A step as `name first day..last day`, in short days of 2026 and 2027, and what it waits for."""
    days = [day.isoformat() for day in (found.opens, found.due) if day is not None]
    window = "no date" if not days else ("..".join(dict.fromkeys(days)))
    return f"{found.step} {window}{f', {found.waits}' if found.waits else ''}"


def pick(found: list[FollowUp], *steps: str) -> list[str]:
    return [in_words(each) for each in found if each.step in steps]


# --- Windows ---------------------------------------------------------------------------------------------

WINDOWS = {
    "quote-received, 1 to 2 workdays": ("quoted: 2026-11-19", "2026-11-20..2026-11-23"),
    "quote-decision, 5 to 7 workdays": ("quoted: 2026-11-19", "2026-11-26..2026-11-30"),
    "thank-you, 0 to 1 workday": ("sold: 2026-11-19", "2026-11-19..2026-11-20"),
    "thank-you, sold on a day off: the next working day": ("sold: 2026-11-21", "2026-11-23"),
    "paperwork, 0 to 2 workdays": ("sold: 2026-11-19", "2026-11-19..2026-11-23"),
    "reassure, 5 to 7 days": (
        "sold: 2026-11-16\ndelivery: 2026-12-16",
        "2026-11-23",
    ),
    "reassure, though the delivery is unknown": ("sold: 2026-11-16\ndelivery: unknown", "2026-11-23"),
    "reassure, the delivery 15 days off": (
        "sold: 2026-11-18\ndelivery: 2026-12-03",
        "2026-11-23..2026-11-25",
    ),
    "reassure, the delivery 14 days off: none": ("sold: 2026-11-18\ndelivery: 2026-12-02", ""),
    "reassure, no delivery: none": ("sold: 2026-11-18", ""),
    "delivery-control, 5 to 3 workdays before": (
        "sold: 2026-11-02\ndelivery: 2026-11-26",
        "2026-11-19..2026-11-23",
    ),
    "delivery-date, 2 to 1 workdays before": (
        "sold: 2026-11-02\ndelivery: 2026-11-30",
        "2026-11-26..2026-11-27",
    ),
    "delivery-date, delivered on a Saturday": (
        "sold: 2026-11-02\ndelivery: 2026-11-28",
        "2026-11-26..2026-11-27",
    ),
    "delivery-control, sold too late for it: at once": (
        "sold: 2026-11-24\ndelivery: 2026-11-26",
        "2026-11-24",
    ),
    "delivery-control, sold over the counter: none": ("sold: 2026-11-24\ndelivery: 2026-11-24", ""),
    "delivery-check, 0 to 1 workday after": (
        "sold: 2026-11-02\ndelivery: 2026-11-27",
        "2026-11-27..2026-11-30",
    ),
    "usage, 0 to 3 workdays after": ("sold: 2026-11-02\ndelivery: 2026-11-27", "2026-11-27..2026-12-02"),
    "satisfaction, 2 to 7 days after delivery": (
        "sold: 2026-11-02\ndelivery: 2026-11-17",
        "2026-11-19..2026-11-24",
    ),
    "satisfaction, else after the sale": ("sold: 2026-11-16", "2026-11-18..2026-11-23"),
    "feedback, 30 to 45 days": ("sold: 2026-10-01\ndelivery: 2026-11-16", "2026-12-16..2026-12-31"),
    "testimonial, 60 to 90 days": ("sold: 2026-09-21", "2026-11-20..2026-12-21"),
    "improvements, 180 to 210 days": ("sold: 2026-11-16", "2027-05-17..2027-06-14"),
    "appreciation, 330 to 365 days after the sale": (
        "sold: 2026-11-16\ndelivery: 2026-12-16",
        "2027-10-12..2027-11-16",
    ),
    "status-call, every week": ("sold: 2026-11-16\nplan: transition", "2026-11-23..2026-11-24"),
    "reasons, 1 to 3 workdays": ("lost: 2026-11-19", "2026-11-20..2026-11-24"),
    "door-open, 90 to 120 days": ("lost: 2026-11-19", "2027-02-17..2027-03-19"),
    "renewal-talk, 60 to 30 days before": ("renewal: 2027-03-01", "2026-12-31..2027-01-29"),
    "renewal-close, 14 to 1 days before": ("renewal: 2027-03-01", "2027-02-15..2027-02-26"),
}


@pytest.mark.parametrize(("text", "window"), WINDOWS.values(), ids=WINDOWS.keys())
def test_the_window_of(request: pytest.FixtureRequest, text: str, window: str) -> None:
    step = request.node.callspec.id.partition(",")[0]
    found = pick(derive(text), step)[:1]
    assert found == ([f"{step} {window}"] if window else [])


SUNDAY_TO_THURSDAY = "workdays: [sun, mon, tue, wed, thu]\n"
SHUT = "days_off: [2026-12-15/2027-01-05]\n"
MONTHLY = "plans: {monthly: {anchor: quoted, steps: [{step: review, from: 1 month, to: 2 months, repeat: month}]}}\n"

# Settings, note, window.
OFF = {
    "thank-you, over a Friday and a Saturday": (
        SUNDAY_TO_THURSDAY,
        "sold: 2026-11-19",
        "2026-11-19..2026-11-22",
    ),
    "delivery-date, back over them": (
        SUNDAY_TO_THURSDAY,
        "sold: 2026-11-02\ndelivery: 2026-11-29",
        "2026-11-25..2026-11-26",
    ),
    "thank-you, over a public holiday": ("holidays: ZA\n", "sold: 2026-12-15", "2026-12-15..2026-12-17"),
    "quote-received, over one of a part of a country": (
        "holidays: DE-BY\n",
        "quoted: 2027-01-05",
        "2027-01-07..2027-01-08",
    ),
    "usage, over the days off": (
        SHUT,
        "sold: 2026-12-01\ndelivery: 2026-12-14",
        "2026-12-14..2027-01-08",
    ),
    "satisfaction, all of its days off: the first day of work": (
        SHUT,
        "sold: 2026-12-01\ndelivery: 2026-12-14",
        "2027-01-06",
    ),
    "renewal-close, all of them off: the last day of work before": (
        SHUT,
        "renewal: 2027-01-06",
        "2026-12-14",
    ),
    "satisfaction, to a leap day": ("", "sold: 2024-02-22", "2024-02-26..2024-02-29"),
    "appreciation, yearly from a leap day, shifted to days of work": (
        "",
        "sold: 2024-02-29",
        "2027-01-25..2027-03-01",
    ),
    "review, a month from the 31st": (MONTHLY, "quoted: 2026-10-31", "2026-11-30..2026-12-31"),
    "review, a month from the 30th to February's end": (
        MONTHLY,
        "quoted: 2027-01-30",
        "2027-03-01..2027-03-30",
    ),
}


@pytest.mark.parametrize(("settings", "text", "window"), OFF.values(), ids=OFF.keys())
def test_days_off_move_the_window_of(
    request: pytest.FixtureRequest, settings: str, text: str, window: str
) -> None:
    step = request.node.callspec.id.partition(",")[0]
    found = pick(derive(text, settings) + derive_missed(text, settings), step)[:1]
    assert found == [f"{step} {window}"]


COMPLAINTS = {
    "raised": ("- 2026-11-19 call: leaks #complaint", ["acknowledge 19..20 due", "resolve 26..26 upcoming"]),
    "acknowledged by any contact": (
        "- 2026-11-20 visit: had a look\n- 2026-11-19 call: leaks #complaint",
        ["acknowledge 19..20 settled", "resolve 19..26 due"],
    ),
    "a call that reaches nobody acknowledges nothing": (
        "- 2026-11-20 call (no answer)\n- 2026-11-19 call: leaks #complaint",
        ["acknowledge 19..20 due", "resolve 26..26 upcoming"],
    ),
    "resolved, and asked about": (
        "- 2026-11-20 visit: replaced #resolved\n- 2026-11-19 call: leaks #complaint",
        ["acknowledge 19..20 ended", "resolve 19..26 settled", "complaint-check 23..27 upcoming"],
    ),
    "a substitute keeps it open": (
        "- 2026-11-20 visit: left a substitute #resolved #acknowledge\n- 2026-11-19 call: leaks #complaint",
        ["acknowledge 19..20 settled", "resolve 19..26 due"],
    ),
}


@pytest.mark.parametrize(("log", "expected"), COMPLAINTS.values(), ids=COMPLAINTS.keys())
def test_a_complaint(log: str, expected: list[str]) -> None:
    found = follow(f"plan: none\n--\n## Log\n{log}", as_of=date(2026, 11, 20))
    assert [
        f"{each.step.name} {each.opens:%d}..{each.closes:%d} {each.status}"
        for each in found
        if each.opens and each.closes
    ] == expected


HELD = {
    "satisfaction": "sold: 2026-11-16",
    "feedback": "sold: 2026-10-16",
    "testimonial": "sold: 2026-09-16\n--\n## Log\n- 2026-09-20 call: #satisfaction",
    "appreciation": "sold: 2026-01-05",
}


@pytest.mark.parametrize("step", HELD)
def test_while_a_complaint_is_open_waits(step: str) -> None:
    text = HELD[step] if "--" in HELD[step] else f"{HELD[step]}\n--\n## Log"
    raised, resolved = "\n- 2026-11-17 call: leaks #complaint", "\n- 2026-11-18 call: mended #resolved"
    assert "waits until the complaint is resolved" in pick(derive(text + raised), step)[0]
    assert "waits" not in pick(derive(text + raised + resolved), step)[0]
    assert "waits" in pick(derive(text + "\n\n- [ ] leaks #complaint 📅 2026-11-30"), step)[0]


def test_an_open_complaint_holds_nothing_else() -> None:
    found = derive("sold: 2026-11-16\ndelivery: 2026-11-26\n--\n## Log\n- 2026-11-17 call: late #complaint")
    assert {each.step for each in found if each.waits} == {
        "satisfaction",
        "feedback",
        "testimonial",
        "appreciation",
    }


# --- What is settled -------------------------------------------------------------------------------------

# Note, step, and what of it is open; else nothing.
SETTLED = {
    "by its tag": ("sold: 2026-11-16\n--\n## Log\n- 2026-11-17 call: #thank-you", "thank-you", []),
    "not by its tag on an attempt": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-17 call (no answer): #thank-you",
        "thank-you",
        ["2026-11-16..2026-11-17"],
    ),
    "not by a tag in the future": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-24 call: #thank-you",
        "thank-you",
        ["2026-11-16..2026-11-17"],
    ),
    "not by a tag of before the sale": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-13 call: #thank-you",
        "thank-you",
        ["2026-11-16..2026-11-17"],
    ),
    "by its tag after the window, too": (
        "sold: 2026-11-12\n--\n## Log\n- 2026-11-20 call: #thank-you",
        "thank-you",
        [],
    ),
    "by its tag too early": (
        "sold: 2026-11-19\n--\n## Log\n- 2026-11-20 call: #satisfaction",
        "satisfaction",
        [],
    ),
    "by a ticked task with its tag": (
        "sold: 2026-11-16\n--\n- [x] contract sent #paperwork ✅ 2026-11-17",
        "paperwork",
        [],
    ),
    "not by one that was given up": (
        "sold: 2026-11-16\n--\n- [-] contract sent #paperwork ✅ 2026-11-17",
        "paperwork",
        ["2026-11-16..2026-11-18"],
    ),
    "by an untagged contact in its window": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-20 call: happy with it",
        "satisfaction",
        [],
    ),
    "even without a channel": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-20 happy with it",
        "satisfaction",
        [],
    ),
    "not by one outside it": (
        "sold: 2026-11-12\n--\n## Log\n- 2026-11-20 call: happy with it",
        "satisfaction",
        ["2026-11-16..2026-11-19"],
    ),
    "not by a message, for it asks": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-20 message: hope all is well",
        "satisfaction",
        ["2026-11-18..2026-11-23"],
    ),
    "by a message where that is the step's own way": (
        "sold: 2026-11-02\ndelivery: 2026-11-19\n--\n## Log\n- 2026-11-19 message: came as promised",
        "delivery-check",
        [],
    ),
    "by a message where nothing is asked": (
        "quoted: 2026-11-16\n--\n## Log\n- 2026-11-17 email: it is there",
        "quote-received",
        [],
    ),
    "not by a contact, for it needs its tag": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-17 call: all well",
        "paperwork",
        ["2026-11-16..2026-11-18"],
    ),
    "not by a contact with another step's tag": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-20 call: #paperwork",
        "satisfaction",
        ["2026-11-18..2026-11-23"],
    ),
    "by a contact with the client's perception": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-20 call: #satisfied",
        "satisfaction",
        [],
    ),
    "by a ticked task that was a contact": (
        "sold: 2026-11-16\n--\n- [x] rang them #contact ✅ 2026-11-20",
        "satisfaction",
        [],
    ),
    "not by one that was none": (
        "sold: 2026-11-16\n--\n- [x] looked up prices ✅ 2026-11-20",
        "satisfaction",
        ["2026-11-18..2026-11-23"],
    ),
    "not by the sale itself": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-16 visit: signed",
        "thank-you",
        ["2026-11-16..2026-11-17"],
    ),
    "but by another contact of that day": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-16 call: thanked them\n- 2026-11-16 visit: signed",
        "thank-you",
        [],
    ),
    "180 days before the renewal, by its tag": (
        "renewal: 2026-12-15\n--\n## Log\n- 2026-06-20 call: #renewal-talk",
        "renewal-talk",
        [],
    ),
    "not 181 days before": (
        "renewal: 2026-12-15\n--\n## Log\n- 2026-06-17 call: #renewal-talk",
        "renewal-talk",
        ["2026-10-16..2026-11-13"],
    ),
    "7 days before the loss": ("lost: 2026-11-19\n--\n## Log\n- 2026-11-12 call: #reasons", "reasons", []),
    "not 8 days before": (
        "lost: 2026-11-19\n--\n## Log\n- 2026-11-11 call: #reasons",
        "reasons",
        ["2026-11-20..2026-11-24"],
    ),
    "7 days before the quote": (
        "quoted: 2026-11-19\n--\n## Log\n- 2026-11-12 call: #quote-received",
        "quote-received",
        [],
    ),
    "though the delivery is unknown": (
        "sold: 2026-11-02\ndelivery: unknown\n--\n## Log\n- 2026-11-12 call: #usage",
        "usage",
        [],
    ),
}


@pytest.mark.parametrize(("text", "step", "windows"), SETTLED.values(), ids=SETTLED.keys())
def test_settled(text: str, step: str, windows: list[str]) -> None:
    assert pick(derive(text), step) == [f"{step} {window}" for window in windows]


def test_of_two_open_steps_a_contact_settles_the_one_that_closes_first() -> None:
    note = "sold: 2026-11-02\ndelivery: 2026-11-19\n--\n## Log\n- 2026-11-20 call: all fine"
    assert pick(derive(note), "delivery-check", "usage") == ["usage 2026-11-19..2026-11-24"]
    assert pick(derive(f"{note}\n- 2026-11-20 call: again"), "delivery-check", "usage") == []


DELIVERED = "sold: 2026-11-02\ndelivery: 2026-11-16\n--\n## Log\n"
# What is left of these after a contact, of which the first two are never missed.
LATE_STEPS = ("delivery-date", "delivery-check", "usage", "satisfaction")
LATE = {
    "nothing logged": ("", ["delivery-date", "delivery-check", "usage", "satisfaction"]),
    "a call settles all that is overdue for ever, and the one step in its window": (
        "- 2026-11-20 call: happy with it",
        ["usage"],
    ),
    "and nothing else, when no window is open": ("- 2026-11-30 call: happy with it", ["usage", "satisfaction"]),
    "an email does not answer what is asked": (
        "- 2026-11-20 email: all well?", ["delivery-check", "usage", "satisfaction"],
    ),
    "a message does, where that is the step's own way": (
        "- 2026-11-20 message: all well?",
        ["usage", "satisfaction"],
    ),
    "an attempt settles nothing": ("- 2026-11-20 call (no answer)", list(LATE_STEPS)),
    "nor does a contact for another step": ("- 2026-11-20 call: #testimonial", list(LATE_STEPS)),
    "nor one before it opens": ("- 2026-11-11 call: an order", list(LATE_STEPS)),
}  # fmt: skip


@pytest.mark.parametrize(("log", "left"), LATE.values(), ids=LATE.keys())
def test_a_late_contact(log: str, left: list[str]) -> None:
    found = [each for each in derive(DELIVERED + log, as_of=date(2026, 12, 4)) if each.step in LATE_STEPS]
    assert [each.step for each in found] == left


def test_a_card_says_what_was_taken_for_settled_and_what_was_told() -> None:
    found = follow("sold: 2026-11-16\n--\n## Log\n- 2026-11-20 call: happy\n- 2026-11-17 message: #thank-you")
    told = {each.step.name: each.settled for each in found if each.settled}
    assert told["satisfaction"].by == "taken as settled by the call of Fri 20 Nov 2026"
    assert told["satisfaction"].taken
    assert told["thank-you"].by == "the message of Tue 17 Nov 2026"
    assert not told["thank-you"].taken
    early = follow("sold: 2026-11-19\n--\n## Log\n- 2026-11-20 call: #satisfaction")
    assert [each.settled.early for each in early if each.settled] == [True]


def test_the_line_that_a_card_offers_settles_the_step() -> None:
    note = (
        "contact_by: email\nsold: 2026-11-02\ndelivery: 2026-11-19\nquoted: 2026-10-30\nrenewal: 2026-12-22"
    )
    offered = [each for each in follow(note) if each.log_line and each.step.tag in each.log_line]
    assert len(offered) > 5
    for each in offered:
        settled = follow(f"{note}\n--\n## Log\n{each.log_line}")
        after = [other for other in settled if other.step == each.step]
        assert after[0].settled, each.log_line
        assert not after[0].settled.taken


STATUSES = {
    "2026-11-18": "upcoming",
    "2026-11-19": "due",
    "2026-11-24": "due",
    "2026-11-25": "overdue",
    "2026-12-24": "overdue",
    "2026-12-25": "missed",
}


@pytest.mark.parametrize(("day", "status"), STATUSES.items())
def test_a_step_on_its_way_from_upcoming_to_missed(day: str, status: str) -> None:
    found = follow("sold: 2026-11-02\ndelivery: 2026-11-17", as_of=date.fromisoformat(day))
    assert [each.status for each in found if each.step.name == "satisfaction"] == [status]


# --- Occasions -------------------------------------------------------------------------------------------


def test_each_sale_has_its_steps_and_the_client_theirs_once() -> None:
    found = derive(
        "sold: 2026-11-16\n--\n## Log\n"
        "- 2026-11-16 visit: one more #sold\n"
        "- 2026-10-05 visit: signed #sold [delivery:: 2026-10-20] [value:: 120 000]"
    )
    assert pick(found, "satisfaction") == [
        "satisfaction 2026-10-22..2026-10-27",
        "satisfaction 2026-11-18..2026-11-23",
    ]
    assert pick(found, "feedback") == ["feedback 2026-11-19..2026-12-04"]
    assert [each.line for each in found if each.step == "satisfaction"] == [7, 6]


def test_a_tag_settles_the_oldest_open_sale_first() -> None:
    note = "sold: 2026-11-16\n--\n## Log\n- 2026-11-02 visit: #sold\n- 2026-11-18 call: #thank-you"
    assert pick(derive(note), "thank-you") == ["thank-you 2026-11-16..2026-11-17"]
    assert pick(derive(f"{note}\n- 2026-11-19 call: #thank-you"), "thank-you") == []


def test_a_tag_goes_past_what_is_missed_long_ago() -> None:
    note = "sold: 2026-11-16\n--\n## Log\n- 2025-11-03 visit: #sold\n- 2026-11-18 call: #thank-you"
    assert pick(derive(note), "thank-you") == []
    assert pick(derive_missed(note), "thank-you") == ["thank-you 2025-11-03..2025-11-04"]


def test_the_delivery_of_the_keys_belongs_to_the_newest_sale_before_it() -> None:
    log = "--\n## Log\n- 2026-11-02 visit: #sold [delivery:: 2026-11-30]"
    usage = pick(derive(f"sold: 2026-11-02\ndelivery: 2026-12-07\n{log}"), "usage")
    assert usage == ["usage 2026-12-07..2026-12-10"]
    assert pick(derive(f"x: y\n{log}"), "usage") == ["usage 2026-11-30..2026-12-03"]
    late = pick(derive(f"delivery: 2026-11-20\n{log}\n- 2026-11-21 call: #sold"), "usage")
    assert late == ["usage 2026-11-20..2026-11-25"]


def test_steps_of_an_unknown_delivery_wait_for_its_date() -> None:
    found = derive("sold: 2026-11-16\ndelivery: unknown")
    assert pick(found, "usage", "satisfaction") == [
        "usage no date, waits for the delivery date",
        "satisfaction no date, waits for the delivery date",
    ]
    log = "x: y\n--\n## Log\n- 2026-11-16 visit: #sold [delivery:: unknown]"
    assert pick(derive(log), "usage") == ["usage no date, waits for the delivery date"]


def test_the_log_is_older_than_the_sale() -> None:
    note = "sold: 2026-11-16\n--\n## Log\n- 2026-06-16 call: happy #satisfaction\n- 2026-06-02 visit: hello"
    assert pick(derive(note), "thank-you", "satisfaction") == [
        "thank-you 2026-11-16..2026-11-17",
        "satisfaction 2026-11-18..2026-11-23",
    ]


# Note, and what of it is open in the days around the sale.
CONTRADICTIONS = {
    "a delivery before the sale is an earlier sale's": (
        "sold: 2026-11-16\ndelivery: 2026-11-10",
        ["satisfaction 2026-11-18..2026-11-23"],
    ),
    "sold and delivered on one day": (
        "sold: 2026-11-16\ndelivery: 2026-11-16",
        [
            "delivery-check 2026-11-16..2026-11-17",
            "usage 2026-11-16..2026-11-19",
            "satisfaction 2026-11-18..2026-11-23",
        ],
    ),
    "delivered on the day before, says the log": (
        "x: y\n--\n## Log\n- 2026-11-16 visit: #sold [delivery:: 2026-11-15]",
        ["satisfaction 2026-11-18..2026-11-23"],
    ),
    "the key knows no day, the log does": (
        "sold: 2026-11-16\ndelivery: unknown\n--\n## Log\n- 2026-11-16 visit: #sold [delivery:: 2026-11-16]",
        [
            "delivery-check 2026-11-16..2026-11-17",
            "usage 2026-11-16..2026-11-19",
            "satisfaction 2026-11-18..2026-11-23",
        ],
    ),
    "the key and the log tell of one sale": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-16 visit: #sold",
        ["satisfaction 2026-11-18..2026-11-23"],
    ),
    "an attempt to sell is no sale": ("x: y\n--\n## Log\n- 2026-11-16 call (no answer): #sold", []),
    "a sale to come has steps to come": ("sold: 2026-12-01", ["satisfaction 2026-12-03..2026-12-08"]),
    "a sale to come in the log has none yet": ("x: y\n--\n## Log\n- 2026-12-01 visit: #sold", []),
    "lost, with a day before the sale": (
        "sold: 2026-11-16\nlost: 2026-11-13",
        ["satisfaction 2026-11-18..2026-11-23"],
    ),
    "a loss of the day of the sale ends what is not open": ("sold: 2026-11-16\nlost: 2026-11-16", []),
    "two sales at once, of which one is delivered": (
        "sold: 2026-11-16\n--\n## Log\n- 2026-11-16 visit: #sold [delivery:: unknown]\n"
        "- 2026-11-12 visit: #sold [delivery:: 2026-11-17]",
        [
            "delivery-check 2026-11-17..2026-11-18",
            "usage 2026-11-17..2026-11-20",
            "satisfaction 2026-11-19..2026-11-24",
            "delivery-check no date, waits for the delivery date",
            "usage no date, waits for the delivery date",
            "satisfaction no date, waits for the delivery date",
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_contradiction(text: str, expected: list[str]) -> None:
    assert pick(derive(text), "delivery-check", "usage", "satisfaction") == expected


ENDS = {
    "a quote, by the sale": ("quoted: 2026-11-12\nsold: 2026-11-16", "quote-decision", []),
    "a quote, by the loss": ("quoted: 2026-11-12\nlost: 2026-11-16", "quote-decision", []),
    "a quote, by a sale of its own day": ("quoted: 2026-11-16\nsold: 2026-11-16", "quote-decision", []),
    "a quote, by a sale of the log": (
        "quoted: 2026-11-12\n--\n## Log\n- 2026-11-16 visit: #sold",
        "quote-decision",
        [],
    ),
    "a quote not by an older sale": (
        "quoted: 2026-11-12\nsold: 2026-09-01",
        "quote-decision",
        ["2026-11-19..2026-11-23"],
    ),
    "a quote not by a sale to come": (
        "quoted: 2026-11-12\nsold: 2026-12-01",
        "quote-decision",
        ["2026-11-19..2026-11-23"],
    ),
    "what was open when it was lost stays": (
        "sold: 2026-11-12\nlost: 2026-11-17",
        "satisfaction",
        ["2026-11-16..2026-11-19"],
    ),
    "what was not open ends": ("sold: 2026-11-12\nlost: 2026-11-13", "satisfaction", []),
    "a loss to come ends nothing": (
        "sold: 2026-11-12\nlost: 2026-12-13",
        "feedback",
        ["2026-12-14..2026-12-28"],
    ),
    "both on one day: lost": ("sold: 2026-11-16\nlost: 2026-11-16", "satisfaction", []),
    "and the reasons are asked": (
        "sold: 2026-11-16\nlost: 2026-11-16",
        "reasons",
        ["2026-11-17..2026-11-19"],
    ),
    "a loss before the sale is history": (
        "sold: 2026-11-16\nlost: 2026-10-01",
        "satisfaction",
        ["2026-11-18..2026-11-23"],
    ),
    "and its door is open": ("sold: 2026-11-16\nlost: 2026-09-01", "door-open", []),
    "status calls, when it is in use": (
        "sold: 2026-11-02\ngo_live: 2026-11-09\nplan: transition",
        "status-call",
        [],
    ),
}


@pytest.mark.parametrize(("text", "step", "windows"), ENDS.values(), ids=ENDS.keys())
def test_ended(text: str, step: str, windows: list[str]) -> None:
    assert pick(derive(text), step)[:1] == [f"{step} {window}" for window in windows]


REPEATS = {
    "not yet": ("sold: 2026-11-02", ["2026-11-09..2026-11-10"]),
    "a contact settles what opened by its day": (
        "sold: 2026-11-02\n--\n## Log\n- 2026-11-17 call: on our way",
        ["2026-11-23..2026-11-24"],
    ),
    "also between two windows": (
        "sold: 2026-11-02\n--\n## Log\n- 2026-11-13 call: on our way",
        ["2026-11-16..2026-11-17"],
    ),
    "not before the first": (
        "sold: 2026-11-02\n--\n## Log\n- 2026-11-05 call: on our way",
        ["2026-11-09..2026-11-10"],
    ),
    "a tag comes a little early": (
        "sold: 2026-11-02\n--\n## Log\n- 2026-11-10 call: #status-call\n- 2026-11-14 call: #status-call",
        ["2026-11-23..2026-11-24"],
    ),
}


@pytest.mark.parametrize(("text", "windows"), REPEATS.values(), ids=REPEATS.keys())
def test_repeated_every_week(text: str, windows: list[str]) -> None:
    header, _, body = text.partition("\n--\n")
    found = derive(f"{header}\nplan: transition\n--\n{body}")
    assert pick(found, "status-call")[:1] == [f"status-call {window}" for window in windows]


TURNS = {
    "open": ("2026-11-22", "status-call 2026-11-09..2026-11-10", "2026-12-11", None),
    "on its last day": ("2026-12-10", "status-call 2026-11-09..2026-11-10", "2026-12-11", None),
    "missed: the first that opens after its last day": (
        "2026-12-11",
        "status-call 2026-12-14..2026-12-15",
        "2027-01-15",
        "2026-12-11",
    ),
}


@pytest.mark.parametrize(("day", "turn", "until", "first"), TURNS.values(), ids=TURNS.keys())
def test_a_repeated_step_has_one_turn(day: str, turn: str, until: str, first: str | None) -> None:
    context, as_of = make_context(), date.fromisoformat(day)
    client = read("sold: 2026-11-02\nplan: transition", context.settings)
    found = find_steps(client, context, find_past(client, as_of), as_of)
    assert [in_words(each) for each in found.open] == [turn]
    assert bool(found.missed) == (first is not None)
    assert (found.first and str(found.first), str(found.until)) == (first, until)


def test_of_a_repeated_step_the_last_turn_missed_is_told() -> None:
    (missed,) = derive_missed("sold: 2026-11-02\nplan: transition", as_of=date(2027, 3, 1))
    assert in_words(missed) == "status-call 2027-01-18..2027-01-19"
    assert missed.occasion == "transition status-call 2026-11-02 10"


def test_a_yearly_step_of_years_ago_is_at_this_years_turn() -> None:
    found = derive("sold: 2019-01-07", "since: 2026-10-01\n")
    assert pick(found, "appreciation", "improvements") == [
        "improvements 2027-07-06..2027-08-05",
        "appreciation 2026-12-03..2027-01-07",
    ]
    assert {each.step for each in derive_missed("sold: 2019-01-07", "since: 2026-10-01\n")} == {
        "thank-you",
        "paperwork",
        "satisfaction",
        "feedback",
        "testimonial",
    }


# --- What holds a step back ------------------------------------------------------------------------------


def find_one(text: str, step: str, settings: str = "") -> FollowUp:
    return next(each for each in derive(text, settings) if each.step == step)


def test_missed_30_days_after_its_window_or_as_long_as_that_was() -> None:
    sold = "sold: 2026-11-02"
    assert find_one(sold, "thank-you").expires == date(2026, 12, 3)
    assert find_one(sold, "appreciation").expires == date(2027, 12, 7)


def test_delivery_and_paperwork_are_never_missed() -> None:
    found = derive("sold: 2026-11-02\ndelivery: 2026-12-01")
    never = {each.step for each in found if each.expires is None and each.occasion.endswith(" 0")}
    assert never == {"paperwork", "delivery-control", "delivery-date", "delivery-check"}
    desk = {each.step for each in found if not each.contact}
    assert desk == {"paperwork", "delivery-control"}


def test_what_closed_before_the_vault_began_is_missed_at_once() -> None:
    found = derive_missed("sold: 2026-11-02", "since: 2026-11-22\n")
    assert [each.step for each in found] == ["thank-you", "paperwork", "satisfaction"]
    assert all(each.expires == each.due for each in found)


def test_what_closes_in_a_pause_is_missed_and_the_rest_held_to_its_end() -> None:
    pause = "paused_until: 2026-12-01\nsold: 2026-11-02\ndelivery: 2026-11-24"
    assert pick(derive(pause), "usage") == []
    assert pick(derive_missed(pause), "usage") == ["usage 2026-11-24..2026-11-27"]
    held = find_one(pause, "satisfaction")
    assert in_words(held) == "satisfaction 2026-12-01"
    assert held.reason.endswith("; paused until Tue 1 Dec 2026")
    assert in_words(find_one(pause, "delivery-check")) == "delivery-check 2026-12-01"
    assert find_one(pause, "delivery-check").expires is None
    endless = find_one("prm-paused: true\nsold: 2026-11-16", "satisfaction")
    assert endless.waits == "waits until the pause ends"


def test_a_step_waits_until_what_it_needs_is_settled_or_missed() -> None:
    settings = "plans:\n  after-sale:\n    testimonial: {from: 20 days, to: 25 days}\n"
    open_ = find_one("sold: 2026-11-02", "testimonial", settings)
    assert (open_.opens, open_.due) == (date(2026, 12, 10), date(2026, 12, 10))
    assert open_.reason.endswith("; waits for satisfaction")
    done = find_one("sold: 2026-11-02\n--\n## Log\n- 2026-11-05 call: #satisfaction", "testimonial", settings)
    assert in_words(done) == "testimonial 2026-11-23..2026-11-27"
    never = "plans:\n  after-sale:\n    usage: {needs: delivery-check}\n"
    found = find_one("sold: 2026-11-02\ndelivery: 2026-11-19", "usage", never)
    assert found.waits == "waits for delivery-check"


def test_a_tag_settles_the_sale_whose_time_has_come() -> None:
    """The older sale is not delivered yet: the call of October is about the newer one."""
    context, as_of = make_context("since: 2020-01-01"), date(2026, 10, 12)
    log = (
        "- 2026-10-10 call: happy #satisfaction\n- 2026-09-30 visit: #sold\n"
        "- 2026-09-23 visit: #sold [delivery:: 2026-12-31]"
    )
    client = read(f"\n--\n## Log\n{log}", context.settings)
    found = find_steps(client, context, find_past(client, as_of), as_of)
    assert pick(found.open, "satisfaction") == ["satisfaction 2027-01-04..2027-01-07"]


def test_steps_for_large_sales_and_for_some_stages_only() -> None:
    settings = (
        "plans:\n  after-sale:\n    thank-you: {min_value: 50000}\n    feedback: {unless_stage: dormant}\n"
    )
    small, large = "sold: 2026-11-16\nvalue: 49 999", "sold: 2026-11-16\nvalue: 50 000"
    assert pick(derive(small, settings), "thank-you") == []
    assert len(pick(derive(large, settings), "thank-you")) == 1
    assert pick(derive("sold: 2026-11-16", settings), "thank-you") == []
    assert pick(derive(f"{small}\ndelivery: unknown", settings.replace("thank-you", "usage")), "usage") == []
    log = "value: 10\n--\n## Log\n- 2026-11-16 visit: #sold [value:: 60 000]"
    assert len(pick(derive(log, settings), "thank-you")) == 1
    assert pick(derive(f"stage: Dormant\n{large}", settings), "feedback") == []


PLANS = {
    "by default those whose anchor is there": (
        "quoted: 2026-11-19\nrenewal: 2027-03-01",
        {"quote", "renewal"},
    ),
    "the one that is named": ("plan: renewal\nquoted: 2026-11-19\nrenewal: 2027-03-01", {"renewal"}),
    "several": ("plan: [After Sale, transition]\nsold: 2026-11-16", {"after-sale", "transition"}),
    "none": ("plan: none\nsold: 2026-11-16\nquoted: 2026-11-19", set()),
    "one that there is none of: as if none were named": (
        "plan: after-sail\nsold: 2026-11-16",
        {"after-sale"},
    ),
    "one that there is, and one that there is not": (
        "plan: [renewal, after-sail]\nsold: 2026-11-16\nrenewal: 2027-03-01",
        {"renewal"},
    ),
    "nothing but a delivery": ("delivery: 2026-11-24", set()),
    "a delivery, and its plan named": ("plan: after-sale\ndelivery: 2026-11-24", {"after-sale"}),
}


@pytest.mark.parametrize(("text", "plans"), PLANS.values(), ids=PLANS.keys())
def test_which_plans_apply(text: str, plans: set[str]) -> None:
    assert {each.occasion.split()[0] for each in derive(text)} == plans


def test_a_complaint_has_its_plan_whatever_the_note_chooses() -> None:
    found = follow("plan: none\n--\n## Log\n- 2026-11-20 call: leaks #complaint")
    assert [each.step.name for each in found] == ["acknowledge", "resolve"]


# --- What is said ----------------------------------------------------------------------------------------


def test_a_step_in_full() -> None:
    note = "contact_by: [visit, call]\nsold: 2026-11-02\ndelivery: 2026-11-17"
    assert find_one(note, "satisfaction") == FollowUp(
        opens=date(2026, 11, 19),
        due=date(2026, 11, 24),
        minute=None,
        contact=True,
        rule="step",
        kind="feedback",
        step="satisfaction",
        occasion="after-sale satisfaction 2026-11-17 0",
        title="Ask whether they are satisfied",
        reason="delivered on Tue 17 Nov 2026; window closes Tue 24 Nov",
        path="Clients/Ann.md",
        line=5,
        channel="visit",
        minutes=20,
        wanted=0,
        expires=date(2026, 12, 24),
        ask=("Are you satisfied with what you chose?", "What would you change?"),
    )


def test_the_channel_is_the_steps_but_never_one_the_client_does_not_want() -> None:
    dates = "contact_by: call\nsold: 2026-11-02\ndelivery: 2026-11-19"
    assert find_one(dates, "delivery-check").channel == "message"
    assert find_one(f"not_by: message\n{dates}", "delivery-check").channel == "call"


def test_the_minutes_are_the_clients_else_the_stages_else_the_steps() -> None:
    dates = "sold: 2026-11-02\ndelivery: 2026-11-19"
    assert find_one(f"minutes: 5\n{dates}", "delivery-check").minutes == 5
    assert find_one(dates, "delivery-check").minutes == 20
    assert find_one(f"stage: friend\n{dates}", "delivery-check").minutes == 10
    assert find_one(f"stage: friend\n{dates}", "usage").minutes == 15


def test_days_off_and_holidays_move_windows() -> None:
    settings = "workdays: [sun, mon, tue, wed, thu]\ndays_off: [2026-11-24]\n"
    found = derive("sold: 2026-11-20\nquoted: 2026-12-01", settings)  # sold on a Friday, which is a day off
    assert pick(found, "thank-you", "paperwork") == [
        "thank-you 2026-11-22",
        "paperwork 2026-11-22..2026-11-23",
    ]
    assert pick(derive("quoted: 2026-11-23", settings), "quote-received") == [
        "quote-received 2026-11-25..2026-11-26"
    ]


# --- For whatever is written -----------------------------------------------------------------------------

STEP_TAGS = [
    "thank-you",
    "satisfaction",
    "status-call",
    "appreciation",
    "sold",
    "complaint",
    "resolved",
    "promise",
]
days = st.integers(0, 500).map(lambda count: date(2026, 1, 1) + timedelta(count))
channels = st.sampled_from(["call", "message", "visit", "call (no answer)", ""])
entries = st.builds(
    lambda day, channel, tags: f"- {day} {channel}: words {' '.join(f'#{tag}' for tag in tags)}",
    days,
    channels,
    st.lists(st.sampled_from(STEP_TAGS), max_size=2),
)
sales = st.builds(lambda day, to: f"- {day} visit: #sold [delivery:: {to}]", days, days)
ticked = st.builds(lambda day, tag: f"- [x] a #{tag} ✅ {day}", days, st.sampled_from(STEP_TAGS))
keys = st.dictionaries(
    st.sampled_from(
        ["quoted", "sold", "delivery", "go_live", "lost", "renewal", "paused_until", "last_contact"]
    ),
    days,
    max_size=5,
)
plan_keys = st.sampled_from(
    ["", "plan: [after-sale, transition, no-sale]", "plan: none", "delivery: unknown"]
)
notes = st.builds(
    lambda header, plan, log, tasks: "\n".join(
        [*(f"{key}: {day}" for key, day in header.items()), plan, "--", "## Log", *log, "", *tasks]
    ),
    keys,
    plan_keys,
    st.lists(entries | sales, max_size=8),
    st.lists(ticked, max_size=2),
)
CONTEXTS = [
    make_context(),
    make_context(
        "since: 2026-06-01\nworkdays: [sun, mon, tue, wed, thu]\ndays_off: [2026-12-20/2027-01-04]\n"
    ),
]


def find_all(client: Client, context: Context, as_of: date) -> list[FollowUp]:
    past = find_past(client, as_of)
    missed = list(find_missed_steps(client, context, past, as_of))
    found = find_steps(client, context, past, as_of)
    assert len(missed) == len(found.missed)
    return found.open + missed


@hypothesis_settings(deadline=None, max_examples=200)
@given(notes, days, st.sampled_from(CONTEXTS))
def test_steps_are_well_formed(text: str, as_of: date, context: Context) -> None:
    client = read(text, context.settings)
    found = find_all(client, context, as_of)
    assert len({each.occasion for each in found}) == len(found)
    for each in found:
        assert each.kind in KINDS
        assert each.line >= 1
        assert each.reason
        if each.opens is None or each.due is None:
            assert each.opens is each.due is None
            assert each.waits
            continue
        assert each.opens <= each.due
        assert context.calendar.is_workday(each.opens)
        assert context.calendar.is_workday(each.due)
    for shown in find_progress(client, context, find_past(client, as_of)):
        assert (shown.status == "settled") == (shown.settled is not None)
        assert bool(shown.log_line) == (shown.status not in ("settled", "ended"))


def bounds(past: Past, found: Steps, as_of: date) -> tuple[date, date]:
    """The first and the last day on which what was found must hold."""
    first = max(day for day in (past.first, found.first, as_of - timedelta(4000)) if day is not None)
    last = min(day for day in (past.until, found.until, as_of + timedelta(4000)) if day is not None)
    return first, last - timedelta(1)


@hypothesis_settings(deadline=None, max_examples=200)
@given(notes, days, st.sampled_from(CONTEXTS), st.floats(0, 1))
def test_steps_hold_from_their_first_day_to_their_last(
    text: str, as_of: date, context: Context, share: float
) -> None:
    """But for those open that are missed in between: the agenda judges that by their last day."""
    client = read(text, context.settings)
    past = find_past(client, as_of)
    found = find_steps(client, context, past, as_of)
    first, last = bounds(past, found, as_of)
    assert first <= as_of <= last
    other = first + timedelta(round((last - first).days * share))
    again = find_steps(client, context, find_past(client, other), other)
    alive = [each for each in found.open if each.expires is None or each.expires >= other]
    assert again.open == alive
    assert len(again.missed) == len(found.missed) + len(found.open) - len(alive)


@hypothesis_settings(deadline=None, max_examples=100)
@given(st.lists(notes, min_size=2, max_size=4), days)
def test_what_a_context_remembers_changes_nothing(texts: list[str], as_of: date) -> None:
    shared = make_context()
    for text in texts:
        client = read(text, shared.settings)
        assert find_all(client, shared, as_of) == find_all(client, make_context(), as_of)
