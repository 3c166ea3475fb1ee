"""Walking through trees, of syntax and of the model alike: all that is below a node.

Whoever asks whether something occurs anywhere needs no word on each kind of node, and does not
overlook a kind that is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum, auto
from operator import attrgetter
from typing import Final, TypeAlias, TypeVar

from journeylang.source import Span

N = TypeVar("N")


class _Kind(Enum):
    """What is no node with parts: texts and places; tuples; what is by name; nodes without."""

    NOTHING = auto()
    SEVERAL = auto()
    NAMED = auto()
    LEAF = auto()


_Parts: TypeAlias = "_Kind | Callable[[object], Iterable[object]]"

_NO_NODES = frozenset({"str", "int", "bool", "str | None", "int | None", "bool | None"})
"""Types of fields in which there is no node. Those are not looked at: most fields are such."""


def _learnt(kind: type) -> _Parts:
    """What gives the values of a node's fields, the last one first."""
    if issubclass(kind, Mapping):
        return _Kind.NAMED
    if issubclass(kind, tuple | list) and not issubclass(kind, Span):
        return _Kind.SEVERAL
    if not is_dataclass(kind):
        return _Kind.NOTHING
    names = [
        f.name
        for f in fields(kind)
        if not f.name.endswith("span") and _spelled(f.type) not in _NO_NODES
    ]
    if not names:
        return _Kind.LEAF
    got = attrgetter(*reversed(names))
    return got if len(names) > 1 else lambda node: (got(node),)


def _spelled(type_: object) -> str:
    return type_.__name__ if isinstance(type_, type) else str(type_)


_KNOWN: Final[dict[type, _Parts]] = {}
"""By type, and so bounded by the types there are."""


def below(root: object) -> Iterator[object]:
    """The node and every node below it, in the order written; the root may be a tuple of nodes."""
    waiting: list[object] = [root]
    pop, extend, known = waiting.pop, waiting.extend, _KNOWN
    nothing, several, named, leaf = _Kind
    while waiting:
        node = pop()
        kind = node.__class__
        parts = known.get(kind)
        if parts is nothing:
            continue
        if parts is several:
            extend(node[::-1])  # type: ignore[index]
        elif parts is named:
            extend(tuple(node.values())[::-1])  # type: ignore[attr-defined]
        elif parts is None:
            known[kind] = _learnt(kind)
            waiting.append(node)
        else:
            yield node
            if parts is not leaf:
                extend(parts(node))  # type: ignore[operator]


def all_of(root: object, kind: type[N]) -> Iterator[N]:
    """Every node of a kind at or below another one."""
    return (node for node in below(root) if isinstance(node, kind))
