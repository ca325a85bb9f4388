"""The agenda page in Chromium: at three sizes, light and dark, with its script and without, by touch and by keyboard.

axe says whether everybody can use it, html-validate whether it is HTML, and Chromium whether it keeps to its own
policy and asks nobody else.  ``NODE_PATH`` names the folder with the Node packages; ``NOTESYNC_SCREENSHOTS`` a folder
in which pictures are kept for a person to look at.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from notesync.followup.agenda import Moment
from notesync.serve.app import build_app
from notesync.serve.board import Board, build_site
from notesync.serve.server import Server, open_socket
from notesync.store.example import copy_example
from notesync.store.keys import Keys
from notesync.sync.pipeline import Workspace, open_workspace

pytestmark = pytest.mark.readers

HERE = Path(__file__).parent
MISSING = 77
TODAY = date(2026, 11, 24)
KEYS = Keys("f" * 32, "9" * 32)
CASES = ("example", "empty", "awkward", "many")
AWKWARD = (
    "</script><script>document.title='taken'</script>",
    "<img src=x onerror=alert(1)>",
    "שלום, 12 רחוב הרצל",
    "\u202eright to left",
    "W" * 300,
    "an unbroken-" + "x" * 200,
    "👩🏽‍🚀" * 20,
    "a, b; c \\N d \\n e",
    "{% if %} {# 7 * 7 #}",
    "&amp; &lt; ' \"",
)


def write_note(root: Path, name: str, *lines: str) -> None:
    text = "\n".join(("---", "type: client", *lines, "---", "", "## Log", "", "- 2026-10-01 call: hello", ""))
    (root / f"{name}.md").write_text(text, encoding="utf-8")


def write_vault(root: Path, case: str) -> None:
    root.mkdir()
    if case == "example":
        copy_example(root, TODAY)
        return
    (root / "notesync.yaml").write_text("timezone: Africa/Johannesburg\ncurrency: ZAR\n", encoding="utf-8")
    if case == "awkward":
        for number, text in enumerate(AWKWARD):
            words = json.dumps(text, ensure_ascii=False)
            keys = ("name", "company", "owner", "next_action", "best_time", "address", "email", "phone")
            facts = (f"{key}: {words}" for key in keys)
            write_note(root, f"Note {number}", *facts, "next_contact: 2026-11-23", "value: 12000000")
        write_note(root, "Wrong", "next_contact: 2026-13-45", "every: fortnight-ish")
    elif case == "many":
        for number in range(500):
            day = f"next_contact: 2026-11-{10 + number % 20}"
            write_note(root, f"Client {number:03}", day, f"owner: Rep {number % 9}", "phone: 088 555 0100")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the browser found, by case."""
    node = shutil.which("node") or give_up("node")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or give_up("chromium")
    place = tmp_path_factory.mktemp("pages")
    shots = Path(os.environ.get("NOTESYNC_SCREENSHOTS") or place)
    with ExitStack() as stack:
        vaults = [stack.enter_context(serve(place, case)) for case in CASES]
        command = [
            node, str(HERE / "look_at_page.mjs"), chromium, str(shots),
            *(f"{case} {address}" for case, (address, _) in zip(CASES, vaults, strict=True)),
        ]  # fmt: skip
        process = stack.enter_context(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
        )
        results = list(read_results(process, [change for _, change in vaults]))
        if process.wait(60) == MISSING:
            give_up("one of puppeteer-core, axe-core and html-validate")
    assert [each["name"] for each in results] == list(CASES)
    return {each["name"]: each for each in results}


def give_up(what: str) -> Any:
    if os.environ.get("NOTESYNC_REQUIRE_CLIENTS"):
        pytest.fail(f"{what} is not installed, and NOTESYNC_REQUIRE_CLIENTS is set")
    pytest.skip(f"{what} is not installed")


class Change:
    """A note that comes in while somebody looks at the page."""

    def __init__(self, root: Path, workspace: Workspace, board: Board) -> None:
        self._root, self._workspace, self._board = root, workspace, board

    def __call__(self) -> None:
        write_note(self._root, "Newcomer", "next_contact: 2026-11-24", "next_action: Say good morning")
        self._workspace.refresh()
        self._board.site = build_site(self._workspace, KEYS, datetime.now().astimezone(), self._board.site)


def serve(place: Path, case: str) -> Any:
    from contextlib import contextmanager

    @contextmanager
    def serving() -> Iterator[tuple[str, Change]]:
        root = place / case
        write_vault(root, case)
        sock = open_socket("127.0.0.1", 0)
        port = sock.getsockname()[1]
        with open_workspace(
            str(root), lambda _zone: Moment(TODAY, 600), cache=str(place / f"cache-{case}")
        ) as vault:
            vault.refresh()
            board = Board(build_site(vault, KEYS, datetime.now().astimezone()))
            with Server(build_app(board, frozenset(("127.0.0.1",))), sock, print):
                yield f"http://127.0.0.1:{port}/open/{KEYS.page}", Change(root, vault, board)

    return serving()


def read_results(process: subprocess.Popen[str], changes: list[Change]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    assert process.stdin is not None
    left = list(changes)
    for line in process.stdout:
        if line == "change\n":
            left.pop(0)()
            process.stdin.write("changed\n")
            process.stdin.flush()
        else:
            yield json.loads(line)


@pytest.mark.parametrize("case", CASES)
class TestEveryPage:
    """What has to hold of any vault's page."""

    def test_everybody_can_use_it(self, found: dict[str, Any], case: str) -> None:
        assert found[case]["axe"] == []

    def test_it_is_html(self, found: dict[str, Any], case: str) -> None:
        assert found[case]["html"] == []

    def test_nothing_is_refused_and_nobody_else_is_asked(self, found: dict[str, Any], case: str) -> None:
        assert found[case]["console"] == []
        assert found[case]["strangers"] == []

    def test_it_fits_every_width(self, found: dict[str, Any], case: str) -> None:
        assert found[case]["wide"] == []

    def test_a_thumb_finds_every_link(self, found: dict[str, Any], case: str) -> None:
        assert found[case]["small"] == []

    def test_it_is_complete_without_its_script(self, found: dict[str, Any], case: str) -> None:
        assert found[case]["without"].split() == found[case]["text"].split()

    def test_the_keyboard_reaches_every_link_in_order_and_is_seen(
        self, found: dict[str, Any], case: str
    ) -> None:
        walk = found[case]["walk"]
        assert walk[0][1] == "Skip to the agenda"
        assert all(seen for _, _, seen in walk)
        assert {tag for tag, _, _ in walk} <= {"A", "SUMMARY"}

    def test_an_open_page_learns_of_a_change(self, found: dict[str, Any], case: str) -> None:
        update = found[case]["update"]
        assert "Newcomer" not in found[case]["without"]
        assert "Newcomer" in update["text"]
        assert update["after"] == update["before"]
        assert (update["offline"], update["online"]) == (True, True)


def test_who_was_not_let_in_sees_nothing(found: dict[str, Any]) -> None:
    assert found["example"]["closed"].startswith("This page is closed")


def test_each_owner_sees_their_own(found: dict[str, Any]) -> None:
    owners = found["many"]["owners"]
    assert list(owners) == ["Everybody", *(f"Rep {number}" for number in range(9))]
    assert "Client 001" in owners["Rep 1"]
    assert "Client 002" not in owners["Rep 1"]
    assert "Client 002" in owners["Everybody"]


def test_nothing_of_an_awkward_note_is_run(found: dict[str, Any]) -> None:
    text = found["awkward"]["text"]
    for words in (
        "</script><script>document.title='taken'</script>",
        "<img src=x onerror=alert(1)>",
        "{% if %} {# 7 * 7 #}",
    ):
        assert words in text
