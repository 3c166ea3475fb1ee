"""JRN205: journeys that start each other, and let nobody out of the circle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from journeylang.analysis.paths import kind_of
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.flow import JOURNEYS_START_EACH_OTHER
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.tree import inner
from journeylang.lint.unreachable_step import leaves
from journeylang.source import Span
from journeylang.syntax import nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """A `start`, the journey in which it stands, and the one that it starts.

    ``certain``: everybody comes to it. ``at_once``: nothing waits before it.
    """

    journey: str
    target: str
    at: Span
    certain: bool
    at_once: bool


_Circle = tuple[_Start, ...]


def journeys_start_each_other(checked: Checked) -> Iterator[Diagnostic]:
    """Circles that everybody goes round, and such as go round without any wait.

    A journey that may be entered once ends the circle, and so does one with an `exit when`, or
    for some customers only: states that lead into each other are no mistake.
    """
    endless = [
        node
        for node in checked.declared.journeys.values()
        if _lets_in_again(node) and not _ends(node)
    ]
    starts = [
        start
        for node in endless
        for start in _starts(node, checked.declared.fragments)
        if start.certain or start.at_once
    ]
    told: set[frozenset[str]] = set()
    for qualified in (
        [start for start in starts if start.certain],
        [start for start in starts if start.at_once],
    ):
        by_journey: dict[str, list[_Start]] = {}
        for start in qualified:
            by_journey.setdefault(start.journey, []).append(start)
        for name in by_journey:
            circle = _circle(name, by_journey)
            members = frozenset(start.journey for start in circle)
            if circle and members not in told:
                told.add(members)
                yield _found(circle)


def _lets_in_again(node: nodes.Journey) -> bool:
    return any(isinstance(h, nodes.Reenter) and h.rule != "never" for h in node.headers)


def _ends(node: nodes.Journey) -> bool:
    ending = (nodes.ExitWhen, nodes.OnlyCustomers, nodes.Runs)
    return any(isinstance(header, ending) for header in node.headers)


def _starts(node: nodes.Journey, fragments: Mapping[str, nodes.Fragment]) -> Iterator[_Start]:
    name = node.name.text
    waiting: list[tuple[nodes.Block, bool, bool, frozenset[str]]] = [
        (node.steps, True, True, frozenset())
    ]
    while waiting:
        block, certain, at_once, within = waiting.pop()
        for step in block:
            if isinstance(step, nodes.Start):
                yield _Start(
                    journey=name,
                    target=step.journey.text,
                    at=step.journey.span,
                    certain=certain,
                    at_once=at_once,
                )
            elif isinstance(step, nodes.Include):
                called = step.fragment.text
                if called in fragments and called not in within:
                    inside = fragments[called].steps
                    waiting.append((inside, certain, at_once, within | {called}))
            at_once = at_once and kind_of(step) != "wait"
            waiting.extend((each, False, at_once, within) for each in inner(step))
            if _may_leave(step):
                certain = False
            if leaves(step):
                break
            at_once = at_once and not _may_wait(step)


def _may_leave(step: nodes.Step) -> bool:
    return isinstance(step, nodes.Exit) or any(
        _may_leave(each) for block in inner(step) for each in block
    )


def _may_wait(step: nodes.Step) -> bool:
    return kind_of(step) in ("wait", "include") or any(
        _may_wait(each) for block in inner(step) for each in block
    )


def _circle(name: str, by_journey: Mapping[str, list[_Start]]) -> _Circle:
    """The shortest way from a journey back to itself; empty without one."""
    ways: list[_Circle] = [(start,) for start in by_journey[name]]
    seen: set[str] = set()
    for way in ways:
        target = way[-1].target
        if target == name:
            return way
        if target not in seen:
            seen.add(target)
            ways.extend((*way, start) for start in by_journey.get(target, ()))
    return ()


def _found(circle: _Circle) -> Diagnostic:
    first, *others = circle
    if others:
        message = f"journeys `{first.journey}` and `{first.target}` start each other, for ever"
        if len(others) > 1:
            message = "journeys start each other in a circle, for ever: " + ", ".join(
                f"`{start.journey}`" for start in circle
            )
    else:
        message = f"journey `{first.journey}` starts itself, for ever"
    return Diagnostic(
        code=JOURNEYS_START_EACH_OTHER,
        message=message,
        span=first.at,
        labels=tuple(Label(start.at, f"and this starts `{start.target}`") for start in others),
        help="let one of them end it: by a condition, an `exit when`, or `reenter never`",
    )


RULE = Rule(code=JOURNEYS_START_EACH_OTHER, find=journeys_start_each_other)
