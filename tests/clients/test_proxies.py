"""``serve`` behind the web servers of docs/serve.md, with TLS, by the very examples that stand there.

A certificate is made for the occasion; names, ports and folders of the examples are replaced by those of the test, and
nothing else.
"""

from __future__ import annotations

import gzip
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from notesync.followup.agenda import Moment
from notesync.serve.app import build_app
from notesync.serve.board import Board, build_site
from notesync.serve.server import Server, open_socket
from notesync.store.example import copy_example
from notesync.store.keys import Keys
from notesync.sync.pipeline import open_workspace

pytestmark = pytest.mark.readers

DOCS = Path(__file__).parents[2] / "docs" / "serve.md"
KEYS = Keys("f" * 32, "9" * 32)
NAME = "localhost"
TODAY = date(2026, 11, 24)
FEED = f"/feed/{KEYS.feed}/followups.ics"
OPEN = f"/open/{KEYS.page}"


def give_up(what: str) -> Any:
    if os.environ.get("NOTESYNC_REQUIRE_CLIENTS"):
        pytest.fail(f"{what} is not installed, and NOTESYNC_REQUIRE_CLIENTS is set")
    pytest.skip(f"{what} is not installed")


def find_program(name: str) -> str:
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or give_up(name)


class Place(NamedTuple):
    """Where one web server runs: its folder, its port, and the port that it passes requests on to."""

    folder: Path
    port: int
    behind: int

    def fit(self, text: str, *replaced: tuple[str, str]) -> str:
        """The example for this place."""
        own = (("notes.example.org", NAME), ("127.0.0.1:8423", f"127.0.0.1:{self.behind}"))
        fitted = text
        for old, new in (*replaced, *own):
            assert old in text
            fitted = fitted.replace(old, new)
        return fitted


def read_example(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", DOCS.read_text(encoding="utf-8"), re.M | re.S)
    assert found
    return found[1]


def build_nginx(place: Place) -> list[str]:
    example = place.fit(
        read_example("nginx"),
        ("listen 443 ssl", f"listen 127.0.0.1:{place.port} ssl"),
        ("/etc/letsencrypt/live/notes.example.org/fullchain.pem", str(place.folder / "cert.pem")),
        ("/etc/letsencrypt/live/notes.example.org/privkey.pem", str(place.folder / "key.pem")),
        ("/var/log/nginx", str(place.folder)),
    )
    parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{part}_temp_path {place.folder}/{part};" for part in parts)
    # gzip and the rest as Debian's nginx.conf has them
    text = f"pid {place.folder}/pid;\nevents {{}}\nhttp {{\n{temporary}\ngzip on;\n{example}\n}}\n"
    (place.folder / "nginx.conf").write_text(text, encoding="utf-8")
    settings = f"daemon off; {'user root;' if os.geteuid() == 0 else ''}"
    return [
        find_program("nginx"), "-p", str(place.folder), "-c", str(place.folder / "nginx.conf"),
        "-e", str(place.folder / "start.log"), "-g", settings,
    ]  # fmt: skip


def build_caddy(place: Place) -> list[str]:
    example = place.fit(
        read_example("caddyfile"),
        (
            "notes.example.org {",
            f"https://{NAME}:{place.port} {{\n\ttls {place.folder}/cert.pem {place.folder}/key.pem",
        ),
        ("/var/log/caddy", str(place.folder)),
    )  # fmt: skip
    text = f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{example}"
    (place.folder / "Caddyfile").write_text(text, encoding="utf-8")
    return [
        find_program("caddy"),
        "run",
        "--adapter",
        "caddyfile",
        "--config",
        str(place.folder / "Caddyfile"),
    ]


SERVERS: dict[str, Callable[[Place], list[str]]] = {"nginx": build_nginx, "caddy": build_caddy}


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Proxy:
    """A web server that runs, and what is behind it."""

    def __init__(self, place: Place, stop: Callable[[], None], board: Board) -> None:
        self.place, self.stop, self.board = place, stop, board

    def ask(self, path: str, method: str = "GET", host: str = "", **headers: str) -> Reply:
        trust = ssl.create_default_context(cafile=str(self.place.folder / "cert.pem"))
        client = http.client.HTTPSConnection(NAME, self.place.port, context=trust, timeout=20)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        client.request(method, path, headers={"Host": host or f"{NAME}:{self.place.port}", **given})
        answer = client.getresponse()
        found = Reply(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        )
        client.close()
        return found

    def read_logs(self) -> str:
        """All that was written down."""
        return "".join(path.read_text(encoding="utf-8") for path in self.place.folder.glob("*.log"))


def find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def make_certificate(folder: Path) -> None:
    subprocess.run(
        [
            find_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(folder / "key.pem"), "-out",
            str(folder / "cert.pem"),
        ],
        check=True, capture_output=True,
    )  # fmt: skip


@contextmanager
def run(command: list[str], place: Place) -> Iterator[None]:
    """Run a web server until its port answers, and until the end."""
    home = {
        "HOME": str(place.folder),
        "XDG_DATA_HOME": str(place.folder),
        "XDG_CONFIG_HOME": str(place.folder),
    }
    with (place.folder / "output.log").open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | home, stdout=output, stderr=output)
    waiting = threading.Event()
    try:
        for _ in range(400):
            assert process.poll() is None, (place.folder / "output.log").read_text(encoding="utf-8")
            try:
                socket.create_connection(("127.0.0.1", place.port), timeout=5).close()
                break
            except ConnectionRefusedError:
                waiting.wait(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module", params=SERVERS)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp(request.param)
    copy_example(folder / "vault", TODAY)
    make_certificate(folder)
    sock = open_socket("127.0.0.1", 0)
    place = Place(folder, find_port(), sock.getsockname()[1])
    with ExitStack() as stack:
        vault = stack.enter_context(
            open_workspace(str(folder / "vault"), lambda _: Moment(TODAY), cache=str(folder / "cache"))
        )
        vault.refresh()
        board = Board(build_site(vault, KEYS, datetime.now(UTC) - timedelta(minutes=1)))
        app = build_app(board, frozenset((NAME,)), f"https://{NAME}")
        behind = stack.enter_context(ExitStack())
        behind.enter_context(Server(app, sock, print))
        stack.enter_context(run(SERVERS[request.param](place), place))
        yield Proxy(place, behind.close, board)


def test_the_calendar_comes_through_as_it_is(proxy: Proxy) -> None:
    body = proxy.board.site.feeds[KEYS.feed]
    plain = proxy.ask(FEED)
    assert (plain.status, plain.body) == (200, body.plain)
    assert plain.headers["etag"] == body.tag
    assert plain.headers["content-type"] == "text/calendar; charset=utf-8"
    packed = proxy.ask(FEED, Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == body.plain
    assert packed.headers["etag"] == body.packed_tag


def test_conditional_requests_come_through(proxy: Proxy) -> None:
    body = proxy.board.site.feeds[KEYS.feed]
    assert proxy.ask(FEED, If_None_Match=body.tag).status == 304
    assert proxy.ask(FEED, If_None_Match=body.packed_tag, Accept_Encoding="gzip").status == 304
    assert proxy.ask(FEED, If_None_Match='"other"').status == 200
    told = proxy.ask(FEED).headers["last-modified"]
    assert proxy.ask(FEED, If_Modified_Since=told).status == 304


def test_whatever_is_no_reading_is_refused(proxy: Proxy) -> None:
    assert proxy.ask(FEED, "HEAD").headers["etag"] == proxy.board.site.feeds[KEYS.feed].tag
    for method in ("PUT", "PROPFIND", "OPTIONS"):
        refused = proxy.ask(FEED, method)
        assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")
    assert proxy.ask(f"/feed/{'e' * 32}/followups.ics").status == 404


def test_the_page_is_opened_once_and_names_its_public_address(proxy: Proxy) -> None:
    opened = proxy.ask(OPEN)
    assert (opened.status, opened.headers["location"]) == (303, "/")
    assert "; Secure" in opened.headers["set-cookie"]
    assert proxy.ask("/").status == 403
    cookie = opened.headers["set-cookie"].partition(";")[0]
    page = proxy.ask("/", Cookie=cookie, X_Forwarded_Host="evil.example", X_Forwarded_Proto="http")
    assert page.status == 200
    assert f'"https://{NAME}{FEED}"' in page.body.decode()
    assert f'"webcal://{NAME}{FEED}"' in page.body.decode()
    assert b"evil" not in page.body
    strange = proxy.ask("/", host="evil.example", Cookie=cookie)
    assert b"Follow-ups" not in strange.body


def test_a_monitor_is_told_the_truth(proxy: Proxy) -> None:
    assert proxy.ask("/healthz").status == 200
    proxy.board.failure = "the drive is away"
    try:
        assert proxy.ask("/healthz").status == 503
        assert proxy.ask(FEED).status == 200
    finally:
        proxy.board.failure = ""


def test_while_notesync_rests_calendars_are_not_switched_off_and_no_log_holds_a_secret(proxy: Proxy) -> None:
    cookie = proxy.ask(OPEN).headers["set-cookie"].partition(";")[0]
    proxy.ask("/", Cookie=cookie, Referer=f"https://{NAME}{OPEN}")
    proxy.stop()
    for path in (FEED, "/", OPEN):
        assert proxy.ask(path).status == 404
    logs = proxy.read_logs()
    assert "/feed/masked" in logs
    assert "/open/masked" in logs
    for secret in (KEYS.feed, KEYS.page, cookie.partition("=")[2]):
        assert secret not in logs
