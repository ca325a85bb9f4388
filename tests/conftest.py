"""What all tests share: golden files, and the one option that rewrites them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from notesync.followup.agenda import Moment
from notesync.sync import reading, refresh
from notesync.sync.pipeline import Workspace, open_workspace

GOLDEN = Path(__file__).parent / "golden"
HOMES = ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden-rewrite", action="store_true", help="write what comes out to tests/golden")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str | bytes], None]:
    """``golden(name, found)`` demands that ``found`` is what tests/golden/``name`` holds, byte for byte."""

    def compare(name: str, found: str | bytes) -> None:
        data = found.encode() if isinstance(found, str) else found
        path = GOLDEN / name
        if request.config.getoption("--golden-rewrite"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert path.exists(), f"no {path}: pytest --golden-rewrite writes it"
        if isinstance(found, str):  # a diff of lines says more than one of bytes
            assert found == path.read_bytes().decode()
        assert data == path.read_bytes()

    return compare


@pytest.fixture(autouse=True, scope="session")
def _no_waits() -> Iterator[None]:
    """A command looks a second time at what went just now, but at once: nobody has to save anything meanwhile."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(refresh, "GLANCE", 0.0)
        patched.setattr(reading, "RETRY", 0.0)
        yield


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """A folder, in memory where the system has such a place: waiting for the disk is not what is tested."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="notesync-") as folder:
        yield Path(folder)


@pytest.fixture
def own_places(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, for the commands that keep something there: nothing of the person who runs the tests is touched."""
    home = quick_path / "home"
    home.mkdir()
    for name in HOMES:
        monkeypatch.setenv(name, str(home))
    for name in ("NOTESYNC_VAULT", "NO_COLOR", "FORCE_COLOR", "NOW"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def vault(quick_path: Path) -> Path:
    """An empty vault, for the tests that want no more."""
    root = quick_path / "vault"
    root.mkdir()
    return root


@pytest.fixture
def workspace(vault: Path, quick_path: Path) -> Iterator[Workspace]:
    """That vault as it is on Sunday 22 November 2026, at ten."""
    now = Moment(date(2026, 11, 22), 600)
    with open_workspace(str(vault), lambda _zone: now, cache=str(quick_path / "cache")) as opened:
        yield opened
