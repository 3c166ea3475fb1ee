"""Messages that are written without a template: they are those that the template writes."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from journeylang.delivery import render
from journeylang.delivery.formats import Money
from journeylang.delivery.links import Links
from journeylang.delivery.render import Broken, Failed, For, Rendered, Renderer
from journeylang.delivery.sandbox import unknown

LINKS = Links(key=b"k" * 32, base_url="https://m.acme.example")
SCOPE: dict[str, object] = {
    "customer": {
        "first_name": '<Jo> & "Grüße"\n',
        "points": 1234,
        "items": 3,
        "rate": 0.5,
        "vip": True,
        "nothing": unknown("customer.nothing"),
        "tags": ["a", "b"],
        "empty": "",
    },
    "entry": {"total": Money.of(Decimal("12.5000"), "EUR"), "day": date(2026, 3, 1)},
    "profile": {},
    "offer": "Tea & more",
    "at": datetime.fromisoformat("2026-03-01T23:30"),
}

QUICK = [
    "no tag at all",
    '\n\n{{ customer.first_name }} and \'quotes\' """ \\n {braces} %s\n\n',
    "{{ customer['first_name'] | upper }} {{ customer.first_name | upper }}",
    "{{ customer.nothing | default('<friend>') }}, {{ customer.nothing | d(7) }}",
    "{{ customer.nothing | default('', true) }}{{ customer.empty | default('none', true) }}",
    "{{ entry.total | money }} {{ entry.total | money }} {{ customer.points | money('USD') }}",
    "{{ customer.points | number }} {{ customer.rate | number(2) }}",
    "{{ at | date }} {{ entry.day | date('long') }} {{ at | date('d. MMMM HH:mm') }}",
    "{% if customer.nothing %}a{% elif customer.empty %}b{% else %}c{% endif %}",
    "{% if customer.first_name %}Dear {{ customer.first_name }}{% endif %}!",
    "{% if customer.points > 1000 and not customer.nothing %}gold {{ offer }}{% endif %}",
    "{% if customer.points == 1 %}{{ offer | upper }}{% endif %}{{ offer | upper }}",
    "{{ 'a' if customer.points >= 5 else 'b' }} {{ customer.empty or offer }}",
    "{{ offer ~ ' <b> ' ~ customer.first_name }}",
    '<a href="{{ link("https://acme.example/?a=1&b=2") }}">x</a> {{ link("mailto:a@b.c") }}',
    '{{ link("https://acme.example/?o=" ~ offer) }} {{ answer_url("nps", 9) }}',
    "{{ unsubscribe_url }} {{ preference_url }}",
    "{# a note #}{{- offer -}}  {{ 5 }} {{ 'x' }}",
]

LEFT = [
    "{% for tag in customer.tags %}{{ tag }}{% endfor %}",
    "{% set a = 1 %}{{ a }}",
    "{{ customer.rate }} {{ customer.vip }} {{ entry.total }}",
    "{{ customer.tags | join(', ') }} {{ customer.tags | length }}",
    "{{ customer.first_name | e }} {{ customer.first_name | safe }}",
    "{{ qr('https://acme.example') }}",
    "{{ customer.first_name[0] }} {{ customer.first_name.upper() }}",
    "{{ customer.points + 1 }} {{ customer.points is defined }}",
]

FAILING = [
    "fine\n{{ customer.nothing }}",
    "{{ customer.missing }}",
    "{{ other }}",
    "{{ other.one | default('x') }}",
    "{{ customer.points.deeper }}",
    "{{ customer.tags }}",
    "{{ customer.points | money }}",
    "{{ offer | date }}",
    "{{ customer.nothing | upper }}\n{{ customer.nothing }}",
    "{% if customer.first_name > 5 %}a{% endif %}",
]


def both(
    body: str, extension: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[Rendered | Failed | Broken, Rendered | Failed | Broken, bool]:
    """As it is written, as the templates write it, and whether they were asked the first time."""
    head = "subject: 'Hello {{ offer | upper }}'\nfrom: a@b.example"
    sources = {f"hello.email.{extension}": f"---\n{head}\n---\n{body}"}
    what = For(message="0f34", scope=SCOPE, locale="de-DE", zone="Europe/Berlin")
    asked: list[bool] = []
    text = render._text

    def spy(*args: object) -> str:
        asked.append(True)
        return text(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(render, "_text", spy)
    quick = Renderer(sources)
    written = quick.render("hello", "email", what, LINKS)
    by_template = Renderer(sources)
    compiled = by_template._prepared("hello", "email")
    if not isinstance(compiled, Broken):
        by_template._compiled["hello", "email"] = replace(compiled, quick=None)
    first = bool(asked)
    return written, by_template.render("hello", "email", what, LINKS), first


@pytest.mark.parametrize("extension", ["html", "txt"])
@pytest.mark.parametrize("body", QUICK)
def test_the_same_without_a_template(
    body: str, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, by_template, asked = both(body, extension, monkeypatch)
    assert isinstance(quick, Rendered), quick
    assert quick == by_template
    assert not asked


@pytest.mark.parametrize("extension", ["html", "txt"])
@pytest.mark.parametrize("body", LEFT)
def test_the_rest_is_left_to_the_template(
    body: str, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, by_template, asked = both(body, extension, monkeypatch)
    assert isinstance(quick, Rendered), quick
    assert quick == by_template
    assert asked


@pytest.mark.parametrize("extension", ["html", "txt"])
@pytest.mark.parametrize("body", FAILING)
def test_the_template_says_what_is_wrong(
    body: str, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, by_template, _ = both(body, extension, monkeypatch)
    assert not isinstance(quick, Rendered)
    assert quick == by_template


def test_what_is_too_large_is_refused_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "{{ offer }}" + "{{ customer.first_name }}" * 4
    long = {**SCOPE, "customer": {"first_name": "x" * 400_000}}
    monkeypatch.setitem(SCOPE, "customer", long["customer"])
    quick, by_template, asked = both(body, "txt", monkeypatch)
    assert isinstance(quick, Failed)
    assert quick == by_template
    assert asked


def test_texts_of_a_template_are_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a name or a text is, it stands as a literal."""
    body = "{{ customer['\\'] + left() + [\\''] | default('\\'); left(') }}{{ '\\\\' }}\x00\u2028"
    quick, by_template, _ = both(body, "txt", monkeypatch)
    assert quick == by_template


@pytest.mark.parametrize("extension", ["html", "txt"])
@pytest.mark.parametrize(
    "body",
    [
        "{{ customer.first_name }}" * 200,
        "{% if offer %}" + "{{ customer.first_name }}" * 200 + "{% endif %}",
        f"{{{{ 'a' if ({' ~ '.join(['customer.first_name'] * 200)}) == 'b' else 'c' }}}}",
        "{{ customer.first_name ~ offer }}" * 150,
        "".join(f"{{{{ customer.first_name | d('{n}') | upper }}}}" for n in range(250)),
    ],
)
def test_what_is_too_large_is_never_made(
    body: str, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SCOPE, "customer", {"first_name": "&" + "x" * 300_000})
    sources = {f"hello.email.{extension}": f"---\nsubject: s\nfrom: a@b.example\n---\n{body}"}
    what = For(message="0f34", scope=SCOPE)
    both(body, extension, monkeypatch)  # all of it is imported
    renderer = Renderer(sources)
    renderer.render("hello", "email", For(message="1", scope=SCOPE | {"customer": {}}), LINKS)
    tracemalloc.start()
    try:
        assert isinstance(renderer.render("hello", "email", what, LINKS), Failed)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024 * 1024
