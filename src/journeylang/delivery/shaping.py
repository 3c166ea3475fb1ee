"""Structures with templates in their leaves: what a request holds.

Leaves that just name a value are looked up (`leaves`); all others become one template that gives
each of them a name, so that a body costs one rendering at most. A leaf that is one expression keeps
the expression's type: a number stays a number. What is none is left out, and a table or list that
has nothing left because of it too.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, time
from decimal import Decimal
from typing import Any

from jinja2 import (
    ChainableUndefined,
    FunctionLoader,
    Template,
    TemplateRuntimeError,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
    meta,
    nodes,
)
from jinja2.exceptions import SecurityError
from markupsafe import Markup

from journeylang.classes import dataclass
from journeylang.delivery import hashing
from journeylang.delivery.json_text import Texts, Written
from journeylang.delivery.leaves import Code
from journeylang.delivery.sandbox import MessageEnvironment

_TAG = re.compile(r"\{[\{%#]")
_TOO_DEEP = 32


class ShapeError(ValueError):
    """A structure that is not understood: `path` is the leaf, the message one line."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"`{path}`: {message}" if path else message)
        self.path = path


class ShapeFailedError(ValueError):
    """A value that a leaf asks for is not there, or unfit; nothing of it is in the message."""


@dataclass(frozen=True, slots=True)
class _Slot:
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    path: str
    template: nodes.Template

    def quick(self, code: Code) -> str | None:
        """How it is read without a template, if it can be."""
        one = self.expression()
        if one is not None:
            return code.expression(one)
        match self.template.body:
            case [nodes.Output(nodes=parts)]:
                return code.text(parts)
            case _:
                return None

    def expression(self) -> nodes.Expr | None:
        """The one expression that the leaf is, if it is."""
        match self.template.body:
            case [nodes.Output(nodes=[nodes.Expr() as inner])] if not isinstance(
                inner, nodes.TemplateData
            ):
                return inner
            case _:
                return None


class Shape:
    """A structure, compiled.

    `lenient`: what is not there is none, and so is what is below it, as befits data of strangers.
    """

    def __init__(self, structure: Any, *, path: str = "", lenient: bool = False) -> None:
        """Raises ShapeError."""
        self.environment = ShapeEnvironment(lenient=lenient)
        self._leaves: list[_Leaf] = []
        self._structure = self._compiled(structure, path, 0)
        # Tables and lists in which nothing is to be filled, by identity.
        self._fixed = frozenset(_fixed(self._structure))
        self._template = self._together(self._leaves) if self._leaves else None
        self._names = [_name(n) for n in range(len(self._leaves))]
        code = Code()
        quick = [leaf.quick(code) for leaf in self._leaves]
        self._read = code.function(f"[{', '.join(str(one) for one in quick)}]")
        rest = [n for n, one in enumerate(quick) if one is None or self._read is None]
        self._rest = [(n, _name(place)) for place, n in enumerate(rest)]
        self._slow = self._together([self._leaves[n] for n in rest]) if rest else None
        self._texts = Texts(self._outline, _number)

    def names(self) -> Iterator[tuple[str, str, str | None]]:
        """(leaf, name, attribute) of every name that the leaves ask for."""
        for leaf in self._leaves:
            free = meta.find_undeclared_variables(leaf.template)
            bare = set(free)
            for node in leaf.template.find_all((nodes.Getattr, nodes.Getitem)):
                match node:
                    case nodes.Getattr(node=nodes.Name(name=name), attr=attribute):
                        pass
                    case nodes.Getitem(
                        node=nodes.Name(name=name), arg=nodes.Const(value=str() as attribute)
                    ):
                        pass
                    case _:
                        continue
                if name in free:
                    bare.discard(name)
                    yield leaf.path, name, attribute
            yield from ((leaf.path, name, None) for name in sorted(bare))

    def render(self, scope: Mapping[str, object]) -> Any:
        """The structure with values in it; `None` if nothing is left.

        Raises:
            ShapeFailedError: a value is missing or unfit.
        """
        if self._template is None:
            return self._structure
        filled = _filled(self._structure, self._values(scope), self._fixed)
        return None if filled is _NOTHING else filled

    def json(self, scope: Mapping[str, object]) -> bytes:
        """The same as JSON.

        Raises:
            ShapeFailedError: a value is missing or unfit.
        """
        if self._read is not None and self._slow is None:
            # What is raised is raised once more below, where it is looked at.
            with suppress(Exception):
                made = self._texts.of_texts(self._read(scope))
                if made is not None:
                    return made
        return self._texts.json(self._values(scope))

    def keeps(self, name: str) -> bool:
        """Whether the value of a name goes in as it is, wherever it is asked for."""
        asked = [
            leaf for leaf in self._leaves if name in meta.find_undeclared_variables(leaf.template)
        ]
        return all(isinstance(leaf.expression(), nodes.Name) for leaf in asked)

    def _values(self, scope: Mapping[str, object]) -> list[Any]:
        try:
            values: list[Any] = [None] * len(self._leaves)
            if self._read is not None:
                found = self._read(scope)
                values = [one if type(one) in _AS_IT_IS else _plain(one) for one in found]
            if self._slow is not None:
                slow = self._named(self._slow, scope)
                for number, name in self._rest:
                    values[number] = _plain(slow[name])
        except Exception:  # noqa: BLE001 - it is asked of the template of all, which says why
            return self._all(scope)
        return values

    def _all(self, scope: Mapping[str, object]) -> list[Any]:
        assert self._template is not None, "without leaves nothing is read"
        try:
            found = self._named(self._template, scope)
            return [_plain(found[name]) for name in self._names]
        except Exception as error:  # noqa: BLE001 - anything a template raises is the message's
            raise ShapeFailedError(self._where(scope, error)) from None

    def _named(self, template: Template, scope: Mapping[str, object]) -> Mapping[str, Any]:
        self.environment.begin("en", "UTC")
        context = template.new_context(dict(scope), shared=True)
        for _ in template.root_render_func(context):
            pass
        return context.vars

    def _outline(self, there: Sequence[bool]) -> Any:
        """The structure with its slots where a value is there."""
        slots = [_Slot(n) if one else None for n, one in enumerate(there)]
        filled = _filled(self._structure, slots, self._fixed)
        return None if filled is _NOTHING else filled

    def _where(self, scope: Mapping[str, object], error: Exception) -> str:
        """Which leaf it was: each is tried alone. Only what the manifest wrote is named."""
        for leaf in self._leaves:
            context = self._together([leaf]).new_context(dict(scope), shared=True)
            self.environment.begin("en", "UTC")
            try:
                for _ in self._together([leaf]).root_render_func(context):
                    pass
                _plain(context.vars[_name(0)])
            except Exception as own:  # noqa: BLE001
                return f"`{leaf.path}` {_kind(own)}"
        return _kind(error)

    def _compiled(self, part: Any, path: str, depth: int) -> Any:
        if depth > _TOO_DEEP:
            raise ShapeError(path, "nested too deep")
        match part:
            case dict():
                return {
                    name: self._compiled(inner, f"{path}.{name}" if path else name, depth + 1)
                    for name, inner in part.items()
                }
            case list():
                return [self._compiled(x, f"{path}.{n}", depth + 1) for n, x in enumerate(part)]
            case str() if _TAG.search(part):
                try:
                    tree = self.environment.parse(part)
                except TemplateSyntaxError as error:
                    raise ShapeError(path, f"not understood: {error.message}") from None
                for node in tree.find_all((nodes.Include, nodes.Extends, nodes.Import)):
                    raise ShapeError(path, f"`{type(node).__name__.lower()}` has no place here")
                self._leaves.append(_Leaf(path=path, template=tree))
                return _Slot(len(self._leaves) - 1)
            case str() | bool() | int() | float() | None:
                return part
            case _:
                raise ShapeError(path, f"a {type(part).__name__} has no place in a request")

    def _together(self, leaves: list[_Leaf]) -> Template:
        body: list[nodes.Node] = []
        for number, leaf in enumerate(leaves):
            target = nodes.Name(_name(number), "store", lineno=1)
            one = leaf.expression()
            if one is not None:
                body.append(nodes.Assign(target, one, lineno=1))
            else:
                body.append(nodes.AssignBlock(target, None, leaf.template.body, lineno=1))
        tree = nodes.Template(body, lineno=1)
        tree.set_environment(self.environment)
        try:
            return self.environment.from_string(tree)
        except TemplateSyntaxError as error:  # a filter or test that there is not
            for leaf in leaves if len(leaves) > 1 else ():
                self._together([leaf])
            raise ShapeError(leaves[0].path, f"not understood: {error.message}") from None


def _name(number: int) -> str:
    return f"leaf{number}"


class ShapeEnvironment(MessageEnvironment):
    """What a message's template may do, and what a request needs beyond it."""

    def __init__(self, *, lenient: bool) -> None:
        super().__init__(loader=FunctionLoader(lambda _: None), autoescape=False)
        if lenient:
            self.undefined = ChainableUndefined
        own: dict[str, Callable[..., Any]] = {
            "base64": _base64,
            "json": _json,
            "digits": _digits,
            "default": _default,
            "wrap": _wrap,
            "email_hash": lambda v, network="google": hashing.email_hash(_text(v), network),
            "phone_hash": lambda v, network="google": hashing.phone_hash(_text(v), network),
        }
        self.filters |= {name: self._charged(function) for name, function in own.items()}
        self.filters["d"] = self.filters["default"]


def _base64(text: Any) -> str:
    return base64.b64encode(_text(text).encode("utf-8", "replace")).decode()


def _digits(text: Any) -> str:
    """A telephone number as some want it: without `+` and blanks."""
    return re.sub(r"\D", "", _text(text))


def _json(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _wrap(values: Any, name: str, beside: Any = None) -> list[dict[str, Any]]:
    """Each value of a list under a name, with what stands beside it: `[{type, text}, …]`."""
    return [{**(beside or {}), name: value} for value in values]


def _default(value: Any, otherwise: Any = None) -> Any:
    """What is missing or none gives way."""
    return otherwise if isinstance(value, Undefined) or value is None else value


def _text(value: Any) -> str:
    if isinstance(value, Undefined):
        return str(value)  # says what is missing
    if not isinstance(value, str | int | float | Decimal):
        raise TypeError("no text")
    return str(value)


_AS_IT_IS = frozenset({str, int, bool, type(None)})


def _plain(value: Any) -> Any:
    """What JSON has: Markup and decimals become text and numbers."""
    match value:
        case None | bool() | int() | float() | Written():
            return value
        case Markup():
            return str(value)
        case str():
            return value
        case ChainableUndefined():
            return None
        case Undefined():
            return str(value)  # raises, and says which
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {str(name): _plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case date() | time():
            return value.isoformat()
        case _:
            raise TypeError(f"a {type(value).__name__} has no place in a request")


def _number(part: Any) -> int | None:
    return part.number if type(part) is _Slot else None


class _Nothing:
    pass


_NOTHING = _Nothing()


def _filled(part: Any, values: list[Any], fixed: frozenset[int]) -> Any:
    kind = type(part)
    if kind is _Slot:
        value = values[part.number]
        return _NOTHING if value is None else value
    if kind is dict and id(part) not in fixed:
        table = {
            name: value
            for name, inner in part.items()
            if (value := _filled(inner, values, fixed)) is not _NOTHING
        }
        return _NOTHING if part and not table else table
    if kind is list and id(part) not in fixed:
        items = [v for inner in part if (v := _filled(inner, values, fixed)) is not _NOTHING]
        return _NOTHING if part and not items else items
    return part


def _fixed(part: Any) -> Iterator[int]:
    """Of the structure and what is below it."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    below = [one for one in inner if isinstance(one, dict | list)]
    fixed = {number for one in below for number in _fixed(one)}
    yield from fixed
    slots = any(isinstance(one, _Slot) for one in inner)
    if isinstance(part, dict | list) and not slots and all(id(one) in fixed for one in below):
        yield id(part)


def _kind(error: Exception) -> str:
    match error:
        case SecurityError():
            return "asks for more than there may be"
        case UndefinedError():
            return "asks for what is not there"
        case TemplateRuntimeError() | TypeError() | ValueError():
            return "cannot be computed"
        case _:
            return f"cannot be computed ({type(error).__name__})"
