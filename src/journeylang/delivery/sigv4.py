"""Amazon's Signature Version 4: a request is signed with a key made for a day, region and service.

After https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import field
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

from journeylang.classes import dataclass

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """`token` belongs to keys that are good for a while only."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str
    service: str
    token: str | None = field(default=None, repr=False)


def signed(
    credentials: Credentials,
    *,
    method: str,
    target: str,
    headers: Sequence[tuple[str, str]],
    content: bytes,
    now: datetime,
) -> list[tuple[str, str]]:
    """The headers that are to be added. `headers` are those to sign, `Host` among them; `target`
    is the path as it is sent, with its query."""
    stamp = now.replace(tzinfo=now.tzinfo or UTC).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    added = [("X-Amz-Date", stamp)]
    if credentials.token is not None:
        added.append(("X-Amz-Security-Token", credentials.token))
    named = sorted((n.lower(), " ".join(v.split())) for n, v in (*headers, *added))
    names = ";".join(dict.fromkeys(name for name, _ in named))
    path, _, query = target.partition("?")
    canonical = "\n".join(
        (
            method,
            # What is sent is encoded once already; of all services but S3 it is encoded again.
            quote(path, safe="/-_.~"),
            _query(query),
            *(f"{name}:{_values(named, name)}" for name in names.split(";")),
            "",
            names,
            hashlib.sha256(content).hexdigest(),
        )
    )
    scope = f"{stamp[:8]}/{credentials.region}/{credentials.service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    shown = f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}"
    return [*added, ("Authorization", f"{_ALGORITHM} {shown}, Signature={signature}")]


def _values(named: Sequence[tuple[str, str]], name: str) -> str:
    return ",".join(value for other, value in named if other == name)


def _query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    coded = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in pairs)
    return "&".join(f"{name}={value}" for name, value in coded)
