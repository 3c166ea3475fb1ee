"""When it is to be asked who is no longer among the customers."""

from __future__ import annotations

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.binding import Binding
from journeylang.sql.dialects import text
from journeylang.sql.gone import COUNTS, HELD, MEANT, MOST, SHARE
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """So many of the `active` runs are of people who are not in `customers`, and have not left."""

    runs: int
    active: int

    @property
    def counts(self) -> str:
        """What is kept in the place of the counts."""
        return f"{HELD}{self.runs} {self.active}"

    def __str__(self) -> str:
        return (
            f"{self.runs:,} of {self.active:,} runs are of people who are not in `customers`;"
            " nobody has left for that"
        )


def too_many(runs: int, active: int) -> bool:
    """Whether so many would leave at once that the table is rather taken to be incomplete."""
    return runs > MOST and runs > SHARE * active


def is_meant(engine: Engine) -> bool:
    """Whether a person has said so since some were held back."""
    return engine.query(_KEPT) == [(MEANT,)]


def held_back(engine: Engine) -> Missing | None:
    """Those of whom the latest tick that asked has not let anybody leave."""
    for (kept,) in engine.query(_KEPT):
        if kept.startswith(HELD):
            runs, active = kept.removeprefix(HELD).split()
            return Missing(runs=int(runs), active=int(active))
    return None


def let_leave(engine: Engine) -> bool:
    """Have the next tick let everybody leave who is missing; whether some were held back."""
    if engine.columns(("journey", "meta")) is None:
        return False
    held = f"name = {text(COUNTS)} AND value LIKE {text(f'{HELD}%')}"
    return bool(engine.execute(f"UPDATE journey.meta SET value = {text(MEANT)} WHERE {held}"))


_KEPT = f"SELECT value FROM journey.meta WHERE name = {text(COUNTS)}"
