"""What is imported is declared: a development machine has more than a user's."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DISTRIBUTIONS = {
    "css_inline": "css-inline",
    "google": "google-auth",
    "vl_convert": "vl-convert-python",
    "yaml": "pyyaml",
}


def imported() -> set[str]:
    """Top-level names of the modules that the package imports, anywhere in its files."""
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
    """Names of the distributions that come with the package, its extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return {
        re.split(r"[<>=!~\[; ]", line)[0].lower() for line in (*project["dependencies"], *extras)
    }


def test_what_is_imported_is_declared() -> None:
    wanted = {DISTRIBUTIONS.get(module, module) for module in imported()}
    assert wanted <= declared()


def test_what_is_declared_is_imported() -> None:
    # tzdata is read as a resource, by name; httptools is uvicorn's to import.
    wanted = {DISTRIBUTIONS.get(module, module) for module in imported()}
    assert declared() <= wanted | {"tzdata", "httptools"}


def test_an_extra_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Somebody who has installed the package alone is told what a PostgreSQL address needs."""
    (tmp_path / "psycopg.py").write_text("raise ModuleNotFoundError(name='psycopg')")
    code = (
        "from journeylang.engines.base import DatabaseUnavailableError\n"
        "from journeylang.engines.postgres import PostgresEngine\n"
        "try:\n"
        "    PostgresEngine.open('postgresql://localhost/x')\n"
        "except DatabaseUnavailableError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT / "src")))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert "journeylang[postgres]" in done.stdout
