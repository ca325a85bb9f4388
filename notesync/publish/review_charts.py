"""What a review draws in, SVG out: bars of several parts, columns over time.  drawsvg's only door.

The drawings have no scripts, ids, styles or addresses of their own: classes name their colours, and the page's style
sheet has those.  Numbers stand beside the bars, so that no colour has to be told from another.  drawsvg escapes what
stands between tags, not what stands in attributes: words of notes go nowhere else.  Pure.
"""

from __future__ import annotations

from typing import Any

from notesync.publish.review_words import Spark, Stack
from notesync.publish.text import clean

_WIDTH, _LABEL, _NUMBERS = 480, 132, 96
_ROW, _BAR, _GAP, _SIZE = 26, 16, 6, 13
_HEIGHT = 120
_LONGEST = 18


def draw_stack(stack: Stack) -> str:
    """A bar for each label, as long as its number, parted by what became of it."""
    drawing = _begin(len(stack.bars) * _ROW, stack.title)
    most = max(sum(counts) for _, counts in stack.bars)
    room = _WIDTH - _LABEL - _NUMBERS
    for at, (label, counts) in enumerate(stack.bars):
        top, left = at * _ROW, float(_LABEL)
        drawing.append(_write(_shorten(label), _LABEL - 8, top + 18, "label", "end"))
        for part, count in enumerate(counts):
            if count:
                width = room * count / most
                _add_bar(drawing, left, top + 5, width, _BAR, part, f"{label}: {count} {stack.parts[part]}")
                left += width
        numbers = " + ".join(str(count) for count in counts if count)
        drawing.append(_write(numbers, left + _GAP, top + 18, "number", "start"))
    return _end(drawing)


def draw_spark(spark: Spark) -> str:
    """A column for each time, with its number above and, where there is room, its label below."""
    drawing = _begin(_HEIGHT + 40, spark.title)
    most, each = max(spark.counts), _WIDTH / len(spark.counts)
    every = -(-len(spark.counts) * 52 // _WIDTH)
    for at, (label, count) in enumerate(zip(spark.labels, spark.counts, strict=True)):
        height = _HEIGHT * count / most
        left, middle = at * each + each * 0.15, at * each + each / 2
        if count:
            _add_bar(drawing, left, 20 + _HEIGHT - height, each * 0.7, height, 0, f"{label}: {count}")
        if each >= 16:
            drawing.append(_write(str(count), middle, 15 + _HEIGHT - height, "number", "middle"))
        if at % every == 0:
            drawing.append(_write(label, middle, 36 + _HEIGHT, "label", "middle"))
    return _end(drawing)


def _begin(height: int, title: str) -> Any:
    import drawsvg  # type: ignore[import-untyped]

    drawing = drawsvg.Drawing(_WIDTH, height, origin=(0, 0), role="img")
    drawing.append_title(clean(title))
    return drawing


def _add_bar(
    drawing: Any, left: float, top: float, width: float, height: float, part: int, words: str
) -> None:
    import drawsvg

    bar = drawsvg.Rectangle(
        round(left, 1), round(top, 1), round(width, 1), round(height, 1), class_=f"part{part % 8}"
    )
    bar.append_title(clean(words))
    drawing.append(bar)


def _write(words: str, left: float, bottom: float, kind: str, anchor: str) -> Any:
    import drawsvg

    return drawsvg.Text(
        clean(words), _SIZE, round(left, 1), round(bottom, 1), class_=kind, text_anchor=anchor
    )


def _shorten(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"


def _end(drawing: Any) -> str:
    """The drawing as an element of a page: as wide as there is room, without a header of its own."""
    text: str = drawing.as_svg(header="")
    return text.removeprefix("\n").replace(f'width="{_WIDTH}" ', 'width="100%" ', 1)
