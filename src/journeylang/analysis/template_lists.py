"""What a template does with the lists that a step gives: values, and rows of a catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from journeylang.analysis.template_checks import wrong_filter
from journeylang.analysis.template_use import TemplateUse, Used
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Diagnostic
from journeylang.model.types import Type

_OF_ONE = frozenset(
    {"money", "date", "number", "upper", "lower", "title", "capitalize", "trim", "float", "int"}
)
"""Filters that write one value."""

Lists = Mapping[str, Type | None]
"""The type of the items of each list of values that is given, by name."""


def wrong_uses(
    use: TemplateUse, lists: Lists, rows: frozenset[str], single: frozenset[str]
) -> Iterator[Diagnostic]:
    """Lists that are shown as one value, their items, and loops over what is no list.

    ``rows`` are the names of rows of a catalogue, ``single`` those of single values.
    """
    for used in use.names:
        if used.name in lists or used.name in rows:
            yield from _as_one(used, used.name in rows)
    for many, used in use.items:
        if many in lists:
            yield from wrong_filter(used, used.name, lists[many])
        elif many in single:
            yield _no_list(many, used)
    for many, each, used in use.rows:
        if many in lists:
            type_ = lists[many]
            yield Diagnostic(
                code=names.TYPE_MISMATCH,
                message=f"what `{many}` lists has no field `{used.name}`",
                span=used.span,
                label="a list of values" if type_ is None else f"a list of {type_} values",
                help=f"write `{{{{ {each} }}}}`",
            )
        elif many in single:
            yield _no_list(many, used)


def _as_one(used: Used, row: bool) -> Iterator[Diagnostic]:
    name, filter_ = used.name, used.filter
    asked = filter_ is not None and filter_.name in _OF_ONE
    if not (used.printed or asked):
        return
    each = name.removesuffix("s") if name.endswith("s") and len(name) > 2 else "one"
    loop = f"`{{% for {each} in {name} %}} … {{% endfor %}}`"
    joined = "" if row else f' or `{{{{ {name} | join(", ") }}}}`'
    yield Diagnostic(
        code=names.TYPE_MISMATCH,
        message=f"`{name}` is a list",
        span=used.span,
        label="written as one value",
        help=f"write {loop}{joined}",
    )


def _no_list(many: str, used: Used) -> Diagnostic:
    return Diagnostic(
        code=names.TYPE_MISMATCH,
        message=f"`{many}` is one value, and no list",
        span=used.span,
        label=f"taken from `{many}` by a loop",
        help=f"give a list, `with {{ {many}: [ … ] }}`, or write `{{{{ {many} }}}}`",
    )
