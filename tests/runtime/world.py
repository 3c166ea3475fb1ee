"""A small shop in a folder of its own: a project, its database, and a clock that a test moves."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from journeylang.api import Runtime, load
from journeylang.diagnostics.model import Diagnostic
from journeylang.engines.base import Engine
from journeylang.loading.project import LoadedProject
from tests.engines.databases import open_engine
from tests.engines.server import new_database

NOW = datetime.fromisoformat("2026-03-02T10:00")
HOUR = timedelta(hours=1)
DATABASE = "shop.duckdb"

CONFIG = f"""[project]
name = "shop"

[env.dev]
database = "{DATABASE}"
channels = {{ email = "file", sms = "file" }}
"""

BINDING = """language 1

customers from crm.customers as c {
  key c.id
  timezone c.tz else "Europe/Berlin"
  field email: text? = c.email pii
  field mobile: text? = c.mobile pii
  field points: int? = c.points
}

event signed_up from shop.signups as s {
  key s.id
  customer s.customer_id
  at s.at
  append only
  field source: text? = s.source
}

event ordered from shop.orders as o {
  key o.id
  customer o.customer_id
  at o.at
  append only
  field total: money(EUR)? = o.total
}

consent email_ok from crm.consents as m {
  customer m.customer_id
  at m.at
  granted m.status = "in"
}
consent sms_ok when customer.mobile is known basis "given with the number"

channel email { address: customer.email, consent: email_ok }
channel sms { address: customer.mobile, consent: sms_ok }

policy standard {
  cap email 2 per 7d
  cap any 1 per day
  quiet email, sms 22:00 to 07:00 then hold
}
"""

WELCOME = """journey welcome {
  owner "crm@shop.example"
  enter on signed_up
  holdout 10% salt "welcome-2026"
  exit when exists(ordered where total > 500 EUR since entry) as rich
  policy standard

  style: experiment salt "welcome-style-2026" {
    arm plain 50% control {
      hello: send email "welcome/hello" with { source: entry.source }
    }
    arm bold 50% {
      loud: send first of { sms "welcome/loud" email "welcome/hello" } else skip
    }
  }
  settle: wait 1d
  think: wait for ordered up to 2d {
    on ordered { thanks: send email "welcome/thanks" }
    timeout { exit as silent }
  }
}
"""

LOYAL = """journey loyal {
  owner "crm@shop.example"
  priority 5
  enter when customer.points >= 50 every 1h
  reenter after 7d
  policy standard

  morning: wait until 09:00
  reward: send email "loyal/reward"
}
"""

TEMPLATES = {
    "welcome/hello.email.txt": "---\nsubject: Hello\n---\nHello\n\n{{ unsubscribe_url }}\n",
    "welcome/loud.sms.txt": "Hello\n",
    "welcome/thanks.email.txt": "---\nsubject: Thanks\n---\nThanks\n\n{{ unsubscribe_url }}\n",
    "loyal/reward.email.txt": "---\nsubject: For you\n---\nA gift\n\n{{ unsubscribe_url }}\n",
}
JOURNEYS = {"welcome": WELCOME, "loyal": LOYAL}

SCHEMAS = "CREATE SCHEMA crm; CREATE SCHEMA shop"
TABLES = """CREATE TABLE crm.customers (
  id BIGINT, tz VARCHAR, email VARCHAR, mobile VARCHAR, points INTEGER);
CREATE TABLE crm.consents (customer_id BIGINT, "at" TIMESTAMP, status VARCHAR);
CREATE TABLE shop.signups (id BIGINT, customer_id BIGINT, "at" TIMESTAMP, source VARCHAR);
CREATE TABLE shop.orders (id BIGINT, customer_id BIGINT, "at" TIMESTAMP, total DECIMAL(14,4))"""

engine_of_worlds = "duckdb"
"""Where `make` makes them, unless it is told; `conftest.py` sets it."""

KEPT = ("lock", "watermark", "meta")
"""Tables of the runtime that a repeated tick may write."""


def address(root: Path) -> str:
    """The database of a world that is there: a file's name, or a URL."""
    config = root / "journey.toml"
    named = tomllib.loads(config.read_text(encoding="utf-8")) if config.exists() else {}
    return str(named.get("env", {}).get("dev", {}).get("database", DATABASE))


def write(
    root: Path,
    journeys: Mapping[str, str] = JOURNEYS,
    *,
    binding: str = BINDING,
    templates: Mapping[str, str] = TEMPLATES,
    config: str = CONFIG,
) -> Path:
    """The project's files; journeys that were there before and are no longer named go.

    A world on PostgreSQL stays there.
    """
    if "://" in address(root):
        config = config.replace(DATABASE, address(root))
    files = {"journey.toml": config, "journeys/binding.journey": binding}
    files |= {f"journeys/{name}.journey": text for name, text in journeys.items()}
    files |= {f"templates/{name}": text for name, text in templates.items()}
    for old in (root / "journeys").glob("*.journey"):
        old.unlink()
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def at(root: Path) -> Engine:
    """The world's database, while nobody else has it."""
    place = address(root)
    name = "postgres" if "://" in place else "duckdb"
    return open_engine(name, place if name == "postgres" else str(root / place))


def sql(root: Path, statements: str) -> list[tuple[Any, ...]]:
    """Run statements on the database while nobody else has it; what the last one shows."""
    engine = at(root)
    try:
        return engine.query(statements)
    finally:
        engine.close()


def people(number: int, since: datetime = NOW) -> str:
    """Customers 1 to `number`, with consent; each signs up within the hour behind `since`.

    Every fifth has points enough to be loyal, every third no mobile number, every seventh no
    consent.
    """
    ids = f"FROM generate_series(1, {number}) AS r(i)"
    zone = "CASE i % 4 WHEN 0 THEN 'Europe/Berlin' WHEN 1 THEN 'America/New_York'"
    return f"""
INSERT INTO crm.customers SELECT i, {zone} WHEN 2 THEN 'Nowhere' END, 'p' || i || '@shop.example',
  CASE WHEN i % 3 > 0 THEN '+4915100' || i END, CASE WHEN i % 5 = 0 THEN 60 ELSE 10 END {ids};
INSERT INTO crm.consents SELECT i, TIMESTAMP '2026-01-01', 'in' {ids} WHERE i % 7 > 0;
INSERT INTO shop.signups SELECT i, i, TIMESTAMP '{since}' + (i % 60) * INTERVAL '1' MINUTE,
  'web' {ids}"""


def orders(number: int, at: datetime, *, base: int = 0, every: int = 2) -> str:
    """An order of every second customer; every sixth of a size that ends the welcome."""
    return f"""INSERT INTO shop.orders SELECT {base} + i, i, TIMESTAMP '{at}',
  CASE WHEN i % 6 = 0 THEN 900 ELSE 20 END FROM generate_series(1, {number}) AS r(i)
WHERE i % {every} = 0"""


def make(
    root: Path,
    journeys: Mapping[str, str] = JOURNEYS,
    *,
    number: int = 20,
    engine: str | None = None,
) -> Path:
    """A project with its database, and `number` people in it."""
    config = (
        CONFIG
        if (engine or engine_of_worlds) == "duckdb"
        else CONFIG.replace(DATABASE, new_database())
    )
    write(root, journeys, config=config)
    sql(root, SCHEMAS)
    sql(root, TABLES)
    sql(root, people(number))
    return root


def loaded(root: Path, env: str = "dev") -> LoadedProject:
    loading = load(root, env)
    errors = [d for d in loading.diagnostics if d.is_error]
    assert not errors, errors
    assert loading.outcome.value is not None
    return loading.outcome.value


@contextmanager
def opened(
    root: Path,
    now: datetime = NOW,
    before: Callable[[str], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Runtime]:
    """The project applied at `now`, ready to tick; on one thread, that rows come in one order."""
    outcome = Runtime.open(loaded(root), "dev", now=now, wait=0, before=before, environ=environ)
    assert outcome.value is not None, outcome.diagnostics
    with outcome.value as runtime:
        if runtime.engine.dialect.name == "duckdb":
            runtime.engine.execute("SET threads = 1")
        yield runtime


def refused(root: Path, now: datetime = NOW) -> list[Diagnostic]:
    """Why the project is not opened."""
    outcome = Runtime.open(loaded(root), "dev", now=now, wait=0)
    if outcome.value is not None:
        outcome.value.close()
        raise AssertionError("opened")
    return list(outcome.diagnostics)


Contents = dict[str, list[tuple[Any, ...]]]


def contents(engine: Engine, without: tuple[str, ...] = KEPT) -> Contents:
    """Everything in the runtime's own tables, sorted."""
    names = engine.query(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'journey' AND table_type = 'BASE TABLE' ORDER BY 1"
    )
    return {
        name: sorted(engine.query(f'SELECT * FROM journey."{name}"'), key=str)
        for (name,) in names
        if name not in without
    }


def meaning(engine: Engine) -> Contents:
    """The same without the ticks' numbers: a clock that went back has counted, and moved nobody."""
    found = contents(engine)
    found["tick"] = [row[1:] for row in found["tick"]]
    for name in ("transition", "decision"):
        columns = list(engine.columns(("journey", name)) or ())
        at = columns.index("tick")
        found[name] = [(*row[:at], *row[at + 1 :]) for row in found[name]]
    return {name: sorted(rows, key=str) for name, rows in found.items()}


class Count:
    """Counts statements, those of a transaction itself left out."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, statement: str) -> None:
        if statement not in ("BEGIN", "COMMIT"):
            self.seen.append(statement)

    def of(self, work: Callable[[], object]) -> int:
        """How many statements some work takes."""
        self.seen.clear()
        work()
        return len(self.seen)
