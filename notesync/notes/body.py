"""A :class:`Note`'s body -> its log entries and tasks, each with its line.

In: a note that was read, the headings that name a log, the Tasks plugin's global filter, and for a
daily note its day.  Out: a :class:`Body`: entries, tasks, problems.  Must not know: which notes are
clients, what a tag or a recurrence means, what is due, the clock, the disk.

The grammar is FORMAT.md's sections 3 and 4; where it speaks of the Tasks plugin, the plugin's own way
of peeling fields off the end of a line is followed, except that nothing is lost: a good date that the
plugin would not see counts, with a warning.

Patterns run on a text in which every line end is one LF (CRLF becomes a blank and an LF, so that all
offsets stay) and in which code blocks and comments are blanked out with NULs of equal length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from notesync.notes.note import Note
from notesync.problems import ERROR, WARNING, Problem

MAX_LOG = 1_000_000
MAX_BOXES = 50_000
MAX_PROBLEMS = 50


# NamedTuples for speed: see note.py.
class Entry(NamedTuple):
    """One contact, or attempt, of the log.

    ``channel`` is canonical (``call``) or None; ``outcome`` the words in brackets, or the attempt's;
    ``text`` is free of Markdown's indentation, lines joined by LF; ``tags`` in lower case without
    ``#``; ``fields`` are inline fields, ``("due", day)`` also for a 📅.  ``client`` is the link's
    target in a daily note's entry; ``path`` the note it stands in, when that is not the client's own.
    """

    line: int
    column: int
    day: date
    minute: int | None
    channel: str | None
    attempt: bool
    outcome: str
    text: str
    tags: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    client: str
    path: str = ""


class Task(NamedTuple):
    """One list item with a box.

    ``text`` is the description without its fields and the tags at its end; ``open`` is False for a
    ticked or cancelled box and where a done or cancelled date stands.  ``recurrence`` is the rule's
    text, unjudged; ``entry_day`` the dated log entry above it; ``links`` the targets in the text.
    """

    line: int
    column: int
    mark: str
    open: bool
    text: str
    tags: tuple[str, ...]
    due: date | None
    scheduled: date | None
    start: date | None
    created: date | None
    done: date | None
    cancelled: date | None
    recurrence: str | None
    priority: str
    id: str
    depends_on: tuple[str, ...]
    entry_day: date | None
    links: tuple[str, ...]
    block: str
    path: str = ""


class Body(NamedTuple):
    """What a note's body holds."""

    entries: tuple[Entry, ...]
    tasks: tuple[Task, ...]
    problems: tuple[Problem, ...]


_EMPTY = Body((), (), ())


# --------------------------------------------------------------------------------------------------
# Words

_CHANNEL_WORDS = {
    "call": (
        "call,calls,called,calling,phone,phoned,telephone,telephoned,tel,rang,ring,rang up,phone call,telephone call,"
        "cold call,called back,call back,callback,spoke,spoken,spoke with,spoke to,talked,talked to,talked with,"
        "conference call,dialled"
    ),
    "visit": (
        "visit,visits,visited,visiting,site visit,on site,on-site,met,meet,meeting,meetings,met with,in person,in-person,"
        "face to face,face-to-face,demo,demos,demonstration,lunch,coffee,breakfast,dinner,appointment,stopped by,"
        "dropped in,dropped by,drop in,came by,came in,showroom"
    ),
    "video": (
        "video,video call,videocall,video-call,video meeting,video conference,videoconference,zoom,zoom call,"
        "zoom meeting,teams,teams call,teams meeting,ms teams,microsoft teams,google meet,skype,webex,facetime,"
        "webinar,online meeting,online demo,online"
    ),
    "email": "email,emails,emailed,e-mail,e-mails,e-mailed,mail,mails,mailed,newsletter",
    "message": (
        "message,messages,messaged,msg,text,texts,texted,text message,sms,whatsapp,whatsapped,whats app,signal,"
        "telegram,imessage,messenger,linkedin,linkedin message,dm,chat,chatted,slack,wechat,viber"
    ),
    "letter": "letter,letters,post,posted,by post,postcard,card,thank-you card,thank you card,parcel,fax,faxed",
}

CHANNELS = {word: channel for channel, words in _CHANNEL_WORDS.items() for word in words.split(",")}
"""Everyday words and phrases, in lower case, and the canonical channel that each means."""

# Attempts whatever follows them.
_CLEAR_ATTEMPTS = (
    "no answer,no reply,no response,no-answer,voicemail,voice mail,voice-mail,left a message,left message,"
    "left a voicemail,left voicemail,left a voice mail,left word,left a note,went to voicemail,no show,no-show,"
    "did not answer,didn't answer,does not answer,doesn't answer,did not pick up,didn't pick up,nobody answered,"
    "nobody there,nobody in,no one answered,could not reach,couldn't reach,not reached,unreachable,not reachable,"
    "not available,not there,not at home,out of office,wrong number,rang out,line busy,line engaged,"
    "tried to call,tried to reach,tried to ring,tried calling,hung up,undeliverable,not delivered"
)
# Attempts only where nothing follows, or a word that goes with them: `cancelled the order` is a contact.
_BARE_ATTEMPTS = "not in,not home,engaged,busy,bounced,cancelled,canceled,unavailable,tried,postponed,missed,missed call,away,out"
_AFTER_BARE = frozenset(
    [
        "by",
        "at",
        "due",
        "because",
        "again",
        "until",
        "till",
        "today",
        "tomorrow",
        "on",
        "as",
        "for",
        "since",
        "last",
        "this",
        "all",
        "when",
        "twice",
        "back",
    ]
)
ATTEMPTS = dict.fromkeys(_CLEAR_ATTEMPTS.split(","), True) | dict.fromkeys(_BARE_ATTEMPTS.split(","), False)
"""Phrases of an attempt, in lower case, and whether they are one whatever words follow."""

# The first three letters tell at the cost of one look whether a text may begin with an attempt.
_ATTEMPT_HEADS = frozenset(phrase[:3] for phrase in ATTEMPTS)

_WORDS = re.compile(r"[^\W_][\w'’-]*+(?:[ \t]+[^\W_][\w'’-]*+){0,3}")
_WORD = re.compile(r"[^ \t]+")


def find_channel(text: str) -> str:
    """The canonical channel of a word or phrase; a word that is not known comes back as it is."""
    words = " ".join(text.split())
    return CHANNELS.get(words.casefold(), words)


def _match_phrase(text: str, phrases: dict[str, str] | dict[str, bool]) -> tuple[str, int]:
    """The longest phrase that the text begins with, and where it ends; ("", 0) if none."""
    words = _WORDS.match(text)
    if words is None:
        return "", 0
    ends = [word.end() for word in _WORD.finditer(words[0])]
    folded = words[0].casefold().replace("’", "'").split()
    for count in range(min(len(ends), len(folded)), 0, -1):
        phrase = " ".join(folded[:count])
        if phrase in phrases:
            return phrase, ends[count - 1]
    return "", 0


def _match_attempt(text: str, bracketed: bool = False) -> tuple[str, int]:
    """The attempt that the text begins with, and where it ends; ("", 0) if none."""
    phrase, end = _match_phrase(text, ATTEMPTS)
    if not phrase or bracketed or ATTEMPTS[phrase]:
        return phrase, end
    behind = text[end:].lstrip(" \t")
    following = _WORDS.match(behind)
    if following is None or following[0].split()[0].casefold() in _AFTER_BARE:
        return phrase, end
    return "", 0


# --------------------------------------------------------------------------------------------------
# Dates that are spelled otherwise

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" if len(month) > 3 else month for month in _MONTHS)


@lru_cache(maxsize=1)
def _compile_other_date() -> re.Pattern[str]:
    # Costs a millisecond that only a note with such a date need pay.
    return re.compile(
        rf"""(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?[ ]+)?(?:
          (?P<a>\d{{1,4}})(?P<sep>[./-])(?P<b>\d{{1,2}})(?P=sep)(?P<c>\d{{1,4}})
        | (?P<compact>\d{{8}})
        | (?P<ja>\d{{4}})年(?P<jb>\d{{1,2}})月(?P<jc>\d{{1,2}})日
        | (?P<d1>\d{{1,2}})(?:st|nd|rd|th)?[ ]+(?:of[ ]+)?(?P<m1>{_MONTH}|sept)\.?,?(?:[ ]+(?P<y1>\d{{4}}))?
        | (?P<m2>{_MONTH}|sept)\.?[ ]+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?:,?[ ]+(?P<y2>\d{{4}}))?
        | (?P<short>\d{{1,2}}[./]\d{{1,2}}\.?)(?![\w./-])
        )(?:(?<=日)|(?!\w))""",
        re.VERBOSE | re.IGNORECASE,
    )


def suggest_dates(text: str) -> tuple[str, ...]:
    """ISO readings of a text that begins with a date spelled otherwise: one, two if undecidable, none."""
    found = _compile_other_date().match(text)
    if found is None:
        return ()
    group = found.groupdict()
    triples: list[tuple[str | None, int | str | None, str | None]] = []
    if group["a"]:
        first, second, third = group["a"], group["b"], group["c"]
        if len(first) == 4:
            triples = [(first, second, third)]
        else:
            triples = [(third, second, first), (third, first, second)]
    elif compact := group["compact"]:
        triples = [(compact[:4], compact[4:6], compact[6:])]
    elif group["ja"]:
        triples = [(group["ja"], group["jb"], group["jc"])]
    elif group["m1"]:
        triples = [(group["y1"], _month_number(group["m1"]), group["d1"])]
    elif group["m2"]:
        triples = [(group["y2"], _month_number(group["m2"]), group["d2"])]
    return tuple(dict.fromkeys(iso for triple in triples if (iso := _to_iso(*triple))))


def _month_number(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS, 1) if month.startswith(name[:3].casefold()))


def _to_iso(year: str | None, month: int | str | None, day: str | None) -> str:
    """The ISO form of a date's parts; '' if one is missing or there is no such day."""
    if not year or not month or not day or len(year) not in (2, 4):
        return ""
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def _hint_date(text: str) -> str:
    readings = suggest_dates(text)
    if not readings:
        return "Write the day as year-month-day, for example 2026-11-25."
    return (
        f"Write {' or '.join(readings)}, whichever is meant."
        if len(readings) > 1
        else f"Write {readings[0]}."
    )


# --------------------------------------------------------------------------------------------------
# Patterns

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"([0-9]{1,2}:[0-9]{2})(?![0-9])(?::[0-9]{2}(?:\.[0-9]+)?(?![0-9]))?(?:Z|[+-][0-9]{2}:?[0-9]{2}(?![0-9]))?"

# One line of the log: indent, list mark, heading's hashes, box, date, time, the rest.
_LOG_LINE = re.compile(
    r"\n([ \t>]*+)"
    r"(?:([-*+]|[0-9]{1,9}[.)])(?:[ \t]++|(?=\n|\Z))|(#{1,6})[ \t]++)?"
    r"(?:\[([^\n])\](?:[ \t]++|(?=\n|\Z)))?"
    rf"(?:({_DATE})(?![0-9A-SU-Za-z_]|-[0-9])(?:(?:T|[ \t]++){_CLOCK})?)?"
    r"([^\n]*+)"
)
_WRAPPED_DATE = re.compile(
    rf"[*_]{{0,3}}(?:\[\[(?:[^\[\]|\n]*/)?({_DATE})(?:\.md)?(?:[|#][^\[\]\n]*)?\]\]|\[({_DATE})\]\([^()\n]*\)|({_DATE})(?![\w]|-[0-9]))"
    rf"(?:(?:T|[ \t]+){_CLOCK})?[*_]{{0,3}}"
)
_DAILY_ENTRY = re.compile(rf"(?:{_CLOCK}[ \t]+)?(?:[*_]{{0,3}})\[\[([^\[\]\n]+)\]\][*_]{{0,3}}")
_PLAIN_DATE = re.compile(_DATE)
_RULE = re.compile(r"[-*_ \t\x00]*")
_END_TIME = re.compile(r"[ \t]*[-–][ \t]*[0-9]{1,2}:[0-9]{2}(?![0-9])")
_HALF_DAY = re.compile(r"[ \t]*([ap])\.?m\b\.?", re.IGNORECASE)

_TAG_CHARACTERS = r"[^\s#!@$%^&*(),.?\":{}|<>;\[\]'`\\=+~\x00]"
_TAG = re.compile(rf"(?<![^\s(\[])#({_TAG_CHARACTERS}+)")
_INLINE_FIELD = re.compile(
    r"\[([^\[\]()\n:]{1,60})::((?:\[\[[^\[\]\n]*\]\]|[^\[\]\n])*+)\]|\(([^\[\]()\n:]{1,60})::([^()\n]*+)\)"
)
_DUE_SIGN = re.compile(rf"[📅📆🗓]\ufe0f?[ \t\u00a0]*(?:\[\[)?({_DATE})?")
_CODE_SPAN = re.compile(r"(`+)[^`\n]{1,500}\1")
_WIKILINK = re.compile(r"\[\[([^\[\]\n]+)\]\]")
_MARKDOWN_LINK = re.compile(r"\]\(<?([^()<>\s]+)>?(?:[ \t]+\"[^\"\n]*\")?\)")

# A fence, a comment's beginning or inline code; begins with a set, which re looks for fast.
_HIDER = re.compile(
    r"[`~%<](?:(?<=`)(?:``+|`[^`\n]{1,500}``|[^`\n]{1,500}`)|(?<=~)~~+|(?<=%)%|(?<=<)!--)",
)
_FENCE_LEAD = re.compile(r"[ \t>]*+(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]++)*+")
_NOT_NEWLINE = re.compile(r"[^\n]+")

_TASK_LINE = re.compile(
    r"([ \t>]*+)(?:[-*+]|[0-9]{1,9}[.)])[ \t]++\[(?:([ xX])\](?![(\[:])|([^\n])\](?=[ \t\n]|\Z))([^\n]*+)"
)
_BLOCK_ID = re.compile(r"[ \t]\^([a-zA-Z0-9-]+)[ \t]*$")

_DATE_SIGNS = {
    "📅": "due",
    "📆": "due",
    "🗓": "due",
    "⏳": "scheduled",
    "⌛": "scheduled",
    "🛫": "start",
    "➕": "created",
    "✅": "done",
    "❌": "cancelled",
}
_PRIORITY_SIGNS = {"🔺": "highest", "⏫": "high", "🔼": "medium", "🔽": "low", "⏬": "lowest"}
_PRIORITIES = frozenset(_PRIORITY_SIGNS.values())
_DATE_KEYS = {
    "due": "due",
    "scheduled": "scheduled",
    "start": "start",
    "created": "created",
    "completion": "done",
    "cancelled": "cancelled",
}
_SIGNS = "".join(_DATE_SIGNS) + "".join(_PRIORITY_SIGNS) + "🔁🏁🆔⛔"
_ID = "[a-zA-Z0-9_-]+"
_TASK_FIELD = re.compile(
    rf"(?P<sign>[{''.join(_DATE_SIGNS)}])\ufe0f?(?P<gap>[ \u00a0]*)(?P<link>\[\[)?(?P<date>{_DATE})(?![0-9])(?:(?(link)\]\]))"
    rf"|(?P<priority>[{''.join(_PRIORITY_SIGNS)}])\ufe0f?"
    r"|🔁\ufe0f? *(?P<rule>[a-zA-Z0-9,!][a-zA-Z0-9, !]*+)"
    r"|🏁\ufe0f? *(?P<then>[a-zA-Z]+)"
    rf"|🆔\ufe0f? *(?P<id>{_ID})"
    rf"|⛔\ufe0f? *(?P<depends>{_ID}(?: *, *{_ID})*+)"
    r"|\[ *(?P<key>[A-Za-z]+):: *(?P<value>(?:\[\[[^\[\]\n]*\]\]|[^\[\]\n])*+)\],?"
    r"|\( *(?P<key2>[A-Za-z]+):: *(?P<value2>[^()\n]*+)\),?"
    rf"|(?<!\S)#(?P<tag>{_TAG_CHARACTERS}+)"
)
_TASK_KEYS = frozenset(_DATE_KEYS) | {"priority", "repeat", "id", "dependson", "oncompletion"}
_LOST_SIGN = re.compile(rf"([📅📆🗓⏳⌛🛫])\ufe0f?+[ \u00a0]*+(?!(?:\[\[)?{_DATE})([^{_SIGNS}\n]*)")
_FIRST_SIGN = re.compile(rf"[{_SIGNS}\[(#]")
_ODD_RULE = re.compile(rf"🔁\ufe0f?+ *+([^{_SIGNS}#\[\n]*)")


@lru_cache(maxsize=16)
def _compile_heading(headings: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(
        r"[ \t]+".join(map(re.escape, heading.split())) for heading in headings if heading.strip()
    )
    # Begins with a literal, which the re module looks for at four times the speed.
    return re.compile(
        rf"\n#(#{{0,5}})[ \t]+[*_]*(?i:{names or '(?!)'})[*_]*[ \t]*:?[*_]*(?:[ \t]+(?:#+|\^\S+))?[ \t]*(?=\n|\Z)"
    )


@lru_cache(maxsize=6)
def _compile_next_heading(level: int) -> re.Pattern[str]:
    return re.compile(rf"\n#{{1,{level}}}[ \t]")


# --------------------------------------------------------------------------------------------------
# The whole


def parse_body(
    note: Note,
    log_headings: tuple[str, ...] = ("Log",),
    tasks_filter: str = "",
    daily: date | None = None,
) -> Body:
    """The log entries and tasks of a note's body; never raises.

    ``log_headings`` name the log, in any case; ``tasks_filter`` is the Tasks plugin's global filter
    (lines without it are no tasks); ``daily`` is the day of a daily note, in which ``- [[Acme]] call``
    under a log heading is that client's entry.
    """
    text = note.text
    start = note.body_start
    if "\r" in text:
        text = text.replace("\r\n", " \n").replace("\r", "\n")
    line = 1
    if start == 0:
        text, line = "\n" + text, 0  # so that the first line, too, begins behind a line end
    else:
        start -= 1
    hidden: list[tuple[int, int]] = []
    # One character is found ten times as fast as two or three.
    if ("`" in text or "~" in text or "%" in text or "<" in text) and (
        text.find("```", start) >= 0
        or text.find("%%", start) >= 0
        or text.find("<!--", start) >= 0
        or text.find("~~~", start) >= 0
    ):
        text = _blank_out(text, start, hidden)
    heading = _compile_heading(log_headings).search(text, start)
    boxes = _find_boxes(text, start)
    if heading is None and not boxes and not hidden:
        return _EMPTY
    reading = _Reading(note, text, line, daily)
    if heading is not None:
        reading.read_logs(heading, _compile_heading(log_headings))
    if boxes:
        reading.read_tasks(boxes, start, tasks_filter)
        if len(boxes) >= MAX_BOXES:
            reading.report_many_tasks(boxes[-1])
    if hidden:
        reading.report_hidden(hidden, log_headings)
    return Body(tuple(reading.entries), tuple(reading.tasks), tuple(reading.problems))


def _find_boxes(text: str, start: int) -> list[int]:
    """Offsets of everything like `` [x]`` that may be a task's box."""
    boxes: list[int] = []
    find = text.find
    at = find(" [", start)
    while at >= 0 and len(boxes) < MAX_BOXES:
        if text[at + 3 : at + 4] == "]":
            boxes.append(at)
        at = find(" [", at + 2)
    if "\t" not in text:
        return boxes
    at = find("\t[", start)
    while at >= 0 and len(boxes) < MAX_BOXES:
        if text[at + 3 : at + 4] == "]":
            boxes.append(at)
        at = find("\t[", at + 2)
    boxes.sort()
    return boxes


def _blank_out(text: str, start: int, unclosed: list[tuple[int, int]]) -> str:
    """The text with code blocks and comments as NULs; a fence never closed is added to ``unclosed``."""
    pieces = [text[:start]]
    position = start
    closes = {"%%": True, "-->": True}
    at = start
    while (found := _HIDER.search(text, at)) is not None:
        begin, at = found.span()
        sign = found[0]
        if sign.startswith(("```", "~~~")):
            end = _find_fence_end(text, begin, at, unclosed)
        elif sign == "%%":
            end = _find_percent_end(text, begin, closes)
        elif sign == "<!--":
            end = _find_closer(text, at, "-->", closes)
        else:
            continue
        if end < 0:
            code = _CODE_SPAN.match(text, begin)
            at = code.end() if code is not None else at
            continue
        pieces.append(text[position:begin])
        pieces.append(_NOT_NEWLINE.sub(_blank, text[begin:end]))
        position = at = end
    pieces.append(text[position:])
    return "".join(pieces)


def _blank(words: re.Match[str]) -> str:
    return "\0" * (words.end() - words.start())


def _find_closer(text: str, at: int, closer: str, closes: dict[str, bool]) -> int:
    """Where the closer ends, or -1; once there was none, it is not looked for again."""
    if not closes[closer]:
        return -1
    found = text.find(closer, at)
    closes[closer] = found >= 0
    return found + len(closer) if found >= 0 else -1


def _find_percent_end(text: str, begin: int, closes: dict[str, bool]) -> int:
    """Where a %% comment ends: on its line, or anywhere below if it begins its line; -1 if it is none."""
    line_end = text.find("\n", begin)
    same_line = text.find("%%", begin + 2, line_end if line_end >= 0 else len(text))
    if same_line >= 0:
        return same_line + 2
    line_start = text.rfind("\n", max(0, begin - 100), begin) + 1
    if not line_start or text[line_start:begin].strip(" \t>"):
        return -1
    return _find_closer(text, begin + 2, "%%", closes)


def _find_fence_end(text: str, begin: int, behind: int, unclosed: list[tuple[int, int]]) -> int:
    """Where a code block ends: behind its closing fence, with its quote or list item, or nowhere.

    -1 if no code block begins there: a fence stands first in its line, quote or list item.
    """
    line_start = text.rfind("\n", max(0, begin - 200), begin) + 1
    line_end = text.find("\n", behind)
    line_end = line_end if line_end >= 0 else len(text)
    lead = _FENCE_LEAD.fullmatch(text, line_start, begin) if line_start else None
    if lead is None or (text[begin] == "`" and text.find("`", behind, line_end) >= 0):
        return -1
    limit = _find_container_end(text, line_end, lead[0])
    closed = _compile_fence_end(text[begin], behind - begin).search(text, line_end, limit)
    if closed is not None:
        return closed.end()
    if limit == len(text):
        unclosed.append((begin, limit))
    return limit


@lru_cache(maxsize=64)
def _compile_fence_end(sign: str, length: int) -> re.Pattern[str]:
    return re.compile(rf"\n[ \t>]*+{sign}{{{length},}}[ \t]*+(?=\n|\Z)")


_LINE = re.compile(r"\n([ \t>]*)([^\n]*)")


def _find_container_end(text: str, at: int, lead: str) -> int:
    """The end of the quote or list item that a fence stands in; the text's end if it stands in none."""
    quoted = lead.count(">")
    bare = lead.strip(" \t>")
    depth = _find_depth(lead if not bare else lead[: lead.index(bare[0])] + " ")
    if not quoted and (not depth or (not bare and depth < 2)):
        return len(text)
    for line in _LINE.finditer(text, at):
        if line[1].count(">") < quoted:
            return line.start()
        if not quoted and line[2] and _find_depth(line[1]) < depth:
            return line.start()
    return len(text)


def _find_depth(indent: str) -> int:
    """How far a line is indented, in columns, behind the marks of quotes."""
    if ">" in indent:
        indent = indent[indent.rindex(">") + 1 :].removeprefix(" ")
    return len(indent.expandtabs(4)) if "\t" in indent else len(indent)


# A log entry as it stands: line, column, day and time as written, the rest of the line, the lines
# below it, a daily note's client.
_Block = tuple[int, int, str, str, str, list[str], str]


class _Reading:
    """The reading of one body in progress."""

    __slots__ = (
        "blank",
        "block",
        "blocks",
        "counted",
        "daily",
        "dashless",
        "days",
        "depth",
        "entries",
        "last_day",
        "line0",
        "note",
        "problems",
        "tasks",
        "text",
        "undated",
    )

    def __init__(self, note: Note, text: str, line0: int, daily: date | None) -> None:
        self.note = note
        self.text = text
        self.line0 = line0
        self.counted = 0, line0
        self.daily = daily
        self.entries: list[Entry] = []
        self.tasks: list[Task] = []
        self.problems: list[Problem] = []
        self.days: dict[int, str] = {}  # line of a task below an entry -> that entry's date
        self.blocks: list[_Block] = []
        self._reset()

    def _reset(self) -> None:
        """Outside any entry."""
        self.block: _Block | None = None
        self.depth = 0
        self.blank = True
        self.dashless = False  # whether the entry above lacks its dash
        self.last_day = ""
        self.undated: list[tuple[int, int, int, str]] = []

    def report(self, line: int, column: int, code: str, severity: str, message: str, hint: str) -> None:
        """Note a problem."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(self.note.path, line, column, code, severity, message, hint))

    def find_line(self, offset: int) -> int:
        """The line of an offset; cheap where the offsets asked for rise."""
        counted, line = self.counted if self.counted[0] <= offset else (0, self.line0)
        line += self.text.count("\n", counted, offset)
        self.counted = offset, line
        return line

    def _find_column(self, line: int, words: str) -> int:
        """The column at which words stand on a line; slow, for problems that will be shown only."""
        if len(self.problems) >= MAX_PROBLEMS:
            return 1
        start = -1
        for _ in range(line - self.line0):
            start = self.text.find("\n", start + 1)
        end = self.text.find("\n", start + 1)
        return max(self.text.find(words, start + 1, end if end >= 0 else len(self.text)) - start, 1)

    # ------------------------------------------------------------------------------------- the log

    def read_logs(self, heading: re.Match[str] | None, pattern: re.Pattern[str]) -> None:
        """Every section with a log's heading."""
        text = self.text
        while heading is not None:
            start = heading.end()
            following = _compile_next_heading(len(heading[1]) + 1).search(text, start)
            end = following.start() if following is not None else len(text)
            line = self.find_line(start)
            if end - start > MAX_LOG:
                end = text.rfind("\n", start, start + MAX_LOG)
                self._report_long_log(line)
            self._reset()
            self._read_lines(start, end, line)
            self._report_undated()
            heading = pattern.search(text, following.start()) if following is not None else None
        self._build_entries()

    def _report_long_log(self, line: int) -> None:
        self.report(
            line,
            1,
            "log-too-long",
            ERROR,
            f"This log is longer than {MAX_LOG:,} characters; only its beginning is read.",
            "Move old entries into a note of their own.",
        )

    def _read_lines(self, start: int, end: int, line: int) -> None:
        """The lines of one log: the plain entry here, everything else one call further."""
        blocks = self.blocks
        plain: _Block | None = None  # the entry above, if this loop made it and the object does not know yet
        for indent, mark, hashes, box, day, time, rest in _LOG_LINE.findall(self.text, start, end):
            line += 1
            if day and mark and not indent and not box:
                plain = (line, 1, day, time, rest, [], "")
                blocks.append(plain)
                continue
            if plain is not None:
                self.block, self.depth, self.blank, self.last_day = plain, 0, False, plain[2]
                self.dashless = False
                plain = None
            if rest or day or mark or hashes or box:
                self._read_other(line, indent, mark, hashes, box, day, time, rest)
            else:
                self.blank = True

    def _read_other(
        self, line: int, indent: str, mark: str, hashes: str, box: str, day: str, time: str, rest: str
    ) -> None:
        blank, self.blank = self.blank, False
        if not (rest.strip(" \t\0") or day or mark or box or hashes):
            self.blank = True  # blanks, or a blanked-out line
            return
        column = len(indent) + 1
        if hashes:
            self._read_heading(line, column, day, time, rest)
        elif mark and box and (not day or box not in "xX" or self._is_inside(indent)):
            self._read_box(line, indent)
        elif mark and self._is_inside(indent) and not (day and self.depth < 0):
            self._append(f"{mark} {_join(box, day, time, rest)}")
        elif mark and day:
            self._begin((line, column, day, time, rest, [], ""), _find_depth(indent))
        elif mark:
            self._read_wrapped(line, indent, _join(box, day, time, rest))
        else:
            self._read_paragraph(line, indent, blank, box, day, time, rest)

    def _is_inside(self, indent: str) -> bool:
        """Whether a line so indented belongs to the entry above it."""
        return self.block is not None and _find_depth(indent) > self.depth

    def _append(self, words: str) -> None:
        words = words.replace("\0", "").strip()
        if self.block is not None and words:
            self.block[5].append(words)

    def _begin(self, block: _Block, depth: int) -> None:
        """A new entry; an undated item above it that is indented less was only its heading."""
        if self.undated and self.undated[-1][2] < depth and self.block is None:
            self.undated.pop()
        self.block = block
        self.blocks.append(block)
        self.depth = depth
        self.last_day = block[2]
        self.dashless = False

    def _read_heading(self, line: int, column: int, day: str, time: str, rest: str) -> None:
        """A heading inside the log: with a date an entry, else it only groups."""
        self._report_undated()
        self.block = None
        self.last_day = ""
        if day:
            self._begin((line, column, day, time, rest, [], ""), -1)
        elif (wrapped := _WRAPPED_DATE.match(rest)) is not None:
            self._begin(_wrap_block(line, column, wrapped, rest), -1)
        elif suggest_dates(rest):
            self._report_date(line, rest)

    def _read_box(self, line: int, indent: str) -> None:
        """A task: the lines below it are its own; it knows the entry above it."""
        if self.last_day:
            self.days[line] = self.last_day
        if not self._is_inside(indent):
            self.block = None

    def _read_wrapped(self, line: int, indent: str, rest: str) -> None:
        """A list item that begins with no plain date: a linked or bold one, a link, or none."""
        column = len(indent) + 1
        depth = _find_depth(indent)
        wrapped = _WRAPPED_DATE.match(rest)
        if wrapped is not None:
            self._begin(_wrap_block(line, column, wrapped, rest), depth)
            return
        if self.daily is not None:
            self._read_daily(line, column, depth, rest)
            return
        self.block = None
        if suggest_dates(rest) or _compile_other_date().match(rest) or _PLAIN_DATE.match(rest):
            self._report_date(line, rest)
        elif not _RULE.fullmatch(rest):
            self.undated.append((line, column, depth, rest))

    def _read_daily(self, line: int, column: int, depth: int, rest: str) -> None:
        """An item of a daily note's log: an entry if it begins with a link, else not ours."""
        found = _DAILY_ENTRY.match(rest)
        if found is None or self.daily is None:
            self.block = None
            return
        day = self.daily.isoformat()
        client = _strip_target(found[2])
        self._begin((line, column, day, found[1] or "", rest[found.end() :], [], client), depth)

    def _read_paragraph(
        self, line: int, indent: str, blank: bool, box: str, day: str, time: str, rest: str
    ) -> None:
        """A line that is no list item: of the entry above it, or an entry that lacks its dash."""
        belongs = self.block is not None and (not blank or self.depth < 0 or _find_depth(indent) > self.depth)
        if belongs and not (day and (self.dashless or (blank and self.depth < 0))):
            self._append(_join(box, day, time, rest))
            return
        self.block = None
        if day and (blank or self.dashless):
            self._begin((line, len(indent) + 1, day, time, rest, [], ""), 0)
            self.dashless = True
            self.report(
                line,
                len(indent) + 1,
                "log-without-dash",
                WARNING,
                "This line of the log begins with a date but not with a dash; it was read as an entry.",
                f"Write `- {day}` at its beginning, so that every program sees a list item.",
            )

    def _report_undated(self) -> None:
        for line, column, _, rest in self.undated:
            self.report(
                line,
                column,
                "log-without-date",
                WARNING,
                f"The log item `{_shorten(rest)}` has no date, so it counts for nothing.",
                "Begin it with the day, for example `- 2026-11-20 call: …`.",
            )
        self.undated.clear()

    def _report_date(self, line: int, rest: str) -> None:
        found = _compile_other_date().match(rest) or _PLAIN_DATE.match(rest)
        words = found[0] if found is not None else rest[:20]
        self.report(
            line,
            self._find_column(line, words),
            "bad-date",
            ERROR,
            f"`{words}` cannot be read as a date, so this log item counts for nothing.",
            _hint_date(rest),
        )

    # ------------------------------------------------------------------------------------- entries

    def _build_entries(self) -> None:
        """Entries from blocks: the plain ones, ``call: words``, in the loop; parts of others by calls."""
        append = self.entries.append
        new, read_day, find_channel = tuple.__new__, date.fromisoformat, CHANNELS.get
        tags: tuple[str, ...]
        fields: tuple[tuple[str, str], ...]
        for line, column, day_text, time, rest, more, client in self.blocks:
            try:
                day = read_day(day_text)
            except ValueError:
                self._report_impossible(line, day_text)
                continue
            head, colon, text = rest.partition(":")
            channel = find_channel(head[1:])
            text = text.strip()
            attempt, outcome, minute, tags, fields = False, "", None, (), ()
            if channel is None or not colon or time or text[:3].casefold() in _ATTEMPT_HEADS:
                minute, rest = _read_time(time, rest)
                channel, attempt, outcome, text = _read_words(rest)
            if more:
                text = "\n".join([text, *more]) if text else "\n".join(more)
            if "\0" in text:
                text = text.replace("\0", "").strip()
            said = f"{outcome} {text}" if outcome else text
            if "#" in said:
                tags = _find_tags(said)
            if "::" in said or (not said.isascii() and _DUE_SIGN.search(said) is not None):
                fields = self._find_fields(line, said)
            append(
                new(
                    Entry,
                    (line, column, day, minute, channel, attempt, outcome, text, tags, fields, client, ""),
                )
            )

    def _report_impossible(self, line: int, day: str) -> None:
        self.report(
            line,
            self._find_column(line, day),
            "bad-date",
            ERROR,
            f"There is no day {day}, so this line counts for nothing.",
            "Look up the day and write it as year-month-day.",
        )

    def _find_fields(self, line: int, text: str) -> tuple[tuple[str, str], ...]:
        """Inline fields, and the day of a 📅 as ``due``."""
        if "`" in text:
            text = _CODE_SPAN.sub("", text)
        fields = [
            ((found[1] or found[3]).strip().casefold(), (found[2] or found[4] or "").strip())
            for found in _INLINE_FIELD.finditer(text)
        ]
        for sign in _DUE_SIGN.finditer(text):
            if sign[1] and _read_day(sign[1]):
                fields.append(("due", sign[1]))
                continue
            at = line + text.count("\n", 0, sign.start())
            self._report_sign(
                at,
                self._find_column(at, sign[0][0]),
                sign[0][0],
                text[sign.end(0) :] if not sign[1] else sign[1],
            )
        return tuple(fields)

    def _report_sign(self, line: int, column: int, sign: str, words: str) -> None:
        words = words.strip()
        looks = bool(words) and (words[0].isdigit() or bool(_compile_other_date().match(words)))
        self.report(
            line,
            column,
            "bad-date",
            ERROR if looks else WARNING,
            f"No date that can be read stands behind {sign}" + (f": `{_shorten(words)}`." if words else "."),
            _hint_date(words),
        )

    # --------------------------------------------------------------------------------------- tasks

    def read_tasks(self, boxes: Iterable[int], start: int, tasks_filter: str) -> None:
        """The tasks whose boxes stand at the given offsets."""
        text = self.text
        seen = -1
        for box in boxes:
            # An indent of more than 200 characters is no task's: keeps one endless line from being slow.
            begin = text.rfind("\n", max(start, box - 200), box) + 1
            if not begin or begin == seen:
                continue
            found = _TASK_LINE.match(text, begin)
            if found is None or not begin <= box < found.end(1) + 14:
                continue
            seen = begin
            self._read_task(found, self.find_line(begin), tasks_filter)

    def report_many_tasks(self, offset: int) -> None:
        """Say where the tasks end that were read."""
        self.report(
            self.find_line(offset),
            1,
            "too-many-tasks",
            ERROR,
            f"This note holds more than {MAX_BOXES:,} tasks; those from here on are not read.",
            "Move tasks into other notes.",
        )

    def _read_task(self, found: re.Match[str], line: int, tasks_filter: str) -> None:
        indent, rest = found[1], found[4]
        mark = found[2] or found[3]
        if tasks_filter and tasks_filter not in rest:
            return
        if "\0" in rest:
            rest = rest.replace("\0", "")
        fields = _TaskFields(rest)
        if mark.isdigit() and not fields.dates:
            return  # `- [1] …` is a footnote or a reference, unless it has a task's date
        dates = fields.dates
        ticked = mark in "xX-"
        done, cancelled = fields.take("done", ticked), fields.take("cancelled", ticked)
        is_open = not ticked and done is None and cancelled is None
        text = fields.find_text()
        if is_open and (fields.hidden or fields.bad or fields.lost):
            self._report_fields(line, fields)
        entry_day = self.days.get(line)
        self.tasks.append(
            Task(
                line,
                len(indent) + 1,
                mark,
                is_open,
                text,
                _find_tags(rest) if "#" in rest else (),
                dates.get("due"),
                dates.get("scheduled"),
                dates.get("start"),
                dates.get("created"),
                done,
                cancelled,
                fields.rule,
                fields.priority,
                fields.id,
                fields.depends_on,
                _read_day(entry_day) if entry_day else None,
                find_links(text) if "](" in text or "[[" in text else (),
                fields.block,
            )
        )

    def _report_fields(self, line: int, fields: _TaskFields) -> None:
        """Name the dates of an open task that the plugin would hide, or that are none."""
        for words, name in fields.hidden:
            self.report(
                line,
                self._find_column(line, words),
                "hidden-field",
                WARNING,
                f"The Tasks plugin does not see `{words}`, because of what stands behind it or inside it.",
                f"Move it to the end of the line ({name} counts here all the same).",
            )
        for words in fields.bad:
            self._report_impossible(line, words)
        for sign, words in fields.lost:
            self._report_sign(line, self._find_column(line, sign), sign, words)

    # -------------------------------------------------------------------------------- hidden parts

    def report_hidden(self, unclosed: list[tuple[int, int]], log_headings: tuple[str, ...]) -> None:
        """Warn of a code block without an end that hides a log or tasks."""
        source = self.note.text.replace("\r\n", " \n").replace("\r", "\n")
        source = source if self.line0 else "\n" + source
        for start, end in unclosed:
            if _compile_heading(log_headings).search(source, start, end) or any(
                _TASK_LINE.match(source, source.rfind("\n", start, box) + 1)
                for box in _find_boxes(source, start)
            ):
                line_start = source.rfind("\n", 0, start)
                self.report(
                    self.find_line(start),
                    start - line_start,
                    "unclosed-code",
                    WARNING,
                    "This code block is never closed, so the log and the tasks below it are not read.",
                    f"Write a line with {source[start : start + 3]} where the code ends.",
                )


def _wrap_block(line: int, column: int, wrapped: re.Match[str], rest: str) -> _Block:
    day = wrapped[1] or wrapped[2] or wrapped[3]
    return (line, column, day, wrapped[4] or "", rest[wrapped.end() :], [], "")


def _join(box: str, day: str, time: str, rest: str) -> str:
    """The words of a line whose parts turned out to mean nothing."""
    words = f"[{box}] " if box else ""
    if day:
        words += f"{day} {time}" if time else day
    return words + rest


def _shorten(words: str) -> str:
    words = words.strip()
    return words if len(words) <= 40 else f"{words[:39]}…"


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _read_time(time: str, rest: str) -> tuple[int | None, str]:
    """Minutes after midnight, and the rest without an end time and am or pm."""
    if not time:
        return None, rest
    hour, minute = map(int, time.split(":"))
    if (half := _HALF_DAY.match(rest)) is not None and hour <= 12:
        rest = rest[half.end() :]
        hour = hour % 12 + (12 if half[1] in "pP" else 0)
    if hour > 23 or minute > 59:
        return None, f" {time}{rest}"
    if (until := _END_TIME.match(rest)) is not None:
        rest = rest[until.end() :]
    return hour * 60 + minute, rest


def _read_words(rest: str) -> tuple[str | None, bool, str, str]:
    """Channel, whether an attempt, outcome, text of what follows the date and time."""
    words = rest.strip(" \t\0*_").lstrip(":,;–—- \t")
    phrase, end = _match_phrase(words, CHANNELS)
    attempt, attempt_end = _match_attempt(words)
    if attempt and attempt_end > end:
        return None, True, attempt, _strip_separator(words[attempt_end:]) or words
    if not phrase:
        outcome, behind = _take_bracket(words)
        if outcome and (_match_attempt(outcome, bracketed=True)[0] or behind.startswith(":")):
            return None, bool(_match_attempt(outcome, True)[0]), outcome, _strip_separator(behind)
        return None, False, "", words
    channel = CHANNELS[phrase]
    behind = words[end:].lstrip(" \t")
    outcome, behind = _take_bracket(behind)
    if outcome:
        text = _strip_separator(behind)
        said = _match_attempt(outcome, bracketed=True)[0] or _match_attempt(text)[0]
        return channel, bool(said), outcome, text
    text = _strip_separator(behind)
    attempt, attempt_end = _match_attempt(text)
    if attempt:
        shown = _strip_separator(text[attempt_end:]) if text[attempt_end:].lstrip().startswith(":") else text
        return channel, True, attempt, shown
    # `called Anna about it`: without a colon the channel's word is part of the sentence.
    return channel, False, "", text if text != behind or not behind else words


def _strip_separator(text: str) -> str:
    return text.lstrip(":,;–—- \t").rstrip()


def _take_bracket(text: str) -> tuple[str, str]:
    """What stands in brackets at the beginning, and what follows; ("", text) without brackets."""
    if not text.startswith("(") or "::" in text.partition(")")[0]:
        return "", text
    inside, close, behind = text[1:].partition(")")
    return (inside.strip(), behind.lstrip(" \t")) if close else ("", text)


def _find_tags(text: str) -> tuple[str, ...]:
    """Tags in lower case without #, each once, outside inline code."""
    if "`" in text:
        text = _CODE_SPAN.sub("", text)
    tags = (tag.strip("/-").casefold() for tag in _TAG.findall(text))
    return tuple(dict.fromkeys(tag for tag in tags if tag and not tag.isdigit()))


def find_links(text: str) -> tuple[str, ...]:
    """The targets of a text's links to notes, without heading, block and shown words; each once."""
    targets = [_strip_target(target) for target in _WIKILINK.findall(text)]
    for target in _MARKDOWN_LINK.findall(text):
        if "://" not in target and not target.startswith(("mailto:", "tel:", "#")):
            targets.append(_decode_target(target.partition("#")[0]))
    return tuple(dict.fromkeys(target for target in targets if target))


def _strip_target(link: str) -> str:
    return link.partition("|")[0].partition("#")[0].partition("^")[0].strip()


def _decode_target(target: str) -> str:
    if "%" not in target:
        return target
    from urllib.parse import unquote

    return unquote(target)


class _TaskFields:
    """The fields of one task line, taken off its end as the Tasks plugin does (REAL-NOTES 5.1, 5.3).

    ``hidden`` are dates that the plugin would not see, with their field's name; ``bad`` dates that do
    not exist; ``lost`` signs without a readable date, with the words behind them.
    """

    __slots__ = (
        "bad",
        "block",
        "dates",
        "depends_on",
        "hidden",
        "id",
        "lost",
        "priority",
        "rule",
        "spans",
        "unsure",
        "words",
    )

    def __init__(self, rest: str) -> None:
        self.dates: dict[str, date] = {}
        self.unsure: dict[str, date] = {}
        self.hidden: list[tuple[str, str]] = []
        self.bad: list[str] = []
        self.lost: list[tuple[str, str]] = []
        self.rule: str | None = None
        self.priority = ""
        self.id = ""
        self.depends_on: tuple[str, ...] = ()
        self.block = ""
        self.spans: list[tuple[int, int]] = []
        if "^" in rest and (block := _BLOCK_ID.search(rest)) is not None:
            self.block = block[1]
            rest = rest[: block.start()]
        self.words = rest
        first = _FIRST_SIGN.search(rest)
        if first is None:
            return
        if "`" in rest:
            rest = _CODE_SPAN.sub(lambda code: "\0" * len(code[0]), rest)
        self._peel(rest, first.start())
        if _LOST_SIGN.search(rest) is not None:
            self.lost = [(found[1], found[2]) for found in islice(_LOST_SIGN.finditer(rest), MAX_PROBLEMS)]
        if self.rule is None and (odd := _ODD_RULE.search(rest)) is not None:
            self.rule = odd[1].strip()

    def _peel(self, rest: str, first: int) -> None:
        """Take field after field off the end; what is left of unknown words is hidden from the plugin."""
        end = len(rest.rstrip(" \t"))
        peeling = True
        for found in reversed(list(_TASK_FIELD.finditer(rest, first))):
            key = found["key"] or found["key2"]
            if key and key.casefold() not in _TASK_KEYS:
                continue
            peeling = peeling and not rest[found.end() : end].strip(" \t")
            if peeling:
                end = found.start()
            if found["tag"]:
                if peeling:
                    self.spans.append(found.span())
                continue
            self._take(found, key, peeling)

    def _take(self, found: re.Match[str], key: str | None, peeling: bool) -> None:
        """Use one field; of equal ones that the plugin sees the left one counts, so later calls win."""
        if found["sign"]:
            seen = peeling and "\u00a0" not in found["gap"] and not found["link"]
            self._take_date(found, _DATE_SIGNS[found["sign"]], found["date"], seen)
        elif key:
            value = (found["value"] if found["key"] else found["value2"]).strip()
            self._take_value(found, key.casefold(), value, peeling)
        elif peeling or not found["priority"]:
            self._take_word(found)

    def _take_value(self, found: re.Match[str], key: str, value: str, peeling: bool) -> None:
        self.spans.append(found.span())
        name = _DATE_KEYS.get(key)
        if name is not None:
            day = _PLAIN_DATE.search(value)
            if day is not None and value.strip("[]") == day[0]:
                self._take_date(found, name, day[0], peeling and value == day[0])
            elif value:
                self.lost.append((found[0], value))
        elif key == "repeat":
            self.rule = value
        elif key == "id":
            self.id = value
        elif key == "dependson":
            self.depends_on = _split_ids(value)
        elif key == "priority" and value.casefold() in _PRIORITIES:
            self.priority = value.casefold()

    def _take_word(self, found: re.Match[str]) -> None:
        self.spans.append(found.span())
        if found["priority"]:
            self.priority = _PRIORITY_SIGNS[found["priority"]]
        elif found["rule"]:
            self.rule = found["rule"].strip()
        elif found["id"]:
            self.id = found["id"]
        elif found["depends"]:
            self.depends_on = _split_ids(found["depends"])

    def _take_date(self, found: re.Match[str], name: str, words: str, seen: bool) -> None:
        day = _read_day(words)
        if day is None:
            self.bad.append(words)
            self.spans.append(found.span())
        elif seen:
            self.dates[name] = day
            self.spans.append(found.span())
        elif name in ("done", "cancelled"):
            self.unsure[name] = day  # closes nothing by itself: no follow-up is lost
        else:
            self.hidden.append((found[0].strip(), name))
            if name not in self.dates:
                self.dates[name] = day
                self.spans.append(found.span())

    def take(self, name: str, ticked: bool) -> date | None:
        """The done or cancelled date; one that the plugin does not see only if the box is ticked."""
        return self.dates.get(name) or (self.unsure.get(name) if ticked else None)

    def find_text(self) -> str:
        """The description: the words without the fields and the tags behind them."""
        if not self.spans:
            return self.words.strip()
        pieces = []
        position = 0
        for start, end in sorted(self.spans):
            if start > position:
                pieces.append(self.words[position:start].strip())
            position = max(position, end)
        pieces.append(self.words[position:].strip())
        return " ".join(filter(None, pieces))


def _split_ids(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))
