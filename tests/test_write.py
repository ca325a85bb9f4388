"""The commands that write into notes: a note, what somebody types on a Sunday, what the note says then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from notesync.cli import asking, session, when
from notesync.cli.group import notesync
from notesync.followup.choosing import Choice, find_meant
from notesync.problems import MovedOnError
from notesync.sync import change

HOME = Path(__file__).parents[1]
NOW = "2026-11-22T10:00"  # a Sunday
POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX permissions or a POSIX shell")

ANNA = """\
---
type: client
name: Anna Botha
company: Acme
stage: prospect # since May
next_contact: 2026-11-19
---
A note.

## Log
- 2026-11-10 call: talked
"""
SOLD = """\
---
type: client
sold: 2026-11-16
delivery: 2026-12-03
value: 5000
---
## Log
- 2026-11-16 visit: sold #sold [delivery:: 2026-12-03] [value:: 5000]
"""


COMPLAINTS = """\
---
type: client
name: Anna Botha
---
## Log
- 2026-11-17 call: heard him out
- 2026-11-16 call: the lid squeaks #complaint
- 2026-11-09 call: it leaks #complaint 📅 2026-12-04
"""


@pytest.fixture(autouse=True)
def _now(own_places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "read_clock", lambda zone: session.parse_moment(NOW))


class Vault:
    """A vault with one client, and the commands as they are typed in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.put("notesync.yaml", "since: 2026-01-01\n")

    def put(self, path: str, text: str | bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())

    def read(self, path: str = "Anna.md") -> str:
        return (self.root / path).read_bytes().decode()

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file()
        }

    def run(self, *words: str, typed: str | bytes | None = None) -> Result:
        return CliRunner().invoke(notesync, list(words), input=typed)

    def do(self, *words: str, typed: str | None = None) -> str:
        """What a command that goes well says on stdout."""
        done = self.run(*words, typed=typed)
        assert done.exit_code == 0, done.output
        return done.stdout


@pytest.fixture
def vault(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    found = Vault(quick_path / "vault")
    monkeypatch.chdir(found.root)
    return found


class Case(NamedTuple):
    """A note, the words of a command, the lines that go and those that come, the one line that is said."""

    note: str
    words: tuple[str, ...]
    gone: list[str]
    come: list[str]
    said: str


def change_of(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that are gone and those that came; the others must stand as they stood."""
    from difflib import ndiff

    lines = list(ndiff(before.splitlines(), after.splitlines()))
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


STEPS = ANNA.replace("next_contact: 2026-11-19", "sold: 2026-11-16\ndelivery: 2026-11-18")
TASKS = f"{ANNA}\n- [ ] send the brochure 🆔 br1 📅 2026-11-20\n- [ ] send the price list ⏳ 2026-11-24\n"
WEEKLY = ANNA.replace("A note.", "- [ ] water the plant #visit 🔁 every week 🛫 2026-11-18 📅 2026-11-20")
OWED = ANNA.replace("## Log\n", "## Log\n- 2026-11-17 call: will send samples #promise\n")

CASES = {
    "log: a contact": Case(
        ANNA, ("log", "anna", "likes the price", "--by", "WhatsApp"),
        [], ["- 2026-11-22 WhatsApp: likes the price"],
        "Logged for Anna Botha: message 22 Nov. Nothing comes next: 'notesync move' sets a day",
    ),
    "log: words that are not quoted": Case(
        ANNA, ("log", "anna", "rang", "about", "it"), [], ["- 2026-11-22 rang about it"],
        "Logged for Anna Botha: call 22 Nov. Nothing comes next: 'notesync move' sets a day",
    ),
    "log: an attempt settles nothing": Case(
        ANNA, ("log", "anna", "--by", "call", "--outcome", "no answer"), [], ["- 2026-11-22 call (no answer)"],
        "Logged for Anna Botha: call (no answer) 22 Nov. Next: Contact as agreed, again from Tue 24 Nov",
    ),
    "log: another day and time": Case(
        ANNA, ("log", "anna", "x", "--at", "2026-11-05", "14:30"), [], ["- 2026-11-05 14:30 x"],
        "Logged for Anna Botha: contact 5 Nov 14:30. Next: Contact as agreed, overdue since Thu 19 Nov",
    ),
    "log: a weekday that was": Case(
        ANNA, ("log", "anna", "x", "--at", "friday", "9:00"), [], ["- 2026-11-20 09:00 x"],
        "Logged for Anna Botha: contact 20 Nov 09:00. Nothing comes next: 'notesync move' sets a day",
    ),
    "log: the next contact in the same change": Case(
        ANNA, ("log", "anna", "x", "--next", "2 weeks", "--action", "Ask: the lift"),
        ["next_contact: 2026-11-19"],
        ["next_contact: 2026-12-06", 'next_action: "Ask: the lift"', "- 2026-11-22 x"],
        "Logged for Anna Botha: contact 22 Nov. Next: Ask: the lift, Sun 6 Dec",
    ),
    "log: the next contact at a time": Case(
        ANNA, ("log", "anna", "x", "--next", "tomorrow", "9:30"),
        ["next_contact: 2026-11-19"], ["next_contact: 2026-11-23T09:30", "- 2026-11-22 x"],
        "Logged for Anna Botha: contact 22 Nov. Next: Contact as agreed, Mon 23 Nov 09:30",
    ),
    "log: an appointment": Case(
        ANNA, ("log", "anna", "tasting", "--by", "visit", "--at", "2026-11-25", "10:00"),
        [], ["- 2026-11-25 10:00 visit: tasting"],
        "Logged for Anna Botha: visit 25 Nov 10:00, an appointment for Wed 25 Nov. "
        "Next: Contact as agreed, overdue since Thu 19 Nov",
    ),
    "log: a step": Case(
        STEPS, ("log", "anna", "very happy", "--by", "call", "--step", "satisfaction"),
        [], ["- 2026-11-22 call: very happy #satisfaction"],
        "Logged for Anna Botha: call 22 Nov, which settles satisfaction. "
        "Next: delivery-control, overdue since Mon 16 Nov (and 5 more now)",
    ),
    "log: a step too early": Case(
        STEPS.replace("delivery: 2026-11-18", "delivery: 2026-11-21"),
        ("log", "anna", "happy already", "--step", "#Satisfaction"),
        [], ["- 2026-11-22 happy already #satisfaction"],
        "Logged for Anna Botha: contact 22 Nov, which settles satisfaction (early: best from Mon 23 Nov). "
        "Next: delivery-control, overdue since Wed 18 Nov (and 3 more now)",
    ),
    "log: a tag stands behind the first line, and only once": Case(
        STEPS, ("log", "anna", "a `b\nc` #Usage", "--step", "usage"), [], ["- 2026-11-22 a `b", "  c` #Usage"], "",
    ),
    "log: a step missed long ago is not worth a word": Case(
        ANNA.replace("next_contact: 2026-11-19", "quoted: 2026-09-01"), ("log", "anna", "x", "--by", "call"),
        [], ["- 2026-11-22 call: x"], "Logged for Anna Botha: call 22 Nov. Nothing comes next",
    ),
    "log: a long text has its tag in sight": Case(
        STEPS, ("log", "anna", "a `b\nc`", "--step", "usage"), [], ["- 2026-11-22 a `b #usage", "  c`"], "",
    ),
    "done: a step, by words of its title": Case(
        STEPS, ("done", "anna", "thank"), [], ["- 2026-11-22 #thank-you"], "",
    ),
    "done: a step by its tag, with words": Case(
        STEPS, ("done", "anna", "paperwork", "contract signed", "--at", "yesterday"),
        [], ["- 2026-11-21 contract signed #paperwork"],
        "Done for Anna Botha: paperwork, contact 21 Nov, which settles paperwork",
    ),
    "done: a promise of the log": Case(
        OWED, ("done", "anna", "promise", "sent them", "--by", "email"),
        [], ["- 2026-11-22 email: sent them #kept"],
        "Done for Anna Botha: promise of Tue 17 Nov, email 22 Nov. Nothing comes next: 'notesync move' sets a day",
    ),
    "done: a complaint, by its step: the oldest, which the tag closes": Case(
        COMPLAINTS, ("done", "anna", "resolve", "new seal"), [], ["- 2026-11-22 new seal #resolved"],
        "Done for Anna Botha: complaint of Mon 9 Nov, contact 22 Nov. Next: resolve, until Mon 23 Nov",
    ),
    "done: a complaint, by its tag": Case(
        COMPLAINTS, ("done", "anna", "resolved", "new seal"), [], ["- 2026-11-22 new seal #resolved"],
        "Done for Anna Botha: complaint of Mon 9 Nov, contact 22 Nov. Next: resolve, until Mon 23 Nov",
    ),
    "done: a task by its words": Case(
        TASKS, ("done", "anna", "brochure"),
        ["- [ ] send the brochure 🆔 br1 📅 2026-11-20"],
        ["- [x] send the brochure 🆔 br1 📅 2026-11-20 ✅ 2026-11-22"],
        "Done for Anna Botha: send the brochure. Next: Contact as agreed, overdue since Thu 19 Nov",
    ),
    "done: a task by its id, and words for the log": Case(
        TASKS, ("done", "anna", "br1", "gave it to Ben", "--by", "visit"),
        ["- [ ] send the brochure 🆔 br1 📅 2026-11-20"],
        ["- 2026-11-22 visit: gave it to Ben", "- [x] send the brochure 🆔 br1 📅 2026-11-20 ✅ 2026-11-22"],
        "Done for Anna Botha: send the brochure. Next: send the price list, Tue 24 Nov",
    ),
    "done: a task that recurs": Case(
        WEEKLY, ("done", "anna", "plant"),
        ["- [ ] water the plant #visit 🔁 every week 🛫 2026-11-18 📅 2026-11-20"],
        [
            "- [ ] water the plant #visit 🔁 every week 🛫 2026-11-25 📅 2026-11-27",
            "- [x] water the plant #visit 🔁 every week 🛫 2026-11-18 📅 2026-11-20 ✅ 2026-11-22",
        ],
        "Done for Anna Botha: water the plant, again on Fri 27 Nov.",
    ),
    "done: a task that recurs from when it is done": Case(
        WEEKLY.replace("every week", "every week when done"), ("done", "anna", "plant", "--at", "yesterday"),
        ["- [ ] water the plant #visit 🔁 every week when done 🛫 2026-11-18 📅 2026-11-20"],
        [
            "- [ ] water the plant #visit 🔁 every week when done 🛫 2026-11-26 📅 2026-11-28",
            "- [x] water the plant #visit 🔁 every week when done 🛫 2026-11-18 📅 2026-11-20 ✅ 2026-11-21",
        ],
        "Done for Anna Botha: water the plant, again on Sat 28 Nov (a day off).",
    ),
    "done: one of two tasks of the same words, by its day": Case(
        f"{ANNA}\n- [ ] ring 📅 2026-11-24\n- [ ] ring 📅 2026-11-25\n", ("done", "anna", "ring 25 nov"),
        ["- [ ] ring 📅 2026-11-25"], ["- [x] ring 📅 2026-11-25 ✅ 2026-11-22"], "Done for Anna Botha: ring.",
    ),
    "done: one of two tasks of the same words, by its ISO day": Case(
        f"{ANNA}\n- [ ] ring 📅 2026-11-24\n- [ ] ring 📅 2026-11-25\n", ("done", "anna", "ring 2026-11-24"),
        ["- [ ] ring 📅 2026-11-24"], ["- [x] ring 📅 2026-11-24 ✅ 2026-11-22"], "Done for Anna Botha: ring.",
    ),
    "move: one of two tasks that are alike, by its place": Case(
        f"{ANNA}\n- [ ] ring 📅 2026-11-24\n- [ ] ring 📅 2026-11-24\n",
        ("move", "anna", "fri", "--task", "Anna.md:14"),
        ["- [ ] ring 📅 2026-11-24"], ["- [ ] ring 📅 2026-11-27"], "Moved for Anna Botha: ring, Fri 27 Nov.",
    ),
    "move: the next contact": Case(
        ANNA, ("move", "anna", "fri"), ["next_contact: 2026-11-19"], ["next_contact: 2026-11-27"],
        "Moved for Anna Botha: next contact Fri 27 Nov. Next: Contact as agreed, Fri 27 Nov",
    ),
    "move: as the note writes a time": Case(
        ANNA.replace("2026-11-19", "2026-11-19 10:00"), ("move", "anna", "5", "workdays", "14:00"),
        ["next_contact: 2026-11-19 10:00"], ["next_contact: 2026-11-27 14:00"],
        "Moved for Anna Botha: next contact Fri 27 Nov 14:00. Next: Contact as agreed, Fri 27 Nov 14:00",
    ),
    "move: a note without one": Case(
        ANNA.replace("next_contact: 2026-11-19\n", ""), ("move", "anna", "2026-12-01"),
        [], ["next_contact: 2026-12-01"],
        "Moved for Anna Botha: next contact Tue 1 Dec. Next: Contact as agreed, Tue 1 Dec",
    ),
    "move: a task": Case(
        TASKS, ("move", "anna", "1m", "--task", "price"),
        ["- [ ] send the price list ⏳ 2026-11-24"], ["- [ ] send the price list ⏳ 2026-12-22"],
        "Moved for Anna Botha: send the price list, Tue 22 Dec.",
    ),
    "pause: until a day": Case(
        ANNA, ("pause", "anna", "2026-12-01"), [], ["paused_until: 2026-12-01"],
        "Paused: Anna Botha, until Tue 1 Dec. Next: Contact as agreed, overdue since Thu 19 Nov",
    ),
    "pause: no longer": Case(
        ANNA.replace("company: Acme", "prm-paused: true\npaused_until: 2026-12-01"), ("pause", "anna", "off"),
        ["prm-paused: true", "paused_until: 2026-12-01"], ["prm-paused: false", "paused_until:"],
        "No longer paused: Anna Botha. Next:",
    ),
    "sold: today": Case(
        ANNA, ("sold", "anna", "--delivery", "2w", "--value", "84 000"),
        ["stage: prospect # since May"],
        [
            "stage: customer # since May", "value: 84000", "sold: 2026-11-22", "delivery: 2026-12-06",
            "- 2026-11-22 sold #sold [delivery:: 2026-12-06] [value:: 84000]",
        ],
        "Sold to Anna Botha: today, delivery Sun 6 Dec (a day off), 84 000. Next:",
    ),
    "sold: nothing said of the delivery": Case(
        ANNA.replace("stage: prospect # since May\n", ""), ("sold", "anna", "--on", "yesterday"),
        [], ["sold: 2026-11-21", "- 2026-11-21 sold #sold"], "Sold to Anna Botha: Sat 21 Nov. Next:",
    ),
    "sold: a second time, while the keys knew the first alone": Case(
        SOLD.replace(" #sold [delivery:: 2026-12-03] [value:: 5000]", ""),
        ("sold", "anna", "--on", "today", "--delivery", "unknown"),
        ["sold: 2026-11-16", "delivery: 2026-12-03"],
        [
            "sold: 2026-11-22", "delivery: unknown", "- 2026-11-22 sold #sold [delivery:: unknown]",
            "- 2026-11-16 sold #sold [delivery:: 2026-12-03] [value:: 5000]",
        ],
        "Sold to Anna: today, delivery unknown. Next:",
    ),
    "sold: another delivery of the same sale": Case(
        SOLD, ("sold", "anna", "--delivery", "2026-12-10"),
        ["delivery: 2026-12-03"],
        [
            "delivery: 2026-12-10", "",
            "- [ ] Tell them: the delivery is on 2026-12-10 now, not on 2026-12-03 #promise 📅 2026-11-23", "",
        ],
        "The sale to Anna: Mon 16 Nov, delivery Thu 10 Dec, not Thu 3 Dec; tell them by Mon 23 Nov. Next:",
    ),
    "sold: again, after the last was delivered": Case(
        SOLD.replace("2026-12-03", "2026-11-20"), ("sold", "anna", "--delivery", "2026-12-10"),
        ["sold: 2026-11-16", "delivery: 2026-11-20"],
        ["sold: 2026-11-22", "delivery: 2026-12-10", "- 2026-11-22 sold #sold [delivery:: 2026-12-10]"],
        "Sold to Anna: today, delivery Thu 10 Dec. Next:",
    ),
    "sold: a value that the note writes its own way": Case(
        SOLD.replace("value: 5000\n", "value: R 5,000.00\nstage: lead\n"),
        ("sold", "anna", "--on", "2026-11-16", "--value", "5000"),
        ["stage: lead"], ["stage: customer"], "The sale to Anna: Mon 16 Nov, 5 000. Next:",
    ),
    "sold: before a loss": Case(
        ANNA.replace("company: Acme", "lost: 2026-11-18"), ("sold", "anna", "--on", "2026-11-17"),
        [], ["sold: 2026-11-17", "- 2026-11-17 sold #sold"], "Sold to Anna Botha: Tue 17 Nov. Next:",
    ),
    "lost: before a sale": Case(
        ANNA.replace("company: Acme", "sold: 2026-11-18"), ("lost", "anna", "--reason", "x", "--on", "2026-11-17"),
        [], ["lost: 2026-11-17", "- 2026-11-17 lost: x"], "Lost: Anna Botha, Tue 17 Nov. Next:",
    ),
    "lost: with its reason": Case(
        ANNA, ("lost", "anna", "--reason", "too dear #price"),
        ["stage: prospect # since May"],
        ["stage: lost # since May", "lost: 2026-11-22", "- 2026-11-22 lost: too dear #price"],
        "Lost: Anna Botha, today. Next: reasons, Mon 23 to Wed 25 Nov",
    ),
    "lost: and left alone": Case(
        ANNA.replace("stage: prospect # since May\n", ""),
        ("lost", "anna", "--reason", "moving", "--withdraw", "--by", "email"),
        [], ["lost: 2026-11-22", "do_not_contact: true", "- 2026-11-22 email: lost: moving"],
        "Lost: Anna Botha, today, and left alone. Nothing comes next: they are left alone (do_not_contact)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_command_changes_what_was_asked_for_and_says_what_comes_next(vault: Vault, name: str) -> None:
    note, words, gone, come, said = CASES[name]
    vault.put("Anna.md", note)
    shown = vault.do(*words, "--dry-run")
    assert vault.read() == note
    first, rest = vault.do(*words).split("\n", 1)
    assert change_of(note, vault.read()) == (gone, come)
    assert first.startswith(said)
    assert rest == ""
    assert [line[1:] for line in shown.splitlines() if line[:1] == "-" and line[:3] != "---"] == gone
    assert [line[1:] for line in shown.splitlines() if line[:1] == "+" and line[:3] != "+++"] == come
    vault.do("undo")
    assert vault.read() == note


@pytest.mark.parametrize("name", CASES)
def test_every_line_end_and_mark_stays(vault: Vault, name: str) -> None:
    note, words, _, _, _ = CASES[name]
    crlf = b"\xef\xbb\xbf" + note.replace("\n", "\r\n").encode()
    vault.put("Anna.md", note)
    vault.do(*words)
    plain = vault.read()
    vault.put("Anna.md", crlf)
    vault.do(*words)
    assert vault.read().encode() == b"\xef\xbb\xbf" + plain.replace("\n", "\r\n").encode()


# --- What is refused -------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, tuple[str, ...], int, str]] = {
    "no such client": (ANNA, ("log", "bertha", "x"), 2, "unknown-client: "),
    "no text": (ANNA, ("log", "anna"), 2, "no-text: "),
    "a day that is none": (ANNA, ("log", "anna", "x", "--next", "soon"), 2, "bad-when: 'soon' of --next is no day"),
    "a day in another form": (ANNA, ("move", "anna", "27/11/2026"), 2, "Did you mean 2026-11-27?"),
    "a day that is over": (ANNA, ("move", "anna", "2025-11-27"), 2, "2025-11-27 of WHEN is over"),
    "a year that cannot be meant": (ANNA, ("move", "anna", "9999-12-31"), 2, "lies in the year 9999"),
    "a contact in such a year": (ANNA, ("log", "anna", "x", "--at", "0202-11-20"), 2, "lies in the year 202, "),
    "a delivery in such a year": (ANNA, ("sold", "anna", "--delivery", "2926-12-01"), 2, "lies in the year 2926"),
    "a sale that is still to come": (
        ANNA, ("sold", "anna", "--on", "2027-11-20"), 2, "2027-11-20 of --on is still to come",
    ),
    "a loss that is still to come": (
        ANNA, ("lost", "anna", "--reason", "x", "--on", "tomorrow"), 2, "is still to come",
    ),
    "a day of the past in words that are none": (
        ANNA, ("log", "anna", "x", "--at", "last week"), 2,
        "today, yesterday, or a weekday (fri: the last one), with a time",
    ),
    "a time where none belongs": (ANNA, ("pause", "anna", "fri", "10:00"), 2, "takes a day without a time"),
    "a channel that is none": (ANNA, ("log", "anna", "x", "--by", "pigeon"), 2, "'pigeon' is no channel"),
    "a slip in a channel": (ANNA, ("log", "anna", "x", "--by", "whatsap"), 2, "Did you mean 'whatsapp'?"),
    "a slip in a step": (ANNA, ("log", "anna", "x", "--step", "satisfacton"), 2, "Did you mean 'satisfaction'?"),
    "an action for no day": (
        ANNA, ("log", "anna", "x", "--action", "y"), 2, "no-day: --action says what the next contact is for",
    ),
    "a contact that this one settles": (
        ANNA, ("log", "anna", "x", "--next", "tomorrow"), 2, "Give it a time: '2026-11-23 9:00'.",
    ),
    "a contact of the same day": (ANNA, ("log", "anna", "x", "--next", "today 16:00"), 2, "#promise 📅 2026-11-22"),
    "a move that the last contact settles": (
        ANNA.replace("2026-11-10 call", "2026-11-20 call"), ("move", "anna", "mon"), 2, "settled-already: ",
    ),
    "nothing of that name is open": (
        TASKS, ("done", "anna", "lift"), 2, "br1: send the brochure (task, Fri 20 Nov 2026",
    ),
    "done ahead": (TASKS, ("done", "anna", "brochure", "--at", "tomorrow"), 2, "is still to come"),
    "several fit, word for word": (
        f"{ANNA}- [ ] ring 📅 2026-11-24\n- [ ] ring 📅 2026-11-25\n", ("done", "anna", "ring"), 2,
        "Give more of its words, its day, or its place.\n  ring (task, Tue 24 Nov 2026, Anna.md:12)",
    ),
    "several fit": (TASKS, ("done", "anna", "send"), 2, "ambiguous-work: 'send' may be any of these."),
    "a rule that cannot be read": (
        WEEKLY.replace("every week", "every other week"), ("done", "anna", "plant"), 4,
        "bad-recurrence: Anna.md:8 was left as it is: the task's rule 'every other week' is not read: ",
    ),
    "a rule by which no other day comes": (
        WEEKLY.replace("every week", "every 7000 years"), ("done", "anna", "plant"), 4,
        "bad-recurrence: Anna.md:8 was left",
    ),
    "a newer promise before an older one": (
        OWED.replace("## Log\n", "## Log\n- 2026-11-19 call: will ring the bank #promise\n"),
        ("done", "anna", "bank"), 2, "older-first: ",
    ),
    "no promise is open": (ANNA, ("done", "anna", "promise"), 2, "unknown-work: "),
    "a delivery before the sale": (
        ANNA, ("sold", "anna", "--delivery", "2026-11-02"), 2, "before the sale of 2026-11-22",
    ),
    "an older sale": (
        f"{SOLD}- 2026-10-01 visit: sold #sold\n", ("sold", "anna", "--on", "2026-10-01", "--value", "7"), 2,
        "older-sale: ",
    ),
    "a value that is none": (ANNA, ("sold", "anna", "--value", "much"), 2, "'much' is no number"),
    "no reason": (ANNA, ("lost", "anna"), 2, "no-reason: "),
    "nothing to take back": (ANNA, ("undo",), 4, "there is no change by notesync to take back"),
    "a merge conflict": (
        ANNA.replace("A note.", "<<<<<<< HEAD\nA\n=======\nB\n>>>>>>> b"), ("log", "anna", "x"), 4, "merge-marker: ",
    ),
    "a key twice": (
        ANNA.replace("company: Acme", "next_contact: 2026-11-20"), ("move", "anna", "fri"), 4, "duplicate-key: ",
    ),
    "a header that is no YAML": (
        ANNA.replace("company: Acme", "company: [Acme"), ("move", "anna", "fri"), 4, "bad-yaml: ",
    ),
    "an outcome with brackets": (ANNA, ("log", "anna", "--outcome", "no (yet)"), 2, "bad-outcome: "),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_written_when_a_command_fails(vault: Vault, name: str) -> None:
    note, words, code, said = REFUSED[name]
    vault.put("Anna.md", note)
    before = vault.files()
    for more in ((), ("--dry-run",)):
        done = vault.run(*words, *more)
        assert (done.exit_code, done.stdout) == (code, "")
        assert said in done.stderr
    assert vault.files() == before


@POSIX
def test_a_note_that_may_only_be_read_is_left_as_it_is(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    (vault.root / "Anna.md").chmod(0o444)
    done = vault.run("log", "anna", "x")
    assert (done.exit_code, vault.read()) == (4, ANNA)


def test_a_note_that_cannot_be_read_any_more(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    from notesync.store import vault as store

    vault.put("Anna.md", ANNA)
    vault.do("move", "anna", "fri")
    size = len(vault.read().encode())
    monkeypatch.setattr(store, "is_placeholder", lambda found: found.st_size == size)
    done = vault.run("log", "anna", "x")
    assert done.exit_code == 4
    assert "only its name" in done.stderr


def save_at_each_write(vault: Vault, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Have another program save the note right before ours is written, so many times."""
    real, left = change._write, [times]

    def write_after_the_other(*args: Any) -> bytes | None:
        if left[0]:
            left[0] -= 1
            vault.put("Anna.md", vault.read().replace("A note.", f"A note. Saved {left[0]}."))
        return real(*args)

    monkeypatch.setattr(change, "_write", write_after_the_other)
    monkeypatch.setattr(change, "_WAITS", (0.0,) * len(change._WAITS))


def test_a_note_that_is_saved_meanwhile_keeps_both(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put("Anna.md", TASKS)
    save_at_each_write(vault, monkeypatch, 2)
    vault.do("done", "anna", "brochure", "by hand")
    assert "Saved 0." in vault.read()
    assert "- [x] send the brochure 🆔 br1 📅 2026-11-20 ✅ 2026-11-22" in vault.read()
    assert "- 2026-11-22 by hand\n" in vault.read()


def test_a_note_that_never_holds_still_is_left_alone(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put("Anna.md", ANNA)
    save_at_each_write(vault, monkeypatch, 99)
    done = vault.run("log", "anna", "x")
    assert done.exit_code == MovedOnError.exit_code == 4
    assert "2026-11-22 x" not in vault.read()


def test_two_at_once_both_end_up_in_the_note(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    command = [sys.executable, "-m", "notesync", "log", "anna", "--by", "call", "--at", "2026-11-20"]
    environment = os.environ | {"PYTHONPATH": str(HOME)}
    running = [
        subprocess.Popen([*command, f"said {number}"], env=environment, stdout=subprocess.PIPE)
        for number in range(4)
    ]
    for process in running:
        process.communicate(timeout=60)
    assert [process.returncode for process in running] == [0] * 4
    assert sorted(line for line in vault.read().splitlines() if "said" in line) == [
        f"- 2026-11-20 call: said {number}" for number in range(4)
    ]


# --- What is said ----------------------------------------------------------------------------------------


def test_text_comes_from_stdin_as_it_is(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    vault.do("log", "anna", "-", "--by", "call", typed="first\r\n# second [[x]] 🌸\r\n\r\n  third\r\n")
    assert "- 2026-11-22 call: first\n  \\# second [[x]] 🌸\n\n    third\n- 2026-11-10" in vault.read()
    done = vault.run("log", "anna", "-", typed=b"\xff")
    assert (done.exit_code, "unwritable-text" in done.stderr) == (2, True)


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "is_asking_possible", lambda: True)


@pytest.mark.usefixtures("at_a_terminal")
def test_on_a_terminal_what_is_missing_is_asked_for(vault: Vault) -> None:
    vault.put("Anna.md", TASKS)
    vault.do("log", "anna", typed="rang about the lift\n")
    assert "- 2026-11-22 rang about the lift\n" in vault.read()
    vault.do("done", "anna", "send", typed="2\n")
    assert "- [x] send the price list" in vault.read()
    vault.do("move", "anna", "tomorrow", typed="9:15\n")
    assert "next_contact: 2026-11-23T09:15\n" in vault.read()
    assert "settled-already: " in vault.run("move", "anna", "mon", typed="\n").stderr
    vault.do("lost", "anna", typed="too dear\n")
    assert "- 2026-11-22 lost: too dear\n" in vault.read()


def test_a_step_that_is_not_open_is_logged_and_named(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    for words in (("log", "anna", "x", "--step", "usage"), ("done", "anna", "usage")):
        done = vault.run(*words)
        assert done.exit_code == 0
        assert "#usage settles nothing: no such step is open for Anna Botha" in done.stderr


def test_what_is_still_owed_is_named_when_a_client_is_left_alone(vault: Vault) -> None:
    vault.put("Anna.md", OWED)
    done = vault.run("lost", "anna", "--reason", "x", "--withdraw")
    assert "withdrawn-open: `do_not_contact` holds back every follow-up" in done.stderr


def test_what_was_there_already_is_no_change(vault: Vault) -> None:
    vault.put("Anna.md", ANNA.replace("2026-11-19", "2026-11-27"))
    assert vault.do("move", "anna", "fri") == "Nothing to change: Anna.md says so already\n"
    assert vault.run("undo").exit_code == 4


def test_a_task_in_another_note_is_ticked_there(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    vault.put("Daily/2026-11-20.md", "- [ ] bring milk\n- [ ] quote for [[Anna]] 📅 2026-11-21\n")
    said = vault.do("done", "anna", "quote", "sent it")
    assert said.startswith("Done for Anna Botha: quote for Anna. Nothing comes next")
    assert vault.read("Daily/2026-11-20.md") == (
        "- [ ] bring milk\n- [x] quote for [[Anna]] 📅 2026-11-21 ✅ 2026-11-22\n"
    )
    assert "- 2026-11-22 sent it\n" in vault.read()
    assert vault.do("undo") == "Taken back: done Anna Botha (Anna.md, Daily/2026-11-20.md)\n"
    assert vault.read() == ANNA
    assert "- [ ] quote" in vault.read("Daily/2026-11-20.md")


def test_the_vaults_own_names_of_keys_are_written(vault: Vault) -> None:
    vault.put("notesync.yaml", "fields: {next_contact: Call again}\n")
    vault.put("Anna.md", ANNA.replace("next_contact:", "Call again:"))
    vault.do("move", "anna", "fri")
    assert "Call again: 2026-11-27\n" in vault.read()
    vault.put("Ben.md", "---\ntype: client\nprm-snooze-until: 2026-11-01\n---\n")
    vault.do("pause", "ben", "fri")
    assert vault.read("Ben.md") == "---\ntype: client\nprm-snooze-until: 2026-11-27\n---\n"


def test_a_name_cannot_play_tricks_on_the_terminal(vault: Vault) -> None:
    vault.put("Anna.md", ANNA.replace("Anna Botha", '"Anna\\e[31m"'))
    said = vault.do("log", "anna", "a\x1b[31mb", "--dry-run") + vault.do("log", "anna", "x")
    assert "\x1b" not in said
    assert "\\x1b[31m" in said


def test_the_global_filter_of_tasks_is_kept(vault: Vault) -> None:
    vault.put(".obsidian/plugins/obsidian-tasks-plugin/data.json", '{"globalFilter": "#task"}')
    vault.put("Anna.md", SOLD)
    vault.do("sold", "anna", "--delivery", "unknown")
    assert (
        "- [ ] Tell them: the delivery is unknown now, not on 2026-12-03 #promise #task 📅 2026-11-23"
        in vault.read()
    )
    assert "Tell them: the delivery is unknown now" in vault.run("check", "anna", "--upcoming", "3").stdout


def test_what_a_word_of_it_does_not_close_is_said_to_be_open_still(vault: Vault) -> None:
    """A substitute keeps a complaint open, and so does whoever was not there."""
    for words in ("lent him a machine", "no answer, so left a note"):
        vault.put("Anna.md", COMPLAINTS)
        done = vault.run("done", "anna", "complaint", words)
        assert done.stdout.startswith("Logged for Anna Botha: ")
        assert done.stderr == (
            "The complaint of Mon 9 Nov is still open: neither a substitute nor an attempt closes it, nor what was "
            "said before it.\n"
        )


def test_a_complaint_of_todays_daily_note_is_resolved_whatever_other_notes_say(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    vault.put("2026-11-12.md", "## Log\n- [[Anna]] call: talked\n")
    vault.put("2026-11-22.md", "## Log\n- [[Anna]] call: it leaks #complaint\n")
    done = vault.run("done", "anna", "complaint", "repaired")
    assert (done.stdout[:32], done.stderr) == ("Done for Anna Botha: complaint o", "")


def test_of_two_promises_in_the_same_words_one_is_kept(vault: Vault) -> None:
    vault.put("Anna.md", ANNA + "- 2026-11-20 call: ring back #promise\n" * 2)
    for _ in range(2):
        done = vault.run("done", "anna", "promise", "rang")
        assert done.stdout.startswith("Done for Anna Botha: promise of Fri 20 Nov, ")
        assert done.stderr == ""


def test_what_was_said_before_a_promise_does_not_keep_it(vault: Vault) -> None:
    vault.put("Anna.md", ANNA + "- 2026-11-20 call: ring back #promise\n")
    done = vault.run("done", "anna", "promise", "rang", "--at", "2026-11-18")
    assert done.stdout.startswith("Logged for Anna Botha: ")
    assert done.stderr.endswith("nor what was said before it.\n")


def test_a_tag_that_closes_nothing_is_told(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    for words in (("log", "anna", "x", "--step", "resolved"), ("done", "anna", "resolve", "x")):
        assert (
            vault.run(*words).stderr
            == "#resolved closes nothing: no complaint of the log is open for Anna Botha.\n"
        )
    told = vault.run("log", "anna", "x", "--step", "kept").stderr
    assert told == "#kept closes nothing: no promise of the log is open for Anna Botha.\n"
    vault.put("Anna.md", COMPLAINTS)
    assert vault.run("log", "anna", "new seal", "--step", "resolved").stderr == ""


def test_what_is_open_is_named_where_nothing_fits(vault: Vault) -> None:
    vault.put("Anna.md", OWED.replace("next_contact: 2026-11-19", "sold: 2026-11-16\ndelivery: 2026-11-18"))
    said = vault.run("done", "anna", "lift").stderr.splitlines()
    assert said[:3] == [
        "Error: unknown-work: Anna Botha has no open step or task 'lift'. Open:",
        "  promise: will send samples #promise (promise of Tue 17 Nov)",
        "  paperwork: Complete the paperwork: choice confirmed, contract, invoice, welcome pack "
        "(step, Mon 16 Nov to Wed 18 Nov)",
    ]
    assert said[-1].startswith("  ... and ")


WRITERS = (
    "cli.asking",
    "cli.desk",
    "cli.entry",
    "cli.complete",
    "sync.deeds",
    "sync.change",
    "store.history",
    "notes.edit",
    "followup.choosing",
)


@pytest.mark.parametrize("command", ["check", "sync"])
def test_what_only_reads_notes_loads_nothing_that_writes_them(vault: Vault, command: str) -> None:
    """``watch`` is ``sync`` again and again, and keeps texts in the history."""
    vault.put("Anna.md", ANNA)
    code = (
        "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
        "from notesync.cli import main; main()"
    )
    environment = os.environ | {"PYTHONPATH": str(HOME)}
    words = [sys.executable, "-c", code, command]
    done = subprocess.run(words, env=environment, capture_output=True, check=False, timeout=60)
    loaded = done.stderr.decode().split()
    assert "notesync.sync.pipeline" in loaded
    writers = tuple(f"notesync.{each}" for each in WRITERS if command != "sync" or each != "store.history")
    assert not [name for name in loaded if name.startswith(writers)]


# --- undo ------------------------------------------------------------------------------------------------


def test_undo_takes_back_the_last_change_of_any_note_or_of_one(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    vault.put("Clients/Ben.md", ANNA.replace("Anna Botha", "Ben"))
    vault.do("log", "anna", "x")
    vault.do("log", "ben", "y")
    assert vault.do("undo", "Anna Botha") == "Taken back: log Anna Botha (Anna.md)\n"
    assert vault.read() == ANNA
    assert vault.do("undo") == "Done again: log Anna Botha (Anna.md)\n"
    assert "- 2026-11-22 x\n" in vault.read()
    assert "+- 2026-11-22 y" not in vault.do("undo", "Clients/Ben.md", "--dry-run")
    assert vault.do("undo", "Clients/Ben.md") == "Taken back: log Ben (Clients/Ben.md)\n"


def test_undo_refuses_when_the_note_has_moved_on(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    vault.do("log", "anna", "x")
    vault.put("Anna.md", vault.read() + "more\n")
    for words in (("undo",), ("undo", "--dry-run"), ("undo", "anna")):
        done = vault.run(*words)
        assert (done.exit_code, "has been changed since, so that cannot be" in done.stderr) == (4, True)
    assert vault.read().endswith("more\n")


def test_what_has_been_undone_and_done_again_is_named_as_at_first(vault: Vault) -> None:
    vault.put("Anna.md", ANNA)
    vault.do("log", "anna", "x")
    for _ in range(3):
        vault.do("undo")
    vault.put("Anna.md", vault.read() + "more\n")
    assert "cannot be taken back (log Anna Botha)" in vault.run("undo").stderr


@POSIX
def test_nobody_need_sit_there(vault: Vault) -> None:
    """A service or a shortcut of a phone may give us no stdin at all."""
    vault.put("Anna.md", ANNA)
    for words, said in (("x", ""), ("", "no-text: "), ("-", "no-text: ")):
        line = f'"{sys.executable}" -m notesync log anna {words} <&-'
        environment = os.environ | {"PYTHONPATH": str(HOME)}
        done = subprocess.run(
            ["sh", "-c", line], env=environment, capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, said in done.stderr.decode()) == (2 if said else 0, True)


@POSIX
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("words", [("log", "anna", "x"), ("undo",), ("new", "Ben")])
def test_what_was_written_is_not_denied_where_it_cannot_be_told(vault: Vault, words: tuple[str, ...]) -> None:
    vault.put("Anna.md", ANNA)
    vault.do("move", "anna", "fri")
    before = vault.files()
    with open("/dev/full", "w", encoding="utf-8") as full:
        command = [sys.executable, "-m", "notesync", *words]
        environment = os.environ | {"PYTHONPATH": str(HOME)}
        done = subprocess.run(
            command, env=environment, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    said = done.stderr.decode()
    assert vault.files() != before
    assert done.returncode == 70
    assert "changed all the same, and 'notesync undo' takes it back" in said
    assert "Nothing in your notes" not in said


@POSIX
def test_a_note_is_changed_where_the_index_has_no_place(
    vault: Vault, quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (quick_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(quick_path / "file"))
    vault.put("Anna.md", ANNA)
    done = vault.run("log", "anna", "x")
    assert (done.exit_code, "- 2026-11-22 x\n" in vault.read()) == (0, True)
    if sys.platform == "linux":
        assert "cannot be used (not a directory): working in memory, slower" in done.stderr


# --- Words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("log anna --at 2026-11-20 14:30 x", ["log", "anna", "--at", "2026-11-20 14:30", "x"]),
        ("log anna --at=fri 9:00", ["log", "anna", "--at=fri 9:00"]),
        ("log anna --next fri x 9:00", ["log", "anna", "--next", "fri", "x", "9:00"]),
        ("log anna --at 2026-11-20", ["log", "anna", "--at", "2026-11-20"]),
        ("log anna --at fri 9:00 10:00", ["log", "anna", "--at", "fri 9:00", "10:00"]),
        ("log -- --at fri 9:00", ["log", "--", "--at", "fri", "9:00"]),
    ],
)
def test_a_time_belongs_to_the_day_before_it(typed: str, meant: list[str]) -> None:
    assert list(when.join_times(typed.split())) == meant


CHOICES = [
    Choice("satisfaction", ("satisfaction",), "Ask whether they are satisfied", "step"),
    Choice("delivery-check", ("delivery-check",), "Ask whether the delivery came as promised", "step"),
    Choice("", ("ab1",), "Send the Überblick", "task"),
    Choice("", (), "Send the delivery note", "task"),
]


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ("satisfaction", [0]),
        ("#Satisfaction", [0]),
        ("🆔 AB1", [2]),
        ("send the uberblick", [2]),
        ("note delivery", [3]),
        ("delivery", [1, 3]),
        ("satis", [0]),
        ("promise", []),
        ("complaint", []),
        ("  ", []),
        ("lift", []),
    ],
)
def test_what_is_meant(wanted: str, places: list[int]) -> None:
    assert find_meant(wanted, CHOICES) == [CHOICES[place] for place in places]


# --- Completion -------------------------------------------------------------------------------------------


@pytest.fixture
def complete(vault: Vault) -> Callable[[str], list[str]]:
    """What a shell is offered for a line."""
    vault.put("Anna.md", TASKS.replace("next_contact: 2026-11-19", "sold: 2026-11-16\ndelivery: 2026-11-18"))
    vault.put("Annette O'Neill $x.md", ANNA.replace("Anna Botha", "Annette O'Neill $x `y` \\n"))
    vault.put("Zoë.md", "---\ntype: client\naliases: [the atelier]\n---\n")
    vault.run("check")

    def ask(line: str, **more: str) -> list[str]:
        words = line.split(" ")
        asked = {"_NOTESYNC_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        done = CliRunner().invoke(notesync, env=asked | more)
        assert done.stderr == ""
        return [item.partition(",")[2] for item in done.stdout.split("\n") if item]

    return ask


def test_clients_steps_and_tasks_are_completed(complete: Callable[..., list[str]], vault: Vault) -> None:
    assert complete("notesync log ann") == ["Anna Botha", "Annette O'Neill $x `y` \\n"]
    assert complete("notesync show atelier") == ["Zoë"]
    assert complete("notesync check zoe") == ["Zoë"]
    vault.put("Bob.md", '---\ntype: client\nname: "Bob\\e[31m\\u202e\\nx"\n---\n')
    vault.run("check")
    assert complete("notesync check bob") == ["Bob\\x1b[31m\\u202e x"]
    assert complete("notesync done Zoë ") == []
    assert complete("notesync done acme ") == []  # two of them
    assert {"satisfaction", "usage", "send the brochure"} <= set(complete("notesync done botha "))
    assert complete("notesync done botha bro") == ["send the brochure"]
    assert complete("notesync log botha --step sat") == ["satisfaction", "satisfied"]
    assert complete("notesync log botha --step ")[0] == "thank-you"
    assert complete("notesync move botha fri --task ") == ["send the brochure", "send the price list"]
    assert complete("notesync log ann", NOTESYNC_VAULT="/nowhere") == []
    vault.put("notesync.yaml", "wrong: yes\n")
    assert complete("notesync log ann") == []


@POSIX
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_gets_each_name_as_one_word(complete: Callable[..., list[str]], tmp_path: Path) -> None:
    program = tmp_path / "notesync"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m notesync "$@"\n')
    program.chmod(0o755)
    script = """
        eval "$(_NOTESYNC_COMPLETE=bash_source notesync)"
        complete -p notesync
        for typed in ann '"ann' "'ann" zo; do
            COMP_WORDS=(notesync log "$typed") COMP_CWORD=2
            _notesync_completion notesync
            printf '%s\\n' "${COMPREPLY[@]}"
            quote=${typed%%[a-z]*}
            eval "printf '<%s>\\n' $quote${COMPREPLY[-1]}$quote"
        done
        COMP_WORDS=(notesync log botha --by "") COMP_CWORD=4
        _notesync_completion notesync
        echo "${#COMPREPLY[@]} for words of one's own"
    """
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PYTHONPATH": str(HOME), "PATH": path}
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, check=True, timeout=60
    )
    odd = "<Annette O'Neill $x `y` \\n>"
    assert done.stdout.decode().splitlines() == [
        "complete -o nosort -F _notesync_completion notesync",
        "Anna\\ Botha",
        "Annette\\ O\\'Neill\\ \\$x\\ \\`y\\`\\ \\\\n",
        odd,
        "Anna Botha",
        "Annette O'Neill \\$x \\`y\\` \\\\n",
        odd,
        "Anna Botha",
        "Annette O'\\''Neill $x `y` \\n",
        odd,
        "$'Zo\\303\\253'" if "303" in done.stdout.decode() else "Zoë",
        "<Zoë>",
        "0 for words of one's own",
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(HOME), "_NOTESYNC_COMPLETE": f"{shell}_source"}
    done = subprocess.run(
        [sys.executable, "-m", "notesync"], env=environment, capture_output=True, check=True, timeout=60
    )
    assert b"_notesync_completion" in done.stdout
