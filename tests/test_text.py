"""What people and programs get to see: lines, JSON, CSV, Markdown, and tables for a terminal.

The looks are golden files in tests/golden/text (`pytest --golden-rewrite` writes them: look at the diff); what must
hold whatever a note says is tested with arbitrary text.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from notesync.followup.agenda import Totals
from notesync.followup.items import ITEM_FIELDS, Agenda, ClientCard, DayPlan, Item, plan_days
from notesync.notes.body import Entry
from notesync.problems import ERROR, WARNING, Problem
from notesync.publish import agenda_table, text
from notesync.publish.agenda_table import render_days_table, render_table
from notesync.publish.client_table import render_clients_table, render_show_table
from notesync.publish.problems_table import render_problems_table

Golden = Callable[[str, str], None]

TODAY = "2026-11-22"


def build_item(client: str = "Thandi Nkosi", title: str = "Call", **fields: object) -> Item:
    plain = {
        "path": f"Clients/{client}.md",
        "line": 4,
        "client_path": f"Clients/{client}.md",
        "client_id": "",
        "client": client,
        "company": "",
        "owner": (),
        "kind": "contact",
        "step": None,
        "title": title,
        "reason": "",
        "channel": "",
        "opens": TODAY,
        "due": TODAY,
        "status": "due",
        "days_late": 0,
        "value": None,
        "phone": (),
        "email": (),
        "best_time": "",
        "minutes": 15,
        "attempts": 0,
        "retry_on": None,
        "stale": False,
        "conflict": False,
        "uid": "0@notesync.invalid",
        "stage": "customer",
        "rule": "next-contact",
        "contact_by": (),
        "not_by": (),
    }
    return Item(**(plain | fields))


def overdue(client: str, title: str, due: str, **fields: object) -> Item:
    late = (date.fromisoformat(TODAY) - date.fromisoformat(due[:10])).days
    return build_item(
        client, title, **({"opens": due, "due": due, "status": "overdue", "days_late": late} | fields)
    )


def upcoming(client: str, title: str, opens: str, due: str, **fields: object) -> Item:
    return build_item(client, title, **({"opens": opens, "due": due, "status": "upcoming"} | fields))


THANDI = {
    "company": "Nkosi Roofing",
    "phone": ("+27 71 234 5670", "+27 11 555 0100"),
    "contact_by": ("call", "message"),
    "not_by": ("email",),
    "best_time": "09:00-11:00",
    "value": 120000.0,
}

ITEMS = [
    overdue(
        "Thandi Nkosi",
        "Call back about the quote for the workshop roof",
        "2026-11-17",
        kind="promise",
        reason="promised a call on Tuesday 17 Nov",
        attempts=2,
        minutes=20,
        **THANDI,
    ),
    overdue(
        "Zoë Müller-Lüdenscheidt",
        "Ask how the delivery went",
        "2026-11-21",
        company="Bäckerei Süß GmbH & Co. KG",
        kind="feedback",
        step="satisfaction",
        reason="satisfaction: delivered on Tuesday 17 Nov",
        email=("zoe@example.com",),
        contact_by=("email",),
        value=8000.5,
    ),
    overdue("Noon & Sons", "Confirm the fitting", f"{TODAY}T08:30", kind="promise", phone=("011 555 0199",)),
    build_item(
        "山田太郎",
        "屋根の見積もりについて電話する。長い題名は幅に合わせて折り返され、表の列は揃ったままでなければならない",
        company="株式会社山田工務店",
        due="2026-11-27",
        reason="約束の日",
        phone=("+81 3 1234 5678",),
    ),
    build_item(
        "🙂 Emoji Bar 🍕",
        "Pizza 🍕 for [red]twelve[/red] :smile: **now**",
        due=f"{TODAY}T14:30",
        opens=f"{TODAY}T14:30",
        kind="task",
        attempts=1,
    ),
    build_item("محمد علي", "الاتصال به بشأن العرض", company='שלום בע"מ', opens=None, due=None),
    build_item(
        "Long & Winding",
        "Ask " + "whether the road that was promised leads to the door " * 5 + "yet",
        reason="because " * 40,
        best_time="after lunch, but never on a Wednesday and only when the children are at school",
    ),
    build_item(
        "Evil\x1b[31m\u202eName\nnext",
        "\x07bell\x00 " + "A" * 300,
        path="Clients/caf\udce9.md",
        reason="\x9b2J\u2028r\u200bésum\ud800",
        stale=True,
        conflict=True,
    ),
    upcoming(
        "Thandi Nkosi",
        "Keep in touch",
        "2026-11-25",
        "2026-11-30",
        kind="keep-in-touch",
        reason="last contact 12 days ago, wanted every 15",
        **THANDI,
    ),
    upcoming("Ben Okri", "Decide", "2026-11-23", "2026-11-23", retry_on="2026-11-24", attempts=1),
]
TOTALS = Totals(3, 5, 2, 8, 1240000.0, "ZAR")
PROBLEMS = (
    Problem(
        "Clients/Thandi Nkosi.md",
        3,
        7,
        "bad-date",
        ERROR,
        "25/11/2026 is not a date that notesync reads.",
        "Write 2026-11-25.",
    ),
    Problem(
        "Clients/Thandi Nkosi.md",
        19,
        3,
        "hidden-field",
        WARNING,
        "The date stands before other words, so the Tasks plugin does not see it, but here it counts.",
        "Move it to the end of the line.",
    ),
    Problem(
        "notesync.yaml",
        2,
        1,
        "unknown-setting",
        ERROR,
        "There is no setting 'timezon\x1b'.",
        "Did you mean timezone?",
    ),
)
AGENDA = Agenda(TODAY, ITEMS, TOTALS, PROBLEMS)
HEALTH = (
    text.Health("index", True, "10 000 notes, current"),
    text.Health("watcher", False, "None is running.", "notesync watch keeps the calendar current."),
)


def build_card(name: str, **fields: object) -> ClientCard:
    plain = {
        "path": f"Clients/{name}.md",
        "client_id": "",
        "name": name,
        "company": "",
        "role": "",
        "stage": "customer",
        "owner": (),
        "value": None,
        "phone": (),
        "email": (),
        "contact_by": (),
        "not_by": (),
        "best_time": "",
        "address": "",
        "website": "",
        "aliases": (),
        "last_contact": None,
        "next_contact": None,
        "wanted": 0,
        "drift": None,
        "do_not_contact": False,
        "paused_until": None,
        "stale": False,
    }
    return ClientCard(**(plain | fields))


CARDS = [
    build_card(
        "Thandi Nkosi",
        role="owner",
        owner=("Anna",),
        email=("thandi@example.com",),
        address="1 Main Road, Cape Town",
        website="https://example.com",
        aliases=("TN", "Thandi"),
        last_contact="2026-11-10",
        next_contact="2026-11-25T14:30",
        wanted=10,
        drift=0.2,
        **THANDI,
    ),
    build_card("山田太郎", company="株式会社山田工務店", stage="prospect", owner=("Anna", "Ben"), wanted=14),
    build_card("Zoë", company="Bäckerei Süß GmbH & Co. KG", last_contact="2025-11-20", wanted=30, drift=11.2),
    build_card("Paused", last_contact="2026-11-20", wanted=14, drift=1.0, paused_until="2027-01-05"),
    build_card("N" * 60, company="Gone " * 12, stage="lost", do_not_contact=True, stale=True),
    build_card("In rhythm", last_contact=TODAY, wanted=14, drift=0.0),
]


def build_entry(
    line: int, day: str, minute: int | None, channel: str | None, said: str, **fields: object
) -> Entry:
    plain = {"attempt": False, "outcome": "", "tags": (), "fields": (), "client": "", "path": ""}
    return Entry(
        line=line,
        column=3,
        day=date.fromisoformat(day),
        minute=minute,
        channel=channel,
        text=said,
        **(plain | fields),
    )


LOG = [
    build_entry(20, "2026-11-25", None, "visit", "site visit"),
    build_entry(21, "2026-11-19", None, "message", "", attempt=True, outcome="voicemail"),
    build_entry(22, "2026-11-18", None, "call", "left a message", attempt=True, outcome="no answer"),
    build_entry(
        23,
        "2026-11-10",
        870,
        "call",
        "went through the quote line by line; she wants the roof done before the rains,\nand a second price with tiles",
        tags=("quote-received",),
    ),
    build_entry(24, "2025-11-10", None, None, "first met at the fair\x1b[2J"),
]


def build_week() -> tuple[list[DayPlan], list[Item]]:
    """A week with days off at both ends, and more overdue work than fits."""
    days = [date.fromisoformat(TODAY) + timedelta(shift) for shift in range(7)]
    late = [
        overdue(f"Client {n}", f"Ask about order {n}", "2026-11-02", minutes=55, phone=(f"071 000 00{n:02}",))
        for n in range(1, 12)
    ]
    return plan_days([*ITEMS, *late], days, [day.weekday() < 5 for day in days], 120)


def join(lines: Iterable[str]) -> str:
    """The whole output, each piece of which must be one whole line."""
    found = list(lines)
    assert all(line.endswith("\n") and "\n" not in line[:-1] for line in found)
    return "".join(found)


WEEK = build_week()
NEXT = ITEMS[-2]
TABLES: dict[str, Callable[[int, bool], Iterator[str]]] = {
    "check": lambda width, color: render_table(AGENDA, width, color),
    "check-limited": lambda width, color: render_table(AGENDA, width, color, limit=2),
    "check-clear": lambda width, color: render_table(
        AGENDA._replace(items=[], totals=Totals(0, 0, 2, 0, 0.0, "ZAR")),
        width,
        color,
        upcoming=NEXT,
        scope="owner Anna",
    ),
    "agenda": lambda width, color: render_days_table(*WEEK, TODAY, width, color),
    "show": lambda width, color: render_show_table(
        CARDS[0], [ITEMS[0], NEXT], LOG, PROBLEMS[:2], TODAY, "ZAR", width, color
    ),
    "show-bare": lambda width, color: render_show_table(CARDS[1], [], [], [], TODAY, "ZAR", width, color),
    "clients": lambda width, color: render_clients_table(CARDS, TODAY, width, color),
    "doctor": lambda width, color: render_problems_table(PROBLEMS, HEALTH, width, color),
    "doctor-fine": lambda width, color: render_problems_table([], HEALTH[:1], width, color),
}
PLAIN: dict[str, Callable[[], Iterator[str]]] = {
    "check.txt": lambda: text.render_lines(ITEMS),
    "check.json": lambda: text.render_json(AGENDA, "/home/anna/Clients"),
    "check.csv": lambda: text.render_csv(ITEMS),
    "agenda.txt": lambda: text.render_days_lines(*WEEK),
    "agenda.md": lambda: text.render_days_markdown(*WEEK, TODAY),
    "agenda.json": lambda: text.render_days_json(WEEK[0][:2], WEEK[1][:1], TOTALS, (), "/v", TODAY),
    "agenda.csv": lambda: text.render_days_csv(*WEEK),
    "clients.txt": lambda: text.render_clients_lines(CARDS),
    "clients.json": lambda: text.render_clients_json(CARDS, "/v", TODAY),
    "clients.csv": lambda: text.render_clients_csv(CARDS),
    "show.txt": lambda: text.render_show_lines(CARDS[0], ITEMS[:1], LOG, TODAY),
    "show.json": lambda: text.render_show_json(CARDS[0], ITEMS[:1], LOG, PROBLEMS[:1], "/v", TODAY),
    "doctor.txt": lambda: iter((*text.render_problems_lines(PROBLEMS), *text.render_health_lines(HEALTH))),
    "doctor.json": lambda: text.render_problems_json(PROBLEMS, HEALTH, "/v"),
    "doctor.csv": lambda: text.render_problems_csv(PROBLEMS),
    "first-empty.txt": lambda: text.render_empty_vault("/home/anna/My Clients"),
    "first-none.txt": lambda: text.render_no_clients("/home/anna/notes", 1, ["People/Ann.md"]),
    "first-foreign.txt": lambda: text.render_foreign_vault("/home/anna/notes", 1200),
}


# How it looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("name", TABLES)
def test_tables_look_as_they_did(name: str, width: int, golden: Golden) -> None:
    golden(f"text/{name}-{width}.txt", join(TABLES[name](width, False)))


@pytest.mark.parametrize("name", PLAIN)
def test_other_formats_are_as_they_were(name: str, golden: Golden) -> None:
    golden(f"text/{name}", join(PLAIN[name]()))


@pytest.mark.parametrize("width", [1, 40, 61, 80, 119, 120, 200])
@pytest.mark.parametrize("name", TABLES)
def test_colour_only_adds_colour(name: str, width: int) -> None:
    colored = join(TABLES[name](width, True))
    assert re.sub(r"\x1b\[(?:1|2|32|33|1;31|0)m", "", colored) == join(TABLES[name](width, False))
    assert colored.count("\x1b[0m") * 2 == colored.count("\x1b[")


def test_red_is_late_and_yellow_is_due() -> None:
    drawn = join(TABLES["check"](80, True))
    assert "\x1b[1;31moverdue\x1b[0m   \x1b[1;31m5 days late\x1b[0m" in drawn
    assert "\x1b[33mdue\x1b[0m       \x1b[33muntil Fri 27 Nov\x1b[0m" in drawn
    assert "\x1b[32mAll clear" in join(TABLES["check-clear"](80, True))


@pytest.mark.parametrize("width", [40, 57, 80, 119, 120, 200])
@pytest.mark.parametrize("name", [name for name in TABLES if name not in ("doctor", "show")])
def test_no_line_is_wider_than_the_terminal(name: str, width: int) -> None:
    assert max(cell_len(line.rstrip("\n")) for line in TABLES[name](width, False)) <= width


def test_columns_stand_below_one_another_whatever_the_script() -> None:
    lines = [line for line in TABLES["check"](200, False) if line.startswith(("  due", "  overdue"))]
    kinds = [re.search(r"  (promise|feedback|contact|task)(  |\n)", line) for line in lines]
    assert len({cell_len(line[: kind.start()]) for line, kind in zip(lines, kinds, strict=True) if kind}) == 1
    assert all(kinds)


def test_the_limit_counts_clients_and_names_the_rest() -> None:
    drawn = join(TABLES["check-limited"](80, False))
    assert "… and 7 more clients (--limit 0 shows all)\n" in drawn
    assert "Keep in touch" in drawn, "all items of a client stand under its one heading"
    assert drawn.count("Thandi Nkosi") == 1
    assert "more client" not in join(render_table(AGENDA, 80, False, limit=0))


def test_owners_are_named_where_there_are_several() -> None:
    one = AGENDA._replace(items=[build_item("A", owner=("Anna",)), build_item("B", owner=("Anna",))])
    two = AGENDA._replace(items=[build_item("A", owner=("Anna",)), build_item("B")])
    assert "owner" not in join(render_table(one, 80, False))
    assert "A · no phone or e-mail · owner Anna\n" in join(render_table(two, 80, False))
    assert "B · no phone or e-mail · owner nobody\n" in join(render_table(two, 80, False))


# Words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (overdue("A", "x", "2026-11-21"), "1 day late"),
        (overdue("A", "x", "2023-07-07"), "1 234 days late"),
        (overdue("A", "x", f"{TODAY}T08:30"), "since 08:30"),
        (build_item(), "today"),
        (build_item(due=f"{TODAY}T14:30"), "today 14:30"),
        (build_item(due="2026-11-23"), "until tomorrow"),
        (build_item(due="2026-11-27"), "until Fri 27 Nov"),
        (build_item(due="2027-01-04"), "until Mon 4 Jan 2027"),
        (build_item(opens=None, due=None), "no date"),
        (upcoming("A", "x", "2026-11-25", "2026-11-30"), "from Wed 25 Nov"),
        (upcoming("A", "x", "2026-11-25", "2026-11-25"), "Wed 25 Nov"),
        (upcoming("A", "x", "2026-11-23T09:00", "2026-11-23T09:00"), "tomorrow 09:00"),
        (upcoming("A", "x", TODAY, TODAY, retry_on="2026-11-24"), "again Tue 24 Nov"),
        (build_item(status="missed", opens="2026-10-01", due="2026-10-05"), "closed Mon 5 Oct"),
    ],
)
def test_when(item: Item, words: str) -> None:
    assert agenda_table.format_when(item, agenda_table.Today(date.fromisoformat(TODAY))) == words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"phone": ("071 1", "072 2"), "email": ("a@b.example",)}, "071 1, 072 2"),
        ({"email": ("a@b.example",)}, "a@b.example"),
        ({"phone": ("071 1",), "email": ("a@b.example",), "contact_by": ("email",)}, "email a@b.example"),
        ({"phone": ("071 1",), "contact_by": ("call", "visit")}, "call or visit 071 1"),
        ({"phone": ("071 1",), "contact_by": ("visit",)}, "visit, 071 1"),
        ({"email": ("a@b.example",), "contact_by": ("letter", "video")}, "letter or video, a@b.example"),
        ({"contact_by": ("call",)}, "call"),
        ({"phone": ("071 1",), "contact_by": ("email",), "not_by": ("call",)}, "email, not by call"),
        ({"phone": ("071 1",), "contact_by": ("email",), "channel": "call"}, "call 071 1"),
        (
            {"phone": ("071 1",), "channel": "call", "not_by": ("call", "visit")},
            "071 1, not by call or visit",
        ),
        ({"phone": ("\u202a+27 71\u202c",)}, "+27 71"),
    ],
)
def test_how_to_reach_a_client(fields: dict[str, object], words: str) -> None:
    item = build_item(**fields)
    assert text.format_reach(item, item.channel) == words


@pytest.mark.parametrize(
    ("totals", "line"),
    [
        (TOTALS, "3 overdue and 5 due today at 8 clients · 1 240 000 ZAR at risk"),
        (Totals(1, 0, 0, 1, 0.0, "ZAR"), "1 overdue at 1 client"),
        (Totals(0, 3, 9, 2, 0.0, ""), "3 due today at 2 clients"),
        (Totals(2, 0, 9, 1, 99.5, ""), "2 overdue at 1 client · 99.50 at risk"),
        (Totals(0, 0, 9, 0, 0.0, ""), "Nothing overdue, nothing due today"),
    ],
)
def test_totals_in_one_line(totals: Totals, line: str) -> None:
    assert text.render_totals(totals) == line


def test_totals_can_say_what_is_to_come() -> None:
    assert (
        text.render_totals(Totals(1, 0, 1200, 1, 0.0, ""), upcoming=True)
        == "1 overdue at 1 client, 1 200 upcoming"
    )


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "0 min"), (45, "45 min"), (60, "1 h"), (65, "1 h 05"), (600, "10 h")]
)
def test_minutes(minutes: int, words: str) -> None:
    assert text.format_minutes(minutes) == words


# Nothing of a note comes out raw ------------------------------------------------------------------

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
TEXT = st.text(st.characters(), max_size=60)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
WORDS = st.sampled_from(["call", "email", "visit", "Rauchzeichen\x1b"])


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("Zoë 山田 🙂 محمد", "Zoë 山田 🙂 محمد"),
        ("red\x1b[31m", r"red\x1b[31m"),
        ("\x9b2J\x00\x7f", r"\x9b2J\x00\x7f"),
        ("a\tb\r\nc\nd\x0be\x0cf\x85g\u2028h\u2029i", "a b c d e f g h i"),
        ("abc\u202egpj.exe", r"abc\u202egpj.exe"),
        ("\u202a+27 82\u202c", "+27 82"),
        ("\u2066x\u2069\u200e\u200f\u061c", "x"),
        ("zero\u200bwidth\ufeff\xad", "zerowidth"),
        ("👩\u200d👧 می\u200cخواهم", "👩\u200d👧 می\u200cخواهم"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800 \udfff", r"\ud800 \udfff"),
        ("071\xa0234\u202f56", "071\xa0234\u202f56"),
        ("tag\U000e0041", "tag"),
    ],
)
def test_clean(raw: str, shown: str) -> None:
    assert text.clean(raw) == shown


@given(TEXT)
def test_clean_text_is_safe_and_stays(raw: str) -> None:
    once = text.clean(raw)
    assert not UNSAFE.search(once)
    assert text.clean(once) == once
    once.encode()


@st.composite
def any_items(draw: st.DrawFn) -> Item:
    word = {
        name: draw(TEXT)
        for name in ("path", "client", "client_path", "title", "kind", "reason", "company", "best_time")
    }
    day = st.sampled_from([None, TODAY, "2026-11-27", "2026-11-25T14:30", "2027-02-01"])
    return build_item(
        **word,
        status=draw(st.sampled_from(["overdue", "due", "upcoming", "missed"])),
        opens=draw(day),
        due=draw(day),
        days_late=draw(st.integers(1, 9999)),
        owner=draw(TEXTS),
        phone=draw(TEXTS),
        email=draw(TEXTS),
        contact_by=draw(st.lists(WORDS, max_size=2).map(tuple)),
        not_by=draw(st.lists(WORDS, max_size=2).map(tuple)),
        channel=draw(st.sampled_from(["", "call", "x\x1b"])),
        value=draw(st.none() | st.floats()),
        attempts=draw(st.integers(0, 3)),
        retry_on=draw(st.sampled_from([None, "2026-11-24"])),
        stale=draw(st.booleans()),
    )


def check_output(lines: Iterator[str], width: int | None = None) -> str:
    whole = join(line.replace("\r\n", "\n") for line in lines)
    whole.encode()
    assert not UNSAFE.search(whole.replace("\n", ""))
    if width:
        assert all(cell_len(line) <= width for line in whole.split("\n"))
    return whole


@settings(max_examples=60)
@given(st.lists(any_items(), max_size=4), st.integers(40, 220))
def test_whatever_a_note_says_follow_ups_come_out_safe(items: list[Item], width: int) -> None:
    agenda = AGENDA._replace(items=items)
    plans = [DayPlan(date.fromisoformat(TODAY), items[:2], items[2:3], 90, 60)]
    check_output(render_table(agenda, width, False, upcoming=items[0] if items else None), width)
    check_output(render_days_table(plans, items[3:], TODAY, width, False), width)
    check_output(text.render_days_markdown(plans, items[3:], TODAY))
    check_output(text.render_lines(items))
    check_output(text.render_days_lines(plans, items))
    assert len(json.loads(check_output(text.render_json(agenda, "/v")))["items"]) == len(items)
    rows = list(csv.reader(io.StringIO(check_output(text.render_csv(items)))))
    assert [len(row) for row in rows] == [len(ITEM_FIELDS)] * (len(items) + 1)


@settings(max_examples=60)
@given(TEXT, TEXT, TEXTS, st.integers(40, 220))
def test_whatever_a_note_says_clients_come_out_safe(
    one: str, two: str, many: tuple[str, ...], width: int
) -> None:
    card = CARDS[0]._replace(
        path=one,
        name=two,
        company=one,
        role=two,
        stage=one,
        owner=many,
        phone=many,
        aliases=many,
        address=two,
    )
    log = [build_entry(1, "2026-11-01", None, one, two, outcome=two, tags=many)]
    problem = Problem(one, 1, 1, two, one, two, one)
    check_output(render_clients_table([card], TODAY, width, False), width)
    check_output(render_show_table(card, [], log, [], TODAY, one, width, False), width)
    check_output(render_problems_table([problem], [text.Health(one, False, two, one)], width, False))
    check_output(text.render_clients_lines([card]))
    check_output(text.render_clients_csv([card]))
    check_output(text.render_show_lines(card, [], log, TODAY))
    check_output(text.render_problems_lines([problem]))
    check_output(text.render_empty_vault(one))
    check_output(text.render_no_clients(one, 2, many))
    check_output(text.render_foreign_vault(one, 2, two))
    found = json.loads(check_output(text.render_show_json(card, [], log, [problem], one, TODAY)))
    assert set(found) == {"format_version", "vault", "today", "client", "items", "log", "problems", "plan"}


@pytest.mark.parametrize(
    ("folder", "quoted"),
    [
        ("/home/anna/notes", "/home/anna/notes"),
        ("C:\\Users\\anna", "C:\\Users\\anna"),
        ("/home/anna/Büro", "/home/anna/Büro"),
        ("/home/anna/My Clients", '"/home/anna/My Clients"'),
        ("/home/anna/Wines&Co", '"/home/anna/Wines&Co"'),
        ("/home/anna/O'Brien", '"/home/anna/O\'Brien"'),
        ("/home/anna/$HOME it's", "'/home/anna/$HOME it'\\''s'"),
        ('/home/anna/"x"', "'/home/anna/\"x\"'"),
    ],
)
def test_a_folder_can_be_pasted_into_a_shell(folder: str, quoted: str) -> None:
    assert text.quote_path(folder) == quoted
    assert quoted in join(text.render_empty_vault(folder))


# Formats for programs -----------------------------------------------------------------------------


def test_json_is_the_object_that_the_contract_names() -> None:
    found = json.loads(join(text.render_json(AGENDA, "/v")))
    assert list(found) == ["format_version", "vault", "today", "totals", "items", "problems"]
    assert list(found["totals"]) == [
        "overdue",
        "due",
        "upcoming",
        "clients",
        "value_at_risk",
        "currency",
        "missed",
    ]
    assert " ".join(found["items"][0]) == (
        "path line client_path client_id client company owner kind step title reason channel opens due status"
        " days_late value phone email best_time minutes attempts retry_on stale conflict uid"
    )
    assert list(found["problems"][0]) == ["path", "line", "column", "code", "severity", "message", "hint"]
    assert found["items"][0]["value"] == 120000
    assert found["items"][5]["due"] is None
    assert found["items"][7]["client"] == "Evil\x1b[31m\u202eName\nnext", "nothing is lost, only escaped"
    assert found["items"][7]["path"] == r"Clients/caf\xe9.md", "but no JSON parser chokes on half a character"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3+cmd", "'-2+3+cmd"),
        (" \t=1+1", "'  =1+1"),
        ("＝1", "'＝1"),
        ("+27 71 234 5670", "+27 71 234 5670"),
        (("+27 71 234 5670", "+27 (0)11/555-0100"), "+27 71 234 5670; +27 (0)11/555-0100"),
        (-5.5, "-5.5"),
        (5.0, "5"),
        (None, ""),
        (True, "true"),
        ("a, b", "a, b"),
        ("two\nlines", "two lines"),
    ],
)
def test_a_cell_is_never_a_formula(value: object, cell: str) -> None:
    lines = list(text.render_clients_csv([CARDS[0]._replace(company=value)]))  # type: ignore[arg-type]
    assert next(csv.DictReader(io.StringIO("".join(lines))))["company"] == cell


def test_markdown_of_a_hostile_note_is_text() -> None:
    item = build_item(
        "a](b) <x> #tag", "![[x]] <script> `c` [due:: 1] %% **b** |", client_path="a #1 100%.md"
    )
    plans = [DayPlan(date.fromisoformat(TODAY), [item], [], 15, 60)]
    assert join(text.render_days_markdown(plans, [], TODAY)).splitlines()[-1] == (
        r"- [a\](b) \<x\> \#tag](<a %231 100%25.md>): !\[\[x\]\] \<script\> \`c\` \[due:: 1\] %\% \*\*b\*\* \|"
        " (contact; 15 min)"
    )


def test_lines_of_the_index_and_of_items_are_the_same() -> None:
    item = ITEMS[0]
    head, tail = text.line_parts(item.path, item.line, item.client, item.title, item.kind)
    assert [f"{head}{item.status} {item.due}{tail}\n"] == list(text.render_lines([item]))


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("notesync.publish.text", {"json", "csv", "rich", "re", "yaml", "dateutil", "dataclasses"}),
        ("notesync.publish.agenda_table", {"rich.console", "rich.text", "rich.table", "yaml", "json"}),
    ],
)
def test_imports_stay_light(module: str, forbidden: set[str]) -> None:
    code = f"import sys; before = set(sys.modules); import click, typing; import {module}; print(*set(sys.modules))"
    bare = "import sys, click, typing; print(*set(sys.modules))"
    loaded, base = (
        set(
            subprocess.run(
                [sys.executable, "-c", script], capture_output=True, check=True, text=True
            ).stdout.split()
        )
        for script in (code, bare)
    )
    assert not forbidden & (loaded - base)
