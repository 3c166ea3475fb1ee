"""Promos: where codes come from, the event of their redemption, and drawing one for a send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from journeylang.analysis.constants import constant
from journeylang.analysis.declared import Declared
from journeylang.analysis.expressions import Checker
from journeylang.analysis.findings import Findings
from journeylang.analysis.lines import missing, only
from journeylang.analysis.picks import way_out
from journeylang.analysis.scope import PERSON, Scope, Shape, TableScope
from journeylang.analysis.spans import bounded, seconds
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import binding as model
from journeylang.model.expressions import Constant
from journeylang.model.journey import Code
from journeylang.model.types import Kind, money
from journeylang.syntax import nodes

LEAST_PLACES, MOST_PLACES = 4, 16
_NEVER = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001 - naive is UTC here
_PATTERN = re.compile(r"[\x21-\x7e]{1,100}")


def redemption(promo: str) -> str:
    """Under which name the redemptions of a promo are an event of the binding."""
    return f"redeemed_of_{promo}"


def redemption_shapes(declared: Declared, events: Mapping[str, Shape]) -> dict[str, Shape]:
    """The fields of each promo's `redeemed`: those of its event, and what it costs."""
    shapes = {}
    for name, promo in declared.promos.items():
        line = next((i for i in promo.items if isinstance(i, nodes.RedeemedBy)), None)
        if line is None or len(line.by.parts) != 2:
            continue
        shape = events.get(line.by.parts[0].text)
        if shape is None:
            continue
        cost = {} if line.cost is None else {"cost": money(line.cost.currency)}
        shapes[redemption(name)] = replace(shape, fields={**cost, **shape.fields})
    return shapes


def promo(node: nodes.Promo, checker: Checker) -> model.Promo | None:
    """The promo as it is bound; None where it was reported."""
    findings = checker.findings
    expires = only(node.items, nodes.Expires, "expires", findings)
    until = only(node.items, nodes.ValidUntil, "valid until", findings)
    first = only(node.items, nodes.FirstOnly, "first", findings)
    only(node.items, nodes.RedeemedBy, "redeemed by", findings)
    source = _source(node, checker)
    after = None if expires is None else seconds(expires.after, PERSON, findings)
    limit = None
    if first is not None:
        limit = bounded(first.count.value, first.span, "a number of codes", findings, least=1)
    if source is None or (expires is not None and after is None):
        return None
    if first is not None and limit is None:
        return None
    end = None if until is None else _end(until, findings)
    if until is not None and end is None:
        return None
    return model.Promo(
        name=node.name.text,
        title=None if node.title is None else node.title.value,
        source=source,
        expires=after,
        until=end,
        first=limit,
        span=node.span,
    )


def _source(node: nodes.Promo, checker: Checker) -> model.Pool | model.Pattern | None:
    findings = checker.findings
    name = node.name.text
    generate = only(node.items, nodes.Generate, "generate", findings)
    code = only(node.items, nodes.Code, "code", findings)
    where = only(node.items, nodes.OnlyWhere, "only where", findings)
    if node.table is None:
        for line in (code, where):
            if line is not None:
                findings.error(
                    names.OUT_OF_PLACE,
                    line.span,
                    f"promo `{name}` has no table",
                    help=f"bind one: `promo {name} from TABLE as p {{ … }}`",
                )
        if generate is None:
            if code is None:
                example = 'generate "FR-########"'
                missing(f"promo `{name}`", "source", node.name.span, findings, example=example)
            return None
        return _pattern(generate, findings)
    if generate is not None:
        findings.error(
            names.OUT_OF_PLACE,
            generate.span,
            f"promo `{name}` takes its codes from a table",
            labels=(Label(node.table.span, "the table"),),
            help="leave `generate` out, or the table",
        )
        return None
    alias = node.table.alias
    last = node.table.parts[-1].text
    scope = Scope(
        what=f"promo `{name}`",
        table=TableScope(alias=last if alias is None else alias.text, bare=alias is None),
        aggregates=False,
    )
    condition = None if where is None else checker.condition(where.condition, scope)
    if code is None:
        assert scope.table is not None
        example = f"code {scope.table.alias}.code"
        missing(f"promo `{name}`", "`code`", node.name.span, findings, example=example)
        return None
    value = checker.value(code.value, scope)
    if value is None or (where is not None and condition is None):
        return None
    parts = tuple(part.text for part in node.table.parts)
    return model.Pool(
        name=name,
        table=model.Table(parts=parts, span=node.table.span),
        code=value,
        only_where=condition,
        span=node.span,
    )


def _pattern(node: nodes.Generate, findings: Findings) -> model.Pattern | None:
    text = node.pattern.value
    places = text.count("#")
    if not LEAST_PLACES <= places <= MOST_PLACES:
        findings.error(
            names.BAD_VALUE,
            node.pattern.span,
            f"a code with {places} places to fill",
            label="each `#` is one of 32 letters and digits",
            help=f"write {LEAST_PLACES} to {MOST_PLACES} of them: with few, codes can be guessed",
        )
        return None
    if not _PATTERN.fullmatch(text):
        findings.error(
            names.BAD_VALUE,
            node.pattern.span,
            "a code is of letters, digits and signs without a blank",
            help='write `"FR-########"`',
        )
        return None
    return model.Pattern(text=text, per_customer=node.per_customer, span=node.span)


def _end(node: nodes.ValidUntil, findings: Findings) -> datetime | None:
    """The first instant at which no code is drawn; the day that is written belongs to it."""
    match node.until:
        case nodes.Date() | nodes.DateTime() as written:
            found = constant(written, PERSON, findings)
            end = found.value if isinstance(found, Constant) else None
            if isinstance(end, datetime):
                return end.astimezone(UTC).replace(tzinfo=None)
            if isinstance(end, date) and end < date.max:
                return datetime.combine(end + timedelta(days=1), datetime.min.time())
            return _NEVER
        case other:
            findings.error(
                names.TYPE_MISMATCH,
                other.span,
                "codes are valid until a day or an instant",
                help="write `valid until 2026-05-31`",
            )
            return None


def redemptions(
    node: nodes.Promo, events: Mapping[str, model.Event], checker: Checker
) -> model.Event | None:
    """The event of the promo's redemption, made of the one that it names."""
    findings = checker.findings
    line = next((i for i in node.items if isinstance(i, nodes.RedeemedBy)), None)
    if line is None:
        return None
    own = redemption(node.name.text)
    if own in checker.declared.events:
        findings.error(
            names.DUPLICATE_NAME,
            checker.declared.events[own].name.span,
            f"`{own}` is the name of the redemptions of promo `{node.name.text}`",
            help="choose another name for the event",
        )
        return None
    if len(line.by.parts) != 2:
        findings.error(
            names.BAD_VALUE,
            line.by.span,
            "a redemption is a field of an event",
            help="write `redeemed by code_redeemed.code`",
        )
        return None
    name, wanted = line.by.parts
    shape = checker.sources.events.get(name.text)
    if shape is None:
        findings.unknown("event", name.text, name.span, checker.declared.events)
        return None
    if wanted.text not in shape.fields:
        findings.unknown("field", wanted.text, wanted.span, shape.fields)
        return None
    type_ = shape.fields[wanted.text]
    if type_ is not None and type_.kind is not Kind.TEXT:
        findings.error(
            names.TYPE_MISMATCH,
            line.by.span,
            f"a code is text, `{line.by.text}` is {type_}",
            label=f"this is {type_}",
        )
        return None
    base = events.get(name.text)
    code = next((f.value for f in base.fields if f.name == wanted.text), None) if base else None
    if base is None or code is None:
        return None
    fields = base.fields
    if line.cost is not None and "cost" not in shape.fields:
        amount = constant(line.cost, PERSON, findings)
        if amount is None:
            return None
        cost = model.BoundField(name="cost", type=amount.type, value=amount, span=line.cost.span)
        fields = (*fields, cost)
    # A drawing makes rows count that were there before: nothing may be kept incrementally.
    return replace(
        base,
        name=own,
        fields=fields,
        append_only=False,
        changed_at=None,
        redeems=node.name.text,
        origin=base.name,
        code=code,
    )


def drawn(
    pair: nodes.Pair,
    node: nodes.Call,
    otherwise: nodes.Otherwise | None,
    checker: Checker,
) -> Code | None:
    """`code: promo(winback20) else skip`; ``otherwise`` is the send's own ``else``, if any."""
    findings = checker.findings
    match node.arguments:
        case (nodes.Ref(parts=(name,)),):
            pass
        case _:
            findings.error(
                names.TYPE_MISMATCH,
                node.span,
                "`promo` is of one promo",
                help="write `promo(winback20)`",
            )
            return None
    if name.text not in checker.declared.promos:
        findings.unknown("promo", name.text, name.span, checker.declared.promos)
        return None
    way = pair.otherwise or otherwise
    if way is None or way.action not in ("skip", "exit"):
        findings.error(
            names.MISSING_PART,
            pair.value.span,
            "there may be no code left",
            label="what then?",
            help=f"write `{pair.key.text}: promo({name.text}) else skip`, or `else exit`",
        )
        return None
    return Code(name=pair.key.text, promo=name.text, reason=way_out(way), span=pair.span)
