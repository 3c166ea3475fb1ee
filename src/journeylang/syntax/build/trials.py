"""Moves and assumptions."""

from typing import Literal

from journeylang.source import Span
from journeylang.syntax.build.context import Builder
from journeylang.syntax.declarations import Moved
from journeylang.syntax.expressions import EventRef, Path
from journeylang.syntax.literals import Duration, Name, Percent
from journeylang.syntax.trials import Assumption


def moved(_: Builder, span: Span, journey: Name, source: Path, target: Path | str) -> Moved:
    where = target if isinstance(target, Path) else None
    return Moved(journey=journey, source=source, target=where, span=span)


def assumption(
    b: Builder,
    span: Span,
    event: EventRef,
    after: EventRef | None,
    chance: Percent,
    how: Literal["within", "per"] | None,
    window: Duration | None,
) -> Assumption:
    if chance.value > 100:
        b.problem(chance.span, "a chance of more than 100%", help="write 0% to 100%")
    return Assumption(
        event=event, after=after, chance=chance, window=window, per=how == "per", span=span
    )
