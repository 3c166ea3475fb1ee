"""Expressions: from what the grammar found to nodes."""

from typing import Literal, NamedTuple

from journeylang.diagnostics.codes import syntax
from journeylang.source import Span
from journeylang.syntax.build.context import Builder
from journeylang.syntax.expressions import (
    AGGREGATES,
    AgeTest,
    Aggregate,
    And,
    Between,
    Binary,
    Call,
    Compare,
    CompareOp,
    Contains,
    DurationLike,
    EventRef,
    Expression,
    InList,
    InListFile,
    InSegment,
    IsKnown,
    Negate,
    Not,
    Or,
    Path,
    Ref,
    Since,
    StartsWith,
    TileBy,
    TopBy,
    Within,
)
from journeylang.syntax.literals import Integer, Name, Percent, String

Items = tuple[Expression, ...]


def any_of(b: Builder, span: Span, *operands: Expression) -> Expression:
    return b.level(Or(operands=operands, span=span), operands)


def all_of(b: Builder, span: Span, *operands: Expression) -> Expression:
    return b.level(And(operands=operands, span=span), operands)


def inverted(b: Builder, span: Span, operand: Expression) -> Expression:
    return b.level(Not(operand=operand, span=span), (operand,))


def negated(b: Builder, span: Span, operand: Expression) -> Expression:
    return b.level(Negate(operand=operand, span=span), (operand,))


def binary(
    b: Builder, span: Span, left: Expression, op: Literal["+", "-", "*", "/"], right: Expression
) -> Expression:
    return b.level(Binary(op=op, left=left, right=right, span=span), (left, right))


def compare(
    b: Builder, span: Span, left: Expression, op: CompareOp, right: Expression
) -> Expression:
    return b.level(Compare(op=op, left=left, right=right, span=span), (left, right))


def between(
    b: Builder, span: Span, subject: Expression, low: Expression, high: Expression
) -> Expression:
    made = Between(subject=subject, low=low, high=high, span=span)
    return b.level(made, (subject, low, high))


def contains(b: Builder, span: Span, subject: Expression, part: Expression) -> Expression:
    return b.level(Contains(subject=subject, part=part, span=span), (subject, part))


def starts_with(b: Builder, span: Span, subject: Expression, prefix: Expression) -> Expression:
    return b.level(StartsWith(subject=subject, prefix=prefix, span=span), (subject, prefix))


def is_known(
    b: Builder, span: Span, subject: Expression, which: Literal["known", "unknown"]
) -> Expression:
    return b.level(IsKnown(subject=subject, known=which == "known", span=span), (subject,))


def age_test(
    b: Builder, span: Span, subject: Expression, which: Literal["older", "newer"], age: DurationLike
) -> Expression:
    made = AgeTest(subject=subject, older=which == "older", age=age, span=span)
    return b.level(made, (subject,))


# ---- in: a list, a segment, a file; with `not`, and with the customer left out


def items(_: Builder, __: Span, *all_: Expression) -> Items:
    return all_


def in_list(b: Builder, span: Span, subject: Expression, among: Items) -> Expression:
    return b.level(InList(subject=subject, items=among, span=span), (subject, *among))


def in_segment(b: Builder, span: Span, subject: Expression, segment: Name) -> Expression:
    return b.level(InSegment(subject=subject, segment=segment, span=span), (subject,))


def in_list_file(b: Builder, span: Span, subject: Expression, path: String) -> Expression:
    return b.level(InListFile(subject=subject, path=path, span=span), (subject,))


def not_in_list(b: Builder, span: Span, subject: Expression, among: Items) -> Expression:
    return inverted(b, span, in_list(b, span, subject, among))


def not_in_segment(b: Builder, span: Span, subject: Expression, segment: Name) -> Expression:
    return inverted(b, span, in_segment(b, span, subject, segment))


def not_in_list_file(b: Builder, span: Span, subject: Expression, path: String) -> Expression:
    return inverted(b, span, in_list_file(b, span, subject, path))


def customer_in_segment(_: Builder, span: Span, segment: Name) -> Expression:
    return InSegment(subject=None, segment=segment, span=span)


def customer_in_list_file(_: Builder, span: Span, path: String) -> Expression:
    return InListFile(subject=None, path=path, span=span)


# ---- rankings


def top_by(b: Builder, span: Span, share: Percent, by: Expression) -> Expression:
    if not 0 < share.value <= 100:
        b.problem(share.span, "a share outside of 0% to 100%", help="write for example `top 10%`")
    return b.level(TopBy(share=share, by=by, span=span), (by,))


def tile_by(b: Builder, span: Span, tiles: Integer, by: Expression) -> Expression:
    if not 2 <= tiles.value <= 1000:
        b.problem(tiles.span, "a number of tiles outside of 2 to 1000", help="write `tile 5 by …`")
    return b.level(TileBy(tiles=tiles, by=by, span=span), (by,))


# ---- names, calls, aggregates


def ref(_: Builder, span: Span, *parts: Name) -> Ref:
    return Ref(parts=parts, span=span)


def path(_: Builder, span: Span, *parts: Name) -> Path:
    return Path(parts=parts, span=span)


def event_ref(_: Builder, span: Span, event: Name, of: Path | None) -> EventRef:
    return EventRef(name=event, of=of, span=span)


def call(b: Builder, span: Span, function: Name, *arguments: Expression) -> Expression:
    if function.text in AGGREGATES:
        if len(arguments) == 1:
            return aggregate(b, span, function, arguments[0])
        _over_one_event(b, function, span)
    return b.level(Call(function=function, arguments=arguments, span=span), arguments)


class Scope(NamedTuple):
    """``of hello``, on its way into an aggregate."""

    of: Path


class Condition(NamedTuple):
    """``where …``, on its way into an aggregate."""

    where: Expression
    span: Span


def scope(_: Builder, __: Span, of: Path) -> Scope:
    return Scope(of)


def condition(_: Builder, span: Span, where: Expression) -> Condition:
    return Condition(where, span)


def within(_: Builder, span: Span, length: DurationLike) -> Within:
    return Within(length=length, span=span)


def since(_: Builder, span: Span, start: Expression) -> Since:
    return Since(start=start, span=span)


def aggregate(
    b: Builder,
    span: Span,
    function: Name,
    over: Expression,
    *parts: Scope | Condition | Within | Since,
) -> Expression:
    of: Path | None = None
    where: Condition | None = None
    windows: list[Within | Since] = []
    for part in parts:
        match part:
            case Scope():
                if of:
                    b.repeated("`of`", of.span, part.of.span)
                of = part.of
            case Condition():
                if where:
                    b.repeated("`where`", where.span, part.span)
                where = part
            case _:
                windows.append(part)
    if not isinstance(over, Ref) or len(over.parts) > 2:
        _over_one_event(b, function, over.span)
        return over
    event = EventRef(name=over.parts[0], of=of, span=over.span.until(of.span) if of else over.span)
    made = Aggregate(
        function=function,
        event=event,
        event_field=over.parts[1] if len(over.parts) == 2 else None,
        where=where.where if where else None,
        windows=tuple(windows),
        span=span,
    )
    inner = (
        *((where.where,) if where else ()),
        *(w.start for w in windows if isinstance(w, Since)),
    )
    return b.level(made, inner)


def _over_one_event(b: Builder, function: Name, span: Span) -> None:
    b.problem(
        span,
        f"`{function.text}` is over one event",
        code=syntax.SYNTAX_ERROR,
        label="this is not one event, and not one field of one",
        help=f"write `{function.text}(order_placed)` or `{function.text}(order_placed.total)`",
    )
