"""Who may come to a step again that they have been through, because its journey was changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from journeylang.engines.base import Engine
from journeylang.plan.numbering import Numbering
from journeylang.runtime.upgrade import Upgrade
from journeylang.sql.schema import ACTIVE


def watch(engine: Engine, found: Upgrade, known: Numbering, now: datetime) -> None:
    """Mark the steps that somebody on the way may come to a second time; behind `carry_over`.

    Only where the new version leads to a step from where the old one did not is it asked who has
    been there.
    """
    pinned = {one.journey for one in found.pinned}
    for name in found.changed:
        before = found.stored.get(name)
        if before is None or name in pinned:
            continue
        new = ahead(found.bodies[name])
        old = ahead(before.body)
        suspects = {s for park, steps in new.items() for s in steps - old.get(park, set())}
        for one in found.carried:
            if one.journey == name and one.source != one.park.step:
                # Whoever is moved may have been at that very step before.
                there = new.setdefault(one.park.step, set())
                there.add(one.park.step)
                suspects |= there
        if suspects:
            _mark(engine, known, before.journey, new, suspects, now)


def _mark(
    engine: Engine,
    known: Numbering,
    journey: int,
    ahead_of: Mapping[int, set[int]],
    suspects: Collection[int],
    now: datetime,
) -> None:
    base = {step: step for step in suspects}
    places = {step: place for place, step in known.steps.items()}
    by_place = {places[step]: step for step in suspects}
    for (name, path, _), alias in known.aliases.items():
        if (name, path) in by_place:
            base[alias] = by_place[name, path]
    listed = ", ".join(str(step) for step in sorted(base))
    been = engine.query(
        f"""SELECT DISTINCT r.step, k.step FROM journey.run AS r
JOIN (SELECT customer_id, run_id, step FROM journey.message
    WHERE journey = {journey} AND step IN ({listed})
  UNION ALL SELECT customer_id, run_id, to_step FROM journey.transition
    WHERE journey = {journey} AND to_step IN ({listed})) AS k
  ON k.customer_id = r.customer_id AND k.run_id = r.run_id
WHERE r.journey = {journey} AND r.status = {ACTIVE}"""
    )
    again = {base[step] for park, step in been if base[step] in ahead_of.get(park, set())}
    if again:
        steps = ", ".join(str(step) for step in sorted(again))
        engine.execute(
            f"UPDATE journey.step SET again = {engine.dialect.instant(now)} WHERE step IN ({steps})"
        )


def ahead(body: Mapping[str, Any]) -> dict[int, set[int]]:
    """By step, what may come behind it before a loop begins anew: sends and actions."""
    kinds = {park["step"]: park["kind"] for park in body["parks"]}
    leads: dict[int, set[int]] = {}
    for edge in body["edges"]:
        if edge.get("step") is not None and edge["kind"] != "retry":
            leads.setdefault(edge["step"], set()).update(_reached(edge["node"]))
    found: dict[int, set[int]] = {}
    for park in kinds:
        seen: set[int] = set()
        waiting = list(leads.get(park, ()))
        while waiting:
            step = waiting.pop()
            if step not in seen:
                seen.add(step)
                waiting += leads.get(step, ())
        found[park] = {s for s in seen if kinds.get(s) in ("SendPark", "ActionPark")}
    return found


def _reached(node: Mapping[str, Any]) -> Iterator[int]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        match one["kind"]:
            case "Leaf":
                if one.get("step") is not None:
                    yield one["step"]
            case "Split":
                waiting += [arm[2] for arm in one["arms"]]
            case "Again":
                waiting.append(one["otherwise"])
            case _:
                waiting += [one["then"], one["otherwise"]]
