"""A journey's plan as JSON: what a version stores and what `compile --emit plan` shows.

Deterministic: the same journey gives the same text. Spans are left out, so that moving a
definition in its file changes nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any

from journeylang.model.expressions import Listed, MetricValue, SegmentTest
from journeylang.model.journey import Experiment, Factors
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.plan.asks import asked
from journeylang.plan.operations import JourneyPlan, Program

FORMAT_VERSION = 1


def to_json(value: object) -> Any:
    """Frozen dataclasses as objects with their `kind`; spans and empty members left out."""
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return format(value, "f")
        case datetime() | date() | time():
            return value.isoformat()
        case tuple() | list() | frozenset():
            return [to_json(v) for v in value]
        case dict():
            return {str(k): to_json(v) for k, v in value.items()}
        case _ if dataclasses.is_dataclass(value):
            members = {
                f.name: to_json(getattr(value, f.name))
                for f in dataclasses.fields(value)
                if f.name not in ("span", "type") and getattr(value, f.name) is not None
            }
            return {"kind": type(value).__name__, **members}
        case _:
            raise AssertionError(f"no JSON for {type(value).__name__}")


def plan_json(
    project: Project,
    program: Program,
    plan: JourneyPlan,
    templates: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The plan of one journey with the definitions that it uses.

    `templates`: their texts by path; of those that the journey sends a hash is part of it, and
    one of the binding. Rules over local time stand where the program has their numbers.
    """
    body: dict[str, Any] = _with_rules(to_json(plan), [to_json(r) for r in program.rules])
    body["format_version"] = FORMAT_VERSION
    upgrade = project.journeys[plan.name].upgrade
    if upgrade != "migrate":
        body["upgrade"] = upgrade
    bound = to_json(project.binding)
    del bound["aside"]
    body["binding"] = _hash(bound)
    sent = {f"{o.template}.{o.channel}" for p in plan.parks for o in getattr(p, "offers", ())}
    body["templates"] = {
        path: _hash(text)
        for path, text in sorted((templates or {}).items())
        if path.rpartition(".")[0] in sent
    }
    body["experiments"] = {
        e.path: {
            "salt": e.salt,
            "arms": [{"name": a.name, "low": a.low, "high": a.high} for a in e.arms],
        }
        for e in steps(project.journeys[plan.name].body)
        if isinstance(e, Experiment)
    } | {
        f.path: {
            "salt": f.value.salt,
            "arms": [{"name": name, "low": low, "high": high} for name, low, high in f.arms],
        }
        for e in steps(project.journeys[plan.name].body)
        if isinstance(e, Factors)
        for f in e.factors
    }
    used = {n.name for n in asked(project, plan) if isinstance(n, MetricValue | SegmentTest)}
    listed = {n.path for n in asked(project, plan) if isinstance(n, Listed)}
    if project.collected:
        collected = sorted(project.collected.items())
        body["prospects"] = {name: found.people.digest for name, found in collected}
    if listed:
        body["lists"] = {path: project.lists[path].digest for path in sorted(listed)}
    body["segments"] = {
        n: to_json(project.segments[n].condition) for n in sorted(used) if n in project.segments
    }
    body["metrics"] = {
        n: to_json(project.metrics[n].value) for n in sorted(used) if n in project.metrics
    }
    return body


def fingerprint(body: Mapping[str, Any]) -> str:
    """A hash of everything that a journey means, from its `plan_json`."""
    return _hash(body)


def _hash(body: object) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


_RULES = frozenset({"rule", "reenter_rule", "quiet_hold", "quiet_skip", "wall", "past"})


def _with_rules(body: Any, rules: list[Any]) -> Any:
    match body:
        case dict():
            return {
                key: rules[value]
                if key in _RULES and isinstance(value, int)
                else _with_rules(value, rules)
                for key, value in body.items()
            }
        case list():
            return [_with_rules(value, rules) for value in body]
        case _:
            return body
