"""Ten megabytes in a column of text: everybody moves, on both engines."""

from __future__ import annotations

import pytest

from tests.agreement import both as side_by_side
from tests.agreement.both import both
from tests.agreement.small import HOUR, MINUTE, START, happens, journey, people, person, project
from tests.engines.databases import ENGINES

LONG = "ä" + "x" * 10_000_000

STEPS = """
m1: send email "t" with { v: customer.country, w: entry.source }
if customer.shout contains "XÄ" or entry.source starts with "äx" { exit as long }
set level = customer.country
r1: wait for visited where page = customer.country up to 1d { on visited { exit as seen } }
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_ten_megabytes(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "engine_under_test", engine)
    text = project(journey("j", STEPS, "reenter always", enter="enter on signed_up per source"))
    with both(text, START) as pair:
        people(pair, 1)
        pair.add("crm.customers", person(2, country=LONG, favourite=LONG, tz=LONG, email=LONG))
        happens(pair, "signed_up", START + MINUTE, source="web")
        happens(pair, "signed_up", START + MINUTE, 2, source="web")
        happens(pair, "signed_up", START + 2 * MINUTE, 1, source=LONG)
        pair.tick(START + HOUR)
        happens(pair, "visited", START + HOUR + MINUTE, 2, page=LONG)
        look = pair.tick(START + 2 * HOUR)
        assert sorted(row[8] for row in look["runs"] if row[4] != "active") == ["long", "seen"]
