"""JRN209: an event is awaited, and nothing makes a difference of whether it came."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.paths import opening
from journeylang.diagnostics.codes.flow import WAIT_WITHOUT_WAY_ON
from journeylang.diagnostics.model import Diagnostic
from journeylang.lint.rule import Checked, Rule
from journeylang.lint.tree import all_blocks, all_of
from journeylang.syntax import nodes


def wait_without_way_on(checked: Checked) -> Iterator[Diagnostic]:
    """Of waits for an event without any block.

    One block alone says what is different for the others. A condition behind the wait that
    speaks of the event does too. Whoever only wants to go on sooner says so by an empty
    block.
    """
    for definition in checked.with_steps():
        for block in all_blocks(definition.steps):
            for index, step in enumerate(block):
                if not isinstance(step, nodes.WaitForEvent) or step.branches:
                    continue
                if step.timeout is None and not _asked_later(step, block[index + 1 :]):
                    yield _found(step)


def _asked_later(step: nodes.WaitForEvent, rest: nodes.Block) -> bool:
    name = step.event.name.text
    return any(event.name.text == name for event in all_of(rest, nodes.EventRef))


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
