"""What expressions mean: values, types, and logic that is never unknown."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from journeylang.model.expressions import (
    Aged,
    Aggregate,
    All,
    Between,
    BoundEvent,
    Comparison,
    Constant,
    CustomerValue,
    Either,
    EventValue,
    Known,
    MessageEvent,
    MetricValue,
    Negated,
    OneOf,
    SegmentTest,
    SinceLast,
    TextMatch,
    Within,
)
from journeylang.model.types import (
    BOOL,
    DATE,
    DURATION,
    INSTANT,
    INT,
    NUMBER,
    TEXT,
    TIME,
    Type,
    money,
)
from journeylang.source import Span
from tests.analysis.project import metric, project, segment

NOWHERE = Span("", 0, 0)
EUR = money("EUR")


@pytest.mark.parametrize(
    ("text", "value", "type_"),
    [
        ('"x"', "x", TEXT),
        ("5", 5, INT),
        ("-5", -5, INT),
        ("2.5", 2.5, NUMBER),
        ("true", True, BOOL),
        ("100 EUR", Decimal("100.0000"), EUR),
        ("-0.5 EUR", Decimal("-0.5000"), EUR),
        ("90m", 5400, DURATION),
        ("1mo", 30 * 86400, DURATION),
        ("1y", 365 * 86400, DURATION),
        ("2026-05-31", date(2026, 5, 31), DATE),
        ("9:30", time(9, 30), TIME),
        ("2026-05-31T09:00", datetime(2026, 5, 31, 9, tzinfo=UTC), INSTANT),
        ("2026-05-31T09:00+02:00", datetime(2026, 5, 31, 7, tzinfo=UTC), INSTANT),
    ],
)
def test_literals(text: str, value: object, type_: Type) -> None:
    assert metric(text) == Constant(value=value, type=type_, span=NOWHERE)  # type: ignore[arg-type]


def test_money_has_four_decimals() -> None:
    found = metric("1.5 EUR")
    assert isinstance(found, Constant)
    assert str(found.value) == "1.5000"


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("customer.points + 1", "int"),
        ("customer.points * 1.5", "number"),
        ("customer.points / 2", "number"),
        ("customer.points / customer.points", "number?"),
        ("customer.points / 0", "number?"),
        ("customer.spent * 2", "money(EUR)"),
        ("2 * customer.spent", "money(EUR)"),
        ("customer.spent / 2", "money(EUR)"),
        ("customer.spent / customer.spent", "number?"),
        ("customer.spent - 5 EUR", "money(EUR)"),
        ("-customer.spent", "money(EUR)"),
        ("last(order_placed) - first(order_placed)", "duration?"),
        ("last(order_placed) + 3h", "instant?"),
        ("customer.birth_date + 7d", "date?"),
        ("2d + 3h", "duration"),
        ("count(order_placed)", "int"),
        ("distinct(order_placed.category)", "int"),
        ("exists(order_placed)", "bool"),
        ("sum(order_placed.total)", "money(EUR)"),
        ("avg(order_placed.total)", "money(EUR)?"),
        ("avg(order_placed.items)", "number?"),
        ("sum(order_placed.items)", "int"),
        ("max(order_placed.items)", "int?"),
        ("last(order_placed)", "instant?"),
        ("first(order_placed.items)", "int?"),
        ("last(order_placed.category)", "text?"),
        ("sum(sent.cost)", "money(EUR)"),
    ],
)
def test_types(text: str, type_: str) -> None:
    assert str(project(f"metric it = {text}").metrics["it"].type) == type_


def test_a_metric_keeps_its_type_where_it_is_used() -> None:
    made = project(
        "metric b = a * 2 metric a = sum(order_placed.total) segment c = b > 1 EUR"
        " segment d = in segment c"
    )
    assert list(made.metrics) == ["a", "b"]  # each behind those that it needs
    condition = made.segments["c"].condition
    assert isinstance(condition, Comparison)
    assert condition.left == MetricValue(name="b", type=EUR, span=NOWHERE)
    assert made.segments["d"].condition == SegmentTest(name="c", span=NOWHERE)


def test_a_value_of_the_data_is_compared_with_true() -> None:
    found = segment("customer.subscribed and not customer.subscribed")
    assert isinstance(found, All)
    compared = Comparison(
        operator="=",
        left=CustomerValue(name="subscribed", type=BOOL.maybe(), span=NOWHERE),
        right=Constant(value=True, type=BOOL, span=NOWHERE),
        span=NOWHERE,
    )
    assert found.parts == (compared, Negated(part=compared, span=NOWHERE))


def test_a_predicate_stands_for_itself() -> None:
    assert isinstance(segment("exists(order_placed)"), Aggregate)
    assert isinstance(segment("customer.points > 1 or customer.points < 0"), Either)


def test_the_other_predicates() -> None:
    points = CustomerValue(name="points", type=INT, span=NOWHERE)
    country = CustomerValue(name="country", type=TEXT, span=NOWHERE)

    def constant(value: int | str) -> Constant:
        return Constant(value=value, type=INT if isinstance(value, int) else TEXT, span=NOWHERE)

    assert segment("customer.points between 1 and 3") == Between(
        subject=points, low=constant(1), high=constant(3), span=NOWHERE
    )
    assert segment('customer.country in ("DE", "AT")') == OneOf(
        subject=country, options=(constant("DE"), constant("AT")), span=NOWHERE
    )
    assert segment('customer.country starts with "D"') == TextMatch(
        how="starts", subject=country, text=constant("D"), span=NOWHERE
    )
    assert segment("customer.country is unknown") == Known(
        subject=country, known=False, span=NOWHERE
    )
    assert segment("customer.birth_date older than 18y") == Aged(
        older=True,
        subject=CustomerValue(name="birth_date", type=DATE.maybe(), span=NOWHERE),
        seconds=18 * 365 * 86400,
        span=NOWHERE,
    )


def test_an_aggregate() -> None:
    found = metric("sum(order_placed.total where items > 1 within 90d within 1w)")
    assert found == Aggregate(
        function="sum",
        event=BoundEvent(name="order_placed", span=NOWHERE),
        value=EventValue(event="order_placed", name="total", type=EUR, span=NOWHERE),
        where=Comparison(
            operator=">",
            left=EventValue(event="order_placed", name="items", type=INT, span=NOWHERE),
            right=Constant(value=1, type=INT, span=NOWHERE),
            span=NOWHERE,
        ),
        windows=(Within(seconds=90 * 86400, span=NOWHERE), Within(seconds=604800, span=NOWHERE)),
        type=EUR,
        span=NOWHERE,
    )


def test_a_window_since_another_event() -> None:
    found = metric("count(order_placed since last(signed_up))")
    assert isinstance(found, Aggregate)
    (window,) = found.windows
    assert isinstance(window, SinceLast)
    assert (window.of.function, window.of.value, window.of.type) == ("last", None, INSTANT.maybe())


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("opened", MessageEvent(name="opened", span=NOWHERE)),
        ("opened of email", MessageEvent(name="opened", channel="email", span=NOWHERE)),
        ("sent of j/hello", MessageEvent(name="sent", journey="j", path="hello", span=NOWHERE)),
        (
            "sent of j/look/a/hi",
            MessageEvent(name="sent", journey="j", path="look/a/hi", span=NOWHERE),
        ),
        # A label that only one message has stands for its path.
        ("sent of j/hi", MessageEvent(name="sent", journey="j", path="look/a/hi", span=NOWHERE)),
    ],
)
def test_events_of_messages(text: str, event: MessageEvent) -> None:
    made = project(
        'journey j { owner "x" enter on signed_up hello: send email'
        ' look: experiment salt "s" { arm a 50% { hi: send email } arm b 50% { } } }'
        f" segment it = exists({text})"
    )
    found = made.segments["it"].condition
    assert isinstance(found, Aggregate)
    assert found.event == event
