"""Follow-ups in, what a person reads of them on a terminal out: the tables of ``check`` and ``agenda``.

Every ``render_`` function is pure and yields whole lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.agenda import DUE, OVERDUE, UPCOMING
from notesync.followup.dates import format_day
from notesync.publish.sheet import GAP, MORE_FOLDS, Line, Piece, Sheet, fit_width, flow, fold, one_line
from notesync.publish.text import (
    ONLY_COPY,
    clean,
    format_count,
    format_load,
    format_minutes,
    format_money,
    format_part,
    format_reach,
    render_totals,
)

if TYPE_CHECKING:
    from notesync.followup.items import Agenda, DayPlan, Item

WIDE = 120
"""From here on the reason has a column of its own beside the title; below, a line under it."""

_STATUS_STYLES = {OVERDUE: "red", DUE: "yellow"}


class Today(NamedTuple):
    """The day asked about, and words for others as seen from it."""

    day: date

    def name(self, iso: str, near_words: bool = True) -> str:
        """``today``, ``tomorrow 14:30``, ``Fri 27 Nov``: an ISO day or moment in words."""
        day = date.fromisoformat(iso[:10])
        near = {0: "today", 1: "tomorrow"}.get((day - self.day).days) if near_words else None
        words = near or format_day(day, self.day.year)
        return f"{words} {iso[11:16]}" if len(iso) > 10 else words

    def short(self, iso: str | None) -> str:
        """``27 Nov``, ``27 Nov 14:30``; '' for none."""
        return self.name(iso, near_words=False).split(" ", 1)[1] if iso else ""

    def ago(self, iso: str) -> str:
        """``12 days ago``, ``yesterday``, ``in 3 days``."""
        days = (self.day - date.fromisoformat(iso[:10])).days
        near = {-1: "tomorrow", 0: "today", 1: "yesterday"}.get(days)
        if near:
            return near
        return f"{format_count(days, 'day')} ago" if days > 0 else f"in {format_count(-days, 'day')}"


def read_today(iso: str) -> Today:
    """The day of an ISO day or moment."""
    return Today(date.fromisoformat(iso[:10]))


def format_when(item: Item, today: Today) -> str:
    """How late, or until when: ``5 days late``, ``since 14:30``, ``today``, ``until Fri 27 Nov``, ``from …``."""
    if item.due is None:
        return "waits" if item.waits else "no date"
    if item.status == OVERDUE:
        return f"{format_count(item.days_late, 'day')} late" if item.days_late else f"since {item.due[11:16]}"
    if item.status == UPCOMING:
        if item.waits:
            return "waits"
        if item.retry_on:
            return f"again {today.name(item.retry_on)}"
        opens = item.opens or item.due
        return today.name(item.due) if opens[:10] == item.due[:10] else f"from {today.name(opens)}"
    due = today.name(item.due)
    if item.status == DUE:
        return due if due.startswith("today") else f"until {due}"
    return f"closed {due}"


def build_title(item: Item) -> Piece:
    """What is to be done."""
    return Piece(clean(item.title).strip() or "(no title)")


def build_beneath(item: Item, *words: str) -> Piece:
    """The line under a title: the kind, and what else there is to say."""
    return Piece(" · ".join(part for part in (clean(item.kind), *words) if part), "dim")


def _client(item: Item) -> str:
    return clean(item.client).strip() or clean(item.client_path)


def format_reason(item: Item) -> str:
    """The reason, and what else one must know before acting on the item."""
    notes = [clean(item.reason)] if item.reason else []
    if item.conflict:
        notes.append(ONLY_COPY)
    if item.stale:
        notes.append("from the last good reading: the note cannot be read now")
    return "; ".join(notes)


def _reach(item: Item) -> str:
    """How and when to reach the client, in a phrase."""
    best = f"best {clean(item.best_time)}" if item.best_time else ""
    return ", ".join(part for part in (format_reach(item, item.channel), best) if part)


def fold_questions(item: Item, width: int) -> list[Line]:
    """The questions to ask, a line or more each."""
    return [line for question in item.ask for line in fold([Piece(f"? {clean(question)}")], width)]


def measure_status(sheet: Sheet, items: Sequence[Item], today: Today) -> list[int]:
    """The widths of the two columns that say how an item stands."""
    whens = (format_when(item, today) for item in items)
    return [fit_width((item.status for item in items), 3, 8), fit_width(whens, 5, sheet.side)]


def build_status(item: Item, today: Today, widths: Sequence[int]) -> list[list[Line]]:
    """The cells of these columns."""
    style = _STATUS_STYLES.get(item.status, "dim")
    return [
        one_line(item.status, widths[0], style),
        fold([Piece(format_when(item, today), style)], widths[1]),
    ]


# check --------------------------------------------------------------------------------------------


def render_table(
    agenda: Agenda,
    width: int,
    color: bool,
    limit: int = 20,
    upcoming: Item | None = None,
    scope: str = "",
    ask: bool = False,
) -> Iterator[str]:
    """``check``: a heading a client, below it what is to be done, most pressing first; then the totals.

    ``limit`` is how many clients are shown, 0 for all.  ``upcoming`` is the next follow-up to come and
    ``scope`` the filters in words: for saying that all is clear.  ``ask`` shows the questions to ask, too.
    """
    sheet, today = Sheet(width, color), read_today(agenda.today)
    groups: dict[str, list[Item]] = {}
    for item in agenda.items:
        groups.setdefault(item.client_path, []).append(item)
    shown = list(groups.values())[: limit or None]
    draw = _CheckRows(sheet, today, [item for items in shown for item in items], agenda.totals.currency, ask)
    for items in shown:
        yield from draw.client(items)
        yield "\n"
    if len(shown) < len(groups):
        more = format_count(len(groups) - len(shown), "more client")
        yield from sheet.draw_text(f"… and {more} (--limit 0 shows all)", "dim", hang=GAP)
    if not groups:
        yield from _all_clear(sheet, today, upcoming, scope)
    else:
        listed = any(item.status == UPCOMING for item in agenda.items)
        totals = render_totals(agenda.totals, upcoming=listed)
        yield from sheet.draw_text(totals, "red" if agenda.totals.overdue else "")


def _all_clear(sheet: Sheet, today: Today, upcoming: Item | None, scope: str) -> Iterator[str]:
    whom = f" for {clean(scope)}" if scope else ""
    day = format_day(today.day)
    yield from sheet.draw_text(f"All clear{whom}: nothing is overdue, nothing is due today, {day}.", "green")
    if upcoming:
        opens = upcoming.opens or upcoming.due
        when = today.name(max(opens, upcoming.retry_on or opens)) if opens else "no date"
        text = f"Next: {when}, {clean(upcoming.client)} — {clean(upcoming.title)} [{clean(upcoming.kind)}]"
        yield from sheet.draw_text(text, hang=6)


class _CheckRows:
    """Draws one client after the other, with columns that are equally wide for all."""

    def __init__(self, sheet: Sheet, today: Today, items: Sequence[Item], currency: str, ask: bool) -> None:
        self.sheet, self.today, self.currency, self.ask = sheet, today, currency, ask
        self.owners = len({item.owner for item in items}) > 1
        self.widths = measure_status(sheet, items, today)
        room = sheet.width - sum(self.widths) - (len(self.widths) + 1) * GAP
        if sheet.width < WIDE:
            self.widths += [room]
            return
        kind = fit_width((clean(item.kind) for item in items), 4, 16)
        room -= kind + 2 * GAP
        why = fit_width((format_reason(item) for item in items), 20, room // 2)
        title = fit_width((build_title(item).text for item in items), 20, room - why)
        self.widths += [title, kind, room - title]

    def client(self, items: Sequence[Item]) -> Iterator[str]:
        yield from map(self.sheet.draw, flow(self.heading(items), self.sheet.width, GAP))
        for item in items:
            yield from self.sheet.draw_row(self.cells(item), self.widths)

    def heading(self, items: Sequence[Item]) -> list[Piece]:
        """Who, how and when to reach them, and what they are worth."""
        first = items[0]
        channel = next((item.channel for item in items if item.channel), "")
        parts = [
            Piece(_client(first), "bold"),
            Piece(clean(first.company)),
            Piece(format_reach(first, channel) or "no phone or e-mail"),
            Piece(f"best {clean(first.best_time)}" if first.best_time else ""),
            Piece(format_money(first.value, self.currency)),
            Piece(f"owner {clean(' and '.join(first.owner) or 'nobody')}" if self.owners else "", "dim"),
        ]
        return [part for part in parts if part.text.strip()]

    def cells(self, item: Item) -> list[list[Line]]:
        start = build_status(item, self.today, self.widths)
        title = fold([build_title(item)], self.widths[2])
        asked = fold_questions(item, self.widths[2]) if self.ask else []
        if self.sheet.width < WIDE:
            why = fold([build_beneath(item, format_reason(item))], self.widths[2], MORE_FOLDS)
            return [*start, title + why + asked]
        title += asked
        kind = one_line(clean(item.kind), self.widths[3], "dim")
        return [*start, title, kind, fold([Piece(format_reason(item), "dim")], self.widths[4], MORE_FOLDS)]


# agenda -------------------------------------------------------------------------------------------


def render_days_table(
    days: Sequence[DayPlan], left_over: Sequence[Item], today: str, width: int, color: bool
) -> Iterator[str]:
    """``agenda``: a heading a day with its minutes, what falls due, overdue work by rank; what does not fit."""
    sheet, now = Sheet(width, color), read_today(today)
    rows = _DayRows(
        sheet, now, [item for plan in days for item in (*plan.items, *plan.overdue)] + [*left_over]
    )
    explained = False
    for plan in days:
        yield from map(sheet.draw, flow(_day_heading(plan, now), sheet.width, GAP))
        yield from rows.draw(plan.items)
        if plan.overdue and not explained:
            yield from sheet.draw_text("overdue, spread over the days by rank:", "dim", indent=GAP)
            explained = True
        yield from rows.draw(plan.overdue)
        yield "\n"
    if left_over:
        minutes = format_minutes(sum(item.minutes for item in left_over))
        count = format_count(len(left_over), "overdue follow-up")
        heading = (
            f"Does not fit: {count}, {minutes} (more days: --days; more a day: capacity in notesync.yaml)"
        )
        yield from sheet.draw_text(heading, "red", hang=GAP)
        yield from rows.draw(left_over)
        yield "\n"
    yield from sheet.draw_text(_days_total(days, left_over))


def _day_heading(plan: DayPlan, today: Today) -> list[Piece]:
    near = {0: "Today, ", 1: "Tomorrow, "}.get((plan.day - today.day).days, "")
    style = "yellow" if plan.overdue else "dim"
    return [Piece(f"{near}{format_day(plan.day, today.day.year)}", "bold"), Piece(format_load(plan), style)]


def _days_total(days: Sequence[DayPlan], left_over: Sequence[Item]) -> str:
    count = sum(len(plan.items) + len(plan.overdue) for plan in days)
    load = format_part(sum(plan.minutes for plan in days), sum(plan.late_minutes for plan in days))
    text = f"{format_count(count, 'follow-up')} in {format_count(len(days), 'day')}: {load}"
    return f"{text}; {_do(len(left_over))} not fit" if left_over else text


def _do(count: int) -> str:
    return f"{count} does" if count == 1 else f"{count} do"


class _DayRows:
    """Draws a day's follow-ups: when, who and how to reach them, what, how long."""

    def __init__(self, sheet: Sheet, today: Today, items: Sequence[Item]) -> None:
        self.sheet, self.today = sheet, today
        when = fit_width((self.when(item) for item in items), 5, sheet.side)
        minutes = fit_width((format_minutes(item.minutes) for item in items), 6, 8)
        room = sheet.width - when - minutes - 4 * GAP
        client = fit_width((self.who(item) for item in items), 8, room // (3 if sheet.width < WIDE else 4))
        self.widths = [when, minutes, client, room - client]
        if sheet.width >= WIDE:
            kind = fit_width((clean(item.kind) for item in items), 4, 16)
            reach = fit_width((_reach(item) for item in items), 8, room // 4)
            self.widths[3:] = [room - client - kind - reach - 2 * GAP, kind, reach]

    def when(self, item: Item) -> str:
        """The time of an appointment, else how late or until when; on the day it opens it is planned for."""
        if item.status != OVERDUE and item.due and len(item.due) > 10:
            return item.due[11:16]
        if item.status != UPCOMING or not item.due or item.retry_on:
            return format_when(item, self.today)
        alone = item.due == (item.opens or item.due)
        return "on the day" if alone else f"until {self.today.name(item.due)}"

    def who(self, item: Item) -> str:
        name, company = _client(item), clean(item.company)
        return f"{name}, {company}" if company and company != name else name

    def draw(self, items: Sequence[Item]) -> Iterator[str]:
        for item in items:
            yield from self.sheet.draw_row(self.cells(item), self.widths)

    def cells(self, item: Item) -> list[list[Line]]:
        minutes = format_minutes(item.minutes).rjust(self.widths[1])
        cells = [
            fold([Piece(self.when(item), _STATUS_STYLES.get(item.status, "dim"))], self.widths[0]),
            one_line(minutes, self.widths[1], "dim"),
            fold([Piece(self.who(item), "bold")], self.widths[2], 2),
            fold([build_title(item)], self.widths[3]),
        ]
        if item.conflict:
            cells[3] += fold([Piece(ONLY_COPY, "dim")], self.widths[3])
        if self.sheet.width < WIDE:
            cells[3] += fold([build_beneath(item, _reach(item))], self.widths[3])
            return cells
        kind = one_line(clean(item.kind), self.widths[4], "dim")
        return [*cells, kind, fold([Piece(_reach(item), "dim")], self.widths[5])]
