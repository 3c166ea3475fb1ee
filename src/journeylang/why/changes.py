"""What would make a condition true, or false: "1 more order_placed", "after 14 March 09:00".

Each text is a need; a list of them is needed all together, ` or ` within one leaves a choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from journeylang.classes import dataclass
from journeylang.model.expressions import (
    Aged,
    Aggregate,
    All,
    Between,
    Comparison,
    Constant,
    Either,
    Expression,
    Known,
    Listed,
    MetricValue,
    Negated,
    OneOf,
    SegmentTest,
    SqlMembers,
    TextMatch,
    TopBy,
    Within,
)
from journeylang.model.project import Project
from journeylang.model.types import INSTANT, INT
from journeylang.why.person import Values
from journeylang.why.wording import Wording

Operator = Literal["=", "!=", "<", "<=", ">", ">="]

NEVER = ""
"""What cannot come about any more: rows that have happened do not go."""

_INVERSE: dict[Operator, Operator] = {
    "=": "!=",
    "!=": "=",
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
}
_MIRRORED: dict[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def counted(node: Aggregate) -> Aggregate:
    """How many rows an aggregate is over."""
    return Aggregate(
        function="count",
        event=node.event,
        where=node.where,
        windows=node.windows,
        type=INT,
        span=node.span,
    )


def newest(node: Aggregate) -> Aggregate:
    """When the newest of its rows was."""
    return _edge(node, "last")


def oldest(node: Aggregate) -> Aggregate:
    """When the oldest of its rows was."""
    return _edge(node, "first")


def _edge(node: Aggregate, function: Literal["first", "last"]) -> Aggregate:
    return Aggregate(
        function=function,
        event=node.event,
        where=node.where,
        windows=node.windows,
        type=INSTANT.maybe(),
        span=node.span,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """`values` are those of all nodes of the condition at hand."""

    project: Project
    wording: Wording
    values: Values

    def needed(self, node: Expression, want: bool = True) -> tuple[str, ...]:
        """What has to change for the condition to be as wanted; nothing if it is, or never can."""
        found = tuple(dict.fromkeys(self._needed(node, want)))
        return () if NEVER in found else found

    def _needed(self, node: Expression, want: bool) -> Iterator[str]:
        if self.values.get(node) is want:
            return
        match node:
            case All() | Either():
                # All of it has to be as wanted, or any part is enough.
                if isinstance(node, All) is want:
                    for part in node.parts:
                        yield from self._needed(part, want)
                else:
                    ways = (" and ".join(self.needed(part, want)) for part in node.parts)
                    yield " or ".join(dict.fromkeys(way for way in ways if way)) or NEVER
            case Negated():
                yield from self._needed(node.part, not want)
            case SegmentTest():
                yield from self._needed(self.project.segments[node.name].condition, want)
            case Comparison():
                yield self._comparison(node, want)
            case Aggregate():
                yield self._exists(node, want)
            case Aged():
                yield self._aged(node, want)
            case Known():
                known = node.known is want
                yield f"{self.wording.of(node.subject)} {'known' if known else 'unknown'}"
            case OneOf():
                options = ", ".join(self.wording.of(o) for o in node.options)
                word = "one of" if want else "none of"
                yield f"{self.wording.of(node.subject)} {word} {options}"
            case Between() | TextMatch():
                yield f"{'' if want else 'not '}{self.wording.of(node)}"
            case TopBy():
                by = self.wording.of(node.by)
                share = f"{node.share / 100:g}%"
                yield f"a place {'among' if want else 'behind'} the top {share} by {by}"
            case Listed():
                yield f'{"an" if want else "no"} entry in list "{node.path}"'
            case SqlMembers():
                yield f"{'a' if want else 'no'} row of the segment's SQL"
            case _:
                yield f"{self.wording.of(node)} {'true' if want else 'false'}"

    def _comparison(self, node: Comparison, want: bool) -> str:
        operator: Operator = node.operator if want else _INVERSE[node.operator]
        left, right = node.left, node.right
        if isinstance(left, Constant):
            left, right, operator = right, left, _MIRRORED.get(operator, operator)
        here, there = self._value(left), self._value(right)
        if here is None and not (operator == "!=" or (not want and node.operator != "!=")):
            return f"{self.wording.of(left)} known"
        difference = _difference(here, there)
        if difference is None or operator in ("=", "!="):
            sign = "other than" if operator == "!=" else operator.replace("=", "", operator == "=")
            return f"{self.wording.of(left)} {sign} {self.wording.of(right)}".replace("  ", " ")
        if operator in ("<", ">") and isinstance(difference, int):
            difference += 1
        return self._moved(left, difference, more=operator in (">", ">="), strict=operator)

    def _moved(self, node: Expression, by: float | Decimal, *, more: bool, strict: Operator) -> str:
        of = figure(self.project, node)
        word = "more" if more else "less"
        if isinstance(of, Aggregate) and of.function == "count" and isinstance(by, int):
            what = self.wording.rows(of, by)
            number, _, rest = what.partition(" ")
            if more:
                return f"{number} more {rest}"
            if not any(isinstance(w, Within) for w in of.windows):
                return NEVER
            leaves = self._leaves(of, oldest(of)) if by == 1 else None
            return f"{number} fewer {rest}" + (f" (after {leaves})" if leaves else "")
        amount = self.wording.plain(by, node.type)
        beyond = "more than " if strict in ("<", ">") and not isinstance(by, int) else ""
        return f"{beyond}{amount} {word} in {self.wording.of(node)}"

    def _exists(self, node: Aggregate, want: bool) -> str:
        if want:
            return self.wording.rows(node, 1)
        leaves = self._leaves(node, newest(node))
        return f"after {leaves}" if leaves else NEVER

    def _leaves(self, node: Aggregate, edge: Aggregate) -> str | None:
        """When a row leaves the window, as a clock shows it."""
        spans = [w.seconds for w in node.windows if isinstance(w, Within)]
        at = self._value(edge)
        if not spans or not isinstance(at, datetime):
            return None
        return self.wording.clock(at + timedelta(seconds=min(spans)))

    def _aged(self, node: Aged, want: bool) -> str:
        subject = self._value(node.subject)
        if isinstance(subject, date) and not isinstance(subject, datetime):
            subject = datetime.combine(subject, time())
        if node.older is want and isinstance(subject, datetime):
            return f"after {self.wording.clock(subject + timedelta(seconds=node.seconds))}"
        of = figure(self.project, node.subject)
        row = isinstance(of, Aggregate) and of.value is None and of.function == "last"
        if isinstance(of, Aggregate) and row:
            what = self.wording.rows(of, 1).removeprefix("1 ")
            return f"1 {what}" if subject is None else f"a newer {what}"
        what = self.wording.of(node.subject)
        return f"{what} known" if node.older is want else f"a newer {what}"

    def _value(self, node: Expression) -> object:
        return node.value if isinstance(node, Constant) else self.values.get(node)


def figure(project: Project, node: Expression) -> Expression:
    """What a metric stands for."""
    while isinstance(node, MetricValue):
        node = project.metrics[node.name].value
    return node


def _difference(here: object, there: object) -> float | Decimal | None:
    """How far two figures are apart; None if they are none."""
    if isinstance(here, bool) or not isinstance(here, int | float | Decimal):
        return None
    if not isinstance(there, int | float | Decimal):
        return None
    if isinstance(here, float) or isinstance(there, float):
        return abs(float(there) - float(here))
    if isinstance(here, int) and isinstance(there, int):
        return abs(there - here)
    return abs(Decimal(there) - Decimal(here))


def supports(project: Project, node: Expression) -> Iterator[Expression]:
    """What is asked besides a condition, so that it can be said what would change it."""
    match node:
        case Aggregate(function="exists"):
            yield counted(node)
            yield newest(node)
        case Comparison():
            for side in (node.left, node.right):
                of = figure(project, side)
                if isinstance(of, Aggregate) and of.function == "count" and of.windows:
                    yield oldest(of)
        case _:
            pass
