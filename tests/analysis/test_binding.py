"""The binding: tables, columns, consents, channels, and what stands where nothing is said."""

from decimal import Decimal

from journeylang.model.binding import ConsentTable, ConsentWhen
from journeylang.model.expressions import Arithmetic, Column, Comparison, Constant, CustomerValue
from journeylang.model.types import TEXT, Kind, money
from journeylang.source import Span
from tests.analysis.project import project

NOWHERE = Span("", 0, 0)


def column(name: str) -> Column:
    return Column(name=name, span=NOWHERE)


def test_customers() -> None:
    customers = project("").binding.customers
    assert customers is not None
    assert customers.table.parts == ("crm", "customers")
    assert customers.key == column("customer_id")
    assert (customers.timezone, customers.zone_else, customers.locale_else) == (None, "UTC", "en")
    fields = {field.name: field for field in customers.fields}
    assert (fields["email"].value, fields["email"].pii) == (column("email_address"), True)
    assert fields["email"].type == TEXT.maybe()
    # Without `=` a field is the column of its own name.
    assert (fields["country"].value, fields["country"].pii) == (column("country"), False)


def test_events() -> None:
    events = project(
        "event seen from shop.views as v {"
        " key v.id customer v.c at v.t changed at v.u"
        ' field fee: money(EUR) = v.net + v.tax * 2 only where v.bot and v.kind != "x" }'
    ).binding.events
    assert (events["order_placed"].late, events["seen"].late) == (6 * 3600, 3600)
    seen = events["seen"]
    assert (seen.changed_at, seen.append_only) == (column("u"), False)
    fee = seen.fields[0]
    assert fee.type == money("EUR")
    assert isinstance(fee.value, Arithmetic)
    assert fee.value.type.kind is Kind.MONEY
    assert seen.only_where is not None


def test_a_column_as_condition() -> None:
    made = project(
        "consent a from t as m { customer m.c at m.t granted m.opted_in source m.s }"
        ' consent b when customer.country = "DE" basis "asked" consent c when customer.subscribed'
    ).binding.consents
    granted = made["a"]
    assert isinstance(granted, ConsentTable)
    yes = Constant(value=True, type=granted.granted.type or TEXT, span=NOWHERE)
    assert granted.granted == Comparison(
        operator="=", left=column("opted_in"), right=yes, span=NOWHERE
    )
    assert granted.source == column("s")
    assert isinstance(made["b"], ConsentWhen)
    assert made["b"].basis == "asked"


def test_channels_and_topics() -> None:
    binding = project(
        'topic offers "Personal offers" { consent: email_marketing }'
        " channel bare { address: customer.email }"
    ).binding
    email = binding.channels["email"]
    assert isinstance(email.address, CustomerValue)
    assert (email.address.name, email.consent) == ("email", "email_marketing")
    assert (email.cost, email.currency) == (Decimal("0.0004"), "EUR")
    bare = binding.channels["bare"]
    assert (bare.consent, bare.cost, bare.currency) == (None, None, None)
    topic = binding.topics["offers"]
    assert (topic.title, topic.consent) == ("Personal offers", "email_marketing")
