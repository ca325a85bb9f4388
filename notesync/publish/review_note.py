"""A review in, Markdown for a note of the vault out, with charts that Obsidian draws; and such a note refreshed.

The figures stand between marks, which Obsidian hides; what is outside of them is a person's, such as the answers
to the questions that no note can answer.  Each opening mark has a digest of what stands behind it, so that figures
that somebody changed by hand are noticed and not overwritten.  The header says that the note is generated: then
nothing in it is read as a client's.  Pure: bytes come in, bytes go out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from notesync.notes.generated import BLOCK, MARK, digest_block, wrap_block
from notesync.problems import RefusedError
from notesync.publish.review_words import Listing, Report, Row, Section, Spark, Stack, build_report
from notesync.publish.text import clean, escape_markdown, link_markdown

if TYPE_CHECKING:
    from notesync.followup.review import Review

_NAMES = ("objectives", "lessons", "clients")
"""The blocks of figures: up to the second question, the third, the last two."""


def render_review_markdown(review: Review) -> Iterator[str]:
    """The review as a new note: figures, and lines to fill in."""
    report = build_report(review)
    # Not as the agenda's note begins, which is written anew as a whole: here a person answers.
    yield f"---\nreview: {review.period.name}\ngenerated: notesync\n---\n"
    blocks = _build_blocks(report)
    for name in _NAMES:
        yield f"{wrap_block(name, blocks[name])}\n"
        filled = [
            section for section in report.sections if section.fill and section.number == _FILLED.get(name)
        ]
        for section in filled:
            yield f"\n**{section.fill}**\n\n- \n\n"


_FILLED = {"objectives": 2, "lessons": 3}  # the question whose lines to fill stand behind a block


def refresh_review(data: bytes, review: Review, path: str) -> bytes:
    """A review's note with its figures made anew, all else as it was.

    Raises RefusedError where it has no figures of ours, or somebody changed them by hand.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError(_refuse(path, "is not a text in UTF-8")) from None
    # The marks are counted first: from each of many a block would be looked for to the end of the text.
    found = list(BLOCK.finditer(text)) if len(MARK.findall(text)) == 2 * len(_NAMES) else []
    if sorted(block[1] for block in found) != sorted(_NAMES):
        raise RefusedError(
            _refuse(path, "is no review of ours, or the marks around its figures are not as they were")
        )
    blocks = _build_blocks(build_report(review))
    for block in found:
        if digest_block(block[4]) != block[2]:
            raise RefusedError(_refuse(path, "has figures that were changed by hand"))
    made = BLOCK.sub(lambda block: wrap_block(block[1], blocks[block[1]]).replace("\n", block[3]), text)
    return made.encode("utf-8")


def _refuse(path: str, why: str) -> str:
    return (
        f"{path} {why}, so it was left alone. Rename the note to keep it, or take the changes back there; what you "
        "write above, between or below the figures stays."
    )


def _build_blocks(report: Report) -> dict[str, str]:
    one, two, three, four, five = ("".join(_write_section(section, report)) for section in report.sections)
    return {
        "objectives": "".join(_write_head(report)) + one + two,
        "lessons": three,
        "clients": four + five + _FOOT,
    }


_FOOT = "\nEvery figure can be traced: `notesync review --why FIGURE` lists the notes and lines behind it.\n"


def _write_head(report: Report) -> Iterator[str]:
    yield f"# {escape_markdown(report.title)}\n\n"
    yield f"{escape_markdown(report.days)}, {escape_markdown(report.compared)}.\n\n"
    for remark in report.remarks:
        yield f"> {escape_markdown(remark)}\n\n"


def _write_section(section: Section, report: Report) -> Iterator[str]:
    yield f"## {section.number}. {section.question}\n\n"
    rows = (*report.targets, *section.rows) if section.number == 1 else section.rows
    yield from _write_rows(rows)
    for spark in section.sparks[:1]:
        yield from _draw_spark(spark)
    for stack in section.stacks:
        yield from _draw_stack(stack)
    for listing in section.listings:
        yield from _write_listing(listing)
    if section.beside:
        yield f"{escape_markdown(section.beside)}\n"


def _write_rows(rows: Sequence[Row]) -> Iterator[str]:
    yield "| Figure | Now | Before | Change |\n|---|---|---|---|\n"
    for row in rows:
        parts = f" ({row.parts})" if row.parts else ""
        cells = (row.title, f"{row.now}{parts}", row.then, row.change)
        yield f"| {' | '.join(map(escape_markdown, cells))} |\n"
    yield "\n"


def _write_listing(listing: Listing) -> Iterator[str]:
    yield f"**{listing.title}**\n\n"
    for place in listing.places:
        yield f"- {link_markdown(place.client, place.path)}: {escape_markdown(place.words)}\n"
    if listing.rest:
        yield f"- and {listing.rest} more\n"
    yield "\n"


# --- Charts ----------------------------------------------------------------------------------------------

_COLORS = ("#2e7d4f", "#a86f00", "#b3372f", "#6b7280")
_OF_TWO = (_COLORS[0], _COLORS[3])
_PIES = {"Follow-ups by kind": "Follow-ups", "By channel": "Contacts and attempts"}
"""Of which stacks the sum of all bars is drawn, and what it is called."""


def _draw_spark(spark: Spark) -> Iterator[str]:
    """Columns over time.  The numbers stand with the labels: the axis would have fractions of a contact."""
    if len(spark.counts) < 2 or not any(spark.counts):
        return
    pairs = zip(spark.labels, spark.counts, strict=True)
    labels = ", ".join(f'"{_label(label)} ({count})"' for label, count in pairs)
    width = max(640, 96 * len(spark.counts))
    yield from _open_chart(
        f"xyChart: {{width: {width}, height: 220, yAxis: {{showLabel: false, showTick: false}}}}",
        f'themeVariables: {{xyChart: {{plotColorPalette: "{_COLORS[0]}"}}}}',
    )
    yield f'xychart-beta\n    title "{_label(spark.title)}"\n    x-axis [{labels}]\n'
    yield f"    y-axis 0 --> {max(spark.counts)}\n    bar [{', '.join(map(str, spark.counts))}]\n```\n\n"


def _draw_stack(stack: Stack) -> Iterator[str]:
    """The sum of all bars as a pie, and a table of the bars: Mermaid draws none of several parts."""
    if stack.title in _PIES:
        yield from _draw_pie(stack)
    heads = [escape_markdown(part) for part in stack.parts]
    yield f"| {escape_markdown(stack.title)} | {' | '.join(heads)} |\n|---|{'---:|' * len(heads)}\n"
    for label, counts in stack.bars:
        yield f"| {escape_markdown(label)} | {' | '.join(str(count) if count else '' for count in counts)} |\n"
    yield "\n"


def _draw_pie(stack: Stack) -> Iterator[str]:
    colors = _OF_TWO if len(stack.parts) == 2 else _COLORS
    totals = [sum(counts[at] for _, counts in stack.bars) for at in range(len(stack.parts))]
    there = [each for each in zip(stack.parts, totals, colors, strict=False) if each[1]]
    # Mermaid deals its colours out in the order of the slices: a part keeps its own although others are missing.
    dealt = ", ".join(f'pie{at}: "{color}"' for at, (_, _, color) in enumerate(there, 1))
    yield from _open_chart(f'themeVariables: {{{dealt}, pieOpacity: "1", pieSectionTextColor: "#fff"}}')
    yield f"pie showData\n    title {_PIES[stack.title]}\n"
    yield from (f'    "{_label(part)}" : {total}\n' for part, total, _ in there)
    yield "```\n\n"


def _open_chart(*settings: str) -> Iterator[str]:
    """A chart's own settings; only colours that every theme bears, so that Obsidian's own stays for the rest."""
    yield "```mermaid\n---\nconfig:\n"
    yield from (f"  {setting}\n" for setting in settings)
    yield "---\n"


def _label(text: str) -> str:
    """Words for a chart: letters, digits and little else, for a quote or a bracket would be Mermaid's own."""
    kept = "".join(sign if sign.isalnum() or sign in " -.:," else " " for sign in clean(text))
    return " ".join(kept.split())[:40] or "other"
