"""What can change about a step, each aspect with the category of its change.

Two steps of one path are compared aspect by aspect. Values compare by meaning; what is shown of
them is short, and never a customer's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, assert_never

from journeylang.classes import dataclass
from journeylang.model.journey import (
    BestHour,
    Experiment,
    Factors,
    If,
    Invoke,
    Leave,
    Race,
    Repeat,
    Send,
    Set,
    Start,
    Step,
    Wait,
    WaitMoment,
    WaitState,
)
from journeylang.plan.chart import wait_words
from journeylang.plan.ways_in import days, event_words
from journeylang.source import Span

Category = Literal["none", "content", "compatible", "retime", "review", "experiment", "breaking"]
"""How grave a change is for people in flight, from least to most."""

GRAVITY: tuple[Category, ...] = (
    "none",
    "content",
    "compatible",
    "retime",
    "review",
    "experiment",
    "breaking",
)

RESTING = (Wait, WaitMoment, WaitState, Race, Send)
"""Steps at which people are between two ticks."""

Excerpt = Callable[[Span], str]
"""The text of a place, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One thing about a step: what it is compared by, and what is shown of it."""

    name: str
    category: Category
    value: object
    shown: str


def aspects(step: Step, excerpt: Excerpt, templates: Mapping[str, str]) -> tuple[Aspect, ...]:
    """All that can change about a step; `templates` are digests of texts, by `name.channel`."""
    match step:
        case Wait():
            return (_aspect("wait", "retime", step.until, f"wait {wait_words(step.until)}"),)
        case WaitMoment():
            return _moment(step, excerpt)
        case WaitState():
            span = f"up to {wait_words(step.deadline)}"
            asked = excerpt(step.condition.span)
            return (
                _aspect("until", "review", step.condition, f"wait until {asked}"),
                _aspect("up to", "retime", step.deadline, span),
            )
        case Race():
            awaited = tuple((b.event, b.where) for b in step.branches)
            shown = ", ".join(
                event_words(b.event)
                + ("" if b.where is None else f" where {excerpt(b.where.span)}")
                for b in step.branches
            )
            return (
                _aspect("for", "review", awaited, f"wait for {shown}"),
                _aspect("up to", "retime", step.deadline, f"up to {wait_words(step.deadline)}"),
            )
        case Send():
            return _send(step, excerpt, templates)
        case Experiment():
            arms = tuple((a.name, a.low, a.high) for a in step.arms)
            shares = ", ".join(f"{a.name} {(a.high - a.low) / 100:g}%" for a in step.arms)
            salted = _aspect("salt", "experiment", step.salt, f'salt "{step.salt}"')
            rest = (step.goal, step.learns, [a.name for a in step.arms if a.control])
            return (
                salted,
                _aspect("arms", "experiment", arms, shares),
                _aspect("judged", "review", rest, "judged"),
            )
        case Factors():
            tried = tuple((f.name, f.value.salt, f.arms) for f in step.factors)
            shown = ", ".join(f"{f.name} {len(f.arms)}" for f in step.factors)
            return (
                _aspect("factors", "experiment", tried, shown),
                _aspect("judged", "review", (step.goal, step.learns), "judged"),
            )
        case Repeat():
            asked = "" if step.until is None else f" until {excerpt(step.until.span)}"
            looped = (step.times, step.until)
            return (_aspect("repeat", "review", looped, f"up to {step.times} times{asked}"),)
        case Set():
            return (
                _aspect("set", "review", step.value, f"{step.name} = {excerpt(step.value.span)}"),
            )
        case Start():
            what = (step.journey, step.values)
            return (_aspect("start", "review", what, f"start {step.journey}"),)
        case Invoke():
            called = f'{step.service} "{step.action}"'
            return (
                _aspect("invoke", "review", (step.service, step.action), called),
                _aspect("with", "content", step.values, "with"),
            )
        case If() | Leave():
            return ()
        case _:
            assert_never(step)


def _aspect(name: str, category: Category, value: object, shown: str) -> Aspect:
    return Aspect(name=name, category=category, value=value, shown=shown)


def _moment(step: WaitMoment, excerpt: Excerpt) -> tuple[Aspect, ...]:
    if isinstance(step.moment, BestHour):
        shown = f"best hour within {step.moment.within // 60}m"
    else:
        on = "" if len(step.weekdays) == 7 else f" on {days(step.weekdays)}"
        shown = f"{excerpt(step.moment.span)}{on}"
    otherwise = "exit" if step.leaves else "skip" if step.body else "continue"
    return (
        _aspect("until", "retime", (step.moment, step.weekdays), f"wait until {shown}"),
        _aspect("else", "review", otherwise, f"else {otherwise}"),
    )


def _send(step: Send, excerpt: Excerpt, templates: Mapping[str, str]) -> tuple[Aspect, ...]:
    channels = tuple((c.channel, c.when) for c in step.candidates)
    named = ", ".join(
        c.channel + ("" if c.when is None else f" when {excerpt(c.when.span)}")
        for c in step.candidates
    )
    if step.strategy != "first" or len(step.candidates) > 1:
        named = f"{step.strategy} of {named}"
    files = tuple((c.template, c.channel) for c in step.candidates)
    shown = ", ".join(dict.fromkeys(f'"{template}"' for template, _ in files))
    texts = tuple(templates.get(f"{template}.{channel}", "") for template, channel in files)
    given = (step.values, tuple(c.values for c in step.candidates), step.picks, step.code)
    names = [name for name, _ in step.values]
    names += [p.name for p in step.picks] + ([step.code.name] if step.code else [])
    otherwise = (step.otherwise, step.expires, step.topic)
    said = "" if step.otherwise is None else f"else {step.otherwise.action} "
    about = "" if step.topic is None else f" about {step.topic}"
    return (
        _aspect("send", "review", (step.strategy, channels), f"send {named}"),
        _aspect("template", "content", files, f"template {shown}"),
        _aspect("text", "content", texts, f"text of {shown}"),
        _aspect("with", "content", given, f"with {{{', '.join(names)}}}"),
        _aspect("else", "review", otherwise, f"{said}expires {_hours(step.expires)}{about}"),
    )


def _hours(seconds: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
