"""A client's follow-ups and the attempts of the log in, the follow-ups as the attempts leave them out.

An attempt settles nothing.  It is counted, it puts off what was open until another is worth making, and after so
many in vain the follow-ups give way to one that asks for a decision.  Nothing here reads a note or knows a today.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from notesync.followup.follow_up import (
    Context,
    FollowUp,
    Past,
    choose_channel,
    is_contact,
    name_day,
    plan_minutes,
)
from notesync.followup.intervals import Interval, add_interval
from notesync.followup.promises import order_log

if TYPE_CHECKING:
    from notesync.followup.client import Client
    from notesync.notes.body import Entry

_OWED = ("promise", "complaint")  # stay, however hard to reach the client is
_DECISION = (
    "agree on a new next_contact, pause (paused_until), note the loss (lost) "
    "or withdraw quietly (do_not_contact)"
)


def apply_attempts(
    follow_ups: list[FollowUp], client: Client, context: Context, tried: list[Entry]
) -> list[FollowUp]:
    """The follow-ups with the attempts counted on those that are contacts; too many, and those become one.

    What is owed stays, and so does work on a desk: that needs nobody to answer.
    """
    if not tried or not follow_ups:
        return follow_ups
    told = _describe(client, tried)
    marked = [_mark(found, context, tried, told) if _is_reach(found) else found for found in follow_ups]
    if not is_given_up(context, tried):
        return marked
    replaced = [found for found in marked if _is_reach(found) and found.kind not in _OWED]
    if not replaced:
        return marked
    kept = [found for found in marked if not _is_reach(found) or found.kind in _OWED]
    return [*kept, _build_pursuit(client, context, tried, told, replaced)]


def is_given_up(context: Context, tried: Sequence[Entry]) -> bool:
    """Whether so many attempts were in vain that a decision is asked for."""
    return len(tried) >= context.settings.give_up_after


def find_attempts(client: Client, past: Past) -> list[Entry]:
    """The attempts since the last contact, or since it was decided how to go on, up to a day; oldest first."""
    as_of, last = past.as_of, past.logged
    # Of most clients the days alone say that no attempt is newer than the last contact.
    for entry in client.log:
        if entry.attempt and (last is None or entry.day >= last):
            break
    else:
        return []
    if _is_decided(client):
        return []
    tried: list[Entry] = []
    for entry in order_log(client.log):
        if entry.day > as_of:
            break
        if entry.attempt:
            tried.append(entry)
        else:
            tried.clear()
    restart = max(_find_restarts(client, as_of), default=None)
    return [entry for entry in tried if restart is None or entry.day > restart]


def _is_decided(client: Client) -> bool:
    """Whether it was decided without a day to hold the decision against: a pause without end, a stage."""
    return client.paused or (client.stage == "lost" and "lost" not in client.anchors)


def _find_restarts(client: Client, as_of: date) -> Iterator[date]:
    """Days up to which attempts no longer count: of contacts outside the log, and of what was decided."""
    for task in client.tasks:
        if task.done is not None and task.done <= as_of and is_contact(task):
            yield task.done
    for dated in (client.last_contact, client.anchors.get("lost")):
        if dated is not None and dated.day <= as_of:
            yield dated.day
    # On the very day agreed, or that a pause ends, the client is called again: that attempt counts.
    for dated in (client.next_contact, client.paused_until):
        if dated is not None:
            yield dated.day - timedelta(1)


def _is_reach(found: FollowUp) -> bool:
    """Whether it takes reaching the client: no desk work."""
    return found.contact and found.kind != "task" and found.step != "paperwork"


def _mark(found: FollowUp, context: Context, tried: list[Entry], told: str) -> FollowUp:
    last = tried[-1].day
    # What opened only later was not tried in vain.
    was_open = found.opens is None or found.opens <= last
    return found._replace(
        attempts=len(tried),
        retry_on=_find_retry(found, context, last) if was_open else None,
        reason=f"{found.reason}; {told}",
    )


def _find_retry(found: FollowUp, context: Context, last: date) -> date:
    if found.kind in _OWED or found.minute is not None:
        return context.calendar.after(last, 1)
    return _add_wait(context, last)


def _add_wait(context: Context, day: date) -> date:
    wait = Interval(*context.settings.retry_after)
    return context.calendar.on_or_after(add_interval(day, wait, context.calendar))


def _build_pursuit(
    client: Client, context: Context, tried: list[Entry], told: str, replaced: list[FollowUp]
) -> FollowUp:
    """The one follow-up of a client who cannot be reached, in place of all that is not owed."""
    first = replaced[0]
    last = tried[-1].day
    count = f"; in place of {len(replaced)} follow-ups" if len(replaced) > 1 else ""
    opens = context.calendar.on_or_after(last)
    return FollowUp(
        opens=opens,
        due=max(opens, _add_wait(context, last)),
        minute=None,
        contact=True,
        rule="pursue",
        kind="pursue",
        step=None,
        occasion=tried[0].day.isoformat(),
        title="Hard to reach: decide how to go on",
        reason=f"{told}; {_DECISION}{count}",
        path=first.path,
        line=first.line,
        channel=next(iter(_find_others(client, tried)), ""),
        minutes=plan_minutes(client, context),
        wanted=0,
        attempts=len(tried),
    )


# --- In words --------------------------------------------------------------------------------------------


def _describe(client: Client, tried: list[Entry]) -> str:
    """``tried 2 times since Thu 12 Nov 2026 by call; try email``."""
    day = name_day(tried[0].day)
    words = f"tried once on {day}" if len(tried) == 1 else f"tried {len(tried)} times since {day}"
    by = " and ".join(_find_tried(tried))
    others = " or ".join(_find_others(client, tried))
    return f"{words}{f' by {by}' if by else ''}{f'; try {others}' if others else ''}"


def _find_tried(tried: list[Entry]) -> list[str]:
    return list(dict.fromkeys(entry.channel for entry in tried if entry.channel))


def _find_others(client: Client, tried: list[Entry]) -> list[str]:
    """Ways to reach the client that were not tried: those they like, else those that their details allow."""
    # Where no attempt says how it was made, it was most likely the way the client wishes.
    closed = {*client.not_by, *(_find_tried(tried) or [choose_channel(client)])}
    liked = [channel for channel in client.contact_by if channel not in closed]
    if liked:
        return liked
    known = [*(("call", "message") if client.phones else ()), *(("email",) if client.emails else ())]
    return [channel for channel in known if channel not in closed]
