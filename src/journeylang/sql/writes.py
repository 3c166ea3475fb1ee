"""What a tick leaves behind: one statement per table, for all journeys."""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.model.entry import EnterOn
from journeylang.plan.operations import JourneyPlan, Program
from journeylang.plan.passes import STRAIGHT
from journeylang.sql.dialects import Dialect
from journeylang.sql.landing import landed
from journeylang.sql.schema import CONTROL, HELD_OUT, WHY
from journeylang.sql.session import END, MOVED, REFUSED, REST, SKIPPED


def final_writes(dialect: Dialect, program: Program, *, landing: bool = False) -> dict[str, str]:
    """Statements by name, in their order; parameters {now, tick}.

    With `landing` those decided of last are read where arbitration left them; {landed}.
    """
    d = dialect
    now, tick = d.parameter("now"), d.parameter("tick")
    exposing = [j for j in program.journeys if any(leaf.exposures for leaf in j.leaves)]
    drawing = [j for j in program.journeys if j.holdout is not None or j.control is not None]
    writes = {
        **_runs(d, program, landing=landing),
        "transitions": f"""INSERT INTO journey.transition (customer_id, run_id, journey, "at", tick,
  from_step, to_step, why)
SELECT t.customer_id, t.run_id, t.journey, t.arrived_at, {tick}, t.from_step, t.step, t.why
FROM {_rows(d, _MOVES, MOVED, landing=landing)}""",
        "non-sends": f"""INSERT INTO journey.decision (customer_id, run_id, journey, step,
  "at", tick, reason, figures)
SELECT s.customer_id, s.run_id, s.journey, s.step, {now}, {tick}, s.reason, s.figures
FROM decided AS s WHERE s.outcome = {SKIPPED}""",
        "non-entries": f"""INSERT INTO journey.decision (customer_id, run_id, journey, step,
  "at", tick, reason, figures)
SELECT t.customer_id, t.run_id, t.journey, NULL, {now}, {tick}, t.reason, NULL
FROM trail AS t WHERE t.fate = {REFUSED}""",
    }
    if exposing:
        writes["exposures"] = _exposures(d, exposing)
    if drawing:
        writes["drawn"] = _drawn(d, drawing)
    return writes


def version(program: Program, step: str) -> str:
    """The version of somebody at a step, where `v` is the row of `plan_version`."""
    pinned = [pair for plan in program.journeys for pair in plan.pinned or ()]
    if not pinned:
        return "v.version"
    whens = " ".join(f"WHEN {number} THEN {of}" for number, of in pinned)
    return f"CASE {step} {whens} ELSE v.version END"


_KEYS = ("customer_id", "run_id")
_MOVES = (*_KEYS, "journey", "arrived_at", "from_step", "step", "why")
_STATES = (
    *(*_KEYS, "journey", "from_step", "step", "arrived_at", "left_at", "entered_at"),
    *("fate", "status", "reason", "entry", "passes", "fresh"),
)


def _rows(d: Dialect, columns: Sequence[str], which: str, *, landing: bool) -> str:
    """Rows of `trail AS t`, with `landing` and of those who have landed; behind FROM."""
    if not landing:
        return f"trail AS t WHERE {which}"
    listed = ", ".join(f"t.{name}" for name in columns)
    return f"""(SELECT {listed} FROM trail AS t WHERE {which}
UNION ALL
{landed(d, columns)}) AS t"""


def _runs(d: Dialect, program: Program, *, landing: bool) -> dict[str, str]:
    """Where the runs are now.

    On DuckDB moved runs are deleted and inserted again: the fastest way, and the one in which
    the table grows least. On PostgreSQL, where that writes three times as much, they are updated.
    """
    of = version(program, "coalesce(t.step, t.from_step)")
    settled = f"t.fate IN ({REST}, {END})"
    columns = {
        "version": of,
        "step": "t.step",
        "arrived_at": "t.arrived_at",
        "wake_at": f"CASE WHEN t.fate = {REST} THEN t.left_at END",
        "status": "t.status",
        "reason": "t.reason",
        "ended_at": f"CASE WHEN t.fate = {END} THEN {d.parameter('now')} END",
        "passes": "t.passes",
    }
    changed = ", ".join(f"{name} = {sql}" for name, sql in columns.items())
    states = f"(SELECT * FROM {_rows(d, _STATES, settled, landing=landing)}) AS t"
    joined = f"{states} JOIN plan_version AS v ON v.journey = t.journey"
    update = f"""UPDATE journey.run AS r SET {changed}
FROM {joined}
WHERE r.customer_id = t.customer_id AND r.run_id = t.run_id AND NOT t.fresh"""
    ids = ", ".join(_KEYS)
    known = f"SELECT {ids} FROM trail AS t WHERE {settled} AND NOT t.fresh"
    if landing:
        mine = f"phase = {d.parameter('landed')} AND NOT fresh"
        known += f" UNION ALL SELECT {ids} FROM decided WHERE {mine}"
    delete = f"""DELETE FROM journey.run AS r
USING ({known}) AS t
WHERE r.customer_id = t.customer_id AND r.run_id = t.run_id"""
    insert = f"""INSERT INTO journey.run (customer_id, run_id, journey, version, step,
  arrived_at, wake_at, entered_at, status, reason, entry, ended_at, passes)
SELECT t.customer_id, t.run_id, t.journey, {of}, t.step, t.arrived_at,
  CASE WHEN t.fate = {REST} THEN t.left_at END, t.entered_at, t.status, t.reason, t.entry,
  CASE WHEN t.fate = {END} THEN {d.parameter("now")} END, t.passes
FROM {joined}"""
    if d.updates_rows:
        return {"clear runs": update, "runs": f"{insert} WHERE t.fresh"}
    return {"clear runs": delete, "runs": insert}


def _exposures(d: Dialect, plans: list[JourneyPlan]) -> str:
    """Who has come to an arm, the first time under its salt."""
    bucket = d.drawn("x.salt", "t.customer_id")
    once, order = "", ""
    if any(_several_at_once(plan) for plan in plans):
        once = " DISTINCT ON (t.customer_id, x.experiment, x.salt)"
        order = "\nORDER BY t.customer_id, x.experiment, x.salt, t.arrived_at, t.run_id"
    arm, learned = "x.arm", ""
    factors = [factor for plan in plans for factor in plan.factors]
    if any(factor.learned for factor in factors):
        arm = "coalesce(x.arm, y.arm)"
        learned = f"""
  LEFT JOIN journey.weight AS y ON x.arm IS NULL AND y.experiment = x.experiment
    AND y.salt = x.salt AND y.day = CAST({d.parameter("now")} AS DATE)
    AND {bucket} >= y.low AND {bucket} < y.high"""
    in_range = f"(x.low IS NULL OR {bucket} >= x.low AND {bucket} < x.high)\n  AND "
    known, first = _known_exposures(d)
    return f"""INSERT INTO journey.exposure (customer_id, experiment, arm, "at", run_id,
  salt)
{first}SELECT{once}
  t.customer_id, x.experiment, {arm}, t.arrived_at, t.run_id, x.salt
FROM trail AS t JOIN plan_exposure AS x ON x.journey = t.journey AND x.leaf = t.leaf{learned}
WHERE {in_range if factors else ""}NOT EXISTS (SELECT 1 FROM {known} AS k
  WHERE k.customer_id = t.customer_id AND k.experiment = x.experiment
    AND k.salt = x.salt){order}"""


def _several_at_once(plan: JourneyPlan) -> bool:
    """Whether a customer can come to one experiment twice in a tick: in a loop, or by two runs."""
    return _several_runs(plan) or any(leaf.passes != STRAIGHT for leaf in plan.leaves)


def _several_runs(plan: JourneyPlan) -> bool:
    return isinstance(plan.entry, EnterOn) and plan.entry.per is not None


def _known_exposures(d: Dialect) -> tuple[str, str]:
    """Where the exposures of those on their way are found, and what comes before that.

    Without an index all there are would be put into a table of hashes, texts and all, each tick.
    Where conditions from behind it are moved into it, it is taken to be two rows, and that is done.
    """
    if d.indexed:
        return "journey.exposure", ""
    return (
        "exposed",
        """WITH exposed AS MATERIALIZED (
  SELECT k.customer_id, k.experiment, k.salt FROM journey.exposure AS k
  WHERE k.customer_id IN (SELECT customer_id FROM trail) OFFSET 0
)
""",
    )


def _drawn(d: Dialect, plans: list[JourneyPlan]) -> str:
    """Who was drawn at the entry, into a control group or not."""
    once, order = "", ""
    if any(map(_several_runs, plans)):
        once = " DISTINCT ON (t.customer_id, v.holdout_step, v.salt)"
        order = "\nORDER BY t.customer_id, v.holdout_step, v.salt, t.entered_at, t.run_id"
    known, first = _known_exposures(d)
    return f"""INSERT INTO journey.exposure (customer_id, experiment, arm, "at", run_id, salt)
{first}SELECT{once}
  t.customer_id, v.holdout_step,
  CASE WHEN t.status IN ({CONTROL}, {HELD_OUT}) THEN t.reason ELSE 'treated' END,
  t.entered_at, t.run_id, v.salt
FROM trail AS t JOIN plan_version AS v ON v.journey = t.journey AND v.draws
WHERE t.why = {WHY["entered"]} AND t.fate <> {REFUSED} AND (t.round = 1 OR t.fate = {END})
  AND NOT EXISTS (SELECT 1 FROM {known} AS k
    WHERE k.customer_id = t.customer_id AND k.experiment = v.holdout_step
    AND k.salt = v.salt){order}"""
