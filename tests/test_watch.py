"""The watcher: what wakes it, when, and what it survives.

Timing is tested with a scripted clock; what the system reports, with real files, always awaited by the wake
that must come.  That something does *not* wake is shown by what the next wake names.
"""

from __future__ import annotations

import errno
import logging
import mmap
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notesync.problems import RefusedError
from notesync.sync import watch
from notesync.sync.watch import Hint, Wake, Watcher, WatchLock, find_limits, find_watcher

PATIENCE = 20.0
HERE = Path(__file__).parents[1]


def relevant(path: str, folder: bool) -> bool:
    if any(part.startswith(".") for part in path.split("/")):
        return False
    return folder or path.endswith(".md")


# -- when: a scripted clock


class Script:
    """An inbox with its clocks: hints arrive at their moments, and waiting moves the time on."""

    def __init__(self, hints=(), asleep=None):
        self.now = 0.0
        self.hints = sorted(hints)
        self.asleep = asleep

    def put(self, item):
        self.hints.append(item)

    def get(self, block=True, timeout=None):
        until = self.now + (timeout if block else 0.0)
        if self.hints and self.hints[0].when <= until:
            self.now = max(self.now, self.hints[0].when)
            return self.hints.pop(0)
        self.now = until
        raise Empty

    def wall(self):
        """The wall clock, which went on by an hour when the machine slept."""
        return (
            1_000_000.0 + self.now + (3600.0 if self.asleep is not None and self.now >= self.asleep else 0.0)
        )


def scripted(hints=(), asleep=None, root="no such folder"):
    script = Script(hints, asleep)
    watcher = Watcher(
        root,
        relevant=relevant,
        tell=pytest.fail,
        tick=5.0,
        clock=lambda: script.now,
        wall=script.wall,
        inbox=script,
    )
    watcher.start()
    watcher.close()  # nothing is there to be heard
    return watcher, script


def events(*moments):
    return [Hint(moment, watch.EVENTS, f"{number}.md") for number, moment in enumerate(moments)]


@pytest.mark.parametrize(
    ("hints", "options", "woken_at", "wake"),
    [
        pytest.param([], {}, 60.0, Wake("sweep"), id="nothing happens"),
        pytest.param([], {"at_most": 7.0}, 7.0, Wake("sweep"), id="the caller wants a sweep sooner"),
        pytest.param([], {"at_most": 900.0}, 60.0, Wake("sweep"), id="the caller wants a sweep later"),
        pytest.param(events(1.0), {}, 1.05, Wake("events", ("0.md",)), id="one save"),
        pytest.param(
            events(1.0, 1.04, 1.08),
            {},
            1.13,
            Wake("events", ("0.md", "1.md", "2.md")),
            id="three saves in a row",
        ),
        pytest.param(events(1.0, 1.2), {}, 1.05, Wake("events", ("0.md",)), id="the second save comes later"),
        pytest.param(
            events(*[1.0 + i / 32 for i in range(320)]),
            {},
            3.0,
            Wake("events", tuple(f"{i}.md" for i in range(65))),
            id="a storm waits two seconds at most",
        ),
        pytest.param(
            [Hint(1.0, watch.EVENTS, f"{i}.md") for i in range(1001)],
            {},
            1.05,
            Wake("events"),
            id="too many names are none",
        ),
        pytest.param(
            [*events(1.0), Hint(1.01, watch.OVERFLOW, ""), Hint(1.02, watch.EVENTS, "z.md")],
            {},
            1.07,
            Wake("overflow"),
            id="names are missing",
        ),
        pytest.param([Hint(2.0, watch.ASKED, "")], {}, 2.0, Wake("asked"), id="asked by a signal"),
        pytest.param(
            [*events(1.99), Hint(2.0, watch.ASKED, "")],
            {},
            2.0,
            Wake("asked"),
            id="asked in the middle of a save",
        ),
        pytest.param([], {"midnight": 1_000_030.0}, 30.0, Wake("midnight"), id="midnight"),
        pytest.param(
            events(29.99),
            {"midnight": 1_000_030.0},
            30.0,
            Wake("midnight", ("0.md",)),
            id="a save at midnight",
        ),
    ],
)
def test_when_and_why_it_wakes(hints, options, woken_at, wake):
    watcher, script = scripted(hints)
    heard = watcher.wait(**options)
    assert (heard.reason, heard.paths) == (wake.reason, wake.paths)
    assert script.now == pytest.approx(woken_at, abs=0.002)


def test_what_was_heard_during_a_refresh_wakes_at_once_and_once():
    watcher, script = scripted(events(1.0, 1.3, 4.0))
    script.now = 5.0
    assert watcher.wait() == Wake("events", ("0.md", "1.md", "2.md"))
    assert script.now == 5.0
    assert watcher.wait().reason == "sweep"


def test_a_sleep_is_noticed_within_a_tick():
    """The lid was closed for an hour; only the wall clock knows."""
    watcher, script = scripted(asleep=12.0)
    assert watcher.wait() == Wake("sleep-gap")
    assert 12.0 <= script.now <= 17.0
    assert watcher.wait() == Wake("sweep")


def test_a_midnight_slept_through_wakes_too():
    watcher, script = scripted(asleep=12.0)
    assert watcher.wait(midnight=1_002_000.0).reason in ("midnight", "sleep-gap")
    assert script.now <= 17.0


@given(st.lists(st.floats(0.0, 30.0), min_size=1, max_size=60))
def test_no_burst_is_cut_short_or_drawn_out(moments):
    watcher, script = scripted(events(*sorted(moments)))
    heard = 0
    while heard < len(moments):
        wake = watcher.wait()
        assert wake.reason == "events"
        first, last = (float(sorted(moments)[i]) for i in (heard, heard + len(wake.paths) - 1))
        heard += len(wake.paths)
        assert script.now - first <= 2.0 + 0.002
        assert script.now - last >= 0.05 - 1e-6 or script.now - first >= 2.0 - 1e-6


# -- what: real files


@pytest.fixture
def vault(tmp_path):
    root = tmp_path / "vault"
    (root / "Clients").mkdir(parents=True)
    (root / "Clients" / "Acme.md").write_text("---\ntype: client\n---\n")
    return root


@pytest.fixture
def told():
    return []


@pytest.fixture
def watcher(vault, told):
    with Watcher(str(vault), relevant=relevant, tell=told.append, tick=0.05) as watcher:
        yield watcher


def wait_for(watcher, *names):
    """Wait until wakes have named all of ``names``; return everything they named."""
    heard = set()
    while not heard.issuperset(names):
        wake = watcher.wait(at_most=PATIENCE)
        assert wake.reason != "sweep", f"only {heard} was heard"
        heard.update(wake.paths)
    return heard


def wait_until(watcher, reason):
    while (wake := watcher.wait(at_most=PATIENCE)).reason != reason:
        assert wake.reason != "sweep", f"nothing was {reason}"


def replace(path, text="new"):
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text)
    temporary.replace(path)


def save_like_vim(path):
    backup = path.with_name(path.name + "~")
    path.rename(backup)
    path.write_text("new")
    backup.unlink()


def save_and_restore_the_time(path):
    before = path.stat()
    replace(path, "x" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def write_to_memory(path):
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        memory[0:1] = b"+"


def make_conflict_like_syncthing(path):
    path.rename(path.with_name("Acme.sync-conflict-20261122-103045-SZGHDFP.md"))
    replace(path)


SAVES = {
    "written in place": lambda note: note.write_text("new"),
    "truncated": lambda note: note.write_text(""),
    "appended": lambda note: note.open("a").close(),
    "replaced": replace,
    "saved by vim": save_like_vim,
    "its time restored": save_and_restore_the_time,
    "only its time set": lambda note: os.utime(note, (1, 1)),
    "written through memory": write_to_memory,
    "made a conflict copy": make_conflict_like_syncthing,
    "renamed": lambda note: note.rename(note.with_name("Zenith.md")),
    "hidden": lambda note: note.rename(note.with_name(".Acme.md")),
    "deleted": lambda note: note.unlink(),
    "moved out of the vault": lambda note: note.rename(note.parents[2] / "Acme.md"),
}


@pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
def test_a_note_wakes_when(save, watcher, vault):
    save(vault / "Clients" / "Acme.md")
    assert "Clients/Acme.md" in wait_for(watcher, "Clients/Acme.md")


def wait_for_wake(watcher):
    wake = watcher.wait(at_most=PATIENCE)
    assert wake.reason == "events"
    return wake


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing says that a file was closed")
def test_a_note_that_a_program_is_still_writing_is_told_apart(watcher, vault):
    with (vault / "Clients" / "Acme.md").open("w") as note:
        for part in ("---\ntype: ", "client\n---\n"):
            note.write(part)
            note.flush()
            assert wait_for_wake(watcher) == Wake(
                "events", ("Clients/Acme.md",), frozenset({"Clients/Acme.md"})
            )
        (vault / "Zoë.md").write_text("new")
        assert wait_for_wake(watcher).writing == {"Clients/Acme.md"}
    assert wait_for_wake(watcher) == Wake("events", ("Clients/Acme.md",))


@pytest.mark.parametrize(
    ("hints", "writing"),
    [
        pytest.param([(1.0, "a.md", True), (1.01, "b.md", True)], {"a.md", "b.md"}, id="two being written"),
        pytest.param([(1.0, "a.md", True), (1.01, "a.md", None)], {"a.md"}, id="its time was set"),
        pytest.param([(1.0, "a.md", True), (1.01, "a.md", False)], set(), id="closed, renamed or gone"),
        pytest.param([(1.0, "a.md", True), (1.01, "", watch.OVERFLOW)], set(), id="who closed is not known"),
    ],
)
def test_what_is_being_written(hints, writing):
    watcher, _ = scripted(
        Hint(when, word, path) if word == watch.OVERFLOW else Hint(when, watch.EVENTS, path, word)
        for when, path, word in hints
    )
    assert watcher.wait().writing == writing


def test_who_writes_for_a_minute_is_not_saving_a_note():
    watcher, script = scripted([Hint(1.0, watch.EVENTS, "a.md", True)])
    assert watcher.wait(at_most=40.0).writing == {"a.md"}
    assert watcher.wait(at_most=40.0).writing == {"a.md"}
    script.hints.append(Hint(script.now + 30.0, watch.EVENTS, "a.md", True))
    assert watcher.wait().writing == set()


def make_deep(vault):
    (vault / "a" / "b").mkdir(parents=True)
    (vault / "a" / "b" / "New.md").write_text("new")


def bring_in(vault):
    outside = vault.parent / "outside"
    outside.mkdir()
    (outside / "New.md").write_text("new")
    outside.rename(vault / "in")


ARRIVALS = {
    "is written": (lambda vault: (vault / "Zoë.md").write_text("new"), "Zoë.md"),
    "comes with new folders": (make_deep, "a"),
    "is moved in with its folder": (bring_in, "in"),
    "moves with its folder": (lambda vault: (vault / "Clients").rename(vault / "Old"), "Old"),
    "goes with its folder": (lambda vault: shutil.rmtree(vault / "Clients"), "Clients"),
    "leaves with its folder": (lambda vault: (vault / "Clients").rename(vault.parent / "Old"), "Clients"),
}


@pytest.mark.parametrize(("act", "name"), ARRIVALS.values(), ids=ARRIVALS)
def test_it_wakes_when_a_note(act, name, watcher, vault):
    act(vault)
    wait_for(watcher, name)


def test_a_note_in_a_new_folder_is_heard(watcher, vault):
    """After the wake for the folder, its notes are watched like all others."""
    make_deep(vault)
    wait_for(watcher, "a")
    replace(vault / "a" / "b" / "Second.md")
    wait_for(watcher, "a/b/Second.md")


def test_our_reading_and_our_calendar_do_not_wake(watcher, vault):
    """A refresh lists, looks at and reads notes, and replaces the calendar; only the note is heard."""
    for folder, _, names in os.walk(vault):
        for name in names:
            Path(folder, name).stat()
            Path(folder, name).read_bytes()
    replace(vault / "followups.ics")
    (vault / ".obsidian").mkdir()
    (vault / ".obsidian" / "workspace.json").write_text("{}")
    (vault / "Clients" / "Acme.md.tmp").write_text("")
    (vault / "Zoë.md").write_text("new")
    assert watcher.wait(at_most=PATIENCE) == Wake("events", ("Zoë.md",))


def test_a_name_that_the_filter_cannot_judge_wakes(vault):
    def refuse(path, folder):
        raise ValueError(path)

    with Watcher(str(vault), relevant=refuse, tell=pytest.fail) as watcher:
        (vault / "x.md").write_text("new")
        wait_for(watcher, "x.md")
        (vault / "y.md").write_text("new")
        wait_for(watcher, "y.md")


def test_a_vault_behind_a_symbolic_link(vault, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(vault, target_is_directory=True)
    with Watcher(str(link), relevant=relevant, tell=pytest.fail, tick=0.05) as watcher:
        (vault / "x.md").write_text("new")
        wait_for(watcher, "x.md")
        other = tmp_path / "other"
        other.mkdir()
        link.unlink()
        link.symlink_to(other, target_is_directory=True)
        wait_until(watcher, "rebuilt")
        (other / "y.md").write_text("new")
        wait_for(watcher, "y.md")


def test_many_notes_at_once_are_one_wake(watcher, vault):
    notes = [vault / "Clients" / f"{number}.md" for number in range(500)]
    for note in notes:
        note.write_text("new")
    assert wait_for(watcher, *(f"Clients/{note.name}" for note in notes))


# -- what it survives


@pytest.mark.parametrize("leave", [shutil.rmtree, lambda root: root.rename(root.parent / "elsewhere")])
def test_the_root_goes_and_comes_back(leave, watcher, vault):
    leave(vault)
    wait_until(watcher, "rebuilt")
    vault.mkdir()
    wait_until(watcher, "rebuilt")
    (vault / "x.md").write_text("new")
    wait_for(watcher, "x.md")


def test_the_root_is_replaced_between_two_looks(watcher, vault):
    shutil.rmtree(vault)
    vault.mkdir()
    wait_until(watcher, "rebuilt")
    (vault / "x.md").write_text("new")
    wait_for(watcher, "x.md")


def test_a_root_that_is_not_there_yet(tmp_path):
    root = tmp_path / "later"
    with Watcher(str(root), relevant=relevant, tell=pytest.fail, tick=0.05) as watcher:
        assert watcher.wait(at_most=0.2) == Wake("sweep")
        root.mkdir()
        wait_until(watcher, "rebuilt")
        (root / "x.md").write_text("new")
        wait_for(watcher, "x.md")


def list_threads():
    from watchdog.utils import BaseThread

    return [thread for thread in threading.enumerate() if isinstance(thread, BaseThread)]


@pytest.mark.parametrize("number", range(3))
def test_a_dead_thread_of_watchdog_is_replaced(number, watcher, vault):
    """On Linux there are three: who reads the kernel's events, who translates them, who hands them on."""
    threads = list_threads()
    threads[number % len(threads)].stop()
    wait_until(watcher, "rebuilt")
    (vault / "x.md").write_text("new")
    wait_for(watcher, "x.md")


def test_closing_ends_every_thread_and_gives_back_what_it_took(vault):
    def count():
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    before = count()
    for _ in range(3):
        with Watcher(str(vault), relevant=relevant, tell=pytest.fail):
            threads = list_threads()
        for thread in threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert count() == before


def test_an_overflow_is_a_reason_to_sweep(watcher, capfd):
    """watchdog only logs it; the log line is taken for the hint and not printed."""
    logging.getLogger("watchdog.observers.inotify_c").warning("Inotify queue overflowed; events were lost")
    assert watcher.wait(at_most=PATIENCE) == Wake("overflow")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "sudo sysctl fs.inotify.max_user_watches="),
        (errno.EMFILE, "sudo sysctl fs.inotify.max_user_instances="),
        (errno.EIO, "Input/output error"),
    ],
)
def test_without_events_it_sweeps_and_says_so_once(number, words, vault, told, monkeypatch):
    import watchdog.observers

    def refuse():
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(watch, "_FALLBACK", 0.01)
    with monkeypatch.context() as limits, Watcher(str(vault), relevant=relevant, tell=told.append) as watcher:
        limits.setattr(watchdog.observers, "Observer", refuse)
        watcher.close()
        watcher.start()
        assert [watcher.wait(), watcher.wait()] == [Wake("sweep"), Wake("sweep")]
        watcher.start()
    assert len(told) == 1
    assert words in told[0]


def test_events_are_tried_again(vault, told, monkeypatch):
    """The limit was reached when we started; a minute later it has been raised."""
    import watchdog.observers

    def refuse():
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr(watch, "_RETRY", 0.0)
    watcher = Watcher(str(vault), relevant=relevant, tell=told.append, tick=0.02)
    with monkeypatch.context() as limits:
        limits.setattr(watchdog.observers, "Observer", refuse)
        watcher.start()
    try:
        wait_until(watcher, "rebuilt")
        (vault / "x.md").write_text("new")
        wait_for(watcher, "x.md")
    finally:
        watcher.close()


UNDER_A_LIMIT = """
import sys
from notesync.sync.watch import Watcher
with Watcher(sys.argv[1], relevant=lambda path, folder: True, tell=print) as watcher:
    print(watcher.wait(at_most=0).reason)
"""


@pytest.mark.skipif(
    not shutil.which("unshare"), reason="needs a user namespace of its own for a limit of its own"
)
@pytest.mark.parametrize(("folders", "limited"), [(50, True), (5, False)])
def test_folders_that_watchdog_passes_over_in_silence(folders, limited, tmp_path):
    for number in range(folders):
        (tmp_path / str(number)).mkdir()
    script = 'echo 20 > /proc/sys/user/max_inotify_watches && exec "$0" -c "$1" "$2"'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", script]
    allowed = subprocess.run([*command, "true", "", ""], capture_output=True, check=False)
    if allowed.returncode:
        pytest.skip("this machine does not let us make a user namespace")
    done = subprocess.run(
        [*command, sys.executable, UNDER_A_LIMIT, str(tmp_path)],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("max_user_watches" in done.stdout) == limited
    assert done.stdout.endswith("sweep\n")


def test_the_limits_that_doctor_tells_of(monkeypatch, tmp_path):
    monkeypatch.setattr(watch, "_LIMITS", f"{tmp_path}{os.sep}")
    assert find_limits(10**9) == ""
    (tmp_path / "max_user_watches").write_text("8192\n")
    assert find_limits(8192) == ""
    assert find_limits(8193) == (
        "8193 folders, but only 8192 can be watched "
        "(raise it with: sudo sysctl fs.inotify.max_user_watches=1048576)"
    )


# -- stopping


def test_stopping_from_another_thread(watcher):
    threading.Timer(0.05, watcher.stop).start()
    assert watcher.wait(at_most=PATIENCE) == Wake("stopped")
    assert watcher.wait(at_most=PATIENCE) == Wake("stopped")
    assert watcher.stopped


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize(("number", "reason"), [("SIGTERM", "stopped"), ("SIGUSR1", "asked")])
def test_stopping_and_asking_from_a_signal_handler(number, reason, watcher):
    act = {"stopped": watcher.stop, "asked": watcher.wake}[reason]
    before = signal.signal(getattr(signal, number), lambda *_: act())
    try:
        threading.Timer(0.05, os.kill, (os.getpid(), getattr(signal, number))).start()
        assert watcher.wait(at_most=PATIENCE) == Wake(reason)
    finally:
        signal.signal(getattr(signal, number), before)


# -- one watcher a vault

HOLD = """
import sys
from notesync.sync.watch import WatchLock
with WatchLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_watcher_is_refused_until_the_first_is_dead(tmp_path):
    path = str(tmp_path / "cache" / "watch.lock")
    assert find_watcher(path) is None
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with first:
        assert first.stdout.readline() == "held\n"
        assert find_watcher(path) == first.pid
        with pytest.raises(RefusedError, match=rf"\(process {first.pid}\) already watches"), WatchLock(path):
            pass
        first.kill()
    with WatchLock(path):
        assert find_watcher(path) == os.getpid()
    assert find_watcher(path) is None


@pytest.mark.parametrize("text", ["", "nobody\n"])
def test_a_lock_that_does_not_say_whose_it_is(text, tmp_path):
    path = tmp_path / "watch.lock"
    with WatchLock(str(path)):
        path.write_text(text)
        assert find_watcher(str(path)) == 0
        with pytest.raises(RefusedError, match="another notesync already watches"), WatchLock(str(path)):
            pass


def test_a_cache_that_cannot_hold_a_lock(tmp_path):
    (tmp_path / "file").write_text("")
    with WatchLock(str(tmp_path / "file" / "watch.lock")):
        assert find_watcher(str(tmp_path / "file" / "watch.lock")) is None
