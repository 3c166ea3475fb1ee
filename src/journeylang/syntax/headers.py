"""A journey, its headers and its ways in, as written."""

from dataclasses import field
from typing import Literal, TypeAlias

from journeylang.classes import dataclass
from journeylang.source import Span
from journeylang.syntax.expressions import (
    CompareOp,
    DurationLike,
    EventRef,
    Expression,
    Parameter,
    PercentLike,
    Ref,
)
from journeylang.syntax.literals import DateTime, Integer, Name, String, TimeOfDay
from journeylang.syntax.policies import Budget
from journeylang.syntax.steps import Block, Goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """``owner "lifecycle@acme.example"``."""

    text: String
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """``purpose transactional "booking confirmation"``."""

    kind: Literal["marketing", "service", "transactional"]
    reason: String | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priority:
    """``priority 10``; may be negative."""

    value: int
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterOn:
    """``enter on signed_up where source != "import" per booking_id``."""

    event: EventRef
    where: Expression | None
    per: Ref | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterWhen:
    """``enter when EXPR every 1h``."""

    condition: Expression
    every: DurationLike | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterJoins:
    """``enter when joins vip every 1h``."""

    segment: Name
    every: DurationLike | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterAt:
    """``enter at 2026-11-27T09:00 local when EXPR``."""

    at: DateTime
    local: bool
    condition: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterEvery:
    """``enter every monday at 10:00 local when EXPR``, ``enter every month on 1 at 10:00``.

    ``days`` are among ``DAYS``, or else ``days_of_month`` are from 1 to 31; one of the two is
    empty.
    """

    days: tuple[Name, ...]
    days_of_month: tuple[Integer, ...]
    at: TimeOfDay
    local: bool
    condition: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterYearly:
    """``enter every year on customer.birth_date - 7d at 09:00 when EXPR``."""

    date: Expression
    at: TimeOfDay
    local: bool
    condition: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterByStart:
    """``enter by start with { reason: text, total: money(EUR)? }``."""

    fields: tuple[Parameter, ...]
    span: Span = field(compare=False, repr=False)


Entry: TypeAlias = (
    EnterOn | EnterWhen | EnterJoins | EnterAt | EnterEvery | EnterYearly | EnterByStart
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reenter:
    """``reenter never``, ``reenter always``, ``reenter after 180d``."""

    rule: Literal["never", "always", "after"]
    after: DurationLike | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlyCustomers:
    """``only customers where EXPR``."""

    condition: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitWhen:
    """``exit when EXPR as converted``."""

    condition: Expression
    reason: Name | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdout:
    """``holdout 10% salt "welcome-holdout-2026"``."""

    share: PercentLike
    salt: String | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """``kpi open_rate of email >= 20% over 7d by 2026-06-01``.

    ``measure`` is as written; the analysis knows the list of measures.
    """

    measure: Name
    of: Name | None
    op: CompareOp
    bound: Expression
    over: DurationLike | None
    per: DurationLike | None
    by: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """``guard complaint_rate < 0.1% over 1d``, ``guard entries <= 5000 per 1d``."""

    measure: Name
    of: Name | None
    op: CompareOp
    bound: Expression
    over: DurationLike | None
    per: DurationLike | None
    by: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """``runs from 2026-03-01 until 2026-12-31``; at least one of the two is there."""

    start: Expression | None
    end: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePolicy:
    """``policy standard``."""

    policy: Name
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """``upgrade migrate``."""

    mode: Literal["migrate", "pin", "drain"]
    span: Span = field(compare=False, repr=False)


Header: TypeAlias = (
    Owner
    | Purpose
    | Priority
    | Entry
    | Reenter
    | OnlyCustomers
    | ExitWhen
    | Holdout
    | Goal
    | Kpi
    | Guard
    | Runs
    | Budget
    | UsePolicy
    | Upgrade
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """``journey welcome "Turn a sign-up into a first order" { headers… steps… }``.

    Parameters stand behind the name: ``journey winback(floor: money(EUR)) "…" { … }``.
    """

    name: Name
    parameters: tuple[Parameter, ...]
    title: String | None
    headers: tuple[Header, ...]
    steps: Block
    span: Span = field(compare=False, repr=False)
