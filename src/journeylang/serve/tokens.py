"""Secrets that a request has to know: compared in a time that tells nothing of them."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256


class Tokens:
    """Any of these is good; none of none."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._digests = [_digest(token) for token in tokens]

    def knows(self, given: str) -> bool:
        # As bytes of one length, whatever was sent; and all of them.
        shown = _digest(given)
        same = [hmac.compare_digest(shown, one) for one in self._digests]
        return any(same)

    def bears(self, header: str) -> bool:
        """Whether it is in an `Authorization: Bearer …`."""
        scheme, _, token = header.partition(" ")
        return self.knows(token.strip()) and scheme.lower() == "bearer"


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
