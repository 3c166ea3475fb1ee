"""Figures of a dry run as one says them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from journeylang.simulate.forecast import (
    Arm,
    Course,
    Estimate,
    Forecast,
    Power,
    Step,
    Verdict,
    total,
)


def count(of: Estimate) -> str:
    """`1,204`, or of a sample `1,200 (1,050 to 1,350)`."""
    value = f"{of.value:,.0f}"
    return value if of.exact else f"{value} ({of.low:,.0f} to {of.high:,.0f})"


def listed(counts: tuple[tuple[str, Estimate], ...]) -> str:
    """`capped 120, quiet 3`."""
    return ", ".join(f"{name} {count(of)}" for name, of in counts)


def money(amount: Decimal | None, currency: str | None) -> str:
    """`12.40 EUR`; nothing where nothing is known of it."""
    return "" if amount is None or currency is None else f"{amount:,.2f} {currency}"


def heading(forecast: Forecast) -> str:
    """What was played, in a sentence or two."""
    days = (forecast.end - forecast.start).days
    whom = f"{forecast.customers:,} customers"
    if forecast.share < 1:
        whom = f"a sample of {forecast.share:.4g} of {forecast.customers:,} customers".replace(
            f"{forecast.share:.4g}", f"{100 * forecast.share:.4g} %"
        )
    return (
        f"{days} day{'' if days == 1 else 's'} from {forecast.start:%Y-%m-%d %H:%M} UTC,"
        f" {whom}, seed {forecast.seed}; nothing was sent"
    )


def way(of: Forecast) -> str:
    """Which of the two ways it went, and why."""
    if of.stepped is None:
        return "each life at once, for nothing couples them"
    return f"tick by tick, because {of.stepped}"


def behaviour(forecast: Forecast) -> str:
    """Where behaviour is from."""
    if not forecast.assumed:
        return "nothing is assumed: nobody does anything but what the tables hold already"
    return f"{forecast.assumed_by}: {'; '.join(forecast.assumed)}"


def summary(forecast: Forecast) -> str:
    """Messages and what they cost."""
    costs = ", ".join(money(cost, currency) for currency, cost in forecast.costs.items())
    return f"{forecast.messages:,.0f} messages" + (f", {costs}" if costs else "")


def verdict(of: Verdict) -> str:
    """`met`, `missed` or `not judged`."""
    return {True: "met", False: "missed", None: "not judged"}[of.met]


def reason(of: Verdict) -> str:
    """The figure, and when a guard paused its journey."""
    return of.figure + (f" at {of.at:%Y-%m-%d %H:%M}" if of.at is not None else "")


def course(of: Course) -> list[str]:
    """Who came, who left, and what was sent, a line each."""
    cost = money(of.cost, of.currency)
    sent = f"{count(of.messages)} messages{f', {cost}' if cost else ''}"
    lines = [f"{count(of.entered)} entered, {count(of.active)} still inside, {sent}"]
    if of.not_entered:
        lines.append(f"not let in: {listed(of.not_entered)}")
    if of.ended:
        lines.append(f"left: {listed(of.ended)}")
    return lines


STEP = ("step", "came", "sent", "not sent", "held at first")
"""The head of a table of steps, of which the second and third are figures."""


def step(of: Step) -> tuple[str, str, str, str, str]:
    """A row of it."""
    sent = "" if of.sent is None else count(of.sent)
    return of.path, count(of.came), sent, listed(of.not_sent), listed(of.held)


def all_of(counts: Iterable[tuple[tuple[str, Estimate], ...]]) -> str:
    """Several lists as one."""
    found: dict[str, list[Estimate]] = defaultdict(list)
    for one in counts:
        for name, of in one:
            found[name].append(of)
    sums = [(name, total(of)) for name, of in found.items()]
    return listed(tuple(sorted(sums, key=lambda one: (-one[1].value, one[0]))))


def by_day(forecast: Forecast) -> tuple[list[str], list[tuple[str, list[Estimate]]]]:
    """The channels, and for each day how many messages by each of them went out."""
    channels = sorted({day.channel for day in forecast.days})
    found: dict[str, dict[str, list[Estimate]]] = defaultdict(lambda: defaultdict(list))
    for day in forecast.days:
        found[day.date][day.channel].append(day.messages)
    return channels, [
        (date, [total(found[date][channel]) for channel in channels]) for date in sorted(found)
    ]


def rate(of: Arm) -> str:
    """`3.1 % of 1,204`, of those whose time is over."""
    if not of.judged:
        return "nobody's time is over"
    return f"{of.reached / of.judged:.2%} of {of.judged:,}"


def power(of: Power) -> str:
    """What could be seen, and when."""
    if not of.goal:
        return "no power can be told: the journey has no goal"
    if not of.windowed:
        return "no power can be told: the goal has no end; give it one, like `within 14d`"
    if of.rate is None:
        return "no power can be told: nobody's time to reach the goal is over"
    if not of.lifts:
        return "no power can be told: it takes two arms, and a rate above nothing"
    told = [
        f"{lift:+.0%} takes {customers:,} customers"
        + (f", {days:,.0f} days" if days is not None else "")
        for lift, customers, days in of.lifts
    ]
    smallest = f"; after these days {of.smallest:+.0%} is seen" if of.smallest is not None else ""
    return f"{'; '.join(told)}{smallest}"
