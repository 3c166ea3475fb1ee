"""The names of time zones, from the very database that the ticks use."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def zone_names() -> frozenset[str]:
    """All names of the IANA database, as the `tzdata` package lists them."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())
