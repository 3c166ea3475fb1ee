"""Journeys and their steps, where more is to be decided than which part is which field."""

from typing import NamedTuple, get_args

from journeylang.diagnostics.codes import syntax
from journeylang.diagnostics.suggest import did_you_mean
from journeylang.source import Span
from journeylang.syntax.build.context import Builder
from journeylang.syntax.expressions import (
    CountLike,
    DurationLike,
    EventRef,
    Expression,
    Otherwise,
    Parameter,
)
from journeylang.syntax.headers import EnterEvery, Header, Journey
from journeylang.syntax.literals import Integer, Name, String, TimeOfDay
from journeylang.syntax.steps import (
    DAYS,
    Argument,
    Block,
    Branch,
    If,
    OnEvent,
    Repeat,
    Step,
    WaitForEvent,
    WaitRace,
    WaitUntilMoment,
    WaitUntilState,
    WaitUntilTime,
)

_STEPS: tuple[type, ...] = get_args(Step)


def journey(
    b: Builder,
    span: Span,
    name: Name,
    parameters: tuple[Parameter, ...] | None,
    title: String | None,
    *parts: Header | Step,
) -> Journey:
    headers: list[Header] = []
    steps: list[Step] = []
    for part in parts:
        if isinstance(part, _STEPS):
            steps.append(part)  # type: ignore[arg-type]  # a tuple of types narrows nothing
            continue
        if steps:
            b.problem(
                part.span,
                "a header behind the first step",
                code=syntax.SYNTAX_ERROR,
                label="this says how the journey runs, and is no step of it",
                help="move it to the beginning of the journey",
            )
        headers.append(part)  # type: ignore[arg-type]
    return Journey(
        name=name,
        parameters=parameters or (),
        title=title,
        headers=tuple(headers),
        steps=tuple(steps),
        span=span,
    )


def block(_: Builder, __: Span, *steps: Step) -> Block:
    return steps


# ---- days


def _days(b: Builder, days: tuple[Name, ...]) -> tuple[Name, ...]:
    for day in days:
        if day.text not in DAYS:
            b.problem(
                day.span,
                f"`{day.text}` is no day",
                help=did_you_mean(day.text, DAYS)
                or "there are `monday` to `sunday`, `weekdays`, `weekends` and `day`",
            )
    return days


def enter_every(
    b: Builder,
    span: Span,
    days: tuple[Name, ...],
    at: TimeOfDay,
    local: str | None,
    condition: Expression | None,
) -> EnterEvery:
    return EnterEvery(
        days=_days(b, days),
        days_of_month=(),
        at=at,
        local=local is not None,
        condition=condition,
        span=span,
    )


def enter_monthly(
    b: Builder,
    span: Span,
    days: tuple[Integer, ...],
    at: TimeOfDay,
    local: str | None,
    condition: Expression | None,
) -> EnterEvery:
    for day in days:
        if not 1 <= day.value <= 31:
            b.problem(day.span, f"no month has a day {day.value}", help="days go from 1 to 31")
    return EnterEvery(
        days=(),
        days_of_month=days,
        at=at,
        local=local is not None,
        condition=condition,
        span=span,
    )


# ---- waits


class Then(NamedTuple):
    """``then {…}`` on its way into a wait."""

    steps: Block
    span: Span


class Timeout(NamedTuple):
    """``timeout {…}`` on its way into a wait."""

    steps: Block
    span: Span


def then_block(_: Builder, span: Span, steps: Block) -> Then:
    return Then(steps, span)


def timeout_block(_: Builder, span: Span, steps: Block) -> Timeout:
    return Timeout(steps, span)


def wait_until_time(
    b: Builder, span: Span, label: Name | None, time: Expression, days: tuple[Name, ...]
) -> WaitUntilTime:
    return WaitUntilTime(label=label, time=time, days=_days(b, days), span=span)


def wait_until(
    b: Builder, span: Span, label: Name | None, moment: Expression, otherwise: Otherwise | None
) -> WaitUntilTime | WaitUntilMoment:
    if not isinstance(moment, TimeOfDay):
        return WaitUntilMoment(label=label, moment=moment, otherwise=otherwise, span=span)
    if otherwise:
        b.problem(
            otherwise.span,
            "`else` behind a time of day",
            code=syntax.SYNTAX_ERROR,
            help="remove it: every day has this time, it cannot have passed",
        )
    return WaitUntilTime(label=label, time=moment, days=(), span=span)


def wait_until_state(
    b: Builder,
    span: Span,
    label: Name | None,
    condition: Expression,
    up_to: DurationLike,
    *blocks: Then | Timeout,
) -> WaitUntilState:
    then = b.only("`then`", [block for block in blocks if isinstance(block, Then)])
    timeout = b.only("`timeout`", [block for block in blocks if isinstance(block, Timeout)])
    return WaitUntilState(
        label=label,
        condition=condition,
        up_to=up_to,
        then=then and then.steps,
        timeout=timeout and timeout.steps,
        span=span,
    )


def _race(
    b: Builder, blocks: tuple[OnEvent | Timeout, ...]
) -> tuple[tuple[OnEvent, ...], Block | None]:
    timeout = b.only("`timeout`", [block for block in blocks if isinstance(block, Timeout)])
    branches = tuple(block for block in blocks if isinstance(block, OnEvent))
    return branches, timeout and timeout.steps


def wait_for(
    b: Builder,
    span: Span,
    label: Name | None,
    event: EventRef,
    where: Expression | None,
    up_to: DurationLike | None,
    *blocks: OnEvent | Timeout,
) -> WaitForEvent:
    branches, timeout = _race(b, blocks)
    return WaitForEvent(
        label=label,
        event=event,
        where=where,
        up_to=up_to,
        branches=branches,
        timeout=timeout,
        span=span,
    )


def wait_race(
    b: Builder, span: Span, label: Name | None, up_to: DurationLike, *blocks: OnEvent | Timeout
) -> WaitRace:
    branches, timeout = _race(b, blocks)
    return WaitRace(label=label, up_to=up_to, branches=branches, timeout=timeout, span=span)


# ---- the rest


def if_step(_: Builder, span: Span, label: Name | None, *parts: Branch | Block | None) -> If:
    branches = tuple(part for part in parts if isinstance(part, Branch))
    otherwise = parts[-1]
    assert not isinstance(otherwise, Branch)
    return If(label=label, branches=branches, otherwise=otherwise, span=span)


def repeat(
    b: Builder,
    span: Span,
    label: Name | None,
    times: CountLike,
    until: Expression | None,
    steps: Block,
) -> Repeat:
    if isinstance(times, Integer) and times.value == 0:
        b.problem(times.span, "a loop of no rounds", help="write how often at most: 1 or more")
    return Repeat(label=label, times=times, until=until, steps=steps, span=span)


def argument(_: Builder, span: Span, value: Expression) -> Argument:
    return Argument(name=None, value=value, span=span)
