"""Diagnostics as they are shown."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeylang.diagnostics import Diagnostic, Edit, Fix, Label, Severity, in_order
from journeylang.diagnostics.codes import names, syntax
from journeylang.diagnostics.render import render_json, render_text, summary
from journeylang.diagnostics.width import width
from journeylang.source import Source, Span

PATH = "journeys/cart.journey"


def found(
    text: str,
    place: str | Span = "",
    *,
    label: str = "",
    help: str = "",  # noqa: A002 - as the field is called
    side: str = "",
    notes: tuple[str, ...] = (),
) -> str:
    """One finding at ``place``, as text."""
    source = Source(path=PATH, text=text)
    diagnostic = Diagnostic(
        code=names.UNKNOWN_NAME,
        message="unknown",
        span=span_of(source, place) if isinstance(place, str) else place,
        label=label,
        help=help,
        labels=(Label(span=span_of(source, side), message="here"),) if side else (),
        notes=notes,
    )
    return render_text([diagnostic], {PATH: source})


def span_of(source: Source, words: str) -> Span:
    start = source.text.index(words)
    return source.span(start, start + len(words))


def block(text: str) -> str:
    return text.strip("\n")


def test_the_picture_of_the_design() -> None:
    text = "\n" * 7 + "  exit when exists(order_palced since entry) as converted\n"
    source = Source(path=PATH, text=text)
    diagnostic = Diagnostic(
        code=names.UNKNOWN_NAME,
        message="unknown event `order_palced`",
        span=span_of(source, "order_palced"),
        label="no event of this name is bound",
        help="did you mean `order_placed`?",
    )
    assert render_text([diagnostic], {PATH: source}) == block("""
error[JRN101]: unknown event `order_palced`
  --> journeys/cart.journey:8:20
   |
 8 |   exit when exists(order_palced since entry) as converted
   |                    ^^^^^^^^^^^^ no event of this name is bound
   |
   = help: did you mean `order_placed`?      journey rule JRN101
""")


def test_the_gutter_is_as_wide_as_the_line_number() -> None:
    assert found("\n" * 99 + "abc", "abc") == block("""
error[JRN101]: unknown
    --> journeys/cart.journey:100:1
     |
 100 | abc
     | ^^^
     |
     = help: journey rule JRN101
""")


def test_wide_and_combining_characters_and_tabs_keep_the_carets_in_place() -> None:
    assert found("\t日本 e\u0301 bad", "bad", label="here") == block("""
error[JRN101]: unknown
  --> journeys/cart.journey:1:8
   |
 1 |     日本 e\u0301 bad
   |            ^^^ here
   |
   = help: journey rule JRN101
""")
    assert "\n   | ^^^^\n" in found("日本", "日本")


def test_several_lines_have_a_bracket() -> None:
    assert found(
        "journey a {\n  wait 2d\n}\n", "journey a {\n  wait 2d\n}", label="empty"
    ) == block("""
error[JRN101]: unknown
  --> journeys/cart.journey:1:1
   |
 1 | / journey a {
 2 | |   wait 2d
 3 | | }
   | |_^ empty
   |
   = help: journey rule JRN101
""")


def test_many_lines_are_shortened() -> None:
    text = "\n".join(f"line {number}" for number in range(1, 13))
    assert found(text, Span(PATH, 0, len(text))) == block("""
error[JRN101]: unknown
   --> journeys/cart.journey:1:1
    |
  1 | / line 1
  2 | | line 2
...   |
 11 | | line 11
 12 | | line 12
    | |_______^
    |
    = help: journey rule JRN101
""")


def test_a_second_place_is_marked_otherwise() -> None:
    text = "segment a = one\n\n\nsegment a = two\n"
    assert found(text, "segment a = two", label="again", side="segment a") == block("""
error[JRN101]: unknown
  --> journeys/cart.journey:4:1
   |
 1 | segment a = one
   | --------- here
...
 4 | segment a = two
   | ^^^^^^^^^^^^^^^ again
   |
   = help: journey rule JRN101
""")


def test_a_second_place_in_another_file_has_its_own_excerpt() -> None:
    one = Source(path="a.journey", text="segment a = 1")
    two = Source(path="b.journey", text="\nsegment a = 2")
    diagnostic = Diagnostic(
        code=names.DUPLICATE_NAME,
        message="two segments `a`",
        span=span_of(two, "a "),
        labels=(Label(span=span_of(one, "a "), message="the other one"),),
    )
    assert render_text([diagnostic], {"a.journey": one, "b.journey": two}) == block("""
error[JRN110]: two segments `a`
  --> b.journey:2:9
   |
 2 | segment a = 2
   |         ^^
  ::: a.journey:1:9
   |
 1 | segment a = 1
   |         -- the other one
   |
   = help: journey rule JRN110
""")


def test_an_empty_place_and_the_end_have_one_caret() -> None:
    assert "\n 1 | abc\n   |    ^ end\n" in found("abc", Span(PATH, 3, 3), label="end")
    assert "\n 2 |\n   | ^ end\n" in found("abc\n", Span(PATH, 4, 4), label="end")
    assert "\n 1 |\n   | ^ end\n" in found("", Span(PATH, 0, 0), label="end")


def test_a_place_that_takes_in_the_line_end_stays_on_its_line() -> None:
    assert "\n 1 | abc\n   |   ^ here\n" in found("abc\r\ndef", Span(PATH, 2, 5), label="here")


def test_a_long_line_is_cut_around_the_place() -> None:
    text = found("x" * 5_000 + " bad " + "y" * 5_000, "bad", label="here")
    shown, carets = text.splitlines()[3:5]
    assert len(shown) < 160
    assert shown.startswith(" 1 | …x")
    assert shown.endswith("y…")
    assert shown.index("bad") == carets.index("^^^ here")


def test_notes_come_before_help_and_may_have_lines() -> None:
    text = found("abc", "abc", notes=("first\nsecond",), help="do this")
    assert text.endswith(
        "   = note: first\n           second\n   = help: do this      journey rule JRN101"
    )


def test_without_source_or_place_there_is_no_excerpt() -> None:
    diagnostic = Diagnostic(code=syntax.SYNTAX_ERROR, message="m", span=Span("x.journey", 3, 4))
    assert render_text([diagnostic], {}).splitlines()[1] == "  --> x.journey"
    nowhere = Diagnostic(code=syntax.SYNTAX_ERROR, message="m")
    assert render_text([nowhere], {}) == "error[JRN001]: m\n   = help: journey rule JRN001"


def test_a_source_cannot_write_to_the_terminal() -> None:
    evil = "a\x1b]0;title\x07 \u202e\x9b31m bad\x7f"
    source = Source(path="x\x1b[2J.journey", text=evil)
    diagnostic = Diagnostic(
        code=names.UNKNOWN_NAME,
        message="unknown \x1b[31m\nname",
        span=Span(source.path, 0, len(evil)),
        label="\x1b[0m",
        help="\x1b[1m",
    )
    shown = render_text([diagnostic], {source.path: source})
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)


def test_colour_is_only_added() -> None:
    source = Source(path=PATH, text="segment a = palced")
    diagnostic = Diagnostic(
        code=names.UNKNOWN_NAME, message="m", span=span_of(source, "palced"), help="h"
    )
    plain = render_text([diagnostic], {PATH: source})
    coloured = render_text([diagnostic], {PATH: source}, colour=True)
    assert "\x1b" not in plain
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_json_has_the_documented_fields() -> None:
    source = Source(path=PATH, text="language 1\nsegment ä = palced\n")
    diagnostic = Diagnostic(
        code=names.UNKNOWN_NAME, message="unknown `palced`", span=span_of(source, "palced")
    )
    nowhere = Diagnostic(code=syntax.SYNTAX_ERROR, message="m", help="h")
    assert json.loads(render_json([diagnostic, nowhere], {PATH: source})) == {
        "format_version": 1,
        "diagnostics": [
            {
                "code": "JRN101",
                "name": "unknown-name",
                "severity": "error",
                "message": "unknown `palced`",
                "file": PATH,
                "line": 2,
                "column": 13,
                "end_line": 2,
                "end_column": 19,
                "help": None,
                "fix": None,
            },
            {
                "code": "JRN001",
                "name": "syntax-error",
                "severity": "error",
                "message": "m",
                "file": None,
                "line": None,
                "column": None,
                "end_line": None,
                "end_column": None,
                "help": "h",
                "fix": None,
            },
        ],
    }


def test_the_summary_counts() -> None:
    error = Diagnostic(code=names.UNKNOWN_NAME, message="m")
    warning = Diagnostic(code=names.UNKNOWN_NAME, message="m", severity=Severity.WARNING)
    assert summary([]) == ""
    assert summary([warning]) == "1 warning"
    assert summary([warning, error, error]) == "2 errors, 1 warning"


def test_the_order_is_that_of_the_files() -> None:
    def at(path: str, start: int) -> Diagnostic:
        return Diagnostic(code=names.UNKNOWN_NAME, message="m", span=Span(path, start, start))

    nowhere = Diagnostic(code=names.UNKNOWN_NAME, message="m")
    expected = (nowhere, at("a", 1), at("a", 9), at("b", 0))
    assert in_order([at("b", 0), at("a", 9), nowhere, at("a", 1)]) == expected


@given(
    text=st.text(alphabet=st.sampled_from("ab \t\n\r日e\u0301😀\x1b\u200b"), max_size=40),
    start=st.integers(0, 45),
    length=st.integers(0, 45),
    other=st.integers(0, 45),
)
def test_every_place_can_be_shown(text: str, start: int, length: int, other: int) -> None:
    source = Source(path=PATH, text=text)
    diagnostic = Diagnostic(
        code=names.UNKNOWN_NAME,
        message="m",
        span=Span(PATH, start, start + length),
        label="L",
        labels=(Label(span=Span(PATH, other, other + 1), message="S"),),
    )
    shown = render_text([diagnostic], {PATH: source})
    assert "^ L" in shown
    assert "- S" in shown


@pytest.mark.parametrize("before", ["", "ab", "\t", "日本", "e\u0301", "\x1b", "a\tb\t"])
def test_carets_stand_under_their_characters(before: str) -> None:
    line, carets = found(f"{before}bad", "bad").splitlines()[3:5]
    assert width(line[: line.index("bad")]) == carets.index("^")


def test_json_has_the_edits_of_a_fix() -> None:
    source = Source(path=PATH, text="language 1\nsegment a = palced\n")
    span = span_of(source, "palced")
    fix = Fix(title="write `placed`", edits=(Edit(span, "placed"),))
    diagnostic = Diagnostic(code=names.UNKNOWN_NAME, message="m", span=span, fix=fix)
    (found,) = json.loads(render_json([diagnostic], {PATH: source}))["diagnostics"]
    assert found["fix"] == {
        "title": "write `placed`",
        "safe": False,
        "edits": [
            {
                "file": PATH,
                "line": 2,
                "column": 13,
                "end_line": 2,
                "end_column": 19,
                "text": "placed",
            }
        ],
    }
