"""The shop in a PostgreSQL database: made as ever, and its rows copied over.

It has schemas `crm`, `shop` and `journey` there to itself, and a mark by which it is known again.
What stands in a database that has one of these schemas without the mark is never touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.demo.shop import Progress, Shop, fill

if TYPE_CHECKING:
    from journeylang.engines.base import Engine

_SCHEMAS = ("crm", "shop", "journey")
_MARK = "Made by `journey demo`; with --force it makes it anew."
_ROWS = 50_000
"""So many rows are handed over together."""

# Key, customer and instant: what a tick finds a customer's rows by.
_KEYS: dict[str, tuple[str, ...]] = {
    "crm.customers": ("customer_id",),
    "crm.signups": ("signup_id", "customer_id", "signed_up_at"),
    "crm.consents": ("consent_id", "customer_id", "changed_at"),
    "shop.orders": ("order_id", "customer_id", "placed_at"),
    "shop.carts": ("event_id", "customer_id", "happened_at"),
    "shop.visits": ("visit_id", "customer_id", "visited_at"),
    "shop.app_sessions": ("session_id", "customer_id", "opened_at"),
    "shop.products": ("sku",),
}


class DatabaseTakenError(Exception):
    """Something else is in the database; the message says what to do."""


def refuse_taken(engine: Engine, *, anew: bool) -> None:
    """Raises DatabaseTakenError unless the database is empty, or a demo's and wanted `anew`."""
    there = _there(engine)
    if not there:
        return
    strange = [name for name, mark in there.items() if mark != _MARK and name != "journey"]
    if strange or not there.keys() & {"crm", "shop"}:
        name = (strange or ["journey"])[0]
        raise DatabaseTakenError(
            f"the database has a schema `{name}` that no demo has made; name an empty database"
        )
    if not anew:
        raise DatabaseTakenError(
            "the database has a demo in it; `--force` makes it anew, all it knows included"
        )


def make_there(engine: Engine, shop: Shop, progress: Progress | None = None) -> dict[str, int]:
    """Write the shop into the database; answer with the rows of each table.

    A demo that is there goes, and all that the runtime knows of it.
    """
    import duckdb

    with duckdb.connect() as made:
        counts = fill(made, shop, progress)
        with engine.transaction():
            for schema in _there(engine):
                engine.execute(f"DROP SCHEMA {schema} CASCADE")
            for schema in ("crm", "shop"):
                engine.execute(f"CREATE SCHEMA {schema}")
                engine.execute(f"COMMENT ON SCHEMA {schema} IS '{_MARK}'")
            for done, (table, keys) in enumerate(_KEYS.items()):
                if progress is not None:
                    progress(f"{table} into the database", done, len(_KEYS))
                described = made.execute(f"DESCRIBE {table}").fetchall()
                columns = {name: kind for name, kind, *_ in described}
                listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
                engine.execute(f"CREATE TABLE {table} ({listed}, PRIMARY KEY ({keys[0]}))")
                rows = made.execute(f"SELECT * FROM {table}")
                while part := rows.fetchmany(_ROWS):
                    engine.insert(table, columns, part)
                if keys[1:]:
                    engine.execute(f"CREATE INDEX ON {table} ({', '.join(keys[1:])})")
    return counts


def _there(engine: Engine) -> dict[str, str | None]:
    """The schemas that a demo needs for itself and that are there, each with its comment."""
    names = ", ".join(f"'{name}'" for name in _SCHEMAS)
    return dict(
        engine.query(
            "SELECT nspname::text, obj_description(oid, 'pg_namespace') FROM pg_namespace"
            f" WHERE nspname IN ({names}) ORDER BY nspname"
        )
    )
