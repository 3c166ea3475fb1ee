"""What a stranger may cost: bytes, time, requests a second. Around the whole server.

Whatever goes wrong inside is one answer with status 500 and one count; its words, which may quote
somebody, are told to nobody.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from journeylang.classes import dataclass
from journeylang.serve.metrics import Metrics

LARGEST = 1024 * 1024
"""Bytes of a body, as sent and as unpacked."""

LARGEST_HEAD = 32 * 1024
MOST_HEADERS = 100
"""Bytes and fields of a request's head."""

PATIENCE = 15.0
"""Seconds for the body to arrive in."""

CLIENTS = 20_000
"""So many clients are told apart; the one that was quiet longest is forgotten."""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class TooLargeError(Exception):
    """A body is larger than anybody has to read."""


class UnreadableError(Exception):
    """A body is packed in a way that is not understood, or broken."""


async def body(receive: Receive, encoding: str, largest: int = LARGEST) -> bytes:
    """The request's body, unpacked.

    Raises:
        TooLargeError, UnreadableError, TimeoutError
    """
    parts: list[bytes] = []
    size = 0
    async with asyncio.timeout(PATIENCE):
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise UnreadableError
            part = message.get("body", b"")
            size += len(part)
            if size > largest:
                raise TooLargeError
            parts.append(part)
            if not message.get("more_body", False):
                break
    return unpacked(b"".join(parts), encoding, largest)


def unpacked(raw: bytes, encoding: str, largest: int = LARGEST) -> bytes:
    """`gzip` and `deflate`, never more than `largest` bytes of it."""
    match encoding.strip().lower():
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        case "deflate":
            unpacker = zlib.decompressobj()
        case _:
            raise UnreadableError
    try:
        found = unpacker.decompress(raw, largest + 1)
    except zlib.error:
        raise UnreadableError from None
    if len(found) > largest or unpacker.unconsumed_tail:
        raise TooLargeError
    if not unpacker.eof:
        raise UnreadableError
    return found


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """Token buckets by client: `rate` requests a second, and twice as many at once."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self.clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def allows(self, client: str) -> bool:
        now = self.clock()
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = _Bucket(self.rate * 2, now)
            if len(self._buckets) > CLIENTS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(client)
        bucket.left = min(self.rate * 2, bucket.left + (now - bucket.at) * self.rate)
        bucket.at = now
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True


HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-robots-tag", b"noindex"),
)
"""With every answer that has none of its own."""


class Guarded:
    """The application, measured, limited, and with a last resort."""

    def __init__(self, app: App, metrics: Metrics, rates: Rates) -> None:
        self.app = app
        self.metrics = metrics
        self.rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            else:
                await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *(pair for pair in HEADERS if pair[0] not in own),
                ]
            await send(message)

        client = scope.get("client")
        try:
            if not self.rates.allows(client[0] if client else ""):
                self.metrics.count("journey_refused_total", "reason", "rate")
                await plain(sending, 429, b"too many requests\n", ((b"retry-after", b"1"),))
            elif _too_much(scope["headers"]):
                self.metrics.count("journey_refused_total", "reason", "head")
                await plain(sending, 431, b"too many headers\n", ((b"connection", b"close"),))
            else:
                await self.app(scope, receive, sending)
        except Exception:  # noqa: BLE001 - the last handler there is
            self.metrics.count("journey_failures_total", "kind", "request")
            if not status:
                await plain(sending, 500, b"something went wrong; try again\n")
        finally:
            seconds = time.perf_counter() - began
            self.metrics.request(scope.get("journey_route", "other"), status, seconds)


def _too_much(headers: list[tuple[bytes, bytes]]) -> bool:
    size = sum(len(name) + len(value) for name, value in headers)
    return len(headers) > MOST_HEADERS or size > LARGEST_HEAD


async def plain(
    send: Send, status: int, text: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """An answer in one line of text."""
    head = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": text})
