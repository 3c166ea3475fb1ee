"""Journeys and their steps, where more is to be decided than which part is which field."""

from typing import Literal, NamedTuple, TypeVar, get_args

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
    Pair,
    Parameter,
    PercentLike,
    Ref,
)
from journeylang.syntax.headers import EnterEvery, Header, Journey
from journeylang.syntax.literals import Integer, Name, String, TimeOfDay
from journeylang.syntax.steps import (
    DAYS,
    Arm,
    Argument,
    Block,
    Branch,
    Candidate,
    Experiment,
    Factor,
    FactorExperiment,
    Goal,
    If,
    OnEvent,
    Repeat,
    Send,
    SendStrategy,
    Step,
    WaitForEvent,
    WaitRace,
    WaitUntilMoment,
    WaitUntilState,
    WaitUntilTime,
)

T = TypeVar("T")

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


def _only(b: Builder, what: str, found: list[T]) -> T | None:
    """The one that is meant to stand once; a second is reported."""
    for again in found[1:]:
        b.repeated(what, found[0].span, again.span)  # type: ignore[attr-defined]
    return found[0] if found else None


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
    then = _only(b, "`then`", [block for block in blocks if isinstance(block, Then)])
    timeout = _only(b, "`timeout`", [block for block in blocks if isinstance(block, Timeout)])
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
    timeout = _only(b, "`timeout`", [block for block in blocks if isinstance(block, Timeout)])
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


# ---- sends


class With(NamedTuple):
    values: tuple[Pair, ...]
    span: Span


class Lasts(NamedTuple):
    length: DurationLike
    span: Span


class About(NamedTuple):
    topic: Name
    span: Span


def with_values(_: Builder, span: Span, values: tuple[Pair, ...]) -> With:
    return With(values, span)


def send_expires(_: Builder, span: Span, length: DurationLike) -> Lasts:
    return Lasts(length, span)


def about(_: Builder, span: Span, topic: Name) -> About:
    return About(topic, span)


def else_skip(_: Builder, span: Span) -> Otherwise:
    return Otherwise(action="skip", hold=None, reason=None, span=span)


def else_hold(_: Builder, span: Span, hold: DurationLike) -> Otherwise:
    return Otherwise(action="hold", hold=hold, reason=None, span=span)


def else_continue(_: Builder, span: Span) -> Otherwise:
    return Otherwise(action="continue", hold=None, reason=None, span=span)


def else_exit(_: Builder, span: Span, reason: Name | None) -> Otherwise:
    return Otherwise(action="exit", hold=None, reason=reason, span=span)


Option = With | Lasts | About | Otherwise


def send(
    b: Builder,
    span: Span,
    label: Name | None,
    channel: Name,
    template: String | Ref | None,
    *options: Option,
) -> Send:
    place = channel.span.until(template.span) if template else channel.span
    only = Candidate(channel=channel, template=template, values=(), condition=None, span=place)
    return _send(b, span, label, "only", (only,), options)


def send_of(
    b: Builder,
    span: Span,
    label: Name | None,
    strategy: Literal["first", "preferred", "cheapest", "best"],
    *parts: Candidate | Option,
) -> Send:
    candidates = tuple(part for part in parts if isinstance(part, Candidate))
    options = tuple(part for part in parts if not isinstance(part, Candidate))
    return _send(b, span, label, strategy, candidates, options)


def _send(
    b: Builder,
    span: Span,
    label: Name | None,
    strategy: SendStrategy,
    candidates: tuple[Candidate, ...],
    options: tuple[Option, ...],
) -> Send:
    values = _only(b, "`with`", [o for o in options if isinstance(o, With)])
    lasts = _only(b, "`expires`", [o for o in options if isinstance(o, Lasts)])
    topic = _only(b, "`about`", [o for o in options if isinstance(o, About)])
    otherwise = _only(b, "`else`", [o for o in options if isinstance(o, Otherwise)])
    return Send(
        label=label,
        strategy=strategy,
        candidates=candidates,
        values=values.values if values else (),
        expires=lasts.length if lasts else None,
        about=topic.topic if topic else None,
        otherwise=otherwise,
        span=span,
    )


# ---- experiments


class Salt(NamedTuple):
    text: String
    span: Span


class Expect(NamedTuple):
    text: String
    span: Span


def salt(_: Builder, span: Span, text: String) -> Salt:
    return Salt(text, span)


def expect(_: Builder, span: Span, text: String) -> Expect:
    return Expect(text, span)


def arm(
    b: Builder,
    span: Span,
    name: Name,
    of: PercentLike | None,
    control: str | None,
    steps: Block,
) -> Arm:
    if of:
        b.check_share("an arm", of)
    return Arm(name=name, share=of, control=control is not None, steps=steps, span=span)


def experiment(
    b: Builder,
    span: Span,
    label: Name | None,
    adaptive: str | None,
    *parts: Salt | Expect | Goal | Arm,
) -> Experiment:
    salt_, expect_, goal = _options(b, parts)
    return Experiment(
        label=label,
        adaptive=adaptive is not None,
        salt=salt_,
        expect=expect_,
        goal=goal,
        arms=tuple(part for part in parts if isinstance(part, Arm)),
        span=span,
    )


def factor_experiment(
    b: Builder,
    span: Span,
    label: Name | None,
    adaptive: str | None,
    *parts: Salt | Expect | Goal | Factor,
) -> FactorExperiment:
    salt_, expect_, goal = _options(b, parts)
    return FactorExperiment(
        label=label,
        adaptive=adaptive is not None,
        salt=salt_,
        expect=expect_,
        goal=goal,
        factors=tuple(part for part in parts if isinstance(part, Factor)),
        span=span,
    )


def _options(
    b: Builder, parts: tuple[Salt | Expect | Goal | Arm | Factor, ...]
) -> tuple[String | None, String | None, Goal | None]:
    salt_ = _only(b, "`salt`", [part for part in parts if isinstance(part, Salt)])
    expect_ = _only(b, "`expect`", [part for part in parts if isinstance(part, Expect)])
    goal = _only(b, "`goal`", [part for part in parts if isinstance(part, Goal)])
    return salt_ and salt_.text, expect_ and expect_.text, goal


# ---- the rest


def if_step(
    _: Builder,
    span: Span,
    label: Name | None,
    condition: Expression,
    steps: Block,
    *more: Branch | Block | None,
) -> If:
    *others, otherwise = more
    # The first branch ends where the second begins, or where the whole does.
    end = next((other.span.start for other in others if isinstance(other, Branch)), span.end)
    place = Span(span.path, condition.span.start, end)
    first = Branch(condition=condition, steps=steps, span=place)
    return If(
        label=label,
        branches=(first, *(other for other in others if isinstance(other, Branch))),
        otherwise=otherwise,  # type: ignore[arg-type]  # the last part is the block of `else`
        span=span,
    )


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
