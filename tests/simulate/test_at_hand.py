"""What ticks read of the customers is in memory where it was a view; all else stays as bound."""

from __future__ import annotations

from journeylang.api import load
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.model.binding import Binding
from journeylang.simulate.population import SCHEMA, at_hand
from tests.benchmarks.dry_run import PROJECT


def test_a_view_is_copied_as_far_as_it_is_bound() -> None:
    binding = _bound()
    bound = binding.customers
    assert bound is not None
    engine = DuckDbEngine.open(":memory:")
    schema, name = bound.table.parts
    wanted = ("customer_id", "tz", "email", "push_token", "changed_at")
    engine.execute(f"CREATE SCHEMA {SCHEMA}; CREATE SCHEMA {schema}")
    listed = ", ".join(f'NULL AS "{c}"' for c in wanted)
    engine.execute(f'CREATE VIEW {schema}.{name} AS SELECT {listed}, 1 AS "not_bound"')
    mine = at_hand(engine, binding).customers
    assert mine is not None
    assert mine.table.parts == (SCHEMA, "customers")
    there = engine.columns((SCHEMA, "customers"))
    assert there is not None
    assert set(there) == set(wanted)
    assert engine.query(f"SELECT count(*) FROM {SCHEMA}.customers") == [(1,)]
    engine.close()


def test_a_table_stays_where_it_is() -> None:
    binding = _bound()
    assert binding.customers is not None
    engine = DuckDbEngine.open(":memory:")
    schema, name = binding.customers.table.parts
    engine.execute(f"CREATE SCHEMA {SCHEMA}; CREATE SCHEMA {schema}")
    engine.execute(f"CREATE TABLE {schema}.{name} (id BIGINT)")
    assert at_hand(engine, binding) is binding
    engine.close()


def _bound() -> Binding:
    loaded = load(PROJECT, "dev").outcome.value
    assert loaded is not None
    return loaded.project.binding
