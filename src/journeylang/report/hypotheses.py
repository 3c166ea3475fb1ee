"""What experiments were to show, and whether they have."""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.analysis.expected import expected
from journeylang.model.journey import Journey
from journeylang.report.compared import judged
from journeylang.report.experiments import Seen, look, trials
from journeylang.report.goals import by_shares
from journeylang.report.outcomes import not_measured
from journeylang.report.source import Source
from journeylang.report.tables import Cell, Column, Kind, Table, text
from journeylang.report.words import goal_name
from journeylang.stats.comparison import Comparison, Verdict

_NOTE = (
    "Of the first goal. Confirmed: an arm is higher than the control (lower, where `expect` begins"
    " with a minus); refuted: one is the other way and none as expected. The size that `expect`"
    " names is not asked for."
)


def hypotheses(source: Source, journeys: Sequence[Journey]) -> Table:
    """Every experiment that says what it expects."""
    rows: list[tuple[Cell, ...]] = []
    for journey in journeys:
        for trial in trials(journey):
            if trial.expect is None:
                continue
            name = f"{journey.name}/{trial.path}"
            goal = next(iter(trial.goals), None)
            if goal is None or not_measured(source, goal) is not None:
                rows.append((name, trial.expect, "not measured", None, None, None, None))
                continue
            found = _found(look(source, journey, trial, goal))
            rows.append((name, trial.expect, *found, goal_name(goal)))
    return Table(
        name="hypotheses",
        title="hypotheses",
        columns=(
            text("experiment"),
            text("expected"),
            text("outcome"),
            text("arm"),
            Column(name="difference", title="difference", kind=Kind.POINTS),
            Column(name="interval", title="interval", kind=Kind.POINTS),
            text("goal"),
        ),
        rows=tuple(rows),
        notes=(_NOTE if rows else "No experiment says what it expects.",),
    )


def _found(seen: Seen) -> tuple[Cell, ...]:
    """The outcome, with the arm that speaks most clearly for it."""
    if not seen.comparable:
        return ("not comparable", None, None, None)
    control, others = seen.arms[0], seen.arms[1:]
    found = [
        (one.name, one.found)
        for one in judged([(arm.arm, by_shares(control, arm)) for arm in others])
        if isinstance(one.found, Comparison)
    ]
    if not found:
        return ("too early", None, None, None)
    wanted = expected(seen.trial.expect)
    fewer = wanted is not None and wanted.change < 0
    as_expected, otherwise = (
        (Verdict.LOWER, Verdict.HIGHER) if fewer else (Verdict.HIGHER, Verdict.LOWER)
    )
    for verdict, outcome in ((as_expected, "confirmed"), (otherwise, "refuted")):
        those = [(name, one) for name, one in found if one.verdict is verdict]
        if those:
            name, one = min(those, key=lambda pair: pair[1].p)
            return (outcome, name, one.difference, one.interval)
    name, one = min(found, key=lambda pair: pair[1].p)
    return ("undecided", name, one.difference, one.interval)
