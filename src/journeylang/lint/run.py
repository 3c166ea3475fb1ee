"""Asking the rules."""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.diagnostics.model import Diagnostic, in_order
from journeylang.lint.rule import Checked, Rule


def lint(checked: Checked, rules: Sequence[Rule]) -> tuple[Diagnostic, ...]:
    """What the rules find, in order; of two findings of one code at one place the first."""
    found: dict[object, Diagnostic] = {}
    for rule in rules:
        for diagnostic in rule.find(checked):
            assert diagnostic.code is rule.code, f"{rule.code.id} tells {diagnostic.code.id}"
            key = (diagnostic.code.id, diagnostic.span, diagnostic.span or diagnostic.message)
            found.setdefault(key, diagnostic)
    return in_order(list(found.values()))
