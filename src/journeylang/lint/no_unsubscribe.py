"""JRN307: a marketing e-mail without a way out, or without the sender's postal address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from journeylang.analysis.messages import TemplateFile, TemplateKey
from journeylang.analysis.template_use import TemplateUse
from journeylang.analysis.templates import included
from journeylang.diagnostics.codes.consent import NO_UNSUBSCRIBE
from journeylang.diagnostics.model import Diagnostic, Label
from journeylang.lint.rule import Checked, Rule
from journeylang.model.journey import Candidate
from journeylang.source import Source

_WAYS_OUT = {"unsubscribe_url", "preference_url"}
_UNSEEN = re.compile(
    r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<(style|script|head)\b.*?</\1\s*>|<[^<>]*>",
    re.DOTALL | re.IGNORECASE,
)
_FRONT = re.compile(r"\A---.*?^---[^\n]*$", re.DOTALL | re.MULTILINE)
_MAY_HOLD_IT = re.compile("address|imprint|impressum|legal|footer|sender|company", re.IGNORECASE)


def no_unsubscribe(checked: Checked) -> Iterator[Diagnostic]:
    """Once for each template that a marketing journey sends by `email`.

    A postal address has figures in it, so that a text without any has none; a text with some is
    taken to have one, and so is one that prints a name like `imprint`. An address in the
    settings of the e-mail provider is put under each message.
    """
    told: set[TemplateKey] = set()
    for journey, _, candidate in checked.candidates():
        key = candidate.template, candidate.channel
        use, files = checked.uses.get(key), checked.templates.get(key)
        if candidate.channel != "email" or journey.purpose != "marketing":
            continue
        if key in told or use is None or not files:
            continue
        told.add(key)
        if not use.functions & _WAYS_OUT:
            yield _found(
                candidate,
                files[0],
                "a marketing e-mail without a link to unsubscribe",
                'add it: `<a href="{{ unsubscribe_url }}">Unsubscribe</a>`',
            )
        elif not _has_address(use, files, checked):
            yield _found(
                candidate,
                files[0],
                "a marketing e-mail without the sender's postal address",
                "add it to the template, or `postal_address = …` to the channel's settings",
            )


def _has_address(use: TemplateUse, files: tuple[TemplateFile, ...], checked: Checked) -> bool:
    if "email" in checked.settings.postal_addresses:
        return True
    if any(_MAY_HOLD_IT.search(used.name) for used in use.names):
        return True
    return any(
        any(character.isdigit() for character in _UNSEEN.sub(" ", _FRONT.sub("", text)))
        for text in _texts(files, checked)
    )


def _texts(files: tuple[TemplateFile, ...], checked: Checked) -> Iterator[str]:
    """Of the template, and of what it is made of."""
    waiting: list[Source] = [file.source for file in files]
    seen: set[str] = set()
    while waiting:
        source = waiting.pop()
        yield source.text
        for name in included(source):
            if name not in seen and name in checked.parts:
                seen.add(name)
                waiting.append(checked.parts[name])


def _found(candidate: Candidate, file: TemplateFile, message: str, advice: str) -> Diagnostic:
    end = len(file.source.text.rstrip())
    return Diagnostic(
        code=NO_UNSUBSCRIBE,
        message=message,
        span=candidate.span,
        labels=(Label(file.source.span(max(end - 1, 0), end), "the template ends without it"),),
        help=advice,
    )


RULE = Rule(code=NO_UNSUBSCRIBE, find=no_unsubscribe)
