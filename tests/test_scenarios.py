"""The example vault's business at 120 clients, on the days on which a list could grow over somebody's head."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from notesync.followup.agenda import (
    BEHIND,
    CADENCE,
    CONTACT,
    DUE,
    OVERDUE,
    UPCOMING,
    WAITS,
    Judged,
    Moment,
    judge,
)
from notesync.followup.client import Client, is_client, read_client
from notesync.followup.follow_up import KINDS, Context, FollowUp, find_past
from notesync.followup.options import parse_settings
from notesync.followup.plans import load_plans
from notesync.followup.rules import find_follow_ups
from notesync.notes.body import parse_body
from notesync.notes.note import parse_note
from notesync.store.example import EXAMPLE_DAY, move_dates

EXAMPLE = Path(__file__).parents[1] / "examples" / "vault"
LOGGED = re.compile(r"^- ([0-9-]{10}) (?!.*no answer)", re.MULTILINE)


def read_settings(since: date | None = None) -> Context:
    text = (EXAMPLE / "notesync.yaml").read_text(encoding="utf-8")
    if since is not None:
        text = re.sub("^since: .*$", f"since: {since}", text, flags=re.MULTILINE)
    settings, problems = parse_settings(text.encode())
    assert not problems
    return Context(settings, settings.work_calendar(), load_plans(settings)[0])


def read(text: str, name: str, context: Context) -> Iterator[Client]:
    note = parse_note(text.encode(), f"Clients/{name}.md")
    if is_client(note, context.settings):
        yield read_client(note, parse_body(note, context.settings.log_headings), context.settings)[0]


def write_keys(text: str) -> str:
    """What another program would export of a note: its keys and the day of the last contact, no log, no tasks."""
    header, _, body = text.partition("\n---\n")
    logged = LOGGED.findall(body)
    if logged and "last_contact" not in header:
        header += f"\nlast_contact: {max(logged)}"
    return f"{header}\n---\n"


class Work(NamedTuple):
    """What a day asks for: all that is shown, what is missed, and minutes of what is overdue."""

    shown: list[Judged]
    missed: int
    minutes: int

    def count(self, status: str) -> int:
        return sum(each.status == status for each in self.shown)

    def kinds(self, status: str) -> Counter[str]:
        return Counter(KINDS[each.rank] for each in self.shown if each.status == status)

    def now(self) -> list[Judged]:
        return [each for each in self.shown if each.status != UPCOMING]


def find_work(clients: list[Client], context: Context, day: date) -> Work:
    rows, minutes, missed = [], {}, 0
    for number, client in enumerate(clients):
        found = find_follow_ups(client, context, find_past(client, day))
        missed += len(found.missed)
        agreed = any(each.rule == "next-contact" for each in found.open)
        for each in found.open:
            key = len(rows)
            minutes[key] = each.minutes
            rows.append(
                (
                    key,
                    number,
                    *judged_by(each, agreed),
                    client.value,
                    client.name,
                    "",
                    "",
                    *judged_until(each),
                )
            )
    verdict = judge(rows, Moment(day))
    assert not verdict.missed  # they are left out
    overdue = sum(minutes[each.follow_up] for each in verdict.shown if each.status == OVERDUE)
    return Work(verdict.shown, missed, overdue)


def judged_by(each: FollowUp, agreed: bool) -> tuple[int, int, int | None, int | None, int | None]:
    flags = CONTACT * each.contact | WAITS * bool(each.waits)
    if each.rule == "cadence":
        flags |= CADENCE | BEHIND * agreed
    return KINDS.index(each.kind), flags, ordinal(each.opens), ordinal(each.due), each.minute


def judged_until(each: FollowUp) -> tuple[int | None, int | None]:
    return ordinal(each.expires), ordinal(each.retry_on)


def ordinal(day: date | None) -> int | None:
    return None if day is None else day.toordinal()


CAPACITY = 120  # minutes a day, as the example's settings have it


def test_the_first_day_with_120_clients_and_years_of_old_dates() -> None:
    """Keys of another program, up to six years old, in a vault that began today."""
    context = read_settings(since=EXAMPLE_DAY)
    clients = [
        client
        for days in (0, 60, 200, 400, 800, 1400, 2100)
        for path in sorted((EXAMPLE / "Clients").rglob("*.md"))
        for client in read(
            write_keys(move_dates(path.read_text(encoding="utf-8"), timedelta(-days))),
            f"{path.stem} {days}",
            context,
        )
    ][:120]
    assert len(clients) == 120
    first = find_work(clients, context, EXAMPLE_DAY)
    # Years of sales leave nothing overdue: what closed before today is missed, and only counted.
    assert set(first.kinds(OVERDUE)) == {"promise", "contact", "keep-in-touch"}
    assert first.missed > 200
    # What is overdue is what somebody agreed, and that somebody has not been spoken to for too long: once a client.
    per_client = Counter(each.client for each in first.now())
    assert first.count(OVERDUE) <= 100
    assert first.count(DUE) <= 15
    assert max(per_client.values()) <= 2
    assert [each.rank for each in first.now() if each.status == OVERDUE] == sorted(
        each.rank for each in first.now() if each.status == OVERDUE
    )
    # Two hours a day, and all of it is done in little more than three weeks of work ...
    assert first.minutes <= 16 * CAPACITY
    # ... in which a third of that falls due besides.
    fresh = find_work(clients, context, EXAMPLE_DAY + timedelta(21)).minutes - first.minutes
    assert fresh <= 5 * CAPACITY


def test_the_return_after_90_days_away() -> None:
    """The example's notes six times over, as they were left: nothing logged, nothing ticked since."""
    context = read_settings()
    clients = [
        client
        for copy in range(7)
        for path in sorted((EXAMPLE / "Clients").rglob("*.md"))
        for client in read(path.read_text(encoding="utf-8"), f"{path.stem} {copy}", context)
    ][:120]
    assert len(clients) == 120
    left = find_work(clients, context, EXAMPLE_DAY)
    back = find_work(clients, context, EXAMPLE_DAY + timedelta(90))
    per_client = Counter(each.client for each in back.now())
    # Fewer than two things a client: what lost its sense meanwhile is missed and not in the way.
    assert back.count(OVERDUE) <= 1.6 * len(clients)
    assert max(per_client.values()) <= 5
    assert back.missed >= left.missed + 80
    # What is owed comes first, and nobody is asked for who can be spoken to about something else.
    ranks = [each.rank for each in back.shown if each.status == OVERDUE]
    assert ranks == sorted(ranks)
    assert {KINDS[rank] for rank in ranks[:30]} == {"promise", "complaint"}
    cadences = {each.client for each in back.now() if KINDS[each.rank] == "keep-in-touch"}
    contacts = {each.client for each in back.now() if each.flags & CONTACT and not each.flags & CADENCE}
    assert not cadences & contacts
    # A call a client puts most of it right: at two hours a day that is four weeks' work.
    assert len(per_client) * 20 <= 20 * CAPACITY
    # And the list does not grow any more: who is away twice as long comes back to no more work.
    later = find_work(clients, context, EXAMPLE_DAY + timedelta(180))
    assert later.count(OVERDUE) <= back.count(OVERDUE) + 0.1 * len(clients)
