"""The pages of the programmes under `journeys/programmes`, made from the files themselves."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from click.testing import CliRunner

from journeylang.cli.main import cli
from tests.docs.fences import ROOT

SOURCE = ROOT / "journeys" / "programmes"
PAGES = ROOT / "docs" / "programmes"
SHARED = ("binding", "audience", "policy", "assumptions")
"""What they stand on; every other file is a programme."""


def names() -> list[str]:
    files = sorted((SOURCE / "journeys").glob("*.journey"))
    return [file.stem for file in files if file.stem not in SHARED]


def text(name: str) -> str:
    return (SOURCE / "journeys" / f"{name}.journey").read_text(encoding="utf-8")


def said(name: str) -> str:
    """The comment that a file begins with, as one paragraph."""
    lines = []
    for line in text(name).splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines)


def title(name: str) -> str:
    """What stands behind the journey's name."""
    line = next(line for line in text(name).splitlines() if line.startswith("journey "))
    return line.split('"')[1]


def written() -> dict[Path, str]:
    """Each page with its path."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(SOURCE, project)
        return {PAGES / f"{name}.md": _page(name, project) for name in names()}


def _page(name: str, project: Path) -> str:
    done = CliRunner().invoke(
        cli, ["-C", str(project), "graph", name, "--format", "mermaid"], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    sends = sorted((SOURCE / "templates" / name).glob("*"))
    templates = ", ".join(
        f"[{file.name}](../../journeys/programmes/templates/{name}/{file.name})" for file in sends
    )
    return (
        f"# {title(name)}\n\n{said(name)}\n\n"
        f"```mermaid\n{done.stdout.rstrip()}\n```\n\n"
        f"```journey\n{text(name)}```\n\n"
        f"Messages: {templates}. What it rests on, and how people are assumed to behave:"
        " [all programmes](../programmes.md).\n"
    )


def table() -> str:
    """One line for each programme."""
    rows = [f"| [{name}](programmes/{name}.md) | {title(name)} |" for name in names()]
    return "\n".join(["| | |", "| --- | --- |", *rows])


def shared() -> str:
    """The files that all of them share, each with what it says of itself."""
    return "\n".join(
        f"- [{name}.journey](../journeys/programmes/journeys/{name}.journey): {said(name)}"
        for name in SHARED
    )
