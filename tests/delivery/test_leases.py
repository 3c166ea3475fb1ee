"""The lease of a claim, by a clock that goes on while messages go out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from journeylang.delivery.channels import Channel
from journeylang.delivery.compose import Letterhead
from journeylang.delivery.mime import address
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater
from journeylang.delivery.provider import Outgoing
from journeylang.runtime.gone import Missing
from journeylang.runtime.pauses import pause
from journeylang.sql.gone import COUNTS
from tests.delivery.shop import Shop, make_shop

LEASE = timedelta(minutes=10)


class Slow:
    """Takes two messages at once, and so many minutes for them: one number for each time."""

    name = "slow"
    in_flight = 2
    key_life: timedelta | None = None
    keyed = False
    rate = 0.0

    def __init__(self, shop: Shop, *minutes: float) -> None:
        self.shop = shop
        self.minutes = list(minutes)
        self.got: list[str] = []
        self.leases: list[datetime] = []

    def open(self) -> Refused | TryLater | None:
        return None

    def preparer(self) -> None:
        return None

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        self.leases.append(self.shop.one("SELECT min(lease_until) FROM journey.batch"))
        for one in messages:
            self.got.append(one.id)
            answers[one.id] = Accepted(provider_id=one.id)
        self.shop.now += timedelta(minutes=self.minutes.pop(0) if self.minutes else 0)

    def close(self) -> None: ...


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = make_shop(tmp_path)
    yield made
    made.close()


def slow(shop: Shop, *minutes: float) -> Slow:
    provider = Slow(shop, *minutes)
    shop.channels["email"] = Channel(
        name="email",
        provider=provider,
        letterhead=Letterhead(sender=address("Acme <hello@acme.example>")),
        on_unknown="hold",
    )
    return provider


def test_who_is_at_work_goes_on_holding(shop: Shop) -> None:
    """Longer in all than a lease, and no chunk longer than half of one."""
    shop.people(10)
    shop.messages(range(1, 11))
    provider = slow(shop, 4, 4, 4, 4, 4)
    begun = shop.now
    done = shop.outbox(lease=LEASE).deliver(now=shop.clock)
    assert done.accepted == 10
    assert shop.now - begun == timedelta(minutes=20)
    starts = [begun + n * timedelta(minutes=4) for n in range(5)]
    # At the latest when a half is over it is renewed, before what goes out then.
    assert provider.leases[0] == begun + LEASE
    assert all(lease - at >= LEASE / 2 for lease, at in zip(provider.leases, starts, strict=True))
    assert shop.one("SELECT bool_and(done) FROM journey.batch")


def test_a_lease_that_has_run_out_is_taken_again(shop: Shop) -> None:
    """It stood still for longer than a lease, and nobody else was there to take over."""
    shop.people(6)
    shop.messages(range(1, 7))
    provider = slow(shop, 11, 11)
    begun = shop.now
    done = shop.outbox(lease=LEASE).deliver(now=shop.clock)
    assert done.accepted == 6
    assert shop.states() == {"accepted": 6}
    assert len(set(provider.got)) == len(provider.got)
    at = [begun + n * timedelta(minutes=11) + LEASE for n in range(3)]
    assert provider.leases == at
    assert shop.one("SELECT bool_and(done) FROM journey.batch")


def test_who_took_over_keeps_it(shop: Shop) -> None:
    """The other's claim is neither renewed nor given back by who has lost it."""
    shop.people(4)
    shop.messages(range(1, 5))
    provider = slow(shop, 11)
    plain = provider.send

    def send(messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        plain(messages, answers)
        shop.sql(
            "UPDATE journey.batch SET token = token + 1, holder = 'other',"
            f" lease_until = TIMESTAMP '{shop.now + LEASE}'"
        )
        provider.send = plain  # type: ignore[method-assign]

    provider.send = send  # type: ignore[method-assign]
    done = shop.outbox(lease=LEASE).deliver(now=shop.clock, limit=4)
    assert done.accepted == 2
    assert shop.states() == {"accepted": 2, "queued": 2}
    assert shop.one("SELECT holder FROM journey.batch") == "other"
    assert not shop.one("SELECT bool_or(done) FROM journey.batch")


def test_what_begins_while_a_claim_goes_out_is_kept(shop: Shop) -> None:
    """A quiet window, and a pause: who sends slowly has messages in hand for a long time."""
    shop.people(12)
    quiet = shop.now + timedelta(minutes=10), shop.now + timedelta(hours=9)
    shop.messages(range(1, 7), quiet=quiet)
    shop.messages(range(7, 13), label="bill")
    provider = slow(shop, 6, 6, 6)
    plain = provider.send

    def send(messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        plain(messages, answers)
        if len(provider.got) == 6:
            assert pause(shop.engine, "receipt", cause="hand", detail="wrong")

    provider.send = send  # type: ignore[method-assign]
    done = shop.outbox(lease=LEASE).deliver(now=shop.clock)
    sent = shop.engine.query(
        "SELECT customer_id FROM journey.messages WHERE state = 'accepted' ORDER BY message_id"
    )
    assert [who for (who,) in sent] == ["c1", "c2", "c3", "c4", "c7", "c8"]
    assert (done.accepted, done.waiting, shop.states()["queued"]) == (6, 6, 6)


def test_nobody_is_cancelled_who_goes_missing_while_a_claim_goes_out(shop: Shop) -> None:
    """The customers are being loaded, and a tick beside has found it."""
    shop.people(6)
    shop.messages(range(1, 7))
    provider = slow(shop, 1)
    plain = provider.send

    def send(messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        plain(messages, answers)
        found = Missing(runs=4, active=6, at=shop.now)
        shop.sql("DELETE FROM crm.customers WHERE customer_id > 'c2'")
        shop.sql(f"INSERT INTO journey.meta VALUES ('{COUNTS}', '{found.counts}')")

    provider.send = send  # type: ignore[method-assign]
    done = shop.outbox(lease=LEASE).deliver(now=shop.clock)
    assert (done.accepted, done.waiting) == (2, 4)
    assert shop.states() == {"accepted": 2, "queued": 4}
