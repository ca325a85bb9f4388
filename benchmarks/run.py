"""Measure notesync against its peers: whole processes, interleaved in one run, printed as ratios.

    python benchmarks/run.py [check] [saved] [cold] [latency] [memory]     (default: all)
        [--rounds 7] [--saves 120] [--keep DIR]

It needs the run-time libraries, Linux or macOS, and some 500 MB of disk for ``memory``.  The notesync measured
is the checkout that this file stands in.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from make_notes import TODAY, make_client, write_vault

HOME = Path(__file__).parents[1]
BARE = [sys.executable, "-c", "pass"]
NOTESYNC = [sys.executable, "-c", "from notesync.cli import main; main()"]
FRONTMATTER = """
import frontmatter, os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        if name.endswith(".md"):
            frontmatter.load(os.path.join(folder, name))
"""


class Bench:
    """A made-up vault with a cache of its own, and the commands that are measured on it."""

    def __init__(self, place: Path, notes: int) -> None:
        self.notes = notes
        self.vault = place / f"vault-{notes}"
        self.calendar = self.vault / "followups.ics"
        self.cache = place / f"cache-{notes}"
        self.environment = os.environ | {
            "PYTHONPATH": str(HOME),
            "XDG_CACHE_HOME": str(self.cache),
            "XDG_STATE_HOME": str(self.cache / "state"),
        }
        if not self.vault.exists():
            print(f"writing {notes:,} notes ...", file=sys.stderr)
            write_vault(self.vault, notes)
        self.clients = sorted((self.vault / "Clients").rglob("*.md"))

    def command(self, *arguments: str) -> list[str]:
        return [*NOTESYNC, *arguments, "--vault", str(self.vault)]

    def run(self, command: list[str]) -> tuple[float, float]:
        """Run to the end; return seconds and peak memory in MB."""
        with tempfile.TemporaryFile() as errors:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.DEVNULL, stderr=errors, cwd=self.vault.parent
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode not in (0, 1):
                errors.seek(0)
                raise SystemExit(f"{command} ended with {process.returncode}: {errors.read().decode()}")
        return seconds, usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)

    def forget(self) -> None:
        """Back to a vault that notesync never saw."""
        shutil.rmtree(self.cache, ignore_errors=True)
        self.calendar.unlink(missing_ok=True)

    def save_one(self) -> None:
        """Save one note, and wait until its time alone proves that it changed no more."""
        note = random.choice(self.clients)
        note.write_text(note.read_text(encoding="utf-8") + "\nOne more line.\n", encoding="utf-8")
        os.utime(note, (1_700_000_000, 1_700_000_000 + random.randrange(10**6)))

    def settle(self) -> None:
        """Index everything, until nothing is so fresh that it would be read again."""
        self.run(self.command("sync"))
        time.sleep(2.1)
        self.run(self.command("check"))


def measure(rounds: int, *cases: tuple[Callable[[], None], Callable[[], tuple[float, float]]]) -> list[float]:
    """Median seconds of each case, run in turn ``rounds`` times after one run that is not counted."""
    times: list[list[float]] = [[] for _ in cases]
    for round_ in range(rounds + 1):
        for number, (prepare, run) in enumerate(cases):
            prepare()
            seconds, _ = run()
            if round_:
                times[number].append(seconds)
    return [statistics.median(each) for each in times]


def nothing() -> None:
    pass


def report(what: str, seconds: float, base: float, most: float) -> None:
    ratio = seconds / base
    verdict = "ok" if ratio <= most else "TOO SLOW"
    print(f"  {what:<44} {seconds * 1000:9.1f} ms   {ratio:6.2f} x   at most {most:g}   {verdict}")


def report_limit(what: str, value: float, unit: str, most: float) -> None:
    verdict = "ok" if value <= most else "TOO MUCH"
    print(f"  {what:<44} {value:9.2f} {unit:<4} {'':11} at most {most:g}   {verdict}")


def bench_check(place: Path, options: argparse.Namespace) -> None:
    small, large = Bench(place, 1_000), Bench(place, 10_000)
    small.settle()
    large.settle()
    bare, few, many = measure(
        max(options.rounds, 15),
        (nothing, lambda: large.run(BARE)),
        (nothing, lambda: small.run(small.command("check"))),
        (nothing, lambda: large.run(large.command("check"))),
    )
    print(f"check, nothing changed (bare Python {bare * 1000:.1f} ms)")
    report("1,000 notes", few, bare, 5)
    report("10,000 notes", many, bare, 9)


def bench_saved(place: Path, options: argparse.Namespace) -> None:
    bench = Bench(place, 10_000)
    bench.settle()
    bare, saved = measure(
        max(options.rounds, 15),
        (nothing, lambda: bench.run(BARE)),
        (bench.save_one, lambda: bench.run(bench.command("check"))),
    )
    print(f"check after one saved note (bare Python {bare * 1000:.1f} ms)")
    report("10,000 notes", saved, bare, 12)


def bench_cold(place: Path, options: argparse.Namespace) -> None:
    bench = Bench(place, 10_000)
    loop, sync, index = measure(
        options.rounds,
        (nothing, lambda: bench.run([sys.executable, "-c", FRONTMATTER, str(bench.vault)])),
        (bench.forget, lambda: bench.run(bench.command("sync"))),
        (bench.forget, lambda: bench.run(bench.command("check"))),
    )
    print(f"cold, 10,000 notes (a loop of frontmatter.load {loop * 1000:.0f} ms)")
    report("sync: index and calendar", sync, loop, 2)
    report("check: index only", index, loop, 1)


def bench_latency(place: Path, options: argparse.Namespace) -> None:
    bench = Bench(place, 10_000)
    bench.settle()
    watcher = subprocess.Popen(
        bench.command("watch"), env=bench.environment, stderr=subprocess.PIPE, cwd=place, text=True, bufsize=1
    )
    with watcher:
        try:
            watcher.stderr.readline()  # type: ignore[union-attr]
            os.set_blocking(watcher.stderr.fileno(), False)  # type: ignore[union-attr]
            ticks = [watch_save(bench, number) for number in range(options.saves)]
            many = max(watch_many(bench, 500, round_) for round_ in range(3))
        finally:
            watcher.terminate()
    ticks.sort()
    print(f"watch, 10,000 notes: from a save to the calendar ({len(ticks)} saves)")
    report_limit("median", statistics.median(ticks) * 1000, "ms", 150)
    report_limit("99th percentile", ticks[math.ceil(0.99 * len(ticks)) - 1] * 1000, "ms", 400)
    report_limit("500 notes at once, the slowest of three", many * 1000, "ms", 1000)


def watch_save(bench: Bench, number: int) -> float:
    """Save a note, in place or by replacing it, and wait for its words to be in the calendar."""
    note = bench.clients[(number * 37) % len(bench.clients)]
    mark = f"saved-{number}-{os.getpid()}"
    text = make_urgent(number, mark)
    if number % 2:
        temporary = note.with_name(f".{note.name}.tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(note)
    else:
        note.write_text(text, encoding="utf-8")
    seconds = wait_for_calendar(bench, [mark])
    time.sleep(random.uniform(0.05, 0.35))
    return seconds


def watch_many(bench: Bench, count: int, round_: int) -> float:
    marks = [f"many-{round_}-{number}-{os.getpid()}" for number in range(count)]
    for number, mark in enumerate(marks):
        bench.clients[number].write_text(make_urgent(number, mark), encoding="utf-8")
    seconds = wait_for_calendar(bench, marks)
    time.sleep(1)
    return seconds


def make_urgent(number: int, mark: str) -> str:
    """A client note whose next contact is soon, and bears a mark that the calendar will show."""
    chance = random.Random(number)
    text = make_client(number + 1_000_000, chance, action=mark)
    soon = TODAY + timedelta(days=10)
    return "\n".join(
        f"next_contact: {soon}" if line.startswith("next_contact") else line for line in text.split("\n")
    )


def wait_for_calendar(bench: Bench, marks: list[str]) -> float:
    """Seconds from now until the calendar holds every mark."""
    start = time.perf_counter()
    seen = None
    while time.perf_counter() - start < 30:
        now = bench.calendar.stat()
        found = time.perf_counter()
        if (now.st_ino, now.st_mtime_ns) != seen:
            seen = now.st_ino, now.st_mtime_ns
            text = bench.calendar.read_bytes().replace(b"\r\n ", b"")
            if all(mark.encode() in text for mark in marks):
                return found - start
        time.sleep(0.001)
    raise SystemExit(f"the calendar never held {marks[0]}")


def bench_memory(place: Path, options: argparse.Namespace) -> None:
    sizes = (1_000, 10_000, 100_000)
    cold, warm, peak = {}, {}, {}
    for size in sizes:
        bench = Bench(place, size)
        runs = []
        for _ in range(1 if size > 10_000 else 7):
            bench.forget()
            runs.append(bench.run(bench.command("sync")))
        cold[size] = statistics.median(seconds for seconds, _ in runs)
        time.sleep(2.1)
        checks = [bench.run(bench.command("check")) for _ in range(8)]
        warm[size] = statistics.median(seconds for seconds, _ in checks[1:])
        peak[size] = max(memory for _, memory in runs + checks)
    print("memory and growth")
    print(f"  cold sync: {', '.join(f'{size:,}: {cold[size]:.2f} s' for size in sizes)}")
    print(f"  check:     {', '.join(f'{size:,}: {warm[size]:.3f} s' for size in sizes)}")
    report_limit("peak at 10,000 notes", peak[10_000], "MB", 80)
    report_limit("peak at 100,000 notes", peak[100_000], "MB", 150)
    report_limit("exponent of cold sync, 1,000 to 100,000", grow(cold), "", 1.1)
    report_limit("exponent of check, 1,000 to 100,000", grow(warm), "", 1.1)


def grow(seconds: dict[int, float]) -> float:
    """The exponent e of notes ** e between the smallest and the largest size."""
    small, large = min(seconds), max(seconds)
    return math.log(seconds[large] / seconds[small]) / math.log(large / small)


BENCHES = {
    "check": bench_check,
    "saved": bench_saved,
    "cold": bench_cold,
    "latency": bench_latency,
    "memory": bench_memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benches", nargs="*", metavar="BENCH", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--saves", type=int, default=120)
    parser.add_argument("--keep", type=Path, help="keep the vaults here, and use those that are there")
    options = parser.parse_args()
    if unknown := set(options.benches) - set(BENCHES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    place = options.keep or Path(tempfile.mkdtemp(prefix="notesync-benchmark-"))
    place.mkdir(parents=True, exist_ok=True)
    try:
        for name in options.benches or BENCHES:
            BENCHES[name](place, options)
            sys.stdout.flush()
    finally:
        if options.keep is None:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
