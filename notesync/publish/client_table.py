"""Clients in, what a person reads of them on a terminal out: one of them in full, or a row each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.agenda import DUE, OVERDUE
from notesync.followup.dates import format_day
from notesync.followup.items import NO_END
from notesync.publish.agenda_table import (
    Today,
    build_beneath,
    build_status,
    build_title,
    fold_questions,
    format_reason,
    format_when,
    measure_status,
    read_today,
)
from notesync.publish.method import describe_progress
from notesync.publish.problems_table import draw_problems
from notesync.publish.sheet import GAP, MORE_FOLDS, Line, Piece, Sheet, fit_width, flow, fold, one_line
from notesync.publish.text import clean, format_count, format_money

if TYPE_CHECKING:
    from notesync.followup.items import ClientCard, Item
    from notesync.followup.steps import Progress
    from notesync.notes.body import Entry
    from notesync.problems import Problem


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
    sheet, now = Sheet(width, color), read_today(today)
    yield from map(sheet.draw, flow(_card_heading(card, currency), sheet.width, GAP))
    yield from _draw_facts(sheet, _card_facts(card, now))
    yield from _draw_steps(sheet, items, now, _why_nothing(card))
    if progress:
        yield from _draw_progress(sheet, progress, now)
    newest = sorted(entries, key=lambda entry: (entry.day, entry.minute or 0), reverse=True)
    yield from _draw_contacts(sheet, newest, now, contacts)
    if problems:
        yield from sheet.draw_section("Problems")
        yield from draw_problems(sheet, problems)


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


def _draw_facts(sheet: Sheet, facts: Iterable[tuple[str, Piece]]) -> Iterator[str]:
    room = sheet.width - 12 - 2 * GAP
    for word, fact in facts:
        yield from sheet.draw_row([one_line(word, 12, "dim"), fold([fact], room)], [12, room])


def _why_nothing(card: ClientCard) -> str:
    if card.do_not_contact:
        return "none: they are not to be contacted"
    if card.paused_until == NO_END:
        return "none: paused until further notice"
    return "none: the note has no date to come and no rhythm (every)"


def _draw_steps(sheet: Sheet, items: Sequence[Item], today: Today, nothing: str) -> Iterator[str]:
    yield from sheet.draw_section("Next steps")
    if not items:
        yield from sheet.draw_text(nothing, "dim", indent=GAP)
    widths = measure_status(sheet, items, today)
    widths.append(sheet.width - sum(widths) - 3 * GAP)
    for item in items:
        text = fold([build_title(item)], widths[2])
        text += fold([build_beneath(item, _window(item, today), format_reason(item))], widths[2], MORE_FOLDS)
        text += fold_questions(item, widths[2])
        text += one_line(f"{clean(item.path)}:{item.line}", widths[2], "dim")
        yield from sheet.draw_row([*build_status(item, today, widths), text], widths)


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


def _draw_progress(sheet: Sheet, progress: Sequence[Progress], today: Today) -> Iterator[str]:
    """The steps plan by plan; of those that are open now the log line that would settle them."""
    for plan, steps in groupby(progress, key=lambda each: each.step.plan):
        shown = list(steps)
        yield from sheet.draw_section(f"Plan {clean(plan)}")
        widths = [
            fit_width((each.status for each in shown), 3, 8),
            fit_width((_progress_when(each, today) for each in shown), 5, sheet.side),
        ]
        widths.append(sheet.width - sum(widths) - 3 * GAP)
        times = Counter(each.step.name for each in shown)
        for each in shown:
            style = _PROGRESS_STYLES.get(each.status, "dim")
            text = fold([Piece(clean(each.step.title)), Piece(f"#{clean(each.step.tag)}", "dim")], widths[2])
            told = describe_progress(each)
            if times[each.step.name] > 1 and each.reason not in told:  # of several sales: which one's
                told = f"{told}; {each.reason}"
            text += fold([Piece(clean(told), "dim")], widths[2])
            if each.status in (OVERDUE, DUE):
                text += fold([Piece("settled by: ", "dim"), Piece(clean(each.log_line))], widths[2])
            when = fold([Piece(_progress_when(each, today), style)], widths[1])
            yield from sheet.draw_row([one_line(each.status, widths[0], style), when, text], widths)


def _progress_when(each: Progress, today: Today) -> str:
    if each.settled is not None:
        return today.short(each.settled.day.isoformat())
    if each.opens is None or each.closes is None:
        return "no date"
    opens, closes = today.short(each.opens.isoformat()), today.short(each.closes.isoformat())
    return opens if opens == closes else f"{opens} to {closes}"


def _draw_contacts(sheet: Sheet, newest: Sequence[Entry], today: Today, contacts: int) -> Iterator[str]:
    yield from sheet.draw_section("Last contacts")
    if not newest:
        yield from sheet.draw_text("none in the log", "dim", indent=GAP)
    shown = newest[: contacts or None]
    widths = [
        fit_width((_entry_when(entry, today) for entry in shown), 9, sheet.side),
        fit_width((_entry_how(entry) for entry in shown), 4, min(sheet.side, 24)),
    ]
    widths.append(sheet.width - sum(widths) - 3 * GAP)
    for entry in shown:
        ahead = entry.day > today.day
        tags = " ".join(f"#{clean(tag)}" for tag in entry.tags if f"#{tag}" not in entry.text.casefold())
        said = [Piece("(to come)", "green" if ahead else "")] if ahead else []
        said += [Piece(clean(entry.text)), Piece(tags, "dim")]
        cells: list[list[Line]] = [
            fold([Piece(_entry_when(entry, today), "dim")], widths[0]),
            fold([Piece(_entry_how(entry), "yellow" if entry.attempt else "")], widths[1], 2),
            fold(said, widths[2], 6),
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
    sheet, now = Sheet(width, color), read_today(today)
    rows = [_client_row(card, now) for card in cards[: limit or None]]
    columns = _share(sheet.width, rows)
    widths = list(columns.values())
    if rows:
        titles = [one_line(_CLIENT_COLUMNS[place].title, wide, "dim") for place, wide in columns.items()]
        yield from sheet.draw_row(titles, widths, 0)
    for row in rows:
        cells = [one_line(row[place].text, wide, row[place].style) for place, wide in columns.items()]
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
            widths[place] = fit_width((row[place].text for row in rows), len(column.title), column.most)
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
