"""The shape of a file: what is declared in it, what can be folded, what each name is."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from journeylang.analysis.paths import LABELLED, blocks, kind_of
from journeylang.lsp.names import Names
from journeylang.lsp.positions import position, span_range
from journeylang.source import Source, Span
from journeylang.syntax import nodes
from journeylang.syntax.scan import BRACKETS, scan

_KINDS = {
    nodes.Journey: lsp.SymbolKind.Module,
    nodes.Fragment: lsp.SymbolKind.Module,
    nodes.Segment: lsp.SymbolKind.Class,
    nodes.Metric: lsp.SymbolKind.Function,
    nodes.Event: lsp.SymbolKind.Event,
    nodes.Channel: lsp.SymbolKind.EnumMember,
    nodes.Policy: lsp.SymbolKind.Interface,
}

TOKEN_TYPES = [
    "event", "class", "function", "property", "parameter", "enumMember", "label", "namespace",
    "variable", "interface",
]  # fmt: skip
_TOKENS = {
    "event": "event",
    "segment": "class",
    "metric": "function",
    "field": "property",
    "parameter": "parameter",
    "channel": "enumMember",
    "topic": "enumMember",
    "consent": "enumMember",
    "step": "label",
    "journey": "namespace",
    "fragment": "namespace",
    "profile": "variable",
    "promo": "variable",
    "catalog": "variable",
    "prospects": "variable",
    "assume": "variable",
    "policy": "interface",
}


def symbols(source: Source, tree: nodes.File) -> list[lsp.DocumentSymbol]:
    """Declarations, and within journeys and fragments their labelled steps."""
    return [made for node in tree.declarations for made in _declared(source, node)]


def _declared(source: Source, node: nodes.Declaration) -> Iterator[lsp.DocumentSymbol]:
    name: object = getattr(node, "name", None)
    if isinstance(node, nodes.Test):
        name = node.title
    if isinstance(node, nodes.Customers):
        name = nodes.Name(text="customers", span=node.span)
    if isinstance(name, nodes.String):
        name = nodes.Name(text=name.value or "test", span=name.span)
    if not isinstance(name, nodes.Name) or not name.text:
        return
    title = getattr(node, "title", None)
    detail = title.value if isinstance(title, nodes.String) else type(node).__name__.lower()
    steps = node.steps if isinstance(node, nodes.Journey | nodes.Fragment) else ()
    yield lsp.DocumentSymbol(
        name=name.text,
        detail=detail,
        kind=_KINDS.get(type(node), lsp.SymbolKind.Object),
        range=span_range(source, node.span),
        selection_range=span_range(source, _first_line(source, name.span)),
        children=list(_steps(source, steps)),
    )


def _steps(source: Source, block: nodes.Block) -> Iterator[lsp.DocumentSymbol]:
    for step in block:
        inner = [made for steps, _ in blocks(step, ()) for made in _steps(source, steps)]
        if step.label is None or not step.label.text or kind_of(step) not in LABELLED:
            yield from inner
            continue
        yield lsp.DocumentSymbol(
            name=step.label.text,
            detail=kind_of(step),
            kind=lsp.SymbolKind.Field,
            range=span_range(source, step.span),
            selection_range=span_range(source, step.label.span),
            children=inner,
        )


def _first_line(source: Source, span: Span) -> Span:
    end = source.text.find("\n", span.start, span.end)
    return span if end < 0 else Span(span.path, span.start, end)


def folds(source: Source) -> list[lsp.FoldingRange]:
    """Every pair of braces or brackets over several lines, and every comment of several."""
    tokens = scan(source)
    found: list[lsp.FoldingRange] = []
    opened: list[int] = []
    for kind, start in zip(tokens.kinds, tokens.starts, strict=True):
        if kind in BRACKETS:
            opened.append(source.position(start)[0])
        elif kind in BRACKETS.values() and opened:
            first, last = opened.pop(), source.position(start)[0]
            if last - first > 1:
                found.append(lsp.FoldingRange(start_line=first - 1, end_line=last - 2))
    lines = source.text.split("\n")
    first = -1
    for index, line in enumerate([*lines, ""]):
        if line.lstrip().startswith("#"):
            first = index if first < 0 else first
            continue
        if first >= 0 and index - first > 1:
            kind = lsp.FoldingRangeKind.Comment
            found.append(lsp.FoldingRange(start_line=first, end_line=index - 1, kind=kind))
        first = -1
    return found


def semantic_tokens(source: Source, names: Names) -> list[int]:
    """What each name of a file is, in the protocol's five numbers each; modifier 1 defines."""
    data: list[int] = []
    line_before = character_before = 0
    for mention in sorted(names.by_file.get(source.path, ())):
        kind = _TOKENS.get(names.symbol(mention).kind)
        if kind is None or mention.span.end > len(source.text):
            continue
        start, end = position(source, mention.span.start), position(source, mention.span.end)
        if start.line != end.line:
            continue
        same = start.line == line_before
        shift = start.character - (character_before if same else 0)
        if same and shift < 0:
            continue
        data += [
            start.line - line_before,
            shift,
            end.character - start.character,
            TOKEN_TYPES.index(kind),
            1 if mention.defines else 0,
        ]
        line_before, character_before = start.line, start.character
    return data
