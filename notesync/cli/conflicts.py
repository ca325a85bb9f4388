"""``conflicts``: what sync programs have kept twice, what differs, and making one note of it again.

In: words that name copies, and answers.  Out: lists, one case in full, notes merged.  What a merge makes of versions
is in ``notes/versions``; here words become copies, keys and answers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from notesync.cli.asking import is_asking_possible
from notesync.cli.session import (
    Command,
    Family,
    Session,
    dry_run_option,
    find_width,
    has_color,
    pass_session,
    pick_format,
    shared_options,
)
from notesync.notes.note import normalise_key
from notesync.problems import OvertakenError, RefusedError, UsageError
from notesync.publish import conflicts as words
from notesync.publish.text import clean
from notesync.store.cases import ASKS, MERGES, NOTHING_NEW, Case
from notesync.sync.pipeline import Workspace

if TYPE_CHECKING:
    from notesync.notes.versions import Asked

FORMATS = ("table", "lines", "json")

form_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    metavar="|".join(FORMATS),
    help="Default: a table on a terminal, lines elsewhere.",
)


def _complete_copies(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    from notesync.cli.complete import complete_copies

    return complete_copies(ctx, incomplete)


@shared_options
@click.group(
    cls=Family,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND] [ARGS]...",
    examples=("notesync conflicts", "notesync conflicts --format json"),
)
@form_option
@pass_session
@click.pass_context
def conflicts(ctx: click.Context, session: Session, form: str | None) -> int:
    """List conflict copies of notes, and what differs.

    When a note was changed on two devices before either heard of the other, sync programs keep both, one of them under
    another name. Each such copy is listed with the note that it is a copy of, the machine that its name tells of, how
    much differs, and what a merge would do. So are notes with the marks (<<<<<<<) of a merge that git left unfinished.
    Exit code 1: one is left to merge.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    with session.open() as workspace:
        session.refresh(workspace)
        cases = workspace.read_conflicts({})
        session.write(_render_list(workspace, cases, pick_format(form)))
        left = [case for case in cases if case.open]
        session.tell(_describe_next(left))
    return 1 if left else 0


def _render_list(workspace: Workspace, cases: Sequence[Case], form: str) -> Iterable[str]:
    if form == "json":
        return words.render_cases_json(cases, workspace.root)
    if form == "lines":
        return words.render_cases_lines(cases)
    from notesync.publish.sheet import render_outline

    return render_outline(words.outline_cases(cases), find_width(), has_color())


def _describe_next(left: Sequence[Case]) -> str:
    total = words.describe_totals(left)
    if any(case.state in (MERGES, NOTHING_NEW) for case in left):
        return (
            f"{total}. 'notesync conflicts merge' merges what is not in doubt, 'notesync undo' takes it back"
        )
    return f"{total}. 'notesync conflicts show' says more" if left else total


@conflicts.command(
    cls=Command,
    examples=("notesync conflicts show imraan", "notesync conflicts show imraan --format json"),
)
@click.argument("copy", metavar="COPY", shell_complete=_complete_copies)
@form_option
@shared_options
@pass_session
def show(session: Session, copy: str, form: str | None) -> None:
    """Show one conflict copy: what differs, and what a merge would do.

    Field by field and log entry by log entry, then tasks and all other text; whether it is known what both versions
    come from; and what a merge would ask. COPY is the file, its note, or a part of its name that fits one note alone.
    """
    with session.open() as workspace:
        session.refresh(workspace)
        cases = _choose(workspace, workspace.read_conflicts({}), [copy], {})
        session.write(_render_one(workspace, cases, pick_format(form)))


def _render_one(workspace: Workspace, cases: Sequence[Case], form: str) -> Iterable[str]:
    if form == "json":
        return words.render_cases_json(cases, workspace.root)
    if form == "lines":
        return (line for case in cases for line in words.render_case_lines(case))
    from notesync.publish.sheet import render_outline

    rows = (row for case in cases for row in words.outline_case(case))
    return render_outline(rows, find_width(), has_color())


# --- Which copies ----------------------------------------------------------------------------------------


def _choose(
    workspace: Workspace, cases: Sequence[Case], wanted: Sequence[str], answers: dict[str, str]
) -> list[Case]:
    """The cases that the words name, with no other copies than those: all for no words.  Raises UsageError."""
    if not wanted:
        return list(cases)
    files: set[str] = set()
    for each in wanted:
        files.update(_find_files(workspace, cases, each))
    return workspace.read_conflicts(answers, files)


def _find_files(workspace: Workspace, cases: Sequence[Case], wanted: str) -> set[str]:
    """The copies that are meant: the file of that path or name, else all copies of a note."""
    place = _find_place(workspace, wanted)
    copies = [sheet.copy.path for case in cases for sheet in case.sheets]
    for path in copies:
        if path in (place, wanted):
            return {path}
    named = [path for path in copies if path.rpartition("/")[2] == wanted]
    if len(named) == 1:
        return set(named)
    found = [case for case in cases if case.path in (place, wanted)]
    found = found or [case for case in cases if _is_name(case, wanted)]
    found = found or [case for case in cases if _fits(case, wanted)]
    if len(found) == 1:
        return {found[0].path, *(sheet.copy.path for sheet in found[0].sheets)}
    return _fail(cases, found, wanted)


def _fail(cases: Sequence[Case], found: Sequence[Case], wanted: str) -> set[str]:
    """Raise UsageError for words that name no copy, or copies of several notes."""
    if found:
        listed = "".join(f"\n  {clean(case.path)}" for case in found)
        raise UsageError(
            f"ambiguous-copy: '{wanted}' fits copies of several notes. Give more of the name:{listed}"
        )
    listed = "".join(f"\n  {clean(sheet.copy.path)}" for case in cases for sheet in case.sheets)
    there = f"There are:{listed}" if listed else "There is none at all."
    raise UsageError(f"unknown-copy: no conflict copy is called '{wanted}'. {there}")


def _is_name(case: Case, wanted: str) -> bool:
    name = os.path.splitext(case.path.rpartition("/")[2])[0]
    return name.casefold() == wanted.casefold()


def _fits(case: Case, wanted: str) -> bool:
    parts = wanted.casefold().split()
    names = [case.path, *(sheet.copy.path for sheet in case.sheets)]
    return any(all(part in name.casefold() for part in parts) for name in names)


def _find_place(workspace: Workspace, wanted: str) -> str:
    """The vault-relative path of what was named as seen from the folder we are in."""
    place = os.path.abspath(wanted)
    inside = place.startswith(os.path.join(workspace.root, ""))
    return (os.path.relpath(place, workspace.root) if inside else wanted).replace(os.sep, "/")


# --- Merging ---------------------------------------------------------------------------------------------


def _read_answers(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for value in values:
        key, sign, word = value.partition("=")
        key = normalise_key(key.strip()).replace("text_", "text-")
        if not sign or not key or not word.strip():
            raise click.BadParameter(
                f"'{value}' is no answer. Write it like next_contact=note or text-1=both."
            )
        if answers.setdefault(key, word.strip()) != word.strip():
            raise click.BadParameter(f"'{key}' is answered twice. Leave one out.")
    return answers


@conflicts.command(
    cls=Command,
    examples=(
        "notesync conflicts merge --dry-run",
        "notesync conflicts merge imraan --take next_contact=later",
    ),
)
@click.argument("copies", metavar="[COPY]...", nargs=-1, shell_complete=_complete_copies)
@click.option(
    "--take",
    "answers",
    metavar="KEY=WHICH",
    multiple=True,
    callback=_read_answers,
    help="Answer what a merge asks: next_contact=note, =copy, =earlier, =later, or the value itself; text-1=both.",
)
@click.option(
    "--yes", is_flag=True, help="Merge also files that only look like copies: their names prove nothing."
)
@dry_run_option
@shared_options
@pass_session
def merge(
    session: Session, copies: tuple[str, ...], answers: dict[str, str], yes: bool, dry_run: bool
) -> int:
    """Merge conflict copies into their notes.

    All of them, or those named. What either side has added is in the note afterwards, and the copy is gone; earlier
    texts are kept, and 'notesync undo' brings both back. What only a person can say, such as which of two dates for
    next_contact holds, is asked for on a terminal or answered by --take; until it is, note and copies stay as they
    are. A key's answer is 'note', 'copy' (or copy-1, copy-2 ...), 'earlier' or 'later', or one of the values; for a
    place in the text 'note', 'copy' or 'both'. Exit code 1: something was merged, something is left; 4: nothing was.
    """
    with session.open() as workspace:
        session.refresh(workspace)
        cases = _choose(workspace, workspace.read_conflicts(answers), copies, answers)
        cases = [case for case in cases if case.open]
        _require_meant(cases, answers)
        if is_asking_possible() and not dry_run:
            cases = [_ask(workspace, case, dict(answers)) for case in cases]
        ready = [case for case in cases if _is_ready(session, case, answers, yes, dry_run)]
        left = [case for case in cases if case not in ready]
        if dry_run:
            _show_diff(session, workspace, ready)
        else:
            left += _carry_out(session, workspace, ready)
        if not cases:
            session.write([f"{words.describe_totals([])}\n"])
        done = len(ready) > sum(case in ready for case in left)
    if not left:
        return 0
    return 1 if done else RefusedError.exit_code


def _require_meant(cases: Sequence[Case], answers: dict[str, str]) -> None:
    """Raise UsageError for an answer that nothing asks for, or that no version has."""
    for case in cases:
        for key in case.unmeant:
            options = next((_list_options(each) for each in case.asked if each.key == key), "")
            raise UsageError(f"unknown-answer: {key}={answers[key]} fits nothing in {case.path}. {options}")
    if len(cases) > 1 and any(key.startswith("text-") for key in answers):
        raise UsageError("several-notes: places in the text are counted in each note: name the copy as well.")
    for key in answers:
        if all(key in case.unused for case in cases):
            raise UsageError(
                f"no-question: nothing asks for '{key}'. 'notesync conflicts show' says what is asked."
            )


def _list_options(asked: Asked) -> str:
    listed = ", ".join(f"{label}: {value}" for label, value in asked.options) if not asked.is_text else ""
    labels = " or ".join(label for label, _ in asked.options)
    return f"Write one of: {listed}." if listed else f"Write {labels} or both."


def _is_ready(session: Session, case: Case, answers: dict[str, str], yes: bool, dry_run: bool) -> bool:
    """Whether a case can be merged and may be; says why not."""
    if case.result is None:
        session.tell(f"Not merged: {words.describe_left(case)}")
        if case.state == ASKS:
            command = f"  notesync conflicts merge {words.render_command(case, answers)}"
            session.tell(*words.render_asked(case), command, f"  {words.describe_answers(case)}")
        return False
    if case.sure or yes:
        return True
    names = ", ".join(sheet.copy.path for sheet in case.sheets if not sheet.copy.sure)
    if is_asking_possible() and not dry_run:
        return click.confirm(
            f"{clean(names)} may be a note of its own. Merge it into {clean(case.path)}?", err=True
        )
    session.tell(
        f"Not merged: {names}: it may be a note of its own. If it is a copy of {case.path}, say --yes."
    )
    return False


def _show_diff(session: Session, workspace: Workspace, ready: Sequence[Case]) -> None:
    from notesync.publish.receipt import render_diff
    from notesync.sync.merging import plan_merge

    for case in ready:
        session.write(render_diff(plan_merge(workspace.vault, case)))


def _carry_out(session: Session, workspace: Workspace, ready: Sequence[Case]) -> list[Case]:
    """Merge each; those that could not be."""
    from notesync.notes.differences import compare
    from notesync.sync.merging import find_wait

    wait = find_wait(workspace.vault, [path for case in ready for path in case.files])
    if wait:
        session.tell(
            f"Waiting {wait:.0f} seconds: a sync program may be at work, something was saved just now."
        )
        workspace.pause(wait)
    left = _store(session, workspace, ready)
    for case in ready:
        if case not in left:
            assert case.result is not None
            came = compare(None, case.data or b"", case.result, case.path, workspace.settings.log_headings)
            session.write([f"{words.describe_done(case, came)}\n"])
            session.tell(*words.describe_left_out(case, _find_left_out(workspace, case)))
    if len(left) < len(ready):
        workspace.refresh()
    return left


def _find_left_out(workspace: Workspace, case: Case) -> list[str]:
    """What a merge leaves out of what was there; nothing of marks, and of notes that are written anew."""
    from notesync.followup.client import is_made
    from notesync.notes.differences import find_left_out
    from notesync.notes.note import parse_note

    assert case.result is not None
    if case.marked is not None or is_made(parse_note(case.result, case.path)):
        return []
    versions = [
        *([] if case.data is None else [case.data]),
        *(sheet.data for sheet in case.sheets if not sheet.done),
    ]
    return find_left_out(versions, case.result, case.path, workspace.settings.log_headings)


def _store(session: Session, workspace: Workspace, ready: Sequence[Case]) -> list[Case]:
    """Merge all as one command, so that one undo takes it back; those where that is refused, which are left out."""
    if not ready:
        return []
    try:
        session.keep_change(step.path for step in workspace.merge(ready))
    except OvertakenError:  # it was made all the same
        raise
    except RefusedError as error:
        if len(ready) > 1:
            return _store_some(session, workspace, ready)
        session.tell_error(str(error))
        return list(ready)
    return []


def _store_some(session: Session, workspace: Workspace, ready: Sequence[Case]) -> list[Case]:
    """Merge each for itself, still as one command; those where that is refused."""
    left: list[Case] = []
    for number, case in enumerate(ready):
        try:
            steps = workspace.merge([case], some=True, more=number > len(left))
            session.keep_change(step.path for step in steps)
        except OvertakenError:
            raise
        except RefusedError as error:
            session.tell_error(str(error))
            left.append(case)
    return left


def _ask(workspace: Workspace, case: Case, answers: dict[str, str]) -> Case:
    """The case with its questions answered, as far as somebody does."""
    while case.state == ASKS:
        for asked in case.asked:
            answer = _ask_one(case, asked)
            if not answer:
                return case
            answers[asked.key] = answer
        (case,) = workspace.read_conflicts(answers, case.files)
    return case


def _ask_one(case: Case, asked: Asked) -> str:
    """The label of the version that counts, 'both', or '' to leave it."""
    click.echo(f"{clean(case.path)}: {clean(asked.key)}", err=True)
    choices = [*asked.options, *([("both", "")] if asked.is_text else [])]
    for number, (label, value) in enumerate(choices, 1):
        shown = (
            "".join(f"\n     {line}" for line in words.list_lines(asked, value))
            if asked.is_text
            else clean(value)
        )
        click.echo(f"{number:>3}  {label}: {shown}" if shown else f"{number:>3}  {label}", err=True)
    click.echo("  0  neither: leave note and copy as they are", err=True)
    number = click.prompt("Which one", type=click.IntRange(0, len(choices)), err=True)
    return choices[number - 1][0] if number else ""
