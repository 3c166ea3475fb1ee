"""Providers of the kind `http`, against a real server that does everything wrong there is."""

from __future__ import annotations

import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from journeylang.delivery.breaker import FAILURES, Breaker
from journeylang.delivery.channels import open_channels
from journeylang.delivery.http import HttpProvider
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.provider import Note
from tests.delivery.faultserver import FaultServer, Step, fault_server

MANIFEST = """name = "mine"
kind = "http"
title = "Mine"
channels = ["sms"]
keyed = false
in_flight = 100

[settings.token]
type = "secret"
required = true
help = "who asks"

[request]
base = "https://api.mine.example"
path = "/send/{{ message.channel }}"
headers = { Idempotency-Key = "{{ message.id }}" }
auth = { kind = "bearer", token = "{{ settings.token }}" }
body = { to = "{{ message.to }}", text = "{{ message.text }}", n = "{{ message.timestamp }}" }

[response]
id = ["body:id"]
detail = ["body:error"]
retry_after = [{ place = "header:Retry-After" }, { place = "body:wait" }]

[[response.rules]]
status = ["2xx"]
where = { "body:error" = { matches = "no such number" } }
outcome = "invalid_recipient"
"""
BATCH = """
[batch]
size = 3
path = "/batch"
headers = { Idempotency-Key = "{{ batch.id }}" }
body = { all = "{{ items }}" }
answers = "body:each"
"""
OK = Step(body={"id": "p1"})


def provider(
    tmp_path: Path, server: FaultServer | str, manifest: str = MANIFEST, **settings: object
) -> HttpProvider:
    folder = tmp_path / "providers" / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "provider.toml").write_text(manifest)
    given: dict[str, Any] = {
        "provider": "mine",
        "token": "env:T",
        "base_url": server if isinstance(server, str) else server.url,
        "private": True,
        "timeout": 1,
        "connections": 1,
        **settings,
    }
    outcome = open_channels({"sms": given}, root=tmp_path, environment={"T": "s3cret"})
    assert outcome.value is not None
    assert outcome.ok, outcome.diagnostics
    made = outcome.value["sms"].provider
    assert isinstance(made, HttpProvider)
    return made


def note(number: int, text: str = "hello") -> Note:
    at = datetime.fromisoformat("2026-03-02T10:00")
    return Note(id=f"{number:032x}", channel="sms", to=f"+49151{number}", text=text, at=at)


def sent(one: HttpProvider, number: int = 1) -> list[Answer]:
    answers: dict[str, Answer] = {}
    assert one.open() is None
    try:
        one.send([note(n) for n in range(1, number + 1)], answers)
    finally:
        one.close()
    return [answers[note(n).id] for n in range(1, number + 1)]


def test_a_message_is_a_request(tmp_path: Path) -> None:
    with fault_server(OK) as server:
        assert sent(provider(tmp_path, server), 3) == [Accepted(provider_id="p1")] * 3
    first = server.got[0]
    assert (first.method, first.target) == ("POST", "/send/sms")
    assert first.headers["authorization"] == "Bearer s3cret"
    assert first.headers["idempotency-key"] == note(1).id
    assert first.headers["host"] in server.url
    assert first.json == {"to": "+491511", "text": "hello", "n": 1772445600}
    assert server.connections == 1


def test_several_connections(tmp_path: Path) -> None:
    with fault_server(Step(before=0.05)) as server:
        assert len(sent(provider(tmp_path, server, connections=4), 8)) == 8
    assert server.connections == 4


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Step(status=200, chunked=True, body={"id": "p1"}), Accepted),
        (Step(status=200, close=True, body={"id": "p1"}), Accepted),
        (Step(status=200, within=0.1, body={"id": "p1"}), Accepted),
        (Step(status=200, body={"error": "no such number"}), Refused),
        (Step(status=422, body={"error": "bad"}), Refused),
        (Step(status=408), TryLater),
        (Step(status=500), Unknown),
        (Step(status=502), Unknown),
        (Step(times=0), Unknown),
        (Step(cut=True, body={"id": "p1"}), Unknown),
        (Step(half=True), Unknown),
        (Step(before=2.0), Unknown),
        (Step(within=2.0, body={"id": "p1"}), Unknown),
        (Step(trickle=0.2, body={"id": "p1"}), Unknown),
        (Step(raw=b"220 smtp.example ESMTP\r\n"), Unknown),
        (Step(raw=b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), Unknown),
        (Step(read=False), Unknown),
    ],
)
def test_what_an_answer_means(tmp_path: Path, step: Step, kind: type[Answer]) -> None:
    with fault_server(step, OK) as server:
        answers = sent(provider(tmp_path, server, timeout=1), 2)
    assert isinstance(answers[0], kind)
    assert answers[1] == Accepted(provider_id="p1"), "the next one is not concerned"


def test_who_is_asked_again_by_key_tries_later(tmp_path: Path) -> None:
    keyed = MANIFEST.replace("keyed = false", "keyed = true")
    with fault_server(Step(status=500)) as server:
        [answer] = sent(provider(tmp_path, server, keyed))
    assert isinstance(answer, TryLater)


def test_an_answer_that_comes_twice_is_not_taken_for_the_next(tmp_path: Path) -> None:
    with fault_server(Step(times=2, body={"id": "first"}), Step(body={"id": "second"})) as server:
        answers = sent(provider(tmp_path, server), 2)
    assert answers[0] == Accepted(provider_id="first")
    assert answers[1] == Accepted(provider_id="second")
    assert server.connections == 2


def test_a_short_wait_is_waited_for(tmp_path: Path) -> None:
    busy = Step(status=429, headers=(("Retry-After", "1"),))
    with fault_server(OK, busy, OK) as server:
        answers = sent(provider(tmp_path, server), 3)
    assert [type(one) for one in answers] == [Accepted] * 3
    assert len(server.got) == 4


def test_a_long_wait_puts_all_off(tmp_path: Path) -> None:
    busy = Step(status=429, body={"wait": 120})
    with fault_server(OK, busy) as server:
        made = provider(tmp_path, server)
        answers = sent(made, 4)
        assert isinstance(answers[0], Accepted)
        assert all(isinstance(one, TryLater) and one.after == 120 for one in answers[1:])
        assert len(server.got) == 2
        again = made.open()
    assert isinstance(again, TryLater)
    assert again.of_channel


@pytest.mark.parametrize("status", [401, 403, 404, 301])
def test_what_is_wrong_with_the_channel_is_asked_of_nobody_else(
    tmp_path: Path, status: int
) -> None:
    headers = (("Location", "http://127.0.0.1:1/"),)
    with fault_server(Step(status=status, headers=headers)) as server:
        answers = sent(provider(tmp_path, server), 3)
    assert isinstance(answers[0], Refused)
    assert all(isinstance(one, TryLater) and one.of_channel for one in answers[1:])
    assert len(server.got) == 1


def test_nobody_there(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answers = sent(provider(tmp_path, f"http://127.0.0.1:{port}"), 2)
    assert all(isinstance(one, TryLater) and one.of_channel for one in answers)


def test_lost_answers_open_the_breaker(tmp_path: Path) -> None:
    with fault_server(Step(times=0)) as server:
        made = provider(tmp_path, server)
        answers = sent(made, FAILURES + 3)
        assert sum(isinstance(one, Unknown) for one in answers) == FAILURES
        assert sum(isinstance(one, TryLater) for one in answers) == 3
        assert isinstance(made.open(), TryLater)


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("more", ["", BATCH.replace("size = 3", "size = 2")])
def test_a_server_that_fails_again_and_again_is_left_alone(
    tmp_path: Path, keyed: bool, more: str
) -> None:
    """In the middle of what is handed over: each that goes on might be one more in doubt."""
    manifest = MANIFEST.replace("keyed = false", f"keyed = {str(keyed).lower()}") + more
    asked = FAILURES * (2 if more else 1)
    with fault_server(*[Step(status=500)] * (asked + 3)) as server:
        made = provider(tmp_path, server, manifest)
        answers = sent(made, asked + 3)
        assert len(server.got) == FAILURES
        assert isinstance(made.open(), TryLater)
    assert [type(one) for one in answers[:asked]] == [TryLater if keyed else Unknown] * asked
    assert all(isinstance(one, TryLater) and one.of_channel for one in answers[asked:])


def test_a_breaker_asks_once_when_its_rest_is_over() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES):
        breaker.bad()
    assert breaker.left() == 5.0
    now[0] = 5.0
    assert breaker.left() == 0
    assert breaker.half_open
    breaker.bad()
    assert breaker.left() == 10.0
    now[0] = 15.0
    breaker.good()
    assert breaker.left() == 0
    breaker.rest(30)
    assert breaker.left() == 30


def test_half_open_one_message_is_tried(tmp_path: Path) -> None:
    with fault_server(Step(times=0)) as server:
        made = provider(tmp_path, server)
        for _ in range(FAILURES):
            made.breaker.bad()
        made.breaker._until = 0.0
        answers = sent(made, 4)
    assert [type(one) for one in answers] == [Unknown, TryLater, TryLater, TryLater]
    assert len(server.got) == 1


def test_batches_have_an_answer_for_each(tmp_path: Path) -> None:
    each = [{"id": "a"}, {"error": "no such number"}, {"id": "c"}]
    with fault_server(Step(body={"each": each}), Step(body={"each": each[:1]})) as server:
        answers = sent(provider(tmp_path, server, MANIFEST + BATCH), 5)
    assert [type(one) for one in answers] == [Accepted, Refused, Accepted, Accepted, Unknown]
    assert server.got[0].target == "/batch"
    assert [one["to"] for one in server.got[0].json["all"]] == ["+491511", "+491512", "+491513"]


def test_a_batch_that_is_refused_is_refused_whole(tmp_path: Path) -> None:
    with fault_server(Step(status=422, body={"error": "no"})) as server:
        answers = sent(provider(tmp_path, server, MANIFEST + BATCH), 3)
    assert [type(one) for one in answers] == [Refused] * 3


def test_what_is_quoted_of_the_recipient_is_left_out(tmp_path: Path) -> None:
    said = {"error": "the number +491511 of jo@example.com is none"}
    with fault_server(Step(status=400, body=said)) as server:
        [answer] = sent(provider(tmp_path, server))
    assert isinstance(answer, Refused)
    assert answer.detail == "HTTP 400: the number … of … is none"


def test_a_message_without_a_value_fails_alone(tmp_path: Path) -> None:
    manifest = MANIFEST.replace("{{ message.text }}", "{{ message.place.nowhere }}")
    with fault_server(OK) as server:
        [answer] = sent(provider(tmp_path, server, manifest))
    assert answer == Refused(
        kind="rejected", detail="the request `request.body.text` asks for what is not there"
    )
    assert server.got == []


def test_connections_that_have_ended_meanwhile_are_not_used(tmp_path: Path) -> None:
    with fault_server(Step(close=True, body={"id": "p1"}), OK) as server:
        made = provider(tmp_path, server)
        answers: dict[str, Answer] = {}
        assert made.open() is None
        for n in (1, 2):
            made.send([note(n)], answers)
        made.close()
    assert [type(one) for one in answers.values()] == [Accepted, Accepted]
    assert server.connections == 2


def test_who_waits_for_a_turn_is_not_sent_behind_a_stop(tmp_path: Path) -> None:
    with fault_server(Step(status=401)) as server:
        answers = sent(provider(tmp_path, server, connections=4, rate="10/s"), 6)
    assert sum(isinstance(one, Refused) for one in answers) == 1
    assert sum(isinstance(one, TryLater) for one in answers) == 5
    assert len(server.got) == 1


def test_what_was_not_begun_is_not_in_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(_: object) -> None:
        raise Interrupted

    answers: dict[str, Answer] = {}
    with fault_server(OK) as server:
        made = provider(tmp_path, server)
        assert made.open() is None
        monkeypatch.setattr(made.breaker, "good", lambda: interrupt(None))
        with pytest.raises(BaseException):  # noqa: B017, PT011
            made.send([note(n) for n in range(1, 5)], answers)
        made.close()
    assert [note(n).id in answers for n in range(1, 5)] == [False, True, True, True]
    assert all(isinstance(one, TryLater) for one in answers.values())


def test_a_rate_spreads_the_messages(tmp_path: Path) -> None:
    import time

    with fault_server(OK) as server:
        begun = time.monotonic()
        sent(provider(tmp_path, server, rate="20/s"), 5)
    assert time.monotonic() - begun >= 0.2


def test_tls_by_a_name_that_is_checked(tmp_path: Path) -> None:
    import ssl
    import threading

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            try:
                with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\n{}")
            except OSError:
                pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    url = f"https://localhost:{listener.getsockname()[1]}"
    trusting = sent(provider(tmp_path, url, ca=str(tmp_path / "ca.pem")))
    [doubting] = sent(provider(tmp_path, url))
    thread.join(5)
    listener.close()
    assert [type(one) for one in trusting] == [Accepted]
    assert isinstance(doubting, Refused)
    assert "certificate" in doubting.detail


@pytest.mark.parametrize("url", ["https://127.0.0.1", "https://[::1]", "https://169.254.169.254"])
def test_private_networks_are_refused(tmp_path: Path, url: str) -> None:
    refusal = provider(tmp_path, url, private=False).open()
    assert isinstance(refusal, Refused)
    assert "private network" in refusal.detail
