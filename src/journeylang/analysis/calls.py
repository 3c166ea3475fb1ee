"""`invoke`: a call outside that is no message."""

from __future__ import annotations

import re

from journeylang.analysis.expressions import Checker
from journeylang.analysis.given import each, repeated
from journeylang.analysis.scope import Scope
from journeylang.diagnostics.codes import names
from journeylang.model.journey import Invoke
from journeylang.syntax import nodes

_ACTION = re.compile(r"[\w.:/-]{1,100}", re.ASCII)


def invoke(
    node: nodes.Invoke, label: str, path: str, scope: Scope, checker: Checker
) -> Invoke | None:
    """``invoke loyalty "award" with { points: 100 }``."""
    findings = checker.findings
    fine = _known(node.provider, checker)
    action = node.action.value
    if not _ACTION.fullmatch(action):
        findings.error(
            names.BAD_VALUE,
            node.action.span,
            f'`"{action}"` is no name of an action' if action else "the action has no name",
            help="name it in letters, digits and `_ . : / -`, as the service knows it:"
            ' `"award"`, `"points.add"`',
        )
        fine = False
    if node.otherwise is not None:
        findings.error(
            names.OUT_OF_PLACE,
            node.otherwise.span,
            "a call is always made",
            help="leave `else` out; an `if` around it says for whom it is made",
        )
        fine = False
    seen: dict[str, nodes.Name] = {}
    for pair in node.values:
        fine = not repeated(pair.key, seen, checker) and fine
    values = each(
        node.values,
        scope,
        checker,
        message="a call is given values, and lists of values",
        advice="rows of a catalogue and codes belong to a `send`",
    )
    if values is None or not fine:
        return None
    return Invoke(
        label=label,
        path=path,
        service=node.provider.text,
        action=action,
        values=values,
        span=node.span,
    )


def _known(name: nodes.Name, checker: Checker) -> bool:
    """The environment says where the calls go."""
    environment = checker.environment
    if environment is None or environment.services is None or name.text in environment.services:
        return True
    if environment.name is None:
        where = '`[env.dev.invoke]`, `{} = "file"`'
        label = "no environment says where its calls go"
    else:
        where = f'`[env.{environment.name}.invoke]`, `{{}} = "file"`'
        label = f"the environment `{environment.name}` does not say where its calls go"
    checker.findings.unknown(
        "service",
        name.text,
        name.span,
        environment.services,
        label=label,
        help=f"name its provider in `journey.toml`: {where.format(name.text)}",
    )
    return False
