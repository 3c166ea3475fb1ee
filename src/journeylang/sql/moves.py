"""A journey's own statements: who leaves, who wakes, who enters, and where they come to.

One statement each, whatever the audience and however many steps: the steps are data
(`plan_leaf`, `plan_park`), the decisions between them one CASE over the edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any

from journeylang.classes import dataclass
from journeylang.plan.incremental import Incremental, Kind, Look, looks
from journeylang.plan.landing import holds
from journeylang.plan.operations import (
    JourneyPlan,
    Leaf,
    RacePark,
)
from journeylang.plan.ways import leaves
from journeylang.sql.actions import actions
from journeylang.sql.advance import Source, advance, straight
from journeylang.sql.calls import calls
from journeylang.sql.compiler import Compiler, insert_head, select
from journeylang.sql.dialects import text
from journeylang.sql.entries import Membership, enter, entrants, membership, taken
from journeylang.sql.expressions import Rows, predicate
from journeylang.sql.news import News, changed_people, new_rows_tell, news
from journeylang.sql.schema import EXITED, WHY
from journeylang.sql.session import END
from journeylang.sql.wakes import news_of, run_rows, wake, waking

# A journey, and one of its edges.
Way = tuple[int, int]

# The edges of those who leave a park by themselves.
_WAKING = ("due", "event", "state", "timeout", "retry")


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneySql:
    """The statements of one journey; parameters in braces.

    `enter`: see there. `straight` and `straight_changed` take those who enter to where they come
    to as well (None: that is another statement's). `exits` {now}: all active runs. `enter_changed`
    and `exits_changed` {now, looked}: only of those for whom the condition may have changed since
    (None if that would not be exact). `looks` say how each condition is looked at, `news` for whom
    it may have changed. `race_events` are what races wait for, by `news_of`.
    """

    journey: int
    name: str
    enter: str
    enter_changed: str | None
    straight: str | None
    straight_changed: str | None
    taken: str | None
    membership: Membership | None
    exits: str | None
    exits_changed: str | None
    looks: Mapping[Kind, Look]
    news: Mapping[Kind, News]
    race_events: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What moves runs that are there: one statement for all journeys together.

    Parameters: `wake`, `wake_straight` {now, looked, since_EVENT}, `advance`, `go_on` {now, round}.
    Statements are kept, for the same few ways are taken again and again. `states` has the news of
    waits until a state.
    """

    compiler: Compiler
    plans: tuple[JourneyPlan, ...]
    states: Mapping[int, News]
    _made: dict[tuple[str, frozenset[Any]], str] = field(
        default_factory=dict, compare=False, repr=False
    )

    def wake(
        self,
        journeys: frozenset[int],
        everybody: frozenset[int] = frozenset(),
        changed: frozenset[int] = frozenset(),
        *,
        left: bool = False,
    ) -> str:
        """Who leaves a park, of these journeys: the wait is over, or the event is there.

        For a state are asked all who wait in journeys of `everybody`, and those of whom there is
        news in journeys of `changed`. `left`: some have left in this tick, and are left out.
        """
        plans, looks, what = self._wakes(journeys, everybody, changed, left)
        return self._keep("wake", what, lambda: wake(self.compiler, plans, looks, left=left))

    def wake_straight(
        self,
        journeys: frozenset[int],
        everybody: frozenset[int],
        changed: frozenset[int],
        *,
        left: bool = False,
    ) -> str | None:
        """The same, and where they come to; None if that is another statement's."""
        if not self.compiler.dialect.wakes_straight:
            return None
        plans, looks, what = self._wakes(journeys, everybody, changed, left)
        edges = {(p.journey, e.edge) for p in plans for e in p.edges if e.kind in _WAKING}

        def made() -> str:
            rows = waking(self.compiler, plans, looks, left=left)
            return straight(self.compiler, plans, edges, "waking", rows) or ""

        return self._keep("wake straight", what, made) or None

    def _wakes(
        self,
        journeys: frozenset[int],
        everybody: frozenset[int],
        changed: frozenset[int],
        left: bool,
    ) -> tuple[list[JourneyPlan], dict[int, News | None], frozenset[Any]]:
        plans = [p for p in self.plans if p.journey in journeys]
        looks: dict[int, News | None] = dict.fromkeys(everybody)
        looks |= {journey: self.states[journey] for journey in changed}
        what = {("of", journeys), ("all", everybody), ("changed", changed), ("left", left)}
        return plans, looks, frozenset(what)

    def advance(self, edges: frozenset[Way]) -> str:
        """Where those come to who leave by these (journey, edge)."""
        return self._keep("advance", edges, lambda: advance(self.compiler, self.plans, edges))

    def go_on(self, edges: frozenset[Way], *, zoned: bool) -> str:
        """The same for those of whom arbitration has decided; `zoned`: with their zone."""
        source: Source = "decided and zoned" if zoned else "decided"
        return self._keep(source, edges, lambda: advance(self.compiler, self.plans, edges, source))

    def reached(self, edges: frozenset[Way]) -> list[tuple[int, Leaf]]:
        """All that these may lead to, with the journey's number."""
        return [
            (plan.journey, leaf)
            for plan in self.plans
            for edge in plan.edges
            if (plan.journey, edge.edge) in edges
            for leaf in leaves(edge.node)
        ]

    def rests(self, reached: Iterable[tuple[int, Leaf]]) -> bool:
        """Whether all who come there now stay there for this tick."""
        parks = {park.step: park for plan in self.plans for park in plan.parks}
        return all(leaf.step is None or holds(parks[leaf.step]) for _, leaf in reached)

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


def journey_sql(compiler: Compiler, plan: JourneyPlan, *, incremental: bool = True) -> JourneySql:
    """All statements of a journey; those that look at news alone only if `incremental`."""
    found = looks(compiler.project, plan)
    made = {
        kind: news(compiler, look, leaving=bool(plan.exits))
        for kind, look in found.items()
        if incremental and isinstance(look, Incremental)
    }
    entering = made.get("when")
    return JourneySql(
        journey=plan.journey,
        name=plan.name,
        enter=enter(compiler, plan),
        enter_changed=enter(compiler, plan, entering) if entering is not None else None,
        straight=_straight(compiler, plan, None),
        straight_changed=_straight(compiler, plan, entering) if entering is not None else None,
        taken=taken(compiler, plan),
        membership=membership(compiler, plan, entering),
        exits=_exits(compiler, plan, None) if plan.exits else None,
        exits_changed=_exits(compiler, plan, made["exits"]) if "exits" in made else None,
        looks=found,
        news=made,
        race_events=tuple(
            dict.fromkeys(
                news_of(b.event) for p in plan.parks if isinstance(p, RacePark) for b in p.branches
            )
        ),
    )


def _straight(compiler: Compiler, plan: JourneyPlan, among: News | None) -> str | None:
    rows = entrants(compiler, plan, among)
    return straight(compiler, [plan], {(plan.journey, 0)}, "entering", rows)


# --- exits and wakes ----------------------------------------------------------


def _exits(compiler: Compiler, plan: JourneyPlan, among: News | None) -> str:
    d = compiler.dialect
    few = "(SELECT DISTINCT customer_id FROM active)" if among is not None else ""
    scope = compiler.scope(Rows(name="active", few=few))
    if among is not None:
        scope.news_after = new_rows_tell(compiler, plan, among.found)
    conditions = [predicate(x.condition, scope) for x in plan.exits]
    joins = scope.joins()
    whens = " ".join(
        f"WHEN {c} THEN {text(x.reason)}" for c, x in zip(conditions, plan.exits, strict=True)
    )
    changed, extra = "", ""
    if among is not None and (d.indexed or not scope.news_after):
        changed = f"{changed_people(among)}, "
        extra = " AND r.customer_id IN (SELECT customer_id FROM changed)"
    who, where = f"{compiler.base(*scope.fields)} AS c", "c.customer_id = w.customer_id"
    whoever = " OR ".join(f"({c})" for c in conditions)
    if scope.fields:
        where = f"\nJOIN {who} ON {where}{joins}\nWHERE {whoever}"
    else:
        # Behind the conditions: DuckDB asks in the order written, and few are left by then.
        whoever = f"({whoever})" if len(conditions) > 1 else whoever
        where = f"{joins}\nWHERE {whoever}\n  AND EXISTS (SELECT 1 FROM {who} WHERE {where})"
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
        "reason": f"CASE {whens} END" if len(plan.exits) > 1 else text(plan.exits[0].reason),
        "entry": "w.entry",
        "why": str(WHY["exit"]),
        "passes": "w.passes",
        "fresh": "FALSE",
    }
    return f"""{insert_head(columns)}
WITH {changed}active AS ({run_rows(f"r.journey = {plan.journey}{extra}")})
SELECT {select(columns)}
FROM active AS w{where}"""
