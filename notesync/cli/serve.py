"""``serve``: the feeds and the agenda page over HTTP, watching too.

The watcher stays in the main thread, where the signals are; the server has a thread of its own.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import click

from notesync.cli.session import Session, command, pass_session
from notesync.cli.watch import Watch, listen_to_signals, live_long, log_option, poll_option
from notesync.problems import ERROR, NotesyncError, RefusedError
from notesync.store.keys import Keys, find_address, find_keys, make_keys, store_address

if TYPE_CHECKING:
    from notesync.serve.board import Board, Owner, Site
    from notesync.sync.pipeline import Workspace
    from notesync.sync.watch import Watcher

PORT = 8423
_LOOPBACK = "127.0.0.1"
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104  recognised, not listened to
_LOOKS_MISSED = 3  # after which what is served counts as stale
_LATEST = 15.0  # seconds after which the next state is made though notes keep being saved


def _check_public(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """A scheme and a name, perhaps a port, and no more: the page's own links begin at the top of its server."""
    import re

    bare = value.lower().rstrip("/")
    if value and not re.fullmatch(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?", bare):
        raise click.BadParameter("write it like https://notes.example.org, without a path.")
    return bare


@command(
    examples=(
        "notesync serve",
        "notesync serve --public https://notes.example.org",
        "notesync serve --urls",
    )
)
@click.option("--host", metavar="ADDRESS", default=_LOOPBACK, help="Listen there. Default: 127.0.0.1.")
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

    Runs until it is interrupted, keeps both current, and watches like 'notesync watch'; where another process
    watches already, it only serves. The addresses hold a secret: who has one can read. --urls prints them;
    --new-secret makes new ones, which a running server takes up at its next look at the notes.
    """
    place = Place(host, port, public)
    if not (urls or new_secret):
        _serve(session, place, poll)
        return
    with session.open() as workspace:
        session.refresh(workspace)
        keys = make_keys(workspace.root, anew=new_secret)
        asked = _is_asked("host") or _is_asked("port") or public
        base = place.base if asked else find_address(workspace.root) or place.base
        session.write(_list_urls(workspace, keys, base))


def _is_asked(name: str) -> bool:
    found = click.get_current_context().get_parameter_source(name)
    return found is not None and found.name != "DEFAULT"


class Place(NamedTuple):
    """Where it listens, and the address by which others reach it, '' where it is the same."""

    host: str
    port: int
    public: str

    @property
    def base(self) -> str:
        """The address without a path."""
        host = _find_own_address(self.host) if self.host in _EVERYWHERE else self.host
        return self.public or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def names(self) -> frozenset[str]:
        """The names by which a browser may ask for the page."""
        names: Sequence[str] = ("localhost", self.host, urlsplit(self.public).hostname or "")
        return frozenset(name.lower() for name in names if name)


def _find_own_address(host: str) -> str:
    """This computer's address in its network, where it listens at all of them; nothing is sent to find out."""
    import socket

    family, far = (socket.AF_INET6, "2001:db8::1") if ":" in host else (socket.AF_INET, "192.0.2.1")
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:
        asked.connect((far, 9))
        return str(asked.getsockname()[0])
    return _LOOPBACK


def _list_urls(workspace: Workspace, keys: Keys, base: str) -> Iterator[str]:
    from notesync.publish.text import clean
    from notesync.serve.board import build_owners

    yield f"{base}/open/{keys.page}  the agenda page\n"
    for owner in build_owners(workspace, keys):
        address = _feed_url(base, owner)
        whose = clean(owner.name) or "the whole calendar"
        yield f"{address}  {whose}\n"
        yield f"webcal:{address.partition(':')[2]}  {whose}, for Apple's calendars\n"


def _feed_url(base: str, owner: Owner) -> str:
    from notesync.serve.app import FEED_NAME

    return f"{base}/feed/{owner.secret}/{FEED_NAME}"


def _serve(session: Session, place: Place, poll: float) -> None:
    import gc

    from notesync.serve.app import build_app
    from notesync.serve.server import Server, open_socket
    from notesync.sync.watch import Watcher

    live_long()
    with contextlib.ExitStack() as stack:
        stack.callback(
            gc.freeze
        )  # or at its end it would look through all that was served, half a second long
        sock = open_socket(place.host, place.port)
        stack.callback(sock.close)
        workspace = stack.enter_context(session.open())
        keys = make_keys(workspace.root)
        watcher = Watcher(workspace.root, relevant=workspace.relevant, tell=session.tell, poll=poll)
        listen_to_signals(watcher)
        stack.enter_context(watcher)
        publisher = _Publisher(session, workspace, keys)
        patience = _LOOKS_MISSED * poll + 60

        def after(failure: str) -> None:
            if publisher.board is None:
                board = publisher.begin(failure, patience)
                app = build_app(board, place.names, place.public)
                stack.enter_context(Server(app, sock, session.tell, watcher.stop))
                _tell_place(session, workspace.root, keys, place.base)
            else:
                publisher.update(failure)

        turn = _Turn(stack, workspace)
        idle = partial(publisher.bring_up_to_date, watcher)
        Watch(session, workspace, watcher, may_write=turn, after=after, idle=idle, endures=(Exception,)).run()


def _tell_place(session: Session, root: str, keys: Keys, base: str) -> None:
    """Say where it serves; with the secret only to a person, for what others read is kept in logs."""
    with contextlib.suppress(OSError):  # it only spares --urls the options
        store_address(root, base)
    page = f"/open/{keys.page}" if sys.stderr.isatty() else ""
    session.tell(f"serving {base}{page}", "'notesync serve --urls' lists the secret addresses.")


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


class _SavedMeanwhileError(Exception):
    """A note was saved: that must not wait until all is made that is served."""


class _Publisher:
    """Brings the board up to date after each refresh; what goes wrong leaves the last good state in place."""

    def __init__(self, session: Session, workspace: Workspace, keys: Keys) -> None:
        self._session, self._workspace, self._keys = session, workspace, keys
        self._made_from: tuple[object, ...] = ()  # what the site was made from
        self._wanted_since: float | None = None  # None: what is served is current
        self._failure = ""  # of the last refresh
        self.board: Board | None = None

    def begin(self, failure: str, patience: float) -> Board:
        """The first state, after a ``failure`` perhaps; what fails here has to be seen."""
        from notesync.serve.board import Board
        from notesync.serve.reviews import Reviews

        self.board = Board(self._build(None), failure, patience)
        self.board.reviews = Reviews(self._workspace.root, self._session.moment)
        return self.board

    def update(self, failure: str) -> None:
        """Have the next state made as soon as there is time; after a ``failure``, which stands in words on the page.

        Then it is as far as it was taken in: what cannot be written, such as an agenda's note in whose place is a
        person's, may be served all the same.
        """
        if self.board is None:
            return
        self._failure = failure
        if failure:
            self.board.failure = failure
        if self._wanted_since is None:
            self._wanted_since = time.monotonic()

    def bring_up_to_date(self, watcher: Watcher) -> None:
        """Make what is wanted, unless the watcher hears of something before it is done: then at the next call.

        Who keeps saving cannot put it off for ever.
        """
        if self.board is None or self._wanted_since is None:
            return
        until = self._wanted_since + _LATEST

        def pause() -> None:
            if watcher.stopped or (not watcher.is_idle and time.monotonic() < until):
                raise _SavedMeanwhileError

        before, failure = self.board.site, self._failure
        try:
            site = self._build(before, pause)
            self.board.site = site._replace(refreshed=before.refreshed) if failure else site
        except _SavedMeanwhileError:
            return
        except Exception as error:  # whatever it is, those who subscribed keep what they have
            failure = failure or str(error) or type(error).__name__
            if failure != self.board.failure:
                self._session.tell_error(f"serving the last good state: {failure}")
        self._wanted_since = None
        self.board.failure = failure

    def _build(self, before: Site | None, pause: Callable[[], None] = lambda: None) -> Site:
        from notesync.serve.board import build_site, renew_site

        workspace = self._workspace
        with contextlib.suppress(NotesyncError):  # unreadable for now: the old ones hold
            self._keys = find_keys(workspace.root) or self._keys
        now = _read_time(workspace.zone)
        index = workspace.index
        made_from = (self._keys, workspace.moment.day, workspace.settings, index.age(), index.changes())
        pause()
        if before is not None and made_from == self._made_from:
            return renew_site(workspace, before, now, pause)
        site = build_site(workspace, self._keys, now, before, pause)
        if before is not None and _has_errors(workspace):
            site = site._replace(
                feeds={secret: before.feeds.get(secret, body) for secret, body in site.feeds.items()}
            )
        else:
            self._made_from = made_from
        return site


def _read_time(zone: str) -> datetime:
    """Now, as people who live by the settings' zone would say it ('' for the machine's)."""
    if not zone:
        return datetime.now().astimezone()
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo(zone))


def _has_errors(workspace: Workspace) -> bool:
    """Whether the settings are wrong: the last good ones hold, and calendars stay as they are."""
    return any(problem.severity == ERROR for problem in workspace.settings_problems)
