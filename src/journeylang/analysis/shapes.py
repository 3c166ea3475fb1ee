"""The fields of the customers and of each event, with the types that they declare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from journeylang.analysis.declared import Declared, twice
from journeylang.analysis.findings import Findings
from journeylang.analysis.scope import AT, KEY, NO_SHAPE, RESERVED_OF_CUSTOMERS, Shape
from journeylang.diagnostics.codes import names
from journeylang.model.types import Kind, Type
from journeylang.syntax import nodes


def customer_shape(declared: Declared, findings: Findings) -> Shape:
    """Without a binding of customers everything passes; that it is missing is one finding."""
    if declared.customers is None:
        return NO_SHAPE
    return _shape(declared.customers.items, RESERVED_OF_CUSTOMERS, findings)


def event_shapes(declared: Declared, findings: Findings) -> dict[str, Shape]:
    return {name: _shape(e.items, AT, findings) for name, e in declared.events.items()}


def catalog_shapes(declared: Declared, findings: Findings) -> dict[str, Shape]:
    """Of each catalogue, its own fields and `key`."""
    shapes = {}
    for name, catalog in declared.catalogs.items():
        found = _shape(catalog.items, (*KEY, *AT), findings)
        shapes[name] = replace(found, fields={**found.fields, **KEY})
    return shapes


def _shape(items: Iterable[object], reserved: Iterable[str], findings: Findings) -> Shape:
    fields: dict[str, Type | None] = {}
    first: dict[str, nodes.Name] = {}
    pii = set()
    taken = tuple(reserved)
    for item in items:
        if not isinstance(item, nodes.FieldBinding):
            continue
        name = item.name
        type_ = read_type(item.type, findings)
        if name.text in first:
            twice("field", name, first[name.text].span, findings)
        elif name.text in taken:
            findings.error(
                names.DUPLICATE_NAME,
                name.span,
                f"the field `{name.text}` is there without being bound",
                help="choose another name for this one, or leave it out",
            )
        else:
            fields[name.text] = type_
            first[name.text] = name
            if item.pii:
                pii.add(name.text)
    return Shape(fields=fields, pii=frozenset(pii))


def read_type(node: nodes.TypeName, findings: Findings) -> Type | None:
    """The type named; None when it was reported."""
    text = node.name.text
    kinds = {kind.value: kind for kind in Kind}
    kind = kinds.get(text)
    if kind is None:
        findings.unknown("type", text, node.name.span, kinds, label="no type is called so")
        return None
    if kind is Kind.MONEY and node.currency is None:
        findings.error(
            names.MISSING_PART,
            node.span,
            "money has a currency",
            help="write `money(EUR)`",
        )
        return None
    if kind is not Kind.MONEY and node.currency is not None:
        findings.error(
            names.OUT_OF_PLACE,
            node.currency.span,
            f"{kind.value} has no currency",
            help=f"write `{kind.value}`, or `money({node.currency.text})`",
        )
        return None
    currency = node.currency.text if node.currency is not None else None
    if currency == "":
        return None
    if currency is not None and not _is_currency(currency):
        assert node.currency is not None
        findings.error(
            names.BAD_VALUE,
            node.currency.span,
            f"`{currency}` is no currency",
            help="a currency is three capital letters: `EUR`",
        )
        return None
    return Type(kind=kind, currency=currency, optional=node.optional)


def _is_currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()
