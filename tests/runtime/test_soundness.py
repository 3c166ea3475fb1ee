"""A binding that is not true of the database: what rests on it stands still, the rest goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from journeylang.api import Runtime
from journeylang.diagnostics.model import Diagnostic
from tests.runtime.world import (
    BINDING,
    HOUR,
    JOURNEYS,
    NOW,
    address,
    loaded,
    make,
    opened,
    orders,
    refused,
    sql,
    write,
)

TEXTING = """journey texting {
  owner "crm@shop.example"
  enter when customer.points >= 10
  policy standard
  word: send sms "welcome/loud"
}
"""


def place(diagnostic: Diagnostic, root: Path) -> tuple[str, str]:
    """A code, and the text of the place that it is about."""
    assert diagnostic.span is not None
    text = loaded(root).sources[diagnostic.span.path].text
    return diagnostic.code.id, text[diagnostic.span.start : diagnostic.span.end].split("\n")[0]


def duckdb_only(test: Callable[..., None]) -> Callable[..., None]:
    """See `conftest.py`."""
    test.duckdb_only = True  # type: ignore[attr-defined]
    return test


def list_of_one(root: Path) -> str:
    """A value of another type than any column has."""
    return "ARRAY[1]" if "://" in address(root) else "[1]"


CASES = {
    "no table": ("DROP TABLE shop.orders", {"welcome"}, ("JRN803", "from shop.orders as o")),
    "no column": (
        "ALTER TABLE shop.orders RENAME COLUMN total TO amount",
        {"welcome"},
        ("JRN804", "o.total"),
    ),
    "no column of a trigger": (
        "ALTER TABLE shop.signups DROP COLUMN source",
        {"welcome"},
        ("JRN804", "s.source"),
    ),
    "event key twice": (
        "INSERT INTO shop.signups SELECT s.* FROM shop.signups AS s, generate_series(1, 10) AS g",
        {"welcome"},
        ("JRN805", "s.id"),
    ),
    "event key null": (
        "INSERT INTO shop.signups SELECT NULL, 1, NULL, NULL FROM generate_series(1, 101) AS g",
        {"welcome"},
        ("JRN806", "s.id"),
    ),
    "customer twice": (
        "INSERT INTO crm.customers SELECT c.* FROM crm.customers AS c, generate_series(1, 10) AS g",
        {"welcome", "loyal", "texting"},
        ("JRN805", "c.id"),
    ),
    "customer null": (
        "INSERT INTO crm.customers (id) SELECT NULL FROM generate_series(1, 101) AS g",
        {"welcome", "loyal", "texting"},
        ("JRN806", "c.id"),
    ),
    "no customers": (
        "DROP TABLE crm.customers",
        {"welcome", "loyal", "texting"},
        ("JRN803", "from crm.customers as c"),
    ),
    "no consent": (
        "DROP TABLE crm.consents",
        {"welcome", "loyal"},
        ("JRN803", "from crm.consents as m"),
    ),
    "another type": (
        "ALTER TABLE crm.consents ALTER COLUMN status TYPE INTEGER[] USING {one}",
        {"welcome", "loyal"},
        ("JRN815", "consent email_ok from crm.consents as m {"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_at_the_opening(tmp_path: Path, case: str) -> None:
    change, stopped, found = CASES[case]
    make(tmp_path, {**JOURNEYS, "texting": TEXTING})
    sql(tmp_path, change.format(one=list_of_one(tmp_path)))
    if len(stopped) == 3:
        assert [place(d, tmp_path) for d in refused(tmp_path)][:1] == [found]
        return
    with opened(tmp_path, NOW - HOUR) as runtime:
        assert runtime.standing == stopped
        assert place(runtime.problems[0], tmp_path) == found
        assert runtime.problems[0].help
        runtime.tick(NOW + HOUR)
        ran = runtime.engine.query("SELECT DISTINCT journey FROM journey.runs")
        assert {name for (name,) in ran} == {"welcome", "loyal", "texting"} - stopped
        sent = runtime.deliver(NOW + HOUR)
        assert sent.accepted == runtime.engine.query("SELECT count(*) FROM journey.message")[0][0]
        assert sent.accepted > 0


def test_two_at_once(tmp_path: Path) -> None:
    make(tmp_path, {**JOURNEYS, "texting": TEXTING})
    sql(tmp_path, "DROP TABLE shop.signups; DROP TABLE crm.consents")
    with opened(tmp_path) as runtime:
        assert [d.code.id for d in runtime.problems] == ["JRN803", "JRN803"]
        assert runtime.standing == {"welcome", "loyal"}


def test_numbers_agree_when_a_journey_before_others_stood_still(tmp_path: Path) -> None:
    """A journey that could not be applied takes no number from those that were."""
    first = {"a_first": TEXTING.replace("texting", "a_first"), "loyal": JOURNEYS["loyal"]}
    make(
        tmp_path,
        {"a_none": JOURNEYS["welcome"].replace("journey welcome", "journey a_none"), **first},
    )
    sql(tmp_path, "ALTER TABLE shop.orders RENAME TO orders_")
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW)
        paths = "SELECT DISTINCT journey, step FROM journey.runs WHERE status = 'active' ORDER BY 1"
        at = runtime.engine.query(paths)
        assert at[-1] == ("loyal", "morning")
        sent = runtime.engine.query("SELECT DISTINCT journey, step FROM journey.messages")
        assert sent == [("a_first", "word")]
    sql(tmp_path, "ALTER TABLE shop.orders_ RENAME TO orders")
    with opened(tmp_path, NOW) as runtime:
        assert runtime.standing == set()
        runtime.tick(NOW + HOUR)
        at = runtime.engine.query(paths)
        assert ("loyal", "morning") in at
        assert {name for name, _ in at} == {"a_none", "a_first", "loyal"}
        twice = "SELECT step FROM journey.step GROUP BY step HAVING count(*) > 1"
        assert runtime.engine.query(twice) == []


CHANGES = {
    "dropped": "DROP TABLE shop.orders",
    "renamed": "ALTER TABLE shop.orders RENAME COLUMN total TO amount",
    "instant renamed": 'ALTER TABLE shop.orders RENAME COLUMN "at" TO placed_at',
    "key dropped": "ALTER TABLE shop.orders DROP COLUMN id",
    "retyped": "ALTER TABLE shop.orders ALTER COLUMN customer_id TYPE INTEGER[] USING {one}",
    "no table any more": "ALTER TABLE shop.orders RENAME TO sales",
}


@pytest.mark.parametrize("change", CHANGES)
def test_between_two_ticks(tmp_path: Path, change: str) -> None:
    make(tmp_path)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.engine.execute(orders(20, NOW + HOUR))
        before = runtime.engine.query("SELECT * FROM journey.runs WHERE journey = 'welcome'")
        runtime.engine.execute(CHANGES[change].format(one=list_of_one(tmp_path)))
        result = runtime.tick(NOW + 24 * HOUR)
        assert runtime.standing == {"welcome"}
        assert [d.code.id for d in runtime.problems if d.is_error] in (
            ["JRN803"],
            ["JRN804"],
            ["JRN815"],
        )
        assert result.sent == 3, "the loyal ones, but one without consent"
        after = runtime.engine.query("SELECT * FROM journey.runs WHERE journey = 'welcome'")
        assert sorted(before, key=str) == sorted(after, key=str)
        assert runtime.deliver(NOW + 24 * HOUR).accepted == 3
        runtime.tick(NOW + 25 * HOUR)
        assert len([d for d in runtime.problems if d.is_error]) == 1, "told once"


RINGING = """journey ringing {
  owner "crm@shop.example"
  enter when count(rang) >= 2 every 1h
  policy standard
  rest: wait 90d
}
"""
RANG = """event rang from shop.calls as k {
  key k.id
  customer k.customer_id
  at k.at
  append only
}
"""


def test_a_view_that_fails_on_a_row(tmp_path: Path) -> None:
    """Nobody asks for it but one journey, now and then: that one stands still."""
    make(tmp_path)
    sql(
        tmp_path,
        "ALTER TABLE crm.customers ADD COLUMN changed TIMESTAMP;"
        "CREATE TABLE shop.lines (id BIGINT, customer_id BIGINT, said VARCHAR);"
        'CREATE VIEW shop.calls AS SELECT id, customer_id, CAST(said AS TIMESTAMP) AS "at"'
        " FROM shop.lines;"
        "INSERT INTO shop.lines VALUES (1, 1, '2026-03-02 10:30')",
    )
    changing = BINDING.replace("  key c.id\n", "  key c.id\n  changed at c.changed\n")
    journeys = {"welcome": JOURNEYS["welcome"], "ringing": RINGING}
    write(tmp_path, journeys, binding=changing + RANG)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.engine.execute("INSERT INTO shop.lines VALUES (2, 2, 'never')")
        runtime.engine.execute(orders(20, NOW + HOUR))
        assert runtime.tick(NOW + 24 * HOUR).moved > 0
        assert runtime.standing == {"ringing"}
        assert runtime.tick(NOW + 48 * HOUR).moved > 0


def test_everything_gone_between_two_ticks(tmp_path: Path) -> None:
    make(tmp_path)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
        runtime.engine.execute("DROP TABLE crm.customers")
        runtime.tick(NOW + 24 * HOUR)
        assert runtime.standing == {"welcome", "loyal"}
        assert [d.code.id for d in runtime.problems if d.is_error] == ["JRN803"]


def test_mended(tmp_path: Path) -> None:
    """An exit that was missed while a journey stood still is taken when it goes on."""
    make(tmp_path)
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    sql(tmp_path, "ALTER TABLE shop.signups RENAME TO signups_")
    sql(tmp_path, orders(20, NOW + 2 * HOUR))
    with opened(tmp_path) as runtime:
        runtime.tick(NOW + 3 * HOUR)
        runtime.tick(NOW + 12 * HOUR)
    sql(tmp_path, "ALTER TABLE shop.signups_ RENAME TO signups")
    with opened(tmp_path) as runtime:
        runtime.tick(NOW + 13 * HOUR)
        left = runtime.engine.query("SELECT count(*) FROM journey.runs WHERE reason = 'rich'")
        assert left == [(3,)]


def test_examined_without_keys(tmp_path: Path) -> None:
    make(tmp_path)
    sql(tmp_path, "INSERT INTO shop.signups SELECT * FROM shop.signups LIMIT 1")
    outcome = Runtime.open(loaded(tmp_path), "dev", now=NOW, wait=0, examine_keys=False)
    assert outcome.value is not None
    with outcome.value as runtime:
        assert runtime.problems == []


@duckdb_only
def test_a_file_named_as_a_schema(tmp_path: Path) -> None:
    """DuckDB can't tell `shop.orders` in shop.duckdb; nor may `journey.duckdb` be refused."""
    for name in ("crm.duckdb", "journey.duckdb"):
        root = make(tmp_path / name)
        (root / "shop.duckdb").rename(root / name)
        config = (root / "journey.toml").read_text().replace("shop.duckdb", name)
        write(root, config=config, binding=BINDING)
        with opened(root, NOW - HOUR) as runtime:
            runtime.tick(NOW + HOUR)
            assert runtime.deliver(NOW + HOUR).accepted > 0
