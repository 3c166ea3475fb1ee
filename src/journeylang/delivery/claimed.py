"""Claimed batches, and what of them stays for later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from journeylang.delivery.statements import pause

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
