"""``init`` and ``doctor``: how a vault begins, and how it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from notesync.cli.published_health import find_published_health
from notesync.cli.session import (
    Session,
    command,
    describe_away,
    find_width,
    format_option,
    has_color,
    pass_session,
    pick_format,
    read_clock,
    today_option,
)
from notesync.problems import ERROR, WARNING, Problem, RefusedError, VaultError
from notesync.publish import text
from notesync.publish.text import Health, format_count, quote_path
from notesync.store.scan import Scan
from notesync.store.vault import SETTINGS_NAME, Vault, find_root
from notesync.sync.pipeline import Workspace

if TYPE_CHECKING:
    from notesync.followup.items import ClientCard
    from notesync.store.conflicts import Copy
    from notesync.sync.kit import Part

# --- init ------------------------------------------------------------------------------------------------


@command(examples=("notesync init", "notesync init --example demo", "notesync init --obsidian Clients"))
@click.argument("directory", metavar="[DIR]", required=False)
@click.option("--example", is_flag=True, help="Fill it with a small business's notes, dated around today.")
@click.option(
    "--obsidian/--no-obsidian",
    default=None,
    help="Also what Obsidian needs, or with --no-obsidian not. Default: where Obsidian has its settings.",
)
@pass_session
def init(session: Session, directory: str | None, example: bool, obsidian: bool | None) -> int:
    """Make a folder a vault.

    Writes notesync.yaml, with a comment on every key, into DIR (default: here); DIR is made if need be. For
    Obsidian it adds a client template, Follow-ups.base with lists of clients, and the types of our properties to
    those in types.json. Never overwrites: what is there already stays as it is.
    """
    from notesync.store.obsidian import find_configs

    root = os.path.abspath(directory or session.vault or ".")
    make_folder(root)
    zone = find_zone()
    with_kit = bool(find_configs(root)) if obsidian is None else obsidian
    written = copy_example_vault(root, zone) if example else create_settings(root, zone, again=with_kit)
    session.write(f"{line}\n" for line in written)
    good = write_kit(session, root) if with_kit else True
    outer = find_root(os.path.dirname(root))
    if outer is not None:
        session.tell(f"Mind: {outer} is a vault too, and these notes are part of both.")
    tell_next(session, root)
    return 0 if good else RefusedError.exit_code


def make_folder(root: str) -> None:
    """Make the folder, if it is not there.  Raises VaultError when that cannot be."""
    try:
        os.makedirs(root, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise VaultError(
            f"unwritable-folder: {root} cannot be made: {reason}. Choose another folder."
        ) from error


def create_settings(root: str, zone: str, *, again: bool = False) -> list[str]:
    """Write new settings; where there are some raises RefusedError, or says so if there is ``again`` more to do."""
    from uuid import uuid4

    from notesync.followup.options import render_settings

    content = render_settings(uuid4().hex, read_clock(zone).day.isoformat(), zone)
    path = os.path.join(root, SETTINGS_NAME)
    try:
        with open(path, "x", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except FileExistsError:
        if again:
            return [f"{path} was there already and was left as it is."]
        raise RefusedError(
            f"existing-settings: {path} is there already and was left as it is. Edit it, or remove it first."
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise VaultError(f"unwritable-folder: {path}: {reason}. Check the folder's permissions.") from error
    return [f"{path} written: the settings, each with a comment."]


def copy_example_vault(root: str, zone: str) -> list[str]:
    """Fill a folder without notes with the example; raises RefusedError where there are notes."""
    from notesync.store.example import copy_example

    if any(each.changed for each in Scan(Vault(root), time.time_ns()).compare([])):
        raise RefusedError(
            f"existing-notes: {root} has notes, and made-up clients do not belong among them. "
            "Name a new folder: notesync init --example demo"
        )
    written = copy_example(Path(root), read_clock(zone).day)
    lines = [f"{root}: {format_count(len(written), 'file')} of the example written."]
    if os.path.join(root, SETTINGS_NAME) not in map(str, written):
        lines.append(f"{SETTINGS_NAME} was there already and was left as it is.")
    return lines


def write_kit(session: Session, root: str) -> bool:
    """Put what Obsidian needs into the vault, and say what was done; whether nothing was refused."""
    from notesync.publish.obsidian import TEMPLATE_FOLDER
    from notesync.sync import kit

    session.vault = root
    with session.open(tolerant=True) as workspace:
        named = kit.find_template_folders(workspace.vault)
        parts = list(kit.write_kit(workspace.vault, workspace.settings))
    session.write(_describe_part(part) for part in parts if part.done != kit.REFUSED)
    session.tell(*(part.words for part in parts if part.done == kit.REFUSED))
    if all(part.done == kit.KEPT for part in parts):
        session.write(["Nothing was missing for Obsidian.\n"])
    elif not named:
        session.tell(
            f"In Obsidian name {TEMPLATE_FOLDER} under Settings, Templates, Template folder location."
        )
    session.tell("A list to pin in Obsidian: notesync agenda --format md > Agenda.md")
    return all(part.done != kit.REFUSED for part in parts)


def _describe_part(part: Part) -> str:
    from notesync.sync.kit import ADDED, LEFT, WRITTEN

    done = {
        WRITTEN: "written",
        ADDED: "got the types of our properties; the rest of it is as it was",
        LEFT: "was left as it is",
    }
    words = f" ({part.words})" if part.words else ""
    return (
        text.clean(f"{part.path} {done.get(part.done, 'was there already and was left as it is')}{words}.")
        + "\n"
    )


def tell_next(session: Session, root: str) -> None:
    """How many client notes there are, and what to do next."""
    session.vault = root
    with session.open(tolerant=True) as workspace:
        session.refresh(workspace)
        notes, clients = workspace.counts()
        if clients:
            where = "" if root == os.getcwd() else f" --vault {quote_path(root)}"
            session.tell(
                f"{format_count(clients, 'client note')} among {format_count(notes, 'note')}. Next:",
                f"    notesync check{where}     who is overdue, who is due today",
                f"    notesync watch{where}     keeps {workspace.settings.calendar_path} current, for your calendar",
            )
        session.tell_first_steps(workspace)
        session.tell_problem_count(workspace)


def find_zone() -> str:
    """The IANA name of the machine's zone, '' where it cannot be known (Windows has names of its own)."""
    for name in _zone_names():
        if _is_zone(name):
            return name
    return ""


def _zone_names() -> Iterator[str]:
    yield os.environ.get("TZ", "").lstrip(":")
    # Where systemd or macOS keep it: a link into the zone database.
    yield os.path.realpath("/etc/localtime").rpartition("zoneinfo/")[2]
    try:
        yield Path("/etc/timezone").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return


def _is_zone(name: str) -> bool:
    if not name or name.startswith("/"):
        return False
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


# --- doctor ----------------------------------------------------------------------------------------------


@command(examples=("notesync doctor", "notesync doctor --format json"))
@today_option
@format_option
@pass_session
def doctor(session: Session, form: str | None) -> int:
    """Say what is wrong, and what to do about it.

    Every problem in notes and settings (file, line and column), clients for whom nothing can ever fall due,
    and how index, calendars, server, watcher, service and system limits are: since when nobody has refreshed the
    calendar, and whether what is installed still exists. Works with broken settings too. Exit code 1 says that
    there is something to do.
    """
    with session.open(tolerant=True) as workspace:
        session.refresh(workspace)
        doubtful = map(_suspect, workspace.find_doubtful_copies())
        problems = (*workspace.problems(), *doubtful, *map(_idle, workspace.idle_clients()))
        health = list(find_health(session, workspace))
        session.write(_render(workspace, problems, health, pick_format(form)))
        session.tell_first_steps(workspace)
    return 1 if problems or not all(part.ok for part in health) else 0


def _render(
    workspace: Workspace, problems: tuple[Problem, ...], health: list[Health], form: str
) -> Iterable[str]:
    if form == "json":
        return text.render_problems_json(problems, health, workspace.root)
    if form == "csv":
        return text.render_problems_csv(problems)
    if form == "lines":
        return (*text.render_problems_lines(problems), *text.render_health_lines(health))
    from notesync.publish.problems_table import render_problems_table

    return render_problems_table(problems, health, find_width(), has_color())


def _idle(card: ClientCard) -> Problem:
    return Problem(
        card.path,
        1,
        1,
        "never-due",
        WARNING,
        f"Nothing can ever fall due for {card.name}.",
        "Give the note a rhythm (every: month) or a next_contact, or say do_not_contact: true.",
    )


def _suspect(copy: Copy) -> Problem:
    return Problem(
        copy.path,
        1,
        1,
        "conflict-copy",
        WARNING,
        f"This seems to be a conflict copy of {copy.original}: it goes back to a text which that note had. As long as "
        "no id in both says so, each counts as a client of its own.",
        "See what differs with `notesync conflicts`, and merge it; or give each of the two an id of its own.",
    )


def find_health(session: Session, workspace: Workspace) -> Iterator[Health]:
    """How each part of the installation is."""
    from notesync.cli.health import find_watcher_health

    notes, clients = workspace.counts()
    yield Health(
        "vault", True, f"{workspace.root}: {format_count(notes, 'note')}, {format_count(clients, 'client')}"
    )
    yield from _settings_health(workspace)
    yield _index_health(workspace)
    if away := describe_away(workspace):
        hint = "In the sync app choose to keep the vault's folder on this device."
        yield Health("downloads", False, f"{away}.", hint)
    yield _calendar_health(session, workspace)
    yield from find_published_health(session, workspace)
    yield from find_watcher_health(workspace)


def _settings_health(workspace: Workspace) -> Iterator[Health]:
    if not os.path.exists(os.path.join(workspace.root, SETTINGS_NAME)):
        yield Health(
            "settings", True, f"no {SETTINGS_NAME}, so the defaults hold; 'notesync init' writes one"
        )
    elif any(problem.severity == ERROR for problem in workspace.settings_problems):
        yield Health(
            "settings",
            False,
            f"{SETTINGS_NAME} is wrong: the last good settings hold, else the defaults.",
            "Mend the lines named above; until then only doctor works, and watch leaves the calendar as it is.",
        )
    else:
        yield Health("settings", True, f"{SETTINGS_NAME} is good")
    if workspace.zone:
        yield Health("time zone", True, workspace.zone)
    else:
        yield Health(
            "time zone",
            False,
            f"not set, so this machine's counts ({find_zone() or time.tzname[0]}): other machines may differ.",
            f"Set timezone in {SETTINGS_NAME}, such as timezone: {find_zone() or 'Africa/Johannesburg'}",
        )


def _index_health(workspace: Workspace) -> Health:
    if workspace.notices:
        return Health(
            "index", False, " ".join(workspace.notices), "No answer is lost, but every run reads all notes."
        )
    return Health("index", True, workspace.index.path)


def _calendar_health(session: Session, workspace: Workspace) -> Health:
    name = workspace.settings.calendar_path
    try:
        with open(os.path.join(workspace.root, name), "rb") as file:
            found = file.read()
            written = time.strftime("%Y-%m-%d %H:%M", time.localtime(os.fstat(file.fileno()).st_mtime))
    except FileNotFoundError:
        return Health("calendar", True, f"{name} is not written yet; 'notesync sync' writes it")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Health("calendar", False, f"{name} cannot be read: {reason}.", "Check its permissions.")
    # As of another day, with broken settings, or from another machine, it may differ by right.
    ours = session.today is None and workspace.settings.calendar_machine == "any"
    if ours and not workspace.settings_problems and found != b"".join(workspace.feed()):
        return Health(
            "calendar",
            False,
            f"{name}, written {written}, is not current.",
            "Run 'notesync sync', or keep 'notesync watch' running.",
        )
    return Health("calendar", True, f"{name}, written {written}")
