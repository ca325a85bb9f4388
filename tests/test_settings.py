"""A person's `notesync.yaml`, then the settings and problems that come of it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notesync.followup.options import OPTIONS, parse_settings, render_settings
from notesync.followup.settings import Owner, Settings
from notesync.followup.settings_yaml import MAX_BYTES

FORMAT_EXAMPLE = """\
vault_id: 5b1f
since: 2026-11-22
timezone: Africa/Johannesburg
currency: ZAR
workdays: [mon, tue, wed, thu, fri]
holidays: ZA
days_off: [2026-12-15/2027-01-05]
ignore: [Archive/]
client_types: [person]
log_headings: [Log]
default_every: {customer: month, prospect: 2 weeks, lead: week, dormant: quarter}
minutes: {customer: 20}
capacity: 2 hours
retry_after: 2 workdays
give_up_after: 5
owners: {Anna: {email: a@example.com, phone: 0215550100, best_time: 9:30, backup: Ben,
  days_off: [2026-12-01]}}
fields: {last_contact: prm-last-contacted}
obsidian_vault: Clients
agenda_note: none
calendar:
  path: followups.ics
  per_owner: false
  detail: full
  overdue: digest
  alarm: none
  past: 90 days
  horizon: 18 months
  machine: any
  color: none
  description: none
  refresh: 1 hour
plans: {mine: [{step: hello, after: sold}]}
targets: {contacts: 40 per month, sales: 5 per month}
"""


def read(text: str) -> Settings:
    """The settings of a text that has nothing wrong."""
    settings, problems = parse_settings(text.encode())
    assert problems == ()
    return settings


def read_problems(text: str | bytes) -> list[tuple[int, int, str]]:
    """Where the problems are, and their codes; each must say what is wrong and what to write."""
    settings, problems = parse_settings(text.encode() if isinstance(text, str) else text)
    assert isinstance(settings, Settings)
    assert all(problem.message and problem.hint and problem.path == "notesync.yaml" for problem in problems)
    assert all(problem.severity == "error" for problem in problems)
    return [(problem.line, problem.column, problem.code) for problem in problems]


def read_hint(text: str) -> str:
    _, problems = parse_settings(text.encode())
    assert len(problems) == 1
    return problems[0].hint


# --- Good settings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "# only a comment\n",
        "---\n",
        "---\n---\n",
        "\N{BYTE ORDER MARK}# a mark\n",
        "{}",
        "holidays:\nowners: ~\ncalendar:\n  path:\n",
        "days_off: []\nignore: none\nowners: none\ndefault_every: none\nplans: none\nsince: none\n",
    ],
)
def test_nothing_said_is_the_defaults(text: str) -> None:
    assert read(text) == Settings()


def test_the_defaults_are_those_of_the_format() -> None:
    settings = Settings()
    assert settings.workdays == (0, 1, 2, 3, 4)
    assert settings.log_headings == ("Log",)
    assert settings.minutes == {"customer": 20}
    assert settings.capacity == 120
    assert settings.retry_after == (2, "workday")
    assert settings.give_up_after == 5
    assert settings.calendar_path == "followups.ics"
    assert settings.calendar_per_owner is False
    assert (settings.calendar_detail, settings.calendar_overdue) == ("full", "digest")
    assert settings.calendar_alarm is None
    assert settings.calendar_past == (90, "day")
    assert settings.calendar_horizon == (18, "month")
    assert settings.calendar_machine == "any"
    assert settings.calendar_refresh == 60
    nothing = "vault_id since timezone currency holidays days_off ignore client_types default_every owners"
    for name in f"{nothing} fields obsidian_vault agenda_note plans targets".split():
        assert not getattr(settings, name), name


def test_all_settings_of_the_format() -> None:
    settings = read(FORMAT_EXAMPLE)
    assert settings.vault_id == "5b1f"
    assert settings.since == "2026-11-22"
    assert settings.timezone == "Africa/Johannesburg"
    assert settings.currency == "ZAR"
    assert settings.holidays == "ZA"
    assert settings.days_off == (("2026-12-15", "2027-01-05"),)
    assert settings.ignore == ("Archive/",)
    assert settings.client_types == ("person",)
    assert settings.default_every == {
        "customer": (1, "month"),
        "prospect": (2, "week"),
        "lead": (1, "week"),
        "dormant": (3, "month"),
    }
    assert settings.owners == {
        "Anna": Owner(("a@example.com",), ("0215550100",), "9:30", "Ben", (("2026-12-01", "2026-12-01"),))
    }
    assert settings.fields == {"last_contact": "prm-last-contacted"}
    assert settings.obsidian_vault == "Clients"
    assert settings.targets == {"contacts": (40, "month"), "sales": (5, "month")}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("workdays: sun, mon, tue, wed, Thursday", "workdays", (0, 1, 2, 3, 6)),
        ("workdays:\n- sat\n-\n- sun\n", "workdays", (5, 6)),
        ("holidays: de-by", "holidays", "DE-BY"),
        ("days_off: 2026-12-24", "days_off", (("2026-12-24", "2026-12-24"),)),
        (
            "days_off: [2026-12-24, 2026-12-31 / 2027-01-02]",
            "days_off",
            (("2026-12-24", "2026-12-24"), ("2026-12-31", "2027-01-02")),
        ),
        ('since: "[[2026-11-22]]"', "since", "2026-11-22"),
        ("ignore: Archive\\Old", "ignore", ("Archive/Old",)),
        ("Client-Types: [Person, KONTAKT]", "client_types", ("person", "kontakt")),
        ("log headings: [Log, Contacts]", "log_headings", ("Log", "Contacts")),
        ("default_every: {Customer: twice a month}", "default_every", {"customer": (15, "day")}),
        ("default_every: {customer: month, lead: none}", "default_every", {"customer": (1, "month")}),
        ("minutes: {VIP: 45, lead: 1 hour}", "minutes", {"vip": 45, "lead": 60}),
        ("capacity: 90 minutes", "capacity", 90),
        ("capacity: 1.5 hours", "capacity", 90),
        ("capacity: 1h 30min", "capacity", 90),
        ("capacity: 1h30m", "capacity", 90),
        ("capacity: 24 h", "capacity", 1440),
        ("retry_after: 1 workday", "retry_after", (1, "workday")),
        ("retry_after: 0d", "retry_after", (0, "day")),
        ("give_up_after: 12", "give_up_after", 12),
        ("owners: {Ben: }", "owners", {"Ben": Owner()}),
        ("owners: {Ben: {phone: [012, 034]}}", "owners", {"Ben": Owner(phone=("012", "034"))}),
        ("fields: {Next Contact: Follow Up}", "fields", {"next_contact": "Follow Up"}),
        ("agenda_note: Notes\\Agenda.md", "agenda_note", "Notes/Agenda.md"),
        ("calendar: {path: Shared\\c.ics}", "calendar_path", "Shared/c.ics"),
        ("calendar: {path: ./c.ics}", "calendar_path", "./c.ics"),
        ("calendar: {per-owner: Yes}", "calendar_per_owner", True),
        ("calendar: {detail: Names}", "calendar_detail", "names"),
        ("calendar: {overdue: STAY}", "calendar_overdue", "stay"),
        ("calendar: {alarm: 8:30}", "calendar_alarm", 510),
        ("calendar: {alarm: 00:00}", "calendar_alarm", 0),
        ("calendar: {color: Dark Slate Gray}", "calendar_color", "darkslategray"),
        ("calendar: {color: '#008080'}", "calendar_color", "teal"),
        ("calendar: {color: '#0f8080'}", "calendar_color", "#0F8080"),
        ("calendar: {refresh: 90 minutes}", "calendar_refresh", 90),
        ("calendar: {description: 'Who, and when'}", "calendar_description", "Who, and when"),
        ("calendar: {horizon: 2 years}", "calendar_horizon", (2, "year")),
        ("calendar: {past: quarter}", "calendar_past", (3, "month")),
        ("calendar: {machine: Office-PC}", "calendar_machine", "Office-PC"),
        ("currency: NO", "currency", "NO"),
        ("vault_id: 0712", "vault_id", "0712"),
        ("targets: {Sales: 5 a week}", "targets", {"sales": (5, "week")}),
    ],
)
def test_one_setting(text: str, name: str, value: object) -> None:
    assert getattr(read(text), name) == value


def test_plans_are_kept_with_their_places() -> None:
    settings = read("plans:\n  mine:\n    - step: hello\n")
    step = ("map", 3, 7, ((("text", 3, 7, "step"), ("text", 3, 13, "hello")),))
    assert settings.plans == ("map", 2, 3, ((("text", 2, 3, "mine"), ("list", 3, 5, (step,))),))


def test_the_work_calendar_of_the_settings() -> None:
    settings = Settings(workdays=(6, 0, 1, 2, 3), days_off=(("2026-12-20", "2026-12-22"),), holidays="ZA")
    calendar = settings.work_calendar()
    assert calendar.after(date(2026, 12, 17), 1) == date(2026, 12, 23)
    assert not calendar.is_workday(date(2026, 12, 16))
    assert not calendar.is_workday(date(2026, 11, 27))


# --- Problems --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("timezon: x", [(1, 1, "unknown-setting")]),
        ("# c\n\ncalendar:\n  detal: full\n  path: x.ics\n", [(4, 3, "unknown-setting")]),
        ("owners: {Anna: {mail: x}}", [(1, 17, "bad-setting")]),
        ("fields: {last_contacted: x}", [(1, 10, "bad-setting")]),
        ("since: 25/11/2026\nsince: 2026-11-22", [(1, 8, "bad-setting"), (2, 1, "duplicate-key")]),
        ("give-up-after: 1\ngive_up_after: 2", [(2, 1, "duplicate-key")]),
        ("calendar: {path: a.ics, path: b.ics}", [(1, 25, "duplicate-key")]),
        (
            "a: 1\r\nb: 2\rc: 3\n",
            [(1, 1, "unknown-setting"), (2, 1, "unknown-setting"), (3, 1, "unknown-setting")],
        ),
        ("currency: 'a\u2028b'\ngive_up_after: no", [(2, 16, "bad-setting")]),
        ("ignore: ['\U0001f600'] \nfoo: [x]", [(2, 1, "unknown-setting")]),
        ("{\U0001f600: 1, vault_id: a b}", [(1, 2, "unknown-setting"), (1, 18, "bad-setting")]),
        # Values of the wrong kind.
        ("since: [2026-11-22]", [(1, 8, "bad-setting")]),
        ("timezone: {a: b}", [(1, 11, "bad-setting")]),
        ("ignore: {a: b}", [(1, 9, "bad-setting")]),
        ("calendar: yes", [(1, 11, "bad-setting")]),
        ("calendar: [path]", [(1, 11, "bad-setting")]),
        ("owners: [Anna]", [(1, 9, "bad-setting")]),
        ("owners: {Anna: Ben}", [(1, 16, "bad-setting")]),
        ("plans: after-sale", [(1, 8, "bad-setting")]),
        ("default_every: month", [(1, 16, "bad-setting")]),
        ("minutes: 20", [(1, 10, "bad-setting")]),
        # Values that mean nothing.
        ("timezone: Africa/Johanesburg", [(1, 11, "bad-setting")]),
        ("timezone: ../../etc/passwd", [(1, 11, "bad-setting")]),
        ("timezone: Africa", [(1, 11, "bad-setting")]),
        ("holidays: ZZ", [(1, 11, "bad-setting")]),
        ("workdays: [mon, someday]", [(1, 17, "bad-setting")]),
        ("workdays: []", [(1, 11, "bad-setting")]),
        ("workdays: none", [(1, 11, "bad-setting")]),
        ("log_headings: []", [(1, 15, "bad-setting")]),
        ("days_off: [2027-01-05/2026-12-15]", [(1, 12, "bad-setting")]),
        ("days_off: [15/12/2026]", [(1, 12, "bad-setting")]),
        ("days_off: [2026-12-15/2072-01-05]", [(1, 12, "bad-setting")]),
        ("days_off: [a, b]", [(1, 12, "bad-setting")]),
        ("since: 2026-11-22T10:00", [(1, 8, "bad-setting")]),
        ("default_every: {customer: sometimes}", [(1, 27, "bad-setting")]),
        ("minutes: {lead: 0}", [(1, 17, "bad-setting")]),
        ("minutes: {lead: ²}", [(1, 17, "bad-setting")]),
        ("capacity: 90", [(1, 11, "bad-setting")]),
        ("capacity: 25 hours", [(1, 11, "bad-setting")]),
        ("capacity: h", [(1, 11, "bad-setting")]),
        ("retry_after: soon", [(1, 14, "bad-setting")]),
        ("retry_after: -1 day", [(1, 14, "bad-setting")]),
        ("give_up_after: 0", [(1, 16, "bad-setting")]),
        ("give_up_after: ٥", [(1, 16, "bad-setting")]),
        ("agenda_note: ../x.md", [(1, 14, "bad-setting")]),
        ("agenda_note: /x.md", [(1, 14, "bad-setting")]),
        ("agenda_note: x.txt", [(1, 14, "bad-setting")]),
        ("calendar: {path: Acme.md}", [(1, 18, "bad-setting")]),
        ("calendar: {path: ../shared/c.ics}", [(1, 18, "bad-setting")]),
        ("calendar: {path: /srv/www/c.ics}", [(1, 18, "bad-setting")]),
        ("calendar: {path: 'C:\\Users\\Anna\\c.ics'}", [(1, 18, "bad-setting")]),
        ("calendar: {per_owner: maybe}", [(1, 23, "bad-setting")]),
        ("calendar: {detail: nams}", [(1, 20, "bad-setting")]),
        ("calendar: {alarm: 8}", [(1, 19, "bad-setting")]),
        ("calendar: {color: tael}", [(1, 19, "bad-setting")]),
        ("calendar: {color: '#12345'}", [(1, 19, "bad-setting")]),
        ("calendar: {refresh: often}", [(1, 21, "bad-setting")]),
        ("calendar: {alarm: 25:00}", [(1, 19, "bad-setting")]),
        ("targets: {sales: many}", [(1, 18, "bad-setting")]),
        # Not what a file of settings looks like.
        ("hello", [(1, 1, "bad-setting")]),
        ("- a", [(1, 1, "bad-setting")]),
        ("a: 'b", [(1, 6, "bad-yaml")]),
        ("timezone: Africa: Cairo", [(1, 17, "bad-yaml")]),
        ("\tworkdays: x", [(1, 1, "bad-yaml")]),
        ("# ok\n{{vault}}: 1", [(2, 1, "bad-yaml"), (2, 2, "bad-yaml")]),
        ("currency: *zar", [(1, 11, "bad-yaml")]),
        ("currency: &a ZAR", [(1, 11, "bad-yaml")]),
        ("currency: !!python/object:os.system ZAR", [(1, 11, "bad-yaml")]),
        ("calendar:\n  <<: {path: x.ics}", [(2, 3, "bad-yaml")]),
        ("# é日\nc: \x07", [(2, 4, "bad-yaml")]),
        ("---\ncurrency: ZAR\n---\nholidays: ZA", [(4, 1, "bad-yaml")]),
        (b"# \xc3\xa9\n# \xff", [(2, 3, "bad-yaml")]),
        ("x: 1".encode("utf-16"), [(1, 1, "unknown-setting")]),
        (b"\xff\xfea", [(1, 1, "bad-yaml")]),
        ("[" * (MAX_BYTES // 2), [(1, 51, "bad-yaml")]),
        ("- " * (MAX_BYTES // 2), [(1, 101, "bad-yaml")]),
        ("# long\n" * MAX_BYTES, [(1, 1, "bad-yaml")]),
    ],
)
def test_each_problem_has_its_place(text: str | bytes, places: list[tuple[int, int, str]]) -> None:
    assert read_problems(text) == places


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("timezon: x", "Did you mean `timezone`?"),
        ("calender: {}", "Did you mean `calendar`?"),
        ("path: x.ics", "Did you mean `path`, indented below `calendar:`?"),
        ("detail: full", "Did you mean `detail`, indented below `calendar:`?"),
        ("calendar.path: x.ics", "Did you mean `path`, indented below `calendar:`?"),
        ("calendar: {timezone: UTC}", "Write `timezone` without indenting it."),
        ("calendar: {horizn: x}", "Did you mean `horizon`?"),
        ("xyzzy: 1", "Delete it; docs/format.md lists the settings."),
        ("timezone: Africa/Johanesburg", "Did you mean `Africa/Johannesburg`?"),
        ("calendar: {overdue: digst}", "Did you mean `digest`?  Write `digest`, `each` or `stay`."),
        ("since: 22/11/2026", "Write a day as `2026-11-22`."),
        ("days_off: [15/12/2026]", "Write a day as `2026-12-15`."),
        ("days_off: [2027-01-05/2026-12-15]", "Write `2026-12-15/2027-01-05`."),
        ("fields: {last_contacted: x}", "Did you mean `last_contact`?"),
        ("owners: {Anna: {mail: x}}", "Did you mean `email`?"),
    ],
)
def test_what_to_write_instead(text: str, hint: str) -> None:
    assert read_hint(text) == hint


def test_what_is_wrong_in_words() -> None:
    _, problems = parse_settings(b"since: soon\nworkdays: {}\nworkdays: [x]\n", "notesync.yaml")
    assert [problem.message for problem in problems] == [
        "`since` cannot be `soon`.",
        "`workdays` is set twice; the one on line 2 is used.",
    ]


def test_one_wrong_setting_leaves_the_others() -> None:
    settings, problems = parse_settings(b"since: soon\ncurrency: ZAR\ncalendar: {detail: x, path: y.ics}\n")
    assert (settings.since, settings.currency, settings.calendar_path) == ("", "ZAR", "y.ics")
    assert len(problems) == 2


WORDS = st.sampled_from(
    [option.key.rpartition(".")[2] for option in OPTIONS] + ["calendar", "Anna", "customer"]
)
PIECES = st.sampled_from(
    [
        ": ",
        "\n",
        "\n  ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "2 weeks",
        "2026-11-22",
        "/",
        "'",
        "#",
        "- ",
        "|",
        "\r\n",
        "\ufeff",
        "none",
        "8:30",
    ]
)


@given(
    st.binary(max_size=200)
    | st.lists(WORDS | PIECES | st.text(max_size=3), max_size=30).map(
        lambda p: "".join(p).encode("utf-8", "surrogatepass")
    )
)
@example(b"\xff\xfe\x00\xd8")
@example(b"\x00")
@example(b"? a\n: b")
@example(b"a: |\n")
@example(b"%YAML 9.9\n---\na: b")
@example(b"\xef\xbb\xbf\xef\xbb\xbfa: b")
def test_no_bytes_break_the_reading(data: bytes) -> None:
    settings, problems = parse_settings(data)
    assert Settings.from_json(settings.to_json()) == settings
    lines = data.count(b"\n") + data.count(b"\r") + 1
    assert all(1 <= problem.line <= lines and problem.column >= 1 for problem in problems)


@pytest.mark.parametrize(
    "text",
    [
        "a: " * 20_000,
        "? " * 30_000,
        "{a: " * 15_000,
        "a\n" * 30_000,
        "- a\n" * 16_000,
        "a: b\n" * 12_000,
        "'" * 60_000,
        "k: |\n" + " x\n" * 20_000,
    ],
    ids=["colons", "questions", "braces", "words", "items", "pairs", "quotes", "block"],
)
def test_hostile_yaml_is_refused_cheaply(text: str) -> None:
    """Within the test run's patience."""
    settings, problems = parse_settings(text.encode())
    assert settings == Settings()
    assert problems


# --- To text and back ------------------------------------------------------------------------------------

TEXTS = st.text(max_size=8)
SPANS = st.tuples(st.integers(0, 999), st.sampled_from(["day", "workday", "week", "month", "year"]))
RANGES = st.lists(st.tuples(st.dates().map(str), st.dates().map(str)), max_size=2).map(tuple)
TUPLES = st.lists(TEXTS, max_size=3).map(tuple)
NODES = st.recursive(
    st.tuples(st.just("text"), st.integers(1, 9), st.integers(1, 9), TEXTS),
    lambda nodes: st.tuples(
        st.just("list"), st.integers(1, 9), st.integers(1, 9), st.lists(nodes).map(tuple)
    ),
    max_leaves=5,
)
SETTINGS = st.builds(
    Settings,
    vault_id=TEXTS,
    workdays=st.lists(st.integers(0, 6)).map(tuple),
    days_off=RANGES,
    ignore=TUPLES,
    default_every=st.dictionaries(TEXTS, SPANS, max_size=3),
    minutes=st.dictionaries(TEXTS, st.integers(1, 99), max_size=3),
    capacity=st.integers(1, 1440),
    owners=st.dictionaries(TEXTS, st.builds(Owner, TUPLES, TUPLES, TEXTS, TEXTS, RANGES), max_size=2),
    fields=st.dictionaries(TEXTS, TEXTS, max_size=2),
    calendar_per_owner=st.booleans(),
    calendar_alarm=st.none() | st.integers(0, 1439),
    calendar_past=SPANS,
    plans=st.just(()) | NODES,
    targets=st.dictionaries(TEXTS, SPANS, max_size=2),
)


@given(SETTINGS)
def test_settings_as_json_come_back_equal(settings: Settings) -> None:
    back = Settings.from_json(settings.to_json())
    assert back == settings
    assert repr(back) == repr(settings)  # the very same types
    assert back.fingerprint() == settings.fingerprint()


@given(SETTINGS, SETTINGS)
def test_different_settings_have_different_fingerprints(first: Settings, second: Settings) -> None:
    same = first.replace(plans=()) == second.replace(plans=())
    if not same:
        assert first.fingerprint() != second.fingerprint()


def test_a_fingerprint_is_of_values_and_not_of_places_or_order() -> None:
    plans = "plans: {mine: [{step: hello}]}\n"
    assert read(plans).fingerprint() == read(f"# more\n\n{plans}").fingerprint()
    assert read(plans).fingerprint() != read(plans.replace("hello", "hallo")).fingerprint()
    assert read(plans).fingerprint() != read("").fingerprint()
    assert read("minutes: {a: 1, b: 2}").fingerprint() == read("minutes: {b: 2, a: 1}").fingerprint()
    assert read("minutes: {customer: 20}").fingerprint() == read("").fingerprint()
    # Known, so that a change of the hash is not made unawares: it discards everybody's index.
    assert len(read("").fingerprint()) == 32


def test_settings_can_be_changed_for_one_command() -> None:
    settings = Settings(currency="ZAR").replace(calendar_detail="initials")
    assert (settings.currency, settings.calendar_detail) == ("ZAR", "initials")
    assert settings != Settings()
    with pytest.raises(TypeError, match="colour"):
        Settings(colour="red")


# --- What `init` writes ----------------------------------------------------------------------------------


@given(
    st.uuids().map(lambda value: value.hex)
    | st.sampled_from(["", "a: b", "12", "true", "0x1f"]).filter(lambda t: " " not in t),
    st.dates().map(str),
    st.sampled_from(["", "UTC", "Africa/Johannesburg", "America/Argentina/Buenos_Aires", "Etc/GMT+5"]),
)
def test_a_new_vault_has_settings_without_a_problem(vault_id: str, since: str, timezone: str) -> None:
    settings = read(render_settings(vault_id, since, timezone))
    expected = Settings(
        vault_id=vault_id,
        since=since,
        timezone=timezone,
        default_every={
            "customer": (1, "month"),
            "prospect": (2, "week"),
            "lead": (1, "week"),
            "dormant": (3, "month"),
        },
    )
    assert settings == expected


def test_what_init_writes_explains_each_key_and_shows_its_default() -> None:
    text = render_settings("5b1f", "2026-11-22")
    lines = text.splitlines()
    for option in OPTIONS:
        name = option.key.rpartition(".")[2]
        assert any(line.lstrip("# ").startswith(f"{name}: ") for line in lines), option.key
        assert any(line.lstrip("# ") == option.comment for line in lines), option.key
    assert "# timezone: Africa/Johannesburg" in lines
    assert "\nsince: 2026-11-22\n" in text
    assert max(map(len, lines)) <= 110


def test_without_its_comment_signs_it_is_what_the_table_shows() -> None:
    """Whoever takes away the `#` before a key gets what its comment promises."""
    kept = []
    for line in render_settings("5b1f", "2026-11-22", "UTC").splitlines():
        key = line.removeprefix("#").removeprefix(" ")
        name = key.strip().partition(":")[0]
        if name.replace("_", "").isalnum() and name.islower() and ":" in key and name not in ("true", "full"):
            kept.append(key)
    settings = read("\n".join(kept))
    assert settings.holidays == "ZA"
    assert settings.calendar_path == "followups.ics"
    assert settings.calendar_horizon == (18, "month")
    assert settings.owners["Anna"].backup == "Ben"


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.example], ids=lambda option: option.key
)
def test_each_example_of_the_table_is_read(option: object) -> None:
    key, example = option.key, option.example  # type: ignore[attr-defined]
    section, _, name = key.rpartition(".")
    found = read(f"{section}: {{{name}: {example}}}" if section else f"{key}: {example}")
    attribute = key.replace(".", "_")
    default = getattr(Settings(), attribute)
    assert getattr(found, attribute) == default or not default


def test_each_setting_has_its_line_in_the_table_and_in_the_same_order() -> None:
    assert [option.key.replace(".", "_") for option in OPTIONS] == list(Settings().__dict__)


def test_reading_remembered_settings_costs_next_to_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "from notesync.followup.settings import Settings\n"
        "Settings.from_json('{}')\n"
        "heavy = 'yaml json dataclasses holidays zoneinfo difflib hashlib pathlib datetime inspect'\n"
        "print(*[name for name in heavy.split() if name in sys.modules and name not in before])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == ""
