"""What becomes of people in each journey of a dry run, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from journeylang.classes import dataclass
from journeylang.model.journey import (
    Experiment,
    Factors,
    Invoke,
    Journey,
    Race,
    Send,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.model.project import Project
from journeylang.model.steps import steps
from journeylang.pictures.flow import Way
from journeylang.plan.operations import JourneyPlan
from journeylang.simulate.figures import SENT, Counts, Figures, scaled_cost
from journeylang.simulate.forecast import ZERO, Course, Estimate, Step, total
from journeylang.simulate.population import SCHEMA
from journeylang.sql.schema import ACTIVE, EXITED, GONE, STATUS_NAMES

_BEFORE = (
    f"journey.run AS x LEFT JOIN {SCHEMA}.before AS b"
    " ON b.customer_id = x.customer_id AND b.run_id = x.run_id"
)
# Only of who left is it asked how.
_MOVED = (
    "journey.transition AS x LEFT JOIN journey.run AS r ON x.to_step IS NULL"
    " AND r.customer_id = x.customer_id AND r.run_id = x.run_id"
)
_NEWLY_EXPOSED = (
    f"journey.exposure AS x LEFT JOIN {SCHEMA}.exposed AS b ON b.customer_id = x.customer_id"
    " AND b.experiment = x.experiment AND b.salt = x.salt"
)
Numbers = Mapping[tuple[str, str], int]


def courses(
    figures: Figures, project: Project, plans: Mapping[str, JourneyPlan], numbers: Numbers
) -> Iterator[Course]:
    """Each journey's, by name."""
    counts = _Counts.of(figures)
    currency = next(
        (c.currency for c in project.binding.channels.values() if c.currency is not None), None
    )
    paths = {number: path for (_, path), number in numbers.items()}
    for name, plan in sorted(plans.items()):
        number, journey = plan.journey, project.journeys[name]
        yield Course(
            journey=name,
            title=journey.title,
            entered=total(e for key, e in counts.began.items() if key[0] == number),
            not_entered=_by_last(counts.skipped, number, None),
            active=counts.active.get((number,), ZERO),
            ended=_largest_first(
                (_how(key[1], key[2]), e) for key, e in counts.ended.items() if key[0] == number
            ),
            messages=total(
                e
                for key, e in counts.sent.items()
                if key[0] == number and key[2] in project.binding.channels
            ),
            cost=scaled_cost(counts.costs.get(number), figures.share),
            currency=currency,
            steps=tuple(_steps(journey, number, numbers, counts)),
            ways=tuple(_ways(number, paths, counts)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """What there is to count: keys begin with the number of the journey, but for `exposed` and
    `resting`, whose only one is the step's.
    """

    began: Counts
    ended: Counts
    active: Counts
    came: Counts
    moved: Counts
    skipped: Counts
    held: Counts
    exposed: Counts
    resting: Counts
    sent: Counts
    costs: Mapping[int, Any]

    @classmethod
    def of(cls, figures: Figures) -> _Counts:
        behind = f"x.tick > {figures.since.tick}"
        active = f"x.status = {ACTIVE}"
        return cls(
            began=figures.counted(("x.journey",), _BEFORE, where="b.run_id IS NULL"),
            ended=figures.counted(
                ("x.journey", "x.status", "coalesce(x.reason, '')"),
                _BEFORE,
                where=f"x.status <> {ACTIVE} AND coalesce(b.status, {ACTIVE}) = {ACTIVE}",
            ),
            active=figures.counted(("x.journey",), "journey.run AS x", where=active),
            came=_came(figures, behind),
            moved=_moved(figures, behind),
            skipped=figures.counted(
                ("x.journey", "x.step", "x.reason"), "journey.decision AS x", where=behind
            ),
            held=figures.counted(("x.journey", "x.step", "x.reason"), f"{SCHEMA}.held AS x", "x.n"),
            exposed=figures.counted(
                ("x.experiment",), _NEWLY_EXPOSED, where="b.experiment IS NULL"
            ),
            resting=figures.counted(("x.step",), "journey.run AS x", where=active),
            sent=figures.messages("x.journey", "x.step", "x.channel"),
            costs=dict(
                figures.engine.query(
                    f"SELECT x.journey, sum(x.cost) FROM {SENT} WHERE x.plain GROUP BY x.journey"
                )
            ),
        )


def _came(figures: Figures, behind: str) -> Counts:
    names, elsewhere = ("x.journey", "x.to_step"), "x.to_step IS DISTINCT FROM x.from_step"
    if figures.moved is not None:
        return figures.counted(names, f"{figures.moved} AS x", "x.n", elsewhere)
    return figures.counted(names, "journey.transition AS x", where=f"{behind} AND {elsewhere}")


def _moved(figures: Figures, behind: str) -> Counts:
    names = ("x.journey", "x.from_step", "x.to_step")
    elsewhere = "(x.to_step IS NULL OR x.to_step IS DISTINCT FROM x.from_step)"
    if figures.moved is not None:
        how = ("x.status", "coalesce(x.reason, '')")
        return figures.counted((*names, *how), f"{figures.moved} AS x", "x.n", elsewhere)
    how = ("r.status", "coalesce(r.reason, '')")
    return figures.counted((*names, *how), _MOVED, where=f"{behind} AND {elsewhere}")


def _steps(journey: Journey, number: int, numbers: Numbers, counts: _Counts) -> Iterator[Step]:
    for step in steps(journey.body):
        match step:
            case Send() | Invoke():
                at = numbers[journey.name, step.path]
                out = total(e for key, e in counts.sent.items() if key[1] == at)
                lost = _by_last(counts.skipped, number, at)
                # Who is held may leave meanwhile.
                left = [e for key, e in counts.moved.items() if key[:4] in _left(number, at)]
                here = [out, *(e for _, e in lost), *left, counts.resting.get((at,), ZERO)]
                yield Step(
                    path=step.path,
                    kind="send" if isinstance(step, Send) else "invoke",
                    came=total(here),
                    sent=out,
                    not_sent=lost,
                    held=_by_last(counts.held, number, at),
                    span=step.span,
                )
            case Wait() | WaitMoment() | WaitState() | Race():
                came = counts.came.get((number, numbers[journey.name, step.path]), ZERO)
                yield Step(path=step.path, kind="wait", came=came, span=step.span)
            case Experiment():
                came = counts.exposed.get((numbers[journey.name, step.path],), ZERO)
                yield Step(path=step.path, kind="experiment", came=came, span=step.span)
            case Factors():
                # Whoever comes is exposed once per factor.
                at = numbers[journey.name, step.factors[0].path]
                came = counts.exposed.get((at,), ZERO)
                yield Step(path=step.path, kind="experiment", came=came, span=step.span)
            case _:
                pass


def _left(number: int, step: int) -> list[tuple[int, int, None, int]]:
    return [(number, step, None, status) for status in (EXITED, GONE)]


def _ways(number: int, paths: Mapping[int, str], counts: _Counts) -> Iterator[Way]:
    """From step to step, in the order of their names."""
    found = [
        Way(
            origin=None if origin is None else paths.get(origin, ""),
            to=None if to is None else paths.get(to, ""),
            outcome=None if status is None else _how(status, reason) or "end",
            runs=of.value,
        )
        for (journey, origin, to, status, reason), of in counts.moved.items()
        if journey == number
    ]
    yield from sorted(found, key=lambda way: (way.origin or "", way.to or "", way.outcome or ""))


def _how(status: int, reason: str) -> str:
    return reason if STATUS_NAMES[status] in ("finished", "exited") else STATUS_NAMES[status]


def _by_last(counts: Counts, journey: int, step: int | None) -> tuple[tuple[str, Estimate], ...]:
    return _largest_first((key[2], e) for key, e in counts.items() if key[:2] == (journey, step))


def _largest_first(found: Iterator[tuple[str, Estimate]]) -> tuple[tuple[str, Estimate], ...]:
    return tuple(sorted(found, key=lambda one: (-one[1].value, one[0])))
