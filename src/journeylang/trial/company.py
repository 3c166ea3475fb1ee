"""The project as all tests of one database see it, and who is who in it.

Each test has a customer of its own, who enters its journey alone; what is given or assigned to that
customer stands in their key and in two fields that the project does not know. What is for many
people (budgets, capacities, guards) is left out: whether it would have stopped anybody is seen
afterwards, from what was sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from journeylang.model.binding import Binding, BoundField
from journeylang.model.entry import EnterOn, EnterWhen, Entry
from journeylang.model.expressions import (
    All,
    Comparison,
    Constant,
    CustomerValue,
    Either,
    Expression,
    SqlMembers,
    TextMatch,
)
from journeylang.model.journey import Experiment, Factors, Holdout, Journey
from journeylang.model.policy import Policy
from journeylang.model.project import Project, Segment
from journeylang.model.steps import steps
from journeylang.model.trials import Trial
from journeylang.model.types import TEXT
from journeylang.source import Span
from journeylang.trial.clock import clock_of
from journeylang.trial.draws import key_with
from journeylang.trial.part import Part, customer_key
from journeylang.trial.stage import EMPTY, WHOLE, column, staged

HELD = "\x1fholdout"
CONTROLLED = "\x1fcontrol"
_OUT = WHOLE - 1

OF = "_journey"
"""The field that names the journey of a customer's test, and the one with the segments given."""
WITHIN = "_segments"
# Stands before and behind each name; nothing that people write has it.
_AROUND = "\x1f"
_NOWHERE = Span("", 0, 0)


def company(
    project: Project, trials: Sequence[Trial], *, shifted: bool = False
) -> tuple[Project, list[Part]]:
    """The project as all of these tests see it, and the part of each.

    Where times are `shifted`, each customer has a zone of their own.
    """
    empty = tuple(pair for pair in trials[0].assigned if pair[1] == EMPTY)
    names = {name for trial in trials for name, _ in trial.assigned}
    of_all = {trial.journey: replace(trial, assigned=empty, segments=()) for trial in trials}
    stages = {name: staged(project, trial) for name, trial in of_all.items()}
    stage = next(iter(stages.values()))
    given = {name for trial in trials for name in trial.segments}
    stage = replace(
        stage,
        binding=_marked(stage.binding),
        journeys={
            name: _own(one.journeys[name], held="holdout" in names) for name, one in stages.items()
        },
        policies={
            name: _policy(policy, stage, controlled="control" in names)
            for name, policy in project.policies.items()
        },
        segments={
            name: _given(segment, name) if name in given else stage.segments[name]
            for name, segment in project.segments.items()
        },
    )
    return stage, [
        _part(project, trial, number, names, shifted) for number, trial in enumerate(trials)
    ]


def _part(
    project: Project, trial: Trial, number: int, names: Collection[str], shifted: bool
) -> Part:
    given = dict(trial.customer).get("timezone")
    named = "" if given is None or given.value is None else str(given.value)
    buckets = _buckets(project, trial, names)
    segments = "".join(f"{_AROUND}{name}{_AROUND}" for name in trial.segments)
    return Part(
        trial=trial,
        clock=clock_of(project.binding, trial),
        key=key_with(customer_key(project.binding, trial), number, buckets),
        zone=f"{named}{_AROUND}{number}" if shifted else None,
        marks={OF: _text(trial.journey), WITHIN: _text(segments)},
    )


def _text(value: str) -> Constant:
    return Constant(value=value, type=TEXT, span=_NOWHERE)


def _field(name: str) -> CustomerValue:
    return CustomerValue(name=name, type=TEXT, span=_NOWHERE)


def _marked(binding: Binding) -> Binding:
    assert binding.customers is not None
    marks = tuple(
        BoundField(name=name, type=TEXT, value=column(name, TEXT), span=_NOWHERE)
        for name in (OF, WITHIN)
    )
    customers = replace(binding.customers, fields=(*binding.customers.fields, *marks))
    return replace(binding, customers=customers)


def _own(journey: Journey, *, held: bool) -> Journey:
    """The journey for its own tests, with all those held out of it who are to be."""
    holdout = Holdout(share=1, salt=HELD, span=journey.span) if held else None
    own = Comparison(operator="=", left=_field(OF), right=_text(journey.name), span=_NOWHERE)
    return replace(journey, entry=_for(journey.entry, own), holdout=holdout, budgets=(), guards=())


def _for(entry: Entry, own: Expression) -> Entry:
    match entry:
        case EnterOn(where=None):
            return replace(entry, where=own)
        case EnterOn(where=where) if where is not None:
            return replace(entry, where=All(parts=(own, where), span=_NOWHERE))
        case EnterWhen(condition=condition):
            return replace(entry, condition=All(parts=(own, condition), span=_NOWHERE))
        case _:
            # Who is started is started by their own test.
            return entry


def _given(segment: Segment, name: str) -> Segment:
    """The segment with those in it to whom a test gives it."""
    text = _text(f"{_AROUND}{name}{_AROUND}")
    given = TextMatch(how="contains", subject=_field(WITHIN), text=text, span=_NOWHERE)
    if isinstance(segment.condition, SqlMembers):
        return replace(segment, condition=given)
    return replace(segment, condition=Either(parts=(given, segment.condition), span=_NOWHERE))


def _policy(policy: Policy, stage: Project, *, controlled: bool) -> Policy:
    control = stage.policies[policy.name].control
    if controlled and policy.control is not None:
        control = replace(policy.control, share=1, salt=CONTROLLED)
    return replace(policy, control=control, budgets=(), capacities=())


def _buckets(project: Project, trial: Trial, names: Collection[str]) -> dict[str, int]:
    found = dict(salts(project, trial) or {})
    assigned = dict(trial.assigned)
    for name, salt in (("holdout", HELD), ("control", CONTROLLED)):
        if name in names:
            found[salt] = 0 if assigned.get(name) == "yes" else _OUT
    return found


def salts(project: Project, trial: Trial) -> Mapping[str, int] | None:
    """A bucket for each salt by which what is assigned is drawn; None if there is none such."""
    ranges: dict[str, list[tuple[str, Mapping[str, tuple[int, int]]]]] = {}
    for step in steps(project.journeys[trial.journey].body):
        match step:
            case Experiment():
                arms = {arm.name: (arm.low, arm.high) for arm in step.arms}
                ranges.setdefault(step.salt, []).append((step.path, arms))
            case Factors():
                for factor in step.factors:
                    options = {name: (low, high) for name, low, high in factor.arms}
                    ranges.setdefault(factor.value.salt, []).append((factor.path, options))
            case _:
                pass
    assigned = dict(trial.assigned)
    found: dict[str, int] = {}
    for salt, drawn in ranges.items():
        for path, owned in drawn:
            if path in assigned:
                low, high = owned.get(assigned[path], (0, 0))
                if len(drawn) > 1 or low >= high:
                    return None
                found[salt] = low
    return found
