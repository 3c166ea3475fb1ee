"""Templates of constants, printed values and `if`, written without Jinja2's own way for each.

Most messages are no more than that. All parts of one are written at once, so that what several of
them show is computed once. Whatever else a template has, and every value that is not quite what
is expected here, is left to the template: it counts its work, and says what is wrong. What is
written is the same either way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jinja2 import nodes
from markupsafe import escape

from journeylang.delivery.leaves import Code, joined, left
from journeylang.delivery.sandbox import MessageEnvironment

Writer = Callable[[Mapping[str, Any]], tuple[str, ...]]

_FILTERS = frozenset(
    ["capitalize", "d", "date", "default", "lower", "money", "number", "title", "trim", "upper"]
)
"""Those that ask for nothing but their value and constants, and make no Markup of a text."""

_FUNCTIONS = frozenset({"link", "answer_url"})

_AS_LONG = frozenset({"capitalize", "lower", "title", "trim", "upper"})
"""Filters that make another text of whatever length."""

_COMPARED = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="}

_LARGEST = 64 * 1024
"""Characters of Python: what is larger is left as it is."""

_SPECIAL = re.compile("[&<>\"']").search


def writer(parts: Sequence[tuple[nodes.Template | str, MessageEnvironment]]) -> Writer | None:
    """How the parts of a message are written: trees, and texts that stay; None: only one by one
    as templates."""
    code = _Message()
    made = [repr(one) if isinstance(one, str) else code.part(one, of) for one, of in parts]
    texts = [one for one in made if one is not None]
    if len(texts) < len(made) or sum(map(len, texts)) > _LARGEST:
        return None
    return code.function(f"({''.join(f'{one}, ' for one in texts)})")


class _Message(Code):
    def __init__(self) -> None:
        super().__init__()
        self.given |= {"special": _SPECIAL, "escaped": self._escaped, "plain": _plain}
        self.given["made"] = self._made
        self._kept: dict[str, str] = {}
        self._certain = True
        self._environment: MessageEnvironment

    def part(self, tree: nodes.Template, environment: MessageEnvironment) -> str | None:
        """Without the line ends that it begins with."""
        self._environment = environment
        made = self._body(tree.body)
        return None if made is None else f"{made}.lstrip('\\n')"

    def _body(self, body: Sequence[nodes.Node]) -> str | None:
        made: list[str | None] = []
        for statement in body:
            match statement:
                case nodes.Output(nodes=parts):
                    made += map(self._shown, parts)
                case nodes.If():
                    made.append(self._choice(statement))
                case _:
                    return None
        known = [one for one in made if one is not None]
        return joined(known) if len(known) == len(made) else None

    def _shown(self, part: nodes.Node) -> str | None:
        if isinstance(part, nodes.TemplateData):
            return repr(part.data)
        read = self.expression(part)
        if read is None:
            return None
        if self._environment.autoescape:
            return f"(v if type(v := {read}) is str and special(v) is None else escaped(v))"
        return f"(v if type(v := {read}) is str else plain(v))"

    def _choice(self, one: nodes.If) -> str | None:
        certain, self._certain = self._certain, False
        cases = [(one.test, one.body), *((inner.test, inner.body) for inner in one.elif_)]
        made = self._body(one.else_)
        for test, body in reversed(cases):
            asked, text = self.expression(test), self._body(body)
            if made is None or asked is None or text is None:
                return None
            made = f"({text} if {asked} else {made})"
        self._certain = certain
        return made

    def expression(self, node: nodes.Node | None) -> str | None:
        match node:
            case nodes.Filter(node=nodes.Expr() as inner, name=name, args=args) if (
                name in _FILTERS and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
            ):
                if not all(isinstance(one, nodes.Const) for one in args):
                    return None
                # Those of both environments do the same: locale and zone are one message's.
                self.given.setdefault(f"do_{name}", self._environment.bare[name])
                return self._once(f"do_{name}", [inner, *args])
            case nodes.Call(node=nodes.Name(name=name), args=args) if name in _FUNCTIONS and not (
                node.kwargs or node.dyn_args or node.dyn_kwargs
            ):
                return self._once(f"scope[{name!r}]", args)
            case nodes.Compare(expr=one, ops=[nodes.Operand(op=op, expr=other)]) if op in _COMPARED:
                return self._all(f"({{}} {_COMPARED[op]} {{}})", one, other)
            case nodes.CondExpr() | nodes.And() | nodes.Or():
                certain, self._certain = self._certain, False
                made = super().expression(node)
                self._certain = certain
                return made
            case _:
                return super().expression(node)

    def _once(self, function: str, args: Sequence[nodes.Node]) -> str | None:
        """A call, whose value is kept if it is certain to be computed here."""
        made = self._all(f"{function}({', '.join(['{}'] * len(args))})", *args)
        if made is not None and (not function.startswith("do_") or function[3:] in _AS_LONG):
            made = f"made({made})"
        if made is None or made in self._kept:
            return None if made is None else self._kept[made]
        if not self._certain:
            return made
        name = self._kept[made] = f"kept{len(self._kept)}"
        return f"({name} := {made})"

    def _made(self, value: Any) -> Any:
        if type(value) is str:
            self._work.charge(len(value))
        return value

    def _escaped(self, value: Any) -> str:
        if type(value) is not str:
            return _plain(value)
        made = str(escape(value))
        self._work.charge(len(made))
        return made


def _plain(value: Any) -> str:
    return str(value) if type(value) is int else left()
