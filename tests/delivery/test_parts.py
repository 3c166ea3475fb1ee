"""Text messages of several parts: each part is paid, and known when the message is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from journeylang.delivery.outcome import Refused, TryLater
from journeylang.delivery.parts import parts_of
from journeylang.delivery.provider import Finished, Note
from tests.delivery.shop import BINDING, NOW, TEMPLATES, Shop, make_shop

LONG = {"thanks/text.sms.txt": "\n{{ customer.first_name | default('friend') }}\n" + "x" * 140}
"""`Jürgen 1` makes one part of it, and a longer name two."""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    paid = BINDING.replace("consent: sms_ok }", "consent: sms_ok, cost: 0.07 EUR }")
    monkeypatch.setattr("tests.delivery.shop.BINDING", paid)
    made = make_shop(tmp_path, templates=TEMPLATES | LONG)
    yield made
    made.close()


def decided(shop: Shop, count: int) -> None:
    """As a tick leaves them: one part of each is paid, from a budget, and it is one of a few."""
    shop.messages(range(1, count + 1), channel="sms")
    shop.sql("""UPDATE journey.message SET cost = 0.07;
INSERT INTO journey.budget_use SELECT customer_id, message_id, 'journey thanks', decided_at, 0.07
  FROM journey.message;
INSERT INTO journey.budget_use SELECT customer_id, message_id, 'policy p: capacity sms', decided_at,
  1 FROM journey.message""")


def paid(shop: Shop) -> list[tuple[object, ...]]:
    rows = shop.engine.query("""SELECT m.customer_id, m.parts, m.cost, b.amount, c.amount
FROM journey.messages AS m
JOIN journey.budget_use AS b ON b.message_id = m.message_id AND b.budget = 'journey thanks'
JOIN journey.budget_use AS c ON c.message_id = m.message_id AND c.budget <> 'journey thanks'
ORDER BY 1""")
    return [(who, parts, *map(float, amounts)) for who, parts, *amounts in rows]


@pytest.mark.parametrize("scribes", [0, 1])
def test_as_it_goes_out_each_part_is_paid(shop: Shop, scribes: int) -> None:
    name = "CASE WHEN i = 1 THEN 'Jürgen' WHEN i = 2 THEN repeat('x', 21) ELSE 'Юрий' END"
    shop.people(3, first_name=name)
    decided(shop, 3)
    assert shop.outbox(scribes=scribes).deliver(now=shop.clock).accepted == 3
    assert paid(shop) == [
        ("c1", None, 0.07, 0.07, 1.0),
        ("c2", 2, 0.14, 0.14, 1.0),
        ("c3", 3, 0.21, 0.21, 1.0),
    ]


def test_what_is_tried_again_costs_what_it_is_then(shop: Shop) -> None:
    shop.people(1, first_name="repeat('x', 200)")
    decided(shop, 1)
    shop.sql("UPDATE journey.message SET cost = 0.21, parts = 3")
    shop.sql("UPDATE journey.budget_use SET amount = 0.21 WHERE budget = 'journey thanks'")
    shop.sql(f"""INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at",
  given_back) SELECT customer_id, message_id, 1, 'retry', TIMESTAMP '{NOW}' - INTERVAL 1 DAY, FALSE
  FROM journey.message""")
    shop.sql("UPDATE crm.customers SET first_name = 'Anna'; UPDATE journey.batch SET token = 1")
    assert shop.deliver().accepted == 1
    assert paid(shop) == [("c1", 1, 0.07, 0.07, 1.0)]


def test_what_does_not_go_out_is_not_charged(shop: Shop) -> None:
    """Suppressed at the last moment, or in another's hand: theirs may be a shorter text."""
    shop.people(2, first_name="repeat('x', 200)")
    decided(shop, 2)
    shop.sql("UPDATE journey.message SET batch_id = message_id")
    shop.sql(
        "INSERT INTO journey.batch SELECT 2, decided_at, 1, FALSE, NULL, NULL, NULL, 0 FROM"
        " journey.batch"
    )
    shop.sql(f"INSERT INTO journey.suppression VALUES ('c1', 'sms', NULL, TIMESTAMP '{NOW}', 'x')")
    outbox, channel = shop.outbox(), shop.channels["sms"]
    opens = channel.provider.open

    def taken_over() -> Refused | TryLater | None:
        shop.sql("UPDATE journey.batch SET token = token + 1 WHERE batch_id = 2")
        return opens()

    channel.provider.open = taken_over  # type: ignore[method-assign]
    assert outbox.deliver(now=shop.clock).accepted == 0
    assert paid(shop) == [("c1", None, 0.07, 0.07, 1.0), ("c2", None, 0.07, 0.07, 1.0)]


def test_only_text_messages_have_parts() -> None:
    long = {"id": "m", "to": "x", "text": "Я" * 500, "at": NOW}
    assert parts_of(Note(channel="sms", **long)) == 8  # type: ignore[arg-type]
    assert parts_of(Note(channel="push", **long)) == 1  # type: ignore[arg-type]
    assert parts_of(Finished("m", "sms", "x", b"", 4)) == 4
