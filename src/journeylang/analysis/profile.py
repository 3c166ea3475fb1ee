"""What `set` writes about customers: the names and types of `profile.x` in the whole project.

A `set` may use other values of the profile, and metrics that do. So all of them are looked at
again and again, each time with the types found so far, until nothing new is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace

from journeylang.analysis.declared import Declared
from journeylang.analysis.expressions import Checker
from journeylang.analysis.findings import Findings
from journeylang.analysis.fragments import Fragments
from journeylang.analysis.includes import scope_of_a_fragment
from journeylang.analysis.journeys import scope_of_a_run
from journeylang.analysis.operators import type_of
from journeylang.analysis.parameters import arguments
from journeylang.analysis.paths import WITHOUT_BLOCKS, blocks, inside
from journeylang.analysis.scope import Scope
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.model.types import Type
from journeylang.source import Span
from journeylang.syntax import nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`types` by name; None where no type can be told. `origins`: the `set` that it is from."""

    types: Mapping[str, Type | None] = field(default_factory=dict)
    origins: Mapping[str, Span] = field(default_factory=dict)
    names: tuple[nodes.Name, ...] = ()


def profile_of(
    declared: Declared,
    put_in: Fragments,
    checker: Callable[[Findings, Mapping[str, Type | None]], Checker],
) -> Profile:
    """`checker` makes one that knows the metrics, given what is known of the profile."""
    every = [node.steps for node in declared.journeys.values()]
    every += [node.steps for node in declared.fragments.values()]
    if not any(map(_sets, every)):
        return Profile()
    # What is wrong is told when the journeys are checked.
    written = tuple(_written(declared, put_in, checker(Findings(), {})))
    types: dict[str, Type | None] = {step.name.text: None for step, _ in written}
    origins: dict[str, Span] = {}
    found_any = True
    while found_any:
        found_any = False
        quiet = checker(Findings(), dict(types))
        for step, scope in written:
            name = step.name.text
            if types[name] is not None:
                continue
            found = quiet.value(step.value, scope)
            type_ = None if found is None else type_of(found)
            if type_ is not None:
                types[name], origins[name] = type_.maybe(), step.span
                found_any = True
    return Profile(types=types, origins=origins, names=tuple(step.name for step, _ in written))


def tell_circles(profile: Profile, findings: Findings) -> None:
    """Names whose values come from each other alone; only if nothing else is wrong."""
    if findings.found:
        return
    for name in dict.fromkeys(profile.names):
        if profile.types[name.text] is None:
            findings.error(
                names.CYCLIC_DEFINITION,
                name.span,
                f"what `profile.{name.text}` is can't be told: it is set from itself alone",
                help=f"set it to something known first: `set {name.text} = 0`",
            )


def _sets(block: nodes.Block) -> bool:
    """Whether there is a `set` in a block or below it."""
    waiting = list(block)
    while waiting:
        step = waiting.pop()
        if isinstance(step, nodes.Set):
            return True
        if step.__class__ not in WITHOUT_BLOCKS:
            waiting.extend(s for steps, _ in blocks(step, ()) for s in steps)
    return False


def _written(
    declared: Declared, put_in: Fragments, quiet: Checker
) -> Iterator[tuple[nodes.Set, Scope]]:
    """Every `set`, with what it may speak of; those of a fragment at each of its includes."""
    for journey in declared.journeys.values():
        yield from _below(journey.steps, scope_of_a_run(journey, quiet), quiet)
    for name, fragment in declared.fragments.items():
        if name not in put_in.used:
            yield from _below(fragment.steps, scope_of_a_fragment(fragment, quiet), quiet)


def _below(block: nodes.Block, scope: Scope, quiet: Checker) -> Iterator[tuple[nodes.Set, Scope]]:
    waiting = [(step, scope) for step in reversed(block)]
    while waiting:
        step, scope = waiting.pop()
        if isinstance(step, nodes.Set):
            yield step, scope
        within = [
            (s, replace(scope, inside=prefix))
            for steps, prefix in blocks(step, scope.inside)
            for s in steps
        ]
        if isinstance(step, nodes.Include):
            within = _of_fragment(step, scope, quiet)
        waiting.extend(reversed(within))


def _of_fragment(
    step: nodes.Include, scope: Scope, quiet: Checker
) -> list[tuple[nodes.Step, Scope]]:
    fragment = quiet.fragments.put_in(step)
    if fragment is None:
        return []
    declared = quiet.fragments.parameters[fragment.name.text]
    given = arguments(step, fragment, declared, scope, quiet.findings)
    if given is None:
        return []
    there = replace(scope, inside=inside(step, scope.inside), parameters=given)
    return [(s, there) for s in fragment.steps]
