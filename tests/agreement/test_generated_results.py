"""Generated guards on results: what the oracle means by them, the runtime does.

With two hundred customers before a share is judged, nothing would ever be; here one is enough.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journeylang.runtime import readings
from tests.agreement.both import Both, both
from tests.agreement.expressions import Draw
from tests.agreement.small import DAY, HOUR, MINUTE, START, happens, people, program
from tests.agreement.test_generated import CHOSEN, UNMOVED
from tests.oracle import results as meant

STEPS = 'one: send sms "t"\nw: wait 6h\ntwo: send email "t"\nv: wait 5d'
VALUE = "value { revenue: ordered.total goods: ordered.total }"
BOUNDS = {
    "orders": ("1", "1", "2", "3"),
    "leads": ("1", "1", "2"),
    "revenue": ("0 EUR", "20 EUR", "25 EUR", "45 EUR"),
    "conversion": ("50%", "100%", "0%", "30%"),
    "roi": ("-1", "0", "332.3333", "1.5", "300"),
}


@st.composite
def texts(draw: Draw[Any]) -> str:
    def pick(*options: str) -> str:
        return str(draw(st.sampled_from(options)))

    measure = pick(*BOUNDS)
    event = pick("ordered", "ordered", "ordered", "visited", "clicked")
    worth = pick(" worth total", "") if event == "ordered" else ""
    where = pick("", "", " where items > 1", " where items = entry.score")
    where = where if event == "ordered" else ""
    within = f" within {pick('6h', '1d', '3d')}"
    bound, operator = pick(*BOUNDS[measure]), pick("<", "<=", ">", ">=")
    over = pick(" over 6h", " over 1d", " over 4d")
    needs = operator.startswith(">") and measure in ("orders", "leads", "revenue")
    headers = [
        f"goal {event}{where}{within}{worth}",
        f"guard {measure} {operator} {bound}{over if needs else pick('', over)}",
        pick("reenter always", "reenter never", "reenter after 1d"),
        *draw(st.sampled_from(((), (), ('holdout 40% salt "h"',)))),
    ]
    enter = pick("enter on signed_up", "enter on signed_up", "enter on signed_up per score")
    return "\n".join((program(STEPS, *headers, enter=enter), VALUE))


# What becomes visible before a tick: (what, customer, minutes before the tick, how much).
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(
            ("ordered",) * 6 + ("signed_up", "visited", "said", "back", "resume"),
        ),
        st.integers(1, 3),
        st.sampled_from((-1, -1, 0, 1, 30, 60, 300, 360, 2_000)),
        st.sampled_from(("20", "25", "0.01", None)),
    ),
    min_size=1,
    max_size=6,
)
TICKS = st.lists(
    st.tuples(st.sampled_from((1, 2, 6, 24, 24, 49, 72)), CHANGES), min_size=3, max_size=7
)


def change(pair: Both, what: str, who: int, minutes: int, amount: str | None) -> None:
    at = pair.memory.now - timedelta(minutes=minutes)
    match what:
        case "said" if pair.memory.messages:
            pair.say(who % len(pair.memory.messages), "clicked", at)
        case "back" if pair.memory.messages:
            pair.give_back(who % len(pair.memory.messages))
        case "resume":
            pair.resume("j")
        case "signed_up":
            happens(pair, what, pair.memory.now + MINUTE, who, score=minutes % 2 + 1)
        case "ordered":
            total = None if amount is None else Decimal(amount)
            happens(pair, what, at, who, total=total, items=minutes % 2 + 1)
        case "visited":
            happens(pair, what, at, who)
        case _:
            pass


@pytest.mark.slow
@settings(CHOSEN, suppress_health_check=UNMOVED)
@given(texts(), TICKS)
def test_results_are_what_the_oracle_means(text: str, ticks: list[tuple[int, Any]]) -> None:
    with pytest.MonkeyPatch.context() as patch, both(text, START) as pair:
        patch.setattr(readings, "ENOUGH", 1)
        patch.setattr(meant, "ENOUGH", 1)
        people(pair, 1, 2, 3, mobile="+49")
        for number in (1, 2, 3):
            happens(pair, "signed_up", START + number * MINUTE, number, score=1)
        now = START + HOUR
        pair.tick(now)
        for hours, changes in ticks:
            for one in changes:
                change(pair, *one)
            now += hours * HOUR
            pair.tick(now)
        pair.tick(now + 4 * DAY)
