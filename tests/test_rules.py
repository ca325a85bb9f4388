"""A person's note, and the follow-ups that come of it on a day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from client_notes import read_text
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notesync.followup.client import Client, find_known_keys, read_client
from notesync.followup.follow_up import KINDS, Context, FollowUp, Found, done_date, find_past, last_contact
from notesync.followup.plans import load_plans
from notesync.followup.rules import find_drift, find_follow_ups, find_missed, shares_cadence, wanted_days
from notesync.followup.settings import Settings
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note

TODAY = date(2026, 11, 22)  # a Sunday
OWN = ("next-contact", "cadence", "task")
unhurried = hypothesis_settings(deadline=None)  # the first example pays for what is compiled or imported late
BY_STAGE = Settings(
    since="2026-11-22",
    default_every={
        "customer": (1, "month"),
        "prospect": (2, "week"),
        "lead": (1, "week"),
        "dormant": (3, "month"),
    },
)


def derive(text: str, as_of: date = TODAY, settings: Settings | None = None) -> list[FollowUp]:
    settings = settings or Settings()
    return derive_client(
        read_text(text, settings), Context(settings, settings.work_calendar(), load_plans(settings)[0]), as_of
    )


def derive_client(client: Client, context: Context, as_of: date = TODAY) -> list[FollowUp]:
    found = find_follow_ups(client, context, find_past(client, as_of))
    return [
        follow_up for follow_up in found.open if follow_up.rule in OWN
    ]  # the others have tests of their own


def find_validity(client: Client, as_of: date) -> tuple[date | None, date | None]:
    """From which day on, and before which, all is the same."""
    past = find_past(client, as_of)
    return past.first, past.until


def in_words(follow_up: FollowUp) -> str:
    """A follow-up as `kind: first day..last day time, title`."""
    opens, due = follow_up.opens, follow_up.due
    window = "no date" if due is None else str(due) if opens == due else f"{opens}..{due}"
    time = "" if follow_up.minute is None else f" {follow_up.minute // 60:02}:{follow_up.minute % 60:02}"
    return f"{follow_up.kind}: {window}{time}, {follow_up.title}"


# Header and body are parted by a line `--`.
AGREED = {
    "a day": ("next_contact: 2026-11-25", ["contact: 2026-11-25, Contact as agreed"]),
    "a day and a time is a promise": (
        "next_contact: 2026-11-25T14:30\nnext_action: send prices",
        ["promise: 2026-11-25 14:30, send prices"],
    ),
    "a day off is what was chosen": ("next_contact: 2026-11-21", ["contact: 2026-11-21, Contact as agreed"]),
    "a contact on that day settles it": ("next_contact: 2026-11-18\n--\n## Log\n- 2026-11-18 call: ok", []),
    "one on a later day too": ("next_contact: 2026-11-18\n--\n## Log\n- 2026-11-20 call: ok", []),
    "and a last contact noted": ("next_contact: 2026-11-18\nlast_contact: 2026-11-19", []),
    "and a ticked task that was a contact": (
        "next_contact: 2026-11-18\n--\n- [x] rang them #contact ✅ 2026-11-19",
        [],
    ),
    "a ticked task that was none does not": (
        "next_contact: 2026-11-18\n--\n- [x] prices looked up ✅ 2026-11-19",
        ["contact: 2026-11-18, Contact as agreed"],
    ),
    "a task given up does not": (
        "next_contact: 2026-11-18\n--\n- [-] ring them #contact ✅ 2026-11-19",
        ["contact: 2026-11-18, Contact as agreed"],
    ),
    "no answer settles nothing": (
        "next_contact: 2026-11-18\n--\n## Log\n- 2026-11-18 call (no answer)",
        ["contact: 2026-11-18, Contact as agreed"],
    ),
    "two workdays early settles a mere day": (
        "next_contact: 2026-11-23\n--\n## Log\n- 2026-11-19 call: early",
        [],
    ),
    "three workdays early does not": (
        "next_contact: 2026-11-23\n--\n## Log\n- 2026-11-18 call: too early",
        ["contact: 2026-11-23, Contact as agreed"],
    ),
    "early only noted as last contact does not": (
        "next_contact: 2026-11-23\nlast_contact: 2026-11-20",
        ["contact: 2026-11-23, Contact as agreed"],
    ),
    "early never settles a time": (
        "next_contact: 2026-11-23 09:00\n--\n## Log\n- 2026-11-20 call: ok",
        ["promise: 2026-11-23 09:00, Contact as agreed"],
    ),
    "the same day settles a time, whatever the hour": (
        "next_contact: 2026-11-20 16:00\n--\n## Log\n- 2026-11-20 09:00 call: ok",
        [],
    ),
    "an appointment in the log is not a contact yet": (
        "next_contact: 2026-11-25\n--\n## Log\n- 2026-11-26 visit: to be",
        ["contact: 2026-11-25, Contact as agreed"],
    ),
    "a pause does not hold it": (
        "next_contact: 2026-11-25\npaused_until: 2027-01-04",
        ["contact: 2026-11-25, Contact as agreed"],
    ),
    "withdrawn: nothing at all": (
        "do_not_contact: true\nnext_contact: 2026-11-25\nevery: week\n--\n- [ ] send #promise 📅 2026-11-25",
        [],
    ),
}

CADENCE = {
    "two weeks after the last contact": (
        "every: 2 weeks\n--\n## Log\n- 2026-11-03 call: ok",
        ["keep-in-touch: 2026-11-17..2026-11-20, Keep in touch"],
    ),
    "an attempt is no contact": (
        "every: 2 weeks\n--\n## Log\n- 2026-11-10 call (no answer)\n- 2026-11-03 call: ok",
        ["keep-in-touch: 2026-11-17..2026-11-20, Keep in touch"],
    ),
    "nor is an appointment": (
        "every: 2 weeks\n--\n## Log\n- 2026-12-01 visit: to be\n- 2026-11-03 call: ok",
        ["keep-in-touch: 2026-11-17..2026-11-20, Keep in touch"],
    ),
    "oldest first or newest first": (
        "every: 2 weeks\n--\n## Log\n- 2026-10-03 call: ok\n- 2026-11-03 call: ok",
        ["keep-in-touch: 2026-11-17..2026-11-20, Keep in touch"],
    ),
    "the later of log and last_contact": (
        "every: 2 weeks\nlast_contact: 2026-11-04\n--\n## Log\n- 2026-11-03 call: ok",
        ["keep-in-touch: 2026-11-18..2026-11-23, Keep in touch"],
    ),
    "a last contact that lies ahead is none yet": (
        "every: 2 weeks\nlast_contact: 2026-12-04\n--\n## Log\n- 2026-11-03 call: ok",
        ["keep-in-touch: 2026-11-17..2026-11-20, Keep in touch"],
    ),
    "a sale counts": (
        "every: 2 weeks\nsold: 2026-11-05",
        ["keep-in-touch: 2026-11-19..2026-11-24, Keep in touch"],
    ),
    "a loss counts": (
        "every: 2 weeks\nlost: 2026-11-05",
        ["keep-in-touch: 2026-11-19..2026-11-24, Keep in touch"],
    ),
    "a delivery does not": (
        "every: 2 weeks\ndelivery: 2026-11-05",
        ["keep-in-touch: no date, Keep in touch"],
    ),
    "a ticked contact counts": (
        "every: 2 weeks\n--\n- [x] thanked #thanks ✅ 2026-11-05",
        ["keep-in-touch: 2026-11-19..2026-11-24, Keep in touch"],
    ),
    "opening on a Saturday moves to Monday": (
        "every: 2 weeks\nlast_contact: 2026-11-07",
        ["keep-in-touch: 2026-11-23..2026-11-26, Keep in touch"],
    ),
    "a month from the 31st ends with the month": (
        "every: month\nlast_contact: 2026-08-31",
        ["keep-in-touch: 2026-09-30..2026-10-09, Keep in touch"],
    ),
    "a month into a leap February": (
        "every: month\nlast_contact: 2024-01-31",
        ["keep-in-touch: 2024-02-29..2024-03-11, Keep in touch"],
    ),
    "a year after a leap day": (
        "every: year\nlast_contact: 2024-02-29",
        ["keep-in-touch: 2025-02-28..2025-03-14, Keep in touch"],
    ),
    "a day: the window is at least a day": (
        "every: day\nlast_contact: 2026-11-16",
        ["keep-in-touch: 2026-11-17..2026-11-18, Keep in touch"],
    ),
    "workdays skip the weekend": (
        "every: 5 workdays\nlast_contact: 2026-11-11",
        ["keep-in-touch: 2026-11-18..2026-11-19, Keep in touch"],
    ),
    "twice a month is fifteen days": (
        "every: twice a month\nlast_contact: 2026-11-02",
        ["keep-in-touch: 2026-11-17..2026-11-20, Keep in touch"],
    ),
    "no contact and no first day: no date": ("every: month", ["keep-in-touch: no date, Keep in touch"]),
    "a pause moves the opening and keeps the length": (
        "every: 2 weeks\nlast_contact: 2026-11-03\npaused_until: 2026-12-05",
        ["keep-in-touch: 2026-12-07..2026-12-10, Keep in touch"],
    ),
    "a pause that ends in time moves nothing": (
        "every: 2 weeks\nlast_contact: 2026-11-03\npaused_until: 2026-11-17",
        ["keep-in-touch: 2026-11-17..2026-11-20, Keep in touch"],
    ),
    "a pause gives a date to who had none": (
        "every: 2 weeks\npaused_until: 2026-12-01",
        ["keep-in-touch: 2026-12-01..2026-12-04, Keep in touch"],
    ),
    "paused without an end": ("every: 2 weeks\nlast_contact: 2026-11-03\nprm-paused: true", []),
    "it stands behind an agreed contact; the agenda hides it": (
        "every: 2 weeks\nlast_contact: 2026-11-03\nnext_contact: 2026-11-30",
        ["contact: 2026-11-30, Contact as agreed", "keep-in-touch: 2026-11-17..2026-11-20, Keep in touch"],
    ),
    "no cadence, no follow-up": ("last_contact: 2026-11-03", []),
}

TASKS = {
    "due": ("--\n- [ ] send prices 📅 2026-11-25", ["task: 2026-11-25, send prices"]),
    "in brackets": ("--\n- [ ] send prices [due:: 2026-11-25]", ["task: 2026-11-25, send prices"]),
    "a link is its words": ("--\n- [ ] write to [[Bo van Dyk|Bo]] 📅 2026-11-25", ["task: 2026-11-25, write to Bo"]),
    "nothing but a date": ("--\n- [ ] 📅 2026-11-25", ["task: 2026-11-25, Task"]),
    "from its start": (
        "--\n- [ ] send prices 🛫 2026-11-20 📅 2026-11-25", ["task: 2026-11-20..2026-11-25, send prices"],
    ),
    "a start behind the end": ("--\n- [ ] send prices 🛫 2026-12-20 📅 2026-11-25", ["task: 2026-11-25, send prices"]),
    "scheduled": ("--\n- [ ] send prices ⏳ 2026-11-24", ["task: 2026-11-24, send prices"]),
    "scheduled and due": ("--\n- [ ] send prices ⏳ 2026-11-24 📅 2026-11-25", ["task: 2026-11-25, send prices"]),
    "on a day off, as chosen": ("--\n- [ ] send prices 📅 2026-11-28", ["task: 2026-11-28, send prices"]),
    "without a date it is somebody's list": ("--\n- [ ] send prices", []),
    "done": ("--\n- [x] send prices 📅 2026-11-25 ✅ 2026-11-20", []),
    "given up": ("--\n- [-] send prices 📅 2026-11-25", []),
    "cancelled by its date": ("--\n- [ ] send prices 📅 2026-11-25 ❌ 2026-11-20", []),
    "in a code block": ("--\n```\n- [ ] send prices 📅 2026-11-25\n```", []),
    "a pause does not hold it": (
        "paused_until: 2027-01-04\n--\n- [ ] send prices 📅 2026-11-25",
        ["task: 2026-11-25, send prices"],
    ),
    "a kind": ("--\n- [ ] thank them #thanks 📅 2026-11-25", ["thanks: 2026-11-25, thank them"]),
    "a tag that is no kind": ("--\n- [ ] send prices #home 📅 2026-11-25", ["task: 2026-11-25, send prices"]),
    "a promise with its date": ("--\n- [ ] samples #promise 📅 2026-11-28", ["promise: 2026-11-28, samples"]),
    "a promise counts from the day it was made": (
        "--\n- [ ] samples #promise ➕ 2026-11-20",
        ["promise: 2026-11-23, samples"],
    ),
    "or from the entry above it": (
        "--\n## Log\n- 2026-11-20 call: wants samples\n    - [ ] samples #promise",
        ["promise: 2026-11-23, samples"],
    ),
    "or is due without a date": ("--\n- [ ] samples #promise", ["promise: no date, samples"]),
    "so is a complaint": ("--\n- [ ] it leaks #complaint", ["complaint: no date, it leaks"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("note", "expected"),
    [*AGREED.values(), *CADENCE.values(), *TASKS.values()],
    ids=[*AGREED, *CADENCE, *TASKS],
)
def test_follow_ups(note: str, expected: list[str]) -> None:
    header, _, body = note.partition("--\n")
    assert [in_words(found) for found in derive(f"---\n{header}\n---\n{body}\n")] == expected


def test_an_appointment_counts_when_its_day_has_come() -> None:
    note = "---\nnext_contact: 2026-11-25\n---\n## Log\n- 2026-11-26 visit: to be\n"
    assert derive(note, date(2026, 11, 25))
    assert not derive(note, date(2026, 11, 26))


BY_STAGES = {
    "a prospect's": ("last_contact: 2026-11-03", "2026-11-17..2026-11-20"),
    "a customer's": ("sold: 2026-10-05", "2026-11-05..2026-11-16"),
    "a dormant one's": ("stage: Dormant\nlast_contact: 2026-08-03", "2026-11-03..2026-11-17"),
    "the client's own goes before": ("every: 10 days\nlast_contact: 2026-11-03", "2026-11-13..2026-11-17"),
    "none for this stage": ("stage: partner\nlast_contact: 2026-11-03", None),
    "lost: none is set": ("quoted: 2026-10-01\nlost: 2026-11-01", None),
    "lost after the sale, still called a customer": ("stage: customer\nsold: 2026-10-05\nlost: 2026-11-01", None),
    "lost after the sale, but an own cadence": (
        "every: month\nsold: 2026-09-05\nlost: 2026-10-01", "2026-11-02..2026-11-11",
    ),
    "won back": ("lost: 2026-09-01\nsold: 2026-10-05", "2026-11-05..2026-11-16"),
}  # fmt: skip


@pytest.mark.parametrize(("header", "window"), BY_STAGES.values(), ids=BY_STAGES)
def test_the_stages_cadence(header: str, window: str | None) -> None:
    found = [in_words(each) for each in derive(f"---\ntype: client\n{header}\n---\n", settings=BY_STAGE)]
    assert found == ([f"keep-in-touch: {window}, Keep in touch"] if window else [])


def test_a_new_vault_does_not_fall_due_in_one_heap() -> None:
    days = []
    for number in range(60):
        client = read_text("---\ntype: client\n---\n", BY_STAGE, f"Clients/{number}.md")
        (found,) = derive_client(client, Context(BY_STAGE, BY_STAGE.work_calendar(), load_plans(BY_STAGE)[0]))
        assert found.opens is not None
        assert date(2026, 12, 4) <= found.opens <= date(2026, 12, 21)
        days.append(found.opens)
    assert len(set(days)) >= 9
    assert max(map(days.count, days)) <= 20  # a Monday takes what fell on its weekend


def test_the_share_of_the_interval_is_the_clients_own() -> None:
    note = "---\nid: c-17\ntype: client\n---\n"
    context = Context(BY_STAGE, BY_STAGE.work_calendar(), load_plans(BY_STAGE)[0])
    one, other = (read_text(note, BY_STAGE, path) for path in ("Clients/Ann.md", "Elsewhere/Bo.md"))
    assert derive_client(one, context)[0].opens == derive_client(other, context)[0].opens
    assert derive_client(one, context)[0].occasion == "2026-12-03"


MADE = {
    "before the vault's first day: counted from that": ("2024-05-23", "2026-12-03"),
    "after it: counted from its own": ("2026-12-01", "2026-12-12"),
}


@pytest.mark.parametrize(("made", "counted"), MADE.values(), ids=MADE)
def test_the_share_is_added_to_the_day_on_which_a_later_note_was_made(made: str, counted: str) -> None:
    (found,) = derive(f"---\nid: c-17\ntype: client\ncreated: {made}\n---\n", settings=BY_STAGE)
    assert found.occasion == counted


def test_days_off_move_a_window_and_holidays_do() -> None:
    settings = Settings(days_off=(("2026-11-16", "2026-11-18"),), holidays="ZA")
    (found,) = derive("---\nevery: 2 weeks\nlast_contact: 2026-11-03\n---\n", settings=settings)
    assert (str(found.opens), str(found.due)) == ("2026-11-19", "2026-11-24")
    # 16 December is a holiday in South Africa.
    (found,) = derive("---\nevery: 2 weeks\nlast_contact: 2026-12-02\n---\n", date(2026, 12, 20), settings)
    assert (str(found.opens), str(found.due)) == ("2026-12-17", "2026-12-22")


def test_weeks_that_end_on_friday() -> None:
    settings = Settings(workdays=(6, 0, 1, 2, 3))
    (found,) = derive("---\nevery: 10 days\nlast_contact: 2026-11-03\n---\n", settings=settings)
    assert (str(found.opens), str(found.due)) == ("2026-11-15", "2026-11-17")  # Friday moves to Sunday


# --- What a follow-up tells ------------------------------------------------------------------------------

REASONS = {
    "agreed": ("next_contact: 2026-11-25", "agreed for Wed 25 Nov 2026"),
    "agreed, with a time": ("next_contact: 2026-11-25 09:05", "agreed for Wed 25 Nov 2026 at 09:05"),
    "how they were reached last": (
        "every: 2 weeks\n--\n## Log\n- 2026-11-03 call: ok",
        "every 2 weeks; last contact Tue 3 Nov 2026 (call)",
    ),
    "only that they were reached": (
        "every: month\nlast_contact: 2026-11-03\n--\n## Log\n- 2026-10-03 call: ok",
        "every month; last contact Tue 3 Nov 2026",
    ),
    "a sale": ("every: month\nsold: 2026-11-03", "every month; sold Tue 3 Nov 2026"),
    "a loss": ("every: month\nlost: 2026-11-03", "every month; lost Tue 3 Nov 2026"),
    "never": ("every: month", "every month; no contact yet"),
    "due": ("--\n- [ ] send prices 📅 2026-11-25", "due Wed 25 Nov 2026"),
    "scheduled": ("--\n- [ ] send prices ⏳ 2026-11-25", "scheduled for Wed 25 Nov 2026"),
    "promised": ("--\n- [ ] samples #promise ➕ 2026-11-20", "promised Fri 20 Nov 2026"),
    "promised some time": ("--\n- [ ] samples #promise", "promised, without a date"),
    "raised": ("--\n- [ ] it leaks #complaint ➕ 2026-11-20", "raised Fri 20 Nov 2026"),
}


@pytest.mark.parametrize(("note", "reason"), REASONS.values(), ids=REASONS)
def test_reasons(note: str, reason: str) -> None:
    header, _, body = note.partition("--\n")
    (found,) = derive(f"---\n{header}\n---\n{body}\n")
    assert found.reason == reason


def test_the_reason_of_a_vaults_first_days() -> None:
    (found,) = derive("---\nid: c-17\ntype: client\n---\n", settings=BY_STAGE)
    assert found.reason == "every 2 weeks; no contact yet, counted from Thu 3 Dec 2026"


def test_the_line_that_causes_it() -> None:
    header = "type: client\nnext_contact: 2026-11-25\nevery: week\nlast_contact: 2026-11-02"
    note = f"---\n{header}\n---\n- [ ] a 📅 2026-11-25\n"
    assert [found.line for found in derive(note)] == [3, 4, 7]
    (found,) = derive("---\ntype: client\nlast_contact: 2026-11-02\n---\n", settings=BY_STAGE)
    assert (found.path, found.line) == ("Clients/Ann.md", 1)


CHANNELS = {
    "the first they want": ("contact_by: [call, email]", "call"),
    "but not the one they refuse": ("contact_by: [call, email]\nnot_by: phone", "email"),
    "any": ("not_by: phone", ""),
    "none left": ("contact_by: call\nnot_by: call", ""),
}


@pytest.mark.parametrize(("header", "channel"), CHANNELS.values(), ids=CHANNELS)
def test_channel(header: str, channel: str) -> None:
    found, task = derive(f"---\n{header}\nnext_contact: 2026-11-25\n---\n- [ ] buy a pen 📅 2026-11-25\n")
    assert found.channel == channel
    assert task.channel == ""


MINUTES = {
    "as the note says": ("minutes: 45\nsold: 2026-01-05", 45),
    "as the stage says": ("sold: 2026-01-05", 20),
    "as ever": ("quoted: 2026-01-05", 15),
}


@pytest.mark.parametrize(("header", "minutes"), MINUTES.values(), ids=MINUTES)
def test_minutes(header: str, minutes: int) -> None:
    (found,) = derive(f"---\n{header}\nnext_contact: 2026-11-25\n---\n")
    assert found.minutes == minutes


def test_what_counts_as_a_contact() -> None:
    note = (
        "---\nnext_contact: 2026-11-25\nevery: month\nlast_contact: 2026-11-02\n---\n"
        "- [ ] pens 📅 2026-11-25\n- [ ] fix it #service 📅 2026-11-25\n"
    )
    assert [(found.rule, found.contact, found.wanted) for found in derive(note)] == [
        ("next-contact", True, 0),
        ("cadence", True, 30),
        ("task", False, 0),
        ("task", True, 0),
    ]


def test_occasions() -> None:
    note = (
        "---\nnext_contact: 2026-11-25T14:30\nevery: month\nlast_contact: 2026-11-02\n---\n"
        "- [ ] send prices 🆔 q1 📅 2026-11-25\n- [ ] send prices 📅 2026-11-26\n- [ ] send prices 📅 2026-11-27\n"
    )
    agreed, cadence, named, first, second = (found.occasion for found in derive(note))
    assert (agreed, cadence, named) == ("2026-11-25", "2026-11-02", "id q1")
    assert second == f"{first} 1"


def test_a_tasks_occasion_outlives_its_dates_and_its_place() -> None:
    (before,) = derive("---\ntype: client\n---\n- [ ] send prices of 2026-11-01 📅 2026-11-25\n")
    (after,) = derive("---\ntype: client\n---\n\nHello\n\n- [ ] send prices of 2026-11-08 📅 2026-12-25\n")
    assert before.occasion == after.occasion
    assert before.due != after.due


def test_an_id_twice_is_still_two_occasions() -> None:
    note = "---\ntype: client\n---\n- [ ] a 🆔 q1 📅 2026-11-25\n- [ ] b 🆔 q1 📅 2026-11-25\n"
    assert [found.occasion for found in derive(note)] == ["id q1", "id q1 1"]


def test_kinds_are_ranked() -> None:
    assert KINDS[0] == "promise"
    assert KINDS[-1] == "task"
    assert len(KINDS) == len(set(KINDS)) == 13


# --- What the cards tell ---------------------------------------------------------------------------------


def test_last_contact_and_done_date() -> None:
    text = (
        "---\nlast_contact: 2026-11-10\nsold: 2026-11-12\nlost: 2026-11-21\n---\n"
        "- [x] pens ✅ 2026-11-13\n- [x] rang #contact ✅ 2026-11-11\n\n## Log\n"
        "- 2026-12-01 visit: to be\n- 2026-11-20 call (no answer)\n- 2026-11-09 call: ok\n"
    )
    client = read_text(text, Settings())
    assert last_contact(client, TODAY) == date(2026, 11, 11)
    assert last_contact(client, date(2026, 11, 10)) == date(2026, 11, 10)
    assert last_contact(client, date(2026, 11, 8)) is None
    assert last_contact(client, date(2026, 12, 1)) == date(2026, 12, 1)
    assert done_date(client, TODAY) == date(2026, 11, 20)
    assert done_date(client, date(2026, 11, 13)) == date(2026, 11, 13)
    assert done_date(client, date(2026, 11, 12)) == date(2026, 11, 12)
    assert done_date(client, date(2026, 11, 1)) is None


def test_find_validity() -> None:
    log = "- 2026-12-01 visit: to be\n- 2026-11-09 call: ok\n"
    text = f"---\nlast_contact: 2026-11-10\nsold: 2026-12-12\n---\n## Log\n{log}"
    client = read_text(text, Settings())
    assert find_validity(client, TODAY) == (date(2026, 11, 10), date(2026, 12, 1))
    assert find_validity(client, date(2026, 11, 10)) == (date(2026, 11, 10), date(2026, 12, 1))
    assert find_validity(client, date(2026, 12, 1)) == (date(2026, 12, 1), date(2026, 12, 12))
    assert find_validity(client, date(2027, 1, 1)) == (date(2026, 12, 12), None)
    assert find_validity(client, date(2026, 1, 1)) == (None, date(2026, 11, 9))
    assert find_validity(read_text("---\nevery: week\n---\n", Settings()), TODAY) == (None, None)


def test_wanted_days() -> None:
    assert wanted_days(read_text("---\nevery: 2 weeks\n---\n", BY_STAGE), BY_STAGE) == 14
    assert wanted_days(read_text("---\nstage: customer\n---\n", BY_STAGE), BY_STAGE) == 30
    assert wanted_days(read_text("---\nstage: partner\n---\n", BY_STAGE), BY_STAGE) == 0
    assert wanted_days(read_text("---\nevery: week\ndo_not_contact: yes\n---\n", BY_STAGE), BY_STAGE) == 0


def test_find_drift() -> None:
    assert find_drift(date(2026, 11, 12), 10, TODAY) == 0.0
    assert find_drift(date(2026, 11, 2), 10, TODAY) == 1.0
    assert find_drift(date(2026, 11, 21), 10, TODAY) == 0.0
    assert find_drift(None, 10, TODAY) is None
    assert find_drift(date(2026, 11, 2), 0, TODAY) is None


# --- What holds for every note ---------------------------------------------------------------------------

days = st.dates(date(2026, 10, 1), date(2027, 1, 31))
entries = st.builds(
    "- {} {}".format, days, st.sampled_from(["call: ok", "call (no answer)", "email", ": met", "#promise"])
)
tasks = st.builds(
    "- [{}] {} {} {}{}".format,
    st.sampled_from([" ", "x", "-"]),
    st.sampled_from(["a", "b", "c #promise", "d #contact", "e #service"]),
    st.sampled_from(["📅", "⏳", "➕", "🛫", "✅", "❌"]),
    days,
    days.map(" ✅ {}".format) | st.just(""),
)
keys = st.sampled_from(["last_contact", "next_contact", "sold", "lost", "quoted", "delivery", "paused_until"])
cadences = st.sampled_from(["", "day", "2 weeks", "month", "5 workdays", "quarter", "now and then"])


@st.composite
def written_notes(draw: st.DrawFn) -> str:
    header = draw(st.dictionaries(keys, days.map(str) | days.map("{}T09:30".format), max_size=5))
    lines = [f"every: {draw(cadences)}", *(f"{key}: {day}" for key, day in header.items())]
    body = [*draw(st.lists(tasks, max_size=4)), "## Log", *draw(st.lists(entries, max_size=6))]
    return "\n".join(["---", "type: client", *lines, "---", *body])


notes = written_notes()
HOLIDAYS = Settings(
    since="2026-11-22", default_every=BY_STAGE.default_every, days_off=(("2026-12-15", "2027-01-05"),)
)
CONTEXT = Context(HOLIDAYS, HOLIDAYS.work_calendar(), load_plans(HOLIDAYS)[0])


@unhurried
@given(notes, days, st.data())
def test_follow_ups_are_the_same_as_long_as_they_are_valid(
    text: str, as_of: date, data: st.DataObject
) -> None:
    client = read_text(text, HOLIDAYS)
    first, until = find_validity(client, as_of)
    assert first is None or first <= as_of
    assert until is None or until > as_of
    earliest = first or as_of - timedelta(500)
    latest = until - timedelta(1) if until else as_of + timedelta(500)
    other = data.draw(st.dates(earliest, latest))
    assert derive_client(client, CONTEXT, other) == derive_client(client, CONTEXT, as_of)
    assert find_validity(client, other) == (first, until)
    assert last_contact(client, other) == last_contact(client, as_of)
    assert done_date(client, other) == done_date(client, as_of)


@unhurried
@given(notes, days)
def test_every_follow_up_makes_sense(text: str, as_of: date) -> None:
    client = read_text(text, HOLIDAYS)
    found = derive_client(client, CONTEXT, as_of)
    assert len({(each.rule, each.occasion) for each in found}) == len(found)
    for each in found:
        assert each.kind in KINDS
        assert each.title
        assert each.reason
        assert (each.opens is None) == (each.due is None)
        assert each.opens is None or each.due is None or each.opens <= each.due
        assert 1 <= each.line <= text.count("\n") + 1
        if each.rule == "cadence" and each.opens and each.due:
            assert CONTEXT.calendar.is_workday(each.opens)
            assert CONTEXT.calendar.is_workday(each.due)
            assert each.opens < each.due


@unhurried
@given(st.binary(max_size=300) | notes.map(str.encode), st.dates())
def test_nothing_raises(data: bytes, as_of: date) -> None:
    note = parse_note(data, "Ann.md", find_known_keys(HOLIDAYS))
    client, _ = read_client(note, parse_body(note), HOLIDAYS)
    derive_client(client, CONTEXT, as_of)
    find_validity(client, as_of)
    done_date(client, as_of)


# --- What is left out, and until when --------------------------------------------------------------------


def find(text: str, as_of: date = TODAY, settings: Settings | None = None) -> tuple[Found, list[FollowUp]]:
    settings = settings or Settings()
    context = Context(settings, settings.work_calendar(), load_plans(settings)[0])
    client = read_text(text, settings)
    past = find_past(client, as_of)
    return find_follow_ups(client, context, past), find_missed(client, context, past)


SOLD = "---\nsold: 2026-10-05\n---\n"
LEFT_OUT = {
    # as of: open, missed, from, until
    "2026-11-05": (["thank-you", "paperwork", "satisfaction"], [], "2026-10-05", "2027-06-03"),
    "2026-11-06": (["paperwork", "satisfaction"], ["thank-you"], "2026-11-06", "2027-06-03"),
    "2026-11-12": (["paperwork"], ["thank-you", "satisfaction"], "2026-11-12", "2027-06-03"),
    "2029-01-01": (
        ["paperwork", "improvements", "appreciation"],
        ["thank-you", "satisfaction", "feedback", "testimonial", "improvements", "appreciation"],
        "2028-11-10",
        "2029-06-03",
    ),
}


@pytest.mark.parametrize("day", LEFT_OUT)
def test_what_is_missed_is_left_out_and_counted(day: str) -> None:
    shown, gone, first, until = LEFT_OUT[day]
    as_of = date.fromisoformat(day)
    found, missed = find(SOLD, as_of)
    due = [each.step for each in found.open if each.due and (each.due <= as_of or each.step in shown)]
    assert (due, [each.step for each in missed]) == (shown, gone)
    assert len(found.missed) == len(missed)
    assert (str(found.first), found.until and str(found.until)) == (first, until)


def test_of_a_client_who_is_not_to_be_contacted_nothing_is_left_out() -> None:
    found, missed = find("---\nsold: 2026-01-05\ndo_not_contact: yes\n---\n")
    assert found == Found([], [], date(2026, 1, 5), None)
    assert missed == []


TRIED = "\n".join(f"- 2026-11-{day} call (no answer)" for day in ("03", "05", "09", "11", "13"))


@pytest.mark.parametrize("day", [date(2026, 11, 13), date(2026, 11, 22), date(2027, 1, 31)])
def test_a_decision_stays_when_what_it_stands_for_would_be_missed(day: date) -> None:
    header = "---\nsold: 2026-10-05\n---\n- [ ] the old machine 📅 2026-11-20\n\n## Log\n"
    paid = "- 2026-10-06 email: #paperwork\n- 2026-10-06 email: #thank-you\n"
    found, missed = find(header + TRIED + "\n" + paid, day)
    assert [each.rule for each in found.open] == ["task", "pursue"]
    assert found.open[1].reason.endswith("in place of 5 follow-ups")
    assert (missed, found.missed, found.until) == ([], [], None)


# --- Tasks that wait for others --------------------------------------------------------------------------

ELSEWHERE = {"depot": "load the van"}
WAITING = {
    "for one of the client's own": (
        "- [ ] one 📅 2026-11-20 🆔 a\n- [ ] two 📅 2026-11-23 ⛔ a",
        ["", "one"],
    ),
    "in the other format": (
        "- [ ] one [due:: 2026-11-20] [id:: a]\n- [ ] two [due:: 2026-11-23] [dependsOn:: a]",
        ["", "one"],
    ),
    "for one without a date": ("- [ ] one 🆔 a\n- [ ] two 📅 2026-11-23 ⛔ a", ["one"]),
    "not for one that is done": ("- [x] one 🆔 a ✅ 2026-11-20\n- [ ] two 📅 2026-11-23 ⛔ a", [""]),
    "nor for one that was given up": ("- [-] one 🆔 a\n- [ ] two 📅 2026-11-23 ⛔ a", [""]),
    "nor for one that is nowhere": ("- [ ] two 📅 2026-11-23 ⛔ b", [""]),
    "for the first of several that is open": (
        "- [x] one 🆔 a ✅ 2026-11-20\n- [ ] three 🆔 c\n- [ ] two 📅 2026-11-23 ⛔ a,c",
        ["three"],
    ),
    "for one elsewhere": ("- [ ] two 📅 2026-11-23 ⛔ depot", ["load the van"]),
    "its own id comes before one elsewhere": (
        "- [ ] mine 🆔 depot\n- [ ] two 📅 2026-11-23 ⛔ depot",
        ["mine"],
    ),
    "not for itself": ("- [ ] two 📅 2026-11-23 🆔 a ⛔ a", [""]),
    "nor in a circle, which would never end": (
        "- [ ] one 📅 2026-11-20 🆔 a ⛔ b\n- [ ] two 📅 2026-11-23 🆔 b ⛔ a",
        ["", ""],
    ),
    "a promise waits, too": ("- [ ] one 🆔 a\n- [ ] two #promise ⛔ a", ["one"]),
}


@pytest.mark.parametrize(("body", "awaited"), WAITING.values(), ids=WAITING.keys())
def test_a_task_waits(body: str, awaited: list[str]) -> None:
    context = Context(Settings(), Settings().work_calendar(), load_plans(Settings())[0])
    client = read_text(f"---\ntype: client\n---\n{body}\n", Settings())
    found = find_follow_ups(client, context, find_past(client, TODAY), ELSEWHERE)
    assert [each.waits for each in found.open] == [f"waits for: {text}" if text else "" for text in awaited]


# --- People of one company -------------------------------------------------------------------------------

SHARED = {
    "counts from a colleague's contact": (
        "company: Acme\nstage: customer\nlast_contact: 2026-11-02",
        date(2026, 11, 20),
        "every month; last contact with Acme Fri 20 Nov 2026",
    ),
    "not where the client's own is newer": (
        "company: Acme\nstage: customer\nlast_contact: 2026-11-20",
        date(2026, 11, 20),
        "every month; last contact Fri 20 Nov 2026",
    ),
    "nor where the client's own sale is": (
        "company: Acme\nstage: customer\nsold: 2026-11-21",
        date(2026, 11, 20),
        "every month; sold Sat 21 Nov 2026",
    ),
    "a rhythm of one's own stays personal": (
        "company: Acme\nevery: month\nlast_contact: 2026-11-02",
        date(2026, 11, 20),
        "every month; last contact Mon 2 Nov 2026",
    ),
    "a visit to come is none yet": (
        "company: Acme\nstage: customer\nlast_contact: 2026-11-02",
        date(2026, 11, 25),
        "every month; last contact Mon 2 Nov 2026",
    ),
    "of a client never spoken to": (
        "company: '[[Acme Ltd|Acme]]'\nstage: customer",
        date(2026, 11, 20),
        "every month; last contact with Acme Fri 20 Nov 2026",
    ),
}


@pytest.mark.parametrize(("header", "company", "reason"), SHARED.values(), ids=SHARED.keys())
def test_a_shared_cadence(header: str, company: date, reason: str) -> None:
    client = read_text(f"---\ntype: client\n{header}\n---\n", BY_STAGE)
    past = find_past(client, TODAY, company)
    context = Context(BY_STAGE, BY_STAGE.work_calendar(), load_plans(BY_STAGE)[0])
    (found,) = (each for each in find_follow_ups(client, context, past).open if each.rule == "cadence")
    assert found.reason == reason
    assert past.contact == find_past(client, TODAY).contact
    assert past.until == (company if company > TODAY else None)


SHARES = {
    "company: Acme\nstage: customer": True,
    "company: Acme\nstage: customer\npaused_until: 2026-12-01": True,
    "company: Acme\nstage: customer\nevery: week": False,
    "company: Acme\nstage: partner": False,
    "company: Acme\nstage: customer\ndo_not_contact: true": False,
    "stage: customer": False,
    "company: Acme\nsold: 2026-10-01\nlost: 2026-11-01": False,
}


@pytest.mark.parametrize(("header", "shares"), SHARES.items())
def test_who_shares_a_cadence(header: str, shares: bool) -> None:
    assert shares_cadence(read_text(f"---\ntype: client\n{header}\n---\n", BY_STAGE), BY_STAGE) is shares


# --- Too early -------------------------------------------------------------------------------------------

EARLY = {
    "on the day": (
        "sold: 2026-11-19\n--\n- 2026-11-20 call: happy #satisfaction",
        "2026-11-20",
        ("Ask whether they are satisfied: sold on Thu 19 Nov 2026; best from Mon 23 Nov",),
    ),
    "said once": ("sold: 2026-11-19\n--\n- 2026-11-20 call: happy #satisfaction", "2026-11-21", ()),
    "in time": ("sold: 2026-11-16\n--\n- 2026-11-20 call: happy #satisfaction", "2026-11-20", ()),
    "of a repeated step": (
        "sold: 2026-11-02\nplan: transition\n--\n- 2026-11-06 call: on our way #status-call",
        "2026-11-06",
        ("Tell them how far we are: sold on Mon 2 Nov 2026; best from Mon 9 Nov",),
    ),
}


@pytest.mark.parametrize(("text", "day", "words"), EARLY.values(), ids=EARLY.keys())
def test_what_was_logged_too_early_is_told_that_day(text: str, day: str, words: tuple[str, ...]) -> None:
    header, _, log = text.partition("\n--\n")
    as_of = date.fromisoformat(day)
    found, _ = find(f"---\ntype: client\n{header}\n---\n## Log\n{log}\n", as_of)
    assert found.early == words
    if words:
        assert (found.first, found.until) == (as_of, as_of + timedelta(1))


IMPATIENT = Settings(since="2026-10-20", default_every=BY_STAGE.default_every, give_up_after=2)
IMPATIENT_CONTEXT = Context(IMPATIENT, IMPATIENT.work_calendar(), load_plans(IMPATIENT)[0])


@unhurried
@given(notes, days, st.floats(0, 1))
def test_all_that_was_found_holds_from_its_first_day_to_its_last(
    text: str, as_of: date, share: float
) -> None:
    """But for what is missed in between, which the agenda judges; a decision in its place stays."""
    client = read_text(text, IMPATIENT)
    found = find_follow_ups(client, IMPATIENT_CONTEXT, find_past(client, as_of))
    first = found.first or as_of - timedelta(900)
    last = found.until - timedelta(1) if found.until else as_of + timedelta(900)
    assert first <= as_of <= last
    other = first + timedelta(round((last - first).days * share))
    again = find_follow_ups(client, IMPATIENT_CONTEXT, find_past(client, other))
    alive = [each for each in found.open if each.expires is None or each.expires >= other]
    assert again.open == alive
    assert len(again.missed) == len(found.missed) + len(found.open) - len(alive)
    assert len(again.missed) == len(find_missed(client, IMPATIENT_CONTEXT, find_past(client, other)))
