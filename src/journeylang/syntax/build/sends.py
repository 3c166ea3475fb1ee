"""Sends and experiments: options in any order, each of them once."""

from typing import Literal, NamedTuple

from journeylang.source import Span
from journeylang.syntax.build.context import Builder
from journeylang.syntax.expressions import DurationLike, Otherwise, Pair, PercentLike, Ref
from journeylang.syntax.literals import Name, String
from journeylang.syntax.steps import (
    Arm,
    Block,
    Candidate,
    Experiment,
    Factor,
    FactorExperiment,
    Goal,
    Send,
    SendStrategy,
)


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
    values = b.only("`with`", [o for o in options if isinstance(o, With)])
    lasts = b.only("`expires`", [o for o in options if isinstance(o, Lasts)])
    topic = b.only("`about`", [o for o in options if isinstance(o, About)])
    otherwise = b.only("`else`", [o for o in options if isinstance(o, Otherwise)])
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
    salt_ = b.only("`salt`", [part for part in parts if isinstance(part, Salt)])
    expect_ = b.only("`expect`", [part for part in parts if isinstance(part, Expect)])
    goal = b.only("`goal`", [part for part in parts if isinstance(part, Goal)])
    return salt_ and salt_.text, expect_ and expect_.text, goal
