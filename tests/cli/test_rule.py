"""``journey rule``."""

import json

import pytest
from click.testing import CliRunner

from journeylang.cli.main import cli
from journeylang.diagnostics import Code
from journeylang.diagnostics.codes import ALL_CODES


def rule(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["rule", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("code", ALL_CODES, ids=lambda code: code.id)
def test_every_code_has_a_page(code: Code) -> None:
    page = rule(code.id)
    assert page.startswith(f"{code.id} {code.name} ({code.severity})\n\n{code.title}.\n\n")
    assert f"    {code.bad.splitlines()[0]}\n" in page
    assert f"    {code.good.splitlines()[0]}\n" in page


@pytest.mark.parametrize("name", ["208", "jrn208", "late-data-race"])
def test_a_code_has_several_names(name: str) -> None:
    assert rule(name) == rule("JRN208")


def test_without_a_code_all_are_listed() -> None:
    assert [line.split()[0] for line in rule().splitlines()] == [code.id for code in ALL_CODES]


def test_json() -> None:
    answer = json.loads(rule("--output", "json"))
    assert answer["format_version"] == 1
    assert [code["id"] for code in answer["codes"]] == [code.id for code in ALL_CODES]
    assert answer["codes"][0].keys() == {
        *("id", "name", "severity", "title", "why", "bad", "good", "fence"),
    }
