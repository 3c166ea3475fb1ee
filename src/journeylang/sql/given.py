"""What `with` gives, as members of the JSON that is stored with a message."""

from __future__ import annotations

from journeylang.model.journey import Several, Value
from journeylang.sql.expressions import Scope, value


def given_value(given: Value, scope: Scope) -> str:
    """SQL of one member."""
    if isinstance(given, Several):
        return scope.dialect.json_array(value(item, scope) for item in given.items)
    return value(given, scope)


def of_channel(channel: str, name: str) -> str:
    """The member of a value that one channel of several has for itself; no name has a dot."""
    return f"{channel}.{name}"
