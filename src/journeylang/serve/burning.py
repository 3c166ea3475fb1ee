"""Tokens of webhooks whose body is not signed: each is good for one body, and no other.

Whoever has seen such a webhook could put other words below the same signature. So the first body
that comes with a token is the token's; the same once more is a repetition, as providers make
them, and another one is forged. What is known is kept beside the spool, for the next process.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

FILE = "tokens.log"
MOST = 200_000
"""Tokens that are known; of more the oldest are forgotten."""


class Burnt:
    """Of one server. Not for several threads."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._bodies: dict[str, str] = {}
        self._lines = 0
        with suppress(OSError):
            for line in self.path.read_text(encoding="ascii", errors="replace").splitlines():
                token, _, body = line.partition(" ")
                self._bodies.setdefault(token, body)
                self._lines += 1

    def fits(self, token: str, body: bytes) -> bool:
        """Whether the token has come with this body, or with none before."""
        key = sha256(token.encode("utf-8", "replace")).hexdigest()[:32]
        digest = sha256(body).hexdigest()[:32]
        if key in self._bodies:
            return self._bodies[key] == digest
        self._bodies[key] = digest
        if len(self._bodies) > MOST:
            del self._bodies[next(iter(self._bodies))]
        # A disk that is full is told where the webhook itself is kept.
        with suppress(OSError):
            self._keep(f"{key} {digest}\n")
        return True

    def _keep(self, line: str) -> None:
        if self._lines > 2 * MOST:
            written = "".join(f"{token} {body}\n" for token, body in self._bodies.items())
            fresh = self.path.with_suffix(".new")
            fresh.write_text(written, encoding="ascii")
            fresh.chmod(0o600)
            fresh.replace(self.path)
            self._lines = len(self._bodies)
            return
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)
        self._lines += 1
