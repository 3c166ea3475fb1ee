"""One connection over which HTTP/1.1 is spoken: one request at a time.

What an answer usually is (a status, plain headers, a body of a known length) is read here, in one
go; whatever looks otherwise is left to h11, which knows all of the grammar and takes several times
as long. What is wrong is an error of httpx's in both cases.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from functools import lru_cache

import h11
import httpx

from journeylang.delivery.deadline import Deadline

LONGEST_ANSWER = 4 * 1024 * 1024

Headers = list[tuple[bytes, bytes]]
Exchanged = tuple[int, Headers, bytes]

_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_LENGTH = re.compile(rb"[0-9]{1,9}")
_WITHOUT_BODY = frozenset({b"204", b"205", b"304"})


class Wire(asyncio.Protocol):
    """Made by `create_connection`."""

    def __init__(self) -> None:
        self.used = 0.0
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Exchanged] | None = None
        self._asked: tuple[str, bytes] = ("GET", b"/")
        self._buffer = b""
        self._head: tuple[int, Headers, int, bool] | None = None
        self._talk: h11.Connection | None = None
        self._by_h11: tuple[int, Headers] = (0, [])
        self._content: list[bytes] = []
        self._size = 0
        self._lost = False
        self._deadline = Deadline(self._late)

    @property
    def reusable(self) -> bool:
        return (
            not self._lost
            and self._answer is None
            and self._transport is not None
            and not self._transport.is_closing()
        )

    async def exchange(
        self, method: str, target: bytes, headers: Headers, body: bytes, seconds: float
    ) -> Exchanged:
        """The whole answer, which has so long. `headers` are complete, and have no line ends in
        them."""
        assert self._transport is not None, "connected"
        if self._transport.is_closing():
            raise httpx.ConnectError("the connection was ended")
        answer: asyncio.Future[Exchanged] = asyncio.get_running_loop().create_future()
        self._answer = answer
        self._asked, self._buffer, self._head, self._talk = (method, target), b"", None, None
        lines = [b"%s: %s\r\n" % header for header in headers]
        start = b"%s %s HTTP/1.1\r\n" % (method.encode("ascii"), target)
        self._transport.write(b"".join((start, *lines, b"\r\n", body)))
        self._deadline.begin(seconds)
        try:
            return await answer
        except BaseException:
            # What is half read is of no use to the next request.
            self._lost = True
            raise
        finally:
            self._answer = None
            self._deadline.end()

    def drop(self) -> None:
        """Hang up at once: a polite end of TLS would wait for the other side's."""
        self._lost = True
        self._deadline.close()
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None or answer.done():
            # Nobody asked: whatever it is, the next answer would be taken for this one.
            self._lost = True
        elif self._talk is not None:
            self._receive(data)
        else:
            self._buffer = self._buffer + data if self._buffer else data
            self._read(answer)

    def eof_received(self) -> None:
        self._lost = True
        if self._answer is None:
            return
        if self._talk is None:
            self._leave_to_h11()
        self._receive(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._fail(httpx.ReadError("the connection was lost"))

    # -- the usual answer

    def _read(self, answer: asyncio.Future[Exchanged]) -> None:
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0 and b"HTTP/1.".startswith(self._buffer[:7]) and len(self._buffer) < 65536:
                return
            self._head = _head(self._buffer[: max(end, 0)], end + 4)
            if self._head is None:
                self._leave_to_h11()
                return
        status, headers, whole, stays = self._head
        if len(self._buffer) < whole:
            return
        if len(self._buffer) > whole or not stays:
            # More than was asked for: it would be taken for the next answer.
            self._lost = True
        body = self._buffer[self._buffer.find(b"\r\n\r\n") + 4 : whole]
        self._buffer = b""
        answer.set_result((status, headers, body))

    # -- any other

    def _leave_to_h11(self) -> None:
        method, target = self._asked
        self._talk = h11.Connection(h11.CLIENT)
        # What was asked has left already; h11 has to know of it.
        self._talk.send(h11.Request(method=method, target=target, headers=[("Host", "known")]))
        self._talk.send(h11.EndOfMessage())
        self._by_h11, self._content, self._size = (0, []), [], 0
        begun, self._buffer = self._buffer, b""
        if begun:
            self._receive(begun)

    def _receive(self, data: bytes) -> None:
        talk, answer = self._talk, self._answer
        if talk is None or answer is None or answer.done():
            return
        try:
            talk.receive_data(data)
            while True:
                event = talk.next_event()
                match event:
                    case h11.Response():
                        self._by_h11 = event.status_code, list(event.headers)
                    case h11.Data():
                        self._content.append(bytes(event.data))
                        self._size += len(event.data)
                        if self._size > LONGEST_ANSWER:
                            raise h11.RemoteProtocolError("the answer is too long")
                    case h11.EndOfMessage():
                        if talk.trailing_data[0] or talk.their_state is not h11.DONE:
                            self._lost = True
                        if talk.our_state is not h11.DONE:
                            self._lost = True
                        status, headers = self._by_h11
                        answer.set_result((status, headers, b"".join(self._content)))
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

    def _late(self) -> None:
        self._lost = True
        self._fail(httpx.ReadTimeout("no answer in time"))

    def _fail(self, error: Exception) -> None:
        answer = self._answer
        if answer is not None and not answer.done():
            with suppress(asyncio.InvalidStateError):
                answer.set_exception(error)


def _head(head: bytes, begins: int) -> tuple[int, Headers, int, bool] | None:
    """(status, headers, length of the whole answer, whether the connection stays) of an answer
    whose body `begins` there; None if it is not of the usual kind."""
    first, *lines = head.split(b"\r\n")
    said = _STATUS.fullmatch(first)
    if said is None or said[1] in _WITHOUT_BODY:
        return None
    headers: Headers = []
    length, stays = None, True
    for line in lines:
        found = _header(line)
        if found is None:
            return None
        name, value = found
        if name == b"content-length":
            if length is not None or not _LENGTH.fullmatch(value):
                return None
            length = int(value)
        elif name == b"transfer-encoding":
            return None
        elif name == b"connection":
            stays = stays and value.lower() == b"keep-alive"
        headers.append(found)
    if length is None or length > LONGEST_ANSWER:
        return None
    return int(said[1]), headers, begins + length, stays


@lru_cache(maxsize=256)
def _header(line: bytes) -> tuple[bytes, bytes] | None:
    """Most of an answer's are those of the one before."""
    found = _HEADER.fullmatch(line)
    return None if found is None else (found[1].lower(), found[2].rstrip(b" \t"))
