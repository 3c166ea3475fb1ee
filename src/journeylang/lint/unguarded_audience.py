"""JRN306: a condition lets people in, and nothing says how many that may be."""

from __future__ import annotations

from collections.abc import Iterator

from journeylang.analysis.declared import head
from journeylang.diagnostics.codes.consent import UNGUARDED_AUDIENCE
from journeylang.diagnostics.model import Diagnostic, Fix
from journeylang.lint.edits import line_behind
from journeylang.lint.rule import Checked, Rule
from journeylang.syntax import nodes


def unguarded_audience(checked: Checked) -> Iterator[Diagnostic]:
    """Of entries by a condition over customers that anything may make true for everybody.

    Whoever enters on an event has done something. `true` is meant for everybody. A budget of the
    journey, or a guard on what is sent or spent, bounds what a wrong row can do as well.
    """
    for node in checked.declared.journeys.values():
        entry = next((h for h in node.headers if _by_condition(h)), None)
        if entry is None or any(_bounds(header) for header in node.headers):
            continue
        line = "guard entries <= 5000 per 1d"
        yield Diagnostic(
            code=UNGUARDED_AUDIENCE,
            message="nothing bounds how many may enter",
            span=head(entry.span, "enter when" if _is_when(entry) else "enter"),
            help=f"say how many are plausible in a day: `{line}`",
            fix=Fix(
                title=f"add `{line}`",
                edits=(line_behind(checked.sources[entry.span.path], entry.span, line),),
            ),
        )


def _is_when(header: nodes.Header) -> bool:
    return isinstance(header, nodes.EnterWhen | nodes.EnterJoins)


def _by_condition(header: nodes.Header) -> bool:
    match header:
        case nodes.EnterJoins():
            return True
        case nodes.EnterWhen():
            return not isinstance(header.condition, nodes.Boolean)
        case nodes.EnterAt() | nodes.EnterEvery() | nodes.EnterYearly():
            return header.condition is not None
        case _:
            return False


def _bounds(header: nodes.Header) -> bool:
    if isinstance(header, nodes.Guard):
        return header.measure.text in ("entries", "sends", "cost")
    return isinstance(header, nodes.Budget)


RULE = Rule(code=UNGUARDED_AUDIENCE, find=unguarded_audience)
