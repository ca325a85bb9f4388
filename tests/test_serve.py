"""What is served over HTTP: feeds that calendars trust, secrets, the page, and a server that never fails them."""

from __future__ import annotations

import contextlib
import gzip
import hmac
import http.client
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import click
import pytest
from asking import Reply, ask_app
from icalendar import Calendar

from notesync.cli.serve import Place, _check_public, _list_urls, _Publisher, _tell_place, _Turn
from notesync.cli.session import Session
from notesync.cli.watch import Watch
from notesync.followup.agenda import Moment
from notesync.problems import NotesyncError, RefusedError
from notesync.serve.app import _Pages, build_app, is_our_host
from notesync.serve.board import Board, build_owners, build_site
from notesync.serve.body import Body, accepts_gzip, build_answer, build_body
from notesync.serve.server import Server, open_socket
from notesync.store.keys import Keys, find_address, find_exposed, find_keys, make_keys, store_address
from notesync.sync.pipeline import Workspace, open_workspace
from notesync.sync.watch import WatchLock

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CLOCK = NOW.timestamp() + 30
KEYS = Keys("f" * 32, "9" * 32)
HOSTS = frozenset(("localhost", "127.0.0.1", "notes.example.org"))


pytestmark = pytest.mark.usefixtures("own_places")


@pytest.fixture
def vault(quick_path: Path) -> Path:
    root = quick_path / "vault"
    root.mkdir()
    put(root, "Acme.md", "name: Thandi\nowner: Anna\nphone: 071 234 5670\nnext_contact: 2026-11-20")
    put(root, "Bolt.md", "owner: [Anna, Ben]\nnext_contact: 2026-11-22")
    put(root, "Cape.md", "owner: Ben\nnext_contact: 2026-11-25")
    (root / "notesync.yaml").write_text("timezone: Africa/Johannesburg\n", encoding="utf-8")
    return root


def put(root: Path, name: str, header: str) -> None:
    (root / name).write_text(f"---\ntype: client\n{header}\n---\n", encoding="utf-8")


def open_vault(root: Path) -> Workspace:
    return open_workspace(
        str(root), lambda _zone: Moment(TODAY), cache=str(root.parent / "cache"), pause=lambda _: None
    )


@pytest.fixture
def workspace(vault: Path) -> Iterator[Workspace]:
    with open_vault(vault) as found:
        found.refresh()
        yield found


@pytest.fixture
def board(workspace: Workspace) -> Board:
    return Board(build_site(workspace, KEYS, NOW))


def ask(
    board: Board,
    path: str,
    headers: dict[str, str] | None = None,
    method: str = "GET",
    query: str = "",
    public: str = "",
) -> Reply:
    """What the application answers, asked as a server asks it."""
    given = {"host": "localhost:8423"} | (headers or {})
    with patch("notesync.serve.app.time.time", lambda: CLOCK):
        return ask_app(build_app(board, HOSTS, public), path, given, method, query)


def feed_path(secret: str = KEYS.feed) -> str:
    return f"/feed/{secret}/followups.ics"


# feeds ----------------------------------------------------------------------------------------------


def test_the_feed_is_the_calendar_and_says_what_it_is(board: Board, workspace: Workspace) -> None:
    found = ask(board, feed_path())
    assert found.status == 200
    assert found.body == b"".join(workspace.feed())
    assert found.headers["content-type"] == "text/calendar; charset=utf-8"
    assert found.headers["content-disposition"] == 'inline; filename="followups.ics"'
    assert found.headers["cache-control"] == "no-cache"
    assert found.headers["content-length"] == str(len(found.body))
    assert re.fullmatch(r'"[0-9a-f]{32}"', found.headers["etag"])
    assert found.headers["last-modified"] == "Sun, 22 Nov 2026 08:00:01 GMT"


def test_each_owner_has_an_address_that_gives_away_no_other(board: Board) -> None:
    whole, anna, ben = board.site.owners
    assert [whole.name, anna.name, ben.name] == ["", "Anna", "Ben"]
    assert len({whole.secret, anna.secret, ben.secret, KEYS.page}) == 4
    found = {
        str(event["SUMMARY"]).partition(":")[0]
        for event in Calendar.from_ical(ask(board, feed_path(anna.secret)).body).events
    }
    assert found == {"Thandi", "Bolt", "1 overdue"}
    assert len(f"https://notes.example.org{feed_path(anna.secret)}") < 200


@pytest.mark.parametrize(
    "secret", ["", "f" * 31, "f" * 33, "e" * 32, KEYS.page, "F" * 32, "%00", "ünknown", "\udc80"]
)
def test_an_unknown_secret_is_nothing_at_all(board: Board, secret: str) -> None:
    with patch("hmac.compare_digest", wraps=hmac.compare_digest) as compare:
        assert board.site.find_feed(secret) is None
    assert compare.call_count == len(board.site.feeds)  # all of them: no early way out
    if secret.isascii():
        assert (
            ask(board, feed_path(secret))[0::2]
            == ask(board, "/nothing")[0::2]
            == (404, b"There is nothing here.\n")
        )


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND", "OPTIONS", "REPORT"])
@pytest.mark.parametrize("path", [feed_path(), feed_path("e" * 32), "/", "/nothing"])
def test_whatever_is_no_reading_is_refused_everywhere_alike(board: Board, method: str, path: str) -> None:
    found = ask(board, path, method=method)
    assert (found.status, found.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", [feed_path(), "/healthz", "/robots.txt"])
def test_a_head_has_the_headers_of_a_get(board: Board, path: str) -> None:
    head, get = ask(board, path, method="HEAD"), ask(board, path)
    assert (head.status, head.headers) == (get.status, get.headers)


def test_no_header_of_any_answer_lets_in_strangers(board: Board) -> None:
    for path in (feed_path(), "/", "/nothing", "/robots.txt", "/page.js"):
        headers = ask(board, path).headers
        assert headers["content-security-policy"].startswith("default-src 'none';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-robots-tag"] == "noindex"


def test_robots_may_fetch_feeds(board: Board) -> None:
    assert ask(board, "/robots.txt", {"host": "anything"}).body == b"User-agent: *\nDisallow:\n"


# what the client has --------------------------------------------------------------------------------

BODY = build_body(b"BEGIN:VCALENDAR\r\n" * 50, 1_800_000_000.7)
LATER = "Fri, 15 Jan 2027 08:00:01 GMT"  # the second after
EARLIER = "Fri, 15 Jan 2027 08:00:00 GMT"
TO_COME = "Fri, 15 Jan 2027 09:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": BODY.tag}, 304),
        ({"if-none-match": f"W/{BODY.tag}"}, 304),
        ({"if-none-match": f'"other", {BODY.tag}'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"other"'}, 200),
        ({"if-none-match": BODY.tag.strip('"')}, 200),
        ({"if-none-match": BODY.packed_tag}, 200),
        ({"if-none-match": BODY.packed_tag, "accept-encoding": "gzip"}, 304),
        ({"if-none-match": BODY.tag, "accept-encoding": "gzip"}, 200),
        ({"if-modified-since": LATER}, 304),
        ({"if-modified-since": EARLIER}, 200),
        ({"if-modified-since": TO_COME}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": ""}, 200),
        ({"if-modified-since": "Fri, 99 Jan 2027 08:00:00 GMT"}, 200),
        ({"if-none-match": '"other"', "if-modified-since": LATER}, 200),
        ({"if-none-match": BODY.tag, "if-modified-since": EARLIER}, 304),
    ],
)  # fmt: skip
def test_who_has_it_is_not_sent_it_again(headers: dict[str, str], status: int) -> None:
    found = build_answer(BODY, headers, 1_800_000_100)
    assert found.status == status
    assert bool(found.content) is (status == 200)
    packs = "accept-encoding" in headers
    assert found.headers["ETag"] == (BODY.packed_tag if packs else BODY.tag)
    assert found.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("header", "packs"),
    [
        ("", False), ("gzip", True), ("deflate, gzip;q=0.5, br", True), ("GZIP", True), ("gzip;q=0", False),
        ("gzip; q=0.000", False), ("*", True), ("*;q=0", False), ("identity", False), ("x-gzip", True),
        ("gzip;q=0, *", False), ("br", False),
    ],
)  # fmt: skip
def test_who_takes_gzip_gets_it(header: str, packs: bool) -> None:
    assert accepts_gzip(header) is packs
    found = build_answer(BODY, {"accept-encoding": header}, 1_800_000_100)
    assert ("Content-Encoding" in found.headers) is packs
    assert (gzip.decompress(found.content) if packs else found.content) == BODY.plain


def test_two_bodies_never_share_a_second_and_none_is_dated_after_now() -> None:
    """Or a client that saw the first of them would be told that it has the second."""
    first = build_body(b"one", 100.2)
    second = build_body(b"two", 100.9, first)
    assert (first.modified, second.modified) == (101, 102)
    assert "Last-Modified" not in build_answer(second, {}, 101.95).headers
    assert "Last-Modified" in build_answer(second, {}, 102).headers
    # Who was sent another process's bytes in this very second, and names that second, has not seen these.
    this_second = "Thu, 01 Jan 1970 00:01:40 GMT"
    assert build_answer(first, {"if-modified-since": this_second}, 101.5).status == 200
    assert build_body(b"two", 500, second) is second
    assert build_body(b"two", 500).tag == second.tag


# the page -------------------------------------------------------------------------------------------


def let_in(board: Board) -> dict[str, str]:
    opened = ask(board, f"/open/{KEYS.page}")
    assert (opened.status, opened.headers["location"]) == (303, "/")
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert KEYS.page not in cookie
    assert KEYS.feed not in cookie
    return {"cookie": cookie.partition(";")[0]}


def test_the_page_opens_by_its_secret_alone(board: Board) -> None:
    closed = ask(board, "/")
    assert closed.status == 403
    assert b"Thandi" not in closed.body
    assert ask(board, "/", {"cookie": "notesync-00000000=guess"}).status == 403
    assert ask(board, f"/open/{KEYS.feed}").status == 404
    found = ask(board, "/", let_in(board))
    assert (found.status, found.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Thandi" in found.body.decode()
    board.site = board.site._replace(keys=Keys("a" * 32, "b" * 32))
    assert ask(board, "/", let_in_with(found)).status == 403


def let_in_with(_found: Reply) -> dict[str, str]:
    return {"cookie": f"notesync-{KEYS.derive('cookie name')[:8]}={KEYS.derive('cookie')}"}


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("localhost", True), ("LOCALHOST:8423", True), ("127.0.0.1:8423", True), ("[::1]:8423", True),
        ("notes.example.org", True), ("192.168.1.7:8423", True), ("evil.example", False), ("", False),
        ("localhost.evil.example", False), ("localhost:evil", False), ("127.0.0.1.nip.example", False), ("[::1", False),
        ("user@localhost", False), ("localhost:", False), ("[::1]x", False),
        ("evil.example/feed/", False), ("evil.example/healthz?", False), ("x#/feed/", False),
    ],
)  # fmt: skip
def test_a_name_that_is_not_ours_gets_no_page(board: Board, host: str, ours: bool) -> None:
    assert is_our_host(host, HOSTS) is ours
    assert (ask(board, "/", {"host": host}).status == 421) is not ours
    assert (
        ask(board, feed_path(), {"host": host}).status == 200
    )  # its secret protects it, and no calendar may break


def test_the_page_of_an_owner_shows_theirs_and_subscribes_to_theirs(board: Board) -> None:
    found = ask(board, "/", let_in(board), query="owner=ben").body.decode()
    assert "Cape" in found
    assert "Thandi" not in found
    assert board.site.owners[2].secret in found
    assert KEYS.feed not in found
    assert f"webcal://localhost:8423{feed_path(board.site.owners[2].secret)}" in found


def test_who_has_the_page_is_not_sent_it_again_unless_it_changed(board: Board) -> None:
    cookie = let_in(board)
    tag = ask(board, "/", cookie).headers["etag"]
    assert ask(board, "/", cookie | {"if-none-match": tag}).status == 304
    assert ask(board, "/", {"if-none-match": tag}).status == 403
    board.failure = "the drive is away"
    changed = ask(board, "/", cookie | {"if-none-match": tag})
    assert changed.status == 200
    assert "Not current: the drive is away" in changed.body.decode()


def test_a_page_that_fails_leaves_the_feed_alone(board: Board) -> None:
    with (
        patch("notesync.publish.page.render_page", side_effect=ValueError("torn")),
        pytest.raises(ValueError, match="torn"),
    ):
        ask(board, "/", let_in(board))
    assert ask(board, feed_path()).status == 200


def test_the_page_is_made_once_for_each_state_and_each_view_of_it(board: Board) -> None:
    app_pages = _Pages(board, "")
    with patch("notesync.publish.page.render_page", return_value="page") as render:
        for words in ((("", "", "https://x/feed/1/f.ics", ""),) * 3, (("anna", "", "https://x/2", ""),) * 2):
            assert {app_pages._find_page(board.site, each) for each in words}
        assert render.call_count == 2
        app_pages._find_page(board.site._replace(refreshed=NOW.replace(hour=9)), words[0])
        assert render.call_count == 3


@pytest.mark.parametrize(
    ("public", "host", "secure"),
    [
        ("https://notes.example.org", "notes.example.org", True),
        ("https://notes.example.org", "192.168.1.7:8423", False),  # or the page would not open at home
        ("http://notes.example.org", "notes.example.org", False),
        ("", "localhost:8423", False),
    ],
)
def test_the_cookie_of_a_page_with_tls_never_travels_without(
    board: Board, public: str, host: str, secure: bool
) -> None:
    opened = ask(board, f"/open/{KEYS.page}", {"host": host}, public=public)
    assert ("Secure" in opened.headers["set-cookie"]) is secure


def test_nothing_that_a_proxy_tells_is_believed(board: Board) -> None:
    told = {
        "x-forwarded-proto": "https",
        "x-forwarded-host": "evil.example",
        "forwarded": "host=evil.example",
    }
    page = ask(board, "/", let_in(board) | told).body.decode()
    assert "evil" not in page
    assert f"http://localhost:8423{feed_path()}" in page
    page = ask(board, "/", let_in(board) | told, public="https://notes.example.org").body.decode()
    assert f"webcal://notes.example.org{feed_path()}" in page
    assert "localhost" not in page


def test_several_lines_of_one_header_are_one_list(board: Board) -> None:
    tag = board.site.feeds[KEYS.feed].tag
    with patch("starlette.datastructures.Headers.getlist", lambda self, name: [self[name], tag]):
        assert ask(board, feed_path(), {"if-none-match": '"other"', "host": "localhost"}).status == 304


# staying current ------------------------------------------------------------------------------------


class Idle:
    """A watcher that hears of nothing."""

    stopped, is_idle, poll = False, True, 60.0


def renew(publisher: _Publisher, failure: str) -> None:
    publisher.update(failure)
    publisher.bring_up_to_date(Idle())  # type: ignore[arg-type]


def test_a_site_that_nobody_renews_is_stale(board: Board) -> None:
    """The watcher may be dead, or wait for a drive that does not answer: neither says so."""
    board.patience = 29
    assert ask(board, "/healthz").status == 503
    assert "looked at for some time" in ask(board, "/", let_in(board)).body.decode()
    assert ask(board, feed_path()).status == 200
    board.patience = 31
    assert ask(board, "/healthz").status == 200


def test_where_nothing_changed_no_calendar_is_made_again(workspace: Workspace, vault: Path) -> None:
    publisher = _Publisher(Session(), workspace, make_keys(str(vault)))
    board = publisher.begin("", 240)
    renew(publisher, "")  # what was made for the first time is in the index now
    before = board.site
    with patch("notesync.serve.board.build_body", side_effect=AssertionError("made again")):
        renew(publisher, "")
    assert (board.failure, board.site.feeds) == ("", before.feeds)
    assert board.site.refreshed > before.refreshed
    put(vault, "Dune.md", "next_contact: 2026-11-24")
    with open_vault(vault) as other:
        other.refresh()  # by another process: to this one it is no change of a note
    workspace.hold()
    renew(publisher, "")
    assert b"Dune" in ask(board, feed_path(board.site.keys.feed)).body


class Busy(Idle):
    """A watcher that always hears of something."""

    is_idle = False


def test_while_notes_are_saved_the_old_state_is_served_but_not_for_ever(
    workspace: Workspace, vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calendar in the vault comes first; a storm of saves is no reason to serve what is minutes old."""
    publisher = _Publisher(Session(), workspace, make_keys(str(vault)))
    board = publisher.begin("", 240)
    before = board.site
    put(vault, "Dune.md", "next_contact: 2026-11-24")
    workspace.refresh()
    publisher.update("")
    publisher.bring_up_to_date(Busy())  # type: ignore[arg-type]
    assert (board.site, board.failure) == (before, "")
    publisher.update("")
    later = time.monotonic() + 16
    monkeypatch.setattr("time.monotonic", lambda: later)
    publisher.bring_up_to_date(Busy())  # type: ignore[arg-type]
    assert b"Dune" in ask(board, feed_path(before.keys.feed)).body


def test_who_ends_it_waits_for_nothing(workspace: Workspace, vault: Path) -> None:
    publisher = _Publisher(Session(), workspace, make_keys(str(vault)))
    before = publisher.begin("", 240).site
    publisher.update("")
    with patch.object(Busy, "stopped", True), patch("time.monotonic", return_value=1e12):
        publisher.bring_up_to_date(Busy())  # type: ignore[arg-type]
    assert publisher.board is not None
    assert publisher.board.site is before


def test_a_calendar_is_packed_when_somebody_wants_it_so_and_once(board: Board) -> None:
    body = board.site.feeds[KEYS.feed]
    with patch("notesync.serve.body.gzip.compress", side_effect=gzip.compress) as packing:
        told = ask(
            board,
            feed_path(),
            {"host": "localhost", "accept-encoding": "gzip", "if-none-match": body.packed_tag},
        )
        assert told.status == 304
        assert not packing.called
        for _ in range(2):
            told = ask(board, feed_path(), {"host": "localhost", "accept-encoding": "gzip"})
            assert gzip.decompress(told.body) == body.plain
        assert packing.call_count == 1


def test_while_the_settings_are_wrong_calendars_stay_and_the_page_says_so(vault: Path) -> None:
    def break_settings() -> None:
        (vault / "notesync.yaml").write_text("timezone: Nowhere/At all\n", encoding="utf-8")
        put(vault, "Dune.md", "next_contact: 2026-11-24")

    def mend_settings() -> None:
        (vault / "notesync.yaml").write_text("timezone: Africa/Johannesburg\n", encoding="utf-8")

    first, wrong, good = serve_in_steps(vault, break_settings, mend_settings)
    assert wrong.feed == first.feed
    assert "Dune" in wrong.clients
    assert "The settings are wrong" in wrong.failure
    assert b"Dune" in good.feed
    assert good.failure == ""


def test_what_cannot_be_written_is_served_all_the_same(vault: Path) -> None:
    """From the start, and at each later change, though the same failure is told but once."""
    with (vault / "notesync.yaml").open("a", encoding="utf-8") as settings:
        settings.write("agenda_note: Mine.md\n")
    (vault / "Mine.md").write_text("A person's own.\n", encoding="utf-8")

    def add_one() -> None:
        put(vault, "Dune.md", "next_contact: 2026-11-24")

    def add_another() -> None:
        put(vault, "Epic.md", "next_contact: 2026-11-24")

    first, second, third = serve_in_steps(vault, add_one, add_another)
    assert "Mine.md is not a note that notesync wrote" in first.failure
    assert b"Thandi" in first.feed
    assert b"Dune" in second.feed
    assert b"Epic" in third.feed
    assert first.failure == second.failure == third.failure


def test_an_error_that_nobody_foresaw_ends_no_subscription(vault: Path) -> None:
    with patch.object(Workspace, "publish", side_effect=ZeroDivisionError("of a note")):
        first, second = serve_in_steps(vault, lambda: put(vault, "Dune.md", "next_contact: 2026-11-24"))
    assert (first.failure, second.failure) == ("of a note", "of a note")
    assert b"Dune" in second.feed


class Step(NamedTuple):
    """What is served after a step."""

    feed: bytes
    clients: set[str]
    failure: str


def serve_in_steps(vault: Path, *steps: Callable[[], None]) -> list[Step]:
    """What is served at the start, and after each step and the sweep that follows it."""
    from notesync.sync.watch import STOPPED, SWEEP, Wake

    seen: list[Step] = []
    left = list(steps)

    class Script(Idle):
        def wait(self, *_: object) -> Wake:
            assert publisher.board is not None
            site = publisher.board.site
            clients = {item.client for item in site.agenda.items}
            seen.append(Step(site.feeds[site.keys.feed].plain, clients, publisher.board.failure))
            if not left:
                return Wake(STOPPED)
            left.pop(0)()
            return Wake(SWEEP)

    class Quiet(Session):
        def tell(self, *lines: str) -> None:
            pass

    with open_vault(vault) as workspace:
        publisher, watcher = _Publisher(Quiet(), workspace, make_keys(str(vault))), Script()

        def after(failure: str) -> None:
            if publisher.board is None:
                publisher.begin(failure, 240)
            else:
                publisher.update(failure)

        Watch(
            Quiet(),
            workspace,
            watcher,  # type: ignore[arg-type]
            after=after,
            idle=lambda: publisher.bring_up_to_date(watcher),  # type: ignore[arg-type]
            endures=(Exception,),
        ).run()
    return seen


def test_what_goes_wrong_leaves_the_last_good_state(workspace: Workspace, vault: Path) -> None:
    publisher = _Publisher(Session(), workspace, make_keys(str(vault)))
    board = publisher.begin("", 240)
    before = board.site
    renew(publisher, "the drive is away")
    assert (board.site, board.failure) == (before, "the drive is away")
    assert ask(board, "/healthz").status == 503
    put(vault, "Zulu.md", "next_contact: 2026-11-24")
    workspace.refresh()
    renew(publisher, "Agenda.md is not a note that notesync wrote")
    assert b"Zulu" in ask(board, feed_path(before.keys.feed)).body
    assert (board.site.refreshed, ask(board, "/healthz").status) == (before.refreshed, 503)
    before = board.site
    with patch("notesync.serve.board.build_site", side_effect=MemoryError("no room")):
        renew(publisher, "")
    assert (board.site, board.failure) == (before, "no room")
    assert ask(board, feed_path(before.keys.feed)).status == 200
    put(vault, "Dune.md", "next_contact: 2026-11-24")
    workspace.refresh()
    renew(publisher, "")
    assert board.failure == ""
    assert b"Dune" in ask(board, feed_path(before.keys.feed)).body
    assert ask(board, "/healthz").body.startswith(b"ok 2")


def test_what_stays_the_same_keeps_its_tag_and_date(workspace: Workspace, board: Board, vault: Path) -> None:
    put(vault, "Cape.md", "owner: Ben\nnext_contact: 2026-11-26")
    workspace.refresh()
    later = build_site(workspace, KEYS, datetime(2026, 11, 22, 9, 0, tzinfo=UTC), board.site)
    whole, anna, ben = (owner.secret for owner in later.owners)
    assert later.feeds[anna] is board.site.feeds[anna]
    assert later.feeds[whole].tag != board.site.feeds[whole].tag
    assert later.feeds[ben].modified == board.site.feeds[ben].modified + 3600


def test_the_page_tells_the_time_of_the_settings_zone(workspace: Workspace, vault: Path) -> None:
    board = _Publisher(Session(), workspace, make_keys(str(vault))).begin("", 240)
    assert str(board.site.refreshed.tzinfo) == "Africa/Johannesburg"


def test_a_new_secret_ends_the_old_addresses(workspace: Workspace, vault: Path) -> None:
    publisher = _Publisher(Session(), workspace, make_keys(str(vault)))
    board = publisher.begin("", 240)
    old = board.site
    make_keys(str(vault), anew=True)
    renew(publisher, "")
    assert not {owner.secret for owner in old.owners} & set(board.site.feeds)
    assert ask(board, feed_path(old.keys.feed)).status == 404
    assert ask(board, f"/open/{old.keys.page}").status == 404


def test_one_watches_and_the_next_takes_over_when_it_ends(workspace: Workspace) -> None:
    with contextlib.ExitStack() as stack:
        turn = _Turn(stack, workspace)
        with WatchLock(workspace.lock_path):
            assert not turn()
        assert turn()
        assert turn()
        with pytest.raises(RefusedError), WatchLock(workspace.lock_path):
            pass


# secrets --------------------------------------------------------------------------------------------


def test_the_secrets_are_made_once_and_lie_outside_of_the_vault(vault: Path, quick_path: Path) -> None:
    assert find_keys(str(vault)) is None
    keys = make_keys(str(vault))
    assert make_keys(str(vault)) == find_keys(str(vault)) == keys
    assert all(re.fullmatch("[0-9a-f]{32}", key) for key in keys)
    assert keys.feed != keys.page
    (file,) = quick_path.rglob("serve.json")
    assert vault not in file.parents
    if os.name != "nt":
        assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert not set(make_keys(str(vault), anew=True)) & set(keys)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"feed": "short", "page": "short"}', '{"feed": 1}'])
def test_damaged_secrets_are_never_replaced_unasked(vault: Path, quick_path: Path, text: str) -> None:
    make_keys(str(vault))
    (file,) = quick_path.rglob("serve.json")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError, match="--new-secret"):
        make_keys(str(vault))
    assert file.read_text(encoding="utf-8") == text
    assert make_keys(str(vault), anew=True) == find_keys(str(vault))


def test_the_address_of_the_last_start_is_remembered_for_the_user_alone(
    vault: Path, quick_path: Path
) -> None:
    assert find_address(str(vault)) == ""
    store_address(str(vault), "https://notes.example.org")
    store_address(str(vault), "https://other.example.org")
    assert find_address(str(vault)) == "https://other.example.org"
    (file,) = quick_path.rglob("serve-address")
    assert os.name == "nt" or file.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="rights are lists there")
def test_secrets_that_others_may_read_are_found(vault: Path, quick_path: Path) -> None:
    assert find_exposed(str(vault)) == ""
    make_keys(str(vault))
    assert find_exposed(str(vault)) == ""
    (file,) = quick_path.rglob("serve.json")
    file.chmod(0o640)
    assert find_exposed(str(vault)) == str(file)


def test_a_secret_is_told_to_a_person_and_to_no_log(vault: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with patch("sys.stderr.isatty", lambda: True):
        _tell_place(Session(), str(vault), KEYS, "http://127.0.0.1:8423")
    assert KEYS.page in capsys.readouterr().err
    _tell_place(Session(), str(vault), KEYS, "http://127.0.0.1:8423")
    assert KEYS.page not in (told := capsys.readouterr().err)
    assert "http://127.0.0.1:8423" in told


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("", ""), ("https://Notes.Example.org/", "https://notes.example.org"),
        ("http://192.168.1.7:8423", "http://192.168.1.7:8423"), ("https://x.example/notes", None), ("x.example", None),
        ("https://user@x.example", None), ("https://x.example?a", None), ("ftp://x.example", None),
        ("https://x.example:port", None), ("https://", None), ("https://x.example\"onload", None),
    ],
)  # fmt: skip
def test_a_public_address_is_a_server_and_no_more(value: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(click.BadParameter):
            _check_public(None, None, value)  # type: ignore[arg-type]
    else:
        assert _check_public(None, None, value) == kept  # type: ignore[arg-type]


def test_where_it_listens_everywhere_an_address_that_works_is_named() -> None:
    assert Place("0.0.0.0", 8423, "").base.partition(":8423")[0] != "http://0.0.0.0"
    assert Place("::1", 8423, "").base == "http://[::1]:8423"
    assert Place("0.0.0.0", 8423, "https://x.example").base == "https://x.example"


def test_the_addresses_are_listed_with_whose_they_are(workspace: Workspace) -> None:
    lines = [line.split("  ") for line in _list_urls(workspace, KEYS, "https://notes.example.org")]
    assert lines[0] == [f"https://notes.example.org/open/{KEYS.page}", "the agenda page\n"]
    assert lines[1] == [f"https://notes.example.org{feed_path()}", "the whole calendar\n"]
    anna = build_owners(workspace, KEYS)[1]
    assert lines[2] == [
        f"webcal://notes.example.org{feed_path()}",
        "the whole calendar, for Apple's calendars\n",
    ]
    assert lines[3] == [f"https://notes.example.org{feed_path(anna.secret)}", "Anna\n"]
    assert len(lines) == 7


# over a socket --------------------------------------------------------------------------------------


def test_over_a_socket_it_all_holds_together(board: Board) -> None:
    sock = open_socket("127.0.0.1", 0)
    port = sock.getsockname()[1]
    told: list[str] = []
    with Server(build_app(board, HOSTS), sock, told.append):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        client.request("GET", feed_path(), headers={"Accept-Encoding": "gzip"})
        answer = client.getresponse()
        body = answer.read()
        assert answer.status == 200
        assert gzip.decompress(body) == board.site.feeds[KEYS.feed].plain
        for method in ("GET", "HEAD"):
            client.request(
                method,
                feed_path(),
                headers={"Accept-Encoding": "gzip", "If-None-Match": answer.headers["ETag"]},
            )
            again = client.getresponse()
            assert (again.status, again.read()) == (304, b"")
        client.request("HEAD", feed_path())
        head = client.getresponse()
        assert (head.status, head.read()) == (200, b"")
        assert head.headers["Content-Length"] == str(len(board.site.feeds[KEYS.feed].plain))
        assert "Server" not in head.headers
        client.request("PROPFIND", feed_path(), body=b"<propfind/>")
        assert client.getresponse().status == 405
        client.close()
        with socket.create_connection(("127.0.0.1", port), timeout=10) as rude:
            rude.sendall(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
            assert rude.recv(12) in (b"HTTP/1.1 400", b"")
    assert told == []
    assert not any(thread.name == "http" for thread in threading.enumerate())


@pytest.fixture
def large(board: Board) -> Board:
    """A calendar of more octets than lie in any buffer between us and a client that does not read."""
    body = build_body(os.urandom(1 << 24), NOW.timestamp())
    board.site = board.site._replace(feeds={KEYS.feed: body})
    return board


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def ask_for_feed(port: int) -> socket.socket:
    client = connect(port)
    client.sendall(f"GET {feed_path()} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client


def is_left(client: socket.socket) -> bool:
    """Whether the server has ended the connection, which may take its time."""
    try:
        while client.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass
    return True


def test_a_connection_on_which_nothing_moves_is_given_up(large: Board) -> None:
    """Idle from the first, sending a header letter by letter, or asking and never reading."""
    sock = open_socket("127.0.0.1", 0)
    port = sock.getsockname()[1]
    with Server(build_app(large, HOSTS), sock, print, still=0.2), contextlib.ExitStack() as stack:
        idle, slow, deaf = map(stack.enter_context, (connect(port), connect(port), ask_for_feed(port)))
        slow.sendall(b"GET / HTTP/1.1\r\nHost: loc")
        for client in (idle, slow, deaf):
            assert is_left(client)


def test_one_that_reads_slowly_gets_all_of_it(large: Board) -> None:
    sock = open_socket("127.0.0.1", 0)
    port = sock.getsockname()[1]
    with Server(build_app(large, HOSTS), sock, print), ask_for_feed(port) as client:
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.read() == large.site.feeds[KEYS.feed].plain


def test_whoever_comes_too_many_makes_the_longest_waiting_go(large: Board) -> None:
    sock = open_socket("127.0.0.1", 0)
    port = sock.getsockname()[1]
    with Server(build_app(large, HOSTS), sock, print, most=3), contextlib.ExitStack() as stack:
        guests = [stack.enter_context(connect(port)) for _ in range(4)]
        assert is_left(guests[0])
        last = guests[-1]
        last.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert last.recv(15) == b"HTTP/1.1 200 OK"


def test_it_ends_though_clients_hang_on(large: Board) -> None:
    sock = open_socket("127.0.0.1", 0)
    port = sock.getsockname()[1]
    with contextlib.ExitStack() as stack, Server(build_app(large, HOSTS), sock, print):
        for _ in range(5):
            stack.enter_context(connect(port))
            assert stack.enter_context(ask_for_feed(port)).recv(8) == b"HTTP/1.1"
    assert not any(thread.name == "http" for thread in threading.enumerate())


def test_a_server_that_ends_unasked_is_no_secret(board: Board) -> None:
    ended = threading.Event()
    with (
        open_socket("127.0.0.1", 0) as sock,
        pytest.raises(NotesyncError, match="ended unexpectedly"),
        patch("uvicorn.Server.run", lambda *_: None),
        Server(build_app(board, HOSTS), sock, print, ended.set),
    ):
        assert ended.wait(10)


def test_a_port_in_use_is_said_so() -> None:
    with open_socket("127.0.0.1", 0) as first, pytest.raises(RefusedError, match="--port"):
        open_socket("127.0.0.1", first.getsockname()[1])


def test_a_watcher_serves_each_state_that_it_published(vault: Path) -> None:
    """The calendar file and the feed are one, before the change and after it."""
    from notesync.sync.watch import STOPPED, SWEEP, Wake

    seen: list[tuple[bytes, Body]] = []

    class Script(Idle):
        def wait(self, *_: object) -> Wake:
            site = publisher.board.site if publisher.board else None
            assert site is not None
            seen.append(((vault / "followups.ics").read_bytes(), site.feeds[site.keys.feed]))
            put(vault, "Dune.md", "next_contact: 2026-11-24")
            return Wake(SWEEP if len(seen) < 2 else STOPPED)

    class Quiet(Session):
        def tell(self, *lines: str) -> None:
            pass

    with open_vault(vault) as workspace:
        publisher, watcher = _Publisher(Quiet(), workspace, KEYS), Script()

        def after(failure: str) -> None:
            if publisher.board is None:
                publisher.begin("", 240)
            else:
                publisher.update(failure)

        idle = partial(publisher.bring_up_to_date, watcher)  # type: ignore[arg-type]
        Watch(Quiet(), workspace, watcher, after=after, idle=idle).run()  # type: ignore[arg-type]
    assert [body.plain for _, body in seen] == [file for file, _ in seen]
    assert b"Dune" not in seen[0][0]
    assert b"Dune" in seen[1][0]
