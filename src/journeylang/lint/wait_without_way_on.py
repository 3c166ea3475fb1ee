"""JRN209: an event is awaited, and nothing makes a difference of whether it came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from journeylang.analysis.paths import opening
from journeylang.diagnostics.codes.flow import WAIT_WITHOUT_WAY_ON
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.rule import Checked, Rule
from journeylang.model.tree import all_of
from journeylang.syntax import nodes


def wait_without_way_on(checked: Checked) -> Iterator[Diagnostic]:
    """Of waits for an event without any block.

    One block alone says what is different for the others. A condition behind the wait that
    speaks of the event does too. Whoever only wants to go on sooner says so by an empty
    block.
    """
    if not any(map(_is_bare, checked.written(nodes.WaitForEvent))):
        return
    for block in checked.blocks():
        if any(_is_bare(step) for step in block):
            yield from _in(block)


def _in(block: nodes.Block) -> Iterator[Diagnostic]:
    asked_later: set[str] = set()
    for step in reversed(block):
        if _is_bare(step) and step.event.name.text not in asked_later:
            yield _found(step)
        asked_later.update(event.name.text for event in all_of(step, nodes.EventRef))


def _is_bare(step: nodes.Step) -> TypeGuard[nodes.WaitForEvent]:
    return isinstance(step, nodes.WaitForEvent) and not step.branches and step.timeout is None


def _found(step: nodes.WaitForEvent) -> Diagnostic:
    event = step.event.name.text
    return Diagnostic(
        code=WAIT_WITHOUT_WAY_ON,
        message=f"with or without `{event}`, everybody goes on in the same way",
        span=opening(step),
        help=f"say what is different: `{{ on {event} {{ … }} timeout {{ … }} }}`; an empty"
        f" `on {event} {{ }}` says that they only go on sooner",
    )


RULE = Rule(code=WAIT_WITHOUT_WAY_ON, find=wait_without_way_on)
