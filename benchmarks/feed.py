"""Measure how fast a calendar of some 10,000 events is made, beside icalendar's own way: ratios of one run.

    python benchmarks/feed.py [--rounds 9] [--notes 4000]

It needs the run-time libraries and some 50 MB of disk.  The notesync measured is the checkout that this file
stands in.  The peer, ``icalendar.Calendar.to_ical``, gets the very events that we made, read and ready to be written.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1]))

from icalendar import Calendar
from make_notes import TODAY, write_vault

from notesync.followup.agenda import Moment
from notesync.publish.calendar import build_events, render_calendar
from notesync.sync import kept_events
from notesync.sync.pipeline import Workspace, open_workspace


def time_them(rounds: int, *cases: Callable[[], object]) -> list[float]:
    """Median seconds of each case, run in turn after one round that is not counted."""
    times: list[list[float]] = [[] for _ in cases]
    for round_ in range(rounds + 1):
        for number, run in enumerate(cases):
            gc.collect()
            start = time.perf_counter()
            run()
            if round_:
                times[number].append(time.perf_counter() - start)
    return [statistics.median(each) for each in times]


def bench_rendering(workspace: Workspace, rounds: int) -> tuple[int, float]:
    """All events from their follow-ups, words and all; how many they are, and the peer's seconds."""
    first, last = TODAY.toordinal() - 90, TODAY.toordinal() + 550
    work = list(
        kept_events._find_work(workspace, workspace.index.without_event(first, last, kept_events._SHOWN))
    )
    settings = workspace.settings

    def render() -> bytes:
        events = build_events(work, settings)
        return b"".join(render_calendar(settings, "", (event.body for event in events)))

    theirs = Calendar.from_ical(render())
    count = len(theirs.events)
    ours, peer = time_them(rounds, render, theirs.to_ical)
    print(f"{count:,} events rendered (icalendar's Calendar.to_ical {peer * 1000:.0f} ms)")
    report(
        "ours, from the follow-ups", ours, f"{peer / ours:.1f} times as fast", "at least 3", peer / ours >= 3
    )
    return count, peer


def bench_change(workspace: Workspace, clients: list[Path], rounds: int, peer: float) -> None:
    """From an index that has taken in a save to the calendar file replaced."""
    times, wholes = [], []
    for round_ in range(rounds + 1):
        save(clients[round_ * 37], round_)
        workspace.refresh()
        gc.collect()
        start = time.perf_counter()
        published = workspace.publish()
        seconds = time.perf_counter() - start
        if not published.changed:
            raise SystemExit("a save changed nothing in the calendar")
        workspace.published = None
        (Path(workspace.root) / "followups.ics").unlink()
        start = time.perf_counter()
        workspace.publish()
        if round_:
            times.append(seconds)
            wholes.append(time.perf_counter() - start)
    print(f"the calendar file, {published.events:,} events")
    change, whole = statistics.median(times), statistics.median(wholes)
    report("after one change", change, f"{peer / change:.0f} times as fast", "at most 15 ms", change <= 0.015)
    report("written anew from events made before", whole, f"{peer / whole:.0f} times as fast", "", True)


def save(note: Path, number: int) -> None:
    text = note.read_text(encoding="utf-8")
    soon = TODAY + timedelta(days=5 + number)
    note.write_text(f"{text}\n- [ ] send the papers {number} 📅 {soon}\n", encoding="utf-8")


def report(what: str, seconds: float, ratio: str, limit: str, is_well: bool) -> None:
    print(
        f"  {what:<40} {seconds * 1000:8.1f} ms   {ratio:<20} {limit:<14} {'ok' if is_well else 'TOO SLOW'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--notes", type=int, default=4000)
    options = parser.parse_args()
    gc.disable()  # as the commands do
    with tempfile.TemporaryDirectory(prefix="notesync-benchmark-") as place:
        clients = write_vault(Path(place, "vault"), options.notes)
        vault, cache = str(Path(place, "vault")), str(Path(place, "cache"))
        with open_workspace(vault, lambda _zone: Moment(TODAY, 600), cache=cache) as workspace:
            workspace.refresh()
            _, peer = bench_rendering(workspace, options.rounds)
            workspace.publish()
            bench_change(workspace, clients, options.rounds, peer)


if __name__ == "__main__":
    main()
