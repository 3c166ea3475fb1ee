"""The public face: load a project, compile it, run it.

    loading = load(Path("."), "dev")
    opened = Runtime.open(loading.outcome.value, "dev", now=now)
    with opened.value as runtime:
        runtime.tick(now)
        runtime.deliver(now)

Time is always given; nothing here reads a clock.
"""

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
