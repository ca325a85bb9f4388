"""Reviews as browsers draw them: the page in Chromium, the note's charts by Mermaid, which is what Obsidian draws with.

``NODE_PATH`` names the folders with Node packages, one of them with mermaid; ``NOTESYNC_SCREENSHOTS`` a folder in
which pictures are kept for a person to look at.  With ``NOTESYNC_REQUIRE_CLIENTS=1`` what is missing is a failure.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import NoReturn

import pytest

from notesync.followup.agenda import Moment
from notesync.followup.period import parse_period
from notesync.publish.review_note import render_review_markdown
from notesync.publish.review_page import find_style_source, render_review_page
from notesync.store.example import EXAMPLE_DAY, copy_example
from notesync.sync.pipeline import open_workspace
from notesync.sync.reviewing import review_period

pytestmark = pytest.mark.readers

AWKWARD = """---
type: client
name: '</title><script>document.title="taken"</script>'
owner: "<img src=x onerror=alert(1)>"
company: "a|b]] `c` %% ${7*7}"
stage: customer
every: week
value: 12000000
lost: 2026-11-12
---
## Log
- 2026-11-12 call: lost: "];click A href "javascript:alert(1)" </style><b>too dear</b>
- 2026-11-09 call: x #complaint #"];
- 2026-11-04 10:00 call (no answer): شمال \u202e right to left
- 2026-11-03 call: WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\
WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW #complaint
"""
PLAN = """plans:
  'own':
    title: "Own"
    anchor: lost
    steps:
      - {step: "very-long-name-of-a-step-that-nobody-can-read", title: x, from: 1d, to: 2d, kind: contact,
         settled_by: contact}
"""
PERIODS = {"month": "month", "week": "2026-W46", "quarter": "2026-Q4", "year": "2026"}


def give_up(what: str) -> NoReturn:
    if os.environ.get("NOTESYNC_REQUIRE_CLIENTS"):
        pytest.fail(f"{what} is not installed, and NOTESYNC_REQUIRE_CLIENTS is set")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="module")
def chromium() -> str:
    return shutil.which("chromium") or shutil.which("chromium-browser") or give_up("chromium")


@pytest.fixture(scope="module")
def mermaid() -> Path:
    for folder in os.environ.get("NODE_PATH", "").split(os.pathsep):
        found = Path(folder) / "mermaid" / "dist" / "mermaid.min.js"
        if folder and found.is_file():
            return found
    give_up("mermaid")


def render(root: Path, words: str) -> tuple[str, str]:
    """A period's review as a page and as Markdown."""
    period = parse_period(words, EXAMPLE_DAY)
    assert period is not None
    with open_workspace(
        str(root), lambda _: Moment(EXAMPLE_DAY), cache=str(root.parent / "cache")
    ) as workspace:
        workspace.refresh()
        review = review_period(workspace, period)
    return "".join(render_review_page(review)), "".join(render_review_markdown(review))


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    root = tmp_path_factory.mktemp("example") / "vault"
    root.mkdir()
    copy_example(root, EXAMPLE_DAY)
    found = {name: render(root, words) for name, words in PERIODS.items()}
    other = tmp_path_factory.mktemp("awkward") / "vault"
    other.mkdir()
    (other / "Ann.md").write_text(AWKWARD, encoding="utf-8")
    (other / "notesync.yaml").write_text(PLAN, encoding="utf-8")
    return found | {"awkward": render(other, "month")}


def browse(chromium: str, page: Path, width: int, *more: str) -> tuple[str, list[str]]:
    """The page's tree once its scripts are done, and what the browser complains of."""
    command = [
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
        f"--user-data-dir={page.parent / 'profile'}", f"--window-size={width},1400", *more, page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def keep_picture(chromium: str, page: Path, name: str, width: int, *more: str) -> None:
    folder = os.environ.get("NOTESYNC_SCREENSHOTS")
    if folder:
        browse(chromium, page, width, f"--screenshot={Path(folder) / name}.png", *more)


@pytest.mark.parametrize("name", [*PERIODS, "awkward"])
def test_the_page_is_drawn_and_keeps_to_its_policy(
    name: str, reviews: dict[str, tuple[str, str]], chromium: str, tmp_path: Path
) -> None:
    page = tmp_path / "review.html"
    page.write_text(reviews[name][0], encoding="utf-8")
    tree, complaints = browse(chromium, page, 900, "--dump-dom")
    assert not complaints
    assert "taken" not in re.findall("<title>(.*?)</title>", tree)[0]
    assert "<svg" in tree
    assert "<script" not in tree
    keep_picture(chromium, page, f"review-{name}", 900)
    keep_picture(chromium, page, f"review-{name}-dark", 900, "--blink-settings=preferredColorScheme=0")


@pytest.mark.parametrize("name", ["month", "year", "awkward"])
def test_nothing_sticks_out_of_a_narrow_window(
    name: str, reviews: dict[str, tuple[str, str]], chromium: str, tmp_path: Path
) -> None:
    measure = (
        "<script>document.title = JSON.stringify([document.documentElement.scrollWidth, innerWidth])</script>"
    )
    text = reviews[name][0].replace(find_style_source(), "unsafe-inline")
    text = text.replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
    page = tmp_path / "narrow.html"
    page.write_text(text.replace("</body>", f"{measure}</body>"), encoding="utf-8")
    tree, _ = browse(chromium, page, 500, "--dump-dom")
    wide, window = json.loads(html.unescape(re.findall("<title>(.*?)</title>", tree)[0]))
    assert wide <= window
    keep_picture(chromium, page, f"review-{name}-narrow", 500)


MERMAID = """<!doctype html><meta charset="utf-8"><body><script>{library}</script><script>
const charts = {charts};
mermaid.initialize({{startOnLoad: false, securityLevel: "strict"}});
(async () => {{
  const told = [];
  for (const [at, chart] of charts.entries()) {{
    try {{
      const {{svg}} = await mermaid.render("chart" + at, chart);
      const place = document.body.appendChild(document.createElement("div"));
      place.innerHTML = svg;
      told.push({{words: place.textContent, shapes: place.querySelectorAll("rect, path").length,
        colors: [...place.querySelectorAll(".pieCircle")].map(slice => slice.getAttribute("fill"))}});
    }} catch (error) {{ told.push({{error: String(error)}}); }}
  }}
  const out = document.body.appendChild(document.createElement("pre"));
  out.id = "told";
  out.textContent = JSON.stringify(told);
}})();
</script>"""


@pytest.mark.parametrize("name", [*PERIODS, "awkward"])
def test_mermaid_draws_every_chart(
    name: str, reviews: dict[str, tuple[str, str]], chromium: str, mermaid: Path, tmp_path: Path
) -> None:
    charts = re.findall(r"^```mermaid\n(.*?)^```$", reviews[name][1], re.MULTILINE | re.DOTALL)
    assert charts
    library = mermaid.read_text(encoding="utf-8").replace("</script", "<\\/script")
    page = tmp_path / "charts.html"
    given = json.dumps(charts).replace("<", "\\u003c")
    page.write_text(MERMAID.format(library=library, charts=given), encoding="utf-8")
    wait = "--virtual-time-budget=20000"
    tree, _ = browse(chromium, page, 760, wait, "--dump-dom")
    told = json.loads(html.unescape(re.findall('<pre id="told">(.*?)</pre>', tree, re.DOTALL)[0]))
    assert len(told) == len(charts)
    for chart, found in zip(charts, told, strict=True):
        assert "error" not in found, (chart, found)
        assert found["shapes"] > 1
        words = re.findall(r'"([^"#]+)"', chart.partition("---\n")[2].partition("---\n")[2])
        assert words
        assert all(word in found["words"] for word in words), (words, found["words"])
        assert found["colors"] == re.findall(r'pie[0-9]: "(#[0-9a-f]{6})"', chart)
    keep_picture(chromium, page, f"mermaid-{name}", 760, wait)


def test_the_pages_are_of_the_example(reviews: dict[str, tuple[str, str]]) -> None:
    assert date(2026, 11, 22) == EXAMPLE_DAY
    assert "Sipho Dlamini" in reviews["month"][0]
