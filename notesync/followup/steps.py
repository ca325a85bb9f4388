"""A client and the plans in, the steps that are open out, and how far along the plans the client is.

A step of a plan arises once for each occasion: a sale, a complaint, or once for the client.  From the
client's log and ticked tasks, in the order of their days, follows which occasions are settled; what is left
are follow-ups, with the day after which each is missed.  Nothing here depends on today: which entries are
still appointments is all that ``as_of`` tells, and the rest is dates that the agenda compares.

What FORMAT leaves open is decided here so:

* A window that would close before its own sale moves to the sale's day; if that is not before the anchor
  (sold over the counter), there was never time for the step, and it does not arise.
* Sales of one day are one sale, and sales delivered on one day have one delivery.  The key ``delivery``
  belongs to the newest sale that is not later.  Of a plan's anchor and its end on one day, the later in the
  order of a sale's life counts: quoted, sold, lost.
* The contact in which the sale was made is the sale: it does not settle a step of that sale (of several
  contacts on its day, it is one).  Nor does the entry that raises a complaint acknowledge it.
* A one-way channel settles a step with questions after all where it is the step's own channel.
* Of two occasions the older one that is not missed yet takes the tag; where all are missed, the newest.
* A repeated step that is missed comes again with its next occurrence; that one then stays open until
  something is logged.  A tag settles an occurrence from half an interval before it opens.
* A pause moves what must not be missed to its end; an open end holds everything.
* Complaints have their plan whatever ``plan`` says in the note, and ``none`` there ends all others.

This module knows no note, no disk and no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dates import (
    Interval,
    WorkCalendar,
    add_interval,
    format_day,
    interval_days,
    parse_date,
)
from notesync.followup.follow_up import Context, FollowUp, Past, is_contact, name_day
from notesync.followup.plans import ANCHORS
from notesync.followup.promises import (
    ACKNOWLEDGE,
    CHECK,
    RESOLVE,
    Case,
    find_cases,
    find_open_complaint,
    order_tagged,
)

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.plans import Plan, Plans, Step

ONE_WAY = frozenset(("email", "message", "letter"))

SETTLED, ENDED, WAITS = "settled", "ended", "waits"
UPCOMING, DUE, OVERDUE, MISSED = "upcoming", "due", "overdue", "missed"

_MISSED_AFTER = 30  # days after a window's closing, unless it was open for longer
_USUAL_MINUTES = 15
_NEVER_MISSED = frozenset(("promise", "complaint", "delivery"))  # kinds


class Settled(NamedTuple):
    """What settled a step: its day, in words what, whether it was only taken for that, and whether too early."""

    day: date
    by: str
    taken: bool
    early: bool


class Progress(NamedTuple):
    """A step at one of its occasions, as a client's card shows it on a day.

    ``status`` is settled, ended, waits (``waits`` says for what), upcoming, due, overdue or missed; ``ended``
    the day that ended it.  ``log_line`` is the entry that would settle it on that day, '' once it is settled.
    ``number`` counts a repeated step's occurrences from 0.
    """

    step: Step
    occasion: str
    number: int
    opens: date | None
    closes: date | None
    status: str
    reason: str
    waits: str
    expires: date | None
    settled: Settled | None
    ended: date | None
    log_line: str
    path: str
    line: int


# --- The rule --------------------------------------------------------------------------------------------


def find_steps(client: Client, context: Context, past: Past) -> Iterator[FollowUp]:
    """The steps of the plans in force that are not settled, each with its window and its last day.

    A repeated step gives its open occurrence, the one that comes should that be missed, and the last one
    missed.  The package's steps for a complaint are left to the rule that knows its words.
    """
    if not _has_plan(client):
        return
    course = _Course(client, context, past.as_of)
    for occasion in course.occasions:
        if (
            occasion.settled is not None
            or occasion.ended is not None
            or occasion.step.name in _COMPLAINT_STEPS
        ):
            continue
        for turn in course.find_turns(occasion):
            step = occasion.step
            yield FollowUp(
                opens=turn.opens,
                due=turn.closes,
                minute=None,
                contact=not step.desk,
                rule="step",
                kind=step.kind,
                step=step.name,
                occasion=occasion.name(turn.number),
                title=step.title,
                reason=turn.reason,
                path=occasion.cause.path or client.path,
                line=occasion.line,
                channel=_choose_channel(client, step),
                minutes=_plan_minutes(client, context, step),
                wanted=0,
                expires=turn.expires,
                ask=step.ask,
                waits=turn.waits,
            )


_COMPLAINT_STEPS = frozenset((ACKNOWLEDGE, RESOLVE, CHECK))


def find_progress(client: Client, context: Context, past: Past) -> Iterator[Progress]:
    """Every step of the plans in force on a day, settled and ended ones too, in the plans' order."""
    if not _has_plan(client):
        return
    as_of = past.as_of
    course = _Course(client, context, as_of)
    for occasion in course.occasions:
        if occasion.repeats:
            for number, (opens, closes), settled in occasion.history[-1:]:
                yield _show_settled(client, occasion, number, opens, closes, settled)
        if occasion.settled is not None:
            if not occasion.repeats:
                yield _show_settled(client, occasion, 0, occasion.opens, occasion.closes, occasion.settled)
        elif occasion.ended is not None:
            yield _show(
                client, occasion, _Turn(0, occasion.opens, occasion.closes, None, "", occasion.why()), ENDED
            )
        else:
            turns = course.find_turns(occasion)
            alive = [turn for turn in turns if turn.expires is None or as_of <= turn.expires] or turns[-1:]
            turn = alive[0]
            yield _show(client, occasion, turn, _judge(turn, as_of), as_of)


def _has_plan(client: Client) -> bool:
    """Whether anything of a client can start a plan: most clients are told from the rest by this alone."""
    if client.anchors or client.delivery_unknown:
        return True
    return any("sold" in entry.tags or "complaint" in entry.tags for entry in client.log)


def _judge(turn: _Turn, today: date) -> str:
    if turn.expires is not None and today > turn.expires:
        return MISSED
    if turn.waits:
        return WAITS
    if turn.opens is None or turn.closes is None:
        return DUE
    if today < turn.opens:
        return UPCOMING
    return DUE if today <= turn.closes else OVERDUE


def _show(
    client: Client, occasion: _Occasion, turn: _Turn, status: str, today: date | None = None
) -> Progress:
    return Progress(
        occasion.step,
        occasion.name(turn.number),
        turn.number,
        turn.opens,
        turn.closes,
        status,
        turn.reason,
        turn.waits,
        turn.expires,
        None,
        occasion.ended,
        "" if today is None else _build_log_line(client, occasion.step, today),
        occasion.cause.path or client.path,
        occasion.line,
    )


def _show_settled(
    client: Client,
    occasion: _Occasion,
    number: int,
    opens: date | None,
    closes: date | None,
    settled: Settled,
) -> Progress:
    shown = _show(client, occasion, _Turn(number, opens, closes, None, "", occasion.why()), SETTLED)
    return shown._replace(settled=settled, ended=None)


def _build_log_line(client: Client, step: Step, today: date) -> str:
    if step.desk:
        return f"- {today}: … #{step.tag}"
    channel = _choose_channel(client, step)
    return f"- {today} {channel if channel in _CHANNELS else 'call'}: … #{step.tag}"


_CHANNELS = ONE_WAY | {"call", "visit", "video"}


def _choose_channel(client: Client, step: Step) -> str:
    """The step's channel, else how the client wants to be reached; never one in ``not_by``; '' for any."""
    wanted = (step.channel, *client.contact_by) if step.channel else client.contact_by
    return next((channel for channel in wanted if channel not in client.not_by), "")


def _plan_minutes(client: Client, context: Context, step: Step) -> int:
    return client.minutes or context.minutes.get(client.stage) or step.minutes or _USUAL_MINUTES


# --- What starts a plan ----------------------------------------------------------------------------------


class _Cause(NamedTuple):
    """What steps count from: the anchors of one sale, one complaint, or the client, each with its line.

    ``unknown``: there will be a delivery, nobody knows when.  ``path`` is the note in which an entry stands,
    if not the client's.  ``complaint`` is the place of the complaint among the client's (-1: none);
    ``number`` tells complaints of one day apart.
    """

    anchors: dict[str, tuple[date, int]]
    unknown: bool = False
    value: float | None = None
    path: str = ""
    complaint: int = -1
    number: int = 0


def _find_sales(client: Client, as_of: date) -> list[_Cause]:
    """The sales, oldest first: those of the log up to a day, and the one that the keys tell of."""
    sales: dict[date, _Cause] = {}
    for entry in client.log:
        if "sold" in entry.tags and not entry.attempt and entry.day <= as_of:
            fields = dict(entry.fields)
            sale = _Cause({"sold": (entry.day, entry.line)}, value=_read_value(fields), path=entry.path)
            delivery = fields.get("delivery", "")
            written = parse_date(delivery)
            if written is not None and written.day >= entry.day:
                sale.anchors["delivery"] = written.day, entry.line
            sales[entry.day] = sale._replace(unknown=delivery.casefold() == "unknown")
    sold = client.anchors.get("sold")
    if sold is not None and sold.day not in sales:
        sales[sold.day] = _Cause({"sold": (sold.day, sold.line)})
    return _add_keys(client, [sales[day] for day in sorted(sales)])


def _read_value(fields: dict[str, str]) -> float | None:
    from notesync.followup.client import parse_money

    text = fields.get("value", "")
    return parse_money(text)[0] if text else None


def _add_keys(client: Client, sales: list[_Cause]) -> list[_Cause]:
    """The sales with what the keys say of them: a delivery's day there is newer than what the log promised."""
    delivery = client.anchors.get("delivery")
    if delivery is not None:
        if not sales:
            return [_Cause({"delivery": (delivery.day, delivery.line)})]
        for sale in reversed(sales):
            if sale.anchors["sold"][0] <= delivery.day:
                sale.anchors["delivery"] = delivery.day, delivery.line
                break
    elif client.delivery_unknown and sales and "delivery" not in sales[-1].anchors:
        sales[-1] = sales[-1]._replace(unknown=True)
    return sales


def _find_complaint_causes(cases: list[Case]) -> Iterator[_Cause]:
    """What the complaint's plan counts from; one with a date of its own is not followed from its first day."""
    of_day: dict[date, int] = {}
    for at, case in enumerate(cases):
        entry = case.entry
        number = of_day[entry.day] = of_day.get(entry.day, -1) + 1
        anchors = {}
        if not any(key == "due" for key, _ in entry.fields):
            anchors["complaint"] = entry.day, entry.line
        if case.closed is not None:
            anchors["resolved"] = case.closed, entry.line
        if anchors:
            yield _Cause(anchors, path=entry.path, complaint=at, number=number)


# --- Windows ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=16384)
def _find_window(
    opens: Interval, closes: Interval, anchor: date, calendar: WorkCalendar
) -> tuple[date, date]:
    """A window around an anchor, on working days: the next ones, or before the anchor the last ones."""
    return _settle_down(
        add_interval(anchor, opens, calendar), add_interval(anchor, closes, calendar), anchor, calendar
    )


def _settle_down(first: date, last: date, anchor: date, calendar: WorkCalendar) -> tuple[date, date]:
    move = calendar.on_or_after
    # A window of the anchor's own day (0 to 0 days) waits for work; only one around an earlier day comes sooner.
    if last <= anchor and first < anchor:
        move = calendar.on_or_before
    first = move(first)
    return first, max(move(last), first)


class _Occasion:
    """A step at one occasion, on its way through the log: what its window is, and what became of it.

    A repeated step's ``number`` is the occurrence that is open, ``history`` what settled earlier ones.
    """

    __slots__ = (
        "anchor",
        "anchor_name",
        "begins",
        "calendar",
        "cause",
        "closes",
        "ended",
        "expires",
        "history",
        "line",
        "number",
        "opens",
        "order",
        "plan",
        "repeats",
        "settled",
        "step",
        "until",
    )

    def __init__(
        self, plan: Plan, step: Step, cause: _Cause, anchor_name: str, calendar: WorkCalendar
    ) -> None:
        self.plan = plan
        self.step = step
        self.cause = cause
        self.anchor_name = anchor_name
        self.calendar = calendar
        self.anchor: date | None = None
        self.line = cause.anchors["sold"][1] if "sold" in cause.anchors else 1
        self.number = 0
        self.repeats = step.repeat is not None
        self.opens: date | None = None
        self.closes: date | None = None
        self.ended: date | None = None
        self.expires: date | None = None
        self.settled: Settled | None = None
        self.history: list[tuple[int, tuple[date, date], Settled]] = []
        self.until: date | None = None
        self.order = 0
        self.begins = date.min
        if anchor_name in cause.anchors:
            self.anchor, self.line = cause.anchors[anchor_name]
            self.opens, self.closes = _find_window(step.opens, step.closes, self.anchor, calendar)

    def name(self, number: int) -> str:
        """The occasion's name, which its calendar entry keeps: plan, step, anchor's day, repeat number."""
        day = "unknown" if self.anchor is None else self.anchor.isoformat()
        if self.anchor is None and "sold" in self.cause.anchors:
            day = f"{self.cause.anchors['sold'][0]} unknown"
        again = f" ({self.cause.number + 1})" if self.cause.number else ""
        return f"{self.plan.name} {self.step.name} {day}{again} {number}"

    def why(self) -> str:
        """What started it, in words."""
        if self.anchor is None:
            return "delivery on an unknown day"
        words = _REASONS[self.anchor_name]
        if self.anchor_name == "delivery" and self.opens is not None and self.opens < self.anchor:
            words = "delivery on"
        return f"{words} {name_day(self.anchor)}"

    def clamp(self, start: date) -> bool:
        """Keep the window behind its sale; False where there was no time for the step at all."""
        if self.anchor is None or self.opens is None or self.closes is None or self.opens >= start:
            return True
        if self.anchor <= start and self.step.opens.count < 0:
            return False
        self.opens = self.calendar.on_or_after(start)
        self.closes = max(self.closes, self.opens)
        return True

    def window(self, number: int) -> tuple[date, date] | None:
        """An occurrence's window; None beyond the end of the series, or of time."""
        repeat = self.step.repeat
        if self.anchor is None or self.opens is None or self.closes is None:
            return None
        if number == 0 or repeat is None:
            return self.opens, self.closes
        far = Interval(repeat.count * number, repeat.unit)
        first = add_interval(add_interval(self.anchor, self.step.opens, self.calendar), far, self.calendar)
        last = add_interval(add_interval(self.anchor, self.step.closes, self.calendar), far, self.calendar)
        if first >= _END or (self.until is not None and first >= self.until):
            return None
        return _settle_down(first, last, date.min, self.calendar)

    def first_after(self, day: date, number: int = 0) -> int:
        """The first occurrence that opens after a day, from a number on."""
        repeat = self.step.repeat
        if repeat is None or self.opens is None:
            return number
        # Skip most of the way at once: no month or year is longer than this, and a week's is exact.
        longest = {"month": 31, "year": 366}.get(repeat.unit, 0) * repeat.count or interval_days(repeat)
        if repeat.unit != "workday":
            number = max(number, (day - self.opens).days // max(longest, 1) - 1)
        while (window := self.window(number)) is not None and window[0] <= day:
            number += 1
        return number

    def settle(self, settled: Settled) -> None:
        """Settle it; of a repeated step all occurrences that opened by that day, or else the next one."""
        if not self.repeats:
            self.settled = settled
            return
        window = self.window(self.number)
        if window is None:
            return
        following = max(self.first_after(settled.day, self.number), self.number + 1)
        last = self.window(following - 1) or window
        self.history.append((following - 1, last, settled))
        self.number = following
        if self.window(following) is None:
            self.settled = settled


_END = date(2300, 1, 1)
_REASONS = {
    "quoted": "quoted on",
    "sold": "sold on",
    "delivery": "delivered on",
    "go_live": "go-live on",
    "lost": "lost on",
    "renewal": "renewal on",
    "complaint": "complaint of",
    "resolved": "resolved on",
}


class _Turn(NamedTuple):
    """A step's occurrence as it is shown: its window as pauses and needs leave it, and its last day."""

    number: int
    opens: date | None
    closes: date | None
    expires: date | None
    waits: str
    reason: str


# --- A client's way along the plans ----------------------------------------------------------------------


class _Done(NamedTuple):
    """Something done: an entry of the log (at ``place``), or a ticked task (place -1)."""

    day: date
    place: int
    channel: str | None
    tags: tuple[str, ...]
    contact: bool


class _Course:
    """One client's occasions as of a day, settled as far as the log tells."""

    def __init__(self, client: Client, context: Context, as_of: date) -> None:
        self.client = client
        self.calendar = context.calendar
        self.as_of = as_of
        self.since = context.since
        self.pause = client.paused_until.day if client.paused_until else None
        self.plans: Plans = context.plans
        log = order_tagged(client)
        self.complaints = find_cases(client, log, "complaint", as_of) if log else []
        self.is_held = find_open_complaint(client, as_of) is not None
        self.sales = _find_sales(client, as_of)
        self.base = {
            key: (anchor.day, anchor.line)
            for key, anchor in client.anchors.items()
            if key not in ("sold", "delivery")
        }
        self.newest = date.min
        self.occasions = list(self._find_occasions())
        self._settle()

    # What arises.

    def _find_occasions(self) -> Iterator[_Occasion]:
        causes = [sale._replace(anchors={**self.base, **sale.anchors}) for sale in self.sales]
        causes = causes or [_Cause(self.base)]
        complaints = [
            cause._replace(anchors={**causes[-1].anchors, **cause.anchors})
            for cause in _find_complaint_causes(self.complaints)
        ]
        seen: set[str] = set()
        for plan in self._choose_plans():
            for step in plan.steps:
                if self.client.stage in step.unless_stage:
                    continue
                of_complaint = "complaint" in step.after or "resolved" in step.after
                for cause in complaints if of_complaint else causes if step.per_sale else causes[:1]:
                    occasion = self._find_occasion(plan, step, cause)
                    if occasion is not None and (name := occasion.name(0)) not in seen:
                        seen.add(name)
                        occasion.order = len(seen)
                        yield occasion

    def _choose_plans(self) -> Iterator[Plan]:
        """The plans that the note names, else those whose anchor is there; a complaint's always."""
        named = {re.sub(r"[\s_]+", "-", name) for name in self.client.plan}
        for plan in self.plans.plans:
            if plan.anchor == "complaint":
                if self.complaints:
                    yield plan
            elif named:
                if plan.name in named:
                    yield plan
            elif not plan.opt_in and self._has_anchor(plan.anchor):
                yield plan

    def _has_anchor(self, anchor: str) -> bool:
        """Whether what starts a plan is there; a plan of one's own may leave that to its steps."""
        return not anchor or anchor in self.base or any(anchor in sale.anchors for sale in self.sales)

    def _find_occasion(self, plan: Plan, step: Step, cause: _Cause) -> _Occasion | None:
        name = next(
            (name for name in step.after if name in cause.anchors or (name == "delivery" and cause.unknown)),
            "",
        )
        if not name or not self._is_meant(step, cause):
            return None
        occasion = _Occasion(plan, step, cause, name, self.calendar)
        start = cause.anchors.get(plan.anchor)
        if (
            start is not None
            and name != plan.anchor
            and plan.anchor == "sold"
            and not occasion.clamp(start[0])
        ):
            return None
        counted = start[0] if start is not None else occasion.anchor or date.min
        occasion.begins = add_interval(counted, plan.begins, self.calendar)
        if start is None and occasion.opens is not None:
            occasion.begins = min(occasion.begins, occasion.opens)
        self._find_end(occasion, counted)
        return occasion

    def _is_meant(self, step: Step, cause: _Cause) -> bool:
        """Whether a step is for this sale: large enough, its delivery far enough off."""
        if step.min_value is not None:
            value = self.client.value if cause.value is None else cause.value
            if value is None or value < step.min_value:
                return False
        if not step.if_delivery_after or cause.unknown:
            return True
        delivery, sold = cause.anchors.get("delivery"), cause.anchors.get("sold")
        return bool(delivery and sold and (delivery[0] - sold[0]).days > step.if_delivery_after)

    def _find_end(self, occasion: _Occasion, counted: date) -> None:
        """What ended the plan, and the last day of a repeated step."""
        plan, step = occasion.plan, occasion.step
        if plan.ended_by:
            occasion.ended = self._find_later(plan.anchor, counted, plan.ended_by)
        if plan.stopped_by and occasion.ended is None:
            stopped = self._find_later(plan.anchor, counted, plan.stopped_by)
            if stopped is not None and not self._is_sold_again(occasion, stopped):
                if occasion.opens is None or occasion.opens > stopped:
                    occasion.ended = stopped
                elif occasion.repeats:
                    occasion.until = stopped + timedelta(1)
        if isinstance(step.until, Interval):
            occasion.until = _earlier(occasion.until, add_interval(counted, step.until, self.calendar))
        elif step.until and step.until in occasion.cause.anchors:
            occasion.until = _earlier(occasion.until, occasion.cause.anchors[step.until][0])
        if occasion.until is not None and occasion.opens is not None and occasion.opens >= occasion.until:
            occasion.ended = occasion.ended or occasion.until

    def _find_later(self, anchor: str, counted: date, ends: Iterable[str]) -> date | None:
        """The first of these anchors after a plan's own, or on its day if it is the later event of a sale."""
        days = []
        for end in ends:
            known = [sale.anchors[end][0] for sale in self.sales if end in sale.anchors]
            known += [self.base[end][0]] if end in self.base else []
            later = _RANKS[end] > _RANKS.get(anchor, -1)
            days += [
                day for day in known if day <= self.as_of and (day > counted or (later and day == counted))
            ]
        return min(days, default=None)

    def _is_sold_again(self, occasion: _Occasion, stopped: date) -> bool:
        """Whether a loss is history for what runs once for the client: something was sold since."""
        return not occasion.step.per_sale and any(
            sale.anchors["sold"][0] > stopped for sale in self.sales if "sold" in sale.anchors
        )

    # What is settled.

    def _settle(self) -> None:
        if not self.occasions:
            return
        for occasion in self.occasions:
            occasion.expires = self._expire(occasion, occasion.opens, occasion.closes)
        by_contact = [each for each in self.occasions if each.step.by_contact and each.opens is not None]
        earliest = min([each.begins for each in self.occasions])
        for done in self._find_done():
            self.newest = max(self.newest, done.day)
            if done.day < earliest:
                continue
            tags = [tag for tag in done.tags if tag in self.plans.tags] if done.tags else ()
            for tag in dict.fromkeys(tags):
                self._settle_by_tag(done, tag)
            if not tags and done.contact:
                self._settle_by_contact(done, by_contact)

    def _find_done(self) -> list[_Done]:
        """All that was done up to the day, in the order of days; attempts settle nothing."""
        done = [
            _Done(entry.day, at, entry.channel, entry.tags, True)
            for at, entry in enumerate(self.client.log)
            if entry.day <= self.as_of and not entry.attempt
        ]
        for task in self.client.tasks:
            if (
                task.done is not None
                and task.done <= self.as_of
                and task.mark != "-"
                and task.cancelled is None
            ):
                done.append(_Done(task.done, -1, None, task.tags, is_contact(task)))
        done.sort(key=lambda each: each.day)
        return done

    def _settle_by_tag(self, done: _Done, tag: str) -> None:
        """The oldest open occasion of this tag; one that is missed only where there is no other."""
        day = done.day
        if tag == "resolved":
            self._settle_resolved(done)
            return
        found = [
            occasion
            for occasion in self.occasions
            if occasion.step.tag == tag and self._is_open(occasion, day)
        ]
        if not found:
            return
        alive = [each for each in found if each.repeats or each.expires is None or day <= each.expires]
        occasion = min(alive, key=_age) if alive else max(found, key=_age)
        window = occasion.window(occasion.number)
        if window is not None and day < window[0] and self._is_far_off(occasion, window[0], day):
            return
        early = window is not None and day < window[0]
        occasion.settle(Settled(day, self._tell(done), False, early))

    def _is_far_off(self, occasion: _Occasion, opens: date, day: date) -> bool:
        """Whether a repeated step's next occurrence is too far off to be meant: half an interval or more."""
        repeat = occasion.step.repeat
        if repeat is None or occasion.number == 0:
            return False
        return day < opens - timedelta(interval_days(repeat) // 2)

    def _settle_resolved(self, done: _Done) -> None:
        """The complaint that was paired with this entry; what is open of acknowledging it is over."""
        for occasion in self.occasions:
            if occasion.plan.anchor != "complaint" or "complaint" not in occasion.step.after:
                continue
            case = self.complaints[occasion.cause.complaint]
            if case.closed != done.day or occasion.settled is not None:
                continue
            if occasion.step.tag == "resolved":
                how = f": {case.how}" if case.how else ""
                occasion.settled = Settled(done.day, self._tell(done) + how, False, False)
            elif occasion.ended is None:
                occasion.ended = done.day

    def _settle_by_contact(self, done: _Done, by_contact: list[_Occasion]) -> None:
        """Of the steps whose window is open the one that closes first; of repeated ones also an earlier."""
        best: tuple[bool, date, int] | None = None
        chosen: _Occasion | None = None
        day = done.day
        for occasion in by_contact:
            opens, closes = occasion.opens, occasion.closes
            if opens is None or closes is None or day < opens or (day > closes and not occasion.repeats):
                continue
            if not self._is_open(occasion, day) or not self._is_answer(occasion, done):
                continue
            window = self._find_open_window(occasion, day)
            if window is None or self._waits_on(occasion, day):
                continue
            key = day > window[1], window[1], occasion.order
            if best is None or key < best:
                best, chosen = key, occasion
        if chosen is not None:
            chosen.settle(Settled(day, f"taken as settled by {self._tell(done)}", True, False))

    def _find_open_window(self, occasion: _Occasion, day: date) -> tuple[date, date] | None:
        """The window that a contact of this day falls into; a repeated step stays open until its next."""
        if not occasion.repeats:
            window = occasion.window(0)
            return window if window and window[0] <= day <= window[1] else None
        newest = occasion.first_after(day, occasion.number) - 1
        return occasion.window(newest) if newest >= occasion.number else None

    def _is_open(self, occasion: _Occasion, day: date) -> bool:
        if occasion.settled is not None or day < occasion.begins:
            return False
        return occasion.ended is None or day < occasion.ended

    def _is_answer(self, occasion: _Occasion, done: _Done) -> bool:
        """Whether an untagged contact can be this step's: it went both ways, and is not what started it."""
        step = occasion.step
        if step.ask and done.channel in ONE_WAY and done.channel != step.channel:
            return False
        sold = occasion.cause.anchors.get("sold")
        if sold is not None and done.day == sold[0] and done.place == self._find_sale_contact(done.day):
            return False
        return not (
            occasion.anchor_name == "complaint" and done.day == occasion.anchor and "complaint" in done.tags
        )

    def _find_sale_contact(self, day: date) -> int:
        """The entry that is the sale itself: the one tagged so, else the first contact that went both ways."""
        of_day = [
            (at, entry)
            for at, entry in enumerate(self.client.log)
            if entry.day == day and not entry.attempt and not self.plans.tags.intersection(entry.tags)
        ]
        ranked = [("sold" not in entry.tags, entry.channel in ONE_WAY, at) for at, entry in of_day]
        return min(ranked)[2] if ranked else -2

    def _waits_on(self, occasion: _Occasion, day: date) -> bool:
        """Whether a step was waiting on a day, for a complaint or for another step."""
        troubled = self.complaints or self.is_held
        if occasion.step.waits_for_complaints and troubled and find_open_complaint(self.client, day):
            return True
        needed = self._find_needed(occasion)
        return any(
            each.settled is None and not each.history and (each.expires is None or day <= each.expires)
            for each in needed
        )

    def _find_needed(self, occasion: _Occasion) -> list[_Occasion]:
        """The unended occasions of the steps that this one needs, at the same cause."""
        if not occasion.step.needs:
            return []
        step = occasion.step
        found = [
            each
            for each in self.occasions
            if each.plan is occasion.plan
            and each.step.name in step.needs
            and each.ended is None
            and (each.cause is occasion.cause or not (each.step.per_sale and step.per_sale))
        ]
        if step.per_sale:
            return found
        return [
            next(each for each in found if each.step.name == name)
            for name in dict.fromkeys(each.step.name for each in found)
        ]

    def _tell(self, done: _Done) -> str:
        """What was done, in words: the call of 24 Nov."""
        what = "a ticked task" if done.place < 0 else f"the {_NOUNS.get(done.channel or '', 'entry')}"
        return f"{what} of {name_day(done.day)}"

    # What is left.

    def find_turns(self, occasion: _Occasion) -> list[_Turn]:
        """What is shown of an open occasion: one occurrence, and around a repeated one its neighbours in time."""
        if not occasion.repeats:
            return [self._build_turn(occasion, 0, occasion.opens, occasion.closes, occasion.expires)]
        return list(self._find_occurrences(occasion))

    def _find_occurrences(self, occasion: _Occasion) -> Iterator[_Turn]:
        known = max(self.newest, self.since or date.min, self.pause or date.min)
        number, before = occasion.number, None
        window = occasion.window(number)
        if window is None:
            if occasion.anchor is None:
                yield self._build_turn(occasion, number, None, None, None)
            return
        while True:
            expires = self._expire(occasion, *window)
            if expires is None or expires >= known:
                break
            following = occasion.first_after(expires, number + 1)
            after = occasion.window(following)
            if after is None:
                break
            before = number, window, expires
            number, window = following, after
        if before is not None and (self.since is None or before[1][1] >= self.since):
            yield self._build_turn(occasion, before[0], *before[1], before[2])
        yield self._build_turn(occasion, number, *window, expires)
        if expires is not None:
            following = occasion.first_after(expires, number + 1)
            again = occasion.window(following)
            if again is not None:
                yield self._build_turn(occasion, following, *again, occasion.until)

    def _expire(self, occasion: _Occasion, opens: date | None, closes: date | None) -> date | None:
        """The day after which an occurrence is missed; None: never."""
        if opens is None or closes is None:
            return None
        if self.since is not None and closes < self.since:
            return closes
        if _is_never_missed(occasion.step):
            return occasion.until
        if self.pause is not None and closes < self.pause:
            return closes
        last = _add_days(closes, max(_MISSED_AFTER, (closes - opens).days))
        return last if occasion.until is None else max(min(last, occasion.until), opens)

    def _build_turn(
        self, occasion: _Occasion, number: int, opens: date | None, closes: date | None, expires: date | None
    ) -> _Turn:
        if opens is None or closes is None:
            return _Turn(number, None, None, None, "waits for the delivery date", occasion.why())
        waits, remark = "", ""
        pause = self.pause
        held = closes >= pause or _is_never_missed(occasion.step) if pause is not None else False
        if pause is not None and held and opens < pause and (expires is None or pause <= expires):
            opens = self.calendar.on_or_after(pause)
            closes = max(closes, opens)
            remark = f"; paused until {name_day(pause)}"
        for needed in self._find_needed(occasion):
            if needed.settled is not None or needed.history:
                continue
            if needed.expires is None:
                waits = f"waits for {needed.step.name}"
            elif needed.expires >= opens:
                opens = self.calendar.on_or_after(_add_days(needed.expires, 1))
                if closes < opens:
                    closes = opens
                    expires = self._expire(occasion, opens, closes)
                remark += f"; waits for {needed.step.name}"
        if occasion.step.waits_for_complaints and self.is_held:
            waits = "waits until the complaint is resolved"
        if self.client.paused:
            waits = "waits until the pause ends"
        year = occasion.anchor.year if occasion.anchor else 0
        reason = f"{occasion.why()}; window closes {format_day(closes, year)}{remark}"
        return _Turn(number, opens, closes, expires, waits, reason)


_RANKS = {anchor: rank for rank, anchor in enumerate(ANCHORS)}
_NOUNS = {
    "call": "call",
    "visit": "visit",
    "video": "video call",
    "email": "email",
    "message": "message",
    "letter": "letter",
}


def _is_never_missed(step: Step) -> bool:
    return step.desk or step.kind in _NEVER_MISSED


def _age(occasion: _Occasion) -> tuple[date, date]:
    return occasion.begins, occasion.opens or date.max


def _earlier(one: date | None, other: date) -> date:
    return other if one is None else min(one, other)


def _add_days(day: date, days: int) -> date:
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))
