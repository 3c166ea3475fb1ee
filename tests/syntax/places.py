"""Short ways to a tree for the tests of the syntax."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from journeylang.diagnostics import Diagnostic
from journeylang.source import Source, Span
from journeylang.syntax import nodes as n
from journeylang.syntax.parse import parse


def tree(text: str) -> n.File:
    """The tree of a text that has nothing wrong with it."""
    outcome = parse(Source(path="a.journey", text=text))
    assert outcome.diagnostics == ()
    assert outcome.value is not None
    return outcome.value


def declaration(text: str) -> n.Declaration:
    (only,) = tree(text).declarations
    return only


def expression(text: str) -> n.Expression:
    found = declaration(f"segment s = {text}")
    assert isinstance(found, n.Segment)
    return found.condition


def step(text: str) -> n.Step:
    found = declaration(f"journey j {{ {text} }}")
    assert isinstance(found, n.Journey)
    assert found.headers == ()
    (only,) = found.steps
    return only


def header(text: str) -> n.Header:
    found = declaration(f"journey j {{ {text} }}")
    assert isinstance(found, n.Journey)
    assert found.steps == ()
    (only,) = found.headers
    return only


def problems(text: str) -> tuple[Diagnostic, ...]:
    return parse(Source(path="a.journey", text=text)).diagnostics


def under(text: str, node: object) -> str:
    """The text of a node."""
    span = node.span  # type: ignore[attr-defined]
    assert isinstance(span, Span)
    return text[span.start : span.end]


def nodes_in(node: object) -> Iterator[object]:
    """A node and every node within it."""
    if isinstance(node, tuple) and not isinstance(node, Span):
        for element in node:
            yield from nodes_in(element)
    elif is_dataclass(node) and not isinstance(node, type):
        yield node
        for field in fields(node):
            yield from nodes_in(getattr(node, field.name))
