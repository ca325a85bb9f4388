"""Conflict copies of what we generate: the files that we keep current in, what was removed beside them out.

Two computers that write the calendar at once make a sync engine keep both.  A copy is ours to remove only if
its name says of which file it is one *and* its bytes prove that nobody but us wrote them, into this vault:
a calendar that a person exported, or an agenda in which somebody has written, stays.  What is removed wakes
no watcher, and another computer that removes the same copy does no more than that.
"""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from unicodedata import normalize

from notesync.problems import MovedOnError, RefusedError
from notesync.publish import calendar
from notesync.store.conflicts import Tag, find_sure_tags, find_weak_tags
from notesync.store.vault import Vault
from notesync.store.writing import fold

GRACE = 5.0  # seconds for which a copy is left to the engine that is just making it: rclone fails without it
_MOST_TAGS = 3  # a copy of a copy of a copy


class Origin(NamedTuple):
    """Of which file another may be a copy by its name, and what the name has besides."""

    path: str
    tags: tuple[Tag, ...]

    @property
    def sure(self) -> bool:
        """Whether the name alone proves it."""
        return all(tag.sure for tag in self.tags)


class Stray(NamedTuple):
    """A file whose name says that it may be a conflict copy of one of ours; the likeliest first."""

    path: str
    origins: tuple[Origin, ...]


class Strays(NamedTuple):
    """What became of them: the paths that are gone, and a sentence for each that stays and should not.

    ``wait`` is the seconds after which the youngest may be removed, None where none is too young.
    """

    forgotten: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    wait: float | None = None


def forget_strays(vault: Vault, paths: Iterable[str], vault_id: str) -> Strays:
    """Remove the conflict copies of these generated files, which are as they should be."""
    forgotten: list[str] = []
    left: list[str] = []
    waits: list[float] = []
    for stray in _find_strays(vault, paths):
        age = _find_age(vault, stray.path)
        if age is None:
            continue
        if age < GRACE:
            waits.append(GRACE - age)
        elif words := _forget(vault, stray, vault_id):
            left.append(words)
        elif vault.stat(stray.path) is None:
            forgotten.append(stray.path)
    return Strays(tuple(forgotten), tuple(left), min(waits, default=None))


def find_pending(vault: Vault, paths: Iterable[str]) -> float | None:
    """The seconds for which not to write files that an engine has just renamed to copies; None where it has not.

    rclone 1.60 does so to both versions, and fails for good where one is there again before it is done.
    """
    paths = [posixpath.normpath(path) for path in paths]
    gone = {path for path in paths if vault.stat(path) is None}
    if not gone:
        return None
    strays = (
        stray
        for stray in _find_strays(vault, paths)
        if gone.intersection(each.path for each in stray.origins)
    )
    ages = (_find_age(vault, stray.path) for stray in strays)
    return max((GRACE - age for age in ages if age is not None and age < GRACE), default=None)


def _find_age(vault: Vault, path: str) -> float | None:
    """The seconds since a file came by its name; None where there is none.

    By its ctime, which is of this computer's clock, and which a rename sets too: its mtime may be another's.
    """
    found = vault.stat(path)
    if found is None:
        return None
    age = time.time() - found.st_ctime
    return age if age >= 0 else GRACE  # the clock was set back


def _forget(vault: Vault, stray: Stray, vault_id: str) -> str:
    """Remove it where it is ours; a sentence where its name says that it is a copy, and it has to stay."""
    path = stray.path
    sure = next((origin for origin in stray.origins if origin.sure), None)
    original = "" if sure is None else sure.path
    if any(tag.mirrored for origin in stray.origins for tag in origin.tags):
        return original and (
            f"{path} is Resilio's conflict copy of {original}. It was left, because removing it here would remove "
            f"{original} on the other computer."
        )
    originals = [origin.path for origin in stray.origins]
    try:
        if vault.forget_generated(path, lambda data: _is_ours(vault, data, originals, vault_id)):
            return ""
    except MovedOnError:
        return ""  # it is being written, and looked at again
    except RefusedError as error:
        gone = vault.stat(path) is None
        return "" if gone or not original else f"{error} It is a conflict copy of {original}."
    return original and (
        f"{path} is a conflict copy of {original} by its name, but holds what notesync did not write there. "
        "Look into it, then remove it."
    )


def _is_ours(vault: Vault, data: bytes, originals: Iterable[str], vault_id: str) -> bool:
    """Whether a copy's bytes prove that we wrote them for the same purpose as those of one of these."""
    marks = calendar.find_marks(data)
    if marks.vault:
        ours = any(
            marks == calendar.find_marks(vault.read_start(each, calendar.HEADER_OCTETS)) for each in originals
        )
        return ours and calendar.is_whole_calendar(data)
    from notesync.publish.text import is_agenda_note

    return is_agenda_note(data, vault_id)


# names ----------------------------------------------------------------------------------------------------


def _find_strays(vault: Vault, paths: Iterable[str]) -> Iterator[Stray]:
    """The files beside these whose names may be those of copies."""
    folders: dict[str, dict[str, str]] = {}
    for path in map(posixpath.normpath, paths):
        folder, name = posixpath.split(path)
        folders.setdefault(folder, {})[fold(name)] = path
    for folder, originals in folders.items():
        stems = tuple(posixpath.splitext(name)[0] for name in originals)
        for name in sorted(vault.names(folder)):
            folded = fold(name)
            if folded not in originals and any(stem in folded for stem in stems):
                origins = tuple(_find_origins(normalize("NFC", name), originals, _MOST_TAGS))
                if origins:
                    yield Stray(posixpath.join(folder, name), origins)


def _find_origins(name: str, originals: dict[str, str], most: int) -> Iterator[Origin]:
    for tag in (*find_sure_tags(name), *find_weak_tags(name)):
        original = originals.get(fold(tag.name))
        if original is not None:
            yield Origin(original, (tag,))
        elif most > 1:
            for origin in _find_origins(tag.name, originals, most - 1):
                yield origin._replace(tags=(tag, *origin.tags))
