"""Answers as servers may write them, in one piece and byte by byte."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from journeylang.delivery.wire import Exchanged, Wire

ANSWERS = {
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi": (200, b"hi", True),
    b"HTTP/1.1 202\r\ncontent-length:0\r\nX-A:\r\n\r\n": (202, b"", True),
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi": (200, b"hi", False),
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more": (200, b"hi", False),
    b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n": (204, b"", True),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 1\r\n\r\na": (
        *(201, b"a", True),
    ),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n": (
        *(200, b"hi", True),
    ),
    b"HTTP/1.0 500 Oh\r\nContent-Length: 2\r\n\r\nno": (500, b"no", False),
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi": (200, b"hi", True),
    b"HTTP/1.1 200 OK\r\n\r\nuntil the end": (200, b"until the end", False),
}
WRONG = (
    b"",
    b"SSH-2.0-OpenSSH\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nbad header: 1\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5_000_000,
)


async def exchanged(said: bytes, *, slowly: bool, ends: bool) -> tuple[Exchanged, bool, bytes]:
    asked = b""
    piece = 1 if slowly else len(said) or 1

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = await reader.readuntil(b"body")
        try:
            for at in range(0, len(said), piece):
                writer.write(said[at : at + piece])
                await writer.drain()
                if slowly:
                    await asyncio.sleep(0)
            if not ends:
                await asyncio.sleep(30)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(Wire, "127.0.0.1", port)
        try:
            async with asyncio.timeout(20):
                answer = await wire.exchange("POST", b"/a?b=1", [(b"Host", b"x")], b"body", 10)
            return answer, wire.reusable, asked
        finally:
            wire.drop()
            await asyncio.sleep(0)


@pytest.mark.parametrize("slowly", [False, True])
@pytest.mark.parametrize("said", ANSWERS)
def test_what_is_said(said: bytes, slowly: bool) -> None:
    status, body, stays = ANSWERS[said]
    answer, reusable, asked = asyncio.run(
        exchanged(said, slowly=slowly, ends=b"until the end" in said)
    )
    assert (answer[0], answer[2]) == (status, body)
    assert asked == b"POST /a?b=1 HTTP/1.1\r\nHost: x\r\n\r\nbody"
    if not slowly:
        assert reusable == stays


@pytest.mark.parametrize("said", WRONG, ids=range(len(WRONG)))
def test_what_is_none(said: bytes) -> None:
    with pytest.raises(httpx.TransportError):
        asyncio.run(exchanged(said, slowly=False, ends=True))
