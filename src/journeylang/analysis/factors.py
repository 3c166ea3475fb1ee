"""Experiments with several factors: each is drawn by itself, and named in the templates below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.analysis.goals import MOST_LEARNT, experiment_learns_from, goal
from journeylang.analysis.paths import opening
from journeylang.analysis.template_scope import GIVEN
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.model.expressions import Constant, Drawn
from journeylang.model.types import Kind, Type
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.steps import Place, Steps

_MOST_VALUES = 100


def factors(node: nodes.FactorExperiment, place: Place, steps: Steps) -> model.Factors | None:
    """Reports what is wrong; None if nothing is right of it."""
    findings = steps.checker.findings
    own = None if node.goal is None else goal(node.goal, place.scope, steps.checker)
    if not node.factors:
        findings.error(
            names.MISSING_PART,
            opening(node),
            "this experiment has no factor",
            help='write `{ subject: ["Hello", "Hi"] }`',
        )
    if node.salt is None:
        findings.error(
            names.MISSING_PART,
            opening(node),
            "this experiment has no salt",
            help=f'write `salt "{steps.journey}-{place.label or "look"}"` before its braces; a new'
            " salt draws anew",
        )
    salt = None if node.salt is None else node.salt.value
    found: dict[str, model.Factor] = {}
    seen: dict[str, nodes.Name] = {}
    for written in node.factors:
        name = written.name.text
        options = _options(written, place, steps)
        if _is_taken(written, seen, place, steps) or options is None or salt is None:
            continue
        path = f"{place.path}/{name}"
        value = Drawn(
            salt=f"{salt}:{name}",
            options=options,
            learned=(steps.journey, path) if node.adaptive else None,
            type=_type(options),
            span=written.span,
        )
        found[name] = model.Factor(name=name, path=path, value=value, span=written.span)
    learns = _learns(node, own, steps) if node.adaptive else None
    if not found:
        return None
    return model.Factors(
        label=place.label,
        path=place.path,
        factors=tuple(found.values()),
        expect=None if node.expect is None else node.expect.value,
        goal=own,
        learns=learns,
        span=node.span,
    )


def _learns(
    node: nodes.FactorExperiment, own: model.Goal | None, steps: Steps
) -> model.Goal | None:
    """The goal that the factors learn from: the experiment's own, or the journey's first."""
    findings = steps.checker.findings
    for factor in node.factors:
        if len(factor.values.items) > MOST_LEARNT:
            findings.error(
                names.OUT_OF_PLACE,
                factor.values.span,
                f"a factor of an adaptive experiment has at most {MOST_LEARNT} values",
                help="each value keeps 5% of the customers; leave some out",
            )
    return experiment_learns_from(node, own, steps, "braces")


def _type(options: tuple[Constant, ...]) -> Type:
    """Theirs; of whole numbers and others, a number."""
    return next((o.type for o in options if o.type.kind is Kind.NUMBER), options[0].type)


def _is_taken(
    written: nodes.Factor, seen: dict[str, nodes.Name], place: Place, steps: Steps
) -> bool:
    """Whether the templates below know something else by the factor's name."""
    findings = steps.checker.findings
    name = written.name
    first = seen.setdefault(name.text, name)
    before = place.scope.drawn.get(name.text)
    if first is not name:
        findings.error(
            names.DUPLICATE_NAME,
            name.span,
            f"two factors are called `{name.text}`",
            labels=(Label(first.span, "first defined here"),),
            help="rename one of the two",
        )
    elif before is not None:
        findings.error(
            names.DUPLICATE_NAME,
            name.span,
            f"`{name.text}` is drawn by an experiment before",
            labels=(Label(before.span, "drawn here"),),
            help="rename one of the two: templates below know both",
        )
    elif name.text in GIVEN:
        findings.error(
            names.DUPLICATE_NAME,
            name.span,
            f"`{name.text}` is in every template already",
            help=f"choose another name, such as `{name.text}_here`",
        )
    else:
        return False
    return True


def _options(written: nodes.Factor, place: Place, steps: Steps) -> tuple[Constant, ...] | None:
    """The values of a factor: two or more, fixed, of one type, and all different."""
    findings = steps.checker.findings
    items = written.values.items
    if not 2 <= len(items) <= _MOST_VALUES:
        findings.error(
            names.BAD_VALUE,
            written.values.span,
            f"a factor has 2 to {_MOST_VALUES} values, this one has {len(items)}",
            help="one value is nothing to compare; write it into the template"
            if len(items) < 2
            else "leave some out: each has its share of the customers",
        )
        return None
    found: list[Constant] = []
    for item in items:
        value = steps.checker.value(item, place.scope)
        if value is None:
            return None
        if not isinstance(value, Constant):
            findings.error(
                names.OUT_OF_PLACE,
                item.span,
                "the values of a factor are fixed",
                label="known only when the journey runs",
                help="write texts, numbers or amounts of money",
            )
            return None
        first = found[0] if found else value
        if not first.type.same_kind(value.type):
            findings.error(
                names.TYPE_MISMATCH,
                item.span,
                f"the first value is {first.type}, this is {value.type}",
                labels=(Label(first.span, f"this is {first.type}"),),
                help="let all values of a factor be of one type",
            )
            return None
        same = next((other for other in found if str(other.value) == str(value.value)), None)
        if same is not None:
            findings.error(
                names.REPEATED_PART,
                item.span,
                "the same value twice",
                labels=(Label(same.span, "the first is here"),),
                help="leave one out; the shares of a factor are equal",
            )
            return None
        found.append(value)
    return tuple(found)
