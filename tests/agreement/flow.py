"""Generated steps that are neither waits for spans nor sends."""

from __future__ import annotations

from tests.agreement.expressions import LITERALS, Expressions, Names

PROFILE = (("p_text", "text"), ("p_int", "int"), ("p_money", "money"), ("p_at", "instant"))


class Flow(Expressions):
    """Draws texts of steps."""

    def assignment(self, names: Names, of: tuple[str, str] | None = None) -> str:
        """`set` of a profile value, often to what others compare it with."""
        name, kind = of or self.pick(PROFILE)
        if of is not None:
            return f"set {name} = {self.pick(LITERALS[kind])}"
        if self.chance(3):
            return f"set {name} = {self.pick(LITERALS[kind])}"
        return f"set {name} = {self.value(names, kind)}"
