"""Bought and collected lists: who is on them, and what they agreed to."""

from __future__ import annotations

from journeylang.analysis.expressions import Checker
from journeylang.analysis.lines import missing, only
from journeylang.analysis.predicates import is_list_path
from journeylang.analysis.scope import Scope, TableScope
from journeylang.analysis.spans import seconds
from journeylang.diagnostics.codes import names
from journeylang.model.expressions import Expression
from journeylang.model.lists import CollectedConsent, Prospects
from journeylang.model.types import INSTANT, Kind
from journeylang.syntax import nodes


def prospects(node: nodes.Prospects, checker: Checker) -> Prospects | None:
    """``prospects fair from list "lists/fair.csv" { key email consent … expires 90d }``"""
    findings, name = checker.findings, node.name.text
    what = f"prospects `{name}`"
    row = TableScope(alias="row", bare=False, text=True)
    scope = Scope(what=what, table=row, aggregates=False)
    key = only(node.items, nodes.Key, "key", findings)
    expires = only(node.items, nodes.Expires, "expires", findings)
    lasting = None if expires is None else seconds(expires.after, scope, findings)
    collected = [item for item in node.items if isinstance(item, nodes.ProspectConsent)]
    consents = [_consent(item, scope, checker) for item in collected]
    if not collected:
        missing(
            what,
            "`consent`",
            node.name.span,
            findings,
            example='consent NAME when row.agreed = "yes" at row.day',
        )
    is_path = is_list_path(node.path, checker)
    column = None
    if key is None:
        missing(what, "`key`", node.name.span, findings, example="key email")
    else:
        column = _column(key, checker)
    broken = None in consents or (expires is not None and lasting is None)
    if column is None or broken or not consents or not is_path:
        return None
    return Prospects(
        name=name,
        title=None if node.title is None else node.title.value,
        path=node.path.value,
        column=column,
        consents=tuple(c for c in consents if c is not None),
        expires=lasting,
        span=node.path.span,
    )


def _column(key: nodes.Key, checker: Checker) -> str | None:
    """The column that tells who is meant: `email`, or `row.email`."""
    match key.value:
        case nodes.Ref(parts=(name,)):
            return name.text or None
        case nodes.Ref(parts=(owner, name)) if owner.text == "row":
            return name.text or None
        case _:
            checker.findings.error(
                names.BAD_VALUE,
                key.value.span,
                "people on a list are told by one of its columns",
                help="write `key email`, `key phone` or `key customer_id`",
            )
            return None


def _consent(
    node: nodes.ProspectConsent, scope: Scope, checker: Checker
) -> CollectedConsent | None:
    findings, consent = checker.findings, node.consent
    condition = checker.condition(node.condition, scope)
    source = None if node.source is None else checker.value(node.source, scope)
    at = None if node.at is None else _instant(node.at, scope, checker)
    if node.at is None:
        missing(
            "a collected consent",
            "`at`",
            consent.span,
            findings,
            example="at row.collected_at",
        )
    bound = checker.declared.consents.get(consent.text)
    if bound is None:
        findings.unknown("consent", consent.text, consent.span, checker.declared.consents)
    elif isinstance(bound, nodes.ConsentWhen):
        findings.error(
            names.TYPE_MISMATCH,
            consent.span,
            f"`{consent.text}` rests on a condition: nobody gives it, and no list can have it",
            help="collect a consent that is bound to a table of what people said",
        )
        return None
    if condition is None or at is None or bound is None:
        return None
    if node.source is not None and source is None:
        return None
    return CollectedConsent(
        consent=consent.text, condition=condition, at=at, source=source, span=node.span
    )


def _instant(node: nodes.Expression, scope: Scope, checker: Checker) -> Expression | None:
    found = checker.value(node, scope)
    if found is None or found.type is None or found.type.kind in (Kind.TEXT, Kind.INSTANT):
        return found
    checker.findings.error(
        names.TYPE_MISMATCH,
        node.span,
        f"when somebody agreed is {INSTANT}, this is {found.type}",
        help="name the column: `at row.collected_at`",
    )
    return None
