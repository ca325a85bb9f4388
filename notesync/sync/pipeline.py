"""The whole program on one page: refresh the index from the notes, judge it for a moment, publish, change notes.

In: a vault's root and a moment.  Out: agendas, clients, problems, the calendar.  Notes are written by
``change`` and ``undo`` alone, which only explicit commands call.  Only what changed is read, and what reading and
deriving need is imported only then: a ``check`` of an unchanged vault gets by on the index.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from notesync import __version__
from notesync.followup.agenda import Moment
from notesync.problems import ERROR, Problem, UsageError
from notesync.store.current import store_mark
from notesync.store.index import Index, IndexFailure, RulesChanged
from notesync.store.places import cache_dir, state_dir
from notesync.store.vault import MARGIN_NS, SETTINGS_NAME, Unreadable, Vault, digest_of, signature
from notesync.sync.answers import Answers, Counts, Name, Selection
from notesync.sync.refresh import GRACE, QUIET, Changes, Refresh, Wishes

if TYPE_CHECKING:
    from notesync.followup.follow_up import Context
    from notesync.followup.plans import Plans
    from notesync.followup.settings import Settings
    from notesync.store.cases import Case
    from notesync.store.conflicts import Copy
    from notesync.store.history import History, Step
    from notesync.store.rows import FollowUpRow
    from notesync.sync.change import Undone, Wish
    from notesync.sync.publishing import Done, Published
    from notesync.sync.strays import Strays

__all__ = ["Changes", "Counts", "Name", "Selection", "Workspace", "open_workspace"]

_SETTINGS = (SETTINGS_NAME, ".obsidian/templates.json", ".obsidian/plugins/obsidian-tasks-plugin/data.json")
TRIES = 20  # to find the index as of our day: another process may keep asking about another one


Answer = TypeVar("Answer")


def open_workspace(
    root: str,
    clock: Callable[[str], Moment],
    *,
    tolerant: bool = False,
    cache: str | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Workspace:
    """A vault with its settings and index.

    ``clock`` gives the moment in a zone (the name in the settings, '' for the machine's).  ``tolerant``
    goes on with default settings where they are wrong, and lists the problems.  ``pause`` waits some
    seconds, for a note that is just being replaced.  Raises VaultError when the folder is not there,
    UsageError when the settings are wrong.
    """
    vault = Vault(os.path.abspath(root))
    vault.require()
    workspace = Workspace(vault, Index(os.path.join(cache or cache_dir(root), "index.sqlite3")), clock, pause)
    workspace.load_settings(tolerant=tolerant)
    return workspace


class Workspace(Answers):
    """A vault, its settings, its index and a moment; ``refresh`` first, then ask."""

    def __init__(
        self, vault: Vault, index: Index, clock: Callable[[str], Moment], pause: Callable[[float], None]
    ) -> None:
        super().__init__()
        self.root = vault.root
        self.index = index
        self.settings_problems: tuple[Problem, ...] = ()
        self.zone = ""
        self.currency = ""
        self._vault = vault
        self._clock = clock
        self._pause = pause
        self._remembered = index.remembered()
        index.fingerprint = self._remembered.get("fingerprint", "")
        self._settings: Settings | None = None
        self._context: Context | None = None
        self._outdated = False
        self.published: Done | None = (
            None  # the calendars as we wrote them last, and what they were made from
        )
        self.settings_wait: float | None = (
            None  # seconds until half-saved settings are taken for what they are
        )
        self._gone_since: float | None = None  # when the settings were first found missing
        self.tidied = False  # what a killed process left beside the calendar is removed once
        self.folder_problems: tuple[Problem, ...] = ()
        self._history: History | None = None

    @property
    def vault(self) -> Vault:
        """The door to people's files, for the commands that change them."""
        return self._vault

    def pause(self, seconds: float) -> None:
        """Wait."""
        self._pause(seconds)

    @property
    def notices(self) -> list[str]:
        """What the user should know of the index, a sentence each."""
        return self.index.notices

    @property
    def lock_path(self) -> str:
        """The file whose lock says that this vault is being watched."""
        return os.path.join(os.path.dirname(self.index.path), "watch.lock")

    def close(self) -> None:
        """Close the index, and the history if it is open."""
        self.index.close()
        if self._history is not None:
            self._history.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def relevant(self, path: str, folder: bool) -> bool:
        """Whether a change at a vault-relative path may matter: the watcher asks, from its own thread."""
        return self._vault.is_relevant(path, folder)

    # settings -----------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        if self._settings is None:
            from notesync.followup.settings import Settings

            self._settings = Settings.from_json(self._remembered["settings"])
        return self._settings

    def load_settings(
        self, *, tolerant: bool = False, grace: bool = False, writing: frozenset[str] = frozenset()
    ) -> bool:
        """Read the settings if they changed, and ask the clock in their zone; whether they are new.

        Wrong settings raise UsageError, or when ``tolerant`` leave the last good ones in force (else the
        defaults) with the problems listed.  The index is made anew for settings that the rules read.
        ``grace`` is the watcher's: settings that are gone, empty or among ``writing`` leave the last good ones in
        force for as long as a note would, and ``settings_wait`` says until when.
        """
        self.settings_wait = None
        seen = self._settings_signature()
        changed = False
        if not seen or self._remembered.get("settings_seen") != seen:
            if grace and (left := self._find_settings_wait(SETTINGS_NAME in writing)) > 0:
                self.settings_wait = left
            else:
                changed = self._read_settings(seen, tolerant)
        if "currency" in self._remembered:
            self.zone, self.currency = self._remembered["zone"], self._remembered["currency"]
        self.moment = self._clock(self.zone)
        self._vault = Vault(self.root, self._ignored())
        return changed

    def _find_settings_wait(self, writing: bool) -> float:
        """The seconds for which settings that were there, and look half-saved, may become whole; 0 for none."""
        found = self._vault.stat(SETTINGS_NAME)
        now = time.time()
        self._gone_since = None if found is not None else self._gone_since or now
        if not self._remembered.get("settings_there"):
            return 0.0
        if found is None:
            return GRACE - now + (self._gone_since or now)
        since = now - max(found.st_mtime, found.st_ctime)
        return QUIET - since if since >= 0 and (writing or not found.st_size) else 0.0

    def _settings_signature(self) -> bytes:
        """What tells that the files of settings are as they were; empty while they are too fresh to tell."""
        files = [self._vault.stat(path) for path in _SETTINGS]
        settled = time.time_ns() - MARGIN_NS
        if any(found and max(found.st_mtime_ns, found.st_ctime_ns) > settled for found in files):
            return b""
        return b"|".join((__version__.encode(), *(signature(found) if found else b"-" for found in files)))

    def _read_settings(self, seen: bytes, tolerant: bool) -> bool:
        files: list[bytes] = []
        unreadable: tuple[Problem, ...] = ()
        for path in _SETTINGS:
            try:
                there = self._vault.stat(path) is not None
                files.append(self._vault.read(path, time.time_ns()).data if there else b"")
            except Unreadable as error:
                files.append(b"")
                unreadable += (Problem(path, 1, 1, error.code, ERROR, str(error), error.hint),)
        digest = digest_of(b"\0".join((__version__.encode(), *files)))
        if self._remembered.get("settings_digest") == digest and not unreadable:
            self.settings_problems = ()
            if seen:
                self._remember(settings_seen=seen)
            return False
        return self._take_settings(files, unreadable, seen, digest, tolerant)

    def _take_settings(
        self,
        files: Sequence[bytes],
        unreadable: tuple[Problem, ...],
        seen: bytes,
        digest: bytes,
        tolerant: bool,
    ) -> bool:
        from notesync.sync.settings_files import read_settings

        settings, found, rules, values = read_settings(files)
        problems = (*unreadable, *found)
        wrong = [problem for problem in problems if problem.severity == ERROR]
        self.settings_problems = problems
        if wrong and not tolerant:
            raise UsageError("\n".join(f"{p.path}:{p.line}:{p.column}: {p.message} {p.hint}" for p in wrong))
        if wrong and "settings" in self._remembered:
            return False  # the last good ones stay in force
        self._settings, self._context = settings, None
        values["fingerprint"] = f"{__version__} {rules}"
        changed = bool(self._remembered.get("fingerprint") != values["fingerprint"])
        if problems:
            seen = digest = b""  # read them again next time, to say so again
        if changed:
            # Rows made under other rules are worth nothing, but they still tell whether most notes are gone: a
            # drive that is away takes the settings along.  The next refresh looks, and then begins anew.
            self._outdated = True
            self.index.fingerprint = ""
        self._remember(**values, settings_seen=seen, settings_digest=digest)
        return changed

    def _remember(self, **values: str | bytes) -> None:
        self._remembered.update(values)
        if self._outdated:
            return  # with the old rows the new settings would pass for theirs
        try:
            with self.index.change():
                self.index.remember(**values)
        except RulesChanged:
            return  # the refresh that follows sees it too
        except IndexFailure as error:
            self._fall_back(error)

    def _fall_back(self, error: IndexFailure) -> None:
        """Go on with another index, from nothing."""
        if self.index.in_memory:
            raise error
        self.index.fall_back(error)
        self._outdated = True

    def _ignored(self) -> list[str]:
        return [pattern for pattern in self._remembered.get("ignored", "").split("\n") if pattern]

    # refreshing ---------------------------------------------------------------------------------

    def refresh(
        self,
        *,
        progress: Callable[[int, int], None] | None = None,
        accept_empty: bool = False,
        grace: bool = False,
        thorough: bool = False,
        writing: frozenset[str] = frozenset(),
    ) -> Changes:
        """Bring the index up to the notes as they are on disk; see ``refresh.Wishes`` for the words.

        Raises VaultError when the vault, or most of it, is gone.
        """
        wishes = Wishes(progress, accept_empty, grace, thorough, writing)
        while True:  # it ends: of an index in memory every failure is raised
            try:
                return self._refresh(wishes)
            except IndexFailure as error:
                self._recover(error)

    def _try(self, work: Callable[[], Answer]) -> Answer:
        """Do what needs a refreshed index, and again with another one where this one fails."""
        try:
            if self._outdated:
                self._refresh(Wishes())  # what failed has cost us our rows
            return work()
        except IndexFailure as error:
            self._recover(error)
        return self._try(work)

    def begin_again(self, error: IndexFailure) -> None:
        """Have another index in place of one that failed, with the same notes."""
        self._recover(error)
        self.refresh()
        self.learn_keys()

    def _recover(self, error: IndexFailure) -> None:
        """Have another index after a failure, or other settings where another process has newer ones."""
        if isinstance(error, RulesChanged):
            before = self._remembered["fingerprint"]
            self.load_settings(tolerant=True)
            if self._remembered["fingerprint"] != before:
                return
        self._fall_back(error)  # RulesChanged by another version of the program: each keeps to its own

    def _refresh(self, wishes: Wishes) -> Changes:
        refresh = self._plan(wishes)
        if self._outdated:
            if self.index.last_note():
                refresh.require_notes()
            self._begin_anew()
            refresh = self._plan(wishes)
        try:
            changes = refresh.run()
        finally:
            self.folder_problems = refresh.folder_problems
        self.hold()
        return changes

    def _begin_anew(self) -> None:
        """Empty the index for the rules of now, unless another process has done so already."""
        fingerprint = self._remembered["fingerprint"]
        with self.index.change():
            if self.index.recall("fingerprint") != fingerprint:
                self.index.clear()
            self.index.remember(**self._remembered)
        self.index.fingerprint = fingerprint
        self._outdated = False

    def _plan(self, wishes: Wishes) -> Refresh:
        return Refresh(self._vault, self.index, self._reading_context, self.moment.day, self._pause, wishes)

    def _reading_context(self) -> Context:
        if self._context is None:
            from notesync.followup.follow_up import Context
            from notesync.followup.plans import load_plans

            plans = load_plans(self.settings)[0]
            calendar = self.settings.work_calendar()
            self._context = Context(self.settings, calendar, plans, self._remembered["tasks_filter"])
        return self._context

    def stand_still(self) -> None:
        """Have all answers until the next change be of one moment, and of our day."""
        if not self.index.is_still and not self._outdated:
            self.hold()

    def hold(self) -> None:
        """Have all answers be of one moment at which every row holds on this day."""
        for _ in range(TRIES):
            self.index.read()
            if not self.index.clients_not_holding(self.moment.day.toordinal()):
                return
            with self.index.change():
                self.derive_again()
        raise IndexFailure("other programs keep it for other days")

    def derive_again(self) -> None:
        """Derive again, within a change, what does not hold on this day.

        That is a client with a dated fact between the day for which its rows were made and this one.
        """
        clients = self.index.clients_not_holding(self.moment.day.toordinal())
        if clients:
            self._plan(Wishes()).derive_again(clients)

    def context(self) -> Context:
        """What the rules need beside a client: for whoever asks them about days gone by."""
        return self._reading_context()

    def plans(self) -> Plans:
        """The plans in force."""
        return self._reading_context().plans

    def find_missed(self, clients: Sequence[int]) -> Iterator[tuple[int, FollowUpRow]]:
        """What these clients' notes tell of steps that are missed, each with its client."""
        from notesync.sync.client_note import find_missed_rows

        return find_missed_rows(self, clients)

    def find_copies(self) -> list[Copy]:
        """The conflict copies among the notes, as refreshed, by path; also those that only this computer can tell."""
        from notesync.sync.copies import find_copies

        return find_copies(self._vault, self.index.paths(), self.settings, state_dir(self.root))

    def read_conflicts(self, answers: Mapping[str, str], wanted: Container[str] | None = None) -> list[Case]:
        """The notes that have conflict copies, or marks of an unfinished merge, by path; ``wanted``: only these files.

        ``answers`` are a person's, to what a merge asks.
        """
        from notesync.store.history import History
        from notesync.sync.merging import read_cases

        copies = self.find_copies()
        known = {copy.path for copy in copies}
        marked = {problem.path for problem in self.problems() if problem.code == "merge-marker"} - known
        if wanted is not None:
            copies = [copy for copy in copies if copy.path in wanted]
            marked = {path for path in marked if path in wanted}
        with History(state_dir(self.root)) as history:
            return read_cases(self._vault, history, copies, marked, answers, self.settings.log_headings)

    # earlier texts ------------------------------------------------------------------------------

    def find_unkept(self) -> list[str]:
        """The notes whose text the history has yet to learn, those saved last first.  Raises RefusedError."""
        from notesync.sync.keeping import find_unkept

        return self._try(lambda: find_unkept(self._vault, self.index, self._open_history()))

    def keep_texts(self, paths: Sequence[str]) -> None:
        """Have the history know what these notes hold now.  Raises RefusedError."""
        from notesync.sync.keeping import keep_texts

        if paths:
            self._try(lambda: keep_texts(self._vault, self.index, self._open_history(), paths))

    def _open_history(self) -> History:
        from notesync.store.history import History

        if self._history is None:
            self._history = History(state_dir(self.root))
        return self._history

    def find_doubtful_copies(self) -> list[Copy]:
        """Those that only this computer can tell: they count as notes of their own, or computers would differ."""
        known = {each.path for each in self.index.copies()}
        return [copy for copy in self.find_copies() if copy.path not in known]

    # changing -----------------------------------------------------------------------------------

    @property
    def tasks_filter(self) -> str:
        """The Tasks plugin's global filter: a line without it is no task."""
        return str(self._remembered["tasks_filter"])

    def change(
        self, wishes: Sequence[Wish], words: str, *, dry_run: bool = False, more: bool = False
    ) -> list[Step]:
        """Change notes as one command that ``words`` name ('log Acme'), whole or not at all; what was changed.

        ``dry_run`` says only what would be, ``more`` adds to the command before, if it had the same words.
        ``refresh`` afterwards.  Raises RefusedError, OvertakenError.
        """
        from notesync.store.history import History
        from notesync.sync.change import change_notes, plan

        if dry_run:
            return [step for wish in wishes if (step := plan(self._vault, wish)) is not None]
        with History(state_dir(self.root)) as history:
            return change_notes(self._vault, history, wishes, words, pause=self._pause, more=more)

    def merge(self, cases: Sequence[Case], *, some: bool = False, more: bool = False) -> list[Step]:
        """Store what merges make of notes, and remove their copies, whole or not at all; what was changed.

        ``some`` and ``more`` are those of ``store_merges``.  ``refresh`` afterwards.  Raises RefusedError,
        OvertakenError.
        """
        from notesync.store.history import History
        from notesync.sync.merging import store_merges

        with History(state_dir(self.root)) as history:
            return store_merges(self._vault, history, cases, self._pause, some=some, more=more)

    def undo(self, path: str | None, *, dry_run: bool = False) -> Undone:
        """Take back the last command that changed this note, or any; ``dry_run`` says only what would be.

        ``refresh`` afterwards.  Raises RefusedError, OvertakenError.
        """
        from notesync.store.history import History
        from notesync.sync.change import plan_undo, undo

        with History(state_dir(self.root)) as history:
            if dry_run:
                with history.turn(self._pause):
                    return plan_undo(self._vault, history, path)
            return undo(self._vault, history, path, pause=self._pause)

    # publishing ---------------------------------------------------------------------------------

    def publish(self) -> Published:
        """Bring the calendars and the agenda's note up to date; each is written only when its bytes differ.

        Raises OSError.
        """
        from notesync.sync.publishing import publish

        return self._try(lambda: publish(self, self._vault))

    def find_pending(self, published: Published) -> float | None:
        """The seconds for which not to publish, because a sync engine is just making conflict copies of all that."""
        from notesync.sync.strays import find_pending

        return find_pending(self._vault, published.paths)

    def forget_strays(self, published: Published) -> Strays:
        """Remove the conflict copies of what was published, where this computer publishes."""
        from notesync.sync.strays import Strays, forget_strays

        if not published.events:
            return Strays()
        return forget_strays(self._vault, published.paths, self.settings.vault_id)

    def mark_current(self, again: float = 0.0) -> None:
        """Leave word that the calendar is current now, and within how many seconds it will be looked at again."""
        store_mark(self.mark_path, again)

    @property
    def mark_path(self) -> str:
        """The file that says when the calendar was last known to be current."""
        return os.path.join(os.path.dirname(self.index.path), "current")

    @contextmanager
    def at_midnight(self) -> Iterator[None]:
        """Have answers be of the day's first minute, for what must not depend on the clock."""
        moment = self.moment
        self.moment = Moment(moment.day)
        try:
            yield
        finally:
            self.moment = moment

    @property
    def is_published(self) -> bool:
        """Whether no other process has changed the index since we made the calendar.

        One that did may have taken in a note whose change we then see no more.
        """
        return self.published is not None and self.published.age == self.index.age()

    def feed(
        self,
        *,
        owners: Sequence[str] = (),
        component: str = "event",
        detail: str = "",
        horizon: int | None = None,
        exported: bool = False,
    ) -> Iterator[bytes]:
        """The calendar's bytes in chunks; ``horizon`` is in days, ``exported`` ones are a person's own."""
        from notesync.sync.feed import build_feed
        from notesync.sync.written import join_bytes

        return join_bytes(
            self._try(lambda: build_feed(self, tuple(owners), component, detail, horizon, exported))
        )

    def feeds(self, owners: Iterable[tuple[str, ...]]) -> Iterator[Iterator[bytes]]:
        """The calendars of some owners, () everybody's, each in chunks, to be taken one after the other."""
        from notesync.sync.feed import build_feeds
        from notesync.sync.written import join_bytes

        return map(join_bytes, build_feeds(self, owners))

    def write_generated(self, path: str, chunks: Iterator[bytes]) -> bool:
        """Make a file hold these bytes, atomically and only when they differ.  Raises OSError."""
        return self._vault.replace_generated(path, chunks).changed
