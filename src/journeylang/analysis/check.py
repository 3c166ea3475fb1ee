"""From the syntax trees of all files to the project's model, and everything wrong on the way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from journeylang.analysis import binding, channels, promos
from journeylang.analysis.assumptions import assumptions
from journeylang.analysis.declared import Declared, declare
from journeylang.analysis.dependencies import Definition, in_order_of_need
from journeylang.analysis.environment import Environment, journey_parameters
from journeylang.analysis.expressions import Checker
from journeylang.analysis.extent import Extent, extent, fits
from journeylang.analysis.findings import Findings
from journeylang.analysis.fragments import fragments
from journeylang.analysis.includes import by_themselves
from journeylang.analysis.journeys import journey
from journeylang.analysis.moves import moves
from journeylang.analysis.operators import type_of
from journeylang.analysis.paths import step_kinds
from journeylang.analysis.policy import policies
from journeylang.analysis.profile import profile_of, tell_circles
from journeylang.analysis.promos import redemption_shapes
from journeylang.analysis.prospects import prospects
from journeylang.analysis.scope import AUDIENCE
from journeylang.analysis.shapes import catalog_shapes, customer_shape, event_shapes
from journeylang.analysis.sources import Sources
from journeylang.analysis.trials import trials
from journeylang.analysis.worth import worth
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Outcome
from journeylang.model.binding import Binding
from journeylang.model.project import Metric, Project, Segment
from journeylang.model.types import Type
from journeylang.source import Span
from journeylang.syntax import nodes


def check_files(
    files: Sequence[nodes.File],
    *,
    zones: Collection[str] | None = None,
    holes: Collection[str] = (),
    environment: Environment | None = None,
) -> Outcome[Project]:
    """The project that the files describe together, in one namespace.

    The value is always there; a definition with an error is left out of it, and so it is fit
    for use only when the outcome is ``ok``. ``zones`` are the IANA names of time zones; without
    them no zone is checked. ``holes`` are the paths of files that have no tree, or one from
    which something is missing: what they may define is then not called unknown. The order of
    ``files`` does not matter. ``environment`` gives the journeys' parameters their values; what
    rests on one that has none is left out.
    """
    findings = Findings(holes=frozenset(holes))
    declared = declare(files, findings)
    _needs_customers(declared, findings)
    customers = customer_shape(declared, findings)
    events = event_shapes(declared, findings)
    events |= redemption_shapes(declared, events)
    catalogs = catalog_shapes(declared, findings)
    put_in = fragments(declared, findings)
    steps = {
        name: step_kinds(node.steps, put_in.put_in) for name, node in declared.journeys.items()
    }

    parameters = journey_parameters(declared, environment, findings)

    def knowing(told: Findings, written: Mapping[str, Type | None]) -> Checker:
        return Checker(
            declared=declared,
            customers=customers,
            sources=Sources(
                declared=declared, events=events, catalogs=catalogs, steps=steps, findings=told
            ),
            fragments=put_in,
            findings=told,
            profile=written,
            parameters=parameters,
            environment=environment,
        )

    def quietly(told: Findings, written: Mapping[str, Type | None]) -> Checker:
        made = knowing(told, written)
        _audience(declared, made)
        return made

    profile = profile_of(declared, put_in, quietly)
    checker = knowing(findings, profile.types)
    checker.origins = profile.origins
    bound = _binding(declared, checker, zones)
    metrics, segments = _audience(declared, checker)
    checker.worth = worth(checker)
    project = Project(
        binding=bound,
        metrics=metrics,
        segments=segments,
        policies=policies(checker),
        journeys={
            name: built
            for name, node in declared.journeys.items()
            if (built := journey(node, checker)) is not None
        },
        worth=checker.worth,
        profile={name: type_ for name, type_ in profile.types.items() if type_ is not None},
        prospects={
            name: listed
            for name, node in declared.prospects.items()
            if (listed := prospects(node, checker)) is not None
        },
    )
    by_themselves(checker)
    moved = moves([node for node in declared.rest if isinstance(node, nodes.Moved)], checker)
    assumed = assumptions(declared.assumptions, checker)
    tests = trials([node for node in declared.rest if isinstance(node, nodes.Test)], checker)
    project = replace(project, trials=tests, moves=moved, assumptions=assumed)
    tell_circles(profile, findings)
    return Outcome(value=project, diagnostics=findings.in_order())


def _needs_customers(declared: Declared, findings: Findings) -> None:
    if declared.customers is not None or findings.holes:
        return
    using: list[nodes.Name] = [
        node.name
        for kind in (declared.events, declared.metrics, declared.segments, declared.journeys)
        for node in kind.values()
    ]
    at: Span | None = min((name.span for name in using), default=None)
    findings.error(
        names.MISSING_PART,
        at,
        "the project has no customers",
        help="bind them: `customers from TABLE as c { key c.customer_id … }`",
    )


def _binding(declared: Declared, checker: Checker, zones: Collection[str] | None) -> Binding:
    customers = declared.customers
    events = {
        name: built
        for name, node in declared.events.items()
        if (built := binding.event(node, checker)) is not None
    }
    redeemed = [promos.redemptions(node, events, checker) for node in declared.promos.values()]
    return Binding(
        customers=None if customers is None else binding.customers(customers, checker, zones),
        events=events | {event.name: event for event in redeemed if event is not None},
        consents={
            name: consent
            for name, written in declared.consents.items()
            if (consent := binding.consent(written, checker)) is not None
        },
        topics={
            name: topic
            for name, about in declared.topics.items()
            if (topic := channels.topic(about, checker)) is not None
        },
        catalogs={
            name: things
            for name, offered in declared.catalogs.items()
            if (things := binding.catalog(offered, checker)) is not None
        },
        promos={
            name: promo
            for name, codes in declared.promos.items()
            if (promo := promos.promo(codes, checker)) is not None
        },
        channels={
            name: channel
            for name, way in declared.channels.items()
            if (channel := channels.channel(way, checker)) is not None
        },
    )


def _audience(declared: Declared, checker: Checker) -> tuple[dict[str, Metric], dict[str, Segment]]:
    """Metrics and segments, each behind those that it needs."""
    order, cyclic = in_order_of_need(declared, checker.sources.events, checker.findings)
    metrics: dict[str, Metric] = {}
    segments: dict[str, Segment] = {}
    extents: dict[Definition, Extent] = {}
    for definition in order:
        kind, name = definition
        written = declared.metrics[name] if kind == "metric" else declared.segments[name]
        if isinstance(written, nodes.Metric):
            found = checker.value(written.value, AUDIENCE)
        else:
            found = checker.condition(written.condition, AUDIENCE)
        if found is None or definition in cyclic:
            continue
        extents[definition] = extent(found, extents)
        if not fits(extents[definition], written.name, kind, checker.findings):
            continue
        title = None if written.title is None else written.title.value
        type_ = type_of(found)
        if kind == "segment":
            segments[name] = Segment(name=name, title=title, condition=found, span=written.span)
        elif type_ is not None:
            checker.metrics[name] = type_
            metrics[name] = Metric(
                name=name, title=title, value=found, type=type_, span=written.span
            )
    return metrics, segments
