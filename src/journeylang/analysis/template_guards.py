"""Which uses of a value in a template are safe where the value is unknown.

False alarms are worse than silence: whatever looks like a guard counts as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import nodes as jinja

OWNERS = ("customer", "entry", "profile")

WRITERS = ("money", "number", "date")
"""Filters that write a value by the locale; they hand on an unknown one as it is."""

DEFAULT = ("default", "d")

Field = tuple[str, str]
"""(``customer``, field)."""


def field_of(node: jinja.Node) -> Field | None:
    """``customer.x`` or ``customer["x"]``, whatever is then done to it."""
    from jinja2 import nodes as jinja

    match node:
        case jinja.Getattr(node=jinja.Name(name=owner), attr=name) if owner in OWNERS:
            return owner, name
        case jinja.Getitem(node=jinja.Name(name=owner), arg=jinja.Const(value=str() as name)) if (
            owner in OWNERS
        ):
            return owner, name
        case _:
            return None


def fields_of(node: jinja.Node) -> frozenset[Field]:
    """The field or plain name itself, for the filters and tests that take an unknown one."""
    from jinja2 import nodes as jinja

    while isinstance(node, jinja.Filter) and node.name in WRITERS and node.node is not None:
        node = node.node
    if (at := field_of(node)) is not None:
        return frozenset({at})
    return frozenset({("", node.name)}) if isinstance(node, jinja.Name) else frozenset()


def left_as_it_is(node: jinja.Node | None, guarded: frozenset[Field]) -> jinja.Node | None:
    """What a value may be instead where it is unknown and `default` stands behind it."""
    from jinja2 import nodes as jinja

    if not isinstance(node, jinja.Filter) or node.name not in DEFAULT or node.node is None:
        return None
    return node.args[0] if node.args and fields_of(node.node) - guarded else None


def asked(test: jinja.Node) -> frozenset[Field]:
    """The fields whose being there a condition asks about."""
    return frozenset(_within(test))


def _within(test: jinja.Node) -> Iterator[Field]:
    from jinja2 import nodes as jinja

    match test:
        case jinja.Not():
            yield from _within(test.node)
        case jinja.And() | jinja.Or():
            yield from _within(test.left)
            yield from _within(test.right)
        case jinja.Test(name="defined" | "undefined" | "none"):
            yield from fields_of(test.node)
        case _:
            yield from fields_of(test)
