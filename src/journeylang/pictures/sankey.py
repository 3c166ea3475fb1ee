"""Who goes where, as a Sankey: bars as broad as the runs that came, ways as broad as their part.

It leads from top to bottom, so that a phone shows it too. Ways that lead back are left out; the
table has them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from itertools import pairwise

from journeylang.classes import dataclass
from journeylang.pictures.charts import WIDTH
from journeylang.pictures.draw import vega
from journeylang.pictures.layers import Layers, layered, places
from journeylang.pictures.markup import colour

_BAR = 12
_ROW = 80
_GAP = 14
_LETTER = 6.4
_TOP = 34
_LEAST = 1.5

Flow = tuple[str, str, float]
"""From, to, how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """`name` is unique, `label` is read (over lines); `last` are the ways to end, at the bottom."""

    name: str
    label: str
    figure: float
    last: bool = False


def sankey(nodes: Sequence[Node], flows: Sequence[Flow]) -> str:
    """`nodes` in the order of the story, as broad as their `figure`."""
    place = {node.name: n for n, node in enumerate(nodes)}
    down = [flow for flow in flows if place[flow[0]] < place[flow[1]] and flow[2] > 0]
    last = {node.name for node in nodes if node.last}
    layers = layered([node.name for node in nodes], [(a, b) for a, b, _ in down], last=last)
    of = {node.name: node for node in nodes}
    size = {node.name: node.figure for node in nodes}
    size |= {
        name: flow[2]
        for chain, flow in zip(layers.chains, down, strict=True)
        for name in chain[1:-1]
    }
    scale = _scale(layers, size)
    broad = {name: max(value * scale, _LEAST) for name, value in size.items()}

    def width(name: str) -> float:
        node = of.get(name)
        if node is None:
            return broad[name]
        longest = max(len(line) for line in (*_lines(node.label), f"{node.figure:,.0f}"))
        return max(broad[name], longest * _LETTER)

    at = places(layers, width, _GAP)
    row_of = {name: n for n, row in enumerate(layers.rows) for name in row}
    return vega(
        _spec(
            [_bar(of[name], at[name], row_of[name], broad[name]) for name in of],
            _ribbons(layers, down, at, row_of, broad, scale, last),
            max((at[name] + width(name) / 2 for name in at), default=0.0),
            len(layers.rows),
        )
    )


def _scale(layers: Layers, size: Mapping[str, float]) -> float:
    """Units per run, so that the broadest layer has its room."""
    room = [
        (WIDTH - 40 - _GAP * (len(row) - 1), sum(size[name] for name in row)) for row in layers.rows
    ]
    return min((space / total for space, total in room if total), default=1.0) * 0.85


def _lines(label: str) -> list[str]:
    return label.split("\n")


def _bar(node: Node, x: float, row: int, broad: float) -> dict[str, object]:
    return {
        "x": x,
        "y": _TOP + row * _ROW,
        "w": broad,
        "words": [*_lines(node.label), f"{node.figure:,.0f}"],
        "fill": "var(--dim)" if node.last else colour(0),
    }


def _ribbons(
    layers: Layers,
    flows: Sequence[Flow],
    at: Mapping[str, float],
    row_of: Mapping[str, int],
    broad: Mapping[str, float],
    scale: float,
    last: Container[str],
) -> list[dict[str, object]]:
    """Each way piece by piece; at a bar they stand in the order in which they come and go."""
    pieces = [
        (n, high, low) for n, chain in enumerate(layers.chains) for high, low in pairwise(chain)
    ]
    out_at = {name: at[name] - broad[name] / 2 for name in at}
    in_at = dict(out_at)
    starts: dict[tuple[int, str], float] = {}
    ends: dict[tuple[int, str], float] = {}
    for n, high, _ in sorted(pieces, key=lambda piece: (at[piece[2]], piece[0])):
        starts[n, high] = out_at[high]
        out_at[high] += flows[n][2] * scale
    for n, _, low in sorted(pieces, key=lambda piece: (at[piece[1]], piece[0])):
        ends[n, low] = in_at[low]
        in_at[low] += flows[n][2] * scale
    drawn: list[dict[str, object]] = []
    for n, high, low in pieces:
        w = max(flows[n][2] * scale, _LEAST / 2)
        y0 = _TOP + row_of[high] * _ROW + _BAR
        # Through a layer that it passes it goes on without a break.
        y0 -= _BAR if high.startswith("~") else 0
        y1 = _TOP + row_of[low] * _ROW
        a, b, middle = starts[n, high], ends[n, low], (y0 + y1) / 2
        path = (
            f"M{a:.1f},{y0:.1f}C{a:.1f},{middle:.1f},{b:.1f},{middle:.1f},{b:.1f},{y1:.1f}"
            f"h{w:.1f}C{b + w:.1f},{middle:.1f},{a + w:.1f},{middle:.1f},{a + w:.1f},{y0:.1f}Z"
        )
        drawn.append({"path": path, "fill": "var(--dim)" if flows[n][1] in last else colour(0)})
    return drawn


def _spec(
    bars: Sequence[object], ribbons: Sequence[object], width: float, rows: int
) -> dict[str, object]:
    def value(field: str) -> dict[str, str]:
        return {"field": field}

    text = {
        "x": value("x"),
        "text": value("words"),
        "align": {"value": "center"},
        "baseline": {"value": "bottom"},
        "lineHeight": {"value": 13},
        "dy": {"signal": "-4 - 13 * (length(datum.words) - 1)"},
        "y": value("y"),
        "fontSize": {"value": 12},
        "fill": {"value": "var(--ink)"},
    }
    rect = {
        "xc": value("x"),
        "width": value("w"),
        "y": value("y"),
        "height": {"value": _BAR},
        "fill": value("fill"),
    }
    path = {"path": value("path"), "fill": value("fill"), "fillOpacity": {"value": 0.3}}
    return {
        "$schema": "https://vega.github.io/schema/vega/v5.json",
        "width": max(width, WIDTH - 10),
        "height": _TOP + (rows - 1) * _ROW + _BAR,
        "padding": 5,
        "config": {"aria": False, "background": None},
        "data": [
            {"name": "ways", "values": list(ribbons)},
            {"name": "bars", "values": list(bars)},
        ],
        "marks": [
            {"type": "path", "from": {"data": "ways"}, "encode": {"enter": path}},
            {"type": "rect", "from": {"data": "bars"}, "encode": {"enter": rect}},
            {"type": "text", "from": {"data": "bars"}, "encode": {"enter": text}},
        ],
    }
