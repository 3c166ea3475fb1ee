"""How a project's texts come in: from its folder, or from an editor that has changed them."""

from __future__ import annotations

from pathlib import Path

from journeylang.diagnostics.model import Outcome
from journeylang.loading.files import read
from journeylang.source import Source
from journeylang.syntax.nodes import File
from journeylang.syntax.parse import parse


class Reading:
    """Each text from its file, each tree from its text."""

    def read(self, root: Path, path: str) -> Outcome[Source]:
        """The text at ``path`` below ``root``, and what keeps it from being read."""
        return read(root, path)

    def parse(self, source: Source) -> Outcome[File]:
        return parse(source)
