"""The secrets of what is served over HTTP, one in every feed's address, one that opens the page; and where it is.

In: a vault's root.  Out: the keys and the address, kept in the user's state folder, never in the vault: that is
synced, and shared.  Must not know what is served.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from notesync.problems import RefusedError
from notesync.store.lock import Turn
from notesync.store.places import make_private, state_dir

_NAME = "serve.json"
_ADDRESS = "serve-address"
_LENGTH = 32  # hexadecimal digits, 128 bits


class Keys(NamedTuple):
    """What stands in the feeds' addresses, and what opens the page."""

    feed: str
    page: str

    def derive(self, purpose: str) -> str:
        """A secret of its own for a purpose, such as an owner's feed: it tells nothing of the others."""
        import hmac

        words = purpose.encode("utf-8", "surrogatepass")
        return hmac.new(f"{self.feed} {self.page}".encode(), words, "sha256").hexdigest()[:_LENGTH]


def find_keys(root: str) -> Keys | None:
    """The keys of this vault, None before there are any.  Raises RefusedError for a file that holds none."""
    import json

    path = os.path.join(state_dir(root), _NAME)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
        keys = Keys(str(found["feed"]), str(found["page"]))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedError(f"unreadable-file: {path}: {(error.strerror or str(error)).lower()}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    if not all(_is_key(key) for key in keys):
        raise _damaged(path)
    return keys


def make_keys(root: str, *, anew: bool = False) -> Keys:
    """The keys of this vault, made where there are none, or ``anew`` in place of the old ones."""
    folder = state_dir(root)
    try:
        make_private(folder)
        with Turn(os.path.join(folder, "serve.lock"), "Another notesync is making the secrets. Try again."):
            if not anew and (found := find_keys(root)) is not None:
                return found
            return _store_new(os.path.join(folder, _NAME))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RefusedError(
            f"unwritable-file: the secrets for serving cannot be kept in {folder}: {reason}."
        ) from error


def find_exposed(root: str) -> str:
    """The path of the secrets where others on this computer may read them, else ''."""
    path = os.path.join(state_dir(root), _NAME)
    try:
        return path if os.name != "nt" and os.stat(path).st_mode & 0o077 else ""
    except OSError:
        return ""


def find_address(root: str) -> str:
    """The address at which this vault was served last, such as ``https://notes.example.org``; '' if it never was."""
    try:
        with open(os.path.join(state_dir(root), _ADDRESS), encoding="utf-8") as file:
            return file.readline(2048).strip()
    except (OSError, ValueError):
        return ""


def store_address(root: str, address: str) -> None:
    """Keep the address at which this vault is served.  Raises OSError."""
    folder = state_dir(root)
    make_private(folder)
    _replace(os.path.join(folder, _ADDRESS), f"{address}\n")


def _store_new(path: str) -> Keys:
    import json
    import secrets

    keys = Keys(secrets.token_hex(_LENGTH // 2), secrets.token_hex(_LENGTH // 2))
    _replace(path, f"{json.dumps(keys._asdict())}\n")
    return keys


def _replace(path: str, text: str) -> None:
    """For the user alone from its first moment on, and whole or not at all: who reads it looks for no lock."""
    temporary = f"{path}.{os.getpid()}"
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as new:
        new.write(text)
        new.flush()
        os.fsync(new.fileno())  # lost secrets would end every subscription
    os.replace(temporary, path)


def _is_key(text: str) -> bool:
    return len(text) == _LENGTH and text.isascii() and text.isalnum()


def _damaged(path: str) -> RefusedError:
    return RefusedError(
        f"damaged-secrets: {path} is not as notesync wrote it. 'notesync serve --new-secret' makes new ones; "
        "every subscription then needs its new address."
    )
