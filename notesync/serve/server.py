"""An application and an address in, a server in a thread of its own out: uvicorn's only door.

Must not know what is served.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from notesync.problems import RefusedError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_PATIENCE = 5.0  # seconds in which a server ends


def open_socket(host: str, port: int) -> socket.socket:
    """Listen there.  Raises RefusedError where that cannot be."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise RefusedError(
            f"cannot-listen: {host} port {port}: {reason}. Another notesync may serve there; "
            "choose another with --port."
        ) from error


class Server:
    """Serves an application on a socket from a daemon thread; a context manager."""

    def __init__(self, app: ASGIApp, sock: socket.socket, tell: Callable[[str], None]) -> None:
        self._socket = sock
        self._log = _Log(tell)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,  # it would hold the secrets
                server_header=False,
                timeout_keep_alive=20,
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
        self._server.run([self._socket])

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._socket.close()
        logging.getLogger("uvicorn").removeHandler(self._log)


class _Log(logging.Handler):
    """Tells a person of errors, a line each; of what strangers send that is no HTTP nobody needs to hear."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._tell(f"{record.getMessage().strip()}{f' {type(error).__name__}: {error}' if error else ''}")
