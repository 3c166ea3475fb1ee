"""The text that a template makes at least, whatever is put into it.

A lower bound: of the ways through an `if` the shortest counts, a loop may run no time at all,
a value may be empty, and blanks in a row are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from journeylang.classes import dataclass
from journeylang.source import Source

if TYPE_CHECKING:
    from jinja2 import nodes as jinja

_BLANKS = re.compile(r"\s+")
_DEEPEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastText:
    """``text`` is as short as a message gets; ``certain`` is what stands in each of them."""

    text: str
    certain: str


def least_text(body: str, parts: Mapping[str, Source]) -> LeastText | None:
    """Of a template's body; ``parts`` are those it may include, by path below `templates/`.

    None where it cannot be told: it inherits, or it is no template.
    """
    from jinja2 import Environment, TemplateError
    from jinja2 import nodes as jinja

    if "{" not in body:
        plain = _BLANKS.sub(" ", body).strip()
        return LeastText(text=plain, certain=plain)
    environment = Environment(autoescape=True, keep_trailing_newline=True)
    environment.filters = _Any(environment.filters)
    environment.tests = _Any(environment.tests)
    try:
        tree = environment.parse(body)
        if tree.find(jinja.Extends) is not None:
            return None
        text = _least(tree.body, environment, parts, 0)
        certain = "".join(d.data for d in _certain(tree.body))
    except (TemplateError, RecursionError):
        return None
    return LeastText(text=_BLANKS.sub(" ", text).strip(), certain=certain)


class _Any(dict):  # type: ignore[type-arg]
    """Answers for every name: which filters there are is looked at elsewhere."""

    def __contains__(self, name: object) -> bool:
        return True


def _certain(body: Iterable[jinja.Node]) -> Iterable[jinja.TemplateData]:
    from jinja2 import nodes as jinja

    for node in body:
        if isinstance(node, jinja.Output):
            yield from (part for part in node.nodes if isinstance(part, jinja.TemplateData))


def _least(
    body: Iterable[jinja.Node],
    environment: object,
    parts: Mapping[str, Source],
    depth: int,
) -> str:
    from jinja2 import Environment
    from jinja2 import nodes as jinja

    assert isinstance(environment, Environment)
    made: list[str] = []
    for node in body:
        match node:
            case jinja.Output():
                made += [part.data for part in node.nodes if isinstance(part, jinja.TemplateData)]
            case jinja.If():
                ways = [node.body, *(way.body for way in node.elif_), node.else_]
                made.append(min((_least(w, environment, parts, depth) for w in ways), key=len))
            case jinja.With() | jinja.Scope() | jinja.ScopedEvalContextModifier() | jinja.Block():
                made.append(_least(node.body, environment, parts, depth))
            case jinja.Include(template=jinja.Const(value=str() as name)):
                part = parts.get(name)
                if part is not None and depth < _DEEPEST and not node.ignore_missing:
                    tree = environment.parse(part.text)
                    made.append(_least(tree.body, environment, parts, depth + 1))
            case _:
                pass
    return "".join(made)
