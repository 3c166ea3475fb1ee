"""Where a project is: the nearest folder upwards with a ``journey.toml``."""

from __future__ import annotations

from pathlib import Path

CONFIG = "journey.toml"


def find_project(start: Path) -> Path | None:
    """The root of the project that ``start`` is in, a folder or file; None without one."""
    start = start.absolute()
    for folder in (start, *start.parents):
        # A folder of that name is no settings file, but the project is meant to be here.
        if (folder / CONFIG).exists():
            return folder
    return None
