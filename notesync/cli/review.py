"""``review``: the rep's look in the mirror, to a terminal, as a note, a page, JSON or CSV."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

import click

from notesync.cli.filters import Filters, owner_option, tell_unknown
from notesync.cli.new import require_vault
from notesync.cli.session import (
    FORMATS,
    Progress,
    Session,
    command,
    find_width,
    has_color,
    pass_session,
    pick_format,
    today_option,
)
from notesync.problems import UsageError, find_nearest

if TYPE_CHECKING:
    from notesync.followup.period import Period
    from notesync.followup.review import Review
    from notesync.sync.pipeline import Workspace


@command(
    examples=(
        "notesync review",
        "notesync review --period last-month --owner Naledi",
        "notesync review --period 2026-Q4 --format html",
        "notesync review --why follow-ups",
        "notesync review --period month --write",
    )
)
@click.option(
    "--period",
    "words",
    metavar="PERIOD",
    help="week, month, quarter or year: the current one so far; last-month and the like: the newest complete one; or "
    "2026-W47, 2026-11, 2026-Q4, 2026. Default: month.",
)
@click.option("--from", "first", metavar="DATE", help="Any days instead: the first of them.")
@click.option("--to", "last", metavar="DATE", help="The last of them. Default: today.")
@owner_option
@today_option
@click.option("--why", metavar="FIGURE", help="List the notes and lines behind a figure, like follow-ups.")
@click.option("--write", is_flag=True, help="Put the review into the vault, as a note in Reviews.")
@click.option(
    "--format",
    "form",
    type=click.Choice((*FORMATS, "md", "html")),
    metavar="|".join((*FORMATS, "md", "html")),
    help="md: Markdown, for a note. html: one page with charts. Default: a table on a terminal, lines elsewhere.",
)
@pass_session
def review(
    session: Session,
    words: str | None,
    first: str | None,
    last: str | None,
    owners: tuple[str, ...],
    why: str | None,
    write: bool,
    form: str | None,
) -> None:
    """Look back: what was due against what was logged.

    Five questions, answered from the notes for a period and compared with the one before: objectives, what could
    have been better, what was learned, whether each sale was followed up, whether clients are kept informed. A period
    that has not ended is compared with as many days of the one before. docs/review.md says what each figure means,
    and --why lists what is behind it. With --write the review becomes a note in the vault: of one that is there only
    the figures are made anew, and what a person wrote stays. 'notesync undo' takes it back.
    """
    with session.open() as workspace:
        figure = _find_figure(why) if why else None
        period = _find_period(words, first, last, workspace.moment.day)
        _require_one_wish(session, write, why, form)
        session.refresh(workspace)
        found = _build(session, workspace, period, owners)
        if write:
            require_vault(session, workspace)
            _write(session, workspace, found)
        elif figure is not None:
            session.write(_render_why(workspace, found, figure, form))
        else:
            session.write(_render(workspace, found, pick_format(form)))
        session.tell_first_steps(workspace)
        tell_unknown(session, workspace, Filters(owners))
        session.tell_problem_count(workspace)


def _find_figure(wanted: str) -> str:
    """The name of a figure.  Raises UsageError with the nearest, else with all."""
    from notesync.followup.figures import BY_NAME

    name = wanted.strip().casefold().replace("_", "-").replace(" ", "-")
    if name in BY_NAME:
        return name
    near = find_nearest(name, BY_NAME)
    mend = f"Did you mean '{near}'?" if near else f"The figures are: {', '.join(BY_NAME)}."
    raise UsageError(f"unknown-figure: no figure is called '{wanted}'. {mend}")


def _require_one_wish(session: Session, write: bool, why: str | None, form: str | None) -> None:
    """Raise UsageError for options that contradict one another."""
    if write and (why or form):
        raise UsageError(
            "bad-options: --write writes the note and prints nothing: leave --why and --format away."
        )
    if write and session.today is not None:
        raise UsageError(
            "bad-options: what is written is as of today: leave --today away, and name the --period."
        )
    if why and form in ("md", "html"):
        raise UsageError("bad-options: --why lists lines: choose the format table, lines, json or csv.")


def _find_period(words: str | None, first: str | None, last: str | None, today: date) -> Period:
    """The days asked for.  Raises UsageError for words that name none, or only days to come."""
    from notesync.followup.period import build_range, parse_period

    if first is None and last is None:
        found = parse_period(words or "month", today)
        if found is None:
            raise UsageError(
                f"bad-period: '{words}' is no period. Write week, month, quarter or year, last-month and the like, or "
                "2026-W47, 2026-11, 2026-Q4, 2026; other days with --from and --to."
            )
    else:
        if words is not None:
            raise UsageError("bad-period: give either --period or --from and --to.")
        if first is None:
            raise UsageError("bad-period: --to needs --from: on which day does it begin?")
        start, end = _parse_day(first, "--from"), _parse_day(last, "--to") if last else today
        if end < start:
            raise UsageError(
                f"bad-period: it ends on {end}, before it begins on {start}. Exchange the two days."
            )
        found = build_range(start, end)
    if found.first > today:
        raise UsageError(f"bad-period: {found.label} lies ahead, and there is nothing to look back on yet.")
    return found


def _parse_day(text: str, option: str) -> date:
    from notesync.followup.dates import YEARS, parse_date

    found = parse_date(text)
    if found is None or found.day.year not in YEARS:
        raise UsageError(f"bad-date: {option} '{text}' is no day. Write it like 2026-11-22.")
    return found.day


def _build(session: Session, workspace: Workspace, period: Period, owners: tuple[str, ...]) -> Review:
    from notesync.sync.reviewing import review_period

    progress = Progress() if sys.stderr.isatty() else None
    try:
        return review_period(workspace, period, owners, progress)
    finally:
        if progress is not None:
            progress.close()


def _render(workspace: Workspace, found: Review, form: str) -> Iterable[str]:
    if form in ("json", "csv"):
        from notesync.publish import review_data

        return (
            review_data.render_review_json(found, workspace.root)
            if form == "json"
            else review_data.render_review_csv(found)
        )
    if form == "md":
        from notesync.publish.review_note import render_review_markdown

        return render_review_markdown(found)
    if form == "html":
        from notesync.publish.review_page import render_review_page

        return render_review_page(found)
    from notesync.publish import review_table

    if form == "lines":
        return review_table.render_review_lines(found)
    return review_table.render_review_table(found, find_width(), has_color(), has_blocks())


def _render_why(workspace: Workspace, found: Review, name: str, form: str | None) -> Iterable[str]:
    from notesync.publish import review_data

    lines = found.now[name].lines
    if form == "json":
        return review_data.render_why_json(found, name, workspace.root)
    if form == "csv":
        return review_data.render_why_csv(name, lines)
    return review_data.render_why_lines(found, name)


def has_blocks() -> bool:
    """Whether stdout shows more than ASCII: a terminal that is not a plain one, in a world of UTF-8."""
    if not sys.stdout.isatty() or os.environ.get("TERM") in ("dumb", "vt100", "linux"):
        return False
    if os.name == "nt":
        return bool(os.environ.get("WT_SESSION") or os.environ.get("TERM_PROGRAM"))
    told = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    return told.casefold().replace("-", "").endswith("utf8")


def _write(session: Session, workspace: Workspace, found: Review) -> None:
    from notesync.sync.review_note import write_review

    steps, path = write_review(workspace, found)
    session.keep_change(step.path for step in steps)
    if not steps:
        session.write([f"{path}: the figures are as they were.\n"])
        return
    done = "made" if steps[0].before is None else "the figures are new, the answers as they were"
    session.write([f"{path}: {done}. 'notesync undo' takes that back.\n"])
    workspace.refresh()
