"""Tables of the binding, the rules of policies, and headers with something to decide."""

from typing import Literal

from journeylang.diagnostics.codes import syntax
from journeylang.source import Span
from journeylang.syntax.binding import TableRef
from journeylang.syntax.build.context import Builder
from journeylang.syntax.expressions import (
    CountLike,
    DurationLike,
    Expression,
    ListOf,
    Pair,
    Parameter,
    PercentLike,
    Ref,
)
from journeylang.syntax.headers import Holdout, Priority, Reenter, Runs
from journeylang.syntax.literals import Integer, Money, Name, Percent, String, TimeOfDay
from journeylang.syntax.policies import Budget, Cap, Control, Period, Quiet, ServiceIgnores, Then

EDITION = 1
ANY = "any"


def language(b: Builder, _: Span, edition: Integer) -> Integer:
    if edition.value != EDITION:
        b.problem(
            edition.span,
            f"edition {edition.value} of the language is not known",
            code=syntax.UNKNOWN_EDITION,
            help=f"write `language {EDITION}`, or install a version of journeylang that knows it",
        )
    return edition


def table(_: Builder, span: Span, *parts: Name | None) -> TableRef:
    *names, alias = parts
    return TableRef(parts=tuple(name for name in names if name), alias=alias, span=span)


def cap(
    _: Builder,
    span: Span,
    channel: Name,
    limit: CountLike,
    per: Period,
    segment: Name | None,
    then: Then | None,
) -> Cap:
    which = None if channel.text == ANY else channel
    return Cap(
        channel=which, topic=None, limit=limit, per=per, segment=segment, then=then, span=span
    )


def cap_about(
    _: Builder,
    span: Span,
    topic: Name,
    limit: CountLike,
    per: Period,
    segment: Name | None,
    then: Then | None,
) -> Cap:
    return Cap(
        channel=None, topic=topic, limit=limit, per=per, segment=segment, then=then, span=span
    )


def quiet(
    b: Builder,
    span: Span,
    channels: tuple[Name, ...],
    start: TimeOfDay,
    end: TimeOfDay,
    then: Then | None,
) -> Quiet:
    if start == end:
        b.problem(end.span, "quiet hours that begin and end at the same time")
    named = tuple(channel for channel in channels if channel.text != ANY)
    return Quiet(channels=named, start=start, end=end, then=then, span=span)


def channel_budget(
    _: Builder,
    span: Span,
    channel: Name | None,
    amount: Money,
    per: Period | None,
    then: Then | None,
) -> Budget:
    which = None if channel and channel.text == ANY else channel
    return Budget(channel=which, amount=amount, per=per, then=then, span=span)


def budget(
    _: Builder, span: Span, amount: Expression, per: Period | None, then: Then | None
) -> Budget:
    return Budget(channel=None, amount=amount, per=per, then=then, span=span)


def control(b: Builder, span: Span, of: Percent, salt: String | None) -> Control:
    b.check_share("a control group", of)
    return Control(share=of, salt=salt, span=span)


def service_ignores(_: Builder, span: Span, *rules: Literal["caps", "quiet"]) -> ServiceIgnores:
    return ServiceIgnores(rules=rules, span=span)


# ---- headers


def priority(_: Builder, span: Span, minus: str | None, value: Integer) -> Priority:
    return Priority(value=-value.value if minus else value.value, span=span)


def reenter(
    _: Builder,
    span: Span,
    rule: Literal["never", "always", "after"],
    after: DurationLike | None = None,
) -> Reenter:
    return Reenter(rule=rule, after=after, span=span)


def holdout(b: Builder, span: Span, of: PercentLike, salt: String | None) -> Holdout:
    b.check_share("a hold-out", of)
    return Holdout(share=of, salt=salt, span=span)


def runs_until(_: Builder, span: Span, end: Expression) -> Runs:
    return Runs(start=None, end=end, span=span)


# ---- lists


def names(_: Builder, __: Span, *all_: Name) -> tuple[Name, ...]:
    return all_


def integers(_: Builder, __: Span, *all_: Integer) -> tuple[Integer, ...]:
    return all_


def parameters(_: Builder, __: Span, *all_: Parameter) -> tuple[Parameter, ...]:
    return all_


def fields(_: Builder, __: Span, *all_: Parameter) -> tuple[Parameter, ...]:
    return all_


def settings(_: Builder, __: Span, *pairs: Pair) -> tuple[Pair, ...]:
    return pairs


def list_of(_: Builder, span: Span, *items: Expression) -> ListOf:
    return ListOf(items=items, span=span)


def template_ref(_: Builder, span: Span, name: Name) -> Ref:
    return Ref(parts=(name,), span=span)
