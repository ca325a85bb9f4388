"""Sessions at the command line, as a person sees them: tests/transcripts, and those shown in README and docs.

Every ```console block is run, command by command, in a folder that holds ``examples/vault``; what comes out,
stdout and stderr together, is what the block shows.  In tests/transcripts an exit code other than 0 stands below in
brackets.  It is Sunday 22 November 2026, ten o'clock, unless ``NOW=`` before a command says otherwise.  ``pytest tests/test_transcripts.py --golden-rewrite`` writes down what comes out: look at the diff.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
OWN = HOME / "tests" / "transcripts"
DOCUMENTS = [HOME / "README.md", *sorted((HOME / "docs").glob("*.md")), *sorted(OWN.glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LAUNCH = """
import os, sys
from notesync.cli import main, session
session.read_clock = lambda zone: session.parse_moment(os.environ.get("NOW", "2026-11-22T10:00"))
if "conflicts" in sys.argv:
    from notesync.sync import merging
    merging.QUIET = 0  # files need not be left alone for ten seconds
main()
"""
INDEX_FOLDER = re.compile(r"(?<=notesync[/\\])[\w-]+-[0-9a-f]{8}(?=[/\\])")
SESSIONS = [path for path in DOCUMENTS if BLOCK.search(path.read_text(encoding="utf-8"))]


class Terminal:
    """Where the commands of one document are typed: a folder of its own, and nobody's settings."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.here = place
        shutil.copytree(HOME / "examples", place / "examples")
        # README is read on a wide screen, and by people without one.
        own = {
            name: str(place / "home")
            for name in (
                "HOME",
                "XDG_CACHE_HOME",
                "XDG_STATE_HOME",
                "XDG_CONFIG_HOME",
                "LOCALAPPDATA",
                "USERPROFILE",
            )
        }
        self.environment = os.environ | own | {"PYTHONPATH": str(HOME), "COLUMNS": "100", "TZ": "UTC"}
        for name in ("NOTESYNC_VAULT", "FORCE_COLOR", "NOW"):
            self.environment.pop(name, None)

    def run(self, typed: str) -> tuple[str, int]:
        """What is seen after typing a command, and its exit code."""
        settings, words = {}, shlex.split(typed)
        while words and re.match(r"[A-Z_]+=", words[0]):
            name, _, settings[name] = words.pop(0).partition("=")
        program, *arguments = words
        if program == "notesync":
            return self.notesync(arguments, settings)
        if program == "cd":
            self.here = (self.here / arguments[0]).resolve()
        elif program == "cat":
            return (self.here / arguments[0]).read_text(encoding="utf-8"), 0
        elif program == "cp":
            shutil.copyfile(self.here / arguments[0], self.here / arguments[1])
        elif program == "echo" and arguments[-2] == ">>":
            with (self.here / arguments[-1]).open("a", encoding="utf-8", newline="\n") as file:
                file.write(" ".join(arguments[:-2]) + "\n")
        else:
            raise AssertionError(f"only notesync, cd, cat, cp and echo ... >> FILE are known here: {typed}")
        return "", 0

    def notesync(self, arguments: list[str], settings: dict[str, str]) -> tuple[str, int]:
        done = subprocess.run(
            [sys.executable, "-c", LAUNCH, *arguments],
            cwd=self.here,
            env=self.environment | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        shown = done.stdout.decode().replace("\r\n", "\n").replace(str(self.place), "/home/you")
        return INDEX_FOLDER.sub("...", shown), done.returncode


def play(text: str, terminal: Terminal, with_codes: bool) -> str:
    """The document with every block as it comes out."""

    def replay(block: re.Match[str]) -> str:
        shown = ["```console\n"]
        for typed in re.findall(r"^\$ (.*)$", block[1], re.MULTILINE):
            output, code = terminal.run(typed)
            shown += [f"$ {typed}\n", output.rstrip("\n"), "\n" if output.strip() else ""]
            shown += [f"[{code}]\n"] if with_codes and code else []
        return "".join((*shown, "```"))

    return BLOCK.sub(replay, text)


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.relative_to(HOME).as_posix())
def test_sessions_come_out_as_they_are_shown(
    path: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text = path.read_text(encoding="utf-8")
    found = play(text, Terminal(tmp_path), with_codes=path.parent == OWN)
    if request.config.getoption("--golden-rewrite"):
        path.write_text(found, encoding="utf-8", newline="\n")
        text = found
    assert found == text
