"""Names of files -> which of them are conflict copies, of what, and what the name tells of where from.

In: vault-relative paths, and for names that prove nothing by themselves a judge who has looked into both
notes.  Out: :class:`Copy` values.  Must not know: the disk, the index, what a merge does.

A *sure* name holds words that nobody types by accident: `conflicted copy` in brackets, `.sync-conflict-`.
Any other name (`Acme 2.md`, `Acme-LAPTOP.md`) may be a note of its own, and to call that a copy would look
like leave to delete it: it counts only if the note beside it is there and the judge says that both are one
client's.  Names are compared as file systems do that fold case and accents.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

from notesync.store.writing import fold

MOST_TAGS = 8  # a copy of a copy of a copy is still looked through; a name made to be slow is not


class Tag(NamedTuple):
    """What one engine put on a name, and the file's name without it.

    ``machine`` is whom the name tells of (a computer, an account, a device's number), ``at`` the day, or the
    day and time, as ISO text; '' where it tells neither.  ``by_winner``: it is the machine that wrote the
    *original* (Syncthing).  ``mirrored``: deleting such a file deletes the note itself elsewhere (Resilio).
    """

    name: str
    engine: str
    sure: bool
    machine: str = ""
    at: str = ""
    by_winner: bool = False
    mirrored: bool = False


class Copy(NamedTuple):
    """A conflict copy and the path of the note that it is a copy of.

    ``present`` is False where that note is gone.  ``tags`` are those on the name, the outermost first.
    """

    path: str
    original: str
    present: bool
    tags: tuple[Tag, ...]

    @property
    def sure(self) -> bool:
        """Whether the name alone proves it."""
        return any(tag.sure for tag in self.tags)

    @property
    def mirrored(self) -> bool:
        """Whether the file must never be deleted by us, because that would delete the note elsewhere."""
        return any(tag.mirrored for tag in self.tags)


Judge = Callable[[str, str], bool]
"""Whether a file, by its path, and the note beside it, by its path, are versions of one client's note."""


class Facts(NamedTuple):
    """What a note says of whose it is; ``name`` and ``id`` are '' where it does not say."""

    client: bool
    id: str = ""
    name: str = ""


def is_same_client(one: Facts, other: Facts) -> bool:
    """Whether two notes with names that prove nothing are of one client.

    An ``id`` decides where both have one.  Names that neither note writes down prove nothing against it: such
    a client goes by the file's name, which is what an engine changes.
    """
    if not (one.client and other.client):
        return False
    if one.id and other.id:
        return one.id == other.id
    return fold(one.name) == fold(other.name)


def shares_past(copy: str, earlier: Iterable[str]) -> bool:
    """Whether a text goes back to one of a note's texts: it holds most of what stood there.

    Lines count by their letters, blank lines and fences not at all, so that two notes made from one template
    do not look related.
    """
    lines = _count_lines(copy)
    return any(
        2 * (lines & known).total() > known.total() for text in earlier if (known := _count_lines(text))
    )


_LINE = re.compile(r"[^\r\n]+")
_VALUE_LESS = re.compile(r"-{3,}|[^:]*:|#+ .*|type: .*")


def _count_lines(text: str) -> Counter[str]:
    lines = (line.strip() for line in _LINE.findall(text))
    return Counter(line for line in lines if line and not _VALUE_LESS.fullmatch(line))


def may_be_copy(path: str) -> bool:
    """Whether a file's name holds anything that proves a conflict copy: nearly none does."""
    return _MAYBE.search(_find_name(path)) is not None


def find_original_name(path: str) -> str:
    """A file's name without what proves it a conflict copy, as far as the name alone can tell."""
    name = _find_name(path)
    tags = _read_sure_tags(name, ())
    return tags[-1].name if tags else name


# --- Files of a vault ------------------------------------------------------------------------------------


def find_copies(paths: Iterable[str], judge: Judge) -> list[Copy]:
    """The conflict copies among the files of a vault, by path.

    ``judge`` is asked only about a file whose name proves nothing and that has the right note beside it.
    """
    folders: dict[str, dict[str, str]] = {}
    ordered = sorted(set(paths))
    for path in ordered:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {}).setdefault(fold(name), path)
    found = []
    for path in ordered:
        folder = path.rpartition("/")[0]
        names = folders[folder]
        copy = _find_sure(path, folder, names) or _find_likely(path, folder, names, judge)
        if copy is not None:
            found.append(copy)
    return found


def _find_sure(path: str, folder: str, names: dict[str, str]) -> Copy | None:
    tags = _read_sure_tags(_find_name(path), names)
    return _build_copy(path, folder, names, tags) if tags else None


def _find_likely(path: str, folder: str, names: dict[str, str], judge: Judge) -> Copy | None:
    for tag in find_weak_tags(_find_name(path)):
        beside = names.get(fold(tag.name))
        if beside is not None and beside != path and judge(path, beside):
            return _build_copy(path, folder, names, (tag, *_read_sure_tags(tag.name, names)))
    return None


def _find_name(path: str) -> str:
    return normalize("NFC", path.rpartition("/")[2])


def _build_copy(path: str, folder: str, names: dict[str, str], tags: tuple[Tag, ...]) -> Copy:
    name = tags[-1].name
    original = names.get(fold(name))
    return Copy(path, original or (f"{folder}/{name}" if folder else name), original is not None, tags)


def _read_sure_tags(name: str, names: Container[str], most: int = MOST_TAGS) -> tuple[Tag, ...]:
    """The tags of a name down to the innermost sure one; none where no tag is sure.

    Where a name can be cut in several ways, a note of the folder, whose ``names`` are folded, tells the right one.
    """
    if not most or not _MAYBE.search(name):
        return ()
    sure = find_sure_tags(name)
    if sure:
        tag = next((tag for tag in sure if fold(tag.name) in names), sure[0])
        return (tag, *_read_sure_tags(tag.name, names, most - 1))
    for tag in find_weak_tags(name):
        deeper = _read_sure_tags(tag.name, names, most - 1)
        if deeper:
            return (tag, *deeper)
    return ()


# --- Names that prove it ---------------------------------------------------------------------------------

# What any sure tag holds; looked for first, because nearly no name does.
_MAYBE = re.compile(
    r"confli|konflikt|safebackup|\.\.path[12]|_(?:BASE|LOCAL|REMOTE|BACKUP)_[0-9]|clash"
    r"|コピー|副本|複本|копия|충돌",
    re.IGNORECASE,
)
_DAY = r"(?P<y>[0-9]{4})-?(?P<m>[0-9]{2})-?(?P<d>[0-9]{2})"
_TIME = r"(?P<H>[0-9]{2})[-:.]?(?P<M>[0-9]{2})(?:[-:.]?(?P<S>[0-9]{2}))?"
_MOMENT = re.compile(rf"(?<![0-9]){_DAY}(?:[ _T-]?{_TIME})?(?![0-9])")
_NUMBER = r"(?: ?\([0-9]{1,3}\)| [0-9]{1,3})?"  # a second copy of one day

_ENDINGS = (
    ("Syncthing", re.compile(rf"\.sync-conflict-(?P<at>{_DAY}-{_TIME})(?:-(?P<who>[A-Z2-7]{{7}}))?{_NUMBER}")),
    ("Nextcloud", re.compile(rf"_conflict-(?P<at>{_DAY}-{_TIME}){_NUMBER}")),
    ("Resilio", re.compile(r"\.Conflict[0-9]{0,3}")),
    ("rclone", re.compile(r"\.conflict[0-9]{1,3}|\.\.path[12]")),
    ("pCloud", re.compile(r" ?\[conflicted\]" + _NUMBER)),
    ("git", re.compile(r"_(?:BASE|LOCAL|REMOTE|BACKUP)_[0-9]{1,9}")),
)  # fmt: skip
_SAFE_BACKUP = re.compile(r"(.+)-safeBackup-[0-9]{4}", re.DOTALL)
_BEHIND_MD = re.compile(r"(.+\.(?:md|ics))(?:\.\.path[12]|\.conflict[0-9]{1,3})", re.IGNORECASE | re.DOTALL)

# The last bracket of a stem, which may hold brackets itself: `(Anna's conflicted copy 2026-11-22 (1))`.
_BRACKET = re.compile(rf"(?P<stem>.+?) ?[(（](?P<said>(?:[^()（）]|\([^()]*\))*+)[)）]{_NUMBER}", re.DOTALL)
_OTHER_CONFLICT = re.compile(
    r"(?:case|unicode encoding|unicode|normalization|white ?space|selective sync|ignored item) conflict"
    rf"{_NUMBER}",
    re.IGNORECASE,
)
# The words of each engine in a bracket; what stands before or behind them is a machine's or a person's
# name and a date.  (English: Dropbox, Nextcloud, Insync and Obsidian Sync; the others are Dropbox's.)
_PHRASES = (
    "conflicted copy",
    "in konflikt stehende kopie",
    "konfliktkopie",
    "copie en conflit",
    "copia conflictiva",
    "copia en conflicto",
    "copia in conflitto",
    "cópia em conflito",
    "conflicterende kopie",
    "конфликтующая копия",
    "問題のあるコピー",
    "競合コピー",
    "冲突副本",
    "衝突複本",
    "衝突副本",
    "무시된 항목 충돌",
    "sfconflict",
    "case clash",
)
_PHRASE = re.compile(r"(?<!\w)(?:" + "|".join(_PHRASES[:10]) + r"|sfconflict|case clash)(?!\w)|"
                     + "|".join(_PHRASES[10:16]), re.IGNORECASE)  # fmt: skip
_DATED_CONFLICT = re.compile(r"conflict(?: #?[0-9]+)?(?: on)? (?=[0-9]{4}-)|# name clash ", re.IGNORECASE)
_OWNER_END = re.compile(r"(?:['’]s?|(?<=\w)s(?=$)|上の|の|的)$")
_JOINER = re.compile(r"(?:de|di|von|van|from|on|of|do|da|от|по)\s+", re.IGNORECASE)


def find_sure_tags(name: str) -> list[Tag]:
    """The right-most tag of a file's name, if it proves a conflict copy.

    More than one only where it is not clear how much of the name is the machine's; the longest rest first.
    """
    behind = _BEHIND_MD.fullmatch(name)
    if behind is not None:
        return [Tag(behind[1], "rclone", True)]
    stem, extension = _split(name)
    backup = _SAFE_BACKUP.fullmatch(stem)
    if backup is not None:
        return list(_cut_machine(backup[1], extension, sure=True))
    for engine, pattern in _compile_endings():
        found = pattern.fullmatch(stem)
        if found is not None:
            return [_build_tag(engine, found, extension)]
    tag = _find_bracket(stem, extension)
    return [] if tag is None else [tag]


@lru_cache(maxsize=1)
def _compile_endings() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (engine, re.compile(rf"(?P<stem>.+?){pattern.pattern}", re.DOTALL)) for engine, pattern in _ENDINGS
    )


def _build_tag(engine: str, found: re.Match[str], extension: str) -> Tag:
    said = found.groupdict()
    return Tag(
        found["stem"] + extension,
        engine,
        True,
        said.get("who") or "",
        _format_moment(found) if said.get("at") else "",
        by_winner=engine == "Syncthing",
        mirrored=engine == "Resilio",
    )


def _split(name: str) -> tuple[str, str]:
    """A file's name and its `.md` or `.ics`, as it is spelled."""
    at = name.rfind(".")
    return (name[:at], name[at:]) if name[at:].lower() in (".md", ".ics") else (name, "")


def _find_bracket(stem: str, extension: str) -> Tag | None:
    found = _BRACKET.fullmatch(stem)
    if found is None:
        return None
    name, said = found["stem"] + extension, found["said"].strip()
    if _OTHER_CONFLICT.fullmatch(said):
        return Tag(name, "Dropbox", True)
    phrase = _PHRASE.search(said)
    if phrase is not None:
        return _read_bracket(name, said, phrase)
    dated = _DATED_CONFLICT.match(said)
    moment = _MOMENT.search(said)
    if dated is None or moment is None:
        return None
    return Tag(name, "Proton" if said.startswith("#") else "Unison", True, "", _format_moment(moment))


def _read_bracket(name: str, said: str, phrase: re.Match[str]) -> Tag:
    """The tag that holds one of the phrases: whose copy, and when."""
    before, behind = said[: phrase.start()].strip(), said[phrase.end() :].strip()
    moment = _MOMENT.search(behind)
    at = _format_moment(moment) if moment is not None else ""
    who = behind[: moment.start()] if moment is not None else re.sub(rf"{_NUMBER}$", "", f" {behind}")
    who = _OWNER_END.sub("", before).strip() or _JOINER.sub("", who, count=1).strip()
    named = re.sub(r"\s+on$", "", who)
    # Nobody is known to write `conflicted copy from Anna on 2026-11-22`, but some have such files.
    engine = "a sync program" if named != who else _name_engine(phrase[0].casefold(), at)
    return Tag(name, engine, True, named, at)


def _name_engine(phrase: str, at: str) -> str:
    """Whose words those most likely are: the moment's form tells apart those who have the same."""
    if phrase == "sfconflict":
        return "Seafile"
    if phrase == "case clash" or (phrase == "conflicted copy" and at.count(":") == 2):
        return "Nextcloud"
    if phrase == "conflicted copy" and at.count(":") == 1:
        return "Obsidian Sync"
    return "Dropbox"


def _format_moment(found: re.Match[str]) -> str:
    day = f"{found['y']}-{found['m']}-{found['d']}"
    if not found["H"]:
        return day
    return f"{day}T{found['H']}:{found['M']}" + (f":{found['S']}" if found["S"] else "")


# --- Names that may be a note's own ----------------------------------------------------------------------

_WEAK_ENDINGS = (
    ("Google Drive", re.compile(r"(?P<stem>.+?) ?\([0-9]{1,3}\)", re.DOTALL)),
    ("Google Drive", re.compile(r"(?P<stem>.+?) ?\[conflict\]", re.DOTALL | re.IGNORECASE)),
    ("iCloud Drive", re.compile(r"(?P<stem>.+?)[ _][0-9]{1,2}", re.DOTALL)),
    (
        "a file manager",
        re.compile(
            r"(?P<stem>.+?)(?: [-–])? (?:copy|kopie|copie|copia|cópia|のコピー|kopia|副本)(?: ?\(?[0-9]{1,3}\)?)?",
            re.DOTALL | re.IGNORECASE,
        ),
    ),
    ("a file manager", re.compile(r"(?P<stem>.+?) のコピー", re.DOTALL)),
    ("MEGA", re.compile(r"(?P<stem>.+?)_conflict[^/]*", re.DOTALL)),
    ("a sync engine", re.compile(r"(?P<stem>.+?) \(conflict[^()]*\)", re.DOTALL | re.IGNORECASE)),
    (
        "Google Drive",
        re.compile(
            r"(?:copy of|kopie von|copie de|copia de|copia di|cópia de|kopie van) (?P<stem>.+)",
            re.DOTALL | re.IGNORECASE,
        ),
    ),
)  # fmt: skip
_MACHINE = re.compile(r"(?<=[^\s-])-(?=[^\s-])")


def find_weak_tags(name: str) -> Iterator[Tag]:
    """What a file's name may hold that an engine has put there; the longest rest first where several can be."""
    stem, extension = _split(name)
    for engine, pattern in _WEAK_ENDINGS:
        found = pattern.fullmatch(stem)
        if found is not None:
            yield Tag(found["stem"] + extension, engine, False)
    yield from _cut_machine(stem, extension, sure=False)


def _cut_machine(stem: str, extension: str, *, sure: bool) -> Iterator[Tag]:
    """OneDrive's tags: a machine's name behind a hyphen, which may have hyphens itself."""
    for dash in reversed(list(_MACHINE.finditer(stem))[-MOST_TAGS:]):
        machine = re.sub(r"-[0-9]{1,2}$", "", stem[dash.end() :])
        yield Tag(stem[: dash.start()] + extension, "OneDrive", sure, machine)
