"""Comparisons besides the plain ones: less noise, without outliers, per event, at planned looks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from journeylang.analysis.expected import expected
from journeylang.classes import dataclass
from journeylang.model.expressions import Aggregate, Within
from journeylang.model.journey import Goal, Journey
from journeylang.model.project import Project
from journeylang.model.types import NUMBER
from journeylang.plan.results import results_of
from journeylang.report import compared
from journeylang.report.compared import Question, judged
from journeylang.report.experiments import Trial, look, trials
from journeylang.report.goals import GROUPS, RARE
from journeylang.report.groups import GLOBAL, HELD, TREATED, Groups, by_arm, by_first_entry
from journeylang.report.outcomes import Outcome, by_day, not_measured, outcomes
from journeylang.report.source import Source
from journeylang.report.sums import Before, per_customer
from journeylang.report.tables import Cell, Column, Kind, Table, count, share, text
from journeylang.report.words import goal_name, unit
from journeylang.sql.caps import span_of_time
from journeylang.stats import cuped, means, power, proportions
from journeylang.stats.comparison import Comparison
from journeylang.stats.moments import Pairs, Rate, Sample
from journeylang.stats.refusals import Reason, Refusal
from journeylang.stats.sequential import Spending, bounds
from journeylang.stats.winsorising import winsorised


@dataclass(frozen=True, slots=True, kw_only=True)
class Refine:
    """What is asked for besides. `cap_at`: a share of the customers with a value, 0.99 say."""

    before: Before | None = None
    cap_at: Decimal | None = None
    looks: int | None = None
    spending: Spending = Spending.OBRIEN_FLEMING

    @property
    def anything(self) -> bool:
        return self.before is not None or self.cap_at is not None or self.looks is not None


PLAIN = Refine()


def metric_before(project: Project, name: str) -> Before | str:
    """The metric of this name, as it can be asked of any instant; or why it can't."""
    found = project.metrics[name].value
    if not isinstance(found, Aggregate) or found.function not in ("sum", "count"):
        return "it is no `sum(…)` or `count(…)` over one event"
    windows = [window for window in found.windows if isinstance(window, Within)]
    if len(windows) != 1 or len(found.windows) != 1:
        return "it has no window (`within 90d`)"
    return Before(name=name, of=found, window=windows[0].seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Groups that are compared: the control first, with the names that are read."""

    name: str
    title: str
    goal: Goal
    groups: Groups
    control: str
    others: Mapping[str, str]
    comparable: bool = True


def refined(source: Source, journey: Journey, refine: Refine) -> Iterator[Table]:
    """Of the journey against those left out of it, and of each experiment."""
    for asked in (*_left_out(source, journey), *_tried(source, journey)):
        if refine.before is not None:
            yield from _adjusted(source, journey, asked, refine.before)
        if refine.cap_at is not None:
            yield from _capped(source, journey, asked, refine.cap_at)
    if refine.looks is not None:
        for trial in trials(journey):
            if trial.salt is not None and trial.goals:
                yield _looks(source, journey, trial, refine.looks, refine.spending)


def _left_out(source: Source, journey: Journey) -> Iterator[_Asked]:
    for number, goal in enumerate(journey.goals, start=1):
        if not_measured(source, goal) is not None:
            continue
        groups = by_first_entry(source, journey)
        there = {one.arm for one in outcomes(source, journey, goal, groups, worth=True)}
        for left_out in (HELD, GLOBAL):
            if {left_out, TREATED} <= there:
                yield _Asked(
                    name=f"caused:{number}:{left_out}",
                    title=f"caused by the journey, against {GROUPS[left_out]}",
                    goal=goal,
                    groups=groups,
                    control=left_out,
                    others={TREATED: GROUPS[TREATED]},
                )


def _tried(source: Source, journey: Journey) -> Iterator[_Asked]:
    for trial in trials(journey):
        control, *others = (name for name, _ in trial.arms)
        for number, goal in enumerate(trial.goals, start=1):
            if trial.salt is not None and not_measured(source, goal) is None:
                yield _Asked(
                    name=f"experiment:{trial.path}:{number}",
                    title=f"{trial.path}, against {control}",
                    goal=goal,
                    groups=by_arm(source, journey, trial.path, trial.salt),
                    control=control,
                    others={name: name for name in others},
                    comparable=look(source, journey, trial, goal).comparable,
                )


def _adjusted(source: Source, journey: Journey, asked: _Asked, before: Before) -> Iterator[Table]:
    """CUPED: of shares, and of values where there are any."""
    number = source.dialect.column_type(NUMBER)
    values = results_of(source.project, asked.goal).revenue is not None
    sums = ", ".join(
        f"coalesce(sum(CAST({a} AS {number}) * CAST({b} AS {number})), 0)"
        for a, b in (("e.before", "e.before"), ("e.before", "e.reached"))
    )
    sums += f""", coalesce(sum(e.value), 0),
  coalesce(sum(CAST(e.value AS {number}) * CAST(e.value AS {number})), 0),
  coalesce(sum(CAST(e.before AS {number}) * CAST(e.value AS {number})), 0)"""
    found = source.query(f"""{per_customer(source, journey, asked.goal, asked.groups, before)}
SELECT e.arm, count(*), sum(e.reached), coalesce(sum(e.before), 0), {sums}
FROM every AS e GROUP BY e.arm""")
    shares: dict[str, Pairs] = {}
    worth: dict[str, Pairs] = {}
    for arm, n, reached, x, xx, x_reached, value, value2, x_value in found:
        hits = int(reached)
        shares[arm] = Pairs(n=n, y=hits, x=x, yy=hits, xx=xx, xy=x_reached)
        worth[arm] = Pairs(n=n, y=value, x=x, yy=value2, xx=xx, xy=x_value)
    few = {arm: pairs.y for arm, pairs in shares.items()}
    for kind, of in (("shares", shares), ("value", worth)):
        if not any(arm in of for arm in asked.others) or (kind == "value" and not values):
            continue
        told = goal_name(asked.goal)
        if kind == "value":
            told = f"value{unit(source.project, asked.goal)} per customer"
        explained: list[str] = []
        questions = []
        for arm, label in asked.others.items():
            ask = _cuped(of, few, asked.control, arm)
            first = ask(0.95)
            if isinstance(first, cuped.Adjusted):
                explained.append(f"{label} {first.explained:.1%}")
            questions.append((label, _only(ask)))
        note = (
            f"Adjusted (CUPED) by `{before.name}`, the {span_of_time(before.window)} up to each"
            " customer's exposure: what it foretells is taken off, so that less of the difference"
            " is chance."
        )
        if explained:
            note += f" Part of the variance that it explains: {', '.join(explained)}."
        yield compared.table(
            f"{asked.name}:before:{kind}",
            f"{asked.title}: {told}, adjusted by {before.name}",
            judged(questions),
            shares=kind == "shares",
            comparable=asked.comparable,
            notes=(note,),
        )


def _cuped(of: Mapping[str, Pairs], few: Mapping[str, Any], control: str, arm: str) -> Any:
    if control not in of or arm not in of:
        return lambda _: Refusal(Reason.NOT_MATURE)
    if min(few[control], few[arm]) < RARE:
        return lambda _: Refusal(Reason.RARE)
    return lambda level: cuped.compare(of[control], of[arm], level=level)


def _only(ask: Any) -> Question:
    def question(level: float) -> Comparison | Refusal:
        found = ask(level)
        return found.comparison if isinstance(found, cuped.Adjusted) else found

    return question


def _capped(source: Source, journey: Journey, asked: _Asked, cap_at: Decimal) -> Iterator[Table]:
    """Values above the quantile of all groups together count as that."""
    if results_of(source.project, asked.goal).revenue is None:
        return
    number = source.dialect.column_type(NUMBER)
    found = source.query(f"""{per_customer(source, journey, asked.goal, asked.groups)}, top AS (
  SELECT percentile_disc({cap_at:f}) WITHIN GROUP (ORDER BY e.value) AS most
  FROM every AS e WHERE e.value > 0
)
SELECT e.arm, max(t.most), count(*) FILTER (WHERE e.value <= t.most),
  coalesce(sum(e.value) FILTER (WHERE e.value <= t.most), 0),
  coalesce(sum(CAST(e.value AS {number}) * CAST(e.value AS {number}))
    FILTER (WHERE e.value <= t.most), 0), count(*) FILTER (WHERE e.value > t.most), sum(e.reached)
FROM every AS e CROSS JOIN top AS t GROUP BY e.arm""")
    of: dict[str, Sample] = {}
    few: dict[str, int] = {}
    most: Any = None
    over = 0
    for arm, cap, n, total, squares, above, reached in found:
        if cap is None:
            continue
        most, few[arm] = cap, int(reached)
        over += above
        below = Sample(n=n, total=total, squares=squares)
        of[arm] = winsorised(below, over=above, cap=cap)
    if not any(arm in of for arm in asked.others):
        return

    def question(arm: str) -> Question:
        if asked.control not in of or arm not in of:
            return lambda _: Refusal(Reason.NOT_MATURE)
        if min(few[asked.control], few[arm]) < RARE:
            return lambda _: Refusal(Reason.RARE)
        return lambda level: means.compare(of[asked.control], of[arm], level=level)

    note = (
        f"Winsorised: a customer's value counts for at most {most:,.2f}, above which"
        f" {1 - cap_at:.2%} of those lie who brought anything, all groups together:"
        f" {over:,} customers. So a few large orders decide nothing; and neither does what a group"
        " does at the top."
    )
    yield compared.table(
        f"{asked.name}:capped",
        f"{asked.title}: value{unit(source.project, asked.goal)} per customer, capped at"
        f" {cap_at:.4%}".replace("00%", "%"),
        judged([(label, question(arm)) for arm, label in asked.others.items()]),
        shares=False,
        comparable=asked.comparable,
        notes=(note,),
    )


_PLANNED = (
    "Planned looks: the error of 5 % is spent on them by the part of the planned customers that"
    " they had ({}). A look at which z reaches its bound ends the experiment; others say nothing."
    " Looks are at the first day of exposures whose customers are mature and reach the part."
)
_SPENDS = {
    Spending.OBRIEN_FLEMING: "like O'Brien and Fleming: hardly anything at first",
    Spending.POCOCK: "like Pocock: nearly evenly",
}


def _looks(
    source: Source, journey: Journey, trial: Trial, number: int, spending: Spending
) -> Table:
    """Of the first goal, each arm against the control at the looks that were planned."""
    goal = trial.goals[0]
    name, title = f"experiment:{trial.path}:looks", f"{trial.path}: planned looks"
    columns = (
        text("arm", ""),
        count("look"),
        text("day"),
        count("mature"),
        share("part", "of the plan"),
        Column(name="z", title="z", kind=Kind.RATIO),
        Column(name="bound", title="bound", kind=Kind.RATIO),
        text("verdict"),
    )
    notes: tuple[str, ...] = (_PLANNED.format(_SPENDS[spending]),)
    rows: list[tuple[Cell, ...]] = []
    if (why := not_measured(source, goal)) is not None:
        return Table(name=name, title=title, columns=(), rows=(), notes=(f"Not measured: {why}.",))
    wanted = expected(trial.expect)
    if wanted is None:
        why = "No size is planned: `expect` names none, as in `+10% more orders`."
        return Table(name=name, title=title, columns=(), rows=(), notes=(why,))
    if not look(source, journey, trial, goal).comparable:
        why = "The arms have not the customers that their shares promise: nothing is compared."
        return Table(name=name, title=title, columns=(), rows=(), notes=(why,))
    groups = by_arm(source, journey, trial.path, trial.salt or "")
    days = [one for one in by_day(source, journey, goal, groups) if one.mature]
    control, *others = (arm for arm, _ in trial.arms)
    base = _rate([one for one in days if one.arm == control])
    for arm in others:
        planned = power.size(base, wanted.of(base)) if 0 < base < 1 else Refusal(Reason.NO_BASE)
        if isinstance(planned, Refusal):
            notes += (f"{arm}: {planned.sentence}.",)
            continue
        rows += _of_arm(
            [one for one in days if one.arm in (control, arm)],
            control,
            arm,
            planned,
            number,
            spending,
        )
        notes += (f"{arm}: planned are {planned:,} customers in two arms.",)
    return Table(name=name, title=title, columns=columns, rows=tuple(rows), notes=notes)


def _rate(days: Sequence[Outcome]) -> float:
    mature = sum(one.mature for one in days)
    return sum(one.reached for one in days) / mature if mature else 0.0


def _of_arm(
    days: Sequence[Outcome],
    control: str,
    arm: str,
    planned: int,
    number: int,
    spending: Spending,
) -> Iterator[tuple[Cell, ...]]:
    """The looks that have been reached; behind one that has decided there is none."""
    rates = {name: Rate(n=0, hits=0) for name in (control, arm)}
    taken: list[tuple[str, int, float, float]] = []
    for day in sorted({one.day for one in days if one.day is not None}):
        for one in days:
            if one.day == day:
                so_far = rates[one.arm]
                rates[one.arm] = Rate(n=so_far.n + one.mature, hits=so_far.hits + one.reached)
        both = sum(rate.n for rate in rates.values())
        part = min(both / planned, 1.0)
        due = len(taken) + 1
        if due > number or part < due / number or not all(rate.n for rate in rates.values()):
            continue
        found = proportions.compare(rates[control], rates[arm])
        if isinstance(found, Comparison):
            taken.append((f"{day}", both, part, found.statistic))
    limits = bounds([part for _, _, part, _ in taken], spending)
    if isinstance(limits, Refusal):
        return
    for place, ((day_, both, part, z), limit) in enumerate(zip(taken, limits, strict=True), 1):
        verdict = "go on" if place < number else "undecided"
        if abs(z) >= limit.bound:
            verdict = "higher" if z > 0 else "lower"
        yield (arm, place, day_, both, part, z, limit.bound, verdict)
        if verdict in ("higher", "lower"):
            return
