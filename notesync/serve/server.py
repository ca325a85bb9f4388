"""An application and an address in, a server in a thread of its own out: uvicorn's only door.

Nobody may keep others from being served: a connection on which nothing moves is given up, and where there are too
many the one that has waited longest makes room, since an honest client's request takes some milliseconds.  uvicorn's
own limit would answer 503, after which Thunderbird switches a calendar off.  Must not know what is served.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from notesync.problems import NotesyncError, RefusedError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_PATIENCE = 5.0  # seconds in which a server ends
_FAREWELL = 0.5  # seconds in which an answer that is under way may end
_STILL = 20.0  # seconds in which something must move on a connection
_MOST = 512  # connections
_BACKLOG = 128  # connections taken at once, before any can make room


def open_socket(host: str, port: int) -> socket.socket:
    """Listen there.  Raises RefusedError where that cannot be."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        words = (getattr(error, "strerror", None) or str(error)).lower()
        reason = words.partition(" (while attempting")[0]  # to bind to the address, which we name ourselves
        raise RefusedError(
            f"cannot-listen: {host} port {port}: {reason}. Another notesync may serve there; "
            "choose another with --port."
        ) from error


class Server:
    """Serves an application on a socket from a daemon thread; a context manager.

    ``ended`` is called when the thread ends unasked; leaving then raises NotesyncError.  A connection may be
    ``still`` for some seconds, and there may be ``most`` of them.
    """

    def __init__(
        self,
        app: ASGIApp,
        sock: socket.socket,
        tell: Callable[[str], None],
        ended: Callable[[], None] = lambda: None,
        *,
        still: float = _STILL,
        most: int = _MOST,
    ) -> None:
        self._socket = sock
        self._log = _Log(tell)
        self._ended = ended
        guest: Any = partial(_Guest, still=still, most=min(most, _count_files() // 2))
        self._server = _Host(
            uvicorn.Config(
                app,
                http=guest,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,  # it would hold the secrets
                server_header=False,
                proxy_headers=False,  # or every program on this computer could say who asks, and how
                backlog=_BACKLOG,
                timeout_keep_alive=3600,  # a guest goes earlier
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=16384,
            )
        )
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def __enter__(self) -> Server:
        logger = logging.getLogger("uvicorn")
        logger.propagate = False
        logger.addHandler(self._log)
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            self._server.run([self._socket])
        finally:
            if not self._server.should_exit:
                self._ended()

    def __exit__(self, *_: object) -> None:
        unasked = not self._server.should_exit and not self._thread.is_alive()
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._socket.close()
        logging.getLogger("uvicorn").removeHandler(self._log)
        if unasked:
            raise NotesyncError("serving ended unexpectedly. Start 'notesync serve' again.")


class _Host(uvicorn.Server):
    """A server at whose end nobody is waited for long: uvicorn counts in whole seconds."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(_FAREWELL, self._send_home)
        await super().shutdown(sockets)
        self._send_home()
        await asyncio.sleep(0)  # they learn of it in the loop's next round

    def _send_home(self) -> None:
        for guest in list(self.server_state.connections):
            if isinstance(guest, _Guest):
                guest.leave()


def _count_files() -> int:
    """How many files and connections this process may have open."""
    if os.name == "nt":
        return 2 * _MOST
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2 * _MOST if soft == resource.RLIM_INFINITY else soft


class _Guest(H11Protocol):
    """A connection that goes when nothing moves on it, or when it has waited longest of too many."""

    def __init__(self, *args: Any, still: float, most: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._still, self._most = still, most
        self._moves = 0  # answers done, and pieces that the client took
        self._moved_at = 0.0
        self._seen = (-1, 0)  # the moves, and the octets that wait to be sent, when it was looked at last
        self._next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._move()
        self._look()
        guests = self.server_state.connections
        if len(guests) > self._most:
            min((guest for guest in guests if isinstance(guest, _Guest)), key=_find_waiting_since).leave()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self._move()
        super().on_response_complete()

    def resume_writing(self) -> None:
        self._move()
        super().resume_writing()

    def _move(self) -> None:
        self._moves += 1
        self._moved_at = self.loop.time()

    def _look(self) -> None:
        """Octets that come in are no move: a header sent letter by letter would never end."""
        seen = (self._moves, self.transport.get_write_buffer_size())
        if seen == self._seen:
            self.leave()
            return
        self._seen = seen
        self._next_look = self.loop.call_later(self._still, self._look)

    def leave(self) -> None:
        """End now: closing would wait until all is sent."""
        self.transport.abort()


def _find_waiting_since(guest: _Guest) -> float:
    return guest._moved_at


class _Log(logging.Handler):
    """Tells a person of errors, a line each; of what strangers send that is no HTTP nobody needs to hear."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._tell(f"{record.getMessage().strip()}{f' {type(error).__name__}: {error}' if error else ''}")
