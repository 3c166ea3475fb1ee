"""What an environment gives to the parameters of journeys.

The values stand in `journey.toml`, so what is wrong with one is told there. A text or a template
is the TOML text itself; an `int`, a `number` and a `bool` may be TOML's own; everything else is
written as in the language: ``floor = "20 EUR"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from decimal import Decimal

from journeylang.analysis.declared import Declared
from journeylang.analysis.findings import Findings
from journeylang.analysis.parameters import Declaration, declarations, example, fixed
from journeylang.analysis.scope import Parameter, ParameterType, Scope
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.source import Source, Span
from journeylang.syntax import nodes
from journeylang.syntax.parse import parse

SettingValue = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value as the settings have it, and where."""

    value: SettingValue
    span: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What an environment gives: parameters ``shared`` by all journeys, and each journey's ``own``.

    ``own`` goes before ``shared``. ``span`` is the place of the environment's table; without a
    ``name`` the project has no environment.
    """

    name: str | None
    shared: Mapping[str, Setting] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    places: Mapping[str, Span | None] = field(default_factory=dict)
    """Of the tables in ``own``."""
    services: frozenset[str] | None = None
    """What may be invoked; None if nothing is known of it."""
    span: Span | None = None


def journey_parameters(
    declared: Declared, environment: Environment | None, findings: Findings
) -> dict[str, dict[str, Parameter]]:
    """The parameters of each journey with their values; reports what is missing or not known.

    Without an ``environment`` nothing is known of values, and none is called missing.
    """
    found: dict[str, dict[str, Parameter]] = {}
    every: dict[str, dict[str, Declaration]] = {}
    for journey, node in declared.journeys.items():
        every[journey] = declarations(node.parameters, findings)
        found[journey] = {
            name: _parameter(journey, parameter, environment, findings)
            for name, parameter in every[journey].items()
        }
    if environment is not None:
        _unknown(every, environment, findings)
    return found


def _parameter(
    journey: str, declared: Declaration, environment: Environment | None, findings: Findings
) -> Parameter:
    value = declared.default
    if environment is not None:
        setting = environment.own.get(journey, {}).get(declared.name)
        setting = setting or environment.shared.get(declared.name)
        if setting is not None:
            value = _value(setting, declared, findings)
        elif declared.required:
            _missing(journey, declared, environment, findings)
    return Parameter(type=declared.type, value=value)


def _missing(
    journey: str, declared: Declaration, environment: Environment, findings: Findings
) -> None:
    name = declared.name
    there = Label(declared.node.span, "needed, for it has no default")
    way = f"`{name} = {_in_toml(declared.type)}`"
    if environment.name is None:
        findings.error(
            names.MISSING_PART,
            declared.node.span,
            f"no environment gives `{name}` to journey `{journey}`",
            help=f"write {way} into `[env.dev.parameters]`, or a default behind `=`",
        )
        return
    findings.error(
        names.MISSING_PART,
        environment.span,
        f"`{environment.name}` gives no `{name}` to journey `{journey}`",
        labels=(there,),
        help=f"write {way} into `[env.{environment.name}.parameters]`",
    )


def _unknown(
    every: Mapping[str, Mapping[str, Declaration]], environment: Environment, findings: Findings
) -> None:
    """What is set and no journey asks for."""
    all_ = sorted({name for parameters in every.values() for name in parameters})
    for name, setting in environment.shared.items():
        if name not in all_ and setting.span is not None:
            findings.unknown(
                "parameter", name, setting.span, all_, label="no journey has a parameter so called"
            )
    for journey, settings in environment.own.items():
        span = environment.places.get(journey)
        if journey not in every:
            if span is not None:
                findings.unknown("journey", journey, span, every)
            continue
        for name, setting in settings.items():
            if name not in every[journey] and setting.span is not None:
                findings.unknown(
                    "parameter",
                    name,
                    setting.span,
                    every[journey],
                    label=f"`{journey}` has no parameter so called",
                )


def _value(setting: Setting, declared: Declaration, findings: Findings) -> nodes.Literals | None:
    type_, value = declared.type, setting.value
    if type_ is None:
        return None
    span = setting.span or declared.node.span
    literal: nodes.Expression | None = None
    match value:
        case bool():
            literal = nodes.Boolean(value=value, span=span)
        case int() if abs(value) < 2**63:
            literal = nodes.Integer(value=value, span=span)
        case float() if abs(value) < 1e18:
            literal = nodes.Number(value=Decimal(repr(value)), span=span)
        case str() if type_.name in ("text", "template"):
            literal = nodes.String(value=value, span=span)
        case str():
            literal = _read(value, span)
        case _:
            pass
    if literal is not None:
        # A sign stands before its number, as in the language.
        quiet = Findings()
        scope = Scope(what="a setting")
        found = fixed(literal, declared.name, type_, scope, quiet)
        if found is not None:
            return found
    findings.error(
        names.TYPE_MISMATCH,
        span,
        f"`{declared.name}` is {type_}, this is none",
        labels=(Label(declared.node.span, "declared here"),),
        help=f"write {_in_toml(type_)}",
    )
    return None


def _in_toml(type_: ParameterType | None) -> str:
    """A value of the type, as TOML has it."""
    written = example(type_).strip("`")
    bare = type_ is not None and type_.name in ("int", "number", "bool", "text", "template")
    return written if bare else f'"{written}"'


def _read(text: str, span: Span) -> nodes.Expression | None:
    """The literal that the text is in the language; None if it is anything else."""
    if len(text) > 200 or any(mark in text for mark in '\n#"`'):
        return None
    outcome = parse(Source(path=span.path, text=f"metric it = {text}"))
    if outcome.diagnostics or outcome.value is None or len(outcome.value.declarations) != 1:
        return None
    (metric,) = outcome.value.declarations
    if not isinstance(metric, nodes.Metric) or isinstance(metric.value, nodes.String):
        return None
    return replace(metric.value, span=span)
