"""``journey graph``: every node once, every way between nodes that are there."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from journeylang.cli.main import cli
from tests.runtime.world import HOUR, JOURNEYS, LOYAL, NOW, make, opened, sql, write

NODE = re.compile(
    r'  (n\d+)(?:\[/"|\(\["|\["|\{\{"|\{"|\(\(\(")(.*?)(?:"/\]|"\]\)|"\]|"\}\}|"\}|"\)\)\))'
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


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg"])
def test_the_same_again(root: Path, form: str) -> None:
    assert graph("nested", "--format", form).output == graph("nested", "--format", form).output


DOT_LINE = re.compile(
    r"  (?:rankdir=TB|(?:node|edge) \[fontname=sans\]"
    r'|(n\d+) \[label="((?:[^"\\]|\\.)*)" [a-z0-9= ]+\]'
    r'|(n\d+) -> (n\d+)(?: \[(?:label="(?:[^"\\]|\\.)*")? ?(?:style=dashed)?\])?)'
)


@pytest.mark.parametrize("journey", ["welcome", "loyal", "nested"])
def test_dot_says_the_same_as_mermaid(root: Path, journey: str) -> None:
    first, *lines, last = graph(journey, "--format", "dot").output.splitlines()
    assert (first, last) == (f'digraph "{journey}" {{', "}")
    nodes: set[str] = set()
    ways: list[tuple[str, str]] = []
    for line in lines:
        found = DOT_LINE.fullmatch(line)
        assert found is not None, line
        if found[1]:
            nodes.add(found[1])
        elif found[3]:
            ways.append((found[3], found[4]))
    drawn = graph(journey).output.splitlines()
    assert ways == [(way[1], way[2]) for line in drawn if (way := WAY.fullmatch(line))]
    assert nodes == {node for way in ways for node in way}


def drawing(*arguments: str) -> ET.Element:
    return ET.fromstring(graph(*arguments, "--format", "svg").output)  # noqa: S314


@pytest.mark.parametrize("journey", ["welcome", "loyal", "nested"])
def test_a_picture_has_every_step_and_way(root: Path, journey: str) -> None:
    picture = drawing(journey)
    drawn = graph(journey).output.splitlines()
    ways = [line for line in drawn if WAY.fullmatch(line)]
    nodes = [line for line in drawn if NODE.fullmatch(line)]
    svg = "{http://www.w3.org/2000/svg}"
    assert picture.get("role") == "img"
    assert picture.get("aria-label") == (
        f"{journey}: the steps of the journey and the ways between them"
    )
    told = picture.findtext(f"{svg}desc") or ""
    assert len(told.splitlines()) == len(nodes)
    assert len(
        [p for p in picture.iter(f"{svg}path") if "to" in (p.get("class") or "").split()]
    ) == len(ways)
    assert len([t for t in picture.iter(f"{svg}text") if t.get("class") == "step"]) == len(nodes)
    assert "url(" not in ET.tostring(picture, "unicode").replace("url(#journey-arrow)", "")


def test_long_words_are_wrapped(root: Path) -> None:
    long = "a_step_with_a_name_that_is_much_longer_than_any_box_may_be"
    write(root, {"nested": NESTED.replace("  a: wait 1mo", f"  {long}: wait 1mo")})
    picture = drawing("nested")
    lines = [t.text or "" for t in picture.iter("{http://www.w3.org/2000/svg}tspan")]
    assert long not in lines
    assert long in "".join(lines)
    assert max(map(len, lines)) <= 26


def test_people_at_each_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make(tmp_path))
    before = graph("welcome", "--live")
    assert before.exit_code == 1
    assert "nothing has run in `dev` yet: `journey run dev`" in before.stderr
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    counts = {
        (step, status): runs
        for step, status, runs in sql(
            tmp_path,
            "SELECT step, status, count(*) FROM journey.runs WHERE journey = 'welcome'"
            " GROUP BY step, status",
        )
    }
    assert any(status == "active" for _, status in counts)
    shown = graph("welcome", "--live").output
    assert shown.startswith(f"%% as of {NOW + HOUR:%Y-%m-%d %H:%M} UTC, dev\n")
    assert f"{sum(counts.values()):,} in all" in shown
    for (step, status), runs in counts.items():
        if status == "active":
            assert f"{step.split('/')[-1]}<br/>" in shown
            assert f"{runs} now" in shown
    assert re.findall(r"(\d+) now", shown) == re.findall(
        r"(\d+) now", graph("welcome", "--live", "--format", "dot").output
    )
    picture = graph("welcome", "--live", "--format", "svg").output
    assert re.findall(r">(\d+) now<", picture) == re.findall(r"(\d+) now", shown)
    assert f"as of {NOW + HOUR:%Y-%m-%d %H:%M} UTC" in picture


def test_people_whom_the_chart_has_no_place_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make(tmp_path))
    with opened(tmp_path, NOW - HOUR) as runtime:
        runtime.tick(NOW + HOUR)
    resting = sql(
        tmp_path,
        "SELECT step, count(*) FROM journey.runs WHERE journey = 'welcome' AND status = 'active'"
        " GROUP BY step ORDER BY 2 DESC",
    )
    step, runs = resting[0]
    text = (tmp_path / "journeys/welcome.journey").read_text(encoding="utf-8")
    (tmp_path / "journeys/welcome.journey").write_text(
        re.sub(rf"\b{step}:", f"{step}_too:", text), encoding="utf-8"
    )
    result = graph("welcome", "--live")
    assert result.exit_code == 0, result.output
    assert f"{runs} more are at steps that `welcome` has not as it is written now" in result.stderr


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
