"""A shop that is served: people who have got a message, and a server on loopback."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from journeylang.delivery.links import Links
from journeylang.serve.app import Serving, application
from journeylang.serve.listening import config, listen
from journeylang.serve.opening import opened
from tests.runtime.world import HOUR, NOW, loaded, make, sql
from tests.runtime.world import opened as running

TOKEN = "a-token-of-the-site"
KEY = "a key that signs links"
ENVIRON = {"INTAKE_TOKEN": TOKEN, "LINK_KEY": KEY}
BASE = "https://news.shop.example"
SERVE = f"""base_url = "{BASE}"
link_key = "env:LINK_KEY"

[env.dev.serve]
token = "env:INTAKE_TOKEN"
events = ["signed_up", "ordered"]
"""


def served_shop(root: Path, engine: str = "duckdb", *, number: int = 20, more: str = "") -> Path:
    """A project on its database; everybody has signed up, and got their first message."""
    make(root, number=number, engine=engine)
    config = (root / "journey.toml").read_text()
    (root / "journey.toml").write_text(f"{config}{SERVE}{more}")
    with running(root, now=NOW, environ=ENVIRON) as runtime:
        for hours in (1, 2):
            runtime.tick(NOW + hours * HOUR)
        assert runtime.deliver(NOW + 2 * HOUR).accepted
    return root


def messages(root: Path, channel: str = "email") -> dict[int, str]:
    """The public name of each customer's first message."""
    rows = sql(
        root,
        "SELECT customer_id, min(message) FROM journey.messages"
        f" WHERE channel = '{channel}' GROUP BY customer_id ORDER BY customer_id",
    )
    return dict(rows)


@dataclass(slots=True)
class Served:
    """A server that answers at `url`."""

    root: Path
    serving: Serving
    client: httpx.Client

    @property
    def links(self) -> Links:
        return self.serving.links

    def post(self, events: Any, **headers: str) -> httpx.Response:
        given = {"authorization": f"Bearer {TOKEN}"} | headers
        return self.client.post("/events", json=events, headers=given)

    def path(self, url: str) -> str:
        """A link of a message, as this server is asked for it."""
        return url.removeprefix(BASE)

    def settled(self) -> None:
        """Wait until everything that was taken in is in the database."""
        keeper, since = self.serving.keeper, time.monotonic()

        def settled() -> bool:
            looked = keeper.drained_at is not None and keeper.drained_at > since
            closed = keeper.keeps or keeper._taker is None
            return looked and closed and not keeper.drain.waiting()

        eventually(settled)

    def count(self, name: str, value: str) -> int:
        return self.serving.metrics.value(f"journey_{name}_total", value)


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


@contextmanager
def served(
    root: Path, *, head: float = 10.0, follows: float = 1e12, **options: Any
) -> Iterator[Served]:
    """The shop's server, in this process, on a port of its own.

    It looks for later applies every `follows` seconds: never, for a DuckDB file is open once in a
    process, and what a test asks it comes in between.
    """
    found = opened(loaded(root), "dev", environ=ENVIRON, **options)
    assert found.value is not None, found.diagnostics
    serving = found.value
    serving.keeper.every = 0.05
    serving.keeper.follows = follows
    serving.spool.open()
    serving.keeper.start()
    listening = listen("127.0.0.1", 0)
    server = uvicorn.Server(config(application(serving), serving.metrics, head=head))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    port = listening.getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            client.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"
            made = Served(root, serving, client)
            made.settled()
            yield made
    finally:
        server.should_exit = True
        thread.join(30)
        serving.keeper.stop()
        serving.spool.close()
        listening.close()
