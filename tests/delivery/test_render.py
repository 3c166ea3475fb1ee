"""Templates: what they may use, what they say when they fail, and that none runs away."""

from __future__ import annotations

import time
from datetime import date, datetime
from decimal import Decimal

import pytest

from journeylang.analysis.template_scope import FILTERS, GIVEN, GLOBALS
from journeylang.delivery.formats import Money
from journeylang.delivery.links import Links
from journeylang.delivery.render import (
    FUNCTIONS,
    Broken,
    Failed,
    For,
    Rendered,
    Renderer,
    one_line,
    renderer,
)
from journeylang.delivery.sandbox import MessageEnvironment, unknown

LINKS = Links(key=b"k" * 32, base_url="https://m.acme.example")
SCOPE: dict[str, object] = {
    "customer": {
        "first_name": "<Jo>",
        "points": 1234,
        "items": 3,
        "nothing": unknown("customer.nothing"),
        "tags": ["a", "b"],
    },
    "entry": {
        "total": Money.of(Decimal("12.5000"), "EUR"),
        "at": datetime.fromisoformat("2026-03-01T23:30"),
        "day": date(2026, 3, 1),
    },
    "profile": {},
    "journey": "welcome",
    "step": "hello",
    "offer": "Tea & more",
}


def render(
    body: str, *, head: str = "subject: Hello", extension: str = "html", **more: str
) -> Rendered | Failed | Broken:
    sources = {f"welcome/hello.email.{extension}": f"---\n{head}\n---\n{body}"}
    what = For(message="0f34", scope=SCOPE, locale="de-DE", zone="Europe/Berlin")
    return Renderer(sources | more).render("welcome/hello", "email", what, LINKS)


def html(body: str, **more: str) -> str:
    done = render(body, **more)
    assert isinstance(done, Rendered), done
    assert done.html is not None
    return done.html


def text(body: str) -> str:
    done = render(body, extension="txt")
    assert isinstance(done, Rendered), done
    assert done.html is None
    return done.text


def failed(body: str, *, head: str = "subject: Hello", **more: str) -> Failed:
    done = render(body, head=head, **more)
    assert isinstance(done, Failed), done
    return done


def test_html_is_escaped_and_text_is_not() -> None:
    done = render("<p>{{ customer.first_name }} {{ offer }}</p>")
    assert isinstance(done, Rendered)
    assert done.html == "<p>&lt;Jo&gt; Tea &amp; more</p>"
    assert done.text == "<Jo> Tea & more\n"
    assert text("{{ customer.first_name }}") == "<Jo>\n"


def test_front_matter() -> None:
    done = render(
        "<html><BODY class=x><p>x</p></body></html>",
        head="subject: {{ offer }} for {{ customer.first_name }}\n"
        'preheader: "{{ customer.first_name }}, look"\n'
        "from: Acme <hello@acme.example>\nreply_to: help@acme.example",
    )
    assert isinstance(done, Rendered)
    assert done.subject == "Tea & more for <Jo>"
    assert done.sender == "Acme <hello@acme.example>"
    assert done.reply_to == "help@acme.example"
    assert done.html is not None
    assert '<BODY class=x><div style="display:none' in done.html
    assert "&lt;Jo&gt;, look</div><p>" in done.html


def test_line_ends_leave_the_subject() -> None:
    done = render("x", head='subject: "a\\r\\nBcc: b@example.com\\u2028c\\u0000d\\u000be"')
    assert isinstance(done, Rendered)
    assert done.subject == "a Bcc: b@example.com c d e"
    assert one_line("a\x0b\x0c\x1c\x85\u2029b") == "a b"


def test_fields_come_before_methods() -> None:
    assert html("{{ customer.items }}") == "3"


def test_filters_by_locale() -> None:
    assert html("{{ entry.total | money }}") == "12,50\xa0€"
    assert html("{{ 1234.5 | money('JPY') }}") == "1.234\xa0¥"
    assert html("{{ customer.points | number }} {{ 0.5 | number(2) }}") == "1.234 0,50"
    assert html("{{ entry.at | date }} {{ entry.day | date('long') }}") == "02.03.2026 1. März 2026"
    assert html("{{ entry.at | date('HH:mm') }}") == "00:30"
    assert html("{{ (entry.total * 2) | money('EUR') }}") == "25,00\xa0€"


def test_a_locale_nobody_knows_falls_back() -> None:
    sources = {"a.email.html": "---\nsubject: x\n---\n{{ entry.total | money }}"}
    for locale, shown in (("xx-YY", "€12.50"), ("", "€12.50"), ("de_XX", "12,50\xa0€")):
        what = For(message="1", scope=SCOPE, locale=locale, zone="No/Where")
        done = Renderer(sources).render("a", "email", what, LINKS)
        assert isinstance(done, Rendered)
        assert done.html == shown


def test_links() -> None:
    page = html(
        "{{ link('https://acme.example/?a=1&b=2') }} {{ link('mailto:a@b.c') }}"
        " {{ unsubscribe_url }} {{ preference_url }} {{ answer_url('q', 'yes') }}"
    )
    click, mailto, unsubscribe, preferences, answer = page.split()
    base = "https://m.acme.example/"
    assert LINKS.check(click.removeprefix(base)) == ("c", "0f34", "https://acme.example/?a=1&b=2")
    assert mailto == "mailto:a@b.c"
    assert LINKS.check(unsubscribe.removeprefix(base)) == ("u", "0f34", "")
    assert LINKS.check(preferences.removeprefix(base)) == ("p", "0f34", "")
    assert LINKS.check(answer.removeprefix(base)) == ("a", "0f34", "q\0yes")


def test_forged_links_are_none() -> None:
    path = LINKS.unsubscribe("0f34").removeprefix("https://m.acme.example/")
    assert LINKS.check(path.replace("0f34", "0f35")) is None
    assert LINKS.check("p" + path[1:]) is None
    assert LINKS.check(path[:-1]) is None
    assert LINKS.check("") is None
    assert LINKS.check("c/0f34/%%%/x") is None
    assert Links(key=b"other").check(path) is None


def test_without_a_base_clicks_go_straight() -> None:
    links = Links(key=b"k")
    assert links.click("1", "https://acme.example") == "https://acme.example"
    assert links.unsubscribe("1").startswith("http://localhost:8080/u/1/")


def test_a_value_that_is_unknown_is_never_printed() -> None:
    one = failed("<p>one</p>\n<p>{{ customer.nothing }}</p>")
    assert one.detail == (
        "welcome/hello.email.html:5: `customer.nothing` is unknown and has no `| default(…)`"
    )
    for use in ("nothing | upper", "nothing ~ 'x'", "nothing + 1", "nothing | money", "nothing.x"):
        assert isinstance(render("{{ customer." + use + " }}"), Failed), use


def test_a_value_that_is_unknown_goes_through_to_the_default() -> None:
    for filter_ in ("money", "number", "date('long')"):
        assert html("{{ customer.nothing | " + filter_ + " | default('none') }}") == "none"


def test_a_filter_says_what_it_cannot_write() -> None:
    assert failed("{{ 5 | money }}").kind.startswith("`money` of a value without a currency")
    assert failed("{{ customer.first_name | date }}").kind == "`date` of a text that is no date"
    assert failed("{{ customer.first_name | number }}").kind == "a text that is no number"


def test_a_value_that_is_unknown_is_false_and_equal_to_nothing() -> None:
    body = (
        "{{ customer.nothing | default('friend') }}"
        "{% if customer.nothing %}no{% endif %}{% if customer.nothing == 1 %}no{% endif %}"
        "{% if customer.nothing != 1 %} yes{% endif %}{% if customer.nothing < 5 %}no{% endif %}"
        "{% if customer.nothing is defined %}no{% endif %}"
    )
    assert html(body) == "friend yes"


def test_a_failure_tells_file_line_and_kind_but_no_data() -> None:
    one = failed("{{ customer.first_name }}\n\n{{ customer.first_name / 2 }}")
    assert (one.file, one.line) == ("welcome/hello.email.html", 6)
    assert one.kind == "cannot be computed (TypeError)"
    one = failed("{{ 1 / 0 }}")
    assert one.kind == "division by zero"
    one = failed("x", head="from: x\nsubject: '{{ {0: 1}[customer.first_name] }}'")
    assert (one.line, one.kind) == (3, "a name that is not defined")
    one = failed(
        "{% include 'shared/foot.html' %}", **{"shared/foot.html": "\n{{ customer.nothing }}"}
    )
    assert (one.file, one.line) == ("shared/foot.html", 2)
    assert "Jo" not in one.detail


@pytest.mark.parametrize(
    ("sources", "kind"),
    [
        ({}, "there is no such template"),
        ({"welcome/hello.email.mjml": "---\nsubject: x\n---\n<mjml>"}, "no MJML"),
        ({"welcome/hello.email.html": "no head"}, "an e-mail needs a `subject`"),
        ({"welcome/hello.email.html": "---\nsubject: x\n---\n{{ a"}, "cannot be read"),
        ({"welcome/hello.email.html": "---\nsubjet: x\n---\n"}, "unknown key `subjet`"),
        ({"welcome/hello.email.html": "---\nsubject: x\n---\n{{ a | tojson }}"}, "unknown filter"),
        ({"welcome/hello.email.html": "x" * 600_000}, "larger than 512 KiB"),
    ],
)
def test_a_template_that_cannot_work_is_broken(sources: dict[str, str], kind: str) -> None:
    what = For(message="1", scope=SCOPE)
    done = Renderer(sources).render("welcome/hello", "email", what, LINKS)
    assert isinstance(done, Broken)
    assert kind in done.kind


def test_includes_and_inheritance() -> None:
    base = "<html><body>{% block main %}{% endblock %}</body></html>"
    page = html(
        "{% extends 'base.html' %}{% block main %}<p>{{ offer }}</p>"
        "{% include 'foot.html' %}{% endblock %}",
        **{"base.html": base, "foot.html": "<p>{{ customer.first_name }}</p>"},
    )
    assert page == "<html><body><p>Tea &amp; more</p><p>&lt;Jo&gt;</p></body></html>"
    done = render("{% include 'foot.html' %}", **{"foot.html": "<p>a</p><p>{{ offer }}</p>"})
    assert isinstance(done, Rendered)
    assert done.text == "a\n\nTea & more\n"


def test_a_text_of_its_own_goes_before_the_one_made_from_html() -> None:
    done = render("<p>x</p>", **{"welcome/hello.email.txt": "Own {{ offer }}"})
    assert isinstance(done, Rendered)
    assert done.text == "Own Tea & more\n"


def test_macros_loops_and_sets() -> None:
    body = (
        "{% macro tag(x) %}<b>{{ x }}</b>{% endmacro %}"
        "{% for t in customer.tags %}{{ loop.index }}{{ tag(t) }}{% endfor %}"
        "{% set n = [1, 2, 3] | sum %}{{ n }}{{ customer.tags | join(', ') }}"
        "{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}"
    )
    assert html(body) == "1<b>a</b>2<b>b</b>6a, ba1"


BOMBS = [
    "{{ 'x' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{% for a in range(1000000000) %}{% endfor %}",
    "{% for a in [1,2,3,4,5,6,7,8] %}" * 8 + "x" + "{% endfor %}" * 8,
    "{% set x = 'xxxxxxxx' %}" + "{% set x = x ~ x ~ x ~ x %}" * 20,
    "{% set x = 'xxxxxxxx' %}" + "{% set x = x + x + x + x %}" * 20,
    "{% set x = 9 %}" + "{% set x = x * x %}" * 40,
    "{% set x = [1] %}" + "{% set x = [x, x, x, x] %}" * 20 + "{{ x | join }}",
    "{% set x = [1] %}" + "{% set x = x + x + x %}" * 30,
    "{% set x %}{{ offer }}{% endset %}"
    + "{% set x %}{{ x }}{{ x }}{{ x }}{{ x }}{% endset %}" * 15,
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{{ ('a' | replace('', 'x' ~ offer)) | replace('', offer) }}"
    "{% set y = 'a' %}" + "{% set y = y | replace('', 'abcdefgh') %}" * 10,
    "{{ '%1000000000d' % 1 }}",
    "{{ 'x'.center(1000000000) }}",
    "{{ '{:>1000000000}'.format(1) }}",
    "{{ 5.5 | round(1000000000) }}",
    "{{ [1] | batch(1000000000, 'x') | list }}",
    "{% for a in range(9999) %}" + "x" * 5000 + "{% endfor %}",
    "{% filter replace('x', 'xxxxxxxxxxxxxxxxxxxx') %}" * 8 + "x" + "{% endfilter %}" * 8,
    "{% include 'again.html' %}",
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_template_runs_away(bomb: str) -> None:
    begin = time.process_time()
    done = render(bomb, **{"again.html": "{% include 'again.html' %}{% include 'again.html' %}"})
    assert isinstance(done, Failed), str(done)[:200]
    assert time.process_time() - begin < 5


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ customer.__class__.__mro__ }}",
    "{{ customer.first_name.__init__ }}",
    "{{ entry.total.as_tuple() }}",
    "{{ link.func }}",
    "{{ (link | string) }}",
    "{{ self.__init__ }}",
    "{{ customer.update({'a': 1}) }}",
    "{{ customer.tags.append(1) }}",
    "{{ entry.day.strftime('%s') }}",
    "{{ ''.join(['a']) }}",
    "{{ range.__self__ }}",
    "{% for a in customer.tags %}{{ loop._iterator }}{% endfor %}",
    "{{ customer.tags }}",
    "{{ customer }}",
    "{{ none }}",
    "{{ lipsum() }}",
    "{{ cycler('a') }}",
    "{{ namespace() }}",
]


@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_but_values_is_in_reach(escape: str) -> None:
    done = render(escape)
    assert isinstance(done, Failed | Broken), done


def test_a_budget_is_one_messages_own() -> None:
    one = Renderer({"a.sms.txt": "{% for a in range(90000) %}{{ a % 10 }}{% endfor %}"})
    for _ in range(14):
        assert isinstance(one.render("a", "sms", For(message="1", scope=SCOPE), LINKS), Rendered)


def test_the_check_and_the_renderer_agree() -> None:
    names = {"customer", "entry", "profile", "journey", "step"} | set(FUNCTIONS)
    assert names == GIVEN
    from jinja2 import DictLoader

    environment = MessageEnvironment(loader=DictLoader({}), autoescape=True)
    assert {name for name in environment.filters if " " not in name} == FILTERS
    assert set(environment.globals) == GLOBALS


def test_templates_are_compiled_once_per_process() -> None:
    sources = {"a.sms.txt": "{{ offer }}"}
    assert renderer(sources) is renderer(dict(sources))
    assert renderer(sources) is not renderer({"a.sms.txt": "{{ offer }}!"})
