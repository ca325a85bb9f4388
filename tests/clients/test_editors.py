"""A note under a running watcher, saved by the programs that people have, each driven as itself.

Outside the system's temporary folder, where vim and Emacs make no backups and so save in another way.  With
``NOTESYNC_REQUIRE_CLIENTS=1`` a missing program is a failure.
"""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watching import NEW, OLD, PATIENCE, Watched, make_note

pty = pytest.importorskip("pty", reason="terminals as POSIX has them")

Save = Callable[[Path], None]


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    watched = Watched()
    try:
        watched.start()
        yield watched
    finally:
        watched.close()


def run(*words: str | Path, at: Path | None = None) -> None:
    """Run a program that edits; its own configuration, and git's, stay out of it."""
    home = str(words[-1]) if at is None else str(at)
    quiet = {"HOME": os.path.dirname(home), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        [str(word) for word in words],
        cwd=at,
        env=os.environ | quiet | {"TERM": "xterm", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")


def vim(*settings: str) -> Save:
    def save(path: Path) -> None:
        commands = (*(f"set {each}" for each in settings), f"%s/{OLD}/{NEW}/", "wq")
        words = [word for command in commands for word in ("-c", command)]
        run("vim", "-N", "-u", "NONE", "-i", "NONE", "-es", *words, path)

    return save


def vim_through_a_link(path: Path) -> None:
    """The link lies elsewhere, as in somebody's folder of shortcuts."""
    link = path.parents[2] / "shortcut.md"
    link.symlink_to(path)
    vim("backupcopy=auto")(link)
    assert link.is_symlink()


def nano(path: Path) -> None:
    """Replace, write out, leave: by its keys, on a terminal of its own."""
    child, terminal = pty.fork()
    if not child:
        os.environ |= {"TERM": "xterm", "HOME": str(path.parents[2]), "LC_ALL": "C.UTF-8"}
        os.execlp("nano", "nano", "--ignorercfiles", str(path))
    try:
        answer(terminal, b"Send the", b"\x1c")
        answer(terminal, b"Search (to replace)", OLD.encode() + b"\r")
        answer(terminal, b"Replace with", NEW.encode() + b"\r")
        answer(terminal, b"instance?", b"a")
        answer(terminal, b"occurrence", b"\x0f")
        answer(terminal, b"to Write", b"\r")
        answer(terminal, b"Wrote", b"\x18")
        while read(terminal):
            pass
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


def answer(terminal: int, question: bytes, keys: bytes) -> None:
    """Press keys once something is on the screen."""
    said = b""
    while question not in said:
        part = read(terminal)
        assert part, said
        said += part
    os.write(terminal, keys)


def read(terminal: int) -> bytes:
    """What a program writes to its terminal next; nothing when it has ended."""
    assert select.select([terminal], [], [], PATIENCE)[0], "the program says nothing"
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody is left on the other side
        return b""


EDIT = f'(progn (goto-char (point-min)) (search-forward "{OLD}") (replace-match "{NEW}") (save-buffer))'
TWICE = (
    f'(progn (goto-char (point-min)) (search-forward "{OLD}") (replace-match "the second offer") (save-buffer)'
    f' (sleep-for 0.2) (goto-char (point-min)) (search-forward "the second offer") (replace-match "{NEW}")'
    " (save-buffer))"
)


def emacs(*forms: str) -> Save:
    def save(path: Path) -> None:
        words = [word for form in forms for word in ("--eval", form)]
        run("emacs", "-Q", "--batch", f"--file={path}", *words, at=path.parent)

    return save


def edited(path: Path) -> Path:
    """The note as another computer has it."""
    aside = path.parents[2] / "elsewhere" / path.name
    aside.parent.mkdir(exist_ok=True)
    aside.write_text(path.read_text(encoding="utf-8").replace(OLD, NEW), encoding="utf-8")
    return aside


def rsync(*options: str) -> Save:
    def save(path: Path) -> None:
        run("rsync", "-a", "--ignore-times", *options, edited(path), f"{path.parent}/", at=path.parents[2])

    return save


def rsync_by_way_of_another_folder(path: Path) -> None:
    aside = path.parents[2] / "parts"
    aside.mkdir(exist_ok=True)
    rsync(f"--temp-dir={aside}")(path)


def git_checkout(path: Path) -> None:
    """Two branches of the vault, and a change from one to the other."""
    root = path.parents[1]

    def git(*words: str) -> None:
        run("git", "-c", "user.name=Anna", "-c", "user.email=anna@example.com", *words, at=root)

    git("init", "--quiet", "--initial-branch=office")
    git("add", "Clients")
    git("commit", "--quiet", "-m", "as they were")
    git("checkout", "--quiet", "-b", "home")
    run("sed", "-i", f"s/{OLD}/{NEW}/", path)
    git("commit", "--quiet", "-a", "-m", "from home")
    for branch in ("office", "home"):
        git("checkout", "--quiet", branch)


def sed(path: Path) -> None:
    run("sed", "-i", f"s/{OLD}/{NEW}/", path)


def copy(path: Path) -> None:
    run("cp", "-p", edited(path), path)


def move_in(path: Path) -> None:
    run("mv", edited(path), path)


PROGRAMS: dict[str, tuple[str, Save]] = {
    "vim, backupcopy=auto": ("vim", vim("backupcopy=auto")),
    "vim, backupcopy=yes": ("vim", vim("backupcopy=yes")),
    "vim, keeping a backup": ("vim", vim("backup")),
    "vim, through a symbolic link": ("vim", vim_through_a_link),
    "nano": ("nano", nano),
    "emacs": ("emacs", emacs(EDIT)),
    "emacs, saving twice": ("emacs", emacs(TWICE)),
    "emacs, file-precious-flag": ("emacs", emacs("(setq file-precious-flag t)", EDIT)),
    "rsync": ("rsync", rsync()),
    "rsync --inplace": ("rsync", rsync("--inplace")),
    "rsync --delay-updates": ("rsync", rsync("--delay-updates")),
    "rsync --temp-dir": ("rsync", rsync_by_way_of_another_folder),
    "git checkout": ("git", git_checkout),
    "sed -i": ("sed", sed),
    "cp -p": ("cp", copy),
    "mv": ("mv", move_in),
}
WAYPOINTS = {"emacs, saving twice", "git checkout"}  # what they save on the way is a state of its own


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_save_is_followed_and_nothing_flaps(watched: Watched, name: str) -> None:
    program, save = PROGRAMS[name]
    if shutil.which(program) is None:
        (pytest.fail if os.environ.get("NOTESYNC_REQUIRE_CLIENTS") else pytest.skip)(f"{program} is not here")
    path = watched.put(f"Clients/{name}.md", make_note(OLD))
    line = f"{name}: Send {OLD}".replace(",", "\\,")
    watched.wait_for(line)
    before = watched.calendar()
    with watched.followed() as states:
        save(path)
        began = time.monotonic()
        watched.wait_for(line.replace(OLD, NEW), lacks=line)
        print(f"{name}: {time.monotonic() - began:.2f} s")
    assert NEW in path.read_text(encoding="utf-8")
    if name not in WAYPOINTS:
        assert set(states) <= {before, watched.calendar()}
    assert not watched.differ()
