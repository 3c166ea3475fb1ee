"""Parameters of fragments and journeys: their types, and the values that they are given.

A value stands fixed before anything runs: a literal, or a parameter that holds one. So the
model has no parameters; where one is named, its value stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from journeylang.analysis.constants import constant
from journeylang.analysis.declared import twice
from journeylang.analysis.findings import Findings
from journeylang.analysis.scope import Parameter, ParameterType, Scope
from journeylang.analysis.shapes import read_type
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model.expressions import EntryValue, Expression
from journeylang.model.types import Kind, Type
from journeylang.source import Span
from journeylang.syntax import nodes

KINDS = ("template", "percent", *(kind.value for kind in Kind))
"""What a parameter may hold: any value, a template's path, a share."""

_NO_VALUES = ("template", "percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A parameter as declared; ``type`` and ``default`` are None where they were reported."""

    node: nodes.Parameter
    type: ParameterType | None
    default: nodes.Literals | None

    @property
    def name(self) -> str:
        return self.node.name.text

    @property
    def required(self) -> bool:
        return self.node.default is None


def declarations(written: Sequence[nodes.Parameter], findings: Findings) -> dict[str, Declaration]:
    """The parameters by name; reports wrong types, wrong defaults and what stands twice."""
    found: dict[str, Declaration] = {}
    for node in written:
        type_ = _type(node.type, findings)
        default = None
        if node.default is not None:
            default = fixed(node.default, node.name.text, type_, Scope(what="a default"), findings)
        first = found.get(node.name.text)
        if first is not None:
            twice("parameter", node.name, first.node.name.span, findings)
        elif node.name.text:
            found[node.name.text] = Declaration(node=node, type=type_, default=default)
    return found


def unknown_values(declared: Mapping[str, Declaration]) -> dict[str, Parameter]:
    """The parameters of a fragment that is looked at by itself: types without values."""
    return {name: Parameter(type=d.type, value=None) for name, d in declared.items()}


def _type(node: nodes.TypeName, findings: Findings) -> ParameterType | None:
    name = node.name.text
    if node.optional:
        findings.error(
            names.OUT_OF_PLACE,
            node.span,
            "a parameter always has a value",
            help=f"write `{name}` without `?`; a default stands behind `=`",
        )
        return None
    if name in _NO_VALUES and node.currency is None:
        return ParameterType(name=name)
    if name not in KINDS:
        findings.unknown("type", name, node.name.span, KINDS, label="no type is called so")
        return None
    found = read_type(node, findings)
    return None if found is None else ParameterType(name=name, currency=found.currency)


def fixed(
    node: nodes.Expression,
    name: str,
    type_: ParameterType | None,
    scope: Scope,
    findings: Findings,
) -> nodes.Literals | None:
    """What the parameter ``name`` is given, if it is a value of its type."""
    match node:
        case nodes.Ref() if len(node.parts) == 1 and node.text in scope.parameters:
            inner = scope.parameters[node.text]
            if type_ is None or inner.type is None:
                return None
            if inner.type == type_ or (inner.type.name, type_.name) == ("int", "number"):
                return inner.value
            _mismatch(node, name, type_, str(inner.type), findings)
            return None
        case nodes.Negate(operand=nodes.Integer() as whole):
            literal: nodes.Literals = replace(whole, value=-whole.value, span=node.span)
        case nodes.Negate(operand=nodes.Number() as number):
            literal = replace(number, value=-number.value, span=node.span)
        case nodes.Negate(operand=nodes.Money() as money):
            literal = replace(money, amount=-money.amount, span=node.span)
        case (
            nodes.String()
            | nodes.Integer()
            | nodes.Number()
            | nodes.Boolean()
            | nodes.Percent()
            | nodes.Money()
            | nodes.Duration()
            | nodes.Date()
            | nodes.DateTime()
            | nodes.TimeOfDay()
        ):
            literal = node
        case _:
            findings.error(
                names.OUT_OF_PLACE,
                node.span,
                f"`{name}` needs a value that is fixed",
                label="known only when the journey runs",
                help="write the value itself, or the name of a parameter",
            )
            return None
    return fitting(literal, name, type_, findings)


def fitting(
    literal: nodes.Literals, name: str, type_: ParameterType | None, findings: Findings
) -> nodes.Literals | None:
    """The literal, if it is of the parameter's type; a whole number is a number too."""
    if type_ is None:
        return None
    found = _type_of(literal)
    if found == type_ or (found.name, type_.name) in (("int", "number"), ("text", "template")):
        return literal
    _mismatch(literal, name, type_, str(found), findings)
    return None


def _type_of(literal: nodes.Literals) -> ParameterType:
    match literal:
        case nodes.String():
            return ParameterType(name="text")
        case nodes.Integer():
            return ParameterType(name="int")
        case nodes.Number():
            return ParameterType(name="number")
        case nodes.Boolean():
            return ParameterType(name="bool")
        case nodes.Percent():
            return ParameterType(name="percent")
        case nodes.Money():
            return ParameterType(name="money", currency=literal.currency)
        case nodes.Duration():
            return ParameterType(name="duration")
        case nodes.Date():
            return ParameterType(name="date")
        case nodes.DateTime():
            return ParameterType(name="instant")
        case nodes.TimeOfDay():
            return ParameterType(name="time")


def _mismatch(
    node: nodes.Expression, name: str, type_: ParameterType, found: str, findings: Findings
) -> None:
    both = type_.currency is not None and found.startswith("money")
    findings.error(
        names.CURRENCY_MISMATCH if both else names.TYPE_MISMATCH,
        node.span,
        f"`{name}` is {type_}, this is {found}",
        label=f"this is {found}",
        help=f"write {example(type_)}",
    )


def example(type_: ParameterType | None) -> str:
    """A value of the type, as it is written."""
    match None if type_ is None else type_.name:
        case "template":
            return '`"welcome/hello"`'
        case "text":
            return '`"words"`'
        case "int":
            return "`3`"
        case "number":
            return "`0.5`"
        case "bool":
            return "`true` or `false`"
        case "percent":
            return "`10%`"
        case "money":
            assert type_ is not None
            return f"`20 {type_.currency}`"
        case "duration":
            return "`3d`"
        case "date":
            return "`2026-05-31`"
        case "instant":
            return "`2026-05-31T09:00`"
        case "time":
            return "`09:00`"
        case _:
            return "a value"


def value_of(name: str, node: nodes.Ref, scope: Scope, findings: Findings) -> Expression | None:
    """A parameter as part of an expression; where no value is known, something of its type."""
    found = scope.parameters[name]
    if found.type is None:
        return None
    if found.type.name in _NO_VALUES:
        findings.error(
            names.OUT_OF_PLACE,
            node.span,
            f"`{name}` is a {found.type}, which is no value",
            help="a template stands behind a channel, a percentage for a share of people",
        )
        return None
    if found.value is None:
        kind = Kind(found.type.name)
        type_ = Type(kind=kind, currency=found.type.currency)
        return EntryValue(name=name, type=type_, span=node.span)
    return constant(found.value, scope, findings)


_BRACES = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def in_braces(node: nodes.String, scope: Scope, findings: Findings) -> tuple[str, Span] | None:
    """A template's path with the parameters in it: `"care/{name}"`.

    The place is that of the last value put in, since the fragment's own part of the path is the
    same for all. None where it was reported, or a value is not known here.
    """
    text, span, known = node.value, node.span, True
    for match in _BRACES.finditer(node.value):
        name = match[1]
        found = scope.parameters.get(name)
        if found is None:
            findings.unknown("parameter", name, node.span, scope.parameters)
            return None
        if found.type is not None and found.type.name not in ("template", "text"):
            findings.error(
                names.TYPE_MISMATCH,
                node.span,
                f"`{name}` is {found.type}, a template's path is made of texts",
                help=f"declare it as `{name}: template`",
            )
            return None
        if not isinstance(found.value, nodes.String):
            known = False
            continue
        text = text.replace(match[0], found.value.value)
        span = found.value.span
    return (text, span) if known else None


def arguments(
    include: nodes.Include,
    fragment: nodes.Fragment,
    declared: Mapping[str, Declaration],
    scope: Scope,
    findings: Findings,
) -> dict[str, Parameter] | None:
    """What each parameter of the fragment is given; None where that was reported."""
    given: dict[str, nodes.Argument] = {}
    order = list(declared)
    fine = True
    for place, argument in enumerate(include.arguments):
        name = _meant(place, argument, order, include, fragment, findings)
        if name is None:
            fine = False
        elif name in given:
            fine = False
            findings.error(
                names.REPEATED_PART,
                argument.span,
                f"`{name}` is given twice",
                labels=(Label(given[name].span, "given here already"),),
                help="remove one of the two",
            )
        else:
            given[name] = argument
    # One that went wrong may be the one that is missing.
    understood = fine
    found: dict[str, Parameter] = {}
    for name, parameter in declared.items():
        argument_ = given.get(name)
        value = parameter.default
        if argument_ is not None:
            value = fixed(argument_.value, name, parameter.type, scope, findings)
        elif parameter.required:
            fine = False
            if understood:
                _missing(name, parameter, include, fragment, findings)
        found[name] = Parameter(type=parameter.type, value=value)
    return found if fine else None


def _meant(
    place: int,
    argument: nodes.Argument,
    order: Sequence[str],
    include: nodes.Include,
    fragment: nodes.Fragment,
    findings: Findings,
) -> str | None:
    """The parameter that an argument is for: by name, or by its place."""
    if argument.name is not None:
        if argument.name.text in order:
            return argument.name.text
        findings.unknown(
            "parameter",
            argument.name.text,
            argument.name.span,
            order,
            label=f"`{fragment.name.text}` has no parameter of this name",
        )
        return None
    if any(before.name is not None for before in include.arguments[:place]):
        findings.error(
            names.OUT_OF_PLACE,
            argument.span,
            "a value without a name behind one with a name",
            help="name this one too: `NAME: VALUE`",
        )
        return None
    if place < len(order):
        return order[place]
    many = f"{len(order)} parameter" + ("" if len(order) == 1 else "s")
    findings.error(
        names.OUT_OF_PLACE,
        argument.span,
        f"`{fragment.name.text}` has {many}, this is value {place + 1}",
        labels=(Label(fragment.name.span, "the fragment"),),
        help="leave it out",
    )
    return None


def _missing(
    name: str,
    parameter: Declaration,
    include: nodes.Include,
    fragment: nodes.Fragment,
    findings: Findings,
) -> None:
    findings.error(
        names.MISSING_PART,
        include.fragment.span,
        f"`{fragment.name.text}` is given no `{name}`",
        labels=(Label(parameter.node.span, "needed, for it has no default"),),
        help=f"give it: `{name}: …`, such as {example(parameter.type)}",
    )
