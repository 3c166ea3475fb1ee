"""Text out of HTML, once per template or once per message: the same text."""

from __future__ import annotations

import pytest
from jinja2 import Environment

from journeylang.delivery.html_text import html_to_text, text_template, tidy

CASES = [
    ("<p>a</p><p>b</p>", "a\n\nb\n"),
    ("a<br>b<br/>c", "a\nb\nc\n"),
    ("<h1>T</h1>x", "T\n\nx\n"),
    ("<p>a\n   b\t<b>c</b> d</p>", "a b c d\n"),
    ("<ul><li>a</li><li>b</li></ul><p>c</p>", "- a\n- b\n\nc\n"),
    ("<ol><li>a<li>b</ol>", "1. a\n2. b\n"),
    ("<ul><li>a<ul><li>b</li></ul></li></ul>", "- a\n- b\n"),
    ('<a href="https://a.example">here</a>', "here (https://a.example)\n"),
    ('<a href="https://a.example">https://a.example</a>', "https://a.example\n"),
    ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example\n"),
    ('<a href="https://a.example"><img src="x"></a>', "https://a.example\n"),
    ('<a href="#top">up</a>', "up\n"),
    ('<img src="x" alt="A cup">', "A cup\n"),
    ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"),
    ("<style>p {}</style><script>x</script><title>t</title>a", "a\n"),
    ('<div style="display: none">no<p>no</p></div>a', "a\n"),
    ("<p hidden>no<p>a", "a\n"),
    ("<head><title>t</title><body>a", "a\n"),
    ("a &amp; b &lt;c&gt; &nbsp;d", "a & b <c> \xa0d\n"),
    ("<pre>a\n  b</pre>", "a\n  b\n"),
    ("a<hr>b", "a\n\n---\n\nb\n"),
    ("<p>a</p>\n\n\n\n<p></p><p> </p><p>b</p>", "a\n\nb\n"),
    ("", "\n"),
]


@pytest.mark.parametrize(("html", "text"), CASES)
def test_finished_html(html: str, text: str) -> None:
    assert html_to_text(html) == text


TEMPLATES = [
    "<p>Dear {{ name }},</p><p>{{ n }} &amp; more</p>",
    "<p>a</p>{% if n > 3 %}<p>b {{ n }}</p>{% else %}<p>c</p>{% endif %}<p>d</p>",
    "<p>a</p>{% if n > 9 %}<p>b {{ n }}</p>{% endif %}<p>d</p>",
    "<ul>{% for x in list %}<li>{{ x }}</li>{% endfor %}</ul><p>end</p>",
    "<p>Hi{% if n > 9 %} you{% endif %}, there</p>",
    '<a href="https://a.example/?n={{ n }}{% if n > 3 %}&x=1{% endif %}">go</a>{# note #}',
    '<p class="{% if n %}a{% endif %}" {% if n %}id=x{% endif %}>a {{- n -}} b</p>',
]


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_text_of_a_template_is_that_of_its_html(template: str) -> None:
    values = {"name": "Jo", "n": 5, "list": ["a", "b", "c"]}
    made = text_template(template)
    assert made is not None
    beforehand = tidy(Environment(autoescape=False).from_string(made).render(values))  # noqa: S701
    html = Environment(autoescape=True).from_string(template).render(values)
    assert beforehand == html_to_text(html)


@pytest.mark.parametrize(
    "template",
    [
        "{% include 'a' %}",
        "{%- extends 'a' %}",
        "{% macro a() %}<b>{% endmacro %}",
        "{% set a %}<b>{% endset %}",
        "{{ a | safe }}",
        "{% raw %}{{ a }}{% endraw %}",
        "{% filter upper %}<b>{% endfilter %}",
        "\ue0000\ue001",
    ],
)
def test_what_makes_html_is_not_converted_beforehand(template: str) -> None:
    assert text_template(template) is None
