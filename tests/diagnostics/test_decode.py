"""From bytes to sources."""

import pytest

from journeylang.diagnostics import Outcome
from journeylang.diagnostics.decode import LARGEST, decode
from journeylang.diagnostics.render import render_text
from journeylang.source import Source, Span


def ids(outcome: Outcome[Source]) -> list[str]:
    return [diagnostic.code.id for diagnostic in outcome.diagnostics]


@pytest.mark.parametrize("text", ["", "language 1\n", "a\r\nb\r\n", "日本 😀 é\t\n", "\u2028"])
def test_utf8_stays_as_it_is(text: str) -> None:
    outcome = decode("a.journey", text.encode())
    assert outcome == Outcome(value=Source(path="a.journey", text=text))
    assert outcome.ok


def test_a_byte_order_mark_is_dropped() -> None:
    outcome = decode("a.journey", b"\xef\xbb\xbflanguage 1")
    assert outcome.value is not None
    assert outcome.value.text == "language 1"
    assert outcome.value.position(0) == (1, 1)


def test_other_encodings_have_a_place() -> None:
    outcome = decode("a.journey", "eins\nGrüße an alle Müller".encode("latin-1"))
    assert ids(outcome) == ["JRN002"]
    assert not outcome.ok
    assert outcome.diagnostics[0].span == Span("a.journey", 7, 8)
    assert "`fc`" in outcome.diagnostics[0].message
    assert outcome.value is not None
    assert render_text(outcome.diagnostics, {"a.journey": outcome.value}).splitlines()[1:5] == [
        "  --> a.journey:2:3",
        "   |",
        " 2 | Gr��e an alle M�ller",
        "   |   ^",
    ]


def test_a_cut_character_at_the_end_has_a_place() -> None:
    outcome = decode("a.journey", "abc€".encode()[:-1])
    assert ids(outcome) == ["JRN002"]
    assert outcome.diagnostics[0].span == Span("a.journey", 3, 4)


def test_nul_has_a_place_and_can_be_shown() -> None:
    outcome = decode("a.journey", b"one\ntwo \0 three")
    assert ids(outcome) == ["JRN003"]
    assert outcome.value is not None
    text = render_text(outcome.diagnostics, {"a.journey": outcome.value})
    assert "two ␀ three" in text
    assert "\0" not in text


def test_utf16_is_no_text() -> None:
    assert ids(decode("a.journey", "language 1".encode("utf-16"))) == ["JRN002"]
    assert ids(decode("a.journey", "language 1".encode("utf-16-le"))) == ["JRN003"]


def test_size_is_bounded() -> None:
    assert decode("a.journey", b" " * LARGEST).ok
    outcome = decode("a.journey", b" " * (LARGEST + 1))
    assert outcome.value is None
    assert ids(outcome) == ["JRN004"]
    assert "a.journey" in render_text(outcome.diagnostics, {})
