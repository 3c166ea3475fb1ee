"""Who was inside a segment when a journey that is entered by joining it was first applied."""

from __future__ import annotations

import pytest

from journeylang.engines.base import Engine
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from tests.agreement.both import compiled
from tests.agreement.small import HOUR, START, person, program
from tests.engines.databases import ENGINES, database, put

pytestmark = pytest.mark.parametrize("engine", ENGINES)

OTHERWISE = program("w: wait 30d")
JOINS = program("w: wait 30d", enter="enter when joins rich").replace(
    "language 1\n", "language 1\nsegment rich = customer.points >= 100\n"
)


def inside(real: Engine) -> tuple[list[object], int]:
    """Who is known to be inside, and of how many journeys that is known."""
    members = [row[0] for row in real.query("SELECT customer_id FROM journey.member ORDER BY 1")]
    ((marks,),) = real.query(
        "SELECT count(*) FROM journey.watermark WHERE starts_with(name, 'joins ')"
    )
    return members, marks


def ready(real: Engine, text: str, hour: int, *, apply: bool = True, moves: bool = True) -> None:
    now = START + hour * HOUR
    session = prepare(real, compiled(text), now=now, apply=apply, moves=moves)
    assert isinstance(session, Session), session


def test_it_is_taken_down_once(engine: str) -> None:
    with database(engine) as real:
        put(real, "crm.customers", [person(1, points=100), person(2, points=1)])
        ready(real, JOINS, 0)
        assert inside(real) == ([1], 1)
        put(real, "crm.customers", [person(3, points=100)])
        ready(real, JOINS, 1)
        assert inside(real) == ([1], 1)


def test_who_moves_nobody_neither_begins_nor_ends_it(engine: str) -> None:
    """Who delivers beside the one that ticks may be behind it, or ahead, by an apply."""
    with database(engine) as real:
        put(real, "crm.customers", [person(1, points=100)])
        ready(real, OTHERWISE, 0)
        assert inside(real) == ([], 0)
        ready(real, JOINS, 1, apply=False, moves=False)
        assert inside(real) == ([], 0)
        ready(real, JOINS, 2)
        assert inside(real) == ([1], 1)
        ready(real, OTHERWISE, 3, apply=False, moves=False)
        assert inside(real) == ([1], 1)
        ready(real, OTHERWISE, 4, apply=False)
        assert inside(real) == ([], 0)
