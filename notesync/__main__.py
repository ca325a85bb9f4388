"""``python -m notesync``: the command line, for where the program's own folder is not on the path."""

from __future__ import annotations

from notesync.cli import main

if __name__ == "__main__":
    main()
