"""Values that cannot be, and parts that stand twice: told at their places, never raised."""

import pytest

from journeylang.source import Source
from journeylang.syntax.parse import parse
from tests.syntax.places import problems


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("segment s = 2026-02-30", "2026-02-30", "does not exist"),
        ("segment s = 2026-13-01T10:00", "2026-13-01T10:00", "does not exist"),
        ("segment s = 2026-01-01T25:00", "2026-01-01T25:00", "does not exist"),
        ("segment s = 0000-01-01", "0000-01-01", "does not exist"),
        ("segment s = 25:00", "25:00", "does not exist"),
        ("segment s = 9:60", "9:60", "does not exist"),
        ("segment s = 2026-01-01T10:00+99:99", "2026-01-01T10:00+99:99", "does not exist"),
        ("segment s = 9223372036854775808", "9223372036854775808", "larger than"),
        ("segment s = 0.12345 EUR", "0.12345 EUR", "5 decimals"),
        ("segment s = 123456789012345 EUR", "123456789012345 EUR", "14 digits"),
        ("segment s = 0.1234567890123456789", "0.1234567890123456789", "18 digits"),
        ("segment s = top 101% by x", "101%", "outside of"),
        ("segment s = top 0% by x", "0%", "outside of"),
        ("segment s = tile 1 by x", "1", "outside of"),
        ('segment s = a = "x\\q"', "\\q", "no meaning"),
        ('segment s = a = "\\ud800"', "\\ud800", "no character"),
        ('segment s = a = "\\u0000"', "\\u0000", "no character"),
        ('segment s = a."" = 1', '""', "without a letter"),
        ("journey j { holdout 101% }", "101%", "more than 100%"),
        ("policy p { control 200% }", "200%", "more than 100%"),
        ("policy p { quiet sms 09:00 to 09:00 }", "09:00", "same time"),
        ("journey j { e: experiment { arm a 120% { } } }", "120%", "more than 100%"),
        ("assume a { order_placed 101% per 1d }", "101%", "more than 100%"),
        ("journey j { a: wait 101y }", "101y", "hundred years"),
        ("journey j { a: wait 99999999999999999999d }", "99999999999999999999d", "larger"),
        ("journey j { enter every mondy at 10:00 }", "mondy", "no day"),
        ("journey j { a: wait until 09:00 on weekdys }", "weekdys", "no day"),
        ("journey j { enter every month on 32 at 10:00 }", "32", "no month"),
        ("journey j { a: repeat up to 0 times { } }", "0", "no rounds"),
        ("language 2", "2", "edition 2"),
        ("segment s = count(a.b.c)", "a.b.c", "over one event"),
        ("segment s = sum(1 + 2)", "1 + 2", "over one event"),
        ("segment s = count()", "count()", "over one event"),
        ("segment s = min(a, b)", "min(a, b)", "over one event"),
        ("segment s = count(a where b where c)", "where c", "stands twice"),
        ("segment s = count(a of b of c)", "c", "stands twice"),
        ("journey j { a: send email expires 1d expires 2d }", "expires 2d", "stands twice"),
        ("journey j { a: wait up to 1d { timeout { } timeout { } } }", "timeout { }", "twice"),
        ("journey j { a: wait until 09:00 else skip }", "else skip", "time of day"),
        ("journey j { a: wait 1d priority 3 }", "priority 3", "behind the first step"),
        (f"segment {'a' * 201} = b", "a" * 201, "201 characters"),
    ],
)
def test_what_cannot_be_is_told_where_it_stands(text: str, place: str, message: str) -> None:
    (problem,) = problems(text)
    assert message in problem.message
    assert problem.span is not None
    assert text[problem.span.start : problem.span.end] == place
    assert problem.is_error


def test_the_tree_is_whole_all_the_same() -> None:
    outcome = parse(Source(path="a", text="segment s = a < 2026-02-30\nsegment t = b"))
    assert outcome.value is not None
    assert len(outcome.value.declarations) == 2
    assert not outcome.ok


@pytest.mark.parametrize("text", ["top 100% by x", "top 0.1% by x", "tile 2 by x", "100y > 1d"])
def test_what_just_can_be_is_no_problem(text: str) -> None:
    assert problems(f"segment s = {text}") == ()
