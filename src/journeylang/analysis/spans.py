"""Spans of time as written, to seconds and to calendars; shares, to basis points."""

from decimal import Decimal

from journeylang.analysis.findings import Findings
from journeylang.analysis.scope import Scope
from journeylang.diagnostics.codes import names
from journeylang.model.journey import Calendar, Elapsed, WaitSpan
from journeylang.source import Span
from journeylang.syntax import nodes

SECONDS: dict[nodes.DurationUnit, int] = {
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "w": 7 * 86_400,
    "mo": 30 * 86_400,
    "y": 365 * 86_400,
}
"""Outside of waits a day has 24 hours, a month 30 days and a year 365."""


def written(duration: nodes.Duration) -> str:
    return f"{duration.value}{duration.unit}"


def duration(node: nodes.DurationLike, scope: Scope, findings: Findings) -> nodes.Duration | None:
    """The duration meant, more than nothing; a hundred years are the parser's bound."""
    if isinstance(node, nodes.Ref):
        given = parameter(node, "duration", scope, findings)
        if not isinstance(given, nodes.Duration):
            return None
        node = given
    if node.value > 0:
        return node
    findings.error(
        names.BAD_VALUE,
        node.span,
        f"`{written(node)}` is a span of nothing",
        help="a span of time is longer than nothing",
    )
    return None


def seconds(node: nodes.DurationLike, scope: Scope, findings: Findings) -> int | None:
    """The span in seconds of elapsed time."""
    found = duration(node, scope, findings)
    return None if found is None else found.value * SECONDS[found.unit]


def wait_span(node: nodes.DurationLike, scope: Scope, findings: Findings) -> WaitSpan | None:
    """As a wait counts it: `h m s` elapse, `d w mo y` are the customer's calendar."""
    found = duration(node, scope, findings)
    if found is None:
        return None
    match found.unit:
        case "s" | "m" | "h":
            return Elapsed(seconds=found.value * SECONDS[found.unit])
        case "d":
            return Calendar(days=found.value)
        case "w":
            return Calendar(days=7 * found.value)
        case "mo":
            return Calendar(months=found.value)
        case "y":
            return Calendar(months=12 * found.value)


def days(node: nodes.DurationLike, scope: Scope, findings: Findings) -> int | None:
    """A whole number of days; anything shorter than a day is no answer."""
    found = duration(node, scope, findings)
    if found is None:
        return None
    if found.unit in ("s", "m", "h"):
        findings.error(
            names.BAD_VALUE,
            found.span,
            f"`{written(found)}` is not in days",
            help="this is counted in the customer's local days: write `1d`, `2w`",
        )
        return None
    return found.value * SECONDS[found.unit] // SECONDS["d"]


def share(node: nodes.PercentLike, scope: Scope, findings: Findings, *, least: int) -> int | None:
    """Basis points from `least` to 10,000; a hundredth of a percent is the finest."""
    if isinstance(node, nodes.Ref):
        given = parameter(node, "percent", scope, findings)
        if not isinstance(given, nodes.Percent):
            return None
        node = given
        if node.value > 100:
            findings.error(
                names.BAD_VALUE,
                node.span,
                f"a share of {percent(node.value)}",
                help="a share lies between 0% and 100%",
            )
            return None
    points = node.value * 100
    if least <= points <= 10_000 and points == points.to_integral_value():
        return int(points)
    if points > 10_000:
        # Told by the parser, which sees all shares.
        return None
    if points == 0:
        wrong, advice = "nobody", "a share is more than 0% and at most 100%"
    else:
        wrong, advice = "finer than 0.01%", "shares are drawn in steps of 0.01%"
    findings.error(names.BAD_VALUE, node.span, f"`{percent(node.value)}` is {wrong}", help=advice)
    return None


def percent(value: Decimal) -> str:
    """``12.5%``; never an exponent."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def whole(
    node: nodes.CountLike, what: str, scope: Scope, findings: Findings, *, least: int = 1
) -> int | None:
    """A whole number from `least` to a billion."""
    if isinstance(node, nodes.Ref):
        given = parameter(node, "int", scope, findings)
        if not isinstance(given, nodes.Integer):
            return None
        node = given
    return bounded(node.value, node.span, what, findings, least=least)


def bounded(
    value: int, span: Span, what: str, findings: Findings, *, least: int, most: int = 10**9
) -> int | None:
    if least <= value <= most:
        return value
    findings.error(
        names.BAD_VALUE,
        span,
        f"{what} of {value:,} is not possible",
        help=f"from {least:,} to {most:,}",
    )
    return None


def parameter(
    node: nodes.Ref, kind: str, scope: Scope, findings: Findings
) -> nodes.Literals | None:
    """What a name stands for where a literal could stand: a parameter's value.

    None where it was reported, or is not known here.
    """
    found = scope.parameters.get(node.text) if len(node.parts) == 1 else None
    if found is None:
        findings.unknown(
            "parameter",
            node.text,
            node.span,
            scope.parameters,
            label=f"{kind} is expected here",
        )
        return None
    if found.type is not None and found.type.name != kind:
        findings.error(
            names.TYPE_MISMATCH,
            node.span,
            f"`{node.text}` is {found.type}, {kind} is expected here",
            label=f"this is {found.type}",
        )
        return None
    return found.value
