"""A vault in a storm: everything changes at once, and whoever watches or writes is killed again and again.

Afterwards the index and the calendar are what reading everything from nothing gives, a reader never met a
torn calendar, and no note has lost a byte that nobody asked for.

``NOTESYNC_STORM_SECONDS`` makes it longer, ``NOTESYNC_STORM_SEED`` repeats one (as far as processes repeat).
"""

from __future__ import annotations

import json
import mmap
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from watching import Watched, require_whole

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does"),
]

SECONDS = float(os.environ.get("NOTESYNC_STORM_SECONDS", "20"))
NAMES = tuple(f"{name} {number}" for name in ("Acme", "Zoë", "田中", "Nomsa") for number in range(10))
FOLDERS = ("", "Clients/", "Clients/Deep/", "People/", "v1.2 Ltd/")
REPS = ("Anna", "Ben", "Carin")


def build_note(chance: random.Random) -> bytes:
    today = date.today()

    def day(first: int, last: int) -> date:
        return today + timedelta(chance.randint(first, last))

    header = chance.choice(
        (
            f"type: client\nnext_contact: {day(-5, 20)}\n",
            f"type: client\nevery: {chance.choice(('week', 'month'))}\ncompany: Bakers\n",
            f"type: client\nid: {chance.choice(('one', 'two', 'three'))}\nlast_contact: {day(-60, 0)}\n"
            f"every: 2 weeks\n",
            f"type: client\nsold: {day(-30, 0)}\nreferred_by: '[[{chance.choice(NAMES)}]]'\n",
            "type: note\n",
        )
    )
    body = "".join(
        chance.choice(
            (
                f"- [ ] Send it {chance.random()} 📅 {day(-9, 30)}\n",
                f"- [ ] Ring [[{chance.choice(NAMES)}]] 📅 {day(-9, 30)}\n",
                "some words\n" * chance.randint(1, 400),
            )
        )
        for _ in range(chance.randint(0, 4))
    )
    log = "".join(f"- {day(-40, 0)} call: words {chance.random()}\n" for _ in range(chance.randint(0, 5)))
    return f"---\n{header}---\n\n{body}\n## Log\n\n{log}".encode()


class Storm:
    """Changes notes at random, and knows what each has to hold."""

    def __init__(self, root: Path, chance: random.Random) -> None:
        self.root = root
        self.notes: dict[str, bytes] = {}
        self.count = 0
        self._chance = chance
        self._saves: tuple[Callable[[Path, bytes], None], ...] = (
            write_in_place, write_in_pieces, replace, save_like_vim, delete_and_create, write_by_mapping, keep_times,
        )  # fmt: skip
        self._deeds: tuple[Callable[[], None], ...] = (
            *[self._save] * 8, self._save_new, self._save_new, self._rename, self._rename, self._delete, self._touch,
            self._move_folder, self._hide_for_a_moment, self._swap, self._remove_folder_and_bring_it_back,
        )  # fmt: skip
        for _ in range(60):
            self._save_new()

    def go_on(self) -> None:
        """One deed; what it does to a note is over when it returns."""
        self._chance.choice(self._deeds)()
        self.count += 1

    def _some(self) -> str:
        return self._chance.choice(sorted(self.notes))

    def _save(self) -> None:
        path = self._some()
        data = build_note(self._chance)
        self._chance.choice(self._saves)(self.root / path, data)
        self.notes[path] = data

    def _save_new(self) -> None:
        path = f"{self._chance.choice(FOLDERS)}{self._chance.choice(NAMES)}.md"
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        self.notes[path] = build_note(self._chance)
        replace(self.root / path, self.notes[path])

    def _rename(self) -> None:
        path = self._some()
        to = f"{self._chance.choice(FOLDERS)}{self._chance.choice(NAMES)}.md"
        if to != path:
            (self.root / to).parent.mkdir(parents=True, exist_ok=True)
            os.rename(self.root / path, self.root / to)
            self.notes[to] = self.notes.pop(path)

    def _delete(self) -> None:
        if len(self.notes) > 50:
            path = self._some()
            (self.root / path).unlink()
            del self.notes[path]

    def _touch(self) -> None:
        moment = self._chance.choice((time.time(), 1e9, time.time() + 1e6))
        os.utime(self.root / self._some(), (moment, moment))

    def _swap(self) -> None:
        one, other = self._some(), self._some()
        if one != other:
            aside = self.root / "aside.tmp"
            os.rename(self.root / one, aside)
            os.rename(self.root / other, self.root / one)
            os.rename(aside, self.root / other)
            self.notes[one], self.notes[other] = self.notes[other], self.notes[one]

    def _hide_for_a_moment(self) -> None:
        path = self.root / self._some()
        aside = path.with_name(f".{path.name}")
        os.rename(path, aside)
        time.sleep(self._chance.choice((0, 0.1)))
        os.rename(aside, path)

    def _folder(self) -> str:
        return self._chance.choice(FOLDERS[1:])

    def _move_folder(self) -> None:
        folder, to = self._folder(), self._folder()
        if (self.root / folder).is_dir() and not (self.root / to).exists() and not to.startswith(folder):
            (self.root / to).parent.mkdir(parents=True, exist_ok=True)
            os.rename(self.root / folder, self.root / to)
            self.notes = {
                to + path[len(folder) :] if path.startswith(folder) else path: data
                for path, data in self.notes.items()
            }

    def _remove_folder_and_bring_it_back(self) -> None:
        """A folder leaves the vault, and comes back at once or a moment later."""
        folder = self.root / self._folder()
        if folder.is_dir():
            aside = self.root.parent / "outside"
            os.rename(folder, aside)
            time.sleep(self._chance.choice((0, 0, 0.1)))
            os.rename(aside, folder)


def write_in_place(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def write_in_pieces(path: Path, data: bytes) -> None:
    with path.open("wb", buffering=0) as file:
        for at in range(0, len(data), 1500):
            file.write(data[at : at + 1500])


def replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f".{path.name}.tmp")
    aside.write_bytes(data)
    os.replace(aside, path)


def save_like_vim(path: Path, data: bytes) -> None:
    os.rename(path, f"{path}~")
    path.write_bytes(data)
    os.unlink(f"{path}~")


def delete_and_create(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def write_by_mapping(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        os.ftruncate(file.fileno(), len(data))
        with mmap.mmap(file.fileno(), 0) as memory:
            memory[:] = data


def keep_times(path: Path, data: bytes) -> None:
    seen = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


class Rep:
    """Gives commands that write, one after the other, and looks at what each has done to the notes of its own."""

    def __init__(self, watched: Watched, chance: random.Random) -> None:
        self.count = self.killed = 0
        self._watched = watched
        self._chance = chance
        self._folder = watched.root / "Reps"
        self._folder.mkdir()
        for name in REPS:
            tasks = "".join(f"- [ ] Item {number} 📅 {date.today()}\n" for number in range(40))
            (self._folder / f"{name}.md").write_text(
                f"---\ntype: client\n---\n\n{tasks}\n## Log\n\n", "utf-8"
            )
        self._past = {name: [text] for name, text in self._read().items()}

    def _read(self) -> dict[str, str]:
        return {path.name: path.read_bytes().decode() for path in self._folder.glob("*.md")}

    def go_on(self) -> None:
        """One command, killed or not."""
        before = self._read()
        self.count += 1
        words = self._choose()
        code = self._run(words)
        after = self._read()
        for name in before.keys() | after.keys():
            old, new = before.get(name), after.get(name)
            if old != new:
                self._judge(words, name, old, new)
                self._past.setdefault(name, []).append(new or "")
        if code == 0 and words[0] == "log":
            assert words[2] in after[f"{words[1]}.md"], f"{words} was done, and is not there"

    def _choose(self) -> list[str]:
        name = self._chance.choice(REPS)
        return self._chance.choice(
            (
                ["log", name, f"token-{self.count}-", "--by", "call"],
                ["done", name, f"Item {self._chance.randrange(40)}"],
                ["move", name, str(date.today() + timedelta(self._chance.randint(1, 300)))],
                ["undo"],
                ["new", f"Newcomer {self.count}", "--folder", "Reps"],
            )
        )

    def _run(self, words: list[str]) -> int | None:
        command = [sys.executable, "-m", "notesync", *words]
        process = subprocess.Popen(
            command,
            env=self._watched.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            if self._chance.random() < 0.5:
                time.sleep(self._chance.uniform(0.05, 0.9))
                self.killed += process.poll() is None
                process.kill()
            said = process.communicate(timeout=120)[1]
        finally:
            process.kill()
            process.wait()
        assert process.returncode in (0, 2, 3, 4, -signal.SIGKILL), said.decode()
        return process.returncode

    def _judge(self, words: list[str], name: str, old: str | None, new: str | None) -> None:
        """Demand that a note was changed as the command says, and in no other way."""
        told = f"{words}\n--- {name}\n{old}\n+++\n{new}"
        if words[0] == "undo":
            assert (new or "") in self._past.get(name, [""]) or new is None, told
            return
        assert new is not None, told
        if words[0] == "new":
            assert old is None, told
            assert re.match(r"---\n(.+\n)*type: client\n(.+\n)*---\n", new), told
            return
        assert old is not None, told
        gone, come = compare(old, new)
        if words[0] == "log":
            assert not gone, told
            assert words[2] in "".join(come), told
            assert len([line for line in come if line.strip()]) == 1, told
        elif words[0] == "done":
            assert [line.replace("[ ]", "[x]") for line in gone] == [
                line.partition(" ✅")[0] for line in come
            ], told
            assert all(f"{words[2]} " in line for line in come), told
            assert len(come) == 1, told
        else:
            assert all(line.startswith("next_contact:") for line in gone + come), told
            assert len(come) == 1, told


def compare(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came."""
    before, after = old.split("\n"), new.split("\n")
    gone = list(before)
    for line in after:
        if line in gone:
            gone.remove(line)
    come = list(after)
    for line in before:
        if line in come:
            come.remove(line)
    return gone, come


class Watchers:
    """Watchers one after the other, each killed."""

    def __init__(self, watched: Watched, chance: random.Random) -> None:
        self.count = 0
        self._watched = watched
        self._chance = chance

    def go_on(self) -> None:
        self.count += 1
        said = self._watched.home / "watch.log"
        with said.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "notesync", "watch", "--poll", "1"],
                env=self._watched.environment(),
                stderr=log,
            )
        try:
            time.sleep(self._chance.choice((0.3, 0.6, 1.0, 2.0, 4.0)) * self._chance.random() + 0.2)
            ended = process.poll()
            assert ended in (None, 3), said.read_text(encoding="utf-8")[
                -3000:
            ]  # 3: most of the notes are away
        finally:
            process.send_signal(self._chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
            process.wait()


class Reader:
    """Reads the calendar all the time, as somebody's phone might."""

    def __init__(self, watched: Watched) -> None:
        self.count = 0
        self._watched = watched
        self._seen = False

    def go_on(self) -> None:
        data = self._watched.calendar()
        if data or self._seen:
            require_whole(data)
            self._seen = True
        self.count += 1
        time.sleep(0.003)


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    try:
        yield watched
    finally:
        watched.close()


def go_on(step: Callable[[], None], over: threading.Event, wrong: list[BaseException]) -> None:
    try:
        while not over.is_set():
            step()
    except BaseException as error:
        wrong.append(error)
        over.set()


def ask(watched: Watched, place: str) -> dict[str, Any]:
    """All that the index knows of follow-ups and problems."""
    done = watched.run("check", "--all", "--format", "json", place=place)
    assert done.returncode in (0, 1), done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_nothing_is_lost_torn_or_forgotten(watched: Watched) -> None:
    seed = int(os.environ.get("NOTESYNC_STORM_SEED") or random.SystemRandom().randrange(10**6))
    print(f"NOTESYNC_STORM_SEED={seed}")
    chance = random.Random(seed)
    storm = Storm(watched.root, random.Random(chance.random()))
    rep = Rep(watched, random.Random(chance.random()))
    watchers = Watchers(watched, random.Random(chance.random()))
    reader = Reader(watched)
    pace = random.Random(chance.random())

    def change() -> None:
        storm.go_on()
        time.sleep(pace.choice((0, 0, 0, 0.001, 0.005, 0.02)))

    over, wrong = threading.Event(), list[BaseException]()
    steps = (change, rep.go_on, watchers.go_on, reader.go_on)
    threads = [threading.Thread(target=go_on, args=(step, over, wrong)) for step in steps]
    for thread in threads:
        thread.start()
    over.wait(SECONDS)
    over.set()
    for thread in threads:
        thread.join()
    print(
        f"{storm.count} changes, {watchers.count} watchers, {rep.count} commands, of which {rep.killed} killed,"
        f" {reader.count} readings"
    )
    if wrong:
        raise wrong[0]
    require_untouched(watched, storm)
    watched.start()
    watched.wait_until(lambda: not watched.differ(), watched.differ)
    watched.stop()
    assert ask(watched, "places") == ask(watched, "another")
    require_untouched(watched, storm)
    require_history(watched)


def require_untouched(watched: Watched, storm: Storm) -> None:
    """Demand that every note of the storm's holds what it was given, and that there is no other."""
    found = {
        path.relative_to(watched.root).as_posix(): path.read_bytes()
        for path in watched.root.rglob("*.md")
        if path.parent.name != "Reps"
    }
    assert found == storm.notes


def require_history(watched: Watched) -> None:
    """Demand that what commands remember survived the kills: a change can still be made and taken back."""
    path = watched.root / "Reps" / "Anna.md"
    before = path.read_bytes()
    assert watched.run("log", "Anna", "after the storm").returncode == 0
    assert path.read_bytes() != before
    done = watched.run("undo")
    assert done.returncode == 0, done.stderr
    assert path.read_bytes() == before
