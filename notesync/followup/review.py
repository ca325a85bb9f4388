"""Evidence and a period in, the review out: what was due against what was logged, the rep's look in the mirror.

:func:`build_review` takes the lines of the period and of the one before.  Words that a terminal or a page needs are
the business of publish.  This module knows no client, no note and no clock: today is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dues import NO_STEPS
from notesync.followup.evidence import Evidence
from notesync.followup.figures import BY_NAME, CHANNELS, COUNT, FIGURES, MONEY, Line, Reading, sum_up
from notesync.followup.follow_up import name_day
from notesync.followup.period import Period, count_units, find_before, part
from notesync.followup.states import find_states

if TYPE_CHECKING:
    from notesync.followup.follow_up import Context

MOST_DRIFTING = 10


class Target(NamedTuple):
    """What was aimed at in the period, and how much of it is done; ``so_far`` is the share that today asks for.

    ``done`` is None where no figure has that name, or it cannot be known.
    """

    name: str
    words: str
    wanted: float
    so_far: float
    done: float | None


class Trend(NamedTuple):
    """A figure over the parts of the period: the days each begins with, and how many lines fall into it."""

    title: str
    days: tuple[date, ...]
    counts: tuple[int, ...]


class Review(NamedTuple):
    """All that a report says.  ``until`` is the last day looked at, ``before`` the days it is compared with.

    ``now`` and ``then`` have every figure by name; ``drifting`` are those who drift most, worst first.  ``hours``
    counts, for each hour of the day, contacts and attempts.  ``remarks`` say what the figures cannot tell.
    """

    period: Period
    until: date
    today: date
    before: Period
    owners: tuple[str, ...]
    currency: str
    now: Mapping[str, Reading]
    then: Mapping[str, Reading]
    targets: tuple[Target, ...]
    trends: tuple[Trend, ...]
    drifting: tuple[Line, ...]
    hours: Mapping[int, tuple[int, int]]
    worst_step: str
    clients: int
    remarks: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        """Whether the period has ended."""
        return self.period.last < self.today


class AtRisk(NamedTuple):
    """A client with something overdue today, as ``check`` has it."""

    client: str
    path: str
    line: int
    value: float
    title: str


def build_review(
    evidence: Evidence,
    context: Context,
    period: Period,
    today: date,
    owners: tuple[str, ...],
    at_risk: Sequence[AtRisk],
) -> Review:
    """The review of a period that has begun by today, against the one before."""
    until = min(period.last, today)
    before = find_before(period, until)
    now = _read(evidence, period, until, at_risk if until == today else None)
    then = _read(evidence, before, before.last, None)
    shown = period._replace(last=until)
    return Review(
        period, until, today, before, owners, context.settings.currency, now, then,
        tuple(_find_targets(context, period, shown, now)),
        tuple(_find_trends(evidence, shown)),
        now["drift"].lines[:MOST_DRIFTING],
        _count_hours(now),
        _find_worst(now["follow-ups"].lines),
        len(evidence.states),
        tuple(_find_remarks(evidence, context, period, before)),
    )  # fmt: skip


_OF_KEYS = frozenset(
    ("new", "lost", "value-lost", "sales", "value-won")
)  # keys can tell of these without a log


def _read(
    evidence: Evidence, period: Period, until: date, at_risk: Sequence[AtRisk] | None
) -> dict[str, Reading]:
    """Every figure over the days up to ``until``; ``at_risk`` is None for another day than today."""
    span = period._replace(last=until)
    states = find_states(evidence.states, span, until)
    readings = {}
    for figure in FIGURES:
        name = figure.name
        lines = (
            states[name] if name in states else [each for each in evidence.lines[name] if each.day in span]
        )
        unknown = "" if lines and name in _OF_KEYS else _find_unknown(evidence, name, span)
        readings[name] = Reading(tuple(lines if name == "drift" else sorted(lines, key=_order)), unknown)
    both = [
        line._replace(part=part)
        for name, part in (("contacts", "reached"), ("attempts", "not reached"))
        for line in readings[name].lines
        for line in (line._replace(group=line.part),)
    ]
    readings["attempts-per-contact"] = readings["attempts-per-contact"]._replace(lines=tuple(both))
    readings["value-at-risk"] = _read_risk(at_risk, until)
    return {
        name: reading._replace(lines=()) if reading.unknown else reading for name, reading in readings.items()
    }


def _read_risk(at_risk: Sequence[AtRisk] | None, today: date) -> Reading:
    if at_risk is None:
        return Reading((), "only of today can it be known")
    lines = (
        Line(today, each.client, each.path, each.line, "", f"overdue: {each.title}", amount=each.value)
        for each in at_risk
    )
    return Reading(tuple(sorted(lines, key=_order)))


def _order(line: Line) -> tuple[date, str, str, int, str]:
    return line.day, line.client, line.path, line.line, line.words


def _find_unknown(evidence: Evidence, name: str, span: Period) -> str:
    """Why a figure cannot be known over these days, '' where it can."""
    if name == "testimonials" and "testimonial-got" not in evidence.told:
        return "no entry is tagged #testimonial-got"
    if evidence.begins is None:
        return "no note has a log"
    if span.last < evidence.begins:
        return f"no log before {name_day(evidence.begins)}"
    return ""


def _find_remarks(evidence: Evidence, context: Context, period: Period, before: Period) -> Iterator[str]:
    begins, since = evidence.begins, context.since
    if begins is not None and period.first < begins <= period.last:
        yield f"The log begins on {name_day(begins)}: of the days before it nothing is known."
    elif begins is not None and before.first < begins <= before.last:
        yield f"The log begins on {name_day(begins)}, inside the period before: compare with care."
    if since is not None and since > before.first:
        what = "" if since > period.first else " of the period before"
        yield (
            f"Follow-ups are reminded of since {name_day(since)}: steps{what} that were over by then count as missed, "
            "and cadences not at all."
        )
    for name in context.settings.targets:
        if _find_target(name) is None:
            yield f"The target '{name}' names no figure: docs/review.md lists those that can have one."


def _find_worst(lines: Iterable[Line]) -> str:
    """The plan step that went wrong most often: missed, still open or late, in this order of weight."""
    counts: dict[str, list[int]] = {}
    for line in lines:
        if line.item in NO_STEPS or line.part == "in window":
            continue
        counted = counts.setdefault(line.item, [0, 0, 0])
        counted[("missed", "open", "late").index(line.part)] += 1
    if not counts:
        return ""
    return max(sorted(counts), key=lambda step: (counts[step][0] + counts[step][1], sum(counts[step])))


def _count_hours(now: Mapping[str, Reading]) -> dict[int, tuple[int, int]]:
    counts: dict[int, tuple[int, int]] = {}
    for name, at in (("contacts", 0), ("attempts", 1)):
        for line in now[name].lines:
            if line.item:
                reached, missed = counts.get(int(line.item), (0, 0))
                counts[int(line.item)] = (reached + (at == 0), missed + (at == 1))
    return dict(sorted(counts.items()))


def _find_trends(evidence: Evidence, span: Period) -> Iterator[Trend]:
    begins = evidence.begins or date.max
    parts = [each for each in part(span) if each.last >= begins]  # before that nobody knows
    days = tuple(each.first for each in parts)
    for name, title in (("contacts", "Contacts made"), ("attempts", "Attempts that reached nobody")):
        lines = evidence.lines[name]
        counts = tuple(sum(line.day in each for line in lines) for each in parts)
        yield Trend(title, days, counts)


# --- Targets ---------------------------------------------------------------------------------------------


def _find_targets(
    context: Context, period: Period, span: Period, now: Mapping[str, Reading]
) -> Iterator[Target]:
    """What the settings aim at, as much of it as the period is long."""
    for name, (count, unit) in context.settings.targets.items():
        wanted = count * count_units(period, unit, context.calendar)
        so_far = wanted * span.days / period.days
        found = _find_target(name)
        done = None
        if found is not None and not now[found[0]].unknown:
            lines = [line for line in now[found[0]].lines if found[1] in ("", line.part)]
            done = sum_up(BY_NAME[found[0]], lines).amount
        words = f"{count} {'a' if unit != 'hour' else 'an'} {unit}"
        yield Target(name, words, round(wanted, 1), round(so_far, 1), done)


def _find_target(name: str) -> tuple[str, str] | None:
    """The figure that a target is of, and the channel where it names one: ``visits`` are contacts by visit."""
    wanted = name.replace("_", "-").casefold()
    figure = BY_NAME.get(wanted) or BY_NAME.get(f"{wanted}s")
    if figure is not None and figure.measure in (COUNT, MONEY):
        return figure.name, ""
    channel = wanted if wanted in CHANNELS else wanted.removesuffix("s")
    return ("contacts", channel) if channel in CHANNELS else None
