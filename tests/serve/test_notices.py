"""What people choose goes out to the CRM as calls, until it is taken, and stands in the view."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from journeylang.serve import notices
from journeylang.serve.opening import opened
from tests.delivery.hookserver import Answer, HookServer, hook_server
from tests.engines.databases import ENGINES
from tests.runtime.world import loaded, sql
from tests.serve.place import ENVIRON, Served, eventually, messages, served, served_shop

SECRET = "whsec_" + base64.b64encode(b"of the CRM").decode()
ASKS = 'preferences = "crm"\n'


def told(server: HookServer) -> str:
    return f"""{ASKS}
[env.dev.invoke.crm]
provider = "webhook"
url = "{server.url}"
private = true
signing_secret = "env:CRM_SECRET"
"""


@contextmanager
def telling(root: Path, *answers: Answer) -> Iterator[tuple[HookServer, Served]]:
    """A server whose CRM answers so, one after the other."""
    with hook_server(*answers) as crm:
        config = (root / "journey.toml").read_text().partition(ASKS)[0]
        (root / "journey.toml").write_text(config + told(crm))
        with served(root) as server:
            teller = server.serving.teller
            assert teller is not None
            teller.every = 0.05
            teller.start()
            try:
                yield crm, server
            finally:
                teller.stop()


@pytest.fixture(autouse=True)
def crm_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRON, "CRM_SECRET", SECRET)


@pytest.mark.parametrize("engine", ENGINES)
def test_choices_are_told_until_they_are_taken(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "pause", lambda _: 0)
    root = served_shop(tmp_path, engine)
    customer, name = next((c, m) for c, m in messages(root).items() if c % 3)
    with telling(root, (503, {}), (0, {}), (204, {})) as (crm, server):
        page = server.path(server.links.preferences(name))
        wanted = {"shown": "1", "channel": ["sms"], "frequency": "weekly"}
        assert server.client.post(page, data=wanted).status_code == 200
        eventually(lambda: bool(server.count("notices", "accepted")))
        assert len(crm.got) == 3
        assert len({one.headers["webhook-id"] for one in crm.got}) == 1
        [first] = {one.body for one in crm.got}
        document = json.loads(first)
        assert (document["service"], document["action"]) == ("crm", "preferences")
        assert document["customer"] == str(customer)
        assert document["data"] == {
            "channels": {"email": False, "sms": True},
            "consents": {"email_ok": False, "sms_ok": True},
            "frequency": "weekly",
            "source": "preferences",
        }
        got = crm.got[-1]
        signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode()
        digest = hmac.digest(b"of the CRM", signed + got.body, hashlib.sha256)
        assert got.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert sql(root, "SELECT state FROM journey.notice") == [("accepted",)]
    shown = sql(root, f"SELECT name, value FROM journey.preferences WHERE customer_id = {customer}")
    assert dict(shown) == {"consent email_ok": "no", "consent sms_ok": "yes", "frequency": "weekly"}


def test_the_newest_choice_is_told_last(tmp_path: Path) -> None:
    """The CRM is away; a server that ends leaves what it has not told to the next one."""
    root = served_shop(tmp_path)
    name = next(iter(messages(root).values()))
    with telling(root, (503, {})) as (crm, server):
        page = server.path(server.links.preferences(name))
        for frequency in ("weekly", "monthly"):
            server.client.post(page, data={"shown": "1", "frequency": frequency})
            server.settled()
        server.client.post(server.path(server.links.unsubscribe(name)))
        server.settled()
        eventually(lambda: bool(server.count("notices", "open")))
    assert {json.loads(one.body)["data"]["frequency"] for one in crm.got} == {"weekly"}
    sql(root, "UPDATE journey.notice SET not_before = TIMESTAMP '2026-01-01' RETURNING attempt")
    with telling(root, (204, {})) as (crm, server):
        eventually(lambda: server.count("notices", "accepted") == 3)
    told_now = [json.loads(one.body)["data"] for one in crm.got]
    assert [one.get("frequency") for one in told_now] == ["weekly", "monthly", None]
    assert told_now[-1]["source"] == "unsubscribed"


def test_what_the_crm_refuses_is_kept_as_failed(tmp_path: Path) -> None:
    root = served_shop(tmp_path)
    name = next(iter(messages(root).values()))
    with telling(root, (422, {})) as (crm, server):
        server.client.post(server.path(server.links.unsubscribe(name)))
        eventually(lambda: bool(server.count("notices", "failed")))
        assert len(crm.got) == 1
    [(state, detail)] = sql(root, "SELECT state, detail FROM journey.notice")
    assert state == "failed"
    assert detail.startswith("rejected")


def test_nobody_takes_it_for_a_week(tmp_path: Path) -> None:
    root = served_shop(tmp_path)
    name = next(iter(messages(root).values()))
    with telling(root, (503, {})) as (_, server):
        server.client.post(server.path(server.links.unsubscribe(name)))
        eventually(lambda: bool(server.count("notices", "open")))
    old = "\"at\" - INTERVAL '8' DAY"
    sql(root, f'UPDATE journey.notice SET "at" = {old}, not_before = {old} RETURNING attempt')
    with telling(root, (503, {})) as (_, server):
        eventually(lambda: bool(server.count("notices", "failed")))
    assert timedelta(days=8) > notices.PATIENCE


def test_an_unknown_service_is_told(tmp_path: Path) -> None:
    root = served_shop(
        tmp_path, number=3, more='preferences = "cmr"\n[env.dev.invoke]\ncrm = "file"\n'
    )
    found = opened(loaded(root), "dev", environ=ENVIRON)
    assert found.value is None
    assert [(d.message, d.help) for d in found.diagnostics] == [
        ("unknown service `cmr`", "did you mean `crm`?")
    ]
