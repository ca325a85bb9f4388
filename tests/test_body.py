"""A note's body as people write it, then the log entries, tasks and problems that come of it."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notesync.notes import tasks as tasks_module
from notesync.notes import words as words_module
from notesync.notes.body import (
    ATTEMPTS,
    CHANNELS,
    Body,
    Entry,
    Task,
    find_channel,
    find_links,
    parse_bodies,
    parse_body,
)
from notesync.notes.lines import Lines
from notesync.notes.log import compile_heading, read_plain_log
from notesync.notes.loglines import LogReading
from notesync.notes.note import parse_note
from notesync.notes.spelled import suggest_dates

D20 = date(2026, 11, 20)
D25 = date(2026, 11, 25)


def read(body: str, **options: Any) -> Body:
    return parse_body(parse_note(f"---\ntype: client\n---\n{body}".encode(), "Clients/Anna.md"), **options)


def read_log(log: str, **options: Any) -> Body:
    return read(f"## Log\n{log}", **options)


def entry(log: str) -> Entry:
    found = read_log(log)
    assert found.problems == ()
    assert len(found.entries) == 1
    return found.entries[0]


def task(line: str, **options: Any) -> Task:
    found = read(f"{line}\n", **options)
    assert len(found.tasks) == 1
    return found.tasks[0]


def problems(body: Body) -> list[tuple[str, int, int]]:
    return [(problem.code, problem.line, problem.column) for problem in body.problems]


# --------------------------------------------------------------------------------- one log entry

# What stands behind "- 2026-11-20", and: minute, channel, attempt, outcome, text.
LINES: dict[str, tuple[int | None, str | None, bool, str, str]] = {
    " 14:30 call (no answer): left a message with reception": (
        870, "call", True, "no answer", "left a message with reception",
    ),
    " call: happy with it": (None, "call", False, "", "happy with it"),
    " call": (None, "call", False, "", ""),
    "": (None, None, False, "", ""),
    " Call: Happy": (None, "call", False, "", "Happy"),
    " 9:05 visit: shown round": (545, "visit", False, "", "shown round"),
    "T14:30 call: x": (870, "call", False, "", "x"),
    "T14:30:00+02:00 call: x": (870, "call", False, "", "x"),
    " 14:30-15:00 call: x": (870, "call", False, "", "x"),
    " 14:30 – 15:00 call: x": (870, "call", False, "", "x"),
    " 2:30 pm call: x": (870, "call", False, "", "x"),
    " 12:05am call: x": (5, "call", False, "", "x"),
    " 25:00 call: x": (None, None, False, "", "25:00 call: x"),
    " just talked about the weather": (None, None, False, "", "just talked about the weather"),
    " her words: call me": (None, None, False, "", "her words: call me"),
    " in person: signed": (None, "visit", False, "", "signed"),
    " video call: demo of the new version": (None, "video", False, "", "demo of the new version"),
    " phone call (busy): try Tuesday": (None, "call", True, "busy", "try Tuesday"),
    " WhatsApp: sent the brochure": (None, "message", False, "", "sent the brochure"),
    " e-mail (bounced)": (None, "email", True, "bounced", ""),
    " thank-you card: posted": (None, "letter", False, "", "posted"),
    " called Anna about it": (None, "call", False, "", "called Anna about it"),
    " call with Anna: she agreed": (None, "call", False, "", "call with Anna: she agreed"),
    " call - talked about prices": (None, "call", False, "", "talked about prices"),
    " call, no answer": (None, "call", True, "no answer", "no answer"),
    " call no answer": (None, "call", True, "no answer", "no answer"),
    " call: No answer, will try again": (None, "call", True, "no answer", "No answer, will try again"),
    " call: no answer: try Tuesday": (None, "call", True, "no answer", "try Tuesday"),
    " no answer": (None, None, True, "no answer", "no answer"),
    " (no answer): try again": (None, None, True, "no answer", "try again"),
    " left a message with reception": (None, None, True, "left a message", "with reception"),
    " rang out": (None, None, True, "rang out", "rang out"),
    " call (Happy): will buy": (None, "call", False, "Happy", "will buy"),
    " visit: cancelled": (None, "visit", True, "cancelled", "cancelled"),
    " visit: cancelled by them": (None, "visit", True, "cancelled", "cancelled by them"),
    " call: cancelled the order": (None, "call", False, "", "cancelled the order"),
    " call: engaged": (None, "call", True, "engaged", "engaged"),
    " call: engaged with the new team": (None, "call", False, "", "engaged with the new team"),
    " call: not in favour of the price": (None, "call", False, "", "not in favour of the price"),
    " call: not in until Monday": (None, "call", True, "not in", "not in until Monday"),
    " call: didn’t answer": (None, "call", True, "didn't answer", "didn’t answer"),
    " video meeting (no show)": (None, "video", True, "no show", ""),
    " (she was glad) to see us": (None, None, False, "", "(she was glad) to see us"),
    ": call: x": (None, "call", False, "", "x"),
    " – call – x": (None, "call", False, "", "x"),
    " post-sale meeting: fine": (None, None, False, "", "post-sale meeting: fine"),
    " Teams: https://example.com/a": (None, "video", False, "", "https://example.com/a"),
    " https://example.com/a": (None, None, False, "", "https://example.com/a"),
    " 14:30 call: -5 % is too little": (870, "call", False, "", "-5 % is too little"),
    ": - prices": (None, None, False, "", "- prices"),
    " - prices": (None, None, False, "", "prices"),
    " 14:30 call: she said *yes*": (870, "call", False, "", "she said *yes*"),
    " *happy* with it": (None, None, False, "", "*happy* with it"),
    " **call: happy**": (None, "call", False, "", "happy"),
    r" call: 20 %\% off": (None, "call", False, "", "20 %% off"),
    r" 14:30 call: a <\!-- b": (870, "call", False, "", "a <!-- b"),
    r" call: C:\_new": (None, "call", False, "", r"C:\_new"),
}  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_one_line_of_the_log(line: str) -> None:
    found = entry(f"- 2026-11-20{line}\n")
    assert (found.line, found.column, found.day) == (5, 1, D20)
    assert (found.minute, found.channel, found.attempt, found.outcome, found.text) == LINES[line]


STARTS = {
    "a dash": "- 2026-11-20 call: x",
    "an asterisk": "* 2026-11-20 call: x",
    "a plus": "+ 2026-11-20 call: x",
    "a number": "12. 2026-11-20 call: x",
    "a number with a bracket": "1) 2026-11-20 call: x",
    "two blanks": "-  2026-11-20 call: x",
    "a tab": "-\t2026-11-20 call: x",
    "a linked date": "- [[2026-11-20]] call: x",
    "a linked date in a folder": "- [[Daily/2026-11-20|Friday]] call: x",
    "a Markdown link": "- [2026-11-20](Daily/2026-11-20.md) call: x",
    "a bold date": "- **2026-11-20** call: x",
    "a bold date with its colon": "- **2026-11-20**: call: x",
    "a ticked box": "- [x] 2026-11-20 call: x",
    "a quote": "> - 2026-11-20 call: x",
    "a callout": "> [!note] Log\n> - 2026-11-20 call: x",
    "an indent": "  - 2026-11-20 call: x",
    "an indent by a tab": "\t- 2026-11-20 call: x",
    "a heading": "### 2026-11-20 call: x",
    "a heading with a link": "### [[2026-11-20]] call: x",
    "under a month's heading": "### November\n- 2026-11-20 call: x",
    "under a month's item": "- November\n  - 2026-11-20 call: x",
}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", STARTS)
def test_ways_to_begin_an_entry(name: str, newline: str) -> None:
    found = (
        entry((STARTS[name] + "\nLater words\n").replace("\n", newline)) if "heading" not in name else None
    )
    if found is None:
        found = entry(STARTS[name].replace("\n", newline))
    assert (found.day, found.channel, found.text.partition("\n")[0]) == (D20, "call", "x")


def test_a_line_without_its_dash_is_read_with_a_warning() -> None:
    found = read_log(
        "2026-11-20 call: x\nand y\n2026-11-19 email: z\n- 2026-11-18 call: a\n2026-11-17 was worse\n"
    )
    assert [(e.day.day, e.text) for e in found.entries] == [
        (20, "x\nand y"),
        (19, "z"),
        (18, "a\n2026-11-17 was worse"),
    ]
    assert problems(found) == [("log-without-dash", 5, 1), ("log-without-dash", 7, 1)]


def test_indented_lines_below_belong_to_the_entry() -> None:
    log = (
        "- 2026-11-20 call: first\n"
        "  second\n"
        "\n"
        "  - third #tag\n"
        "\t- 2026-11-19 said she\n"
        "lazy line\n"
        "- 2026-11-18 email: next\n"
        "\n"
        "Words outside.\n"
    )
    found = read_log(log)
    assert [e.text for e in found.entries] == [
        "first\nsecond\n- third #tag\n- 2026-11-19 said she\nlazy line",
        "next",
    ]
    assert found.entries[0].tags == ("tag",)
    assert found.entries[1].line == 11
    assert found.problems == ()


def test_lines_below_an_entry_are_read_as_they_stand_but_for_a_backslash_that_keeps_them_words() -> None:
    log = (
        "- 2026-11-20 call: first\n  2026-11-21T10:15:30 she  wrote\n  -   [[Ben]]\n"
        "  \\- [ ] not a task\n  3\\. [x] nor this\n  \\# no heading\n  \\> no quote\n  \\```\n  \\*bold\n  \\\\# x\n"
    )
    found = read_log(log)
    assert found.tasks == ()
    assert found.entries[0].text.split("\n") == [
        "first", "2026-11-21T10:15:30 she  wrote", "-   [[Ben]]", "- [ ] not a task", "3. [x] nor this",
        "# no heading", "> no quote", "```", "\\*bold", "\\# x",
    ]  # fmt: skip


def test_bold_that_closes_behind_the_words_is_none_of_them() -> None:
    assert entry("- **2026-11-20 call: x**\n").text == "x"
    found = entry("- **2026-11-20** 14:30 call: **x**\n")
    assert (found.minute, found.text) == (870, "**x**")


def test_text_below_a_dated_heading_belongs_to_its_entry() -> None:
    found = read(
        "# Log\n## 2026-11-20 14:30 visit: the fair\nA long talk.\n\n- about prices #promise\n- and delivery\n"
        "- 2026-11-19 call: an entry of its own\n## 2026-11-18\nCalled.\n# Other\n- 2026-01-01 call: no log\n"
    )
    assert [(e.day.day, e.channel, e.text) for e in found.entries] == [
        (20, "visit", "the fair\nA long talk.\n- about prices #promise\n- and delivery"),
        (19, "call", "an entry of its own"),
        (18, None, "Called."),
    ]
    assert found.entries[0].tags == ("promise",)
    assert found.entries[0].minute == 870


HEADINGS = {
    "## Log": True,
    "# log": True,
    "###### LOG": True,
    "## Log ##": True,
    "## Log:": True,
    "## **Log**": True,
    "##  Log  ": True,
    "## Log ^block": True,
    "## Logistics": False,
    "## Call log": False,
    "##Log": False,
    "####### Log": False,
    "Log": False,
}


@pytest.mark.parametrize("heading", HEADINGS)
def test_headings_of_a_log(heading: str) -> None:
    assert bool(read(f"\n{heading}\n\n- 2026-11-20 call: x\n").entries) is HEADINGS[heading]


def test_a_log_ends_at_the_next_heading_of_its_level_and_there_may_be_several() -> None:
    found = read(
        "## Log\n- 2026-11-01 call\n### Older\n- 2026-10-01 call\n## Notes\n- 2026-09-01 call\n- words\n"
        "## Log\n- 2026-08-01 call\n# Top\n- 2026-07-01 call\n### Contacts\n- 2026-06-01 call",
        log_headings=("Log", "Contacts"),
    )
    assert [e.day.month for e in found.entries] == [11, 10, 8, 6]
    assert found.problems == ()


def test_other_names_of_the_log_are_taken_as_they_are() -> None:
    assert len(read("## C++ (log)\n- 2026-11-20 call", log_headings=("C++ (log)",)).entries) == 1
    assert read("## Log\n- 2026-11-20 call", log_headings=()).entries == ()


def test_a_note_without_front_matter_has_a_log_too() -> None:
    found = parse_body(parse_note(b"# Log\n- 2026-11-20 call: x\n- [ ] y\n", "a.md"))
    assert [(e.line, e.column) for e in found.entries] == [(2, 1)]
    assert [(t.line, t.entry_day) for t in found.tasks] == [(3, D20)]


def test_newest_first_or_last_is_kept_as_it_stands() -> None:
    found = read_log("- 2026-11-18 call\n- 2026-11-20 call\n- 2026-11-19 call\n")
    assert [(e.line, e.day.day) for e in found.entries] == [(5, 18), (6, 20), (7, 19)]


BAD_DATES = {
    "- 25/11/2026 call: x": (("bad-date", 5, 3), "2026-11-25"),
    "- 2026-02-30 call: x": (("bad-date", 5, 3), "year-month-day"),
    "- 11/12/2026 call": (("bad-date", 5, 3), "2026-12-11 or 2026-11-12"),
    "- Nov 25 2026 call": (("bad-date", 5, 3), "2026-11-25"),
    "- 25 November 2026: call": (("bad-date", 5, 3), "2026-11-25"),
    "- 2026/11/25 call": (("bad-date", 5, 3), "2026-11-25"),
    "- 20261125 call": (("bad-date", 5, 3), "2026-11-25"),
    "- 2026-1-5 call": (("bad-date", 5, 3), "2026-01-05"),
    "- ２０２６-１１-２５ call": (("bad-date", 5, 3), "2026-11-25"),
    "- 25 Nov call": (("bad-date", 5, 3), "year-month-day"),
    "### 25.11.2026\n\nwords": (("bad-date", 5, 5), "2026-11-25"),
    "- call: no day": (("log-without-date", 5, 1), "Begin it with the day"),
    "- November": (("log-without-date", 5, 1), "Begin it with the day"),
}


@pytest.mark.parametrize("log", BAD_DATES)
def test_an_entry_without_a_readable_date_is_never_skipped_in_silence(log: str) -> None:
    found = read_log(f"{log}\n- 2026-11-20 call: good\n")
    assert [e.text for e in found.entries] == ["good"]
    place, mend = BAD_DATES[log]
    assert problems(found) == [place]
    assert mend in found.problems[0].hint


@pytest.mark.parametrize(
    "log",
    ["", "- \n-\n", "---\n", "* * *\n", "Words only.\n", "- [ ] a task\n", "```\n- x\n```\n", "%% - x %%\n"],
)
def test_what_is_no_log_item_is_no_problem(log: str) -> None:
    found = read_log(log)
    assert (found.entries, found.problems) == ((), ())


def test_tags_are_lower_case_and_each_once() -> None:
    found = entry(
        "- 2026-11-20 call: #Promise and #promise, #kept/late #größe (#sold) #3 a#b http://x.y/#z `#code`\n"
    )
    assert found.tags == ("promise", "kept/late", "grösse", "sold")


def test_inline_fields_and_the_calendar_sign() -> None:
    found = entry(
        "- 2026-11-20 call: #sold [delivery:: 2026-12-01] (value:: 120 000) [by:: [[Ben]]] #promise 📅 2026-11-25\n"
        "  and [Note:: a (b)] `[code:: x]`\n"
    )
    assert found.fields == (
        ("delivery", "2026-12-01"),
        ("value", "120 000"),
        ("by", "[[Ben]]"),
        ("note", "a (b)"),
        ("due", "2026-11-25"),
    )


def test_a_tag_in_the_brackets_counts() -> None:
    found = entry("- 2026-11-20 call (fixed #resolved): thanks\n")
    assert (found.tags, found.outcome, found.text) == (("resolved",), "fixed #resolved", "thanks")


def test_a_calendar_sign_without_a_day_in_an_entry_is_a_problem() -> None:
    found = read_log("- 2026-11-20 call: #promise 📅 25/11/2026\n")
    assert problems(found) == [("bad-date", 5, 29)]
    assert "2026-11-25" in found.problems[0].hint
    assert found.entries[0].fields == ()


def test_a_task_below_an_entry_is_a_task_and_no_part_of_its_text() -> None:
    found = read_log(
        "- 2026-11-20 call: asked for a quote\n  - [ ] send quote #promise\n  - they like blue\n- [ ] later\n"
        "- 2026-11-19 call: x\n"
    )
    assert [(e.text, e.tags) for e in found.entries] == [
        ("asked for a quote\n- they like blue", ()),
        ("x", ()),
    ]
    assert [(t.text, t.line, t.column, t.entry_day) for t in found.tasks] == [
        ("send quote", 6, 3, D20),
        ("later", 8, 1, D20),
    ]


# -------------------------------------------------------------------------------------- daily notes


def test_entries_of_clients_in_a_daily_note() -> None:
    note = parse_note(
        (
            b"# Friday\n\n## Log\n- [[Acme]] call: wants a quote\n  blue ones\n"
            b"- 14:30 [[Clients/Bolt|Bolt]] visit (no show)\n"
            b"- bought milk\n- 2026-11-19 [[Acme]] email: late\n- [[Core#Anna]]: hello\n"
        ),
        "Daily/2026-11-20.md",
    )
    found = parse_body(note, daily=D20)
    assert [(e.client, e.day.day, e.minute, e.channel, e.attempt, e.text) for e in found.entries] == [
        ("Acme", 20, None, "call", False, "wants a quote\nblue ones"),
        ("Clients/Bolt", 20, 870, "visit", True, ""),
        ("", 19, None, None, False, "[[Acme]] email: late"),
        ("Core", 20, None, None, False, "hello"),
    ]
    assert found.problems == ()


# ----------------------------------------------------------------------------- code and comments

HIDDEN = {
    "fence": "```\n- [ ] x\n- 2026-11-20 call\n```\n",
    "fence with a language": "```md\n- [ ] x\n```\n",
    "tildes": "~~~\n- [ ] x\n```\n- 2026-11-20 call\n~~~\n",
    "longer fence": "````\n```\n- [ ] x\n```\n- 2026-11-20 call\n````\n",
    "fence in a quote": "> ```\n> - [ ] x\n> ```\n",
    "fence in a list item": "- 2026-11-19 call: y\n  ```\n  - [ ] x\n  ```\n",
    "comment": "%%\n- [ ] x\n- 2026-11-20 call\n%%\n",
    "comment in a line": "%% - [ ] x %%\n",
    "HTML comment": "<!--\n- [ ] x\n- 2026-11-20 call\n-->\n",
    "HTML comment in a line": "<!-- x -->\n<!--\n- [ ] x -->\n",
}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", HIDDEN)
def test_code_and_comments_hold_neither_tasks_nor_entries(name: str, newline: str) -> None:
    text = f"{HIDDEN[name]}\n- 2026-11-18 call: seen\n- [ ] seen\n".replace("\n", newline)
    found = read_log(text)
    assert [e.text for e in found.entries if e.day.day != 19] == ["seen"]
    assert [t.text for t in found.tasks] == ["seen"]
    assert found.problems == ()
    assert found.tasks[0].line == 5 + HIDDEN[name].count("\n") + 2


NOT_HIDDEN = {
    "a percentage": "100%% sure\n",
    "an open comment": "<!-- never closed\n",
    "a fence in inline code": "Use ``` to begin code\n",
    "a fence in words": "`` ``` `` is a fence\n",
    "a quote that ends": "> ```\n> code\n",
    "a list item that ends": "- 2026-11-17 call\n  ```\n  code\n",
}


@pytest.mark.parametrize("name", NOT_HIDDEN)
def test_what_only_looks_like_code_or_a_comment_hides_nothing(name: str) -> None:
    found = read(f"{NOT_HIDDEN[name]}\n- [ ] seen\n")
    assert [t.text for t in found.tasks] == ["seen"]


def test_a_code_block_never_closed_hides_the_rest_with_a_warning() -> None:
    found = read("Words\n\n```python\nx = 1\n\n## Log\n- 2026-11-20 call\n")
    assert found.entries == ()
    assert problems(found) == [("unclosed-code", 6, 1)]
    assert problems(read("```\nx = 1\n\n- [ ] lost\n")) == [("unclosed-code", 4, 1)]
    assert problems(read("- [ ] above\n\n```\nx = 1\n")) == []


def test_a_comment_inside_an_entry_is_not_shown() -> None:
    assert entry("- 2026-11-20 call: fine %%stingy%% indeed\n").text == "fine  indeed"


# -------------------------------------------------------------------------------------------- tasks

# A line, and what differs from an open task with the text "x".
TASK_LINES: dict[str, dict[str, Any]] = {
    "- [ ] x": {},
    "* [ ] x": {},
    "+ [ ] x": {},
    "1. [ ] x": {},
    "12) [ ] x": {},
    "-   [ ] x": {},
    "-\t[ ]\tx": {},
    "  - [ ] x": {"column": 3},
    "\t- [ ] x": {"column": 2},
    "> - [ ] x": {"column": 3},
    "> > * [ ] x": {"column": 5},
    "- [ ]x": {},
    "- [ ]": {"text": ""},
    "- [x] x": {"mark": "x", "open": False},
    "- [X] x": {"mark": "X", "open": False},
    "- [-] x": {"mark": "-", "open": False},
    "- [/] x": {"mark": "/"},
    "- [h] x": {"mark": "h"},
    "- [>] x": {"mark": ">"},
    "- [ ] x 📅 2026-11-25": {"due": D25},
    "- [ ] x 📅2026-11-25": {"due": D25},
    "- [ ] x 📅\ufe0f 2026-11-25": {"due": D25},
    "- [ ] x 📆 2026-11-25": {"due": D25},
    "- [ ] x 🗓\ufe0f 2026-11-25": {"due": D25},
    "- [ ] x ⏳ 2026-11-25": {"scheduled": D25},
    "- [ ] x ⌛ 2026-11-25": {"scheduled": D25},
    "- [ ] x 🛫 2026-11-20 📅 2026-11-25": {"start": D20, "due": D25},
    "- [ ] x ➕ 2026-11-20": {"created": D20},
    "- [x] x 📅 2026-11-25 ✅ 2026-11-20": {"mark": "x", "open": False, "due": D25, "done": D20},
    "- [ ] x ✅ 2026-11-20": {"open": False, "done": D20},
    "- [ ] x ❌ 2026-11-20": {"open": False, "cancelled": D20},
    "- [-] x ❌ 2026-11-20": {"mark": "-", "open": False, "cancelled": D20},
    "- [ ] x 🔺": {"priority": "highest"},
    "- [ ] x ⏫ 📅 2026-11-25": {"priority": "high", "due": D25},
    "- [ ] x 🔼": {"priority": "medium"},
    "- [ ] x 🔽": {"priority": "low"},
    "- [ ] x ⏬\ufe0f": {"priority": "lowest"},
    "- [ ] x 🔁 every week 📅 2026-11-25": {"recurrence": "every week", "due": D25},
    "- [ ] x 📅 2026-11-25 🔁 every 2 weeks, when done!": {"recurrence": "every 2 weeks, when done!", "due": D25},
    "- [ ] x 🔁 每周 📅 2026-11-25": {"recurrence": "每周", "due": D25, "text": "x 🔁 每周"},
    "- [ ] x 🏁 delete 📅 2026-11-25": {"due": D25},
    "- [ ] x 🆔 ab-1_C ⛔ d1, e2": {"id": "ab-1_C", "depends_on": ("d1", "e2")},
    "- [ ] x 📅 2026-11-25 ^ab-1": {"due": D25, "block": "ab-1"},
    "- [ ] x #promise 📅 2026-11-25 #Money": {"due": D25, "tags": ("promise", "money")},
    "- [ ] x #a ⏫ #b 📅 2026-11-25 #c": {"due": D25, "priority": "high", "tags": ("a", "b", "c")},
    "- [ ] x #a y 📅 2026-11-25": {"due": D25, "tags": ("a",), "text": "x #a y"},
    "- [ ] x 📅 2026-11-20 📅 2026-11-25": {"due": D20},
    "- [ ] x [due:: 2026-11-25]": {"due": D25},
    "- [ ] x (due:: 2026-11-25)": {"due": D25},
    "- [ ] x  [priority:: high]  [scheduled:: 2026-11-20],  [due:: 2026-11-25]": {
        "priority": "high", "scheduled": D20, "due": D25,
    },
    "- [ ] x [repeat:: every week] [id:: a1] [dependsOn:: b2,c3] [onCompletion:: delete] [start:: 2026-11-20] "
    "[created:: 2026-11-20]": {
        "recurrence": "every week", "id": "a1", "depends_on": ("b2", "c3"), "start": D20, "created": D20,
    },
    "- [x] x [completion:: 2026-11-20]": {"mark": "x", "open": False, "done": D20},
    "- [-] x [cancelled:: 2026-11-20]": {"mark": "-", "open": False, "cancelled": D20},
    "- [ ] x [due:: ]": {"text": "x"},
    "- [ ] x [client:: Acme] 📅 2026-11-25": {"due": D25, "text": "x [client:: Acme]"},
    "- [ ] x ⏰ 2026-11-24 10:00 📅 2026-11-25": {"due": D25, "text": "x ⏰ 2026-11-24 10:00"},
    "- [ ] x (@2026-11-24 10:00)": {"text": "x (@2026-11-24 10:00)"},
    "- [ ] x 2026-11-25": {"text": "x 2026-11-25"},
    "- [ ] x `📅 2026-11-25`": {"text": "x `📅 2026-11-25`"},
    "- [ ] x ✅ done": {"text": "x ✅ done"},
    "- [ ] send to [[Acme|them]] and [[Clients/Bolt#Anna]] 📅 2026-11-25": {
        "due": D25, "text": "send to [[Acme|them]] and [[Clients/Bolt#Anna]]", "links": ("Acme", "Clients/Bolt"),
    },
    "- [ ] see [it](Clients/A%20B.md#x) or [web](https://x.y/z)": {
        "text": "see [it](Clients/A%20B.md#x) or [web](https://x.y/z)", "links": ("Clients/A B.md",),
    },
    "- [1] x 📅 2026-11-25": {"mark": "1", "due": D25},
}  # fmt: skip


@pytest.mark.parametrize("line", TASK_LINES)
def test_a_task_line(line: str) -> None:
    found = read(f"\n{line}\n")
    want = Task(
        5, 1, " ", True, "x", (), None, None, None, None, None, None, None, "", "", (), None, (), "", "",
    )._replace(**TASK_LINES[line])  # fmt: skip
    assert found.tasks == (want,)
    assert found.problems == ()


@pytest.mark.parametrize(
    "line",
    [
        "- [t](https://example.com)",
        "- [a][ref]",
        "- [1] a footnote",
        "- [x]: https://example.com",
        "- [[x]]",
        "- [] x",
        "- [xx] x",
        "[ ] x",
        "-[ ] x",
        "words - [ ] x",
        "# - [ ] x",
        "- [^1] note",
        "1234567890. [ ] x",
    ],
)
def test_what_only_looks_like_a_task(line: str) -> None:
    assert read(f"{line}\n").tasks == ()


# Hidden from the plugin, counted here: the line, the field's column, what differs from an open task.
HIDDEN_FIELDS: dict[str, tuple[int, dict[str, Any]]] = {
    "- [ ] x 📅 2026-11-25 (late)": (9, {"due": D25, "text": "x (late)"}),
    "- [ ] x 📅 2026-11-25.": (9, {"due": D25, "text": "x ."}),
    "- [ ] x 📅 2026-11-25 #money see notes": (
        9,
        {"due": D25, "text": "x #money see notes", "tags": ("money",)},
    ),
    "- [ ] x 📅 2026-11-25 10:40": (9, {"due": D25, "text": "x 10:40"}),
    "- [ ] x 📅 2026-11-25 [[Acme]]": (9, {"due": D25, "text": "x [[Acme]]", "links": ("Acme",)}),
    "- [ ] x 📅\u00a02026-11-25": (9, {"due": D25}),
    "- [ ] x 📅 [[2026-11-25]]": (9, {"due": D25}),
    "- [ ] x [due:: [[2026-11-25]]]": (9, {"due": D25}),
    "- [ ] x ⏳ 2026-11-20 soon 📅 2026-11-25": (9, {"scheduled": D20, "due": D25, "text": "x soon"}),
    "- [ ] x 📅 2026-11-20 or 📅 2026-11-25": (9, {"due": D25, "text": "x 📅 2026-11-20 or"}),
    "- [ ] x [due:: 2026-11-25] and more": (9, {"due": D25, "text": "x and more"}),
}


@pytest.mark.parametrize("line", HIDDEN_FIELDS)
def test_a_good_date_that_the_plugin_would_hide_counts_with_a_warning(line: str) -> None:
    column, differs = HIDDEN_FIELDS[line]
    found = read(f"{line}\n")
    want = Task(
        4, 1, " ", True, "x", (), None, None, None, None, None, None, None, "", "", (), None, (), "", "",
    )._replace(**differs)  # fmt: skip
    assert found.tasks == (want,)
    assert problems(found) == [("hidden-field", 4, column)]


def test_a_hidden_done_date_closes_nothing_by_itself() -> None:
    assert task("- [ ] was ✅ 2026-11-01 by Ben, again 📅 2026-11-25").open
    assert task("- [x] x ✅ 2026-11-20 by Ben").done == D20


BAD_TASK_DATES = {
    "- [ ] x 📅 2026-02-30": ("bad-date", "error", 11, "year-month-day"),
    "- [ ] x 📅 25/11/2026": ("bad-date", "error", 9, "2026-11-25"),
    "- [ ] x 📅 2023-xx-xx": ("bad-date", "error", 9, "year-month-day"),
    "- [ ] x 📅 tomorrow": ("bad-date", "warning", 9, "year-month-day"),
    "- [ ] x ⏳": ("bad-date", "warning", 9, "year-month-day"),
    "- [ ] x [due:: 25/11/2026]": ("bad-date", "error", 9, "2026-11-25"),
}


@pytest.mark.parametrize("line", BAD_TASK_DATES)
def test_a_sign_without_a_readable_date_is_a_problem(line: str) -> None:
    found = read(f"{line}\n")
    code, severity, column, mend = BAD_TASK_DATES[line]
    assert [(p.code, p.severity, p.line, p.column) for p in found.problems] == [(code, severity, 4, column)]
    assert mend in found.problems[0].hint
    assert found.tasks[0].due is None
    assert read(line.replace("[ ]", "[x]")).problems == ()


def test_the_global_filter_of_the_tasks_plugin() -> None:
    text = "- [ ] a #task 📅 2026-11-25\n- [ ] b 📅 2026-11-25\n- [ ] c #tasks\n"
    assert [t.text for t in read(text, tasks_filter="#task").tasks] == ["a", "c"]  # any text, says the plugin
    assert [t.text for t in read(text).tasks] == ["a", "b", "c"]
    assert [t.text for t in read("- [ ] todo: a\n- [ ] b\n", tasks_filter="todo:").tasks] == ["todo: a"]


def test_links_of_a_text() -> None:
    assert find_links("[[A]] ![[B|b]] [[A#x]] [c](<C.md>) [m](mailto:x@y) [[ ]] [[D^e]]") == (
        "A",
        "B",
        "D",
        "C.md",
    )


# ---------------------------------------------------------------------------------------- the rest


@pytest.mark.parametrize(
    ("words", "channel"),
    [
        ("Phone", "call"), ("rang", "call"), ("WhatsApp", "message"), ("SMS", "message"), ("text", "message"),
        ("met", "visit"), ("meeting", "visit"), ("in  person", "visit"), ("Zoom", "video"), ("Teams", "video"),
        ("demo", "visit"), ("post", "letter"), ("E-Mail", "email"), ("pigeon", "pigeon"),
        (" Carrier  pigeon ", "Carrier pigeon"),
    ],
)  # fmt: skip
def test_everyday_words_for_channels(words: str, channel: str) -> None:
    assert find_channel(words) == channel


def test_the_words_are_lower_case_and_mean_one_thing() -> None:
    assert set(CHANNELS.values()) == {"call", "visit", "video", "email", "message", "letter"}
    for phrase in (*CHANNELS, *ATTEMPTS):
        assert phrase == " ".join(phrase.casefold().split())
        assert len(phrase.split()) <= 4
    assert not set(CHANNELS) & set(ATTEMPTS)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("25/11/2026", ("2026-11-25",)),
        ("11/25/2026", ("2026-11-25",)),
        ("5.6.26", ("2026-06-05", "2026-05-06")),
        ("01/01/1980", ("1980-01-01",)),
        ("2026.11.25", ("2026-11-25",)),
        ("Friday, December 9th 2022, 1:36", ("2022-12-09",)),
        ("9th of Dec. 2022", ("2022-12-09",)),
        ("2022年6月9日15:47", ("2022-06-09",)),
        ("31/31/2026", ()),
        ("tomorrow", ()),
        ("25/11", ()),
        ("123/4/5", ()),
        ("٢٥/١١/٢٠٢٦", ("2026-11-25",)),
    ],
)
def test_suggested_readings_of_a_date(text: str, readings: tuple[str, ...]) -> None:
    assert suggest_dates(text) == readings


def test_line_separators_end_no_line() -> None:
    found = read("A\u2028B\x0cC\x85D\n## Log\n- 2026-11-20 call: a\u2028b\n- [ ] y\x0b📅 2026-11-25\n")
    assert [(e.line, e.text) for e in found.entries] == [(6, "a\u2028b")]
    assert [t.line for t in found.tasks] == [7]


FRAGMENTS = [
    "## Log", "\n", "\n", "\r", "\r\n", "- ", "* ", "1. ", "2026-11-20", "2026-02-30", " 14:30", " call",
    " (no answer)", ": ", "[ ] ", "[x] ", "[1] ", "📅 2026-11-25", "📅", "[due:: 2026-11-25]", "(due:: x)",
    "🔁 every week", "#promise", "#", "`", "```", "~~~", "%%", "<!--", "-->", "> ", "  ", "\t", "[[Acme]]", "](x.md)",
    "### 2026-11-19", "# A", "25/11/2026", "Nov 3", "words", "\0", "\u2028", "\ufe0f", "🆔 a", "⛔ b", "^c", "**", "é",
]  # fmt: skip
awkward = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join)


@given(st.one_of(awkward, st.text(max_size=80)), st.sampled_from([None, D20]))
@settings(max_examples=600, deadline=None)
def test_any_body_is_read_and_every_place_is_true(text: str, daily: date | None) -> None:
    note = parse_note(text.encode("utf-8", "surrogatepass"), "a.md")
    found = parse_body(note, daily=daily)
    lines = note.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for item in found.entries:
        rest = lines[item.line - 1][item.column - 1 :]
        assert rest[0] in "-*+#[0123456789"
        assert daily is not None or item.day.isoformat() in rest
    for todo in found.tasks:
        rest = lines[todo.line - 1][todo.column - 1 :]
        assert f"[{todo.mark}]" in rest
        assert rest[0] in "-*+0123456789"
    for problem in found.problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert problem.message
        assert problem.hint


@given(
    st.lists(
        st.sampled_from(
            ["- 2026-11-20 call: a", "  b", "- [ ] t 📅 2026-11-25", "", "```", "- x", "## Log", "words"]
        )
    )
)
@settings(deadline=None)
def test_line_ends_make_no_difference(lines: list[str]) -> None:
    readings = [read_log("".join(line + newline for line in lines)) for newline in ("\n", "\r\n", "\r")]
    assert readings[0] == readings[1] == readings[2]


@given(st.lists(st.sampled_from(["", "words", "- item", "[[link]]", "100%", "a - [b] c"]), max_size=8))
@settings(deadline=None)
def test_words_around_a_log_change_nothing_but_its_lines(lines: list[str]) -> None:
    above = "".join(f"{line}\n" for line in lines)
    found = read(f"{above}\n## Log\n- 2026-11-20 call: a\n")
    assert [(e.line, e.text) for e in found.entries] == [(6 + len(lines), "a")]
    assert found.tasks == ()


LOG_WORDS = [
    "2026-11-20", "2026-02-30", "T14:30", " 14:30", " 9:05-10:00", " 2:30 pm", " 25:00", " call", " Call",
    " phone call", ",call", " e-mail", " pigeon", ": ", ":", " (no answer)", " no answer", " poſtponed", " missed",
    " left a message", " - ", " *b*", "**", " #a/b", " #1", " `#no`", " 📅 2026-12-01", " 📅", " [value:: 5]",
    " x::y", " words", "\t", "\u00a0", "\0", "é",
]  # fmt: skip
log_lines = st.tuples(
    st.sampled_from(["- ", "* ", "-\t", "- 2026-11-20", "- 2026-11-2", "", "  ", "### "]),
    st.lists(st.sampled_from(LOG_WORDS), max_size=5).map("".join),
).map("".join)


@given(st.lists(log_lines, max_size=5))
@settings(max_examples=600, deadline=None)
def test_a_plain_log_reads_the_same_line_by_line(lines: list[str]) -> None:
    text = "\n## Log\n" + "\n".join(lines)
    pattern = compile_heading(("Log",))
    heading = pattern.search(text)
    assert heading is not None
    plain = read_plain_log(Lines("a.md", text, 0), heading, pattern)
    if plain is not None:
        reading = LogReading(Lines("a.md", text, 0), None)
        reading.read(heading, pattern)
        assert (plain, {}, []) == (reading.entries, reading.days, reading.lines.problems)


@given(st.lists(st.sampled_from(LOG_WORDS[7:]), min_size=1, max_size=6).map("".join))
@settings(max_examples=1500, deadline=None)
def test_what_stands_before_a_colon_is_read_as_any_words_are(rest: str) -> None:
    if rest.partition(":")[0][1:] not in CHANNELS:
        assert words_module.read_rest("", rest) == (None, *words_module._read_words(rest))


def test_bodies_read_together_are_those_read_alone() -> None:
    bodies = [
        "words",
        "## Log\n- 2026-11-20 call: a",
        "- [ ] b 📅 2026-11-25",
        "## Log\n- x\n- [ ] c",
        "```\n- [ ] d",
    ]
    notes = [parse_note(f"---\ntype: client\n---\n{body}\n".encode(), "a.md") for body in bodies]
    together = parse_bodies(notes)
    assert together == [parse_body(note) for note in notes]
    assert [(len(body.entries), len(body.tasks)) for body in together] == [
        (0, 0),
        (1, 0),
        (0, 1),
        (0, 1),
        (0, 0),
    ]


TASK_WORDS = [
    "call", "her", "[[Acme]]", "📅 2026-11-25", "📅 2026-02-30", "📅2026-11-25", "📅  2026-11-25",
    "📅 [[2026-11-25]]", "🗓️ 2026-11-25", "📅 20261125", "⏳ 2026-11-24", "➕ 2026-10-01", "✅ 2026-11-20",
    "❌ 2026-11-20", "⏫", "🔽", "#a", "#b/c", "#d,", "#1", "x#y", "`x`", "`", "(due:: 2026-11-25)",
    "[due:: 2026-11-26]", "[Due:: 2026-11-25]", "(due:: 2026-11-25),", "(due:: 2026-11-25]",
    "(completion:: 2026-W01-1)", "(priority:: high)", "[priority:: none]", "[id:: a]", "(x:: y)", "🔁 every week",
    "🔁 every 2 weeks when done", "🔁", "🔁 every day,", "🆔 abc", "⛔ a,b", "^blk", "📅", "2026-11-25", "", "\t",
    "\u00a0", "é",
]  # fmt: skip


@given(st.lists(st.sampled_from(TASK_WORDS), max_size=6).map(" ".join), st.sampled_from(" xX-/1"))
@settings(max_examples=1500, deadline=None)
def test_plain_fields_are_peeled_as_the_others_are(words: str, mark: str) -> None:
    simple = tasks_module._read_simple(1, 1, mark, f" {words}", None)
    if simple is not None:
        lines = Lines("a.md", f"- [{mark}] {words}", 1)
        careful = tasks_module._read_with_care(lines, 1, 1, mark, f" {words}", None)
        assert (simple, []) == (careful, lines.problems)


HOSTILE = {
    "boxes": "- [ ] x\n" * 100_000,
    "boxes in one line": " [ ]" * 500_000,
    "tasks with dates": "- [ ] x 📅 2026-11-25\n" * 50_000,
    "fields": "- [ ] " + "[due:: " * 100_000 + "\n",
    "signs": "- [ ] " + "📅 " * 100_000 + "\n",
    "rules": "- [ ] " + "🔁 a" * 100_000 + "\n",
    "log lines": "## Log\n" + "- 2026-11-20 call: x\n" * 50_000,
    "log headings": "## Log\n" * 50_000,
    "undated": "## Log\n" + "- x\n" * 50_000,
    "bad dates": "## Log\n" + "- 25/11/2026 x\n" * 20_000,
    "comments": "<!--\n" * 100_000,
    "percents": "%%\n" * 100_000,
    "open percents": "%% x\n\n" * 99_999 + "%%",
    "fences": "".join("`" * (3 + n % 500) + "\n" for n in range(5_000)),
    "quoted fences": "> ```\nx\n" * 20_000,
    "listed fences": "- ```\nx\n" * 20_000,
    "fences in one item": "- x\n" + "  ```\n" * 60_000,
    "named fences in one item": "- x\n" + "  ```js\n" * 60_000,
    "fences in one quote": "> ```\n" * 60_000,
    "ticks": "`" * 1_000_000,
    "ticks apart": "` " * 500_000,
    "indent": "## Log\n" + (" " * 100_000 + "x\n") * 20,
    "quotes": "## Log\n" + ">" * 500_000 + "- x\n",
    "tabs": "\t[ ]" * 500_000,
    "long word": "## Log\n- 2026-11-20 " + "a" * 900_000,
    "many words": "## Log\n- 2026-11-20 " + "a " * 450_000,
    "tags": "## Log\n- 2026-11-20 " + "#" * 900_000,
    "brackets": "## Log\n- 2026-11-20 x:: " + "[a::" * 200_000,
    "links": "- [ ] " + "[[" * 400_000,
    "dates": "## Log\n" + "- 1/1/1/1/1/1/1/1" * 50_000,
    "an image in the text": "![x](data:image/png;base64," + "iVBOR" * 300_000 + ")\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies_are_answered_at_once(name: str) -> None:
    note = parse_note(f"---\ntype: client\n---\n{HOSTILE[name]}\n## Log\n".encode(), "a.md")
    start = time.process_time()
    found = parse_body(note)
    assert time.process_time() - start < 3
    assert len(found.problems) <= 50
