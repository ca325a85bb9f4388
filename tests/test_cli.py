"""The command line: what somebody types, then what comes of it and with which exit code."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import click
import pytest
from commands import run

from notesync.cli import group, session
from notesync.cli.group import COMMANDS, notesync
from notesync.followup.agenda import Moment
from notesync.problems import RefusedError, UsageError, VaultError
from notesync.sync import pipeline

HOME = Path(__file__).parents[1]
EXAMPLE = HOME / "examples" / "vault"
TODAY = ("--today", "2026-11-22")
POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals or terminals")

LATE = """\
---
type: client
company: Acme
owner: Anna
stage: customer
value: 1000
next_contact: 2026-11-19
next_action: Ask about the lift
---
"""
NOW = LATE.replace("2026-11-19", "2026-11-22").replace("Anna", "Ben").replace("customer", "prospect")
LATER = LATE.replace("2026-11-19", "2026-11-27").replace("Acme", "Baobab")


@pytest.fixture(autouse=True)
def _width(own_places, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def vault(quick_path, monkeypatch):
    """A vault of three clients, where we are."""
    root = quick_path / "vault"
    root.mkdir()
    (root / "notesync.yaml").write_text("timezone: Africa/Johannesburg\ncurrency: ZAR\n", encoding="utf-8")
    for name, text in (("Thandi Mokoena", LATE), ("Jan Smit", NOW), ("Zoë Fouché", LATER)):
        (root / f"{name}.md").write_text(text, encoding="utf-8")
    monkeypatch.chdir(root)
    return root


def start(*words, **options):
    """A process of its own, as a shell starts it."""
    environment = os.environ | {"PYTHONPATH": str(HOME)} | options.pop("env", {})
    command = [sys.executable, "-m", "notesync", *map(str, words)]
    return subprocess.Popen(command, env=environment, encoding="utf-8", **options)


def finish(*words, **options):
    """Its exit code, stdout and stderr."""
    process = start(
        *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options
    )
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


# --- check -----------------------------------------------------------------------------------------------


def test_check_lists_what_is_overdue_then_what_is_due(vault):
    done = run("check", *TODAY)
    assert done.stdout.splitlines() == [
        "Thandi Mokoena.md:7: overdue 2026-11-19 Thandi Mokoena — Ask about the lift [contact]",
        "Jan Smit.md:7: due 2026-11-22 Jan Smit — Ask about the lift [contact]",
    ]
    assert done.stderr == "1 overdue and 1 due today at 2 clients · 1 000 ZAR at risk\n"
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("words", "names", "code"),
    [
        pytest.param((), ["Thandi Mokoena", "Jan Smit"], 1, id="overdue and due"),
        pytest.param(("--all",), ["Thandi Mokoena", "Jan Smit", "Zoë Fouché"], 1, id="all"),
        pytest.param(("--upcoming", "4"), ["Thandi Mokoena", "Jan Smit"], 1, id="four days ahead"),
        pytest.param(
            ("--upcoming", "5"), ["Thandi Mokoena", "Jan Smit", "Zoë Fouché"], 1, id="five days ahead"
        ),
        pytest.param(("--owner", "Ben"), ["Jan Smit"], 0, id="one owner, nothing overdue"),
        pytest.param(("--owner", "ben", "--owner", "Anna"), ["Thandi Mokoena", "Jan Smit"], 1, id="owners"),
        pytest.param(("--stage", "prospect"), ["Jan Smit"], 0, id="a stage"),
        pytest.param(("--kind", "promise"), [], 0, id="a kind that nobody has"),
        pytest.param(("--kind", "contact"), ["Thandi Mokoena", "Jan Smit"], 1, id="a kind"),
        pytest.param(("smit",), ["Jan Smit"], 0, id="a client"),
        pytest.param(("smit", "mokoena thandi"), ["Thandi Mokoena", "Jan Smit"], 1, id="two clients"),
        pytest.param(
            ("--all", "--sort", "client"), ["Jan Smit", "Thandi Mokoena", "Zoë Fouché"], 1, id="by name"
        ),
        pytest.param(("--all", "--limit", "1"), ["Thandi Mokoena"], 1, id="the first client"),
    ],
)
def test_check_shows_what_the_filters_let_through(vault, words, names, code):
    done = run("check", *TODAY, *words, "--format", "json")
    assert [item["client"] for item in json.loads(done.stdout)["items"]] == names
    assert done.exit_code == code
    lines = run("check", *TODAY, *words, "--format", "lines")
    assert len(lines.stdout.splitlines()) == len(names)
    assert all(name in line for name, line in zip(names, lines.stdout.splitlines(), strict=True))
    assert lines.exit_code == code


def test_check_in_json_is_the_object_that_programs_rely_on(vault):
    found = json.loads(run("check", *TODAY, "--all", "--format", "json").stdout)
    assert list(found) == ["format_version", "vault", "today", "totals", "items", "problems"]
    assert found["format_version"] == 1
    assert found["totals"] == {
        "overdue": 1, "due": 1, "upcoming": 1, "clients": 2, "value_at_risk": 1000, "currency": "ZAR",
            "missed": 0,
    }  # fmt: skip
    assert list(found["items"][0]) == [
        "path", "line", "client_path", "client_id", "client", "company", "owner", "kind", "step", "title",
        "reason", "channel", "opens", "due", "status", "days_late", "value", "phone", "email", "best_time",
        "minutes", "attempts", "retry_on", "stale", "conflict", "uid",
    ]  # fmt: skip


def test_check_as_a_table_and_as_csv(vault):
    table = run("check", *TODAY, "--format", "table")
    assert "Ask about the lift" in table.stdout
    assert table.stdout.splitlines()[-1].startswith("1 overdue and 1 due today at 2 clients")
    rows = run("check", *TODAY, "--format", "csv").stdout_bytes.split(b"\r\n")
    assert rows[0].startswith(b"path,line,client_path")
    assert len(rows) == 4


def test_a_time_of_day_makes_a_promised_call_overdue(vault):
    (vault / "Jan Smit.md").write_text(NOW.replace("2026-11-22", "2026-11-22 14:30"), encoding="utf-8")
    assert run("check", "smit", "--today", "2026-11-22T14:30").exit_code == 0
    assert run("check", "smit", "--today", "2026-11-22T14:31").exit_code == 1


def test_problems_of_notes_follow_on_stderr_and_do_not_count(vault):
    (vault / "Thandi Mokoena.md").write_text(LATE.replace("2026-11-19", "27/11/2026"), encoding="utf-8")
    done = run("check", *TODAY)
    assert done.exit_code == 0
    assert "Thandi Mokoena.md:7:15: error bad-date:" in done.stderr
    assert "27/11/2026" not in done.stdout
    assert json.loads(run("check", *TODAY, "--format", "json").stdout)["problems"][0]["code"] == "bad-date"


def test_notes_in_the_cloud_are_counted_not_listed(vault):
    """An older Mac has taken two away, and left these in their place."""
    before = run("check", *TODAY).stdout
    for name in ("Thandi Mokoena", "Jan Smit"):
        (vault / f"{name}.md").unlink()
        (vault / f".{name}.md.icloud").touch()
    done = run("check", *TODAY)
    assert done.stdout == before
    assert "2 notes not downloaded, last known dates shown: notesync doctor\n" in done.stderr
    assert "not-downloaded" not in done.stderr
    problems = json.loads(run("check", *TODAY, "--format", "json").stdout)["problems"]
    assert [problem["code"] for problem in problems] == ["not-downloaded"] * 2
    told = run("doctor", *TODAY)
    assert told.exit_code == 1
    assert told.stdout.count("not-downloaded") == 2
    assert "downloads: 2 notes not downloaded, last known dates shown." in told.stdout


def test_an_owner_whom_no_note_names_is_told(vault):
    done = run("check", *TODAY, "--owner", "Anne")
    assert done.exit_code == 0
    assert "No client has the owner 'Anne'. The owners in the notes: Anna, Ben" in done.stderr


@pytest.mark.parametrize("command", ["check", "agenda", "clients", "export"])
def test_a_slip_in_an_owner_is_no_quiet_day(vault, command):
    done = run(command, *TODAY, "--owner", "Anne")
    assert "No client has the owner 'Anne'. The owners in the notes: Anna, Ben\n" in done.stderr
    assert "No client" not in run(command, *TODAY, "--owner", "anna").stderr


@pytest.mark.parametrize("command", ["check", "agenda", "clients"])
def test_a_slip_in_a_stage_is_no_quiet_day(vault, command):
    done = run(command, *TODAY, "--stage", "costumer")
    assert "No client has the stage 'costumer'. The stages in the notes: customer, prospect\n" in done.stderr
    assert "No client" not in run(command, *TODAY, "--stage", "Customer").stderr


def test_a_kind_may_be_written_in_capitals(vault):
    done = run("check", *TODAY, "--kind", "Contact")
    assert done.exit_code == 1
    assert "Thandi Mokoena" in done.stdout


# --- CLIENT ----------------------------------------------------------------------------------------------


def test_an_ambiguous_client_is_asked_back_with_the_candidates(vault):
    done = run("show", "acme", *TODAY)
    assert done.exit_code == 2
    assert "Thandi Mokoena (Acme): Thandi Mokoena.md" in done.stderr
    assert "Jan Smit (Acme): Jan Smit.md" in done.stderr
    assert done.stdout == ""


def test_an_unknown_client_is_answered_with_the_nearest(vault):
    done = run("show", "Tandi Mokena", *TODAY)
    assert done.exit_code == 2
    assert "no client is called 'Tandi Mokena'" in done.stderr
    assert "Thandi Mokoena (Acme)" in done.stderr


def test_on_a_terminal_an_ambiguous_client_can_be_chosen(vault, monkeypatch):
    monkeypatch.setattr("notesync.cli.asking.is_asking_possible", lambda: True)
    done = run("show", "acme", *TODAY, typed="2\n")
    assert done.exit_code == 0, done.stderr
    chosen = re.search(r"  2  (.+) \(Acme\)", done.stderr)
    assert chosen
    assert chosen[1] in done.stdout


# --- the other questions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["table", "lines", "json", "csv"])
@pytest.mark.parametrize("words", [("agenda",), ("show", "thandi"), ("clients",), ("check",), ("doctor",)])
def test_every_question_is_answered_in_every_format(vault, words, form):
    done = run(*words, *TODAY, "--format", form)
    assert done.exit_code in (0, 1), done.stderr
    assert done.stdout
    if form == "json":
        assert json.loads(done.stdout)["format_version"] == 1


@pytest.mark.parametrize("words", [("plans",), ("conflicts",), ("clients",), ("show", "thandi"), ("doctor",)])
def test_every_question_that_writes_no_file_is_asked_as_of_any_day(vault, words):
    assert run(*words, *TODAY, "--format", "json").exit_code in (0, 1)
    assert run(*words, "--today", "22/11/2026").exit_code == 2


def test_agenda_plans_as_many_days_as_asked(vault):
    found = json.loads(run("agenda", "--days", "3", *TODAY, "--format", "json").stdout)
    assert [day["day"] for day in found["days"]] == ["2026-11-22", "2026-11-23", "2026-11-24"]


def test_clients_are_filtered(vault):
    done = run("clients", "--owner", "Anna", "--stage", "customer", *TODAY, "--format", "json")
    assert [card["name"] for card in json.loads(done.stdout)["clients"]] == ["Thandi Mokoena", "Zoë Fouché"]


# --- which vault, which day ------------------------------------------------------------------------------


def test_the_vault_is_the_nearest_folder_upwards_with_settings(vault, monkeypatch):
    deep = vault / "Clients" / "Old"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert "Thandi" in run("check", *TODAY).stdout


@pytest.mark.parametrize(
    "words", [("check", "--vault", "{}"), ("--vault", "{}", "check")], ids=["after", "before the command"]
)
def test_the_vault_may_be_named(vault, monkeypatch, quick_path, words):
    monkeypatch.chdir(quick_path)
    monkeypatch.setenv("NOTESYNC_VAULT", str(quick_path / "nowhere"))
    assert "Thandi" in run(*(word.format(vault) for word in words), *TODAY).stdout


def test_the_vault_may_be_named_by_the_environment(vault, monkeypatch, quick_path):
    monkeypatch.chdir(quick_path)
    monkeypatch.setenv("NOTESYNC_VAULT", str(vault))
    assert "Thandi" in run("check", *TODAY).stdout


def test_a_folder_without_settings_works_with_the_defaults(vault):
    (vault / "notesync.yaml").unlink()
    done = run("check", *TODAY)
    assert done.exit_code == 1
    assert "1 000 at risk" in done.stderr


def test_a_vault_that_is_not_there_cannot_be_read(quick_path):
    done = run("check", "--vault", quick_path / "away")
    assert done.exit_code == 3
    assert str(quick_path / "away") in done.stderr


def test_nobody_means_the_whole_home_folder(quick_path, monkeypatch):
    monkeypatch.chdir(quick_path / "home")
    done = run("check")
    assert done.exit_code == 2
    assert "--vault DIR" in done.stderr


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", ("2026-11-22", 0)),
        ("2026-11-22T14:30", ("2026-11-22", 870)),
        ("2026-11-22 9:05", ("2026-11-22", 545)),
        ("2026-11-22T23:59", ("2026-11-22", 1439)),
        ("2026-11-22T24:00", None),
        ("2026-11-22T12:60", None),
        ("2026-11-22T12", None),
        ("2026-11-22T", ("2026-11-22", 0)),
        ("2026-02-30", None),
        ("20261122", None),
        ("2026-W47-7", None),
        ("22/11/2026", None),
        ("today", None),
        ("", None),
    ],
)
def test_today_is_an_iso_day_with_or_without_a_time(text, moment):
    found = session.parse_moment(text)
    assert (found and (found.day.isoformat(), found.minute)) == moment


def test_a_day_that_is_none_is_wrong_usage(vault):
    done = run("check", "--today", "22/11/2026")
    assert done.exit_code == 2
    assert "2026-11-22T14:30" in done.stderr


def test_the_clock_is_asked_in_the_settings_zone(vault, monkeypatch):
    asked = []
    monkeypatch.setattr(
        session, "read_clock", lambda zone: asked.append(zone) or Moment(session.date(2026, 11, 22))
    )
    run("check")
    assert asked == ["Africa/Johannesburg"]


# --- what can go wrong -----------------------------------------------------------------------------------


def test_wrong_settings_stop_a_command_with_place_and_mend(vault):
    (vault / "notesync.yaml").write_text("timezone: UTC\ncurency: ZAR\n", encoding="utf-8")
    done = run("check", *TODAY)
    assert done.exit_code == 2
    assert "notesync.yaml:2:1" in done.stderr
    assert "currency" in done.stderr


@pytest.mark.parametrize("words", [("--help",), ("--version",), ("check", "--help"), ("doctor", "--help")])
def test_help_and_version_need_no_settings(vault, words):
    (vault / "notesync.yaml").write_text("{", encoding="utf-8")
    assert run(*words).exit_code == 0


def test_doctor_works_with_wrong_settings(vault):
    (vault / "notesync.yaml").write_text("curency: ZAR\n", encoding="utf-8")
    done = run("doctor", *TODAY)
    assert done.exit_code == 1
    assert "notesync.yaml:1:1: error unknown-setting" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Usage: notesync"),
        (("chekc",), "Did you mean 'check'?"),
        (("xyz",), "'notesync --help' lists the commands"),
        (("check", "--sort", "luck"), "urgency"),
        (("check", "--kind", "prommise"), "promise"),
        (("check", "--upcoming", "soon"), "upcoming"),
        (("export", "--horizon", "soon"), "6 months"),
        (("show",), "CLIENT"),
        (("watch", "--poll", "0"), "from 1 to 86400"),
        (("watch", "--poll", "nan"), "from 1 to 86400"),
        (("watch", "--poll", "inf"), "from 1 to 86400"),
    ],
)
def test_wrong_usage(vault, words, said):
    done = run(*words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("wrong"), 2, "Error: wrong\n"),
        (VaultError("gone"), 3, "Error: gone\n"),
        (RefusedError("refused"), 4, "Error: refused\n"),
        (ZeroDivisionError("a slip"), 70, "ZeroDivisionError: a slip"),
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_every_end_has_its_exit_code(vault, monkeypatch, error, code, said):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(pipeline, "open_workspace", fail)
    done = run("check")
    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


@POSIX
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("words", [("--version",), ("--help",), ("check", "--help"), ("check",)])
def test_a_full_disk_behind_stdout_is_one_line(vault, words):
    with open("/dev/full", "w", encoding="utf-8") as full:
        process = start(*words, stdout=full, stderr=subprocess.PIPE)
    said = process.communicate()[1]
    assert process.returncode == 70
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said


def test_the_traceback_is_shown_on_request(vault, monkeypatch):
    monkeypatch.setattr(pipeline, "open_workspace", lambda *_, **__: 1 / 0)
    assert "Traceback" in run("check", "--verbose").stderr
    assert "Traceback" in run("--verbose", "check").stderr


def test_a_name_cannot_play_tricks_on_the_terminal(vault):
    evil = "Eve\x1b[2J\x1b]0;owned\x07"
    (vault / "Eve.md").write_text(
        LATE.replace("type: client", f'type: client\nname: "{evil}"'), encoding="utf-8"
    )
    (vault / "Eva.md").write_text(
        LATE.replace("type: client", f'type: client\nname: "{evil}"'), encoding="utf-8"
    )
    for words in (("check",), ("check", "--format", "table"), ("show", "owned"), ("clients",), ("doctor",)):
        done = run(*words, *TODAY)
        assert "\x1b" not in done.output
        assert "\x07" not in done.output


def test_a_reader_that_goes_away_is_no_error(vault):
    for name in range(3000):
        (vault / f"Client number {name} with a name to fill the pipe.md").write_text(LATE, encoding="utf-8")
    process = start("check", *TODAY, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline()
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait(timeout=60) in (0, 1, 141)
    process.stderr.close()


@POSIX
def test_a_pipe_or_a_device_is_no_file_to_export_to(vault):
    os.mkfifo(vault / "pipe")
    for path in (vault / "pipe", "/dev/tty"):
        code, _, said = finish("export", str(path))
        assert code == 4
        assert "not-a-file" in said
    assert not (vault / "pipe").is_file()


@pytest.mark.parametrize(
    "said", [{"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_all_is_utf_8_whatever_the_system_says(vault, said):
    os.rename(vault / "Jan Smit.md", vault / "Ján Smit 🌸.md")
    code, out, _ = finish("check", *TODAY, "--all", "ján", "zoë", env={"LC_ALL": "C"} | said)
    assert code == 0
    assert "Ján Smit 🌸.md:7: due" in out
    assert "Zoë Fouché" in out


@POSIX
@pytest.mark.parametrize("colour", [True, False], ids=["colours", "NO_COLOR"])
def test_a_terminal_gets_a_table_and_colours_unless_told_otherwise(vault, colour):
    import pty

    ours, theirs = pty.openpty()
    environment = {"TERM": "xterm-256color"} | ({} if colour else {"NO_COLOR": "1"})
    process = start("check", *TODAY, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait(timeout=60) == 1
    assert "Ask about the lift" in shown.decode()
    assert (b"\x1b[" in shown) is colour
    assert b"Thandi Mokoena.md:7:" not in shown


def test_a_bar_appears_when_a_scan_takes_longer_than_a_second(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(session.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    bar = session.Progress()
    bar(500, 2000)
    assert capsys.readouterr().err == ""
    now[0] = 1.5
    bar(1000, 2000)
    bar(2000, 2000)
    bar.close()
    assert "Reading notes" in capsys.readouterr().err


# --- the first run ---------------------------------------------------------------------------------------


def test_an_empty_folder_says_how_to_begin(quick_path, monkeypatch):
    (quick_path / "new").mkdir()
    monkeypatch.chdir(quick_path / "new")
    done = run("check")
    assert done.exit_code == 0
    assert "notesync init --example" in done.stderr


def test_a_folder_without_a_client_note_shows_what_makes_one(quick_path, monkeypatch):
    (quick_path / "new").mkdir()
    (quick_path / "new" / "Recipe.md").write_text("# Soup\n", encoding="utf-8")
    monkeypatch.chdir(quick_path / "new")
    done = run("check")
    assert done.exit_code == 0
    assert "type: client" in done.stderr


def test_a_vault_of_somebody_elses_notes_is_told_apart(quick_path, monkeypatch):
    (quick_path / "new" / ".obsidian").mkdir(parents=True)
    (quick_path / "new" / "Recipe.md").write_text("# Soup\n", encoding="utf-8")
    monkeypatch.chdir(quick_path / "new")
    done = run("check")
    assert done.exit_code == 0
    assert "Obsidian" in done.stderr
    assert "notesync init" in done.stderr


# --- init ------------------------------------------------------------------------------------------------


def test_init_writes_settings_that_are_good_and_its_own(quick_path):
    first, second = quick_path / "a new" / "vault", quick_path / "other"
    for root in (first, second):
        done = run("init", root)
        assert done.exit_code == 0, done.stderr
        assert run("check", "--vault", root).exit_code == 0
    texts = [(root / "notesync.yaml").read_text(encoding="utf-8") for root in (first, second)]
    ids = [re.search(r"^vault_id: ([0-9a-f]{32})$", text, re.MULTILINE) for text in texts]
    assert ids[0]
    assert ids[1]
    assert ids[0][1] != ids[1][1]
    assert re.search(r"^since: \d{4}-\d\d-\d\d$", texts[0], re.MULTILINE)
    assert [path.name for path in first.iterdir()] == ["notesync.yaml"]


def test_init_never_overwrites(vault):
    before = (vault / "notesync.yaml").read_bytes()
    done = run("init")
    assert done.exit_code == 4
    assert "left as it is" in done.stderr or "left as it was" in done.stderr
    assert (vault / "notesync.yaml").read_bytes() == before


def test_init_says_how_many_clients_it_found_and_what_to_do_next(vault):
    (vault / "notesync.yaml").unlink()
    done = run("init")
    assert done.exit_code == 0
    assert "3 client notes among 3 notes" in done.stderr
    assert "notesync check" in done.stderr


def test_the_example_is_set_around_today(quick_path):
    done = run("init", "--example", quick_path / "demo")
    assert done.exit_code == 0, done.stderr
    found = json.loads(run("check", "--vault", quick_path / "demo", "--format", "json").stdout)
    original = json.loads(run("check", "--vault", EXAMPLE, *TODAY, "--format", "json").stdout)
    assert {item["client"] for item in found["items"]} & {item["client"] for item in original["items"]}
    assert found["totals"]["overdue"]


def test_the_example_does_not_go_among_real_notes(vault):
    before = sorted(path.name for path in vault.iterdir())
    done = run("init", "--example")
    assert done.exit_code == 4
    assert sorted(path.name for path in vault.iterdir()) == before


@pytest.mark.parametrize(("zone", "found"), [("Africa/Johannesburg", "Africa/Johannesburg"), (":UTC", "UTC")])
def test_the_machines_zone_is_taken_from_tz(zone, found, monkeypatch):
    from notesync.cli.vault import find_zone

    monkeypatch.setenv("TZ", zone)
    assert find_zone() == found


# --- sync and export -------------------------------------------------------------------------------------


def test_sync_writes_the_calendar_and_sums_up(vault):
    done = run("sync")
    assert done.exit_code == 0, done.stderr
    assert "3 notes, 3 clients: 3 changed, 3 follow-ups added" in done.stdout
    assert re.search(r"followups\.ics: \d events, written", done.stdout)
    assert (vault / "followups.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    again = run("sync")
    assert "nothing changed" in again.stdout
    assert "unchanged" in again.stdout


def test_sync_removes_conflict_copies_of_the_calendar_and_says_so(vault, monkeypatch):
    monkeypatch.setattr("notesync.sync.strays.GRACE", 0.0)
    run("sync")
    copies = ["followups (Anna's conflicted copy 2026-11-22).ics", "followups (1).ics"]
    for name in copies:
        (vault / name).write_bytes((vault / "followups.ics").read_bytes())
    (vault / "followups (conflicted copy).ics").write_text("mine", encoding="utf-8")
    done = run("sync")
    assert done.exit_code == 0
    for name in copies:
        assert f"{name}: removed, a conflict copy\n" in done.stdout
        assert not (vault / name).exists()
    assert "followups (conflicted copy).ics is a conflict copy of followups.ics by its name" in done.stderr


def test_a_vault_that_is_suddenly_empty_is_an_error_unless_meant(vault):
    for name in range(8):
        (vault / f"Client {name}.md").write_text(LATE, encoding="utf-8")
    assert run("sync").exit_code == 0
    before = (vault / "followups.ics").read_bytes()
    for path in vault.glob("*.md"):
        path.unlink()
    done = run("sync")
    assert done.exit_code == 3
    assert "--accept-empty" in done.stderr
    assert (vault / "followups.ics").read_bytes() == before
    assert run("sync", "--accept-empty").exit_code == 0
    assert (vault / "followups.ics").read_bytes() != before


def test_a_calendar_that_cannot_be_written_is_refused(vault):
    (vault / "followups.ics").mkdir()
    done = run("sync")
    assert done.exit_code == 4
    assert "unwritable-file" in done.stderr
    assert "followups.ics" in done.stderr


def test_a_calendar_that_cannot_be_written_is_named_by_its_own_name(vault, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(vault / ".followups.ics.1.tmp"))

    monkeypatch.setattr(pipeline.Workspace, "publish", refuse)
    done = run("sync")
    assert done.exit_code == 4
    assert f"unwritable-file: {vault / 'followups.ics'}: permission denied." in done.stderr


def test_sync_leaves_the_calendar_to_the_machine_that_the_settings_name(vault):
    (vault / "notesync.yaml").write_text("calendar: {machine: the-other-one}\n", encoding="utf-8")
    assert "followups.ics: left to the machine the-other-one" in run("sync").stdout
    assert not (vault / "followups.ics").exists()


def test_export_goes_to_stdout_or_a_file(vault, quick_path):
    done = run("export", *TODAY)
    assert done.exit_code == 0
    assert done.stdout_bytes.startswith(b"BEGIN:VCALENDAR\r\n")
    assert done.stdout_bytes.endswith(b"END:VCALENDAR\r\n")
    assert run("export", "-", *TODAY).stdout_bytes == done.stdout_bytes
    target = quick_path / "out.ics"
    assert "written" in run("export", target, *TODAY).stderr
    assert target.read_bytes() == done.stdout_bytes
    assert "unchanged" in run("export", target, *TODAY).stderr
    assert not (vault / "followups.ics").exists()


@pytest.mark.parametrize(
    ("words", "has", "lacks"),
    [
        (("--owner", "Ben"), "Jan Smit", "Thandi"),
        (("--component", "todo"), "BEGIN:VTODO", "SUMMARY:Thandi Mokoena: Ask about the lift\r\nDTEND"),
        (("--component", "both"), "BEGIN:VTODO", "\x00"),
        (("--detail", "names"), "Thandi Mokoena", "Ask about the lift"),
        (("--detail", "initials"), "TM", "Thandi"),
        (("--horizon", "2 days"), "Thandi", "Zoë"),
    ],
)
def test_export_lets_through_what_is_asked_for(vault, words, has, lacks):
    feed = run("export", *TODAY, *words).stdout_bytes.decode()
    assert has in feed
    assert lacks not in feed


def test_export_never_writes_over_a_note(vault):
    done = run("export", "Jan Smit.md", *TODAY)
    assert done.exit_code == 4
    assert (vault / "Jan Smit.md").read_text(encoding="utf-8") == NOW


# --- doctor ----------------------------------------------------------------------------------------------


def test_doctor_is_content_with_a_sound_vault(vault):
    run("sync")
    done = run("doctor")
    assert done.exit_code == 0, done.stdout
    assert all(line.startswith("ok ") for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Jan Smit.md", LATE.replace("2026-11-19", "soon"), "Jan Smit.md:7:15: error bad-date"),
        ("Jan Smit.md", "---\ntype: client\nstage: idle\n---\n", "Jan Smit.md:1:1: warning never-due"),
        ("notesync.yaml", "currency: ZAR\n", "warn time zone"),
        ("followups.ics", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "warn calendar: followups.ics"),
    ],
)
def test_doctor_names_what_is_wrong(vault, name, text, said):
    run("sync")
    (vault / name).write_text(text, encoding="utf-8")
    done = run("doctor")
    assert said in done.stdout
    assert done.exit_code == 1


SHARED = "timezone: Africa/Johannesburg\ncalendar: {per_owner: true}\nagenda_note: Follow-ups.md\n"


def test_doctor_is_content_with_what_is_shared(vault):
    (vault / "notesync.yaml").write_text(SHARED, encoding="utf-8")
    run("sync")
    told = run("doctor").stdout.splitlines()
    assert all(line.startswith("ok ") for line in told)
    assert "ok owners' calendars: 2 owners: followups-anna.ics, followups-ben.ics" in told
    assert "ok agenda note: Follow-ups.md" in told
    assert any(line.startswith("ok server: never used") for line in told)
    run("serve", "--urls")
    assert (
        "ok server: 'notesync serve --urls' lists the secret addresses" in run("doctor").stdout.splitlines()
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("followups-ben.ics", None, "warn owners' calendars: followups-ben.ics: missing, or not current."),
        ("followups-anna.ics", "BEGIN:VCALENDAR\n", "warn owners' calendars: followups-anna.ics:"),
        ("Follow-ups.md", None, "warn agenda note: Follow-ups.md: missing, or not current."),
        ("Follow-ups.md", "Mine.\n", "warn agenda note: Follow-ups.md is not a note that notesync wrote"),
    ],
)
def test_doctor_names_what_is_wrong_with_what_is_shared(vault, name, text, said):
    (vault / "notesync.yaml").write_text(SHARED, encoding="utf-8")
    run("sync")
    if text is None:
        (vault / name).unlink()
    else:
        (vault / name).write_text(text, encoding="utf-8")
    done = run("doctor")
    assert said in done.stdout
    assert done.exit_code == 1


@pytest.mark.skipif(os.name == "nt", reason="rights are lists there")
def test_doctor_minds_who_can_read_the_secrets(vault):
    from notesync.store.places import state_dir

    run("sync")
    run("serve", "--urls")
    kept = Path(state_dir(str(vault))) / "serve.json"
    kept.chmod(0o644)
    told = run("doctor").stdout
    assert f"warn server: {kept} holds the secret addresses" in told
    kept.write_text("{}", encoding="utf-8")
    assert "warn server: damaged-secrets" in run("doctor").stdout


# --- watch -----------------------------------------------------------------------------------------------


class Watching:
    """A running ``notesync watch`` whose lines can be waited for."""

    def __init__(self, *words, command="watch"):
        self.process = start(command, *words, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = []
        self._heard = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self):
        for line in self.process.stderr:
            with self._heard:
                self.lines.append(line)
                self._heard.notify_all()

    def wait_for(self, words):
        with self._heard:
            heard = self._heard.wait_for(lambda: any(words in line for line in self.lines), timeout=30)
        assert heard, f"{words!r} was not said: {self.lines}"
        return next(line for line in self.lines if words in line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._thread.join(timeout=10)
        self.process.stderr.close()
        self.process.stdout.close()


@POSIX
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_watch_follows_every_save_until_a_signal_ends_it(vault, how):
    with Watching() as watching:
        watching.wait_for("watching ")
        (vault / "Nomsa.md").write_text(LATE, encoding="utf-8")
        line = watching.wait_for("Nomsa.md")
        assert re.match(
            r"\d\d:\d\d:\d\d Nomsa\.md: 1 follow-up added, followups\.ics written \(\d+ ms\)$", line
        )
        assert b"Nomsa" in (vault / "followups.ics").read_bytes()
        began = time.monotonic()
        watching.process.send_signal(how)
        assert watching.process.wait(timeout=10) == 0
        assert time.monotonic() - began < 2
        assert watching.process.stdout.read() == ""


@POSIX
def test_watch_tells_of_the_agendas_note_once_and_keeps_it_current(vault):
    with (vault / "notesync.yaml").open("a", encoding="utf-8") as settings:
        settings.write("agenda_note: Follow-ups.md\n")
    with Watching() as watching:
        watching.wait_for("watching ")
        for name in ("Nomsa", "Zinhle"):
            (vault / f"{name}.md").write_text(LATE, encoding="utf-8")
            line = watching.wait_for(f"{name}.md")
            assert "followups.ics, Follow-ups.md written" in line
            assert name in (vault / "Follow-ups.md").read_text(encoding="utf-8")
        assert not any(" Follow-ups.md:" in line for line in watching.lines)


@POSIX
def test_a_second_watcher_is_refused_with_the_first_ones_number(vault):
    with Watching() as watching:
        watching.wait_for("watching ")
        code, _, err = finish("watch")
        assert code == 4
        assert f"process {watching.process.pid}" in err
        assert f"running (process {watching.process.pid})" in run("doctor").stdout


@POSIX
def test_watch_keeps_the_last_good_settings_while_they_are_wrong(vault):
    with Watching() as watching:
        watching.wait_for("watching ")
        before = (vault / "followups.ics").read_bytes()
        (vault / "notesync.yaml").write_text("timezone: Africa/Johannesburg\ncurency: x\n", encoding="utf-8")
        watching.wait_for("unknown-setting")
        watching.wait_for("the last good ones hold")
        (vault / "Nomsa.md").write_text(LATE, encoding="utf-8")
        watching.wait_for("Nomsa.md: 1 follow-up added")
        assert (vault / "followups.ics").read_bytes() == before
        (vault / "notesync.yaml").write_text(
            "timezone: Africa/Johannesburg\ncurrency: ZAR\n", encoding="utf-8"
        )
        watching.wait_for("good again")
        watching.wait_for("followups.ics written")
        assert b"Nomsa" in (vault / "followups.ics").read_bytes()


def test_watch_does_not_start_with_wrong_settings(vault):
    (vault / "notesync.yaml").write_text("curency: x\n", encoding="utf-8")
    code, _, err = finish("watch")
    assert code == 2
    assert "notesync.yaml:1:1" in err
    assert not (vault / "followups.ics").exists()


@pytest.mark.parametrize(
    ("zone", "now", "midnight"),
    [
        ("Africa/Johannesburg", "2026-11-22T23:59:59+02:00", "2026-11-23T00:00:00+02:00"),
        ("Europe/Berlin", "2026-03-28T12:00:00+01:00", "2026-03-29T00:00:00+01:00"),
        ("Europe/Berlin", "2026-03-29T12:00:00+02:00", "2026-03-30T00:00:00+02:00"),
        ("Pacific/Auckland", "2026-11-22T00:00:00+13:00", "2026-11-23T00:00:00+13:00"),
    ],
)
def test_midnight_is_that_of_the_settings_zone(zone, now, midnight, monkeypatch):
    from datetime import datetime

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromisoformat(now).astimezone(tz)

    monkeypatch.setattr(session, "datetime", Clock)
    assert session.find_midnight(zone) == datetime.fromisoformat(midnight).timestamp()


def test_a_new_day_is_published_without_any_change(vault, monkeypatch):
    """The watcher's loop, with scripted wakes and days: at midnight the digest moves on."""
    from notesync.cli.watch import Watch
    from notesync.sync.watch import MIDNIGHT, STOPPED, SWEEP, Wake

    day = ["2026-11-22"]
    said = []

    class Script:
        stopped, poll = False, 60.0
        wakes = iter([Wake(SWEEP), Wake(MIDNIGHT), Wake(SWEEP), Wake(STOPPED)])

        def wait(self, midnight=None, at_most=None):
            wake = next(self.wakes)
            if wake.reason == MIDNIGHT:
                day[0] = "2026-11-23"
            return wake

    class Told(session.Session):
        def moment(self, zone):
            return session.parse_moment(day[0])

        def tell(self, *lines):
            said.extend(lines)

    with Told().open() as workspace:
        Watch(Told(), workspace, Script()).run()
    assert len([line for line in said if "followups.ics written" in line]) == 1
    assert b"20261123" in (vault / "followups.ics").read_bytes()


def test_watch_sees_to_conflict_copies_of_the_calendar_when_their_engine_is_done(vault, monkeypatch):
    """rclone renames it on both sides, and must find it gone until it has copied them."""
    from notesync.cli.watch import Watch
    from notesync.sync.watch import STOPPED, SWEEP, Wake

    said, waits = [], []
    calendar, copy = vault / "followups.ics", vault / "followups.ics..path1"

    def rename():
        monkeypatch.setattr("notesync.sync.strays.GRACE", 3600.0)
        calendar.rename(copy)

    def end_grace():
        assert not calendar.exists()
        monkeypatch.setattr("notesync.sync.strays.GRACE", 0.0)

    def make_what_stays():
        assert calendar.exists()
        assert not copy.exists()
        (vault / "followups.Conflict.ics").write_bytes(calendar.read_bytes())

    class Script:
        stopped = False
        is_idle = False
        poll = 60.0
        happens = iter([rename, end_grace, make_what_stays, lambda: None])

        def wait(self, midnight=None, at_most=None):
            waits.append(at_most)
            happens = next(self.happens, None)
            if happens is None:
                return Wake(STOPPED)
            happens()
            return Wake(SWEEP)

    class Told(session.Session):
        def tell(self, *lines):
            said.extend(lines)

    with Told().open() as workspace:
        Watch(Told(), workspace, Script()).run()
    assert waits[0] is None
    assert 0 < waits[1] <= 3600
    assert waits[2:] == [None] * 3
    removed = [line for line in said if "removed conflict copies: followups.ics..path1" in line]
    left = [line for line in said if "followups.Conflict.ics is Resilio's conflict copy" in line]
    assert (len(removed), len(left)) == (1, 1)


# --- the group and its manual ----------------------------------------------------------------------------


def test_the_list_of_commands_loads_none_of_them():
    code = "import sys; from notesync.cli.group import notesync; notesync.main(['--help'], standalone_mode=False)"
    code += "; assert 'notesync.cli.check' not in sys.modules; assert 'json' not in sys.modules, 'json'"
    environment = os.environ | {"PYTHONPATH": str(HOME)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.DEVNULL)


def list_family(name):
    """A command, and those below it, each with the words that call it."""
    command = find_command(name)
    yield name, command
    for child in getattr(command, "commands", {}).values():
        yield f"{name} {child.name}", child


def find_command(name):
    found = notesync.get_command(click.Context(notesync), name)
    assert isinstance(found, session.Command)
    return found


def find_free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return str(found.getsockname()[1])


@POSIX
def test_serve_follows_every_save_until_a_signal_ends_it(vault):
    """The feed is there as soon as its address is; what is saved comes, and a second process only serves."""
    port = find_free_port()
    with Watching("--port", port, command="serve") as serving:
        base = serving.wait_for("serving ").split()[1]
        assert base == f"http://127.0.0.1:{port}"
        listed = run("serve", "--urls").stdout.splitlines()  # of where it is served, unasked
        (address,) = (line.split()[0] for line in listed if line.endswith("the whole calendar"))
        assert address.startswith(f"{base}/feed/")
        assert fetch(address) == (vault / "followups.ics").read_bytes()
        (vault / "Nomsa.md").write_text(LATE, encoding="utf-8")
        serving.wait_for("Nomsa.md")
        fetch_until(address, b"Nomsa")
        with Watching("--port", find_free_port(), command="serve") as second:
            second.wait_for("another notesync writes the calendar")
            second.wait_for("serving ")
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(timeout=30) == 0
        assert serving.process.stdout.read() == ""


def fetch_until(address, words):
    """What is served once these words are in it: it is made when nothing else is being saved."""
    late = time.monotonic() + 30
    while words not in (found := fetch(address)):
        assert time.monotonic() < late, found
    return found


def fetch(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read()


@pytest.mark.parametrize("public", ["notes.example.org", "ftp://x", "https://x/y", "https://"])
def test_an_address_for_others_is_a_whole_one(vault, public):
    done = run("serve", "--urls", "--public", public)
    assert done.exit_code == 2
    assert "https://notes.example.org" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_the_same_in_the_list_and_in_its_help(name):
    command = find_command(name)
    assert command.help.split("\n\n")[0].replace("\n", " ") == COMMANDS[name][1]
    assert {"--vault", "--verbose"} <= {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize(
    ("name", "example"),
    [(name, example) for name in COMMANDS for each in list_family(name) for example in each[1].examples],
    ids=lambda value: value,
)
def test_the_examples_in_the_help_work(name, example, quick_path, monkeypatch):
    import shlex

    shutil.copytree(EXAMPLE, quick_path / "vault")
    monkeypatch.chdir(quick_path / "vault")
    program, *words = shlex.split(example)
    assert program == "notesync"
    if name == "init":
        monkeypatch.chdir(quick_path / "home")
        assert run(*words).exit_code == 0
    elif name == "watch" or words == ["serve"] or "--public" in words:
        more = ("--port", find_free_port()) if name == "serve" else ()
        process = start(*words, *more, stderr=subprocess.PIPE)
        assert "watching" in process.stderr.readline()
        if name == "serve":
            assert process.stderr.readline().startswith("serving http")
            assert "--urls" in process.stderr.readline()
        process.terminate()
        process.stderr.close()
        assert process.wait(timeout=30) == 0 or os.name == "nt"
    else:
        if name == "undo":
            assert run("pause", "marike", "3w").exit_code == 0
        if name == "import":
            made = {
                "vcf": "BEGIN:VCARD\nFN:A\nEND:VCARD\n",
                "csv": "Kunde,Ort\nA,B\n",
                "enex": "<en-export/>",
            }
            Path(words[1]).write_text(made[words[1].rpartition(".")[2]], encoding="utf-8")
        if name == "conflicts" and "imraan" in words:
            make_conflict(Path("Clients/Imraan Davids.md"))
            monkeypatch.setattr("notesync.sync.merging.QUIET", 0)
        assert run(*words).exit_code in (0, 1)


def make_conflict(note):
    """Two versions of a note with two dates, and what both come from."""
    assert run("sync").exit_code == 0
    text = note.read_text(encoding="utf-8")
    for day, path in (
        (25, note),
        (27, note.with_name(f"{note.stem} (Anna's conflicted copy 2026-11-22).md")),
    ):
        path.write_text(text.replace("every:", f"next_contact: 2026-11-{day}\nevery:"), encoding="utf-8")


def render_manual():
    """docs/cli.md: the commands' own words."""
    lines = [
        "<!-- Made from the commands: pytest tests/test_cli.py --golden-rewrite -->",
        "",
        "# Commands",
        "",
    ]
    lines += [paragraph(notesync.help), "", *CLIENT, "", *WHEN, ""]
    lines += ["Every command has these options; they may also stand before its name:", ""]
    lines += [*render_options(find_shared()), ""]
    for name in COMMANDS:
        for words, command in list_family(name):
            lines += render_command(words, command)
    lines += ["## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES]
    lines += ["", *WRITING, "", *COMPLETION]
    return "\n".join(lines) + "\n"


CLIENT = (
    "`CLIENT` is a file name, name, alias, company or id. An exact one wins over a part; words may come in any",
    "order; capitals and accents do not matter. When several clients fit, they are named (on a terminal: to choose",
    "from); when none does, the nearest are.",
)
WHEN = (
    "`WHEN` is an ISO date (`2026-11-25`), `today`, `tomorrow`, a weekday (`fri`: the next one), or a time from now",
    "(`3d`, `2w`, `5 workdays`, `2 weeks`). Where a time makes sense it stands behind: `fri 14:30`. For what has",
    "happened (`--at`, `--on`) a weekday is the last one, and `yesterday` and a time alone are known, too.",
)
WRITING = (
    "## Writing into notes",
    "",
    "`log`, `done`, `move`, `pause`, `sold`, `lost`, `undo`, `conflicts merge` and `import --update` change "
    "notes; nothing else does, and never by itself.",
    "`review --write` makes and refreshes notes of its own, in `Reviews`, and leaves a person's words in them alone.",
    "",
    "- A change is the few characters that were asked for. Every other byte stays: the order of keys, "
    "comments, quotes,",
    "  line ends, even a missing one at the end. The note is read again afterwards and must say exactly what "
    "was wished;",
    "  otherwise nothing is written.",
    "- `--dry-run` shows the change as a unified diff and writes nothing.",
    "- When a command fails, no note has changed; where only its last words could not be written, as on a full "
    "disk, the",
    "  error says that the change was made. A note that an editor or a sync program saves at the same moment "
    "is read and",
    "  changed again, a few times; then the command ends with code 4.",
    "- A merge conflict in the note, a front matter that cannot be read, a key that stands twice, a note that "
    "may only be",
    "  read or is not downloaded: exit code 4, with what to do.",
    "- What is agreed for a day without a time is settled by a contact up to two working days before. So `log "
    "--next` with",
    "  a day as near as that wants a time, and asks for it on a terminal.",
    "- Earlier texts of notes, as `sync` and `watch` have seen them and as they were before each change, are "
    "kept for 90",
    "  days, a thousand changes and 100 MB at most, for `undo` and for merging, in the user's state folder (on Linux",
    "  `~/.local/state/notesync`, or below `$XDG_STATE_HOME`), readable for nobody else. Deleting them costs "
    "`undo` its",
    "  memory, and merges some questions.",
)
COMPLETION = (
    "## Completion",
    "",
    "Tab completes commands, options, the names of clients, their open steps and tasks. Names come from the index: run",
    "`notesync check` once before. One line turns it on:",
    "",
    "| shell | line | in |",
    "|---|---|---|",
    '| bash (4.4 or newer) | `eval "$(_NOTESYNC_COMPLETE=bash_source notesync)"` | `~/.bashrc` |',
    '| zsh | `eval "$(_NOTESYNC_COMPLETE=zsh_source notesync)"` | `~/.zshrc`, below `compinit` |',
    "| fish | `_NOTESYNC_COMPLETE=fish_source notesync \\| source` | `~/.config/fish/config.fish` |",
)
EXIT_CODES = (
    (0, "fine; `watch` or `serve` ended by a signal"),
    (
        1,
        "found what it looks for: `check` something overdue, `doctor` a problem, `conflicts` a copy left to merge",
    ),
    (UsageError.exit_code, "wrong usage or settings; a client unknown or ambiguous"),
    (VaultError.exit_code, "the vault cannot be read"),
    (RefusedError.exit_code, "refused, and nothing was changed"),
    (group.UNEXPECTED, "an unexpected error; `--verbose` shows where it happened"),
    (group.INTERRUPTED, "interrupted"),
    (group.READER_GONE, "whoever read the output went away (`notesync check \\| head`)"),
)


def paragraph(text):
    words = "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))
    return re.sub(r"'(notesync[^']*)'", r"`\1`", words)


def find_shared():
    return [parameter for parameter in notesync.params if "--version" not in parameter.opts]


def render_options(options):
    yield "| option | |"
    yield "|---|---|"
    for option in options:
        word = " / ".join(option.opts) + (f" {option.metavar}" if option.metavar else "")
        shown = word.replace("|", "\\|")
        yield f"| `{shown}` | {option.help}{' May be given several times.' if option.multiple else ''} |"


def find_usage(argument):
    word = argument.make_metavar(click.Context(notesync)).strip("[].").upper()
    word = f"{word}..." if argument.nargs == -1 else word
    return word if argument.required else f"[{word}]"


def render_command(name, command):
    shared = {option.name for option in find_shared()}
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if each not in arguments and each.name not in shared]
    yield f"## {name}"
    yield ""
    yield f"    notesync {' '.join([name, '[OPTIONS]', *map(find_usage, arguments)])}"
    yield ""
    yield paragraph(command.help)
    yield ""
    if options:
        yield from render_options(options)
        yield ""
    yield "```sh"
    yield from command.examples
    yield "```"
    yield ""


def test_the_manual_is_current(request):
    path = HOME / "docs" / "cli.md"
    if request.config.getoption("--golden-rewrite"):
        path.write_text(render_manual(), encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == render_manual()


def test_the_agenda_as_markdown_is_a_note_to_keep(vault):
    done = run("agenda", *TODAY, "--format", "md")
    assert done.exit_code == 0
    assert done.stdout.startswith("# Agenda\n")
    assert "\n## Sun 22 Nov" in done.stdout
    assert "[ ]" not in done.stdout
