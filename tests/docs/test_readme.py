"""What the README shows without a command that makes it."""

from __future__ import annotations

import shutil
from pathlib import Path

from journeylang import resources
from journeylang.diagnostics.render import render_text
from journeylang.loading.project import load
from tests.docs.fences import ROOT, fences

README = ROOT / "README.md"


def fence(language: str, word: str) -> str:
    return next(f.text for f in fences(README) if f.language == language and word in f.text)


def test_the_mistake_is_told_as_shown(tmp_path: Path) -> None:
    (tmp_path / "journeys").mkdir()
    for file in resources.journeys().glob("*.journey"):
        shutil.copy(file, tmp_path / "journeys")
    shutil.copy(resources.journeys() / "journey.toml", tmp_path)
    shutil.copytree(resources.journeys() / "templates", tmp_path / "templates")
    text = fence("journey", "journey cart")
    wrong = text.replace("exists(order_placed", "exists(order_palced")
    (tmp_path / "journeys" / "cart.journey").write_text(wrong, encoding="utf-8")
    loading = load(tmp_path)
    assert render_text(loading.diagnostics, loading.sources) + "\n" == fence("text", "error[")


def test_the_journey_is_the_demos() -> None:
    written = (resources.journeys() / "cart.journey").read_text(encoding="utf-8")
    # Its tests stand behind it.
    assert fence("journey", "journey cart") == written.partition("\ntest ")[0]
