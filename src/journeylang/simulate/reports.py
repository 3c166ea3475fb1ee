"""A dry run for programs: JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from journeylang.pictures.daily import Limit, spent_by_day
from journeylang.simulate.forecast import Course, Estimate, Forecast, Power
from journeylang.simulate.spending import sent


def as_json(forecast: Forecast) -> str:
    """One object; `docs/schemas/simulate.json` says what is in it."""
    return json.dumps(document(forecast), indent=2, ensure_ascii=False)


def document(forecast: Forecast) -> dict[str, Any]:
    """Counts are numbers, or of a sample objects with `value`, `low` and `high`."""
    return {
        "format_version": 1,
        "from": forecast.start.isoformat(),
        "until": forecast.end.isoformat(),
        "step_seconds": forecast.step,
        "seed": forecast.seed,
        "sample": forecast.share,
        "customers": forecast.customers,
        "ticks": forecast.ticks,
        "idle_ticks": forecast.idle,
        "mode": "closed" if forecast.stepped is None else "stepped",
        "stepped_because": forecast.stepped,
        "assumed": {"by": forecast.assumed_by, "lines": list(forecast.assumed)},
        "passed": not forecast.failed,
        "messages": round(forecast.messages),
        "cost": {currency: _money(cost) for currency, cost in forecast.costs.items()},
        "journeys": [_course(course) for course in forecast.courses],
        "days": [
            {
                "date": day.date,
                "journey": day.journey,
                "channel": day.channel,
                "messages": _count(day.messages),
                "cost": _money(day.cost),
            }
            for day in forecast.days
        ],
        "targets": [
            {
                "kind": verdict.kind,
                "journey": verdict.journey,
                "target": verdict.target,
                "met": verdict.met,
                "figure": verdict.figure,
                "at": verdict.at.isoformat() if verdict.at is not None else None,
            }
            for verdict in forecast.verdicts
        ],
        "budgets": [_budget(limit, forecast) for limit in forecast.limits],
        "experiments": [_power(power) for power in forecast.experiments],
        "providers": [
            {
                "provider": load.provider,
                "channels": list(load.channels),
                "messages": _count(load.messages),
                "peak": _count(load.peak),
                "peak_at": load.peak_at.isoformat(),
                "seconds_at_rate": load.takes,
            }
            for load in forecast.loads
        ],
        "notes": list(forecast.notes),
    }


def _course(course: Course) -> dict[str, Any]:
    return {
        "journey": course.journey,
        "title": course.title,
        "entered": _count(course.entered),
        "not_entered": {reason: _count(e) for reason, e in course.not_entered},
        "active": _count(course.active),
        "ended": {how: _count(e) for how, e in course.ended},
        "messages": _count(course.messages),
        "cost": _money(course.cost),
        "currency": course.currency,
        "steps": [
            {"step": step.path, "kind": step.kind, "came": _count(step.came)}
            | (
                {
                    "sent": _count(step.sent),
                    "not_sent": {reason: _count(e) for reason, e in step.not_sent},
                    "held": {reason: _count(e) for reason, e in step.held},
                }
                if step.sent is not None
                else {}
            )
            for step in course.steps
        ],
    }


def _budget(limit: Limit, forecast: Forecast) -> dict[str, Any]:
    return {
        "budget": limit.name,
        "amount": limit.amount,
        "currency": limit.currency,
        "journeys": sorted(limit.journeys),
        "channel": limit.channel,
        "spent": [
            {"date": day.isoformat(), "amount": round(amount, 4)}
            for day, amount in spent_by_day(sent(forecast), limit)
        ],
    }


def _power(power: Power) -> dict[str, Any]:
    return {
        "journey": power.journey,
        "experiment": power.experiment,
        "goal": power.goal,
        "arms": [
            {
                "arm": arm.name,
                "exposed": _count(arm.exposed),
                "judged": arm.judged,
                "reached": arm.reached,
            }
            for arm in power.arms
        ],
        "rate_of_control": power.rate,
        "exposed_a_day": power.a_day,
        "smallest_lift_seen": power.smallest,
        "lifts": [
            {"lift": lift, "customers": customers, "days": days}
            for lift, customers, days in power.lifts
        ],
    }


def _count(count: Estimate) -> Any:
    if count.exact:
        return round(count.value)
    return {"value": round(count.value), "low": round(count.low), "high": round(count.high)}


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
