"""A board in, a Starlette application out: the feeds, the agenda page, and little else.

Nothing is computed for a request but the page, and a feed's bytes packed, once for each state: the plain ones are there
before somebody asks, the last good ones whatever happens.  It reads no disk, no note's path is ever part of an
address, and no header by which a proxy tells of itself is believed: ``public`` says all of it.
"""

from __future__ import annotations

import hmac
import ipaddress
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from notesync.problems import NotesyncError
from notesync.serve.body import Body, build_answer, build_body, must_pack

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from notesync.serve.board import Board, Site

FEED_NAME = "followups.ics"
METHODS = ("GET", "HEAD")
COOKIE_DAYS = 180
PIECE = 1 << 16  # octets sent at once: of a slow client's answer no more than that lies in memory
PAGES = 32  # that are kept: a few owners and views
_OPEN_PATHS = ("/feed/", "/healthz", "/robots.txt")  # what tells nothing, or asks for a secret

# 404 and not 403 or 400: of all errors it is the one after which Thunderbird keeps a calendar alive.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def build_app(board: Board, hosts: frozenset[str], public: str = "") -> ASGIApp:
    """The application; ``hosts`` are names by which the page may be asked for, ``public`` its address for others."""
    pages = _Pages(board, public)
    app = Starlette(
        routes=[
            Route(f"/feed/{{secret}}/{FEED_NAME}", pages.feed, methods=["GET"]),
            Route("/", pages.agenda, methods=["GET"]),
            Route("/review", pages.review, methods=["GET"]),
            Route("/open/{key}", pages.open, methods=["GET"]),
            Route("/page.css", pages.style, methods=["GET"]),
            Route("/page.js", pages.script, methods=["GET"]),
            Route("/icon.svg", pages.icon, methods=["GET"]),
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
    # Not the path of the request's URL: that begins with its Host, which may hold a path of its own.
    if scope["path"].startswith(_OPEN_PATHS) or is_our_host(Headers(scope=scope).get("host", ""), hosts):
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
        found = urlsplit(f"//{header}")
        name = found.hostname or ""
        port = "" if found.port is None else f":{found.port}"
        if header.lower() not in (f"{name}{port}", f"[{name}]{port}"):
            return False
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
        self._made: tuple[Site, dict[tuple[str, ...], Body]] = (board.site, {})  # the pages of that site

    async def feed(self, request: Request) -> Response:
        body = self._board.site.find_feed(request.path_params["secret"])
        if body is None:
            return await self.not_found(request, None)
        headers = {"Content-Disposition": f'inline; filename="{FEED_NAME}"', "Cache-Control": "no-cache"}
        kind = "text/calendar; charset=utf-8"
        if must_pack(body, _read_headers(request), time.time()):  # which takes a large one a while
            return await run_in_threadpool(_answer, request, body, kind, headers)
        return _answer(request, body, kind, headers)

    def agenda(self, request: Request) -> Response:  # in a thread of its own: long lists take their time
        from notesync.publish.page import VIEWS, render_closed

        site = self._board.site
        if not _is_let_in(request, site):
            return _send_page(request, build_body(render_closed().encode(), time.time()), 403)
        wanted = request.query_params.get("owner", "")
        owner = next((owner for owner in site.owners if owner.folded == wanted), site.owners[0])
        view = request.query_params.get("by", "")
        words = (
            owner.folded,
            view if view in VIEWS else VIEWS[0],
            f"{self._find_base(request)}/feed/{owner.secret}/{FEED_NAME}",
            self._board.find_failure(time.time()),
        )
        return _send_page(request, self._find_page(site, words))

    def _find_page(self, site: Site, words: tuple[str, str, str, str]) -> Body:
        """The page of these words, made once for each site: many may look at it, and look again."""
        from notesync.publish.page import render_page

        if self._made[0] is not site:
            self._made = (site, {})
        made = self._made[1]
        found = made.get(words)
        if found is None:
            owner, view, address, failure = words
            page = render_page(
                site.agenda,
                owner,
                [(each.folded, each.name) for each in site.owners[1:]],
                vault=site.vault,
                address=address,
                refreshed=site.refreshed,
                failure=failure,
                view=view,
            )
            if len(made) >= PAGES:
                made.clear()
            found = made[words] = build_body(page.encode("utf-8", "replace"), time.time())
        return found

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
            secure=self._is_public(request) and self._public.startswith("https:"),
            samesite="lax",
        )
        return answer

    def _is_public(self, request: Request) -> bool:
        """Whether the page is asked for at its public address, and not in its own network."""
        host = urlsplit(f"//{request.headers['host']}").hostname
        return bool(self._public) and host == urlsplit(self._public).hostname

    async def style(self, request: Request) -> Response:
        return self._send_part(request, "page.css", "text/css; charset=utf-8")

    async def script(self, request: Request) -> Response:
        return self._send_part(request, "page.js", "text/javascript; charset=utf-8")

    async def icon(self, request: Request) -> Response:
        return self._send_part(request, "icon.svg", "image/svg+xml")

    async def health(self, request: Request) -> Response:
        """200 while all is current, 503 while the last good bytes are served instead: for monitors only."""
        when = self._board.site.refreshed.isoformat(timespec="seconds")
        stale = self._board.find_failure(time.time())
        words, status = (f"stale since {when}\n", 503) if stale else (f"ok {when}\n", 200)
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


class _Pieces(Response):
    """An answer sent piece by piece: the server waits between two until the client has taken most of the first."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        size = len(self.body)
        for start in range(0, size or 1, PIECE):
            end = start + PIECE
            await send(
                {"type": "http.response.body", "body": bytes(self.body[start:end]), "more_body": end < size}
            )


def _answer(request: Request, body: Body, kind: str, headers: dict[str, str], status: int = 200) -> Response:
    # RFC 9110 13.2.1: what a client has of it matters only to what it may see.
    told = build_answer(body, _read_headers(request) if status == 200 else {}, time.time())
    if told.status == 304:
        return Response(status_code=304, headers=headers | told.headers)
    return _Pieces(told.content, status, headers | told.headers, kind)


def _read_headers(request: Request) -> dict[str, str]:
    """The headers by their names in small letters; several lines of one are one list."""
    return {name: ", ".join(request.headers.getlist(name)) for name in request.headers}


def _send_page(request: Request, body: Body, status: int = 200) -> Response:
    return _answer(request, body, "text/html; charset=utf-8", {"Cache-Control": "private, no-cache"}, status)


def _build_cookie(site: Site) -> tuple[str, str]:
    """The cookie's name, the vault's own since cookies know no ports, and its value."""
    return f"notesync-{site.keys.derive('cookie name')[:8]}", site.keys.derive("cookie")


def _is_let_in(request: Request, site: Site) -> bool:
    name, value = _build_cookie(site)
    return hmac.compare_digest(request.cookies.get(name, "").encode("utf-8", "replace"), value.encode())
