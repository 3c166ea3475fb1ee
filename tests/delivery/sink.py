"""A server in a process of its own that takes everything: `python -m tests.delivery.sink`.

It prints its port. A POST of a list is answered with a list, as a provider of batches does.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

_HEAD = (
    b"HTTP/1.1 %d x\r\nContent-Type: application/json\r\nX-Message-Id: m\r\n"
    b"Content-Length: %d\r\n\r\n"
)


@lru_cache(maxsize=1024)
def _said(number: int) -> bytes:
    """To so many messages in a list, or to one without a list."""
    said = b"{}"
    if number:
        said = b"[" + b",".join([b'{"ErrorCode":0,"MessageID":"m"}'] * number) + b"]"
    return _HEAD % (200 if number else 202, len(said)) + said


class _Sink(asyncio.Protocol):
    """Looks at no more of a request than its length, and how many messages it has: what is
    measured are not the providers."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._read: list[bytes] = []
        self._got = 0
        self._whole = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._read.append(data)
        self._got += len(data)
        # As long as the head is not there, all that has come is joined, and is little.
        while self._got and self._got >= self._whole:
            read = b"".join(self._read)
            if not self._whole:
                head, end, _ = read.partition(b"\r\n\r\n")
                if not end:
                    self._read = [read]
                    return
                size = int(
                    head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0
                )
                self._whole = len(head) + 4 + size
                self._read = [read]
                continue
            number = read.count(b'"MessageStream"', 0, self._whole)
            rest = read[self._whole :]
            self._read, self._got, self._whole = [rest], len(rest), 0
            self._transport.write(_said(number if number > 1 or b"\r\n\r\n[" in read else 0))


@contextmanager
def sink() -> Iterator[str]:
    """The address of a sink."""
    with sink_apart() as (_, url):
        yield url


@contextmanager
def sink_apart() -> Iterator[tuple[int, str]]:
    """The number of its process, too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.sink"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        assert process.stdout is not None
        yield process.pid, f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
