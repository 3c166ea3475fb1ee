"""Experiments: each arm against its control, whether that may be compared, and until when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from math import ceil

from journeylang.analysis.expected import expected
from journeylang.classes import dataclass
from journeylang.model.expressions import CustomerValue
from journeylang.model.journey import Experiment, Factors, Goal, Journey
from journeylang.model.steps import steps
from journeylang.report import compared
from journeylang.report.compared import judged
from journeylang.report.goals import (
    MOST_PARTS,
    PER_EVENT,
    by_event,
    by_shares,
    by_values,
    groups,
    unmeasured,
    valued_by_event,
)
from journeylang.report.groups import by_arm, by_field
from journeylang.report.outcomes import Outcome, not_measured, outcomes
from journeylang.report.source import Source
from journeylang.report.tables import Table, text
from journeylang.report.words import goal_name, unit
from journeylang.sql.dialects import text as literal
from journeylang.stats import power, sequences
from journeylang.stats.best import best_rate
from journeylang.stats.moments import Sample
from journeylang.stats.refusals import Refusal
from journeylang.stats.srm import Balance, balance

_RECENT = 14
"""Days by whose newcomers it is told how long an experiment still takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An experiment or a factor: its arms with their shares, the control first.

    `goals`: its own one, or those of the journey. `learns`: its shares change by themselves.
    """

    path: str
    salt: str | None
    arms: tuple[tuple[str, float], ...]
    expect: str | None
    goals: tuple[Goal, ...]
    learns: bool


def trials(journey: Journey) -> Iterator[Trial]:
    """Every experiment of a journey. Without a control arm the first written is compared with."""
    for step in steps(journey.body):
        match step:
            case Experiment():
                arms = sorted(step.arms, key=lambda arm: not arm.control)
                yield Trial(
                    path=step.path,
                    salt=step.salt,
                    arms=tuple((arm.name, float(arm.high - arm.low)) for arm in arms),
                    expect=step.expect,
                    goals=(step.goal,) if step.goal is not None else journey.goals,
                    learns=step.learns is not None,
                )
            case Factors():
                for factor in step.factors:
                    yield Trial(
                        path=factor.path,
                        salt=factor.value.salt,
                        arms=tuple((name, float(high - low)) for name, low, high in factor.arms),
                        expect=step.expect,
                        goals=(step.goal,) if step.goal is not None else journey.goals,
                        learns=step.learns is not None,
                    )
            case _:
                pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An experiment's figures for one goal: the arms, control first, and what may be said."""

    trial: Trial
    goal: Goal
    arms: tuple[Outcome, ...]
    balance: Balance | Refusal | None

    @property
    def comparable(self) -> bool:
        return not (isinstance(self.balance, Balance) and self.balance.alarm)


def look(source: Source, journey: Journey, trial: Trial, goal: Goal) -> Seen:
    """Nobody in an arm counts as nobody, so that the other arms are seen."""
    assert trial.salt is not None
    found = {
        one.arm: one
        for one in outcomes(source, journey, goal, by_arm(source, journey, trial.path, trial.salt))
    }
    arms = tuple(found.get(name) or _nobody(name) for name, _ in trial.arms)
    shares = [share for _, share in trial.arms]
    # Under shares that change by the day, those of one day say nothing of all.
    checked = None if trial.learns else balance([arm.customers for arm in arms], shares)
    return Seen(trial=trial, goal=goal, arms=arms, balance=checked)


def experiments(source: Source, journey: Journey) -> list[Table]:
    tables: list[Table] = []
    for trial in trials(journey):
        for number, goal in enumerate(trial.goals, start=1):
            name = f"experiment:{trial.path}:{number}"
            if (why := not_measured(source, goal)) is not None:
                tables.append(unmeasured(name, goal, why))
                continue
            seen = look(source, journey, trial, goal)
            if not any(arm.customers for arm in seen.arms):
                continue
            first = number == 1
            tables += _shown(source, seen, name, first=first)
            if first:
                tables.append(_state(source, journey, seen, name))
        if not trial.goals:
            tables.append(
                Table(
                    name=f"experiment:{trial.path}",
                    title=f"{trial.path}",
                    columns=(),
                    rows=(),
                    notes=("Not measured: neither it nor its journey has a goal.",),
                )
            )
    return tables


def drawn(
    source: Source, journey: Journey, field: CustomerValue, control: str | None
) -> list[Table]:
    """Groups that were drawn elsewhere and stand in a field of the customers, as an experiment.

    Compared with is `control`, or the first by name; balance is against even shares.
    """
    tables: list[Table] = []
    for number, goal in enumerate(journey.goals, start=1):
        name = f"drawn:{field.name}:{number}"
        if (why := not_measured(source, goal)) is not None:
            tables.append(unmeasured(name, goal, why))
            continue
        found = outcomes(source, journey, goal, by_field(source, journey, field))
        arms = {one.arm for one in found}
        if len(arms) > MOST_PARTS or control not in {None, *arms}:
            why = f"`{field.name}` has {len(arms)} values"
            why += f", none of them `{control}`" if control not in {None, *arms} else ""
            tables.append(unmeasured(name, goal, f"{why} (at most {MOST_PARTS} are compared)"))
            continue
        found.sort(key=lambda one: (one.arm != control, one.arm))
        seen = Seen(
            trial=Trial(
                path=f"customer.{field.name}",
                salt=None,
                arms=tuple((one.arm, 1.0) for one in found),
                expect=None,
                goals=journey.goals,
                learns=False,
            ),
            goal=goal,
            arms=tuple(found),
            balance=balance([one.customers for one in found], [1.0] * len(found)),
        )
        if len(found) > 1:
            told = _shown(source, seen, name, first=number == 1)
            note = f"Balance, held against even shares: {_balanced(seen)}."
            tables += [replace(told[0], notes=(*told[0].notes, note)), *told[1:]]
    return tables


def _nobody(arm: str) -> Outcome:
    nothing = Sample(n=0, total=0, squares=0)
    return Outcome(
        arm=arm,
        part=None,
        customers=0,
        mature=0,
        reached=0,
        events=0,
        value=nothing,
        goods=0,
        offers=0,
        messages=0,
        cost=0,
        net=nothing,
    )


def _shown(source: Source, seen: Seen, name: str, *, first: bool) -> list[Table]:
    """The arms; their shares and their values against the control; the same at any look."""
    goal, title = seen.goal, f"{seen.trial.path}: "
    tables = [groups(source, goal, seen.arms, name, title=title)]
    if not any(arm.mature for arm in seen.arms):
        return tables
    worth = f"value{unit(source.project, goal)} per"
    notes: tuple[str, ...] = () if len(seen.arms) < 3 else (_HOLM,)
    notes += (_LEARNS,) if seen.trial.learns else ()
    shown: list[_Comparing] = [("shares", goal_name(goal), "", by_shares, notes)]
    if any(arm.value is not None and arm.customers for arm in seen.arms):
        shown.append(("value", f"{worth} customer", "", by_values, notes))
    if valued_by_event(source, goal) and any(arm.customers for arm in seen.arms[1:]):
        shown.append(("ratio", f"{worth} {goal.event.name}", "", by_event, (*notes, PER_EVENT)))
    if first:
        shown.append(("any_day", goal_name(goal), ", valid on any day", _sequence, (_ANY_DAY,)))
    control = seen.arms[0]
    return tables + [
        compared.table(
            f"{name}:{kind}",
            f"{title}{what}, against {control.arm}{when}",
            judged([(arm.arm, ask(control, arm)) for arm in seen.arms[1:]]),
            shares=kind in ("shares", "any_day"),
            comparable=seen.comparable,
            notes=told,
        )
        for kind, what, when, ask, told in shown
    ]


_Comparing = tuple[str, str, str, Callable[[Outcome, Outcome], compared.Question], tuple[str, ...]]
"""The table's name, what it compares, how it may be looked at, by which question; notes."""

_HOLM = "Several arms: each interval is at the level that Holm's procedure judges the arm by."
_LEARNS = (
    "Its shares follow what it sees, so an arm's customers are of other days than another's: what"
    " changed with the days may look like the arm's doing."
)
_ANY_DAY = (
    "The tables above hold for one look at the end; this one may be looked at every day, and an"
    " experiment be ended by it."
)


def _sequence(control: Outcome, arm: Outcome) -> compared.Question:
    sums = [Sample(n=one.mature, total=one.reached, squares=one.reached) for one in (control, arm)]
    reached = (control.reached, arm.reached)
    return lambda level: sequences.compare(sums[0], sums[1], conversions=reached, level=level)


def _state(source: Source, journey: Journey, seen: Seen, name: str) -> Table:
    """Whether the arms may be compared, and how long it still takes."""
    rows: list[tuple[str, str]] = []
    if seen.trial.expect is not None:
        rows.append(("expected", seen.trial.expect))
    rows.append(("balance of the arms", _balanced(seen)))
    rows.append(("in another arm before", _leaks(source, journey, seen.trial)))
    customers = sum(arm.customers for arm in seen.arms)
    mature = sum(arm.mature for arm in seen.arms)
    rows.append(("mature", f"{mature:,} of {customers:,} customers"))
    rows += _still(source, journey, seen)
    if mature:
        chances = best_rate([arm.rate for arm in seen.arms])
        if not isinstance(chances, Refusal):
            told = ", ".join(
                f"{arm.arm} {chance:.1%}" for arm, chance in zip(seen.arms, chances, strict=True)
            )
            rows.append(("chance to be best", told))
    return Table(
        name=f"{name}:state",
        title=f"{seen.trial.path}: may it be judged",
        columns=(text("what", ""), text("found", "")),
        rows=tuple(rows),
    )


def _balanced(seen: Seen) -> str:
    match seen.balance:
        case None:
            return "not checked: its shares change by the day"
        case Refusal() as refusal:
            return f"not checked: {refusal.sentence}"
        case Balance() as found:
            p = f"p = {found.p:.3g}"
            if found.alarm:
                return f"NOT AS DRAWN ({p}): something favours an arm, so nothing is compared"
            return f"as drawn ({p})"


def _leaks(source: Source, journey: Journey, trial: Trial) -> str:
    """Customers who were in another arm under an earlier salt."""
    if trial.salt is None:
        return "not known"
    step = source.numbering.steps[journey.name, trial.path]
    earlier = source.query(
        f"SELECT count(*) FROM journey.exposure AS x WHERE x.experiment = {step}"
        f" AND x.salt <> {literal(trial.salt)}"
    )
    if not earlier[0][0]:
        return "nobody"
    leaked = source.query(f"""SELECT count(DISTINCT x.customer_id) FROM journey.exposure AS x
JOIN journey.exposure AS o ON o.customer_id = x.customer_id AND o.experiment = x.experiment
WHERE x.experiment = {step} AND x.salt = {literal(trial.salt)}
  AND o.salt <> x.salt AND o.arm <> x.arm""")[0][0]
    return f"{leaked:,} customers" if leaked else "nobody"


def _still(source: Source, journey: Journey, seen: Seen) -> list[tuple[str, str]]:
    """How many customers are needed for what is expected, and when they will be mature."""
    control, others = seen.arms[0], seen.arms[1:]
    least = min(others, key=lambda arm: arm.mature, default=None)
    if least is None or not control.mature or not least.mature:
        return []
    both = control.mature + least.mature
    part = control.mature / both
    wanted = expected(seen.trial.expect)
    if wanted is None:
        return _smallest(control, both, part)
    base = control.reached / control.mature
    needed = power.size(base, wanted.of(base), share_of_control=part)
    if isinstance(needed, Refusal):
        return [("needed", f"not known: {needed.sentence}")]
    rows = [("needed", f"{needed:,} in two arms, for {base:.2%} against {wanted.of(base):.2%}")]
    missing = needed - both
    if missing <= 0:
        return [*rows, ("days still needed", "0")]
    newcomers = _newcomers(source, journey, seen.trial) * (
        (control.customers + least.customers) / sum(arm.customers for arm in seen.arms)
    )
    waiting = control.customers + least.customers - both
    if waiting < missing and not newcomers:
        return [*rows, ("days still needed", "nobody has come lately")]
    coming = 0 if waiting >= missing else ceil((missing - waiting) / newcomers)
    window = timedelta(seconds=seen.goal.within or 0).days
    return [*rows, ("days still needed", f"about {coming + window:,}")]


def _smallest(control: Outcome, both: int, part: float) -> list[tuple[str, str]]:
    base = control.reached / control.mature
    rise = power.smallest_rise(base, customers=both, share_of_control=part)
    if isinstance(rise, Refusal):
        return [("smallest rise to be seen", f"none: {rise.sentence}")]
    return [
        (
            "smallest rise to be seen",
            f"{base:.2%} to {base + rise:.2%}, in four of five cases with the customers mature now",
        )
    ]


def _newcomers(source: Source, journey: Journey, trial: Trial) -> float:
    """Per day of the last two weeks."""
    d = source.dialect
    step = source.numbering.steps[journey.name, trial.path]
    now = d.parameter("now")
    found = source.query(
        f"SELECT count(*) FROM journey.exposure AS x WHERE x.experiment = {step}"
        f" AND x.salt = {literal(trial.salt or '')}"
        f' AND x."at" > {now} - {d.interval(_RECENT * 86400)}'
    )
    return float(found[0][0]) / _RECENT
