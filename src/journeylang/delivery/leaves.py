"""Expressions of templates that need no template: as Python that looks up what they ask for.

Most are a value of the message, one or another of two, or a text with a value in it. To read those
so takes a twentieth of what a template costs. Every other expression, and every value that is not
quite what is expected here, is left to the template, which knows all of the language and says
what is wrong.

Python is made of a tree that Jinja2 has read: names and texts of the template stand in it as
literals alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from jinja2 import nodes

from journeylang.delivery.sandbox import BUDGET, Work

Reader = Callable[[Mapping[str, Any]], Any]


class LeftToTemplateError(Exception):
    """The value is not what was expected: the template is asked."""


def left() -> NoReturn:
    """Raises LeftToTemplateError."""
    raise LeftToTemplateError


class Code:
    """Python of expressions over `scope`. `given` is what it asks for besides, by name."""

    def __init__(self) -> None:
        self.given: dict[str, Any] = {"left": left, "together": self._together}
        self._work = Work()

    def function(self, expression: str) -> Reader | None:
        """What computes an expression of this code; None: it is too large for Python."""
        space = self.given | {"__builtins__": {"str": str, "type": type}}
        try:
            read: Reader = eval(f"lambda scope: {expression}", space)  # noqa: S307
        except (SyntaxError, MemoryError, RecursionError):
            return None
        work = self._work

        def read_anew(scope: Mapping[str, Any]) -> Any:
            work.left = BUDGET
            return read(scope)

        return read_anew

    def gives(self, value: Any) -> str:
        """The name of an object."""
        name = f"given{len(self.given)}"
        self.given[name] = value
        return name

    def expression(self, node: nodes.Node | None) -> str | None:
        """None: only the template can."""
        match node:
            case nodes.Const(value=value):
                return repr(value) if type(value) in _LITERAL else self.gives(value)
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return _path(node)
            case nodes.Filter(name=" sized", node=nodes.Concat(nodes=parts)):
                return self.text(parts)
            case nodes.CondExpr(test=test, expr1=one, expr2=nodes.Expr() as other):
                return self._all("({1} if {0} else {2})", test, one, other)
            case nodes.And(left=one, right=other):
                return self._all("({} and {})", one, other)
            case nodes.Or(left=one, right=other):
                return self._all("({} or {})", one, other)
            case nodes.Not(node=inner):
                return self._all("(not {})", inner)
            case _:
                return None

    def text(self, parts: Sequence[nodes.Node]) -> str | None:
        """A text put together of constants and printed texts."""
        made: list[str] = []
        for part in parts:
            match part:
                case nodes.TemplateData(data=data):
                    made.append(repr(data))
                case nodes.Const(value=str() as data):
                    made.append(repr(data))
                case _:
                    read = self.expression(_printed(part))
                    if read is None:
                        return None
                    made.append(f"(v if type(v := {read}) is str else left())")
        return joined(made)

    def _together(self, parts: tuple[str, ...]) -> str:
        # Before it is there: else memory would be asked for that the template would not take.
        self._work.charge(sum(map(len, parts)))
        return "".join(parts)

    def _all(self, form: str, *parts: nodes.Node) -> str | None:
        made = [one for part in parts if (one := self.expression(part)) is not None]
        return form.format(*made) if len(made) == len(parts) else None


_LITERAL = frozenset({str, int, bool, type(None)})


def joined(parts: Sequence[str]) -> str:
    """Python of a text of these."""
    return f"together(({''.join(f'{part}, ' for part in parts)}))" if parts else "''"


def _printed(part: nodes.Node) -> nodes.Node:
    """What is printed: the sandbox has put a filter of its own around it."""
    match part:
        case nodes.Filter(name=" plain", node=nodes.Expr() as inner):
            return inner
        case _:
            return part


def _path(node: nodes.Node | None) -> str | None:
    # What is no table is asked for what it cannot have, and is left to the template so.
    match node:
        case nodes.Name(name=name, ctx="load"):
            return f"scope[{name!r}]"
        case nodes.Getattr(node=inner, attr=str() as name):
            outer = _path(inner)
        case nodes.Getitem(node=inner, arg=nodes.Const(value=str() as name)):
            outer = _path(inner)
        case _:
            return None
    return None if outer is None else f"{outer}[{name!r}]"
