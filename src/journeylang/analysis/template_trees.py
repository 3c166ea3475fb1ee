"""Templates as trees: nothing is rendered, and nothing of Jinja is asked what it may do."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment() -> Environment:
    from jinja2 import pass_context
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    # Nothing is rendered here: escaping does not matter to a tree.
    made = ImmutableSandboxedEnvironment(autoescape=True)
    # Jinja computes what is constant while it looks at a tree, `"x" * 10 ** 9` too. It leaves
    # alone what is intercepted, and filters that ask for the context.
    made.intercepted_binops = frozenset(made.default_binop_table)
    # Jinja stops at the first unknown filter or test; here all of them are told.
    made.filters = _Lenient(dict.fromkeys(made.filters, pass_context(_never)))
    made.tests = _Lenient(made.tests)
    return made


def _never(*_: object) -> str:
    raise AssertionError("no template is rendered here")


class _Lenient(dict[str, Any]):
    """Answers for every name; says truthfully which ones it has."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name, default or str)
