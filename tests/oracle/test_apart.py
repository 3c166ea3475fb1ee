"""The oracle shares nothing with what it is compared to but the model."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MAY = ("journeylang.model", "tests.oracle")


@pytest.mark.parametrize("file", sorted(HERE.glob("*.py")), ids=lambda f: f.name)
def test_it_imports_the_model_alone(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in named:
            if name.split(".")[0] in ("journeylang", "tests"):
                assert name.startswith(MAY), f"{file.name} imports {name}"
