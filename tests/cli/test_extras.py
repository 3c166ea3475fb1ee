"""Verbs that rest on an extra, where it is not installed."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from journeylang.cli import extras
from journeylang.cli.main import cli
from tests.loading.folder import write


@pytest.mark.parametrize(
    ("verb", "extra", "module"),
    [
        (["lsp"], "lsp", "pygls"),
        (["serve"], "server", "uvicorn"),
        (["report"], "stats", "scipy"),
        (["report", "--output", "html"], "charts", "vl_convert"),
        (["simulate", "--output", "html"], "charts", "vl_convert"),
    ],
    ids=" ".join,
)
def test_what_is_missing_is_told_with_how_to_get_it(
    verb: list[str], extra: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for somebody who has installed the package alone."""
    really = find_spec

    def without(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == module else really(name, package)

    monkeypatch.setattr(extras, "find_spec", without)
    monkeypatch.chdir(write(tmp_path))
    done = CliRunner().invoke(cli, verb)
    assert done.exit_code == 2
    assert f"error[JRN830]: not installed: {module}" in done.stderr
    assert f"pip install 'journeylang[{extra}]'" in done.stderr
