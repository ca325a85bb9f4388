"""Reviews as people see them: a note in the vault, a page, a terminal; whatever the client notes hold."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from notesync.cli.review import has_blocks
from notesync.followup.agenda import Moment
from notesync.followup.figures import BY_NAME, FIGURES
from notesync.followup.period import parse_period
from notesync.followup.review import Review
from notesync.notes.generated import BLOCK
from notesync.notes.versions import Version, settle
from notesync.problems import RefusedError
from notesync.publish.review_data import (
    render_review_csv,
    render_review_json,
    render_why_csv,
    render_why_json,
    render_why_lines,
)
from notesync.publish.review_note import refresh_review, render_review_markdown
from notesync.publish.review_page import find_style_source, render_review_page
from notesync.publish.review_table import render_review_lines, render_review_table, share_out
from notesync.publish.text import NOTE_START
from notesync.sync.client_note import read_history
from notesync.sync.pipeline import Selection, Workspace, open_workspace
from notesync.sync.review_note import find_review_path, write_review
from notesync.sync.reviewing import review_period

EXAMPLE = Path(__file__).parents[1] / "examples" / "vault"
TODAY = date(2026, 11, 22)

# Words that would be something else in Markdown, Mermaid, HTML, a table, a shell or a spreadsheet.
NASTY = (
    '<script>alert(1)</script> | [[Acme]] ![[x]] `a` ```mermaid %% notesync end: objectives %% "];click '
    "</style> {{x}} =1+1 \x1b[31m #sold"
)
NASTY_NOTE = f"""---
type: client
name: '<b>Ann</b> | [[x]] %%'
owner: Anna
stage: customer
every: week
value: 100
lost: 2026-11-12
---
## Log
- 2026-11-12 call: lost: {NASTY}
- 2026-11-03 call: {NASTY} #complaint #so|bad
- 2026-11-02 call: {NASTY} #promise
"""


def open_vault(root: Path) -> Workspace:
    workspace = open_workspace(str(root), lambda _: Moment(TODAY, 600), cache=str(root.parent / "cache"))
    workspace.refresh()
    return workspace


def look_back(root: Path, words: str = "month", owners: tuple[str, ...] = ()) -> Review:
    period = parse_period(words, TODAY)
    assert period is not None
    with open_vault(root) as workspace:
        return review_period(workspace, period, owners)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Review:
    root = tmp_path_factory.mktemp("example") / "vault"
    root.mkdir()
    for path in EXAMPLE.rglob("*"):
        if path.suffix in (".md", ".yaml"):
            target = root / path.relative_to(EXAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return look_back(root)


@pytest.fixture
def vault(own_places: Path, quick_path: Path) -> Path:
    root = quick_path / "vault"
    root.mkdir()
    (root / "Ann.md").write_text(
        "---\ntype: client\nowner: Anna\nvalue: 100\n---\n## Log\n- 2026-11-03 call: x\n", encoding="utf-8"
    )
    return root


@pytest.fixture
def nasty(vault: Path) -> Review:
    (vault / "Ann.md").write_text(NASTY_NOTE, encoding="utf-8")
    return look_back(vault)


def write(vault: Path) -> str:
    """Write the month's review; what was done to which note."""
    period = parse_period("month", TODAY)
    assert period is not None
    with open_vault(vault) as workspace:
        steps, path = write_review(workspace, review_period(workspace, period))
        return f"{path} {'kept' if not steps else 'made' if steps[0].before is None else 'changed'}"


def test_a_review_does_not_begin_like_the_agendas_note_which_is_written_over(vault: Path) -> None:
    write(vault)
    data = (vault / "Reviews" / "2026-11.md").read_bytes()
    assert data.startswith(b"---\nreview: 2026-11\ngenerated: notesync\n---\n")
    assert not data.startswith(NOTE_START.encode())


def log(vault: Path, entry: str) -> None:
    with (vault / "Ann.md").open("a", encoding="utf-8") as note:
        note.write(f"{entry}\n")


# --- The note --------------------------------------------------------------------------------------------


def test_a_review_is_made_then_kept_then_refreshed_around_the_answers(vault: Path) -> None:
    assert write(vault) == "Reviews/2026-11.md made"
    assert write(vault) == "Reviews/2026-11.md kept"
    note = vault / "Reviews" / "2026-11.md"
    answered = note.read_text(encoding="utf-8").replace(
        "**What I learned:**\n\n- ", "**What I learned:**\n\n- Ask first, *then* talk."
    )
    note.write_text(f"{answered}\nMy own last words.\n", encoding="utf-8")
    assert write(vault) == "Reviews/2026-11.md kept"
    log(vault, "- 2026-11-05 visit: y")
    assert write(vault) == "Reviews/2026-11.md changed"
    text = note.read_text(encoding="utf-8")
    assert "| Contacts made | 2 (1 call, 1 visit) |" in text
    assert "- Ask first, *then* talk." in text
    assert text.endswith("\nMy own last words.\n")
    with open_vault(vault) as workspace:
        workspace.undo(None)
    assert "| Contacts made | 1 (1 call) |" in note.read_text(encoding="utf-8")
    assert "- Ask first, *then* talk." in note.read_text(encoding="utf-8")


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_stay(vault: Path, ends: str) -> None:
    write(vault)
    note = vault / "Reviews" / "2026-11.md"
    data = b"\xef\xbb\xbf" + note.read_bytes().replace(b"\n", ends.encode())
    note.write_bytes(data)
    assert write(vault) == "Reviews/2026-11.md kept"
    log(vault, "- 2026-11-05 visit: y")
    assert write(vault) == "Reviews/2026-11.md changed"
    after = note.read_bytes()
    assert after.startswith(b"\xef\xbb\xbf---")
    assert after.count(ends.encode()) == len(re.findall(rb"\r\n|\r|\n", after))


CHANGES: dict[str, Callable[[str], str]] = {
    "a figure": lambda text: text.replace("| Contacts made | 1 ", "| Contacts made | 9 "),
    "a word of one's own between figures": lambda text: text.replace(
        "## 4. Did", "Not quite true.\n\n## 4. Did"
    ),
    "a mark taken away": lambda text: text.replace("%% notesync end: lessons %%", ""),
    "a block taken away": lambda text: re.sub(
        r"%% notesync figures: lessons .*?end: lessons %%", "", text, flags=re.DOTALL
    ),
    "a block twice": lambda text: text + text,
    "somebody's own note": lambda _: "# November\n\nA good month.\n",
    "an empty note": lambda _: "",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_person_changed_is_left_alone(vault: Path, change: Callable[[str], str]) -> None:
    write(vault)
    note = vault / "Reviews" / "2026-11.md"
    note.write_text(change(note.read_text(encoding="utf-8")), encoding="utf-8")
    before = note.read_bytes()
    log(vault, "- 2026-11-05 visit: y")
    with pytest.raises(RefusedError, match=r"Reviews/2026-11\.md .* left alone"):
        write(vault)
    assert note.read_bytes() == before


def test_what_is_no_text_is_left_alone(example: Review) -> None:
    with pytest.raises(RefusedError, match="UTF-8"):
        refresh_review(b"\xff\xfe", example, "Reviews/2026-11.md")


def test_nothing_in_a_review_is_read_as_a_client_or_a_task(vault: Path) -> None:
    """Not even what a person writes there in the forms that notes are read by."""
    write(vault)
    note = vault / "Reviews" / "2026-11.md"
    own = "\n- [ ] call [[Ann]] 📅 2026-11-01\n\n## Log\n- 2026-11-04 call: [[Ann]]\n- [[Ann]] call: x\n"
    note.write_text(note.read_text(encoding="utf-8") + own, encoding="utf-8")
    with open_vault(vault) as workspace:
        assert workspace.counts().clients == 1
        assert not [
            item for item in workspace.agenda(Selection(everything=True)).items if item.kind == "task"
        ]
        assert not workspace.problems()
    assert len(look_back(vault).now["contacts"].lines) == 1


def test_an_owners_review_is_a_note_of_its_own(vault: Path) -> None:
    assert find_review_path(look_back(vault, owners=("Anna",))) == "Reviews/2026-11 Anna.md"
    assert find_review_path(look_back(vault, owners=("A/B: C?",))) == "Reviews/2026-11 A-B - C.md"
    assert look_back(vault, owners=("ANNA",)).clients == 1
    assert look_back(vault, owners=("Bo",)).clients == 0


def test_a_note_that_cannot_be_read_is_told(vault: Path) -> None:
    (vault / "Bo.md").write_text("---\ntype: client\n---\n", encoding="utf-8")
    with open_vault(vault) as workspace:
        (vault / "Bo.md").unlink()
        period = parse_period("month", TODAY)
        assert period is not None
        remarks = review_period(workspace, period).remarks
    assert remarks[0] == "1 note could not be read, so nothing of that is counted: Bo.md."


@pytest.mark.parametrize(
    "damaged",
    [b"", b"\0" * 40, b"---\ntype: cli", NASTY_NOTE.encode()[:60]],
    ids=["empty", "nul", "cut", "half"],
)
def test_a_note_that_says_nothing_now_is_not_taken_for_a_client_of_whom_nothing_is_logged(
    vault: Path, damaged: bytes
) -> None:
    for name in ("Bo.md", "Cy.md"):
        (vault / name).write_bytes((vault / "Ann.md").read_bytes())
    assert look_back(vault).clients == 3
    (vault / "Bo.md").write_bytes(damaged)
    review = look_back(vault)
    assert review.clients == 2
    assert review.remarks[0] == "1 note could not be read, so nothing of that is counted: Bo.md."


def test_show_the_review_and_what_is_missed_agree_on_somebody_hard_to_reach(vault: Path) -> None:
    """The reasons closed on 20 October; five attempts ask for a decision since the 15th, and that stands for them."""
    attempts = "".join(f"- 2026-11-{day} call (no answer)\n" for day in (20, 19, 18, 17, 16, 15))
    (vault / "Ann.md").write_text(
        f"---\ntype: client\nlost: 2026-10-15\n---\n## Log\n{attempts}- 2026-10-01 call: x\n",
        encoding="utf-8",
    )
    lines = look_back(vault, "2026-10").now["follow-ups"].lines
    assert [(line.item, line.part) for line in lines] == [("reasons", "open")]
    with open_vault(vault) as workspace:
        (name,) = workspace.names()
        _, progress = read_history(workspace, name.key)
        assert [each.status for each in progress if each.step.name == "reasons"] == ["overdue"]
        assert not workspace.agenda(Selection(missed=True)).items


def test_a_conflict_copy_is_no_second_client_and_is_told_of(vault: Path) -> None:
    copy = vault / "Ann.sync-conflict-20261110-101010-ABCDEFG.md"
    copy.write_text(
        f"{(vault / 'Ann.md').read_text(encoding='utf-8')}- 2026-11-05 visit: y\n", encoding="utf-8"
    )
    review = look_back(vault)
    assert (review.clients, len(review.now["contacts"].lines)) == (1, 1)
    assert review.remarks[0] == (
        f"1 conflict copy is not merged, so what only such a copy holds is not counted: {copy.name}. "
        "'notesync conflicts' shows what differs."
    )


# --- What notes hold stays words -------------------------------------------------------------------------


def make_versions(vault: Path, ends: str = "\n") -> tuple[bytes, bytes, bytes]:
    """A review as it was, and as two devices made its figures anew, each with an answer of its own."""
    texts = []
    for entry in ("- 2026-11-18 call: none", "- 2026-11-20 call: one", "- 2026-11-21 visit: two"):
        log(vault, entry)
        texts.append("".join(render_review_markdown(look_back(vault))))
    before, one, two = texts
    one = one.replace("otherwise:**\n\n- ", "otherwise:**\n\n- Ring sooner")
    two = two.replace("learned:**\n\n- ", "learned:**\n\n- To listen").replace("\n", ends)
    assert len({before, one, two}) == 3
    return before.encode(), one.encode(), two.encode()


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_of_two_versions_of_a_review_the_figures_come_from_one_and_the_answers_from_both(
    vault: Path, ends: str
) -> None:
    before, one, two = make_versions(vault, ends)
    found = [
        settle(
            [Version("note", mine), Version("copy", theirs)], [before], "Reviews/2026-11.md", {}, ("Log",)
        ).data
        for mine, theirs in ((one, two), (two, one))
    ]
    assert found[0] == found[1]
    assert found[0] is not None
    merged = found[0].decode()
    assert "- Ring sooner" in merged
    assert "- To listen" in merged
    blocks = [[block[4] for block in BLOCK.finditer(text.replace("\r\n", "\n"))] for text in
              (merged, one.decode(), two.decode())]  # fmt: skip
    assert len(blocks[0]) == 3
    assert blocks[0] in blocks[1:]
    assert refresh_review(found[0], look_back(vault), "Reviews/2026-11.md")


@pytest.mark.parametrize("answered", [0, 1])
def test_a_version_with_new_figures_alone_does_not_put_the_others_answers_in_doubt(
    vault: Path, answered: int
) -> None:
    """One device made the figures anew, and on the other somebody wrote into the review as it was."""
    before, one, _ = make_versions(vault)
    figures = one.replace(b"Ring sooner", b"")
    answer = before.replace(b"otherwise:**\n\n- ", b"otherwise:**\n\n- Ring sooner")
    texts = (answer, figures) if answered == 0 else (figures, answer)
    versions = [Version(name, text) for name, text in zip(("note", "copy"), texts, strict=True)]
    for known in ([before], [figures, before], [answer, before]):
        settled = settle(versions, known, "Reviews/2026-11.md", {}, ("Log",))
        assert settled.data is not None
        assert b"- Ring sooner" in settled.data
        assert refresh_review(settled.data, look_back(vault), "Reviews/2026-11.md")


def test_figures_that_a_person_changed_are_asked_about(vault: Path) -> None:
    before, one, two = make_versions(vault)
    mended = one.replace(b"Did I reach", b"Did we reach")
    versions = [Version("note", mended), Version("copy", two)]
    settled = settle(versions, [before], "Reviews/2026-11.md", {}, ("Log",))
    assert settled.data is None
    assert settled.asked


def test_markdown_has_nothing_of_a_note_but_words(nasty: Review) -> None:
    text = "".join(render_review_markdown(nasty))
    assert text.count("%% notesync") == 6
    body = text.partition("\n---\n")[2]
    assert not re.search(r"(?<!\\)<(?!Ann\.md>\))", body)  # a link's target stands in brackets
    assert "[[" not in re.sub(r"\\\[\\\[", "", body)
    assert text.count("```") == 2 * text.count("```mermaid")
    tables = re.findall(r"(?:^\|.*\n)+", body, re.MULTILINE)
    assert len(tables) > 5
    for table in tables:  # as many cells in every row, whatever a note holds
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table
    assert refresh_review(text.encode(), nasty, "x.md") == text.encode()


def test_mermaids_labels_hold_letters_and_little_else(nasty: Review) -> None:
    labels = []
    for chart in re.findall(r"```mermaid\n(.*?)```", "".join(render_review_markdown(nasty)), re.DOTALL):
        _, _, drawn = chart.partition("---\nconfig:")[2].partition("---\n")
        labels += re.findall(r'"([^"]*)"', drawn)
    assert labels
    assert [label for label in labels if not re.fullmatch(r"[\w .,:()-]+", label)] == []


class Tags(HTMLParser):
    """The tags of a page, and every address in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}


@pytest.mark.parametrize("which", ["nasty", "example"])
def test_the_page_is_self_contained(which: str, request: pytest.FixtureRequest) -> None:
    review = request.getfixturevalue(which)
    page = "".join(render_review_page(review))
    found = Tags(page)
    assert "svg" in found.tags
    assert not {"script", "link", "img", "iframe", "b>", "object", "use", "foreignobject"} & found.tags
    names = {name for name, _ in found.attributes}
    assert not {name for name in names if name.startswith("on")}
    assert not {"style", "href", "src", "xlink:href", "action"} & names
    assert f"style-src '{find_style_source()}'" in page
    assert page == "".join(render_review_page(review))
    assert not re.findall(r"https?://(?!www\.w3\.org/)", page.replace("</bdi>", ""))


def test_terminals_get_no_control_characters(nasty: Review) -> None:
    for text in (
        "".join(render_review_table(nasty, 100, color=False, blocks=True)),
        "".join(render_why_lines(nasty, "contacts")),
        "".join(render_review_csv(nasty)).replace("\r\n", ""),
    ):
        assert "\x1b" not in text
        assert all(sign.isprintable() or sign == "\n" for sign in text)


# --- A terminal ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 60, 79, 80, 100, 200])
@pytest.mark.parametrize("blocks", [True, False])
def test_a_table_fits_its_terminal(example: Review, width: int, blocks: bool) -> None:
    from rich.cells import cell_len

    lines = "".join(render_review_table(example, width, color=False, blocks=blocks)).splitlines()
    assert max(map(cell_len, lines)) <= width
    assert not any(line != line.rstrip() for line in lines)


def test_without_blocks_only_names_need_more_than_ascii(example: Review) -> None:
    text = "".join(render_review_table(example, 100, color=False, blocks=False))
    drawn = [line for line in text.splitlines() if re.search(r"\[[#.]+\]|^ {4}\S+ +[#=x-]{3}", line)]
    assert len(drawn) > 20
    assert all(line.isascii() for line in drawn)


def test_colours_only_say_again_what_words_say(example: Review) -> None:
    plain = "".join(render_review_table(example, 100, color=False, blocks=True))
    colored = "".join(render_review_table(example, 100, color=True, blocks=True))
    assert "\x1b[32m" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


TERMINALS = {
    "of today": ({"TERM": "xterm-256color", "LANG": "de_DE.UTF-8"}, True),
    "spelled otherwise": ({"TERM": "xterm", "LC_ALL": "C.utf8", "LANG": "C"}, True),
    "of Windows' old code pages": ({"TERM": "xterm", "LANG": "en_US.CP1252"}, False),
    "that nobody told of any": ({"TERM": "xterm"}, False),
    "plain": ({"TERM": "dumb", "LANG": "en_US.UTF-8"}, False),
    "of the kernel": ({"TERM": "linux", "LANG": "en_US.UTF-8"}, False),
}


@pytest.mark.skipif(os.name == "nt", reason="Windows' terminals say otherwise what they can")
@pytest.mark.parametrize(("environment", "expected"), TERMINALS.values(), ids=TERMINALS)
def test_blocks_are_for_terminals_that_have_them(
    environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert not has_blocks()  # no terminal at all
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert has_blocks() is expected


def test_bars_show_whatever_is_there() -> None:
    assert share_out((0, 1, 1000), 20) == [0, 1, 20]


# --- Programs --------------------------------------------------------------------------------------------


def test_json_has_every_figure_and_its_numbers(example: Review) -> None:
    told = json.loads("".join(render_review_json(example, "/vault")))
    assert told["format_version"] == 1
    assert tuple(told["period"].values()) == (
        "month",
        "2026-11",
        "2026-11-01",
        "2026-11-30",
        "2026-11-22",
        False,
    )
    figures = {figure["name"]: figure for figure in told["figures"]}
    assert list(figures) == [figure.name for figure in FIGURES]
    assert figures["follow-ups"]["value"] == figures["follow-ups"]["parts"]["in window"]
    assert sum(row["due"] for row in told["by_kind"]) == figures["follow-ups"]["of"]
    assert sum(row["due"] for row in told["by_step"]) == figures["follow-ups"]["of"]
    assert figures["value-at-risk"]["before"]["unknown"] == "only of today can it be known"


COUNTED_OTHERWISE = {
    *("contacts", "attempts", "attempts-per-contact", "complaints", "complaint-contact", "complaint-end"),
    *("lost", "value-lost"),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_why_lists_as_many_lines_as_the_figure_has(example: Review, name: str) -> None:
    told = json.loads("".join(render_why_json(example, name, "/vault")))
    count = told["figure"]["lines"]
    assert len(told["lines"]) == count
    lines = list(render_why_lines(example, name))
    assert len(lines) == count
    assert all(re.match(r"\S.*\.md:[0-9]+: 2026-", line) for line in lines)
    header, *rows = render_why_csv(name, example.now[name].lines)
    assert len(rows) == count
    assert all(list(line) == header.rstrip().split(",") for line in told["lines"])
    assert ("step" in header) == (name not in COUNTED_OTHERWISE)
    for line in example.now[name].lines:
        text = (EXAMPLE / line.path).read_text(encoding="utf-8").splitlines()
        assert 1 <= line.line <= len(text)


def test_csv_and_lines_have_every_figure(example: Review) -> None:
    rows = list(render_review_csv(example))
    assert rows[0].startswith("figure,question,title,part,value,of")
    assert [row.partition(",")[0] for row in rows[1:] if ",," in row and row.split(",")[3] == ""] == [
        figure.name for figure in FIGURES
    ]
    assert [line.partition(":")[0] for line in render_review_lines(example)] == list(BY_NAME)


def test_value_at_risk_is_what_check_says(example: Review, quick_path: Path) -> None:
    with open_workspace(str(EXAMPLE), lambda _: Moment(TODAY), cache=str(quick_path)) as workspace:
        workspace.refresh()
        totals = workspace.agenda(Selection()).totals
    lines = example.now["value-at-risk"].lines
    assert sum(line.amount or 0 for line in lines) == totals.value_at_risk
