"""Whether conditions exclude each other, whatever the data.

The question is asked of a conjunction. Conditions on the same attribute, figure or metric leave a
set of values for it (`domains`), figures over nested rows bound each other (`lemmas`), `or` and
negated `and` are tried one way after the other, and segments and metrics are looked into. Logic is
two-valued: where a comparison does not hold, its value is unknown or on the other side.

The answer is sound, not complete: "contradictory" is said only if no customer, run or row can make
all conditions true at one instant. What is not understood means only itself, and what takes too
many ways to try is taken to be possible.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field, replace

from journeylang.analysis import lemmas
from journeylang.analysis.domains import Store, kind_of, place, prefixed, without
from journeylang.analysis.intervals import (
    NOTHING,
    Intervals,
    Point,
    above,
    below,
    both,
    outside,
    point,
    points,
)
from journeylang.analysis.subjects import Order, Subject, Value, rows, subject_of
from journeylang.classes import dataclass
from journeylang.model.expressions import (
    Aged,
    Aggregate,
    All,
    Between,
    Comparison,
    Constant,
    CustomerValue,
    Either,
    EntryValue,
    EventValue,
    Expression,
    Known,
    MetricValue,
    Negated,
    OneOf,
    SegmentTest,
    TextMatch,
)
from journeylang.model.project import Project
from journeylang.model.types import NUMERIC

_MOST_STEPS = 3_000
"""Conditions looked at in one question, over all ways that are tried."""

_OF_A_METRIC = 20
"""Conditions for which one on a metric counts, which is compared by all that it is made of."""

_MOST_DEEP = 100
"""Alternatives chosen one within the other."""

_MOST_PARTS = 40
"""Conditions among which those that exclude each other are singled out."""

_COMPARED: dict[str, Callable[[Point, Point], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_ORDERS = frozenset({"<", "<=", ">", ">="})
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A condition that is known to hold, or not to.

    ``via`` are the segments through which it was come by, outermost first. ``because`` says whence
    it is known, for whoever asks; it is handed on to the parts.
    """

    condition: Expression
    holds: bool = True
    via: tuple[SegmentTest, ...] = ()
    because: str = ""


@dataclass(slots=True)
class Effort:
    """Conditions that may still be looked at, over all the questions that are given this.

    ``metrics`` are those that were met, spelled out.
    """

    left: int
    metrics: dict[str, Value] = field(default_factory=dict)


def contradictory(
    facts: Sequence[Fact], project: Project, effort: Effort | None = None
) -> tuple[Fact, ...] | None:
    """The facts that exclude each other, as few as can be found; None if they may all be true.

    Conjunctions and segments are taken apart, so that the answer names the parts. Of facts that
    exclude each other in several ways the first ones are named.
    """
    if effort is not None and effort.left <= 0:
        return None
    if possible(facts, project, effort):
        return None
    parts = taken_apart(facts, project)
    if len(parts) == 1 or len(parts) > _MOST_PARTS:
        return tuple(parts)
    index = len(parts) - 1
    while index >= 0:
        fewer = parts[:index] + parts[index + 1 :]
        if not possible(fewer, project, effort):
            parts = fewer
        index -= 1
    return tuple(parts)


def possible(facts: Sequence[Fact], project: Project, effort: Effort | None = None) -> bool:
    """False only if no data can make all the facts true at one instant."""
    effort = Effort(left=_MOST_STEPS) if effort is None else effort
    if len(facts) == 1 and facts[0].holds and _some_number(facts[0].condition):
        effort.left -= 1
        return True
    most = min(_MOST_STEPS, effort.left)
    search = _Search(project=project, most=most, metrics=effort.metrics)
    found = search.possible([(f.condition, f.holds) for f in facts], [], Store(), 0)
    effort.left -= search.steps
    return found


def _some_number(node: Expression) -> bool:
    """Whether it is an order of a number of the data and a written one: some number fulfils it."""
    return (
        isinstance(node, Comparison)
        and node.operator in _ORDERS
        and isinstance(node.left, CustomerValue | EntryValue | EventValue)
        and node.left.type.kind in NUMERIC
        and isinstance(node.right, Constant)
        and node.right.value is not None
    )


def implies(one: Expression, other: Expression, project: Project) -> bool:
    """True only if whatever makes the one true makes the other true."""
    return not possible([Fact(condition=one), Fact(condition=other, holds=False)], project)


def taken_apart(facts: Iterable[Fact], project: Project) -> list[Fact]:
    """The parts that hold one by one, through `and`, `not` and segments, in the order written."""
    found: list[Fact] = []
    waiting = list(facts)[::-1]
    taken = 0
    while waiting:
        fact = waiting.pop()
        taken += 1
        node = fact.condition
        match node:
            case _ if taken > _MOST_STEPS:
                found.append(fact)
            case All() | Either() if isinstance(node, All) is fact.holds:
                holds_, via, because = fact.holds, fact.via, fact.because
                waiting.extend(
                    Fact(condition=part, holds=holds_, via=via, because=because)
                    for part in reversed(node.parts)
                )
            case Negated():
                waiting.append(replace(fact, condition=node.part, holds=not fact.holds))
            case SegmentTest() if node.name in project.segments:
                inner = project.segments[node.name].condition
                waiting.append(replace(fact, condition=inner, via=(*fact.via, node)))
            case _:
                found.append(fact)
    return found


_Todo = tuple[Expression, bool]
_Choice = list[_Todo]


@dataclass(slots=True)
class _Search:
    project: Project
    most: int
    metrics: dict[str, Value]
    steps: int = 0

    def possible(self, todo: list[_Todo], choices: list[_Choice], store: Store, depth: int) -> bool:
        """Whether all of ``todo`` may hold, and of each of ``choices`` one."""
        while todo:
            self.steps += 1
            if self.steps > self.most:
                return True
            self._take(todo.pop(), todo, choices, store)
            if store.broken:
                return False
        lemmas.apply(store)
        if store.broken:
            return False
        if not choices or depth > _MOST_DEEP:
            return True
        choices = sorted(choices, key=len)
        first, rest = choices[0], choices[1:]
        return any(self.possible([one], list(rest), store.copy(), depth + 1) for one in first)

    def _take(self, one: _Todo, todo: list[_Todo], choices: list[_Choice], store: Store) -> None:
        node, holds_ = one
        match node:
            case All() | Either():
                parts = [(part, holds_) for part in node.parts]
                if isinstance(node, All) is holds_:
                    todo.extend(parts)
                else:
                    choices.append(parts)
            case Negated():
                todo.append((node.part, not holds_))
            case SegmentTest() if node.name in self.project.segments:
                todo.append((self.project.segments[node.name].condition, holds_))
            case Constant(value=bool()):
                store.broken = store.broken or node.value is not holds_
            case Comparison():
                self._compare(node, holds_, store)
            case Between():
                self._between(node, holds_, todo, choices, store)
            case OneOf():
                self._one_of(node, holds_, todo, choices, store)
            case TextMatch():
                self._text(node, holds_, store)
            case Known():
                about = self._about(node.subject)
                if node.known is holds_:
                    store.narrow(about, unknown=False)
                else:
                    store.narrow(about, values=NOTHING)
            case Aged():
                about = self._about(node.subject)
                old = above(node.seconds, including=True)
                ages = old if node.older else outside(old)
                store.narrow(about, ages=without(ages, holds_), unknown=not holds_)
            case Aggregate(function="exists"):
                some = above(1, including=True)
                store.narrow(lemmas.count(rows(node)), values=without(some, holds_))
            case _:
                store.assume(node, holds_)

    def _about(self, node: Expression) -> Value:
        if not isinstance(node, MetricValue):
            return subject_of(node, self.project)
        self.steps += _OF_A_METRIC
        if node.name not in self.metrics:
            self.metrics[node.name] = subject_of(node, self.project)
        return self.metrics[node.name]

    def _compare(self, node: Comparison, holds_: bool, store: Store) -> None:
        left, right, operator = node.left, node.right, node.operator
        if isinstance(left, Constant) and not isinstance(right, Constant):
            left, right = right, left
            operator = _MIRRORED[operator]  # type: ignore[assignment]
        if isinstance(left, Constant) and isinstance(right, Constant):
            self._constants(node, left, right, holds_, store)
            return
        about = self._about(left)
        if not isinstance(right, Constant):
            self._order(about, self._about(right), operator, holds_, store)
            return
        if right.value is None:
            store.broken = store.broken or holds_
            return
        at = place(right, kind_of(about))
        if at is None:
            store.assume(node, holds_)
            return
        store.narrow(about, values=without(_side(operator, at), holds_), unknown=not holds_)

    def _constants(
        self, node: Comparison, left: Constant, right: Constant, holds_: bool, store: Store
    ) -> None:
        a, b = place(left, left.type.kind), place(right, left.type.kind)
        if a is None or b is None or isinstance(a, str) is not isinstance(b, str):
            store.assume(node, holds_)
        elif _COMPARED[node.operator](a, b) is not holds_:
            store.broken = True

    def _order(
        self,
        left: Value,
        right: Value,
        operator: str,
        holds_: bool,
        store: Store,
    ) -> None:
        """Two values that are both not written down: only how they compare is remembered."""
        if repr(left) > repr(right):
            left, right, operator = right, left, _MIRRORED[operator]
        values = _side(operator, 0)
        about: Subject = Order(left=left, right=right)
        store.narrow(about, values=without(values, holds_), unknown=not holds_)

    def _between(
        self,
        node: Between,
        holds_: bool,
        todo: list[_Todo],
        choices: list[_Choice],
        store: Store,
    ) -> None:
        about = self._about(node.subject)
        if isinstance(node.low, Constant) and isinstance(node.high, Constant):
            kind = kind_of(about)
            low, high = place(node.low, kind), place(node.high, kind)
            if low is not None and high is not None and not isinstance(node.subject, Constant):
                inside = both(above(low, including=True), below(high, including=True))
                store.narrow(about, values=without(inside, holds_), unknown=not holds_)
                return
        ends = [
            (Comparison(operator=">=", left=node.subject, right=node.low, span=node.span), holds_),
            (Comparison(operator="<=", left=node.subject, right=node.high, span=node.span), holds_),
        ]
        if holds_:
            todo.extend(ends)
        else:
            choices.append(list(ends))

    def _one_of(
        self,
        node: OneOf,
        holds_: bool,
        todo: list[_Todo],
        choices: list[_Choice],
        store: Store,
    ) -> None:
        about = self._about(node.subject)
        kind = kind_of(about)
        places = [place(o, kind) for o in node.options if isinstance(o, Constant)]
        known = [at for at in places if at is not None]
        if len(known) == len(node.options) and not isinstance(node.subject, Constant):
            each = points(known)
            store.narrow(about, values=without(each, holds_), unknown=not holds_)
            return
        equal: list[_Todo] = [
            (Comparison(operator="=", left=node.subject, right=option, span=node.span), holds_)
            for option in node.options
        ]
        if holds_:
            choices.append(equal)
        else:
            todo.extend(equal)

    def _text(self, node: TextMatch, holds_: bool, store: Store) -> None:
        text = node.text.value if isinstance(node.text, Constant) else None
        if not isinstance(text, str) or isinstance(node.subject, Constant):
            store.assume(node, holds_)
            return
        about = self._about(node.subject)
        if kind_of(about) is None:
            store.assume(node, holds_)
        elif node.how == "starts":
            store.narrow(about, values=without(prefixed(text), holds_), unknown=not holds_)
        else:
            store.narrow(about, contained=((text, holds_),), unknown=not holds_)


def _side(operator: str, at: Point) -> Intervals:
    """The values for which ``value operator at`` is true."""
    match operator:
        case "=":
            return (point(at),)
        case "!=":
            return outside((point(at),))
        case "<" | "<=":
            return below(at, including=operator == "<=")
        case _:
            return above(at, including=operator == ">=")
