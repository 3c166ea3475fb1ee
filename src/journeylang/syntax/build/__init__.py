"""From completed rules of the grammar to typed nodes, bottom up, while the text is parsed.

For each rule there is one function, of its name: it is given the builder, the place of the
whole, and the parts. A test compares the two lists.
"""

from collections.abc import Callable
from types import ModuleType

from journeylang.syntax.build import expressions, journeys, literals, policies, sends, trials
from journeylang.syntax.build.context import Builder
from journeylang.syntax.build.plain import PLAIN, maker

__all__ = ["ACTIONS", "Builder"]


def _functions(module: ModuleType) -> dict[str, Callable[..., object]]:
    return {
        name: thing
        for name, thing in vars(module).items()
        if callable(thing) and not isinstance(thing, type) and thing.__module__ == module.__name__
        if not name.startswith("_")
    }


ACTIONS: dict[str, Callable[..., object]] = {
    **{rule: maker(node, fields) for rule, (node, fields) in PLAIN.items()},
    **_functions(expressions),
    **_functions(literals),
    **_functions(policies),
    **_functions(journeys),
    **_functions(sends),
    **_functions(trials),
}
