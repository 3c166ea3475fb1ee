"""A journey's chart as text that other tools draw: Mermaid, and DOT (Graphviz)."""

from __future__ import annotations

from collections.abc import Mapping

from journeylang.plan.chart import Chart, Node, Shape

_MERMAID = {
    Shape.ENTRY: '(["{}"])',
    Shape.WAIT: '["{}"]',
    Shape.SEND: '[/"{}"/]',
    Shape.CHOICE: '{{"{}"}}',
    Shape.EXPERIMENT: '{{{{"{}"}}}}',
    Shape.TASK: '[["{}"]]',
    Shape.EXIT: '(["{}"])',
    Shape.END: '((("{}")))',
}
_DOT = {
    Shape.ENTRY: "shape=box style=rounded",
    Shape.WAIT: "shape=box",
    Shape.SEND: "shape=parallelogram",
    Shape.CHOICE: "shape=diamond",
    Shape.EXPERIMENT: "shape=hexagon",
    Shape.TASK: "shape=box peripheries=2",
    Shape.EXIT: "shape=box style=rounded",
    Shape.END: "shape=doublecircle",
}

Live = Mapping[str, str]
"""By the name of a node, what is told of it now: `412 now`."""


def mermaid(chart: Chart, live: Live | None = None) -> str:
    """A `flowchart TD`, ready for a Markdown fence or mermaid.live."""
    lines = ["flowchart TD"]
    for node in chart.nodes:
        words = "<br/>".join(_mermaid(line) for line in _lines(node, live))
        lines.append(f"  {node.name}{_MERMAID[node.shape].format(words)}")
    for way in chart.ways:
        arrow = "-.->" if way.loose else "-->"
        words = f"|{_mermaid(way.words)}|" if way.words else ""
        lines.append(f"  {way.origin} {arrow}{words} {way.to}")
    return "\n".join(lines) + "\n"


def dot(chart: Chart, live: Live | None = None) -> str:
    """A `digraph` of Graphviz."""
    lines = [f"digraph {_dot(chart.title)} {{", "  rankdir=TB", "  node [fontname=sans]"]
    lines.append("  edge [fontname=sans]")
    for node in chart.nodes:
        words = _dot("\n".join(_lines(node, live)))
        lines.append(f"  {node.name} [label={words} {_DOT[node.shape]}]")
    for way in chart.ways:
        marks = [f"label={_dot(way.words)}"] if way.words else []
        marks += ["style=dashed"] if way.loose else []
        lines.append(f"  {way.origin} -> {way.to}" + (f" [{' '.join(marks)}]" if marks else ""))
    return "\n".join([*lines, "}"]) + "\n"


def _lines(node: Node, live: Live | None) -> tuple[str, ...]:
    told = (live or {}).get(node.name)
    return node.lines if told is None else (*node.lines, told)


def _mermaid(words: str) -> str:
    """Mermaid's own entities for what would end a label."""
    for char in '#"|<>':
        words = words.replace(char, f"#{ord(char)};")
    return words


def _dot(words: str) -> str:
    quoted = words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{quoted}"'
