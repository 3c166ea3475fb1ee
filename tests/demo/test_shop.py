"""The shop is the same every time, and believable."""

import hashlib
from datetime import timedelta
from pathlib import Path
from zoneinfo import available_timezones

import duckdb
import pytest

from journeylang.demo import tables
from journeylang.demo.shop import Shop, make
from tests.demo.conftest import SMALL

# From the first version on.
ROWS = {
    "crm.customers": ("87eeacf0defbd7aecd0d24fc3a28ff52",),
    "shop.orders": ("87243e61667f467f04af0cee2a94429b",),
    "crm.consents": ("492f8d6cb5aae73acdb58b32ea395655",),
}


def fingerprint(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    rows = connection.execute(f"SELECT * FROM {table}").fetchall()
    return hashlib.md5(repr(rows).encode(), usedforsecurity=False).hexdigest()


def number(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return float(row[0])


def test_the_same_seed_makes_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    shop = Shop(customers=500, days=5)
    first, second, other = (tmp_path / f"{n}.duckdb" for n in range(3))
    make(first, shop)
    make(second, shop)
    make(other, Shop(customers=500, days=5, seed=2))
    with duckdb.connect(first) as a, duckdb.connect(second) as b, duckdb.connect(other) as c:
        for table in tables.NAMES:
            assert fingerprint(a, table) == fingerprint(b, table)
            if table != "shop.products":
                assert fingerprint(a, table) != fingerprint(c, table)


def test_the_rows_are_those_that_every_version_makes(tmp_path: Path) -> None:
    """Outputs in the documentation rest on them; a change here is a change there."""
    make(tmp_path / "acme.duckdb", Shop(customers=500, days=5))
    with duckdb.connect(tmp_path / "acme.duckdb") as connection:
        ids = "SELECT md5(string_agg({}, ',' ORDER BY {})) FROM {}"
        found = {
            table: connection.execute(ids.format(columns, key, table)).fetchone()
            for table, columns, key in (
                ("crm.customers", "customer_id || coalesce(email, '-')", "customer_id"),
                ("shop.orders", "customer_id || ':' || placed_at || total_amount", "order_id"),
                ("crm.consents", "customer_id || topic || status || changed_at", "consent_id"),
            )
        }
    assert found == ROWS


def test_making_it_again_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "acme.duckdb"
    make(path, Shop(customers=400, days=3))
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 1 AS one")
    counts = make(path, Shop(customers=200, days=3))
    assert counts["crm.customers"] == 200
    with duckdb.connect(path, read_only=True) as connection:
        assert number(connection, "SELECT one FROM mine") == 1


def test_progress_tells_each_part(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    make(tmp_path / "acme.duckdb", Shop(customers=50, days=1), lambda *step: told.append(step))
    assert [done for _, done, _ in told] == list(range(len(told)))
    assert told[-1][0] == "done"
    assert told[-1][1] == told[-1][2]


@pytest.mark.parametrize("customers", [1, 2, 17])
def test_a_tiny_shop_is_a_shop(tmp_path: Path, customers: int) -> None:
    counts = make(tmp_path / "acme.duckdb", Shop(customers=customers, days=1))
    assert counts["crm.customers"] == customers


@pytest.mark.parametrize(
    ("table", "key", "instant"),
    [
        ("crm.signups", "signup_id", "signed_up_at"),
        ("crm.consents", "consent_id", "changed_at"),
        ("shop.orders", "order_id", "placed_at"),
        ("shop.carts", "event_id", "happened_at"),
        ("shop.visits", "visit_id", "visited_at"),
        ("shop.app_sessions", "session_id", "opened_at"),
    ],
)
def test_every_event_table(
    shop: duckdb.DuckDBPyConnection, table: str, key: str, instant: str
) -> None:
    rows, keys, orphans, early, late = shop.execute(
        f"""SELECT count(*), count(DISTINCT {key}), count(*) FILTER (c.customer_id IS NULL),
          count(*) FILTER (t.{instant} < c.signed_up_at), count(*) FILTER (t.{instant} >= $last)
        FROM {table} AS t LEFT JOIN crm.customers AS c USING (customer_id)""",
        {"last": SMALL.last},
    ).fetchall()[0]
    assert rows > SMALL.customers * 0.4
    assert keys == rows
    assert (orphans, late) == (0, 0)
    assert early == 0, "nobody does anything before they sign up"
    stored = [r[0] for r in shop.execute(f"SELECT {instant} FROM {table}").fetchall()]
    assert stored == sorted(stored)
    virtual = number(shop, f"SELECT count(*) FROM {table} WHERE {instant} >= '{SMALL.opening}'")
    assert virtual > 0, "the virtual days have rows"
    newest = number(
        shop, f"SELECT epoch(TIMESTAMP '{SMALL.last}' - max({instant})) / 86400 FROM {table}"
    )
    assert newest < 1, "up to the last of them"


def test_customers_are_as_mixed_as_real_ones(shop: duckdb.DuckDBPyConnection) -> None:
    rows = shop.execute(
        "SELECT count(*), count(DISTINCT customer_id), count(email) / count(*),"
        " count(mobile) / count(*), count(push_token) / count(*), count(first_name) / count(*),"
        " count(deleted_at) / count(*), count(DISTINCT email) = count(email) FROM crm.customers"
    ).fetchall()
    total, keys, email, mobile, push, named, deleted, unique = rows[0]
    assert (total, keys) == (SMALL.customers, SMALL.customers)
    assert 0.94 < email < 0.99
    assert 0.5 < mobile < 0.75
    assert 0.25 < push < 0.45
    assert 0.93 < named < 0.98
    assert 0 < deleted < 0.02
    assert unique
    zones = shop.execute("SELECT tz, count(*) FROM crm.customers GROUP BY tz").fetchall()
    known = [zone for zone, _ in zones if zone in available_timezones()]
    strange = [zone for zone, _ in zones if zone is not None and zone not in known]
    assert 8 <= len(known) <= 12
    assert strange, "some zones are no IANA names"
    assert any(zone is None for zone, _ in zones)


def test_no_address_can_belong_to_anybody(shop: duckdb.DuckDBPyConnection) -> None:
    """Reserved domains (RFC 2606) and a country code that is not assigned."""
    assert (
        number(
            shop,
            "SELECT count(*) FROM crm.customers WHERE email IS NOT NULL AND"
            r" NOT regexp_matches(email, '^[a-z]+\.[0-9]+( at |@)example\.(com|org|net)$')",
        )
        == 0
    )
    assert (
        number(shop, "SELECT count(*) FROM crm.customers WHERE NOT starts_with(mobile, '+999')")
        == 0
    )


def test_the_day_and_the_week_have_a_rhythm(shop: duckdb.DuckDBPyConnection) -> None:
    hours = dict(
        shop.execute("SELECT hour(placed_at), count(*) FROM shop.orders GROUP BY 1").fetchall()
    )
    assert hours[19] > 5 * hours[3]
    days = dict(
        shop.execute("SELECT dayname(placed_at), count(*) FROM shop.orders GROUP BY 1").fetchall()
    )
    assert days["Sunday"] == max(days.values())
    assert days["Sunday"] > 1.3 * days["Wednesday"]


def test_consent_has_a_history(shop: duckdb.DuckDBPyConnection) -> None:
    given, taken, back = shop.execute(
        """SELECT count(*) FILTER (first = 'opt_in'),
          count(*) FILTER (first = 'opt_in' AND outs > 0),
          count(*) FILTER (outs > 0 AND first = 'opt_in' AND last = 'opt_in')
        FROM (SELECT customer_id, arg_min(status, changed_at) AS first,
          arg_max(status, changed_at) AS last, count(*) FILTER (status = 'opt_out') AS outs
          FROM crm.consents WHERE topic = 'email' GROUP BY customer_id)"""
    ).fetchall()[0]
    assert 0.75 < given / SMALL.customers < 0.92
    assert 0.05 < taken / given < 0.25
    assert back > 0


def test_the_spring_change_of_clocks_lies_within_the_days() -> None:
    shop = Shop()
    assert shop.opening.weekday() == 0
    assert shop.last - shop.opening == timedelta(days=30)
    assert shop.opening.date().isoformat() < "2026-03-29" < shop.last.date().isoformat()
