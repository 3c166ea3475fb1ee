"""All that a check looks at, as one key: nothing changed, nothing to be found anew."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from journeylang import __version__, resources
from journeylang.classes import dataclass
from journeylang.loading.files import below
from journeylang.loading.find import CONFIG

_LISTS = re.compile(rb'\blist\s+"([^"\n]+)"')
_LARGE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """``key`` changes with every byte, name and version; ``data`` are the bytes of the texts."""

    key: str
    data: Mapping[str, bytes]


def inputs(root: Path) -> Inputs | None:
    """Settings, journeys, templates and the lists that they name.

    None where something cannot be read: then nothing is remembered, for it is told by what it is.
    """
    journeys = below(root, "journeys", ".journey")
    templates = below(root, "templates")
    if journeys.diagnostics or templates.diagnostics:
        return None
    digest = hashlib.sha256(_tool().encode())
    data: dict[str, bytes] = {}
    lists: set[str] = set()
    try:
        for path in (CONFIG, *(journeys.value or ()), *(templates.value or ())):
            data[path] = content = (root / path).read_bytes()
            _add(digest, path, content)
            if path.endswith(".journey"):
                lists.update(name.decode("utf-8", "replace") for name in _LISTS.findall(content))
        for name in sorted(lists):
            _add(digest, name, _of_list(root / name))
    except (OSError, ValueError):
        return None
    return Inputs(key=digest.hexdigest(), data=data)


def _add(digest: hashlib._Hash, path: str, content: bytes) -> None:
    digest.update(f"{path}\0{len(content)}\0".encode())
    digest.update(content)


def _of_list(file: Path) -> bytes:
    """A list may be large: then its size and time stand for it."""
    if not file.is_file():
        return b"-"
    status = file.stat()
    if status.st_size > _LARGE:
        return f"{status.st_size} {status.st_mtime_ns}".encode()
    return file.read_bytes()


def _tool() -> str:
    """This version, and in a checkout the state of its files: rules are written there."""
    package = Path(__file__).parent.parent
    newest = count = 0
    for folder in (package, resources.grammar()):
        for place, _, files in os.walk(folder):
            for name in files:
                if name.endswith((".py", ".lark")):
                    count += 1
                    newest = max(newest, Path(place, name).stat().st_mtime_ns)
    return f"{__version__} {count} {newest}"
