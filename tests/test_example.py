"""The example vault: what its notes say, what copying them does, and that the pages about them are true."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest

from notesync.followup.agenda import Moment
from notesync.followup.client_fields import FIELDS
from notesync.followup.items import Agenda
from notesync.followup.options import OPTIONS
from notesync.store.example import EXAMPLE_DAY, PATTERNS, copy_example, find_example, move_dates
from notesync.sync.pipeline import Selection, open_workspace

HOME = Path(__file__).parents[1]
EXAMPLE = HOME / "examples" / "vault"
README = HOME / "README.md"
PAGES = (README, *sorted((HOME / "docs").glob("*.md")), HOME / "CHANGELOG.md")


def ask(vault: Path, day: date, cache: Path) -> Agenda:
    """All that is overdue, due or upcoming in a vault as a day begins."""
    with open_workspace(str(vault), lambda zone: Moment(day), cache=str(cache)) as workspace:
        workspace.refresh()
        return workspace.agenda(Selection(everything=True))


@pytest.fixture(scope="module")
def agenda(tmp_path_factory: pytest.TempPathFactory) -> Agenda:
    return ask(EXAMPLE, EXAMPLE_DAY, tmp_path_factory.mktemp("cache"))


# --- What the notes say ----------------------------------------------------------------------------------

EXPECTED = """
overdue   promise        2026-11-20T09:30  Thandi Mokoena
overdue   complaint      2026-11-19        Sipho Dlamini
overdue   complaint      2026-11-19        Charmaine Isaacs
overdue   contact        2026-11-20        يوسف الحداد
overdue   service        2026-11-20        Sipho Dlamini
overdue   keep-in-touch  2026-11-10        Fatima Adams
overdue   keep-in-touch  2026-11-13        陳美玲
overdue   task           2026-11-18        Ruan Botha
due       promise        2026-11-22T16:00  Marike Fourie
due       delivery       2026-11-23        Lerato Khumalo
due       contact        2026-12-15        Sister Agnes Jacobs
due       service        2026-12-04        Sister Agnes Jacobs
due       service        2026-11-24        Johan van der Merwe
due       advocate       2026-12-15        Grace Nkosi
due       feedback       2026-11-23        Priya Naidoo
due       keep-in-touch  2026-12-04        Zoë Müller-Fouché
upcoming  complaint      2026-11-25        Sipho Dlamini
upcoming  delivery       2026-11-24        Lerato Khumalo
upcoming  contact        2026-11-23        Bongani Zulu
upcoming  promise        2026-11-24T17:30  Johan van der Merwe
upcoming  contact        2026-11-25        يوسف الحداد
upcoming  contact        2026-11-13        Marlene Petersen
upcoming  keep-in-touch  2026-11-24        Marlene Petersen
"""


def test_each_note_shows_what_it_is_there_for(agenda: Agenda) -> None:
    found = [(item.status, item.kind, item.due, item.client) for item in agenda.items]
    for line in EXPECTED.strip().splitlines():
        status, kind, due, client = line.split(maxsplit=3)
        assert (status, kind, due, client) in found
    now = [line.split()[0] for line in EXPECTED.strip().splitlines() if not line.startswith("upcoming")]
    assert [item.status for item in agenda.items if item.status != "upcoming"] == now


def test_both_ways_to_date_a_task_are_there(agenda: Agenda) -> None:
    tasks = {item.title: item.due for item in agenda.items if item.kind == "task"}
    assert tasks["Drop off the sample tin of the new rooibos"] == "2026-11-18"
    assert tasks["Send the bean menu for the summer tasting"] == "2026-11-25"
    assert tasks["Order next month's beans before the depot closes"] == "2026-11-27"


def test_nobody_is_bothered_who_should_not_be(agenda: Agenda) -> None:
    waiting = {item.client: item.opens for item in agenda.items}
    assert "Gert Louw" not in waiting  # withdrawn
    steps = {item.step for item in agenda.items if item.client == "Priya Naidoo"}
    assert steps == {"reasons", "door-open"}  # lost: no cadence any more
    assert waiting["Mrs Hendricks"] == "2027-01-13"  # paused till then
    assert not any("Mutton" in item.company for item in agenda.items)  # in an ignored folder


def test_a_shared_account_and_a_client_by_id(agenda: Agenda) -> None:
    owners = {item.client: item.owner for item in agenda.items}
    assert owners["Imraan Davids"] == ("Naledi", "Pieter")
    assert {item.client_id for item in agenda.items if item.client == "Grace Nkosi"} == {"ms-0042"}


def test_one_note_has_a_problem_and_only_one(agenda: Agenda) -> None:
    assert [(p.path, p.line, p.column, p.code) for p in agenda.problems] == [
        ("Clients/Deon Smit.md", 8, 15, "bad-date")
    ]
    assert "2026-11-27" in agenda.problems[0].hint


def read_example() -> Iterator[tuple[str, str]]:
    for path in sorted(EXAMPLE.rglob("*")):
        if path.is_file() and path.suffix != ".ics":
            yield path.relative_to(EXAMPLE).as_posix(), path.read_text(encoding="utf-8")


def test_all_people_are_made_up() -> None:
    """Addresses of the domains kept for examples, numbers of codes that South Africa has not given out."""
    text = "".join(text for _, text in read_example())
    addresses = re.findall(r"[\w.+-]+@([\w.-]+)", text)
    assert {address for address in addresses if not re.search(r"(^|\.)example\.(com|org)$", address)} == set()
    numbers = re.findall(r"(?:\+27 ?|\b0)[0-9][0-9 ]{7,}", text)
    assert {each for each in numbers if not re.match(r"(\+27 |0)(88|59) ?555 ?01[0-9]{2}", each)} == set()
    assert addresses
    assert numbers


# --- Copying it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("next_contact: 2026-11-20T09:30", "next_contact: 2026-11-27T09:30"),
        ("days_off: [2026-12-28/2027-01-04]", "days_off: [2027-01-04/2027-01-11]"),
        ("- [ ] call 📅 2026-11-25", "- [ ] call 📅 2026-12-02"),
        ("[due:: 2026-11-25], [[2026-11-20]]", "[due:: 2026-12-02], [[2026-11-27]]"),
        ("2026-02-30 is no day", "2026-02-30 is no day"),
        ("9999-12-31", "9999-12-31"),
        ("27/11/2026, 12026-11-25, 2026-11-251", "27/11/2026, 12026-11-25, 2026-11-251"),
    ],
)
def test_dates_move_and_nothing_else(text: str, moved: str) -> None:
    assert move_dates(text, timedelta(days=7)) == moved


def test_a_copy_shows_today_what_the_example_shows_on_its_day(agenda: Agenda, tmp_path: Path) -> None:
    today = EXAMPLE_DAY + timedelta(weeks=13)  # a Sunday too, with no public holiday near
    written = copy_example(tmp_path / "vault", today)
    assert tmp_path / "vault" / "Daily" / "2027-02-19.md" in written
    copied = ask(tmp_path / "vault", today, tmp_path / "cache")

    def seen(found: Agenda) -> list[tuple[str, str, str, int]]:
        return [(i.client, i.kind, i.status, i.days_late) for i in found.items if i.status != "upcoming"]

    assert seen(copied) == seen(agenda)
    assert copied.totals._replace(upcoming=0) == agenda.totals._replace(upcoming=0)


def test_a_copy_on_the_day_itself_is_the_example(tmp_path: Path) -> None:
    for file in copy_example(tmp_path, EXAMPLE_DAY):
        assert file.read_bytes() == (EXAMPLE / file.relative_to(tmp_path)).read_bytes()


def test_copying_never_overwrites(tmp_path: Path) -> None:
    own = tmp_path / "notesync.yaml"
    own.write_text("timezone: Europe/Oslo\n", encoding="utf-8")
    first = copy_example(tmp_path, EXAMPLE_DAY)
    assert own not in first
    assert own.read_text(encoding="utf-8") == "timezone: Europe/Oslo\n"
    assert copy_example(tmp_path, EXAMPLE_DAY) == []


def test_what_is_made_beside_the_notes_is_not_copied(tmp_path: Path) -> None:
    kinds = {path.suffix or path.name for path in copy_example(tmp_path, EXAMPLE_DAY)}
    assert kinds == {".md", ".yaml", ".json"}
    assert (tmp_path / ".obsidian" / "templates.json").is_file()


# --- The package -----------------------------------------------------------------------------------------


def test_the_package_holds_every_folder_of_code_and_the_example() -> None:
    """The folders are listed by hand in pyproject.toml: a forgotten one would be missing from the wheel."""
    built = tomllib.loads((HOME / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {
        ".".join(path.parent.relative_to(HOME).parts) for path in (HOME / "notesync").rglob("__init__.py")
    }
    assert set(built["packages"]) == folders | {"notesync.example"}
    assert (HOME / built["package-dir"]["notesync.example"]).samefile(find_example())
    assert tuple(built["package-data"]["notesync.example"]) == PATTERNS
    assert built["package-data"]["notesync.followup"] == ["plans/*.yaml"]


# --- The pages -------------------------------------------------------------------------------------------


def find_anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ +(.+?) *$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if link.startswith("http"):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in find_anchors(target), link


def test_the_note_in_the_readme_is_the_example_s() -> None:
    shown = re.search(r"```markdown\n(---\n.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    note = (EXAMPLE / "Clients" / "Quince Cottage.md").read_text(encoding="utf-8")
    assert note.startswith(shown[1])


def test_the_calendar_entry_in_the_readme_is_what_the_note_becomes(tmp_path: Path) -> None:
    from icalendar import Calendar

    with open_workspace(str(EXAMPLE), lambda zone: Moment(EXAMPLE_DAY), cache=str(tmp_path)) as workspace:
        workspace.refresh()
        calendar = Calendar.from_ical(b"".join(workspace.feed()))
    (entry,) = (event for event in calendar.walk("VEVENT") if "Settle the bean" in event["SUMMARY"])
    assert entry.decoded("DTSTART").isoformat() == "2026-11-22T14:00:00+00:00"  # 16:00 in Cape Town
    text = README.read_text(encoding="utf-8")
    assert f"| **Title** | {entry['SUMMARY']} |" in text
    for line in str(entry["DESCRIPTION"]).splitlines():
        assert line.startswith("obsidian://") or f" {line} |" in text, line


def test_the_format_page_has_every_key_and_setting() -> None:
    text = (HOME / "docs" / "format.md").read_text(encoding="utf-8")
    rows = "\n".join(re.findall(r"^\| `.*$", text, flags=re.MULTILINE))
    for name in ("type", *(field.key for field in FIELDS), *(option.key for option in OPTIONS)):
        assert f"`{name}`" in rows, name


def find_codes(importing: bool = False) -> Iterator[str]:
    """The codes of problems, where the code makes one: a text in words and hyphens; of notes, or of imports."""
    makers = {"Problem", "Unreadable", "report", "complain"}
    for path in (HOME / "notesync").rglob("*.py"):
        if importing != (path.parent.name == "importers" or path.name == "importing.py"):
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(call, ast.Call)
                and getattr(call.func, "id", getattr(call.func, "attr", "")) in makers
            ):
                for given in call.args:
                    value = given.value if isinstance(given, ast.Constant) else None
                    if isinstance(value, str) and re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", value):
                        yield value


def test_the_format_page_has_every_problem_s_code() -> None:
    text = (HOME / "docs" / "format.md").read_text(encoding="utf-8")
    table = text.split("\n## Problems\n")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", table, flags=re.MULTILINE))
    assert listed == set(find_codes()) - {"error", "warning"}


def test_the_import_page_has_every_problem_s_code() -> None:
    text = (HOME / "docs" / "import.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z0-9-]+)` \|", text, flags=re.MULTILINE))
    assert listed == set(find_codes(importing=True))
