"""What each figure of a review is called and means: one table, from which reports, ``--why`` and docs/review.md speak.

Pure data, and the few sums over lines that every report shares; it knows no client, no note and no terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from statistics import median
from typing import NamedTuple

from notesync.followup.dues import STATES

COUNT, SHARE, DAYS, MONEY, RATIO = "count", "share", "days", "money", "ratio"

QUESTIONS = (
    "Did I reach the planned objectives?",
    "What could I have done better?",
    "What did I learn?",
    "Did I follow up each sale?",
    "Do I keep my clients informed?",
)
TO_FILL = {2: "What I will do otherwise:", 3: "What I learned:"}
"""The questions that only a person can answer, and how their lines to fill begin."""

CHANNELS = ("call", "visit", "video", "email", "message", "letter", "other", "not said")


class Definition(NamedTuple):
    """A figure: its ``name`` (for ``--why``), the number of its question, title, measure, and what it means.

    ``parts`` are those that its lines fall into, in order ('' for any).  Of a share, ``good`` is the part that is
    counted and ``aside`` those that are not part of the whole.  ``better`` is 1 where more is better, -1 where less is.
    """

    name: str
    question: int
    title: str
    measure: str
    meaning: str
    parts: tuple[str, ...] = ()
    good: str = ""
    aside: tuple[str, ...] = ()
    better: int = 0


FIGURES = (
    Definition(
        "contacts", 1, "Contacts made", COUNT,
        "Entries of the log, and ticked tasks that say of what kind they were, in which the client was reached. A day "
        "that is only noted as `last_contact` is one contact, by a channel that nobody noted.",
        CHANNELS, better=1,
    ),
    Definition(
        "attempts", 1, "Attempts that reached nobody", COUNT,
        "Entries of the log with an outcome such as `no answer` or `voicemail`.",
        CHANNELS,
    ),
    Definition(
        "new", 1, "New clients", COUNT,
        "Clients whose first day lies in the period: `created`, else the first thing with a date in their note. Where "
        "`last_contact` lies further back, nobody noted since when they are known.",
        better=1,
    ),
    Definition(
        "sales", 1, "Sales", COUNT,
        "Entries tagged `#sold`, and the key `sold` where no entry of that day says so; sales of one day are one.",
        better=1,
    ),
    Definition(
        "lost", 1, "Lost", COUNT,
        "Clients whose `lost` lies in the period. The reason is what an entry of that day says behind `lost:`, or an "
        "entry tagged `#reasons` from then on.",
        ("with a reason", "without a reason"), better=-1,
    ),
    Definition(
        "value-won", 1, "Value won", MONEY,
        "The values of the sales: `[value:: …]` of the entry, else the note's `value` for the newest sale.",
        ("value known", "value not known"), better=1,
    ),
    Definition(
        "value-lost", 1, "Value lost", MONEY,
        "The `value` of the clients who were lost.",
        ("value known", "value not known"), better=-1,
    ),
    Definition(
        "value-at-risk", 1, "Value at risk today", MONEY,
        "The values of the clients with something overdue, each once, as `check` says it. Of a past day the notes "
        "no longer tell it: they hold what is agreed now.",
        better=-1,
    ),
    Definition(
        "follow-ups", 2, "Follow-ups settled in their window", SHARE,
        "All that was due: plan steps, promises, complaints, tasks, agreed contacts, cadences and first calls whose "
        "window closed in the period, up to today. In window: settled by its last day, also before it opened. Late: "
        "settled after it. Missed: as `check --missed` has it. Open: still to do. What fell away (a quote that was "
        "sold, a task given up) was not due. A cadence that lists hold back behind another follow-up was due all the "
        "same.",
        STATES, STATES[0], better=1,
    ),
    Definition(
        "days-late", 2, "Days late", DAYS,
        "How long after their window those were settled that were settled late: the median, and the longest.",
        parts=("late",), better=-1,
    ),
    Definition(
        "taken", 2, "Only taken as settled", COUNT,
        "Of the steps that were settled, those that no tag names: a contact at the right time was taken for them.",
        STATES[:2],
    ),
    Definition(
        "complaints", 3, "Complaints raised", COUNT,
        "Entries tagged `#complaint`, and tasks so tagged that tell when they were created, by how they were "
        "resolved, in the words of the entry tagged `#resolved`. What they were about is the entry's first other tag, "
        "such as `#leak`.",
        ("replaced", "repaired", "serviced", "compensated", "explained", "in another way", "open"), better=-1,
    ),
    Definition(
        "attempts-per-contact", 3, "Attempts per contact", RATIO,
        "How many attempts reached nobody for each contact made, by channel and, where entries have a time, by hour.",
        ("reached", "not reached"), better=-1,
    ),
    Definition(
        "sales-followed", 4, "Sales followed up in time", SHARE,
        "Sales of the period by their after-sale steps that were due by today: all settled in their window, some of "
        "them, or none settled at all. Steps that run once for the client belong to the first sale.",
        ("all in time", "not all in time", "none settled", "nothing due yet"), "all in time", ("nothing due yet",),
        better=1,
    ),
    Definition(
        "satisfaction", 4, "Satisfaction asked in 2 to 7 days", SHARE,
        "The steps `satisfaction` whose window closed in the period: 2 to 7 days after the delivery, else the sale.",
        STATES, STATES[0], better=1,
    ),
    Definition(
        "perception", 4, "Sales with a satisfied client", SHARE,
        "What the client made of each sale of the period: the newest `#satisfied` or `#unhappy` from its day up to the "
        "next sale. Without one it is unknown, and nobody's guess.",
        ("satisfied", "unhappy", "unknown"), "satisfied", better=1,
    ),
    Definition(
        "asked", 4, "Testimonials and referrals asked for", COUNT,
        "Entries and ticked tasks tagged `#testimonial` or `#advocate`, or with the tag of any step of that kind.",
        better=1,
    ),
    Definition(
        "referrals", 4, "Referrals got", COUNT,
        "New clients with `referred_by`, and entries tagged `#referral-got`.",
        better=1,
    ),
    Definition(
        "testimonials", 4, "Testimonials got", COUNT,
        "Entries tagged `#testimonial-got`. While no note of the vault has one, nobody can know.",
        better=1,
    ),
    Definition(
        "promises", 5, "Promises kept in time", SHARE,
        "Promises whose day lay in the period: those of the log and of tasks, and the agreed contact with a time that "
        "a note still names.",
        STATES, STATES[0], better=1,
    ),
    Definition(
        "complaint-contact", 5, "Days from complaint to first contact", DAYS,
        "For the complaints raised in the period the days up to the first contact after it; the median, and the "
        "longest of those that had one.",
        ("contacted", "not yet"), better=-1,
    ),
    Definition(
        "complaint-end", 5, "Days from complaint to its end", DAYS,
        "For the complaints raised in the period the days up to `#resolved`; the median, and the longest of those "
        "that are.",
        ("resolved", "open"), better=-1,
    ),
    Definition(
        "in-touch", 5, "Clients touched as often as they wish", SHARE,
        "Clients with a cadence of their own or of their stage, as of the period's last day: kept, where no window of "
        "it had closed without a contact on any day of the period.",
        ("kept", "not kept", "no contact known"), "kept", ("no contact known",), better=1,
    ),
    Definition(
        "business", 5, "Business clients touched every month", SHARE,
        "Customers with a `company` and a contact in the last 31 days of the period; of a longer period in each 31 "
        "days, counted back from its end.",
        ("every month", "not every month"), "every month", better=1,
    ),
    Definition(
        "informed", 5, "Customers told of what is new", SHARE,
        "Customers with an update in the 12 months up to the period's last day: an entry or ticked task tagged "
        "`#improvements` or `#update`, or a contact taken for that step.",
        ("told", "not told"), "told", better=1,
    ),
    Definition(
        "drift", 5, "Clients beyond their rhythm", COUNT,
        "Clients whose last contact lies further back than they wish, as of the period's last day; drift is by how "
        "much, in their own interval. Where people of one company share a cadence, the last contact with any of them "
        "counts.",
        better=-1,
    ),
)  # fmt: skip

BY_NAME = {figure.name: figure for figure in FIGURES}


class Line(NamedTuple):
    """One thing in the notes behind a figure: on which day, whose, and where it stands.

    ``part`` is which of the figure's parts it belongs to, ``group`` and ``item`` what else it is counted by: of a
    follow-up its kind and step, of a contact its hour.  ``amount`` is days or money (None: not known), else 1.
    """

    day: date
    client: str
    path: str
    line: int
    part: str
    words: str
    group: str = ""
    item: str = ""
    amount: float | None = 1.0


class Reading(NamedTuple):
    """A figure over a period: the lines behind it, or in words why it is ``unknown``."""

    lines: tuple[Line, ...]
    unknown: str = ""


class Value(NamedTuple):
    """A figure's number: ``amount`` (None where there is nothing to tell), of a share the ``whole``.

    ``most`` is the longest of days, ``aside`` how many lines are outside the whole, or without an amount.
    """

    amount: float | None
    whole: int = 0
    most: float = 0
    aside: int = 0


def sum_up(figure: Definition, lines: Sequence[Line]) -> Value:
    """The number of a figure over these lines."""
    if figure.measure == COUNT:
        return Value(len(lines), len(lines))
    if figure.measure == SHARE:
        whole = [line for line in lines if line.part not in figure.aside]
        good = sum(line.part == figure.good for line in whole)
        return Value(good if whole else None, len(whole), 0, len(lines) - len(whole))
    if figure.measure == RATIO:
        parts = count_parts(figure, lines)
        reached, missed = (parts.get(part, 0) for part in figure.parts)
        return Value(round(missed / reached, 2) if reached else None, len(lines))
    amounts = [line.amount for line in lines if line.amount is not None]
    aside = len(lines) - len(amounts)
    if figure.measure == MONEY:
        return Value(sum(amounts), len(amounts), 0, aside)
    return Value(median(amounts) if amounts else None, len(amounts), max(amounts, default=0), aside)


def count_parts(figure: Definition, lines: Iterable[Line]) -> dict[str, int]:
    """How many lines fall into each part, in the figure's order; a part without any is left out."""
    counted = Counter(line.part for line in lines)
    order = {part: at for at, part in enumerate(figure.parts)}
    return {part: counted[part] for part in sorted(counted, key=lambda part: (order.get(part, 99), part))}


def share_of(value: Value) -> float | None:
    """A share as a part of 1; None where there is nothing to be a share of."""
    return value.amount / value.whole if value.amount is not None and value.whole else None
