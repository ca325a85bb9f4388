"""After any history a refresh equals a rebuild: the index forgets nothing and makes nothing up."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from notesync.followup.agenda import Moment
from notesync.problems import VaultError
from notesync.sync.owners import find_owners
from notesync.sync.pipeline import Selection, Workspace, open_workspace

TODAY = date(2026, 11, 22)
NAMES = ("Acme", "Bäcker", "café", "田中", "Clients/Acme", "Clients/Deep/Ångström", "v1.2 Ltd", "2026-11-20")
COPIES = (
    "Acme.sync-conflict-20261122-103045-ABCDEFG",
    "Acme (Anna's conflicted copy 2026-11-22)",
    "Acme (Anna's conflicted copy 2026-11-22).sync-conflict-20261122-103045-ABCDEFG",
    "Acme 2",
    "Acme.md..path1",
    "Acme.md..path2",
    "Clients/acme (conflicted copy)",
    "2026-11-20 (Ben's conflicted copy 2026-11-22)",
    "Bäcker.Conflict",
)
FRONT = (
    "type: client\nnext_contact: 2026-11-20\n",
    "type: client\nevery: 2 weeks\nlast_contact: 2026-10-01\nvalue: 1200\n",
    "every: month\n",
    "type: client\nnext_contact: 2026-12-30\nphone: 0712345670\nowner: Anna\n",
    "type: note\n",
    "type: client\nnext_contact: 2026-02-30\n",
    "type: client\nid: same-for-all\nlast_contact: 2026-11-01\nevery: week\n",
    "type: client\ncompany: Bakers\nlast_contact: 2026-11-01\naliases: [Bäcker]\n",
    "type: client\ncompany: '[[bakers]]'\n",
    "type: client\nsold: 2026-11-10\ndelivery: 2026-11-18\n",
    "type: client\nid: same-for-all\nsold: 2026-09-01\ndelivery: unknown\nplan: [after-sale, transition]\n",
    "type: client\nquoted: 2026-11-12\nlost: 2026-11-20\nrenewal: 2026-12-20\nplan: nowhere\n",
    "type: client\ncompany: Bakers\nevery: month\nreferred_by: '[[Acme]]'\naliases: [Acme, A]\n",
    "type: client\ncompany: '[[Bakers]]'\nstage: customer\npaused_until: 2026-12-05\nsold: 2026-11-19\n",
    "type: client\ncompany: bakers\ndo_not_contact: true\nlast_contact: 2026-11-15\n",
    "type: client\nid: same-for-all\nname: Bolt\nnext_contact: 2026-11-24\n",
    "type: client\nid: another\nevery: month\n",
    "type: client\nid: another\nname: Bolt\nnext_contact: 2026-11-23\n",
)
EDITS = (
    (b"type: client\n", b""),
    (b"---\n", b"---\nname: Bolt\n"),
    (b"name: Bolt\n", b""),
    (b"---\n", b"---\nid: same-for-all\n"),
    (b"id: same-for-all\n", b""),
)
BODY = (
    "",
    "\n## Log\n\n- 2026-11-21 call: talked\n",
    "\n## Log\n\n- 2026-12-24 visit: an appointment\n- 2026-11-01 call (no answer)\n",
    "\n- [ ] Send the quote 📅 2026-11-25\n- [x] Done ✅ 2026-11-02\n",
    "no newline at the end",
    "\n- [ ] Ship it 📅 2026-11-25 ⛔ q1\n",
    "\n- [ ] Pack it 🆔 q1\n",
    "\n- [ ] Ring [[Acme]] 📅 2026-11-24\n- [x] Met [[Clients/Deep/Ångström]] #contact ✅ 2026-11-19\n",
    "\n- [ ] First this ⛔ q2 📅 2026-11-20\n- [ ] then that 🆔 q2 ⛔ q1 📅 2026-11-21\n",
    "\n- [x] Packed 🆔 q1 ✅ 2026-11-20\n- [ ] Rang [[A]] #task 🆔 q2 📅 2026-11-23\n",
    "\n## Log\n- 2026-11-21 call: leaks #complaint\n- 2026-11-24 call: mended #resolved\n",
    "\n## Log\n- 2026-11-18 call: prices #promise 📅 2026-11-24\n"
    "- 2026-11-20 call: one more #sold [delivery:: 2026-12-01]\n",
    "\n## Log\n- 2026-11-17 call (no answer)\n- 2026-11-18 call (no answer)\n- 2026-11-19 call (no answer)\n",
    "\n## Log\n- [[Acme]] call: happy #satisfaction\n- [[A]] call (no answer)\n- [[Bäcker]] call: broken #complaint\n",
    "\n## Log\n- [[Clients/Acme]] visit: bought #sold [delivery:: 2026-12-01]\n- [[café]] call: kept my word #kept\n",
    "\n- [ ] Send [[Bäcker]] and [[Acme]] a card 📅 2026-11-24\n\n## Log\n- [[Bäcker]] call: talked\n",
    "\n<<<<<<< HEAD\n- [ ] Send the quote 📅 2026-11-25\n=======\n- [ ] Send it 📅 2026-11-26\n>>>>>>> b\n",
)
notes = st.builds(
    lambda front, body: f"---\n{front}---\n{body}", st.sampled_from(FRONT), st.sampled_from(BODY)
)
names = st.sampled_from((*NAMES, *COPIES, "Acme"))
days = st.sampled_from(
    [date(2026, 11, 22), date(2026, 12, 1), date(2026, 12, 25), date(2026, 10, 1), date(2028, 2, 29)]
)
SETTINGS = (
    "",
    "default_every: {prospect: month}\n",
    "timezone: Africa/Johannesburg\n",
    "since: 2026-11-20\ngive_up_after: 2\ndefault_every: {prospect: 2 weeks, customer: week}\n",
    "plans:\n  after-sale:\n    satisfaction: none\n    visit: {from: 1 day, to: 3 days, needs: thank-you}\n",
    "plans: {renewal: none, complaint: {resolve: none}}\nholidays: ZA\nworkdays: [sun, mon, tue, wed, thu]\n",
    "calendar: {per_owner: true, overdue: each}\ndefault_every: {prospect: 2 weeks}\n",
    "calendar: {per_owner: true, detail: initials, past: 10 days}\nowners: {Ben: {}}\n",
)
FILTERS = ("{}", '{"globalFilter": "#task"}')


def everything(workspace: Workspace) -> object:
    """All that can be asked of a workspace, as one value."""
    found = workspace.agenda(Selection(everything=True))
    missed = workspace.agenda(Selection(missed=True))
    return found, missed, workspace.cards(Selection()), list(workspace.feed())


def has_fine_times(folder: Path) -> bool:
    """Whether every write gets a time of its own once somebody has looked (Linux 6.13 and newer do that)."""
    path = folder / "probe"
    seen = set()
    for number in range(50):
        path.write_text(str(number % 10), encoding="utf-8")
        seen.add(path.stat().st_mtime_ns)
    path.unlink()
    return len(seen) == 50


class Histories(RuleBasedStateMachine):
    """Where file times are fine enough, they are trusted at once: so what is spared by them is tested, too."""

    patches = contextlib.ExitStack()

    @initialize(trusting=st.booleans())
    def begin(self, trusting: bool) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.vault = self.home / "vault"
        self.vault.mkdir()
        (self.vault / "notesync.yaml").write_text("since: 2026-10-01\ndefault_every: {prospect: 2 weeks}\n")
        self.day = TODAY
        self.cache = self.home / "cache"
        self.watched = self.home / "watched"
        self.watcher = self._open(self.watched)
        if trusting and has_fine_times(self.home):
            for module in ("scan", "vault"):
                self.patches.enter_context(patch(f"notesync.store.{module}.MARGIN_NS", -(10**10)))

    def teardown(self) -> None:
        self.patches.close()
        if hasattr(self, "watcher"):
            self.watcher.close()
        if hasattr(self, "home"):
            shutil.rmtree(self.home, ignore_errors=True)

    def _open(self, cache: Path) -> Workspace:
        return open_workspace(
            str(self.vault), lambda _zone: Moment(self.day, 600), cache=str(cache), pause=lambda _: None
        )

    def _path(self, name: str) -> Path:
        return self.vault / (name if name[-5:-1] == "path" else f"{name}.md")

    @rule(name=names, text=notes)
    def write(self, name: str, text: str) -> None:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="", encoding="utf-8")

    @rule(name=names, text=notes)
    def replace(self, name: str, text: str) -> None:
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(text, newline="", encoding="utf-8")
        os.replace(temporary, path)

    @rule(name=names)
    def same_size_and_old_times(self, name: str) -> None:
        """A sync engine may bring other bytes of the same size and set the old modification time."""
        path = self._path(name)
        if path.exists():
            seen = path.stat()
            data = path.read_bytes()
            path.write_bytes(data.replace(b"2026-11-2", b"2026-10-2"))
            os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    @rule(name=names, text=notes)
    def new_note_in_a_folder_with_old_times(self, name: str, text: str) -> None:
        """rsync sets the times of a folder back after it has put a file into it."""
        folder = self._path(name).parent
        if folder.exists():
            seen = folder.stat()
            self.replace(name, text)
            os.utime(folder, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    @rule(name=names, into=names)
    def rename(self, name: str, into: str) -> None:
        if self._path(name).exists():
            self._path(into).parent.mkdir(parents=True, exist_ok=True)
            os.replace(self._path(name), self._path(into))

    @rule(name=names, into=names)
    def copy(self, name: str, into: str) -> None:
        if self._path(name).is_file():
            self.write(into, self._path(name).read_text(encoding="utf-8"))

    @rule(name=names, edit=st.sampled_from(EDITS), watched=st.booleans())
    def edit(self, name: str, edit: tuple[bytes, bytes], watched: bool) -> None:
        path = self._path(name)
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(*edit, 1))
            if watched:
                self._watch()

    @rule(one=names, other=names)
    def exchange_ids(self, one: str, other: str) -> None:
        for path in {self._path(one), self._path(other)}:
            if path.is_file():
                there, here = b"id: another\n", b"id: same-for-all\n"
                data = path.read_bytes()
                path.write_bytes(data.replace(here, b"@\n").replace(there, here).replace(b"@\n", there))

    @rule(name=names)
    def delete(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    @rule()
    def move_folder(self) -> None:
        source, target = self.vault / "Clients", self.vault / "People"
        if source.exists() and not target.exists():
            os.replace(source, target)
        elif target.exists() and not source.exists():
            os.replace(target, source)

    @rule(name=names)
    def unreadable_moment(self, name: str) -> None:
        """For a moment a folder stands where the note was: nothing can be read there."""
        path = self._path(name)
        if path.exists() and path.is_file():
            aside = path.with_suffix(".aside")
            os.replace(path, aside)
            path.mkdir()
            self.look()
            path.rmdir()
            os.replace(aside, path)

    @rule(day=days)
    def another_day(self, day: date) -> None:
        self.day = day

    @rule()
    def the_next_day(self) -> None:
        self.day += timedelta(1)

    @rule(text=st.sampled_from(FILTERS))
    def change_the_tasks_filter(self, text: str) -> None:
        folder = self.vault / ".obsidian/plugins/obsidian-tasks-plugin"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "data.json").write_text(text, encoding="utf-8")

    @rule(text=st.sampled_from(SETTINGS))
    def change_settings(self, text: str) -> None:
        (self.vault / "notesync.yaml").write_text(text, encoding="utf-8")

    @rule()
    def look(self) -> None:
        with self._open(self.cache) as workspace:
            workspace.refresh(grace=False)

    def _wait(self, *writing: str) -> None:
        with self._open(self.cache) as workspace, contextlib.suppress(VaultError):
            workspace.refresh(grace=True, writing=frozenset(writing))

    @rule(name=names, text=notes, end=st.integers(0, 60), open_still=st.booleans())
    def saved_in_two_pieces_under_a_watcher(self, name: str, text: str, end: int, open_still: bool) -> None:
        self.write(name, text[:end])
        self._wait(*([f"{name}.md"] if open_still else ()))
        self.write(name, text)

    @rule(name=names, into=names, back=st.booleans())
    def renamed_under_a_watcher(self, name: str, into: str, back: bool) -> None:
        if not self._path(into).exists():
            self.rename(name, into)
            self._wait()
            if back:
                self.rename(into, name)

    @rule(name=names, back=st.booleans())
    def gone_under_a_watcher(self, name: str, back: bool) -> None:
        path = self._path(name)
        if path.exists():
            aside = path.with_suffix(".aside")
            os.replace(path, aside)
            self._wait()
            if back:
                os.replace(aside, path)
                self._wait()

    @rule(name=names)
    def gone_for_longer_than_its_grace(self, name: str) -> None:
        path = self._path(name)
        if path.exists():
            aside = path.with_suffix(".aside")
            os.replace(path, aside)
            self._wait()
            with patch("notesync.sync.refresh.GRACE", 0.0):
                self._wait()
            os.replace(aside, path)

    @rule(name=names, other=names, text=notes)
    def empty_while_another_changes(self, name: str, other: str, text: str) -> None:
        """A sync engine may leave a note empty for a while: meanwhile its last good rows are kept."""
        path = self._path(name)
        if path.is_file() and name != other:
            whole = path.read_bytes()
            path.write_bytes(b"")
            self._watch()
            self.write(other, text)
            self._watch()
            path.write_bytes(whole)

    @rule(batches=st.integers(0, 3))
    def killed_in_the_middle(self, batches: int) -> None:
        """A process may die after any of its transactions, or before the first."""
        left = [batches]

        def die(_done: int, _all: int) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise InterruptedError

        small = patch("notesync.sync.refresh.BATCH", 2)
        with small, contextlib.suppress(InterruptedError), self._open(self.cache) as workspace:
            workspace.refresh(accept_empty=True, progress=die)

    @rule(watched=st.booleans())
    def lose_the_index(self, watched: bool) -> None:
        for path in (self.watched if watched else self.cache).glob("index.sqlite3*"):
            path.unlink()

    @rule(junk=st.binary(min_size=1, max_size=200), watched=st.booleans())
    def corrupt_the_index(self, junk: bytes, watched: bool) -> None:
        cache = self.watched if watched else self.cache
        path = cache / "index.sqlite3"
        if path.exists():
            for side in cache.glob("index.sqlite3-*"):
                side.unlink()
            path.write_bytes(junk)

    @rule(name=names, text=notes, publishing=st.booleans())
    def another_process_is_faster_than_the_watcher(self, name: str, text: str, publishing: bool) -> None:
        self.write(name, text)
        with self._open(self.watched) as workspace:
            workspace.refresh(accept_empty=True)
            if publishing:
                workspace.publish()

    @rule(data=st.sampled_from([None, b"", b"BEGIN:VCALENDAR\r\n"]))
    def somebody_touches_the_calendar(self, data: bytes | None) -> None:
        for path in self.vault.glob("*.ics"):
            size = path.stat().st_size
            path.unlink()
            if data is not None:
                path.write_bytes(data.ljust(size if data else 0, b"x"))

    @rule(name=names, body=st.sampled_from(BODY))
    def save_while_watched(self, name: str, body: str) -> None:
        """The most usual thing of all: one more line in one note, and a look at once."""
        path = self._path(name)
        if path.is_file():
            with path.open("a", encoding="utf-8") as file:
                file.write(body)
            self._watch()

    def _watch(self) -> None:
        self.watcher.load_settings(tolerant=True)
        self.watcher.refresh(accept_empty=True)
        self.watcher.publish()

    @invariant()
    def refreshed_equals_rebuilt(self) -> None:
        if not hasattr(self, "vault"):
            return
        with self._open(self.cache) as refreshed:
            refreshed.refresh(accept_empty=True)
            after_history = everything(refreshed)
        fresh = self.home / "fresh"
        with self._open(fresh) as rebuilt:
            rebuilt.refresh()
            from_nothing = everything(rebuilt)
            feeds = {"": b"".join(rebuilt.feed())}
            if rebuilt.settings.calendar_per_owner:
                feeds |= {
                    f"-{owner}": b"".join(rebuilt.feed(owners=(owner,))) for owner in find_owners(rebuilt)
                }
        shutil.rmtree(fresh)
        assert after_history == from_nothing
        self._watch()
        for owner, feed in feeds.items():
            written = (self.vault / f"followups{owner}.ics").read_bytes()
            assert written.partition(b"BEGIN:VEVENT")[2] == feed.partition(b"BEGIN:VEVENT")[2]


Histories.TestCase.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistories = Histories.TestCase
