"""Signatures of requests that go out and of webhooks that come in, over the raw bytes.

What comes in is compared in constant time. Where a secret changes, the former one is taken for as
long as it is named too: settings hold one or several secrets with a blank between them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import assert_never
from urllib.parse import parse_qsl, urlsplit

from journeylang.classes import dataclass
from journeylang.delivery.declared import (
    BasicToken,
    Ecdsa,
    Hmac,
    Jwt,
    Mailgun,
    Signature,
    Sns,
    Standard,
    Token,
    Twilio,
)
from journeylang.delivery.manifest import SettingError


def standard_key(secret: str) -> bytes:
    """`whsec_` and base64, as Standard Webhooks has it; any other text is taken as it is."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise SettingError("`signing_secret` is no base64 behind `whsec_`") from None


def standard_signature(key: bytes, id_: str, timestamp: int, body: bytes) -> str:
    """`webhook-signature` of Standard Webhooks, version 1."""
    signed = f"{id_}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A webhook as it came in. Names of headers are in small letters; `url` is the whole address
    that the provider was given."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


TOLERANCE = 300
"""Seconds that the instant in a signature may differ from the clock."""


def refusal(
    signature: Signature, texts: Mapping[str, object], received: Received, now: datetime
) -> str | None:
    """Why a webhook is not the provider's; None if it is. `texts` are those of the table."""
    given = str(texts.get("secret") or texts.get("password") or texts.get("public_key") or "")
    secrets = given.split()
    if not secrets and not isinstance(signature, Sns):
        return "no secret is set: nothing can be told from a forged one"
    match signature:
        case Hmac():
            return _hmac(signature, secrets, received, now)
        case Standard():
            return _standard(signature, secrets, received, now)
        case Ecdsa():
            return _ecdsa(signature, secrets, received, now)
        case Token():
            shown = (
                received.headers.get(signature.header.lower())
                if signature.header is not None
                else received.query.get(signature.query or "")
            )
            return _one_of(shown, secrets)
        case BasicToken():
            pairs = [f"{texts.get('user')}:{secret}".encode() for secret in secrets]
            wanted = [f"Basic {base64.b64encode(pair).decode()}" for pair in pairs]
            return _one_of(received.headers.get("authorization"), wanted)
        case Twilio():
            return _twilio(secrets, received)
        case Mailgun():
            return _mailgun(secrets, received, now)
        case Jwt():
            return _jwt(signature, secrets, received, now)
        case Sns():
            from journeylang.delivery.sns import refusal as of_sns

            return of_sns(str(texts.get("topic") or ""), received, now)
        case _:
            assert_never(signature)


def _one_of(shown: str | None, wanted: Sequence[str]) -> str | None:
    if not shown:
        return "there is no signature"
    fits = [hmac.compare_digest(shown.encode(), one.encode()) for one in wanted]
    return None if any(fits) else "the signature is wrong"


def _fresh(stamp: str | None, now: datetime, age: int = TOLERANCE) -> str | None:
    """Also of seconds with a fraction, and of milliseconds."""
    try:
        at = float(stamp or "")
    except ValueError:
        return "there is no timestamp"
    seconds = at / 1000 if at > 1e11 else at
    late = now.replace(tzinfo=now.tzinfo or UTC).timestamp() - seconds
    return None if abs(late) <= age else "it was signed too long ago"


def _hmac(signature: Hmac, secrets: Sequence[str], received: Received, now: datetime) -> str | None:
    if signature.timestamp is not None:
        old = _fresh(received.headers.get(signature.timestamp.lower()), now, signature.age)
        if old is not None:
            return old
    signed = b""
    for part in _PARTS.split(signature.signed):
        if part == "{body}":
            signed += received.body
        elif part == "{url}":
            signed += received.url.encode()
        elif part.startswith("{header:"):
            signed += received.headers.get(part[8:-1].lower(), "").encode()
        else:
            signed += part.encode()
    wanted = []
    for secret in secrets:
        try:
            key = secret.encode() if signature.key == "text" else base64.b64decode(secret)
        except ValueError:
            return "the secret is no base64"
        digest = hmac.digest(key, signed, signature.algorithm)
        coded = digest.hex() if signature.encoding == "hex" else base64.b64encode(digest).decode()
        wanted.append(f"{signature.prefix}{coded}")
    return _one_of(received.headers.get(signature.header.lower()), wanted)


_PARTS = re.compile(r"(\{body\}|\{url\}|\{header:[A-Za-z0-9-]+\})")


def _standard(
    signature: Standard, secrets: Sequence[str], received: Received, now: datetime
) -> str | None:
    id_, stamp, shown = (
        received.headers.get(f"{signature.prefix}-{name}") or ""
        for name in ("id", "timestamp", "signature")
    )
    old = _fresh(stamp, now)
    if old is not None:
        return old
    if not stamp.isdecimal():
        return "there is no timestamp"
    wanted = [
        standard_signature(standard_key(secret), id_, int(stamp), received.body)
        for secret in secrets
    ]
    why: str | None = "there is no signature"
    for one in shown.split():
        why = _one_of(one, wanted)
        if why is None:
            return None
    return why


def _ecdsa(signature: Ecdsa, keys: Sequence[str], received: Received, now: datetime) -> str | None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    stamp = received.headers.get(signature.timestamp.lower()) or ""
    # Events are collected and sent again for a day; what comes twice is told by its id.
    old = _fresh(stamp, now, 24 * 3600)
    if old is not None:
        return old
    try:
        shown = base64.b64decode(received.headers.get(signature.header.lower()) or "")
    except ValueError:
        return "the signature is wrong"
    for text in keys:
        try:
            key = load_der_public_key(base64.b64decode(text))
        except ValueError:
            return "the public key is none"
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return "the public key is none"
        try:
            key.verify(shown, stamp.encode() + received.body, ec.ECDSA(SHA256()))
        except InvalidSignature:
            continue
        return None
    return "the signature is wrong"


def _twilio(secrets: Sequence[str], received: Received) -> str | None:
    """The address, and names and values of the form in the order of the names."""
    signed = received.url
    body_hash = received.query.get("bodySHA256")
    if body_hash is not None:
        if not hmac.compare_digest(hashlib.sha256(received.body).hexdigest(), body_hash.lower()):
            return "the signature is wrong"
    else:
        fields = parse_qsl(received.body.decode("utf-8", "replace"), keep_blank_values=True)
        signed += "".join(f"{name}{value}" for name, value in sorted(set(fields)))
    wanted = [
        base64.b64encode(hmac.digest(secret.encode(), signed.encode(), "sha1")).decode()
        for secret in secrets
    ]
    return _one_of(received.headers.get("x-twilio-signature"), wanted)


def _mailgun(secrets: Sequence[str], received: Received, now: datetime) -> str | None:
    """The body is not signed: what stands in it is believed once, for its token is used up."""
    try:
        signed = json.loads(received.body)["signature"]
        stamp, token, shown = str(signed["timestamp"]), str(signed["token"]), signed["signature"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "there is no signature"
    old = _fresh(stamp, now, 24 * 3600)
    if old is not None:
        return old
    text = f"{stamp}{token}".encode()
    return _one_of(str(shown), [hmac.digest(s.encode(), text, "sha256").hex() for s in secrets])


def _jwt(signature: Jwt, secrets: Sequence[str], received: Received, now: datetime) -> str | None:
    shown = received.headers.get("authorization") or ""
    if not shown.startswith("Bearer ") or shown.count(".") != 2:
        return "there is no signature"
    signed, _, coded = shown.removeprefix("Bearer ").rpartition(".")
    try:
        head, claims = (json.loads(_unpadded(part)) for part in signed.split("."))
        algorithm, issued = head["alg"], claims["iat"]
        body_hash = claims.get(signature.body_hash)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "the signature is wrong"
    if algorithm != "HS256":
        return "the signature is of another kind"
    wanted = [
        base64.urlsafe_b64encode(hmac.digest(s.encode(), signed.encode(), "sha256"))
        .rstrip(b"=")
        .decode()
        for s in secrets
    ]
    why = _one_of(coded, wanted) or _fresh(str(issued), now)
    if why is not None:
        return why
    own = hashlib.sha256(received.body).hexdigest()
    return _one_of(str(body_hash or ""), [own])


def _unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
