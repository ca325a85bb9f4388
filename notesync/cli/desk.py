"""One command that changes a client's note: whose note it is, how the client stood before, what is said at the end.

In: the client as named, and deeds, which ``sync/deeds`` makes of wishes.  Out: the note changed, and one line that
says what was done and what comes next.  What its words mean, days aside, is the business of each command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from notesync.cli.asking import ask
from notesync.cli.filters import Filters, complete_clients, find_one, select
from notesync.cli.session import AnyFunction, Session
from notesync.cli.when import read_when
from notesync.problems import Problem, UsageError
from notesync.publish import receipt
from notesync.publish.text import clean, render_problems_lines
from notesync.sync.client_note import find_client, read_history
from notesync.sync.pipeline import Workspace

if TYPE_CHECKING:
    from notesync.followup.choosing import Choice
    from notesync.followup.client import Client
    from notesync.followup.items import Item
    from notesync.followup.steps import Progress
    from notesync.followup.when import When
    from notesync.notes.edit_log import NewEntry
    from notesync.store.history import Step
    from notesync.sync.deeds import Deed


def client_argument(function: AnyFunction) -> AnyFunction:
    """The client whose note is changed."""
    return click.argument("client", shell_complete=complete_clients)(function)


class Desk:
    """One command about one client: the workspace, whose note it is, how the client stood before."""

    def __init__(self, session: Session, workspace: Workspace, wanted: str, dry_run: bool) -> None:
        session.refresh(workspace)
        session.tell_first_steps(workspace)
        self.session = session
        self.workspace = workspace
        self.dry_run = dry_run
        self.name = find_one(workspace.names(), wanted)
        self.client: Client = find_client(workspace, self.name.key)
        self.settings = workspace.settings
        self.calendar = self.settings.work_calendar()
        self.today = workspace.moment.day
        _, self.progress = read_history(workspace, self.name.key)

    @property
    def path(self) -> str:
        """The client's own note."""
        return self.name.path

    def read_when(self, words: str, option: str, **asked: bool) -> When:
        """The day that WHEN means; see :func:`read_when`."""
        return read_when(words, option, self.today, self.calendar, **asked)

    def carry_out(self, words: str, deeds: Sequence[tuple[str, Deed]]) -> list[Step]:
        """Change notes, each named with what is wished of it, or show what would be; what was changed."""
        from notesync.sync.deeds import build_edit

        wishes = [build_edit(path, deed, self.settings) for path, deed in deeds]
        before = [problem._replace(line=0) for problem in self._find_problems()]
        steps = self.workspace.change(wishes, f"{words} {self.name.name}", dry_run=self.dry_run)
        if self.dry_run:
            self.session.write(receipt.render_diff(steps))
            return []
        if steps:
            self.session.keep_change(step.path for step in steps)
            self.workspace.refresh()
            new = [each for each in self._find_problems() if each._replace(line=0) not in before]
            self.session.tell(*render_problems_lines(new))
        else:
            self.session.write([f"Nothing to change: {clean(self.path)} says so already\n"])
        return steps

    def _find_problems(self) -> list[Problem]:
        return [each for each in self.workspace.problems() if each.path == self.path]

    def tell(self, said: str) -> None:
        """The one line: what was done, and what comes next."""
        self.session.write([f"{said}. {self._describe_next()}\n"])

    def _describe_next(self) -> str:
        card = self.workspace.card(self.name.key)
        if card.do_not_contact:
            return "Nothing comes next: they are left alone (do_not_contact)"
        return receipt.describe_next(self.list_items(), self.today)

    def list_items(self) -> list[Item]:
        """All that is open or to come for the client."""
        selection = select(Filters(), [self.name], everything=True)
        items: list[Item] = self.workspace.agenda(selection).items
        return items

    def describe_day(self, day: date) -> str:
        """``Sun 29 Nov (a day off)``: a day, as a person should know it."""
        words = receipt.describe_day(day.isoformat(), self.today)
        return words if self.calendar.is_workday(day) else f"{words} (a day off)"

    def describe_new(self, entry: NewEntry) -> str:
        """The new entry as the log has it, and what it settles."""
        from notesync.sync.deeds import read_entry

        written = read_entry(entry, self.settings)
        said = receipt.describe_entry(written, self.today)
        if written.attempt:
            attempts = max((item.attempts for item in self.list_items()), default=0)
            said += f", attempt {attempts}" if attempts > 1 else ""
        _, progress = read_history(self.workspace, self.name.key)
        return said + receipt.describe_settled(self.progress, progress, self.today)

    def tell_unsettled(self, tag: str, entry: NewEntry) -> None:
        """Say so where a step's tag settles nothing: a slip must not look like work done."""
        from notesync.followup.choosing import MARKS

        if not tag or entry.day > self.today:
            return
        if tag in _CASES:
            self._tell_unclosed(tag)
            return
        _, progress = read_history(self.workspace, self.name.key)
        if tag in MARKS or _count_settled(progress) > _count_settled(self.progress):
            return
        self.session.tell(
            f"#{tag} settles nothing: no such step is open for {self.name.name}, or it was no contact."
        )

    def _tell_unclosed(self, tag: str) -> None:
        """Say so where the tag closes no promise or complaint."""
        before = self._list_cases(self.client, tag)
        if not before:
            self.session.tell(
                f"#{tag} closes nothing: no {_CASES[tag]} of the log is open for {self.name.name}."
            )
        elif self.is_still_open(before[0]):
            self.session.tell(
                f"The {before[0].about} is still open: neither a substitute nor an attempt closes it, nor what was "
                "said before it."
            )

    def is_still_open(self, case: Choice) -> bool:
        """Whether a promise or complaint that was open is so by now: of those with its day and words none is gone."""
        before = self._list_cases(self.client, case.tag)
        after = self._list_cases(find_client(self.workspace, self.name.key), case.tag)
        was, left = (sum(_name_case(each) == _name_case(case) for each in found) for found in (before, after))
        return left >= was

    def _list_cases(self, client: Client, tag: str) -> list[Choice]:
        """The promises or complaints of the log that are open, and that this tag closes."""
        from notesync.followup.choosing import list_cases

        return [case for case in list_cases(client, self.today) if case.tag == tag]

    def find_last_contact(self) -> date:
        """The day of the newest contact; the first of all days where there is none."""
        from notesync.followup.follow_up import find_past

        return find_past(self.client, self.today).logged or date.min

    def require_standing(self, agreed: When, contact: date) -> When:
        """The contact agreed, which must not be settled by the one before it: with a time, if need be.

        A contact settles what is agreed for its day or before it, and what has no time also two working days ahead:
        most people ring a little early.  Raises UsageError where nobody can be asked for a time.
        """
        from notesync.followup.dates import parse_clock
        from notesync.followup.rules import EARLY_WORKDAYS

        words = receipt.describe_day(agreed.day.isoformat(), self.today)
        if agreed.day <= contact:
            raise UsageError(
                f"settled-already: the contact of {contact} settles what is agreed for {words}. To be reminded of what "
                f"was promised, add '#promise 📅 {agreed.day}' to the text."
            )
        if agreed.minute is not None or self.calendar.before(agreed.day, EARLY_WORKDAYS) > contact:
            return agreed
        minute = parse_clock(ask(f"At what time on {words}"))
        if minute is None:
            raise UsageError(
                f"settled-already: what is agreed for {words}, without a time, is settled by a contact up to "
                f"{EARLY_WORKDAYS} working days before, such as that of {contact}. "
                f"Give it a time: '{agreed.day} 9:00'."
            )
        return agreed._replace(minute=minute)


_CASES = {"kept": "promise", "resolved": "complaint"}  # what a tag closes


def _name_case(case: Choice) -> tuple[str, str]:
    """Its day and words."""
    return case.about, case.title


def _count_settled(progress: Iterable[Progress]) -> int:
    return sum(each.settled is not None for each in progress)
