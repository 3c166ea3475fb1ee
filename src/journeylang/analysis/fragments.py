"""Fragments: which of them can be put in where they are included, and how much that makes.

An include is its fragment's steps, checked and built once more for each place. So fragments
that include each other multiply, and are counted before any of them is put in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from journeylang.analysis.declared import Declared
from journeylang.analysis.dependencies import Definition, strongly_connected, tell_cycle
from journeylang.analysis.findings import Findings
from journeylang.analysis.parameters import Declaration, declarations
from journeylang.analysis.paths import WITHOUT_BLOCKS, blocks
from journeylang.classes import dataclass
from journeylang.diagnostics.codes.flow import TOO_MANY_STEPS
from journeylang.diagnostics.codes.syntax import TOO_DEEP
from journeylang.diagnostics.model import Label
from journeylang.source import Span
from journeylang.syntax import nodes

MOST_STEPS = 10_000
"""Steps that the includes of one journey, or of one fragment, may come to."""

MOST_OF_ALL = 100_000
"""Steps that all includes of a project may come to."""

DEEPEST = 64
"""Blocks within each other, those of fragments in the place of their includes."""


@dataclass(frozen=True, slots=True)
class _Size:
    """What a fragment comes to, the fragments within it put in."""

    steps: int
    depth: int


@dataclass(slots=True)
class Fragments:
    """The fragments of a project by name, and the places where one of them cannot be put in.

    ``used`` are those that a journey includes, itself or by another fragment; ``sizes`` has those
    that can be put in, ``refused`` the places of includes that cannot be.
    """

    declared: Declared
    parameters: dict[str, dict[str, Declaration]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    sizes: dict[str, _Size] = field(default_factory=dict)
    refused: set[Span] = field(default_factory=set)

    def put_in(self, include: nodes.Include) -> nodes.Fragment | None:
        """The fragment meant; None where it is none, or must not be put in: that was reported."""
        name = include.fragment.text
        if name not in self.sizes or include.span in self.refused:
            return None
        return self.declared.fragments[name]


def fragments(declared: Declared, findings: Findings) -> Fragments:
    """Reports circles, fragments that are unknown, and what comes to more than can be run."""
    found = Fragments(declared=declared)
    inner: dict[str, list[tuple[nodes.Include, int]]] = {}
    own: dict[str, _Size] = {}
    for name, fragment in declared.fragments.items():
        found.parameters[name] = declarations(fragment.parameters, findings)
        own[name], inner[name] = _look(fragment.steps)
    needs: dict[Definition, dict[Definition, nodes.Name]] = {
        ("fragment", name): {
            ("fragment", i.fragment.text): i.fragment
            for i, _ in reversed(includes)
            if i.fragment.text in declared.fragments
        }
        for name, includes in inner.items()
    }
    for group in strongly_connected(needs):
        if len(group) > 1 or group[0] in needs[group[0]]:
            tell_cycle(group, needs, declared, findings)
            continue
        (_, name) = group[0]
        size = _with(own[name], inner[name], found, findings)
        if size is not None:
            found.sizes[name] = size
    _in_journeys(found, inner, findings)
    return found


def _look(block: nodes.Block) -> tuple[_Size, list[tuple[nodes.Include, int]]]:
    """The size of a block by itself, and its includes with how deep they stand."""
    steps, deepest = 0, 1
    includes = []
    for step, depth in _walk(block):
        steps += 1
        deepest = max(deepest, depth)
        if isinstance(step, nodes.Include):
            includes.append((step, depth))
    return _Size(steps, deepest), includes


def _walk(block: nodes.Block) -> Iterator[tuple[nodes.Step, int]]:
    waiting = [(step, 1) for step in reversed(block)]
    while waiting:
        step, depth = waiting.pop()
        yield step, depth
        if step.__class__ in WITHOUT_BLOCKS:
            continue
        inner = [s for steps, _ in blocks(step, ()) for s in steps]
        waiting.extend((s, depth + 1) for s in reversed(inner))


def _with(
    own: _Size,
    includes: list[tuple[nodes.Include, int]],
    found: Fragments,
    findings: Findings,
) -> _Size | None:
    """The size with all includes put in; None if one of them is unknown or it is too much."""
    steps, deepest = own.steps, own.depth
    whole = True
    for include, depth in includes:
        name = include.fragment.text
        if name not in found.declared.fragments:
            findings.unknown("fragment", name, include.fragment.span, found.declared.fragments)
        size = found.sizes.get(name)
        if size is None:
            whole = False
            continue
        steps += size.steps
        deepest = max(deepest, depth + size.depth)
        if steps > MOST_STEPS or deepest > DEEPEST:
            _too_much(include, steps, found, findings)
            found.refused.add(include.span)
            return None
    return _Size(steps, deepest) if whole else None


def _in_journeys(
    found: Fragments,
    inner: Mapping[str, list[tuple[nodes.Include, int]]],
    findings: Findings,
) -> None:
    total = 0
    told = False
    waiting: list[str] = []
    for journey in found.declared.journeys.values():
        includes = _look(journey.steps)[1]
        waiting += [include.fragment.text for include, _ in includes]
        # An include that is too much is left out; those before it may stay.
        taken = _Size(0, 0)
        for include, depth in includes:
            size = _with(taken, [(include, depth)], found, findings)
            if size is None:
                found.refused.add(include.span)
                continue
            total += size.steps - taken.steps
            taken = size
            if total > MOST_OF_ALL:
                found.refused.add(include.span)
                if not told:
                    told = True
                    _too_much(include, total, found, findings, of_all=True)
    while waiting:
        name = waiting.pop()
        if name not in found.used and name in inner:
            found.used.add(name)
            waiting += [include.fragment.text for include, _ in inner[name]]


def _too_much(
    include: nodes.Include,
    steps: int,
    found: Fragments,
    findings: Findings,
    *,
    of_all: bool = False,
) -> None:
    name = include.fragment.text
    labels = (Label(found.declared.fragments[name].name.span, "the fragment"),)
    most = MOST_OF_ALL if of_all else MOST_STEPS
    if steps > most:
        findings.error(
            TOO_MANY_STEPS,
            include.fragment.span,
            f"with `{name}` put in, there are {steps:,} steps",
            label=f"{most:,} are the most" + (", of all includes together" if of_all else ""),
            labels=labels,
            help="fragments that include each other multiply: include fewer of them",
        )
        return
    findings.error(
        TOO_DEEP,
        include.fragment.span,
        f"with `{name}` put in, blocks are nested more than {DEEPEST} deep",
        labels=labels,
        help="include it further out, or put its steps there",
    )
