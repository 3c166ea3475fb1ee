"""Processes that only deliver, beside one that ticks: one rate, and nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from journeylang.delivery.claimed import CLAIM
from tests.runtime.world import CONFIG, HOUR, NOW, address, make, opened, sql

SRC = Path(__file__).parents[2] / "src"
RATE = 40
"""Messages a second, of both together."""

PROVIDER = """name = "pingo"
kind = "http"
title = "Pingo"
channels = ["email", "sms"]
keyed = false
in_flight = 20

[request]
base = "https://api.pingo.example"
path = "/send"
body = { id = "{{ message.id }}", to = "{{ message.to }}" }
"""


@contextmanager
def pingo() -> Iterator[tuple[str, list[tuple[float, str, int]]]]:
    """A server that takes everything: (when, whose message, from which process's port) of each."""
    got: list[tuple[float, str, int]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            at = time.monotonic()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((at, json.loads(body)["id"], self.client_address[1]))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def decided(root: Path, url: str, people: int) -> int:
    """A shop whose messages are decided; how many. Two batches of a few fill a claim."""
    make(root, number=people, engine="postgres")
    settings = f'base_url = "{url}", private = true, rate = "{RATE}/s", from = "a@b.example"'
    given = f'{{ provider = "pingo", postal_address = "Acme, 10115 Berlin", {settings} }}'
    config = CONFIG.replace("shop.duckdb", address(root)).replace(
        'channels = { email = "file", sms = "file" }',
        f"writers = 0\nchannels = {{ email = {given}, sms = {given} }}",
    )
    (root / "journey.toml").write_text(config, encoding="utf-8")
    (root / "providers" / "pingo").mkdir(parents=True)
    (root / "providers" / "pingo" / "provider.toml").write_text(PROVIDER, encoding="utf-8")
    with opened(root, now=NOW) as runtime:
        runtime.tick(NOW + HOUR)
    sql(
        root,
        "DELETE FROM journey.message WHERE channel <> (SELECT min(channel) FROM journey.message);"
        "UPDATE journey.message SET batch_id = 1000 + abs(message_id % 16);"
        "DELETE FROM journey.batch;"
        "INSERT INTO journey.batch (batch_id, decided_at, messages, done, token)"
        f" SELECT batch_id, min(decided_at), {CLAIM // 2}, FALSE, 0"
        " FROM journey.message GROUP BY batch_id",
    )
    ((count,),) = sql(root, "SELECT count(*) FROM journey.message")
    return int(count)


def delivering(root: Path) -> subprocess.Popen[str]:
    at = f"{NOW + HOUR:%Y-%m-%dT%H:%M}"
    return subprocess.Popen(
        [sys.executable, "-m", "journeylang", "run", "dev", "--no-tick", "--now", at],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(SRC)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_share_a_rate(tmp_path: Path) -> None:
    with pingo() as (url, got):
        count = decided(tmp_path, url, 640)
        assert count > 200
        # One that ticks has the lease all the while; nobody who only delivers asks for it.
        with opened(tmp_path, now=NOW + HOUR):
            processes = [delivering(tmp_path) for _ in range(2)]
            said = [one.communicate(timeout=240)[0] for one in processes]
    assert [one.returncode for one in processes] == [0, 0], said
    delivered = [int(line.split()[0]) for line in said]
    assert sum(delivered) == count == len(got), said
    assert min(delivered) > 0, "one has done it all"
    assert len({name for _, name, _ in got}) == count, "something was sent twice"
    lasted = max(at for at, _, _ in got) - min(at for at, _, _ in got)
    # Each by itself would be done in half the time.
    assert lasted >= 0.85 * count / RATE
    states = sql(tmp_path, "SELECT DISTINCT state FROM journey.messages")
    assert states == [("accepted",)]
    twice = sql(
        tmp_path,
        "SELECT message_id FROM journey.receipt WHERE state = 'submitting'"
        " GROUP BY message_id HAVING count(*) > 1",
    )
    assert twice == []
