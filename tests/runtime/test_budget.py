"""A tick's statements do not follow customers, runs, steps or journeys without work.

Each kind of step by itself: in a journey with many of them behind a wait, where nobody is, and
with people at many of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

import pytest

from journeylang.engines.base import Engine
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.tick import tick
from tests.agreement.both import compiled
from tests.agreement.prelude import POOL, PRODUCTS, record
from tests.agreement.small import DAY, HOUR, MINUTE, START, journey, person, project
from tests.engines.databases import ENGINES, database, put
from tests.engines.watched import Count, Watched

pytestmark = pytest.mark.slow

MANY = 40
Steps = Callable[[int], str]

# The n-th step of each kind. Conditions and names differ, so that nothing is shared by chance.
KINDS: dict[str, Steps] = {
    "elapsed": lambda n: f"w{n}: wait {n + 1}h",
    "calendar": lambda n: f"w{n}: wait {n % 7 + 1}d",
    "time of day": lambda n: f"w{n}: wait until {n % 12 + 12}:{n % 60:02}",
    "moment": lambda n: f"w{n}: wait until customer.joined",
    "state": lambda n: f"w{n}: wait until customer.points > {n + 1000} up to 3d",
    "event": lambda n: f"w{n}: wait for ordered where total > {n} EUR up to 3d",
    "race": lambda n: (
        f"w{n}: wait up to 1d {{ on ordered where items = {n} {{}} on visited {{}} timeout {{}} }}"
    ),
    "send": lambda n: f'm{n}: send email "t{n}" with {{ v: customer.points + {n} }}',
    "first of": lambda n: f'm{n}: send first of {{ sms "t{n}" when customer.vip email "t" }}',
    "preferred of": lambda n: f'm{n}: send preferred of {{ push "t{n}" email "t" }}',
    "best of": lambda n: f'm{n}: send best of {{ sms "t{n}" email "t" }}',
    "cheapest of": lambda n: f'm{n}: send cheapest of {{ sms "t{n}" email "t" }} else hold 1h',
    "about": lambda n: f'm{n}: send email "t{n}" about offers',
    "picks": lambda n: (
        f'm{n}: send email "t{n}" with {{ p: top {n % 5 + 1} of products by price }} else skip'
    ),
    "promo": lambda n: f'm{n}: send email "t{n}" with {{ c: promo(made) }} else skip',
    "experiment": lambda n: (
        f'x{n}: experiment salt "s{n}"'
        f' {{ arm a 50% control {{ a{n}: send email "t" }} arm b 50% {{ b{n}: wait 1h }} }}'
    ),
    "adaptive": lambda n: (
        f'x{n}: experiment adaptive salt "s{n}"'
        f' {{ arm a 50% control {{ a{n}: send email "t" }} arm b 50% {{ b{n}: wait 1h }} }}'
    ),
    "factors": lambda n: (
        f'x{n}: experiment factors salt "s{n}" {{ f{n}: ["a", "b"] }}\na{n}: send email "t"'
    ),
    "if": lambda n: f"if customer.points > {n} {{ a{n}: wait 1h }} else {{ b{n}: wait 2h }}",
    "figures": lambda n: (
        f'if sum(ordered.total within {n + 1}d) > {n} EUR {{ a{n}: send email "t" }}'
    ),
    "ranking": lambda n: f'if customer in segment best{n} {{ a{n}: send email "t" }}',
    "age": lambda n: f'if age(customer.born) > {n} {{ a{n}: send email "t" }}',
    "repeat": lambda n: f"r{n}: repeat up to 3 times {{ w{n}: wait {n + 1}h }}",
    "set": lambda n: f"set p{n} = customer.points + {n}",
    "start": lambda n: f"s{n}: start other",
    "include": lambda n: f'i{n}: include chase(gap: {n + 1}h, note: "t{n}")',
    "exit": lambda n: f"if customer.points > {n + 1000} {{ exit as out{n} }}",
}

FRAGMENT = """fragment chase(gap: duration, note: template) {
  pause: wait gap
  say: send email "{note}"
}"""
RANKINGS = "\n".join(
    f"metric spent{n} = sum(ordered.total within {n + 1}d)\n"
    f"segment best{n} = top {n + 1}% by spent{n}"
    for n in range(MANY)
)
OTHER = journey("other", "w: wait 400d", "reenter never", enter="enter by start")
HEADERS = ("reenter after 1d", "goal ordered within 12h")


def text(steps: str, *more: str) -> str:
    return project(FRAGMENT, RANKINGS, OTHER, journey("j", steps, *HEADERS), *more)


def world(engine: Engine, customers: int) -> None:
    """Everybody can be reached, signs up in the first hour, and orders later."""
    numbers = range(1, customers + 1)
    born = date(1980, 5, 5)
    rows = (
        person(n, points=n % MANY, mobile="+49", token="t", joined=START + DAY, born=born, rate=0.5)
        for n in numbers
    )
    put(engine, "crm.customers", rows)
    said = {"at": START - DAY, "status": "in"}
    topics = ("email", "offers")
    put(
        engine,
        "crm.consents",
        (record("crm.consents", customer_id=n, topic=t, **said) for n in numbers for t in topics),
    )
    put(
        engine,
        "shop.signups",
        (record("shop.signups", id=n, customer_id=n, at=START + MINUTE) for n in numbers),
    )
    ordered = {"total": 20, "items": 1, "status": "paid"}
    put(
        engine,
        "shop.orders",
        (
            record("shop.orders", id=n, customer_id=n, at=START + 30 * HOUR, **ordered)
            for n in numbers
            if n % 3
        ),
    )
    put(engine, "shop.products", PRODUCTS)
    put(engine, "shop.pool", POOL)


def counts(
    engine: str, program: str, *, customers: int = 12, ticks: Sequence[datetime] = ()
) -> list[int]:
    """Statements of each tick: hourly for two days, then daily."""
    seen = Count()
    with database(engine) as real:
        world(real, customers)
        session = prepare(Watched(real, seen), compiled(program), now=START)
        assert isinstance(session, Session)
        found = [seen.of(lambda now=now: tick(session, now)) for now in ticks or TICKS]  # type: ignore[misc]
        assert sum(found) > 2 * len(found), "nothing happens"
        return found


TICKS = [START + n * HOUR for n in (1, 2, 3, 13, 14, 25, 26, 31, 32, 49, 50, 73, 74, 98)]


def differences(few: list[int], many: list[int]) -> dict[int, tuple[int, int]]:
    """By tick, where there are more than before."""
    pairs = enumerate(zip(few, many, strict=True))
    return {n: (a, b) for n, (a, b) in pairs if b > a}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", KINDS)
def test_steps_that_nobody_is_at_add_none(engine: str, kind: str) -> None:
    step = KINDS[kind]

    def behind(number: int) -> list[int]:
        rest = "\n".join(step(n) for n in range(1, number))
        return counts(engine, text(f"{step(0)}\nrest: wait 400d\n{rest}"))

    assert differences(behind(1), behind(MANY)) == {}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", KINDS)
def test_people_at_many_steps_take_no_more_than_people_at_one(engine: str, kind: str) -> None:
    """Of ten steps that lie side by side, one for each number of points, and of two."""
    step = KINDS[kind]

    def beside(number: int) -> list[int]:
        ways = [f"if customer.points = {n} {{\n{step(n)}\n}}" for n in range(number)]
        steps = f"{' else '.join(ways)} else {{\n{step(number)}\n}}\nrest: wait 400d"
        return counts(engine, text(steps), customers=MANY)

    # Waits of their own lengths end in ticks of their own: the busiest tick is compared.
    assert max(beside(9)) <= max(beside(1))


@pytest.mark.parametrize("engine", ENGINES)
def test_customers_add_none(engine: str) -> None:
    steps = "\n".join(step(n) for n, step in enumerate(KINDS.values()))
    few, many = (counts(engine, text(steps), customers=n) for n in (MANY, 25 * MANY))
    assert differences(few, many) == {}


IDLE = (
    "enter on visited",
    "enter every month on 20 at 09:00 local when customer.points > 5",
    "enter at 2027-01-01T09:00",
    "enter by start",
)


@pytest.mark.parametrize("engine", ENGINES)
def test_journeys_that_nobody_is_in_add_none(engine: str) -> None:
    def among(number: int) -> list[int]:
        idle = (
            journey(
                f"idle{n}",
                f'm{n}: send email "t" with {{ c: promo(made) }} else skip',
                "reenter after 1d",
                "guard complaint_rate < 0.1% over 1d",
                f"exit when sum(ordered.total) > {n} EUR",
                enter=IDLE[n % len(IDLE)],
            )
            for n in range(number)
        )
        return counts(engine, text('m: send email "t"\nrest: wait 400d', *idle))

    assert differences(among(len(IDLE)), among(30)) == {}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_idle_tick_is_one_probe(engine: str) -> None:
    """With thirty journeys in each of which everybody waits."""
    waiting = [
        journey(f"j{n}", f'w{n}: wait for visited where page = "{n}" up to 90d') for n in range(30)
    ]
    seen = Count()
    with database(engine) as real:
        world(real, 10)
        session = prepare(Watched(real, seen), compiled(project(*waiting)), now=START)
        assert isinstance(session, Session)
        for n in (1, 3):  # until the rows by which they entered are no longer new
            tick(session, START + n * HOUR)
        assert real.query("SELECT count(*) FROM journey.run WHERE status = 0") == [(300,)]
        for n in range(4, 15):
            now = START + n * HOUR
            assert seen.of(lambda now=now: tick(session, now)) == 2  # type: ignore[misc]
            assert [statement.split()[0] for statement in seen.seen] == ["UPDATE", "SELECT"]


@pytest.mark.parametrize("engine", ENGINES)
def test_guards_on_results_are_one_statement(engine: str) -> None:
    """However many journeys have them, and however many they have."""
    guards = ("guard orders <= 100000", "guard revenue < 900000 EUR", "guard leads <= 100000")
    goal = "goal ordered within 12h worth total"

    def guarded(number: int, each: int) -> list[int]:
        more = (
            journey(
                f"g{n}",
                f'm{n}: send email "t"\nw{n}: wait 90d',
                goal,
                *guards[:each],
                enter="enter by start",
            )
            for n in range(number)
        )
        return counts(engine, text('m: send email "t"\nrest: wait 400d', *more))

    one = guarded(2, 1)
    assert differences(guarded(2, 3), one) == differences(one, guarded(2, 3)) == {}
    assert differences(one, guarded(16, 3)) == {}
