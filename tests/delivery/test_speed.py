"""Figures, not tests: `pytest tests/delivery/test_speed.py -m benchmark -s`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from journeylang.delivery.channels import open_channels
from journeylang.delivery.links import Links
from journeylang.delivery.mime import Address, Email, to_bytes
from journeylang.delivery.render import For, Rendered, renderer
from tests.benchmarks.delivered import used
from tests.delivery.mail_sink import mail_sink_apart
from tests.delivery.shop import NOW, TEMPLATES, Shop, make_shop
from tests.delivery.sink import sink

pytestmark = pytest.mark.benchmark


def deliver(what: str, shop: Shop, number: int) -> None:
    """Everything, with a process that writes. Told is what comes behind the first chunk, so that
    the start of that process is not counted."""
    outbox = shop.outbox(scribes=1)
    told: list[tuple[int, float, float]] = []

    def progress(more: int) -> None:
        assert outbox._scribes is not None
        writer = sum(used(one._process.pid) for one in outbox._scribes._processes)
        told.append((more, time.process_time(), writer))

    wall = time.perf_counter()
    accepted = outbox.deliver(now=shop.clock, progress=progress).accepted
    wall = time.perf_counter() - wall
    outbox.close()
    assert accepted == number
    many = sum(more for more, _, _ in told[1:])
    sender, writer = ((told[-1][n] - told[0][n]) / many * 1e6 for n in (1, 2))
    print(
        f"\n{what}: who sends {sender:.0f} µs of the processor, who writes {writer:.0f}; two cores,"
        f" all of them: {2e6 / (sender + writer):,.0f} a second; by the clock {number / wall:,.0f}"
    )


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


def test_fifty_thousand_files(tmp_path: Path) -> None:
    number = 50_000
    shop = make_shop(tmp_path, database=str(tmp_path / "base.duckdb"))
    shop.people(number)
    shop.messages(range(1, number + 1))

    deliver("messages into files", shop, number)
    shop.close()


@pytest.mark.parametrize("form", ["lines", "mbox"])
def test_fifty_thousand_into_few_files(tmp_path: Path, form: str) -> None:
    number = 50_000
    shop = make_shop(tmp_path, database=str(tmp_path / "base.duckdb"))
    shop.use(email={"provider": "file", "form": form})
    shop.people(number)
    shop.messages(range(1, number + 1))

    deliver(f"messages into {form}", shop, number)
    shop.close()


@pytest.mark.parametrize(
    ("provider", "secret"), [("sendgrid", "api_key"), ("postmark", "server_token")]
)
def test_twenty_thousand_by_http(tmp_path: Path, provider: str, secret: str) -> None:
    """One request for each message, and one for 500; the server is another process."""
    number = 20_000
    shop = make_shop(tmp_path, database=str(tmp_path / "base.duckdb"))
    shop.people(number)
    shop.messages(range(1, number + 1))
    with sink() as url:
        given = {
            "provider": provider,
            secret: "env:K",
            "from": "a@b.example",
            "base_url": url,
            "private": True,
        }
        outcome = open_channels({"email": given}, root=tmp_path, environment={"K": "x"})
        assert outcome.value is not None
        shop.channels = outcome.value
        deliver(f"messages by {provider}", shop, number)
        shop.close()


@pytest.mark.parametrize("pipelining", [True, False])
def test_ten_thousand_over_smtp(tmp_path: Path, pipelining: bool) -> None:
    number = 10_000
    shop = make_shop(tmp_path, database=str(tmp_path / "base.duckdb"))
    shop.people(number)
    shop.messages(range(1, number + 1))
    with mail_sink_apart(pipelining=pipelining) as (_, port):
        shop.use(
            email={
                "provider": "smtp",
                "host": "127.0.0.1",
                "port": port,
                "from": "a@b.example",
            }
        )
        deliver(f"messages over SMTP{', commands together' if pipelining else ''}", shop, number)
        shop.close()


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
