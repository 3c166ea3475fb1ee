"""Webhooks as each of the built-in providers makes and signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

BASE = "https://news.shop.example"
SECRET = "the-secret-of-the-provider"
OTHER = "whsec_" + base64.b64encode(b"another").decode()
STANDARD = "whsec_" + base64.b64encode(SECRET.encode()).decode()
TOPIC = "arn:aws:sns:eu-central-1:1:feedback"
CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-ab.pem"
ECDSA = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a webhook is about: the provider's name for the message, ours, the address."""

    id: str
    provider_id: str = ""
    message: str = ""
    address: str = ""


Signed = tuple[bytes, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """`tells` makes the body at an instant, and `signs` the headers for it, by a secret.

    `reason`: why the address is suppressed then; `expires`: seconds for which a signature is good.
    `spoils`: what somebody else might make of a body that was seen. `forges` makes bodies whose
    signature stands in them.
    """

    provider: str
    channel: str
    settings: Mapping[str, str]
    secret: str
    tells: Callable[[Told, int], Any]
    signs: Callable[[bytes, int, str], dict[str, str]]
    name: str = "bounced"
    reason: str = "hard_bounce"
    expires: int | None = None
    form: bool = False
    spoils: Callable[[bytes], bytes] | None = lambda raw: raw + b" "
    forges: Callable[[Told, int], Any] | None = None

    def make(self, told: Told, at: int) -> Signed:
        return self._made(self.tells(told, at), at, self.secret)

    def forged(self, told: Told, at: int) -> Signed:
        """By somebody who does not know the secret."""
        return self._made((self.forges or self.tells)(told, at), at, OTHER)

    def _made(self, body: Any, at: int, secret: str) -> Signed:
        raw = urlencode(body).encode() if self.form else json.dumps(body).encode()
        return raw, self.signs(raw, at, secret)


def keyed(secret: str, text: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.digest(secret.encode(), text, algorithm)


def _sendgrid(told: Told, at: int) -> Any:
    event = {"event": "bounce", "type": "bounce", "sg_event_id": told.id, "timestamp": at}
    return [event | {"sg_message_id": f"{told.provider_id}.recvd-1", "reason": "550 unknown"}]


def _by_curve(raw: bytes, at: int, secret: str) -> dict[str, str]:
    key = ECDSA if secret == PUBLIC else ec.generate_private_key(ec.SECP256R1())
    signed = key.sign(str(at).encode() + raw, ec.ECDSA(SHA256()))
    head = "x-twilio-email-event-webhook"
    return {f"{head}-signature": base64.b64encode(signed).decode(), f"{head}-timestamp": str(at)}


PUBLIC = base64.b64encode(
    ECDSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
).decode()


def _mailgun(told: Told, at: int) -> Any:
    return _mailgun_by(told, at, SECRET)


def _mailgun_by(told: Told, at: int, secret: str) -> Any:
    token = told.id * 3
    signature = keyed(secret, f"{at}{token}".encode()).hex()
    data = {"event": "failed", "severity": "permanent", "id": told.id, "timestamp": at}
    return {
        "signature": {"timestamp": str(at), "token": token, "signature": signature},
        "event-data": data | {"user-variables": {"journey_message": told.message}},
    }


def _standard(raw: bytes, at: int, secret: str) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    name = hashlib.sha256(raw).hexdigest()[:12]
    signed = hmac.digest(key, f"{name}.{at}.".encode() + raw, "sha256")
    shown = {
        "id": name,
        "timestamp": str(at),
        "signature": "v1," + base64.b64encode(signed).decode(),
    }
    return {f"svix-{part}": value for part, value in shown.items()}


def _twilio(raw: bytes, at: int, secret: str) -> dict[str, str]:
    from urllib.parse import parse_qsl

    fields = sorted(parse_qsl(raw.decode(), keep_blank_values=True))
    text = f"{BASE}/hooks/sms" + "".join(f"{name}{value}" for name, value in fields)
    signed = base64.b64encode(keyed(secret, text.encode(), "sha1")).decode()
    return {"x-twilio-signature": signed, "content-type": "application/x-www-form-urlencoded"}


def _vonage(raw: bytes, at: int, secret: str) -> dict[str, str]:
    claims = {"iat": at, "payload_hash": hashlib.sha256(raw).hexdigest()}
    head, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "HS256", "typ": "JWT"}, claims)
    )
    signed = base64.urlsafe_b64encode(keyed(secret, f"{head}.{body}".encode())).rstrip(b"=")
    return {"authorization": f"Bearer {head}.{body}.{signed.decode()}"}


def _whatsapp(told: Told, at: int) -> Any:
    status = {"id": told.provider_id, "status": "failed", "timestamp": str(at)}
    value = {"statuses": [status | {"errors": [{"code": 131026, "title": "undeliverable"}]}]}
    return {"entry": [{"changes": [{"value": value, "field": "messages"}]}]}


def _slack(told: Told, at: int) -> Any:
    event = {"type": "message", "user": told.address, "text": "stop", "channel_type": "im"}
    return {"type": "event_callback", "event_id": told.id, "event_time": at, "event": event}


def slack_headers(raw: bytes, at: int, secret: str) -> dict[str, str]:
    signed = keyed(secret, f"v0:{at}:".encode() + raw).hex()
    return {"x-slack-signature": f"v0={signed}", "x-slack-request-timestamp": str(at)}


def _lob(raw: bytes, at: int, secret: str) -> dict[str, str]:
    stamp = str(at * 1000)
    signed = keyed(secret, f"{stamp}.".encode() + raw).hex()
    return {"lob-signature": signed, "lob-signature-timestamp": stamp}


def certificate() -> bytes:
    """As Amazon's, but of the tests' own key."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    made = made.not_valid_before(now - timedelta(days=9)).not_valid_after(now + timedelta(days=9))
    return made.public_key(RSA.public_key()).sign(RSA, SHA256()).public_bytes(Encoding.PEM)


def notification(at: int, id_: str, version: str = "2", **others: str) -> dict[str, str]:
    """A notification of SNS, signed."""
    body = {
        "Type": "Notification",
        "MessageId": id_,
        "TopicArn": TOPIC,
        "Timestamp": datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
    } | others
    confirms = ("SubscribeURL", "Token") if body["Type"] != "Notification" else ()
    names = sorted(["Message", "MessageId", "Timestamp", "TopicArn", "Type", *confirms])
    text = "".join(f"{name}\n{body[name]}\n" for name in names)
    algorithm = SHA256() if version == "2" else SHA1()  # noqa: S303
    signed = RSA.sign(text.encode(), padding.PKCS1v15(), algorithm)
    return body | {
        "SignatureVersion": version,
        "Signature": base64.b64encode(signed).decode(),
        "SigningCertURL": CERTIFICATE,
    }


def _ses(told: Told, at: int) -> Any:
    message = {
        "eventType": "Bounce",
        "bounce": {"bounceType": "Permanent", "bouncedRecipients": []},
        "mail": {"messageId": told.provider_id},
    }
    return notification(at, told.id, Message=json.dumps(message))


SENDER = {"from": "Shop <hello@shop.example>"}
HOOKS = (
    Hook(
        provider="sendgrid",
        channel="email",
        settings=SENDER | {"api_key": "env:K", "webhook_key": "env:HOOK_SECRET"},
        secret=PUBLIC,
        tells=_sendgrid,
        signs=_by_curve,
        expires=24 * 3600,
    ),
    Hook(
        provider="postmark",
        channel="email",
        settings=SENDER
        | {"server_token": "env:K", "webhook_user": "shop", "webhook_password": "env:HOOK_SECRET"},
        secret=SECRET,
        tells=lambda told, at: {
            "RecordType": "Bounce",
            "ID": told.id,
            "Type": "HardBounce",
            "MessageID": told.provider_id,
            "BouncedAt": datetime.fromtimestamp(at, UTC).isoformat(),
        },
        signs=lambda _raw, _at, secret: {
            "authorization": "Basic " + base64.b64encode(f"shop:{secret}".encode()).decode()
        },
        spoils=None,
    ),
    Hook(
        provider="mailgun",
        channel="email",
        settings=SENDER
        | {"domain": "shop.example", "api_key": "env:K", "signing_key": "env:HOOK_SECRET"},
        secret=SECRET,
        tells=_mailgun,
        signs=lambda *_: {},
        forges=lambda told, at: _mailgun_by(told, at, OTHER),
        expires=24 * 3600,
        # The body is not signed: other words below a token that has been seen.
        spoils=lambda raw: raw.replace(b'"permanent"', b'"temporary"'),
    ),
    Hook(
        provider="resend",
        channel="email",
        settings=SENDER | {"api_key": "env:K", "webhook_secret": "env:HOOK_SECRET"},
        secret=STANDARD,
        tells=lambda told, at: {
            "type": "email.bounced",
            "created_at": datetime.fromtimestamp(at, UTC).isoformat(),
            "data": {"email_id": told.provider_id, "bounce": {"type": "Permanent"}},
        },
        signs=_standard,
        expires=300,
    ),
    Hook(
        provider="ses",
        channel="email",
        settings=SENDER
        | {"region": "eu-central-1", "access_key": "env:K", "secret_key": "env:K", "topic": TOPIC},
        secret=SECRET,
        tells=_ses,
        signs=lambda *_: {},
        expires=24 * 3600,
        forges=lambda told, at: _ses(told, at) | {"MessageId": "m"},
        spoils=lambda raw: raw.replace(b"Permanent", b"Transient"),
    ),
    Hook(
        provider="twilio",
        channel="sms",
        settings={
            "account_sid": "AC1",
            "auth_token": "env:K",
            "sender": "+1555",
            "webhook_token": "env:HOOK_SECRET",
        },
        secret=SECRET,
        tells=lambda told, _: {
            "MessageSid": told.provider_id,
            "MessageStatus": "undelivered",
            "ErrorCode": "30005",
        },
        signs=_twilio,
        form=True,
        spoils=lambda raw: raw + b"&To=x",
    ),
    Hook(
        provider="vonage",
        channel="sms",
        settings={
            "api_key": "k",
            "api_secret": "env:K",
            "sender": "Shop",
            "signature_secret": "env:HOOK_SECRET",
        },
        secret=SECRET,
        tells=lambda told, at: {
            "message_uuid": told.provider_id,
            "status": "undeliverable",
            "timestamp": datetime.fromtimestamp(at, UTC).isoformat(),
        },
        signs=_vonage,
        expires=300,
    ),
    Hook(
        provider="whatsapp",
        channel="whatsapp",
        settings={
            "phone_number_id": "1",
            "access_token": "env:K",
            "app_secret": "env:HOOK_SECRET",
            "verify_token": "env:HOOK_SECRET",
        },
        secret=SECRET,
        tells=_whatsapp,
        signs=lambda raw, _, secret: {"x-hub-signature-256": f"sha256={keyed(secret, raw).hex()}"},
    ),
    Hook(
        provider="viber",
        channel="viber",
        settings={"auth_token": "env:HOOK_SECRET", "sender": "Shop"},
        secret=SECRET,
        tells=lambda told, at: {
            "event": "unsubscribed",
            "timestamp": at * 1000,
            "user_id": told.address,
            "message_token": told.id,
        },
        signs=lambda raw, _, secret: {"x-viber-content-signature": keyed(secret, raw).hex()},
        name="unsubscribed",
        reason="unsubscribe",
    ),
    Hook(
        provider="telegram",
        channel="telegram",
        settings={"token": "env:K", "webhook_secret": "env:HOOK_SECRET"},
        secret=SECRET,
        tells=lambda told, at: {
            "update_id": told.id,
            "my_chat_member": {
                "chat": {"id": told.address},
                "date": at,
                "new_chat_member": {"status": "kicked"},
            },
        },
        signs=lambda _raw, _at, secret: {"x-telegram-bot-api-secret-token": secret},
        name="unsubscribed",
        reason="unsubscribe",
        spoils=None,
    ),
    Hook(
        provider="slack",
        channel="slack",
        settings={"token": "env:K", "signing_secret": "env:HOOK_SECRET"},
        secret=SECRET,
        tells=_slack,
        signs=slack_headers,
        name="replied",
        reason="unsubscribe",
        expires=300,
    ),
    Hook(
        provider="lob",
        channel="post",
        settings={
            "api_key": "env:K",
            "sender_address": "adr_1",
            "webhook_secret": "env:HOOK_SECRET",
        },
        secret=SECRET,
        tells=lambda told, at: {
            "id": told.id,
            "event_type": {"id": "letter.returned_to_sender"},
            "date_created": datetime.fromtimestamp(at, UTC).isoformat(),
            "body": {"id": told.provider_id},
        },
        signs=_lob,
        expires=300,
    ),
)
