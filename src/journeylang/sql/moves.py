"""A journey's own statements: who leaves, who wakes, who enters, and where they come to.

One statement each, whatever the audience and however many steps: the steps are data
(`plan_leaf`, `plan_park`), the decisions between them one CASE over the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from journeylang.model.expressions import (
    BoundEvent,
)
from journeylang.model.walk import reads_only_new_rows, walk
from journeylang.plan.operations import (
    JourneyPlan,
    RacePark,
)
from journeylang.sql.actions import actions
from journeylang.sql.advance import advance
from journeylang.sql.calls import calls
from journeylang.sql.compiler import Compiler, insert_head, select
from journeylang.sql.dialects import text
from journeylang.sql.entries import Membership, enter, membership, taken
from journeylang.sql.expressions import Rows, predicate
from journeylang.sql.relations import event, newness
from journeylang.sql.schema import EXITED
from journeylang.sql.session import END
from journeylang.sql.wakes import news_of, run_rows, wake


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneySql:
    """The statements of one journey; parameters in braces.

    `enter`: see there. `exits` {now}: all active runs; `exits_new` {now, since_EVENT}: only
    customers with new rows of `exit_events` (None if that would not be exact). `race_events` are
    what races wait for, by `news_of`.
    """

    journey: int
    name: str
    enter: str
    taken: str | None
    membership: Membership | None
    exits: str | None
    exits_new: str | None
    exit_events: tuple[str, ...]
    race_events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What moves runs that are there: one statement for all journeys together.

    Parameters: `wake` {now, since_EVENT}, `advance` {now, round}. Statements are kept, for
    the same few ways are taken again and again.
    """

    compiler: Compiler
    plans: tuple[JourneyPlan, ...]
    _made: dict[tuple[str, frozenset[Any]], str] = field(
        default_factory=dict, compare=False, repr=False
    )

    def wake(self, journeys: frozenset[int]) -> str:
        """Who leaves a park, of these journeys: the wait is over, or the event is there."""
        plans = [p for p in self.plans if p.journey in journeys]
        return self._keep("wake", journeys, lambda: wake(self.compiler, plans))

    def advance(self, edges: frozenset[tuple[int, int]]) -> str:
        """Where those come to who leave by these (journey, edge)."""
        return self._keep("advance", edges, lambda: advance(self.compiler, self.plans, edges))

    def act(self, steps: frozenset[int]) -> list[str]:
        """What those who stand at these steps leave behind; parameters {now, round}."""
        return actions(self.compiler, self.plans, steps)

    def call(self, steps: frozenset[int]) -> str | None:
        """What those who stand at these steps call; {now, round, base}: the first number."""
        return calls(self.compiler, self.plans, steps)

    def _keep(self, kind: str, of: frozenset[Any], make: Callable[[], str]) -> str:
        if (kind, of) not in self._made:
            if len(self._made) >= MOST_KEPT:
                self._made.clear()
            self._made[kind, of] = make()
        return self._made[kind, of]


MOST_KEPT = 1_000


def journey_sql(compiler: Compiler, plan: JourneyPlan) -> JourneySql:
    """All statements of a journey."""
    nodes = [n for x in plan.exits for n in walk(x.condition, compiler.named)]
    events = reads_only_new_rows(nodes) if plan.exits else None
    bound = compiler.project.binding.events
    exact = events is not None and all(
        bound[e].append_only or bound[e].changed_at is not None for e in events
    )
    return JourneySql(
        journey=plan.journey,
        name=plan.name,
        enter=enter(compiler, plan),
        taken=taken(compiler, plan),
        membership=membership(compiler, plan),
        exits=_exits(compiler, plan, None) if plan.exits else None,
        exits_new=_exits(compiler, plan, events) if exact and events else None,
        exit_events=events or (),
        race_events=tuple(
            dict.fromkeys(
                news_of(b.event) for p in plan.parks if isinstance(p, RacePark) for b in p.branches
            )
        ),
    )


# --- exits and wakes ----------------------------------------------------------


def _exits(compiler: Compiler, plan: JourneyPlan, events: Sequence[str] | None) -> str:
    d = compiler.dialect
    scope = compiler.scope(Rows(name="active"))
    conditions = [predicate(x.condition, scope) for x in plan.exits]
    joins = scope.joins()
    whens = " ".join(
        f"WHEN {c} THEN {text(x.reason)}" for c, x in zip(conditions, plan.exits, strict=True)
    )
    extra = ""
    if events is not None:
        bound = compiler.project.binding.events
        touched = " UNION ALL ".join(
            f"SELECT e.customer_id FROM {_event(compiler, name)} AS e"
            f" WHERE {newness(bound[name])} > {d.parameter('since_' + name)}"
            f' AND e."_at" <= {d.parameter("now")}'
            for name in events
        )
        extra = f" AND r.customer_id IN ({touched})"
    columns = {
        "round": "0",
        "customer_id": "w.customer_id",
        "run_id": "w.run_id",
        "journey": str(plan.journey),
        "from_step": "w.step",
        "arrived_at": d.parameter("now"),
        "entered_at": "w.entered_at",
        "fate": str(END),
        "status": str(EXITED),
        "reason": f"CASE {whens} END",
        "entry": "w.entry",
        "why": "'exit'",
        "passes": "w.passes",
        "fresh": "FALSE",
        "moved": "TRUE",
    }
    return f"""{insert_head(columns)}
WITH active AS ({run_rows(f"r.journey = {plan.journey}{extra}")})
SELECT {select(columns)}
FROM active AS w
JOIN {compiler.base(*scope.fields)} AS c ON c.customer_id = w.customer_id{joins}
WHERE {" OR ".join(f"({c})" for c in conditions)}"""


def _event(compiler: Compiler, name: str) -> str:
    trigger = BoundEvent(name=name, span=compiler.project.binding.events[name].span)
    return event(compiler.project.binding, trigger, (), compiler.dialect)
