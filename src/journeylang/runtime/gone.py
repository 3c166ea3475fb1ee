"""When it is to be asked who is no longer among the customers."""

from __future__ import annotations

from journeylang.engines.base import Engine
from journeylang.model.binding import Binding
from journeylang.sql.dialects import text
from journeylang.sql.gone import COUNTS
from journeylang.sql.relations import bound_value, rows_of


def known_keys(engine: Engine, binding: Binding) -> str | None:
    """What tells the keys that are there from others, if the engine numbers its tables anew.

    None of a view, whose rows the database does not count.
    """
    bound, d = binding.customers, engine.dialect
    if bound is None or engine.query(d.is_table(bound.table.parts)) != [(True,)]:
        return None
    digest = d.digest(bound_value(bound.key, d))
    return str(engine.query(f"SELECT {digest} FROM {rows_of(bound, d)}")[0][0]) if digest else ""


def ask_again(engine: Engine) -> None:
    """Have the next tick ask, whatever is counted."""
    engine.execute(f"DELETE FROM journey.meta WHERE name = {text(COUNTS)}")
