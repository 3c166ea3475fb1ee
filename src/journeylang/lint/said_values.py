"""Texts that providers say about messages: of some fields it is known which there are."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.diagnostics.codes.names import CONSTANT_CONDITION
from journeylang.diagnostics.model import Diagnostic
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.lint.rule import Checked
from journeylang.model import expressions as e

SAID = {
    ("bounced", "kind"): ("hard", "soft"),
    ("called", "outcome"): ("reached", "no_answer", "refused", "later"),
}


def said_values(checked: Checked) -> Iterator[Diagnostic]:
    """Comparisons with a text that is none of them."""
    bound = checked.project.binding.events
    for comparison in checked.meant(e.Comparison):
        if comparison.operator in ("=", "!="):
            sides = comparison.left, comparison.right
            for field, other in (sides, sides[::-1]):
                if isinstance(field, e.EventValue) and field.event not in bound:
                    yield from _told(field, other, answer=comparison.operator == "!=")
    for one_of in checked.meant(e.OneOf):
        field = one_of.subject
        if isinstance(field, e.EventValue) and field.event not in bound:
            for option in one_of.options:
                yield from _told(field, option, answer=False)


def _told(field: e.EventValue, other: e.Expression, *, answer: bool) -> Iterator[Diagnostic]:
    values = SAID.get((field.event, field.name), ())
    if not values or not isinstance(other, e.Constant) or other.value in values:
        return
    listed = ", ".join(f"`{value}`" for value in values[:-1])
    yield Diagnostic(
        code=CONSTANT_CONDITION,
        message="this is always true" if answer else "this is never true",
        span=other.span,
        label=f"`{field.event}.{field.name}` is {listed} or `{values[-1]}`",
        help=did_you_mean(str(other.value), values) or "name one of them",
    )
