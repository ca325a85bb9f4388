"""An agent of macOS's launchd: one property list in the user's LaunchAgents.

In: a job.  Out: the list's bytes, and launchctl's words.  See launchd.plist(5) and launchctl(1).
"""

from __future__ import annotations

import plistlib
import posixpath
import re

from notesync.sync.service import RETRY, Call, File, Found, Job, Outcome, Place, State

_STATED = re.compile(r"^\t(state|pid|last exit code) = (.*)$", re.MULTILINE)
# Places that macOS shows a program only after the user has said yes.
_GUARDED = ("Desktop", "Documents", "Downloads", "Library/CloudStorage", "Library/Mobile Documents")


class Launchd:
    """macOS."""

    title = "launchd"
    program = "launchctl"
    missing = (
        "launchd does not answer for you here: log in at the screen once, not only by ssh, and try again. "
        "Until then a line for 'crontab -e' does it:"
    )

    def __init__(self, place: Place) -> None:
        self._home = place.home
        self._domain = f"gui/{place.uid}"

    def name(self, key: str) -> str:
        return f"local.{key}"

    def log(self, name: str) -> str:
        return posixpath.join(self._home, "Library", "Logs", "notesync", f"{name}.log")

    def probe(self) -> Call | None:
        return Call(("launchctl", "print", self._domain))

    def files(self, job: Job) -> list[File]:
        settings: dict[str, object] = {
            "Label": job.name,
            "ProgramArguments": list(job.command),
            "EnvironmentVariables": dict(job.environment),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": RETRY,
            # What Python itself says when it cannot begin; the rest goes there by --log, which bounds the file.
            "StandardErrorPath": self.log(job.name),
        }
        if not job.environment:
            del settings["EnvironmentVariables"]
        return [File(self._path(job.name), plistlib.dumps(settings, sort_keys=False))]

    def _path(self, name: str) -> str:
        return posixpath.join(self._home, "Library", "LaunchAgents", f"{name}.plist")

    def leftovers(self, name: str) -> list[str]:
        return [self._path(name), self.log(name), f"{self.log(name)}.1"]

    def start(self, name: str) -> list[Call]:
        return [
            *self.stop(name),
            Call(("launchctl", "enable", f"{self._domain}/{name}"), needed=False),
            # What was there ends only some time after bootout has: until then bootstrap fails with error 5.
            Call(("launchctl", "bootstrap", self._domain, self._path(name)), tries=10),
        ]

    def stop(self, name: str) -> list[Call]:
        return [Call(("launchctl", "bootout", f"{self._domain}/{name}"), needed=False)]

    def forget(self, name: str) -> list[Call]:
        return []

    def ask(self, name: str) -> Call:
        return Call(("launchctl", "print", f"{self._domain}/{name}"), needed=False)

    def read_state(self, outcome: Outcome) -> State:
        if outcome.code:
            return State(words="launchd does not know it")
        found = dict(reversed(_STATED.findall(outcome.out)))  # the first of each is the service's own
        if found.get("state") == "running" and found.get("pid", "").isdecimal():
            return State(int(found["pid"]))
        code = found.get("last exit code", "")
        failed = f"failed with exit code {code}, tried again within {RETRY} seconds"
        return State(words="stopped" if code in ("", "0", "(never exited)") else failed)

    def show_log(self, name: str) -> Call | None:
        return None

    def read_file(self, data: bytes) -> Found | None:
        try:
            words = plistlib.loads(data)["ProgramArguments"]
            return Found(str(words[0]), str(words[words.index("--vault") + 1]))
        except Exception:  # plistlib raises whatever its parser does
            return None

    def advise(self, job: Job) -> str:
        if not any(job.root.startswith(posixpath.join(self._home, place) + "/") for place in _GUARDED):
            return ""
        return (
            "macOS may ask whether Python may read this folder: say yes. If 'notesync service status' tells of "
            "'Operation not permitted', allow it under System Settings, Privacy & Security, Full Disk Access."
        )
