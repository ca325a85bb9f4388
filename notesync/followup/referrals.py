"""A client whom somebody referred in, the first call to them out: soon, and with thanks to who sent them.

Nothing here reads a note or knows a today.  The referrer's own note is another client's and not looked at: the
title says whom to thank.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from notesync.followup.follow_up import Context, FollowUp, Past, choose_channel, name_day, plan_minutes

if TYPE_CHECKING:
    from notesync.followup.client import Client

_WORKDAYS = 2
_KNOWN_STAGES = frozenset(("customer", "lost", "dormant"))  # nobody comes there without a contact


def find_referral(client: Client, context: Context, past: Past) -> Iterator[FollowUp]:
    """The first contact with somebody who was referred, within two working days.

    None once there was a contact, nor while one is agreed, which then is that call.  It counts from the later of
    the vault's first day and the note's, so that a new vault does not begin with calls years overdue.
    """
    if not client.referred_by or client.paused or _is_known(client, past):
        return
    first = _find_first_day(client, context, past.as_of)
    opens, due = _find_window(client, context, first)
    verb = "Reach" if "call" in client.not_by else "Call"
    since = f", known since {name_day(first)}" if first else ""
    yield FollowUp(
        opens=opens,
        due=due,
        minute=None,
        contact=True,
        rule="referral",
        kind="referral",
        step=None,
        occasion=client.referred_by,
        title=f"{verb} {client.name}, referred by {client.referred_by}; then thank {client.referred_by}",
        reason=f"referred by {client.referred_by}{since}, no contact yet",
        path=client.path,
        line=1,
        channel=choose_channel(client),
        minutes=plan_minutes(client, context),
        wanted=0,
    )


def _is_known(client: Client, past: Past) -> bool:
    """Whether there was a contact, even if only a quote, sale or loss tells of it, or one is agreed."""
    if client.next_contact is not None or client.stage in _KNOWN_STAGES:
        return True
    if any(anchor.day <= past.as_of for anchor in client.anchors.values()):
        return True
    return past.contact is not None


def _find_first_day(client: Client, context: Context, as_of: date) -> date | None:
    """The later of the vault's first day and the note's: of its making, or of the log's oldest attempt."""
    days = [entry.day for entry in client.log if entry.day <= as_of]
    if client.created is not None:
        days.append(client.created.day)
    own = min(days, default=None)
    if own is None or context.since is None:
        return own or context.since
    return max(own, context.since)


def find_first_window(client: Client, context: Context, as_of: date) -> tuple[date | None, date | None]:
    """The window of the first call to somebody who was referred, also when it was made long ago."""
    free = client._replace(paused_until=None)
    return _find_window(free, context, _find_first_day(client, context, as_of))


def _find_window(client: Client, context: Context, first: date | None) -> tuple[date | None, date | None]:
    """From the first day on, or from the end of a pause; without a day where neither is known."""
    pause = client.paused_until
    if pause is not None and (first is None or first < pause.day):
        first = pause.day
    if first is None:
        return None, None
    return context.calendar.on_or_after(first), context.calendar.after(first, _WORKDAYS)
