"""Whatever is edited while people are on the way: nobody gets a message twice, nobody is lost.

A journey is drawn, people are let in, and then the journey is drawn anew, twice: with other steps
in another order, other lengths, people moved or let go or not, pinned or not. What is refused
changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from journeylang.engines.base import Engine
from journeylang.plan.aspects import RESTING
from journeylang.plan.diff import labelled
from journeylang.runtime.pinned import Past
from journeylang.runtime.session import Session
from journeylang.runtime.setup import prepare
from journeylang.runtime.tick import tick
from tests.agreement.both import compiled
from tests.agreement.prelude import instant, record
from tests.agreement.small import DAY, HOUR, START, journey, person, project
from tests.engines.databases import database, put

PEOPLE = 5
LENGTHS = ("3h", "20h", "1d", "2d", "50h")
Draw = Any


@st.composite
def bodies(draw: Draw) -> str:
    """Some of the blocks below, in any order."""
    length = st.sampled_from(LENGTHS)
    blocks = {
        "w1": f"w1: wait {draw(length)}",
        "w2": f"w2: wait {draw(length)}",
        "w3": "w3: wait until 09:00",
        "s1": "s1: send email",
        "s2": "s2: send email",
        "s3": "s3: send email else skip",
        "r": f"r: wait for ordered up to {draw(length)} {{\n"
        "on ordered { rs: send email }\n"
        f"timeout {{ rw: wait {draw(length)} }}\n}}",
        "e": 'e: experiment salt "edits" {\n'
        f"arm a 50% control {{ s: send email }}\narm b 50% {{ w: wait {draw(length)} }}\n}}",
        "l": "l: repeat up to 2 times {\n"
        + "\n".join(draw(st.permutations(["s: send email", f"w: wait {draw(length)}"])))
        + "\n}",
        "if": "if customer.points > 10 {\n"
        + draw(st.sampled_from(["s4: send email", "exit as rich", f"w4: wait {draw(length)}"]))
        + "\n}",
    }
    names = draw(st.lists(st.sampled_from(sorted(blocks)), min_size=3, max_size=8, unique=True))
    return "\n".join(blocks[name] for name in names)


@st.composite
def edits(draw: Draw) -> tuple[str, str, list[int]]:
    """New steps, how people come over, and where those go whose step is gone (0: not said)."""
    mode = draw(st.sampled_from(["migrate", "migrate", "migrate", "pin", "drain"]))
    return draw(bodies()), mode, draw(st.lists(st.integers(0, 9), min_size=12, max_size=12))


def text(body: str, mode: str, moves: str = "") -> str:
    written = journey("j", body, f"upgrade {mode}", "exit when customer.points > 99 as left")
    return project(written, moves, policy="cap any 100 per 1d quiet email 21:00 to 07:00")


def moved(old: str, new: str, choices: list[int]) -> str:
    """Where people go from steps that are gone: to one that is there, or out, or it is not said."""
    was, is_ = (labelled(compiled(text(body, "migrate")).journeys["j"]) for body in (old, new))
    rest = [path for path, step in is_.items() if isinstance(step, RESTING)]
    lines = []
    gone = [path for path, step in was.items() if isinstance(step, RESTING) and path not in is_]
    for path, choice in zip(gone, choices, strict=False):
        if choice == 0:
            continue
        to = "exit" if choice == 1 or not rest else rest[choice % len(rest)]
        lines.append(f"moved in j: {path} -> {to}")
    return "\n".join(lines)


class World:
    """One database, and what was applied to it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.past: dict[tuple[str, int], Past] = {}
        self.session: Session | None = None
        put(engine, "crm.customers", [person(n, points=5 * n) for n in range(1, PEOPLE + 1)])
        said = {"at": instant("2025-01-01T00:00"), "topic": "email", "status": "in"}
        put(
            engine,
            "crm.consents",
            [record("crm.consents", customer_id=n, **said) for n in range(1, PEOPLE + 1)],
        )
        for n in range(1, PEOPLE + 1):
            at = START + n * 7 * HOUR
            row = record("shop.signups", id=n, customer_id=n, at=at)
            put(engine, "shop.signups", [row])
            row = record("shop.orders", id=n, customer_id=n, at=at + DAY + n * HOUR, status="paid")
            put(engine, "shop.orders", [row])

    def apply(self, program: str, now: datetime) -> Session | None:
        found = compiled(program)
        if self.session is not None:
            # One process after the other.
            self.session.lease.give_back()

        def known(versions: Mapping[str, int]) -> None:
            for name, version in versions.items():
                self.past.setdefault((name, version), Past(project=found, templates={}))

        session = prepare(
            self.engine,
            found,
            now=now,
            record=known,
            past=lambda name, version: self.past.get((name, version)),
        )
        self.session = session if isinstance(session, Session) else None
        return self.session

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.engine.query(query)

    def check(self, session: Session) -> None:
        """Nobody twice, nobody without a way on."""
        paths = dict(self.rows("SELECT step, path FROM journey.step"))
        sent = Counter(
            (customer, run, paths[step], occurrence)
            for customer, run, step, occurrence in self.rows(
                "SELECT customer_id, run_id, step, occurrence FROM journey.message"
            )
        )
        assert [key for key, count in sent.items() if count > 1] == []
        parks = {p.step for plan in session.ready.program.journeys for p in plan.parks}
        for step, wake in self.rows("SELECT step, wake_at FROM journey.run WHERE status = 0"):
            assert step in parks, f"nobody moves whoever waits at {paths.get(step)}"
            assert wake is not None
        without = "SELECT count(*) FROM journey.run WHERE status <> 0 AND reason IS NULL"
        assert self.rows(without) == [(0,)]

    def contents(self) -> object:
        return [
            sorted(self.rows(f"SELECT * FROM journey.{table}"), key=str)
            for table in ("run", "message", "transition", "step", "version")
        ]


def play(engine: Engine, first: str, changes: list[tuple[str, str, list[int]]]) -> None:
    world = World(engine)
    now, body = START, first
    session = world.apply(text(body, "migrate"), now)
    assert session is not None
    program = text(body, "migrate")
    for number, (new, mode, choices) in enumerate(changes):
        for _ in range(5):
            now += 9 * HOUR
            tick(session, now)
            world.check(session)
        entered = {run for (run,) in world.rows("SELECT run_id FROM journey.run")}
        before = world.contents()
        edited = text(new, mode, moved(body, new, choices))
        applied = world.apply(edited, now)
        note(f"{'applied' if applied else 'refused'} {number}:\n{edited}")
        if applied is None:
            assert world.contents() == before, "what is refused changes nothing"
            applied = world.apply(program, now)
            assert applied is not None
        else:
            body, program = new, edited
        session = applied
        world.check(session)
        assert entered <= {run for (run,) in world.rows("SELECT run_id FROM journey.run")}
    for _ in range(14):
        now += 31 * HOUR
        tick(session, now)
        world.check(session)
    tick(session, now + 60 * DAY)
    world.check(session)
    assert world.rows("SELECT count(*) FROM journey.run WHERE status = 0") == [(0,)], (
        "somebody waits"
    )


CHANGES = st.lists(edits(), min_size=1, max_size=2)
QUIETLY = [HealthCheck.too_slow, HealthCheck.data_too_large]
# A case takes a second: to make a failing one smaller would take minutes.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(max_examples=25, deadline=None, suppress_health_check=QUIETLY, phases=PHASES)
@given(first=bodies(), changes=CHANGES)
def test_nobody_is_lost_and_nobody_is_told_twice(
    first: str, changes: list[tuple[str, str, list[int]]]
) -> None:
    with database("duckdb") as engine:
        play(engine, first, changes)


@pytest.mark.slow
@settings(max_examples=6, deadline=None, suppress_health_check=QUIETLY, phases=PHASES)
@given(first=bodies(), changes=CHANGES)
def test_nor_on_postgresql(first: str, changes: list[tuple[str, str, list[int]]]) -> None:
    with database("postgres") as engine:
        play(engine, first, changes)


def reordered(world: World) -> Session:
    """Somebody has had `s1` and waits; then that wait is put in front of it."""
    session = world.apply(text("s1: send email\nw1: wait 2d\ns2: send email", "migrate"), START)
    assert session is not None
    tick(session, START + 8 * HOUR)
    later = text("w1: wait 2d\ns1: send email\ns2: send email", "migrate")
    session = world.apply(later, START + 9 * HOUR)
    assert session is not None
    return session


def test_steps_in_another_order() -> None:
    """Who has been told is not told again behind the wait that has moved in front."""
    with database("duckdb") as engine:
        world = World(engine)
        session = reordered(world)
        assert session.ready.repeats is not None
        tick(session, START + 9 * DAY)
        world.check(session)
        had = "SELECT count(*) FROM journey.decision WHERE reason = 'repeated'"
        assert world.rows(had) == [(1,)]
        sent = "SELECT count(*) FROM journey.message WHERE customer_id = {}"
        assert world.rows(sent.format(1)) == world.rows(sent.format(2)) == [(2,)]


def test_steps_in_another_order_that_people_finish_on() -> None:
    """Nor where that version is drained by the next: its steps have numbers of their own."""
    with database("duckdb") as engine:
        world = World(engine)
        tick(reordered(world), START + 10 * HOUR)
        session = world.apply(text("w2: wait 1d\ns3: send email", "drain"), START + 11 * HOUR)
        assert session is not None
        tick(session, START + 9 * DAY)
        world.check(session)
        had = "SELECT count(*) FROM journey.decision WHERE reason = 'repeated'"
        assert world.rows(had) == [(1,)]
