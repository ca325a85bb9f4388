"""What Obsidian has written about a vault: its folders of settings, where templates are, how dates look.

In: a vault.  Out: folders, vault-relative, and what the core Templates plugin is told.  It must not know what
templates hold, and writes nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from notesync.store.vault import Unreadable, Vault

CONFIG = ".obsidian"

# A new vault's folder of settings gets most of these at once.  Its name can be changed to any other that begins
# with a dot (Obsidian Help, "Configuration folder"), for each device; the old folder then stays behind.
_OWN_FILES = frozenset(
    f"{name}.json"
    for name in ("app", "appearance", "core-plugins", "community-plugins", "hotkeys", "workspace", "graph")
)
_ENOUGH = 2  # one alone may be another program's


class Templates(NamedTuple):
    """What the Templates plugin is told: its folder ('' where none is named) and the formats of dates and times."""

    folder: str = ""
    date_format: str = ""
    time_format: str = ""


def find_configs(root: str) -> list[str]:
    """Obsidian's folders of settings in a vault, the usual one first.  Raises OSError."""
    with os.scandir(root) as entries:
        hidden = sorted(e.name for e in entries if e.name[0] == "." and e.is_dir(follow_symlinks=False))
    found = [name for name in hidden if name != CONFIG and _is_config(os.path.join(root, name))]
    return [CONFIG, *found] if CONFIG in hidden else found


def _is_config(place: str) -> bool:
    try:
        return len(_OWN_FILES.intersection(os.listdir(place))) >= _ENOUGH
    except OSError:
        return False


def read_templates(vault: Vault) -> list[Templates]:
    """What the Templates plugin is told in each folder of settings; one that cannot be read tells nothing."""
    return [_read_templates(vault, config) for config in find_configs(vault.root)]


def _read_templates(vault: Vault, config: str) -> Templates:
    try:
        found = json.loads(vault.read(f"{config}/templates.json", time.time_ns()).data)
    except (Unreadable, ValueError, RecursionError):
        return Templates()
    if not isinstance(found, dict):
        return Templates()
    folder, *formats = (str(found.get(key) or "") for key in ("folder", "dateFormat", "timeFormat"))
    inside = all(part not in ("", ".", "..") for part in folder.strip("/").split("/"))
    return Templates(folder.strip("/") if inside else "", *formats)


def list_templates(vault: Vault, folder: str) -> Iterator[str]:
    """The notes in a folder of templates and in those below it, in one order everywhere."""
    inside: list[str] = []
    names = _list(vault, f"{folder}/", inside)
    yield from sorted(names, key=lambda path: (path.casefold(), path))
    for each in sorted(inside):
        yield from list_templates(vault, each.rstrip("/"))


def _list(vault: Vault, folder: str, inside: list[str]) -> Sequence[str]:
    try:
        return [folder + name for name, _ in vault.list_folder(folder, inside, set())]
    except OSError:
        return ()
