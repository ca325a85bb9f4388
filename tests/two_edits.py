"""A note as it was and what two devices made of it, at random; and how to see that no line of theirs is lost."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import strategies as st

KEYS = [
    "type: client",
    "name: Anna",
    "stage: lead",
    "phone: 021 555",
    "last_contact: 2026-11-01",
    "tags: [a, b]",
]
NEW_KEYS = ["email: a@b", "stage: customer", "stage: 'lost'", "tags: [a, c]", "tags: [b, a, d]",
            "last_contact: 2026-11-20",
            "next_contact: 2026-11-25", "next_contact: 2026-11-26", "phone:", "# a comment"]  # fmt: skip
LINES = ["", "# Anna", "Likes tea.", "Has two dogs.", "- [ ] send brochure", "- [ ] ring 📅 2026-11-25",
         "- [ ] ring 📅 2026-11-25",
         "- tea", "  - green"]  # fmt: skip
ENTRIES = [
    f"- 2026-11-{day:02} {words}"
    for day in range(1, 10)
    for words in ("call", "visit: a", "email: b\n  more of it")
]
NEW_LINES = [
    "",
    "New.",
    "Other.",
    "- [x] send brochure",
    "- [ ] new",
    "- [ ] other",
    "- plain",
    "> a quote",
    "  indented",
    "## Plans",
]


@st.composite
def versions(draw: st.DrawFn, entries_only: bool = False, twice: bool = False) -> tuple[str, str, str]:
    """A note and two edits of it; with ``entries_only`` all changes are entries added at the log's ends.

    ``twice``: lines of the same words may stand in it more than once.
    """
    header = draw(st.lists(st.sampled_from(KEYS), unique_by=lambda line: line.split(":")[0], max_size=6))
    lines = draw(st.lists(st.sampled_from(LINES), max_size=8))
    log = draw(st.lists(st.sampled_from(ENTRIES), max_size=5, unique=True))
    log.sort(reverse=draw(st.booleans()))
    spaced = draw(st.booleans())
    newline = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    once = list if twice else _drop_equal
    lines = once(lines)
    result = []
    for _ in range(3):
        result.append(_write(header, lines, log, spaced, newline))
    for side in (1, 2):
        mine, said, mylog = list(header), list(lines), list(log)
        new = draw(st.lists(st.sampled_from(ENTRIES), max_size=2, unique=True))
        top = draw(st.booleans())
        mylog = new + mylog if top else mylog + new
        for _ in range(0 if entries_only else draw(st.integers(0, 4))):
            where = draw(st.sampled_from(["header", "lines", "log"]))
            edited, words = {"header": (mine, NEW_KEYS), "lines": (said, NEW_LINES), "log": (mylog, ENTRIES)}[
                where
            ]
            at = draw(st.integers(0, len(edited)))
            keep = draw(st.sampled_from([0, 0, 1]))
            edited[at : at + keep] = draw(st.lists(st.sampled_from(words), max_size=1))
        names = [line.split(":")[0] for line in mine]
        mine = [line for at, line in enumerate(mine) if line.startswith("#") or names.index(names[at]) == at]
        mylog, said = once(mylog), once(said)
        result[side] = _write(mine, said, mylog, spaced, newline)
    return result[0], result[1], result[2]


def _drop_equal(lines: list[str]) -> list[str]:
    """Lines of the same words once: which of them was changed nobody can tell."""
    return [line for at, line in enumerate(lines) if not line or line not in lines[:at]]


def _write(header: list[str], lines: list[str], log: list[str], spaced: bool, newline: str) -> str:
    between = "\n\n" if spaced else "\n"
    text = "\n".join(["---", *header, "---", *lines, "## Log", "", between.join(log), "", "The end.", ""])
    return text.replace("\n", newline)


def count_lines(text: str) -> Counter[str]:
    return Counter(line for line in re.split(r"\r\n|\r|\n", text) if line.strip())


def is_told_apart(base: str, one: str, two: str) -> bool:
    """Whether no line was taken out by one side while the other put in a second one of the same words."""
    before, first, second = map(count_lines, (base, one, two))
    return not ((before - first) & (second - before) or (before - second) & (first - before))


def find_lost(notes: tuple[str, str, str], text: str) -> list[str]:
    """The lines that one of two edits has put into a note and that are missing in what was made of both."""
    base, *sides = map(count_lines, notes)
    return [line for side in sides for line in find_unexcused(side - base - count_lines(text))]


def find_unexcused(lost: Counter[str]) -> list[str]:
    """Lines that must not be lost: not a list's or an earlier contact's, whose meaning lives on, nor an empty key."""
    return [line for line in lost if not line.startswith(("tags:", "last_contact:")) and line != "phone:"]
