"""The blocks of a note that notesync generates, between marks -> found, checked, and taken from one version whole.

In: a note's text, or the bytes of several versions of it.  Out: its blocks, the same versions with one and the same
blocks.  Must not know: what a block says, who writes it, the disk.

Each opening mark has a digest of what stands behind it, so that a block which a person has changed is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

BLOCK = re.compile(
    r"%% notesync figures: ([a-z]+) ([0-9a-f]{16}) %%(\r\n|\r|\n)(.*?)%% notesync end: \1 %%", re.DOTALL
)
"""A block: its name, digest, line end, and what it says."""
MARK = re.compile(r"%% notesync (?:figures|end): ")

_MOST_MARKS = 20  # a block is looked for from each opening mark to the end of the text


def wrap_block(name: str, block: str) -> str:
    """What a block says between its marks."""
    return f"%% notesync figures: {name} {digest_block(block)} %%\n{block}%% notesync end: {name} %%"


def digest_block(block: str) -> str:
    """The same whatever the line ends, and blanks before them: sync programs and editors change those."""
    lines = [line.rstrip() for line in re.split(r"\r\n|\r|\n", block.strip())]
    return sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def choose_blocks(versions: Sequence[bytes]) -> dict[str, str]:
    """The blocks that several versions of a note are to have: those of one of them, the same in whatever order.

    None unless all have blocks of the same names, and no person has changed any: then each place is for a merge.
    """
    found = [_read_blocks(data) for data in versions]
    if any(each.keys() != found[0].keys() for each in found):
        return {}
    return max(found, key=lambda blocks: sorted(blocks.items()), default={})


def put_blocks(data: bytes, blocks: Mapping[str, str]) -> bytes:
    """A version with these blocks in place of its own; as it is where it has others, or a person changed them."""
    if not blocks or _read_blocks(data).keys() != blocks.keys():
        return data
    return BLOCK.sub(lambda block: blocks[block[1]].replace("\n", block[3]), data.decode()).encode()


def _read_blocks(data: bytes) -> dict[str, str]:
    """A note's blocks with their marks, by name; nothing where any of them is not as it was made."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {}
    marks = len(MARK.findall(text)) if "%% notesync " in text else 0
    if not 0 < marks <= _MOST_MARKS:
        return {}
    found = list(BLOCK.finditer(text))
    blocks = {block[1]: wrap_block(block[1], re.sub(r"\r\n|\r", "\n", block[4])) for block in found}
    sound = all(digest_block(block[4]) == block[2] for block in found)
    return blocks if sound and marks == 2 * len(blocks) else {}
