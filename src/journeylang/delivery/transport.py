"""HTTP/1.1 over connections that are kept: httpx's interface, asyncio's sockets (`wire`).

httpx's own pool makes a thousand requests a second on a core, and fewer the more connections it
has; this makes several times as many. It connects to addresses that were resolved and looked at
beforehand, follows no redirect, and asks no environment for proxies.

What may have happened to a request is told apart by the error: after `httpx.ConnectError` and
`httpx.ConnectTimeout` nothing has left; after any other one it may have been taken.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Sequence

import httpx

from journeylang.delivery.wire import Exchanged, Headers, Wire

_LONGEST_IDLE = 15.0
"""Seconds that a connection is kept without use: many servers end theirs soon after."""


class PinnedTransport(httpx.AsyncBaseTransport):
    """All requests go to one host, at these addresses.

    `timeout` is the whole time from the request to the end of its answer, in seconds. It belongs
    to the event loop that makes its first request.
    """

    def __init__(
        self,
        *,
        addresses: Sequence[str],
        port: int,
        server_name: str | None,
        timeout: float,
        ca: str | None = None,
    ) -> None:
        self._addresses = addresses
        self._port = port
        self._server_name = server_name
        self._timeout = timeout
        self._ca = ca
        self._tls: ssl.SSLContext | None = None
        self._idle: list[Wire] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        status, headers, content = await self.exchange(
            request.method, request.url.raw_path, request.headers.raw, body
        )
        # Nobody asks for compressed answers: a small one could become a very large one.
        plain = [one for one in headers if one[0] != b"content-encoding"]
        return httpx.Response(status, headers=plain, content=content, request=request)

    async def exchange(
        self, method: str, target: bytes, headers: Headers, body: bytes
    ) -> Exchanged:
        """The same without httpx's objects: to make them takes as long as all else.

        Raises:
            httpx.TransportError: by its kind one knows how far the request got.
        """
        seconds = self._timeout
        wire = self._kept()
        if wire is None:
            begun = time.monotonic()
            try:
                async with asyncio.timeout(seconds):
                    wire = await self._connect()
            except TimeoutError:
                raise httpx.ConnectTimeout("no connection in time") from None
            seconds = max(seconds - (time.monotonic() - begun), 0.0)
        try:
            return await wire.exchange(method, target, headers, body, seconds)
        finally:
            # Also when it is cancelled: what is half read is of no use to the next request.
            if wire.reusable:
                wire.used = time.monotonic()
                self._idle.append(wire)
            else:
                wire.drop()

    async def aclose(self) -> None:
        for wire in self._idle:
            wire.drop()
        self._idle.clear()
        # Transports close their sockets in the loop's next turns.
        for _ in range(3):
            await asyncio.sleep(0)

    def _kept(self) -> Wire | None:
        oldest = time.monotonic() - _LONGEST_IDLE
        while self._idle:
            wire = self._idle.pop()
            if wire.reusable and wire.used > oldest:
                return wire
            wire.drop()
        return None

    async def _connect(self) -> Wire:
        loop = asyncio.get_running_loop()
        context = self._context() if self._server_name is not None else None
        failed: Exception = OSError("no address")
        for address in self._addresses:
            try:
                _, wire = await loop.create_connection(
                    Wire, address, self._port, ssl=context, server_hostname=self._server_name
                )
            except (OSError, ssl.SSLError) as error:
                failed = error
                continue
            return wire
        raise httpx.ConnectError(_words(failed)) from failed

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._ca)
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


def _words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].lower()[:200]
