"""Leaves of a structure that need no template: what they ask for is looked up as it is.

Most leaves are a value of the message, one or another of two, or a text with a value in it. To
read those so takes a twentieth of what a template costs. Every other leaf, and every value that is
not quite what such a leaf expects, is left to the template, which knows all of the language and
says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import nodes

Reader = Callable[[Mapping[str, Any]], Any]


class LeftToTemplateError(Exception):
    """The value is not what was expected: the template is asked."""


def of_expression(node: nodes.Node) -> Reader | None:
    """How an expression is read; None: only by the template."""
    match node:
        case nodes.Const(value=value):
            return lambda _: value
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            path = _path(node)
            return None if path is None else _found(path)
        case nodes.Filter(name=" sized", node=nodes.Concat(nodes=parts)):
            return of_text(parts)
        case nodes.CondExpr(test=test, expr1=one, expr2=nodes.Expr() as other):
            return _chosen(of_expression(test), of_expression(one), of_expression(other))
        case nodes.And(left=left, right=right):
            return _both(of_expression(left), of_expression(right))
        case nodes.Or(left=left, right=right):
            return _either(of_expression(left), of_expression(right))
        case nodes.Not(node=inner):
            return _negated(of_expression(inner))
        case _:
            return None


def of_text(parts: Sequence[nodes.Node]) -> Reader | None:
    """How a text is put together of constants and printed values."""
    constants: list[str] = [""]
    readers: list[Reader] = []
    for part in parts:
        match part:
            case nodes.TemplateData(data=data):
                constants[-1] += data
            case nodes.Const(value=str() as data):
                constants[-1] += data
            case _:
                read = of_expression(_printed(part))
                if read is None:
                    return None
                readers.append(read)
                constants.append("")

    def text(scope: Mapping[str, Any]) -> str:
        made = constants[0]
        for read, constant in zip(readers, constants[1:], strict=True):
            value = read(scope)
            if type(value) is not str:
                raise LeftToTemplateError
            made += value + constant
        return made

    return text


def _printed(part: nodes.Node) -> nodes.Node:
    """What is printed: the sandbox has put a filter of its own around it."""
    match part:
        case nodes.Filter(name=" plain", node=nodes.Expr() as inner):
            return inner
        case _:
            return part


def _path(node: nodes.Node | None) -> tuple[str, ...] | None:
    match node:
        case nodes.Name(name=name, ctx="load"):
            return (name,)
        case nodes.Getattr(node=inner, attr=str() as name):
            outer = _path(inner)
        case nodes.Getitem(node=inner, arg=nodes.Const(value=str() as name)):
            outer = _path(inner)
        case _:
            return None
    return None if outer is None else (*outer, name)


def _found(path: tuple[str, ...]) -> Reader:
    # What is no table is asked for what it cannot have, and is left to the template so.
    match path:
        case (name,):

            def read(scope: Mapping[str, Any]) -> Any:
                try:
                    return scope[name]
                except KeyError:
                    raise LeftToTemplateError from None

        case (name, inner):

            def read(scope: Mapping[str, Any]) -> Any:
                try:
                    return scope[name][inner]
                except (KeyError, TypeError):
                    raise LeftToTemplateError from None

        case _:

            def read(scope: Mapping[str, Any]) -> Any:
                value: Any = scope
                try:
                    for name in path:
                        value = value[name]
                except (KeyError, TypeError):
                    raise LeftToTemplateError from None
                return value

    return read


def _both(left: Reader | None, right: Reader | None) -> Reader | None:
    if left is None or right is None:
        return None
    return lambda scope: left(scope) and right(scope)


def _either(left: Reader | None, right: Reader | None) -> Reader | None:
    if left is None or right is None:
        return None
    return lambda scope: left(scope) or right(scope)


def _negated(read: Reader | None) -> Reader | None:
    return None if read is None else lambda scope: not read(scope)


def _chosen(test: Reader | None, one: Reader | None, other: Reader | None) -> Reader | None:
    if test is None or one is None or other is None:
        return None
    return lambda scope: one(scope) if test(scope) else other(scope)
