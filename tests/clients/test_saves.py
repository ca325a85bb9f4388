"""A note under a running watcher, saved by the system calls of programs that cannot be driven here.

What is asked of every save: the calendar ends right, and on the way to it a reader meets the old state or the
new one, never one without the client, or with half of what the note says.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watching import NEW, OLD, Watched, make_note

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="these are POSIX's system calls"),
]


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    watched = Watched()
    try:
        watched.start()
        yield watched
    finally:
        watched.close()


def write_all(path: Path, data: bytes, flags: int = os.O_TRUNC) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o644)
    try:
        os.write(handle, data)
    finally:
        os.close(handle)


def save_like_vs_code(path: Path, data: bytes) -> None:
    """Truncated first, written then: others really do read it empty (microsoft/vscode#4727)."""
    os.truncate(path, 0)
    time.sleep(0.3)
    write_all(path, data, 0)


def save_like_obsidian(path: Path, data: bytes) -> None:
    """In place, again and again while somebody types, and each time with a time set afterwards."""
    for end in (len(data) - 9, len(data) - 4, len(data)):
        write_all(path, data[:end] if end == len(data) else data[:end] + b"\n")
        now = time.time_ns()
        os.utime(path, ns=(now, now // 10**6 * 10**6))


def save_like_textedit(path: Path, data: bytes) -> None:
    """Written aside and swapped with the note in one call; the old version then goes."""
    aside = path.with_name(f"{path.name}.sb-1a2b3c4d-5e6f70")
    write_all(aside, data)
    libc = ctypes.CDLL(None, use_errno=True)
    at_cwd, exchange = -100, 2
    if not hasattr(libc, "renameat2") or libc.renameat2(
        at_cwd, os.fsencode(aside), at_cwd, os.fsencode(path), exchange
    ):
        aside.unlink()
        pytest.skip("this file system does not swap files")
    aside.unlink()


def save_like_gedit(path: Path, data: bytes) -> None:
    aside = path.with_name(".goutputstream-A1B2C3")
    write_all(aside, data)
    path.with_name(f"{path.name}~").unlink(missing_ok=True)
    os.link(path, f"{path}~")
    os.rename(aside, path)


def save_like_sublime(path: Path, data: bytes) -> None:
    aside = path.with_name(f".subl{os.getpid()}.tmp")
    write_all(aside, data)
    os.fsync(handle := os.open(aside, os.O_RDONLY))
    os.close(handle)
    os.rename(aside, path)


def save_like_jetbrains(path: Path, data: bytes) -> None:
    write_all(path.with_name(f"{path.name}___jb_tmp___"), data)
    os.rename(path, f"{path}___jb_old___")
    os.rename(f"{path}___jb_tmp___", path)
    os.unlink(f"{path}___jb_old___")


def save_by_mapping(path: Path, data: bytes) -> None:
    """Through memory: of this write, no system tells more than that the file was closed."""
    with path.open("r+b") as file:
        os.ftruncate(file.fileno(), len(data))
        with mmap.mmap(file.fileno(), 0) as memory:
            memory[:] = data
            memory.flush()


def save_slowly(path: Path, data: bytes) -> None:
    """Three writes over a second and a half; the header is closed, and the log is not there yet."""
    header = data.index(b"---", 4) + 4
    task = data.index(b"\n## Log")
    with path.open("wb", buffering=0) as file:
        for start, end in ((0, header), (header, task), (task, None)):
            file.write(data[start:end])
            time.sleep(0.6)


def append_slowly(path: Path, data: bytes) -> None:
    """A program that opens it for every piece, as a shell does: half a header is given its grace."""
    header = data.index(b"---", 4)
    write_all(path, data[:20])
    for part in (data[20 : header - 3], data[header - 3 :]):
        time.sleep(0.6)
        write_all(path, part, os.O_APPEND)


def delete_and_write_anew(path: Path, data: bytes) -> None:
    path.unlink()
    time.sleep(0.5)
    write_all(path, data)


def rename_away_and_write_anew(path: Path, data: bytes) -> None:
    os.rename(path, f"{path}~")
    time.sleep(0.5)
    write_all(path, data)


def replace_three_times(path: Path, data: bytes) -> None:
    for _ in range(3):
        path.unlink()
        write_all(path, data)


def swap_through_a_third(path: Path, data: bytes) -> None:
    aside, third = path.with_name("aside.tmp"), path.with_name("third.tmp")
    write_all(aside, data)
    os.rename(path, third)
    os.rename(aside, path)
    os.rename(third, aside)
    aside.unlink()


def keep_size_and_times(path: Path, data: bytes) -> None:
    """A sync engine sets the other computer's times, which may be those that the note had."""
    seen = path.stat()
    old = path.read_bytes()
    write_all(path, old.replace(OLD.encode(), NEW.encode()[: len(OLD)]))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert path.stat().st_size == seen.st_size


def replace_by_an_older_file(path: Path, data: bytes) -> None:
    """Restored from a backup: its times lie in the past."""
    aside = path.with_name(".restored")
    write_all(aside, data)
    os.utime(aside, (1e9, 1e9))
    os.rename(aside, path)


def write_over_without_cutting(path: Path, data: bytes) -> None:
    """rclone and rsync --inplace, block by block: the old text's end stands behind the new beginning."""
    with path.open("r+b", buffering=0) as file:
        for at in range(0, len(data), 64):
            file.write(data[at : at + 64])
            time.sleep(0.05)
        file.truncate()


SAVES: list[Callable[[Path, bytes], None]] = [
    save_like_vs_code,
    save_like_obsidian,
    save_like_textedit,
    save_like_gedit,
    save_like_sublime,
    save_like_jetbrains,
    save_by_mapping,
    save_slowly,
    append_slowly,
    delete_and_write_anew,
    rename_away_and_write_anew,
    replace_three_times,
    swap_through_a_third,
    keep_size_and_times,
    replace_by_an_older_file,
    write_over_without_cutting,
]
FLAPS = {save_like_obsidian}  # every one of its saves is a note as the person typed it by then


@pytest.mark.parametrize("save", SAVES, ids=lambda save: save.__name__)
def test_a_save_is_followed_and_nothing_flaps(watched: Watched, save: Callable[[Path, bytes], None]) -> None:
    name = save.__name__
    new = f"{NEW} {name}"
    wanted = f"Send {NEW[: len(OLD)]}" if save is keep_size_and_times else new
    path = watched.put(f"Clients/{name}.md", make_note(f"{OLD} {name}"))
    watched.wait_for(f"{OLD} {name}")
    before = watched.calendar()
    with watched.followed() as states:
        save(path, make_note(new).encode())
        watched.wait_for(wanted, lacks=f"{OLD} {name}")
    if save not in FLAPS:
        assert set(states) <= {before, watched.calendar()}
    assert not watched.differ()


def test_a_note_left_empty_is_named_and_keeps_its_place(watched: Watched) -> None:
    path = watched.put("Clients/emptied.md", make_note(f"{OLD} emptied"))
    watched.wait_for(f"{OLD} emptied")
    before = watched.calendar()
    watched.said.clear()
    with watched.followed() as states:
        path.write_bytes(b"")
        watched.wait_to_hear("Clients/emptied.md: cannot be read now")
    assert set(states) == {before}
    path.write_text(make_note(f"{NEW} emptied"), encoding="utf-8")
    watched.wait_for(f"{NEW} emptied", lacks=f"{OLD} emptied")
    assert not watched.differ()
