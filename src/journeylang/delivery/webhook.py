"""Provider `webhook`: every call is a POST of JSON, signed after the Standard Webhooks scheme.

What may be reached is what the settings name: that host alone, over TLS, and no address of a
private network unless `private = true` says so. The name is resolved once per delivery and
every address that it has is looked at; connections are made to those addresses, so that a name
that changes meanwhile leads nowhere else. Redirects are not followed and no proxy is asked for.

The standard library's client does all of that and nothing more: it follows no redirect and reads
no environment.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from urllib.parse import urlsplit

from journeylang import __version__
from journeylang.delivery.manifest import SettingError
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.provider import Call, Outgoing

_NO_URL = "`url` is no address like `https://hooks.acme.example/loyalty`"
_LONGEST_ANSWER = 64 * 1024
_LONGEST_WAIT = 3600
"""Seconds that an answer's `Retry-After` is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Where calls go. `key` signs them; `private` allows loopback, private networks and `http`."""

    secure: bool
    host: str
    port: int
    path: str
    key: bytes | None = field(default=None, repr=False)
    private: bool = False
    timeout: float = 10.0
    ca: str | None = None


def hook(
    url: str, *, secret: str | None, private: bool, timeout: float, ca: str | None = None
) -> Hook:
    """The hook at a URL.

    Raises:
        SettingError: it is none that may be called, or the secret is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SettingError(_NO_URL) from None
    plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in ("https", "http") or not parts.hostname or not plain:
        raise SettingError(_NO_URL)
    if parts.username is not None or parts.password is not None:
        raise SettingError("`url` has a password in it; sign the calls: `signing_secret`")
    if parts.scheme == "http" and not private:
        raise SettingError("`url` is not encrypted: `https://…`, or `private = true` for tests")
    return Hook(
        secure=parts.scheme == "https",
        host=parts.hostname,
        port=port or (443 if parts.scheme == "https" else 80),
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        key=None if secret is None else _key(secret),
        private=private,
        timeout=timeout,
        ca=ca,
    )


def _key(secret: str) -> bytes:
    """`whsec_` and base64, as the scheme has it; any other text is taken letter by letter."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise SettingError("`signing_secret` is no base64 behind `whsec_`") from None


def signature(key: bytes, id: str, timestamp: int, body: bytes) -> str:  # noqa: A002
    """`webhook-signature` of the Standard Webhooks scheme, version 1."""
    signed = f"{id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


class WebhookProvider:
    """One connection per delivery, used for one call after the other."""

    def __init__(self, hook: Hook, *, name: str, keyed: bool, in_flight: int) -> None:
        self.hook = hook
        self.name = name
        self.keyed = keyed
        self.key_life: timedelta | None = None
        self.in_flight = in_flight
        self._addresses: list[str] = []
        self._connection: http.client.HTTPConnection | None = None

    def open(self) -> Refused | TryLater | None:
        """See `Provider`: resolves the name."""
        self._addresses = []
        try:
            found = socket.getaddrinfo(self.hook.host, self.hook.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return TryLater(detail=f"the host `{self.hook.host}` is not known", of_channel=True)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self.hook.private and not all(map(_public, addresses)):
            return Refused(
                kind="config",
                detail=f"`{self.hook.host}` is an address of a private network"
                " (`private = true` allows it)",
            )
        self._addresses = addresses
        return None

    def send(self, messages: Sequence[Outgoing], answers: dict[str, Answer]) -> None:
        """See `Provider`. What goes wrong for all is asked of nobody else."""
        for n, call in enumerate(messages):
            assert isinstance(call, Call), "a webhook carries calls alone"
            answer = self._post(call)
            answers[call.id] = answer
            if isinstance(answer, TryLater | Refused) and answer.of_channel:
                later = TryLater(detail=answer.detail, of_channel=True)
                answers |= {rest.id: later for rest in messages[n + 1 :]}
                return

    def close(self) -> None:
        """See `Provider`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _post(self, call: Call) -> Answer:
        body = call.to_json().encode("utf-8", "replace")
        try:
            connection = self._connected()
        except (OSError, ssl.SSLError) as error:
            self.close()
            return TryLater(detail=f"no connection: {_words(error)}", of_channel=True)
        try:
            connection.request("POST", self.hook.path, body, self._headers(call, body))
            response = connection.getresponse()
            status, after = response.status, response.headers.get("Retry-After")
            if len(response.read(_LONGEST_ANSWER)) == _LONGEST_ANSWER:
                self.close()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            return Unknown(detail=f"the answer was lost: {_words(error)}")
        return self._answer(call, status, after)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = _Pinned(self.hook, self._addresses)
        if self._connection.sock is None:
            self._connection.connect()
        return self._connection

    def _headers(self, call: Call, body: bytes) -> dict[str, str]:
        timestamp = int(call.at.replace(tzinfo=call.at.tzinfo or UTC).timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"journeylang/{__version__}",
            "Idempotency-Key": call.id,
            "webhook-id": call.id,
            "webhook-timestamp": str(timestamp),
        }
        if self.hook.key is not None:
            headers["webhook-signature"] = signature(self.hook.key, call.id, timestamp, body)
        return headers

    def _answer(self, call: Call, status: int, after: str | None) -> Answer:
        detail = f"HTTP {status}"
        match status:
            case _ if 200 <= status < 300:
                return Accepted(provider_id=call.id)
            case 429 | 503:
                seconds = int(after) if after is not None and after.isdecimal() else None
                return TryLater(
                    detail=detail,
                    after=None if seconds is None else min(seconds, _LONGEST_WAIT),
                    of_channel=True,
                )
            case 401 | 403:
                return Refused(kind="auth", detail=detail)
            case 404 | 405 | 410:
                return Refused(kind="config", detail=f"{detail} at the address of the hook")
            case _ if 300 <= status < 400:
                return Refused(kind="config", detail=f"{detail}: redirects are not followed")
            case _ if status >= 500 and not self.keyed:
                return Unknown(detail=f"{detail}: it may have been taken")
            case 408 | 425:
                return TryLater(detail=detail)
            case _ if status >= 500:
                return TryLater(detail=detail)
            case _:
                return Refused(kind="rejected", detail=detail)


class _Pinned(http.client.HTTPConnection):
    """A connection to addresses that were looked at, whatever the name means by now."""

    def __init__(self, hook: Hook, addresses: Sequence[str]) -> None:
        super().__init__(hook.host, hook.port, timeout=hook.timeout)
        self.default_port = 443 if hook.secure else 80
        self._hook = hook
        self._addresses = addresses

    def connect(self) -> None:
        failed: OSError | None = None
        for address in self._addresses:
            try:
                made = socket.create_connection((address, self._hook.port), self._hook.timeout)
            except OSError as error:
                failed = error
                continue
            if self._hook.secure:
                context = ssl.create_default_context(cafile=self._hook.ca)
                try:
                    made = context.wrap_socket(made, server_hostname=self._hook.host)
                except BaseException:
                    with suppress(OSError):
                        made.close()
                    raise
            self.sock = made
            return
        raise failed or OSError("no address")


def _public(address: str) -> bool:
    """Whether an address is one of the internet, and reached as such."""
    found = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(found, "ipv4_mapped", None) or found
    return inner.is_global and not inner.is_multicast


def _words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].lower()[:200]
