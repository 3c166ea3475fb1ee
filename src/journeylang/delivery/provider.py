"""What delivery asks of a provider."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from journeylang.classes import dataclass
from journeylang.delivery.mime import Email
from journeylang.delivery.outcome import Answer, Refused, TryLater
from journeylang.model import text_message


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

    @property
    def parts(self) -> int:
        """In so many it goes, if it is a text message, as providers' manifests hand it over."""
        return text_message.parts(self.text.strip()) if self.channel == text_message.CHANNEL else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a service for a customer, who is known by the key. `id` is its public name.

    `data` is ready for JSON: money as {"amount": "12.50", "currency": "EUR"}, dates, times and
    instants as ISO 8601, what is unknown as null.
    """

    id: str
    service: str
    action: str
    customer: str
    at: datetime
    data: Mapping[str, object]

    def to_json(self) -> str:
        """One line."""
        fields = {
            "id": self.id,
            "service": self.service,
            "action": self.action,
            "customer": self.customer,
            "at": self.at.replace(tzinfo=self.at.tzinfo or UTC).isoformat(),
            "data": self.data,
        }
        return json.dumps(fields, ensure_ascii=False)


class Finished(NamedTuple):
    """An e-mail or a note of which only what sending it takes is left: `content`, which its
    provider's preparer has made. `to` is the address, `channel` the one that it goes by; a text
    message goes in so many `parts`."""

    id: str
    channel: str
    to: str
    content: Any
    parts: int = 1


Outgoing = Email | Note | Call | Finished

Preparer = Callable[[Email | Note], object]
"""Makes of a message what sending it takes; goes to another process. ValueError: it cannot."""


class Provider(Protocol):
    """Takes messages, or calls, and says of each what became of it.

    `keyed`: the same id sent twice makes one message, within `key_life` where that is not None.
    `in_flight`: how many messages are
    given to one `send`, and so at most in doubt after a crash. `rate`: messages a second at most;
    0 is no limit.
    """

    name: str
    keyed: bool
    key_life: timedelta | None
    in_flight: int
    rate: float

    def open(self) -> Refused | TryLater | None:
        """Be ready to send; None if it is. Nothing has been handed over if it is not."""

    def preparer(self) -> Preparer | None:
        """What can be done to a message before its turn; None: nothing."""

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        """Hand over; put every answer into `answers` under the message's id as it comes.

        What has no answer when this raises (an interruption) may have been handed over.
        """

    def close(self) -> None:
        """Give back connections. Sending again opens them again."""
