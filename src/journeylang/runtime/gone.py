"""When it is to be asked who is no longer among the customers."""

from __future__ import annotations

from datetime import datetime

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
    """Have the next tick ask, whatever is counted; it does where some were held back."""
    said = " AND ".join(f"value NOT LIKE {text(f'{one}%')}" for one in (HELD, MEANT))
    engine.execute(f"DELETE FROM journey.meta WHERE name = {text(COUNTS)} AND {said}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """So many of the `active` runs are of people who are not in `customers`, and have not left.

    `at` is the tick that has found them (naive UTC).
    """

    runs: int
    active: int
    at: datetime

    @property
    def counts(self) -> str:
        """What is kept in the place of the counts."""
        return f"{HELD}{self.runs} {self.active} {self.at.isoformat()}"

    def __str__(self) -> str:
        return (
            f"{self.runs:,} of {self.active:,} runs are of people who are not in `customers`;"
            " nobody moves until they are back"
        )


class IncompleteError(Exception):
    """The customers are rather being loaded: the tick is undone, and the next one asks again."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(str(missing))
        self.missing = missing


def too_many(runs: int, active: int) -> bool:
    """Whether so many would leave at once that the table is rather taken to be incomplete."""
    return runs > MOST and runs > SHARE * active


def meant(kept: str | None) -> int:
    """How many a person has said that they have left, since so many were missing."""
    return int(kept.removeprefix(MEANT)) if kept is not None and kept.startswith(MEANT) else 0


def held(kept: str | None) -> Missing | None:
    """Those of whom the latest tick has not let anybody leave."""
    if kept is None or not kept.startswith(HELD):
        return None
    runs, active, at = kept.removeprefix(HELD).split()
    return Missing(runs=int(runs), active=int(active), at=datetime.fromisoformat(at))


def held_back(engine: Engine) -> Missing | None:
    """The same, of what the database keeps."""
    return next((held(kept) for (kept,) in engine.query(_KEPT)), None)


def let_leave(engine: Engine) -> bool:
    """Have the next tick let as many leave as are missing now; whether some were held back."""
    if engine.columns(("journey", "meta")) is None:
        return False
    found = held_back(engine)
    if found is None:
        return False
    now = f"name = {text(COUNTS)} AND value = {text(found.counts)}"
    said = text(f"{MEANT}{found.runs}")
    return bool(engine.execute(f"UPDATE journey.meta SET value = {said} WHERE {now}"))


_KEPT = f"SELECT value FROM journey.meta WHERE name = {text(COUNTS)}"
