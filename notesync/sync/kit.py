"""What Obsidian needs for working with clients, put into a vault: template, base, types of properties.

In: a vault and its settings.  Out: for each part what was done.  Nothing that is there is overwritten, and
what is added to ``types.json`` leaves every byte of it as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from notesync.problems import MovedOnError, RefusedError
from notesync.publish.obsidian import (
    BASE,
    TEMPLATE,
    TEMPLATE_FOLDER,
    TYPES,
    Merged,
    Names,
    merge_types,
    render_base,
    render_template,
    render_types,
)
from notesync.store.obsidian import CONFIG, find_configs, read_templates
from notesync.store.vault import Unreadable, Vault
from notesync.store.writing import fold
from notesync.sync.new_client import find_client_template, find_names

if TYPE_CHECKING:
    from notesync.followup.settings import Settings

WRITTEN, ADDED, KEPT, LEFT, REFUSED = "written", "added", "kept", "left", "refused"
_TRIES = 3  # Obsidian saves its settings now and then, never again and again


class Part(NamedTuple):
    """A file of the kit: what was done with it, and in words why, or what is otherwise in it."""

    path: str
    done: str
    words: str = ""


def write_kit(vault: Vault, settings: Settings) -> Iterator[Part]:
    """Write what is missing, one file after the other; a file that cannot be written keeps none of the others."""
    names = find_names(settings)
    folders = find_template_folders(vault) or [TEMPLATE_FOLDER]
    for folder in folders:
        yield _write_template(vault, settings, names, folder)
    yield _create(vault, BASE, render_base(names, folders).encode())
    for config in find_configs(vault.root) or [CONFIG]:
        yield _write_types(vault, f"{config}/{TYPES}", names)


def find_template_folders(vault: Vault) -> list[str]:
    """The folders of templates that Obsidian is told of, each once."""
    return list(dict.fromkeys(told.folder for told in read_templates(vault) if told.folder))


def _write_template(vault: Vault, settings: Settings, names: Names, folder: str) -> Part:
    own = find_client_template(vault, settings, folder)
    if own:
        return Part(own, KEPT)
    return _create(vault, f"{folder}/{TEMPLATE}", render_template(names).encode())


def _create(vault: Vault, path: str, data: bytes) -> Part:
    spelled = vault.find_spelling(path)
    folder, _, name = spelled.rpartition("/")
    there = next((each for each in vault.names(folder) if fold(each) == fold(name)), "")
    if there:
        return Part(f"{folder}/{there}" if folder else there, KEPT)
    try:
        return Part(vault.create(path, data), WRITTEN)
    except RefusedError as error:
        return Part(path, REFUSED, str(error))


def _write_types(vault: Vault, path: str, names: Names) -> Part:
    if vault.stat(path) is None:
        return _create(vault, path, render_types(names))
    for _ in range(_TRIES):
        try:
            data = vault.read(path, 0).data
            merged = merge_types(data, names)
            if merged is None:
                return Part(path, LEFT, "it is not what Obsidian writes there")
            if merged.data != data:
                _replace(vault, path, data, names)
            return Part(path, ADDED if merged.added else KEPT, _describe(merged))
        except MovedOnError:
            continue
        except Unreadable as reason:
            return Part(path, REFUSED, f"{path}: {reason} {reason.hint}")
        except RefusedError as error:
            return Part(path, REFUSED, str(error))
    return Part(path, REFUSED, f"{path} kept changing. Close Obsidian, and try again.")


def _replace(vault: Vault, path: str, data: bytes, names: Names) -> None:
    """Add the types; what Obsidian saves in that very moment gets them too."""
    expected, base = data, data
    while True:
        merged = merge_types(base, names)
        wished = merged.data if merged else base
        overtaken = vault.replace(path, expected, wished)
        if overtaken is None:
            return
        expected, base = wished, overtaken


def _describe(merged: Merged) -> str:
    words = (f"{key} is {has} there, where notesync would have it {word}" for key, has, word in merged.other)
    return "; ".join(words)
