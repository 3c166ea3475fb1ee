"""A condition taken apart: each part with its truth and the values that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.model.expressions import (
    Aged,
    Aggregate,
    All,
    Between,
    Comparison,
    Constant,
    Drawn,
    Either,
    Expression,
    Known,
    Negated,
    OneOf,
    SegmentTest,
    TextMatch,
    TopBy,
)
from journeylang.model.project import Project
from journeylang.why.changes import Changes, counted, newest, supports
from journeylang.why.model import Clause, Shown
from journeylang.why.person import NotKept, Person, Since, Values
from journeylang.why.wording import Wording


def split(node: Expression) -> tuple[Expression, ...]:
    """The conditions that all have to hold, each by itself."""
    return node.parts if isinstance(node, All) else (node,)


def parts(project: Project, node: Expression) -> Iterator[Expression]:
    """Everything that has to be asked for a condition to be taken apart."""
    yield node
    match node:
        case All() | Either():
            for part in node.parts:
                yield from parts(project, part)
        case Negated():
            yield from parts(project, node.part)
        case SegmentTest():
            yield from parts(project, project.segments[node.name].condition)
        case _:
            yield from (o for o in _operands(node) if not isinstance(o, Constant))
            yield from supports(project, node)


def _operands(node: Expression) -> Sequence[Expression]:
    match node:
        case Comparison():
            return (node.left, node.right)
        case Between():
            return (node.subject, node.low, node.high)
        case OneOf() | TextMatch() | Known() | Aged():
            return (node.subject,)
        case TopBy():
            return (node.by,)
        case _:
            return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clauses:
    """Makes clauses of one journey's conditions about one customer."""

    project: Project
    person: Person
    wording: Wording

    def asked(
        self, conditions: Sequence[Expression], at: datetime, run: Since | None = None
    ) -> tuple[Clause, ...]:
        """The conditions as of an instant, the parts of an `and` each by itself."""
        wanted = [c for condition in conditions for c in split(condition)]
        values = self.person.ask([n for c in wanted for n in parts(self.project, c)], at, run)
        return tuple(self.clause(c, values) for c in wanted)

    def clause(self, node: Expression, values: Values) -> Clause:
        """One condition, of which all parts have been asked."""
        holds = values.get(node)
        known = None if isinstance(holds, NotKept) else bool(holds)
        changes = Changes(project=self.project, wording=self.wording, values=values)
        return Clause(
            text=self.wording.of(node),
            holds=known,
            values=tuple(self._shown(node, values)),
            parts=tuple(self.clause(p, values) for p in self._parts(node)),
            needs=changes.needed(node) if known is False else (),
        )

    def _parts(self, node: Expression) -> tuple[Expression, ...]:
        match node:
            case All() | Either():
                return node.parts
            case Negated(part=All() | Either() | SegmentTest() as part):
                return (part,)
            case SegmentTest():
                return split(self.project.segments[node.name].condition)
            case _:
                return ()

    def _shown(self, node: Expression, values: Values) -> Iterator[Shown]:
        """What a condition compares, but for what it says itself."""
        if isinstance(node, Negated):
            yield from self._shown(node.part, values)
        if isinstance(node, Aggregate):
            yield from self._rows(node, values)
        if isinstance(node, TopBy) and not isinstance(values.get(node), NotKept):
            place = self.person.place(node)
            if place is not None:
                yield Shown(of="place", value=f"{place[0] + 1:,} of {place[1]:,}")
        for operand in _operands(node):
            if not isinstance(operand, Constant | Drawn):
                shown = self.wording.value(operand, values.get(operand))
                yield Shown(of=self.wording.of(operand), value=shown)

    def _rows(self, node: Aggregate, values: Values) -> Iterator[Shown]:
        count, last = values.get(counted(node)), values.get(newest(node))
        if isinstance(count, int):
            shown = self.wording.rows(node, count)
            when = f", the newest {self.wording.clock(last)}" if isinstance(last, datetime) else ""
            yield Shown(of="rows", value=f"{shown}{when}")
