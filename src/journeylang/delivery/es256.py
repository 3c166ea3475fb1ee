"""Tokens signed by ES256 (RFC 7515): what APNs and the push services of browsers ask for."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from journeylang.delivery.manifest import SettingError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


EXTRA = "push needs more packages: `pip install journeylang[push]`"


def private_key(text: str) -> EllipticCurvePrivateKey:
    """A key of the curve P-256: PEM, or the 32 bytes of its number in base64.

    Raises:
        SettingError: it is none; the text is not in the message.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ModuleNotFoundError:
        raise SettingError(EXTRA) from None
    try:
        if "-----BEGIN" in text:
            # In a variable, the line ends are often written.
            key = load_pem_private_key(text.replace("\\n", "\n").encode(), None)
        else:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            key = ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    except (ValueError, TypeError):
        raise SettingError("the key is no private key of the curve P-256") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SettingError("the key is no private key of the curve P-256")
    return key


def public_bytes(key: EllipticCurvePrivateKey) -> bytes:
    """The public half, as a point without compression."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def token(
    key: EllipticCurvePrivateKey, head: Mapping[str, str], claims: Mapping[str, object]
) -> str:
    """`head.claims.signature`."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    parts = [{"alg": "ES256", **head}, dict(claims)]
    signed = ".".join(unpadded(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{unpadded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
