"""A review in; what every report of it says, in words and numbers, out: rows, bars and lists, question by question.

The reports for terminals, notes and browsers draw these and say nothing of their own, so they cannot differ.  All
texts of notes are cleaned here; escaping them for a format is the business of who writes it.  Pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dues import STATES
from notesync.followup.figures import (
    BY_NAME,
    COUNT,
    DAYS,
    FIGURES,
    MONEY,
    QUESTIONS,
    RATIO,
    SHARE,
    TO_FILL,
    Definition,
    Line,
    Reading,
    Value,
    count_parts,
    share_of,
    sum_up,
)
from notesync.followup.period import RANGE, describe_days
from notesync.notes.spelled import MONTH_NAMES
from notesync.publish.text import clean, format_count, format_money, format_number

if TYPE_CHECKING:
    from notesync.followup.review import Review

BETTER, WORSE, SAME = "better", "worse", "same"
_MOST_LISTED = 10


class Row(NamedTuple):
    """A figure: its number in words now and before, and the ``change`` in words.

    ``verdict`` is whether that is for the better ('' where neither is), for a colour; ``share`` is what to draw of
    it (0 to 1), None for nothing; ``parts`` are what the number is made of.
    """

    name: str
    title: str
    now: str
    then: str
    change: str
    verdict: str
    share: float | None
    parts: str


class Stack(NamedTuple):
    """Bars of several parts each: for each label how many of every part; ``parts`` name them."""

    title: str
    parts: tuple[str, ...]
    bars: tuple[tuple[str, tuple[int, ...]], ...]


class Spark(NamedTuple):
    """A number over time: labels of the times, and the counts."""

    title: str
    labels: tuple[str, ...]
    counts: tuple[int, ...]


class Place(NamedTuple):
    """A line of a list: whose it is, what it says, and where that stands."""

    client: str
    words: str
    path: str
    line: int


class Listing(NamedTuple):
    """A list of places under a title; ``rest`` are those not shown."""

    title: str
    places: tuple[Place, ...]
    rest: int = 0


class Section(NamedTuple):
    """One of the five questions: its figures and what is drawn and listed beside them.

    ``fill`` is how the lines begin that a person fills in, '' where the notes can answer; ``beside`` what to think of
    while doing so.
    """

    number: int
    question: str
    rows: tuple[Row, ...]
    sparks: tuple[Spark, ...]
    stacks: tuple[Stack, ...]
    listings: tuple[Listing, ...]
    fill: str
    beside: str


class Report(NamedTuple):
    """A review in words: its title, which days against which, the targets, the five sections, what to mind."""

    title: str
    days: str
    compared: str
    scope: str
    targets: tuple[Row, ...]
    sections: tuple[Section, ...]
    remarks: tuple[str, ...]


def build_report(review: Review) -> Report:
    """Everything that a report of the review says."""
    span = describe_days(review.period.first, review.until)
    days = span if review.is_over else f"{span}, so far"
    label = review.period.label
    owners = f" of {clean(' and '.join(review.owners))}" if review.owners else ""
    clients = format_count(review.clients, "client")
    return Report(
        f"Review{owners}: {label}",
        f"{days} ({clients})"
        if review.period.kind != RANGE
        else f"{'so far' if not review.is_over else 'whole'} ({clients})",
        f"compared with {describe_days(review.before.first, review.before.last)}",
        owners.strip(),
        tuple(_build_targets(review)),
        tuple(_build_section(review, number) for number in range(1, len(QUESTIONS) + 1)),
        tuple(map(clean, review.remarks)),
    )


def _build_targets(review: Review) -> Iterator[Row]:
    for target in review.targets:
        wanted = _shorten(target.wanted)
        title = f"Target: {clean(target.name).replace('_', ' ')}"
        if target.done is None:
            yield Row(target.name, title, "not known", "", f"of {wanted}", "", None, "")
            continue
        is_ahead = target.done >= target.so_far
        if review.is_over:
            course = "reached" if is_ahead else "not reached"
        else:
            course = f"{'ahead' if is_ahead else 'behind'}: {_shorten(target.so_far)} expected by today"
        share = min(1.0, target.done / target.wanted) if target.wanted else None
        words = f"{format_number(target.done)} of {wanted}"
        verdict = BETTER if is_ahead else WORSE
        yield Row(target.name, title, words, "", course, verdict, share, clean(target.words))


def _shorten(wanted: float) -> str:
    """Part of a target: whole where it is large enough for that."""
    return format_number(round(wanted)) if wanted >= 10 else f"{wanted:g}"


def _build_section(review: Review, number: int) -> Section:
    rows = tuple(build_row(review, figure) for figure in FIGURES if figure.question == number)
    sparks, stacks, listings = _DETAILS[number](review)
    fill = TO_FILL.get(number, "")
    beside = _find_beside(review, number) if fill else ""
    return Section(
        number, QUESTIONS[number - 1], rows, tuple(sparks),
        tuple(stack for stack in stacks if stack.bars), tuple(each for each in listings if each.places), fill, beside,
    )  # fmt: skip


def _find_beside(review: Review, number: int) -> str:
    """What the question that only a person answers is about."""
    unknown = review.now["follow-ups" if number == 2 else "lost"].unknown
    if unknown:
        return f"Not known: {clean(unknown)}."
    if number == 2:
        if not review.worst_step:
            return "No step of a plan was late, missed or left open."
        lines = [line for line in review.now["follow-ups"].lines if line.item == review.worst_step]
        counted = Counter(line.part for line in lines)
        wrong = ", ".join(
            f"{counted[state]} {state}" for state in ("missed", "open", "late") if counted[state]
        )
        return f"The step missed most: {clean(review.worst_step)} ({wrong} of {len(lines)})."
    reasons = [clean(line.item) for line in review.now["lost"].lines if line.item]
    return (
        f"Why clients said no: {'; '.join(reasons).rstrip('.')}."
        if reasons
        else "No reason for a lost sale was noted."
    )


# --- Figures ---------------------------------------------------------------------------------------------


def build_row(review: Review, figure: Definition) -> Row:
    """A figure in words, now and before."""
    now, then = review.now[figure.name], review.then[figure.name]
    change, verdict = _compare(figure, now, then)
    return Row(
        figure.name,
        figure.title,
        say(figure, now, review.currency),
        "not known" if then.unknown else say(figure, then, review.currency),
        change,
        verdict,
        share_of(sum_up(figure, now.lines)) if figure.measure == SHARE and not now.unknown else None,
        _say_parts(figure, now),
    )


def say(figure: Definition, reading: Reading, currency: str) -> str:
    """A figure's number in words, or why there is none."""
    if reading.unknown:
        return f"not known: {clean(reading.unknown)}"
    value = sum_up(figure, reading.lines)
    return _SAY[figure.measure](figure, value, currency)


def _say_count(_figure: Definition, value: Value, _currency: str) -> str:
    return format_number(value.amount or 0)


def _say_share(figure: Definition, value: Value, _currency: str) -> str:
    aside = f" ({value.aside} {' or '.join(figure.aside)})" if value.aside else ""
    if value.amount is None:
        return f"none{aside}"
    return f"{value.amount:.0f} of {value.whole}, {value.amount / value.whole:.0%}{aside}"


def _say_days(figure: Definition, value: Value, _currency: str) -> str:
    aside = f"; {value.aside} {figure.parts[-1]}" if value.aside else ""
    if value.amount is None:
        return f"none{aside}"
    days = f"{value.amount:g} day{'' if value.amount == 1 else 's'}"
    longest = f" (median of {value.whole}, longest {value.most:g})" if value.whole > 1 else ""
    return f"{days}{longest}{aside}"


def _say_money(_figure: Definition, value: Value, currency: str) -> str:
    aside = f" ({value.aside} not known)" if value.aside else ""
    return f"{format_money(value.amount or 0.0, currency)}{aside}"


def _say_ratio(_figure: Definition, value: Value, _currency: str) -> str:
    return "none" if value.amount is None else format_number(value.amount)


_SAY = {COUNT: _say_count, SHARE: _say_share, DAYS: _say_days, MONEY: _say_money, RATIO: _say_ratio}


def _compare(figure: Definition, now: Reading, then: Reading) -> tuple[str, str]:
    """By how much a figure has changed, and whether that is for the better."""
    if now.unknown or then.unknown:
        return "", ""
    one, other = sum_up(figure, now.lines), sum_up(figure, then.lines)
    if figure.measure == SHARE:
        new, old = share_of(one), share_of(other)
        if new is None or old is None:
            return "", ""
        difference: float = round(new * 100) - round(old * 100)
        change = f"{difference:+.0f} points"
    else:
        if one.amount is None or other.amount is None:
            return "", ""
        difference = round(one.amount - other.amount, 2)
        change = ("+" if difference > 0 else "") + format_number(difference)
    if not difference:
        return "the same", SAME
    verdict = "" if not figure.better else BETTER if (difference > 0) == (figure.better > 0) else WORSE
    return f"{change} {verdict}".rstrip(), verdict


def _say_parts(figure: Definition, reading: Reading) -> str:
    """``5 call, 2 visit``; nothing where all is said by the number."""
    parts = count_parts(figure, reading.lines)
    is_of_two = figure.measure == SHARE and len(set(figure.parts) - set(figure.aside)) == 2
    is_said = figure.measure in (MONEY, RATIO, DAYS) or is_of_two
    if is_said or set(parts) <= {"", figure.good}:
        return ""
    return ", ".join(f"{count} {part}" for part, count in parts.items())


# --- What stands beside them -----------------------------------------------------------------------------

Details = tuple[Iterable[Spark], Iterable[Stack], Iterable[Listing]]


def _detail_objectives(review: Review) -> Details:
    year = review.until.year
    sparks = [
        Spark(
            trend.title,
            tuple(
                f"{day.day} {MONTH_NAMES[day.month - 1][:3].title()}" if day.year == year else f"{day}"
                for day in trend.days
            ),
            trend.counts,
        )
        for trend in review.trends
    ]
    return sparks, [_stack_channels(review)], ()


def _detail_better(review: Review) -> Details:
    lines = review.now["follow-ups"].lines
    stacks = [
        _stack("Follow-ups by kind", [(line.group, line) for line in lines]),
        _stack("Follow-ups by step", [(line.item, line) for line in lines]),
    ]
    wrong = sorted((line for line in lines if line.part != STATES[0]), key=lambda each: -(each.amount or 0))
    return (), stacks, [_list("Not in their window", wrong)]


def _detail_learned(review: Review) -> Details:
    complaints = review.now["complaints"].lines
    about = Counter(line.item or "said in words only" for line in complaints)
    stack = Stack(
        "Complaints by what they were about",
        ("complaints",),
        tuple(
            (clean(tag), (count,))
            for tag, count in sorted(about.items(), key=lambda each: (-each[1], each[0]))
        ),
    )
    return (
        (),
        [_stack_hours(review), stack],
        [_list("Lost", review.now["lost"].lines), _list("Complaints", complaints)],
    )


def _detail_sales(review: Review) -> Details:
    return (
        (),
        (),
        [
            _list("Sales and their steps", review.now["sales-followed"].lines),
            _list("What clients made of it", review.now["perception"].lines),
        ],
    )


def _detail_informed(review: Review) -> Details:
    places = tuple(_place(line, f"{line.amount or 0:.0%} beyond: {line.words}") for line in review.drifting)
    rest = max(0, len(review.now["drift"].lines) - len(places))
    broken = [line for line in review.now["promises"].lines if line.part != STATES[0]]
    return (), (), [Listing("Who drifts most", places, rest), _list("Promises not kept in time", broken)]


_DETAILS = {
    1: _detail_objectives,
    2: _detail_better,
    3: _detail_learned,
    4: _detail_sales,
    5: _detail_informed,
}


def _stack(title: str, labelled: Sequence[tuple[str, Line]]) -> Stack:
    """Follow-ups by a label and what became of them, those with the most first."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for label, line in labelled:
        counted[clean(label)][line.part] += 1
    order = sorted(counted, key=lambda label: (-counted[label].total(), label))
    return Stack(
        title, STATES, tuple((label, tuple(counted[label][state] for state in STATES)) for label in order)
    )


def _stack_channels(review: Review) -> Stack:
    reached = count_parts(BY_NAME["contacts"], review.now["contacts"].lines)
    missed = count_parts(BY_NAME["attempts"], review.now["attempts"].lines)
    order = [part for part in BY_NAME["contacts"].parts if part in reached or part in missed]
    bars = tuple((part, (reached.get(part, 0), missed.get(part, 0))) for part in order)
    return Stack("By channel", _REACHED, bars)


def _stack_hours(review: Review) -> Stack:
    bars = tuple((f"{hour:02}:00", counts) for hour, counts in review.hours.items())
    return Stack("By hour of day, of those with a time", _REACHED, bars)


_REACHED = ("reached", "not reached")


def _list(title: str, lines: Sequence[Line]) -> Listing:
    shown = tuple(_place(line, line.words) for line in lines[:_MOST_LISTED])
    return Listing(title, shown, len(lines) - len(shown))


def _place(line: Line, words: str) -> Place:
    return Place(clean(line.client), clean(words), clean(line.path), line.line)
