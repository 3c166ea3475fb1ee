"""Writing files that others read: the whole of a new text, or the whole of the old one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def put_in_place(file: Path, data: bytes) -> None:
    """Put ``data`` in the place of a file's content, at once.

    A link stays one, and what it points to is replaced. Permissions stay. After an OSError the
    file is as it was.
    """
    target = file.resolve(strict=True)
    mode = target.stat().st_mode
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        aside = Path(name)
        aside.chmod(mode & 0o7777)
        aside.replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
