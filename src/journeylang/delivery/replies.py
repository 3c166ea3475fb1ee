"""What a provider wants to hear from the address that its webhooks go to."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Sequence

from journeylang.classes import dataclass
from journeylang.delivery.declared import BodyChallenge, HubChallenge, Twilio, Webhook
from journeylang.delivery.paths import below
from journeylang.delivery.shaping import Shape
from journeylang.delivery.signing import Received

_CHALLENGE = re.compile(r"[ -~]{1,1000}")
"""What is given back: a line of ASCII, whoever has made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The body of an answer with status 200, and what it is."""

    text: str
    media: str


def challenge_shape(webhook: Webhook) -> Shape:
    """Raises ShapeError."""
    asked = webhook.challenge
    token = asked.token if isinstance(asked, HubChallenge) else ""
    return Shape({"token": token}, path="webhook.challenge", lenient=True)


def to_question(tokens: Sequence[str], received: Received) -> Reply | None:
    """What a GET is answered with; None: whoever asks knows none of the tokens."""
    asked = received.query
    shown = asked.get("hub.verify_token", "").encode("utf-8", "replace")
    known = [hmac.compare_digest(shown, token.encode()) for token in tokens]
    if asked.get("hub.mode") != "subscribe" or not any(known):
        return None
    return _given_back(asked.get("hub.challenge"))


def to_webhook(webhook: Webhook, received: Received) -> Reply:
    """What a webhook is answered with, its signature looked at."""
    if isinstance(webhook.signature, Twilio):
        # Twilio sends any text that it is answered with to the person who wrote.
        return Reply(text="<Response/>", media="text/xml")
    challenge = webhook.challenge
    if isinstance(challenge, BodyChallenge):
        try:
            body = json.loads(received.body)
        except (ValueError, RecursionError):
            body = None
        for value in below(body, challenge.answer.partition(":")[2]):
            given = _given_back(value)
            if given is not None:
                return given
    return Reply(text="", media="text/plain")


def _given_back(value: object) -> Reply | None:
    if not isinstance(value, str) or not _CHALLENGE.fullmatch(value):
        return None
    return Reply(text=value, media="text/plain")
