"""Codes and factors on their whole way: decided by a tick, and shown in a message."""

from __future__ import annotations

from email import message_from_string
from email.policy import default
from pathlib import Path

from tests.oracle.chance import bucket
from tests.runtime.world import BINDING, HOUR, NOW, make, opened, refused, sql, write

PROMO = 'promo back from shop.pool as p { code p.code only where p.kind = "back" expires 14d }'
OFFER = """journey offer {
  owner "crm@shop.example"
  enter on signed_up
  policy standard
  look: experiment factors salt "s" { headline: ["One & all", "Two"], price: [5 EUR, 7 EUR] }
  hello: send email with { code: promo(back) } else skip
}
"""
TEMPLATE = """---
subject: "{{ headline }}: {{ code }}"
---
{{ price | money }}
{{ unsubscribe_url }}
"""


def project(root: Path) -> None:
    templates = {"offer/hello.email.txt": TEMPLATE}
    write(root, {"offer": OFFER}, binding=f"{BINDING}\n{PROMO}\n", templates=templates)


def test_code_and_factors_come_into_the_message(tmp_path: Path) -> None:
    make(tmp_path, number=1)
    project(tmp_path)
    sql(
        tmp_path,
        "CREATE TABLE shop.pool AS SELECT * FROM"
        " (VALUES ('B-1', 'back'), ('A-1', 'other')) AS p(code, kind)",
    )
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + 8 * HOUR)
        runtime.deliver(NOW + 8 * HOUR)
        assert runtime.problems == []
        drawn = runtime.engine.query("SELECT customer_id, code, expires_at FROM journey.promo_code")
    [(who, code, expires)] = drawn
    assert (code, expires) == ("B-1", NOW + (8 + 14 * 24) * HOUR)
    [file] = (tmp_path / "outbox" / "email").glob("*.eml")
    message = message_from_string(file.read_text(), policy=default)
    body = message.get_body()
    assert body is not None
    headline = "One & all" if bucket("s:headline", who) < 5000 else "Two"
    price = "€5.00" if bucket("s:price", who) < 5000 else "€7.00"
    assert message["subject"] == f"{headline}: B-1"
    assert body.get_content().splitlines()[0] == price


def test_a_pool_that_is_not_there_stops_who_draws_from_it(tmp_path: Path) -> None:
    make(tmp_path, number=1)
    project(tmp_path)
    assert "there is no table `shop.pool` in the database" in str(refused(tmp_path))
