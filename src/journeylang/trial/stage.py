"""The project as a test sees it: tables of its own, one customer, drawn arms.

Every bound table gives way to one that has a column for each field, so that a test speaks of
fields and never of the columns behind them; everything that stands on the fields is compiled as
ever. What a binding computes from its columns, or leaves out by `only where`, is not tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from journeylang.model.binding import (
    Binding,
    BoundField,
    Catalog,
    ConsentTable,
    Customers,
    Event,
    Pool,
    Promo,
    Table,
)
from journeylang.model.expressions import Column, Constant, Drawn, Expression, SqlMembers
from journeylang.model.journey import (
    Block,
    Experiment,
    Factors,
    Holdout,
    If,
    Journey,
    Race,
    Repeat,
    Send,
    Start,
    Step,
    Value,
    WaitMoment,
    WaitState,
)
from journeylang.model.policy import Policy
from journeylang.model.project import Project, Segment
from journeylang.model.steps import steps
from journeylang.model.trials import Trial
from journeylang.model.types import BOOL, INSTANT, TEXT, Type
from journeylang.source import Span

SCHEMA = "given"
CUSTOMERS = "customers"
WHOLE = 10_000  # basis points: everybody
EMPTY = "empty"
"""What is assigned to a promo that has no code left."""

_NOWHERE = Span("", 0, 0)


def staged(project: Project, trial: Trial) -> Project:
    """The project for one test: its journey, those that it starts, and nobody else's tables."""
    assigned = dict(trial.assigned)
    journeys = {
        name: _assigned(project.journeys[name], assigned if name == trial.journey else {})
        for name in _started(project, trial.journey)
    }
    control = assigned.get("control") == "yes"
    binding = rebound(project.binding)
    promos = {
        name: replace(promo, first=0) if assigned.get(name) == EMPTY else promo
        for name, promo in binding.promos.items()
    }
    return replace(
        project,
        binding=replace(binding, promos=promos),
        journeys=journeys,
        policies={n: _controlled(p, control) for n, p in project.policies.items()},
        segments={n: _stated(s, n in trial.segments) for n, s in project.segments.items()},
        trials=(),
    )


def rebound(binding: Binding) -> Binding:
    """The binding over tables of which each column is a field."""
    assert binding.customers is not None, "checked: a project with journeys binds customers"
    return replace(
        binding,
        customers=_customers(binding.customers),
        events={name: _event(event, binding) for name, event in binding.events.items()},
        consents={
            name: _consent(consent) if isinstance(consent, ConsentTable) else consent
            for name, consent in binding.consents.items()
        },
        catalogs={name: _catalog(catalog) for name, catalog in binding.catalogs.items()},
        promos={name: _promo(promo) for name, promo in binding.promos.items()},
    )


def event_table(name: str) -> str:
    return f"event_{name}"


def consent_table(name: str) -> str:
    return f"consent_{name}"


def catalog_table(name: str) -> str:
    return f"catalog_{name}"


def pool_table(name: str) -> str:
    return f"pool_{name}"


def _table(name: str) -> Table:
    return Table(parts=(SCHEMA, name), span=_NOWHERE)


def column(name: str, type_: Type) -> Column:
    """A column of a staged table."""
    return Column(name=name, type=type_, span=_NOWHERE)


def _fields(fields: tuple[BoundField, ...]) -> tuple[BoundField, ...]:
    return tuple(replace(f, value=column(f.name, f.type)) for f in fields)


def _customers(bound: Customers) -> Customers:
    return replace(
        bound,
        table=_table(CUSTOMERS),
        key=column("_key", TEXT),
        timezone=column("_timezone", TEXT),
        locale=column("_locale", TEXT),
        prefers=None if bound.prefers is None else column("_prefers", TEXT),
        changed_at=None,
        fields=_fields(bound.fields),
        only_where=None,
    )


def _event(bound: Event, binding: Binding) -> Event:
    origin = bound if bound.origin is None else binding.events[bound.origin]
    code = None
    if bound.code is not None:
        # The promo names a field of the event: whichever has this value.
        named = next((f for f in origin.fields if f.value == bound.code), None)
        code = column(named.name, named.type) if named is not None else column("_code", TEXT)
    return replace(
        bound,
        table=_table(event_table(origin.name)),
        key=column("_key", TEXT),
        customer=column("_customer", TEXT),
        at=column("_at", INSTANT),
        changed_at=None,
        append_only=False,
        fields=_fields(bound.fields),
        only_where=None,
        code=code,
    )


def _consent(bound: ConsentTable) -> ConsentTable:
    return replace(
        bound,
        table=_table(consent_table(bound.name)),
        customer=column("_customer", TEXT),
        at=column("_at", INSTANT),
        granted=_constant(True),
        source=None,
        only_where=None,
    )


def _catalog(bound: Catalog) -> Catalog:
    return replace(
        bound,
        table=_table(catalog_table(bound.name)),
        key=column("_key", TEXT),
        fields=_fields(bound.fields),
        only_where=None,
    )


def _promo(bound: Promo) -> Promo:
    if not isinstance(bound.source, Pool):
        return bound
    source = replace(
        bound.source,
        table=_table(pool_table(bound.name)),
        code=column("_code", TEXT),
        only_where=None,
    )
    return replace(bound, source=source)


def _constant(value: bool) -> Expression:
    return Constant(value=value, type=BOOL, span=_NOWHERE)


def _stated(segment: Segment, given: bool) -> Segment:
    if given:
        return replace(segment, condition=_constant(True))
    if isinstance(segment.condition, SqlMembers):
        # Its tables are not there: nobody is in it who is not given.
        return replace(segment, condition=_constant(False))
    return segment


def _controlled(policy: Policy, controlled: bool) -> Policy:
    if policy.control is None:
        return policy
    share = replace(policy.control, share=WHOLE)
    return replace(policy, control=share if controlled else None)


def _started(project: Project, journey: str) -> Iterator[str]:
    found = [journey]
    for name in found:
        yield name
        found += dict.fromkeys(
            step.journey
            for step in steps(project.journeys[name].body)
            if isinstance(step, Start)
            and step.journey in project.journeys
            and step.journey not in found
        )


def _assigned(journey: Journey, assigned: Mapping[str, str]) -> Journey:
    held = assigned.get("holdout") == "yes"
    salt = journey.holdout.salt if journey.holdout is not None else ""
    drawn = {
        factor.value.salt: assigned[factor.path]
        for step in steps(journey.body)
        if isinstance(step, Factors)
        for factor in step.factors
        if factor.path in assigned
    }
    return replace(
        journey,
        holdout=Holdout(share=WHOLE, salt=salt, span=journey.span) if held else None,
        body=_block(journey.body, assigned, drawn),
    )


def _block(block: Block, assigned: Mapping[str, str], drawn: Mapping[str, str]) -> Block:
    return tuple(_step(step, assigned, drawn) for step in block)


def _step(step: Step, assigned: Mapping[str, str], drawn: Mapping[str, str]) -> Step:
    """The step, with what is given as drawn in it; `drawn` has a factor's option by its salt."""

    def within(block: Block) -> Block:
        return _block(block, assigned, drawn)

    match step:
        case Experiment():
            arm = assigned.get(step.path)
            arms = tuple(
                replace(
                    a,
                    body=within(a.body),
                    low=a.low if arm is None else 0,
                    high=a.high if arm is None else WHOLE * (a.name == arm),
                )
                for a in step.arms
            )
            return replace(step, arms=arms, learns=None)
        case Factors():
            factors = tuple(replace(f, value=_settled(f.value, drawn)) for f in step.factors)
            return replace(step, factors=factors, learns=None)
        case Send():
            return replace(
                step,
                values=_values(step.values, drawn),
                candidates=tuple(
                    replace(c, values=_values(c.values, drawn)) for c in step.candidates
                ),
                learns=None,
            )
        case Race():
            branches = tuple(replace(b, body=within(b.body)) for b in step.branches)
            return replace(step, branches=branches, timeout=within(step.timeout))
        case WaitMoment() | Repeat():
            return replace(step, body=within(step.body))
        case WaitState():
            return replace(step, then=within(step.then), timeout=within(step.timeout))
        case If():
            return replace(step, then=within(step.then), otherwise=within(step.otherwise))
        case _:
            return step


def _values(
    values: tuple[tuple[str, Value], ...], drawn: Mapping[str, str]
) -> tuple[tuple[str, Value], ...]:
    return tuple(
        (name, _settled(value, drawn) if isinstance(value, Drawn) else value)
        for name, value in values
    )


def _settled(value: Drawn, drawn: Mapping[str, str]) -> Drawn:
    """A factor's value with only the option that is given, if one is."""
    if value.salt not in drawn:
        return value
    given = next(o for o in value.options if str(o.value) == drawn[value.salt])
    return replace(value, options=(given,) * len(value.options))
