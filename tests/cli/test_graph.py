"""``journey graph``: every node once, every way between nodes that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.runtime.world import JOURNEYS, LOYAL, write

NODE = re.compile(
    r'  (n\d+)(?:\[/"|\(\["|\["|\{\{"|\{"|\(\(\()(.*?)(?:"/\]|"\]\)|"\]|"\}\}|"\}|\)\)\))'
)
WAY = re.compile(r"  (n\d+) (?:-->|-\.->)(?:\|[^|]*\|)? (n\d+)")

NESTED = """journey nested "Names with < and | and \\" in them" {
  owner "crm@shop.example"
  enter when customer.points > 1
  policy standard
  exit when customer.points > 1000 as rich

  a: wait 1mo
  if customer.points > 5 {
  } else if customer.points > 3 {
    exit as few
  } else {
    b: wait until 09:30 on weekdays
  }
  c: wait up to 90m {
    on ordered { exit as done }
    on signed_up { d: wait until 10:00 on weekends }
    timeout { }
  }
  e: experiment salt "nested" {
    arm none 34% control { }
    arm one 33% { f: send sms "welcome/loud" }
    arm two 33% { g: wait 1w }
  }
}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write(tmp_path, {**JOURNEYS, "nested": NESTED}))
    return tmp_path


def graph(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["graph", *arguments])


@pytest.mark.parametrize("journey", ["welcome", "loyal", "nested"])
def test_mermaid(root: Path, journey: str) -> None:
    result = graph(journey)
    assert result.exit_code == 0, result.output
    first, *lines = result.output.splitlines()
    assert first == "flowchart TD"
    nodes: dict[str, str] = {}
    ways: list[tuple[str, str]] = []
    for line in lines:
        if node := NODE.fullmatch(line):
            assert node[1] not in nodes
            nodes[node[1]] = node[2]
        else:
            way = WAY.fullmatch(line)
            assert way is not None, line
            ways.append((way[1], way[2]))
    assert {node for way in ways for node in way} == nodes.keys(), "no node stands alone"
    start = next(iter(nodes))
    reached = {start}
    while more := {to for come, to in ways if come in reached} - reached:
        reached |= more
    assert reached == nodes.keys(), "every step can be reached"
    assert not [label for label in nodes.values() if '"' in label or "|" in label]


def test_labels_and_words(root: Path) -> None:
    text = graph("nested").output
    for words in (
        "a<br/>wait 1mo",
        "wait until 09:30 on weekdays",
        "until 10:00 on weekends",
        "after 90m",
        "none 34 %, control",
        "on ordered",
        "few",
        "at any time",
    ):
        assert words in text, words


def test_the_same_again(root: Path) -> None:
    assert graph("welcome").output == graph("welcome").output


def test_a_journey_that_is_not_there(root: Path) -> None:
    result = graph("welcom")
    assert result.exit_code == 2
    assert "did you mean `welcome`?" in result.stderr
    assert "there is loyal, nested, welcome" in graph("zzz").stderr
    assert graph().exit_code == 2


def test_a_project_without_journeys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, {}))
    result = graph("welcome")
    assert result.exit_code == 2
    assert "no journey `welcome`; the project has none" in result.stderr


def test_an_error_in_a_file(root: Path) -> None:
    write(root, {"loyal": LOYAL.replace("points", "point")})
    result = graph("loyal")
    assert result.exit_code == 1
    assert "error[JRN101]" in result.stderr
