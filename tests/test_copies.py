"""A vault with conflict copies: which notes they are copies of, and what of them counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from notesync.followup.agenda import Moment
from notesync.store.history import History
from notesync.store.places import state_dir
from notesync.sync.pipeline import Workspace, open_workspace

TODAY = Moment(date(2026, 11, 22), 600)


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    root = tmp_path / "vault"
    root.mkdir()
    return root


@pytest.fixture
def workspace(vault: Path, tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(str(vault), lambda _zone: TODAY, cache=str(tmp_path / "cache")) as opened:
        yield opened


def put(vault: Path, name: str, header: str = "", body: str = "") -> None:
    path = vault / name
    path.parent.mkdir(parents=True, exist_ok=True)
    front = f"---\n{header}\n---\n" if header else ""
    path.write_text(f"{front}{body}", encoding="utf-8", newline="")


def remember(vault: Path, name: str, text: str) -> None:
    with History(state_dir(str(vault))) as history:
        history.store([(name, text.encode())], 1_790_000_000)


def find(workspace: Workspace) -> list[tuple[str, str]]:
    workspace.refresh()
    return [(copy.path, copy.original) for copy in workspace.find_copies()]


# --- Which notes are copies ------------------------------------------------------------------------------

SURE = (
    "Acme (Anna's conflicted copy 2026-11-22).md",
    "Acme.sync-conflict-20261122-103045-ABCDEFG.md",
    "Acme-LAPTOP-safeBackup-0001.md",
    "Acme.Conflict.md",
    "Acme.md..path1",
    "Acme.md.conflict2",
    "Acme.MD..PATH2",
)


@pytest.mark.parametrize("name", SURE)
def test_a_name_that_proves_it_is_enough_with_or_without_the_note(
    vault: Path, workspace: Workspace, name: str
) -> None:
    put(vault, f"Clients/{name}", "type: client")
    ((path, original),) = find(workspace)
    assert (path, original.lower()) == (f"Clients/{name}", "clients/acme.md")
    put(vault, "Clients/Acme.md", "type: client")
    assert find(workspace) == [(f"Clients/{name}", "Clients/Acme.md")]


PAST = "---\ntype: client\nphone: 012 345 678\n---\n# Notes\nLikes long lunches.\nHas two shops.\n"


def test_a_weak_name_counts_by_one_id_in_both(vault: Path, workspace: Workspace) -> None:
    put(vault, "Acme.md", "type: client\nid: a1")
    put(vault, "Acme 2.md", "type: client\nid: a1")
    put(vault, "Acme (1).md", "type: client\nid: b2")
    assert find(workspace) == [("Acme 2.md", "Acme.md")]


def test_a_weak_name_counts_by_what_this_computer_remembers_of_the_note(
    vault: Path, workspace: Workspace
) -> None:
    (vault / "Acme.md").write_text(PAST + "Closed in May.\n", encoding="utf-8")
    (vault / "Acme 2.md").write_text(PAST + "Wants a third.\n", encoding="utf-8")
    assert find(workspace) == []
    remember(vault, "Acme.md", PAST)
    assert find(workspace) == [("Acme 2.md", "Acme.md")]


NOT_COPIES = {
    "of another name": (PAST, PAST.replace("type: client", "type: client\nname: Acme North")),
    "with another past": (PAST, "---\ntype: client\nphone: 99\n---\nNobody's fool.\nSells tyres.\n"),
    "that is no client's": (PAST, PAST.replace("type: client", "type: supplier")),
    "beside one that is no client's": (PAST.replace("type: client", "type: note"), PAST),
}


@pytest.mark.parametrize("pair", NOT_COPIES.values(), ids=NOT_COPIES)
def test_a_weak_name_does_not_make_a_copy_of_a_note(
    vault: Path, workspace: Workspace, pair: tuple[str, str]
) -> None:
    (vault / "Acme.md").write_text(pair[0], encoding="utf-8")
    (vault / "Acme 2.md").write_text(pair[1], encoding="utf-8")
    remember(vault, "Acme.md", PAST)
    assert find(workspace) == []


def test_a_file_with_digits_behind_that_is_no_copy_is_not_read(vault: Path, workspace: Workspace) -> None:
    for name in ("Acme.md.1", "Acme.md2", "Acme.txt.conflict1", ".Acme.md.conflict1"):
        put(vault, name, "type: client")
    assert find(workspace) == []
    assert workspace.counts() == (0, 0)
