"""What is imported is declared: a development machine has more than a user's."""

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = {"yaml": "pyyaml"}


def imported() -> set[str]:
    """Top-level modules that the package imports, anywhere in its files."""
    found = set()
    for file in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Import():
                    found |= {alias.name.split(".")[0] for alias in node.names}
                case ast.ImportFrom(module=str() as module):
                    found.add(module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"journeylang"}


def declared() -> set[str]:
    """Names of the distributions that come with the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[<>=!~\[; ]", line)[0].lower() for line in project["dependencies"]}


def test_what_is_imported_is_declared() -> None:
    wanted = {DISTRIBUTIONS.get(module, module) for module in imported()}
    assert wanted <= declared()


def test_what_is_declared_is_imported() -> None:
    # tzdata is read as a resource, by name.
    wanted = {DISTRIBUTIONS.get(module, module) for module in imported()}
    assert declared() <= wanted | {"tzdata"}
