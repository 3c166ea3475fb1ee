"""What steps leave behind that are passed at once: one statement per kind of action.

Somebody at such a step has the fate ACT for one round: what the step does is written, then
they go on by its edge.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import assert_never

from journeylang.model.expressions import Expression
from journeylang.model.types import TEXT
from journeylang.plan.operations import ActionPark, Assign, Begin, Call, JourneyPlan
from journeylang.sql.compiler import Compiler
from journeylang.sql.dialects import text
from journeylang.sql.expressions import Rows, Scope, value
from journeylang.sql.session import ACT

Assigning = tuple[JourneyPlan, ActionPark, Assign]
Beginning = tuple[JourneyPlan, ActionPark, Begin]


def actions(compiler: Compiler, plans: Sequence[JourneyPlan], steps: Collection[int]) -> list[str]:
    """Statements for those who stand at these steps; parameters {now, round}."""
    assigning: list[Assigning] = []
    beginning: list[Beginning] = []
    for plan in plans:
        for park in plan.parks:
            if not isinstance(park, ActionPark) or park.step not in steps:
                continue
            match park.act:
                case Assign():
                    assigning.append((plan, park, park.act))
                case Begin():
                    beginning.append((plan, park, park.act))
                case Call():
                    pass  # the outbox's: `calls`
                case _:
                    assert_never(park.act)
    statements = []
    if assigning:
        statements.append(_assign(compiler, plans, assigning))
    if beginning:
        statements.append(_begin(compiler, beginning))
    return statements


def _begin(compiler: Compiler, beginning: Sequence[Beginning]) -> str:
    """Entries into other journeys, which wait for a later tick.

    The arrival tells apart how often a run has come to the step.
    """
    d = compiler.dialect
    scope = compiler.scope(Rows(name="acting"))
    scope.written = True
    journeys, paths, entries = {}, {}, {}
    for _, park, act in beginning:
        journeys[park.step] = text(act.journey)
        paths[park.step] = text(park.path)
        entries[park.step] = (
            d.json_object((name, d.cast(value(v, scope), type_)) for name, v, type_ in act.values)
            if act.values
            else d.literal(None, TEXT)
        )
    key = " || ':' || ".join(
        (d.as_text("w.run_id"), per_step(paths), d.as_text("CAST(w.arrived_at AS TIMESTAMP)"))
    )
    base = compiler.base(*scope.fields)
    return f"""INSERT INTO journey.pending_entry (customer_id, journey, entry_key, "at", entry,
  run_id, step)
{acting_rows(compiler, journeys)}
SELECT w.customer_id, {per_step(journeys)}, {key}, {d.parameter("now")}, {per_step(entries)},
  w.run_id, w.step
FROM acting AS w
JOIN {base} AS c ON c.customer_id = w.customer_id{scope.joins()}"""


def _assign(compiler: Compiler, plans: Sequence[JourneyPlan], acting: Sequence[Assigning]) -> str:
    scope = compiler.scope(Rows(name="acting"))
    scope.written = True
    order = sorted(
        (plan.name, park.path, park.step)
        for plan in plans
        for park in plan.parks
        if isinstance(park, ActionPark)
    )
    ordinal = {step: str(n) for n, (_, _, step) in enumerate(order)}
    names, values, ordinals, priorities = {}, {}, {}, {}
    for plan, park, act in acting:
        names[park.step] = text(act.name)
        values[park.step] = stored_text(act.value, scope)
        ordinals[park.step] = ordinal[park.step]
        priorities[park.step] = str(plan.priority)
    base = compiler.base(*scope.fields)
    return f"""INSERT INTO written (round, customer_id, run_id, journey, step, arrived_at, priority,
  ordinal, name, value)
{acting_rows(compiler, names)}
SELECT w.round, w.customer_id, w.run_id, w.journey, w.step, w.arrived_at,
  {per_step(priorities)}, {per_step(ordinals)}, {per_step(names)}, {per_step(values)}
FROM acting AS w
JOIN {base} AS c ON c.customer_id = w.customer_id{scope.joins()}"""


def acting_rows(compiler: Compiler, steps: Collection[int]) -> str:
    """WITH `acting`: the trail's rows of this round at these steps."""
    listed = ", ".join(str(step) for step in steps)
    return (
        f"WITH acting AS (SELECT * FROM trail WHERE round = {compiler.dialect.parameter('round')}"
        f" AND fate = {ACT} AND step IN ({listed}))"
    )


def per_step(values: dict[int, str]) -> str:
    """A CASE over the step at which the row `w` stands."""
    whens = " ".join(f"WHEN {step} THEN {sql}" for step, sql in values.items())
    return f"CASE w.step {whens} END"


def stored_text(node: Expression, scope: Scope) -> str:
    """A value as the text under which it is kept."""
    d = scope.dialect
    sql = value(node, scope)
    return d.kept_text(d.cast(sql, node.type) if node.type is not None else sql, node.type)
