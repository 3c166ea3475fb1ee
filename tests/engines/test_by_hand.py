"""SQL written by hand is DuckDB's, and means the same on PostgreSQL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from journeylang.engines.base import Engine, StatementError
from journeylang.model.binding import Binding
from journeylang.runtime.setup import lay_foundation
from journeylang.sql.relations import customers
from tests.agreement.both import compiled
from tests.agreement.prelude import BINDING
from tests.agreement.small import START, journey, person, project
from tests.engines.databases import ENGINES, database, put

EXPRESSIONS = {
    "text": [
        "upper(c.country) || '!'",
        "substring(c.email, 1, 3)",
        "left(c.email, 2) || right(c.email, 2)",
        "replace(c.country, 'D', 'd')",
        "split_part(c.email, '@', 2)",
        "trim(concat(' ', c.country, ' '))",
        "coalesce(c.favourite, c.country, 'none')",
        "CASE WHEN c.points > 5 THEN 'many' ELSE 'few' END",
        "lower(c.email) || CAST(c.points AS VARCHAR)",
        "nullif(c.country, 'DE')",
    ],
    "int": [
        "length(c.email)",
        "c.points * 2 + 1",
        "c.points // 4",
        "c.points % 4",
        "abs(-c.points)",
        "TRY_CAST(c.country AS INTEGER)",
        "CAST(c.email AS BIGINT)",
        "strpos(c.email, '@')",
        "greatest(c.points, 7)",
        "year(c.born)",
        "extract(month FROM c.joined)",
        "CASE WHEN c.points IS NULL THEN 0 ELSE 1 END",
    ],
    "number": [
        "c.points / 4",
        "c.rate / 0",
        "c.rate * 1.5",
        "round(c.rate, 1)",
        "ceil(c.rate) + floor(c.rate)",
        "CAST(c.points AS DOUBLE)",
    ],
    "bool": [
        "c.email LIKE '%x.example'",
        "c.email ILIKE 'P%'",
        "starts_with(c.email, 'p1')",
        "c.country IN ('DE', 'FR')",
        "c.points BETWEEN 3 AND 7",
        "c.vip AND NOT c.points > 5",
        "contains(c.email, '2@')",
        "c.points IS NOT DISTINCT FROM 4",
        "CAST('maybe' AS BOOLEAN)",
    ],
    "date": ["CAST(c.joined AS DATE)", "date_trunc('month', c.born)", "CAST('x' AS DATE)"],
    "instant": ["CAST(c.born AS TIMESTAMP)", "c.joined + INTERVAL '1' DAY"],
}
CASES = [(kind, sql) for kind, listed in EXPRESSIONS.items() for sql in listed]
WAY_IN = project(journey("j", "w: wait 1h", enter="enter when true"))


def rows() -> list[dict[str, Any]]:
    return [
        person(
            n,
            email=f"p{n}@x.example" if n % 5 else None,
            country=("DE", "FR", None, "12")[n % 4],
            points=n - 2 if n % 6 else None,
            rate=0.25 * n,
            vip=n % 2 == 0,
            born=START.date().replace(year=1980 + n),
            joined=START if n % 3 else None,
        )
        for n in range(1, 13)
    ]


def plain(value: Any) -> Any:
    return round(float(value), 9) if isinstance(value, float | Decimal) else value


def read(engine: Engine, bound: Binding, field: str) -> list[Any]:
    relation = customers(bound, engine.dialect, (field,))
    try:
        rows = engine.query(f"SELECT b.{field} FROM {relation} AS b ORDER BY b.customer_id")
    except StatementError as refused:
        return [str(refused)]
    return [plain(value) for (value,) in rows]


@pytest.fixture(scope="module")
def answers() -> dict[str, list[list[Any]]]:
    """Of each engine, what comes of all expressions for everybody."""
    fields = "".join(f"  field f{n}: {kind}? = sql`{sql}`\n" for n, (kind, sql) in enumerate(CASES))
    binding = BINDING.replace("  field email: text?", f"{fields}  field email: text?", 1)
    found = {}
    for name in ENGINES:
        with database(name) as engine:
            lay_foundation(engine)
            put(engine, "crm.customers", rows())
            bound = compiled(WAY_IN, binding).binding
            found[name] = [read(engine, bound, f"f{n}") for n in range(len(CASES))]
    return found


@pytest.mark.parametrize("number", range(len(CASES)), ids=[sql for _, sql in CASES])
def test_an_expression(answers: dict[str, list[list[Any]]], number: int) -> None:
    here, there = (answers[name][number] for name in ENGINES)
    assert here == there
    assert len(here) == 12
