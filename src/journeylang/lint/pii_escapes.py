"""JRN304: personal data where it is kept or shown to others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from journeylang.analysis.personal import of_customers, of_entry, personal
from journeylang.analysis.template_links import linked
from journeylang.diagnostics.codes.consent import PII_ESCAPES
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.model.journey import Candidate, Journey, Send, Set
from journeylang.model.steps import computed, steps
from journeylang.source import Source

_FIELD = re.compile(r"\b(customer|entry)\s*(?:\.\s*|\[\s*[\"'])(\w+)")
_NAME = re.compile(r"(?<![\w.\"'])([A-Za-z_]\w*)(?!\w|\s*[(=])")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")


def pii_escapes(checked: Checked) -> Iterator[Diagnostic]:
    """What `set` writes, and what a template makes part of a web address.

    Conditions may ask for anything, and messages show people what is theirs.
    """
    for journey in checked.project.journeys.values():
        for step in steps(journey.body):
            if not isinstance(step, Set):
                continue
            field = personal(step.value, journey.entry, checked.project)
            if field is not None:
                yield Diagnostic(
                    code=PII_ESCAPES,
                    message=f"`set {step.name}` keeps `{field}`, which is personal data",
                    span=step.value.span,
                    label="the profile is not erased or hidden as the field is",
                    help="use the field itself where it is needed, or keep what is no personal"
                    f" data: `{field} is known`",
                )
    of_all = {f"customer.{name}" for name in of_customers(checked.project)}
    for journey, send, candidate in checked.candidates():
        yield from _links(journey, send, candidate, of_all, checked)
    for source in checked.parts.values():
        yield from _in(source, of_all, ())


def _links(
    journey: Journey, send: Send, candidate: Candidate, of_all: set[str], checked: Checked
) -> Iterator[Diagnostic]:
    mine = {f"entry.{name}" for name in of_entry(journey.entry, checked.project)}
    given = {
        name
        for name, value in send.given(candidate).items()
        if any(personal(v, journey.entry, checked.project) for v in computed([(name, value)]))
    }
    for file in checked.templates.get((candidate.template, candidate.channel), ()):
        place = Label(candidate.span, "the template is sent here")
        yield from _in(file.source, of_all | mine | given, (place,) if mine or given else ())


def _in(source: Source, fields: set[str], labels: tuple[Label, ...]) -> Iterator[Diagnostic]:
    """Uses of the fields (`customer.email`, or a plain name) in the links of a template."""
    if not fields:
        return
    for start, end in linked(source.text):
        strings = [found.span() for found in _STRING.finditer(source.text, start, end)]
        for pattern in (_FIELD, _NAME):
            for use in pattern.finditer(source.text, start, end):
                if any(a < use.start() < b for a, b in strings):
                    continue
                name = f"{use[1]}.{use[2]}" if pattern is _FIELD else use[1]
                if name in fields:
                    yield _found(name, source, use.start(), use.end(), labels)


def _found(
    name: str, source: Source, start: int, end: int, labels: tuple[Label, ...]
) -> Diagnostic:
    return Diagnostic(
        code=PII_ESCAPES,
        message=f"`{name}` is personal data, and becomes part of a link",
        span=source.span(start, end),
        label="addresses are kept in logs and histories",
        labels=labels,
        help="leave it out: a page can tell who clicked by what is no personal data, such as"
        " `customer.key`",
    )


RULE = Rule(code=PII_ESCAPES, find=pii_escapes)
