"""Templates against the values they are given: subjects, filters, rows, macros, blocks."""

import pytest

from tests.analysis.test_templates import findings

CATALOG = """
catalog products from shop.products as p {
  key p.sku
  field name: text
  field price: money(EUR)
  field note: text?
}
journey it {
  owner "x"
  enter on order_placed
  hello: send email with { n: 5, picks: top 3 of products by price, sizes: ["s", "m"],
    dates: [customer.birth_date], prices: [entry.total, 5 EUR] }
}
"""


def told(text: str, **parts: str) -> list[tuple[str, str]]:
    return [(code, message) for code, message, _ in findings(text, journey=CATALOG, **parts)]


@pytest.mark.parametrize("text", ["---\npreheader: x\n---\nx", '---\nsubject: ""\n---\nx'])
def test_an_email_has_a_subject(text: str) -> None:
    assert told(text) == [("JRN112", "this e-mail has no subject")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ customer.points | money }}", "`money` cannot write `customer.points`"),
        ("{{ n | money }}", "`money` cannot write `n`"),
        ("{{ entry.at | money('EUR') }}", "`money` cannot write `entry.at`"),
        ("{{ entry.at | number }}", "`number` cannot write `entry.at`"),
        ("{{ entry.total | date }}", "`date` cannot write `entry.total`"),
    ],
)
def test_filters_that_cannot_write_the_value(text: str, message: str) -> None:
    assert told(text) == [("JRN102", message)]


@pytest.mark.parametrize(
    "text",
    [
        "{{ entry.total | money }}{{ entry.total | number(2) }}{{ entry.at | date('long') }}",
        "{{ customer.points | money('EUR') }}{{ n | number }}",
        # A text may hold a figure or a date.
        "{{ customer.country | number }}{{ customer.country | date }}",
        # What another filter made of it is not known.
        "{{ entry.total | int | number }}{{ entry.at | date | upper }}",
        # An unknown value goes through to the `default` behind it.
        '{{ customer.birth_date | date | default("never") }}',
        "{{ customer.points | default(5) | number }}",
        "{% if customer.birth_date %}{{ customer.birth_date | default(none) | date }}{% endif %}",
    ],
)
def test_filters_that_can(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "filter_"),
    [
        ('{{ customer.birth_date | default("never") | date }}', "date"),
        ("{{ customer.birth_date | default(0) | date }}", "date"),
        ('{{ entry.total | default("-") | money }}', "money"),
        ("{{ entry.total | default(0) | money }}", "money"),
    ],
)
def test_a_default_that_cannot_be_written(text: str, filter_: str) -> None:
    words = f"`{filter_}` cannot write what `default` puts in the value's place"
    assert told(text) == [("JRN102", words)]


def test_a_code_is_a_whole_picture() -> None:
    assert told('<p>{{ qr(link("https://a.example")) }}</p>') == []
    words = "`qr` makes the whole picture, and no address of one"
    assert told("""<img src="{{ qr('https://a.example') }}">""") == [("JRN102", words)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "{% for p in picks %}{{ p.nmae }}{% endfor %}",
            ("JRN106", "unknown field `nmae` of `picks`"),
        ),
        ("{% for p in picks %}{{ p.note }}{% endfor %}", ("JRN105", "`p.note` may be unknown")),
    ],
)
def test_rows_of_a_catalogue(text: str, found: tuple[str, str]) -> None:
    assert told(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        "{% for p in picks %}{{ p.name }} {{ p.price | money }} {{ p.key }}{% endfor %}",
        "{% for p in picks %}{{ loop.index }}{% endfor %}",
        "{% for p in picks %}{% if p.note %}{{ p.note }}{% endif %}{% endfor %}",
        "{% for p in picks %}{{ p.note | default('') }}{{ p.note or '' }}{% endfor %}",
        "{% for p in picks if p.note %}{{ p.note }}{% endfor %}",
        "{% for p in picks[:2] %}{{ p.anything }}{% endfor %}",
        "{% for p in [1, 2] %}{{ p.real }}{% endfor %}",
    ],
)
def test_rows_that_look_guilty(text: str) -> None:
    assert told(text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ sizes }}", "`sizes` is a list"),
        ("{{ picks }}", "`picks` is a list"),
        ("{{ sizes | upper }}", "`sizes` is a list"),
        ("{{ prices | money }}", "`prices` is a list"),
        ("{% for p in prices %}{{ p | date }}{% endfor %}", "`date` cannot write `p`"),
        ("{% for s in sizes %}{{ s.name }}{% endfor %}", "what `sizes` lists has no field `name`"),
        ("{% for one in n %}{{ one }}{% endfor %}", "`n` is one value, and no list"),
    ],
)
def test_lists_of_values(text: str, message: str) -> None:
    assert told(text) == [("JRN102", message)]


@pytest.mark.parametrize(
    "text",
    [
        '{{ sizes | join(", ") }}{{ sizes | length }}{{ sizes[0] }}{{ sizes | first | upper }}',
        "{% for p in prices %}{{ p | money }}{{ loop.index }}{% endfor %}",
        "{% if sizes %}{{ sizes | sort | join }}{% endif %}{{ 's' in sizes }}",
        "{% for p in picks %}{{ p }}{% endfor %}",
        "{% for letter in customer.country %}{{ letter }}{% endfor %}",
    ],
)
def test_lists_that_look_guilty(text: str) -> None:
    assert told(text) == []


MACRO = "{% macro hi(name) %}{{ name }}{% endmacro %}"
ASKING = "{% macro hi() %}{{ customer.country }}{% endmacro %}"


def test_what_is_imported_has_not_the_names_of_the_message() -> None:
    missing = "`customer.country` is not there in a template that is brought in without it"
    assert told('{% import "m.html" as m %}{{ m.hi() }}', m=ASKING) == [("JRN106", missing)]
    assert told('{% from "m.html" import hi %}{{ hi() }}', m=ASKING) == [("JRN106", missing)]
    assert told('{% include "m.html" without context %}', m="{{ customer.country }}") == [
        ("JRN106", missing)
    ]
    with_context = '{% from "m.html" import hi with context %}{{ hi() }}'
    assert told(with_context, m=ASKING) == []
    assert told('{% from "m.html" import hi %}{{ hi(customer.country) }}', m=MACRO) == []
    assert told('{% include "m.html" %}', m="{{ customer.country }}") == []


def test_a_macro_that_is_not_there() -> None:
    assert told('{% from "m.html" import ho %}{{ ho("x") }}', m=MACRO) == [
        ("JRN106", "no macro `ho` in `templates/m.html`")
    ]
    # A name that is set there can be imported as well, and where it includes nobody knows.
    assert told('{% from "m.html" import x %}{{ x }}', m="{% set x = 5 %}") == []
    assert told('{% from "m.html" import x %}{{ x }}', m='{% include "o.html" %}', o="") == []


def test_a_block_that_is_replaced_is_not_shown() -> None:
    base = "{% block a %}{{ nothing }}{% endblock %}{% block b %}{{ n }}{% endblock %}"
    child = '{% extends "base.html" %}{% block a %}mine{% endblock %}'
    assert told(child, base=base) == []
    shown = '{% extends "base.html" %}{% block a %}{{ super() }}{% endblock %}'
    assert told(shown, base=base) == [("JRN106", "`nothing` is not given to the template")]


def test_behind_a_default_it_is_still_the_value() -> None:
    found = told("{{ customer.points | default(5) | date }}")
    assert ("JRN102", "`date` cannot write `customer.points`") in found
