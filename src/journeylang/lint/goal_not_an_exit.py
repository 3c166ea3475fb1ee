"""JRN207: a marketing journey that goes on asking for what has already happened."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.flow import GOAL_NOT_AN_EXIT
from journeylang.diagnostics.model import Diagnostic, Fix
from journeylang.lint.edits import line_before
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.tree import inner, with_named
from journeylang.lint.unreachable_step import leaves
from journeylang.model import journey as model
from journeylang.model.expressions import BoundEvent
from journeylang.syntax import nodes


def goal_not_an_exit(checked: Checked) -> Iterator[Diagnostic]:
    """Of journeys that send more than once, and in which nothing asks for the goal's event.

    An exit, an `if`, a wait or a channel's `when` that looks at the event is taken for what was
    meant, however it does so. With one message there is nothing to leave out.
    """
    for journey in checked.project.journeys.values():
        node = checked.declared.journeys[journey.name]
        if journey.purpose != "marketing" or not journey.goals or most_sends(node.steps) < 2:
            continue
        goal = journey.goals[0]
        if not isinstance(goal.event, BoundEvent) or goal.event.name in _asked(checked, journey):
            continue
        event = goal.event.name
        line = f"exit when exists({event} since entry) as converted"
        yield Diagnostic(
            code=GOAL_NOT_AN_EXIT,
            message=f"whoever has reached the goal `{event}` is messaged on",
            span=goal.span,
            help=f"let them leave: `{line}`",
            fix=Fix(
                title=f"add `{line}`",
                edits=(line_before(checked.sources[goal.span.path], goal.span, line),),
            ),
        )


def most_sends(block: nodes.Block) -> int:
    """The messages on the way that has most of them; a loop is taken for two passes."""
    found = 0
    for step in block:
        match step:
            case nodes.Send() | nodes.Include():
                found += 1
            case nodes.Repeat():
                found += 2 * most_sends(step.steps)
            case _:
                found += max((most_sends(way) for way in inner(step)), default=0)
        if leaves(step):
            break
    return found


def _asked(checked: Checked, journey: model.Journey) -> set[str]:
    """The bound events at which exits, waits and conditions of the journey look."""
    looking = (journey.exits, journey.body)
    return {
        event.name
        for event in with_named(looking, checked.project)
        if isinstance(event, BoundEvent)
    }


RULE = Rule(code=GOAL_NOT_AN_EXIT, find=goal_not_an_exit)
