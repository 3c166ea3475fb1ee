"""An example as a reader meets it: a copy of its folder, and the commands of its README."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A copy of an example's project, in which commands are run."""

    root: Path

    @classmethod
    def copy(cls, name: str, to: Path) -> Example:
        root = to / name
        shutil.copytree(EXAMPLES / name, root)
        return cls(root=root)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        )

    def journey(self, *arguments: str) -> str:
        """What the command says; it must end well."""
        done = self.python("-m", "journeylang", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
