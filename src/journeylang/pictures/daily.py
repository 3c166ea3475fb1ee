"""Messages and money by day, also against the budgets that bound them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.model.policy import Budget
from journeylang.model.project import Project
from journeylang.pictures import charts
from journeylang.pictures.markup import Picture
from journeylang.sql.caps import span_of_time

_DAY = 86_400
_MANY = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a journey has sent by a channel on a day; `cost` None where nothing is known of it."""

    day: date
    journey: str
    channel: str
    messages: float
    cost: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `amount` for these journeys' messages by `channel` (None: any) within a window.

    The window is `days` back, or a calendar `unit`; neither: all time.
    """

    name: str
    amount: float
    currency: str
    journeys: frozenset[str]
    channel: str | None = None
    days: int | None = None
    unit: str | None = None


def messages(sent: Sequence[Sent]) -> Picture | None:
    """By day and channel; None where nothing was sent."""
    channels = sorted({one.channel for one in sent})
    of: dict[date, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one in sent:
        of[one.day][one.channel] += one.messages
    if not of:
        return None
    sums = {day: sum(counts.values()) for day, counts in of.items()}
    most = max(sums, key=lambda day: (sums[day], day))
    days = "a day" if len(of) == 1 else f"{len(of):,} days"
    points = [(f"{day}", c, of[day][c]) for day in sorted(of) for c in channels if of[day][c]]
    return Picture(
        title="messages by day",
        told=f"{sum(sums.values()):,.0f} messages on {days}, most on {most}: {sums[most]:,.0f}.",
        svg=charts.by_day(points, channels, unit="messages"),
        head=("day", *channels),
        rows=tuple((f"{day}", *(f"{of[day][c]:,.0f}" for c in channels)) for day in sorted(of)),
        legend=tuple(channels),
    )


def limits(project: Project, journeys: Iterable[str]) -> Iterator[Limit]:
    """The budgets of journeys and of the policies that they keep."""
    named = [project.journeys[name] for name in journeys]
    for journey in named:
        for budget in journey.budgets:
            yield _limit(budget, frozenset({journey.name}), f"of {journey.name}")
    for policy in sorted({journey.policy for journey in named if journey.policy is not None}):
        # A policy's budget is spent by everybody who keeps it.
        all_of_it = frozenset(n for n, j in project.journeys.items() if j.policy == policy)
        for budget in project.policies[policy].budgets:
            yield _limit(budget, all_of_it, f"of policy {policy}")


def _limit(budget: Budget, journeys: frozenset[str], whose: str) -> Limit:
    window = f" per {budget.calendar}" if budget.calendar is not None else ""
    window = f" per {span_of_time(budget.seconds)}" if budget.seconds is not None else window
    channel = f" {budget.channel}" if budget.channel is not None else ""
    return Limit(
        name=f"budget{channel} {_plain(budget.amount)} {budget.currency}{window} {whose}",
        amount=float(budget.amount),
        currency=budget.currency,
        journeys=journeys,
        channel=budget.channel,
        days=None if budget.seconds is None else -(-budget.seconds // _DAY),
        unit=budget.calendar,
    )


def _plain(amount: Decimal) -> str:
    """`500`, not `500.0000`."""
    told = f"{amount:f}"
    return told.rstrip("0").rstrip(".") if "." in told else told


def cost(sent: Sequence[Sent], currency: str) -> Picture | None:
    """What was spent up to each day."""
    by: dict[date, float] = defaultdict(float)
    for one in sent:
        by[one.day] += one.cost or 0.0
    if not any(by.values()):
        return None
    so_far, total = [], 0.0
    for day in sorted(by):
        total += by[day]
        so_far.append((f"{day}", total))
    return Picture(
        title="cost so far",
        told=f"{total:,.2f} {currency} up to {so_far[-1][0]}.",
        svg=charts.lines(
            [(day, currency, amount) for day, amount in so_far],
            [currency],
            unit=currency,
        ),
        head=("day", f"that day, {currency}", f"so far, {currency}"),
        rows=tuple(
            (day, f"{by[date.fromisoformat(day)]:,.2f}", f"{amount:,.2f}") for day, amount in so_far
        ),
    )


def spent_by_day(sent: Iterable[Sent], limit: Limit) -> list[tuple[date, float]]:
    """What was spent within the budget's window, seen from each day; empty if nothing was."""
    by: dict[date, float] = defaultdict(float)
    for one in sent:
        if one.journey in limit.journeys and limit.channel in (None, one.channel):
            by[one.day] += one.cost or 0.0
    if not any(by.values()):
        return []
    first, last = min(by), max(by)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [(day, sum(by[d] for d in by if _same(d, day, limit))) for day in days]


def against(sent: Sequence[Sent], limit: Limit) -> Picture | None:
    """What was spent within the budget's window, seen from each day. None if nothing was."""
    spent = spent_by_day(sent, limit)
    if not spent:
        return None
    most_day, most = max(spent, key=lambda one: one[1])
    return Picture(
        title=limit.name,
        told=(
            f"At most {most:,.2f} of {limit.amount:,.2f} {limit.currency} was spent in its window"
            f" ({most / limit.amount:.0%}), on {most_day}."
            if limit.amount
            else f"{most:,.2f} {limit.currency} was spent of nothing."
        ),
        svg=charts.lines(
            [(f"{day}", "spent", amount) for day, amount in spent],
            ["spent"],
            unit=limit.currency,
            limits=[("budget", limit.amount)],
        ),
        head=("day", f"spent in its window, {limit.currency}"),
        rows=tuple((f"{day}", f"{amount:,.2f}") for day, amount in spent),
    )


def _same(then: date, day: date, limit: Limit) -> bool:
    """Whether what was spent then counts in the window that `day` is in."""
    if then > day:
        return False
    if limit.days is not None:
        return (day - then).days < limit.days
    match limit.unit:
        case "day":
            return then == day
        case "week":
            return then.isocalendar()[:2] == day.isocalendar()[:2]
        case "month":
            return (then.year, then.month) == (day.year, day.month)
        case _:
            return True


def reasons(lost: Sequence[tuple[str, str, float]], title: str, unit: str) -> Picture | None:
    """What was not sent, or held at first: (reason, of what, how often), the most first."""
    kinds = list(dict.fromkeys(kind for _, kind, _ in lost))
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for reason, kind, count in lost:
        sums[reason][kind] += count
    if not sums:
        return None
    order = sorted(sums, key=lambda reason: (-sum(sums[reason].values()), reason))[:_MANY]
    named = ", ".join(f"{sum(sums[r].values()):,.0f} {r}" for r in order[:3])
    return Picture(
        title=title,
        told=f"Most by: {named}." if len(order) > 1 else f"{named}.",
        svg=charts.bars(
            [(r, kind, sums[r][kind]) for r in order for kind in kinds if sums[r][kind]],
            kinds,
            unit=unit,
        ),
        head=("reason", *kinds),
        rows=tuple((r, *(f"{sums[r][kind]:,.0f}" for kind in kinds)) for r in order),
        legend=tuple(kinds),
    )
