"""The house has an order; DESIGN's "seven lines" say why, and this says no otherwise."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
PACKAGE = HOME / "notesync"

# A module imports only from its own floor and from those before it.
FLOORS = [
    "problems",
    "notes",
    "followup",
    "store",
    "publish",
    "importers",
    "sync",
    "serve",
    "cli",
    "__main__",
]
DOORS = {
    "yaml": ["notes/*", "followup/settings_yaml.py"],
    "frontmatter": ["notes/*"],
    "dateutil": ["followup/dates.py", "followup/recurrence.py"],
    "holidays": ["followup/work_calendar.py"],
    "sqlite3": ["store/*"],
    "icalendar": ["publish/calendar.py"],
    "rich": ["publish/*"],
    "jinja2": ["publish/page.py"],
    "bs4": ["importers/enml.py"],
    "markdownify": ["importers/enml.py"],
    "segno": ["publish/page.py"],
    "drawsvg": ["publish/review_charts.py"],
    "watchdog": ["sync/watch.py"],
    "starlette": ["serve/*"],
    "uvicorn": ["serve/*"],
    "click": ["cli/*"],
}
PURE = ("notes", "followup", "publish")
IMPURE_MODULES = {
    "asyncio",
    "io",
    "os",
    "pathlib",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "time",
}
IMPURE_CALLS = {"open", "input", "print", "datetime.now", "datetime.today", "datetime.utcnow", "date.today"}
NOT_NEEDED_BY_CHECK = {
    "yaml",
    "frontmatter",
    "icalendar",
    "watchdog",
    "rich",
    "dateutil",
    "holidays",
    "asyncio",
    "bs4",
    "markdownify",
    "jinja2",
    "segno",
    "drawsvg",
    "starlette",
    "uvicorn",
}

MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def parse(module):
    return list(ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))))


def find_imports(module):
    """Every name a module imports, wherever in it, with the line: ``notesync.notes.note`` or ``os.path``."""
    for node in parse(module):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import hides where it points"
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def find_floor(module):
    return module.split("/")[0].removesuffix(".py")


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_backwards_and_each_library_has_one_door(module):
    for name, line in find_imports(module):
        first, *rest = name.split(".")
        if first == "notesync":
            backwards = rest[0] not in FLOORS or FLOORS.index(rest[0]) <= FLOORS.index(find_floor(module))
            assert backwards, f"{module}:{line} imports {name}: that points forward"
        elif first not in sys.stdlib_module_names or first in DOORS:
            doors = DOORS.get(first, [])
            assert any(fnmatchcase(module, door) for door in doors), (
                f"{module}:{line}: {first} belongs in {doors}"
            )


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith(PURE)])
def test_pure_folders_touch_neither_disk_nor_clock(module):
    imported = {(name, line) for name, line in find_imports(module)}
    found = [f"{name}:{line}" for name, line in imported if {name, name.split(".")[0]} & IMPURE_MODULES]
    calls = [node for node in parse(module) if isinstance(node, ast.Call)]
    found += [
        f"{ast.unparse(call.func)}:{call.lineno}" for call in calls if ast.unparse(call.func) in IMPURE_CALLS
    ]
    assert not found, f"{module}: {found}"


def test_every_module_is_named_after_its_subject_and_finished():
    floors = {find_floor(module) for module in MODULES} - {"__init__"}
    assert floors <= set(FLOORS)
    for module in MODULES:
        assert not {"utils", "helpers", "common", "core", "models", "misc"} & set(
            re.split(r"[/.]", module)
        ), module
        text = (PACKAGE / module).read_text(encoding="utf-8")
        assert not re.search(r"#.*\b(TODO|FIXME|XXX)\b|raise NotImplementedError", text), module
        assert not text or ast.get_docstring(ast.parse(text)), (
            f"{module} says neither what comes in nor what goes out"
        )


def list_committed():
    if not (HOME / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOME, capture_output=True, check=True).stdout
    return [HOME / os.fsdecode(name) for name in listed.split(b"\0") if name]


def test_nothing_of_one_machine_is_committed():
    """No path, registry or lock file of the machine it was made on: it must build anywhere."""
    locks = {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "package-lock.json", "yarn.lock"}
    hosts = ["pythonhosted", "registry.npmjs", "pypi.org/simple", "deb.debian", "extra-index-url"]
    here = re.compile(
        rb"(?<![\w.])/(?:work|farm|root)/|" + b"|".join(re.escape(host.encode()) for host in hosts)
    )
    for path in list_committed():
        assert path.name not in locks, path
        if path != Path(__file__) and path.is_file():
            assert not (found := here.search(path.read_bytes())), f"{path}: {found}"


NAMING_ITS_MODULES = """
import atexit, sys
atexit.register(lambda: print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr))
from notesync.cli import main
main()
"""


def test_check_of_an_unchanged_vault_imports_little(tmp_path):
    """What a library costs at its import is felt at every ``check``; rows are stored so that it needs none."""
    vault = tmp_path / "vault"
    shutil.copytree(HOME / "examples" / "vault", vault)
    places = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state")}

    def run(*arguments):
        command = [sys.executable, "-c", NAMING_ITS_MODULES, *arguments, "--vault", str(vault)]
        environment = os.environ | places | {"PYTHONPATH": str(HOME)}
        return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)

    synced = run("sync")
    assert synced.returncode == 0, synced.stderr
    done = run("check", "--today", "2026-11-22")
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout
    assert not NOT_NEEDED_BY_CHECK & set(done.stderr.split())
