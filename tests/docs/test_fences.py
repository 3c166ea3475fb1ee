"""What the documentation shows is what happens: its journeys compile, its commands run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from journeylang import resources
from tests.docs.fences import ROOT, Fence, commands, fences, matches, pages

ALL = [fence for page in pages() for fence in fences(page)]
# Those of the programmes stand on a binding of their own, and are checked with it.
JOURNEYS = [
    fence
    for fence in ALL
    if fence.language == "journey" and not fence.page.startswith("docs/programmes/")
]
CONSOLES = [page for page in pages() if any(f.language == "console" for f in fences(page))]

# What a reader types that needs no running: it was done to get here.
NOT_RUN = {"git", "uv", "uvx", "pip", "pipx"}
LANGUAGES = {
    "journey",
    "console",
    "toml",
    "html",
    "jinja",
    "sql",
    "text",
    "sh",
    "json",
    "mermaid",
    "yaml",
    "python",
}

_DECLARES = re.compile(
    r"^(customers|event|metric|segment|policy|journey|channel|consent)\b *(\w*)", re.MULTILINE
)
_CALLS = re.compile(r"\binvoke (\w+)")
_TESTS = re.compile(r'^test "[^"]*" for (\w+)', re.MULTILINE)


def journey(arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "journeylang", *arguments],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's project, without a database."""
    root = tmp_path_factory.mktemp("demo")
    (root / "journeys").mkdir()
    for file in resources.journeys().glob("*.journey"):
        shutil.copy(file, root / "journeys")
    shutil.copy(resources.journeys() / "journey.toml", root)
    shutil.copytree(resources.journeys() / "templates", root / "templates")
    return root


@pytest.mark.parametrize("fence", ALL, ids=lambda f: f.name)
def test_every_fence_has_a_language(fence: Fence) -> None:
    assert fence.language in LANGUAGES


@pytest.mark.parametrize("fence", JOURNEYS, ids=lambda f: f.name)
def test_journeys_compile(fence: Fence, demo: Path, tmp_path: Path) -> None:
    """Beside the demo's binding, unless the fence has one; its own names hide the demo's."""
    root = tmp_path / "project"
    shutil.copytree(demo, root)
    mine = {(kind, name) for kind, name in _DECLARES.findall(fence.text)}
    if any(kind == "customers" for kind, _ in mine):
        shutil.rmtree(root / "journeys")
        (root / "journeys").mkdir()
    for file in (root / "journeys").glob("*.journey"):
        declared = set(_DECLARES.findall(file.read_text(encoding="utf-8")))
        if any(kind == "journey" for kind, _ in declared) or declared & mine:
            file.unlink()
    settings = (root / "journey.toml").read_text(encoding="utf-8")
    called = "".join(f'{service} = "file"\n' for service in set(_CALLS.findall(fence.text)))
    (root / "journey.toml").write_text(f"{settings}\n[env.dev.invoke]\n{called}", encoding="utf-8")
    (root / "journeys" / "fence.journey").write_text(fence.text, encoding="utf-8")
    # Pages show journeys without each of their templates, and their tests by themselves.
    for other in ALL:
        if other.page != fence.page:
            continue
        tested = {("journey", name) for name in _TESTS.findall(fence.text)} - mine
        if other.path.startswith("templates/") or tested & set(_DECLARES.findall(other.text)):
            _save(root, other)
    result = journey(["check"], root)
    found = [line for line in result.stdout.splitlines() if re.match(r"error\[(?!JRN108)", line)]
    assert found == [], result.stdout
    assert result.returncode < 2, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("page", CONSOLES, ids=lambda p: p.name)
def test_commands_do_what_is_shown(page: Path, tmp_path: Path) -> None:
    """All console fences of a page are one session; files are saved where they stand."""
    here = tmp_path
    for fence in fences(page):
        if fence.path:
            _save(here, fence)
        if fence.language != "console":
            continue
        for command in commands(fence.text):
            words = shlex.split(command.line)
            if words[0] in NOT_RUN:
                continue
            if words[0] == "cd":
                here = here / words[1]
                continue
            result = _run(words, command.line, here)
            shown = result.stdout + result.stderr
            assert "Traceback" not in shown, f"{fence.name}: {command.line}\n{shown}"
            if command.output:
                assert matches(command.output, shown), (
                    f"{fence.name}: `{command.line}` shows\n\n{shown}\n\nnot\n\n{command.output}"
                )
            else:
                assert result.returncode == 0, f"{fence.name}: `{command.line}`\n{shown}"


def _run(words: list[str], line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    if words[0] == "journey":
        return journey(words[1:], cwd)
    command = [sys.executable, *words[1:]] if words[0] == "python" else ["sh", "-c", line]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=60
    )


def _save(root: Path, fence: Fence) -> None:
    path = root / fence.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(fence.text, encoding="utf-8")


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("one\ntwo", "one\ntwo\n", True),
        ("one", "one   \n\n", True),
        ("one\ntwo", "one", False),
        ("took … s", "took 2.91 s", True),
        ("took … s", "took 2.91 s or so", False),
        ("a … d", "a b\nc d", False),
        ("one\n…\nfour", "one\ntwo\nthree\nfour", True),
        ("one\n…\nfour", "one\nfour", True),
        ("one\n…", "one\ntwo", True),
        ("…\nfour", "one\nfive", False),
        ("a.c", "abc", False),
    ],
)
def test_matching(expected: str, actual: str, same: bool) -> None:
    assert matches(expected, actual) is same


def test_commands_and_their_outputs() -> None:
    found = commands("$ a\n$ b --long \\\n>   c\nout\n\nput\n\n$ d\n")
    assert [(c.line, c.output) for c in found] == [
        ("a", ""),
        ("b --long c", "out\n\nput"),
        ("d", ""),
    ]


def test_fences_within_lists_and_longer_ticks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("1. so\n\n   ```sh a.sh\n   one\n\n     two\n   ```\n````text\n```\n````\n")
    monkeypatch.setattr("tests.docs.fences.ROOT", tmp_path)
    first, second = fences(page)
    assert (first.language, first.path, first.text) == ("sh", "a.sh", "one\n\n  two\n")
    assert second.text == "```\n"


def test_a_fence_without_an_end_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```text\nfor ever\n")
    with pytest.raises(AssertionError, match="no end"):
        list(fences(page))


def test_the_readme_shows_something() -> None:
    assert any(fence.page == "README.md" for fence in ALL)
    assert CONSOLES
