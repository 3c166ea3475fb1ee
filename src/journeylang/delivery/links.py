"""Signed links of a message: click, open, unsubscribe, preferences, answers, pictures of codes.

A link is `{base}/{purpose}/{message}[/{target}]/{key id}.{signature}`, the signature
HMAC-SHA256 over purpose, message, target and key id, cut to 128 bits. The key id is a
hash of the key, so that links of a former key can be told from forged ones. A click's
target travels in the link under the signature: nobody can make it point elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from binascii import b2a_base64
from dataclasses import field
from functools import lru_cache
from typing import Literal

from journeylang.classes import dataclass

Purpose = Literal["c", "o", "u", "p", "a", "q"]
"""click, open, unsubscribe, preferences, answer, QR code"""

LOCAL_BASE = "http://localhost:8080"
"""Where unsubscribe and preference links of a project without `base_url` point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Makes and checks links. Without `base_url` a click link is the target itself.

    `opens`: whether e-mails have a picture that tells when they are looked at.
    """

    key: bytes = field(repr=False)
    base_url: str | None = None
    opens: bool = True

    @property
    def key_id(self) -> str:
        return key_id(self.key)

    def click(self, message: str, url: str) -> str:
        """A link that counts the click; only http and https are counted, others go as they are.

        `mailto:`, `tel:` and the like open no page, so that there is nothing to redirect.
        """
        if self.base_url is None or not url[:8].lower().startswith(("http://", "https://")):
            return url
        return self._link("c", message, url)

    def opened(self, message: str) -> str | None:
        """The picture's address; None where nobody would answer, or nobody is to be counted."""
        return self._link("o", message) if self.base_url is not None and self.opens else None

    def code(self, message: str, text: str) -> str | None:
        """A picture of a QR code of the text, for programs that show no embedded ones."""
        return self._link("q", message, text) if self.base_url is not None else None

    def unsubscribe(self, message: str) -> str:
        return self._link("u", message)

    def preferences(self, message: str) -> str:
        return self._link("p", message)

    def answer(self, message: str, question: str, value: str) -> str:
        """A link that records `value` as the answer to `question`."""
        return self._link("a", message, f"{question}\0{value}")

    def _link(self, purpose: Purpose, message: str, target: str = "") -> str:
        return _link(self.key, self.base_url or LOCAL_BASE, purpose, message, target)

    def check(self, path: str) -> tuple[Purpose, str, str] | None:
        """(purpose, message, target) of a link's path, or None if it is not one of this key."""
        parts = path.strip("/").split("/")
        if len(parts) not in {3, 4} or not parts[1].isalnum():
            return None
        try:
            target = _decode(parts[2]).decode("utf-8") if len(parts) == 4 else ""
        except ValueError:
            return None
        for purpose in _PURPOSES:
            if purpose == parts[0]:
                wanted = f"{self.key_id}.{sign(self.key, purpose, parts[1], target)}"
                if hmac.compare_digest(wanted.encode(), parts[-1].encode()):
                    return purpose, parts[1], target
        return None

    def address_hash(self, channel: str, address: str) -> str:
        """The keyed hash under which a suppression knows an address that may be erased.

        An e-mail address counts without regard to case, as every large mailbox provider
        has it; other addresses as they are.
        """
        normal = address.strip()
        if channel == "email":
            normal = normal.lower()
        return _digest(self.key, f"address\0{channel}\0{normal}".encode()).hex()


_PURPOSES: tuple[Purpose, ...] = ("c", "o", "u", "p", "a", "q")


def _digest(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104), the part of it that is the key's computed once."""
    inside, outside = _keyed(key)
    inner, outer = inside.copy(), outside.copy()
    inner.update(text)
    outer.update(inner.digest())
    return outer.digest()


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    return (
        hashlib.sha256(bytes(byte ^ 0x36 for byte in block)),
        hashlib.sha256(bytes(byte ^ 0x5C for byte in block)),
    )


@lru_cache(maxsize=8)
def key_id(key: bytes) -> str:
    """The first 8 hex digits of the key's SHA-256."""
    return hashlib.sha256(key).hexdigest()[:8]


@lru_cache(maxsize=64)
def _link(key: bytes, base: str, purpose: Purpose, message: str, target: str) -> str:
    """Text, HTML and headers of one message ask for the same ones."""
    signature = sign(key, purpose, message, target)
    middle = f"/{_encode(target.encode('utf-8', 'replace'))}" if target else ""
    return f"{base.rstrip('/')}/{purpose}/{message}{middle}/{key_id(key)}.{signature}"


def sign(key: bytes, purpose: Purpose, message: str, target: str) -> str:
    """22 characters of URL-safe base64: 128 bits of HMAC-SHA256."""
    text = f"{purpose}\0{message}\0{target}\0{key_id(key)}"
    return _encode(_digest(key, text.encode("utf-8", "replace"))[:16])


def _encode(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).translate(_URL_SAFE, b"=").decode("ascii")


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
