"""A server on loopback that answers as a script says: well, slowly, twice, half, or not at all."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One turn of the script.

    `before` and `within`: seconds of silence before the answer, and between its head and its
    body. `read` false: hangs up before the request was read to its end. `times` answers come for
    the one request, and 0 is a hang-up without a word; `cut` hangs up within the body; `half`
    keeps the connection open and says nothing; `close` hangs up behind the answer. `trickle`:
    seconds between any two bytes of it.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = None
    before: float = 0.0
    within: float = 0.0
    read: bool = True
    times: int = 1
    cut: bool = False
    half: bool = False
    close: bool = False
    chunked: bool = False
    trickle: float = 0.0
    raw: bytes | None = None

    def written(self) -> tuple[bytes, bytes]:
        body = b"" if self.body is None else json.dumps(self.body).encode()
        lines = [f"HTTP/1.1 {self.status} x", *(f"{n}: {v}" for n, v in self.headers)]
        if self.chunked:
            lines.append("Transfer-Encoding: chunked")
            half = len(body) // 2
            parts = [body[:half], body[half:], b""]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
        else:
            lines.append(f"Content-Length: {len(body)}")
        if self.close:
            lines.append("Connection: close")
        return "\r\n".join((*lines, "", "")).encode(), body


@dataclass(slots=True)
class Got:
    """A request that was read to its end."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class FaultServer:
    """The steps are taken one after the other, and the last one from then on."""

    url: str = ""
    steps: list[Step] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> Step:
        with self.lock:
            return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


@contextmanager
def fault_server(*steps: Step) -> Iterator[FaultServer]:
    state = FaultServer(steps=list(steps) or [Step()])
    listener = socket.create_server(("127.0.0.1", 0))
    state.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    closing = threading.Event()
    open_ones: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def accept() -> None:
        while not closing.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with state.lock:
                state.connections += 1
                open_ones.append(connection)
                number = state.connections
            thread = threading.Thread(target=serve, args=(connection, number), daemon=True)
            threads.append(thread)
            thread.start()

    def serve(connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection:
            while _one(state, connection, number):
                pass

    main = threading.Thread(target=accept, daemon=True)
    main.start()
    try:
        yield state
    finally:
        closing.set()
        # A listener that somebody waits for is woken by its end alone.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for one in open_ones:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        main.join(5)
        for thread in threads:
            thread.join(5)


def _one(state: FaultServer, connection: socket.socket, number: int) -> bool:
    """One request; False when the connection is at its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return False
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
    step = state.next()
    if not step.read:
        return False
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    with state.lock:
        state.got.append(Got(method, target, headers, body, number))
    if step.half:
        connection.recv(1)
        return False
    if step.times == 0:
        return False
    time.sleep(step.before)
    if step.raw is not None:
        for part in _parts(step.raw, step.trickle):
            connection.sendall(part)
        return False
    answer, content = step.written()
    if step.cut:
        connection.sendall(answer + content[: len(content) // 2])
        return False
    if step.trickle:
        for part in _parts(answer + content, step.trickle):
            connection.sendall(part)
    elif step.within:
        connection.sendall(answer)
        time.sleep(step.within)
        connection.sendall(content)
    else:
        connection.sendall((answer + content) * step.times)
    return not step.close


def _parts(whole: bytes, trickle: float) -> Iterator[bytes]:
    """All at once, or byte by byte with so many seconds between."""
    if not trickle:
        yield whole
        return
    for at in range(len(whole)):
        yield whole[at : at + 1]
        time.sleep(trickle)
