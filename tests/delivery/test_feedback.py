"""Webhooks that come in: whose they are, and what they say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from journeylang import resources
from journeylang.delivery import sns
from journeylang.delivery.feedback import LARGEST, Feed, Feedback, NotTaken
from journeylang.delivery.manifest import read_manifest
from journeylang.delivery.signing import Received, standard_key, standard_signature

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
STAMP = int(NOW.timestamp())
URL = "https://m.acme.example/hooks/sms"


def feed(provider: str, **settings: str) -> Feed:
    return Feed(read_manifest(resources.providers() / provider / "provider.toml"), settings)


def told(one: Feed, body: bytes, *, late: int = 0, url: str = URL, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    received = Received(url=url, headers=named, body=body)
    return one.read(received, NOW + timedelta(seconds=late))


def hexed(key: str, text: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(key.encode(), text, algorithm).hexdigest()


def why(answer: Any) -> str:
    assert isinstance(answer, NotTaken)
    assert answer.forged
    return answer.why


VIBER = json.dumps({"event": "seen", "timestamp": STAMP * 1000, "message_token": 1, "user_id": "u"})


def test_a_keyed_hash_in_a_header() -> None:
    one = feed("viber", auth_token="new old")
    for key in ("new", "old"):
        [event] = told(one, VIBER.encode(), x_viber_content_signature=hexed(key, VIBER.encode()))
        assert (event.name, event.at) == ("opened", NOW.replace(tzinfo=None))
    wrong = hexed("new", VIBER.encode() + b" ")
    assert why(told(one, VIBER.encode(), x_viber_content_signature=wrong)) == (
        "the signature is wrong"
    )
    assert why(told(one, VIBER.encode())) == "there is no signature"


def test_without_a_secret_nothing_is_taken() -> None:
    assert "no secret" in why(told(feed("viber"), VIBER.encode()))


def test_a_hash_with_its_instant() -> None:
    body = json.dumps({"id": "e", "event_type": {"id": "letter.mailed"}, "body": {"id": "l"}})
    stamp = str(STAMP * 1000)
    signature = hexed("k", f"{stamp}.{body}".encode())
    one = feed("lob", webhook_secret="k")
    headers: dict[str, Any] = {"lob_signature": signature, "lob_signature_timestamp": stamp}
    [event] = told(one, body.encode(), **headers)
    assert (event.name, event.provider_id) == ("sent", "l")
    assert why(told(one, body.encode(), late=301, **headers)) == "it was signed too long ago"
    assert why(told(one, body.encode(), lob_signature=signature)) == "there is no timestamp"


def test_meta_signs_with_a_prefix() -> None:
    status = {"id": "w", "status": "delivered", "timestamp": str(STAMP)}
    body = json.dumps({"entry": [{"changes": [{"value": {"statuses": [status]}}]}]}).encode()
    one = feed("whatsapp", app_secret="k")
    [event] = told(one, body, x_hub_signature_256=f"sha256={hexed('k', body)}")
    assert (event.name, event.id) == ("delivered", "w:delivered")


def test_standard_webhooks() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    body = json.dumps({"type": "email.opened", "data": {"email_id": "m"}}).encode()
    signature = standard_signature(standard_key(secret), "msg_1", STAMP, body)
    headers: dict[str, Any] = {"svix_id": "msg_1", "svix_timestamp": str(STAMP)}
    one = feed("resend", webhook_secret=secret)
    [event] = told(one, body, svix_signature=f"v1,AAAA {signature}", **headers)
    assert (event.id, event.name, event.provider_id) == ("msg_1", "opened", "m")
    assert "too long ago" in why(told(one, body, late=400, svix_signature=signature, **headers))
    assert "wrong" in why(told(one, body + b" ", svix_signature=signature, **headers))
    assert "no signature" in why(told(one, body, **headers))


def test_sendgrids_ecdsa() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = base64.b64encode(
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()
    body = json.dumps([{"event": "delivered", "sg_event_id": "e", "sg_message_id": "m.1"}]).encode()
    signed = base64.b64encode(key.sign(str(STAMP).encode() + body, ec.ECDSA(SHA256()))).decode()
    headers: dict[str, Any] = {
        "x_twilio_email_event_webhook_signature": signed,
        "x_twilio_email_event_webhook_timestamp": str(STAMP),
    }
    one = feed("sendgrid", webhook_key=public)
    [event] = told(one, body, **headers)
    assert event.provider_id == "m"
    assert "wrong" in why(told(one, body + b" ", **headers))
    assert "public key" in why(told(feed("sendgrid", webhook_key="AAAA"), body, **headers))
    headers["x_twilio_email_event_webhook_signature"] = "not base64!"
    assert "wrong" in why(told(one, body, **headers))


def test_twilio_signs_address_and_form() -> None:
    # The fields stand in the order of their names, whatever their order in the body.
    fields = {"MessageStatus": "delivered", "MessageSid": "SM1", "From": "+1"}
    text = URL + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    signed = base64.b64encode(hmac.new(b"k", text.encode(), hashlib.sha1).digest()).decode()
    one = feed("twilio", webhook_token="k")
    [event] = told(one, urlencode(fields).encode(), x_twilio_signature=signed)
    assert (event.name, event.provider_id) == ("delivered", "SM1")
    assert "wrong" in why(
        told(one, urlencode(fields).encode(), url=URL + "?x", x_twilio_signature=signed)
    )
    more = urlencode({**fields, "X": "1"}).encode()
    assert "wrong" in why(told(one, more, x_twilio_signature=signed))


def test_mailgun_signs_a_token() -> None:
    signature = {
        "timestamp": str(STAMP),
        "token": "t",
        "signature": hexed("k", f"{STAMP}t".encode()),
    }
    data = {"event": "opened", "id": "e", "timestamp": STAMP, "user-variables": {}}
    body = json.dumps({"signature": signature, "event-data": data}).encode()
    one = feed("mailgun", signing_key="k")
    assert [event.name for event in told(one, body)] == ["opened"]
    assert "too long ago" in why(told(one, body, late=25 * 3600))
    spoilt = json.dumps({"signature": {**signature, "token": "u"}, "event-data": data}).encode()
    assert "wrong" in why(told(one, spoilt))
    assert "no signature" in why(told(one, b"[]"))


def test_vonage_signs_a_token_with_the_bodys_hash() -> None:
    body = json.dumps({"message_uuid": "m", "status": "delivered"}).encode()

    def token(algorithm: str = "HS256", **claims: object) -> str:
        given = {"iat": STAMP, "payload_hash": hashlib.sha256(body).hexdigest()} | claims
        parts = [{"alg": algorithm, "typ": "JWT"}, given]
        signed = ".".join(
            base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts
        )
        raw = hmac.new(b"k", signed.encode(), "sha256").digest()
        return f"Bearer {signed}.{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}"

    one = feed("vonage", signature_secret="k")
    assert [event.name for event in told(one, body, authorization=token())] == ["delivered"]
    assert "wrong" in why(told(one, body + b" ", authorization=token()))
    assert "another kind" in why(told(one, body, authorization=token("none")))
    assert "too long ago" in why(told(one, body, authorization=token(iat=STAMP - 400)))
    assert "wrong" in why(told(one, body, authorization=token() + "x"))
    assert "no signature" in why(told(one, body, authorization="Bearer x"))


def test_passwords_and_tokens() -> None:
    body = json.dumps({"update_id": 1, "message": {"chat": {"id": 5}}}).encode()
    one = feed("telegram", webhook_secret="s")
    [event] = told(one, body, x_telegram_bot_api_secret_token="s")
    assert (event.name, event.address) == ("replied", "5")
    assert "wrong" in why(told(one, body, x_telegram_bot_api_secret_token="t"))
    pair = base64.b64encode(b"journey:p").decode()
    other = feed("postmark", webhook_user="journey", webhook_password="p")
    hook = json.dumps({"RecordType": "Open", "MessageID": "m", "ReceivedAt": "2026-03-02"}).encode()
    assert [e.name for e in told(other, hook, authorization=f"Basic {pair}")] == ["opened"]
    assert "wrong" in why(told(other, hook, authorization="Basic eA=="))


@pytest.mark.parametrize("version", ["1", "2"])
def test_amazons_certificate(version: str) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, SHA256())
    ).public_bytes(Encoding.PEM)
    body: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "m",
        "TopicArn": "arn:t",
        "Message": "{}",
        "Timestamp": "2026-03-02T10:00:00.000Z",
        "SignatureVersion": version,
    }
    names = ("Message", "MessageId", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{body[name]}\n" for name in names)
    algorithm = SHA256() if version == "2" else SHA1()  # noqa: S303
    signed = key.sign(text.encode(), padding.PKCS1v15(), algorithm)
    body["Signature"] = base64.b64encode(signed).decode()
    assert sns.signed_by(certificate, body, NOW) is None
    assert sns.signed_by(certificate, body | {"Message": "{x}"}, NOW) == "the signature is wrong"
    assert "not valid now" in (sns.signed_by(certificate, body, NOW + timedelta(days=2)) or "")


@pytest.mark.parametrize(
    "address",
    [
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://evil.example/SimpleNotificationService-1.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem?x",
        "",
    ],
)
def test_certificates_from_elsewhere_are_not_fetched(address: str) -> None:
    body = json.dumps({"SigningCertURL": address, "TopicArn": "arn:t", "Message": "{}"}).encode()
    one = feed("ses", topic="arn:t")
    assert why(told(one, body)) == "the certificate is not at Amazon's"


@pytest.mark.parametrize(
    ("address", "taken"),
    [
        ("https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=1", True),
        ("https://sns.eu-central-1.amazonaws.com.evil.example/?Action=ConfirmSubscription", False),
        ("http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription", False),
        ("https://169.254.169.254/?x", False),
        ("", False),
    ],
)
def test_subscriptions_are_confirmed_at_amazons_alone(address: str, taken: bool) -> None:
    asked = {"Type": "SubscriptionConfirmation", "SubscribeURL": address}
    assert sns.confirmation(asked) == (address if taken else None)
    assert sns.confirmation(asked | {"Type": "Notification"}) is None


def test_too_large_is_not_read() -> None:
    answer = told(feed("viber", auth_token="k"), b" " * (LARGEST + 1))
    assert answer == NotTaken(why="it is too large", forged=False)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
FEEDS = {name: feed(name) for name in ("sendgrid", "ses", "whatsapp", "telegram", "lob")}


@pytest.mark.parametrize("provider", FEEDS)
@given(body=VALUES)
def test_whatever_is_told_nothing_breaks(provider: str, body: Any) -> None:
    received = Received(url=URL, headers={}, body=json.dumps(body).encode())
    events = FEEDS[provider].events(received, NOW)
    assert isinstance(events, NotTaken) or all(isinstance(one, Feedback) for one in events)


def test_what_is_no_json() -> None:
    received = Received(url=URL, headers={}, body=b"\xff{")
    assert isinstance(feed("lob").events(received, NOW), NotTaken)
