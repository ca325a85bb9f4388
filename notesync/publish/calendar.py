"""Follow-ups in, iCalendar bytes out: single events and to-dos, the digest, the calendar around them.

The bytes depend on the notes, the settings and the day asked for, never on a clock or on an earlier
run: two machines that share a vault write the same file.  icalendar's value types encode the values;
the text is cleaned before them and the lines are folded after them, because both need more care than
the library takes.  An event's bytes are made once and kept by the caller, so a calendar is a join.

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
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from notesync.followup.dates import format_day

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.followup.rules import FollowUp
    from notesync.followup.settings import Settings

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


def build_event(
    follow_up: FollowUp,
    client: Client,
    settings: Settings,
    stamp: date | None,
    *,
    vault_name: str = "",
    component: str = EVENT,
    detail: str = "",
    day: date | None = None,
) -> bytes:
    """One follow-up as a finished VEVENT (or VTODO), folded, with CRLF; b'' for one without a date.

    ``stamp`` is the newest date of something done that the note holds.  ``vault_name`` names the vault in
    obsidian links where the settings do not (neither: no link); ``detail`` overrides the settings'.
    ``day`` moves an event there, all day long (``calendar.overdue: each``); a to-do stays, since to-do
    lists show lateness themselves.
    """
    own = find_day_shown(follow_up)
    if own is None:
        return b""
    detail = detail or settings.calendar_detail
    shown = own if day is None or component == TODO else day
    vault = settings.obsidian_vault or vault_name
    link = build_link(vault, client.path) if vault and detail == FULL else ""
    content = _Content(
        build_uid_of(settings.vault_id, client.key, follow_up, day, component),
        stamp or FIRST_STAMP,
        build_summary(follow_up, client, detail, shown),
        build_description(follow_up, client, link) if detail == FULL else "",
        follow_up.kind,
        link,
        settings.calendar_alarm,
    )
    timed = _find_instants(follow_up, client, settings) if shown == own else None
    if component == TODO:
        return _render_todo(content, follow_up.opens, timed[0] if timed else follow_up.due or own)
    return _render_event(content, *(timed or _find_days(shown, shown)))


def build_summary(follow_up: FollowUp, client: Client, detail: str, shown: date) -> str:
    """The one line of a follow-up that a calendar shows on ``shown``, never empty.

    It says until when, if the window closes later, and since when, if it has closed.
    """
    name, title = _find_name(client.name, detail), _find_title(follow_up.title, follow_up.kind, detail)
    return f"{name}: {title}{_find_remark(follow_up.due, shown)}"


def build_description(follow_up: FollowUp, client: Client, link: str) -> str:
    """What to know before the contact: best time, how to reach the client, the reason, the link.

    At most 2,000 characters; what is too much is cut before the link.
    """
    lines = [
        _labelled("Best time", client.best_time),
        _find_ways(follow_up.channel, client.contact_by, client.not_by),
        _labelled("Phone", *client.phones),
        _labelled("E-mail", *client.emails),
        _labelled("Company", client.company),
        clean_text(follow_up.reason).strip(),
    ]
    return _cut("\n".join(line for line in lines if line), link if len(link) <= LINK_CHARACTERS else "")


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
    content = _Content(uid, today, summary, description, "", "", None)
    return _render_event(content, *_find_days(today, next_workday))


def render_calendar(
    settings: Settings, name: str, events: Iterable[bytes], *, detail: str = ""
) -> Iterator[bytes]:
    """A whole calendar, piece by piece: the constant header, the events as given, the end.

    ``name`` tells vaults apart in a reader's list; where the settings hide details it is left out.  The
    header holds no UID, since vdirsyncer would fold all events into one item, and nothing that changes,
    since readers would take every item for changed.  Without events there is a placeholder far in the
    past: vdirsyncer refuses an emptied feed, and RFC 5545 wants a component.
    """
    yield _render_header(_one_line(name) if (detail or settings.calendar_detail) == FULL else "")
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
    return " ".join(clean_text(text).split())


def _find_name(name: str, detail: str) -> str:
    name = _one_line(name)
    if detail == INITIALS:
        name = "".join(next(filter(str.isalnum, word), "") for word in name.split()).upper()
    return name or "?"


def _find_title(title: str, kind: str, detail: str) -> str:
    return (_one_line(title) if detail == FULL else "") or _one_line(kind.replace("-", " "))


def _find_remark(due: date | None, shown: date) -> str:
    if due is None or due == shown:
        return ""
    words = "until" if due > shown else "was due"
    return f" ({words} {format_day(due, shown.year)})"


def _labelled(label: str, *values: str) -> str:
    words = ", ".join(filter(None, map(_one_line, values)))
    return f"{label}: {words}" if words else ""


def _find_ways(channel: str, wanted: Sequence[str], unwanted: Sequence[str]) -> str:
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


@lru_cache(maxsize=1024)
def _quote(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="", errors="surrogatepass")


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


def _find_instants(
    follow_up: FollowUp, client: Client, settings: Settings
) -> tuple[datetime, datetime] | None:
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
    """What an event and a to-do have alike; ``alarm`` is minutes after midnight."""

    uid: str
    stamp: date
    summary: str
    description: str
    category: str
    link: str
    alarm: int | None


def _render_event(content: _Content, start: date, end: date) -> bytes:
    """A VEVENT between two days, or two instants, the end exclusive.

    Outlook reads its own X- properties first and would otherwise take a confirmed event for busy time.
    """
    timed = isinstance(start, datetime)
    return _render(
        b"VEVENT",
        *_render_stamps(content),
        _render_time(b"DTSTART", start),
        _render_time(b"DTEND", end),
        *_render_texts(content),
        b"STATUS:CONFIRMED",
        b"TRANSP:TRANSPARENT",
        b"X-MICROSOFT-CDO-BUSYSTATUS:FREE",
        b"" if timed else b"X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
        _render_alarm(content, b"TRIGGER", timed),
    )


def _render_todo(content: _Content, opens: date | None, due: date) -> bytes:
    """A VTODO that opens one day and closes another, or is due at an instant.

    RFC 5545 3.8.2.3 wants DUE later than DTSTART: where both are one day, DUE says it all.
    """
    timed = isinstance(due, datetime)
    window = opens is not None and not timed and opens < due
    return _render(
        b"VTODO",
        *_render_stamps(content),
        _render_time(b"DTSTART", opens) if opens and window else b"",
        _render_time(b"DUE", due),
        *_render_texts(content),
        b"STATUS:NEEDS-ACTION",
        _render_alarm(content, b"TRIGGER" if window else b"TRIGGER;RELATED=END", timed),
    )


def _render(name: bytes, *lines: bytes) -> bytes:
    return _join(b"BEGIN:" + name, *lines, b"END:" + name)


def _join(*lines: bytes) -> bytes:
    return b"\r\n".join((*filter(None, lines), b""))


def _render_time(name: bytes, moment: date) -> bytes:
    timed = isinstance(moment, datetime)
    return name + (b":" if timed else b";VALUE=DATE:") + _encode_time(moment)


def _render_stamps(content: _Content) -> tuple[bytes, ...]:
    stamp, sequence = _encode_stamp(content.stamp)
    return (
        b"UID:" + content.uid.encode(),
        b"DTSTAMP:" + stamp,
        b"LAST-MODIFIED:" + stamp,
        b"SEQUENCE:" + sequence,
    )


def _render_texts(content: _Content) -> tuple[bytes, ...]:
    return (
        fold(b"SUMMARY:" + _encode_text(content.summary)),
        fold(b"DESCRIPTION:" + _encode_text(content.description)) if content.description else b"",
        _render_category(content.category) if content.category else b"",
        fold(b"URL:" + _encode_link(content.link)) if content.link else b"",
    )


@lru_cache(maxsize=64)
def _render_category(kind: str) -> bytes:
    from icalendar.prop import vCategory

    return fold(b"CATEGORIES:" + vCategory([_one_line(kind)]).to_ical())


def _render_alarm(content: _Content, trigger: bytes, timed: bool) -> bytes:
    if content.alarm is None:
        return b""
    before = timedelta(minutes=-15) if timed else timedelta(minutes=content.alarm)
    return _render(
        b"VALARM",
        b"ACTION:DISPLAY",
        fold(b"DESCRIPTION:" + _encode_text(content.summary)),
        trigger + b":" + _encode_time(before),
    )[:-2]


def _render_header(name: str) -> bytes:
    title = _encode_text(f"Follow-ups: {name}" if name else "Follow-ups")
    return _join(
        b"BEGIN:VCALENDAR",
        b"VERSION:2.0",
        b"PRODID:-//notesync//notesync//EN",  # no version: an upgrade would change every feed's ETag
        b"CALSCALE:GREGORIAN",
        b"METHOD:PUBLISH",
        fold(b"X-WR-CALNAME:" + title),
        fold(b"NAME:" + title),
        b"REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        b"X-PUBLISHED-TTL:PT1H",
    )


def _render_placeholder(vault_id: str) -> bytes:
    day = date(2000, 1, 1)
    uid = build_uid(vault_id, "", "placeholder", "", day.isoformat())
    content = _Content(uid, FIRST_STAMP, "No follow-ups due", "", "", "", None)
    return _render_event(content, *_find_days(day, day))


# values ---------------------------------------------------------------------------------------------


def _encode_text(text: str) -> bytes:
    """A TEXT value.  icalendar takes a backslash before a capital N for a line break: keep them apart."""
    from icalendar.prop import vText

    if "\\N" in text:
        return b"\\\\N".join(vText(part).to_ical() for part in text.split("\\N"))
    return vText(text).to_ical()


def _encode_link(link: str) -> bytes:
    from icalendar.prop import vUri

    return vUri(link).to_ical()


@lru_cache(maxsize=4096)
def _encode_stamp(day: date) -> tuple[bytes, bytes]:
    """Midnight UTC of a day, and how many days after the first stamp it lies, not below 0."""
    from icalendar.prop import vInt

    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return _encode_time(midnight), vInt(max(0, (day - FIRST_STAMP).days)).to_ical()


@lru_cache(maxsize=4096)
def _encode_time(value: date | timedelta) -> bytes:
    from icalendar.prop import vDDDTypes

    return vDDDTypes(value).to_ical()


def _encode_uid(*parts: str) -> str:
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return sha256(joined).hexdigest()[:32] + "@notesync.invalid"
