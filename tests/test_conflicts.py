"""The names in a folder, and which of them are conflict copies of what."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notesync.store.conflicts import Facts, find_copies, is_same_client, shares_past


def agree(copy: str, beside: str) -> bool:
    """A judge who takes any two notes for one client's."""
    return True


def refuse(copy: str, beside: str) -> bool:
    """A judge who takes no two notes for one client's: only names that prove it are left."""
    return False


# The name of a copy of `Acme.md`, its engine, the machine and the moment that it tells.
SURE: dict[str, tuple[str, str, str]] = {
    "Acme (Anna's conflicted copy 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (Anna’s MacBook Pro's conflicted copy 2026-11-22).md": ("Dropbox", "Anna’s MacBook Pro", "2026-11-22"),
    "Acme (DESKTOP-4F's conflicted copy 2026-11-22 (1)).md": ("Dropbox", "DESKTOP-4F", "2026-11-22"),
    "Acme (DESKTOP-4F's conflicted copy 2026-11-22 1).md": ("Dropbox", "DESKTOP-4F", "2026-11-22"),
    "Acme (DESKTOP-4F's conflicted copy 2026-11-22) (1).md": ("Dropbox", "DESKTOP-4F", "2026-11-22"),
    "Acme (PC (2)'s conflicted copy 2026-11-22).md": ("Dropbox", "PC (2)", "2026-11-22"),
    "Acme (conflicted copy 2026-11-22).md": ("Dropbox", "", "2026-11-22"),
    "Acme (conflicted copy).md": ("Dropbox", "", ""),
    "Acme (conflicted copy 1).md": ("Dropbox", "", ""),
    "Acme (Case Conflict).md": ("Dropbox", "", ""),
    "Acme (Case Conflict 1).md": ("Dropbox", "", ""),
    "Acme (case conflict).md": ("Dropbox", "", ""),
    "Acme (Unicode Encoding Conflict).md": ("Dropbox", "", ""),
    "Acme (White Space Conflict).md": ("Dropbox", "", ""),
    "Acme (Selective Sync Conflict).md": ("Dropbox", "", ""),
    "Acme (Ignored Item Conflict).md": ("Dropbox", "", ""),
    "Acme (In Konflikt stehende Kopie von Büro 2026-11-22).md": ("Dropbox", "Büro", "2026-11-22"),
    "Acme (Annas in Konflikt stehende Kopie 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (Konfliktkopie von Anna 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (Copie en conflit de DESKTOP-9K1 2025-10-19).md": ("Dropbox", "DESKTOP-9K1", "2025-10-19"),
    "Acme (Copia conflictiva de Anna 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (Copia en conflicto de Anna 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (Copia in conflitto di Anna 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (Cópia em conflito de Anna 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (Conflicterende kopie van Anna 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (Anna 上の問題のあるコピー 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (Anna の競合コピー 2026-09-06).md": ("Dropbox", "Anna", "2026-09-06"),
    "Acme (Anna 的冲突副本 2026-11-22).md": ("Dropbox", "Anna", "2026-11-22"),
    "Acme (конфликтующая копия от Анна 2026-11-22).md": ("Dropbox", "Анна", "2026-11-22"),
    "Acme (무시된 항목 충돌 2026-11-22).md": ("Dropbox", "", "2026-11-22"),
    "Acme-clarice-users-predator-safeBackup-0001.md": ("OneDrive", "clarice-users-predator", ""),
    "Acme.sync-conflict-20261122-003230-SZGHDFP.md": ("Syncthing", "SZGHDFP", "2026-11-22T00:32:30"),
    "Acme.sync-conflict-20161122-003230.md": ("Syncthing", "", "2016-11-22T00:32:30"),
    "Acme.sync-conflict-20261122-003230-SZGHDFP (1).md": ("Syncthing", "SZGHDFP", "2026-11-22T00:32:30"),
    "Acme (conflicted copy 2026-11-22 103045).md": ("Nextcloud", "", "2026-11-22T10:30:45"),
    "Acme (conflicted copy anna 2026-11-22 103045).md": ("Nextcloud", "anna", "2026-11-22T10:30:45"),
    "Acme_conflict-20180101-103045.md": ("Nextcloud", "", "2018-01-01T10:30:45"),
    "Acme (case clash from anna 2026-11-22 103045).md": ("Nextcloud", "anna", "2026-11-22T10:30:45"),
    "Acme (Conflicted copy from Anna on 2026-11-22).md": ("a sync program", "Anna", "2026-11-22"),
    "Acme (Conflicted copy Pixel 202611221030).md": ("Obsidian Sync", "Pixel", "2026-11-22T10:30"),
    "Acme.Conflict.md": ("Resilio", "", ""),
    "Acme.Conflict1.md": ("Resilio", "", ""),
    "Acme.md..path1": ("rclone", "", ""),
    "Acme.md..path2": ("rclone", "", ""),
    "Acme.md.conflict1": ("rclone", "", ""),
    "Acme.conflict2.md": ("rclone", "", ""),
    "Acme [conflicted].md": ("pCloud", "", ""),
    "Acme (SFConflict anna@example.com 2026-11-22-10-30-45).md": ("Seafile", "anna@example.com", "2026-11-22T10:30:45"),
    "Acme (conflict on 2026-11-22).md": ("Unison", "", "2026-11-22"),
    "Acme (conflict #2 on 2026-11-22).md": ("Unison", "", "2026-11-22"),
    "Acme (# Name clash 2026-11-22 cK2p #).md": ("Proton", "", "2026-11-22"),
    "Acme_BASE_4711.md": ("git", "", ""),
    "Acme_REMOTE_4711.md": ("git", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", SURE)
def test_names_that_prove_a_copy(name: str) -> None:
    for folder in ("", "Clients/Not now/"):
        (copy,) = find_copies([f"{folder}{name}", f"{folder}Acme.md"], refuse)
        tag = copy.tags[-1]
        assert (copy.path, copy.original, copy.present) == (f"{folder}{name}", f"{folder}Acme.md", True)
        assert (tag.engine, tag.machine, tag.at) == SURE[name]
        assert copy.sure


def test_what_is_special_about_some_engines() -> None:
    """Syncthing names the machine whose version won; deleting Resilio's copy deletes the note elsewhere."""
    marks = {name: find_copies([name], refuse)[0] for name in SURE}
    assert {each.tags[-1].engine for each in marks.values() if each.mirrored} == {"Resilio"}
    assert {each.tags[-1].engine for each in marks.values() if each.tags[-1].by_winner} == {"Syncthing"}


@pytest.mark.parametrize("name", [name for name in SURE if "safeBackup" not in name])
def test_a_copy_whose_note_is_gone(name: str) -> None:
    (copy,) = find_copies([f"Clients/{name}", "Acme.md"], refuse)
    assert (copy.original, copy.present) == ("Clients/Acme.md", False)


@pytest.mark.parametrize("outer", SURE)
@pytest.mark.parametrize("inner", [" (conflicted copy 2026-11-22)", ".sync-conflict-20261122-003230-SZGHDFP"])
def test_copies_of_copies_belong_to_the_first_note(outer: str, inner: str) -> None:
    """Whether or not the copy between them is still there."""
    between = f"Acme{inner}.md"
    name = outer.replace("Acme", f"Acme{inner}", 1)
    if "safeBackup" in outer:
        name = name.replace("clarice-users-predator", "laptop")
    found = {copy.path: copy for copy in find_copies([name, between, "Acme.md"], refuse)}
    assert {copy.original for copy in found.values()} == {"Acme.md"}
    assert len(found) == 2
    assert len(found[name].tags) == 2
    assert find_copies([name, "Acme.md"], refuse)[0].original == "Acme.md"


# A name that proves nothing, and its engine; beside it lies `Acme.md`.
WEAK: dict[str, str] = {
    "Acme (1).md": "Google Drive",
    "Acme(2).md": "Google Drive",
    "Acme[Conflict].md": "Google Drive",
    "Acme [Conflict].md": "Google Drive",
    "Copy of Acme.md": "Google Drive",
    "Kopie von Acme.md": "Google Drive",
    "Copie de Acme.md": "Google Drive",
    "Cópia de Acme.md": "Google Drive",
    "Acme のコピー.md": "a file manager",
    "Acme copy.md": "a file manager",
    "Acme copy 2.md": "a file manager",
    "Acme - Copy (2).md": "a file manager",
    "Acme Kopie.md": "a file manager",
    "Acme 2.md": "iCloud Drive",
    "Acme_2.md": "iCloud Drive",
    "Acme-DESKTOP-4F.md": "OneDrive",
    "Acme-MacBook Pro de Charlyne.md": "OneDrive",
    "Acme-LAPTOP-LAPTOP.md": "OneDrive",
    "Acme-LAPTOP-2.md": "OneDrive",
    "Acme_conflict-anna.md": "MEGA",
    "Acme (conflict).md": "a sync engine",
}


@pytest.mark.parametrize("name", WEAK)
def test_names_that_prove_nothing_need_evidence(name: str) -> None:
    asked = []

    def note(copy: str, beside: str) -> bool:
        asked.append((copy, beside))
        return True

    (copy,) = find_copies([name, "Acme.md", "Other.md"], note)
    assert (copy.path, copy.original, copy.tags[0].engine, copy.sure) == (name, "Acme.md", WEAK[name], False)
    assert asked == [(name, "Acme.md")]
    assert not find_copies([name, "Acme.md"], refuse)
    assert not find_copies([name, "Clients/Acme.md", "Other.md"], agree)


def test_onedrive_machines_are_cut_off_where_a_note_is_left() -> None:
    paths = ["Smith-Jones.md", "Smith-Jones-DESKTOP-4F.md", "Smith-Jones-DESKTOP-4F-safeBackup-0001.md"]
    found = {copy.path: copy for copy in find_copies(paths, agree)}
    assert {copy.original for copy in found.values()} == {"Smith-Jones.md"}
    assert [found[path].tags[0].machine for path in paths[1:]] == ["DESKTOP-4F", "DESKTOP-4F"]


def test_a_copy_of_a_note_whose_own_name_proves_nothing_belongs_to_that_note() -> None:
    name = "Acme 2.sync-conflict-20261122-003230-SZGHDFP.md"
    assert find_copies([name, "Acme 2.md", "Acme.md"], refuse)[0].original == "Acme 2.md"
    assert find_copies([name, "Acme.md"], refuse)[0].original == "Acme 2.md"


def test_names_are_compared_as_file_systems_do() -> None:
    """A copy written by a Mac is of the note that a PC wrote, spelled as it is on the disk."""
    zoe, decomposed = "Zoë Cópia.md", unicodedata.normalize("NFD", "ZOË Cópia (Cópia em conflito de Anna).md")
    (copy,) = find_copies([zoe, decomposed], refuse)
    assert (copy.path, copy.original, copy.present) == (decomposed, zoe, True)


@pytest.mark.parametrize(
    "name",
    [
        "Acme.md", "Conflict.md", "Conflict resolution.md", "Conflict of interest (2026-11-22).md",
        "Smith (conflict of interest).md", "Talk about conflicted copies.md", "Konflikte bei Weber.md",
        "Anna's copy shop.md", "Copy of Beasts.md", "Acme (2026-11-22).md", "2026-11-22.md", "Smith-Jones.md",
        "Room 2.md", "3.md", "(1).md", "-.md", "copy.md", "safeBackup-0001.md", "sync-conflict-notes.md",
        "Path1.md", "Acme..md", "Local plan.md", "BASE_JUMP_1.md", "Conflict.1.md", ".md", "Unit (3).md",
    ],
)  # fmt: skip
def test_ordinary_names_are_no_copies(name: str) -> None:
    assert not find_copies([name], agree)
    assert not find_copies([name, "Another.md"], agree)


WORDS = st.sampled_from(
    [
        "Acme",
        "Smith",
        "Jones",
        "Zoë",
        "de",
        "von",
        "copy",
        "conflict",
        "Kopie",
        "plan",
        "2",
        "17",
        "2026",
        "2026-11-22",
        "(1)",
        "(Pty)",
        "Ltd",
        "-",
        "–",
        "&",
        "PC",
        "[x]",
    ]
)


@given(st.lists(WORDS, min_size=1, max_size=6), st.sampled_from([" ", "-", "_", ""]))
def test_no_name_of_ordinary_words_proves_anything(words: list[str], between: str) -> None:
    assert not find_copies([f"{between.join(words)}.md", "Acme.md"], refuse)


@given(st.lists(st.text(max_size=40) | st.sampled_from([*SURE, *WEAK]), max_size=8))
@example(["a" * 200 + "-safeBackup-0001.md", "(" * 250, "-" * 250 + ".md", " (" * 100 + ")" * 100])
def test_any_names_can_be_looked_through(names: list[str]) -> None:
    """No name is a copy of itself, nothing is found twice, and the order of the names is of no matter."""
    paths = [name.replace("/", "_") for name in names]
    found = find_copies(paths, agree)
    assert all(copy.path in paths and copy.path != copy.original for copy in found)
    assert len({copy.path for copy in found}) == len(found)
    assert all(copy.present == (copy.original in paths) for copy in found)
    assert find_copies(reversed(paths), agree) == found


@given(
    st.sampled_from(list(SURE)),
    st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=20),
)
def test_any_note_may_have_a_copy(tag: str, stem: str) -> None:
    name = tag.replace("Acme", stem.replace("-", "_") + "x", 1)
    (copy,) = [each for each in find_copies([name], refuse) if each.path == name]
    assert copy.sure


# ------------------------------------------------------------------------------------ the evidence

SAME: dict[str, tuple[Facts, Facts, bool]] = {
    "one id": (Facts(True, "c1", "Acme"), Facts(True, "c1", "Acme Ltd"), True),
    "two ids": (Facts(True, "c1", "Acme"), Facts(True, "c2", "Acme"), False),
    "one name": (Facts(True, "", "Acme"), Facts(True, "c1", "ACME"), True),
    "neither says a name": (Facts(True), Facts(True), True),
    "two names": (Facts(True, "", "Acme"), Facts(True, "", "Acme 2"), False),
    "only one says a name": (Facts(True, "", "Acme"), Facts(True), False),
    "somebody's note": (Facts(True, "", "Acme"), Facts(False, "", "Acme"), False),
}


@pytest.mark.parametrize("name", SAME)
def test_whether_two_notes_are_one_clients(name: str) -> None:
    one, other, expected = SAME[name]
    assert is_same_client(one, other) is expected
    assert is_same_client(other, one) is expected


EARLIER = (
    "---\ntype: client\nname: Acme\nphone: 021 555\n---\n\n# Acme\n\n## Log\n\n- 2026-11-20 call: asked\n"
)


def test_a_copy_goes_back_to_a_text_of_the_note() -> None:
    assert shares_past(EARLIER + "- 2026-11-21 call: again\n", ["", EARLIER])
    assert shares_past(EARLIER.replace("\n", "\r\n"), [EARLIER])
    assert not shares_past(EARLIER, [])


def test_notes_of_one_template_do_not_go_back_to_each_other() -> None:
    template = "---\ntype: client\nname: \nphone: \n---\n\n# \n\n## Log\n"
    other = "---\ntype: client\nname: Acme 2\nphone: 031 444\n---\n\n# Acme 2\n\n## Log\n\n- 2026-11-02 visit: met\n"
    assert not shares_past(other, [template, EARLIER])
