"""Memory while very many messages are delivered: `python -m tests.benchmarks.delivered`.

E-mails with a template of HTML, its text and a link go into files of lines, which are deleted as
they come. Every so often it prints what the process that sends and those that write hold (resident,
in MiB), how much of it is the database's pages, how many objects Python has, and what they have
used of the processors. `--memory` is the database's `memory_limit`.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import threading
import time
from pathlib import Path

from tests.delivery.shop import make_shop

_TICKS = os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    """MiB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def used(process: int) -> float:
    """Seconds of the processors."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--writers", type=int, default=1)
    parser.add_argument("--every", type=int, default=100_000)
    parser.add_argument("--memory", default="1GB")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shop = make_shop(root, database=str(root / "base.duckdb"))
        shop.people(given.messages)
        shop.messages(range(1, given.messages + 1))
        shop.use(email={"provider": "file", "form": "lines"})
        shop.sql(f"SET memory_limit = '{given.memory}'")
        outbox = shop.outbox(scribes=given.writers)
        handled, told, done = 0, 0, threading.Event()
        begun, before = time.monotonic(), used(os.getpid())

        def clean() -> None:
            while not done.wait(1):
                for file in shop.files():
                    if not file.name.endswith(".part"):
                        file.unlink(missing_ok=True)

        def progress(more: int) -> None:
            nonlocal handled, told
            handled += more
            if handled - told < given.every:
                return
            told = handled
            assert outbox._scribes is not None
            writers = [one._process.pid for one in outbox._scribes._processes]
            mine = os.getpid()
            held = shop.one("SELECT sum(memory_usage_bytes) FROM duckdb_memory()") / 2**20
            print(
                f"{handled:>9,} messages, {time.monotonic() - begun:5.0f} s: sender"
                f" {resident(mine):.0f} MiB, of it {held:.0f} the database's pages,"
                f" {len(gc.get_objects()):,} objects,"
                f" {(used(mine) - before) / handled * 1e6:.0f} µs each;"
                f" writers {', '.join(f'{resident(one):.0f}' for one in writers)} MiB,"
                f" {sum(map(used, writers)) / handled * 1e6:.0f} µs each",
                flush=True,
            )

        cleaner = threading.Thread(target=clean)
        cleaner.start()
        try:
            accepted = outbox.deliver(now=shop.clock, progress=progress).accepted
        finally:
            done.set()
            cleaner.join()
        print(f"{accepted:,} accepted in {time.monotonic() - begun:.0f} s")
        shop.close()


if __name__ == "__main__":
    main()
