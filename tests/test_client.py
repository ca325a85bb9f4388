"""A person's note, and the client it makes: every key, its spellings, and its mistakes with their places."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from notesync.followup.card import Card, from_text, to_text
from notesync.followup.client import Client, find_known_keys, find_other_type, is_client, read_client
from notesync.followup.client_fields import FIELDS, Dated
from notesync.followup.follow_up import find_past
from notesync.followup.intervals import Interval
from notesync.followup.settings import Settings
from notesync.notes import mention
from notesync.notes.body import parse_body
from notesync.notes.links import show_link
from notesync.notes.note import Note, parse_note
from notesync.problems import Problem
from notesync.sync.deriving import build_card

DEFAULT = Settings()
unhurried = hypothesis_settings(deadline=None)  # the first example pays for what is compiled or imported late


def parse(text: str | bytes, path: str = "Clients/Acme.md", settings: Settings = DEFAULT) -> Note:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return parse_note(data, path, find_known_keys(settings))


def read(
    text: str | bytes, path: str = "Clients/Acme.md", settings: Settings = DEFAULT
) -> tuple[Client, tuple[Problem, ...]]:
    note = parse(text, path, settings)
    return read_client(note, parse_body(note, settings.log_headings), settings)


def read_header(lines: str, settings: Settings = DEFAULT) -> tuple[Client, tuple[Problem, ...]]:
    return read(f"---\n{lines}\n---\n", settings=settings)


# --- Which notes are clients -----------------------------------------------------------------------------

WHOSE = {
    "the type says so": ("type: client", True),
    "whatever its case": ("Type: CLIENT", True),
    "in a list": ("type: [supplier, Client]", True),
    "as a link": ('type: "[[client]]"', True),
    "no type, but a next contact": ("next_contact: 2026-11-25", True),
    "no type, but a cadence, still empty": ("every:", True),
    "an empty type is none": ("type:\nlast_contact: 2026-11-02", True),
    "the plugin's keys tell too": ("prm-last-contacted: 2026-11-02", True),
    "a pause alone does not tell": ("paused_until: 2026-12-01", False),
    "a name and a phone do not tell": ("name: Ann\nphone: 021 555 0100", False),
    "another type": ("type: recipe\nevery: week", False),
    "a template": ("type: client\nlast_contact: {{date}}", False),
    "a scripted template": ("type: client\nname: <% tp.file.title %>", False),
    "a note that notesync made": ("type: client\ngenerated: notesync", False),
    "a note that somebody else made": ("type: client\ngenerated: yes", True),
}


@pytest.mark.parametrize(("header", "expected"), WHOSE.values(), ids=WHOSE)
def test_is_client(header: str, expected: bool) -> None:
    assert is_client(parse(f"---\n{header}\n---\n# Ann\n"), DEFAULT) is expected


def test_is_client_without_front_matter() -> None:
    assert not is_client(parse("# Ann\n\nnext_contact: 2026-11-25\n"), DEFAULT)


def test_braces_in_the_text_below_make_no_template() -> None:
    assert is_client(parse("---\ntype: client\n---\nsays {{hello}}\n"), DEFAULT)


def test_client_types_and_fields_of_the_settings() -> None:
    settings = Settings(client_types=("person",), fields={"type": "kind", "every": "rhythm"})
    assert is_client(parse("---\ntype: Person\n---\n"), settings)
    assert is_client(parse("---\nkind: person\n---\n"), settings)
    assert is_client(parse("---\nRhythm: 2 weeks\n---\n"), settings)
    assert not is_client(parse("---\ntype: place\n---\n"), settings)


def test_another_type_beside_a_date_is_a_warning() -> None:
    note = parse("---\ntype: person\nname: Ann\nlast_contact: 2026-11-02\n---\n")
    (problem,) = find_other_type(note, DEFAULT)
    assert (problem.code, problem.severity, problem.line, problem.column) == ("other-type", "warning", 4, 1)
    assert "`client_types`" in problem.hint
    assert find_other_type(note, Settings(client_types=("person",))) == ()
    assert find_other_type(parse("---\ntype: person\nname: Ann\n---\n"), DEFAULT) == ()
    assert find_other_type(parse("---\nlast_contact: 2026-11-02\n---\n"), DEFAULT) == ()
    assert find_other_type(parse("---\ntype: person\nlast_contact: {{date}}\n---\n"), DEFAULT) == ()


def test_a_placeholder_left_over_beside_a_date_is_a_warning() -> None:
    note = parse("---\ntype: client\nnext_contact: 2026-11-25\ncompany: {{company}}\n---\n")
    assert not is_client(note, DEFAULT)
    (problem,) = find_other_type(note, DEFAULT)
    assert (problem.code, problem.severity, problem.line, problem.column) == ("template", "warning", 4, 10)
    linked = parse('---\ntype: client\nnext_contact: "[[2026-11-25]]"\ncompany: {{company}}\n---\n')
    assert find_other_type(linked, DEFAULT) == (problem,)


@pytest.mark.parametrize("day", ["{{date}}", "2026-{{date}}", "2026-<% tp.date.now() %>"])
def test_a_template_with_placeholders_for_its_days_is_no_problem(day: str) -> None:
    template = parse(f"---\ntype: client\nnext_contact: {day}\nevery: 2 weeks\n---\n")
    assert find_other_type(template, DEFAULT) == ()


# --- Values ----------------------------------------------------------------------------------------------

VALUES = {
    "a phone keeps its nought": ("phone: 0712345670", "phones", ("0712345670",)),
    "a phone keeps its plus": ("phone: +31612345678", "phones", ("+31612345678",)),
    "a phone keeps its comma": ("phone: 021 555 0100, ext. 7", "phones", ("021 555 0100, ext. 7",)),
    "several phones": ("phone:\n  - 021 555 0100\n  -\n  - 0712345670", "phones", ("021 555 0100", "0712345670")),
    "an e-mail address": ("email: a.b@example.com", "emails", ("a.b@example.com",)),
    "a name that is a number": ("name: 007 Ltd", "name", "007 Ltd"),
    "a name that YAML takes for nothing": ("name: Null", "name", "Null"),
    "a time is a text": ("best_time: 9:30", "best_time", "9:30"),
    "no is a text": ("source: NO", "source", "NO"),
    "an unquoted link": ("referred_by: [[Acme]]", "referred_by", "Acme"),
    "a link with a label": ('company: "[[Clients/Acme Ltd|Acme]]"', "company", "Acme"),
    "a link with folder and heading": ('company: "[[Clients/Acme Ltd.md#Team]]"', "company", "Acme Ltd"),
    "a list of one is its item": ("company: [Acme]", "company", "Acme"),
    "several texts where one belongs": ("role: [owner, buyer]", "role", "owner, buyer"),
    "a team of links": ('team: ["[[Ann Bo]]", Cy]', "team", ("Ann Bo", "Cy")),
    "a team as text": ("team: Ann Bo, Cy", "team", ("Ann Bo", "Cy")),
    "a label's comma parts nothing": ('team: "[[Bo|Bo, the boss]], Cy"', "team", ("Bo, the boss", "Cy")),
    "an item's comma parts nothing": ('aliases: ["Acme, Inc", AI]', "aliases", ("Acme, Inc", "AI")),
    "an alias as text": ("aliases: AI, Acme", "aliases", ("AI", "Acme")),
    "tags with and without a hash": ('tags: ["#vip", region/north, ""]', "tags", ("vip", "region/north")),
    "tags as text": ("tags: vip new, north", "tags", ("vip", "new", "north")),
    "a team of reps": ("owner: Anna, Ben", "owners", ("Anna", "Ben")),
    "everyday words for channels": (
        "contact_by: [phone, WhatsApp, in person]", "contact_by", ("call", "message", "visit"),
    ),
    "a choice in words": ("contact_by: call or WhatsApp", "contact_by", ("call", "message")),
    "words of their own stay together": ("contact_by: call or pigeon", "contact_by", ("call or pigeon",)),
    "a channel of their own": ("contact_by: pigeon", "contact_by", ("pigeon",)),
    "not by": ("not_by: Zoom, post", "not_by", ("video", "letter")),
    "a stage whatever its case": ("stage: Customer", "stage", "customer"),
    "a cadence": ("every: 2 weeks", "every", Interval(2, "week")),
    "a cadence in short": ("every: 1m", "every", Interval(1, "month")),
    "a plugin's cadence is days": ("prm-cadence: 30", "every", Interval(30, "day")),
    "a plugin's last contact": (
        "prm-last-contacted: 2026-11-02", "last_contact", Dated(date(2026, 11, 2), None, 2, 21),
    ),
    "a plugin's snooze": ("prm-snooze-until: 2026-12-01", "paused_until", Dated(date(2026, 12, 1), None, 2, 19)),
    "a plugin's pause": ("prm-paused: true", "paused", True),
    "a day": ("last_contact: 2026-11-02", "last_contact", Dated(date(2026, 11, 2), None, 2, 15)),
    "a day and a time": ("next_contact: 2026-11-25T14:30", "next_contact", Dated(date(2026, 11, 25), 870, 2, 15)),
    "a day and a time, a blank": (
        "next_contact: 2026-11-25 14:30:00", "next_contact", Dated(date(2026, 11, 25), 870, 2, 15),
    ),
    "a linked day": ('next_contact: "[[2026-11-25]]"', "next_contact", Dated(date(2026, 11, 25), None, 2, 15)),
    "a key in capitals with a blank": (
        "Next Contact: 2026-11-25", "next_contact", Dated(date(2026, 11, 25), None, 2, 15),
    ),
    "a key with a hyphen": ("next-contact: 2026-11-25", "next_contact", Dated(date(2026, 11, 25), None, 2, 15)),
    "a plan as text": ("plan: After-Sale, renewal", "plan", ("after-sale", "renewal")),
    "no plan": ("plan: none", "plan", ("none",)),
    "delivery on an unknown day": ("delivery: Unknown", "delivery_unknown", True),
    "ticked": ("do_not_contact: yes", "do_not_contact", True),
    "not ticked": ("do_not_contact: false", "do_not_contact", False),
    "minutes": ("minutes: 45", "minutes", 45),
    "minutes with their name": ("minutes: 45 min", "minutes", 45),
    "when another program made the note": (
        "created: 2024-05-23T09:56:33+03:00", "created", Dated(date(2024, 5, 23), None, 2, 10),
    ),
    "made, but nobody knows when": ("created: May 2024", "created", None),
    "an empty date": ("next_contact:", "next_contact", None),
    "an empty date in quotes": ('next_contact: ""', "next_contact", None),
    "an empty cadence": ("every: null", "every", None),
    "an empty list": ("owner: []", "owners", ()),
    "a list of nothing": ("tags:\n  -\n  - ~", "tags", ()),
}  # fmt: skip


@pytest.mark.parametrize(("header", "attribute", "expected"), VALUES.values(), ids=VALUES)
def test_values(header: str, attribute: str, expected: object) -> None:
    client, problems = read_header(header)
    assert getattr(client, attribute) == expected
    assert problems == ()


MONEY = {
    "120000": 120000,
    "120 000": 120000,
    "120\N{NO-BREAK SPACE}000": 120000,
    "R 120,000.50": 120000.5,
    "R120000": 120000,
    "€1240": 1240,
    "1.240,50 €": 1240.5,
    "ZAR 1 240 000": 1240000,
    "1,240,000": 1240000,
    "1.240.000": 1240000,
    "1'240.00": 1240,
    "12,50": 12.5,
    "12.5": 12.5,
    "120,000": 120000,
    "1,20,000": 120000,
    "US$ 5,000": 5000,
    "500,-": 500,
    "500 kr": 500,
    "120k": 120000,
    "1.5k": 1500,
    "0": 0,
    "1.240": None,
    "120.000": None,
    "12 34": None,
    "1,2,3": None,
    "about 5000": None,
    "5000-6000": None,
    "-500": None,
    "1e5": None,
    "٥٠٠": None,
    "two million": None,
    "5m": None,
    "5 Mio": None,
    "5 MIO": None,
    "5000 EUR": 5000,
    "Rs. 5 000": 5000,
    "9" * 20: None,
}


@pytest.mark.parametrize(("text", "expected"), MONEY.items(), ids=MONEY)
def test_money(text: str, expected: float | None) -> None:
    client, problems = read_header(f'value: "{text}"')
    assert client.value == expected
    assert [problem.code for problem in problems] == ([] if expected is not None else ["bad-number"])


def test_both_readings_of_an_undecidable_number_are_named() -> None:
    _, (problem,) = read_header("value: 1.240")
    assert "`1240`" in problem.hint
    assert "`1.24`" in problem.hint


def test_times_with_an_offset_are_told_in_the_settings_zone() -> None:
    settings = Settings(timezone="Africa/Johannesburg")
    client, _ = read_header("next_contact: 2026-11-25T23:30Z", settings)
    assert client.next_contact == Dated(date(2026, 11, 26), 90, 2, 15)
    client, _ = read_header("next_contact: 2026-11-25T14:30:00-05:00", Settings(timezone="Europe/London"))
    assert client.next_contact == Dated(date(2026, 11, 25), 19 * 60 + 30, 2, 15)


def test_what_a_link_points_at_is_kept() -> None:
    client, _ = read_header(
        'company: "[[Clients/Acme Ltd#Team|Acme]]"\nteam: ["[[Ann]]", Bo, "[[Cy]]"]\nrole: owner'
    )
    assert client.company == "Acme"
    assert client.links == {"company": ("Clients/Acme Ltd",), "team": ("Ann", "Cy")}


def test_show_link() -> None:
    assert show_link("![[Clients/Acme.md]]") == "Acme"
    assert show_link("[[Acme|]] & [[#Top]]") == "Acme &"
    assert show_link("[not a link]") == "[not a link]"


def test_the_vaults_own_names_go_before_ours_and_ours_before_a_plugins() -> None:
    header = "prm-last-contacted: 2026-01-01\nlast_contact: 2026-02-02\nSeen: 2026-03-03"
    client, _ = read_header(header)
    assert client.last_contact is not None
    assert client.last_contact.day == date(2026, 2, 2)
    client, _ = read_header(header, Settings(fields={"last_contact": "seen"}))
    assert client.last_contact is not None
    assert client.last_contact.day == date(2026, 3, 3)
    client, _ = read_header(header.replace("2026-03-03", ""), Settings(fields={"last_contact": "seen"}))
    assert client.last_contact is not None
    assert client.last_contact.day == date(2026, 2, 2)


def test_of_one_key_what_says_nothing_leaves_the_word_to_the_next() -> None:
    for header in (
        "last_contact:\nprm-last-contacted: 2026-02-02",
        "prm-last-contacted: 2026-02-02\nlast_contact: []",
        "last_contact:\nLast Contact: 2026-02-02\nlast-contact: 2026-03-03",
    ):
        client, _ = read_header(header)
        assert client.last_contact is not None, header
        assert client.last_contact.day == date(2026, 2, 2), header


def test_names_and_keys_come_from_the_path_unless_told() -> None:
    client, _ = read("---\ntype: client\n---\n", "Clients/Zoe\u0308 Ltd.md")
    assert (client.name, client.key, client.id) == ("Zoë Ltd", "Clients/Zoë Ltd.md", "")
    assert client.path == "Clients/Zoe\u0308 Ltd.md"
    client, _ = read("---\nid: c-17\nname: Zoë\n---\n", "Clients/Z.md")
    assert (client.name, client.key, client.id) == ("Zoë", "c-17", "c-17")


STAGES = {
    "nothing known": ("name: Ann", "prospect"),
    "quoted": ("quoted: 2026-10-01", "prospect"),
    "sold": ("sold: 2026-10-01", "customer"),
    "lost": ("quoted: 2026-09-01\nlost: 2026-10-01", "lost"),
    "won back": ("lost: 2026-10-01\nsold: 2026-11-01", "customer"),
    "sold and lost on one day": ("sold: 2026-10-01\nlost: 2026-10-01", "lost"),
    "never sold, lost before a renewal, which is newer: a contract with others ends": (
        "lost: 2026-10-01\nrenewal: 2027-01-15",
        "prospect",
    ),
    "the same, and told to be lost": ("lost: 2026-10-01\nrenewal: 2027-01-15\nstage: lost", "lost"),
    "lost before the renewal of what was sold": (
        "sold: 2026-01-15\nlost: 2026-10-01\nrenewal: 2027-01-15",
        "lost",
    ),
    "lost before the delivery of what was sold": (
        "sold: 2026-10-01\nlost: 2026-10-08\ndelivery: 2026-12-01\ngo_live: 2026-12-08",
        "lost",
    ),
    "quoted again after the loss of what was sold": (
        "sold: 2026-10-01\nlost: 2026-10-08\nquoted: 2026-11-02\ndelivery: 2026-12-01",
        "customer",
    ),
    "a renewal before the loss": ("renewal: 2026-09-15\nlost: 2026-10-01", "lost"),
    "told": ("sold: 2026-10-01\nstage: dormant", "dormant"),
    "told, but left empty": ("sold: 2026-10-01\nstage:", "customer"),
}


@pytest.mark.parametrize(("header", "expected"), STAGES.values(), ids=STAGES)
def test_stage(header: str, expected: str) -> None:
    client, _ = read_header(header)
    assert client.stage == expected


LOGGED_SALES = {
    "a sale that only the log tells of": (
        "name: Ann",
        "2026-11-10 visit: #sold [value:: R 18 500]",
        "customer",
        18500,
    ),
    "after a loss": ("lost: 2026-10-01", "2026-11-10 visit: signed #sold", "customer", None),
    "before a loss": ("lost: 2026-11-18", "2026-11-10 visit: signed #sold", "lost", None),
    "before a loss, and to be delivered later": (
        "lost: 2026-11-18\ndelivery: 2026-12-01",
        "2026-11-10 visit: signed #sold",
        "lost",
        None,
    ),
    "the key's value comes first": (
        "value: 20000",
        "2026-11-10 visit: #sold [value:: 18500]",
        "customer",
        20000,
    ),
    "the stage told comes first": ("stage: dormant", "2026-11-10 visit: #sold", "dormant", None),
    "nobody there is no sale": ("name: Ann", "2026-11-10 call (no answer) #sold", "prospect", None),
}


@pytest.mark.parametrize(("header", "entry", "stage", "value"), LOGGED_SALES.values(), ids=LOGGED_SALES)
def test_a_sale_of_the_log_is_a_sale(header: str, entry: str, stage: str, value: float | None) -> None:
    client, problems = read(f"---\n{header}\n---\n## Log\n- {entry}\n")
    assert (client.stage, client.value) == (stage, value)
    assert problems == ()


def test_anchors_know_their_lines() -> None:
    client, problems = read_header(
        "quoted: 2026-09-01\nsold: 2026-10-01\ngo_live: 2027-01-11\nrenewal: 2027-10-01"
    )
    assert {key: (str(anchor.day), anchor.line) for key, anchor in client.anchors.items()} == {
        "quoted": ("2026-09-01", 2),
        "sold": ("2026-10-01", 3),
        "go_live": ("2027-01-11", 4),
        "renewal": ("2027-10-01", 5),
    }
    assert problems == ()


# --- Mistakes --------------------------------------------------------------------------------------------

MISTAKES = {
    "day and month the other way": ("next_contact: 25/11/2026", "bad-date", "error", (2, 15), "`2026-11-25`"),
    "a month in words": ("last_contact: Nov 25 2026", "bad-date", "error", (2, 15), "`2026-11-25`"),
    "which is the month?": ("sold: 05/11/2026", "bad-date", "error", (2, 7), "`2026-11-05` or `2026-05-11`"),
    "a day that does not exist": ("sold: 2026-02-30", "bad-date", "error", (2, 7), "`2026-02-28`"),
    "a word for a day": ("sold: pilot", "bad-date", "error", (2, 7), "`2026-11-25`"),
    "digits of another script": ("sold: ٢٠٢٦-١١-٢٥", "bad-date", "error", (2, 7), "`2026-11-25`"),
    "a year that cannot be": ("next_contact: 0206-11-25", "bad-date", "error", (2, 15), "1900"),
    "in a list": ("sold:\n  - 2026-13-01", "bad-date", "error", (3, 5), "2026"),
    "a key with keys of its own": (
        "every:\n  count: 2\n  unit: week", "nested-value", "error", (2, 1), "`every: value`",
    ),
    "two days where one belongs": ("sold: [2024-05-01, 2026-10-01]", "several-values", "warning", (2, 20), "one date"),
    "unknown is for deliveries": ("sold: unknown", "bad-date", "error", (2, 7), "`2026-11-25`"),
    "how often?": ("every: now and then", "bad-cadence", "error", (2, 8), "`2 weeks`"),
    "how many what?": ("every: 14", "bad-cadence", "error", (2, 8), "`14 days`"),
    "never again": ("every: 900 years", "bad-cadence", "error", (2, 8), "`2 weeks`"),
    "a number in words": ("value: a lot", "bad-number", "error", (2, 8), "`120000`"),
    "minutes in words": ("minutes: long", "bad-number", "error", (2, 10), "`20`"),
    "no minutes": ("minutes: 0", "bad-number", "error", (2, 10), "`20`"),
    "neither ticked nor not": ("do_not_contact: maybe", "bad-checkbox", "error", (2, 17), "`true`"),
    "an earlier sale's delivery": (
        "sold: 2026-10-01\ndelivery: 2026-09-01", "early-delivery", "warning", (3, 11), "`unknown`",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("header", "code", "severity", "place", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(header: str, code: str, severity: str, place: tuple[int, int], hint: str) -> None:
    _, problems = read_header(header)
    (problem,) = problems
    assert (problem.code, problem.severity, (problem.line, problem.column)) == (code, severity, place)
    assert hint in problem.hint
    assert problem.path == "Clients/Acme.md"


def test_a_mistake_loses_only_its_own_key() -> None:
    client, (problem,) = read_header("last_contact: 1/2/2026\nevery: month\nphone: 0712345670")
    assert problem.code == "bad-date"
    assert client.last_contact is None
    assert (client.every, client.phones) == (Interval(1, "month"), ("0712345670",))


def test_an_early_delivery_is_ignored() -> None:
    client, _ = read_header("sold: 2026-10-01\ndelivery: 2026-09-01")
    assert set(client.anchors) == {"sold"}
    client, problems = read_header("sold: 2026-10-01\ndelivery: 2026-10-01")
    assert set(client.anchors) == {"sold", "delivery"}
    assert problems == ()


def test_keys_of_others_are_nobodys_business() -> None:
    _, problems = read_header(
        "birthday: 1/2/1980\nrating: five\nprm-tier: close\ncountry: NO\nnested:\n  a: b"
    )
    assert problems == ()


WITHDRAWN = {
    "nothing is open": ("", None),
    "a contact was promised": ("next_contact: 2026-11-25T14:30", "the contact promised for 2026-11-25"),
    "a contact was only planned": ("next_contact: 2026-11-25", None),
    "a promise among the tasks": ("---\n- [ ] samples #promise", "the promise"),
    "a promise that was kept": ("---\n- [x] samples #promise ✅ 2026-11-20", None),
    "a promise of the log": (
        "---\n## Log\n- 2026-11-20 call: will send samples #promise",
        "a promise of the log",
    ),
    "one that was kept": (
        "---\n## Log\n- 2026-11-21 email: sent #kept\n- 2026-11-20 call: samples #promise",
        None,
    ),
    "a complaint of the log": (
        "---\n## Log\n- 2026-11-20 call: it leaks #complaint",
        "a complaint of the log",
    ),
    "a delivery": ("sold: 2026-11-20\ndelivery: 2026-12-01", "the delivery of 2026-12-01"),
    "a delivery that was seen to": (
        "sold: 2026-11-01\ndelivery: 2026-11-10\n---\n## Log\n- 2026-11-11 call: all well",
        None,
    ),
    "a delivery that the log tells of": (
        "---\n## Log\n- 2026-11-20 visit: #sold [delivery:: 2026-12-01]",
        "the delivery of 2026-12-01",
    ),
    "a delivery some day": ("sold: 2026-11-20\ndelivery: unknown", "a delivery on an unknown day"),
}


@pytest.mark.parametrize(("lines", "expected"), WITHDRAWN.values(), ids=WITHDRAWN)
def test_withdrawing_with_something_open_is_a_warning(lines: str, expected: str | None) -> None:
    header, _, body = lines.partition("---\n")
    _, problems = read(f"---\ndo_not_contact: true\n{header}\n---\n{body}\n")
    if expected is None:
        assert problems == ()
    else:
        (problem,) = problems
        assert (problem.code, problem.severity, problem.line) == ("withdrawn-open", "warning", 2)
        assert expected in problem.message


ENTRY_MISTAKES = {
    "a sale's delivery": ("visit: #sold [delivery:: 27/11/2026]", "bad-date", "error", "`2026-11-27`"),
    "that could be two days": (
        "visit: #sold [delivery:: 05/11/2026]", "bad-date", "error", "`2026-11-05` or `2026-05-11`",
    ),
    "before the sale": ("visit: #sold [delivery:: 2026-11-01]", "early-delivery", "warning", "`unknown`"),
    "a sale's value": ("visit: #sold [value:: 1.234]", "bad-number", "error", "`1234`"),
    "when a promise is due": ("call: prices #promise [due:: 30/11/2026]", "bad-date", "error", "`2026-11-30`"),
    "a complaint, some day": ("call: leaks #complaint [due:: soon]", "bad-date", "error", "`2026-11-25`"),
}  # fmt: skip


@pytest.mark.parametrize(("words", "code", "severity", "hint"), ENTRY_MISTAKES.values(), ids=ENTRY_MISTAKES)
def test_mistakes_in_the_fields_of_an_entry(words: str, code: str, severity: str, hint: str) -> None:
    _, problems = read(f"---\ntype: client\n---\n## Log\n- 2026-11-20 call: fine\n- 2026-11-10 {words}\n")
    (problem,) = problems
    assert (problem.code, problem.severity, problem.line) == (code, severity, 6)
    assert hint in problem.hint


@pytest.mark.parametrize(
    "words",
    [
        "visit: #sold [delivery:: unknown]",
        "visit: #sold [delivery:: ] [value:: ]",
        "visit: #sold [delivery:: 2026-11-26] [value:: 18500] [colour:: 1/2]",
        "call: talked [delivery:: soon] [value:: much] [due:: later]",
    ],
)
def test_fields_that_are_good_or_count_for_nothing_are_no_problem(words: str) -> None:
    assert read(f"---\ntype: client\n---\n## Log\n- 2026-11-10 {words}\n")[1] == ()


def test_where_yaml_fails_the_known_keys_are_read() -> None:
    text = "---\ntype: client\ntitle: Plan: phase 2\nnext_contact: 2026-11-25\nSeen: 2026-11-02\n---\n"
    settings = Settings(fields={"last_contact": "seen"})
    note = parse(text, settings=settings)
    assert note.broken
    assert is_client(note, settings)
    client, _ = read(text, settings=settings)
    assert client.next_contact is not None
    assert (client.next_contact.day, client.next_contact.line) == (date(2026, 11, 25), 4)
    assert client.last_contact is not None


def test_the_better_name_is_read_and_the_other_not_even_looked_at() -> None:
    settings = Settings(fields={"delivery": "due_date"})
    client, problems = read_header("delivery: soon\ndue date: unknown\nsold: 2026-11-01", settings)
    assert (client.delivery_unknown, set(client.anchors), problems) == (True, {"sold"}, ())
    client, problems = read_header("delivery: unknown\ndue date: 2026-12-01", settings)
    assert (client.delivery_unknown, set(client.anchors), problems) == (False, {"delivery"}, ())


HOSTILE = {
    "commas": "team: a" + "," * 60_000,
    "commas in a link that never ends": 'team: "[[a' + "," * 60_000 + '"',
    "links that never end": "company: '" + "[[a|" * 15_000 + "'",
    "a number of blanks": "value: 1" + " " * 60_000 + "x",
    "a number of points": "value: 1" + ".1" * 30_000,
    "minutes and blanks": "minutes: 1" + " " * 60_000 + "x",
    "a date of digits": "sold: " + "1" * 60_000,
    "a date of dashes": "sold: 1" + "-1" * 30_000,
    "a cadence of words": "every: " + "a " * 30_000,
    "a date in thirty thousand items": "sold: [" + "x," * 30_000 + "]",
    "channels": "contact_by: " + "call or " * 8_000 + "call",
    "a key again and again": "sold: {a: b}\n" * 4_000,
}


@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE)
def test_hostile_values_are_read_at_once(header: str) -> None:
    _, problems = read_header(header)
    assert len(problems) <= 50


# --- The table, and what is stored -----------------------------------------------------------------------------


def test_every_field_has_its_attribute() -> None:
    assert {field.attribute for field in FIELDS} <= set(Client._fields)


EVERYTHING = """---
id: c-17
type: client
name: Zoë van Dyk
company: "[[Acme Ltd|Acme]]"
role: buyer
address: 1 Main Rd
website: https://example.com
source: fair
team: ["[[Zoë]]", Bo]
email: [zoe@example.com, z@example.com]
phone: 0712345670
aliases: [ZvD]
tags: [vip]
owner: [Anna, Ben]
stage: customer
value: R 120,000.50
contact_by: [call]
not_by: [visit]
best_time: 9:30
minutes: 30
referred_by: [[Bo]]
every: 2 weeks
last_contact: 2026-11-02
next_contact: 2026-11-25T14:30
next_action: send the quote
quoted: 2026-09-01
sold: 2026-10-01
delivery: 2026-11-20
go_live: 2027-01-11
lost: 2025-01-11
renewal: 2027-10-01
plan: [after-sale]
paused_until: 2026-12-01
created: 2024-05-23
prm-paused: true
---
- [ ] call about the quote #promise 🆔 q1 ⛔ a,b 🔺 ➕ 2026-11-01 🛫 2026-11-10 ⏳ 2026-11-12 📅 2026-11-14
- [x] thank [[Bo]] 🔁 every month 📅 2026-10-14 ✅ 2026-10-15 ^block

## Log
- 2026-11-02 14:30 call (no answer): left word #satisfaction [value:: 12]
- 2026-10-01 visit: signed #sold
"""


def test_a_note_with_everything() -> None:
    client, problems = read(EVERYTHING)
    assert problems == ()
    assert [name for name, value in zip(Client._fields, client, strict=True) if not value] == [
        "delivery_unknown",
        "do_not_contact",
    ]
    card = build_card(client, find_past(client, date(2026, 11, 22)), DEFAULT)
    assert [name for name, value in zip(Card._fields, card, strict=True) if not value] == ["do_not_contact"]
    assert (card.last_contact, card.done) == (date(2026, 11, 2), date(2026, 11, 2))
    assert (card.wanted, card.paused_until, card.minutes) == (14, date(2026, 12, 1), 30)
    again = from_text(card.path, card.key, to_text(card))
    assert again == card
    assert [type(value) for value in again] == [type(value) for value in card]
    for said in (*client.log, *client.tasks):
        kept, _ = mention.from_text(mention.to_text(said))
        assert (type(kept), kept) == (type(said), said)
        assert [type(value) for value in kept] == [type(value) for value in said]


WORDS = """Acme|[[Acme#Top]]|[[A]], [[B]]|2026-11-25|2026-11-25T14:30+02:00|0001-01-01|9999-12-31T23:59-12:00
25/11/2026|2 weeks|monthly|30|99999 years|true|no|~||R 1,000|1.000|unknown|none|phone|{a: b}|[1, [2]]|'|"x|&a|*a|>
# x|null|" "|[ , ]"""
words = st.sampled_from([*re.split("[|\n]", WORDS), "[[A|a]]", "\udcff"]) | st.text(max_size=20)
keys = st.sampled_from([*(field.key for field in FIELDS), "type", "prm-cadence", "prm-paused", "x"])
headers = st.lists(st.tuples(keys, words), max_size=12)
LINES = """## Log
- 2026-11-20 call: yes #promise
- 2026-11-21 email (no answer)
- 9999-12-31 visit
- soon
- [ ] send 📅 2026-11-25
- [x] did #contact ✅ 2026-11-19
- [ ] owed #promise ➕ 9999-12-31
```"""
lines = st.sampled_from(LINES.split("\n")) | st.text(max_size=20)


@unhurried
@given(headers, st.lists(lines, max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
@example([("company", '"\\ud83d\\ude00"')], [], "\n")
def test_nothing_raises_and_all_that_is_stored_can_be_read(
    header: list[tuple[str, str]], body: list[str], newline: str
) -> None:
    text = newline.join(["---", *(f"{key}: {value}" for key, value in header), "---", *body])
    note = parse(text)
    is_client(note, DEFAULT)
    find_other_type(note, DEFAULT)
    client, problems = read_client(note, parse_body(note), DEFAULT)
    card = build_card(client, find_past(client, date(2026, 11, 22)), DEFAULT)
    assert to_text(card).isascii()
    assert from_text(card.path, card.key, to_text(card)) == card
    for said in (*client.log, *client.tasks):
        assert mention.from_text(mention.to_text(said, problems)) == (said, problems)
    ends = [len(line) for line in note.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    for problem in problems:
        assert 1 <= problem.line <= len(ends)
        assert 1 <= problem.column <= ends[problem.line - 1] + 1
        assert problem.message
        assert problem.hint


@unhurried
@given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: b"---\nevery: " + data))
def test_any_bytes_can_be_read(data: bytes) -> None:
    note = parse(data)
    client, _ = read_client(note, parse_body(note), DEFAULT)
    assert client.name


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("every 2 weeks", False),
        ("every month on the 1st when done", False),
        ("every other week", True),
        ("every 2 weeks whendone", True),
    ],
)
def test_a_recurrence_that_obsidian_would_lose_is_a_warning(rule: str, told: bool) -> None:
    _, problems = read(f"---\ntype: client\n---\n- [ ] Order beans 🔁 {rule} 📅 2026-12-01\n")
    assert [(p.code, p.line, p.severity) for p in problems] == [("bad-recurrence", 4, "warning")] * told
