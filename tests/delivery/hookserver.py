"""A server on loopback that takes calls, and answers as a test wants it to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, str]]
LOST: Answer = (0, {})
"""Takes the request and hangs up without a word."""


@dataclass(slots=True)
class Got:
    path: str
    headers: dict[str, str]
    body: bytes
    port: int


@dataclass(slots=True)
class HookServer:
    """`answers` are given one after the other, and the last one from then on."""

    url: str = ""
    answers: list[Answer] = field(default_factory=lambda: [(204, {})])
    got: list[Got] = field(default_factory=list)


@contextmanager
def hook_server(*answers: Answer) -> Iterator[HookServer]:
    state = HookServer()
    if answers:
        state.answers = list(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.got.append(Got(self.path, headers, body, self.client_address[1]))
            status, extra = state.answers.pop(0) if len(state.answers) > 1 else state.answers[0]
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name is the standard library's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/loyalty?v=1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
