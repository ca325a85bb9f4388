"""A hundred and twenty clients of the example's business: the first day with old notes, the return after 90 days.

What comes out is a list that a person can work off: what is owed first, what is history counted and not listed.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from notesync.followup.agenda import Moment
from notesync.followup.items import Agenda, Item
from notesync.store.example import EXAMPLE_DAY, find_example, move_dates
from notesync.sync.pipeline import Selection, Workspace, open_workspace

FIRST_DAY = EXAMPLE_DAY + timedelta(1)  # a Monday
YEARS_AGO = (
    30,
    365,
    700,
    1100,
    1500,
    1900,
)  # days by which each sixth of the clients is older than the example
NEVER_MISSED = {"promise", "complaint", "delivery"}


def multiply(vault: Path, since: date, ages: tuple[int, ...]) -> None:
    """The example's clients once for each age in days, everybody under a name of their own."""
    settings = (find_example() / "notesync.yaml").read_text(encoding="utf-8")
    vault.mkdir()
    (vault / "notesync.yaml").write_text(re.sub("since: .*", f"since: {since}", settings), encoding="utf-8")
    for number, age in enumerate(ages):
        for path in (find_example() / "Clients").rglob("*.md"):
            text = move_dates(path.read_text(encoding="utf-8"), timedelta(days=-age))
            text = re.sub(r'(?m)^((?:id|name|company): "?[^"\n]*)', rf"\1 {number}", text)
            (vault / f"{path.stem} {number}.md").write_text(text, encoding="utf-8")


def ask(vault: Path, cache: Path, today: date) -> Workspace:
    workspace = open_workspace(str(vault), lambda _zone: Moment(today, 480), cache=str(cache))
    workspace.refresh()
    return workspace


def count_kinds(found: Agenda, status: str) -> Counter[str]:
    return Counter(item.kind for item in found.items if item.status == status)


def is_history(item: Item, today: date) -> bool:
    """Whether a plan's step is open although its window closed long ago, and it is not one that stays."""
    return (
        item.step is not None
        and item.step != "paperwork"
        and item.kind not in NEVER_MISSED
        and item.due is not None
        and date.fromisoformat(item.due) + timedelta(60) < today
    )


@pytest.fixture
def old_notes(tmp_path: Path) -> Path:
    vault = tmp_path / "vault"
    multiply(vault, FIRST_DAY, YEARS_AGO)
    return vault


def test_the_first_day_with_years_of_old_dates(old_notes: Path, tmp_path: Path) -> None:
    with ask(old_notes, tmp_path / "cache", FIRST_DAY) as workspace:
        found = workspace.agenda(Selection())
        days, left, _ = workspace.week(7, Selection())
    assert len(list(old_notes.glob("*.md"))) == 126
    # What the plans had wanted before that day is counted and asks for nothing ...
    steps = [item for item in found.items if item.step is not None and item.kind != "complaint"]
    assert found.totals.missed > 100
    assert all(item.due is not None and item.due >= FIRST_DAY.isoformat() for item in steps)
    # ... so that little more is left than what was promised and what is agreed: not two things a client.
    assert found.totals.overdue + found.totals.due < 2 * 126
    assert max(Counter(item.client_path for item in found.items).values()) <= 4
    kinds = [item.kind for item in found.items if item.status == "overdue"]
    assert kinds == sorted(
        kinds, key=["promise", "complaint", "delivery", "contact", "service", "keep-in-touch", "task"].index
    )
    # A week of it is planned within each day's capacity, the most pressing first; the rest is named.
    planned = [item for day in days for item in day.overdue]
    assert len(planned) + len(left) == found.totals.overdue
    assert all(day.late_minutes <= day.capacity for day in days)
    assert "promise" not in {item.kind for item in left}
    assert {item.kind for item in days[0].overdue} == {"promise"}


def test_the_return_after_90_days(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    multiply(vault, since := date(2026, 10, 1), (0, 7, -7, 3, -3, 14))
    with ask(vault, tmp_path / "cache", FIRST_DAY) as workspace:
        before = workspace.agenda(Selection())
    back = FIRST_DAY + timedelta(90)
    with ask(vault, tmp_path / "cache", back) as workspace:
        found = workspace.agenda(Selection())
        missed = workspace.agenda(Selection(missed=True)).items
        (card, *_) = workspace.cards(Selection())
    # Three months' steps have not piled up: what could be missed was, and each client has a thing or two to do.
    assert not [item for item in found.items if is_history(item, back)]
    assert found.totals.missed > before.totals.missed + 50
    later = [item for item in missed if item.due is not None and item.due >= since.isoformat()]
    assert not [item for item in later if item.kind in NEVER_MISSED or item.step == "paperwork"]
    assert found.totals.overdue + found.totals.due < 2 * 126
    # Nothing that is owed was lost meanwhile, and no cadence asks twice.
    assert count_kinds(found, "overdue")["promise"] >= count_kinds(before, "overdue")["promise"]
    assert count_kinds(found, "overdue")["complaint"] >= count_kinds(before, "overdue")["complaint"]
    cadences = Counter(item.client_path for item in found.items if item.kind == "keep-in-touch")
    assert max(cadences.values()) == 1
    assert card.last_contact is None or card.last_contact < FIRST_DAY.isoformat()
