"""How people are taken to behave in a dry run."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal

from journeylang.classes import dataclass
from journeylang.model.expressions import EventSource
from journeylang.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """`event` happens with `chance` (0 to 1): of each message, after each `after`, or per time.

    Exactly one of these holds. A message's own event (`opened of email`) without `after` is of each
    message that it can be about; with `after` it is of the message that `after` was about. A bound
    event is `after` another one, at some time within `seconds`, or `per` so many seconds for each
    customer. `seconds` None: at once.
    """

    event: EventSource
    chance: Decimal
    after: EventSource | None = None
    seconds: int | None = None
    per: bool = False
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """`assume NAME { … }`."""

    name: str
    title: str | None
    lines: tuple[Assumption, ...]
    span: Span = field(compare=False, repr=False)
