"""The command line: asks the clock once, calls the pipeline, prints; one file per group of commands.

What comes in are words, options and the environment; what goes out is text and an exit code.  This
module holds the entry alone, so that importing it costs nothing and changes nothing.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys


def main() -> None:
    """The program ``notesync``: runs the command that ``sys.argv`` holds and exits with its code.

    The cyclic garbage collector is off while click and the command's modules are imported and while a
    short command runs: it saves 2 ms of every start, and what such a command makes lives until its end
    anyway.  Even a first scan of 10,000 notes takes no more memory for it, as nothing in it makes cycles;
    ``watch``, which lives long, turns the collector on again.
    """
    speak_utf8()
    gc.disable()
    try:
        from notesync.cli.group import notesync

        code: str | int | None = notesync.main() or 0
    except KeyboardInterrupt:  # before the group could answer to it
        code = 130
    except SystemExit as ended:
        code = ended.code
    leave(code)


def speak_utf8() -> None:
    """Begin again in Python's UTF-8 mode where the locale has another encoding.

    The names of notes are UTF-8 whatever the locale says, and how Python tells them to the system is settled at its
    start.  It chooses that mode by itself for the locale C, but not for one like de_DE.ISO-8859-1.
    """
    if os.name == "posix" and sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode:
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606  ourselves


def leave(code: str | int | None) -> None:
    """End the process with this exit code, without taking the interpreter apart first.

    Everything is written and closed by now, and to free every row one by one takes 8 ms of a ``check``, most
    of a bare Python start.  Where somebody wants to be called at the end (a test, a coverage tool) it is the
    usual way out.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        pass  # a reader that is gone: the group has seen to it
    if atexit._ncallbacks() or not isinstance(code, int):
        sys.exit(code)
    os._exit(code)
