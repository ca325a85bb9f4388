"""The group of all commands: finds the one that is meant, and turns every end into an exit code.

In: the command line's words.  Out: the exit code.  A command's module is imported when the command
is invoked, not before; the list of commands needs none of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Any, NoReturn

import click

from notesync import __version__
from notesync.cli.session import Session, shared_options
from notesync.problems import NotesyncError, UsageError, find_nearest

# Command: the module that holds it, and its line in the list of commands (the first of its help).
COMMANDS = {
    "init": ("notesync.cli.vault", "Make a folder a vault."),
    "check": ("notesync.cli.check", "Say what is overdue, then what is due today."),
    "agenda": ("notesync.cli.agenda", "Plan the coming days."),
    "show": ("notesync.cli.clients", "Show one client."),
    "clients": ("notesync.cli.clients", "List the clients."),
    "plans": ("notesync.cli.plans", "List the plans and their steps."),
    "new": ("notesync.cli.new", "Make a new client's note."),
    "log": ("notesync.cli.log", "Log a contact, and agree the next."),
    "done": ("notesync.cli.done", "Settle a step of a plan, or tick a task."),
    "move": ("notesync.cli.move", "Move the next contact, or a task, to another day."),
    "pause": ("notesync.cli.move", "Pause a client until a day; 'off' ends the pause."),
    "sold": ("notesync.cli.sold", "Record a sale, or another delivery of one."),
    "lost": ("notesync.cli.sold", "Record that there is no sale, and why."),
    "undo": ("notesync.cli.undo", "Take back the last change that notesync made."),
    "sync": ("notesync.cli.sync", "Bring index and calendar up to date."),
    "watch": ("notesync.cli.watch", "Sync now, then at each change and each midnight."),
    "serve": ("notesync.cli.serve", "Serve the calendar and the agenda over HTTP."),
    "review": ("notesync.cli.review", "Look back: what was due against what was logged."),
    "import": ("notesync.cli.bring", "Bring in clients and notes from other programs."),
    "export": ("notesync.cli.export", "Write the calendar, or the clients, to a file or to stdout."),
    "conflicts": ("notesync.cli.conflicts", "List conflict copies of notes, and what differs."),
    "service": ("notesync.cli.service", "Keep 'notesync watch' running from login."),
    "doctor": ("notesync.cli.vault", "Say what is wrong, and what to do about it."),
}

COMPLETION = "_NOTESYNC_COMPLETE"  # as click names what a shell asks by
INTERRUPTED = 130
READER_GONE = 141  # what a shell reports of a program that SIGPIPE ended
UNEXPECTED = 70


class Group(click.Group):
    """The commands by name; what they raise becomes one line on stderr and the contract's exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name][0]), find_function(cmd_name))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            self.suggest_command(ctx, args[0])
        return super().resolve_command(ctx, args)

    def suggest_command(self, ctx: click.Context, wrong: str) -> NoReturn:
        """End with the command that was probably meant."""
        near = find_nearest(wrong, COMMANDS)
        mend = f"Did you mean '{near}'?" if near else "'notesync --help' lists the commands."
        ctx.fail(f"No such command '{wrong}'. {mend}")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command; the exit code is returned, or, standing alone as click means it, raised."""
        prepare_streams()
        if COMPLETION in os.environ:
            from notesync.cli.complete import register

            register()
        try:
            code = super().main(
                args, "notesync", complete_var, False, windows_expand_args=windows_expand_args, **extra
            )
        except click.ClickException as error:
            error.show()
            code = UsageError.exit_code
        except (click.Abort, KeyboardInterrupt):
            code = INTERRUPTED
        except SystemExit as ended:
            # click's own answer, while printing help, to a reader that is gone
            code = READER_GONE if ended.code == 1 else ended.code
        except OSError as error:  # while printing help or the version, before there is a command
            mute_stdout()
            tell_unexpected(error, Session())
            code = UNEXPECTED
        if standalone_mode:
            sys.exit(code)
        return code

    def invoke(self, ctx: click.Context) -> Any:
        session = ctx.ensure_object(Session)
        try:
            code = super().invoke(ctx) or 0
            sys.stdout.flush()
        except NotesyncError as error:
            session.tell_error(str(error))
            return error.exit_code
        except (click.ClickException, click.Abort, click.exceptions.Exit, KeyboardInterrupt):
            raise
        except Exception as error:
            if is_reader_gone(error):
                mute_stdout()
                return READER_GONE
            tell_unexpected(error, session)
            return UNEXPECTED
        return code


def find_function(command: str) -> str:
    """The name of the function that is a command: ``import`` is Python's own word, so it has a line behind it."""
    return f"{command}_" if iskeyword(command) else command


def prepare_streams() -> None:
    """Make stdout UTF-8 with bare newlines on every system; whatever cannot be written is escaped."""
    # Python has no streams at all where a window system or a service started us without any.
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  closed with the process
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")
    # A csv line ends in CRLF, the others in LF: Windows would make CR CR LF of the first.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(newline="\n")


def is_reader_gone(error: Exception) -> bool:
    """Whether ``error`` says that nobody reads our stdout any more (Windows says EINVAL for it)."""
    if isinstance(error, BrokenPipeError):
        return True
    import errno

    return os.name == "nt" and isinstance(error, OSError) and error.errno == errno.EINVAL


def mute_stdout() -> None:
    """Send what Python would still flush at its end to nowhere: the reader has gone, that is no error."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # a test's stream, which has no file
        return


def tell_unexpected(error: Exception, session: Session) -> None:
    """One line for an error that nobody foresaw; with ``--verbose`` its traceback before it."""
    if session.verbose:
        import traceback

        traceback.print_exception(error)
    done = "Nothing in your notes was changed"
    if session.changed:
        done = f"{', '.join(session.changed)}: changed all the same, and 'notesync undo' takes it back"
    session.tell_error(
        f"unexpected: {type(error).__name__}: {error}. {done}; "
        + (
            "please report it with these lines."
            if session.verbose
            else "'--verbose' shows where it happened."
        )
    )


@click.group(cls=Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="notesync %(version)s")
@shared_options
@click.pass_context
def notesync(ctx: click.Context) -> int:
    """Client notes in a synced folder become follow-ups that are not missed.

    'notesync check' says who is overdue, 'notesync watch' keeps a calendar file current at every save.
    Begin with 'notesync init' in the folder that holds your notes.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        return UsageError.exit_code
    return 0
