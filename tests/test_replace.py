"""A person's file is created, replaced or forgotten: whole, guarded, and nothing of it is lost or left about."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from meanwhile import before

from notesync.problems import MovedOnError, RefusedError
from notesync.store import writing
from notesync.store.scan import Scan
from notesync.store.vault import Vault

NOTE = "Clients/Acme.md"
OLD, NEW = b"---\r\ntype: client\r\n---\r\nold", b"---\r\ntype: client\r\n---\r\nnew, and longer"
NEEDS_POSIX = pytest.mark.skipif(os.name == "nt", reason="no such files or permissions there")
LEFT = "~syncthing~notesync.~0123456789abcdef.tmp"


@pytest.fixture(params=["by descriptor", "by path"])
def vault(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """A vault with a note; ``by path`` goes the ways that Windows needs."""
    (tmp_path / "vault" / "Clients").mkdir(parents=True)
    (tmp_path / "vault" / NOTE).write_bytes(OLD)
    monkeypatch.setattr(writing, "_IS_WINDOWS", request.param == "by path" or os.name == "nt")
    return Vault(str(tmp_path / "vault"))


def at(vault: Vault, path: str = NOTE) -> Path:
    return Path(vault.root, path)


def files(vault: Vault) -> list[str]:
    """Everything in the vault but folders."""
    return sorted(
        path.relative_to(vault.root).as_posix() for path in Path(vault.root).rglob("*") if not path.is_dir()
    )


def test_a_note_is_replaced(vault: Vault) -> None:
    assert vault.replace(NOTE, OLD, NEW) is None
    assert at(vault).read_bytes() == NEW
    assert files(vault) == [NOTE]


@pytest.mark.parametrize(
    "found",
    [b"", OLD[:-1], OLD + b"!", OLD[:-1] + b"D", b"other"],
    ids=["empty", "-1", "+1", "same size", "other"],
)
def test_a_note_that_holds_other_bytes_has_moved_on(vault: Vault, found: bytes) -> None:
    at(vault).write_bytes(found)
    for change in (lambda: vault.replace(NOTE, OLD, NEW), lambda: vault.forget(NOTE, OLD)):
        with pytest.raises(MovedOnError, match="was changed by another program"):
            change()
    assert at(vault).read_bytes() == found
    assert files(vault) == [NOTE]


@NEEDS_POSIX
def test_permissions_and_attributes_stay(vault: Vault) -> None:
    at(vault).chmod(0o640)
    kept = _set_attribute(at(vault))
    vault.replace(NOTE, OLD, NEW)
    assert stat.S_IMODE(at(vault).stat().st_mode) == 0o640
    if kept:
        assert os.getxattr(at(vault), "user.tag") == b"important"


@NEEDS_POSIX
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_note_of_another_user_stays_theirs(vault: Vault) -> None:
    os.chown(at(vault), 1234, 4321)
    vault.replace(NOTE, OLD, NEW)
    found = at(vault).stat()
    assert (found.st_uid, found.st_gid) == (1234, 4321)


def _set_attribute(path: Path) -> bool:
    try:
        os.setxattr(path, "user.tag", b"important")
    except (AttributeError, OSError):
        return False
    return True


# what is refused ----------------------------------------------------------------------------------


def _link(vault: Vault) -> None:
    at(vault).rename(at(vault, "Clients/Real.md"))
    at(vault).symlink_to("Real.md")


def _linked_folder(vault: Vault) -> None:
    at(vault, "Clients").rename(at(vault, "../elsewhere"))
    at(vault, "Clients").symlink_to("../elsewhere")


def _pipe(vault: Vault) -> None:
    at(vault).unlink()
    os.mkfifo(at(vault))


def _folder(vault: Vault) -> None:
    at(vault).unlink()
    at(vault).mkdir()


@NEEDS_POSIX
@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda vault: at(vault).unlink(), "no longer there"),
        (lambda vault: shutil.rmtree(at(vault, "Clients")), "no longer there"),
        (lambda vault: at(vault).chmod(0o444), "may only be read"),
        (_link, "not an ordinary file"),
        (_linked_folder, "a link leads elsewhere"),
        (_pipe, "not an ordinary file"),
        (_folder, "not an ordinary file"),
    ],
    ids=["gone", "folder gone", "read-only", "link", "linked folder", "pipe", "folder"],
)
def test_what_is_no_note_of_ours_to_change_is_refused(
    vault: Vault, made: Callable[[Vault], None], words: str
) -> None:
    made(vault)
    there = files(vault)
    for change in (lambda: vault.replace(NOTE, OLD, NEW), lambda: vault.forget(NOTE, OLD)):
        with pytest.raises(RefusedError, match=words) as error:
            change()
        assert error.value.exit_code == 4
    assert files(vault) == there
    assert not at(vault, "../elsewhere/Acme.md").exists() or at(vault).read_bytes() == OLD


def test_a_placeholder_is_neither_read_nor_replaced(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    from notesync.store import vault as vault_module

    monkeypatch.setattr(vault_module, "is_placeholder", lambda found: stat.S_ISREG(found.st_mode))
    monkeypatch.setattr(writing.Folder, "open", None)
    with pytest.raises(RefusedError, match="not on this device"):
        vault.replace(NOTE, OLD, NEW)
    assert at(vault).read_bytes() == OLD


@pytest.mark.parametrize(
    "path", ["../Acme.md", "Clients/../../Acme.md", "/Acme.md", "Clients//Acme.md", "", "a\0"]
)
def test_nothing_outside_the_vault_is_written(vault: Vault, path: str, tmp_path: Path) -> None:
    (tmp_path / "Acme.md").write_bytes(OLD)
    for change in (lambda: vault.replace(path, OLD, NEW), lambda: vault.create(path, NEW)):
        with pytest.raises(RefusedError, match="no path inside the vault"):
            change()
    assert (tmp_path / "Acme.md").read_bytes() == OLD


@NEEDS_POSIX
def test_a_folder_that_becomes_a_link_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The race that checking paths cannot win: here the folder is swapped after it was entered."""
    root, outside = tmp_path / "vault", tmp_path / "outside"
    for folder in (root / "Clients", outside):
        folder.mkdir(parents=True)
        (folder / "Acme.md").write_bytes(OLD)

    def swap() -> None:
        (root / "Clients").rename(root / "Moved")
        (root / "Clients").symlink_to(outside)

    before(monkeypatch, writing.Folder, "stat", swap)
    Vault(str(root)).replace(NOTE, OLD, NEW)
    assert (outside / "Acme.md").read_bytes() == OLD
    assert (root / "Moved" / "Acme.md").read_bytes() == NEW
    assert list(outside.iterdir()) == [outside / "Acme.md"]


@NEEDS_POSIX
def test_a_note_that_becomes_a_link_is_not_followed(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    before(monkeypatch, writing.Folder, "open", lambda: _link(vault))
    with pytest.raises(RefusedError, match="a link leads elsewhere"):
        vault.replace(NOTE, OLD, NEW)
    assert at(vault, "Clients/Real.md").read_bytes() == OLD
    assert files(vault) == [NOTE, "Clients/Real.md"]


# another program at the same moment ---------------------------------------------------------------


def _save_in_place(vault: Vault) -> Callable[[], object]:
    return lambda: at(vault).write_bytes(b"typed meanwhile")


def _save_by_rename(vault: Vault) -> Callable[[], object]:
    def save() -> None:
        at(vault, "Clients/x.tmp").write_bytes(OLD)  # the same bytes, but another file
        os.replace(at(vault, "Clients/x.tmp"), at(vault))

    return save


@pytest.mark.parametrize("save", [_save_in_place, _save_by_rename])
def test_a_save_while_we_write_is_seen_before_the_rename(
    vault: Vault, save: Callable[[Vault], Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, writing, "_sync_file", save(vault))
    with pytest.raises(MovedOnError):
        vault.replace(NOTE, OLD, NEW)
    assert at(vault).read_bytes() in (b"typed meanwhile", OLD)
    assert files(vault) == [NOTE]


@pytest.mark.parametrize("vault", ["by descriptor"], indirect=True)
@NEEDS_POSIX
def test_a_save_in_the_moment_of_the_rename_is_handed_back(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, writing.Folder, "rename", _save_in_place(vault))
    assert vault.replace(NOTE, OLD, NEW) == b"typed meanwhile"
    assert at(vault).read_bytes() == NEW
    before(monkeypatch, writing.Folder, "unlink", _save_in_place(vault))
    assert vault.forget(NOTE, NEW) == b"typed meanwhile"
    assert files(vault) == []


@pytest.mark.parametrize("vault", ["by path"], indirect=True)
def test_a_file_that_a_scanner_holds_open_is_tried_again(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left, waits = os.replace, [1, 2], []

    def held(*args: Any, **options: Any) -> None:
        if left:
            left.pop()
            raise PermissionError(13, "The process cannot access the file")
        real(*args, **options)

    monkeypatch.setattr(os, "replace", held)
    assert vault.replace(NOTE, OLD, NEW, waits.append) is None
    assert at(vault).read_bytes() == NEW
    assert len(waits) == 2
    left += range(99)
    with pytest.raises(RefusedError, match="no other program holds the file open"):
        vault.replace(NOTE, NEW, OLD, waits.append)
    assert sum(waits) < 2
    assert at(vault).read_bytes() == NEW
    assert files(vault) == [NOTE]


# the disk -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full. Free some space"),
        (errno.EROFS, "this drive may only be read"),
        (errno.EACCES, "may not be written. Check its permissions"),
        (errno.EIO, "input/output error"),
        (errno.ENAMETOOLONG, "too long"),
    ],
)
@pytest.mark.parametrize("place", ["open", "write", "fsync", "replace"])
def test_what_the_system_refuses_changes_nothing(
    vault: Vault, place: str, number: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(os, place)

    def fail(*args: Any, **options: Any) -> Any:
        if place == "open" and not args[1] & os.O_CREAT:
            return real(*args, **options)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, place, fail)
    with pytest.raises(RefusedError, match=words) as error:
        vault.replace(NOTE, OLD, NEW, lambda _: None)
    monkeypatch.undo()
    assert "Nothing was changed" in str(error.value)
    assert at(vault).read_bytes() == OLD
    assert files(vault) == [NOTE]


FILLING = """
import os, sys
from notesync.problems import RefusedError
from notesync.store.vault import Vault
root = sys.argv[1]
open(root + "/a.md", "wb").write(b"old")
try:
    Vault(root).replace("a.md", b"old", os.urandom(200_000))
except RefusedError as error:
    print(error)
print(open(root + "/a.md").read(), os.listdir(root))
"""


@pytest.mark.skipif(not shutil.which("unshare"), reason="needs Linux's unshare")
def test_a_disk_that_really_is_full(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=64k none "$2" 2>&1 || exit 77; exec "$0" -c "$1" "$2"'
    command = ["unshare", "-Urm", "sh", "-c", mount, sys.executable, FILLING, str(tmp_path)]
    home = str(Path(writing.__file__).parents[2])
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": home}, check=False
    )
    if done.returncode:
        pytest.skip(f"no memory disk can be had here: {done.stdout}{done.stderr}")
    refused, left = done.stdout.splitlines()
    assert refused == "a.md: the disk is full. Free some space and try again. Nothing was changed."
    assert left == "old ['a.md']"


@NEEDS_POSIX
def test_bytes_are_on_the_disk_before_the_name_and_the_name_before_we_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_bytes(OLD)
    order = []
    fsync, rename = os.fsync, os.replace

    def note_sync(handle: int) -> None:
        order.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def note_rename(*args: Any, **options: Any) -> None:
        order.append("rename")
        rename(*args, **options)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_rename)
    Vault(str(tmp_path)).replace("a.md", OLD, NEW)
    assert order == ["file", "rename", "folder"]


def test_what_a_killed_process_left_is_removed_when_it_is_old_and_ours(vault: Vault) -> None:
    theirs = ["~syncthing~Acme.md.tmp", "notes.tmp", "~syncthing~notesync.~short.tmp"]
    fresh = LEFT.replace("0", "f")
    for name in (*theirs, LEFT, fresh):
        at(vault, f"Clients/{name}").write_bytes(b"left")
        if name != fresh:
            os.utime(at(vault, f"Clients/{name}"), (1e9, 1e9))
    folder = at(vault, f"Clients/{LEFT.replace('0', 'e')}")
    folder.mkdir()
    os.utime(folder, (1e9, 1e9))
    vault.replace(NOTE, OLD, NEW)
    assert {Path(path).name for path in files(vault)} == {"Acme.md", *theirs, fresh}
    assert folder.is_dir()


def test_a_temporary_file_is_passed_over_by_our_scan_and_by_sync_engines(vault: Vault) -> None:
    """The rules of the engines as ``writing`` cites them."""
    name = writing.build_temporary_name()
    at(vault, f"Clients/{name}").write_bytes(OLD)
    seen = Scan(vault, time.time_ns()).compare([])
    assert [each.folder + note for each in seen for note in each.changed] == [NOTE]
    assert name.startswith("~syncthing~")  # Syncthing
    assert name.startswith("~")  # Dropbox, with the next
    assert name.endswith(".tmp")  # OneDrive, iCloud Drive, Insync
    assert ".~" in name  # Nextcloud, ownCloud
    assert len(os.fsencode(name)) < 100


# new notes ----------------------------------------------------------------------------------------


def test_a_new_note_appears_with_the_folders_that_it_needs(vault: Vault) -> None:
    assert vault.create("Clients/New/Zoë.md", NEW) == "Clients/New/Zoë.md"
    assert vault.create("Top.md", b"") == "Top.md"
    assert at(vault, "Clients/New/Zoë.md").read_bytes() == NEW
    assert files(vault) == [NOTE, "Clients/New/Zoë.md", "Top.md"]


@NEEDS_POSIX
def test_a_new_note_has_the_permissions_of_any_new_file(vault: Vault) -> None:
    at(vault, "Usual.md").write_bytes(NEW)
    vault.create("New.md", NEW)
    assert at(vault, "New.md").stat().st_mode == at(vault, "Usual.md").stat().st_mode
    assert at(vault, "New.md").stat().st_nlink == 1


@pytest.mark.parametrize(
    ("there", "wished"),
    [
        ("Clients/Acme.md", "Clients/Acme.md"),
        ("Clients/Acme.md", "Clients/ACME.md"),
        ("Clients/Acme.md", "clients/acme.MD"),
        ("Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}.md", "Zoe\N{COMBINING DIAERESIS}.md"),
        ("Straße.md", "STRASSE.md"),
    ],
)
def test_a_new_note_never_takes_anothers_place(vault: Vault, there: str, wished: str) -> None:
    at(vault, there).write_bytes(OLD)
    with pytest.raises(RefusedError, match="there is already"):
        vault.create(wished, NEW)
    assert at(vault, there).read_bytes() == OLD
    assert len(files(vault)) == len({NOTE, there})


def test_a_folder_is_used_as_it_is_spelled(vault: Vault) -> None:
    assert vault.find_spelling("clients/Deep/Bo.md") == "Clients/Deep/Bo.md"
    assert vault.create("clients/Deep/Bo.md", NEW) == "Clients/Deep/Bo.md"
    assert vault.create("CLIENTS/deep/Cy.md", NEW) == "Clients/Deep/Cy.md"
    assert files(vault) == [NOTE, "Clients/Deep/Bo.md", "Clients/Deep/Cy.md"]


@NEEDS_POSIX
def test_a_new_note_is_made_neither_over_a_link_nor_behind_one(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    at(vault, "Dangling.md").symlink_to(tmp_path / "outside" / "Dangling.md")
    at(vault, "Linked").symlink_to(tmp_path / "outside")
    for path in ("Dangling.md", "Linked/New.md"):
        with pytest.raises(RefusedError):
            vault.create(path, NEW)
    assert list((tmp_path / "outside").iterdir()) == []


def _no_links(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("vault", ["by descriptor"], indirect=True)
@pytest.mark.parametrize("links", [True, False])
@NEEDS_POSIX
def test_a_note_that_appears_while_we_write_is_not_replaced(
    vault: Vault, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    before(monkeypatch, os, "link", lambda: at(vault, "New.md").write_bytes(OLD))
    with pytest.raises(RefusedError, match="already a file of that name"):
        vault.create("New.md", NEW)
    assert at(vault, "New.md").read_bytes() == OLD
    assert files(vault) == [NOTE, "New.md"]


@pytest.mark.parametrize("vault", ["by descriptor"], indirect=True)
@NEEDS_POSIX
def test_a_drive_without_hard_links_takes_new_notes_too(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", _no_links)
    vault.create("New.md", NEW)
    assert at(vault, "New.md").read_bytes() == NEW
    monkeypatch.setattr(os, "replace", _no_links)
    with pytest.raises(RefusedError, match="may not be written"):
        vault.create("Newer.md", NEW)
    assert files(vault) == [NOTE, "New.md"]


def test_a_note_is_forgotten(vault: Vault) -> None:
    assert vault.forget(NOTE, OLD) is None
    assert files(vault) == []
