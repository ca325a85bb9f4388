"""Conflict copies of notes, read and compared; what a merge would make of them; and doing it.

In: which files are copies of what, the vault, the history, a person's answers.  Out: :class:`Case` values, one for each
note that has versions, and notes changed through ``change.py``.  Must not know: terminals, the index, what the notes
mean to anybody.

Nothing is written before everything is known: the versions are read, merged and checked, and what is stored
afterwards is what was shown.  A file that moved on meanwhile ends it, and so does one that is being written.  Copies
of a note that notesync itself generates are but removed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from math import inf

from notesync.followup.client import is_made
from notesync.notes.differences import Differences, compare
from notesync.notes.merge import choose_base
from notesync.notes.note import parse_note
from notesync.notes.versions import Settled, list_versions, settle
from notesync.problems import MovedOnError, RefusedError
from notesync.store.cases import ASKS, DONE, MERGES, NOTHING_NEW, REFUSED, Case, Sheet
from notesync.store.conflicts import Copy
from notesync.store.history import History, HistoryError, Step
from notesync.store.vault import LARGEST_NOTE, Unreadable, Vault
from notesync.sync.change import Edit, Gone, Kept, New, Wish, change_notes, plan, was_kept

QUIET = 10.0  # seconds without a save before a file is merged: a sync program may not be done with it
_COARSE = 0.02  # seconds by which a file system's clock may be behind ours


def read_cases(
    vault: Vault,
    history: History,
    copies: Iterable[Copy],
    marked: Iterable[str],
    answers: Mapping[str, str],
    log_headings: tuple[str, ...],
) -> list[Case]:
    """Every note that has copies, or marks of a merge, by its path; ``marked`` are paths of such notes."""
    groups: dict[str, list[Copy]] = {path: [] for path in marked}
    for copy in copies:
        groups.setdefault(copy.original, []).append(copy)
    desk = _Desk(vault, history, answers, log_headings)
    return [desk.read(path, groups[path]) for path in sorted(groups)]


class _Desk:
    def __init__(
        self, vault: Vault, history: History, answers: Mapping[str, str], log_headings: tuple[str, ...]
    ) -> None:
        self.vault = vault
        self.history = history
        self.answers = answers
        self.log_headings = log_headings

    def read(self, path: str, copies: Sequence[Copy]) -> Case:
        """One note with its copies."""
        try:
            data = None if self.vault.stat(path) is None else _read(self.vault, path)
            found = [(copy, _read(self.vault, copy.path)) for copy in sorted(copies)]
        except RefusedError as error:
            return Case(
                path, None, tuple(_build_unread(copy) for copy in copies), None, REFUSED, refusal=str(error)
            )
        texts = self._list_texts(path, [copy.path for copy, _ in found])
        sheets = self._build_sheets(path, data, found, texts)
        try:
            return self._judge(path, data, sheets, texts)
        except RefusedError as error:
            return Case(path, data, sheets, self._compare_marked(path, data), REFUSED, refusal=str(error))

    def _list_texts(self, path: str, copies: Sequence[str]) -> list[bytes]:
        """The texts that a note is known to have had before the first copy came, newest first."""
        with suppress(HistoryError):
            came = min((self._find_coming(copy) for copy in copies), default=inf)
            found: dict[bytes, float] = {}
            for text in (text for each in (path, *copies) for text in self.history.texts(each)):
                # One that came back, as by undo, is what it was when it came first: the others come from it.
                found[text.digest] = min(text.at, found.get(text.digest, text.at))
            # A text that was first seen with the copy or later may have in it what the copy never had.
            ordered = sorted(
                (digest for digest in found if found[digest] < came),
                key=lambda digest: (-found[digest], digest),
            )
            return [data for digest in ordered if (data := self.history.read(digest)) is not None]
        return []

    def _find_coming(self, path: str) -> float:
        """Since when a copy is there, as far as is known: it may have been seen, or last renamed or written, before.

        What was seen of it before it was last removed by a merge is another copy of that name.
        """
        stat = self.vault.stat(path)
        gone = max(
            (each.at for each in self.history.find_last(path) if each.path == path and each.after is None),
            default=-inf,
        )
        seen = [text.at for text in self.history.texts(path) if text.at > gone]
        return min([*seen, inf if stat is None else _find_change(stat) + _COARSE])

    def _build_sheets(
        self, path: str, data: bytes | None, found: Sequence[tuple[Copy, bytes]], texts: Sequence[bytes]
    ) -> tuple[Sheet, ...]:
        sheets = []
        first = found[0][1] if found else b""
        unproved = {first if data is None else data, *(text for _, text in found)}
        for number, (copy, text) in enumerate(found, 1):
            label = "copy" if len(found) == 1 else f"copy-{number}"
            other = first if data is None else data
            base = choose_base(texts, other, text, unproved)
            differences = compare(base, other, text, path, self.log_headings)
            sheets.append(
                Sheet(
                    copy,
                    label,
                    text,
                    differences,
                    copy.mirrored and data is not None and self._was_kept(copy.path, text),
                )
            )
        return tuple(sheets)

    def _was_kept(self, path: str, data: bytes) -> bool:
        with suppress(HistoryError):
            return was_kept(self.history, path, data)
        return False

    def _judge(
        self, path: str, data: bytes | None, sheets: tuple[Sheet, ...], texts: Sequence[bytes]
    ) -> Case:
        """What a merge would do.  Raises RefusedError where it would not."""
        versions, base = ([], None) if data is None else list_versions("note", data, path)
        marked = len(versions) == 2
        left = sorted(
            (sheet for sheet in sheets if not sheet.done), key=lambda sheet: (sheet.data, sheet.label)
        )
        generated = data is not None and _is_generated(data, path)
        for sheet in left:
            if not (generated and _is_generated(sheet.data, path)):  # that will be written anew
                versions += list_versions(sheet.label, sheet.data, sheet.copy.path)[0]
        settled = settle(versions, texts, path, self.answers, self.log_headings, base) if versions else None
        if settled and settled.data is not None and len(settled.data) > LARGEST_NOTE:
            raise RefusedError(
                f"{path}: merged it would be larger than the {LARGEST_NOTE // 1_000_000} MB that are read. "
                "Take the version of one side, or merge them by hand."
            )
        return Case(
            path,
            data,
            sheets,
            self._compare_marked(path, data) if marked else None,
            _find_state(data, sheets, settled, bool(left) or marked),
            settled and settled.data,
            bool(settled and settled.base is not None),
            settled.asked if settled else (),
            "",
            settled.unused if settled else tuple(self.answers),
            settled.unmeant if settled else (),
        )

    def _compare_marked(self, path: str, data: bytes | None) -> Differences | None:
        """What differs between the two sides of a note's marks."""
        with suppress(RefusedError):
            versions, base = ([], None) if data is None else list_versions("note", data, path)
            if len(versions) == 2:
                return compare(base, versions[0].data, versions[1].data, path, self.log_headings)
        return None


def _find_state(data: bytes | None, sheets: Sequence[Sheet], settled: Settled | None, left: bool) -> str:
    if settled is None or not left:
        return DONE
    if settled.data is None:
        return ASKS
    if settled.data != data:
        return MERGES
    return DONE if all(sheet.copy.mirrored for sheet in sheets) else NOTHING_NEW


def _is_generated(data: bytes, path: str) -> bool:
    """Whether all of a note is ours; in a review's a person answers."""
    note = parse_note(data, path)
    return is_made(note) and not note.template and "review" not in note.by_name


def _build_unread(copy: Copy) -> Sheet:
    return Sheet(copy, "copy", b"", Differences((), ()))


def _read(vault: Vault, path: str) -> bytes:
    try:
        return vault.read(path, 0).data
    except Unreadable as reason:
        raise RefusedError(f"{path}: {reason} {reason.hint}") from reason


# --- Doing it --------------------------------------------------------------------------------------------


def list_wishes(case: Case) -> list[Wish]:
    """What storing a merge comes to: the note first, then its copies, whose text the history keeps."""
    assert case.result is not None
    note = New(case.path, case.result) if case.data is None else _replace(case.path, case.data, case.result)
    rest: list[Wish] = [
        Kept(sheet.copy.path, sheet.data) if sheet.copy.mirrored else Gone(sheet.copy.path, sheet.data)
        for sheet in case.sheets
        if not sheet.done
    ]
    return [note, *rest]


def _replace(path: str, before: bytes, after: bytes) -> Edit:
    def edit(data: bytes) -> bytes:
        if data != before:
            raise MovedOnError(f"{path} was changed just now. Nothing was changed: try again.")
        return after

    return Edit(path, edit)


def plan_merge(vault: Vault, case: Case) -> list[Step]:
    """What storing a merge would change."""
    return [step for wish in list_wishes(case) if (step := plan(vault, wish)) and step.before != step.after]


def store_merges(
    vault: Vault,
    history: History,
    cases: Sequence[Case],
    pause: Callable[[float], None] = time.sleep,
    *,
    some: bool = False,
    more: bool = False,
) -> list[Step]:
    """Store what merges make of notes, as one command, and remove their copies; what was changed.

    ``some``: they are some of many that could not be stored at once; ``more``: they belong to the same command as
    those of before, and one undo takes all back.  Raises RefusedError, with nothing changed, where a file has moved
    on or is just being written.
    """
    require_quiet(vault, [path for case in cases for path in case.files])
    words = cases[0].path + (f" and {len(cases) - 1} more" if len(cases) > 1 else "")
    wishes = [wish for case in cases for wish in list_wishes(case)]
    words = "merge conflict copies" if some else f"merge {words}"
    return change_notes(vault, history, wishes, words, pause=pause, more=more)


def find_wait(vault: Vault, paths: Iterable[str]) -> float:
    """The seconds until all files have been left alone for long enough."""
    now = time.time()
    ages = [now - _find_change(found) for path in paths if (found := vault.stat(path)) is not None]
    return max((QUIET - age for age in ages if 0 <= age < QUIET), default=0.0)


def require_quiet(vault: Vault, paths: Sequence[str]) -> None:
    """Raise RefusedError where a file was saved a moment ago."""
    for path in paths:
        if find_wait(vault, [path]):
            raise RefusedError(
                f"just-saved: {path} was saved less than {QUIET:.0f} seconds ago, and may be again. Nothing was "
                "changed: try again when your sync program is done."
            )


def _find_change(found: os.stat_result) -> float:
    """When a file last changed by this computer's clock; a sync program sets the other time as it likes."""
    return found.st_mtime if os.name == "nt" else found.st_ctime
