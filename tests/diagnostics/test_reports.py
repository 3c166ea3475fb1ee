"""Diagnostics for other tools: JSON, SARIF, annotations of GitHub, JUnit XML."""

import json
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeylang.diagnostics import Diagnostic, Label, Severity
from journeylang.diagnostics.codes import names, syntax
from journeylang.diagnostics.github import render_github
from journeylang.diagnostics.junit import render_junit
from journeylang.diagnostics.model import Edit, Fix
from journeylang.diagnostics.render import render_json
from journeylang.diagnostics.sarif import render_sarif
from journeylang.source import Source, Span
from tests.docs.fences import ROOT
from tests.schemas.validation import problems

SARIF = json.loads((ROOT / "tests/schemas/sarif-2.1.0.json").read_text(encoding="utf-8"))
CHECK = json.loads((ROOT / "docs/schemas/check.json").read_text(encoding="utf-8"))

PATH = "journeys/my cart.journey"
SOURCE = Source(path=PATH, text="segment a =\n  exists(ordr)\nsegment ä = b\n")
SOURCES = {PATH: SOURCE, "journeys/fine.journey": Source(path="journeys/fine.journey", text="")}

UNKNOWN = Diagnostic(
    code=names.UNKNOWN_NAME,
    message="unknown event `ordr`",
    span=SOURCE.span(21, 25),
    help="did you mean `order`?",
    labels=(Label(SOURCE.span(0, 7), "in this segment"),),
    fix=Fix(title="write `order`", edits=(Edit(SOURCE.span(21, 25), "order"),), safe=True),
)
LONG = Diagnostic(
    code=syntax.SYNTAX_ERROR,
    message="50% of it, say: no\r\nmore",
    span=SOURCE.span(0, 25),
    severity=Severity.WARNING,
)
NOWHERE = Diagnostic(code=names.MISSING_PART, message="the project has no policy")
UNREAD = Diagnostic(code=names.MISSING_PART, message="m", span=Span("gone.journey", 3, 4))
ALL = (UNKNOWN, LONG, NOWHERE, UNREAD)

anything = st.builds(
    Diagnostic,
    code=st.sampled_from([names.UNKNOWN_NAME, syntax.SYNTAX_ERROR]),
    message=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    help=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    span=st.none()
    | st.builds(lambda a, b: SOURCE.span(a, a + b), st.integers(0, 45), st.integers(0, 9)),
    severity=st.sampled_from(Severity),
)
found = st.lists(anything, max_size=4)


# ---- JSON


@given(found)
def test_json_is_what_its_schema_says(diagnostics: list[Diagnostic]) -> None:
    assert problems(json.loads(render_json(diagnostics, SOURCES)), CHECK) == []


def test_the_schema_of_json_names_every_field_and_refuses_what_is_none() -> None:
    answer = json.loads(render_json(ALL, SOURCES))
    described = CHECK["$defs"]["diagnostic"]
    assert list(answer["diagnostics"][0]) == list(described["properties"]) == described["required"]
    assert list(answer) == list(CHECK["properties"])
    for field, wrong in [("line", 0), ("code", "X1"), ("severity", "fatal"), ("message", None)]:
        assert problems(
            {**answer, "diagnostics": [answer["diagnostics"][0] | {field: wrong}]}, CHECK
        )
    assert problems({"diagnostics": []}, CHECK) == ["$: no format_version"]


# ---- SARIF


@given(found)
def test_sarif_is_what_its_schema_says(diagnostics: list[Diagnostic]) -> None:
    assert problems(json.loads(render_sarif(diagnostics, SOURCES)), SARIF) == []


def test_sarif() -> None:
    log = json.loads(render_sarif(ALL, SOURCES, folder="shop/"))
    assert problems(log, SARIF) == []
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["JRN001", "JRN101", "JRN112"]
    unknown, long, nowhere, unread = run["results"]
    assert rules[unknown["ruleIndex"]]["name"] == "unknown-name"
    assert unknown["level"] == "error"
    assert unknown["message"]["text"] == "Unknown event `ordr`. Did you mean `order`?"
    file = {"uri": "shop/journeys/my%20cart.journey", "uriBaseId": "%SRCROOT%"}
    region = {"startLine": 2, "startColumn": 10, "endLine": 2, "endColumn": 14}
    assert unknown["locations"] == [
        {"physicalLocation": {"artifactLocation": file, "region": region}}
    ]
    assert unknown["relatedLocations"][0]["message"] == {"text": "in this segment"}
    assert unknown["fixes"] == [
        {
            "description": {"text": "write `order`"},
            "artifactChanges": [
                {
                    "artifactLocation": file,
                    "replacements": [
                        {"deletedRegion": region, "insertedContent": {"text": "order"}}
                    ],
                }
            ],
        }
    ]
    assert long["level"] == "warning"
    assert "locations" not in nowhere
    assert "region" not in unread["locations"][0]["physicalLocation"]


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("version",), "2.0"),
        (("runs", 0, "tool"), {}),
        (("runs", 0, "results", 0, "level"), "fatal"),
        (("runs", 0, "results", 0, "message"), "text"),
        (("runs", 0, "columnKind"), "bytes"),
        (("runs", 0, "results", 0, "file"), "x"),
    ],
)
def test_the_schema_of_sarif_refuses(path: tuple[str | int, ...], wrong: object) -> None:
    log = json.loads(render_sarif(ALL, SOURCES))
    place = log
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = wrong
    assert problems(log, SARIF)


# ---- GitHub


def test_github() -> None:
    file = "file=shop/journeys/my cart.journey"
    unknown = "title=JRN101 unknown-name::unknown event `ordr`%0Adid you mean `order`?"
    long = "title=JRN001 syntax-error::50%25 of it, say: no%0D%0Amore"
    assert render_github(ALL, SOURCES, folder="shop/").split("\n") == [
        f"::error {file},line=2,col=10,endLine=2,endColumn=14,{unknown}",
        f"::warning {file},line=1,endLine=2,{long}",
        "::error title=JRN112 missing-part::the project has no policy",
        "::error file=shop/gone.journey,title=JRN112 missing-part::m",
    ]
    odd = Diagnostic(code=names.MISSING_PART, message="m", span=Span("a,b:c%d.journey", 0, 0))
    assert "file=a%2Cb%3Ac%25d.journey," in render_github([odd], {})
    assert render_github([], {}) == ""


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    """As the runner reads it."""
    matched = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert matched
    pairs = dict(pair.split("=", 1) for pair in matched[2].split(","))

    def plain(text: str) -> str:
        for code, sign in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            text = text.replace(code, sign)
        return text

    return matched[1], {key: plain(value) for key, value in pairs.items()}, plain(matched[3])


@given(found)
def test_github_reads_what_was_meant(diagnostics: list[Diagnostic]) -> None:
    lines = render_github(diagnostics, SOURCES).split("\n") if diagnostics else []
    assert len(lines) == len(diagnostics)
    for line, diagnostic in zip(lines, diagnostics, strict=True):
        kind, properties, message = read_command(line)
        assert kind == diagnostic.severity
        assert message.startswith(diagnostic.message)
        assert properties.get("file") == (diagnostic.span.path if diagnostic.span else None)
        if "col" in properties:
            assert properties["line"] == properties["endLine"]


# ---- JUnit


def test_junit() -> None:
    text = render_junit(ALL, SOURCES, folder="shop/")
    root = ET.fromstring(text)  # noqa: S314 - our own
    counts = ("tests", "failures", "skipped", "errors")
    assert [root.get(name) for name in counts] == ["5", "3", "1", "0"]
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == [
        "shop/journeys/fine.journey",
        "shop/journeys/my cart.journey",
        "project",
        "shop/gone.journey",
    ]
    assert [case.get("name") for case in suites["shop/journeys/fine.journey"]] == ["check"]
    error, warning = suites["shop/journeys/my cart.journey"]
    assert (error.get("name"), error.get("line")) == ("JRN101 unknown-name:2:10", "2")
    (failure,) = error
    assert failure.get("message") == "unknown event `ordr`"
    assert failure.text == (
        "shop/journeys/my cart.journey:2:10\nunknown event `ordr`\ndid you mean `order`?"
    )
    assert [result.tag for result in warning] == ["skipped"]


@given(found)
def test_junit_counts_and_can_be_read(diagnostics: list[Diagnostic]) -> None:
    root = ET.fromstring(render_junit(diagnostics, SOURCES))  # noqa: S314 - our own
    for element in (root, *root):
        assert int(element.get("tests", "")) == len(list(element.iter("testcase")))
    errors = sum(diagnostic.is_error for diagnostic in diagnostics)
    assert int(root.get("failures", "")) == errors == len(list(root.iter("failure")))
    assert int(root.get("skipped", "")) == len(diagnostics) - errors
