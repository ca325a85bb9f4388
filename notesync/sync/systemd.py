"""A service of systemd's user manager: one unit below the user's configuration.

In: a job.  Out: the unit's text, and systemctl's words.  See systemd.service(5) and systemd.syntax(7).
"""

from __future__ import annotations

import posixpath
import re

from notesync.sync.service import RETRY, Call, File, Found, Job, Outcome, Place, State

_UNIT = """\
# Made by notesync: 'notesync service install' writes it anew, 'notesync service remove' removes it.
[Unit]
Description=notesync keeps the follow-ups of {title} current
# A drive that is away may be back after hours: it is tried again for ever, once in {retry} seconds.
StartLimitIntervalSec=0

[Service]
ExecStart={command}
{environment}Restart=on-failure
RestartSec={retry}

[Install]
WantedBy=default.target
"""
_ASKED = "LoadState,ActiveState,SubState,MainPID,ActiveEnterTimestamp,Result,ExecMainStatus,NRestarts"
_ENV = "/usr/bin/env"
_REFUSED = set("\"'\\")  # in the path of a program, however it is quoted; not in the words after it
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Systemd:
    """Linux with systemd."""

    title = "systemd"
    program = "systemctl"
    missing = (
        "No systemd runs for you here. In WSL write 'systemd=true' below '[boot]' into /etc/wsl.conf and run "
        "'wsl --shutdown'; in a container let it run 'notesync watch' as its command; where you came by su or sudo, "
        "log in as yourself. Elsewhere a line for 'crontab -e' does it:"
    )

    def __init__(self, place: Place) -> None:
        config = place.config or posixpath.join(place.home, ".config")
        self._folder = posixpath.join(config, "systemd", "user")

    def name(self, key: str) -> str:
        return f"{key}.service"

    def log(self, name: str) -> str:
        return ""

    def probe(self) -> Call | None:
        return _user("show-environment")

    def files(self, job: Job) -> list[File]:
        # A colon keeps systemd from reading $ as a variable, also in the program's own path, where $$ would
        # stay as it is; versions before 244 do not know it, so it stands only where it is wanted.
        literal = ":" if any("$" in word for word in job.command) else ""
        through = [_ENV] if set(job.command[0]) & _REFUSED else []
        unit = _UNIT.format(
            title=job.root.replace("%", "%%"),
            command=literal + " ".join(map(_quote, [*through, *job.command])),
            environment="".join(
                f"Environment={_quote(f'{key}={value}')}\n" for key, value in job.environment
            ),
            retry=RETRY,
        )
        return [File(posixpath.join(self._folder, job.name), unit.encode())]

    def leftovers(self, name: str) -> list[str]:
        return [
            posixpath.join(self._folder, name),
            posixpath.join(self._folder, "default.target.wants", name),
        ]

    def start(self, name: str) -> list[Call]:
        return [
            _user("daemon-reload"),
            _user("enable", name),
            _user("restart", name),  # also where an earlier one runs
        ]

    def stop(self, name: str) -> list[Call]:
        return [_user("disable", "--now", name, needed=False)]

    def forget(self, name: str) -> list[Call]:
        return [_user("daemon-reload", needed=False), _user("reset-failed", name, needed=False)]

    def ask(self, name: str) -> Call:
        return _user("show", name, f"--property={_ASKED}", needed=False)

    def read_state(self, outcome: Outcome) -> State:
        found = dict(line.split("=", 1) for line in outcome.out.splitlines() if "=" in line)
        if outcome.code or not found:
            return State(words="systemd does not answer")
        if found.get("ActiveState") == "active":
            restarts = _number(found.get("NRestarts", ""))
            words = f"started again {restarts} times after a failure" if restarts else ""
            return State(_number(found.get("MainPID", "")), found.get("ActiveEnterTimestamp", ""), words)
        if found.get("LoadState") == "not-found":
            return State(words="systemd does not know it: 'systemctl --user daemon-reload'")
        status = _number(found.get("ExecMainStatus", ""))
        failed = f"failed ({found.get('Result', '')}, exit code {status})" if status else "stopped"
        waiting = f", tried again within {RETRY} seconds" if found.get("SubState") == "auto-restart" else ""
        return State(words=failed + waiting)

    def show_log(self, name: str) -> Call | None:
        words = ("journalctl", "--user", "--unit", name, "--lines=5", "--no-pager", "--output=short-iso")
        return Call(words, needed=False)

    def read_file(self, data: bytes) -> Found | None:
        _, begun, rest = data.decode(errors="replace").partition("\nExecStart=")
        words = [_unquote(word) for word in _WORD.findall(rest.partition("\n")[0])] if begun else []
        if "--vault" not in words[:-1]:
            return None
        return Found(words[words[0] == _ENV], words[words.index("--vault") + 1])

    def advise(self, job: Job) -> str:
        return (
            "It runs while you are logged in. On a server, where nobody is, 'loginctl enable-linger' lets it run "
            "from the start of the machine on."
        )


def _user(*words: str, needed: bool = True) -> Call:
    return Call(("systemctl", "--user", *words), needed)


def _quote(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _unquote(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word).replace("%%", "%")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
