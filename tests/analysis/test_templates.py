"""Templates: what they use, and whether the step gives it."""

import pytest

from journeylang.analysis.front_matter import take_apart
from journeylang.analysis.messages import TemplateFile, check_messages
from journeylang.analysis.template_scope import FILTERS, GLOBALS
from journeylang.analysis.templates import included, template_use
from journeylang.delivery.sandbox import MessageEnvironment
from journeylang.diagnostics.model import Diagnostic
from journeylang.source import Source
from tests.analysis.project import project

PROJECT = """
journey it {
  owner "x"
  enter on order_placed
  set level = 5
  hello: send email with { n: 5, k: last(order_placed.category) }
}
"""


def source(text: str, path: str = "templates/it/hello.email.html") -> Source:
    return Source(path=path, text=text)


def findings(text: str, *, journey: str = PROJECT, **parts: str) -> list[tuple[str, str, str]]:
    """(code, message, the text at the place) of one template of the project."""
    text = text if text.startswith("---") else f"---\nsubject: Hello\n---\n{text}"
    file = TemplateFile(name="it/hello", channel="email", extension="html", source=source(text))
    outcome = check_messages(
        project(journey),
        {("it/hello", "email"): (file,)},
        included={f"{n}.html": source(t, f"templates/{n}.html") for n, t in parts.items()},
        there=[("it/hello", "email")],
    )
    texts = {file.source.path: file.source} | {
        f"templates/{n}.html": source(t, f"templates/{n}.html") for n, t in parts.items()
    }
    return [(d.code.id, d.message, place(d, texts)) for d in outcome.diagnostics]


def place(diagnostic: Diagnostic, sources: dict[str, Source]) -> str:
    span = diagnostic.span
    assert span is not None
    return sources[span.path].excerpt(span) if span.path in sources else ""


@pytest.mark.parametrize(
    ("text", "customer", "entry", "names", "functions"),
    [
        ("Hello!", (), (), (), set()),
        ("{{ customer.country }}", ("country",), (), (), set()),
        ("{{ customer['country'] | upper }}", ("country",), (), (), set()),
        ("{{ customer.country[:2].lower() }}", ("country",), (), (), set()),
        ("{% if entry.total > 5 %}{{ n }}{% endif %}", (), ("total",), ("n",), set()),
        ("{% for i in range(n) %}{{ i }}{{ loop.index }}{% endfor %}", (), (), ("n",), set()),
        ("{% set x = entry.items %}{{ x }}", (), ("items",), (), set()),
        ('<a href="{{ link("https://x") }}">{{ unsubscribe_url }}</a>', (), (), (), {"link"}),
        ("{# {{ customer.country }} #}{% raw %}{{ n }}{% endraw %}", (), (), (), set()),
        (
            "---\nsubject: {{ n }} of {{ customer.country }}\n---\nHello",
            ("country",),
            (),
            ("n",),
            set(),
        ),
        (
            '---\nsubject: "{{ n }}: yes"\npreheader: >\n  {{ entry.items }}\n  things\n---\nHello',
            (),
            ("items",),
            ("n",),
            set(),
        ),
    ],
)
def test_what_a_template_uses(
    text: str,
    customer: tuple[str, ...],
    entry: tuple[str, ...],
    names: tuple[str, ...],
    functions: set[str],
) -> None:
    outcome = template_use(source(text))
    assert outcome.diagnostics == ()
    use = outcome.value
    assert use is not None
    assert (use.customer_fields, use.entry_fields) == (customer, entry)
    assert tuple(dict.fromkeys(used.name for used in use.names)) == names
    assert functions <= use.functions


@pytest.mark.parametrize(
    ("text", "code", "message", "at"),
    [
        ("{{ customer.contry }}", "JRN106", "unknown field `customer.contry`", "customer.contry"),
        ("{{ entry.totl }}", "JRN106", "unknown field `entry.totl`", "entry.totl"),
        ("a\nb {{ m }}", "JRN106", "`m` is not given to the template", "m"),
        ("{{ n | mony }}", "JRN106", "unknown filter `mony`", "mony"),
        ("{{ n | tojson }}", "JRN106", "unknown filter `tojson`", "tojson"),
        ("{{ n is odder }}", "JRN106", "unknown test `odder`", "odder"),
        ("{{ customer }}", "JRN106", "`customer` is used as a whole", "customer"),
        ("{{ customer[n] }}", "JRN106", "`customer` is used as a whole", "customer"),
        ("{{ customer.email }}", "JRN105", "`customer.email` may be unknown", "customer.email"),
        ("{{ entry.category }}", "JRN105", "`entry.category` may be unknown", "entry.category"),
        ("{{ k }}", "JRN105", "`k` may be unknown", "k"),
        ("{{ profile.stage }}", "JRN106", "unknown field `profile.stage`", "profile.stage"),
        ("{{ profile.level }}", "JRN105", "`profile.level` may be unknown", "profile.level"),
        ("x\n{% if n %}\ny", "JRN813", "the template cannot be read", "{% if n %}"),
        ("{{ n", "JRN813", "the template cannot be read", "{{ n"),
        ("---\nsubject: a: b\n---\n", "JRN813", "the front matter cannot be read", "subject: a: b"),
        ("---\nsubject: a\n", "JRN813", "the front matter has no end", "---"),
        ("---\n- a\n---\n", "JRN813", "is no list of `key: value`", "- a"),
        ("---\nsubject:\n---\n", "JRN813", "`subject` has no text", "subject:"),
        ("---\nsubjet: a\n---\n", "JRN101", "unknown key `subjet`", "subjet: a"),
        ("---\nsubject: {{ m }}\n---\n", "JRN106", "`m` is not given", "m"),
        ('{% include "nav.html" %}', "JRN108", "no template `nav.html`", "include"),
        ("{% include n %}", "JRN009", "whose name is computed", "include"),
    ],
)
def test_what_is_wrong_with_a_template(text: str, code: str, message: str, at: str) -> None:
    ((found, said, where),) = findings(text)
    assert (found, where) == (code, at)
    assert message in said


@pytest.mark.parametrize(
    "text",
    [
        '{{ customer.email | default("there") }}',
        "{{ customer.email | d('x') | upper }}",
        "{% if customer.email %}{{ customer.email }}{% endif %}",
        "{% if customer.email is defined and n %}{{ customer.email }}{% endif %}",
        "{% if not customer.email %}-{% else %}{{ customer.email }}{% endif %}",
        "{{ customer.email if customer.email is defined else 'x' }}",
        "{{ customer.email or 'x' }}",
        "{{ k if k else '' }}",
        "{% if customer.email == 'x' or customer.birth_date > entry.at %}x{% endif %}",
        "{% if missing is defined %}{{ missing }}{% endif %}",
        "{{ customer.key }}{{ customer.locale }}{{ entry.at | date }}{{ journey }}{{ step }}",
        "{{ answer_url('q', 1) }}{{ preference_url }}",
        '{% include "nav.html" ignore missing %}',
        "{% set customer = {'x': 1} %}{{ customer.x }}",
    ],
)
def test_templates_that_look_guilty(text: str) -> None:
    assert findings(text) == []


def test_what_is_included_is_used_too() -> None:
    text = '{% extends "base.html" %}{% set mine = n %}{% block a %}{% endblock %}'
    base = '{% include "foot.html" %}{{ mine }}{{ customer.country }}'
    foot = "{{ entry.nothing }} {{ customer.points }}"
    assert findings(text, base=base, foot=foot) == [
        ("JRN106", "unknown field `entry.nothing`", "entry.nothing")
    ]
    parts = {
        "base.html": source(base, "templates/base.html"),
        "foot.html": source(foot, "templates/foot.html"),
    }
    use = template_use(source(text), parts).value
    assert use is not None
    assert set(use.customer_fields) == {"country", "points"}
    assert included(source(text)) == ("base.html",)


def test_templates_that_include_each_other_end() -> None:
    a, b = '{% include "b.html" %}{{ customer.country }}', '{% include "a.html" %}'
    assert findings('{% include "a.html" %}', a=a, b=b) == []


def test_a_missing_template() -> None:
    made = project(
        'journey it { owner "x" enter on signed_up a: send email "it/helo" b: send push "it/b" }'
    )
    outcome = check_messages(made, {}, there=[("it/hello", "email")])
    first, second = outcome.diagnostics
    assert (first.code.id, first.help) == ("JRN108", "did you mean `it/hello`?")
    assert first.notes == (
        "looked for in `templates/`: "
        + ", ".join(f"it/helo.email.{extension}" for extension in ("html", "mjml", "txt", "md")),
    )
    assert second.help == "write `templates/it/b.push.txt`"


def test_mjml_is_checked_as_html_is() -> None:
    made = project('journey it { owner "x" enter on signed_up hello: send email }')
    text = "---\nsubject: Hi\n---\n<mjml>{{ custmer.name }}</mjml>"
    file = TemplateFile(
        name="it/hello", channel="email", extension="mjml", source=source(text, "a.mjml")
    )
    outcome = check_messages(made, {("it/hello", "email"): (file,)})
    assert [d.code.id for d in outcome.diagnostics] == ["JRN106"]


def test_a_template_of_two_steps_is_told_once() -> None:
    journey = PROJECT.replace("}\n}", '}\n  again: send email "it/hello" with { n: 1 }\n}')
    assert findings("{{ entry.totl }}{{ n }}", journey=journey) == [
        ("JRN106", "unknown field `entry.totl`", "entry.totl")
    ]


def test_parts_of_a_file() -> None:
    parts = take_apart(source("---\r\nsubject: It's {{ n }}\r\n---\r\nBody\n")).value
    assert parts is not None
    assert [(part.name, part.text) for part in parts.head] == [("subject", "It's {{ n }}")]
    assert (parts.body.text, parts.body.start) == ("Body\n", 33)
    bare = take_apart(source("---\nsubject: {{ 'it''s' }}\n---\n")).value
    assert bare is not None
    assert bare.head[0].text == "{{ 'it''s' }}"


def test_the_renderer_has_the_same_names() -> None:
    environment = MessageEnvironment(loader=None, autoescape=True)  # type: ignore[arg-type]
    written = {name for name in environment.filters if " " not in name}
    assert written == FILTERS
    assert environment.globals.keys() == GLOBALS
