"""Clients that mean no good: slow ones, large heads, many connections. The rest is answered."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tests.serve.place import Served, eventually, served, served_shop

HEAD = b"POST /events HTTP/1.1\r\nhost: localhost\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(served_shop(tmp_path_factory.mktemp("shop"), number=3), head=1.0) as one:
        yield one


def connected(server: Served) -> socket.socket:
    place = server.client.base_url
    return socket.create_connection((place.host, place.port), timeout=20)


def answered(one: socket.socket) -> bytes:
    """Everything that comes until the other side hangs up."""
    found = b""
    try:
        while part := one.recv(65536):
            found += part
    except ConnectionError:
        pass
    finally:
        one.close()
    return found


def test_who_never_ends_a_head_is_hung_up_on(server: Served) -> None:
    silent = [connected(server) for _ in range(60)]
    slow = connected(server)
    before = server.count("refused", "slow")
    slow.sendall(HEAD)
    began = time.monotonic()
    # Others are answered meanwhile.
    assert server.client.get("/health").status_code == 200
    for one in silent:
        assert answered(one) == b""
    for _ in range(100):
        try:
            slow.sendall(b"x-more: 1\r\n")
        except ConnectionError:
            break
        time.sleep(0.1)
    assert answered(slow) == b""
    assert time.monotonic() - began < 20
    eventually(lambda: server.count("refused", "slow") == before + 61)


def test_who_is_quiet_between_two_requests_is_not(server: Served) -> None:
    with connected(server) as one:
        for _ in range(2):
            one.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            found = b""
            while not found.endswith(b"}"):
                found += one.recv(65536)
            assert found.startswith(b"HTTP/1.1 200")
            time.sleep(2.5)


@pytest.mark.parametrize("ends", [True, False])
def test_a_large_head_is_refused(server: Served, ends: bool) -> None:
    before = server.count("refused", "head")
    with connected(server) as one:
        one.sendall(HEAD)
        try:
            for n in range(400):
                one.sendall(b"x-%d: %s\r\n" % (n, b"y" * 1000))
            one.sendall(b"\r\n" if ends else b"")
        except ConnectionError:
            pass
        found = answered(one)
    # Where the rest was still on its way, the connection may be reset before the answer is read.
    assert found == b"" or found.split()[1] in (b"431", b"400")
    eventually(lambda: server.count("refused", "head") >= before or found != b"")
    assert server.client.get("/health").status_code == 200


def test_many_headers_are_refused(server: Served) -> None:
    many = {f"x-{n}": "1" for n in range(150)}
    answer = server.client.get("/health", headers=many)
    assert answer.status_code == 431
    assert server.count("refused", "head")


def test_what_is_no_http(server: Served) -> None:
    with connected(server) as one:
        one.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        assert b" 400 " in answered(one).partition(b"\r\n")[0]
    assert server.client.get("/health").status_code == 200
