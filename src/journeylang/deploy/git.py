"""A project as it was at a revision of its version control."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath


class RefError(Exception):
    """The revision, or the version control itself, is not there; the message says which."""


@contextmanager
def checked_out(root: Path, ref: str) -> Iterator[Path]:
    """A folder with the project's files as they were then, for as long as it is needed.

    Raises:
        RefError: there is no such revision, or no version control.
    """
    archive = _archive(root, ref)
    with tempfile.TemporaryDirectory(prefix="journey-") as made:
        place = Path(made)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                file = tar.extractfile(member) if member.isfile() else None
                if file is None or path.is_absolute() or ".." in path.parts:
                    continue
                target = place / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read())
        yield place


def _archive(root: Path, ref: str) -> bytes:
    # What begins with a hyphen would be taken for an option.
    if ref.startswith("-"):
        raise RefError(f"`{ref}` is no revision")
    command = ["git", "-C", str(root), "archive", "--format=tar", ref, "."]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    except FileNotFoundError:
        raise RefError("there is no `git` to ask for it") from None
    except subprocess.TimeoutExpired:
        raise RefError("`git` does not answer") from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RefError(words[-1].removeprefix("fatal: ") if words else f"`{ref}` is no revision")
    return done.stdout
