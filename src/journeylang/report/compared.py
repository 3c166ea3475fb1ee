"""Groups against their control, as tables: differences, lifts, intervals and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from journeylang.classes import dataclass
from journeylang.report.tables import Cell, Column, Kind, Table, text
from journeylang.stats.comparison import LEVEL, Comparison, Lift
from journeylang.stats.multiplicity import levels
from journeylang.stats.refusals import Refusal

NOT_COMPARABLE = "not comparable"

Question = Callable[[float], Comparison | Refusal]
"""A group's comparison with its control, at a level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A group and what is known of it against its control."""

    name: str
    found: Comparison | Refusal


def judged(questions: Sequence[tuple[str, Question]]) -> list[Judged]:
    """Of several groups each at the level that Holm's procedure judges it by."""
    first = [(name, ask, ask(LEVEL)) for name, ask in questions]
    p_values = [found.p for _, _, found in first if isinstance(found, Comparison)]
    own = iter(levels(p_values, level=LEVEL))
    return [
        Judged(name=name, found=ask(next(own)) if isinstance(found, Comparison) else found)
        for name, ask, found in first
    ]


def table(
    name: str,
    title: str,
    found: Sequence[Judged],
    *,
    shares: bool,
    comparable: bool = True,
    notes: tuple[str, ...] = (),
) -> Table:
    """Columns: the group, the difference, the lift, p and the verdict, with intervals."""
    change = Kind.POINTS if shares else Kind.CHANGE
    refused = _why((one.name, one.found) for one in found)
    lifts = [
        (one.name, one.found.lift)
        for one in found
        if isinstance(one.found, Comparison) and isinstance(one.found.lift, Refusal)
    ]
    refused += _why((f"{arm}'s lift", why) for arm, why in lifts)
    sparse = [one.name for one in found if isinstance(one.found, Comparison) and one.found.sparse]
    if sparse:
        refused += (f"{', '.join(sparse)}: fewer than five cases of a kind, so p is rough.",)
    return Table(
        name=name,
        title=title,
        columns=(
            text("group", ""),
            Column(name="difference", title="difference", kind=change),
            Column(name="interval", title="interval", kind=change),
            Column(name="lift", title="lift", kind=Kind.LIFT),
            Column(name="lift_interval", title="interval", kind=Kind.LIFT),
            Column(name="p", title="p", kind=Kind.CHANCE),
            text("verdict"),
        ),
        rows=tuple(_row(one, comparable=comparable) for one in found),
        notes=(*refused, *notes),
    )


def _why(found: Iterable[tuple[str, object]]) -> tuple[str, ...]:
    """Those without an answer, by what stands in the way."""
    by: dict[str, list[str]] = {}
    for name, one in found:
        if isinstance(one, Refusal):
            by.setdefault(one.sentence, []).append(name)
    return tuple(f"{', '.join(names)}: {why}." for why, names in by.items())


def _row(one: Judged, *, comparable: bool) -> tuple[Cell, ...]:
    found = one.found
    if isinstance(found, Refusal):
        return (one.name, None, None, None, None, None, "no answer")
    lift = found.lift if isinstance(found.lift, Lift) else None
    return (
        one.name,
        found.difference,
        found.interval,
        None if lift is None else lift.estimate,
        None if lift is None else lift.interval,
        found.p,
        found.verdict.value if comparable else NOT_COMPARABLE,
    )
