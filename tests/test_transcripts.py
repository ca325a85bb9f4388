"""Sessions at the command line, as a person sees them: tests/transcripts, and those shown in README and docs.

Every ```console block is run, command by command, in a folder that holds ``examples/vault``; what comes out,
stdout and stderr together, is what the block shows.  In tests/transcripts an exit code other than 0 stands below in
brackets.  It is Sunday 22 November 2026, ten o'clock, unless ``NOW=`` before a command says otherwise.  README's
commands are processes of their own, as a shell starts them; the others run in this one, in a tenth of the time.
``pytest tests/test_transcripts.py --golden-rewrite`` writes down what comes out: look at the diff.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from notesync.cli import session
from notesync.cli.group import notesync
from notesync.sync import merging

HOME = Path(__file__).parents[1]
OWN = HOME / "tests" / "transcripts"
DOCUMENTS = [HOME / "README.md", *sorted((HOME / "docs").glob("*.md")), *sorted(OWN.glob("*.md"))]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
START = "2026-11-22T10:00"
LAUNCH = f"""
import os
from notesync.cli import main, session
session.read_clock = lambda zone: session.parse_moment(os.environ.get("NOW", "{START}"))
main()
"""
INDEX_FOLDER = re.compile(r"(?<=notesync[/\\])[\w-]+-[0-9a-f]{8}(?=[/\\])")
SESSIONS = [path for path in DOCUMENTS if BLOCK.search(path.read_text(encoding="utf-8"))]


Start = Callable[[list[str], Path, dict[str, str]], tuple[str, int]]


class Terminal:
    """Where the commands of one document are typed: a folder of its own, and nobody's settings."""

    def __init__(self, place: Path, start: Start) -> None:
        self.place = place
        self.here = place
        self.start = start
        shutil.copytree(HOME / "examples", place / "examples")

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
        # README is read on a wide screen, and by people without one.
        output, code = self.start(arguments, self.here, {"COLUMNS": "100", "TZ": "UTC", **settings})
        return INDEX_FOLDER.sub("...", output.replace(str(self.place), "/home/you")), code


def start_process(arguments: list[str], here: Path, settings: dict[str, str]) -> tuple[str, int]:
    """The whole program; what it writes to two streams is seen on one, as on a screen."""
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, *arguments],
        cwd=here,
        env=os.environ | {"PYTHONPATH": str(HOME)} | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode().replace("\r\n", "\n"), done.returncode


def call_command(arguments: list[str], here: Path, settings: dict[str, str]) -> tuple[str, int]:
    """The same in this process."""
    now = session.parse_moment(settings.get("NOW", START))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(here)
        monkeypatch.setattr(session, "read_clock", lambda zone: now)
        monkeypatch.setattr(merging, "QUIET", 0)  # files need not be left alone for ten seconds
        done = CliRunner().invoke(notesync, arguments, env=settings)
    return done.output, done.exit_code


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
@pytest.mark.usefixtures("own_places")
def test_sessions_come_out_as_they_are_shown(
    path: Path, quick_path: Path, request: pytest.FixtureRequest
) -> None:
    text = path.read_text(encoding="utf-8")
    terminal = Terminal(quick_path, start_process if path.name == "README.md" else call_command)
    found = play(text, terminal, with_codes=path.parent == OWN)
    if request.config.getoption("--golden-rewrite"):
        path.write_text(found, encoding="utf-8", newline="\n")
        text = found
    assert found == text
