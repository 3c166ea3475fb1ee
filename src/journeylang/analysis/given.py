"""What `with` gives: values, lists of values, rows of a catalogue, a code."""

from __future__ import annotations

from collections.abc import Sequence

from journeylang.analysis.expressions import Checker
from journeylang.analysis.operators import type_of
from journeylang.analysis.picks import pick
from journeylang.analysis.promos import drawn
from journeylang.analysis.scope import Scope
from journeylang.analysis.template_scope import GIVEN
from journeylang.classes import dataclass
from journeylang.diagnostics.codes import names
from journeylang.diagnostics.model import Label
from journeylang.model import journey as model
from journeylang.model.expressions import Expression
from journeylang.model.types import NUMBER, Type
from journeylang.syntax import nodes

MOST = 100
"""Items of a list."""

Named = tuple[tuple[str, model.Value], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What `with` behind a whole send gives to its templates."""

    values: Named
    picks: tuple[model.Pick, ...]
    code: model.Code | None


def of_send(node: nodes.Send, scope: Scope, checker: Checker) -> Given | None:
    """The values behind a send; None if one of them is not right."""
    findings = checker.findings
    found: list[tuple[str, model.Value]] = []
    picks: list[model.Pick] = []
    codes: list[model.Code] = []
    fine = True
    for pair in node.values:
        value: model.Value | model.Pick | model.Code | None
        match pair.value:
            case nodes.TopOf() as top:
                value = pick(pair, top, node.otherwise, scope, checker)
            case nodes.Call(function=nodes.Name(text="promo")) as call:
                value = drawn(pair, call, node.otherwise, checker)
            case _:
                value = plain(pair, scope, checker)
        match value:
            case None:
                fine = False
            case model.Pick():
                picks.append(value)
            case model.Code():
                codes.append(value)
            case _:
                found.append((pair.key.text, value))
    _names(node.values, scope, checker)
    for further in codes[1:]:
        findings.error(
            names.REPEATED_PART,
            further.span,
            "a message has one code",
            labels=(Label(codes[0].span, "the first"),),
            help="send the other one by a message of its own",
        )
    # None lets the run go on; all of them lead to one place.
    ways = {p.reason for p in picks if p.otherwise is not None} | {c.reason for c in codes}
    if len(ways) > 1:
        findings.error(
            names.REPEATED_PART,
            codes[-1].span if codes else picks[-1].span,
            "the values of a send have different `else`s",
            help="let all of them `skip`, or all of them `exit` by one name",
        )
        return None
    if not fine or len(codes) > 1:
        return None
    values = (*found, *scope.drawn.items())
    return Given(values=values, picks=tuple(picks), code=codes[0] if codes else None)


def of_channel(
    node: nodes.Candidate, send: nodes.Send, scope: Scope, checker: Checker
) -> Named | None:
    """The values of one channel of several; None if one of them is not right."""
    _names(node.values, scope, checker)
    of_all = {pair.key.text: pair.key for pair in send.values if decides(pair)}
    for pair in node.values:
        if pair.key.text in of_all:
            checker.findings.error(
                names.DUPLICATE_NAME,
                pair.key.span,
                f"`{pair.key.text}` is given to all channels, and decides whether one is tried",
                labels=(Label(of_all[pair.key.text].span, "given here"),),
                help="choose another name",
            )
            return None
    return each(
        node.values,
        scope,
        checker,
        message="rows of a catalogue and codes are those of the whole send",
        advice="put it behind the braces: `send first of { … } with { … }`",
    )


def decides(pair: nodes.Pair) -> bool:
    """Rows of a catalogue and codes: without them the message may be none."""
    match pair.value:
        case nodes.TopOf() | nodes.Call(function=nodes.Name(text="promo")):
            return True
        case _:
            return False


def each(
    pairs: Sequence[nodes.Pair], scope: Scope, checker: Checker, *, message: str, advice: str
) -> Named | None:
    """Values and lists of values alone: rows and codes are told as out of place."""
    found: list[tuple[str, model.Value]] = []
    fine = True
    for pair in pairs:
        value: model.Value | None = None
        if decides(pair):
            checker.findings.error(names.OUT_OF_PLACE, pair.span, message, help=advice)
        else:
            value = plain(pair, scope, checker)
        if value is None:
            fine = False
        else:
            found.append((pair.key.text, value))
    return tuple(found) if fine else None


def plain(pair: nodes.Pair, scope: Scope, checker: Checker) -> model.Value | None:
    """A value, or a list of values."""
    if pair.otherwise is not None:
        checker.findings.error(
            names.OUT_OF_PLACE,
            pair.otherwise.span,
            f"the value of `{pair.key.text}` is always there",
            help="leave `else` out: it belongs behind `promo(…)` and `top … of`",
        )
    match pair.value:
        case nodes.ListOf() as written:
            return _several(written, scope, checker)
        case nodes.TopOf():
            raise AssertionError("rows of a catalogue are no plain value")
        case value:
            return checker.value(value, scope)


def _several(node: nodes.ListOf, scope: Scope, checker: Checker) -> model.Several | None:
    findings = checker.findings
    if not 1 <= len(node.items) <= MOST:
        findings.error(
            names.BAD_VALUE,
            node.span,
            f"a list of values has 1 to {MOST}, this one has {len(node.items)}",
            help="leave it out" if not node.items else "give rows of a catalogue: `top … of`",
        )
        return None
    found = [checker.value(item, scope) for item in node.items]
    items: list[Expression] = []
    common: Type | None = None
    for item, written in zip(found, node.items, strict=True):
        if item is None:
            return None
        type_ = type_of(item)
        if type_ is not None and common is not None and not common.same_kind(type_):
            findings.error(
                names.TYPE_MISMATCH,
                written.span,
                f"the list begins with {common}, this is {type_}",
                labels=(Label(node.items[0].span, f"this is {common}"),),
                help="let all values of a list be of one type",
            )
            return None
        if type_ is not None:
            # What is unknown is left out.
            bare = Type(kind=type_.kind, currency=type_.currency)
            common = bare if common in (None, bare) else NUMBER
        items.append(item)
    return model.Several(items=tuple(items), type=common, span=node.span)


def _names(pairs: Sequence[nodes.Pair], scope: Scope, checker: Checker) -> None:
    """Each name is given once, and is not in every template already."""
    findings = checker.findings
    seen: dict[str, nodes.Name] = {}
    for key in (pair.key for pair in pairs):
        if repeated(key, seen, checker):
            continue
        if key.text in GIVEN:
            findings.error(
                names.DUPLICATE_NAME,
                key.span,
                f"`{key.text}` is in every template already",
                help=f"choose another name, such as `{key.text}_here`",
            )
        elif key.text in scope.drawn:
            findings.error(
                names.DUPLICATE_NAME,
                key.span,
                f"`{key.text}` is drawn by an experiment before",
                labels=(Label(scope.drawn[key.text].span, "drawn here"),),
                help="leave it out: the template has the value that was drawn",
            )


def repeated(key: nodes.Name, seen: dict[str, nodes.Name], checker: Checker) -> bool:
    """Report a name that is given for the second time."""
    first = seen.setdefault(key.text, key)
    if first is key:
        return False
    checker.findings.error(
        names.REPEATED_PART,
        key.span,
        f"`{key.text}` is given twice",
        labels=(Label(first.span, "given here already"),),
        help="remove one of the two",
    )
    return True
