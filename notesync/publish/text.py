"""Follow-ups, clients and problems in, plain text out: lines, JSON, CSV, Markdown, first-run messages.

Every ``render_`` function is pure and yields whole lines, each with its newline; the command line
writes them.  Nothing of a note leaves here raw: see :func:`clean`.  What a terminal gets is drawn on
``publish/sheet``.  This module is on the way of every ``check``, so it imports next to nothing; it must not
know the disk, the clock, colours or widths.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from notesync.followup.agenda import OVERDUE
from notesync.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from notesync.followup.agenda import Totals
    from notesync.followup.items import Agenda, ClientCard, DayPlan, Item
    from notesync.followup.steps import Progress
    from notesync.notes.body import Entry

FORMAT_VERSION = 1


class Health(NamedTuple):
    """How one part of the installation is: what it is called, whether all is well, and what to do if not."""

    subject: str
    ok: bool
    message: str
    hint: str = ""


# What a terminal must not get from a note -------------------------------------------------------


class _Cleaning(dict[int, str | int]):
    """Code point to what is shown instead, worked out when a character is first met."""

    def __missing__(self, code: int) -> str | int:
        self[code] = shown = _show(code)
        return shown


_BLANKS = frozenset((*range(0x09, 0x0E), 0x85, 0x2028, 0x2029))
_INVISIBLE = frozenset(
    (
        *(0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0xFEFF),
        *range(0x202A, 0x202D),  # embeddings and their end: pasted phone numbers have them
        *range(0x2060, 0x2070),  # joiners, isolates, deprecated format characters
        *range(0xFFF9, 0xFFFC),
    )
)
_OVERRIDES = frozenset((0x202D, 0x202E))


def _show(code: int) -> str | int:
    if code in _BLANKS:
        return " "
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: a byte that was no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF or code in _OVERRIDES:
        return f"\\u{code:04x}"
    if code in _INVISIBLE or 0xE0000 <= code <= 0xE0FFF:
        return ""
    return code


_cleaning = _Cleaning()


def clean(text: str) -> str:
    """The text as one line that is safe on a terminal and encodable as UTF-8.

    Line ends of every kind and tabs become a blank; other control characters, bytes that were not
    UTF-8 and bidirectional overrides become visible escapes (``\\x1b``); characters that cannot be seen and only
    arrange or hide (bidirectional embeddings, isolates and marks, zero-width blanks, soft hyphens, tags) are left out,
    so that the text falls back into its natural order.  Joiners stay: emoji and scripts need them.
    """
    if text.isprintable():
        return text
    return text.replace("\r\n", "\n").translate(_cleaning)


# Words and numbers ------------------------------------------------------------------------------


def format_number(value: float) -> str:
    """``1 240 000``, with two decimals where they say something."""
    whole = f"{value:,.2f}".replace(",", " ")
    return whole[:-3] if whole.endswith(".00") else whole


def format_money(value: float | None, currency: str) -> str:
    """``120 000 ZAR``; nothing for no value."""
    if value is None:
        return ""
    return f"{format_number(value)} {clean(currency)}".rstrip()


def format_minutes(minutes: int) -> str:
    """``45 min``, ``1 h 45``, ``2 h``."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest:02}" if rest else f"{hours} h"


def format_count(count: int, noun: str) -> str:
    """``1 client``, ``12 clients``, ``1 200 clients``."""
    return f"{format_number(count)} {noun}{'' if count == 1 else 's'}"


_BY_PHONE = ("call", "message")


def format_reach(person: Item | ClientCard, channel: str = "") -> str:
    """How to reach a client in one phrase: ``call or message 071 234 5670, not by email``.

    ``channel`` is what the follow-up asks for; the channels the client wishes come first without it.
    """
    wished = [channel] if channel and channel not in person.not_by else list(person.contact_by)
    phone, email = ", ".join(person.phone), ", ".join(person.email)
    joint = " "
    if "email" in wished and not any(word in _BY_PHONE for word in wished):
        address = email
    else:  # a visit is arranged by phone
        address = phone or email
        joint = " " if not wished or any(word in _BY_PHONE for word in wished) else ", "
    reach = joint.join(part for part in (" or ".join(wished), address) if part)
    refused = f"not by {' or '.join(person.not_by)}" if person.not_by else ""
    return clean(", ".join(part for part in (reach, refused) if part))


# Lines ------------------------------------------------------------------------------------------


ONLY_COPY = "only in a conflict copy"


def line_parts(
    path: str, line: int, client: str, title: str, kind: str, conflict: object = False
) -> tuple[str, str]:
    """What comes before and after the status of a ``lines`` line, neither of which depends on today.

    The line is ``head + status + " " + (due or "-") + tail``, without a newline.  Of what only a ``conflict`` copy
    asks for the title says so.
    """
    if conflict:
        title = f"{title} ({ONLY_COPY})"
    return clean(f"{path}:{line}: "), clean(f" {client} — {title} [{kind}]")


def _line(item: Item) -> str:
    head, tail = line_parts(item.path, item.line, item.client, item.title, item.kind, item.conflict)
    return f"{head}{item.status} {item.due or '-'}{tail}"


def render_lines(items: Iterable[Item]) -> Iterator[str]:
    """``path:line: status due client — title [kind]`` for each; ``-`` stands for no date."""
    for item in items:
        yield f"{_line(item)}\n"


def render_totals(totals: Totals, upcoming: bool = False) -> str:
    """One line, without its newline: ``14 overdue and 3 due today at 12 clients · 1 240 000 ZAR at risk``.

    ``clients`` are those with something overdue or due; ``upcoming`` adds how much is to come, and what is missed
    stands at the end.
    """
    counts = []
    if totals.overdue:
        counts.append(f"{format_number(totals.overdue)} overdue")
    if totals.due:
        counts.append(f"{format_number(totals.due)} due today")
    text = "Nothing overdue, nothing due today"
    if counts:
        text = f"{' and '.join(counts)} at {format_count(totals.clients, 'client')}"
    if upcoming:
        text += f", {format_number(totals.upcoming)} upcoming"
    if totals.value_at_risk:
        text += f" · {format_money(totals.value_at_risk, totals.currency)} at risk"
    if totals.missed:
        text += f" · {format_number(totals.missed)} missed"
    return text


def render_days_lines(days: Iterable[DayPlan], left_over: Iterable[Item]) -> Iterator[str]:
    """The lines of :func:`render_lines`, each with the day it is planned for at its end."""
    for plan in days:
        for item in (*plan.items, *plan.overdue):
            yield f"{_line(item)} on {plan.day.isoformat()}\n"
    for item in left_over:
        yield f"{_line(item)} does not fit\n"


def render_clients_lines(cards: Iterable[ClientCard]) -> Iterator[str]:
    """``path:1: stage last next drift name — company [owner]``; ``-`` stands for what is not known."""
    for card in cards:
        drift = "-" if card.drift is None else f"{card.drift:.1f}"
        known = f"{card.stage or '-'} {card.last_contact or '-'} {card.next_contact or '-'} {drift}"
        company = f" — {card.company}" if card.company else ""
        owner = f" [{', '.join(card.owner)}]" if card.owner else ""
        yield clean(f"{card.path}:1: {known} {card.name}{company}{owner}") + "\n"


def render_show_lines(
    card: ClientCard, items: Iterable[Item], entries: Iterable[Entry], today: str
) -> Iterator[str]:
    """The client's line, those of the follow-ups, and ``path:line: logged day channel text`` for each log entry.

    One of a day to come is an ``appointment``.
    """
    yield from render_clients_lines([card])
    yield from render_lines(items)
    for entry in entries:
        done = "attempt" if entry.attempt else "logged"
        word = done if entry.day.isoformat() <= today else "appointment"
        outcome = f" ({entry.outcome})" if entry.outcome else ""
        said = f"{entry.channel or '-'}{outcome} {entry.text}".rstrip()
        yield clean(f"{entry.path or card.path}:{entry.line}: {word} {_entry_time(entry)} {said}") + "\n"


def _entry_time(entry: Entry) -> str:
    day = entry.day.isoformat()
    return day if entry.minute is None else f"{day}T{entry.minute // 60:02}:{entry.minute % 60:02}"


def render_problems_lines(problems: Iterable[Problem]) -> Iterator[str]:
    """``path:line:column: severity code: message hint`` for each."""
    for problem in problems:
        where = f"{problem.path}:{problem.line}:{problem.column}"
        words = f"{problem.message} {problem.hint}".rstrip()
        yield clean(f"{where}: {problem.severity} {problem.code}: {words}") + "\n"


def render_health_lines(health: Iterable[Health]) -> Iterator[str]:
    """``ok subject: message`` or ``warn subject: message hint`` for each."""
    for part in health:
        words = f"{part.message} {part.hint}".rstrip()
        yield clean(f"{'ok' if part.ok else 'warn'} {part.subject}: {words}") + "\n"


# JSON -------------------------------------------------------------------------------------------


class _Escaping(dict[int, str | int]):
    """Code point to its JSON escape where :func:`clean` would not let it through; lone surrogates as clean has them.

    Escaped surrogates would be JSON by the letter, but half of the parsers refuse the whole text for one.
    """

    def __missing__(self, code: int) -> str | int:
        shown = _cleaning[code]
        if 0xD800 <= code <= 0xDFFF:
            shown = f"\\{shown}"
        elif shown != code and code > 0x7E:
            units = chr(code).encode("utf-16-be").hex()
            shown = "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
        self[code] = shown if code > 0x7E else code
        return self[code]


_escaping = _Escaping()


def render_object(members: Sequence[tuple[str, object]]) -> Iterator[str]:
    """One JSON object, a member a line; of a list or an iterator, an item a line (grep and diff can read it)."""
    import json

    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

    def write(value: object) -> str:
        text = encode(value)
        return text if text.isprintable() else text.translate(_escaping)

    for place, (key, value) in enumerate(members):
        start = f'{" " if place else "{"}"{key}": '
        comma = "," if place < len(members) - 1 else ""
        if isinstance(value, Iterator):
            yield from _render_list(start, value, comma, write)
        else:
            yield f"{start}{write(value)}{comma}\n"
    yield "}\n"


def _render_list(
    start: str, values: Iterator[object], comma: str, write: Callable[[object], str]
) -> Iterator[str]:
    waiting = ""
    for value in values:
        yield f"{waiting},\n" if waiting else f"{start}[\n"
        waiting = f"  {write(value)}"
    if waiting:
        yield f"{waiting}\n"
        yield f" ]{comma}\n"
    else:
        yield f"{start}[]{comma}\n"


def _number(value: float | None) -> float | int | None:
    """A number that JSON has, whole where it is whole."""
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return None
    return int(value) if value == int(value) else value


def _item_object(item: Item) -> dict[str, object]:
    from notesync.followup.items import ITEM_FIELDS

    found: dict[str, object] = dict(zip(ITEM_FIELDS, item, strict=False))
    found["value"] = _number(item.value)
    return found


def _card_object(card: ClientCard) -> dict[str, object]:
    return card._asdict() | {"value": _number(card.value), "drift": _number(card.drift)}


def _entry_object(entry: Entry, path: str) -> dict[str, object]:
    return {
        "path": entry.path or path,
        "line": entry.line,
        "date": _entry_time(entry),
        "channel": entry.channel,
        "attempt": entry.attempt,
        "outcome": entry.outcome,
        "text": entry.text,
        "tags": entry.tags,
    }


def _totals_object(totals: Totals) -> dict[str, object]:
    return totals._asdict() | {"value_at_risk": _number(totals.value_at_risk)}


def _problem_objects(problems: Iterable[Problem]) -> Iterator[object]:
    return (problem._asdict() for problem in problems)


def _opening(vault: str, today: str) -> list[tuple[str, object]]:
    return [("format_version", FORMAT_VERSION), ("vault", vault), ("today", today)]


def render_json(agenda: Agenda, vault: str) -> Iterator[str]:
    """``check`` as one object (CLI.md)."""
    return render_object(
        [
            *_opening(vault, agenda.today),
            ("totals", _totals_object(agenda.totals)),
            ("items", map(_item_object, agenda.items)),
            ("problems", _problem_objects(agenda.problems)),
        ]
    )


def render_days_json(
    days: Iterable[DayPlan],
    left_over: Iterable[Item],
    totals: Totals,
    problems: Iterable[Problem],
    vault: str,
    today: str,
) -> Iterator[str]:
    """``agenda`` as one object: ``check``'s, with ``days`` and ``left_over`` in place of ``items``."""
    planned = (
        {
            "day": plan.day.isoformat(),
            "minutes": plan.minutes,
            "capacity": plan.capacity,
            "items": [_item_object(item) for item in plan.items],
            "overdue": [_item_object(item) for item in plan.overdue],
        }
        for plan in days
    )
    return render_object(
        [
            *_opening(vault, today),
            ("totals", _totals_object(totals)),
            ("days", planned),
            ("left_over", map(_item_object, left_over)),
            ("problems", _problem_objects(problems)),
        ]
    )


def render_clients_json(cards: Iterable[ClientCard], vault: str, today: str) -> Iterator[str]:
    """``clients`` as one object; ``clients`` holds a card each."""
    return render_object([*_opening(vault, today), ("clients", map(_card_object, cards))])


def render_show_json(
    card: ClientCard,
    items: Iterable[Item],
    entries: Iterable[Entry],
    problems: Iterable[Problem],
    vault: str,
    today: str,
    progress: Iterable[Progress] = (),
) -> Iterator[str]:
    """``show`` as one object: ``client``, ``items``, ``log``, ``problems``, ``plan``."""
    from notesync.publish.method import progress_object

    return render_object(
        [
            *_opening(vault, today),
            ("client", _card_object(card)),
            ("items", map(_item_object, items)),
            ("log", (_entry_object(entry, card.path) for entry in entries)),
            ("problems", _problem_objects(problems)),
            ("plan", map(progress_object, progress)),
        ]
    )


def render_problems_json(problems: Iterable[Problem], health: Iterable[Health], vault: str) -> Iterator[str]:
    """``doctor`` as one object: ``problems`` and ``health``."""
    return render_object(
        [
            ("format_version", FORMAT_VERSION),
            ("vault", vault),
            ("problems", _problem_objects(problems)),
            ("health", (part._asdict() for part in health)),
        ]
    )


# CSV --------------------------------------------------------------------------------------------

_NUMBERLIKE = frozenset("0123456789 +-().,;/\u00a0")
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def _cell(value: object) -> str:
    """A value as a CSV cell: cleaned, lists joined by ``; ``, and nothing that a spreadsheet would calculate.

    A text that begins like a formula gets an apostrophe before it (as OWASP advises), unless it holds only digits
    and what telephone numbers are written with: ``+27 71 234 5670`` and ``-5`` stay as they are.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        number = _number(value)
        return "" if number is None else str(number)
    return guard_formula(clean("; ".join(value) if isinstance(value, tuple) else str(value)))


def guard_formula(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would calculate it."""
    if text.lstrip().startswith(_FORMULA_STARTS) and not _NUMBERLIKE.issuperset(text):
        return f"'{text}"
    return text


class LineWriter:
    """What csv.writer writes to: it hands each row back."""

    def write(self, line: str) -> str:
        return line


def render_rows(header: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """RFC 4180: CRLF, quotes only where needed, a header, UTF-8 without a byte-order mark."""
    import csv

    write = csv.writer(LineWriter()).writerow
    yield str(write(header))
    for row in rows:
        yield str(write(map(_cell, row)))


def render_csv(items: Iterable[Item]) -> Iterator[str]:
    """The items, with the columns that their JSON has."""
    from notesync.followup.items import ITEM_FIELDS

    return render_rows(ITEM_FIELDS, (item[: len(ITEM_FIELDS)] for item in items))


def render_days_csv(days: Iterable[DayPlan], left_over: Iterable[Item]) -> Iterator[str]:
    """The items with the day each is planned for in the first column; empty for what does not fit."""
    from notesync.followup.items import ITEM_FIELDS

    planned = ((plan.day, item) for plan in days for item in (*plan.items, *plan.overdue))
    rows: list[tuple[object, Item]] = [*planned, *((None, item) for item in left_over)]
    return render_rows(("day", *ITEM_FIELDS), ((day, *item[: len(ITEM_FIELDS)]) for day, item in rows))


def render_clients_csv(cards: Iterable[ClientCard]) -> Iterator[str]:
    """A card a row, with the columns that its JSON has."""
    from notesync.followup.items import ClientCard

    return render_rows(ClientCard._fields, cards)


def render_show_csv(items: Iterable[Item]) -> Iterator[str]:
    """One client's follow-ups: the rows of :func:`render_csv`."""
    return render_csv(items)


def render_problems_csv(problems: Iterable[Problem]) -> Iterator[str]:
    """A problem a row, with the columns that its JSON has."""
    return render_rows(Problem._fields, problems)


# Markdown ---------------------------------------------------------------------------------------

_MARKDOWN = {ord(sign): f"\\{sign}" for sign in "\\`*_[]<>#|~=$^"}
_MARKDOWN_TARGET = {ord(sign): f"%{ord(sign):02X}" for sign in "%<>\\#?"}


def escape_markdown(text: str) -> str:
    """The text as Markdown that shows it: no link, tag, field, comment or HTML comes of a note's words."""
    return clean(text).translate(_MARKDOWN).replace("%%", "%\\%")


def link_markdown(words: str, path: str) -> str:
    """A link to a note of the vault that says these words."""
    return f"[{escape_markdown(words)}](<{clean(path).translate(_MARKDOWN_TARGET)}>)"


def _markdown_item(item: Item, day: date | None = None) -> str:
    """A list item; ``day`` is the one it stands under, which needs no repeating."""
    when = ""
    if item.status == OVERDUE:
        late = f"{format_count(item.days_late, 'day')} late" if item.days_late else "overdue today"
        when = f"**{late}** "
    elif item.due and len(item.due) > 10:
        when = f"{item.due[11:16]} "
    link = link_markdown(item.client, item.client_path)
    company = f", {escape_markdown(item.company)}" if item.company else ""
    best = f"best {item.best_time}" if item.best_time else ""
    until = _until(item, day)
    only = ONLY_COPY if item.conflict else ""
    details = (item.kind, until, format_minutes(item.minutes), format_reach(item, item.channel), best, only)
    shown = escape_markdown("; ".join(part for part in details if part))
    return f"- {when}{link}{company}: {escape_markdown(item.title).strip()} ({shown})\n"


def _until(item: Item, day: date | None) -> str:
    from notesync.followup.dates import format_day

    if item.status == OVERDUE or day is None or not item.due or item.due[:10] == day.isoformat():
        return ""
    return f"until {format_day(date.fromisoformat(item.due[:10]), day.year)}"


def render_days_markdown(days: Sequence[DayPlan], left_over: Sequence[Item], today: str) -> Iterator[str]:
    """The agenda as Markdown, a heading a day; its list items are no tasks, so a vault can hold it."""
    from notesync.followup.dates import format_day

    year = int(today[:4])
    yield "# Agenda\n"
    for plan in days:
        yield from ("\n", f"## {format_day(plan.day, year)}: {format_load(plan)}\n", "\n")
        yield from (_markdown_item(item, plan.day) for item in (*plan.items, *plan.overdue))
        if not plan.items and not plan.overdue:
            yield "Nothing planned.\n"
    if left_over:
        minutes = format_minutes(sum(item.minutes for item in left_over))
        yield from ("\n", f"## Does not fit: {minutes}\n", "\n")
        yield from map(_markdown_item, left_over)


NOTE_START = "---\ngenerated: notesync\n"
_SEAL_START = "\n<!-- notesync "


def render_agenda_note(
    days: Sequence[DayPlan], left_over: Sequence[Item], found: Agenda, vault_id: str
) -> Iterator[str]:
    """The agenda as a note of its own: marked as ours, so that it is never read as a client's.

    Its last line, which no program shows, seals it: a copy in which a person has written is told from one
    that holds nothing but what we wrote.
    """
    lines = list(_render_agenda_note(days, left_over, found))
    yield from lines
    yield _build_seal("".join(lines).encode("utf-8"), vault_id)


def is_agenda_note(data: bytes, vault_id: str) -> bool:
    """Whether these bytes are an agenda's note of this vault as we wrote it."""
    text = data.rpartition(_SEAL_START.encode())[0]
    return text.startswith(NOTE_START.encode()) and data == text + _build_seal(text, vault_id).encode()


def _build_seal(text: bytes, vault_id: str) -> str:
    from hashlib import sha256

    digest = sha256(vault_id.encode("utf-8", "surrogatepass") + b"\0" + text).hexdigest()[:16]
    return f"{_SEAL_START}{digest} -->\n"


def _render_agenda_note(days: Sequence[DayPlan], left_over: Sequence[Item], found: Agenda) -> Iterator[str]:
    yield NOTE_START
    yield "---\n"
    yield "notesync writes this note anew from your client notes: change those, not this.\n\n"
    yield f"As of {found.today}: {escape_markdown(render_totals(found.totals))}.\n\n"
    yield from render_days_markdown(days, left_over, found.today)


def format_load(plan: DayPlan) -> str:
    """What a day holds: ``3 h, 45 min of it overdue work``; ``day off`` where it is none to work on."""
    if not plan.minutes:
        return "nothing planned" if plan.capacity else "day off"
    load = format_part(plan.minutes, plan.late_minutes)
    return load if plan.capacity else f"day off, {load}"


def format_part(minutes: int, late: int) -> str:
    """``3 h, 45 min of it overdue work``; where it is all of it, ``45 min of overdue work``."""
    total = format_minutes(minutes)
    if late == minutes:
        return f"{total} of overdue work" if late else total
    return f"{total}, {format_minutes(late)} of it overdue work" if late else total


# The first run ----------------------------------------------------------------------------------

_EXAMPLE_NOTE = """\
    ---
    type: client
    phone: 071 234 5670
    every: 2 weeks
    ---
"""


def quote_path(path: str) -> str:
    """The path as it can be pasted into a shell: in quotes only where some shell would read it otherwise."""
    shown = clean(path)
    if all(sign.isalnum() or sign in "-_./\\:+,@" for sign in shown):
        return shown
    if not any(sign in shown for sign in '"$`!'):
        return f'"{shown}"'
    return "'" + shown.replace("'", "'\\''") + "'"


def render_empty_vault(folder: str) -> Iterator[str]:
    """What to do in a folder without notes."""
    yield from f"""\
There are no notes in {clean(folder)} yet.

To look around first, fill the folder with the notes of a small business:
    notesync init --example {quote_path(folder)}
To begin with a client of your own:
    notesync new "Their Name" --vault {quote_path(folder)}
or save a text like this as a file named after them, ending in .md:

{_EXAMPLE_NOTE}
Then: notesync check --vault {quote_path(folder)}
""".splitlines(keepends=True)


def render_no_clients(folder: str, notes: int, hints: Sequence[str] = ()) -> Iterator[str]:
    """What to do in a folder with notes of which none is a client's; ``hints`` are notes that look like one."""
    yield from f"""\
{format_count(notes, "note")} in {clean(folder)}, and none is a client note.

A client note begins with lines like these; type: client, or a date or rhythm to keep, is enough
('notesync new NAME' makes one):

{_EXAMPLE_NOTE}
""".splitlines(keepends=True)
    if hints:
        yield "These look as if they could be clients:\n"
        yield from (f"    {clean(hint)}\n" for hint in hints)
        yield "\n"
    yield "Your notes say type: person, or have other names for the keys? Name them in notesync.yaml\n"
    yield f"(client_types, fields). Then: notesync check --vault {quote_path(folder)}\n"


def render_foreign_vault(folder: str, notes: int, app: str = "Obsidian") -> Iterator[str]:
    """What to do in a vault that is in use for something else."""
    yield from f"""\
{clean(folder)} is in use with {clean(app)}: {format_count(notes, "note")}, none of them a client note.
Nothing was changed, and notesync never writes into a note unless a command says so.

To try it here, add this to the properties of one client's note:

{_EXAMPLE_NOTE}
Then: notesync check --vault {quote_path(folder)}
To stay: notesync init {quote_path(folder)}  writes the settings, notesync.yaml; it overwrites nothing.
All clients are in one of its folders? Give that one instead.
""".splitlines(keepends=True)
