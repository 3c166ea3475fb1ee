"""`enter by start` and `start`: what one journey hands over to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.analysis.declared import twice
from journeylang.analysis.findings import Findings
from journeylang.analysis.operators import fits
from journeylang.analysis.scope import Scope, Shape
from journeylang.analysis.shapes import read_type
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.model.entry import EnterByStart
from journeylang.model.expressions import Expression
from journeylang.model.types import Kind, Type
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.expressions import Checker


def by_start(node: nodes.EnterByStart, findings: Findings) -> tuple[EnterByStart | None, Shape]:
    """``enter by start with { reason: text, total: money(EUR)? }``."""
    fields = _fields(node, findings)
    known = tuple((name, type_) for name, type_ in fields.items() if type_ is not None)
    entry = EnterByStart(fields=known, span=node.span) if len(known) == len(fields) else None
    return entry, Shape(fields=fields)


def _fields(node: nodes.EnterByStart, findings: Findings) -> dict[str, Type | None]:
    fields: dict[str, Type | None] = {}
    first: dict[str, nodes.Name] = {}
    for written in node.fields:
        name = written.name
        if name.text in first:
            twice("field", name, first[name.text].span, findings)
            continue
        first[name.text] = name
        fields[name.text] = read_type(written.type, findings)
        if name.text == "at":
            findings.error(
                names.DUPLICATE_NAME,
                name.span,
                "`entry.at` is there without being handed over: the instant of the entry",
                help="choose another name for this one",
            )
            fields[name.text] = None
        if written.default is not None:
            findings.error(
                names.OUT_OF_PLACE,
                written.default.span,
                "what is handed over has no default",
                help=f"leave it out, and let `{name.text}` be unknown: `{written.type.name.text}?`",
            )
    return fields


def start(
    node: nodes.Start, label: str, path: str, scope: Scope, checker: Checker
) -> model.Start | None:
    """``start winback with { reason: "x" }``."""
    given = _given(node, scope, checker)
    target = node.journey.text
    journey = checker.declared.journeys.get(target)
    if journey is None:
        checker.findings.unknown("journey", target, node.journey.span, checker.declared.journeys)
        return None
    ways = [h for h in journey.headers if isinstance(h, nodes.EnterByStart)]
    if not ways:
        checker.findings.error(
            names.OUT_OF_PLACE,
            node.journey.span,
            f"`{target}` is not entered by `start`",
            labels=(Label(journey.name.span, "it has another way in"),),
            help=f"write `enter by start` in `{target}`",
        )
        return None
    # What is wrong there is told there.
    fields = _fields(ways[0], Findings())
    values = _fitting(node, given, fields, checker)
    if values is None:
        return None
    return model.Start(label=label, path=path, journey=target, values=values, span=node.span)


Given = dict[str, tuple[nodes.Pair, Expression | None]]


def _given(node: nodes.Start, scope: Scope, checker: Checker) -> Given:
    """The values by name; None where one was reported."""
    found: Given = {}
    for pair in node.values:
        value = None
        if isinstance(pair.value, nodes.TopOf | nodes.ListOf) or pair.otherwise is not None:
            checker.findings.error(
                names.OUT_OF_PLACE,
                pair.span,
                "a journey is handed single values",
                help="rows of a catalogue and codes belong to a `send`",
            )
        else:
            value = checker.value(pair.value, scope)
        if pair.key.text in found:
            twice("value", pair.key, found[pair.key.text][0].key.span, checker.findings)
        else:
            found[pair.key.text] = (pair, value)
    return found


def _fitting(
    node: nodes.Start, given: Given, fields: dict[str, Type | None], checker: Checker
) -> tuple[tuple[str, Expression, Type], ...] | None:
    """Each field's value with its type; None where something does not fit."""
    findings, target = checker.findings, node.journey.text
    whole = True
    for name, (pair, _) in given.items():
        if name not in fields:
            findings.unknown(
                "field",
                name,
                pair.key.span,
                fields,
                label=f"`{target}` takes no value of this name",
            )
            whole = False
    values = []
    for name, type_ in fields.items():
        if name not in given:
            if type_ is not None and not type_.optional:
                findings.error(
                    names.MISSING_PART,
                    node.journey.span,
                    f"`{target}` needs `{name}`",
                    help=f"add `with {{ {name}: … }}`",
                )
                whole = False
            continue
        pair, value = given[name]
        if value is None or type_ is None:
            whole = False
        elif not _fits(value.type, type_):
            findings.error(
                names.TYPE_MISMATCH,
                pair.value.span,
                f"`{name}` of `{target}` is {type_}, this is {value.type}",
                label=f"this is {value.type}",
                help=f"declare `{name}: {type_.maybe()}` there, or ask `is known` first"
                if fits(value.type, type_)
                else "",
            )
            whole = False
        else:
            values.append((name, value, type_))
    return tuple(values) if whole else None


def _fits(value: Type | None, declared: Type) -> bool:
    if value is None:
        return True
    if (value.kind, declared.kind) == (Kind.NUMBER, Kind.INT):
        return False
    return fits(value, declared) and (declared.optional or not value.optional)
