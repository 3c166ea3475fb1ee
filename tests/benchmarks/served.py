"""Events posted to `journey serve` at an even rate: how long answers take, and is all of it there.

    python -m tests.benchmarks.served --seconds 60 --rate 2000 --batch 10

Prints one line: events and requests, latencies in milliseconds, seconds of the server's CPU, and
rows in the database. In the middle the server is killed (`--kill`) and started again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.runtime.world import sql
from tests.serve.place import TOKEN, served, served_shop
from tests.serve.test_spool import started

CONNECTIONS = 16


@dataclass(slots=True)
class Load:
    """What was posted, and what came of it."""

    batch: int
    key: int = 1_000_000
    answered: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    lost: int = 0

    def request(self) -> tuple[list[int], bytes]:
        keys = list(range(self.key, self.key + self.batch))
        self.key += self.batch
        events = [{"event": "ordered", "key": k, "customer": 1 + k % 20} for k in keys]
        body = json.dumps(events).encode()
        head = (
            f"POST /events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return keys, head.encode() + body

    async def client(self, url: str, every: float, until: float, shift: float) -> None:
        place = urlsplit(url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        due = time.perf_counter() + shift
        try:
            while due < until:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                keys, request = self.request()
                # From when it was due: a queue before the client counts too.
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                await reader.readexactly(length)
                self.times.append(time.perf_counter() - due)
                if b" 202 " in head.splitlines()[0]:
                    self.answered += keys
                due += every
        except (OSError, asyncio.IncompleteReadError):
            self.lost += 1
        finally:
            writer.close()


async def run(load: Load, url: str, seconds: float, rate: float) -> None:
    every = CONNECTIONS * load.batch / rate
    until = time.perf_counter() + seconds
    await asyncio.gather(
        *(load.client(url, every, until, n * every / CONNECTIONS) for n in range(CONNECTIONS))
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2000)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--kill", action="store_true")
    asked = parser.parse_args()
    load = Load(asked.batch)
    with tempfile.TemporaryDirectory() as folder:
        root = served_shop(Path(folder))
        parts = 2 if asked.kill else 1
        for part in range(parts):
            process, url = started(root, "--run")
            asyncio.run(run(load, url, asked.seconds / parts, asked.rate))
            last = part == parts - 1
            process.send_signal(signal.SIGTERM if last else signal.SIGKILL)
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        with served(root) as server:
            server.settled()
        rows = {row[0] for row in sql(root, "SELECT id FROM shop.orders WHERE id >= 1000000")}
    times = sorted(load.times)
    print(
        f"{len(load.answered):,} events in {len(times):,} requests,"
        f" p50 {times[len(times) // 2] * 1000:.1f} ms,"
        f" p99 {times[len(times) * 99 // 100] * 1000:.1f} ms, max {times[-1] * 1000:.0f} ms;"
        f" server {used.ru_utime + used.ru_stime:.1f} s of CPU;"
        f" answered and not there: {len(set(load.answered) - rows)};"
        f" load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
