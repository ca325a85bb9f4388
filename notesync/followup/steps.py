"""A client and the plans in, the steps that are open out, and how far along the plans the client is.

A step arises once for each occasion (``occasions``), in a window of days (``timetable``), until the log settles it
(``settling``); what is left are follow-ups, each with the day after which it is missed.  One that is missed as of
the day asked for is only counted, with the days between which that holds; of a repeated step the turn that is
open is given and no other.

* A step that needs another opens once that is settled or missed; what must not be missed itself waits no longer
  than to the last day of its own window.
* A pause moves what must not be missed, and what closes after it, to its end; an open end holds everything.

This module knows no note, no disk and no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dates import format_day
from notesync.followup.follow_up import FollowUp, Past, choose_channel, name_day
from notesync.followup.promises import COMPLAINT, tell_complaint
from notesync.followup.settling import ONE_WAY, Course, Outcome, Place, describe_done
from notesync.followup.timetable import Standing, Turn

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.follow_up import Context
    from notesync.followup.occasions import Run
    from notesync.followup.plans import Step
    from notesync.followup.timetable import Group, Occasion

SETTLED, ENDED, WAITS = "settled", "ended", "waits"
UPCOMING, DUE, OVERDUE, MISSED = "upcoming", "due", "overdue", "missed"

_USUAL_MINUTES = 15


class Steps(NamedTuple):
    """The steps open on a day, the kinds of those missed, and the days from and before which that is so.

    ``early`` says of what was logged on that very day how much too early it was: there it is still news.
    """

    open: list[FollowUp]
    missed: list[str]
    first: date | None
    until: date | None
    early: tuple[str, ...] = ()


def find_steps(client: Client, context: Context, past: Past, alive: date) -> Steps:
    """The steps of the plans in force that are not settled and were not missed by the day ``alive``."""
    if not _has_plan(client):
        return Steps([], [], None, None)
    course = Course(client, context, past.as_of)
    found: list[FollowUp] = []
    missed: list[str] = []
    first, until = None, None
    signer = _Signer(client, context)
    for at, (group, run) in enumerate(course.groups):
        place = signer.find_place(group, run)
        for number, (shown, gone, since, ends) in enumerate(_find_standings(course, at, alive)):
            if shown is not None:
                found.append(signer.sign(shown, place))
                if ends is not None and (until is None or ends < until):
                    until = ends
            if gone is not None:
                missed.append(group.occasions[number].step.kind)
                if first is None or (since is not None and since > first):
                    first = since
    early = tuple(_find_early(course)) if course.is_early else ()
    if early:
        first, until = past.as_of, _day_after(past.as_of)
    return Steps(found, missed, first, until, early)


def _find_early(course: Course) -> Iterator[str]:
    """``Ask whether they are satisfied: sold on Thu 19 Nov 2026; best from Mon 23 Nov`` of what was logged today."""
    for place, outcome in course.outcomes.items():
        occasion = course.occasion(place)
        window = course.context.timetable.find_window(occasion, outcome.last)
        if outcome.early and outcome.done.day == course.as_of and window:
            best = format_day(window[0], course.as_of.year)
            yield f"{occasion.step.title}: {occasion.why}; best from {best}"


def find_missed_steps(client: Client, context: Context, past: Past, alive: date) -> Iterator[FollowUp]:
    """The steps that were left out because they were missed by then; of a repeated step the last turn."""
    if not _has_plan(client):
        return
    course = Course(client, context, past.as_of)
    signer = _Signer(client, context)
    for at, (group, run) in enumerate(course.groups):
        place = signer.find_place(group, run)
        for number in range(len(group.occasions)):
            missed = _find_standing(course, (at, number), alive).missed
            if missed is not None:
                yield signer.sign(_build(course, (at, number), missed), place)


def _has_plan(client: Client) -> bool:
    """Whether anything of a client can start a plan: most clients are told from the rest by this alone."""
    if client.anchors or client.delivery_unknown:
        return True
    return any("sold" in entry.tags or "complaint" in entry.tags for entry in client.log)


def _build(course: Course, place: Place, turn: Turn) -> FollowUp:
    """A step's follow-up without what it has of the client: its own channel and minutes, if any, and no path."""
    occasion, case = course.occasion(place), course.groups[place[0]][1].cause.case
    step = occasion.step
    found = FollowUp(
        turn.opens, turn.closes, None, not step.desk, "step", step.kind, step.name,
        f"{occasion.name} {turn.number}", step.title, occasion.describe(turn), "", 0, step.channel,
        step.minutes, 0, turn.expires, ask=step.ask, waits=turn.waits,
    )  # fmt: skip
    if case is None:
        return found
    return tell_complaint(found, turn.remark, course.contacts, case, course.as_of)


class _Signer:
    """Makes follow-ups of nobody a client's."""

    def __init__(self, client: Client, context: Context) -> None:
        self.path = client.path
        self.channel = choose_channel(client)
        self.not_by = client.not_by
        self.minutes = client.minutes or context.minutes.get(client.stage)

    def find_place(self, group: Group, run: Run) -> tuple[str, int]:
        """Where the notes say when it was; while that is not known, where they tell of the sale."""
        return run.cause.path or self.path, _find_line(group, run)

    def sign(self, found: FollowUp, place: tuple[str, int]) -> FollowUp:
        channel = found.channel if found.channel and found.channel not in self.not_by else self.channel
        minutes = self.minutes or found.minutes or _USUAL_MINUTES
        return _new(FollowUp, found[:_PATH] + place + (channel, minutes) + found[_WANTED:])


_PATH, _WANTED = map(FollowUp._fields.index, ("path", "wanted"))
_new = tuple.__new__  # half the constructor's time, for what a vault has by the ten thousand


def _find_line(group: Group, run: Run) -> int:
    anchor = run.cause.anchors.get(group.anchor) or run.cause.anchors.get("sold")
    return anchor.line if anchor else 1


# --- What is shown of a step -----------------------------------------------------------------------------


def _find_standings(course: Course, at: int, alive: date) -> list[Standing]:
    """What the day ``alive`` makes of a group's steps, remembered where that is the same for every client."""
    group, outcomes = course.groups[at][0], course.outcomes
    if group.standings is None or course.is_held_back:
        return [_find_standing(course, (at, number), alive) for number in range(len(group.occasions))]
    known = group.standings.get(alive)
    if known is None:
        group.standings.clear()  # days go by one at a time
        known = group.standings[alive] = {}
    found = []
    for number in range(len(group.occasions)):
        place = at, number
        turn = outcomes[place].number if place in outcomes else 0
        if turn is None:  # settled for good
            continue
        is_bound = outcomes and number in group.bound
        standing = None if is_bound else known.get((number, turn))
        if standing is None:
            standing = _find_standing(course, place, alive)
            if not is_bound:
                known[number, turn] = standing
        found.append(standing)
    return found


def _find_standing(course: Course, place: Place, alive: date) -> Standing:
    turn, gone, until = _find_turn(course, place, alive)
    if turn is None:
        return Standing(None, None, None, None)
    if turn.expires is not None and turn.expires < alive:
        return Standing(None, turn, _day_after(turn.expires), until)
    first = _day_after(gone.expires) if gone is not None and gone.expires is not None else None
    return Standing(_build(course, place, turn), gone, first, until)


def _find_turn(course: Course, place: Place, alive: date) -> tuple[Turn | None, Turn | None, date | None]:
    """A step's turn (None: none is left), the last one missed, and the day from which on another one counts."""
    occasion, number = course.occasion(place), course.number_of(place)
    if number is None or occasion.ended is not None:
        return None, None, None
    if occasion.step.repeat is None and occasion.until is None:
        return _hold_back(course, place, occasion.turn), None, None
    pause = course.client.paused_until
    series = course.context.timetable.find_series(occasion, number, alive, pause and pause.day)
    turn = series.turn
    until = _day_after(turn.expires) if turn.expires is not None else None
    return _hold_back(course, place, turn), series.missed, until


def _hold_back(course: Course, place: Place, turn: Turn) -> Turn:
    """The turn as pauses, other steps and complaints leave it."""
    group, run = course.groups[place[0]]
    if turn.opens is None or not (course.is_held_back or group.standings is None or place[1] in group.bound):
        return turn
    occasion = course.occasion(place)
    remarks: list[str] = []
    is_owed = COMPLAINT in occasion.step.after  # no pause holds back a complaint
    if not is_owed:
        turn = _await_pause(course, occasion, turn, remarks)
    for needed in course.find_needed(occasion, run) if occasion.step.needs else ():
        turn = _await_step(course, occasion, turn, needed, remarks)
    waits = turn.waits
    if occasion.step.waits_for_complaints and course.held is not None:
        waits = "waits until the complaint is resolved"
    if course.client.paused and not is_owed:
        waits = "waits until the pause ends"
    if not remarks and waits == turn.waits:
        return turn
    return turn._replace(waits=waits, remark="".join(f"; {remark}" for remark in remarks))


def _await_pause(course: Course, occasion: Occasion, turn: Turn, remarks: list[str]) -> Turn:
    """What closes in a pause is missed; what must not be, and what closes later, opens when it ends."""
    pause, opens, closes = course.client.paused_until, turn.opens, turn.closes
    if pause is None or opens is None or closes is None or opens >= pause.day:
        return turn
    if closes < pause.day and not occasion.step.never_missed:
        return turn._replace(expires=date.min)
    if turn.expires is not None and turn.expires < pause.day:
        return turn
    remarks.append(f"paused until {name_day(pause.day)}")
    return _open_on(course, occasion, turn, pause.day)


def _await_step(course: Course, occasion: Occasion, turn: Turn, needed: Place, remarks: list[str]) -> Turn:
    """What needs a step opens after that is missed; where that never is, it waits, if need be to its last day."""
    step, expires = course.occasion(needed).step, course.occasion(needed).turn.expires
    if needed in course.outcomes or turn.opens is None or turn.closes is None:
        return turn
    if expires is not None and expires < turn.opens:
        return turn
    remarks.append(f"waits for {step.name}")
    if expires is not None:
        return _open_on(course, occasion, turn, _day_after(expires))
    if occasion.step.never_missed:
        return _open_on(course, occasion, turn, turn.closes)
    return turn._replace(waits=remarks[-1])


def _open_on(course: Course, occasion: Occasion, turn: Turn, day: date) -> Turn:
    """The turn from a day on; its last day moves only where its window has to."""
    opens = course.context.calendar.on_or_after(day)
    if turn.closes is not None and turn.closes >= opens:
        return turn._replace(opens=opens)
    expires = course.context.timetable.expire(occasion.step, opens, opens)
    return turn._replace(opens=opens, closes=opens, expires=expires)


def _day_after(day: date) -> date:
    return day + min(timedelta(1), date.max - day)


# --- How far along ---------------------------------------------------------------------------------------


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
    ``number`` counts a repeated step's occurrences from 0.  ``settles_first`` is what the step's tag would settle
    in its place, where :mod:`~notesync.followup.rehearsal` found that.
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
    settles_first: str = ""

    @property
    def name(self) -> tuple[str, str, str, int]:
        """What tells it from all other steps and occasions of the client."""
        return self.step.plan, self.step.name, self.occasion, self.number


def find_progress(
    client: Client, context: Context, past: Past, alive: date | None = None
) -> Iterator[Progress]:
    """Every step of the plans in force on a day, settled and ended ones too, in the plans' order.

    ``alive`` is the day that none must be missed by, if not the day itself.
    """
    if not _has_plan(client):
        return
    alive = alive or past.as_of
    course = Course(client, context, past.as_of)
    plans = [plan.name for plan in context.plans.plans]
    found: list[tuple[int, int, int, Progress]] = []
    for at, (group, run) in enumerate(course.groups):
        for number, occasion in enumerate(group.occasions):
            step = occasion.step
            order = plans.index(step.plan), run.order, run.plan.steps.index(step)
            outcome = course.outcomes.get((at, number))
            if outcome is not None:
                opens, closes = context.timetable.find_window(occasion, outcome.last) or (None, None)
                turn = Turn(outcome.last, opens, closes, None)
                shown = _show(client, occasion, group, run, turn, SETTLED)
                found.append((*order, shown._replace(settled=_describe_outcome(outcome), ended=None)))
            open_turn, _, _ = _find_turn(course, (at, number), alive)
            if open_turn is not None:
                turn, status = open_turn, _judge_alive(open_turn, alive, past.as_of)
                found.append((*order, _show(client, occasion, group, run, turn, status, past.as_of)))
            elif outcome is None:
                turn = occasion.turn._replace(expires=None, waits="")
                found.append((*order, _show(client, occasion, group, run, turn, ENDED)))
    found.sort(key=lambda each: each[:-1])
    for each in found:
        yield each[-1]


class Turned(NamedTuple):
    """One turn that a step has had, or has: its window, and what had become of it by a day.

    ``status`` is settled, ended (nothing asks for it any more), waits, upcoming, due, overdue or missed; ``settled``
    says by what.  ``sold`` is the day of the sale that it belongs to, None for none.
    """

    step: Step
    opens: date | None
    closes: date | None
    status: str
    settled: Settled | None
    sold: date | None
    path: str
    line: int


def find_turns(client: Client, context: Context, past: Past, alive: date) -> Iterator[Turned]:
    """Every turn of every step that has arisen by a day; ``alive`` is the day that none must be missed by.

    Unlike :func:`find_progress` it tells all turns of a repeated step, in the order of their days.
    """
    if not _has_plan(client):
        return
    course = Course(client, context, past.as_of)
    marks: dict[Place, list[Outcome]] = {}
    for place, mark in course.marks:
        marks.setdefault(place, []).append(mark)
    for at, (group, run) in enumerate(course.groups):
        is_of_sale = run.cause.case is None and group.anchor in _AFTER_SALE
        start = run.cause.anchors.get("sold") if is_of_sale else None
        where = run.cause.path or client.path, _find_line(group, run)
        for number, occasion in enumerate(group.occasions):
            place = at, number
            for turn, status, outcome in _follow(course, place, marks.get(place, []), alive):
                settled = outcome and _describe_outcome(outcome)
                yield Turned(
                    occasion.step, turn.opens, turn.closes, status, settled, start and start.day, *where
                )


_AFTER_SALE = ("sold", "delivery", "go_live")  # what a step of a sale counts from


def _follow(
    course: Course, place: Place, marks: Sequence[Outcome], alive: date
) -> Iterator[tuple[Turn, str, Outcome | None]]:
    """A step's turns one after the other, with the outcome of those that are settled."""
    occasion, timetable = course.occasion(place), course.context.timetable
    number = 0
    for outcome in marks:
        turns = list(timetable.list_turns(occasion, number, outcome.done.day, None)) or [occasion.turn]
        meant = [turn for turn in turns if turn.number <= outcome.last] or turns[:1]
        yield from ((turn, MISSED, None) for turn in meant[:-1])
        yield meant[-1], SETTLED, outcome
        number = outcome.last + 1
    open_turn, _, _ = _find_turn(course, place, alive)
    if open_turn is None:
        if not marks:
            yield occasion.turn, ENDED, None
        return
    if occasion.step.repeat is not None:
        pause = course.client.paused_until
        for turn in timetable.list_turns(occasion, number, alive, pause and pause.day):
            if turn.number < open_turn.number:
                yield turn, MISSED, None
    yield open_turn, _judge_alive(open_turn, alive, course.as_of), None


def _describe_outcome(outcome: Outcome) -> Settled:
    taken = "taken as settled by " if outcome.taken else ""
    how = f": {outcome.how}" if outcome.how else ""
    by = f"{taken}{describe_done(outcome.done)}{how}"
    return Settled(outcome.done.day, by, outcome.taken, outcome.early)


def _judge_alive(turn: Turn, alive: date, today: date) -> str:
    if turn.expires is not None and alive > turn.expires:
        return MISSED
    if turn.waits:
        return WAITS
    if turn.opens is None or turn.closes is None:
        return DUE
    if today < turn.opens:
        return UPCOMING
    return DUE if today <= turn.closes else OVERDUE


def _show(
    client: Client,
    occasion: Occasion,
    group: Group,
    run: Run,
    turn: Turn,
    status: str,
    today: date | None = None,
) -> Progress:
    return Progress(
        occasion.step,
        f"{occasion.name} {turn.number}",
        turn.number,
        turn.opens,
        turn.closes,
        status,
        occasion.why if today is None else occasion.describe(turn),
        turn.waits,
        turn.expires,
        None,
        occasion.ended,
        "" if today is None else _build_log_line(client, occasion.step, today),
        run.cause.path or client.path,
        _find_line(group, run),
    )


def _build_log_line(client: Client, step: Step, today: date) -> str:
    if step.desk:
        return f"- {today}: … #{step.tag}"
    wanted = (step.channel, *client.contact_by, *_CHANNELS)
    channel = next((each for each in wanted if each in _CHANNELS and each not in client.not_by), "")
    return f"- {today}{channel and f' {channel}'}: … #{step.tag}"


_CHANNELS = ("call", "visit", "video", *sorted(ONE_WAY))
