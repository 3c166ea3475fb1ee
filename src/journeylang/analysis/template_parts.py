"""What templates give to each other: macros, blocks, rows of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journeylang.analysis.front_matter import take_apart
from journeylang.analysis.template_trees import environment
from journeylang.source import Source

if TYPE_CHECKING:
    from jinja2 import nodes as jinja


def replacing(tree: jinja.Template) -> frozenset[str]:
    """The blocks that a template puts in the place of its parent's, without showing that one."""
    from jinja2 import nodes as jinja

    if tree.find(jinja.Extends) is None:
        return frozenset()
    return frozenset(
        block.name
        for block in tree.find_all(jinja.Block)
        if not any(name.name == "super" for name in block.find_all(jinja.Name))
    )


def defined_in(source: Source) -> frozenset[str] | None:
    """The names that can be imported from a template; None where that cannot be told."""
    from jinja2 import TemplateSyntaxError
    from jinja2 import nodes as jinja

    parts = take_apart(source).value
    try:
        tree = environment().parse("" if parts is None else parts.body.text)
    except (TemplateSyntaxError, RecursionError):
        return None
    if next(tree.find_all((jinja.Extends, jinja.Include)), None) is not None:
        return None
    macros = {macro.name for macro in tree.find_all(jinja.Macro)}
    set_there = {name.name for name in tree.find_all(jinja.Name) if name.ctx == "store"}
    imported = {node.target for node in tree.find_all(jinja.Import)}
    taken = {
        each if isinstance(each, str) else each[1]
        for node in tree.find_all(jinja.FromImport)
        for each in node.names
    }
    return frozenset(macros | set_there | imported | taken)


def asked_about(loop: jinja.For, each: str) -> frozenset[str]:
    """The fields of a loop's rows about which it asks anywhere, or for which it has a default."""
    from jinja2 import nodes as jinja

    asking: list[jinja.Node | None] = []
    for node in loop.find_all((jinja.If, jinja.CondExpr, jinja.BinExpr, jinja.Filter)):
        match node:
            case jinja.If() | jinja.CondExpr():
                asking.append(node.test)
            case jinja.And() | jinja.Or() | jinja.Filter(name="default" | "d"):
                asking.append(node)
            case _:
                pass
    asking += [*loop.find_all((jinja.Compare, jinja.Test)), loop.test]
    return frozenset(
        field.attr
        for node in asking
        if node is not None
        for field in (node, *node.find_all(jinja.Getattr))
        if isinstance(field, jinja.Getattr)
        and isinstance(field.node, jinja.Name)
        and field.node.name == each
    )
