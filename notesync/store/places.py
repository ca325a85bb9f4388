"""Where notesync keeps what is its own: outside every synced folder, one folder for each vault.

In: a vault's root.  Out: folders, which need not exist yet.  The places are those of platformdirs, whose
import alone would cost ``check`` half a bare Python start.
"""

from __future__ import annotations

import os
import sys


def cache_dir(root: str) -> str:
    """The folder of this vault's index and of the watcher's lock: what can be made again."""
    if sys.platform == "win32":
        return os.path.join(_local_app_data(), "notesync", "Cache", _vault_key(root))
    if sys.platform == "darwin":
        return os.path.join(_home(), "Library", "Caches", "notesync", _vault_key(root))
    return os.path.join(_xdg("XDG_CACHE_HOME", ".cache"), "notesync", _vault_key(root))


def state_dir(root: str) -> str:
    """The folder of this vault's history: what is worth keeping, and nobody else's business."""
    if sys.platform == "win32":
        return os.path.join(_local_app_data(), "notesync", "State", _vault_key(root))
    if sys.platform == "darwin":
        return os.path.join(_home(), "Library", "Application Support", "notesync", _vault_key(root))
    return os.path.join(_xdg("XDG_STATE_HOME", os.path.join(".local", "state")), "notesync", _vault_key(root))


def service_key(root: str) -> str:
    """A name for this vault's service that every system takes, the same for ever."""
    name, _, number = _vault_key(root).rpartition("-")
    return f"notesync-{''.join(c if c.isascii() else '-' for c in name).strip('-') or 'vault'}-{number}"


def make_private(folder: str) -> None:
    """Make a folder for the user alone, and the one that holds it where that is missing, too.  Raises OSError."""
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.name != "nt" and os.stat(folder).st_mode & 0o077:
        os.chmod(folder, 0o700)


def _home() -> str:
    return os.path.expanduser("~")


def _local_app_data() -> str:
    return os.environ.get("LOCALAPPDATA") or os.path.join(_home(), "AppData", "Local")


def _xdg(variable: str, usual: str) -> str:
    """A base folder of the XDG rules, which say that a relative one is to be ignored."""
    base = os.environ.get(variable, "")
    return base if os.path.isabs(base) else os.path.join(_home(), usual)


def _vault_key(root: str) -> str:
    from zlib import crc32

    real = os.path.realpath(root)
    name = "".join(c if c.isalnum() else "-" for c in os.path.basename(real))[:40]
    return f"{name}-{crc32(os.fsencode(real)):08x}"
