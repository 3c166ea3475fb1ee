"""A small shop: a real project, a real DuckDB, messages as a tick leaves them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from journeylang.delivery.channels import Channel, open_channels
from journeylang.delivery.order import DeliverySummary
from journeylang.delivery.outbox import DeliveryConfig, Outbox
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.loading.project import load
from journeylang.model.project import Project
from journeylang.plan.operations import Program, SendPark
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare

NOW = datetime.fromisoformat("2026-03-02T10:00")

BINDING = """language 1

customers from crm.customers as c {
  key c.customer_id
  timezone c.tz else "Europe/Berlin"
  locale c.lang else "de-DE"
  field email: text? = c.email pii
  field mobile: text? = c.mobile pii
  field first_name: text? = c.first_name pii
  field points: int? = c.points
}

event order_placed from shop.orders as o {
  key o.order_id
  customer o.customer_id
  at o.placed_at
  field total: money(EUR) = o.total
}

consent email_marketing from crm.consents as m {
  customer m.customer_id
  at m.changed_at
  granted m.status = "opt_in"
}
consent sms_ok when customer.mobile is known basis "granted with the number"

channel email { address: customer.email, consent: email_marketing }
channel sms { address: customer.mobile, consent: sms_ok }

policy standard {
  cap email 3 per 7d
}
"""

JOURNEY = """journey thanks {
  owner "lifecycle@acme.example"
  enter on order_placed
  reenter always
  exit when exists(order_placed where total > 1000 EUR since entry) as rich
  policy standard

  hello: send first of {
    email "thanks/hello"
    sms "thanks/text"
  } else skip
  later: wait 2d
}

journey receipt {
  owner "billing@acme.example"
  purpose transactional "receipt of an order"
  enter on order_placed
  reenter always
  bill: send email "receipt/bill"
}
"""

TEMPLATES = {
    "thanks/hello.email.html": """---
subject: "Thank you, {{ customer.first_name | default('friend') }}"
---
<!doctype html>
<html><body>
<p>Dear {{ customer.first_name | default("friend") }},</p>
<p>thank you for your order of {{ entry.total | money }}.</p>
<p>Points: {{ customer.points }}</p>
<p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>
</body></html>
""",
    "thanks/text.sms.txt": "Thank you, {{ customer.first_name | default('friend') }}.\n",
    "receipt/bill.email.txt": "---\nsubject: Your receipt\n---\n{{ entry.total | money }}\n",
}


@dataclass(slots=True, kw_only=True)
class Shop:
    """A project in a folder, its database, and a clock that the test moves."""

    root: Path
    engine: DuckDbEngine
    project: Project
    session: Session
    templates: dict[str, str]
    now: datetime = NOW
    channels: dict[str, Channel] = field(default_factory=dict)
    outboxes: list[Outbox] = field(default_factory=list)

    @property
    def program(self) -> Program:
        return self.session.ready.program

    def clock(self) -> datetime:
        return self.now

    def step(self, label: str) -> tuple[int, int]:
        """(journey, step) numbers of a send."""
        return next(
            (plan.journey, park.step)
            for plan in self.program.journeys
            for park in plan.parks
            if isinstance(park, SendPark) and park.label == label
        )

    def people(self, number: int, **columns: str) -> None:
        """Customers c1, c2, … with consent; `columns` replaces a column by SQL over `i`."""
        values = {
            "customer_id": "'c' || i",
            "tz": "'Europe/Berlin'",
            "lang": "'de-DE'",
            "email": "'person' || i || '@example.com'",
            "mobile": "'+4915100' || i",
            "first_name": "'Jürgen ' || i",
            "points": "i",
        } | columns
        select = ", ".join(values.values())
        self.sql(
            f"INSERT INTO crm.customers SELECT {select} FROM range(1, {number + 1}) AS r(i);"
            "INSERT INTO crm.consents SELECT 'c' || i, TIMESTAMP '2026-01-01', 'opt_in'"
            f" FROM range(1, {number + 1}) AS r(i)"
        )

    def messages(
        self,
        customers: Iterable[int],
        *,
        label: str = "hello",
        channel: str = "email",
        batch: int = 500,
        expires: datetime | None = None,
        quiet: tuple[datetime, datetime] | None = None,
    ) -> None:
        """Runs and decided messages of these customers, in batches, as a tick leaves them."""
        journey, step = self.step(label)
        ids = list(customers)
        first = self.one("SELECT coalesce(max(message_id), 0) + 1 FROM journey.message")
        base = self.one("SELECT coalesce(max(batch_id), 0) + 1 FROM journey.batch")
        given = {
            "ids": ids,
            "now": self.now,
            "expires": expires or self.now + timedelta(days=7),
            "quiet_from": quiet[0] if quiet else None,
            "quiet_until": quiet[1] if quiet else None,
        }
        self.engine.execute(
            f"""INSERT INTO journey.run (customer_id, run_id, journey, version, step, arrived_at,
  entered_at, status, entry, passes)
SELECT 'c' || i, {first} + row_number() OVER () - 1, {journey}, 1, {step}, $now, $now, 0,
  '{{"total": 12.5000}}', 0 FROM (SELECT unnest($ids) AS i)""",
            given,
        )
        self.engine.execute(
            f"""INSERT INTO journey.message (customer_id, message_id, batch_id, run_id, journey,
  version, step, occurrence, channel, counted, decided_at, expires_at, quiet_from, quiet_until)
SELECT 'c' || i, {first} + n, {base} + n // {batch}, {first} + n, {journey}, 1, {step}, 1,
  '{channel}', TRUE, $now, $expires, $quiet_from::TIMESTAMP, $quiet_until::TIMESTAMP
FROM (SELECT i, row_number() OVER () - 1 AS n FROM (SELECT unnest($ids) AS i))""",
            given,
        )
        self.engine.execute(
            f"""INSERT INTO journey.batch (batch_id, decided_at, messages, done, token)
SELECT batch_id, $now, count(*), FALSE, 0 FROM journey.message WHERE batch_id >= {base}
GROUP BY batch_id""",
            given,
        )

    def use(self, **channels: str | Mapping[str, object]) -> None:
        """The environment's channels; by default everything goes into files."""
        outcome = open_channels(channels, root=self.root, environment={})
        assert outcome.ok, outcome.diagnostics
        assert outcome.value is not None
        self.channels = outcome.value

    def outbox(self, **options: Any) -> Outbox:
        config = DeliveryConfig(
            channels=self.channels,
            templates=self.templates,
            link_key=b"0" * 32,
            **options,
        )
        made = Outbox(self.engine, self.project, self.program, config)
        self.outboxes.append(made)
        return made

    def deliver(self, **options: Any) -> DeliverySummary:
        return self.outbox().deliver(now=self.clock, **options)

    def sql(self, statements: str) -> None:
        self.engine.connection.execute(statements)

    def one(self, query: str) -> Any:
        return self.engine.query(query)[0][0]

    def states(self) -> dict[str, int]:
        """Messages by state."""
        rows = self.engine.query("SELECT state, count(*) FROM journey.messages GROUP BY state")
        return dict(rows)

    def details(self, state: str) -> list[str]:
        rows = self.engine.query(
            f"SELECT DISTINCT detail FROM journey.receipt WHERE state = '{state}' ORDER BY detail"
        )
        return [row[0] for row in rows]

    def files(self, channel: str = "email") -> list[Path]:
        return sorted((self.root / "outbox" / channel).glob("*.*"))

    def close(self) -> None:
        for outbox in self.outboxes:
            outbox.close()
        self.engine.close()


def make_shop(
    root: Path,
    *,
    templates: Mapping[str, str] = TEMPLATES,
    journey: str = JOURNEY,
    database: str = ":memory:",
    before: Callable[[str], None] | None = None,
) -> Shop:
    """A shop without customers; with `database` a file that exists, that shop again."""
    (root / "journeys").mkdir(parents=True, exist_ok=True)
    (root / "journey.toml").write_text(
        f'[project]\nname = "shop"\nlanguage = 1\n[env.dev]\ndatabase = "{database}"\n'
        '[env.dev.channels]\nemail = "file"\nsms = "file"\n'
    )
    (root / "journeys" / "binding.journey").write_text(BINDING)
    (root / "journeys" / "thanks.journey").write_text(journey)
    for path, text in templates.items():
        (root / "templates" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "templates" / path).write_text(text)
    loaded = load(root).outcome
    assert loaded.value is not None
    assert not [d for d in loaded.diagnostics if d.is_error and "emplate" not in d.message], (
        loaded.diagnostics
    )
    engine = DuckDbEngine.open(database)
    engine.connection.execute("""CREATE SCHEMA IF NOT EXISTS crm; CREATE SCHEMA IF NOT EXISTS shop;
CREATE TABLE IF NOT EXISTS crm.customers (customer_id VARCHAR, tz VARCHAR, lang VARCHAR,
  email VARCHAR, mobile VARCHAR, first_name VARCHAR, points INTEGER);
CREATE TABLE IF NOT EXISTS crm.consents (customer_id VARCHAR, changed_at TIMESTAMP, status VARCHAR);
CREATE TABLE IF NOT EXISTS shop.orders (order_id VARCHAR, customer_id VARCHAR,
  placed_at TIMESTAMP, total DECIMAL(18,4))""")
    session = prepare(engine, loaded.value.project, now=NOW - timedelta(days=1))
    assert isinstance(session, Session), session
    engine.before = before
    shop = Shop(
        root=root,
        engine=engine,
        project=loaded.value.project,
        session=session,
        templates=dict(templates),
    )
    shop.use(email="file", sms="file")
    return shop
