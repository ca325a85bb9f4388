"""A board in, a Starlette application out: the feeds, the agenda page, and little else.

Nothing is computed for a request but the page: a feed's bytes are there before somebody asks, the last good ones
whatever happens.  It reads no disk, and no note's path is ever part of an address.
"""

from __future__ import annotations

import hmac
import ipaddress
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from notesync.problems import NotesyncError
from notesync.serve.body import Body, build_answer, build_body

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from notesync.serve.board import Board, Site

FEED_NAME = "followups.ics"
METHODS = ("GET", "HEAD")
COOKIE_DAYS = 180
_OPEN_PATHS = ("/feed/", "/healthz", "/robots.txt")  # what tells nothing, or asks for a secret

# 404 and not 403 or 400: of all errors it is the one after which Thunderbird keeps a calendar alive.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def build_app(board: Board, hosts: frozenset[str], public: str = "") -> ASGIApp:
    """The application; ``hosts`` are the names by which the page may be asked for, ``public`` its address for others."""
    pages = _Pages(board, public)
    app = Starlette(
        routes=[
            Route(f"/feed/{{secret}}/{FEED_NAME}", pages.feed, methods=["GET"]),
            Route("/", pages.agenda, methods=["GET"]),
            Route("/review", pages.review, methods=["GET"]),
            Route("/open/{key}", pages.open, methods=["GET"]),
            Route("/page.css", pages.style, methods=["GET"]),
            Route("/page.js", pages.script, methods=["GET"]),
            Route("/healthz", pages.health, methods=["GET"]),
            Route("/robots.txt", pages.robots, methods=["GET"]),
        ],
        exception_handlers={404: pages.not_found},
    )
    app.router.redirect_slashes = False
    return _guard(app, hosts)


def _guard(app: ASGIApp, hosts: frozenset[str]) -> ASGIApp:
    """Refuse what no path answers, and pages asked for by a name that is not ours (DNS rebinding)."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        answer = _refuse(scope, hosts)
        await (answer or app)(scope, receive, _add_headers(send))

    return guarded


def _refuse(scope: Scope, hosts: frozenset[str]) -> Response | None:
    if scope["method"] not in METHODS:
        return PlainTextResponse("Only GET and HEAD.\n", 405, {"Allow": ", ".join(METHODS)})
    request = Request(scope)
    if request.url.path.startswith(_OPEN_PATHS) or is_our_host(request.headers.get("host", ""), hosts):
        return None
    words = "This server does not go by that name. Start it with --public and the address you use.\n"
    return PlainTextResponse(words, 421)


def _add_headers(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def is_our_host(header: str, hosts: frozenset[str]) -> bool:
    """Whether a ``Host`` is one of ours or an address in digits, which no name server can point at us."""
    try:
        name = urlsplit(f"//{header}").hostname or ""
        if name in hosts:
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class _Pages:
    """The answers to every path; all they know is the board."""

    def __init__(self, board: Board, public: str) -> None:
        self._board = board
        self._public = public.rstrip("/")
        self._started = time.time()

    async def feed(self, request: Request) -> Response:
        body = self._board.site.find_feed(request.path_params["secret"])
        if body is None:
            return await self.not_found(request, None)
        headers = {"Content-Disposition": f'inline; filename="{FEED_NAME}"', "Cache-Control": "no-cache"}
        return _answer(request, body, "text/calendar; charset=utf-8", headers)

    def agenda(self, request: Request) -> Response:  # in a thread of its own: long lists take their time
        from notesync.publish.page import render_closed, render_page

        site = self._board.site
        if not _is_let_in(request, site):
            return _send_page(request, render_closed(), 403)
        wanted = request.query_params.get("owner", "")
        owner = next((owner for owner in site.owners if owner.folded == wanted), site.owners[0])
        words = render_page(
            site.agenda,
            owner.folded,
            [(each.folded, each.name) for each in site.owners[1:]],
            vault=site.vault,
            address=f"{self._find_base(request)}/feed/{owner.secret}/{FEED_NAME}",
            refreshed=site.refreshed,
            failure=self._board.failure,
        )
        return _send_page(request, words)

    async def open(self, request: Request) -> Response:
        site = self._board.site
        given = request.path_params["key"].encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(site.keys.page.encode(), given):
            return await self.not_found(request, None)
        answer = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        name, value = _build_cookie(site)
        answer.set_cookie(
            name,
            value,
            max_age=COOKIE_DAYS * 86400,
            httponly=True,
            secure=request.url.scheme == "https",
            samesite="lax",
        )
        return answer

    async def style(self, request: Request) -> Response:
        return self._send_part(request, "page.css", "text/css; charset=utf-8")

    async def script(self, request: Request) -> Response:
        return self._send_part(request, "page.js", "text/javascript; charset=utf-8")

    async def health(self, request: Request) -> Response:
        """200 while all is current, 503 while the last good bytes are served instead: for monitors only."""
        when = self._board.site.refreshed.isoformat(timespec="seconds")
        words, status = (f"stale since {when}\n", 503) if self._board.failure else (f"ok {when}\n", 200)
        return PlainTextResponse(words, status, {"Cache-Control": "no-store"})

    def review(self, request: Request) -> Response:  # in a thread of its own: it reads all notes
        """This month's review, for whoever may see the agenda."""
        from notesync.serve.reviews import build_policy

        site, reviews = self._board.site, self._board.reviews
        if reviews is None or not _is_let_in(request, site):
            return RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        wanted = request.query_params.get("owner", "")
        owner = next((owner for owner in site.owners if owner.folded == wanted), site.owners[0])
        try:
            body = reviews.find_page(site, owner)
        except (NotesyncError, OSError):
            words = "The notes cannot be read just now. Try again in a while.\n"
            return PlainTextResponse(words, 503, {"Cache-Control": "no-store"})
        headers = {"Cache-Control": "private, no-cache", "Content-Security-Policy": build_policy()}
        return _answer(request, body, "text/html; charset=utf-8", headers)

    async def robots(self, request: Request) -> Response:
        """Everything may be fetched: Google's calendar obeys this file, and X-Robots-Tag keeps us out of lists."""
        return PlainTextResponse("User-agent: *\nDisallow:\n")

    async def not_found(self, request: Request, _error: Exception | None) -> Response:
        return PlainTextResponse("There is nothing here.\n", 404, {"Cache-Control": "no-store"})

    def _send_part(self, request: Request, name: str, kind: str) -> Response:
        from notesync.publish.page import load_part

        return _answer(
            request, build_body(load_part(name), self._started), kind, {"Cache-Control": "no-cache"}
        )

    def _find_base(self, request: Request) -> str:
        return self._public or f"{request.url.scheme}://{request.headers['host']}"


def _answer(request: Request, body: Body, kind: str, headers: dict[str, str], status: int = 200) -> Response:
    # RFC 9110 13.2.1: what a client has of it matters only to what it may see.
    asked = request.headers if status == 200 else {}
    answer = build_answer(body, asked, time.time())
    if answer.status == 304:
        return Response(status_code=304, headers=headers | answer.headers)
    return Response(answer.content, status, headers | answer.headers, kind)


def _send_page(request: Request, words: str, status: int = 200) -> Response:
    body = build_body(words.encode("utf-8", "replace"), time.time())
    return _answer(request, body, "text/html; charset=utf-8", {"Cache-Control": "private, no-cache"}, status)


def _build_cookie(site: Site) -> tuple[str, str]:
    """The cookie's name, the vault's own since cookies know no ports, and its value."""
    return f"notesync-{site.keys.derive('cookie name')[:8]}", site.keys.derive("cookie")


def _is_let_in(request: Request, site: Site) -> bool:
    name, value = _build_cookie(site)
    return hmac.compare_digest(request.cookies.get(name, "").encode("utf-8", "replace"), value.encode())
