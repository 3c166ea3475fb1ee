"""Who is called what: one namespace for all files, a name unique per kind."""

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import TypeVar

from journeylang.analysis.findings import Findings
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.source import Span
from journeylang.syntax import nodes

MESSAGE_EVENTS = (
    "sent",
    "delivered",
    "opened",
    "clicked",
    "bounced",
    "complained",
    "unsubscribed",
    "replied",
    "answered",
    "called",
    "failed",
)
"""Events of the runtime's own ledger."""

REDEEMED = "redeemed"
"""The event of a promo's codes, `redeemed of PROMO`: a row of the event that the promo names."""

N = TypeVar("N")


@dataclass(slots=True)
class Declared:
    """Every declaration as written, by kind and name; of two of one name the first.

    ``rest`` holds what has no name that others use: values, moves, tests, assumptions.
    """

    customers: nodes.Customers | None = None
    events: dict[str, nodes.Event] = field(default_factory=dict)
    consents: dict[str, nodes.ConsentTable | nodes.ConsentWhen] = field(default_factory=dict)
    topics: dict[str, nodes.Topic] = field(default_factory=dict)
    channels: dict[str, nodes.Channel] = field(default_factory=dict)
    promos: dict[str, nodes.Promo] = field(default_factory=dict)
    catalogs: dict[str, nodes.Catalog] = field(default_factory=dict)
    prospects: dict[str, nodes.Prospects] = field(default_factory=dict)
    metrics: dict[str, nodes.Metric] = field(default_factory=dict)
    segments: dict[str, nodes.Segment] = field(default_factory=dict)
    policies: dict[str, nodes.Policy] = field(default_factory=dict)
    journeys: dict[str, nodes.Journey] = field(default_factory=dict)
    fragments: dict[str, nodes.Fragment] = field(default_factory=dict)
    assumptions: dict[str, nodes.Assume] = field(default_factory=dict)
    rest: list[nodes.CustomerValue | nodes.Moved | nodes.Test] = field(default_factory=list)


def declare(files: Sequence[nodes.File], findings: Findings) -> Declared:
    """All declarations of all files, in the order of their paths; reports what stands twice."""
    into = Declared()
    for file in sorted(files, key=lambda f: f.span.path):
        for declaration in file.declarations:
            _file_away(declaration, into, findings)
    return into


def _file_away(declaration: nodes.Declaration, into: Declared, findings: Findings) -> None:
    match declaration:
        case nodes.Customers():
            if into.customers is None:
                into.customers = declaration
            else:
                findings.error(
                    names.DUPLICATE_NAME,
                    head(declaration.span, "customers"),
                    "the customers are bound twice",
                    labels=(Label(head(into.customers.span, "customers"), "first bound here"),),
                    help="a project has one customer base; remove one of the two",
                )
        case nodes.Event():
            if declaration.name.text in (*MESSAGE_EVENTS, REDEEMED):
                findings.error(
                    names.DUPLICATE_NAME,
                    declaration.name.span,
                    f"`{declaration.name.text}` is an event of the runtime's own ledger",
                    help=f"choose another name, such as `{declaration.name.text}_before`",
                )
            else:
                _add("event", declaration.name, declaration, into.events, findings)
        case nodes.ConsentTable() | nodes.ConsentWhen():
            _add("consent", declaration.name, declaration, into.consents, findings)
        case nodes.Topic():
            _add("topic", declaration.name, declaration, into.topics, findings)
        case nodes.Channel():
            _add("channel", declaration.name, declaration, into.channels, findings)
        case nodes.Promo():
            _add("promo", declaration.name, declaration, into.promos, findings)
        case nodes.Catalog():
            _add("catalog", declaration.name, declaration, into.catalogs, findings)
        case nodes.Prospects():
            _add("prospects", declaration.name, declaration, into.prospects, findings)
        case nodes.Metric():
            _add("metric", declaration.name, declaration, into.metrics, findings)
        case nodes.Segment():
            _add("segment", declaration.name, declaration, into.segments, findings)
        case nodes.Policy():
            _add("policy", declaration.name, declaration, into.policies, findings)
        case nodes.Journey():
            _add("journey", declaration.name, declaration, into.journeys, findings)
        case nodes.Fragment():
            _add("fragment", declaration.name, declaration, into.fragments, findings)
        case nodes.Assume():
            _add("assume", declaration.name, declaration, into.assumptions, findings)
        case nodes.CustomerValue() | nodes.Moved() | nodes.Test():
            into.rest.append(declaration)


def _add(kind: str, name: nodes.Name, node: N, into: dict[str, N], findings: Findings) -> None:
    if not name.text:
        # The parser's stand-in for a name that is not there; it has told so.
        return
    first = into.setdefault(name.text, node)
    if first is not node:
        at = getattr(first, "name", None)
        span = at.span if isinstance(at, nodes.Name) else name.span
        twice(kind, name, span, findings)


def twice(kind: str, name: nodes.Name, first: Span, findings: Findings) -> None:
    """Report the second of two things of one name; the parser's stand-ins have none."""
    if not name.text:
        return
    findings.error(
        names.DUPLICATE_NAME,
        name.span,
        f"two {_plural(kind)} are called `{name.text}`",
        label="defined again here",
        labels=(Label(first, "first defined here"),),
        help="rename one of the two",
    )


def _plural(kind: str) -> str:
    match kind:
        case "policy":
            return "policies"
        case "prospects" | "promos":
            return "lists of prospects"
        case "assume":
            return "sets of assumptions"
        case _:
            return f"{kind}s"


def head(span: Span, word: str) -> Span:
    """The word with which a construct begins: a better mark than the whole of it."""
    return Span(span.path, span.start, min(span.start + len(word), span.end))


def by_key(
    pairs: Sequence[nodes.Pair], known: Iterable[str], findings: Findings, *, what: str
) -> dict[str, nodes.Pair]:
    """Settings in braces by their key; reports unknown and repeated ones."""
    allowed = tuple(known)
    result: dict[str, nodes.Pair] = {}
    for pair in pairs:
        key = pair.key.text
        if not key:
            continue
        if key not in allowed:
            findings.unknown("setting", key, pair.key.span, allowed, label=f"not known in {what}")
        elif key in result:
            findings.error(
                names.REPEATED_PART,
                pair.key.span,
                f"`{key}` is set twice",
                labels=(Label(result[key].key.span, "first set here"),),
                help="remove one of the two",
            )
        else:
            result[key] = pair
    return result
