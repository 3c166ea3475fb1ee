"""What delivery asks of a provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from journeylang.delivery.mime import Email
from journeylang.delivery.outcome import Answer, Refused, TryLater


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A message of a channel other than e-mail. `id` is the public message id."""

    id: str
    channel: str
    to: str
    text: str
    at: datetime
    subject: str = ""
    html: str | None = None


Outgoing = Email | Note


class Provider(Protocol):
    """Takes messages and says of each what became of it.

    `keyed`: the same id sent twice makes one message. `in_flight`: how many messages are
    given to one `send`, and so at most in doubt after a crash.
    """

    name: str
    keyed: bool
    in_flight: int

    def open(self) -> Refused | TryLater | None:
        """Be ready to send; None if it is. Nothing has been handed over if it is not."""

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        """Hand over; put every answer into `answers` under the message's id as it comes.

        What has no answer when this raises (an interruption) may have been handed over.
        """

    def close(self) -> None:
        """Give back connections. Sending again opens them again."""
