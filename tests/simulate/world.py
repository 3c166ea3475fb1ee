"""People who behave as an `assume` says, in plain Python, on the real tables of a shop.

The draws are those of a dry run, worked out once more from their description alone: digits of an
md5 over the seed and what the draw is about.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any

from journeylang.api import Runtime
from journeylang.engines.base import Engine
from tests.runtime.world import BINDING, JOURNEYS, SCHEMAS, TABLES, loaded, people, sql, write

ASSUME = """
assume typical {
  delivered of email 97%
  bounced of email 3%
  opened 40% within 24h
  opened of welcome/loud 70% within 2h
  clicked of email 15% within 48h
  unsubscribed 4% within 12h
  complained after opened 5% within 3h
  signed_up 25% per 3d
  ordered 10% per 2d
  ordered after clicked 60% within 30h
  ordered after signed_up 30% within 40h
}
"""
START = datetime.fromisoformat("2026-03-02T08:00")
STEP = timedelta(hours=5)
NESTED = ("delivered", "opened", "clicked")


def shop(root: Path, number: int = 150, *, assume: str = ASSUME, journeys: Any = JOURNEYS) -> Path:
    """The project with assumptions, its people, and some of what they did before."""
    write(root, {**journeys}, binding=BINDING + assume)
    sql(root, SCHEMAS)
    sql(root, TABLES)
    sql(root, people(number, START - timedelta(hours=3)))
    sql(
        root,
        f"""INSERT INTO shop.orders SELECT i, 1 + i % {number},
  TIMESTAMP '{START}' - to_minutes(90 * i::INT), CASE WHEN i % 5 = 0 THEN 600 ELSE i END
FROM range(1, 40) AS r(i)""",
    )
    return root


def contents(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """What journeys have done, without numbers that follow from the order of rows."""
    run = "customer_id, run_id, journey, step"
    more = "occurrence, channel, decided_at, expires_at, cost, content"
    queries = {
        "run": f"{run}, arrived_at, wake_at, entered_at, status, reason",
        "message": f"{run}, {more}, quiet_from",
        "decision": f'{run}, "at", reason, figures',
        "exposure": 'customer_id, experiment, arm, "at", run_id',
        "transition": 'customer_id, run_id, journey, "at", from_step, to_step, why',
        "suppression": 'customer_id, channel, "at", reason',
    }
    return {
        name: sorted(engine.query(f"SELECT {columns} FROM journey.{name}"), key=str)
        for name, columns in queries.items()
    }


def digits(*parts: object) -> str:
    return md5(":".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """Something that happens: an answer if it is about a `message` (its number and channel)."""

    name: str
    customer: int
    at: datetime
    h: str
    message: tuple[int, str] | None = None

    @property
    def key(self) -> int:
        """Of a row."""
        return -1 - int(self.h[:15], 16)

    @property
    def id(self) -> str:
        return str(self.key) if self.message is None else f"{self.name} {self.h}"


@dataclass(slots=True)
class World:
    """Acts on the tables between the ticks of a real run; nothing happens behind `end`."""

    runtime: Runtime
    seed: int
    start: datetime
    end: datetime
    coming: list[Thing] = field(default_factory=list)
    last_message: int = 0
    orders: list[tuple[Any, ...]] = field(default_factory=list)
    signups: list[tuple[Any, ...]] = field(default_factory=list)

    def begin(self) -> None:
        """Draw what happens by itself, and what follows from what has been."""
        engine = self.runtime.engine
        newest = f"""WHERE "at" <= '{self.start}' ORDER BY "at" DESC, id LIMIT 1000"""
        self.orders = engine.query(f"SELECT total FROM shop.orders {newest}")
        self.signups = engine.query(f"SELECT source FROM shop.signups {newest}")
        # What is assumed takes the place of what the tables hold.
        engine.execute(f"""DELETE FROM shop.orders WHERE "at" > '{self.start}'""")
        engine.execute(f"""DELETE FROM shop.signups WHERE "at" > '{self.start}'""")
        before = engine.query('SELECT id, customer_id, "at" FROM shop.signups')
        for name, chance, days in (("signed_up", 0.25, 3), ("ordered", 0.1, 2)):
            seconds = days * 86_400
            for nth in range(-int(-(self.end - self.start).total_seconds() // seconds)):
                since = self.start + timedelta(seconds=nth * seconds)
                for (customer,) in engine.query("SELECT id FROM crm.customers"):
                    h = digits(self.seed, f"per {name}", customer, nth)
                    self.draw(Thing(name=name, customer=customer, at=since, h=h), chance, seconds)
        for thing in [t for t in self.coming if t.name == "signed_up"]:
            self.follow(thing.name, thing.customer, thing.at, thing.id, None)
        for number, customer, at in before:
            self.follow("signed_up", customer, at, str(number), None)

    def act(self, now: datetime) -> None:
        """Let happen what happens up to `now`."""
        due = [thing for thing in self.coming if thing.at <= now]
        self.coming = [thing for thing in self.coming if thing.at > now]
        for thing in due:
            if thing.message is not None:
                self.tell(thing, *thing.message)
                continue
            table, lent = (
                ("orders", self.orders) if thing.name == "ordered" else ("signups", self.signups)
            )
            (value,) = lent[int(thing.h[15:22], 16) % len(lent)]
            self.runtime.engine.execute(
                f"INSERT INTO shop.{table} VALUES ($id, $customer, $at, $value)",
                {"id": thing.key, "customer": thing.customer, "at": thing.at, "value": value},
            )

    def tell(self, thing: Thing, message: int, channel: str) -> None:
        """As a provider does, at the instant itself."""
        engine = self.runtime.engine
        engine.execute(
            "INSERT INTO journey.message_event (customer_id, message_id, provider, event_id, name,"
            ' "at", data, received_at)'
            " VALUES ($customer, $message, 'world', $id, $name, $at, NULL, $at)",
            {
                "customer": thing.customer,
                "message": message,
                "id": thing.id,
                "name": thing.name,
                "at": thing.at,
            },
        )
        reasons = {
            "unsubscribed": "unsubscribe",
            "complained": "complaint",
            "bounced": "hard_bounce",
        }
        if thing.name in reasons:
            engine.execute(
                'INSERT INTO journey.suppression (customer_id, channel, "at", reason)'
                " VALUES ($customer, $channel, $at, $reason)",
                {
                    "customer": thing.customer,
                    "channel": channel,
                    "at": thing.at,
                    "reason": reasons[thing.name],
                },
            )

    def answer(self) -> None:
        """Draw the answers to what has been sent since."""
        for customer, number, run, path, occurrence, channel, at in self.runtime.engine.query(
            """SELECT m.customer_id, m.message_id, m.run_id, s.path, m.occurrence, m.channel,
  m.decided_at
FROM journey.message AS m JOIN journey.step AS s ON s.step = m.step
WHERE m.message_id > $last""",
            {"last": self.last_message},
        ):
            self.last_message = max(self.last_message, number)
            h = digits(self.seed, "answer", run, path, occurrence)
            of = (number, channel)
            answers: list[tuple[str, float, int]] = [("opened", 0.4, 86_400)]
            if path == "style/bold/loud":
                answers = [("opened", 0.7, 7_200)]
            answers.append(("unsubscribed", 0.04, 43_200))
            if channel == "email":
                answers += [("delivered", 0.97, 0), ("clicked", 0.15, 172_800)]
                if int(h[:7], 16) >= 2**28 - round(0.03 * 2**28):
                    self.add(Thing(name="bounced", customer=customer, at=at, h=h, message=of), 0)
            for name, chance, seconds in answers:
                mine = h if name in NESTED else h[15:]
                thing = Thing(name=name, customer=customer, at=at, h=mine, message=of)
                drawn = self.draw(thing, chance, seconds)
                if drawn is not None:
                    self.follow(name, customer, drawn.at, drawn.id, of)

    def follow(
        self, name: str, customer: int, at: datetime, cause: str, of: tuple[int, str] | None
    ) -> None:
        """What comes of something."""
        if name == "opened":
            h = digits(self.seed, "complained after opened", customer, cause)
            thing = Thing(name="complained", customer=customer, at=at, h=h, message=of)
            self.draw(thing, 0.05, 3 * 3600)
        effects = {"clicked": (0.6, 30 * 3600), "signed_up": (0.3, 40 * 3600)}
        if name in effects:
            h = digits(self.seed, f"ordered after {name}", customer, cause)
            self.draw(Thing(name="ordered", customer=customer, at=at, h=h), *effects[name])

    def draw(self, thing: Thing, chance: float, seconds: int) -> Thing | None:
        """The thing at its own instant, if it happens at all."""
        if int(thing.h[:7], 16) >= round(chance * 2**28):
            return None
        return self.add(thing, seconds)

    def add(self, thing: Thing, seconds: int) -> Thing | None:
        later = timedelta(seconds=1 + (seconds * int(thing.h[7:15], 16)) // 2**32)
        thing = replace(thing, at=thing.at + later)
        if self.start < thing.at <= self.end:
            self.coming.append(thing)
            return thing
        return None


def really(root: Path, seed: int, days: int) -> dict[str, list[tuple[Any, ...]]]:
    """Run the shop's journeys in earnest, tick by tick, while its people behave so."""
    end = START + timedelta(days=days)
    outcome = Runtime.open(loaded(root), "dev", now=START)
    assert outcome.value is not None, outcome.diagnostics
    with outcome.value as runtime:
        runtime.engine.execute("SET threads = 1")
        world = World(runtime, seed, START, end)
        world.begin()
        now = START
        while now < end:
            world.act(now)
            runtime.tick(now)
            world.answer()
            now += STEP
        return contents(runtime.engine)
