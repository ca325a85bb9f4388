"""The plans and a day in, the windows of their steps out, each worked out once.

A step's window, the day after which it is missed and the words for it depend on nothing but the step, the day
it counts from, the working days and the settings' first day.  A vault's clients share a few hundred such days,
so a :class:`Timetable` remembers what it worked out.  It knows no client: whose sale it was, what the log
settled, pauses and complaints are the business of ``steps``.

A window that would close before its own sale moves to the sale's day; if that is not before the anchor (sold
over the counter), there was never time for the step, and it does not arise.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dates import format_day
from notesync.followup.intervals import Interval, add_interval, interval_days
from notesync.followup.work_calendar import WorkCalendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from notesync.followup.follow_up import FollowUp
    from notesync.followup.plans import Plan, Plans, Step

FIRST, AGAIN, COMPLAINT = "first", "again", "complaint"
"""What steps arise from: the first sale (or the client's own dates), a further one, a complaint."""

_MISSED_AFTER = 30  # days after a window's closing, unless it was open for longer
_MOST_MOVED = 60  # days that a window is moved by days off, or longer than its first
_END = date(2300, 1, 1)  # of every series
_MOST_DAYS = 4096  # that are remembered of one step
_EARLY, _LATE = date(1000, 1, 1), date(9000, 1, 1)  # between them no offset leads out of time

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


class Turn(NamedTuple):
    """One occurrence of a step: its window, and the day after which it is missed (None: never).

    ``number`` counts a repeated step's occurrences from 0.  What ``waits`` says for what; ``remark`` is what else
    there is to say of it.
    """

    number: int
    opens: date | None
    closes: date | None
    expires: date | None
    waits: str = ""
    remark: str = ""


class Occasion(NamedTuple):
    """A step at one day that it counts from: ``anchor`` says what was that day, which is None while unknown.

    ``turn`` is its first or only occurrence; a repeated one's last opens before ``until``.  From the day ``ended``
    on it is over, settled or not.  ``label`` tells it from others of its day ('' where nothing has to).
    """

    plan: Plan
    step: Step
    anchor: str
    day: date | None
    turn: Turn
    until: date | None = None
    ended: date | None = None
    label: str = ""

    @property
    def name(self) -> str:
        """What its calendar entry keeps: plan, step, the anchor's day."""
        return f"{self.plan.name} {self.step.name} {self.label or self.day}"

    @property
    def why(self) -> str:
        """What was the day it counts from, in words."""
        if self.day is None:
            return "delivery on an unknown day"
        opens = self.turn.opens
        is_ahead = self.anchor == "delivery" and opens is not None and opens < self.day
        return f"{'delivery on' if is_ahead else _REASONS[self.anchor]} {_name_day(self.day, 0)}"

    def describe(self, turn: Turn) -> str:
        """Why a turn is there, in words."""
        if turn.closes is None:
            return self.why
        closes = _name_day(turn.closes, self.day.year if self.day else 0)
        return f"{self.why}; window closes {closes}{turn.remark}"


class Standing(NamedTuple):
    """What a day makes of a step: the follow-up that is ``open``, and the turn that is ``missed``, if any.

    The follow-up is nobody's yet: without a path.  ``first`` and ``until`` are the days from and before which
    that is so.
    """

    open: FollowUp | None
    missed: Turn | None
    first: date | None
    until: date | None


class Group(NamedTuple):
    """The steps of a plan that count from one day, that of the ``anchor``.

    ``waiting`` are those that an untagged contact may settle, in the order in which they open: from which day on,
    up to which, and their places.  Those of a complaint any contact settles: they are not among them.
    ``tagged`` finds the steps of a tag.  The first of them ``opens`` that day.  What becomes of those that are
    ``bound`` hangs on others of the group.
    ``standings`` remembers what a day makes of each at each of its turns; it is None where they are one client's
    own.
    """

    anchor: str
    occasions: tuple[Occasion, ...]
    waiting: tuple[tuple[date, date, int], ...]
    tagged: Mapping[str, Sequence[int]]
    opens: date | None
    bound: frozenset[int]
    standings: dict[date, dict[tuple[int, int | None], Standing]] | None


class Rows(NamedTuple):
    """The steps of a plan that count from one ``anchor`` where certain anchors are there.

    ``choosy`` are the places of those that are not for every client or sale; ``is_own``: what becomes of one
    depends on more than its day.  ``days`` remembers the groups, by the day and the places left out.
    """

    anchor: str
    steps: tuple[Step, ...]
    choosy: tuple[int, ...]
    is_own: bool
    days: dict[tuple[date, tuple[int, ...]], Group]


class Layout(NamedTuple):
    """A plan where certain anchors are there, with its steps; ``can_end``: one of them can be its end."""

    plan: Plan
    can_end: bool
    rows: tuple[Rows, ...]


class Series(NamedTuple):
    """What a day makes of a repeated step: the turn that is open or comes next, and the last one missed."""

    turn: Turn
    missed: Turn | None


class Timetable:
    """The windows of the plans' steps under one vault's settings."""

    __slots__ = ("_calendar", "_layouts", "_opening", "_plans", "_since", "_windows")

    def __init__(self, plans: Plans, calendar: WorkCalendar, since: date | None) -> None:
        self._calendar = calendar
        self._since = since
        self._plans = plans
        self._layouts: dict[tuple[frozenset[str], tuple[str, ...], str], tuple[Layout, ...]] = {}
        self._opening: dict[date, date] = {}
        self._windows: dict[tuple[str, str, date | None, int], tuple[date, date, date]] = {}

    def find_layout(self, anchors: frozenset[str], named: tuple[str, ...], which: str) -> tuple[Layout, ...]:
        """The plans that apply where these anchors are there: those the note names, else those that start by one.

        ``which``: for the FIRST sale, AGAIN for a further one, or for a COMPLAINT, whose own plan always applies.
        """
        key = anchors, named, which
        found = self._layouts.get(key)
        if found is None:
            if len(self._layouts) >= _MOST_DAYS:
                self._layouts.clear()
            found = self._layouts[key] = tuple(self._lay_out(anchors, named, which))
        return found

    def _lay_out(self, anchors: frozenset[str], named: tuple[str, ...], which: str) -> Iterator[Layout]:
        for plan in self._plans.plans:
            if plan.anchor == COMPLAINT:
                applies = which == COMPLAINT
            elif named:
                applies = plan.name in named
            else:  # a plan of one's own may leave the anchor to its steps
                applies = not plan.opt_in and (not plan.anchor or plan.anchor in anchors)
            rows = tuple(_find_rows(plan, anchors, which)) if applies else ()
            if rows:
                can_end = not anchors.isdisjoint((*plan.ended_by, *plan.stopped_by))
                yield Layout(plan, can_end, rows)

    # A step's window.

    def find_group(self, plan: Plan, rows: Rows, day: date, left_out: tuple[int, ...]) -> Group:
        """The steps of these rows counted from a day, without those left out."""
        found = rows.days.get((day, left_out))
        if found is None:
            if len(rows.days) >= _MOST_DAYS:
                rows.days.clear()
            steps = [step for at, step in enumerate(rows.steps) if at not in left_out]
            occasions = [self._build(plan, step, rows.anchor, day) for step in steps]
            found = rows.days[day, left_out] = build_group(rows.anchor, occasions, is_own=rows.is_own)
        return found

    def _build(self, plan: Plan, step: Step, anchor: str, day: date) -> Occasion:
        first, last = self._shift(day, step.opens), self._shift(day, step.closes)
        # A window of the day itself (0 to 0 days) waits for work; only one around an earlier day comes sooner.
        move = self._calendar.on_or_before if last <= day and first < day else self._open_on
        opens = move(first)
        closes = move(last)
        if closes < opens:
            closes = opens
        return Occasion(plan, step, anchor, day, Turn(0, opens, closes, self.expire(step, opens, closes)))

    def _shift(self, day: date, offset: Interval) -> date:
        count, unit = offset
        if unit == "day" and _EARLY < day < _LATE:  # as most are, in a third of the time
            return day + timedelta(count)
        return add_interval(day, offset, self._calendar)

    def _open_on(self, day: date) -> date:
        """The day itself if worked, else the next one that is."""
        found = self._opening.get(day)
        if found is None:
            if len(self._opening) >= _MOST_DAYS:
                self._opening.clear()
            found = self._opening[day] = self._calendar.on_or_after(day)
        return found

    def find_unknown(self, plan: Plan, rows: Rows, sold: date | None, left_out: tuple[int, ...]) -> Group:
        """The same while the day of the delivery is not known."""
        turn = Turn(0, None, None, None, "waits for the delivery date")
        label = "unknown" if sold is None else f"{sold} unknown"
        steps = [step for at, step in enumerate(rows.steps) if at not in left_out]
        unknown = (Occasion(plan, step, rows.anchor, None, turn, label=label) for step in steps)
        return build_group(rows.anchor, unknown)

    def keep_behind(self, occasion: Occasion, start: date) -> Occasion | None:
        """The occasion with its window not before its sale; None where there was no time for the step at all."""
        step, (_, opens, closes, _, _, _), day = occasion.step, occasion.turn, occasion.day
        if day is None or opens is None or closes is None or opens >= start:
            return occasion
        if day <= start and step.opens.count < 0:
            return None
        opens = self._calendar.on_or_after(start)
        closes = max(closes, opens)
        return occasion._replace(turn=Turn(0, opens, closes, self.expire(step, opens, closes)))

    def expire(self, step: Step, opens: date, closes: date) -> date | None:
        """The day after which a window's step is missed; None: never."""
        if self._since is not None and closes < self._since and COMPLAINT not in step.after:
            return closes
        if step.never_missed:
            return None
        length = (closes - opens).days
        return _add_days(closes, length if length > _MISSED_AFTER else _MISSED_AFTER)

    # Repeated steps.

    def find_series(self, occasion: Occasion, number: int, as_of: date, pause: date | None) -> Series:
        """What a day makes of a repeated step whose occurrence ``number`` is the first that is not settled."""
        number = self._skip_missed(occasion, self._skip_history(occasion, number, pause), as_of)
        turn, missed = self._find_turn(occasion, number) or occasion.turn, None
        while turn.expires is not None and turn.expires < as_of:
            # What is missed comes again with the first that opens after its last day.
            after = self._find_turn(occasion, self.first_after(occasion, turn.expires, turn.number + 1))
            if after is None:
                break
            turn, missed = after, turn
        return Series(turn, missed)

    def list_turns(self, occasion: Occasion, number: int, as_of: date, pause: date | None) -> Iterator[Turn]:
        """The turns of a repeated step from one on: those missed by a day, each, and the one that is left then."""
        number = self._skip_history(occasion, number, pause)
        turn = self._find_turn(occasion, number)
        while turn is not None:
            yield turn
            if turn.expires is None or turn.expires >= as_of:
                return
            turn = self._find_turn(occasion, self.first_after(occasion, turn.expires, turn.number + 1))

    def _skip_history(self, occasion: Occasion, number: int, pause: date | None) -> int:
        """The first occurrence not over by the vault's first day, and by the end of a pause."""
        bounds = [day for day in (self._since, pause) if day is not None]
        if not bounds or occasion.step.never_missed:
            return number
        number = max(number, self.first_after(occasion, max(bounds), number) - 1)
        window = self.find_window(occasion, number)
        is_over = window is not None and window[1] < max(bounds)
        return number + (is_over and self.find_window(occasion, number + 1) is not None)

    def _skip_missed(self, occasion: Occasion, number: int, as_of: date) -> int:
        """An occurrence to go on from: where each is missed before the next opens, none but the last two matter."""
        _, opens, closes, expires, _, _ = occasion.turn
        repeat = occasion.step.repeat
        if repeat is None or expires is None or opens is None or closes is None:
            return number
        length = interval_days(repeat)
        if (expires - opens).days + _MOST_MOVED > length or (as_of - expires).days < 2 * length:
            return number
        return max(number, self.first_after(occasion, as_of, number) - 2)

    def _find_turn(self, occasion: Occasion, number: int) -> Turn | None:
        window = self.find_window(occasion, number)
        if window is None:
            return None
        expires, until = self.expire(occasion.step, *window), occasion.until
        if until is not None:
            expires = until if expires is None else max(min(expires, until), window[0])
        return Turn(number, *window, expires)

    def find_window(self, occasion: Occasion, number: int) -> tuple[date, date] | None:
        """An occurrence's window; None beyond the end of the series, or of time."""
        _, opens, closes, _, _, _ = occasion.turn
        if opens is None or closes is None or (number and occasion.step.repeat is None):
            return None
        if number == 0:
            return opens, closes
        key = occasion.step.plan, occasion.step.name, occasion.day, number
        found = self._windows.get(key)
        if found is None:
            if len(self._windows) >= _MOST_DAYS:
                self._windows.clear()
            found = self._windows[key] = self._find_far(occasion, number)
        first, opens, closes = found
        if first >= _END or (occasion.until is not None and first >= occasion.until):
            return None
        return opens, closes

    def _find_far(self, occasion: Occasion, number: int) -> tuple[date, date, date]:
        """The day on which a later occurrence would open if it were worked, and its window."""
        step, day = occasion.step, occasion.day
        if step.repeat is None or day is None:
            return _END, _END, _END
        far = Interval(step.repeat.count * number, step.repeat.unit)
        first = self._shift(self._shift(day, step.opens), far)
        last = self._shift(self._shift(day, step.closes), far)
        opens = self._open_on(first)
        return first, opens, max(self._open_on(last), opens)

    def first_after(self, occasion: Occasion, day: date, number: int = 0) -> int:
        """The first occurrence that opens after a day, from a number on."""
        repeat, opens = occasion.step.repeat, occasion.turn.opens
        if repeat is None or opens is None:
            return number
        # Skip most of the way at once: no month or year is longer than this, and a week's is exact.
        longest = {"month": 31, "year": 366}.get(repeat.unit, 0) * repeat.count or interval_days(repeat)
        if repeat.unit != "workday":
            number = max(number, (day - opens).days // longest - (longest < _MOST_MOVED))
        while (window := self.find_window(occasion, number)) is not None and window[0] <= day:
            number += 1
        return number


def build_group(anchor: str, occasions: Iterable[Occasion], *, is_own: bool = True) -> Group:
    """A group of these steps; ``is_own``: they are one client's."""
    found = tuple(occasions)
    waiting = [
        (turn.opens, date.max if step.repeat or step.never_missed else turn.closes, at)
        for at, (_, step, _, _, turn, _, _, _) in enumerate(found)
        if step.by_contact and turn.opens and turn.closes and COMPLAINT not in step.after
    ]
    tagged: dict[str, list[int]] = {}
    for at, each in enumerate(found):
        tagged.setdefault(each.step.tag, []).append(at)
    opens = min((each.turn.opens for each in found if each.turn.opens is not None), default=None)
    bound = frozenset(at for at, each in enumerate(found) if each.step.needs and _is_bound(each, found))
    return Group(anchor, found, tuple(sorted(waiting)), tagged, opens, bound, None if is_own else {})


def _is_bound(occasion: Occasion, others: Iterable[Occasion]) -> bool:
    """Whether a step may have to wait for one of these that it needs: the others are missed before it opens."""
    opens = occasion.turn.opens or date.min
    needed = [other.turn.expires for other in others if other.step.name in occasion.step.needs]
    return any(expires is None or expires >= opens for expires in needed)


def _find_rows(plan: Plan, anchors: frozenset[str], which: str) -> Iterator[Rows]:
    """The steps of a plan by what they count from: each by the first of its own anchors that is there."""
    by_anchor: dict[str, list[Step]] = {}
    for step in plan.steps:
        of_complaint = COMPLAINT in step.after or "resolved" in step.after
        if of_complaint == (which == COMPLAINT) and (which != AGAIN or step.per_sale):
            anchor = next((anchor for anchor in step.after if anchor in anchors), "")
            by_anchor.setdefault(anchor, []).append(step)
    by_anchor.pop("", None)
    for anchor, steps in by_anchor.items():
        names = {step.name for step in steps}
        choosy = [at for at, step in enumerate(steps) if _is_choosy(step)]
        is_own = any(step.until or not names.issuperset(step.needs) for step in steps)
        yield Rows(anchor, tuple(steps), tuple(choosy), is_own, {})


def _is_choosy(step: Step) -> bool:
    return bool(step.unless_stage or step.min_value is not None or step.if_delivery_after)


_name_day = lru_cache(maxsize=_MOST_DAYS)(format_day)


def _add_days(day: date, days: int) -> date:
    return day + (timedelta(days) if day < _LATE else min(timedelta(days), date.max - day))
