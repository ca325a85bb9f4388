"""A review in, one page for a browser out: self-contained, without scripts, in the same words as every other report.

Its charts are SVG, its style stands in its head, and its own policy allows that style and nothing else.  Every text
of a note is cleaned and then escaped by the template.  Pure; the template engine is imported when the first page is
made, the drawing library when the first chart is.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

from notesync.followup.figures import FIGURES
from notesync.publish.page import load_part, load_template
from notesync.publish.review_charts import draw_spark, draw_stack
from notesync.publish.review_words import build_report

if TYPE_CHECKING:
    from notesync.followup.review import Review


def render_review_page(review: Review) -> Iterator[str]:
    """The page, as one piece."""
    yield (
        load_template("review.html").render(
            report=build_report(review),
            figures=FIGURES,
            style=load_part("review.css").decode(),
            style_source=find_style_source(),
            draw_spark=draw_spark,
            draw_stack=draw_stack,
        )
        + "\n"
    )


@cache
def find_style_source() -> str:
    """What a Content-Security-Policy has to allow for the page's style: its digest."""
    return f"sha256-{b64encode(sha256(load_part('review.css')).digest()).decode()}"
