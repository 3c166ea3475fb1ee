"""The one statement that lets a message out: under a live lease, into a free slot, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from journeylang.delivery.statements import Statements
from tests.agreement import both as side_by_side
from tests.agreement.both import Both, both
from tests.agreement.small import HOUR, MINUTE, START, happens, people, program
from tests.engines.databases import ENGINES

NOW = START + 2 * HOUR
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Two messages of one batch, as a tick has left them."""

    pair: Both
    sql: Statements
    ids: list[int]
    batch: int

    def claim(self, until: datetime, now: datetime = NOW) -> int:
        """The batch is held until then; the token of the claim."""
        engine = self.pair.engine
        [(token,)] = engine.query(f"SELECT token FROM journey.batch WHERE batch_id = {self.batch}")
        [(_, new)] = self.claimed(int(token), until, now)
        return int(new)

    def claimed(self, token: int, until: datetime, now: datetime) -> list[tuple[Any, ...]]:
        """What comes of a claim by whoever has seen this token."""
        given = {"now": now, "lease_until": until, "holder": "a"}
        return self.pair.engine.query(
            self.sql.claim, given | {"batches": [self.batch], "tokens": [token]}
        )

    def out(self, token: int, attempt: int = 1, now: datetime = NOW) -> list[int]:
        """Who goes out; all of them in this attempt."""
        count = len(self.ids)
        rows = self.pair.engine.query(
            self.sql.slots("email"),
            {
                "now": now,
                "ids": self.ids,
                "names": [f"m{number}" for number in self.ids],
                "attempts": [attempt] * count,
                "hashes": [""] * count,
                "doubts": [0] * count,
                "provider": "test",
                "batches": [self.batch],
                "tokens": [token],
            },
        )
        return sorted(message for message, state, _ in rows if state == "submitting")


@pytest.fixture(params=ENGINES)
def scene(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(side_by_side, "engine_under_test", request.param)
    with both(program('m: send email "t"\nw: wait 9d'), START) as pair:
        people(pair, 1, 2)
        for customer in (1, 2):
            happens(pair, "signed_up", START + MINUTE, customer)
        pair.tick(START + HOUR)
        rows = pair.engine.query("SELECT message_id, batch_id FROM journey.message ORDER BY 1")
        assert len(rows) == 2
        sql = Statements(
            project=pair.project,
            program=pair.session.ready.program,
            dialect=pair.engine.dialect,
            exclusive=request.param == "duckdb",
        )
        yield Scene(pair=pair, sql=sql, ids=[row[0] for row in rows], batch=rows[0][1])


def test_the_lease_ends_at_its_instant(scene: Scene) -> None:
    late = scene.claim(NOW)
    assert scene.out(late) == []
    live = scene.claim(NOW + INSTANT)
    assert scene.out(live) == scene.ids


def test_another_claim_takes_it_away(scene: Scene) -> None:
    first = scene.claim(NOW + HOUR)
    second = scene.claim(NOW + 2 * HOUR, now=NOW + HOUR)
    assert scene.out(first) == []
    assert scene.out(second) == scene.ids


def test_a_slot_is_taken_once(scene: Scene) -> None:
    token = scene.claim(NOW + HOUR)
    assert scene.out(token) == scene.ids
    assert scene.out(token) == []
    assert scene.out(token, attempt=2) == scene.ids


@pytest.mark.parametrize("state", ["accepted", "cancelled", "failed", "expired", "bounced"])
def test_what_has_ended_has_no_slot(scene: Scene, state: str) -> None:
    token = scene.claim(NOW + HOUR)
    first, second = scene.ids
    scene.pair.engine.execute(
        'INSERT INTO journey.receipt (customer_id, message_id, attempt, state, "at", given_back)'
        f" SELECT customer_id, message_id, 1, '{state}', decided_at, FALSE FROM journey.message"
        f" WHERE message_id = {first}"
    )
    assert scene.out(token, attempt=2) == [second]


def test_a_lease_that_is_held_is_nobody_elses(scene: Scene) -> None:
    scene.claim(NOW + HOUR)
    free = scene.pair.engine.query
    mine = {"now": NOW, "holder": "a"}
    assert free(scene.sql.free, mine) == []
    assert len(free(scene.sql.free, mine | {"now": NOW + HOUR})) == 1


def test_a_lease_that_was_renewed_meanwhile_is_not_claimed(scene: Scene) -> None:
    """Between the look for free batches and the claim: to renew leaves the token as it is."""
    token = scene.claim(NOW)
    [(batch, seen, _)] = scene.pair.engine.query(scene.sql.free, {"now": NOW, "holder": "a"})
    assert (batch, seen) == (scene.batch, token)
    held = {"batches": [batch], "tokens": [token], "lease_until": NOW + HOUR}
    scene.pair.engine.execute(scene.sql.renew, held)
    assert scene.claimed(token, NOW + 2 * HOUR, NOW) == []
    assert scene.out(token) == scene.ids
    assert len(scene.claimed(token, NOW + 2 * HOUR, NOW + HOUR)) == 1
