"""What a terminal must not get from a note, for the tests of what is shown."""

from __future__ import annotations

import re

# What moves a cursor, rings, or turns writing round; line ends and nothing else are ours.
_RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def find_raw(text: str) -> list[str]:
    """The characters of ``text`` that are raw."""
    return _RAW.findall(text)
