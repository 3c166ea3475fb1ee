"""Every construct of the language is read, and every node has its place."""

from pathlib import Path

import pytest

from journeylang.source import Source, Span
from journeylang.syntax import nodes as n
from journeylang.syntax.parse import parse
from tests.syntax.places import nodes_in

FILES = sorted((Path(__file__).parent / "language").glob("*.journey"))

NEVER_ALONE = {n.File}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_the_language_is_read_whole(path: Path) -> None:
    source = Source(path=path.name, text=path.read_text(encoding="utf-8"))
    outcome = parse(source)
    assert outcome.diagnostics == ()
    assert outcome.value is not None
    assert outcome.value.declarations


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_node_lies_within_the_node_that_holds_it(path: Path) -> None:
    source = Source(path=path.name, text=path.read_text(encoding="utf-8"))
    outcome = parse(source)
    assert outcome.value is not None
    for node in nodes_in(outcome.value):
        span = node.span  # type: ignore[attr-defined]
        assert isinstance(span, Span)
        assert span.path == path.name
        assert source.excerpt(span) == source.excerpt(span).strip(), node
        for inner in nodes_in(node):
            place = inner.span  # type: ignore[attr-defined]
            assert span.start <= place.start < place.end <= span.end, (node, inner)


def test_every_kind_of_node_is_in_one_of_the_files() -> None:
    seen: set[type] = set()
    for path in FILES:
        outcome = parse(Source(path=path.name, text=path.read_text(encoding="utf-8")))
        seen |= {type(node) for node in nodes_in(outcome.value)}
    every = {thing for name in n.__all__ if isinstance(thing := getattr(n, name), type)}
    assert every - seen == set()
