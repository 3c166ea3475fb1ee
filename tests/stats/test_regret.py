"""What learning shares save against even ones: the same draw of shares as a tick's, day by day.

The table of `docs/reporting.md` is what this prints and checks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from journeylang.runtime.learning import seed
from journeylang.stats.bandits import WHOLE, chances_of_being_best, floored
from journeylang.stats.comparison import Comparison, Verdict
from journeylang.stats.moments import Rate
from journeylang.stats.proportions import compare

pytestmark = pytest.mark.slow

DAYS, A_DAY, WINDOW = 30, 400, 3
TRIALS = 12
PAGE = Path(__file__).parents[2] / "docs" / "reporting.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Conversions missed against the best arm alone, customers in it, and if it was found out."""

    missed: float
    in_best: float
    found: bool


def course(rates: tuple[float, float], number: int, *, learns: bool) -> Course:
    """A month; a day's customers are known to the draws `WINDOW` days later, as in a tick."""
    draw = np.random.default_rng(number)
    sent: list[tuple[tuple[int, int], tuple[int, int]]] = []
    shares = [WHOLE // 2, WHOLE // 2]
    for day in range(DAYS):
        judged = sent[: max(0, day - WINDOW)]
        counts = [(sum(d[n][0] for d in judged), sum(d[n][1] for d in judged)) for n in (0, 1)]
        if learns and judged:
            today = date(2026, 3, 1) + timedelta(days=day)
            shares = floored(chances_of_being_best(counts, seed(f"trial-{number}", today)))
        first = int(draw.binomial(A_DAY, shares[0] / WHOLE))
        of = (first, A_DAY - first)
        sent.append(tuple((n, int(draw.binomial(n, p))) for n, p in zip(of, rates, strict=True)))  # type: ignore[arg-type]
    both = [Rate(n=sum(d[n][0] for d in sent), hits=sum(d[n][1] for d in sent)) for n in (0, 1)]
    found = compare(both[0], both[1])
    best = max(rates)
    return Course(
        missed=sum((best - p) * rate.n for p, rate in zip(rates, both, strict=True)),
        in_best=both[1].n / (DAYS * A_DAY),
        found=isinstance(found, Comparison) and found.verdict is Verdict.HIGHER,
    )


def row(rates: tuple[float, float]) -> tuple[str, float, float]:
    """A line of the page's table, and the conversions missed: learning, even."""
    learnt = [course(rates, number, learns=True) for number in range(TRIALS)]
    even = [course(rates, number, learns=False) for number in range(TRIALS)]
    missed = [float(np.mean([one.missed for one in of])) for of in (learnt, even)]
    inside = float(np.mean([one.in_best for one in learnt]))
    seen = [sum(one.found for one in of) for of in (learnt, even)]
    line = (
        f"| {rates[0]:.0%} and {rates[1]:.0%} | {missed[1]:.0f} | {missed[0]:.0f} |"
        f" {inside:.0%} | {seen[1]} | {seen[0]} |"
    )
    return line, missed[0], missed[1]


@pytest.mark.parametrize(("rates", "at_most"), [((0.10, 0.12), 0.65), ((0.10, 0.15), 0.4)])
def test_learning_misses_less_than_even_shares(rates: tuple[float, float], at_most: float) -> None:
    line, learnt, even = row(rates)
    print(line)
    assert learnt < at_most * even
    assert line in PAGE.read_text(encoding="utf-8").splitlines()


def test_with_nothing_to_learn_it_costs_nothing() -> None:
    found = [course((0.1, 0.1), number, learns=True) for number in range(TRIALS)]
    assert all(one.missed == 0 for one in found)
    assert 0.3 < float(np.mean([one.in_best for one in found])) < 0.7
    # An alarm of two sides at 5 %, of which half is `higher`.
    assert sum(one.found for one in found) <= 2
