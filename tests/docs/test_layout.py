"""Every journey that people are shown stands in the one layout."""

from __future__ import annotations

from pathlib import Path

import pytest

from journeylang import resources
from journeylang.source import Source
from journeylang.syntax.format import format_source
from tests.docs.fences import ROOT, Fence, fences, pages

FILES = sorted(
    path
    for folder in (resources.journeys(), ROOT / "docs", ROOT / "src")
    for path in Path(folder).rglob("*.journey")
)
FENCES = [f for page in pages() for f in fences(page) if f.language == "journey"]


def formatted(text: str) -> str | None:
    return format_source(Source(path="a.journey", text=text)).value


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize("fence", FENCES, ids=lambda fence: fence.name)
def test_fences(fence: Fence) -> None:
    assert formatted(fence.text) == fence.text
