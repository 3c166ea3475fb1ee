"""A journey's steps as a graph: what may follow what, and how long that takes.

Made from the model, before any plan. The only loop, `repeat`, is unrolled, so the graph has no
circles: nodes stand in an order in which every way leads to a lower number, the end is 0, and what
is asked of all paths is worked out node by node. Time is counted in waits; the moments between
ticks count for nothing, and so do holds, unless they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, assert_never

from journeylang.analysis.lapses import AT_ONCE, Lapse, ahead, lapse, up_to
from journeylang.classes import dataclass
from journeylang.model.expressions import Expression
from journeylang.model.journey import (
    Arm,
    Block,
    Branch,
    Experiment,
    Factors,
    If,
    Invoke,
    Journey,
    Leave,
    Race,
    Repeat,
    Send,
    Set,
    Start,
    Step,
    Wait,
    WaitMoment,
    WaitState,
)

MOST_NODES = 4_000
"""A larger journey is looked at as a whole by nobody; rules that need its paths are silent."""

MOST_PATHS = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way on from a step.

    ``condition`` and ``holds`` are of an `if`'s ways, of the one that an awaited state opens, and
    of those at the end of a pass (`over` and `again`); the branch is of a race's, the arm of an
    experiment's.
    """

    to: int
    kind: Literal["next", "then", "else", "on", "timeout", "arm", "over", "again"] = "next"
    lapse: Lapse = AT_ONCE
    condition: Expression | None = None
    branch: Branch | None = None
    arm: Arm | None = None

    @property
    def holds(self) -> bool:
        return self.kind in ("then", "on", "over")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A step in one of its passes; None is the end."""

    step: Step | None
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """``nodes[0]`` is the end; every way leads to a lower number; the run begins at ``entry``."""

    nodes: tuple[Node, ...]
    entry: int

    def arrivals(self) -> Iterator[tuple[int, Node]]:
        """Nodes that somebody can come to, each behind all from which one comes to it."""
        seen = {self.entry}
        for index in range(self.entry, -1, -1):
            if index in seen:
                yield index, self.nodes[index]
                seen.update(way.to for way in self.nodes[index].ways)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A step on a path, when one comes to it (counted from the entry), and the way taken on."""

    step: Step
    arrival: Lapse
    way: Way


Path = tuple[Stop, ...]
Held = Callable[[Send], int]


def flow(journey: Journey, held: Held | None = None) -> Flow | None:
    """The graph of a journey; None if it is too large.

    ``held`` says for how long a send may hold a run, in seconds; by default it does not.
    """
    building = _Building(held=held or (lambda _: 0))
    entry = building.block(journey.body, 0)
    if entry is None:
        return None
    return Flow(nodes=tuple(building.nodes), entry=entry)


class _Building:
    """From the end to the beginning: whatever a step leads to is there before it."""

    def __init__(self, held: Held) -> None:
        self.nodes: list[Node] = [Node(step=None)]
        self._held = held

    def block(self, steps: Block, after: int | None) -> int | None:
        """The node at which the block begins."""
        for step in reversed(steps):
            if after is None or len(self.nodes) >= MOST_NODES:
                return None
            after = self._step(step, after)
        return after

    def _step(self, step: Step, after: int) -> int | None:
        match step:
            case Wait():
                return self._add(step, Way(to=after, lapse=lapse(step.until)))
            case Send():
                held = Lapse(low=0, high=self._held(step))
                return self._add(step, Way(to=after, lapse=held))
            case Leave():
                return self._add(step, Way(to=0))
            case Set() | Invoke() | Start() | Factors():
                return self._add(step, Way(to=after))
            case If():
                then, otherwise = self.block(step.then, after), self.block(step.otherwise, after)
                if then is None or otherwise is None:
                    return None
                return self._add(
                    step,
                    Way(to=then, kind="then", condition=step.condition),
                    Way(to=otherwise, kind="else", condition=step.condition),
                )
            case WaitMoment():
                behind = self.block(step.body, after)
                if behind is None:
                    return None
                passed = 0 if step.leaves else after
                return self._add(
                    step, Way(to=behind, lapse=ahead(step)), Way(to=passed, kind="else")
                )
            case WaitState():
                deadline = lapse(step.deadline)
                then, timeout = self.block(step.then, after), self.block(step.timeout, after)
                if then is None or timeout is None:
                    return None
                return self._add(
                    step,
                    Way(to=then, kind="on", lapse=up_to(deadline), condition=step.condition),
                    Way(to=timeout, kind="timeout", lapse=deadline),
                )
            case Race():
                return self._race(step, after)
            case Repeat():
                return self._repeat(step, after)
            case Experiment():
                return self._experiment(step, after)
            case _:
                assert_never(step)

    def _repeat(self, step: Repeat, after: int) -> int | None:
        """One pass behind the other; at the end of each the loop itself is a node."""
        begin: int | None = None
        for _ in range(step.times):
            if begin is None:
                ways = [Way(to=after)]
            else:
                ways = [Way(to=begin, kind="again", condition=step.until)]
                if step.until is not None:
                    ways.insert(0, Way(to=after, kind="over", condition=step.until))
            begin = self.block(step.body, self._add(step, *ways))
            if begin is None:
                return None
        return begin

    def _race(self, step: Race, after: int) -> int | None:
        deadline = lapse(step.deadline)
        ways: list[Way] = []
        for branch in step.branches:
            to = self.block(branch.body, after)
            if to is None:
                return None
            ways.append(Way(to=to, kind="on", lapse=up_to(deadline), branch=branch))
        to = self.block(step.timeout, after)
        if to is None:
            return None
        return self._add(step, *ways, Way(to=to, kind="timeout", lapse=deadline))

    def _experiment(self, step: Experiment, after: int) -> int | None:
        ways: list[Way] = []
        for arm in step.arms:
            to = self.block(arm.body, after)
            if to is None:
                return None
            if arm.low < arm.high:
                ways.append(Way(to=to, kind="arm", arm=arm))
        return self._add(step, *ways)

    def _add(self, step: Step, *ways: Way) -> int:
        self.nodes.append(Node(step=step, ways=ways))
        return len(self.nodes) - 1


Allowed = Callable[[Way], bool]
_Ago = tuple[int, tuple[Send, ...]]


def soonest(
    graph: Flow, *, allowed: Allowed | None = None, anew: Callable[[Step], bool] | None = None
) -> dict[int, int]:
    """Seconds from the entry to each node by the quickest way; nodes without one are left out.

    Only by ways that are ``allowed``, and counted anew at steps that ``anew`` names.
    """
    found = {graph.entry: 0}
    for index, node in graph.arrivals():
        if index not in found:
            continue
        if node.step is not None and anew is not None and anew(node.step):
            found[index] = 0
        for way in node.ways:
            if allowed is None or allowed(way):
                at = found[index] + way.lapse.low
                found[way.to] = min(at, found.get(way.to, at))
    return found


def whole(graph: Flow) -> Lapse:
    """From the quickest way through the journey to the slowest."""
    low = {0: 0}
    high: dict[int, int | None] = {0: 0}
    for index in range(1, graph.entry + 1):
        ways = graph.nodes[index].ways
        low[index] = min((way.lapse.low + low[way.to] for way in ways), default=0)
        most = 0
        unknown = False
        for way in ways:
            behind = high[way.to]
            if way.lapse.high is None or behind is None:
                unknown = True
            else:
                most = max(most, way.lapse.high + behind)
        high[index] = None if unknown else most
    return Lapse(low=low[graph.entry], high=high[graph.entry])


def most_messages(
    graph: Flow, counts: Callable[[Send], bool], window: int, *, enough: int = 64
) -> tuple[Send, ...]:
    """The longest run of sends on one path that may all be decided within less than ``window``.

    Of those that ``counts`` names, up to ``enough`` of them. At a fork the larger side is taken,
    and waits are taken at their shortest.

    For each node and each k: how long ago, at least, was the k-th last of these sends. The least
    over all ways there is the one that matters, for each k by itself.
    """
    ago: dict[int, dict[int, _Ago]] = {graph.entry: {}}
    best: tuple[Send, ...] = ()
    for index, node in graph.arrivals():
        here = ago.pop(index, {})
        if isinstance(node.step, Send) and counts(node.step):
            step = node.step
            last = {k + 1: (at, (*sends, step)) for k, (at, sends) in here.items() if k < enough}
            here = {1: (0, (step,))} | last
            for _, sends in here.values():
                if len(sends) > len(best):
                    best = sends
        for way in node.ways:
            there = ago.setdefault(way.to, {})
            for k, (at, sends) in here.items():
                later = at + way.lapse.low
                if later < window and (k not in there or later < there[k][0]):
                    there[k] = (later, sends)
    return best


def paths(graph: Flow, most: int = MOST_PATHS) -> tuple[Path, ...] | None:
    """Every way through the journey, step by step; None if there are more than ``most``."""
    many = {0: 1}
    for index in range(1, graph.entry + 1):
        many[index] = sum(many[way.to] for way in graph.nodes[index].ways)
    if many[graph.entry] > most:
        return None
    found: list[Path] = []
    waiting: list[tuple[int, Lapse, Path]] = [(graph.entry, AT_ONCE, ())]
    while waiting:
        index, arrival, before = waiting.pop()
        node = graph.nodes[index]
        if node.step is None:
            found.append(before)
            continue
        for way in reversed(node.ways):
            stop = Stop(step=node.step, arrival=arrival, way=way)
            waiting.append((way.to, arrival + way.lapse, (*before, stop)))
    return tuple(found)
