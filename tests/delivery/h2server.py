"""An HTTP/2 server on loopback, over TLS, that answers as a script says."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded


@dataclass(slots=True)
class Request:
    headers: dict[str, str]
    body: bytes = b""


@dataclass(slots=True)
class H2Server:
    """`answers`: status, headers, body as JSON; the last one from then on."""

    url: str
    ca: Path
    answers: list[tuple[int, dict[str, str], Any]]
    got: list[Request] = field(default_factory=list)
    connections: int = 0


@contextmanager
def h2_server(folder: Path, *answers: tuple[int, dict[str, str], Any]) -> Iterator[H2Server]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    listener = socket.create_server(("127.0.0.1", 0))
    state = H2Server(f"https://localhost:{listener.getsockname()[1]}", ca, list(answers))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), raw, context.wrap_socket(raw, server_side=True) as connection:
                state.connections += 1
                _talk(state, connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _talk(state: H2Server, connection: ssl.SSLSocket) -> None:
    talk = H2Connection(config=H2Configuration(client_side=False, header_encoding="utf-8"))
    talk.initiate_connection()
    connection.sendall(talk.data_to_send())
    open_ones: dict[int, Request] = {}
    while data := connection.recv(65536):
        for event in talk.receive_data(data):
            match event:
                case RequestReceived(stream_id=int() as number, headers=headers):
                    open_ones[number] = Request(dict(headers or []))  # type: ignore[arg-type]
                case DataReceived(stream_id=int() as number, data=bytes() as body):
                    open_ones[number].body += body
                    talk.acknowledge_received_data(event.flow_controlled_length or 0, number)
                case StreamEnded(stream_id=int() as number):
                    state.got.append(open_ones.pop(number))
                    answers = state.answers
                    status, extra, said = answers.pop(0) if len(answers) > 1 else answers[0]
                    talk.send_headers(number, [(":status", str(status)), *extra.items()])
                    talk.send_data(number, json.dumps(said).encode(), end_stream=True)
                case _:
                    pass
        connection.sendall(talk.data_to_send())
