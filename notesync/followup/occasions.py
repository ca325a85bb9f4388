"""A client and the plans in, the occasions on which steps arise out: sales, complaints, the client's own dates.

A step ``per: sale`` arises for each sale, any other once.  Which plans apply the note says, else its dates; a
complaint's plan applies whatever the note says.  What FORMAT leaves open is decided here so:

* Sales of one day are one sale, and sales delivered on one day have one delivery.  The key ``delivery`` belongs to
  the newest sale that is not later; without a sale it stands alone.
* Of a plan's anchor and its end on one day, the later in the order of a sale's life counts: quoted, sold, lost.

This module knows no log but its sales, and nothing of what is settled.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.client_fields import Dated
from notesync.followup.dates import parse_date
from notesync.followup.intervals import Interval, add_interval
from notesync.followup.money import parse_money
from notesync.followup.plans import ANCHORS
from notesync.followup.timetable import AGAIN, COMPLAINT, FIRST, Group, Occasion, build_group

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.follow_up import Context
    from notesync.followup.plans import Plan, Step
    from notesync.followup.promises import Case
    from notesync.notes.body import Entry


# --- What starts a plan ----------------------------------------------------------------------------------


class Cause(NamedTuple):
    """What steps count from: the anchors of one sale, one complaint, or the client, each with its day and line.

    ``unknown``: there will be a delivery, nobody knows when.  ``path`` is the note in which an entry stands, if
    not the client's.  ``case`` is the complaint, and ``number`` tells complaints of one day apart.
    """

    anchors: Mapping[str, Dated]
    unknown: bool = False
    value: float | None = None
    path: str = ""
    case: Case | None = None
    number: int = 0


def find_sales(client: Client, as_of: date) -> list[Cause]:
    """The sales, oldest first: those of the log up to a day, and the one that the keys tell of.

    Each has the client's other anchors besides; without a sale there are those alone.
    """
    sold = [
        entry for entry in client.log if "sold" in entry.tags and not entry.attempt and entry.day <= as_of
    ]
    if not sold:
        anchors = client.anchors
        return [Cause(anchors, client.delivery_unknown and "sold" in anchors and "delivery" not in anchors)]
    sales = {entry.day: _read_sale(entry) for entry in sold}
    own = client.anchors.get("sold")
    if own is not None and own.day not in sales:
        sales[own.day] = Cause({"sold": own})
    others = {key: anchor for key, anchor in client.anchors.items() if key not in ("sold", "delivery")}
    causes = [sales[day]._replace(anchors={**others, **sales[day].anchors}) for day in sorted(sales)]
    return _add_delivery(client, causes)


def _read_sale(entry: Entry) -> Cause:
    fields = dict(entry.fields)
    delivery, value = fields.get("delivery", ""), fields.get("value", "")
    anchors = {"sold": Dated(entry.day, None, entry.line, 1)}
    written = parse_date(delivery)
    if written is not None and written.day >= entry.day:
        anchors["delivery"] = Dated(written.day, None, entry.line, 1)
    unknown = delivery.casefold() == "unknown"
    return Cause(anchors, unknown, parse_money(value)[0] if value else None, entry.path)


def _add_delivery(client: Client, sales: list[Cause]) -> list[Cause]:
    """The sales with what the key says of a delivery: a day there is newer than what the log promised."""
    delivery = client.anchors.get("delivery")
    if delivery is not None:
        for at in reversed(range(len(sales))):
            if sales[at].anchors["sold"].day <= delivery.day:
                sales[at] = sales[at]._replace(anchors={**sales[at].anchors, "delivery": delivery})
                break
    elif client.delivery_unknown and "delivery" not in sales[-1].anchors:
        sales[-1] = sales[-1]._replace(unknown=True)
    return sales


def find_complaints(cases: Sequence[Case], newest: Cause) -> Iterator[Cause]:
    """What the complaints' plan counts from, with the anchors of the newest sale besides.

    One with a date of its own is not followed from its first day.
    """
    of_day: dict[date, int] = {}
    for case in cases:
        entry = case.entry
        number = of_day[entry.day] = of_day.get(entry.day, -1) + 1
        anchors = {}
        if not any(key == "due" for key, _ in entry.fields):
            anchors["complaint"] = Dated(entry.day, None, entry.line, 1)
        if case.closed is not None:
            anchors["resolved"] = Dated(case.closed, None, entry.line, 1)
        if anchors:
            yield Cause({**newest.anchors, **anchors}, path=entry.path, case=case, number=number)


# --- Which steps arise -----------------------------------------------------------------------------------


class Run(NamedTuple):
    """A plan at one of its causes, which stand in the ``order`` of their days.

    What is logged ``begins`` to count that day (None: from each step's own).
    """

    plan: Plan
    cause: Cause
    begins: date | None
    order: int


def find_groups(
    client: Client, context: Context, cases: Sequence[Case], as_of: date
) -> list[tuple[Group, Run]]:
    """Every step that arises for a client: by sales and complaints, plans, and the days they count from."""
    sales = find_sales(client, as_of)
    days = _find_days(sales)
    if len(sales) == 1 and not cases:
        return _find_of_cause(client, context, days, 0, sales[0], as_of)
    found = []
    for at, cause in enumerate((*sales, *find_complaints(cases, sales[-1]))):
        found += _find_of_cause(client, context, days, at, cause, as_of, is_alone=len(sales) == 1)
    seen: set[str] = set()
    return [(_leave_out(group, seen) if run.cause.case is None else group, run) for group, run in found]


def _leave_out(group: Group, seen: set[str]) -> Group:
    """The group without what another sale, delivered on that day, has already brought about."""
    new = [occasion for occasion in group.occasions if occasion.name not in seen]
    seen.update(occasion.name for occasion in new)
    return build_group(group.anchor, new)


def _find_days(sales: Sequence[Cause]) -> dict[str, list[date]]:
    """The days of each anchor, of whichever sale, in their order."""
    days: dict[str, set[date]] = {}
    for sale in sales:
        for name, anchor in sale.anchors.items():
            days.setdefault(name, set()).add(anchor.day)
    return {name: sorted(found) for name, found in days.items()}


def _find_of_cause(
    client: Client,
    context: Context,
    days: Mapping[str, Sequence[date]],
    order: int,
    cause: Cause,
    as_of: date,
    *,
    is_alone: bool = True,
) -> list[tuple[Group, Run]]:
    """The steps that arise from one sale or complaint, or from the client's own dates."""
    which = COMPLAINT if cause.case is not None else AGAIN if order else FIRST
    anchors, timetable = cause.anchors, context.timetable
    names = frozenset((*anchors, "delivery")) if cause.unknown else frozenset(anchors)
    named = context.plans.choose(client.plan) if client.plan else ()
    sold = anchors.get("sold")
    found = []
    for plan, can_end, all_rows in timetable.find_layout(names, named, which):
        start = anchors.get(plan.anchor)
        run = Run(plan, cause, start and add_interval(start.day, plan.begins, context.calendar), order)
        for rows in all_rows:
            anchor = anchors.get(rows.anchor)
            left_out = tuple([at for at in rows.choosy if not _is_meant(rows.steps[at], client, cause)])
            if anchor is None:
                group = timetable.find_unknown(plan, rows, sold and sold.day, left_out)
            else:
                group = timetable.find_group(plan, rows, anchor.day, left_out)
                # A step of a sale must not open before it; that of a delivery a week later would.
                if plan.anchor == "sold" and sold and group.opens and group.opens < sold.day:
                    group = _keep_behind(context, group, sold.day)
            if can_end or rows.is_own or not is_alone or cause.case is not None:
                ended = (_find_end(each, context, run, days, as_of) for each in group.occasions)
                group = build_group(group.anchor, ended)
            found.append((group, run))
    return found


def _keep_behind(context: Context, group: Group, sold: date) -> Group:
    kept = (context.timetable.keep_behind(each, sold) for each in group.occasions)
    return build_group(group.anchor, (each for each in kept if each is not None))


def find_begin(occasion: Occasion, run: Run, context: Context) -> date:
    """The day from which on what is logged counts for an occasion."""
    if run.begins is not None:
        return run.begins
    if occasion.day is None or occasion.turn.opens is None:
        return date.min
    return min(add_interval(occasion.day, run.plan.begins, context.calendar), occasion.turn.opens)


def _is_meant(step: Step, client: Client, cause: Cause) -> bool:
    """Whether a step is for this client and sale: of that stage, large enough, its delivery far enough off."""
    if client.stage in step.unless_stage:
        return False
    if step.min_value is not None:
        value = client.value if cause.value is None else cause.value
        if value is None or value < step.min_value:
            return False
    if not step.if_delivery_after or cause.unknown:
        return True
    delivery, sold = cause.anchors.get("delivery"), cause.anchors.get("sold")
    return bool(delivery and sold and (delivery.day - sold.day).days > step.if_delivery_after)


# --- What ends it ----------------------------------------------------------------------------------------


def _find_end(
    occasion: Occasion, context: Context, run: Run, days: Mapping[str, Sequence[date]], as_of: date
) -> Occasion:
    """The occasion with the day on which it ended, and the last day of a repeated step."""
    plan, step, opens = occasion.plan, occasion.step, occasion.turn.opens
    start = run.cause.anchors.get(plan.anchor)
    counted = start.day if start is not None else occasion.day or date.min
    ended = _find_later(plan.anchor, counted, plan.ended_by, days, as_of)
    until: date | None = None
    if ended is None:
        stopped = _find_later(plan.anchor, counted, plan.stopped_by, days, as_of)
        if stopped is not None and not _is_sold_again(step, stopped, days):
            if opens is None or opens > stopped:
                ended = stopped
            elif step.repeat is not None:
                until = stopped + timedelta(1)
    if isinstance(step.until, Interval):
        until = _earlier(until, add_interval(counted, step.until, context.calendar))
    elif step.until and step.until in run.cause.anchors:
        until = _earlier(until, run.cause.anchors[step.until].day)
    if until is not None and opens is not None and opens >= until:
        ended = ended or until
    label = f"{occasion.day} ({run.cause.number + 1})" if run.cause.number else occasion.label
    return occasion._replace(label=label, ended=ended, until=until)


def _find_later(
    anchor: str, counted: date, ends: Iterable[str], days: Mapping[str, Sequence[date]], as_of: date
) -> date | None:
    """The first of these anchors after a plan's own, or on its day if it is the later event of a sale."""
    found: date | None = None
    for end in ends:
        known = days.get(end, ())
        find = bisect_left if _RANKS[end] > _RANKS.get(anchor, -1) else bisect_right
        for day in known[(at := find(known, counted)) : at + 1]:
            if day <= as_of:
                found = _earlier(found, day)
    return found


_RANKS = {anchor: rank for rank, anchor in enumerate(ANCHORS)}


def _is_sold_again(step: Step, stopped: date, days: Mapping[str, Sequence[date]]) -> bool:
    """Whether a loss is history for what runs once for the client: something was sold since."""
    return not step.per_sale and "sold" in days and days["sold"][-1] > stopped


def _earlier(one: date | None, other: date) -> date:
    return other if one is None else min(one, other)
