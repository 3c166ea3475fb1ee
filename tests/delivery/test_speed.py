"""Figures, not tests: `pytest tests/delivery/test_speed.py -m benchmark -s`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from journeylang.delivery.links import Links
from journeylang.delivery.mime import Address, Email, to_bytes
from journeylang.delivery.render import For, Rendered, renderer
from tests.benchmarks.steady import run
from tests.delivery.shop import NOW, TEMPLATES, make_shop

pytestmark = pytest.mark.benchmark


def figure(what: str, number: int, work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"\n{what}: {number / wall:,.0f} a second; of the processor {cpu / number * 1e6:.0f} µs")
    return number / wall, number / cpu


def test_rendering() -> None:
    links = Links(key=b"k" * 32)
    from decimal import Decimal

    from journeylang.delivery.formats import Money

    def work() -> None:
        one = renderer(TEMPLATES)
        for n in range(20_000):
            scope = {
                "customer": {"first_name": f"Jürgen {n}", "points": n},
                "entry": {"total": Money.of(Decimal(n % 500), "EUR")},
            }
            what = For(message=f"{n:032x}", scope=scope, locale="de-DE")
            assert isinstance(one.render("thanks/hello", "email", what, links), Rendered)

    _, cpu = figure("HTML e-mails rendered", 20_000, work)
    assert cpu > 5_000


def test_writing_mime() -> None:
    sender = Address(local="hello", domain="acme.example", name="Acme")
    to = Address(local="jo", domain="example.com")
    html = "<p>Ein Satz über die Bestellung, die heute kam.</p>\n" * 30

    def work() -> None:
        for n in range(20_000):
            to_bytes(
                Email(
                    id=f"{n:032x}",
                    sender=sender,
                    to=to,
                    subject=f"Grüße {n}",
                    text=html,
                    html=html,
                    date=NOW,
                )
            )

    figure("e-mails of 3 kB written as MIME", 20_000, work)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        *((kind, 100_000) for kind in ("lines", "mbox", "postmark")),
        *((kind, 50_000) for kind in ("files", "sendgrid")),
        *((kind, 30_000) for kind in ("smtp", "smtp-one")),
    ],
)
def test_delivering(tmp_path: Path, kind: str, number: int) -> None:
    """Everything, with a process that writes: see `tests.benchmarks.steady`."""
    print(f"\n{run(kind, number, tmp_path)}")


def test_many_small_deliveries(tmp_path: Path) -> None:
    number = 100
    shop = make_shop(tmp_path, database=str(tmp_path / "base.duckdb"))
    shop.people(number * 10)
    outbox = shop.outbox()
    outbox.links()

    def work() -> None:
        for n in range(number):
            shop.messages(range(n * 10 + 1, n * 10 + 11))
            assert outbox.deliver(now=shop.clock).accepted == 10

    figure("deliveries of ten messages", number, work)
    shop.close()
