"""A journey's funnel: from every step where its people went, and how they have ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from journeylang.classes import dataclass
from journeylang.pictures.markup import Picture
from journeylang.pictures.sankey import Node, sankey

ENTERED = "entered"
_BEFORE = "there before"
_INSIDE = "there now"
_OTHER = "other ways"
_OUTCOMES = 5
"""More ways to end than this are one: a phone has no room."""
_LABEL = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """So many runs went from a step (None: from outside) to another, or else ended by `outcome`."""

    origin: str | None
    to: str | None
    outcome: str | None = None
    runs: float


def funnel(ways: Sequence[Way], order: Sequence[str]) -> Picture | None:
    """`order`: all steps as they are written. None where nobody has moved.

    Who left a step without having come there had been there before.
    """
    if not ways:
        return None
    came: dict[str, float] = defaultdict(float)
    went: dict[str, float] = defaultdict(float)
    ends: dict[str, float] = defaultdict(float)
    flows: dict[tuple[str, str], float] = defaultdict(float)
    for way in ways:
        came[way.to or ""] += way.runs
        went[way.origin or ENTERED] += way.runs
        if way.to is None:
            ends[way.outcome or "end"] += way.runs
    entered = went[ENTERED]
    for step in order:
        if went[step] > came[step]:
            flows[_BEFORE, step] = went[step] - came[step]
            came[step] = went[step]
    before = sum(runs for (origin, _), runs in flows.items() if origin == _BEFORE)
    there = [step for step in order if came[step]]
    inside = {step: came[step] - went[step] for step in there if came[step] > went[step]}
    most = sorted(ends, key=lambda name: (-ends[name], name))[:_OUTCOMES]
    for way in ways:
        end = way.outcome or "end"
        to = way.to if way.to is not None else _end(end if end in most else _OTHER)
        flows[way.origin or ENTERED, to] += way.runs
    for step, runs in inside.items():
        flows[step, _end(_INSIDE)] += runs
    short = _short(there)
    nodes = [
        Node(name=name, label=name, figure=runs)
        for name, runs in ((ENTERED, entered), (_BEFORE, before))
        if runs
    ]
    nodes += [Node(name=step, label=short[step], figure=came[step]) for step in there]
    for name in (*most, _OTHER, _INSIDE):
        size = sum(runs for (_, to), runs in flows.items() if to == _end(name))
        if size:
            nodes.append(Node(name=_end(name), label=_broken(name), figure=size, last=True))
    known = {node.name for node in nodes}
    drawn = [(a, b, runs) for (a, b), runs in flows.items() if {a, b} <= known]
    told = ", ".join(f"{ends[name]:,.0f} {name}" for name in most)
    told = f"{before:,.0f} were there before; {told}" if before else told
    still = sum(inside.values())
    told += f"{', ' if told else ''}{still:,.0f} still inside" if still else ""
    return Picture(
        title="who went where",
        told=f"{entered:,.0f} runs entered: {told}.",
        svg=sankey(nodes, drawn),
        head=("from", "to", "runs"),
        rows=tuple(
            (way.origin or ENTERED, way.to or f"({way.outcome or 'end'})", f"{way.runs:,.0f}")
            for way in ways
        )
        + tuple((step, f"({_INSIDE})", f"{runs:,.0f}") for step, runs in inside.items()),
        right=2,
    )


def _end(name: str) -> str:
    """Not the name of a step, which has no blank in it."""
    return f"end {name}"


def _short(steps: Sequence[str]) -> dict[str, str]:
    """The last parts of each path that tell it from the others, over lines."""
    found = {}
    for step in steps:
        parts = step.split("/")
        for n in range(1, len(parts) + 1):
            tail = "/".join(parts[-n:])
            if sum(other == tail or other.endswith(f"/{tail}") for other in steps) == 1:
                break
        else:
            tail = step
        found[step] = _broken(tail)
    return found


def _broken(name: str) -> str:
    """Over lines where it is long, behind `/`, `_` or a blank."""
    lines, line = [], ""
    for part in name.replace("/", "/\0").replace("_", "_\0").replace(" ", " \0").split("\0"):
        if line and len(line) + len(part) > _LABEL:
            lines.append(line.rstrip())
            line = ""
        line += part
    return "\n".join([*lines, line])
