"""What is certain of whoever comes to a step: the conditions on the way there.

A condition that was decided on the way still holds as long as no time has passed and nothing was
sent or written since. For good holds what speaks of `entry` alone, for that never changes. And
whoever moves at all has met no `exit when` in this tick; of those exits that look only at what no
step can change within a tick, all are known not to hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from journeylang.analysis.ranges import Fact
from journeylang.classes import dataclass
from journeylang.model.entry import EnterOn
from journeylang.model.expressions import (
    Aged,
    Aggregate,
    All,
    Arithmetic,
    Between,
    BoundEvent,
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
from journeylang.model.journey import (
    Block,
    Candidate,
    Experiment,
    If,
    Journey,
    Leave,
    Race,
    Send,
    Step,
    Wait,
)
from journeylang.model.project import Project
from journeylang.model.steps import blocks
from journeylang.model.walk import walk

_MOST = 24
"""Facts that are kept; of longer chains of `else if` the last ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A condition of a step, and what is certain of everybody for whom it is decided."""

    step: If | Send
    condition: Expression
    known: tuple[Fact, ...]
    candidate: Candidate | None = None


def decisions(journey: Journey, project: Project) -> Iterator[Decision]:
    """Every `if` and every channel's `when` of a journey, in the order written."""
    always = tuple(islice(_met_no_exit(journey, project), _MOST))
    lasting = tuple(_entered_with(journey))
    yield from _block(journey.body, always, lasting, always)


def _block(
    steps: Block, now: tuple[Fact, ...], lasting: tuple[Fact, ...], always: tuple[Fact, ...]
) -> Iterator[Decision]:
    for step in steps:
        match step:
            case If():
                condition = step.condition
                yield Decision(step=step, condition=condition, known=(*lasting, *now))
                yes = Fact(condition=condition, because="only these come here")
                no = Fact(condition=condition, holds=False, because="these have gone another way")
                if _may_decide(step.then):
                    yield from _block(step.then, *_with(yes, now, lasting), always)
                if _may_decide(step.otherwise):
                    yield from _block(step.otherwise, *_with(no, now, lasting), always)
                now, lasting = _behind(step, (yes, no), now, lasting, always)
            case Experiment():
                for arm in step.arms:
                    yield from _block(arm.body, now, lasting, always)
                if not all(_at_once(arm.body) for arm in step.arms):
                    now = ()
            case Send():
                for candidate in step.candidates:
                    if candidate.when is not None:
                        yield Decision(
                            step=step,
                            condition=candidate.when,
                            known=(*lasting, *now),
                            candidate=candidate,
                        )
                now = always
            case Race():
                for branch in step.branches:
                    yield from _block(branch.body, always, lasting, always)
                yield from _block(step.timeout, always, lasting, always)
                now = always
            case Leave():
                return
            case _:
                for inner in blocks(step):
                    yield from _block(inner, always, lasting, always)
                now = always


def _may_decide(block: Block) -> bool:
    return any(not isinstance(step, Wait | Leave) for step in block)


def _with(
    fact: Fact, now: tuple[Fact, ...], lasting: tuple[Fact, ...]
) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    if _of_entry_alone(fact.condition):
        return now, (*lasting, fact)[-_MOST:]
    return (*now, fact)[-_MOST:], lasting


def _behind(
    step: If,
    facts: tuple[Fact, Fact],
    now: tuple[Fact, ...],
    lasting: tuple[Fact, ...],
    always: tuple[Fact, ...],
) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """What is certain behind an `if`: more, if only one of its ways goes on."""
    ways = zip((step.then, step.otherwise), facts, strict=True)
    going = [(way, fact) for way, fact in ways if not leaves(way)]
    if not all(_at_once(way) for way, _ in going):
        now = always
    if len(going) == 1:
        fact = replace(going[0][1], because="only these have gone on")
        if _of_entry_alone(fact.condition) or _at_once(going[0][0]):
            return _with(fact, now, lasting)
    return now, lasting


def leaves(block: Block) -> bool:
    """Whether nobody goes on behind the block."""
    return any(_leaves(step) for step in block)


def _leaves(step: Step) -> bool:
    match step:
        case Leave():
            return True
        case If():
            return leaves(step.then) and leaves(step.otherwise)
        case Experiment():
            return all(leaves(arm.body) for arm in step.arms)
        case Race():
            return leaves(step.timeout) and all(leaves(branch.body) for branch in step.branches)
        case _:
            return False


def _at_once(block: Block) -> bool:
    """Whether nothing in the block takes time, sends or writes."""
    return all(
        isinstance(step, If | Experiment | Leave) and all(_at_once(b) for b in blocks(step))
        for step in block
    )


_EXIT = "whoever fulfils this has left by this exit"
_CHANGED_BY_NO_STEP = (
    *(Aged, Aggregate, All, Arithmetic, Between, Comparison, Constant, CustomerValue, Either),
    *(EntryValue, EventValue, Known, MetricValue, Negated, OneOf, SegmentTest, TextMatch),
)


def _met_no_exit(journey: Journey, project: Project) -> Iterator[Fact]:
    named = {
        "metric": {name: metric.value for name, metric in project.metrics.items()},
        "segment": {name: segment.condition for name, segment in project.segments.items()},
    }
    for way_out in journey.exits:
        nodes = list(walk(way_out.condition, named))
        if all(
            isinstance(node, _CHANGED_BY_NO_STEP)
            and (not isinstance(node, Aggregate) or isinstance(node.event, BoundEvent))
            for node in nodes
        ):
            yield Fact(condition=way_out.condition, holds=False, because=_EXIT)


def _entered_with(journey: Journey) -> Iterator[Fact]:
    """What the entry's `where` says of `entry.x`."""
    entry = journey.entry
    if not isinstance(entry, EnterOn) or entry.where is None:
        return
    parts = entry.where.parts if isinstance(entry.where, All) else (entry.where,)
    for part in parts:
        found = _of_the_entry(part)
        if found is not None:
            yield Fact(condition=found, because="only such events enter")


_OF_VALUES = (
    All,
    Arithmetic,
    Between,
    Comparison,
    Constant,
    Either,
    Known,
    Negated,
    OneOf,
    TextMatch,
)


def _of_entry_alone(condition: Expression) -> bool:
    return all(isinstance(node, (EntryValue, *_OF_VALUES)) for node in walk(condition))


def _of_the_entry(node: Expression) -> Expression | None:
    """A condition on the event's row, said of `entry`; None if it speaks of anything else."""
    match node:
        case Constant():
            return node
        case EventValue():
            return EntryValue(name=node.name, type=node.type, span=node.span)
        case Comparison() | Arithmetic():
            left, right = _of_the_entry(node.left), _of_the_entry(node.right)
            if left is None or right is None:
                return None
            return replace(node, left=left, right=right)
        case OneOf():
            subject = _of_the_entry(node.subject)
            if subject is None or not all(isinstance(o, Constant) for o in node.options):
                return None
            return replace(node, subject=subject)
        case Between():
            subject, low, high = map(_of_the_entry, (node.subject, node.low, node.high))
            if subject is None or low is None or high is None:
                return None
            return replace(node, subject=subject, low=low, high=high)
        case TextMatch():
            subject, text = _of_the_entry(node.subject), _of_the_entry(node.text)
            if subject is None or text is None:
                return None
            return replace(node, subject=subject, text=text)
        case Known():
            subject = _of_the_entry(node.subject)
            return None if subject is None else replace(node, subject=subject)
        case Negated():
            part = _of_the_entry(node.part)
            return None if part is None else replace(node, part=part)
        case All() | Either():
            parts = [_of_the_entry(part) for part in node.parts]
            if any(part is None for part in parts):
                return None
            return replace(node, parts=tuple(part for part in parts if part is not None))
        case _:
            return None
