"""How many messages go out in a second, by the clock: `python -m tests.benchmarks.steady`.

E-mails with a template of HTML, its text and a link go to a sink in a process of its own, one
process sends and one writes. Counted is from the first receipts to the last ones, so that neither
the start of the writing process nor the making of the messages is in it; beside it stand what each
process has used of the processors for a message, the machine's load, and what 20,000,000 turns of
a bare loop take.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from journeylang.delivery.channels import open_channels
from tests.benchmarks.delivered import used
from tests.delivery.mail_sink import mail_sink_apart
from tests.delivery.shop import make_shop
from tests.delivery.sink import sink_apart

HTTP = {"sendgrid": "api_key", "postmark": "server_token"}
KINDS = ("files", "lines", "mbox", *HTTP, "smtp", "smtp-one")


@contextmanager
def channel(kind: str) -> Iterator[tuple[dict[str, object], int | None]]:
    """The settings of a channel, and the process on its other side."""
    sender: dict[str, object] = {"from": "a@b.example"}
    if kind in HTTP:
        with sink_apart() as (process, url):
            yield (
                sender | {"provider": kind, HTTP[kind]: "env:K", "base_url": url, "private": True},
                process,
            )
    elif kind in ("smtp", "smtp-one"):
        with mail_sink_apart(pipelining=kind == "smtp") as (process, port):
            yield sender | {"provider": "smtp", "host": "127.0.0.1", "port": port}, process
    else:
        yield {"provider": "file", "form": "each" if kind == "files" else kind}, None


def loop() -> float:
    """Seconds of the processor, of a loop outside of functions."""
    begun = time.process_time()
    exec("s = 0\nfor i in range(20_000_000): s += i", {})  # noqa: S102
    return time.process_time() - begun


def run(kind: str, messages: int, root: Path) -> str:
    """One line of figures."""
    shop = make_shop(root, database=str(root / "base.duckdb"))
    shop.people(messages)
    shop.messages(range(1, messages + 1))
    told: list[tuple[int, float, list[float]]] = []
    with channel(kind) as (settings, other):
        outcome = open_channels({"email": settings}, root=root, environment={"K": "x"})
        assert outcome.value is not None, outcome.diagnostics
        shop.channels = outcome.value
        outbox = shop.outbox(scribes=1)

        def progress(more: int) -> None:
            assert outbox._scribes is not None
            writer = sum(used(one._process.pid) for one in outbox._scribes._processes)
            sink = used(other) if other is not None else 0.0
            told.append((more, time.perf_counter(), [time.process_time(), writer, sink]))

        assert outbox.deliver(now=shop.clock, progress=progress).accepted == messages
        shop.close()
    many = sum(more for more, _, _ in told[1:])
    each = [(b - a) / many * 1e6 for a, b in zip(told[0][2], told[-1][2], strict=True)]
    wall = told[-1][1] - told[0][1]
    slowest = max(b[1] - a[1] for a, b in pairwise(told))
    return (
        f"{kind}: {many / wall:,.0f} a second by the clock, {many:,} messages; of the processors"
        f" {sum(each):.0f} µs: sender {each[0]:.0f}, writer {each[1]:.0f}, sink {each[2]:.0f};"
        f" longest gap {slowest * 1000:.0f} ms; load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--messages", type=int, default=150_000)
    given = parser.parse_args()
    print(f"a loop of 20,000,000 turns takes {loop():.2f} s", flush=True)
    for kind in given.kinds:
        with tempfile.TemporaryDirectory() as folder:
            print(run(kind, given.messages, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
