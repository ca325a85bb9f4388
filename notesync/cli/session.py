"""What every command shares: its vault, its moment, its terminal, and the options that say so.

In: the shared options and the environment.  Out: an open workspace as of one moment, and lines on
stdout and stderr.  The clock is asked here and nowhere else.  On the way of every ``check``: what is
not always needed is imported where it is used.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import TYPE_CHECKING, Any, TypeVar

import click

from notesync.followup.agenda import Moment
from notesync.problems import ERROR, UsageError, VaultError
from notesync.publish.text import clean, format_count
from notesync.store.vault import NOT_DOWNLOADED, find_root
from notesync.sync import pipeline

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

FORMATS = ("table", "lines", "json", "csv")
_PROBLEMS_ON_TERMINAL = 10
_MANY_TWINS = 10  # notes with another's id: more are one mistake, and their lines would hide all others


def describe_away(workspace: pipeline.Workspace) -> str:
    """How many notes are not on this device: ``3 notes not downloaded, last known dates shown``; '' for none."""
    away, unknown = workspace.count_away()
    if not away:
        return ""
    shown = "last known dates shown" if away > unknown else "never read yet"
    but = f", {unknown} of them never read" if 0 < unknown < away else ""
    return f"{format_count(away, 'note')} not downloaded, {shown}{but}"


class Session:
    """One run of a command: where its vault is, what day it asks about, where its words go."""

    def __init__(self) -> None:
        self.vault = ""
        self.today: Moment | None = None
        self.verbose = False
        self.changed: tuple[str, ...] = ()

    def find_vault(self) -> str:
        """The absolute path of the vault: as named, else the nearest with settings, else where we are.

        Raises UsageError where that would be the home folder or a whole drive: nobody means to read all
        of it, and it takes minutes.
        """
        named = self.vault or os.environ.get("NOTESYNC_VAULT")
        if named:
            return os.path.abspath(named)
        try:
            here = os.getcwd()
        except FileNotFoundError:
            raise VaultError("no-vault: the folder you are in was deleted. Go to your vault's.") from None
        root = find_root(here)
        if root is None and here in (os.path.expanduser("~"), os.path.dirname(here)):
            raise UsageError(
                f"no-vault: {here} is no vault, and too much to search for notes. Go to the folder that holds "
                "your notes, or name it with --vault DIR; 'notesync init DIR' makes it a vault."
            )
        return root or here

    def moment(self, zone: str) -> Moment:
        """The day and minute in the settings' zone ('' for the machine's), or those of ``--today``."""
        if self.today is not None:
            return self.today
        return read_clock(zone)

    def open(self, *, tolerant: bool = False) -> pipeline.Workspace:
        """The workspace of the vault; ``tolerant`` goes on with wrong settings and says so."""
        return pipeline.open_workspace(self.find_vault(), self.moment, tolerant=tolerant)

    def refresh(
        self, workspace: pipeline.Workspace, *, accept_empty: bool = False, thorough: bool = False
    ) -> pipeline.Changes:
        """Bring the index up to date, with a progress bar where it takes long, and tell its notices."""
        progress = Progress() if sys.stderr.isatty() else None
        try:
            changes = workspace.refresh(progress=progress, accept_empty=accept_empty, thorough=thorough)
        finally:
            if progress is not None:
                progress.close()
        for notice in workspace.notices:
            self.tell(notice)
        return changes

    def keep_change(self, paths: Iterable[str]) -> None:
        """Know of notes that were changed: an error that nobody foresaw must not deny it."""
        self.changed = (*self.changed, *paths)

    def write(self, lines: Iterable[str]) -> None:
        """Results, whole lines with their newlines, to stdout."""
        if os.name == "nt" and sys.stdout.isatty():
            # click lets older Windows consoles understand colours
            for line in lines:
                click.echo(line, nl=False)
        else:
            sys.stdout.writelines(lines)

    def tell(self, *lines: str) -> None:
        """Everything that is not a result: lines to stderr, after the results so far."""
        sys.stdout.flush()
        for line in lines:
            sys.stderr.write(clean(line.rstrip("\n")) + "\n")
        sys.stderr.flush()

    def tell_error(self, message: str) -> None:
        """One error, in the shape click gives its own."""
        first, *more = message.split("\n")
        self.tell(f"Error: {first}", *more)

    def tell_problems(self, workspace: pipeline.Workspace) -> None:
        """Problems of notes and settings, after the results; on a terminal the first few, errors before warnings."""
        from notesync.publish.text import render_problems_lines
        from notesync.sync.counting import TWIN

        found = workspace.problems()
        problems = [problem for problem in found if problem.code != NOT_DOWNLOADED]
        if len(problems) < len(found):
            self.tell(f"{describe_away(workspace)}: notesync doctor")
        twins = sum(problem.code == TWIN for problem in problems)
        if twins > _MANY_TWINS:
            self.tell(f"{twins} notes have the id of another note: was a folder copied? notesync doctor")
            problems = [problem for problem in problems if problem.code != TWIN]
        if not problems:
            return
        worst = sorted(problems, key=lambda problem: problem.severity != ERROR)
        shown = worst[:_PROBLEMS_ON_TERMINAL] if sys.stderr.isatty() else problems
        sys.stdout.flush()
        sys.stderr.write(
            "".join(render_problems_lines(shown))
        )  # clean already, and at once: there may be thousands
        if len(shown) < len(problems):
            self.tell(f"... and {len(problems) - len(shown)} more problems: notesync doctor")

    def tell_problem_count(self, workspace: pipeline.Workspace) -> None:
        """One line that there are problems, for the commands that do not list them."""
        count = len(workspace.problems())
        if count:
            self.tell(
                f"{count} {'problem' if count == 1 else 'problems'} in notes or settings: notesync doctor"
            )

    def tell_first_steps(self, workspace: pipeline.Workspace) -> None:
        """In a folder without a client note: what is there, and what to do next."""
        from notesync.publish.text import render_empty_vault, render_foreign_vault, render_no_clients

        markdown, clients = workspace.counts()
        root = workspace.root
        if clients:
            return
        app = find_app(root)
        if not markdown:
            self.tell(*render_empty_vault(root))
        elif app and find_root(root) != root:
            self.tell(*render_foreign_vault(root, markdown, app))
        else:
            self.tell(*render_no_clients(root, markdown))


class Progress:
    """A bar on stderr, from the second on; called with what is read so far and what there is to read."""

    def __init__(self, label: str = "Reading notes") -> None:
        self._label = label
        self._start = time.monotonic()
        self._bar: ProgressBar[int] | None = None

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            if time.monotonic() - self._start < 1.0:
                return
            self._bar = click.progressbar(length=total, label=self._label, file=sys.stderr)
        self._bar.length = total
        self._bar.update(done - self._bar.pos)

    def close(self) -> None:
        """End the bar's line, if there is one."""
        if self._bar is not None:
            self._bar.render_finish()


def read_clock(zone: str) -> Moment:
    """Now, in the IANA zone named, or in the machine's when it is ''."""
    if zone:
        from zoneinfo import ZoneInfo

        now = datetime.now(ZoneInfo(zone))
    else:
        now = datetime.now()
    return Moment(now.date(), now.hour * 60 + now.minute)


def find_midnight(zone: str) -> float:
    """The next midnight in the zone ('' for the machine's), as a time stamp of the wall clock."""
    if zone:
        from zoneinfo import ZoneInfo

        now = datetime.now(ZoneInfo(zone))
    else:
        now = datetime.now()
    midnight = datetime.combine(now.date() + timedelta(days=1), clock.min, now.tzinfo)
    return midnight.timestamp()


def find_app(root: str) -> str:
    """The program whose notes these are, by the folder it leaves beside them; '' where none is known."""
    from notesync.store.obsidian import find_configs

    if find_configs(root):
        return "Obsidian"
    return "Logseq" if os.path.isdir(os.path.join(root, "logseq")) else ""


def pick_format(asked: str | None) -> str:
    """The format asked for, else a table on a terminal and lines elsewhere."""
    return asked or ("table" if sys.stdout.isatty() else "lines")


def has_color() -> bool:
    """Whether colours reach an eye: stdout is a terminal that knows them, and nobody said NO_COLOR."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def find_width() -> int:
    """The terminal's columns; $COLUMNS, else 80, where there is none."""
    from shutil import get_terminal_size

    return get_terminal_size().columns


def parse_moment(text: str) -> Moment | None:
    """``DATE`` or ``DATETHH:MM`` (a blank will do for the T) to a moment; None when it is neither."""
    day, _, hours = text.strip().replace(" ", "T", 1).partition("T")
    hour, colon, minute = hours.partition(":")
    try:
        if len(day) != 10 or (hours and not (colon and len(hour) <= 2 and len(minute) == 2)):
            return None
        moment = Moment(date.fromisoformat(day), int(hour or 0) * 60 + int(minute or 0))
        return (
            moment if moment.minute < 24 * 60 and int(minute or 0) < 60 and day[4] == day[7] == "-" else None
        )
    except ValueError:
        return None


class Command(click.Command):
    """A command whose help ends with examples that work; docs/cli.md and the tests take them from here."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class Family(Command, click.Group):
    """A command that has others below it; without one of them it does what is asked for most."""


def command(
    *, examples: Sequence[str], cls: type[Command] = Command
) -> Callable[[Callable[..., Any]], click.Command]:
    """A command with the options that every command has."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        return click.command(function.__name__.rstrip("_"), cls=cls, examples=examples)(
            shared_options(function)
        )

    return decorate


pass_session = click.make_pass_decorator(Session, ensure=True)


def _keep_vault(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value:
        ctx.ensure_object(Session).vault = value


def _keep_verbose(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Session).verbose = True


def _keep_today(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    moment = parse_moment(value)
    if moment is None:
        raise click.BadParameter(f"'{value}' is no day. Write it like 2026-11-22 or 2026-11-22T14:30.")
    ctx.ensure_object(Session).today = moment


def shared_options(function: AnyFunction) -> AnyFunction:
    """The options of every command; they may also stand before the command's name."""
    function = click.option(
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_keep_verbose,
        help="Show where an unexpected error happened.",
    )(function)
    return click.option(
        "--vault",
        metavar="DIR",
        expose_value=False,
        callback=_keep_vault,
        help="The folder of notes; else $NOTESYNC_VAULT, else the nearest folder upwards with a notesync.yaml.",
    )(function)


today_option = click.option(
    "--today",
    metavar="DATE[THH:MM]",
    expose_value=False,
    callback=_keep_today,
    help="Ask as of another day (without a time: as of 00:00).",
)

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="|".join(FORMATS),
    help="Default: a table on a terminal, lines elsewhere.",
)


def dry_run_option(function: AnyFunction) -> AnyFunction:
    """``--dry-run``."""
    return click.option(
        "--dry-run", is_flag=True, help="Write nothing: show what would change, as a unified diff."
    )(function)
