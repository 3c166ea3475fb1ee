"""A provider that fails at a few messages each time, and at nobody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from journeylang.delivery.breaker import FAILURES, Breaker
from journeylang.delivery.http import HttpProvider
from tests.delivery.shop import NOW, make_shop

PROVIDER = """name = "pingo"
kind = "http"
title = "Pingo"
channels = ["email"]
keyed = true
in_flight = 20

[request]
base = "https://api.pingo.example"
path = "/send"
headers = { Idempotency-Key = "{{ message.id }}" }
body = { id = "{{ message.id }}", to = "{{ message.to }}" }
"""


@contextmanager
def pingo(failing: set[str]) -> Iterator[str]:
    """Fails whatever goes to these."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(500 if body["to"] in failing else 202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        # Their connections are closed by then.
        server.server_close()
        thread.join()


def test_those_behind_them_have_their_turn(tmp_path: Path) -> None:
    (tmp_path / "providers" / "pingo").mkdir(parents=True)
    (tmp_path / "providers" / "pingo" / "provider.toml").write_text(PROVIDER)
    failing = {f"person{n}@example.com" for n in range(1, FAILURES + 2)}
    with pingo(failing) as url:
        shop = make_shop(tmp_path)
        shop.people(30)
        shop.messages(range(1, 31), expires=shop.now + timedelta(days=3))
        given = {"provider": "pingo", "base_url": url, "private": True, "connections": 1}
        shop.use(email={**given, "from": "a@b.example", "postal_address": "Acme"})
        provider = shop.channels["email"].provider
        assert isinstance(provider, HttpProvider)
        provider.breaker = Breaker(lambda: (shop.now - NOW) / timedelta(seconds=1))
        outbox = shop.outbox()
        for _ in range(12):
            outbox.deliver(now=shop.clock)
            shop.now += timedelta(minutes=20)
        assert shop.states() == {"accepted": 30 - len(failing), "retry": len(failing)}
        shop.close()
