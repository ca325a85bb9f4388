"""A refreshed workspace in, everything that is served out: one value, replaced as a whole.

The watcher's thread makes it and the server's only reads it, so neither waits for the other, and whatever fails
on the way to the next one, the last good one stays.  Must not know HTTP.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from notesync.serve.body import Body, build_body
from notesync.store.keys import Keys
from notesync.sync.owners import find_owners, spell_owner
from notesync.sync.pipeline import Selection

if TYPE_CHECKING:
    from notesync.followup.items import Agenda
    from notesync.serve.reviews import Reviews
    from notesync.sync.pipeline import Workspace

DAYS = 7  # that the page shows


class Owner(NamedTuple):
    """An owner in small letters, as people spell it, and the secret in the address of the feed; '' is all."""

    folded: str
    name: str
    secret: str


class Site(NamedTuple):
    """All that is served, as of one refresh: ``feeds`` by secret, what the page shows, and since when."""

    keys: Keys
    owners: tuple[Owner, ...]
    feeds: dict[str, Body]
    agenda: Agenda
    vault: str
    refreshed: datetime

    def find_feed(self, secret: str) -> Body | None:
        """The feed of a secret; how long it takes tells nothing of the secrets there are."""
        given = secret.encode("utf-8", "surrogatepass")
        found = None
        for known, body in self.feeds.items():
            if hmac.compare_digest(known.encode(), given):
                found = body
        return found


class Board:
    """What is served now: ``site``, and ``failure``, in words, while it cannot be brought up to date.

    ``patience`` is how many seconds a site may be old before it counts as stale though nobody said so: whoever
    should bring it up to date may be dead, or wait for a drive that does not answer.
    """

    reviews: Reviews | None = None  # who makes the review's pages; without them there is none

    def __init__(self, site: Site, failure: str = "", patience: float = 240.0) -> None:
        self.site = site
        self.failure = failure
        self.patience = patience

    def find_failure(self, now: float) -> str:
        """What keeps the site from being current, in words; '' while it is."""
        if self.failure or now - self.site.refreshed.timestamp() <= self.patience:
            return self.failure
        return "the notes have not been looked at for some time. Start notesync again."


def build_owners(workspace: Workspace, keys: Keys) -> tuple[Owner, ...]:
    """Everybody's feed first, then each owner's, whose secret gives away no other's."""
    named = ((owner, spell_owner(workspace, owner)) for owner in find_owners(workspace))
    return (
        Owner("", "", keys.feed),
        *(Owner(folded, name, keys.derive(f"feed {folded}")) for folded, name in named),
    )


def _go_on() -> None:
    pass


def build_site(
    workspace: Workspace,
    keys: Keys,
    now: datetime,
    before: Site | None = None,
    pause: Callable[[], None] = _go_on,
) -> Site:
    """Everything that is served, from a workspace that was just refreshed; ``before`` spares what is the same.

    ``pause`` is called every few milliseconds, and may raise.
    """
    owners = build_owners(workspace, keys)
    old = before.feeds if before is not None else {}
    found = workspace.feeds((owner.folded,) if owner.folded else () for owner in owners)
    feeds = {
        owner.secret: build_body(_join(chunks, pause), now.timestamp(), old.get(owner.secret))
        for owner, chunks in zip(owners, found, strict=True)
    }
    pause()
    vault = workspace.settings.obsidian_vault or os.path.basename(workspace.root)
    return Site(keys, owners, feeds, _read_agenda(workspace, pause), vault, now)


def renew_site(workspace: Workspace, before: Site, now: datetime, pause: Callable[[], None] = _go_on) -> Site:
    """The same site where no note and no setting changed and the day is the same: only hours may have passed."""
    return before._replace(agenda=_read_agenda(workspace, pause), refreshed=now)


def _join(chunks: Iterator[bytes], pause: Callable[[], None]) -> bytes:
    joined = []
    for chunk in chunks:
        joined.append(chunk)
        pause()
    return b"".join(joined)


def _read_agenda(workspace: Workspace, pause: Callable[[], None]) -> Agenda:
    return workspace.agenda(Selection(upcoming=DAYS - 1), pause)
