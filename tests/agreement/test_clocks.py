"""A clock that jumps, in the midst of everything that can happen: as the oracle means it, and more.

A machine of hypothesis's draws what comes next. After every tick both forms are compared, and
what must hold of any history is asked of the tables.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.agreement.both import Both, both
from tests.agreement.prelude import PRODUCTS, record
from tests.agreement.small import DAY, HOUR, MINUTE, START, happens, people
from tests.crash.story import PROGRAM

HISTORIES, STEPS = map(int, os.environ.get("JOURNEY_TEST_MACHINES", "8x25").split("x"))
PEOPLE = 5
SECOND = timedelta(seconds=1)

AHEAD = (SECOND, MINUTE, HOUR, HOUR, 5 * HOUR, DAY, DAY, 3 * DAY, 7 * DAY)
BACK = (SECOND, HOUR, DAY, 7 * DAY)
WHO = st.integers(1, PEOPLE)
AGES = st.sampled_from((timedelta(0), MINUTE, 50 * MINUTE))
LATE = st.sampled_from((2 * HOUR, 5 * HOUR, 7 * HOUR, 3 * DAY, -HOUR, -2 * DAY))
JOURNEYS = st.sampled_from(("welcome", "second", "lunch"))


class Clocks(RuleBasedStateMachine):
    """One world; `clock` is what the machine's clock shows, `latest` the latest tick."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.clock = self.latest = START

    @initialize()
    def begin(self) -> None:
        self.pair: Both = self.stack.enter_context(both(PROGRAM, START))
        pair = self.pair
        zones = ("UTC", "Europe/Berlin", "America/New_York", "Nowhere", None)
        for n in range(1, PEOPLE + 1):
            people(pair, n, tz=zones[n - 1], mobile="+49", points=n * 3, favourite="sms")
        pair.put("shop.products", PRODUCTS)
        pair.put("shop.pool", [record("shop.pool", code=f"P{n}", kind="pool") for n in range(3)])

    def teardown(self) -> None:
        self.stack.close()

    # --- what the clock does

    @rule(ahead=st.sampled_from(AHEAD))
    def tick(self, ahead: timedelta) -> None:
        self.clock += ahead
        self._tick()

    @rule(back=st.sampled_from(BACK))
    def the_clock_jumps_back(self, back: timedelta) -> None:
        self.clock -= back
        self._tick()

    @rule()
    def tick_again(self) -> None:
        self._tick()

    def _tick(self) -> None:
        before = self._now()
        self.pair.tick(self.clock)
        self.latest = self._now()
        assert self.latest == max(before, self.clock), "it never goes back"
        self._holds()

    def _now(self) -> datetime:
        now: datetime = self.pair.engine.query("SELECT now FROM journey.lock")[0][0]
        return now

    # --- what people do

    @rule(who=WHO, age=AGES)
    def signs_up(self, who: int, age: timedelta) -> None:
        # Append only is a promise: no row comes later than its `late`.
        at = max(self.clock - age, self.latest - HOUR + timedelta(microseconds=1))
        happens(self.pair, "signed_up", at, who, score=1)

    @rule(who=WHO, age=AGES | LATE, total=st.sampled_from((20, 900)))
    def orders(self, who: int, age: timedelta, total: int) -> None:
        happens(self.pair, "ordered", self.clock - age, who, total=total)

    @rule(index=st.integers(0, 9), age=AGES | LATE)
    def opens(self, index: int, age: timedelta) -> None:
        if messages := self.pair.memory.messages:
            self.pair.say(index % len(messages), "opened", self.clock - age)

    @rule(who=WHO, granted=st.booleans(), age=AGES | LATE)
    def changes_consent(self, who: int, granted: bool, age: timedelta) -> None:
        self.pair.prefer(who, "email_ok", self.clock - age, granted)

    @rule(who=WHO, status=st.sampled_from(("in", "out")), age=LATE)
    def consents_late(self, who: int, status: str, age: timedelta) -> None:
        at = self.clock - age
        row = record("crm.consents", customer_id=who, topic="offers", status=status, at=at)
        self.pair.add("crm.consents", row)

    @rule(who=WHO, channel=st.sampled_from(("email", "sms")))
    def is_suppressed(self, who: int, channel: str) -> None:
        self.pair.suppress(who, channel, self.latest)

    @rule(journey=JOURNEYS)
    def is_paused(self, journey: str) -> None:
        self.pair.pause(journey)

    @rule(journey=JOURNEYS)
    def is_resumed(self, journey: str) -> None:
        self.pair.resume(journey)

    # --- what holds

    def _holds(self) -> None:
        query, d = self.pair.engine.query, self.pair.engine.dialect
        for table, key in (
            ("message", "customer_id, run_id, step, occurrence"),
            ("message", "message_id"),
            ("run", "customer_id, run_id"),
            ("promo_code", "promo, code"),
        ):
            twice = f"SELECT {key} FROM journey.{table} GROUP BY {key} HAVING count(*) > 1"
            assert query(twice) == [], f"{table} twice"
        week = d.interval(7 * 86400)
        over = (
            "SELECT m.customer_id FROM journey.message AS m JOIN journey.message AS n"
            " ON n.customer_id = m.customer_id AND n.decided_at <= m.decided_at"
            f" AND n.decided_at > m.decided_at - {week}"
            " WHERE m.channel = 'email' AND n.channel = 'email'"
            " GROUP BY m.customer_id, m.message_id HAVING count(*) > 3"
        )
        assert query(over) == [], "more than three e-mails in seven days"
        burst = (
            "SELECT m.customer_id FROM journey.messages AS m WHERE m.journey <> 'second'"
            " GROUP BY m.customer_id, m.run_id, m.decided_at HAVING count(*) > 1"
        )
        assert query(burst) == [], "two messages of a run with a wait between them in one tick"
        assert (
            query(f"SELECT 1 FROM journey.message WHERE decided_at > {d.instant(self.latest)}")
            == []
        )


@pytest.mark.slow
def test_clocks_that_jump() -> None:
    run_state_machine_as_test(
        Clocks,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            derandomize="JOURNEY_TEST_MACHINES" not in os.environ,
            deadline=None,
            suppress_health_check=tuple(HealthCheck),
        ),
    )
