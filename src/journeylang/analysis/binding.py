"""The binding: which of the user's tables and columns mean what."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from journeylang.analysis.expressions import Checker
from journeylang.analysis.lines import HasSpan, missing, only
from journeylang.analysis.operators import fits, type_of
from journeylang.analysis.scope import PERSON, Scope, Shape, TableScope
from journeylang.analysis.spans import seconds
from journeylang.diagnostics.codes import names
from journeylang.model import binding as model
from journeylang.model.expressions import Expression
from journeylang.model.types import Kind, Type
from journeylang.syntax import nodes


def customers(
    node: nodes.Customers, checker: Checker, zones: Collection[str] | None
) -> model.Customers | None:
    """The customer base; ``zones`` are the names of time zones, where they are known."""
    scope = _scope("customers", node.table)
    key = only(node.items, nodes.Key, "key", checker.findings)
    timezone = only(node.items, nodes.Timezone, "timezone", checker.findings)
    locale = only(node.items, nodes.Locale, "locale", checker.findings)
    prefers = only(node.items, nodes.Prefers, "prefers", checker.findings)
    changed = only(node.items, nodes.ChangedAt, "changed at", checker.findings)
    where = only(node.items, nodes.OnlyWhere, "only where", checker.findings)
    for item in node.items:
        if isinstance(item, nodes.AppendOnly):
            checker.findings.error(
                names.OUT_OF_PLACE,
                item.span,
                "customers change, so their table is not append only",
                help="leave it out, or name the column: `changed at c.updated_at`",
            )
    zone = "UTC"
    if timezone is not None and timezone.otherwise is not None:
        zone = timezone.otherwise.value
        _zone(timezone.otherwise, checker, zones)
    key_value = _required("the binding of customers", "key", key, node, scope, checker)
    if key_value is None:
        return None
    return model.Customers(
        table=_table(node.table),
        key=key_value,
        timezone=None if timezone is None else checker.value(timezone.value, scope),
        zone_else=zone,
        locale=None if locale is None else checker.value(locale.value, scope),
        locale_else="en" if locale is None or locale.otherwise is None else locale.otherwise.value,
        prefers=None if prefers is None else checker.value(prefers.value, scope),
        changed_at=None if changed is None else checker.value(changed.value, scope),
        fields=_fields(node.items, checker.customers, scope, checker),
        only_where=None if where is None else checker.condition(where.condition, scope),
        span=node.span,
    )


def _zone(node: nodes.String, checker: Checker, zones: Collection[str] | None) -> None:
    if zones is None or node.value in zones:
        return
    last = node.value.rsplit("/", 1)[-1].replace(" ", "_").lower()
    near = sorted(z for z in zones if z.rsplit("/", 1)[-1].lower() == last)
    meant = (
        f"did you mean {' or '.join(f'`{z}`' for z in near[:3])}?"
        if near
        else checker.findings.meant(node.value, zones)
    )
    checker.findings.error(
        names.BAD_VALUE,
        node.span,
        f"`{node.value}` is no time zone",
        label="not among the names of the IANA database",
        help=meant or "a zone is named by continent and city: `Europe/Berlin`",
    )


def event(node: nodes.Event, checker: Checker) -> model.Event | None:
    name = node.name.text
    findings = checker.findings
    scope = _scope(f"event `{name}`", node.table)
    what = f"event `{name}`"
    key = only(node.items, nodes.Key, "key", findings)
    customer = only(node.items, nodes.CustomerKey, "customer", findings)
    at = only(node.items, nodes.At, "at", findings)
    changed = only(node.items, nodes.ChangedAt, "changed at", findings)
    append = only(node.items, nodes.AppendOnly, "append only", findings)
    where = only(node.items, nodes.OnlyWhere, "only where", findings)
    if changed is not None and append is not None:
        findings.error(
            names.REPEATED_PART,
            max(changed.span, append.span),
            "a table that changes is not append only",
            help="keep one of `changed at …` and `append only`",
        )
    late = None if at is None or at.late is None else seconds(at.late, scope, findings)
    key_value = _required(what, "key", key, node, scope, checker)
    customer_value = _required(what, "customer", customer, node, scope, checker)
    at_value = _required(what, "at", at, node, scope, checker)
    fields = _fields(node.items, checker.sources.events[name], scope, checker)
    only_where = None if where is None else checker.condition(where.condition, scope)
    changed_at = None if changed is None else checker.value(changed.value, scope)
    if key_value is None or customer_value is None or at_value is None:
        return None
    return model.Event(
        name=name,
        table=_table(node.table),
        key=key_value,
        customer=customer_value,
        at=at_value,
        late=3600 if late is None else late,
        changed_at=changed_at,
        append_only=append is not None,
        fields=fields,
        only_where=only_where,
        span=node.span,
    )


def catalog(node: nodes.Catalog, checker: Checker) -> model.Catalog | None:
    name = node.name.text
    scope = _scope(f"catalog `{name}`", node.table)
    key = only(node.items, nodes.Key, "key", checker.findings)
    where = only(node.items, nodes.OnlyWhere, "only where", checker.findings)
    key_value = _required(f"catalog `{name}`", "key", key, node, scope, checker)
    fields = _fields(node.items, checker.sources.catalogs[name], scope, checker)
    only_where = None if where is None else checker.condition(where.condition, scope)
    if key_value is None:
        return None
    return model.Catalog(
        name=name,
        table=_table(node.table),
        key=key_value,
        fields=fields,
        only_where=only_where,
        span=node.span,
    )


def consent(node: nodes.ConsentTable | nodes.ConsentWhen, checker: Checker) -> model.Consent | None:
    name = node.name.text
    if isinstance(node, nodes.ConsentWhen):
        condition = checker.condition(node.condition, PERSON)
        if condition is None:
            return None
        basis = None if node.basis is None else node.basis.value
        return model.ConsentWhen(name=name, condition=condition, basis=basis, span=node.span)
    findings = checker.findings
    scope = _scope(f"consent `{name}`", node.table)
    what = f"consent `{name}`"
    customer = only(node.items, nodes.CustomerKey, "customer", findings)
    at = only(node.items, nodes.At, "at", findings)
    granted = only(node.items, nodes.Granted, "granted", findings)
    proof = only(node.items, nodes.ProofSource, "source", findings)
    where = only(node.items, nodes.OnlyWhere, "only where", findings)
    customer_value = _required(what, "customer", customer, node, scope, checker)
    at_value = _required(what, "at", at, node, scope, checker)
    if at is not None and at.late is not None:
        findings.error(
            names.OUT_OF_PLACE,
            at.late.span,
            "consent is never late: the newest row decides, whenever it comes",
            help="leave `late` out",
        )
    granted_value = None
    if granted is None:
        missing(what, "`granted`", node.name.span, findings, example=_EXAMPLES["granted"])
    else:
        granted_value = checker.condition(granted.condition, scope)
    source = None if proof is None else checker.value(proof.value, scope)
    only_where = None if where is None else checker.condition(where.condition, scope)
    if customer_value is None or at_value is None or granted_value is None:
        return None
    return model.ConsentTable(
        name=name,
        table=_table(node.table),
        customer=customer_value,
        at=at_value,
        granted=granted_value,
        source=source,
        only_where=only_where,
        span=node.span,
    )


_EXAMPLES = {
    "key": "key x.id",
    "customer": "customer x.customer_id",
    "at": "at x.created_at",
    "granted": 'granted x.status = "opt_in"',
}


def _required(
    what: str,
    part: str,
    item: nodes.Key | nodes.CustomerKey | nodes.At | None,
    node: nodes.Customers | nodes.Event | nodes.ConsentTable | nodes.Catalog,
    scope: Scope,
    checker: Checker,
) -> Expression | None:
    if item is not None:
        return checker.value(item.value, scope)
    assert scope.table is not None
    example = _EXAMPLES[part].replace("x.", f"{scope.table.alias}.")
    at = node.table.span if isinstance(node, nodes.Customers) else node.name.span
    missing(what, f"`{part}`", at, checker.findings, example=example)
    return None


def _fields(
    items: Iterable[HasSpan], shape: Shape, scope: Scope, checker: Checker
) -> tuple[model.BoundField, ...]:
    """The fields whose declarations are right, each name once."""
    found: dict[str, model.BoundField] = {}
    for item in items:
        if not isinstance(item, nodes.FieldBinding):
            continue
        name = item.name.text
        type_ = shape.fields.get(name)
        value = _field_value(item, type_, scope, checker)
        if value is None or type_ is None or name in found:
            continue
        found[name] = model.BoundField(
            name=name, type=type_, value=value, pii=item.pii, span=item.span
        )
    return tuple(found.values())


def _field_value(
    item: nodes.FieldBinding, type_: Type | None, scope: Scope, checker: Checker
) -> Expression | None:
    if item.value is None:
        return model_column(item.name)
    value = checker.value(item.value, scope, type_)
    if value is None or type_ is None or fits(type_of(value), type_):
        return value
    both_money = type_.kind is Kind.MONEY and value.type is not None
    checker.findings.error(
        names.CURRENCY_MISMATCH
        if both_money and value.type is not None and value.type.kind is Kind.MONEY
        else names.TYPE_MISMATCH,
        item.value.span,
        f"the field `{item.name.text}` is declared {type_}, its value is {type_of(value)}",
        label=f"this is {type_of(value)}",
        help="let the type say what the value is",
    )
    return None


def model_column(name: nodes.Name) -> Expression:
    """A field without ``=`` is the column of its own name."""
    from journeylang.model.expressions import Column

    return Column(name=name.text, span=name.span)


def _scope(what: str, table: nodes.TableRef) -> Scope:
    last = table.parts[-1].text
    alias = table.alias.text if table.alias is not None else last
    return Scope(
        what=what,
        table=TableScope(alias=alias, bare=table.alias is None),
        aggregates=False,
    )


def _table(node: nodes.TableRef) -> model.Table:
    return model.Table(parts=tuple(part.text for part in node.parts), span=node.span)
