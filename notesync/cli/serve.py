"""``serve``: the feeds and the agenda page over HTTP, watching too.

The watcher stays in the main thread, where the signals are; the server has a thread of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from notesync.cli.session import Session, command, pass_session
from notesync.cli.sync import Watch, listen_to_signals, live_long, log_option, poll_option
from notesync.problems import NotesyncError, RefusedError
from notesync.store.keys import Keys, find_keys, make_keys

if TYPE_CHECKING:
    from notesync.serve.board import Board, Owner, Site
    from notesync.sync.pipeline import Workspace

PORT = 8423
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def _check_public(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    found = urlsplit(value)
    if value and not (found.scheme in ("http", "https") and found.hostname and found.path in ("", "/")):
        raise click.BadParameter("write it like https://notes.example.org.")
    return value.rstrip("/")


@command(
    examples=(
        "notesync serve",
        "notesync serve --public https://notes.example.org",
        "notesync serve --urls",
    )
)
@click.option("--host", metavar="ADDRESS", default=_LOOPBACK[0], help="Listen there. Default: 127.0.0.1.")
@click.option("--port", metavar="PORT", type=click.IntRange(1, 65535), default=PORT, help=f"Default: {PORT}.")
@click.option(
    "--public",
    metavar="URL",
    default="",
    callback=_check_public,
    help="The address by which others reach it, such as https://notes.example.org behind a proxy.",
)
@click.option("--urls", is_flag=True, help="Print the secret addresses and end.")
@click.option("--new-secret", is_flag=True, help="Make new secret addresses, so that the old ones end.")
@poll_option
@log_option
@pass_session
def serve(
    session: Session, host: str, port: int, public: str, urls: bool, new_secret: bool, poll: float
) -> None:
    """Serve the calendar and the agenda over HTTP.

    Runs until it is interrupted, keeps both current, and watches like 'notesync watch'; where another process watches already, it only
    serves. The addresses hold a secret: who has one can read. --urls prints them; --new-secret makes new ones, which a
    running server takes up at its next look at the notes.
    """
    base = public or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if urls or new_secret:
        with session.open() as workspace:
            session.refresh(workspace)
            keys = make_keys(workspace.root, anew=new_secret)
            session.write(_list_urls(workspace, keys, base))
        return
    _serve(session, host, port, public, base, poll)


def _list_urls(workspace: Workspace, keys: Keys, base: str) -> Iterator[str]:
    from notesync.publish.text import clean
    from notesync.serve.board import build_owners

    yield f"{base}/open/{keys.page}  the agenda page\n"
    for owner in build_owners(workspace, keys):
        yield f"{_feed_url(base, owner)}  {clean(owner.name) or 'the whole calendar'}\n"


def _feed_url(base: str, owner: Owner) -> str:
    from notesync.serve.app import FEED_NAME

    return f"{base}/feed/{owner.secret}/{FEED_NAME}"


def _serve(session: Session, host: str, port: int, public: str, base: str, poll: float) -> None:
    from notesync.serve.app import build_app
    from notesync.serve.server import Server, open_socket
    from notesync.sync.watch import Watcher

    live_long()
    with contextlib.ExitStack() as stack:
        sock = open_socket(host, port)
        stack.callback(sock.close)
        workspace = stack.enter_context(session.open())
        keys = make_keys(workspace.root)
        watcher = Watcher(workspace.root, relevant=workspace.relevant, tell=session.tell, poll=poll)
        listen_to_signals(watcher)
        stack.enter_context(watcher)
        publisher = _Publisher(session, workspace, keys)

        def after(failure: str) -> None:
            if publisher.board is None:
                board = publisher.begin()
                app = build_app(board, _list_hosts(host, public), public)
                stack.enter_context(Server(app, sock, session.tell))
                session.tell(f"serving {base}/open/{keys.page}", "'notesync serve --urls' lists the feeds.")
            else:
                publisher.update(failure)

        Watch(session, workspace, watcher, may_write=_Turn(stack, workspace), after=after).run()


class _Turn:
    """Whether we are the one that watches: when another process was, from the moment at which it ends."""

    def __init__(self, stack: contextlib.ExitStack, workspace: Workspace) -> None:
        self._stack, self._path = stack, workspace.lock_path
        self._ours = False

    def __call__(self) -> bool:
        from notesync.sync.watch import WatchLock, find_watcher

        if not self._ours and find_watcher(self._path) is None:
            with contextlib.suppress(RefusedError):
                self._stack.enter_context(WatchLock(self._path))
                self._ours = True
        return self._ours


def _list_hosts(host: str, public: str) -> frozenset[str]:
    """The names by which a browser may ask for the page."""
    names: Sequence[str] = ("localhost", host, urlsplit(public).hostname or "")
    return frozenset(name.lower() for name in names if name)


class _Publisher:
    """Brings the board up to date after each refresh; what goes wrong leaves the last good state in place."""

    def __init__(self, session: Session, workspace: Workspace, keys: Keys) -> None:
        self._session, self._workspace, self._keys = session, workspace, keys
        self.board: Board | None = None

    def begin(self) -> Board:
        """The first state; what fails here has to be seen."""
        from notesync.serve.board import Board
        from notesync.serve.reviews import Reviews

        self.board = Board(self._build(None))
        self.board.reviews = Reviews(self._workspace.root, self._session.moment)
        return self.board

    def update(self, failure: str) -> None:
        """The next state; after a ``failure``, which stands in words on the page, as far as it was taken in.

        What cannot be written, such as an agenda's note in whose place is a person's, may be served all the same.
        """
        if self.board is None:
            return
        before = self.board.site
        try:
            site = self._build(before)
            self.board.site = site._replace(refreshed=before.refreshed) if failure else site
        except Exception as error:  # whatever it is, those who subscribed keep what they have
            failure = failure or str(error) or type(error).__name__
            if failure != self.board.failure:
                self._session.tell_error(f"serving the last good state: {failure}")
        self.board.failure = failure

    def _build(self, before: Site | None) -> Site:
        from notesync.serve.board import build_site

        with contextlib.suppress(NotesyncError):  # unreadable for now: the old ones hold
            self._keys = find_keys(self._workspace.root) or self._keys
        return build_site(self._workspace, self._keys, datetime.now().astimezone(), before)
