"""Provider `webhook`, against a real server: signed, never elsewhere, and never twice unasked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
from datetime import datetime
from pathlib import Path

import pytest

from journeylang.delivery.channels import open_channels
from journeylang.delivery.http import HttpProvider
from journeylang.delivery.network import is_public
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater, Unknown
from journeylang.delivery.provider import Call
from tests.delivery.faultserver import Step, fault_server
from tests.delivery.hookserver import LOST, hook_server

KEY = b"a secret of 24 bytes or so"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


def provider(url: str, **settings: object) -> HttpProvider:
    given = {"provider": "webhook", "url": url, "private": True, "timeout": 2} | settings
    given |= {"signing_secret": "env:S"}
    outcome = open_channels({}, root=Path(), environment={"S": SECRET}, invoke={"loyalty": given})
    assert outcome.ok, outcome.diagnostics
    assert outcome.value is not None
    made = outcome.value["invoke loyalty"].provider
    assert isinstance(made, HttpProvider)
    return made


def refusal(**settings: object) -> str:
    given = {"provider": "webhook", "signing_secret": "env:S"} | settings
    outcome = open_channels({}, root=Path(), environment={"S": SECRET}, invoke={"loyalty": given})
    [problem] = outcome.diagnostics
    return problem.message


def call(number: int = 1) -> Call:
    return Call(
        id=f"{number:032x}",
        service="loyalty",
        action="award",
        customer=f"c{number}",
        at=datetime.fromisoformat("2026-03-02T10:00"),
        data={"points": 100, "note": "Grüße\u2028"},
    )


def made(hook: HttpProvider, *numbers: int) -> list[Answer]:
    answers: dict[str, Answer] = {}
    assert hook.open() is None
    hook.send([call(n) for n in numbers or (1,)], answers)
    hook.close()
    return list(answers.values())


def test_a_call_is_posted_signed_and_over_one_connection() -> None:
    with hook_server() as server:
        assert made(provider(server.url), 1, 2, 3) == [
            Accepted(provider_id=call(n).id) for n in (1, 2, 3)
        ]
    assert len({got.port for got in server.got}) == 1
    got = server.got[0]
    assert got.path == "/hooks/loyalty?v=1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["idempotency-key"] == got.headers["webhook-id"] == call().id
    stamp = got.headers["webhook-timestamp"]
    assert stamp == "1772445600"
    signed = f"{call().id}.{stamp}.".encode() + got.body
    expected = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    assert got.headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(got.body) == json.loads(call().to_json())


@pytest.mark.parametrize(
    ("status", "keyed", "kind"),
    [
        (200, False, Accepted),
        (400, False, Refused),
        (422, True, Refused),
        (408, False, TryLater),
        (500, False, Unknown),
        (502, True, TryLater),
    ],
)
def test_what_an_answer_means(status: int, keyed: bool, kind: type[Answer]) -> None:
    with hook_server((status, {})) as server:
        [answer] = made(provider(server.url, keyed=keyed))
    assert isinstance(answer, kind)
    assert not getattr(answer, "of_channel", False)


@pytest.mark.parametrize("status", [401, 403, 404, 410, 301, 307])
def test_what_is_wrong_with_the_hook_stops_all_calls(status: int) -> None:
    with hook_server() as elsewhere, hook_server((status, {"Location": elsewhere.url})) as server:
        answers = made(provider(server.url), 1, 2)
    assert all(getattr(answer, "of_channel", False) for answer in answers)
    assert len(answers) == 2
    assert len(server.got) == 1
    assert elsewhere.got == []


def test_who_is_busy_says_for_how_long() -> None:
    with hook_server((429, {"Retry-After": "120"})) as server:
        answers = made(provider(server.url), 1, 2)
    assert answers[0] == TryLater(detail="HTTP 429", after=120, of_channel=True)
    assert isinstance(answers[1], TryLater)
    with hook_server((503, {"Retry-After": "soon, 99999"})) as server:
        assert made(provider(server.url)) == [TryLater(detail="HTTP 503", of_channel=True)]


def test_a_lost_answer_is_unknown_and_the_next_call_goes_out() -> None:
    with hook_server(LOST, (204, {})) as server:
        answers = made(provider(server.url), 1, 2)
    assert isinstance(answers[0], Unknown)
    assert isinstance(answers[1], Accepted)


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    [answer] = made(provider(f"http://127.0.0.1:{port}/"))
    assert isinstance(answer, TryLater)
    assert answer.of_channel


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with hook_server() as server:
        assert isinstance(made(provider(server.url))[0], Accepted)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254"])
def test_private_networks_are_not_reached_unless_allowed(host: str) -> None:
    answer = provider(f"https://{host}/", private=False).open()
    assert isinstance(answer, Refused)
    assert answer.kind == "config"
    assert "private network" in answer.detail


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("fe80::1%eth0", False),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("192.168.1.1", False),
    ],
)
def test_addresses_of_the_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://loyalty.example/", "not encrypted"),
        ("ftp://loyalty.example/", "no address like"),
        ("https://", "no address like"),
        ("https://loyalty.example:x/", "no address like"),
        ("https://a b.example/", "no address like"),
        ("https://user:pw@loyalty.example/", "a password in it"),
    ],
)
def test_addresses_that_are_none(url: str, message: str) -> None:
    assert message in refusal(url=url)


def test_settings_that_are_wrong() -> None:
    assert "`url` is missing" in refusal()
    secret = refusal(url="https://x.example/", signing_secret="whsec_x")
    assert "name its variable" in secret
    broken = {"provider": "webhook", "url": "https://x.example/", "signing_secret": "env:S"}
    outcome = open_channels(
        {}, root=Path(), environment={"S": "whsec_?"}, invoke={"loyalty": broken}
    )
    assert "no base64" in outcome.diagnostics[0].message
    outcome = open_channels({"email": "webhook"}, root=Path(), environment={})
    assert outcome.diagnostics[0].help == "it carries calls alone"
    outcome = open_channels({}, root=Path(), environment={}, invoke={"x": {"provider": "smtp"}})
    assert "makes no calls" in outcome.diagnostics[0].message


@pytest.mark.parametrize(
    "step",
    [
        Step(trickle=0.1),
        Step(raw=b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200 + b"\r\n\r\n", trickle=0.1),
        Step(body={"slow": "x" * 500}, chunked=True, trickle=0.1),
        Step(half=True),
    ],
    ids=["head", "header", "body", "silence"],
)
def test_who_trickles_holds_no_delivery_for_ever(step: Step) -> None:
    """Each call has its whole time and no more, and after five nobody else is asked."""
    with fault_server(step) as server:
        begun = time.monotonic()
        answers = made(provider(server.url, timeout=1, connections=2), *range(1, 101))
        took = time.monotonic() - begun
    assert len(answers) == 100
    doubtful = sum(
        isinstance(answer, Unknown | TryLater) and answer.detail.startswith("the answer")
        for answer in answers
    )
    assert 5 <= len(server.got) <= 6
    assert took < 30, "a hundred calls of a second by two connections would take fifty"
    assert doubtful == len(server.got)
    assert all(isinstance(answer, TryLater | Unknown) for answer in answers)
