"""The review as ``serve`` hands it out: to whom, under which policy, made how often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from asking import ask_app

from notesync.followup.agenda import Moment
from notesync.publish.review_page import find_style_source
from notesync.serve.app import build_app
from notesync.serve.board import Board, build_site
from notesync.serve.reviews import Reviews
from notesync.store.keys import Keys
from notesync.sync.pipeline import Workspace, open_workspace

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
KEYS = Keys("f" * 32, "9" * 32)
COOKIE = f"notesync-{KEYS.derive('cookie name')[:8]}={KEYS.derive('cookie')}"


def find_moment(_zone: str) -> Moment:
    return Moment(date(2026, 11, 22))


@pytest.fixture
def workspace(own_places: Path, quick_path: Path) -> Iterator[Workspace]:
    root = quick_path / "vault"
    root.mkdir()
    for name in ("Anna", "Ben"):
        text = f"---\ntype: client\nname: Of {name}\nowner: {name}\nevery: week\n---\n## Log\n- 2026-11-03 call: x\n"
        (root / f"{name}.md").write_text(text, encoding="utf-8")
    with open_workspace(str(root), find_moment) as found:
        found.refresh()
        yield found


@pytest.fixture
def board(workspace: Workspace) -> Board:
    board = Board(build_site(workspace, KEYS, NOW))
    board.reviews = Reviews(workspace.root, find_moment)
    return board


class Page(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


def ask(board: Board, path: str, query: str = "", cookie: str = COOKIE) -> Page:
    app = build_app(board, frozenset(("localhost",)))
    found = ask_app(app, path, {"host": "localhost:8423", "cookie": cookie}, query=query)
    return Page(found.status, found.headers, found.body.decode())


def test_the_page_links_to_the_review_and_the_review_opens(board: Board) -> None:
    assert '<a href="/review">' in ask(board, "/").body
    assert '<a href="/review?owner=anna">' in ask(board, "/", "owner=anna").body
    found = ask(board, "/review")
    assert found.status == 200
    assert "<h1><bdi>Review: November 2026</bdi></h1>" in found.body
    assert "Of Anna" in found.body
    assert "Of Ben" in found.body


def test_an_owners_review_is_theirs(board: Board) -> None:
    found = ask(board, "/review", "owner=anna").body
    assert "Review of Anna: November 2026" in found
    assert "Of Ben" not in found


def test_only_the_pages_own_style_is_let_in(board: Board) -> None:
    policy = ask(board, "/review").headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src '{find_style_source()}';")
    assert "script" not in policy
    assert find_style_source() not in ask(board, "/").headers["content-security-policy"]


def test_who_may_not_see_the_agenda_sees_no_review(board: Board) -> None:
    found = ask(board, "/review", cookie="")
    assert (found.status, found.headers["location"], found.body) == (303, "/", "")


def test_without_reviews_there_is_none(board: Board) -> None:
    board.reviews = None
    assert ask(board, "/review").status == 303


def test_it_is_made_once_for_each_state_of_the_notes(board: Board, workspace: Workspace) -> None:
    reviews, site = board.reviews, board.site
    assert reviews is not None
    first = reviews.find_page(site, site.owners[0])
    assert reviews.find_page(site, site.owners[0]) is first
    (Path(workspace.root) / "Ben.md").unlink()
    assert reviews.find_page(site, site.owners[0]) is first
    later = build_site(workspace, KEYS, NOW, site)
    assert "Of Ben" not in ask(Board(later), "/review").body
    assert reviews.find_page(later, site.owners[0]) is not first


def test_a_vault_that_is_away_is_said(board: Board, workspace: Workspace) -> None:
    root = Path(workspace.root)
    root.rename(root.with_name("away"))
    found = ask(board, "/review")
    assert found.status == 503
    assert "cannot be read just now" in found.body
    root.with_name("away").rename(root)
    assert ask(board, "/review").status == 200
