"""A shop with a handful of people, each of whom something else happens to; on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from journeylang.api import Runtime, open_database
from journeylang.engines.base import Engine
from tests.engines.databases import tell_counts
from tests.engines.server import database
from tests.runtime.world import BINDING, CONFIG, SCHEMAS, TABLES, TEMPLATES, loaded, write

VARIABLE = "SHOP_DATABASE"

POLICY = """policy standard {
  cap email 2 per 7d
  cap any 1 per day
  quiet email, sms 22:00 to 07:00 then hold
  control 3% salt "nobody-2026"
}
"""
SEGMENTS = """metric spent "Spent in a year" = sum(ordered.total within 365d)

segment lapsed = count(ordered) >= 2 and last(ordered) older than 20d
segment buyer = spent >= 50 EUR or customer.points > 100
"""
WELCOME = """journey welcome {
  owner "crm@shop.example"
  enter on signed_up where source != "import"
  holdout 10% salt "welcome-2026"
  exit when exists(ordered where total > 500 EUR since entry) as rich
  goal ordered within 2d worth total
  guard entries <= 100 per 1d
  guard bounce_rate < 1% over 7d
  guard orders >= 1 over 30d

  style: experiment salt "welcome-style-2026" {
    arm plain 50% control {
      hello: send email "welcome/hello" with { source: entry.source }
    }
    arm bold 50% {
      loud: send first of { sms "welcome/loud" email "welcome/hello" } else skip
    }
  }
  settle: wait 1d
  think: wait for ordered where total > 5 EUR up to 2d {
    on ordered {
      if customer in segment buyer { thanks: send email "welcome/thanks" } else { exit as small }
    }
    timeout { exit as silent }
  }
}
"""
WINBACK = """journey winback {
  owner "crm@shop.example"
  priority 5
  enter when customer in segment lapsed every 1h
  reenter after 7d
  only customers where customer.points >= 5

  ask: send email "loyal/reward"
  back: wait until exists(ordered since entry) up to 3d {
    then { set stage = "back" }
    timeout { again: send email "welcome/hello" with { source: "winback" } else skip }
  }
}
"""
JOURNEYS = {"segments": SEGMENTS, "welcome": WELCOME, "winback": WINBACK}

PEOPLE = {
    1: "is in the global control group",
    2: "agreed to nothing",
    3: "signs up when it is quiet",
    4: "has ordered once, and is a near miss",
    5: "comes back",
    6: "may not, for want of points",
    7: "buys so much that the welcome ends",
    8: "is gone",
    9: "was imported",
    10: "gets no second mail on one day",
    11: "is held out of the welcome",
    12: "buys while the welcome waits",
    17: "buys little",
    14: "is in the welcome",
}
"""Customers by key, and what their case is."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}")


TICKS = tuple(
    map(at, ("02T11:00", "02T22:30", "03T06:30", "03T11:30", "04T13:00", "05T14:00", "07T15:00"))
)
NOW = TICKS[-1]


def fill(engine: Engine) -> None:
    """Everybody, as the tables have them before the first tick."""
    for statement in f"{SCHEMAS};{TABLES}".split(";"):
        engine.execute(statement)
    old = datetime.fromisoformat("2026-01-01")
    rows: dict[str, list[tuple[object, ...]]] = {
        "crm.customers": [
            (
                n,
                "Europe/Berlin",
                f"p{n}@shop.example",
                None,
                {4: 3, 6: 2, 9: None, 17: None}.get(n, 60),
            )
            for n in PEOPLE
        ],
        "crm.consents": [
            *((n, old, "in") for n in PEOPLE),
            (2, datetime.fromisoformat("2026-02-01T08:00"), "out"),
        ],
        "shop.signups": [
            *(
                (n, n, at("02T21:15") if n == 3 else at("02T10:30"), "import" if n == 9 else "web")
                for n in (1, 2, 3, 7, 8, 9, 10, 11, 12, 17)
            ),
            (14, 14, at("07T14:10"), "app"),
        ],
        "shop.orders": [
            *((n * 10 + k, n, old, Decimal(20)) for n in (5, 6, 10, 11) for k in (1, 2)),
            (41, 4, datetime.fromisoformat("2026-02-20T12:00"), Decimal(20)),
            (92, 12, at("04T12:00"), Decimal(80)),
            (93, 17, at("04T12:30"), Decimal(10)),
            (97, 7, at("03T09:00"), Decimal(900)),
            (95, 5, at("05T13:30"), Decimal(30)),
        ],
    }
    for table, there in rows.items():
        columns = engine.columns(table.split("."))
        assert columns is not None
        engine.insert(table, columns, there)


@contextmanager
def place(engine: str) -> Iterator[str]:
    """Where the database is."""
    if engine == "duckdb":
        yield "here.duckdb"
    else:
        with database() as url:
            yield url


@contextmanager
def shop(root: Path, monkeypatch: pytest.MonkeyPatch, engine: str) -> Iterator[Path]:
    """The project in a folder, with all ticks made; the working directory is there."""
    with place(engine) as address:
        write(
            root,
            JOURNEYS,
            binding=BINDING[: BINDING.index("policy standard")] + POLICY,
            templates=TEMPLATES,
            config=CONFIG.replace("shop.duckdb", f"env:{VARIABLE}"),
        )
        monkeypatch.setenv(VARIABLE, address)
        monkeypatch.chdir(root)
        opened = open_database(loaded(root), "dev", create=True)
        assert opened.value is not None, opened.diagnostics
        fill(opened.value)
        opened.value.close()
        outcome = Runtime.open(loaded(root), "dev", now=at("02T10:00"), wait=0)
        assert outcome.value is not None, outcome.diagnostics
        with outcome.value as runtime:
            for instant in TICKS:
                if instant == at("03T11:30"):
                    runtime.engine.execute("DELETE FROM crm.customers WHERE id = 8")
                    tell_counts(runtime.engine)
                runtime.tick(instant)
                assert not runtime.problems
                runtime.deliver(instant)
        yield root
