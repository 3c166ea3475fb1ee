"""What else can be said of a template, and of the values that it is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from journeylang.analysis.front_matter import take_apart
from journeylang.analysis.template_guards import WRITERS
from journeylang.analysis.template_use import FilterUse, Used
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Diagnostic
from journeylang.model.types import NUMERIC, Kind, Type

if TYPE_CHECKING:
    from jinja2 import nodes as jinja

    from journeylang.analysis.messages import TemplateFile, TemplateKey
    from journeylang.source import Span

_OF_TIME = frozenset({Kind.DATE, Kind.INSTANT, Kind.TIME})
_FIGURES = NUMERIC | {Kind.MONEY}


def without_subject(key: TemplateKey, files: Sequence[TemplateFile]) -> Iterator[Diagnostic]:
    """An e-mail has a subject, in the front matter of the file that is sent."""
    file = next(iter(files), None)
    parts = None if file is None else take_apart(file.source)
    if key[1] != "email" or file is None or parts is None or parts.diagnostics:
        return
    assert parts.value is not None
    subject = next((part for part in parts.value.head if part.name == "subject"), None)
    if subject is not None and subject.text.strip():
        return
    end = file.source.text.find("\n")
    yield Diagnostic(
        code=names.MISSING_PART,
        message="this e-mail has no subject",
        span=file.source.span(subject.start, subject.end)
        if subject is not None
        else file.source.span(0, len(file.source.text) if end < 0 else end),
        help="begin the file with `---`, `subject: …` and `---`, each on a line of its own",
    )


def wrong_filter(used: Used, name: str, type_: Type | None) -> Iterator[Diagnostic]:
    """A filter that writes by the locale, asked of a value that it cannot write.

    Of a text nothing is said: it may hold a figure or a date.
    """
    filter_ = used.filter
    if filter_ is None or type_ is None or type_.kind is Kind.TEXT:
        return
    kind, advice = type_.kind, ""
    match filter_.name:
        case "money" if kind in NUMERIC and not filter_.arguments:
            advice = f'say the currency: `{{{{ {name} | money("EUR") }}}}`'
        case "money" | "number" if kind not in _FIGURES:
            advice = f"`{filter_.name}` is for figures"
            advice += "; write `| date`" if kind in _OF_TIME else ""
        case "date" if kind not in _OF_TIME:
            advice = "`date` is for dates and instants"
            advice += "; write `| money`" if kind is Kind.MONEY else ""
        case _:
            return
    yield Diagnostic(
        code=names.TYPE_MISMATCH,
        message=f"`{filter_.name}` cannot write `{name}`",
        span=used.span,
        label=f"this is {type_}",
        help=advice,
    )


def wrong_default(filter_: FilterUse, instead: jinja.Node, place: Span) -> Iterator[Diagnostic]:
    """What `default` puts in an unknown value's place, and a filter behind it cannot write."""
    from jinja2 import nodes as jinja

    if filter_.name not in WRITERS or not isinstance(instead, jinja.Const):
        return
    value = instead.value
    if isinstance(value, str):
        shown = f'"{value}"' if len(value) <= 20 and '"' not in value else "…"
        advice = f"put it behind: `| {filter_.name} | default({shown})`"
    elif filter_.name == "date":
        advice = "`date` is for dates and instants"
    elif filter_.name == "money" and not filter_.arguments:
        advice = 'say the currency: `| money("EUR")`'
    else:
        return
    yield Diagnostic(
        code=names.TYPE_MISMATCH,
        message=f"`{filter_.name}` cannot write what `default` puts in the value's place",
        span=place,
        help=advice,
    )
