"""Experiments over time: how the difference of each arm has settled, day by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from journeylang.classes import dataclass
from journeylang.pictures import charts
from journeylang.pictures.markup import Picture
from journeylang.stats import sequences
from journeylang.stats.comparison import Comparison
from journeylang.stats.moments import Sample

Tally = tuple[date, str, int, int]
"""A UTC day, an arm, how many met it then and are mature, and of these how many reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """An arm against its control, by all who met the experiment up to a day and are mature."""

    day: date
    arm: str
    customers: int
    found: Comparison


def looks(days: Iterable[Tally], control: str, others: Sequence[str]) -> Iterator[Look]:
    """Day by day the share in each arm against the control's, as far as it can be told.

    Intervals are those of the confidence sequence, which may be looked at on every day.
    """
    of: dict[date, list[Tally]] = defaultdict(list)
    for one in days:
        of[one[0]].append(one)
    mature: dict[str, int] = defaultdict(int)
    reached: dict[str, int] = defaultdict(int)
    for day in sorted(of):
        for _, arm, n, hits in of[day]:
            mature[arm] += n
            reached[arm] += hits
        for arm in others:
            both = (control, arm)
            if not all(mature[name] for name in both):
                continue
            sums = [Sample(n=mature[n], total=reached[n], squares=reached[n]) for n in both]
            seen = sequences.compare(sums[0], sums[1], conversions=(reached[control], reached[arm]))
            if isinstance(seen, Comparison):
                yield Look(day=day, arm=arm, customers=mature[control] + mature[arm], found=seen)


def over_time(found: Sequence[tuple[str, Look]], note: str = "") -> Picture | None:
    """Each arm a band, under the name that stands before its looks."""
    if not found:
        return None
    series = list(dict.fromkeys(name for name, _ in found))
    told = "; ".join(
        f"{name} {_points(one.found.difference)} ({_limits(one.found)})"
        for name, one in dict(found).items()
    )
    last = max(one.day for _, one in found)
    return Picture(
        title="experiments over time",
        told=f"Up to {last}: {told}. The bands may be looked at on any day.{note}",
        svg=charts.bands(
            [
                (
                    f"{one.day}",
                    name,
                    one.found.difference,
                    one.found.interval.low,
                    one.found.interval.high,
                )
                for name, one in found
            ],
            series,
            unit="difference",
        ),
        head=("day", "arm", "mature customers", "difference", "interval"),
        rows=tuple(
            (
                f"{one.day}",
                name,
                f"{one.customers:,}",
                _points(one.found.difference),
                _limits(one.found),
            )
            for name, one in found
        ),
        right=2,
        legend=tuple(series),
    )


def _limits(found: Comparison) -> str:
    return f"{_bare(found.interval.low)} to {_bare(found.interval.high)}pp"


def _points(share: float) -> str:
    return f"{_bare(share)}pp"


def _bare(share: float) -> str:
    """Without a sign where it rounds to nothing."""
    figure = f"{100 * share:+.2f}"
    return figure if any(digit in "123456789" for digit in figure) else figure[1:]
