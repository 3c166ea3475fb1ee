"""What stands against a message: budgets, suppressions, codes and channels with a `when`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from journeylang.api import Runtime, open_database
from journeylang.cli.main import cli
from tests.engines.databases import ENGINES
from tests.runtime.world import (
    BINDING,
    CONFIG,
    HOUR,
    NOW,
    SCHEMAS,
    TABLES,
    TEMPLATES,
    loaded,
    write,
)
from tests.why.people import VARIABLE, place

OFFER = """journey offer {
  owner "crm@shop.example"
  enter on signed_up per source
  budget 0.0008 EUR
  hello: send email "welcome/hello" with { source: "x" } else skip
  rest: wait 9d
}
"""
GIFT = """journey gift {
  owner "crm@shop.example"
  enter on signed_up
  only customers where customer.points > 5
  gap: wait 1h
  gift: send email "loyal/reward" with { code: promo(pool) } else skip
  text: send first of { sms "welcome/loud" when customer.points > 50 } else skip
  later: wait 30d
}
"""
POOL = """
promo pool from shop.codes as k { code k.code }
policy standard { cap email 9 per 7d cap sms 9 per 7d quiet email, sms 02:00 to 03:00 }
"""


@pytest.fixture(scope="module", params=ENGINES)
def root(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("shop")
    binding = BINDING[: BINDING.index("policy standard")].replace(
        "consent: email_ok }", "consent: email_ok, cost: 0.0004 EUR }"
    )
    with pytest.MonkeyPatch.context() as patch, place(request.param) as address:
        patch.setenv(VARIABLE, address)
        patch.chdir(root)
        config = CONFIG.replace("shop.duckdb", f"env:{VARIABLE}")
        journeys = {"offer": OFFER, "gift": GIFT}
        write(root, journeys, binding=binding + POOL, templates=TEMPLATES, config=config)
        opened = open_database(loaded(root), "dev", create=True)
        assert opened.value is not None
        engine = opened.value
        for statement in f"{SCHEMAS};{TABLES};CREATE TABLE shop.codes (code VARCHAR)".split(";"):
            engine.execute(statement)
        old = datetime.fromisoformat("2026-01-01")
        rows: dict[str, list[tuple[object, ...]]] = {
            "crm.customers": [
                (n, "Europe/Berlin", f"p{n}@shop.example", None, 3 if n == 5 else 9)
                for n in range(1, 6)
            ],
            "crm.consents": [(n, old, "in") for n in range(1, 6)],
            "shop.signups": [(n, n, NOW + timedelta(minutes=n), "web") for n in range(1, 6)],
        }
        for table, there in rows.items():
            columns = engine.columns(table.split("."))
            assert columns is not None
            engine.insert(table, columns, there)
        engine.close()
        outcome = Runtime.open(loaded(root), "dev", now=NOW, wait=0)
        assert outcome.value is not None, outcome.diagnostics
        with outcome.value as runtime:
            runtime.engine.execute(
                "INSERT INTO journey.suppression VALUES"
                f" (4, 'email', NULL, TIMESTAMP '{NOW}', 'hard_bounce')"
            )
            for hours in (1, 2, 3):
                runtime.tick(NOW + hours * HOUR)
        yield root


def unsent(customer: int, journey: str) -> list[dict[str, Any]]:
    """The lines of what was not sent."""
    result = CliRunner().invoke(cli, ["why", str(customer), journey, "--output", "json"])
    assert result.exit_code == 0, result.output
    (story,) = json.loads(result.output)["stories"]
    (run,) = story["runs"]
    return [line for line in run["lines"] if line["kind"] == "not_sent"]


def test_a_budget(root: Path) -> None:
    assert unsent(2, "offer") == []
    (line,) = unsent(3, "offer")
    assert (line["reason"], line["needs"]) == ("budget", [])
    (rule,) = line["rules"]
    assert rule["text"] == "journey offer 0.0008 EUR: 0.0008 used, 0.0004 needed"


def test_a_suppression(root: Path) -> None:
    (line,) = unsent(4, "offer")
    assert line["reason"] == "suppressed"
    told = "suppressed by hard_bounce since 2026-03-02 11:00; nothing lifts that by itself"
    assert [r["text"] for r in line["rules"]][:1] == [told]


def test_no_code_and_no_channel(root: Path) -> None:
    gift, text = unsent(1, "gift")
    assert gift["reason"] == "no_code"
    assert [(r["reason"], r["text"]) for r in gift["rules"]] == [
        ("no_code", "no code was left for it")
    ]
    assert text["reason"] == "no_channel"
    assert text["needs"] == ["42 more in customer.points"]


def test_who_is_not_let_in(root: Path) -> None:
    result = CliRunner().invoke(cli, ["why", "5", "gift"])
    assert "not let in by the signed_up of 2026-03-02 11:05: audience" in result.output
    assert "what would change it: 3 more in customer.points" in result.output
