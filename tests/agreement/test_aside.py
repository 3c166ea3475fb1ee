"""Rows without a key, or with one that others have too, are as if they were not there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.agreement.both import Look, both
from tests.agreement.prelude import record
from tests.agreement.small import HOUR, START, person, program

SEGMENT = "segment keen = count(ordered where total > 5 EUR within 30d) >= 2\n"


def text(enter: str, steps: str) -> str:
    return program(steps, "reenter after 1d", enter=enter).replace(
        "language 1\n", f"language 1\n{SEGMENT}"
    )


def world() -> dict[str, list[dict[str, Any]]]:
    """Persons 1 to 6, all alike but for what is wrong with their rows.

    The third stands there twice, and somebody has no key; the second's orders are wrong; the
    fourth's sign-up was written twice.
    """
    people = [person(n, points=50, email=f"{n}@x.example") for n in (1, 2, 3, 3, 4, 5, 6)]
    nobody = person(7, points=50) | {"id": None}
    orders: list[dict[str, Any]] = [
        *({"id": n, "customer_id": 1, "at": START - n * HOUR, "total": 20} for n in (1, 2)),
        *({"id": 3, "customer_id": 2, "at": START - n * HOUR, "total": 20} for n in (1, 2)),
        *({"id": None, "customer_id": 2, "at": START - n * HOUR, "total": 20} for n in (1, 2)),
        *({"id": n, "customer_id": 3, "at": START - n * HOUR, "total": 20} for n in (4, 5)),
        *({"id": 10 + n, "customer_id": n, "at": START + 30 * HOUR, "total": 20} for n in (5, 5)),
        {"id": 20, "customer_id": 6, "at": START + 30 * HOUR, "total": 20},
    ]
    signups: list[dict[str, Any]] = [
        *({"id": n, "customer_id": n, "at": START + HOUR, "source": "web"} for n in (1, 2, 3)),
        *({"id": 4, "customer_id": 4, "at": START + n * HOUR, "source": "web"} for n in (1, 2)),
        {"id": None, "customer_id": 5, "at": START + HOUR, "source": "web"},
        {"id": 6, "customer_id": 6, "at": START + HOUR, "source": "web"},
    ]
    return {
        "crm.customers": [*people, nobody],
        "shop.orders": [record("shop.orders", status="paid", **row) for row in orders],
        "shop.signups": [record("shop.signups", **row) for row in signups],
        "shop.products": [
            record("shop.products", sku=sku, name=f"n{n}", price=n, stock=1)
            for n, sku in enumerate((1, 2, 2, None, 3))
        ],
        "crm.consents": [
            record("crm.consents", customer_id=n, at=START, topic="email", status="in")
            for n in range(1, 8)
        ],
    }


def entered(look: Look) -> list[int]:
    return sorted(row[0] for row in look["runs"])


MOMENTS: list[datetime] = [START + n * HOUR for n in (0, 2, 3, 26, 31, 80)]


@pytest.mark.parametrize(
    ("enter", "who"),
    [
        ("enter on signed_up", {1, 2, 6}),
        ("enter when customer.points >= 10 every 1d", {1, 2, 4, 5, 6}),
        ("enter when customer in segment keen every 1d", {1}),
        ("enter when top 50% by customer.points every 1d", {1, 2, 4}),
    ],
)
def test_nobody_is_in_another_s_way(enter: str, who: set[int]) -> None:
    steps = (
        "r: wait for ordered up to 2d { on ordered { bought: wait 1h } timeout {} }\n"
        'hello: send email "t" with { best: top 2 of products by price } else skip'
    )
    with both(text(enter, steps), START, world(), counted=True) as pair:
        look: Look = {}
        for moment in MOMENTS:
            look = pair.tick(moment)
        assert set(entered(look)) == who
