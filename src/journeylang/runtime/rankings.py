"""What conditions ask beside the bound tables: rankings of all customers, and local dates."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from itertools import groupby

from journeylang.engines.base import Engine
from journeylang.runtime.localtime import ZoneTables, zones_in_use
from journeylang.runtime.program import Ready
from journeylang.sql.rankings import RANKING
from journeylang.sql.session import temporary


def make_rankings(
    engine: Engine, ready: Ready, key_type: str, journeys: Collection[int], now: datetime
) -> None:
    """Make the rankings that these journeys ask for, as things stand now."""
    wanted = [r for r in ready.rankings if r.journeys.intersection(journeys)]
    if wanted:
        engine.execute(temporary(engine.dialect, "ranking", RANKING, key_type))
    for _, level in groupby(wanted, key=lambda r: r.level):
        rows = "\nUNION ALL ".join(r.rows for r in level)
        engine.execute(f"INSERT INTO ranking\n{rows}", {"now": now})


def make_answers(
    engine: Engine, ready: Ready, key_type: str, journeys: Collection[int], now: datetime
) -> None:
    """The same outside of a tick, with the dates where customers are."""
    bound = ready.project.binding.customers
    if bound is not None and ready.dated.intersection(journeys):
        names = zones_in_use(engine, ready.project.binding)
        ZoneTables().cover(engine, ready.program, names, bound.zone_else, low=now, now=now)
    # Behind the dates: people may be ranked by their ages.
    make_rankings(engine, ready, key_type, journeys, now)
