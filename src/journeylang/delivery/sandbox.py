"""Jinja2, bounded: what a template may touch, and how much work it may do.

Jinja2's sandbox keeps a template from Python's internals, not from `"x" * 10 ** 9` or
from loops in loops. Here every construct that can make something large is charged to a
budget (`Work`) before or as it does so: turns of loops, calls, what filters return, what is
printed, literals that hold others. The bound is a count, not a clock, so that a message
fails on every machine or on none. What is left cannot grow faster than the template is
long.

To do that the tree is rewritten when a template is compiled (`_charge`): the filters with a
space in their name are ours and cannot be written in a template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, time
from decimal import Decimal
from itertools import islice
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, Undefined, UndefinedError, nodes, pass_context
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.runtime import BlockReference, Context, LoopContext, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from journeylang.delivery import filters

BUDGET = 4 * 1024 * 1024
"""Units of work for one message: a character made, a turn of a loop, an element of a list."""

MAX_OUTPUT = 1024 * 1024
"""Characters of one rendered part."""

# What these cost in time, against a character: a budget is spent in a few seconds at most.
_TURN, _CALL, _FILTER = 2, 16, 4
_MAX_INTEGER_BITS = 4096
_INCLUDE_COST = 4096


class TooMuchWorkError(SecurityError):
    """The template asks for more than one message may cost."""


class Unknown(StrictUndefined):
    """A value that the data does not have: false, equal to nothing, and never printed.

    `| default(…)` and `is defined` see it as they see a missing name.
    """

    __slots__ = ()

    def _no(self, *_: object) -> bool:
        return False

    def _yes(self, *_: object) -> bool:
        return True

    __bool__ = __eq__ = __lt__ = __le__ = __gt__ = __ge__ = _no  # type: ignore[assignment]
    __ne__ = _yes  # type: ignore[assignment]


class Work:
    """What is left of one message's budget."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = BUDGET

    def charge(self, units: int) -> None:
        self.left -= units
        if self.left < 0:
            raise TooMuchWorkError("the template asks for more work than one message may cost")


_TEXT_METHODS = frozenset(
    [
        "capitalize",
        "endswith",
        "isdigit",
        "lower",
        "lstrip",
        "removeprefix",
        "removesuffix",
        "rstrip",
        "split",
        "startswith",
        "strip",
        "title",
        "upper",
    ]
)
_DICT_METHODS = frozenset({"get", "items", "keys", "values"})
_DATE_PARTS = frozenset(
    [
        "day",
        "hour",
        "isoformat",
        "isoweekday",
        "microsecond",
        "minute",
        "month",
        "second",
        "weekday",
        "year",
    ]
)
_LOOP_PARTS = frozenset(
    [
        "cycle",
        "changed",
        "depth",
        "depth0",
        "first",
        "index",
        "index0",
        "last",
        "length",
        "nextitem",
        "previtem",
        "revindex",
        "revindex0",
    ]
)
_PRINTABLE = (int, float, Decimal, date, time, Undefined, TemplateModule)


class MessageEnvironment(ImmutableSandboxedEnvironment):
    """One environment per kind of escaping; one message at a time."""

    intercepted_binops = frozenset({"+", "*", "%", "**", "//", "/", "-"})

    def __init__(self, *, loader: BaseLoader, autoescape: bool) -> None:
        super().__init__(
            loader=loader,
            autoescape=autoescape,
            undefined=StrictUndefined,
            finalize=self._printed,
            keep_trailing_newline=True,
            auto_reload=False,
            cache_size=-1,
        )
        self.work = Work()
        self.locale = ""
        self.zone = ""
        self.globals = {"range": self._range}
        own: dict[str, Callable[..., Any]] = {
            "money": lambda v, currency=None: filters.money(v, currency, self.locale),
            "date": lambda v, style="medium": filters.day(v, style, self.locale, self.zone),
            "number": lambda v, digits=None: filters.number(v, digits, self.locale),
            " turns": self._turns,
            " sized": self._sized,
            " plain": self._printed,
        }
        self.bare = filters.ALLOWED | own
        self.filters = {name: self._charged(function) for name, function in self.bare.items()}

    def begin(self, locale: str, zone: str) -> None:
        """The next message: whose locale and zone, and a fresh budget."""
        self.locale, self.zone = locale, zone
        self.work.left = BUDGET

    # -- what a template may touch

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Members before methods: a field called `items` is the field."""
        kind = type(obj)
        if kind is dict:
            try:
                return obj[argument]
            except (KeyError, TypeError):
                allowed = _DICT_METHODS
        elif kind is str or kind is Markup:
            allowed = _TEXT_METHODS
        elif isinstance(obj, LoopContext):
            allowed = _LOOP_PARTS
        elif isinstance(obj, (date, time)):
            allowed = _DATE_PARTS
        elif isinstance(obj, (Undefined, TemplateReference, BlockReference)):
            return super().getitem(obj, argument)
        elif kind is TemplateModule:
            return super().getattr(obj, argument)
        else:
            allowed = frozenset()
        if isinstance(argument, str):
            if argument in allowed:
                return getattr(obj, argument)
        elif isinstance(argument, (int, slice)) and isinstance(obj, (list, tuple, str)):
            try:
                return obj[argument]
            except IndexError:
                pass
        return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:
        return True  # whatever `getitem` hands out may be called

    # -- what it may cost

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _charge(tree)
        return tree

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        for argument in (*args, *kwargs.values()):
            if type(argument) in _CONTAINERS:
                self._sized(argument)
        self.work.charge(_CALL)
        return self._sized(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if isinstance(left, Undefined) or isinstance(right, Undefined):
            return super().call_binop(context, operator, left, right)
        if not (isinstance(left, _NUMBERS) and isinstance(right, _NUMBERS)):
            if operator == "+" and type(left) is type(right) and type(left) in (str, list, Markup):
                return self._sized(left + right)
            if operator not in {"+", "-"} or isinstance(left, str) or isinstance(right, str):
                raise TypeError(f"`{operator}` is for numbers")
        if operator == "**":
            raise SecurityError("`**` is not available in templates")
        # Prices are exact and statistics are not: where they meet, the result is exact.
        if isinstance(left, Decimal) and isinstance(right, float):
            right = Decimal(repr(right))
        elif isinstance(left, float) and isinstance(right, Decimal):
            left = Decimal(repr(left))
        result = self.binop_table[operator](left, right)
        if isinstance(result, int) and result.bit_length() > _MAX_INTEGER_BITS:
            raise TooMuchWorkError("a number of more than a thousand digits")
        return result

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        self.work.charge(len(numbers))
        return numbers

    def _turns(self, iterable: Any, cost: int) -> Any:
        """The iterable of a loop, its turns paid for beforehand."""
        if isinstance(iterable, Undefined):
            return iterable
        if not hasattr(iterable, "__len__"):
            iterable = list(islice(iterable, self.work.left + 1))
        self.work.charge(len(iterable) * cost)
        return iterable

    def _sized(self, value: Any) -> Any:
        """`value`, charged by what it holds; what holds itself many times counts each time."""
        kind = type(value)
        if kind is str or kind is Markup:
            self.work.charge(len(value))
        elif kind in _CONTAINERS:
            self._weigh(value)
        return value

    def _weigh(self, value: Any) -> None:
        pending: list[Iterable[Any]] = [(value,)]
        while pending:
            for item in pending.pop():
                kind = type(item)
                if kind is str or kind is Markup:
                    self.work.charge(len(item))
                elif kind is dict:
                    self.work.charge(len(item) + 1)
                    pending.append(item.values())
                elif kind in _CONTAINERS:
                    self.work.charge(len(item) + 1)
                    pending.append(item)

    def _printed(self, value: Any) -> Any:
        """The last station of `{{ … }}`: values, not structures."""
        kind = type(value)
        if kind is str or kind is Markup:
            self.work.charge(len(value))
            return value
        if isinstance(value, _PRINTABLE):
            return value
        if value is None:
            raise TypeError("there is no value to print")
        raise TypeError("a list or structure cannot be printed")

    def _charged(self, function: Callable[..., Any]) -> Callable[..., Any]:
        asks_for = getattr(getattr(function, "jinja_pass_arg", None), "name", None)

        work = self.work

        # What asks for the context is never computed beforehand, when a template is
        # compiled: then neither the locale nor the budget would be that of a message.
        @pass_context
        def wrapped(context: Context, /, *args: Any, **kwargs: Any) -> Any:
            work.charge(_FILTER)
            if asks_for is None:
                result = function(*args, **kwargs)
            elif asks_for == "context":
                result = function(context, *args, **kwargs)
            elif asks_for == "eval_context":
                result = function(context.eval_ctx, *args, **kwargs)
            else:
                result = function(self, *args, **kwargs)
            if type(result) is str:
                work.charge(len(result))
                return result
            return self._sized(result)

        return wrapped


_NUMBERS = (int, float, Decimal)
_CONTAINERS = frozenset({list, tuple, dict})


def _charge(tree: nodes.Template) -> None:
    """Put the counting filters around loops, literals, concatenations and buffers."""
    for loop in list(tree.find_all(nodes.For)):
        constant = sum(len(data.data) for data in loop.find_all(nodes.TemplateData))
        includes = sum(_INCLUDE_COST for _ in loop.find_all(nodes.Include))
        loop.iter = _filter(loop.iter, " turns", nodes.Const(_TURN + constant + includes))
    for block in tree.find_all((nodes.AssignBlock, nodes.FilterBlock)):
        assert isinstance(block, (nodes.AssignBlock, nodes.FilterBlock))
        block.filter = _filter(block.filter, " sized")
    _charge_expressions(tree)


def _charge_expressions(node: nodes.Node) -> None:
    for name, child in node.iter_fields():
        if isinstance(child, list):
            for n, item in enumerate(child):
                if isinstance(item, nodes.Node):
                    _charge_expressions(item)
                    child[n] = _charged_expression(node, item)
        elif isinstance(child, nodes.Node):
            _charge_expressions(child)
            setattr(node, name, _charged_expression(node, child))


def _charged_expression(parent: nodes.Node, node: nodes.Node) -> nodes.Node:
    match node:
        case nodes.Concat():
            node.nodes = [_filter(part, " plain") for part in node.nodes]
            return _filter(node, " sized")
        case nodes.List() | nodes.Dict():
            return node if node.find(nodes.Name) is None else _filter(node, " sized")
        case nodes.Tuple() if node.ctx == "load" and not isinstance(parent, nodes.For):
            return node if node.find(nodes.Name) is None else _filter(node, " sized")
        case _:
            return node


def _filter(node: nodes.Node | None, name: str, *args: nodes.Expr) -> nodes.Filter:
    line = node.lineno if node is not None else 1
    made = nodes.Filter(node, name, list(args), [], None, None, lineno=line)
    if node is not None:
        made.environment = node.environment
    return made


class UnknownValueError(UndefinedError):
    """Something unknown was printed or computed with; the message names it."""


def unknown(path: str) -> Unknown:
    """The unknown value of `customer.x`, which names itself when it is printed all the same."""
    return Unknown(hint=f"`{path}` is unknown and has no `| default(…)`", exc=UnknownValueError)
