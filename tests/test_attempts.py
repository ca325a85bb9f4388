"""A person's note with calls that nobody answered, and what becomes of the follow-ups."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from client_notes import read_text
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notesync.followup.attempts import find_attempts
from notesync.followup.client import Client, find_known_keys, read_client
from notesync.followup.follow_up import Context, FollowUp, find_past
from notesync.followup.plans import load_plans
from notesync.followup.promises import find_promises
from notesync.followup.rules import find_follow_ups
from notesync.followup.settings import Settings
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note

TODAY = date(2026, 11, 22)  # a Sunday
DEFAULT = Settings()
unhurried = hypothesis_settings(deadline=None)  # the first example pays for what is compiled or imported late


def read(text: str, settings: Settings = DEFAULT) -> Client:
    return read_text(text, settings)


def derive_from(client: Client, as_of: date, settings: Settings = DEFAULT) -> list[FollowUp]:
    context = Context(settings, settings.work_calendar(), load_plans(settings)[0])
    past = find_past(client, as_of)
    found = find_follow_ups(client, context, past).open
    return [each for each in found if each.rule != "step"]


def derive(header: str, log: str, as_of: date = TODAY, settings: Settings = DEFAULT) -> list[FollowUp]:
    return derive_from(read(write(header, log), settings), as_of, settings)


def write(header: str, log: str) -> str:
    """A note with this header and log; a line `--` begins what stands below the log."""
    log, _, rest = log.partition("--\n")
    return f"---\ntype: client\n{header}\n---\n{rest}\n## Log\n{log}\n"


def in_words(found: FollowUp) -> str:
    """A follow-up as `kind attempts times, until the day to retry`."""
    retry = f", until {found.retry_on}" if found.retry_on else ""
    return f"{found.kind} {found.attempts} times{retry}"


AGREED = "next_contact: 2026-11-17"
COUNTED = {
    "once, and again two working days later": (
        AGREED,
        "- 2026-11-18 call (no answer)",
        ["contact 1 times, until 2026-11-20"],
    ),
    "the last attempt says until when": (
        AGREED,
        "- 2026-11-18 call (no answer)\n- 2026-11-20 call (voicemail)",
        ["contact 2 times, until 2026-11-24"],
    ),
    "newest first as well": (
        AGREED,
        "- 2026-11-20 call (voicemail)\n- 2026-11-18 call (no answer)",
        ["contact 2 times, until 2026-11-24"],
    ),
    "a time was promised: the next working day": (
        "next_contact: 2026-11-20 09:00",
        "- 2026-11-20 09:05 call (no answer)",
        ["promise 1 times, until 2026-11-23"],
    ),
    "a promise of the log, too, and a complaint": (
        "",
        "- 2026-11-20 call (no answer)\n- 2026-11-16 call: it drips; cups #promise #complaint",
        [
            "promise 1 times, until 2026-11-23",
            "complaint 1 times, until 2026-11-23",
            "complaint 1 times",
        ],
    ),
    "a contact ends the count": (
        "every: week",
        "- 2026-11-12 call (no answer)\n- 2026-11-13 call: ok\n- 2026-11-20 call (no answer)",
        ["keep-in-touch 1 times, until 2026-11-24"],
    ),
    "one later that day as well": (
        "every: week",
        "- 2026-11-01 call: ok\n- 2026-11-20 call (no answer)\n- 2026-11-20 call: ok",
        ["keep-in-touch 0 times"],
    ),
    "but not one earlier that day": (
        "every: week",
        "- 2026-11-01 call: ok\n- 2026-11-20 call: ok\n- 2026-11-20 call (no answer)",
        ["keep-in-touch 1 times"],
    ),
    "a contact only noted": (
        "every: week\nlast_contact: 2026-11-20",
        "- 2026-11-20 call (no answer)\n- 2026-11-21 call (no answer)",
        ["keep-in-touch 1 times"],
    ),
    "a contact that was a task": (
        "every: week",
        "- 2026-11-19 call (no answer)\n--\n- [x] met her #contact ✅ 2026-11-20",
        ["keep-in-touch 0 times"],
    ),
    "attempts to come are none": (AGREED, "- 2026-11-24 call (no answer)", ["contact 0 times"]),
    "what opens later was not tried": (
        "every: month",
        "- 2026-11-10 call: ok\n- 2026-11-20 call (no answer)",
        ["keep-in-touch 1 times"],
    ),
    "work on a desk is none of it": (
        "",
        "- 2026-11-18 call (no answer)\n--\n- [ ] tidy the file 📅 2026-11-17\n- [ ] ring #contact 📅 2026-11-17",
        ["task 0 times", "contact 1 times, until 2026-11-20"],
    ),
    "a follow-up without a day": (
        "every: month",
        "- 2026-11-18 call (no answer)",
        ["keep-in-touch 1 times, until 2026-11-20"],
    ),
    "a new contact agreed": (
        "next_contact: 2026-11-30",
        "- 2026-11-18 call (no answer)",
        ["contact 0 times"],
    ),
    "and tried on its day": (
        "next_contact: 2026-11-20",
        "- 2026-11-18 call (no answer)\n- 2026-11-20 call (no answer)",
        ["contact 1 times, until 2026-11-24"],
    ),
    "a pause": (
        "every: week\npaused_until: 2026-12-01",
        "- 2026-11-18 call (no answer)",
        ["keep-in-touch 0 times"],
    ),
    "a pause that was before": (
        f"{AGREED}\npaused_until: 2026-11-18",
        "- 2026-11-17 call (no answer)\n- 2026-11-18 call (no answer)",
        ["contact 1 times, until 2026-11-20"],
    ),
    "lost on the day of the last attempt": (
        "every: week\nlost: 2026-11-18",
        "- 2026-11-17 call (no answer)\n- 2026-11-18 call (no answer)",
        ["keep-in-touch 0 times"],
    ),
    "lost without a day": (
        "every: week\nstage: lost",
        "- 2026-11-18 call (no answer)",
        ["keep-in-touch 0 times"],
    ),
    "tried again after the loss": (
        "every: week\nlost: 2026-11-02",
        "- 2026-11-01 call (no answer)\n- 2026-11-18 call (no answer)",
        ["keep-in-touch 1 times, until 2026-11-20"],
    ),
}


@pytest.mark.parametrize("name", COUNTED)
def test_attempts_are_counted_and_put_off_what_was_open(name: str) -> None:
    header, log, expected = COUNTED[name]
    assert [in_words(found) for found in derive(header, log)] == expected


WORDS = {
    "once": ("", "- 2026-11-18 call (no answer)", "tried once on Wed 18 Nov 2026 by call"),
    "by whatever means": ("", "- 2026-11-18 no answer", "tried once on Wed 18 Nov 2026"),
    "by other means the client likes": (
        "contact_by: [call, email, visit]\nnot_by: visit",
        "- 2026-11-18 call (no answer)\n- 2026-11-20 call (voicemail)",
        "tried 2 times since Wed 18 Nov 2026 by call; try email",
    ),
    "by those whose details are known": (
        "phone: 088 555 0101\nemail: ann@example.com",
        "- 2026-11-18 call (no answer)",
        "tried once on Wed 18 Nov 2026 by call; try message or email",
    ),
    "never by those not wanted": (
        "phone: 088 555 0101\nemail: ann@example.com\nnot_by: [SMS, email]",
        "- 2026-11-18 call (no answer)",
        "tried once on Wed 18 Nov 2026 by call",
    ),
    "not again by those tried": (
        "phone: 088 555 0101\nemail: ann@example.com",
        "- 2026-11-18 call (no answer)\n- 2026-11-19 email (bounced)",
        "tried 2 times since Wed 18 Nov 2026 by call and email; try message",
    ),
    "nor by the usual one where nothing is said": (
        "contact_by: [call, email]",
        "- 2026-11-18 no answer",
        "tried once on Wed 18 Nov 2026; try email",
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_the_reason_says_what_was_tried_and_what_else_could_be(name: str) -> None:
    header, log, expected = WORDS[name]
    (found,) = derive(f"{AGREED}\n{header}", log)
    assert found.reason == f"agreed for Tue 17 Nov 2026; {expected}"


FIVE = "\n".join(f"- 2026-11-{day} call (no answer)" for day in ("03", "05", "09", "11", "13"))


def test_after_too_many_all_contacts_that_are_not_owed_become_one_decision() -> None:
    log = (
        f"{FIVE}\n--\n- [ ] cups #promise 📅 2026-11-03\n- [ ] tidy the file 📅 2026-11-03\n"
        "- [ ] how is it? #feedback 📅 2026-11-03\n"
    )
    promise, task, pursue = derive(
        "next_contact: 2026-11-02\nphone: 088 555 0101\nemail: ann@example.com", log
    )
    assert in_words(promise) == "promise 5 times, until 2026-11-16"
    assert in_words(task) == "task 0 times"
    assert (pursue.rule, pursue.kind, pursue.attempts, pursue.retry_on) == ("pursue", "pursue", 5, None)
    assert (pursue.opens, pursue.due) == (date(2026, 11, 13), date(2026, 11, 17))
    assert (pursue.occasion, pursue.line, pursue.channel) == ("2026-11-03", 3, "message")
    assert pursue.title == "Hard to reach: decide how to go on"
    assert pursue.reason == (
        "tried 5 times since Tue 3 Nov 2026 by call; try message or email; "
        "agree on a new next_contact, pause (paused_until), note the loss (lost) "
        "or withdraw quietly (do_not_contact); in place of 2 follow-ups"
    )


DECIDED = {
    "one attempt fewer": (AGREED.replace("17", "02"), FIVE.partition("\n")[2], ["contact"]),
    "too many": ("next_contact: 2026-11-02", FIVE, ["pursue"]),
    "a new contact agreed": ("next_contact: 2026-11-20", FIVE, ["contact"]),
    "agreed once more, and again no answer": (
        "next_contact: 2026-11-20",
        f"{FIVE}\n- 2026-11-20 call (no answer)",
        ["contact"],
    ),
    "a pause": ("every: week\npaused_until: 2026-12-20", FIVE, ["keep-in-touch"]),
    "lost": ("every: week\nlost: 2026-11-13", FIVE, ["keep-in-touch"]),
    "a contact": ("every: week", f"{FIVE}\n- 2026-11-16 call: at last", ["keep-in-touch"]),
    "only what is owed is left": ("next_contact: 2026-11-02 10:00", FIVE, ["promise"]),
    "only work on a desk is left": ("", f"{FIVE}\n--\n- [ ] tidy the file 📅 2026-11-03", ["task"]),
    "nothing was to be done": ("", FIVE, []),
}


@pytest.mark.parametrize("name", DECIDED)
def test_a_decision_or_a_contact_begins_anew(name: str) -> None:
    header, log, expected = DECIDED[name]
    assert [found.kind for found in derive(header, log)] == expected


def test_the_settings_say_how_patient_to_be() -> None:
    settings = Settings(retry_after=(1, "week"), give_up_after=2, days_off=(("2026-11-25", "2026-11-25"),))
    (found,) = derive(AGREED, "- 2026-11-18 call (no answer)", settings=settings)
    assert found.retry_on == date(2026, 11, 26)
    log = "- 2026-11-17 call (no answer)\n- 2026-11-18 call (no answer)"
    assert [found.kind for found in derive(AGREED, log, settings=settings)] == ["pursue"]


# --- What holds for every note ---------------------------------------------------------------------------

days = st.dates(date(2026, 10, 25), date(2026, 12, 20))
texts = st.sampled_from(
    ["call (no answer)", "email (bounced)", "voicemail", "call: ok", ": no show #promise", "call: #complaint"]
)
entries = st.builds("- {} {}".format, days, texts)
tasks = st.builds(
    "- [{}] g {} ✅ {}".format, st.sampled_from("x- "), st.sampled_from(["#contact", "#b"]), days
)
keys = st.sampled_from(["last_contact", "next_contact", "paused_until", "lost", "sold"])


@st.composite
def written_notes(draw: st.DrawFn) -> str:
    header = draw(st.dictionaries(keys, days.map(str) | days.map("{} 09:00".format), max_size=2))
    log = draw(st.lists(entries, max_size=8))
    log = draw(st.sampled_from([log, sorted(log), sorted(log, reverse=True)]))
    below = "\n".join(draw(st.lists(tasks, max_size=3)))
    lines = [draw(st.sampled_from(["every: week", "stage: lost", ""])), *map(": ".join, header.items())]
    return write("\n".join(lines), "\n".join(log) + f"\n--\n{below}")


BUSY = Settings(since="2026-11-10", days_off=(("2026-11-18", "2026-11-19"),), give_up_after=3)


@unhurried
@given(written_notes(), days, st.data())
def test_it_is_the_same_as_long_as_it_is_valid(text: str, as_of: date, data: st.DataObject) -> None:
    client = read(text, BUSY)
    past = find_past(client, as_of)
    earliest = past.first or as_of - timedelta(500)
    latest = past.until - timedelta(1) if past.until else as_of + timedelta(500)
    other = data.draw(st.dates(earliest, latest))
    found = derive_from(client, as_of, BUSY)
    assert derive_from(client, other, BUSY) == found


@unhurried
@given(written_notes(), days)
def test_no_promise_is_lost_and_nothing_is_doubled(text: str, as_of: date) -> None:
    client = read(text, BUSY)
    found = derive_from(client, as_of, BUSY)
    context = Context(BUSY, BUSY.work_calendar(), load_plans(BUSY)[0])
    owed = {each.occasion for each in find_promises(client, context, find_past(client, as_of))}
    assert owed <= {each.occasion for each in found}
    assert len({(each.rule, each.occasion) for each in found}) == len(found)
    assert sum(each.kind == "pursue" for each in found) <= 1
    for each in found:
        assert each.attempts in (0, len(find_attempts(client, find_past(client, as_of))))
        assert each.retry_on is None or (each.retry_on > date(2026, 10, 25) and each.attempts)
        assert 1 <= each.line <= text.count("\n") + 1


@unhurried
@given(st.binary(max_size=200) | written_notes().map(str.encode), st.dates())
def test_nothing_raises(data: bytes, as_of: date) -> None:
    note = parse_note(data, "Ann.md", find_known_keys(BUSY))
    derive_from(read_client(note, parse_body(note), BUSY)[0], as_of, BUSY)


@pytest.mark.parametrize("day", [date.min, date.max])
def test_nothing_raises_at_the_ends_of_time(day: date) -> None:
    derive("every: week", f"- {day} call (no answer)", date.max)
