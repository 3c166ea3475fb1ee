"""Files that other programs read are well formed, and the verbs in them are verbs."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import click
import pytest
import yaml

from journeylang.cli.main import cli
from tests.docs.fences import ROOT, Fence, fences, pages

PAGE = ROOT / "docs" / "how-to" / "running.md"
READERS: dict[str, Callable[[str], object]] = {
    "toml": tomllib.loads,
    "json": json.loads,
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "python": ast.parse,
}
READ = [fence for page in pages() for fence in fences(page) if fence.language in READERS]


@pytest.mark.parametrize("fence", READ, ids=lambda fence: fence.name)
def test_they_are_well_formed(fence: Fence) -> None:
    # What is left out of an answer is no part of it.
    if "…" not in fence.text:
        READERS[fence.language](fence.text)


def file(name: str) -> str:
    return next(fence.text for fence in fences(PAGE) if fence.path == name)


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file("journeys.yaml")))


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(file(name))
    return parser


def commands() -> Iterator[list[str]]:
    """Each call of `journey` that the page has something else make: the words behind it."""
    for name in ("journey.service", "journey-serve.service"):
        yield shlex.split(unit(name)["Service"]["ExecStart"])[1:]
    for line in file("crontab").splitlines():
        if found := re.search(r"bin/journey ([^|>]*)", line):
            yield shlex.split(found[1])
    for found in re.finditer(r'bash_command="journey ([^"]*)"', file("journeys_dag.py")):
        yield shlex.split(found[1])
    for made in manifests():
        if made["kind"] == "Deployment":
            (container,) = made["spec"]["template"]["spec"]["containers"]
            assert container["command"][0] == "journey"
            yield container["command"][1:]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_their_verbs_are_verbs(words: list[str]) -> None:
    """As the command line reads them; nothing is run."""
    if words[:1] == ["-C"]:
        words = words[2:]
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None, words
    command.make_context(words[0], list(words[1:]))


def test_there_are_some_of_each_kind() -> None:
    assert len(list(commands())) == 2 + 2 + 3 + 2


@pytest.mark.parametrize("name", ["journey.service", "journey-serve.service"])
def test_units_have_what_systemd_asks_for(name: str) -> None:
    parser = unit(name)
    assert parser.sections() == ["Unit", "Service", "Install"]
    assert parser["Service"]["ExecStart"].startswith("/")
    assert parser["Service"]["Restart"] == "always"
    assert parser["Install"]["WantedBy"] == "multi-user.target"


def test_lines_of_the_crontab_have_five_fields_and_a_command() -> None:
    lines = [line for line in file("crontab").splitlines() if not line.startswith("#")]
    for line in lines:
        *when, command = line.split(maxsplit=5)
        assert len(when) == 5
        assert all(re.fullmatch(r"[\d*/,-]+", field) for field in when)
        assert command.startswith("cd /srv/acme && ")
        assert "%" not in command, "it ends a line of a crontab"


def test_labels_of_the_manifests_agree() -> None:
    by_name = {(made["kind"], made["metadata"]["name"]): made for made in manifests()}
    for (kind, _), made in by_name.items():
        if kind == "Deployment":
            labels = made["spec"]["template"]["metadata"]["labels"]
            assert made["spec"]["selector"]["matchLabels"] == labels
    serve = by_name["Deployment", "journeys-serve"]["spec"]["template"]
    service = by_name["Service", "journeys-serve"]["spec"]
    assert service["selector"] == serve["metadata"]["labels"]
    (container,) = serve["spec"]["containers"]
    assert service["ports"][0]["targetPort"] == container["ports"][0]["containerPort"]
    assert "8080" in container["command"]
