"""Who asks: the headers by which a provider knows a request's sender.

A password or a token stands there as it is; others are made for each request, or for an hour.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Protocol, assert_never

from journeylang.classes import dataclass
from journeylang.delivery import es256, sigv4
from journeylang.delivery.declared import (
    Apple,
    Auth,
    Aws,
    Basic,
    Bearer,
    ByHeader,
    Google,
    Signed,
    Vapid,
)
from journeylang.delivery.manifest import SettingError
from journeylang.delivery.outcome import Refused, TryLater
from journeylang.delivery.signing import standard_key, standard_signature
from journeylang.delivery.webpush import expiry

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """A request before it is signed: `id` is the message's, `timestamp` its own instant."""

    id: str
    timestamp: int
    method: str
    origin: str
    target: str
    headers: Sequence[tuple[str, str]]
    content: bytes


class NotAuthorisedError(Exception):
    """No request can be made: `answer` says why."""

    def __init__(self, answer: Refused | TryLater) -> None:
        super().__init__(answer.detail)
        self.answer = answer


class Authorisation(Protocol):
    def headers(self, request: Unsigned) -> Headers:
        """Raises NotAuthorisedError."""


def authorisation(auth: Auth | None, texts: Mapping[str, object]) -> Authorisation:
    """`texts` are those of the manifest's table, rendered.

    Raises:
        SettingError: a key is none.
    """
    given = {name: str(value) for name, value in texts.items()}
    match auth:
        case None:
            return _Fixed([])
        case Basic():
            pair = f"{given.get('user', '')}:{given.get('password', '')}".encode()
            return _Fixed([("Authorization", f"Basic {base64.b64encode(pair).decode()}")])
        case Bearer():
            return _Fixed([("Authorization", f"Bearer {given.get('token', '')}")])
        case ByHeader():
            return _Fixed([(given["name"], given.get("value", ""))])
        case Signed():
            secret = given.get("secret")
            return _Standard(standard_key(secret) if secret else None)
        case Aws():
            return _Aws(
                sigv4.Credentials(
                    access_key=given.get("access_key", ""),
                    secret_key=given.get("secret_key", ""),
                    region=given.get("region", ""),
                    service=given.get("service", ""),
                    token=given.get("session_token") or None,
                )
            )
        case Apple():
            return _Apple(given)
        case Vapid():
            return _Vapid(given)
        case Google():
            return _Google(given.get("credentials", ""), auth.scope)
        case _:
            assert_never(auth)


def is_fixed(one: Authorisation) -> bool:
    """Whether the headers of all requests are the same."""
    return isinstance(one, _Fixed)


class _Fixed:
    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def headers(self, request: Unsigned) -> Headers:
        return self._headers


class _Standard:
    def __init__(self, key: bytes | None) -> None:
        self._key = key

    def headers(self, request: Unsigned) -> Headers:
        made = [("webhook-id", request.id), ("webhook-timestamp", str(request.timestamp))]
        if self._key is not None:
            value = standard_signature(self._key, request.id, request.timestamp, request.content)
            made.append(("webhook-signature", value))
        return made


class _Aws:
    def __init__(self, credentials: sigv4.Credentials) -> None:
        self._credentials = credentials

    def headers(self, request: Unsigned) -> Headers:
        wanted = {"host", "content-type"}
        return sigv4.signed(
            self._credentials,
            method=request.method,
            target=request.target,
            headers=[one for one in request.headers if one[0].lower() in wanted],
            content=request.content,
            now=datetime.now(UTC),
        )


_APPLE_TOKEN = 40 * 60
"""Seconds: Apple takes a token for an hour, and no new one within twenty minutes."""


class _Apple:
    def __init__(self, given: Mapping[str, str]) -> None:
        self._key = es256.private_key(given.get("key", ""))
        self._head = {"kid": given.get("key_id", "")}
        self._team = given.get("team_id", "")
        self._made_at = 0.0
        self._token = ""

    def headers(self, request: Unsigned) -> Headers:
        now = time.time()
        if not 0 <= now - self._made_at < _APPLE_TOKEN:
            claims = {"iss": self._team, "iat": int(now)}
            self._token, self._made_at = es256.token(self._key, self._head, claims), now
        return [("authorization", f"bearer {self._token}")]


class _Vapid:
    def __init__(self, given: Mapping[str, str]) -> None:
        self._key = es256.private_key(given.get("key", ""))
        self._public = es256.unpadded(es256.public_bytes(self._key))
        self._subject = given.get("subject", "")
        self._made: dict[tuple[str, int], str] = {}

    def headers(self, request: Unsigned) -> Headers:
        ends = expiry()
        token = self._made.get((request.origin, ends))
        if token is None:
            claims = {"aud": request.origin, "exp": ends, "sub": self._subject}
            token = es256.token(self._key, {"typ": "JWT"}, claims)
            self._made = {one: t for one, t in self._made.items() if one[1] == ends}
            self._made[request.origin, ends] = token
        return [("Authorization", f"vapid t={token}, k={self._public}")]


_LONGEST_ASK = 20.0
"""Seconds for which an answer of Google's is waited for."""


class _Google:
    """A token of a service account, asked for once an hour."""

    def __init__(self, credentials: str, scope: str) -> None:
        try:
            from google.oauth2 import service_account
        except ModuleNotFoundError:
            raise SettingError(es256.EXTRA) from None
        make = service_account.Credentials.from_service_account_info
        try:
            made = make(json.loads(credentials), scopes=[scope])  # type: ignore[no-untyped-call]
        except (ValueError, TypeError, AttributeError):
            raise SettingError("the credentials are no key of a service account (JSON)") from None
        self._credentials = made

    def headers(self, request: Unsigned) -> Headers:
        if not self._credentials.valid:
            self._refresh()
        return [("Authorization", f"Bearer {self._credentials.token}")]

    def _refresh(self) -> None:
        from google.auth import exceptions

        try:
            self._credentials.refresh(_ask)
        except exceptions.TransportError:
            later = TryLater(detail="Google gives no token: no connection", of_channel=True)
            raise NotAuthorisedError(later) from None
        except exceptions.RefreshError as error:
            if error.retryable:
                later = TryLater(detail="Google gives no token now", of_channel=True)
                raise NotAuthorisedError(later) from None
            refused = Refused(kind="auth", detail="Google refuses the service account")
            raise NotAuthorisedError(refused) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """As google-auth wants an answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def _ask(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
    **_: object,
) -> _Answer:
    """google-auth's transport, by httpx: no redirects, and no proxies of the environment.

    `timeout` is the whole time, in seconds, however the answer trickles in.
    """
    import httpx
    from google.auth.exceptions import TransportError

    whole = timeout or _LONGEST_ASK

    async def ask() -> httpx.Response:
        async with (
            asyncio.timeout(whole),
            httpx.AsyncClient(trust_env=False, timeout=whole) as client,
        ):
            return await client.request(method, url, content=body, headers=headers)

    try:
        # Who asks is in an event loop already, and waits: the next requests need the token.
        with ThreadPoolExecutor(max_workers=1) as thread:
            answer = thread.submit(asyncio.run, ask()).result()
    except (httpx.HTTPError, TimeoutError) as error:
        raise TransportError(error) from None  # type: ignore[no-untyped-call]
    return _Answer(status=answer.status_code, headers=answer.headers, data=answer.content)
