"""A journey's steps as nodes and ways, to be drawn.

Steps are named by their labels; the ways between carry what leads there. A block without steps is
drawn through: its way joins what stands behind it.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import assert_never

from journeylang.classes import dataclass
from journeylang.model.journey import (
    BestHour,
    Block,
    Calendar,
    Elapsed,
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
    TimeOfDay,
    Wait,
    WaitMoment,
    WaitSpan,
    WaitState,
)
from journeylang.model.types import Kind
from journeylang.plan.ways_in import clock, days, way_in

Ends = list[tuple[str, str]]
"""Where ways come from, and what is written on them: (node, words)."""


class Shape(Enum):
    """What a node is."""

    ENTRY = "entry"
    WAIT = "wait"
    SEND = "send"
    CHOICE = "choice"
    EXPERIMENT = "experiment"
    TASK = "task"
    EXIT = "exit"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`lines` are read one below the other; `path` is the step's, `reason` an exit's."""

    name: str
    shape: Shape
    lines: tuple[str, ...]
    path: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Between two nodes, by their names; `loose` is no step of the course."""

    origin: str
    to: str
    words: str = ""
    loose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Nodes in the order of the story, the entry first."""

    title: str
    nodes: tuple[Node, ...]
    ways: tuple[Way, ...]


def chart(journey: Journey) -> Chart:
    return _Drawing().of(journey)


@dataclass(slots=True)
class _Drawing:
    nodes: list[Node] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)

    def of(self, journey: Journey) -> Chart:
        start = self._node(Shape.ENTRY, journey.name, way_in(journey.entry))
        if journey.holdout is not None:
            share = f"{journey.holdout.share / 100:g} %"
            held = self._node(Shape.EXIT, "held out", share, reason="held_out")
            self.ways.append(Way(origin=start, to=held, loose=True))
        ends = self._block(journey.body, [(start, "")])
        if ends:
            self._join(ends, self._node(Shape.END, "end", reason="end"))
        for leave in journey.exits:
            out = self._node(Shape.EXIT, "exit", leave.reason, reason=leave.reason)
            self.ways.append(Way(origin=start, to=out, words="at any time", loose=True))
        return Chart(title=journey.name, nodes=tuple(self.nodes), ways=tuple(self.ways))

    def _node(
        self, shape: Shape, *lines: str, path: str | None = None, reason: str | None = None
    ) -> str:
        name = f"n{len(self.nodes) + 1}"
        self.nodes.append(Node(name=name, shape=shape, lines=lines, path=path, reason=reason))
        return name

    def _join(self, ends: Ends, node: str) -> None:
        self.ways += [Way(origin=come, to=node, words=words) for come, words in ends]

    def _block(self, block: Block, ends: Ends) -> Ends:
        for step in block:
            ends = self._step(step, ends)
        return ends

    def _plain(self, shape: Shape, ends: Ends, *lines: str, path: str | None = None) -> Ends:
        node = self._node(shape, *lines, path=path)
        self._join(ends, node)
        return [(node, "")]

    def _step(self, step: Step, ends: Ends) -> Ends:
        match step:
            case Wait():
                words = "wait " + wait_words(step.until)
                return self._plain(Shape.WAIT, ends, step.label, words, path=step.path)
            case Send():
                channels = ", ".join(c.channel for c in step.candidates)
                if step.strategy != "first":
                    channels = f"{step.strategy} of {channels}"
                return self._plain(Shape.SEND, ends, step.label, f"send {channels}", path=step.path)
            case Race():
                [(node, _)] = self._plain(Shape.WAIT, ends, step.label, "wait for", path=step.path)
                ways: Ends = []
                for branch in step.branches:
                    ways += self._block(branch.body, [(node, f"on {branch.event.name}")])
                limit = f"after {wait_words(step.deadline)}"
                return ways + self._block(step.timeout, [(node, limit)])
            case WaitMoment():
                return self._moment(step, ends)
            case Repeat():
                [(node, _)] = self._plain(Shape.CHOICE, ends, f"repeat, up to {step.times} times")
                self._join(self._block(step.body, [(node, "")]), node)
                return [(node, "enough")]
            case WaitState():
                [(node, _)] = self._plain(
                    Shape.WAIT, ends, step.label, "wait until", path=step.path
                )
                limit = f"after {wait_words(step.deadline)}"
                reached = self._block(step.then, [(node, "true")])
                return reached + self._block(step.timeout, [(node, limit)])
            case If():
                [(node, _)] = self._plain(Shape.CHOICE, ends, "if")
                then = self._block(step.then, [(node, "yes")])
                return then + self._block(step.otherwise, [(node, "no")])
            case Experiment():
                [(node, _)] = self._plain(Shape.EXPERIMENT, ends, step.label, "experiment")
                arms: Ends = []
                for arm in step.arms:
                    share = f"{arm.name} {(arm.high - arm.low) / 100:g} %"
                    words = f"{share}, control" if arm.control else share
                    arms += self._block(arm.body, [(node, words)])
                return arms
            case Set():
                return self._plain(Shape.TASK, ends, "set", step.name)
            case Invoke():
                called = f"invoke {step.service} {step.action}"
                return self._plain(Shape.TASK, ends, step.label, called, path=step.path)
            case Start():
                return self._plain(Shape.TASK, ends, step.label, f"start {step.journey}")
            case Factors():
                tried = " × ".join(f"{f.name} {len(f.arms)}" for f in step.factors)
                return self._plain(Shape.EXPERIMENT, ends, step.label, f"try {tried}")
            case Leave():
                out = self._node(Shape.EXIT, "exit", step.reason, reason=step.reason)
                self._join(ends, out)
                return []
            case _:
                assert_never(step)

    def _moment(self, step: WaitMoment, ends: Ends) -> Ends:
        [(node, _)] = self._plain(Shape.WAIT, ends, step.label, _moment(step), path=step.path)
        if step.leaves:
            out = self._node(Shape.EXIT, "exit", "passed", reason="passed")
            self._join([(node, "has passed")], out)
            return [(node, "")]
        if step.body:
            return [*self._block(step.body, [(node, "")]), (node, "has passed")]
        return [(node, "")]


def _moment(step: WaitMoment) -> str:
    if isinstance(step.moment, BestHour):
        return f"wait until the best hour within {wait_words(Elapsed(seconds=step.moment.within))}"
    kind = step.moment.type.kind if step.moment.type is not None else None
    what = {Kind.DATE: "a date", Kind.TIME: "a time of day"}.get(kind or Kind.INSTANT, "a moment")
    return f"wait until {what}{_on(step.weekdays)}"


def wait_words(until: WaitSpan | TimeOfDay) -> str:
    """A wait's length as it is written, or `until 09:00 on weekdays`."""
    match until:
        case Elapsed(seconds=seconds):
            for unit, size in (("h", 3600), ("m", 60)):
                if seconds % size == 0:
                    return f"{seconds // size}{unit}"
            return f"{seconds}s"
        case Calendar(months=months, days=count):
            return " ".join(
                [f"{months}mo"] * bool(months) + [f"{count}d"] * bool(count or not months)
            )
        case TimeOfDay(at=at, weekdays=weekdays):
            return f"until {clock(at)}{_on(weekdays)}"


def _on(weekdays: tuple[int, ...]) -> str:
    return "" if len(weekdays) == 7 else f" on {days(weekdays)}"
