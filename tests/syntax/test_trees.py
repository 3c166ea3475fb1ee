"""What is written becomes the node that says it, at its place."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from journeylang.source import Source, Span
from journeylang.syntax import nodes as n
from journeylang.syntax.dump import dump
from journeylang.syntax.parse import parse
from tests.syntax.places import declaration, expression, header, nodes_in, step, tree, under

HERE = Span("a.journey", 0, 0)


def shape(text: str) -> str:
    """An expression with brackets around each operation."""
    return _shape(expression(text))


def _shape(node: n.Expression) -> str:
    match node:
        case n.Ref():
            return node.text
        case n.Integer():
            return str(node.value)
        case n.And():
            return f"({' and '.join(map(_shape, node.operands))})"
        case n.Or():
            return f"({' or '.join(map(_shape, node.operands))})"
        case n.Not():
            return f"(not {_shape(node.operand)})"
        case n.Negate():
            return f"(-{_shape(node.operand)})"
        case n.Binary() | n.Compare():
            return f"({_shape(node.left)} {node.op} {_shape(node.right)})"
        case n.Between():
            return f"({_shape(node.subject)} in {_shape(node.low)}..{_shape(node.high)})"
        case _:
            raise AssertionError(node)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a or b and c", "(a or (b and c))"),
        ("a and b or c", "((a and b) or c)"),
        ("(a or b) and c", "((a or b) and c)"),
        ("a and b and c", "(a and b and c)"),
        ("not a and b", "((not a) and b)"),
        ("not a = b", "(not (a = b))"),
        ("not not a", "(not (not a))"),
        ("a = b + c * d", "(a = (b + (c * d)))"),
        ("a + b = c", "((a + b) = c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a - (b - c)", "(a - (b - c))"),
        ("a / b * c", "((a / b) * c)"),
        ("-a * b", "((-a) * b)"),
        ("a - -b", "(a - (-b))"),
        ("a between b and c and d", "((a in b..c) and d)"),
        ("a between b + 1 and c - 1 or d", "((a in (b + 1)..(c - 1)) or d)"),
        ("((a))", "a"),
        ("a < b and b <= c", "((a < b) and (b <= c))"),
    ],
)
def test_operators_bind_as_they_should(text: str, meant: str) -> None:
    assert shape(text) == meant


def test_comparisons_do_not_chain() -> None:
    outcome = parse(Source(path="a.journey", text="segment s = a < b < c"))
    assert [d.code.id for d in outcome.diagnostics] == ["JRN001"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a \\"b\\" \\\\ \\n\\t\\u00e9"', 'a "b" \\ \n\té'),
        ('""', ""),
        ("9223372036854775807", 2**63 - 1),
        ("007", 7),
        ("0.0004", Decimal("0.0004")),
        ("true", True),
        ("10%", Decimal(10)),
        ("0.1 %", Decimal("0.1")),
        ("2026-02-28", date(2026, 2, 28)),
        ("2026-03-01T10:00", datetime(2026, 3, 1, 10)),  # noqa: DTZ001 - none is written
        ("2026-03-01T10:00:30.5Z", datetime(2026, 3, 1, 10, 0, 30, 500000, tzinfo=UTC)),
        (
            "2026-03-01T10:00+01:00",
            datetime(2026, 3, 1, 10, tzinfo=timezone(timedelta(hours=1))),
        ),
        ("09:00", time(9)),
        ("9:05", time(9, 5)),
        ("23:59:59", time(23, 59, 59)),
    ],
)
def test_literals_are_their_values(text: str, value: object) -> None:
    made = expression(text)
    assert made.value == value  # type: ignore[union-attr]
    assert type(made.value) is type(value)  # type: ignore[union-attr]


@pytest.mark.parametrize("unit", ["s", "m", "h", "d", "w", "mo", "y"])
def test_spans_of_time_keep_their_unit(unit: str) -> None:
    found = expression(f"3{unit}")
    assert isinstance(found, n.Duration)
    assert (found.value, found.unit) == (3, unit)


def test_money_keeps_its_currency_and_its_decimals() -> None:
    found = expression("0.0600 EUR")
    assert isinstance(found, n.Money)
    assert (str(found.amount), found.currency) == ("0.0600", "EUR")
    assert found == expression("0.0600EUR")


def test_sql_keeps_the_place_of_its_text() -> None:
    text = "segment s = sql`select id\nfrom t`"
    found = declaration(text)
    assert isinstance(found, n.Segment)
    hatch = found.condition
    assert isinstance(hatch, n.SqlHatch)
    assert hatch.text == "select id\nfrom t"
    assert text[hatch.text_span.start : hatch.text_span.end] == hatch.text


def test_places_are_those_of_the_text() -> None:
    text = 'segment vip "Big" = sum(order_placed.total where a > 1 within 90d) >= 500 EUR # x'
    found = declaration(text)
    assert isinstance(found, n.Segment)
    assert under(text, found) == text[:-4]
    assert under(text, found.name) == "vip"
    assert found.title is not None
    assert under(text, found.title) == '"Big"'
    compare = found.condition
    assert isinstance(compare, n.Compare)
    assert under(text, compare) == text[20:-4]
    assert under(text, compare.right) == "500 EUR"
    total = compare.left
    assert isinstance(total, n.Aggregate)
    assert under(text, total.function) == "sum"
    assert under(text, total.event) == "order_placed.total"
    assert under(text, total.windows[0]) == "within 90d"


def test_a_bracket_belongs_to_what_is_around_it() -> None:
    text = "segment s = (a + b) * c"
    found = declaration(text)
    assert isinstance(found, n.Segment)
    product = found.condition
    assert isinstance(product, n.Binary)
    assert under(text, product) == "(a + b) * c"
    assert under(text, product.left) == "a + b"


def test_a_step_begins_with_its_label() -> None:
    text = "journey j { hello: send email }"
    found = declaration(text)
    assert isinstance(found, n.Journey)
    (send,) = found.steps
    assert under(text, send) == "hello: send email"
    assert send.label is not None
    assert under(text, send.label) == "hello"


def test_places_are_no_part_of_what_is_equal() -> None:
    assert tree("segment s = a + b") == tree("# first\nsegment   s\n  = a+b\n\n")
    assert tree("segment s = a + b") != tree("segment s = a + c")


def test_nodes_can_be_put_into_sets() -> None:
    assert len({expression("a + b"), expression("a  +  b"), expression("a - b")}) == 2


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("wait gap", "Wait duration=gap"),
        ("a: wait until 09:00", "WaitUntilTime label=a time=09:00:00"),
        ("wait until x", "WaitUntilMoment moment=x"),
        ("wait until x up to 7d", "WaitUntilState condition=x up_to=7d"),
        ("wait for clicked of a/b up to 5d", "WaitForEvent event=clicked-of-a/b up_to=5d"),
        ("exit as done", "Exit reason=done"),
        ("set stage = 3", "Set name=stage value=3"),
    ],
)
def test_steps_that_look_alike_are_told_apart(text: str, lines: str) -> None:
    assert dump(step(text)) == f"{lines}\n"


def test_a_block_that_is_not_there_is_none_and_an_empty_one_is_empty() -> None:
    without = step("wait until x up to 7d")
    empty = step("wait until x up to 7d { timeout { } }")
    assert isinstance(without, n.WaitUntilState)
    assert isinstance(empty, n.WaitUntilState)
    assert (without.then, without.timeout) == (None, None)
    assert (empty.then, empty.timeout) == (None, ())


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("send email", ["email"]),
        ("send first of { email sms push }", ["email", "sms", "push"]),
        ('send best of { email "a", sms "b", }', ["email", "sms"]),
    ],
)
def test_a_send_lists_its_channels_in_order(text: str, channels: list[str]) -> None:
    send = step(text)
    assert isinstance(send, n.Send)
    assert [candidate.channel.text for candidate in send.candidates] == channels


def test_options_of_a_send_come_in_any_order() -> None:
    one = step('send email "a" with { b: 1 } expires 24h about offers else skip')
    other = step('send email "a" else skip about offers expires 24h with { b: 1 }')
    assert one == other


def test_any_is_no_channel() -> None:
    found = declaration("policy p { cap any 1 per day quiet any 20:00 to 09:00 }")
    assert isinstance(found, n.Policy)
    cap, quiet = found.rules
    assert isinstance(cap, n.Cap)
    assert (cap.channel, cap.topic) == (None, None)
    assert isinstance(quiet, n.Quiet)
    assert quiet.channels == ()


def test_a_priority_may_be_negative() -> None:
    assert header("priority -5") == n.Priority(value=-5, span=HERE)


def test_a_call_and_an_aggregate_are_told_apart() -> None:
    assert isinstance(expression("count(order_placed)"), n.Aggregate)
    assert isinstance(expression("age(customer.birth_date)"), n.Call)
    assert isinstance(expression("coutn(order_placed)"), n.Call)
    assert isinstance(expression("coutn(order_placed within 9d)"), n.Aggregate)


def test_not_in_is_a_not_around_the_in() -> None:
    assert expression("a not in (1)") == expression("not a in (1)")


def test_commas_between_pairs_are_a_matter_of_taste() -> None:
    with_commas = declaration("value { a: 1, b: 2, }")
    assert with_commas == declaration("value { a: 1 b: 2 }")
    assert with_commas == declaration("value {\n  a: 1\n  b: 2\n}")


def test_line_ends_mean_nothing() -> None:
    text = 'journey j { owner "a" enter on b where c > 1 d: wait 2d e: send email if f { exit } }'
    assert tree(text) == tree(text.replace(" ", "\n"))
    assert tree(text) == tree(text.replace(" ", "\r\n\t# a comment\r\n"))


def test_an_empty_file_is_a_file() -> None:
    for text in ("", "\n\n", "# only a comment", "language 1"):
        assert tree(text).declarations == ()
    assert tree("language 1\nsegment s = a").language == n.Integer(value=1, span=HERE)


def test_every_node_of_a_tree_can_be_dumped() -> None:
    text = 'segment s = sum(a.b of c/d where not x since entry) >= -5 EUR and y in ("é")'
    made = tree(text)
    assert sum(1 for _ in nodes_in(made)) > 20
    assert dump(made).splitlines()[:3] == ["File", "  declarations:", "    Segment name=s"]
