"""JRN304 in templates: personal data is for the reader, and not for an address."""

import pytest

from journeylang.analysis.template_links import linked
from tests.lint.linted import found

JOURNEY = """
event asked from shop.questions as q {{
  key q.id customer q.customer_id at q.at append only field words: text? pii field topic: text
}}
policy standard {{ cap any 3 per day }}
journey welcome {{
  owner "a@b.example" enter on asked policy standard
  hello: send email with {{ name: customer.first_name, land: customer.country }}
}}
"""


def told(template: str, parts: dict[str, str] | None = None) -> list[str]:
    templates = {"welcome/hello.email.html": template, **(parts or {})}
    return [d.message for d in found("304", JOURNEY.format(), templates=templates)]


@pytest.mark.parametrize(
    ("template", "field"),
    [
        ('<a href="https://a.example/?m={{ customer.email }}">x</a>', "customer.email"),
        ("<a href='{{ \"https://a.example/?m=\" ~ customer.email }}'>x</a>", "customer.email"),
        ("<img src=\"https://a.example/{{ customer['mobile'] | urlencode }}.png\">", None),
        ('<a href="{{ link("https://a.example/?m=" ~ customer.email) }}">x</a>', "customer.email"),
        ('{{ link("https://a.example/" ~ (entry.words | lower)) }}', "entry.words"),
        ("Look: https://a.example/{{ entry.topic }}/{{ name }}", "name"),
        ("<form action=\"https://a.example/{{ name | default('x') }}\">", "name"),
    ],
)
def test_a_link_with_personal_data(template: str, field: str | None) -> None:
    messages = told(template)
    assert len(messages) == 1, messages
    assert field is None or f"`{field}` is personal data" in messages[0]


@pytest.mark.parametrize(
    "template",
    [
        "Hello {{ customer.first_name | default('you') }}, we write to {{ customer.email }}",
        '<a href="mailto:{{ customer.email }}">x</a> <a href="tel:{{ customer.mobile }}">y</a>',
        '<a href="https://a.example/{{ customer.country }}/{{ land }}/{{ entry.topic }}">x</a>',
        '<a href="https://a.example/?id={{ customer.key }}">{{ customer.first_name }}</a>',
        '{% if customer.first_name %}<a href="https://a.example/">{{ name }}</a>{% endif %}',
        "Look: https://a.example/ {{ customer.first_name }}",
        '<img src="https://a.example/x.png" alt="{{ customer.first_name }}">',
        '<a href="{{ link("https://a.example/customer.email") }}">{{ customer.email }}</a>',
        '<a href="{{ unsubscribe_url }}">{{ customer.email }}</a>',
        "{# https://a.example/{{ customer.email }} #}",
    ],
)
def test_what_only_looks_like_one(template: str) -> None:
    assert told(template) == []


def test_parts_are_looked_into() -> None:
    part = '<a href="https://a.example/?m={{ customer.email }}">x</a>'
    parts = {"shared/footer.email.html": part}
    assert told('{% include "shared/footer.email.html" %}', parts) == [
        "`customer.email` is personal data, and becomes part of a link"
    ]


def test_unclosed_things_end_somewhere() -> None:
    assert list(linked('<a href="https://a.example/{{ link( }}')) != []
    assert list(linked("<a href='{{ x")) == []
