"""JRN203: messages that go out only when the goal's window is over."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.flow import Flow, Way, soonest
from journeylang.analysis.lapses import words
from journeylang.analysis.ranges import Fact, possible
from journeylang.diagnostics.codes.flow import GOAL_WINDOW_TOO_SHORT
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.places import first_line
from journeylang.lint.rule import Checked, Rule
from journeylang.model.expressions import Aggregate, BoundEvent
from journeylang.model.journey import Experiment, Goal, Journey, Send
from journeylang.model.project import Project
from journeylang.model.types import BOOL
from journeylang.source import Span

_SHOWN = 3


def goal_window_too_short(checked: Checked) -> Iterator[Diagnostic]:
    """Of a journey whose longest goal is over before some message can go out at all.

    Counted from the entry, or from the last experiment on the way, on the quickest way there, so
    that nobody's message is inside. What follows upon the goal itself is no attempt to reach it,
    and a goal about one message (`opened of hello`) says nothing of the others.
    """
    for journey in checked.project.journeys.values():
        goals = journey.goals
        windows = [goal.within for goal in goals]
        if not goals or None in windows:
            continue
        if not all(isinstance(goal.event, BoundEvent) for goal in goals):
            continue
        longest = max(goals, key=lambda goal: goal.within or 0)
        graph = checked.graph(journey)
        if graph is None or longest.within is None:
            continue
        late = list(_late(journey, graph, longest, checked.project))
        if late:
            yield _found(longest, longest.within, late, checked)


def _late(
    journey: Journey, graph: Flow, goal: Goal, project: Project
) -> Iterator[tuple[Send, int]]:
    """Sends that cannot be reached within the goal's window, each with its earliest time."""
    assert goal.within is not None
    names = [one.event.name for one in journey.goals]

    def before_the_goal(way: Way) -> bool:
        if way.branch is not None:
            return way.branch.event.name not in names
        if way.condition is None:
            return True
        reached = Fact(condition=way.condition, holds=way.holds)
        return all(possible([reached, _never(name, goal.span)], project) for name in names)

    at = soonest(graph, allowed=before_the_goal, anew=lambda step: isinstance(step, Experiment))
    first: dict[str, tuple[Send, int]] = {}
    for index, seconds in sorted(at.items(), key=lambda item: item[1]):
        step = graph.nodes[index].step
        if isinstance(step, Send):
            # What a loop sends again was in time if its first pass was.
            first.setdefault(step.path, (step, seconds))
    yield from (late for late in first.values() if late[1] >= goal.within)


def _never(event: str, span: Span) -> Fact:
    """The goal's event has not happened yet."""
    asked = Aggregate(
        function="exists", event=BoundEvent(name=event, span=span), type=BOOL, span=span
    )
    return Fact(condition=asked, holds=False)


def _found(goal: Goal, within: int, late: list[tuple[Send, int]], checked: Checked) -> Diagnostic:
    first, soon = late[0]
    last = max(seconds for _, seconds in late)
    others = f", nor any of {len(late) - 1} more" if len(late) > 1 else ""
    return Diagnostic(
        code=GOAL_WINDOW_TOO_SHORT,
        message=f"the goal counts for {words(within)}, and `{first.label}` goes out after"
        f" {words(soon)} at the earliest{others}",
        span=goal.span,
        label="what these messages bring is not counted",
        labels=tuple(
            Label(
                first_line(send.span, checked), f"{words(seconds)} after the entry at the earliest"
            )
            for send, seconds in late[:_SHOWN]
        ),
        help=f"let the goal count longer than {words(last)}",
    )


RULE = Rule(code=GOAL_WINDOW_TOO_SHORT, find=goal_window_too_short)
