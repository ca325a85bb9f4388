"""Measure whether a crowd keeps ``notesync serve`` from its work: its watcher, its memory, and honest clients.

    python benchmarks/serve.py [--notes 2000] [--saves 60] [--keep DIR]

A thousandth part of a second apart a conditional request comes in, every other one is spared: 500 a second, beside 200
clients of whom some only connect, some send a request letter by letter, and some read the calendar a few bytes a second
and never get to its end.  The saves with the crowd are compared with those without, in one run.  Some two minutes;
Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import Bench, report_limit, watch_save

RATE = 500  # conditional requests a second
HONEST = 20  # connections that carry them
IDLE, LETTERS, DEAF = 80, 60, 60  # clients that only connect, that write slowly, that read slowly


class Crowd:
    """All the clients, in a process of their own."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        self._tag = ""
        self.seconds: list[float] = []
        self.failed = 0

    async def come(self, duration: float) -> None:
        slow = [
            *(self._again(self._idle) for _ in range(IDLE)),
            *(self._again(self._write_slowly) for _ in range(LETTERS)),
            *(self._again(self._read_slowly) for _ in range(DEAF)),
        ]
        others = [asyncio.create_task(each) for each in slow]
        await asyncio.sleep(2)
        print("here", flush=True)
        await asyncio.gather(*(self._ask(number, duration) for number in range(HONEST)))
        for other in others:
            other.cancel()

    async def _ask(self, number: int, duration: float) -> None:
        """One honest client's share of the requests, at its own times, on one connection."""
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        start = loop.time() + number / RATE
        for turn in range(int(duration * RATE / HONEST)):
            await asyncio.sleep(start + turn * HONEST / RATE - loop.time())
            asked = loop.time()
            try:
                writer.write(f"{self._request}If-None-Match: {self._tag}\r\n\r\n".encode())
                await self._read_answer(reader)
            except (OSError, EOFError):
                self.failed += 1
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            else:
                self.seconds.append(loop.time() - asked)
        writer.close()

    async def _read_answer(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        if not head[0].startswith(("HTTP/1.1 200", "HTTP/1.1 304")):
            raise EOFError(head[0])
        self._tag = headers["etag"]
        await reader.readexactly(int(headers.get("content-length", "0")))

    async def _again(self, behave) -> None:  # type: ignore[no-untyped-def]
        """One who comes back whenever the server has had enough of them."""
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(OSError), socket.socket() as sock:
                sock.setblocking(False)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                await loop.sock_connect(sock, ("127.0.0.1", self._port))
                await behave(loop, sock)
            await asyncio.sleep(0.1)

    async def _idle(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        await loop.sock_recv(sock, 1)

    async def _write_slowly(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        for letter in self._request * 100:
            await loop.sock_sendall(sock, letter.encode())
            await asyncio.sleep(1)

    async def _read_slowly(self, loop: asyncio.AbstractEventLoop, sock: socket.socket) -> None:
        await loop.sock_sendall(sock, f"{self._request}\r\n".encode())
        while await loop.sock_recv(sock, 128):
            await asyncio.sleep(1)


def bring_crowd(port: int, path: str, duration: float) -> None:
    crowd = Crowd(port, path)
    asyncio.run(crowd.come(duration))
    crowd.seconds.sort()
    print(json.dumps({"seconds": crowd.seconds, "failed": crowd.failed}))


class Served:
    """A running ``notesync serve``."""

    def __init__(self, bench: Bench) -> None:
        with socket.create_server(("127.0.0.1", 0)) as sock:
            self.port = sock.getsockname()[1]
        urls = bench.command("serve", "--urls", "--port", str(self.port))
        lines = subprocess.run(urls, env=bench.environment, capture_output=True, text=True, check=True).stdout
        self.path = "/" + lines.split("\n")[1].split()[0].split("/", 3)[3]
        self.process = subprocess.Popen(
            bench.command("serve", "--port", str(self.port)),
            env=bench.environment, stderr=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip
        while "serving" not in self.process.stderr.readline():  # type: ignore[union-attr]
            if self.process.poll() is not None:
                raise SystemExit("serve did not start")
        os.set_blocking(self.process.stderr.fileno(), False)  # type: ignore[union-attr]

    def measure_memory(self) -> float:
        """What it holds, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def end(self) -> float:
        """Ask it to end; how long it took."""
        start = time.perf_counter()
        self.process.terminate()
        self.process.wait(30)
        return time.perf_counter() - start


def save_some(bench: Bench, numbers: range) -> list[float]:
    return sorted(watch_save(bench, number) for number in numbers)


def save_among_crowd(
    bench: Bench, served: Served, numbers: range
) -> tuple[list[float], dict[str, list[float]]]:
    """The delays of saves while a crowd is there, and how its honest clients fared."""
    duration = len(numbers) * 0.45 + 5
    crowd = subprocess.Popen(
        [sys.executable, __file__, "--crowd", str(served.port), served.path, str(duration)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    crowd.stdout.readline()  # type: ignore[union-attr]
    delays = save_some(bench, numbers)
    told, _ = crowd.communicate(timeout=120)
    return delays, json.loads(told)


def find_percentile(values: list[float], part: float) -> float:
    return values[math.ceil(part * len(values)) - 1]


def bench_serve(place: Path, options: argparse.Namespace) -> None:
    bench = Bench(place, options.notes)
    bench.settle()
    served = Served(bench)
    count = options.saves
    try:
        save_some(bench, range(10))
        alone = save_some(bench, range(10, 10 + count))
        save_among_crowd(bench, served, range(1000, 1000 + count))  # what a first crowd costs, it costs once
        before = served.measure_memory()
        among, honest = save_among_crowd(bench, served, range(2000, 2000 + count))
        after = served.measure_memory()
    finally:
        ended = served.end()
    seconds = honest["seconds"]
    print(
        f"serve, {options.notes:,} notes, {RATE} conditional requests a second "
        f"beside {IDLE + LETTERS + DEAF} slow clients"
    )
    print(f"  save to calendar, median: {statistics.median(alone) * 1000:.1f} ms alone, "
          f"{statistics.median(among) * 1000:.1f} ms in the crowd")  # fmt: skip
    print(f"  honest clients: {len(seconds):,} answers, median {statistics.median(seconds) * 1000:.1f} ms")
    report_limit("median save, crowd by alone", statistics.median(among) / statistics.median(alone), "x", 2)
    report_limit(
        "slowest tenth, crowd by alone", find_percentile(among, 0.9) / find_percentile(alone, 0.9), "x", 2.5
    )
    report_limit("answers, 99th percentile", find_percentile(seconds, 0.99) * 1000, "ms", 250)
    report_limit("requests refused or broken off", honest["failed"], "", 0)
    report_limit("memory, after by before", after / before, "x", 1.1)
    report_limit("memory", after, "MB", 150)
    report_limit("from being asked to its end", ended, "s", 2)


def main() -> None:
    if sys.argv[1:2] == ["--crowd"]:
        bring_crowd(int(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notes", type=int, default=2000)
    parser.add_argument("--saves", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="keep the vault here, and use the one that is there")
    options = parser.parse_args()
    place = options.keep or Path(tempfile.mkdtemp(prefix="notesync-benchmark-"))
    place.mkdir(parents=True, exist_ok=True)
    try:
        bench_serve(place, options)
    finally:
        if options.keep is None:
            shutil.rmtree(place)


if __name__ == "__main__":
    main()
