"""Files of a sixteenth of the largest size, each of one kind of thing: an answer, and soon.

What they take at full size is measured by `tests/benchmarks/test_large_files.py`.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from journeylang.cli.check import MOST_SHOWN
from journeylang.diagnostics.render import render_text
from journeylang.loading.checking import check
from tests.benchmarks.large import SHAPES, text

PROJECT = Path(__file__).parent.parent / "benchmarks" / "shop"


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_a_large_file_is_checked_soon(name: str, tmp_path: Path) -> None:
    root = tmp_path / "shop"
    shutil.copytree(PROJECT, root)
    written = text(name, 64 * 1024)
    (root / "journeys" / "large.journey").write_text(written, encoding="utf-8")
    began = time.process_time()
    checking = check(root)
    assert checking.checked == 3
    render_text(checking.diagnostics[:MOST_SHOWN], checking.sources)
    # A quarter of a second alone on a machine; what grows by the square takes many.
    assert time.process_time() - began < 5
