"""Who came, where they have been, where they are, and what was not sent."""

from __future__ import annotations

from journeylang.model.journey import Experiment, Factors, Journey
from journeylang.model.steps import steps
from journeylang.plan.numbering import step_paths
from journeylang.report.source import Source
from journeylang.report.tables import Table, amount, count, share, text
from journeylang.sql.dialects import text as literal
from journeylang.sql.schema import ACTIVE, CONTROL, EXITED, FINISHED, GONE, HELD_OUT

_ENTERED = {
    ACTIVE: "still inside",
    FINISHED: "came to the end",
    EXITED: "left by an exit",
    GONE: "gone from the base",
    HELD_OUT: "held out",
    CONTROL: "in the global control group",
}

_NO_STEPS = {"holdout", "experiment", "repeat"}


_CAME = (
    "Runs that came to a step, each once. Sent are all messages decided there; what became of them"
    " stands below."
)


def overview(source: Source, journey: Journey) -> Table:
    """Runs by how they stand: who re-enters counts again."""
    found = source.query(f"""SELECT r.status, CASE WHEN r.status IN ({FINISHED}, {EXITED})
    THEN r.reason END AS reason, count(*), count(DISTINCT r.customer_id)
FROM journey.run AS r WHERE r.journey = {source.number(journey)}
GROUP BY r.status, CASE WHEN r.status IN ({FINISHED}, {EXITED}) THEN r.reason END""")
    everybody = source.query(
        "SELECT count(*), count(DISTINCT r.customer_id) FROM journey.run AS r"
        f" WHERE r.journey = {source.number(journey)}"
    )
    found.sort(key=lambda row: (row[0], -row[2], row[1] or ""))
    entered = everybody[0][0]
    return Table(
        name="entries",
        title="entries",
        columns=(
            text("state", ""),
            text("reason"),
            count("runs"),
            count("customers"),
            share("part"),
        ),
        rows=(
            ("entered", None, *everybody[0], None),
            *(
                (_ENTERED[status], reason, runs, customers, runs / entered)
                for status, reason, runs, customers in found
            ),
        ),
        notes=("A run is one enrolment: a customer who comes again counts again.",),
    )


def funnel(source: Source, journey: Journey) -> Table:
    """Per step how many runs came there, and what was decided there, in the order written.

    A step that stands under several versions is one.
    """
    number = source.number(journey)
    found = source.query(f"""WITH came AS (
  SELECT t.path, count(*) AS runs, count(DISTINCT t.customer_id) AS customers
  FROM (SELECT DISTINCT s.path, t.customer_id, t.run_id FROM journey.transition AS t
    JOIN journey.step AS s ON s.step = t.to_step WHERE t.journey = {number}) AS t GROUP BY t.path
), here AS (
  SELECT s.path, count(*) AS runs FROM journey.run AS r JOIN journey.step AS s ON s.step = r.step
  WHERE r.journey = {number} AND r.status = {ACTIVE} GROUP BY s.path
), sent AS (
  SELECT s.path, count(*) AS messages, sum(m.cost) AS cost FROM journey.message AS m
  JOIN journey.step AS s ON s.step = m.step
  WHERE m.journey = {number} AND m.action IS NULL GROUP BY s.path
), refused AS (
  SELECT s.path, count(*) AS times FROM journey.decision AS d
  JOIN journey.step AS s ON s.step = d.step WHERE d.journey = {number} GROUP BY s.path
)
SELECT s.path, coalesce(c.runs, 0), coalesce(c.customers, 0), coalesce(m.messages, 0),
  coalesce(d.times, 0), coalesce(h.runs, 0), m.cost
FROM (SELECT DISTINCT s.path FROM journey.step AS s WHERE s.journey = {number}) AS s
LEFT JOIN came AS c ON c.path = s.path LEFT JOIN here AS h ON h.path = s.path
LEFT JOIN sent AS m ON m.path = s.path LEFT JOIN refused AS d ON d.path = s.path""")
    of = {row[0]: row[1:] for row in found}
    rows = []
    for path, kind in step_paths(journey):
        if kind in _NO_STEPS or path not in of:
            continue
        runs, customers, sent, refused, here, cost = of[path]
        said = (sent, refused) if kind == "send" else (None, None)
        rows.append((path, kind, runs, customers, *said, here, cost))
    return Table(
        name="funnel",
        title="steps",
        columns=(
            text("step"),
            text("kind"),
            count("runs"),
            count("customers"),
            count("decided", "sent"),
            count("not_sent"),
            count("here", "there now"),
            amount("cost"),
        ),
        rows=tuple(rows),
        notes=(_CAME,),
    )


def by_arm(source: Source, journey: Journey) -> list[Table]:
    """Per experiment, the customers who came to each step behind it, by arm."""
    tables = []
    for step in steps(journey.body):
        match step:
            case Experiment():
                trials = [(step.path, step.salt, [arm.name for arm in step.arms])]
            case Factors():
                trials = [
                    (f.path, f.value.salt, [arm for arm, _, _ in f.arms]) for f in step.factors
                ]
            case _:
                continue
        tables += [_steps_by_arm(source, journey, *trial) for trial in trials]
    return [table for table in tables if table.rows]


def _steps_by_arm(source: Source, journey: Journey, path: str, salt: str, arms: list[str]) -> Table:
    experiment = source.numbering.steps[journey.name, path]
    found = source.query(f"""SELECT s.path, x.arm, count(DISTINCT t.customer_id)
FROM journey.exposure AS x
JOIN journey.transition AS t ON t.customer_id = x.customer_id AND t."at" >= x."at"
JOIN journey.step AS s ON s.step = t.to_step
WHERE x.experiment = {experiment} AND x.salt = {literal(salt)}
  AND t.journey = {source.number(journey)} GROUP BY s.path, x.arm""")
    of = {(at, arm): customers for at, arm, customers in found}
    rows = tuple(
        (at, *(of.get((at, arm), 0) for arm in arms))
        for at, kind in step_paths(journey)
        if kind not in _NO_STEPS and any((at, arm) in of for arm in arms)
    )
    return Table(
        name=f"steps_by_arm:{path}",
        title=f"customers per step, by arm of {path}",
        columns=(text("step"), *(count(arm, arm) for arm in arms)),
        rows=rows,
    )


def losses(source: Source, journey: Journey) -> Table:
    """What was not sent and who did not enter, by the first rule that said no."""
    found = source.query(f"""SELECT s.path, d.reason, count(*), count(DISTINCT d.customer_id)
FROM journey.decision AS d LEFT JOIN journey.step AS s ON s.step = d.step
WHERE d.journey = {source.number(journey)} GROUP BY s.path, d.reason""")
    order = {path: place for place, (path, _) in enumerate(step_paths(journey))}
    found.sort(key=lambda row: (order.get(row[0], -1), -row[2], row[1]))
    return Table(
        name="losses",
        title="not sent, by reason",
        columns=(text("step"), text("reason"), count("times"), count("customers")),
        rows=tuple((path or "(entry)", *rest) for path, *rest in found),
    )
