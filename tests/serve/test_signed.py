"""What each built-in provider tells, signed as it signs, through a server that is asked by HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from journeylang.delivery import sns
from tests.runtime.world import BINDING, sql
from tests.serve.place import ENVIRON, Served, messages, served, served_shop
from tests.serve.signed import HOOKS, SECRET, Hook, Told, certificate, notification, slack_headers

CHANNELS = ("whatsapp", "viber", "telegram", "slack", "post")
BOUND = BINDING + "".join(
    f"channel {name} {{ address: customer.mobile, consent: sms_ok }}\n" for name in CHANNELS
)
PLAIN = 'channels = { email = "file", sms = "file" }\n'
BY_NAME = {hook.provider: hook for hook in HOOKS}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Iterator[tuple[int, str]]]:
    """Messages went into files; of each provider's customer, as if it had taken it."""
    root = served_shop(tmp_path_factory.mktemp("shop"), number=100)
    (root / "journeys" / "binding.journey").write_text(BOUND)
    config = (root / "journey.toml").read_text()
    assert PLAIN in config
    # Who has a number, and got an e-mail.
    reached = iter((who, name) for who, name in messages(root).items() if who % 3)
    return root, config.replace(PLAIN, ""), reached


@contextmanager
def told(
    shop: tuple[Path, str, Iterator[tuple[int, str]]], hook: Hook
) -> Iterator[tuple[Served, int, Told]]:
    """A server whose channel is the hook's provider's, a customer, and the message they had."""
    root, config, reached = shop
    customer, name = next(reached)
    settings = "".join(f'{key} = "{value}"\n' for key, value in hook.settings.items())
    table = f'[env.dev.channels.{hook.channel}]\nprovider = "{hook.provider}"\n{settings}'
    (root / "journey.toml").write_text(f"{config}\n{table}")
    known = f"p-{hook.provider}-{customer}"
    number = f"(SELECT message_id FROM journey.messages WHERE message = '{name}')"
    sql(root, f"UPDATE journey.message SET channel = '{hook.channel}' WHERE message_id = {number}")
    sql(
        root,
        f"UPDATE journey.receipt SET provider_id = '{known}' WHERE message_id = {number}"
        " AND state = 'accepted'",
    )
    about = Told(
        id=f"event-{customer}",
        provider_id=known,
        message=name,
        address=f"+4915100{customer}",
    )
    with served(root) as server:
        yield server, customer, about


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon's certificate, which no test can have, is the tests' own."""
    monkeypatch.setitem(ENVIRON, "K", "a key")
    monkeypatch.setitem(ENVIRON, "HOOK_SECRET", SECRET)
    monkeypatch.setattr(sns, "_fetched", lambda _: certificate())
    sns._certificate.cache_clear()


def send(server: Served, hook: Hook, signed: tuple[bytes, dict[str, str]]) -> httpx.Response:
    raw, headers = signed
    return server.client.post(f"/hooks/{hook.channel}", content=raw, headers=headers)


def known_of(server: Served, customer: int) -> tuple[set[str], set[str]]:
    """What is known of a customer's messages, and why they get no more."""
    named = sql(
        server.root, f"SELECT name FROM journey.message_event WHERE customer_id = {customer}"
    )
    found = sql(
        server.root, f"SELECT reason FROM journey.suppression WHERE customer_id = {customer}"
    )
    return {name for (name,) in named}, {reason for (reason,) in found}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.provider)
def test_a_providers_webhook(
    shop: tuple[Path, str, Iterator[tuple[int, str]]],
    hook: Hook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ENVIRON, "HOOK_SECRET", hook.secret)
    now, refused = int(time.time()), 0
    with told(shop, hook) as (server, customer, about):
        bad = [hook.forged(about, now), (hook.make(about, now)[0], {})]
        if hook.provider in ("mailgun", "ses"):
            bad.pop()  # they sign in the body
        if hook.expires is not None:
            bad.append(hook.make(about, now - hook.expires - 60))
        good = hook.make(about, now)
        if hook.spoils is not None and hook.provider != "mailgun":
            bad.append((hook.spoils(good[0]), good[1]))
        for one in bad:
            answer = send(server, hook, one)
            refused += 1
            assert answer.status_code == 401, answer.text
        assert server.count("refused", "signature") == refused
        server.settled()
        assert known_of(server, customer) == (set(), set())

        assert send(server, hook, good).status_code == 200
        server.settled()
        names, reasons = known_of(server, customer)
        assert hook.name in names
        assert hook.reason in reasons
        # The same once more, as providers do and as somebody who has listened might.
        assert send(server, hook, good).status_code == 200
        server.settled()
        assert known_of(server, customer) == (names, reasons)
        assert server.count("lost", "repeated")
        if hook.provider == "mailgun":
            assert hook.spoils is not None
            assert send(server, hook, (hook.spoils(good[0]), good[1])).status_code == 401
    if hook.provider == "mailgun":
        # A token stays used up when the server starts again.
        with served(shop[0]) as server:
            assert hook.spoils is not None
            assert send(server, hook, (hook.spoils(good[0]), good[1])).status_code == 401
            assert send(server, hook, good).status_code == 200


def test_twilio_gets_no_text_that_it_would_send_on(
    shop: tuple[Path, str, Iterator[tuple[int, str]]],
) -> None:
    with told(shop, BY_NAME["twilio"]) as (server, _, about):
        answer = send(server, BY_NAME["twilio"], BY_NAME["twilio"].make(about, 0))
        assert (answer.text, answer.headers["content-type"][:8]) == ("<Response/>", "text/xml")


def test_meta_asks_whether_the_address_is_right(
    shop: tuple[Path, str, Iterator[tuple[int, str]]],
) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": SECRET}
    with told(shop, BY_NAME["whatsapp"]) as (server, _, _):
        answer = server.client.get("/hooks/whatsapp", params=asked)
        assert (answer.status_code, answer.text) == (200, "1158201444")
        wrong: list[dict[str, str]] = [
            {**asked, "hub.verify_token": "guessed"},
            {**asked, "hub.mode": "unsubscribe"},
            {**asked, "hub.challenge": "x" * 2_000},
            {**asked, "hub.challenge": "a\nb"},
            {},
        ]
        for one in wrong:
            assert server.client.get("/hooks/whatsapp", params=one).status_code == 403
        assert server.count("refused", "challenge") == len(wrong)
        assert server.client.get("/hooks/nothing").status_code == 404


def test_slack_asks_in_a_signed_body(shop: tuple[Path, str, Iterator[tuple[int, str]]]) -> None:
    raw, at = b'{"type":"url_verification","challenge":"3eZbrw1aBm2rZgRNFdxV"}', int(time.time())
    with told(shop, BY_NAME["slack"]) as (server, _, _):
        answer = send(server, BY_NAME["slack"], (raw, slack_headers(raw, at, SECRET)))
        assert (answer.status_code, answer.text) == (200, "3eZbrw1aBm2rZgRNFdxV")
        assert send(server, BY_NAME["slack"], (raw, {})).status_code == 401


def test_a_subscription_of_sns_is_confirmed_once_its_signature_is_right(
    shop: tuple[Path, str, Iterator[tuple[int, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    asked: list[str] = []

    def fetched(address: str) -> bytes:
        asked.append(address)
        return certificate()

    monkeypatch.setattr(sns, "_fetched", fetched)
    there = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
    elsewhere = "https://sns.eu-central-1.amazonaws.com.evil.example/?Action=ConfirmSubscription"
    with told(shop, BY_NAME["ses"]) as (server, _, _):
        for address, follows in ((elsewhere, False), (there, True)):
            body = notification(
                int(time.time()),
                "m1",
                Type="SubscriptionConfirmation",
                Message="Confirm",
                SubscribeURL=address,
                Token="1",
            )
            raw = json.dumps(body).encode()
            spoilt = raw.replace(b'"Token": "1"', b'"Token": "2"')
            assert send(server, BY_NAME["ses"], (spoilt, {})).status_code == 401
            assert address not in asked
            assert send(server, BY_NAME["ses"], (raw, {})).status_code == 200
            assert (address in asked) == follows
