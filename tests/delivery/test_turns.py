"""The rate of a channel is that of all who deliver from one PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from journeylang.delivery.channels import Channel, open_channels
from journeylang.delivery.turns import AHEAD, SPAN, at_once, turn
from tests.engines.databases import open_engine


def channel(root: Path, rate: str | None) -> Channel:
    given: dict[str, object] = {"provider": "smtp", "host": "127.0.0.1", "from": "a@b.example"}
    if rate is not None:
        given["rate"] = rate
    outcome = open_channels({"email": given}, root=root, environment={})
    assert outcome.value is not None
    return outcome.value["email"]


def test_who_comes_later_begins_behind(tmp_path: Path) -> None:
    one = open_engine("postgres")
    one.execute("CREATE SCHEMA journey")
    one.execute("CREATE TABLE journey.meta (name VARCHAR PRIMARY KEY, value VARCHAR NOT NULL)")
    other = one.beside()
    email = channel(tmp_path, "10/s")
    assert turn(one, email, 50) == pytest.approx(0, abs=0.5)
    assert turn(other, email, 100) == pytest.approx(5, abs=2)
    assert turn(one, email, 200) == pytest.approx(15, abs=4)
    # Whoever would have to wait for longer takes nothing, and comes again.
    assert turn(other, email, 10) is None
    assert turn(other, email, 10) is None
    (kept,) = one.query(
        "SELECT value::DOUBLE PRECISION - extract(epoch FROM clock_timestamp()) FROM journey.meta"
    )
    assert float(kept[0]) < AHEAD + 6
    other.close()
    one.close()


def test_without_a_rate_and_where_one_process_delivers(tmp_path: Path) -> None:
    engine = open_engine("duckdb")
    assert turn(engine, channel(tmp_path, "10/s"), 1000) == 0
    assert turn(engine, channel(tmp_path, None), 1000) == 0
    engine.close()


def test_a_turn_is_short(tmp_path: Path) -> None:
    assert at_once(channel(tmp_path, "10/s")) == 10 * SPAN
    assert at_once(channel(tmp_path, "3/m")) == 1
    assert at_once(channel(tmp_path, None)) is None
