"""Who has been at which step: one scan of the moves, for all that is told of it.

Where a run has been is a set, kept as a bit per step, so that neither runs nor customers have to be
told apart once for every step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import field

from journeylang.classes import dataclass
from journeylang.model.journey import Experiment, Factors, Journey
from journeylang.model.steps import steps
from journeylang.report.groups import entries
from journeylang.report.source import Source
from journeylang.sql.dialects import text

_BITS = 60
"""So many steps fit into one set; a journey of more is read several times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """An experiment or a factor under its present salt."""

    path: str
    salt: str
    arms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Been:
    """By path: runs and customers that came there.

    By experiment, arm and path: customers who came there at its exposure or later.
    """

    runs: Counter[str] = field(default_factory=Counter)
    customers: Counter[str] = field(default_factory=Counter)
    behind: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def met(journey: Journey) -> Iterator[Met]:
    """The experiments of a journey, and the factors, in the order written."""
    for step in steps(journey.body):
        match step:
            case Experiment():
                arms = tuple(arm.name for arm in step.arms)
                yield Met(path=step.path, salt=step.salt, arms=arms)
            case Factors():
                for factor in step.factors:
                    arms = tuple(name for name, _, _ in factor.arms)
                    yield Met(path=factor.path, salt=factor.value.salt, arms=arms)
            case _:
                pass


def been(source: Source, journey: Journey) -> Been:
    """A step that stands under several versions is one."""
    number = source.number(journey)
    paths: dict[str, list[int]] = {}
    for step, path in source.query(
        f"SELECT s.step, s.path FROM journey.step AS s WHERE s.journey = {number} ORDER BY s.step"
    ):
        paths.setdefault(path, []).append(step)
    tried = list(met(journey))
    found = Been()
    names = list(paths)
    for first in range(0, len(names), _BITS):
        some = names[first : first + _BITS]
        for kind, arm, *counts in source.query(
            _statement(source, journey, [paths[name] for name in some], tried)
        ):
            for path, n in zip(some, counts, strict=True):
                match kind:
                    case -2:
                        found.runs[path] += int(n)
                    case -1:
                        found.customers[path] += int(n)
                    case _:
                        found.behind[tried[kind].path, tried[kind].arms[arm], path] += int(n)
    return found


def _statement(
    source: Source, journey: Journey, paths: Sequence[Sequence[int]], tried: Sequence[Met]
) -> str:
    """-> (-2 runs, -1 customers, or the number of an experiment; its arm's; a count per path)."""
    bits = ", ".join(f"({step}, {1 << n})" for n, path in enumerate(paths) for step in path)
    joins, columns, kept = "", "", ""
    for n, one in enumerate(tried):
        experiment = source.numbering.steps[journey.name, one.path]
        arms = " ".join(f"WHEN {text(arm)} THEN {place}" for place, arm in enumerate(one.arms))
        joins += f"""
  LEFT JOIN (SELECT x.customer_id, x."at" AS since, CASE x.arm {arms} END AS arm
    FROM journey.exposure AS x
    WHERE x.experiment = {experiment} AND x.salt = {text(one.salt)}) AS x{n}
    ON x{n}.customer_id = t.customer_id"""
        columns += f""",
    bit_or(CASE WHEN t."at" >= x{n}.since THEN s.bit ELSE 0 END) AS been{n},
    min(x{n}.arm) AS arm{n}"""
        kept += f", bit_or(r.been{n}) AS been{n}, min(r.arm{n}) AS arm{n}"
    runs, customers, _ = entries(source, journey)
    whole = f"SELECT r.customer_id, bit_or(r.been) AS been{kept} FROM run_been AS r"
    # Where nobody has come twice, customers are runs.
    whole = (
        f"{whole} GROUP BY r.customer_id" if runs > customers else "SELECT r.* FROM run_been AS r"
    )
    # Sets of the same steps are added up before they are taken apart.
    sets = [
        "SELECT -2 AS kind, -1 AS arm, r.been, count(*) AS n FROM run_been AS r GROUP BY r.been"
    ]
    sets.append("SELECT -1, -1, c.been, count(*) FROM all_been AS c GROUP BY c.been")
    sets += [
        f"SELECT {n}, c.arm{n}, c.been{n}, count(*) FROM all_been AS c WHERE c.arm{n} IS NOT NULL"
        f" GROUP BY c.arm{n}, c.been{n}"
        for n in range(len(tried))
    ]
    counts = ", ".join(
        f"coalesce(sum(k.n) FILTER (WHERE k.been & {1 << n} <> 0), 0)" for n in range(len(paths))
    )
    together = "\n  UNION ALL ".join(sets)
    return f"""WITH run_been AS (
  SELECT t.customer_id, t.run_id, bit_or(s.bit) AS been{columns}
  FROM journey.transition AS t
  JOIN (SELECT CAST(v.step AS INTEGER) AS step, CAST(v.bit AS BIGINT) AS bit
    FROM (VALUES {bits}) AS v(step, bit)) AS s ON s.step = t.to_step{joins}
  WHERE t.journey = {source.number(journey)} GROUP BY t.customer_id, t.run_id
), all_been AS ({whole}
), k AS (
  {together}
)
SELECT k.kind, k.arm, {counts} FROM k GROUP BY k.kind, k.arm"""
