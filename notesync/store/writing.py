"""How a person's file is created, replaced or forgotten so that nothing is lost by a kill or by others' saves.

In: a vault's root, a vault-relative path, the bytes expected there and those wished for.  Out: the file, old
or new and always whole; bytes of another program that were overtaken.  It knows nothing of what notes mean,
and keeps no earlier text: whoever calls has stored it before.

A file is replaced by renaming a temporary one over it, after its bytes were compared twice.  The old file
stays open across the rename and is read once more: what another program wrote into it in between is handed
back.  What remains is another program's own rename within the microseconds between our last look and our
rename, and, on Windows, where an open file cannot be replaced, its writing within them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat as stat_bits
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from unicodedata import normalize

from notesync.problems import MovedOnError, RefusedError
from notesync.store.vault import OPEN_FLAGS, Unreadable, is_placeholder, require_file, signature

# A name that none of them carries away, in the few milliseconds of its life or after a kill:
# - Syncthing skips whatever begins with "~syncthing~", on every system, and removes it after a day (its
#   lib/fs/tempname.go and lib/scanner/walk.go);
# - Dropbox skips names that begin with "~" and end in ".tmp" (help page "files not syncing"; Maestral's
#   is_excluded does the same);
# - OneDrive does not sync ".tmp" (Microsoft's "Restrictions and limitations in OneDrive and SharePoint"), nor
#   does iCloud Drive (eclecticlight.co 2019-08-07), nor Insync (its list of ignored file types);
# - Nextcloud and ownCloud exclude "*.~*" (sync-exclude.lst of nextcloud/desktop);
# - our own scan takes only "*.md", and nothing that begins with "~syncthing~".
# The note's own name is not part of it: that may be as long as a file system allows.
_TEMPORARY = re.compile(r"~syncthing~notesync\.~[0-9a-f]{16}\.tmp")
_LEFT_BEHIND = 600  # seconds: nobody writes a file for that long, on any device that shares the folder

_IS_WINDOWS = os.name == "nt"
_PATIENCE = (0.05, 0.1, 0.2, 0.4)  # seconds between tries, while another program on Windows holds a file open
_JUNCTION = 0xA0000003  # Windows' IO_REPARSE_TAG_MOUNT_POINT: a folder that is elsewhere
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_CHILD_FLAGS = _FOLDER_FLAGS | getattr(os, "O_NOFOLLOW", 0)
_NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_HARD_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK}
_NO_SPACE = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_KEPT_ATTRIBUTES = ("user.", "system.posix_acl_access")  # the others are the system's own


class Folder:
    """An open folder: what happens to its path meanwhile leads nowhere else.

    Windows has no such descriptors: there ``handle`` is None, and names are looked up by path.
    """

    def __init__(self, place: str, handle: int | None = None) -> None:
        self.place = place
        self.handle = handle

    def at(self, name: str) -> str:
        """The name to give to the system, along with ``handle``."""
        return os.path.join(self.place, name) if self.handle is None else name

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        """A descriptor of a file in it."""
        return os.open(self.at(name), flags, mode, dir_fd=self.handle)

    def stat(self, name: str) -> os.stat_result:
        """What a name is, without following a link."""
        return os.stat(self.at(name), dir_fd=self.handle, follow_symlinks=False)

    def names(self) -> list[str]:
        """The names in it."""
        return os.listdir(self.place if self.handle is None else self.handle)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; a file that has it is replaced."""
        os.replace(self.at(old), self.at(new), src_dir_fd=self.handle, dst_dir_fd=self.handle)

    def unlink(self, name: str) -> None:
        """Take a name away."""
        os.unlink(self.at(name), dir_fd=self.handle)

    def child(self, name: str) -> Folder:
        """A folder in it, open; links are refused."""
        place = os.path.join(self.place, name)
        if self.handle is not None:
            return Folder(place, os.open(name, _CHILD_FLAGS, dir_fd=self.handle))
        found = os.lstat(place)
        if not stat_bits.S_ISDIR(found.st_mode) or getattr(found, "st_reparse_tag", 0) == _JUNCTION:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), place)
        return Folder(place)

    def sync(self) -> None:
        """Have the names in it outlast a power cut, where the system can."""
        if self.handle is not None:
            with contextlib.suppress(OSError):  # the file is renamed: there is no way back, and none needed
                os.fsync(self.handle)

    def close(self) -> None:
        """Give the folder back."""
        if self.handle is not None:
            os.close(self.handle)


# what a killed process leaves ---------------------------------------------------------------------


def build_temporary_name() -> str:
    """A name for a file that is about to be renamed, which sync engines and our scan pass over."""
    return f"~syncthing~notesync.~{os.urandom(8).hex()}.tmp"


def forget_temporaries(folder: Folder, names: Iterable[str] | None = None) -> None:
    """Remove what a process left in this folder that was killed while it wrote; ``names`` are those in it."""
    long_ago = time.time() - _LEFT_BEHIND
    with contextlib.suppress(OSError):
        for name in folder.names() if names is None else names:
            if name.startswith("~") and _TEMPORARY.fullmatch(name):
                found = folder.stat(name)
                if stat_bits.S_ISREG(found.st_mode) and found.st_mtime < long_ago:
                    folder.unlink(name)


# the three things that can be done ----------------------------------------------------------------


def replace(
    root: str, path: str, expected: bytes, wished: bytes, pause: Callable[[float], None] = time.sleep
) -> bytes | None:
    """Put ``wished`` in the place of ``expected``; see :meth:`Vault.replace`."""
    with _opened(root, path) as (folder, name):
        forget_temporaries(folder)
        with _hold(folder, name, path, expected) as old:
            temporary = _write_beside(folder, wished, old)
            try:
                _require_same(folder, name, path, old, expected)
                _patiently(lambda: _rename(folder, temporary, name, old), pause)
            except BaseException:
                with contextlib.suppress(OSError):
                    folder.unlink(temporary)
                raise
            folder.sync()
            return _find_overtaken(old, expected)


def forget(
    root: str, path: str, expected: bytes, pause: Callable[[float], None] = time.sleep
) -> bytes | None:
    """Remove a file that holds ``expected``; see :meth:`Vault.forget`."""
    with _opened(root, path) as (folder, name), _hold(folder, name, path, expected) as old:
        _require_same(folder, name, path, old, expected)
        _patiently(lambda: _unlink(folder, name, old), pause)
        folder.sync()
        return _find_overtaken(old, expected)


def forget_generated(root: str, path: str, is_ours: Callable[[bytes], bool]) -> bool:
    """Remove a file whose bytes prove it ours; see :meth:`Vault.forget_generated`."""
    with _opened(root, path) as (folder, name):
        require_file(folder.stat(name))
        handle = folder.open(name, OPEN_FLAGS)
        try:
            data = _read_whole(handle)
        finally:
            os.close(handle)
        if not is_ours(data):
            return False
        with _hold(folder, name, path, data) as old:
            _require_same(folder, name, path, old, data)
            _unlink(folder, name, old)
        return True


def create(root: str, path: str, data: bytes) -> str:
    """Make a new file with these bytes; see :meth:`Vault.create`."""
    made: list[str] = []
    with _opened(root, path, lambda folder, part: _make_child(folder, part, made)) as (folder, name):
        names = folder.names()  # once: an import makes thousands of files in one folder
        forget_temporaries(folder, names)
        wanted = fold(name)
        for other in names:
            if fold(other) == wanted:
                there = "/".join((*made, other))
                raise RefusedError(f"{path}: there is already {there}. Choose another name.")
        temporary = _write_new(folder, data, 0o666)
        try:
            _give_name(folder, temporary, name)
        finally:
            with contextlib.suppress(OSError):
                folder.unlink(temporary)
        folder.sync()
        return "/".join((*made, name))


def find_spelling(root: str, path: str) -> str:
    """A path with its folders spelled as they are on the disk, as far as they exist."""
    *folders, name = _split(path)
    spelled: list[str] = []
    for part in folders:
        place = Folder(os.path.join(root, *spelled))
        with contextlib.suppress(OSError):
            part = _spell(place, part)
        spelled.append(part)
    return "/".join((*spelled, name))


def fold(name: str) -> str:
    """What two names share that some file systems, or a sync engine on its way to one, take for the same."""
    if name.isascii():  # as most are, and an import asks of thousands
        return name.lower()
    return normalize("NFC", normalize("NFC", name).casefold())


# the door -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(
    root: str, path: str, enter: Callable[[Folder, str], Folder] = Folder.child
) -> Iterator[tuple[Folder, str]]:
    """The open folder of a path, ``enter``ed from folder to folder, and the name there.

    Whatever the system refuses in the block is a RefusedError.
    """
    *parts, name = _split(path)
    folder = None
    try:
        folder = Folder(root, None if _IS_WINDOWS else os.open(root, _FOLDER_FLAGS))
        for part in parts:
            child = enter(folder, part)
            folder.close()
            folder = child
        yield folder, name
    except Unreadable as reason:
        raise RefusedError(f"{path}: {reason} {reason.hint} Nothing was changed.") from reason
    except OSError as error:
        raise _refusal(path, error) from error
    finally:
        if folder is not None:
            folder.close()


def _split(path: str) -> list[str]:
    parts = path.split("/")
    strange = "\\:\0" if _IS_WINDOWS else "\0"
    if any(part in ("", ".", "..") or any(c in strange for c in part) for part in parts):
        raise RefusedError(f"{path}: this is no path inside the vault, so nothing is written there.")
    return parts


def _spell(folder: Folder, name: str) -> str:
    """A name as it is on the disk: itself, or one that some file systems take for the same."""
    names = folder.names()
    if name in names:
        return name
    return next((other for other in sorted(names) if fold(other) == fold(name)), name)


def _make_child(folder: Folder, name: str, made: list[str]) -> Folder:
    name = _spell(folder, name)
    made.append(name)
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder.at(name), dir_fd=folder.handle)
        folder.sync()
    return folder.child(name)


def _refusal(path: str, error: OSError) -> RefusedError:
    """What a person can do about what the system said."""
    number = error.errno
    if isinstance(error, FileNotFoundError):
        return RefusedError(f"{path} is no longer there. Nothing was changed.")
    if isinstance(error, FileExistsError):
        return RefusedError(f"{path}: there is already a file of that name. Choose another one.")
    if isinstance(error, NotADirectoryError) or number == errno.ELOOP:
        return RefusedError(f"{path}: a link leads elsewhere; nothing outside the vault is written.")
    if number in _NO_SPACE:
        why, mend = "the disk is full", "Free some space and try again."
    elif number == errno.ENAMETOOLONG:
        why, mend = "the name is too long for this drive", "Choose a shorter one."
    elif number == errno.EROFS:
        why, mend = "this drive may only be read", "Change the note where it may be written."
    elif isinstance(error, PermissionError):
        why = "this file or its folder may not be written"
        mend = "Check its permissions, and that no other program holds the file open."
    else:
        why, mend = (error.strerror or str(error)).lower(), "Check the drive, then try again."
    return RefusedError(f"{path}: {why}. {mend} Nothing was changed.")


# the old file -------------------------------------------------------------------------------------


class _Old:
    """The file that is to go: open, and what its name was when its bytes were compared."""

    def __init__(self, handle: int, seen: os.stat_result) -> None:
        self.handle = handle
        self.seen = seen

    def close(self) -> None:
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1


@contextlib.contextmanager
def _hold(folder: Folder, name: str, path: str, expected: bytes) -> Iterator[_Old]:
    """The file of a name, open and holding ``expected``."""
    seen = folder.stat(name)
    require_file(seen)
    if not _is_writable(folder, name, seen):
        raise RefusedError(
            f"{path} may only be read. Allow writing to it if it is to be changed. Nothing was changed."
        )
    old = _Old(folder.open(name, OPEN_FLAGS), seen)
    try:
        if seen.st_size != len(expected):
            raise _moved_on(path)
        _require_same(folder, name, path, old, expected)
        yield old
    finally:
        old.close()


def _is_writable(folder: Folder, name: str, seen: os.stat_result) -> bool:
    # A file without any permission to write was locked by a person, even if the system lets root pass.
    locked = stat_bits.S_IMODE(seen.st_mode) & 0o222 == 0
    return not locked and os.access(folder.at(name), os.W_OK, dir_fd=folder.handle)


def _require_same(folder: Folder, name: str, path: str, old: _Old, expected: bytes) -> None:
    """Raise MovedOnError unless the name is the file that is held, as it was seen, with these bytes."""
    found = folder.stat(name)
    if is_placeholder(found) or signature(found) != signature(old.seen):
        raise _moved_on(path)
    if not os.path.samestat(found, os.fstat(old.handle)) or _read_whole(old.handle) != expected:
        raise _moved_on(path)


def _find_overtaken(old: _Old, expected: bytes) -> bytes | None:
    """What another program wrote into the old file while it was being replaced; None when nothing."""
    if old.handle < 0:
        return None
    data = _read_whole(old.handle)
    return None if data == expected else data


def _moved_on(path: str) -> MovedOnError:
    return MovedOnError(f"{path} was changed by another program just now. Nothing was changed: try again.")


def _read_whole(handle: int) -> bytes:
    os.lseek(handle, 0, os.SEEK_SET)
    parts = []
    while part := os.read(handle, 65536):
        parts.append(part)
    return b"".join(parts)


def _rename(folder: Folder, temporary: str, name: str, old: _Old) -> None:
    if _IS_WINDOWS:
        old.close()
    folder.rename(temporary, name)


def _unlink(folder: Folder, name: str, old: _Old) -> None:
    if _IS_WINDOWS:
        old.close()
    folder.unlink(name)


def _patiently(work: Callable[[], None], pause: Callable[[float], None]) -> None:
    """Do it, and on Windows again while another program holds the file open: scanners do for an instant."""
    for seconds in _PATIENCE if _IS_WINDOWS else ():
        try:
            return work()
        except PermissionError:
            pause(seconds)
    return work()


# the new file -------------------------------------------------------------------------------------


def _write_beside(folder: Folder, data: bytes, old: _Old) -> str:
    """A temporary file that is like the old one in all but its bytes."""
    return _write_new(folder, data, 0o600, lambda handle: _keep_attributes(old, handle))


def _write_new(
    folder: Folder, data: bytes, mode: int, prepare: Callable[[int], None] = lambda _: None
) -> str:
    """The name of a temporary file that holds these bytes, and will after a power cut."""
    name = build_temporary_name()
    handle = folder.open(name, _NEW_FLAGS, mode)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            prepare(handle)
            _sync_file(handle)
        finally:
            os.close(handle)
    except BaseException:
        with contextlib.suppress(OSError):
            folder.unlink(name)
        raise
    return name


def _keep_attributes(old: _Old, new: int) -> None:
    """Give a new file the old one's owner, extended attributes and permissions, in the order that keeps them."""
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):  # only root may give files away
            os.fchown(new, old.seen.st_uid, old.seen.st_gid)
    if sys.platform == "darwin":
        _copy_mac_attributes(old.handle, new)
    elif sys.platform == "linux":
        _copy_attributes(old.handle, new)
    if hasattr(os, "fchmod"):
        os.fchmod(new, stat_bits.S_IMODE(old.seen.st_mode))


if sys.platform == "linux":

    def _copy_attributes(old: int, new: int) -> None:
        try:
            names = os.listxattr(old)
        except OSError:  # a file system without them
            return
        for name in names:
            try:
                os.setxattr(new, name, os.getxattr(old, name))
            except OSError:
                if name.startswith(_KEPT_ATTRIBUTES):
                    raise


if sys.platform == "darwin":

    def _copy_mac_attributes(old: int, new: int) -> None:
        """Finder's tags and access lists: Python has no function for them there, the system's library has."""
        import ctypes

        ctypes.CDLL(None).fcopyfile(old, new, None, 1 | 4)  # COPYFILE_ACL, COPYFILE_XATTR; see copyfile(3)


def _sync_file(handle: int) -> None:
    """Have a file's bytes outlast a power cut; macOS needs a call of its own for it (fsync(2) there)."""
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)


def _give_name(folder: Folder, temporary: str, name: str) -> None:
    """Let a whole file appear under a name that is free.  Raises FileExistsError where it no longer is.

    A hard link never replaces anything, nor does a rename on Windows.  Where there are no hard links (FAT, some
    network drives) the name is taken by an empty file first: a reader may see that for an instant.
    """
    if _IS_WINDOWS:
        os.rename(folder.at(temporary), folder.at(name))
        return
    try:
        os.link(temporary, name, src_dir_fd=folder.handle, dst_dir_fd=folder.handle)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _rename_over_nothing(folder, temporary, name)


def _rename_over_nothing(folder: Folder, temporary: str, name: str) -> None:
    os.close(folder.open(name, _NEW_FLAGS, 0o666))
    try:
        folder.rename(temporary, name)
    except BaseException:
        folder.unlink(name)
        raise
