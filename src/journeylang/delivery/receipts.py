"""Receipts on their way into the database, column by column: one statement inserts many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Any

from journeylang.classes import dataclass
from journeylang.delivery.chunks import Open


@dataclass(slots=True, kw_only=True)
class Receipts:
    """Rows for `Statements.receipts`."""

    provider: str | None
    ids: list[int] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    provider_ids: list[str | None] = field(default_factory=list)
    details: list[str | None] = field(default_factory=list)
    given_back: list[bool] = field(default_factory=list)

    def add(
        self,
        message: int,
        attempt: int,
        state: str,
        *,
        provider_id: str | None = None,
        detail: str | None = None,
        back: bool = False,
    ) -> None:
        """`back`: no provider ever accepted the message, so that no cap counts it."""
        self.ids.append(message)
        self.attempts.append(attempt)
        self.states.append(state)
        self.provider_ids.append(provider_id)
        self.details.append(detail)
        self.given_back.append(back)

    def take(self, accepted: Sequence[tuple[Open, str]]) -> None:
        """Accepted messages, and the provider's names for them."""
        many = len(accepted)
        self.ids += [one.message for one, _ in accepted]
        self.attempts += [one.attempt for one, _ in accepted]
        self.states += ["accepted"] * many
        self.provider_ids += [name for _, name in accepted]
        self.details += [None] * many
        self.given_back += [False] * many

    def __len__(self) -> int:
        return len(self.ids)

    def parameters(self, now: datetime) -> dict[str, Any]:
        return {
            "now": now,
            "provider": self.provider,
            "ids": self.ids,
            "attempts": self.attempts,
            "states": self.states,
            "provider_ids": self.provider_ids,
            "details": self.details,
            "given_back": self.given_back,
        }
