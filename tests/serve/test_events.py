"""`POST /events`: what sites and forms post becomes rows of the bound tables, once."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engines.databases import ENGINES
from tests.runtime.world import sql
from tests.serve.place import TOKEN, Served, messages, served, served_shop


@pytest.fixture(scope="module", params=ENGINES)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return served_shop(tmp_path_factory.mktemp("shop"), request.param)


@pytest.fixture
def server(root: Path) -> Iterator[Served]:
    with served(root) as one:
        yield one


def order(key: int, **others: Any) -> dict[str, Any]:
    return {"event": "ordered", "key": key, "customer": 3, "data": {"total": 12.5}} | others


def orders(root: Path, first: int) -> list[tuple[Any, ...]]:
    return sql(
        root, f"SELECT id, customer_id, total FROM shop.orders WHERE id >= {first} ORDER BY id"
    )


def test_an_event_is_a_row(server: Served) -> None:
    answer = server.post(order(1000, at="2026-03-03T12:00:00+01:00"))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "refused": []})
    server.settled()
    rows = sql(server.root, 'SELECT customer_id, "at", total FROM shop.orders WHERE id = 1000')
    assert rows == [(3, datetime.fromisoformat("2026-03-03T11:00"), rows[0][2])]
    assert rows[0][2] * 2 == 25


def test_the_same_key_is_the_same_event(server: Served) -> None:
    batch = [order(2000), order(2001), order(2000, customer=4)]
    for _ in range(2):
        assert server.post({"events": batch}).status_code == 202
    server.settled()
    assert server.post(batch).status_code == 202
    server.settled()
    assert [row[:2] for row in orders(server.root, 2000)] == [(2000, 3), (2001, 3)]


def test_what_was_said_about_a_message(server: Served) -> None:
    customer, name = next(iter(messages(server.root).items()))
    told = {"event": "called", "key": "k1", "message": name, "data": {"outcome": "reached"}}
    assert server.post([told, told]).json() == {"accepted": 2, "refused": []}
    server.settled()
    rows = sql(
        server.root,
        "SELECT name, data FROM journey.message_event"
        f" WHERE customer_id = {customer} AND event_id = 'k1'",
    )
    assert [(row[0], json.loads(row[1])) for row in rows] == [("called", {"outcome": "reached"})]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"event": "order"}, "there are `ordered`"),
        ({"key": None}, "`key` is no text"),
        ({"key": "o-1"}, "whole number"),
        ({"key": "1" * 300}, "longer"),
        ({"customer": ""}, "`customer` is no text"),
        ({"customer": True}, "`customer` is no text"),
        ({"at": "yesterday"}, "no instant"),
        ({"at": "2100-01-01T00:00:00Z"}, "future"),
        ({"at": "1869-01-01T00:00:00Z"}, "before 1970"),
        ({"at": 5}, "no instant"),
        ({"more": 1}, "not known"),
        ({"data": []}, "no object"),
        ({"data": {"sum": 1}}, "there are `total`"),
        ({"data": {"total": "much"}}, "no number"),
        ({"data": {"total": 1e30}}, "larger"),
        ({"data": {"total": {"amount": 1, "currency": "USD"}}}, "not in EUR"),
        ({"event": "called", "message": "x"}, "not known"),
    ],
)
def test_what_is_no_event_is_refused(server: Served, changed: dict[str, Any], words: str) -> None:
    answer = server.post([order(3000) | changed, order(3001)])
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1
    (refused,) = answer.json()["refused"]
    assert refused["index"] == 0
    assert words in refused["error"]
    assert server.post(order(3002) | changed).status_code == 422
    assert server.count("refused", "unfit") == 2


def test_what_is_no_object_is_refused_by_itself(server: Served) -> None:
    answer = server.post([order(3100), 7, None, order(3101)])
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    assert [one["index"] for one in answer.json()["refused"]] == [1, 2]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"NaN", b"[]", b"[1]", b"7"])
def test_what_is_no_list_of_events_is_refused(server: Served, body: bytes) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert server.client.post("/events", content=body, headers=headers).status_code in (400, 422)
    assert server.post(order(4000)).status_code == 202


def test_without_the_token_nothing_is_taken_in(server: Served) -> None:
    for given in ("", "Bearer", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"):
        answer = server.client.post("/events", json=order(5000), headers={"authorization": given})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    server.settled()
    assert server.count("refused", "token") == 5
    assert not [row for row in orders(server.root, 5000) if row[0] == 5000]


def test_bodies_are_small_unpacked_too(server: Served) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "content-encoding": "gzip"}

    def status(raw: bytes, **more: str) -> int:
        return server.client.post("/events", content=raw, headers=headers | more).status_code

    fine = json.dumps(order(6000)).encode()
    assert status(gzip.compress(fine)) == 202
    assert status(zlib.compress(fine), **{"content-encoding": "deflate"}) == 202
    assert status(b"[" + b" " * 2**20 + b"]", **{"content-encoding": ""}) == 413
    assert status(gzip.compress(b" " * 2**28)) == 413
    assert status(gzip.compress(fine)[:-10]) == 415
    assert status(fine) == 415
    assert status(fine, **{"content-encoding": "br"}) == 415
    assert server.post([order(6001)] * 1001).status_code == 422


def test_a_row_that_its_table_refuses_is_set_aside(root: Path) -> None:
    sql(root, "CREATE TABLE shop.strict (id BIGINT NOT NULL, customer_id BIGINT, CHECK (id < 100))")
    binding = root / "journeys" / "binding.journey"
    binding.write_text(
        binding.read_text()
        + "\nevent strict from shop.strict as s { key s.id customer s.customer_id at s.at }\n"
    )
    sql(root, 'ALTER TABLE shop.strict ADD COLUMN "at" TIMESTAMP')
    config = (root / "journey.toml").read_text()
    (root / "journey.toml").write_text(config.replace('"ordered"]', '"ordered", "strict"]'))
    with served(root) as server:
        given = [{"event": "strict", "key": n, "customer": 1} for n in (1, 2, 300, 4, 500, 6)]
        assert server.post(given).json()["accepted"] == 6
        assert server.post(order(7000)).status_code == 202
        server.settled()
        assert server.count("lost", "refused_by_database") == 2
        aside = (server.serving.spool.folder / "refused.log").read_text().splitlines()
        assert len(aside) == 2
    kept = [row[0] for row in sql(root, "SELECT id FROM shop.strict ORDER BY id")]
    assert kept == [1, 2, 4, 6]
    assert (7000, 3) in [row[:2] for row in orders(root, 7000)]


def test_what_can_be_asked(server: Served) -> None:
    health = server.client.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "ok")
    described = server.client.get("/openapi.json").json()
    assert described["components"]["schemas"]["ordered"]["required"] == ["event", "key", "customer"]
    server.post(order(8000))
    figures = server.client.get("/metrics").text
    assert 'journey_taken_in_total{kind="event"} 1\n' in figures
    assert 'journey_requests_total{route="/events",status="202"} 1\n' in figures
    assert "journey_request_seconds_count" in figures
    assert server.client.get("/elsewhere").status_code == 404
    assert server.client.get("/events").status_code == 405


def test_an_event_without_an_instant_is_now(server: Served) -> None:
    server.post(order(9000))
    server.settled()
    [[at]] = sql(server.root, 'SELECT "at" FROM shop.orders WHERE id = 9000')
    assert abs(at - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=1)
