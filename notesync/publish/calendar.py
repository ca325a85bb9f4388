"""Follow-ups in, iCalendar bytes out: single events and to-dos, the digest, the calendar around them.

The bytes depend on the notes, the settings and the day asked for, never on a clock or on an earlier
run: two machines that share a vault write the same file.  icalendar's value types encode the values;
the text is cleaned before them and the lines are folded after them, because both need more care than
the library takes.  Events are made by the batch: what is alike for a client or a day is made once, and one call
encodes the texts of all.  Their bytes are kept by the caller, so a calendar is a join.

This module knows nothing of the disk, of what is overdue now, or of which events belong in the
calendar: the caller chooses them and gives them in order.  icalendar is imported when the first value
is encoded, so that a UID costs no more than a hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from unicodedata import normalize

from notesync.followup.dates import format_day

if TYPE_CHECKING:
    from notesync.followup.card import Card
    from notesync.followup.follow_up import FollowUp
    from notesync.followup.settings import Settings

AnyPiece = TypeVar("AnyPiece", bytes, "bytes | range")  # events' bytes, or where a file has them

EVENT = "event"
TODO = "todo"

FULL = "full"
NAMES = "names"
INITIALS = "initials"

FIRST_STAMP = date(2024, 1, 1)  # when a note tells of nothing done; SEQUENCE counts days from here
LINE_OCTETS = 75  # RFC 5545 3.1, without the line break
TEXT_CHARACTERS = 2000  # of a DESCRIPTION: more is a note, not a reminder
LINK_CHARACTERS = 1000  # a longer link stands in URL alone
MEETING_MINUTES = 30  # a timed follow-up for which nobody chose a length
DAY_MINUTES = 24 * 60
DIGEST_CLIENTS = 20
HEADLINE_CLIENTS = 3
OWNER_CHARACTERS = 60  # of a file's name

_VAULT_LINE = b"X-NOTESYNC-VAULT:"
_OWNER_LINE = b"X-NOTESYNC-OWNER:"
HEADER_OCTETS = 4096  # of a calendar: they hold all of its header
_END = b"\r\nEND:VCALENDAR\r\n"
_PRODUCT = b"PRODID:-//notesync//notesync//EN"  # no version: an upgrade would change every feed's ETag
_UID_END = b"@notesync.invalid"


class Event(NamedTuple):
    """A finished event or to-do: the day on which it stands (its own or moved), its UID, its bytes."""

    day: date
    uid: str
    body: bytes


class Pressing(NamedTuple):
    """An overdue follow-up for the digest; one without a date has ``due`` None."""

    client_key: str
    client: str
    title: str
    kind: str
    due: date | None


def build_uid(vault_id: str, client_key: str, rule: str, occasion: str, day: str) -> str:
    """The UID of what is shown on ``day`` (ISO, with ``THH:MM`` for a timed one, '' without a date).

    The same on every machine and after a rename of the note (``client_key`` is its id); another day is
    another UID, so no calendar can keep the old one.
    """
    return _encode_uid(vault_id, client_key, rule, occasion, day)


def build_uid_of(
    vault_id: str, client_key: str, follow_up: FollowUp, day: date | None = None, component: str = EVENT
) -> str:
    """The UID of a follow-up, shown on its own day or moved to ``day``.

    A to-do has a UID of its own: with both in one feed, readers that group by UID would make one item
    of it and its event.
    """
    own = find_day_shown(follow_up)
    shown = own if day is None or component == TODO else day
    moment = shown.isoformat() if shown else ""
    if follow_up.minute is not None and shown == own:
        moment += f"T{follow_up.minute // 60:02}:{follow_up.minute % 60:02}"
    kind = () if component == EVENT else (component,)
    return _encode_uid(vault_id, client_key, follow_up.rule, follow_up.occasion, moment, *kind)


def find_day_shown(follow_up: FollowUp) -> date | None:
    """The day an event stands on: when its window opens, or the day of its time; None without a date."""
    if follow_up.minute is not None and follow_up.due is not None:
        return follow_up.due
    return follow_up.opens or follow_up.due


def build_events(
    work: Iterable[tuple[Card, Sequence[FollowUp]]],
    settings: Settings,
    *,
    vault_name: str = "",
    component: str = EVENT,
    detail: str = "",
    day: date | None = None,
) -> list[Event]:
    """The follow-ups that have a date as finished VEVENTs (or VTODOs), in the order of ``work``.

    ``vault_name`` names the
    vault in obsidian links where the settings do not (neither: no link); ``detail`` overrides the settings'.
    ``day`` moves events there, all day long (``calendar.overdue: each``); to-dos stay, since to-do lists show
    lateness themselves.
    """
    detail = detail or settings.calendar_detail
    vault = (settings.obsidian_vault or vault_name) if detail == FULL else ""
    moved = None if component == TODO else day
    contents = [
        content
        for client, follow_ups in work
        for content in _find_contents(client, follow_ups, settings, vault, component, detail, moved)
    ]
    if not contents:
        return []
    render = _render_todo if component == TODO else _render_event
    return [
        Event(content.day, content.uid, render(content, words))
        for content, words in zip(contents, _encode_contents(contents), strict=True)
    ]


def _find_contents(
    client: Card,
    follow_ups: Iterable[FollowUp],
    settings: Settings,
    vault: str,
    component: str,
    detail: str,
    day: date | None,
) -> Iterator[_Content]:
    """What one client's events say; what they have alike is found once."""
    name = _find_name(client.name, detail)
    link = build_link(vault, client.path) if vault else ""
    best, reach = (_find_best(client), _find_reach(client)) if detail == FULL else ("", "")
    for follow_up in follow_ups:
        own = find_day_shown(follow_up)
        if own is None:
            continue
        shown = day or own
        timed = (
            None if follow_up.minute is None or shown != own else _find_instants(follow_up, client, settings)
        )
        if component == TODO:
            opens, due = follow_up.opens, timed[0] if timed else follow_up.due or own
        else:
            opens, due = timed or _find_days(shown, shown)
        yield _Content(
            shown,
            build_uid_of(settings.vault_id, client.key, follow_up, day, component),
            client.done or FIRST_STAMP,
            opens,
            due,
            _summarise(name, follow_up, detail, shown),
            _describe(follow_up, client, best, reach, link) if detail == FULL else "",
            follow_up.kind,
            link,
            settings.calendar_alarm,
        )


def build_link(vault: str, path: str) -> str:
    """The obsidian:// address of a note: ASCII, percent-encoded once, without the note's extension."""
    name = path[:-3] if path.lower().endswith(".md") else path
    return f"obsidian://open?vault={_quote(vault)}&file={_quote(name)}"


def build_digest(
    settings: Settings,
    today: date,
    entries: Iterable[Pressing],
    next_workday: date,
    *,
    overdue: int,
    undated: int = 0,
    detail: str = "",
) -> bytes:
    """The event of ``today`` that names who is overdue, up to the next working day; b'' if nobody is.

    ``entries`` are the most pressing first, 20 clients of them are enough; ``overdue`` and ``undated``
    count the clients in all: those with something overdue, and those with only undated work.
    """
    if not overdue and not undated:
        return b""
    detail = detail or settings.calendar_detail
    by_client: dict[str, list[Pressing]] = {}
    for entry in entries:
        by_client.setdefault(entry.client_key, []).append(entry)
    named = list(by_client.values())[:DIGEST_CLIENTS]
    names = [_find_name(work[0].client, detail) for work in named]
    lines = [f"{name}: {_join_work(work, detail, today)}" for name, work in zip(names, named, strict=True)]
    more = overdue + undated - len(names)
    summary = _headline(names, overdue, undated)
    description = _cut("\n".join(lines), _find_rest(more))
    uid = build_uid(settings.vault_id, "", "digest", f"{summary}\n{description}", today.isoformat())
    return _render_alone(today, uid, today, next_workday, summary, description)


class Marks(NamedTuple):
    """By what a calendar in a vault is known again; b'' where a file holds none.

    They tell neither name, and an export has none: it is a person's, wherever they put it.
    """

    vault: bytes = b""
    owner: bytes = b""


UNMARKED = Marks()


def build_marks(vault_id: str, owner: str = "") -> Marks:
    """The marks of a vault's calendar, or of an owner's."""
    return Marks(_build_mark(f"vault {vault_id}"), _build_mark(owner) if owner else b"")


def _build_mark(name: str) -> bytes:
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16].encode()


def find_marks(data: bytes) -> Marks:
    """The marks in a file, or in its first bytes; none where it is no calendar that we wrote into a vault."""
    header = data[:HEADER_OCTETS].partition(b"\r\nBEGIN:")[0].split(b"\r\n")
    if header[0] != b"BEGIN:VCALENDAR" or _PRODUCT not in header:
        return UNMARKED
    return Marks(_find_line(header, _VAULT_LINE), _find_line(header, _OWNER_LINE))


def _find_line(header: Iterable[bytes], start: bytes) -> bytes:
    return next((line.removeprefix(start) for line in header if line.startswith(start)), b"")


def drop_marks(data: bytes) -> bytes:
    """A calendar of a vault without its marks: what an export of the same would be."""
    head, end, rest = data.partition(b"\r\nBEGIN:")
    lines = [line for line in head.split(b"\r\n") if not line.startswith((_VAULT_LINE, _OWNER_LINE))]
    return b"\r\n".join(lines) + end + rest


def is_whole_calendar(data: bytes) -> bool:
    """Whether these bytes are a calendar from its first line to its last, with no event but ours."""
    if not data.startswith(b"BEGIN:VCALENDAR\r\n") or data.find(_END) != len(data) - len(_END):
        return False
    events = data.count(b"\r\nBEGIN:VEVENT\r\nUID:")
    parts = data.count(b"\nBEGIN:") - data.count(b"\r\nBEGIN:VALARM\r\n")
    return 0 < events == parts == data.count(_UID_END + b"\r\nDTSTAMP:")


def build_owner_path(path: str, owner: str) -> str:
    """The path of an owner's calendar beside the whole one: ``followups-anna.ics``.

    ``owner`` is the name in small letters.  Letters, digits, hyphens and underscores for blanks are what every
    disk and sync engine takes; a name with anything else, or a long one, gets a piece of its hash besides, since
    two names may not have one file.
    """
    words = _one_line(owner)
    kept = "".join(sign for sign in words if sign.isalnum() or sign in " -")[:OWNER_CHARACTERS]
    name = kept.strip().replace(" ", "_")
    if name != owner.replace(" ", "_"):
        name = f"{name}-{_build_mark(owner)[:8].decode()}".lstrip("-")
    return f"{path[:-4]}-{name}{path[-4:]}"


def is_owner_path(path: str, found: str, mark: bytes) -> bool:
    """Whether ``found`` is where the calendar of the owner with this mark stands, beside the whole one's path.

    It is not for a copy of that calendar, which holds the same mark under another name.
    """
    name = normalize("NFC", found[len(path) - 3 : -4])
    hashed = mark[:8].decode("ascii", "replace")
    return bool(mark) and (name.endswith(hashed) or _build_mark(name.replace("_", " ")) == mark)


def render_calendar(
    settings: Settings,
    name: str,
    events: Iterable[AnyPiece],
    *,
    detail: str = "",
    owner: str = "",
    marks: Marks = UNMARKED,
) -> Iterator[bytes | AnyPiece]:
    """A whole calendar, piece by piece: the constant header, the events as given, the end.

    ``name`` tells vaults apart in a reader's list, and ``owner`` whose it is; where the settings hide details
    they are left out.  ``marks`` are those of a file in the vault.  The header holds no UID, since vdirsyncer would
    fold all events into one item, and nothing that changes, since readers would take every item for changed.  Without
    events there is a placeholder far in the past: vdirsyncer refuses an emptied feed, and RFC 5545 wants a component.
    """
    words = filter(None, (_one_line(name), _one_line(owner)))
    is_full = (detail or settings.calendar_detail) == FULL
    header = _render_header(", ".join(words) if is_full else "", settings, is_full=is_full)
    yield header + _render_marks(marks)
    empty = True
    for event in events:
        if event:
            empty = False
            yield event
    if empty:
        yield _render_placeholder(settings.vault_id)
    yield b"END:VCALENDAR\r\n"


def clean_text(text: str) -> str:
    """The text without what calendar readers choke on, in NFC.

    Every kind of line break becomes a line feed, a tab a blank; other control characters, surrogates,
    noncharacters, byte-order marks and bidirectional embeddings, overrides and isolates are dropped.
    """
    if not text.isprintable():
        text = text.replace("\r\n", "\n").translate(_replacements())
    return text if text.isascii() else normalize("NFC", text)


def fold(line: bytes) -> bytes:
    """One content line in pieces of at most 75 octets, joined by CRLF and a blank.

    A piece ends neither inside a UTF-8 sequence nor between a backslash and what it escapes: some
    readers unescape before they unfold.
    """
    if len(line) <= LINE_OCTETS:
        return line
    pieces = []
    start, room = 0, LINE_OCTETS
    while len(line) - start > room:
        end = start + room
        while line[end] & 0xC0 == 0x80:
            end -= 1
        piece = line[start:end]
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2:
            end -= 1
        pieces.append(line[start:end])
        start, room = end, LINE_OCTETS - 1
    pieces.append(line[start:])
    return b"\r\n ".join(pieces)


# words ----------------------------------------------------------------------------------------------


def _one_line(text: str) -> str:
    if not text:
        return ""
    return " ".join(clean_text(text).split())


def _summarise(name: str, follow_up: FollowUp, detail: str, shown: date) -> str:
    title = _find_title(follow_up.title, follow_up.kind, detail)
    due = follow_up.due
    return f"{name}: {title}" if due is None or due == shown else f"{name}: {title}{_find_remark(due, shown)}"


def _find_best(client: Card) -> str:
    return _labelled("Best time", client.best_time) if client.best_time else ""


def _find_reach(client: Card) -> str:
    """The lines of a description that are the same for all follow-ups of a client."""
    lines = [
        _labelled("Phone", *client.phones),
        _labelled("E-mail", *client.emails),
        _labelled("Company", client.company),
    ]
    return "\n".join(filter(None, lines))


def _describe(follow_up: FollowUp, client: Card, best: str, reach: str, link: str) -> str:
    ways = _find_ways(follow_up.channel, client.contact_by, client.not_by)
    lines = (best, ways, reach, clean_text(follow_up.reason).strip(), _labelled("Ask", *follow_up.ask))
    return _cut("\n".join(filter(None, lines)), link if len(link) <= LINK_CHARACTERS else "")


def _find_name(name: str, detail: str) -> str:
    name = _one_line(name)
    if detail == INITIALS:
        name = "".join(next(filter(str.isalnum, word), "") for word in name.split()).upper()
    return name or "?"


def _find_title(title: str, kind: str, detail: str) -> str:
    return (_one_line(title) if detail == FULL else "") or _one_line(kind.replace("-", " "))


@lru_cache(maxsize=4096)
def _find_remark(due: date, shown: date) -> str:
    if due == shown:
        return ""
    words = "until" if due > shown else "was due"
    return f" ({words} {format_day(due, shown.year)})"


def _labelled(label: str, *values: str) -> str:
    words = ", ".join(filter(None, map(_one_line, values)))
    return f"{label}: {words}" if words else ""


@lru_cache(maxsize=1024)
def _find_ways(channel: str, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> str:
    """How to reach the client: the channel of this follow-up, then the client's, and what to avoid."""
    ways = dict.fromkeys(way for way in (channel, *wanted) if way not in unwanted)
    by, not_by = _labelled("By", *ways), _labelled("Not by", *unwanted)
    return f"{by} (n{not_by[1:]})" if by and not_by else by or not_by


def _cut(text: str, last: str) -> str:
    """The text and a last line, cut to 2,000 characters in all, the last line kept whole."""
    room = TEXT_CHARACTERS - (len(last) + 1 if last and text else 0)
    if len(text) > room:
        text = text[: room - 1].rstrip() + "…"
    return f"{text}\n{last}" if last and text else text or last


def _join_work(entries: Sequence[Pressing], detail: str, today: date) -> str:
    return "; ".join(
        _find_title(entry.title, entry.kind, detail)
        + (_find_remark(entry.due, today) if entry.due else " (no date)")
        for entry in entries
    )


def _find_rest(more: int) -> str:
    return "" if more <= 0 else "and 1 more client" if more == 1 else f"and {more} more clients"


def _headline(names: Sequence[str], overdue: int, undated: int) -> str:
    counts = [f"{overdue} overdue"] if overdue else []
    if undated:
        counts.append(f"{undated} without a date")
    shown = ", ".join(names[:HEADLINE_CLIENTS])
    more = ", …" if overdue + undated > HEADLINE_CLIENTS else ""
    return f"{', '.join(counts)}: {shown}{more}"


def _quote(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1").translate(_quoted_octets())


@cache
def _quoted_octets() -> dict[int, str]:
    from urllib.parse import quote_from_bytes

    return {octet: quote_from_bytes(bytes((octet,)), safe="") for octet in range(256)}


@cache
def _replacements() -> dict[int, str | None]:
    """What ``str.translate`` needs for ``clean_text``; the line breaks are those of ``str.splitlines``."""
    dropped = chain(
        range(0x20),
        range(0x7F, 0xA0),
        range(0x202A, 0x202F),
        range(0x2066, 0x206A),
        range(0xD800, 0xE000),
        range(0xFDD0, 0xFDF0),
        (0xFEFF,),
        (plane << 16 | last for plane in range(17) for last in (0xFFFE, 0xFFFF)),
    )
    breaks = dict.fromkeys((0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), "\n")
    return {**dict.fromkeys(dropped), **breaks, 0x09: " "}


# times ----------------------------------------------------------------------------------------------


def _find_days(start: date, end: date) -> tuple[date, date]:
    """Whole days up to the day before ``end``, at least one: DTEND after DTSTART, or readers show nothing."""
    start = min(start, date.max - timedelta(days=1))
    return start, max(end, start + timedelta(days=1))


def _find_instants(follow_up: FollowUp, client: Card, settings: Settings) -> tuple[datetime, datetime] | None:
    """When a timed follow-up begins and ends, in UTC; None for one that takes the whole day.

    The follow-up's minutes count where somebody chose them, else half an hour.
    """
    if follow_up.minute is None or follow_up.due is None:
        return None
    chosen = follow_up.step or client.minutes or settings.minutes.get(client.stage)
    minutes = follow_up.minutes if chosen else MEETING_MINUTES
    try:
        start = _to_utc(follow_up.due, follow_up.minute, settings.timezone)
        return start, start + timedelta(minutes=min(max(minutes, 1), DAY_MINUTES))
    except OverflowError:  # the first and the last day of all time
        return None


def _to_utc(day: date, minute: int, zone: str) -> datetime:
    """The instant of a local time; one that summer time skips is that much later."""
    local = datetime(day.year, day.month, day.day) + timedelta(minutes=minute)
    return (local.replace(tzinfo=_load_zone(zone)) if zone else local).astimezone(UTC)


@lru_cache(maxsize=8)
def _load_zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


# components -----------------------------------------------------------------------------------------


class _Content(NamedTuple):
    """What an event or a to-do says.

    ``start`` and ``end`` are days, or instants in UTC; of an event the end is exclusive, of a to-do they are
    when it opens, where that is told, and when it is due.  ``alarm`` is minutes after midnight.
    """

    day: date
    uid: str
    stamp: date
    start: date | None
    end: date
    summary: str
    description: str
    category: str
    link: str
    alarm: int | None


class _Words(NamedTuple):
    """The texts of a content, encoded."""

    summary: bytes
    description: bytes
    link: bytes


# Outlook reads its own X- properties first and would otherwise take a confirmed event for busy time.
_FREE = b"STATUS:CONFIRMED\r\nTRANSP:TRANSPARENT\r\nX-MICROSOFT-CDO-BUSYSTATUS:FREE\r\n"
_FREE_ALL_DAY = _FREE + b"X-MICROSOFT-CDO-ALLDAYEVENT:TRUE\r\n"


def _render_event(content: _Content, words: _Words) -> bytes:
    """A VEVENT between two days, or two instants, the end exclusive."""
    timed = isinstance(content.end, datetime)
    return b"".join(
        (
            b"BEGIN:VEVENT\r\nUID:",
            content.uid.encode(),
            _render_stamps(content.stamp),
            _render_span(content.start, content.end),
            *_render_words(content.category, words),
            _FREE if timed else _FREE_ALL_DAY,
            _render_alarm(content.alarm, words.summary, b"TRIGGER", timed),
            b"END:VEVENT\r\n",
        )
    )


def _render_todo(content: _Content, words: _Words) -> bytes:
    """A VTODO that opens one day and closes another, or is due at an instant.

    RFC 5545 3.8.2.3 wants DUE later than DTSTART: where both are one day, DUE says it all.
    """
    opens, due = content.start, content.end
    timed = isinstance(due, datetime)
    window = opens is not None and not timed and opens < due
    return b"".join(
        (
            b"BEGIN:VTODO\r\nUID:",
            content.uid.encode(),
            _render_stamps(content.stamp),
            _render_time(b"DTSTART", opens) if opens and window else b"",
            _render_time(b"DUE", due),
            *_render_words(content.category, words),
            b"STATUS:NEEDS-ACTION\r\n",
            _render_alarm(
                content.alarm, words.summary, b"TRIGGER" if window else b"TRIGGER;RELATED=END", timed
            ),
            b"END:VTODO\r\n",
        )
    )


def _render_alone(day: date, uid: str, stamp: date, until: date, summary: str, description: str) -> bytes:
    """An event of our own, whole days long, that is no client's."""
    start, end = _find_days(day, until)
    content = _Content(day, uid, stamp, start, end, summary, description, "", "", None)
    return _render_event(content, *_encode_contents([content]))


def _render_time(name: bytes, moment: date) -> bytes:
    timed = isinstance(moment, datetime)
    return name + (b":" if timed else b";VALUE=DATE:") + _encode_time(moment) + b"\r\n"


@lru_cache(maxsize=4096)
def _render_span(start: date, end: date) -> bytes:
    return _render_time(b"DTSTART", start) + _render_time(b"DTEND", end)


@lru_cache(maxsize=4096)
def _render_stamps(day: date) -> bytes:
    """When it was changed, from the end of the line above: midnight UTC of a day, and the days up to then."""
    from icalendar.prop import vInt

    stamp = _encode_time(datetime(day.year, day.month, day.day, tzinfo=UTC))
    sequence = vInt(max(0, (day - FIRST_STAMP).days)).to_ical()
    return b"\r\nDTSTAMP:%b\r\nLAST-MODIFIED:%b\r\nSEQUENCE:%b\r\n" % (stamp, stamp, sequence)


def _render_words(category: str, words: _Words) -> tuple[bytes, ...]:
    return (
        fold(b"SUMMARY:" + words.summary),
        b"\r\n",
        fold(b"DESCRIPTION:" + words.description) + b"\r\n" if words.description else b"",
        _render_category(category) if category else b"",
        fold(b"URL:" + words.link) + b"\r\n" if words.link else b"",
    )


@lru_cache(maxsize=64)
def _render_category(kind: str) -> bytes:
    from icalendar.prop import vCategory

    return fold(b"CATEGORIES:" + vCategory([_one_line(kind)]).to_ical()) + b"\r\n"


def _render_alarm(alarm: int | None, summary: bytes, trigger: bytes, timed: bool) -> bytes:
    if alarm is None:
        return b""
    before = timedelta(minutes=-15) if timed else timedelta(minutes=alarm)
    return _join(
        b"BEGIN:VALARM",
        b"ACTION:DISPLAY",
        fold(b"DESCRIPTION:" + summary),
        trigger + b":" + _encode_time(before),
        b"END:VALARM",
    )


def _join(*lines: bytes) -> bytes:
    return b"\r\n".join((*lines, b""))


def _render_header(name: str, settings: Settings, *, is_full: bool) -> bytes:
    title = _encode_text(f"Follow-ups: {name}" if name else "Follow-ups")
    description = _one_line(settings.calendar_description) if is_full else ""
    refresh = _encode_time(timedelta(minutes=settings.calendar_refresh))
    return _join(
        b"BEGIN:VCALENDAR",
        b"VERSION:2.0",
        _PRODUCT,
        b"CALSCALE:GREGORIAN",
        b"METHOD:PUBLISH",
        fold(b"X-WR-CALNAME:" + title),
        fold(b"NAME:" + title),
        *((fold(b"X-WR-CALDESC:" + _encode_text(description)),) if description else ()),
        b"REFRESH-INTERVAL;VALUE=DURATION:" + refresh,
        b"X-PUBLISHED-TTL:" + refresh,
        *_render_color(settings.calendar_color),
    )


def _render_marks(marks: Marks) -> bytes:
    lines = zip((_VAULT_LINE, _OWNER_LINE), marks, strict=True)
    return _join(*(line + mark for line, mark in lines if mark)) if any(marks) else b""


def _render_color(word: str) -> Iterator[bytes]:
    from notesync.followup.colors import find_color

    if word and (color := find_color(word)):
        if color.name:
            yield b"COLOR:" + color.name.encode()
        yield b"X-APPLE-CALENDAR-COLOR:" + color.number.encode()


def _render_placeholder(vault_id: str) -> bytes:
    day = date(2000, 1, 1)
    uid = build_uid(vault_id, "", "placeholder", "", day.isoformat())
    return _render_alone(day, uid, FIRST_STAMP, day, "No follow-ups due", "")


# values ---------------------------------------------------------------------------------------------


def _encode_contents(contents: Sequence[_Content]) -> Iterator[_Words]:
    """The words of many contents, encoded all at once: the library's calls cost more than what they do.

    No cleaned text and no link holds a zero byte, so that tells them apart, and no escape looks beyond it.
    """
    from icalendar.prop import vUri

    summaries = _encode_text("\0".join([content.summary for content in contents]))
    descriptions = _encode_text("\0".join([content.description for content in contents]))
    links = vUri("\0".join([content.link for content in contents])).to_ical()
    return map(_Words, summaries.split(b"\0"), descriptions.split(b"\0"), links.split(b"\0"))


def _encode_text(text: str) -> bytes:
    """A TEXT value.  icalendar takes a backslash before a capital N for a line break: keep them apart."""
    from icalendar.prop import vText

    if "\\N" in text:
        return b"\\\\N".join(vText(part).to_ical() for part in text.split("\\N"))
    return vText(text).to_ical()


@lru_cache(maxsize=4096)
def _encode_time(value: date | timedelta) -> bytes:
    from icalendar.prop import vDDDTypes

    return vDDDTypes(value).to_ical()


def _encode_uid(*parts: str) -> str:
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return sha256(joined).hexdigest()[:32] + _UID_END.decode()
