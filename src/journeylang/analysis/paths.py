"""The paths of a journey's steps: what identifies them for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import assert_never

from journeylang.source import Span
from journeylang.syntax import nodes

Prefix = tuple[str, ...]


def kind_of(step: nodes.Step) -> str:
    """The word with which the step is written."""
    match step:
        case (
            nodes.Wait()
            | nodes.WaitUntilTime()
            | nodes.WaitBestHour()
            | nodes.WaitUntilMoment()
            | nodes.WaitUntilState()
            | nodes.WaitForEvent()
            | nodes.WaitRace()
        ):
            return "wait"
        case nodes.Send():
            return "send"
        case nodes.Experiment() | nodes.FactorExperiment():
            return "experiment"
        case nodes.If():
            return "if"
        case nodes.Repeat():
            return "repeat"
        case nodes.Set():
            return "set"
        case nodes.Invoke():
            return "invoke"
        case nodes.Start():
            return "start"
        case nodes.Include():
            return "include"
        case nodes.Exit():
            return "exit"
        case _:
            assert_never(step)


LABELLED = frozenset({"wait", "send", "experiment", "repeat", "invoke", "start", "include"})
"""Steps that carry a label; others add nothing to a path."""


def inside(step: nodes.Step, prefix: Prefix) -> Prefix:
    """The prefix of the paths within a step's blocks, arms left out."""
    if step.label is None or kind_of(step) not in LABELLED:
        return prefix
    return (*prefix, step.label.text)


WITHOUT_BLOCKS: frozenset[type] = frozenset(
    {
        nodes.Wait,
        nodes.WaitUntilTime,
        nodes.WaitBestHour,
        nodes.WaitUntilMoment,
        nodes.Send,
        nodes.FactorExperiment,
        nodes.Set,
        nodes.Invoke,
        nodes.Start,
        nodes.Include,
        nodes.Exit,
    }
)
"""Steps of which walks need not ask for blocks; most steps are such."""


def blocks(step: nodes.Step, prefix: Prefix) -> Iterator[tuple[nodes.Block, Prefix]]:
    """The blocks directly within a step, each with the prefix of its paths."""
    within = inside(step, prefix)
    match step:
        case nodes.WaitUntilState():
            yield step.then or (), within
            yield step.timeout or (), within
        case nodes.WaitForEvent() | nodes.WaitRace():
            for branch in step.branches:
                yield branch.steps, within
            yield step.timeout or (), within
        case nodes.Experiment():
            for arm in step.arms:
                yield arm.steps, (*within, arm.name.text)
        case nodes.If():
            for way in step.branches:
                yield way.steps, within
            yield step.otherwise or (), within
        case nodes.Repeat():
            yield step.steps, within
        case _:
            pass


PutIn = Callable[[nodes.Include], nodes.Fragment | None]
"""Which fragment an include stands for; None if it stands for nothing."""


def every_step(block: nodes.Block, put_in: PutIn) -> Iterator[tuple[Prefix, nodes.Step]]:
    """Each step with the prefix of its path, in the order written; fragments are gone through."""
    waiting: list[tuple[Prefix, nodes.Step]] = [((), step) for step in reversed(block)]
    while waiting:
        prefix, step = waiting.pop()
        yield prefix, step
        if step.__class__ not in WITHOUT_BLOCKS:
            within = [(p, s) for steps, p in blocks(step, prefix) for s in steps]
            waiting.extend(reversed(within))
        elif isinstance(step, nodes.Include) and (fragment := put_in(step)) is not None:
            within = [(inside(step, prefix), s) for s in fragment.steps]
            waiting.extend(reversed(within))


def step_kinds(block: nodes.Block, put_in: PutIn) -> dict[str, str]:
    """The kind of each labelled step by its path, in the order written."""
    found: dict[str, str] = {}
    for prefix, step in every_step(block, put_in):
        kind = kind_of(step)
        if step.label is not None and kind in LABELLED:
            found.setdefault("/".join((*prefix, step.label.text)), kind)
    return found


def opening(node: nodes.Step) -> Span:
    """The step's first word (behind the label), rather than the whole of its blocks."""
    kind = kind_of(node)
    if node.label is None:
        span = node.span
        return Span(span.path, span.start, min(span.start + len(kind), span.end))
    return node.label.span
