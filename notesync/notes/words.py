"""Words of a log entry -> channel, outcome, whether it was an attempt, and what is left as its text.

In: what follows an entry's date.  Out: what everyday words mean.  Must not know: lines, notes, dates.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

_CHANNEL_WORDS = {
    "call": (
        "call,calls,called,calling,phone,phoned,telephone,telephoned,tel,rang,ring,rang up,phone call,telephone call,"
        "cold call,called back,call back,callback,spoke,spoken,spoke with,spoke to,talked,talked to,talked with,"
        "conference call,dialled"
    ),
    "visit": (
        "visit,visits,visited,visiting,site visit,on site,on-site,met,meet,meeting,meetings,met with,in person,"
        "in-person,face to face,face-to-face,demo,demos,demonstration,lunch,coffee,breakfast,dinner,appointment,"
        "stopped by,dropped in,dropped by,drop in,came by,came in,showroom"
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
_BARE_ATTEMPTS = (
    "not in,not home,engaged,busy,bounced,cancelled,canceled,unavailable,tried,postponed,missed,"
    "missed call,away,out"
)
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

# The first three letters, in any case (casefold turns a long ſ into an s), tell at the cost of one look
# whether a text may begin with an attempt.
ATTEMPT_HEADS = frozenset(
    "".join(letters)
    for head in {phrase[:3] for phrase in ATTEMPTS}
    for letters in product(*((letter, letter.upper(), *("ſ" * (letter == "s"))) for letter in head))
)


@lru_cache(maxsize=1)
def _compile_words() -> re.Pattern[str]:
    return re.compile(r"[^\W_][\w'’-]*+(?:[ \t]+[^\W_][\w'’-]*+){0,3}")


@lru_cache(maxsize=1)
def _compile_word() -> re.Pattern[str]:
    return re.compile(r"[^ \t]+")


@lru_cache(maxsize=1)
def _compile_half_day() -> re.Pattern[str]:
    return re.compile(r"[ \t]*([ap])\.?m\b\.?", re.IGNORECASE)


@lru_cache(maxsize=1)
def _compile_end_time() -> re.Pattern[str]:
    return re.compile(r"[ \t]*[-–][ \t]*[0-9]{1,2}:[0-9]{2}(?![0-9])")


def find_channel(text: str) -> str:
    """The canonical channel of a word or phrase; a word that is not known comes back as it is."""
    words = " ".join(text.split())
    return CHANNELS.get(words.casefold(), words)


def _match_phrase(text: str, phrases: dict[str, str] | dict[str, bool]) -> tuple[str, int]:
    """The longest phrase that the text begins with, and where it ends; ("", 0) if none."""
    words = _compile_words().match(text)
    if words is None:
        return "", 0
    ends = [word.end() for word in _compile_word().finditer(words[0])]
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
    following = _compile_words().match(behind)
    if following is None or following[0].split()[0].casefold() in _AFTER_BARE:
        return phrase, end
    return "", 0


def _read_time(time: str, rest: str) -> tuple[int | None, str]:
    """Minutes after midnight, and the rest without an end time and am or pm."""
    if not time:
        return None, rest
    hour, minute = map(int, time.split(":"))
    if (half := _compile_half_day().match(rest)) is not None and hour <= 12:
        rest = rest[half.end() :]
        hour = hour % 12 + (12 if half[1] in "pP" else 0)
    if hour > 23 or minute > 59:
        return None, f" {time}{rest}"
    if (until := _compile_end_time().match(rest)) is not None:
        rest = rest[until.end() :]
    return hour * 60 + minute, rest


def read_rest(time: str, rest: str) -> tuple[int | None, str | None, bool, str, str]:
    """Minute, channel, whether an attempt, outcome, text of what follows an entry's date."""
    if not time:
        head, colon, text = rest.partition(":")
        if colon and head[1:] in CHANNELS:
            text = text.strip()
            if text[:3] not in ATTEMPT_HEADS:
                return None, CHANNELS[head[1:]], False, "", text
        elif colon and len(head) <= _LONGEST_HEAD and (known := _read_head(head)) is not None:
            text = text.rstrip(" \t\0").rstrip().lstrip(" \t")
            if text[:3] not in ATTEMPT_HEADS:
                return None, *known, text
    minute, rest = _read_time(time, rest)
    return minute, *_read_words(rest)


_LONGEST_HEAD = 40


@lru_cache(maxsize=1024)
def _read_head(head: str) -> tuple[str, bool, str] | None:
    """Channel, whether an attempt, outcome of ` call (no answer)`; None if there is more or less to it.

    It stands before the entry's first colon: a log has the same few again and again.
    """
    words = head.lstrip(" \t\0")
    phrase, end = _match_phrase(words, CHANNELS)
    if not phrase or _match_attempt(words)[1] > end:
        return None
    outcome, behind = _take_bracket(words[end:].lstrip(" \t"))
    if behind.strip(" \t"):
        return None
    return CHANNELS[phrase], bool(outcome and _match_attempt(outcome, bracketed=True)[0]), outcome


def _read_words(rest: str) -> tuple[str | None, bool, str, str]:
    """Channel, whether an attempt, outcome, text of what follows the date and time."""
    said = _strip_separator(rest.strip(" \t\0"))
    words = _strip_emphasis(said)
    phrase, end = _match_phrase(words, CHANNELS)
    attempt, attempt_end = _match_attempt(words)
    if attempt and attempt_end > end:
        return None, True, attempt, _strip_separator(words[attempt_end:]) or words
    if not phrase:
        outcome, behind = _take_bracket(words)
        if outcome and (_match_attempt(outcome, bracketed=True)[0] or behind.startswith(":")):
            return None, bool(_match_attempt(outcome, True)[0]), outcome, _strip_separator(behind)
        return None, False, "", said
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


@lru_cache(maxsize=1)
def _compile_separator() -> re.Pattern[str]:
    return re.compile(r"[ \t]*+(?:[:,;–—]|--?+(?=[ \t]|\Z))?+[ \t]*+")


def _strip_separator(text: str) -> str:
    """The text behind one colon, comma or dash: a second one, or that of `-5 %`, is its own."""
    if text[:1] in (":", ",", ";", "–", "—", "-", " ", "\t"):
        separator = _compile_separator().match(text)
        text = text[separator.end() :] if separator is not None else text
    return text.rstrip()


def _strip_emphasis(text: str) -> str:
    """A text whose first words are bold or italic, without the signs of it."""
    bare = text.lstrip("*_")
    return bare.removesuffix(text[: len(text) - len(bare)]) if len(bare) < len(text) else text


def _take_bracket(text: str) -> tuple[str, str]:
    """What stands in brackets at the beginning, and what follows; ("", text) without brackets."""
    if not text.startswith("(") or "::" in text.partition(")")[0]:
        return "", text
    inside, close, behind = text[1:].partition(")")
    return (inside.strip(), behind.lstrip(" \t")) if close else ("", text)
