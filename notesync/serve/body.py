"""Bytes to be sent again and again in, what a client that has them needs to hear out; knows no server.

A body is made once when the bytes change, each of its two forms with a strong entity tag: a hash of the plain bytes,
and for the packed ones also of what packs them, so that equal tags are equal bytes and nothing is packed to compare
one.
"""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from threading import Lock
from typing import NamedTuple

_LEVEL = 6
_PACKER = f"gzip {_LEVEL} {zlib.ZLIB_RUNTIME_VERSION} {sys.version} {sys.platform}".encode()


class Body:
    """Bytes plain and packed, each with its entity tag, and the second since which they are so.

    They are packed when somebody first wants them so: most states of a calendar are never fetched.
    """

    def __init__(self, plain: bytes, modified: int) -> None:
        found = sha256(plain)
        self.plain = plain
        self.tag = _build_tag(found.hexdigest())
        found.update(_PACKER)
        self.packed_tag = _build_tag(found.hexdigest())
        self.modified = modified
        self._lock = Lock()
        self._packed: bytes | None = None

    @property
    def packed(self) -> bytes:
        """The bytes packed; of several who ask at once, from whatever thread, one packs them."""
        with self._lock:
            if self._packed is None:
                self._packed = gzip.compress(self.plain, _LEVEL, mtime=0)
            return self._packed

    @property
    def is_packed(self) -> bool:
        """Whether :attr:`packed` is there at once."""
        return self._packed is not None


def _build_tag(digest: str) -> str:
    return f'"{digest[:32]}"'


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
    return Body(data, max(int(now) + 1, 0 if before is None else before.modified + 1))


def build_answer(body: Body, headers: Mapping[str, str], now: float) -> Answer:
    """What a GET with these headers (names in small letters) is answered with."""
    packs = accepts_gzip(headers.get("accept-encoding", ""))
    tag = body.packed_tag if packs else body.tag
    told = {"ETag": tag, "Vary": "Accept-Encoding"}
    if body.modified <= now:  # RFC 9110 8.8.2.1: never later than the message
        told["Last-Modified"] = format_datetime(datetime.fromtimestamp(body.modified, UTC), usegmt=True)
    if is_known(headers, tag, body.modified, now):
        return Answer(304, told, b"")
    if packs:
        told["Content-Encoding"] = "gzip"
    return Answer(200, told, body.packed if packs else body.plain)


def must_pack(body: Body, headers: Mapping[str, str], now: float) -> bool:
    """Whether the answer to these headers has to wait until the body is packed."""
    return (
        not body.is_packed
        and accepts_gzip(headers.get("accept-encoding", ""))
        and not is_known(headers, body.packed_tag, body.modified, now)
    )


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
