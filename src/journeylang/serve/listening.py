"""The listening: a socket, a loop, and what a connection may cost before it asks for anything.

uvicorn waits for the end of a request's head for as long as the client likes, and with httptools
reads a head of any size. Here a head has some seconds and some bytes.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from journeylang.serve.limits import LARGEST_HEAD, App
from journeylang.serve.metrics import Metrics

if TYPE_CHECKING:
    import uvicorn

HEAD = 10.0
"""Seconds for a request's head to arrive in, from its first byte on, or from the connection on."""

LARGEST_REST = 16 * 1024 * 1024
"""Bytes of a body that are read and thrown away behind an answer that did not wait for them."""

CONNECTIONS = 2_000
"""Connections and requests at once; further ones are answered with 503."""

SWITCH = 0.001
"""Seconds after which a thread that takes records in lets the one that answers have its turn."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that programs may connect to from now on; port 0 is any that is free.

    Raises:
        OSError: the address is not this machine's, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


def config(app: App, metrics: Metrics, *, head: float = HEAD) -> uvicorn.Config:
    """How uvicorn serves the application."""
    import uvicorn

    return uvicorn.Config(
        app,
        http=_protocol(metrics, head),
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        timeout_graceful_shutdown=10,
        lifespan="off",
    )


def serve(app: App, metrics: Metrics, listening: socket.socket) -> None:
    """Answer until a signal comes."""
    import gc
    import sys

    import uvicorn

    # What is there by now (the compiled project, modules) stays: looking through it for garbage,
    # and other threads with work of their own, are what answers would wait for.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(SWITCH)
    server = uvicorn.Server(config(app, metrics))
    with asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(server.serve(sockets=[listening]))


def _loop() -> Any:
    """uvloop's, where it is installed: with httptools it halves what a request costs."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _protocol(metrics: Metrics, patience: float) -> type[asyncio.Protocol]:
    from importlib.util import find_spec

    base: Any
    if find_spec("httptools") is not None:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

        base = HttpToolsProtocol
    else:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        base = H11Protocol

    class Bounded(base):  # type: ignore[misc]
        """uvicorn's own, for as long as a head is on its way."""

        head_since: float | None = None
        head_bytes = 0
        rest_bytes = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.head_since = self.loop.time()
            self.loop.call_later(patience, self.look)

        def data_received(self, data: bytes) -> None:
            former = self.cycle
            # Of a body that was refused before its end.
            rest = former is not None and former.response_complete and former.more_body
            if self.head_since is None and self.waits():
                self.head_since = self.loop.time()
            super().data_received(data)
            if self.cycle is not former or not self.waits():
                self.head_since, self.head_bytes, self.rest_bytes = None, 0, 0
                return
            if rest:
                self.rest_bytes += len(data)
            else:
                self.head_bytes += len(data)
            large = self.head_bytes > LARGEST_HEAD or self.rest_bytes > LARGEST_REST
            if large and not self.transport.is_closing():
                metrics.count("journey_refused_total", "reason", "head")
                self.transport.write(_TOO_LARGE)
                self.transport.close()

        def waits(self) -> bool:
            """Whether no request is being answered."""
            return self.cycle is None or self.cycle.response_complete

        def look(self) -> None:
            if self.transport.is_closing():
                return
            since = self.head_since
            if since is not None and self.waits() and self.loop.time() - since >= patience * 0.99:
                metrics.count("journey_refused_total", "reason", "slow")
                self.transport.close()
                return
            self.loop.call_later(patience, self.look)

    return Bounded


_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
