"""The review of the current month as a page, made when somebody asks for it, once for each state of the notes.

It reads every client's note, so it has a workspace of its own in the thread of whoever asks: neither the watcher nor
those who fetch a calendar wait for it, and of several who ask at once one makes it.  Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from notesync.serve.body import Body, build_body

if TYPE_CHECKING:
    from notesync.followup.agenda import Moment
    from notesync.serve.board import Owner, Site

POLICY = "default-src 'none'; style-src '{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Reviews:
    """The pages of one site: ``clock`` gives the moment in a zone, as for every workspace."""

    def __init__(self, root: str, clock: Callable[[str], Moment]) -> None:
        self._root = root
        self._clock = clock
        self._lock = Lock()
        self._feeds: dict[str, Body] | None = None  # another object with every change of the notes
        self._made: dict[str, Body] = {}

    def find_page(self, site: Site, owner: Owner) -> Body:
        """An owner's page ('' is everybody's).  Raises NotesyncError and OSError where the notes cannot be read."""
        with self._lock:
            if self._feeds is not site.feeds:
                self._feeds, self._made = site.feeds, {}
            found = self._made.get(owner.folded)
            if found is None:
                data = self._render(owner.name).encode("utf-8", "replace")
                found = self._made[owner.folded] = build_body(data, site.refreshed.timestamp())
            return found

    def _render(self, owner: str) -> str:
        from notesync.followup.period import parse_period
        from notesync.publish.review_page import render_review_page
        from notesync.sync.pipeline import open_workspace
        from notesync.sync.reviewing import review_period

        with open_workspace(self._root, self._clock, tolerant=True) as workspace:
            workspace.refresh()
            period = parse_period("month", workspace.moment.day)
            if period is None:
                raise LookupError("month")
            review = review_period(workspace, period, (owner,) if owner else ())
        return "".join(render_review_page(review))


def build_policy() -> str:
    """The Content-Security-Policy under which the page's own style is drawn, and nothing else."""
    from notesync.publish.review_page import find_style_source

    return POLICY.format(find_style_source())
