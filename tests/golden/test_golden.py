"""One input, every stage of the compiler, one file: ``<case>.journey`` and ``<case>.golden``.

A golden file has one section for each stage, headed ``=== name``. After a change that is meant,
``JOURNEY_UPDATE_GOLDEN=1 pytest tests/golden`` writes them anew; the difference is then read in
the review.

A stage is a line in ``SECTIONS``: a name and a function from the input's path to its text, or
to None where the stage has nothing to say of this case.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from journeylang.diagnostics.render import render_text
from journeylang.source import Source
from journeylang.syntax.dump import dump
from journeylang.syntax.format import format_source
from journeylang.syntax.parse import parse

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*.journey"))
UPDATE = bool(os.environ.get("JOURNEY_UPDATE_GOLDEN"))


def syntax(path: Path) -> str | None:
    """The tree, whole or mended."""
    tree = parse(Source(path=path.name, text=path.read_text(encoding="utf-8"))).value
    return dump(tree) if tree else None


def problems(path: Path) -> str | None:
    """What the parser has to say, as a person sees it."""
    source = Source(path=path.name, text=path.read_text(encoding="utf-8"))
    found = parse(source).diagnostics
    return render_text(found, {path.name: source}) + "\n" if found else None


def formatted(path: Path) -> str | None:
    """The file in the one layout."""
    return format_source(Source(path=path.name, text=path.read_text(encoding="utf-8"))).value


SECTIONS: dict[str, Callable[[Path], str | None]] = {
    "formatted": formatted,
    "syntax": syntax,
    "problems": problems,
}


def made(path: Path) -> dict[str, str]:
    texts = {name: function(path) for name, function in SECTIONS.items()}
    return {name: text for name, text in texts.items() if text is not None}


def written(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    parts = re.split(r"^=== (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_stages_say_what_they_said(path: Path) -> None:
    golden = path.with_suffix(".golden")
    now = made(path)
    if UPDATE:
        text = "".join(f"=== {name}\n{text}" for name, text in now.items())
        golden.write_text(text, encoding="utf-8")
    assert now == written(golden)


def test_each_golden_file_has_its_input() -> None:
    inputs = {path.stem for path in CASES}
    assert {path.stem for path in HERE.glob("*.golden")} == inputs
