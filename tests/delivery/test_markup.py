"""MJML and styles: what mailboxes show."""

from __future__ import annotations

import pytest

from journeylang.delivery.links import Links
from journeylang.delivery.markup import MarkupError, mjml_to_html, with_inlined_styles
from journeylang.delivery.render import Broken, Failed, For, Rendered, Renderer

LINKS = Links(key=b"k" * 32)
MJML = """---
subject: Hello
---
<mjml><mj-body><mj-section><mj-column>
<mj-text>Dear {{ customer.name }} &amp; co</mj-text>
{% for x in list %}<mj-text>no. {{ x }}</mj-text>{% endfor %}
<mj-button href="{{ link('https://a.example/?a=1&b=2') }}">Go</mj-button>
</mj-column></mj-section></mj-body></mjml>
"""


def render(sources: dict[str, str], channel: str = "email", **scope: object) -> Rendered:
    given = {"customer": {"name": "Jo <b>"}, "list": [1, 2], **scope}
    made = Renderer(sources).render("a/b", channel, For(message="1", scope=given), LINKS)
    assert not isinstance(made, Failed | Broken), made.detail
    return made


def test_mjml_becomes_tables_with_its_values() -> None:
    made = render({"a/b.email.mjml": MJML})
    assert made.html is not None
    assert "<mj-" not in made.html
    assert "Jo &lt;b&gt; &amp; co" in made.html
    assert made.html.count("no. ") == 2
    assert 'href="https://a.example/?a=1&amp;b=2"' in made.html
    assert "Dear Jo <b> & co" in made.text
    assert "no. 1" in made.text
    assert "Go (https://a.example/?a=1&b=2)" in made.text


@pytest.mark.parametrize("text", ["<mjml>", "no markup", "<html></html>", ""])
def test_what_is_no_mjml(text: str) -> None:
    with pytest.raises(MarkupError) as error:
        mjml_to_html(text)
    assert "\n" not in str(error.value)


def test_files_are_not_included() -> None:
    with pytest.raises(MarkupError):
        mjml_to_html('<mjml><mj-body><mj-include path="/etc/passwd" /></mj-body></mjml>')


STYLED = """<html><head><style>
p { color: red } .big { font-size: 20px }
@media (prefers-color-scheme: dark) { p { color: white } }
</style></head><body><p class="big">Hi {{ customer.name }}</p></body></html>"""


def test_styles_move_to_their_elements() -> None:
    html = render({"a/b.email.html": f"---\nsubject: x\n---\n{STYLED}"}).html
    assert html is not None
    assert 'style="color: red;font-size: 20px;"' in html
    assert "prefers-color-scheme: dark" in html
    assert "Hi Jo &lt;b&gt;" in html


def test_without_styles_nothing_is_touched() -> None:
    plain = "<p>a<br>b"
    assert with_inlined_styles(plain) is plain
    assert render({"a/b.push.html": STYLED}, "push").html == STYLED.replace(
        "{{ customer.name }}", "Jo &lt;b&gt;"
    )


def test_no_stylesheet_is_fetched() -> None:
    html = '<link rel="stylesheet" href="http://127.0.0.1:9/a.css"><style>p{color:red}</style><p>x'
    assert "color: red" in with_inlined_styles(html)
