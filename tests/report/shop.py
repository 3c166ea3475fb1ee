"""A shop whose journey has a hold-out, an experiment, goals, targets and feedback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from journeylang.api import open_database
from journeylang.report.read import source_of
from journeylang.report.source import Source
from tests.engines.server import new_database
from tests.runtime.world import (
    BINDING,
    CONFIG,
    DATABASE,
    HOUR,
    NOW,
    SCHEMAS,
    TABLES,
    TEMPLATES,
    loaded,
    opened,
    people,
    sql,
    write,
)

WELCOME = """journey welcome "Say hello" {
  owner "crm@shop.example"
  enter on signed_up
  reenter always
  holdout 20% salt "welcome-2026"
  goal ordered within 2d worth total
  goal clicked of style/bold/loud within 1d
  kpi conversion >= 1%
  kpi click_rate of email >= 50%
  guard entries <= 5000 per 1d
  policy standard

  style: experiment salt "welcome-style-2026" expect "+5pp by the bold one" {
    arm bold 50% {
      loud: send email "welcome/hello" with {
        source: entry.source
        code: promo(ten) else exit as sold_out
      }
    }
    arm plain 50% control {
      hello: send email "welcome/hello" with { source: entry.source }
    }
  }
  settle: wait 1d
  think: wait for ordered up to 2d {
    on ordered { thanks: send email "welcome/thanks" }
    timeout { exit as silent }
  }
}
"""

BOUND = (
    BINDING.replace("consent: email_ok }", "consent: email_ok, cost: 0.5 EUR }").replace(
        "  field points:", "  field won_for: money(EUR)? = c.points\n  field points:"
    )
    + "\nsegment many = customer.points >= 50\n"
    + "\nmetric spent_before = sum(ordered.total within 3d)\n"
    + "metric spent_ever = sum(ordered.total)\n"
    + "\nvalue { revenue: ordered.total acquisition: customer.won_for }\n"
    + """
event used from shop.uses as u {
  key u.id
  customer u.customer_id
  at u.at
  append only
  field code: text? = u.code
}

promo ten { generate "TEN-####" per customer expires 2d redeemed by used.code cost 5 EUR }
"""
)

PEOPLE = 400


def make(root: Path, engine: str = "duckdb") -> Path:
    """Five days of it: orders of many kinds, some of them of nobody and of no amount."""
    config = CONFIG if engine == "duckdb" else CONFIG.replace(DATABASE, new_database())
    write(root, {"welcome": WELCOME}, binding=BOUND, config=config, templates=TEMPLATES)
    sql(root, SCHEMAS)
    sql(root, TABLES)
    sql(root, people(PEOPLE))
    # Half sign up three days later: their window is not over at the end.
    late = NOW + 72 * HOUR
    sql(
        root,
        f'UPDATE shop.signups SET "at" = "at" + INTERVAL \'72\' HOUR WHERE id % 2 = 0;'
        f"INSERT INTO shop.signups SELECT 10000 + i, i, TIMESTAMP '{late}', 'again'"
        " FROM generate_series(1, 50, 2) AS r(i)",
    )
    sql(root, _ORDERS)
    sql(root, _USES)
    with opened(root, NOW - HOUR) as runtime:
        for tick in range(0, 5 * 24, 6):
            runtime.tick(NOW + tick * HOUR)
        runtime.deliver(NOW + 5 * 24 * HOUR)
        runtime.engine.execute(_FEEDBACK)
        runtime.engine.execute(_USED)
    return root


_ORDERS = f"""INSERT INTO shop.orders
SELECT i, 1 + (i * 7) % {PEOPLE + 20}, TIMESTAMP '{NOW}' + (i * 37 % 7200) * INTERVAL '1' MINUTE,
  CASE WHEN i % 11 = 0 THEN NULL ELSE 5 + i % 90 + 0.25 END
FROM generate_series(1, 500) AS r(i)"""

_USES = 'CREATE TABLE shop.uses (id BIGINT, customer_id BIGINT, "at" TIMESTAMP, code VARCHAR)'

# A third of those who got a code use it soon, one of them twice; nobody knows the last code.
_USED = """INSERT INTO shop.uses
SELECT k.customer_id, k.customer_id, k.at + INTERVAL '5' HOUR, k.code FROM journey.promo_code AS k
WHERE k.customer_id % 3 = 0
UNION ALL SELECT 9000 + max(k.customer_id), max(k.customer_id), max(k.at) + INTERVAL '1' HOUR,
  max(k.code) FROM journey.promo_code AS k
UNION ALL SELECT 99999, 1, min(k.at), 'TEN-none' FROM journey.promo_code AS k"""

_FEEDBACK = f"""INSERT INTO journey.message_event
  (customer_id, message_id, provider, event_id, name, "at", data)
SELECT m.customer_id, m.message_id, 'test', f.name || m.message_id || f.n, f.name,
  m.decided_at + INTERVAL '1' HOUR, f.data
FROM journey.message AS m, (VALUES ('opened', 2, 1, '{{}}'), ('opened', 2, 2, '{{}}'),
  ('clicked', 4, 1, '{{}}'), ('bounced', 13, 1, '{{"kind": "hard"}}'),
  ('bounced', 17, 1, '{{"kind": "soft"}}'), ('prefetched', 5, 1, '{{"of": "opened"}}'),
  ('unsubscribed', 19, 1, '{{}}'), ('complained', 23, 1, '{{}}')) AS f(name, every, n, data)
WHERE m.message_id % f.every = 0 AND m.decided_at < TIMESTAMP '{NOW + timedelta(days=4)}'"""


@contextmanager
def source(root: Path) -> Iterator[Source]:
    """The database as a report reads it."""
    project = loaded(root)
    engine = open_database(project, "dev").value
    assert engine is not None
    try:
        found = source_of(engine, project.project)
        assert found is not None
        yield found
    finally:
        engine.close()


@contextmanager
def undone(found: Source) -> Iterator[None]:
    """What is changed within is taken back, so that no other test sees it."""
    try:
        with found.engine.transaction():
            yield
            raise _UndoneError
    except _UndoneError:
        pass


class _UndoneError(Exception):
    """Ends a transaction."""
