"""A folder of everything that people, programs and enemies leave in it: every command answers, and soon.

Each awkward note stands beside good ones.  What is asserted is that the good ones are all listed, that each bad one is
named, and that nothing of either reaches the terminal raw.  A pattern of ours that took quadratic time would not fail
here but hang: sizes are such that it would be minutes.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from terminal import find_raw

HOME = Path(__file__).parents[1]
TODAY = "2026-11-22"
PATIENCE = 120  # seconds until a command counts as hanging; it takes one or two
POSIX = pytest.mark.skipif(os.name == "nt", reason="needs POSIX terminals")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="other systems do not take such names")

GOOD = "---\ntype: client\nnext_contact: 2026-11-19\n---\n"
CLIENT = "---\ntype: client\nnext_contact: 2026-11-19\n"

# Notes that are good for all their size, and must be listed with what they hold.
ODD_BUT_GOOD = {
    "long log.md": GOOD + "## Log\n" + "".join(
        f"- {2025 - n // 336}-{12 - n // 28 % 12:02}-{28 - n % 28:02} call: words\n" for n in range(12_000)),
    "many tasks.md": GOOD + "- [ ] send it 📅 2027-01-05\n" * 10_000,
    "blanks.md": GOOD + " " * 600_000 + "\n" + "\t" * 600_000 + "x\n",
    "stars.md": GOOD + "*" * 800_000 + "\n",
    "links never closed.md": GOOD + "[[" * 400_000 + "\n",
    "fields never closed.md": GOOD + "- [ ] " + "[due:: " * 100_000 + "\n",
    "percents.md": GOOD + "%% " * 300_000 + "\n",
    "ticks.md": GOOD + "".join("`" * (n % 700) + " " for n in range(2_500)) + "\n",
    "html.md": GOOD + "<div " * 150_000 + "\n" + "<!-- " * 100_000 + "\n",
    "one word.md": GOOD + "## Log\n- 2026-01-01 call: " + "a" * 900_000 + "\n",
    "emoji.md": GOOD + "- [ ] " + "📅 " * 150_000 + "\n",
    "quotes.md": GOOD + ">" * 500_000 + " - [ ] x 📅 2026-11-20\n",
    "tags.md": GOOD + "## Log\n- 2026-01-01 call: " + "#a" * 200_000 + "\n",
    "dates out of range.md": CLIENT + "last_contact: 9999-12-31\nsold: 0001-01-01\nrenewal: 2026-02-30\n---\n",
    "utf-16.md": GOOD.encode("utf-16"),
    "nul.md": GOOD.encode() + b"\0\0\0 words \0\n",
    "not utf-8.md": GOOD.encode() + b"caf\xe9 \xff\xfe\n",
    "surrogate.md": CLIENT.encode() + b'name: "\\ud800"\nnext_action: \xed\xa0\x80\n---\n',
    "escapes.md": CLIENT + "owner: Ann\nname: \"\\e[2J\\e]0;own\\a\"\nnext_action: \x1b[31mred\x9b2J\r\u202egnp\n---\n",
    "bidi.md": CLIENT + "next_action: a\u202eb\u2066c\u200bd\u2028e\n---\n",
}  # fmt: skip

# Notes of which something cannot be used: each is named among the problems.
BAD = {
    "five megabytes.md": GOOD + "words and words\n" * 330_000,
    "brackets.md": CLIENT + "x: " + "[" * 60_000 + "\n---\n",
    "more brackets.md": CLIENT + "x: " + "[" * 100_000 + "\n---\n",
    "merge bomb.md": CLIENT + "a: &a {k: v}\n" + "".join(
        f"b{n}: &b{n}\n  <<: [{', '.join(['*a' if not n else f'*b{n - 1}'] * 9)}]\n" for n in range(9)) + "---\n",
    "alias bomb.md": CLIENT + "a: &a [x, x]\n" + "".join(
        f"b{n}: &b{n} [{', '.join(['*a' if not n else f'*b{n - 1}'] * 9)}]\n" for n in range(20)) + "---\n",
    "header.md": CLIENT + "x: y\n" * 20_000 + "---\n",
    "no end.md": CLIENT + "words\n" * 1_000,
    "bad dates.md": GOOD + "## Log\n" + "- 25/11/2026 call\n" * 20_000,
    "undated.md": GOOD + "## Log\n" + "- words\n" * 100_000,
    "markers.md": GOOD + "<<<<<<< a\n" * 50_000 + "=======\n" * 50_000 + ">>>>>>> b\n",
    "impossible.md": "---\ntype: client\nnext_contact: 2026-02-30\n---\n",
}  # fmt: skip

COMMANDS = [
    ("check", "--all"),
    ("check", "--format", "json"),
    ("check", "--format", "table", "--limit", "0"),
    ("doctor", "--format", "table"),
    ("doctor", "--format", "json"),
    ("clients", "--format", "table"),
    ("agenda", "--format", "table"),
    ("agenda", "--format", "md"),
    ("plans",),
    ("show", "long log", "--format", "table"),
    ("show", "many tasks"),
    ("show", "escapes", "--format", "table"),
    ("show", "one word"),
    ("export",),
    ("conflicts",),
    ("review",),
    ("review", "--format", "md"),
]


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """The folder, made once, in memory where there is such a place: it weighs more than 15 MB."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="notesync-") as folder:
        vault = Path(folder) / "vault"
        vault.mkdir()
        (vault / "notesync.yaml").write_text("timezone: UTC\n")
        for number in range(20):
            (vault / f"Good {number:02}.md").write_text(GOOD)
        for name, text in {**ODD_BUT_GOOD, **BAD}.items():
            (vault / name).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        if sys.platform == "linux":
            make_what_other_systems_refuse(vault)
        yield Path(folder)


def make_what_other_systems_refuse(vault: Path) -> None:
    root = os.fsencode(vault)
    for name in NAMES:
        with open(root + b"/" + name, "wb") as file:
            file.write(GOOD.encode())
    os.mkfifo(vault / "fifo.md")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(vault / "socket.md"))
    (vault / "link.md").symlink_to("Good 00.md")
    (vault / "round.md").symlink_to("round.md")
    (vault / "up").symlink_to("..")
    (vault / "folder.md").mkdir()
    (vault / "locked.md").write_text(GOOD)
    make_deep_folder(vault)


NAMES = [
    b"two\nlines.md",
    b"\x1b[2J\x1b]0;own\x07.md",
    b"back\rhome.md",
    "\u202egnp.exe\u2066.md".encode(),
    b"caf\xe9 \xff.md",
    b"\xed\xa0\x80.md",
    b"a" * 252 + b".md",
    b"  .md",
    b"--help.md",
    b"-rf *.md",
    b"$(reboot) `id` %s {0}.md",
    "Zoe\u0308.md".encode(),
]


def make_deep_folder(vault: Path) -> None:
    """A path longer than 4096 bytes, made step by step, with a note at the bottom and one half-way."""
    step = os.open(vault, os.O_RDONLY)
    for depth in range(25):
        os.mkdir("deep" * 50, dir_fd=step)
        below = os.open("deep" * 50, os.O_RDONLY, dir_fd=step)
        os.close(step)
        step = below
        if depth in (5, 24):
            note = os.open(f"Deep {depth}.md", os.O_WRONLY | os.O_CREAT, dir_fd=step)
            os.write(note, GOOD.encode())
            os.close(note)
    os.close(step)


def find_environment(place: Path) -> dict[str, str]:
    names = ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")
    return os.environ | {name: str(place / "home") for name in names} | {"PYTHONPATH": str(HOME)}


def run(place: Path, *words: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "notesync", *words, "--vault", str(place / "vault")]
    if words[0] not in ("sync", "plans", "conflicts"):
        command += ["--today", TODAY]
    done = subprocess.run(
        command, env=find_environment(place), capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
        check=False
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_answers_and_shows_nothing_raw(place, words):
    code, out, err = run(place, *words)
    assert code in (0, 1), err
    assert "unexpected" not in err
    # What is exported for other programs is left as it is: only on a terminal it is shown escaped.
    assert words[0] == "export" or not find_raw(out.replace("\r\n", "\n"))
    assert not find_raw(err)


@POSIX
@pytest.mark.parametrize("words", [("export",), ("export", "--format", "vcf")], ids=" ".join)
def test_what_is_exported_to_a_terminal_is_escaped(place, words):
    import pty
    import tty

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    command = [sys.executable, "-m", "notesync", *words, "--vault", str(place / "vault"), "--owner", "Ann"]
    done = subprocess.Popen(command, env=find_environment(place), stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # how Linux says that nobody writes any more
        while part := os.read(ours, 1 << 16):
            shown += part
    os.close(ours)
    assert done.wait(PATIENCE) == 0
    assert b"own" in shown
    assert not find_raw(shown.decode())


@pytest.fixture(scope="module")
def checked(place):
    """What a check of all says, and what it says of problems."""
    return run(place, "check", "--all")[1:]


def test_all_good_notes_are_listed_and_all_bad_ones_named(checked):
    out, err = checked
    listed = {line.partition(":")[0] for line in out.splitlines()}
    assert {f"Good {number:02}.md" for number in range(20)} <= listed
    assert set(ODD_BUT_GOOD) <= listed
    assert {name for name in BAD if f"\n{name}:" in f"\n{err}"} == set(BAD)
    # what can be told of a bad note is told all the same
    assert {"brackets.md", "merge bomb.md", "alias bomb.md", "header.md", "bad dates.md"} <= listed


@LINUX
def test_names_that_no_other_system_takes_are_clients_too(place, checked):
    out, _ = checked
    shown = [
        r"two lines.md",
        r"\x1b[2J\x1b]0;own\x07.md",
        "--help.md",
        "-rf *.md",
        "$(reboot) `id` %s {0}.md",
        "a" * 252 + ".md",
    ]
    listed = {line.partition(".md:")[0] + ".md" for line in out.splitlines()}
    assert set(shown) <= listed
    assert sum(line.count("/Deep 5.md:") for line in out.splitlines()) == 1
    code, out, _ = run(place, "check", "--all", "--format", "json")
    assert code == 1
    paths = {item["path"] for item in json.loads(out)["items"]}
    assert {
        "two\nlines.md",
        "\x1b[2J\x1b]0;own\x07.md",
        "--help.md",
        "-rf *.md",
        "$(reboot) `id` %s {0}.md",
    } <= paths
    assert not {"fifo.md", "socket.md", "folder.md", "link.md", "round.md"} & paths
    assert not [path for path in paths if path.startswith("up/")]


def test_a_second_look_reads_nothing_of_it_again(place):
    run(place, "sync")
    _, out, _ = run(place, "sync")
    assert "nothing changed" in out
