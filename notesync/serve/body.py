"""Bytes to be sent again and again in, what a client that has them needs to hear out; knows no server.

A body is made once when the bytes change: plain and packed, each with a strong entity tag that is a hash of
exactly the bytes sent.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import NamedTuple


class Body(NamedTuple):
    """Bytes plain and packed, each with its entity tag, and the second since which they are so."""

    plain: bytes
    tag: str
    packed: bytes
    packed_tag: str
    modified: int


class Answer(NamedTuple):
    """What to send: a status, the headers that depend on the body, and the body."""

    status: int
    headers: dict[str, str]
    content: bytes


def build_body(data: bytes, now: float, before: Body | None = None) -> Body:
    """A body of these bytes; the one ``before`` where they are the same.

    Two bodies never share a second, which is all that ``If-Modified-Since`` can tell apart; nor is one dated
    before it was made, so that whoever got the last one in this very second, also from a process before us, is
    not told that they have this one.
    """
    if before is not None and before.plain == data:
        return before
    packed = gzip.compress(data, 6, mtime=0)
    modified = max(int(now) + 1, 0 if before is None else before.modified + 1)
    return Body(data, _build_tag(data), packed, _build_tag(packed), modified)


def _build_tag(data: bytes) -> str:
    return f'"{sha256(data).hexdigest()[:32]}"'


def build_answer(body: Body, headers: Mapping[str, str], now: float) -> Answer:
    """What a GET with these headers (names in small letters) is answered with."""
    packs = accepts_gzip(headers.get("accept-encoding", ""))
    tag, content = (body.packed_tag, body.packed) if packs else (body.tag, body.plain)
    told = {"ETag": tag, "Vary": "Accept-Encoding"}
    if body.modified <= now:  # RFC 9110 8.8.2.1: never later than the message
        told["Last-Modified"] = format_datetime(datetime.fromtimestamp(body.modified, UTC), usegmt=True)
    if is_known(headers, tag, body.modified, now):
        return Answer(304, told, b"")
    if packs:
        told["Content-Encoding"] = "gzip"
    return Answer(200, told, content)


def accepts_gzip(header: str) -> bool:
    """Whether ``Accept-Encoding`` has gzip, by name or by ``*``, and not at a weight of nothing."""
    weights = {}
    for part in header.lower().split(","):
        coding, _, weight = part.replace(" ", "").partition(";q=")
        weights[coding] = weight
    found = weights.get("gzip", weights.get("x-gzip", weights.get("*", "0")))
    return re.fullmatch(r"0(\.0*)?", found) is None


def is_known(headers: Mapping[str, str], tag: str, modified: int, now: float) -> bool:
    """Whether the client has the body: by ``If-None-Match`` if it sends one, else by ``If-Modified-Since``.

    Tags are compared weakly, as RFC 9110 13.1.2 wants: a proxy may have marked ours as weak.  A time that is
    still to come is no time at which anybody has seen anything.
    """
    if (wanted := headers.get("if-none-match")) is not None:
        return wanted.strip() == "*" or tag in re.findall(r'"[^"]*"', wanted)
    try:
        since = parsedate_to_datetime(headers.get("if-modified-since", ""))
        return modified <= since.replace(tzinfo=since.tzinfo or UTC).timestamp() <= now
    except (ValueError, OverflowError):
        return False
