"""The rules that look into templates: too long, and without a way out."""

from collections.abc import Mapping

import pytest

from journeylang.lint import Settings
from journeylang.lint.least_text import least_text
from journeylang.model import text_message
from journeylang.source import Source
from tests.lint.linted import found

POLICY = "policy standard {{ cap any 3 per day }}\n"
JOURNEY = POLICY + 'journey welcome {{ owner "a@b.example" {more} enter on signed_up {send} }}\n'


def told(
    channel: str,
    template: str,
    *,
    code: str,
    purpose: str = "",
    values: str = "",
    settings: Settings | None = None,
    parts: Mapping[str, str] | None = None,
) -> list[str]:
    """The messages of the rule about one template."""
    ending = "html" if channel == "email" else "txt"
    send = f"hello: send {channel} {values}"
    text = JOURNEY.format(more=f"purpose {purpose}" if purpose else "", send=send)
    templates = {f"welcome/hello.{channel}.{ending}": template, **(parts or {})}
    return [d.message for d in found(code, text, templates=templates, settings=settings)]


# --- JRN109 -------------------------------------------------------------------

TEXT = "x" * 150


@pytest.mark.parametrize(
    ("text", "ucs2", "parts"),
    [
        ("x" * 160, False, 1),
        ("x" * 161, False, 2),
        ("x" * 306, False, 2),
        ("x" * 307, False, 3),
        ("€" * 80, False, 1),
        ("€" * 81, False, 2),
        ("x" * 70, True, 1),
        ("x" * 71, True, 2),
        # Outside of the basic plane a letter takes two places.
        ("😀" * 35, True, 1),
        ("😀" * 36, True, 2),
    ],
)
def test_parts_of_a_text_message(text: str, ucs2: bool, parts: int) -> None:
    assert text_message.parts(text, ucs2=ucs2) == parts


@pytest.mark.parametrize(
    "template",
    [
        TEXT * 3,
        TEXT * 3 + "{{ customer.first_name | default('') }}",
        # The shortest way through counts, and here both are long.
        "{% if customer.score %}" + TEXT * 3 + "{% else %}" + TEXT * 4 + "{% endif %}",
        # One dash makes all of it UCS-2.
        "x" * 70 + "\N{EM DASH}",
        '{% include "shared/long.txt" %}',
    ],
)
def test_a_long_text_message(template: str) -> None:
    (message,) = told("sms", template, code="109", parts={"shared/long.txt": TEXT * 3})
    assert message.startswith("a text message of at least ")
    assert " EUR each" in message


@pytest.mark.parametrize(
    "template",
    [
        TEXT,
        # Two parts are what somebody wanted to say.
        TEXT * 2,
        # Only for some, and nobody knows how many.
        TEXT + "{% if customer.score %}" + TEXT * 3 + "{% endif %}",
        "{% for each in range(9) %}" + TEXT + "{% endfor %}",
        # The dash is seldom there.
        "x" * 75 + "{% if customer.score %}\N{EM DASH}{% endif %}",
        TEXT + "\n" * 200 + " " * 300,
        "{# " + TEXT * 4 + " #}Hello",
        "---\nsubject: " + TEXT * 4 + "\n---\nHello",
        # Umlauts and the euro belong to the alphabet.
        "Für Dich: 5 € geschenkt. " * 6,
    ],
)
def test_a_text_message_that_looks_long(template: str) -> None:
    assert told("sms", template, code="109") == []


def test_a_long_push() -> None:
    assert told("push", "x" * 241, code="109") == ["a push of at least 241 characters"]
    assert told("push", "x" * 240, code="109") == []
    assert told("email", "x" * 2000, code="109") == []


def test_it_is_told_at_the_first_line_of_the_text() -> None:
    template = "---\nsubject: Hello\n---\n{# a comment #}\n" + "x" * 250 + "\nmore\n"
    text = JOURNEY.format(more="", send="hello: send push")
    (long,) = found("109", text, templates={"welcome/hello.push.txt": template})
    assert long.span is not None
    assert template[long.span.start : long.span.end] == "x" * 250


def test_the_least_text_of_what_cannot_be_told() -> None:
    assert least_text('{% extends "a.txt" %}', {}) is None
    assert least_text("{% if %}", {}) is None
    endless = {"a.txt": Source(path="templates/a.txt", text='x{% include "a.txt" %}')}
    least = least_text('{% include "a.txt" %}', endless)
    assert least is not None
    assert set(least.text) == {"x"}


# --- JRN307 -------------------------------------------------------------------

LINK = '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
PLACE = "<p>Acme GmbH, Hauptstr. 1, 10115 Berlin</p>"


def test_a_way_out_is_missing() -> None:
    message = "a marketing e-mail without a link to unsubscribe"
    assert told("email", f"<p>Hello</p>{PLACE}", code="307") == [message]
    # To tell of it is not to have it.
    template = f"Unsubscribe at acme.example {PLACE} {{# {{{{ unsubscribe_url }}}} #}}"
    assert told("email", template, code="307") == [message]


@pytest.mark.parametrize(
    "template",
    [
        f"<p>Hello</p>{LINK}",
        f'<style>p {{ margin: 10px }}</style><p style="width: 600px">Hello</p>{LINK}',
        f'---\nsubject: 20% off\n---\n<a href="https://acme.example/20115">Hello</a>{LINK}',
    ],
)
def test_the_address_is_missing(template: str) -> None:
    assert told("email", template, code="307") == [
        "a marketing e-mail without the sender's postal address"
    ]


@pytest.mark.parametrize(
    "template",
    [
        LINK + PLACE,
        '<a href="{{ preference_url }}">What to receive</a>' + PLACE,
        '<p>Hello</p>{% include "shared/footer.html" %}',
        LINK + "{{ imprint }}",
    ],
)
def test_an_email_that_has_both(template: str) -> None:
    parts = {"shared/footer.html": LINK + PLACE}
    values = 'with { imprint: "Acme GmbH" }'
    assert told("email", template, code="307", parts=parts, values=values) == []


def test_where_nothing_is_asked() -> None:
    assert told("email", "Hello", code="307", purpose="service") == []
    assert told("email", "Hello", code="307", purpose='transactional "a receipt"') == []
    assert told("sms", "Hello", code="307") == []
    under_each = Settings(postal_addresses=frozenset({"email"}))
    assert told("email", LINK, code="307", settings=under_each) == []
