"""Tests and assumptions, as written."""

from dataclasses import field
from typing import TypeAlias

from journeylang.classes import dataclass
from journeylang.source import Span
from journeylang.syntax.expressions import EventRef, Pair, Path
from journeylang.syntax.literals import DateTime, Duration, Name, Percent, String


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """``+26h``: counted from the first dated line that is not ``given``."""

    duration: Duration
    span: Span = field(compare=False, repr=False)


Moment: TypeAlias = DateTime | Offset


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCustomer:
    """``given customer { customer_id: "c1", … }``."""

    values: tuple[Pair, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenConsent:
    """``given consent email_marketing``."""

    consent: Name
    at: Moment | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSegment:
    """``given in segment vip``: whatever the segment asks."""

    segment: Name
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenRow:
    """``given products { sku: "a1", price: 10 EUR }``: a row of a catalogue."""

    catalog: Name
    values: tuple[Pair, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenEvent:
    """``given order_placed at 2026-01-02T10:00 { total: 10 EUR }``."""

    event: EventRef
    at: Moment
    values: tuple[Pair, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """``assign subject = named``, ``assign holdout = yes``."""

    target: Path
    arm: Name
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """``+26h order_placed { total: 60 EUR }``."""

    at: Moment
    event: EventRef
    values: tuple[Pair, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectSend:
    """``expect send subject/named/hello via email at +1h``, ``expect no send nudge``."""

    negated: bool
    step: Path
    via: Name | None
    at: Moment | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectNotSent:
    """``expect not sent nudge because capped``: decided against, for that reason."""

    step: Path
    reason: Name
    at: Moment | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectIn:
    """``expect in think at +3d``: the run rests there; without an instant, at the end."""

    step: Path
    at: Moment | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectInvoke:
    """``expect invoke bonus at +2h``, ``expect no invoke bonus``."""

    negated: bool
    step: Path
    at: Moment | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectExit:
    """``expect exit converted at +26h``, ``expect no exit``; without a reason, any exit."""

    negated: bool
    reason: Name | None
    at: Moment | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectNothingElse:
    """``expect nothing else``."""

    span: Span = field(compare=False, repr=False)


Clause: TypeAlias = (
    GivenCustomer
    | GivenConsent
    | GivenSegment
    | GivenRow
    | GivenEvent
    | Assign
    | Happening
    | ExpectSend
    | ExpectNotSent
    | ExpectIn
    | ExpectInvoke
    | ExpectExit
    | ExpectNothingElse
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """``test "an order ends the welcome" for welcome { … }``."""

    title: String
    journey: Name
    clauses: tuple[Clause, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """``order_placed after clicked 8% within 72h``, ``order_placed 3% per 30d``.

    ``per`` marks a rate that repeats; without it ``window`` is how long the event may take.
    """

    event: EventRef
    after: EventRef | None
    chance: Percent
    window: Duration | None
    per: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assume:
    """``assume typical { … }``."""

    name: Name
    title: String | None
    assumptions: tuple[Assumption, ...]
    span: Span = field(compare=False, repr=False)
