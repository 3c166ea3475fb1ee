"""JRN405: an experiment that cannot see what it expects, with the people there are."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.expected import expected
from journeylang.analysis.lapses import DAY, words
from journeylang.analysis.power import needed
from journeylang.analysis.spans import SECONDS
from journeylang.diagnostics.codes.experiments import UNDERPOWERED
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.places import first_line
from journeylang.lint.rule import Checked, Rule
from journeylang.model.expressions import BoundEvent
from journeylang.model.journey import Experiment, Goal, Journey
from journeylang.model.steps import steps
from journeylang.syntax import nodes

_LONGEST = 365
"""Days for which nobody runs an experiment."""

_MONTH = 30


def underpowered(checked: Checked) -> Iterator[Diagnostic]:
    """Of experiments whose ``expect`` begins with a figure: `"+10%"` of what it is, `"+2pp"`.

    It is silent without the journey's ``volumes`` in `journey.toml`, and without a rate to begin
    with: of an `assume` about the goal's event, or of `kpi conversion`. Of several rates the one
    by which fewest are needed counts, and everybody who enters is taken to reach the experiment.
    """
    for journey in checked.project.journeys.values():
        if journey.name not in checked.settings.volumes:
            continue
        for experiment in (s for s in steps(journey.body) if isinstance(s, Experiment)):
            if experiment.learns is not None:
                # Its shares follow what it sees, and it ends without a verdict.
                continue
            goal = experiment.goal or next(iter(journey.goals), None)
            wanted = expected(experiment.expect)
            base = None if goal is None else _rate(journey, goal, checked)
            if wanted is None or base is None or not 0 < base < 1:
                continue
            treated = wanted.of(base)
            if 0 < treated < 1 and treated != base:
                yield from _too_long(journey, experiment, base, treated, checked)


def _too_long(
    journey: Journey, experiment: Experiment, base: float, treated: float, checked: Checked
) -> Iterator[Diagnostic]:
    volume = checked.settings.volumes[journey.name]
    shares = [arm.high - arm.low for arm in experiment.arms]
    control = next((arm.high - arm.low for arm in experiment.arms if arm.control), max(shares))
    others = sorted(shares)
    others.remove(control)
    if not control or not others or not others[-1]:
        return
    both = control + others[-1]
    customers = needed(base, treated, share_of_control=control / both)
    kept = 1 - (journey.holdout.share if journey.holdout is not None else 0) / 10_000
    each_day = volume / _MONTH * kept * both / 10_000
    days = customers / each_day
    if days <= _days(journey):
        return
    there = (
        f" within the {words(_days(journey) * DAY)} that the journey runs"
        if _days(journey) < _LONGEST
        else ""
    )
    yield Diagnostic(
        code=UNDERPOWERED,
        message=f"`{experiment.label}` cannot see what it expects{there}: {base:.2%} against"
        f" {treated:.2%} takes {customers:,} customers in two arms, and that is"
        f" {words(max(round(days), 1) * DAY)} at {volume:,} entries in {_MONTH} days",
        span=first_line(experiment.span, checked),
        label="with 80% power at the 5% level",
        help="test what may make a larger difference, give it more people, or decide without a"
        " test",
    )


def _days(journey: Journey) -> int:
    """For how many days the experiment may run."""
    runs = journey.runs
    if runs is None or runs.start is None or runs.end is None:
        return _LONGEST
    return min((runs.end - runs.start).days, _LONGEST)


def _rate(journey: Journey, goal: Goal, checked: Checked) -> float | None:
    """The part of customers who reach the goal anyway: the largest that anything speaks for."""
    if not isinstance(goal.event, BoundEvent) or goal.within is None:
        return None
    found = [
        rate
        for assume in checked.declared.assumptions.values()
        if (rate := _assumed(assume, goal.event.name, goal.within)) is not None
    ]
    found += [
        float(kpi.bound)
        for kpi in journey.kpis
        if kpi.measure == "conversion" and kpi.operator in (">", ">=")
    ]
    return max(found, default=None)


def _assumed(assume: nodes.Assume, event: str, within: int) -> float | None:
    """The chance that the event happens within the goal's window, by all that is assumed of it."""
    misses = 1.0
    for one in assume.assumptions:
        if one.event.name.text != event or one.event.of is not None:
            continue
        chance = float(one.chance.value) / 100
        if one.per and one.window is not None:
            seconds = one.window.value * SECONDS[one.window.unit]
            misses *= (1 - chance) ** (within / seconds)
        else:
            misses *= 1 - chance
    return None if misses == 1.0 else 1 - misses


RULE = Rule(code=UNDERPOWERED, find=underpowered)
