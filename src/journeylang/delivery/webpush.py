"""Notifications of browsers (RFC 8030): each goes to the address that the browser has given.

The channel's address is the browser's subscription as JSON: `endpoint` and `keys`. Since a
visitor's browser says where a request goes, the host must be one of those that are allowed. The
content is encrypted for the browser (RFC 8291), the sender is told by VAPID (RFC 8292).
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from fnmatch import fnmatch
from urllib.parse import urlsplit

import httpx

from journeylang.classes import dataclass
from journeylang.delivery.es256 import EXTRA
from journeylang.delivery.manifest import SettingError
from journeylang.delivery.network import Host, host, resolve
from journeylang.delivery.shaping import ShapeFailedError
from journeylang.delivery.transport import PinnedTransport


class NoRecipientError(ShapeFailedError):
    """The address is none that anything can go to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A browser's address; `target` is the path at the host."""

    host: Host
    target: str
    keys: tuple[str, str]
    endpoint: str


def subscription(text: str, allowed: Sequence[str], *, private: bool) -> Subscription:
    """Raises NoRecipientError; the text is not in the message."""
    try:
        read = json.loads(text)
        endpoint, keys = read["endpoint"], read["keys"]
        found = host(str(endpoint), private=private, setting="endpoint")
        pair = str(keys["p256dh"]), str(keys["auth"])
    except (ValueError, KeyError, TypeError, RecursionError, SettingError):
        raise NoRecipientError("is to no subscription of a browser") from None
    if not any(fnmatch(found.name, pattern) for pattern in allowed):
        raise NoRecipientError("is to a host that is not among `hosts`")
    parts = urlsplit(endpoint)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Subscription(host=found, target=target, keys=pair, endpoint=endpoint)


def encrypted(to: Subscription, content: bytes) -> bytes:
    """Raises NoRecipientError: the keys are none."""
    try:
        from pywebpush import WebPusher, WebPushException
    except ModuleNotFoundError:
        raise ShapeFailedError(EXTRA) from None
    keys = {"p256dh": to.keys[0], "auth": to.keys[1]}
    try:
        pusher = WebPusher({"endpoint": to.endpoint, "keys": keys})
        made = pusher.encode(content, content_encoding="aes128gcm")
    except (WebPushException, ValueError, TypeError):
        raise NoRecipientError("is to a subscription whose keys are none") from None
    assert made is not None, "there is a content"
    return bytes(made["body"])


_TOKEN_LIFE = 12 * 3600
"""Seconds that a token is good for; RFC 8292 allows a day."""


def expiry() -> int:
    """When a token that is made now ends; the same for an hour, so that it can be kept."""
    return (int(time.time()) // 3600) * 3600 + _TOKEN_LIFE


class ManyHosts(httpx.AsyncBaseTransport):
    """A `PinnedTransport` for each host, made when it is first asked."""

    def __init__(self, *, private: bool, timeout: float, ca: str | None) -> None:
        self._private = private
        self._timeout = timeout
        self._ca = ca
        self._hosts: dict[tuple[str, str, int | None], PinnedTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        key = (url.scheme, url.host, url.port)
        known = self._hosts.get(key)
        if known is None:
            known = self._hosts[key] = self._made(request)
        return await known.handle_async_request(request)

    def _made(self, request: httpx.Request) -> PinnedTransport:
        found = host(str(request.url.copy_with(path="/")), private=self._private)
        addresses = resolve(found)
        if not isinstance(addresses, tuple):
            raise httpx.ConnectError(addresses.detail, request=request)
        return PinnedTransport(
            addresses=addresses,
            port=found.port,
            server_name=found.name if found.secure else None,
            timeout=self._timeout,
            ca=self._ca,
        )

    async def aclose(self) -> None:
        for one in self._hosts.values():
            await one.aclose()
