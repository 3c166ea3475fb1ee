"""The steps of a journey, as written.

Every step has a ``label``; that ``wait send experiment repeat invoke start include`` need one
is for the analysis to say.
"""

from dataclasses import field
from typing import Literal, TypeAlias

from journeylang.classes import dataclass
from journeylang.source import Span
from journeylang.syntax.expressions import (
    CountLike,
    DurationLike,
    EventRef,
    Expression,
    ListOf,
    Otherwise,
    Pair,
    PercentLike,
    Ref,
)
from journeylang.syntax.literals import Name, String

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = frozenset({*WEEKDAYS, "day", "weekday", "weekdays", "weekend", "weekends"})
"""The words for days, in ``wait until 09:00 on …`` and ``enter every …``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """``wait 2d``."""

    label: Name | None
    duration: DurationLike
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntilTime:
    """``wait until 09:00 on weekdays``; ``days`` is empty when every day will do.

    ``time`` is a time of day, or with ``on …`` any expression that ought to be one. The days are
    among ``DAYS``.
    """

    label: Name | None
    time: Expression
    days: tuple[Name, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitBestHour:
    """``wait until best hour within 24h``."""

    label: Name | None
    within: DurationLike
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntilMoment:
    """``wait until entry.departs_at - 2h else skip``: ``until`` without ``up to``."""

    label: Name | None
    moment: Expression
    otherwise: Otherwise | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitUntilState:
    """``wait until EXPR up to 7d { then {…} timeout {…} }``; a block that is not there is None."""

    label: Name | None
    condition: Expression
    up_to: DurationLike
    then: "Block | None"
    timeout: "Block | None"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnEvent:
    """``on clicked where link = "a" { … }`` in a wait's braces."""

    event: EventRef
    where: Expression | None
    steps: "Block"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForEvent:
    """``wait for clicked of nudge up to 5d { on clicked {…} timeout {…} }``."""

    label: Name | None
    event: EventRef
    where: Expression | None
    up_to: DurationLike | None
    branches: tuple[OnEvent, ...]
    timeout: "Block | None"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRace:
    """``wait up to 7h { on A {…} on B {…} timeout {…} }``: the earliest of several."""

    label: Name | None
    up_to: DurationLike
    branches: tuple[OnEvent, ...]
    timeout: "Block | None"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """``push "welcome/nudge_push" when exists(app_opened within 7d)``: one channel of a send.

    ``template`` is a ``Ref`` only where a fragment's parameter is sent; None is the default path.
    """

    channel: Name
    template: String | Ref | None
    values: tuple[Pair, ...]
    condition: Expression | None
    span: Span = field(compare=False, repr=False)


SendStrategy: TypeAlias = Literal["only", "first", "preferred", "cheapest", "best"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """``send email "welcome/hello" with {…} expires 24h``, or ``send first of { … } else skip``.

    ``strategy`` is ``only`` for a single channel, which is then the one candidate; its ``values``
    and ``condition`` are empty. ``values`` here are those behind the whole send.
    """

    label: Name | None
    strategy: SendStrategy
    candidates: tuple[Candidate, ...]
    values: tuple[Pair, ...]
    expires: DurationLike | None
    about: Name | None
    otherwise: Otherwise | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """``goal order_placed where total > 5 EUR within 14d worth total``: a header, or an option."""

    event: EventRef
    where: Expression | None
    within: DurationLike | None
    worth: Expression | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """``arm plain 50% control { … }``."""

    name: Name
    share: PercentLike | None
    control: bool
    steps: "Block"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """``experiment adaptive salt "…" expect "…" goal … { arm … }``; ``expect``: the hypothesis."""

    label: Name | None
    adaptive: bool
    salt: String | None
    expect: String | None
    goal: Goal | None
    arms: tuple[Arm, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """``subject: ["a", "b"]``."""

    name: Name
    values: ListOf
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorExperiment:
    """``experiment factors salt "…" { subject: ["a", "b"], button: ["c", "d"] }``."""

    label: Name | None
    adaptive: bool
    salt: String | None
    expect: String | None
    goal: Goal | None
    factors: tuple[Factor, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One ``if`` or ``else if`` with its block."""

    condition: Expression
    steps: "Block"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """``if … { } else if … { } else { }``; ``otherwise`` is None without a last ``else``."""

    label: Name | None
    branches: tuple[Branch, ...]
    otherwise: "Block | None"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """``repeat up to 3 times until EXPR { … }``."""

    label: Name | None
    times: CountLike
    until: Expression | None
    steps: "Block"
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """``set stage = "engaged"``: writes ``profile.stage``."""

    label: Name | None
    name: Name
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoke:
    """``invoke loyalty "award" with { points: 100 }``."""

    label: Name | None
    provider: Name
    action: String
    values: tuple[Pair, ...]
    otherwise: Otherwise | None
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """``start winback with { reason: "x" }``."""

    label: Name | None
    journey: Name
    values: tuple[Pair, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """``3d`` or ``gap: 3d`` in the brackets of an ``include``."""

    name: Name | None
    value: Expression
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """``include chase("welcome/nudge", gap: 2d)``."""

    label: Name | None
    fragment: Name
    arguments: tuple[Argument, ...]
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """``exit as silent``."""

    label: Name | None
    reason: Name | None
    span: Span = field(compare=False, repr=False)


Step: TypeAlias = (
    Wait
    | WaitUntilTime
    | WaitBestHour
    | WaitUntilMoment
    | WaitUntilState
    | WaitForEvent
    | WaitRace
    | Send
    | Experiment
    | FactorExperiment
    | If
    | Repeat
    | Set
    | Invoke
    | Start
    | Include
    | Exit
)
Block: TypeAlias = tuple[Step, ...]
