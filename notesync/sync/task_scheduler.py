"""A task of Windows' Task Scheduler: one XML file, handed to schtasks.

In: a job.  Out: the file's bytes, and schtasks' words.  Its answers are in the user's language, so only what has a
fixed place in them is read.  See the Task Scheduler schema 1.4.
"""

from __future__ import annotations

import csv
import html
import ntpath
import re
import subprocess

from notesync.problems import RefusedError
from notesync.sync.service import Call, File, Found, Job, Outcome, Place, State

# A task that ends with an error counts as done for the Task Scheduler, so its RestartOnFailure would not start it
# again. A second trigger does, every five minutes, and is passed over while the task runs.
_TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.4" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Author>notesync</Author>
    <Description>{description}</Description>
    <Documentation>{root}</Documentation>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <UserId>{user}</UserId>
    </LogonTrigger>
    <TimeTrigger>
      <StartBoundary>2026-01-01T00:00:00</StartBoundary>
      <Repetition>
        <Interval>PT5M</Interval>
      </Repetition>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>{user}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{program}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"""
_RUNNING = 0x41301  # SCHED_S_TASK_RUNNING
_LAST_RUN, _LAST_RESULT = 5, 6  # columns of schtasks' long table, whatever they are called


class TaskScheduler:
    """Windows."""

    title = "Task Scheduler"
    program = "schtasks"
    missing = "Put a shortcut into the folder that 'shell:startup' opens (Windows key and R), to:"

    def __init__(self, place: Place) -> None:
        self._folder = ntpath.join(place.local, "notesync")
        self._user = place.user

    def name(self, key: str) -> str:
        return f"notesync\\{key}"

    def log(self, name: str) -> str:
        return ntpath.join(self._folder, "Logs", f"{ntpath.basename(name)}.log")

    def probe(self) -> Call | None:
        return None

    def files(self, job: Job) -> list[File]:
        for word in job.command:
            if word.count("%") > 1 or "$(" in word:
                raise RefusedError(
                    f"bad-path: the Task Scheduler would take '{word}' for the name of a variable. Rename the folder."
                )
        program, *arguments = job.command
        task = _TASK.format(
            description=_escape(f"notesync for {job.root}"),
            root=_escape(job.root),
            user=_escape(self._user),
            program=_escape(program),
            arguments=_escape(subprocess.list2cmdline(arguments)),
        )
        return [File(self._path(job.name), ("\ufeff" + task.replace("\n", "\r\n")).encode("utf-16-le"))]

    def _path(self, name: str) -> str:
        return ntpath.join(self._folder, "Services", f"{ntpath.basename(name)}.xml")

    def leftovers(self, name: str) -> list[str]:
        return [self._path(name), self.log(name), f"{self.log(name)}.1"]

    def start(self, name: str) -> list[Call]:
        return [
            _tasks("/End", name, needed=False),  # an earlier one, which would go on as it was
            _tasks("/Create", name, "/XML", self._path(name), "/F"),
            _tasks("/Run", name),
        ]

    def stop(self, name: str) -> list[Call]:
        return [_tasks("/End", name, needed=False), _tasks("/Delete", name, "/F", needed=False)]

    def forget(self, name: str) -> list[Call]:
        return []

    def ask(self, name: str) -> Call:
        return _tasks("/Query", name, "/V", "/FO", "CSV", "/NH", needed=False)

    def read_state(self, outcome: Outcome) -> State:
        if outcome.code:
            return State(words="the Task Scheduler does not know it")
        row = next((row for row in csv.reader(outcome.out.splitlines()) if len(row) > _LAST_RESULT), None)
        if row is None:
            return State(words="the Task Scheduler does not answer")
        if row[_LAST_RESULT] == str(_RUNNING):
            return State(since=row[_LAST_RUN])
        return State(
            words=f"last started {row[_LAST_RUN]}, last exit code {row[_LAST_RESULT]}, started every 5 minutes"
        )

    def show_log(self, name: str) -> Call | None:
        return None

    def read_file(self, data: bytes) -> Found | None:
        task = data.decode("utf-16", errors="replace")
        program = re.search(r"<Command>(.*?)</Command>", task)
        root = re.search(r"<Documentation>(.*?)</Documentation>", task)
        return Found(html.unescape(program[1]), html.unescape(root[1])) if program and root else None

    def advise(self, job: Job) -> str:
        if ntpath.basename(job.command[0]).lower() == "pythonw.exe":
            return "It runs without a window while you are logged in."
        return (
            "Its window stays open while you are logged in, because this Python has no pythonw.exe; with one from "
            "python.org it would have none."
        )


def _tasks(verb: str, name: str, *words: str, needed: bool = True) -> Call:
    return Call(("schtasks", verb, "/TN", name, *words), needed)


def _escape(text: str) -> str:
    return html.escape(text, quote=False)
