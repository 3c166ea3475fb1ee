"""Files with mistakes in their text: all of them are told at once, and none is invented.

A line expects with ``# error: JRN001 "words of the message"`` at its end; where the comment
would change the line, ``# error above: …`` stands below it.
"""

import re
from pathlib import Path

import pytest

from journeylang.source import Source
from journeylang.syntax.dump import dump
from journeylang.syntax.parse import parse

FILES = sorted((Path(__file__).parent / "errors").glob("*.journey"))

_EXPECTED = re.compile(r'#\s*error( above)?:\s*(JRN\d{3})\s+"([^"]*)"')


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_mistake_is_told_at_its_line(path: Path) -> None:
    source = Source(path=path.name, text=path.read_text(encoding="utf-8"))
    expected = [
        (number - bool(above), code, words)
        for number, line in enumerate(source.text.split("\n"), 1)
        for above, code, words in _EXPECTED.findall(line)
    ]
    found = []
    for problem in parse(source).diagnostics:
        assert problem.span is not None
        line = source.position(problem.span.start)[0]
        words = [w for n, c, w in expected if (n, c) == (line, problem.code.id)]
        matches = words and words[0] in problem.message
        found.append((line, problem.code.id, words[0] if matches else problem.message))
    assert found == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_there_is_a_tree_all_the_same(path: Path) -> None:
    outcome = parse(Source(path=path.name, text=path.read_text(encoding="utf-8")))
    assert outcome.value is not None
    assert dump(outcome.value)


def test_what_is_right_stays_in_the_tree() -> None:
    path = next(file for file in FILES if file.stem == "six_mistakes")
    tree = parse(Source(path=path.name, text=path.read_text(encoding="utf-8"))).value
    assert tree is not None
    lines = [line.strip() for line in dump(tree).splitlines()]
    assert [line for line in lines if line.startswith(("Segment", "Policy", "Journey"))] == [
        "Segment name=many",
        "Segment name=double",
        "Policy name=standard",
        'Journey name=welcome title="Turn a sign-up into a first order"',
    ]
    steps = [line for line in lines if line.startswith(("Send", "Wait", "If"))]
    assert steps == [
        "Send label=hello strategy=only",
        "Wait label=settle duration=days",
        "If",
        "Send label=vip strategy=only",
        "Send label=normal strategy=only",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("segmnt a = b", "did you mean `segment`?"),
        ("segment a = b == c", "equal is written `=`"),
        ("segment a = b <> c", "unequal is written `!=`"),
        ("segment a = b && c", "write `and`"),
        ("segment a = €5", "5 EUR"),
        ("segment a = 'b'", '`"b"`'),
        ("segment a = 10days", "`10d`"),
        ("segment a = größe", 'o."größe"'),
        ("journey a { hello send email }", "`hello: send …`"),
        ("channel a { address = b }", "`address: …`"),
        ("segment a = b > 1; segment c = d", "remove it"),
        ("segment a = b\nlanguage 1", "move it to the first line"),
        ("journey a { enter when top > 5 }", ""),
    ],
)
def test_the_help_says_what_was_meant(text: str, words: str) -> None:
    first = parse(Source(path="a", text=text)).diagnostics[0]
    assert words in first.help
