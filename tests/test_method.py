"""A vault of a few notes, and what the method makes of it at the command line and in the calendar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from icalendar import Calendar

from notesync.cli.group import notesync

TODAY = ("--today", "2026-11-22")  # a Sunday
NOTES = {
    "Ann": "sold: 2026-11-16\nvalue: 9000\n--\n- 2026-11-17 call: thanked her #thank-you",
    "Ben": "sold: 2026-08-03\n--\n- 2026-08-03 visit: signed #sold",
    "Cid": "sold: 2026-11-02\ndelivery: unknown\n--\n- 2026-11-03 email: all the papers #paperwork",
    "Dot": "quoted: 2026-11-10\n--\n- 2026-11-20 call (no answer)",
    "Eve": "every: month\nlast_contact: 2026-11-20",
}


@pytest.fixture
def vault(own_places: Path, quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = quick_path / "vault"
    root.mkdir()
    (root / "notesync.yaml").write_text("vault_id: v\ntimezone: Africa/Johannesburg\n", encoding="utf-8")
    for name, note in NOTES.items():
        header, _, log = note.partition("\n--\n")
        text = f"---\ntype: client\n{header}\n---\n## Log\n{log}\n"
        (root / f"{name}.md").write_text(text, encoding="utf-8")
    monkeypatch.setenv("NOTESYNC_VAULT", str(root))
    return root


def run(*words: str) -> Result:
    return CliRunner().invoke(notesync, words)


def check(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("check", *TODAY, "--format", "json", *words).stdout)
    return found


def steps(found: dict[str, Any], client: str) -> list[str]:
    return [f"{item['step']} {item['status']}" for item in found["items"] if item["client"] == client]


def test_the_steps_of_a_sale_are_there_and_what_was_done_is_not(vault: Path) -> None:
    assert steps(check(), "Ann") == ["paperwork overdue", "satisfaction due"]


def test_what_is_missed_is_shown_only_when_it_is_asked_for(vault: Path) -> None:
    found = check("--all")
    assert not any(item["status"] == "missed" for item in found["items"])
    missed = check("--missed")
    assert steps(missed, "Ben") == ["thank-you missed", "satisfaction missed", "feedback missed"]
    assert {item["status"] for item in missed["items"]} == {"missed"}
    assert {item["days_late"] for item in missed["items"]} == {0}
    assert missed["totals"] == check()["totals"]
    assert found["totals"]["missed"] == len(missed["items"])


def test_missed_in_lines_and_with_filters(vault: Path) -> None:
    done = run("check", *TODAY, "--missed", "--format", "lines")
    assert "missed 2026-08-04 Ben — Thank them for the order [thanks]" in done.stdout
    assert done.exit_code == 0
    assert check("--missed", "--kind", "thanks")["totals"]["missed"] == 1
    assert check("--missed", "eve")["items"] == []
    assert "Nothing is missed for Eve." in run("check", *TODAY, "--missed", "eve", "--format", "table").stdout
    assert run("check", "--missed", "--all").exit_code == 2


def test_what_waits_is_upcoming_and_never_in_the_day_s_list(vault: Path) -> None:
    assert "delivery-control upcoming" in steps(check("--all", "cid"), "Cid")
    assert not any("delivery" in step for step in steps(check(), "Cid"))
    assert not any("delivery" in step for step in steps(check("--upcoming", "400"), "Cid"))
    (control,) = (i for i in check("--all", "cid")["items"] if i["step"] == "delivery-control")
    assert control["reason"].endswith("waits for the delivery date")
    assert (control["opens"], control["due"]) == (None, None)


def test_upcoming_is_counted_alike_whether_shown_or_not(vault: Path) -> None:
    assert check()["totals"] == check("--all")["totals"] == check("--upcoming", "9")["totals"]


def test_an_attempt_puts_the_step_off(vault: Path) -> None:
    (item,) = (i for i in check("--all", "dot")["items"] if i["step"] == "quote-decision")
    assert (item["status"], item["attempts"], item["retry_on"]) == ("upcoming", 1, "2026-11-24")
    assert "tried once on Fri 20 Nov 2026 by call" in item["reason"]
    assert steps(check(), "Dot") == []
    assert steps(check("--today", "2026-11-24"), "Dot") == [
        "quote-received overdue",
        "quote-decision overdue",
    ]


def test_the_questions_are_shown_when_asked_for(vault: Path) -> None:
    question = "? Are you satisfied with what you chose?"
    assert question in run("check", *TODAY, "--ask", "--format", "table").stdout
    assert question not in run("check", *TODAY, "--format", "table").stdout
    assert question in run("show", "ann", *TODAY, "--format", "table").stdout


def test_show_tells_how_far_along_the_plan_a_client_is(vault: Path) -> None:
    shown = " ".join(run("show", "ann", *TODAY, "--format", "table").stdout.split())
    assert "Plan after-sale" in shown
    assert "the call of Tue 17 Nov 2026" in shown
    assert "settled by: - 2026-11-22 call: … #satisfaction" in shown
    plan = json.loads(run("show", "ann", *TODAY, "--format", "json").stdout)["plan"]
    states = {each["step"]: each["status"] for each in plan}
    assert (states["thank-you"], states["satisfaction"], states["testimonial"]) == (
        "settled",
        "due",
        "upcoming",
    )
    lines = run("show", "ann", *TODAY, "--format", "lines").stdout
    assert "Ann.md:3: plan after-sale thank-you settled 2026-11-16..2026-11-17 — " in lines


def test_without_a_plan_show_says_nothing_of_one(vault: Path) -> None:
    assert "Plan " not in run("show", "eve", *TODAY, "--format", "table").stdout


def test_the_calendar_holds_what_is_to_be_done_and_its_questions(vault: Path) -> None:
    done = run("export", *TODAY)
    events = {str(e["SUMMARY"]): str(e["DESCRIPTION"]) for e in Calendar.from_ical(done.stdout_bytes).events}
    asked = [
        text for title, text in events.items() if title.startswith("Ann: Ask whether they are satisfied")
    ]
    assert "Ask: Are you satisfied with what you chose?, What would you change?" in asked[0]
    assert not any(title.startswith("Ben: Thank them") for title in events)  # missed
    assert not any(title.startswith("Cid: Tell the client") for title in events)  # waits


def test_the_calendar_forgets_a_step_on_the_day_it_is_missed(vault: Path) -> None:
    def is_there(day: str) -> bool:
        return b"Ann: Ask whether" in run("export", "--today", day).stdout_bytes

    assert is_there("2026-12-23")  # 30 days after Mon 23 Nov, when the window closed
    assert not is_there("2026-12-24")


def test_plans_says_what_is_in_force_and_from_where(vault: Path) -> None:
    (vault / "notesync.yaml").write_text(
        "plans:\n  after-sale:\n    testimonial: none\n    satisfaction: {to: 9 days}\n"
        "  service-visit:\n    anchor: go_live\n    steps:\n"
        "      - {step: first-week, from: 5 workdays, to: 7 workdays, ask: [All well?]}\n",
        encoding="utf-8",
    )
    lines = run("plans").stdout.splitlines()
    found = {line.partition(":")[0]: line for line in lines}
    assert found["after-sale thank-you"].endswith("[thanks] built-in")
    assert "2 to 9 days after delivery, else sold" in found["after-sale satisfaction"]
    assert found["after-sale satisfaction"].endswith("built-in, changed at notesync.yaml:4")
    assert found["service-visit first-week"].endswith("notesync.yaml:8")
    assert lines[-1] == "after-sale testimonial: switched off at notesync.yaml:3"
    table = run("plans", "--format", "table").stdout
    assert "? All well?" in table
    assert "switched off at notesync.yaml:3" in table
    data = json.loads(run("plans", "--format", "json").stdout)
    assert data["off"] == [{"plan": "after-sale", "step": "testimonial", "line": 3}]
    assert {plan["name"] for plan in data["plans"]} >= {"after-sale", "service-visit", "complaint"}
    rows = run("plans", "--format", "csv").stdout_bytes.split(b"\r\n")
    assert rows[0] == b"plan,step,window,kind,title,terms,ask,source,line"
    assert len(rows) == sum(len(plan["steps"]) for plan in data["plans"]) + 2


def test_a_wrong_plan_is_a_wrong_setting(vault: Path) -> None:
    (vault / "notesync.yaml").write_text("plans:\n  after-sale:\n    usage: {to: soon}\n", encoding="utf-8")
    done = run("check", *TODAY)
    assert done.exit_code == 2
    assert "notesync.yaml:3:17: `to` cannot be `soon`." in done.stderr
    assert "bad-plan" in run("doctor", *TODAY).stdout


def write(vault: Path, name: str, note: str) -> None:
    header, _, log = note.partition("\n--\n")
    text = f"---\ntype: client\n{header}\n---\n## Log\n{log}\n"
    (vault / f"{name}.md").write_text(text, encoding="utf-8")


def reasons(day: str, client: str) -> dict[str, str]:
    found = check("--all", client, "--today", day)
    return {item["step"] or item["kind"]: item["reason"] for item in found["items"]}


def test_a_window_that_closes_today_says_so(vault: Path) -> None:
    assert reasons("2026-11-22", "ann")["satisfaction"].endswith("; window closes tomorrow")
    assert reasons("2026-11-23", "ann")["satisfaction"] == "sold on Mon 16 Nov 2026; window closes today"
    assert reasons("2026-11-25", "ann")["satisfaction"].endswith("; window closed Mon 23 Nov")
    table = run("check", "ann", "--today", "2026-11-23", "--format", "table").stdout
    assert "sold on Mon 16 Nov 2026; window closes today" in table
    shown = " ".join(run("show", "ann", "--today", "2026-11-23", "--format", "table").stdout.split())
    assert shown.count("window closes today") == 2  # as a next step and in the plan


def test_a_complaint_shows_its_age(vault: Path) -> None:
    write(vault, "Fay", "stage:\n--\n- 2026-11-19 call: it leaks #complaint")
    assert (
        reasons("2026-11-22", "fay")["acknowledge"] == "raised Thu 19 Nov 2026, 3 days ago, not acknowledged"
    )


def test_only_what_is_open_stands_for_the_cadence(vault: Path) -> None:
    write(
        vault,
        "Fay",
        "every: week\nsold: 2026-10-05\n--\n- 2026-10-08 call: #thank-you #satisfaction #paperwork",
    )
    said = reasons("2026-11-09", "fay")
    assert said["feedback"].endswith("also: last contact 32 days ago, wanted every 7")
    assert "also" not in said["testimonial"]


def test_of_somebody_withdrawn_show_says_so_and_plans_nothing(vault: Path) -> None:
    write(vault, "Fay", "sold: 2026-11-16\ndo_not_contact: true\n--\n- 2026-11-17 call: #thank-you")
    shown = run("show", "fay", *TODAY, "--format", "table").stdout
    assert "none: they are not to be contacted" in shown
    assert "upcoming" not in shown
    assert "settled by: " not in shown
    assert "the call of Tue 17 Nov 2026" in shown


def test_a_contact_open_for_a_while_is_next_now(vault: Path) -> None:
    assert "now, open since Mon 16 Nov" in run("show", "ann", *TODAY, "--format", "table").stdout
    (row,) = (
        line for line in run("clients", *TODAY, "--format", "table").stdout.splitlines() if "Ann" in line
    )
    assert row.split()[-1] == "now"
    write(vault, "Fay", "next_contact: 2026-11-22")
    assert "today" in run("show", "fay", *TODAY, "--format", "table").stdout


def test_an_entry_of_a_day_to_come_is_an_appointment(vault: Path) -> None:
    write(vault, "Fay", "stage:\n--\n- 2026-11-24 visit: coffee\n- 2026-11-20 call: agreed on it")
    lines = run("show", "fay", *TODAY, "--format", "lines").stdout.splitlines()
    assert [line for line in lines if "Fay.md:6" in line or "Fay.md:7" in line] == [
        "Fay.md:6: appointment 2026-11-24 visit coffee",
        "Fay.md:7: logged 2026-11-20 call agreed on it",
    ]


@pytest.mark.parametrize("today", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_have_a_week_too(vault: Path, today: str) -> None:
    assert run("agenda", "--today", today).exit_code in (0, 1)


def test_of_several_sales_each_settled_step_says_whose_it_is(vault: Path) -> None:
    log = (
        "- 2026-11-13 call: #thank-you\n- 2026-11-12 visit: #sold\n"
        "- 2026-11-06 call: #thank-you\n- 2026-11-05 visit: #sold"
    )
    write(vault, "Fay", f"stage:\n--\n{log}")
    shown = " ".join(run("show", "fay", *TODAY, "--format", "table").stdout.split())
    assert "the call of Fri 6 Nov 2026; sold on Thu 5 Nov 2026" in shown
    assert "the call of Fri 13 Nov 2026; sold on Thu 12 Nov 2026" in shown


def test_show_says_a_window_once(vault: Path) -> None:
    shown = run("show", "ann", "--today", "2026-11-17", "--format", "table").stdout
    steps = shown.partition("Plan after-sale")[0]
    assert steps.count("from tomorrow") == 1
    assert "from Wed 18 Nov" not in steps
