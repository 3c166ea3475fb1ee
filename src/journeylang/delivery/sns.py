"""Amazon SNS: notifications signed by a certificate of Amazon's.

The certificate is fetched from the address that the notification names, which is believed only
where it is Amazon's own; it is kept for the process's life.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from journeylang.delivery.signing import Received

_CERTIFICATE = re.compile(
    r"https://sns\.[a-z0-9-]{3,20}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[0-9a-f]+\.pem"
)
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]
_CONFIRMATION = re.compile(r"https://sns\.[a-z0-9-]{3,20}\.amazonaws\.com(?:\.cn)?/\?[!-~]+")
_LONGEST = 64 * 1024
_AGE = timedelta(days=1)


def refusal(topic: str, received: Received, now: datetime) -> str | None:
    """Why a notification is not one of Amazon's on this topic; None if it is."""
    try:
        body = json.loads(received.body)
        address = body.get("SigningCertURL") if isinstance(body, dict) else None
        if not isinstance(address, str) or not _CERTIFICATE.fullmatch(address):
            return "the certificate is not at Amazon's"
        if not topic or body.get("TopicArn") != topic:
            return "it is another topic"
        pem = _certificate(address)
    except (ValueError, OSError, RecursionError):
        return "the certificate cannot be had"
    return signed_by(pem, body, now) or _stale(body, now)


def _stale(body: dict[str, Any], now: datetime) -> str | None:
    """What cannot be delivered Amazon sends again for some hours."""
    try:
        at = datetime.fromisoformat(str(body.get("Timestamp")))
    except ValueError:
        return "there is no timestamp"
    late = now.replace(tzinfo=now.tzinfo or UTC) - at.replace(tzinfo=at.tzinfo or UTC)
    return None if abs(late) <= _AGE else "it was signed too long ago"


def signed_by(pem: bytes, body: dict[str, Any], now: datetime) -> str | None:
    """Why a notification was not signed by the certificate; None if it was."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256
    from cryptography.x509 import load_pem_x509_certificate

    names = _SIGNED.get(str(body.get("Type")))
    if names is None:
        return "it is no notification"
    text = "".join(f"{name}\n{body[name]}\n" for name in names if body.get(name) is not None)
    algorithm = SHA256() if str(body.get("SignatureVersion")) == "2" else SHA1()  # noqa: S303
    try:
        certificate = load_pem_x509_certificate(pem)
        shown = base64.b64decode(str(body.get("Signature") or ""))
        key = certificate.public_key()
        at = now.replace(tzinfo=now.tzinfo or UTC)
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            return "the certificate is not valid now"
        if not isinstance(key, RSAPublicKey):
            return "the certificate is of another kind"
        key.verify(shown, text.encode(), PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature):
        return "the signature is wrong"
    return None


def confirmation(body: Any) -> str | None:
    """Where a subscription is confirmed that a notification, whose signature has been looked at,
    asks to confirm; None if it asks for none, or for one elsewhere."""
    if not isinstance(body, dict) or body.get("Type") != "SubscriptionConfirmation":
        return None
    address = str(body.get("SubscribeURL") or "")
    return address if _CONFIRMATION.fullmatch(address) else None


def confirm(received: Received) -> None:
    """Take the subscription, if that is what is asked. What fails is asked again by Amazon."""
    with suppress(ValueError, OSError, RecursionError):
        address = confirmation(json.loads(received.body))
        if address is not None:
            _fetched(address)


@lru_cache(maxsize=8)
def _certificate(address: str) -> bytes:
    return _fetched(address)


def _fetched(address: str) -> bytes:
    no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with no_proxy.open(address, timeout=10) as response:
        read: bytes = response.read(_LONGEST)
    return read
