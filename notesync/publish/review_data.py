"""A review in, JSON and CSV of it out, and the lines behind one figure: what programs read.

Numbers are numbers here and never words.  Pure; texts of notes are cleaned on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from notesync.followup.figures import (
    BY_NAME,
    DAYS,
    FIGURES,
    QUESTIONS,
    SHARE,
    Definition,
    Line,
    Reading,
    count_parts,
    sum_up,
)
from notesync.followup.period import Period
from notesync.publish.text import FORMAT_VERSION, clean, render_object, render_rows

if TYPE_CHECKING:
    from notesync.followup.review import Review, Trend


def render_review_json(review: Review, vault: str) -> Iterator[str]:
    """The review as one object; ``figures`` hold each figure now and ``before``."""
    return render_object(
        [
            *_build_head(review, vault),
            ("currency", clean(review.currency)),
            ("clients", review.clients),
            ("questions", list(QUESTIONS)),
            ("figures", (_build_figure(review, figure) for figure in FIGURES)),
            ("targets", ({**target._asdict(), "name": clean(target.name)} for target in review.targets)),
            ("by_kind", iter(_count_by(review, "group"))),
            ("by_step", iter(_count_by(review, "item"))),
            (
                "by_hour",
                (
                    {"hour": hour, "reached": one, "not_reached": other}
                    for hour, (one, other) in review.hours.items()
                ),
            ),
            ("missed_most", review.worst_step or None),
            ("trends", (_build_trend(trend) for trend in review.trends)),
            ("drifting", (_build_line("drift", line) for line in review.drifting)),
            ("remarks", [clean(remark) for remark in review.remarks]),
        ]
    )


def _build_head(review: Review, vault: str) -> list[tuple[str, object]]:
    return [
        ("format_version", FORMAT_VERSION),
        ("vault", clean(vault)),
        ("today", review.today.isoformat()),
        (
            "period",
            {**_build_period(review.period), "until": review.until.isoformat(), "complete": review.is_over},
        ),
        ("before", _build_period(review.before)),
        ("owners", [clean(owner) for owner in review.owners]),
    ]


def _build_period(period: Period) -> dict[str, object]:
    return {
        "kind": period.kind,
        "name": period.name,
        "first": period.first.isoformat(),
        "last": period.last.isoformat(),
    }


def _build_figure(review: Review, figure: Definition) -> dict[str, object]:
    return {
        "name": figure.name,
        "question": figure.question,
        "title": figure.title,
        "measure": figure.measure,
        **_build_reading(figure, review.now[figure.name]),
        "before": _build_reading(figure, review.then[figure.name]),
    }


def _build_reading(figure: Definition, reading: Reading) -> dict[str, object]:
    """A figure's number (null: there is none, or it is unknown), what it is of, its parts, how many lines it has."""
    value = sum_up(figure, reading.lines)
    return {
        "value": None if reading.unknown else value.amount,
        "of": value.whole if figure.measure in (SHARE, DAYS) else None,
        "longest": value.most if figure.measure == DAYS and value.whole else None,
        "unknown": clean(reading.unknown) or None,
        "lines": len(reading.lines),
        "parts": {part or "all": count for part, count in count_parts(figure, reading.lines).items()},
    }


def _count_by(review: Review, field: str) -> Iterator[dict[str, object]]:
    lines = review.now["follow-ups"].lines
    for name in sorted({getattr(line, field) for line in lines}):
        parts = count_parts(BY_NAME["follow-ups"], [line for line in lines if getattr(line, field) == name])
        yield {"name": clean(name), "due": sum(parts.values()), "parts": parts}


def _build_trend(trend: Trend) -> dict[str, object]:
    return {
        "title": trend.title,
        "from": [day.isoformat() for day in trend.days],
        "counts": list(trend.counts),
    }


_ITEMS = {
    **dict.fromkeys(("contacts", "attempts", "attempts-per-contact"), "hour"),
    **dict.fromkeys(("complaints", "complaint-contact", "complaint-end"), "about"),
    **dict.fromkeys(("lost", "value-lost"), "reason"),
}
"""What the lines of a figure are counted by besides their part; of all others it is a plan's step."""


def _build_line(figure: str, line: Line) -> dict[str, object]:
    return {
        "path": clean(line.path),
        "line": line.line,
        "day": line.day.isoformat(),
        "client": clean(line.client),
        "part": line.part or None,
        "channel" if figure == "attempts-per-contact" else "kind": clean(line.group) or None,
        _ITEMS.get(figure, "step"): clean(line.item) or None,
        "amount": line.amount,
        "words": clean(line.words),
    }


_COLUMNS = (
    "figure", "question", "title", "part", "value", "of", "longest", "unknown", "before", "before_of", "before_unknown",
)  # fmt: skip


def render_review_csv(review: Review) -> Iterator[str]:
    """A row for each figure, and one for each of its parts."""
    return render_rows(_COLUMNS, _list_rows(review))


def _list_rows(review: Review) -> Iterator[tuple[object, ...]]:
    for figure in FIGURES:
        now = _build_reading(figure, review.now[figure.name])
        then = _build_reading(figure, review.then[figure.name])
        head = figure.name, figure.question, figure.title
        yield (
            *head, "", now["value"], now["of"], now["longest"], now["unknown"],
            then["value"], then["of"], then["unknown"],
        )  # fmt: skip
        counted = count_parts(figure, review.now[figure.name].lines)
        before = count_parts(figure, review.then[figure.name].lines)
        for part in figure.parts:
            if part in counted or part in before:
                yield (*head, part, counted.get(part, 0), None, None, None, before.get(part, 0), None, None)


# The lines behind a figure ------------------------------------------------------------------------


def render_why_lines(review: Review, name: str) -> Iterator[str]:
    """``path:line: day client: words [part]``, a line each; why there are none, where that cannot be known."""
    reading = review.now[name]
    if reading.unknown:
        yield f"not known: {clean(reading.unknown)}\n"
    for line in reading.lines:
        part = f" [{line.part}]" if line.part else ""
        yield f"{clean(line.path)}:{line.line}: {line.day} {clean(line.client)}: {clean(line.words)}{part}\n"


def render_why_json(review: Review, name: str, vault: str) -> Iterator[str]:
    """One figure with its meaning and every line behind it."""
    figure = BY_NAME[name]
    return render_object(
        [
            *_build_head(review, vault),
            ("figure", _build_figure(review, figure)),
            ("meaning", figure.meaning),
            ("lines", (_build_line(name, line) for line in review.now[name].lines)),
        ]
    )


def render_why_csv(name: str, lines: tuple[Line, ...]) -> Iterator[str]:
    """The same as rows."""
    kind, item = "channel" if name == "attempts-per-contact" else "kind", _ITEMS.get(name, "step")
    header = ("path", "line", "day", "client", "part", kind, item, "amount", "words")
    return render_rows(header, (_build_line(name, line).values() for line in lines))
