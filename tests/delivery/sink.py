"""A server in a process of its own that takes everything: `python -m tests.delivery.sink`.

It prints its port. A POST of a list is answered with a list, as a provider of batches does.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HEAD = (
    b"HTTP/1.1 %d x\r\nContent-Type: application/json\r\nX-Message-Id: m\r\n"
    b"Content-Length: %d\r\n\r\n"
)


class _Sink(asyncio.Protocol):
    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._read += data
        while True:
            head, end, rest = self._read.partition(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if not end or len(rest) < size:
                return
            body, self._read = rest[:size], rest[size:]
            status, said = 202, b"{}"
            if body.startswith(b"["):
                number = body.count(b'"MessageStream"')
                status = 200
                said = b"[" + b",".join([b'{"ErrorCode":0,"MessageID":"m"}'] * number) + b"]"
            self._transport.write(_HEAD % (status, len(said)) + said)


@contextmanager
def sink() -> Iterator[str]:
    """The address of a sink."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.sink"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
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
