"""The door to people's files: what counts as a note, what is read, how a generated file is replaced."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from notesync.problems import VaultError
from notesync.store import vault as vault_module
from notesync.store.scan import Scan
from notesync.store.vault import (
    UNTRUSTED,
    MovedBaseError,
    Unreadable,
    Vault,
    find_root,
    is_placeholder,
    signature,
)

LATER = time.time_ns() + 10**12


def names(root: Path, ignored: tuple[str, ...] = ()) -> list[str]:
    differences = Scan(Vault(str(root), ignored), time.time_ns()).compare([])
    return sorted(each.folder + name for each in differences for name in each.changed)


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x", encoding="utf-8")


def test_markdown_files_are_found_and_what_engines_and_editors_leave_is_not(tmp_path: Path) -> None:
    put(tmp_path, "Acme.md", "Deep/Er/Zoë.md", "v1.2 Ltd/Note.v2.MD", "田中.md")
    put(
        tmp_path,
        ".obsidian/x.md",
        ".trash/old.md",
        ".stversions/Acme~20261122-103045.md",
        "node_modules/a.md",
    )
    put(tmp_path, "._Acme.md", ".Acme.md.Xy12Zw", "~$Acme.md", "Acme.md~", "Acme.md.tmp", "4913", "Acme.txt")
    put(tmp_path, ".syncthing.Acme.md.tmp", "~syncthing~Acme.md.tmp", "#Acme.md#", "@eaDir/a.md")
    assert names(tmp_path) == ["Acme.md", "Deep/Er/Zoë.md", "v1.2 Ltd/Note.v2.MD", "田中.md"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("Archive/", ["Acme.md", "Work/Acme.md", "Work/Bo.md"]),
        ("Work/Archive/", ["Acme.md", "Archive/Old.md", "Work/Acme.md", "Work/Bo.md"]),
        ("Acme.md", ["Archive/Old.md", "Work/Archive/Older.md", "Work/Bo.md"]),
        ("Work/*.md", ["Acme.md", "Archive/Old.md"]),
        ("O*", ["Acme.md", "Work/Acme.md", "Work/Bo.md"]),
    ],
)
def test_what_the_settings_ignore_is_not_looked_at(tmp_path: Path, pattern: str, left: list[str]) -> None:
    put(tmp_path, "Acme.md", "Archive/Old.md", "Work/Acme.md", "Work/Bo.md", "Work/Archive/Older.md")
    assert names(tmp_path, (pattern,)) == left


# What editors, sync engines and systems leave (a name that ends in .md where that is possible at all).
NOT_NOTES = """
.git/x.md .obsidian/x.md .trash/x.md .Trash-1000/files/x.md .stfolder/x.md .stversions/x~20261122-103045.md
.sync/Archive/x.md .dropbox.cache/x.md .maestral.cache/x.md .tmp.drivedownload/x.md .tmp.driveupload/x.md
.SyncArchive/x.md .SyncTrash/x.md .Spotlight-V100/x.md .Trashes/501/x.md .fseventsd/x.md .DocumentRevisions-V100/x.md
.TemporaryItems/x.md .owncloud/x.md .notesync/x.md node_modules/pkg/x.md @eaDir/x.md #recycle/x.md $RECYCLE.BIN/x.md
System|Volume|Information/x.md .~tmp~/x.md logseq/bak/pages/x.md Graph/logseq/bak/x.md __MACOSX/x.md
(A|Document|Being|Saved|By|TextEdit)/x.md (A|Document|Being|Saved|By|TextEdit|2)/x.md
.x.md ~$x.md .~lock.x.md# ~syncthing~x.md .syncthing.x.md ._x.md .goutputstream-A1B2C3 .fuse_hidden0001 .nfs0001
.smbdelete1 x.md~ x.md.tmp x.md.temp x.md.swp .x.md.swp x.md.swo x.md.swn x.md.swx .x.md.kate-swp x.md.bak x.md.orig
x.md.rej x.md.part x.md.filepart x.md.crdownload x.md.partial x.md.!sync x.md.SyncPart x.md.SyncTemp x.md.SyncOld
x.md.vsctmp x.gdoc x.gsheet x.lnk x.url x.webloc 4913 #x.md# #x.md#save# Thumbs.db desktop.ini .DS_Store .dropbox
.directory tmpIM0pyb sedSE82aB .x.md.Xy12Zw x.md.sb-1a2b3c4d-5e6f70 x.md___jb_tmp___ x.md___jb_old___
"""


@pytest.mark.parametrize("path", [path.replace("|", " ") for path in NOT_NOTES.split()])
def test_no_note_is_what(tmp_path: Path, path: str) -> None:
    put(tmp_path, path)
    assert names(tmp_path) == []
    vault = Vault(str(tmp_path))
    assert not vault.is_relevant(path, False)
    if path.startswith("."):
        assert not vault.is_relevant(path.partition("/")[0], True)


@pytest.mark.parametrize(
    "path",
    [
        "bak/x.md",
        "logseq/x.md",
        "logseq/bakery/x.md",
        "Notes/bak/x.md",
        "Mine (A Document)/x.md",
        "tmp.md",
        "x~.md",
    ],
)
def test_a_note_it_is_though(tmp_path: Path, path: str) -> None:
    put(tmp_path, path)
    assert names(tmp_path) == [path]
    assert Vault(str(tmp_path)).is_relevant(path, False)


LONG = "ü" * 126 + ".md"  # 255 bytes, the most that file systems take


def test_names_at_the_limit_and_names_that_differ_in_form_alone(tmp_path: Path) -> None:
    paths = [LONG, "Zo\u00eb.md", "Zoe\u0308.md", "ACME.md", "acme.md", "a\nb.md", "v1.2 Ltd/\u202etxt.md"]
    put(tmp_path, *paths)
    if len(set(os.listdir(tmp_path))) < 7:
        pytest.skip("this file system folds case, or the form of accents")
    vault = Vault(str(tmp_path))
    assert names(tmp_path) == sorted(paths)
    for path in paths:
        assert vault.read(path, LATER).data == b"x"
        assert vault.is_relevant(path, False)
        assert vault.replace(path, b"x", b"y") is None
        assert (tmp_path / path).read_bytes() == b"y"


@pytest.mark.skipif(os.name == "nt", reason="no such files on Windows")
def test_what_is_no_ordinary_file_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that nobody writes into would block, and a device does who knows what."""
    (root := tmp_path / "v").mkdir()
    os.mkfifo(root / "pipe.md")
    with socket.socket(socket.AF_UNIX) as made:
        monkeypatch.chdir(root)  # a socket's path is at most a hundred bytes long
        made.bind("socket.md")
    with contextlib.suppress(PermissionError):  # without root's rights
        os.mknod(root / "device.md", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    (root / "terminal.md").symlink_to("/dev/tty")
    (root / "nowhere.md").symlink_to("no such file")
    (root / ".#Acme.md").symlink_to("anna@desk.4711:1763800000")
    (root / "folder.md").mkdir()
    put(root, "Acme.md", "folder.md/Bo.md")
    assert names(root) == ["Acme.md", "folder.md/Bo.md"]
    vault = Vault(str(root))
    monkeypatch.setattr(vault_module.os, "open", lambda *_, **__: pytest.fail("it was opened"))
    for path in sorted(os.listdir(root)):
        if path != "Acme.md":
            with pytest.raises(Unreadable, match="not an ordinary file"):
                vault.read(path, LATER)


@pytest.mark.skipif(os.name == "nt", reason="needs privileges on Windows")
def test_nothing_outside_is_reached_through_a_folder_that_became_a_link(tmp_path: Path) -> None:
    """Its listing is known; then the folder is moved away and a link to it left in its place."""
    root = tmp_path / "vault"
    put(root, "Clients/Acme.md", "Bo.md")
    known = [each.listing for each in Scan(Vault(str(root)), LATER).compare([])]
    (root / "Clients").rename(tmp_path / "outside")
    (root / "Clients").symlink_to(tmp_path / "outside")
    found = list(Scan(Vault(str(root)), LATER).compare([each for each in known if each is not None]))
    assert [(each.folder, each.listing, each.gone) for each in found if each.gone] == [
        ("Clients/", None, ["Acme.md"])
    ]


@pytest.mark.skipif(os.name == "nt", reason="needs privileges on Windows")
def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put(outside, "Secret.md")
    root = tmp_path / "vault"
    put(root, "Acme.md")
    (root / "linked.md").symlink_to(outside / "Secret.md")
    (root / "folder").symlink_to(outside)
    (root / "circle").symlink_to(root)
    os.mkfifo(root / "pipe.md")
    assert names(root) == ["Acme.md"]
    vault = Vault(str(root))
    for path in ("linked.md", "pipe.md"):
        with pytest.raises(Unreadable) as error:
            vault.read(path, LATER)
        assert error.value.code == "not-a-file"


def test_a_file_with_fresh_times_has_no_signature_yet(tmp_path: Path) -> None:
    put(tmp_path, "Acme.md")
    vault = Vault(str(tmp_path))
    seen = os.lstat(tmp_path / "Acme.md")
    assert vault.read("Acme.md", seen.st_ctime_ns).signature == UNTRUSTED
    assert vault.read("Acme.md", LATER).signature == signature(seen)
    os.utime(tmp_path / "Acme.md", ns=(LATER * 2, LATER * 2))
    assert vault.read("Acme.md", LATER).signature == UNTRUSTED


def test_a_note_of_fifty_megabytes_is_named_and_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "Huge.md", "wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(Unreadable) as error:
        Vault(str(tmp_path)).read("Huge.md", LATER)
    assert error.value.code == "note-too-large"


def test_a_note_that_grows_while_it_is_read_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "Acme.md"
    path.write_bytes(b"first ")
    real, calls = os.read, []

    def read_and_grow(handle: int, size: int) -> bytes:
        data = real(handle, size)
        if not calls:
            calls.append(1)
            with open(path, "ab") as file:
                file.write(b"second")
        return data

    monkeypatch.setattr(vault_module.os, "read", read_and_grow)
    assert Vault(str(tmp_path)).read("Acme.md", LATER).data == b"first second"


@pytest.mark.parametrize(
    ("found", "placeholder"),
    [
        (SimpleNamespace(st_flags=0x40000000), True),
        (SimpleNamespace(st_flags=0), False),
        (SimpleNamespace(st_file_attributes=0x00400000), True),
        (SimpleNamespace(st_file_attributes=0x1000), True),
        (SimpleNamespace(st_file_attributes=0x20), False),
        (SimpleNamespace(), False),
    ],
)
def test_online_only_files_are_known_by_their_flags(found: object, placeholder: bool) -> None:
    assert is_placeholder(found) is placeholder  # type: ignore[arg-type]


def test_a_missing_root_is_an_error_and_not_an_empty_vault(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="no such folder"):
        Vault(str(tmp_path / "gone")).require()
    put(tmp_path, "file")
    with pytest.raises(VaultError, match="not a folder"):
        Vault(str(tmp_path / "file")).require()


def test_the_nearest_folder_with_settings_is_the_vault(tmp_path: Path) -> None:
    put(tmp_path, "notesync.yaml", "a/b/c/note.md", "a/notesync.yaml")
    assert find_root(str(tmp_path / "a/b/c")) == str(tmp_path / "a")
    assert find_root(str(tmp_path)) == str(tmp_path)


@pytest.mark.parametrize("old", [None, b"", b"abc", b"abcdef", b"abcxef", b"abcdefgh", b"xyz"])
def test_a_generated_file_is_replaced_only_by_other_bytes(tmp_path: Path, old: bytes | None) -> None:
    target = tmp_path / "followups.ics"
    if old is not None:
        target.write_bytes(old)
        os.utime(target, ns=(1, 1))
    inode = target.stat().st_ino if old is not None else None
    written = Vault(str(tmp_path)).replace_generated("followups.ics", iter([b"abc", b"d", b"ef"]))
    assert target.read_bytes() == b"abcdef"
    assert written.changed is (old != b"abcdef")
    if not written.changed:
        assert (target.stat().st_ino, target.stat().st_mtime_ns) == (inode, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["followups.ics"]


@pytest.mark.parametrize(
    ("chunks", "result"),
    [
        ([b"ab", range(2, 6), b"gh"], b"abcdefgh"),
        ([range(6), b"g!"], b"abcdefg!"),
        ([b"x", range(1, 3), b"DE", range(5, 8)], b"xbcDEfgh"),
        ([range(4, 8), range(4)], b"efghabcd"),
        ([range(3), range(5, 8)], b"abcfgh"),
        ([], b""),
    ],
)
def test_ranges_of_the_old_file_stand_for_its_bytes(
    tmp_path: Path, chunks: list[bytes | range], result: bytes
) -> None:
    vault, target = Vault(str(tmp_path)), tmp_path / "followups.ics"
    base = vault.replace_generated("followups.ics", [b"abcdefgh"]).signature
    written = vault.replace_generated("followups.ics", chunks, base)
    assert target.read_bytes() == result
    assert written == (result != b"abcdefgh", signature(target.stat()))
    assert [path.name for path in tmp_path.iterdir()] == ["followups.ics"]


@pytest.mark.parametrize("theirs", [None, b"abcdefgh", b"other"])
def test_bytes_are_kept_only_of_the_file_that_was_meant(tmp_path: Path, theirs: bytes | None) -> None:
    vault, target = Vault(str(tmp_path)), tmp_path / "followups.ics"
    base = vault.replace_generated("followups.ics", [b"abcdefgh"]).signature
    target.unlink()
    if theirs is not None:
        (tmp_path / "theirs").write_bytes(theirs)
        (tmp_path / "theirs").replace(target)
    with pytest.raises(MovedBaseError):
        vault.replace_generated("followups.ics", [b"x", range(1, 8)], base)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([] if theirs is None else [theirs])


def test_a_file_that_another_program_changes_meanwhile_stays_as_it_is(tmp_path: Path) -> None:
    vault, target = Vault(str(tmp_path)), tmp_path / "followups.ics"
    base = vault.replace_generated("followups.ics", [b"abcdefgh"]).signature

    def chunks() -> Iterator[bytes | range]:
        yield b"x"
        with target.open("ab") as file:
            file.write(b"theirs")
        yield range(1, 8)

    with pytest.raises(MovedBaseError):
        vault.replace_generated("followups.ics", chunks(), base)
    assert target.read_bytes() == b"abcdefghtheirs"
    assert [path.name for path in tmp_path.iterdir()] == ["followups.ics"]


def test_a_failure_while_writing_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "followups.ics"
    target.write_bytes(b"old")

    def chunks() -> object:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Vault(str(tmp_path)).replace_generated("followups.ics", chunks())  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["followups.ics"]


def test_only_notes_settings_and_folders_wake_the_watcher(tmp_path: Path) -> None:
    vault = Vault(str(tmp_path), ("Archive/",))
    assert vault.is_relevant("Clients/Acme.md", False)
    assert vault.is_relevant("notesync.yaml", False)
    assert vault.is_relevant("Clients", True)
    assert vault.is_relevant(".obsidian/templates.json", False)
    for path in (
        "followups.ics",
        "~syncthing~notesync.~0123456789abcdef.tmp",
        ".obsidian/workspace.json",
        "photo.jpg",
        ".Acme.md.swp",
    ):
        assert not vault.is_relevant(path, False), path
    assert not vault.is_relevant("Archive", True)
    assert not vault.is_relevant(".git", True)
