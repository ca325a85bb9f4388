"""A service: what a vault and an option come to on each system, and what is called, in which order."""

from __future__ import annotations

import json
import os
import plistlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from notesync.cli.group import notesync
from notesync.problems import RefusedError
from notesync.store.current import store_mark
from notesync.store.log_file import LogFile, read_last_lines
from notesync.store.places import cache_dir, service_key
from notesync.sync.launchd import Launchd
from notesync.sync.service import Call, Job, Outcome, Place, State, System, find_risk, require_writable
from notesync.sync.service_desk import Desk
from notesync.sync.systemd import Systemd
from notesync.sync.task_scheduler import TaskScheduler
from notesync.sync.watch import WatchLock

HOME = Path(__file__).parents[1]
POSIX = pytest.mark.skipif(os.name == "nt", reason="fakes a program by a shell script")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
KEY = "notesync-Clients-1a2b3c4d"
PLACE = Place("/home/anna", "", r"C:\Users\anna\AppData\Local", 501, r"DESK\anna")
SYSTEMS: dict[str, System] = {
    "systemd": Systemd(PLACE),
    "launchd": Launchd(PLACE._replace(home="/Users/anna")),
    "task-scheduler": TaskScheduler(PLACE),
}
# Everything that some system reads as something else.
AWKWARD = r"""/Vol/100% "A&B" <it's> $HOME ${x} `y` \z; Zoë 陳/Clients"""


def build_job(system: System, root: str = "/home/anna/Dropbox/Clients & Co", **more: str) -> Job:
    name = system.name(KEY)
    log = system.log(name)
    python = "/opt/n/bin/python"
    if isinstance(system, TaskScheduler):
        python = r"C:\Users\anna\notesync\Scripts\pythonw.exe"
    command = (python, "-P", "-m", "notesync", "watch", "--vault", root, *(("--log", log) if log else ()))
    return Job(name, root, command, tuple(more.items()))


def tell_calls(calls: Sequence[Call]) -> str:
    return "".join(f"{'' if call.needed else '(may fail) '}{' '.join(call.words)}\n" for call in calls)


@pytest.mark.parametrize("name", SYSTEMS)
def test_what_is_written_and_called(name, golden):
    system = SYSTEMS[name]
    job = build_job(system, TZ="Africa/Johannesburg")
    if name == "task-scheduler":
        job = build_job(system, r"C:\Users\anna\Dropbox\Clients & Co")
    (file,) = system.files(job)
    text = file.data.decode("utf-16" if name == "task-scheduler" else "utf-8")
    golden(
        f"service/{name}.txt",
        f"{file.path}\n\n{text}\n".replace("\r\n", "\n")
        + f"to install:\n{tell_calls(system.start(job.name))}\n"
        + f"to ask:\n{tell_calls([system.ask(job.name)])}\n"
        + f"to remove:\n{tell_calls(system.stop(job.name))}"
        + "".join(f"unlink {path}\n" for path in system.leftovers(job.name))
        + tell_calls(system.forget(job.name)),
    )
    assert system.read_file(file.data) == (job.command[0], job.root)


def test_an_agent_of_launchd_holds_the_words_as_they_are():
    system = SYSTEMS["launchd"]
    job = build_job(system, AWKWARD, TZ="UTC")
    (file,) = system.files(job)
    found = plistlib.loads(file.data)
    assert found["ProgramArguments"] == list(job.command)
    assert found["EnvironmentVariables"] == {"TZ": "UTC"}
    assert found["KeepAlive"] == {"SuccessfulExit": False}
    assert system.read_file(file.data) == (job.command[0], AWKWARD)


def test_a_task_of_windows_holds_the_words_quoted_as_its_programs_read_them():
    system = SYSTEMS["task-scheduler"]
    job = build_job(system, "D:\\100% A&B <x>\\Zoë 陳\\")
    (file,) = system.files(job)
    assert file.data.startswith(b"\xff\xfe")
    task = ElementTree.fromstring(file.data.decode("utf-16").partition("?>")[2])
    at = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    words = task.findtext(f".//{at}Arguments")
    assert words == subprocess.list2cmdline(job.command[1:])
    assert r'--vault "D:\100% A&B <x>\Zoë 陳\\" --log' in words
    assert task.findtext(f".//{at}Command") == job.command[0]
    assert task.findtext(f".//{at}LogonTrigger/{at}UserId") == r"DESK\anna"
    assert system.read_file(file.data) == (job.command[0], job.root)


@pytest.mark.parametrize("root", [r"D:\%USERNAME%\x", r"D:\$(Arg0)"])
def test_what_windows_would_take_for_a_variable_is_refused(root):
    with pytest.raises(RefusedError, match="Rename the folder"):
        SYSTEMS["task-scheduler"].files(build_job(SYSTEMS["task-scheduler"], root))


@pytest.mark.parametrize("word", ["a\nb", "a\rb", "a\x1b[2Jb", "a\udcffb", "a\u2028b"])
def test_what_no_service_can_be_given_is_refused_and_shown_escaped(word):
    with pytest.raises(RefusedError, match="bad-path: 'a\\\\") as caught:
        require_writable(["fine", word])
    assert word not in str(caught.value)


@LINUX
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
@pytest.mark.parametrize("name", ["Clients", AWKWARD.strip("/").replace("/", "_")])
def test_systemd_itself_finds_the_program(name, tmp_path, monkeypatch):
    """systemd-analyze looks for the program under the name that it reads: a wrong quote would miss it."""
    folder = tmp_path / name
    folder.mkdir()
    python = folder / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    system = Systemd(Place(str(tmp_path)))
    job = Job(f"{KEY}.service", str(folder), (str(python), "--vault", str(folder)), (("TZ", 'a%b"c'),))
    (file,) = system.files(job)
    unit = tmp_path / job.name
    unit.write_bytes(file.data)
    words = ["systemd-analyze", "verify", "--user", "--man=no", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert system.read_file(file.data) == (str(python), str(folder))


@pytest.mark.parametrize(
    ("name", "outcome", "state"),
    [
        (
            "systemd",
            Outcome(
                0, "LoadState=loaded\nActiveState=active\nMainPID=77\nActiveEnterTimestamp=Sun 10:00\nNRestarts=2\n",
            ),
            State(77, "Sun 10:00", "started again 2 times after a failure"),
        ),
        (
            "systemd",
            Outcome(0, "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=3\n"),
            State(words="failed (exit-code, exit code 3), tried again within 60 seconds"),
        ),
        ("systemd", Outcome(0, "ActiveState=inactive\nExecMainStatus=0\n"), State(words="stopped")),
        (
            "systemd",
            Outcome(0, "LoadState=not-found\nActiveState=inactive\n"),
            State(words="systemd does not know it: 'systemctl --user daemon-reload'"),
        ),
        ("systemd", Outcome(1, "", "no bus"), State(words="systemd does not answer")),
        (
            "launchd",
            Outcome(0, "x = {\n\tstate = running\n\tpid = 88\n\tendpoints = {\n\t\tstate = active\n\t}\n}\n"),
            State(88),
        ),
        (
            "launchd",
            Outcome(0, "x = {\n\tstate = spawn scheduled\n\tlast exit code = 3\n}\n"),
            State(words="failed with exit code 3, tried again within 60 seconds"),
        ),
        (
            "launchd", Outcome(0, "x = {\n\tstate = not running\n\tlast exit code = (never exited)\n}\n"),
            State(words="stopped"),
        ),
        ("launchd", Outcome(113), State(words="launchd does not know it")),
        (
            "task-scheduler", Outcome(0, '"PC","\\n","N/A","Läuft","x","22.11.2026 10:00","267009"\n'),
            State(0, "22.11.2026 10:00"),
        ),
        (
            "task-scheduler",
            Outcome(0, '"PC","\\n","N/A","Bereit","x","22.11.2026 10:00","3"\n'),
            State(words="last started 22.11.2026 10:00, last exit code 3, started every 5 minutes"),
        ),
        ("task-scheduler", Outcome(0, "?"), State(words="the Task Scheduler does not answer")),
        ("task-scheduler", Outcome(1), State(words="the Task Scheduler does not know it")),
    ],
)  # fmt: skip
def test_what_each_system_says_in_words(name, outcome, state):
    assert SYSTEMS[name].read_state(outcome) == state


@pytest.mark.parametrize(
    ("program", "risky"),
    [
        ("/home/anna/.local/share/notesync/bin/python", False),
        ("/tmp/v/bin/python", True),
        ("/home/anna/.cache/uv/archive-v0/Qx/bin/python", True),
        ("/home/anna/Downloads/notesync/.venv/bin/python", True),
        ("/Volumes/Stick/bin/python", True),
        ("/home/anna/Dropbox/Clients/.venv/bin/python", True),
        (r"C:\Users\anna\AppData\Local\Temp\v\python.exe", True),
        (r"C:\Users\anna\notesync\Scripts\python.exe", False),
    ],
)
def test_a_python_that_may_vanish_is_told(program, risky):
    temporary = r"C:\Users\anna\AppData\Local\Temp" if program.startswith("C:") else "/tmp"
    found = find_risk(program, "/opt/notesync", "/home/anna/Dropbox/Clients", temporary)
    assert bool(found) == risky
    assert (program in found) == risky


def test_one_vault_has_one_name_that_every_system_takes(tmp_path):
    for name in ("Clients", "Zoë & 陳", "100% .@\\x"):
        key = service_key(str(tmp_path / name))
        assert key == service_key(str(tmp_path / name))
        assert key.startswith("notesync-")
        assert key.replace("-", "").isalnum()
        assert key.isascii()
    assert service_key("/a/Clients") != service_key("/b/Clients")


def test_what_a_person_has_to_know_of_each_system():
    assert "enable-linger" in SYSTEMS["systemd"].advise(build_job(SYSTEMS["systemd"]))
    launchd = SYSTEMS["launchd"]
    assert launchd.advise(build_job(launchd, "/Users/anna/Clients")) == ""
    assert "Full Disk Access" in launchd.advise(build_job(launchd, "/Users/anna/Documents/Clients"))
    job = build_job(SYSTEMS["task-scheduler"])
    assert "without a window" in SYSTEMS["task-scheduler"].advise(job)
    visible = job._replace(command=("C:\\Python\\python.exe", *job.command[1:]))
    assert "stays open" in SYSTEMS["task-scheduler"].advise(visible)


# --- installing, with a desk whose programs are made up --------------------------------------------------


class Programs:
    """The system's programs as a test wants them: what was called, and which fail how often."""

    def __init__(self, failing: dict[str, int] | None = None) -> None:
        self.called: list[str] = []
        self.failing = failing or {}

    def __call__(self, words: Sequence[str]) -> Outcome:
        line = " ".join(words)
        self.called.append(line)
        for part in self.failing:
            if part in line and self.failing[part] > 0:
                self.failing[part] -= 1
                return Outcome(5, "", "first\nlast words.\n")
        return Outcome(0)


@POSIX
@pytest.mark.parametrize("kind", [Systemd, Launchd])
def test_installed_twice_is_updated_and_removed_is_gone(kind, tmp_path):
    system: System = kind(Place(str(tmp_path)))
    programs = Programs()
    desk = Desk(system, programs, pause=lambda _: None)
    job = build_job(system)
    assert desk.install(job) is False
    again = job._replace(command=("/new/python", *job.command[1:]))
    assert desk.install(again) is True
    (found,) = desk.find_all()
    assert found.found.program == "/new/python"
    assert desk.find(KEY) == found
    assert desk.remove(job.name)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert desk.find(KEY) is None
    assert not desk.remove(job.name)
    start = system.start(job.name)
    calls = [*start, *start, *system.stop(job.name), *system.forget(job.name)]
    assert programs.called == [" ".join(call.words) for call in calls]


@POSIX
def test_a_system_that_does_not_take_it_leaves_nothing_behind(tmp_path):
    desk = Desk(Systemd(Place(str(tmp_path))), Programs({"enable": 9}), pause=lambda _: None)
    with pytest.raises(
        RefusedError, match=r"'systemctl --user enable .*' failed: last words\.\nNothing was installed\."
    ):
        desk.install(build_job(desk.system))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@POSIX
def test_an_update_that_is_not_taken_leaves_the_earlier_one(tmp_path):
    system = Systemd(Place(str(tmp_path)))
    job = build_job(system)
    Desk(system, Programs(), pause=lambda _: None).install(job)
    desk = Desk(system, Programs({"restart": 1}), pause=lambda _: None)
    with pytest.raises(RefusedError):
        desk.install(job._replace(command=("/new/python", *job.command[1:])))
    assert [found.found.program for found in desk.find_all()] == [job.command[0]]


@POSIX
def test_launchd_is_asked_again_until_the_earlier_one_has_ended(tmp_path):
    programs = Programs({"bootstrap": 3})
    pauses: list[float] = []
    desk = Desk(Launchd(Place(str(tmp_path))), programs, pause=pauses.append)
    desk.install(build_job(desk.system))
    assert len(pauses) == 3
    assert sum("bootstrap" in line for line in programs.called) == 4


def test_where_there_is_no_systemd_a_line_for_cron_is_named(tmp_path):
    desk = Desk(Systemd(Place(str(tmp_path))), Programs({"show-environment": 1}))
    job = build_job(desk.system, "/home/anna/100% mine")
    with pytest.raises(RefusedError, match=r"@reboot .* --vault '/home/anna/100\\% mine'"):
        desk.require(job)


# --- the command, with a systemctl of our own ------------------------------------------------------------

FAKE = """\
#!/bin/sh
echo "$0 $@" | sed 's,.*/,,' >> "$FAKE_CALLS"
case "$*" in
*show-environment*) exit "${FAKE_BUS:-0}" ;;
*" show "*) printf 'LoadState=loaded\\nActiveState=failed\\nResult=exit-code\\nExecMainStatus=3\\n' ;;
--user\\ --unit*) printf -- '-- Journal begins\\n2026-11-22 Error: no-vault: \\033[2J away\\n' ;;
esac
"""


@pytest.fixture
def vault(tmp_path, monkeypatch):
    """A vault, a home of its own, and a system whose programs only write down what they were asked."""
    home, bin_ = tmp_path / "home", tmp_path / "bin"
    for folder in (home, bin_, tmp_path / "my vault"):
        folder.mkdir()
    for name in (
        "HOME",
        "USERPROFILE",
        "LOCALAPPDATA",
        "XDG_CACHE_HOME",
        "XDG_STATE_HOME",
        "XDG_CONFIG_HOME",
    ):
        monkeypatch.setenv(name, str(home))
    for name in ("NOTESYNC_VAULT", "SUDO_USER", "TZ"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(HOME))
    monkeypatch.setenv("FAKE_CALLS", str(tmp_path / "calls"))
    for program in ("systemctl", "journalctl"):
        (bin_ / program).write_text(FAKE)
        (bin_ / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path / "my vault")
    monkeypatch.setattr("notesync.cli.service._START", 1)
    monkeypatch.setattr("notesync.cli.service._PAUSE", 0)
    return tmp_path / "my vault"


def run(*words: str) -> Result:
    return CliRunner().invoke(notesync, words)


def find_unit(vault: Path) -> Path:
    return vault.parent / "home" / "systemd" / "user" / f"{service_key(str(vault))}.service"


@LINUX
def test_a_service_is_installed_looked_at_and_removed(vault):
    lock = Path(cache_dir(str(vault))) / "watch.lock"
    unit = find_unit(vault)
    assert run("service", "status").exit_code == 1

    dry = run("service", "install", "--dry-run")
    assert dry.exit_code == 0
    assert f'"--vault" "{vault}"' in dry.stdout
    assert not unit.exists()

    done = run("service", "install")
    assert done.exit_code == 1, done.output
    assert "is not running yet" in done.stderr
    assert "away" in done.stderr
    assert "\x1b" not in done.output
    assert unit.read_text(encoding="utf-8") in "\n".join(line[4:] for line in dry.stdout.split("\n")) + "\n"
    assert "place that is cleared" in done.stderr or not sys.executable.startswith("/tmp/")

    status = run("service", "status")
    assert status.exit_code == 1
    assert "not running: failed (exit-code, exit code 3)" in status.stdout
    assert "\x1b" not in status.stdout

    assert "installed, but not running" in run("doctor").stdout

    lock.parent.mkdir(parents=True, exist_ok=True)
    with WatchLock(str(lock)):
        done = run("service", "install", "--poll", "30")
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith(f"{unit.name} updated (systemd).\n")
        assert f"running for {vault} now (process {os.getpid()})" in done.stdout
        assert run("service", "status").exit_code == 0
    assert '"--poll=30"' in unit.read_text(encoding="utf-8")

    assert run("service", "remove", "--dry-run").stdout.endswith(f"remove {unit}\n")
    assert run("service", "remove").exit_code == 0
    assert list(unit.parent.iterdir()) == []
    assert run("service", "remove").exit_code == 0
    calls = (vault.parent / "calls").read_text().splitlines()
    assert [call for call in calls if " show" not in call and "journalctl" not in call] == [
        "systemctl --user daemon-reload",
        f"systemctl --user enable {unit.name}",
        f"systemctl --user restart {unit.name}",
    ] * 2 + [
        f"systemctl --user disable --now {unit.name}",
        "systemctl --user daemon-reload",
        f"systemctl --user reset-failed {unit.name}",
    ]


@LINUX
def test_a_server_can_be_kept_running_too(vault):
    done = run(
        "service", "install", "--serve", "--port", "8500", "--public", "https://a.example.org", "--dry-run"
    )
    assert '"serve" "--port=8500" "--public=https://a.example.org" "--vault"' in done.stdout
    assert run("service", "install", "--port", "8500").exit_code == 2


@LINUX
def test_a_watcher_by_hand_is_named(vault):
    lock = Path(cache_dir(str(vault))) / "watch.lock"
    lock.parent.mkdir(parents=True)
    with WatchLock(str(lock)):
        done = run("service", "install")
    assert done.exit_code == 0
    assert f"Process {os.getpid()} watches this vault already" in done.stderr


@LINUX
def test_nothing_is_installed_where_it_could_not_start(vault, monkeypatch):
    monkeypatch.setenv("FAKE_BUS", "1")
    done = run("service", "install")
    assert done.exit_code == 4
    assert "@reboot" in done.stderr
    monkeypatch.delenv("FAKE_BUS")
    python = vault.parent / "bin" / "python"
    python.write_text("#!/bin/sh\necho 'No module named notesync' >&2\nexit 1\n")
    python.chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", str(python))
        done = run("service", "install")
    assert done.exit_code == 4
    assert "not-installed" in done.stderr
    assert "No module named notesync" in done.stderr
    monkeypatch.setenv("SUDO_USER", "anna")
    assert run("service", "install").exit_code == 2
    assert not find_unit(vault).exists()


@LINUX
def test_doctor_tells_of_services_whose_program_or_vault_is_gone(vault):
    run("service", "install")
    unit = find_unit(vault)
    unit.write_text(unit.read_text().replace(f'"{sys.executable}"', '"/gone/python"'))
    other = unit.with_name("notesync-Old-00000000.service")
    other.write_text('[Service]\nExecStart="/usr/bin/python" "--vault" "/gone/Old ones"\n')
    said = run("doctor").stdout
    assert "would run /gone/python, which is gone" in said
    assert "notesync-Old-00000000.service watches /gone/Old ones, which is not there" in said
    assert 'notesync service remove --vault "/gone/Old ones"' in said
    assert "Its program /gone/python is gone" in run("service", "status").stdout


@LINUX
def test_a_vault_that_is_gone_loses_its_service_all_the_same(vault, monkeypatch):
    run("service", "install")
    monkeypatch.chdir("/")
    vault.rmdir()
    assert run("service", "remove", "--vault", str(vault)).exit_code == 0
    assert not find_unit(vault).exists()


# --- what doctor says of the watcher ---------------------------------------------------------------------


def find_health(subject: str) -> dict[str, object]:
    found = json.loads(run("doctor", "--format", "json").stdout)
    return next(part for part in found["health"] if part["subject"] == subject)


def set_age(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_doctor_says_since_when_nothing_has_refreshed_the_calendar(vault):
    assert run("sync").exit_code == 0
    mark = Path(cache_dir(str(vault))) / "current"
    assert find_health("watcher")["ok"] is True
    for path in (mark, vault / "followups.ics"):
        set_age(path, 3.5 * 86400)
    found = find_health("watcher")
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() - 3.5 * 86400))
    assert found["ok"] is False
    assert f"for 3 days, since {day}" in str(found["message"])
    assert "not reminded" in str(found["message"])
    assert "notesync service install" in str(found["hint"])
    set_age(vault / "followups.ics", 60)  # another machine keeps it
    assert find_health("watcher")["ok"] is True


def test_a_calendar_that_is_left_to_another_machine_is_no_worry_of_ours(vault):
    assert run("sync").exit_code == 0
    (vault / "notesync.yaml").write_text("calendar: {machine: office-pc}\n")
    for path in (Path(cache_dir(str(vault))) / "current", vault / "followups.ics"):
        set_age(path, 9e5)
    assert find_health("watcher")["ok"] is True


@POSIX
def test_doctor_notices_a_watcher_that_no_longer_looks(vault):
    run("sync")
    folder = Path(cache_dir(str(vault)))
    with WatchLock(str(folder / "watch.lock")):
        store_mark(str(folder / "current"), 60.0)
        assert find_health("watcher")["ok"] is True
        set_age(folder / "current", 7300)
        found = find_health("watcher")
        assert found["ok"] is False
        assert "has not refreshed the calendar for 2 hours" in str(found["message"])
        store_mark(str(folder / "current"), 9000.0)  # it said that it would be long
        set_age(folder / "current", 7300)
        assert find_health("watcher")["ok"] is True


# --- the log of systems that keep none -------------------------------------------------------------------


def test_a_log_has_moments_keeps_its_bounds_and_the_last_lines(tmp_path):
    path = tmp_path / "Logs" / "a.log"
    log = LogFile(str(path), limit=2000)
    for number in range(200):
        print(f"line {number}", file=log)
    assert len(path.read_bytes()) <= 2000
    assert len((tmp_path / "Logs" / "a.log.1").read_bytes()) <= 2000
    last = read_last_lines(str(path), 2)
    assert [line[20:] for line in last] == ["line 198", "line 199"]
    assert time.strptime(last[0][:19], "%Y-%m-%d %H:%M:%S")
    assert read_last_lines(str(tmp_path / "none"), 2) == []


def test_a_log_that_cannot_be_written_ends_nothing(tmp_path):
    log = LogFile(str(tmp_path / "a.log"))
    (tmp_path / "a.log").unlink()
    (tmp_path / "a.log").mkdir()
    print("heard by nobody", file=log)
    assert (tmp_path / "a.log").is_dir()


def test_a_log_that_cannot_be_made_is_told_and_ends_nothing(vault):
    (vault.parent / "file").write_text("")
    done = run("serve", "--urls", "--log", str(vault.parent / "file" / "watch.log"))
    assert done.exit_code == 0
    assert "there is no log" in done.stderr


@POSIX
def test_watch_writes_what_it_tells_into_its_log(vault):
    path = vault.parent / "logs" / "watch.log"
    words = [sys.executable, "-P", "-m", "notesync", "watch", "--vault", str(vault), "--log", str(path)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, cwd="/")
    try:
        deadline = time.monotonic() + 30
        while not any("watching" in line for line in read_last_lines(str(path), 50)):
            assert time.monotonic() < deadline
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
