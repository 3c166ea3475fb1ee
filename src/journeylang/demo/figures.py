"""What became of the virtual days, in plain counts over the runtime's views.

No statistics: shares are of all customers who came so far, whether or not their time to
reach the goal is over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.engines.base import Engine
from journeylang.model.journey import (
    Block,
    Experiment,
    Goal,
    Journey,
    Send,
)
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.sql.expressions import Rows, Scope, predicate
from journeylang.sql.relations import customers, event

Counts = tuple[tuple[str, int], ...]
"""Names and how often each, the most frequent first."""

IN_JOURNEY, HELD_OUT, CONTROL_GROUP = "in the journey", "held out", "in the control group"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sends:
    """One send step: what went out by which channel, and what did not, by reason."""

    step: str
    by_channel: Counts
    not_sent: Counts

    @property
    def sent(self) -> int:
        return sum(number for _, number in self.by_channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of these customers reached the goal within its window, so far."""

    name: str
    customers: int
    reached: int

    @property
    def percent(self) -> float:
        return 100 * self.reached / self.customers if self.customers else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """A journey's figures. Enrolments are runs: who re-enters counts again."""

    journey: str
    title: str
    entered: int
    held_out: int
    control: int
    inside: int
    sends: tuple[Sends, ...]
    left: Counts
    goal: str
    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An experiment and its arms, in the order written, the control arm first."""

    journey: str
    experiment: str
    expect: str | None
    goal: str
    arms: tuple[Share, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Reads the figures of a project's database, as they are at `now`."""

    engine: Engine
    project: Project
    now: datetime

    def funnels(self) -> list[Funnel]:
        """One for each journey, in the order of their names."""
        runs = self._grouped("runs", "journey, status, coalesce(reason, status)")
        sent = self._grouped("messages", "journey, step, channel")
        skipped = self._grouped("non_sends", "journey, step, reason")
        return [
            _funnel(
                journey,
                {key[1:]: number for key, number in runs.items() if key[0] == name},
                tuple(
                    Sends(
                        step=path,
                        by_channel=_sorted(_below(sent, name, path)),
                        not_sent=_sorted(_below(skipped, name, path)),
                    )
                    for path in _paths(journey.body)
                ),
                self._goal_shares(journey),
            )
            for name, journey in sorted(self.project.journeys.items())
        ]

    def trials(self) -> list[Trial]:
        """Every experiment that somebody has reached and whose journey has a goal."""
        found = []
        for name, journey in sorted(self.project.journeys.items()):
            for experiment in (s for s in steps(journey.body) if isinstance(s, Experiment)):
                arms = [a.name for a in sorted(experiment.arms, key=lambda arm: not arm.control)]
                shares = self._shares(
                    journey,
                    """SELECT customer_id, arm AS name, min("at") AS "at" FROM journey.exposures
  WHERE journey = $journey AND experiment = $path AND arm IN (SELECT unnest($arms::VARCHAR[]))
  GROUP BY customer_id, arm""",
                    {"path": experiment.path, "arms": arms},
                )
                if shares:
                    found.append(
                        Trial(
                            journey=name,
                            experiment=experiment.path,
                            expect=experiment.expect,
                            goal=_goal_text(journey.goals[0]),
                            arms=tuple(sorted(shares, key=lambda share: arms.index(share.name))),
                        )
                    )
        return found

    def _goal_shares(self, journey: Journey) -> tuple[Share, ...]:
        """Counted from each customer's first entry: of those messaged and those who were not."""
        first = self.engine.dialect.oldest("status", "entered_at")
        return self._shares(
            journey,
            f"""SELECT customer_id, min(entered_at) AS "at",
    CASE {first} WHEN 'held_out' THEN '{HELD_OUT}'
      WHEN 'global_control' THEN '{CONTROL_GROUP}' ELSE '{IN_JOURNEY}' END AS name
  FROM journey.runs WHERE journey = $journey GROUP BY customer_id""",
            {},
        )

    def _shares(
        self, journey: Journey, exposed: str, parameters: dict[str, object]
    ) -> tuple[Share, ...]:
        """Of the first goal, the largest group first; `exposed` yields customer_id, name, at."""
        if not journey.goals:
            return ()
        goal, dialect = journey.goals[0], self.engine.dialect
        bound = self.project.binding.events.get(goal.event.name)
        fields = [] if bound is None else [field.name for field in bound.fields]
        condition, about = "", ""
        if goal.within is not None:
            condition = f' AND e."_at" <= x."at" + {dialect.interval(goal.within)}'
        if goal.where is not None:
            rows = Rows(name="exposed", alias="x")
            scope = Scope(project=self.project, dialect=dialect, steps={}, rows=rows)
            scope.lone_exists = False
            condition += f" AND {predicate(goal.where, scope)}"
            about = scope.joins()
            if scope.fields:
                base = customers(self.project.binding, dialect, scope.fields)
                about = f" LEFT JOIN {base} AS c ON c.customer_id = x.customer_id{about}"
        found = self.engine.query(
            f"""WITH exposed AS ({exposed}), reached AS (
  SELECT DISTINCT x.customer_id, x.name
  FROM exposed AS x JOIN {event(self.project.binding, goal.event, fields, dialect)} AS e
    ON e.customer_id = x.customer_id{about}
  WHERE e."_at" > x."at" AND e."_at" <= $now{condition})
SELECT x.name, count(*), count(r.customer_id) FROM exposed AS x
LEFT JOIN reached AS r ON r.customer_id = x.customer_id AND r.name = x.name
GROUP BY x.name ORDER BY 2 DESC, 1""",
            {**parameters, "journey": journey.name, "now": self.now},
        )
        return tuple(Share(name=name, customers=n, reached=reached) for name, n, reached in found)

    def _grouped(self, view: str, columns: str) -> dict[tuple[str, ...], int]:
        rows = self.engine.query(
            f"SELECT {columns}, count(*) FROM journey.{view} WHERE journey IS NOT NULL"
            f" GROUP BY {columns}"
        )
        return {tuple(row[:-1]): row[-1] for row in rows}


_LEFT = {"finished", "exited", "gone"}


def _funnel(
    journey: Journey,
    runs: dict[tuple[str, ...], int],
    sends: tuple[Sends, ...],
    shares: tuple[Share, ...],
) -> Funnel:
    """`runs`: how many of each (status, reason)."""
    by_status: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for (status, reason), number in runs.items():
        by_status[status] += number
        if status in _LEFT:
            left[reason] += number
    return Funnel(
        journey=journey.name,
        title=journey.title or "",
        entered=by_status.total(),
        held_out=by_status["held_out"],
        control=by_status["global_control"],
        inside=by_status["active"],
        sends=sends,
        left=_sorted(left),
        goal=_goal_text(journey.goals[0]) if journey.goals else "",
        shares=shares,
    )


def _paths(block: Block) -> Iterator[str]:
    return (step.path for step in steps(block) if isinstance(step, Send))


def _goal_text(goal: Goal) -> str:
    if goal.within is None:
        return goal.event.name
    days, rest = divmod(goal.within, 86400)
    return (
        f"{goal.event.name} within {goal.within // 3600}h"
        if rest
        else (f"{goal.event.name} within {days}d")
    )


def _below(of: dict[tuple[str, ...], int], journey: str, step: str) -> dict[str, int]:
    return {key[2]: number for key, number in of.items() if key[:2] == (journey, step)}


def _sorted(counts: Mapping[str, int]) -> Counts:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
