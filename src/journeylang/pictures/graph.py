"""A journey's chart as SVG, drawn by the page or by whatever shows such files; no tool is needed.

Ways lead from top to bottom. What stands on a way has a place of its own in a layer between, so
that no label lies on another.
"""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise

from journeylang.classes import dataclass
from journeylang.pictures.draw import UNDRAWN
from journeylang.pictures.layers import Layers, layered, places
from journeylang.pictures.style import VARIABLES
from journeylang.plan.chart import Chart, Node, Shape, Way

_WIDE = 26
_LETTER = 7.2
_LINE = 16
_PAD = 12
_GAP = 26
_BETWEEN = 30
_PORT = 16
_EDGE = 8

_COLOURS = {
    Shape.ENTRY: "var(--ink)",
    Shape.WAIT: "var(--dim)",
    Shape.SEND: "var(--c0)",
    Shape.CHOICE: "var(--c4)",
    Shape.EXPERIMENT: "var(--c3)",
    Shape.TASK: "var(--c5)",
    Shape.EXIT: "var(--c6)",
    Shape.END: "var(--ink)",
}

_KIND = {True: "live", False: "line"}

_STYLE = f"""{VARIABLES}
.journey-graph {{ background: var(--page); font: 12px system-ui, sans-serif; }}
.journey-graph text {{ fill: var(--ink); text-anchor: middle; }}
.journey-graph text.way {{ fill: var(--dim); font-size: 11px; }}
.journey-graph text .live {{ font-weight: 700; }}
.journey-graph .box {{ fill: var(--card); stroke-width: 1.5; }}
.journey-graph .to {{ fill: none; stroke: var(--dim); stroke-width: 1.2; }}
.journey-graph .loose {{ stroke-dasharray: 4 4; }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """A node, or the words of a way, with their size; `node` None for words."""

    lines: tuple[str, ...]
    width: float
    height: float
    node: Node | None = None


def svg(chart: Chart, live: Mapping[str, str] | None = None, *, as_of: str = "") -> str:
    """The whole drawing, light and dark. `live`: what is told now of a node, by its name."""
    boxes = {node.name: _box(node, (live or {}).get(node.name)) for node in chart.nodes}
    layers = layered(
        [node.name for node in chart.nodes],
        [(way.origin, way.to) for way in chart.ways],
        stretch=[2 if way.words else 1 for way in chart.ways],
    )
    for way, chain in zip(chart.ways, layers.chains, strict=True):
        if way.words and len(chain) > 2:
            # In the layer next to where it comes from, or leads back to.
            boxes[chain[1]] = _words(way)
    at = places(layers, lambda name: boxes[name].width if name in boxes else 2.0, _GAP)
    top, bottom, height = _rows(layers, boxes)
    width = max((x + _width(boxes, name) / 2 for name, x in at.items()), default=0.0)
    ways = _ways(chart.ways, layers, boxes, at, top, bottom)
    drawn = [_draw(box, at[name], top[name], bottom[name]) for name, box in boxes.items()]
    told = f"{chart.title}: the steps of the journey and the ways between them{as_of}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="journey-graph" role="img"'
        f' aria-label="{_text(told)}" viewBox="0 0 {width + 2 * _EDGE:.0f} {height:.0f}"'
        f' width="{width + 2 * _EDGE:.0f}" height="{height:.0f}">\n'
        f"<title>{_text(told)}</title>\n<desc>{_text(_told(chart, live or {}))}</desc>\n"
        f"<style>{_STYLE}</style>\n{_ARROW}\n"
        f'<g transform="translate({_EDGE},0)">\n' + "\n".join([*ways, *drawn]) + "\n</g></svg>\n"
    )


_ARROW = (
    '<defs><marker id="journey-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8"'
    ' markerHeight="8" orient="auto-start-reverse"><path d="M0,0L8,4L0,8Z"'
    ' fill="var(--dim)"/></marker></defs>'
)


def _text(words: str) -> str:
    return escape(UNDRAWN.sub("\N{REPLACEMENT CHARACTER}", words), quote=True)


def _told(chart: Chart, live: Mapping[str, str]) -> str:
    """What is drawn, as sentences: a line for each node and where it leads."""
    called = {node.name: " ".join(node.lines) for node in chart.nodes}
    out: dict[str, list[str]] = defaultdict(list)
    for way in chart.ways:
        out[way.origin].append(f"{way.words}: {called[way.to]}" if way.words else called[way.to])
    return "\n".join(
        called[node.name]
        + (f" ({live[node.name]})" if node.name in live else "")
        + (f", then {'; '.join(out[node.name])}." if out[node.name] else ".")
        for node in chart.nodes
    )


def _wrapped(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        part
        for line in lines
        for part in textwrap.wrap(line, _WIDE, break_on_hyphens=False) or [line]
    )


def _box(node: Node, live: str | None) -> _Box:
    lines = (*_wrapped(node.lines), *([live] if live is not None else []))
    slant = 2.0 if node.shape in (Shape.CHOICE, Shape.EXPERIMENT, Shape.SEND) else 1.0
    width = max(len(line) for line in lines) * _LETTER + 2 * _PAD * slant
    return _Box(lines=lines, width=max(width, 60), height=len(lines) * _LINE + _PAD, node=node)


def _words(way: Way) -> _Box:
    lines = _wrapped([way.words])
    longest = max(len(line) for line in lines)
    return _Box(lines=lines, width=longest * (_LETTER - 0.6) + 4, height=len(lines) * 14)


def _width(boxes: Mapping[str, _Box], name: str) -> float:
    return boxes[name].width if name in boxes else 2.0


def _rows(
    layers: Layers, boxes: Mapping[str, _Box]
) -> tuple[dict[str, float], dict[str, float], float]:
    """The upper and the lower edge of everything, and the height of it all."""
    top: dict[str, float] = {}
    bottom: dict[str, float] = {}
    y = float(_EDGE)
    for row in layers.rows:
        tall = max((boxes[name].height for name in row if name in boxes), default=0.0)
        for name in row:
            half = boxes[name].height / 2 if name in boxes else 0.0
            top[name], bottom[name] = y + tall / 2 - half, y + tall / 2 + half
        # Words stand closer to what they are about than steps to each other.
        steps = any(name in boxes and boxes[name].node is not None for name in row)
        y += tall + (_BETWEEN if steps else _BETWEEN * 0.6)
    return top, bottom, y - _BETWEEN + _EDGE


def _ways(
    ways: Sequence[Way],
    layers: Layers,
    boxes: Mapping[str, _Box],
    at: Mapping[str, float],
    top: Mapping[str, float],
    bottom: Mapping[str, float],
) -> list[str]:
    """Each as one line, through its places between; at a node they stand beside each other."""
    leaving: dict[str, list[tuple[float, int]]] = defaultdict(list)
    coming: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for n, chain in enumerate(layers.chains):
        if chain[0] != chain[-1]:
            leaving[chain[0]].append((at[chain[1]], n))
            coming[chain[-1]].append((at[chain[-2]], n))
    drawn = []
    for n, (way, chain, turned) in enumerate(zip(ways, layers.chains, layers.turned, strict=True)):
        if chain[0] == chain[-1]:
            path = _loop(at[chain[0]], top[chain[0]], bottom[chain[0]], boxes[chain[0]].width)
        else:
            first = at[chain[0]] + _port(leaving[chain[0]], n, boxes[chain[0]].width)
            last = at[chain[-1]] + _port(coming[chain[-1]], n, boxes[chain[-1]].width)
            points = [(first, bottom[chain[0]])]
            for name in chain[1:-1]:
                points += [(at[name], top[name]), (at[name], bottom[name])]
            points.append((last, top[chain[-1]]))
            path = _line(points)
        end = "start" if turned and chain[0] != chain[-1] else "end"
        loose = " loose" if way.loose else ""
        drawn.append(f'<path class="to{loose}" marker-{end}="url(#journey-arrow)" d="{path}"/>')
    return drawn


def _port(beside: Sequence[tuple[float, int]], n: int, width: float) -> float:
    """How far from the middle of a node a way leaves or comes."""
    order = [number for _, number in sorted(beside)]
    apart = min(_PORT, width / (len(order) + 1))
    return (order.index(n) - (len(order) - 1) / 2) * apart


def _line(points: Sequence[tuple[float, float]]) -> str:
    """Smooth, and upright where it passes a layer."""
    x, y = points[0]
    parts = [f"M{x:.1f},{y:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 == x1:
            parts.append(f"L{x1:.1f},{y1:.1f}")
        else:
            middle = (y0 + y1) / 2
            parts.append(f"C{x0:.1f},{middle:.1f},{x1:.1f},{middle:.1f},{x1:.1f},{y1:.1f}")
    return "".join(parts)


def _loop(x: float, top: float, bottom: float, width: float) -> str:
    edge, middle = x + width / 2, (top + bottom) / 2
    return (
        f"M{edge:.1f},{middle - 6:.1f}C{edge + 24:.1f},{middle - 14:.1f},{edge + 24:.1f},"
        f"{middle + 14:.1f},{edge:.1f},{middle + 6:.1f}"
    )


def _draw(box: _Box, x: float, top: float, bottom: float) -> str:
    if box.node is None:
        # The way goes behind its words.
        ground = (
            f'<rect x="{x - box.width / 2:.1f}" y="{top:.1f}" width="{box.width:.1f}"'
            f' height="{box.height:.1f}" fill="var(--page)"/>'
        )
        return ground + _lines(box.lines, x, top + 11, 14, "way", live=False)
    outline = _outline(box.node.shape, x - box.width / 2, x + box.width / 2, top, bottom)
    live = len(box.lines) > len(_wrapped(box.node.lines))
    inside = _lines(box.lines, x, top + _PAD / 2 + 12, _LINE, "step", live=live)
    return f'<g stroke="{_COLOURS[box.node.shape]}">{outline}</g>{inside}'


def _lines(lines: Sequence[str], x: float, y: float, apart: float, kind: str, *, live: bool) -> str:
    last = len(lines) - 1 if live else -1
    spans = "".join(
        f'<tspan class="{_KIND[n == last]}" x="{x:.1f}"'
        f' y="{y + n * apart:.1f}">{_text(line)}</tspan>'
        for n, line in enumerate(lines)
    )
    return f'<text class="{kind}">{spans}</text>'


def _outline(shape: Shape, left: float, right: float, top: float, bottom: float) -> str:
    middle = (top + bottom) / 2
    match shape:
        case Shape.CHOICE | Shape.EXPERIMENT:
            corners = [
                (left, middle),
                (left + _PAD, top),
                (right - _PAD, top),
                (right, middle),
                (right - _PAD, bottom),
                (left + _PAD, bottom),
            ]
        case Shape.SEND:
            corners = [(left + _PAD, top), (right, top), (right - _PAD, bottom), (left, bottom)]
        case _:
            pill = shape in (Shape.ENTRY, Shape.EXIT, Shape.END)
            round_ = (bottom - top) / 2 if pill else 4
            box = (
                f'<rect class="box" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}"'
                f' height="{bottom - top:.1f}" rx="{round_:.1f}"/>'
            )
            if shape is not Shape.TASK:
                return box
            sides = "".join(
                f'<path d="M{x:.1f},{top:.1f}V{bottom:.1f}"/>' for x in (left + 5, right - 5)
            )
            return box + sides
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polygon class="box" points="{points}"/>'
