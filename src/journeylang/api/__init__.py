"""The public face: load a project, compile it, run it.

    loading = load(Path("."), "dev")
    opened = Runtime.open(loading.outcome.value, "dev", now=now)
    with opened.value as runtime:
        runtime.tick(now)
        runtime.deliver(now)

Time is always given; nothing here reads a clock. Each name is imported when it is asked for: who
opens a database needs no runtime.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from journeylang.api.database import open_database
    from journeylang.api.program import compile_program
    from journeylang.api.runtime import Runtime
    from journeylang.loading.find import find_project
    from journeylang.loading.project import LoadedProject, Loading, load

__all__ = [
    "LoadedProject",
    "Loading",
    "Runtime",
    "compile_program",
    "find_project",
    "load",
    "open_database",
]

_PLACES = {
    "LoadedProject": "journeylang.loading.project",
    "Loading": "journeylang.loading.project",
    "Runtime": "journeylang.api.runtime",
    "compile_program": "journeylang.api.program",
    "find_project": "journeylang.loading.find",
    "load": "journeylang.loading.project",
    "open_database": "journeylang.api.database",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
