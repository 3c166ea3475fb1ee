"""Imports point one way, and the compiler touches nothing outside of itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "journeylang"

ORDER = (
    {"source"},
    {"diagnostics"},
    {"syntax"},
    {"model"},
    {"analysis"},
    {"lint"},
    {"plan"},
    {"sql"},
    {"engines"},
    {"stats"},
    {"runtime"},
    {"delivery"},
    {"loading"},
    {"pictures"},
    {"deploy", "draft", "simulate", "trial", "report", "why"},
    {"api"},
    {"demo"},
    {"serve", "lsp"},
    {"cli"},
)
PLACE = {name: index for index, names in enumerate(ORDER) for name in names}
PURE = {name for name, index in PLACE.items() if index <= PLACE["sql"]}
ANYONE_MAY_IMPORT = {"classes", "resources"}

WORLD = {
    *("aiosmtplib", "asyncio", "click", "duckdb", "ftplib", "http", "httpx", "logging"),
    *("multiprocessing", "numpy", "os", "pathlib", "platformdirs", "psycopg", "random", "rich"),
    *(
        "secrets",
        "selectors",
        "shutil",
        "signal",
        "smtplib",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
    ),
    *("sys", "tempfile", "threading", "time", "urllib.request", "uuid"),
}
"""Modules with sockets, clocks, chance or files behind them."""

CLOCKS = {"now", "today", "utcnow"}
FILES = {"open", "read_bytes", "read_text", "write_bytes", "write_text"}

READS_THE_GRAMMAR = {"syntax/grammar.py"}
"""The one module that may open a file: the grammar, and what Lark has made of it."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module: its path in the package, and its tree."""
    for file in sorted(PACKAGE.rglob("*.py")):
        yield file.relative_to(PACKAGE).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The full name of each module imported, wherever in the file, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they point"
            module = node.module or ""
            yield module, node.lineno
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def home(path: str) -> str:
    """The part of the package to which a module belongs: ``cli/main.py`` is of ``cli``."""
    return path.split("/", maxsplit=1)[0].removesuffix(".py")


def backward(path: str, tree: ast.AST) -> list[str]:
    mine = home(path)
    found = []
    for name, line in imports(tree):
        parts = name.split(".")
        if parts[0] != "journeylang" or len(parts) < 2 or parts[1] == "__version__":
            continue
        if parts[1] == mine or parts[1] in ANYONE_MAY_IMPORT:
            continue
        if mine == "__main__" and parts[1] == "cli":
            continue
        # The package itself and `resources` have no place, so they may import nothing of it.
        if PLACE.get(parts[1], len(ORDER)) >= PLACE.get(mine, -1):
            found.append(f"{path}:{line} imports {name}")
    return found


def worldly(path: str, tree: ast.AST) -> list[str]:
    found = [
        f"{path}:{line} imports {name}"
        for name, line in imports(tree)
        if name in WORLD or name.split(".")[0] in WORLD
    ]
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="open")):
                found.append(f"{path}:{node.lineno} opens a file")
            case ast.Call(func=ast.Attribute(attr=attribute)) if attribute in FILES:
                found.append(f"{path}:{node.lineno} calls .{attribute}()")
            case ast.Call(
                func=ast.Attribute(
                    attr=attribute,
                    value=ast.Name(id="datetime" | "date")
                    | ast.Attribute(attr="datetime" | "date"),
                )
            ) if attribute in CLOCKS:
                found.append(f"{path}:{node.lineno} reads the clock by .{attribute}()")
    return found


def test_every_module_has_its_place() -> None:
    homes = {home(path) for path, _ in modules()}
    assert homes <= PLACE.keys() | ANYONE_MAY_IMPORT | {"__init__", "__main__"}


def test_no_import_points_back() -> None:
    assert [arrow for path, tree in modules() for arrow in backward(path, tree)] == []


def test_the_compiler_touches_nothing_outside() -> None:
    found = [
        touch
        for path, tree in modules()
        if home(path) in PURE and path not in READS_THE_GRAMMAR
        for touch in worldly(path, tree)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "text", "count"),
    [
        ("model/x.py", "from journeylang.plan.build import a", 2),
        ("model/x.py", "def f():\n    import journeylang.cli.main", 1),
        ("model/x.py", "from journeylang import lint", 1),
        ("report/x.py", "import journeylang.why", 1),
        ("resources.py", "import journeylang.source", 1),
        ("__init__.py", "import journeylang.api", 1),
        ("cli/x.py", "from journeylang import __version__", 0),
        ("cli/x.py", "import journeylang.cli.y, journeylang.api, journeylang.resources", 0),
        ("lint/x.py", "from journeylang import resources, source", 0),
    ],
)
def test_the_direction_test_sees_arrows(path: str, text: str, count: int) -> None:
    assert len(backward(path, ast.parse(text))) == count


@pytest.mark.parametrize(
    "text",
    [
        "import random",
        "from urllib.request import urlopen",
        "from urllib import request",
        "from os import path",
        "open('x')",
        "thing.read_text()",
        "datetime.now()",
        "datetime.datetime.now(tz)",
        "date.today()",
    ],
)
def test_the_purity_test_sees_the_world(text: str) -> None:
    assert worldly("x.py", ast.parse(text)) != []


@pytest.mark.parametrize(
    "text", ["import math", "plan.now", "engine.now()", "from urllib import parse"]
)
def test_the_purity_test_lets_the_rest_be(text: str) -> None:
    assert worldly("x.py", ast.parse(text)) == []
