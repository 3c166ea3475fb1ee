"""The mutants are where they say; `python -m tests.mutation` asks whether tests notice them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.file}: {m.whole}")
def test_its_text_is_there_once(mutant: Mutant) -> None:
    text = (ROOT / "src" / "journeylang" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.whole) == 1
    assert mutant.whole != mutant.broken
    assert all((ROOT / test).exists() for test in mutant.tests)
