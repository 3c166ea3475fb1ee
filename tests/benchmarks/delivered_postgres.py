"""Several workers and one PostgreSQL: `python -m tests.benchmarks.delivered_postgres`.

Each is a process with one that writes beside it, and what they hand over goes into files of lines.
Told is what a message takes of the processors: of the workers, those that write, and the server.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

from journeylang.delivery.channels import open_channels
from journeylang.delivery.outbox import DeliveryConfig, Outbox
from journeylang.engines.postgres import PostgresEngine
from journeylang.loading.project import load
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from tests.benchmarks.on_postgres import server_seconds
from tests.delivery.shop import NOW, TEMPLATES, make_shop
from tests.engines.server import new_database

TABLES = """CREATE SCHEMA crm; CREATE SCHEMA shop;
CREATE TABLE crm.customers (customer_id VARCHAR PRIMARY KEY, tz VARCHAR, lang VARCHAR,
  email VARCHAR, mobile VARCHAR, first_name VARCHAR, points INTEGER);
CREATE TABLE crm.consents (customer_id VARCHAR, changed_at TIMESTAMP, status VARCHAR);
CREATE INDEX ON crm.consents (customer_id);
CREATE TABLE shop.orders (order_id VARCHAR, customer_id VARCHAR, placed_at TIMESTAMP,
  total DECIMAL(18,4))"""


def fill(engine: PostgresEngine, messages: int) -> None:
    """What a tick leaves: runs, messages and their batches."""
    rows = f"FROM generate_series(1, {messages}) AS r(i)"
    at = "TIMESTAMP '2026-03-02 09:00'"
    (journey, step) = engine.query(
        "SELECT journey, step FROM journey.step WHERE path LIKE '%hello'"
    )[0]
    for statement in (
        f"""INSERT INTO crm.customers SELECT 'c' || i, 'Europe/Berlin', 'de-DE',
  'person' || i || '@example.com', '+4915100' || i, 'Jürgen ' || i, i {rows}""",
        f"INSERT INTO crm.consents SELECT 'c' || i, TIMESTAMP '2026-01-01', 'opt_in' {rows}",
        f"""INSERT INTO journey.run (customer_id, run_id, journey, version, step, arrived_at,
  entered_at, status, entry, passes)
SELECT 'c' || i, i, {journey}, 1, {step}, {at}, {at}, 0, '{{"total": 12.5}}', 0 {rows}""",
        f"""INSERT INTO journey.message (customer_id, message_id, batch_id, run_id, journey,
  version, step, occurrence, channel, counted, decided_at, expires_at)
SELECT 'c' || i, i, i / 500 + 1, i, {journey}, 1, {step}, 1, 'email', TRUE, {at},
  {at} + INTERVAL '7 days' {rows}""",
        f"""INSERT INTO journey.batch (batch_id, decided_at, messages, done, token)
SELECT batch_id, {at}, count(*), FALSE, 0 FROM journey.message GROUP BY batch_id""",
        "ANALYZE",
    ):
        engine.execute(statement)


def work(
    root: Path,
    url: str,
    gate: multiprocessing.synchronize.Event,
    told: multiprocessing.Queue[tuple[int, float, float]],
) -> None:
    project = load(root).outcome.value
    assert project is not None
    engine = PostgresEngine.open(url)
    session = prepare(engine, project.project, now=NOW)
    assert isinstance(session, Session)
    channels = open_channels(
        {"email": {"provider": "file", "form": "lines"}, "sms": "file"}, root=root, environment={}
    ).value
    assert channels is not None
    config = DeliveryConfig(channels=channels, templates=TEMPLATES, link_key=b"0" * 32, scribes=1)
    outbox = Outbox(engine, project.project, session.ready.program, config)
    gate.wait()
    before = time.process_time()
    accepted = outbox.deliver(now=lambda: NOW).accepted
    spent = time.process_time() - before
    outbox.close()
    engine.close()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told.put((accepted, spent, used.ru_utime + used.ru_stime))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_shop(root).close()
        url = new_database()
        engine = PostgresEngine.open(url)
        for statement in TABLES.split(";"):
            engine.execute(statement)
        project = load(root).outcome.value
        assert project is not None
        assert isinstance(prepare(engine, project.project, now=NOW), Session)
        fill(engine, given.messages)
        context = multiprocessing.get_context("spawn")
        gate, told = context.Event(), context.Queue()
        workers = [
            context.Process(target=work, args=(root, url, gate, told)) for _ in range(given.workers)
        ]
        for one in workers:
            one.start()
        time.sleep(5)
        server, begun = server_seconds(), time.monotonic()
        gate.set()
        results = [told.get() for _ in workers]
        seconds = time.monotonic() - begun
        server = server_seconds() - server
        for one in workers:
            one.join()
        [(accepted,)] = engine.query(
            "SELECT count(*) FROM journey.receipt WHERE state = 'accepted'"
        )
        [(twice,)] = engine.query(
            "SELECT count(*) - count(DISTINCT message_id) FROM journey.receipt"
            " WHERE state = 'accepted'"
        )
        engine.close()
        each = 1e6 / given.messages
        print(
            f"{given.workers} workers: {accepted:,} of {given.messages:,} accepted, {twice} twice,"
            f" by worker {sorted(n for n, _, _ in results)}; a message takes"
            f" {sum(s for _, s, _ in results) * each:.0f} µs of who sends,"
            f" {sum(w for _, _, w in results) * each:.0f} of who writes, {server * each:.0f} of the"
            f" server; {given.messages / seconds:,.0f} a second by the clock"
        )


if __name__ == "__main__":
    main()
