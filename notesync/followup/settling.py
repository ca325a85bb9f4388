"""The steps that arise for a client in, what became of each out: settled, and by what.

The log's entries and ticked tasks, in the order of their days, settle steps by tags, or without a tag by being a
contact at the right time.  What FORMAT leaves open is decided here so:

* The contact in which the sale was made is the sale: it does not settle a step of that sale (of several contacts
  on its day, it is one).  Nor does the entry that raises a complaint acknowledge it; any later contact does.
* What is overdue and never missed is settled by any contact that could have settled it in time, besides the one
  step whose window is open: else it would stay for ever with somebody who logs no tags.
* A one-way channel settles a step with questions after all where it is the step's own channel.
* Of two occasions the older one that is not missed yet takes the tag, before any whose window has not opened;
  where all are missed, the newest.
* A tag settles a repeated step's occurrence from half an interval before it opens.

This module knows no note, no disk and no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.follow_up import is_contact, name_day
from notesync.followup.intervals import interval_days
from notesync.followup.occasions import Run, find_begin, find_groups
from notesync.followup.plans import RESOLVED
from notesync.followup.promises import (
    COMPLAINT,
    Contacts,
    find_acknowledged,
    find_cases,
    find_open_complaint,
    find_open_tasks,
    is_any_open,
    order_tagged,
)
from notesync.followup.tagged import Candidate, Queue

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.follow_up import Context
    from notesync.followup.promises import Case
    from notesync.followup.timetable import Group, Occasion

ONE_WAY = frozenset(("email", "message", "letter"))


class Outcome(NamedTuple):
    """What settled a step, and where that leaves it.

    ``taken``: it was only taken for settled; ``early``: before its window opened; ``how`` a complaint was resolved.
    ``last`` is the newest occurrence that was settled, ``number`` the one that is open then, None for none.
    """

    done: Done
    taken: bool
    early: bool
    how: str
    last: int
    number: int | None


class Done(NamedTuple):
    """Something done: an entry of the log (at ``place``), or a ticked task (place -1)."""

    day: date
    place: int
    channel: str | None
    tags: Sequence[str]
    contact: bool


_new = tuple.__new__  # a third of the constructor's time

Place = tuple[int, int]
"""Of a step: the place of its group in the course, and its own in the group."""


class Course:
    """One client's way along the plans as of a day: the ``groups`` of steps that arose, and their ``outcomes``.

    ``held`` is the day on which the oldest open complaint was raised, None without one.
    """

    def __init__(self, client: Client, context: Context, as_of: date) -> None:
        self.client = client
        self.context = context
        self.as_of = as_of
        self.log = order_tagged(client)
        self.cases = find_cases(client, self.log, COMPLAINT, as_of) if self.log else []
        self.groups: list[tuple[Group, Run]] = find_groups(client, context, self.cases, as_of)
        self.outcomes: dict[Place, Outcome] = {}
        self.marks: list[tuple[Place, Outcome]] = []  # all of them in order: an outcome is only the newest
        self._queues: dict[str, Queue] = {}
        self.is_early = False  # whether anything was settled too early
        if not self.groups:
            return
        self.held = find_open_complaint(client, as_of) if self.log or client.tasks else None
        self.is_held_back = self.held is not None or client.paused_until is not None or client.paused
        if self.cases:
            self._settle_complaints()
        self._settle()

    @cached_property
    def contacts(self) -> Contacts:
        return Contacts(self.client, self.log)

    def occasion(self, place: Place) -> Occasion:
        return self.groups[place[0]][0].occasions[place[1]]

    def _places(self, run: Run) -> Iterator[tuple[Place, Occasion, Run]]:
        """All that arose, each step with its place; of a complaint's run that run's alone: there may be thousands."""
        groups: Sequence[int] = (
            range(len(self.groups)) if run.cause.case is None else self._groups_of[id(run)]
        )
        for at in groups:
            group, its_run = self.groups[at]
            for number, occasion in enumerate(group.occasions):
                yield (at, number), occasion, its_run

    @cached_property
    def _groups_of(self) -> dict[int, list[int]]:
        """The places of the groups by their run, which is one object for all that arose of one cause."""
        found: dict[int, list[int]] = {}
        for at, (_, run) in enumerate(self.groups):
            found.setdefault(id(run), []).append(at)
        return found

    def find_needed(self, occasion: Occasion, run: Run) -> list[Place]:
        """The places of the steps that this one needs, if not ended: of its sale or complaint, else the first."""
        found: dict[str, Place] = {}
        for place, each, its_run in self._places(run):
            name = each.step.name
            if name not in occasion.step.needs or each.plan is not occasion.plan or each.ended is not None:
                continue
            is_apart = run.cause.case is not None or (each.step.per_sale and occasion.step.per_sale)
            if its_run is run or not is_apart:
                found.setdefault(name, place)
        return list(found.values())

    def number_of(self, place: Place) -> int | None:
        """The occurrence of a step that is open, None for none."""
        outcome = self.outcomes.get(place)
        return 0 if outcome is None else outcome.number

    # What was done.

    def _settle(self) -> None:
        """Settle what the log tells of; before the first window opens, only what is tagged counts."""
        known = self.context.plans.tags
        waiting = [
            (opens, at, order, last, number)
            for at, (group, _) in enumerate(self.groups)
            for order, (opens, last, number) in enumerate(group.waiting)
        ]
        waiting.sort(reverse=True)
        self._coming = waiting  # what contacts may settle, that which opens first at the end
        self._waiting: list[tuple[date, int, int, date, int]] = []  # that which has opened
        for done in self._find_done(waiting[-1][0] if waiting else date.max):
            tags = [tag for tag in dict.fromkeys(done.tags) if tag in known] if done.tags else ()
            for tag in tags:
                if tag != RESOLVED:  # whose complaint was paired with it by more than the tag
                    self._settle_by_tag(done, tag)
            if not tags and done.contact:
                self._settle_by_contact(done)

    def _find_done(self, earliest: date) -> list[Done]:
        """What was done from a day on, or has tags, in the order of days; attempts settle nothing."""
        as_of = self.as_of
        done = [
            _new(Done, (entry.day, at, entry.channel, entry.tags, True))
            for at, entry in enumerate(self.client.log)
            if (entry.day >= earliest or entry.tags) and entry.day <= as_of and not entry.attempt
        ]
        done += [
            _new(Done, (task.done, -1, None, task.tags, is_contact(task)))
            for task in self.client.tasks
            if task.tags and task.done and task.done <= as_of and task.mark != "-" and task.cancelled is None
        ]
        if len(done) > 1:
            done.sort(key=lambda each: each.day)
        return done

    # By a tag.

    def _settle_by_tag(self, done: Done, tag: str) -> None:
        """The oldest open occasion of this tag; one that is missed only where there is no other."""
        queue = self._queues.get(tag)
        if queue is None:
            queue = self._queues[tag] = Queue(self._find_candidates(tag))
        place = queue.choose(done.day, self._is_settled)
        if place is None:
            return
        occasion, number = self.occasion(place), self.number_of(place) or 0
        window = self.context.timetable.find_window(occasion, number)
        early = window is not None and done.day < window[0]
        if window is not None and number and self._is_far_off(occasion, window[0], done.day):
            return
        self.is_early |= early
        self._mark(place, done, early=early)

    def _find_candidates(self, tag: str) -> Iterator[Candidate]:
        for at, (group, run) in enumerate(self.groups):
            for number in group.tagged.get(tag, ()):
                occasion = group.occasions[number]
                turn = occasion.turn
                expires = turn.expires if occasion.step.repeat is None else None
                yield Candidate(
                    find_begin(occasion, run, self.context),
                    turn.opens or date.max,
                    (at, number),
                    expires or date.max,
                    occasion.ended,
                )

    def _is_settled(self, place: Place) -> bool:
        return place in self.outcomes and self.outcomes[place].number is None

    def _is_far_off(self, occasion: Occasion, opens: date, day: date) -> bool:
        """Whether a repeated step's next occurrence is too far off to be meant: half an interval or more."""
        repeat = occasion.step.repeat
        return repeat is not None and day < opens - timedelta(interval_days(repeat) // 2)

    def _is_missed(self, occasion: Occasion, day: date) -> bool:
        expires = occasion.turn.expires
        return occasion.step.repeat is None and expires is not None and day > expires

    # Of a complaint.

    def _settle_complaints(self) -> None:
        """Resolved by what was paired with each; acknowledged by the next contact, tagged or not, however late."""
        for at, (group, run) in enumerate(self.groups):
            case = run.cause.case
            if case is not None:
                told = [self._settle_of_case((at, number), case) for number in range(len(group.occasions))]
                self.groups[at] = group._replace(occasions=tuple(told)), run

    def _settle_of_case(self, place: Place, case: Case) -> Occasion:
        occasion, closed = self.occasion(place), case.closed
        step = occasion.step
        if COMPLAINT not in step.after or occasion.day is None:
            return occasion
        if step.tag == RESOLVED:
            if closed is not None:
                self._mark(place, Done(closed, 0, case.channel, (), True), how=case.how)
            return occasion
        earliest = occasion.turn.opens if step.opens.count else occasion.day
        contact = step.by_contact and find_acknowledged(
            self.contacts, case, earliest or occasion.day, self.as_of
        )
        if contact and (closed is None or contact[0] < closed):
            self._mark(place, Done(contact[0], 0, contact[1], (), True), taken=True)
            return occasion
        return occasion if closed is None else occasion._replace(ended=closed)

    # By a contact.

    def _settle_by_contact(self, done: Done) -> None:
        """Of the steps whose window is open the one that closes first, and all overdue ones that are never missed.

        A repeated step counts as open until its next occurrence, but others come before it then.
        """
        day = done.day
        best: tuple[bool, date, Place] | None = None
        late: list[tuple[int, int, Place]] = []
        self._waiting = self._find_waiting(day)
        for _, at, order, _, number in self._waiting:
            group, run = self.groups[at]
            place, occasion = (at, number), group.occasions[number]
            closes = self._find_closing(occasion, place, day)
            if closes is None or not self._is_answer(occasion, run, done):
                continue
            if day > closes and occasion.step.never_missed:
                late.append((at, order, place))
            else:
                key = day > closes, closes, place
                best = key if best is None else min(best, key)
        if best is not None:
            self._mark(best[2], done, taken=True)
        for _, _, place in sorted(late):
            self._mark(place, done, taken=True)

    def _find_waiting(self, day: date) -> list[tuple[date, int, int, date, int]]:
        """What has opened by a day and is neither over nor settled: as days rise, nothing of it comes back."""
        coming, waiting = self._coming, self._waiting
        while coming and coming[-1][0] <= day:
            waiting.append(coming.pop())
        return [each for each in waiting if day <= each[3] and not self._is_settled((each[1], each[4]))]

    def _find_closing(self, occasion: Occasion, place: Place, day: date) -> date | None:
        """When the window closes that opened by a day; a repeated step stays open until its next."""
        if occasion.step.repeat is None:
            return occasion.turn.closes
        timetable, number = self.context.timetable, self.number_of(place) or 0
        newest = timetable.first_after(occasion, day, number) - 1
        window = timetable.find_window(occasion, newest) if newest >= number else None
        return window and window[1]

    def _is_answer(self, occasion: Occasion, run: Run, done: Done) -> bool:
        """Whether an untagged contact can be this step's: in time, both ways, and not what started it."""
        step, day = occasion.step, done.day
        if (run.begins is not None and day < run.begins) or (occasion.ended and day >= occasion.ended):
            return False
        if step.ask and done.channel in ONE_WAY and done.channel != step.channel:
            return False
        sold = run.cause.anchors.get("sold")
        if sold is not None and day == sold.day and done.place == self._find_sale_contact(day):
            return False
        return not ((step.waits_for_complaints or step.needs) and self._waits_on(occasion, run, day))

    def _find_sale_contact(self, day: date) -> int:
        """The entry that is the sale itself: the one tagged so, else the first contact that went both ways."""
        return self._sale_contacts.get(day, (True, True, -2))[2]

    @cached_property
    def _sale_contacts(self) -> dict[date, tuple[bool, bool, int]]:
        found: dict[date, tuple[bool, bool, int]] = {}
        for at, entry in enumerate(self.client.log):
            if not entry.attempt and self.context.plans.tags.isdisjoint(entry.tags):
                rank = "sold" not in entry.tags, entry.channel in ONE_WAY, at
                found[entry.day] = min(found.get(entry.day, rank), rank)
        return found

    def _waits_on(self, occasion: Occasion, run: Run, day: date) -> bool:
        """Whether a step was waiting on a day, for a complaint or for another step."""
        step = occasion.step
        if step.waits_for_complaints and (self._is_open_by_task or is_any_open(self.cases, day)):
            return True
        if not step.needs:
            return False
        return any(
            place not in self.outcomes and not self._is_missed(self.occasion(place), day)
            for place in self.find_needed(occasion, run)
        )

    @cached_property
    def _is_open_by_task(self) -> bool:
        return bool(find_open_tasks(self.client))

    # What becomes of it.

    def _mark(
        self, place: Place, done: Done, *, taken: bool = False, early: bool = False, how: str = ""
    ) -> None:
        """Settle it; of a repeated step all occurrences that opened by that day, or else the next one."""
        occasion, timetable = self.occasion(place), self.context.timetable
        last, following = 0, None
        if occasion.step.repeat is not None and occasion.day is not None:
            number = self.number_of(place) or 0
            last = max(timetable.first_after(occasion, done.day, number) - 1, number)
            following = last + 1 if timetable.find_window(occasion, last + 1) is not None else None
        outcome = self.outcomes[place] = Outcome(done, taken, early, how, last, following)
        self.marks.append((place, outcome))


def describe_done(done: Done) -> str:
    """What was done, in words: the call of 24 Nov."""
    what = "a ticked task" if done.place < 0 else f"the {_NOUNS.get(done.channel or '', 'entry')}"
    return f"{what} of {name_day(done.day)}"


_NOUNS = {
    "call": "call",
    "visit": "visit",
    "video": "video call",
    "email": "email",
    "message": "message",
    "letter": "letter",
}
