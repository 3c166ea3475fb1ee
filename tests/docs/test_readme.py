"""What the README shows without a command that makes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("file", "word"), [("cart", "journey cart"), ("policy", "policy standard")]
)
def test_the_journeys_are_the_demos(file: str, word: str) -> None:
    written = (resources.journeys() / f"{file}.journey").read_text(encoding="utf-8")
    assert fence("journey", f"{word} ").removeprefix("language 1\n\n") in written
