"""A journey's steps as a Mermaid flowchart.

Steps are nodes, named by their labels; decisions are diamonds; the ways between carry what
leads there. A block without steps is drawn through: its way joins what stands behind it.
"""

from __future__ import annotations

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

# Where ways come from, and what is written on them: (node, words).
Ends = list[tuple[str, str]]


def mermaid(journey: Journey) -> str:
    """The journey as a `flowchart TD`, ready for a Markdown fence or mermaid.live."""
    return _Chart(journey).text()


class _Chart:
    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self.lines: list[str] = []
        self.count = 0

    def text(self) -> str:
        start = self._node(f"([{_label(self.journey.name, way_in(self.journey.entry))}])")
        ends: Ends = [(start, "")]
        if self.journey.holdout is not None:
            share = f"{self.journey.holdout.share / 100:g} %"
            held = self._node(f"([{_label('held out', share)}])")
            self.lines.append(f"  {start} -.-> {held}")
        ends = self._block(self.journey.body, ends)
        if ends:
            done = self._node("(((end)))")
            self._join(ends, done)
        for leave in self.journey.exits:
            out = self._node(f"([{_label('exit', leave.reason)}])")
            self.lines.append(f"  {start} -.->|at any time| {out}")
        return "\n".join(["flowchart TD", *self.lines]) + "\n"

    def _node(self, shape: str) -> str:
        self.count += 1
        name = f"n{self.count}"
        self.lines.append(f"  {name}{shape}")
        return name

    def _join(self, ends: Ends, node: str) -> None:
        for come, words in ends:
            way = f"-->|{_escape(words)}|" if words else "-->"
            self.lines.append(f"  {come} {way} {node}")

    def _block(self, block: Block, ends: Ends) -> Ends:
        for step in block:
            ends = self._step(step, ends)
        return ends

    def _step(self, step: Step, ends: Ends) -> Ends:
        match step:
            case Wait():
                return self._plain(
                    f"[{_label(step.label, 'wait ' + wait_words(step.until))}]", ends
                )
            case Send():
                channels = ", ".join(c.channel for c in step.candidates)
                if step.strategy != "first":
                    channels = f"{step.strategy} of {channels}"
                return self._plain(f"[/{_label(step.label, 'send ' + channels)}/]", ends)
            case Race():
                node = self._node(f"[{_label(step.label, 'wait for')}]")
                self._join(ends, node)
                ways: Ends = []
                for branch in step.branches:
                    ways += self._block(branch.body, [(node, f"on {branch.event.name}")])
                limit = f"after {wait_words(step.deadline)}"
                return ways + self._block(step.timeout, [(node, limit)])
            case WaitMoment():
                node = self._node(f"[{_label(step.label, _moment(step))}]")
                self._join(ends, node)
                if step.leaves:
                    out = self._node(f"([{_label('exit', 'passed')}])")
                    self._join([(node, "has passed")], out)
                    return [(node, "")]
                if step.body:
                    return [*self._block(step.body, [(node, "")]), (node, "has passed")]
                return [(node, "")]
            case Repeat():
                node = self._node(f'{{"repeat, up to {step.times} times"}}')
                self._join(ends, node)
                self._join(self._block(step.body, [(node, "")]), node)
                return [(node, "enough")]
            case WaitState():
                node = self._node(f"[{_label(step.label, 'wait until')}]")
                self._join(ends, node)
                limit = f"after {wait_words(step.deadline)}"
                reached = self._block(step.then, [(node, "true")])
                return reached + self._block(step.timeout, [(node, limit)])
            case If():
                node = self._node('{"if"}')
                self._join(ends, node)
                then = self._block(step.then, [(node, "yes")])
                return then + self._block(step.otherwise, [(node, "no")])
            case Experiment():
                node = self._node(f"{{{{{_label(step.label, 'experiment')}}}}}")
                self._join(ends, node)
                arms: Ends = []
                for arm in step.arms:
                    share = f"{arm.name} {(arm.high - arm.low) / 100:g} %"
                    words = f"{share}, control" if arm.control else share
                    arms += self._block(arm.body, [(node, words)])
                return arms
            case Set():
                return self._plain(f"[[{_label('set', step.name)}]]", ends)
            case Invoke():
                called = f"invoke {step.service} {step.action}"
                return self._plain(f"[[{_label(step.label, called)}]]", ends)
            case Start():
                return self._plain(f"[[{_label(step.label, 'start ' + step.journey)}]]", ends)
            case Factors():
                tried = " × ".join(f"{f.name} {len(f.arms)}" for f in step.factors)
                return self._plain(f"{{{{{_label(step.label, 'try ' + tried)}}}}}", ends)
            case Leave():
                node = self._node(f"([{_label('exit', step.reason)}])")
                self._join(ends, node)
                return []

    def _plain(self, shape: str, ends: Ends) -> Ends:
        node = self._node(shape)
        self._join(ends, node)
        return [(node, "")]


def _label(name: str, what: str) -> str:
    return f'"{_escape(name)}<br/>{_escape(what)}"'


def _escape(words: str) -> str:
    """Mermaid's own entities for what would end a label."""
    for char in '#"|<>':
        words = words.replace(char, f"#{ord(char)};")
    return words


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
