"""What a provider answers to one message, as values; only bugs raise.

The four answers differ in what may happen next: an `Accepted` message is never sent again,
a `Refused` one neither (it was certainly not taken), `TryLater` was certainly not taken
either and may be tried again, and of `Unknown` nobody can say whether it was taken.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from journeylang.classes import dataclass

RefusalKind = Literal["invalid_recipient", "rejected", "auth", "config", "opted_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a provider says that a message has cost."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The provider has taken the message; `provider_id` is its own name for it."""

    provider_id: str
    cost: Cost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The provider will never take the message.

    `auth` and `config` are about the channel, not about the recipient: they stop the channel
    and leave its messages queued.
    """

    kind: RefusalKind
    detail: str

    @property
    def of_channel(self) -> bool:
        return self.kind in {"auth", "config"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TryLater:
    """Not taken now. `after`: seconds to wait at least, None if the provider named none.

    `of_channel`: the provider itself is out of reach or busy, so that trying the next
    recipient now is in vain.
    """

    detail: str
    after: int | None = None
    of_channel: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """The answer was lost: the provider may have taken the message."""

    detail: str


Answer = Accepted | Refused | TryLater | Unknown
