"""Whatever the text: diagnostics with places, and no exception."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from journeylang.diagnostics.decode import decode
from journeylang.source import Source
from journeylang.syntax.dump import dump
from journeylang.syntax.grammar import tables
from journeylang.syntax.parse import parse
from journeylang.syntax.scan import scan

FILES = sorted((Path(__file__).parent / "language").glob("*.journey"))
TEXTS = [path.read_text(encoding="utf-8") for path in FILES]

ODD = [
    "\n",
    '"',
    "'",
    "`",
    "sql`",
    "#",
    "10days",
    "2026-02-30",
    "25:00",
    "1%",
    "5 EUR",
    "ü",
    "½",
    "\0",
]
WORDS = st.sampled_from([*sorted(tables().spelling.values()), "a", "b:", '"c"', "7", "2d", *ODD])


def check(text: str) -> None:
    source = Source(path="a", text=text)
    outcome = parse(source)
    assert outcome.value is not None or outcome.diagnostics
    for problem in outcome.diagnostics:
        assert problem.span is not None
        assert 0 <= problem.span.start <= problem.span.end <= len(text)
        assert problem.message
    if outcome.value is not None:
        dump(outcome.value)
        repr(outcome.value)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_bytes(data: bytes) -> None:
    outcome = decode("a", data)
    if outcome.value is not None:
        check(outcome.value.text)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_characters(text: str) -> None:
    check(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=60), st.sampled_from([" ", "\n", " \n  "]))
def test_words_of_the_language(words: list[str], between: str) -> None:
    check(between.join(words))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TEXTS), st.lists(st.tuples(st.floats(0, 1), WORDS | st.none()), max_size=4))
def test_files_with_tokens_changed(text: str, changes: list[tuple[float, str | None]]) -> None:
    for where, word in changes:
        tokens = scan(Source(path="a", text=text))
        at = int(where * (len(tokens.kinds) - 1))
        text = text[: tokens.starts[at]] + (word or "") + text[tokens.ends[at] :]
    check(text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TEXTS), st.floats(0, 1))
def test_files_that_end_too_soon(text: str, where: float) -> None:
    check(text[: int(where * len(text))])
