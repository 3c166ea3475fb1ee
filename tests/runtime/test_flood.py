"""Without a guard of its own, a journey that far more people enter than ever before is paused."""

from __future__ import annotations

from pathlib import Path

import pytest

from journeylang.runtime.pauses import AT_LEAST, TIMES
from tests.engines.databases import ENGINES
from tests.runtime.world import HOUR, JOURNEYS, NOW, make, opened

DAY = 24 * HOUR
USUAL = 400


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("more", "paused"), [(0, False), (1, True)])
def test_three_times_as_many_as_on_any_day(
    tmp_path: Path, engine: str, more: int, paused: bool
) -> None:
    root = make(tmp_path, {"welcome": JOURNEYS["welcome"]}, number=0, engine=engine)
    flood = TIMES * USUAL + more
    assert flood > AT_LEAST
    with opened(root, NOW) as runtime:

        def sign_up(first: int, number: int, day: int) -> None:
            for table, columns in (
                ("crm.customers (id)", "n"),
                ('shop.signups (id, customer_id, "at")', f"n, n, TIMESTAMP '{NOW + day * DAY}'"),
            ):
                runtime.engine.execute(
                    f"INSERT INTO {table} SELECT {columns}"
                    f" FROM generate_series({first}, {first + number - 1}) AS g(n)"
                )

        sign_up(1, USUAL, 10)
        assert runtime.tick(NOW + 10 * DAY + HOUR / 2).entered == USUAL
        sign_up(10_000, flood, 20)
        result = runtime.tick(NOW + 20 * DAY + HOUR / 2)
        assert bool(result.paused) == paused
        assert result.entered == (0 if paused else flood)
