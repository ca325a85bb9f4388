"""What can be done for a client, and words, in; what is meant by the words out.

That is a step of a plan that is open, an open task, or a promise or complaint of the log.  Several come back
where it is not clear.  Must not know: notes' texts, terminals, the disk, the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.dates import format_day
from notesync.followup.matching import fold
from notesync.followup.promises import COMPLAINT, PROMISE, find_cases, order_tagged
from notesync.notes.links import show_link

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.plans import Plans
    from notesync.followup.steps import Progress
    from notesync.notes.body import Task

MARKS = ("sold", "promise", "kept", "complaint", "resolved", "substitute", "satisfied", "unhappy")
"""The tags of a log entry that mean something beside those of the plans' steps."""

_CLOSING = {PROMISE: "kept", COMPLAINT: "resolved"}


class Choice(NamedTuple):
    """Something to be done: a log entry with the ``tag`` settles it, or it is a ``task``.

    ``names`` are its short names, ``title`` its words, ``about`` what tells it from others of the same words;
    ``place`` and ``day`` are a task's.  ``older`` is what the log closes before it.
    """

    tag: str
    names: tuple[str, ...]
    title: str
    about: str
    task: Task | None = None
    older: str = ""
    place: str = ""
    day: date | None = None


def list_choices(client: Client, progress: Iterable[Progress], today: date) -> list[Choice]:
    """What is open for a client on a day: promises and complaints of the log, tasks, then steps by their days."""
    steps: dict[str, Choice] = {}
    for each in sorted(progress, key=lambda each: each.opens or date.max):
        if each.settled is None and each.ended is None:
            choice = _choose_step(each.step.tag, each.step.name, each.step.title)
            window = _describe_window(each, today.year)
            steps.setdefault(choice.tag, choice._replace(about=f"step, {window}"))
    return [*_list_cases(client, today), *list_tasks(client), *steps.values()]


def list_tasks(client: Client) -> list[Choice]:
    """A client's open tasks, those in other notes included."""
    return [_choose_task(client, task) for task in client.tasks if task.open]


def list_steps(plans: Plans) -> list[Choice]:
    """Every step of the plans in force."""
    return [_choose_step(step.tag, step.name, step.title) for plan in plans.plans for step in plan.steps]


def find_meant(wanted: str, choices: Sequence[Choice]) -> list[Choice]:
    """What the words mean, of the best kind of agreement only.

    The kinds, best first: a short name, or a place such as ``Anna.md:12``; all the words; every word, in any
    order; every word as a part; the same, and behind the words, if any, the day.
    """
    name, folded = wanted.strip().lstrip("#🆔").strip().casefold(), fold(wanted)
    kinds: tuple[Callable[[Choice], bool], ...] = (
        lambda choice: name in (*choice.names, choice.place.casefold()),
        lambda choice: folded == fold(choice.title),
        lambda choice: set(folded.split()).issubset(_words(choice).split()),
        lambda choice: all(part in _words(choice) for part in folded.split()),
        lambda choice: _agrees_with_day(choice, folded),
    )
    if name in _CLOSING:  # not the check after a complaint, when none is open
        kinds = kinds[:1]
    for agrees in kinds if folded else ():
        found = [choice for choice in choices if agrees(choice)]
        if found:
            return found
    return []


def _words(choice: Choice) -> str:
    return fold(f"{' '.join(choice.names)} {choice.title}")


def _agrees_with_day(choice: Choice, folded: str) -> bool:
    """Whether the last of the words are the choice's day, the others its own.

    The day is written as ``2026-11-25``, ``Wed 25 Nov`` or ``25 Nov``.
    """
    if choice.day is None:
        return False
    named = format_day(choice.day)
    for form in (choice.day.isoformat(), format_day(choice.day, 0), named, named.partition(" ")[2]):
        rest, end, _ = f" {folded}".rpartition(f" {fold(form)}")
        if end and folded.endswith(fold(form)):
            return all(part in _words(choice) for part in rest.split())
    return False


def _choose_step(tag: str, name: str, title: str) -> Choice:
    return Choice(tag, tuple(dict.fromkeys((tag, name))), title, "step")


def _describe_window(progress: Progress, year: int) -> str:
    if progress.opens is None or progress.closes is None:
        return "no date yet"
    days = dict.fromkeys((progress.opens, progress.closes))
    return " to ".join(format_day(day, year) for day in days)


def _choose_task(client: Client, task: Task) -> Choice:
    day, place = task.due or task.scheduled, f"{task.path or client.path}:{task.line}"
    about = ", ".join(filter(None, ("task", format_day(day, 0) if day else "", place)))
    names = (task.id.casefold(),) if task.id else ()
    return Choice("", names, show_link(task.text), about, task, place=place, day=day)


def _list_cases(client: Client, today: date) -> Iterator[Choice]:
    log = order_tagged(client)
    for kind, tag in _CLOSING.items():
        older = ""
        for case in find_cases(client, log, kind, today) if log else ():
            if case.closed is None:
                about = f"{kind} of {format_day(case.entry.day, today.year)}"
                names = (kind, tag) if not older else ()
                yield Choice(tag, names, case.entry.text.partition("\n")[0], about, None, older)
                older = older or about
