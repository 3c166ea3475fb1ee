"""HTTP/1.1 over connections that are kept: httpx's interface, h11's grammar, asyncio's sockets.

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
from contextlib import suppress

import h11
import httpx

LONGEST_ANSWER = 4 * 1024 * 1024
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
        self._idle: list[_Wire] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        wire = self._kept()
        try:
            async with asyncio.timeout(self._timeout):
                if wire is None:
                    wire = await self._connect()
                status, headers, content = await wire.exchange(request, body)
        except TimeoutError:
            if wire is None:
                raise httpx.ConnectTimeout("no connection in time", request=request) from None
            raise httpx.ReadTimeout("no answer in time", request=request) from None
        finally:
            # Also when it is cancelled: what is half read is of no use to the next request.
            if wire is not None:
                if wire.reusable:
                    wire.used = time.monotonic()
                    self._idle.append(wire)
                else:
                    wire.drop()
        # Nobody asks for compressed answers: a small one could become a very large one.
        plain = [one for one in headers if one[0] != b"content-encoding"]
        return httpx.Response(status, headers=plain, content=content, request=request)

    async def aclose(self) -> None:
        for wire in self._idle:
            wire.drop()
        self._idle.clear()
        # Transports close their sockets in the loop's next turns.
        for _ in range(3):
            await asyncio.sleep(0)

    def _kept(self) -> _Wire | None:
        oldest = time.monotonic() - _LONGEST_IDLE
        while self._idle:
            wire = self._idle.pop()
            if wire.reusable and wire.used > oldest:
                return wire
            wire.drop()
        return None

    async def _connect(self) -> _Wire:
        loop = asyncio.get_running_loop()
        context = self._context() if self._server_name is not None else None
        failed: Exception = OSError("no address")
        for address in self._addresses:
            try:
                _, wire = await loop.create_connection(
                    _Wire, address, self._port, ssl=context, server_hostname=self._server_name
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


Exchanged = tuple[int, list[tuple[bytes, bytes]], bytes]


class _Wire(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self.used = 0.0
        self._talk = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Exchanged] | None = None
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._content: list[bytes] = []
        self._size = 0
        self._lost = False

    @property
    def reusable(self) -> bool:
        return (
            not self._lost
            and self._transport is not None
            and not self._transport.is_closing()
            and self._talk.our_state is h11.IDLE
        )

    async def exchange(self, request: httpx.Request, body: bytes) -> Exchanged:
        assert self._transport is not None, "connected"
        if self._transport.is_closing():
            raise httpx.ConnectError("the connection was ended")
        self._answer = asyncio.get_running_loop().create_future()
        head = self._talk.send(
            h11.Request(
                method=request.method, target=request.url.raw_path, headers=request.headers.raw
            )
        )
        rest = self._talk.send(h11.Data(data=body)) if body else b""
        end = self._talk.send(h11.EndOfMessage())
        self._transport.write(b"".join((head or b"", rest or b"", end or b"")))
        try:
            exchanged = await self._answer
        finally:
            self._answer = None
        if self._talk.trailing_data[0]:
            # More than was asked for: it would be taken for the next answer.
            self._lost = True
        elif self._talk.our_state is h11.DONE and self._talk.their_state is h11.DONE:
            self._talk.start_next_cycle()
        return exchanged

    def drop(self) -> None:
        """Hang up at once: a polite end of TLS would wait for the other side's."""
        self._lost = True
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._receive(data)

    def eof_received(self) -> None:
        self._lost = True
        self._receive(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._fail(httpx.ReadError("the connection was lost"))

    def _receive(self, data: bytes) -> None:
        if self._answer is None:
            # Nobody asked: whatever it is, the next answer would be taken for this one.
            self._lost = True
            return
        try:
            self._talk.receive_data(data)
            while True:
                event = self._talk.next_event()
                match event:
                    case h11.Response():
                        self._status, self._headers = event.status_code, list(event.headers)
                        self._content, self._size = [], 0
                    case h11.Data():
                        self._content.append(bytes(event.data))
                        self._size += len(event.data)
                        if self._size > LONGEST_ANSWER:
                            raise h11.RemoteProtocolError("the answer is too long")
                    case h11.EndOfMessage():
                        if not self._answer.done():
                            self._answer.set_result(
                                (self._status, self._headers, b"".join(self._content))
                            )
                        return
                    case h11.ConnectionClosed():
                        self._fail(httpx.ReadError("the connection was lost"))
                        return
                    case h11.NEED_DATA | h11.PAUSED:
                        return
                    case _:
                        pass  # 1xx: the answer comes later
        except h11.RemoteProtocolError as error:
            self._lost = True
            self._fail(httpx.RemoteProtocolError(str(error)))

    def _fail(self, error: Exception) -> None:
        answer = self._answer
        if answer is not None and not answer.done():
            with suppress(asyncio.InvalidStateError):
                answer.set_exception(error)


def _words(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0].lower()[:200]
