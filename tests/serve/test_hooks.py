"""Webhooks of providers: signed ones are kept and become feedback, whatever their order."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engines.databases import ENGINES
from tests.runtime.world import sql
from tests.serve.place import ENVIRON, Served, messages, served, served_shop

SECRET = "whsec_" + base64.b64encode(b"of the provider").decode()
PROVIDER = """name = "tester"
kind = "http"
title = "A provider of the tests'"
channels = ["email", "sms"]
keyed = true
in_flight = 10

[settings.url]
type = "text"
required = true
help = "where it is"

[settings.webhook_secret]
type = "secret"
help = "what signs webhooks"

[settings.from]
type = "address"
help = "the sender"

[request]
base = "{{ settings.url }}"

[request.body]
to = "{{ message.to }}"

[webhook]
signature = { kind = "standard_webhooks", secret = "{{ settings.webhook_secret }}" }
events = ["body:events"]

[webhook.event]
type = "{{ event.type }}"
id = "{{ event.id }}"
message = "{{ event.message | default }}"
provider_id = "{{ event.name | default }}"
address = "{{ event.address | default }}"
at = "{{ event.at }}"
detail = "{{ event.detail | default }}"

[webhook.names]
sent = "sent"
delivered = "delivered"
opened = "opened"
bounced = "bounced"
soft = "soft_bounced"
complained = "complained"
unsubscribed = "unsubscribed"
replied = "replied"
"""
CHANNELS = """
[env.dev.channels.email]
provider = "tester"
url = "https://tester.example"
webhook_secret = "env:HOOK_SECRET"
from = "Shop <hello@shop.example>"

[env.dev.channels.sms]
provider = "tester"
url = "https://tester.example"
webhook_secret = "env:HOOK_SECRET"
"""


@pytest.fixture(scope="module", params=ENGINES)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The messages went into files; feedback comes from a provider of its own."""
    root = served_shop(tmp_path_factory.mktemp("shop"), request.param)
    (root / "providers" / "tester").mkdir(parents=True)
    (root / "providers" / "tester" / "provider.toml").write_text(PROVIDER)
    config = (root / "journey.toml").read_text()
    plain = 'channels = { email = "file", sms = "file" }\n'
    assert plain in config
    (root / "journey.toml").write_text(config.replace(plain, "") + CHANNELS)
    return root


@pytest.fixture
def server(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setitem(ENVIRON, "HOOK_SECRET", SECRET)
    with served(root) as one:
        yield one


@pytest.fixture(scope="module")
def names(root: Path) -> Iterator[tuple[int, str]]:
    return iter(messages(root).items())


def tell(server: Served, *events: dict[str, Any], channel: str = "email", **headers: str) -> int:
    raw = json.dumps({"events": list(events)}).encode()
    return send(server, raw, channel, **headers).status_code


def send(server: Served, raw: bytes, channel: str = "email", **headers: str) -> httpx.Response:
    at = headers.pop("at", str(int(time.time())))
    signed = f"m1.{at}.".encode() + raw
    digest = hmac.new(b"of the provider", signed, hashlib.sha256).digest()
    given = {
        "webhook-id": "m1",
        "webhook-timestamp": at,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
    return server.client.post(f"/hooks/{channel}", content=raw, headers=given | headers)


def said(root: Path, customer: int) -> list[tuple[Any, ...]]:
    return sql(
        root,
        "SELECT name, data FROM journey.message_event"
        f' WHERE customer_id = {customer} ORDER BY "at", name',
    )


def state(root: Path, name: str) -> str:
    [(found,)] = sql(root, f"SELECT state FROM journey.messages WHERE message = '{name}'")
    return str(found)


def suppressed(root: Path, customer: int) -> set[tuple[str, str]]:
    rows = sql(
        root,
        f"SELECT channel, reason FROM journey.suppression WHERE customer_id = {customer}",
    )
    return {(channel, reason) for channel, reason in rows}


def test_feedback_in_any_order_is_one_state(
    server: Served, names: Iterator[tuple[int, str]]
) -> None:
    chosen = random.Random(4)
    orders = list(itertools.permutations(["sent", "delivered", "opened"]))
    for order in chosen.sample(orders, 3):
        customer, name = next(names)
        for n, kind in enumerate(order):
            event = {"type": kind, "id": f"{name}{kind}", "message": name, "at": 1772445600 + n}
            assert tell(server, event, event) == 200
            assert tell(server, event) == 200
        server.settled()
        assert state(server.root, name) == "delivered"
        kinds = sorted(row[0] for row in said(server.root, customer))
        assert kinds == ["accepted", "delivered", "opened"]


def test_bounces_and_complaints_suppress(server: Served, names: Iterator[tuple[int, str]]) -> None:
    first, bounced = next(names)
    second, complained = next(names)
    third, left = next(names)
    tell(
        server,
        {"type": "bounced", "id": "b1", "message": bounced, "at": 1772445600},
        {"type": "complained", "id": "c1", "message": complained, "at": 1772445600},
        {"type": "unsubscribed", "id": "u1", "message": left, "at": 1772445600},
    )
    server.settled()
    assert state(server.root, bounced) == "bounced"
    assert suppressed(server.root, first) == {("email", "hard_bounce")}
    assert suppressed(server.root, second) == {("email", "complaint")}
    assert suppressed(server.root, third) == {("email", "unsubscribe")}


def test_seven_soft_bounces_over_seven_days_are_a_hard_one(
    server: Served, names: Iterator[tuple[int, str]]
) -> None:
    customer, name = next(names)
    began = datetime.now(UTC) - timedelta(days=20)

    def soft(day: int) -> dict[str, Any]:
        at = (began + timedelta(days=day)).isoformat()
        return {"type": "soft", "id": f"{name} {day}", "message": name, "at": at}

    delivered = {"type": "delivered", "id": f"d{name}", "message": name}
    at = (began + timedelta(days=2, hours=1)).isoformat()
    tell(server, *(soft(day) for day in range(3)), delivered | {"at": at})
    tell(server, *(soft(day) for day in range(3, 9)))
    server.settled()
    assert suppressed(server.root, customer) == set()
    tell(server, soft(9))
    server.settled()
    assert suppressed(server.root, customer) == set()
    tell(server, soft(10))
    server.settled()
    assert suppressed(server.root, customer) == {("email", "soft_bounce")}


def test_what_is_known_by_the_providers_name_may_come_early(
    server: Served, names: Iterator[tuple[int, str]]
) -> None:
    customer, name = next(names)
    now = datetime.now(UTC).isoformat()
    tell(server, {"type": "opened", "id": "early", "name": "their-name", "at": now})
    server.settled()
    assert said(server.root, customer) == []
    sql(
        server.root,
        "INSERT INTO journey.receipt (customer_id, message_id, attempt, state,"
        ' "at", provider, provider_id, given_back)'
        " SELECT customer_id, message_id, 1, 'accepted', decided_at, 'tester', 'their-name', FALSE"
        f" FROM journey.messages WHERE message = '{name}' RETURNING attempt",
    )
    server.serving.keeper._unclaimed_at = 0
    tell(server, {"type": "nothing", "id": "x", "at": now})
    tell(server, {"type": "delivered", "id": f"z{name}", "message": name, "at": now})
    server.settled()
    assert [row[0] for row in said(server.root, customer)] == ["delivered", "opened"]


def test_forged_and_replayed_webhooks_are_refused(
    server: Served, names: Iterator[tuple[int, str]]
) -> None:
    customer, name = next(names)
    event = {"type": "bounced", "id": "f1", "message": name, "at": 1772445600}
    assert tell(server, event, **{"webhook-signature": "v1,AAAA"}) == 401
    assert tell(server, event, **{"webhook-id": "m2"}) == 401
    assert tell(server, event, at=str(int(time.time()) - 3600)) == 401
    assert server.client.post("/hooks/email", json={"events": [event]}).status_code == 401
    assert server.count("refused", "signature") == 4
    assert send(server, b"{").status_code == 400
    assert send(server, b"[]" * 3_000_000).status_code == 413
    assert tell(server, event, channel="push") == 404
    server.settled()
    assert said(server.root, customer) == []


def test_who_writes_stop_gets_no_more(server: Served) -> None:
    customer, _ = next(iter(messages(server.root, "sms").items()))
    number = f"+4915100{customer}"
    now = datetime.now(UTC).isoformat()
    reply = {"type": "replied", "address": number, "at": now}
    tell(server, reply | {"id": "r1", "detail": "Thanks, see you"}, channel="sms")
    server.settled()
    assert suppressed(server.root, customer) == set()
    [(name, data)] = said(server.root, customer)
    assert (name, json.loads(data)) == (
        "replied",
        {"text": "Thanks, see you", "keyword": "THANKS"},
    )
    bare = number.removeprefix("+")
    tell(server, reply | {"id": "r2", "detail": "stop!", "address": bare}, channel="sms")
    server.settled()
    assert suppressed(server.root, customer) == {("sms", "unsubscribe")}
    tell(server, reply | {"id": "r3", "detail": "START"}, channel="sms")
    tell(server, reply | {"id": "r4", "address": "+1", "detail": "STOP"}, channel="sms")
    server.settled()
    assert suppressed(server.root, customer) == set()
    assert server.count("lost", "unknown_sender") == 1
