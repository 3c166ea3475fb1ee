"""The counts that the demo prints, over rows put in by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from journeylang.demo.figures import Figures, Funnel, Share
from journeylang.engines.duckdb import DuckDbEngine
from journeylang.model.project import Project
from journeylang.plan.numbering import number, step_paths
from journeylang.sql.migrations import create_tables
from journeylang.sql.schema import ACTIVE, CONTROL, EXITED, FINISHED, HELD_OUT

START = datetime(2026, 3, 2)  # noqa: DTZ001 - UTC
NOW = START + timedelta(days=20)


class Ledger:
    """Writes the runtime's rows as a tick would."""

    def __init__(self, engine: DuckDbEngine, project: Project) -> None:
        self.engine = engine
        numbers = number(project)
        self.journeys, self.steps = numbers.journeys, numbers.steps
        for name, journey in project.journeys.items():
            self._insert("version", journey=self.journeys[name], name=name, version=1)
            for path, kind in step_paths(journey):
                step = {"step": self.steps[name, path], "path": path, "kind": kind}
                self._insert("step", journey=self.journeys[name], **step)

    def _insert(self, table: str, **given: object) -> None:
        """A row with these columns; the others that must not be null are zero or empty."""
        rows = self.engine.query(f"DESCRIBE journey.{table}")
        plain = {"VARCHAR": "", "TIMESTAMP": START, "BOOLEAN": False}
        row = {name: plain.get(kind, 0) for name, kind, null, *_ in rows if null == "NO"} | given
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join(f"${name}" for name in row)
        self.engine.execute(f"INSERT INTO journey.{table} ({names}) VALUES ({marks})", row)

    def run(
        self,
        customer: int,
        journey: str,
        status: int,
        reason: str | None,
        at: datetime = START,
        run: int | None = None,
    ) -> None:
        self._insert(
            "run",
            customer_id=customer,
            run_id=run or customer,
            journey=self.journeys[journey],
            version=1,
            entered_at=at,
            status=status,
            reason=reason,
        )

    def message(self, customer: int, journey: str, step: str, channel: str) -> None:
        self._insert(
            "message",
            customer_id=customer,
            message_id=customer,
            run_id=customer,
            journey=self.journeys[journey],
            version=1,
            step=self.steps[journey, step],
            channel=channel,
        )

    def refused(self, customer: int, journey: str, step: str, reason: str) -> None:
        self._insert(
            "decision",
            customer_id=customer,
            run_id=customer,
            journey=self.journeys[journey],
            step=self.steps[journey, step],
            reason=reason,
        )

    def exposed(self, customer: int, journey: str, experiment: str, arm: str) -> None:
        step = self.steps[journey, experiment]
        self._insert("exposure", customer_id=customer, experiment=step, arm=arm, run_id=customer)

    def order(self, customer: int, at: datetime, status: str = "paid") -> None:
        self.engine.connection.execute(
            "INSERT INTO shop.orders VALUES (nextval('ids'), ?, ?, ?, 20, 1, 'Morning Filter')",
            (customer, at, status),
        )


@pytest.fixture
def ledger(tmp_path: Path, project: Project) -> Iterator[Ledger]:
    engine = DuckDbEngine.open(str(tmp_path / "acme.duckdb"))
    for statement in (
        "CREATE SCHEMA shop",
        "CREATE SEQUENCE ids",
        """CREATE TABLE shop.orders (order_id BIGINT, customer_id BIGINT, placed_at TIMESTAMP,
          status VARCHAR, total_amount DECIMAL(10, 2), items INTEGER, product VARCHAR)""",
        *create_tables("BIGINT"),
    ):
        engine.execute(statement)
    yield Ledger(engine, project)
    engine.close()


def figures(ledger: Ledger, project: Project) -> Figures:
    return Figures(engine=ledger.engine, project=project, now=NOW)


def funnel(ledger: Ledger, project: Project, journey: str) -> Funnel:
    return next(f for f in figures(ledger, project).funnels() if f.journey == journey)


def test_nothing_has_happened(ledger: Ledger, project: Project) -> None:
    found = figures(ledger, project).funnels()
    assert [f.journey for f in found] == sorted(project.journeys)
    assert all((f.entered, f.left, f.shares) == (0, (), ()) for f in found)
    assert all(s.sent == 0 for f in found for s in f.sends)
    assert figures(ledger, project).trials() == []


def test_who_came_and_how_they_left(ledger: Ledger, project: Project) -> None:
    ledger.run(1, "cart", ACTIVE, None)
    ledger.run(2, "cart", EXITED, "ordered")
    ledger.run(3, "cart", EXITED, "ordered")
    ledger.run(4, "cart", EXITED, "came_back")
    ledger.run(5, "cart", FINISHED, None)
    ledger.run(6, "cart", HELD_OUT, "held_out")
    ledger.run(7, "cart", CONTROL, "global_control")
    ledger.run(1, "welcome", ACTIVE, None)
    found = funnel(ledger, project, "cart")
    assert (found.entered, found.held_out, found.control, found.inside) == (7, 1, 1, 1)
    assert found.left == (("ordered", 2), ("came_back", 1), ("finished", 1))


def test_what_was_sent_and_what_was_not(ledger: Ledger, project: Project) -> None:
    for customer, channel in ((1, "push"), (2, "email"), (3, "email")):
        ledger.message(customer, "cart", "remind", channel)
    ledger.refused(4, "cart", "remind", "no_consent")
    ledger.refused(5, "cart", "remind", "capped")
    ledger.refused(6, "cart", "remind", "capped")
    remind, last_call = funnel(ledger, project, "cart").sends
    assert (remind.step, remind.sent) == ("remind", 3)
    assert remind.by_channel == (("email", 2), ("push", 1))
    assert remind.not_sent == (("capped", 2), ("no_consent", 1))
    assert (last_call.step, last_call.sent, last_call.not_sent) == ("last_call", 0, ())


def test_the_goal_counts_within_its_window_from_the_first_entry(
    ledger: Ledger, project: Project
) -> None:
    """`goal order_placed within 3d`, once a customer; orders that are no orders do not count."""
    hour = timedelta(hours=1)
    for customer in range(1, 8):
        ledger.run(customer, "cart", EXITED, "ordered")
    ledger.run(1, "cart", ACTIVE, None, at=START + timedelta(days=8), run=99)
    ledger.order(1, START + hour)
    ledger.order(1, START + 2 * hour)
    ledger.order(2, START + 72 * hour)  # the last instant that counts
    ledger.order(3, START + 72 * hour + timedelta(seconds=1))
    ledger.order(4, START)  # at the entry is before it
    ledger.order(5, START + hour, status="cancelled")
    ledger.order(6, START - hour)
    ledger.run(8, "cart", HELD_OUT, "held_out")
    ledger.order(8, START + hour)
    found = funnel(ledger, project, "cart")
    assert found.goal == "order_placed within 3d"
    assert found.shares == (
        Share(name="in the journey", customers=7, reached=2),
        Share(name="held out", customers=1, reached=1),
    )


def test_what_has_not_happened_yet_does_not_count(ledger: Ledger, project: Project) -> None:
    ledger.run(1, "welcome", ACTIVE, None, at=NOW - timedelta(days=1))
    ledger.order(1, NOW + timedelta(hours=1))
    assert funnel(ledger, project, "welcome").shares[0].reached == 0


def test_arms_in_their_order_the_control_first(ledger: Ledger, project: Project) -> None:
    for customer, arm in ((1, "named"), (2, "named"), (3, "plain")):
        ledger.exposed(customer, "welcome", "subject", arm)
    ledger.exposed(4, "welcome", "holdout", "held_out")
    ledger.order(2, START + timedelta(days=13))
    (trial,) = figures(ledger, project).trials()
    assert (trial.journey, trial.experiment) == ("welcome", "subject")
    assert trial.goal == "order_placed within 14d"
    assert trial.arms == (
        Share(name="plain", customers=1, reached=0),
        Share(name="named", customers=2, reached=1),
    )
    assert trial.arms[1].percent == 50
