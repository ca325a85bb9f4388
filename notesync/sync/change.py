"""A change of notes by an explicit command, and taking it back.  Nothing here runs in ``check`` or ``watch``.

In: a vault, its history, and for each note what to make of its bytes.  Out: the changes that were made.  It
does not know what an edit means: that is a pure function from bytes to bytes, which may refuse by raising.

The order of things is what makes it safe.  One process at a time changes notes of a vault.  All edits are
tried before anything is written, so a refusal changes nothing.  The texts before and after are in the history,
on the disk, before a note is touched.  A note that another program saved meanwhile is read and edited again, a
few times; when it never holds still, what the command has changed in other notes is put back, and it refuses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

from notesync.problems import MovedOnError, OvertakenError, RefusedError
from notesync.store.history import Change, History, HistoryError, Step
from notesync.store.vault import Unreadable, Vault, digest_of

_WAITS = (0.05, 0.2, 0.5)  # seconds before a note that moved on is read again: an editor's save takes less
_UNDO, _REDO = "undo: ", "redo: "


class Edit(NamedTuple):
    """A wish for a note that is there: ``edit`` makes the new bytes of the old ones, or raises RefusedError."""

    path: str
    edit: Callable[[bytes], bytes]


class New(NamedTuple):
    """A wish for a note that is not there yet."""

    path: str
    data: bytes


class Gone(NamedTuple):
    """A wish that a file which holds ``data`` be no longer there: what it says stands elsewhere now."""

    path: str
    data: bytes


class Kept(NamedTuple):
    """A wish that a file which holds ``data`` be dealt with and stay as it is; only the history knows of it.

    For a file that must not be removed, and that nobody wants to be asked about again.
    """

    path: str
    data: bytes


Wish = Edit | New | Gone | Kept


class Undone(NamedTuple):
    """What was taken back: the words of the command, what was done to each note, and which new ones stay.

    Those are notes that a command has made along with others, and that have been changed since.
    """

    words: str
    steps: tuple[Step, ...]
    kept: tuple[str, ...] = ()


def change_notes(
    vault: Vault,
    history: History,
    wishes: Sequence[Wish],
    words: str,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
    *,
    more: bool = False,
) -> list[Step]:
    """Change some notes as one command that ``words`` name ('log Acme'); what was changed, if anything.

    Each note is named once, and they are changed in this order: what one says must stand elsewhere before it goes.
    An edit that leaves the bytes as they are is no change.  ``more``: all this belongs to the command of the same
    words that came before, and is taken back along with it.  Raises RefusedError, and whatever an edit raises, with
    nothing changed; OvertakenError when a note was saved by another program in the moment of its change: then both
    texts are in the history, the other's as the one before ours.
    """
    with history.turn(pause):
        _settle(vault, history)
        planned = [(step, wish) for wish in wishes if (step := plan(vault, wish)) is not None]
        return _Command(vault, history, words, clock, pause).run(planned, more=more) if planned else []


def plan(vault: Vault, wish: Wish) -> Step | None:
    """What a wish comes to as the note is now, None when to nothing; writes nothing."""
    if isinstance(wish, New):
        return Step(vault.find_spelling(wish.path), None, wish.data)
    before = _read(vault, wish.path)
    if isinstance(wish, (Gone, Kept)):
        if before != wish.data:
            raise MovedOnError(f"{wish.path} was changed just now. Nothing was changed: try again.")
        return Step(wish.path, before, None if isinstance(wish, Gone) else before)
    after = wish.edit(before)
    return None if after == before else Step(wish.path, before, after)


def undo(
    vault: Vault,
    history: History,
    path: str | None = None,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> Undone:
    """Take back the last command that changed this note, or any note; a command that was one is done again.

    Raises RefusedError, with nothing changed, when there is none, a note has moved on since, or its text is
    no longer kept.
    """
    with history.turn(pause):
        undone = plan_undo(vault, history, path)
        command = _Command(vault, history, _turn_words(undone.words), clock, pause)
        return undone._replace(steps=tuple(command.run([(step, None) for step in undone.steps])))


def plan_undo(vault: Vault, history: History, path: str | None = None) -> Undone:
    """What ``undo`` would do now; changes no note.  Raises RefusedError as it does."""
    _settle(vault, history)
    changes = history.find_last(path)
    if not changes:
        raise RefusedError(f"there is no change by notesync to take back{f' in {path}' if path else ''}.")
    turned = list(reversed(_join(changes)))
    kept: tuple[str, ...] = ()
    if all(change.before is None for change in turned):
        # An import of thousands can still be taken back when a person has begun to work with some of them.
        moved = {change.path for change in turned if _find_digest(vault, change.path) != change.after}
        if len(moved) < len(turned):
            kept = tuple(sorted(moved))
            turned = [change for change in turned if change.path not in moved]
    return Undone(changes[0].words, tuple(_turn_round(vault, history, each) for each in turned), kept)


def _join(changes: Iterable[Change]) -> list[Change]:
    """The changes of a command, one for each note: an import may fill a note that it has made, or fill it twice."""
    joined: dict[str, Change] = {}
    for change in changes:
        before = joined.get(change.path)
        if before is None:
            joined[change.path] = change
        elif before.after == change.before:
            joined[change.path] = change._replace(before=before.before)
        else:  # somebody else changed it in between: only our last change can be taken back
            joined[change.path] = change
    return list(joined.values())


def was_kept(history: History, path: str, data: bytes) -> bool:
    """Whether the last command that dealt with a file left it as it is, with these bytes, and that still holds.

    Raises HistoryError.
    """
    digest = digest_of(data)
    return any(
        change.path == path and change.before == change.after == digest and not change.words.startswith(_UNDO)
        for change in history.find_last(path)
    )


def _turn_words(words: str) -> str:
    if words.startswith(_UNDO):
        return _REDO + words.removeprefix(_UNDO)
    return _UNDO + words.removeprefix(_REDO)


def _turn_round(vault: Vault, history: History, change: Change) -> Step:
    """The step that takes a change back, if the note is still as the change left it."""
    path = change.path
    if change.before == change.after:  # it was left as it was, and may be anything by now
        data = (change.before and history.read(change.before)) or b""
        return Step(path, data, data)
    words = change.words.removeprefix(_UNDO).removeprefix(_REDO)
    found = _find_digest(vault, path)
    if found != change.after:
        why = "is no longer there" if found is None else "has been changed since"
        raise MovedOnError(
            f"{path} {why}, so that cannot be taken back ({words}). Nothing was changed: do it by hand."
        )
    before, after = (digest and history.read(digest) for digest in (change.before, change.after))
    if (before is None) != (change.before is None) or (after is None) != (change.after is None):
        raise RefusedError(f"{path}: its text before ({words}) is no longer kept. Nothing was changed.")
    return Step(path, after, before)


def _settle(vault: Vault, history: History) -> None:
    """Find out whether changes of processes that were killed had been made: it is our turn, so none runs."""
    for change in history.find_begun():
        with suppress(RefusedError):  # a note that cannot be read now: next time
            if _find_digest(vault, change.path) == change.before:
                history.abandon(change.key)
            else:
                history.finish(change.key)


def _find_digest(vault: Vault, path: str) -> bytes | None:
    """The digest of what a note holds, None when it is not there."""
    return None if vault.stat(path) is None else digest_of(_read(vault, path))


def _read(vault: Vault, path: str) -> bytes:
    if vault.stat(path) is None:
        raise RefusedError(f"{path} is no longer there. Nothing was changed.")
    try:
        return vault.read(path, 0).data
    except Unreadable as reason:
        raise RefusedError(f"{path}: {reason} {reason.hint} Nothing was changed.") from reason


def _write(vault: Vault, step: Step, pause: Callable[[float], None]) -> bytes | None:
    """Make a note hold what a step says; what of another program was overtaken by it."""
    if step.after == step.before:
        return None
    if step.after is None:
        return vault.forget(step.path, step.before or b"", pause)
    if step.before is None:
        vault.create(step.path, step.after)
        return None
    return vault.replace(step.path, step.before, step.after, pause)


class _Command:
    """One command under way: what it has changed so far, and how to put that back."""

    def __init__(
        self,
        vault: Vault,
        history: History,
        words: str,
        clock: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        self._vault = vault
        self._history = history
        self._words = words
        self._clock = clock
        self._pause = pause
        self._done: list[tuple[int, Step]] = []
        self._overtaken: list[str] = []

    def run(self, planned: Sequence[tuple[Step, Wish | None]], *, more: bool = False) -> list[Step]:
        """Make the changes, all or none.  Raises RefusedError, OvertakenError."""
        keys = self._history.begin([step for step, _ in planned], self._words, self._clock(), more=more)
        waiting = list(zip(keys, planned, strict=True))
        try:
            while waiting:
                key, (step, wish) = waiting[0]
                self._change(key, step, wish)
                waiting.pop(0)
        except RefusedError as error:
            self._abandon(key for key, _ in waiting)
            if stays := self._put_back():
                raise RefusedError(
                    f"only a part was done: {', '.join(stays)} could not be put back, but 'notesync undo' may "
                    f"still do so. What stopped the rest: {error}"
                ) from error
            raise
        except BaseException:  # such as Ctrl-C, at any moment: whether the note was changed shows in the note
            with suppress(RefusedError):
                self._put_back()
                _settle(self._vault, self._history)
            raise
        if self._overtaken:
            raise OvertakenError(
                f"{', '.join(self._overtaken)}: another program saved this in the very moment of the change. "
                "The change was made, and the other text is kept: 'notesync undo' brings it back."
            )
        return [step for _, step in self._done if step.before != step.after]

    def _change(self, key: int, step: Step, wish: Wish | None) -> None:
        """Make one change; read and edit the note again where it has moved on."""
        waits = iter(_WAITS if isinstance(wish, Edit) else ())
        while True:
            try:
                overtaken = _write(self._vault, step, self._pause)
            except MovedOnError:
                wait = next(waits, None)
                if wait is None or wish is None:
                    raise
                self._pause(wait)
                again = plan(self._vault, wish)
                if again is None:  # another program has just done the same
                    self._history.abandon(key)
                    return
                step = again
                self._history.amend(key, step, self._clock())
            else:
                break
        if overtaken is not None:
            self._keep(key, step, overtaken)
            step = step._replace(before=overtaken)
        self._done.append((key, step))
        with suppress(HistoryError):  # it is journalled as begun, and what the note holds says the rest
            self._history.finish(key)

    def _keep(self, key: int, step: Step, overtaken: bytes) -> None:
        """Take another program's text into the history; where that fails, leave it in the note instead."""
        try:
            self._history.amend(key, step._replace(before=overtaken), self._clock())
        except HistoryError:
            if step.after is None:
                self._vault.create(step.path, overtaken)
            else:
                self._vault.replace(step.path, step.after, overtaken, self._pause)
            raise
        self._overtaken.append(step.path)

    def _abandon(self, keys: Iterable[int]) -> None:
        for key in keys:
            with suppress(HistoryError):
                self._history.abandon(key)

    def _put_back(self) -> list[str]:
        """Put back what has been changed so far; the paths of notes where that fails."""
        stays = []
        for key, step in reversed(self._done):
            back = Step(step.path, step.after, step.before)
            try:
                overtaken = _write(self._vault, back, self._pause)
            except RefusedError:
                stays.append(step.path)
                continue
            if overtaken is None:
                self._abandon([key])
            else:
                self._keep(key, back, overtaken)
        return stays
