"""Places in texts."""

from hypothesis import given
from hypothesis import strategies as st

from journeylang.source import Source, Span

TEXTS = st.text(alphabet=st.sampled_from("ab\n\r\t日é😀"), max_size=60)


def source(text: str) -> Source:
    return Source(path="a.journey", text=text)


def test_lines_and_columns_count_from_one() -> None:
    s = source("ab\ncde\n\nf")
    assert [s.position(offset) for offset in (0, 2, 3, 6, 7, 8, 9)] == [
        *((1, 1), (1, 3), (2, 1), (2, 4), (3, 1), (4, 1), (4, 2)),
    ]
    assert [s.line(number) for number in range(6)] == ["", "ab", "cde", "", "f", ""]
    assert s.line_count == 4


def test_a_last_line_end_begins_an_empty_line() -> None:
    s = source("ab\n")
    assert s.line_count == 2
    assert s.position(3) == (2, 1)


def test_carriage_returns_keep_their_offsets_and_are_not_shown() -> None:
    s = source("ab\r\ncd\r\n")
    assert s.line(1) == "ab"
    assert s.line(2) == "cd"
    assert s.position(4) == (2, 1)
    assert s.offset(2, 1) == 4


def test_offsets_outside_go_to_the_nearest_end() -> None:
    s = source("ab\ncd")
    assert s.position(-5) == (1, 1)
    assert s.position(99) == (2, 3)
    assert s.offset(0, 7) == 0
    assert s.offset(9, 1) == 5
    assert s.offset(1, 99) == 2


def test_columns_count_code_points() -> None:
    s = source("日本😀x")
    assert s.position(3) == (1, 4)


def test_spans_join_and_cut() -> None:
    s = source("one two three")
    one, three = s.span(0, 3), s.span(8, 13)
    assert one.until(three) == Span("a.journey", 0, 13)
    assert s.excerpt(three) == "three"


def test_spans_sort_by_path_and_place() -> None:
    assert sorted([Span("b", 0, 1), Span("a", 5, 6), Span("a", 1, 9)]) == [
        *(Span("a", 1, 9), Span("a", 5, 6), Span("b", 0, 1)),
    ]


def test_sources_compare_by_path_and_text_whether_lines_are_known_or_not() -> None:
    one, other = source("a\nb"), source("a\nb")
    assert one.line_count == 2
    assert one == other


@given(TEXTS)
def test_offset_undoes_position(text: str) -> None:
    s = source(text)
    for offset in range(len(text) + 1):
        line, column = s.position(offset)
        if column <= len(s.line(line)) + 1:  # not between a \r and its \n
            assert s.offset(line, column) == offset


@given(TEXTS)
def test_lines_are_those_between_line_ends(text: str) -> None:
    s = source(text)
    lines = [s.line(number + 1) for number in range(s.line_count)]
    assert lines == [line.removesuffix("\r") for line in text.split("\n")]
