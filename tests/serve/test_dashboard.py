"""The dashboard: who may see it, what it shows, what it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from journeylang.diagnostics.codes.running import BAD_CONFIG, SECRET_MISSING
from journeylang.serve.dashboard import COOKIE, ROOT, WRONG
from journeylang.serve.opening import opened
from tests.engines.databases import ENGINES
from tests.runtime.world import loaded
from tests.serve import place
from tests.serve.place import Served, served, served_shop

TOKEN = "of-those-who-look-after-it"
PLAIN = place.ENVIRON
ENVIRON = PLAIN | {"DASHBOARD_TOKEN": TOKEN}
MORE = 'dashboard = "env:DASHBOARD_TOKEN"\n'


@pytest.fixture(scope="module", params=ENGINES)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(place, "ENVIRON", ENVIRON)
    root = served_shop(tmp_path_factory.mktemp("shop"), request.param, more=MORE)
    with served(root) as one:
        yield one
    monkeypatch.undo()


@pytest.fixture
def client(shop: Served) -> Iterator[httpx.Client]:
    """Signed in."""
    with httpx.Client(base_url=shop.client.base_url, timeout=30) as made:
        answer = made.post(f"{ROOT}/in", data={"token": TOKEN})
        assert (answer.status_code, answer.headers["location"]) == (303, ROOT)
        # The site is served by TLS in front of it; here it is not.
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert "secure" in cookie.lower()
        made.headers["cookie"] = cookie.partition(";")[0]
        yield made


def sign(text: str) -> str:
    found = re.search(r'name="sign" value="(\w+)"', text)
    assert found is not None
    return found[1]


def test_nobody_sees_it_without_the_token(shop: Served) -> None:
    for path in ("", "/live", "/journeys/welcome", "/why?customer=1"):
        answer = shop.client.get(f"{ROOT}{path}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{ROOT}/in")
    assert shop.client.get(ROOT, headers={"hx-request": "true"}).status_code == 401
    assert shop.client.post(f"{ROOT}/journeys/welcome/pause").status_code == 401
    for cookie in ("", "x", "99999999999.", "99999999999.00", "0.0"):
        answer = shop.client.get(ROOT, headers={"cookie": f"{COOKIE}={cookie}"})
        assert answer.status_code == 303
    assert shop.client.get(ROOT, headers={"authorization": "Bearer no"}).status_code == 303
    assert shop.client.get(ROOT, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_cookie_ends(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get(ROOT).status_code == 200
    monkeypatch.setattr("journeylang.serve.dashboard.time.time", lambda: 4e9)
    assert client.get(ROOT).status_code == 303


def test_what_it_shows(shop: Served, client: httpx.Client) -> None:
    text = client.get(ROOT).text
    for name in shop.serving.project.journeys:
        assert f'href="{ROOT}/journeys/{name}"' in text
    assert "accepted" in text
    alone = client.get(f"{ROOT}/live").text
    assert "<html" not in alone
    assert "the last tick" in alone


def test_a_journey_and_its_report(shop: Served, client: httpx.Client) -> None:
    name = next(iter(shop.serving.project.journeys))
    text = client.get(f"{ROOT}/journeys/{name}").text
    assert "<svg" in text
    assert re.search(r"\d now", text)
    assert "<svg" in client.get(f"{ROOT}/journeys/{name}/drawing").text
    report = client.get(f"{ROOT}/journeys/{name}/report")
    assert report.status_code == 200
    assert "Report: " in report.text
    assert client.get(f"{ROOT}/journeys/nothing").status_code == 404


def test_why(client: httpx.Client) -> None:
    assert "customer 3" in client.get(f"{ROOT}/why", params={"customer": "3"}).text
    missing = client.get(f"{ROOT}/why", params={"customer": "<b>nobody"})
    assert missing.status_code == 404
    assert "<b>" not in missing.text


def test_pause_and_resume(shop: Served, client: httpx.Client) -> None:
    name = next(iter(shop.serving.project.journeys))
    signed = sign(client.get(ROOT).text)
    for form in ({}, {"sign": "x"}, {"sign": signed[::-1]}):
        refused = client.post(f"{ROOT}/journeys/{name}/pause", data=form)
        assert refused.status_code == 404
    assert "paused by" not in client.get(ROOT).text
    done = client.post(
        f"{ROOT}/journeys/{name}/pause", data={"sign": signed, "why": "<i>a look</i>"}
    )
    assert done.status_code == 303
    text = client.get(ROOT).text
    assert "paused by person" in text
    assert "&lt;i&gt;a look" in text
    assert client.post(f"{ROOT}/journeys/{name}/resume", data={"sign": signed}).status_code == 303
    assert "paused by" not in client.get(ROOT).text
    channel = next(iter(shop.serving.project.binding.channels))
    assert client.post(f"{ROOT}/channels/{channel}/pause", data={"sign": signed}).status_code == 303
    assert '<span class="bad">paused</span>' in client.get(ROOT).text
    client.post(f"{ROOT}/channels/{channel}/resume", data={"sign": signed})
    assert '<span class="bad">paused</span>' not in client.get(ROOT).text
    for path in ("journeys/nothing/pause", "channels/nothing/resume", f"journeys/{name}/explode"):
        assert client.post(f"{ROOT}/{path}", data={"sign": signed}).status_code == 404


def test_programs_send_a_bearer(shop: Served) -> None:
    name = next(iter(shop.serving.project.journeys))
    headers = {"authorization": f"Bearer {TOKEN}"}
    for word in ("pause", "resume"):
        done = shop.client.post(f"{ROOT}/journeys/{name}/{word}", headers=headers)
        assert done.status_code == 303


def test_leaving(client: httpx.Client) -> None:
    left = client.post(f"{ROOT}/out", data={"sign": sign(client.get(ROOT).text)})
    assert left.status_code == 303
    assert f'{COOKIE}=""' in left.headers["set-cookie"]


def test_guessing_ends(shop: Served) -> None:
    for _ in range(WRONG):
        assert shop.client.post(f"{ROOT}/in", data={"token": "x"}).status_code == 403
    late = shop.client.post(f"{ROOT}/in", data={"token": TOKEN})
    assert late.status_code == 429
    assert shop.serving.dashboard is not None
    shop.serving.dashboard._wrong.clear()


def test_without_a_token_there_is_none(tmp_path: Path) -> None:
    with served(served_shop(tmp_path)) as one:
        assert one.client.get(ROOT).status_code == 404
        assert one.client.get(f"{ROOT}/in").status_code == 404


def test_the_token_is_named_and_long(tmp_path: Path) -> None:
    root = served_shop(tmp_path, more=MORE)
    for environ, code in (
        (PLAIN, SECRET_MISSING),
        (PLAIN | {"DASHBOARD_TOKEN": "short"}, BAD_CONFIG),
    ):
        found = opened(loaded(root), "dev", environ=environ)
        assert found.value is None
        assert [one.code for one in found.diagnostics] == [code]
