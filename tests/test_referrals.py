"""A person's note on somebody who was referred to them, and the first call that comes of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from client_notes import read_text
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notesync.followup.client import Client, find_known_keys, read_client
from notesync.followup.follow_up import Context, FollowUp, find_past
from notesync.followup.plans import load_plans
from notesync.followup.referrals import find_referral
from notesync.followup.settings import Settings
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note

TODAY = date(2026, 11, 22)  # a Sunday
DEFAULT = Settings(since="2026-11-02")
unhurried = hypothesis_settings(deadline=None)  # the first example pays for what is compiled or imported late


def read(text: str, settings: Settings = DEFAULT) -> Client:
    return read_text(text, settings, "Clients/Bongani Zulu.md")


def make_context(settings: Settings) -> Context:
    return Context(settings, settings.work_calendar(), load_plans(settings)[0])


def derive(header: str, log: str = "", settings: Settings = DEFAULT) -> list[FollowUp]:
    client = read(f"---\ntype: client\n{header}\n---\n## Log\n{log}\n", settings)
    return list(find_referral(client, make_context(settings), find_past(client, TODAY)))


def in_words(found: FollowUp) -> str:
    return "no date" if found.due is None else f"{found.opens}..{found.due}"


GRACE = "referred_by: '[[Clients/Grace Nkosi|Grace]]'"
REFERRED = {
    "nobody sent them": ("", "", []),
    "counted from the vault's first day": (GRACE, "", ["2026-11-02..2026-11-04"]),
    "from that of the note if that is later": (
        f"{GRACE}\ncreated: 2026-11-19",
        "",
        ["2026-11-19..2026-11-23"],
    ),
    "not from years ago": (f"{GRACE}\ncreated: 2019-05-01", "", ["2026-11-02..2026-11-04"]),
    "from the first attempt": (
        GRACE,
        "- 2026-11-18 call (no answer)\n- 2026-11-12 call (no answer)",
        ["2026-11-12..2026-11-16"],
    ),
    "which may be older than the file": (
        f"{GRACE}\ncreated: 2026-11-19",
        "- 2026-11-12 call (no answer)",
        ["2026-11-12..2026-11-16"],
    ),
    "made on a Saturday": (f"{GRACE}\ncreated: 2026-11-21", "", ["2026-11-23..2026-11-24"]),
    "called": (GRACE, "- 2026-11-18 call: comes on Monday", []),
    "called, says a key": (f"{GRACE}\nlast_contact: 2026-11-18", "", []),
    "an appointment is no contact": (GRACE, "- 2026-11-28 visit: first", ["2026-11-02..2026-11-04"]),
    "unless it is the next contact": (f"{GRACE}\nnext_contact: 2026-11-28", "", []),
    "nobody quotes without a contact": (f"{GRACE}\nquoted: 2026-11-18", "", []),
    "nobody sells without one": (f"{GRACE}\nsold: 2026-11-18", "", []),
    "a sale to come": (f"{GRACE}\nsold: 2026-12-18", "", []),
    "an old customer": (f"{GRACE}\nstage: customer", "", []),
    "a lead": (f"{GRACE}\nstage: lead", "", ["2026-11-02..2026-11-04"]),
    "a pause moves it": (f"{GRACE}\npaused_until: 2026-11-29", "", ["2026-11-30..2026-12-01"]),
    "a pause that was does not": (f"{GRACE}\npaused_until: 2026-10-29", "", ["2026-11-02..2026-11-04"]),
    "a pause without an end holds it": (f"{GRACE}\nprm-paused: true", "", []),
}


@pytest.mark.parametrize("name", REFERRED)
def test_a_referral(name: str) -> None:
    header, log, expected = REFERRED[name]
    assert [in_words(found) for found in derive(header, log)] == expected


def test_without_any_first_day_it_has_no_date() -> None:
    assert [in_words(found) for found in derive(GRACE, settings=Settings())] == ["no date"]
    assert [in_words(found) for found in derive(f"{GRACE}\ncreated: 2026-11-19", settings=Settings())] == [
        "2026-11-19..2026-11-23"
    ]


def test_it_says_who_sent_them_and_whom_to_thank() -> None:
    (found,) = derive(f"{GRACE}\ncontact_by: visit\nminutes: 30")
    assert found.title == "Call Bongani Zulu, referred by Grace; then thank Grace"
    assert found.reason == "referred by Grace, known since Mon 2 Nov 2026, no contact yet"
    assert (found.rule, found.kind, found.occasion, found.line) == ("referral", "referral", "Grace", 1)
    assert (found.channel, found.minutes, found.contact, found.expires) == ("visit", 30, True, None)
    (found,) = derive(f"{GRACE}\nnot_by: phone")
    assert found.title.startswith("Reach Bongani Zulu")
    (found,) = derive(GRACE, settings=Settings())
    assert found.reason == "referred by Grace, no contact yet"


# --- What holds for every note ---------------------------------------------------------------------------

days = st.dates(date(2026, 10, 25), date(2026, 12, 20))
entries = st.builds("- {} {}".format, days, st.sampled_from(["call (no answer)", "call: ok", "email"]))
keys = st.sampled_from(
    ["last_contact", "next_contact", "paused_until", "sold", "lost", "created", "delivery"]
)


@st.composite
def written_notes(draw: st.DrawFn) -> str:
    header = draw(st.dictionaries(keys, days, max_size=2))
    lines = [f"{key}: {day}" for key, day in header.items()]
    return "\n".join(["---", GRACE, *lines, "---", "## Log", *draw(st.lists(entries, max_size=4))])


CONTEXT = make_context(DEFAULT)


@unhurried
@given(written_notes(), days, st.data())
def test_it_is_the_same_as_long_as_it_is_valid(text: str, as_of: date, data: st.DataObject) -> None:
    client = read(text)
    past = find_past(client, as_of)
    earliest = past.first or as_of - timedelta(500)
    latest = past.until - timedelta(1) if past.until else as_of + timedelta(500)
    other = data.draw(st.dates(earliest, latest))
    found = list(find_referral(client, CONTEXT, find_past(client, as_of)))
    assert list(find_referral(client, CONTEXT, find_past(client, other))) == found


@unhurried
@given(st.binary(max_size=200) | written_notes().map(str.encode), st.dates())
def test_nothing_raises(data: bytes, as_of: date) -> None:
    note = parse_note(data, "Ann.md", find_known_keys(DEFAULT))
    client = read_client(note, parse_body(note), DEFAULT)[0]
    list(find_referral(client, CONTEXT, find_past(client, as_of)))
