"""Includes: a fragment's steps, built in the place of the include with the values it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from journeylang.analysis.parameters import arguments, unknown_values
from journeylang.analysis.paths import step_kinds
from journeylang.analysis.scope import NO_SHAPE, JourneyScope, Scope
from journeylang.analysis.sends import Sender
from journeylang.model import journey as model
from journeylang.syntax import nodes

if TYPE_CHECKING:
    from journeylang.analysis.expressions import Checker
    from journeylang.analysis.steps import Place, Steps


def included(node: nodes.Include, place: Place, steps: Steps) -> model.Block:
    """The fragment's steps, their paths within the include's label.

    What is wrong in them is told at the fragment, once, with the first include that shows it.
    """
    checker = steps.checker
    fragment = checker.fragments.put_in(node)
    if fragment is None:
        return ()
    declared = checker.fragments.parameters[fragment.name.text]
    given = arguments(node, fragment, declared, place.scope, checker.findings)
    if given is None:
        return ()
    with checker.findings.within(node.span):
        return steps.block(fragment.steps, replace(place.within, parameters=given))


def by_themselves(checker: Checker) -> None:
    """Look at the fragments that nothing includes: as in the most lenient of journeys."""
    from journeylang.analysis.steps import Steps

    for name, fragment in checker.fragments.declared.fragments.items():
        if name in checker.fragments.used:
            continue
        scope = scope_of_a_fragment(fragment, checker)
        sender = Sender(journey="", purpose="transactional", checker=checker)
        Steps(journey=name, goals=None, sender=sender, checker=checker).block(fragment.steps, scope)


def scope_of_a_fragment(fragment: nodes.Fragment, checker: Checker) -> Scope:
    """What the steps of a fragment may speak of that nothing includes."""
    name = fragment.name.text
    kinds = step_kinds(fragment.steps, checker.fragments.put_in)
    return Scope(
        what=f"fragment `{name}`",
        journey=JourneyScope(name="", entry=NO_SHAPE, steps=kinds),
        run=True,
        parameters=unknown_values(checker.fragments.parameters[name]),
    )
