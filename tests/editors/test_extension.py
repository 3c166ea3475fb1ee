"""The extension for VS Code: its grammar, its package, and what it names."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from journeylang.cli.main import VERBS
from journeylang.source import Source
from journeylang.syntax.concrete import concrete
from journeylang.syntax.parse import parse
from journeylang.syntax.scan import scan
from tests.docs.fences import ROOT
from tests.editors import textmate
from tests.editors.node import extension, run

MANIFEST = json.loads((textmate.EXTENSION / "package.json").read_text(encoding="utf-8"))
SNAPSHOT = Path(__file__).parent / "cart.scopes"
EXAMPLES = sorted(
    file
    for folder in (
        "journeys",
        "tests/syntax/language",
        "docs/examples",
        "src/journeylang/cli/starter",
    )
    for file in (ROOT / folder).rglob("*.journey")
)

BUILT_IN = "JSON.stringify(require('module').builtinModules.flatMap((m) => [m, 'node:' + m]))"

Lines = list[list[tuple[int, int, str]]]
"""Of each line its tokens: from, to, scopes."""

_EXPECTED = {
    "STRING": "string.",
    "SQL": "meta.embedded.sql",
    "LABEL": "entity.name.tag.label",
    **textmate.LITERALS,
}


def test_the_grammar_is_made_from_the_languages() -> None:
    made = textmate.GRAMMAR.read_text(encoding="utf-8")
    assert made == textmate.text(), "python -m tests.editors.textmate"


@pytest.fixture(scope="module")
def scopes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lines]:
    """Of each example the scopes of each line, by the engine that editors use."""
    made = extension(tmp_path_factory.mktemp("scopes"))
    given = "\n".join(str(file) for file in EXAMPLES)
    found = json.loads(run(["node", "tools/scopes.mjs", str(textmate.GRAMMAR)], made, given))
    return {
        file: [[(a, b, c) for a, b, c in line] for line in lines] for file, lines in found.items()
    }


def at(lines: Lines, line: int, column: int) -> str:
    for start, end, scope in lines[line]:
        if start <= column < end:
            return scope
    raise AssertionError((line, column))


def tokens(file: Path) -> Iterator[tuple[str, str, int, int]]:
    """(kind, word, line, column) of each token, as the compiler takes it."""
    source = Source(path=file.name, text=file.read_text(encoding="utf-8"))
    scanned = scan(source)
    kinds = concrete(source, scanned).kinds
    for kind, start, end in zip(kinds, scanned.starts, scanned.ends, strict=True):
        if kind == "$END":
            return
        line = source.text.count("\n", 0, start)
        yield kind, source.text[start:end], line, start - source.text.rfind("\n", 0, start) - 1


@pytest.mark.slow
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f.relative_to(ROOT).as_posix())
def test_colours_agree_with_the_compiler(file: Path, scopes: dict[str, Lines]) -> None:
    """What the compiler takes for a word, a label, a text or a figure is coloured as one."""
    if not parse(Source(path=file.name, text=file.read_text(encoding="utf-8"))).value:
        pytest.skip("not a text without errors")
    words = textmate.words()
    for kind, word, line, column in tokens(file):
        scope = at(scopes[str(file)], line, column)
        where = f"{file.name}:{line + 1}:{column + 1} {kind} {word!r} is {scope!r}"
        if kind in _EXPECTED:
            assert _EXPECTED[kind] in scope, where
        elif kind == "NAME":
            assert not re.search(r"string|comment|constant\.(?!language)|label", scope), where
            if word not in words:
                assert "keyword" not in scope, where
        elif word in words:
            assert re.search(r"keyword|constant\.language|variable\.language|support", scope), where


@pytest.mark.slow
def test_the_demos_cart_is_coloured_as_before(
    scopes: dict[str, Lines], request: pytest.FixtureRequest
) -> None:
    file = ROOT / "journeys" / "cart.journey"
    text = file.read_text(encoding="utf-8").split("\n")
    made = "".join(
        f"{line[start:end].strip():<28} {scope.replace('.journey', '')}\n"
        for line, found in zip(text, scopes[str(file)], strict=True)
        for start, end, scope in found
        if scope and line[start:end].strip()
    )
    if os.environ.get("JOURNEY_UPDATE_GOLDEN"):
        SNAPSHOT.write_text(made, encoding="utf-8")
    assert made == SNAPSHOT.read_text(encoding="utf-8")


@pytest.mark.slow
def test_it_is_built_and_packed(tmp_path: Path) -> None:
    made = extension(tmp_path)
    run(["npm", "run", "pack"], made)
    with zipfile.ZipFile(made / "journeylang.vsix") as packed:
        names = {name.removeprefix("extension/") for name in packed.namelist()}
        code = packed.read("extension/dist/extension.js").decode()
    assert {"package.json", "dist/extension.js", "snippets/journey.json"} <= names
    assert "syntaxes/journey.tmLanguage.json" in names
    assert {name.lower() for name in names} >= {"license.txt", "readme.md"}
    assert not any(name.startswith(("src/", "node_modules/", "tools/")) for name in names)
    # All that it needs is in it but the editor itself and Node.js.
    needed = set(re.findall(r'require\("([^"./]+)"\)', code))
    assert needed - {"vscode"} <= set(json.loads(run(["node", "-p", BUILT_IN], made)))
    run(["node", "--check", "dist/extension.js"], made)


def test_what_the_manifest_names_is_there() -> None:
    points = MANIFEST["contributes"]
    named = [points["languages"][0]["configuration"], *points["languages"][0]["icon"].values()]
    named += [points["grammars"][0]["path"], points["snippets"][0]["path"]]
    for path in named:
        assert (textmate.EXTENSION / path).is_file(), path
    code = (textmate.EXTENSION / "src" / "extension.ts").read_text(encoding="utf-8")
    for one in points["commands"]:
        assert f'"{one["command"]}"' in code
    for setting in points["configuration"]["properties"]:
        assert setting.startswith("journey.")
    assert {"lsp", "test", "simulate", "preview"} <= VERBS.keys()


def _value(values: dict[str, str], found: re.Match[str]) -> str:
    return values[found[1]]


def test_snippets_are_journeys() -> None:
    """Filled in as they stand they parse, within what they belong to."""
    snippets = json.loads((textmate.EXTENSION / "snippets" / "journey.json").read_text("utf-8"))
    around = {"journey", "segment", "metric", "policy", "test"}
    for name, one in snippets.items():
        text = "\n".join(one["body"])
        text = re.sub(r"\$\{\d+\|([^,|]*)[^}]*\}", r"\1", text)
        values = dict(re.findall(r"\$\{(\d+):([^}]*)\}", text))
        text = re.sub(r"\$\{(\d+):[^}]*\}", partial(_value, values), text)
        text = text.replace("${CURRENT_YEAR}", "2026").replace("$0", "exit")
        if name not in around:
            text = f"journey x {{\n{text}\n}}"
        outcome = parse(Source(path="snippet.journey", text=f"language 1\n{text}\n"))
        assert not outcome.diagnostics, (name, text, outcome.diagnostics)
