"""A run of ticks and deliveries that uses most of the language, to be cut anywhere.

All rows are there from the beginning, most of them with instants still to come, and what people
do meanwhile is done so that doing it again changes nothing. What is left in the end therefore
depends on nothing but the story, wherever and however often it was cut.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from journeylang.delivery.channels import open_channels
from journeylang.delivery.outbox import DeliveryConfig, Outbox
from journeylang.engines.base import Engine
from journeylang.model.project import Project
from journeylang.runtime.pauses import pause, resume
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.tick import tick
from tests.agreement.both import compiled
from tests.agreement.prelude import PRODUCTS, create, record
from tests.agreement.small import DAY, HOUR, MINUTE, START
from tests.engines.databases import put
from tests.runtime.world import Contents, contents

PEOPLE = 24
CODES = 7

PROGRAM = """language 1

policy p {
  cap email 3 per 7d
  cap any 2 per day
  quiet email, sms 21:00 to 07:00 then hold
  budget sms 0.30 EUR per 30d then skip
  capacity email 9 per day then hold
  control 5% salt "control"
}

fragment chase(gap: duration) {
  rest: wait gap
  note: send email "t"
}

journey welcome {
  owner "a@b.example"
  priority 3
  enter on signed_up where score != 0
  reenter after 3d
  holdout 10% salt "held"
  exit when exists(ordered where total > 500 EUR since entry) as rich
  goal ordered within 2d
  policy p
  which: experiment adaptive salt "which" {
    arm plain 50% control {
      hello: send email "t" with { code: promo(pool), picks: top 2 of products by price } else skip
    }
    arm bold 50% { loud: send first of { sms "t" email "t" } else skip }
  }
  set stage = "greeted"
  again: repeat up to 2 times until profile.stage = "done" {
    look: wait for opened of email up to 30h {
      on opened { set stage = "done" }
      timeout { more: send best of { email "t" sms "t" } else hold 5h }
    }
  }
  hand: start second with { reason: profile.stage, n: customer.points }
  after: include chase(gap: 1d)
}

journey second {
  owner "a@b.example"
  enter by start with { reason: text?, n: int? }
  reenter always
  policy p
  think: wait up to 2d { on ordered { thanks: send email "t" } timeout { exit as silent } }
  tell: invoke crm "thought" with { reason: entry.reason }
  factor: experiment factors salt "factor" { subject: ["a", "b"] }
  bye: send preferred of { sms "t" email "t" } with { own: promo(made) } else skip
}

journey lunch {
  owner "a@b.example"
  enter every day at 12:00 local when customer.points >= 5
  reenter after 2d
  policy p
  eat: send email "t" about offers
  award: invoke loyalty "award" with { points: customer.points, stage: profile.stage }
  if customer.points > 8 {
    wander: wait until 09:00 on weekdays
  } else {
    state: wait until profile.stage = "done" up to 40h
  }
}
"""

TEMPLATES = {
    "t.email.txt": "---\nsubject: News\n---\nHello\n\n{{ unsubscribe_url }}\n",
    "t.sms.txt": "Hello\n",
}

SERVICES = {"loyalty": {"provider": "file"}, "crm": {"provider": "file"}}

HOURS = (1, 2, 3, 5, 12, 24, 26, 31, 32, 50, 51, 75, 99, 171)
MOMENTS = tuple(START + n * HOUR for n in HOURS)
"""When the story ticks and delivers."""


@cache
def project() -> Project:
    return compiled(PROGRAM)


def load(engine: Engine) -> None:
    """The tables of the shared binding, and everything that will be in them."""
    for statement in create(engine.dialect):
        engine.execute(statement)
    numbers = range(1, PEOPLE + 1)
    zones = ("UTC", "Europe/Berlin", "America/New_York", "Nowhere", None)
    put(
        engine,
        "crm.customers",
        (
            record(
                "crm.customers",
                id=n,
                tz=zones[n % 5],
                favourite=("email", "sms", None)[n % 3],
                email=f"p{n}@x.example" if n % 8 else None,
                mobile=f"+4915100{n}" if n % 4 else None,
                country="DE",
                points=n % 11,
            )
            for n in numbers
        ),
    )
    said = {"at": START - DAY, "status": "in"}
    put(
        engine,
        "crm.consents",
        (
            record("crm.consents", customer_id=n, topic=topic, **said)
            for n in numbers
            for topic in ("email", "offers")
            if n % 7 or topic == "email"
        ),
    )
    put(
        engine,
        "shop.signups",
        (
            record(
                "shop.signups",
                id=n,
                customer_id=n % PEOPLE + 1,
                at=START + (n % 60) * MINUTE + (n // PEOPLE) * 73 * HOUR,
                score=n % 9,
            )
            for n in range(2 * PEOPLE)
        ),
    )
    put(
        engine,
        "shop.orders",
        (
            record(
                "shop.orders",
                id=n,
                customer_id=n,
                at=START + (25 + n) * HOUR,
                total=900 if n % 6 == 0 else 20,
                items=1,
                status="paid",
            )
            for n in numbers
            if n % 3 != 1
        ),
    )
    put(engine, "shop.products", PRODUCTS)
    codes = (record("shop.pool", code=f"P{n:03}", kind="pool") for n in range(CODES))
    put(engine, "shop.pool", codes)


Act = Callable[[Engine, datetime], object]


def _opened(engine: Engine, now: datetime) -> None:
    """Half of the messages so far are opened, each once."""
    d = engine.dialect
    engine.execute(
        "INSERT INTO journey.message_event (customer_id, message_id, provider, event_id, name,"
        ' "at")'
        f" SELECT m.customer_id, m.message_id, 'test', {d.as_text('m.message_id')}, 'opened',"
        f" {d.instant(now - MINUTE)} FROM journey.message AS m"
        f" WHERE m.message_id % 2 = 0 AND m.decided_at < {d.instant(now - MINUTE)}"
        " AND NOT EXISTS (SELECT 1 FROM journey.message_event AS e"
        " WHERE e.message_id = m.message_id)"
    )


def _refuses(engine: Engine, now: datetime) -> None:
    """Somebody wants no e-mails any more, and somebody's address is gone."""
    at = engine.dialect.instant(now)
    with engine.transaction():
        if engine.query("SELECT 1 FROM journey.consent_change"):
            return
        engine.execute(
            'INSERT INTO journey.consent_change (customer_id, consent, "at", granted)'
            f" VALUES (2, 'email_ok', {at}, FALSE)"
        )
        engine.execute(
            'INSERT INTO journey.suppression (customer_id, channel, "at", reason)'
            f" VALUES (3, 'email', {at}, 'hard_bounce')"
        )


def _pauses(engine: Engine, _: datetime) -> None:
    pause(engine, "welcome", cause="person", detail="")


def _resumes(engine: Engine, _: datetime) -> None:
    resume(engine, "welcome")


ACTS: dict[int, Act] = {
    5: _refuses,
    24: _opened,
    26: _pauses,
    32: _resumes,
    51: _opened,
}
"""What people do before the tick of that hour."""


class Stage:
    """A database on which the story is played, from wherever it stands.

    `patience`: for so many seconds another's lease is respected, and lasts; None: whoever had it
    is known to be gone.
    """

    def __init__(self, engine: Engine, folder: Path, patience: float | None = None) -> None:
        self.engine = engine
        self.folder = folder
        session = prepare(engine, project(), now=START)
        assert isinstance(session, Session)
        self.session = session
        if patience is not None:
            session.lease.length = timedelta(seconds=patience)
        elif engine.dialect.shared:
            engine.execute("UPDATE journey.lock SET holder = NULL, lease_until = NULL")
            # Else its messages would wait for the end of the lease: later than in the uncut story.
            engine.execute("UPDATE journey.batch SET holder = NULL, lease_until = NULL")
            session.lease.hold()
        channels = open_channels(
            {name: {"provider": "file"} for name in ("email", "sms", "push")},
            root=folder,
            environment={},
            invoke=SERVICES,
        ).value
        assert channels is not None
        config = DeliveryConfig(channels=channels, templates=TEMPLATES)
        self.outbox = Outbox(engine, project(), session.ready.program, config)

    def play(self, *, deliver: bool = True) -> None:
        """Everything that is still to come: what the latest tick decided, then the next ones."""
        latest = self.engine.query("SELECT now FROM journey.lock WHERE name = 'tick'")[0][0]
        if latest > START and deliver:
            self.deliver(latest)
        for hour, now in zip(HOURS, MOMENTS, strict=True):
            if now > latest:
                if hour in ACTS:
                    ACTS[hour](self.engine, now)
                tick(self.session, now)
                if deliver:
                    self.deliver(now)

    def deliver(self, now: datetime) -> None:
        self.outbox.deliver(now=lambda: now, recover=self.session.begin_again)

    def close(self) -> None:
        self.outbox.close()
        self.engine.close()


DELIVERY = ("lock", "watermark", "meta", "receipt", "batch")
"""Tables that count ticks and attempts; the rest is what the story comes to."""


def outcome(engine: Engine) -> Contents:
    """What the story has come to, without numbers of ticks and attempts."""
    found = contents(engine, without=DELIVERY)
    found["tick"] = [row[1:] for row in found["tick"]]
    for name in ("transition", "decision", "promo_code"):
        at = list(engine.columns(("journey", name)) or ()).index("tick")
        found[name] = [(*row[:at], *row[at + 1 :]) for row in found[name]]
    found["states"] = engine.query(
        "SELECT message, state FROM journey.messages"
        " UNION ALL SELECT call, state FROM journey.calls"
    )
    found["batches"] = engine.query(
        "SELECT batch_id, decided_at, messages, done FROM journey.batch"
    )
    return {name: sorted(rows, key=str) for name, rows in found.items()}


def letters(folder: Path) -> list[str]:
    """The names of all files that were delivered."""
    return sorted(file.name for file in (folder / "outbox").rglob("*.*"))
