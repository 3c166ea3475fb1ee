"""Policies and their rules, as written."""

from dataclasses import field
from typing import Literal, TypeAlias

from journeylang.classes import dataclass
from journeylang.source import Span
from journeylang.syntax.expressions import CountLike, Expression
from journeylang.syntax.literals import Duration, Name, Percent, String, TimeOfDay


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarPeriod:
    """``per day``, ``per week``, ``per month``: on the customer's own calendar."""

    unit: Literal["day", "week", "month"]
    span: Span = field(compare=False, repr=False)


# ``per 7d`` rolls, ``per week`` starts anew each Monday.
Period: TypeAlias = Duration | CalendarPeriod
Then: TypeAlias = Literal["hold", "skip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """``cap email 3 per 7d for one_off then skip``.

    ``cap any …`` has neither channel nor topic, ``cap about offers …`` a topic. ``limit`` may be a
    customer's own wish (``customer.max_emails``).
    """

    channel: Name | None
    topic: Name | None
    limit: CountLike
    per: Period
    segment: Name | None
    then: Then | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """``quiet sms, push, call 20:00 to 09:00 then hold``; may run over midnight.

    ``quiet any …`` has no channels.
    """

    channels: tuple[Name, ...]
    start: TimeOfDay
    end: TimeOfDay
    then: Then | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """``budget sms 500 EUR per 30d then skip``; as a journey's header ``budget 5000 EUR``.

    Without a channel (or with ``any``) it is over all of them; without ``per`` for all time.
    """

    channel: Name | None
    amount: Expression
    per: Period | None
    then: Then | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """``control 2% salt "global-2026"``: the global control group."""

    share: Percent
    salt: String | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """``capacity call 120 per day then hold``."""

    channel: Name
    limit: CountLike
    per: Period
    then: Then | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIgnores:
    """``service ignores caps, quiet``."""

    rules: tuple[Literal["caps", "quiet"], ...]
    span: Span = field(compare=False, repr=False)


Rule: TypeAlias = Cap | Quiet | Budget | Control | Capacity | ServiceIgnores


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``policy standard { … }``."""

    name: Name
    title: String | None
    rules: tuple[Rule, ...]
    span: Span = field(compare=False, repr=False)
