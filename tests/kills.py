"""A process that dies at one of its calls into the system or the database, to be tried at every one of them."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Callable
from typing import Any


def die_at(moment: int) -> Callable[[Any, str, Any], None]:
    """A profiler that kills its process after one of its calls into the system or the database."""
    left = [moment]

    def profile(frame: Any, event: str, called: Any) -> None:
        if event != "c_return":
            return
        if getattr(called, "__module__", "") != "posix" and not isinstance(
            getattr(called, "__self__", None), sqlite3.Connection
        ):
            return
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    return profile
