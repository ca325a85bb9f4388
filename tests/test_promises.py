"""A person's note with promises and complaints in its log, and what is owed for them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from client_notes import read_text
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notesync.followup.client import Client, find_known_keys, read_client
from notesync.followup.follow_up import KINDS, Context, FollowUp, find_past
from notesync.followup.options import parse_settings
from notesync.followup.plans import load_plans
from notesync.followup.promises import find_open_complaint, find_promises, order_log
from notesync.followup.settings import Settings
from notesync.followup.steps import find_missed_steps, find_steps
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note

TODAY = date(2026, 11, 22)  # a Sunday
DEFAULT = Settings()
unhurried = hypothesis_settings(deadline=None)  # the first example pays for what is compiled or imported late


def read(text: str, settings: Settings = DEFAULT) -> Client:
    return read_text(text, settings)


def derive(text: str, as_of: date = TODAY, settings: Settings = DEFAULT) -> list[FollowUp]:
    return derive_from(read(text, settings), make_context(settings), as_of)


def make_context(settings: Settings) -> Context:
    return Context(settings, settings.work_calendar(), load_plans(settings)[0])


def derive_from(client: Client, context: Context, as_of: date) -> list[FollowUp]:
    """What is owed for promises and complaints, and what is missed of that."""
    past = find_past(client, as_of)
    steps = [*find_steps(client, context, past, as_of).open, *find_missed_steps(client, context, past, as_of)]
    return [*find_promises(client, context, past), *(each for each in steps if each.rule == "complaint")]


def write(log: str, header: str = "") -> str:
    """A note with this log; a line `--` begins what stands below it."""
    log, _, rest = log.partition("--\n")
    return f"---\ntype: client\n{header}\n---\n{rest}\n## Log\n{log}\n"


def in_words(found: FollowUp) -> str:
    """A follow-up as `kind step: first day..last day time, title (reason)`."""
    opens, due = found.opens, found.due
    assert opens is not None
    assert due is not None
    window = str(due) if opens == due else f"{opens}..{due}"
    time = "" if found.minute is None else f" {found.minute // 60:02}:{found.minute % 60:02}"
    step = f" {found.step}" if found.step else ""
    return f"{found.kind}{step}: {window}{time}, {found.title} ({found.reason})"


PROMISES = {
    "falls on the next working day": (
        "- 2026-11-20 call: will send prices #promise",
        ["promise: 2026-11-23, will send prices (promised Fri 20 Nov 2026, without a date)"],
    ),
    "or on the day it is given, even a Saturday": (
        "- 2026-11-17 call: will send prices #promise 📅 2026-11-21",
        ["promise: 2026-11-21, will send prices (promised Tue 17 Nov 2026 for Sat 21 Nov 2026)"],
    ),
    "at a time": (
        "- 2026-11-17 call: will ring back #promise 📅 2026-11-20 14:30",
        ["promise: 2026-11-20 14:30, will ring back (promised Tue 17 Nov 2026 for Fri 20 Nov 2026 at 14:30)"],
    ),
    "as a field, with a time": (
        "- 2026-11-17 call: will ring back #promise [due:: 2026-11-20T09:15]",
        ["promise: 2026-11-20 09:15, will ring back (promised Tue 17 Nov 2026 for Fri 20 Nov 2026 at 09:15)"],
    ),
    "a field that is no date is none": (
        "- 2026-11-17 call: will ring back #promise [due:: soon]",
        ["promise: 2026-11-18, will ring back (promised Tue 17 Nov 2026, without a date)"],
    ),
    "a time that is none leaves the day": (
        "- 2026-11-17 call: will ring back #promise 📅 2026-11-20 25:30",
        ["promise: 2026-11-20, will ring back (promised Tue 17 Nov 2026 for Fri 20 Nov 2026)"],
    ),
    "without words": (
        "- 2026-11-20 #promise",
        ["promise: 2026-11-23, Keep the promise (promised Fri 20 Nov 2026, without a date)"],
    ),
    "the tag may be a word of the sentence, over two lines": (
        "- 2026-11-20 call: a #promise to [[Bo]]:\n  send prices #later #promise",
        ["promise: 2026-11-23, a promise to Bo: send prices (promised Fri 20 Nov 2026, without a date)"],
    ),
    "kept": ("- 2026-11-20 email: prices #kept\n- 2026-11-17 call: will send prices #promise", []),
    "a mere contact does not keep it": (
        "- 2026-11-20 call: chatted\n- 2026-11-17 call: will send prices #promise",
        ["promise: 2026-11-18, will send prices (promised Tue 17 Nov 2026, without a date)"],
    ),
    "nor does an attempt": (
        "- 2026-11-20 call (no answer): #kept\n- 2026-11-17 call: will send prices #promise",
        ["promise: 2026-11-18, will send prices (promised Tue 17 Nov 2026, without a date)"],
    ),
    "but a promise on voicemail is one": (
        "- 2026-11-20 call (voicemail): will ring again #promise",
        ["promise: 2026-11-23, will ring again (promised Fri 20 Nov 2026, without a date)"],
    ),
    "the oldest of several is kept first": (
        "- 2026-11-20 email: done #kept\n- 2026-11-18 call: two #promise\n- 2026-11-17 call: one #promise",
        ["promise: 2026-11-19, two (promised Wed 18 Nov 2026, without a date)"],
    ),
    "oldest first in the note as well": (
        "- 2026-11-17 call: one #promise\n- 2026-11-18 call: two #promise\n- 2026-11-20 email: done #kept",
        ["promise: 2026-11-19, two (promised Wed 18 Nov 2026, without a date)"],
    ),
    "one call keeps the old one and makes the next": (
        "- 2026-11-20 call: prices given #kept, contract next #promise\n- 2026-11-17 call: prices #promise",
        ["promise: 2026-11-23, prices given kept, contract next (promised Fri 20 Nov 2026, without a date)"],
    ),
    "made and kept at once": ("- 2026-11-20 call: looked it up at once #promise #kept", []),
    "made and kept on one day, in whatever order": (
        "- 2026-11-20 call: will send #promise\n- 2026-11-20 email: sent #kept",
        [],
    ),
    "kept, and on that day another made": (
        "- 2026-11-20 call: will send more #promise\n- 2026-11-20 email: sent #kept\n- 2026-11-17 call #promise",
        ["promise: 2026-11-23, will send more (promised Fri 20 Nov 2026, without a date)"],
    ),
    "times tell the order within a day": (
        "- 2026-11-20 09:00 email: #kept\n- 2026-11-20 15:00 call: more #promise\n- 2026-11-17 call: ok",
        ["promise: 2026-11-23, more (promised Fri 20 Nov 2026, without a date)"],
    ),
    "what is kept ahead is not kept yet": (
        "- 2026-11-25 visit: to bring it #kept\n- 2026-11-17 call: the cup #promise",
        ["promise: 2026-11-18, the cup (promised Tue 17 Nov 2026, without a date)"],
    ),
    "what is promised ahead is not promised yet": ("- 2026-11-25 visit: the cup #promise", []),
    "a ticked task keeps it": (
        "- 2026-11-17 call: will send prices #promise\n--\n- [x] sent prices #kept ✅ 2026-11-19",
        [],
    ),
    "a task given up does not": (
        "- 2026-11-17 call: the cup #promise\n--\n- [-] sent #kept ✅ 2026-11-19",
        ["promise: 2026-11-18, the cup (promised Tue 17 Nov 2026, without a date)"],
    ),
    "a promise that is a task is that task alone": (
        "- 2026-11-17 call: long talk\n  - [ ] send prices #promise",
        [],
    ),
    "and ticking it off keeps no other": (
        "- 2026-11-17 call: the cup #promise\n--\n- [x] send prices #promise #kept ✅ 2026-11-19",
        ["promise: 2026-11-18, the cup (promised Tue 17 Nov 2026, without a date)"],
    ),
    "an entry that is ticked off": ("- [x] 2026-11-17 send prices #promise ✅ 2026-11-18", []),
}

COMPLAINTS = {
    "acknowledge it within a working day, resolve it within five": (
        "- 2026-11-17 call: it drips #complaint",
        [
            "complaint acknowledge: 2026-11-17..2026-11-18, Acknowledge the complaint: it drips "
            "(raised Tue 17 Nov 2026, not acknowledged)",
            "complaint resolve: 2026-11-24, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, not acknowledged; waits for acknowledge)",
        ],
    ),
    "raised on a Saturday": (
        "- 2026-11-21 message: it drips #complaint",
        [
            "complaint acknowledge: 2026-11-23, Acknowledge the complaint: it drips "
            "(raised Sat 21 Nov 2026, not acknowledged)",
            "complaint resolve: 2026-11-27, Resolve the complaint: it drips "
            "(raised Sat 21 Nov 2026, not acknowledged; waits for acknowledge)",
        ],
    ),
    "any contact after acknowledges it": (
        "- 2026-11-18 email: so sorry\n- 2026-11-17 call: it drips #complaint",
        [
            "complaint resolve: 2026-11-17..2026-11-24, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, acknowledged Wed 18 Nov 2026)"
        ],
    ),
    "one on the same day, too": (
        "- 2026-11-17 call: so sorry\n- 2026-11-17 email: it drips #complaint\n- 2026-11-02 call: ok",
        [
            "complaint resolve: 2026-11-17..2026-11-24, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, acknowledged Tue 17 Nov 2026)"
        ],
    ),
    "its own entry where it says so": (
        "- 2026-11-17 call: it drips #complaint #acknowledge",
        [
            "complaint resolve: 2026-11-17..2026-11-24, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, acknowledged Tue 17 Nov 2026)"
        ],
    ),
    "a task that was no contact does not": (
        "- 2026-11-17 call: it drips #complaint\n--\n- [ ] bring biscuits #contact\n- [x] rang #task ✅ 2026-11-18",
        [
            "complaint acknowledge: 2026-11-17..2026-11-18, Acknowledge the complaint: it drips "
            "(raised Tue 17 Nov 2026, not acknowledged)",
            "complaint resolve: 2026-11-24, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, not acknowledged; waits for acknowledge)",
        ],
    ),
    "a contact that was a task": (
        "- 2026-11-17 call: it drips #complaint\n--\n- [x] rang #contact ✅ 2026-11-19",
        [
            "complaint resolve: 2026-11-17..2026-11-24, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, acknowledged Thu 19 Nov 2026)"
        ],
    ),
    "with a day of its own it has that alone": (
        "- 2026-11-17 call: it drips #complaint 📅 2026-12-01 10:00",
        [
            "complaint resolve: 2026-12-01 10:00, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, not acknowledged)"
        ],
    ),
    "resolved: ask some days later": (
        "- 2026-11-19 visit: seal replaced, pump cleaned #resolved\n- 2026-11-17 call: it drips #complaint",
        [
            "feedback complaint-check: 2026-11-23..2026-11-26, "
            "Ask whether the complaint is settled for them: it drips "
            "(complaint of Tue 17 Nov 2026 resolved Thu 19 Nov 2026 (replaced, serviced))"
        ],
    ),
    "resolved, however that was": (
        "- 2026-11-19 visit: all good #resolved\n- 2026-11-17 call: #complaint",
        [
            "feedback complaint-check: 2026-11-23..2026-11-26, Ask whether the complaint is settled for them "
            "(complaint of Tue 17 Nov 2026 resolved Thu 19 Nov 2026)"
        ],
    ),
    "a ticked task resolves it; its tags say how": (
        "- 2026-11-17 call: it drips #complaint\n--\n- [x] new seal #resolved #repaired ✅ 2026-11-19",
        [
            "feedback complaint-check: 2026-11-23..2026-11-26, "
            "Ask whether the complaint is settled for them: it drips "
            "(complaint of Tue 17 Nov 2026 resolved Thu 19 Nov 2026 (repaired))"
        ],
    ),
    "a contact in those days settles that": (
        "- 2026-11-24 call: all fine\n- 2026-11-19 visit: repaired #resolved\n- 2026-11-17 call: #complaint",
        [],
    ),
    "a late one does not": (
        "- 2026-12-04 call: all fine\n- 2026-11-19 visit: repaired #resolved\n- 2026-11-17 call: #complaint",
        [
            "feedback complaint-check: 2026-11-23..2026-11-26, Ask whether the complaint is settled for them "
            "(complaint of Tue 17 Nov 2026 resolved Thu 19 Nov 2026 (repaired))"
        ],
    ),
    "one that asks nothing back does not": (
        "- 2026-11-24 email: hope it is fine\n- 2026-11-19 visit: #resolved\n- 2026-11-17 call: #complaint",
        [
            "feedback complaint-check: 2026-11-23..2026-11-26, Ask whether the complaint is settled for them "
            "(complaint of Tue 17 Nov 2026 resolved Thu 19 Nov 2026)"
        ],
    ),
    "an early one does not": (
        "- 2026-11-20 call: an order\n- 2026-11-19 visit: repaired #resolved\n- 2026-11-17 call: #complaint",
        [
            "feedback complaint-check: 2026-11-23..2026-11-26, Ask whether the complaint is settled for them "
            "(complaint of Tue 17 Nov 2026 resolved Thu 19 Nov 2026 (repaired))"
        ],
    ),
    "unless it says so": (
        "- 2026-11-20 call: fine #complaint-check\n- 2026-11-19 visit: #resolved\n- 2026-11-17 call: #complaint",
        [],
    ),
    "a substitute keeps it open": (
        "- 2026-11-19 visit: brought a loan machine #resolved\n- 2026-11-17 call: it drips #complaint",
        [
            "complaint resolve: 2026-11-17..2026-11-24, Resolve the complaint: it drips (raised Tue 17 Nov 2026, "
            "acknowledged Thu 19 Nov 2026, substitute since Thu 19 Nov 2026)"
        ],
    ),
    "under its tag as well": (
        "- 2026-11-19 visit: brought another #substitute\n- 2026-11-17 call: it drips #complaint",
        [
            "complaint resolve: 2026-11-17..2026-11-24, Resolve the complaint: it drips (raised Tue 17 Nov 2026, "
            "acknowledged Thu 19 Nov 2026, substitute since Thu 19 Nov 2026)"
        ],
    ),
    "until it is repaired and the substitute fetched": (
        "- 2026-11-20 visit: repaired, substitute fetched #resolved\n"
        "- 2026-11-18 visit: a substitute #resolved\n- 2026-11-17 call: it drips #complaint",
        [
            "feedback complaint-check: 2026-11-23..2026-11-27, "
            "Ask whether the complaint is settled for them: it drips "
            "(complaint of Tue 17 Nov 2026 resolved Fri 20 Nov 2026 (repaired))"
        ],
    ),
    "the oldest of several is resolved first": (
        "- 2026-11-20 visit: mended #resolved\n- 2026-11-18 call: too loud #complaint\n"
        "- 2026-11-17 call: it drips #complaint",
        [
            "feedback complaint-check: 2026-11-23..2026-11-27, "
            "Ask whether the complaint is settled for them: it drips "
            "(complaint of Tue 17 Nov 2026 resolved Fri 20 Nov 2026 (repaired))",
            "complaint resolve: 2026-11-18..2026-11-25, Resolve the complaint: too loud "
            "(raised Wed 18 Nov 2026, acknowledged Fri 20 Nov 2026)",
        ],
    ),
    "two resolved on one day are asked about both": (
        "- 2026-11-20 call: also mended #resolved\n- 2026-11-20 visit: mended #resolved\n"
        "- 2026-11-18 call: too loud #complaint\n- 2026-11-17 call: it drips #complaint",
        [
            "feedback complaint-check: 2026-11-23..2026-11-27, "
            "Ask whether the complaint is settled for them: it drips "
            "(complaint of Tue 17 Nov 2026 resolved Fri 20 Nov 2026 (repaired))",
            "feedback complaint-check: 2026-11-23..2026-11-27, "
            "Ask whether the complaint is settled for them: too loud "
            "(complaint of Wed 18 Nov 2026 resolved Fri 20 Nov 2026 (repaired))",
        ],
    ),
    "each is acknowledged by what comes after it": (
        "- 2026-11-18 call: and it is too loud #complaint\n- 2026-11-17 call: it drips #complaint",
        [
            "complaint resolve: 2026-11-17..2026-11-24, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, acknowledged Wed 18 Nov 2026)",
            "complaint acknowledge: 2026-11-18..2026-11-19, Acknowledge the complaint: and it is too loud "
            "(raised Wed 18 Nov 2026, not acknowledged)",
            "complaint resolve: 2026-11-25, Resolve the complaint: and it is too loud "
            "(raised Wed 18 Nov 2026, not acknowledged; waits for acknowledge)",
        ],
    ),
    "a contact with another step's tag acknowledges, too": (
        "- 2026-11-18 email: the papers #paperwork\n- 2026-11-17 call: it drips #complaint",
        [
            "complaint resolve: 2026-11-17..2026-11-24, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, acknowledged Wed 18 Nov 2026)"
        ],
    ),
    "however late": (
        "- 2026-12-01 call: so sorry\n- 2026-11-17 call: it drips #complaint",
        [
            "complaint resolve: 2026-11-17..2026-11-24, Resolve the complaint: it drips "
            "(raised Tue 17 Nov 2026, acknowledged Tue 1 Dec 2026)"
        ],
    ),
    "the step's own tag resolves it as well": (
        "- 2026-11-19 visit: mended #resolve\n- 2026-11-17 call: #complaint\n--\n"
        "- [x] asked #complaint-check ✅ 2026-11-24",
        [],
    ),
    "a promise in it is one besides": (
        "- 2026-11-17 call: it drips, will send a seal #complaint #promise",
        [
            "promise: 2026-11-18, it drips, will send a seal (promised Tue 17 Nov 2026, without a date)",
            "complaint acknowledge: 2026-11-17..2026-11-18, Acknowledge the complaint: it drips, will send a seal "
            "(raised Tue 17 Nov 2026, not acknowledged)",
            "complaint resolve: 2026-11-24, Resolve the complaint: it drips, will send a seal "
            "(raised Tue 17 Nov 2026, not acknowledged; waits for acknowledge)",
        ],
    ),
    "resolved without a complaint is nothing": ("- 2026-11-19 visit: repaired #resolved", []),
}


@pytest.mark.parametrize("name", PROMISES)
def test_a_promise(name: str) -> None:
    log, expected = PROMISES[name]
    assert [in_words(found) for found in derive(write(log))] == expected


@pytest.mark.parametrize("name", COMPLAINTS)
def test_a_complaint(name: str) -> None:
    log, expected = COMPLAINTS[name]
    assert [in_words(found) for found in derive(write(log), date(2026, 12, 5))] == expected


def test_what_a_follow_up_of_the_log_says_besides() -> None:
    header = "contact_by: [call, email]\nnot_by: call\nminutes: 25"
    (promise,) = derive(write("- 2026-11-20 call: will send prices #promise", header))
    assert (promise.rule, promise.line, promise.path) == ("promise", 9, "Clients/Ann.md")
    assert (promise.channel, promise.minutes, promise.contact) == ("email", 25, True)
    assert promise.expires is None
    complaint, _ = derive(write("- 2026-11-20 call: it drips #complaint", header))
    assert (complaint.rule, complaint.line, complaint.expires) == ("complaint", 9, None)


def test_a_contact_that_is_only_noted_acknowledges_on_a_later_day() -> None:
    log = "- 2026-11-17 call: it drips #complaint"
    (found,) = derive(write(log, "last_contact: 2026-11-18"))
    assert found.reason == "raised Tue 17 Nov 2026, acknowledged Wed 18 Nov 2026"
    assert len(derive(write(log, "last_contact: 2026-11-17"))) == 2
    assert len(derive(write(log, "last_contact: 2026-11-25"))) == 2


def test_a_promise_keeps_its_identity_when_its_day_moves_and_when_its_twin_is_kept() -> None:
    before = derive(write("- 2026-11-17 call: send #promise 📅 2026-11-20"))
    after = derive(write("- 2026-11-17 call: send #promise 📅 2026-11-25"))
    assert before[0].occasion == after[0].occasion
    one, two = derive(write("- 2026-11-17 call: send #promise\n- 2026-11-17 call: send #promise"))
    assert one.occasion != two.occasion
    log = "- 2026-11-18 email: #kept\n- 2026-11-17 call: send #promise\n- 2026-11-17 call: send #promise"
    assert [found.occasion for found in derive(write(log))] == [two.occasion]


CHECKED = "- 2026-11-05 visit: repaired #resolved\n- 2026-11-03 call: it drips #complaint"  # 9 to 12 November


@pytest.mark.parametrize(
    ("header", "settings", "opens", "expires"),
    [
        ("", DEFAULT, date(2026, 11, 9), date(2026, 12, 12)),
        ("", Settings(since="2026-11-22"), date(2026, 11, 9), date(2026, 11, 12)),
        ("paused_until: 2026-11-15", DEFAULT, date(2026, 11, 9), date.min),
        ("paused_until: 2026-11-11", DEFAULT, date(2026, 11, 11), date(2026, 12, 12)),
        ("paused_until: 2026-01-11", DEFAULT, date(2026, 11, 9), date(2026, 12, 12)),
    ],
)
def test_only_the_question_afterwards_can_be_missed(
    header: str, settings: Settings, opens: date, expires: date
) -> None:
    (found,) = derive(write(CHECKED, header), settings=settings)
    assert (found.opens, found.due, found.expires) == (opens, date(2026, 11, 12), expires)


def test_a_pause_holds_only_the_question_afterwards() -> None:
    assert [each.waits for each in derive(write(CHECKED, "prm-paused: true"))] == [
        "waits until the pause ends"
    ]
    for pause in ("prm-paused: true", "paused_until: 2027-01-04"):
        found = derive(write("- 2026-11-17 call: #complaint #promise", pause))
        assert [(each.kind, each.opens) for each in found] == [
            ("promise", date(2026, 11, 18)),
            ("complaint", date(2026, 11, 17)),
            ("complaint", date(2026, 11, 24)),
        ]


def test_the_question_afterwards_waits_while_another_complaint_is_open() -> None:
    assert [found.waits for found in derive(write(CHECKED))] == [""]
    (check,) = (
        each
        for each in derive(write(f"- 2026-11-06 email: it drips again #complaint\n{CHECKED}"))
        if each.step == "complaint-check"
    )
    assert check.waits == "waits until the complaint is resolved"


SETTINGS = {
    "a day more": ("{acknowledge: {to: 2 workdays}}", ["acknowledge 2026-11-19", "resolve 2026-11-24"]),
    "no acknowledging": ("{acknowledge: none}", ["resolve 2026-11-24"]),
    "nothing is lost, even without steps": ("none", ["resolve 2026-11-18"]),
    "nor without the one that resolves it": (
        "{resolve: none}",
        ["resolve 2026-11-18", "acknowledge 2026-11-18"],
    ),
    "heard and resolved together": (
        "{resolve: {needs: none, to: 3 workdays}}",
        ["acknowledge 2026-11-18", "resolve 2026-11-20"],
    ),
    "a step more": (
        "{second-call: {from: 2 workdays, to: 3 workdays, kind: complaint}}",
        ["acknowledge 2026-11-18", "resolve 2026-11-24", "second-call 2026-11-20"],
    ),
    "of another kind it is not missed either": (
        "{acknowledge: {kind: service}}",
        ["acknowledge 2026-11-18", "resolve 2026-11-24"],
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_settings_change_the_plan(name: str) -> None:
    written, expected = SETTINGS[name]
    settings, _ = parse_settings(f"plans: {{complaint: {written}}}".encode())
    client = read(write("- 2026-11-17 call: it drips #complaint"))
    context = Context(DEFAULT, DEFAULT.work_calendar(), load_plans(settings)[0])
    found = derive_from(client, context, TODAY)
    assert [f"{each.step} {each.due}" for each in found] == expected
    assert all(each.expires is None for each in found)


def test_a_step_of_the_plan_says_how_and_how_long() -> None:
    written = b"plans: {complaint: {complaint-check: {minutes: 5, channel: visit, ask: [Dry?]}}}"
    context = Context(DEFAULT, DEFAULT.work_calendar(), load_plans(parse_settings(written)[0])[0])
    (found,) = derive_from(read(write(CHECKED)), context, TODAY)
    assert (found.minutes, found.channel, found.ask) == (5, "visit", ("Dry?",))
    client = read(write(CHECKED, "minutes: 9\nnot_by: visit"))
    (found,) = derive_from(client, context, TODAY)
    assert (found.minutes, found.channel) == (9, "")


OPEN = {
    "none": ("- 2026-11-17 call: ok", None),
    "one": ("- 2026-11-17 call: #complaint", date(2026, 11, 17)),
    "the oldest": ("- 2026-11-18 call: #complaint\n- 2026-11-17 call: #complaint", date(2026, 11, 17)),
    "resolved": ("- 2026-11-18 call: #resolved\n- 2026-11-17 call: #complaint", None),
    "one that was to be resolved ahead": (
        "- 2026-11-28 call: #resolved\n- 2026-11-17 call: #complaint",
        date(2026, 11, 17),
    ),
    "a task": ("--\n- [ ] the seal #complaint ➕ 2026-11-16 📅 2026-11-20", date(2026, 11, 16)),
    "a task below an entry": ("- 2026-11-15 call: bad\n  - [ ] the seal #complaint", date(2026, 11, 15)),
    "a task with a day only to do it on": ("--\n- [ ] the seal #complaint 📅 2026-11-20", date(2026, 11, 20)),
    "a task without any day": ("--\n- [ ] the seal #complaint", date.min),
    "a ticked task": ("--\n- [x] the seal #complaint ➕ 2026-11-16 ✅ 2026-11-20", None),
}


@pytest.mark.parametrize("name", OPEN)
def test_find_open_complaint(name: str) -> None:
    log, expected = OPEN[name]
    assert find_open_complaint(read(write(log)), TODAY) == expected


def test_order_log() -> None:
    def texts(log: str) -> list[str]:
        return [entry.text for entry in order_log(read(write(log)).log)]

    assert texts("- 2026-11-19: c\n- 2026-11-17: b\n- 2026-11-17: a") == ["a", "b", "c"]
    assert texts("- 2026-11-17: a\n- 2026-11-17: b\n- 2026-11-19: c") == ["a", "b", "c"]
    assert texts("- 2026-11-17: b\n- 2026-11-17: a") == ["a", "b"]
    assert texts("- 2026-11-17: a #promise\n- 2026-11-17: b #kept") == ["a #promise", "b #kept"]


# --- What holds for every note ---------------------------------------------------------------------------

days = st.dates(date(2026, 10, 25), date(2026, 12, 20))
texts = st.sampled_from(
    [
        "call: a #promise",
        "10:30 call: a #promise 📅 2026-11-20 14:00",
        "visit: b #complaint",
        "b #complaint [due:: 2026-11-19]",
        "09:00 email: c #kept",
        "visit: replaced #resolved",
        "visit: a loan machine #resolved",
        "call: d #complaint-check",
        "call: e #kept #promise #complaint #resolved",
        "call (no answer): f #kept",
        "call: ok",
    ]
)
entries = st.builds("- {} {}".format, days, texts)
tasks = st.builds(
    "- [{}] g {} ✅ {}".format,
    st.sampled_from("x- "),
    st.sampled_from(["#kept", "#resolved", "#complaint", "#contact", "#complaint-check"]),
    days,
)


@st.composite
def written_notes(draw: st.DrawFn) -> str:
    keys = st.sampled_from(["last_contact", "paused_until", "sold"])
    header = draw(st.dictionaries(keys, days, max_size=2))
    log = draw(st.lists(entries, max_size=8))
    log = draw(st.sampled_from([log, sorted(log), sorted(log, reverse=True)]))
    below = "\n".join(draw(st.lists(tasks, max_size=3)))
    return write("\n".join(log) + f"\n--\n{below}", "\n".join(f"{key}: {day}" for key, day in header.items()))


BUSY = Settings(since="2026-11-10", days_off=(("2026-11-18", "2026-11-19"),))
CONTEXT = Context(BUSY, BUSY.work_calendar(), load_plans(BUSY)[0])


@unhurried
@given(written_notes(), days, st.data())
def test_it_is_the_same_as_long_as_it_is_valid(text: str, as_of: date, data: st.DataObject) -> None:
    client = read(text, BUSY)
    past = find_past(client, as_of)
    earliest = past.first or as_of - timedelta(500)
    latest = past.until - timedelta(1) if past.until else as_of + timedelta(500)
    other = data.draw(st.dates(earliest, latest))
    assert set(derive_from(client, CONTEXT, other)) == set(derive_from(client, CONTEXT, as_of))
    assert find_open_complaint(client, other) == find_open_complaint(client, as_of)


@unhurried
@given(written_notes(), days)
def test_every_one_makes_sense(text: str, as_of: date) -> None:
    client = read(text, BUSY)
    found = derive_from(client, CONTEXT, as_of)
    assert len({(each.rule, each.occasion) for each in found}) == len(found)
    for each in found:
        assert each.kind in KINDS
        assert each.title
        assert each.reason
        assert each.opens is not None
        assert each.due is not None
        assert each.opens <= each.due
        assert 1 <= each.line <= text.count("\n") + 1
        assert (each.expires is None) == (each.kind != "feedback")


@unhurried
@given(st.binary(max_size=200) | written_notes().map(str.encode), st.dates())
def test_nothing_raises(data: bytes, as_of: date) -> None:
    note = parse_note(data, "Ann.md", find_known_keys(BUSY))
    client, _ = read_client(note, parse_body(note), BUSY)
    derive_from(client, CONTEXT, as_of)
    find_open_complaint(client, as_of)


@unhurried
@given(
    st.dates() | st.sampled_from([date.min, date.max]),
    st.sampled_from(["promise", "complaint", "complaint #resolved"]),
)
def test_nothing_raises_at_the_ends_of_time(day: date, tags: str) -> None:
    client = read(write(f"- {day} call: #{tags}"))
    derive_from(client, CONTEXT, date.max)


def test_two_promises_of_one_day_that_differ_in_a_date_alone_are_two() -> None:
    log = "- 2026-11-17 call: papers of 2026-10-01 #promise\n- 2026-11-17 call: papers of 2026-11-01 #promise"
    found = derive(write(log))
    assert len(found) == 2
    assert len({each.occasion for each in found}) == 2
