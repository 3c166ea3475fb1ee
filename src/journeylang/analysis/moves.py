"""Moves: where people go who wait at a step that is no longer there."""

from __future__ import annotations

from collections.abc import Iterable

from journeylang.analysis.expressions import Checker
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model.project import Move
from journeylang.syntax import nodes

RESTING = frozenset({"wait", "send"})
"""Kinds of step at which people are between two ticks."""


def moves(written: Iterable[nodes.Moved], checker: Checker) -> tuple[Move, ...]:
    """The moves; reports those out of steps that are there, to steps that are not, and in
    unknown journeys."""
    findings = checker.findings
    first: dict[tuple[str, str], nodes.Moved] = {}
    found: list[Move] = []
    for move in written:
        journey = move.journey.text
        if journey not in checker.declared.journeys:
            findings.unknown("journey", journey, move.journey.span, checker.declared.journeys)
            continue
        steps = checker.sources.steps[journey]
        source = move.source.text
        if source in steps:
            findings.error(
                names.OUT_OF_PLACE,
                move.source.span,
                f"`{source}` is a step of `{journey}`",
                label="people go on from here as it says",
                help="a move says where they go from a step that is gone: leave it out",
            )
        before = first.setdefault((journey, source), move)
        if before is not move:
            findings.error(
                names.REPEATED_PART,
                move.source.span,
                f"where people go from `{source}` is said twice",
                labels=(Label(before.source.span, "said here already"),),
                help="remove one of the two",
            )
        if move.target is not None:
            _target(move.target, journey, checker)
        target = None if move.target is None else move.target.text
        found.append(Move(journey=journey, source=source, target=target, span=move.span))
    return tuple(found)


def _target(target: nodes.Path, journey: str, checker: Checker) -> None:
    steps = checker.sources.steps[journey]
    resting = [path for path, kind in steps.items() if kind in RESTING]
    kind = steps.get(target.text)
    if kind is None:
        checker.findings.unknown(
            "step",
            target.text,
            target.span,
            resting,
            label=f"`{journey}` has no step of this path",
        )
    elif kind not in RESTING:
        checker.findings.error(
            names.TYPE_MISMATCH,
            target.span,
            f"nobody waits at `{target.text}`, which is of kind `{kind}`",
            help="name a `wait` or a `send`, or write `-> exit`",
        )
