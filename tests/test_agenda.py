"""What a day makes of follow-ups: status, lateness, order, and what stands behind what."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import pytest

from notesync.followup.agenda import BEHIND, CADENCE, CONTACT, WAITS, Moment, Verdict, count, judge
from notesync.followup.items import plan_days

TODAY = date(2026, 11, 22)
NOON = Moment(TODAY, 12 * 60)


class Row(NamedTuple):
    """What the index stores of a follow-up for judging."""

    follow_up: int
    client: int
    rank: int
    flags: int
    opens: int | None
    due: int | None
    minute: int | None
    value: float | None
    name: str
    place: str
    label: str
    expires: int | None = None
    retry_on: int | None = None


def row(key: int, opens: str | None, due: str | None = None, **fields: object) -> Row:
    def ordinal(text: str | None) -> int | None:
        return None if text is None else date.fromisoformat(text).toordinal()

    base = Row(
        key, key, 3, CONTACT, ordinal(opens), ordinal(due or opens), None, None, f"client {key}", "", ""
    )
    return base._replace(**fields)


def statuses(verdict: Verdict) -> list[tuple[int, str, int]]:
    return [(item.follow_up, item.status, -item.early) for item in verdict.shown]


@pytest.mark.parametrize(
    ("opens", "due", "minute", "status", "late"),
    [
        ("2026-11-23", "2026-11-25", None, "upcoming", 0),
        ("2026-11-22", "2026-11-25", None, "due", 0),
        ("2026-11-18", "2026-11-22", None, "due", 0),
        ("2026-11-18", "2026-11-21", None, "overdue", 1),
        ("2025-11-22", "2025-11-22", None, "overdue", 365),
        ("2026-11-22", "2026-11-22", 11 * 60 + 59, "overdue", 0),
        ("2026-11-22", "2026-11-22", 12 * 60, "due", 0),
        ("2026-11-22", "2026-11-22", 15 * 60, "due", 0),
        (None, None, None, "due", 0),
    ],
)
def test_status_on_the_day(
    opens: str | None, due: str | None, minute: int | None, status: str, late: int
) -> None:
    assert statuses(judge([row(1, opens, due, minute=minute)], NOON)) == [(1, status, late)]


def test_a_cadence_says_nothing_while_an_agreed_contact_lies_ahead() -> None:
    agreed = row(1, "2026-12-30", client=7, flags=CONTACT)
    cadence = row(2, "2026-11-01", "2026-11-05", client=7, flags=CONTACT | CADENCE | BEHIND)
    verdict = judge([agreed, cadence], NOON)
    assert statuses(verdict) == [(1, "upcoming", 0)]
    assert set(verdict.hidden) == {2}
    assert verdict.waiting == {7}


def test_a_cadence_gives_way_to_an_open_contact_but_not_to_a_task() -> None:
    task = row(1, "2026-11-20", client=7, flags=0)
    cadence = row(2, "2026-11-20", "2026-11-25", client=7, flags=CONTACT | CADENCE)
    assert [item.follow_up for item in judge([task, cadence], NOON).shown] == [1, 2]
    contact = task._replace(flags=CONTACT)
    verdict = judge([contact, cadence], NOON)
    assert [item.follow_up for item in verdict.shown] == [1]
    assert verdict.waiting == {7}


def test_a_contact_still_to_come_does_not_silence_the_cadence() -> None:
    later = row(1, "2026-12-20", client=7)
    cadence = row(2, "2026-11-20", "2026-11-25", client=7, flags=CONTACT | CADENCE)
    assert [item.follow_up for item in judge([later, cadence], NOON).shown] == [2, 1]


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "overdue"),
        ({"expires": day("2026-11-22")}, "overdue"),
        ({"expires": day("2026-11-21")}, "missed"),
        ({"retry_on": day("2026-11-22")}, "overdue"),
        ({"retry_on": day("2026-11-23")}, "upcoming"),
        ({"retry_on": day("2026-11-23"), "expires": day("2026-11-21")}, "missed"),
        ({"flags": CONTACT | WAITS}, "upcoming"),
        ({"flags": CONTACT | WAITS, "opens": None, "due": None}, "upcoming"),
        ({"flags": CONTACT | WAITS, "expires": day("2026-11-21")}, "missed"),
    ],
)
def test_what_is_missed_put_off_or_waits(fields: dict[str, Any], status: str) -> None:
    verdict = judge([row(1, "2026-11-10", "2026-11-20")._replace(**fields)], NOON)
    (item,) = (*verdict.shown, *verdict.missed)
    assert item.status == status
    assert (item in verdict.missed) == (status == "missed")
    assert item.early == (-2 if status == "overdue" else 0)


@pytest.mark.parametrize(
    "fields", [{"expires": day("2026-11-21")}, {"retry_on": day("2026-11-23")}, {"flags": CONTACT | WAITS}]
)
def test_what_is_not_to_be_done_now_does_not_silence_the_cadence(fields: dict[str, Any]) -> None:
    step = row(1, "2026-11-10", "2026-11-20", client=7, **fields)
    cadence = row(2, "2026-11-20", "2026-11-25", client=7, flags=CONTACT | CADENCE)
    verdict = judge([step, cadence], NOON)
    assert verdict.shown[0].follow_up == 2
    assert not verdict.hidden


def test_what_is_missed_is_in_no_other_total() -> None:
    rows = [row(1, "2026-11-20", value=5.0), row(2, "2026-10-01", value=9.0, expires=day("2026-11-01"))]
    verdict = judge(rows, NOON)
    assert count(verdict.shown, "ZAR", len(verdict.missed)) == (1, 0, 0, 1, 5.0, "ZAR", 1)


def test_lists_sort_by_status_kind_days_late_value_name() -> None:
    rows = [
        row(1, "2026-11-22", rank=0),
        row(2, "2026-11-20", rank=3, value=10.0),
        row(3, "2026-11-20", rank=3, value=90.0),
        row(4, "2026-11-10", rank=3),
        row(5, "2026-11-20", rank=1),
        row(6, "2026-11-20", rank=3, value=10.0, name="a client"),
        row(7, "2026-12-01", rank=0),
    ]
    assert [item.follow_up for item in judge(rows, NOON).shown] == [5, 4, 3, 6, 2, 1, 7]


def test_value_at_risk_counts_each_client_once_and_only_for_what_is_overdue() -> None:
    rows = [
        row(1, "2026-11-01", client=7, value=100.0),
        row(2, "2026-11-02", client=7, value=100.0),
        row(3, "2026-11-22", client=8, value=40.0),
        row(4, "2026-12-02", client=9, value=5.0),
    ]
    totals = count(judge(rows, NOON).shown, "ZAR")
    assert totals == (2, 1, 1, 2, 100.0, "ZAR", 0)


def test_the_order_does_not_depend_on_the_order_of_the_notes() -> None:
    rows = [row(key, f"2026-11-{key:02}", rank=key % 3, value=float(key % 2)) for key in range(1, 29)]
    assert statuses(judge(rows, NOON)) == statuses(judge(rows[::-1], NOON))


def test_overdue_work_is_spread_over_the_working_days_up_to_the_capacity() -> None:
    from notesync.followup.items import Item

    def item(name: str, status: str, opens: str, minutes: int) -> Item:
        values = dict.fromkeys(Item._fields) | {"ask": (), "waits": ""}
        values |= {"client": name, "status": status, "opens": opens, "due": opens, "minutes": minutes}
        return Item(**values)

    days = [date(2026, 11, day) for day in range(22, 26)]
    working = [False, True, True, False]
    items = [
        item("first", "overdue", "2026-11-01", 60),
        item("second", "overdue", "2026-11-02", 60),
        item("long", "overdue", "2026-11-02", 300),
        item("third", "overdue", "2026-11-03", 60),
        item("now", "due", "2026-11-20", 30)._replace(due="2026-11-23"),
        item("undated", "due", "2026-11-22", 0)._replace(opens=None, due=None),
        item("promised for today", "due", "2026-11-22T16:00", 10),
        item("soon", "upcoming", "2026-11-24", 45),
        item("sunday", "upcoming", "2026-11-22", 10),
        item("again", "upcoming", "2026-11-20", 5)._replace(retry_on="2026-11-24"),
        item("not yet", "upcoming", "2026-11-24", 5)._replace(waits="waits for satisfaction"),
    ]
    plans, left = plan_days(items, days, working, 120)
    assert [[each.client for each in plan.items] for plan in plans] == [
        ["promised for today", "sunday"],
        ["now", "undated"],
        ["soon", "again"],
        [],
    ]
    assert [[each.client for each in plan.overdue] for plan in plans] == [
        [],
        ["first", "second"],
        ["long"],
        [],
    ]
    assert [each.client for each in left] == ["third"]
    assert [plan.minutes for plan in plans] == [20, 150, 350, 0]
    assert [plan.late_minutes for plan in plans] == [0, 120, 300, 0]
