"""A refreshed index and a moment in; agendas, lines, clients, names and problems out.

What a question needs of clients' words is loaded after judging, for the items that are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from datetime import date
from functools import wraps
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from notesync.followup import agenda
from notesync.followup.agenda import UPCOMING, Judged, Moment, Totals, Verdict
from notesync.problems import Problem
from notesync.store.index import Index, IndexFailure
from notesync.store.vault import NOT_DOWNLOADED

if TYPE_CHECKING:
    from notesync.followup.card import Card
    from notesync.followup.items import Agenda, ClientCard, DayPlan, Item
    from notesync.followup.settings import Settings
    from notesync.store.rows import FollowUpRow
    from notesync.sync.standing import Standing

_AT_ONCE = 200  # items


class Selection(NamedTuple):
    """Which follow-ups are asked for; ``upcoming`` is days ahead, ``everything`` all that are to come.

    ``missed`` asks for what is missed instead, and for nothing else.
    """

    clients: tuple[int, ...] = ()
    owners: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    upcoming: int = 0
    everything: bool = False
    sort: str = "urgency"
    missed: bool = False


class Name(NamedTuple):
    """What a client may be called on the command line."""

    key: int
    path: str
    client_id: str
    name: str
    company: str
    aliases: tuple[str, ...]


class Counts(NamedTuple):
    """Markdown files seen, and how many of them are client notes."""

    markdown: int
    clients: int


Question = TypeVar("Question", bound=Callable[..., Any])


def question(answer: Question) -> Question:
    """Have a question be asked again of another index where this one turns out to be damaged."""

    @wraps(answer)
    def ask(self: Answers, *words: Any) -> Any:
        if self.asking:
            return answer(self, *words)  # part of another, which is asked again as a whole
        self.asking = True
        try:
            while True:  # it ends: of an index in memory every failure is raised
                try:
                    self.stand_still()
                    return answer(self, *(self.as_known_now(word) for word in words))
                except IndexFailure as error:
                    self.begin_again(error)
        finally:
            self.asking = False

    return cast(Question, ask)


class Answers:
    """What can be asked of an index; ``moment`` and ``currency`` are the settings' own.

    Clients' keys come from ``names``; they are understood also after a damaged index was made again.
    """

    index: Index
    moment: Moment
    currency: str
    settings_problems: tuple[Problem, ...]
    folder_problems: tuple[Problem, ...]
    asking = False

    def __init__(self) -> None:
        self._paths: dict[int, str] = {}  # of the clients whose keys were told
        self._missed: dict[int, tuple[Any, ...]] = {}  # what was found missed, as ``Index.details`` has it
        self._keys: dict[int, int] = {}  # the keys that stand for these now, where they are others

    def stand_still(self) -> None:
        """Have all answers until the next change be of one moment, and of our day."""

    def begin_again(self, error: IndexFailure) -> None:
        """Have another index in place of one that failed, with the same notes."""
        raise error

    def as_known_now(self, word: Any) -> Any:
        """A question's word; the clients of a selection by the keys that they have in this index."""
        if self._keys and isinstance(word, Selection):
            return word._replace(clients=tuple(map(self.known_key, word.clients)))
        return word

    def known_key(self, told: int) -> int:
        """The key of a client by the one that was told."""
        return self._keys.get(told, told)

    def learn_keys(self) -> None:
        """Find the clients whose keys were told in an index that was made again."""
        keys = {row[1]: row[0] for row in self.index.names()}
        self._keys = {key: keys.get(path, 0) for key, path in self._paths.items()}

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        raise LookupError("the settings are the workspace's")

    def find_missed(self, clients: Sequence[int]) -> Iterator[tuple[int, FollowUpRow]]:
        """What these clients' notes tell of steps that are missed, each with its client."""
        raise LookupError("the notes are the workspace's")

    # judging ------------------------------------------------------------------------------------

    def judge(self, selection: Selection, without: int = 0) -> Verdict:
        """The rows that a selection lets through, judged, filtered and in order.

        ``without`` spares rows with these flags: held back they are in any case, but ``waiting`` needs them.
        """
        where, values = client_filter(selection)
        today = self.moment.day.toordinal()
        if selection.missed:
            rows = self._missed_rows(self.index.clients_missing(today, where, values))
        else:
            last = None if selection.everything else today + selection.upcoming
            rows = self.index.rows(last, today, where, values, without)
        verdict = agenda.judge(rows, self.moment)
        kinds = _ranks(selection.kinds)
        shown = verdict.missed if selection.missed else verdict.shown
        if kinds:
            shown = [item for item in shown if item.rank in kinds]
        if selection.sort != "urgency":
            shown.sort(key=agenda.SORTS[selection.sort])
        return verdict._replace(shown=shown)

    def _missed_rows(self, clients: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """What these clients missed, as rows to judge; their keys, below zero, are no other's."""
        from notesync.store.rows import JUDGED

        self._missed = {}
        for client, row in self.find_missed(clients):
            key = -1 - len(self._missed)
            self._missed[key] = row[JUDGED:]
            yield (key, client, *row[:JUDGED])

    @question
    def lines(self, selection: Selection) -> tuple[Iterator[str], Totals]:
        """The agenda as finished lines of text with their line ends, and the totals."""
        verdict = self.judge(selection, without=agenda.BEHIND)
        words = agenda.STATUSES  # asking each of thousands for its own takes three times as long
        lines = (f"{item.place}{words[item.order]}{item.label}\n" for item in verdict.shown)
        return lines, self._count(selection, self._others(selection, verdict))

    @question
    def agenda(self, selection: Selection, pause: Callable[[], None] = lambda: None) -> Agenda:
        """The agenda with all that is known of each item; ``pause`` is called every few milliseconds, and may raise."""
        verdict = self.judge(selection)
        others = self._others(selection, verdict)
        totals = self._count(selection, others)
        if not selection.everything:
            totals = totals._replace(upcoming=self._count_upcoming(selection, others))
        items: list[Item] = []
        for at in range(0, len(verdict.shown), _AT_ONCE):
            pause()
            items += self._items(verdict.shown[at : at + _AT_ONCE], verdict.waiting)
        from notesync.followup.items import Agenda

        return Agenda(self.moment.day.isoformat(), items, totals, self.problems())

    def _others(self, selection: Selection, verdict: Verdict) -> Verdict:
        """What totals are made of: beside what is missed alone, the others' are as true as ever."""
        return self.judge(selection._replace(missed=False)) if selection.missed else verdict

    def _count(self, selection: Selection, verdict: Verdict) -> Totals:
        """The totals; of what is missed also where it is not asked for."""
        where, values = client_filter(selection)
        kinds = _ranks(selection.kinds)
        counted = self.index.count_missed(self.moment.day.toordinal(), kinds, where, values)
        return agenda.count(verdict.shown, self.currency, counted)

    def _count_upcoming(self, selection: Selection, verdict: Verdict) -> int:
        where, values = client_filter(selection)
        kinds = _ranks(selection.kinds)
        today = self.moment.day.toordinal()
        after = today + selection.upcoming
        later = sum(
            1
            for _, client, rank, flags in self.index.upcoming(after, today, where, values)
            if (not kinds or rank in kinds) and not is_held_back(flags, client, verdict.busy)
        )
        return later + sum(1 for item in verdict.shown if item.status == UPCOMING)

    def find_standing(self, clients: Sequence[int] | None = None) -> Standing:
        """What presses, and the cadences, open or to come, that stand behind another contact: these clients' or all.

        Cadences behind an agreed contact (``BEHIND``) are in neither: that they are held back, their rows say.
        """
        today = self.moment.day.toordinal()
        where, values = client_filter(Selection(clients=tuple(clients or ())))
        rows = self.index.rows(today, today, where, values, agenda.BEHIND, words=False)
        verdict = agenda.judge(rows, self.moment)
        free = f"flags & {agenda.CADENCE} and not flags & {agenda.BEHIND}"
        later = self.index.upcoming(today, today, f"{free} and {where}" if where else free, values)
        held_back = {key: client for key, client, _, _ in later if client in verdict.busy}
        from notesync.sync.standing import build_standing

        return build_standing(verdict.shown, verdict.hidden | held_back, self.move_to)

    @property
    def move_to(self) -> int | None:
        """The day on which events stand that opened before (``calendar.overdue: each``); None: on their own."""
        return self.moment.day.toordinal() if self.settings.calendar_overdue == "each" else None

    @question
    def next_item(self, selection: Selection) -> Item | None:
        """The follow-up to come that opens first, for when there is nothing to do now."""
        verdict = self.judge(selection._replace(everything=True, sort="urgency"))
        upcoming = [item for item in verdict.shown if item.status == UPCOMING]
        if not upcoming:
            return None
        nearest = min(upcoming, key=lambda item: (bool(item.flags & agenda.WAITS), _begin(item), item))
        return self._items([nearest], verdict.waiting)[0]

    @question
    def week(self, days: int, selection: Selection) -> tuple[list[DayPlan], list[Item], Agenda]:
        """The days ahead planned: what falls due, and overdue work spread by rank up to the capacity."""
        found = self.agenda(selection._replace(upcoming=max(days - 1, 0), everything=False))
        calendar = self.settings.work_calendar()
        last = min(self.moment.day.toordinal() + max(days, 1), date.max.toordinal() + 1)
        ahead = [date.fromordinal(day) for day in range(self.moment.day.toordinal(), last)]
        working = [calendar.is_workday(day) for day in ahead]
        from notesync.followup.items import plan_days

        plans, left = plan_days(found.items, ahead, working, self.settings.capacity)
        return plans, left, found

    # items --------------------------------------------------------------------------------------

    def _items(self, judged: Sequence[Judged], waiting: Set[int]) -> list[Item]:
        stored = [item.follow_up for item in judged if item.follow_up > 0]
        details = {**self.index.details(stored), **self._missed}
        clients = self.known_clients({item.client for item in judged})
        return [
            self._item(item, details[item.follow_up], item.client in waiting, *clients[item.client])
            for item in judged
        ]

    def known_clients(self, keys: Iterable[int]) -> dict[int, tuple[Card, bool]]:
        """The clients of these keys, each with whether its note is stale."""
        from notesync.followup.card import from_text

        return {
            key: (from_text(path, ident, card), stale)
            for key, path, stale, ident, card in self.index.cards(sorted(keys))
        }

    def _item(self, judged: Judged, words: tuple[Any, ...], also: bool, client: Card, stale: bool) -> Item:
        from notesync.followup.items import Item
        from notesync.followup.wording import tell_reason
        from notesync.publish.calendar import build_uid

        rule, kind, step, occasion, title, reason, place, line, channel, minutes, _ = words[:-3]
        attempts, ask, waits = words[-3:]
        opens = _iso(judged.opens, judged.minute if judged.opens == judged.due else None)
        due = _iso(judged.due, judged.minute)
        closes = None if judged.due is None else date.fromordinal(judged.due)
        reason = tell_reason(reason, closes, self.moment.day)
        if waits and waits not in reason:
            reason = f"{reason}; {waits}"
        if also and judged.flags & agenda.CONTACT and (judged.status != UPCOMING or rule == "next-contact"):
            reason = "; ".join(part for part in (reason, self._also(client)) if part)
        return Item(
            path=place,
            line=line,
            client_path=client.path,
            client_id=client.id,
            client=client.name,
            company=client.company,
            owner=client.owners,
            kind=kind,
            step=step,
            title=title,
            reason=reason,
            channel=channel,
            opens=opens,
            due=due,
            status=judged.status,
            days_late=-judged.early,
            value=client.value,
            phone=client.phones,
            email=client.emails,
            best_time=client.best_time,
            minutes=minutes,
            attempts=attempts,
            retry_on=_iso(judged.retry_on, None),
            stale=stale,
            conflict=bool(judged.flags & agenda.CONFLICT),
            uid=build_uid(self.settings.vault_id, client.key, rule, occasion, opens or ""),
            stage=client.stage,
            rule=rule,
            contact_by=client.contact_by,
            not_by=client.not_by,
            ask=tuple(ask.split("\n")) if ask else (),
            waits=waits,
            address=client.address,
        )

    def _also(self, client: Card) -> str:
        last, wanted = client.last_contact, client.wanted
        if last is None or not wanted:
            return ""
        return f"also: last contact {(self.moment.day - last).days} days ago, wanted every {wanted}"

    # clients ------------------------------------------------------------------------------------

    @question
    def names(self) -> list[Name]:
        """What every client may be called, by path."""
        names = [
            Name(
                key,
                path,
                "" if ident == path else ident,
                name,
                company,
                tuple(a for a in aliases.split("\n") if a),
            )
            for key, path, ident, name, company, aliases in self.index.names()
        ]
        self._paths, self._keys = {name.key: name.path for name in names}, {}
        return names

    @question
    def card(self, key: int) -> ClientCard:
        """A client as ``show`` presents it."""
        key = self.known_key(key)
        client, stale = self.known_clients([key])[key]
        return self._card(client, stale, self._next_by_client((key,)).get(key))

    @question
    def cards(self, selection: Selection) -> list[ClientCard]:
        """The clients that a selection lets through, by name."""
        from notesync.followup.card import from_text

        where, values = client_filter(selection)
        keys = self.index.select_clients(where, values) if where else None
        ahead = self._next_by_client(selection.clients)
        cards = [
            self._card(from_text(path, ident, card), stale, ahead.get(key))
            for key, path, stale, ident, card in self.index.cards(keys)
        ]
        return sorted(cards, key=lambda card: (card.name.casefold(), card.path))

    @question
    def idle_clients(self) -> list[ClientCard]:
        """The clients for whom nothing can ever fall due, though nobody said that they be left alone."""
        busy = {row[1] for row in self.index.rows(None, self.moment.day.toordinal())}
        from notesync.followup.card import from_text

        return [
            self._card(client, stale, None)
            for key, path, stale, ident, card in self.index.cards()
            if key not in busy
            and not (client := from_text(path, ident, card)).do_not_contact
            and client.stage != "lost"
        ]

    def _next_by_client(self, clients: tuple[int, ...]) -> dict[int, str]:
        """The day on which each client's first open follow-up opens."""
        verdict = self.judge(Selection(clients=clients, everything=True))
        found: dict[int, int] = {}
        for item in verdict.shown:
            if item.opens is not None and not item.flags & (agenda.WAITS | agenda.CONFLICT):
                found[item.client] = min(found.get(item.client, _begin(item)), _begin(item))
        return {key: date.fromordinal(day).isoformat() for key, day in found.items()}

    def _card(self, client: Card, stale: bool, ahead: str | None) -> ClientCard:
        from notesync.followup.items import ClientCard
        from notesync.followup.rules import find_drift

        today = self.moment.day
        last, wanted = client.last_contact, client.wanted
        return ClientCard(
            path=client.path,
            client_id=client.id,
            name=client.name,
            company=client.company,
            role=client.role,
            stage=client.stage,
            owner=client.owners,
            value=client.value,
            phone=client.phones,
            email=client.emails,
            contact_by=client.contact_by,
            not_by=client.not_by,
            best_time=client.best_time,
            address=client.address,
            website=client.website,
            aliases=client.aliases,
            last_contact=last.isoformat() if last else None,
            next_contact=ahead,
            wanted=wanted,
            drift=find_drift(last, wanted, today),
            do_not_contact=client.do_not_contact,
            paused_until=_pause_end(client, today),
            stale=stale,
        )

    # the rest -----------------------------------------------------------------------------------

    @question
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of settings, folders and notes, by path and place."""
        found = (*self.settings_problems, *self.folder_problems, *map(Problem._make, self.index.problems()))
        if not self.settings_problems and not self.folder_problems:
            return found  # in order already
        return tuple(sorted(found, key=lambda p: (p.path, p.line, p.column, p.code)))

    @question
    def count_away(self) -> tuple[int, int]:
        """How many notes are not on this device, only their names, and how many of those were never read."""
        return self.index.count_problems(NOT_DOWNLOADED)

    @question
    def counts(self) -> Counts:
        """How many notes there are, and how many are clients'."""
        return Counts(*self.index.counts())


def is_held_back(flags: int, client: int, busy: Set[int]) -> bool:
    """Whether a follow-up to come is a cadence that stands behind something else of its client."""
    return bool(flags & agenda.BEHIND or (flags & agenda.CADENCE and client in busy))


def _begin(item: Judged) -> int:
    """The day from which there is something to do; an attempt puts it off."""
    return max(item.opens or 0, item.retry_on or 0)


def _pause_end(client: Card, today: date) -> str | None:
    """The day on which a pause ends that lasts today, in ISO's form."""
    from notesync.followup.items import NO_END

    if client.paused:
        return NO_END
    pause = client.paused_until
    return pause.isoformat() if pause is not None and pause > today else None


def client_filter(selection: Selection) -> tuple[str, list[Any]]:
    """The condition on ``client`` that a selection makes, with its values; '' for none."""
    clauses: list[str] = []
    values: list[Any] = []
    if selection.clients:
        clauses.append(f"client.id in ({','.join('?' * len(selection.clients))})")
        values += selection.clients
    if selection.owners:
        clauses.append(f"({' or '.join(['instr(client.owners, ?)'] * len(selection.owners))})")
        from unicodedata import normalize

        values += [f"\n{normalize('NFC', owner).casefold()}\n" for owner in selection.owners]
    if selection.stages:
        clauses.append(f"client.stage in ({','.join('?' * len(selection.stages))})")
        values += [stage.casefold() for stage in selection.stages]
    return " and ".join(clauses), values


def _ranks(kinds: Sequence[str]) -> frozenset[int]:
    if not kinds:
        return frozenset()
    from notesync.followup.follow_up import KINDS

    return frozenset(KINDS.index(kind) for kind in kinds)


def _iso(day: int | None, minute: int | None) -> str | None:
    if day is None:
        return None
    text = date.fromordinal(day).isoformat()
    return text if minute is None else f"{text}T{minute // 60:02}:{minute % 60:02}"


def by_client(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
    """Rows that come in the order of their client (second column), gathered by it."""
    for client, group in groupby(rows, key=lambda row: row[1]):
        yield client, list(group)
