"""Tests in the language: what is given, what happens, and what is expected."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from journeylang.classes import dataclass
from journeylang.model.expressions import Constant, EventSource
from journeylang.model.journey import WaitSpan
from journeylang.source import Span

Moment = datetime | WaitSpan
"""An instant: naive as the customer's clock shows it, aware if its zone is written; or so long
after the test's first dated line that is not given."""

Values = tuple[tuple[str, Constant], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The test's journey is started with `values`, as by another journey's `start`."""

    name: str
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event of the customer's at an instant; `given` ones are there before the test begins."""

    event: EventSource | Started
    at: Moment
    values: Values
    given: bool
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a catalogue."""

    catalog: str
    values: Values
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """A consent by rows, granted at `at` (None: long ago)."""

    consent: str
    at: Moment | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message (or a call, if `call`) was decided at the step; or was not, if `negated`."""

    step: str
    channel: str | None = None
    at: Moment | None = None
    negated: bool = False
    call: bool = False
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """It was decided not to send, for that reason."""

    step: str
    reason: str
    at: Moment | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rests:
    """A run rests at the step, at an instant or when nothing is left to happen."""

    step: str
    at: Moment | None = None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A run has left, for that reason or any; or has not, if `negated`."""

    reason: str | None = None
    at: Moment | None = None
    negated: bool = False
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingElse:
    """No other message or call, and no other exit than the journey's end."""

    span: Span = field(compare=False, repr=False)


Expectation = Sent | NotSent | Rests | Left | NothingElse


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One test. `assigned`: path of an experiment (or `holdout`, `control`) and the arm.

    Steps are by their path. What is not given is unknown, or nothing where that cannot be.
    """

    title: str
    journey: str
    customer: Values = ()
    segments: tuple[str, ...] = ()
    consents: tuple[Agreed, ...] = ()
    rows: tuple[Row, ...] = ()
    happenings: tuple[Happening, ...] = ()
    assigned: tuple[tuple[str, str], ...] = ()
    expected: tuple[Expectation, ...] = ()
    span: Span = field(compare=False, repr=False)
