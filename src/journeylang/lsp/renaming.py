"""Renaming: every place of a name, and what keeps its meaning where a place cannot.

People wait at steps, so a renamed step brings the `moved` line that lets them go on; a message
without a template's name is called like its step, and a field without a column like its field, so
both are then written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from journeylang.analysis.moves import RESTING
from journeylang.analysis.paths import kind_of
from journeylang.lsp.editing import Project
from journeylang.lsp.hover import declaration
from journeylang.lsp.in_templates import all_templates, template_mentions
from journeylang.lsp.mentions import Symbol
from journeylang.lsp.names import Names
from journeylang.source import Span
from journeylang.syntax import nodes

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RENAMED = frozenset(
    (
        *(
            "segment",
            "metric",
            "event",
            "channel",
            "topic",
            "policy",
            "promo",
            "catalog",
            "consent",
        ),
        *("journey", "fragment", "field", "parameter", "profile", "step", "prospects", "assume"),
    )
)
Edits = list[tuple[Span, str]]


class RefusedError(Exception):
    """Why a name stays as it is, and what to do."""


def rename(project: Project, symbol: Symbol, new: str) -> Edits:
    """The edits that give a symbol another name; refused where that name cannot be."""
    names = project.names()
    if symbol.kind not in RENAMED or not names.definitions(symbol):
        raise RefusedError(f"`{symbol.name}` is not defined in this project")
    if not _NAME.fullmatch(new):
        raise RefusedError(f"`{new}` is no name: letters, digits and `_`, no digit first")
    head, _, last = symbol.name.rpartition("/")
    other = symbol._replace(name=f"{head}/{new}" if head else new)
    if other == symbol:
        return []
    if names.definitions(other):
        raise RefusedError(f"there is a {symbol.kind} `{other.name}` already")
    edits: Edits = [(span, new) for span in references(project, symbol)]
    match symbol.kind:
        case "step":
            edits += _moved(project, names, symbol, other.name)
            edits += _template_named(project, names, symbol, last)
        case "field":
            edits += _column_named(project, names, symbol)
        case _:
            pass
    return edits


def references(project: Project, symbol: Symbol) -> list[Span]:
    """Every place of a name, in journeys and in templates."""
    found = project.names().references(symbol)
    if symbol.kind in ("field", "profile"):
        for source in all_templates(project):
            found += [m.span for m in template_mentions(source) if symbol in m.meant]
    return found


def _moved(project: Project, names: Names, symbol: Symbol, new: str) -> Edits:
    """`moved in JOURNEY: OLD -> NEW` behind each journey that has the step."""
    edits: Edits = []
    for journey, old, now in _paths(project, names, symbol, new):
        for span in names.definitions(Symbol("journey", journey)):
            tree = project.tree(span.path)
            declared = None if tree is None else declaration(tree, span)
            if isinstance(declared, nodes.Journey):
                end = Span(span.path, declared.span.end, declared.span.end)
                edits.append((end, f"\n\nmoved in {journey}: {old} -> {now}"))
    return edits


def _paths(
    project: Project, names: Names, symbol: Symbol, new: str
) -> Iterator[tuple[str, str, str]]:
    """Journey, old path and new path of the steps at or within a step where people wait.

    A fragment's steps have a path in each journey that includes it; those that a journey includes
    below a renamed step have one too.
    """
    for path in names.of_kind("step", symbol.within):
        within = path == symbol.name or path.startswith(f"{symbol.name}/")
        step = Symbol("step", path, symbol.within)
        if not within:
            continue
        now = new + path.removeprefix(symbol.name)
        if _rests(project, names, step):
            yield from _in_journeys(names, symbol.within, path, now)
        fragment = names.included.get(step)
        for inner in names.of_kind("step", fragment) if fragment is not None else ():
            if _rests(project, names, Symbol("step", inner, fragment or "")):
                yield from _in_journeys(names, symbol.within, f"{path}/{inner}", f"{now}/{inner}")


def _in_journeys(names: Names, owner: str, old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """The paths of a step of a journey or a fragment, as seen from the journeys."""
    if names.definitions(Symbol("journey", owner)):
        yield owner, old, new
        return
    for step, fragment in names.included.items():
        if fragment == owner:
            above = step.name
            yield from _in_journeys(names, step.within, f"{above}/{old}", f"{above}/{new}")


def _rests(project: Project, names: Names, step: Symbol) -> bool:
    for span in names.definitions(step):
        tree = project.tree(span.path)
        node = None if tree is None else declaration(tree, span)
        if isinstance(node, nodes.Step) and kind_of(node) in RESTING:
            return True
    return False


def _template_named(project: Project, names: Names, symbol: Symbol, label: str) -> Edits:
    """The template of a send that was called like its step."""
    edits: Edits = []
    for span in names.definitions(symbol):
        tree = project.tree(span.path)
        step = None if tree is None else declaration(tree, span)
        if isinstance(step, nodes.Send):
            edits += [
                (
                    Span(span.path, c.channel.span.end, c.channel.span.end),
                    f' "{symbol.within}/{label}"',
                )
                for c in step.candidates
                if c.template is None
            ]
    return edits


def _column_named(project: Project, names: Names, symbol: Symbol) -> Edits:
    """The column of a field that was called like it."""
    edits: Edits = []
    for span in names.definitions(symbol):
        tree = project.tree(span.path)
        item = None if tree is None else declaration(tree, span)
        if isinstance(item, nodes.FieldBinding) and item.value is None and tree is not None:
            alias = _alias(tree, span)
            end = Span(span.path, item.type.span.end, item.type.span.end)
            edits.append((end, f" = {alias}{symbol.name}"))
    return edits


def _alias(tree: nodes.File, place: Span) -> str:
    for node in tree.declarations:
        within = node.span.start <= place.start < node.span.end
        if within and isinstance(node, nodes.Customers | nodes.Event | nodes.Catalog):
            alias = node.table.alias
            return "" if alias is None else f"{alias.text}."
    return ""
