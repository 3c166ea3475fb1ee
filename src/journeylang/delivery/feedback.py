"""What providers tell later: their webhooks, told apart from forged ones, in our words.

A pure function of what came in, so that whoever takes webhooks in can store first and read later.
What an event is called, whose it is and when it was, the manifest says (`[webhook]`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from journeylang.classes import dataclass
from journeylang.delivery import sns, wording
from journeylang.delivery.declared import HubChallenge, Mailgun, Sns, Webhook
from journeylang.delivery.manifest import Manifest, SettingError, SettingValue
from journeylang.delivery.paths import below
from journeylang.delivery.replies import Reply, challenge_shape, to_question
from journeylang.delivery.shaping import Shape, ShapeError, ShapeFailedError
from journeylang.delivery.signing import Received, refusal

LARGEST = 4 * 1024 * 1024
"""Bytes of a webhook that are read."""

MOST_EVENTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One thing that happened to a message, by its public id or by the provider's name for it.

    `name` is one of `FEEDBACK`; `id` is the same however often the event is told. `at` is naive
    UTC. `address` is the recipient's where no message is named.
    """

    name: str
    id: str
    at: datetime
    message: str | None = None
    provider_id: str | None = None
    detail: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """A webhook that is refused: forged, replayed, too large or not understood."""

    why: str
    forged: bool


class Feed:
    """Reads the webhooks of one channel."""

    def __init__(self, manifest: Manifest, settings: Mapping[str, SettingValue]) -> None:
        """Raises SettingError: the manifest has no webhooks, or its texts are not understood."""
        if manifest.webhook is None:
            raise SettingError(f"provider `{manifest.name}` tells nothing by webhooks")
        self.webhook: Webhook = manifest.webhook
        self.settings: dict[str, object] = dict.fromkeys(manifest.settings) | dict(settings)
        try:
            self._event = event_shape(self.webhook)
            given = {"settings": self.settings}
            self._texts = signature_shape(self.webhook).render(given) or {}
            # The former token counts beside the new one, as all secrets do: a blank between them.
            asked = (challenge_shape(self.webhook).render(given) or {}).get("token")
            self._tokens = str(asked or "").split()
        except (ShapeError, ShapeFailedError) as error:
            raise SettingError(f"provider `{manifest.name}`: {error}") from None

    def read(self, received: Received, now: datetime) -> tuple[Feedback, ...] | NotTaken:
        """The events of a webhook, in its order; what has no meaning for us is left out."""
        if len(received.body) > LARGEST:
            return NotTaken(why="it is too large", forged=False)
        why = refusal(self.webhook.signature, self._texts, received, now)
        if why is not None:
            return NotTaken(why=why, forged=True)
        if isinstance(self.webhook.signature, Sns):
            sns.confirm(received)
        return self.events(received, now)

    def asked(self, received: Received) -> Reply | None:
        """What a GET is answered with: is the address the right one? None: it is no such thing."""
        if not isinstance(self.webhook.challenge, HubChallenge):
            return None
        return to_question(self._tokens, received)

    def once(self, received: Received) -> str | None:
        """What makes a webhook good for one body only, where the signature says nothing of it."""
        if not isinstance(self.webhook.signature, Mailgun):
            return None
        return str(json.loads(received.body)["signature"]["token"])

    def events(self, received: Received, now: datetime) -> tuple[Feedback, ...] | NotTaken:
        """The same of a webhook whose signature has been looked at."""
        try:
            body = self._body(received.body)
        except (ValueError, RecursionError):
            return NotTaken(why=f"it is no {self.webhook.encoding}", forged=False)
        told: list[Any] = []
        for place in self.webhook.events:
            for value in below(body, place.partition(":")[2]):
                told += value if isinstance(value, list) else [value]
        scope = {"settings": self.settings, "body": body, "headers": dict(received.headers)}
        return tuple(self._events(told[:MOST_EVENTS], scope, now))

    def _body(self, raw: bytes) -> Any:
        if self.webhook.encoding == "form":
            return dict(parse_qsl(raw.decode("utf-8"), keep_blank_values=True, max_num_fields=1000))
        body = json.loads(raw)
        # SNS puts one document of JSON into another.
        if isinstance(body, dict) and isinstance(body.get("Message"), str):
            try:
                return body | {"Message": json.loads(body["Message"])}
            except ValueError:
                return body
        return body

    def _events(
        self, told: Iterable[Any], scope: Mapping[str, object], now: datetime
    ) -> Iterable[Feedback]:
        for event in told:
            try:
                read = self._event.render({**scope, "event": event})
            except ShapeFailedError:
                continue
            name = self._name(str((read or {}).get("type") or ""))
            if name is None or not read.get("id"):
                continue
            detail = read.get("detail")
            yield Feedback(
                name=name,
                id=str(read["id"])[:200],
                at=_instant(read.get("at"), now),
                message=_text(read.get("message")),
                provider_id=_text(read.get("provider_id")),
                detail=_detail(name, str(detail)) if detail else None,
                address=_text(read.get("address")),
            )

    def _name(self, word: str) -> str | None:
        """The whole word, what stands before its last `/`, and so on, and then any other."""
        names = self.webhook.names
        while word:
            if word in names:
                return str(names[word])
            word = word.rpartition("/")[0]
        return names.get("")


def event_shape(webhook: Webhook) -> Shape:
    """Raises ShapeError."""
    texts = {k: v for k, v in webhook.event.model_dump().items() if v is not None}
    return Shape(texts, path="webhook.event", lenient=True)


def signature_shape(webhook: Webhook) -> Shape:
    """Raises ShapeError."""
    texts = {k: v for k, v in webhook.signature.model_dump().items() if isinstance(v, str)}
    # `{body}` and the like are no templates.
    return Shape(texts, path="webhook.signature", lenient=True)


def _detail(name: str, detail: str) -> str:
    """What a person wrote or chose as it is; of what a provider says nothing personal."""
    return detail if name in ("replied", "answered", "clicked") else wording.words(detail)


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)[:200]


def _instant(value: Any, now: datetime) -> datetime:
    """Naive UTC; what cannot be read, or lies ahead, is now."""
    here = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    try:
        number = float(value)
    except (TypeError, ValueError):
        try:
            read = datetime.fromisoformat(str(value))
        except ValueError:
            return here
        at = read.astimezone(UTC).replace(tzinfo=None) if read.tzinfo else read
    else:
        seconds = number / 1000 if number > 1e11 else number
        if not 0 < seconds < 1e11:
            return here
        at = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    return min(at, here)
