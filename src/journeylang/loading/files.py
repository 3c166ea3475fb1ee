"""Reading: the files of a project as sources, and what cannot be read as diagnostics."""

from __future__ import annotations

import os
from pathlib import Path

from journeylang.diagnostics.codes.running import FILE_UNREADABLE
from journeylang.diagnostics.decode import decode
from journeylang.diagnostics.model import Diagnostic, Outcome
from journeylang.source import Source


def read(root: Path, path: str) -> Outcome[Source]:
    """The file at ``path`` (with ``/``, below ``root``), shown under that path."""
    file = root / path
    try:
        data = file.read_bytes()
    except OSError as error:
        return Outcome(value=None, diagnostics=(unreadable(file, path, error),))
    return decode(path, data)


def unreadable(file: Path, path: str, error: OSError) -> Diagnostic:
    """What keeps a file from being read, in the words of somebody who looks at it."""
    if file.is_dir():
        message, advice = f"`{path}` is a folder", "rename it, or put a file in its place"
    elif file.is_symlink() and not file.exists():
        target = file.readlink()
        message = f"`{path}` is a link to `{target}`, which is not there"
        advice = "remove the link, or put its target back"
    else:
        reason = (error.strerror or type(error).__name__).lower()
        message, advice = f"`{path}` cannot be read: {reason}", "check its permissions"
    return Diagnostic(code=FILE_UNREADABLE, message=message, help=advice)


def below(root: Path, folder: str, suffix: str = "") -> Outcome[list[str]]:
    """Paths of all entries below ``root/folder`` that end in ``suffix``, in order.

    Links to folders are followed, each folder once; hidden entries are left out. A folder that
    ends in the suffix is an entry too, for reading it to say so; without a suffix it is not.
    """
    found: list[str] = []
    problems: list[Diagnostic] = []
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(root / here) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(unreadable_folder(here, error))
            continue
        for entry in inside:
            if entry.name.startswith("."):
                continue
            path = f"{here}/{entry.name}"
            if suffix and entry.name.endswith(suffix):
                found.append(path)
            elif _is_folder(entry):
                known = entry.stat()
                if (known.st_dev, known.st_ino) not in seen:
                    seen.add((known.st_dev, known.st_ino))
                    waiting.append(path)
            elif not suffix:
                found.append(path)
    return Outcome(value=sorted(found), diagnostics=tuple(problems))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link in a circle is no folder.
        return False


def unreadable_folder(path: str, error: OSError) -> Diagnostic:
    reason = (error.strerror or type(error).__name__).lower()
    return Diagnostic(
        code=FILE_UNREADABLE,
        message=f"the folder `{path}` cannot be read: {reason}",
        help="check its permissions",
    )
