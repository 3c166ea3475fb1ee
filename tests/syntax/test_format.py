"""The formatter: the same tree, the same comments, one layout, and settled at once."""

import time
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from journeylang.diagnostics.codes import syntax as codes
from journeylang.source import Source
from journeylang.syntax.format import format_source
from journeylang.syntax.parse import parse
from journeylang.syntax.scan import scan
from journeylang.syntax.trivia import trivia
from tests.syntax.sentences import texts

FILES = sorted((Path(__file__).parent / "language").glob("*.journey"))
TEXTS = [path.read_text(encoding="utf-8") for path in FILES]


def formatted(text: str) -> str:
    outcome = format_source(Source(path="a.journey", text=text))
    assert outcome.value is not None, outcome.diagnostics
    return outcome.value


def comments(text: str) -> list[str]:
    source = Source(path="a.journey", text=text)
    found = trivia(source, scan(source)).comments
    return [comment.text for index in sorted(found) for comment in found[index]]


def holds_for(text: str) -> str:
    """Everything that is promised, whatever the text; the text that comes of it."""
    before = parse(Source(path="a.journey", text=text))
    made = formatted(text)
    assert parse(Source(path="a.journey", text=made)).value == before.value
    assert comments(made) == comments(text)
    assert formatted(made) == made
    assert made == "" or made.endswith("\n")
    assert not made.startswith("\n")
    assert not made.endswith("\n\n")
    return made


def has_syntax_error(text: str) -> bool:
    problems = parse(Source(path="a.journey", text=text)).diagnostics
    return any(problem.code in codes.CODES for problem in problems)


@settings(max_examples=200)
@given(texts())
def test_whatever_the_grammar_takes(text: str) -> None:
    assume(not has_syntax_error(text))
    holds_for(text)


@settings(max_examples=60)
@given(texts("journey"))
def test_journeys(text: str) -> None:
    assume(not has_syntax_error(text))
    holds_for(text)


@settings(max_examples=100)
@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from([" ", "\n", "\n\n \t"])), max_size=8),
)
def test_comments_anywhere(text: str, places: list[tuple[float, str]]) -> None:
    """Between any two tokens, but for a label and its colon."""
    tokens = scan(Source(path="a", text=text))
    offsets = [
        tokens.starts[at]
        for where, _ in places
        if tokens.kinds[at := int(where * (len(tokens.kinds) - 1))] != "COLON"
    ]
    for number, (offset, (_, gap)) in enumerate(
        sorted(zip(offsets, places, strict=False), reverse=True)
    ):
        text = f"{text[:offset]}{gap}# put in {number}\n{text[offset:]}"
    made = holds_for(text)
    assert made.count("# put in") == len(offsets)


@settings(max_examples=60)
@given(st.sampled_from(TEXTS) | texts())
def test_line_ends_stay_what_they_are(text: str) -> None:
    assume("\n" in text and not has_syntax_error(text))
    assert formatted(text.replace("\n", "\r\n")) == formatted(text).replace("\n", "\r\n")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_blanks_and_line_ends_of_the_source_do_not_matter(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    made = holds_for(text)
    assert all(len(line) <= 100 for line in made.splitlines())
    assert all(line == line.rstrip() and "\t" not in line for line in made.splitlines())
    wild = "".join(f"\t  {line} \t \n" for line in text.splitlines())
    assert formatted(wild) == made


@pytest.mark.parametrize(
    "text",
    ["segment a = (b", "segment a =", "segment a = b == c", "language 7", "}", "a: wait 2d"],
)
def test_what_does_not_parse_is_refused(text: str) -> None:
    outcome = format_source(Source(path="a", text=text))
    assert outcome.value is None
    assert outcome.diagnostics


def test_what_is_wrong_with_a_value_is_not_for_the_formatter_to_say() -> None:
    assert formatted("journey j{a:wait until 27:00}") == "journey j { a: wait until 27:00 }\n"


def test_nothing_is_nothing() -> None:
    assert formatted("") == ""
    assert formatted(" \n\t\n") == ""
    assert formatted("\n\n# only a comment") == "# only a comment\n"


@pytest.mark.slow
def test_a_text_that_would_be_too_large_is_refused() -> None:
    outcome = format_source(Source(path="a", text="segment a = x in (1" + ",1" * 180_000 + ")"))
    assert [problem.code.id for problem in outcome.diagnostics] == ["JRN004"]


def test_deep_nesting() -> None:
    deep = "journey j { " + "if a { " * 63 + "set b = " + "not " * 90 + "c" + " }" * 64
    assert formatted(deep).count("\n") == 129
    brackets = f"segment a = {'(' * 64}b{' + c' * 40}{')' * 64}"
    assert formatted(brackets).count("\n") == 1 + 2 * 64 + 41


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "".join(f"segment s{i} = count(o within 90d) >= {i}\n" for i in range(22_000)),
        "segment a = x in (1" + ", 1" * 40_000 + ")",
        "segment a = x" + " and x" * 40_000,
        "segment a = x" + ".x" * 80_000,
        "journey j { if a { } " + "else if a { } " * 20_000 + "}",
        "# x\n" * 250_000,
        "segment a = b # x\n" * 20_000,
        "segment a =" + "# x\n" * 150_000 + "b",
        "\n" * 1_000_000 + "segment a = b",
    ],
    ids=["segments", "list", "and", "dots", "else if", "comments", "behind", "within", "blank"],
)
def test_up_to_a_mebibyte_takes_seconds(text: str) -> None:
    start = time.process_time()
    assert format_source(Source(path="a", text=text)).value
    assert time.process_time() - start < 20  # on a machine that does other things
