"""Claimed batches, and what of them stays for later."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime, timedelta
from typing import Any

from journeylang.classes import dataclass
from journeylang.delivery.order import DeliverySummary, Order
from journeylang.delivery.statements import FREE, pause

CLAIM = 4_000
"""Messages claimed together, about."""

CLAIM_ALONE = 40_000
"""The most of them, where nobody else could claim them."""

_SPAN = 10
"""Seconds that a larger claim may take: pauses are looked at before each."""


def room(alone: bool, sent: int, seconds: float) -> int:
    """How many are claimed, where of the last claim so many were sent: what is written ahead ends
    with each claim."""
    if not alone or not sent:
        return CLAIM
    return max(CLAIM, min(CLAIM_ALONE, int(sent / max(seconds, 0.001) * _SPAN)))


LONGEST_REST = 900
"""Seconds after which a batch that could not be sent is looked at again, at the latest."""


@dataclass(slots=True, kw_only=True)
class Claimed:
    """Batches by number, with the token of the claim.

    A batch that nothing is left of is done; else it is free again at `not_before` (None: at
    once). `all_free`: no other batch was free when these were claimed.
    """

    tokens: dict[int, int]
    now: datetime
    lease_until: datetime
    all_free: bool
    left: int = 0
    not_before: dict[int, datetime | None] = field(default_factory=dict)

    def until(self, batch: int, at: datetime) -> None:
        """A message of the batch waits for an instant."""
        self.left += 1
        known = self.not_before.setdefault(batch, at)
        if known is not None:
            self.not_before[batch] = min(known, at)

    def pause(self, batch: int) -> None:
        """A message of the batch cannot go out for now; the pause doubles with each claim."""
        seconds = min(pause(self.tokens[batch]), LONGEST_REST)
        self.until(batch, self.now + timedelta(seconds=seconds))

    def keep(self, batch: int) -> None:
        """A message of the batch could have gone out: it may be claimed again at once."""
        self.left += 1
        self.not_before[batch] = None

    def earliest(self) -> datetime | None:
        """When the first batch that waits is free again."""
        return min((at for at in self.not_before.values() if at is not None), default=None)

    def held(self) -> dict[str, Any]:
        """{batches, tokens}"""
        return {"batches": list(self.tokens), "tokens": list(self.tokens.values())}

    def release(self) -> dict[str, Any]:
        """{batches, tokens, done, not_before} for `Statements.release`."""
        return self.held() | {
            "done": [batch not in self.not_before for batch in self.tokens],
            "not_before": [self.not_before.get(batch) for batch in self.tokens],
        }

    def abandon(self) -> dict[str, Any]:
        """The same, for all batches to be free again at once."""
        return self.held() | {
            "done": [False] * len(self.tokens),
            "not_before": [None] * len(self.tokens),
        }


def claim(order: Order, holder: str, summary: DeliverySummary, room: int) -> Claimed:
    """Take free batches with `room` messages, about.

    What another worker lost in them is called in doubt. A provider that knows an idempotency key,
    and has not forgotten it, is just asked again.
    """
    engine, sql, now = order.engine, order.statements, order.now()
    lease_until = now + order.lease
    free = engine.query(sql.free, {"now": now, "holder": holder})
    wanted: dict[int, int] = {}
    for batch, token, messages in free:
        if room > 0:
            wanted[batch] = token
            room -= messages
    tokens: dict[int, int] = {}
    if wanted:
        parameters = {
            "now": now,
            "lease_until": lease_until,
            "holder": holder,
            "batches": list(wanted),
            "tokens": list(wanted.values()),
        }
        with engine.transaction():
            tokens = dict(engine.query(sql.claim, parameters))
            unkeyed = [name for name, one in order.channels.items() if not one.provider.keyed]
            again = [batch for batch, token in tokens.items() if token > 1]
            if unkeyed and again:
                summary.unknown += engine.execute(
                    sql.doubt(unkeyed), {"now": now, "batches": again}
                )
            for name, one in order.channels.items() if again else ():
                if one.provider.key_life is not None:
                    aged = {"now": now, "batches": again, "before": now - one.provider.key_life}
                    summary.unknown += engine.execute(sql.doubt([name], aged=True), aged)
    return Claimed(
        tokens=tokens,
        now=now,
        lease_until=lease_until,
        all_free=len(free) == len(wanted) < FREE,
    )
