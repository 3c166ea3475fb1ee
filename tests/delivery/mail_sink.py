"""A quick mail server that takes everything, and misbehaves for some recipients.

As a process of its own, `python -m tests.delivery.mail_sink`, it prints its port. It answers many
commands at once where it says PIPELINING.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path


@dataclass(slots=True, kw_only=True)
class MailSink:
    """What it is to do, and what it got.

    By the recipient's local part: `unknown`, `full`, `accents` and `insists` are refused at RCPT,
    and at `insists` it asks for the content all the same; `nodata` is refused at DATA; `hangup`
    ends the connection at RCPT, `lost` when the content is there, and `garbled` answers RCPT with
    no answer. `seen` is told of each command before it is answered, and of each content.
    """

    pipelining: bool = True
    port: int = 0
    connections: int = 0
    received: list[tuple[str, bytes]] = field(default_factory=list)
    together: int = 0
    seen: Callable[[], None] = lambda: None


_RCPT = {
    "unknown": b"550 5.1.1 <%s> is not known here",
    "full": b"452 4.2.2 later",
    "insists": b"550 5.1.1 no",
    "garbled": b"hm?",
    "accents": b"550 5.7.1 Utilisateur refus\xe9",
}


class _Talk(asyncio.Protocol):
    def __init__(self, sink: MailSink) -> None:
        self._sink = sink
        self._transport: asyncio.Transport | None = None
        self._read = b""
        self._content = False
        self._to = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sink.connections += 1
        transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._read += data
        said: list[bytes] = []
        while not self._transport.is_closing():
            if self._content:
                content, end, rest = self._read.partition(b"\r\n.\r\n")
                if self._read.startswith(b".\r\n"):
                    content, end, rest = b"", b".\r\n", self._read[3:]
                if not end:
                    break
                self._read, self._content = rest, False
                said.append(self._taken(content))
            else:
                line, end, rest = self._read.partition(b"\r\n")
                if not end:
                    break
                self._read = rest
                said.append(self._answer(line))
        if len(said) > 1:
            self._sink.together += 1
        if said and not self._transport.is_closing():
            self._transport.write(b"".join(one + b"\r\n" for one in said))

    def _hang_up(self) -> bytes:
        assert self._transport is not None
        self._transport.abort()
        return b""

    def _answer(self, line: bytes) -> bytes:
        self._sink.seen()
        verb = line[:4].upper()
        local = self._to.partition("@")[0]
        if verb == b"EHLO":
            offers = [b"250-sink", *([b"250-PIPELINING"] if self._sink.pipelining else [])]
            return b"\r\n".join([*offers, b"250 8BITMIME"])
        if verb == b"RCPT":
            self._to = line.partition(b"<")[2].rpartition(b">")[0].decode()
            local = self._to.partition("@")[0]
            if local == "hangup":
                return self._hang_up()
            said = _RCPT.get(local)
            if said is not None:
                return said.replace(b"%s", self._to.encode())
        if verb == b"DATA":
            if local in ("unknown", "full"):
                return b"503 5.5.1 no recipients"
            if local == "nodata":
                return b"554 5.7.1 no"
            self._content = True
            return b"354 go on"
        return b"250 OK"

    def _taken(self, content: bytes) -> bytes:
        if self._to.startswith("insists"):
            assert not content
            return b"554 5.5.1 no recipients"
        self._sink.received.append((self._to, content))
        self._sink.seen()
        return self._hang_up() if self._to.startswith("lost@") else b"250 taken"


@contextmanager
def mail_sink(
    *, pipelining: bool = True, seen: Callable[[], None] = lambda: None
) -> Iterator[MailSink]:
    """In a thread, so that what it got can be looked at."""
    sink = MailSink(pipelining=pipelining, seen=seen)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(loop.create_server(partial(_Talk, sink), "127.0.0.1", 0))
    sink.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()


@contextmanager
def mail_sink_apart(*, pipelining: bool = True) -> Iterator[tuple[int, int]]:
    """The number of another process, and the port of the one in it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.mail_sink", *([] if pipelining else ["plain"])],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    try:
        assert process.stdout is not None
        yield process.pid, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


async def _serve(sink: MailSink) -> None:
    class Forgetful(list[tuple[str, bytes]]):
        def append(self, one: tuple[str, bytes]) -> None:
            """Memory is for others."""

    sink.received = Forgetful()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(_Talk, sink), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(MailSink(pipelining="plain" not in sys.argv)))
