"""How the codes of a module become its family."""

from collections.abc import Mapping

from journeylang.diagnostics.model import Code


def family(module: Mapping[str, object]) -> tuple[Code, ...]:
    """Every code among a module's constants, by id.

    A family takes its members by itself, so that a new code is one constant and nothing
    else. That no id and no name is used twice is watched by a test.
    """
    return tuple(
        sorted((value for value in module.values() if isinstance(value, Code)), key=lambda c: c.id)
    )
