"""One row with a value that nobody expects: everybody else moves as if it were not there.

Forty people live through a program that reads every bound column. Beside them live others, like
them but for one column each, which holds one of `tests/engines/poison.py`. No statement may fail,
and of the forty nothing may be different.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from journeylang.analysis.check import check_files
from journeylang.delivery.channels import open_channels
from journeylang.delivery.outbox import DeliveryConfig, Outbox
from journeylang.engines.base import Engine, StatementError
from journeylang.loading.lists import with_lists
from journeylang.model.project import Project
from journeylang.model.types import NUMBER
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.tick import tick
from journeylang.source import Source
from journeylang.syntax.parse import parse
from tests.agreement import prelude
from tests.agreement.small import DAY, HOUR, MINUTE, START
from tests.engines.databases import ENGINES, open_engine
from tests.engines.poison import TEXTS, values
from tests.runtime.world import Contents

pytestmark = pytest.mark.slow

EVERYTHING = "JOURNEY_TEST_POISON" in os.environ
SHARE = 7
"""Every so manieth value is tried; every one, if the environment names JOURNEY_TEST_POISON."""
HEALTHY = 40

BINDING = prelude.BINDING.replace(
    "  prefers c.favourite", '  prefers c.favourite\n  locale c.lang else "en"'
).replace(
    """  granted m.status = "in"
  only where m.topic = "email"
""",
    """  granted m.status = "in"
  source m.proof
  only where m.topic = "email"
""",
)
TABLES = {name: dict(columns) for name, columns in prelude.TABLES.items()}
TABLES["crm.customers"]["lang"] = "VARCHAR"
TABLES["crm.consents"]["proof"] = "VARCHAR"

PROGRAM = """language 1

prospects fair from list "lists/fair.csv" {
  key email
  consent email_ok when row.agreed != "no" at row.day source row.origin expires 3000d
}

metric spent = sum(ordered.total within 30d)
segment buyers = spent > 10 EUR and count(visited where weight > 0 within 90d) >= 1

policy p {
  cap email 50 per 7d
  cap push customer.points per 7d
  quiet sms, email 22:00 to 06:00 then hold
}

journey main {
  owner "a@b.example"
  enter on signed_up where source != "never" and score < 1000
  reenter after 1d
  only customers where customer.points > 0 or customer.rate > 0
  exit when exists(ordered where total > 500 EUR since entry) as rich
  policy p
  hello: send preferred of { email "t" sms "t" when customer.vip push "t" } with {
    points: customer.points, rate: customer.rate, born: customer.born, joined: customer.joined
    country: customer.country, shout: customer.shout, source: entry.source, score: entry.score
    more: customer.points * 1000000, share: customer.rate * 3.5
    best: top 2 of products by price where stars <= 5
  } else skip
  set country = customer.country
  set number = customer.points * 2 + 1
  set rate = customer.rate / 3
  set moment = customer.joined
  set day = customer.born
  gap: wait 1d
  morning: wait until 09:00
  moment: wait until customer.joined
  if profile.number > 3 and profile.country contains "E" and profile.rate < 100
    and profile.moment older than 1d and profile.day < 2020-01-01 { short: wait 2h }
  race: wait up to 2d {
    on ordered where total > 5 EUR and items > 0 and due > customer.born and not gift {}
    on visited where weight > 0.5 and seen < customer.joined and daily > 08:00 and page = "web" {}
    timeout {}
  }
  if age(customer.born) >= 18 { adult: wait 1h }
  if customer in segment buyers and avg(visited.weight) > 0.1 and last(ordered.due) > 1990-01-01
    and max(visited.seen) newer than 100d and most(visited.page) = "web"
    and distinct(ordered.items) >= 1 and first(ordered.gift) != true { buyer: wait 1h }
  bye: send email "t" about offers with {
    code: promo(pool), sum: spent, average: avg(ordered.total), last: last(visited.daily)
    number: profile.number, at: entry.at
  } else skip
}

journey yearly {
  owner "a@b.example"
  enter every year on customer.born at 09:00
  policy p
  cake: send email "t" with { source: customer.country } else skip
}

journey asked {
  owner "a@b.example"
  enter when customer.points between 1 and 100000 and customer.joined older than 1d
    and customer.rate >= 0.1 and customer.country in ("DE", "AT")
  reenter after 3d
  policy p
  wait_for: wait until customer.rate > 50 and exists(ordered) up to 30h
  start_other: start other with { total: spent, score: customer.points }
}

journey other {
  owner "a@b.example"
  enter by start with { total: money(EUR)?, score: int? }
  policy p
  x: experiment salt "x" { arm a 50% control { xa: wait 1h } arm b 50% { xb: wait 2h } }
  if entry.total > 5 EUR and entry.score > 1 { y: wait 1h }
}

journey inside {
  owner "a@b.example"
  enter when joins buyers
  policy p
  rest: wait 1d
}

journey seen {
  owner "a@b.example"
  enter on visited where seen newer than 1000d or page = "x"
  reenter always
  policy p
  rest: wait 1h
}

journey ranked {
  owner "a@b.example"
  enter when top 50% by customer.rate or tile 3 by spent = 1
  policy p
  rest: wait 1h
}

journey listed {
  owner "a@b.example"
  enter when in list "lists/mails.csv" or in list "lists/phones.csv"
  policy p
  rest: wait 1h
}
"""

TEXT = (
    "{{ customer.country | default('') }} {{ customer.points | default(0) | number }}"
    " {{ customer.rate | default(0) | number }} {{ customer.joined | default('') }}"
    " {{ customer.born | default('') }} {{ customer.vip | default('') }}\n{{ unsubscribe_url }}\n"
)
TEMPLATES = {
    "t.email.txt": f"---\nsubject: Hello {{{{ customer.country | default('') }}}}\n---\n{TEXT}",
    "t.sms.txt": "{{ customer.country | default('') }}",
    "t.push.txt": "{{ customer.points | default(0) }}",
}

HOURS = (1, 2, 3, 5, 25, 26, 27, 49, 52, 54, 80, 104, 200)


HEADS = {
    "keys": ("customer_id", "note"),
    "mails": ("email", "note"),
    "phones": ("phone", "note"),
    "fair": ("email", "agreed", "day", "origin"),
}


def write_lists(root: Path, odd: Collection[str]) -> None:
    """Files with a few of the forty, and behind them rows with an odd value in one column each."""
    (root / "lists").mkdir(parents=True, exist_ok=True)
    for name, head in HEADS.items():
        whom = {"customer_id": "{n}", "email": "p{n}@x.example", "phone": "+4915100{n}"}[head[0]]
        rest = ("no", "2026-03-03 09:00", "stand")[: len(head) - 1]
        rows = [[whom.format(n=n), *rest] for n in range(1, HEALTHY, 4)]
        for k, value in enumerate(odd):
            for place in range(len(head)):
                row = [whom.format(n=5000 + k), *rest]
                rows.append([*row[:place], value, *row[place + 1 :]])
        with (root / "lists" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])


def with_files(root: Path) -> Project:
    """The project with the lists that are in the folder."""
    found = with_lists(project(), root)
    assert found.value is not None
    assert found.ok, found.diagnostics
    return found.value


@cache
def project() -> Project:
    trees = []
    for path, text in (("binding.journey", BINDING), ("program.journey", PROGRAM)):
        outcome = parse(Source(path=path, text=text))
        assert outcome.value is not None
        assert outcome.ok, outcome.diagnostics
        trees.append(outcome.value)
    checked = check_files(trees)
    assert checked.value is not None
    assert checked.ok, [(d.code.id, d.message) for d in checked.diagnostics]
    return replace(checked.value, lists=prelude.LISTS)


# ---- people and what they do

KEYS = {
    ("crm.customers", "id"),
    ("shop.signups", "id"),
    ("shop.orders", "id"),
    ("shop.visits", "id"),
    ("shop.uses", "id"),
    ("shop.products", "sku"),
    *((table, "customer_id") for table in TABLES if "customer_id" in TABLES[table]),
}

# Columns that the binding compares as they are: of another type they are another binding.
COMPARED = {("shop.products", "stock")}

# How the columns of a world are typed: as they are meant, or otherwise.
WORLDS: dict[str, dict[str, str]] = {
    "native": {},
    "text": dict.fromkeys(
        ("BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "DECIMAL(14,4)"), "VARCHAR"
    ),
    "wide": {"DECIMAL(14,4)": "DECIMAL(38,4)", "BIGINT": "DOUBLE"},
    "keys": {},
}


def types(world: str) -> dict[str, dict[str, str]]:
    """The types of all columns."""
    key = "VARCHAR" if world == "keys" else "BIGINT"
    return {
        table: {
            name: key
            if (table, name) in KEYS
            else kind
            if (table, name) in COMPARED
            else WORLDS[world].get(kind, kind)
            for name, kind in columns.items()
        }
        for table, columns in TABLES.items()
    }


Row = dict[str, Any]


def rows_of(n: int) -> Iterator[tuple[str, Row]]:
    """Everything that there is of person number `n`."""
    yield (
        "crm.customers",
        {
            "id": n,
            "tz": ("UTC", "Europe/Berlin", "America/New_York")[n % 3],
            "lang": "de-DE",
            "favourite": ("email", "sms", "push")[n % 3],
            "email": f"p{n}@x.example",
            "mobile": f"+4915100{n}",
            "token": "t",
            "country": ("DE", "AT", "DE")[n % 3],
            "points": n % 9 + 1,
            "rate": 0.5 * (n % 7),
            "vip": n % 2 == 0,
            "born": date(1980 + n % 9, 3, 2 + n % 4),
            "joined": START + (n % 60 - 30) * HOUR,
        },
    )
    for topic in ("email", "offers"):
        said = {"customer_id": n, "at": START - DAY, "topic": topic, "status": "in"}
        yield "crm.consents", said | {"proof": "form"}
    at = START + (n % 50) * MINUTE
    yield (
        "shop.signups",
        {"id": n, "customer_id": n, "at": at, "source": "web", "score": n % 5},
    )
    yield (
        "shop.orders",
        {
            "id": n,
            "customer_id": n,
            "at": START + (20 + n % 40) * HOUR,
            "total": Decimal(600 if n % 13 == 0 else 20),
            "items": n % 3,
            "gift": n % 4 == 0,
            "due": date(2026, 4, 1),
            "status": "paid",
        },
    )
    visited = START + (10 + n % 30) * HOUR
    yield (
        "shop.visits",
        {
            "id": n,
            "customer_id": n,
            "at": visited,
            "changed": visited,
            "page": "web",
            "weight": 0.75,
            "seen": START - 5 * DAY,
            "daily": time(9, 30),
        },
    )
    yield "shop.uses", {"id": n, "customer_id": n, "at": visited, "code": f"C{n:05}"}


def common() -> Iterator[tuple[str, Row]]:
    """What belongs to nobody."""
    for n in range(5000):
        yield "shop.pool", {"code": f"C{n:05}", "kind": "pool"}
    for n, price in enumerate((12, 79, 8, 25, 900)):
        made = {"sku": n, "name": f"n{n}", "price": Decimal(price), "stars": n, "stock": 3}
        yield "shop.products", made


@dataclass(frozen=True, slots=True)
class Bad:
    """A value in a column of one row."""

    table: str
    column: str
    name: str
    value: str | None


def bad(world: str) -> list[Bad]:
    """What to try in a world: in the columns that are what they are not elsewhere.

    Some of it, unless all is asked for: another part of the values in each column.
    """
    found = []
    native = types("native")
    for table, columns in types(world).items():
        for column, kind in columns.items():
            if world == "native" or native[table][column] != kind:
                found += [Bad(table, column, name, v) for name, v in values(kind).items()]
    return found if EVERYTHING else found[len(world) % SHARE :: SHARE]


# ---- playing


def _create(engine: Engine, columns: Mapping[str, Mapping[str, str]]) -> None:
    double = engine.dialect.column_type(NUMBER)
    for schema in ("crm", "shop"):
        engine.execute(f"CREATE SCHEMA {schema}")
    for table, inside in columns.items():
        listed = ", ".join(f'"{c}" {k.replace("DOUBLE", double)}' for c, k in inside.items())
        engine.execute(f"CREATE TABLE {table} ({listed})")


def _as(kind: str, value: Any) -> Any:
    """A healthy value for a column of that type."""
    if value is None:
        return None
    if kind == "VARCHAR":
        return str(value).lower() if isinstance(value, bool) else str(value)
    return float(value) if kind == "DOUBLE" else value


def _load(engine: Engine, world: str, poison: Collection[Bad]) -> int:
    """The people, and beside them those with one bad value each; how many of those there are."""
    columns = types(world)
    _create(engine, columns)
    rows: dict[str, list[Row]] = {table: [] for table in columns}

    def add(table: str, row: Row) -> None:
        rows[table].append({c: _as(k, row.get(c)) for c, k in columns[table].items()})

    for table, row in common():
        add(table, row)
    for n in range(1, HEALTHY + 1):
        for table, row in rows_of(n):
            add(table, row)
    odd: list[tuple[Bad, Row]] = []
    for k, one in enumerate(poison):
        n = 1000 + k
        extra = [
            *rows_of(n),
            ("shop.pool", {"code": f"C9{n}", "kind": "pool"}),
            ("shop.products", {"sku": n, "name": "n", "price": Decimal(1), "stars": 1, "stock": 1}),
        ]
        for table, row in extra:
            if table != one.table:
                if table not in ("shop.pool", "shop.products"):
                    add(table, row)
                continue
            odd.append((one, {c: _as(t, row.get(c)) for c, t in columns[table].items()}))
    for table, listed in rows.items():
        inside = columns[table]
        engine.insert(table, inside, [[row[c] for c in inside] for row in listed])
    stored = 0
    for one, row in odd:
        stored += _store(engine, one, row, columns[one.table])
    return stored


def _store(engine: Engine, one: Bad, row: Row, columns: Mapping[str, str]) -> bool:
    """Add a row with a bad value, if the database takes it at all."""
    kind = columns[one.column].replace("DOUBLE", engine.dialect.column_type(NUMBER))
    names = ", ".join(f'"{c}"' for c in columns)
    marks = ", ".join(
        f"CAST(CAST($p{n} AS VARCHAR) AS {kind})" if c == one.column else f"$p{n}"
        for n, c in enumerate(columns)
    )
    given = {f"p{n}": v for n, v in enumerate((row | {one.column: one.value}).values())}
    with suppress(StatementError, UnicodeEncodeError):
        engine.execute(f"INSERT INTO {one.table} ({names}) VALUES ({marks})", given)
        return True
    return False


def play(
    name: str, world: str, poison: Collection[Bad], folder: Path, played: Project | None = None
) -> tuple[Contents, int]:
    """What became of the forty, and how many others there were."""
    engine = open_engine(name)
    played = played or project()
    try:
        stored = _load(engine, world, poison)
        session = prepare(engine, played, now=START)
        assert isinstance(session, Session)
        channels = open_channels(
            {channel: {"provider": "file"} for channel in prelude.CHANNELS},
            root=folder,
            environment={},
        ).value
        assert channels is not None
        config = DeliveryConfig(channels=channels, templates=TEMPLATES)
        outbox = Outbox(engine, played, session.ready.program, config)
        for hour in HOURS:
            now = START + hour * HOUR
            tick(session, now)
            summary = outbox.deliver(now=lambda now=now: now)  # type: ignore[misc]
            assert not summary.stopped, summary.stopped
            assert poison or not summary.to_pause, summary.to_pause
        outbox.close()
        return _forty(engine), stored
    finally:
        engine.close()


LOOKS = {
    "runs": (
        "SELECT r.customer_id, v.name, r.step, r.status, r.reason, r.arrived_at, r.wake_at,"
        " r.entered_at, r.entry FROM journey.run AS r"
        " JOIN journey.version AS v ON v.journey = r.journey AND v.version = 1"
    ),
    "messages": (
        "SELECT customer_id, journey, step, channel, decided_at, state FROM journey.messages"
    ),
    "non_sends": "SELECT customer_id, journey, step, d.at, reason FROM journey.non_sends AS d",
    "exposures": "SELECT customer_id, experiment, arm, x.at FROM journey.exposures AS x",
    "profile": "SELECT customer_id, name, value FROM journey.profile",
}


def _forty(engine: Engine) -> Contents:
    ranked = "(SELECT journey FROM journey.version WHERE name = 'ranked')"
    healthy = [str(n) for n in range(1, HEALTHY + 1)]
    found = {}
    for name, look in LOOKS.items():
        rows = engine.query(look)
        # Rankings are of all customers: who else is there is part of their meaning.
        skip = {number for (number,) in engine.query(ranked)} | {"ranked"}
        mine = [r for r in rows if str(r[0]) in healthy and r[1] not in skip]
        found[name] = sorted(((str(row[0]), *row[1:]) for row in mine), key=str)
    return found


@cache
def alone(name: str, folder: Path) -> Contents:
    """The forty without anybody else."""
    return play(name, "native", (), folder)[0]


def _wrong(name: str, world: str, poison: Collection[Bad], folder: Path) -> str | None:
    """What went wrong, in a line; None if nothing did."""
    meant = alone(name, folder / "alone")
    try:
        found, _ = play(name, world, poison, folder / "poisoned")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return f"{type(error).__name__}: {str(error)[:300]}"
    for table, rows in meant.items():
        if found[table] != rows:
            less = [r for r in rows if r not in found[table]]
            more = [r for r in found[table] if r not in rows]
            return f"{table}: lost {less[:2]}, more {more[:2]}"
    return None


def guilty(name: str, world: str, poison: list[Bad], folder: Path, most: int = 6) -> list[str]:
    """The values that do it alone: found by halves."""
    why = _wrong(name, world, poison, folder)
    if why is None:
        return []
    if len(poison) <= 1:
        return [f"{poison[0] if poison else 'nobody'}: {why}"]
    middle = len(poison) // 2
    found = guilty(name, world, poison[:middle], folder, most)
    if len(found) < most:
        found += guilty(name, world, poison[middle:], folder, most - len(found))
    return found or [f"together only: {why}"]


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("world", WORLDS)
def test_everybody_else_moves(name: str, world: str, tmp_path: Path) -> None:
    assert guilty(name, world, bad(world), tmp_path) == []


@pytest.mark.parametrize("name", ENGINES)
def test_lists_with_such_values(name: str, tmp_path: Path) -> None:
    """A file of people is no less strange than a table."""
    found = []
    odd = [text for text in TEXTS.values() if text is not None and _writable(text)]
    for folder, values_of in ((tmp_path / "clean", []), (tmp_path / "odd", odd)):
        write_lists(folder, values_of)
        played = with_files(folder)
        found.append(play(name, "native", (), folder, played)[0])
    clean, poisoned = found
    assert any(row[1] == "listed" for row in clean["runs"])
    assert poisoned == clean


def _writable(value: str) -> bool:
    """No file in UTF-8 holds a surrogate."""
    return not any(0xD800 <= ord(letter) < 0xE000 for letter in value)
