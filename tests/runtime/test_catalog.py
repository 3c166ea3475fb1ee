"""A catalogue on its whole way: bound, picked by a tick, and shown in a message."""

from __future__ import annotations

from email import message_from_string
from email.policy import default
from pathlib import Path

from tests.runtime.world import BINDING, HOUR, NOW, make, opened, refused, sql, write

CATALOG = """
catalog products from shop.products as p {
  key p.sku
  field name: text = p.title
  field price: money(EUR)? = p.price
}
"""
OFFER = """journey offer {
  owner "crm@shop.example"
  enter on signed_up
  policy standard
  hello: send email with { picks: top 2 of products by price where price < 50 EUR }
}
"""
TEMPLATE = """---
subject: {{ picks | length }} for you
---
{% for p in picks %}{{ p.key }} {{ p.name }} {{ p.price | default(0) | money }}
{% endfor %}{{ unsubscribe_url }}
"""


def project(root: Path) -> None:
    templates = {"offer/hello.email.txt": TEMPLATE}
    write(root, {"offer": OFFER}, binding=BINDING + CATALOG, templates=templates)


def test_rows_come_into_the_message_with_their_types(tmp_path: Path) -> None:
    make(tmp_path, number=1)
    project(tmp_path)
    sql(
        tmp_path,
        "CREATE TABLE shop.products AS SELECT * FROM (VALUES ('a1', 'Mug', 12.5),"
        " ('a2', 'Mill', 79), ('a3', 'Tin', 49.99), ('a4', 'Tea', NULL)) AS p(sku, title, price)",
    )
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + 8 * HOUR)
        runtime.deliver(NOW + 8 * HOUR)
        assert runtime.problems == []
    [file] = (tmp_path / "outbox" / "email").glob("*.eml")
    message = message_from_string(file.read_text(), policy=default)
    body = message.get_body()
    assert body is not None
    assert message["subject"] == "2 for you"
    assert body.get_content().splitlines()[:2] == ["a3 Tin €49.99", "a1 Mug €12.50"]


def test_a_catalogue_that_is_not_there_stops_who_uses_it(tmp_path: Path) -> None:
    make(tmp_path, number=1)
    project(tmp_path)
    assert [d.code.id for d in refused(tmp_path)] == ["JRN803"]
