"""Follow-ups, clients and problems in, what a person reads on a terminal out: aligned, coloured, cut to width.

Widths are cells, not characters: rich.cells measures (wide scripts take two, emoji too, accents none).  The
layout is ours, because a client's heading spans all columns and ten thousand rows must not take seconds; so
nothing of a note can be taken for markup.  Colours come from the terminal's own sixteen, so that they suit its
background.  Every ``render_`` function is pure and yields whole lines; it knows no terminal, width and colour are
told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

from notesync.followup.agenda import DUE, OVERDUE, UPCOMING
from notesync.followup.dates import format_day
from notesync.followup.items import NO_END
from notesync.publish.method import (
    describe_off,
    describe_progress,
    describe_settling,
    describe_source,
    describe_start,
    describe_terms,
    describe_window,
)
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
    from notesync.followup.items import Agenda, ClientCard, DayPlan, Item
    from notesync.followup.plans import Plans, Step
    from notesync.followup.steps import Progress
    from notesync.notes.body import Entry
    from notesync.problems import Problem
    from notesync.publish.text import Health

NARROWEST = 40
WIDE = 120
"""From here on the reason has a column of its own beside the title; below, a line under it."""

GAP = 2
FOLDS, MORE_FOLDS = 3, 6
"""Lines that a title, which a person wrote, and a reason may take before they are cut."""

_CODES = {"bold": "1", "dim": "2", "red": "1;31", "yellow": "33", "green": "32"}
_STATUS_STYLES = {OVERDUE: "red", DUE: "yellow"}


class Piece(NamedTuple):
    """Cleaned text in one style: a name of ``_CODES`` or ''."""

    text: str
    style: str = ""


Line = list[Piece]


# Lines, columns and their widths ------------------------------------------------------------------


class _Sheet:
    """The page that is drawn on: a width, and whether there are colours."""

    def __init__(self, width: int, color: bool) -> None:
        self.width = max(width, NARROWEST)
        self.side = 28 if width >= 80 else self.width // 4  # what a column beside the text may take
        self.color = color

    def draw(self, line: Line) -> str:
        """The line's text with its newline, without blanks at its end."""
        drawn = ""
        for style, run in groupby(line, key=lambda piece: piece.style):
            text = "".join(piece.text for piece in run)
            drawn += self.paint(text, style)
        return f"{drawn.rstrip()}\n"

    def paint(self, text: str, style: str) -> str:
        """The text in its colour; blanks around it stay as they are."""
        code = _CODES.get(style) if self.color else None
        inner = text.strip()
        return text.replace(inner, f"\x1b[{code}m{inner}\x1b[0m") if code and inner else text

    def draw_row(
        self, cells: Sequence[list[Line]], widths: Sequence[int], indent: int = GAP
    ) -> Iterator[str]:
        """Cells side by side, each as many lines as it has; the last one is not filled up."""
        for lines in zip_longest(*cells, fillvalue=None):
            row = [Piece(" " * indent)]
            for line, width in zip(lines, widths, strict=True):
                row += line or []
                row.append(Piece(" " * (width - _measure(line or []) + GAP)))
            yield self.draw(row)

    def draw_text(self, text: str, style: str = "", indent: int = 0, hang: int = 0) -> Iterator[str]:
        """A text of any length, folded; its further lines are indented by ``hang`` more."""
        for place, line in enumerate(_fold([Piece(text, style)], self.width - indent - hang, 99)):
            yield self.draw([Piece(" " * (indent + (hang if place else 0))), *line])


def _measure(line: Line) -> int:
    return sum(cell_len(piece.text) for piece in line)


def _cut(text: str, width: int) -> str:
    """The text in at most that many cells, with an ellipsis where some is missing."""
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, max(width - 1, 0)).rstrip()}…"


def _one(text: str, width: int, style: str = "") -> list[Line]:
    """A cell of one line, cut to the width."""
    return [[Piece(_cut(text, width), style)]]


def _words(pieces: Iterable[Piece], width: int) -> Iterator[Piece]:
    for text, style in pieces:
        for word in text.split():
            if cell_len(word) <= width:
                yield Piece(word, style)
            else:
                yield from (Piece(part, style) for part in chop_cells(word, width))


def _fold(pieces: Iterable[Piece], width: int, most: int = FOLDS) -> list[Line]:
    """The pieces' words in lines of at most ``width`` cells; what does not fit in ``most`` lines is cut with …"""
    width = max(width, 4)
    lines: list[Line] = []
    room = 0
    for word in _words(pieces, width):
        size = cell_len(word.text)
        if lines and size < room:
            lines[-1].append(Piece(f" {word.text}", word.style))
            room -= size + 1
        elif len(lines) == most:
            text, style = lines[-1].pop()
            lines[-1].append(Piece(_cut(f"{text} {word.text}", cell_len(text) + room), style))
            break
        else:
            lines.append([word])
            room = width - size
    return lines or [[]]


def _flow(segments: Sequence[Piece], width: int, indent: int) -> list[Line]:
    """Segments joined by `` · ``, broken only between them unless one is longer than a line."""
    lines: list[Line] = []
    room = 0
    for segment in segments:
        size = cell_len(segment.text)
        if lines and size + 3 <= room:
            lines[-1] += [Piece(" · ", "dim"), segment]
            room -= size + 3
            continue
        for line in [[segment]] if size <= width - indent else _fold([segment], width - indent):
            lines.append([Piece(" " * indent), *line] if lines else line)
        room = width - _measure(lines[-1])
    return lines


def _natural(cells: Iterable[str], least: int, most: int) -> int:
    """The width a column wants."""
    return min(max(max(map(cell_len, cells), default=0), least), max(most, least))


# Words --------------------------------------------------------------------------------------------


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


def render_outline(rows: Iterable[tuple[int, str, str]], width: int, color: bool) -> Iterator[str]:
    """Rows, each with its indent, its cleaned text, which is folded, and its style."""
    sheet = _Sheet(width, color)
    for indent, text, style in rows:
        if text:
            yield from sheet.draw_text(text, style, indent, hang=2)
        else:
            yield "\n"


def _today(iso: str) -> Today:
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


def _title(item: Item) -> Piece:
    return Piece(clean(item.title).strip() or "(no title)")


def _beneath(item: Item, *words: str) -> Piece:
    """The line under a title: the kind, and what else there is to say."""
    return Piece(" · ".join(part for part in (clean(item.kind), *words) if part), "dim")


def _client(item: Item) -> str:
    return clean(item.client).strip() or clean(item.client_path)


def _why(item: Item) -> str:
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
    sheet, today = _Sheet(width, color), _today(agenda.today)
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


def _all_clear(sheet: _Sheet, today: Today, upcoming: Item | None, scope: str) -> Iterator[str]:
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

    def __init__(self, sheet: _Sheet, today: Today, items: Sequence[Item], currency: str, ask: bool) -> None:
        self.sheet, self.today, self.currency, self.ask = sheet, today, currency, ask
        self.owners = len({item.owner for item in items}) > 1
        self.widths = _status_widths(sheet, items, today)
        room = sheet.width - sum(self.widths) - (len(self.widths) + 1) * GAP
        if sheet.width < WIDE:
            self.widths += [room]
            return
        kind = _natural((clean(item.kind) for item in items), 4, 16)
        room -= kind + 2 * GAP
        why = _natural((_why(item) for item in items), 20, room // 2)
        title = _natural((_title(item).text for item in items), 20, room - why)
        self.widths += [title, kind, room - title]

    def client(self, items: Sequence[Item]) -> Iterator[str]:
        yield from map(self.sheet.draw, _flow(self.heading(items), self.sheet.width, GAP))
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
        start = _status_cells(item, self.today, self.widths)
        title = _fold([_title(item)], self.widths[2])
        asked = _questions(item, self.widths[2]) if self.ask else []
        if self.sheet.width < WIDE:
            why = _fold([_beneath(item, _why(item))], self.widths[2], MORE_FOLDS)
            return [*start, title + why + asked]
        title += asked
        kind = _one(clean(item.kind), self.widths[3], "dim")
        return [*start, title, kind, _fold([Piece(_why(item), "dim")], self.widths[4], MORE_FOLDS)]


def _questions(item: Item, width: int) -> list[Line]:
    """The questions to ask, a line or more each."""
    return [line for question in item.ask for line in _fold([Piece(f"? {clean(question)}")], width)]


def _status_widths(sheet: _Sheet, items: Sequence[Item], today: Today) -> list[int]:
    whens = (format_when(item, today) for item in items)
    return [_natural((item.status for item in items), 3, 8), _natural(whens, 5, sheet.side)]


def _status_cells(item: Item, today: Today, widths: Sequence[int]) -> list[list[Line]]:
    style = _STATUS_STYLES.get(item.status, "dim")
    return [_one(item.status, widths[0], style), _fold([Piece(format_when(item, today), style)], widths[1])]


# agenda -------------------------------------------------------------------------------------------


def render_days_table(
    days: Sequence[DayPlan], left_over: Sequence[Item], today: str, width: int, color: bool
) -> Iterator[str]:
    """``agenda``: a heading a day with its minutes, what falls due, overdue work by rank; what does not fit."""
    sheet, now = _Sheet(width, color), _today(today)
    rows = _DayRows(
        sheet, now, [item for plan in days for item in (*plan.items, *plan.overdue)] + [*left_over]
    )
    explained = False
    for plan in days:
        yield from map(sheet.draw, _flow(_day_heading(plan, now), sheet.width, GAP))
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

    def __init__(self, sheet: _Sheet, today: Today, items: Sequence[Item]) -> None:
        self.sheet, self.today = sheet, today
        when = _natural((self.when(item) for item in items), 5, sheet.side)
        minutes = _natural((format_minutes(item.minutes) for item in items), 6, 8)
        room = sheet.width - when - minutes - 4 * GAP
        client = _natural((self.who(item) for item in items), 8, room // (3 if sheet.width < WIDE else 4))
        self.widths = [when, minutes, client, room - client]
        if sheet.width >= WIDE:
            kind = _natural((clean(item.kind) for item in items), 4, 16)
            reach = _natural((_reach(item) for item in items), 8, room // 4)
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
            _fold([Piece(self.when(item), _STATUS_STYLES.get(item.status, "dim"))], self.widths[0]),
            _one(minutes, self.widths[1], "dim"),
            _fold([Piece(self.who(item), "bold")], self.widths[2], 2),
            _fold([_title(item)], self.widths[3]),
        ]
        if item.conflict:
            cells[3] += _fold([Piece(ONLY_COPY, "dim")], self.widths[3])
        if self.sheet.width < WIDE:
            cells[3] += _fold([_beneath(item, _reach(item))], self.widths[3])
            return cells
        kind = _one(clean(item.kind), self.widths[4], "dim")
        return [*cells, kind, _fold([Piece(_reach(item), "dim")], self.widths[5])]


# show ---------------------------------------------------------------------------------------------


def render_show_table(
    card: ClientCard,
    items: Sequence[Item],
    entries: Sequence[Entry],
    problems: Sequence[Problem],
    today: str,
    currency: str,
    width: int,
    color: bool,
    contacts: int = 10,
    progress: Sequence[Progress] = (),
) -> Iterator[str]:
    """``show``: who it is and how to reach them, next steps, progress, last contacts, problems.

    ``contacts`` is how many of these are shown, 0 for all.
    """
    sheet, now = _Sheet(width, color), _today(today)
    yield from map(sheet.draw, _flow(_card_heading(card, currency), sheet.width, GAP))
    yield from _draw_facts(sheet, _card_facts(card, now))
    yield from _draw_steps(sheet, items, now, _why_nothing(card))
    if progress:
        yield from _draw_progress(sheet, progress, now)
    newest = sorted(entries, key=lambda entry: (entry.day, entry.minute or 0), reverse=True)
    yield from _draw_contacts(sheet, newest, now, contacts)
    if problems:
        yield from _section(sheet, "Problems")
        yield from _draw_problems(sheet, problems)


def _section(sheet: _Sheet, title: str) -> Iterator[str]:
    yield "\n"
    yield sheet.draw([Piece(title, "bold")])


def _card_heading(card: ClientCard, currency: str) -> list[Piece]:
    role = f"{clean(card.role)}, " if card.role and card.company else clean(card.role)
    parts = [
        Piece(clean(card.name), "bold"),
        Piece(f"{role}{clean(card.company)}"),
        Piece(clean(card.stage)),
        Piece(f"owner {clean(' and '.join(card.owner))}" if card.owner else ""),
        Piece(format_money(card.value, currency)),
    ]
    return [part for part in parts if part.text.strip()]


def _card_facts(card: ClientCard, today: Today) -> Iterator[tuple[str, Piece]]:
    """What is known of a client, each with its word; what is not known is left out."""
    if card.do_not_contact:
        yield "withdrawn", Piece("do not contact", "red")
    if card.paused_until:
        end = "further notice" if card.paused_until == NO_END else today.name(card.paused_until)
        yield "paused until", Piece(end, "yellow")
    if card.stale:
        yield "stale", Piece("the note cannot be read now: this is its last good reading", "yellow")
    reach = " or ".join(card.contact_by)
    refused = f"not by {' or '.join(card.not_by)}" if card.not_by else ""
    texts = (
        ("reach by", ", ".join(part for part in (reach, refused) if part)),
        ("best time", card.best_time),
        ("phone", ", ".join(card.phone)),
        ("e-mail", ", ".join(card.email)),
        ("address", card.address),
        ("website", card.website),
        ("also called", ", ".join(card.aliases)),
    )
    yield from ((word, Piece(clean(text))) for word, text in texts if text)
    yield "last contact", _last_contact(card, today)
    if card.next_contact:
        yield "next contact", _next_contact(card.next_contact, today)
    yield "note", Piece(clean(card.path), "dim")


def _last_contact(card: ClientCard, today: Today) -> Piece:
    wanted = f", wanted every {format_count(card.wanted, 'day')}" if card.wanted else ""
    if not card.last_contact:
        return Piece(f"none yet{wanted}", "yellow" if wanted else "dim")
    last = f"{today.name(card.last_contact, near_words=False)}, {today.ago(card.last_contact)}{wanted}"
    return Piece(f"{last} ({format_drift(card.drift)})" if card.drift else last, _drift_style(card.drift))


def _next_contact(day: str, today: Today) -> Piece:
    """The day to come; what has been open for a while is for now."""
    if date.fromisoformat(day[:10]) >= today.day:
        return Piece(today.name(day))
    return Piece(f"now, open since {today.name(day)}", "yellow")


def format_drift(drift: float | None) -> str:
    """Lateness in intervals of the client's own: ``1.3× late``; ``in rhythm``; '' where none is wanted."""
    if drift is None:
        return ""
    if drift < 0.05:
        return "in rhythm"
    return f"{drift:.1f}× late" if drift < 100 else f"{drift:.0f}× late"


def _drift_style(drift: float | None) -> str:
    if drift is None or drift < 0.05:
        return ""
    return "red" if drift >= 1 else "yellow"


def _draw_facts(sheet: _Sheet, facts: Iterable[tuple[str, Piece]]) -> Iterator[str]:
    room = sheet.width - 12 - 2 * GAP
    for word, fact in facts:
        yield from sheet.draw_row([_one(word, 12, "dim"), _fold([fact], room)], [12, room])


def _why_nothing(card: ClientCard) -> str:
    if card.do_not_contact:
        return "none: they are not to be contacted"
    if card.paused_until == NO_END:
        return "none: paused until further notice"
    return "none: the note has no date to come and no rhythm (every)"


def _draw_steps(sheet: _Sheet, items: Sequence[Item], today: Today, nothing: str) -> Iterator[str]:
    yield from _section(sheet, "Next steps")
    if not items:
        yield from sheet.draw_text(nothing, "dim", indent=GAP)
    widths = _status_widths(sheet, items, today)
    widths.append(sheet.width - sum(widths) - 3 * GAP)
    for item in items:
        text = _fold([_title(item)], widths[2])
        text += _fold([_beneath(item, _window(item, today), _why(item))], widths[2], MORE_FOLDS)
        text += _questions(item, widths[2])
        text += _one(f"{clean(item.path)}:{item.line}", widths[2], "dim")
        yield from sheet.draw_row([*_status_cells(item, today, widths), text], widths)


def _window(item: Item, today: Today) -> str:
    """The days an item may be done on: ``from Tue 24 Nov to Thu 26 Nov``, as far as nothing beside it says so."""
    if item.due is None:
        return ""
    told = "; window close" in item.reason
    if told and format_when(item, today).startswith("from "):
        return ""
    due = today.name(item.due, near_words=False)
    if item.opens is None or item.opens[:10] == item.due[:10]:
        return "" if item.reason else f"on {due}"
    opens = f"from {today.name(item.opens, near_words=False)}"
    return opens if told else f"{opens} to {due}"


_PROGRESS_STYLES = {OVERDUE: "red", DUE: "yellow", "settled": "green"}


def _draw_progress(sheet: _Sheet, progress: Sequence[Progress], today: Today) -> Iterator[str]:
    """The steps plan by plan; of those that are open now the log line that would settle them."""
    for plan, steps in groupby(progress, key=lambda each: each.step.plan):
        shown = list(steps)
        yield from _section(sheet, f"Plan {clean(plan)}")
        widths = [
            _natural((each.status for each in shown), 3, 8),
            _natural((_progress_when(each, today) for each in shown), 5, sheet.side),
        ]
        widths.append(sheet.width - sum(widths) - 3 * GAP)
        times = Counter(each.step.name for each in shown)
        for each in shown:
            style = _PROGRESS_STYLES.get(each.status, "dim")
            text = _fold([Piece(clean(each.step.title)), Piece(f"#{clean(each.step.tag)}", "dim")], widths[2])
            told = describe_progress(each)
            if times[each.step.name] > 1 and each.reason not in told:  # of several sales: which one's
                told = f"{told}; {each.reason}"
            text += _fold([Piece(clean(told), "dim")], widths[2])
            settling = describe_settling(each) if each.status in (OVERDUE, DUE) else ""
            if settling:
                text += _fold([Piece("settled by: ", "dim"), Piece(clean(settling))], widths[2])
            when = _fold([Piece(_progress_when(each, today), style)], widths[1])
            yield from sheet.draw_row([_one(each.status, widths[0], style), when, text], widths)


def _progress_when(each: Progress, today: Today) -> str:
    if each.settled is not None:
        return today.short(each.settled.day.isoformat())
    if each.opens is None or each.closes is None:
        return "no date"
    opens, closes = today.short(each.opens.isoformat()), today.short(each.closes.isoformat())
    return opens if opens == closes else f"{opens} to {closes}"


def _draw_contacts(sheet: _Sheet, newest: Sequence[Entry], today: Today, contacts: int) -> Iterator[str]:
    yield from _section(sheet, "Last contacts")
    if not newest:
        yield from sheet.draw_text("none in the log", "dim", indent=GAP)
    shown = newest[: contacts or None]
    widths = [
        _natural((_entry_when(entry, today) for entry in shown), 9, sheet.side),
        _natural((_entry_how(entry) for entry in shown), 4, min(sheet.side, 24)),
    ]
    widths.append(sheet.width - sum(widths) - 3 * GAP)
    for entry in shown:
        ahead = entry.day > today.day
        tags = " ".join(f"#{clean(tag)}" for tag in entry.tags if f"#{tag}" not in entry.text.casefold())
        said = [Piece("(to come)", "green" if ahead else "")] if ahead else []
        said += [Piece(clean(entry.text)), Piece(tags, "dim")]
        cells: list[list[Line]] = [
            _fold([Piece(_entry_when(entry, today), "dim")], widths[0]),
            _fold([Piece(_entry_how(entry), "yellow" if entry.attempt else "")], widths[1], 2),
            _fold(said, widths[2], 6),
        ]
        yield from sheet.draw_row(cells, widths)
    if len(shown) < len(newest):
        yield from sheet.draw_text(f"… and {len(newest) - len(shown)} earlier", "dim", indent=GAP)
    tried = sum(1 for _ in _attempts(newest, today))
    if tried:
        yield from sheet.draw_text(
            f"tried {format_count(tried, 'time')} since the last contact", "yellow", indent=GAP
        )


def _attempts(newest: Iterable[Entry], today: Today) -> Iterator[Entry]:
    for entry in newest:
        if entry.day > today.day:
            continue
        if not entry.attempt:
            return
        yield entry


def _entry_when(entry: Entry, today: Today) -> str:
    time = "" if entry.minute is None else f" {entry.minute // 60:02}:{entry.minute % 60:02}"
    return f"{format_day(entry.day, today.day.year)}{time}"


def _entry_how(entry: Entry) -> str:
    return clean(", ".join(part for part in (entry.channel, entry.outcome) if part)) or "-"


# plans --------------------------------------------------------------------------------------------


def render_plans_table(plans: Plans, width: int, color: bool) -> Iterator[str]:
    """``plans``: a heading a plan, below it its steps with window, terms, questions and source."""
    sheet = _Sheet(width, color)
    names = _natural((clean(step.name) for plan in plans.plans for step in plan.steps), 8, sheet.side)
    widths = [names, sheet.width - names - 2 * GAP]
    for plan in plans.plans:
        heading = [
            Piece(clean(plan.name), "bold"),
            Piece(clean(plan.title)),
            Piece(describe_start(plan), "dim"),
        ]
        source = describe_source(plan.source, plan.line)
        heading = [part for part in (*heading, Piece(source, "dim")) if part.text]
        yield from map(sheet.draw, _flow(heading, sheet.width, GAP))
        for step in plan.steps:
            yield from sheet.draw_row([_one(clean(step.name), names), _step_text(step, widths[1])], widths)
        yield "\n"
    for off in plans.off:
        yield from sheet.draw_text(clean(describe_off(off)), "yellow", hang=GAP)
    count = sum(len(plan.steps) for plan in plans.plans)
    words = f"{format_count(len(plans.plans), 'plan')}, {format_count(count, 'step')}"
    yield from sheet.draw_text(f"{words}; to change them: plans in notesync.yaml, docs/method.md")


def _step_text(step: Step, width: int) -> list[Line]:
    by = f", by {step.channel}" if step.channel else ""
    text = _fold([Piece(clean(step.title))], width)
    text += _fold([Piece(f"{describe_window(step)} · {step.kind}{by}")], width)
    text += _fold([Piece(clean("; ".join(describe_terms(step))), "dim")], width)
    for question in step.ask:
        text += _fold([Piece(f"? {clean(question)}")], width)
    if step.line:
        text += _fold([Piece(describe_source(step.source, step.line), "yellow")], width)
    return text


# clients ------------------------------------------------------------------------------------------


class _Column(NamedTuple):
    """A column: its heading, how narrow and how wide it may be, and when it is left out (0: never)."""

    title: str
    least: int
    most: int
    dropped: int = 0


_CLIENT_COLUMNS = (
    _Column("client", 14, 40),
    _Column("company", 8, 36, dropped=1),
    _Column("stage", 8, 14, dropped=3),
    _Column("owner", 5, 24, dropped=2),
    _Column("last", 11, 11),
    _Column("next", 17, 17, dropped=4),
    _Column("drift", 9, 12),
)


def render_clients_table(
    cards: Sequence[ClientCard], today: str, width: int, color: bool, limit: int = 0
) -> Iterator[str]:
    """``clients``: a row each: stage, owner, last and next contact, drift; ``limit`` 0 shows all."""
    sheet, now = _Sheet(width, color), _today(today)
    rows = [_client_row(card, now) for card in cards[: limit or None]]
    columns = _share(sheet.width, rows)
    widths = list(columns.values())
    if rows:
        titles = [_one(_CLIENT_COLUMNS[place].title, wide, "dim") for place, wide in columns.items()]
        yield from sheet.draw_row(titles, widths, 0)
    for row in rows:
        cells = [_one(row[place].text, wide, row[place].style) for place, wide in columns.items()]
        yield from sheet.draw_row(cells, widths, 0)
    if len(rows) < len(cards):
        more = format_count(len(cards) - len(rows), "more client")
        yield from sheet.draw_text(f"… and {more} (--limit 0 shows all)", "dim", hang=GAP)
    if rows:
        yield "\n"
    yield from sheet.draw_text(_clients_total(cards))


def _client_row(card: ClientCard, today: Today) -> list[Piece]:
    """The pieces in the order of the columns; drift gives way to what explains why nobody calls."""
    drift = Piece(format_drift(card.drift), _drift_style(card.drift) or "dim")
    if card.paused_until:
        drift = Piece("paused", "yellow")
    if card.do_not_contact:
        drift = Piece("withdrawn", "dim")
    name = clean(card.name).strip() or clean(card.path)
    return [
        Piece(name, "dim" if card.do_not_contact else "bold"),
        Piece(clean(card.company)),
        Piece(clean(card.stage)),
        Piece(clean(", ".join(card.owner))),
        Piece(today.short(card.last_contact), "") if card.last_contact else Piece("none", "dim"),
        Piece(_next_words(card, today)),
        drift,
    ]


def _next_day(card: ClientCard) -> str | None:
    """When there is something to do again; None for never or not known."""
    if card.paused_until == NO_END:
        return None
    return card.paused_until or card.next_contact


def _next_words(card: ClientCard, today: Today) -> str:
    day = _next_day(card)
    is_open = day is not None and date.fromisoformat(day[:10]) < today.day
    return "now" if is_open else today.short(day)


def _share(width: int, rows: Sequence[Line]) -> dict[int, int]:
    """Which columns are shown (by place) and how wide; the widest gives way until all fit."""
    least, widths = {}, {}
    for place, column in enumerate(_CLIENT_COLUMNS):
        if any(row[place].text for row in rows):
            widths[place] = _natural((row[place].text for row in rows), len(column.title), column.most)
            least[place] = min(column.least, widths[place])
    for place in sorted(least, key=lambda place: _CLIENT_COLUMNS[place].dropped):
        if _CLIENT_COLUMNS[place].dropped and sum(least.values()) + GAP * (len(least) - 1) > width:
            del least[place], widths[place]
    while sum(widths.values()) + GAP * (len(widths) - 1) > width:
        widest = max(widths, key=lambda place: widths[place] - least[place])
        widths[widest] -= 1
    return widths


def _clients_total(cards: Sequence[ClientCard]) -> str:
    behind = sum(
        1 for card in cards if _drift_style(card.drift) and not card.paused_until and not card.do_not_contact
    )
    text = format_count(len(cards), "client")
    return f"{text}, {behind} behind their own rhythm (1.0× late: a whole interval)" if behind else text


# doctor -------------------------------------------------------------------------------------------


def render_problems_table(
    problems: Sequence[Problem], health: Sequence[Health], width: int, color: bool
) -> Iterator[str]:
    """``doctor``: the problems by file, each with its place and what to do; then the health of the rest."""
    sheet = _Sheet(width, color)
    for path, found in groupby(problems, key=lambda problem: problem.path):
        yield sheet.draw([Piece(_cut(clean(path), sheet.width), "bold")])
        yield from _draw_problems(sheet, list(found))
        yield "\n"
    yield from sheet.draw_text(_problems_total(problems), "" if problems else "green")
    if health:
        yield from _section(sheet, "Health")
        yield from _draw_health(sheet, health)


def _draw_problems(sheet: _Sheet, problems: Iterable[Problem]) -> Iterator[str]:
    """The place is never cut or folded: terminals make it a link."""
    for problem in problems:
        place = f"{clean(problem.path)}:{problem.line}:{problem.column}"
        style = "red" if problem.severity == "error" else "yellow"
        yield sheet.draw(
            [
                Piece(f"  {place}  "),
                Piece(clean(problem.severity), style),
                Piece(f" {clean(problem.code)}", "dim"),
            ]
        )
        yield from sheet.draw_text(clean(problem.message), indent=4)
        if problem.hint:
            yield from sheet.draw_text(f"→ {clean(problem.hint)}", "green", indent=4, hang=2)


def _problems_total(problems: Sequence[Problem]) -> str:
    if not problems:
        return "No problems in the notes or the settings."
    errors = sum(1 for problem in problems if problem.severity == "error")
    kinds = [(errors, "error"), (len(problems) - errors, "warning")]
    counts = " and ".join(format_count(count, noun) for count, noun in kinds if count)
    return f"{counts} in {format_count(len({problem.path for problem in problems}), 'file')}"


def _draw_health(sheet: _Sheet, health: Sequence[Health]) -> Iterator[str]:
    subject = _natural((clean(part.subject) for part in health), 4, 20)
    room = sheet.width - 4 - subject - 3 * GAP
    for part in health:
        lines = _fold([Piece(clean(part.message))], room, 9)
        if part.hint:
            lines += _fold([Piece(f"→ {clean(part.hint)}", "green")], room, 9)
        word = _one("ok", 4, "green") if part.ok else _one("warn", 4, "yellow")
        yield from sheet.draw_row([word, _one(clean(part.subject), subject), lines], [4, subject, room])
