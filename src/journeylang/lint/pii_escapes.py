"""JRN304: personal data where it is kept or shown to others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from journeylang.analysis.personal import Personal, of_customers, personal
from journeylang.analysis.template_links import linked
from journeylang.diagnostics.codes.consent import PII_ESCAPES
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.model.journey import Candidate, Invoke, Journey, Send, Set
from journeylang.model.steps import computed, steps
from journeylang.source import Source

_FIELD = re.compile(r"\b(customer|entry)\s*(?:\.\s*|\[\s*[\"'])(\w+)")
_NAME = re.compile(r"(?<![\w.\"'])([A-Za-z_]\w*)(?!\w|\s*[(=])")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")


def pii_escapes(checked: Checked) -> Iterator[Diagnostic]:
    """What `set` writes, what `invoke` tells others, what a template makes part of a web address.

    Conditions may ask for anything, messages show people what is theirs, and what one journey
    hands over to another is looked at there.
    """
    known = personal(checked.project)
    for journey in checked.project.journeys.values():
        for step in steps(journey.body):
            if isinstance(step, Set):
                yield from _kept(step, journey, known)
            elif isinstance(step, Invoke):
                yield from _told(step, journey, known)
    of_all = {f"customer.{name}" for name in of_customers(checked.project)}
    for journey, send, candidate in checked.candidates():
        yield from _links(journey, send, candidate, of_all, checked, known)
    for source in checked.parts.values():
        yield from _in(source, of_all, ())


def _kept(step: Set, journey: Journey, known: Personal) -> Iterator[Diagnostic]:
    field = known.within(step.value, journey)
    if field is not None:
        yield Diagnostic(
            code=PII_ESCAPES,
            message=f"`set {step.name}` keeps `{field}`, which is personal data",
            span=step.value.span,
            label="the profile is not erased or hidden as the field is",
            labels=_handed(field, journey, known),
            help="use the field itself where it is needed, or keep what is no personal"
            f" data: `{field} is known`",
        )


def _told(step: Invoke, journey: Journey, known: Personal) -> Iterator[Diagnostic]:
    for value in computed(step.values):
        field = known.within(value, journey)
        if field is not None:
            yield Diagnostic(
                code=PII_ESCAPES,
                message=f"`invoke {step.service}` is told `{field}`, which is personal data",
                span=value.span,
                label="a call leaves the house, and is kept by whoever takes it",
                labels=_handed(field, journey, known),
                help="leave it out: the call has the customer's key. Where the service is to have"
                " it, say why: `# journey: ignore[JRN304] …`",
            )


def _handed(field: str, journey: Journey, known: Personal) -> tuple[Label, ...]:
    """Where personal data was handed over, if that is how it came here."""
    given = known.handed.get(journey.name, {}).get(field.removeprefix("entry."))
    return () if given is None else (Label(given.at, f"`{given.name}` is handed over here"),)


def _links(
    journey: Journey,
    send: Send,
    candidate: Candidate,
    of_all: set[str],
    checked: Checked,
    known: Personal,
) -> Iterator[Diagnostic]:
    mine = {f"entry.{name}" for name in known.of_entry(journey)}
    given = {
        name
        for name, value in send.given(candidate).items()
        if any(known.within(v, journey) for v in computed([(name, value)]))
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
