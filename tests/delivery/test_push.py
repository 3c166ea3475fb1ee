"""Push services: signed, encrypted, and against servers that speak as theirs do."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from journeylang.delivery import authorisation, es256
from journeylang.delivery.channels import open_channels
from journeylang.delivery.http import HttpProvider
from journeylang.delivery.outcome import Accepted, Answer, Refused, TryLater
from journeylang.delivery.provider import Note
from tests.delivery.faultserver import Step, fault_server
from tests.delivery.h2server import h2_server

ID = "0f343b0931126a20f133d67c2b018a3b"
KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def provider(variables: dict[str, str], **given: object) -> HttpProvider:
    outcome = open_channels({"push": given}, root=Path(), environment=variables)
    assert outcome.ok, outcome.diagnostics
    assert outcome.value is not None
    made = outcome.value["push"].provider
    assert isinstance(made, HttpProvider)
    return made


def sent(one: HttpProvider, *to: str) -> list[Answer]:
    at = datetime.fromisoformat("2026-03-02T10:00")
    notes = [
        Note(id=f"{n:032x}", channel="push", to=address, text="On its way\n", subject="Jo", at=at)
        for n, address in enumerate(to)
    ]
    answers: dict[str, Answer] = {}
    assert one.open() is None
    one.send(notes, answers)
    one.close()
    return [answers[note.id] for note in notes]


def claims(token: str, key: ec.EllipticCurvePublicKey) -> tuple[dict[str, Any], dict[str, Any]]:
    """Head and claims of a token that the key has signed."""
    signed, _, coded = token.rpartition(".")
    raw = base64.urlsafe_b64decode(coded + "==")
    signature = utils.encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )
    key.verify(signature, signed.encode(), ec.ECDSA(SHA256()))
    head, body = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in signed.split("."))
    return head, body


def test_keys_of_the_curve() -> None:
    number = KEY.private_numbers().private_value.to_bytes(32, "big")
    for text in (PEM, PEM.replace("\n", "\\n"), es256.unpadded(number)):
        assert es256.private_key(text).private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize("key", ["", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END"])
def test_keys_that_are_none(key: str) -> None:
    given = {
        "provider": "apns",
        "key": "env:K",
        "key_id": "A",
        "team_id": "B",
        "topic": "c",
    }
    outcome = open_channels({"push": given}, root=Path(), environment={"K": key or " "})
    [problem] = outcome.diagnostics
    assert problem.code.name == "bad-config"


def test_apns_over_http_2(tmp_path: Path) -> None:
    answers = [
        (200, {"apns-id": "1"}, {}),
        (410, {}, {"reason": "Unregistered"}),
        (200, {"apns-id": "3"}, {}),
    ]
    with h2_server(tmp_path, *answers) as server:
        made = provider(
            {"K": PEM},
            provider="apns",
            key="env:K",
            key_id="ABC123DEFG",
            team_id="DEF123GHIJ",
            topic="example.acme.shop",
            base_url=server.url,
            private=True,
            ca=str(server.ca),
            connections=1,
        )
        assert [type(one) for one in sent(made, "a1", "b2", "c3")] == [Accepted, Refused, Accepted]
    assert server.connections == 1
    first = server.got[0]
    assert first.headers[":path"] == "/3/device/a1"
    assert first.headers[":authority"].startswith("localhost:")
    assert first.headers["apns-topic"] == "example.acme.shop"
    assert json.loads(first.body)["aps"]["alert"] == {"title": "Jo", "body": "On its way"}
    head, body = claims(first.headers["authorization"].removeprefix("bearer "), KEY.public_key())
    assert head == {"alg": "ES256", "kid": "ABC123DEFG"}
    assert body["iss"] == "DEF123GHIJ"
    assert server.got[1].headers["authorization"] == first.headers["authorization"]


@pytest.fixture(scope="module")
def account() -> str:
    """The key of a service account, but its `token_uri`."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "push@acme.example",
            "private_key": pem,
            "private_key_id": "1",
        }
    )


def fcm(account: str, tokens: str, url: str) -> HttpProvider:
    key = json.dumps(json.loads(account) | {"token_uri": f"{tokens}/token"})
    return provider(
        {"C": key},
        provider="fcm",
        project="acme",
        credentials="env:C",
        base_url=url,
        private=True,
        connections=1,
    )


def test_fcm_asks_google_for_a_token_once(account: str) -> None:
    token = Step(body={"access_token": "t1", "expires_in": 3600, "token_type": "Bearer"})
    gone = {"error": {"status": "NOT_FOUND", "details": [{"errorCode": "UNREGISTERED"}]}}
    with (
        fault_server(token) as google,
        fault_server(
            Step(body={"name": "projects/acme/messages/1"}), Step(status=404, body=gone)
        ) as server,
    ):
        answers = sent(fcm(account, google.url, server.url), "a", "b")
    assert answers[0] == Accepted(provider_id="projects/acme/messages/1")
    assert isinstance(answers[1], Refused)
    assert answers[1].kind == "invalid_recipient"
    assert len(google.got) == 1
    assert server.got[0].target == "/v1/projects/acme/messages:send"
    assert server.got[0].headers["authorization"] == "Bearer t1"
    assert server.got[0].json["message"]["token"] == "a"


def test_fcm_without_a_token_sends_nothing(account: str) -> None:
    refused = Step(status=400, body={"error": "invalid_grant"})
    with fault_server(refused) as google, fault_server(Step()) as server:
        answers = sent(fcm(account, google.url, server.url), "a", "b")
    assert isinstance(answers[0], Refused)
    assert answers[0].kind == "auth"
    assert isinstance(answers[1], TryLater)
    assert server.got == []


def test_fcm_waits_for_a_token_for_so_long_and_no_longer(
    account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorisation, "_LONGEST_ASK", 0.5)
    with fault_server(Step(trickle=0.1)) as google, fault_server(Step()) as server:
        answers = sent(fcm(account, google.url, server.url), "a", "b")
    assert [isinstance(answer, TryLater) for answer in answers] == [True, True]
    assert server.got == []


def test_web_push_is_encrypted_for_the_browser() -> None:
    browser, secret = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
    with fault_server(
        Step(status=201, headers=(("Location", "/m/1"),)), Step(status=410)
    ) as server:
        keys = {
            "p256dh": es256.unpadded(es256.public_bytes(browser)),
            "auth": es256.unpadded(secret),
        }
        address = json.dumps({"endpoint": f"{server.url}/wpush/v2/abc?x=1", "keys": keys})
        elsewhere = json.dumps({"endpoint": "http://169.254.169.254/latest", "keys": keys})
        broken = json.dumps({"endpoint": f"{server.url}/x", "keys": {"p256dh": "x", "auth": "y"}})
        made = provider(
            {"K": PEM},
            provider="webpush",
            private_key="env:K",
            subject="mailto:push@acme.example",
            hosts="127.0.0.1",
            private=True,
            connections=1,
        )
        answers = sent(made, address, address, elsewhere, "no JSON", broken)
    assert answers[0] == Accepted(provider_id="/m/1")
    assert all(isinstance(a, Refused) and a.kind == "invalid_recipient" for a in answers[1:])
    assert len(server.got) == 2
    got = server.got[0]
    assert got.target == "/wpush/v2/abc?x=1"
    assert (got.headers["content-encoding"], got.headers["ttl"]) == ("aes128gcm", "86400")
    plain = http_ece.decrypt(got.body, private_key=browser, auth_secret=secret, version="aes128gcm")
    assert json.loads(plain) == {"title": "Jo", "body": "On its way", "id": f"{0:032x}"}
    token = got.headers["authorization"].removeprefix("vapid t=").partition(", k=")
    _, body = claims(token[0], KEY.public_key())
    assert body["aud"] == server.url
    assert body["sub"] == "mailto:push@acme.example"
    assert token[2] == es256.unpadded(es256.public_bytes(KEY))
