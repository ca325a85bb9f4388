"""The only door to people's files: find them, read them, change them safely, replace what we generate.

In: a vault's root folder and vault-relative paths with ``/``.  Out: names with their signatures, bytes
with the signature under which they were read.  It knows nothing of what notes mean.

Nothing outside the vault is read or written through it: symbolic links are not followed, only regular
files are opened, and a placeholder of a file that a sync engine has not downloaded is never read.  How a
person's file is written is told in ``writing``.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat as stat_bits
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from notesync.problems import VaultError

if TYPE_CHECKING:
    from hashlib import blake2b

SETTINGS_NAME = "notesync.yaml"
MARGIN_NS = 2_000_000_000  # file times may lag behind the clock: coarse kernels 10 ms, FAT and shares 2 s
LARGEST_NOTE = 2 * 1024 * 1024  # bytes; nobody types two megabytes, and one file must not stall the rest

_HIDDEN_STARTS = (".", "~$", "#", "~syncthing~")  # hidden files, office and Emacs locks, Syncthing's parts
_SYSTEM_FOLDERS = frozenset(
    ("node_modules", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "__MACOSX")
)
_SAFE_SAVE = "(A Document Being Saved By "  # where Apple's programs write a file before they swap it in
_DATALESS = 0x40000000  # macOS SF_DATALESS: the name is here, the bytes are in the cloud (Apple TN3150)
_STUB = ".md.icloud"  # until macOS 14 `.Acme.md.icloud` stood for a note that is in the cloud
_RECALL = 0x00400000 | 0x00040000 | 0x1000  # Windows: recall on data access, recall on open, offline
OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_OPENS_NO_LINKS = hasattr(os, "O_NOFOLLOW") and hasattr(os, "O_NONBLOCK")
pack_signature = struct.Struct("<3qQ").pack

Signature = bytes
"""Size, mtime, ctime (nanoseconds) and inode of a file; all zero while it cannot be trusted."""
SIGNATURE_BYTES = 32
_BLOCK = 1 << 17  # bytes copied at once
UNTRUSTED: Signature = bytes(SIGNATURE_BYTES)
_EVICTED: Signature = pack_signature(-1, 0, 0, 0)  # no file has it


class Unreadable(Exception):  # noqa: N818  a reason, not a failure of the program
    """Why a note could not be read: ``code`` and ``hint`` are a problem's; the file may well be fine."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


class MovedBaseError(Exception):
    """A generated file is not the one whose bytes were to be kept."""


class Replaced(NamedTuple):
    """Whether a generated file had to be written, and its signature since; untrusted: others write it too."""

    changed: bool
    signature: Signature


class Content(NamedTuple):
    """The bytes of a note and the signature they were read under (untrusted: read it again next time)."""

    data: bytes
    signature: Signature
    changed_ns: int


def find_root(start: str) -> str | None:
    """The nearest folder from ``start`` upwards that has a settings file, or None."""
    folder = os.path.abspath(start)
    while True:
        if os.path.isfile(os.path.join(folder, SETTINGS_NAME)):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def signature(found: os.stat_result) -> Signature:
    """The signature of a stat result; on Windows ctime is the time of creation and adds little."""
    return pack_signature(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def digest_of(data: bytes) -> bytes:
    """What tells bytes from other bytes: sixteen bytes of BLAKE2."""
    return _load_blake2b()(data, digest_size=16).digest()


@lru_cache(maxsize=1)
def _load_blake2b() -> type[blake2b]:
    from hashlib import blake2b  # not on the way of a check that reads nothing

    return blake2b


def is_renamed_note(name: str) -> bool:
    """Whether rclone's bisync has put its mark behind the ending of a note's name: `Acme.md..path1`."""
    if not name[-1:].isdigit():
        return False
    return re.search(r"\.md(?:\.\.path[12]|\.conflict[0-9]{1,3})\Z", name, re.IGNORECASE) is not None


def is_placeholder(found: os.stat_result) -> bool:
    """Whether a sync engine has left only the name here: reading would download, or block offline."""
    return bool(
        getattr(found, "st_flags", 0) & _DATALESS or getattr(found, "st_file_attributes", 0) & _RECALL
    )


def require_file(found: os.stat_result) -> None:
    """Raise Unreadable unless this is a regular file whose bytes are on this device."""
    if not stat_bits.S_ISREG(found.st_mode):
        raise _NOT_A_FILE
    if is_placeholder(found):
        raise _NOT_DOWNLOADED


class Vault:
    """A folder of notes.

    ``ignored`` are vault-relative folders (ending in ``/``) or names, which may hold ``*`` and ``?``.
    """

    def __init__(self, root: str, ignored: Iterable[str] = ()) -> None:
        self.root = root
        patterns = [pattern for pattern in ignored if pattern]
        self._ignored_folders = tuple(pattern.lstrip("/") for pattern in patterns if pattern.endswith("/"))
        self._ignored_names = tuple(pattern for pattern in patterns if not pattern.endswith("/"))

    def absolute(self, path: str) -> str:
        """The path to open for a vault-relative one."""
        return f"{self.root}/{path}"

    def require(self) -> None:
        """Raise VaultError unless the root is a folder that can be listed: absence must be proved."""
        try:
            with os.scandir(self.root):
                return
        except FileNotFoundError:
            reason = "there is no such folder"
        except NotADirectoryError:
            reason = "it is not a folder"
        except OSError as error:
            reason = (error.strerror or "it cannot be listed").lower()
        raise VaultError(
            f"cannot read the vault {self.root}: {reason}. "
            "Is the drive connected and the sync app running? Nothing was changed."
        )

    def is_empty(self) -> bool:
        """Whether the root holds nothing at all.  Raises OSError."""
        with os.scandir(self.root) as entries:
            return next(entries, None) is None

    def list_folder(
        self, folder: str, folders: list[str], placeholders: set[str]
    ) -> Iterator[tuple[str, Signature]]:
        """The names and signatures of the notes in a folder, in no order.  Raises OSError.

        ``folders`` gets the folders in it, ``placeholders`` the notes of which only the name is here.
        """
        stubs: list[str] = []
        # On Linux and macOS names are looked up relative to the open folder: a third less time than by path.
        by_descriptor = os.scandir in os.supports_fd
        place = self.absolute(folder)
        handle: int | str = os.open(place, os.O_RDONLY) if by_descriptor else place
        try:
            with os.scandir(handle) as entries:
                for entry in entries:
                    name = entry.name
                    if name[-3:].lower() != ".md" and not is_renamed_note(name):
                        if entry.is_dir(follow_symlinks=False):
                            self._add_folder(folder, name, folders)
                        elif name.endswith(_STUB) and name[0] == ".":
                            stubs.append(name)
                        continue
                    if not self._is_note(folder, name):
                        continue
                    try:
                        found = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    if stat_bits.S_ISREG(found.st_mode):
                        if is_placeholder(found):
                            placeholders.add(folder + name)
                        yield name, signature(found)
                    elif stat_bits.S_ISDIR(found.st_mode):
                        self._add_folder(folder, name, folders)
                for stub in stubs:
                    name = stub[1:].removesuffix(".icloud")
                    if self._is_note(folder, name) and self.stat(folder + name) is None:
                        placeholders.add(folder + name)
                        yield name, _EVICTED
        finally:
            if by_descriptor:
                os.close(handle)  # type: ignore[arg-type]

    def _is_note(self, folder: str, name: str) -> bool:
        return not (name.startswith(_HIDDEN_STARTS) or self._is_ignored(folder + name))

    def _add_folder(self, folder: str, name: str, folders: list[str]) -> None:
        path = f"{folder}{name}/"
        if not (_is_passed_over(path) or self._is_ignored(path)):
            folders.append(path)

    def _is_ignored(self, path: str) -> bool:
        """Whether a note, or a folder (with ``/`` at its end), is one of those that are left out."""
        is_folder = path.endswith("/")
        if not (self._ignored_names or (is_folder and self._ignored_folders)):  # as for nearly every note
            return False
        from fnmatch import fnmatchcase

        name = path.rstrip("/").rpartition("/")[2]
        for folder in self._ignored_folders if is_folder else ():
            if path == folder or fnmatchcase(path, folder) or name == folder[:-1]:
                return True
        return any(
            path in (pattern, f"{pattern}/") or fnmatchcase(path, pattern) or fnmatchcase(name, pattern)
            for pattern in self._ignored_names
        )

    def is_relevant(self, path: str, folder: bool) -> bool:
        """Whether a sweep could care for what happened at a path: a note, the settings, a folder of notes."""
        above = path if folder else path.rpartition("/")[0]
        parts = above.split("/")
        if any(_is_passed_over("/".join(parts[: at + 1]) + "/") for at in range(len(parts)) if above):
            return path == ".obsidian/templates.json"
        if not folder and path.rpartition("/")[2].startswith(_HIDDEN_STARTS):
            return False
        note = path.lower().endswith(".md") or is_renamed_note(path)
        if not folder and path != SETTINGS_NAME and not note:
            return False
        return not self._is_ignored(f"{path}/" if folder else path)

    def stat(self, path: str) -> os.stat_result | None:
        """A file's lstat, None when it is not there (or its folder is not)."""
        try:
            return os.lstat(self.absolute(path))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def read(self, path: str, now_ns: int, *, placeholder: bool | None = None) -> Content:
        """The bytes of a note as they were at one moment; ``now_ns`` is the wall clock in nanoseconds.

        The file is looked at before and after on the same descriptor; when it changed in between it is read
        again, at most a few times.  The signature is untrusted while the file's times are too fresh to
        prove that it will not change unseen (git's "racy" rule), so the next look reads it again.
        ``placeholder`` says what a scan saw, None: look first.

        Raises Unreadable: no permission, a placeholder, not a regular file, too large, in motion.
        """
        place = self.absolute(path)
        try:
            if placeholder is None or not _OPENS_NO_LINKS:
                found = os.lstat(place)
                placeholder = is_placeholder(found)
                if not stat_bits.S_ISREG(found.st_mode):
                    raise _NOT_A_FILE
            if placeholder:
                raise _NOT_DOWNLOADED
            handle = os.open(place, OPEN_FLAGS)
        except OSError as error:
            raise _cannot_read(error) from error
        try:
            return _read_still(handle, now_ns)
        except OSError as error:
            raise _cannot_read(error) from error
        finally:
            os.close(handle)

    def read_start(self, path: str, size: int) -> bytes:
        """The first bytes of a file; none of a link, a placeholder, or what cannot be read."""
        try:
            require_file(os.lstat(self.absolute(path)))
            handle = os.open(self.absolute(path), OPEN_FLAGS)
        except (OSError, Unreadable):
            return b""
        with open(handle, "rb") as file, contextlib.suppress(OSError):
            return file.read(size)
        return b""

    def replace_generated(
        self, path: str, chunks: Iterable[bytes | range], base: Signature = UNTRUSTED
    ) -> Replaced:
        """Make a generated file hold these bytes, and only where it does not yet.

        ``path`` is absolute or vault-relative.  The bytes are compared as they come, and only a difference is
        written: to a temporary file in the same folder, then renamed over the old one, so that a reader sees
        the old or the new bytes, whole, under the old one's permissions.  No sync to disk: it can be made again, and
        waiting for the disk triples the slowest saves.  A range stands for bytes that the file has there while its
        signature is ``base``, and gets by without being compared.  Raises OSError, and MovedBaseError where it is
        not.
        """
        target = os.path.join(self.root, path)
        incoming = iter(chunks)
        # The old file is held: the system frees its bytes, which takes as long as writing new ones, when the
        # last that has it open is done.  So the new ones are there to be read first.
        with _open_old(target) as old:
            seen = _sign(old)
            if base not in (UNTRUSTED, seen):
                raise MovedBaseError(path)
            same, rest = _compare(old, incoming)
            if rest is None:
                return Replaced(False, seen if _sign(old) == seen else UNTRUSTED)
            return Replaced(True, _put(target, old, base, chain((range(same), rest), incoming)))

    def forget_temporaries(self, path: str) -> None:
        """Remove what a process left beside this generated file that was killed while it wrote."""
        from notesync.store.writing import Folder, forget_temporaries

        forget_temporaries(Folder(os.path.join(self.root, os.path.dirname(path))))

    def forget_generated(self, path: str, is_ours: Callable[[bytes], bool]) -> bool:
        """Remove a file that nobody but us has written, as its bytes prove to ``is_ours``; whether it is gone.

        Raises RefusedError where it cannot be read or removed.
        """
        from notesync.store import writing

        return writing.forget_generated(self.root, path, is_ours)

    # people's files -----------------------------------------------------------------------------

    def replace(
        self, path: str, expected: bytes, wished: bytes, pause: Callable[[float], None] = time.sleep
    ) -> bytes | None:
        """Make a file that holds ``expected`` hold ``wished``, keeping its permissions and attributes.

        Whatever kills the process or the machine leaves the old or the new bytes, whole.  Out: None, or what
        another program wrote in the very moment of the replacement: no longer in the file, so keep it.
        ``pause`` waits some seconds, where Windows has the file locked.

        Raises MovedOnError when the file holds other bytes, RefusedError when it is gone, may only be read, is
        no regular file of the vault or not on this device, or the disk does not take it: nothing was changed.
        """
        from notesync.store import writing

        return writing.replace(self.root, path, expected, wished, pause)

    def create(self, path: str, data: bytes) -> str:
        """Make a new file with these bytes, appearing whole, and the folders that lack; its path.

        A folder whose name differs only in case or in the form of its accents is used as it is, and such a
        file stands in the way: the folder may be synced to where they are one.  Raises RefusedError for that,
        and as ``replace`` does.
        """
        from notesync.store import writing

        return writing.create(self.root, path, data)

    def forget(self, path: str, expected: bytes, pause: Callable[[float], None] = time.sleep) -> bytes | None:
        """Remove a file that holds ``expected``.  Out and raised: as by ``replace``."""
        from notesync.store import writing

        return writing.forget(self.root, path, expected, pause)

    def names(self, folder: str) -> list[str]:
        """All names in a folder of the vault, hidden ones too; none where it cannot be listed."""
        try:
            return os.listdir(self.absolute(folder))
        except OSError:
            return []

    def find_spelling(self, path: str) -> str:
        """The path that ``create`` would give to a file: with its folders spelled as they are on the disk."""
        from notesync.store import writing

        return writing.find_spelling(self.root, path)


def _is_passed_over(path: str) -> bool:
    """Whether a folder, its path ending in '/', is a program's own: hidden, or one that we know."""
    name = path[:-1].rpartition("/")[2]
    return (
        name.startswith((".", _SAFE_SAVE))
        or name in _SYSTEM_FOLDERS
        or (name == "bak" and f"/{path}".endswith("/logseq/bak/"))
    )


_NOT_A_FILE = Unreadable("not-a-file", "This is not an ordinary file.", "Put the note itself here.")
_NOT_DOWNLOADED = Unreadable(
    "not-downloaded",
    "This file is not on this device, only its name.",
    "In the sync app choose to keep this folder on this device.",
)
NOT_DOWNLOADED = _NOT_DOWNLOADED.code


def _cannot_read(error: OSError) -> Unreadable:
    words = (error.strerror or "it cannot be read").lower()
    return Unreadable(
        "unreadable-note",
        f"This file could not be read: {words}.",
        "Check its permissions, and that no other program holds it.",
    )


def _read_still(handle: int, now_ns: int) -> Content:
    before = os.fstat(handle)
    if not stat_bits.S_ISREG(before.st_mode):
        raise _NOT_A_FILE
    for _ in range(3):
        if before.st_size > LARGEST_NOTE:
            raise Unreadable(
                "note-too-large",
                f"This file has {before.st_size // 1_000_000} MB, more than the 2 MB that are read.",
                "Split it, or keep attachments in files of their own.",
            )
        data = _read_all(handle, before.st_size)
        after = os.fstat(handle)
        seen = signature(before)
        if signature(after) == seen and len(data) == after.st_size:
            changed = max(after.st_mtime_ns, after.st_ctime_ns)
            return Content(data, seen if changed < now_ns - MARGIN_NS else UNTRUSTED, changed)
        before = after
        os.lseek(handle, 0, os.SEEK_SET)
    return Content(data, UNTRUSTED, max(after.st_mtime_ns, after.st_ctime_ns))


def _read_all(handle: int, size: int) -> bytes:
    # One read fetches a note of the size that was stat'ed; a huge buffer would cost more than the read.
    data = os.read(handle, max(size + 1, 1))
    if len(data) <= size and (len(data) == size or not data):
        return data
    parts = [data]
    while part := os.read(handle, 65536):
        parts.append(part)
        if sum(map(len, parts)) > LARGEST_NOTE:
            break
    return b"".join(parts)


@contextlib.contextmanager
def _open_old(target: str) -> Iterator[BinaryIO | None]:
    """A generated file as it is; None where there is none."""
    try:
        if is_placeholder(os.lstat(target)):
            yield None  # writing it anew is cheaper than a download, and never blocks
            return
        old = open(target, "rb", buffering=0)  # noqa: SIM115  closed below; the missing file is the other way out
    except FileNotFoundError:
        yield None
        return
    with old:
        yield old


def _sign(file: BinaryIO | None) -> Signature:
    return UNTRUSTED if file is None else signature(os.fstat(file.fileno()))


def _compare(old: BinaryIO | None, incoming: Iterator[bytes | range]) -> tuple[int, bytes | range | None]:
    """How many bytes of the file agree, and the first chunk that differs (None: all are the same)."""
    if old is None:
        return 0, next(incoming, b"")
    same = 0
    for chunk in incoming:
        if isinstance(chunk, range):
            if chunk.start != same:
                return same, chunk
            old.seek(chunk.stop)
        elif _read_exactly(old, len(chunk)) != chunk:
            return same, chunk
        same += len(chunk)
    return (same, b"") if old.read(1) else (same, None)


def _read_exactly(file: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer at the end of the file."""
    data = file.read(size)
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data


def _put(target: str, old: BinaryIO | None, base: Signature, chunks: Iterable[bytes | range]) -> Signature:
    """Give a file these bytes, ranges being those of the old one; its signature."""
    from notesync.store.writing import build_temporary_name

    temporary = os.path.join(os.path.dirname(target), build_temporary_name())
    try:
        with open(temporary, "xb", buffering=0) as new:
            for chunk in chunks:
                for block in _read_blocks(old, chunk) if isinstance(chunk, range) else (chunk,):
                    _write_whole(new, block)
            if base not in (UNTRUSTED, _sign(old)):
                raise MovedBaseError(target)
            written = os.fstat(new.fileno())
        if old is not None:
            with contextlib.suppress(OSError):  # a file system without permissions
                os.chmod(temporary, stat_bits.S_IMODE(os.fstat(old.fileno()).st_mode))
            if os.name == "nt":  # which replaces no file that is open
                old.close()
        os.replace(temporary, target)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
    return _sign_written(target, written)


def _write_whole(file: BinaryIO, data: bytes) -> None:
    while (done := file.write(data)) < len(data):
        data = data[done:]


def _read_blocks(old: BinaryIO | None, kept: range) -> Iterator[bytes]:
    """The bytes of a range of the old file."""
    if old is None or not kept:
        return
    old.seek(kept.start)
    left = len(kept)
    while left > 0:
        block = old.read(min(left, _BLOCK))
        if not block:
            raise OSError(f"{old.name} changed while it was being compared")
        left -= len(block)
        yield block


def _sign_written(target: str, written: os.stat_result) -> Signature:
    """The signature of what we wrote; none where the name is another file's by now."""
    try:
        found = os.stat(target, follow_symlinks=False)
    except OSError:
        return UNTRUSTED
    ours = (written.st_ino, written.st_size, written.st_mtime_ns)
    return signature(found) if ours == (found.st_ino, found.st_size, found.st_mtime_ns) else UNTRUSTED
