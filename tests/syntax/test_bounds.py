"""Texts made to exhaust the parser: a diagnostic or a tree, soon, and never a crash."""

import time

import pytest

from journeylang.source import Source
from journeylang.syntax.dump import dump
from journeylang.syntax.parse import parse

pytestmark = pytest.mark.slow

MILLION = 1_000_000


def nested(depth: int) -> str:
    return "segment a = " + "(" * depth + "x" + ")" * depth


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("segment a = " + "(" * 100_000, "JRN005", id="brackets"),
        pytest.param("journey a " + "{" * 100_000, "JRN005", id="braces"),
        pytest.param("segment a = " + "{}" * 50_000, "JRN001", id="pairs of braces"),
        pytest.param("}" * 100_000, "JRN001", id="closing braces"),
        pytest.param(")\n" * 100_000, "JRN001", id="closing brackets on lines"),
        pytest.param("segment a = " + "not " * 50_000 + "x", "JRN005", id="not not not"),
        pytest.param("segment a = " + "- " * 100_000 + "x", "JRN005", id="minus minus"),
        pytest.param("segment a = x" + " + x" * 30_000, "JRN005", id="a long sum"),
        pytest.param("segment a = " + "top 1% by " * 20_000 + "x", "JRN005", id="top of top"),
        pytest.param("segment a = x" + " and x" * 30_000, "", id="a long condition"),
        pytest.param("segment a = x" + ".x" * 100_000, "", id="a long name with dots"),
        pytest.param("segment a = x in (1" + ", 1" * 30_000 + ")", "", id="a long list"),
        pytest.param(
            "journey j { if a { } " + "else if a { } " * 20_000 + "}", "", id="a long else if"
        ),
        pytest.param(
            "".join(f"segment s{i} = count(o within 90d) >= {i}\n" for i in range(8_000)),
            "",
            id="many segments",
        ),
        pytest.param(
            "".join(f"segment s{i} = count(o within 90d) > = {i}\n" for i in range(8_000)),
            "JRN001",
            id="many errors",
        ),
        pytest.param("segment a = x " + "foo " * 200_000, "JRN001", id="one long line"),
        pytest.param('"' * 200_000, "JRN001", id="quotation marks"),
        pytest.param("'" * 200_000, "JRN001", id="other quotation marks"),
        pytest.param("sql`" * 100_000, "JRN001", id="backticks"),
        pytest.param("segment a = " + "9" * MILLION, "JRN115", id="digits"),
        pytest.param("segment " + "a" * MILLION + " = b", "JRN115", id="a long name"),
        pytest.param("#" * MILLION, "", id="a long comment"),
        pytest.param(" " * MILLION + "x", "JRN001", id="blanks"),
        pytest.param("x" * 2 * MILLION, "JRN004", id="two million characters"),
    ],
)
def test_it_ends_soon(text: str, code: str) -> None:
    start = time.process_time()
    outcome = parse(Source(path="a", text=text))
    assert time.process_time() - start < 10  # seconds, on a machine that does other things
    if code:
        assert code in {problem.code.id for problem in outcome.diagnostics}
        assert len(outcome.diagnostics) < 300
    else:
        assert outcome.ok


def test_sixty_four_levels_are_read_and_one_more_is_not() -> None:
    assert parse(Source(path="a", text=nested(64))).ok
    outcome = parse(Source(path="a", text=nested(65)))
    assert [problem.code.id for problem in outcome.diagnostics] == ["JRN005"]


def test_a_tree_can_be_walked_by_recursion_whatever_the_text() -> None:
    deep = "journey j { " + "if a { " * 63 + "set b = " + "not " * 90 + "c" + " }" * 64
    outcome = parse(Source(path="a", text=deep))
    assert outcome.ok
    assert hash(outcome.value) == hash(outcome.value)
    assert dump(outcome.value).count("Not") == 90


def test_a_long_sum_within_long_sums_is_bounded_as_a_whole() -> None:
    text = "x"
    for _ in range(60):
        text = f"({text} + x + x + x + x)"
    outcome = parse(Source(path="a", text=f"segment a = {text}"))
    assert [problem.code.id for problem in outcome.diagnostics] == ["JRN005"]
    assert outcome.value is not None
    assert repr(outcome.value)
